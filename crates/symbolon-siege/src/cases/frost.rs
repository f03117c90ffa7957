//! FROST with three signers of a 2-of-3 key, on both curves.

use super::committee::{Shares, honest, ids, key};
use super::pair::{HASH, again};
use super::{Make, Of, besieged};
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use symbolon_core::{Ed25519, Group, PartyId};
use symbolon_eddsa::{
    Ciphersuite, FrostItem, FrostOnline, FrostOnlineSetup, FrostPreprocess, FrostPreprocessSetup, FrostRequest,
    FrostSign, PublicKey, Signature,
};
use symbolon_session::{Protocol, To};
use symbolon_sharing::{KeyShare, Scheme};
use symbolon_testkit::siege::{Besieged, Curve, Ends, Field, Kind, Powers, Prepared};

/// A key.
struct World<C: Ciphersuite> {
    members: Vec<PartyId>,
    shares: Shares<C>,
}

fn message(number: u64) -> Vec<u8> {
    number.to_be_bytes().to_vec()
}

const ITEMS: u16 = 2;

impl<C: Ciphersuite> World<C> {
    fn new(seed: u64) -> Rc<Self> {
        Rc::new(Self { members: ids(1..=3), shares: key(2, 3, Scheme::Frost, seed) })
    }

    fn share(&self, me: PartyId) -> KeyShare<C> {
        again(&self.shares[&me])
    }

    fn sign(&self, me: PartyId, number: u64) -> Prepared<FrostSign<C>> {
        let secrets = self.share(me);
        let setup = FrostRequest::new(&secrets, &self.members, message(number)).unwrap();
        Prepared { setup, secrets, input: () }
    }

    fn preprocess(&self, me: PartyId, count: u16) -> Prepared<FrostPreprocess<C>> {
        let secrets = self.share(me);
        let setup = FrostPreprocessSetup::new(&secrets, &self.members, count).unwrap();
        Prepared { setup, secrets, input: () }
    }

    fn online(&self, me: PartyId, number: u64, input: FrostItem<C>) -> Prepared<FrostOnline<C>> {
        let secrets = self.share(me);
        let setup = FrostOnlineSetup::new(&secrets, &input, message(number)).unwrap();
        Prepared { setup, secrets, input }
    }

    fn signed(&self, number: u64, signatures: &[&Signature<C>]) -> Result<(), String> {
        let key = PublicKey::new(self.shares[&self.members[0]].public_key()).unwrap();
        if signatures.iter().any(|signature| signature.verify(&key, &message(number)).is_err()) {
            return Err("the signature".into());
        }
        let bytes: Vec<_> = signatures.iter().map(|signature| signature.to_bytes()).collect();
        if bytes.windows(2).any(|two| two[0] != two[1]) { Err("the signatures differ".into()) } else { Ok(()) }
    }

    fn of<P: Protocol + 'static>(
        self: &Rc<Self>,
        name: &'static str,
        powers: fn() -> Powers<P>,
        prepare: impl Fn(&Self, PartyId, u64) -> Prepared<P> + 'static,
        layout: fn(u8) -> Vec<Field>,
        check: impl Fn(&Self, u64, Ends<P::Output>) -> Result<(), String> + 'static,
    ) -> Box<dyn Besieged> {
        let (of_prepare, of_check) = (Rc::clone(self), Rc::clone(self));
        besieged(Of::<P> {
            name,
            members: self.members.clone(),
            most_corrupt: 2,
            powers,
            prepare: Box::new(move |me, number| prepare(&of_prepare, me, number)),
            layout: Box::new(move |round, _, _: To| layout(round)),
            free: &[],
            anonymous: &[],
            check: Box::new(move |number, ends| check(&of_check, number, ends)),
        })
    }
}

fn commitments<C: Group>(count: u16) -> Vec<Field> {
    let point = Kind::Point(Curve::of::<C>());
    [Field::one("D", point), Field::one("E", point)].repeat(count.into())
}

fn z<C: Group>() -> Field {
    Field::one("z", Kind::Scalar(Curve::of::<C>()))
}

fn sign<C: Ciphersuite>(name: &'static str) -> Box<dyn Besieged> {
    let layout = |round| if round == 1 { commitments::<C>(1) } else { vec![Field::one("view", HASH), z::<C>()] };
    let check = |world: &World<C>, number, ends: Ends<Signature<C>>| {
        world.signed(number, &ends.outputs.values().collect::<Vec<_>>())
    };
    World::<C>::new(31).of::<FrostSign<C>>(name, || Powers::none().with_suspend(), World::sign, layout, check)
}

fn preprocess<C: Ciphersuite>(name: &'static str) -> Box<dyn Besieged> {
    let layout = |round| if round == 1 { commitments::<C>(ITEMS) } else { vec![Field::one("echo", HASH)] };
    let check = |world: &World<C>, number, ends: Ends<Vec<FrostItem<C>>>| {
        let all: Vec<_> =
            ends.outputs.values().map(|items| items.iter().map(FrostItem::id).collect::<Vec<_>>()).collect();
        if all.iter().any(|items| items.len() != usize::from(ITEMS)) || all.windows(2).any(|two| two[0] != two[1]) {
            return Err("the items differ".into());
        }
        if ends.lied || all.len() != world.members.len() {
            return Ok(());
        }
        let mut items = ends.outputs;
        let signed = honest::<FrostOnline<C>>(&world.members, number, |me| {
            world.online(me, number, items.get_mut(&me).unwrap().pop().unwrap())
        });
        world.signed(number, &signed.values().collect::<Vec<_>>())
    };
    World::<C>::new(32).of::<FrostPreprocess<C>>(
        name,
        Powers::none,
        |world, me, _| world.preprocess(me, ITEMS),
        layout,
        check,
    )
}

fn online<C: Ciphersuite>(name: &'static str) -> Box<dyn Besieged> {
    let made = RefCell::new((0, BTreeMap::new()));
    // the items of a run are made once for all its members, and once more for a second face
    let prepare = move |world: &World<C>, me: PartyId, number: u64| {
        let mut made = made.borrow_mut();
        if made.0 != number || !made.1.contains_key(&me) {
            let items = honest::<FrostPreprocess<C>>(&world.members, number, |me| world.preprocess(me, 1));
            *made = (number, items);
        }
        let mut own: Vec<FrostItem<C>> = made.1.remove(&me).unwrap();
        world.online(me, number, own.remove(0))
    };
    let check = |world: &World<C>, number, ends: Ends<Signature<C>>| {
        world.signed(number, &ends.outputs.values().collect::<Vec<_>>())
    };
    World::<C>::new(33).of::<FrostOnline<C>>(name, Powers::none, prepare, |_| vec![z::<C>()], check)
}

pub(super) fn all<C: Ciphersuite>() -> Vec<(&'static str, Make)> {
    let names = if C::ID == Ed25519::ID {
        ["frost-sign", "frost-preprocess", "frost-sign-online"]
    } else {
        ["frost-sign secp256k1", "frost-preprocess secp256k1", "frost-sign-online secp256k1"]
    };
    vec![
        (names[0], Box::new(move || sign::<C>(names[0]))),
        (names[1], Box::new(move || preprocess::<C>(names[1]))),
        (names[2], Box::new(move || online::<C>(names[2]))),
    ]
}
