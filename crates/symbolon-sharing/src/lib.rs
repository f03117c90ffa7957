#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod dealing;
mod dkg;
mod key_share;
mod marks;
mod pair_factor;
mod shamir;

pub use dealing::Dealing;
pub use dkg::{Dkg, DkgDealer, DkgError, DkgSetup};
pub use key_share::{KeyShare, KeyShareError, Member, Parts, Scheme};
pub use marks::Marks;
pub use pair_factor::{PairFactor, PairFactorError};
pub use shamir::{ShamirError, Share, combine, lagrange, lagrange_at, split};
