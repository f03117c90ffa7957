//! Shares from their parts, for a persistent bank. Whoever makes one share twice gives the key away.

use crate::{ReceiverShare, SenderShare};
use symbolon_core::{Secp256k1, SecretScalar};

/// A sender's share from the parts that [`SenderShare`] shows.
///
/// # Security
/// The parts MUST come from one share, and that share MUST have been destroyed.
#[must_use]
pub const fn sender_share<const ELL: usize>(
    alpha: [SecretScalar<Secp256k1>; ELL],
    t: [SecretScalar<Secp256k1>; ELL],
    digest: [u8; 32],
) -> SenderShare<ELL> {
    SenderShare { alpha, t, digest }
}

/// A receiver's share from the parts that [`ReceiverShare`] shows.
///
/// # Security
/// The parts MUST come from one share, and that share MUST have been destroyed.
#[must_use]
pub const fn receiver_share<const ELL: usize>(
    beta: SecretScalar<Secp256k1>,
    r: [SecretScalar<Secp256k1>; ELL],
    digest: [u8; 32],
) -> ReceiverShare<ELL> {
    ReceiverShare { beta, r, digest }
}
