//! The flows of a resharing and what each gives back.

use super::{Package, Ready, refresh};
use crate::{Factors, HealthError, KeyHealth, KeyShare, PlanError, health::take};
use alloc::{collections::BTreeSet, vec::Vec};
use symbolon_core::{
    Group, KeyId, PartyId,
    wire::{DecodeError, Kind, Reader, Writer},
};
use symbolon_session::{IdentityKey, Storable};

#[allow(unnameable_types, reason = "seals a trait")]
mod sealed {
    pub trait Sealed {}
}

/// What a run of resharing is for. Each has its own name, protocol id and result type.
pub trait Flow: sealed::Sealed + 'static {
    /// Domain separation.
    const NAME: &'static str;
    /// Protocol id.
    const ID: u8;
    /// Whether a key that fails stays old while the others go on.
    const LENIENT: bool;
    /// Whether the dealer brings a key from elsewhere.
    const IMPORT: bool;
    /// The result.
    type Output<G: Group>: Storable;
    /// The result of all keys of a run; `None` if it needs one and there is none.
    fn output<G: Group>(all: ResharedBatch<G>) -> Option<Self::Output<G>>;
}

/// Same holders, same threshold.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Refreshes;

/// Another committee or threshold.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HandOver;

/// A key from elsewhere.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Imports;

/// Many keys of one committee in one run.
#[derive(Clone, Copy, Debug)]
pub struct Batch<F>(core::marker::PhantomData<F>);

impl sealed::Sealed for Refreshes {}
impl sealed::Sealed for HandOver {}
impl sealed::Sealed for Imports {}
impl<F: sealed::Sealed> sealed::Sealed for Batch<F> {}

impl Flow for Refreshes {
    const NAME: &'static str = "refresh";
    const ID: u8 = 17;
    const LENIENT: bool = false;
    const IMPORT: bool = false;
    type Output<G: Group> = Reshared<G>;

    fn output<G: Group>(all: ResharedBatch<G>) -> Option<Reshared<G>> {
        all.only()
    }
}

impl Flow for HandOver {
    const NAME: &'static str = "hand-over";
    const ID: u8 = 18;
    const LENIENT: bool = false;
    const IMPORT: bool = false;
    type Output<G: Group> = Reshared<G>;

    fn output<G: Group>(all: ResharedBatch<G>) -> Option<Reshared<G>> {
        all.only()
    }
}

impl Flow for Imports {
    const NAME: &'static str = "import";
    const ID: u8 = 19;
    const LENIENT: bool = false;
    const IMPORT: bool = true;
    type Output<G: Group> = Imported<G>;

    fn output<G: Group>(all: ResharedBatch<G>) -> Option<Imported<G>> {
        all.only().map(Imported)
    }
}

impl Flow for Batch<Refreshes> {
    const NAME: &'static str = "refresh batch";
    const ID: u8 = 20;
    const LENIENT: bool = true;
    const IMPORT: bool = false;
    type Output<G: Group> = ResharedBatch<G>;

    fn output<G: Group>(all: ResharedBatch<G>) -> Option<ResharedBatch<G>> {
        Some(all)
    }
}

impl Flow for Batch<HandOver> {
    const NAME: &'static str = "hand-over batch";
    const ID: u8 = 21;
    const LENIENT: bool = true;
    const IMPORT: bool = false;
    type Output<G: Group> = ResharedBatch<G>;

    fn output<G: Group>(all: ResharedBatch<G>) -> Option<ResharedBatch<G>> {
        Some(all)
    }
}

/// The new epoch of one key.
pub struct Reshared<G: Group> {
    /// The share of this member; none at a dealer that leaves.
    pub share: Option<KeyShare<G>>,
    /// What is left of the old epoch.
    pub health: KeyHealth,
    /// What the offline holders of the run need, if there are any; in a batch it is in [`ResharedBatch::package`].
    pub package: Option<Package>,
}

fn put_package(w: &mut Writer, package: Option<&Package>) {
    match package {
        None => {
            w.u8(0);
        }
        Some(package) => package.encode(w.u8(1)),
    }
}

fn take_package(r: &mut Reader<'_>) -> Result<Option<Package>, DecodeError> {
    match r.u8()? {
        0 => Ok(None),
        1 => Package::decode(r).map(Some),
        _ => Err(DecodeError::Value),
    }
}

impl<G: Group> Storable for Reshared<G> {
    fn encode(&self, w: &mut Writer) {
        self.health.encode(w);
        put_package(w, self.package.as_ref());
        match &self.share {
            None => {
                w.u8(0);
            }
            Some(share) => share.encode(w.u8(1)),
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (health, package) = (KeyHealth::decode(r)?, take_package(r)?);
        let share = match r.u8()? {
            0 => None,
            1 => Some(KeyShare::decode(r)?),
            _ => return Err(DecodeError::Value),
        };
        Ok(Self { share, health, package })
    }

    fn max_len(&self) -> usize {
        let package = self.package.as_ref().map_or(0, Storable::max_len);
        2 + self.health.max_len() + package + self.share.as_ref().map_or(0, Storable::max_len)
    }
}

/// An imported key before its first refresh: it can't sign and can't be handed over. Somebody may hold the key whole, and the
/// dealer knows every share; the refresh cures the second.
pub struct Imported<G: Group>(pub(super) Reshared<G>);

impl<G: Group> Imported<G> {
    /// Epoch, members, marks.
    #[must_use]
    pub const fn health(&self) -> &KeyHealth {
        &self.0.health
    }

    /// What the offline holders need, if there are any.
    #[must_use]
    pub const fn package(&self) -> Option<&Package> {
        self.0.package.as_ref()
    }

    /// What an offline holder shows once its share is durable: [`KeyHealth::confirmation`].
    ///
    /// # Errors
    /// [`HealthError::OtherShare`], also without a share.
    pub fn confirmation(&self, key: &IdentityKey) -> Result<[u8; 64], HealthError> {
        let share = self.0.share.as_ref().ok_or(HealthError::OtherShare)?;
        self.0.health.confirmation(share, key)
    }

    /// [`KeyHealth::note_confirmed`].
    ///
    /// # Errors
    /// As there.
    pub fn note_confirmed(&mut self, holder: PartyId, confirmation: &[u8; 64]) -> Result<(), HealthError> {
        self.0.health.note_confirmed(holder, confirmation)
    }

    /// `P`, at a member of the committee.
    #[must_use]
    pub fn public_key(&self) -> Option<&G::Point> {
        self.0.share.as_ref().map(KeyShare::public_key)
    }

    /// The one thing to do with it.
    ///
    /// # Errors
    /// [`PlanError`]; [`PlanError::NoShare`] at a dealer that is no member.
    pub fn refresh(&self, dealers: &[PartyId], new_epoch: u32) -> Result<Ready<G, Refreshes>, PlanError> {
        let share = self.0.share.as_ref().ok_or(PlanError::NoShare)?;
        refresh(share, dealers, new_epoch, Factors::Gone)
    }
}

impl<G: Group> Storable for Imported<G> {
    fn encode(&self, w: &mut Writer) {
        self.0.encode(w.object(Kind::ImportedShare));
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.object(Kind::ImportedShare)?;
        Reshared::decode(r).map(Self)
    }

    fn max_len(&self) -> usize {
        16 + self.0.max_len()
    }
}

/// A key of a batch that stays in its old epoch.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Kept {
    /// The key.
    pub key_id: KeyId,
    /// Who refused it. An offline holder only learns that somebody did: then this is empty.
    pub refused_by: BTreeSet<PartyId>,
    /// Whom the evidence names, where it was refused here.
    pub culprit: Option<PartyId>,
}

/// The outcome of a batch, key by key.
pub struct ResharedBatch<G: Group> {
    /// Keys of the new epoch.
    pub done: Vec<Reshared<G>>,
    /// Keys that stay in the old one.
    pub kept: Vec<Kept>,
    /// What the offline holders need, if there are any: one for all keys.
    pub package: Option<Package>,
}

impl<G: Group> ResharedBatch<G> {
    fn only(mut self) -> Option<Reshared<G>> {
        self.done.pop().map(|one| Reshared { package: self.package, ..one })
    }
}

impl<G: Group> Storable for ResharedBatch<G> {
    fn encode(&self, w: &mut Writer) {
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        put_package(w, self.package.as_ref());
        w.u16(count(self.done.len())).u16(count(self.kept.len()));
        self.done.iter().for_each(|one| one.encode(w));
        for kept in &self.kept {
            w.bytes(kept.key_id.as_ref()).u16(kept.culprit.map_or(0, PartyId::get)).u16(count(kept.refused_by.len()));
            kept.refused_by.iter().for_each(|id| {
                w.u16(id.get());
            });
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let package = take_package(r)?;
        let (done, kept) = (r.count(1024)?, r.count(1024)?);
        let done = (0..done).map(|_| Reshared::decode(r)).collect::<Result<_, _>>()?;
        let kept = (0..kept).map(|_| {
            let (key_id, culprit) = (KeyId::from_bytes(r.array()?), PartyId::new(r.u16()?).ok());
            let refused_by = take(r, |_| Ok(()))?.into_keys().collect();
            Ok(Kept { key_id, refused_by, culprit })
        });
        let kept = kept.collect::<Result<_, DecodeError>>()?;
        Ok(Self { done, kept, package })
    }

    fn max_len(&self) -> usize {
        let package = self.package.as_ref().map_or(0, Storable::max_len);
        5 + package + self.done.iter().map(Storable::max_len).sum::<usize>() + self.kept.len() * (20 + 2 * 255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_core::Ed25519;

    #[test]
    fn who_refused_a_key_of_a_batch_is_listed_in_order_and_once() {
        let refused_by = [1, 2].map(|id| PartyId::new(id).unwrap()).into();
        let kept = Kept { key_id: KeyId::from_bytes([1; 16]), refused_by, culprit: None };
        let batch = ResharedBatch::<Ed25519> { done: Vec::new(), kept: [kept].into(), package: None };
        let bytes = batch.to_secret_bytes();
        let read = |bytes: &[u8]| Reader::new(bytes).whole(ResharedBatch::<Ed25519>::decode);
        assert_eq!(*read(&bytes).ok().unwrap().to_secret_bytes(), *bytes);
        for ids in [[2, 1], [1, 1]] {
            let mut changed = bytes.to_vec();
            let end = changed.len() - 4;
            changed.splice(end.., [0, ids[0], 0, ids[1]]);
            assert_eq!(read(&changed).err(), Some(DecodeError::Value));
        }
    }
}
