#![doc = include_str!("../README.md")]

pub mod duo;
pub mod rng;

pub use duo::{Duo, Ended, Traffic};
pub use rng::{FailingRng, seeded};
