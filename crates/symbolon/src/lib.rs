#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(feature = "std")]
pub mod channel;
pub mod store;
pub mod wallet;

#[cfg(feature = "std")]
pub use getrandom::SysRng;
pub use symbolon_core::{
    ItemId, KeyId, LabelTag, PartyId, Role, RunTag, Secp256k1, SecretBytes, SecretScalar, SetupId, SharingId, Threshold,
};
pub use symbolon_ecdsa::{
    Bank, DerivationPath, EthereumAddress, Payload, Preprocess, PreprocessSetup, Preprocessed, RecoveryId, Released,
    Signature, Signed, item_of,
};
pub use symbolon_keygen::{Convert, ConvertSetup, Keygen, KeygenSetup, PairRefresh, RefreshSetup};
pub use symbolon_mta::{Mta, MtaFactors, MtaSetup, PairSetup, PairSetupRun, PairSetupTerms, Suite};
pub use symbolon_session::*;
pub use symbolon_sharing::{KeyShare, Marks, PairFactor};

/// The sample of the repository's README, compiled and run.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
