//! Requests from JSON to the signed bytes, against other software's, and everything that must be refused.

use alloy_eips::Typed2718;
use k256::ecdsa::SigningKey;
use serde_json::{Value, json};
use symbolon::{EthereumAddress, RecoveryId, Signature};
use symbolon_examples::{Mismatch, Request, Signed, tx, typed_data};

fn data() -> Value {
    serde_json::from_str(include_str!("../../testdata/ethereum.json")).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().trim_start_matches("0x")).unwrap()
}

/// Signs with a whole key, as RFC 6979 has it; the wallet's part is played by k256.
fn sign(case: &Value, request: &Request) -> Signature {
    let key = SigningKey::from_slice(&bytes(&case["private_key"])).unwrap();
    let digest = request.payload().unwrap().digest();
    let (signature, id) = key.sign_prehash_recoverable(digest.as_bytes());
    Signature::from_bytes(&signature.to_bytes(), RecoveryId::new(id.to_byte()).unwrap()).unwrap()
}

fn address(data: &Value, case: &Value) -> EthereumAddress {
    let cases = data["addresses"].as_array().unwrap();
    cases.iter().find(|a| a["private_key"] == case["private_key"]).unwrap()["address"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

const STRANGER: EthereumAddress = EthereumAddress::from_bytes([7; 20]);

#[test]
fn transactions_hash_sign_and_serialise_as_ethers_does() {
    let data = data();
    let mut count = 0;
    for kind in ["legacy_eip155", "eip2930", "eip1559"] {
        for case in data[kind].as_array().unwrap() {
            let request = Request::Transaction(Box::new(tx::parse(&case["tx"].to_string()).unwrap()));
            assert_eq!(request.payload().unwrap().digest().as_bytes().as_slice(), bytes(&case["signing_hash"]));
            let signature = sign(case, &request);
            assert_eq!(case["from"], address(&data, case).to_string());
            let Ok(Signed::RawTransaction(raw)) = request.finish(&signature, &address(&data, case)) else { panic!() };
            assert_eq!(raw, bytes(&case["signed_serialized"]));
            assert!(matches!(request.finish(&signature, &STRANGER), Err(Mismatch::Signer)));
            count += 1;
        }
    }
    assert_eq!(count, 12);
}

#[test]
fn messages_hash_and_sign_as_ethers_does() {
    let data = data();
    let cases = data["personal_sign"].as_array().unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let request = Request::Message(case["message_utf8"].as_str().unwrap().into());
        let signature = sign(case, &request);
        let Ok(Signed::Signature(rsv)) = request.finish(&signature, &address(&data, case)) else { panic!() };
        assert_eq!(rsv.as_slice(), bytes(&case["signature"]));
        assert!(matches!(request.finish(&signature, &STRANGER), Err(Mismatch::Signer)));
    }
}

/// The vectors have no `EIP712Domain` among the types, and call the message `value`.
fn typed(case: &Value) -> Value {
    let mut types = case["types"].clone();
    types["EIP712Domain"] = json!([
        { "name": "name", "type": "string" }, { "name": "version", "type": "string" },
        { "name": "chainId", "type": "uint256" }, { "name": "verifyingContract", "type": "address" },
    ]);
    json!({ "types": types, "primaryType": case["primaryType"], "domain": case["domain"], "message": case["value"] })
}

#[test]
fn typed_data_hashes_and_signs_as_ethers_does() {
    let data = data();
    let cases = data["eip712"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let mut without_domain_type = typed(case);
        without_domain_type["types"].as_object_mut().unwrap().remove("EIP712Domain");
        for json in [typed(case), without_domain_type] {
            let request = Request::TypedData(Box::new(typed_data::parse(&json.to_string()).unwrap()));
            assert_eq!(request.payload().unwrap().digest().as_bytes().as_slice(), bytes(&case["digest"]));
            let signature = sign(case, &request);
            let Ok(Signed::Signature(rsv)) = request.finish(&signature, &address(&data, case)) else { panic!() };
            assert_eq!(rsv.as_slice(), bytes(&case["signature"]));
        }
    }
}

#[test]
fn the_files_beside_the_example_are_readable() {
    let transfer = tx::parse(include_str!("../../data/transfer.json")).unwrap();
    assert!(transfer.is_eip1559());
    typed_data::parse(include_str!("../../data/permit.json")).unwrap();
}

fn transfer() -> Value {
    serde_json::from_str(include_str!("../../data/transfer.json")).unwrap()
}

#[test]
fn numbers_may_be_written_in_three_ways() {
    let same = tx::parse(&transfer().to_string()).unwrap();
    let mut rpc = transfer();
    rpc["type"] = json!("0x2");
    rpc["chainId"] = json!("0x1");
    rpc["maxFeePerGas"] = json!("0x6fc23ac00");
    rpc["value"] = json!(1_000_000_000_000_000_000u64);
    rpc["to"] = json!(rpc["to"].as_str().unwrap().to_lowercase());
    let gas = rpc.as_object_mut().unwrap().remove("gasLimit").unwrap();
    rpc["gas"] = gas;
    let input = rpc.as_object_mut().unwrap().remove("data").unwrap();
    rpc["input"] = input;
    rpc.as_object_mut().unwrap().remove("type");
    assert_eq!(tx::parse(&rpc.to_string()).unwrap(), same);
}

#[test]
fn transactions_that_could_be_misread_are_refused() {
    let with = |field: &str, value: Value| {
        let mut tx = transfer();
        tx[field] = value;
        tx
    };
    let without = |field: &str| {
        let mut tx = transfer();
        tx.as_object_mut().unwrap().remove(field).unwrap();
        tx
    };
    let cases = [
        (json!([]), "not a transaction"),
        (json!({}), "no chainId"),
        (with("from", json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")), "unknown field `from`"),
        (with("v", json!(27)), "unknown field `v`"),
        (with("gasPrice", json!(1)), "gasPrice is not a field of an EIP-1559"),
        (with("type", json!(0)), "is not a field of a legacy"),
        (with("type", json!(1)), "is not a field of an EIP-2930"),
        (with("type", json!(3)), "only transactions of type 0, 1 and 2"),
        (with("type", json!("0xffffffffffffffffffffff")), "only transactions of type 0, 1 and 2"),
        (with("gas", json!(21000)), "duplicate field"),
        (without("chainId"), "no chainId"),
        (with("chainId", json!(0)), "chainId 0"),
        (with("chainId", json!("18446744073709551616")), "chainId is too large"),
        (without("nonce"), "no nonce"),
        (without("gasLimit"), "no gasLimit"),
        (without("maxFeePerGas"), "no maxFeePerGas"),
        (without("maxPriorityFeePerGas"), "no maxPriorityFeePerGas"),
        (with("maxPriorityFeePerGas", json!("30000000001")), "above maxFeePerGas"),
        (without("to"), "neither a recipient nor code"),
        (with("to", json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed")), "EIP-55"),
        (with("to", json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe")), "40 hexadecimal digits"),
        (with("to", json!("5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")), "40 hexadecimal digits"),
        (with("to", json!("vitalik.eth")), "40 hexadecimal digits"),
        (with("value", json!(-1)), "a number is"),
        (with("value", json!(1.5)), "a number is"),
        (with("value", json!(1e30)), "a number is"),
        (with("value", json!("1_000")), "a number is"),
        (with("value", json!("")), "a number is"),
        (with("value", json!("0x")), "a number is"),
        (with("value", json!("-1")), "a number is"),
        (with("value", json!("1 ether")), "a number is"),
        (with("value", json!(format!("0x1{}", "0".repeat(64)))), "a number is"),
        (with("value", json!(true)), "a number is"),
        (with("data", json!("0x0")), "pairs of hexadecimal digits"),
        (with("data", json!("00")), "pairs of hexadecimal digits"),
        (with("accessList", json!([{ "address": transfer()["to"] }])), "missing field `storageKeys`"),
        (
            with("accessList", json!([{ "address": transfer()["to"], "storageKeys": ["0x00"] }])),
            "64 hexadecimal digits",
        ),
        (with("accessList", json!([{ "address": transfer()["to"], "storageKeys": [], "x": 1 }])), "unknown field `x`"),
    ];
    for (json, reason) in cases {
        let error = tx::parse(&json.to_string()).unwrap_err().to_string();
        assert!(error.contains(reason), "{json}: {error}");
        assert!(!error.contains('\n'));
    }
    let twice = r#"{"chainId":1,"chainId":2}"#;
    assert!(tx::parse(twice).unwrap_err().to_string().contains("duplicate field"));
    for text in ["", "{", "\u{0}", "null", &format!("{}1", transfer())] {
        assert!(tx::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_legacy_transaction_needs_its_chain_and_may_create_a_contract() {
    let legacy = json!({ "chainId": 1, "nonce": 0, "gasPrice": 1, "gasLimit": 100_000, "data": "0x6001" });
    let tx = tx::parse(&legacy.to_string()).unwrap();
    assert!(tx.is_legacy());
    let mut unprotected = legacy;
    unprotected.as_object_mut().unwrap().remove("chainId");
    assert!(tx::parse(&unprotected.to_string()).unwrap_err().to_string().contains("no chainId"));
}

#[test]
fn typed_data_that_could_be_misread_is_refused() {
    let good: Value = serde_json::from_str(include_str!("../../data/permit.json")).unwrap();
    let with = |pointer: &str, value: Value| {
        let mut json = good.clone();
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        json.pointer_mut(parent).unwrap()[field] = value;
        json
    };
    let cases = [
        (json!({}), "missing field"),
        (with("/extra", json!(1)), "unknown field"),
        (with("/domain/extra", json!(1)), "unknown field \"extra\" in the domain"),
        (with("/message/extra", json!(1)), "unknown field \"extra\" in \"Permit\""),
        (with("/primaryType", json!("Absent")), "not among the types"),
        (with("/primaryType", json!("EIP712Domain")), "no message"),
        (with("/domain/salt", json!(format!("0x{}", "00".repeat(32)))), "EIP712Domain does not list"),
        (with("/types/EIP712Domain", json!([{ "name": "name", "type": "string" }])), "EIP712Domain does not list"),
        (with("/types/Permit", json!([{ "name": "owner", "type": "Absent" }])), "not EIP-712"),
        (with("/types/Permit", json!([{ "name": "owner", "type": "address", "x": 1 }])), "unknown field"),
        (with("/message/value", json!("x")), "not EIP-712"),
        (with("/message/value", json!(-1)), "not EIP-712"),
        (with("/message/owner", json!("0x00")), "not EIP-712"),
        (with("/message", json!(null)), "not EIP-712"),
    ];
    for (json, reason) in cases {
        let error = typed_data::parse(&json.to_string()).map(drop).unwrap_err().to_string();
        assert!(error.contains(reason), "{json}: {error}");
        assert!(!error.contains('\n'));
    }
    let mut missing = good;
    missing["message"].as_object_mut().unwrap().remove("nonce");
    assert!(typed_data::parse(&missing.to_string()).is_err());
}
