//! Signing with exactly `t` of `n` holders, three or more (docs/spec/ecdsa.md, t-of-n).
//!
//! Every ordered pair of signers multiplies over its pair setup: the sender's `(k_i, sk_i)` with the receiver's `beta`.
//! Rounds 1 and 2 need neither key nor message and can be banked for a set of signers; rounds 3 and 4 are the signature.
//! Two signers use the two-party path ([`crate::SignFull`], [`crate::SignOnline`]), which is cheaper.

mod item;
mod request;
mod run;
mod steps;

pub use item::QuorumItem;
pub use request::{QuorumRequest, SignerShare};
pub use run::{
    QuorumFull, QuorumFullSetup, QuorumOnline, QuorumOnlineSetup, QuorumPreprocess, QuorumPreprocessSetup,
    quorum_item_of,
};

use alloc::collections::BTreeMap;
use symbolon_core::PartyId;
use symbolon_mta::PairSetup;
use symbolon_session::{Class, Failed, Fault};

/// One pair setup for each other signer, by its party id.
pub type Setups = BTreeMap<PartyId, PairSetup>;

/// A fault of `peer`: of the setups only the one with this peer is destroyed, and only by a burn (safety.md S1).
fn failed(peer: PartyId, fault: Fault, mut setups: Setups) -> Failed<Setups> {
    let mut failed = Failed::new(peer, fault);
    if fault.class() == Class::Burn {
        failed.burned.extend(setups.remove(&peer).map(|setup| setup.id()));
    }
    Failed { held: Some(setups), ..failed }
}
