//! Suspend everywhere (safety.md S8).

use crate::net::*;
use crate::toys::*;
use symbolon_core::{PartyId, SecretBytes};
use symbolon_session::*;

fn auth_of<K: Kind>(me: PartyId) -> Auth {
    if [Trio::ID, Quad::ID, Talk::ID, Tail::ID].contains(&K::ID) { signed(me) } else { Auth::Channel }
}

fn resume<K: Kind>(me: PartyId, sealed: &[u8], ledger: &mut MemoryLedger) -> Result<Session<Toy<K>>, ResumeError> {
    Session::resume(sealed, &storage(), &secret(me), auth_of::<K>(me), ledger)
}

/// Takes a session out, seals it, brings it back, and finds the same frames; the second resume is refused.
fn cycle<K: Kind>(net: &mut Net<K>, me: PartyId, rng: &mut symbolon_core::SeedRng, ledger: &mut MemoryLedger) {
    if net.outputs.contains_key(&me) {
        return;
    }
    let session = net.parties.remove(&me).unwrap();
    let (frames, waiting) = (session.resend(), session.waiting_for());
    let sealed = session.suspend(&storage(), rng).unwrap();
    let session = resume::<K>(me, &sealed, ledger).unwrap();
    assert_eq!(resume::<K>(me, &sealed, ledger).err(), Some(ResumeError::Claimed));
    assert_eq!(session.resend(), frames);
    assert_eq!(session.waiting_for(), waiting);
    net.parties.insert(me, session);
}

#[test]
fn suspended_after_every_message_the_run_is_the_same() {
    fn check<K: Kind>(make: impl Fn() -> Net<K>) {
        let (mut plain, mut net) = (make(), make());
        plain.run();
        let (mut rng, mut ledger) = (rng(9), MemoryLedger::default());
        let everyone: Vec<_> = net.parties.keys().copied().collect();
        everyone.iter().for_each(|me| cycle(&mut net, *me, &mut rng, &mut ledger));
        while net.deliver() {
            everyone.iter().for_each(|me| cycle(&mut net, *me, &mut rng, &mut ledger));
        }
        assert_eq!(net.same_output(), plain.all_agree());
        assert_eq!(net.mail, plain.mail, "byte for byte");
    }
    check(|| Net::<Ping>::two(1));
    check(|| Net::<Keys>::two(1));
    check(|| Net::<FromBank>::two(1));
    check(|| Net::<Trio>::signed(3, 1));
    check(|| Net::<Quad>::signed(3, 1));
    check(|| Net::<Talk>::signed(3, 1));
    check(|| Net::<Tail>::signed(3, 1));
}

#[test]
fn a_prepared_session_suspends_with_its_pending_value() {
    let mut net = Net::<Keys>::two(2);
    net.store = false;
    net.run();
    let outcome = *net.pending[&S].outcome();
    net.pending.clear();
    let (mut r, mut ledger) = (rng(9), MemoryLedger::default());
    cycle(&mut net, S, &mut r, &mut ledger);
    let pending = net.session(S).pending().unwrap();
    assert_eq!(pending.outcome(), &outcome);
    net.store = true;
    net.save(S, &pending);
    cycle(&mut net, S, &mut r, &mut ledger);
    net.run();
    net.same_output();
    // what came from the stored pending value has no log: the stored value is its suspended form
    let (session, _) = Session::<Toy<Keys>>::resume_ending(&net.sealed[&S], &storage(), Auth::Channel).unwrap();
    assert_eq!(session.suspend(&storage(), &mut r), Err(SuspendError::Stored));
    let done = net.parties.remove(&C).unwrap();
    assert_eq!(done.suspend(&storage(), &mut r), Err(SuspendError::Finished));
}

#[test]
fn two_copies_of_one_session_come_back_once_each() {
    // a copy of the bytes is the same copy; a second sealing of a resumed session is another
    let (session, _) = two::<Ping>(symbolon_core::Role::Server, 1);
    let (mut r, mut ledger) = (rng(9), MemoryLedger::default());
    let sealed = session.suspend(&storage(), &mut r).unwrap();
    let session = resume::<Ping>(S, &sealed, &mut ledger).unwrap();
    let next = session.suspend(&storage(), &mut r).unwrap();
    assert_ne!(sealed, next);
    assert_eq!(resume::<Ping>(S, &sealed, &mut ledger).err(), Some(ResumeError::Claimed));
    assert!(resume::<Ping>(S, &next, &mut ledger).is_ok());
}

#[test]
fn spoilt_copies_are_refused_and_nothing_is_claimed() {
    let mut net = Net::<Ping>::two(1);
    net.deliver();
    net.deliver();
    let sealed = net.parties.remove(&S).unwrap().suspend(&storage(), &mut rng(9)).unwrap();
    let mut ledger = MemoryLedger::default();
    for len in 0..sealed.len() {
        let refused = resume::<Ping>(S, &sealed[..len], &mut ledger).err().unwrap();
        assert!(matches!(refused, ResumeError::Sealed(OpenError::Format | OpenError::Key)));
    }
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1 << bit;
            let refused = resume::<Ping>(S, &flipped, &mut ledger).err().unwrap();
            let expected = match at {
                0..4 => OpenError::Format,
                4 => OpenError::Version(1 ^ (1 << bit)),
                5..13 => OpenError::Kind,
                _ => OpenError::Key,
            };
            assert_eq!(refused, ResumeError::Sealed(expected), "byte {at}");
        }
    }
    assert!(resume::<Ping>(S, &[&sealed[..], &[0]].concat(), &mut ledger).is_err());
    let key = StorageKey::new(SecretBytes::new([1; 32]));
    let with = |key: &StorageKey, of: Secret, auth: Auth, ledger: &mut MemoryLedger| {
        Session::<Toy<Ping>>::resume(&sealed, key, &of, auth, ledger).err()
    };
    assert_eq!(with(&key, secret(S), Auth::Channel, &mut ledger), Some(ResumeError::Sealed(OpenError::Key)));
    assert_eq!(with(&storage(), secret(C), Auth::Channel, &mut ledger), Some(ResumeError::Fingerprint));
    assert_eq!(with(&storage(), secret(S), signed(S), &mut ledger), Some(ResumeError::Auth(AuthError::Kind)));
    assert_eq!(resume::<Fire>(S, &sealed, &mut ledger).err(), Some(ResumeError::Protocol));
    assert!(resume::<Ping>(S, &sealed, &mut ledger).is_ok(), "nothing of this has used up the copy");
}
