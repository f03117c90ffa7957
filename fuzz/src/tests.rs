//! Every seed, with any compiler; and many inputs that are built from noise.

use crate::{address, backup, challenge, export, hostile, keystore, memory, pem};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{fs, path::Path};

type Target = fn(&[u8]) -> bool;

/// How many seeds of published vectors there are and how many of them are read; those built by hand say so in their names.
fn replay(target: &str, run: Target, vectors: usize, read: usize) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let (mut counted, mut accepted, mut built) = (0, 0, 0);
    for seed in fs::read_dir(seeds).unwrap() {
        let path = seed.unwrap().path();
        let outcome = run(&fs::read(&path).unwrap());
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("built-") || name.starts_with("refused-") {
            assert_eq!(outcome, name.starts_with("built-"), "{}", path.display());
            built += 1;
        } else {
            counted += 1;
            accepted += usize::from(outcome);
        }
    }
    assert_eq!((counted, accepted), (vectors, read), "{target}");
    assert!(built >= 4, "{target}");
}

/// Inputs of noise for each way to build a text. Each way leads to texts that are read and to others.
fn noise(run: Target, ways: &[u8], length: u32) {
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    for way in ways {
        let mut accepted = 0;
        for _ in 0..500 {
            let mut input = vec![0; usize::try_from(rng.next_u32() % length).unwrap()];
            rng.fill_bytes(&mut input);
            // mostly small numbers and nothing, as a fuzzer finds them
            let keep = rng.next_u32() % 4;
            input.iter_mut().filter(|byte| u32::from(**byte) % 4 < keep).for_each(|byte| *byte = 0);
            input.insert(0, *way);
            accepted += usize::from(run(&input));
        }
        println!("way {way}: {accepted} of 500 read");
    }
}

#[test]
fn addresses() {
    replay("dero_address", address::run, 53, 13);
    noise(address::run, &[0, 1, 2, 3, 4, 5, 6], 80);
}

#[test]
fn signed_messages() {
    // without the one of a mebibyte
    replay("dero_pem", pem::run, 93, 34);
    noise(pem::run, &[0, 1, 2, 3, 4, 5], 300);
}

// what a short input does not show: memory stays in proportion
#[test]
fn long_signed_messages_need_no_more_memory_for_a_byte() {
    let begin = "-----BEGIN DERO SIGNED MESSAGE-----\n";
    for line in ["\n", "\r\n", "A\n", "AAAA\r\n", "A"] {
        assert!(!pem::run(format!("{begin}{}", line.repeat(100_000)).as_bytes()));
    }
    for key in 0..8 {
        let mut input = vec![1, key, 0xff, 0xff, 1];
        input.resize(100_000, 1);
        assert!(pem::run(&input));
    }
}

#[test]
fn challenges() {
    replay("dero_challenge", challenge::run, 50, 28);
    noise(challenge::run, &[0, 1, 2, 3, 4], 300);
}

#[test]
fn backups() {
    replay("backup", backup::run, 14, 14);
    noise(backup::run, &[0, 1, 2, 3, 4, 5, 6], 300);
}

#[test]
fn keystores() {
    replay("backup_keystore", keystore::run, 2, 0);
    noise(keystore::run, &[0, 1, 2, 3], 200);
}

#[test]
fn exports() {
    replay("backup_export", export::run, 1, 1);
    noise(export::run, &[0, 1, 2, 3, 4], 300);
}

// attacks.md rows 73, 79: no length and no cost that an input names makes anybody ask for memory. The times of the same inputs are
// measured beside them, in tests/hostile of the library.
#[test]
fn hostile_inputs_get_no_memory() {
    let world = hostile::World::new();
    for hostile in hostile::all(&world) {
        let (_, peak) = memory::peak(|| hostile.refused(&world));
        let (answer, asked, largest) = memory::asked(|| hostile.refused(&world));
        assert_eq!(answer, hostile.answer, "{}", hostile.name);
        let len = hostile.len();
        // at once, in one piece, in all; what is beyond any length is not even looked at
        let (at_once, in_one, in_all) = match hostile.name.split_once(':').unwrap().0 {
            _ if len > 98_304 => (256, 256, 256),
            // a slot in memory is somewhat larger than its bytes
            "file" | "half" => (len, len, len),
            "text" => (4 * len, len, 4 * len),
            "answer" => (2 * len, len, 2 * len + 1024),
            "request" => (0, 0, 0),
            "keystore" => (64 * len, 32 * len, 64 * len),
            other => panic!("{other}"),
        };
        let (name, allowed) = (&hostile.name, (at_once, in_one, in_all));
        assert!(peak <= at_once, "{name}: {peak} bytes at once for {len}, {allowed:?}");
        assert!(largest <= in_one, "{name}: {largest} bytes in one piece for {len}, {allowed:?}");
        assert!(asked <= in_all, "{name}: {asked} bytes in all for {len}, {allowed:?}");
    }
}

#[test]
#[should_panic(expected = "bytes of memory for 10 bytes of input")]
fn memory_is_counted() {
    memory::bounded(1, &[0; 10], || vec![0u8; 5000].len());
}

#[test]
fn memory_that_was_given_back_is_not_counted() {
    let (_, peak) = memory::peak(|| (0..100).map(|_| vec![0u8; 1000].len()).sum::<usize>());
    assert!((1000..1100).contains(&peak), "{peak}");
}
