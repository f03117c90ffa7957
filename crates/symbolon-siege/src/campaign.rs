//! Many runs of many protocols, and what came of them.

use crate::{Make, all};
use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};
use symbolon_testkit::siege::{ACTIONS, Action, Besieged, Move, Place, Report, STORED, Seed, VERDICTS, Verdict};

/// The counters of a heap.
#[derive(Clone, Copy)]
pub struct Heap {
    /// Bytes in use.
    pub live: fn() -> usize,
    /// The most bytes in use since the last reset.
    pub peak: fn() -> usize,
    /// Sets the peak to what is in use.
    pub reset: fn(),
}

/// How long a campaign lasts.
#[derive(Clone, Copy, Debug)]
pub enum Length {
    /// Of wall clock, over all protocols.
    Time(Duration),
    /// Of every protocol.
    Runs(u64),
}

/// What came of one protocol.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Runs in which every honest party has a result.
    pub finished: u64,
    /// Runs with a lie.
    pub lied: u64,
    /// Runs that met a first frame of another run before the true one.
    pub poisoned: u64,
    /// How often each action happened.
    pub actions: BTreeMap<Action, usize>,
    /// How often each move altered something.
    pub moves: BTreeMap<Move, usize>,
    /// What came of each place, in the runs in which nothing else was altered.
    pub verdicts: BTreeMap<(Place, Verdict), usize>,
    /// How often each place was altered in any run.
    pub altered: BTreeMap<Place, usize>,
    /// Aborts that named a corrupt party, an honest one, and nobody where evidence names somebody.
    pub culprits: [usize; 3],
    /// Runs that panicked.
    pub panics: usize,
    /// Runs that were played twice, and how many of them left something on the heap or were not the same.
    pub twice: [usize; 2],
    /// The most bytes that a run had on the heap.
    pub peak: usize,
    /// Number and text of what must not be.
    pub violations: Vec<(u64, String)>,
    /// What was never altered although there were enough runs.
    pub untouched: Vec<Place>,
    /// Spent on it.
    pub time: Duration,
}

/// So many violations of one protocol are kept; it then rests.
const ENOUGH: usize = 20;
/// Runs of a protocol for each of its places after which each of them must have been altered.
const RUNS_PER_PLACE: u64 = 24;
/// Every so many runs one is played twice.
const TWICE: u64 = 8;

impl Tally {
    fn add(&mut self, number: u64, report: Report) {
        self.finished += u64::from(report.ends[1] + report.ends[2] == 0);
        self.poisoned += u64::from(report.poisoned);
        report.actions.into_iter().for_each(|(action, n)| *self.actions.entry(action).or_default() += n);
        let altered: Vec<_> = report.told.iter().filter(|told| told.altered).collect();
        self.lied += u64::from(!altered.is_empty());
        altered.iter().for_each(|told| *self.moves.entry(told.how).or_default() += 1);
        let places: BTreeSet<_> = altered.iter().map(|told| told.place).collect();
        places.into_iter().for_each(|place| *self.altered.entry(place).or_default() += 1);
        if let Some(verdict) = report.verdict {
            *self.verdicts.entry(verdict).or_default() += 1;
        }
        for (sum, n) in self.culprits.iter_mut().zip([report.right, report.wrong, report.unnamed]) {
            *sum += n;
        }
        self.violations.extend(report.violations.into_iter().map(|what| (number, what)));
    }

    /// Nothing was found.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty() && self.panics == 0 && self.twice[1] == 0 && self.untouched.is_empty()
    }
}

/// One protocol of a campaign.
struct Front {
    siege: Box<dyn Besieged>,
    tally: Tally,
    next: u64,
}

impl Front {
    fn strike(&mut self, heap: Option<Heap>) {
        let began = Instant::now();
        let number = self.next;
        self.next += 1;
        self.tally.runs += 1;
        if let Some(heap) = heap {
            (heap.reset)();
        }
        let before = heap.map(|heap| (heap.live)());
        let siege = &self.siege;
        let play = || catch_unwind(AssertUnwindSafe(|| siege.run(&mut Seed::new(number), number, false)));
        match play() {
            Err(_) => {
                self.tally.panics += 1;
                self.tally.violations.push((number, "a panic".into()));
            }
            Ok(report) => {
                if let (Some(heap), Some(before)) = (heap, before) {
                    self.tally.peak = self.tally.peak.max((heap.peak)().saturating_sub(before));
                }
                if number.is_multiple_of(TWICE) {
                    // the second time nothing is made for the first time
                    let before = heap.map(|heap| (heap.live)());
                    let trace = play().map_or(0, |report| report.trace);
                    let after = heap.map(|heap| (heap.live)());
                    self.tally.twice[0] += 1;
                    if trace != report.trace {
                        self.tally.twice[1] += 1;
                        self.tally.violations.push((number, "the same seed is another run".into()));
                    }
                    if after > before {
                        self.tally.twice[1] += 1;
                        self.tally.violations.push((number, format!("bytes on the heap: {before:?}, then {after:?}")));
                    }
                }
                self.tally.add(number, report);
            }
        }
        self.tally.time += began.elapsed();
    }

    /// What was never altered, if there were enough runs.
    fn untouched(&mut self) {
        let places = self.siege.places();
        if self.tally.runs >= RUNS_PER_PLACE * u64::try_from(places.len()).unwrap_or(u64::MAX) {
            self.tally.untouched = places.into_iter().filter(|place| !self.tally.altered.contains_key(place)).collect();
        }
    }
}

/// Makes the sieges of these protocols, and lets their adversaries record each other's frames. An empty list is all.
///
/// # Panics
/// If a table of fields does not cover its message.
pub fn sieges(names: &[String]) -> Vec<Box<dyn Besieged>> {
    let wanted = |(name, _): &(&'static str, Make)| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let mut sieges: Vec<_> = all().into_iter().filter(wanted).map(|(_, make)| make()).collect();
    let strays: Vec<_> = sieges.iter().map(|siege| siege.strays().to_vec()).collect();
    for (i, siege) in sieges.iter_mut().enumerate() {
        siege.covers().unwrap();
        for (_, strays) in strays.iter().enumerate().filter(|(j, _)| *j != i) {
            // large ones tell nothing that small ones don't
            let few: Vec<_> = strays.iter().filter(|stray| stray.bytes.len() < 4096).take(6).cloned().collect();
            siege.hears(&few);
        }
    }
    sieges
}

/// Runs a campaign from number `first`. `progress` is told now and then what there is.
pub fn campaign(
    sieges: Vec<Box<dyn Besieged>>,
    length: Length,
    first: u64,
    heap: Option<Heap>,
    mut progress: impl FnMut(&BTreeMap<&'static str, Tally>, Duration),
) -> BTreeMap<&'static str, Tally> {
    let began = Instant::now();
    let mut fronts: Vec<_> =
        sieges.into_iter().map(|siege| Front { siege, tally: Tally::default(), next: first }).collect();
    let mut told = Instant::now();
    let tallies = |fronts: &[Front]| fronts.iter().map(|front| (front.siege.name(), front.tally.clone())).collect();
    loop {
        let open = |front: &&mut Front| {
            let more = match length {
                Length::Time(time) => began.elapsed() < time,
                Length::Runs(runs) => front.tally.runs < runs,
            };
            more && front.tally.violations.len() < ENOUGH
        };
        // of equal time for all, so that the slow ones are not starved
        let Some(front) = fronts.iter_mut().filter(open).min_by_key(|front| front.tally.time) else { break };
        front.strike(heap);
        if told.elapsed() > Duration::from_millis(600) {
            told = Instant::now();
            progress(&tallies(&fronts), began.elapsed());
        }
    }
    fronts.iter_mut().for_each(Front::untouched);
    tallies(&fronts)
}

/// One run again, with every action.
pub fn replay(siege: &dyn Besieged, number: u64) -> Report {
    siege.run(&mut Seed::new(number), number, true)
}

/// The report of a protocol as lines of text.
pub fn lines(name: &str, tally: &Tally) -> Vec<String> {
    let mut lines = Vec::new();
    let [right, wrong, unnamed] = tally.culprits;
    lines.push(format!(
        "{name}: {} runs, {} finished, {} with lies, {} poisoned; culprits {right} right, {wrong} wrong, {unnamed} missing; {} panics; \
         {} played twice; peak {} KiB; {:.1} s",
        tally.runs,
        tally.finished,
        tally.lied,
        tally.poisoned,
        tally.panics,
        tally.twice[0],
        tally.peak / 1024,
        tally.time.as_secs_f64(),
    ));
    let actions = ACTIONS.iter().filter_map(|action| Some(format!("{action:?} {}", tally.actions.get(action)?)));
    lines.push(format!("    schedule: {}", actions.collect::<Vec<_>>().join(", ")));
    let moves = tally.moves.iter().map(|(how, n)| format!("{how:?} {n}"));
    lines.push(format!("    lies: {}", moves.collect::<Vec<_>>().join(", ")));
    for (place, n) in &tally.altered {
        let of = |verdict| tally.verdicts.get(&(*place, verdict)).copied().unwrap_or(0);
        let verdicts = VERDICTS.map(|verdict| format!("{verdict:?} {}", of(verdict)).to_lowercase());
        lines.push(format!("    {:32} altered {n:6}; alone: {}", place.to_string(), verdicts.join(", ")));
    }
    lines.extend(tally.untouched.iter().map(|place| format!("    NEVER ALTERED: {place}")));
    lines.extend(
        tally
            .violations
            .iter()
            .map(|(number, what)| format!("    VIOLATION: {what}; again: --protocol '{name}' --seed {number}")),
    );
    lines
}

/// All verdicts of a campaign together.
pub fn verdicts(tallies: &BTreeMap<&'static str, Tally>) -> BTreeMap<Verdict, usize> {
    let mut sum = BTreeMap::new();
    for tally in tallies.values() {
        tally.verdicts.iter().for_each(|((_, verdict), n)| *sum.entry(*verdict).or_default() += n);
    }
    sum
}

/// Whether a place is a confirmation, which no table has.
pub fn is_confirmation(place: &Place) -> bool {
    place.field == STORED
}
