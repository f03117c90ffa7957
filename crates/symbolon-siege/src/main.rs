//! `cargo run --release -p symbolon-siege -- --minutes 30`: see the README.

#![allow(
    clippy::disallowed_methods,
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::indexing_slicing,
    reason = "a program: it has a clock"
)]

use std::{
    collections::BTreeMap,
    io::Write,
    process::ExitCode,
    time::{Duration, SystemTime},
};
use symbolon_siege::campaign::{Heap, Length, Tally, campaign, lines, replay, sieges, verdicts};

/// Counts the bytes of the heap.
#[global_allocator]
static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

const USAGE: &str = "usage: symbolon-siege (--minutes N | --runs N) [--protocol NAME]... [--seed S] [--json]
       symbolon-siege --protocol NAME --seed S";

struct Arguments {
    length: Option<Length>,
    protocols: Vec<String>,
    seed: Option<u64>,
    json: bool,
}

fn arguments() -> Option<Arguments> {
    let mut arguments = Arguments { length: None, protocols: Vec::new(), seed: None, json: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--minutes" => {
                let minutes = words.next()?.parse::<f64>().ok().filter(|minutes| *minutes > 0.0)?;
                arguments.length = Some(Length::Time(Duration::try_from_secs_f64(minutes * 60.0).ok()?));
            }
            "--runs" => arguments.length = Some(Length::Runs(words.next()?.parse().ok().filter(|runs| *runs > 0)?)),
            "--protocol" => arguments.protocols.push(words.next()?),
            "--seed" => arguments.seed = Some(words.next()?.parse().ok()?),
            "--json" => arguments.json = true,
            _ => return None,
        }
    }
    Some(arguments)
}

/// A line that is written over, and a line that stays for what was found since: `known` so far.
fn progress(tallies: &BTreeMap<&'static str, Tally>, so_far: Duration, known: &mut BTreeMap<&'static str, usize>) {
    for (name, tally) in tallies {
        let known = known.entry(name).or_default();
        for (number, what) in tally.violations.iter().skip(*known) {
            eprintln!("\rVIOLATION: {what}; again: --protocol '{name}' --seed {number}");
        }
        *known = tally.violations.len();
    }
    let sum = |of: fn(&Tally) -> u64| tallies.values().map(of).sum::<u64>();
    let (runs, lied) = (sum(|tally| tally.runs), sum(|tally| tally.lied));
    let (right, found) = (
        tallies.values().map(|tally| tally.culprits[0]).sum::<usize>(),
        tallies.values().map(|tally| tally.violations.len()).sum::<usize>(),
    );
    let seconds = so_far.as_secs();
    eprint!("\r{seconds:5} s  {runs} runs, {lied} with lies, {right} culprits named, {found} violations ");
    let _ = std::io::stderr().flush();
}

fn json(tallies: &BTreeMap<&'static str, Tally>) -> serde_json::Value {
    let of = |tally: &Tally| {
        let mut fields: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        for ((place, verdict), n) in &tally.verdicts {
            fields.entry(place.to_string()).or_default().insert(format!("{verdict:?}").to_lowercase(), *n);
        }
        let actions: BTreeMap<_, _> =
            tally.actions.iter().map(|(action, n)| (format!("{action:?}").to_lowercase(), *n)).collect();
        let [right, wrong, missing] = tally.culprits;
        serde_json::json!({
            "runs": tally.runs,
            "finished": tally.finished,
            "lied": tally.lied,
            "poisoned": tally.poisoned,
            "actions": actions,
            "fields": fields,
            "culprits": { "right": right, "wrong": wrong, "missing": missing },
            "panics": tally.panics,
            "played_twice": tally.twice[0],
            "peak_bytes": tally.peak,
            "untouched": tally.untouched.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "violations": tally.violations,
        })
    };
    tallies.iter().map(|(name, tally)| ((*name).to_owned(), of(tally))).collect::<serde_json::Map<_, _>>().into()
}

/// Plays one run with every action.
fn again(protocols: &[String], seed: u64) -> ExitCode {
    let all = sieges(&[]);
    let Some(siege) = all.iter().find(|siege| protocols.iter().any(|name| name == siege.name())) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let report = replay(siege.as_ref(), seed);
    report.log.iter().for_each(|line| println!("{line}"));
    println!("{:?}, told {:?}, verdict {:?}, trace {:x}", report.ends, report.told, report.verdict, report.trace);
    if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn main() -> ExitCode {
    let Some(Arguments { length, protocols, seed, json: as_json }) = arguments() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let (Some(length), first) = (length, seed) else {
        return match seed {
            Some(seed) => again(&protocols, seed),
            None => {
                eprintln!("{USAGE}");
                ExitCode::from(2)
            }
        };
    };
    let clock = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    // without a seed every campaign is another one
    let first = first.unwrap_or_else(|| clock().wrapping_mul(1 << 24));
    let all = sieges(&[]);
    let named = |name: &&String| !all.iter().any(|siege| siege.name() == name.as_str());
    if let Some(unknown) = protocols.iter().find(named) {
        let names: Vec<_> = all.iter().map(|siege| siege.name()).collect();
        eprintln!("no protocol {unknown}; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let chosen: Vec<_> = all
        .into_iter()
        .filter(|siege| protocols.is_empty() || protocols.iter().any(|name| name == siege.name()))
        .collect();
    let heap = Heap { live: || HEAP.current_usage(), peak: || HEAP.peak_usage(), reset: || HEAP.reset_peak_usage() };
    let mut known = BTreeMap::new();
    let tallies = campaign(chosen, length, first, Some(heap), |tallies, so_far| progress(tallies, so_far, &mut known));
    eprintln!();
    if as_json {
        println!("{}", json(&tallies));
    } else {
        tallies.iter().flat_map(|(name, tally)| lines(name, tally)).for_each(|line| println!("{line}"));
        let sum = |of: fn(&Tally) -> usize| tallies.values().map(of).sum::<usize>();
        let runs: u64 = tallies.values().map(|tally| tally.runs).sum();
        println!(
            "{} protocols, {runs} runs from seed {first}; alone: {:?}; culprits {} right, {} wrong, {} missing; {} panics; {} violations",
            tallies.len(),
            verdicts(&tallies),
            sum(|tally| tally.culprits[0]),
            sum(|tally| tally.culprits[1]),
            sum(|tally| tally.culprits[2]),
            sum(|tally| tally.panics),
            sum(|tally| tally.violations.len()),
        );
    }
    if tallies.values().all(Tally::is_clean) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
