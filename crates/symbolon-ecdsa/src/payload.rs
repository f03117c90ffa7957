//! What is signed: the local caller gives the preimage, the digest is computed here (safety.md S4, ecdsa.md Always).

use alloc::string::ToString;
use k256::{FieldBytes, Scalar, elliptic_curve::ops::Reduce};
use sha2::{Digest as _, Sha256};
use sha3::Keccak256;
use symbolon_core::Transcript;

/// Names what was hashed, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PayloadKind {
    /// An unsigned Ethereum transaction; Keccak-256.
    Transaction,
    /// A text in the envelope of EIP-191, version 0x45 (`personal_sign`); Keccak-256.
    PersonalMessage,
    /// Structured data of EIP-712; Keccak-256.
    TypedData,
    /// Bytes under Keccak-256.
    Keccak256,
    /// Bytes under SHA-256.
    Sha256,
    /// Bytes under SHA-256 twice, as Bitcoin does.
    DoubleSha256,
    /// A digest that the caller computed ([`hazmat::prehash`]).
    Prehash,
}

impl PayloadKind {
    /// The kind's number in the session id.
    const fn id(self) -> u8 {
        match self {
            Self::Transaction => 1,
            Self::PersonalMessage => 2,
            Self::TypedData => 3,
            Self::Keccak256 => 4,
            Self::Sha256 => 5,
            Self::DoubleSha256 => 6,
            Self::Prehash => 7,
        }
    }
}

/// The 32 bytes that ECDSA signs. Only hashing makes one, or [`hazmat::prehash`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `h`: the digest as a number modulo the group order.
    #[must_use]
    pub fn to_scalar(&self) -> Scalar {
        Scalar::reduce(&FieldBytes::from(self.0))
    }
}

/// What this party agreed to sign, from its own user or policy; never from a frame. Both parties build it on their own,
/// and the session id makes sure that it is the same.
///
/// # Security
/// Callers MUST build it from what was shown and approved, and MUST NOT build it from a message of the peer without that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Payload {
    kind: PayloadKind,
    digest: Digest,
}

impl Payload {
    /// An Ethereum transaction: its unsigned form as it is hashed, which is the RLP list of a legacy transaction (with the
    /// chain id of EIP-155) or the type byte and the RLP list of a later one (EIP-2718).
    #[must_use]
    pub fn transaction(unsigned: &[u8]) -> Self {
        Self::keccak(PayloadKind::Transaction, &[unsigned])
    }

    /// A text as `personal_sign` signs it: `"\x19Ethereum Signed Message:\n" || decimal length || text` (EIP-191).
    #[must_use]
    pub fn personal_message(text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let length = text.len().to_string();
        Self::keccak(PayloadKind::PersonalMessage, &[b"\x19Ethereum Signed Message:\n", length.as_bytes(), text])
    }

    /// Structured data: `0x19 || 0x01 || domain separator || hash of the struct` (EIP-712).
    #[must_use]
    pub fn typed_data(domain_separator: [u8; 32], struct_hash: [u8; 32]) -> Self {
        Self::keccak(PayloadKind::TypedData, &[b"\x19\x01", &domain_separator, &struct_hash])
    }

    /// Bytes under Keccak-256.
    ///
    /// # Security
    /// Says nothing about what the bytes mean: use the constructors above for transactions, texts and typed data.
    #[must_use]
    pub fn keccak256(bytes: &[u8]) -> Self {
        Self::keccak(PayloadKind::Keccak256, &[bytes])
    }

    /// Bytes under SHA-256.
    #[must_use]
    pub fn sha256(bytes: &[u8]) -> Self {
        Self { kind: PayloadKind::Sha256, digest: Digest(Sha256::digest(bytes).into()) }
    }

    /// Bytes under SHA-256 twice: Bitcoin's signature hash of its preimage.
    #[must_use]
    pub fn double_sha256(bytes: &[u8]) -> Self {
        Self { kind: PayloadKind::DoubleSha256, digest: Digest(Sha256::digest(Sha256::digest(bytes)).into()) }
    }

    fn keccak(kind: PayloadKind, parts: &[&[u8]]) -> Self {
        let hash = parts.iter().fold(Keccak256::new(), |hash, part| hash.chain_update(part));
        Self { kind, digest: Digest(hash.finalize().into()) }
    }

    /// What was hashed.
    #[must_use]
    pub const fn kind(&self) -> PayloadKind {
        self.kind
    }

    /// What is signed.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// `T("payload", kind, digest)`: what the session id absorbs, so that both parties agree on the meaning as well as on
    /// the digest (safety.md S3).
    #[must_use]
    pub fn sid_digest(&self) -> [u8; 32] {
        Transcript::new("ecdsa", "payload").part([self.kind.id()]).part(self.digest.0).finish()
    }
}

/// Payloads whose meaning this library can't know.
pub(crate) mod hazmat {
    use super::{Digest, Payload, PayloadKind};

    /// A digest is 32 bytes.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
    #[error("a digest has 32 bytes, not {0}")]
    pub struct PrehashLength(usize);

    /// A digest that the caller computed.
    ///
    /// # Errors
    /// [`PrehashLength`] unless 32 bytes.
    ///
    /// # Security
    /// The bytes MUST be the output of a collision-resistant hash of something that this caller knows and approved. Signing
    /// a number that somebody else chose allows forgeries; signing the digest that somebody else sent signs whatever
    /// they hashed.
    pub fn prehash(digest: &[u8]) -> Result<Payload, PrehashLength> {
        let digest = digest.try_into().map_err(|_| PrehashLength(digest.len()))?;
        Ok(Payload { kind: PayloadKind::Prehash, digest: Digest(digest) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    // bad input 53
    #[test]
    fn a_digest_has_32_bytes() {
        for length in [0, 1, 31, 33, 64] {
            assert!(hazmat::prehash(&[7; 64][..length]).is_err(), "{length}");
        }
        assert_eq!(hazmat::prehash(&[7; 32]).map(|p| *p.digest().as_bytes()), Ok([7; 32]));
    }

    #[test]
    fn kinds_separate_equal_digests() {
        let preimage = b"\x19Ethereum Signed Message:\n2hi";
        let payloads = [
            Payload::personal_message("hi"),
            Payload::keccak256(preimage),
            Payload::transaction(preimage),
            hazmat::prehash(Payload::personal_message("hi").digest().as_bytes()).unwrap(),
        ];
        assert!(payloads.iter().all(|p| p.digest() == payloads[0].digest()));
        assert_eq!(payloads.iter().map(Payload::sid_digest).collect::<BTreeSet<_>>().len(), payloads.len());
    }

    #[test]
    fn hashes_are_the_named_ones() {
        let hex = |p: Payload| hex::encode(p.digest().as_bytes());
        // FIPS 180-4 example "abc"; Keccak team's empty string; Bitcoin wiki's "hello"
        assert_eq!(hex(Payload::sha256(b"abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(hex(Payload::keccak256(b"")), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
        assert_eq!(
            hex(Payload::double_sha256(b"hello")),
            "9595c9df90075148eb06860365df33584b75bff782a510c6cd4883a419833d50"
        );
    }
}
