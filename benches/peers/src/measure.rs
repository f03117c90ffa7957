//! Samples in turns.

use crate::{Library, Limits, Operation};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;
use symbolon_benches::{Cost, cpu};

/// A library at one operation.
pub(crate) struct Contender<'a> {
    name: String,
    samples: Option<usize>,
    run: Box<dyn FnMut() -> Option<Cost> + 'a>,
}

impl<'a> Contender<'a> {
    /// `samples`: how many are enough, where one takes long.
    pub(crate) fn new(name: String, samples: Option<usize>, run: impl FnMut() -> Option<Cost> + 'a) -> Self {
        Self { name, samples, run: Box::new(run) }
    }
}

/// Each library at an operation.
pub(crate) fn contend(libraries: &mut [Box<dyn Library>], operation: Operation) -> Vec<Contender<'_>> {
    let all = libraries.iter_mut();
    all.map(|library| Contender::new(library.name(), library.samples(operation), move || library.run(operation)))
        .collect()
}

/// What a library's samples were.
pub(crate) struct Measured {
    pub(crate) name: String,
    /// One for each turn in which it ran.
    costs: Vec<Option<Cost>>,
    /// The share of the process's CPU time that passed in other threads than the measured one, of each sample.
    elsewhere: Vec<f64>,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Milliseconds of both parties.
fn ms(cost: &Cost) -> f64 {
    cost.cpu.iter().sum::<Duration>().as_secs_f64() * 1e3
}

/// CPU time of all threads.
fn process() -> Duration {
    let t = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or(0))
}

impl Measured {
    /// The median of the milliseconds of both parties.
    pub(crate) fn ms(&self) -> f64 {
        median(self.costs.iter().flatten().map(ms).collect())
    }

    pub(crate) fn samples(&self) -> usize {
        self.costs.iter().flatten().count()
    }

    /// Bytes, messages and rounds.
    pub(crate) fn last(&self) -> &Cost {
        self.costs.iter().flatten().last().expect("it ran")
    }

    /// The median of our time over theirs, of turns in which both ran.
    pub(crate) fn over(&self, theirs: &Self) -> f64 {
        let pairs = self.costs.iter().zip(&theirs.costs);
        median(pairs.filter_map(|pair| Some(ms(pair.0.as_ref()?) / ms(pair.1.as_ref()?))).collect())
    }

    pub(crate) fn elsewhere(&self) -> f64 {
        // the clocks are not read at once
        median(self.elsewhere.clone()).max(0.0)
    }
}

/// What was found about an operation.
pub(crate) struct Found {
    pub(crate) operation: &'static str,
    pub(crate) ours: Vec<Measured>,
    /// The fastest first.
    pub(crate) theirs: Vec<Measured>,
    limits: Limits,
}

impl Found {
    /// The most that our time may be of that of the fastest peer.
    pub(crate) fn limit(&self, ours: &Measured) -> Option<f64> {
        self.limits.iter().find(|(name, _)| ours.name.ends_with(name)).map(|(_, limit)| *limit)
    }

    /// Whether no limit is exceeded.
    pub(crate) fn holds(&self) -> bool {
        self.ours.iter().all(|ours| self.limit(ours).is_none_or(|limit| ours.over(&self.theirs[0]) <= limit))
    }
}

/// Samples of all in turns, after one of each that does not count.
pub(crate) fn turns(
    operation: &'static str,
    turns: usize,
    limits: Limits,
    ours: Vec<Contender<'_>>,
    theirs: Vec<Contender<'_>>,
) -> Found {
    let of_ours = ours.len();
    let mut contenders: Vec<(usize, Contender<'_>)> = ours.into_iter().chain(theirs).enumerate().collect();
    // those that have the operation; who takes long runs only when it counts
    contenders.retain_mut(|(_, contender)| contender.samples.is_some() || (contender.run)().is_some());
    let measured = |(_, contender): &(usize, Contender<'_>)| Measured {
        name: contender.name.clone(),
        costs: Vec::new(),
        elsewhere: Vec::new(),
    };
    let mut all: Vec<Measured> = contenders.iter().map(measured).collect();
    let mut shown = 0;
    for turn in 0..turns {
        if turn * 10 / turns >= shown {
            eprintln!("{operation}: {turn} of {turns} turns");
            shown += 1;
        }
        // nobody always runs first, with caches that something else has filled
        for place in 0..contenders.len() {
            let at = (place + turn) % contenders.len();
            let contender = &mut contenders[at].1;
            let due = contender.samples.is_none_or(|samples| turn % turns.div_ceil(samples) == 0);
            let before = (process(), cpu());
            let cost = if due { (contender.run)() } else { None };
            let (all_threads, here) = (process() - before.0, cpu() - before.1);
            if cost.is_some() {
                all[at].elsewhere.push(1.0 - here.as_secs_f64() / all_threads.as_secs_f64());
            }
            all[at].costs.push(cost);
        }
    }
    let ours = contenders.iter().filter(|(i, _)| *i < of_ours).count();
    let mut theirs = all.split_off(ours);
    theirs.sort_by(|a, b| a.ms().total_cmp(&b.ms()));
    Found { operation, ours: all, theirs, limits }
}

/// In the first milliseconds of a process everything reads too slow.
pub(crate) fn warm(libraries: &mut [Box<dyn Library>]) {
    let begin = cpu();
    while cpu() - begin < Duration::from_millis(300) {
        libraries.iter_mut().for_each(|library| drop(library.run(Operation::Sign)));
    }
}
