//! Signed frames (safety.md S5).

use crate::net::*;
use crate::toys::*;
use ed25519_dalek::{Signer, SigningKey};
use symbolon_core::{PartyId, SecretBytes, Transcript};
use symbolon_session::{Error, *};

/// Header and body of a signed frame: before signature, position and path.
pub fn content(frame: &[u8]) -> &[u8] {
    let depth = usize::try_from(frame[frame.len() - 65].ilog2()).unwrap();
    &frame[..frame.len() - 65 - 32 * depth]
}

/// Signs changed contents with the sender's own key: a lie that is well formed.
pub fn resigned(frame: &[u8], change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut content = content(frame).to_vec();
    change(&mut content);
    let sender = u8::try_from(Header::parse(&content).unwrap().sender.get()).unwrap();
    let digest = Transcript::new("session", "frame").bulk(&content).finish();
    let signature = SigningKey::from_bytes(&[sender + 100; 32]).sign(&digest);
    [&content[..], &[1], &signature.to_bytes()].concat()
}

/// Every byte of every frame: the signature fails, the session is as before, and the run completes.
#[test]
fn mutated_frames_are_rejected_and_the_run_completes() {
    let mut net = Net::<Trio>::signed(2, 3);
    while let Some((from, to, frame)) = net.queue.front().cloned() {
        for at in 0..frame.len() {
            let mut changed = frame.clone();
            changed[at] ^= 4;
            net.give(from, to, &changed).unwrap_err();
        }
        net.deliver();
    }
    net.all_agree();
}

#[test]
fn row_61_a_thousand_wrong_signatures_change_nothing() {
    let mut net = Net::<Trio>::signed(3, 3);
    while let Some((from, to, frame)) = net.queue.front().cloned() {
        for n in 0..1000usize {
            let mut garbage = frame.clone();
            // the body and the signature of a stranger
            let at = Header::LEN + n % (frame.len() - Header::LEN);
            garbage[at] = garbage[at].wrapping_add(1 + u8::try_from(n % 255).unwrap());
            let refused = net.give(from, to, &garbage);
            assert!(matches!(refused, Err(Rejected::Signature | Rejected::Run)), "{refused:?}");
        }
        net.deliver();
        if net.mail.len() > 12 {
            break;
        }
    }
    net.run();
    net.all_agree();
}

#[test]
fn row_62_a_double_signer_is_named_and_convicted() {
    let mut net = Net::<Talk>::signed(3, 3);
    for _ in 0..6 {
        net.deliver();
    }
    // round 2: party 1 signs two values, party 2 receives both
    let (_, _, frame) =
        net.queue.iter().find(|m| m.0 == S && m.1 == C && Header::parse(&m.2).unwrap().round == 2).unwrap().clone();
    let lie = resigned(&frame, |content| *content.last_mut().unwrap() ^= 1);
    net.give(S, C, &frame).unwrap();
    net.give(S, C, &lie).unwrap();
    let Error::Aborted(aborted) = net.errors.pop().unwrap().1 else { panic!() };
    assert_eq!((aborted.culprit, aborted.fault), (Some(S), Fault::Equivocation));
    assert_eq!(aborted.response(), Response::Exclude);
    let [a, b] = *aborted.evidence.unwrap();
    assert!(convict(&a, &b, &public_key(S)) && convict(&b, &a, &public_key(S)));

    // what convicts nobody
    assert!(!convict(&a, &a, &public_key(S)), "one frame");
    assert!(!convict(&a, &b, &public_key(C)), "another key");
    assert!(!convict(&a, &b, &[0; 32]) && !convict(&[], &[], &public_key(S)) && !convict(&a, &[], &public_key(S)));
    let mut unsigned = b.to_vec();
    *unsigned.last_mut().unwrap() ^= 1;
    assert!(!convict(&a, &unsigned, &public_key(S)));
    for at in [1, 2, 6, 7, 23] {
        // another protocol, round, recipient, label or run is another slot
        assert!(!convict(&a, &resigned(&b, |content| content[at] ^= 1), &public_key(S)));
    }
    let first = net.mail[0].2.clone();
    assert!(!convict(&a, &first, &public_key(S)), "two rounds of an honest member");
}

#[test]
fn row_59_two_first_frames_of_one_signer_convict_nobody() {
    let first = |seed| {
        let me = S;
        Session::<Toy<Talk>>::start(keyed(me, 3), &secret(me), Cargo(1), label(), signed(me), &mut rng(seed)).unwrap().1
    };
    let (a, b) = (first(1), first(2));
    assert!(!convict(&a[0].bytes, &b[0].bytes, &public_key(S)), "two runs with one label");
    let mut net = Net::<Talk>::signed(3, 3);
    net.give(S, C, &a[0].bytes).unwrap();
    assert_eq!(net.give(S, C, &b[0].bytes), Err(Rejected::Run));
}

#[test]
fn a_signed_lie_aborts_and_names_the_liar() {
    let mut net = Net::<Talk>::signed(3, 3);
    let (from, to, frame) = net.queue.pop_front().unwrap();
    let lie = resigned(&frame, |content| *content.last_mut().unwrap() ^= 1);
    net.give(from, to, &lie).unwrap();
    net.run();
    for (who, error) in &net.errors {
        let Error::Aborted(aborted) = error else { panic!() };
        if *who == to {
            assert_eq!((aborted.culprit, aborted.fault), (Some(from), Fault::Proof));
        }
    }
    assert!(net.errors.iter().any(|(who, _)| *who == to));
}

#[test]
fn signatures_do_not_move_between_slots() {
    let mut net = Net::<Talk>::signed(3, 3);
    let of_one = net.mail.iter().find(|m| m.0 == S && m.1 == C).unwrap().2.clone();
    let of_three = net.mail.iter().find(|m| m.0 == party(3) && m.1 == C).unwrap().2.clone();
    let swap = [content(&of_one), &of_three[content(&of_three).len()..]].concat();
    assert_eq!(net.give(S, C, &swap), Err(Rejected::Signature));
    assert_eq!(net.give(party(3), C, &of_one), Err(Rejected::Sender), "from is not as authenticated");
    net.run();
    net.all_agree();
}

#[test]
fn authentication_must_fit_the_roster() {
    fn refused(setup: ToySetup, auth: Auth) -> StartError {
        let me = setup.roster.me();
        Session::<Toy<Talk>>::start(setup, &secret(me), Cargo(1), label(), auth, &mut rng(1)).err().unwrap()
    }
    assert_eq!(refused(keyed(S, 3), Auth::Channel), AuthError::ChannelIsForTwo.into());
    assert_eq!(refused(keyed(S, 3), signed(C)), AuthError::WrongKey.into());
    let named = |client: Identity| {
        let roster = Roster::new(S, [(S, identity_key(S).identity()), (C, client)]).unwrap();
        refused(ToySetup { roster, epoch: 1 }, signed(S))
    };
    assert_eq!(named(Identity::name("client")), AuthError::NotAKey(C).into());
    // the identity point, and bytes that are no point at all
    let mut one = [0; 32];
    one[0] = 1;
    assert_eq!(named(Identity::Key(one)), AuthError::NotAKey(C).into());
    assert_eq!(named(Identity::Key([2; 32])), AuthError::NotAKey(C).into());
    let setup = ToySetup::two(symbolon_core::Role::Server);
    assert_eq!(refused(setup, signed(S)), AuthError::WrongKey.into());
}

#[test]
fn rosters_and_pairs_have_one_form() {
    let key = |id: u16| identity_key(party(id)).identity();
    let make = |members: Vec<(PartyId, Identity)>| Roster::new(S, members);
    assert!(matches!(make(vec![(S, key(1))]), Err(RosterError::Size(1))));
    assert!(matches!(make(vec![]), Err(RosterError::Size(0))));
    assert!(matches!(make(vec![(S, key(1)), (S, key(2))]), Err(RosterError::Duplicate(_))));
    assert!(matches!(make(vec![(S, key(1)), (C, key(1))]), Err(RosterError::Duplicate(_))));
    assert!(matches!(make(vec![(C, key(1)), (party(3), key(2))]), Err(RosterError::NotAMember(S))));
    let named = vec![(S, key(1)), (C, key(2)), (party(3), Identity::name("x"))];
    assert!(matches!(make(named), Err(RosterError::OpaqueName)));
    let crowd = (1..=256).map(|id| (party(id), Identity::Key([u8::try_from(id % 256).unwrap(); 32])));
    assert!(matches!(Roster::new(S, crowd), Err(RosterError::Size(256))));
    let roster = make(vec![(C, key(2)), (S, key(1))]).unwrap();
    assert_eq!(roster.members()[0].0, S, "in order");
    let mut w = symbolon_core::wire::Writer::new();
    roster.encode(&mut w);
    let bytes = w.finish();
    let decode = |bytes: &[u8]| {
        let mut r = symbolon_core::wire::Reader::new(bytes);
        Roster::decode(&mut r).and_then(|roster| r.finish().map(|()| roster))
    };
    assert_eq!(decode(&bytes).unwrap(), roster);
    for len in 0..bytes.len() {
        assert!(decode(&bytes[..len]).is_err());
    }
    let mut swapped = bytes[..4].to_vec();
    swapped.extend_from_slice(&bytes[39..74]);
    swapped.extend_from_slice(&bytes[4..39]);
    assert!(decode(&swapped).is_err(), "members out of order");
    assert!(decode(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn handles_of_one_identity_sign_alike() {
    let key = IdentityKey::from_seed(SecretBytes::new([5; 32]));
    let other = key.handle();
    let identity = key.identity();
    drop(key);
    assert_eq!(other.identity(), identity);
}
