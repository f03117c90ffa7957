//! A sealed secret, its one encoding, and what both ways of sealing share.

use crate::DevicePublicKey;
use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use symbolon_core::{
    Ed25519, Group, Secp256k1, SeedRng, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use zeroize::Zeroizing;

/// The longest secret that is sealed, in bytes.
pub const MAX_PLAINTEXT: usize = 64 * 1024;

/// Bytes of an AES-GCM tag.
pub(crate) const TAG: usize = 16;

/// The first byte of an encoding: sealed to a device key. Points have their curve's [`Group::ID`].
const DEVICE: u8 = 0;

/// A sealed secret: public bytes, for any storage and any channel. Who made it is not in it; whoever knows the
/// recipient's public key can make one.
///
/// One encoding: `kind (1) | encapsulation (32 or 33) | length (4) | ciphertext and tag`. Kind 0 is a device key,
/// another is the curve of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    kind: u8,
    encapsulation: Vec<u8>,
    ciphertext: Vec<u8>,
}

/// Why nothing was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The secret is longer than [`MAX_PLAINTEXT`].
    #[error("the secret is too long to be sealed")]
    TooLong,
    /// The recipient is the identity, of low order, or not in the prime-order group: anybody could open.
    #[error("the recipient is not a key that can be sealed to")]
    Recipient,
    /// The random number generator failed.
    #[error("the random number generator failed")]
    Rng,
}

/// Why a sealed secret was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Sealed to another kind of recipient: a device key, or a point of another curve.
    #[error("sealed to another kind of recipient")]
    Kind,
    /// Another key or another context, or the bytes were changed. Which of them, nobody can tell.
    #[error("wrong key or context, or the bytes were changed")]
    Refused,
}

impl Sealed {
    /// Puts together what a container keeps apart: the encapsulated key and the ciphertext of something that was
    /// sealed to a device key.
    ///
    /// # Errors
    /// [`DecodeError::Point`] for an encapsulation that is not canonical or of low order; [`DecodeError::Count`] for a
    /// ciphertext without a tag or above the maximum.
    pub fn to_device_from_parts(encapsulation: [u8; 32], ciphertext: Vec<u8>) -> Result<Self, DecodeError> {
        DevicePublicKey::from_bytes(encapsulation)?;
        if !(TAG..=MAX_PLAINTEXT + TAG).contains(&ciphertext.len()) {
            return Err(DecodeError::Count);
        }
        Ok(Self::for_device(encapsulation, ciphertext))
    }

    pub(crate) fn for_device(encapsulation: [u8; 32], ciphertext: Vec<u8>) -> Self {
        Self { kind: DEVICE, encapsulation: encapsulation.to_vec(), ciphertext }
    }

    pub(crate) fn for_point<G: Group>(encapsulation: &G::PointBytes, ciphertext: Vec<u8>) -> Self {
        Self { kind: G::ID, encapsulation: encapsulation.as_ref().to_vec(), ciphertext }
    }

    /// Whether this was sealed to a device key, and not to a point.
    #[must_use]
    pub const fn is_to_device(&self) -> bool {
        self.kind == DEVICE
    }

    /// Whether this was sealed to a point of this group.
    #[must_use]
    pub const fn is_to_point<G: Group>(&self) -> bool {
        self.kind == G::ID
    }

    /// The encapsulated key (HPKE's `enc`) or the ephemeral point, compressed.
    #[must_use]
    pub fn encapsulation(&self) -> &[u8] {
        &self.encapsulation
    }

    /// The ciphertext with its tag.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }

    /// Bytes of the secret inside, which no sealing hides. Where the length itself is secret the caller pads.
    #[must_use]
    pub const fn open_length(&self) -> usize {
        self.ciphertext.len().saturating_sub(TAG)
    }

    /// Bytes of the encoding of a secret of this length, sealed to a device key.
    #[must_use]
    pub const fn device_length(plaintext: usize) -> usize {
        Self::length(DevicePublicKey::LEN, plaintext)
    }

    /// Bytes of the encoding of a secret of this length, sealed to a point.
    #[must_use]
    pub const fn point_length<G: Group>(plaintext: usize) -> usize {
        Self::length(G::POINT_LEN, plaintext)
    }

    const fn length(encapsulation: usize, plaintext: usize) -> usize {
        plaintext.saturating_add(1 + encapsulation + 4 + TAG)
    }

    /// Appends the encoding.
    pub fn write(&self, w: &mut Writer) {
        w.u8(self.kind).bytes(&self.encapsulation).prefixed(&self.ciphertext);
    }

    /// Reads an encoding whose secret has at most `max_plaintext` bytes (never more than [`MAX_PLAINTEXT`]).
    ///
    /// # Errors
    /// [`DecodeError::Value`] for an unknown kind; [`DecodeError::Point`] or [`DecodeError::Identity`] for an
    /// encapsulation that is not canonical, not in its group, or of low order; [`DecodeError::Count`] for a length out
    /// of bounds; [`DecodeError::Truncated`].
    pub fn read(r: &mut Reader<'_>, max_plaintext: usize) -> Result<Self, DecodeError> {
        let kind = r.u8()?;
        let encapsulation = match kind {
            DEVICE => DevicePublicKey::from_bytes(r.array()?)?.as_bytes().to_vec(),
            Secp256k1::ID => checked_point::<Secp256k1>(r)?,
            Ed25519::ID => checked_point::<Ed25519>(r)?,
            _ => return Err(DecodeError::Value),
        };
        let ciphertext = r.prefixed(max_plaintext.min(MAX_PLAINTEXT) + TAG)?;
        if ciphertext.len() < TAG {
            return Err(DecodeError::Count);
        }
        Ok(Self { kind, encapsulation, ciphertext: ciphertext.to_vec() })
    }

    /// The encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(Self::length(self.encapsulation.len(), self.open_length()));
        self.write(&mut w);
        w.finish()
    }

    /// Reads a whole encoding, as [`Self::read`].
    ///
    /// # Errors
    /// Those of [`Self::read`], and [`DecodeError::Trailing`].
    pub fn from_bytes(bytes: &[u8], max_plaintext: usize) -> Result<Self, DecodeError> {
        Reader::new(bytes).whole(|r| Self::read(r, max_plaintext))
    }
}

fn checked_point<G: Group>(r: &mut Reader<'_>) -> Result<Vec<u8>, DecodeError> {
    let bytes = r.bytes(G::POINT_LEN)?;
    G::point_from_bytes(bytes)?;
    Ok(bytes.to_vec())
}

/// The generator of one sealing: fresh bytes of the caller's generator, hashed with everything that is sealed. A
/// generator that repeats itself (a machine restored from a snapshot) then repeats no ephemeral key, and with it the
/// nonce of AES-GCM, unless the whole sealing is the same (safety.md S9).
pub(crate) fn hedged(
    rng: &mut impl TryCryptoRng,
    recipient: impl AsRef<[u8]>,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<SeedRng, SealError> {
    if plaintext.len() > MAX_PLAINTEXT {
        return Err(SealError::TooLong);
    }
    let mut fresh = Zeroizing::new([0; 32]);
    rng.try_fill_bytes(fresh.as_mut()).map_err(|_| SealError::Rng)?;
    let t = Transcript::new("seal", "ephemeral")
        .part(fresh.as_slice())
        .part(recipient)
        .part(info)
        .part(aad)
        .part(plaintext);
    Ok(SeedRng::new(&Zeroizing::new(t.finish())))
}
