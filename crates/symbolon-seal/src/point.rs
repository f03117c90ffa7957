//! Sealing to a point of a curve: an ephemeral key, Diffie-Hellman in the group, HKDF-SHA-256, AES-256-GCM.
//!
//! `E = e*G`, `Z = e*X`, `key (32) || nonce (12) = HKDF(ikm: Z, no salt, info: T("point", curve, E, X, info))`. The key
//! serves once, so that a derived nonce is as good as a random one; `aad` goes to AES-GCM.

use crate::sealed::{OpenError, SealError, Sealed, TAG, hedged};
use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce, Tag, aead::AeadInOut};
use alloc::vec::Vec;
use hkdf::Hkdf;
use rand_core::TryCryptoRng;
use sha2::Sha256;
use symbolon_core::{Group, SecretScalar, Transcript, on_cleared_stack};
use zeroize::{Zeroize, Zeroizing};

/// Seals a secret to whoever knows the discrete logarithm of a point.
///
/// # Security
/// As [`seal_to_device`](crate::seal_to_device). A fallback for a holder without a device key, and never for one that
/// was replaced or revoked: whoever has the old share opens what is sealed to its public point.
///
/// # Errors
/// [`SealError`]; [`SealError::Recipient`] for the identity, and for a point outside the prime-order group.
pub fn seal_to_point<G: Group>(
    recipient: &G::Point,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut impl TryCryptoRng,
) -> Result<Sealed, SealError> {
    on_cleared_stack(|| {
        let encoded = G::point_to_bytes(recipient);
        // the identity and, on Ed25519, a component of small order
        G::point_from_bytes(encoded.as_ref()).map_err(|_| SealError::Recipient)?;
        let e = SecretScalar::<G>::random(&mut hedged(rng, encoded, info, aad, plaintext)?);
        let ephemeral = G::point_to_bytes(&e.public());
        let (cipher, nonce) = cipher::<G>(&e, recipient, &ephemeral, &encoded, info);
        let mut buffer = Zeroizing::new(Vec::with_capacity(plaintext.len() + TAG));
        buffer.extend_from_slice(plaintext);
        let tag =
            cipher.encrypt_inout_detached(&nonce, aad, buffer.as_mut_slice().into()).map_err(|_| SealError::TooLong)?;
        buffer.extend_from_slice(&tag);
        Ok(Sealed::for_point::<G>(&ephemeral, core::mem::take(&mut *buffer)))
    })
}

/// Opens what was sealed to `key*G`, with the same `info` and `aad`.
///
/// # Security
/// As [`open_with_device`](crate::open_with_device).
///
/// # Errors
/// [`OpenError`].
pub fn open_with_point<G: Group>(
    key: &SecretScalar<G>,
    info: &[u8],
    aad: &[u8],
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    on_cleared_stack(|| {
        if !sealed.is_to_point::<G>() {
            return Err(OpenError::Kind);
        }
        let encoded = G::point_to_bytes(&key.public());
        let ephemeral = G::point_from_bytes(sealed.encapsulation()).map_err(|_| OpenError::Refused)?;
        // a key of zero: nothing is ever sealed to the identity, but anybody could compute Z
        G::point_from_bytes(encoded.as_ref()).map_err(|_| OpenError::Refused)?;
        let (cipher, nonce) = cipher::<G>(key, &ephemeral, &G::point_to_bytes(&ephemeral), &encoded, info);
        let (ciphertext, tag) = sealed.ciphertext().split_last_chunk::<TAG>().ok_or(OpenError::Refused)?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        cipher
            .decrypt_inout_detached(&nonce, aad, plaintext.as_mut_slice().into(), &Tag::from(*tag))
            .map_err(|_| OpenError::Refused)?;
        Ok(plaintext)
    })
}

/// The cipher and nonce of one sealing. `secret` and `point` are `e` and `X` on one side, `x` and `E` on the other.
fn cipher<G: Group>(
    secret: &SecretScalar<G>,
    point: &G::Point,
    ephemeral: &G::PointBytes,
    recipient: &G::PointBytes,
    info: &[u8],
) -> (Aes256Gcm, Nonce<<Aes256Gcm as aes_gcm::AeadCore>::NonceSize>) {
    let context = Transcript::new("seal", "point").part(G::NAME).part(ephemeral).part(recipient).part(info).finish();
    let mut shared = G::mul(point, secret.expose());
    let z = Zeroizing::new(G::point_to_bytes(&shared));
    shared.zeroize();
    let (mut key, mut nonce) = (Zeroizing::new([0; 32]), [0; 12]);
    let mut okm = Zeroizing::new([0; 44]);
    Hkdf::<Sha256>::new(None, (*z).as_ref()).expand(&context, okm.as_mut()).expect("44 bytes are far below 255 blocks");
    let (k, n) = okm.split_at(32);
    key.copy_from_slice(k);
    nonce.copy_from_slice(n);
    (Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&*key)), Nonce::from(nonce))
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_core::{Ed25519, Secp256k1, SeedRng};

    /// Everybody can compute what is "sealed" to the identity; a key of zero must not open it.
    fn a_key_of_zero_opens_nothing<G: Group>() {
        let e = SecretScalar::<G>::random(&mut SeedRng::new(&[1; 32]));
        let (ephemeral, recipient) = (G::point_to_bytes(&e.public()), G::point_to_bytes(&G::identity()));
        let (cipher, nonce) = cipher::<G>(&e, &G::identity(), &ephemeral, &recipient, b"info");
        let mut ciphertext = b"secret".to_vec();
        let tag = cipher.encrypt_inout_detached(&nonce, b"", ciphertext.as_mut_slice().into()).unwrap();
        ciphertext.extend_from_slice(&tag);
        let forged = Sealed::for_point::<G>(&ephemeral, ciphertext);
        let zero = SecretScalar::<G>::new(G::Scalar::default());
        assert_eq!(open_with_point(&zero, b"info", b"", &forged), Err(OpenError::Refused));
    }

    #[test]
    fn row_42_a_key_of_zero_opens_nothing() {
        a_key_of_zero_opens_nothing::<Secp256k1>();
        a_key_of_zero_opens_nothing::<Ed25519>();
    }
}
