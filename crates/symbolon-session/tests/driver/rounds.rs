//! The driver's table (style.md section 3), over an authenticated channel.

use crate::net::*;
use crate::toys::*;
use proptest::prelude::*;
use rand_core::{TryCryptoRng, TryRng};
use symbolon_core::SecretVec;
use symbolon_core::{PartyId, Role, RunTag};
use symbolon_session::{Error, *};

#[test]
fn honest_runs_agree() {
    let mut outputs = vec![];
    for seed in 0..2 {
        let mut ping = Net::<Ping>::two(seed);
        ping.run();
        let mut keys = Net::<Keys>::two(seed);
        keys.run();
        let mut bank = Net::<FromBank>::two(seed);
        bank.run();
        outputs.extend([ping.all_agree().0, keys.all_agree().0, bank.all_agree().0]);
        for n in 2..6 {
            let mut trio = Net::<Trio>::signed(n, seed);
            trio.run();
            let mut talk = Net::<Talk>::signed(n, seed);
            talk.run();
            outputs.extend([trio.all_agree().0, talk.all_agree().0]);
        }
    }
    let count = outputs.len();
    outputs.sort_unstable();
    outputs.dedup();
    assert_eq!(outputs.len(), count, "every run has its own result");
}

#[test]
fn frames_have_the_documented_layout() {
    let mut net = Net::<Keys>::two(1);
    net.run();
    let sizes: Vec<usize> = net.mail.iter().map(|mail| mail.2.len() - Header::LEN).collect();
    // 1 S: nonce, sid0, body; 2 C: nonce, sid, body; 3 S: sid, body, stored; 4 C: stored
    assert_eq!(sizes, [32 + 32 + 64, 32 + 32 + 64, 32 + 64 + 32, 32]);
    for (round, (from, to, frame)) in (1..).zip(&net.mail) {
        let header = Header::parse(frame).unwrap();
        assert_eq!((header.round, header.sender, header.to), (round, *from, To::One(*to)));
        assert_eq!((header.protocol, header.label), (Keys::ID, label().tag()));
    }
    let tag = |i: usize| Header::parse(&net.mail[i].2).unwrap().run;
    assert!(tag(0) == tag(2) && tag(1) == tag(3) && tag(0) != tag(1));

    let mut bank = Net::<FromBank>::two(1);
    bank.run();
    let sizes: Vec<usize> = bank.mail.iter().map(|mail| mail.2.len() - Header::LEN).collect();
    assert_eq!(sizes, [32 + 64, 32 + 64], "the sid comes first, there is no nonce");
    assert_eq!(Header::parse(&bank.mail[0].2).unwrap().run, RunTag::from_bytes([9; 16]));

    let mut trio = Net::<Trio>::signed(3, 1);
    trio.run();
    for (_, _, frame) in &trio.mail {
        let header = Header::parse(frame).unwrap();
        let body = match header.round {
            1 => 32 + 32 + 64,
            2 => 32 + 64,
            _ => 32,
        };
        // three frames that leave together: two siblings each
        let path = if header.round == 2 { 2 * 32 } else { 0 };
        assert_eq!(frame.len(), Header::LEN + body + path + 1 + 64);
    }
}

/// Every byte of every frame, flipped, over a channel that does not notice: no panic, and whoever finishes agrees.
#[test]
fn mutated_bytes_never_panic_and_never_split() {
    fn check<K: Kind>() {
        let mut honest = Net::<K>::two(3);
        honest.run();
        for (target, (_, _, frame)) in honest.mail.iter().enumerate() {
            for at in 0..frame.len() {
                for bit in [1, 128] {
                    let mut net = Net::<K>::two(3);
                    for _ in 0..target {
                        assert!(net.deliver());
                    }
                    net.queue[0].2[at] ^= bit;
                    net.run();
                    // without key material the last frame may leave one side alone with its result
                    assert!(!K::KEY_MAKING || net.outputs.is_empty() || net.errors.is_empty());
                    if let (Some(a), Some(b)) = (net.outputs.get(&S), net.outputs.get(&C)) {
                        assert_eq!(a, b);
                    }
                    let both = net.outputs.len() == 2;
                    assert!(!both, "frame {target}, byte {at}");
                }
            }
        }
    }
    check::<Ping>();
    check::<Keys>();
    check::<FromBank>();
}

#[test]
fn truncated_and_extended_frames_are_rejected() {
    let mut honest = Net::<Keys>::two(3);
    honest.run();
    for target in 0..honest.mail.len() {
        let mut net = Net::<Keys>::two(3);
        for _ in 0..target {
            net.deliver();
        }
        let (from, to, frame) = net.queue[0].clone();
        for len in 0..frame.len() - 65 {
            net.give(from, to, &frame[..len]).unwrap_err();
        }
        net.give(from, to, &[&frame[..], &[0; 65]].concat()).unwrap_err();
        net.run();
        net.all_agree();
    }
}

#[test]
fn header_faults_are_rejected_with_a_reason() {
    let mut net = Net::<Ping>::two(5);
    let (from, to, frame) = net.queue[0].clone();
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = frame.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let mut refuse = |frame: &[u8]| net.give(from, to, frame).unwrap_err();
    assert_eq!(refuse(&[]), Rejected::Length);
    assert_eq!(refuse(&[1]), Rejected::Length);
    assert_eq!(refuse(&frame[..38]), Rejected::Length);
    assert_eq!(refuse(&frame[..39]), Rejected::Size);
    assert_eq!(refuse(&with(1, &[202])), Rejected::Protocol(202));
    assert_eq!(refuse(&with(2, &[0])), Rejected::Slot);
    assert_eq!(refuse(&with(2, &[2])), Rejected::Slot, "the server does not send in round 2");
    assert_eq!(refuse(&with(2, &[3])[..39 + 96]), Rejected::Run, "the tag is not known before the first frame");
    assert_eq!(refuse(&with(2, &[5])), Rejected::Slot);
    assert_eq!(refuse(&with(3, &[0, 0])), Rejected::Sender);
    assert_eq!(refuse(&with(3, &[0, 2])), Rejected::Sender, "the own id");
    assert_eq!(refuse(&with(3, &[0, 3])), Rejected::Sender, "not a member");
    assert_eq!(refuse(&with(5, &[0, 1])), Rejected::Recipient);
    assert_eq!(refuse(&with(5, &[0, 0])), Rejected::Slot, "no broadcast in this protocol");
    assert_eq!(refuse(&with(7, &[1])), Rejected::Label);
    assert_eq!(refuse(&with(23, &[1, 2, 3])), Rejected::Run);
    assert_eq!(refuse(&with(39, &[1, 2, 3])), Rejected::Run, "another nonce under the tag");
    assert_eq!(net.parties.get_mut(&to).unwrap().handle(party(3), &frame).unwrap_err().response(), None);
    net.run();
    net.all_agree();
}

#[test]
fn row_81_unknown_versions_fail_at_the_first_byte() {
    let mut net = Net::<Ping>::two(5);
    let (from, to, frame) = net.queue[0].clone();
    for version in (0..=255).filter(|version| *version != Header::VERSION) {
        let mut other = frame.clone();
        other[0] = version;
        assert_eq!(net.give(from, to, &other), Err(Rejected::Version(version)));
        assert_eq!(Header::parse(&[version]), Err(Rejected::Version(version)), "one byte is enough");
    }
}

#[test]
fn a_frame_of_100_megabytes_is_rejected_unread() {
    let mut net = Net::<Ping>::two(5);
    let (from, to, mut frame) = net.queue[0].clone();
    frame.resize(100_000_000, 0);
    for _ in 0..1000 {
        // a thousand times: neither hashed nor copied
        assert_eq!(net.give(from, to, &frame), Err(Rejected::Size));
    }
    let mut trio = Net::<Trio>::signed(3, 5);
    let (from, to, mut frame) = trio.queue[0].clone();
    frame.resize(100_000_000, 1);
    assert_eq!(trio.give(from, to, &frame), Err(Rejected::Size));
    frame.resize(100_000_001, 0);
    assert_eq!(trio.give(from, to, &frame), Err(Rejected::Size));
    frame.resize(100_000_200, 0);
    assert_eq!(trio.give(from, to, &frame), Err(Rejected::Signature), "a position that no frame has");
    trio.run();
    assert_eq!(trio.give(from, to, &frame), Err(Rejected::Finished));
}

#[test]
fn duplicates_are_ignored_and_resent_frames_are_identical() {
    let mut net = Net::<Keys>::two(6);
    while let Some((from, to, frame)) = net.queue.front().cloned() {
        let again = net.session(from).resend();
        assert_eq!(again.last().unwrap().bytes, frame);
        net.deliver();
        if !net.outputs.contains_key(&to) {
            // the same frame again does nothing, now or later
            for (from, to, frame) in net.mail.clone().into_iter().filter(|mail| mail.1 == to) {
                if net.queue.iter().any(|queued| queued.2 == frame) {
                    continue;
                }
                let before = net.mail.len();
                net.give(from, to, &frame).unwrap();
                assert_eq!(net.mail.len(), before);
            }
        }
    }
    net.all_agree();
    let last = net.mail.last().unwrap().2.clone();
    assert_eq!(net.session(C).resend().last().unwrap().bytes, last, "also when it is done");
}

#[test]
fn reflected_and_misdelivered_frames_are_rejected() {
    let mut net = Net::<Ping>::two(6);
    let (_, _, frame) = net.queue[0].clone();
    assert_eq!(net.give(C, S, &frame), Err(Rejected::Sender));
    assert_eq!(net.give(S, S, &frame), Err(Rejected::Sender));
    net.run();
    let mut trio = Net::<Trio>::signed(3, 6);
    for (from, to, frame) in trio.mail.clone() {
        assert_eq!(trio.give(from, from, &frame), Err(Rejected::Sender));
        assert_eq!(trio.give(to, to, &frame), Err(Rejected::Sender));
    }
    trio.run();
    trio.all_agree();
    let mut trio = Net::<Trio>::signed(3, 6);
    while trio.mail.len() < 12 {
        trio.deliver();
    }
    let (from, _, private) =
        trio.mail.iter().find(|m| Header::parse(&m.2).unwrap().to == To::One(party(2))).unwrap().clone();
    assert_eq!(trio.give(from, if from == S { party(3) } else { S }, &private), Err(Rejected::Recipient));
}

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

/// Parties that start at the same time; for those that take turns see `runs.rs`.
#[test]
fn row_58_a_replayed_first_frame_only_ends_as_mismatch() {
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

#[test]
fn a_different_frame_in_an_occupied_slot_names_the_sender_where_authenticated() {
    for danger in [false, true] {
        let start = |me: PartyId| {
            let auth = if danger { Auth::danger_unauthenticated() } else { Auth::Channel };
            let cargo = Cargo(u64::from(me.get()));
            Session::<Toy<Trio>>::start(keyed(me, 2), &secret(me), cargo, label(), auth, &mut rng(1)).unwrap()
        };
        let mut net = Net::<Trio>::new([(S, start(S)), (C, start(C))]);
        net.deliver();
        net.deliver();
        // round 2 has two slots; with one of them filled, another frame comes for it
        let (_, _, frame) = net.queue.iter().find(|mail| mail.1 == S).unwrap().clone();
        net.give(C, S, &frame).unwrap();
        net.give(C, S, &frame).unwrap();
        let mut another = frame.clone();
        *another.last_mut().unwrap() ^= 1;
        net.give(C, S, &another).unwrap();
        let Error::Aborted(aborted) = net.errors.pop().unwrap().1 else { panic!() };
        assert_eq!((aborted.culprit, aborted.fault), ((!danger).then_some(C), Fault::Equivocation));
        assert_eq!(aborted.held, Some(Cargo(1)));
        let evidence: [SecretVec<u8>; 2] = *aborted.evidence.unwrap();
        assert_eq!(evidence.each_ref().map(|frame| &**frame), [&frame, &another], "wiped on drop");
        assert_eq!(net.give(C, S, &frame), Err(Rejected::Finished));
    }
}

#[test]
fn a_changed_frame_of_a_past_round_is_rejected() {
    let mut net = Net::<Ping>::two(4);
    net.deliver();
    net.deliver();
    let mut past = net.mail[0].2.clone();
    *past.last_mut().unwrap() ^= 1;
    assert_eq!(net.give(S, C, &past), Err(Rejected::Past));
    net.run();
    net.all_agree();
}

#[test]
fn the_next_round_is_buffered_and_no_further_one() {
    let mut ahead = Net::<Talk>::signed(3, 7);
    ahead.run();
    let of = |round: u8, from: PartyId| {
        let slot = |mail: &&Mail| mail.0 == from && Header::parse(&mail.2).unwrap().round == round;
        ahead.mail.iter().find(slot).unwrap().2.clone()
    };
    // the same run again: frames are the same
    let mut net = Net::<Talk>::signed(3, 7);
    net.queue.clear();
    let three = party(3);
    net.give(S, C, &of(1, S)).unwrap();
    net.give(S, C, &of(2, S)).unwrap();
    assert_eq!(net.give(S, C, &of(3, S)), Err(Rejected::Early));
    assert_eq!(net.give(S, C, &of(4, S)), Err(Rejected::Early));
    assert_eq!(net.session(C).waiting_for().into_iter().collect::<Vec<_>>(), [three]);
    assert!(net.queue.is_empty());
    net.give(three, C, &of(1, three)).unwrap();
    assert_eq!(net.session(C).waiting_for().into_iter().collect::<Vec<_>>(), [three], "the buffered frame counts");
    net.give(three, C, &of(2, three)).unwrap();
    let rounds: Vec<u8> =
        net.queue.iter().filter(|m| m.1 == S).map(|mail| Header::parse(&mail.2).unwrap().round).collect();
    assert_eq!(rounds, [2, 3]);
    // a peer may lack either of them
    let again: Vec<u8> =
        net.session(C).resend().iter().map(|frame| Header::parse(&frame.bytes).unwrap().round).collect();
    assert_eq!(again, [2, 3]);
}

#[test]
fn abort_burn_and_cancel_give_back_what_was_held() {
    fn spoil<K: Kind>(round: usize) -> (PartyId, Error<Cargo>) {
        let mut net = Net::<K>::two(8);
        for _ in 0..round {
            net.deliver();
        }
        *net.queue[0].2.last_mut().unwrap() ^= 1;
        net.run();
        assert!(net.outputs.is_empty() || round == 3);
        net.errors.pop().unwrap()
    }
    for round in 0..4 {
        let (who, error) = spoil::<Ping>(round);
        let Error::Aborted(aborted) = error else { panic!() };
        let culprit = if who == S { C } else { S };
        assert_eq!((aborted.culprit, aborted.fault), (Some(culprit), Fault::Proof));
        assert_eq!(aborted.held, Some(Cargo(u64::from(who.get()))));
        let (_, error) = spoil::<Fire>(round);
        assert_eq!(error.response(), Some(Response::NewSetup));
        let Error::Burned(burned) = error else { panic!() };
        assert_eq!((burned.culprit, burned.fault, burned.held), (Some(culprit), Fault::Extension, None));
        assert_eq!(burned.setups, [BURNED]);
    }
    let (session, _) = two::<Ping>(Role::Server, 1);
    assert_eq!(session.cancel(), Some(Cargo(1)));
    let mut net = Net::<Ping>::two(1);
    net.run();
    let frame = net.mail[1].2.clone();
    assert_eq!(net.give(C, S, &frame), Err(Rejected::Finished));
    assert!(net.session(S).waiting_for().is_empty());
}

#[test]
fn nobody_is_named_without_authentication() {
    let start = |role: Role| {
        let auth = Auth::danger_unauthenticated();
        let cargo = Cargo(u64::from(role.id().get()));
        Session::<Toy<Fire>>::start(ToySetup::two(role), &secret(role.id()), cargo, label(), auth, &mut rng(2)).unwrap()
    };
    let mut net = Net::<Fire>::new([(S, start(Role::Server)), (C, start(Role::Client))]);
    *net.queue[0].2.last_mut().unwrap() ^= 1;
    net.run();
    let Error::Burned(burned) = &net.errors[0].1 else { panic!() };
    assert_eq!(burned.culprit, None);
}

struct Broken;
#[derive(Debug)]
struct OutOfOrder;
impl core::fmt::Display for OutOfOrder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("out of order")
    }
}
impl core::error::Error for OutOfOrder {}
impl TryRng for Broken {
    type Error = OutOfOrder;
    fn try_next_u32(&mut self) -> Result<u32, OutOfOrder> {
        Err(OutOfOrder)
    }
    fn try_next_u64(&mut self) -> Result<u64, OutOfOrder> {
        Err(OutOfOrder)
    }
    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), OutOfOrder> {
        Err(OutOfOrder)
    }
}
impl TryCryptoRng for Broken {}

#[test]
fn row_57_a_failing_generator_is_an_error() {
    let setup = ToySetup::two(Role::Server);
    let started = Session::<Toy<Ping>>::start(setup, &secret(S), Cargo(1), label(), Auth::Channel, &mut Broken);
    assert_eq!(started.err(), Some(StartError::Rng));
    assert!(IdentityKey::generate(&mut Broken).is_err());
    assert_eq!(storage().seal(b"kind0000", b"x", &mut Broken), Err(SealError));
}

#[test]
fn randomness_depends_on_the_accepted_frames() {
    // one client seed, two servers: the client's values have nothing in common, its nonce stays
    let reply = |seed: u8| {
        let (_, frames) = two::<Ping>(Role::Server, seed);
        let (mut client, _) = two::<Ping>(Role::Client, 50);
        match client.handle(S, &frames[0].bytes) {
            Ok(Step::Continue(frames)) => frames[0].bytes.clone(),
            _ => panic!(),
        }
    };
    let (a, b) = (reply(1), reply(2));
    let (nonce, value) = (39..71, 103..135);
    assert_eq!(a[nonce.clone()], b[nonce]);
    assert_ne!(a[value.clone()], b[value]);
    assert_eq!(a, reply(1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Frames are delivered in any order, several times, and lost ones are repeated by `resend`.
    #[test]
    fn row_62_any_order_and_any_duplicates(choices in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..400)) {
        shuffled::<Trio>(&choices);
        shuffled::<Quad>(&choices);
    }
}

fn shuffled<K: Kind>(choices: &[(prop::sample::Index, u8)]) {
    let mut net = Net::<K>::signed(3, 9);
    let mut choices = choices.iter();
    for _ in 0..4000 {
        if net.outputs.len() == 3 {
            break;
        }
        if net.queue.is_empty() {
            for id in 1..=3 {
                let frames = net.session(party(id)).resend();
                net.post(party(id), frames);
            }
        }
        // at last in order and once
        let (at, what) = choices.next().map_or((0, 2), |(index, what)| (index.index(net.queue.len()), *what));
        let (from, to, frame) = if what % 4 == 0 { net.queue[at].clone() } else { net.queue.remove(at).unwrap() };
        if what % 8 == 1 {
            continue; // lost
        }
        let _ = net.give(from, to, &frame);
    }
    net.all_agree();
}
