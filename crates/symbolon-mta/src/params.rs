//! Named constants, the pad suites, and the session ids of one direction (foundations.md, Parameters; mta 0).

use symbolon_core::{PartyId, Role, SetupId, Sid, Transcript};
use symbolon_session::Pair;

/// Bits of the order of secp256k1.
#[cfg(test)]
pub(crate) const LOG2_Q: usize = 256;
/// Computational security in bits.
#[cfg(test)]
pub(crate) const LAMBDA_C: usize = 128;
/// Statistical security in bits.
#[cfg(test)]
pub(crate) const S: usize = 85;
/// Mask columns of the multiplication check.
pub(crate) const RHO: usize = 1;
/// Base OTs of one direction, and the length of `Delta`.
pub(crate) const KAPPA: usize = 128;
/// `SoftSpoken` exponent: a tree has `2^KK` leaves.
pub(crate) const KK: usize = 4;
/// Trees of one direction.
pub(crate) const TREES: usize = KAPPA / KK;
/// Leaves of one tree.
pub(crate) const LEAVES: usize = 1 << KK;
/// OTs of one multiplication.
pub(crate) const M: usize = 768;
/// Extra columns of the extension check; also the width of one block of columns.
pub(crate) const SIGMA: usize = 128;
/// Blocks of columns of one multiplication.
pub(crate) const BLOCKS: usize = M / SIGMA;

/// How OTs become pads. Named in the sid, fixed for a setup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Suite {
    /// Keyed BLAKE3 XOF. Fast without any special instruction.
    #[default]
    Blake3,
    /// Fixed-key AES-128, for machines with AES instructions on both sides. Ideal-cipher model, about 117 bits against
    /// guessing `Delta` over many targets.
    Aes,
}

impl Suite {
    /// The parameter-set id that the sid absorbs.
    #[must_use]
    pub const fn parameters(self) -> &'static str {
        match self {
            Self::Blake3 => "mta/m768/kk4/blake3",
            Self::Aes => "mta/m768/kk4/aes",
        }
    }

    pub(crate) const fn tag(self) -> u8 {
        match self {
            Self::Blake3 => 1,
            Self::Aes => 2,
        }
    }

    pub(crate) const fn from_tag(tag: u8) -> Option<Self> {
        match tag {
            1 => Some(Self::Blake3),
            2 => Some(Self::Aes),
            _ => None,
        }
    }
}

/// What an extension is for. One extension message exists per sid, purpose and direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Purpose {
    /// Base OTs and PPRF.
    Setup,
    /// The extension that starts the second direction.
    Boot,
    /// Conversion of a multiplicative to an additive sharing.
    Convert,
    /// Pre-processing of signatures.
    Preprocess,
    /// The multiplication protocol of this crate.
    Mta,
}

impl Purpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Boot => "boot",
            Self::Convert => "convert",
            Self::Preprocess => "preprocess",
            Self::Mta => "mta",
        }
    }
}

/// Who is the sender of the extension and of the multiplications (holds `Delta`) and who the receiver (holds all seeds).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a direction is two parties")]
pub struct Direction {
    /// Holds `Delta`.
    pub sender: PartyId,
    /// Holds all seeds.
    pub receiver: PartyId,
}

impl Direction {
    /// The first direction of a pair setup: the client is base-OT sender, so it receives extensions.
    pub(crate) const fn first(pair: &Pair) -> Self {
        Self { sender: pair.id(Role::Server), receiver: pair.id(Role::Client) }
    }

    /// The second direction, started from the first.
    pub(crate) const fn second(pair: &Pair) -> Self {
        Self { sender: pair.id(Role::Client), receiver: pair.id(Role::Server) }
    }

    /// The lower and the higher party id.
    pub(crate) fn ordered(self) -> (PartyId, PartyId) {
        if self.sender < self.receiver { (self.sender, self.receiver) } else { (self.receiver, self.sender) }
    }
}

/// The directions of a two-party wallet.
#[cfg(test)]
impl Direction {
    pub(crate) const FIRST: Self = Self { sender: PartyId::SERVER, receiver: PartyId::CLIENT };
    pub(crate) const SECOND: Self = Self { sender: PartyId::CLIENT, receiver: PartyId::SERVER };
}

/// Session id of one direction, purpose and item: `T("pair", sid, purpose, counter, i, j, role)`, `i < j` the parties, the
/// role named by the sender's id.
#[derive(Clone, Copy)]
pub(crate) struct Psid([u8; 32]);

impl Psid {
    pub(crate) fn new(sid: Sid, purpose: Purpose, counter: u16, direction: Direction) -> Self {
        let (i, j) = direction.ordered();
        Self(
            Transcript::new("mta", "pair")
                .part(sid)
                .part(purpose.name())
                .number(counter)
                .number(i.get())
                .number(j.get())
                .number(direction.sender.get())
                .finish(),
        )
    }
}

impl AsRef<[u8]> for Psid {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// `T("setup id", sid, i, j)[..16]`.
pub(crate) fn setup_id(sid: Sid, i: PartyId, j: PartyId) -> SetupId {
    SetupId::truncate(&Transcript::new("mta", "setup id").part(sid).number(i.get()).number(j.get()).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    // attacks.md row 16
    #[test]
    fn row_16_constants_satisfy_their_inequalities() {
        // as variables, so that the comparisons are made by this test and named by it
        let (m, log2_q, s, lambda_c, sigma, kappa) = (M, LOG2_Q, S, LAMBDA_C, SIGMA, KAPPA);
        let log2_m = usize::try_from(m.next_power_of_two().ilog2()).unwrap();
        // Asharov, "Revisiting DKLs" (2026/976), variant II: the gadget is drawn after the sender's message
        assert!(m >= log2_q + 3 * s + 2 * lambda_c);
        assert!(s >= 80, "statistical security asked for");
        // one mask column is enough (2026/976)
        assert!(log2_q >= lambda_c + 2 * log2_m);
        assert_eq!(RHO, 1);
        // the challenge of the extension check is Fiat-Shamir (Roy 2022/192)
        assert!(sigma >= lambda_c);
        // blocks of the extension check
        assert_eq!(m % 128, 0);
        assert_eq!(kappa % KK, 0);
        assert!(kappa >= lambda_c);
        // the bias of 32 bytes reduced once, over all pads and the gadget of one multiplication: the order is above
        // 2^256 - 2^129, so one scalar is off by less than 2^-127 and 5*m of them by less than 2^-114
        assert!(127 - (5 * m).next_power_of_two().ilog2() >= 114);
    }

    #[test]
    fn every_part_of_a_psid_separates() {
        let base = Psid::new(Sid::from_bytes([1; 32]), Purpose::Boot, 0, Direction::FIRST);
        for other in [
            Psid::new(Sid::from_bytes([2; 32]), Purpose::Boot, 0, Direction::FIRST),
            Psid::new(Sid::from_bytes([1; 32]), Purpose::Setup, 0, Direction::FIRST),
            Psid::new(Sid::from_bytes([1; 32]), Purpose::Boot, 1, Direction::FIRST),
            Psid::new(Sid::from_bytes([1; 32]), Purpose::Boot, 0, Direction::SECOND),
        ] {
            assert_ne!(base.as_ref(), other.as_ref());
        }
    }

    #[test]
    fn suites_have_distinct_ids() {
        assert_ne!(Suite::Blake3.parameters(), Suite::Aes.parameters());
        for suite in [Suite::Blake3, Suite::Aes] {
            assert_eq!(Suite::from_tag(suite.tag()), Some(suite));
        }
        assert_eq!(Suite::from_tag(0), None);
    }
}
