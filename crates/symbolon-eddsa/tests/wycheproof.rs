//! Wycheproof's Ed25519 vectors, on the way that the library verifies a signature before it returns it, and against
//! another implementation.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use serde_json::Value;
use symbolon_core::Ed25519;
use symbolon_eddsa::{PublicKey, Signature};

fn ours(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = PublicKey::<Ed25519>::from_bytes(key);
    let signature = Signature::<Ed25519>::from_bytes(signature);
    matches!((key, signature), (Ok(key), Ok(signature)) if signature.verify(&key, message).is_ok())
}

fn theirs(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = ed25519_dalek::VerifyingKey::from_bytes(key.try_into().unwrap());
    let signature = ed25519_dalek::Signature::from_slice(signature);
    matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_strict(message, &signature).is_ok())
}

// attacks.md rows 39, 54; bad inputs 66, 67
#[test]
fn every_vector_of_wycheproof() {
    let data: Value = serde_json::from_str(include_str!("../testdata/ed25519_test.json")).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for group in data["testGroups"].as_array().unwrap() {
        let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
        let key = bytes(&group["publicKey"]["pk"]);
        assert!(PublicKey::<Ed25519>::from_bytes(&key).is_ok());
        for test in group["tests"].as_array().unwrap() {
            let (message, signature) = (bytes(&test["msg"]), bytes(&test["sig"]));
            let valid = match test["result"].as_str().unwrap() {
                "valid" => true,
                "invalid" => false,
                other => panic!("a result that this test does not know: {other}"),
            };
            assert_eq!(ours(&key, &message, &signature), valid, "{test}");
            assert_eq!(theirs(&key, &message, &signature), valid, "{test}");
            if valid {
                accepted += 1;
                assert_eq!(Signature::<Ed25519>::from_bytes(&signature).unwrap().to_bytes(), signature);
            } else {
                refused += 1;
            }
        }
    }
    assert_eq!((accepted, refused), (62, 54));
    assert_eq!(data["numberOfTests"], 116);
}
