//! `cargo run --release -p symbolon-benches --bin report -- --json`: what each operation costs, in CPU time, bytes,
//! messages, and in units of one k256 variable-base multiplication ("kP") taken in the same run. Bytes and messages are
//! what sessions hand out: a broadcast counts once, as over a relay. `--only PREFIX` leaves out operations whose names do not
//! begin so. Operations that end in `_zf` are those of the Zcash Foundation's crate, without authentication of messages, the one in
//! `_ark` is two plain multiplications and an addition of `ark-bn254`; `_scrypt` is that
//! function alone at the cost of a backup's password; `ratio_zf`, `ratio_ark`, `ratio_scrypt` are the median of our time over
//! theirs, of pairs of samples. `memory_sign_full` is what one session holds between messages, `memory_item` a banked item.
//!
//! `--sweep` prints curves instead, as tables of Markdown or with `--json` one object a row: `parties`, `batch`, `sessions`,
//! `network`; `--only` chooses among these, and `--svg DIR` writes the plots of what was chosen into a directory.

use std::{path::PathBuf, process::ExitCode};
use symbolon::{Role, Secp256k1, Suite};
use symbolon_benches::{
    Backups, Committee, Cost, Dero, Meter, World, Zcash, median, memory, ms, network::network, plot, sessions, sweep,
};
use symbolon_core::Ed25519;

/// Counts the bytes of the heap.
#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

const RUNS: usize = 41;
/// Runs of what takes less than a millisecond or two.
const FAST: usize = 201;
/// Keys that are refreshed in one run.
const BATCH: usize = 1000;

/// Milliseconds of all parties.
fn all(cost: &Cost) -> f64 {
    ms(cost.cpu.iter().sum())
}

/// What an operation is measured against.
struct Peer {
    suffix: &'static str,
    name: &'static str,
    note: &'static str,
}

const ZF: Peer = Peer { suffix: "zf", name: "the Zcash Foundation's", note: "messages are not authenticated" };
const ARK: Peer = Peer { suffix: "ark", name: "that of ark-bn254", note: "two plain multiplications and an addition" };

const SCRYPT: Peer = Peer { suffix: "scrypt", name: "scrypt alone", note: "N = 2^17, r = 8, p = 1" };

struct Report {
    json: bool,
    only: String,
    meter: Meter,
}

impl Report {
    fn wants(&self, op: &str) -> bool {
        op.starts_with(&self.only)
    }

    /// `keys` of one run share its cost. The first run is not counted, and may prepare what the others need.
    fn line(&mut self, op: &str, runs: usize, keys: usize, run: impl FnMut() -> Cost) {
        if !self.wants(op) {
            return;
        }
        let sample = self.meter.sample(runs, run);
        self.print(op, keys, &sample.costs, sample.kp, None, "");
    }

    /// An operation, and what it is measured against.
    fn against(
        &mut self,
        (op, peer): (&str, &Peer),
        (runs, keys): (usize, usize),
        mut ours: impl FnMut() -> Cost,
        mut theirs: impl FnMut() -> Cost,
    ) {
        if !self.wants(op) {
            return;
        }
        ours();
        theirs();
        let (mut of_ours, mut of_theirs, mut units) = (Vec::new(), Vec::new(), Vec::new());
        for run in 0..runs {
            // neither always runs first, with caches that something else has filled; and each ratio is of neighbours, which
            // see the same machine
            if run % 2 == 0 {
                of_ours.push(ours());
                of_theirs.push(theirs());
            } else {
                of_theirs.push(theirs());
                of_ours.push(ours());
            }
            units.push(self.meter.unit.sample());
        }
        let ratio = |(ours, theirs): (&Cost, &Cost)| all(ours) / all(theirs);
        let (unit, ratio) = (median(units), median(of_ours.iter().zip(&of_theirs).map(ratio).collect()));
        self.print(op, keys, &of_ours, unit, Some((ratio, peer)), "");
        self.print(&format!("{op}_{}", peer.suffix), keys, &of_theirs, unit, None, peer.note);
    }

    /// The most bytes of the heap that a run has at once, and those of what it is measured against.
    fn memory(&self, (op, peer): (&str, &Peer), mut ours: impl FnMut() -> Cost, mut theirs: impl FnMut() -> Cost) {
        if !self.wants(op) {
            return;
        }
        let most = |run: &mut dyn FnMut() -> Cost| {
            run();
            self.meter.peak(run).1
        };
        let (ours, theirs) = (most(&mut ours), most(&mut theirs));
        if self.json {
            let name = format!("peak_bytes_{}", peer.suffix);
            println!("{}", serde_json::json!({ "op": format!("{op}_memory"), "peak_bytes": ours, name: theirs }));
        } else {
            println!(
                "{:<22} {ours} bytes of memory at most, {theirs} of them for {}",
                format!("{op}_memory"),
                peer.name
            );
        }
    }

    /// Bytes that each of two parties holds; of several points, the most count.
    fn held(&self, op: &str, points: impl FnOnce(&Meter) -> [Vec<usize>; 2]) {
        if !self.wants(op) {
            return;
        }
        let points = points(&self.meter);
        let most = points.iter().flatten().copied().max().unwrap_or(0);
        if self.json {
            println!("{}", serde_json::json!({ "op": op, "bytes_held": most, "bytes_held_party": points }));
        } else {
            println!("{op:<22} {most} bytes at most, of server and client {points:?}");
        }
    }

    fn print(&self, op: &str, keys: usize, costs: &[Cost], unit: f64, ratio: Option<(f64, &Peer)>, note: &str) {
        let of = |f: &dyn Fn(&Cost) -> f64| median(costs.iter().map(f).collect()) / keys as f64;
        let all = of(&all);
        let last = &costs[costs.len() - 1];
        let party: Vec<_> = (0..last.cpu.len()).map(|i| of(&|c: &Cost| ms(c.cpu[i]))).collect();
        let bytes: Vec<_> = last.bytes.iter().map(|bytes| bytes.div_ceil(keys)).collect();
        if self.json {
            let mut line = serde_json::json!({
                "op": op, "cpu_ms_all": all, "cpu_ms_party": party, "bytes_party": bytes,
                "messages": last.messages, "per_kp": all / unit,
            });
            if let Some((ratio, peer)) = ratio {
                line[format!("ratio_{}", peer.suffix)] = ratio.into();
            }
            if !note.is_empty() {
                line["note"] = note.into();
            }
            println!("{line}");
            return;
        }
        let (party, bytes) = match party.len() {
            0..=9 => (party.iter().map(|ms| format!("{ms:.3}")).collect::<Vec<_>>().join(", "), format!("{bytes:?}")),
            n => (format!("{n} parties, {:.3} each", all / n as f64), format!("{} each", bytes[0])),
        };
        let note = match ratio {
            Some((ratio, peer)) => format!("; {ratio:.3} of {}", peer.name),
            None if note.is_empty() => String::new(),
            None => format!("; {note}"),
        };
        println!(
            "{op:<22} {:>8.1} kP {all:>9.3} ms ({party})  {} messages, bytes {bytes}{note}",
            all / unit,
            last.messages,
        );
    }
}

/// Made when it is needed first.
struct Lazy<T, F: Fn() -> T>(Option<T>, F);

impl<T, F: Fn() -> T> Lazy<T, F> {
    const fn new(make: F) -> Self {
        Self(None, make)
    }

    fn get(&mut self) -> &mut T {
        self.0.get_or_insert_with(&self.1)
    }
}

/// What was asked for.
#[derive(Default)]
struct Args {
    json: bool,
    sweep: bool,
    only: String,
    svg: Option<PathBuf>,
}

impl Args {
    fn parse(mut args: impl Iterator<Item = String>) -> Option<Self> {
        let mut asked = Self::default();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--json" => asked.json = true,
                "--sweep" => asked.sweep = true,
                "--only" => asked.only = args.next()?,
                "--svg" => asked.svg = Some(args.next()?.into()),
                _ => return None,
            }
        }
        (asked.sweep || asked.svg.is_none()).then_some(asked)
    }
}

fn main() -> ExitCode {
    let Some(args) = Args::parse(std::env::args().skip(1)) else {
        eprintln!("usage: report [--json] [--only PREFIX] | report --sweep [--json] [--only PREFIX] [--svg DIR]");
        return ExitCode::from(2);
    };
    let meter = Meter::new(&HEAP);
    if args.sweep {
        return match swept(meter, &args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("the plots: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let mut report = Report { json: args.json, only: args.only, meter };
    two_parties(&mut report);
    ecdsa(&mut report);
    frost(&mut report);
    let dero = Dero::new(12);
    report.against(("dero_verify", &ARK), (FAST, Dero::BATCH), || dero.verify(), || dero.plain());
    let mut backups = Lazy::new(|| Backups::new(13));
    report.against(("backup_open", &SCRYPT), (RUNS / 4, 1), || backups.get().open(), Backups::scrypt);
    report.memory(("backup_open", &SCRYPT), || backups.get().open(), Backups::scrypt);
    sizes(&report);
    ExitCode::SUCCESS
}

/// Tables to stdout, each when it is complete; plots to the directory.
fn swept(mut meter: Meter, args: &Args) -> std::io::Result<()> {
    let names = ["parties", "batch", "sessions", "network"].into_iter().filter(|name| name.starts_with(&args.only));
    for (i, name) in names.enumerate() {
        let table = match name {
            "parties" => sweep::parties(&mut meter, &sweep::PARTIES),
            "batch" => sweep::batch(&mut meter, usize::MAX),
            "sessions" => sessions(&mut meter, &sweep::SESSIONS),
            _ => network(&mut meter, RUNS),
        };
        if args.json {
            print!("{}", table.json());
        } else {
            print!("{}{}", if i > 0 { "\n" } else { "" }, table.markdown());
        }
        if let Some(directory) = &args.svg {
            std::fs::create_dir_all(directory)?;
            for (file, svg) in plot(&table) {
                std::fs::write(directory.join(file), svg)?;
            }
        }
    }
    Ok(())
}

fn two_parties(report: &mut Report) {
    let mut blake3 = Lazy::new(|| World::new(1, Suite::Blake3));
    let mut aes = Lazy::new(|| World::new(2, Suite::Aes));
    report.line("create_wallet", RUNS, 1, || blake3.get().create_wallet());
    report.line("pair_setup", RUNS, 1, || blake3.get().pair_setup());
    report.line("keygen", RUNS, 1, || blake3.get().keygen());
    report.line("convert", RUNS, 1, || blake3.get().convert());
    report.line("convert_aes", RUNS, 1, || aes.get().convert());
    report.line("preprocess", RUNS, 1, || blake3.get().preprocess(1).1);
    report.line("preprocess_64", RUNS / 4, 64, || blake3.get().preprocess(64).1);
    report.line("preprocess_64_aes", RUNS / 4, 64, || aes.get().preprocess(64).1);
    report.line("sign_full", RUNS, 1, || blake3.get().sign_full());
    report.line("sign_full_aes", RUNS, 1, || aes.get().sign_full());
    report.line("sign_stateless", RUNS, 1, || blake3.get().sign_stateless());
    let mut bank = Vec::new();
    report.line("sign_online", RUNS, 1, || {
        if bank.is_empty() {
            let ([s, c], _) = blake3.get().preprocess((RUNS + 1) as u16);
            bank.extend(s.into_iter().zip(c).map(|(s, c)| [s, c]));
        }
        blake3.get().sign_online(bank.pop().expect("one item for each run"))
    });
    for (suffix, suite) in [("", Suite::Blake3), ("_aes", Suite::Aes)] {
        report.held(&format!("memory_sign_full{suffix}"), |meter| {
            [Role::Server, Role::Client].map(|role| memory::sign_full(meter, suite, role))
        });
        report.held(&format!("memory_item{suffix}"), |meter| memory::items(meter, suite).map(|bytes| vec![bytes]));
    }
}

fn ecdsa(report: &mut Report) {
    let mut three = Lazy::new(|| Committee::<Secp256k1>::new(3, 2, 3).with_keys(1));
    report.line("dkg_2of3", RUNS, 1, || three.get().dkg());
    report.line("dkg_2of3_setups", RUNS, 1, || three.get().dkg_with_setups());
    report.line("dkg_5of9", RUNS / 4, 1, || Committee::<Secp256k1>::new(4, 5, 9).dkg());
    report.line("reshare_2of3", RUNS, 1, || three.get().refresh());
    let mut many = Lazy::new(|| Committee::<Secp256k1>::new(5, 2, 3).with_keys(BATCH));
    report.line("reshare_batch_1000", 3, BATCH, || many.get().refresh_batch());
    let mut five = Lazy::new(|| Committee::<Secp256k1>::new(7, 3, 5).with_keys(1).with_setups());
    report.line("sign_full_3of5", RUNS, 1, || five.get().sign_full());
    report.line("preprocess_3of5", RUNS, 1, || five.get().preprocess(1).1);
    let mut items = Vec::new();
    report.line("sign_online_3of5", RUNS, 1, || {
        if items.is_empty() {
            items = five.get().preprocess((RUNS + 1) as u16).0;
        }
        five.get().sign_online(items.iter_mut().map(|items| items.pop().expect("one for each run")).collect())
    });
}

fn frost(report: &mut Report) {
    let mut three = Lazy::new(|| Committee::<Ed25519>::new(8, 2, 3).with_keys(1));
    let mut zf = Lazy::new(|| Zcash::new(9, 2, 3));
    report.against(("frost_keygen_2of3", &ZF), (FAST, 1), || three.get().dkg(), || zf.get().keygen());
    report.against(("frost_sign_2of3", &ZF), (FAST, 1), || three.get().frost_sign(), || zf.get().sign());
    let mut items = Vec::new();
    report.line("frost_sign_online_2of3", FAST, 1, || {
        if items.is_empty() {
            items = three.get().frost_preprocess((FAST + 1) as u16).0;
        }
        three.get().frost_sign_online(items.iter_mut().map(|items| items.pop().expect("one for each run")).collect())
    });
    let mut hundred = Lazy::new(|| Committee::<Ed25519>::new(10, 67, 100).with_dealt_key());
    let mut zf = Lazy::new(|| Zcash::new(11, 67, 100));
    report.against(("frost_sign_67of100", &ZF), (3, 1), || hundred.get().frost_sign(), || zf.get().sign());
}

/// What a member sends as the committee grows, at a threshold of more than half.
fn sizes(report: &Report) {
    if !["dkg_size", "reshare_size"].iter().any(|op| report.wants(op)) {
        return;
    }
    for n in [2, 3, 5, 9, 21] {
        let threshold = n / 2 + 1;
        let mut committee = Committee::<Secp256k1>::new(6, threshold, n).with_keys(1);
        for (op, cost) in [("dkg_size", committee.dkg()), ("reshare_size", committee.refresh())] {
            if !report.wants(op) {
                continue;
            }
            // a dealer sends more than the others
            let bytes = cost.bytes.iter().copied().max().unwrap_or(0);
            let per_peer = bytes as f64 / f64::from(n - 1);
            if report.json {
                println!(
                    "{}",
                    serde_json::json!({
                        "op": op, "parties": n, "threshold": threshold, "bytes_party": bytes,
                        "bytes_per_peer": per_peer, "messages": cost.messages,
                    })
                );
            } else {
                println!(
                    "{op:<12} {threshold:>2} of {n:<2} {bytes:>6} bytes of a party, {per_peer:>6.1} for each peer, {} messages",
                    cost.messages
                );
            }
        }
    }
}
