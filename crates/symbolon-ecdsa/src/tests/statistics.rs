//! Nonces are as random as numbers of their kind are: the secrets themselves, since the x coordinate of `k*G` looks uniform for any `k`.

use super::*;
use crate::preprocess::MAX_BATCH;
use alloc::collections::BTreeSet;
use symbolon_testkit::{
    Ended,
    chi_square::{ALARM, coin, histogram, seed, uniform},
};

/// How well scalars fit: all bytes together, and each of the 256 bits by itself, of which the worst may be as far out as comes once
/// in 256 times. The order of secp256k1 is so near to 2^256 that no bit of a scalar is biased.
fn fit(scalars: &[[u8; 32]]) -> f64 {
    let count = u32::try_from(scalars.len()).unwrap();
    let ones = |at: usize| scalars.iter().map(|bytes| u32::from(bytes[at / 8] >> (at % 8) & 1)).sum();
    let bits = (0..256).map(|at| 256.0 * coin(ones(at), count)).fold(1.0, f64::min);
    bits.min(uniform(&histogram(scalars.as_flattened())))
}

/// A name, and what it does to a nonce.
type Bias = (&'static str, fn(&mut [u8; 32]));

/// Nonces are accepted; the same with a bias are not, so that one would be noticed.
pub(crate) fn accept_nonces<'a>(what: &str, nonces: impl IntoIterator<Item = &'a SecretScalar<Secp256k1>>) {
    let nonces: Vec<_> = nonces.into_iter().map(|k| Secp256k1::scalar_to_bytes(k.expose())).collect();
    assert!(
        nonces.len() >= 512 && nonces.iter().collect::<BTreeSet<_>>().len() == nonces.len(),
        "{what}: no nonce twice"
    );
    let fits = fit(&nonces);
    assert!(fits > ALARM, "{what}: as far out as this comes once in {:.0} times", 1.0 / fits);
    let biases: [Bias; 6] = [
        ("128 bits", |k| k[..16].fill(0)),
        ("the first byte", |k| k[0] = 0x7a),
        ("the last byte", |k| k[31] = 0x7a),
        ("the top bit", |k| k[0] &= 0x7f),
        ("the lowest bit", |k| k[31] |= 1),
        ("the top bit, three times in four", |k| k[0] &= 0x7f | k[1] & 0x80),
    ];
    for (bias, change) in biases {
        let mut biased = nonces.clone();
        biased.iter_mut().for_each(change);
        assert!(fit(&biased) < ALARM, "{what}: {bias} would go unnoticed");
    }
}

fn pair<P: Protocol<LongTerm = ()>>(from: u64, mut one: impl FnMut(Role) -> (P::Setup, P::Input)) -> [Ended<P>; 2] {
    let mut start = |role: Role| {
        let ((setup, input), mut rng) = (one(role), seeded(from + u64::from(role.id().get())));
        Session::<P>::start(setup, &(), input, Label::new("nonces").unwrap(), Auth::Channel, &mut rng).unwrap()
    };
    Duo::new(start(Role::Server), start(Role::Client)).run().0
}

/// Both parties' `k`, as pre-processing leaves it in the bank.
#[test]
fn row_56_nonces_of_both_parties() {
    let from = seed(800_000);
    let mut setups = pair::<PairSetupRun>(from, |role| {
        (PairSetupTerms { pair: Pair::from(role), suite: Suite::Blake3, serial: 0 }, ())
    })
    .map(|end| Some(end.output));
    let mut items = [Vec::new(), Vec::new()];
    for batch in 1..=2 {
        let ends = pair::<Preprocess>(from + 10 * batch, |role| {
            let mut ots = setups[usize::from(role == Role::Client)].take().unwrap();
            (PreprocessSetup::new(&mut ots, MAX_BATCH).unwrap(), ots)
        });
        for (i, end) in ends.into_iter().enumerate() {
            items[i].extend(end.output);
            setups[i] = end.held;
        }
    }
    for (who, items) in ["server", "client"].into_iter().zip(&items) {
        accept_nonces(who, items.iter().map(|item| &item.own.k));
    }
}
