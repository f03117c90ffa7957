//! The same signatures under two other implementations: k256's own verifier and libsecp256k1.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use k256::{
    ProjectivePoint,
    ecdsa::{SigningKey, VerifyingKey, signature::hazmat::PrehashVerifier},
};
use secp256k1::{
    Message, PublicKey,
    ecdsa::{RecoverableSignature, RecoveryId as LibRecoveryId, Signature as LibSignature},
};
use symbolon_core::{Group, Secp256k1};
use symbolon_ecdsa::{Payload, RecoveryId, Signature};

#[test]
fn verify_and_recover_agree_with_libsecp256k1_and_k256() {
    let mut ids = [0; 2];
    for n in 1..=300u64 {
        let key = *Payload::sha256(&n.to_be_bytes()).digest().as_bytes();
        let signing_key = SigningKey::from_slice(&key).unwrap();
        let public_key = ProjectivePoint::from(*signing_key.verifying_key().as_affine());
        let digest = Payload::keccak256(&key).digest();
        let (theirs, id) = signing_key.sign_prehash_recoverable(digest.as_bytes());
        let signature = Signature::from_bytes(&theirs.to_bytes(), RecoveryId::new(id.to_byte()).unwrap()).unwrap();
        ids[usize::from(id.to_byte())] += 1;

        assert_eq!(signature.verify(&public_key, &digest), Ok(()));
        let verifier = VerifyingKey::from_affine(public_key.to_affine()).unwrap();
        verifier.verify_prehash(digest.as_bytes(), &theirs).unwrap();

        let message = Message::from_digest(*digest.as_bytes());
        let lib_key = PublicKey::from_slice(&Secp256k1::point_to_bytes(&public_key)).unwrap();
        let compact = LibSignature::from_compact(&signature.to_bytes()).unwrap();
        let der = LibSignature::from_der(&signature.to_der()).unwrap();
        assert_eq!(der, compact);
        secp256k1::ecdsa::verify(&compact, message, &lib_key).unwrap();
        let lib_id = LibRecoveryId::from_u8_masked(signature.recovery_id().to_byte());
        let recoverable = RecoverableSignature::from_compact(&signature.to_bytes(), lib_id).unwrap();
        let recovered = recoverable.recover_ecdsa(message).unwrap();
        assert_eq!(recovered, lib_key);
    }
    assert!(ids.iter().all(|n| *n > 100), "{ids:?}");
}
