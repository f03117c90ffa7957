#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

// a control: see docs/assurance.md
#[cfg(all(symbolon_planted = "features", feature = "xwing", not(feature = "std")))]
compile_error!("planted: xwing without std");

pub mod backup;
#[cfg(feature = "std")]
pub mod channel;
pub mod committee;
pub mod frost;
pub mod store;
pub mod wallet;

#[cfg(feature = "std")]
pub use getrandom::SysRng;
pub use symbolon_core::{
    Ed25519, Group, ItemId, KeyId, LabelTag, PartyId, PartyIdError, Role, RunTag, Secp256k1, SecretBytes, SecretScalar,
    SeedRng, SetupId, SharingId, Sid, Threshold, ThresholdError, wire,
};
pub use symbolon_ecdsa::{
    AddressError, Bank, DerivationPath, DeriveError, Derived, Digest, EthereumAddress, FullSetup, OnlineSetup,
    PathError, Payload, PayloadKind, Preprocess, PreprocessError, PreprocessSetup, Preprocessed, RecoveryId, Released,
    Request, SignError, SignFull, SignOnline, Signature, SignatureError, Signed, VerifyError, derive, item_of, pair_of,
    pair_with,
};
pub use symbolon_keygen::{Convert, ConvertSetup, Keygen, KeygenSetup, PairRefresh, RefreshError, RefreshSetup};
pub use symbolon_mta::{Exhausted, Mta, MtaFactors, MtaSetup, PairSetup, PairSetupRun, PairSetupTerms, Suite};
pub use symbolon_session::*;
pub use symbolon_sharing::{KeyShare, KeyShareError, Marks, Member, PairFactor, PairFactorError, Scheme};

/// The sample of the repository's README, compiled and run.
#[cfg(all(doctest, feature = "std"))]
#[doc = include_str!("../../../README.md")]
pub struct Readme;
