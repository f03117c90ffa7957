//! Signing with `t` of `n`, three or more: honest runs, and one liar among the signers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

mod custody;
mod honest;
mod world;
