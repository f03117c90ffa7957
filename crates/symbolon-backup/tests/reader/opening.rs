//! Golden files, random ones, halves, the command line.

use crate::{
    both::{Ask, Golden, Reader, Secret, python, repository},
    world::{deal, factor, rehashed, rng},
};
use rand_chacha::{
    ChaCha12Rng,
    rand_core::{Rng, SeedableRng},
};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};
use symbolon_backup::{Backed, Backup, NewSlot, Password, PasswordPolicy, Phrase, Work};
use symbolon_core::{Ed25519, Group, KeyId, Secp256k1, SecretScalar, SharingId};
use symbolon_seal::DeviceKey;
use symbolon_sharing::{KeyShare, Marks, Parts, Scheme};

const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };

#[test]
fn golden_files_with_every_slot() {
    let (golden, mut reader) = (Golden::load(), Reader::new("golden"));
    for (name, public_key, epoch, scalar) in golden.files() {
        for secret in &golden.secrets {
            let ask = Ask { secret, public_key: &public_key, epoch };
            for form in ["bin", "pem"] {
                let opened = reader.both(&Golden::file(&format!("{name}.{form}")), &ask);
                assert!(opened.contains(&format!(" {scalar} ")), "{opened}");
            }
        }
    }
}

#[test]
fn the_command_line() {
    let golden = Golden::load();
    let program = || {
        let mut command = python();
        command.arg(repository().join("docs/readers/read_backup.py"));
        command
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/v1/factor-client.pem");
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    // without a secret the claims alone, and nothing secret unless it is asked for
    let (code, said) = run(program().arg(&file));
    let claims: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (code, &claims["kind"], &claims["slots"]),
        (0, &json!("pair factor"), &json!(["password", "phrase", "device"]))
    );
    assert_eq!(claims.get("share_matches"), None);
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reader-line");
    fs::create_dir_all(&directory).unwrap();
    let Secret::Password(password) = &golden.secrets[0] else { panic!("a password") };
    for (text, expected) in [(format!("{password}\r\n"), 0), (format!("{password} "), 1)] {
        fs::write(directory.join("password"), text).unwrap();
        let (code, said) = run(program().arg(&file).arg("--password-file").arg(directory.join("password")));
        assert_eq!(code, expected);
        if code == 0 {
            let (_, _, _, scalar) = golden.files().into_iter().find(|file| file.0 == "factor-client").unwrap();
            let opened: Value = serde_json::from_str(&said).unwrap();
            assert!(opened["share_matches"] == false && opened.get("secret").is_none() && !said.contains(scalar));
        } else {
            assert_eq!(said, "wrong password\n");
        }
    }
    // the right share is the one whose point the caller knows from elsewhere
    fs::write(directory.join("password"), password).unwrap();
    for (key, point, expected) in [
        ("public_key", "public_point", "\"share_matches\": true"),
        ("public_key", "public_key", "another share"),
        ("public_point", "public_point", "another key"),
    ] {
        let [key, point] = [key, point].map(|name| claims[name].as_str().unwrap());
        let mut command = program();
        command.arg(&file).args(["--public-key", key, "--public-share", point, "--password-file"]);
        let (_, said) = run(command.arg(directory.join("password")));
        assert!(said.contains(expected), "{said}");
    }
    assert_eq!(run(&mut program()).0, 2);
    assert_eq!(run(program().arg(&file).arg("--store").arg(&file)).0, 2);
    assert_eq!(run(program().arg("no such file")).0, 2);
}

#[test]
fn wrong_secrets_and_other_expectations() {
    let (golden, mut reader) = (Golden::load(), Reader::new("wrong"));
    let phrase = Phrase::generate(&mut rng(60)).unwrap().words().to_string();
    let wrong = [Secret::Password("correct horse".into()), Secret::Phrase(phrase), Secret::Device([5; 32])];
    let files = golden.files();
    for (name, public_key, epoch, _) in &files[..4] {
        let file = Golden::file(&format!("{name}.bin"));
        for (secret, outcome) in wrong.iter().zip(["wrong password", "wrong phrase", "wrong device"]) {
            let ask = Ask { secret, public_key, epoch: *epoch };
            assert_eq!(reader.both(&file, &ask), outcome);
        }
        let secret = &golden.secrets[2];
        assert_eq!(reader.both(&file, &Ask { secret, public_key, epoch: epoch + 1 }), "old epoch");
        let (_, other, ..) = files.iter().find(|(_, key, ..)| key != public_key).unwrap();
        assert_eq!(reader.both(&file, &Ask { secret, public_key: other, epoch: *epoch }), "another key");
        assert_ne!(reader.both(&file, &Ask { secret, public_key, epoch: 0 }), "old epoch");
    }
    // the same words, whatever the keyboard does to them
    let (Secret::Password(password), Secret::Phrase(words)) = (&golden.secrets[0], &golden.secrets[1]) else {
        panic!("a password, a phrase")
    };
    let (_, public_key, epoch, scalar) = &files[0];
    for secret in [
        Secret::Password(password.replace("o\u{308}", "ö")),
        Secret::Password(password.replace('ｖ', "v")),
        Secret::Phrase(words.to_uppercase().replace(' ', " \t\n")),
    ] {
        let ask = Ask { secret: &secret, public_key, epoch: *epoch };
        assert!(reader.both(&Golden::file("share-secp256k1.bin"), &ask).contains(scalar));
    }
}

fn random_share<G: Group>(rng: &mut ChaCha12Rng, n: u16) -> KeyShare<G> {
    let t = 2 + u16::try_from(rng.next_u32() % u32::from(n - 1)).unwrap();
    let mut shares = deal::<G>(t, n, rng.next_u32() % 200, rng.next_u32().to_be_bytes()[0]);
    let share = shares.swap_remove(usize::try_from(rng.next_u32()).unwrap() % shares.len());
    let mut chain_code = [0; 32];
    rng.fill_bytes(&mut chain_code);
    let frost = G::ID != Secp256k1::ID || rng.next_u32().is_multiple_of(2);
    KeyShare::new(Parts {
        scheme: if frost { Scheme::Frost } else { Scheme::Ecdsa },
        key_id: KeyId::from_bytes(chain_code[..16].try_into().unwrap()),
        sharing_id: SharingId::from_bytes(chain_code[16..].try_into().unwrap()),
        epoch: rng.next_u32(),
        members: share.members().to_vec(),
        threshold: share.threshold(),
        me: share.me(),
        x: SecretScalar::new(*share.secret().expose()),
        public_key: *share.public_key(),
        chain_code,
        marks: marks(rng),
    })
    .unwrap()
}

fn marks(rng: &mut ChaCha12Rng) -> Marks {
    Marks::from_byte(rng.next_u32().to_be_bytes()[0] & 7).unwrap()
}

#[test]
fn fifty_random_backups() {
    fn check<S: Backed>(reader: &mut Reader, secret: &S, rng: &mut ChaCha12Rng) {
        let passwords: Vec<_> = (0..2).map(|_| format!("{:x} żółw {:x}", rng.next_u64(), rng.next_u64())).collect();
        let sealed: Vec<_> =
            passwords.iter().map(|text| Password::new(text, &PasswordPolicy::default()).unwrap()).collect();
        let phrase = Phrase::generate(rng).unwrap();
        let devices: Vec<_> = (0..3).map(|_| DeviceKey::generate(rng).unwrap()).collect();
        let mut slots = vec![NewSlot::Phrase(&phrase)];
        slots.extend(sealed.iter().map(|password| {
            let (r, p) = (1 + rng.next_u32() % 2, 1 + rng.next_u32() % 2);
            NewSlot::Password(password, Work { r, p, ..CHEAP })
        }));
        slots.extend(devices.iter().map(|device| NewSlot::Device(device.public())));
        // any of them, in any order
        for i in 0..slots.len() {
            slots.swap(i, usize::try_from(rng.next_u32()).unwrap() % (i + 1));
        }
        slots.truncate(1 + usize::try_from(rng.next_u32()).unwrap() % slots.len());
        let backup = Backup::create(secret, &slots, rng).unwrap();
        let header = secret.header();
        let mut secrets = vec![Secret::Phrase(phrase.words().to_string())];
        secrets.extend(passwords.into_iter().map(Secret::Password));
        secrets.extend(devices.iter().map(|device| Secret::Device(*device.to_bytes().expose())));
        let mut opened = 0;
        for secret in &secrets {
            let ask = Ask { secret, public_key: header.public_key(), epoch: header.epoch() };
            // both forms are the same bytes: one is enough
            let outcome = match secret {
                Secret::Device(_) => reader.both(backup.to_pem().as_bytes(), &ask),
                _ => reader.both(&backup.to_bytes(), &ask),
            };
            opened += usize::from(outcome.starts_with("key share") || outcome.starts_with("pair factor"));
        }
        assert_eq!(opened, slots.len());
    }
    let (mut reader, mut rng) = (Reader::new("random"), ChaCha12Rng::from_seed([66; 32]));
    for round in 0..50 {
        let n = 2 + u16::try_from(rng.next_u32() % 4).unwrap();
        match round % 4 {
            0 => check(&mut reader, &random_share::<Secp256k1>(&mut rng, n), &mut rng),
            1 => check(&mut reader, &random_share::<Ed25519>(&mut rng, n), &mut rng),
            side => {
                let [server, client] = factor(rng.next_u32());
                let side = if side == 2 { server } else { client };
                check(&mut reader, &side.with_marks(marks(&mut rng)), &mut rng);
            }
        }
    }
}

#[test]
fn halves() {
    let (golden, mut reader) = (Golden::load(), Reader::new("halves"));
    let files = golden.files();
    let split = |at: usize| {
        let (store, share) = Backup::from_bytes(&Golden::file(&format!("{}.bin", files[at].0))).unwrap().detach();
        (store.to_bytes(), share.to_bytes())
    };
    let (_, public_key, epoch, _) = &files[0];
    let ask = Ask { secret: &golden.secrets[2], public_key, epoch: *epoch };
    let opened = reader.both(&Golden::file("share-secp256k1.bin"), &ask);
    let (store, share) = split(0);
    assert_eq!(reader.halves(&store, &share, &ask), opened);
    assert_eq!(reader.halves(&share, &store, &ask), "not a backup");
    assert_eq!(reader.both(&store, &ask), "not a backup");
    // of another key, of another backup of this one
    let (other, again) = (split(2), split(4));
    assert_eq!(files[4].1, *public_key);
    for (half, outcome) in [(other, "another key"), (again, "another backup")] {
        assert_eq!(reader.halves(&half.0, &share, &ask), outcome);
        assert_eq!(reader.halves(&store, &half.1, &ask), outcome);
    }
    for at in 0..share.len() - 32 {
        let mut changed = share.clone();
        changed[at] ^= 1 << (at % 8);
        assert_eq!(reader.halves(&store, &changed, &ask), "damaged");
        assert_ne!(reader.halves(&store, &rehashed(changed), &ask), opened);
        reader.halves(&store, &rehashed([&share[..at], &[0; 32]].concat()), &ask);
    }
    for at in 0..store.len() - 32 {
        let mut changed = store.clone();
        changed[at] ^= 1 << (at % 8);
        assert_eq!(reader.halves(&changed, &share, &ask), "damaged");
        assert_ne!(reader.halves(&rehashed(changed), &share, &ask), opened);
    }
    let longer = rehashed([&store[..store.len() - 32], &[0; 33]].concat());
    assert_eq!(reader.halves(&longer, &share, &ask), "malformed");
}
