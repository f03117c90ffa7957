#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod auth;
mod bank;
mod channel;
mod ending;
mod error;
mod fault;
mod frame;
mod label;
mod ledger;
mod line;
mod play;
mod protocol;
mod roster;
mod session;
mod storage;
mod suspend;

pub use auth::{Auth, AuthError, IdentityKey, Unauthenticated, confirmed_by, convict};
pub use bank::{Bank, Banked};
pub use channel::{Channel, Finished, RunError, run};
pub use ending::{CloseError, Pending, SealedPending, Stored, close};
pub use error::{Aborted, Burned, Error, Evidence, Rejected, StartError};
pub use fault::{Agreed, Class, Failed, Fault, Response};
pub use frame::{Header, Outgoing};
pub use label::{Label, LabelError};
pub use ledger::{Claimed, Failures, FloorId, Ledger, MemoryLedger, Sealed, Token};
pub use protocol::{Draft, Inbox, LongTerm, Next, Protocol, Run, Sends, Setup, Storable, Suspend, Terms, To};
pub use roster::{Identity, Pair, Roster, RosterError};
pub use session::{Session, Step};
pub use storage::{OpenError, SealError, StorageKey};
pub use suspend::{ResumeError, SuspendError};
