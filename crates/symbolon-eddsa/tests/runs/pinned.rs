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
    assert_eq!(runs::<Ed25519>(), ["94d98acfe119020d", "91f9c99a8cfde906", "b7904d6f82861eeb"]);
    assert_eq!(runs::<Secp256k1>(), ["7aa5075da679d825", "fcd29033dfd1d15e", "eb81655dd9e1e5e9"]);
}
