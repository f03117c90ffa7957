//! FROST: both rounds in one run, from the bank, and what a single holder of a key does.

use crate::{
    memcheck::classify,
    run::{Secret, Table, run_all},
};
use std::collections::BTreeMap;
use symbolon::{
    KeyShare, PartyId,
    frost::{
        Ciphersuite, FrostOnline, FrostOnlineSetup, FrostPreprocess, FrostPreprocessSetup, FrostRequest, FrostSign,
        scalar_from_seed, sign_with_scalar,
    },
};
use symbolon_core::{SecretBytes, SecretScalar};

const MESSAGE: &[u8] = b"a message to sign";

/// Runs everything of a key's holders.
pub fn all<C: Ciphersuite>(table: &mut Table, shares: &BTreeMap<PartyId, KeyShare<C>>) {
    let curve = C::NAME;
    let signers: Vec<_> = shares.keys().copied().collect();
    let request = |share| FrostRequest::new(share, &signers, MESSAGE).expect("these signers");
    let parties: Vec<_> = shares.values().map(|share| (request(share), share)).collect();
    let inputs = parties.iter().map(|(request, share)| (request, *share, ()));
    run_all::<FrostSign<C>>(table, &format!("FROST of three on {curve}"), inputs);

    let batch = |share| FrostPreprocessSetup::new(share, &signers, 2).expect("these signers");
    let parties: Vec<_> = shares.values().map(|share| (batch(share), share)).collect();
    let inputs = parties.iter().map(|(setup, share)| (setup, *share, ()));
    let made = run_all::<FrostPreprocess<C>>(table, &format!("FROST nonces of three on {curve}"), inputs);
    let online = made.into_iter().map(|(me, (mut items, ()))| {
        let item = items.pop().expect("two items");
        (FrostOnlineSetup::new(&shares[&me], &item, MESSAGE).expect("its item"), &shares[&me], item)
    });
    let (setups, items): (Vec<_>, Vec<_>) = online.map(|(setup, share, item)| ((setup, share), item)).unzip();
    let inputs = setups.iter().zip(items).map(|((setup, share), item)| (setup, *share, item));
    run_all::<FrostOnline<C>>(table, &format!("FROST of three from the bank on {curve}"), inputs);

    let rng = &mut Secret::new(60 + u64::from(C::ID));
    let scalar = SecretScalar::<C>::random(rng);
    table.step(format!("{curve}: sign_with_scalar"), || sign_with_scalar(&scalar, MESSAGE, rng).is_ok());
}

/// What only Ed25519 has.
pub fn seed(table: &mut Table) {
    let mut seed = [7; 32];
    classify(&mut seed);
    let seed = SecretBytes::new(seed);
    table.step("ed25519: scalar_from_seed", || scalar_from_seed(&seed));
}
