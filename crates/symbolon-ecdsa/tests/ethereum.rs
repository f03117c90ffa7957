//! Addresses, digests and signatures of Ethereum, made by other software.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use k256::PublicKey;
use serde_json::Value;
use symbolon_ecdsa::{EthereumAddress, Payload, Signature};

fn data() -> Value {
    serde_json::from_str(include_str!("../testdata/ethereum.json")).unwrap()
}

fn hex_bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().strip_prefix("0x").unwrap()).unwrap()
}

fn word(value: &Value) -> [u8; 32] {
    hex_bytes(value).try_into().unwrap()
}

fn public_key(bytes: &[u8]) -> k256::ProjectivePoint {
    PublicKey::from_sec1_bytes(bytes).unwrap().to_projective()
}

#[test]
fn eip_55_addresses_read_back() {
    let data = data();
    let addresses = data["eip55_published_addresses"]["addresses"].as_array().unwrap();
    assert_eq!(addresses.len(), 4);
    for address in addresses {
        let text = address.as_str().unwrap();
        assert_eq!(text.parse::<EthereumAddress>().unwrap().to_string(), text);
    }
}

#[test]
fn addresses_of_public_keys() {
    let data = data();
    let cases = data["addresses"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let address = EthereumAddress::from_public_key(&public_key(&hex_bytes(&case["public_key_uncompressed"])));
        assert_eq!(address.to_string(), case["address"]);
    }
}

#[test]
fn transactions_hash_and_recover() {
    let data = data();
    let mut cases = 0;
    for kind in ["legacy_eip155", "eip1559", "eip2930"] {
        for case in data[kind].as_array().unwrap() {
            let digest = Payload::transaction(&hex_bytes(&case["unsigned_serialized"])).digest();
            assert_eq!(digest.as_bytes(), &word(&case["signing_hash"]));
            let parity: u8 = case["signature"]["y_parity"].as_u64().unwrap().try_into().unwrap();
            let rsv =
                [word(&case["signature"]["r"]).as_slice(), &word(&case["signature"]["s"]), &[27 + parity]].concat();
            let signature = Signature::from_rsv(&rsv).unwrap();
            let recovered = signature.recover(&digest).unwrap();
            assert_eq!(EthereumAddress::from_public_key(&recovered).to_string(), case["from"]);
            assert_eq!(signature.verify(&recovered, &digest), Ok(()));
            cases += 1;
        }
    }
    let published = &data["eip155_published_example"];
    let digest = Payload::transaction(&hex_bytes(&published["unsigned_serialized"])).digest();
    assert_eq!(digest.as_bytes(), &word(&published["signing_hash"]));
    assert_eq!(cases, 12);
}

#[test]
fn personal_messages_hash_and_recover() {
    let data = data();
    let cases = data["personal_sign"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let digest = Payload::personal_message(case["message_utf8"].as_str().unwrap()).digest();
        assert_eq!(digest.as_bytes(), &word(&case["digest"]));
        recovers(case, "address", &digest);
    }
}

#[test]
fn typed_data_hashes_and_recovers() {
    // the vectors give the domain separator and the digest; the struct hash is recomputed here from the types of the
    // fixture, with nothing but Keccak-256
    let data = data();
    let cases = data["eip712"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let digest = Payload::typed_data(word(&case["domain_separator"]), mail_hash(&case["value"])).digest();
        assert_eq!(digest.as_bytes(), &word(&case["digest"]));
        let signature = Signature::from_rsv(&hex_bytes(&case["signature"])).unwrap();
        let signer =
            data["addresses"].as_array().unwrap().iter().find(|a| a["private_key"] == case["private_key"]).unwrap();
        let recovered = signature.recover(&digest).unwrap();
        assert_eq!(EthereumAddress::from_public_key(&recovered).to_string(), signer["address"]);
    }
}

fn recovers(case: &Value, address: &str, digest: &symbolon_ecdsa::Digest) {
    let signature = Signature::from_rsv(&hex_bytes(&case["signature"])).unwrap();
    assert_eq!(signature.to_rsv().as_slice(), hex_bytes(&case["signature"]));
    let recovered = signature.recover(digest).unwrap();
    assert_eq!(EthereumAddress::from_public_key(&recovered).to_string(), case[address]);
}

fn keccak(bytes: &[u8]) -> [u8; 32] {
    *Payload::keccak256(bytes).digest().as_bytes()
}

fn left_padded(bytes: &[u8]) -> [u8; 32] {
    let mut word = [0; 32];
    word[32 - bytes.len()..].copy_from_slice(bytes);
    word
}

fn person_hash(person: &Value) -> [u8; 32] {
    let fields = [
        keccak(b"Person(string name,address wallet)"),
        keccak(person["name"].as_str().unwrap().as_bytes()),
        left_padded(&hex_bytes(&person["wallet"])),
    ];
    keccak(&fields.concat())
}

fn mail_hash(mail: &Value) -> [u8; 32] {
    let to: Vec<u8> = mail["to"].as_array().unwrap().iter().flat_map(person_hash).collect();
    let amount: u128 = mail["amount"].as_str().unwrap().parse().unwrap();
    let fields = [
        keccak(
            b"Mail(Person from,Person[] to,uint256 amount,bytes blob,bool flag,bytes32 id)Person(string name,address wallet)",
        ),
        person_hash(&mail["from"]),
        keccak(&to),
        left_padded(&amount.to_be_bytes()),
        keccak(&hex_bytes(&mail["blob"])),
        left_padded(&[u8::from(mail["flag"].as_bool().unwrap())]),
        word(&mail["id"]),
    ];
    keccak(&fields.concat())
}
