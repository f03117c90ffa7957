//! What a confirmed epoch of an n-party key changes in one holder's store (safety.md S6), and what is asked before use.

use super::{PutError, TakeError, put_setup, raise_once, serial, take_setup};
use crate::committee::{Holder, KeyHealth, Plan, PlannedKey, Setups};
use alloc::{collections::BTreeMap, vec::Vec};
use rand_core::TryCryptoRng;
use symbolon_core::{Group, PartyId, SetupId, Transcript};
use symbolon_mta::PairSetup;
use symbolon_session::{Bank, Banked, FloorId, Ledger, Pair, RosterError, StorageKey};
use symbolon_sharing::KeyShare;

/// Why a confirmed epoch was not entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdvanceError<E> {
    /// The ledger failed. Call again.
    #[error("the ledger failed")]
    Ledger(E),
    /// The outcome is of another key or epoch than the plan makes, or `me` has no part in it.
    #[error("the outcome is not that of the plan")]
    OtherPlan,
}

/// Why a share can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CurrentError<E> {
    /// The ledger failed.
    #[error("the ledger failed")]
    Ledger(E),
    /// A later epoch was confirmed here: the share is old, or comes from a restored copy of the storage.
    #[error("the share is of epoch {share}, but epoch {confirmed} was confirmed: use the newer share")]
    Superseded {
        /// The epoch of the share.
        share: u32,
        /// The latest epoch that was confirmed here.
        confirmed: u64,
    },
}

/// Enters a confirmed epoch at the holder `me`: whatever belongs to the epochs before is stale from here on. That is the old
/// share ([`current`]), and, of every pair that `me` has with another holder of the old or the new committee, the pair setups
/// with their seeds of shares of zero ([`super::take_setup`]) and the bank items ([`super::take_item`]); those in `bank` are
/// destroyed at once. Whoever leaves calls it too.
///
/// Call it on `Done`, after the new share is stored as the current one and before it is used; with several banks once for each.
/// Calling it again for one epoch, after a crash, changes nothing. Then make new setups: [`committee_serial`].
///
/// # Errors
/// [`AdvanceError`].
///
/// # Security
/// `health` MUST be that of a `Done` step: the floor never comes down again, and a peer's word must not raise it. Calls for keys
/// of one pair MUST NOT run side by side.
pub fn advance<L: Ledger, G: Group, I: Banked>(
    ledger: &mut L,
    bank: &mut Bank<I>,
    me: PartyId,
    plan: &Plan<G>,
    health: &KeyHealth,
) -> Result<(), AdvanceError<L::Error>> {
    let holders = plan.holders();
    let of_plan = |key: &PlannedKey<G>| key.key_id == health.key_id && key.new_epoch == health.epoch;
    if !plan.keys.iter().any(of_plan) || !holders.iter().any(|holder| holder.0 == me) {
        return Err(AdvanceError::OtherPlan);
    }
    for pair in pairs(me, &holders) {
        let floor = pair.floor();
        let event = Transcript::new("store", "epoch").part(health.key_id).part(health.sharing_id);
        let event = event.number(health.epoch).part(floor.as_bytes()).finish();
        let serial = raise_once(ledger, &event, &pair).map_err(AdvanceError::Ledger)?;
        bank.destroy_below(&floor, serial.into());
    }
    let key = FloorId::key(&health.key_id);
    ledger.raise_floor(&key, health.epoch.into()).map_err(AdvanceError::Ledger)?;
    bank.destroy_below(&key, health.epoch.into());
    Ok(())
}

/// The share, if no later epoch of its key was confirmed here. Ask before every use of a share that comes from storage: a
/// restored copy of the storage may have an old one, and the ledger is in no copy.
///
/// # Errors
/// [`CurrentError`].
pub fn current<'s, L: Ledger, G: Group>(
    ledger: &mut L,
    share: &'s KeyShare<G>,
) -> Result<&'s KeyShare<G>, CurrentError<L::Error>> {
    let confirmed = ledger.floor(&FloorId::key(&share.key_id())).map_err(CurrentError::Ledger)?;
    if u64::from(share.epoch()) < confirmed {
        return Err(CurrentError::Superseded { share: share.epoch(), confirmed });
    }
    Ok(share)
}

/// Why there is no serial for a committee.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SerialError<E> {
    /// The ledger failed.
    #[error("the ledger failed")]
    Ledger(E),
    /// A member claims a serial that no honest history reaches.
    #[error("a member claims the serial {0}, which is too far above the own")]
    Claim(u32),
}

/// No member has missed as many epochs of the keys of a pair. A liar that claims more would use up the serials.
const MAX_JUMP: u32 = 1 << 16;

/// The serial of a committee's new setups, for [`crate::committee::pair_setups`]: the highest floor of the pairs of `me`, or
/// what another member needs, if that is higher. With no claims, it is what `me` tells the others; all use the highest.
///
/// # Errors
/// [`SerialError`].
pub fn committee_serial<L: Ledger>(
    ledger: &mut L,
    me: PartyId,
    members: &[Holder],
    claims: &[u32],
) -> Result<u32, SerialError<L::Error>> {
    let highest = |highest: u32, pair| Ok(serial(ledger, pair)?.max(highest));
    let own = pairs(me, members).iter().try_fold(0, highest).map_err(SerialError::Ledger)?;
    match claims.iter().copied().max() {
        Some(claim) if claim > own.saturating_add(MAX_JUMP) => Err(SerialError::Claim(claim)),
        claim => Ok(claim.unwrap_or(0).max(own)),
    }
}

/// Records the serial of a new setup, which may be above the pair's floor, so that the next epoch makes it stale.
/// [`super::put_setup`] does this by itself: only for setups that are kept in memory.
///
/// # Errors
/// The ledger's.
pub fn note_setup<L: Ledger>(ledger: &mut L, setup: &PairSetup) -> Result<(), L::Error> {
    if setup.pair().is_named() { ledger.raise_floor(&setup.pair().floor(), setup.serial().into()) } else { Ok(()) }
}

/// Takes setups out of the ledger, durably, before they are used, and files them by peer. A crash from here on loses them.
///
/// # Errors
/// [`TakeError`] of the first that is gone or stale; the ones before it go back.
pub fn take_setups<'i, L: Ledger>(
    ledger: &mut L,
    key: &StorageKey,
    ids: impl IntoIterator<Item = &'i SetupId>,
    rng: &mut impl TryCryptoRng,
) -> Result<Setups, TakeError<L::Error>> {
    let mut setups = Setups::new();
    for id in ids {
        match take_setup(ledger, key, id) {
            Ok(setup) => drop(setups.insert(setup.pair().peer(), setup)),
            Err(error) => {
                // what can't go back is lost, which is safe
                let _ = put_setups(ledger, key, setups, rng);
                return Err(error);
            }
        }
    }
    Ok(setups)
}

/// Puts setups into the ledger. Keep the ids that this returns beside the share.
///
/// # Errors
/// [`PutError`] of the first that can't be stored; it and the ones after it are lost.
pub fn put_setups<L: Ledger>(
    ledger: &mut L,
    key: &StorageKey,
    setups: Setups,
    rng: &mut impl TryCryptoRng,
) -> Result<BTreeMap<PartyId, SetupId>, PutError<L::Error>> {
    setups.into_iter().map(|(peer, setup)| Ok((peer, put_setup(ledger, key, setup, rng)?))).collect()
}

/// Destroys what is stale of setups that were kept in memory (see [`note_setup`]), and names the peers that need a new one.
///
/// # Errors
/// The ledger's; then nothing is destroyed, and nothing may be used.
pub fn drop_stale<L: Ledger>(ledger: &mut L, setups: &mut Setups) -> Result<Vec<PartyId>, L::Error> {
    let mut stale = Vec::new();
    for (peer, setup) in setups.iter() {
        if setup.pair().is_named() && setup.serial() < serial(ledger, setup.pair())? {
            stale.push(*peer);
        }
    }
    stale.iter().for_each(|peer| drop(setups.remove(peer)));
    Ok(stale)
}

/// The pairs of `me` with the others, under every identity that either has: an identity may change with the plan. Default names
/// are those of every pair in the world, and nothing is filed under them.
fn pairs(me: PartyId, holders: &[Holder]) -> Vec<Pair> {
    let own = || holders.iter().filter(|holder| holder.0 == me);
    let others = holders.iter().filter(|holder| holder.0 != me);
    let pair = |other: &Holder, own: &Holder| -> Result<Pair, RosterError> { Pair::between(me, *own, *other) };
    others.flat_map(|other| own().filter_map(move |own| pair(other, own).ok())).filter(Pair::is_named).collect()
}
