#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod address;
mod arguments;
pub mod challenge;
mod curve;
mod message;
pub mod signin;
mod stack;
#[cfg(feature = "jwt")]
pub mod token;

pub use address::{Address, AddressError, AnyAddress, Network};
pub use arguments::{Argument, Arguments, ArgumentsError, Value};
pub use curve::{KeyError, PublicKey};
pub use message::{SecretKey, SignatureError, SignedMessage, Verified, pem_from_base64};
