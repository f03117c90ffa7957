//! What was claimed, taken or burned stays so (safety.md S8).

use crate::Identity;
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::{convert::Infallible, time::Duration};
use symbolon_core::{ItemId, KeyId, PartyId, RunTag, SetupId, Transcript, wire::Writer};

/// Something that comes alive at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Token {
    /// One sealed copy of a suspended session.
    Copy([u8; 16]),
    /// A bank item; refused as well once its setup is burned.
    Item {
        /// The item.
        item: ItemId,
        /// The pair setup it was made with.
        setup: SetupId,
    },
    /// FROST nonces, by the hash of their commitments.
    Nonce([u8; 32]),
    /// An export request.
    Export([u8; 32]),
    /// How a run ended here: claimed by whoever stores its pending value and by whoever answers `closed`, so that only
    /// one of them happens. Named by the run tag of the member that would be answered.
    RunEnd {
        /// The local party.
        me: PartyId,
        /// The run tag of the other member.
        peer: RunTag,
    },
}

impl Token {
    /// A key for a durable store.
    #[must_use]
    pub fn key(&self) -> [u8; 32] {
        let t = Transcript::new("session", "token");
        match self {
            Self::Copy(copy) => t.number(1u8).part(copy),
            Self::Item { item, setup } => t.number(2u8).part(item).part(setup),
            Self::Nonce(nonce) => t.number(3u8).part(nonce),
            Self::Export(request) => t.number(4u8).part(request),
            Self::RunEnd { me, peer } => t.number(5u8).number(me.get()).part(peer),
        }
        .finish()
    }
}

/// What a claim found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "only a fresh claim allows what it is for"]
#[allow(clippy::exhaustive_enums, reason = "there is no third answer")]
pub enum Claimed {
    /// The first claim; it is durable now.
    Fresh,
    /// Claimed before, or (an item) its setup is burned.
    Again,
}

/// Names a floor: the lowest serial, epoch or generation that is not stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FloorId([u8; 32]);

impl FloorId {
    /// The floor of setups and bank items between two members, in any order.
    #[must_use]
    pub fn pair(a: &Identity, b: &Identity) -> Self {
        let mut w = Writer::new();
        a.min(b).encode(&mut w);
        a.max(b).encode(&mut w);
        Self(Transcript::new("session", "pair floor").part(w.finish()).finish())
    }

    /// The floor of a key's epochs.
    #[must_use]
    pub fn key(id: &KeyId) -> Self {
        Self(Transcript::new("session", "key floor").part(id).finish())
    }

    fn closed(me: PartyId, peer: &RunTag) -> Self {
        Self(Transcript::new("session", "closed").number(me.get()).part(peer).finish())
    }

    /// A key for a durable store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Failed runs of a key since the owner last looked. They slow down; they never freeze a key for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Failures(u32);

impl Failures {
    /// From a stored count.
    #[must_use]
    pub const fn new(count: u32) -> Self {
        Self(count)
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0
    }

    /// How long the caller lets the next run wait: nothing for three failures, then doubling from a second to an hour.
    #[must_use]
    pub fn delay(self) -> Duration {
        match self.0 {
            0..=3 => Duration::ZERO,
            n => Duration::from_secs(1u64.checked_shl(n - 4).unwrap_or(3600).clamp(1, 3600)),
        }
    }
}

/// A sealed pair setup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed(Vec<u8>);

impl Sealed {
    /// Bytes from [`crate::StorageKey::seal`].
    #[must_use]
    pub const fn new(sealed: Vec<u8>) -> Self {
        Self(sealed)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One linearizable, durable store. The facade and the caller call it; the driver only in `resume` and in
/// [`crate::close`].
///
/// # Security
/// It MUST NOT be read from a lagging replica, and MUST NOT travel in a backup. If it may have gone back in time, destroy
/// setups, bank items and suspended sessions first. Every method is durable before it returns.
pub trait Ledger {
    /// Why the store failed.
    type Error;
    /// Claims a token once.
    ///
    /// # Errors
    /// The store's.
    fn claim(&mut self, token: &Token) -> Result<Claimed, Self::Error>;
    /// Removes a setup; `None` if it is not there (never put, taken by someone else, burned).
    ///
    /// # Errors
    /// The store's.
    fn take(&mut self, setup: &SetupId) -> Result<Option<Sealed>, Self::Error>;
    /// Stores a setup, unless it was burned: then nothing is stored.
    ///
    /// # Errors
    /// The store's.
    fn put(&mut self, setup: SetupId, sealed: Sealed) -> Result<(), Self::Error>;
    /// Destroys a setup for good. Beats every `put`, earlier or later, and every claim of one of its items.
    ///
    /// # Errors
    /// The store's.
    fn burn(&mut self, setup: &SetupId) -> Result<(), Self::Error>;
    /// The floor; 0 if it was never raised.
    ///
    /// # Errors
    /// The store's.
    fn floor(&mut self, of: &FloorId) -> Result<u64, Self::Error>;
    /// Raises the floor; never lowers it.
    ///
    /// # Errors
    /// The store's.
    fn raise_floor(&mut self, of: &FloorId, to: u64) -> Result<(), Self::Error>;
    /// The failures counted against a key.
    ///
    /// # Errors
    /// The store's.
    fn failures(&mut self, of: &KeyId) -> Result<Failures, Self::Error>;
    /// Counts one. Only failures of authenticated peers count: strangers must not be able to slow a key down.
    ///
    /// # Errors
    /// The store's.
    fn count_failure(&mut self, of: &KeyId) -> Result<Failures, Self::Error>;
    /// The owner has looked: the count starts again.
    ///
    /// # Errors
    /// The store's.
    fn lift(&mut self, of: &KeyId) -> Result<(), Self::Error>;
}

/// Decides, once, that a run is over here without a stored result. `true` also when it was decided before.
pub(crate) fn decide_closed<L: Ledger>(ledger: &mut L, me: PartyId, peer: RunTag) -> Result<bool, L::Error> {
    let floor = FloorId::closed(me, &peer);
    match ledger.claim(&Token::RunEnd { me, peer })? {
        Claimed::Fresh => ledger.raise_floor(&floor, 1).map(|()| true),
        Claimed::Again => ledger.floor(&floor).map(|closed| closed == 1),
    }
}

/// A ledger in memory, for tests and for processes whose setups and sessions die with them.
#[derive(Default)]
pub struct MemoryLedger {
    claimed: BTreeSet<Token>,
    setups: BTreeMap<SetupId, Sealed>,
    burned: BTreeSet<SetupId>,
    floors: BTreeMap<FloorId, u64>,
    failures: BTreeMap<KeyId, u32>,
}

impl Ledger for MemoryLedger {
    type Error = Infallible;

    fn claim(&mut self, token: &Token) -> Result<Claimed, Infallible> {
        let dead = matches!(token, Token::Item { setup, .. } if self.burned.contains(setup));
        Ok(if !dead && self.claimed.insert(*token) { Claimed::Fresh } else { Claimed::Again })
    }

    fn take(&mut self, setup: &SetupId) -> Result<Option<Sealed>, Infallible> {
        Ok(self.setups.remove(setup))
    }

    fn put(&mut self, setup: SetupId, sealed: Sealed) -> Result<(), Infallible> {
        if !self.burned.contains(&setup) {
            self.setups.insert(setup, sealed);
        }
        Ok(())
    }

    fn burn(&mut self, setup: &SetupId) -> Result<(), Infallible> {
        self.burned.insert(*setup);
        self.setups.remove(setup);
        Ok(())
    }

    fn floor(&mut self, of: &FloorId) -> Result<u64, Infallible> {
        Ok(self.floors.get(of).copied().unwrap_or(0))
    }

    fn raise_floor(&mut self, of: &FloorId, to: u64) -> Result<(), Infallible> {
        let floor = self.floors.entry(*of).or_default();
        *floor = to.max(*floor);
        Ok(())
    }

    fn failures(&mut self, of: &KeyId) -> Result<Failures, Infallible> {
        Ok(Failures(self.failures.get(of).copied().unwrap_or(0)))
    }

    fn count_failure(&mut self, of: &KeyId) -> Result<Failures, Infallible> {
        let count = self.failures.entry(*of).or_default();
        *count = count.saturating_add(1);
        Ok(Failures(*count))
    }

    fn lift(&mut self, of: &KeyId) -> Result<(), Infallible> {
        self.failures.remove(of);
        Ok(())
    }
}
