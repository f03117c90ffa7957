//! Keys from elsewhere, and keys that leave: an Ed25519 seed on the way in, a scalar on the way out.

use crate::{Ciphersuite, PublicKey, Signature};
use rand_core::TryCryptoRng;
use sha2::{Digest, Sha512};
use symbolon_core::{Ed25519, Group, SecretBytes, SecretScalar, Transcript, on_cleared_stack};
use zeroize::Zeroizing;

/// The secret scalar of an Ed25519 seed (the 32-byte private key of RFC 8032, section 5.1.5): the clamped first half of
/// SHA-512, modulo the group order. With it an existing key can be imported; its public key is the seed's. The other half, from
/// which a single signer makes its nonces, is not needed.
///
/// # Security
/// The way back does not exist: a scalar is not a seed, and no wallet that wants a seed can take it.
#[must_use]
pub fn scalar_from_seed(seed: &SecretBytes<32>) -> SecretScalar<Ed25519> {
    on_cleared_stack(|| {
        let hash = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(seed.expose())));
        let mut wide = Zeroizing::new([0; 64]);
        let (low, _) = wide.split_at_mut(32);
        low.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
        if let [first, .., last] = low {
            *first &= 0b1111_1000;
            *last = *last & 0b0111_1111 | 0b0100_0000;
        }
        SecretScalar::new(Ed25519::scalar_from_wide(&wide))
    })
}

/// Signs with the whole secret key, offline: for whoever has left with `symbolon_sharing::exit`. The signature is an ordinary
/// one. The nonce is `T("offline nonce", fresh randomness, scalar, message)`, so that it stays secret when the generator fails.
///
/// # Errors
/// The generator's.
///
/// # Security
/// Here one machine has the key. That is the end of what this library is for.
pub fn sign_with_scalar<C: Ciphersuite, R: TryCryptoRng>(
    scalar: &SecretScalar<C>,
    message: &[u8],
    rng: &mut R,
) -> Result<Signature<C>, R::Error> {
    on_cleared_stack(|| {
        // P is computed, never taken: a signature under a wrong P publishes the key
        let public_key = PublicKey::<C>::known(scalar.public());
        let fresh = SecretBytes::<32>::try_random(rng)?;
        let nonce = Transcript::new("eddsa", "offline nonce").part([C::ID]).part(fresh.expose());
        let nonce = SecretScalar::<C>::new(nonce.part(scalar.to_bytes().expose()).part(message).scalar::<C>());
        let big_r = C::point_to_bytes(&nonce.public());
        let c = C::h2(&[big_r.as_ref(), public_key.to_bytes().as_ref(), message]);
        Ok(Signature::new(big_r, *nonce.expose() + c * *scalar.expose()))
    })
}
