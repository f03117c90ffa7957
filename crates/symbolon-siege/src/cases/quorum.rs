//! ECDSA with three signers.

use super::committee::{holders, honest, ids, key, setups};
use super::pair::{EXTENSION, HASH, POINT, SCALAR, extension, multiplication, storage};
use super::{Make, Of, besieged};
use std::{collections::BTreeMap, rc::Rc};
use symbolon::{DerivationPath, Payload};
use symbolon_core::{PartyId, Secp256k1};
use symbolon_ecdsa::{
    QuorumFull, QuorumItem, QuorumOnline, QuorumPreprocess, QuorumPreprocessSetup, QuorumRequest, Setups, Signature,
};
use symbolon_mta::PairSetup;
use symbolon_session::{Protocol, To};
use symbolon_sharing::{KeyShare, Scheme};
use symbolon_testkit::siege::{Besieged, Ends, Field, Kind, Powers, Prepared};

/// A 3-of-3 key with its pair setups, as stored.
struct World {
    members: Vec<PartyId>,
    shares: BTreeMap<PartyId, KeyShare<Secp256k1>>,
    setups: BTreeMap<(PartyId, PartyId), Vec<u8>>,
}

fn payload(number: u64) -> Payload {
    Payload::personal_message(number.to_be_bytes())
}

fn path() -> DerivationPath {
    "m/0/5".parse().unwrap()
}

impl World {
    fn new(seed: u64) -> Rc<Self> {
        let members = ids(1..=3);
        let setups = setups(&members, seed);
        Rc::new(Self { shares: key(3, 3, Scheme::Ecdsa, seed), setups, members })
    }

    fn setups(&self, me: PartyId) -> Setups {
        let peers = self.members.iter().filter(|peer| **peer != me);
        peers.map(|peer| (*peer, PairSetup::open(&self.setups[&(me, *peer)], &storage()).unwrap())).collect()
    }

    fn preprocess(&self, me: PartyId) -> Prepared<QuorumPreprocess> {
        let mut input = self.setups(me);
        let setup = QuorumPreprocessSetup::new(me, &holders(&self.members), &mut input, 1).unwrap();
        Prepared { setup, secrets: (), input }
    }

    /// The items of a run, made for it alone.
    fn items(&self, number: u64) -> BTreeMap<PartyId, Vec<QuorumItem>> {
        honest::<QuorumPreprocess>(&self.members, number, |me| self.preprocess(me))
    }

    fn full(&self, me: PartyId, number: u64) -> Prepared<QuorumFull> {
        let (share, mut input) = (&self.shares[&me], self.setups(me));
        let request = QuorumRequest::from_scratch(share, &self.members, &mut input, payload(number), path());
        let (setup, secrets) = request.unwrap();
        Prepared { setup, secrets, input }
    }

    fn online(&self, me: PartyId, number: u64, input: QuorumItem) -> Prepared<QuorumOnline> {
        let share = &self.shares[&me];
        let (setup, secrets) = QuorumRequest::from_bank(share, &input, payload(number), path()).unwrap();
        Prepared { setup, secrets, input }
    }

    fn signed(&self, number: u64, signatures: &[&Signature]) -> Result<(), String> {
        let share = &self.shares[&self.members[0]];
        let key = symbolon_ecdsa::derive(share.public_key(), share.chain_code(), &path()).unwrap().public_key;
        if signatures.iter().any(|signature| signature.verify(&key, &payload(number).digest()).is_err()) {
            return Err("the signature".into());
        }
        if signatures.windows(2).any(|two| two[0] != two[1]) { Err("the signatures differ".into()) } else { Ok(()) }
    }

    fn of<P: Protocol + 'static>(
        self: &Rc<Self>,
        name: &'static str,
        prepare: impl Fn(&Self, PartyId, u64) -> Prepared<P> + 'static,
        layout: fn(u8, bool) -> Vec<Field>,
        check: impl Fn(&Self, u64, Ends<P::Output>) -> Result<(), String> + 'static,
    ) -> Box<dyn Besieged> {
        let (of_prepare, of_check) = (Rc::clone(self), Rc::clone(self));
        besieged(Of::<P> {
            name,
            members: self.members.clone(),
            most_corrupt: 2,
            powers: Powers::none,
            prepare: Box::new(move |me, number| prepare(&of_prepare, me, number)),
            layout: Box::new(move |round, _, to| layout(round, to == To::All)),
            free: &[],
            anonymous: &[],
            check: Box::new(move |number, ends| check(&of_check, number, ends)),
        })
    }
}

fn round_1_and_2(round: u8, broadcast: bool) -> Vec<Field> {
    match (round, broadcast) {
        (1, _) => [vec![Field::one("setup id", Kind::Bytes(16))], extension(EXTENSION, 6)].concat(),
        (2, true) => vec![Field::one("com", HASH)],
        _ => multiplication(2),
    }
}

/// Rounds 3 and 4, from the bank without an echo.
fn round_3_and_4(round: u8, broadcast: bool) -> Vec<Field> {
    match (round, broadcast) {
        (3, true) => vec![Field::one("R", POINT), Field::one("opening", HASH), Field::one("pk", POINT)],
        (3, false) => vec![
            Field::one("gamma_k", SCALAR),
            Field::one("gamma_x", SCALAR),
            Field::one("psi", SCALAR),
            Field::one("Gamma_k", POINT),
            Field::one("Gamma_x", POINT),
        ],
        _ => vec![Field::one("u", SCALAR), Field::one("w", SCALAR), Field::one("view", HASH)],
    }
}

fn full_layout(round: u8, broadcast: bool) -> Vec<Field> {
    match (round, broadcast) {
        (1 | 2, _) => round_1_and_2(round, broadcast),
        (3, true) => [vec![Field::one("echo", HASH)], round_3_and_4(3, true)].concat(),
        _ => round_3_and_4(round, broadcast),
    }
}

fn preprocess() -> Box<dyn Besieged> {
    let layout =
        |round, broadcast| if round == 3 { vec![Field::one("echo", HASH)] } else { round_1_and_2(round, broadcast) };
    let check = |world: &World, number, ends: Ends<Vec<QuorumItem>>| {
        let all: Vec<_> = ends.outputs.values().collect();
        if all.iter().any(|items| items.len() != 1) || all.windows(2).any(|two| two[0][0].id() != two[1][0].id()) {
            return Err("the items differ".into());
        }
        if ends.lied || all.len() != world.members.len() {
            return Ok(());
        }
        let mut items = ends.outputs;
        let signed = honest::<QuorumOnline>(&world.members, number, |me| {
            world.online(me, number, items.get_mut(&me).unwrap().remove(0))
        });
        world.signed(number, &signed.values().collect::<Vec<_>>())
    };
    World::new(21).of::<QuorumPreprocess>("quorum-preprocess", |world, me, _| world.preprocess(me), layout, check)
}

fn online() -> Box<dyn Besieged> {
    let layout = |round, broadcast| round_3_and_4(round + 2, broadcast);
    // the items of a run are made once for all its members, and once more for a second face
    let made = std::cell::RefCell::new((0, BTreeMap::new()));
    let prepare = move |world: &World, me: PartyId, number: u64| {
        let mut made = made.borrow_mut();
        if made.0 != number || !made.1.contains_key(&me) {
            *made = (number, world.items(number));
        }
        let mut own: Vec<QuorumItem> = made.1.remove(&me).unwrap();
        world.online(me, number, own.remove(0))
    };
    let check =
        |world: &World, number, ends: Ends<Signature>| world.signed(number, &ends.outputs.values().collect::<Vec<_>>());
    World::new(22).of::<QuorumOnline>("quorum-sign-online", prepare, layout, check)
}

fn full() -> Box<dyn Besieged> {
    let check =
        |world: &World, number, ends: Ends<Signature>| world.signed(number, &ends.outputs.values().collect::<Vec<_>>());
    World::new(23).of::<QuorumFull>("quorum-sign", World::full, full_layout, check)
}

pub(super) fn all() -> Vec<(&'static str, Make)> {
    vec![
        ("quorum-preprocess", Box::new(preprocess)),
        ("quorum-sign-online", Box::new(online)),
        ("quorum-sign", Box::new(full)),
    ]
}
