//! Items in the bank.

use crate::liars::*;
use crate::world::*;
use core::cell::Cell;
use std::{collections::BTreeSet, rc::Rc};
use symbolon_core::{Ed25519, ItemId, KeyId, PartyId, Secp256k1, Transcript};
use symbolon_eddsa::{FrostItem, FrostOnlineSetup, SignError, item_of};
use symbolon_session::{Bank, Banked, FloorId, Header};
use symbolon_testkit::{Crowd, Lie};

const ALL: [u16; 3] = [1, 2, 3];

fn names<C: Curve>(items: &[FrostItem<C>]) -> Vec<ItemId> {
    items.iter().map(FrostItem::id).collect()
}

// attacks.md row 43: an item leaves the bank once
#[test]
fn row_43_a_bank_item_is_taken_once() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let mut batch = items(&shares, &all);
    let own = batch.remove(&id(1)).unwrap();
    let of_one = names(&own);
    for other in batch.values() {
        assert_eq!(names(other), of_one, "one name at all signers");
    }
    assert!(own.iter().all(|item| item.signers().eq(all.iter().copied()) && item.key_id() == shares[&id(1)].key_id()));
    let mut bank = Bank::default();
    bank.put(own);
    assert_eq!(bank.items().count(), 2);
    let item = bank.take(&of_one[1]).unwrap();
    assert!(bank.take(&of_one[1]).is_none(), "taken for good");
    assert!(online(&shares[&id(1)], item, MESSAGE).0.cancel().is_none(), "and no run gives it back");
    assert_eq!(names(&bank.drain()), of_one[..1]);
    assert_eq!(bank.items().count(), 0);
}

// two batches and two items of one never have a name in common
#[test]
fn row_98_names_of_items_are_fresh() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let mut seen = BTreeSet::new();
    for seed in 0..5 {
        let made = Crowd::new(all.iter().map(|me| (*me, preprocess(&shares[me], &all, 4, seed)))).outputs();
        seen.extend(names(&made[&id(1)].0));
    }
    assert_eq!(seen.len(), 20);
}

// safety.md S7: `T("item", sid of the pre-processing, counter, commitment list)[..16]`
#[test]
fn row_98_the_name_of_an_item_binds_session_counter_and_commitments() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let sid = Rc::new(Cell::new([0; 32]));
        let seen = Rc::clone(&sid);
        let listen: Lie = Box::new(move |telling| {
            if telling.message == SHARE {
                seen.set(telling.run.sid().as_ref().try_into().unwrap());
            }
        });
        let crowd = prepare_crowd(&shares, &ALL, liar(3, listen)).run();
        let commitments = |n: usize| -> Commitments {
            let len = pair_len::<C>();
            ALL.map(|me| (me, body(&crowd.sent, me, 1)[n * len..][..len].to_vec())).into()
        };
        let name = |n: u16| {
            let id =
                Transcript::new("eddsa", "item").part(sid.get()).number(n).part(list_bytes(&commitments(n.into())));
            ItemId::truncate(&id.finish())
        };
        let expected = End::Items((0..COUNT).map(name).collect());
        assert!(ends(prepare_crowd(&shares, &ALL, Vec::new()), &[]).values().all(|end| *end == expected));
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md rows 67, 95, bad inputs 58: made before a refresh, stale after it
#[test]
fn row_95_items_of_an_earlier_epoch_are_destroyed() {
    let (shares, all) = (shares_of::<Ed25519>(3, (1, 3, 3)), ids(&ALL));
    let fresh = || {
        let mut bank = Bank::default();
        bank.put(items(&shares, &all).remove(&id(1)).unwrap());
        bank
    };
    let key = FloorId::key(&shares[&id(1)].key_id());
    let mut bank = fresh();
    assert!(bank.items().all(|item| item.floors() == [(key, 3)]));
    bank.destroy_below(&key, 3);
    bank.destroy_below(&FloorId::key(&KeyId::from_bytes([9; 16])), 9);
    assert_eq!(bank.items().count(), 2, "the floor itself, another key");
    bank.destroy_below(&key, 4);
    assert_eq!(bank.items().count(), 0);
    // and an item that was taken before does not start
    let item = fresh().drain().remove(0);
    let refreshed = shares_of::<Ed25519>(3, (1, 4, 4));
    assert_eq!(FrostOnlineSetup::new(&refreshed[&id(1)], &item, MESSAGE), Err(SignError::OtherItem));
    assert!(FrostOnlineSetup::new(&shares[&id(1)], &item, MESSAGE).is_ok());
}

// attacks.md row 90: of another holder, another key, another sharing
#[test]
fn row_90_an_item_serves_its_own_share_only() {
    fn check<C: Curve>() {
        let all = ids(&ALL);
        let (shares, mut batch) = (shares::<C>(3), items::<C>(&shares(3), &all));
        let item = item(&mut batch, id(1));
        for key in [(2, 0, 0), (1, 1, 0), (1, 0, 1)] {
            let other = &shares_of::<C>(3, key)[&id(1)];
            assert_eq!(FrostOnlineSetup::new(other, &item, MESSAGE), Err(SignError::OtherItem));
        }
        for holder in [2, 4] {
            assert_eq!(FrostOnlineSetup::new(&shares[&id(holder)], &item, MESSAGE), Err(SignError::OtherItem));
        }
        let setup = FrostOnlineSetup::new(&shares[&id(1)], &item, MESSAGE).unwrap();
        assert_eq!(setup.request().message(), MESSAGE);
        assert!(setup.request().roster().members().iter().map(|member| member.0).eq(all));
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// eight sessions side by side on one batch; 3 cheats in one of them
#[test]
fn row_71_one_cheated_session_of_eight() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let made = Crowd::new(all.iter().map(|me| (*me, preprocess(&shares[me], &all, 8, ITEMS)))).outputs();
    let mut batch: Items<Ed25519> = made.into_iter().map(|(me, (items, _))| (me, items)).collect();
    let mut signatures = BTreeSet::new();
    for n in 0..8 {
        let honest: Vec<_> =
            all[..2].iter().map(|me| (*me, online(&shares[me], item(&mut batch, *me), MESSAGE))).collect();
        let lie = if n == 4 { Mode::Online.share(|z| z.fill(0)) } else { no_lie() };
        let three = online_liar(&shares[&id(3)], item(&mut batch, id(3)), lie);
        let ends = ends(Crowd::new(honest).with_liar(id(3), three), &[3]);
        if n == 4 {
            assert_failed(&ends, symbolon_session::Fault::SignatureShare, Some(3));
        } else {
            signatures.insert(assert_signed(&ends));
        }
    }
    assert_eq!(signatures.len(), 7, "of one message, each with its own nonce");
}

#[test]
fn a_first_frame_names_its_item() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let name = names(&items(&shares, &ids(&ALL))[&id(1)])[0];
        for (_, frame) in overheard(Mode::Online, &shares, &ALL) {
            assert_eq!(item_of(&frame.bytes), Some(name));
            assert_eq!(item_of(&frame.bytes[..Header::LEN - 1]), None);
        }
        let others: Vec<(PartyId, _)> = overheard(Mode::Sign, &shares, &ALL);
        assert!(others.iter().all(|(_, frame)| item_of(&frame.bytes).is_none()));
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}
