#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod backed;
mod container;
mod error;
mod export;
mod halves;
mod keystore;
mod open;
mod password;
mod phrase;
mod primitives;
mod slot;
mod work;
mod xprv;

#[cfg(test)]
mod wiped;

pub use backed::{Backed, Header, SecretKind};
pub use container::{Backup, MAX_LEN, PEM_LABEL};
pub use error::{AttachError, CreateError, OpenError, ReadError, ResealError};
pub use export::{AnswerError, ExportError, ExportRequest, Receiver, export};
pub use halves::{EncryptedShare, SecretStore};
pub use keystore::{KeystoreError, from_keystore, to_keystore};
pub use open::{Expected, Opened, Unlock};
pub use password::{Password, PasswordError, PasswordPolicy};
pub use phrase::{Phrase, PhraseError};
pub use slot::{MAX_SLOTS, NewSlot, SlotKind, SlotSet};
pub use work::{Limits, Work};
pub use xprv::xprv;
