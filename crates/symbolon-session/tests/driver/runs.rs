//! Runs are told apart (safety.md S3), and depend on what they should (S9); more in `rounds.rs`.

use crate::net::*;
use crate::toys::*;
use symbolon_core::{LabelTag, PartyId, Role};
use symbolon_session::{Error, *};

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
fn a_mismatch_is_found_without_nonces_too() {
    let client = ToySetup { epoch: 8, ..ToySetup::two(Role::Client) };
    let client = Session::start(client, &secret(C), Cargo(2), label(), Auth::Channel, &mut rng(4)).unwrap();
    let mut net = Net::<FromBank>::new([(S, two(Role::Server, 1)), (C, client)]);
    net.run();
    let Error::Aborted(aborted) = &net.errors[0].1 else { panic!() };
    assert_eq!(aborted.fault, Fault::Mismatch(Agreed::Sid));
}

/// Nobody can tell which first frame is old: the responder answers the one that comes first, and to the sender of the other
/// that is an answer to another run. The caller's deadline ends both, and names and burns nothing.
#[test]
fn row_58_in_turns_a_replayed_first_frame_names_and_burns_nothing() {
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
}

#[test]
fn a_run_is_a_function_of_setup_seed_and_frames() {
    let first = |seed: u8, secret: Secret, epoch: u32| {
        let setup = ToySetup { epoch, ..ToySetup::two(Role::Server) };
        let (_, frames) =
            Session::<Toy<Ping>>::start(setup, &secret, Cargo(1), label(), Auth::Channel, &mut rng(seed)).unwrap();
        frames[0].bytes[Header::LEN..].to_vec()
    };
    let base = first(1, secret(S), 7);
    assert_eq!(base, first(1, secret(S), 7));
    // one nonce and one value; each depends on everything (safety.md S9)
    for other in [first(2, secret(S), 7), first(1, secret(C), 7), first(1, secret(S), 8)] {
        assert_ne!(base[..32], other[..32]);
        assert_ne!(base[64..96], other[64..96]);
    }
}

#[test]
fn randomness_does_not_depend_on_buffered_frames() {
    let mut ahead = Net::<Talk>::signed(3, 7);
    ahead.run();
    let round_two = |early: bool| {
        let mut net = Net::<Talk>::signed(3, 7);
        net.queue.clear();
        let of = |round: u8, from: PartyId| {
            let slot = |mail: &&Mail| mail.0 == from && Header::parse(&mail.2).unwrap().round == round;
            ahead.mail.iter().find(slot).unwrap().2.clone()
        };
        net.give(S, C, &of(1, S)).unwrap();
        if early {
            net.give(S, C, &of(2, S)).unwrap();
        }
        net.give(party(3), C, &of(1, party(3))).unwrap();
        net.queue[0].2.clone()
    };
    assert_eq!(round_two(true), round_two(false));
}

#[test]
fn labels_and_headers() {
    assert!(Label::new("").is_err() && Label::new([0; 257]).is_err() && Label::new([0; 256]).is_ok());
    let net = Net::<Ping>::two(1);
    let header = Header::parse(&net.queue[0].2).unwrap();
    assert_eq!(header.label, label().tag(), "a server finds the session by the label tag");
    assert_ne!(header.label, LabelTag::from_bytes([0; 16]));
}
