//! A simulated network between two sessions of one run, owned by an adversary. One `u64` decides what is delivered,
//! when, how often, and what is done to it; the same seed gives the same run again.
//!
//! Every delivery is checked against what the driver owes (style.md section 3): a frame that the adversary touched is
//! refused without a trace, an identical one is ignored, and nobody honest is ever named.

use crate::{duo::stored, seeded};
use rand_chacha::ChaCha12Rng;
use rand_core::Rng;
use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hasher},
};
use symbolon_core::{PartyId, Role};
use symbolon_session::{
    Agreed, Auth, Error, Fault, Header, Label, Outgoing, Protocol, Rejected, Sends, Session, Setup, Step, Stored,
};

/// What the network did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words say it")]
#[allow(clippy::exhaustive_enums, reason = "tests name all of it")]
pub enum Action {
    Deliver,
    /// Another frame than the oldest was delivered.
    Reorder,
    Drop,
    Duplicate,
    Delay,
    Flip,
    Truncate,
    Extend,
    /// A frame that this run had already delivered.
    Replay,
    /// A frame of an older or of a parallel run.
    Foreign,
    Reflect,
    /// A true frame, said to come from somebody else.
    Misattribute,
    /// Nothing moved: both sides sent again what the peer may have missed.
    Resend,
    /// The store took its time.
    StoreLate,
    /// The one altered frame of a liar.
    Lie,
}

/// How often each action happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Action, usize>);

impl Counts {
    /// How often.
    #[must_use]
    pub fn of(&self, action: Action) -> usize {
        self.0.get(&action).copied().unwrap_or(0)
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(action, n)| *self.0.entry(*action).or_default() += n);
    }

    fn count(&mut self, action: Action) {
        *self.0.entry(action).or_default() += 1;
    }
}

/// Who may do what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "tests name all of it")]
pub enum Wire {
    /// The channel authenticates content and sender: frames are lost, repeated, reordered, delayed, replayed, rerouted.
    Authentic,
    /// Frames carry signatures: all that, and they are flipped, cut and lengthened on the way.
    Hostile,
    /// The channel authenticates, and this side alters one of its frames: it is the liar, and its own verdict counts
    /// for nothing.
    Liar(Role),
}

/// A started session, its first frames, and the bound on what it may hold.
#[allow(clippy::exhaustive_structs, reason = "what a network needs of a session")]
pub struct Launched<P: Protocol> {
    /// The session.
    pub session: Session<P>,
    /// Its first frames.
    pub frames: Vec<Outgoing>,
    /// The most bytes that all accepted frames, and all own frames, of the whole run may have.
    pub bound: [usize; 2],
}

/// Starts a session.
///
/// # Panics
/// If it does not start.
pub fn launch<P: Protocol>(
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    label: Label,
    auth: Auth,
    rng: &mut ChaCha12Rng,
) -> Launched<P> {
    let roster = setup.roster();
    let most = |party: PartyId| {
        let rounds = (1..=P::ROUNDS).filter(|round| P::sends(&setup, *round, party) != Sends::Nothing);
        // nonce, sid, confirmation; the signature
        rounds.map(|round| Header::LEN + 3 * 32 + 64 + P::max_body(&setup, round)).sum()
    };
    let bound = [most(roster.peers().next().expect("two parties")), most(roster.me())];
    let (session, frames) = Session::start(setup, secrets, input, label, auth, rng).expect("the run starts");
    Launched { session, frames, bound }
}

/// How one side ended.
#[allow(clippy::exhaustive_enums, reason = "tests match all of it")]
pub enum End<P: Protocol> {
    /// With a result, and what was held.
    Done(P::Output, Option<P::Held>),
    /// Without: the fault, whom it names, and how many setups it burned.
    Failed(Fault, Option<PartyId>, usize),
    /// It waits for a frame that nobody will send.
    Waits,
}

/// What is left of a run.
#[allow(clippy::exhaustive_structs, reason = "tests take it apart")]
pub struct Outcome<P: Protocol> {
    /// Server, client.
    pub ends: [End<P>; 2],
    /// What the network did.
    pub counts: Counts,
    /// A hash of everything that was delivered and answered, in order.
    pub trace: u64,
    /// All true frames with their sender, for the adversary of later runs.
    pub frames: Vec<(Role, Vec<u8>)>,
    /// Whether a first frame of another run came before the true one: then the run may end as a mismatch.
    pub poisoned: bool,
}

struct Side<P: Protocol> {
    session: Session<P>,
    bound: [usize; 2],
    receipt: Option<Stored>,
    held: Option<P::Held>,
    end: Option<End<P>>,
    /// What was accepted, and its size.
    accepted: BTreeSet<Vec<u8>>,
    accepted_bytes: usize,
}

/// The network. Make it with [`Net::new`], then [`Net::run`].
pub struct Net<P: Protocol> {
    rng: ChaCha12Rng,
    wire: Wire,
    sides: [Side<P>; 2],
    /// Receiver and frame, oldest first.
    flight: Vec<(Role, Vec<u8>)>,
    delivered: Vec<(Role, Vec<u8>)>,
    foreign: Vec<(Role, Vec<u8>)>,
    sent: Vec<(Role, Vec<u8>)>,
    counts: Counts,
    trace: DefaultHasher,
    poisoned: bool,
    lied: bool,
}

enum Verdict {
    Used,
    Again,
    Rejected,
    Failed,
}

const fn slot(role: Role) -> usize {
    match role {
        Role::Server => 0,
        Role::Client => 1,
    }
}

const ROLES: [Role; 2] = [Role::Server, Role::Client];
/// A run of nine messages takes a few dozen.
const MOST_STEPS: usize = 5_000;

impl<P: Protocol> Net<P> {
    /// A network between server and client. `foreign` are frames of older and parallel runs with their senders.
    pub fn new(seed: u64, wire: Wire, foreign: Vec<(Role, Vec<u8>)>, server: Launched<P>, client: Launched<P>) -> Self {
        let firsts = [server.frames, client.frames];
        let side = |session, bound| Side {
            session,
            bound,
            receipt: None,
            held: None,
            end: None,
            accepted: BTreeSet::new(),
            accepted_bytes: 0,
        };
        let mut net = Self {
            rng: seeded(seed),
            wire,
            sides: [side(server.session, server.bound), side(client.session, client.bound)],
            flight: Vec::new(),
            delivered: Vec::new(),
            foreign,
            sent: Vec::new(),
            counts: Counts::default(),
            trace: DefaultHasher::new(),
            poisoned: false,
            lied: false,
        };
        for (role, frames) in ROLES.into_iter().zip(firsts) {
            net.post(role, frames);
        }
        net
    }

    /// Runs until both sides have ended, or nothing that is sent again changes anything.
    ///
    /// # Panics
    /// If a side does what it must not.
    #[must_use]
    pub fn run(mut self) -> Outcome<P> {
        let mut idle = 0;
        for _ in 0..MOST_STEPS {
            if self.sides.iter().all(|side| side.end.is_some()) || idle > 4 {
                return self.finish();
            }
            if self.flight.is_empty() {
                if !self.store_one() {
                    idle += 1;
                    self.resend();
                }
            } else if self.step() {
                idle = 0;
            }
        }
        panic!("the run does not end");
    }

    fn finish(self) -> Outcome<P> {
        let ends = self.sides.map(|side| side.end.unwrap_or(End::Waits));
        let trace = self.trace.finish();
        let (counts, frames, poisoned) = (self.counts, self.sent, self.poisoned);
        Outcome { ends, counts, trace, frames, poisoned }
    }

    fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).expect("small");
        usize::try_from(self.rng.next_u64() % n).expect("small")
    }

    fn post(&mut self, from: Role, frames: Vec<Outgoing>) {
        for frame in frames {
            self.flight.push((from.peer(), frame.bytes.clone()));
            if !self.sent.iter().any(|(_, known)| *known == frame.bytes) {
                self.sent.push((from, frame.bytes));
            }
        }
    }

    fn note(&mut self, action: Action, to: Role, frame: &[u8]) {
        self.counts.count(action);
        self.trace.write_u8(action as u8);
        self.trace.write_usize(slot(to));
        self.trace.write(frame);
    }

    /// Nothing is on the way: both sides send again what may be missing. Frames that are sent again after a result are
    /// how a peer that lost the last one finishes.
    fn resend(&mut self) {
        self.counts.count(Action::Resend);
        for role in ROLES {
            let frames = self.sides[slot(role)].session.resend();
            let bytes: usize = frames.iter().map(|frame| frame.bytes.len()).sum();
            assert!(bytes <= self.sides[slot(role)].bound[1], "it keeps more of its own frames than the run has");
            self.post(role, frames);
        }
    }

    /// A store that took its time is done.
    fn store_one(&mut self) -> bool {
        for role in ROLES {
            if let Some(receipt) = self.sides[slot(role)].receipt.take() {
                self.counts.count(Action::StoreLate);
                let step = self.sides[slot(role)].session.stored(receipt);
                self.take(role, step);
                return true;
            }
        }
        false
    }

    fn take(&mut self, role: Role, mut step: Step<P>) {
        loop {
            let side = &mut self.sides[slot(role)];
            match step {
                Step::Continue(frames) => return self.post(role, frames),
                Step::Prepared(pending, held) => {
                    side.held = Some(held);
                    side.receipt = Some(stored(&pending));
                    if self.below(3) == 0 {
                        return;
                    }
                    let side = &mut self.sides[slot(role)];
                    let Some(receipt) = side.receipt.take() else { return };
                    step = side.session.stored(receipt);
                }
                Step::Done(output, held, frames) => {
                    let held = held.or(side.held.take());
                    side.end = Some(End::Done(output, held));
                    return self.post(role, frames);
                }
            }
        }
    }

    /// One move of the adversary; `true` if a side took something.
    fn step(&mut self) -> bool {
        let at = if self.below(3) == 0 { self.below(self.flight.len()) } else { 0 };
        if at > 0 {
            self.counts.count(Action::Reorder);
        }
        let (to, frame) = self.flight[at].clone();
        let from = to.peer().id();
        let lies = self.wire == Wire::Liar(to.peer()) && !self.lied;
        match self.below(100) {
            0..=7 => {
                self.flight.remove(at);
                self.note(Action::Drop, to, &frame);
                false
            }
            8..=15 => {
                self.note(Action::Duplicate, to, &frame);
                self.deliver(to, &frame)
            }
            16..=23 => {
                let late = self.flight.remove(at);
                self.flight.push(late);
                self.note(Action::Delay, to, &frame);
                false
            }
            24..=39 if self.wire == Wire::Hostile || lies => {
                let (action, altered) = self.altered(&frame);
                if lies {
                    self.lied = true;
                    self.note(Action::Lie, to, &altered);
                    // in place of the true one, or before it
                    if self.below(2) == 0 {
                        self.flight.remove(at);
                    }
                    self.deliver(to, &altered)
                } else {
                    self.note(action, to, &altered);
                    self.must_refuse(to, from, &altered);
                    false
                }
            }
            40..=44 if !self.delivered.is_empty() => {
                let i = self.below(self.delivered.len());
                let (to, frame) = self.delivered[i].clone();
                self.note(Action::Replay, to, &frame);
                self.deliver(to, &frame);
                false
            }
            45..=50 if !self.foreign.is_empty() => {
                let i = self.below(self.foreign.len());
                let (from, frame) = self.foreign[i].clone();
                self.note(Action::Foreign, from.peer(), &frame);
                self.foreign_frame(from.peer(), &frame);
                false
            }
            51..=53 => {
                self.note(Action::Reflect, to.peer(), &frame);
                self.must_refuse(to.peer(), to.id(), &frame);
                self.must_refuse(to.peer(), from, &frame);
                false
            }
            54..=56 => {
                self.note(Action::Misattribute, to, &frame);
                self.must_refuse(to, to.id(), &frame);
                self.must_refuse(to, PartyId::new(3).expect("not zero"), &frame);
                false
            }
            57..=58 if self.store_one() => true,
            _ => {
                self.flight.remove(at);
                self.note(Action::Deliver, to, &frame);
                self.delivered.push((to, frame.clone()));
                self.deliver(to, &frame)
            }
        }
    }

    fn altered(&mut self, frame: &[u8]) -> (Action, Vec<u8>) {
        let mut altered = frame.to_vec();
        match self.below(4) {
            0 => {
                let len = self.below(frame.len());
                altered.truncate(len);
                (Action::Truncate, altered)
            }
            1 => {
                let extra = 1 + self.below(64);
                altered.resize(frame.len() + extra, 0x5a);
                (Action::Extend, altered)
            }
            _ => {
                let (at, bit) = (self.below(frame.len()), self.below(8));
                altered[at] ^= 1 << bit;
                (Action::Flip, altered)
            }
        }
    }

    /// A true frame, for the first time or again, or the one that a liar altered.
    fn deliver(&mut self, to: Role, frame: &[u8]) -> bool {
        match self.handle(to, to.peer().id(), frame) {
            Verdict::Used | Verdict::Failed => true,
            Verdict::Again | Verdict::Rejected => false,
        }
    }

    /// What the adversary made up changes nothing.
    fn must_refuse(&mut self, to: Role, from: PartyId, frame: &[u8]) {
        let session = &self.sides[slot(to)].session;
        let before = (session.resend().len(), session.waiting_for());
        match self.handle(to, from, frame) {
            Verdict::Rejected => (),
            _ => panic!("a frame that the adversary made was used"),
        }
        let session = &self.sides[slot(to)].session;
        assert_eq!((session.resend().len(), session.waiting_for()), before, "a refused frame leaves no trace");
    }

    /// A frame of another run: refused, unless it is the first that this side hears and may be what it waits for.
    fn foreign_frame(&mut self, to: Role, frame: &[u8]) {
        let side = &self.sides[slot(to)];
        let (was, fresh) = (self.poisoned, side.accepted.is_empty() && side.end.is_none());
        self.poisoned |= fresh;
        match self.handle(to, to.peer().id(), frame) {
            Verdict::Rejected => self.poisoned = was,
            Verdict::Used | Verdict::Again | Verdict::Failed => {
                assert!(self.poisoned, "a frame of another run was used");
            }
        }
    }

    fn handle(&mut self, to: Role, from: PartyId, frame: &[u8]) -> Verdict {
        let side = &mut self.sides[slot(to)];
        let again = from == to.peer().id() && side.accepted.contains(frame);
        let verdict = match side.session.handle(from, frame) {
            Ok(step) if again => {
                assert!(matches!(&step, Step::Continue(frames) if frames.is_empty()), "an identical frame is ignored");
                Verdict::Again
            }
            Ok(step) => {
                side.accepted_bytes += frame.len();
                assert!(side.accepted_bytes <= side.bound[0], "it takes more than the run has");
                side.accepted.insert(frame.to_vec());
                self.take(to, step);
                Verdict::Used
            }
            Err(Error::Rejected(why)) => {
                let over = matches!(side.end, Some(End::Done(..) | End::Failed(..)));
                assert!(!again || over && why == Rejected::Finished, "an identical frame is ignored, not {why}");
                Verdict::Rejected
            }
            Err(Error::Aborted(aborted)) => {
                let end = End::Failed(aborted.fault, aborted.culprit, 0);
                side.end = Some(end);
                self.check_blame(to, aborted.fault, aborted.culprit);
                Verdict::Failed
            }
            Err(Error::Burned(burned)) => {
                side.end = Some(End::Failed(burned.fault, burned.culprit, burned.setups.len()));
                self.check_blame(to, burned.fault, burned.culprit);
                Verdict::Failed
            }
        };
        self.trace.write_u8(match verdict {
            Verdict::Used => 1,
            Verdict::Again => 2,
            Verdict::Rejected => 3,
            Verdict::Failed => 4,
        });
        verdict
    }

    /// Nobody honest is named, and nothing fails without a reason.
    fn check_blame(&self, at: Role, fault: Fault, culprit: Option<PartyId>) {
        match self.wire {
            Wire::Liar(liar) if self.lied => {
                // what the liar itself says counts for nothing
                assert!(at == liar || culprit.is_none_or(|named| named == liar.id()), "{culprit:?} named for {fault}");
            }
            _ => {
                assert!(self.poisoned, "an honest run failed: {fault}, {culprit:?}");
                assert_eq!((fault, culprit), (Fault::Mismatch(Agreed::Sid), None));
            }
        }
    }
}

/// Runs `one` for every seed. The seed is printed when it panics; give it to the same function to see it again.
pub fn for_seeds<T>(seeds: core::ops::Range<u64>, mut one: impl FnMut(u64) -> T) -> Vec<T> {
    struct Announce(u64);
    impl Drop for Announce {
        fn drop(&mut self) {
            if std::thread::panicking() {
                eprintln!("the run with seed {} failed; the same seed replays it", self.0);
            }
        }
    }
    let run = |seed| {
        let announce = Announce(seed);
        let out = one(seed);
        core::mem::forget(announce);
        out
    };
    seeds.map(run).collect()
}
