//! The command line: what it reads, and one clear line for everything else.

use alloy_consensus::{TxEnvelope, transaction::SignerRecoverable};
use alloy_eips::{Typed2718, eip2718::Decodable2718};
use alloy_primitives::{Address, Signature as AlloySignature};
use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;
use solana_transaction::Transaction;
use std::{fs, path::PathBuf};
use symbolon_examples::{
    Request as EthereumRequest,
    cli::{self, Command},
    solana::Request,
};

/// A file in the test's own directory.
fn file(name: &str, contents: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, contents).unwrap();
    path.to_str().unwrap().into()
}

fn arguments(arguments: &[&str]) -> cli::Arguments {
    match cli::parse(arguments.iter().copied()) {
        Ok(Command::Sign(arguments)) => *arguments,
        Ok(_) => panic!("{arguments:?}"),
        Err(e) => panic!("{arguments:?}: {e}"),
    }
}

#[test]
fn defaults_and_options() {
    let default = arguments(&[]);
    assert!(matches!(default.request, EthereumRequest::Transaction(tx) if tx.is_eip1559()));
    assert_eq!((default.path.to_string().as_str(), default.json), ("m", false));

    let message = arguments(&["--json", "--message", "--not an option", "--path=m/0/5"]);
    assert!(matches!(message.request, EthereumRequest::Message(text) if text == "--not an option"));
    assert_eq!((message.path.to_string().as_str(), message.json), ("m/0/5", true));

    let permit = file("permit.json", include_bytes!("../../data/permit.json"));
    assert!(matches!(arguments(&["--typed-data", &permit]).request, EthereumRequest::TypedData(_)));
    let transfer = file("transfer.json", include_bytes!("../../data/transfer.json"));
    assert!(matches!(arguments(&["--tx", &transfer]).request, EthereumRequest::Transaction(_)));
    assert!(matches!(cli::parse(["--help"]), Ok(Command::Help)));

    let solana = file("solana.json", include_bytes!("../../data/solana-transfer.json"));
    for arguments in [&["--curve", "ed25519"][..], &["--tx", &solana, "--curve=ed25519"]] {
        let command = cli::parse(arguments.iter().copied());
        assert!(matches!(
            command,
            Ok(Command::SignEd25519 { request: Request::Transfer(_), keep: None, json: false, .. })
        ));
    }
}

#[test]
fn everything_else_is_refused_in_one_line() {
    let large = file("large.json", &vec![b' '; (1 << 20) + 1]);
    let binary = file("binary.json", &[0xff, 0xfe]);
    let lines = file("lines.json", b"{\n\"chainId\": 1,\n\n\"what\nis this\": 1}");
    let cases: [(&[&str], &str); 23] = [
        (&["--what"], "--what"),
        (&["stray"], "stray"),
        (&["--tx"], "--tx"),
        (&["--json=1"], "--json"),
        (&["--message", "a", "--message", "b"], "only one of"),
        (&["--message", "a", "--tx", "b"], "only one of"),
        (&["--path", "m", "--path", "m"], "--path once"),
        (&["--path", "m/0'"], "hardened"),
        (&["--path", "m/2147483648"], "hardened"),
        (&["--path", "m//0"], "m/0/5"),
        (&["--tx", "no such file"], "cannot read no such file"),
        (&["--tx", &large], "larger than 1 MiB"),
        (&["--tx", &binary], "cannot read"),
        (&["--tx", &lines], "not a transaction"),
        (&["--keep"], "--keep"),
        (&["--keep=a", "--keep=b"], "--keep once"),
        (&["--curve", "p256"], "use secp256k1 or ed25519"),
        (&["--curve"], "--curve"),
        (&["--curve=ed25519", "--curve=ed25519"], "--curve once"),
        (&["--curve=ed25519", "--path", "m/0"], "has no keys below it"),
        (&["--curve=ed25519", "--typed-data", &lines], "--typed-data is for secp256k1"),
        (&["--curve=ed25519", "--tx", &lines], "not a Solana transfer"),
        (&["--curve=ed25519", "--tx", "no such file"], "cannot read no such file"),
    ];
    for (arguments, reason) in cases {
        let Err(error) = cli::parse(arguments.iter().copied()) else { panic!("{arguments:?} was taken") };
        let error = error.to_string();
        assert!(error.contains(reason), "{arguments:?}: {error}");
        assert!(!error.contains('\n'));
    }
}

/// Exit status, standard output, standard error.
fn run(arguments: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = cli::run(arguments.iter().copied(), &mut out, &mut err);
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn signed(arguments: &[&str]) -> Value {
    let (status, out, err) = run(arguments);
    assert_eq!((status, err.as_str()), (0, ""), "{arguments:?}");
    assert_eq!(out.lines().count(), 1);
    serde_json::from_str(&out).unwrap()
}

fn address(object: &Value) -> Address {
    Address::parse_checksummed(object["address"].as_str().unwrap(), None).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap().strip_prefix("0x").unwrap()).unwrap()
}

#[test]
fn the_default_transfer_is_signed_by_the_printed_address() {
    for path in ["m", "m/0/5"] {
        let object = signed(&["--json", "--path", path]);
        let transaction = TxEnvelope::decode_2718_exact(&bytes(&object["raw_transaction"])).unwrap();
        assert!(transaction.is_eip1559());
        assert_eq!(transaction.recover_signer().unwrap(), address(&object));
        assert_eq!(object["path"], path);
        assert!(object.get("signature").is_none());

        let phases = object["phases"].as_array().unwrap();
        assert_eq!(phases.iter().map(|p| p["messages"].as_u64().unwrap()).collect::<Vec<_>>(), [9, 4]);
        for phase in phases {
            for side in ["client", "server"] {
                assert!((500..100_000).contains(&phase["bytes"][side].as_u64().unwrap()));
                assert!(phase["cpu_ms"][side].as_f64().unwrap() > 0.0);
            }
        }
    }
}

#[test]
fn every_kind_of_transaction_is_signed() {
    let data: Value = serde_json::from_str(include_str!("../../testdata/ethereum.json")).unwrap();
    for kind in ["legacy_eip155", "eip2930", "eip1559"] {
        let case = &data[kind][0];
        let object = signed(&["--json", "--tx", &file(kind, case["tx"].to_string().as_bytes())]);
        let transaction = TxEnvelope::decode_2718_exact(&bytes(&object["raw_transaction"])).unwrap();
        assert_eq!(transaction.signature_hash().as_slice(), bytes(&case["signing_hash"]));
        assert_eq!(transaction.recover_signer().unwrap(), address(&object));
    }
}

#[test]
fn texts_and_typed_data_are_signed() {
    let recover = |object: &Value, digest: &[u8]| {
        let signature = AlloySignature::from_raw(&bytes(&object["signature"])).unwrap();
        signature.recover_address_from_prehash(&digest.try_into().unwrap()).unwrap()
    };
    let data: Value = serde_json::from_str(include_str!("../../testdata/ethereum.json")).unwrap();
    let text = &data["personal_sign"][2];
    let object = signed(&["--json", "--message", text["message_utf8"].as_str().unwrap()]);
    assert_eq!(recover(&object, &bytes(&text["digest"])), address(&object));

    let case = &data["eip712"][0];
    let json = serde_json::json!({
        "types": case["types"], "primaryType": case["primaryType"], "domain": case["domain"], "message": case["value"]
    });
    let object = signed(&["--json", "--typed-data", &file("mail.json", json.to_string().as_bytes())]);
    assert_eq!(recover(&object, &bytes(&case["digest"])), address(&object));
    assert!(object.get("raw_transaction").is_none());
}

#[test]
fn solana_transfers_and_texts_are_signed_on_ed25519() {
    let verify = |object: &Value| {
        let of = |name: &str| bs58::decode(object[name].as_str().unwrap()).into_vec().unwrap();
        let key = VerifyingKey::from_bytes(&of("address").try_into().unwrap()).unwrap();
        let (message, signature) = (hex::decode(object["message"].as_str().unwrap()).unwrap(), of("signature"));
        key.verify_strict(&message, &Signature::from_slice(&signature).unwrap()).unwrap();
        message
    };
    let object = signed(&["--json", "--curve", "ed25519"]);
    let message = verify(&object);
    // Solana's own reader and verifier
    let bytes = BASE64_STANDARD.decode(object["transaction"].as_str().unwrap()).unwrap();
    let transaction: Transaction = wincode::deserialize(&bytes).unwrap();
    transaction.verify().unwrap();
    assert_eq!(transaction.message_data(), message);
    let phases = object["phases"].as_array().unwrap();
    assert_eq!(phases.iter().map(|p| p["messages"].as_u64().unwrap()).collect::<Vec<_>>(), [10, 4]);

    let object = signed(&["--json", "--curve=ed25519", "--message", "hello"]);
    assert_eq!(verify(&object), b"hello");
    assert!(object.get("transaction").is_none());

    let (status, out, err) = run(&["--curve=ed25519"]);
    assert_eq!((status, err.as_str()), (0, ""));
    for word in ["address", "transaction", "messages", "create wallet", "sign "] {
        assert!(out.contains(word), "{out}");
    }
}

#[test]
fn people_get_a_table_and_bad_input_gets_status_2() {
    let (status, out, err) = run(&[]);
    assert_eq!((status, err.as_str()), (0, ""));
    for word in ["address", "raw transaction", "messages", "create wallet", "sign "] {
        assert!(out.contains(word), "{out}");
    }
    assert_eq!(run(&["--help"]), (0, cli::USAGE.into(), String::new()));
    for arguments in [&["--path", "m/0h"][..], &["--tx", "absent"], &["--unknown"]] {
        let (status, out, err) = run(arguments);
        assert_eq!((status, out.as_str(), err.lines().count()), (2, "", 1), "{arguments:?}");
        assert!(err.starts_with("wallet: "));
    }
}
