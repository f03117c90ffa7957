#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod encoded;
mod group;
mod ids;
mod party;
mod rng;
mod secret;
mod stack;
mod transcript;
pub mod wire;

pub use encoded::Encoded;
pub use group::{Ed25519, FixedBase, Group, Secp256k1};
pub use ids::{ItemId, KeyId, LabelTag, RunTag, SetupId, SharingId, Sid};
pub use party::{PartyId, PartyIdError, Role, Threshold, ThresholdError};
pub use rng::SeedRng;
pub use secret::{SecretBytes, SecretScalar, SecretVec};
pub use stack::{file_on_cleared_stack, hash_on_cleared_stack, on_cleared_stack};
pub use transcript::{Transcript, Xof};

/// A control: see docs/assurance.md.
#[cfg(symbolon_planted = "api")]
pub const PLANTED: () = ();
