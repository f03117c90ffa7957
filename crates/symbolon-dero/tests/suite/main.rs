//! One program of tests: each that is linked costs seconds.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

mod addresses;
mod bad_inputs;
mod bn;
mod challenges;
mod signin;
#[cfg(feature = "jwt")]
mod token;
mod vectors;
