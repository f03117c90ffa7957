//! What `handle` answers when a frame does not move the run on.

use crate::{Agreed, AuthError, Fault, Response};
use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use symbolon_core::{PartyId, SecretVec, SetupId};

/// Why a frame was not used. The session is exactly as before and keeps waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// The run is over.
    #[error("the run is over")]
    Finished,
    /// Shorter than a header and its signature.
    #[error("the frame is too short")]
    Length,
    /// Another frame version.
    #[error("unknown frame version {0}")]
    Version(u8),
    /// Another protocol.
    #[error("unknown protocol {0}")]
    Protocol(u8),
    /// Another label.
    #[error("another label")]
    Label,
    /// Another run, perhaps under the same label.
    #[error("another run")]
    Run,
    /// Party 0, the local party, not a member, or not the party that the caller authenticated.
    #[error("not from this peer")]
    Sender,
    /// For another member.
    #[error("for another member")]
    Recipient,
    /// Not authenticated.
    #[error("not authenticated")]
    Signature,
    /// Longer or shorter than any frame of this round.
    #[error("size out of the bounds of the round")]
    Size,
    /// A frame that this member does not send in this round.
    #[error("no such frame in this protocol")]
    Slot,
    /// A past round, and not identical to what was accepted. While in doubt, also a `closed` of a member that confirmed.
    #[error("a past round")]
    Past,
    /// Beyond the next round; or the first frame of the party that sends after everybody, before everybody's is in.
    #[error("too early")]
    Early,
    /// While in doubt: a confirmation of another outcome.
    #[error("not the confirmation that is missing")]
    Confirmation,
}

/// Two different frames of one sender for one slot.
pub type Evidence = Box<[SecretVec<u8>; 2]>;

/// A run that ended without a result and without burning anything.
pub struct Aborted<H> {
    /// The member that the evidence names. As trustworthy as the channel's authentication.
    pub culprit: Option<PartyId>,
    /// The check that failed.
    pub fault: Fault,
    /// Resources that were moved in, given back.
    pub held: Option<H>,
    /// After [`Fault::Equivocation`], the two frames. With [`crate::Auth::Signed`], [`crate::convict`] proves it to
    /// anybody. They may hold private bodies, and are wiped on drop.
    pub evidence: Option<Evidence>,
    /// After [`Fault::View`], and where the confirmations differ ([`Agreed::Outcome`]), with [`crate::Auth::Signed`]: the
    /// broadcasts of the others as they were received here, confirmations included. Members that exchange them find either
    /// two frames for one slot, whose signer [`crate::convict`] names, or a signed view that is not the hash of what all have
    /// from the rounds before, whose signer has lied about it.
    pub view: Vec<Vec<u8>>,
}

/// A run that ended and took pair setups with it (safety.md S1). The cure is a new setup with the same peer.
pub struct Burned<H> {
    /// The member that the evidence names. As trustworthy as the channel's authentication.
    pub culprit: Option<PartyId>,
    /// The check that failed.
    pub fault: Fault,
    /// The setups that no longer exist; `Ledger::burn` each.
    pub setups: Vec<SetupId>,
    /// Resources that survive.
    pub held: Option<H>,
}

/// Why [`crate::Session::handle`] did not return a step.
#[allow(clippy::exhaustive_enums, reason = "the three ends of style.md section 5; a caller handles all")]
pub enum Error<H> {
    /// The frame was not used; the session is exactly as before.
    Rejected(Rejected),
    /// The run is over.
    Aborted(Aborted<H>),
    /// The run is over, and so are the named setups.
    Burned(Burned<H>),
}

impl<H> Aborted<H> {
    /// What the caller does next.
    #[must_use]
    pub const fn response(&self) -> Response {
        self.fault.response()
    }
}

impl<H> Burned<H> {
    /// What the caller does next.
    #[must_use]
    pub const fn response(&self) -> Response {
        self.fault.response()
    }
}

impl<H> Error<H> {
    /// What the caller does next; `None`: nothing, the session keeps waiting.
    #[must_use]
    pub const fn response(&self) -> Option<Response> {
        match self {
            Self::Rejected(_) => None,
            Self::Aborted(aborted) => Some(aborted.response()),
            Self::Burned(burned) => Some(burned.response()),
        }
    }
}

impl<H> Error<H> {
    /// Whether the session is over.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        !matches!(self, Self::Rejected(_))
    }

    /// The member that the evidence names.
    #[must_use]
    pub const fn culprit(&self) -> Option<PartyId> {
        match self {
            Self::Rejected(_) => None,
            Self::Aborted(aborted) => aborted.culprit,
            Self::Burned(burned) => burned.culprit,
        }
    }

    /// The check that failed; `None` for a frame that was not used.
    #[must_use]
    pub const fn fault(&self) -> Option<Fault> {
        match self {
            Self::Rejected(_) => None,
            Self::Aborted(aborted) => Some(aborted.fault),
            Self::Burned(burned) => Some(burned.fault),
        }
    }

    /// The setups that no longer exist.
    #[must_use]
    pub fn burned(&self) -> &[SetupId] {
        match self {
            Self::Burned(burned) => &burned.setups,
            Self::Rejected(_) | Self::Aborted(_) => &[],
        }
    }

    /// What was moved in and survives.
    #[must_use]
    pub fn into_held(self) -> Option<H> {
        match self {
            Self::Rejected(_) => None,
            Self::Aborted(aborted) => aborted.held,
            Self::Burned(burned) => burned.held,
        }
    }
}

impl<H> From<Rejected> for Error<H> {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

fn ended(f: &mut fmt::Formatter<'_>, culprit: Option<PartyId>, fault: Fault) -> fmt::Result {
    match culprit {
        Some(culprit) => write!(f, "the run ended: {fault} ({culprit})"),
        None => write!(f, "the run ended: {fault}"),
    }
}

impl<H> fmt::Display for Aborted<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ended(f, self.culprit, self.fault)
    }
}

impl<H> fmt::Display for Burned<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ended(f, self.culprit, self.fault)?;
        write!(f, "; setups burned: {:?}", self.setups)
    }
}

impl<H> fmt::Display for Error<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Aborted(aborted) => aborted.fmt(f),
            Self::Burned(burned) => burned.fmt(f),
        }
    }
}

impl<H> fmt::Debug for Aborted<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aborted").field("culprit", &self.culprit).field("fault", &self.fault).finish_non_exhaustive()
    }
}

impl<H> fmt::Debug for Burned<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut s = f.debug_struct("Burned");
        s.field("culprit", &self.culprit).field("fault", &self.fault).field("setups", &self.setups);
        s.finish_non_exhaustive()
    }
}

impl<H> fmt::Debug for Error<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => f.debug_tuple("Rejected").field(rejected).finish(),
            Self::Aborted(aborted) => aborted.fmt(f),
            Self::Burned(burned) => burned.fmt(f),
        }
    }
}

impl<H> core::error::Error for Aborted<H> {}
impl<H> core::error::Error for Burned<H> {}
impl<H> core::error::Error for Error<H> {}

/// A run that can't start: the caller's arguments, or the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The generator failed.
    #[error("the random number generator failed")]
    Rng,
    /// The authentication does not fit the roster.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The secrets or resources are not those that the setup value names.
    #[error("not the {0:?} that the run was set up for")]
    Mismatch(Agreed),
    /// A protocol without nonces was not told its item.
    #[error("a run without nonces needs an item id")]
    NoItem,
    /// More than two parties over one channel.
    #[error("one channel joins two parties")]
    TwoParties,
}
