//! Parties that lie. Both run behind a real [`Session`], which frames and signs what they say.

use std::collections::VecDeque;
use symbolon_core::{PartyId, SeedRng, wire::Reader};
use symbolon_session::{
    Draft, Error, Failed, Fault, Inbox, Next, Outgoing, Protocol, Rejected, Run, Sends, Session, Setup, Step, To,
};

/// What a liar knows when it is about to send.
pub struct Telling<'a> {
    /// Which of its own messages this is, from 1.
    pub message: usize,
    /// For whom.
    pub to: To,
    /// The ids of the run.
    pub run: &'a Run,
    /// The peer's bodies so far; with several peers, those of the first of them.
    pub heard: &'a [Vec<u8>],
    /// What an honest party would send.
    pub body: &'a mut Vec<u8>,
    /// With the last message of a key-making run, the outcome that it confirms.
    pub outcome: Option<&'a mut [u8; 32]>,
}

/// Changes what is sent.
pub type Lie = Box<dyn FnMut(&mut Telling<'_>)>;

/// An honest party of `P` whose bodies pass through a [`Lie`].
pub struct Lying<P> {
    honest: P,
    mouth: Mouth,
}

struct Mouth {
    lie: Lie,
    peer: PartyId,
    said: usize,
    heard: Vec<Vec<u8>>,
}

impl Mouth {
    fn tell(&mut self, run: &Run, drafts: Vec<Draft>, mut outcome: Option<&mut [u8; 32]>) -> Vec<Draft> {
        let tell = |(to, mut body): Draft| {
            self.said += 1;
            let outcome = outcome.as_deref_mut();
            let (message, heard) = (self.said, self.heard.as_slice());
            (self.lie)(&mut Telling { message, to, run, heard, body: &mut body, outcome });
            (to, body)
        };
        drafts.into_iter().map(tell).collect()
    }
}

fn peer_of(setup: &impl Setup) -> PartyId {
    setup.roster().peers().next().expect("a run has two parties or more")
}

/// Room for bodies that are longer than they may be.
const EXCESS: usize = 1024;

impl<P: Protocol> Protocol for Lying<P> {
    const NAME: &'static str = P::NAME;
    const ID: u8 = P::ID;
    const ROUNDS: u8 = P::ROUNDS;
    const KEY_MAKING: bool = P::KEY_MAKING;
    const NONCES: bool = P::NONCES;
    type Setup = P::Setup;
    type LongTerm = P::LongTerm;
    type Input = (P::Input, Lie);
    type Held = P::Held;
    type Output = P::Output;

    fn confirms(setup: &P::Setup, party: PartyId) -> bool {
        P::confirms(setup, party)
    }

    fn sends(setup: &P::Setup, round: u8, from: PartyId) -> Sends {
        P::sends(setup, round, from)
    }

    fn max_body(setup: &P::Setup, round: u8) -> usize {
        P::max_body(setup, round) + EXCESS
    }

    fn start(
        setup: &P::Setup,
        secrets: &P::LongTerm,
        (input, lie): (P::Input, Lie),
        run: &Run,
        rng: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let (honest, drafts) = P::start(setup, secrets, input, run, rng);
        let mut mouth = Mouth { lie, peer: peer_of(setup), said: 0, heard: Vec::new() };
        let drafts = mouth.tell(run, drafts, None);
        (Self { honest, mouth }, drafts)
    }

    fn advance(
        self,
        setup: &P::Setup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<P::Held>> {
        let Self { honest, mut mouth } = self;
        mouth.heard.push(inbox.private(mouth.peer).rest().to_vec());
        Ok(match honest.advance(setup, run, inbox, rng)? {
            Next::Round(honest, drafts) => {
                let drafts = mouth.tell(run, drafts, None);
                Next::Round(Self { honest, mouth }, drafts)
            }
            Next::Prepared { output, encoded, mut outcome, drafts, held } => {
                let drafts = mouth.tell(run, drafts, Some(&mut outcome));
                Next::Prepared { output, encoded, outcome, drafts, held }
            }
            Next::Done(output, drafts, held) => Next::Done(output, mouth.tell(run, drafts, None), held),
        })
    }

    fn cancel(self) -> Option<P::Held> {
        self.honest.cancel()
    }
}

/// Changes what the honest half of a liar hears: round, sender, whether it was a broadcast, body.
pub type Ear = Box<dyn FnMut(&Run, u8, PartyId, bool, &mut Vec<u8>)>;

/// An honest party of `P` to which what it hears passes through an [`Ear`]: inside [`Lying`], a liar whose honest half does
/// not find out that the others have heard lies.
pub struct Hearing<P> {
    honest: P,
    ear: Ear,
    round: u8,
}

impl<P: Protocol> Protocol for Hearing<P> {
    const NAME: &'static str = P::NAME;
    const ID: u8 = P::ID;
    const ROUNDS: u8 = P::ROUNDS;
    const KEY_MAKING: bool = P::KEY_MAKING;
    const NONCES: bool = P::NONCES;
    type Setup = P::Setup;
    type LongTerm = P::LongTerm;
    type Input = (P::Input, Ear);
    type Held = P::Held;
    type Output = P::Output;

    fn confirms(setup: &P::Setup, party: PartyId) -> bool {
        P::confirms(setup, party)
    }

    fn sends(setup: &P::Setup, round: u8, from: PartyId) -> Sends {
        P::sends(setup, round, from)
    }

    fn max_body(setup: &P::Setup, round: u8) -> usize {
        P::max_body(setup, round)
    }

    fn start(
        setup: &P::Setup,
        secrets: &P::LongTerm,
        (input, ear): (P::Input, Ear),
        run: &Run,
        rng: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let (honest, drafts) = P::start(setup, secrets, input, run, rng);
        (Self { honest, ear, round: 0 }, drafts)
    }

    fn advance(
        mut self,
        setup: &P::Setup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<P::Held>> {
        self.round += 1;
        let mut heard = Inbox::default();
        for peer in setup.roster().peers() {
            for (broadcast, body) in [(false, inbox.private(peer)), (true, inbox.broadcast(peer))] {
                let mut body = body.rest().to_vec();
                (self.ear)(run, self.round, peer, broadcast, &mut body);
                heard.insert(peer, broadcast, body.into());
            }
        }
        let Self { honest, ear, round } = self;
        Ok(match honest.advance(setup, run, &heard, rng)? {
            Next::Round(honest, drafts) => Next::Round(Self { honest, ear, round }, drafts),
            Next::Prepared { output, encoded, outcome, drafts, held } => {
                Next::Prepared { output, encoded, outcome, drafts, held }
            }
            Next::Done(output, drafts, held) => Next::Done(output, drafts, held),
        })
    }

    fn cancel(self) -> Option<P::Held> {
        self.honest.cancel()
    }
}

/// What a scripted party answers to a body of its peer (`None` at the start): the next body, or nothing more.
pub type Script = Box<dyn FnMut(&Run, Option<Reader<'_>>, &mut SeedRng) -> Option<Vec<u8>>>;

/// A party of `P` that follows a [`Script`] with a state of its own. In a key-making run it writes and reads the
/// confirmations itself.
pub struct Scripted<P> {
    script: Script,
    peer: PartyId,
    /// Rounds in which the peer will still send.
    expected: usize,
    of: core::marker::PhantomData<fn() -> P>,
}

impl<P: Protocol> Protocol for Scripted<P> {
    const NAME: &'static str = P::NAME;
    const ID: u8 = P::ID;
    const ROUNDS: u8 = P::ROUNDS;
    const NONCES: bool = P::NONCES;
    type Setup = P::Setup;
    type LongTerm = ();
    type Input = Script;
    type Held = ();
    type Output = ();

    fn confirms(setup: &P::Setup, party: PartyId) -> bool {
        P::confirms(setup, party)
    }

    fn sends(setup: &P::Setup, round: u8, from: PartyId) -> Sends {
        P::sends(setup, round, from)
    }

    fn max_body(setup: &P::Setup, round: u8) -> usize {
        P::max_body(setup, round) + EXCESS
    }

    fn start(setup: &P::Setup, (): &(), mut script: Script, run: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        let me = setup.roster().me();
        let starts = P::sends(setup, 1, me) != Sends::Nothing;
        let peer = peer_of(setup);
        let first = if starts { script(run, None, rng) } else { None };
        let drafts = first.into_iter().map(|body| (To::One(peer), body)).collect();
        let expected = (1..=P::ROUNDS).filter(|round| P::sends(setup, *round, peer) != Sends::Nothing).count();
        (Self { script, peer, expected, of: core::marker::PhantomData }, drafts)
    }

    fn advance(mut self, _: &P::Setup, run: &Run, inbox: &Inbox, rng: &mut SeedRng) -> Result<Next<Self>, Failed<()>> {
        match (self.script)(run, Some(inbox.private(self.peer)), rng) {
            Some(body) => {
                let drafts = vec![(To::One(self.peer), body)];
                self.expected -= 1;
                Ok(if self.expected == 0 { Next::Done((), drafts, ()) } else { Next::Round(self, drafts) })
            }
            // any end will do: a session that has failed says nothing more
            None => Err(Failed::new(self.peer, Fault::Closed)),
        }
    }

    fn cancel(self) -> Option<()> {
        Some(())
    }
}

/// How the honest side of a run with a liar ended.
#[allow(clippy::exhaustive_enums, reason = "tests match all of it")]
pub enum Fate<P: Protocol> {
    /// With a result.
    Done(P::Output, Option<P::Held>),
    /// Without.
    Failed(Error<P::Held>),
    /// It waits for a frame that never comes; what the last frame was refused for.
    Waiting(Option<Rejected>),
}

/// Runs an honest session against a liar until nobody has anything to say, and checks that a run that has failed is over
/// for good: it takes no frame and repeats none.
pub fn duel<P: Protocol, Q: Protocol>(
    honest: (Session<P>, Vec<Outgoing>),
    liar: (Session<Q>, Vec<Outgoing>),
    honest_id: PartyId,
    liar_id: PartyId,
) -> Fate<P> {
    let ((mut honest, first), (mut liar, lies)) = (honest, liar);
    let mut to_liar: VecDeque<Vec<u8>> = first.into_iter().map(|frame| frame.bytes).collect();
    let mut to_honest: VecDeque<Vec<u8>> = lies.into_iter().map(|frame| frame.bytes).collect();
    let (mut held, mut rejected) = (None, None);
    loop {
        if let Some(frame) = to_honest.pop_front() {
            let mut step = match honest.handle(liar_id, &frame) {
                Ok(step) => step,
                Err(Error::Rejected(why)) => {
                    rejected = Some(why);
                    continue;
                }
                Err(error) => {
                    assert!(honest.resend().is_empty(), "a failed run repeats no frame");
                    let again = honest.handle(liar_id, &frame);
                    assert!(matches!(again, Err(Error::Rejected(Rejected::Finished))), "a failed run is over");
                    return Fate::Failed(error);
                }
            };
            loop {
                match step {
                    Step::Continue(frames) => break to_liar.extend(frames.into_iter().map(|frame| frame.bytes)),
                    Step::Prepared(pending, moved) => {
                        held = Some(moved);
                        step = honest.stored(crate::duo::stored(&pending));
                    }
                    Step::Done(output, moved, _) => return Fate::Done(output, moved.or(held)),
                }
            }
        } else if let Some(frame) = to_liar.pop_front() {
            // a liar that its own honest half stops says nothing more
            let Ok(mut step) = liar.handle(honest_id, &frame) else { continue };
            loop {
                match step {
                    Step::Continue(frames) | Step::Done(_, _, frames) => {
                        break to_honest.extend(frames.into_iter().map(|frame| frame.bytes));
                    }
                    Step::Prepared(pending, _) => step = liar.stored(crate::duo::stored(&pending)),
                }
            }
        } else {
            return Fate::Waiting(rejected);
        }
    }
}

impl<P: Protocol> Fate<P> {
    /// The failure, in one comparable value: fault, culprit, burned setups.
    ///
    /// # Panics
    /// If the run did not fail, or the fault's class does not fit the way it was reported.
    #[must_use]
    pub fn failure(&self) -> (Fault, Option<PartyId>, &[symbolon_core::SetupId]) {
        use symbolon_session::Class;
        match self {
            Self::Failed(Error::Aborted(aborted)) => {
                assert_ne!(aborted.fault.class(), Class::Burn, "a burn is its own type");
                (aborted.fault, aborted.culprit, &[])
            }
            Self::Failed(Error::Burned(burned)) => {
                assert_eq!(burned.fault.class(), Class::Burn);
                (burned.fault, burned.culprit, &burned.setups)
            }
            Self::Failed(Error::Rejected(why)) => panic!("only rejected: {why}"),
            Self::Done(..) => panic!("the honest side has a result"),
            Self::Waiting(why) => panic!("the honest side waits; last frame: {why:?}"),
        }
    }

    /// What the failure gave back.
    #[must_use]
    pub fn held(self) -> Option<P::Held> {
        match self {
            Self::Failed(Error::Aborted(aborted)) => aborted.held,
            Self::Failed(Error::Burned(burned)) => burned.held,
            Self::Done(_, held) => held,
            Self::Failed(Error::Rejected(_)) | Self::Waiting(_) => None,
        }
    }
}
