//! A party of a run: honest or corrupt, awake, suspended or lost. What a run does with it knows no protocol, so that it is
//! compiled once.

use super::{Case, Prepared, start};
use crate::{Lie, Lying, seeded};
use std::{any::Any, collections::BTreeSet};
use symbolon_core::{PartyId, SecretBytes};
use symbolon_session::{
    Auth, Error, Evidence, Fault, Header, MemoryLedger, Outgoing, Protocol, Rejected, ResumeError, SealedPending,
    Sends, Session, Setup, Step, Storable, StorageKey, Suspend, SuspendError,
};

/// The store's key of every party.
fn storage() -> StorageKey {
    StorageKey::new(SecretBytes::new([7; 32]))
}

type SuspendWith<P> = fn(Session<P>, &StorageKey, u64) -> Result<Vec<u8>, SuspendError>;
type ResumeWith<P> =
    fn(&[u8], &StorageKey, &<P as Protocol>::LongTerm, Auth, &mut MemoryLedger) -> Result<Session<P>, ResumeError>;
type EndWith<P> = fn(&[u8], &StorageKey, Auth) -> Result<(Session<P>, Step<P>), ResumeError>;

/// How sessions of `P` survive a crash.
pub struct Powers<P: Protocol> {
    suspend: Option<(SuspendWith<P>, ResumeWith<P>)>,
    ending: Option<EndWith<P>>,
}

impl<P: Protocol> Powers<P> {
    /// Not at all: the run is lost.
    pub fn none() -> Self {
        Self { suspend: None, ending: None }
    }

    /// In doubt, by the stored pending value.
    #[must_use]
    pub fn with_ending(self) -> Self
    where
        P::Output: Storable,
    {
        Self { ending: Some(|sealed, key, auth| Session::resume_ending(sealed, key, auth)), ..self }
    }

    /// At any point.
    #[must_use]
    pub fn with_suspend(self) -> Self
    where
        P: Suspend,
    {
        let suspend: SuspendWith<P> = |session, key, seed| session.suspend(key, &mut seeded(seed));
        let resume: ResumeWith<P> =
            |sealed, key, secrets, auth, ledger| Session::resume(sealed, key, secrets, auth, ledger);
        Self { suspend: Some((suspend, resume)), ..self }
    }
}

/// What a session answers.
pub(super) enum Taken {
    More(Vec<Outgoing>),
    Prepared(SealedPending),
    Done(Box<dyn Any>, Vec<Outgoing>),
}

/// Why it does not.
pub(super) enum Refusal {
    Rejected(Rejected),
    Over(Fault, Option<PartyId>, Option<Evidence>),
}

fn taken<P: Protocol<Output: 'static>>(step: Step<P>) -> Taken {
    match step {
        Step::Continue(frames) => Taken::More(frames),
        Step::Prepared(pending, _) => {
            Taken::Prepared(pending.seal(&storage(), &mut seeded(7)).expect("sealing a small value"))
        }
        Step::Done(output, _, frames) => Taken::Done(Box::new(output), frames),
    }
}

fn answered<P: Protocol<Output: 'static>>(answer: Result<Step<P>, Error<P::Held>>) -> Result<Taken, Refusal> {
    answer.map(taken).map_err(|error| match error {
        Error::Rejected(why) => Refusal::Rejected(why),
        Error::Aborted(aborted) => Refusal::Over(aborted.fault, aborted.culprit, aborted.evidence),
        Error::Burned(burned) => Refusal::Over(burned.fault, burned.culprit, None),
    })
}

/// A session of any protocol.
pub(super) trait Mind {
    fn handle(&mut self, from: PartyId, frame: &[u8]) -> Result<Taken, Refusal>;
    fn stored(&mut self, pending: &SealedPending) -> Taken;
    fn resend(&self) -> Vec<Outgoing>;
    fn waiting_for(&self) -> BTreeSet<PartyId>;
    /// Suspends the session. `false`: it can't be.
    fn sleep(&mut self) -> Result<bool, String> {
        Ok(false)
    }
    /// Brings a suspended session back, and tries to bring the same copy back once more. `false`: it does not sleep.
    fn wake(&mut self, _auth: &dyn Fn() -> Auth) -> Result<bool, String> {
        Ok(false)
    }
    /// Forgets everything but the stored pending value. `None`: nothing can be brought back from it.
    fn recall(&mut self, _sealed: &[u8], _auth: Auth) -> Result<Option<Taken>, String> {
        Ok(None)
    }
}

/// A suspended session, and what it was about to do.
struct Asleep {
    sealed: Vec<u8>,
    resend: Vec<Outgoing>,
    waiting: BTreeSet<PartyId>,
}

struct Honest<P: Protocol> {
    /// None while it sleeps.
    session: Option<Session<P>>,
    secrets: P::LongTerm,
    powers: Powers<P>,
    asleep: Option<Asleep>,
    /// How often it slept: every copy has a name of its own.
    slept: u64,
    ledger: MemoryLedger,
}

impl<P: Protocol<Output: 'static>> Mind for Honest<P> {
    fn handle(&mut self, from: PartyId, frame: &[u8]) -> Result<Taken, Refusal> {
        answered(self.session.as_mut().expect("it is awake").handle(from, frame))
    }

    fn stored(&mut self, pending: &SealedPending) -> Taken {
        taken(self.session.as_mut().expect("it is awake").stored(pending.stored()))
    }

    fn resend(&self) -> Vec<Outgoing> {
        self.session.as_ref().map(Session::resend).unwrap_or_default()
    }

    fn waiting_for(&self) -> BTreeSet<PartyId> {
        self.session.as_ref().map(Session::waiting_for).unwrap_or_default()
    }

    fn sleep(&mut self) -> Result<bool, String> {
        let Some((suspend, _)) = self.powers.suspend else { return Ok(false) };
        let (resend, waiting) = (self.resend(), self.waiting_for());
        let Some(session) = self.session.take() else { return Ok(false) };
        let sealed = suspend(session, &storage(), self.slept).map_err(|error| format!("suspend: {error}"))?;
        self.slept += 1;
        self.asleep = Some(Asleep { sealed, resend, waiting });
        Ok(true)
    }

    fn wake(&mut self, auth: &dyn Fn() -> Auth) -> Result<bool, String> {
        let (Some((_, resume)), Some(asleep)) = (self.powers.suspend, self.asleep.take()) else { return Ok(false) };
        let again = |ledger: &mut MemoryLedger| resume(&asleep.sealed, &storage(), &self.secrets, auth(), ledger);
        let session = again(&mut self.ledger).map_err(|error| format!("resume: {error}"))?;
        if session.resend() != asleep.resend || session.waiting_for() != asleep.waiting {
            return Err("a resumed session is another one".into());
        }
        match again(&mut self.ledger) {
            Err(ResumeError::Claimed) => (),
            Err(error) => return Err(format!("the second resume of a copy: {error}")),
            Ok(_) => return Err("a copy came alive twice".into()),
        }
        // a store that was rolled back: the twin says what the first one said, and nothing else
        let twin = again(&mut MemoryLedger::default()).map_err(|error| format!("resume of a twin: {error}"))?;
        if twin.resend() != asleep.resend {
            return Err("a twin says something else".into());
        }
        self.session = Some(session);
        Ok(true)
    }

    fn recall(&mut self, sealed: &[u8], auth: Auth) -> Result<Option<Taken>, String> {
        let Some(end) = self.powers.ending else { return Ok(None) };
        drop(self.session.take());
        match end(sealed, &storage(), auth) {
            Ok((session, step)) => {
                self.session = Some(session);
                Ok(Some(taken(step)))
            }
            Err(error) => Err(format!("a stored pending value does not come back: {error}")),
        }
    }
}

struct Liar<P: Protocol>(Session<Lying<P>>);

impl<P: Protocol<Output: 'static>> Mind for Liar<P> {
    fn handle(&mut self, from: PartyId, frame: &[u8]) -> Result<Taken, Refusal> {
        answered(self.0.handle(from, frame))
    }

    fn stored(&mut self, pending: &SealedPending) -> Taken {
        taken(self.0.stored(pending.stored()))
    }

    fn resend(&self) -> Vec<Outgoing> {
        self.0.resend()
    }

    fn waiting_for(&self) -> BTreeSet<PartyId> {
        self.0.waiting_for()
    }
}

/// A started session and its first frames.
pub(super) type Started = (Box<dyn Mind>, Vec<Outgoing>);

/// Starts an honest party.
pub(super) fn honest<C: Case>(case: &C, me: PartyId, number: u64, auth: Auth) -> Started {
    let Prepared { setup, secrets, input } = case.prepare(me, number);
    let (session, frames) = start::<C::P>(setup, &secrets, input, auth, seed(number, me));
    let ledger = MemoryLedger::default();
    (
        Box::new(Honest { session: Some(session), secrets, powers: case.powers(), asleep: None, slept: 0, ledger }),
        frames,
    )
}

/// Starts a face of a corrupt party. All faces have the same seed, and so the same nonce.
pub(super) fn liar<C: Case>(case: &C, me: PartyId, number: u64, auth: Auth, lie: Lie) -> Started {
    let Prepared { setup, secrets, input } = case.prepare(me, number);
    let (session, frames) = start::<Lying<C::P>>(setup, &secrets, (input, lie), auth, seed(number, me));
    (Box::new(Liar(session)), frames)
}

fn seed(number: u64, me: PartyId) -> u64 {
    number.wrapping_mul(1000).wrapping_add(me.get().into())
}

/// What a protocol says about a party before it starts.
#[derive(Clone, Default)]
pub(super) struct Shape {
    /// Rounds in which its frames begin with a nonce, with a sid.
    first: u8,
    sid: u8,
    last: u8,
    /// Whether the frames of its last round end with a confirmation.
    pub(super) confirms: bool,
    nonces: bool,
    /// The most bytes that it may take, and send.
    pub(super) bound: [usize; 2],
    /// The messages that it makes in each round in which it makes some.
    pub(super) messages: Vec<(u8, usize)>,
}

impl Shape {
    pub(super) fn of<P: Protocol>(setup: &P::Setup, party: PartyId) -> Self {
        let members: Vec<_> = setup.roster().members().iter().map(|member| member.0).collect();
        let sends = |round: &u8, party| P::sends(setup, *round, party) != Sends::Nothing;
        let first = |party| (1..=P::ROUNDS).find(|round| sends(round, party)).unwrap_or(0);
        let others = members.iter().filter(|other| **other != party).map(|other| first(*other)).max().unwrap_or(0);
        let knows = |round: &u8| sends(round, party) && (*round > others || !P::NONCES);
        let count = |party, round, to: usize| match P::sends(setup, round, party) {
            Sends::Nothing => 0,
            Sends::Private => to,
            Sends::Broadcast => 1,
            Sends::Both => to + 1,
        };
        // nonce, sid, confirmation; the signature with the way up to what is signed
        let frame = |round| Header::LEN + 3 * 32 + 1 + 64 + 2 * 32 + P::max_body(setup, round);
        let most = |party, to| (1..=P::ROUNDS).map(|round| count(party, round, to) * frame(round)).sum::<usize>();
        let peers = members.iter().filter(|other| **other != party);
        let rounds = (1..=P::ROUNDS).map(|round| (round, count(party, round, members.len() - 1)));
        Self {
            first: first(party),
            sid: (1..=P::ROUNDS).find(knows).unwrap_or(0),
            last: (1..=P::ROUNDS).rev().find(|round| sends(round, party)).unwrap_or(0),
            confirms: P::KEY_MAKING && P::confirms(setup, party),
            nonces: P::NONCES,
            bound: [peers.map(|peer| most(*peer, 1)).sum(), most(party, members.len() - 1)],
            messages: rounds.filter(|(_, count)| *count > 0).collect(),
        }
    }

    /// The body of a frame of this party, without what the driver added.
    pub(super) fn body<'f>(&self, header: &Header, frame: &'f [u8], signed: bool) -> Option<&'f [u8]> {
        let round = header.round;
        let (nonce, sid) = (self.nonces && round == self.first, round == self.first || round == self.sid);
        let frame = unsigned(frame, signed)?;
        let after = 32 * usize::from(self.confirms && round == self.last);
        let before = Header::LEN + 32 * (usize::from(nonce) + usize::from(sid));
        frame.get(before..frame.len().checked_sub(after)?)
    }
}

/// A frame without its signature and the way up to what is signed.
pub(super) fn unsigned(frame: &[u8], signed: bool) -> Option<&[u8]> {
    if !signed {
        return Some(frame);
    }
    let position = frame.len().checked_sub(65)?;
    let depth = usize::try_from(frame[position].checked_ilog2()?).ok()?;
    frame.get(..position.checked_sub(32 * depth)?)
}

/// How a party ended.
pub(super) enum End {
    Done(Box<dyn Any>),
    Failed,
    /// Lost with its run.
    Lost,
}

/// A party.
#[derive(Default)]
pub(super) struct Seat {
    /// One session; of a liar with two faces, two; of a lost party none.
    pub(super) minds: Vec<Box<dyn Mind>>,
    pub(super) asleep: bool,
    /// What is stored beside the old value.
    pub(super) pending: Option<SealedPending>,
    /// The store is not done yet.
    pub(super) storing: bool,
    /// The confirmation has left.
    pub(super) stored: bool,
    /// Came back from its pending value, and has forgotten the frames before.
    pub(super) recalled: bool,
    pub(super) end: Option<End>,
    pub(super) accepted: BTreeSet<Vec<u8>>,
    pub(super) accepted_bytes: usize,
    pub(super) shape: Shape,
}
