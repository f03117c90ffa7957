//! Wycheproof's ECDSA vectors. We take the low s only, so a valid vector with a high one must be refused as such, and
//! accepted with `q - s` in its place.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use k256::{ProjectivePoint, PublicKey, ecdsa};
use serde_json::Value;
use symbolon_ecdsa::{Digest, Payload, RecoveryId, Signature, SignatureError};

#[derive(Default, PartialEq, Debug)]
struct Counts {
    accepted: usize,
    refused: usize,
    high_s: usize,
}

#[derive(Clone, Copy)]
enum Format {
    Der,
    Compact,
}

impl Format {
    fn parse(self, bytes: &[u8], id: RecoveryId) -> Result<Signature, SignatureError> {
        match self {
            Self::Der => Signature::from_der(bytes, id),
            Self::Compact => Signature::from_bytes(bytes, id),
        }
    }

    /// The same signature with the low s, and its encoding.
    fn normalise(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Der => ecdsa::Signature::from_der(bytes).unwrap().normalize_s().to_der().as_bytes().to_vec(),
            Self::Compact => ecdsa::Signature::from_slice(bytes).unwrap().normalize_s().to_vec(),
        }
    }

    /// With how many of the four recovery ids the signature verifies.
    fn verifying_ids(self, bytes: &[u8], public_key: &ProjectivePoint, digest: &Digest) -> usize {
        (0..4)
            .filter_map(|id| self.parse(bytes, RecoveryId::new(id).unwrap()).ok())
            .filter(|signature| signature.verify(public_key, digest).is_ok())
            .count()
    }
}

fn run(json: &str, format: Format) -> Counts {
    let data: Value = serde_json::from_str(json).unwrap();
    let mut counts = Counts::default();
    for group in data["testGroups"].as_array().unwrap() {
        assert_eq!(group["sha"], "SHA-256");
        let key = hex::decode(group["publicKey"]["uncompressed"].as_str().unwrap()).unwrap();
        let public_key = PublicKey::from_sec1_bytes(&key).unwrap().to_projective();
        for test in group["tests"].as_array().unwrap() {
            let bytes = |name: &str| hex::decode(test[name].as_str().unwrap()).unwrap();
            let (digest, sig) = (Payload::sha256(&bytes("msg")).digest(), bytes("sig"));
            let ids = format.verifying_ids(&sig, &public_key, &digest);
            match test["result"].as_str().unwrap() {
                "valid" if format.parse(&sig, RecoveryId::new(0).unwrap()) == Err(SignatureError::HighS) => {
                    assert_eq!(ids, 0, "{test}");
                    assert_eq!(format.verifying_ids(&format.normalise(&sig), &public_key, &digest), 1, "{test}");
                    counts.high_s += 1;
                }
                "valid" => {
                    assert_eq!(ids, 1, "{test}");
                    counts.accepted += 1;
                }
                "invalid" => {
                    assert_eq!(ids, 0, "{test}");
                    counts.refused += 1;
                }
                other => panic!("unexpected result {other}"),
            }
        }
    }
    assert_eq!(data["numberOfTests"], counts.accepted + counts.refused + counts.high_s);
    counts
}

#[test]
fn der() {
    let counts = run(include_str!("../testdata/ecdsa_secp256k1_sha256_test.json"), Format::Der);
    assert_eq!(counts, Counts { accepted: 72, refused: 247, high_s: 57 });
}

#[test]
fn compact() {
    let counts = run(include_str!("../testdata/ecdsa_secp256k1_sha256_p1363_test.json"), Format::Compact);
    assert_eq!(counts, Counts { accepted: 71, refused: 68, high_s: 57 });
}

#[test]
fn bitcoin_where_high_s_is_invalid() {
    let counts = run(include_str!("../testdata/ecdsa_secp256k1_sha256_bitcoin_test.json"), Format::Der);
    assert_eq!(counts, Counts { accepted: 124, refused: 241, high_s: 0 });
}
