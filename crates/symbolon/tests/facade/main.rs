//! One program of tests: each that is linked costs seconds.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

mod crowd;
mod world;

mod audit_findings;
mod backup;
mod bad_input;
mod committee;
mod concurrency;
mod endings;
mod epochs;
mod errors;
mod every_byte;
mod frost;
mod hundred_bad_inputs;
mod keystore;
mod known_attacks;
mod misuse;
mod simulation;
mod statistics;
mod suspend;
mod wallet;
