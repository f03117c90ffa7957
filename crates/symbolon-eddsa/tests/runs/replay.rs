//! Frames of other runs, rounds, receivers and protocols. They are validly signed: only what they are bound to tells.

use crate::liars::*;
use crate::world::*;
use std::collections::BTreeSet;
use symbolon_core::{Ed25519, PartyId, Secp256k1};
use symbolon_session::{Agreed, Error, Fault, Outgoing, Protocol, Rejected, Session};
use symbolon_testkit::Crowd;

const ALL: [u16; 3] = [1, 2, 3];

fn again<P: Protocol + 'static>(mut crowd: Crowd<P>, old: &[(PartyId, Outgoing)], after: usize) -> Crowd<P> {
    for (from, frame) in old {
        crowd = crowd.with_replay(*from, frame, after);
    }
    crowd
}

// attacks.md rows 58, 105: the same signers, key and message; everything that was said before is said again, before each
// frame of this run
#[test]
fn row_58_frames_of_an_earlier_run_are_refused() {
    fn check<C: Curve>() {
        let (shares, all) = (shares::<C>(3), ids(&ALL));
        let old = overheard(Mode::Sign, &shares, &ALL);
        let new = || Crowd::new(all.iter().map(|me| (*me, sign(&shares[me], &all, MESSAGE, SEED + 1))));
        // once the first frames are in: two peers, one frame each
        let crowd = again(new(), &old, 2).run();
        assert!(crowd.rejected.len() > 10);
        assert!(crowd.rejected.iter().all(|rejected| rejected.2 == Rejected::Run));
        assert_signed(&ends(crowd, &[]));
        // before them: an old first frame takes the place of the new one. The sids differ, nobody is named
        for end in ends(again(new(), &old, 0), &[]).into_values() {
            assert!(end == End::Failed(Fault::Mismatch(Agreed::Sid), None) || end == End::Waiting, "{end:?}");
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md row 58: from the bank the item is the run, so that even the first frames are told apart
#[test]
fn row_58_frames_of_another_item_are_refused() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let old = overheard(Mode::Online, &shares, &ALL);
    let mut batch = items(&shares, &all);
    let second = |me: &PartyId| (*me, online(&shares[me], batch.get_mut(me).unwrap().remove(1), MESSAGE));
    let crowd = again(Crowd::new(all.iter().map(second).collect::<Vec<_>>()), &old, 0).run();
    assert_eq!(crowd.rejected.len(), 12);
    assert!(crowd.rejected.iter().all(|rejected| rejected.2 == Rejected::Run));
    assert_signed(&ends(crowd, &[]));
    // the same frames again, which they have: no harm
    let crowd = again(online_crowd(&shares, &ALL, Vec::new()), &old, 0).run();
    assert!(crowd.rejected.is_empty());
    assert_signed(&ends(crowd, &[]));
}

// attacks.md row 51: commitments that the liar has said in an earlier run: it has no nonces for them any more
#[test]
fn row_51_commitments_of_an_earlier_run() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let earlier = Crowd::new(all.iter().map(|me| (*me, sign(&shares[me], &all, MESSAGE, SEED + 1)))).run().sent;
    let (d_e, z) = (body(&earlier, 2, 1), body(&earlier, 2, 2)[32..].to_vec());
    let mut lie = other_commitments(2, &commitments(&shares, &ALL), d_e);
    let lie: symbolon_testkit::Lie = Box::new(move |telling| {
        lie(telling);
        if telling.message == SHARE {
            telling.body[32..].copy_from_slice(&z);
        }
    });
    assert_failed(&run(Mode::Sign, &shares, &ALL, liar(2, lie)), Fault::SignatureShare, Some(2));
}

// attacks.md row 60: in the name of another sender, reflected, of another protocol or curve
#[test]
fn row_60_frames_between_senders_and_protocols_are_refused() {
    fn refused<P: Protocol<Held = ()>>(session: &mut Session<P>, from: PartyId, frame: &Outgoing, why: &[Rejected]) {
        match session.handle(from, &frame.bytes) {
            Err(Error::Rejected(rejected)) => assert!(why.contains(&rejected), "{rejected}"),
            _ => panic!("a frame of something else was used"),
        }
    }
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let mut batch = items(&shares, &all);
    let signs = overheard(Mode::Sign, &shares, &ALL);
    let onlines = overheard(Mode::Online, &shares, &ALL);
    let prepares = prepare_crowd(&shares, &ALL, Vec::new()).run().sent;
    let (mut sign, _) = sign(&shares[&id(1)], &all, MESSAGE, SEED);
    let (mut online, _) = online(&shares[&id(1)], item(&mut batch, id(1)), MESSAGE);
    let (mut prepare, _) = preprocess(&shares[&id(1)], &all, COUNT, SEED);
    for (from, frame) in signs.iter().chain(&onlines).chain(&prepares) {
        for claimed in all.iter().filter(|id| *id != from) {
            let why = [Rejected::Sender, Rejected::Protocol(24), Rejected::Protocol(25), Rejected::Protocol(26)];
            refused(&mut sign, *claimed, frame, &why);
            refused(&mut online, *claimed, frame, &why);
            refused(&mut prepare, *claimed, frame, &why);
        }
    }
    let sets = [(24, &signs), (25, &prepares), (26, &onlines)];
    for (protocol, frames) in sets {
        let why = [Rejected::Protocol(protocol)];
        for (from, frame) in frames.iter().filter(|(from, _)| *from != id(1)) {
            if protocol != 24 {
                refused(&mut sign, *from, frame, &why);
            }
            if protocol != 25 {
                refused(&mut prepare, *from, frame, &why);
            }
            if protocol != 26 {
                refused(&mut online, *from, frame, &why);
            }
        }
    }
    // the other curve
    let other = overheard(Mode::Sign, &self::shares::<Secp256k1>(3), &ALL);
    let mut names = BTreeSet::new();
    for (from, frame) in other.iter().filter(|(from, _)| *from != id(1)) {
        match sign.handle(*from, &frame.bytes) {
            Err(Error::Rejected(rejected)) => names.insert(format!("{rejected:?}")),
            other => panic!("{:?}", other.map(|_| ())),
        };
    }
    assert_eq!(names, BTreeSet::from(["Size".to_owned(), "Run".to_owned()]));
}
