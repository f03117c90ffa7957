//! The secrets in values that runs make.

use crate::Needles;
use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha512};
use std::collections::BTreeMap;
use symbolon::{KeyShare, PairFactor, SecretScalar, SeedRng, Signed, wallet::Wallet};
use symbolon_core::{Ed25519, Group, PartyId, SecretBytes};
use zeroize::Zeroizing;

/// A value whose secrets can be looked for.
pub trait Secrets {
    /// Registers them.
    fn watch(&self);
}

impl Secrets for () {
    fn watch(&self) {}
}

impl Secrets for Signed {
    fn watch(&self) {}
}

impl<G: Group> Secrets for SecretScalar<G> {
    fn watch(&self) {
        Needles::watch_scalar::<G>("a secret scalar", self.expose());
    }
}

impl Secrets for PairFactor {
    fn watch(&self) {
        Needles::watch_scalar::<symbolon::Secp256k1>("a multiplicative factor", self.secret().expose());
    }
}

impl<G: Group> Secrets for KeyShare<G> {
    fn watch(&self) {
        Needles::watch_scalar::<G>("a key share", self.secret().expose());
    }
}

impl Secrets for Wallet {
    fn watch(&self) {
        self.share().watch();
        if let Some(factor) = self.factor() {
            factor.watch();
        }
    }
}

impl<T: Secrets> Secrets for Vec<T> {
    fn watch(&self) {
        self.iter().for_each(T::watch);
    }
}

impl<T: Secrets> Secrets for Option<T> {
    fn watch(&self) {
        self.iter().for_each(T::watch);
    }
}

impl<T: Secrets> Secrets for BTreeMap<PartyId, T> {
    fn watch(&self) {
        self.values().for_each(T::watch);
    }
}

/// What signs for an Ed25519 seed: the scalar, and the prefix of its nonces.
pub fn watch_identity(seed: &[u8; 32]) {
    let hash = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(seed)));
    Needles::watch("an identity key", seed);
    Needles::watch("the prefix of an identity key", &hash[32..]);
    let scalar = symbolon::frost::scalar_from_seed(&SecretBytes::new(*seed));
    Needles::watch_scalar::<Ed25519>("an identity key", scalar.expose());
}

/// The nonce of RFC 8032, of which and of the signature the scalar follows.
pub fn watch_rfc8032_nonce(seed: &[u8; 32], message: &[u8]) {
    let hash = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(seed)));
    let nonce =
        Zeroizing::new(<[u8; 64]>::from(Sha512::new().chain_update(&hash[32..]).chain_update(message).finalize()));
    Needles::watch_scalar::<Ed25519>("a nonce of RFC 8032", &Ed25519::scalar_from_wide(&nonce));
}

/// A generator of everything that the harness itself draws, the needles included: seeds of sessions, keys, salts. What is sent or
/// stored of it is published afterwards.
pub struct Recording {
    rng: SeedRng,
    /// All that it gave while secrets are learnt.
    pub log: Vec<Zeroizing<Vec<u8>>>,
}

impl Recording {
    /// A different stream for each number.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let mut key = [0x5c; 32];
        key[..8].copy_from_slice(&number.to_be_bytes());
        Self { rng: SeedRng::new(&key), log: Vec::new() }
    }
}

impl TryRng for Recording {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.rng.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.rng.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.rng.try_fill_bytes(bytes)?;
        if crate::watched::LEARNING.load(core::sync::atomic::Ordering::Relaxed) {
            Needles::watch("what the caller's generator gave", bytes);
            crate::watched::drawn(bytes);
            self.log.push(Zeroizing::new(bytes.to_vec()));
        }
        Ok(())
    }
}

impl TryCryptoRng for Recording {}
