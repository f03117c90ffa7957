//! Pearson's test, for numbers that should be random. What fails here is a gross fault; what passes proves nothing.
//!
//! Every check has one stated rate of false alarms, [`ALARM`], on both sides: too far from uniform, and too near to it. The
//! seeds are fixed, so that a check passes always or never; with `SYMBOLON_FRESH` in the environment they are fresh, and a
//! run of all checks is wrong once in ten thousand times.

use std::hash::{BuildHasher, RandomState};

/// The rate of false alarms of one check.
pub const ALARM: f64 = 1e-6;

/// A fixed seed, or a fresh one.
pub fn seed(fixed: u64) -> u64 {
    if std::env::var_os("SYMBOLON_FRESH").is_none() {
        return fixed;
    }
    let fresh = RandomState::new().hash_one(fixed) >> 16;
    println!("seed {fixed} is now {fresh}");
    fresh
}

/// `ln(Gamma(z))` for `z > 0`, by Lanczos's sum with nine terms.
fn ln_gamma(z: f64) -> f64 {
    const TERMS: [f64; 8] = [
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if z < 0.5 {
        let pi = core::f64::consts::PI;
        return (pi / (pi * z).sin()).ln() - ln_gamma(1.0 - z);
    }
    let (z, t) = (z - 1.0, z + 6.5);
    let mut sum = 0.999_999_999_999_809_9;
    for (i, term) in (1u32..).zip(TERMS) {
        sum += term / (z + f64::from(i));
    }
    0.5 * (2.0 * core::f64::consts::PI).ln() + (z + 0.5) * t.ln() - t + sum.ln()
}

/// The chances that chi-square of `freedom` degrees is below and above `x`: the incomplete gamma function, by its series
/// or by its continued fraction, whichever converges.
pub fn tails(x: f64, freedom: f64) -> (f64, f64) {
    let (a, x) = (freedom / 2.0, x / 2.0);
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut n, mut term) = (a, 1.0 / a);
        let mut sum = term;
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        (front * sum, 1.0 - front * sum)
    } else {
        let mut b = x + 1.0 - a;
        let (mut c, mut d) = (1e300, 1.0 / b);
        let mut fraction = d;
        for i in 1..100_000 {
            let i = f64::from(i);
            let step = -i * (i - a);
            b += 2.0;
            d = 1.0 / (step * d + b);
            c = b + step / c;
            fraction *= c * d;
            if (c * d - 1.0).abs() < 1e-16 {
                break;
            }
        }
        (1.0 - front * fraction, front * fraction)
    }
}

/// How likely a statistic is at least as far out, on its side: two-sided.
fn two_sided(statistic: f64, freedom: f64) -> f64 {
    let (lower, upper) = tails(statistic, freedom);
    2.0 * lower.min(upper)
}

/// How well counts fit the uniform distribution.
pub fn uniform(counts: &[u32]) -> f64 {
    let total: u64 = counts.iter().copied().map(u64::from).sum();
    let expected = total as f64 / counts.len() as f64;
    // below this the distribution of the statistic is not chi-square far out
    assert!(expected >= 50.0, "{expected} in each of {} cells are too few", counts.len());
    let statistic = counts.iter().map(|n| (f64::from(*n) - expected).powi(2) / expected).sum();
    two_sided(statistic, counts.len() as f64 - 1.0)
}

/// How well the rows of a table have one distribution: whether row and column are independent.
pub fn independent<const COLUMNS: usize>(table: &[[u32; COLUMNS]]) -> f64 {
    let row = |row: &[u32; COLUMNS]| row.iter().copied().map(f64::from).sum::<f64>();
    let column = |j: usize| table.iter().map(|row| f64::from(row[j])).sum::<f64>();
    let total: f64 = table.iter().map(row).sum();
    let mut statistic = 0.0;
    for counts in table {
        for (j, n) in counts.iter().enumerate() {
            let expected = row(counts) * column(j) / total;
            assert!(expected >= 50.0, "{expected} in a cell are too few");
            statistic += (f64::from(*n) - expected).powi(2) / expected;
        }
    }
    two_sided(statistic, (table.len() as f64 - 1.0) * (COLUMNS as f64 - 1.0))
}

/// How well `ones` of `tosses` fit a fair coin. Exactly half is no surprise: there is no other side.
pub fn coin(ones: u32, tosses: u32) -> f64 {
    assert!(tosses >= 100, "{tosses} tosses are too few");
    let (ones, tosses) = (f64::from(ones), f64::from(tosses));
    tails((2.0 * ones - tosses).powi(2) / tosses, 1.0).1
}

/// The correlation of two sequences of bits that agree in so many places.
pub fn correlation(agreements: u32, bits: u32) -> f64 {
    2.0 * f64::from(agreements) / f64::from(bits) - 1.0
}

/// Counts of all byte values.
pub fn histogram<'a>(bytes: impl IntoIterator<Item = &'a u8>) -> [u32; 256] {
    let mut counts = [0; 256];
    bytes.into_iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    counts
}

/// # Panics
/// If `fit` is below [`ALARM`].
pub fn accept(what: &str, fit: f64) {
    assert!(fit > ALARM, "{what}: as far out as this comes once in {:.0} times", 1.0 / fit);
}

/// The bytes are uniform.
///
/// # Panics
/// If not.
pub fn accept_bytes<'a>(what: &str, bytes: impl IntoIterator<Item = &'a u8>) {
    accept(what, uniform(&histogram(bytes)));
}

/// Nothing is drawn twice: the first eight bytes of a million draws collide once in 37 million times.
///
/// # Panics
/// If a draw repeats, or there are fewer than a million.
pub fn accept_distinct(what: &str, draws: &mut [u64]) {
    assert!(draws.len() >= 1_000_000, "{what}: {} draws are too few", draws.len());
    draws.sort_unstable();
    assert!(draws.windows(2).all(|two| two[0] != two[1]), "{what}: a draw repeats");
}
