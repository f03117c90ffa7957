//! The driver under attack, with toy protocols over hashes.

mod auth;
mod endings;
mod ledger;
mod net;
mod over_channel;
mod rounds;
mod suspended;
mod toys;
