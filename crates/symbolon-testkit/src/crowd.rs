//! Any number of sessions of one run in one thread, honest or lying, with every frame and byte counted.

use crate::{duo::stored, lying::Lying};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use symbolon_core::{PartyId, Transcript};
use symbolon_session::{Error, Header, Outgoing, Protocol, Rejected, Session, Step, Stored, To};

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

/// The body of a frame of [`symbolon_session::Auth::Signed`], with what the driver adds in front of it: between the header
/// and the way up to what is signed, whose length the position byte before the signature tells.
///
/// # Panics
/// If it is no such frame.
#[must_use]
pub fn body_of(frame: &[u8]) -> &[u8] {
    let trailer = frame.len().checked_sub(64 + 1).expect("position and signature");
    let depth = frame[trailer].checked_ilog2().expect("a position counts from 1");
    let depth = usize::try_from(depth).expect("a position is a byte");
    frame.get(Header::LEN..trailer - 32 * depth).expect("a header")
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
    fn cancel(self: Box<Self>) -> Option<H>;
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

    fn cancel(self: Box<Self>) -> Option<P::Held> {
        Self::cancel(*self)
    }
}

/// A frame on its way.
struct Mail {
    from: PartyId,
    to: PartyId,
    frame: Vec<u8>,
}

type Boxed<P> = Box<dyn Party<<P as Protocol>::Output, <P as Protocol>::Held>>;

/// What is given to a party before each true frame, once it has taken `after` of those.
struct Replayed {
    after: usize,
    mail: Mail,
}

/// All parties of one run of `P`, and the mail between them.
pub struct Crowd<P: Protocol> {
    parties: BTreeMap<PartyId, Boxed<P>>,
    /// The second session of a liar with two faces, and who sees that one.
    faces: BTreeMap<PartyId, (Boxed<P>, BTreeSet<PartyId>)>,
    /// From, whether it is the second face, what.
    first: Vec<(PartyId, bool, Vec<Outgoing>)>,
    replayed: Vec<Replayed>,
    held: BTreeMap<PartyId, P::Held>,
    /// How each party ended.
    pub ends: BTreeMap<PartyId, Ended<P::Output, P::Held>>,
    /// What those that wait give back when they are cancelled.
    pub cancelled: BTreeMap<PartyId, P::Held>,
    /// Every frame that was sent, in order, but for those of second faces.
    pub sent: Vec<(PartyId, Outgoing)>,
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
            faces: BTreeMap::new(),
            first: Vec::new(),
            replayed: Vec::new(),
            held: BTreeMap::new(),
            ends: BTreeMap::new(),
            cancelled: BTreeMap::new(),
            sent: Vec::new(),
            rejected: Vec::new(),
            messages: 0,
            bytes: BTreeMap::new(),
        };
        for (id, (session, frames)) in parties {
            crowd.parties.insert(id, Box::new(session));
            crowd.first.push((id, false, frames));
        }
        crowd
    }

    /// Adds a liar.
    #[must_use]
    pub fn with_liar<Q>(mut self, id: PartyId, (session, frames): Started<Lying<Q>>) -> Self
    where
        Q: Protocol<Output = P::Output, Held = P::Held> + 'static,
    {
        self.parties.insert(id, Box::new(session));
        self.first.push((id, false, frames));
        self
    }

    /// Gives a liar a second session: both hear everything; what the second one says is for `audience`, what the first
    /// one says for everybody else.
    #[must_use]
    pub fn with_second_face<Q>(
        mut self,
        id: PartyId,
        (session, frames): Started<Lying<Q>>,
        audience: impl IntoIterator<Item = PartyId>,
    ) -> Self
    where
        Q: Protocol<Output = P::Output, Held = P::Held> + 'static,
    {
        self.faces.insert(id, (Box::new(session), audience.into_iter().collect()));
        self.first.push((id, true, frames));
        self
    }

    /// Gives a frame to its receivers before every frame of this run, once they have taken `after` frames.
    #[must_use]
    pub fn with_replay(mut self, from: PartyId, frame: &Outgoing, after: usize) -> Self {
        for to in self.receivers(from, frame.to) {
            self.replayed.push(Replayed { after, mail: Mail { from, to, frame: frame.bytes.clone() } });
        }
        self
    }

    /// Delivers every frame, in the order in which they were sent, until nobody has anything to say.
    #[must_use]
    pub fn run(mut self) -> Self {
        let (mut mail, mut delivered) = (VecDeque::new(), BTreeMap::new());
        for (from, second, frames) in core::mem::take(&mut self.first) {
            self.post(&mut mail, (from, second), frames);
        }
        let replayed = core::mem::take(&mut self.replayed);
        while let Some(next) = mail.pop_front() {
            let so_far = delivered.entry(next.to).or_insert(0);
            for old in replayed.iter().filter(|old| old.mail.to == next.to && old.after <= *so_far) {
                self.deliver(&mut mail, &old.mail);
            }
            *so_far += 1;
            self.deliver(&mut mail, &next);
        }
        for (id, party) in core::mem::take(&mut self.parties) {
            if let std::collections::btree_map::Entry::Vacant(end) = self.ends.entry(id) {
                end.insert(Ended::Waiting);
                self.cancelled.extend(party.cancel().map(|held| (id, held)));
            }
        }
        self
    }

    fn deliver(&mut self, mail: &mut VecDeque<Mail>, Mail { from, to, frame }: &Mail) {
        if let Some((face, _)) = self.faces.get_mut(to)
            && let Ok(step) = face.handle(*from, frame)
        {
            self.take(mail, (*to, true), step);
        }
        let Some(party) = self.parties.get_mut(to) else { return };
        match party.handle(*from, frame) {
            Ok(step) => self.take(mail, (*to, false), step),
            Err(Error::Rejected(Rejected::Finished)) => (),
            Err(Error::Rejected(why)) => self.rejected.push((*from, *to, why)),
            Err(error) => drop(self.ends.insert(*to, Ended::Failed(error))),
        }
    }

    fn take(&mut self, mail: &mut VecDeque<Mail>, (me, second): (PartyId, bool), step: Taken<P::Output, P::Held>) {
        match step {
            Taken::More(frames) => self.post(mail, (me, second), frames),
            Taken::Prepared(receipt, held) => {
                let party = match self.faces.get_mut(&me) {
                    Some((face, _)) if second => Some(face),
                    _ => self.parties.get_mut(&me),
                };
                if let Some(party) = party {
                    let step = party.stored(receipt);
                    if !second {
                        self.held.insert(me, held);
                    }
                    self.take(mail, (me, second), step);
                }
            }
            Taken::Done(output, held, frames) => {
                if !second {
                    let held = held.or(self.held.remove(&me));
                    self.ends.insert(me, Ended::Done(output, held));
                }
                self.post(mail, (me, second), frames);
            }
        }
    }

    fn receivers(&self, from: PartyId, to: To) -> Vec<PartyId> {
        match to {
            To::One(to) => vec![to],
            To::All => self.parties.keys().copied().filter(|id| *id != from).collect(),
        }
    }

    fn post(&mut self, mail: &mut VecDeque<Mail>, (from, second): (PartyId, bool), frames: Vec<Outgoing>) {
        for frame in frames {
            let face = |to: &PartyId| self.faces.get(&from).is_none_or(|(_, sees)| sees.contains(to) == second);
            let to = self.receivers(from, frame.to).into_iter().filter(face);
            mail.extend(to.map(|to| Mail { from, to, frame: frame.bytes.clone() }));
            if !second {
                self.messages += 1;
                *self.bytes.entry(from).or_default() += frame.bytes.len();
                self.sent.push((from, frame));
            }
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

/// The hash of every frame of an honest run, in order: what a test pins, so that no computation, constant or field of what is
/// hashed changes unseen, not even on all sides at once.
///
/// # Panics
/// If the run fails.
#[must_use]
pub fn pinned<P: Protocol + 'static>(parties: impl IntoIterator<Item = (PartyId, Started<P>)>) -> String {
    let crowd = Crowd::new(parties);
    let members = crowd.parties.len();
    let crowd = crowd.run();
    let frames = crowd.sent.iter().fold(Transcript::new("testkit", "pinned"), |t, (from, frame)| {
        let to = if let To::One(to) = frame.to { to.get() } else { 0 };
        t.number(from.get()).number(to).part(&frame.bytes)
    });
    assert_eq!(crowd.outputs().len(), members, "everybody ends");
    frames.finish()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
