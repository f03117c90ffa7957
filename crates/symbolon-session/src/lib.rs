#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod fault;
mod label;
mod protocol;
mod roster;

pub use fault::{Agreed, Class, Failed, Fault, Response};
pub use label::{Label, LabelError};
pub use protocol::{Draft, Inbox, LongTerm, Next, Protocol, Run, Sends, Setup, Storable, Suspend, Terms, To};
pub use roster::{Identity, Pair, Roster, RosterError};
