//! Ten thousand signing runs and five hundred creations on a network that an adversary owns. Whoever finishes agrees,
//! nobody honest is named, nothing panics, memory stays under the bound; a seed replays.

use crate::world::{self, ROLES, World, auth, label, pair};
use symbolon::{
    DerivationPath, Payload, Preprocessed, Protocol, Role, Signed,
    wallet::{Create, CreateSetup, SignStateless, StatelessSetup, Wallet},
};
use symbolon_ecdsa::{FullSetup, OnlineSetup, SignFull, SignOnline};
use symbolon_testkit::{Action, Counts, End, Launched, Net, Outcome, Wire, for_seeds, launch, seeded};

/// What every run is set up with comes from this seed.
const WORLD: u64 = 7_000_000;

/// A third of the runs each: a channel that is only unreliable, a hostile wire with signed frames, one side that lies.
const fn wire_of(seed: u64) -> Wire {
    match seed % 6 {
        0 | 3 => Wire::Authentic,
        1 | 4 => Wire::Hostile,
        2 => Wire::Liar(Role::Server),
        _ => Wire::Liar(Role::Client),
    }
}

/// Every run signs a message of its own.
fn payload(seed: u64) -> Payload {
    Payload::personal_message(seed.to_be_bytes())
}

/// How the runs of one kind ended.
#[derive(Default, Debug, PartialEq, Eq)]
struct Tally {
    runs: usize,
    agreed: usize,
    mismatched: usize,
    /// Runs in which the honest side caught the liar, in the end or by silence.
    caught: usize,
    counts: Counts,
}

impl Tally {
    /// Files an outcome. `same` compares two results.
    fn file<P: Protocol>(&mut self, wire: Wire, outcome: Outcome<P>, same: impl FnOnce([&P::Output; 2])) -> u64 {
        self.runs += 1;
        self.counts.add(&outcome.counts);
        let lied = outcome.counts.of(Action::Lie) > 0;
        match &outcome.ends {
            [End::Done(server, _), End::Done(client, _)] => {
                same([server, client]);
                self.agreed += 1;
            }
            _ if lied => {
                let Wire::Liar(liar) = wire else { panic!("nobody lies on this wire") };
                let honest = &outcome.ends[world::slot(liar.peer())];
                assert!(
                    !P::KEY_MAKING || !matches!(honest, End::Done(..)),
                    "a wallet that the other side never confirmed"
                );
                self.caught += 1;
            }
            [server, client] => {
                assert!(outcome.poisoned, "an honest run did not end");
                for end in [server, client] {
                    assert!(!matches!(end, End::Done(..)), "one side ended without the other");
                    assert!(!matches!(end, End::Failed(_, Some(_), _)));
                    assert!(!matches!(end, End::Failed(_, _, 1..)));
                }
                self.mismatched += 1;
            }
        }
        outcome.trace
    }
}

/// The frames of one honest run, for the adversary.
fn recorded<P: Protocol>(server: Launched<P>, client: Launched<P>) -> Vec<(Role, Vec<u8>)> {
    let mut frames = Vec::new();
    let mut sessions = [server.session, client.session];
    let mut queue: std::collections::VecDeque<_> = ROLES.into_iter().zip([server.frames, client.frames]).collect();
    while let Some((from, sent)) = queue.pop_front() {
        for frame in sent {
            frames.push((from, frame.bytes.clone()));
            let to = from.peer();
            let session = &mut sessions[world::slot(to)];
            let mut step = session.handle(from.id(), &frame.bytes).unwrap();
            if let symbolon::Step::Prepared(pending, _) = &step {
                step = session.stored(symbolon_testkit::duo::stored(pending));
            }
            match step {
                symbolon::Step::Continue(next) | symbolon::Step::Done(_, _, next) => queue.push_back((to, next)),
                symbolon::Step::Prepared(..) => unreachable!(),
            }
        }
    }
    frames
}

/// Runs of signing from a bank: a batch of items, of which two feed the adversary.
struct Banked {
    world: World,
    items: Vec<[Option<Preprocessed>; 2]>,
    foreign: [Vec<(Role, Vec<u8>)>; 2],
}

const BATCH: u16 = 256;
/// Four items of a batch are used up by the older and parallel runs.
const RUNS_OF_BATCH: u64 = 252;

impl Banked {
    fn new(world: World, batch: u64) -> Self {
        let [server, client] = world.items(WORLD + 1 + batch, BATCH);
        let items = server.into_iter().zip(client).map(|(s, c)| [Some(s), Some(c)]).collect();
        let mut banked = Self { world, items, foreign: [Vec::new(), Vec::new()] };
        for (i, wire) in [Wire::Authentic, Wire::Hostile].into_iter().enumerate() {
            for other in 0..2 {
                let mut rng = seeded(WORLD);
                let text = if other == 0 { "bank" } else { "parallel" };
                let [s, c] = banked.start(wire, text, &payload(0), &mut rng);
                banked.foreign[i].extend(recorded(s, c));
            }
        }
        banked
    }

    fn start(
        &mut self,
        wire: Wire,
        text: &str,
        payload: &Payload,
        rng: &mut rand_chacha::ChaCha12Rng,
    ) -> [Launched<SignOnline>; 2] {
        let mut items = self.items.pop().unwrap();
        self.start_with(&mut items, wire, text, payload, rng)
    }

    fn start_with(
        &self,
        items: &mut [Option<Preprocessed>; 2],
        wire: Wire,
        text: &str,
        payload: &Payload,
        rng: &mut rand_chacha::ChaCha12Rng,
    ) -> [Launched<SignOnline>; 2] {
        ROLES.map(|role| {
            let item = items[world::slot(role)].take().unwrap();
            let share = self.world.wallet(role).share();
            let setup = OnlineSetup::new(share, &item, *payload, DerivationPath::root()).unwrap();
            launch(setup, share, item, label(text), auth(wire, role), rng)
        })
    }

    /// One run, named by its seed; the item is the seed's.
    fn run(&mut self, seed: u64, tally: &mut Tally) -> u64 {
        let (wire, payload) = (wire_of(seed), payload(seed));
        let mut rng = seeded(seed);
        let mut items = core::mem::take(&mut self.items[usize::try_from(seed % RUNS_OF_BATCH).unwrap()]);
        let [s, c] = self.start_with(&mut items, wire, "bank", &payload, &mut rng);
        let foreign = self.foreign[usize::from(wire == Wire::Hostile)].clone();
        let outcome = Net::new(seed, wire, foreign, s, c).run();
        tally.file(wire, outcome, |both| self.world.check_signed(both, &payload))
    }
}

fn banked(batches: core::ops::Range<u64>) -> Tally {
    let mut tally = Tally::default();
    for batch in batches {
        let mut banked = Banked::new(World::new(WORLD), batch);
        for_seeds(batch * RUNS_OF_BATCH..(batch + 1) * RUNS_OF_BATCH, |seed| banked.run(seed, &mut tally));
    }
    tally
}

/// What the runs of a kind must have seen, so that nobody can switch the adversary off.
fn check(kind: &str, seeds: &str, tally: &Tally, runs: usize) {
    println!("{kind}, seeds {seeds}: {tally:?}");
    assert_eq!(tally.runs, runs);
    assert_eq!(tally.agreed + tally.mismatched + tally.caught, runs);
    assert!(tally.agreed * 2 > runs, "most runs end well");
    let (_, always) = (
        Action::Lie,
        [
            Action::Deliver,
            Action::Reorder,
            Action::Drop,
            Action::Duplicate,
            Action::Delay,
            Action::Flip,
            Action::Truncate,
            Action::Extend,
            Action::Replay,
            Action::Foreign,
            Action::Reflect,
            Action::Misattribute,
            Action::Resend,
            Action::Lie,
        ],
    );
    for action in always {
        assert!(tally.counts.of(action) * 50 > runs, "{action:?} hardly happened");
    }
}

#[test]
fn signing_from_the_bank() {
    let tally = banked(0..18);
    assert_eq!(tally.mismatched, 0, "the item tells runs apart");
    check("signing from the bank", "0..4536", &tally, 4536);
}

#[test]
fn signing_from_the_bank_more() {
    let tally = banked(18..36);
    assert_eq!(tally.mismatched, 0, "the item tells runs apart");
    check("signing from the bank", "4536..9072", &tally, 4536);
}

type Frames = Vec<(Role, Vec<u8>)>;

/// Frames of an older run with the same label, and of a parallel run with another one; unsigned and signed.
fn older<P: Protocol>(start: impl Fn(Wire, &str, u64) -> [Launched<P>; 2]) -> [Frames; 2] {
    [Wire::Authentic, Wire::Hostile].map(|wire| {
        let of = |text, seed| {
            let [s, c] = start(wire, text, seed);
            recorded(s, c)
        };
        [of("run", WORLD + 1), of("parallel", WORLD + 2)].concat()
    })
}

fn sign_full(world: &World, wire: Wire, text: &str, seed: u64) -> [Launched<SignFull>; 2] {
    let mut rng = seeded(seed);
    ROLES.map(|role| {
        let (mut ots, share) = (world.setup(role), world.wallet(role).share());
        let setup = FullSetup::new(share, &mut ots, payload(seed), DerivationPath::root()).unwrap();
        launch(setup, share, ots, label(text), auth(wire, role), &mut rng)
    })
}

fn stateless(world: &World, wire: Wire, text: &str, seed: u64) -> [Launched<SignStateless>; 2] {
    let mut rng = seeded(seed);
    ROLES.map(|role| {
        let share = world.wallet(role).share();
        let setup = StatelessSetup::new(
            share,
            &symbolon::pair_of(share).unwrap(),
            symbolon::Suite::Blake3,
            payload(seed),
            DerivationPath::root(),
        )
        .unwrap();
        launch(setup, share, (), label(text), auth(wire, role), &mut rng)
    })
}

fn create(wire: Wire, text: &str, seed: u64) -> [Launched<Create>; 2] {
    let mut rng = seeded(seed);
    ROLES.map(|role| launch(CreateSetup::new(pair(role)), &(), (), label(text), auth(wire, role), &mut rng))
}

fn run<P: Protocol>(
    seed: u64,
    foreign: &[Frames; 2],
    start: impl Fn(Wire, &str, u64) -> [Launched<P>; 2],
) -> (Wire, Outcome<P>) {
    let wire = wire_of(seed);
    let [s, c] = start(wire, "run", seed);
    (wire, Net::new(seed, wire, foreign[usize::from(wire == Wire::Hostile)].clone(), s, c).run())
}

#[test]
fn signing_from_scratch() {
    let (world, mut tally) = (World::new(WORLD), Tally::default());
    let start = |wire, text: &str, seed| sign_full(&world, wire, text, seed);
    let foreign = older(start);
    for_seeds(10_000..10_700, |seed| {
        let (wire, outcome) = run(seed, &foreign, start);
        tally.file(wire, outcome, |both: [&Signed; 2]| world.check_signed(both, &payload(seed)));
    });
    assert!(tally.mismatched > 0, "an older first frame comes first now and then");
    check("signing from scratch", "10_000..10_700", &tally, 700);
}

#[test]
fn signing_with_nothing_stored() {
    let (world, mut tally) = (World::new(WORLD), Tally::default());
    let start = |wire, text: &str, seed| stateless(&world, wire, text, seed);
    let foreign = older(start);
    for_seeds(20_000..20_240, |seed| {
        let (wire, outcome) = run(seed, &foreign, start);
        tally.file(wire, outcome, |both: [&Signed; 2]| world.check_signed(both, &payload(seed)));
    });
    check("signing with nothing stored", "20_000..20_240", &tally, 240);
}

fn same_wallet([server, client]: [&Wallet; 2]) {
    assert_eq!(server.address(), client.address());
    assert_eq!(server.key_id(), client.key_id());
    assert_eq!(server.share().chain_code(), client.share().chain_code());
    assert_eq!(server.share().sharing_id(), client.share().sharing_id());
}

fn creations(seeds: core::ops::Range<u64>) -> Tally {
    let (mut tally, foreign) = (Tally::default(), older(create));
    for_seeds(seeds, |seed| {
        let (wire, outcome) = run(seed, &foreign, create);
        tally.file(wire, outcome, same_wallet);
    });
    tally
}

#[test]
fn creations_of_wallets() {
    let tally = creations(30_000..30_250);
    assert!(tally.counts.of(Action::StoreLate) > 25);
    check("creations", "30_000..30_250", &tally, 250);
}

#[test]
fn creations_of_wallets_more() {
    let tally = creations(30_250..30_500);
    check("creations", "30_250..30_500", &tally, 250);
}

#[test]
fn a_seed_replays() {
    let (mut first, mut second) = (Tally::default(), Tally::default());
    let world = World::new(WORLD);
    let foreign = [older(|wire, text, seed| sign_full(&world, wire, text, seed)), older(create)].concat();
    let [signing, creating] = [[foreign[0].clone(), foreign[1].clone()], [foreign[2].clone(), foreign[3].clone()]];
    let traces = |tally: &mut Tally| {
        let signed = for_seeds(10_000..10_024, |seed| {
            let (wire, outcome) = run(seed, &signing, |wire, text, seed| sign_full(&world, wire, text, seed));
            tally.file(wire, outcome, |_| ())
        });
        let created = for_seeds(30_000..30_012, |seed| {
            let (wire, outcome) = run(seed, &creating, create);
            tally.file(wire, outcome, same_wallet)
        });
        let mut bank = Banked::new(World::new(WORLD), 3);
        let banked = for_seeds(3 * RUNS_OF_BATCH..3 * RUNS_OF_BATCH + 24, |seed| bank.run(seed, tally));
        [signed, created, banked].concat()
    };
    let (once, again) = (traces(&mut first), traces(&mut second));
    assert_eq!(once, again);
    assert_eq!(first, second);
    let distinct: std::collections::BTreeSet<_> = once.iter().collect();
    assert_eq!(distinct.len(), 60, "no two seeds are the same run");
}
