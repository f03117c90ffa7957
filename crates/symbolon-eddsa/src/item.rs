//! Nonces that are made ahead of time, with the commitments of all signers (safety.md S7).

use crate::{Ciphersuite, CommitmentList, Nonces, request::Holding};
use alloc::{vec, vec::Vec};
use symbolon_core::{ItemId, KeyId, PartyId, Sid, Transcript};
use symbolon_session::{Banked, FloorId, Token};

/// One banked round one of a set of signers of one sharing of a key: the own nonces, and the commitments of all. Used once, by
/// value; in memory only.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_eddsa::FrostItem<symbolon_core::Ed25519>>();
/// ```
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_eddsa::FrostItem<symbolon_core::Ed25519>>();
/// ```
pub struct FrostItem<C: Ciphersuite> {
    id: ItemId,
    pub(crate) holding: Holding,
    pub(crate) nonces: Nonces<C>,
    pub(crate) list: CommitmentList<C>,
}

impl<C: Ciphersuite> FrostItem<C> {
    /// `id = T("item", sid of the pre-processing, counter, commitment list)[..16]`.
    pub(crate) fn new(sid: &Sid, counter: u16, holding: Holding, nonces: Nonces<C>, list: CommitmentList<C>) -> Self {
        let id = Transcript::new("eddsa", "item").part(sid).number(counter).part(list.to_bytes());
        Self { id: ItemId::truncate(&id.finish()), holding, nonces, list }
    }

    /// The item's name, equal at all signers.
    #[must_use]
    pub const fn id(&self) -> ItemId {
        self.id
    }

    /// The key that it was made for.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.holding.key_id
    }

    /// The signers that it was made for, exactly.
    pub fn signers(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.list.signers()
    }
}

impl<C: Ciphersuite> Banked for FrostItem<C> {
    fn id(&self) -> ItemId {
        self.id
    }

    fn tokens(&self) -> Vec<Token> {
        vec![self.nonces.token()]
    }

    /// The epoch of its key.
    fn floors(&self) -> Vec<(FloorId, u64)> {
        vec![(FloorId::key(&self.holding.key_id), self.holding.epoch.into())]
    }
}
