//! What a resharing leaves behind (safety.md S10), as a value computed from its outcome.

use crate::Marks;
use alloc::{collections::BTreeSet, vec::Vec};
use symbolon_core::{
    KeyId, PartyId, SharingId,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::Storable;

/// The state of a key after a resharing. The application keeps it with the key and notes what it learns; every set only
/// gets smaller.
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
    /// Offline holders that have not confirmed: not counted as redundancy.
    pub unconfirmed: BTreeSet<PartyId>,
    /// How many old shares make the key.
    pub old_threshold: u16,
    /// Holders whose old share may still exist.
    pub old_shares: BTreeSet<PartyId>,
    /// Holders that may have a backup of an old share.
    pub stale_backups: BTreeSet<PartyId>,
    /// Kept factors, import, export.
    pub marks: Marks,
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

    /// `holder` said, authenticated, that its old share is erased.
    pub fn note_retired(&mut self, holder: PartyId) {
        self.old_shares.remove(&holder);
    }

    /// `holder` said, authenticated, that its backups are of the new epoch, or that it has none.
    pub fn note_resealed(&mut self, holder: PartyId) {
        self.stale_backups.remove(&holder);
    }

    /// An offline holder confirmed.
    pub fn note_confirmed(&mut self, holder: PartyId) {
        self.unconfirmed.remove(&holder);
    }
}

fn put(w: &mut Writer, set: &BTreeSet<PartyId>) {
    w.u16(u16::try_from(set.len()).unwrap_or(u16::MAX));
    set.iter().for_each(|id| {
        w.u16(id.get());
    });
}

fn take(r: &mut Reader<'_>) -> Result<BTreeSet<PartyId>, DecodeError> {
    let count = r.count(255)?;
    let ids = (0..count).map(|_| r.party()).collect::<Result<Vec<_>, _>>()?;
    if !ids.is_sorted_by(|a, b| a < b) {
        return Err(DecodeError::Value);
    }
    Ok(ids.into_iter().collect())
}

impl Storable for KeyHealth {
    fn encode(&self, w: &mut Writer) {
        w.bytes(self.key_id.as_ref()).bytes(self.sharing_id.as_ref()).u32(self.epoch).bytes(&self.outcome);
        put(w, &self.members);
        put(w, &self.unconfirmed);
        w.u16(self.old_threshold);
        put(w, &self.old_shares);
        put(w, &self.stale_backups);
        w.u8(self.marks.to_byte());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            key_id: KeyId::from_bytes(r.array()?),
            sharing_id: SharingId::from_bytes(r.array()?),
            epoch: r.u32()?,
            outcome: r.array()?,
            members: take(r)?,
            unconfirmed: take(r)?,
            old_threshold: r.u16()?,
            old_shares: take(r)?,
            stale_backups: take(r)?,
            marks: Marks::from_byte(r.u8()?)?,
        })
    }

    fn max_len(&self) -> usize {
        256 + 4 * 2 * 255
    }
}
