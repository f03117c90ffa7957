//! The `closed` answer of a party that never stored (safety.md S2).

use crate::endings::{prepared, save};
use crate::net::*;
use crate::toys::*;
use symbolon_core::{PartyId, Role};
use symbolon_session::{Error, *};

#[test]
fn closed_ends_a_run_in_doubt_only_when_it_is_authentic() {
    fn roster(role: Role) -> Roster {
        Pair::from(role).roster()
    }
    let mut net = prepared(1);
    save(&mut net, S);
    let (_, _, last) = net.queue.pop_front().unwrap();
    // the client never stored; it decides so, durably, and answers the server's repeated frame, as often as asked
    let mut ledger = MemoryLedger::default();
    let answer =
        |ledger: &mut MemoryLedger| close::<Toy<Keys>, _>(S, &last, &roster(Role::Client), Auth::Channel, ledger);
    let closed = answer(&mut ledger).unwrap();
    assert_eq!(answer(&mut ledger).unwrap(), closed);
    assert_eq!(closed.to, To::One(S));
    for at in 0..closed.bytes.len() {
        let mut wrong = closed.bytes.clone();
        wrong[at] ^= 1;
        net.give(C, S, &wrong).unwrap_err();
    }
    net.give(C, S, &closed.bytes[..closed.bytes.len() - 1]).unwrap_err();
    assert_eq!(net.give(C, S, &[&closed.bytes[..], &[0]].concat()), Err(Rejected::Size));
    assert!(net.session(S).closed_by().is_empty());
    // an answer to another run
    let mut other = prepared(2);
    save(&mut other, S);
    assert_eq!(other.give(C, S, &closed.bytes), Err(Rejected::Run));
    net.give(C, S, &closed.bytes).unwrap();
    let (_, Error::Aborted(aborted)) = net.errors.pop().unwrap() else { panic!() };
    assert_eq!((aborted.culprit, aborted.fault), (None, Fault::Closed));
    assert_eq!(net.session(S).closed_by().iter().collect::<Vec<_>>(), [&C]);

    // a client that stored, and claimed so, can't answer closed
    let mut net = prepared(1);
    save(&mut net, S);
    let (_, _, last) = net.queue.front().unwrap().clone();
    net.run();
    let mut ledger = MemoryLedger::default();
    for token in net.pending[&C].run_ends() {
        assert_eq!(ledger.claim(token), Ok(Claimed::Fresh));
    }
    for _ in 0..2 {
        let refused = close::<Toy<Keys>, _>(S, &last, &roster(Role::Client), Auth::Channel, &mut ledger);
        assert_eq!(refused, Err(CloseError::Stored));
    }
    // and one that answered closed finds out before it stores
    let mut ledger = MemoryLedger::default();
    let _ = close::<Toy<Keys>, _>(S, &last, &roster(Role::Client), Auth::Channel, &mut ledger).unwrap();
    assert_eq!(ledger.claim(&net.pending[&C].run_ends()[0]), Ok(Claimed::Again));
    // strangers and misdirected frames claim nothing
    let mut ledger = MemoryLedger::default();
    let answered = close::<Toy<Keys>, _>(C, &closed.bytes, &roster(Role::Server), Auth::Channel, &mut ledger);
    assert_eq!(answered, Err(CloseError::Rejected(Rejected::Slot)), "an answer is not answered");
    assert!(close::<Toy<Keys>, _>(C, &last, &roster(Role::Client), Auth::Channel, &mut ledger).is_err());
    assert!(close::<Toy<Keys>, _>(S, &last, &roster(Role::Server), Auth::Channel, &mut ledger).is_err());
    assert!(close::<Toy<Keys>, _>(S, &[], &roster(Role::Client), Auth::Channel, &mut ledger).is_err());
    let danger = close::<Toy<Keys>, _>(S, &last, &roster(Role::Client), Auth::danger_unauthenticated(), &mut ledger);
    assert_eq!(danger, Err(CloseError::Auth(AuthError::Kind)));
    assert_eq!(ledger.claim(&net.pending[&C].run_ends()[0]), Ok(Claimed::Fresh));
}

/// What party `me` of three, which never stored, answers to a frame of another one.
fn closed_of<K: Kind>(me: PartyId, members: u16, from: PartyId, frame: &[u8]) -> Vec<u8> {
    let roster = keyed(me, members).roster;
    close::<Toy<K>, _>(from, frame, &roster, signed(me), &mut MemoryLedger::default()).unwrap().bytes
}

/// What a session does with a `closed` that it believes and that does not end it.
fn only_noted<K: Kind>(session: &mut Session<Toy<K>>, from: PartyId, closed: &[u8]) {
    let (waiting, frames) = (session.waiting_for(), session.resend());
    for _ in 0..2 {
        assert!(matches!(session.handle(from, closed), Ok(Step::Continue(frames)) if frames.is_empty()));
        assert!(session.closed_by().contains(&from));
    }
    assert_eq!((session.waiting_for(), session.resend()), (waiting, frames));
}

#[test]
fn closed_among_many_ends_what_is_not_stored() {
    let mut net = Net::<Trio>::signed(3, 6);
    let three = party(3);
    net.store = false;
    net.run();
    save(&mut net, S);
    let (_, _, of_s) = net.queue.iter().find(|m| m.1 == three).unwrap().clone();
    let mut forged = closed_of::<Trio>(three, 3, S, &of_s);
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(net.give(three, S, &forged), Err(Rejected::Signature));
    assert!(net.session(S).closed_by().is_empty());
    // 2 is prepared and has confirmed nothing: without it nobody finishes
    let of_c = net.mail.iter().find(|m| m.0 == C && m.1 == three).unwrap().2.clone();
    net.give(three, C, &closed_of::<Trio>(three, 3, C, &of_c)).unwrap();
    let (who, Error::Aborted(aborted)) = net.errors.pop().unwrap() else { panic!() };
    assert_eq!((who, aborted.culprit, aborted.fault), (C, None, Fault::Closed));
    assert!(net.session(C).resend().is_empty() && aborted.view.is_empty());
    // a run that is not prepared yet ends too, and gives back what it held
    let mut net = Net::<Trio>::signed(3, 7);
    let first = net.mail[0].2.clone();
    net.give(C, S, &closed_of::<Trio>(C, 3, S, &first)).unwrap();
    assert!(matches!(&net.errors[0].1, Error::Aborted(a) if a.fault == Fault::Closed && a.held == Some(Cargo(1))));
}

/// Of three, one confirms to the first and says `closed` to the second: the first is done and erases its old value, so that
/// the second must not drop its new one. Any honest member that is done ends its doubt, also after a crash.
#[test]
fn row_87_closed_to_one_and_confirmed_to_another_costs_no_key() {
    let mut net = Net::<Trio>::signed(3, 6);
    let three = party(3);
    net.store = false;
    net.run();
    for who in [S, C, three] {
        save(&mut net, who);
    }
    net.queue.retain(|m| !(m.0 == three && m.1 == S));
    let of_s = net.queue.iter().find(|m| m.0 == S && m.1 == three).unwrap().2.clone();
    net.run();
    assert!(net.outputs.contains_key(&C) && !net.outputs.contains_key(&S));
    let closed = closed_of::<Trio>(three, 3, S, &of_s);
    only_noted(net.session(S), three, &closed);
    let (mut resumed, step) = Session::<Toy<Trio>>::resume_ending(&net.sealed[&S], &storage(), signed(S)).unwrap();
    assert!(matches!(step, Step::Continue(frames) if !frames.is_empty()));
    assert!(resumed.closed_by().is_empty());
    only_noted(&mut resumed, three, &closed);

    let done = net.session(C);
    let mut shown = done.confirmations().to_vec();
    shown.extend(done.resend().into_iter().map(|frame| frame.bytes));
    for mut session in [net.parties.remove(&S).unwrap(), resumed] {
        let mut outputs = Vec::new();
        for frame in &shown {
            if let Ok(Step::Done(key, ..)) = session.handle(Header::parse(frame).unwrap().sender, frame) {
                outputs.push(key);
            }
        }
        assert_eq!(outputs, [net.outputs[&C]]);
        assert_eq!(session.closed_by().iter().collect::<Vec<_>>(), [&three], "who said both");
    }
}

/// Of two whose confirmations are shown to a third, either could have finished the third.
#[test]
fn closed_ends_no_doubt_where_somebody_outside_is_shown_the_confirmations() {
    let mut net = Net::<Shown>::signed(2, 6);
    net.store = false;
    net.run();
    save(&mut net, S);
    let of_s = net.mail.iter().find(|m| m.0 == S).unwrap().2.clone();
    let closed = closed_of::<Shown>(C, 2, S, &of_s);
    only_noted(net.session(S), C, &closed);
    let (mut session, _) = Session::<Toy<Shown>>::resume_ending(&net.sealed[&S], &storage(), signed(S)).unwrap();
    only_noted(&mut session, C, &closed);
    save(&mut net, C);
    net.run();
    net.all_agree();
    // without it the doubt of one of two ends, also after a crash
    let mut net = Net::<Trio>::signed(2, 6);
    net.store = false;
    net.run();
    save(&mut net, S);
    let closed = closed_of::<Trio>(C, 2, S, &net.mail.iter().find(|m| m.0 == S).unwrap().2);
    let (mut session, _) = Session::<Toy<Trio>>::resume_ending(&net.sealed[&S], &storage(), signed(S)).unwrap();
    assert!(matches!(session.handle(C, &closed), Err(Error::Aborted(a)) if a.fault == Fault::Closed));
    net.give(C, S, &closed).unwrap();
    assert!(matches!(&net.errors[0].1, Error::Aborted(a) if a.fault == Fault::Closed));
}

/// An honest member answers for every run that it has lost, under one label as well.
#[test]
fn closed_for_two_runs_convicts_nobody() {
    let three = party(3);
    let mut ledger = MemoryLedger::default();
    let mut answers = Vec::new();
    for seed in [6, 8, 8] {
        let net = Net::<Trio>::signed(3, seed);
        let first = net.mail.iter().find(|m| m.0 == S && m.1 == three).unwrap().2.clone();
        let answer = close::<Toy<Trio>, _>(S, &first, &keyed(three, 3).roster, signed(three), &mut ledger).unwrap();
        assert_eq!(Header::parse(&answer.bytes).unwrap().run, Header::parse(&first).unwrap().run);
        answers.push(answer.bytes);
    }
    assert!(answers[0] != answers[1] && answers[1] == answers[2]);
    for a in &answers {
        assert!(answers.iter().all(|b| !convict(a, b, &public_key(three))));
    }
}

#[test]
fn closed_is_answered_to_frames_of_key_making_rounds_only() {
    let roster = Pair::from(Role::Client).roster();
    let mut ledger = MemoryLedger::default();
    let net = Net::<Keys>::two(1);
    let first = net.mail[0].2.clone();
    let mut answer = |frame: &[u8]| close::<Toy<Keys>, _>(S, frame, &roster, Auth::Channel, &mut ledger);
    for round in [0, 5, 254, 255] {
        let mut odd = first.clone();
        odd[2] = round;
        assert_eq!(answer(&odd).err(), Some(CloseError::Rejected(Rejected::Slot)), "round {round}");
    }
    let ping = Net::<Ping>::two(1).mail[0].2.clone();
    assert_eq!(answer(&ping).err(), Some(CloseError::Rejected(Rejected::Protocol(Ping::ID))));
    let no_keys = close::<Toy<Ping>, _>(S, &ping, &roster, Auth::Channel, &mut ledger);
    assert_eq!(no_keys.err(), Some(CloseError::Rejected(Rejected::Slot)));
    // nothing was decided
    let end = |frame: &[u8]| Token::RunEnd { me: C, peer: Header::parse(frame).unwrap().run };
    assert_eq!(ledger.claim(&end(&ping)), Ok(Claimed::Fresh));
    assert_eq!(ledger.claim(&end(&first)), Ok(Claimed::Fresh));
}

/// Who has confirmed has stored, and can't have closed.
#[test]
fn closed_after_the_own_confirmation_is_rejected() {
    let mut net = Net::<Trio>::signed(3, 6);
    let three = party(3);
    net.store = false;
    net.run();
    net.pending.remove(&three);
    save(&mut net, S);
    let of_s = net.queue.iter().find(|m| m.1 == three).unwrap().2.clone();
    save(&mut net, C);
    net.run();
    assert_eq!(net.session(S).waiting_for().into_iter().collect::<Vec<_>>(), [three]);
    assert_eq!(net.give(C, S, &closed_of::<Trio>(C, 3, S, &of_s)), Err(Rejected::Past));
    assert!(net.errors.is_empty() && net.session(S).closed_by().is_empty());
    only_noted(net.session(S), three, &closed_of::<Trio>(three, 3, S, &of_s));

    // of two: the server has confirmed, the client has not stored yet
    let mut net = prepared(1);
    save(&mut net, S);
    net.run();
    let frame = net.mail[1].2.clone();
    let roster = Pair::from(Role::Server).roster();
    let closed = close::<Toy<Keys>, _>(C, &frame, &roster, Auth::Channel, &mut MemoryLedger::default()).unwrap();
    assert_eq!(net.give(S, C, &closed.bytes), Err(Rejected::Past));
    save(&mut net, C);
    net.run();
    net.all_agree();
}
