//! FROST signing: honest runs, liars among the signers, coordinators that lie, crashes.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

mod agreement;
mod algebra;
mod bank;
mod bytes;
mod coordinator;
mod equivocation;
mod honest;
mod liars;
mod nonces;
mod pinned;
mod points;
mod replay;
mod shares;
mod stored;
mod world;
