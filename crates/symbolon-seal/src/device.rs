//! Sealing to a device key: HPKE (RFC 9180) in base mode, one message per encapsulation.

use crate::sealed::{OpenError, SealError, Sealed, TAG, hedged};
use alloc::{boxed::Box, vec::Vec};
use hpke::{
    Deserializable, Kem, OpModeR, OpModeS, Serializable,
    aead::{AeadTag, AesGcm256},
    inout::InOutBuf,
    kdf::HkdfSha256,
    kem::X25519HkdfSha256,
    single_shot_open_inout_detached, single_shot_seal_inout_detached_with_rng,
};
use rand_core::{CryptoRng, TryCryptoRng};
use subtle::{Choice, ConstantTimeEq};
use symbolon_core::{SecretBytes, on_cleared_stack, wire::DecodeError};
use zeroize::{ZeroizeOnDrop, Zeroizing};

type PrivateKey = <X25519HkdfSha256 as Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as Kem>::PublicKey;

/// The X25519 key of a device, wiped on drop; no `Clone`, no `Debug`, no `PartialEq`.
///
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_seal::DeviceKey>();
/// ```
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_seal::DeviceKey>();
/// ```
pub struct DeviceKey {
    secret: Box<PrivateKey>, // x25519-dalek's StaticSecret, which wipes itself
    public: DevicePublicKey,
}

impl ZeroizeOnDrop for DeviceKey {}

impl DeviceKey {
    /// A fresh key.
    ///
    /// # Errors
    /// The generator's.
    pub fn generate<R: TryCryptoRng>(rng: &mut R) -> Result<Self, R::Error> {
        on_cleared_stack(|| {
            let mut ikm = Zeroizing::new([0; 32]);
            rng.try_fill_bytes(ikm.as_mut())?;
            Ok(Self::derive(&SecretBytes::new(*ikm)))
        })
    }

    /// `DeriveKeyPair(ikm)` of RFC 9180, section 7.1.3.
    ///
    /// # Security
    /// `ikm` MUST have the entropy of a key, or come from a function that makes guessing expensive (scrypt), and MUST
    /// NOT be used for anything else.
    #[must_use]
    pub fn derive(ikm: &SecretBytes<32>) -> Self {
        on_cleared_stack(|| Self::of(X25519HkdfSha256::derive_keypair(ikm.expose()).0))
    }

    /// A stored key. It is clamped, so that any 32 bytes are a key.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "a length of 32 is the only thing that is checked")]
    pub fn from_bytes(bytes: &SecretBytes<32>) -> Self {
        on_cleared_stack(|| Self::of(PrivateKey::from_bytes(bytes.expose()).expect("32 bytes are a key")))
    }

    fn of(secret: PrivateKey) -> Self {
        let mut public = [0; DevicePublicKey::LEN];
        X25519HkdfSha256::sk_to_pk(&secret).write_exact(&mut public);
        Self { secret: Box::new(secret), public: DevicePublicKey(public) }
    }

    /// The key, clamped, for the device's own protected storage.
    #[must_use]
    pub fn to_bytes(&self) -> SecretBytes<32> {
        on_cleared_stack(|| {
            let mut bytes = Zeroizing::new([0; 32]);
            self.secret.write_exact(bytes.as_mut());
            SecretBytes::new(*bytes)
        })
    }

    /// The public key, for everybody.
    #[must_use]
    pub const fn public(&self) -> &DevicePublicKey {
        &self.public
    }
}

/// The public key of a device: an X25519 coordinate in its one encoding, not of low order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DevicePublicKey([u8; 32]);

/// The reduced coordinates of low order, on the curve and on its twist: 0, 1, -1, and two of order 8. The keys are public: a
/// comparison takes the place of a multiplication.
const LOW_ORDER: [[u8; 32]; 5] = {
    let (zero, mut one, mut minus_one) = ([0; 32], [0; 32], [0xff; 32]);
    [one[0], minus_one[0], minus_one[31]] = [1, 0xec, 0x7f];
    [
        zero,
        one,
        minus_one,
        [
            0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09,
            0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00,
        ],
        [
            0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44,
            0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57,
        ],
    ]
};

impl DevicePublicKey {
    /// Width in bytes.
    pub const LEN: usize = 32;

    /// A received or stored key.
    ///
    /// Stricter than X25519 itself, which masks the top bit and reduces: one key must not have two encodings, for its
    /// owner compares and registers it by its bytes.
    ///
    /// # Errors
    /// [`DecodeError::Point`] for a coordinate of `2^255 - 19` or more, and for one of low order: the shared secret
    /// would be zero, known to everybody.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, DecodeError> {
        let [low, middle @ .., high] = &bytes;
        let reduced = *high < 0x7f || *low < 0xed || middle.iter().any(|b| *b != 0xff);
        if *high > 0x7f || !reduced || LOW_ORDER.contains(&bytes) {
            return Err(DecodeError::Point);
        }
        Ok(Self(bytes))
    }

    /// The bytes of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl AsRef<[u8]> for DevicePublicKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl ConstantTimeEq for DevicePublicKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

/// Seals a secret to a device key.
///
/// # Security
/// `info` says what this is for, of which key, between whom (a transcript's output does), and `aad` may carry what
/// travels beside it; the opener MUST have both from its own knowledge. A sealed secret names no sender: where that
/// matters, sign it. The caller MUST have the recipient's key from an authenticated source.
///
/// # Errors
/// [`SealError`].
pub fn seal_to_device(
    recipient: &DevicePublicKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut impl TryCryptoRng,
) -> Result<Sealed, SealError> {
    on_cleared_stack(|| {
        let mut rng = hedged(rng, recipient, info, aad, plaintext)?;
        seal(recipient, info, aad, plaintext, &mut rng)
    })
}

fn seal(
    recipient: &DevicePublicKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<Sealed, SealError> {
    let key = PublicKey::from_bytes(&recipient.0).map_err(|_| SealError::Recipient)?;
    let (encapsulation, ciphertext) = seal_base::<X25519HkdfSha256>(&key, info, aad, plaintext, rng)?;
    let encapsulation = encapsulation.as_slice().try_into().map_err(|_| SealError::Recipient)?;
    Ok(Sealed::for_device(encapsulation, ciphertext))
}

/// HPKE's base mode with any KEM: the encapsulated key, and the ciphertext with its tag.
pub(crate) fn seal_base<K: Kem>(
    key: &K::PublicKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut impl CryptoRng,
) -> Result<(Vec<u8>, Vec<u8>), SealError> {
    let mut buffer = Zeroizing::new(Vec::with_capacity(plaintext.len() + TAG));
    buffer.extend_from_slice(plaintext);
    // a shared secret of zero is an error of the X25519 KEM, too
    let (enc, tag) = single_shot_seal_inout_detached_with_rng::<AesGcm256, HkdfSha256, K>(
        &OpModeS::Base,
        key,
        info,
        InOutBuf::from(buffer.as_mut_slice()),
        aad,
        rng,
    )
    .map_err(|_| SealError::Recipient)?;
    buffer.extend_from_slice(&tag.to_bytes());
    Ok((enc.to_bytes().to_vec(), core::mem::take(&mut *buffer)))
}

/// Opens what was sealed to this device, with the same `info` and `aad`.
///
/// # Security
/// What comes out was written by somebody who knows the public key and the context, which may be anybody: compare it
/// with what is known of the secret (a share with its public point) before any use.
///
/// # Errors
/// [`OpenError`].
pub fn open_with_device(
    key: &DeviceKey,
    info: &[u8],
    aad: &[u8],
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    on_cleared_stack(|| {
        if !sealed.is_to_device() {
            return Err(OpenError::Kind);
        }
        open_base::<X25519HkdfSha256>(&key.secret, info, aad, sealed.encapsulation(), sealed.ciphertext())
    })
}

/// Opens what [`seal_base`] made.
pub(crate) fn open_base<K: Kem>(
    key: &K::PrivateKey,
    info: &[u8],
    aad: &[u8],
    encapsulation: &[u8],
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let enc = K::EncappedKey::from_bytes(encapsulation).map_err(|_| OpenError::Refused)?;
    let (ciphertext, tag) = ciphertext.split_last_chunk::<TAG>().ok_or(OpenError::Refused)?;
    let tag = AeadTag::<AesGcm256>::from_bytes(tag).map_err(|_| OpenError::Refused)?;
    let mut plaintext = Zeroizing::new(ciphertext.to_vec());
    single_shot_open_inout_detached::<AesGcm256, HkdfSha256, K>(
        &OpModeR::Base,
        key,
        &enc,
        info,
        InOutBuf::from(plaintext.as_mut_slice()),
        aad,
        &tag,
    )
    .map_err(|_| OpenError::Refused)?;
    Ok(plaintext)
}

#[cfg(test)]
pub(crate) mod tests;
