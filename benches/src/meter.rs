//! Times in units of `k*P`, and bytes of the heap.

use crate::{Cost, cpu};
use k256::{ProjectivePoint, Scalar, elliptic_curve::Field};
use peak_alloc::PeakAlloc;
use std::{hint::black_box, time::Duration};
use symbolon_testkit::seeded;

/// The middle one.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Milliseconds.
#[must_use]
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The time of `k*P`.
pub struct Unit {
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
    pub fn sample(&mut self) -> f64 {
        let before = cpu();
        for k in &self.scalars {
            self.point = black_box(self.point) * black_box(k);
        }
        ms(cpu() - before) / self.scalars.len() as f64
    }
}

/// Several runs of one operation.
pub struct Sample {
    /// What each run cost.
    pub costs: Vec<Cost>,
    /// Milliseconds of one `k*P`: the median time of a run is as many of them as the median run took of those beside it.
    pub kp: f64,
    /// The most bytes that one run added to the heap: all parties, and the frames between them.
    pub peak: usize,
}

impl Sample {
    /// The median of a time, in its unit.
    pub fn median(&self, time: impl Fn(&Cost) -> f64) -> f64 {
        median(self.costs.iter().map(time).collect())
    }

    /// Milliseconds of all parties, the median.
    #[must_use]
    pub fn all(&self) -> f64 {
        self.median(|cost| ms(cost.cpu.iter().sum()))
    }
}

/// What runs are measured with.
pub struct Meter {
    /// The time of `k*P`.
    pub unit: Unit,
    /// The program's allocator.
    pub heap: &'static PeakAlloc,
    /// Of the usual number of runs for a point of a curve, the part that is made; 0 for as few as possible.
    pub effort: f64,
}

impl Meter {
    /// Takes about 300 ms, to warm up.
    #[must_use]
    pub fn new(heap: &'static PeakAlloc) -> Self {
        Self { unit: Unit::new(), heap, effort: 1.0 }
    }

    /// The most bytes that `run` adds to the heap.
    pub fn peak<T>(&self, run: impl FnOnce() -> T) -> (T, usize) {
        let before = self.heap.current_usage();
        self.heap.reset_peak_usage();
        let made = run();
        (made, self.heap.peak_usage().saturating_sub(before))
    }

    /// `runs` runs, after one that is not counted and may prepare what the others need.
    pub fn sample(&mut self, runs: usize, mut run: impl FnMut() -> Cost) -> Sample {
        run();
        // kP is taken between the runs, so that both see the same machine, and longer where a run takes longer
        let (mut costs, mut ratios, mut peak) = (Vec::new(), Vec::new(), 0);
        let mut before = self.unit.sample();
        for _ in 0..runs {
            let (cost, bytes) = self.peak(&mut run);
            let all = ms(cost.cpu.iter().sum());
            let samples = (1 + (all / 20.0) as usize).min(50);
            let after = (0..samples).map(|_| self.unit.sample()).sum::<f64>() / samples as f64;
            ratios.push(all * 2.0 / (before + after));
            before = after;
            costs.push(cost);
            peak = peak.max(bytes);
        }
        let mut sample = Sample { costs, kp: 1.0, peak };
        sample.kp = sample.all() / median(ratios);
        sample
    }
}
