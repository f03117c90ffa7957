//! What a resharing leaves behind (safety.md S10), as a value computed from its outcome.

use crate::{Change, Consent, KeyShare, Marks};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use symbolon_core::{
    Group, KeyId, PartyId, SharingId, on_cleared_stack,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::{Identity, IdentityKey, Storable};

/// The state of a key after a resharing. The application keeps it with the key and notes what it learns; what is left to do
/// only gets less.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct KeyHealth {
    /// The key.
    pub key_id: KeyId,
    /// The new sharing.
    pub sharing_id: SharingId,
    /// Its epoch.
    pub epoch: u32,
    /// What everybody confirmed.
    pub outcome: [u8; 32],
    /// Sharing and epoch that were replaced; absent at an import.
    pub replaced: Option<(SharingId, u32)>,
    /// Holders of the new epoch, with the identities that they confirm under.
    pub members: BTreeMap<PartyId, Identity>,
    /// Offline holders that have not confirmed.
    pub(crate) unconfirmed: BTreeSet<PartyId>,
    /// Online holders of whom it is not known that they are `Done`.
    pub(crate) unfinished: BTreeSet<PartyId>,
    /// Those of both that nobody waits for any longer.
    pub(crate) given_up: BTreeSet<PartyId>,
    /// Offline holders that were sealed to their old share.
    pub(crate) not_healed: BTreeSet<PartyId>,
    /// How many old shares make the key.
    pub old_threshold: u16,
    /// Holders whose old share may still exist.
    pub old_shares: BTreeSet<PartyId>,
    /// Holders that may have a backup of an old share.
    pub stale_backups: BTreeSet<PartyId>,
    /// Kept factors, import, export.
    pub marks: Marks,
}

/// Why nothing was noted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthError {
    /// The holder has confirmed or finished, was given up, or is no holder.
    #[error("nobody waits for a confirmation of {0}")]
    NotWaiting(PartyId),
    /// The bytes are not this holder's confirmation of this outcome.
    #[error("not the confirmation of {0}")]
    Evidence(PartyId),
    /// The share is of another sharing, or of another holder than the identity key.
    #[error("the share is not of this sharing and this identity")]
    OtherShare,
    /// The consent does not name exactly this key, epoch and holder.
    #[error("the consent does not name exactly this key, epoch and holder")]
    Consent,
}

impl KeyHealth {
    /// Whether the sharing that this one replaced is dead: fewer old shares than are needed exist, live or in backups, none of
    /// them opens a new one ([`KeyHealth::not_healed`]), and no factors were kept. An exported or imported key has copies that
    /// nobody here can count: it is never dead. Of the sharings before the replaced one, their own health speaks.
    /// Marks are those that the dealers stated and that this holder knew: one that only others know is not among them.
    #[must_use]
    pub fn old_sharing_is_dead(&self) -> bool {
        let left = self.old_shares.union(&self.stale_backups).count();
        let marked = self.marks.factor_kept || self.marks.exported || self.marks.imported;
        left < usize::from(self.old_threshold) && self.not_healed.is_empty() && !marked
    }

    /// Offline holders that have not confirmed and were not given up, ascending: while there is one, old shares are kept.
    pub fn unconfirmed(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.unconfirmed.difference(&self.given_up).copied()
    }

    /// Online holders of whom it is not known that their run is `Done`, and that were not given up, ascending; this party is
    /// one of them, until it notes itself. One of them may still be in doubt, with nothing but its old share in use, also when
    /// the run is `Done` here: somebody may have confirmed to one and not to the other. While there is another one than
    /// the owner of an old share, that share is kept.
    pub fn unfinished(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.unfinished.difference(&self.given_up).copied()
    }

    /// Holders that never confirmed or finished, and were given up, ascending.
    pub fn given_up(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.given_up.iter().copied()
    }

    /// Offline holders that were sealed to their old share, ascending: whoever has that old share, from wherever, opens the new
    /// one in the public package. The next epoch heals it.
    pub fn not_healed(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.not_healed.iter().copied()
    }

    /// The holders that are known to have their new share, ascending: the redundancy of the key.
    pub fn confirmed(&self) -> impl Iterator<Item = PartyId> + '_ {
        let unsure = |id: &PartyId| self.unconfirmed.contains(id) || self.given_up.contains(id);
        self.members.keys().copied().filter(move |id| !unsure(id))
    }

    /// `holder` has shown, authenticated, that its run is `Done`: by its word, or by a first successful run in the new epoch.
    /// One that was given up may still come back.
    pub fn note_finished(&mut self, holder: PartyId) {
        if self.unfinished.remove(&holder) {
            self.given_up.remove(&holder);
        }
    }

    /// `holder` said, authenticated, that its old share of the replaced sharing is erased.
    pub fn note_retired(&mut self, holder: PartyId) {
        self.old_shares.remove(&holder);
    }

    /// `holder` said, authenticated, that its backups are of the new epoch, or that it has none.
    pub fn note_resealed(&mut self, holder: PartyId) {
        self.stale_backups.remove(&holder);
    }

    /// What an offline holder shows to everybody once it has its new share: its signature under its identity key over key,
    /// epoch, outcome and itself. 64 bytes. An online holder may give its word in the same way once its run is `Done`.
    ///
    /// # Security
    /// MUST be sent only once `share` is durable and, of an online holder, the run is `Done`: on its word the others erase
    /// their old shares.
    ///
    /// # Errors
    /// [`HealthError::OtherShare`].
    pub fn confirmation<G: Group>(&self, share: &KeyShare<G>, key: &IdentityKey) -> Result<[u8; 64], HealthError> {
        on_cleared_stack(|| {
            let own = self.members.get(&share.me());
            let this =
                (share.key_id(), share.sharing_id(), share.epoch()) == (self.key_id, self.sharing_id, self.epoch);
            if !this || own != Some(&key.identity()) {
                return Err(HealthError::OtherShare);
            }
            Ok(key.attest(CONFIRMED, &self.statement(share.me())))
        })
    }

    /// A holder confirmed: checks [`KeyHealth::confirmation`] under the identity that the plan gave it. One that was given up may
    /// still come back.
    ///
    /// # Errors
    /// [`HealthError::NotWaiting`], [`HealthError::Evidence`].
    pub fn note_confirmed(&mut self, holder: PartyId, confirmation: &[u8; 64]) -> Result<(), HealthError> {
        if !self.unconfirmed.contains(&holder) && !self.unfinished.contains(&holder) {
            return Err(HealthError::NotWaiting(holder));
        }
        let identity = self.members.get(&holder).ok_or(HealthError::NotWaiting(holder))?;
        if !self.said(holder, identity, confirmation) {
            return Err(HealthError::Evidence(holder));
        }
        for waiting in [&mut self.unconfirmed, &mut self.unfinished, &mut self.given_up] {
            waiting.remove(&holder);
        }
        Ok(())
    }

    /// Whether these bytes are the confirmation of `holder` under this identity.
    pub(crate) fn said(&self, holder: PartyId, identity: &Identity, confirmation: &[u8; 64]) -> bool {
        identity.attested(CONFIRMED, &self.statement(holder), confirmation)
    }

    /// Waits no longer for a holder that did not confirm or finish: it stays listed, is not counted as redundancy, and keeps
    /// nobody from erasing an old share. If it comes back, it may find that its sealed share was no good, or that its run never
    /// ended, and that nobody can make another share from the old epoch. `consent` names [`Change::GivesUp`] with this key,
    /// epoch and holder.
    ///
    /// # Errors
    /// [`HealthError::NotWaiting`], [`HealthError::Consent`].
    pub fn give_up(&mut self, holder: PartyId, consent: &Consent) -> Result<(), HealthError> {
        if !self.unconfirmed().chain(self.unfinished()).any(|waiting| waiting == holder) {
            return Err(HealthError::NotWaiting(holder));
        }
        if !consent.covers(&[Change::GivesUp(self.key_id, self.epoch, holder)]) {
            return Err(HealthError::Consent);
        }
        self.given_up.insert(holder);
        Ok(())
    }

    fn statement(&self, holder: PartyId) -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(self.key_id.as_ref()).u32(self.epoch).bytes(&self.outcome).u16(holder.get());
        w.finish()
    }
}

const CONFIRMED: &str = "holder has stored";

fn put(w: &mut Writer, set: &BTreeSet<PartyId>) {
    w.u16(u16::try_from(set.len()).unwrap_or(u16::MAX));
    set.iter().for_each(|id| {
        w.u16(id.get());
    });
}

fn put_named(w: &mut Writer, map: &BTreeMap<PartyId, Identity>) {
    w.u16(u16::try_from(map.len()).unwrap_or(u16::MAX));
    for (id, identity) in map {
        w.u16(id.get());
        identity.encode(w);
    }
}

/// A count, then entries by strictly ascending id.
pub(crate) fn take<T>(
    r: &mut Reader<'_>,
    read: impl Fn(&mut Reader<'_>) -> Result<T, DecodeError>,
) -> Result<BTreeMap<PartyId, T>, DecodeError> {
    let count = r.count(255)?;
    let entries = (0..count).map(|_| Ok((r.party()?, read(r)?))).collect::<Result<Vec<_>, DecodeError>>()?;
    if !entries.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(DecodeError::Value);
    }
    Ok(entries.into_iter().collect())
}

impl Storable for KeyHealth {
    fn encode(&self, w: &mut Writer) {
        w.bytes(self.key_id.as_ref()).bytes(self.sharing_id.as_ref()).u32(self.epoch).bytes(&self.outcome);
        match &self.replaced {
            None => w.u8(0),
            Some((sharing_id, epoch)) => w.u8(1).bytes(sharing_id.as_ref()).u32(*epoch),
        };
        put_named(w, &self.members);
        for set in [&self.unconfirmed, &self.unfinished, &self.given_up, &self.not_healed] {
            put(w, set);
        }
        w.u16(self.old_threshold);
        put(w, &self.old_shares);
        put(w, &self.stale_backups);
        w.u8(self.marks.to_byte());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let ids = |r: &mut Reader<'_>| take(r, |_| Ok(())).map(|ids| ids.into_keys().collect());
        let health = Self {
            key_id: KeyId::from_bytes(r.array()?),
            sharing_id: SharingId::from_bytes(r.array()?),
            epoch: r.u32()?,
            outcome: r.array()?,
            replaced: match r.u8()? {
                0 => None,
                1 => Some((SharingId::from_bytes(r.array()?), r.u32()?)),
                _ => return Err(DecodeError::Value),
            },
            members: take(r, Identity::decode)?,
            unconfirmed: ids(r)?,
            unfinished: ids(r)?,
            given_up: ids(r)?,
            not_healed: ids(r)?,
            old_threshold: r.u16()?,
            old_shares: ids(r)?,
            stale_backups: ids(r)?,
            marks: Marks::from_byte(r.u8()?)?,
        };
        let waiting = health.unconfirmed.union(&health.unfinished);
        let members = waiting.chain(&health.not_healed).all(|id| health.members.contains_key(id));
        let known = |id: &PartyId| health.unconfirmed.contains(id) || health.unfinished.contains(id);
        let apart = health.unconfirmed.is_disjoint(&health.unfinished);
        if !members || !apart || !health.given_up.iter().all(known) {
            return Err(DecodeError::Value);
        }
        Ok(health)
    }

    fn max_len(&self) -> usize {
        256 + 6 * 2 * 255 + 35 * 255
    }
}
