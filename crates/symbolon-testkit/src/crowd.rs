//! Any number of sessions of one run in one thread, honest or lying, with every frame and byte counted.

use crate::{duo::stored, lying::Lying};
use std::collections::{BTreeMap, VecDeque};
use symbolon_core::PartyId;
use symbolon_session::{Error, Outgoing, Protocol, Rejected, Session, Step, Stored, To};

/// How a party of a [`Crowd`] ended.
#[allow(clippy::exhaustive_enums, reason = "tests match all of it")]
pub enum Ended<O, H> {
    /// With a result, and what it held.
    Done(O, Option<H>),
    /// Without.
    Failed(Error<H>),
    /// It waits for frames that never come.
    Waiting,
}

impl<O, H> Ended<O, H> {
    /// The result.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn done(self) -> (O, Option<H>) {
        match self {
            Self::Done(output, held) => (output, held),
            Self::Failed(error) => panic!("the run failed: {error}"),
            Self::Waiting => panic!("the run waits"),
        }
    }

    /// The failure.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn failed(self) -> Error<H> {
        match self {
            Self::Done(..) => panic!("the run has a result"),
            Self::Failed(error) => error,
            Self::Waiting => panic!("the run waits"),
        }
    }
}

/// A started session.
pub type Started<P> = (Session<P>, Vec<Outgoing>);

enum Taken<O, H> {
    More(Vec<Outgoing>),
    Prepared(Stored, H),
    Done(O, Option<H>, Vec<Outgoing>),
}

/// A session of an honest party or of a liar.
trait Party<O, H> {
    fn handle(&mut self, from: PartyId, frame: &[u8]) -> Result<Taken<O, H>, Error<H>>;
    fn stored(&mut self, receipt: Stored) -> Taken<O, H>;
}

fn taken<P: Protocol>(step: Step<P>) -> Taken<P::Output, P::Held> {
    match step {
        Step::Continue(frames) => Taken::More(frames),
        Step::Prepared(pending, held) => Taken::Prepared(stored(&pending), held),
        Step::Done(output, held, frames) => Taken::Done(output, held, frames),
    }
}

impl<P: Protocol> Party<P::Output, P::Held> for Session<P> {
    fn handle(&mut self, from: PartyId, frame: &[u8]) -> Result<Taken<P::Output, P::Held>, Error<P::Held>> {
        self.handle(from, frame).map(taken)
    }

    fn stored(&mut self, receipt: Stored) -> Taken<P::Output, P::Held> {
        taken(self.stored(receipt))
    }
}

/// All parties of one run of `P`, and the mail between them.
pub struct Crowd<P: Protocol> {
    parties: BTreeMap<PartyId, Box<dyn Party<P::Output, P::Held>>>,
    first: Vec<(PartyId, Vec<Outgoing>)>,
    held: BTreeMap<PartyId, P::Held>,
    /// How each party ended.
    pub ends: BTreeMap<PartyId, Ended<P::Output, P::Held>>,
    /// From, to, why: frames that were refused, but for those to a session that is over.
    pub rejected: Vec<(PartyId, PartyId, Rejected)>,
    /// Frames sent; a broadcast is one.
    pub messages: usize,
    /// Bytes sent by each party; a broadcast counts once.
    pub bytes: BTreeMap<PartyId, usize>,
}

impl<P: Protocol + 'static> Crowd<P> {
    /// Honest parties.
    pub fn new(parties: impl IntoIterator<Item = (PartyId, Started<P>)>) -> Self {
        let mut crowd = Self {
            parties: BTreeMap::new(),
            first: Vec::new(),
            held: BTreeMap::new(),
            ends: BTreeMap::new(),
            rejected: Vec::new(),
            messages: 0,
            bytes: BTreeMap::new(),
        };
        for (id, (session, frames)) in parties {
            crowd.parties.insert(id, Box::new(session));
            crowd.first.push((id, frames));
        }
        crowd
    }

    /// Adds a liar.
    #[must_use]
    pub fn with_liar(mut self, id: PartyId, (session, frames): Started<Lying<P>>) -> Self {
        self.parties.insert(id, Box::new(session));
        self.first.push((id, frames));
        self
    }

    /// Delivers every frame, in the order in which they were sent, until nobody has anything to say.
    #[must_use]
    pub fn run(mut self) -> Self {
        let mut mail = VecDeque::new();
        for (from, frames) in core::mem::take(&mut self.first) {
            self.post(&mut mail, from, frames);
        }
        while let Some((from, to, frame)) = mail.pop_front() {
            let Some(party) = self.parties.get_mut(&to) else { continue };
            match party.handle(from, &frame) {
                Ok(step) => self.take(&mut mail, to, step),
                Err(Error::Rejected(Rejected::Finished)) => (),
                Err(Error::Rejected(why)) => self.rejected.push((from, to, why)),
                Err(error) => drop(self.ends.insert(to, Ended::Failed(error))),
            }
        }
        let waiting = self.parties.keys().filter(|id| !self.ends.contains_key(id)).copied();
        let waiting: Vec<_> = waiting.collect();
        self.ends.extend(waiting.into_iter().map(|id| (id, Ended::Waiting)));
        self
    }

    fn take(&mut self, mail: &mut VecDeque<(PartyId, PartyId, Vec<u8>)>, me: PartyId, step: Taken<P::Output, P::Held>) {
        match step {
            Taken::More(frames) => self.post(mail, me, frames),
            Taken::Prepared(receipt, held) => {
                self.held.insert(me, held);
                if let Some(party) = self.parties.get_mut(&me) {
                    let step = party.stored(receipt);
                    self.take(mail, me, step);
                }
            }
            Taken::Done(output, held, frames) => {
                let held = held.or(self.held.remove(&me));
                self.ends.insert(me, Ended::Done(output, held));
                self.post(mail, me, frames);
            }
        }
    }

    fn post(&mut self, mail: &mut VecDeque<(PartyId, PartyId, Vec<u8>)>, from: PartyId, frames: Vec<Outgoing>) {
        for frame in frames {
            self.messages += 1;
            *self.bytes.entry(from).or_default() += frame.bytes.len();
            let to: Vec<PartyId> = match frame.to {
                To::One(to) => vec![to],
                To::All => self.parties.keys().copied().filter(|id| *id != from).collect(),
            };
            mail.extend(to.into_iter().map(|to| (from, to, frame.bytes.clone())));
        }
    }

    /// The results of an honest run.
    ///
    /// # Panics
    /// If anybody fails or waits, or a frame is refused.
    #[must_use]
    pub fn outputs(self) -> BTreeMap<PartyId, (P::Output, Option<P::Held>)> {
        let crowd = if self.ends.is_empty() { self.run() } else { self };
        assert!(crowd.rejected.is_empty(), "refused frames: {:?}", crowd.rejected);
        crowd.ends.into_iter().map(|(id, end)| (id, end.done())).collect()
    }
}
