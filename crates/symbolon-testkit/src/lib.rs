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
    reason = "a dev crate: a test that goes wrong should panic, and std is there"
)]

pub mod chi_square;
pub mod crowd;
pub mod duo;
pub mod lying;
pub mod memory;
pub mod net;
pub mod rng;
pub mod siege;

pub use crowd::{Crowd, pinned};
pub use duo::{Duo, Ended, Traffic};
pub use lying::{Ear, Fate, Hearing, Lie, Lying, Script, Scripted, Telling, duel};
pub use memory::{Patterns, alone};
pub use net::{Action, Counts, End, Launched, Net, Outcome, Wire, for_seeds, launch};
pub use rng::{FailingRng, seeded};
