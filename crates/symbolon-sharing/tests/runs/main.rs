//! Whole runs of key generation and resharing, on both curves.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::as_conversions,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::type_complexity,
    unreachable_pub,
    missing_docs,
    reason = "tests"
)]

mod audit;
mod cost;
mod dkg;
mod endings;
mod lies;
mod net;
mod offline;
mod pinned;
mod reshare;
mod rules;
mod torsion;
