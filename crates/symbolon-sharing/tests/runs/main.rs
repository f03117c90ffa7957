//! Whole runs of key generation and resharing, on both curves.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::as_conversions,
    unreachable_pub,
    missing_docs,
    reason = "tests"
)]

mod cost;
mod dkg;
mod lies;
mod net;
mod reshare;
