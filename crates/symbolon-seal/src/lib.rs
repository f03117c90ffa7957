#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod device;
mod point;
mod sealed;
#[cfg(feature = "xwing")]
mod xwing;

pub use device::{DeviceKey, DevicePublicKey, open_with_device, seal_to_device};
pub use point::{open_with_point, seal_to_point};
pub use sealed::{MAX_PLAINTEXT, OpenError, SealError, Sealed};
#[cfg(feature = "xwing")]
pub use xwing::{XWingKey, XWingPublicKey, XWingSealed, open_with_xwing, seal_to_xwing};
