#![doc = include_str!("../README.md")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::must_use_candidate,
    clippy::missing_panics_doc,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::as_conversions,
    clippy::exhaustive_enums,
    clippy::disallowed_methods,
    reason = "a dev crate: what goes wrong should panic, and std and the clock are there"
)]

pub mod campaign;
mod cases;

pub use cases::{Make, all};
