//! The programs, called as their `main`s call them: one program of tests, for each that is linked costs seconds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod backup;
mod cli;
mod committee;
mod dero_signin;
mod programs;
mod requests;
mod solana;
mod vectors;
