//! What runs cost, in units of one variable-base multiplication, all parties together.

use crate::dkg;
use crate::net::*;
use crate::reshare::*;
use std::time::Instant;
use symbolon_core::{Group, Secp256k1};
use symbolon_sharing::*;

/// One multiplication, now.
fn unit() -> f64 {
    let mut point = Secp256k1::generator();
    let k = Secp256k1::random_scalar(&mut rng(1));
    let start = Instant::now();
    (0..200).for_each(|_| point = Secp256k1::mul(&point, &k));
    std::hint::black_box(point);
    start.elapsed().as_secs_f64() / 200.0
}

/// The fastest of several measurements over the fastest unit: what other work on the machine disturbs least.
fn measured(times: u64, mut run: impl FnMut(u64)) -> f64 {
    let (mut best, mut best_unit) = (f64::MAX, f64::MAX);
    for i in 0..times {
        best_unit = best_unit.min(unit());
        let start = Instant::now();
        run(i);
        best = best.min(start.elapsed().as_secs_f64());
    }
    best / best_unit
}

fn refresh_batch_of(keys: &[Shares<Secp256k1>], seed: u64) {
    let ready = [1, 2, 3].map(|me| {
        let shares: Vec<_> = keys.iter().map(|shares| (&shares[&id(me)], 1, Factors::Gone)).collect();
        refresh_batch(&shares, &ids(&[1, 2])).unwrap()
    });
    let outputs = reshare(Vec::from(ready), seed);
    assert!(outputs.values().all(|out| out.done.len() == keys.len() && out.kept.is_empty()));
}

#[test]
fn a_batch_is_three_times_cheaper_per_key() {
    let keygen = measured(20, |i| drop(dkg::keygen::<Secp256k1>(2, 3, i)));
    let shares = dkg::keygen::<Secp256k1>(2, 3, 1);
    let single = measured(20, |i| drop(refreshed(&shares, &ids(&[1, 2]), i)));
    let keys: Vec<_> = (0..100).map(|i| dkg::keygen::<Secp256k1>(2, 3, i)).collect();
    let batch = measured(3, |i| refresh_batch_of(&keys, i)) / 100.0;
    println!("dkg_2of3 {keygen:.1} kP, reshare_2of3 {single:.1} kP, in a batch {batch:.1} kP per key");
    assert!(batch * 3.0 < single, "{batch} and {single}");
}
