//! Bytes with one encoding: fixed-width big-endian integers, fixed-size points and scalars, counts with a stated
//! maximum, the whole input consumed (foundations.md, Wire format). Whatever decodes here re-encodes to the same bytes.

use crate::{Group, SecretVec};
use alloc::vec::Vec;

/// Why bytes were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer bytes than the fields need.
    #[error("input ends too early")]
    Truncated,
    /// Bytes left after the last field.
    #[error("trailing bytes")]
    Trailing,
    /// A count above its stated maximum, or another than the one required.
    #[error("count or length out of bounds")]
    Count,
    /// A scalar that is not below the group order.
    #[error("scalar is not below the group order")]
    ScalarRange,
    /// Not a canonical encoding of a point of the prime-order group.
    #[error("not a point of the group")]
    Point,
    /// The identity where it is not allowed.
    #[error("point is the identity")]
    Identity,
    /// A value outside the set that the field allows (unknown tag, party id 0).
    #[error("value not allowed in this field")]
    Value,
    /// Another magic, kind or version than this decoder reads.
    #[error("unknown magic, kind or version")]
    Unsupported,
}

const MAGIC: &[u8; 8] = b"SYMBOLON";

/// The kinds of stored objects, one number for each, never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A multiplicative share of a two-party key.
    PairFactor,
    /// A Shamir share.
    KeyShare,
    /// An OT correlation with one peer.
    PairSetup,
    /// The result of a key-making run, not yet confirmed by all.
    Pending,
    /// A suspended session.
    Suspended,
    /// A share of an imported key that was not refreshed yet.
    ImportedShare,
    /// The client's half of a key in split custody.
    ClientShare,
    /// A piece of a multiplicative factor in escrow.
    FactorPiece,
    /// The plan of a resharing, handed to a newcomer.
    Plan,
    /// The public side of a key in split custody.
    Custody,
}

impl Kind {
    const fn byte(self) -> u8 {
        match self {
            Self::PairFactor => 1,
            Self::KeyShare => 2,
            Self::PairSetup => 3,
            Self::Pending => 4,
            Self::Suspended => 5,
            Self::ImportedShare => 6,
            Self::ClientShare => 7,
            Self::FactorPiece => 8,
            Self::Plan => 9,
            Self::Custody => 10,
        }
    }
}

/// Appends fields to a buffer, which leaves no copy behind when it grows, and is wiped unless it is finished.
#[derive(Default)]
pub struct Writer(SecretVec<u8>);

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(0)
    }

    /// An empty writer with room.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self(SecretVec::with_capacity(bytes))
    }

    /// Makes room for so many bytes more, where a large field is written in pieces.
    pub fn reserve(&mut self, bytes: usize) -> &mut Self {
        self.0.reserve(bytes);
        self
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes(&[value])
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes(&value.to_be_bytes())
    }

    /// Raw bytes of a width that both sides know.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    /// A four-byte length, then the bytes. Longer input than `u32::MAX` is cut by no caller of ours; it saturates and
    /// the reader refuses it.
    pub fn prefixed(&mut self, bytes: &[u8]) -> &mut Self {
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX)).bytes(bytes)
    }

    /// An optional value: a byte 0 or 1, then the bytes.
    pub fn option(&mut self, bytes: Option<&[u8]>) -> &mut Self {
        match bytes {
            None => self.u8(0),
            Some(bytes) => self.u8(1).bytes(bytes),
        }
    }

    /// A point, compressed.
    pub fn point<G: Group>(&mut self, point: &G::Point) -> &mut Self {
        self.bytes(G::point_to_bytes(point).as_ref())
    }

    /// A scalar, 32 bytes in the group's own byte order.
    pub fn scalar<G: Group>(&mut self, scalar: &G::Scalar) -> &mut Self {
        self.bytes(&G::scalar_to_bytes(scalar))
    }

    /// The first ten bytes of every stored object: magic, version 1, kind.
    pub fn object(&mut self, kind: Kind) -> &mut Self {
        self.bytes(MAGIC).u8(1).u8(kind.byte())
    }

    /// Bytes written so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The buffer.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0.into_vec()
    }
}

/// Reads fields from a borrowed buffer; nothing is copied and nothing is allocated.
#[derive(Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `count` bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, tail) = self.0.split_at_checked(count).ok_or(DecodeError::Truncated)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next `N` bytes as an array.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or(DecodeError::Truncated)?;
        self.0 = tail;
        Ok(*head)
    }

    /// One byte.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    /// Two bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u32(&mut self) -> Result<u32, DecodeError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Eight bytes.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn u64(&mut self) -> Result<u64, DecodeError> {
        self.array().map(u64::from_be_bytes)
    }

    /// A two-byte count of at most `max`.
    ///
    /// # Errors
    /// [`DecodeError::Count`] above the maximum, [`DecodeError::Truncated`].
    pub fn count(&mut self, max: u16) -> Result<u16, DecodeError> {
        let count = self.u16()?;
        if count > max { Err(DecodeError::Count) } else { Ok(count) }
    }

    /// A four-byte length of at most `max`, then that many bytes.
    ///
    /// # Errors
    /// [`DecodeError::Count`] above the maximum, [`DecodeError::Truncated`].
    pub fn prefixed(&mut self, max: usize) -> Result<&'a [u8], DecodeError> {
        let len = usize::try_from(self.u32()?).map_err(|_| DecodeError::Count)?;
        if len > max { Err(DecodeError::Count) } else { self.bytes(len) }
    }

    /// An optional array: a byte 0 or 1, then the bytes.
    ///
    /// # Errors
    /// [`DecodeError::Value`] for another first byte, [`DecodeError::Truncated`].
    pub fn option<const N: usize>(&mut self) -> Result<Option<[u8; N]>, DecodeError> {
        match self.u8()? {
            0 => Ok(None),
            1 => self.array().map(Some),
            _ => Err(DecodeError::Value),
        }
    }

    /// A point that is not the identity.
    ///
    /// # Errors
    /// [`DecodeError::Identity`], [`DecodeError::Point`], [`DecodeError::Truncated`].
    pub fn point<G: Group>(&mut self) -> Result<G::Point, DecodeError> {
        G::point_from_bytes(self.bytes(G::POINT_LEN)?)
    }

    /// An uncompressed point, not decoded yet.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn uncompressed<G: Group>(&mut self) -> Result<G::Uncompressed, DecodeError> {
        self.bytes(G::UNCOMPRESSED_LEN)?.try_into().map_err(|_| DecodeError::Truncated)
    }

    /// A canonical scalar, zero included.
    ///
    /// # Errors
    /// [`DecodeError::ScalarRange`], [`DecodeError::Truncated`].
    pub fn scalar<G: Group>(&mut self) -> Result<G::Scalar, DecodeError> {
        G::scalar_from_bytes(&self.array()?)
    }

    /// A party id.
    ///
    /// # Errors
    /// [`DecodeError::Value`] for id 0, [`DecodeError::Truncated`].
    pub fn party(&mut self) -> Result<crate::PartyId, DecodeError> {
        crate::PartyId::new(self.u16()?).map_err(|_| DecodeError::Value)
    }

    /// The beginning of a stored object of this kind.
    ///
    /// # Errors
    /// [`DecodeError::Unsupported`] for another magic, version or kind.
    pub fn object(&mut self, kind: Kind) -> Result<(), DecodeError> {
        let (magic, version, found) = (self.array::<8>()?, self.u8()?, self.u8()?);
        if magic == *MAGIC && version == 1 && found == kind.byte() { Ok(()) } else { Err(DecodeError::Unsupported) }
    }

    /// Bytes not yet read.
    #[must_use]
    pub const fn remaining(&self) -> usize {
        self.0.len()
    }

    /// Everything not yet read.
    #[must_use]
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }

    /// Runs a step that must consume the whole input.
    ///
    /// # Errors
    /// Those of the step, and [`DecodeError::Trailing`].
    pub fn whole<T, E: From<DecodeError>>(mut self, step: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        let value = step(&mut self)?;
        self.finish()?;
        Ok(value)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] when bytes are left.
    pub const fn finish(self) -> Result<(), DecodeError> {
        if self.0.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
    }
}
