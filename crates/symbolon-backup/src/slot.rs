//! Key slots: recipients of HPKE to whom the data key is sealed. They differ in where the private key comes from.

use crate::{CreateError, OpenError, Password, Phrase, ReadError, Unlock, Work};
use hkdf::Hkdf;
use rand_core::TryCryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use symbolon_core::{
    SecretBytes,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_seal::{DeviceKey, DevicePublicKey, SealError, Sealed, open_with_device, seal_to_device};
use zeroize::Zeroizing;

/// Slots of one backup, at most.
pub const MAX_SLOTS: usize = 8;
/// HPKE: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
const SUITE: u8 = 1;
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
    public: DevicePublicKey,
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
    sealed: Sealed,
}

impl Recipient {
    /// Derives the key pair of a new slot; for a password that takes as long as a try.
    pub(crate) fn new(slot: &NewSlot<'_>, rng: &mut impl TryCryptoRng) -> Result<Self, CreateError> {
        let mut salt = [0; 32];
        rng.try_fill_bytes(&mut salt).map_err(|_| CreateError::Rng)?;
        let source = match slot {
            NewSlot::Password(_, work) => {
                work.check()?;
                Source::Password { work: *work, salt }
            }
            NewSlot::Phrase(_) => Source::Phrase { salt },
            NewSlot::Device(public) => return Ok(Self { source: Source::Device, public: **public }),
        };
        let key = match slot {
            NewSlot::Password(password, _) => source.derive(&Unlock::Password(password)),
            NewSlot::Phrase(phrase) => source.derive(&Unlock::Phrase(phrase)),
            NewSlot::Device(_) => None,
        };
        let public = *key.ok_or(CreateError::Work)?.public();
        Ok(Self { source, public })
    }

    pub(crate) const fn kind(&self) -> SlotKind {
        match self.source {
            Source::Password { .. } => SlotKind::Password,
            Source::Phrase { .. } => SlotKind::Phrase,
            Source::Device => SlotKind::Device,
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
        match &self.source {
            Source::Password { work, salt } => {
                w.u8(PASSWORD).u8(SUITE);
                work.write(w);
                w.bytes(salt);
            }
            Source::Phrase { salt } => {
                w.u8(PHRASE).u8(SUITE).bytes(salt);
            }
            Source::Device => {
                w.u8(DEVICE).u8(SUITE);
            }
        }
        w.u8(32).bytes(self.public.as_bytes());
    }

    /// Seals a data key.
    pub(crate) fn seal(
        self,
        info: &[u8],
        data_key: &SecretBytes<32>,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Slot, CreateError> {
        let sealed = seal_to_device(&self.public, info, &[], data_key.expose(), rng).map_err(|error| match error {
            SealError::Rng => CreateError::Rng,
            _ => CreateError::Device,
        })?;
        Ok(Slot { recipient: self, sealed })
    }
}

impl Source {
    /// The key pair; `None` for another kind of secret than the slot's.
    fn derive(&self, unlock: &Unlock<'_>) -> Option<DeviceKey> {
        let ikm = match (self, unlock) {
            (Self::Password { work, salt }, Unlock::Password(password)) => work.derive(password.as_bytes(), salt)?,
            (Self::Phrase { salt }, Unlock::Phrase(phrase)) => {
                let mut key = Zeroizing::new([0; 32]);
                let hkdf = Hkdf::<Sha256>::new(Some(salt), phrase.entropy());
                hkdf.expand(b"symbolon/backup/1/phrase", key.as_mut()).ok()?;
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
        let derived;
        let key = match (unlock, &self.recipient.source) {
            (Unlock::Device(key), Source::Device) => key,
            (_, source) => match source.derive(unlock) {
                None => return Ok(None),
                Some(key) => {
                    derived = key;
                    &derived
                }
            },
        };
        if !bool::from(key.public().ct_eq(&self.recipient.public)) {
            return Ok(None);
        }
        let opened = open_with_device(key, info, &[], &self.sealed).map_err(|_| OpenError::Forged)?;
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
        for part in [self.sealed.encapsulation(), self.sealed.ciphertext()] {
            slot.u16(u16::try_from(part.len()).unwrap_or(u16::MAX)).bytes(part);
        }
        let slot = slot.finish();
        let (kind, body) = slot.split_at(1);
        w.bytes(kind).u16(u16::try_from(body.len()).unwrap_or(u16::MAX)).bytes(body);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let kind = r.u8()?;
        let len = usize::from(r.u16()?);
        let mut r = Reader::new(r.bytes(len)?);
        if !matches!(kind, PASSWORD | PHRASE | DEVICE) || r.u8()? != SUITE {
            return Err(ReadError::Unsupported);
        }
        let source = match kind {
            PASSWORD => Source::Password { work: Work::read(&mut r)?, salt: r.array()? },
            PHRASE => Source::Phrase { salt: r.array()? },
            _ => Source::Device,
        };
        let exactly = |found: usize, expected: usize| if found == expected { Ok(()) } else { Err(DecodeError::Count) };
        exactly(usize::from(r.u8()?), 32)?;
        let public = DevicePublicKey::from_bytes(r.array()?)?;
        exactly(usize::from(r.u16()?), 32)?;
        let encapsulation = r.array()?;
        exactly(usize::from(r.u16()?), SEALED_KEY)?;
        let sealed = Sealed::to_device_from_parts(encapsulation, r.array::<SEALED_KEY>()?.to_vec())?;
        r.finish()?;
        Ok(Self { recipient: Recipient { source, public }, sealed })
    }
}

const PASSWORD: u8 = 1;
const PHRASE: u8 = 2;
const DEVICE: u8 = 3;
