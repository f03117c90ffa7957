//! The vectors: every address and signature, with reason, signer and message.

use base64::{Engine, prelude::BASE64_STANDARD};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use serde_json::Value;
use sha2::{Digest, Sha256};
use symbolon_dero::{Address, Network, PublicKey, SecretKey, SignatureError, SignedMessage};

const LIMIT: usize = 1 << 22;

fn vectors(file: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn network(value: &Value) -> Network {
    if text(value) == "mainnet" { Network::Mainnet } else { Network::Testnet }
}

#[test]
fn every_address() {
    let (mut valid, mut invalid) = (0, 0);
    for v in vectors(include_str!("../../testdata/addresses.json")) {
        let read = Address::parse(text(&v["address"]));
        match read {
            Ok(address) => {
                assert_eq!(v["strict"], "valid", "{}", v["name"]);
                assert_eq!(address.to_string(), text(&v["address"]));
                assert_eq!(hex::encode(address.key().to_bytes()), text(&v["public_key"]));
                assert_eq!(address.network(), network(&v["network"]));
                assert_eq!(PublicKey::from_bytes(&address.key().to_bytes()).as_ref(), Ok(address.key()));
                valid += 1;
            }
            Err(error) => {
                assert_eq!((text(&v["strict"]), v["strict_reason"].as_str()), ("invalid", Some(error.code())), "{v}");
                invalid += 1;
            }
        }
    }
    assert_eq!((valid, invalid), (11, 42));
}

/// The bytes of a vector; the large one is made by its recipe.
fn pem(v: &Value) -> Vec<u8> {
    if let Some(pem) = v["pem_base64"].as_str() {
        return BASE64_STANDARD.decode(pem).unwrap();
    }
    let message = large(v);
    let body = BASE64_STANDARD.encode(&message);
    let lines: String =
        body.as_bytes().chunks(64).map(|line| format!("{}\n", std::str::from_utf8(line).unwrap())).collect();
    let (address, c, s) = (text(&v["address"]), text(&v["c"]), text(&v["s"]));
    let pem = format!(
        "-----BEGIN DERO SIGNED MESSAGE-----\nAddress: {address}\nC: {c}\nS: {s}\n\n{lines}-----END DERO SIGNED MESSAGE-----\n"
    );
    assert_eq!(hex::encode(Sha256::digest(&pem)), text(&v["pem_sha256"]));
    pem.into_bytes()
}

fn large(v: &Value) -> Vec<u8> {
    let recipe = |name: &str| v["message_recipe"][name].as_u64().unwrap();
    let (mul, add, len) = (recipe("mul"), recipe("add"), recipe("length"));
    let message: Vec<u8> = (0..len).map(|i| u8::try_from((mul * i + add) % 256).unwrap()).collect();
    assert_eq!(hex::encode(Sha256::digest(&message)), text(&v["message_sha256"]));
    message
}

#[test]
fn every_signature() {
    let (mut valid, mut invalid) = (0, 0);
    for v in vectors(include_str!("../../testdata/signatures.json")) {
        let pem = pem(&v);
        let read = SignedMessage::parse(&pem, LIMIT);
        let printed = read.clone().map(|read| read.to_pem());
        match read.and_then(SignedMessage::verify_any) {
            Ok(verified) => {
                assert_eq!(v["strict"], "valid", "{}", v["name"]);
                let address = verified.address();
                assert_eq!(address.to_string(), text(&v["signer"]["address"]));
                assert_eq!(hex::encode(address.key().to_bytes()), text(&v["signer"]["public_key"]));
                assert_eq!(address.network(), network(&v["signer"]["network"]));
                let message = match v["message_base64"].as_str() {
                    Some(message) => BASE64_STANDARD.decode(message).unwrap(),
                    None => large(&v),
                };
                assert_eq!(verified.message(), message);
                // what was read prints as the wallet prints it, up to line ends
                let unix = String::from_utf8(pem).unwrap().replace("\r\n", "\n");
                assert_eq!(printed.unwrap().trim_end(), unix.trim_end(), "{}", v["name"]);
                valid += 1;
            }
            Err(error) => {
                assert_eq!((text(&v["strict"]), v["strict_reason"].as_str()), ("invalid", Some(error.code())), "{v}");
                invalid += 1;
            }
        }
    }
    assert_eq!((valid, invalid), (21, 73));
}

#[test]
fn test_keys_sign_and_verify() {
    let file: Value = serde_json::from_str(include_str!("../../testdata/signatures.json")).unwrap();
    let mut rng = ChaCha12Rng::from_seed([1; 32]);
    let keys = file["test_keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let secret: [u8; 32] = hex::decode(text(&key["secret_key"])).unwrap().try_into().unwrap();
        let secret = SecretKey::from_bytes(&secret).unwrap();
        assert_eq!(hex::encode(secret.public().to_bytes()), text(&key["public_key"]));
        for (network, name) in [(Network::Mainnet, "address_mainnet"), (Network::Testnet, "address_testnet")] {
            assert_eq!(Address::new(network, *secret.public()).to_string(), text(&key[name]));
            for len in [0, 1, 47, 48, 49, 1000] {
                let message = vec![7; len];
                let signed = secret.sign(network, message.clone(), &mut rng).unwrap();
                assert_ne!(signed, secret.sign(network, message.clone(), &mut rng).unwrap(), "a fresh nonce");
                let read = SignedMessage::parse(signed.to_pem().as_bytes(), LIMIT).unwrap();
                assert_eq!(read, signed);
                let verified = read.clone().verify_any().unwrap();
                assert_eq!((verified.message(), verified.address().network()), (&message[..], network));
                assert_eq!(read.verify().is_ok(), len > 0, "the empty message only where it is allowed");
            }
        }
    }
    let out_of_range = [[0; 32], [0xff; 32]];
    assert!(out_of_range.iter().all(|bytes| SecretKey::from_bytes(bytes).is_none()));
}

#[test]
fn detached_signatures_have_an_entry_of_their_own() {
    let secret = SecretKey::from_bytes(&[3; 32]).unwrap();
    let mut rng = ChaCha12Rng::from_seed([2; 32]);
    let signed = secret.sign(Network::Mainnet, *b"a file", &mut rng).unwrap();
    let pem = signed.to_pem();
    let body = BASE64_STANDARD.encode("a file");
    let detached = pem.replace(&format!("{body}\n"), "");
    let read = || SignedMessage::parse(detached.as_bytes(), LIMIT).unwrap();
    assert_eq!(read().verify_detached(b"a file").unwrap().key(), secret.public());
    assert_eq!(read().verify_detached(b"another file"), Err(SignatureError::Mismatch));
    assert_eq!(read().verify_detached(b""), Err(SignatureError::EmptyMessage));
    assert_eq!(read().verify(), Err(SignatureError::EmptyMessage));
    assert_eq!(read().verify_any(), Err(SignatureError::Mismatch));
    assert_eq!(signed.verify_detached(b"a file"), Err(SignatureError::Layout));
    assert_eq!(SignedMessage::parse(pem.as_bytes(), pem.len() - 1), Err(SignatureError::TooLong));
}

// every byte of a signed message matters, and nothing panics
#[test]
fn no_changed_text_verifies() {
    let secret = SecretKey::from_bytes(&[4; 32]).unwrap();
    let signed =
        secret.sign(Network::Testnet, *b"hello, this is signed", &mut ChaCha12Rng::from_seed([3; 32])).unwrap();
    let pem = signed.to_pem().into_bytes();
    for at in 0..pem.len() {
        for change in [1, 0x20, 0x80] {
            let mut other = pem.clone();
            other[at] ^= change;
            let outcome = SignedMessage::parse(&other, LIMIT).and_then(SignedMessage::verify);
            // the network is not signed, but it is under the checksum
            assert!(outcome.is_err(), "{at} {change}");
        }
        assert!(SignedMessage::parse(&pem[..at], LIMIT).is_err() || at + 1 == pem.len(), "cut at {at}");
    }
}
