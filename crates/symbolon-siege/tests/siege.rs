//! A short siege of every protocol with fixed seeds, and that a seed is a run.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};
use symbolon_siege::{
    all,
    campaign::{Length, Tally, campaign, lines, replay, sieges},
};
use symbolon_testkit::siege::{Action, Bytes, Verdict};

/// Protocols that make or use pair setups take a hundred times as long as others.
const HEAVY: [&str; 9] = [
    "convert",
    "pair-setup",
    "preprocess",
    "sign",
    "mta",
    "create",
    "sign-stateless",
    "committee-setup",
    "quorum-preprocess",
];

fn is_heavy(name: &str) -> bool {
    HEAVY.contains(&name) || name.starts_with("quorum")
}

fn besieged(heavy: bool, runs: u64) -> BTreeMap<&'static str, Tally> {
    let names: Vec<_> =
        all().into_iter().map(|(name, _)| name.to_owned()).filter(|name| is_heavy(name) == heavy).collect();
    let tallies = campaign(sieges(&names), Length::Runs(runs), 1, None, |_, _| ());
    assert_eq!(tallies.len(), names.len());
    for (name, tally) in &tallies {
        lines(name, tally).iter().for_each(|line| println!("{line}"));
        assert!(tally.is_clean(), "{name}: {:?} {:?}", tally.violations, tally.untouched);
        assert_eq!(tally.runs, runs);
        assert!(tally.lied * 3 > runs && tally.finished > 0, "{name}");
        assert!(tally.culprits[0] > 0, "{name}: no liar is named");
    }
    tallies
}

#[test]
fn every_light_protocol() {
    let tallies = besieged(false, 180);
    // nobody can switch the adversary off
    let happened = |action: Action| tallies.values().filter_map(|tally| tally.actions.get(&action)).sum::<usize>();
    for action in symbolon_testkit::siege::ACTIONS {
        assert!(happened(action) > 20, "{action:?} {}", happened(action));
    }
    for verdict in [Verdict::Refused, Verdict::Named, Verdict::Unnamed, Verdict::Silence] {
        let all = tallies.values().flat_map(|tally| &tally.verdicts);
        let sum: usize = all.filter(|((_, of), _)| *of == verdict).map(|(_, n)| n).sum();
        assert!(sum > 20, "{verdict:?} {sum}");
    }
}

#[test]
fn every_heavy_protocol() {
    besieged(true, 16);
}

/// What comes of a lie about each place of each message, by itself: as `verdicts.txt` says. A check that does not name its liar any
/// more, or is gone, changes a line. `SYMBOLON_UPDATE=1` writes the file anew, for review.
#[test]
fn a_lie_about_any_place_ends_as_it_did() {
    let mut table = String::new();
    for siege in sieges(&[]) {
        let tries = if is_heavy(siege.name()) { 3 } else { 6 };
        for place in siege.places() {
            let mut verdicts = BTreeSet::new();
            // a move may change nothing, and then the next one is tried
            for number in 1..60 {
                let report = siege.aim(place, number);
                assert!(report.violations.is_empty(), "{} {place} {number}: {:?}", siege.name(), report.violations);
                verdicts.extend(report.verdict.map(|(_, verdict)| (number, verdict)));
                if verdicts.len() == tries {
                    break;
                }
            }
            assert!(!verdicts.is_empty(), "{}: {place} is never altered", siege.name());
            let verdicts: BTreeSet<_> = verdicts.into_iter().map(|(_, verdict)| format!("{verdict:?}")).collect();
            let verdicts = verdicts.into_iter().collect::<Vec<_>>().join(" ").to_lowercase();
            table.push_str(&format!("{}\t{place}\t{verdicts}\n", siege.name()));
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts.txt");
    if std::env::var_os("SYMBOLON_UPDATE").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let known = fs::read_to_string(&path).unwrap();
    let changed: Vec<_> = table.lines().zip(known.lines()).filter(|(now, then)| now != then).collect();
    assert!(table == known, "now and then: {changed:#?}");
}

#[test]
fn a_seed_and_the_same_bytes_are_one_run() {
    let names: Vec<_> = ["dkg", "hand-over", "frost-sign", "keygen", "sign-online"].map(String::from).into();
    for siege in sieges(&names) {
        let mut traces = BTreeSet::new();
        for seed in 0..12 {
            let (one, other) = (replay(siege.as_ref(), seed), replay(siege.as_ref(), seed));
            assert_eq!((one.trace, &one.log), (other.trace, &other.log));
            assert!(one.violations.is_empty() && !one.log.is_empty());
            traces.insert(one.trace);
        }
        assert_eq!(traces.len(), 12, "no two seeds are one run");
        let bytes: Vec<u8> = (0..200u8).map(|i| i.wrapping_mul(37)).collect();
        let play = || siege.run(&mut Bytes::new(&bytes), 3, true);
        assert_eq!(play().log, play().log);
        // nothing more to say: an honest run on a calm network
        let calm = siege.run(&mut Bytes::new(&[]), 3, false);
        assert_eq!((calm.told.len(), calm.ends[1] + calm.ends[2]), (0, 0));
    }
}

#[test]
fn the_tables_cover_every_message() {
    let all = sieges(&[]);
    let messages: usize = all.iter().map(|siege| siege.covers().unwrap()).sum();
    println!("{} protocols, {messages} messages", all.len());
    assert!(all.len() == 28 && messages > 250, "{messages}");
    for siege in &all {
        let places = siege.places();
        for (round, broadcast, field, reason) in siege.free() {
            let named =
                places.iter().any(|place| (place.round, place.broadcast, place.field) == (*round, *broadcast, *field));
            assert!(named && reason.len() > 20, "{} {round} {field}", siege.name());
        }
    }
}
