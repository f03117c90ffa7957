//! `cargo run --release --bin count`: how many instructions the main operations take, all parties together, as
//! callgrind counts them (valgrind must be installed). They don't depend on the machine's load, so that a regression shows where a time
//! does not: the program fails if one is more than [`TOLERANCE`] away from `counts.txt`, above or below. `-- --update` writes that file.
//!
//! valgrind's processor has AVX2, but neither AVX-512 nor SHA instructions: hashes weigh more here than in a time. Another compiler may
//! give other counts.

use std::{collections::BTreeMap, hint::black_box, path::Path, process::Command, process::ExitCode};
use symbolon::{Preprocessed, Secp256k1, Suite};
use symbolon_benches::{Committee, Dero, World};
use symbolon_core::{Ed25519, Group, SeedRng};

/// The largest change that passes, in percent.
const TOLERANCE: u64 = 3;
/// Items of a counted batch.
const BATCH: u16 = 4;

/// What the operations need; made before, and used by all of them in turn.
struct Ready {
    blake3: World,
    aes: World,
    ecdsa: Committee<Secp256k1>,
    frost: Committee<Ed25519>,
    dero: Dero,
    bank: Option<[Preprocessed; 2]>,
}

/// Each operation is a function of its own, by whose name callgrind's output is read.
macro_rules! operations {
    ($($(#[$doc:meta])* $name:ident($ready:ident) $run:block)*) => {
        $($(#[$doc])* #[inline(never)] fn $name($ready: &mut Ready) { black_box($run); })*
        const OPERATIONS: &[(&str, fn(&mut Ready))] = &[$((stringify!($name), $name)),*];
    };
}

operations! {
    /// The unit of the report, `k*P`.
    scalar_multiplication(_ready) {
        let k = Secp256k1::random_scalar(&mut SeedRng::new(&[1; 32]));
        Secp256k1::mul(&Secp256k1::generator(), black_box(&k))
    }
    create_wallet(ready) { ready.blake3.create_wallet() }
    keygen(ready) { ready.blake3.keygen() }
    convert(ready) { ready.blake3.convert() }
    convert_aes(ready) { ready.aes.convert() }
    preprocess_batch(ready) { ready.blake3.preprocess(BATCH) }
    preprocess_batch_aes(ready) { ready.aes.preprocess(BATCH) }
    sign_full(ready) { ready.blake3.sign_full() }
    sign_full_aes(ready) { ready.aes.sign_full() }
    sign_online(ready) { ready.blake3.sign_online(ready.bank.take().expect("one item a side")) }
    dkg_2of3(ready) { ready.ecdsa.dkg() }
    reshare_2of3(ready) { ready.ecdsa.refresh() }
    frost_sign_2of3(ready) { ready.frost.frost_sign() }
    dero_verify(ready) { ready.dero.verify() }
}

/// What valgrind runs.
fn run() {
    let mut blake3 = World::new(1, Suite::Blake3);
    let ([s, c], _) = blake3.preprocess(1);
    let bank = s.into_iter().zip(c).map(|(s, c)| [s, c]).next();
    let mut ready = Ready {
        blake3,
        aes: World::new(2, Suite::Aes),
        ecdsa: Committee::new(3, 2, 3).with_keys(1),
        frost: Committee::new(4, 2, 3).with_keys(1),
        dero: Dero::new(5),
        bank,
    };
    OPERATIONS.iter().for_each(|(_, operation)| operation(&mut ready));
}

/// Instructions of each operation with all that it calls.
fn counted() -> Result<BTreeMap<String, u64>, String> {
    let me = std::env::current_exe().map_err(|error| error.to_string())?;
    let out = me.with_extension("callgrind");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--quiet", "--compress-strings=no", "--compress-pos=no"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .args([me.as_os_str(), "run".as_ref()])
        .status();
    match valgrind {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("valgrind ended with {status}")),
        Err(error) => return Err(format!("{error}: this needs valgrind, as by apt-get install valgrind")),
    }
    let profile = std::fs::read_to_string(&out).map_err(|error| format!("{}: {error}", out.display()))?;
    Ok(inclusive(&profile))
}

/// Of callgrind's format: after `cfn=` and `calls=` stands the cost of these calls, with all that they led to.
fn inclusive(profile: &str) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let (mut callee, mut lines) = ("", profile.lines());
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("cfn=") {
            callee = name;
        } else if line.starts_with("calls=")
            && let Some(cost) = lines.next().and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
            && let Some(name) = callee.strip_prefix("count::")
            && OPERATIONS.iter().any(|operation| operation.0 == name)
        {
            *counts.entry(name.to_string()).or_default() += cost;
        }
    }
    counts
}

/// Lines of a name, a tab and a count.
fn pinned(text: &str) -> BTreeMap<&str, u64> {
    text.lines()
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(name, count)| Some((name, count.parse().ok()?)))
        .collect()
}

/// Prints the table. Whether every operation was counted, and is as it was.
fn judge(counts: &BTreeMap<String, u64>, pinned: &BTreeMap<&str, u64>) -> bool {
    let unit = counts.get("scalar_multiplication").copied().unwrap_or(1);
    let mut good = true;
    for (name, _) in OPERATIONS {
        let Some(count) = counts.get(*name) else {
            println!("{name:<24} NOT COUNTED");
            good = false;
            continue;
        };
        let pinned = pinned.get(name).copied();
        let verdict = match pinned {
            None => "NOT PINNED",
            Some(pinned) if 100 * count > (100 + TOLERANCE) * pinned => "SLOWER",
            Some(pinned) if 100 * count < (100 - TOLERANCE) * pinned => "FASTER: pin it with --update",
            Some(_) => "",
        };
        good &= verdict.is_empty();
        let change = |pinned| format!("{:+.1} %", 100.0 * (*count as f64 / pinned as f64 - 1.0));
        let change = pinned.map_or(String::new(), change);
        println!("{name:<24} {count:>12} {:>7.1} kP {change:>8} {verdict}", *count as f64 / unit as f64);
    }
    good
}

fn main() -> ExitCode {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("counts.txt");
    let update = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--update") => true,
        Some("run") => {
            run();
            return ExitCode::SUCCESS;
        }
        Some(other) => {
            eprintln!("unknown argument {other}; usage: count [--update]");
            return ExitCode::from(2);
        }
    };
    let counts = match counted() {
        Ok(counts) => counts,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    if update {
        let lines: String =
            OPERATIONS.iter().filter_map(|(name, _)| Some(format!("{name}\t{}\n", counts.get(*name)?))).collect();
        if let Err(error) = std::fs::write(&file, lines) {
            eprintln!("{}: {error}", file.display());
            return ExitCode::FAILURE;
        }
    }
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    if !judge(&counts, &pinned(&text)) {
        return ExitCode::FAILURE;
    }
    println!("every count is within {TOLERANCE} % of what is pinned");
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inclusive_costs_are_read_from_callgrind_s_output() {
        let profile = "events: Ir\n\nfn=count::run\n10 5\ncfi=x.rs\ncfn=count::keygen\ncalls=1 20\n11 700\n\
            cfn=other::keygen\ncalls=2 20\n12 9000\ncfn=count::keygen\ncalls=1 20\n13 50\nfn=count::keygen\n20 1\n";
        assert_eq!(inclusive(profile), BTreeMap::from([("keygen".to_string(), 750)]));
    }

    #[test]
    fn a_change_of_more_than_the_tolerance_or_a_missing_count_is_seen() {
        let counts = |keygen: u64| -> BTreeMap<String, u64> {
            OPERATIONS
                .iter()
                .map(|(name, _)| (name.to_string(), if *name == "keygen" { keygen } else { 1000 }))
                .collect()
        };
        let text: String = OPERATIONS.iter().map(|(name, _)| format!("{name}\t1000\n")).collect();
        for (keygen, good) in [(1000, true), (1030, true), (970, true), (1031, false), (969, false)] {
            assert_eq!(judge(&counts(keygen), &pinned(&text)), good, "{keygen}");
        }
        let mut without = counts(1000);
        without.remove("convert");
        assert!(!judge(&without, &pinned(&text)));
        assert!(!judge(&counts(1000), &pinned(&text.replace("convert\t", "converts\t"))));
    }
}
