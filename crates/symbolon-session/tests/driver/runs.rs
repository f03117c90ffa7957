//! Runs are told apart: other runs, other arguments, other nonces (safety.md S3).

use crate::net::*;
use crate::toys::*;
use symbolon_core::Role;
use symbolon_session::{Error, *};

#[test]
fn row_58_frames_of_another_run_are_rejected() {
    let mut old = Net::<Keys>::two(10);
    old.run();
    // after each number of delivered frames of the new run, all frames of the old run under the same label
    for progress in 1..old.mail.len() {
        let mut new = Net::<Keys>::two(20);
        for _ in 0..progress {
            new.deliver();
        }
        for (from, to, frame) in &old.mail {
            if *to == C || progress > 1 {
                let refused = new.give(*from, *to, frame);
                assert!(matches!(refused, Err(Rejected::Run | Rejected::Finished)), "{refused:?}");
            }
        }
        new.run();
        new.all_agree();
    }
    // another label, another protocol
    let mut ping = Net::<Ping>::two(10);
    let mut keys = Net::<Keys>::two(10);
    let (from, to, frame) = ping.queue[0].clone();
    assert_eq!(keys.give(from, to, &frame), Err(Rejected::Protocol(Ping::ID)));
    let other = Label::new("other label").unwrap();
    let (mut session, _) = Session::<Toy<Ping>>::start(
        ToySetup::two(Role::Client),
        &secret(C),
        Cargo(2),
        other,
        Auth::Channel,
        &mut rng(1),
    )
    .unwrap();
    assert!(matches!(session.handle(from, &frame), Err(Error::Rejected(Rejected::Label))));
    ping.run();
    keys.run();
}

/// Nobody can tell which first frame is old: the responder answers the one that comes first, and to the sender of the other
/// that is an answer to another run. The caller's deadline ends both, and names and burns nothing.
#[test]
fn row_58_a_replayed_first_frame_names_and_burns_nothing() {
    let mut old = Net::<Fire>::two(10);
    old.run();
    let mut new = Net::<Fire>::two(20);
    let genuine = new.queue.pop_front().unwrap();
    new.give(S, C, &old.mail[0].2).unwrap();
    assert_eq!(new.give(S, C, &genuine.2), Err(Rejected::Run), "a second first frame with another tag");
    let (from, to, answer) = new.queue.pop_front().unwrap();
    assert_eq!(new.give(from, to, &answer), Err(Rejected::Run), "it answers the old run");
    assert!(new.queue.is_empty() && new.outputs.is_empty() && new.errors.is_empty());
    for (me, peer) in [(S, C), (C, S)] {
        let session = new.parties.remove(&me).unwrap();
        assert_eq!(session.waiting_for().into_iter().collect::<Vec<_>>(), [peer]);
        assert_eq!(session.cancel(), Some(Cargo(u64::from(me.get()))));
    }
    // parties that start at the same time find a mismatch
    let mut old = Net::<Trio>::signed(2, 10);
    old.run();
    let mut new = Net::<Trio>::signed(2, 20);
    let genuine = new.queue.pop_front().unwrap();
    new.give(S, C, &old.mail[0].2).unwrap();
    assert_eq!(new.give(S, C, &genuine.2), Err(Rejected::Run));
    new.run();
    let (who, error) = new.errors.pop().unwrap();
    let Error::Aborted(aborted) = error else { panic!("{error}") };
    assert_eq!((who, aborted.culprit, aborted.fault), (S, None, Fault::Mismatch(Agreed::Sid)));
    assert_eq!(aborted.response(), Response::Retry);
    assert_eq!(aborted.held, Some(Cargo(1)));
    assert!(new.outputs.is_empty());
}

/// A first run was given up; its answer arrives while the second one waits for its own.
#[test]
fn row_105_a_late_answer_to_an_older_run_does_not_end_the_retry() {
    fn check<K: Kind>() {
        let mut old = Net::<K>::two(10);
        old.deliver();
        let (_, _, late) = old.queue.pop_front().unwrap();
        let mut new = Net::<K>::two(20);
        for _ in 0..2 {
            assert_eq!(new.give(C, S, &late), Err(Rejected::Run));
            new.deliver();
        }
        assert_eq!(new.give(C, S, &late), Err(Rejected::Run));
        new.run();
        new.all_agree();
        // what does answer this run, but under other arguments, still ends it
        let mut new = Net::<K>::two(20);
        new.deliver();
        new.queue[0].2[Header::LEN + 32] ^= 1;
        new.run();
        let Error::Aborted(aborted) = new.errors.pop().unwrap().1 else { panic!() };
        assert_eq!((aborted.culprit, aborted.fault), (None, Fault::Mismatch(Agreed::Sid)));
    }
    check::<Ping>();
    check::<Fire>();
    check::<Keys>();
}

/// The same where one of many sends after all others: it is heard after all others, too.
#[test]
fn row_105_the_last_to_start_binds_every_nonce() {
    let three = party(3);
    let mut old = Net::<Tail>::signed(3, 10);
    old.run();
    old.all_agree();
    let of_three = |m: &&Mail| m.0 == three && m.1 == S;
    let late = old.mail.iter().find(of_three).unwrap().2.clone();
    let mut new = Net::<Tail>::signed(3, 20);
    while let Some((from, to, frame)) = new.queue.pop_front() {
        match (from, to) {
            (C, S) => (), // lost
            (_, S) if from == three => {
                assert_eq!(new.give(from, to, &frame), Err(Rejected::Early), "the nonce of 2 is not known yet");
                assert_eq!(new.give(from, to, &late), Err(Rejected::Early));
            }
            _ => new.give(from, to, &frame).unwrap(),
        }
    }
    let again = new.session(C).resend();
    new.post(C, again);
    while new.give(three, S, &late) == Err(Rejected::Early) {
        assert!(new.deliver());
    }
    assert_eq!(new.give(three, S, &late), Err(Rejected::Run));
    let again = new.session(three).resend();
    new.post(three, again);
    new.run();
    let again = new.session(C).resend();
    new.post(C, again);
    new.run();
    new.all_agree();
}

#[test]
fn row_105_late_frames_of_an_older_run_frame_nobody() {
    let mut old = Net::<Talk>::signed(3, 10);
    old.run();
    let mut new = Net::<Talk>::signed(3, 20);
    for _ in 0..6 {
        new.deliver();
    }
    while !new.queue.is_empty() {
        for (from, to, frame) in &old.mail {
            if !new.outputs.contains_key(to) {
                assert_eq!(new.give(*from, *to, frame), Err(Rejected::Run));
            }
        }
        new.deliver();
    }
    new.all_agree();
}

#[test]
fn row_94_every_difference_between_the_callers_is_a_mismatch() {
    let start = |role: Role, epoch: u32, pair: Pair| {
        let setup = ToySetup { roster: pair.roster(), epoch };
        let cargo = Cargo(u64::from(role.id().get()));
        Session::<Toy<Fire>>::start(setup, &secret(role.id()), cargo, label(), Auth::Channel, &mut rng(4)).unwrap()
    };
    let stranger =
        Pair::new(Role::Client, Identity::name("another server"), *Pair::from(Role::Client).identity(Role::Client));
    for (epoch, pair) in [(8, Pair::from(Role::Client)), (7, stranger.unwrap())] {
        let server = start(Role::Server, 7, Role::Server.into());
        let mut net = Net::<Fire>::new([(S, server), (C, start(Role::Client, epoch, pair))]);
        net.run();
        assert!(net.outputs.is_empty());
        for (_, error) in &net.errors {
            let Error::Aborted(aborted) = error else { panic!("burned: {error}") };
            assert_eq!((aborted.culprit, aborted.fault), (None, Fault::Mismatch(Agreed::Sid)));
            assert!(aborted.held.is_some());
        }
        assert_eq!(net.errors.len(), 1);
    }
}

#[test]
fn a_mismatch_is_found_without_nonces_too() {
    let client = ToySetup { epoch: 8, ..ToySetup::two(Role::Client) };
    let client = Session::start(client, &secret(C), Cargo(2), label(), Auth::Channel, &mut rng(4)).unwrap();
    let mut net = Net::<Bank>::new([(S, two(Role::Server, 1)), (C, client)]);
    net.run();
    let Error::Aborted(aborted) = &net.errors[0].1 else { panic!() };
    assert_eq!(aborted.fault, Fault::Mismatch(Agreed::Sid));
}

#[test]
fn row_59_an_equivocated_nonce_is_a_mismatch_for_all() {
    // party 1 runs two sessions with different nonces and shows one to each peer
    let mut net = Net::<Talk>::signed(3, 30);
    let (mut twin, frames) =
        Session::<Toy<Talk>>::start(keyed(S, 3), &secret(S), Cargo(1), label(), signed(S), &mut rng(99)).unwrap();
    let other = frames[0].bytes.clone();
    let to_third = net.queue.iter_mut().find(|mail| mail.0 == S && mail.1 == party(3)).unwrap();
    to_third.2.clone_from(&other);
    let mut seen_by_twin: Vec<Mail> = vec![];
    for _ in 0..6 {
        let next = net.queue.front().unwrap().clone();
        seen_by_twin.extend((next.1 == S).then_some(next));
        net.deliver();
    }
    // the twin's round 2 goes to party 3, so that nobody stops for want of frames
    for (from, _, frame) in seen_by_twin {
        if let Step::Continue(frames) = twin.handle(from, &frame).unwrap() {
            for frame in frames {
                net.queue.retain(|mail| !(mail.0 == S && mail.1 == party(3)));
                net.queue.push_back((S, party(3), frame.bytes));
            }
        }
    }
    net.run();
    assert!(net.outputs.is_empty());
    let honest = net.errors.iter().filter(|(who, _)| *who != S);
    assert_eq!(honest.clone().count(), 2);
    for (_, error) in honest {
        let Error::Aborted(aborted) = error else { panic!() };
        assert_eq!((aborted.culprit, aborted.fault), (None, Fault::Mismatch(Agreed::Sid)));
        assert!(aborted.held.is_some());
    }
}
