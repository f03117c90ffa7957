//! Backups that earlier versions have written: they are read forever. See testdata/v1/README.md.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

#[path = "backup/world.rs"]
mod world;

use rand_chacha::ChaCha12Rng;
use serde_json::{Value, json};
use std::{fs, io::Write, path::PathBuf};
use symbolon_backup::{
    Backed, Backup, Expected, Limits, NewSlot, Password, PasswordPolicy, Phrase, ReadError, SecretKind, Unlock, Work,
};
use symbolon_core::{Ed25519, Group, Secp256k1, SecretBytes};
use symbolon_seal::DeviceKey;
use symbolon_sharing::{KeyShare, Marks, PairFactor};
use world::{deal, factor, rng};

/// Decomposed and full width: who reads it normalises.
const PASSWORD: &str = "pa\u{308}sswo\u{308}rd of ｖersion 1";
const CHEAP: Work = Work { log_n: 14, r: 8, p: 1 };

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/v1")
}

/// The scalar of a secret, which is what a reader is after.
trait Scalar: Backed {
    fn scalar(&self) -> String;
}

impl<G: Group> Scalar for KeyShare<G> {
    fn scalar(&self) -> String {
        hex::encode(self.secret().to_bytes().expose())
    }
}

impl Scalar for PairFactor {
    fn scalar(&self) -> String {
        hex::encode(self.secret().to_bytes().expose())
    }
}

#[test]
#[ignore = "makes the files, once for every version"]
fn make_files() {
    fn seal<S: Scalar>(secret: &S, slots: &[NewSlot<'_>], rng: &mut ChaCha12Rng) -> (Backup, String) {
        (Backup::create(secret, slots, rng).unwrap(), secret.scalar())
    }
    let rng = &mut rng(50);
    let password = Password::new(PASSWORD, &PasswordPolicy::default()).unwrap();
    let phrase = Phrase::generate(rng).unwrap();
    let device = DeviceKey::generate(rng).unwrap();
    let slots = |work| [NewSlot::Password(&password, work), NewSlot::Phrase(&phrase), NewSlot::Device(device.public())];
    let (cheap, costly) = (slots(CHEAP), slots(Work::default()));
    let secp256k1 = deal::<Secp256k1>(2, 3, 1, 51).remove(1);
    let ed25519 = deal::<Ed25519>(3, 5, 7, 52).remove(3);
    let [server, client] = factor(2);
    let mut imported = Marks::default();
    imported.imported = true;
    let sealed = [
        ("share-secp256k1", CHEAP, seal(&secp256k1, &cheap, rng)),
        ("share-ed25519", CHEAP, seal(&ed25519, &cheap, rng)),
        ("factor-server", CHEAP, seal(&server.with_marks(imported), &cheap, rng)),
        ("factor-client", CHEAP, seal(&client, &cheap, rng)),
        ("share-default-cost", Work::default(), seal(&secp256k1, &costly, rng)),
    ];
    let mut files = Vec::new();
    for (name, Work { log_n, r, p }, (backup, scalar)) in sealed {
        for (end, content) in [("bin", backup.to_bytes()), ("pem", backup.to_pem().into_bytes())] {
            let path = directory().join(format!("{name}.{end}"));
            fs::File::create_new(path).unwrap().write_all(&content).unwrap();
        }
        let header = backup.header();
        files.push(json!({
            "name": name,
            "kind": if header.kind() == SecretKind::KeyShare { "key share" } else { "pair factor" },
            "curve": if header.is_on::<Secp256k1>() { "secp256k1" } else { "ed25519" },
            "epoch": header.epoch(),
            "index": header.index().get(),
            "work": [u32::from(log_n), r, p],
            "public_key": hex::encode(header.public_key()),
            "secret": scalar,
            "slot_set": hex::encode(backup.slot_set().to_bytes()),
        }));
    }
    let listing = json!({
        "password": PASSWORD,
        "phrase": *phrase.words(),
        "device_key": hex::encode(device.to_bytes().expose()),
        "files": files,
    });
    let mut file = fs::File::create_new(directory().join("golden.json")).unwrap();
    writeln!(file, "{}", serde_json::to_string_pretty(&listing).unwrap()).unwrap();
}

fn check<S: Scalar>(backup: &Backup, file: &Value, unlock: &Unlock<'_>, public_key: &<S::Group as Group>::Point) {
    let epoch = u32::try_from(file["epoch"].as_u64().unwrap()).unwrap();
    let opened = backup.open::<S>(unlock, &Expected::key(*public_key).epoch(epoch), &Limits::default()).ok().unwrap();
    assert_eq!(opened.secret.scalar(), file["secret"]);
    assert_eq!(hex::encode(backup.slot_set().to_bytes()), file["slot_set"]);
    assert_eq!(u64::from(opened.secret.header().index().get()), file["index"]);
    assert_eq!(opened.secret.header().epoch(), epoch);
}

#[test]
fn files_of_version_1_open() {
    let golden: Value = serde_json::from_slice(&fs::read(directory().join("golden.json")).unwrap()).unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let password = Password::entered(&text(&golden["password"])).unwrap();
    let phrase = Phrase::parse(&text(&golden["phrase"])).unwrap();
    let device = hex::decode(text(&golden["device_key"])).unwrap();
    let device = DeviceKey::from_bytes(&SecretBytes::new(device.try_into().unwrap()));
    let files = golden["files"].as_array().unwrap();
    for file in files {
        let path = |end: &str| directory().join(format!("{}.{end}", file["name"].as_str().unwrap()));
        let (bytes, pem) = (fs::read(path("bin")).unwrap(), fs::read_to_string(path("pem")).unwrap());
        let backup = Backup::from_bytes(&bytes).unwrap();
        assert_eq!(Backup::from_pem(&pem), Ok(backup.clone()));
        assert_eq!((Backup::read(&bytes), Backup::read(pem.as_bytes())), (Ok(backup.clone()), Ok(backup.clone())));
        assert_eq!((backup.to_bytes(), backup.to_pem()), (bytes, pem), "what is read prints the same");
        assert_eq!(hex::encode(backup.slot_set().to_bytes()), file["slot_set"]);
        let key = hex::decode(text(&file["public_key"])).unwrap();
        for unlock in [Unlock::Password(&password), Unlock::Phrase(&phrase), Unlock::Device(&device)] {
            match (file["kind"].as_str().unwrap(), file["curve"].as_str().unwrap()) {
                ("key share", "secp256k1") => {
                    let key = Secp256k1::point_from_bytes(&key).unwrap();
                    check::<KeyShare<Secp256k1>>(&backup, file, &unlock, &key);
                }
                ("key share", "ed25519") => {
                    let key = Ed25519::point_from_bytes(&key).unwrap();
                    check::<KeyShare<Ed25519>>(&backup, file, &unlock, &key);
                }
                ("pair factor", "secp256k1") => {
                    assert_eq!(backup.header().kind(), SecretKind::PairFactor);
                    let key = Secp256k1::point_from_bytes(&key).unwrap();
                    check::<PairFactor>(&backup, file, &unlock, &key);
                }
                other => panic!("{other:?}"),
            }
        }
    }
    // two forms of each, and the listing and its page
    assert_eq!(fs::read_dir(directory()).unwrap().count(), 2 * files.len() + 2);
    assert!(files.len() >= 5);
}

#[test]
fn a_file_is_text_only_from_its_first_line_on() {
    for file in ["", "no backup", " -----BEGIN SYMBOLON SHARE BACKUP-----"] {
        assert_eq!(Backup::read(file.as_bytes()), Err(ReadError::NotABackup), "{file:?}");
    }
    assert_eq!(Backup::read(b"-----BEGIN SYMBOLON SHARE BACKUP-----"), Err(ReadError::Text));
    assert_eq!(Backup::read(b"-----BEGIN \xff"), Err(ReadError::NotABackup));
}
