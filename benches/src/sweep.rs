//! How costs grow: with the members of a committee, and with what one run makes at once.

use crate::{Committee, Cost, Meter, Sample, Table, World};
use serde_json::json;
use std::time::Duration;
use symbolon::{Secp256k1, Suite};
use symbolon_core::Ed25519;

/// Members of the committees of a whole sweep.
pub const PARTIES: [u16; 7] = [2, 3, 5, 8, 13, 21, 32];
/// Sessions at once in a whole sweep.
pub const SESSIONS: [usize; 3] = [1, 100, 10_000];
/// Keys in one refresh.
const KEYS: [usize; 4] = [1, 10, 100, 1000];
/// Items of the largest pre-processing that the library takes; of more signers than two, multiplications with all peers.
pub(crate) const MAX_BATCH: u16 = 256;
/// Commitments of one FROST pre-processing: the items of all signers.
const FROST_BATCH: usize = 8192;

/// Says on stderr what comes next.
pub(crate) fn progress(what: &str) {
    eprintln!("{what}");
}

/// As many runs as fit in about a second: at least 3, at most 21.
fn sample(meter: &mut Meter, mut run: impl FnMut() -> Cost) -> Sample {
    let one = run().cpu.iter().sum::<Duration>().as_secs_f64();
    meter.sample(((meter.effort / one) as usize).clamp(3, 21), run)
}

/// The values after the first columns: kP and milliseconds of CPU, bytes sent, the most bytes of the heap. What a run makes is
/// divided by `made`, but for the heap. A party is the average one, but for the bytes, which are those of who sends most.
fn values(sample: &Sample, made: usize) -> Vec<serde_json::Value> {
    let parties = sample.costs[0].cpu.len();
    let all = sample.all() / made as f64;
    let one = all / parties as f64;
    let bytes = sample.costs[0].bytes.iter().copied().max().unwrap_or(0);
    vec![
        json!(all / sample.kp),
        json!(one / sample.kp),
        json!(one),
        json!(bytes.div_ceil(made)),
        json!(sample.peak / parties),
    ]
}

/// Key generation, refresh and signatures of committees of `sizes` members. The threshold is more than half of them, unless
/// an operation says two or all; as many sign, and deal in a refresh.
///
/// # Panics
/// If an honest run fails.
pub fn parties(meter: &mut Meter, sizes: &[u16]) -> Table {
    let mut table = Table::new(
        "parties",
        &["operation", "parties", "signers", "kP of all", "kP of one", "ms of one", "bytes of one", "heap of one"],
    );
    for n in sizes.iter().copied() {
        let mut add = |op: &str, t: u16, sample: Sample| {
            let mut row = vec![json!(op), json!(n), json!(t)];
            row.extend(values(&sample, 1));
            table.rows.push(row);
        };
        let most = n / 2 + 1;
        progress(&format!("parties: {most} of {n}"));
        let mut committee = Committee::<Secp256k1>::new(1, most, n).with_keys(1);
        add("key generation", most, sample(meter, || committee.dkg()));
        add("refresh", most, sample(meter, || committee.refresh()));
        drop(committee);
        let mut of = [("two", 2), ("majority", most), ("all", n)].to_vec();
        of.dedup_by_key(|(_, t)| *t);
        for (who, t) in of {
            progress(&format!("parties: {t} of {n} sign"));
            let mut frost = Committee::<Ed25519>::new(2, t, n).with_keys(1);
            add(&format!("FROST, {who}"), t, sample(meter, || frost.frost_sign()));
            let mut ecdsa = Committee::<Secp256k1>::new(3, t, n).with_keys(1);
            let setups = meter.sample(1, || ecdsa.pair_setups(t));
            if who == "all" || n == 2 {
                add("pair setups of all", n, setups);
            }
            add(&format!("ECDSA, {who}"), t, sample(meter, || ecdsa.sign_full()));
        }
    }
    table.rows.sort_by_key(|row| row[0].to_string());
    table
}

/// Pre-processing and refresh, for each item or key of a batch, up to `largest` or what the library allows.
///
/// # Panics
/// If an honest run fails.
pub fn batch(meter: &mut Meter, largest: usize) -> Table {
    let mut table = Table::new(
        "batch",
        &["operation", "batch", "kP of all", "kP of one", "ms of one", "bytes of one", "heap of one, of the batch"],
    );
    let mut add = |op: &str, sizes: &[usize], run: &mut dyn FnMut(usize) -> Cost| {
        for size in sizes.iter().copied().filter(|size| *size <= largest) {
            progress(&format!("batch: {op}, {size}"));
            let mut row = vec![json!(op), json!(size)];
            row.extend(values(&sample(meter, || run(size)), size));
            table.rows.push(row);
        }
    };
    for (op, suite) in [("pre-processing, blake3", Suite::Blake3), ("pre-processing, aes", Suite::Aes)] {
        let mut world = World::new(1, suite);
        add(op, &up_to(MAX_BATCH.into()), &mut |size| world.preprocess(size as u16).1);
    }
    let mut five = Committee::<Secp256k1>::new(2, 3, 5).with_keys(1).with_setups();
    // multiplications with each of two peers
    add("pre-processing, 3 of 5", &up_to(usize::from(MAX_BATCH) / 2), &mut |size| five.preprocess(size as u16).1);
    let mut frost = Committee::<Ed25519>::new(3, 2, 3).with_keys(1);
    add("FROST pre-processing, 2 of 3", &up_to(FROST_BATCH / 2), &mut |size| frost.frost_preprocess(size as u16).1);
    let mut keys = Committee::<Secp256k1>::new(4, 2, 3);
    add("refresh, 2 of 3", &KEYS, &mut |size| {
        keys.make_keys(size);
        keys.refresh_batch()
    });
    table
}

/// 1, 4, 16 and so on, and `most`.
fn up_to(most: usize) -> Vec<usize> {
    let mut sizes: Vec<_> = (0..).map(|power| 4_usize.pow(power)).take_while(|size| *size < most).collect();
    sizes.push(most);
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{memory, network, plot, sessions};
    use symbolon::Role;

    #[global_allocator]
    static HEAP: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

    #[test]
    fn sizes_of_batches() {
        assert_eq!(up_to(256), [1, 4, 16, 64, 256]);
        assert_eq!(up_to(128), [1, 4, 16, 64, 128]);
    }

    /// In one test: nothing else may use the heap meanwhile.
    #[test]
    fn smallest_sizes() {
        let meter = &mut Meter::new(&HEAP);
        meter.effort = 0.0;
        for suite in [Suite::Blake3, Suite::Aes] {
            for role in [Role::Server, Role::Client] {
                let points = memory::sign_full(meter, suite, role);
                assert!(points.len() == 3, "{points:?}");
                assert!(points.iter().all(|bytes| (1000..=200_000).contains(bytes)), "{points:?}");
            }
            let items = memory::items(meter, suite);
            // more than the 600 that are aimed for: see docs/performance.md
            assert!(items.iter().all(|bytes| (100..=600).contains(bytes)), "{items:?}");
        }
        let parties = parties(meter, &[2, 3]);
        let batch = batch(meter, 4);
        let sessions = sessions(meter, &[1, 3]);
        let network = network::network(meter, 1);
        let rows = [&parties, &batch, &sessions, &network].map(|table| {
            assert!(table.rows.iter().all(|row| row.len() == table.columns.len()), "{}", table.name);
            table.rows.len()
        });
        assert_eq!(rows, [5 + 7, 4 * 2 + 1, 3 * 2, 5 * 3]);
        for table in [&parties, &batch, &sessions] {
            assert!(plot(table).iter().all(|(_, svg)| svg.starts_with("<svg") && svg.contains("polyline")));
        }
    }
}
