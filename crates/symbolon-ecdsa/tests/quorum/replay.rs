//! Frames of other runs, rounds, receivers and protocols. They are validly signed: only what they are bound to tells.

use crate::liars::*;
use crate::world::*;
use std::collections::BTreeSet;
use symbolon_core::PartyId;
use symbolon_ecdsa::quorum_item_of;
use symbolon_session::{Agreed, Fault, Header, Outgoing, Protocol, Rejected, To};
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
    let (all, shares) = (ids(&ALL), shares(3, 0));
    let old = overheard(Mode::Full, &ALL);
    let new = || Crowd::new(all.iter().map(|me| (*me, full(&shares[me], &all, SEED + 1))));
    // once the first frames are in: two peers, one frame each
    let crowd = again(new(), &old, 2).run();
    let why: BTreeSet<_> = crowd.rejected.iter().map(|rejected| format!("{:?}", rejected.2)).collect();
    assert_eq!(why, BTreeSet::from(["Run".to_owned()]));
    assert!(crowd.rejected.len() > 50);
    assert_signed(&ends(crowd, &[]));
    // before them: an old first frame takes the place of the new one. The sids differ; nobody is named, nothing burns
    for (me, end) in ends(again(new(), &old, 0), &[]) {
        let mismatch = failed(Mode::Full, me, &ALL, Fault::Mismatch(Agreed::Sid), None);
        assert!(end == mismatch || end == waiting(Mode::Full, me, &ALL), "{end:?}");
    }
}

// attacks.md rows 58, 52: from the bank the item is the run, so that even the first frames are told apart
#[test]
fn row_58_frames_of_another_item_are_refused() {
    let (all, shares) = (ids(&ALL), shares(3, 0));
    let old = overheard(Mode::Online, &ALL);
    let new = || {
        let mut items = items(&all, ITEMS);
        let one = |me: &PartyId| (*me, online(&shares[me], items.get_mut(me).unwrap().remove(1), SEED));
        Crowd::new(all.iter().map(one).collect::<Vec<_>>())
    };
    let crowd = again(new(), &old, 0).run();
    assert!(crowd.rejected.iter().all(|rejected| rejected.2 == Rejected::Run));
    assert!(crowd.rejected.len() > 40);
    assert_signed(&ends(crowd, &[]));
    // the same frames again, which they have: no harm
    let crowd = again(online_crowd(&ALL, Vec::new()), &old, 0).run();
    assert!(crowd.rejected.iter().all(|rejected| matches!(rejected.2, Rejected::Early)), "{:?}", crowd.rejected);
    assert_signed(&ends(crowd, &[]));
}

// attacks.md row 60: to another receiver, in the name of another sender, of another protocol
#[test]
fn row_60_frames_between_directions_and_protocols_are_refused() {
    let (all, shares) = (ids(&ALL), shares(3, 0));
    let frames = overheard(Mode::Full, &ALL);
    let old: Vec<_> = overheard(Mode::Online, &ALL);
    for (from, frame) in &frames {
        for me in &all {
            let others = all.iter().filter(|other| *other != me && *other != from);
            let mut session = full(&shares[me], &all, SEED).0;
            // in the name of another peer: the header says who has sent it
            for claimed in others {
                let error = session.handle(*claimed, &frame.bytes).map(|_| ()).unwrap_err();
                assert!(matches!(error, symbolon_session::Error::Rejected(_)), "{error}");
            }
            // reflected, or meant for somebody else
            let meant = frame.to == To::All || frame.to == To::One(*me);
            if from == me || !meant {
                let error = session.handle(*from, &frame.bytes).map(|_| ()).unwrap_err();
                assert!(matches!(error, symbolon_session::Error::Rejected(_)), "{error}");
            }
            assert!(session.cancel().is_some(), "it is as before");
        }
    }
    for (from, frame) in &old {
        for me in all.iter().filter(|me| *me != from) {
            let error = full(&shares[me], &all, SEED).0.handle(*from, &frame.bytes).map(|_| ()).unwrap_err();
            assert!(matches!(error, symbolon_session::Error::Rejected(Rejected::Protocol(13))), "{error}");
        }
    }
}

#[test]
fn a_first_frame_names_its_item() {
    let item = item(id(1), &ids(&ALL)).id();
    for (_, frame) in overheard(Mode::Online, &ALL) {
        assert_eq!(quorum_item_of(&frame.bytes), Some(item));
        assert_eq!(quorum_item_of(&frame.bytes[..Header::LEN - 1]), None);
    }
    assert!(overheard(Mode::Full, &ALL).iter().all(|(_, frame)| quorum_item_of(&frame.bytes).is_none()));
}
