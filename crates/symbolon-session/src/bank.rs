//! What is prepared ahead of time and used once (safety.md S7).

use crate::{FloorId, Token};
use alloc::{collections::BTreeMap, vec::Vec};
use core::mem::take;
use symbolon_core::{ItemId, SetupId};

/// What a [`Bank`] holds. An item is moved in and out: its secrets are on the heap, as in `symbolon_core::SecretScalar`, or they leave
/// a copy wherever the item was.
pub trait Banked {
    /// The item's name, equal at all its signers.
    fn id(&self) -> ItemId;
    /// What is claimed in the ledger before the item is used; none of it can be claimed again. At least one token.
    fn tokens(&self) -> Vec<Token>;
    /// The floors that it depends on, with the value that it was made at: below any of them it is stale.
    fn floors(&self) -> Vec<(FloorId, u64)>;

    /// Whether it was made over this pair setup.
    fn is_over(&self, setup: &SetupId) -> bool {
        self.tokens().iter().any(|token| matches!(token, Token::Item { setup: over, .. } if over == setup))
    }

    /// Whether a floor at this value makes it stale.
    fn is_below(&self, floor: &FloorId, value: u64) -> bool {
        self.floors().iter().any(|(of, made_at)| of == floor && *made_at < value)
    }
}

/// Banked items of any number of pairs, signers or keys, in memory, each handed out once. What goes by a [`SetupId`] concerns items
/// that were made over pair setups; FROST has none. There is no way to put a taken item back other than the batch that made
/// it.
pub struct Bank<I>(BTreeMap<ItemId, I>);

impl<I> Default for Bank<I> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I> Bank<I> {
    /// An empty bank.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }
}

impl<I: Banked> Bank<I> {
    /// Files a fresh batch.
    pub fn put(&mut self, items: impl IntoIterator<Item = I>) {
        self.0.extend(items.into_iter().map(|item| (item.id(), item)));
    }

    /// Takes the item that a peer's first frame names; `None` if it is gone.
    pub fn take(&mut self, id: &ItemId) -> Option<I> {
        self.0.remove(id)
    }

    /// Takes any item over this pair setup: what the sender of the first frame does.
    pub fn take_any(&mut self, setup: &SetupId) -> Option<I> {
        let id = self.ids(setup).next()?;
        self.0.remove(&id)
    }

    /// Destroys the items of a burned setup; those already taken may finish.
    pub fn burn(&mut self, setup: &SetupId) {
        self.0.retain(|_, item| !item.is_over(setup));
    }

    /// Destroys the items that this floor makes stale: those made before a refresh or resharing (safety.md S6).
    pub fn destroy_below(&mut self, floor: &FloorId, value: u64) {
        self.0.retain(|_, item| !item.is_below(floor, value));
    }

    /// Destroys the items for which `keep` says no, such as those that a peer lost with its restart.
    pub fn retain(&mut self, mut keep: impl FnMut(&I) -> bool) {
        self.0.retain(|_, item| keep(item));
    }

    /// All items: what the sender of a first frame picks from.
    pub fn items(&self) -> impl Iterator<Item = &I> + '_ {
        self.0.values()
    }

    /// The ids of the items over a setup: what two banks compare after a restart, and what the sender of the first frame
    /// picks from.
    pub fn ids(&self, setup: &SetupId) -> impl Iterator<Item = ItemId> + '_ {
        let setup = *setup;
        self.items().filter(move |item| item.is_over(&setup)).map(Banked::id)
    }

    /// Items left over a setup.
    #[must_use]
    pub fn left(&self, setup: &SetupId) -> usize {
        self.ids(setup).count()
    }

    /// Takes everything out, for whoever distributes items to workers.
    pub fn drain(&mut self) -> Vec<I> {
        take(&mut self.0).into_values().collect()
    }
}
