//! Steps of protocols: an honest run of two in one thread, of which one step of one party is timed. The left class gives
//! that party the same randomness and secrets every time, the right class others; its peer is random in both.

use crate::{samples, seeded};
use dudect_bencher::{BenchRng, Class, CtRunner, rand::Rng};
use std::{cell::Cell, collections::BTreeMap};
use symbolon::{Draft, Inbox, Next, PartyId, Protocol, Run, Sends, Sid, To};
use symbolon_core::Transcript;

/// Whose step after which round is timed: 0 is the server, 1 the client, round 0 the start.
#[derive(Clone, Copy)]
struct At(usize, u8);

const IDS: [PartyId; 2] = [PartyId::SERVER, PartyId::CLIENT];
/// A run to the step takes up to a few milliseconds.
const RUNS: usize = 2_000;

/// A value that a timed closure, which could be called again, may take out once.
fn once<T>(value: T) -> Cell<Option<T>> {
    Cell::new(Some(value))
}

/// One run up to the step that is timed.
fn run<P: Protocol>(
    runner: &mut CtRunner,
    (class, seeds): (Class, [u64; 2]),
    at: At,
    setups: &[P::Setup; 2],
    secrets: [&P::LongTerm; 2],
    inputs: [P::Input; 2],
) {
    let sid = |part: u16| Sid::from_bytes(Transcript::new("dudect", "sid").number(part).finish());
    let sid0: BTreeMap<_, _> = IDS.iter().map(|id| (*id, sid(id.get()))).collect();
    let later = |i: usize| Run::new(IDS[i], sid0.clone(), Some(sid(0)));
    let first = |i: usize| if P::NONCES { Run::new(IDS[i], sid0.clone(), None) } else { later(i) };
    let rng = |i: usize, round: u8| seeded(seeds[i] ^ u64::from(round).rotate_left(56));
    let (mut states, mut drafts): (Vec<Option<P>>, Vec<(usize, Draft)>) = (Vec::new(), Vec::new());
    for (i, input) in inputs.into_iter().enumerate() {
        let (run, input, started) = (first(i), once(input), Cell::new(None));
        let start = || {
            let input = input.take().expect("called once");
            started.set(Some(P::start(&setups[i], secrets[i], input, &run, &mut rng(i, 0))));
        };
        if (at.0, at.1) == (i, 0) {
            return runner.run_one(class, start);
        }
        start();
        let (state, sent) = started.take().expect("started");
        states.push(Some(state));
        drafts.extend(sent.into_iter().map(|draft| (i, draft)));
    }
    for round in 1..=P::ROUNDS {
        let mut inboxes = [Inbox::default(), Inbox::default()];
        for (from, (to, body)) in core::mem::take(&mut drafts) {
            inboxes[1 - from].insert(IDS[from], matches!(to, To::All), body.into());
        }
        for i in 0..2 {
            if P::sends(&setups[i], round, IDS[1 - i]) == Sends::Nothing {
                continue;
            }
            let Some(state) = states[i].take() else { continue };
            let (run, state, next) = (later(i), once(state), Cell::new(None));
            let advance = || {
                let state = state.take().expect("called once");
                next.set(Some(state.advance(&setups[i], &run, &inboxes[i], &mut rng(i, round))));
            };
            if (at.0, at.1) == (i, round) {
                return runner.run_one(class, advance);
            }
            advance();
            match next.take().expect("advanced") {
                Ok(Next::Round(state, sent)) => {
                    states[i] = Some(state);
                    drafts.extend(sent.into_iter().map(|draft| (i, draft)));
                }
                Ok(Next::Prepared { drafts: sent, .. } | Next::Done(_, sent, _)) => {
                    drafts.extend(sent.into_iter().map(|draft| (i, draft)));
                }
                Err(failed) => panic!("{}: {:?}", P::NAME, failed.fault),
            }
        }
    }
    panic!("{} has no such step", P::NAME);
}

/// Classes and seeds for a number of runs: for the party of the step by class, for its peer always fresh.
fn runs(rng: &mut BenchRng, who: usize, count: usize) -> Vec<(Class, [u64; 2])> {
    let drawn = samples(rng, count);
    let mut with_peer = |(class, seed)| {
        let mut seeds = [seed; 2];
        seeds[1 - who] = rng.next_u64();
        (class, seeds)
    };
    drawn.into_iter().map(&mut with_peer).collect()
}

/// Base OT and the trees over it.
pub mod pair_setup {
    use super::*;
    use symbolon::{Auth, Label, PairSetupRun, PairSetupTerms, Role, SecretBytes, Session, StorageKey, Suite};
    use symbolon_testkit::Duo;

    fn terms() -> [PairSetupTerms; 2] {
        [Role::Server, Role::Client].map(|role| PairSetupTerms { pair: role.into(), suite: Suite::Blake3, serial: 0 })
    }

    /// One correlation of both sides, sealed.
    pub(super) fn sealed() -> (StorageKey, [Vec<u8>; 2]) {
        let key = StorageKey::new(SecretBytes::new([3; 32]));
        let label = || Label::new("dudect").expect("a short label");
        let rng = &mut seeded(2);
        let [s, c] = terms().map(|terms| Session::<PairSetupRun>::start(terms, &(), (), label(), Auth::Channel, rng));
        let (ends, _) = Duo::new(s.expect("starts"), c.expect("starts")).run();
        let sealed = ends.map(|end| end.output.seal(&key, &mut seeded(3)).expect("sealing"));
        (key, sealed)
    }

    fn timed(runner: &mut CtRunner, rng: &mut BenchRng, at: At) {
        let terms = terms();
        for of in runs(rng, at.0, RUNS / 4) {
            run::<PairSetupRun>(runner, of, at, &terms, [&(), &()], [(), ()]);
        }
    }

    /// M1: the client's receiver of base OTs chooses.
    pub fn base_ot_receiver(runner: &mut CtRunner, rng: &mut BenchRng) {
        timed(runner, rng, At(1, 0));
    }

    /// M2: the server answers as sender, and chooses as receiver.
    pub fn base_ot_sender(runner: &mut CtRunner, rng: &mut BenchRng) {
        timed(runner, rng, At(0, 1));
    }

    /// M5: the client opens, which needs its choice.
    pub fn opening(runner: &mut CtRunner, rng: &mut BenchRng) {
        timed(runner, rng, At(1, 4));
    }
}

/// Extension and multiplication over one correlation. The client's factor and choices, or the server's factor, by class.
pub mod multiplication {
    use super::*;
    use symbolon::{Mta, MtaFactors, MtaSetup, PairSetup, SecretScalar};

    fn timed(runner: &mut CtRunner, rng: &mut BenchRng, at: At) {
        let (key, sealed) = super::pair_setup::sealed();
        for (class, seeds) in runs(rng, at.0, RUNS) {
            let factor = |seed| SecretScalar::random(&mut seeded(seed));
            let factors = seeds.map(|seed| MtaFactors::new(vec![factor(seed)]).expect("one product"));
            let mut ots = sealed.each_ref().map(|bytes| PairSetup::open(bytes, &key).expect("just sealed"));
            let [s, c] = ots.each_mut();
            let terms = [(s, &factors[0]), (c, &factors[1])].map(|(ots, own)| MtaSetup::new(ots, own).expect("runs"));
            run::<Mta>(runner, (class, seeds), at, &terms, factors.each_ref(), ots);
        }
    }

    /// The receiver extends.
    pub fn extension(runner: &mut CtRunner, rng: &mut BenchRng) {
        timed(runner, rng, At(1, 1));
    }

    /// The sender checks the extension and multiplies.
    pub fn sender_multiplies(runner: &mut CtRunner, rng: &mut BenchRng) {
        timed(runner, rng, At(0, 2));
    }

    /// The receiver checks the product and finishes.
    pub fn receiver_finishes(runner: &mut CtRunner, rng: &mut BenchRng) {
        timed(runner, rng, At(1, 3));
    }
}
