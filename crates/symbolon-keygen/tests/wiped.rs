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

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    process::Command,
};
use symbolon_core::{Role, Secp256k1, SecretBytes, SecretScalar};
use symbolon_keygen::{Convert, ConvertSetup, Keygen, KeygenSetup, PairRefresh, RefreshSetup};
use symbolon_mta::{PairSetup, PairSetupRun, PairSetupTerms, Suite};
use symbolon_session::{Auth, Label, Protocol, Session, Storable, StorageKey};
use symbolon_testkit::{Duo, seeded};

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

const MASK: u8 = 0x5a;

/// Patterns that are never in memory as themselves. Both byte orders: encodings, and the curve library's limbs.
#[derive(Default)]
struct Patterns(Vec<(&'static str, [u8; 16])>);

impl Patterns {
    fn add(&mut self, what: &'static str, bytes: &[u8]) {
        let (mut up, mut down) = ([0; 16], [0; 16]);
        // sixteen bytes from the middle, masked one by one
        for i in 0..16 {
            up[i] = bytes[8 + i] ^ MASK;
            down[15 - i] = up[i];
        }
        self.0.push((what, up));
        self.0.push((what, down));
    }

    fn scalar(&mut self, what: &'static str, secret: &SecretScalar<Secp256k1>) {
        self.add(what, secret.to_bytes().expose());
    }

    fn found_in(&self, memory: &[u8], found: &mut Vec<&'static str>) {
        for (what, pattern) in &self.0 {
            let first = pattern[0] ^ MASK;
            let here = memory.windows(16).any(|window| {
                window[0] == first && window.iter().zip(pattern).all(|(byte, masked)| byte ^ MASK == *masked)
            });
            if here && !found.contains(what) {
                found.push(what);
            }
        }
    }

    /// What is anywhere in the writable memory of this process but on its stacks.
    fn found(&self) -> Vec<&'static str> {
        let on_stack = 0u8;
        let on_stack = u64::try_from((&raw const on_stack).addr()).unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let mut found = Vec::new();
        // read in pieces that overlap; a piece with a pattern in it was found before it could be found in the buffer
        let mut piece = vec![0; 1 << 16];
        for line in maps.lines().filter(|line| line.contains(" rw-p ") && !line.ends_with("[stack]")) {
            let (from, to) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
            let (mut from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
            if (from..to).contains(&on_stack) {
                continue;
            }
            while from + 16 <= to {
                let len = usize::try_from(to - from).unwrap().min(piece.len());
                memory.seek(SeekFrom::Start(from)).unwrap();
                // what was unmapped since the list was made is not there
                if memory.read_exact(&mut piece[..len]).is_ok() {
                    self.found_in(&piece[..len], &mut found);
                }
                from += u64::try_from(len - 15).unwrap();
            }
        }
        piece.fill(0);
        found.sort_unstable();
        found
    }
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
    let mut all: Vec<_> = patterns.0.iter().map(|(what, _)| *what).filter(|what| *what != "kept").collect();
    all.sort_unstable();
    all.dedup();
    assert_eq!(patterns.found(), all, "alive, they are found");
    drop((converted, refreshed, factors));
    drop(setups);
    let left = patterns.found();
    assert!(left.is_empty(), "left in memory: {left:?}");
}

#[test]
fn row_77_no_secret_is_left_in_memory() {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--test-threads=1", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&child.stderr));
}
