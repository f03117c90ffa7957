//! A network of sessions in one thread.

use crate::toys::*;
use std::collections::{BTreeMap, VecDeque};
use symbolon_core::{PartyId, Role, SecretBytes, SeedRng};
use symbolon_session::*;

pub type Error = symbolon_session::Error<Cargo>;

/// From, to, frame.
pub type Mail = (PartyId, PartyId, Vec<u8>);

pub fn party(id: u16) -> PartyId {
    PartyId::new(id).unwrap()
}

pub const S: PartyId = PartyId::SERVER;
pub const C: PartyId = PartyId::CLIENT;

pub fn rng(seed: u8) -> SeedRng {
    SeedRng::new(&[seed; 32])
}

pub fn label() -> Label {
    Label::new("label").unwrap()
}

pub fn storage() -> StorageKey {
    StorageKey::new(SecretBytes::new([77; 32]))
}

pub fn secret(of: PartyId) -> Secret {
    Secret([u8::try_from(of.get()).unwrap(); 32])
}

pub fn identity_key(of: PartyId) -> IdentityKey {
    IdentityKey::from_seed(SecretBytes::new([u8::try_from(of.get()).unwrap() + 100; 32]))
}

pub fn signed(of: PartyId) -> Auth {
    Auth::Signed(identity_key(of))
}

pub fn public_key(of: PartyId) -> [u8; 32] {
    match identity_key(of).identity() {
        Identity::Key(key) => key,
        _ => unreachable!(),
    }
}

/// A roster of members with signing keys.
pub fn keyed(me: PartyId, members: u16) -> ToySetup {
    let members = (1..=members).map(|id| (party(id), identity_key(party(id)).identity()));
    ToySetup { roster: Roster::new(me, members).unwrap(), epoch: 7 }
}

pub fn two<K: Kind>(role: Role, seed: u8) -> (Session<Toy<K>>, Vec<Outgoing>) {
    let (setup, cargo) = (ToySetup::two(role), Cargo(u64::from(role.id().get())));
    Session::start(setup, &secret(role.id()), cargo, label(), Auth::Channel, &mut rng(seed)).unwrap()
}

pub struct Net<K: Kind> {
    pub parties: BTreeMap<PartyId, Session<Toy<K>>>,
    pub queue: VecDeque<Mail>,
    pub mail: Vec<Mail>,
    pub sealed: BTreeMap<PartyId, Vec<u8>>,
    pub held: BTreeMap<PartyId, Cargo>,
    pub outputs: BTreeMap<PartyId, Key>,
    pub errors: Vec<(PartyId, Error)>,
    /// Store at once what is prepared; otherwise it waits in `pending`.
    pub store: bool,
    pub pending: BTreeMap<PartyId, Pending<Key>>,
}

impl<K: Kind> Net<K> {
    pub fn new(parties: impl IntoIterator<Item = (PartyId, (Session<Toy<K>>, Vec<Outgoing>))>) -> Self {
        let mut net = Self {
            parties: BTreeMap::new(),
            queue: VecDeque::new(),
            mail: Vec::new(),
            sealed: BTreeMap::new(),
            held: BTreeMap::new(),
            outputs: BTreeMap::new(),
            errors: Vec::new(),
            store: true,
            pending: BTreeMap::new(),
        };
        let all: Vec<_> = parties.into_iter().collect();
        let mut first = Vec::new();
        for (id, (session, frames)) in all {
            net.parties.insert(id, session);
            first.push((id, frames));
        }
        first.into_iter().for_each(|(id, frames)| net.post(id, frames));
        net
    }

    /// Two parties and a channel.
    pub fn two(seed: u8) -> Self {
        Self::new([(S, two(Role::Server, seed)), (C, two(Role::Client, seed + 100))])
    }

    /// Signing members.
    pub fn signed(members: u16, seed: u8) -> Self {
        let start = |id| {
            let me = party(id);
            let mut rng = SeedRng::new(&[seed.wrapping_add(u8::try_from(id).unwrap().wrapping_mul(31)); 32]);
            let cargo = Cargo(u64::from(id));
            let started = Session::start(keyed(me, members), &secret(me), cargo, label(), signed(me), &mut rng);
            (me, started.unwrap())
        };
        Self::new((1..=members).map(start))
    }

    pub fn post(&mut self, from: PartyId, frames: Vec<Outgoing>) {
        for frame in frames {
            let to: Vec<PartyId> = match frame.to {
                To::One(to) => vec![to],
                To::All => self.parties.keys().copied().filter(|id| *id != from).collect(),
            };
            for to in to {
                self.mail.push((from, to, frame.bytes.clone()));
                self.queue.push_back((from, to, frame.bytes.clone()));
            }
        }
    }

    pub fn step(&mut self, me: PartyId, step: Step<Toy<K>>) {
        match step {
            Step::Continue(frames) => self.post(me, frames),
            Step::Prepared(pending, held) => {
                self.held.insert(me, held);
                if self.store {
                    self.save(me, &pending);
                } else {
                    self.pending.insert(me, pending);
                }
            }
            Step::Done(output, held, frames) => {
                self.held.extend(held.map(|held| (me, held)));
                self.outputs.insert(me, output);
                self.post(me, frames);
            }
        }
    }

    pub fn save(&mut self, me: PartyId, pending: &Pending<Key>) {
        let sealed = pending.seal(&storage(), &mut rng(200)).unwrap();
        self.sealed.insert(me, sealed.as_bytes().to_vec());
        let step = self.parties.get_mut(&me).unwrap().stored(sealed.stored());
        self.step(me, step);
    }

    /// Hands over one frame, outside the queue.
    pub fn give(&mut self, from: PartyId, to: PartyId, frame: &[u8]) -> Result<(), Rejected> {
        match self.parties.get_mut(&to).unwrap().handle(from, frame) {
            Ok(step) => {
                self.step(to, step);
                Ok(())
            }
            Err(Error::Rejected(rejected)) => Err(rejected),
            Err(error) => {
                self.errors.push((to, error));
                Ok(())
            }
        }
    }

    /// Delivers the next frame; what is rejected is lost.
    pub fn deliver(&mut self) -> bool {
        let Some((from, to, frame)) = self.queue.pop_front() else { return false };
        let _ = self.give(from, to, &frame);
        true
    }

    pub fn run(&mut self) {
        for _ in 0..10_000 {
            if !self.deliver() {
                return;
            }
        }
        panic!("the run does not end");
    }

    pub fn session(&mut self, id: PartyId) -> &mut Session<Toy<K>> {
        self.parties.get_mut(&id).unwrap()
    }

    /// Everybody has the same output, and nothing went wrong.
    pub fn all_agree(&self) -> Key {
        for (id, held) in &self.held {
            assert_eq!(*held, Cargo(u64::from(id.get())));
        }
        assert_eq!(self.held.len(), self.parties.len());
        self.same_output()
    }

    /// The same for sessions that were suspended: they hold nothing.
    pub fn same_output(&self) -> Key {
        assert!(self.errors.is_empty(), "{:?}", self.errors);
        assert_eq!(self.outputs.len(), self.parties.len());
        let first = self.outputs.values().next().unwrap();
        assert!(self.outputs.values().all(|output| output == first));
        *first
    }
}
