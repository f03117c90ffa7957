//! Items of a set of signers in the bank.

use crate::liars::*;
use crate::world::*;
use std::collections::BTreeMap;
use symbolon_core::{KeyId, PartyId, SetupId};
use symbolon_ecdsa::{Bank, QuorumFull, QuorumItem, QuorumPreprocess, QuorumPreprocessSetup, QuorumRequest};
use symbolon_session::{Fault, FloorId};
use symbolon_testkit::Crowd;

const ALL: [u16; 3] = [1, 2, 3];

fn batch(count: u16) -> BTreeMap<PartyId, Vec<QuorumItem>> {
    let all = ids(&ALL);
    let one = |me: &PartyId| {
        let mut setups = setups(*me, &all);
        let setup = QuorumPreprocessSetup::new(*me, &holders(&all), &mut setups, count).unwrap();
        (*me, start::<QuorumPreprocess>(*me, setup, &(), setups, ITEMS))
    };
    let made = Crowd::new(all.iter().map(one)).outputs();
    made.into_iter().map(|(me, (items, _))| (me, items)).collect()
}

// attacks.md row 71: eight sessions side by side on one batch; 3 cheats 1 in one of them
#[test]
fn row_71_one_cheated_session_of_eight() {
    let (all, shares) = (ids(&ALL), shares(3, 0));
    let mut items = batch(10);
    // eight are started, two wait in the banks
    let mut banks: BTreeMap<PartyId, Bank<QuorumItem>> = BTreeMap::new();
    for (me, items) in &mut items {
        let mut bank = Bank::default();
        bank.put(items.split_off(8));
        banks.insert(*me, bank);
    }
    let mut crowds = Vec::new();
    for n in 0..8 {
        let mut next = |me: &PartyId| items.get_mut(me).unwrap().remove(0);
        let lie = if n == 4 { at(Slot::Give(1), |body| add_scalar(body, 0, Scalar::from(1u64))) } else { no_lie() };
        let honest: Vec<_> = all[..2].iter().map(|me| (*me, online(&shares[me], next(me), SEED))).collect();
        let three = online_liar(&shares[&id(3)], next(&id(3)), SEED, lie);
        crowds.push(Crowd::new(honest).with_liar(id(3), three));
    }
    // the lie is met first
    let cheated = ends(crowds.remove(4), &[3]);
    assert_eq!(cheated[&1], failed(Mode::Online, 1, &ALL, Fault::Exponent, Some(3)));
    assert_eq!(cheated[&2], waiting(Mode::Online, 2, &ALL));
    let burned = pair_setup(Batch::Usual, id(1), id(3)).id();
    let bank = banks.get_mut(&id(1)).unwrap();
    let waiting: Vec<_> = bank.ids(&burned).collect();
    assert_eq!(waiting.len(), 2);
    bank.burn(&burned);
    assert!(waiting.iter().all(|id| bank.take(id).is_none()), "items that have not started are refused");
    // so 2 and 3 may start them, and never hear of 1
    assert!(waiting.iter().all(|item| banks.get_mut(&id(2)).unwrap().take(item).is_some()));
    assert_eq!(crowds.len(), 7);
    for crowd in crowds {
        assert_signed(&ends(crowd, &[3]));
    }
    // a new setup of the pair works, beside the old ones of the others
    let one = |me: &PartyId| {
        let mut setups = setups(*me, &all);
        for (own, peer) in [(1, 3), (3, 1)] {
            if *me == id(own) {
                setups.insert(id(peer), pair_setup(Batch::Other, *me, id(peer)));
            }
        }
        let (setup, secret) = QuorumRequest::from_scratch(&shares[me], &all, &mut setups, payload(), path()).unwrap();
        (*me, start::<QuorumFull>(*me, setup, &secret, setups, SEED))
    };
    assert_signed(&ends(Crowd::new(all.iter().map(one)), &[]));
}

// attacks.md row 43: an item leaves the bank once; a burn or a raised floor of any of its pairs takes it along
#[test]
fn row_43_a_bank_item_is_taken_once() {
    let mut items = items(&ids(&ALL), ITEMS);
    let own = items.remove(&id(1)).unwrap();
    let names: Vec<_> = own.iter().map(QuorumItem::id).collect();
    assert_ne!(names[0], names[1]);
    let over: Vec<_> = own[0].setups().map(|(setup, pair, serial)| (setup, *pair, serial)).collect();
    let expected =
        |peer| (pair_setup(Batch::Usual, id(1), id(peer)).id(), *pair_setup(Batch::Usual, id(1), id(peer)).pair(), 0);
    assert_eq!(over, [expected(2), expected(3)]);
    let mut bank = Bank::default();
    bank.put(own);
    assert!(bank.take(&names[1]).is_some());
    assert!(bank.take(&names[1]).is_none(), "taken for good");
    assert_eq!(bank.take_any(&over[1].0).map(|item| item.id()), Some(names[0]));
    let fresh = || {
        let mut bank = Bank::default();
        bank.put(crate::world::items(&ids(&ALL), ITEMS).remove(&id(1)).unwrap());
        bank
    };
    for (setup, pair, _) in over {
        let mut bank = fresh();
        bank.burn(&SetupId::from_bytes([9; 16]));
        let floor = pair.floor();
        bank.destroy_below(&floor, 0);
        bank.destroy_below(&FloorId::key(&KeyId::from_bytes([9; 16])), 1);
        assert_eq!(bank.left(&setup), 2, "another setup, another floor, the floor itself");
        bank.burn(&setup);
        assert_eq!(bank.drain().len(), 0);
        let mut bank = fresh();
        bank.destroy_below(&floor, 1);
        assert_eq!(bank.drain().len(), 0);
    }
}

// attacks.md row 76
#[test]
fn row_76_nothing_formatted_holds_a_secret() {
    let (all, shares) = (ids(&ALL), shares(3, 0));
    let (session, frames) = full(&shares[&id(1)], &all, SEED);
    let mut setups = setups(id(1), &all);
    let (setup, _) = QuorumRequest::from_scratch(&shares[&id(1)], &all, &mut setups, payload(), path()).unwrap();
    let text = format!("{session:?} {frames:?} {setup:?} {:?}", setup.request()).to_lowercase();
    assert!(text.len() > 200);
    let secret = shares[&id(1)].secret().to_bytes();
    let numbers = secret.expose().iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
    assert!(!text.contains(&hex::encode(&secret.expose()[8..])) && !text.contains(&numbers));
}
