//! See `run`, beside this crate's manifest. Left: one secret, always the same. Right: a fresh one each time. Everything else is
//! drawn alike for both, so that only the secret can make a difference.

mod steps;

use dudect_bencher::{
    BenchRng, Class, CtRunner, ctbench_main,
    rand::{Rng, RngExt},
};
use std::hint::black_box;
use steps::{multiplication, pair_setup};
use subtle::ConstantTimeEq;
use symbolon_core::{Ed25519, Encoded, Group, SecretBytes, SecretScalar, Threshold, Transcript};
use symbolon_core::{Secp256k1, SeedRng};
use symbolon_proofs::SchnorrProof;
use symbolon_sharing::split;

const SAMPLES: usize = 20_000;

/// The classes of the samples, drawn before anything is timed, each with the seed of its secret.
fn samples(rng: &mut BenchRng, count: usize) -> Vec<(Class, u64)> {
    let draw = |_| if rng.random() { (Class::Left, 1) } else { (Class::Right, rng.next_u64()) };
    (0..count).map(draw).collect()
}

/// The generator that a seed stands for.
fn seeded(seed: u64) -> SeedRng {
    SeedRng::new(&Transcript::new("dudect", "seed").number(seed).finish())
}

fn scalar<G: Group>(seed: u64) -> G::Scalar {
    G::random_scalar(&mut seeded(seed))
}

fn control_early_exit(runner: &mut CtRunner, rng: &mut BenchRng) {
    let same = [7u8; 4096];
    for (class, _) in samples(rng, SAMPLES) {
        let mut other = same;
        if matches!(class, Class::Left) {
            other[3] = 1;
        }
        runner.run_one(class, || black_box(&same).iter().zip(black_box(&other)).all(|(a, b)| black_box(*a) == *b));
    }
}

fn control_invert_vartime(runner: &mut CtRunner, rng: &mut BenchRng) {
    for (class, seed) in samples(rng, SAMPLES) {
        let k = match class {
            Class::Left => <Secp256k1 as Group>::Scalar::from(3u32),
            Class::Right => scalar::<Secp256k1>(seed),
        };
        runner.run_one(class, || black_box(&k).invert_vartime());
    }
}

fn tag_comparison(runner: &mut CtRunner, rng: &mut BenchRng) {
    let tag = SecretBytes::new([7; 32]);
    for (class, seed) in samples(rng, SAMPLES) {
        let other = match class {
            Class::Left => SecretBytes::new([7; 32]),
            Class::Right => SecretBytes::<32>::random(&mut seeded(seed)),
        };
        // often enough to be longer than the clock is coarse
        runner.run_one(class, || (0..100).map(|_| black_box(&tag).ct_eq(black_box(&other)).unwrap_u8()).sum::<u8>());
    }
}

fn schnorr<G: Group>(runner: &mut CtRunner, rng: &mut BenchRng) {
    let context = Transcript::new("dudect", "proof");
    for (class, seed) in samples(rng, SAMPLES / 2) {
        let x = SecretScalar::<G>::new(scalar::<G>(seed));
        let (statement, nonce) = (Encoded::new(x.public()), rng.next_u64());
        runner.run_one(class, || SchnorrProof::prove(&context, black_box(&x), &statement, &mut seeded(nonce)));
    }
}

fn schnorr_secp256k1(runner: &mut CtRunner, rng: &mut BenchRng) {
    schnorr::<Secp256k1>(runner, rng);
}

fn schnorr_ed25519(runner: &mut CtRunner, rng: &mut BenchRng) {
    schnorr::<Ed25519>(runner, rng);
}

/// The nonce in `k*G`, by which signatures of both kinds begin, and `k^-1`.
fn nonce_use(runner: &mut CtRunner, rng: &mut BenchRng) {
    for (class, seed) in samples(rng, SAMPLES) {
        let k = scalar::<Secp256k1>(seed);
        runner.run_one(class, || (Secp256k1::mul_base(black_box(&k)), Secp256k1::invert(black_box(&k))));
    }
}

fn share_evaluation(runner: &mut CtRunner, rng: &mut BenchRng) {
    let indices = [1u64, 2, 3, 4, 5].map(<Secp256k1 as Group>::Scalar::from);
    let threshold = Threshold::new(3, 5).expect("3 of 5");
    for (class, seed) in samples(rng, SAMPLES / 4) {
        let secret = SecretScalar::<Secp256k1>::new(scalar::<Secp256k1>(seed));
        let polynomial = rng.next_u64();
        runner.run_one(class, || split(black_box(&secret), threshold, &indices, &mut seeded(polynomial)).is_ok());
    }
}

ctbench_main!(
    control_early_exit,
    control_invert_vartime,
    tag_comparison,
    schnorr_secp256k1,
    schnorr_ed25519,
    nonce_use,
    share_evaluation,
    pair_setup::base_ot_receiver,
    pair_setup::base_ot_sender,
    pair_setup::opening,
    multiplication::extension,
    multiplication::sender_multiplies,
    multiplication::receiver_finishes
);
