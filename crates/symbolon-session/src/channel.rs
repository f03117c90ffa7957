//! Two parties and one blocking channel, for callers without an event loop.

use crate::{Auth, Error, Label, Outgoing, Pending, Protocol, Rejected, Session, Setup, StartError, Step, Stored};
use alloc::vec::Vec;
use core::fmt;
use rand_core::TryCryptoRng;
use symbolon_core::SecretVec;

/// A blocking channel to the one peer; it keeps the borders of frames. For [`Auth::Channel`] it is authenticated, and
/// always confidential where the protocol sends private values.
pub trait Channel {
    /// Why the channel failed.
    type Error: fmt::Debug;
    /// Sends one frame.
    ///
    /// # Errors
    /// The channel's.
    fn send(&mut self, frame: &[u8]) -> Result<(), Self::Error>;
    /// Waits for one frame. The time that it waits is the channel's to limit.
    ///
    /// # Errors
    /// The channel's, a time-out included.
    fn receive(&mut self) -> Result<Vec<u8>, Self::Error>;
}

/// Frames that [`run`] ignores before it gives up.
const MAX_REJECTED: u32 = 1000;

/// What [`run`] returns: the result stands, whatever became of the last frames.
#[must_use]
#[non_exhaustive]
pub struct Finished<P: Protocol, C> {
    /// The result. A party that released its signature share has signed: it counts the message as signed.
    pub output: P::Output,
    /// What was moved in and comes back.
    pub held: Option<P::Held>,
    /// Why the last frames could not be sent: the peer may not have finished. `None` does not prove that they arrived.
    pub undelivered: Option<C>,
    /// The frames that the peer may lack, to send them again over another connection.
    pub last: Vec<Outgoing>,
}

/// Why [`run`] has no result. `held` is what was moved in and survives. A run whose value was saved before it failed is in
/// doubt: keep the saved value, and see [`Session::resume_ending`].
#[non_exhaustive]
pub enum RunError<C, S, H> {
    /// The run could not start.
    Start(StartError),
    /// The run ended.
    Ended(Error<H>),
    /// The channel failed.
    Channel {
        /// Its error.
        error: C,
        /// What survives.
        held: Option<H>,
    },
    /// The value could not be saved: no confirmation has left.
    Save {
        /// The error of `save`.
        error: S,
        /// What survives.
        held: Option<H>,
    },
    /// Too many frames that are none of this run.
    Garbage {
        /// The last reason.
        last: Rejected,
        /// What survives.
        held: Option<H>,
    },
}

impl<C: fmt::Debug, S: fmt::Debug, H> fmt::Display for RunError<C, S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => error.fmt(f),
            Self::Ended(error) => error.fmt(f),
            Self::Channel { error, .. } => write!(f, "the channel failed: {error:?}"),
            Self::Save { error, .. } => write!(f, "the pending value could not be saved: {error:?}"),
            Self::Garbage { last, .. } => write!(f, "too many frames that are none of this run: {last}"),
        }
    }
}

impl<C: fmt::Debug, S: fmt::Debug, H> fmt::Debug for RunError<C, S, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => f.debug_tuple("Start").field(error).finish(),
            Self::Ended(error) => f.debug_tuple("Ended").field(error).finish(),
            Self::Channel { error, .. } => f.debug_tuple("Channel").field(error).finish(),
            Self::Save { error, .. } => f.debug_tuple("Save").field(error).finish(),
            Self::Garbage { last, .. } => f.debug_tuple("Garbage").field(last).finish(),
        }
    }
}

impl<C: fmt::Debug, S: fmt::Debug, H> core::error::Error for RunError<C, S, H> {}

/// Runs a two-party protocol to its end over a blocking channel. `save` seals and stores what is prepared, and returns the
/// receipt; it is not called by protocols that make no key material.
///
/// # Security
/// A finished run of key material stands, but its last frame may be lost without anybody's notice, and the peer in doubt:
/// keep the old value and what `save` has stored until the peer has shown that it finished ([`Step::Done`]).
/// [`Session::resume_ending`] has that frame again.
///
/// # Errors
/// [`RunError`].
#[allow(clippy::too_many_arguments, reason = "the arguments of `Session::start`, a channel and a store")]
#[allow(clippy::type_complexity, reason = "the error names what the three sides may fail with")]
pub fn run<P: Protocol, C: Channel, S>(
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    label: Label,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
    channel: &mut C,
    mut save: impl FnMut(&Pending<P::Output>) -> Result<Stored, S>,
) -> Result<Finished<P, C::Error>, RunError<C::Error, S, P::Held>> {
    let roster = setup.roster();
    let mut peers = roster.peers();
    let (Some(peer), None) = (peers.next(), peers.next()) else { return Err(RunError::Start(StartError::TwoParties)) };
    let (mut session, frames) =
        Session::<P>::start(setup, secrets, input, label, auth, rng).map_err(RunError::Start)?;
    let (mut step, mut rejected, mut left) = (Step::Continue(frames), 0, None);
    loop {
        let frames = match step {
            Step::Continue(frames) => frames,
            Step::Prepared(pending, held) => {
                left = Some(held);
                match save(&pending) {
                    Ok(receipt) => step = session.stored(receipt),
                    Err(error) => return Err(RunError::Save { error, held: left }),
                }
                continue;
            }
            Step::Done(output, held, frames) => {
                // a lost channel can't take back what is done, nor what was released (safety.md S4)
                let undelivered = send(channel, frames).err();
                return Ok(Finished { output, held: held.or(left), undelivered, last: session.resend() });
            }
        };
        if let Err(error) = send(channel, frames) {
            return Err(RunError::Channel { error, held: left.or_else(|| session.cancel()) });
        }
        step = loop {
            let frame = match channel.receive() {
                // a dealing has a share in it
                Ok(frame) => SecretVec::new(frame),
                Err(error) => return Err(RunError::Channel { error, held: left.or_else(|| session.cancel()) }),
            };
            match session.handle(peer, &frame) {
                Ok(step) => break step,
                Err(Error::Rejected(_)) if rejected < MAX_REJECTED => rejected += 1,
                Err(Error::Rejected(last)) => {
                    return Err(RunError::Garbage { last, held: left.or_else(|| session.cancel()) });
                }
                Err(Error::Aborted(mut aborted)) => {
                    aborted.held = aborted.held.or(left);
                    return Err(RunError::Ended(Error::Aborted(aborted)));
                }
                Err(Error::Burned(mut burned)) => {
                    burned.held = burned.held.or(left);
                    return Err(RunError::Ended(Error::Burned(burned)));
                }
            }
        };
    }
}

/// Sends all, and wipes what was sent and what was not: a dealing has shares in it. The session has them for
/// [`Session::resend`].
fn send<C: Channel>(channel: &mut C, frames: Vec<Outgoing>) -> Result<(), C::Error> {
    let frames: Vec<_> = frames.into_iter().map(|frame| SecretVec::new(frame.bytes)).collect();
    frames.iter().try_for_each(|frame| channel.send(frame))
}
