#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod coordinator;
mod error;
mod item;
mod nonces;
mod online;
mod package;
mod preprocess;
mod request;
mod scalar;
mod sign;
mod signature;
mod signers;
mod suite;
#[cfg(test)]
mod tests;

pub use coordinator::{Aggregator, Coordinator, RefusedError};
pub use error::SignError;
pub use item::FrostItem;
pub use nonces::{CommitmentList, NonceCommitments, Nonces};
pub use online::{FrostOnline, FrostOnlineSetup, item_of};
pub use package::{SignatureShare, SigningPackage};
pub use preprocess::{FrostPreprocess, FrostPreprocessSetup};
pub use request::FrostRequest;
pub use scalar::{scalar_from_seed, sign_with_scalar};
pub use sign::FrostSign;
pub use signature::{PublicKey, Signature, VerifyError};
pub use signers::Signers;
pub use suite::Ciphersuite;
