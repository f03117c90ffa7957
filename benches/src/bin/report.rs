//! `cargo run --release -p symbolon-benches --bin report -- --json`: what each operation costs, in CPU time, bytes,
//! messages, and in units of one k256 variable-base multiplication ("kP") taken in the same run.

use k256::{ProjectivePoint, Scalar, elliptic_curve::Field};
use std::{hint::black_box, process::ExitCode, time::Duration};
use symbolon::Suite;
use symbolon_benches::{Cost, World, cpu};
use symbolon_testkit::seeded;

const RUNS: usize = 41;

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
    let mut line = |op: &str, run: &mut dyn FnMut() -> Cost| {
        run();
        // kP is taken between the runs, so that both see the same machine
        let (mut costs, mut units) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            costs.push(run());
            units.push(kp(&scalars, &mut point));
        }
        let unit = median(units);
        let of = |f: &dyn Fn(&Cost) -> f64| median(costs.iter().map(f).collect());
        let all = of(&|c| ms(c.cpu[0] + c.cpu[1]));
        let party = [0, 1].map(|i| of(&|c: &Cost| ms(c.cpu[i])));
        let last = costs[costs.len() - 1];
        if json {
            println!(
                "{}",
                serde_json::json!({
                    "op": op, "cpu_ms_all": all, "cpu_ms_party": party, "bytes_party": last.bytes,
                    "messages": last.messages, "per_kp": all / unit,
                })
            );
        } else {
            println!(
                "{op:<16} {:>8.1} kP {all:>9.3} ms (server {:.3}, client {:.3})  {} messages, bytes server {} client {}",
                all / unit,
                party[0],
                party[1],
                last.messages,
                last.bytes[0],
                last.bytes[1]
            );
        }
    };
    line("create_wallet", &mut || blake3.create_wallet());
    line("pair_setup", &mut || blake3.pair_setup());
    line("keygen", &mut || blake3.keygen());
    line("convert", &mut || blake3.convert());
    line("preprocess", &mut || blake3.preprocess(1).1);
    line("sign_full", &mut || blake3.sign_full());
    line("sign_full_aes", &mut || aes.sign_full());
    line("sign_stateless", &mut || blake3.sign_stateless());
    line("sign_online", &mut || blake3.sign_online(bank.pop().expect("one item for each run")));
    ExitCode::SUCCESS
}
