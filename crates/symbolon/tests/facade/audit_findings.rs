//! Findings of public audits of other libraries that are about more than one crate (docs/audit-findings.md).

use crate::world::{self, ROLES, World};
use rand_core::Rng;
use std::collections::BTreeMap;
use symbolon::{
    Agreed, Auth, DerivationPath, Error, Fault, Outgoing, PairSetup, PartyId, Payload, Rejected, Role, SecretBytes,
    Session, SignFull, StorageKey, wallet::Wallet,
};
use symbolon_testkit::seeded;

/// SILA-6, of severity high: AEAD nonces. What is sealed here has a key of its own, derived from a copy id, beside a nonce: over a
/// million sealings, and with the generator put back to an earlier state again and again, no pair of the two serves two texts.
#[test]
fn a06_no_key_and_nonce_seal_two_texts() {
    const COPY_AND_NONCE: core::ops::Range<usize> = 13..41;
    let key = StorageKey::new(SecretBytes::new([1; 32]));
    let mut pairs = Vec::with_capacity(1 << 20);
    let mut rng = seeded(1);
    for restart in 0..16u64 {
        // restored from a snapshot: half of the time the same state as the last time
        let mut restored = seeded(restart / 2);
        let rng = if restart % 4 == 3 { &mut rng } else { &mut restored };
        for n in 0..1u64 << 16 {
            let text = [restart.to_be_bytes(), n.to_be_bytes()].concat();
            let sealed = key.seal(b"audit a6", &text, rng).unwrap();
            pairs.push(<[u8; 28]>::try_from(&sealed[COPY_AND_NONCE]).unwrap());
        }
    }
    assert!(pairs.len() >= 1_000_000);
    let nonces =
        |pairs: &[[u8; 28]]| pairs.iter().map(|pair| pair[16..].to_vec()).collect::<std::collections::BTreeSet<_>>();
    // control: the nonces alone do repeat, since the generator was put back
    assert!(nonces(&pairs[..1 << 17]).len() < 1 << 17);
    pairs.sort_unstable();
    assert!(pairs.windows(2).all(|two| two[0] != two[1]));
}

type Started = (Session<SignFull>, Vec<Outgoing>);

/// SILA-10: the same two parties have two keys, and sign with both at once, over one pair setup each. Frames of one session are
/// worth nothing in the other: refused by the label, which names the key; and under one label they are of another session id.
#[test]
fn a10_a_session_is_tied_to_its_key() {
    let worlds = [World::new(210), World::new(211)];
    let (payload, path) = (Payload::personal_message("pay"), DerivationPath::root);
    let start = |wallet: &Wallet, setup: PairSetup, seed| -> Started {
        wallet.sign_with(setup, payload, path(), Auth::Channel, &mut seeded(seed)).unwrap()
    };
    let mut sessions: BTreeMap<_, _> = BTreeMap::new();
    for (n, world) in worlds.iter().enumerate() {
        for role in ROLES {
            sessions.insert((n, role), start(world.wallet(role), world.setup(role), 5));
        }
    }
    // a client's first frame of each key, at the server of the other
    for (n, other) in [(0, 1), (1, 0)] {
        let frame = sessions[&(n, Role::Client)].1[0].bytes.clone();
        let server = &mut sessions.get_mut(&(other, Role::Server)).unwrap().0;
        assert!(matches!(server.handle(PartyId::CLIENT, &frame), Err(Error::Rejected(Rejected::Label))));
    }
    // one setup, two keys, one label
    let world = &worlds[0];
    let other = &worlds[1];
    let started = |wallet: &Wallet, role: Role| -> Started {
        let mut ots = world.setup(role);
        let setup = symbolon::FullSetup::new(wallet.share(), &mut ots, payload, path()).unwrap();
        Session::start(setup, wallet.share(), ots, world::label("one"), Auth::Channel, &mut seeded(6)).unwrap()
    };
    let (mut server, _) = started(world.wallet(Role::Server), Role::Server);
    let (_, frames) = started(other.wallet(Role::Client), Role::Client);
    let Err(Error::Aborted(aborted)) = server.handle(PartyId::CLIENT, &frames[0].bytes) else { panic!("a mismatch") };
    assert_eq!((aborted.fault, aborted.culprit), (Fault::Mismatch(Agreed::Sid), None));
    assert!(aborted.held.is_some(), "nothing is burned");
}

/// SILA-14: what nobody has authenticated is dropped, thousands of times over, and the run completes.
#[test]
fn a12_garbage_ends_no_run() {
    let world = World::new(212);
    let start = |role: Role| -> Started {
        let mut ots = world.setup(role);
        let (payload, path) = (Payload::personal_message("pay"), DerivationPath::root());
        let share = world.wallet(role).share();
        let setup = symbolon::FullSetup::new(share, &mut ots, payload, path).unwrap();
        Session::start(setup, share, ots, world::label("a12"), world::signed(role), &mut seeded(7)).unwrap()
    };
    let (mut sessions, mut rng) = ([start(Role::Server), start(Role::Client)], seeded(8));
    let mut queue: Vec<_> = sessions[1].1.drain(..).map(|frame| (Role::Server, frame.bytes)).collect();
    let (mut done, mut dropped) = (0, 0);
    while let Some((to, frame)) = queue.pop() {
        let session = &mut sessions[world::slot(to)].0;
        for _ in 0..500 {
            let mut garbage = frame.clone();
            let at = usize::try_from(rng.next_u64() % u64::try_from(frame.len()).unwrap()).unwrap();
            garbage[at] ^= 1 << (rng.next_u32() % 8);
            assert!(matches!(session.handle(to.peer().id(), &garbage), Err(Error::Rejected(_))));
            dropped += 1;
        }
        match session.handle(to.peer().id(), &frame).unwrap() {
            symbolon::Step::Continue(frames) => queue.extend(frames.into_iter().map(|f| (to.peer(), f.bytes))),
            symbolon::Step::Done(_, _, frames) => {
                done += 1;
                queue.extend(frames.into_iter().map(|f| (to.peer(), f.bytes)));
            }
            symbolon::Step::Prepared(..) => unreachable!(),
        }
    }
    assert_eq!((done, dropped), (2, 2000));
}
