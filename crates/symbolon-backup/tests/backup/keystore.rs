//! Web3 secret storage: the published vectors, round trips, hostile files.

use crate::world::rng;
use serde_json::{Value, json};
use symbolon_backup::{CreateError, KeystoreError, Limits, Work, from_keystore, to_keystore};
use symbolon_core::{Secp256k1, SecretScalar, SeedRng};

const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };
/// The key of the vectors, and its address there.
const KEY: &str = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d";
const ADDRESS: &str = "008aeeda4d805471df9b2a5b0f38a0c3bcba786b";

/// The two test vectors of the definition.
fn published() -> [Value; 2] {
    let pbkdf2 = json!({
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": "6087dab2f9fdbbfaddc31a909735c1e6" },
            "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
            "kdf": "pbkdf2",
            "kdfparams": {
                "c": 262_144, "dklen": 32, "prf": "hmac-sha256",
                "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
            },
            "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3,
    });
    let scrypt = json!({
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": { "iv": "83dbcc02d8ccb40e466191a123791e0e" },
            "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
            "kdf": "scrypt",
            "kdfparams": {
                "dklen": 32, "n": 262_144, "r": 1, "p": 8,
                "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
            },
            "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
        },
        "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3,
    });
    [pbkdf2, scrypt]
}

fn open(file: &Value, password: &str) -> Result<String, KeystoreError> {
    let secret = from_keystore(&file.to_string(), password, &Limits::default())?;
    Ok(hex::encode(secret.to_bytes().expose()))
}

#[test]
fn published_vectors() {
    for mut file in published() {
        assert_eq!(open(&file, "testpassword").as_deref(), Ok(KEY));
        file["address"] = json!(ADDRESS);
        assert_eq!(open(&file, "testpassword").as_deref(), Ok(KEY));
        assert_eq!(open(&file, "testpassworD"), Err(KeystoreError::WrongPassword));
    }
}

#[test]
fn what_is_written_opens() {
    let secret = SecretScalar::<Secp256k1>::random(&mut SeedRng::new(&[1; 32]));
    let file = to_keystore(&secret, "a password", &CHEAP, &mut rng(1)).unwrap();
    let read = from_keystore(&file, "a password", &Limits::default()).ok().unwrap();
    assert!(read.expose() == secret.expose());
    let file: Value = serde_json::from_str(&file).unwrap();
    assert_eq!(to_keystore(&secret, "", &Work { log_n: 13, ..CHEAP }, &mut rng(1)).err(), Some(CreateError::Work));
    // the address is the key's
    let mut other = file.clone();
    other["address"] = json!("0000000000000000000000000000000000000000");
    assert_eq!(open(&other, "a password"), Err(KeystoreError::Key));
    other["address"] = json!(format!("0x{}", file["address"].as_str().unwrap()));
    assert!(open(&other, "a password").is_ok());
    other.as_object_mut().unwrap().remove("address");
    assert!(open(&other, "a password").is_ok());
    // what other wallets add; the names in objects are counted, and here none is in the text
    other["label"] = json!("of a 5\" disk: mine: \\");
    assert!(open(&other, "a password").is_ok());
}

#[test]
fn names_are_random_uuids() {
    let secret = SecretScalar::<Secp256k1>::random(&mut SeedRng::new(&[1; 32]));
    // RFC 9562: whatever was drawn for the version and the variant is overwritten
    for seed in 1..=16 {
        let file = to_keystore(&secret, "a password", &CHEAP, &mut rng(seed)).unwrap();
        let file: Value = serde_json::from_str(&file).unwrap();
        let id = file["id"].as_str().unwrap();
        assert!(id.len() == 36 && &id[14..15] == "4" && "89ab".contains(&id[19..20]), "{id}");
    }
}

#[test]
fn hostile_files() {
    let secret = SecretScalar::<Secp256k1>::random(&mut SeedRng::new(&[1; 32]));
    let file: Value = serde_json::from_str(&to_keystore(&secret, "p", &CHEAP, &mut rng(1)).unwrap()).unwrap();
    let with = |path: &str, value: Value| {
        let mut file = file.clone();
        *file.pointer_mut(path).unwrap() = value;
        open(&file, "p")
    };
    let params = "/crypto/kdfparams";
    for (name, value) in [
        ("n", json!(1u64 << 40)),
        ("n", json!(1u64 << 63)),
        ("r", json!(u32::MAX)),
        ("r", json!(u64::MAX)),
        ("p", json!(1 << 30)),
    ] {
        let refused = with(&format!("{params}/{name}"), value);
        assert!(matches!(refused, Err(KeystoreError::ExcessiveWork { .. })), "{name}: {refused:?}");
    }
    for (path, value, error) in [
        ("/version", json!(1), KeystoreError::Unsupported),
        ("/version", json!("3"), KeystoreError::Format),
        ("/crypto/cipher", json!("aes-256-ctr"), KeystoreError::Unsupported),
        ("/crypto/kdf", json!("argon2"), KeystoreError::Unsupported),
        ("/crypto/kdfparams/dklen", json!(16), KeystoreError::Unsupported),
        ("/crypto/kdfparams/n", json!(16385), KeystoreError::Format),
        ("/crypto/kdfparams/n", json!(0), KeystoreError::Format),
        ("/crypto/kdfparams/n", json!(-1), KeystoreError::Format),
        ("/crypto/kdfparams/r", json!(0), KeystoreError::Unsupported),
        ("/crypto/kdfparams/salt", json!("zz"), KeystoreError::Format),
        ("/crypto/kdfparams/salt", json!("a"), KeystoreError::Format),
        ("/crypto/kdfparams/salt", json!("żż"), KeystoreError::Format),
        ("/crypto/kdfparams/salt", json!("00".repeat(65)), KeystoreError::Format),
        ("/crypto/cipherparams/iv", json!("00"), KeystoreError::Format),
        ("/crypto/ciphertext", json!("00".repeat(31)), KeystoreError::Format),
        ("/crypto/ciphertext", json!("00".repeat(32)), KeystoreError::WrongPassword),
        ("/crypto/mac", json!("00".repeat(32)), KeystoreError::WrongPassword),
        ("/crypto", json!([]), KeystoreError::Format),
    ] {
        assert_eq!(with(path, value), Err(error), "{path}");
    }
    for text in ["", "[]", "null", "{}", "{", &"[".repeat(10_000), &" ".repeat(1 << 20)] {
        assert_eq!(from_keystore(text, "p", &Limits::default()).err(), Some(KeystoreError::Format));
    }
}
