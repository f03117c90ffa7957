//! The reader in Python (`docs/readers/read_backup.py`, written from `docs/backup.md`) against the library: on the golden files, on
//! changed ones, on forged ones whose hash and MAC are right, on random ones. Both say the same of the same bytes.
//!
//! Needs the packages of `docs/readers/requirements.txt` for `$SYMBOLON_PYTHON`, or `python3`.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

mod both;
mod changes;
mod forged;
mod opening;
#[path = "../backup/world.rs"]
mod world;
mod xwing;
