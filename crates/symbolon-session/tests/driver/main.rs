//! The driver under attack, with toy protocols over hashes.

#![allow(unreachable_pub, reason = "the modules of one test")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::std_instead_of_alloc, reason = "a test")]

mod auth;
mod closed;
mod endings;
mod ledger;
mod net;
mod over_channel;
mod rounds;
mod runs;
mod suspended;
mod toys;
