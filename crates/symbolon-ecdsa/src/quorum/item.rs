//! What rounds 1 and 2 leave: one banked correlation of a set of signers.

use crate::item::pair_floor;
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_core::{Group, ItemId, PartyId, Secp256k1, SecretBytes, SecretScalar, SetupId, Sid};
use symbolon_mta::{ReceiverShare, SenderShare, Suite};
use symbolon_proofs::{Commitment, Opening};
use symbolon_session::{Banked, FloorId, Pair, Roster, Token};

type Point = <Secp256k1 as Group>::Point;

/// One banked pre-processing of a set of signers. Used once, by value; in memory only.
///
/// It is not a presignature: every `R_i` stays committed until message, key and path are fixed.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_ecdsa::QuorumItem>();
/// ```
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_ecdsa::QuorumItem>();
/// ```
pub struct QuorumItem {
    pub(super) id: ItemId,
    /// Of the pre-processing: what the commitments are bound to.
    pub(super) sid: Sid,
    pub(super) roster: Roster,
    pub(super) suite: Suite,
    pub(super) own: OwnNonce,
    /// By peer.
    pub(super) links: BTreeMap<PartyId, Link>,
}

/// The nonce share of this signer, `phi_i`, and the opening of its commitment.
pub(super) struct OwnNonce {
    pub(super) k: SecretScalar<Secp256k1>,
    pub(super) big_r: Point,
    pub(super) encoded_r: [u8; 33],
    pub(super) opening: Opening,
    pub(super) com: Commitment,
    pub(super) phi: SecretScalar<Secp256k1>,
}

/// What the item has of one peer.
pub(super) struct Link {
    pub(super) setup: SetupId,
    pub(super) pair: Pair,
    pub(super) serial: u32,
    /// The peer's commitment to its `R_j`.
    pub(super) com: Commitment,
    /// As sender of the multiplication: `alpha, t`, and the encodings of `t_k*G`, `t_x*G`.
    pub(super) sender: SenderShare<2>,
    pub(super) big_gamma: [[u8; 33]; 2],
    /// As receiver: `beta, r`.
    pub(super) receiver: ReceiverShare<2>,
    /// The seed of the pair for this item's share of zero.
    pub(super) zero: SecretBytes<32>,
}

impl QuorumItem {
    /// The item's name, equal at all signers.
    #[must_use]
    pub const fn id(&self) -> ItemId {
        self.id
    }

    /// The signers that it was made for, exactly.
    #[must_use]
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The pair setups that it was made over, each with the serial of its pair: when one is burned the item is refused.
    pub fn setups(&self) -> impl Iterator<Item = (SetupId, &Pair, u32)> {
        self.links.values().map(|link| (link.setup, &link.pair, link.serial))
    }
}

impl Banked for QuorumItem {
    fn id(&self) -> ItemId {
        self.id
    }

    fn tokens(&self) -> Vec<Token> {
        self.links.values().map(|link| Token::Item { item: self.id, setup: link.setup }).collect()
    }

    fn floors(&self) -> Vec<(FloorId, u64)> {
        self.links.values().filter_map(|link| pair_floor(&link.pair, link.serial)).collect()
    }
}
