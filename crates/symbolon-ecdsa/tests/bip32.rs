//! BIP-32's own vectors, as far as public derivation goes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use k256::Scalar;
use serde_json::Value;
use symbolon_core::{Group, Secp256k1};
use symbolon_ecdsa::{DerivationPath, PathError, derive};

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

#[test]
fn public_derivation_gives_the_published_children() {
    let data: Value = serde_json::from_str(include_str!("../testdata/bip32.json")).unwrap();
    let (mut derived_steps, mut hardened_steps) = (0, 0);
    for vector in data["vectors"].as_array().unwrap() {
        for pair in vector["chain"].as_array().unwrap().windows(2) {
            let (parent, child) = (&pair[0], &pair[1]);
            let (_, step) = child["path"].as_str().unwrap().rsplit_once('/').unwrap();
            let path = format!("m/{step}").parse::<DerivationPath>();
            if step.ends_with('\'') {
                assert_eq!(path, Err(PathError::Hardened));
                hardened_steps += 1;
                continue;
            }
            let public_key = Secp256k1::point_from_bytes(&bytes::<33>(&parent["public_key"])).unwrap();
            let derived = derive(&public_key, &bytes(&parent["chain_code"]), &path.unwrap()).unwrap();
            assert_eq!(Secp256k1::point_to_bytes(&derived.public_key), bytes(&child["public_key"]));
            assert_eq!(derived.chain_code, bytes(&child["chain_code"]));
            // the tweak takes the parent's private key to the child's
            let private =
                |node: &Value| -> Scalar { Secp256k1::scalar_from_bytes(&bytes(&node["private_key"])).unwrap() };
            assert_eq!(private(parent) + derived.tweak, private(child));
            derived_steps += 1;
        }
    }
    assert_eq!((derived_steps, hardened_steps), (6, 7));
}
