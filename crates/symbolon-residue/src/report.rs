//! The table: what each operation leaves, entry by entry.

use crate::{
    Hit, Needles, dead,
    watched::{self, LEARNING},
};
use core::sync::atomic::Ordering::Relaxed;
use std::collections::BTreeMap;

/// Everything runs twice with the same randomness. The first pass learns the secrets, also those that only a result shows; the
/// second one looks for them from its first step on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pass {
    /// Registers.
    Learn,
    /// Looks.
    Look,
}

/// One line of the table: the calls of one public entry in one operation.
#[derive(Default)]
pub struct Line {
    /// How often it was called.
    pub calls: usize,
    /// What was in blocks that it freed.
    pub freed: BTreeMap<Hit, usize>,
    /// What was on the stack below it.
    pub dead: BTreeMap<Hit, usize>,
    /// The deepest use of the stack, clearing included.
    pub deepest: usize,
    /// The most bytes below what was cleared.
    pub below: usize,
}

/// The lines of one pass.
pub struct Report {
    /// Which one.
    pub pass: Pass,
    /// By operation and entry.
    pub lines: BTreeMap<(&'static str, &'static str), Line>,
    /// Of what.
    pub operation: &'static str,
    /// How many windows were looked for.
    pub needles: usize,
}

impl Report {
    fn new(pass: Pass, operation: &'static str) -> Self {
        Self { pass, lines: BTreeMap::new(), operation, needles: 0 }
    }

    /// [`Self::of`] an operation that is wanted.
    pub fn add(all: &mut Vec<Self>, only: Option<&str>, operation: &'static str, work: impl FnMut(&mut Self)) {
        if only.is_none_or(|only| operation.contains(only)) {
            all.push(Self::of(operation, work));
        }
    }

    /// Runs an operation in both passes, and gives the lines of the second one. Needles of an earlier operation are forgotten.
    pub fn of(operation: &'static str, mut work: impl FnMut(&mut Self)) -> Self {
        Needles::forget();
        LEARNING.store(true, Relaxed);
        work(&mut Self::new(Pass::Learn, operation));
        LEARNING.store(false, Relaxed);
        watched::forget();
        let mut look = Self { needles: Needles::secret(), ..Self::new(Pass::Look, operation) };
        work(&mut look);
        look
    }

    /// Calls a public entry and counts what it leaves.
    pub fn entry<T>(&mut self, entry: &'static str, work: impl FnOnce() -> T) -> T {
        if self.pass == Pass::Learn {
            return work();
        }
        // what the harness itself has freed
        let _ = Needles::take_freed();
        let (result, left) = dead(work);
        let line = self.lines.entry((self.operation, entry)).or_default();
        line.calls += 1;
        line.deepest = line.deepest.max(left.deepest);
        line.below = line.below.max(left.below);
        left.hits.into_iter().for_each(|hit| *line.dead.entry(hit).or_default() += 1);
        Needles::take_freed().into_iter().for_each(|hit| *line.freed.entry(hit).or_default() += 1);
        result
    }

    /// What leaves, and is no secret.
    pub fn publish(&self, bytes: &[u8]) {
        if self.pass == Pass::Learn {
            Needles::publish(bytes);
        }
    }
}
