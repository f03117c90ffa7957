//! `cargo run --release -p symbolon-benches --bin report -- --json`: what each operation costs, in CPU time, bytes,
//! messages, and in units of one k256 variable-base multiplication ("kP") taken in the same run. Bytes and messages are
//! what sessions hand out: a broadcast counts once, as over a relay.

use k256::{ProjectivePoint, Scalar, elliptic_curve::Field};
use std::{hint::black_box, process::ExitCode, time::Duration};
use symbolon::Suite;
use symbolon_benches::{Committee, Cost, World, cpu};
use symbolon_testkit::seeded;

const RUNS: usize = 41;
/// Keys that are refreshed in one run.
const BATCH: usize = 1000;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Milliseconds of one `k*P`, over a batch so that the clock's grain does not show.
fn kp(scalars: &[Scalar], point: &mut ProjectivePoint) -> f64 {
    let before = cpu();
    for k in scalars {
        *point = black_box(*point) * black_box(k);
    }
    ms(cpu() - before) / scalars.len() as f64
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let json = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--json"] => true,
        _ => {
            eprintln!("usage: report [--json]");
            return ExitCode::from(2);
        }
    };
    let mut rng = seeded(1);
    let scalars: Vec<_> = (0..32).map(|_| Scalar::random(&mut rng)).collect();
    let mut point = ProjectivePoint::GENERATOR;
    // in the first milliseconds of a process kP reads half too slow
    let warm = cpu();
    while cpu() - warm < Duration::from_millis(300) {
        kp(&scalars, &mut point);
    }
    let mut blake3 = World::new(1, Suite::Blake3);
    let mut aes = World::new(2, Suite::Aes);
    let mut bank: Vec<_> = {
        let ([s, c], _) = blake3.preprocess((RUNS + 1) as u16);
        s.into_iter().zip(c).map(|(s, c)| [s, c]).collect()
    };
    // `keys` of one run share its cost
    let mut line = |op: &str, runs: usize, keys: usize, run: &mut dyn FnMut() -> Cost| {
        run();
        // kP is taken between the runs, so that both see the same machine
        let (mut costs, mut units) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            costs.push(run());
            units.push(kp(&scalars, &mut point));
        }
        let unit = median(units);
        let of = |f: &dyn Fn(&Cost) -> f64| median(costs.iter().map(f).collect()) / keys as f64;
        let all = of(&|c| ms(c.cpu.iter().sum()));
        let last = &costs[costs.len() - 1];
        let party: Vec<_> = (0..last.cpu.len()).map(|i| of(&|c: &Cost| ms(c.cpu[i]))).collect();
        let bytes: Vec<_> = last.bytes.iter().map(|bytes| bytes.div_ceil(keys)).collect();
        if json {
            println!(
                "{}",
                serde_json::json!({
                    "op": op, "cpu_ms_all": all, "cpu_ms_party": party, "bytes_party": bytes,
                    "messages": last.messages, "per_kp": all / unit,
                })
            );
        } else {
            let party: Vec<_> = party.iter().map(|ms| format!("{ms:.3}")).collect();
            println!(
                "{op:<18} {:>8.1} kP {all:>9.3} ms ({})  {} messages, bytes {bytes:?}",
                all / unit,
                party.join(", "),
                last.messages,
            );
        }
    };
    line("create_wallet", RUNS, 1, &mut || blake3.create_wallet());
    line("pair_setup", RUNS, 1, &mut || blake3.pair_setup());
    line("keygen", RUNS, 1, &mut || blake3.keygen());
    line("convert", RUNS, 1, &mut || blake3.convert());
    line("preprocess", RUNS, 1, &mut || blake3.preprocess(1).1);
    line("sign_full", RUNS, 1, &mut || blake3.sign_full());
    line("sign_full_aes", RUNS, 1, &mut || aes.sign_full());
    line("sign_stateless", RUNS, 1, &mut || blake3.sign_stateless());
    line("sign_online", RUNS, 1, &mut || blake3.sign_online(bank.pop().expect("one item for each run")));
    let mut three = Committee::new(3, 2, 3).with_keys(1);
    line("dkg_2of3", RUNS, 1, &mut || three.dkg());
    line("dkg_2of3_setups", RUNS, 1, &mut || three.dkg_with_setups());
    line("dkg_5of9", RUNS / 4, 1, &mut || Committee::new(4, 5, 9).dkg());
    line("reshare_2of3", RUNS, 1, &mut || three.refresh());
    let mut many = Committee::new(5, 2, 3).with_keys(BATCH);
    line("reshare_batch_1000", 3, BATCH, &mut || many.refresh_batch());
    let mut five = Committee::new(7, 3, 5).with_keys(1).with_setups();
    line("sign_full_3of5", RUNS, 1, &mut || five.sign_full());
    line("preprocess_3of5", RUNS, 1, &mut || five.preprocess(1).1);
    let mut items: Vec<_> = five.preprocess((RUNS + 1) as u16).0.into_iter().map(Vec::into_iter).collect();
    line("sign_online_3of5", RUNS, 1, &mut || {
        five.sign_online(items.iter_mut().map(|items| items.next().expect("one for each run")).collect())
    });
    sizes(json);
    ExitCode::SUCCESS
}

/// What a member sends as the committee grows, at a threshold of more than half.
fn sizes(json: bool) {
    for n in [2, 3, 5, 9, 21] {
        let threshold = n / 2 + 1;
        let mut committee = Committee::new(6, threshold, n).with_keys(1);
        for (op, cost) in [("dkg_size", committee.dkg()), ("reshare_size", committee.refresh())] {
            // a dealer sends more than the others
            let bytes = cost.bytes.iter().copied().max().unwrap_or(0);
            let per_peer = bytes as f64 / f64::from(n - 1);
            if json {
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
