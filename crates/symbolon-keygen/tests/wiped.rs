//! attacks.md row 77: after everything is dropped, the process holds no copy of a secret but on its stack. Linux only:
//! the memory is read through `/proc/self/mem`. What moves leave on the stack is a documented residual.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

use symbolon_core::{Role, Secp256k1, SecretBytes, SecretScalar};
use symbolon_keygen::{Convert, ConvertSetup, Keygen, KeygenSetup, PairRefresh, RefreshSetup};
use symbolon_mta::{PairSetup, PairSetupRun, PairSetupTerms, Suite};
use symbolon_session::{Auth, Label, Protocol, Session, Storable, StorageKey};
use symbolon_testkit::{Duo, Patterns, seeded};

fn run<P: Protocol>(
    one: impl FnMut(Role) -> (P::Setup, P::Input),
    secrets: [&P::LongTerm; 2],
) -> [symbolon_testkit::Ended<P>; 2] {
    let mut one = one;
    let mut start = |role: Role| {
        let (setup, input) = one(role);
        let secret = secrets[if role == Role::Server { 0 } else { 1 }];
        let label = Label::new("wiped").unwrap();
        Session::start(setup, secret, input, label, Auth::Channel, &mut seeded(role.id().get().into())).unwrap()
    };
    let (server, client) = (start(Role::Server), start(Role::Client));
    Duo::<P>::new(server, client).run().0
}

/// Runs alone in a process of its own, so that nothing else is in its memory.
#[test]
#[ignore = "started by row_77_no_secret_is_left_in_memory"]
fn child() {
    let mut patterns = Patterns::default();
    // the search finds what is there
    let kept = SecretScalar::<Secp256k1>::random(&mut seeded(99));
    let kept = Box::new(kept);
    patterns.scalar("kept", &kept);
    assert_eq!(patterns.found(), ["kept"], "the search does not work");
    drop(kept);
    assert!(patterns.found().is_empty(), "a dropped scalar is left");

    // boxed, so that they are where the search looks
    let factors = Box::new(run::<Keygen>(|role| (KeygenSetup::new(role), ()), [&(), &()]).map(|end| end.output));
    let [a, b] = &*factors;
    patterns.scalar("a", a.secret());
    patterns.scalar("b", b.secret());
    let terms = |role: Role| PairSetupTerms { pair: role.into(), suite: Suite::Blake3, serial: 0 };
    let mut setups = run::<PairSetupRun>(|role| (terms(role), ()), [&(), &()]).map(|end| Some(end.output));
    {
        // Delta stands before the last 4096 bytes of the encoding, the leaves as sender
        let key = StorageKey::new(SecretBytes::new([5; 32]));
        let sealed = setups[0].take().unwrap().seal(&key, &mut seeded(5)).unwrap();
        let bytes = key.open(b"pairsetp", &sealed).unwrap();
        let delta = bytes.len() - 8192 - 16;
        patterns.add("Delta", &bytes[delta - 8..delta + 24]);
        patterns.add("a leaf", &bytes[bytes.len() - 64..]);
        setups[0] = Some(PairSetup::open(&sealed, &key).unwrap());
    }
    let refreshed = Box::new(run::<PairRefresh>(
        |role| (RefreshSetup::new(if role == Role::Server { a } else { b }, 1).unwrap(), ()),
        [a, b],
    ));
    patterns.scalar("a'", refreshed[0].output.secret());
    patterns.scalar("b'", refreshed[1].output.secret());
    let converted = Box::new(run::<Convert>(
        |role| {
            let (factor, setup) = if role == Role::Server { (a, &mut setups[0]) } else { (b, &mut setups[1]) };
            let mut setup = setup.take().unwrap();
            (ConvertSetup::new(factor, &mut setup, 0).unwrap(), setup)
        },
        [a, b],
    ));
    patterns.scalar("x_1", converted[0].output.secret());
    patterns.scalar("x_2", converted[1].output.secret());
    // encodings, which wipe themselves
    for end in converted.iter() {
        drop(end.output.to_secret_bytes());
    }
    let mut all = patterns.names();
    all.retain(|what| *what != "kept");
    assert_eq!(patterns.found(), all, "alive, they are found");
    drop((converted, refreshed, factors));
    drop(setups);
    let left = patterns.found();
    assert!(left.is_empty(), "left in memory: {left:?}");
}

#[test]
fn row_77_no_secret_is_left_in_memory() {
    symbolon_testkit::alone("child");
}
