//! How key-making runs end (safety.md S2).

use crate::net::*;
use crate::toys::*;
use symbolon_core::{Role, SecretBytes};
use symbolon_session::{Error, *};

/// Both prepared, nothing stored.
pub fn prepared(seed: u8) -> Net<Keys> {
    let mut net = Net::<Keys>::two(seed);
    net.store = false;
    net.run();
    assert_eq!(net.pending.len(), 1, "the client waits for the server's last frame, which waits for its store");
    net
}

pub fn save<K: Kind>(net: &mut Net<K>, who: symbolon_core::PartyId) {
    let pending = net.pending.remove(&who).unwrap();
    net.save(who, &pending);
}

fn resume<K: Kind>(sealed: &[u8]) -> (Session<Toy<K>>, Step<Toy<K>>) {
    Session::resume_ending(sealed, &storage(), Auth::Channel).unwrap()
}

#[test]
fn nothing_that_lets_the_peer_finish_leaves_before_stored() {
    let mut net = prepared(1);
    assert_eq!(net.mail.len(), 2);
    assert_eq!(net.session(S).resend().len(), 0, "the peer has everything that may leave");
    assert_eq!(net.session(S).waiting_for().into_iter().collect::<Vec<_>>(), [C]);
    let outcome = *net.pending[&S].outcome();
    assert_eq!(net.session(S).pending().unwrap().outcome(), &outcome);
    save(&mut net, S);
    net.run();
    assert_eq!(net.mail.len(), 3);
    assert!(net.outputs.is_empty());
    assert_eq!(net.pending[&C].outcome(), &outcome, "one outcome hash, no role in it");
    save(&mut net, C);
    assert!(net.outputs.contains_key(&C), "the server's confirmation is in: done at once, with the last frame");
    assert_eq!(net.mail.len(), 4);
    net.run();
    net.all_agree();
}

#[test]
fn the_receipt_of_another_run_releases_nothing() {
    let mut other = prepared(2);
    let mut net = prepared(1);
    let foreign = other.pending.remove(&S).unwrap().seal(&storage(), &mut rng(1)).unwrap();
    for _ in 0..2 {
        match net.session(S).stored(foreign.stored()) {
            Step::Continue(frames) => assert!(frames.is_empty()),
            _ => panic!("released by a foreign receipt"),
        }
    }
    // and of the other party of the same run
    let mut twin = prepared(1);
    save(&mut twin, S);
    twin.run();
    let client = twin.pending[&C].seal(&storage(), &mut rng(1)).unwrap();
    assert!(matches!(net.session(S).stored(client.stored()), Step::Continue(frames) if frames.is_empty()));
    assert!(net.session(S).resend().is_empty());
    // a session that is not prepared has nothing to release
    let (mut fresh, _) = two::<Keys>(Role::Server, 1);
    assert!(matches!(fresh.stored(foreign.stored()), Step::Continue(frames) if frames.is_empty()));
    save(&mut net, S);
    net.run();
    save(&mut net, C);
    net.run();
    net.all_agree();
}

/// Each final frame is lost, and each party crashes before and after `stored`: what is stored finishes, and what is not
/// stored was never confirmed.
#[test]
fn row_86_lost_last_frames_and_crashes() {
    // the server's last frame is lost: asked for again
    let mut net = prepared(1);
    save(&mut net, S);
    net.queue.clear();
    let again = net.session(S).resend();
    assert_eq!(again[0].bytes, net.mail[2].2);
    net.post(S, again);
    net.run();
    save(&mut net, C);
    // the client's last frame is lost, and the client is done: asked for again
    net.queue.clear();
    assert!(!net.outputs.contains_key(&S));
    let again = net.session(C).resend();
    net.post(C, again);
    net.run();
    net.all_agree();

    // the server crashes after its store, before or after its frame arrived
    for lost in [true, false] {
        let mut net = prepared(1);
        save(&mut net, S);
        if lost {
            net.queue.clear();
        }
        let (session, step) = resume(&net.sealed[&S]);
        net.parties.insert(S, session);
        net.step(S, step);
        net.run();
        save(&mut net, C);
        net.run();
        net.all_agree();
    }

    // the client crashes after its store, and its last frame with it; what it stored is complete
    let mut net = prepared(1);
    save(&mut net, S);
    net.run();
    save(&mut net, C);
    net.queue.clear();
    let (session, step) = resume(&net.sealed[&C]);
    assert!(matches!(&step, Step::Done(_, None, frames) if frames.len() == 1));
    net.parties.insert(C, session);
    net.step(C, step);
    net.run();
    net.all_agree();

    // the client crashes before its store: it has the old value, the server is in doubt, and neither is done
    let mut net = prepared(1);
    save(&mut net, S);
    net.run();
    assert!(net.outputs.is_empty() && !net.sealed.contains_key(&C));
    assert_eq!(net.session(S).waiting_for().into_iter().collect::<Vec<_>>(), [C]);
    // the server crashes before its store: nothing has left that lets the client finish
    let mut net = prepared(1);
    net.pending.clear();
    assert_eq!(net.session(C).waiting_for().into_iter().collect::<Vec<_>>(), [S]);
    assert!(net.outputs.is_empty());
}

/// The last to confirm is done at once, and its confirmation is lost with its session: what it has stored, and only that,
/// ends the doubt of its peer, which may have crashed as well.
#[test]
fn row_88_the_last_to_confirm_keeps_what_it_stored() {
    for crashed in [false, true] {
        let mut net = prepared(1);
        save(&mut net, S);
        net.run();
        save(&mut net, C);
        assert!(net.outputs.contains_key(&C), "done at once");
        net.queue.clear();
        drop(net.parties.remove(&C));
        if crashed {
            let (session, step) = resume(&net.sealed[&S]);
            assert!(matches!(step, Step::Continue(_)));
            net.parties.insert(S, session);
        }
        // the peer alone gets nowhere
        assert!(!net.outputs.contains_key(&S));
        assert_eq!(net.session(S).waiting_for().into_iter().collect::<Vec<_>>(), [C]);
        // again and again, as long as the peer has not shown that it is done
        for round in 0..3 {
            let (session, step) = resume::<Keys>(&net.sealed[&C]);
            let Step::Done(output, None, frames) = step else { panic!() };
            assert_eq!(Some(&output), net.outputs.get(&C));
            assert_eq!((frames.len(), frames[0].bytes == net.mail[3].2), (1, true), "byte for byte");
            assert_eq!(session.resend(), frames);
            if round == 1 {
                net.give(C, S, &frames[0].bytes).unwrap();
                net.parties.insert(C, session);
                net.all_agree();
            }
        }
    }
}

#[test]
fn in_doubt_no_frame_ends_the_run() {
    let mut net = prepared(1);
    save(&mut net, S);
    net.run();
    save(&mut net, C);
    let (_, _, last) = net.queue.pop_front().unwrap();
    for at in 0..last.len() {
        let mut wrong = last.clone();
        wrong[at] ^= 1;
        let refused = net.give(C, S, &wrong).unwrap_err();
        assert!(at < Header::LEN || refused == Rejected::Confirmation);
    }
    for (from, to, frame) in net.mail.clone().iter().filter(|mail| mail.1 == S && mail.2 != last) {
        net.give(*from, *to, frame).unwrap();
        let mut changed = frame.clone();
        *changed.last_mut().unwrap() ^= 1;
        assert_eq!(net.give(*from, *to, &changed), Err(Rejected::Past));
        changed.resize(1_000_000, 0);
        assert_eq!(net.give(*from, *to, &changed), Err(Rejected::Size), "unread");
    }
    assert!(net.errors.is_empty());
    net.give(C, S, &last).unwrap();
    net.all_agree();
}

#[test]
fn a_wrong_outcome_before_the_own_store_is_a_mismatch() {
    // the server's confirmation arrives with the frame that prepares the client
    let mut net = prepared(1);
    save(&mut net, S);
    let (from, to, mut frame) = net.queue.pop_front().unwrap();
    *frame.last_mut().unwrap() ^= 1;
    net.give(from, to, &frame).unwrap();
    let (who, Error::Aborted(aborted)) = net.errors.pop().unwrap() else { panic!() };
    assert_eq!((who, aborted.culprit, aborted.fault), (C, None, Fault::Mismatch(Agreed::Outcome)));
    assert_eq!(aborted.held, Some(Cargo(2)));
    assert!(aborted.view.is_empty(), "unsigned frames prove nothing");
    assert!(net.session(C).resend().is_empty());

    // many parties: a confirmation that arrives before, and one that arrives after `Prepared`
    for early in [true, false] {
        let mut ahead = Net::<Trio>::signed(2, 5);
        ahead.run();
        let third = |m: &&Mail| m.0 == S && Header::parse(&m.2).unwrap().round == 3;
        let confirmation = ahead.mail.iter().find(third).unwrap().2.clone();
        let forged = crate::auth::resigned(&confirmation, |content| *content.last_mut().unwrap() ^= 1);
        let mut net = Net::<Trio>::signed(2, 5);
        net.store = false;
        let to_client: Vec<_> = ahead.mail.iter().filter(|m| m.0 == S && m.2 != confirmation).cloned().collect();
        let last = to_client.len() - 1;
        for (at, (from, to, frame)) in to_client.iter().enumerate() {
            if at == last && early {
                net.give(S, C, &forged).unwrap();
            }
            net.give(*from, *to, frame).unwrap();
        }
        if !early {
            assert!(net.pending.contains_key(&C));
            net.give(S, C, &forged).unwrap();
        }
        let (_, Error::Aborted(aborted)) = net.errors.pop().unwrap() else { panic!() };
        assert_eq!((aborted.culprit, aborted.fault), (None, Fault::Mismatch(Agreed::Outcome)));
        assert_eq!(aborted.held.is_some(), early, "it left with `Prepared`");
        assert!(aborted.view.contains(&forged));
    }
}

/// One that confirms different outcomes is convicted by what those who received them have, whenever they arrive.
#[test]
fn the_views_of_different_confirmations_convict_their_signer() {
    fn check<K: Kind>(early: bool) {
        let (mut ahead, mut net) = (Net::<K>::signed(3, 5), Net::<K>::signed(3, 5));
        ahead.run();
        let third = |m: &&Mail| m.0 == S && Header::parse(&m.2).unwrap().round == 3;
        let confirmation = ahead.mail.iter().find(third).unwrap().2.clone();
        let lie = crate::auth::resigned(&confirmation, |content| *content.last_mut().unwrap() ^= 1);
        let three = party(3);
        net.store = false;
        net.run();
        save(&mut net, S);
        net.give(S, C, &confirmation).unwrap();
        if early {
            // 3 again, with the lie before the frame that prepares it
            let broadcast = |m: &Mail| m.1 == three && Header::parse(&m.2).unwrap().to == To::All;
            let second = |m: &Mail| m.0 == C && Header::parse(&m.2).unwrap().round == 2 && broadcast(m);
            let heard: Vec<Mail> = net.mail.iter().filter(|m| m.1 == three && m.2 != confirmation).cloned().collect();
            net.parties.insert(three, Net::<K>::signed(3, 5).parties.remove(&three).unwrap());
            heard.iter().filter(|m| !second(m)).for_each(|m| net.give(m.0, three, &m.2).unwrap());
            net.give(S, three, &lie).unwrap();
            heard.iter().filter(|m| second(m)).for_each(|m| net.give(C, three, &m.2).unwrap());
        } else {
            net.give(S, three, &lie).unwrap();
        }
        let (who, Error::Aborted(aborted)) = net.errors.pop().unwrap() else { panic!() };
        assert_eq!((who, aborted.culprit, aborted.fault), (three, None, Fault::Mismatch(Agreed::Outcome)));
        let slot =
            |frame: &Vec<u8>| Header::parse(frame).map(|header| (header.round, header.sender, header.to)).unwrap();
        let slots: Vec<_> = aborted.view.iter().map(slot).collect();
        for slot in [(1, S), (1, C), (2, S), (2, C), (3, S)].map(|(round, from)| (round, from, To::All)) {
            assert_eq!(slots.iter().filter(|known| **known == slot).count(), 1, "{slot:?}");
        }
        assert_eq!(slots.iter().filter(|slot| slot.2 == To::All).count(), slots.len(), "nothing private");
        let others = net.session(C).confirmations();
        let convicted = |key| aborted.view.iter().any(|a| others.iter().any(|b| convict(a, b, &public_key(key))));
        assert!(convicted(S) && !convicted(C) && !convicted(three));
    }
    for early in [false, true] {
        check::<Trio>(early);
        check::<Shown>(early);
    }
}

#[test]
fn early_confirmations_count() {
    // party 3 is slow: the confirmations of the others are there before it is prepared
    let mut net = Net::<Trio>::signed(3, 5);
    let three = party(3);
    let mut late = vec![];
    while let Some(mail) = net.queue.pop_front() {
        let round = Header::parse(&mail.2).unwrap().round;
        if mail.1 == three && mail.0 == S && round == 2 {
            late.push(mail);
        } else {
            let _ = net.give(mail.0, mail.1, &mail.2);
        }
    }
    assert!(net.outputs.is_empty() && !net.sealed.contains_key(&three));
    // the confirmation of 1 can't be in order before its round 2; that of 2 can
    let again = net.session(C).resend();
    net.post(C, again);
    net.run();
    for mail in late {
        let _ = net.give(mail.0, mail.1, &mail.2);
    }
    net.run();
    let again = net.session(S).resend();
    net.post(S, again);
    net.run();
    net.all_agree();
}

/// One frame completes two rounds and prepares the value: the frames of the round in between leave with the last ones.
#[test]
fn no_frame_is_lost_when_two_rounds_complete_at_once() {
    let mut net = Net::<Quad>::signed(3, 5);
    let three = party(3);
    let mut late = None;
    while let Some(mail) = net.queue.pop_front() {
        let round = Header::parse(&mail.2).unwrap().round;
        if mail.0 == S && mail.1 == three && round == 2 {
            late = Some(mail);
        } else {
            net.give(mail.0, mail.1, &mail.2).unwrap();
        }
    }
    // for 3, round 3 of both others is there already
    let (from, to, frame) = late.unwrap();
    net.give(from, to, &frame).unwrap();
    let rounds: Vec<u8> =
        net.queue.iter().filter(|m| m.1 == S).map(|mail| Header::parse(&mail.2).unwrap().round).collect();
    assert_eq!(rounds, [3, 4]);
    net.run();
    net.all_agree();
}

#[test]
fn row_87_whoever_shows_the_complete_set_ends_the_doubt() {
    // party 1 confirms to 2 only
    let mut net = Net::<Trio>::signed(3, 6);
    let three = party(3);
    while let Some((from, to, frame)) = net.queue.pop_front() {
        if !(from == S && to == three && Header::parse(&frame).unwrap().round == 3) {
            net.give(from, to, &frame).unwrap();
        }
    }
    assert_eq!(net.session(three).waiting_for().into_iter().collect::<Vec<_>>(), [S]);
    assert!(net.outputs.contains_key(&C) && !net.outputs.contains_key(&three));
    // 3 crashed in the meantime; 2, which is done, shows the complete set
    let (mut doubtful, _) =
        Session::<Toy<Trio>>::resume_ending(&net.sealed[&three], &storage(), signed(three)).unwrap();
    assert_eq!(doubtful.waiting_for().len(), 2, "sealed before any confirmation was in");
    let two = net.session(C);
    let mut shown = two.confirmations().to_vec();
    assert_eq!(shown.len(), 2);
    shown.extend(two.resend().into_iter().map(|frame| frame.bytes));
    let mut output = None;
    for frame in shown {
        let from = Header::parse(&frame).unwrap().sender;
        if let Ok(Step::Done(key, ..)) = doubtful.handle(from, &frame) {
            output = Some(key);
        }
    }
    assert_eq!(output.as_ref(), net.outputs.get(&C));
    // 2 is in doubt itself and shows what it has
    let mut net = Net::<Trio>::signed(3, 6);
    while let Some((from, to, frame)) = net.queue.pop_front() {
        if Header::parse(&frame).unwrap().round < 3 || (from == S && to == C) {
            net.give(from, to, &frame).unwrap();
        }
    }
    let confirmation = net.session(C).confirmations().to_vec();
    assert_eq!(confirmation.len(), 1);
    net.give(S, three, &confirmation[0]).unwrap();
    assert_eq!(net.session(three).waiting_for().into_iter().collect::<Vec<_>>(), [C]);
}

#[test]
fn spoilt_pending_values_are_refused() {
    let mut net = prepared(1);
    save(&mut net, S);
    let sealed = net.sealed[&S].clone();
    let open = |bytes: &[u8], key: &StorageKey, auth: Auth| Session::<Toy<Keys>>::resume_ending(bytes, key, auth).err();
    for len in 0..sealed.len() {
        assert!(open(&sealed[..len], &storage(), Auth::Channel).is_some());
    }
    for at in 0..sealed.len() {
        let mut flipped = sealed.clone();
        flipped[at] ^= 1;
        assert!(open(&flipped, &storage(), Auth::Channel).is_some());
    }
    let other = StorageKey::new(SecretBytes::new([1; 32]));
    assert_eq!(open(&sealed, &other, Auth::Channel), Some(ResumeError::Sealed(OpenError::Key)));
    assert_eq!(open(&sealed, &storage(), signed(S)), Some(ResumeError::Auth(AuthError::Kind)));
    let foreign = Session::<Toy<Ping>>::resume_ending(&sealed, &storage(), Auth::Channel).err();
    assert_eq!(foreign, Some(ResumeError::Protocol));
    assert!(open(&sealed, &storage(), Auth::Channel).is_none());
}

#[test]
fn a_pending_value_has_one_encoding() {
    let mut net = prepared(1);
    save(&mut net, S);
    let content = storage().open(b"pending\0", &net.sealed[&S]).unwrap();
    let mut read = 0;
    for (at, bit) in (0..content.len()).flat_map(|at| [(at, 1), (at, 2), (at, 128)]) {
        let mut changed = content.to_vec();
        changed[at] ^= bit;
        let sealed = storage().seal(b"pending\0", &changed, &mut rng(1)).unwrap();
        let resumed = Session::<Toy<Keys>>::resume_ending(&sealed, &storage(), Auth::Channel);
        let Some(again) = resumed.ok().and_then(|(session, _)| session.pending()) else { continue };
        let again = again.seal(&storage(), &mut rng(2)).unwrap();
        assert_eq!(*storage().open(b"pending\0", again.as_bytes()).unwrap(), changed, "byte {at}");
        read += 1;
    }
    assert!(read > 100, "{read}");
}
