//! What ends a run, and what to do about it (foundations.md, Failure classes).

use alloc::{vec, vec::Vec};
use symbolon_core::{PartyId, SetupId, wire::DecodeError};

/// Something that both sides must have fixed alike before the run; a difference ends the run and names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Agreed {
    /// The session id: some argument of the two local callers differs.
    Sid,
    /// Key id, sharing id or epoch of two shares.
    Sharing,
    /// The pair setup's id.
    Setup,
    /// The bank item's id.
    Item,
    /// The outcome hash of a key-making run.
    Outcome,
}

/// Why a run ended. Every variant is one check of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The parties did not agree on the arguments of the run.
    #[error("the parties do not agree on {0:?}")]
    Mismatch(Agreed),
    /// Two different authenticated frames of one sender for one slot.
    #[error("two different frames for one slot")]
    Equivocation,
    /// The echo hash of all broadcasts differs.
    #[error("the parties have seen different broadcasts")]
    View,
    /// The peer answered, durably, that it closed the run, and nobody can have finished it: what was prepared is dropped.
    #[error("the peer closed the run")]
    Closed,
    /// The body of an accepted frame does not decode.
    #[error("malformed body: {0}")]
    Encoding(DecodeError),
    /// An opening does not match its commitment.
    #[error("opening does not match the commitment")]
    Opening,
    /// A proof of knowledge or of equality fails.
    #[error("proof does not verify")]
    Proof,
    /// A point or scalar that the protocol forbids here (equal to the own point, zero, one).
    #[error("forbidden value")]
    Forbidden,
    /// Public values that must fit each other do not (`a'*B' != P`, a dealing outside its commitments).
    #[error("public values are inconsistent")]
    Inconsistent,
    /// A dealt constant term is not the one that the protocol fixes (the dealer's weighted old share).
    #[error("the dealt constant term is not the fixed one")]
    ConstantTerm,
    /// A dealt share does not lie on the committed polynomial.
    #[error("a dealt share is not on the committed polynomial")]
    Share,
    /// The verification of the base OTs.
    #[error("base OT verification failed")]
    BaseOt,
    /// The consistency check of the all-but-one OTs.
    #[error("PPRF check failed")]
    Pprf,
    /// The consistency check of the OT extension.
    #[error("OT extension check failed")]
    Extension,
    /// The multiplication check.
    #[error("multiplication check failed")]
    Multiplication,
    /// One of the two checks in the exponent while signing.
    #[error("check in the exponent failed")]
    Exponent,
    /// A failed proof or sum in the conversion to additive shares.
    #[error("conversion check failed")]
    Conversion,
    /// A signer's share of the signature does not verify.
    #[error("a signature share does not verify")]
    SignatureShare,
    /// The final signature does not verify.
    #[error("the signature does not verify")]
    Signature,
    /// `R = O` or `r = 0`.
    #[error("degenerate nonce")]
    DegenerateNonce,
    /// The denominator of `s` is zero.
    #[error("zero denominator")]
    ZeroDenominator,
    /// The public shares of the signers do not add up to the public key.
    #[error("public shares do not add up to the public key")]
    PublicKeySum,
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Encoding(error)
    }
}

/// The failure classes of foundations.md that end a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// Names nobody, burns nothing.
    Mismatch,
    /// Names the double signer, or nobody.
    Equivocation,
    /// Names the sender.
    Abort,
    /// Names the sender and destroys the pair setup.
    Burn,
    /// Names nobody; the caller counts; never tried again with the same nonce.
    Unattributed,
}

/// What the caller does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Response {
    /// Run it again, after making sure that both callers pass the same arguments.
    Retry,
    /// Run it without the named party, or not at all.
    Exclude,
    /// Make a new pair setup with this peer, then run again. Count these, and slow down.
    NewSetup,
    /// Count it against the key, slow down, ask the owner; a new run takes fresh nonces.
    SlowDown,
}

impl Fault {
    /// The failure class. The match is exhaustive so that a new fault must be placed.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Mismatch(_) | Self::Closed => Class::Mismatch,
            Self::Equivocation | Self::View => Class::Equivocation,
            Self::Encoding(_)
            | Self::Opening
            | Self::Proof
            | Self::Forbidden
            | Self::Inconsistent
            | Self::ConstantTerm
            | Self::Share
            | Self::SignatureShare => Class::Abort,
            Self::BaseOt | Self::Pprf | Self::Extension | Self::Multiplication | Self::Exponent | Self::Conversion => {
                Class::Burn
            }
            Self::Signature | Self::DegenerateNonce | Self::ZeroDenominator | Self::PublicKeySum => Class::Unattributed,
        }
    }

    /// What the caller does next.
    #[must_use]
    pub const fn response(self) -> Response {
        match self.class() {
            Class::Mismatch => Response::Retry,
            Class::Equivocation | Class::Abort => Response::Exclude,
            Class::Burn => Response::NewSetup,
            Class::Unattributed => Response::SlowDown,
        }
    }
}

/// A failed step of a protocol, as the protocol tells the driver.
pub struct Failed<H> {
    /// The party that the evidence names.
    pub culprit: Option<PartyId>,
    /// The check that failed.
    pub fault: Fault,
    /// What survives of the resources that were moved in.
    pub held: Option<H>,
    /// Pair setups that this fault destroys.
    pub burned: Vec<SetupId>,
}

impl<H> Failed<H> {
    /// A fault that leaves nothing to give back. Classes that name nobody drop the culprit.
    #[must_use]
    pub fn new(culprit: PartyId, fault: Fault) -> Self {
        let culprit = match fault.class() {
            Class::Abort | Class::Burn => Some(culprit),
            Class::Mismatch | Class::Equivocation | Class::Unattributed => None,
        };
        Self { culprit, fault, held: None, burned: Vec::new() }
    }

    /// The same with a resource: given back, or burned when the class says so.
    #[must_use]
    pub fn with(culprit: PartyId, fault: Fault, id: SetupId, held: H) -> Self {
        let failed = Self::new(culprit, fault);
        match fault.class() {
            Class::Burn => Self { burned: vec![id], ..failed },
            _ => Self { held: Some(held), ..failed },
        }
    }
}
