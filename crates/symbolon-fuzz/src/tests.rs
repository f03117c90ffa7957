//! Every seed, with any compiler; and many inputs that are built from noise.

use crate::{
    address, backup, challenge, derivation, dero_signature, dero_token, export, frame, frost_package, hostile,
    invitation, keystore, memory, pem, proofs, seal, signature, stored,
};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

type Target = fn(&[u8]) -> bool;

/// How many seeds of published vectors there are and how many of them are read; those built by hand say so in their names.
fn replay(target: &str, run: Target, vectors: usize, read: usize) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let (mut counted, mut accepted, mut built) = (0, 0, 0);
    for seed in fs::read_dir(seeds).unwrap() {
        let path = seed.unwrap().path();
        let outcome = run(&fs::read(&path).unwrap());
        let name = path.file_name().unwrap().to_str().unwrap();
        // what a run has found, or is told apart by what follows
        if name.starts_with("found-") || name.starts_with("either-") {
            continue;
        }
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

/// Inputs of noise, at most so long, for each way to build a text: `some` ways lead to texts that are read and to others, `none` to no
/// text that is read (what a text needs is not found in noise), and what `all` lead to is read always.
fn noise(run: Target, length: u32, some: &[u8], none: &[u8], all: &[u8]) {
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let ways: BTreeSet<u8> = [some, none, all].concat().into_iter().collect();
    for way in ways {
        let mut accepted = 0;
        for _ in 0..500 {
            let mut input = vec![0; usize::try_from(rng.next_u32() % length).unwrap()];
            rng.fill_bytes(&mut input);
            // mostly small numbers and nothing, as a fuzzer finds them
            let keep = rng.next_u32() % 4;
            input.iter_mut().filter(|byte| u32::from(**byte) % 4 < keep).for_each(|byte| *byte = 0);
            input.insert(0, way);
            accepted += usize::from(run(&input));
        }
        let expected = match accepted {
            0 => none,
            500 => all,
            _ => some,
        };
        assert!(expected.contains(&way), "way {way}: {accepted} of 500 read");
    }
}

#[test]
fn addresses() {
    replay("dero_address", address::run, 53, 13);
    noise(address::run, 80, &[2, 4, 6], &[0, 1, 3, 5], &[]);
}

#[test]
fn signed_messages() {
    // without the one of a mebibyte
    replay("dero_pem", pem::run, 93, 34);
    noise(pem::run, 300, &[1, 3, 4, 5], &[0], &[2]);
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
    noise(challenge::run, 300, &[2, 3, 4], &[0, 1], &[]);
}

#[test]
fn backups() {
    replay("backup", backup::run, 14, 14);
    noise(backup::run, 300, &[4, 5], &[0, 1, 2, 3, 6], &[]);
}

#[test]
fn keystores() {
    replay("backup_keystore", keystore::run, 2, 0);
    noise(keystore::run, 200, &[1, 2], &[0, 3], &[]);
}

#[test]
fn exports() {
    replay("backup_export", export::run, 1, 1);
    noise(export::run, 300, &[2, 4], &[0, 1, 3], &[]);
}

#[test]
fn stored_objects() {
    replay("stored", stored::run, 0, 0);
    for (kind, read, valid) in stored::kinds() {
        for object in valid {
            assert!(read(&object), "kind {kind}");
            // at every length
            for len in (0..object.len()).step_by(1 + object.len() / 512) {
                assert!(!read(&object[..len]), "kind {kind}");
            }
        }
    }
    noise(stored::run, 60, &[0, 2, 3], &[1], &[]);
}

#[test]
fn sessions() {
    replay("session_pair", |data| crate::sessions::run(crate::sessions::PAIR, data), 0, 0);
    replay("session_wallet", |data| crate::sessions::run(crate::sessions::WALLET, data), 0, 0);
    replay("session_committee", |data| crate::sessions::run(crate::sessions::COMMITTEE, data), 0, 0);
    replay("session_quorum", |data| crate::sessions::run(crate::sessions::QUORUM, data), 0, 0);
    replay("session_frost", |data| crate::sessions::run(crate::sessions::FROST, data), 0, 0);
}

#[test]
fn frames() {
    replay("frame", frame::run, 0, 0);
    noise(frame::run, 80, &[0, 1, 3, 4, 5], &[2], &[]);
}

#[test]
fn proofs_and_commitments() {
    replay("proofs", proofs::run, 0, 0);
    noise(proofs::run, 120, &[3, 4, 5, 6, 7, 8, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87], &[1, 0x81], &[2]);
}

#[test]
fn signatures() {
    replay("signature", signature::run, 0, 0);
    noise(signature::run, 120, &[1, 4, 5, 6, 7], &[0, 2, 3], &[]);
}

#[test]
fn derivations() {
    replay("derivation", derivation::run, 0, 0);
    noise(derivation::run, 120, &[1, 3, 4], &[0], &[2, 5]);
}

#[test]
fn frost_packages() {
    replay("frost_package", frost_package::run, 0, 0);
    noise(frost_package::run, 100, &[1, 2, 3, 4, 5, 6, 7, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87], &[], &[]);
}

#[test]
fn seals() {
    replay("seal", seal::run, 0, 0);
    noise(seal::run, 100, &[2, 3, 4, 5, 6], &[0, 1], &[7]);
}

#[test]
fn tokens() {
    replay("dero_token", dero_token::run, 0, 0);
    noise(dero_token::run, 120, &[1, 2, 3, 4], &[0], &[]);
}

#[test]
fn detached_numbers() {
    replay("dero_signature", dero_signature::run, 0, 0);
    noise(dero_signature::run, 120, &[1, 2, 4], &[0, 3, 5], &[]);
}

#[test]
fn invitations() {
    replay("invitation", invitation::run, 0, 0);
    noise(invitation::run, 60, &[1, 2, 3, 4, 5, 6, 7, 8], &[], &[]);
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

/// The functions of one file that read or judge what comes from outside, by their names.
fn readers(source: &str) -> BTreeSet<String> {
    const NAMES: [&str; 21] = [
        "from_bytes",
        "from_byte",
        "from_be_bytes",
        "from_der",
        "from_rsv",
        "from_pem",
        "from_keystore",
        "from_str",
        "from_parts",
        "from_unix",
        "parse",
        "decode",
        "restore",
        "recover",
        "handle",
        "receive",
        "convict",
        "confirmed_by",
        "close",
        "note_confirmed",
        "prehash",
    ];
    const BEGINNINGS: [&str; 6] = ["read", "open", "resume", "verif", "combine", "attest"];
    let ends = ["_from_bytes", "_from_base64", "_from_parts"];
    let library = source.split("#[cfg(test)]").next().unwrap();
    let mut found = BTreeSet::new();
    for line in library.lines().map(str::trim) {
        // methods of traits have no `pub`
        let rest = line.strip_prefix("pub ").map_or(line, |rest| rest.trim_start_matches("const "));
        let Some(rest) = rest.strip_prefix("fn ") else { continue };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let is_trait =
            ["fn decode(r: &mut Reader<'_>)", "fn from_str(", "fn point_from_bytes(", "fn scalar_from_bytes("];
        if !line.starts_with("pub ") && !is_trait.iter().any(|start| line.starts_with(start)) {
            continue;
        }
        let named = NAMES.contains(&name.as_str()) || BEGINNINGS.iter().any(|start| name.starts_with(start));
        // what an identity signs is its own
        if (named || ends.iter().any(|end| name.ends_with(end))) && name != "attest" {
            found.insert(name);
        }
    }
    found
}

#[test]
fn every_reader_is_in_the_table() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut written: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let run = fs::read_to_string(root.join("run")).unwrap();
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for line in readme.split("## What is reached").nth(1).unwrap().lines().filter(|line| line.starts_with("| `")) {
        let [_, file, functions, target, _] = line.split('|').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let quoted = |text: &str| text.split('`').skip(1).step_by(2).map(String::from).collect::<Vec<_>>();
        written.entry(quoted(file).remove(0)).or_default().extend(quoted(functions));
        let named = quoted(target).first().is_some_and(|target| run.contains(&format!("[{target}]=")));
        assert!(named || target.trim() == "-", "{line}");
    }
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut folders = vec![root.join("../crates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root.join("../crates")).unwrap().to_str().unwrap().to_owned();
            let crates = ["symbolon-testkit", "symbolon-ct", "symbolon-fuzz", "symbolon-residue", "symbolon-siege"];
            if crates.iter().any(|own| name.starts_with(own)) || name.contains("/tests") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Some((krate, file)) = name.split_once("/src/").filter(|(_, file)| file.ends_with(".rs")) {
                let readers = readers(&fs::read_to_string(&path).unwrap());
                if !readers.is_empty() {
                    found.insert(format!("{krate}/{file}"), readers);
                }
            }
        }
    }
    assert!(found.len() > 50, "the sources are there");
    // the trait itself
    found.remove("symbolon-session/protocol.rs");
    for (file, readers) in &found {
        let listed = written.get(file).cloned().unwrap_or_default();
        assert!(readers.is_subset(&listed), "README.md, What is reached: {file} has {:?} more", readers - &listed);
    }
    for (file, listed) in &written {
        let readers = found.get(file).cloned().unwrap_or_default();
        assert!(listed.is_subset(&readers), "README.md, What is reached: {file} has no {:?}", listed - &readers);
    }
}
