//! What can be wrong with the arguments of a signature.

use alloc::vec::Vec;
use symbolon_core::PartyId;

/// Why there is no signature, or no share of one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// A share of a key that signs with another scheme.
    #[error("the key does not sign with FROST")]
    Scheme,
    /// Fewer than `t` signers, one twice, somebody who holds no share, or another set than the commitments or shares are of.
    #[error("these are not at least t distinct holders of the key, or not those of the commitments or shares")]
    Signers,
    /// Public shares that are not of this key.
    #[error("the public shares are not of this public key")]
    PublicShares,
    /// The share is of another key, sharing or epoch.
    #[error("the share is not the one that the run is for")]
    OtherShare,
    /// The item is of another key, sharing or epoch, or of other signers.
    #[error("the item was made for another key, epoch or set of signers")]
    OtherItem,
    /// The list does not have the commitments of the own nonces.
    #[error("the commitment list does not have the own commitments")]
    OwnCommitments,
    /// The group commitment is the identity.
    #[error("the group commitment is the identity")]
    Degenerate,
    /// Too many items for one run, or none.
    #[error("{0} items can't be made in one run of so many signers")]
    Count(u16),
    /// These signers gave wrong shares.
    #[error("wrong signature shares of {0:?}")]
    Shares(Vec<PartyId>),
}
