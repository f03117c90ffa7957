//! Honest signers whose callers do not agree: a difference ends as a mismatch, or nobody hears the other at all. Nobody is
//! named, no signature comes out.

use crate::liars::*;
use crate::world::*;
use symbolon_core::{Ed25519, PartyId, Secp256k1};
use symbolon_eddsa::{
    FrostOnline, FrostOnlineSetup, FrostPreprocess, FrostPreprocessSetup, FrostRequest, FrostSign, SignError, Signers,
};
use symbolon_session::{Agreed, Auth, AuthError, Fault, Protocol, Rejected, Session, StartError};
use symbolon_testkit::{Crowd, crowd::Started, seeded};

const ALL: [u16; 3] = [1, 2, 3];
const SID: Fault = Fault::Mismatch(Agreed::Sid);

/// What one caller decides: message; key, sharing, epoch; threshold.
type Decision = (&'static [u8], (u8, u8, u32), u16);

const USUAL: Decision = (MESSAGE, (1, 0, 0), 3);

fn decided_sign<C: Curve>(me: PartyId, signers: &[PartyId], (message, key, t): Decision) -> Started<FrostSign<C>> {
    sign(&shares_of(t, key)[&me], signers, message, SEED)
}

fn decided_prepare<C: Curve>(me: PartyId, signers: &[PartyId], (_, key, t): Decision) -> Started<FrostPreprocess<C>> {
    preprocess(&shares_of(t, key)[&me], signers, COUNT, SEED)
}

// attacks.md rows 47, 67, 90, 106; bad inputs 55, 58: message, epoch, sharing, key, threshold
#[test]
fn row_47_any_difference_of_the_request_is_a_mismatch_for_everybody() {
    fn check<C: Curve>() {
        let others: [Decision; 6] = [
            (b"pay 2", (1, 0, 0), 3),
            (b"", (1, 0, 0), 3),
            (MESSAGE, (1, 0, 1), 3),
            (MESSAGE, (1, 1, 0), 3),
            (MESSAGE, (2, 0, 0), 3),
            (MESSAGE, (1, 0, 0), 2),
        ];
        let all = ids(&ALL);
        for other in others {
            for odd in ALL {
                let decision = |me: &PartyId| if me.get() == odd { other } else { USUAL };
                let of_sign = all.iter().map(|me| (*me, decided_sign::<C>(*me, &all, decision(me))));
                assert_failed(&ends(Crowd::new(of_sign), &[]), SID, None);
                if other.0 == MESSAGE {
                    let of_items = all.iter().map(|me| (*me, decided_prepare::<C>(*me, &all, decision(me))));
                    assert_failed(&ends(Crowd::new(of_items), &[]), SID, None);
                    continue;
                }
                // from the bank the key is that of the item
                let (shares, mut batch) = (shares::<C>(3), items::<C>(&shares(3), &all));
                let of_bank = all.iter().map(|me| (*me, online(&shares[me], item(&mut batch, *me), decision(me).0)));
                assert_failed(&ends(Crowd::new(of_bank.collect::<Vec<_>>()), &[]), SID, None);
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md row 94: the sets of signers differ
#[test]
fn row_94_other_signers_are_a_mismatch() {
    let sets: [&[u16]; 4] = [&ALL, &ALL, &[1, 3, 4], &[1, 3, 4]];
    let one = |me: u16, signers: &[u16]| (id(me), decided_sign::<Ed25519>(id(me), &ids(signers), USUAL));
    let ends = ends(Crowd::new((1..).zip(sets).map(|(me, signers)| one(me, signers))), &[]);
    // 1 and 3 mean each other, and other sets; 2 hears 3, and 4 hears 1, for another run each
    assert_eq!(ends.len(), 4);
    assert_failed(&ends, SID, None);
}

// attacks.md row 94: a longer batch is longer than any body of those who expect a shorter one
#[test]
fn row_94_other_counts_are_a_mismatch() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let count = |me: &PartyId| if me.get() == 2 { 3 } else { 2 };
    let crowd = Crowd::new(all.iter().map(|me| (*me, preprocess(&shares[me], &all, count(me), SEED)))).run();
    assert!(crowd.rejected.iter().all(|rejected| rejected.2 == Rejected::Size));
    for (me, end) in ends(crowd, &[]) {
        assert_eq!(end, if me == 2 { End::Failed(SID, None) } else { End::Waiting });
    }
}

// attacks.md row 94: the items differ. Nobody hears anybody
#[test]
fn row_94_other_items_are_other_runs() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let mut items = items(&shares, &all);
    let one = |me: &PartyId| {
        let item = items.get_mut(me).unwrap().remove(usize::from(me.get() == 1));
        (*me, online(&shares[me], item, MESSAGE))
    };
    let crowd = Crowd::new(all.iter().map(one).collect::<Vec<_>>()).run();
    assert_eq!(crowd.rejected.len(), 4, "1 with 2 and 3, both ways");
    assert!(crowd.rejected.iter().all(|rejected| rejected.2 == Rejected::Run));
    assert!(ends(crowd, &[]).values().all(|end| *end == End::Waiting));
}

// attacks.md row 59: one signer says two nonces of the run. The honest ones do not name each other
#[test]
fn row_59_two_nonces_of_a_third_are_a_mismatch() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    for odd in ALL {
        for audience in ALL.into_iter().filter(|id| *id != odd) {
            let share = &shares[&id(odd)];
            let liar = |seed| {
                let setup = FrostRequest::new(share, &all, MESSAGE).unwrap();
                start::<symbolon_testkit::Lying<FrostSign<_>>>(id(odd), setup, share, ((), no_lie()), seed)
            };
            let honest = all.iter().filter(|me| me.get() != odd);
            let crowd = Crowd::new(honest.map(|me| (*me, sign(&shares[me], &all, MESSAGE, SEED))))
                .with_liar(id(odd), liar(SEED))
                .with_second_face(id(odd), liar(SEED + 1), [id(audience)]);
            assert_failed(&ends(crowd, &[odd]), SID, None);
        }
    }
}

fn refused<P: Protocol>(me: PartyId, setup: P::Setup, secrets: &P::LongTerm, input: P::Input) -> StartError {
    let auth = Auth::Signed(identity(me));
    Session::<P>::start(setup, secrets, input, label(), auth, &mut seeded(1)).map(|_| ()).unwrap_err()
}

// attacks.md rows 90, 95; bad inputs 58: the share of another epoch, key or holder than the one that the run is for
#[test]
fn row_90_a_run_starts_with_its_own_share_only() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let other = |key| shares_of::<Ed25519>(3, key).remove(&id(1)).unwrap();
    let others = [other((1, 0, 1)), other((1, 1, 0)), other((2, 0, 0)), self::shares(3).remove(&id(2)).unwrap()];
    let sharing = StartError::Mismatch(Agreed::Sharing);
    let share = &shares[&id(1)];
    for wrong in &others {
        let setup = FrostRequest::new(share, &all, MESSAGE).unwrap();
        assert_eq!(refused::<FrostSign<Ed25519>>(id(1), setup, wrong, ()), sharing);
        let setup = FrostPreprocessSetup::new(share, &all, 1).unwrap();
        assert_eq!(refused::<FrostPreprocess<Ed25519>>(id(1), setup, wrong, ()), sharing);
        let item = item(&mut items(&shares, &all), id(1));
        assert_eq!(FrostOnlineSetup::new(wrong, &item, MESSAGE), Err(SignError::OtherItem));
        let setup = FrostOnlineSetup::new(share, &item, MESSAGE).unwrap();
        assert_eq!(refused::<FrostOnline<Ed25519>>(id(1), setup, wrong, item), sharing);
    }
    // the share that it is for, and another item: of the same batch, of another signer, of other signers
    let mut batch = items(&shares, &all);
    let (first, second) = (item(&mut batch, id(1)), item(&mut batch, id(1)));
    let setup = || FrostOnlineSetup::new(share, &first, MESSAGE).unwrap();
    let of_four = item(&mut items(&shares, &ids(&[1, 2, 4])), id(1));
    for wrong in [second, item(&mut batch, id(2)), of_four] {
        let error = refused::<FrostOnline<Ed25519>>(id(1), setup(), share, wrong);
        assert_eq!(error, StartError::Mismatch(Agreed::Item));
    }
}

// attacks.md rows 35, 36; bad inputs 56
#[test]
fn row_36_signers_are_t_or_more_distinct_holders() {
    let shares = shares::<Ed25519>(3);
    let share = &shares[&id(1)];
    let bad: [&[u16]; 7] = [&[], &[1], &[1, 2], &[1, 2, 2], &[1, 2, 3, 3], &[1, 2, 6], &[1, 2, 3, 4, 5, 6]];
    for signers in bad.map(ids) {
        assert_eq!(FrostRequest::new(share, &signers, MESSAGE), Err(SignError::Signers));
        assert_eq!(FrostPreprocessSetup::new(share, &signers, 1), Err(SignError::Signers));
        assert_eq!(Signers::of(share, &signers), Err(SignError::Signers));
    }
    // not among them: no run of one's own
    assert_eq!(FrostRequest::new(share, &ids(&[2, 3, 4]), MESSAGE), Err(SignError::Signers));
    assert!(Signers::of(share, &ids(&[2, 3, 4])).is_ok());
    // more than two never over one channel
    let setup = FrostRequest::new(share, &ids(&ALL), MESSAGE).unwrap();
    let started = Session::<FrostSign<_>>::start(setup, share, (), label(), Auth::Channel, &mut seeded(1));
    assert_eq!(started.map(|_| ()).unwrap_err(), StartError::Auth(AuthError::ChannelIsForTwo));
}

// a share never signs with two schemes
#[test]
fn an_ecdsa_share_does_not_sign_with_frost() {
    let shares = shares::<Secp256k1>(2);
    let share = &shares[&id(1)];
    let ecdsa = as_ecdsa(share);
    let two = ids(&[1, 2]);
    assert_eq!(FrostRequest::new(&ecdsa, &two, MESSAGE), Err(SignError::Scheme));
    assert_eq!(FrostPreprocessSetup::new(&ecdsa, &two, 1), Err(SignError::Scheme));
    assert_eq!(Signers::of(&ecdsa, &two), Err(SignError::Scheme));
    let item = item(&mut items(&shares, &two), id(1));
    assert_eq!(FrostOnlineSetup::new(&ecdsa, &item, MESSAGE), Err(SignError::OtherItem));
}

#[test]
fn row_79_a_batch_has_a_bound() {
    let shares = shares::<Ed25519>(3);
    let new = |signers: &[u16], count| FrostPreprocessSetup::new(&shares[&id(1)], &ids(signers), count).map(|_| ());
    for (signers, most) in [(&ALL[..], 2730), (&[1, 2, 3, 4], 2048), (&[1, 2, 3, 4, 5], 1638)] {
        assert_eq!(new(signers, most), Ok(()));
        for count in [0, most + 1, u16::MAX] {
            assert_eq!(new(signers, count), Err(SignError::Count(count)));
        }
    }
}
