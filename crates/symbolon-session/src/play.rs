//! A run in its rounds: who sends when, where nonce, sid and confirmation stand, and what the protocol is given.

use crate::ending::Missing;
use crate::line::{Line, Sent, Slot, slot_of};
use crate::{Agreed, Fault, Header, Inbox, Label, Protocol, Rejected, Run, Sends, Setup, StartError, To};
use alloc::{collections::BTreeMap, vec::Vec};
use subtle::ConstantTimeEq;
use symbolon_core::{
    PartyId, RunTag, SecretBytes, SecretVec, SeedRng, Sid, Transcript, hash_on_cleared_stack,
    wire::{Reader, Writer},
};

/// The rounds of one party in which the driver adds something; 0 is never.
#[derive(Clone, Copy, Default)]
struct Plan {
    /// Its first: the frames begin with the nonce, and the sid as far as the sender knows it.
    first: u8,
    /// The first in which it knows all nonces: the frames begin with the sid, after the nonce.
    sid: u8,
    /// Its last: in a key-making run the frames end with the confirmation.
    last: u8,
}

/// A body without what the driver added.
#[derive(Default)]
struct Parts<'f> {
    nonce: Option<[u8; 32]>,
    sid: Option<[u8; 32]>,
    body: &'f [u8],
    confirmation: Option<[u8; 32]>,
}

/// A frame that may be used, before it is.
pub(crate) enum Placed {
    /// Identical to an accepted one.
    Again,
    /// Another one than what was accepted for this slot.
    Conflict,
    /// To be accepted.
    New { digest: [u8; 32], nonce: Option<[u8; 32]> },
}

pub(crate) struct Play<P: Protocol> {
    pub(crate) setup: P::Setup,
    pub(crate) label: Label,
    pub(crate) seed: SecretBytes<32>,
    /// The digest of the long-term secrets.
    pub(crate) secret: SecretBytes<32>,
    /// `T("sid", ..)` up to the nonces.
    sid_base: Transcript,
    /// The encoded setup with label and local party.
    bound: [u8; 32],
    plan: BTreeMap<PartyId, Plan>,
    nonces: BTreeMap<PartyId, [u8; 32]>,
    pub(crate) sid: Option<Sid>,
    pub(crate) run: Run,
    /// The round whose frames are waited for.
    pub(crate) awaited: u8,
    /// Accepted frames of this round and the next.
    pub(crate) frames: BTreeMap<Slot, SecretVec<u8>>,
    /// Confirmations that arrived with frames of a last round.
    confirmations: Vec<[u8; 32]>,
    /// Everything accepted, in order, for `suspend`; an empty entry is `stored`. In a run that can't be suspended, the signed
    /// broadcasts of the rounds that were delivered.
    pub(crate) log: Vec<SecretVec<u8>>,
}

impl<P: Protocol> Play<P> {
    pub(crate) fn new(
        setup: P::Setup,
        label: Label,
        seed: SecretBytes<32>,
        secret: SecretBytes<32>,
        line: &mut Line,
    ) -> Result<Self, StartError> {
        let terms = setup.terms();
        let (mut encoded, mut members) = (Writer::new(), Writer::new());
        terms.encode(&mut encoded);
        line.roster.encode_members(&mut members);
        let sid_base = Transcript::new("session", "sid")
            .part(P::NAME)
            .number(Header::VERSION)
            .part(encoded.finish())
            .part(members.finish())
            .part(label.as_bytes());
        let bound = sid_base.clone().part(b"setup").number(line.me().get()).finish();
        let mut play = Self {
            plan: plan::<P>(&setup, line),
            setup,
            label,
            seed,
            secret,
            sid_base,
            bound,
            nonces: BTreeMap::new(),
            sid: None,
            run: Run::new(line.me(), BTreeMap::new(), None),
            awaited: 0,
            frames: BTreeMap::new(),
            confirmations: Vec::new(),
            log: Vec::new(),
        };
        if P::NONCES {
            let nonce = hash_on_cleared_stack(|| play.prf("nonce").finish());
            play.nonces.insert(line.me(), nonce);
        } else {
            let item = terms.item.ok_or(StartError::NoItem)?;
            let tag = RunTag::from_bytes(*item.as_bytes());
            line.tags.extend(line.roster.members().iter().map(|member| (member.0, tag)));
        }
        play.agree(line);
        play.awaited = play.next_awaited(line, 0).unwrap_or(0);
        Ok(play)
    }

    fn plan_of(&self, party: PartyId) -> Plan {
        self.plan.get(&party).copied().unwrap_or_default()
    }

    /// `T(label, seed, setup, long-term secrets, ..)`.
    fn prf(&self, label: &str) -> Transcript {
        Transcript::new("session", label).part(self.seed.expose()).part(self.bound).part(self.secret.expose())
    }

    /// The generator of a round (safety.md S9). Frames buffered for later rounds are not part of it. The `stored` entry
    /// needs no part in it either: nothing is drawn after it.
    pub(crate) fn rng(&self, line: &Line, round: u8) -> SeedRng {
        let accepted = line.accepted.iter().filter(|(slot, _)| slot.0 <= round);
        let key = hash_on_cleared_stack(|| {
            let t = accepted.fold(self.prf("round rng").number(round), |t, (slot, digest)| {
                t.number(slot.0).number(slot.1.get()).number(u8::from(slot.2)).part(digest)
            });
            SecretBytes::<32>::new(t.finish())
        });
        SeedRng::new(key.expose())
    }

    /// The run tag of a party that says `nonce`: it binds every nonce that the party knows when it first sends. Of the one
    /// whose first frame comes after everybody else's these are all, so that its late answer to an earlier run with the
    /// same label is told from the answer to this one (attacks.md row 105); of the others it is their own. `None` while
    /// one of them is missing here.
    fn run_tag(&self, line: &Line, party: PartyId, nonce: &[u8; 32]) -> Option<RunTag> {
        let t = Transcript::new("session", "run").number(Header::VERSION).part(P::NAME).part(self.label.as_bytes());
        let t = t.number(party.get());
        let plan = self.plan_of(party);
        let t = if plan.first == plan.sid {
            let mut senders = line.roster.members().iter().map(|m| m.0).filter(|m| self.plan_of(*m).first != 0);
            senders.try_fold(t, |t, member| {
                let nonce = if member == party { Some(nonce) } else { self.nonces.get(&member) };
                nonce.map(|nonce| t.part(nonce))
            })?
        } else {
            t.part(nonce)
        };
        Some(RunTag::truncate(&t.finish()))
    }

    /// The session id of the given nonces; a member without one is encoded as absent.
    fn sid_of(&self, line: &Line, nonce: impl Fn(PartyId) -> Option<[u8; 32]>) -> Sid {
        let mut w = Writer::new();
        for (party, _) in line.roster.members() {
            w.option(nonce(*party).as_ref().map(<[u8; 32]>::as_slice));
        }
        Sid::from_bytes(self.sid_base.clone().part(w.finish()).finish())
    }

    /// Computes what is known of the session ids and of the own run tag.
    fn agree(&mut self, line: &mut Line) {
        if P::NONCES
            && let Some(nonce) = self.nonces.get(&line.me())
            && let Some(tag) = self.run_tag(line, line.me(), nonce)
        {
            line.tags.insert(line.me(), tag);
        }
        let members = || line.roster.members().iter().map(|member| member.0);
        let known = |party: &PartyId| !P::NONCES || self.nonces.contains_key(party);
        let complete = members().all(|party| known(&party) || self.plan_of(party).first == 0);
        self.sid = complete.then(|| self.sid_of(line, |party| self.nonces.get(&party).copied()));
        let mut sid0 = self.run.known_sid0().clone();
        for party in members().filter(known) {
            // it does not change once the nonce is there; without nonces it is the sid
            let of = |other| self.nonces.get(&other).copied().filter(|_| other == party);
            sid0.entry(party).or_insert_with(|| self.sid_of(line, of));
        }
        self.run = Run::new(line.me(), sid0, self.sid);
    }

    /// What the driver adds before and after a body.
    fn extras(&self, party: PartyId, round: u8) -> (bool, bool, bool) {
        let plan = self.plan_of(party);
        let (first, sid) = (round == plan.first, round == plan.sid);
        (P::NONCES && first, first || sid, P::KEY_MAKING && round == plan.last && P::confirms(&self.setup, party))
    }

    /// The sid that a frame of this round carries: of a first frame that can't know all nonces, the own `sid0`, so that
    /// what is proven under it is never read by somebody who means another run (attacks.md row 94).
    fn sid_in(&self, party: PartyId, round: u8) -> Option<Sid> {
        if round == self.plan_of(party).sid { self.sid } else { Some(self.run.sid0_of(party)) }
    }

    fn parts<'f>(&self, slot: Slot, body: &'f [u8]) -> Option<Parts<'f>> {
        let (nonce, sid, confirmation) = self.extras(slot.1, slot.0);
        let mut parts = Parts::default();
        let mut r = Reader::new(body);
        if nonce {
            parts.nonce = Some(r.array().ok()?);
        }
        if sid {
            parts.sid = Some(r.array().ok()?);
        }
        parts.body = r.rest();
        if confirmation {
            let (body, last) = parts.body.split_last_chunk()?;
            (parts.body, parts.confirmation) = (body, Some(*last));
        }
        Some(parts)
    }

    fn parts_of_frame<'f>(&self, line: &Line, slot: Slot, frame: &'f [u8]) -> Parts<'f> {
        // the lengths were checked in `place`
        let end = frame.len().saturating_sub(line.auth.trailer(frame).unwrap_or_default());
        frame.get(Header::LEN..end).and_then(|body| self.parts(slot, body)).unwrap_or_default()
    }

    /// The smallest later round in which somebody else sends.
    pub(crate) fn next_awaited(&self, line: &Line, after: u8) -> Option<u8> {
        let sends = |round| line.roster.peers().any(|peer| P::sends(&self.setup, round, peer) != Sends::Nothing);
        (after.saturating_add(1)..=P::ROUNDS).find(|round| sends(*round))
    }

    /// The slots of the awaited round that are still empty.
    pub(crate) fn missing(&self, line: &Line) -> impl Iterator<Item = Slot> {
        let slots = line.roster.peers().flat_map(|peer| {
            let sends = P::sends(&self.setup, self.awaited, peer);
            [false, true].map(|broadcast| (has(sends, broadcast), (self.awaited, peer, broadcast)))
        });
        slots.filter(|(sent, slot)| *sent && !self.frames.contains_key(slot)).map(|(_, slot)| slot)
    }

    /// Whether a frame may be used. Changes nothing.
    pub(crate) fn place(&self, line: &mut Line, header: &Header, frame: &[u8]) -> Result<Placed, Rejected> {
        let slot = slot_of(header);
        if header.round == 0
            || header.round > P::ROUNDS
            || !has(P::sends(&self.setup, header.round, header.sender), slot.2)
        {
            return Err(Rejected::Slot);
        }
        // a frame of 100 MB ends here, neither hashed nor copied
        let (nonce, sid, confirmation) = self.extras(header.sender, header.round);
        let added = 32 * (usize::from(nonce) + usize::from(sid) + usize::from(confirmation));
        let least = Header::LEN + added + line.auth.trailer(frame)?;
        if !(least..=least.saturating_add(P::max_body(&self.setup, header.round))).contains(&frame.len()) {
            return Err(Rejected::Size);
        }
        let nonce = self.parts_of_frame(line, slot, frame).nonce;
        match (line.tags.get(&header.sender), nonce, self.nonces.get(&header.sender)) {
            // known tags were compared with the header's in `Line::check`
            (Some(_), Some(nonce), Some(known)) if nonce != *known => return Err(Rejected::Run),
            (Some(_), ..) => (),
            (None, Some(nonce), _) => match self.run_tag(line, header.sender, &nonce) {
                Some(tag) if tag == header.run => (),
                Some(_) => return Err(Rejected::Run),
                // whoever sends after everybody is heard after everybody: its tag can't be checked before
                None => return Err(Rejected::Early),
            },
            (None, None, _) => return Err(Rejected::Run),
        }
        let (_, digest) = line.open(header.sender, frame)?;
        match line.accepted.get(&slot) {
            Some(known) if *known == digest => Ok(Placed::Again),
            Some(_) if self.frames.contains_key(&slot) => Ok(Placed::Conflict),
            None if header.round == self.awaited || Some(header.round) == self.next_awaited(line, self.awaited) => {
                Ok(Placed::New { digest, nonce })
            }
            _ if header.round <= self.awaited => Err(Rejected::Past),
            _ => Err(Rejected::Early),
        }
    }

    pub(crate) fn accept(&mut self, line: &mut Line, header: &Header, frame: &[u8], new: ([u8; 32], Option<[u8; 32]>)) {
        let (digest, nonce) = new;
        if let Some(nonce) = nonce {
            line.tags.insert(header.sender, header.run);
            self.nonces.insert(header.sender, nonce);
            self.agree(line);
        }
        line.accept(slot_of(header), digest, frame.len());
        self.frames.insert(slot_of(header), SecretVec::new(frame.to_vec()));
        self.record(frame);
    }

    /// Adds to the log of a run that can be suspended; the empty entry is `stored`.
    pub(crate) fn record(&mut self, frame: &[u8]) {
        if P::LOG_FRAMES {
            self.log.push(SecretVec::new(frame.to_vec()));
        }
    }

    /// The signed broadcasts of the run so far, as they were received.
    pub(crate) fn broadcasts(&self, line: &Line) -> Vec<Vec<u8>> {
        let proves = |frame: &&SecretVec<u8>| Header::parse(frame).is_ok_and(|header| line.proves(slot_of(&header)));
        self.log.iter().filter(proves).map(|frame| frame.to_vec()).collect()
    }

    /// Whether frames of this slot are kept for [`Play::broadcasts`] where there is no log. Of two members the other one
    /// has sent all that was received. One for each sender and round, of a length that the protocol takes: otherwise the
    /// run ends with this round.
    fn keeps(line: &Line, slot: Slot) -> bool {
        !P::LOG_FRAMES && line.proves(slot) && line.roster.members().len() > 2
    }

    /// Compares the sid of every frame of the awaited round, before anything else of their bodies is used.
    pub(crate) fn same_sid(&self, line: &Line) -> Result<(), Fault> {
        let current = self.frames.iter().filter(|(slot, _)| slot.0 == self.awaited);
        let mut sids = current.filter_map(|(slot, frame)| Some((slot, self.parts_of_frame(line, *slot, frame).sid?)));
        let agreed = sids.all(|(slot, sid)| self.sid_in(slot.1, slot.0) == Some(Sid::from_bytes(sid)));
        if agreed { Ok(()) } else { Err(Fault::Mismatch(Agreed::Sid)) }
    }

    /// Moves the frames of the awaited round into an inbox.
    pub(crate) fn inbox(&mut self, line: &mut Line) -> Inbox {
        let later = self.frames.split_off(&(self.awaited.saturating_add(1), PartyId::SERVER, false));
        let mut inbox = Inbox::default();
        for (slot, frame) in core::mem::replace(&mut self.frames, later) {
            let parts = self.parts_of_frame(line, slot, &frame);
            inbox.insert(slot.1, slot.2, SecretVec::new(parts.body.to_vec()));
            if let Some(confirmation) = parts.confirmation {
                self.confirmations.push(confirmation);
                line.show(slot, &frame);
            }
            if Self::keeps(line, slot) {
                self.log.push(frame);
            }
        }
        inbox
    }

    /// Frames the drafts of a round.
    pub(crate) fn frames_of(
        &self,
        line: &Line,
        round: u8,
        drafts: Vec<(To, Vec<u8>)>,
        outcome: Option<&[u8; 32]>,
    ) -> Vec<Sent> {
        debug_assert!(fits::<P>(&self.setup, line, round, &drafts), "the drafts do not fit what `sends` says");
        let me = line.me();
        let (nonce, sid, _) = self.extras(me, round);
        let nonce = self.nonces.get(&me).filter(|_| nonce).map_or(&[][..], <[u8; 32]>::as_slice);
        let known = self.sid_in(me, round);
        let sid = known.as_ref().filter(|_| sid).map_or(&[][..], AsRef::as_ref);
        let run = line.tags.get(&me).copied().unwrap_or(RunTag::from_bytes([0; 16]));
        let outcome = outcome.map_or(&[][..], <[u8; 32]>::as_slice);
        let frame = |(to, body): (To, Vec<u8>)| {
            let body = SecretVec::new(body);
            debug_assert!(body.len() <= P::max_body(&self.setup, round), "a draft is longer than `max_body` says");
            line.unsigned(round, to, run, &[nonce, sid, &body, outcome])
        };
        let mut frames: Vec<_> = drafts.into_iter().map(frame).collect();
        line.sign(&mut frames);
        frames
    }

    /// The peers whose confirmation is not in yet. An error if a confirmation that is in tells another outcome.
    pub(crate) fn unconfirmed(
        &mut self,
        line: &mut Line,
        outcome: &[u8; 32],
    ) -> Result<BTreeMap<PartyId, Missing>, Fault> {
        let expected = |peer: PartyId| {
            let round = self.plan_of(peer).last;
            let sid = self.sid.as_ref().filter(|_| self.plan_of(peer).sid == round).map_or(&[][..], AsRef::as_ref);
            let sends = P::sends(&self.setup, round, peer);
            let (private, broadcast) = (has(sends, false), has(sends, true));
            (peer, Missing { round, private, broadcast, body: [sid, outcome].concat() })
        };
        let later = line
            .roster
            .peers()
            .filter(|peer| self.plan_of(*peer).last > self.awaited && P::confirms(&self.setup, *peer));
        let mut missing: BTreeMap<_, _> = later.map(expected).collect();
        let mut same = self.confirmations.iter().all(|theirs| theirs.ct_eq(outcome).into());
        for (slot, frame) in &self.frames {
            let end = frame.len().saturating_sub(line.auth.trailer(frame).unwrap_or_default());
            let body = frame.get(Header::LEN..end).unwrap_or_default();
            if let Some(expected) = missing.get(&slot.1).filter(|expected| expected.round == slot.0) {
                same &= bool::from(body.ct_eq(&expected.body));
            }
        }
        for (slot, frame) in core::mem::take(&mut self.frames) {
            missing.remove(&slot.1);
            line.show(slot, &frame);
            if Self::keeps(line, slot) {
                self.log.push(frame);
            }
        }
        if same { Ok(missing) } else { Err(Fault::Mismatch(Agreed::Outcome)) }
    }
}

const fn has(sends: Sends, broadcast: bool) -> bool {
    match sends {
        Sends::Nothing => false,
        Sends::Private => !broadcast,
        Sends::Broadcast => broadcast,
        Sends::Both => true,
    }
}

fn plan<P: Protocol>(setup: &P::Setup, line: &Line) -> BTreeMap<PartyId, Plan> {
    let sends = |round: u8, party: PartyId| P::sends(setup, round, party) != Sends::Nothing;
    let first = |party: PartyId| (1..=P::ROUNDS).find(|round| sends(*round, party)).unwrap_or(0);
    let firsts: BTreeMap<_, _> = line.roster.members().iter().map(|member| (member.0, first(member.0))).collect();
    let of = |(party, first): (&PartyId, &u8)| {
        let others = firsts.iter().filter(|(other, _)| *other != party).map(|(_, first)| *first).max().unwrap_or(0);
        let knows_all = |round: &u8| *round > others && sends(*round, *party);
        let sid = if P::NONCES { (1..=P::ROUNDS).find(knows_all).unwrap_or(0) } else { *first };
        let last = (1..=P::ROUNDS).rev().find(|round| sends(*round, *party)).unwrap_or(0);
        (*party, Plan { first: *first, sid, last })
    };
    firsts.iter().map(of).collect()
}

/// Whether the drafts are what `sends` announces.
fn fits<P: Protocol>(setup: &P::Setup, line: &Line, round: u8, drafts: &[(To, Vec<u8>)]) -> bool {
    let sends = if round > P::ROUNDS { Sends::Nothing } else { P::sends(setup, round, line.me()) };
    let private = drafts.iter().filter(|draft| matches!(draft.0, To::One(_)));
    let mut receivers: Vec<_> = private.map(|draft| draft.0).collect();
    receivers.sort_unstable();
    let peers: Vec<_> = line.roster.peers().map(To::One).collect();
    receivers == if has(sends, false) { peers } else { Vec::new() }
        && drafts.len() - receivers.len() == usize::from(has(sends, true))
}
