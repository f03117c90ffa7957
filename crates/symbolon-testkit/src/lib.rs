#![doc = include_str!("../README.md")]

pub mod duo;
pub mod lying;
pub mod rng;

pub use duo::{Duo, Ended, Traffic};
pub use lying::{Fate, Lie, Lying, Script, Scripted, Telling, duel};
pub use rng::{FailingRng, seeded};
