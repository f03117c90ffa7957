//! Any number of sessions of one run in one thread, honest or lying, and every frame by hand if need be.

use std::collections::{BTreeMap, VecDeque};
use symbolon_core::{PartyId, SecretBytes, SeedRng};
use symbolon_session::*;

pub fn id(id: u16) -> PartyId {
    PartyId::new(id).unwrap()
}

pub fn rng(seed: u64) -> SeedRng {
    let mut key = [9; 32];
    key[..8].copy_from_slice(&seed.to_be_bytes());
    SeedRng::new(&key)
}

/// Identity keys are numbered apart from parties: a party may come back with another key.
pub fn key(number: u16) -> IdentityKey {
    let mut seed = [3; 32];
    seed[..2].copy_from_slice(&number.to_be_bytes());
    IdentityKey::from_seed(SecretBytes::new(seed))
}

pub fn signed(number: u16) -> Auth {
    Auth::Signed(key(number))
}

pub fn members(ids: impl IntoIterator<Item = u16>) -> Vec<(PartyId, Identity)> {
    ids.into_iter().map(|i| (id(i), key(i).identity())).collect()
}

pub fn label() -> Label {
    Label::new("a run").unwrap()
}

pub fn storage() -> StorageKey {
    StorageKey::new(SecretBytes::new([77; 32]))
}

/// Changes what a liar sends: round, receiver, ids of the run, body. With [`HEARD`] added to the round, what its own honest
/// half hears of a broadcast; with [`OUTCOME`] as the round, what it confirms.
pub type Lie = Box<dyn FnMut(u8, To, &Run, &mut Vec<u8>)>;

/// Added to the round of a broadcast of the peer that stands for the receiver.
pub const HEARD: u8 = 100;
/// The round of the outcome.
pub const OUTCOME: u8 = 200;

/// An honest party whose bodies pass through a [`Lie`]; the driver signs them.
pub struct Liar<P> {
    honest: P,
    round: u8,
    lie: Lie,
}

impl<P: Protocol> Liar<P> {
    fn tell(&mut self, run: &Run, drafts: &mut [Draft]) {
        self.round += 1;
        drafts.iter_mut().for_each(|(to, body)| (self.lie)(self.round, *to, run, body));
    }
}

impl<P: Protocol> Protocol for Liar<P> {
    const NAME: &'static str = P::NAME;
    const ID: u8 = P::ID;
    const ROUNDS: u8 = P::ROUNDS;
    const KEY_MAKING: bool = P::KEY_MAKING;
    type Setup = P::Setup;
    type LongTerm = P::LongTerm;
    type Input = (P::Input, Lie);
    type Held = P::Held;
    type Output = P::Output;

    fn sends(setup: &P::Setup, round: u8, from: PartyId) -> Sends {
        P::sends(setup, round, from)
    }

    fn confirms(setup: &P::Setup, party: PartyId) -> bool {
        P::confirms(setup, party)
    }

    fn max_body(setup: &P::Setup, round: u8) -> usize {
        P::max_body(setup, round) + 4096
    }

    fn start(
        setup: &P::Setup,
        secrets: &P::LongTerm,
        (input, lie): (P::Input, Lie),
        run: &Run,
        rng: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let (honest, mut drafts) = P::start(setup, secrets, input, run, rng);
        let mut liar = Self { honest, round: 0, lie };
        liar.tell(run, &mut drafts);
        (liar, drafts)
    }

    fn advance(
        self,
        setup: &P::Setup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<P::Held>> {
        let Self { honest, round, mut lie } = self;
        let mut heard = Inbox::default();
        for peer in setup.roster().peers() {
            let mut body = inbox.broadcast(peer).rest().to_vec();
            lie(HEARD + round, To::One(peer), run, &mut body);
            heard.insert(peer, true, body.into());
            heard.insert(peer, false, inbox.private(peer).rest().to_vec().into());
        }
        Ok(match honest.advance(setup, run, &heard, rng)? {
            Next::Round(honest, mut drafts) => {
                let mut liar = Self { honest, round, lie };
                liar.tell(run, &mut drafts);
                Next::Round(liar, drafts)
            }
            Next::Prepared { output, encoded, outcome, drafts, held } => {
                let mut confirmed = outcome.to_vec();
                lie(OUTCOME, To::All, run, &mut confirmed);
                Next::Prepared { output, encoded, outcome: confirmed.try_into().unwrap(), drafts, held }
            }
            Next::Done(output, drafts, held) => Next::Done(output, drafts, held),
        })
    }

    fn cancel(self) -> Option<P::Held> {
        self.honest.cancel()
    }
}

/// How a party failed.
pub struct Failure {
    pub fault: Fault,
    pub culprit: Option<PartyId>,
    pub view: Vec<Vec<u8>>,
}

impl std::fmt::Debug for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} by {:?}", self.fault, self.culprit)
    }
}

/// What a party does with one frame, or with the receipt of its store.
pub struct Turn<O> {
    pub frames: Vec<Outgoing>,
    pub prepared: Option<SealedPending>,
    pub done: Option<O>,
}

/// A session, of an honest party or of a liar.
pub trait Node<O> {
    fn handle(&mut self, from: PartyId, frame: &[u8]) -> Result<Turn<O>, Result<Failure, Rejected>>;
    fn stored(&mut self, receipt: Stored) -> Turn<O>;
    fn resend(&self) -> Vec<Outgoing>;
    fn confirmations(&self) -> Vec<Vec<u8>>;
}

fn turn<P: Protocol>(step: Step<P>) -> Turn<P::Output> {
    match step {
        Step::Continue(frames) => Turn { frames, prepared: None, done: None },
        Step::Prepared(pending, _) => {
            let sealed = pending.seal(&storage(), &mut rng(200)).unwrap();
            Turn { frames: Vec::new(), prepared: Some(sealed), done: None }
        }
        Step::Done(output, _, frames) => Turn { frames, prepared: None, done: Some(output) },
    }
}

impl<P: Protocol> Node<P::Output> for Session<P> {
    fn handle(&mut self, from: PartyId, frame: &[u8]) -> Result<Turn<P::Output>, Result<Failure, Rejected>> {
        match self.handle(from, frame) {
            Ok(step) => Ok(turn(step)),
            Err(Error::Rejected(rejected)) => Err(Err(rejected)),
            Err(Error::Aborted(Aborted { culprit, fault, view, .. })) => Err(Ok(Failure { fault, culprit, view })),
            Err(Error::Burned(_)) => panic!("there is nothing to burn"),
        }
    }

    fn stored(&mut self, receipt: Stored) -> Turn<P::Output> {
        turn(self.stored(receipt))
    }

    fn resend(&self) -> Vec<Outgoing> {
        self.resend()
    }

    fn confirmations(&self) -> Vec<Vec<u8>> {
        self.confirmations().to_vec()
    }
}

/// From, to, frame.
pub type Mail = (PartyId, PartyId, Vec<u8>);

pub struct Net<O> {
    pub parties: BTreeMap<PartyId, Box<dyn Node<O>>>,
    pub queue: VecDeque<Mail>,
    pub outputs: BTreeMap<PartyId, O>,
    pub failures: BTreeMap<PartyId, Failure>,
    pub rejected: Vec<(PartyId, PartyId, Rejected)>,
    /// What is durable.
    pub sealed: BTreeMap<PartyId, Vec<u8>>,
    /// Store at once what is prepared; otherwise it waits here.
    pub waiting: BTreeMap<PartyId, SealedPending>,
    pub hold: bool,
    pub messages: usize,
    pub bytes: BTreeMap<PartyId, usize>,
}

impl<O> Net<O> {
    pub fn new() -> Self {
        Self {
            parties: BTreeMap::new(),
            queue: VecDeque::new(),
            outputs: BTreeMap::new(),
            failures: BTreeMap::new(),
            rejected: Vec::new(),
            sealed: BTreeMap::new(),
            waiting: BTreeMap::new(),
            hold: false,
            messages: 0,
            bytes: BTreeMap::new(),
        }
    }

    /// All parties of a run.
    pub fn of<P: Protocol<Output = O> + 'static>(
        parties: impl IntoIterator<Item = (PartyId, (Session<P>, Vec<Outgoing>))>,
    ) -> Self {
        let mut net = Self::new();
        let mut first = Vec::new();
        for (me, (session, frames)) in parties {
            net.parties.insert(me, Box::new(session));
            first.push((me, frames));
        }
        first.into_iter().for_each(|(me, frames)| net.post(me, frames));
        net
    }

    pub fn post(&mut self, from: PartyId, frames: Vec<Outgoing>) {
        for frame in frames {
            self.messages += 1;
            *self.bytes.entry(from).or_default() += frame.bytes.len();
            let to: Vec<PartyId> = match frame.to {
                To::One(to) => vec![to],
                To::All => self.parties.keys().copied().filter(|id| *id != from).collect(),
            };
            self.queue.extend(to.into_iter().map(|to| (from, to, frame.bytes.clone())));
        }
    }

    pub fn take(&mut self, me: PartyId, turn: Turn<O>) {
        self.post(me, turn.frames);
        if let Some(output) = turn.done {
            self.outputs.insert(me, output);
        }
        if let Some(sealed) = turn.prepared {
            self.waiting.insert(me, sealed);
            if !self.hold {
                self.store(me);
            }
        }
    }

    /// The store of `me` is done.
    pub fn store(&mut self, me: PartyId) {
        if let (Some(sealed), Some(party)) = (self.waiting.remove(&me), self.parties.get_mut(&me)) {
            self.sealed.insert(me, sealed.as_bytes().to_vec());
            let turn = party.stored(sealed.stored());
            self.take(me, turn);
        }
    }

    pub fn give(&mut self, from: PartyId, to: PartyId, frame: &[u8]) {
        let Some(party) = self.parties.get_mut(&to) else { return };
        match party.handle(from, frame) {
            Ok(turn) => self.take(to, turn),
            Err(Err(Rejected::Finished)) => (),
            Err(Err(rejected)) => self.rejected.push((from, to, rejected)),
            Err(Ok(failure)) => {
                self.failures.insert(to, failure);
            }
        }
    }

    pub fn deliver(&mut self) -> bool {
        let Some((from, to, frame)) = self.queue.pop_front() else { return false };
        self.give(from, to, &frame);
        true
    }

    pub fn run(&mut self) {
        while self.deliver() {}
    }

    /// An honest run, to its end.
    pub fn outputs(mut self) -> BTreeMap<PartyId, O> {
        self.run();
        assert!(self.failures.is_empty() && self.rejected.is_empty(), "{:?} {:?}", self.failures, self.rejected);
        assert_eq!(self.outputs.len(), self.parties.len(), "everybody ends");
        self.outputs
    }
}
