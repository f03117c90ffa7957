//! Protocols without cryptography: every body is a random value and a hash that ties it to the session id, the round and
//! the sender; the output is the hash of all values that everybody has seen.

use core::marker::PhantomData;
use std::collections::BTreeMap;
use symbolon_core::{
    ItemId, PartyId, Role, SecretBytes, SeedRng, SetupId, Sid, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::*;

/// What distinguishes the toys.
pub trait Kind {
    const NAME: &'static str;
    const ID: u8;
    const ROUNDS: u8;
    const KEY_MAKING: bool;
    const NONCES: bool = true;
    const LOG_FRAMES: bool = true;
    const SHOWN: bool = false;
    const FAULT: Fault = Fault::Proof;
    fn sends(round: u8, from: PartyId) -> Sends;
    /// Rounds whose frames hold nothing but confirmations.
    fn confirms_only(_round: u8) -> bool {
        false
    }
}

const fn turn(round: u8, from: PartyId, odd: PartyId) -> Sends {
    if (round % 2 == 1) == (from.get() == odd.get()) { Sends::Private } else { Sends::Nothing }
}

/// Four messages, server first, no key material.
pub struct Ping;
impl Kind for Ping {
    const NAME: &'static str = "ping";
    const ID: u8 = 201;
    const ROUNDS: u8 = 4;
    const KEY_MAKING: bool = false;
    fn sends(round: u8, from: PartyId) -> Sends {
        turn(round, from, PartyId::SERVER)
    }
}

/// The same with a failure that burns.
pub struct Fire;
impl Kind for Fire {
    const NAME: &'static str = "fire";
    const ID: u8 = 202;
    const ROUNDS: u8 = 4;
    const KEY_MAKING: bool = false;
    const FAULT: Fault = Fault::Extension;
    fn sends(round: u8, from: PartyId) -> Sends {
        turn(round, from, PartyId::SERVER)
    }
}

/// Signing from a bank: no nonces, client first.
pub struct FromBank;
impl Kind for FromBank {
    const NAME: &'static str = "bank";
    const ID: u8 = 203;
    const ROUNDS: u8 = 2;
    const KEY_MAKING: bool = false;
    const NONCES: bool = false;
    fn sends(round: u8, from: PartyId) -> Sends {
        turn(round, from, PartyId::CLIENT)
    }
}

/// The layout of keygen alone (keygen.md): 3 S with its stored, 4 C's stored.
pub struct Keys;
impl Kind for Keys {
    const NAME: &'static str = "keys";
    const ID: u8 = 204;
    const ROUNDS: u8 = 4;
    const KEY_MAKING: bool = true;
    fn sends(round: u8, from: PartyId) -> Sends {
        turn(round, from, PartyId::SERVER)
    }
    fn confirms_only(round: u8) -> bool {
        round == 4
    }
}

/// All at once: broadcasts, then broadcasts and private values, then the confirmations.
pub struct Trio;
impl Kind for Trio {
    const NAME: &'static str = "trio";
    const ID: u8 = 205;
    const ROUNDS: u8 = 3;
    const KEY_MAKING: bool = true;
    fn sends(round: u8, _from: PartyId) -> Sends {
        if round == 2 { Sends::Both } else { Sends::Broadcast }
    }
    fn confirms_only(round: u8) -> bool {
        round == 3
    }
}

/// The same without a log; the confirmations are shown to somebody who takes no part.
pub struct Shown;
impl Kind for Shown {
    const NAME: &'static str = "shown";
    const ID: u8 = 209;
    const ROUNDS: u8 = Trio::ROUNDS;
    const KEY_MAKING: bool = true;
    const LOG_FRAMES: bool = false;
    const SHOWN: bool = true;
    fn sends(round: u8, from: PartyId) -> Sends {
        Trio::sends(round, from)
    }
    fn confirms_only(round: u8) -> bool {
        Trio::confirms_only(round)
    }
}

/// Three rounds of broadcasts, then the confirmations.
pub struct Quad;
impl Kind for Quad {
    const NAME: &'static str = "quad";
    const ID: u8 = 207;
    const ROUNDS: u8 = 4;
    const KEY_MAKING: bool = true;
    fn sends(_round: u8, _from: PartyId) -> Sends {
        Sends::Broadcast
    }
    fn confirms_only(round: u8) -> bool {
        round == 4
    }
}

/// Four rounds of broadcasts, no key material.
pub struct Talk;
impl Kind for Talk {
    const NAME: &'static str = "talk";
    const ID: u8 = 206;
    const ROUNDS: u8 = 4;
    const KEY_MAKING: bool = false;
    fn sends(_round: u8, _from: PartyId) -> Sends {
        Sends::Broadcast
    }
}

/// Broadcasts of three parties; the third has round 2, and starts when it has heard the others.
pub struct Tail;
impl Kind for Tail {
    const NAME: &'static str = "tail";
    const ID: u8 = 208;
    const ROUNDS: u8 = 3;
    const KEY_MAKING: bool = false;
    fn sends(round: u8, from: PartyId) -> Sends {
        if (round == 2) == (from.get() == 3) { Sends::Broadcast } else { Sends::Nothing }
    }
}

pub struct Toy<K> {
    me: PartyId,
    round: u8,
    cargo: Cargo,
    view: BTreeMap<(u8, PartyId), Vec<u8>>,
    kind: PhantomData<K>,
}

/// A resource that moves.
#[derive(Default, PartialEq, Eq, Debug)]
pub struct Cargo(pub u64);

#[derive(Clone)]
pub struct ToySetup {
    pub roster: Roster,
    pub epoch: u32,
}

impl ToySetup {
    pub fn two(role: Role) -> Self {
        Self { roster: Pair::from(role).roster(), epoch: 7 }
    }
}

impl Setup for ToySetup {
    fn roster(&self) -> Roster {
        self.roster.clone()
    }
    fn terms(&self) -> Terms {
        let item = Some(ItemId::from_bytes([9; 16]));
        Terms { scheme: "toy", epoch: Some(self.epoch), item, ..Terms::default() }
    }
}

impl Storable for ToySetup {
    fn encode(&self, w: &mut Writer) {
        self.roster.encode(w);
        w.u32(self.epoch);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { roster: Roster::decode(r)?, epoch: r.u32()? })
    }
}

#[derive(Clone, Copy)]
pub struct Secret(pub [u8; 32]);

impl LongTerm for Secret {
    fn digest(&self) -> SecretBytes<32> {
        SecretBytes::new(Transcript::new("toy", "secret").part(self.0).finish())
    }
}

#[derive(PartialEq, Eq, Debug, Clone, Copy)]
pub struct Key(pub [u8; 32]);

impl Storable for Key {
    fn encode(&self, w: &mut Writer) {
        w.bytes(b"key1").bytes(&self.0);
    }
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if r.array()? == *b"key1" { Ok(Self(r.array()?)) } else { Err(DecodeError::Unsupported) }
    }
}

pub const BURNED: SetupId = SetupId::from_bytes([3; 16]);

fn seal(sid: &Sid, round: u8, from: PartyId, to: To, value: &[u8]) -> [u8; 32] {
    let to = if let To::One(id) = to { id.get() } else { 0 };
    Transcript::new("toy", "body").part(sid).number(round).number(from.get()).number(to).part(value).finish()
}

impl<K: Kind> Toy<K> {
    fn drafts(&mut self, setup: &ToySetup, round: u8, sid: &Sid, rng: &mut SeedRng) -> Vec<Draft> {
        let sends = if round > K::ROUNDS { Sends::Nothing } else { K::sends(round, self.me) };
        let to_each = setup.roster.peers().map(To::One);
        let receivers: Vec<To> = match sends {
            Sends::Nothing => vec![],
            Sends::Private => to_each.collect(),
            Sends::Broadcast => vec![To::All],
            Sends::Both => to_each.chain([To::All]).collect(),
        };
        let common = setup.roster.members().len() == 2;
        let mut draft = |to: To| {
            if K::confirms_only(round) {
                return (to, vec![]);
            }
            let value = SecretBytes::<32>::random(rng).expose().to_vec();
            let seal = seal(sid, round, self.me, to, &value);
            if to == To::All || (common && sends == Sends::Private) {
                self.view.insert((round, self.me), value.clone());
            }
            (to, [&value[..], &seal].concat())
        };
        receivers.into_iter().map(&mut draft).collect()
    }

    /// The last round whose bodies this party reads.
    fn last_read(&self, setup: &ToySetup) -> u8 {
        let reads = |r: &u8| !K::confirms_only(*r) && setup.roster.peers().any(|p| K::sends(*r, p) != Sends::Nothing);
        (1..=K::ROUNDS).filter(reads).max().unwrap_or(0)
    }
}

impl<K: Kind> Protocol for Toy<K> {
    const NAME: &'static str = K::NAME;
    const ID: u8 = K::ID;
    const ROUNDS: u8 = K::ROUNDS;
    const KEY_MAKING: bool = K::KEY_MAKING;
    const NONCES: bool = K::NONCES;
    const LOG_FRAMES: bool = K::LOG_FRAMES;
    type Setup = ToySetup;
    type LongTerm = Secret;
    type Input = Cargo;
    type Held = Cargo;
    type Output = Key;

    fn sends(_: &ToySetup, round: u8, from: PartyId) -> Sends {
        assert!((1..=K::ROUNDS).contains(&round), "the driver asks for rounds that exist");
        K::sends(round, from)
    }

    fn needs_signatures(_: &ToySetup) -> bool {
        K::SHOWN
    }

    fn max_body(_: &ToySetup, round: u8) -> usize {
        assert!((1..=K::ROUNDS).contains(&round), "the driver asks for rounds that exist");
        if K::confirms_only(round) { 0 } else { 64 }
    }

    fn start(setup: &ToySetup, _: &Secret, input: Cargo, run: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        let me = setup.roster.me();
        let mut toy = Self { me, round: 0, cargo: input, view: BTreeMap::new(), kind: PhantomData };
        let drafts = toy.drafts(setup, 1, &run.sid0(), rng);
        (toy, drafts)
    }

    fn advance(
        mut self,
        setup: &ToySetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<Cargo>> {
        let me = self.me;
        let round = (self.round + 1..=K::ROUNDS)
            .find(|r| setup.roster.peers().any(|p| K::sends(*r, p) != Sends::Nothing))
            .unwrap();
        self.round = round;
        let mut culprit = None;
        for peer in setup.roster.peers() {
            let sends = K::sends(round, peer);
            for broadcast in [false, true] {
                let there = match sends {
                    Sends::Nothing => false,
                    Sends::Private => !broadcast,
                    Sends::Broadcast => broadcast,
                    Sends::Both => true,
                };
                let (mut r, to) =
                    if broadcast { (inbox.broadcast(peer), To::All) } else { (inbox.private(peer), To::One(me)) };
                if !there {
                    assert_eq!(r.remaining(), 0);
                    continue;
                }
                let sid = if round == 1 { run.sid0_of(peer) } else { run.sid() };
                match (r.bytes(32), r.array::<32>(), r.finish()) {
                    (Ok(value), Ok(theirs), Ok(())) if theirs == seal(&sid, round, peer, to, value) => {
                        if broadcast || setup.roster.members().len() == 2 && sends == Sends::Private {
                            self.view.insert((round, peer), value.to_vec());
                        }
                    }
                    _ => culprit = Some(peer),
                }
            }
        }
        if let Some(peer) = culprit {
            return Err(Failed::with(peer, K::FAULT, BURNED, self.cargo));
        }
        let drafts = self.drafts(setup, round + 1, &run.sid(), rng);
        if round < self.last_read(setup) {
            return Ok(Next::Round(self, drafts));
        }
        let view = self.view.iter().fold(Transcript::new("toy", "view").part(run.sid()), |t, (slot, value)| {
            t.number(slot.0).number(slot.1.get()).part(value)
        });
        let output = Key(view.finish());
        if K::KEY_MAKING {
            let outcome = Transcript::new("toy", "outcome").part(output.0).finish();
            let mut w = Writer::new();
            output.encode(&mut w);
            let encoded = w.finish().into();
            Ok(Next::Prepared { output, encoded, outcome, drafts, held: self.cargo })
        } else {
            Ok(Next::Done(output, drafts, self.cargo))
        }
    }

    fn cancel(self) -> Option<Cargo> {
        Some(self.cargo)
    }
}

impl<K: Kind> Suspend for Toy<K> {}
