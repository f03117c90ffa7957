//! Key generation.

use crate::net::*;
use std::collections::BTreeMap;
use symbolon_core::{Ed25519, Group, PartyId, Secp256k1, SecretScalar, Threshold};
use symbolon_session::*;
use symbolon_sharing::*;

pub fn scheme<G: Group>() -> Scheme {
    if G::ID == Secp256k1::ID { Scheme::Ecdsa } else { Scheme::Frost }
}

pub fn setup<G: Group>(me: u16, t: u16, n: u16) -> DkgSetup<G> {
    let roster = Roster::new(id(me), members(1..=n)).unwrap();
    DkgSetup::new(roster, Threshold::new(t, n.into()).unwrap(), scheme::<G>()).unwrap()
}

pub fn start<G: Group>(me: u16, t: u16, n: u16, seed: u64) -> (PartyId, (Session<Dkg<G>>, Vec<Outgoing>)) {
    let mut rng = rng(seed.wrapping_mul(1000).wrapping_add(7) ^ u64::from(me));
    (id(me), Session::start(setup(me, t, n), &(), (), label(), signed(me), &mut rng).unwrap())
}

pub fn keygen<G: Group>(t: u16, n: u16, seed: u64) -> BTreeMap<PartyId, KeyShare<G>> {
    Net::of((1..=n).map(|me| start(me, t, n, seed))).outputs()
}

/// The key of exactly `t` shares.
pub fn rebuilt<G: Group>(shares: &[&KeyShare<G>]) -> SecretScalar<G> {
    let signers: Vec<_> = shares.iter().map(|share| share.me()).collect();
    let lambdas = shares[0].lambdas(&signers).unwrap();
    let terms = lambdas.iter().zip(shares).map(|(lambda, share)| *lambda * *share.secret().expose());
    SecretScalar::new(terms.sum())
}

/// All subsets of a size.
pub fn subsets<T: Copy>(of: &[T], size: usize) -> Vec<Vec<T>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let with = |i: usize| subsets(&of[i + 1..], size - 1).into_iter().map(move |rest| [vec![of[i]], rest].concat());
    (0..of.len()).flat_map(with).collect()
}

/// Every admissible set of shares rebuilds the key; one share less does not.
pub fn check_sharing<G: Group>(shares: &BTreeMap<PartyId, KeyShare<G>>) {
    let first = shares.values().next().unwrap();
    let t = usize::from(first.threshold().get());
    for share in shares.values() {
        let same = (share.key_id(), share.sharing_id(), share.epoch(), share.members(), share.chain_code());
        assert!(same == (first.key_id(), first.sharing_id(), first.epoch(), first.members(), first.chain_code()));
        // all invariants, which the protocol does not check again
        let bytes = share.to_secret_bytes();
        assert!(KeyShare::<G>::decode(&mut symbolon_core::wire::Reader::new(&bytes)).is_ok());
    }
    for set in subsets(&shares.values().collect::<Vec<_>>(), t).into_iter().take(40) {
        assert!(rebuilt(&set).public() == *first.public_key());
        assert!(first.lambdas(&set[1..].iter().map(|s| s.me()).collect::<Vec<_>>()).is_err());
    }
}

fn honest<G: Group>() {
    for (t, n) in [(2, 2), (2, 3), (3, 3), (3, 5), (5, 9)] {
        let shares = keygen::<G>(t, n, 7);
        assert_eq!(shares.len(), usize::from(n));
        check_sharing(&shares);
        assert!(shares.values().all(|share| share.epoch() == 0 && share.marks() == Marks::default()));
        assert_ne!(shares[&id(1)].public_key(), keygen::<G>(t, n, 8)[&id(1)].public_key());
    }
}

#[test]
fn honest_runs_on_both_curves() {
    honest::<Secp256k1>();
    honest::<Ed25519>();
}
