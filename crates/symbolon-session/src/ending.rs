//! The three-step ending of runs that make key material (safety.md S2): prepared, stored and in doubt, done.

use crate::line::{Line, Sent, slot_of};
use crate::session::Phase;
use crate::{
    Auth, AuthError, Header, Ledger, Outgoing, Protocol, Rejected, ResumeError, Roster, SealError, Session, Step,
    Storable, StorageKey, To, Token, ledger,
};
use alloc::{borrow::ToOwned, collections::BTreeMap, vec::Vec};
use core::marker::PhantomData;
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use symbolon_core::{
    LabelTag, PartyId, RunTag, SecretVec, Transcript, on_cleared_stack,
    wire::{DecodeError, Reader, Writer},
};

const KIND: &[u8; 8] = b"pending\0";

/// What a session knows once its value is prepared.
pub(crate) struct Ending {
    pub(crate) outcome: [u8; 32],
    /// The new value.
    pub(crate) encoded: SecretVec<u8>,
    /// Own frames that `stored` releases.
    pub(crate) last: Vec<Sent>,
    /// Who has not confirmed.
    pub(crate) missing: BTreeMap<PartyId, Missing>,
    pub(crate) stored: bool,
    /// Nobody but the one peer can finish on what is confirmed here, so that its `closed` ends the doubt.
    pub(crate) for_two: bool,
    /// The signed broadcasts of the others, until `stored`: evidence if the confirmations differ.
    pub(crate) seen: Vec<Vec<u8>>,
}

/// The one frame that confirms: of the sender's last round, in a slot that it has there, with this body.
pub(crate) struct Missing {
    pub(crate) round: u8,
    pub(crate) private: bool,
    pub(crate) broadcast: bool,
    pub(crate) body: Vec<u8>,
}

impl Ending {
    /// Takes a frame: `true` if it confirms, `false` for a duplicate.
    pub(crate) fn confirm(&mut self, line: &mut Line, header: &Header, frame: &[u8]) -> Result<bool, Rejected> {
        let slot = slot_of(header);
        if let Some(known) = line.accepted.get(&slot).copied() {
            if frame.len() > line.longest {
                return Err(Rejected::Size);
            }
            return if line.open(header.sender, frame)?.1 == known { Ok(false) } else { Err(Rejected::Past) };
        }
        let expected = self.missing.get(&header.sender).ok_or(Rejected::Past)?;
        if header.round != expected.round {
            return Err(if header.round < expected.round { Rejected::Past } else { Rejected::Early });
        }
        if !(if slot.2 { expected.broadcast } else { expected.private }) {
            return Err(Rejected::Slot);
        }
        if !line.tags.contains_key(&header.sender) {
            return Err(Rejected::Run);
        }
        if frame.len() != Header::LEN + expected.body.len() + line.auth.trailer(frame)? {
            return Err(Rejected::Size);
        }
        let (body, digest) = line.open(header.sender, frame)?;
        let same = bool::from(body.ct_eq(&expected.body));
        if !self.stored && line.proves(slot) {
            self.seen.push(frame.to_vec());
        }
        if !same {
            return Err(Rejected::Confirmation);
        }
        self.missing.remove(&header.sender);
        line.accept(slot, digest, frame.len());
        line.show(slot, frame);
        Ok(true)
    }

    /// What a receipt must name: this run, this member, this outcome.
    pub(crate) fn receipt(&self, line: &Line) -> [u8; 32] {
        let t = Transcript::new("session", "receipt").number(line.protocol).number(line.me().get()).part(line.label);
        let t = line.tags.iter().fold(t, |t, (party, tag)| t.number(party.get()).part(tag));
        t.part(self.outcome).finish()
    }

    fn encode(&self, line: &Line, name: &str) -> SecretVec<u8> {
        let frames = || line.sent.iter().chain(&self.last).map(|sent| &*sent.bytes);
        let size = self.encoded.len() + frames().map(|frame| frame.len() + 4).sum::<usize>();
        let members = line.roster.members().len() * 160;
        let mut w =
            Writer::with_capacity(256 + name.len() + size + members + line.shown.iter().map(Vec::len).sum::<usize>());
        w.prefixed(name.as_bytes()).u8(line.protocol).u8(line.auth.kind()).bytes(line.label.as_ref());
        line.roster.encode(&mut w);
        w.u8(self.for_two.into()).bytes(&self.outcome).prefixed(&self.encoded);
        count(&mut w, line.tags.len());
        line.tags.iter().for_each(|(party, tag)| {
            w.u16(party.get()).bytes(tag.as_ref());
        });
        count(&mut w, self.missing.len());
        self.missing.iter().for_each(|(party, expected)| {
            w.u16(party.get()).u8(expected.round).u8(expected.private.into()).u8(expected.broadcast.into());
            w.prefixed(&expected.body);
        });
        count(&mut w, line.shown.len());
        line.shown.iter().for_each(|frame| {
            w.prefixed(frame);
        });
        count(&mut w, frames().count());
        frames().for_each(|frame| {
            w.prefixed(frame);
        });
        SecretVec::new(w.finish())
    }

    /// Comes back in doubt: what is stored may have been confirmed.
    fn decode(bytes: &[u8], name: &str, auth: Auth) -> Result<(Line, Self), ResumeError> {
        let mut r = Reader::new(bytes);
        if r.prefixed(name.len())? != name.as_bytes() {
            return Err(ResumeError::Protocol);
        }
        let protocol = r.u8()?;
        if r.u8()? != auth.kind() {
            return Err(AuthError::Kind.into());
        }
        let label = LabelTag::from_bytes(r.array()?);
        let mut line = Line::new(protocol, Roster::decode(&mut r)?, label, auth)?;
        let for_two = flag(&mut r)?;
        let (outcome, encoded) = (r.array()?, SecretVec::new(r.prefixed(bytes.len())?.to_vec()));
        for _ in 0..r.u16()? {
            let (party, tag) = (r.party()?, RunTag::from_bytes(r.array()?));
            ascending(&line.tags, party)?;
            line.tags.insert(party, tag);
        }
        let mut missing = BTreeMap::new();
        for _ in 0..r.u16()? {
            let (party, round, private, broadcast) = (r.party()?, r.u8()?, flag(&mut r)?, flag(&mut r)?);
            ascending(&missing, party)?;
            missing.insert(party, Missing { round, private, broadcast, body: r.prefixed(64)?.to_vec() });
        }
        for _ in 0..r.u16()? {
            line.shown.push(r.prefixed(bytes.len())?.to_vec());
        }
        for _ in 0..r.u16()? {
            let frame = r.prefixed(bytes.len())?;
            let header = Header::parse(frame).map_err(|_| DecodeError::Value)?;
            line.sent.push(Sent { round: header.round, to: header.to, bytes: SecretVec::new(frame.to_vec()) });
        }
        r.finish()?;
        Ok((line, Self { outcome, encoded, last: Vec::new(), missing, stored: true, for_two, seen: Vec::new() }))
    }
}

fn flag(r: &mut Reader<'_>) -> Result<bool, DecodeError> {
    match r.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(DecodeError::Value),
    }
}

/// Whether `next` comes after all that were read.
fn ascending<T>(read: &BTreeMap<PartyId, T>, next: PartyId) -> Result<(), DecodeError> {
    if read.last_key_value().is_none_or(|(last, _)| *last < next) { Ok(()) } else { Err(DecodeError::Value) }
}

fn count(w: &mut Writer, n: usize) {
    // at most 255 members with two frames each for a few rounds
    w.u16(u16::try_from(n).unwrap_or(u16::MAX));
}

/// A value that is made but that nobody has confirmed. Self-contained: sealed and stored, it resumes as a run in doubt.
///
/// # Security
/// Stored beside the old value, and kept with it beyond [`Step::Done`] until the peers have shown that they finished: of
/// the last to confirm, the sealed value is all that can repeat the confirmation that ends the others' doubt.
pub struct Pending<O> {
    content: SecretVec<u8>,
    receipt: [u8; 32],
    outcome: [u8; 32],
    run_ends: Vec<Token>,
    of: PhantomData<fn() -> O>,
}

impl<O> Pending<O> {
    pub(crate) fn new<P: Protocol<Output = O>>(line: &Line, ending: &Ending) -> Self {
        let me = line.me();
        let peer_tags = line.tags.iter().filter(|(party, _)| **party != me);
        Self {
            content: ending.encode(line, P::NAME),
            receipt: ending.receipt(line),
            outcome: ending.outcome,
            run_ends: peer_tags.map(|(_, tag)| Token::RunEnd { me, peer: *tag }).collect(),
            of: PhantomData,
        }
    }

    /// The outcome hash: what tells two pending values with one number apart.
    #[must_use]
    pub const fn outcome(&self) -> &[u8; 32] {
        &self.outcome
    }

    /// What an application that ever answers [`close`] claims in the ledger, in the transaction that stores the sealed
    /// value. If one was claimed before, the run was closed here: the value MUST NOT be stored.
    #[must_use]
    pub fn run_ends(&self) -> &[Token] {
        &self.run_ends
    }

    /// Seals it for the store.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, key: &StorageKey, rng: &mut impl TryCryptoRng) -> Result<SealedPending, SealError> {
        key.seal(KIND, &self.content, rng).map(|bytes| SealedPending { bytes, receipt: self.receipt })
    }
}

/// A sealed [`Pending`].
pub struct SealedPending {
    bytes: Vec<u8>,
    receipt: [u8; 32],
}

impl SealedPending {
    /// What to store, for [`Session::resume_ending`].
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The receipt for [`Session::stored`].
    ///
    /// # Security
    /// MUST be called only once the bytes are durable: it releases the frames by which the peer finishes.
    #[must_use]
    pub const fn stored(&self) -> Stored {
        Stored(self.receipt)
    }
}

/// Says that the pending value of one run is durable. Only [`SealedPending::stored`] makes it.
pub struct Stored(pub(crate) [u8; 32]);

impl<P: Protocol<Output: Storable>> Session<P> {
    /// Brings a stored pending value back, in doubt, as if [`Session::stored`] had been called. The step has the frames to
    /// send again (own confirmation included), and is `Done` if all confirmations were in when the value was sealed: also
    /// then the frames are to be sent, since a peer may lack them.
    ///
    /// # Errors
    /// [`ResumeError`].
    pub fn resume_ending(sealed: &[u8], key: &StorageKey, auth: Auth) -> Result<(Self, Step<P>), ResumeError> {
        on_cleared_stack(|| Self::open_ending(sealed, key, auth))
    }

    fn open_ending(sealed: &[u8], key: &StorageKey, auth: Auth) -> Result<(Self, Step<P>), ResumeError> {
        let content = key.open(KIND, sealed)?;
        let (line, ending) = Ending::decode(&content, P::NAME, auth)?;
        if line.protocol != P::ID {
            return Err(ResumeError::Protocol);
        }
        let mut r = Reader::new(&ending.encoded);
        let output = P::Output::decode(&mut r)?;
        r.finish()?;
        let frames = line.resend();
        let mut session = Self { line, phase: Phase::Ending(None, ending, output) };
        let step = session.finish_if_confirmed(frames);
        Ok((session, step))
    }
}

/// Why a run could not be answered with `closed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CloseError<E> {
    /// The frame is not one of a member to the local party.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The authentication does not fit the roster, or there is none.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The pending value of this run was stored here: finish it instead.
    #[error("the value of this run was stored here")]
    Stored,
    /// The ledger failed.
    #[error("the ledger failed")]
    Ledger(E),
}

/// The answer to a member whose run of `P` is durably over here without a stored value. `from` and `frame` are the frame that
/// it has sent again.
///
/// Before the member has called [`Session::stored`] the answer ends its run ([`crate::Fault::Closed`]). In doubt, the peer of a
/// run of two drops its pending value. Among more, and where confirmations are shown to somebody outside the run, nobody
/// drops anything on it: whoever says `closed` to one may have confirmed to another, which is done and erases its old
/// value. There the answer only says that a new run is due, [`Session::closed_by`].
///
/// The decision is recorded in the ledger before it is answered, under the token that whoever stores the pending value
/// claims ([`Pending::run_ends`]): a run is stored or closed, never both. Answering again is possible, and gives the same
/// statement.
///
/// # Errors
/// [`CloseError`]; [`CloseError::Stored`] if the run ended here with a stored value; [`Rejected::Slot`] for a `closed`
/// answer, a frame of no round, and a protocol that makes no key material.
///
/// # Security
/// A member can make up as many runs as it likes, and each one that is answered costs two entries in the ledger for ever: the
/// caller MUST limit how often it answers each member.
pub fn close<P: Protocol, L: Ledger>(
    from: PartyId,
    frame: &[u8],
    roster: &Roster,
    auth: Auth,
    ledger: &mut L,
) -> Result<Outgoing, CloseError<L::Error>> {
    on_cleared_stack(|| {
        let claimed = Header::parse(frame)?;
        let mut line = Line::new(P::ID, roster.to_owned(), claimed.label, auth)?;
        if !line.auth.names_culprits() {
            return Err(AuthError::Kind.into());
        }
        let header = line.check(from, frame)?;
        // a `closed` is of no round: two parties that both lost a run would answer each other for ever
        if !P::KEY_MAKING || !(1..=P::ROUNDS).contains(&header.round) {
            return Err(Rejected::Slot.into());
        }
        line.open(from, frame)?;
        if !ledger::decide_closed(ledger, line.me(), header.run).map_err(CloseError::Ledger)? {
            return Err(CloseError::Stored);
        }
        // the run stands in the header: answers for two runs are two slots, and convict nobody
        let mut closed = [line.unsigned(Header::CLOSED, To::One(from), header.run, &[])];
        line.sign(&mut closed);
        let [closed] = closed;
        Ok(closed.outgoing())
    })
}
