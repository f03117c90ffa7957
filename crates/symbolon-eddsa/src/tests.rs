//! The test vectors of RFC 9591, appendix E, with all intermediate values.

mod statistics;
#[cfg(target_os = "linux")]
mod wiped;

use crate::*;
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use serde_json::Value;
use symbolon_core::{Ed25519, PartyId, Secp256k1, SecretBytes, SecretScalar, Threshold};
use symbolon_sharing::lagrange;

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn array(value: &Value) -> [u8; 32] {
    bytes(value).try_into().unwrap()
}

fn scalar<C: Ciphersuite>(value: &Value) -> C::Scalar {
    C::scalar_from_bytes(&array(value)).unwrap()
}

fn id(value: &Value) -> PartyId {
    PartyId::new(value.as_u64().unwrap().try_into().unwrap()).unwrap()
}

fn outputs<'v>(vectors: &'v Value, round: &str) -> &'v Vec<Value> {
    vectors[round]["outputs"].as_array().unwrap()
}

fn rfc_9591<C: Ciphersuite>(file: &str) {
    let v: Value = serde_json::from_str(file).unwrap();
    let inputs = &v["inputs"];
    let secret = SecretScalar::<C>::new(scalar::<C>(&inputs["group_secret_key"]));
    let public_key = PublicKey::<C>::from_bytes(&bytes(&inputs["group_public_key"])).unwrap();
    assert_eq!(secret.public(), *public_key.point());
    let message = bytes(&inputs["message"]);

    // the shares are the values of the polynomial
    let a1 = scalar::<C>(&inputs["share_polynomial_coefficients"][0]);
    let mut shares = BTreeMap::new();
    for share in inputs["participant_shares"].as_array().unwrap() {
        let id = id(&share["identifier"]);
        let x = scalar::<C>(&share["participant_share"]);
        assert!(x == *secret.expose() + a1 * C::Scalar::from(u64::from(id.get())));
        shares.insert(id, SecretScalar::<C>::new(x));
    }
    let holders: Vec<_> = shares.iter().map(|(id, x)| (*id, x.public())).collect();
    let chosen: Vec<_> = inputs["participant_list"].as_array().unwrap().iter().map(id).collect();
    let threshold = Threshold::new(v["config"]["MIN_PARTICIPANTS"].as_str().unwrap().parse().unwrap(), 3).unwrap();
    let signers = Signers::new(public_key, threshold, &holders, &chosen).unwrap();

    // round one
    let first = outputs(&v, "round_one_outputs");
    assert_eq!(first.len(), 2);
    let mut nonces = BTreeMap::new();
    for output in first {
        let id = id(&output["identifier"]);
        let randomness = |name: &str| SecretBytes::new(array(&output[name]));
        let own = Nonces::from_randomness(
            &shares[&id],
            &randomness("hiding_nonce_randomness"),
            &randomness("binding_nonce_randomness"),
        );
        assert_eq!(own.hiding.to_bytes().expose(), &array(&output["hiding_nonce"]));
        assert_eq!(own.binding.to_bytes().expose(), &array(&output["binding_nonce"]));
        let sent = own.commitments().to_bytes();
        assert_eq!(sent[..C::POINT_LEN], bytes(&output["hiding_nonce_commitment"]));
        assert_eq!(sent[C::POINT_LEN..], bytes(&output["binding_nonce_commitment"]));
        nonces.insert(id, own);
    }
    let list = CommitmentList::new(nonces.iter().map(|(id, own)| (*id, *own.commitments()))).unwrap();

    // binding factors
    let package = SigningPackage::new(signers, list.clone(), message.clone()).unwrap();
    let prefix: Vec<u8> =
        [public_key.to_bytes().as_ref(), C::h4(&message).as_ref(), C::h5(&list.hash_input()).as_ref()].concat();
    for output in first {
        let id = id(&output["identifier"]);
        let input = [&prefix[..], &C::scalar_to_bytes(&C::Scalar::from(u64::from(id.get())))].concat();
        assert_eq!(input, bytes(&output["binding_factor_input"]));
        assert_eq!(C::scalar_to_bytes(package.signer(id).unwrap().1), array(&output["binding_factor"]));
    }

    // round two
    let mut sent = BTreeMap::new();
    let second = outputs(&v, "round_two_outputs");
    assert_eq!(second.len(), 2);
    for output in second {
        let id = id(&output["identifier"]);
        let share = package.sign_as(id, &shares[&id], nonces.remove(&id).unwrap()).unwrap();
        assert_eq!(share.to_bytes(), array(&output["sig_share"]));
        assert!(package.verify_share(id, &share).is_ok());
        sent.insert(id, share);
    }
    let signature = package.aggregate(&sent).unwrap();
    assert_eq!(signature.to_bytes(), bytes(&v["final_output"]["sig"]));
    assert_eq!(signature.verify(&public_key, &message), Ok(()));
    assert_eq!(signature.verify(&public_key, b"another"), Err(VerifyError));

    // any two shares make the key
    for pair in [[1, 2], [1, 3], [2, 3]] {
        let ids = pair.map(|i| PartyId::new(i).unwrap());
        let lambdas = lagrange::<C>(&ids.map(|id| C::Scalar::from(u64::from(id.get())))).unwrap();
        let sum: C::Scalar = ids.iter().zip(lambdas).map(|(id, lambda)| lambda * *shares[id].expose()).sum();
        assert!(sum == *secret.expose());
    }
}

#[test]
fn rfc_9591_appendix_e_1_ed25519() {
    rfc_9591::<Ed25519>(include_str!("../testdata/rfc9591_ed25519.json"));
}

#[test]
fn rfc_9591_appendix_e_5_secp256k1() {
    rfc_9591::<Secp256k1>(include_str!("../testdata/rfc9591_secp256k1.json"));
}

// a batch of nonces is what single ones are
#[test]
fn batches_are_single_nonces() {
    let mut rng = symbolon_core::SeedRng::new(&[1; 32]);
    let share = SecretScalar::<Ed25519>::random(&mut rng);
    let batch = Nonces::batch(&share, 3, &mut symbolon_core::SeedRng::new(&[2; 32]));
    let mut again = symbolon_core::SeedRng::new(&[2; 32]);
    for nonces in &batch {
        assert_eq!(nonces.commitments(), Nonces::draw(&share, &mut again).commitments());
    }
    let names: alloc::collections::BTreeSet<_> = batch.iter().map(Nonces::token).collect();
    assert_eq!(names.len(), 3);
}

// the encodings of another implementation
#[test]
fn samples_of_the_zcash_foundation() {
    fn check<C: Ciphersuite>(samples: &str, elements: &str) {
        let v: Value = serde_json::from_str(samples).unwrap();
        let id = C::Scalar::from(42);
        assert_eq!(C::scalar_to_bytes(&id), array(&v["identifier"]));
        let read = |name: &str| C::point_from_bytes(&bytes(&v[name]));
        assert_eq!(read("element1"), Ok(C::generator()));
        assert!(read("element2").is_ok());
        let scalar = C::scalar_from_bytes(&array(&v["scalar1"])).unwrap();
        assert_eq!(C::scalar_to_bytes(&scalar), array(&v["scalar1"]));
        let signature = Signature::<C>::from_bytes(&bytes(&v["proof_of_knowledge"])).unwrap();
        assert_eq!(signature.to_bytes(), bytes(&v["proof_of_knowledge"]));
        let invalid: Value = serde_json::from_str(elements).unwrap();
        let invalid: String = invalid["elements"]["invalid_element"].as_str().unwrap().into();
        assert!(C::point_from_bytes(&hex::decode(invalid).unwrap()).is_err());
    }
    check::<Ed25519>(
        include_str!("../testdata/zf_samples_ed25519.json"),
        include_str!("../testdata/zf_elements_ed25519.json"),
    );
    check::<Secp256k1>(
        include_str!("../testdata/zf_samples_secp256k1.json"),
        include_str!("../testdata/zf_elements_secp256k1.json"),
    );
}
