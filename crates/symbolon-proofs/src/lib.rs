#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod commitment;
mod dleq;
mod feldman;
mod schnorr;

pub use commitment::{Commitment, Opening};
pub use dleq::DleqProof;
pub use feldman::{FeldmanError, FeldmanVector};
pub use schnorr::{BatchProof, SchnorrProof, verify_all};

/// A proof or an opening does not verify. Says nothing more, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("proof does not verify")]
pub struct ProofError;
