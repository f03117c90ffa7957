#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod device;
mod point;
mod sealed;

pub use device::{DeviceKey, DevicePublicKey, open_with_device, seal_to_device};
pub use point::{open_with_point, seal_to_point};
pub use sealed::{MAX_PLAINTEXT, OpenError, SealError, Sealed};
