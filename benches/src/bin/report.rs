//! `cargo run --release -p symbolon-benches --bin report -- --json`: what each operation costs, in CPU time, bytes,
//! messages, and in units of one k256 variable-base multiplication ("kP") taken in the same run. Bytes and messages are
//! what sessions hand out: a broadcast counts once, as over a relay. `--only PREFIX` leaves out operations whose names do not
//! begin so. Operations that end in `_zf` are those of the Zcash Foundation's crate, without authentication of messages, the one in
//! `_ark` is two plain multiplications and an addition of `ark-bn254`; `_scrypt` is that
//! function alone at the cost of a backup's password; `ratio_zf`, `ratio_ark`, `ratio_scrypt` are the median of our time over
//! theirs, of pairs of samples.

use k256::{ProjectivePoint, Scalar, elliptic_curve::Field};
use std::{hint::black_box, process::ExitCode, time::Duration};
use symbolon::{Secp256k1, Suite};
use symbolon_benches::{Backups, Committee, Cost, Dero, World, Zcash, cpu};
use symbolon_core::Ed25519;
use symbolon_testkit::seeded;

/// Counts the bytes of the heap.
#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

const RUNS: usize = 41;
/// Runs of what takes less than a millisecond or two.
const FAST: usize = 201;
/// Keys that are refreshed in one run.
const BATCH: usize = 1000;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The time of `k*P`.
struct Unit {
    scalars: Vec<Scalar>,
    point: ProjectivePoint,
}

impl Unit {
    fn new() -> Self {
        let mut rng = seeded(1);
        let scalars = (0..32).map(|_| Scalar::random(&mut rng)).collect();
        let mut unit = Self { scalars, point: ProjectivePoint::GENERATOR };
        // in the first milliseconds of a process kP reads half too slow
        let warm = cpu();
        while cpu() - warm < Duration::from_millis(300) {
            unit.sample();
        }
        unit
    }

    /// Milliseconds of one `k*P`, over a batch so that the clock's grain does not show.
    fn sample(&mut self) -> f64 {
        let before = cpu();
        for k in &self.scalars {
            self.point = black_box(self.point) * black_box(k);
        }
        ms(cpu() - before) / self.scalars.len() as f64
    }
}

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
    unit: Unit,
}

impl Report {
    fn wants(&self, op: &str) -> bool {
        op.starts_with(&self.only)
    }

    /// `keys` of one run share its cost. The first run is not counted, and may prepare what the others need.
    fn line(&mut self, op: &str, runs: usize, keys: usize, mut run: impl FnMut() -> Cost) {
        if !self.wants(op) {
            return;
        }
        run();
        // kP is taken between the runs, so that both see the same machine
        let (mut costs, mut units) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            costs.push(run());
            units.push(self.unit.sample());
        }
        self.print(op, keys, &costs, median(units), None, "");
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
            units.push(self.unit.sample());
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
            let before = HEAP.current_usage();
            HEAP.reset_peak_usage();
            run();
            HEAP.peak_usage().saturating_sub(before)
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

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (json, only) = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => (false, ""),
        ["--json"] => (true, ""),
        ["--only", only] => (false, only),
        ["--json", "--only", only] | ["--only", only, "--json"] => (true, only),
        _ => {
            eprintln!("usage: report [--json] [--only PREFIX]");
            return ExitCode::from(2);
        }
    };
    let mut report = Report { json, only: only.into(), unit: Unit::new() };
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

fn two_parties(report: &mut Report) {
    let mut blake3 = Lazy::new(|| World::new(1, Suite::Blake3));
    let mut aes = Lazy::new(|| World::new(2, Suite::Aes));
    report.line("create_wallet", RUNS, 1, || blake3.get().create_wallet());
    report.line("pair_setup", RUNS, 1, || blake3.get().pair_setup());
    report.line("keygen", RUNS, 1, || blake3.get().keygen());
    report.line("convert", RUNS, 1, || blake3.get().convert());
    report.line("preprocess", RUNS, 1, || blake3.get().preprocess(1).1);
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
