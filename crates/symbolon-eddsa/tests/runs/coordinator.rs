//! The two calls of RFC 9591 with a coordinator: what signers refuse of it, what it refuses of them.

use crate::liars::{add_scalar, list_bytes};
use crate::world::*;
use std::collections::BTreeMap;
use symbolon_core::{Ed25519, PartyId, Secp256k1, Threshold, wire::DecodeError};
use symbolon_eddsa::{
    Aggregator, CommitmentList, Coordinator, Nonces, PublicKey, RefusedError, SignError, SignatureShare, Signers,
    SigningPackage, VerifyError,
};
use symbolon_testkit::seeded;

const ALL: [u16; 3] = [1, 2, 3];

type AllNonces<C> = BTreeMap<PartyId, Nonces<C>>;

/// Fresh nonces of signers; the same for the same seed.
fn nonces<C: Curve>(shares: &Shares<C>, signers: &[u16], seed: u64) -> AllNonces<C> {
    let one =
        |me: &PartyId| (*me, Nonces::generate(&shares[me], &mut seeded(seed * 100 + u64::from(me.get()))).unwrap());
    ids(signers).iter().map(one).collect()
}

fn list<C: Curve>(nonces: &AllNonces<C>) -> CommitmentList<C> {
    let bytes = nonces.iter().map(|(id, own)| (id.get(), own.commitments().to_bytes())).collect();
    CommitmentList::from_bytes(&list_bytes(&bytes)).unwrap()
}

/// What a signer does with the coordinator's list.
fn answer<C: Curve>(
    shares: &Shares<C>,
    me: PartyId,
    (signers, message): (&[PartyId], &[u8]),
    list: CommitmentList<C>,
    own: Nonces<C>,
) -> Result<SignatureShare<C>, SignError> {
    let share = &shares[&me];
    SigningPackage::new(Signers::of(share, signers)?, list, message.to_vec())?.sign(share, own)
}

/// The second round of a coordinator that has all commitments, and the nonces.
fn second_round<C: Curve>(shares: &Shares<C>, signers: &[u16]) -> (Aggregator<C>, AllNonces<C>) {
    let own = nonces(shares, signers, 1);
    let mut coordinator = Coordinator::new(Signers::of(&shares[&id(1)], &ids(signers)).unwrap(), MESSAGE);
    for (id, own) in &own {
        assert_eq!(coordinator.commitments(*id, &own.commitments().to_bytes()), Ok(()));
    }
    (coordinator.aggregator().map_err(|(error, _)| error).unwrap(), own)
}

fn all_answers<C: Curve>(shares: &Shares<C>, signers: &[u16]) -> (Aggregator<C>, BTreeMap<u16, [u8; 32]>) {
    let (aggregator, own) = second_round(shares, signers);
    let list = aggregator.package().commitments().clone();
    let one = |(me, own): (PartyId, Nonces<C>)| {
        let share = answer(shares, me, (&ids(signers), MESSAGE), list.clone(), own).unwrap();
        (me.get(), share.to_bytes())
    };
    let answers = own.into_iter().map(one).collect();
    (aggregator, answers)
}

#[test]
fn an_honest_coordinator_has_the_signature() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        for signers in [&ALL[..], &[2, 4, 5], &[1, 2, 3, 5], &[1, 2, 3, 4, 5]] {
            // one with a share, and one that was told
            let holders: Vec<_> = shares[&id(1)].members().iter().map(|m| (m.id, m.public_share)).collect();
            let threshold = Threshold::new(3, 5).unwrap();
            let told = Signers::new(public_key::<C>(), threshold, &holders, &ids(signers)).unwrap();
            assert_eq!(told, Signers::of(&shares[&id(5)], &ids(signers)).unwrap());
            let own = nonces(&shares, signers, 1);
            let mut coordinator = Coordinator::new(told, MESSAGE);
            for (id, own) in own.iter().rev() {
                assert!(coordinator.waiting_for().any(|waited| waited == *id));
                let sent = own.commitments().to_bytes();
                assert_eq!(coordinator.commitments(*id, &sent), Ok(()));
                assert_eq!(coordinator.commitments(*id, &sent), Ok(()), "the same again");
            }
            assert_eq!(coordinator.waiting_for().count(), 0);
            let mut aggregator = coordinator.aggregator().map_err(|(error, _)| error).unwrap();
            assert_eq!(aggregator.package().message(), MESSAGE);
            let sent = aggregator.package().commitments().to_bytes();
            for (n, (me, own)) in own.into_iter().enumerate() {
                assert_eq!(aggregator.finish(), Err(SignError::Signers), "shares are missing");
                let list = CommitmentList::from_bytes(&sent).unwrap();
                let share = answer(&shares, me, (&ids(signers), MESSAGE), list, own).unwrap().to_bytes();
                let take = if n % 2 == 0 { Aggregator::share } else { Aggregator::verified_share };
                assert_eq!(take(&mut aggregator, me, &share), Ok(()));
                assert_eq!(take(&mut aggregator, me, &share), Ok(()), "the same again");
            }
            assert_eq!(aggregator.waiting_for().count(), 0);
            let signature = aggregator.finish().unwrap();
            assert!(C::strict(&public_key::<C>(), MESSAGE, &signature));
            assert_eq!(signature.verify(&public_key::<C>(), b"pay 2"), Err(VerifyError));
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md row 83; bad inputs 63, 65: lists that a signer does not sign
#[test]
fn row_83_a_signer_signs_only_a_list_with_its_own_commitments_and_signers() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let me = id(2);
        let of = |signers: &[u16], seed| list(&nonces(&shares, signers, seed));
        let asked = |list: CommitmentList<C>| {
            let own = nonces(&shares, &[2], 1).remove(&me).unwrap();
            answer(&shares, me, (&ids(&ALL), MESSAGE), list, own).map(|_| ())
        };
        assert_eq!(asked(of(&ALL, 1)), Ok(()));
        // without the own, short, with one more, of others, empty
        for signers in [&[1, 3][..], &[1, 2], &[2], &[1, 2, 3, 4], &[1, 2, 4], &[1, 3, 4], &[]] {
            assert_eq!(asked(of(signers, 1)), Err(SignError::Signers));
        }
        // the own ones of another session; D and E exchanged; D in both places; those of another signer
        assert_eq!(asked(of(&ALL, 2)), Err(SignError::OwnCommitments));
        let with = |bytes: Vec<u8>| {
            let all = nonces(&shares, &ALL, 1);
            let mut all: BTreeMap<_, _> =
                all.iter().map(|(id, own)| (id.get(), own.commitments().to_bytes())).collect();
            all.insert(2, bytes);
            CommitmentList::from_bytes(&list_bytes(&all)).unwrap()
        };
        let all = nonces(&shares, &ALL, 1);
        let (own, other) = (all[&me].commitments().to_bytes(), all[&id(1)].commitments().to_bytes());
        let (d, e) = own.split_at(C::POINT_LEN);
        assert_eq!(asked(with(own.clone())), Ok(()));
        for altered in [[e, d].concat(), [d, d].concat(), [e, e].concat(), other] {
            assert_eq!(asked(with(altered)), Err(SignError::OwnCommitments));
        }
        // the list is right, and the signers are not those that this caller has agreed to
        let own = nonces(&shares, &[2], 1).remove(&me).unwrap();
        let error = answer(&shares, me, (&ids(&[2, 3, 4]), MESSAGE), of(&ALL, 1), own).map(|_| ());
        assert_eq!(error, Err(SignError::Signers));
        // nor does it sign for somebody else
        let package =
            SigningPackage::new(Signers::of(&shares[&me], &ids(&ALL)).unwrap(), of(&ALL, 1), MESSAGE.to_vec());
        let own = nonces(&shares, &[4], 1).remove(&id(4)).unwrap();
        let error = package.unwrap().sign(&shares[&id(4)], own).map(|_| ());
        assert_eq!(error, Err(SignError::Signers));
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md row 83, bad inputs 65: order, duplicates, counts, trailing bytes
#[test]
fn row_83_a_list_has_one_encoding() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let bytes = list(&nonces(&shares, &ALL, 1)).to_bytes();
        let decode = CommitmentList::<C>::from_bytes;
        assert_eq!(decode(&bytes).unwrap().to_bytes(), bytes);
        assert!(decode(&bytes).unwrap().signers().eq(ids(&ALL)));
        let entry = |n: usize| bytes[2 + n * (2 + 2 * C::POINT_LEN)..][..2 + 2 * C::POINT_LEN].to_vec();
        let of = |count: u16, entries: &[usize]| {
            entries.iter().fold(count.to_be_bytes().to_vec(), |list, n| [list, entry(*n)].concat())
        };
        assert_eq!(of(3, &[0, 1, 2]), bytes);
        for order in [[0, 2, 1], [1, 0, 2], [2, 1, 0], [0, 0, 1], [0, 1, 1], [1, 1, 1]] {
            assert_eq!(decode(&of(3, &order)), Err(DecodeError::Value), "{order:?}");
        }
        assert_eq!(decode(&of(2, &[0, 1, 2])), Err(DecodeError::Trailing));
        assert_eq!(decode(&of(0, &[0])), Err(DecodeError::Trailing));
        assert_eq!(decode(&of(4, &[0, 1, 2])), Err(DecodeError::Truncated));
        assert_eq!(decode(&of(255, &[0])), Err(DecodeError::Truncated));
        let all_of = |count: u16| {
            let generators = [C::generator_bytes().as_ref(), C::generator_bytes().as_ref()].concat();
            list_bytes(&(1..=count).map(|id| (id, generators.clone())).collect())
        };
        assert_eq!(decode(&all_of(255)).unwrap().to_bytes(), all_of(255));
        assert!(decode(&all_of(256)).is_err(), "more than a run can have");
        for len in 0..bytes.len() {
            assert_eq!(decode(&bytes[..len]), Err(DecodeError::Truncated), "{len}");
        }
        assert_eq!(decode(&[&bytes[..], &[0]].concat()), Err(DecodeError::Trailing));
        let mut nobody = bytes.clone();
        nobody[3] = 0;
        assert!(decode(&nobody).is_err(), "no party 0");
        // every byte: refused, or another list
        for at in 0..bytes.len() {
            for change in [1, 0x80, 0xff] {
                let mut other = bytes.clone();
                other[at] ^= change;
                assert!(decode(&other).is_err() || decode(&other).unwrap().to_bytes() == other);
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

#[test]
fn row_83_a_coordinator_refuses_strangers_and_second_thoughts() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let (own, other) = (nonces(&shares, &[1, 2, 3, 4], 1), nonces(&shares, &ALL, 2));
        let sent = |from: &AllNonces<C>, who: u16| from[&id(who)].commitments().to_bytes();
        let mut coordinator = Coordinator::new(Signers::of(&shares[&id(1)], &ids(&ALL)).unwrap(), MESSAGE);
        assert_eq!(coordinator.commitments(id(4), &sent(&own, 4)), Err(RefusedError::NotASigner(id(4))));
        assert_eq!(coordinator.commitments(id(9), &[]), Err(RefusedError::NotASigner(id(9))));
        let bytes = sent(&own, 1);
        let identity = [C::point_to_bytes(&C::identity()).as_ref(), &bytes[C::POINT_LEN..]].concat();
        for (bad, error) in [
            (&bytes[..bytes.len() - 1], DecodeError::Truncated),
            (&[], DecodeError::Truncated),
            (&[&bytes[..], &[0]].concat(), DecodeError::Trailing),
            (&identity, DecodeError::Identity),
        ] {
            assert_eq!(coordinator.commitments(id(1), bad), Err(RefusedError::Encoding(id(1), error)));
        }
        assert_eq!(coordinator.waiting_for().count(), 3, "nothing has changed");
        assert_eq!(coordinator.commitments(id(1), &bytes), Ok(()));
        assert_eq!(coordinator.commitments(id(1), &sent(&other, 1)), Err(RefusedError::Twice(id(1))));
        let Err((error, mut coordinator)) = coordinator.aggregator() else { panic!("two are missing") };
        assert_eq!(error, SignError::Signers);
        assert!(coordinator.waiting_for().eq(ids(&[2, 3])), "as it was");
        for who in [2, 3] {
            assert_eq!(coordinator.commitments(id(who), &sent(&own, who)), Ok(()));
        }
        let aggregator = coordinator.aggregator().map_err(|(error, _)| error).unwrap();
        let kept = aggregator.package().commitments().get(id(1)).unwrap();
        assert_eq!(kept.to_bytes(), bytes, "the first one stands");
        // shares
        let (mut aggregator, answers) = all_answers(&shares, &ALL);
        let (mine, order) = (answers[&1], [0xff; 32]);
        for take in [Aggregator::share, Aggregator::verified_share] {
            assert_eq!(take(&mut aggregator, id(4), &mine), Err(RefusedError::NotASigner(id(4))));
            for (bad, error) in [
                (&order[..], DecodeError::ScalarRange),
                (&mine[..31], DecodeError::Truncated),
                (&[&mine[..], &[0]].concat(), DecodeError::Trailing),
            ] {
                assert_eq!(take(&mut aggregator, id(1), bad), Err(RefusedError::Encoding(id(1), error)));
            }
        }
        assert_eq!(aggregator.waiting_for().count(), 3);
        assert_eq!(aggregator.verified_share(id(1), &answers[&2]), Err(RefusedError::Share(id(1))), "at once");
        assert_eq!(aggregator.share(id(1), &mine), Ok(()));
        assert_eq!(aggregator.share(id(1), &answers[&2]), Err(RefusedError::Twice(id(1))));
        // a wrong one does not replace the right one
        assert_eq!(aggregator.verified_share(id(1), &answers[&2]), Err(RefusedError::Share(id(1))));
        assert_eq!(aggregator.share(id(2), &answers[&2]), Ok(()));
        assert_eq!(aggregator.verified_share(id(3), &answers[&3]), Ok(()));
        assert!(aggregator.finish().is_ok());
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md row 48, bad inputs 60: every cheater is named, and nobody else
#[test]
fn row_48_a_coordinator_names_all_cheaters() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let signers = [1, 2, 3, 4, 5];
        for cheaters in [&[1][..], &[5], &[2, 4], &[1, 2, 3, 4, 5], &[]] {
            let (mut aggregator, answers) = all_answers(&shares, &signers);
            for (who, mut share) in answers {
                if cheaters.contains(&who) {
                    add_scalar::<C>(&mut share, scalar::<C>(who.into()));
                    assert_eq!(aggregator.verified_share(id(who), &share), Err(RefusedError::Share(id(who))));
                }
                aggregator.share(id(who), &share).unwrap();
            }
            match aggregator.finish() {
                Ok(signature) => assert!(cheaters.is_empty() && C::strict(&public_key::<C>(), MESSAGE, &signature)),
                Err(error) => assert_eq!(error, SignError::Shares(ids(cheaters))),
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md rows 43, 83, bad inputs 64: a coordinator that shows each signer another list. Every share is right for what
// its signer was shown; no selection of them is a signature, and the nonces are gone: `sign` takes them by value
#[test]
fn row_83_different_lists_make_no_signature() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let (one, other) = (nonces(&shares, &ALL, 1), nonces(&shares, &ALL, 2));
        let replaced = |who: u16| {
            let of = |id: &PartyId, own: &Nonces<C>| match id.get() == who {
                true => (who, other[id].commitments().to_bytes()),
                false => (id.get(), own.commitments().to_bytes()),
            };
            let bytes = one.iter().map(|(id, own)| of(id, own)).collect();
            CommitmentList::<C>::from_bytes(&list_bytes(&bytes)).unwrap()
        };
        // 1 is shown another commitment of 3; 2 and 3 another one of 1
        let shown = [(1, replaced(3)), (2, replaced(1)), (3, replaced(1))];
        let mut own = nonces(&shares, &ALL, 1);
        let mut answers = BTreeMap::new();
        for (who, list) in shown.clone() {
            let own = own.remove(&id(who)).unwrap();
            answers.insert(id(who), answer(&shares, id(who), (&ids(&ALL), MESSAGE), list, own).unwrap());
        }
        let signers = Signers::of(&shares[&id(1)], &ids(&ALL)).unwrap();
        for (list, right) in [(replaced(3), vec![1]), (replaced(1), vec![2, 3]), (list(&one), vec![])] {
            let package = SigningPackage::new(signers.clone(), list, MESSAGE.to_vec()).unwrap();
            let wrong: Vec<_> = ids(&ALL).into_iter().filter(|id| !right.contains(&id.get())).collect();
            assert_eq!(package.aggregate(&answers), Err(SignError::Shares(wrong)));
            for who in ALL {
                assert_eq!(package.verify_share(id(who), &answers[&id(who)]).is_ok(), right.contains(&who));
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// what a coordinator was told that is not of this key
#[test]
fn row_40_public_shares_are_of_the_public_key() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let t = Threshold::new(3, 5).unwrap();
        let holders: Vec<_> = shares[&id(1)].members().iter().map(|m| (m.id, m.public_share)).collect();
        let (key, all) = (public_key::<C>(), ids(&ALL));
        assert!(Signers::new(key, t, &holders, &all).is_ok());
        let other_key = PublicKey::<C>::new(&C::generator()).unwrap();
        assert_eq!(Signers::new(other_key, t, &holders, &all), Err(SignError::PublicShares));
        for bad in 0..3 {
            let mut holders = holders.clone();
            holders[bad].1 = holders[bad].1 + C::generator();
            assert_eq!(Signers::new(key, t, &holders, &all), Err(SignError::PublicShares));
        }
        let refreshed = shares_of::<C>(3, (1, 2, 1));
        let mut mixed = holders.clone();
        mixed[1].1 = refreshed[&id(1)].members()[1].public_share;
        assert_eq!(Signers::new(key, t, &mixed, &all), Err(SignError::PublicShares), "one of another epoch");
        for signers in [&[1, 2][..], &[1, 2, 2], &[1, 2, 6], &[]] {
            assert_eq!(Signers::new(key, t, &holders, &ids(signers)), Err(SignError::Signers));
        }
        // aggregate and verify_share of other signers
        let (aggregator, answers) = all_answers(&shares, &ALL);
        let read = |who: u16| SignatureShare::<C>::from_bytes(&answers[&who]).unwrap();
        let two = [1, 2].map(|who| (id(who), read(who))).into();
        assert_eq!(aggregator.package().aggregate(&two), Err(SignError::Signers));
        let foreign = [1, 2, 4].map(|who| (id(who), read(who.min(3)))).into();
        assert_eq!(aggregator.package().aggregate(&foreign), Err(SignError::Signers));
        assert_eq!(aggregator.package().verify_share(id(4), &read(1)), Err(SignError::Signers));
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// eddsa.md: one share is never used under two schemes, nor for another key than its own
#[test]
fn row_90_a_coordinator_gets_no_share_of_another_key_or_scheme() {
    fn check<C: Curve>() {
        let (shares, all) = (shares::<C>(3), ids(&ALL));
        let package = || {
            let nonces = nonces(&shares, &ALL, 1);
            SigningPackage::new(Signers::of(&shares[&id(1)], &all).unwrap(), list(&nonces), MESSAGE.to_vec()).unwrap()
        };
        let own = || nonces(&shares, &ALL, 1).remove(&id(1)).unwrap();
        assert!(package().sign(&shares[&id(1)], own()).is_ok());
        for other in [shares_of::<C>(3, (1, 2, 1)), shares_of::<C>(3, (2, 0, 0))] {
            assert_eq!(package().sign(&other[&id(1)], own()).map(drop), Err(SignError::OtherShare));
        }
        // the same package has the same digest at everybody; another one has another
        let digest = package().digest();
        assert_eq!(package().digest(), digest);
        let signers = Signers::of(&shares[&id(2)], &all).unwrap();
        assert_eq!(
            SigningPackage::new(signers.clone(), package().commitments().clone(), MESSAGE.to_vec()).unwrap().digest(),
            digest
        );
        let other_message = SigningPackage::new(signers.clone(), package().commitments().clone(), b"pay 2".to_vec());
        let other_list = SigningPackage::new(signers, list(&nonces(&shares, &ALL, 2)), MESSAGE.to_vec());
        assert!(other_message.unwrap().digest() != digest && other_list.unwrap().digest() != digest);
    }
    check::<Ed25519>();
    check::<Secp256k1>();
    let shares = shares::<Secp256k1>(3);
    let ecdsa = as_ecdsa(&shares[&id(1)]);
    let mut nonces = nonces(&shares, &ALL, 1);
    let signers = Signers::of(&shares[&id(1)], &ids(&ALL)).unwrap();
    let package = SigningPackage::new(signers, list(&nonces), MESSAGE.to_vec()).unwrap();
    assert_eq!(package.sign(&ecdsa, nonces.remove(&id(1)).unwrap()).map(drop), Err(SignError::Scheme));
}
