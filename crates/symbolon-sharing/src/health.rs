//! What a resharing leaves behind (safety.md S10), as a value computed from its outcome.

use crate::{Change, Consent, KeyShare, Marks};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use symbolon_core::{
    Group, KeyId, PartyId, SharingId,
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
    /// Holders of the new epoch.
    pub members: BTreeSet<PartyId>,
    /// Offline holders that have not confirmed, with the identities that they confirm under.
    pub(crate) unconfirmed: BTreeMap<PartyId, Identity>,
    /// Those of them that nobody waits for any longer.
    pub(crate) given_up: BTreeMap<PartyId, Identity>,
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
    /// The holder was online, has confirmed, or is no holder.
    #[error("nobody waits for a confirmation of {0}")]
    NotWaiting(PartyId),
    /// The bytes are not this holder's confirmation of this outcome.
    #[error("not the confirmation of {0}")]
    Evidence(PartyId),
    /// The share is of another sharing, or of another holder than the identity key.
    #[error("the share is not of this sharing and this identity")]
    OtherShare,
    /// The consent does not name exactly this key and holder.
    #[error("the consent does not name exactly this key and holder")]
    Consent,
}

impl KeyHealth {
    /// Whether the sharing before this one is dead: fewer old shares than are needed exist, live or in backups, and no
    /// factors were kept. An exported or imported key has copies that nobody here can count: it is never dead.
    #[must_use]
    pub fn old_sharing_is_dead(&self) -> bool {
        let left = self.old_shares.union(&self.stale_backups).count();
        let marked = self.marks.factor_kept || self.marks.exported || self.marks.imported;
        left < usize::from(self.old_threshold) && !marked
    }

    /// Offline holders that have not confirmed and were not given up, ascending: while there is one, old shares are kept.
    pub fn unconfirmed(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.unconfirmed.keys().copied()
    }

    /// Offline holders that never confirmed and were given up, ascending.
    pub fn given_up(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.given_up.keys().copied()
    }

    /// The holders that are known to have their new share, ascending: the redundancy of the key.
    pub fn confirmed(&self) -> impl Iterator<Item = PartyId> + '_ {
        let unsure = |id: &PartyId| self.unconfirmed.contains_key(id) || self.given_up.contains_key(id);
        self.members.iter().copied().filter(move |id| !unsure(id))
    }

    /// `holder` said, authenticated, that its old share is erased.
    pub fn note_retired(&mut self, holder: PartyId) {
        self.old_shares.remove(&holder);
    }

    /// `holder` said, authenticated, that its backups are of the new epoch, or that it has none.
    pub fn note_resealed(&mut self, holder: PartyId) {
        self.stale_backups.remove(&holder);
    }

    /// What an offline holder shows to everybody once it has its new share: its signature under its identity key over key,
    /// epoch, outcome and itself. 64 bytes.
    ///
    /// # Security
    /// MUST be sent only once `share` is durable: on its word the others erase their old shares.
    ///
    /// # Errors
    /// [`HealthError::OtherShare`].
    pub fn confirmation<G: Group>(&self, share: &KeyShare<G>, key: &IdentityKey) -> Result<[u8; 64], HealthError> {
        let own = share.members().iter().find(|member| member.id == share.me());
        let this = (share.key_id(), share.sharing_id(), share.epoch()) == (self.key_id, self.sharing_id, self.epoch);
        if !this || own.map(|member| member.identity) != Some(key.identity()) {
            return Err(HealthError::OtherShare);
        }
        Ok(key.attest(CONFIRMED, &self.statement(share.me())))
    }

    /// An offline holder confirmed: checks [`KeyHealth::confirmation`] under the identity that the plan gave it. One that was
    /// given up may still come back.
    ///
    /// # Errors
    /// [`HealthError::NotWaiting`], [`HealthError::Evidence`].
    pub fn note_confirmed(&mut self, holder: PartyId, confirmation: &[u8; 64]) -> Result<(), HealthError> {
        let identity = self.unconfirmed.get(&holder).or_else(|| self.given_up.get(&holder));
        let identity = identity.ok_or(HealthError::NotWaiting(holder))?;
        if !identity.attested(CONFIRMED, &self.statement(holder), confirmation) {
            return Err(HealthError::Evidence(holder));
        }
        self.unconfirmed.remove(&holder);
        self.given_up.remove(&holder);
        Ok(())
    }

    /// Waits no longer for an offline holder: it stays listed, is not counted as redundancy, and keeps nobody from erasing
    /// an old share. If it comes back, it may find that its sealed share was no good, and that nobody can make another one
    /// from the old epoch. `consent` names [`Change::GivesUp`] with this key and holder.
    ///
    /// # Errors
    /// [`HealthError::NotWaiting`], [`HealthError::Consent`].
    pub fn give_up(&mut self, holder: PartyId, consent: &Consent) -> Result<(), HealthError> {
        if !self.unconfirmed.contains_key(&holder) {
            return Err(HealthError::NotWaiting(holder));
        }
        if !consent.covers(&[Change::GivesUp(self.key_id, holder)]) {
            return Err(HealthError::Consent);
        }
        self.given_up.extend(self.unconfirmed.remove_entry(&holder));
        Ok(())
    }

    fn statement(&self, holder: PartyId) -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(self.key_id.as_ref()).u32(self.epoch).bytes(&self.outcome).u16(holder.get());
        w.finish()
    }
}

const CONFIRMED: &str = "offline holder has stored";

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
fn take<T>(
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
        put(w, &self.members);
        put_named(w, &self.unconfirmed);
        put_named(w, &self.given_up);
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
            members: ids(r)?,
            unconfirmed: take(r, Identity::decode)?,
            given_up: take(r, Identity::decode)?,
            old_threshold: r.u16()?,
            old_shares: ids(r)?,
            stale_backups: ids(r)?,
            marks: Marks::from_byte(r.u8()?)?,
        };
        let members = |id: &PartyId| health.members.contains(id);
        let apart = health.given_up.keys().all(|id| !health.unconfirmed.contains_key(id));
        if !apart || !health.unconfirmed.keys().chain(health.given_up.keys()).all(members) {
            return Err(DecodeError::Value);
        }
        Ok(health)
    }

    fn max_len(&self) -> usize {
        256 + 3 * 2 * 255 + 2 * 35 * 255
    }
}
