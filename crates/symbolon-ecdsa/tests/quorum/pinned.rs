//! Every byte of honest runs, pinned.

use crate::world::*;
use symbolon_testkit::pinned;

#[test]
fn runs_say_what_they_said() {
    let signers = ids(&[1, 3, 4]);
    let shares = shares(3, 2);
    assert_eq!(pinned(signers.iter().map(|me| (*me, preprocess(*me, &signers, 50)))), "fcf242b39c57ae0d");
    assert_eq!(pinned(signers.iter().map(|me| (*me, full(&shares[me], &signers, 51)))), "d04d34d823f89a81");
    let mut items = items(&signers, 52);
    let online = |me| online(&shares[me], items.get_mut(me).unwrap().remove(0), 53);
    assert_eq!(
        pinned(signers.iter().zip(signers.iter().map(online)).map(|(me, started)| (*me, started))),
        "326ae3a1653b3d83"
    );
}
