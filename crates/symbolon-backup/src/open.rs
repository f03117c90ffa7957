//! Making, opening and changing backups.

use crate::{
    Backed, Backup, CreateError, Header, Limits, MAX_SLOTS, NewSlot, OpenError, Password, Phrase, ResealError,
    SlotKind, SlotSet, Work,
    container::{Payload, TAG},
    primitives::{Gcm, hkdf, hmac},
    slot::{Recipient, Slot, lasting},
};
use alloc::vec::Vec;
use hmac::{Hmac, Mac};
use rand_core::TryCryptoRng;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use symbolon_core::{Group, SecretBytes, Transcript, on_cleared_stack, wire::Reader};
use symbolon_seal::DeviceKey;
use zeroize::Zeroizing;

/// What a backup is opened with.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Unlock<'a> {
    /// A password; trying it takes as long as the slot says.
    Password(&'a Password),
    /// 24 words.
    Phrase(&'a Phrase),
    /// A device's key.
    Device(&'a DeviceKey),
    /// A device's hybrid key.
    #[cfg(feature = "xwing")]
    XWing(&'a symbolon_seal::XWingKey),
}

/// What the reader knows of the key, from its own records and never from the backup.
///
/// The public key alone proves little: whoever knows it, and a file of the holder, makes a share that fits it, and a backup of that
/// share for the holder's own password. Only the public share `X = x*G` tells the holder's share from such a one, and only the record of
/// the slots tells that nobody has put in one of its own.
#[derive(Clone, Copy)]
pub struct Expected<G: Group> {
    public_key: G::Point,
    public_share: Option<G::Point>,
    epoch: u32,
    slots: Option<SlotSet>,
    /// A hash of the live secret with all that is stored beside it.
    content: Option<[u8; 32]>,
}

impl<G: Group> Expected<G> {
    /// The public key `P`, and nothing else.
    ///
    /// # Security
    /// What [`Backup::open`] then gives may be a share that anybody made. Compare its public share with what the other holders have of
    /// this one before it is relied on.
    #[must_use]
    pub const fn key(public_key: G::Point) -> Self {
        Self { public_key, public_share: None, epoch: 0, slots: None, content: None }
    }

    /// All that a live share tells: its key, its public share, its epoch (generation, for a factor), and what is stored beside it, down
    /// to members, chain code and marks. A backup of the same share that differs in these is refused ([`OpenError::NotLive`]).
    #[must_use]
    pub fn live<S: Backed<Group = G>>(live: &S) -> Self {
        let (public_key, public_share) = live.points();
        let (epoch, content) = (live.header().epoch(), on_cleared_stack(|| Some(content(&live.to_secret_bytes()))));
        Self { public_key, public_share: Some(public_share), epoch, slots: None, content }
    }

    /// And the public share `X` (of a factor: factor times the generator): other shares are refused. Every member of the key knows it. What
    /// is stored beside the share is then that of whoever knew it: the holder, or somebody who has opened a backup of it.
    #[must_use]
    pub const fn share(self, public_share: G::Point) -> Self {
        Self { public_share: Some(public_share), content: None, ..self }
    }

    /// And the epoch (generation, for a factor): older backups are refused.
    #[must_use]
    pub const fn epoch(self, epoch: u32) -> Self {
        Self { epoch, ..self }
    }

    /// And the slots, as recorded when the backup was made or changed: others are refused.
    #[must_use]
    pub const fn slots(self, recorded: SlotSet) -> Self {
        Self { slots: Some(recorded), ..self }
    }

    /// The least epoch.
    pub(crate) const fn least(&self) -> u32 {
        self.epoch
    }

    /// `P` and `X`, where both are known.
    pub(crate) const fn points(&self) -> Option<(&G::Point, &G::Point)> {
        match &self.public_share {
            Some(public_share) => Some((&self.public_key, public_share)),
            None => None,
        }
    }
}

impl<G: Group> core::fmt::Debug for Expected<G> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Expected").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

/// An opened backup.
pub struct Opened<S> {
    /// The share.
    pub secret: S,
    /// Which slot was opened, from 0 on.
    pub slot: usize,
}

fn content(encoded: &[u8]) -> [u8; 32] {
    Transcript::new("backup", "live").part(encoded).finish()
}

/// Where a slot goes.
#[derive(Clone, Copy)]
enum Place {
    /// Between the others.
    At(usize),
    /// In the place of this one.
    Of(usize),
    /// In the place of the one that is opened.
    OfOpened,
}

impl Unlock<'_> {
    const fn kind(&self) -> SlotKind {
        match self {
            Self::Password(_) => SlotKind::Password,
            Self::Phrase(_) => SlotKind::Phrase,
            Self::Device(_) => SlotKind::Device,
            #[cfg(feature = "xwing")]
            Self::XWing(_) => SlotKind::XWing,
        }
    }
}

/// `HKDF-SHA-256(data key, no salt, label)`.
fn derived(data_key: &SecretBytes<32>, label: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    hkdf(&[], data_key.expose(), label, key.as_mut()).expect("32 bytes are one block");
    key
}

fn mac(data_key: &SecretBytes<32>, authenticated: &[u8]) -> Hmac<Sha256> {
    hmac(derived(data_key, b"symbolon/backup/1/header").as_slice(), authenticated)
}

fn cipher(data_key: &SecretBytes<32>) -> Gcm {
    Gcm::new(&derived(data_key, b"symbolon/backup/1/payload"))
}

fn fresh<const N: usize>(rng: &mut impl TryCryptoRng) -> Result<Zeroizing<[u8; N]>, CreateError> {
    let mut bytes = Zeroizing::new([0; N]);
    rng.try_fill_bytes(bytes.as_mut()).map_err(|_| CreateError::Rng)?;
    Ok(bytes)
}

impl Backup {
    /// Seals a secret to these slots. A slot with a password takes as long as a try.
    ///
    /// # Errors
    /// [`CreateError`].
    ///
    /// # Security
    /// Record [`Self::slot_set`] beside the live share. Whoever opens any one of the slots has the share.
    pub fn create<S: Backed>(
        secret: &S,
        slots: &[NewSlot<'_>],
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, CreateError> {
        on_cleared_stack(|| {
            if !(1..=MAX_SLOTS).contains(&slots.len()) {
                return Err(CreateError::Slots);
            }
            Self::affordable(core::iter::empty(), slots)?;
            let recipients = slots.iter().map(|slot| Recipient::new(slot, rng)).collect::<Result<Vec<_>, _>>()?;
            Self::seal(secret, recipients, rng)
        })
    }

    /// With a new data key.
    fn seal<S: Backed>(
        secret: &S,
        recipients: Vec<Recipient>,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, CreateError> {
        let header = secret.header();
        let clear = Self::clear_part(&header);
        let plaintext = secret.to_secret_bytes();
        // with all that is sealed, so that a generator that repeats itself repeats no key (safety.md S9)
        let t = Transcript::new("backup", "data key").part(*fresh::<32>(rng)?).part(&clear).part(&plaintext);
        let data_key = SecretBytes::new(t.finish());
        let nonce = *fresh::<12>(rng)?;
        // encrypted in place: no copy stays behind
        let mut buffer = Zeroizing::new(Vec::with_capacity(plaintext.len() + TAG));
        buffer.extend_from_slice(&plaintext);
        let tag = cipher(&data_key).seal(&nonce, &clear, &mut buffer).ok_or(CreateError::Slots)?;
        buffer.extend_from_slice(&tag);
        let payload = Payload { nonce, ciphertext: core::mem::take(&mut *buffer) };
        let slots = Self::seal_slots(recipients, &clear, &data_key, rng)?;
        let mac = mac(&data_key, &Self::authenticated_part(&header, &slots)).finalize().into_bytes().into();
        Ok(Self { header, slots, mac, payload })
    }

    fn seal_slots(
        recipients: Vec<Recipient>,
        clear: &[u8],
        data_key: &SecretBytes<32>,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Vec<Slot>, CreateError> {
        let distinct = |i: usize, one: &Recipient| recipients.iter().skip(i + 1).all(|other| !one.same_key(other));
        if !lasting(recipients.iter()) || !recipients.iter().enumerate().all(|(i, one)| distinct(i, one)) {
            return Err(CreateError::Slots);
        }
        recipients.into_iter().map(|recipient| recipient.seal(&info(clear), data_key, rng)).collect()
    }

    /// No password is made that no reader would try, with the others.
    fn affordable<'a>(
        others: impl Iterator<Item = &'a Recipient>,
        slots: &'a [NewSlot<'_>],
    ) -> Result<(), CreateError> {
        let new = slots.iter().filter_map(|slot| match slot {
            NewSlot::Password(_, work) => Some(work),
            _ => None,
        });
        Limits::LARGE.allow(others.filter_map(Recipient::work).chain(new)).map_err(|_| CreateError::Work)
    }

    /// Opens a slot: which one, and the data key, after the MAC over header and slots has verified.
    pub(crate) fn unlock(&self, unlock: &Unlock<'_>, limits: &Limits) -> Result<(usize, SecretBytes<32>), OpenError> {
        let slots = || self.slots.iter().enumerate().filter(|(_, slot)| slot.recipient.kind() == unlock.kind());
        if slots().next().is_none() {
            return Err(OpenError::NoSlot);
        }
        // all together, before any of them is tried
        limits.allow(slots().filter_map(|(_, slot)| slot.recipient.work()))?;
        let info = info(&Self::clear_part(&self.header));
        for (at, slot) in slots() {
            if let Some(data_key) = slot.open(unlock, &info)? {
                let authenticated = Self::authenticated_part(&self.header, &self.slots);
                mac(&data_key, &authenticated).verify(&self.mac.into()).map_err(|_| OpenError::Forged)?;
                return Ok((at, data_key));
            }
        }
        Err(match unlock {
            Unlock::Password(_) => OpenError::WrongPassword,
            Unlock::Phrase(_) => OpenError::WrongPhrase,
            Unlock::Device(_) => OpenError::WrongDevice,
            #[cfg(feature = "xwing")]
            Unlock::XWing(_) => OpenError::WrongDevice,
        })
    }

    fn decrypt<S: Backed>(&self, data_key: &SecretBytes<32>) -> Result<S, OpenError> {
        let (ciphertext, tag) = self.payload.ciphertext.split_last_chunk::<TAG>().ok_or(OpenError::Forged)?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        cipher(data_key)
            .open(&self.payload.nonce, &Self::clear_part(&self.header), &mut plaintext, tag)
            .ok_or(OpenError::Forged)?;
        // the decoder checks that the public shares lie on one polynomial through P, and that the secret is the share's
        let secret = Reader::new(&plaintext).whole(S::decode).map_err(|_| OpenError::Share)?;
        if secret.header() == self.header { Ok(secret) } else { Err(OpenError::Share) }
    }

    /// Whether this is a backup of the expected key, by what it says of itself.
    fn claims<S: Backed>(&self, expected: &Expected<S::Group>) -> Result<(), OpenError> {
        if !self.header.is_on::<S::Group>() || self.header.kind != S::KIND {
            return Err(OpenError::OtherKind);
        }
        if self.header.public_key != S::Group::point_to_bytes(&expected.public_key).as_ref() {
            return Err(OpenError::OtherKey);
        }
        let found = self.header.epoch();
        if found < expected.epoch {
            return Err(OpenError::OldEpoch { found, expected: expected.epoch });
        }
        // the payload is refused later unless it has the point that the header says
        let same = |share: &_| self.header.public_share == S::Group::point_to_bytes(share).as_ref();
        if !expected.public_share.as_ref().is_none_or(same) {
            return Err(OpenError::OtherShare);
        }
        if expected.slots.is_some_and(|recorded| recorded != self.slot_set()) {
            return Err(OpenError::SlotSet);
        }
        Ok(())
    }

    /// Opens it. Everything is checked: password or key first, then the MAC over header and slots, the share's encryption, and the share
    /// against its public data and the key that the caller expects.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open<S: Backed>(
        &self,
        unlock: &Unlock<'_>,
        expected: &Expected<S::Group>,
        limits: &Limits,
    ) -> Result<Opened<S>, OpenError> {
        on_cleared_stack(|| {
            self.claims::<S>(expected)?;
            let (slot, data_key) = self.unlock(unlock, limits)?;
            let secret: S = self.decrypt(&data_key)?;
            let same = |live: [u8; 32]| bool::from(live.ct_eq(&content(&secret.to_secret_bytes())));
            if !expected.content.is_none_or(same) {
                return Err(OpenError::NotLive);
            }
            Ok(Opened { secret, slot })
        })
    }

    /// What may be changed: a backup of the live share, with the slots that were recorded.
    const fn changeable<G: Group>(expected: &Expected<G>) -> Result<(), ResealError> {
        if expected.slots.is_none() {
            return Err(ResealError::NoRecord);
        }
        if expected.public_share.is_none() {
            return Err(ResealError::Open(OpenError::ShareUnknown));
        }
        Ok(())
    }

    /// Whether this opens it, without looking at the share.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn validate_password(&self, unlock: &Unlock<'_>, limits: &Limits) -> Result<(), OpenError> {
        on_cleared_stack(|| self.unlock(unlock, limits).map(drop))
    }

    /// Whether it opens and holds the right share, without handing it out.
    ///
    /// # Errors
    /// [`OpenError`]; [`OpenError::ShareUnknown`] if the caller does not say which share is the right one.
    pub fn validate_share<S: Backed>(
        &self,
        unlock: &Unlock<'_>,
        expected: &Expected<S::Group>,
        limits: &Limits,
    ) -> Result<(), OpenError> {
        on_cleared_stack(|| {
            expected.points().ok_or(OpenError::ShareUnknown)?;
            self.open::<S>(unlock, expected, limits).map(drop)
        })
    }

    /// A new backup of the same share with one more slot, under a new data key. `expected` names the live share and the recorded slots, here and in all
    /// that changes a backup: a slot that somebody else put in would receive the next share. The caller records the new
    /// [`Self::slot_set`].
    ///
    /// # Errors
    /// [`ResealError`].
    pub fn add_slot<S: Backed>(
        &self,
        slot: &NewSlot<'_>,
        unlock: &Unlock<'_>,
        expected: &Expected<S::Group>,
        limits: &Limits,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, ResealError> {
        on_cleared_stack(|| {
            self.with_slots::<S>(Place::At(self.slots.len()), Some(slot), unlock, expected, limits, rng)
        })
    }

    /// A new backup of the same share without slot `at` (from 0 on), under a new data key.
    ///
    /// # Errors
    /// [`ResealError`].
    ///
    /// # Security
    /// Copies of the old backup still open with what the slot opened with. After a suspected leak remove the slot, refresh the key, and
    /// retire the old share.
    pub fn remove_slot<S: Backed>(
        &self,
        at: usize,
        unlock: &Unlock<'_>,
        expected: &Expected<S::Group>,
        limits: &Limits,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, ResealError> {
        on_cleared_stack(|| self.with_slots::<S>(Place::Of(at), None, unlock, expected, limits, rng))
    }

    /// A new backup of the same share with another slot in the place of slot `at`, under a new data key.
    ///
    /// # Errors
    /// [`ResealError`].
    ///
    /// # Security
    /// As [`Self::remove_slot`].
    pub fn replace_slot<S: Backed>(
        &self,
        at: usize,
        slot: &NewSlot<'_>,
        unlock: &Unlock<'_>,
        expected: &Expected<S::Group>,
        limits: &Limits,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, ResealError> {
        on_cleared_stack(|| self.with_slots::<S>(Place::Of(at), Some(slot), unlock, expected, limits, rng))
    }

    /// A new backup of the same share with another password in the place of the old one, under a new data key. Other slots stay.
    ///
    /// # Errors
    /// [`ResealError`].
    ///
    /// # Security
    /// As [`Self::remove_slot`].
    pub fn change_password<S: Backed>(
        &self,
        old: &Password,
        new: (&Password, Work),
        expected: &Expected<S::Group>,
        limits: &Limits,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, ResealError> {
        on_cleared_stack(|| {
            let slot = NewSlot::Password(new.0, new.1);
            self.with_slots::<S>(Place::OfOpened, Some(&slot), &Unlock::Password(old), expected, limits, rng)
        })
    }

    /// With `slot` at this place. What costs nothing to refuse is refused before a password is tried.
    fn with_slots<S: Backed>(
        &self,
        place: Place,
        slot: Option<&NewSlot<'_>>,
        unlock: &Unlock<'_>,
        expected: &Expected<S::Group>,
        limits: &Limits,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Self, ResealError> {
        Self::changeable(expected)?;
        self.claims::<S>(expected)?;
        let mut kept: Vec<_> = self.slots.iter().map(|slot| slot.recipient.clone()).collect();
        if let Place::Of(at) = place {
            if at >= kept.len() {
                return Err(ResealError::NoSlot);
            }
            kept.remove(at);
        }
        let opened = matches!(place, Place::OfOpened);
        let others = kept.len() - usize::from(opened);
        if !(1..=MAX_SLOTS).contains(&(others + usize::from(slot.is_some()))) {
            return Err(CreateError::Slots.into());
        }
        if let (Some(slot), false) = (slot, opened) {
            Self::affordable(kept.iter(), core::slice::from_ref(slot))?;
        }
        let Opened { secret, slot: found } = self.open::<S>(unlock, expected, limits)?;
        let at = match place {
            Place::At(at) | Place::Of(at) => at,
            Place::OfOpened => {
                kept.remove(found);
                found
            }
        };
        if let Some(slot) = slot {
            Self::affordable(kept.iter(), core::slice::from_ref(slot))?;
            kept.insert(at, Recipient::new(slot, rng)?);
        }
        Ok(Self::seal(&secret, kept, rng)?)
    }

    /// Seals a newer share of the same key to the same slots, without any of their secrets: after a refresh at night. Gives what
    /// [`symbolon_sharing::retire`] asks for.
    ///
    /// # Errors
    /// [`ResealError`].
    ///
    /// # Security
    /// `recorded` MUST come from the holder's own record, made when it made or changed the backup, never from the storage that has it:
    /// whoever controls that could add a slot of its own and receive the share. The result MUST be stored durably before the old share is retired. Copies of the old
    /// backup still open, and give the old share.
    pub fn reseal<S: Backed>(
        &self,
        secret: &S,
        recorded: &SlotSet,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Self, S::Token), ResealError> {
        on_cleared_stack(|| {
            if self.slot_set() != *recorded {
                return Err(ResealError::SlotSet);
            }
            let new = secret.header();
            let of = |header: &Header| {
                (header.kind, header.curve, header.scheme, header.key_id, header.index, header.public_key.clone())
            };
            if of(&new) != of(&self.header) {
                return Err(ResealError::OtherKey);
            }
            if new.epoch() < self.header.epoch() {
                return Err(ResealError::Older);
            }
            let recipients = self.slots.iter().map(|slot| slot.recipient.clone()).collect();
            Ok((Self::seal(secret, recipients, rng)?, secret.token()))
        })
    }
}

/// HPKE's `info`.
fn info(clear: &[u8]) -> Vec<u8> {
    [b"symbolon/backup/1", clear].concat()
}

#[cfg(test)]
mod tests;
