//! Facts about nonces.

use crate::liars::*;
use crate::world::*;
use std::collections::BTreeSet;
use symbolon_core::{Ed25519, PartyId, Secp256k1};
use symbolon_eddsa::{FrostItem, FrostOnlineSetup, FrostRequest, FrostSign, Nonces, Signers, SigningPackage};
use symbolon_session::{Auth, Banked, Claimed, Label, Ledger, MemoryLedger, Session, Token};
use symbolon_testkit::{Crowd, seeded};

const ALL: [u16; 3] = [1, 2, 3];

// attacks.md row 56, RFC 9591 section 4.1: a nonce is made of 32 random bytes and the share
#[test]
fn row_56_nonces_depend_on_share_and_randomness() {
    fn check<C: Curve>() {
        let keys: Vec<_> = (1..21).map(|key| shares_of::<C>(3, (key, 0, 0))).collect();
        let share = |k: usize| &keys[k][&id(1)];
        let of = |k: usize, seed: u64| {
            let nonces = Nonces::generate(share(k), &mut seeded(seed)).unwrap();
            nonces.commitments().to_bytes()
        };
        assert_eq!(of(1, 1), of(1, 1));
        let mut seen = BTreeSet::new();
        for (k, seed) in (1..20).flat_map(|k| (1..20).map(move |seed| (k, seed))) {
            let bytes = of(k, seed);
            let (d, e) = bytes.split_at(C::POINT_LEN);
            assert!(seen.insert(d.to_vec()) && seen.insert(e.to_vec()), "no nonce twice, nor as the other one");
        }
        // by hand, on the first 64 bytes of the generator: H3(random bytes || share)
        let mut random = [0; 64];
        rand_core::Rng::fill_bytes(&mut seeded(7), &mut random);
        let by_hand = random.as_chunks::<32>().0.iter().flat_map(|random| {
            let nonce = C::h3(&[random, share(5).secret().to_bytes().expose()]);
            C::point_to_bytes(&C::mul_base(&nonce)).as_ref().to_vec()
        });
        assert_eq!(of(5, 7), by_hand.collect::<Vec<_>>());
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

/// What the first frame of 1 commits to.
fn committed(message: &[u8], signers: &[u16], label: &str, epoch: u32, seed: u64) -> Vec<u8> {
    let share = &shares_of::<Ed25519>(3, (1, u8::try_from(epoch).unwrap(), epoch))[&id(1)];
    let setup = FrostRequest::new(share, &ids(signers), message).unwrap();
    let (label, auth) = (Label::new(label).unwrap(), Auth::Signed(identity(id(1))));
    let (_, frames) = Session::<FrostSign<_>>::start(setup, share, (), label, auth, &mut seeded(seed)).unwrap();
    let sent: Vec<(PartyId, _)> = frames.into_iter().map(|frame| (id(1), frame)).collect();
    body(&sent, 1, 1)
}

// attacks.md row 12: a generator that says the same twice gives the same nonces to the same request only
#[test]
fn row_12_a_repeated_seed_gives_other_nonces_to_every_other_request() {
    let usual = committed(MESSAGE, &ALL, "a", 0, 1);
    assert_eq!(committed(MESSAGE, &[3, 2, 1], "a", 0, 1), usual, "the order of the signers says nothing");
    let mut seen = BTreeSet::from([usual]);
    for other in [
        committed(b"pay 2", &ALL, "a", 0, 1),
        committed(MESSAGE, &[1, 2, 4], "a", 0, 1),
        committed(MESSAGE, &[1, 2, 3, 4], "a", 0, 1),
        committed(MESSAGE, &ALL, "b", 0, 1),
        committed(MESSAGE, &ALL, "a", 1, 1),
        committed(MESSAGE, &ALL, "a", 0, 2),
    ] {
        for point in other.chunks(32) {
            assert!(seen.insert(point.to_vec()));
        }
    }
}

// attacks.md row 43: no two sessions and no two items have a commitment in common
#[test]
fn row_43_no_commitment_appears_twice() {
    fn check<C: Curve>() {
        let (shares, all) = (shares::<C>(3), ids(&ALL));
        let mut seen = BTreeSet::new();
        let mut note = |bytes: &[u8]| {
            assert!(bytes.chunks(C::POINT_LEN).all(|point| seen.insert(point.to_vec())));
        };
        for seed in 0..20 {
            for me in &all {
                let (_, frames) = sign(&shares[me], &all, MESSAGE, seed);
                note(&body(&[(*me, frames[0].clone())], me.get(), 1));
                let (_, frames) = preprocess(&shares[me], &all, 5, seed);
                note(&body(&[(*me, frames[0].clone())], me.get(), 1));
            }
        }
        assert_eq!(seen.len(), 20 * 3 * 2 * (1 + 5));
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md row 43, bad inputs 64: nonces are claimed once
#[test]
fn row_43_nonces_are_claimed_once() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let mut ledger = MemoryLedger::default();
    let mut claim = |token: &Token| ledger.claim(token).unwrap();
    let share = &shares[&id(1)];
    let drawn = |seed| Nonces::generate(share, &mut seeded(seed)).unwrap();
    let (one, other) = (drawn(1), drawn(2));
    // a copy of the process has the same nonces
    let copy = drawn(1);
    assert!(matches!(one.token(), Token::Nonce(_)));
    assert_eq!(claim(&one.token()), Claimed::Fresh);
    assert_eq!(claim(&one.token()), Claimed::Again);
    assert_eq!(claim(&copy.token()), Claimed::Again);
    assert_eq!(claim(&other.token()), Claimed::Fresh);
    // items: a token each, the own one of each signer
    let tokens = |item: &FrostItem<Ed25519>| item.tokens();
    let (batch, again) = (items(&shares, &all), items(&shares, &all));
    for (me, batch) in &batch {
        for (item, copy) in batch.iter().zip(&again[me]) {
            let [token @ Token::Nonce(_)] = tokens(item)[..] else { panic!("one token of nonces") };
            assert_eq!(tokens(copy), [token]);
            assert_eq!((claim(&token), claim(&token)), (Claimed::Fresh, Claimed::Again));
        }
    }
    assert_ne!(Token::Nonce([1; 32]).key(), Token::Export([1; 32]).key());
}

// attacks.md row 43: why nonces are taken by value, claimed, and never restored: three answers with one pair of them are
// three equations for `d`, `e` and the share
#[test]
fn row_43_three_answers_of_one_item_publish_the_share() {
    fn check<C: Curve>() {
        let (shares, all) = (shares::<C>(3), ids(&ALL));
        let commitments: Commitments = {
            let made = Crowd::new(all.iter().map(|me| (*me, preprocess(&shares[me], &all, COUNT, ITEMS)))).run();
            ALL.map(|me| (me, body(&made.sent, me, 1)[..pair_len::<C>()].to_vec())).into()
        };
        // three copies of the first item of everybody: a bank that came back from a backup twice
        let rows = [&b"one"[..], b"two", b"three"].map(|message| {
            let mut batch = items(&shares, &all);
            let one = |me: &PartyId| (*me, online(&shares[me], item(&mut batch, *me), message));
            let crowd = Crowd::new(all.iter().map(one).collect::<Vec<_>>()).run();
            let z = C::scalar_from_bytes(&body(&crowd.sent, 1, 1).try_into().unwrap()).unwrap();
            let [one, rho, weight] = factors::<C>(&commitments, message, 1);
            [one, rho, weight, z]
        });
        // the differences to the first have no `d`; then `e` goes
        let less = |row: [C::Scalar; 4]| [1, 2, 3].map(|at| row[at] - rows[0][at]);
        let ([rho, weight, z], [rho_2, weight_2, z_2]) = (less(rows[1]), less(rows[2]));
        let share = (z * rho_2 - z_2 * rho) * C::invert(&(weight * rho_2 - weight_2 * rho));
        assert!(share == *shares[&id(1)].secret().expose());
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md row 76
#[test]
fn row_76_nothing_formatted_holds_a_secret() {
    fn check<C: Curve>() {
        let (shares, all) = (shares::<C>(3), ids(&ALL));
        let share = &shares[&id(1)];
        let (session, frames) = sign(share, &all, MESSAGE, SEED);
        let request = FrostRequest::new(share, &all, MESSAGE).unwrap();
        let list = list_of::<C>(&commitments(&shares, &ALL));
        let package = SigningPackage::new(Signers::of(share, &all).unwrap(), list, MESSAGE.to_vec()).unwrap();
        let item = item(&mut items(&shares, &all), id(1));
        let setup = FrostOnlineSetup::new(share, &item, MESSAGE).unwrap();
        let text = format!("{session:?} {frames:?} {request:?} {package:?} {setup:?}").to_lowercase();
        assert!(text.len() > 1000);
        let secret = share.secret().to_bytes();
        let numbers = secret.expose().iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        let reversed: Vec<_> = secret.expose().iter().rev().copied().collect();
        for hidden in [hex::encode(&secret.expose()[8..24]), hex::encode(&reversed[8..24]), numbers] {
            assert!(!text.contains(&hidden));
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}
