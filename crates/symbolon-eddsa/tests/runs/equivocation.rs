//! Liars with two faces: one frame for some, another one for others; and hashes of what was seen.

use crate::liars::*;
use crate::world::*;
use std::collections::BTreeMap;
use symbolon_core::{Ed25519, PartyId, Secp256k1};
use symbolon_eddsa::Nonces;
use symbolon_session::{Auth, Error, Fault, Header, Identity, Outgoing, Protocol, Rejected, Session, To, convict};
use symbolon_testkit::{Crowd, Lie, crowd::Ended, seeded};

const ALL: [u16; 3] = [1, 2, 3];

/// Commitments to nonces that nobody else has.
fn fresh<C: Curve>(seed: u64) -> Vec<u8> {
    let share = &shares::<C>(3)[&id(2)];
    Nonces::<C>::generate(share, &mut seeded(seed)).unwrap().commitments().to_bytes()
}

/// Both lies in one message.
fn both(mut one: Lie, mut other: Lie) -> Lie {
    Box::new(move |telling| {
        one(telling);
        other(telling);
    })
}

// attacks.md row 83, bad inputs 63: 2 shows 3 other commitments, with the view that fits what each was told, and wrong
// shares too. 1 and 3 have made shares that are wrong in each other's eyes: nobody looks at a share, nobody is named
#[test]
fn row_83_two_commitments_end_the_run_before_any_share_is_verified() {
    fn check<C: Curve>() {
        for signers in [&[1, 2, 3][..], &[1, 2, 3, 4]] {
            let shares = shares::<C>(3);
            let honest = commitments(&shares, signers);
            for audience in signers.iter().copied().filter(|me| *me != 2) {
                let wrong = || Mode::Sign.share(|z| z.fill(0));
                let other = || other_commitments(2, &honest, fresh::<C>(1));
                let faces = [
                    (no_lie(), other()),
                    (wrong(), both(other(), wrong())),
                    (both(other_commitments(2, &honest, fresh::<C>(2)), wrong()), other()),
                    // the hash that the others will send
                    (no_lie(), at(COMMIT, |body| body.copy_from_slice(&fresh::<C>(1)))),
                ];
                for (first, second) in faces {
                    let ends = run(Mode::Sign, &shares, signers, two_faces(2, first, second, &[audience]));
                    assert_failed(&ends, Fault::View, None);
                }
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// the same for the bank: one of two items differs
#[test]
fn row_83_two_commitments_make_no_item() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        for item in 0..usize::from(COUNT) {
            let start = item * pair_len::<C>();
            let lie = at(COMMIT, move |body| body[start..start + pair_len::<C>()].copy_from_slice(&fresh::<C>(1)));
            let ends = prepare(&shares, &ALL, two_faces(2, no_lie(), lie, &[3]));
            assert_failed(&ends, Fault::View, None);
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// a wrong hash, with and without a wrong share; of one liar, beside the wrong share of another one
#[test]
fn row_19_a_wrong_view_names_nobody() {
    let shares = shares::<Ed25519>(3);
    let wrong_view = || at(SHARE, |body| body[31] ^= 1);
    let wrong_share = || Mode::Sign.share(|z| z.fill(0));
    assert_failed(&run(Mode::Sign, &shares, &ALL, liar(2, wrong_view())), Fault::View, None);
    assert_failed(&run(Mode::Sign, &shares, &ALL, liar(2, both(wrong_view(), wrong_share()))), Fault::View, None);
    assert_failed(&prepare(&shares, &ALL, liar(2, wrong_view())), Fault::View, None);
    let one = |id, lie| Liar { id, lie, second: None };
    let ends = run(Mode::Sign, &shares, &ALL, vec![one(2, wrong_share()), one(3, wrong_view())]);
    assert_failed(&ends, Fault::View, None);
    // wrong for 3 alone: 1 has the signature
    let ends = run(Mode::Sign, &shares, &ALL, two_faces(2, no_lie(), wrong_view(), &[3]));
    assert!(matches!(ends[&1], End::Signed(_)));
    assert_eq!(ends[&3], End::Failed(Fault::View, None));
    let ends = prepare(&shares, &ALL, two_faces(2, no_lie(), wrong_view(), &[3]));
    assert!(matches!(ends[&1], End::Items(_)));
    assert_eq!(ends[&3], End::Failed(Fault::View, None));
}

// a right share for 1, a wrong one for 3: 1 has the signature, 3 names the liar
#[test]
fn row_48_two_shares() {
    let shares = shares::<Ed25519>(3);
    for mode in MODES {
        let ends = run(mode, &shares, &ALL, two_faces(2, no_lie(), mode.share(|z| z.fill(0)), &[3]));
        assert!(matches!(ends[&1], End::Signed(_)));
        assert_eq!(ends[&3], End::Failed(Fault::SignatureShare, Some(2)));
    }
}

/// Whom two of these frames convict.
fn convicted_by(frames: &[impl AsRef<[u8]>]) -> Vec<u16> {
    let convicts = |party: &u16| {
        let Identity::Key(key) = identity(id(*party)).identity() else { unreachable!("members have keys") };
        frames.iter().any(|a| frames.iter().any(|b| convict(a.as_ref(), b.as_ref(), &key)))
    };
    (1..=N).filter(convicts).collect()
}

/// The broadcasts that these parties have kept; they have all found out that their views differ.
fn views<P: Protocol<Held = ()> + 'static>(crowd: Crowd<P>, honest: &[u16]) -> BTreeMap<u16, Vec<Vec<u8>>> {
    let mut ends = crowd.run().ends;
    let view = |me: &u16| match ends.remove(&id(*me)) {
        Some(Ended::Failed(Error::Aborted(aborted))) => {
            assert_eq!((aborted.fault, aborted.culprit), (Fault::View, None));
            (*me, aborted.view)
        }
        _ => panic!("no view at {me}"),
    };
    honest.iter().map(view).collect()
}

// what 1 and 3 have kept convicts who has said two things, once they exchange it
#[test]
fn row_19_two_commitments_convict_their_signer() {
    let shares = shares::<Ed25519>(3);
    let lie = || at(COMMIT, |body| body[..pair_len::<Ed25519>()].copy_from_slice(&fresh::<Ed25519>(1)));
    let faces = || two_faces(2, no_lie(), lie(), &[3]);
    let of_sign = views(sign_crowd(&shares, &ALL, faces()), &[1, 3]);
    let of_items = views(prepare_crowd(&shares, &ALL, faces()), &[1, 3]);
    for views in [of_sign, of_items] {
        for view in views.values() {
            assert_eq!(view.len(), 4, "two rounds of two peers");
            assert_eq!(convicted_by(view), [0; 0], "nobody alone can tell");
        }
        assert_eq!(convicted_by(&[&views[&1][..], &views[&3]].concat()), [2]);
    }
    // a wrong hash of what all have seen alike is one frame: these frames alone convict nobody
    let wrong_view = || liar(2, at(SHARE, |body| body[31] ^= 1));
    let of_sign = views(sign_crowd(&shares, &ALL, wrong_view()), &[1, 3]);
    let of_items = views(prepare_crowd(&shares, &ALL, wrong_view()), &[1, 3]);
    for views in [of_sign, of_items] {
        assert_eq!(convicted_by(&views.into_values().flatten().collect::<Vec<_>>()), [0; 0]);
    }
}

/// 1 hears all of `earlier`, then both frames of 2 for one slot.
fn conflict<P: Protocol<Held = ()>>(
    mut session: Session<P>,
    earlier: &[(PartyId, Outgoing)],
    (one, other): (&Outgoing, &Outgoing),
) {
    for (from, frame) in earlier.iter().filter(|(from, _)| *from != id(1)) {
        assert!(session.handle(*from, &frame.bytes).is_ok());
    }
    assert!(session.handle(id(2), &one.bytes).is_ok());
    assert!(session.handle(id(2), &one.bytes).is_ok(), "the same again is no fault");
    let Err(Error::Aborted(aborted)) = session.handle(id(2), &other.bytes) else { panic!("two frames") };
    assert_eq!((aborted.fault, aborted.culprit), (Fault::Equivocation, Some(id(2))));
    assert_eq!(convicted_by(&aborted.evidence.unwrap()[..]), [2]);
    assert!(session.resend().is_empty());
}

// attacks.md row 62: two frames for one slot convict their signer, whichever comes first, in every round of every protocol
#[test]
fn row_62_two_frames_for_one_slot_name_their_signer() {
    type Sent = Vec<(PartyId, Outgoing)>;
    fn split(sent: Sent, round: u8) -> (Sent, Outgoing) {
        let round_of = |frame: &Outgoing| Header::parse(&frame.bytes).unwrap().round;
        let said = sent.iter().find(|(from, frame)| *from == id(2) && round_of(frame) == round).unwrap().1.clone();
        (sent.into_iter().filter(|(_, frame)| round_of(frame) < round).collect(), said)
    }
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let flip = |round: u8| at(round.into(), |body| body[3] ^= 1);
    let one = &shares[&id(1)];
    for round in [1, 2] {
        let run = |lie| split(sign_crowd(&shares, &ALL, liar(2, lie)).run().sent, round);
        let ((earlier, right), (_, wrong)) = (run(no_lie()), run(flip(round)));
        for both in [(&right, &wrong), (&wrong, &right)] {
            conflict(sign(one, &all, MESSAGE, SEED).0, &earlier, both);
        }
        let run = |lie| split(prepare_crowd(&shares, &ALL, liar(2, lie)).run().sent, round);
        let ((earlier, right), (_, wrong)) = (run(no_lie()), run(flip(round)));
        for both in [(&right, &wrong), (&wrong, &right)] {
            conflict(preprocess(one, &all, COUNT, SEED).0, &earlier, both);
        }
    }
    let run = |lie| split(online_crowd(&shares, &ALL, liar(2, lie)).run().sent, 1);
    let ((earlier, right), (_, wrong)) = (run(no_lie()), run(flip(1)));
    for both in [(&right, &wrong), (&wrong, &right)] {
        conflict(online(one, item(&mut items(&shares, &all), id(1)), MESSAGE).0, &earlier, both);
    }
}

// attacks.md row 62: over a channel the other one of two is named, without proof
#[test]
fn row_62_two_frames_over_a_channel() {
    let shares = shares::<Ed25519>(2);
    let started = |me: u16, seed: u64| {
        let share = &shares[&id(me)];
        let setup = symbolon_eddsa::FrostRequest::new(share, &ids(&[1, 2]), MESSAGE).unwrap();
        Session::<symbolon_eddsa::FrostSign<Ed25519>>::start(
            setup,
            share,
            (),
            label(),
            Auth::Channel,
            &mut seeded(seed),
        )
        .unwrap()
    };
    let ((mut session, _), (_, frames)) = (started(1, 1), started(2, 2));
    // the first frame of 2 ends the round, so that a second one is of the past
    assert!(session.handle(id(2), &frames[0].bytes).is_ok());
    let mut other = frames[0].bytes.clone();
    *other.last_mut().unwrap() ^= 1;
    assert!(matches!(session.handle(id(2), &other), Err(Error::Rejected(Rejected::Past))));
    assert_eq!(frames[0].to, To::All);
}
