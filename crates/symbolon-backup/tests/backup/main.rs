//! Backups: honest ones, changed ones, hostile ones.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

mod changes;
mod exporting;
mod forging;
mod keystore;
mod opening;
mod world;
mod xwing;
