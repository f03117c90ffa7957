#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod consent;
mod custody;
mod dealing;
mod dkg;
mod exit;
mod factor_piece;
mod flows;
mod health;
mod key_share;
mod marks;
mod pair_factor;
mod plan;
mod reshare;
mod retire;
mod shamir;

pub use consent::{Change, Consent};
pub use custody::{ClientShare, Custody, CustodyError, Nodes};
pub use dealing::Dealing;
pub use dkg::{Dkg, DkgDealer, DkgError, DkgSetup};
pub use exit::{Exit, ExitError, exit, exit_pair};
pub use factor_piece::{FactorName, FactorPiece, PieceError, combine_factor, split_factor};
pub use health::{HealthError, KeyHealth};
pub use key_share::{KeyShare, KeyShareError, Member, Parts, Scheme};
pub use marks::Marks;
pub use pair_factor::{PairFactor, PairFactorError};
pub use plan::{Factors, Holder, Plan, PlanError, PlannedKey};
pub use reshare::{
    Batch, Flow, HandOver, Import, Imported, Imports, Kept, Made, OfflineError, OfflineHolder, OpenWith, Package,
    Ready, Refreshes, Reshare, ReshareDealer, ReshareSetup, Reshared, ResharedBatch, SealTo, Source, hand_over,
    hand_over_batch, import, refresh, refresh_batch,
};
pub use retire::{Resealed, RetireError, retire};
pub use shamir::{ShamirError, Share, combine, lagrange, lagrange_at, split};
