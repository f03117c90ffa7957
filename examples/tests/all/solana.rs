//! Solana transfers from JSON to the signed transaction, against Solana's own crates and its documentation, and everything
//! that must be refused.

use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use serde_json::{Value, json};
use solana_system_interface::instruction;
use solana_transaction::{Address, Hash, Message, Transaction};
use symbolon_examples::solana::{self, NotSigned, Request, Transfer};

/// The example of <https://solana.com/docs/rpc/http/sendtransaction>: a signed transfer and its id.
const PUBLISHED: &str = "4hXTCkRzt9WyecNzV1XPgCDfGAZzQKNxLXgynz5QDuWWPSAZBZSHptvWRL3BjCvzUXRdKvHL2b7yGrRQcWyaqsaBCncVG7BFggS8w9\
                         snUts67BSh3EqKpXLUm5UMHfD7ZBe9GhARjbNQMLJ1QD3Spr6oMTBU6EhdB4RD8CP2xUxr2u3d6fos36PD98XS6oX8TQjLpsMwncs5\
                         DAMiD4nNnR8NBfyghGCWvCVifVwvA8B8TJxE1aiyiv2L429BCWfyzAme5sZW8rDb14NeCQHhZbtNqfXhcp2tAnaAT";
const PUBLISHED_ID: &str = "2id3YC2jK9G5Wo2phDx4gJVAew8DcY5NAojnVuao8rkxwPYPe8cSwE5GzhEgJA2y8fVjDEo6iR6ykBvDxrTQrtpb";
const SYSTEM_PROGRAM: &str = "11111111111111111111111111111111";

/// The file beside the example: the transfer of [`PUBLISHED`].
fn file() -> Value {
    serde_json::from_str(include_str!("../../data/solana-transfer.json")).unwrap()
}

fn with(field: &str, value: Value) -> Value {
    let mut json = file();
    json[field] = value;
    json
}

fn parse(json: &Value) -> Transfer {
    solana::parse(&json.to_string()).unwrap()
}

/// The wallet's part is played by a whole key.
fn wallet(seed: u8) -> (SigningKey, [u8; 32]) {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let public = key.verifying_key().to_bytes();
    (key, public)
}

#[test]
fn the_published_transfer_comes_out_byte_for_byte() {
    let published = bs58::decode(PUBLISHED).into_vec().unwrap();
    let (signature, message) = published[1..].split_first_chunk::<64>().unwrap();
    let key: [u8; 32] = message[4..36].try_into().unwrap();
    let transfer = parse(&file());
    assert_eq!(transfer.message(&key).unwrap(), message);
    let signed = Request::Transfer(transfer.clone()).finish(signature, &key).unwrap();
    assert_eq!(BASE64_STANDARD.decode(signed.transaction.as_ref().unwrap()).unwrap(), published);
    assert_eq!(signed.signature, PUBLISHED_ID);
    assert_eq!(signed.message, message);
}

#[test]
fn solanas_own_crates_compile_the_same_message_and_accept_the_transaction() {
    let (key, public) = wallet(1);
    let hash = bs58::encode([0xff; 32]).into_string();
    // the compiler sorts accounts of one kind by their bytes: recipients before and after the sender; then the sender itself
    for to in [[1; 32], [0xff; 32], wallet(2).1, public] {
        for lamports in [0, 1, 5_000_000_000, u64::MAX] {
            let to = Address::from(to);
            let transfer = parse(&json!({ "to": to.to_string(), "lamports": lamports, "recent_blockhash": hash }));
            let from = Address::from(public);
            let theirs = Message::new_with_blockhash(
                &[instruction::transfer(&from, &to, lamports)],
                Some(&from),
                &Hash::new_from_array([0xff; 32]),
            );
            let message = transfer.message(&public).unwrap();
            assert_eq!(message, theirs.serialize(), "{to} {lamports}");

            let signed = Request::Transfer(transfer.clone()).finish(&key.sign(&message).to_bytes(), &public).unwrap();
            let bytes = BASE64_STANDARD.decode(signed.transaction.as_ref().unwrap()).unwrap();
            let parsed: Transaction = wincode::deserialize(&bytes).unwrap();
            parsed.verify().unwrap();
            assert_eq!(parsed.message, theirs);
            assert_eq!(parsed.signatures.len(), 1);
            assert_eq!(parsed.signatures[0].to_string(), signed.signature);
            assert_eq!(parsed.message.account_keys[0].to_string(), signed.address);
            assert_eq!(wincode::serialize(&parsed).unwrap(), bytes);
        }
    }
}

#[test]
fn altered_signatures_are_refused() {
    let (key, public) = wallet(1);
    let transfer = parse(&file());
    let signature = key.sign(&transfer.message(&public).unwrap()).to_bytes();
    let refused = Err(NotSigned::Signature);
    Request::Transfer(transfer.clone()).finish(&signature, &public).unwrap();
    for bit in 0..512 {
        let mut altered = signature;
        altered[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(Request::Transfer(transfer.clone()).finish(&altered, &public), refused, "bit {bit}");
    }
    assert_eq!(Request::Transfer(transfer.clone()).finish(&[0; 64], &public), refused);
    // of another transfer, and under another key
    let other = key.sign(&parse(&with("lamports", json!(1))).message(&public).unwrap()).to_bytes();
    assert_eq!(Request::Transfer(transfer.clone()).finish(&other, &public), refused);
    assert_eq!(Request::Transfer(transfer.clone()).finish(&signature, &wallet(2).1), refused);
    // a key that is no point; and the neutral element, for which R = A, s = 0 fits every message
    assert_eq!(Request::Transfer(transfer.clone()).finish(&signature, &[2; 32]), refused);
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut fits_all = [0; 64];
    fits_all[0] = 1;
    let loose = VerifyingKey::from_bytes(&neutral).unwrap();
    loose.verify(&transfer.message(&neutral).unwrap(), &Signature::from_bytes(&fits_all)).unwrap();
    assert_eq!(Request::Transfer(transfer.clone()).finish(&fits_all, &neutral), refused);
}

#[test]
fn a_sender_that_is_named_must_be_the_wallet() {
    let ((key, public), (_, other)) = (wallet(1), wallet(2));
    let named = parse(&with("from", json!(solana::address(&public))));
    let message = named.message(&public).unwrap();
    assert_eq!(message, parse(&file()).message(&public).unwrap());
    let signature = key.sign(&message).to_bytes();
    Request::Transfer(named.clone()).finish(&signature, &public).unwrap();

    let error = named.message(&other).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(&solana::address(&public)) && text.contains(&solana::address(&other)), "{text}");
    assert_eq!(Request::Transfer(named.clone()).finish(&signature, &other), Err(NotSigned::Input(error)));
}

#[test]
fn transfers_that_could_be_misread_are_refused() {
    let without = |field: &str| {
        let mut json = file();
        json.as_object_mut().unwrap().remove(field).unwrap();
        json
    };
    let to = file()["to"].as_str().unwrap().to_owned();
    let positional = json!([null, to, 1, file()["recent_blockhash"]]);
    let cases = [
        (json!({}), "missing field `to`"),
        (positional, "one JSON object"),
        (without("to"), "missing field `to`"),
        (without("lamports"), "missing field `lamports`"),
        (without("recent_blockhash"), "missing field `recent_blockhash`"),
        (with("memo", json!("rent")), "unknown field `memo`, expected one of `from`, `to`, `lamports`"),
        (with("recentBlockhash", file()["recent_blockhash"].clone()), "unknown field `recentBlockhash`"),
        (with("amount", json!(1)), "unknown field `amount`"),
        (with("to", json!("")), "to is not an address: 32 bytes in base58"),
        (with("to", json!("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")), "to is not an address"),
        (with("to", json!(to.replace('v', "l"))), "to is not an address"),
        (with("to", json!(format!(" {to}"))), "to is not an address"),
        (with("to", json!(format!("{to}\n"))), "to is not an address"),
        (with("to", json!(bs58::encode([9; 31]).into_string())), "to is not an address"),
        (with("to", json!(bs58::encode([9; 33]).into_string())), "to is not an address"),
        (with("to", json!(format!("1{to}"))), "to is not an address"),
        (with("to", json!("z".repeat(100_000))), "to is not an address"),
        (with("to", json!("é")), "to is not an address"),
        (with("to", json!(PUBLISHED_ID)), "to is not an address"),
        (with("to", json!(SYSTEM_PROGRAM)), "to is the system program"),
        (with("to", json!(7)), "expected a string"),
        (with("to", json!(null)), "expected a string"),
        (with("from", json!("")), "from is not an address: 32 bytes in base58"),
        (with("from", json!(bs58::encode([9; 31]).into_string())), "from is not an address"),
        (with("from", json!(7)), "expected a string"),
        (with("recent_blockhash", json!("")), "recent_blockhash is not a block's hash: 32 bytes in base58"),
        (with("recent_blockhash", json!("latest")), "recent_blockhash is not"),
        (with("recent_blockhash", json!(bs58::encode([9; 33]).into_string())), "recent_blockhash is not"),
        (with("recent_blockhash", json!(7)), "expected a string"),
        (with("lamports", json!(-1)), "lamports is an integer from 0 to 2^64 - 1, without quotes"),
        (with("lamports", json!(1.5)), "lamports is an integer"),
        (with("lamports", json!(1e9)), "lamports is an integer"),
        (with("lamports", json!("1")), "lamports is an integer"),
        (with("lamports", json!(null)), "lamports is an integer"),
        (with("lamports", json!(true)), "lamports is an integer"),
        (with("lamports", json!([1])), "lamports is an integer"),
    ];
    for (json, reason) in cases {
        let error = solana::parse(&json.to_string()).unwrap_err().to_string();
        assert!(error.starts_with("not a Solana transfer: ") && error.contains(reason), "{json}: {error}");
        assert!(!error.contains('\n'));
    }
    let too_many = file().to_string().replace("5000000000", "18446744073709551616");
    assert!(solana::parse(&too_many).unwrap_err().to_string().contains("lamports is an integer"));
    let twice = file().to_string().replace('{', "{\"lamports\":1,");
    assert!(solana::parse(&twice).unwrap_err().to_string().contains("duplicate field"));
    for text in ["", "{", "\u{0}", "null", "lamports: 5", &format!("{}1", file()), &format!("\u{feff}{}", file())] {
        let error = solana::parse(text).unwrap_err().to_string();
        assert!(error.starts_with("not a Solana transfer: "), "{text}: {error}");
    }
}

#[test]
fn a_report_has_everything_to_check_and_to_send() {
    let (key, public) = wallet(1);
    let transfer = parse(&file());
    let message = transfer.message(&public).unwrap();
    let signature = key.sign(&message).to_bytes();
    let signed = Request::Transfer(transfer.clone()).finish(&signature, &public).unwrap();

    let address = bs58::encode(public).into_string();
    let id = bs58::encode(signature).into_string();
    let transaction = BASE64_STANDARD.encode([&[1], signature.as_slice(), &message].concat());
    let message = hex::encode(message);
    assert_eq!(
        signed.json(),
        json!({ "address": address, "message": message, "signature": id, "transaction": transaction })
    );
    let lines = [("address", address), ("message", message), ("signature", id), ("transaction", transaction)];
    let text = signed.text();
    assert_eq!(text.lines().count(), lines.len());
    for (line, (key, value)) in text.lines().zip(lines) {
        assert_eq!(line, format!("{key:<15}  {value}"));
    }
}
