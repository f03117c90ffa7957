//! Backups, export to one receiver, and the way out: `symbolon-backup`, with the rebuilding of a key.
//!
//! A pair setup is no backup, and does not compile as one:
//!
//! ```compile_fail
//! fn backed_up<S: symbolon::backup::Backed>() {}
//! backed_up::<symbolon::PairSetup>();
//! ```
//! ```
//! fn backed_up<S: symbolon::backup::Backed>() {}
//! backed_up::<symbolon::KeyShare<symbolon::Secp256k1>>();
//! backed_up::<symbolon::KeyShare<symbolon::Ed25519>>();
//! backed_up::<symbolon::PairFactor>();
//! ```

pub use symbolon_backup::*;
pub use symbolon_seal::{DeviceKey, DevicePublicKey};
pub use symbolon_sharing::{Change, Consent, Exit, ExitError, Resealed, exit, exit_pair};
