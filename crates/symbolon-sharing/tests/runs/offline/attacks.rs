//! What liars, the storage and the holder of an old share can do to somebody who is not there.

use super::*;
use crate::lies::{Forger, ends, lying};
use std::collections::BTreeSet;
use symbolon_core::{
    Sid, Transcript,
    wire::{DecodeError, Writer},
};
use symbolon_seal::{Sealed, seal_to_device, seal_to_point};

type Scalar<G> = <G as Group>::Scalar;

/// Dealer 1 lies in its broadcasts, echoes what the others echo, and confirms what they confirm.
fn consistently<P: Protocol<Input = ()> + 'static>(
    members: Vec<(P::Setup, P::LongTerm)>,
    mut lie: Lie,
    batch: usize,
) -> Net<P::Output>
where
    P::Output: 'static,
{
    let seen = std::rc::Rc::new(std::cell::Cell::new([0; 32]));
    let (by_others, mut own) = (seen.clone(), [0; 32]);
    let lie: Lie = Box::new(move |round, to, run, body| {
        lie(round, to, run, body);
        match round {
            3 => {
                own.copy_from_slice(&body[..32]);
                body[..32].copy_from_slice(&by_others.get());
            }
            103 => body[..32].copy_from_slice(&own),
            OUTCOME if batch == 0 => {
                *body = Transcript::new("reshare", "outcome").part(by_others.get()).number(0u64).finish().to_vec();
            }
            OUTCOME => {
                let t = Transcript::new("reshare", "outcomes").part(by_others.get());
                *body = (0..batch).fold(t, |t, _| t.number(0u8)).finish().to_vec();
            }
            _ => (),
        }
    });
    let mut net = lying::<P>(members, vec![(id(1), lie)]);
    // the liar hears last
    while !net.queue.is_empty() {
        let echo = |mail: &&Mail| mail.0 != id(1) && Header::parse(&mail.2).unwrap().round == 3;
        if let Some((.., frame)) = net.queue.iter().find(echo) {
            let vote = frame.len() - 65 - 32 - batch.div_ceil(8);
            seen.set(frame[vote..vote + 32].try_into().unwrap());
        }
        let next = net.queue.iter().position(|mail| mail.1 != id(1)).unwrap_or(0);
        let (from, to, frame) = net.queue.remove(next).unwrap();
        net.give(from, to, &frame);
    }
    net
}

fn lied_by_1<G: Group>(case: &Refresh<G>, lie: Lie) -> Net<Reshared<G>> {
    consistently::<Reshare<G, Refreshes>>(case.members(), lie, 0)
}

fn context(sid: &Sid, dealer: u16, holder: u16, key: u64) -> [u8; 32] {
    Transcript::new("reshare", "sealed").part(sid).number(dealer).number(holder).number(key).finish()
}

/// One value sealed by dealer 1 to holder 3, as the plan says.
fn sealed<G: Group>(case: &Refresh<G>, sid: &Sid, share: &Scalar<G>, chain_code: &[u8]) -> Sealed {
    sealed_by(1, case, sid, share, chain_code)
}

fn sealed_by<G: Group>(dealer: u16, case: &Refresh<G>, sid: &Sid, share: &Scalar<G>, chain_code: &[u8]) -> Sealed {
    let (info, mut rng) = (context(sid, dealer, 3, 0), rng(350));
    let secret = [&G::scalar_to_bytes(share)[..], chain_code].concat();
    match &case.absent[0].1 {
        SealTo::Device(key) => seal_to_device(key, &info, &[], &secret, &mut rng).unwrap(),
        SealTo::OldShare => {
            let point = case.old[&id(3)].members()[2].public_share;
            seal_to_point::<G>(&point, &info, &[], &secret, &mut rng).unwrap()
        }
    }
}

/// Dealer 1 puts something else at the end of its broadcast.
fn reseals<G: Group>(case: &Refresh<G>, other: impl Fn(&Sid) -> Vec<u8> + 'static) -> Lie {
    let len = match case.absent[0].1 {
        SealTo::Device(_) => Sealed::device_length(64),
        SealTo::OldShare => Sealed::point_length::<G>(64),
    };
    Box::new(move |round, to, run, body| {
        if (round, to) == (2, To::All) {
            body.truncate(body.len() - len);
            body.extend(other(&run.sid()));
        }
    })
}

fn garbage<G: Group>(to: (PartyId, SealTo)) {
    let chain_code = |case: &Refresh<G>| *case.old[&id(1)].chain_code();
    let lies: [(&str, Fault, fn(&Sid, &Refresh<G>, [u8; 32]) -> Vec<u8>); 4] = [
        ("bytes that do not open", Fault::Share, |sid, case, chain| {
            let mut bytes = sealed(case, sid, &Scalar::<G>::from(7u64), &chain).to_bytes();
            *bytes.last_mut().unwrap() ^= 1;
            bytes
        }),
        ("a share off the polynomial", Fault::Share, |sid, case, chain| {
            sealed(case, sid, &Scalar::<G>::from(7u64), &chain).to_bytes()
        }),
        ("sealed for another run", Fault::Share, |_, case, chain| {
            sealed(case, &Sid::from_bytes([1; 32]), &Scalar::<G>::from(7u64), &chain).to_bytes()
        }),
        ("another chain code", Fault::Inconsistent, |sid, case, _| {
            sealed(case, sid, &Scalar::<G>::from(7u64), &[9; 32]).to_bytes()
        }),
    ];
    for (name, fault, other) in lies {
        let case = std::rc::Rc::new(Refresh::<G>::new(to, 351));
        let (inner, chain) = (case.clone(), chain_code(&case));
        let mut net = lied_by_1(&case, reseals(&case, move |sid| other(sid, &inner, chain)));
        assert_eq!(net.outputs.len(), 2, "{name}: who is online can't see it: {:?}", net.failures);
        let frames = handed_along(&net, 2);
        let out = net.outputs.get_mut(&id(2)).unwrap();
        let refused = case.receive(out.package.as_ref().unwrap(), &frames).err();
        assert_eq!(refused, Some(OfflineError::Dealt { culprit: Some(id(1)), fault }), "{name}");
        // nothing is lost: the holder stays unconfirmed, and while it does nobody erases an old share
        assert_eq!(listed(out.health.unconfirmed()), [id(3)]);
        let old = KeyShare::<G>::decode(&mut Reader::new(&case.old[&id(2)].to_secret_bytes())).unwrap();
        let backups = Resealed::with(out.share.as_ref().unwrap());
        let consent = Consent::new([Change::Retires(old.key_id(), 0)]);
        let (_, error) = retire(old, &mut out.health, &backups, &consent).err().unwrap();
        assert_eq!(error, RetireError::Unconfirmed);
        dkg::check_sharing(&case.old);
    }
}

// attacks.md row 99
#[test]
fn row_99_sealed_garbage_names_its_dealer_and_old_shares_are_kept() {
    garbage::<Secp256k1>(to_device(3, 3));
    garbage::<Secp256k1>(to_share(3));
    garbage::<Ed25519>(to_device(3, 3));
    garbage::<Ed25519>(to_share(3));
}

/// Kind and length are seen at once.
#[test]
fn row_99_what_can_be_checked_online_is_checked_online() {
    let case = std::rc::Rc::new(Refresh::<G>::new(to_device(3, 3), 352));
    let sealed_of = |len: usize, to: SealTo| {
        let case = Refresh::<G> { old: BTreeMap::new(), absent: vec![(id(3), to)] };
        sealed(&case, &Sid::from_bytes([0; 32]), &Scalar::<G>::from(7u64), &vec![0; len - 32]).to_bytes()
    };
    let own = case.absent[0].1;
    let point = seal_to_point::<G>(&G::generator(), b"", b"", &[0; 63], &mut rng(1)).unwrap().to_bytes();
    assert_eq!(point.len(), Sealed::device_length(64));
    let mut low_order = sealed_of(64, own);
    low_order[1..33].fill(0);
    for (bytes, fault) in [
        (sealed_of(63, own), Fault::Encoding(DecodeError::Truncated)),
        (point, Fault::Encoding(DecodeError::Value)),
        (low_order, Fault::Encoding(DecodeError::Point)),
        (vec![9; Sealed::device_length(64)], Fault::Encoding(DecodeError::Value)),
        (Vec::new(), Fault::Encoding(DecodeError::Truncated)),
    ] {
        let net = lied_by_1(&case, reseals(&case, move |_| bytes.clone()));
        ends(&net, &[1], 2, fault, Some(1));
    }
    // longer than any body of this round
    let bytes = sealed_of(65, own);
    let net = lied_by_1(&case, reseals(&case, move |_| bytes.clone()));
    assert!(net.outputs.is_empty() && net.rejected.contains(&(id(1), id(2), Rejected::Size)));
}

/// In a batch one bad value costs one key, and that one is not confirmed.
#[test]
fn row_99_a_batch_goes_on_with_the_rest() {
    let keys = Keys::new();
    let (device_len, point_len) = (Sealed::device_length(64), Sealed::point_length::<G>(64));
    let lie: Lie = Box::new(move |round, to, _, body| {
        if (round, to) == (2, To::All) {
            // party 3, by its points, comes first; the third value of party 4
            let at = body.len() - 4 * device_len + 2 * device_len + device_len - 1;
            body[at] ^= 1;
            assert_eq!(body[body.len() - 4 * (device_len + point_len)], 1, "kind of the first sealed value");
        }
    });
    let net = consistently::<Reshare<G, Batch<Refreshes>>>(keys.members(), lie, 4);
    let frames = handed_along(&net, 2);
    let package = net.outputs[&id(2)].package.clone().unwrap();
    assert_eq!(keys.receive(3, &package, &frames).unwrap().done.len(), 4);
    let received = keys.receive(4, &package, &frames).unwrap();
    assert_eq!((received.done.len(), received.kept.len()), (3, 1));
    let kept = &received.kept[0];
    assert_eq!((kept.key_id, kept.culprit), (keys.keys[2][&id(1)].key_id(), Some(id(1))));
    assert_eq!(kept.refused_by, [id(4)].into());
    // its confirmations are of the other keys
    let mut healths: Vec<_> = net.outputs[&id(2)].done.iter().map(|one| one.health.clone()).collect();
    for one in &received.done {
        let confirmation = one.health.confirmation(one.share.as_ref().unwrap(), &key(4)).unwrap();
        let took: Vec<_> =
            healths.iter_mut().map(|health| health.note_confirmed(id(4), &confirmation).is_ok()).collect();
        assert_eq!(took.iter().filter(|took| **took).count(), 1);
    }
    let waiting: Vec<_> = healths.iter().map(|health| health.unconfirmed().any(|who| who == id(4))).collect();
    assert_eq!(waiting, [false, false, true, false]);
}

fn split<G: Group>(to: (PartyId, SealTo)) {
    let case = std::rc::Rc::new(Refresh::<G>::new(to, 360));
    // what all confirm
    let honest = lied_by_1(&case, Box::new(|_, _, _, _| ()));
    let confirmations = handed_along(&honest, 2);
    // the same run (same seeds, same nonces), in which dealer 1 shows another polynomial with the same constant term
    let share = &case.old[&id(1)];
    let weight = share.lambdas(&ids(&[1, 2])).unwrap()[0];
    let f = vec![weight * *share.secret().expose(), G::random_scalar(&mut rng(361))];
    let mut statement = Writer::new();
    share.members()[..2].iter().for_each(|m| {
        statement.point::<G>(&m.public_share);
    });
    statement.u8(0).bytes(&Transcript::new("reshare", "chain code").part(share.chain_code()).finish());
    let mut forged =
        Forger::<G>::new("reshare dealing", &f, &statement.finish()).lie(f.clone(), share.chain_code().to_vec());
    let inner = case.clone();
    let lie: Lie = Box::new(move |round, to, run, body| {
        forged(round, to, run, body);
        if (round, to) == (2, To::All) {
            let at_3 = f[0] + f[1] * Scalar::<G>::from(3u64);
            body.extend(sealed(&inner, &run.sid(), &at_3, inner.old[&id(1)].chain_code()).to_bytes());
        }
    });
    let other = lied_by_1(&case, lie);
    let (shown, theirs) = (other.outputs[&id(2)].package.clone().unwrap(), handed_along(&other, 2));
    // it is perfect in itself, and would be taken if that were what all confirmed
    assert!(case.receive(&shown, &theirs).is_ok());
    let bytes = |package: &Package| package.to_secret_bytes()[9..41].to_vec();
    assert_eq!(bytes(&shown), bytes(honest.outputs[&id(2)].package.as_ref().unwrap()), "one sid");
    assert_eq!(case.receive(&shown, &confirmations).err(), unconfirmed(&[1, 2]));
    // the liar alone confirms both
    let own = other.parties[&id(1)].resend().into_iter().map(|frame| frame.bytes);
    let both: Vec<_> = confirmations.iter().cloned().chain(own).collect();
    assert_eq!(case.receive(&shown, &both).err(), unconfirmed(&[2]));
    // the good old share is still there, and the true set is taken
    dkg::check_sharing(&case.old);
    assert!(case.receive(honest.outputs[&id(1)].package.as_ref().unwrap(), &both).is_ok());
}

// attacks.md row 100
#[test]
fn row_100_a_split_polynomial_is_not_what_all_confirmed() {
    split::<Secp256k1>(to_device(3, 3));
    split::<Secp256k1>(to_share(3));
    split::<Ed25519>(to_device(3, 3));
    split::<Ed25519>(to_share(3));
}

// attacks.md row 101: any byte, any value replaced by one that is as good in itself, another run
#[test]
fn row_101_a_replaced_value_is_refused_and_names_nobody() {
    for to in [to_device(3, 3), to_share(3)] {
        let case = Refresh::<G>::new(to, 370);
        let (outputs, frames) = case.run(371);
        let package = outputs[&id(1)].package.as_ref().unwrap();
        let bytes = package.to_secret_bytes();
        assert!(bytes.len() < 1150, "{}", bytes.len());
        let (mut decoded, mut all) = (0, BTreeSet::new());
        for at in 0..bytes.len() {
            let mut changed = bytes.to_vec();
            changed[at] ^= 1 << (at % 8);
            let Ok(changed) = Package::decode(&mut Reader::new(&changed)) else { continue };
            decoded += 1;
            let error = case.receive(&changed, &frames).err().expect("a changed byte is found");
            assert!(matches!(error, OfflineError::Unconfirmed(_) | OfflineError::Package), "{at}: {error}");
            all.insert(error.to_string());
        }
        assert!(decoded + 100 > bytes.len() && all.contains(&unconfirmed(&[1, 2]).unwrap().to_string()));
        for len in 0..bytes.len() {
            assert!(Package::decode(&mut Reader::new(&bytes[..len])).is_err());
        }
        // a value sealed by the attacker, whom the recipient's public key is enough
        let sid = Sid::from_bytes(bytes[9..41].try_into().unwrap());
        let forged = sealed_by(2, &case, &sid, &Scalar::<G>::from(5u64), case.old[&id(1)].chain_code()).to_bytes();
        let mut changed = bytes.to_vec();
        let end = bytes.len() - 2;
        changed[end - forged.len()..end].copy_from_slice(&forged);
        let changed = Package::decode(&mut Reader::new(&changed)).unwrap();
        assert_eq!(case.receive(&changed, &frames).err(), unconfirmed(&[1, 2]));
        // of another run of the same plan, with its own confirmations or these
        let (other, other_frames) = case.run(372);
        let other = other[&id(1)].package.as_ref().unwrap();
        assert_eq!(case.receive(other, &frames).err(), unconfirmed(&[1, 2]));
        assert_eq!(case.receive(package, &other_frames).err(), unconfirmed(&[1, 2]));
        assert!(case.receive(other, &other_frames).is_ok() && case.receive(package, &frames).is_ok());
    }
}

#[test]
fn every_online_holder_has_confirmed_or_nothing_is_taken() {
    let old = dkg::keygen::<G>(2, 4, 375);
    let absent = vec![to_device(4, 4)];
    let ready = |me: u16| refresh(&old[&id(me)], &ids(&[1, 2]), 1, Factors::Gone).unwrap();
    let (outputs, frames) = online([1, 2, 3].map(|me| with(ready(me), &absent)).into(), 376, 3);
    let package = outputs[&id(3)].package.clone().unwrap();
    let key = device(4);
    let receive = |setup: ReshareSetup<G, Refreshes>, label: &Label, frames: &[Vec<u8>]| {
        setup.offline_holder(&absent).unwrap().receive(label, &package, frames, OpenWith::Device(&key), &mut rng(5))
    };
    assert!(receive(ready(4).0, &label(), &frames).is_ok());
    // without one of them; the frame of another party, round or with a changed byte is none
    for missing in [1, 2, 3] {
        let of = |frame: &Vec<u8>| Header::parse(frame).unwrap();
        let is = |frame: &Vec<u8>| of(frame).sender == id(missing) && of(frame).round == 4;
        let fewer: Vec<_> = frames.iter().filter(|frame| !is(frame)).cloned().collect();
        assert_eq!(fewer.len() + 1, frames.len());
        assert_eq!(receive(ready(4).0, &label(), &fewer).err(), unconfirmed(&[missing]));
        let mine = frames.iter().find(|frame| is(frame)).unwrap();
        for at in 0..mine.len() {
            let mut changed = mine.clone();
            changed[at] ^= 1;
            // the run tag is signed, like everything else
            let with: Vec<_> = fewer.iter().cloned().chain([changed]).collect();
            assert_eq!(receive(ready(4).0, &label(), &with).err(), unconfirmed(&[missing]), "byte {at}");
        }
    }
    // another decision of the local caller
    let all = unconfirmed(&[1, 2, 3]);
    let later = refresh(&old[&id(4)], &ids(&[1, 2]), 2, Factors::Gone).unwrap().0;
    assert_eq!(receive(later, &label(), &frames).err(), all);
    let kept = refresh(&old[&id(4)], &ids(&[1, 2]), 1, Factors::Kept).unwrap().0;
    assert_eq!(receive(kept, &label(), &frames).err(), all);
    let others = refresh(&old[&id(4)], &ids(&[1, 3]), 1, Factors::Gone).unwrap().0;
    assert_eq!(receive(others, &label(), &frames).err(), all);
    assert_eq!(receive(ready(4).0, &Label::new("another run").unwrap(), &frames).err(), all);
    // of the echo, with the same signature and shape, nothing follows
    let holder = |absent: &Absent| ready(4).0.offline_holder(absent).unwrap();
    let wrong = holder(&absent).receive(&label(), &package, &frames, OpenWith::Device(&device(5)), &mut rng(5));
    assert_eq!(wrong.err(), Some(OfflineError::Key));
    let wrong = holder(&absent).receive(&label(), &package, &frames, OpenWith::OldShares(&[&old[&id(4)]]), &mut rng(5));
    assert_eq!(wrong.err(), Some(OfflineError::Key));
    let fallback = vec![to_share(4)];
    for shares in [&[&old[&id(1)]][..], &[], &[&old[&id(4)], &old[&id(4)]]] {
        let wrong = holder(&fallback).receive(&label(), &package, &frames, OpenWith::OldShares(shares), &mut rng(5));
        assert_eq!(wrong.err(), Some(OfflineError::Key));
    }
    // sealed to another kind of key than this caller thinks
    let wrong =
        holder(&fallback).receive(&label(), &package, &frames, OpenWith::OldShares(&[&old[&id(4)]]), &mut rng(5));
    assert_eq!(wrong.err(), all);
    assert_eq!(receive(ready(4).0, &label(), &[]).err(), all);
}

// attacks.md row 102
#[test]
fn row_102_nothing_is_sealed_to_the_old_share_of_somebody_else() {
    let old = dkg::keygen::<G>(2, 3, 380);
    let share = &old[&id(2)];
    let plan = plan_to(&old, &ids(&[2, 3]), &[(1, 9), (2, 2), (3, 3), (4, 4)], 2);
    let consent = Consent::new(plan.changes());
    let at = |me: u16, share| hand_over::<G>(id(me), share, plan.clone(), &consent).unwrap().0;
    for who in [1, 4] {
        // replaced, new
        assert_eq!(at(2, Some(share)).with_offline(&[to_share(who)]).err(), Some(PlanError::OldShare(id(who))));
        assert_eq!(at(who, None).offline_holder(&[to_share(who)]).err(), Some(PlanError::OldShare(id(who))));
        assert!(at(2, Some(share)).with_offline(&[to_device(who, 1)]).is_ok());
    }
    // removed
    let fewer = plan_to(&old, &ids(&[2, 3]), &[(2, 2), (3, 3)], 2);
    let consent = Consent::new(fewer.changes());
    let setup = hand_over(id(2), Some(share), fewer, &consent).unwrap().0;
    assert_eq!(setup.with_offline(&[to_share(1)]).err(), Some(PlanError::Offline(id(1))));

    // and what is sealed to the device of a replaced holder, its old share does not open
    let absent = vec![to_device(1, 1)];
    let (outputs, _) = online(ready_online(&plan, &old, &absent), 381, 2);
    let package = outputs[&id(2)].package.as_ref().unwrap().to_secret_bytes();
    let len = Sealed::device_length(64);
    let last = Sealed::from_bytes(&package[package.len() - 2 - len..package.len() - 2], 64).unwrap();
    let sid = Sid::from_bytes(package[9..41].try_into().unwrap());
    let info = context(&sid, 3, 1, 0);
    assert!(symbolon_seal::open_with_device(&device(1), &info, &[], &last).is_ok());
    // each part of the context counts
    let elsewhere = Sid::from_bytes([0; 32]);
    for info in [context(&elsewhere, 3, 1, 0), context(&sid, 2, 1, 0), context(&sid, 3, 2, 0), context(&sid, 3, 1, 1)] {
        assert!(symbolon_seal::open_with_device(&device(1), &info, &[], &last).is_err());
    }
    assert!(symbolon_seal::open_with_point(old[&id(1)].secret(), &info, &[], &last).is_err());
}

/// What the members of a refresh by 1 and 2 would confirm, had they accepted this package.
fn outcome_of<G: Group>(case: &Refresh<G>, package: &[u8]) -> Vec<u8> {
    let (setup, _) = &case.members()[0];
    let (mut terms, mut members, mut r) = (Writer::new(), Writer::new(), Reader::new(&package[9..]));
    setup.terms().encode(&mut terms);
    setup.roster().encode_members(&mut members);
    let mut echo = Transcript::new("sharing", "echo").part(r.bytes(32).unwrap());
    let mut all = Transcript::new("reshare", "echo").part("refresh").part(terms.finish()).part(members.finish());
    for dealer in 1..=r.u16().unwrap() {
        all = all.part(r.bytes(32).unwrap());
        echo = echo.number(dealer).part(r.bytes(32).unwrap()).part(r.prefixed(4096).unwrap());
    }
    Transcript::new("reshare", "outcome").part(all.part(echo.finish()).finish()).number(0u64).finish().to_vec()
}

// attacks.md row 39: all who were online confirm a package with torsion in one of a dealer's points
#[test]
fn row_39_torsion_in_a_confirmed_package_names_the_dealer() {
    let case = Refresh::<Ed25519>::new(to_share(3), 397);
    let run = |outcome: Option<Vec<u8>>| {
        let liar = |me| -> (PartyId, Lie) {
            let outcome = outcome.clone();
            let lie: Lie = Box::new(move |round, _, _, body| match &outcome {
                Some(outcome) if round == OUTCOME => body.clone_from(outcome),
                _ => (),
            });
            (id(me), lie)
        };
        lied::<Reshare<Ed25519, Refreshes>>(case.members(), vec![liar(1), liar(2)])
    };
    let bytes = run(None).outputs[&id(1)].package.as_ref().unwrap().to_secret_bytes();
    // magic, version, sid, count, then of dealer 1: sid, commitment, length
    let body = 8 + 1 + 32 + 2 + 32 + 32 + 4;
    // commitments, statement (points, marks, hash), opening, K, z, kind, E
    let big_k = 64 + 97 + 32;
    for at in [0, 32, 64, 96, big_k, big_k + 65].map(|at| body + at) {
        let point = Ed25519::point_from_bytes(&bytes[at..at + 32]).unwrap();
        for (i, torsion) in curve25519_dalek::constants::EIGHT_TORSION.iter().enumerate() {
            let mut changed = bytes.to_vec();
            changed[at..at + 32].copy_from_slice((point + torsion).compress().as_bytes());
            let frames = handed_along(&run(Some(outcome_of(&case, &changed))), 1);
            let received = case.receive(&Package::decode(&mut Reader::new(&changed)).unwrap(), &frames).err();
            let fault = match i {
                // the control: the first of the eight is the identity
                0 => None,
                // the statement is compared with what the holder knows, after the opening that covers it
                _ if (body + 64..body + 128).contains(&at) => Some(Fault::Opening),
                _ => Some(Fault::Encoding(DecodeError::Point)),
            };
            assert_eq!(received, fault.map(|fault| OfflineError::Dealt { culprit: Some(id(1)), fault }), "{at}");
        }
    }
}
