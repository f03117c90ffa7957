//! Many signatures at once in one process. All start before any goes on; then each in turn takes what it was sent, and so on
//! until all have ended. The threads divide the signatures among themselves and wait for each other after each turn.

use crate::{
    Committee, Meter, Started, Table, World, cpu, full, index, median, ms, online, pair_setup,
    sweep::{MAX_BATCH, progress},
    wall, label, frost::MESSAGE,
};
use rand_chacha::ChaCha12Rng;
use serde_json::json;
use std::{num::NonZero, thread};
use symbolon::{Auth, Outgoing, PairSetup, PartyId, Preprocessed, Protocol, Role, Session, Step, Suite};
use symbolon_core::Ed25519;
use symbolon_eddsa::{FrostRequest, FrostSign};
use symbolon_testkit::seeded;

/// One signature of parties 1 and 2: their sessions, the server's first, and what each has to read.
struct Signing<P: Protocol> {
    sessions: [Session<P>; 2],
    mail: [Vec<Outgoing>; 2],
    begun: f64,
    done: [bool; 2],
}

impl<P: Protocol> Signing<P> {
    /// Each party reads what the other had sent.
    fn turn(&mut self) {
        let mail = std::mem::take(&mut self.mail);
        for (i, frames) in mail.into_iter().enumerate() {
            for frame in frames {
                let from = [PartyId::CLIENT, PartyId::SERVER][i];
                let step = self.sessions[i].handle(from, &frame.bytes).unwrap_or_else(|e| panic!("{}: {e}", P::NAME));
                self.done[i] |= matches!(step, Step::Done(..));
                if let Step::Continue(frames) | Step::Done(.., frames) = step {
                    self.mail[1 - i].extend(frames);
                }
            }
        }
    }

    /// Bytes of the frames on their way.
    fn mailed(&self) -> usize {
        let bytes = |mail: &Vec<Outgoing>| {
            mail.capacity() * size_of::<Outgoing>() + mail.iter().map(|frame| frame.bytes.capacity()).sum::<usize>()
        };
        self.mail.iter().map(bytes).sum()
    }
}

/// The signatures of one thread, and the times that it took, in milliseconds.
struct Hand<P: Protocol> {
    signings: Vec<Signing<P>>,
    cpu: f64,
    /// Of both parties' start, or of one turn of both.
    turns: Vec<f64>,
    /// From start to end of a signature.
    signatures: Vec<f64>,
}

fn now() -> f64 {
    ms(wall())
}

impl<P: Protocol> Hand<P> {
    fn new(room: usize) -> Self {
        let (turns, signatures) = (Vec::with_capacity(room * 8), Vec::with_capacity(room));
        Self { signings: Vec::with_capacity(room), cpu: 0.0, turns, signatures }
    }

    /// Starts, if there is something to start with, or goes on by a turn.
    fn go<I>(&mut self, inputs: Option<Vec<[I; 2]>>, start: &impl Fn(Role, I, &mut ChaCha12Rng) -> Started<P>) {
        match inputs {
            Some(inputs) => self.start(inputs, start),
            None => self.turn(),
        }
    }

    fn start<I>(&mut self, inputs: Vec<[I; 2]>, start: &impl Fn(Role, I, &mut ChaCha12Rng) -> Started<P>) {
        let before = cpu();
        let mut rng = seeded(inputs.len() as u64);
        for [server, client] in inputs {
            let begun = now();
            let (server, to_client) = start(Role::Server, server, &mut rng);
            let (client, to_server) = start(Role::Client, client, &mut rng);
            self.turns.push(now() - begun);
            let signing = Signing { sessions: [server, client], mail: [to_server, to_client], begun, done: [false; 2] };
            self.signings.push(signing);
        }
        self.cpu += ms(cpu() - before);
    }

    fn turn(&mut self) {
        let before = cpu();
        for signing in &mut self.signings {
            let begun = now();
            signing.turn();
            let end = now();
            self.turns.push(end - begun);
            if signing.done == [true; 2] {
                self.signatures.push(end - signing.begun);
            }
        }
        self.signings.retain(|signing| signing.done != [true; 2]);
        self.cpu += ms(cpu() - before);
    }
}

fn threads() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// `count` values, made by all threads; what is made depends on the number alone.
fn made<T: Send>(count: usize, make: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let share = count.div_ceil(threads()).max(1);
    let numbers: Vec<_> = (0..count).collect();
    thread::scope(|scope| {
        let make = &make;
        let running: Vec<_> = numbers
            .chunks(share)
            .map(|numbers| scope.spawn(move || numbers.iter().map(|i| make(*i)).collect::<Vec<_>>()))
            .collect();
        running.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    })
}

/// What one crowd of signatures showed.
struct Seen {
    /// Milliseconds of all of it, on the wall.
    elapsed: f64,
    /// Milliseconds of CPU time of all threads.
    cpu: f64,
    /// The most bytes of a session between its messages, on the average of all sessions.
    held: usize,
    /// As in [`Hand`].
    turns: Vec<f64>,
    signatures: Vec<f64>,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.elapsed += other.elapsed;
        self.cpu += other.cpu;
        self.held = self.held.max(other.held);
        self.turns.extend(other.turns);
        self.signatures.extend(other.signatures);
    }
}

/// Runs one signature for each of `inputs`, all at once. `empty` is what the heap held before the inputs were made.
fn crowd<P: Protocol, I: Send>(
    meter: &Meter,
    empty: usize,
    mut inputs: Vec<[I; 2]>,
    start: impl Fn(Role, I, &mut ChaCha12Rng) -> Started<P> + Sync,
) -> Seen
where
    Session<P>: Send,
{
    let count = inputs.len();
    let share = count.div_ceil(threads());
    let mut hands = Vec::new();
    while !inputs.is_empty() {
        let part = inputs.split_off(inputs.len().saturating_sub(share));
        hands.push((Hand::new(part.len()), Some(part)));
    }
    drop(inputs);
    // room for times is nothing that a session holds; the list of sessions is
    let times = |hand: &Hand<P>| (hand.turns.capacity() + hand.signatures.capacity()) * size_of::<f64>();
    let empty = empty + hands.iter().map(|(hand, _)| times(hand)).sum::<usize>();
    let (start, mut held) = (&start, 0);
    let begun = now();
    loop {
        match &mut hands[..] {
            // a thread costs more than a turn
            [(hand, inputs)] => hand.go(inputs.take(), start),
            _ => thread::scope(|scope| {
                for (hand, inputs) in &mut hands {
                    scope.spawn(move || hand.go(inputs.take(), start));
                }
            }),
        }
        let live: usize = hands.iter().map(|(hand, _)| hand.signings.len()).sum();
        if live < count {
            assert_eq!(live, 0, "all end in the same turn");
            break;
        }
        let mailed: usize = hands.iter().flat_map(|(hand, _)| &hand.signings).map(Signing::mailed).sum();
        held = held.max(meter.heap.current_usage().saturating_sub(empty + mailed) / (2 * count));
    }
    let elapsed = now() - begun;
    let (mut turns, mut signatures, mut cpu) = (Vec::new(), Vec::new(), 0.0);
    for (hand, _) in hands {
        turns.extend(hand.turns);
        signatures.extend(hand.signatures);
        cpu += hand.cpu;
    }
    Seen { elapsed, cpu, held, turns, signatures }
}

/// At least so many signatures are behind the times of a row.
const ENOUGH: f64 = 200.0;
/// Samples of kP before a row, and after it.
const UNITS: usize = 20;
/// What ten thousand signatures from scratch need, frames included, for both sides of each, and some more: about 3 GB.
const ROOM: usize = 4 << 30;

/// Bytes of memory that are free, as Linux estimates it.
fn free() -> usize {
    let info = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = info.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).map_or(0, |kilobytes: usize| kilobytes << 10)
}

/// How many sessions fit, and how fast they are: for each number in `counts`, that many signatures at once.
pub fn sessions(meter: &mut Meter, counts: &[usize]) -> Table {
    let mut table = Table::new(
        "sessions",
        &[
            "operation",
            "at once",
            "signatures per s",
            "kP of one",
            "bytes of a session",
            "turn ms p50",
            "turn ms p95",
            "turn ms p99",
            "signature ms p50",
            "signature ms p95",
            "signature ms p99",
        ],
    );
    let mut world = World::new(1, Suite::Blake3);
    let wallets = World::new(2, Suite::Blake3).wallets;
    let frost = Committee::<Ed25519>::new(3, 2, 3).with_keys(1);
    for count in counts.iter().copied() {
        add(meter, &mut table, "frost_sign", count, |meter| {
            let empty = meter.heap.current_usage();
            crowd(meter, empty, vec![[(), ()]; count], |role, (), rng| frost.frost_start(index(role), rng))
        });
        add(meter, &mut table, "sign_online", count, |meter| {
            let empty = meter.heap.current_usage();
            let items = items(&mut world, count);
            let wallets = &world.wallets;
            crowd(meter, empty, items, |role, item, rng| online(&wallets[index(role)], item, rng))
        });
        if count > 1000 && free() < ROOM {
            eprintln!("sessions: {count} at once from scratch need more memory than is free");
            continue;
        }
        add(meter, &mut table, "sign_full", count, |meter| {
            let empty = meter.heap.current_usage();
            let setups = made(count, |i| pair_setup(&mut seeded(i as u64), Suite::Blake3).0);
            crowd::<_, PairSetup>(meter, empty, setups, |role, ots, rng| full(&wallets[index(role)], ots, rng))
        });
    }
    table.rows.sort_by_key(|row| row[0].to_string());
    table
}

/// An item of both sides for each of `count` signatures.
fn items(world: &mut World, count: usize) -> Vec<[Preprocessed; 2]> {
    let mut items = Vec::with_capacity(count);
    while items.len() < count {
        let batch = (count - items.len()).min(usize::from(MAX_BATCH));
        let [server, client] = world.preprocess(batch as u16).0;
        items.extend(server.into_iter().zip(client).map(|(server, client)| [server, client]));
    }
    items
}

/// Adds a row; a small crowd comes several times.
fn add(meter: &mut Meter, table: &mut Table, op: &str, count: usize, mut crowd: impl FnMut(&Meter) -> Seen) {
    let times = ((meter.effort * ENOUGH) as usize / count).max(1);
    progress(&format!("sessions: {op}, {count} at once"));
    let mut kp: Vec<_> = (0..UNITS).map(|_| meter.unit.sample()).collect();
    let mut seen = crowd(meter);
    for _ in 1..times {
        seen.add(crowd(meter));
    }
    kp.extend((0..UNITS).map(|_| meter.unit.sample()));
    let kp = median(kp);
    let signatures = seen.signatures.len() as f64;
    let mut row = vec![
        json!(op),
        json!(count),
        json!(signatures / seen.elapsed * 1e3),
        json!(seen.cpu / signatures / kp),
        json!(seen.held),
    ];
    for mut times in [seen.turns, seen.signatures] {
        times.sort_by(f64::total_cmp);
        row.extend([50, 95, 99].map(|percent| json!(times[(times.len() - 1) * percent / 100])));
    }
    table.rows.push(row);
}

impl Committee<Ed25519> {
    /// The session of signer 1 or 2, by its index, over a channel that authenticates.
    fn frost_start(&self, me: usize, rng: &mut ChaCha12Rng) -> Started<FrostSign<Ed25519>> {
        let share = &self.shares[0][me];
        let request = FrostRequest::new(share, &self.dealers(), MESSAGE).expect("signers");
        Session::start(request, share, (), label(), Auth::Channel, rng).expect("starts")
    }
}
