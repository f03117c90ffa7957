//! Suspended and resumed after every message, a run ends as if nothing had happened, frame by frame and byte by byte.

use crate::world::{self, ROLES, World, label, pair, slot, storage};
use std::collections::VecDeque;
use symbolon::{
    Auth, Convert, ConvertSetup, Keygen, KeygenSetup, LongTerm, MemoryLedger, Outgoing, PairFactor, PairRefresh,
    Protocol, RefreshSetup, ResumeError, Role, Session, Step, Storable, Suspend,
    wallet::{Create, CreateSetup},
};
use symbolon_testkit::{Wire, seeded};

/// A run on which a test acts after every message.
struct Stage<P: Protocol> {
    sessions: [Option<Session<P>>; 2],
    queue: VecDeque<(Role, Vec<u8>)>,
    /// Everything that was sent.
    mail: Vec<Vec<u8>>,
    /// The sealed pending values, once stored.
    sealed: [Option<Vec<u8>>; 2],
    /// The encoded results.
    outputs: [Option<Vec<u8>>; 2],
}

impl<P: Protocol<Output: Storable>> Stage<P> {
    fn new(start: impl Fn(Role) -> (Session<P>, Vec<Outgoing>)) -> Self {
        let [server, client] = ROLES.map(start);
        let mut stage = Self {
            sessions: [Some(server.0), Some(client.0)],
            queue: VecDeque::new(),
            mail: Vec::new(),
            sealed: [None, None],
            outputs: [None, None],
        };
        stage.post(Role::Server, server.1);
        stage.post(Role::Client, client.1);
        stage
    }

    fn post(&mut self, from: Role, frames: Vec<Outgoing>) {
        for frame in frames {
            self.mail.push(frame.bytes.clone());
            self.queue.push_back((from.peer(), frame.bytes));
        }
    }

    /// Takes a step; `act` also stands between a prepared value and its store.
    fn take(&mut self, role: Role, mut step: Step<P>, act: &mut impl FnMut(&mut Self)) {
        loop {
            match step {
                Step::Continue(frames) => return self.post(role, frames),
                Step::Prepared(..) => {
                    act(self);
                    let session = self.sessions[slot(role)].as_mut().unwrap();
                    let sealed = session.pending().unwrap().seal(&storage(), &mut seeded(1)).unwrap();
                    self.sealed[slot(role)] = Some(sealed.as_bytes().to_vec());
                    step = session.stored(sealed.stored());
                }
                Step::Done(output, _, frames) => {
                    self.outputs[slot(role)] = Some(output.to_secret_bytes().to_vec());
                    return self.post(role, frames);
                }
            }
        }
    }

    /// Runs to the end; `act` after every message.
    fn run(mut self, mut act: impl FnMut(&mut Self)) -> Self {
        act(&mut self);
        while let Some((to, frame)) = self.queue.pop_front() {
            let session = self.sessions[slot(to)].as_mut().unwrap();
            let step = session.handle(to.peer().id(), &frame).unwrap();
            self.take(to, step, &mut act);
            act(&mut self);
        }
        assert!(self.outputs.iter().all(Option::is_some));
        self
    }

    fn same(&self, other: &Self) {
        assert_eq!(self.mail, other.mail, "byte for byte");
        assert!(self.outputs == other.outputs, "the same results");
    }
}

/// Every protocol that can be suspended: both parties, after every message, before and after `stored`.
fn suspends<P: Suspend + Protocol<Output: Storable>>(
    start: impl Fn(Role) -> (Session<P>, Vec<Outgoing>),
    secrets: [&P::LongTerm; 2],
    wire: Wire,
) where
    P::LongTerm: LongTerm,
{
    let plain = Stage::new(&start).run(|_| ());
    let (mut rng, mut ledger, mut cycles) = (seeded(3), MemoryLedger::default(), 0);
    let suspended = Stage::new(&start).run(|stage| {
        for role in ROLES.into_iter().filter(|role| stage.outputs[slot(*role)].is_none()) {
            let session = stage.sessions[slot(role)].take().unwrap();
            let (frames, waiting) = (session.resend(), session.waiting_for());
            let sealed = session.suspend(&storage(), &mut rng).unwrap();
            let mut resume = || {
                let secrets = secrets[slot(role)];
                Session::<P>::resume(&sealed, &storage(), secrets, world::auth(wire, role), &mut ledger)
            };
            let session = resume().unwrap();
            assert_eq!(resume().err(), Some(ResumeError::Claimed), "once");
            assert_eq!(session.resend(), frames, "byte for byte");
            assert_eq!(session.waiting_for(), waiting);
            stage.sessions[slot(role)] = Some(session);
            cycles += 1;
        }
    });
    suspended.same(&plain);
    assert_eq!(cycles, 11, "both sides at the start, after each message, and before each store");
}

/// Every ending: a party whose value is stored is dropped and comes back from the stored bytes after every message.
fn endings<P: Protocol<Output: Storable>>(start: impl Fn(Role) -> (Session<P>, Vec<Outgoing>), wire: Wire) {
    let plain = Stage::new(&start).run(|_| ());
    let mut cycles = 0;
    let resumed = Stage::new(&start).run(|stage| {
        for role in ROLES.into_iter().filter(|role| stage.outputs[slot(*role)].is_none()) {
            let Some(sealed) = &stage.sealed[slot(role)] else { continue };
            let before = stage.sessions[slot(role)].take().unwrap();
            // resuming a stored value changes nothing, so it may be done again and again
            for _ in 0..2 {
                let (session, step) = Session::<P>::resume_ending(sealed, &storage(), world::auth(wire, role)).unwrap();
                let Step::Continue(frames) = step else { panic!("nobody has confirmed yet") };
                assert_eq!(frames, before.resend(), "byte for byte");
                assert_eq!(session.waiting_for(), before.waiting_for());
                stage.sessions[slot(role)] = Some(session);
                cycles += 1;
            }
        }
    });
    resumed.same(&plain);
    assert!(cycles >= 2, "{cycles}");
    // also the party that finishes at once comes back with its result, if it crashed before it could say so
    let finished = plain.sealed.iter().zip(ROLES).filter(|(sealed, role)| {
        let sealed = sealed.as_ref().unwrap();
        let (_, step) = Session::<P>::resume_ending(sealed, &storage(), world::auth(wire, *role)).unwrap();
        match step {
            Step::Done(output, _, frames) => {
                assert_eq!(Some(output.to_secret_bytes().to_vec()), plain.outputs[slot(*role)]);
                assert!(!frames.is_empty(), "its confirmation leaves again");
                true
            }
            _ => false,
        }
    });
    assert_eq!(finished.count(), 1);
}

const WIRES: [Wire; 2] = [Wire::Authentic, Wire::Hostile];

fn auth(wire: Wire, role: Role) -> Auth {
    world::auth(wire, role)
}

fn seed(role: Role) -> u64 {
    70 + u64::from(role.id().get())
}

fn keygen(wire: Wire) -> impl Fn(Role) -> (Session<Keygen>, Vec<Outgoing>) {
    move |role| {
        let setup = KeygenSetup::new(pair(role));
        Session::start(setup, &(), (), label("keygen"), auth(wire, role), &mut seeded(seed(role))).unwrap()
    }
}

fn refresh<'a>(
    factors: [&'a PairFactor; 2],
    wire: Wire,
) -> impl Fn(Role) -> (Session<PairRefresh>, Vec<Outgoing>) + 'a {
    move |role| {
        let factor = factors[slot(role)];
        let setup = RefreshSetup::new(factor, 1).unwrap();
        Session::start(setup, factor, (), label("refresh"), auth(wire, role), &mut seeded(seed(role))).unwrap()
    }
}

#[test]
fn keygen_suspends_after_every_message() {
    WIRES.into_iter().for_each(|wire| suspends(keygen(wire), [&(), &()], wire));
}

#[test]
fn pair_refresh_suspends_after_every_message() {
    let world = World::new(71);
    let factors = ROLES.map(|role| world.wallet(role).factor().unwrap());
    WIRES.into_iter().for_each(|wire| suspends(refresh(factors, wire), factors, wire));
}

#[test]
fn a_resumed_refresh_needs_the_factor_of_its_start() {
    let (world, other) = (World::new(71), World::new(72));
    let factors = ROLES.map(|role| world.wallet(role).factor().unwrap());
    let (session, _) = refresh(factors, Wire::Authentic)(Role::Server);
    let (mut rng, mut ledger) = (seeded(3), MemoryLedger::default());
    let sealed = session.suspend(&storage(), &mut rng).unwrap();
    let mut with = |factor| Session::<PairRefresh>::resume(&sealed, &storage(), factor, Auth::Channel, &mut ledger);
    assert_eq!(with(other.wallet(Role::Server).factor().unwrap()).err(), Some(ResumeError::Fingerprint));
    assert_eq!(with(factors[1]).err(), Some(ResumeError::Fingerprint));
    assert!(with(factors[0]).is_ok(), "a wrong factor uses nothing up");
}

#[test]
fn every_ending_comes_back_from_the_store() {
    let world = World::new(73);
    let factors = ROLES.map(|role| world.wallet(role).factor().unwrap());
    for wire in WIRES {
        endings(keygen(wire), wire);
        endings(refresh(factors, wire), wire);
        endings::<Convert>(
            |role| {
                let (mut ots, factor) = (world.setup(role), factors[slot(role)]);
                let setup = ConvertSetup::new(factor, &mut ots, 1).unwrap();
                let rng = &mut seeded(seed(role));
                Session::start(setup, factor, ots, label("convert"), auth(wire, role), rng).unwrap()
            },
            wire,
        );
        endings::<Create>(
            |role| {
                let setup = CreateSetup::new(pair(role));
                let rng = &mut seeded(seed(role));
                Session::start(setup, &(), (), label("create"), auth(wire, role), rng).unwrap()
            },
            wire,
        );
    }
}
