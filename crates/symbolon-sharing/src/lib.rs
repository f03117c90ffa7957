#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod key_share;
mod marks;
mod pair_factor;
mod shamir;

pub use key_share::{KeyShare, KeyShareError, Member, Parts, Scheme};
pub use marks::Marks;
pub use pair_factor::{PairFactor, PairFactorError};
pub use shamir::{ShamirError, Share, combine, lagrange, lagrange_at, split};
