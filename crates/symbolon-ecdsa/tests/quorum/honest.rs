//! Everybody tells the truth.

use crate::world::*;
use symbolon_ecdsa::derive;
use symbolon_testkit::Crowd;

#[test]
fn every_set_of_three_of_five_signs_from_scratch() {
    let shares = shares(3, 0);
    for set in [[1, 2, 3], [1, 3, 5], [2, 4, 5], [3, 4, 5]] {
        let signers = ids(&set);
        let made = Crowd::new(signers.iter().map(|me| (*me, full(&shares[me], &signers, 7)))).outputs();
        let share = &shares[&signers[0]];
        let child = derive(share.public_key(), share.chain_code(), &path()).unwrap();
        let first = made[&signers[0]].0;
        for (signature, held) in made.values() {
            signature.verify(&child.public_key, &payload().digest()).unwrap();
            assert_eq!(*signature, first, "everybody has the same signature");
            assert_eq!(held.as_ref().unwrap().len(), 2, "the setups come back");
        }
    }
}

#[test]
fn four_and_five_signers() {
    for t in [4, 5] {
        let shares = shares(t, 0);
        let signers: Vec<_> = (1..=t).map(id).collect();
        let made = Crowd::new(signers.iter().map(|me| (*me, full(&shares[me], &signers, 8)))).outputs();
        assert_eq!(made.len(), usize::from(t));
    }
}

#[test]
fn two_signatures_from_the_bank() {
    let (shares, signers) = (shares(3, 0), ids(&[2, 3, 5]));
    let mut items = items(&signers, 9);
    for n in [2, 1] {
        let id = items[&signers[0]][n - 1].id();
        let all = signers.iter().map(|me| {
            let item = items.get_mut(me).unwrap().pop().unwrap();
            assert_eq!(item.id(), id, "the items have one name");
            (*me, online(&shares[me], item, 10))
        });
        let all: Vec<_> = all.collect();
        assert_eq!(Crowd::new(all).outputs().len(), 3);
    }
}
