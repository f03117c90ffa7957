//! Sealing to a hybrid key: HPKE in base mode with X-Wing (ML-KEM-768 and X25519), so that what is recorded today stays sealed when
//! one of the two is broken. **Experimental**: its number in HPKE (0x647a, draft-ietf-hpke-pq) is not final.

use crate::{
    DevicePublicKey, OpenError, SealError,
    device::{open_base, seal_base},
    sealed::{MAX_PLAINTEXT, TAG, hedged},
};
use alloc::{boxed::Box, vec::Vec};
use hpke::{Deserializable, Kem, Serializable, kem::XWing};
use rand_core::TryCryptoRng;
use subtle::{Choice, ConstantTimeEq};
use symbolon_core::{SecretBytes, on_cleared_stack, wire::DecodeError};
use zeroize::{ZeroizeOnDrop, Zeroizing};

type PrivateKey = <XWing as Kem>::PrivateKey;
type PublicKey = <XWing as Kem>::PublicKey;

/// Bytes of an ML-KEM-768 ciphertext; an X25519 key follows.
const ML_KEM_CIPHERTEXT: usize = 1088;
/// Bytes of an ML-KEM-768 key; an X25519 key follows.
const ML_KEM_KEY: usize = 1184;

/// The X-Wing key of a device, wiped on drop; no `Clone`, no `Debug`, no `PartialEq`.
///
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_seal::XWingKey>();
/// ```
pub struct XWingKey {
    secret: Box<PrivateKey>, // a seed, which wipes itself
    public: XWingPublicKey,
}

impl ZeroizeOnDrop for XWingKey {}

impl XWingKey {
    /// A fresh key.
    ///
    /// # Errors
    /// The generator's.
    pub fn generate<R: TryCryptoRng>(rng: &mut R) -> Result<Self, R::Error> {
        on_cleared_stack(|| {
            let mut seed = Zeroizing::new([0; 32]);
            rng.try_fill_bytes(seed.as_mut())?;
            Ok(Self::from_bytes(&SecretBytes::new(*seed)))
        })
    }

    /// A stored key: the seed of 32 bytes from which both halves come.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "a length of 32 is the only thing that is checked")]
    pub fn from_bytes(seed: &SecretBytes<32>) -> Self {
        on_cleared_stack(|| {
            let secret = Box::new(PrivateKey::from_bytes(seed.expose()).expect("32 bytes are a key"));
            let public = XWingPublicKey(XWing::sk_to_pk(&secret).to_bytes().to_vec());
            Self { secret, public }
        })
    }

    /// The seed, for the device's own protected storage.
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
    pub const fn public(&self) -> &XWingPublicKey {
        &self.public
    }
}

/// The public key of a device: ML-KEM-768's (1184 bytes, reduced), then X25519's (32 bytes, as strict as [`DevicePublicKey`]).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct XWingPublicKey(Vec<u8>);

impl XWingPublicKey {
    /// Width in bytes.
    pub const LEN: usize = ML_KEM_KEY + DevicePublicKey::LEN;

    /// A received or stored key.
    ///
    /// # Errors
    /// [`DecodeError::Count`] for another length, [`DecodeError::Point`] for a half that is not reduced or of low order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() != Self::LEN {
            return Err(DecodeError::Count);
        }
        checked_x25519(bytes)?;
        PublicKey::from_bytes(bytes).map_err(|_| DecodeError::Point)?;
        Ok(Self(bytes.to_vec()))
    }

    /// The bytes of the key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl ConstantTimeEq for XWingPublicKey {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

/// The X25519 half, which stands last in keys and encapsulations. The KEM alone would take one of low order.
fn checked_x25519(bytes: &[u8]) -> Result<(), DecodeError> {
    DevicePublicKey::from_bytes(*bytes.last_chunk().ok_or(DecodeError::Count)?).map(drop)
}

/// A secret that is sealed to an X-Wing key: public bytes, of which a container keeps the two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XWingSealed {
    encapsulation: Vec<u8>,
    ciphertext: Vec<u8>,
}

impl XWingSealed {
    /// Bytes of the encapsulated key.
    pub const ENCAPSULATION: usize = ML_KEM_CIPHERTEXT + DevicePublicKey::LEN;

    /// From its parts.
    ///
    /// # Errors
    /// [`DecodeError::Point`] for an X25519 half that is not canonical or of low order; [`DecodeError::Count`] for another length.
    pub fn from_parts(encapsulation: Vec<u8>, ciphertext: Vec<u8>) -> Result<Self, DecodeError> {
        if encapsulation.len() != Self::ENCAPSULATION || !(TAG..=MAX_PLAINTEXT + TAG).contains(&ciphertext.len()) {
            return Err(DecodeError::Count);
        }
        checked_x25519(&encapsulation)?;
        Ok(Self { encapsulation, ciphertext })
    }

    /// HPKE's `enc`.
    #[must_use]
    pub fn encapsulation(&self) -> &[u8] {
        &self.encapsulation
    }

    /// The ciphertext with its tag.
    #[must_use]
    pub fn ciphertext(&self) -> &[u8] {
        &self.ciphertext
    }
}

/// Seals a secret to an X-Wing key.
///
/// # Security
/// As [`crate::seal_to_device`].
///
/// # Errors
/// [`SealError`].
pub fn seal_to_xwing(
    recipient: &XWingPublicKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut impl TryCryptoRng,
) -> Result<XWingSealed, SealError> {
    on_cleared_stack(|| {
        let mut rng = hedged(rng, recipient.as_bytes(), info, aad, plaintext)?;
        let key = PublicKey::from_bytes(recipient.as_bytes()).map_err(|_| SealError::Recipient)?;
        let (encapsulation, ciphertext) = seal_base::<XWing>(&key, info, aad, plaintext, &mut rng)?;
        Ok(XWingSealed { encapsulation, ciphertext })
    })
}

/// Opens what was sealed to this key, with the same `info` and `aad`.
///
/// # Security
/// As [`crate::open_with_device`].
///
/// # Errors
/// [`OpenError::Refused`].
pub fn open_with_xwing(
    key: &XWingKey,
    info: &[u8],
    aad: &[u8],
    sealed: &XWingSealed,
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    on_cleared_stack(|| open_base::<XWing>(&key.secret, info, aad, &sealed.encapsulation, &sealed.ciphertext))
}

#[cfg(test)]
mod tests;
