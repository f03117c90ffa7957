//! Backups, export to one receiver, and the way out: `symbolon-backup`, with the rebuilding of a key.
//!
//! ```
//! use symbolon::backup::{self, Expected, Limits, NewSlot, Password, PasswordPolicy, Phrase, Unlock, Work};
//! # use symbolon::{KeyShare, Secp256k1, SysRng};
//! # fn example(share: &KeyShare<Secp256k1>) -> Result<(), Box<dyn std::error::Error>> {
//! let password = Password::new("correct horse battery staple", &PasswordPolicy::default())?;
//! let phrase = Phrase::generate(&mut SysRng)?; // shown once
//! let slots = [NewSlot::Password(&password, Work::default()), NewSlot::Phrase(&phrase)];
//! let made = backup::backup(share, &slots, &mut SysRng)?;
//! // `made.file` goes to any storage, `made.slots` stays beside the live share
//!
//! // from the records of the other holders: which share it was
//! let expected = Expected::live(share).slots(made.slots);
//! let unlock = Unlock::Phrase(&phrase);
//! let share: KeyShare<Secp256k1> = backup::restore(made.file.as_bytes(), &unlock, &expected, &Limits::default())?.secret;
//! # Ok(()) }
//! ```
//!
//! A pair setup is no backup, and does not compile as one:
//!
//! ```compile_fail,E0277
//! fn backed_up<S: symbolon::backup::Backed>() {}
//! backed_up::<symbolon::PairSetup>();
//! ```
//! ```
//! fn backed_up<S: symbolon::backup::Backed>() {}
//! backed_up::<symbolon::KeyShare<symbolon::Secp256k1>>();
//! backed_up::<symbolon::KeyShare<symbolon::Ed25519>>();
//! backed_up::<symbolon::PairFactor>();
//! ```

pub use symbolon_backup::*;
pub use symbolon_seal::{DeviceKey, DevicePublicKey};
#[cfg(feature = "xwing")]
pub use symbolon_seal::{XWingKey, XWingPublicKey};
pub use symbolon_sharing::{Change, Consent, Exit, ExitError, Resealed, exit, exit_pair};

use alloc::string::String;
use rand_core::TryCryptoRng;

/// A backup that was just made or changed.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Made {
    /// The text form, for any storage.
    pub file: String,
    /// Its recipients: kept beside the live share, and apart from the file, for every change and for [`reseal`].
    pub slots: SlotSet,
}

impl Made {
    fn of(backup: &Backup) -> Self {
        Self { file: backup.to_pem(), slots: backup.slot_set() }
    }
}

/// Why a stored backup gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The file is no backup, or not whole.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It was not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Why a stored backup was not changed. The stored one is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The file is no backup, or not whole.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It was not opened, or no new one was made.
    #[error(transparent)]
    Reseal(#[from] ResealError),
}

/// Seals a share or a factor: [`Backup::create`].
///
/// # Errors
/// [`CreateError`].
pub fn backup<S: Backed>(secret: &S, slots: &[NewSlot<'_>], rng: &mut impl TryCryptoRng) -> Result<Made, CreateError> {
    Backup::create(secret, slots, rng).map(|backup| Made::of(&backup))
}

/// Opens a file: [`Backup::open`].
///
/// # Errors
/// [`RestoreError`].
///
/// # Security
/// `expected` names the public share, from the records of the other holders; with the public key alone, what is restored may be anybody's
/// making. A restored share knows nothing of what its ledger knew. Pair setups and banked items are made anew, never copied from the lost
/// device; if that device may still run, [`crate::committee`]'s resharing puts it out.
pub fn restore<S: Backed>(
    file: &[u8],
    unlock: &Unlock<'_>,
    expected: &Expected<S::Group>,
    limits: &Limits,
) -> Result<Opened<S>, RestoreError> {
    Ok(Backup::read(file)?.open(unlock, expected, limits)?)
}

/// The same share under another password: [`Backup::change_password`]. Copies of the old file still open with the old one.
///
/// # Errors
/// [`ChangeError`].
pub fn change_password<S: Backed>(
    file: &[u8],
    old: &Password,
    new: (&Password, Work),
    expected: &Expected<S::Group>,
    limits: &Limits,
    rng: &mut impl TryCryptoRng,
) -> Result<Made, ChangeError> {
    Ok(Made::of(&Backup::read(file)?.change_password::<S>(old, new, expected, limits, rng)?))
}

/// One more slot: [`Backup::add_slot`]. `expected` names the recorded slots, here and in [`change_password`].
///
/// # Errors
/// [`ChangeError`].
pub fn add_slot<S: Backed>(
    file: &[u8],
    slot: &NewSlot<'_>,
    unlock: &Unlock<'_>,
    expected: &Expected<S::Group>,
    limits: &Limits,
    rng: &mut impl TryCryptoRng,
) -> Result<Made, ChangeError> {
    Ok(Made::of(&Backup::read(file)?.add_slot::<S>(slot, unlock, expected, limits, rng)?))
}

/// The share of a later epoch for the same slots, without any of their secrets: [`Backup::reseal`]. Gives what
/// [`crate::committee::retire`] asks for; store the new file durably before.
///
/// # Errors
/// [`ChangeError`].
pub fn reseal<S: Backed>(
    file: &[u8],
    secret: &S,
    recorded: &SlotSet,
    rng: &mut impl TryCryptoRng,
) -> Result<(Made, S::Token), ChangeError> {
    let (backup, token) = Backup::read(file)?.reseal(secret, recorded, rng)?;
    Ok((Made::of(&backup), token))
}
