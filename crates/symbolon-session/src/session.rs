//! The driver (style.md section 3).

use crate::ending::{Ending, Stored};
use crate::line::{Line, Sent, slot_of};
use crate::play::{Placed, Play};
use crate::{
    Aborted, Agreed, Auth, AuthError, Burned, Class, Error, Evidence, Failed, Fault, Header, Label, LongTerm, Next,
    Outgoing, Pending, Protocol, Rejected, Setup, StartError, To,
};
use alloc::{boxed::Box, collections::BTreeSet, vec::Vec};
use core::{fmt, mem};
use rand_core::TryCryptoRng;
use symbolon_core::{
    LabelTag, PartyId, RunTag, SecretBytes, SecretVec, file_on_cleared_stack, hash_on_cleared_stack, on_cleared_stack,
};

/// One run of a protocol: frames in, frames out, at the end a value or a blame. A plain value of bounded size, without
/// threads, timers or I/O; dropping it wipes it.
pub struct Session<P: Protocol> {
    pub(crate) line: Line,
    pub(crate) phase: Phase<P>,
}

pub(crate) enum Phase<P: Protocol> {
    Rounds(Box<Play<P>>, P),
    /// Prepared or in doubt. The log is kept only where the protocol can be suspended.
    Ending(Option<Box<Play<P>>>, Ending, P::Output),
    Finished,
}

/// How a session goes on.
#[must_use = "a step holds what is to be sent or stored"]
#[allow(clippy::exhaustive_enums, reason = "the caller's loop handles every step")]
pub enum Step<P: Protocol> {
    /// Send these, if any, then wait for frames.
    Continue(Vec<Outgoing>),
    /// Key material is made. Seal and store it beside the old value, then call [`Session::stored`] with the receipt.
    Prepared(Pending<P::Output>, P::Held),
    /// The result; what was held, unless it left with `Prepared`; the last frames to send. The result stands, whether
    /// they arrive or not.
    ///
    /// Of a key-making run it says that everybody has stored, not that everybody knows it: the last to confirm is done at
    /// once, with its own confirmation still on the way, and a peer that never receives that stays in doubt for ever. So
    /// keep the old value and the sealed pending one until the peers have shown that they finished, by the first
    /// successful run on the new value or by their word over the application's channel. Until then [`Session::resend`],
    /// or [`Session::resume_ending`] after a crash, has the frames again. Nothing else lets go of either: among more than
    /// two members not even a `closed` answer does, see [`Session::closed_by`].
    Done(P::Output, Option<P::Held>, Vec<Outgoing>),
}

impl<P: Protocol> Session<P> {
    /// Starts a run and draws a 32-byte seed, the only randomness of it. The other arguments are the caller's own decision,
    /// never read from a frame; any difference to the peers' ends the run as [`Agreed::Sid`].
    ///
    /// # Errors
    /// [`StartError`]; `input` is dropped.
    pub fn start(
        setup: P::Setup,
        secrets: &P::LongTerm,
        input: P::Input,
        label: Label,
        auth: Auth,
        rng: &mut impl TryCryptoRng,
    ) -> Result<(Self, Vec<Outgoing>), StartError> {
        // apart, so that no gap in the state takes along what the generator left
        let seed = hash_on_cleared_stack(|| SecretBytes::try_random(rng)).map_err(|_| StartError::Rng)?;
        on_cleared_stack(|| Self::begin(setup, secrets, input, label, auth, seed))
    }

    pub(crate) fn begin(
        setup: P::Setup,
        secrets: &P::LongTerm,
        input: P::Input,
        label: Label,
        auth: Auth,
        seed: SecretBytes<32>,
    ) -> Result<(Self, Vec<Outgoing>), StartError> {
        P::fits(&setup, secrets, &input).map_err(StartError::Mismatch)?;
        if P::needs_signatures(&setup) && !matches!(auth, Auth::Signed(_)) {
            return Err(AuthError::NeedsSignatures.into());
        }
        let mut line = Line::new(P::ID, setup.roster(), label.tag(), auth)?;
        let play = Play::<P>::new(setup, label, seed, secrets.digest(), &mut line)?;
        let (state, drafts) = P::start(&play.setup, secrets, input, &play.run, &mut play.rng(&line, 0));
        line.sent = play.frames_of(&line, 1, drafts, None);
        let frames = line.resend();
        Ok((Self { line, phase: Phase::Rounds(Box::new(play), state) }, frames))
    }

    /// Takes a frame. `from` is the sender as the caller's channel authenticated it; with [`Auth::Signed`] the signature
    /// authenticates and `from` may be what the header says.
    ///
    /// # Errors
    /// [`Error::Rejected`] leaves the session as it was. After [`Error::Aborted`] and [`Error::Burned`] it is over.
    pub fn handle(&mut self, from: PartyId, msg: &[u8]) -> Result<Step<P>, Error<P::Held>> {
        if cfg!(symbolon_planted = "residue-stack") {
            return self.take(from, msg); // a control: see docs/assurance.md
        }
        if self.only_files() {
            file_on_cleared_stack(|| self.take(from, msg))
        } else {
            on_cleared_stack(|| self.take(from, msg))
        }
    }

    /// Whether the next frame, whatever it is, can't complete anything: two or more are missing.
    fn only_files(&self) -> bool {
        match &self.phase {
            Phase::Rounds(play, _) => play.missing(&self.line).nth(1).is_some(),
            Phase::Ending(_, ending, _) => ending.missing.len() > 1,
            Phase::Finished => true,
        }
    }

    pub(crate) fn take(&mut self, from: PartyId, msg: &[u8]) -> Result<Step<P>, Error<P::Held>> {
        if matches!(self.phase, Phase::Finished) {
            return Err(Rejected::Finished.into());
        }
        let header = self.line.check(from, msg)?;
        // a run that makes no key leaves nothing in doubt: there a `closed` is a frame of no round
        if P::KEY_MAKING && header.round == Header::CLOSED {
            self.check_closed(&header, msg)?;
            self.line.closed.insert(from);
            return match &self.phase {
                // whoever says this may have confirmed to somebody else, who is done and erases its old value
                Phase::Ending(_, ending, _) if ending.stored && !ending.for_two => Ok(Step::Continue(Vec::new())),
                _ => Err(self.abort(None, Fault::Closed, None)),
            };
        }
        match &mut self.phase {
            Phase::Rounds(play, _) => match play.place(&mut self.line, &header, msg)? {
                Placed::Again => Ok(Step::Continue(Vec::new())),
                Placed::New { digest, nonce } => {
                    play.accept(&mut self.line, &header, msg, (digest, nonce));
                    self.progress()
                }
                Placed::Conflict => {
                    let first = play.frames.get(&slot_of(&header)).map(|frame| frame.to_vec()).unwrap_or_default();
                    let evidence = Box::new([first, msg.to_vec()].map(SecretVec::new));
                    Err(self.abort(Some(from), Fault::Equivocation, Some(evidence)))
                }
            },
            Phase::Ending(play, ending, _) => {
                let agreed = ending.confirm(&mut self.line, &header, msg);
                match agreed {
                    Ok(true) => {
                        if let Some(play) = play {
                            play.record(msg);
                        }
                        Ok(self.finish_if_confirmed(Vec::new()))
                    }
                    Ok(false) => Ok(Step::Continue(Vec::new())),
                    // nothing has left yet, so that the run can simply end; in doubt, no frame ends it
                    Err(Rejected::Confirmation) if !ending.stored => {
                        Err(self.abort(None, Fault::Mismatch(Agreed::Outcome), None))
                    }
                    Err(rejected) => Err(rejected.into()),
                }
            }
            Phase::Finished => Err(Rejected::Finished.into()),
        }
    }

    /// The caller has stored the pending value durably. Only this releases the last frames with the confirmation; from
    /// here on the party is in doubt: it keeps the old and the sealed pending value until [`Step::Done`], and both beyond
    /// it until the peers have shown that they finished; the `closed` of the other one of two members ends the doubt too,
    /// among more none does. If all other confirmations are in this returns `Done` at once, while the own one may still
    /// be lost. The receipt of another run releases nothing.
    pub fn stored(&mut self, receipt: Stored) -> Step<P> {
        let mut released = Vec::new();
        if let Phase::Ending(play, ending, _) = &mut self.phase
            && !ending.stored
            && ending.receipt(&self.line) == receipt.0
        {
            ending.stored = true;
            ending.seen.clear();
            released = ending.last.iter().map(Sent::outgoing).collect();
            self.line.sent.append(&mut ending.last);
            if let Some(play) = play {
                play.record(&[]);
            }
        }
        self.finish_if_confirmed(released)
    }

    /// The value to store, again: after [`Session::resume`] of a session that was already prepared.
    #[must_use]
    pub fn pending(&self) -> Option<Pending<P::Output>> {
        match &self.phase {
            Phase::Ending(_, ending, _) => Some(Pending::new::<P>(&self.line, ending)),
            Phase::Rounds(..) | Phase::Finished => None,
        }
    }

    /// What a server files this session under: the first frame of a run names protocol and label tag, every frame of a
    /// sender after that its run tag too. The own run tag is known once this side has sent; both sides' is the item id
    /// when signing from the bank.
    #[must_use]
    pub fn tags(&self) -> (LabelTag, Option<RunTag>) {
        (self.line.label, self.line.tags.get(&self.line.me()).copied())
    }

    /// Whose frames are missing: what the caller's own deadline acts on.
    #[must_use]
    pub fn waiting_for(&self) -> BTreeSet<PartyId> {
        match &self.phase {
            Phase::Rounds(play, _) => play.missing(&self.line).map(|slot| slot.1).collect(),
            Phase::Ending(_, ending, _) => ending.missing.keys().copied().collect(),
            Phase::Finished => BTreeSet::new(),
        }
    }

    /// The frames that a peer may have missed, byte for byte. Also after `Done`.
    #[must_use = "the frames are to be sent"]
    pub fn resend(&self) -> Vec<Outgoing> {
        self.line.resend()
    }

    /// The signed confirmations of other members that are in, for a member in doubt: whoever hands it the complete set
    /// finishes its run (safety.md S2). Also after `Done`. Empty without
    /// [`Auth::Signed`] and for private confirmations.
    #[must_use]
    pub fn confirmations(&self) -> &[Vec<u8>] {
        &self.line.shown
    }

    /// Who answered that it closed this run ([`crate::close`]). A run that was not stored here, and a run of two members,
    /// has then ended with [`Fault::Closed`]. Among more, a party in doubt keeps both values and waits on: later
    /// confirmations, also shown by others, still finish its run. It starts a new run from the old value, under the next
    /// number, whose outcome supersedes this one's once it is confirmed. Not remembered across a crash: `closed` is
    /// answered again.
    ///
    /// Who is listed after [`Step::Done`] has confirmed and said `closed`, each under its own authentication: it lied to
    /// somebody.
    #[must_use]
    pub const fn closed_by(&self) -> &BTreeSet<PartyId> {
        &self.line.closed
    }

    /// Ends the run and gives back what was moved in. A party in doubt keeps its stored pending value.
    #[must_use = "what was moved in comes back"]
    pub fn cancel(self) -> Option<P::Held> {
        match self.phase {
            Phase::Rounds(_, state) => on_cleared_stack(|| state.cancel()),
            Phase::Ending(..) | Phase::Finished => None,
        }
    }

    /// Ends the run; what it held is given back.
    fn abort(&mut self, culprit: Option<PartyId>, fault: Fault, evidence: Option<Evidence>) -> Error<P::Held> {
        let (held, view) = match mem::replace(&mut self.phase, Phase::Finished) {
            Phase::Rounds(_, state) => (state.cancel(), Vec::new()),
            Phase::Ending(_, ending, _) if has_view(fault) => (None, ending.seen),
            Phase::Ending(..) | Phase::Finished => (None, Vec::new()),
        };
        self.line.sent.clear();
        let culprit = culprit.filter(|_| self.line.auth.names_culprits());
        Error::Aborted(Aborted { culprit, fault, held, evidence, view })
    }

    fn failed(&mut self, failed: Failed<P::Held>, play: &Play<P>) -> Error<P::Held> {
        self.line.sent.clear();
        let Failed { culprit, fault, held, burned } = failed;
        let culprit = culprit.filter(|_| self.line.auth.names_culprits());
        let view = if has_view(fault) { play.broadcasts(&self.line) } else { Vec::new() };
        if fault.class() == Class::Burn || !burned.is_empty() {
            Error::Burned(Burned { culprit, fault, setups: burned, held })
        } else {
            Error::Aborted(Aborted { culprit, fault, held, evidence: None, view })
        }
    }

    /// A `closed` answer to this very run.
    fn check_closed(&mut self, header: &Header, msg: &[u8]) -> Result<(), Rejected> {
        if header.to == To::All {
            return Err(Rejected::Slot);
        }
        if msg.len() != Header::LEN + self.line.auth.trailer(msg)? {
            return Err(Rejected::Size);
        }
        if !self.line.auth.names_culprits() {
            return Err(Rejected::Signature);
        }
        if self.line.tags.get(&self.line.me()) != Some(&header.run) {
            return Err(Rejected::Run);
        }
        self.line.open(header.sender, msg)?;
        match &self.phase {
            // who has confirmed has stored, and can't have closed
            Phase::Ending(_, ending, _) if !ending.missing.contains_key(&header.sender) => Err(Rejected::Past),
            _ => Ok(()),
        }
    }

    /// Delivers every round that is complete.
    fn progress(&mut self) -> Result<Step<P>, Error<P::Held>> {
        // frames of this call, the last of all that were sent: of one that fails nothing leaves, and a dealing has shares in it
        let mut made = 0;
        loop {
            let Phase::Rounds(play, _) = &self.phase else { return Ok(Step::Continue(self.line.last(made))) };
            if let Err(fault) = play.same_sid(&self.line) {
                return Err(self.abort(None, fault, None));
            }
            if play.missing(&self.line).next().is_some() {
                let out = self.line.last(made);
                self.line.prune();
                return Ok(Step::Continue(out));
            }
            let Phase::Rounds(mut play, state) = mem::replace(&mut self.phase, Phase::Finished) else {
                return Ok(Step::Continue(self.line.last(made)));
            };
            let inbox = play.inbox(&mut self.line);
            let (round, mut rng) = (play.awaited, play.rng(&self.line, play.awaited));
            let next =
                state.advance(&play.setup, &play.run, &inbox, &mut rng).map_err(|failed| self.failed(failed, &play))?;
            let following = round.saturating_add(1);
            match next {
                Next::Round(state, drafts) => {
                    let sent = play.frames_of(&self.line, following, drafts, None);
                    made = made.saturating_add(sent.len());
                    self.line.sent.extend(sent);
                    let awaited = play.next_awaited(&self.line, round);
                    debug_assert!(awaited.is_some(), "a protocol that waits for nobody is done");
                    play.awaited = awaited.unwrap_or(u8::MAX);
                    self.phase = Phase::Rounds(play, state);
                    if awaited.is_none() {
                        return Ok(Step::Continue(self.line.last(made)));
                    }
                }
                Next::Done(output, drafts, held) => {
                    debug_assert!(!P::KEY_MAKING, "a key-making run ends with `Prepared`");
                    let sent = play.frames_of(&self.line, following, drafts, None);
                    made = made.saturating_add(sent.len());
                    self.line.sent.extend(sent);
                    let out = self.line.last(made);
                    self.line.prune();
                    return Ok(Step::Done(output, Some(held), out));
                }
                Next::Prepared { output, encoded, outcome, drafts, held } => {
                    debug_assert!(P::KEY_MAKING, "only a key-making run ends with `Prepared`");
                    // frames of an earlier round that this call made leave with the last ones
                    let before = self.line.sent.len().saturating_sub(made);
                    let mut last = self.line.sent.split_off(before);
                    last.extend(play.frames_of(&self.line, following, drafts, Some(&outcome)));
                    let missing = match play.unconfirmed(&mut self.line, &outcome) {
                        Ok(missing) => missing,
                        Err(fault) => {
                            self.line.sent.clear();
                            return Err(Error::Aborted(Aborted {
                                culprit: None,
                                fault,
                                held: Some(held),
                                evidence: None,
                                view: play.broadcasts(&self.line),
                            }));
                        }
                    };
                    self.line.prune();
                    let for_two = self.line.roster.members().len() == 2 && !P::needs_signatures(&play.setup);
                    let seen = play.broadcasts(&self.line);
                    let ending = Ending { outcome, encoded, last, missing, stored: false, for_two, seen };
                    let pending = Pending::new::<P>(&self.line, &ending);
                    self.phase = Phase::Ending(P::LOG_FRAMES.then_some(play), ending, output);
                    return Ok(Step::Prepared(pending, held));
                }
            }
        }
    }

    pub(crate) fn finish_if_confirmed(&mut self, frames: Vec<Outgoing>) -> Step<P> {
        match mem::replace(&mut self.phase, Phase::Finished) {
            Phase::Ending(_, ending, output) if ending.stored && ending.missing.is_empty() => {
                Step::Done(output, None, frames)
            }
            phase => {
                self.phase = phase;
                Step::Continue(frames)
            }
        }
    }
}

/// The faults that say that somebody told different members different things, but not who.
const fn has_view(fault: Fault) -> bool {
    matches!(fault, Fault::View | Fault::Mismatch(Agreed::Outcome))
}

impl<P: Protocol> fmt::Debug for Session<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({}, waiting for {:?})", P::NAME, self.waiting_for())
    }
}

impl<P: Protocol> fmt::Debug for Step<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Continue(frames) => f.debug_tuple("Continue").field(frames).finish(),
            Self::Prepared(..) => f.write_str("Prepared"),
            Self::Done(_, _, frames) => f.debug_tuple("Done").field(frames).finish(),
        }
    }
}
