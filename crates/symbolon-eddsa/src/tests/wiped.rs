//! attacks.md row 77: after a signature the process holds no copy of a nonce but on its stack. The nonces of a signature and its
//! public share are the secret share.

use crate::{
    CommitmentList, FrostItem, FrostOnline, FrostOnlineSetup, FrostPreprocess, FrostPreprocessSetup, FrostRequest,
    FrostSign, Nonces, Signers, SigningPackage,
};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use symbolon_core::{Ed25519, PartyId, SecretBytes, Threshold};
use symbolon_session::{Auth, Bank, Identity, IdentityKey, Label, Protocol, Roster, Session};
use symbolon_sharing::{Dkg, DkgSetup, KeyShare, Scheme};
use symbolon_testkit::{Crowd, Patterns, alone, seeded};

type G = Ed25519;
const ITEMS: u16 = 4;

fn ids() -> [PartyId; 2] {
    [1, 2].map(|id| PartyId::new(id).unwrap())
}

fn key(id: PartyId) -> IdentityKey {
    IdentityKey::from_seed(SecretBytes::new([u8::try_from(id.get()).unwrap(); 32]))
}

fn run<P: Protocol + 'static>(
    mut one: impl FnMut(PartyId) -> (P::Setup, P::Input),
    secrets: &BTreeMap<PartyId, &P::LongTerm>,
) -> BTreeMap<PartyId, P::Output> {
    let start = |me: &PartyId| {
        let (setup, input) = one(*me);
        let (label, auth) = (Label::new("wiped").unwrap(), Auth::Signed(key(*me)));
        (*me, Session::start(setup, secrets[me], input, label, auth, &mut seeded(me.get().into())).unwrap())
    };
    let ends = Crowd::<P>::new(ids().iter().map(start).collect::<Vec<_>>()).outputs();
    ends.into_iter().map(|(me, (output, _))| (me, output)).collect()
}

/// Those of party 1.
fn add_nonces(patterns: &mut Patterns, items: &BTreeMap<PartyId, Bank<FrostItem<G>>>) {
    const NAMES: [[&str; 2]; 4] = [["d1", "e1"], ["d2", "e2"], ["d3", "e3"], ["d4", "e4"]];
    for (item, names) in items[&ids()[0]].items().zip(NAMES) {
        patterns.scalar(names[0], &item.nonces.hiding);
        patterns.scalar(names[1], &item.nonces.binding);
    }
}

/// Runs alone in a process of its own, so that nothing else is in its memory.
#[test]
#[ignore = "started by row_77_no_nonce_is_left_in_memory"]
fn child() {
    let mut patterns = Patterns::default();
    let unit = ids().map(|me| (me, &())).into();
    let members: Vec<(PartyId, Identity)> = ids().iter().map(|me| (*me, key(*me).identity())).collect();
    let roster = |me| Roster::new(me, members.clone()).unwrap();
    let setup = |me| DkgSetup::<G>::new(roster(me), Threshold::TWO, Scheme::Frost).unwrap();
    let shares = Box::new(run::<Dkg<G>>(|me| (setup(me), ()), &unit));
    let by_id: BTreeMap<PartyId, &KeyShare<G>> = shares.iter().map(|(me, share)| (*me, share)).collect();
    patterns.scalar("x", shares[&ids()[0]].secret());

    let batch = |me| (FrostPreprocessSetup::new(by_id[&me], &ids(), ITEMS).unwrap(), ());
    let made = run::<FrostPreprocess<G>>(batch, &by_id);
    let mut banks: BTreeMap<PartyId, Bank<FrostItem<G>>> = BTreeMap::new();
    for (me, items) in made {
        banks.entry(me).or_default().put(items);
    }
    add_nonces(&mut patterns, &banks);
    assert_eq!(patterns.found(), patterns.names(), "alive, they are found");

    // a signature from scratch, and one that is given up after its first frame
    let request = |me| (FrostRequest::new(by_id[&me], &ids(), &b"pay 1"[..]).unwrap(), ());
    run::<FrostSign<G>>(request, &by_id);
    let given_up = ids().map(|me| {
        let (label, auth) = (Label::new("wiped").unwrap(), Auth::Signed(key(me)));
        let started = Session::<FrostSign<G>>::start(request(me).0, by_id[&me], (), label, auth, &mut seeded(7));
        Box::new(started.unwrap().0)
    });
    assert!(given_up.into_iter().all(|session| session.cancel().is_none()));

    // two are used, two are dropped with the bank
    for _ in 0..2 {
        let name = banks[&ids()[0]].items().next().unwrap().id();
        let online = |me: PartyId| {
            let item = banks.get_mut(&me).unwrap().take(&name).unwrap();
            (FrostOnlineSetup::new(by_id[&me], &item, &b"pay 1"[..]).unwrap(), item)
        };
        run::<FrostOnline<G>>(online, &by_id);
    }
    // one with a coordinator, whose nonces are kept between the rounds
    let [own, other] = ids().map(|me| Nonces::<G>::generate(by_id[&me], &mut seeded(me.get().into())).unwrap());
    patterns.scalar("d5", &own.hiding);
    patterns.scalar("e5", &own.binding);
    assert_eq!(patterns.found(), ["d3", "d4", "d5", "e3", "e4", "e5", "x"], "what is used is gone, the rest is found");
    let signers = Signers::of(by_id[&ids()[0]], &ids()).unwrap();
    let list = CommitmentList::new(ids().into_iter().zip([*own.commitments(), *other.commitments()])).unwrap();
    let package = SigningPackage::new(signers, list, b"pay 1".to_vec()).unwrap();
    package.sign(by_id[&ids()[0]], own).unwrap();
    drop((banks, other));
    drop(by_id);
    drop(shares);
    let left = patterns.found();
    assert!(left.is_empty(), "left in memory: {left:?}");
}

#[test]
fn row_77_no_nonce_is_left_in_memory() {
    alone("tests::wiped::child");
}
