//! Pair setups between a run and the ledger: taken before use, put back after, burned for good (safety.md S1, S6).

use rand_core::TryCryptoRng;
use symbolon_core::{Role, SetupId};
use symbolon_mta::PairSetup;
use symbolon_session::{Error, FloorId, Ledger, OpenError, Pair, SealError, Sealed, StorageKey};
use symbolon_sharing::PairFactor;

/// Why a stored setup cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeError<E> {
    /// The ledger failed.
    #[error("the ledger failed")]
    Ledger(E),
    /// It is not there: never put, taken by another task, or burned. Make a new one.
    #[error("no such setup: it was taken, burned or never stored; make a new one")]
    Gone,
    /// It is older than the last confirmed refresh of a key of this pair. It was destroyed; make a new one.
    #[error("the setup is stale; make a new one")]
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
    /// Randomness failed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The floor of a pair: the serial that new setups get, and below which old ones are stale.
///
/// # Errors
/// The ledger's.
pub fn serial<L: Ledger>(ledger: &mut L, pair: &Pair) -> Result<u32, L::Error> {
    Ok(u32::try_from(ledger.floor(&floor(pair))?).unwrap_or(u32::MAX))
}

fn floor(pair: &Pair) -> FloorId {
    FloorId::pair(pair.identity(Role::Server), pair.identity(Role::Client))
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

/// Puts a setup into the ledger, fresh or after a run. A burned one is not stored.
///
/// # Errors
/// [`PutError`].
pub fn put_setup<L: Ledger>(
    ledger: &mut L,
    key: &StorageKey,
    setup: PairSetup,
    rng: &mut impl TryCryptoRng,
) -> Result<SetupId, PutError<L::Error>> {
    let id = setup.id();
    let sealed = Sealed::new(setup.seal(key, rng)?);
    ledger.put(id, sealed).map_err(PutError::Ledger)?;
    Ok(id)
}

/// Burns every setup that a failed run destroyed. Call it with each error of [`crate::Session::handle`]; give the same
/// ids to [`crate::Bank::burn`].
///
/// # Errors
/// The ledger's. Until this has succeeded the caller MUST NOT use the listed setups or items of them.
pub fn burn<L: Ledger, H>(ledger: &mut L, error: &Error<H>) -> Result<(), L::Error> {
    match error {
        Error::Burned(burned) => burned.setups.iter().try_for_each(|id| ledger.burn(id)),
        _ => Ok(()),
    }
}

/// Erases the old generation of a factor after its refresh was confirmed (`Done`), and makes every setup and bank item of
/// the pair stale: what was stolen before the refresh opens nothing after it (safety.md S6). The pair's next setups get
/// the serial that this returns.
///
/// # Errors
/// [`RetireError`]; the old factor then comes back.
pub fn retire<L: Ledger>(ledger: &mut L, old: PairFactor, new: &PairFactor) -> Result<u32, RetireError<L::Error>> {
    if old.key_id() != new.key_id() || old.generation() >= new.generation() || old.pair() != new.pair() {
        return Err(RetireError::NotItsSuccessor(old));
    }
    let raised = serial(ledger, old.pair()).and_then(|serial| {
        let next = serial.saturating_add(1);
        ledger.raise_floor(&floor(old.pair()), next.into()).map(|()| next)
    });
    raised.map_err(|error| RetireError::Ledger(error, old))
}

/// Why nothing was erased. The old factor comes back.
#[non_exhaustive]
pub enum RetireError<E> {
    /// `new` is not a later generation of the same factor.
    NotItsSuccessor(PairFactor),
    /// The ledger failed.
    Ledger(E, PairFactor),
}

impl<E> core::fmt::Debug for RetireError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotItsSuccessor(_) => "NotItsSuccessor",
            Self::Ledger(..) => "Ledger",
        })
    }
}

impl<E> core::fmt::Display for RetireError<E> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::NotItsSuccessor(_) => "the new factor is not a later generation of the old one",
            Self::Ledger(..) => "the ledger failed; nothing was erased",
        })
    }
}

impl<E> core::error::Error for RetireError<E> {}
