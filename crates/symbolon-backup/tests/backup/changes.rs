//! Every byte changed, every length cut, with and without a right hash; hostile headers.

use crate::world::{deal, rehashed, rng};
use std::time::{Duration, Instant};
use symbolon_backup::{
    Backup, Expected, Limits, NewSlot, OpenError, Password, PasswordPolicy, Phrase, ReadError, Unlock, Work,
};
use symbolon_core::Secp256k1;
use symbolon_seal::DeviceKey;
use symbolon_sharing::KeyShare;

const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };

struct World {
    share: KeyShare<Secp256k1>,
    password: Password,
    phrase: Phrase,
    device: DeviceKey,
    backup: Backup,
}

fn world() -> World {
    let mut rng = rng(20);
    let share = deal::<Secp256k1>(2, 3, 3, 1).swap_remove(0);
    let password = Password::new("correct horse", &PasswordPolicy::default()).unwrap();
    let phrase = Phrase::generate(&mut rng).unwrap();
    let device = DeviceKey::generate(&mut rng).unwrap();
    let slots = [NewSlot::Device(device.public()), NewSlot::Password(&password, CHEAP), NewSlot::Phrase(&phrase)];
    let backup = Backup::create(&share, &slots, &mut rng).unwrap();
    World { share, password, phrase, device, backup }
}

/// Where a field begins and ends in the container of [`world`]; the order of docs/backup.md.
const FIELDS: [(&str, usize); 36] = [
    ("magic", 7),
    ("version", 1),
    ("kind", 1),
    ("curve", 1),
    ("scheme", 1),
    ("key id", 16),
    ("sharing id", 16),
    ("epoch", 4),
    ("generation", 4),
    ("index", 2),
    ("threshold", 2),
    ("parties", 2),
    ("length of P", 1),
    ("P", 33),
    ("length of X", 1),
    ("X", 33),
    ("slots", 1),
    ("type 0", 1),
    ("length 0", 2),
    ("suite 0", 1),
    ("pk 0", 33),
    ("sealed 0", 2 + 32 + 2 + 48),
    ("type 1", 1),
    ("length 1", 2),
    ("suite 1", 1),
    ("work 1", 9),
    ("salt 1", 32),
    ("pk 1", 33),
    ("sealed 1", 2 + 32 + 2 + 48),
    ("slot 2", 3 + 1 + 32 + 33 + 2 + 32 + 2 + 48),
    ("mac", 32),
    ("nonce", 12),
    ("length", 4),
    ("ciphertext", 0),
    ("tag", 16),
    ("hash", 32),
];

fn field(at: usize, len: usize) -> &'static str {
    let fixed: usize = FIELDS.iter().map(|(_, width)| width).sum();
    let mut end = 0;
    for (name, width) in FIELDS {
        end += if name == "ciphertext" { len - fixed } else { width };
        if at < end {
            return name;
        }
    }
    panic!("{at} of {len}");
}

/// What opening says, as the table of docs/backup.md does.
fn outcome(world: &World, bytes: &[u8], unlock: &Unlock<'_>) -> &'static str {
    let backup = match Backup::from_bytes(bytes) {
        Err(ReadError::NotABackup) => return "not a backup",
        Err(ReadError::Damaged) => return "damaged",
        Err(ReadError::Version(_) | ReadError::Unsupported) => return "unsupported",
        Err(ReadError::Malformed) => return "malformed",
        Err(ReadError::NeverBackedUp) => return "never backed up",
        Err(error) => panic!("{error}"),
        Ok(backup) => backup,
    };
    assert_eq!(backup.to_bytes(), bytes, "what is read prints the same");
    let expected = Expected { public_key: world.share.public_key(), epoch: 3 };
    match backup.open::<KeyShare<Secp256k1>>(unlock, &expected, &Limits::default()).err() {
        None => "open",
        Some(OpenError::WrongPassword | OpenError::WrongPhrase | OpenError::WrongDevice) => "wrong secret",
        Some(OpenError::Forged) => "forged",
        Some(OpenError::ExcessiveWork { .. } | OpenError::WeakWork) => "work",
        Some(OpenError::OtherKind) => "another kind",
        Some(OpenError::OtherKey) => "another key",
        Some(OpenError::OldEpoch { .. }) => "old epoch",
        Some(OpenError::NoSlot) => "no slot",
        Some(error) => panic!("{error}"),
    }
}

#[test]
fn every_changed_byte_is_damage() {
    let world = world();
    let (bytes, pem) = (world.backup.to_bytes(), world.backup.to_pem().into_bytes());
    for at in 0..bytes.len() {
        for change in [1, 0x10, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            assert_eq!(Backup::from_bytes(&changed), Err(ReadError::Damaged), "{}", field(at, bytes.len()));
        }
        assert!(matches!(Backup::from_bytes(&bytes[..at]), Err(ReadError::Damaged | ReadError::NotABackup)), "{at}");
        let mut longer = bytes.clone();
        longer.insert(at, 0);
        assert!(Backup::from_bytes(&longer).is_err());
    }
    assert_eq!(Backup::from_bytes(&[&bytes[..], &[0]].concat()), Err(ReadError::Damaged));
    for at in 0..pem.len() {
        for change in [1, 0x20, 0x80] {
            let mut changed = pem.clone();
            changed[at] ^= change;
            let Ok(text) = std::str::from_utf8(&changed) else { continue };
            assert!(Backup::from_pem(text).is_err(), "{at}");
        }
        let cut = std::str::from_utf8(&pem[..at]).unwrap();
        assert!(Backup::from_pem(cut).is_err() || at + 1 == pem.len(), "the last line end may be missing");
    }
    let text = String::from_utf8(pem).unwrap();
    assert!(Backup::from_pem(&text.replace('\n', "\r\n")).is_ok());
    for wrong in [
        text.replace("SHARE BACKUP", "SHARE BACKUQ"),
        text.replacen("END SYMBOLON SHARE BACKUP", "END SYMBOLON SHARE BACKDOWN", 1),
        format!("hello\n{text}"),
        format!("{text}hello"),
        format!("{text}\n"),
        format!("{text}{text}"),
        text.replace('\n', "\r"),
        text.replacen('\n', " \n", 1),
        text.replacen("BACKUP-----\n", "BACKUP-----\nProc-Type: 4\n\n", 1),
    ] {
        assert_eq!(Backup::from_pem(&wrong), Err(ReadError::Text));
    }
}

// attacks.md rows 73, 74: whoever can write the hash again still changes nothing
#[test]
fn row_74_every_field_with_a_right_hash() {
    let world = world();
    let bytes = world.backup.to_bytes();
    let device = Unlock::Device(&world.device);
    assert_eq!(outcome(&world, &bytes, &device), "open");
    let mut seen = std::collections::BTreeSet::new();
    for at in 0..bytes.len() - 32 {
        for change in [1, 2, 3, 0x10, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            let (field, got) = (field(at, bytes.len()), outcome(&world, &rehashed(changed), &device));
            let allowed: &[&str] = match field {
                "magic" => &["not a backup"],
                "version" | "suite 1" => &["unsupported"],
                // a device has two
                "suite 0" => &["unsupported", "malformed"],
                "kind" => &["unsupported", "never backed up", "another kind"],
                "curve" => &["unsupported", "malformed"],
                "scheme" => &["unsupported", "forged"],
                "epoch" => &["forged", "old epoch"],
                "key id" | "sharing id" | "generation" => &["forged"],
                "index" | "threshold" | "parties" => &["forged", "malformed"],
                "P" => &["another key", "malformed"],
                "X" => &["forged", "malformed"],
                "length of P" | "length of X" => &["malformed"],
                "slots" | "type 0" | "type 1" | "length 0" | "length 1" => &["malformed", "unsupported"],
                // the slot that is opened
                "pk 0" => &["wrong secret", "malformed"],
                "sealed 0" => &["forged", "malformed"],
                // another one
                "work 1" | "salt 1" | "pk 1" | "sealed 1" | "mac" | "nonce" | "ciphertext" | "tag" => {
                    &["forged", "malformed"]
                }
                "slot 2" => &["forged", "malformed", "unsupported"],
                "length" => &["malformed"],
                other => panic!("{other}"),
            };
            assert!(allowed.contains(&got), "{field} at {at}: {got}");
            seen.insert((field, got));
        }
    }
    // every outcome of the table does occur
    for pair in [
        ("kind", "never backed up"),
        ("kind", "another kind"),
        ("scheme", "forged"),
        ("epoch", "old epoch"),
        ("index", "forged"),
        ("P", "another key"),
        ("X", "forged"),
        ("pk 0", "wrong secret"),
        ("sealed 0", "forged"),
        ("salt 1", "forged"),
    ] {
        assert!(seen.contains(&pair), "{pair:?}");
    }
    // the slot of a password: its own cost and salt
    let password = Unlock::Password(&world.password);
    let at = |name: &str| (0..bytes.len()).position(|at| field(at, bytes.len()) == name).unwrap();
    for (at, got) in [
        (at("work 1"), &["work", "wrong secret"][..]),
        (at("work 1") + 1, &["work"]),
        (at("work 1") + 4, &["work", "wrong secret"]),
        (at("work 1") + 8, &["work", "wrong secret"]),
        (at("salt 1"), &["wrong secret"]),
        (at("pk 1") + 1, &["wrong secret", "malformed"]),
        (at("sealed 1") + 40, &["forged"]),
        (at("pk 0") + 1, &["forged", "malformed"]),
        (at("mac"), &["forged"]),
    ] {
        for change in [1, 2, 0x10] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            let outcome = outcome(&world, &rehashed(changed), &password);
            assert!(got.contains(&outcome), "{at} ^ {change}: {outcome}");
        }
    }
    let phrase = Unlock::Phrase(&world.phrase);
    let mut changed = bytes.clone();
    changed[at("slot 2") + 4] ^= 1;
    assert_eq!(outcome(&world, &rehashed(changed), &phrase), "wrong secret");
    for cut in 0..bytes.len() - 32 {
        let cut = rehashed([&bytes[..cut], &[0; 32]].concat());
        assert!(matches!(outcome(&world, &cut, &device), "malformed" | "not a backup"));
    }
}

// attacks.md row 73
#[test]
#[allow(clippy::disallowed_methods, reason = "the test measures")]
fn row_73_hostile_costs_are_refused_at_once() {
    let world = world();
    let bytes = world.backup.to_bytes();
    let at = (0..bytes.len()).position(|at| field(at, bytes.len()) == "work 1").unwrap();
    let password = Unlock::Password(&world.password);
    for (log_n, r, p) in [
        (40u8, 8u32, 1u32),
        (63, 8, 1),
        (64, 8, 1),
        (255, u32::MAX, u32::MAX),
        (14, 1 << 31, 1),
        (14, 8, 1 << 30),
        (20, 16, 4),
        (21, 1, 1),
        (0, 8, 1),
        (1, 8, 1),
        (10, 8, 1),
        (14, 0, 1),
        (14, 8, 0),
    ] {
        let mut changed = bytes.clone();
        let work = [&[log_n][..], &r.to_be_bytes(), &p.to_be_bytes()].concat();
        changed[at..at + 9].copy_from_slice(&work);
        let changed = rehashed(changed);
        let begin = Instant::now();
        assert_eq!(outcome(&world, &changed, &password), "work", "{log_n} {r} {p}");
        // a millisecond, with room for a busy machine: the least work that is allowed takes ten times this
        assert!(begin.elapsed() < Duration::from_millis(20));
    }
}
