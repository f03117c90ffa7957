//! What goes wrong, told apart so that a user knows what to do.

use symbolon_core::wire::DecodeError;

impl From<DecodeError> for ReadError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

/// Bytes or text that are no backup. Known without any secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Something else altogether.
    #[error("not a share backup")]
    NotABackup,
    /// Made by a version that this one does not read.
    #[error("a share backup of version {0}: use a newer program")]
    Version(u8),
    /// The bytes are not those that were written: look for another copy.
    #[error("the backup is damaged: look for another copy")]
    Damaged,
    /// Whole, and not what this library writes.
    #[error("not a backup that this library has written")]
    Malformed,
    /// A kind of secret, curve, scheme, slot or suite that this version does not know.
    #[error("the backup has a part that this version does not support")]
    Unsupported,
    /// A pair setup, a bank item or a suspended session.
    #[error(
        "pair setups, bank items and suspended sessions are never backed up: brought back on two devices they give the key away; \
         make new ones"
    )]
    NeverBackedUp,
    /// The text around the bytes is not the one form of a backup.
    #[error("not the text form of a share backup: from BEGIN to END, nothing changed")]
    Text,
}

/// Why a backup was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// No slot, more than [`crate::MAX_SLOTS`], one twice, or none but experimental ones.
    #[error("a backup has 1 to 8 slots, no two of them alike, and not only experimental ones")]
    Slots,
    /// The cost of a password's slot is below the floor or beyond what every reader takes.
    #[error("the cost of the password is too low, or too high for readers")]
    Work,
    /// The device key cannot be sealed to.
    #[error("the device key cannot be sealed to")]
    Device,
    /// The random number generator failed.
    #[error("the random number generator failed")]
    Rng,
}

/// Why a backup was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It has no slot of this kind.
    #[error("the backup has no slot of this kind: open it with a password, phrase or device that it was made for")]
    NoSlot,
    /// Not a password of this backup.
    #[error("wrong password")]
    WrongPassword,
    /// Not the phrase of this backup.
    #[error("wrong phrase")]
    WrongPhrase,
    /// Not a device of this backup.
    #[error("wrong device")]
    WrongDevice,
    /// Somebody who does not have its data key has changed the backup, or put it together from two.
    #[error("the backup was changed by somebody who cannot open it")]
    Forged,
    /// Opening would cost more than the caller allows.
    #[error("opening needs {required} bytes of work or memory, and {limit} are allowed")]
    ExcessiveWork {
        /// What the slots ask for; `u64::MAX` if one has a parameter beyond what any reader takes.
        required: u64,
        /// What the caller allows.
        limit: u64,
    },
    /// The cost in a password's slot is so low that guessing is easy.
    #[error("the password of this backup is protected too weakly")]
    WeakWork,
    /// Another kind of secret, or one of another curve.
    #[error("the backup holds another kind of secret")]
    OtherKind,
    /// A share of another key than expected.
    #[error("the backup is of another key than expected")]
    OtherKey,
    /// A share that was replaced since.
    #[error("the backup is of epoch {found}, and the key is at {expected}")]
    OldEpoch {
        /// Of the backup.
        found: u32,
        /// Of the key.
        expected: u32,
    },
    /// Another share of the key than expected: of another holder or epoch, or made by somebody who has none.
    #[error("the backup is of another share than expected")]
    OtherShare,
    /// The caller does not say which share is the right one, and anybody can make one that fits the public key.
    #[error("say which public share is expected: ask another holder of the key")]
    ShareUnknown,
    /// It holds the live share, and beside it other members, another chain code, or other marks.
    #[error("the backup differs from the live share in its members, chain code or marks: make a new one")]
    NotLive,
    /// Its slots are not those that the holder has recorded.
    #[error("the slots of the backup are not those that were recorded: somebody changed them, or it is an older one")]
    SlotSet,
    /// What is inside is no share, or not the one that the backup says.
    #[error("the share does not match its public data")]
    Share,
}

/// Why a changed or re-sealed backup was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResealError {
    /// The slots of the backup are not those that the holder recorded: somebody has put in one of its own, or it is an older one.
    #[error("the slots of the backup are not those that were recorded: somebody changed them, or it is an older one")]
    SlotSet,
    /// Without the record of the slots nothing is changed: make a new backup of the live share.
    #[error("without the record of its slots no backup is changed: make a new one of the live share")]
    NoRecord,
    /// The new share is of another key, or another holder's.
    #[error("the new share is of another key, or another holder's")]
    OtherKey,
    /// The share is older than the one in the backup. One of the same epoch is taken: its marks may be new.
    #[error("the share is older than what the backup says of itself, which nobody has verified")]
    Older,
    /// There is no such slot.
    #[error("there is no such slot")]
    NoSlot,
    /// The old backup was not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The new one was not made.
    #[error(transparent)]
    Create(#[from] CreateError),
}

/// Why two halves were not joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// Halves of two keys.
    #[error("the halves are of two keys")]
    OtherKey,
    /// Of one key, and not of one backup: one of them is older.
    #[error("the halves are of two backups of the same key: one of them is older")]
    OtherBackup,
}
