//! Sealing what is stored: suspended sessions, pending values, pair setups.
//!
//! `"SYMB" || version (1) || kind (8) || copy id (16) || nonce (12) || AES-256-GCM(..)`; everything before the ciphertext
//! is associated data, and the key of each blob is `T("storage", key, kind, copy id)`. The copy id is
//! `T("copy", key, 32 fresh bytes, kind, plaintext)[..16]`: of a cloned machine, whose fresh bytes repeat, two different
//! objects still have different keys (safety.md S9), and two equal ones are the same copy.

use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce, Tag, aead::AeadInOut};
use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use symbolon_core::{
    SecretBytes, SecretVec, Transcript, on_cleared_stack,
    wire::{Reader, Writer},
};
use zeroize::Zeroizing;

const MAGIC: &[u8; 4] = b"SYMB";
const VERSION: u8 = 1;
const HEADER: usize = 4 + 1 + 8 + 16 + 12;
const TAG: usize = 16;

/// The key that seals stored objects. As secret as the share itself.
pub struct StorageKey(SecretBytes<32>);

/// A sealed object could not be made: the generator failed, or it is larger than AES-GCM allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealing failed: the random number generator failed, or the object is too large")]
pub struct SealError;

/// Why a sealed object was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a sealed object, or cut short.
    #[error("not a sealed object")]
    Format,
    /// Sealed by a version that this one does not read.
    #[error("unknown storage version {0}")]
    Version(u8),
    /// Another kind of object.
    #[error("another kind of object")]
    Kind,
    /// Another key, or changed bytes.
    #[error("wrong storage key, or the bytes were changed")]
    Key,
}

impl StorageKey {
    /// Takes a uniform key of 32 bytes.
    #[must_use]
    pub const fn new(key: SecretBytes<32>) -> Self {
        Self(key)
    }

    /// A fresh key.
    ///
    /// # Errors
    /// The generator's.
    pub fn generate<R: TryCryptoRng>(rng: &mut R) -> Result<Self, R::Error> {
        on_cleared_stack(|| SecretBytes::try_random(rng).map(Self::new))
    }

    fn cipher(&self, kind: [u8; 8], copy: [u8; 16]) -> Aes256Gcm {
        let key = Transcript::new("session", "storage").part(self.0.expose()).part(kind).part(copy).finish();
        let key = Zeroizing::new(key);
        Aes256Gcm::new(<&Key<Aes256Gcm>>::from(&*key))
    }

    /// Seals an object of a kind; every call draws fresh bytes for a copy id of its own.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn seal(&self, kind: &[u8; 8], plaintext: &[u8], rng: &mut impl TryCryptoRng) -> Result<Vec<u8>, SealError> {
        on_cleared_stack(|| self.encrypt(kind, plaintext, rng))
    }

    fn encrypt(&self, kind: &[u8; 8], plaintext: &[u8], rng: &mut impl TryCryptoRng) -> Result<Vec<u8>, SealError> {
        let (mut fresh, mut nonce) = ([0; 32], [0; 12]);
        rng.try_fill_bytes(&mut fresh).map_err(|_| SealError)?;
        rng.try_fill_bytes(&mut nonce).map_err(|_| SealError)?;
        let copy = Transcript::new("session", "copy").part(self.0.expose()).part(fresh).part(kind).part(plaintext);
        let copy = *copy.finish().first_chunk().ok_or(SealError)?;
        let mut w = Writer::with_capacity(HEADER + plaintext.len() + TAG);
        w.bytes(MAGIC).u8(VERSION).bytes(kind).bytes(&copy).bytes(&nonce).bytes(plaintext);
        let mut sealed = w.finish();
        let (header, body) = sealed.split_at_mut_checked(HEADER).ok_or(SealError)?;
        let tag = self
            .cipher(*kind, copy)
            .encrypt_inout_detached(&Nonce::from(nonce), header, body.into())
            .map_err(|_| SealError)?;
        sealed.extend_from_slice(&tag);
        Ok(sealed)
    }

    /// Opens an object of a kind.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(&self, kind: &[u8; 8], sealed: &[u8]) -> Result<SecretVec<u8>, OpenError> {
        on_cleared_stack(|| self.decrypt(kind, sealed))
    }

    fn decrypt(&self, kind: &[u8; 8], sealed: &[u8]) -> Result<SecretVec<u8>, OpenError> {
        let (copy, nonce) = parse(kind, sealed)?;
        let (header, body) = sealed.split_at_checked(HEADER).ok_or(OpenError::Format)?;
        let (ciphertext, tag) = body.split_last_chunk::<TAG>().ok_or(OpenError::Format)?;
        let mut plaintext = SecretVec::new(ciphertext.to_vec());
        self.cipher(*kind, copy)
            .decrypt_inout_detached(&Nonce::from(nonce), header, (&mut *plaintext).into(), &Tag::from(*tag))
            .map_err(|_| OpenError::Key)?;
        Ok(plaintext)
    }
}

/// The copy id of a sealed object, read without the key.
pub(crate) fn copy_of(kind: &[u8; 8], sealed: &[u8]) -> Result<[u8; 16], OpenError> {
    parse(kind, sealed).map(|(copy, _)| copy)
}

fn parse(kind: &[u8; 8], sealed: &[u8]) -> Result<([u8; 16], [u8; 12]), OpenError> {
    let mut r = Reader::new(sealed);
    let mut next = || Ok((r.array::<4>()?, r.u8()?, r.array::<8>()?, r.array()?, r.array()?));
    let read: Result<_, symbolon_core::wire::DecodeError> = next();
    match read.map_err(|_| OpenError::Format)? {
        (magic, ..) if magic != *MAGIC => Err(OpenError::Format),
        (_, version, ..) if version != VERSION => Err(OpenError::Version(version)),
        (_, _, of, ..) if of != *kind => Err(OpenError::Kind),
        (_, _, _, copy, nonce) => Ok((copy, nonce)),
    }
}
