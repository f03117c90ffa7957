//! Whole keys: seeds that come in, scalars that leave.

use crate::world::*;
use ed25519_dalek::{SigningKey, Verifier, VerifyingKey};
use rand_core::Rng;
use std::collections::BTreeSet;
use symbolon_core::{Ed25519, PartyId, Secp256k1, SecretBytes, SecretScalar};
use symbolon_eddsa::{PublicKey, Signature, VerifyError, scalar_from_seed, sign_with_scalar};
use symbolon_sharing::lagrange;
use symbolon_testkit::{Crowd, seeded};

fn address(seed: [u8; 32]) -> [u8; 32] {
    PublicKey::<Ed25519>::new(&scalar_from_seed(&SecretBytes::new(seed)).public()).unwrap().to_bytes()
}

// RFC 8032, section 7.1, test 1, and 200 others
#[test]
fn the_scalar_of_a_seed_has_its_public_key() {
    let seed = hex::decode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").unwrap();
    let key = hex::decode("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
    assert_eq!(address(seed.try_into().unwrap())[..], key);
    let mut rng = seeded(1);
    for n in 0..200 {
        let mut seed = [n; 32];
        if n > 2 {
            rng.fill_bytes(&mut seed);
        }
        assert_eq!(address(seed), SigningKey::from_bytes(&seed).verifying_key().to_bytes());
    }
}

#[test]
fn a_scalar_signs_as_its_key() {
    fn check<C: Curve>() {
        let mut rng = seeded(2);
        for len in [0, 1, 32, 1232, 100_000] {
            let secret = SecretScalar::<C>::random(&mut rng);
            let key = PublicKey::<C>::new(&secret.public()).unwrap();
            assert_eq!(format!("{key:?}"), format!("PublicKey({})", hex::encode(key.to_bytes())));
            let message = vec![0x5a; len];
            let signature = sign_with_scalar(&secret, &message, &mut rng).unwrap();
            assert_eq!(signature.verify(&key, &message), Ok(()));
            assert!(C::strict(&key, &message, &signature));
            assert_eq!(signature.verify(&key, &[&message[..], b"!"].concat()), Err(VerifyError));
            let other = PublicKey::<C>::new(&(*key.point() + C::generator())).unwrap();
            assert_eq!(signature.verify(&other, &message), Err(VerifyError));
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// a generator that says the same twice, or nothing but zeros: the nonces of two messages, and of two keys, differ
#[test]
fn row_12_an_offline_nonce_is_never_used_for_two_messages() {
    fn check<C: Curve>() {
        let big_r = |k: u64, message: &[u8], seed: u64| {
            let secret = SecretScalar::<C>::new(scalar::<C>(k));
            sign_with_scalar(&secret, message, &mut seeded(seed)).unwrap().to_bytes()[..C::POINT_LEN].to_vec()
        };
        let mut seen = BTreeSet::new();
        for k in 1..4 {
            for seed in 0..3 {
                for message in [&b""[..], b"a", b"b", b"aa"] {
                    assert!(seen.insert(big_r(k, message, seed)));
                    assert_eq!(big_r(k, message, seed), big_r(k, message, seed));
                }
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// a wallet's seed, shared out: t holders sign for its address; t shares make the scalar, with which its owner can leave
#[test]
fn shares_and_scalar_sign_for_one_address() {
    let shares = shares::<Ed25519>(3);
    let signers = ids(&[2, 3, 5]);
    let made = Crowd::new(signers.iter().map(|me| (*me, sign(&shares[me], &signers, MESSAGE, 1)))).outputs();
    let signature = made[&id(2)].0;
    let lambdas = lagrange::<Ed25519>(&[2, 3, 5].map(scalar::<Ed25519>)).unwrap();
    let terms = signers.iter().zip(lambdas).map(|(id, lambda): (&PartyId, _)| lambda * *shares[id].secret().expose());
    let whole = SecretScalar::<Ed25519>::new(terms.sum());
    let alone = sign_with_scalar(&whole, MESSAGE, &mut seeded(1)).unwrap();
    let key = VerifyingKey::from_bytes(&public_key::<Ed25519>().to_bytes()).unwrap();
    for signature in [signature, alone] {
        let bytes = <[u8; 64]>::try_from(signature.to_bytes()).unwrap();
        assert!(key.verify(MESSAGE, &ed25519_dalek::Signature::from_bytes(&bytes)).is_ok());
        assert_eq!(Signature::<Ed25519>::from_bytes(&bytes), Ok(signature));
    }
}

// attacks.md row 75: signatures and keys have one encoding, and R = O is no signature
#[test]
fn row_54_no_changed_signature_verifies() {
    fn check<C: Curve>() {
        let secret = SecretScalar::<C>::new(scalar::<C>(77));
        let key = PublicKey::<C>::new(&secret.public()).unwrap();
        let bytes = sign_with_scalar(&secret, MESSAGE, &mut seeded(1)).unwrap().to_bytes();
        assert_eq!(bytes.len(), Signature::<C>::LEN);
        for len in 0..bytes.len() {
            assert!(Signature::<C>::from_bytes(&bytes[..len]).is_err());
        }
        assert!(Signature::<C>::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut other = bytes.clone();
                other[at] ^= 1 << bit;
                if let Ok(signature) = Signature::<C>::from_bytes(&other) {
                    assert_eq!(signature.to_bytes(), other);
                    assert_eq!(signature.verify(&key, MESSAGE), Err(VerifyError), "{at} {bit}");
                }
            }
        }
        // z = c*x, R = O
        let identity = C::point_to_bytes(&C::identity());
        let c = C::h2(&[identity.as_ref(), key.to_bytes().as_ref(), MESSAGE]);
        let z = C::scalar_to_bytes(&(c * *secret.expose()));
        let degenerate = Signature::<C>::from_bytes(&[identity.as_ref(), &z].concat()).unwrap();
        assert_eq!(degenerate.verify(&key, MESSAGE), Err(VerifyError));
        assert!(PublicKey::<C>::from_bytes(identity.as_ref()).is_err());
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}
