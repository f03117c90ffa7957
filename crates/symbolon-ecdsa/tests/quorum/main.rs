//! Signing with `t` of `n`, three or more: honest runs, and liars among the signers. What only a test with all secrets can
//! reach is in `src/quorum/steps/tests.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

mod agreement;
mod api;
mod bank;
mod bytes;
mod custody;
mod equivocation;
mod honest;
mod liars;
mod nonces;
mod pinned;
mod preprocess;
mod replay;
mod signing;
mod world;
