//! Key slots: recipients of HPKE to whom the data key is sealed. They differ in where the private key comes from.

use crate::{CreateError, OpenError, Password, Phrase, ReadError, Unlock, Work, primitives::hkdf};
use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use symbolon_core::{
    SecretBytes,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_seal::{DeviceKey, DevicePublicKey, SealError, Sealed, open_with_device, seal_to_device};
#[cfg(feature = "xwing")]
use symbolon_seal::{XWingPublicKey, XWingSealed, open_with_xwing, seal_to_xwing};
use zeroize::Zeroizing;

/// Slots of one backup, at most.
pub const MAX_SLOTS: usize = 8;
/// HPKE: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
const X25519: u8 = 1;
/// The same with X-Wing for the KEM.
#[cfg(feature = "xwing")]
const XWING: u8 = 2;
/// Bytes of the data key, sealed.
const SEALED_KEY: usize = 32 + 16;

/// What opens a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SlotKind {
    /// A password, through scrypt.
    Password,
    /// 24 words, made by this library.
    Phrase,
    /// The key of a device.
    Device,
    /// The hybrid key of a device: experimental, and never the only slot.
    #[cfg(feature = "xwing")]
    XWing,
}

/// A slot to be made.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum NewSlot<'a> {
    /// Opened by a password, at this cost.
    Password(&'a Password, Work),
    /// Opened by 24 words.
    Phrase(&'a Phrase),
    /// Opened by a device. The caller MUST have its key from an authenticated source.
    Device(&'a DevicePublicKey),
    /// Opened by a device's hybrid key. **Experimental**: only beside a slot of another kind, until the KEM's number in HPKE is final.
    /// The caller MUST have the key from an authenticated source.
    #[cfg(feature = "xwing")]
    XWing(&'a XWingPublicKey),
}

/// Which recipients the slots of a backup have, in order: what a holder records beside its live share, and what
/// [`crate::Backup::reseal`] compares. The sealed keys in it are not part: they change whenever a share is sealed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotSet([u8; 32]);

impl SlotSet {
    /// From a store.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For a store.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    pub(crate) fn of(slots: &[Slot]) -> Self {
        let mut w = Writer::new();
        slots.iter().for_each(|slot| slot.recipient.write(&mut w));
        Self(Sha256::digest(w.finish()).into())
    }
}

/// Where the private key comes from, and its public key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Recipient {
    source: Source,
    public: PublicKey,
}

/// The suite, and a key of it. Only a device has one of the second.
#[derive(Clone, PartialEq, Eq, Debug)]
enum PublicKey {
    X25519(DevicePublicKey),
    #[cfg(feature = "xwing")]
    XWing(XWingPublicKey),
}

/// A data key, sealed with the suite of its recipient. Of the first in place: what is read takes no more memory than its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
enum SealedKey {
    X25519 {
        encapsulation: [u8; 32],
        ciphertext: [u8; SEALED_KEY],
    },
    #[cfg(feature = "xwing")]
    XWing(XWingSealed),
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Source {
    Password { work: Work, salt: [u8; 32] },
    Phrase { salt: [u8; 32] },
    Device,
}

/// A recipient, and the data key sealed to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Slot {
    pub(crate) recipient: Recipient,
    sealed: SealedKey,
}

impl Recipient {
    /// Derives the key pair of a new slot; for a password that takes as long as a try.
    pub(crate) fn new(slot: &NewSlot<'_>, rng: &mut impl TryCryptoRng) -> Result<Self, CreateError> {
        let mut salt = [0; 32];
        rng.try_fill_bytes(&mut salt).map_err(|_| CreateError::Rng)?;
        let device = |public| Ok(Self { source: Source::Device, public });
        let (source, unlock) = match slot {
            NewSlot::Password(password, work) => {
                work.check()?;
                (Source::Password { work: *work, salt }, Unlock::Password(password))
            }
            NewSlot::Phrase(phrase) => (Source::Phrase { salt }, Unlock::Phrase(phrase)),
            NewSlot::Device(public) => return device(PublicKey::X25519(**public)),
            #[cfg(feature = "xwing")]
            NewSlot::XWing(public) => return device(PublicKey::XWing((*public).clone())),
        };
        let key = source.derive(&unlock).ok_or(CreateError::Work)?;
        Ok(Self { public: PublicKey::X25519(*key.public()), source })
    }

    pub(crate) const fn kind(&self) -> SlotKind {
        match (&self.source, &self.public) {
            (Source::Password { .. }, _) => SlotKind::Password,
            (Source::Phrase { .. }, _) => SlotKind::Phrase,
            (Source::Device, PublicKey::X25519(_)) => SlotKind::Device,
            #[cfg(feature = "xwing")]
            (Source::Device, PublicKey::XWing(_)) => SlotKind::XWing,
        }
    }

    pub(crate) const fn work(&self) -> Option<&Work> {
        match &self.source {
            Source::Password { work, .. } => Some(work),
            _ => None,
        }
    }

    /// Whether one secret opens both: a second slot for a device.
    pub(crate) fn same_key(&self, other: &Self) -> bool {
        self.public == other.public
    }

    /// What [`SlotSet`] hashes and what stands before the sealed key: type, suite, parameters, public key.
    fn write(&self, w: &mut Writer) {
        let suite = match self.public {
            PublicKey::X25519(_) => X25519,
            #[cfg(feature = "xwing")]
            PublicKey::XWing(_) => XWING,
        };
        match &self.source {
            Source::Password { work, salt } => {
                w.u8(PASSWORD).u8(suite);
                work.write(w);
                w.bytes(salt);
            }
            Source::Phrase { salt } => {
                w.u8(PHRASE).u8(suite).bytes(salt);
            }
            Source::Device => {
                w.u8(DEVICE).u8(suite);
            }
        }
        match &self.public {
            PublicKey::X25519(public) => w.u8(32).bytes(public.as_bytes()),
            #[cfg(feature = "xwing")]
            PublicKey::XWing(public) => prefixed(w, public.as_bytes()),
        };
    }

    /// Seals a data key.
    pub(crate) fn seal(
        self,
        info: &[u8],
        data_key: &SecretBytes<32>,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Slot, CreateError> {
        let key = data_key.expose();
        let sealed = match &self.public {
            PublicKey::X25519(public) => seal_to_device(public, info, &[], key, rng).and_then(|sealed| {
                let parts = (sealed.encapsulation().try_into(), sealed.ciphertext().try_into());
                let (Ok(encapsulation), Ok(ciphertext)) = parts else { return Err(SealError::Recipient) };
                Ok(SealedKey::X25519 { encapsulation, ciphertext })
            }),
            #[cfg(feature = "xwing")]
            PublicKey::XWing(public) => seal_to_xwing(public, info, &[], key, rng).map(SealedKey::XWing),
        };
        let sealed = sealed.map_err(|error| match error {
            SealError::Rng => CreateError::Rng,
            _ => CreateError::Device,
        })?;
        Ok(Slot { recipient: self, sealed })
    }
}

/// `2 + n`.
fn prefixed<'a>(w: &'a mut Writer, bytes: &[u8]) -> &'a mut Writer {
    w.u16(u16::try_from(bytes.len()).unwrap_or(u16::MAX)).bytes(bytes)
}

impl Source {
    /// The key pair; `None` for another kind of secret than the slot's.
    fn derive(&self, unlock: &Unlock<'_>) -> Option<DeviceKey> {
        let ikm = match (self, unlock) {
            (Self::Password { work, salt }, Unlock::Password(password)) => work.derive(password.as_bytes(), salt)?,
            (Self::Phrase { salt }, Unlock::Phrase(phrase)) => {
                let mut key = Zeroizing::new([0; 32]);
                hkdf(salt, phrase.entropy(), b"symbolon/backup/1/phrase", key.as_mut())?;
                SecretBytes::new(*key)
            }
            _ => return None,
        };
        Some(DeviceKey::derive(&ikm))
    }
}

impl Slot {
    /// The data key, if this is the secret of the slot. The public key is compared first, in constant time: it commits to the
    /// secret, so that nothing opens under two.
    pub(crate) fn open(&self, unlock: &Unlock<'_>, info: &[u8]) -> Result<Option<SecretBytes<32>>, OpenError> {
        let Recipient { source, public } = &self.recipient;
        let derived = source.derive(unlock);
        let key = match unlock {
            Unlock::Device(key) => Some(*key),
            _ => derived.as_ref(),
        };
        let opened = match (key, public, &self.sealed) {
            (Some(key), PublicKey::X25519(public), SealedKey::X25519 { encapsulation, ciphertext })
                if key.public().ct_eq(public).into() =>
            {
                let sealed = Sealed::to_device_from_parts(*encapsulation, ciphertext.to_vec());
                open_with_device(key, info, &[], &sealed.map_err(|_| OpenError::Forged)?)
            }
            #[cfg(feature = "xwing")]
            (_, PublicKey::XWing(public), SealedKey::XWing(sealed)) => match unlock {
                Unlock::XWing(key) if key.public().ct_eq(public).into() => open_with_xwing(key, info, &[], sealed),
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let opened = opened.map_err(|_| OpenError::Forged)?;
        let data_key: &[u8; 32] = opened.as_slice().try_into().map_err(|_| OpenError::Forged)?;
        Ok(Some(SecretBytes::new(*data_key)))
    }

    /// This recipient, with what was sealed to another.
    #[cfg(test)]
    pub(crate) fn with_sealed_key_of(&self, other: &Self) -> Self {
        Self { recipient: self.recipient.clone(), sealed: other.sealed.clone() }
    }

    /// Type, length, body.
    pub(crate) fn write(&self, w: &mut Writer) {
        let mut slot = Writer::new();
        self.recipient.write(&mut slot);
        let (encapsulation, ciphertext): (&[u8], &[u8]) = match &self.sealed {
            SealedKey::X25519 { encapsulation, ciphertext } => (encapsulation, ciphertext),
            #[cfg(feature = "xwing")]
            SealedKey::XWing(sealed) => (sealed.encapsulation(), sealed.ciphertext()),
        };
        prefixed(&mut slot, encapsulation);
        prefixed(&mut slot, ciphertext);
        let slot = slot.finish();
        let (kind, body) = slot.split_at(1);
        prefixed(w.bytes(kind), body);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let kind = r.u8()?;
        let len = usize::from(r.u16()?);
        let mut r = Reader::new(r.bytes(len)?);
        if !matches!(kind, PASSWORD | PHRASE | DEVICE) {
            return Err(ReadError::Unsupported);
        }
        let suite = r.u8()?;
        #[cfg(feature = "xwing")]
        if (kind, suite) == (DEVICE, XWING) {
            return Self::read_xwing(r);
        }
        if suite != X25519 {
            return Err(ReadError::Unsupported);
        }
        let source = match kind {
            PASSWORD => Source::Password { work: Work::read(&mut r)?, salt: r.array()? },
            PHRASE => Source::Phrase { salt: r.array()? },
            _ => Source::Device,
        };
        exactly(usize::from(r.u8()?), 32)?;
        let public = PublicKey::X25519(DevicePublicKey::from_bytes(r.array()?)?);
        exactly(usize::from(r.u16()?), 32)?;
        let encapsulation = *DevicePublicKey::from_bytes(r.array()?)?.as_bytes();
        exactly(usize::from(r.u16()?), SEALED_KEY)?;
        let sealed = SealedKey::X25519 { encapsulation, ciphertext: r.array()? };
        r.finish()?;
        Ok(Self { recipient: Recipient { source, public }, sealed })
    }

    #[cfg(feature = "xwing")]
    fn read_xwing(mut r: Reader<'_>) -> Result<Self, ReadError> {
        exactly(usize::from(r.u16()?), XWingPublicKey::LEN)?;
        let public = PublicKey::XWing(XWingPublicKey::from_bytes(r.bytes(XWingPublicKey::LEN)?)?);
        exactly(usize::from(r.u16()?), XWingSealed::ENCAPSULATION)?;
        let encapsulation = r.bytes(XWingSealed::ENCAPSULATION)?.to_vec();
        exactly(usize::from(r.u16()?), SEALED_KEY)?;
        let sealed = XWingSealed::from_parts(encapsulation, r.array::<SEALED_KEY>()?.to_vec())?;
        r.finish()?;
        Ok(Self { recipient: Recipient { source: Source::Device, public }, sealed: SealedKey::XWing(sealed) })
    }
}

fn exactly(found: usize, expected: usize) -> Result<(), DecodeError> {
    if found == expected { Ok(()) } else { Err(DecodeError::Count) }
}

/// Whether a backup may have these slots: not only experimental ones.
#[allow(clippy::missing_const_for_fn, reason = "not with the feature")]
pub(crate) fn lasting<'a>(mut recipients: impl Iterator<Item = &'a Recipient>) -> bool {
    recipients.any(|recipient| match recipient.public {
        PublicKey::X25519(_) => true,
        #[cfg(feature = "xwing")]
        PublicKey::XWing(_) => false,
    })
}

const PASSWORD: u8 = 1;
const PHRASE: u8 = 2;
const DEVICE: u8 = 3;
