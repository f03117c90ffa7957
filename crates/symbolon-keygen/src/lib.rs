#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

pub mod convert;
pub mod keygen;
pub mod refresh;

pub use convert::{Convert, ConvertSetup};
pub use keygen::{Keygen, KeygenSetup};
pub use refresh::{PairRefresh, RefreshError, RefreshSetup};
