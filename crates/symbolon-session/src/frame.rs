//! The envelope: what a server can read of a frame without a session (foundations.md, Wire format).

use crate::{Rejected, To};
use alloc::vec::Vec;
use symbolon_core::{
    LabelTag, PartyId, RunTag, Transcript,
    wire::{Reader, Writer},
};

/// The header of a frame. None of it is authenticated before a session has accepted the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// Protocol id.
    pub protocol: u8,
    /// Round, from 1; [`Header::CLOSED`] is no round.
    pub round: u8,
    /// Who claims to send.
    pub sender: PartyId,
    /// For whom.
    pub to: To,
    /// Routes the frame to a session: `T("label", label)[..16]`, see [`crate::Label::tag`].
    pub label: LabelTag,
    /// Separates runs; constant per sender within one run:
    /// `T("run", version, protocol, label, sender, its nonce)[..16]`, with all nonces in party order instead of the own
    /// one for the party whose first frame comes after everybody else's; the item id where there are no nonces. In a
    /// `closed` answer it is the tag of the receiver: the run that is closed.
    pub run: RunTag,
}

impl Header {
    /// Version, protocol, round, sender (2), recipient (2), label tag (16), run tag (16).
    pub const LEN: usize = 39;
    /// The version of every frame.
    pub const VERSION: u8 = 1;
    /// The round byte of a `closed` answer, see [`crate::close`].
    pub const CLOSED: u8 = 255;

    /// Reads the header; the body is not looked at.
    ///
    /// # Errors
    /// [`Rejected::Length`], [`Rejected::Version`], [`Rejected::Sender`] for party 0.
    pub fn parse(frame: &[u8]) -> Result<Self, Rejected> {
        let mut r = Reader::new(frame);
        match r.u8() {
            Ok(Self::VERSION) => Self::fields(&mut r),
            Ok(other) => Err(Rejected::Version(other)),
            Err(_) => Err(Rejected::Length),
        }
    }

    fn fields(r: &mut Reader<'_>) -> Result<Self, Rejected> {
        let mut next = || {
            let head = (r.u8()?, r.u8()?, r.u16()?, r.u16()?);
            Ok((head, LabelTag::from_bytes(r.array()?), RunTag::from_bytes(r.array()?)))
        };
        let read: Result<_, symbolon_core::wire::DecodeError> = next();
        let ((protocol, round, sender, recipient), label, run) = read.map_err(|_| Rejected::Length)?;
        let sender = PartyId::new(sender).map_err(|_| Rejected::Sender)?;
        let to = PartyId::new(recipient).map_or(To::All, To::One);
        Ok(Self { protocol, round, sender, to, label, run })
    }

    pub(crate) fn encode(&self, w: &mut Writer) {
        let recipient = match self.to {
            To::All => 0,
            To::One(id) => id.get(),
        };
        w.u8(Self::VERSION).u8(self.protocol).u8(self.round).u16(self.sender.get()).u16(recipient);
        w.bytes(self.label.as_ref()).bytes(self.run.as_ref());
    }
}

/// What is signed of a frame, told apart in duplicates, and absorbed by the randomness: header and body.
pub(crate) fn digest(content: &[u8]) -> [u8; 32] {
    Transcript::new("session", "frame").bulk(content).finish()
}

/// A frame to send.
#[must_use = "a frame that is not sent stops the run"]
#[derive(Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_structs, reason = "a frame and its address")]
pub struct Outgoing {
    /// For whom. [`To::One`]: the channel must also be confidential.
    pub to: To,
    /// The whole frame.
    pub bytes: Vec<u8>,
}

impl core::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Outgoing({:?}, {} bytes)", self.to, self.bytes.len())
    }
}
