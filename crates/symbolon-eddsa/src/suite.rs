//! The hash functions of a ciphersuite (RFC 9591, section 6).

use hash2curve::{ExpandMsgXmd, hash_to_scalar};
use k256::elliptic_curve::array::sizes::U48;
use sha2::{Digest, Sha256, Sha512};
use symbolon_core::{Ed25519, Group, Secp256k1};
use zeroize::Zeroizing;

/// A group with the hash functions that FROST needs. Inputs are lists of byte strings, which are concatenated.
pub trait Ciphersuite: Group {
    /// `contextString`.
    const CONTEXT: &'static str;
    /// The output of [`Self::h4`] and [`Self::h5`].
    type Hash: AsRef<[u8]> + Copy;

    /// The binding factor of a signer.
    fn h1(input: &[&[u8]]) -> Self::Scalar;
    /// The challenge of the signature.
    fn h2(input: &[&[u8]]) -> Self::Scalar;
    /// A nonce. The input is secret.
    fn h3(input: &[&[u8]]) -> Self::Scalar;
    /// The hash of the message.
    fn h4(message: &[u8]) -> Self::Hash;
    /// The hash of the encoded commitment list.
    fn h5(list: &[u8]) -> Self::Hash;
}

/// FROST(Ed25519, SHA-512), RFC 9591 section 6.1. Signatures are those of RFC 8032.
impl Ciphersuite for Ed25519 {
    const CONTEXT: &'static str = "FROST-ED25519-SHA512-v1";
    type Hash = [u8; 64];

    fn h1(input: &[&[u8]]) -> Self::Scalar {
        Self::scalar_from_wide(&sha512(&[Self::CONTEXT, "rho"], input))
    }

    /// Without a context, as in RFC 8032.
    fn h2(input: &[&[u8]]) -> Self::Scalar {
        Self::scalar_from_wide(&sha512(&[], input))
    }

    fn h3(input: &[&[u8]]) -> Self::Scalar {
        Self::scalar_from_wide(&sha512(&[Self::CONTEXT, "nonce"], input))
    }

    fn h4(message: &[u8]) -> [u8; 64] {
        *sha512(&[Self::CONTEXT, "msg"], &[message])
    }

    fn h5(list: &[u8]) -> [u8; 64] {
        *sha512(&[Self::CONTEXT, "com"], &[list])
    }
}

fn sha512(prefix: &[&str], input: &[&[u8]]) -> Zeroizing<[u8; 64]> {
    let start = prefix.iter().fold(Sha512::new(), Sha512::chain_update);
    Zeroizing::new(input.iter().fold(start, Sha512::chain_update).finalize().into())
}

/// FROST(secp256k1, SHA-256), RFC 9591 section 6.5. Its signatures are Schnorr signatures of this RFC: neither ECDSA nor
/// those of BIP-340.
impl Ciphersuite for Secp256k1 {
    const CONTEXT: &'static str = "FROST-secp256k1-SHA256-v1";
    type Hash = [u8; 32];

    fn h1(input: &[&[u8]]) -> Self::Scalar {
        to_scalar("rho", input)
    }

    fn h2(input: &[&[u8]]) -> Self::Scalar {
        to_scalar("chal", input)
    }

    fn h3(input: &[&[u8]]) -> Self::Scalar {
        to_scalar("nonce", input)
    }

    fn h4(message: &[u8]) -> [u8; 32] {
        sha256("msg", message)
    }

    fn h5(list: &[u8]) -> [u8; 32] {
        sha256("com", list)
    }
}

fn sha256(label: &str, input: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(Secp256k1::CONTEXT).chain_update(label).chain_update(input).finalize().into()
}

/// `hash_to_field` of RFC 9380 with `expand_message_xmd`, SHA-256 and `L = 48`.
fn to_scalar(label: &str, input: &[&[u8]]) -> <Secp256k1 as Group>::Scalar {
    let domain = [Secp256k1::CONTEXT.as_bytes(), label.as_bytes()];
    hash_to_scalar::<k256::Secp256k1, ExpandMsgXmd<Sha256>, U48>(input, &domain)
        .expect("48 bytes of a domain of 25 to 30 bytes are within the bounds of RFC 9380")
}
