#![doc = include_str!("../README.md")]
#![no_std]
extern crate alloc;

mod address;
mod bip32;
pub mod hazmat;
mod item;
pub mod online;
mod payload;
pub mod preprocess;
mod quorum;
mod sign;
mod signature;
#[cfg(test)]
mod tests;

pub use address::{AddressError, EthereumAddress};
pub use bip32::{DerivationPath, DeriveError, Derived, PathError, derive};
pub use item::{Bank, Halves, Nonces, OwnHalf, PeerHalf, Preprocessed};
pub use payload::{Digest, Payload, PayloadKind};
pub use preprocess::{Preprocess, PreprocessError, PreprocessSetup};
pub use quorum::{
    QuorumFull, QuorumFullSetup, QuorumItem, QuorumOnline, QuorumOnlineSetup, QuorumPreprocess, QuorumPreprocessSetup,
    QuorumRequest, Setups, SignerShare, quorum_item_of,
};
pub use sign::{
    ClientHalf, FullSetup, OnlineSetup, Released, Request, SignError, SignFull, SignOnline, Signed, item_of, pair_of,
    pair_with,
};
pub use signature::{RecoveryId, Signature, SignatureError, VerifyError};
