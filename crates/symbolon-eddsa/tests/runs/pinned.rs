//! Every byte of honest runs, pinned.

use crate::world::*;
use symbolon_core::{Ed25519, Secp256k1};
use symbolon_testkit::pinned;

fn runs<C: Curve>() -> [String; 3] {
    let shares = shares::<C>(3);
    let signers = ids(&[1, 2, 4]);
    let mut items = items(&shares, &signers);
    let mut banked = Vec::new();
    for me in &signers {
        banked.push((*me, online(&shares[me], item(&mut items, *me), b"a message")));
    }
    [
        pinned(signers.iter().map(|me| (*me, sign(&shares[me], &signers, b"a message", 60 + u64::from(me.get()))))),
        pinned(signers.iter().map(|me| (*me, preprocess(&shares[me], &signers, 2, 70 + u64::from(me.get()))))),
        pinned(banked),
    ]
}

#[test]
fn runs_say_what_they_said() {
    assert_eq!(runs::<Ed25519>(), ["f4065c1d810c2205", "608422b761145a2b", "372756d65651dfc7"]);
    assert_eq!(runs::<Secp256k1>(), ["c12f75a2bb585d91", "73e11f358a5dbe4b", "639bb94885911a2e"]);
}
