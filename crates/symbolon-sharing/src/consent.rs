//! What a local caller agrees to (safety.md S4): no frame can ask for it.

use alloc::vec::Vec;
use symbolon_core::{KeyId, PartyId};
use symbolon_session::Identity;

/// One thing that changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Change {
    /// A new holder.
    Adds(PartyId, Identity),
    /// A holder that gets no share of the new epoch. What that means is safety.md S10.
    Removes(PartyId),
    /// The same id, held by somebody else: a lost device.
    Replaces(PartyId, Identity),
    /// A signing key for a holder that had an opaque name in a two-party wallet.
    Identifies(PartyId, Identity),
    /// Another number of shares is needed.
    Threshold {
        /// Before.
        from: u16,
        /// From the new epoch on.
        to: u16,
    },
    /// A holder of this new epoch that did not confirm or finish is not waited for any longer: old shares may be erased without
    /// its word.
    GivesUp(KeyId, u32, PartyId),
    /// The share of this epoch is erased.
    Retires(KeyId, u32),
    /// The whole key is rebuilt in one place.
    Exits(KeyId),
    /// The share leaves to the receiver with this fingerprint.
    Exports(KeyId, [u8; 16]),
}

/// Names what the caller's user or policy agreed to. The call that takes it does exactly this or fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Consent(Vec<Change>);

impl Consent {
    /// From what was shown to the user, never from a frame.
    #[must_use]
    pub fn new(changes: impl IntoIterator<Item = Change>) -> Self {
        let mut changes: Vec<_> = changes.into_iter().collect();
        changes.sort_unstable();
        Self(changes)
    }

    /// Whether it names exactly these changes.
    #[must_use]
    pub fn covers(&self, changes: &[Change]) -> bool {
        let mut changes = changes.to_vec();
        changes.sort_unstable();
        self.0 == changes
    }
}
