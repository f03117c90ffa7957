//! Pair setups, bank items and values between a run and the caller's storage (safety.md S1, S6, S7).
//!
//! Setups are taken before use, put back after, burned for good. The functions ask the [`Ledger`] what memory alone cannot
//! know: whether another process has burned a setup, taken an item, or confirmed a refresh.

mod epochs;

pub use epochs::{
    AdvanceError, CurrentError, SerialError, advance, committee_serial, current, drop_stale, note_setup, put_setups,
    take_setups,
};

use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use symbolon_core::{ItemId, KeyId, SecretVec, SetupId, Transcript, on_cleared_stack, wire::Reader};
use symbolon_ecdsa::Preprocessed;
use symbolon_eddsa::{Ciphersuite, Nonces};
use symbolon_mta::PairSetup;
use symbolon_session::{
    Bank, Banked, Claimed, Error, FloorId, Ledger, OpenError, Pair, SealError, Sealed, Storable, StorageKey,
};
use symbolon_sharing::PairFactor;

const VALUE: &[u8; 8] = b"value\0\0\0";

/// Seals a [`crate::wallet::Wallet`], [`crate::KeyShare`] or [`PairFactor`] for the caller's storage.
///
/// # Errors
/// [`SealError`].
pub fn seal(value: &impl Storable, key: &StorageKey, rng: &mut impl TryCryptoRng) -> Result<Vec<u8>, SealError> {
    on_cleared_stack(|| key.seal(VALUE, &value.encoded(), rng))
}

/// Opens what [`seal`] made, and checks every invariant of the type.
///
/// # Errors
/// [`OpenError`]; [`OpenError::Kind`] for a value of another type.
pub fn open<T: Storable>(sealed: &[u8], key: &StorageKey) -> Result<T, OpenError> {
    on_cleared_stack(|| {
        let bytes: SecretVec<u8> = key.open(VALUE, sealed)?;
        Reader::new(&bytes).whole(T::decode).map_err(|_| OpenError::Kind)
    })
}

/// Why a stored setup or a banked item cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError<E> {
    /// The ledger failed.
    #[error("the ledger failed")]
    Ledger(E),
    /// It is not there: never put, taken before, or burned. Make a new one.
    #[error("it was taken, burned or never stored; make a new one")]
    Gone,
    /// It is older than the last confirmed epoch of its key, or of a key of its pair. It was destroyed; make a new one.
    #[error("it is stale; make a new one")]
    Stale,
    /// The stored bytes do not open.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why a setup could not be stored. It is lost, which is safe: make a new one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PutError<E> {
    /// The ledger failed.
    #[error("the ledger failed")]
    Ledger(E),
    /// The pair has default names, which all pairs share. Give both sides identities: `Pair::new`.
    #[error("setups in a ledger need named parties: Pair::new")]
    Unnamed,
    /// Its serial is below the pair's floor: make it with the serial that [`serial`] tells.
    #[error("the setup is stale: make it with the pair's serial")]
    Stale,
    /// Randomness failed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The floor of a pair: the serial that new setups get ([`crate::PairSetupTerms::serial`],
/// [`crate::wallet::CreateSetup::serial`]), and below which old ones are stale. Both sides count the same refreshes;
/// where they differ, because one was interrupted, both use the higher one.
///
/// # Errors
/// The ledger's.
pub fn serial<L: Ledger>(ledger: &mut L, pair: &Pair) -> Result<u32, L::Error> {
    Ok(u32::try_from(ledger.floor(&pair.floor())?).unwrap_or(u32::MAX))
}

/// Takes a setup out of the ledger, durably, before it is used. A crash from here on loses it.
///
/// # Errors
/// [`TakeError`]; a stale setup is destroyed.
pub fn take_setup<L: Ledger>(ledger: &mut L, key: &StorageKey, id: &SetupId) -> Result<PairSetup, TakeError<L::Error>> {
    let sealed = ledger.take(id).map_err(TakeError::Ledger)?.ok_or(TakeError::Gone)?;
    let setup = PairSetup::open(sealed.as_bytes(), key)?;
    if setup.serial() < serial(ledger, setup.pair()).map_err(TakeError::Ledger)? {
        ledger.burn(id).map_err(TakeError::Ledger)?;
        return Err(TakeError::Stale);
    }
    Ok(setup)
}

/// Puts a setup into the ledger, fresh or after a run. A burned one is not stored. Keep the id that this returns beside
/// the wallet, in the same transaction: a ledger does not list its setups.
///
/// # Errors
/// [`PutError`].
pub fn put_setup<L: Ledger>(
    ledger: &mut L,
    key: &StorageKey,
    setup: PairSetup,
    rng: &mut impl TryCryptoRng,
) -> Result<SetupId, PutError<L::Error>> {
    if !setup.pair().is_named() {
        return Err(PutError::Unnamed);
    }
    if setup.serial() < serial(ledger, setup.pair()).map_err(PutError::Ledger)? {
        return Err(PutError::Stale);
    }
    note_setup(ledger, &setup).map_err(PutError::Ledger)?;
    let id = setup.id();
    let sealed = Sealed::new(setup.seal(key, rng)?);
    ledger.put(id, sealed).map_err(PutError::Ledger)?;
    Ok(id)
}

/// Takes an item out of the bank and claims it in the ledger: refused if it became stale (a later epoch of its key, or of a key of
/// its pairs, is confirmed) or one of its setups was burned, here or in another process, or if a clone of this process has used
/// it.
///
/// # Errors
/// [`TakeError`]; the item is gone in any case.
pub fn take_item<L: Ledger, I: Banked>(
    ledger: &mut L,
    bank: &mut Bank<I>,
    id: &ItemId,
) -> Result<I, TakeError<L::Error>> {
    let item = bank.take(id).ok_or(TakeError::Gone)?;
    for (floor, made_at) in item.floors() {
        if made_at < ledger.floor(&floor).map_err(TakeError::Ledger)? {
            return Err(TakeError::Stale);
        }
    }
    for token in item.tokens() {
        match ledger.claim(&token).map_err(TakeError::Ledger)? {
            Claimed::Fresh => (),
            _ => return Err(TakeError::Gone),
        }
    }
    Ok(item)
}

/// Claims nonces that were kept for a signature with a coordinator ([`crate::frost::Nonces`]): refused if a clone of this process
/// has used them. What [`take_item`] does for items of the bank.
///
/// # Errors
/// [`TakeError::Gone`], [`TakeError::Ledger`]; the nonces are gone in any case.
pub fn claim_nonces<L: Ledger, C: Ciphersuite>(
    ledger: &mut L,
    nonces: Nonces<C>,
) -> Result<Nonces<C>, TakeError<L::Error>> {
    match ledger.claim(&nonces.token()).map_err(TakeError::Ledger)? {
        Claimed::Fresh => Ok(nonces),
        _ => Err(TakeError::Gone),
    }
}

/// Burns every setup that a failed run destroyed, in the ledger and in the bank. Call it with each error of
/// [`crate::Session::handle`]; it does nothing for the others.
///
/// # Errors
/// The ledger's. Until this has succeeded the caller MUST NOT use the listed setups or items of them.
pub fn burn<L: Ledger, H, I: Banked>(ledger: &mut L, bank: &mut Bank<I>, error: &Error<H>) -> Result<(), L::Error> {
    error.burned().iter().for_each(|id| bank.burn(id));
    error.burned().iter().try_for_each(|id| ledger.burn(id))
}

/// Erases the old generation of a factor after its refresh, and makes every setup and bank item of the pair stale: what
/// was stolen before the refresh opens nothing after it (safety.md S6). The pair's next setups get the serial that this
/// returns. Calling it again for one refresh, after a crash, changes nothing.
///
/// # Errors
/// [`RetireError`]; the old factor then comes back.
///
/// # Security
/// The side that confirms last has its `Done` before the peer has its confirmation. It MUST keep the sealed pending value
/// and the old factor until the peer has shown that it finished too (the first successful run under the new generation,
/// or the peer's word), and only then retire; else one lost frame leaves the two sides with different generations.
pub fn retire<L: Ledger>(
    ledger: &mut L,
    bank: &mut Bank<Preprocessed>,
    old: PairFactor,
    new: &PairFactor,
) -> Result<u32, RetireError<L::Error>> {
    if old.key_id() != new.key_id() || old.generation() >= new.generation() || old.pair() != new.pair() {
        return Err(RetireError::NotItsSuccessor(old));
    }
    if !old.pair().is_named() {
        return Err(RetireError::Unnamed(old));
    }
    match raise(ledger, new) {
        Ok(serial) => {
            bank.destroy_below(&new.pair().floor(), serial.into());
            Ok(serial)
        }
        Err(error) => Err(RetireError::Ledger(error, old)),
    }
}

/// Raises the pair's floor by one for this generation.
fn raise<L: Ledger>(ledger: &mut L, new: &PairFactor) -> Result<u32, L::Error> {
    let name = Transcript::new("store", "retire").part(new.key_id()).number(new.generation()).finish();
    raise_once(ledger, &name, new.pair())
}

/// Raises the pair's floor by one for the event of this name. The target is on record before the floor moves, so that a
/// second call raises it to the same value.
fn raise_once<L: Ledger>(ledger: &mut L, event: &[u8; 32], pair: &Pair) -> Result<u32, L::Error> {
    let record = FloorId::key(&KeyId::truncate(event));
    let recorded = ledger.floor(&record)?;
    let target = if recorded == 0 { u64::from(serial(ledger, pair)?.saturating_add(1)) } else { recorded };
    ledger.raise_floor(&record, target)?;
    ledger.raise_floor(&pair.floor(), target)?;
    Ok(u32::try_from(target).unwrap_or(u32::MAX))
}

/// Why nothing was erased. The old factor comes back.
#[non_exhaustive]
pub enum RetireError<E> {
    /// `new` is not a later generation of the same factor.
    NotItsSuccessor(PairFactor),
    /// The pair has default names, which all pairs share: nothing was filed under it, and nothing can become stale.
    Unnamed(PairFactor),
    /// The ledger failed.
    Ledger(E, PairFactor),
}

impl<E> core::fmt::Debug for RetireError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotItsSuccessor(_) => "NotItsSuccessor",
            Self::Unnamed(_) => "Unnamed",
            Self::Ledger(..) => "Ledger",
        })
    }
}

impl<E> core::fmt::Display for RetireError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotItsSuccessor(_) => "the new factor is not a later generation of the old one",
            Self::Unnamed(_) => "the parties have no identities: Pair::new",
            Self::Ledger(..) => "the ledger failed; nothing was erased",
        })
    }
}

impl<E> core::error::Error for RetireError<E> {}
