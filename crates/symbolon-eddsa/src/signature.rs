//! Public keys and signatures, as everybody verifies them.

use crate::Ciphersuite;
use core::fmt;
use symbolon_core::wire::{DecodeError, Reader, Writer};
use symbolon_sharing::KeyShare;

/// The public key `P` of a group of signers, with its encoding.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey<C: Ciphersuite> {
    point: C::Point,
    bytes: C::PointBytes,
}

impl<C: Ciphersuite> PublicKey<C> {
    /// The key that a share is of.
    #[must_use]
    pub fn of(share: &KeyShare<C>) -> Self {
        Self::known(*share.public_key())
    }

    /// # Errors
    /// Those of [`Self::from_bytes`].
    pub fn new(point: &C::Point) -> Result<Self, DecodeError> {
        Self::from_bytes(C::point_to_bytes(point).as_ref())
    }

    /// Of a point that is in the prime-order group, and not the identity.
    pub(crate) fn known(point: C::Point) -> Self {
        Self { point, bytes: C::point_to_bytes(&point) }
    }

    /// From 32 bytes on Ed25519 (RFC 8032), 33 on secp256k1.
    ///
    /// # Errors
    /// [`DecodeError`] unless canonical, in the prime-order group and not the identity.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let point = C::point_from_bytes(bytes)?;
        // points have one encoding: these bytes are what the point encodes to
        Ok(Self { point, bytes: bytes.try_into().map_err(|_| DecodeError::Truncated)? })
    }

    /// The point.
    #[must_use]
    pub const fn point(&self) -> &C::Point {
        &self.point
    }

    /// The encoding: on Ed25519 the account's address in Solana, NEAR, Aptos and Polkadot is made of it.
    #[must_use]
    pub const fn to_bytes(&self) -> C::PointBytes {
        self.bytes
    }
}

impl<C: Ciphersuite> fmt::Debug for PublicKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(")?;
        self.bytes.as_ref().iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}

/// A Schnorr signature `(R, z)`. On Ed25519 these are the 64 bytes of RFC 8032.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signature<C: Ciphersuite> {
    /// As it stands in the signature; verification compares encodings, as RFC 8032 has it.
    big_r: C::PointBytes,
    z: C::Scalar,
}

/// The signature does not verify: another message or key, or changed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct VerifyError;

impl<C: Ciphersuite> Signature<C> {
    /// Bytes of a signature: 64 on Ed25519, 65 on secp256k1.
    pub const LEN: usize = C::POINT_LEN + 32;

    pub(crate) const fn new(big_r: C::PointBytes, z: C::Scalar) -> Self {
        Self { big_r, z }
    }

    /// `R`, then `z`. On Ed25519 `[u8; 64]::try_from` takes it.
    #[must_use]
    pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
        let mut w = Writer::with_capacity(Self::LEN);
        w.bytes(self.big_r.as_ref()).scalar::<C>(&self.z);
        w.finish()
    }

    /// # Errors
    /// [`DecodeError`] for another length, and unless `z` is below the group order. What `R` is, verification finds out.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(bytes).whole(|r| {
            let big_r = r.bytes(C::POINT_LEN)?.try_into().map_err(|_| DecodeError::Truncated)?;
            Ok(Self { big_r, z: r.scalar::<C>()? })
        })
    }

    /// Whether `z*G - H2(R || P || message)*P` encodes to `R`, and is not the identity: the check of RFC 8032 without cofactor.
    /// A key of mixed order is no [`PublicKey`], so that a signature that passes here passes every verifier.
    ///
    /// # Errors
    /// [`VerifyError`].
    // everything here is public, and takes variable time: a frame of its own lets the constant-time check tell it apart
    #[inline(never)]
    pub fn verify(&self, public_key: &PublicKey<C>, message: &[u8]) -> Result<(), VerifyError> {
        let c = C::h2(&[self.big_r.as_ref(), public_key.bytes.as_ref(), message]);
        let big_r = C::mul_base_add_vartime(&self.z, &public_key.point, &-c);
        if C::is_identity(&big_r) || C::point_to_bytes(&big_r) != self.big_r { Err(VerifyError) } else { Ok(()) }
    }
}
