//! The bodies of the fuzz targets, as plain functions: the tests of this crate replay the seeds (`fuzz/seeds`) with any compiler.
//!
//! Each takes an input as it stands; if the input begins with a small byte, which no text does, that byte also names a way to
//! build a well-formed text from the rest, so that what lies behind checksums and layouts is reached. A broken promise panics.

pub mod address;
mod arguments;
pub mod backup;
mod bytes;
pub mod challenge;
pub mod derivation;
pub mod dero_signature;
pub mod dero_token;
pub mod export;
pub mod frame;
pub mod frost_package;
#[cfg(test)]
#[path = "../../symbolon-backup/tests/hostile/inputs.rs"]
mod hostile;
pub mod invitation;
pub mod keystore;
mod memory;
pub mod pem;
pub mod proofs;
pub mod seal;
pub mod sessions;
pub mod signature;
pub mod stored;
#[cfg(test)]
mod tests;
mod world;
