//! What is reshared, from whom to whom: the arguments of every local caller (safety.md S4), and the checks that need no
//! message.

use crate::{Change, KeyShare, Scheme};
use alloc::vec::Vec;
use symbolon_core::{Group, KeyId, PartyId, SharingId, Threshold};
use symbolon_session::{Identity, RosterError};

/// Id and identity of a holder.
pub type Holder = (PartyId, Identity);

/// What became of the multiplicative factors of a converted key (safety.md S6). A resharing heals nothing while both exist.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the one decision that the first resharing demands")]
pub enum Factors {
    /// They were destroyed, or there never were any.
    Gone,
    /// One of them is kept, sealed, for the self-custody exit: shown in every outcome.
    Kept,
}

/// One key of a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "the arguments of every local caller")]
pub struct PlannedKey<G: Group> {
    /// What it signs.
    pub scheme: Scheme,
    /// Its name.
    pub key_id: KeyId,
    /// The sharing that is replaced.
    pub sharing_id: SharingId,
    /// Its epoch.
    pub epoch: u32,
    /// 1 + the highest epoch that is pending or confirmed anywhere.
    pub new_epoch: u32,
    /// `P`: what this caller expects.
    pub public_key: G::Point,
    /// The decision on the factors.
    pub factors: Factors,
}

/// Who hands which keys to whom. Every member of the run states it from its own user or policy; a difference ends the run
/// as a mismatch before any share leaves.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "the arguments of every local caller")]
pub struct Plan<G: Group> {
    /// The whole old committee.
    pub old: Vec<Holder>,
    /// How many of it are needed.
    pub old_threshold: Threshold,
    /// `S`: exactly that many of its members.
    pub dealers: Vec<Holder>,
    /// `N'`.
    pub new: Vec<Holder>,
    /// `t'`.
    pub threshold: Threshold,
    /// The keys, all shared among `old`.
    pub keys: Vec<PlannedKey<G>>,
}

/// A resharing that can't be. Found before any message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// `t'` does not fit the new committee, or `t` the old one.
    #[error("the threshold does not fit the committee")]
    Threshold,
    /// Another number of dealers than the old threshold.
    #[error("{got} dealers given, exactly {needed} needed")]
    Dealers {
        /// Dealers given.
        got: usize,
        /// The old threshold.
        needed: usize,
    },
    /// A dealer that is no member of the old committee, or under another identity than there.
    #[error("{0} is not a member of the old committee")]
    ForeignDealer(PartyId),
    /// A party that is listed twice, or a dealer that is replaced by somebody else.
    #[error("{0} is listed twice, or under two identities")]
    Duplicate(PartyId),
    /// A party that has no share of the key, where a holder is meant.
    #[error("{0} holds no share of this key")]
    NotAHolder(PartyId),
    /// A lost holder that is listed among the dealers.
    #[error("{0} is lost and can't deal: choose other dealers")]
    LostDealer(PartyId),
    /// The members of the run.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// An offline holder that is not in the new committee, deals, is listed twice, has the device key of another one, or
    /// is not the local party where that one is to receive.
    #[error("{0} can't be an offline holder")]
    Offline(PartyId),
    /// Sealing to the old public share of a holder that is new, replaced or renamed: whoever has that old share, and it is
    /// not the holder, would open the new one.
    #[error("nothing is sealed to the old share of {0}: it is not the same holder")]
    OldShare(PartyId),
    /// Fewer members of the new committee are online than its threshold.
    #[error("{got} new holders are online, at least {needed} needed")]
    Online {
        /// New holders that take part.
        got: usize,
        /// The new threshold.
        needed: usize,
    },
    /// No key, more than [`Plan::MAX_KEYS`], or one twice.
    #[error("a plan has 1 to 1024 keys, each once")]
    Keys,
    /// The new epoch is not above the old one.
    #[error("the new epoch must be above the old one")]
    Epoch,
    /// A dealer without its share.
    #[error("a dealer needs its share of every key")]
    NoShare,
    /// The share is of another key, or its public data is not that of the plan.
    #[error("the share is of another key than the plan")]
    OtherKey,
    /// The share is of another epoch or sharing of this key than the plan replaces: old, revoked, or pending.
    #[error("the share is of another epoch or sharing than the plan")]
    OtherEpoch,
    /// The consent does not name exactly what changes.
    #[error("the consent does not name exactly what changes")]
    Consent,
    /// Nothing changes: that is a refresh.
    #[error("nothing changes: use refresh")]
    NothingChanges,
    /// The imported key is zero.
    #[error("the imported key is zero")]
    ZeroKey,
    /// ECDSA keys are secp256k1 keys.
    #[error("this curve does not have this signature scheme")]
    Scheme,
}

impl<G: Group> Plan<G> {
    /// The most keys of one run.
    pub const MAX_KEYS: usize = 1024;

    /// The plan of a refresh: the same holders and threshold. To hand over, change `new` and `threshold`, and, where a
    /// holder had an opaque name, give it a key in `dealers` and `new`.
    #[must_use]
    pub fn of(share: &KeyShare<G>, dealers: &[PartyId], new_epoch: u32, factors: Factors) -> Self {
        let old: Vec<Holder> = share.members().iter().map(|m| (m.id, m.identity)).collect();
        // a foreign dealer stays in the list, and is refused with its own error
        let identity = |id: &PartyId| old.iter().find(|holder| holder.0 == *id).map_or(Identity::name(""), |h| h.1);
        let key = PlannedKey {
            scheme: share.scheme(),
            key_id: share.key_id(),
            sharing_id: share.sharing_id(),
            epoch: share.epoch(),
            new_epoch,
            public_key: *share.public_key(),
            factors,
        };
        Self {
            dealers: dealers.iter().map(|id| (*id, identity(id))).collect(),
            new: old.clone(),
            old,
            old_threshold: share.threshold(),
            threshold: share.threshold(),
            keys: alloc::vec![key],
        }
    }

    /// What the plan changes, for the user to see and for [`crate::Consent`].
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let of = |list: &[Holder], id: PartyId| list.iter().find(|holder| holder.0 == id).map(|holder| holder.1);
        let mut changes = Vec::new();
        for (id, identity) in &self.new {
            match of(&self.old, *id) {
                None => changes.push(Change::Adds(*id, *identity)),
                Some(old) if old == *identity => (),
                Some(Identity::Name(_)) => changes.push(Change::Identifies(*id, *identity)),
                Some(_) => changes.push(Change::Replaces(*id, *identity)),
            }
        }
        for (id, identity) in &self.dealers {
            // a dealer that leaves and had an opaque name
            if of(&self.new, *id).is_none() && of(&self.old, *id).is_some_and(|old| old != *identity) {
                changes.push(Change::Identifies(*id, *identity));
            }
        }
        changes.extend(self.old.iter().filter(|h| of(&self.new, h.0).is_none()).map(|h| Change::Removes(h.0)));
        if self.threshold != self.old_threshold {
            changes.push(Change::Threshold { from: self.old_threshold.get(), to: self.threshold.get() });
        }
        changes
    }
}
