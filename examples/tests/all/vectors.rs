//! The `vectors` program agrees with every published vector, and notices every file that says something else.

use serde_json::{Value, json};
use std::{fs, path::PathBuf};
use symbolon_examples::vectors::{self, USAGE};

const ADDRESSES: &str = include_str!("../../../crates/symbolon-dero/testdata/addresses.json");
const SIGNATURES: &str = include_str!("../../../crates/symbolon-dero/testdata/signatures.json");
const CHALLENGES: &str = include_str!("../../../crates/symbolon-dero/testdata/challenges.json");
const ALL: [(&str, &str, usize); 3] =
    [("dero-addresses", ADDRESSES, 53), ("dero-signatures", SIGNATURES, 94), ("dero-challenges", CHALLENGES, 50)];

/// Exit status, standard output, standard error.
fn run(arguments: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = vectors::run(arguments.iter().copied(), &mut out, &mut err);
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// The same on a file of the test's own directory.
fn run_on(kind: &str, name: &str, contents: &[u8]) -> (u8, String, String) {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, contents).unwrap();
    run(&[kind, path.to_str().unwrap()])
}

/// The lines of the vectors, and the last one.
fn lines(out: &str) -> (Vec<Value>, &str) {
    let (vectors, sums) = out.trim_end().rsplit_once('\n').unwrap();
    (vectors.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), sums)
}

fn keys(line: &Value) -> Vec<&str> {
    line.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A published file with a changed vector.
fn changed(file: &str, name: &str, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut file: Value = serde_json::from_str(file).unwrap();
    let vectors = file["vectors"].as_array_mut().unwrap();
    change(vectors.iter_mut().find(|vector| vector["name"] == name).unwrap());
    file.to_string().into_bytes()
}

#[test]
fn every_published_vector_passes() {
    for (kind, file, count) in ALL {
        let (status, out, err) = run_on(kind, &format!("{kind}.json"), file.as_bytes());
        let (lines, sums) = lines(&out);
        assert_eq!((status, sums, err.as_str()), (0, format!("{count} passed, 0 failed").as_str(), ""), "{kind}");
        // in the order of the file, each with what the file says
        let file: Value = serde_json::from_str(file).unwrap();
        let vectors = file["vectors"].as_array().unwrap();
        assert_eq!((lines.len(), vectors.len()), (count, count));
        for (line, vector) in lines.iter().zip(vectors) {
            assert_eq!(line["name"], vector["name"]);
            if kind == "dero-challenges" {
                let reason = if vector["result"] == "ok" { &Value::Null } else { &vector["result"] };
                assert_eq!((&line["result"], &line["reason"]), (&vector["result"], reason));
                assert_eq!(keys(line), ["name", "reason", "result"]);
                continue;
            }
            assert_eq!((&line["result"], &line["reason"]), (&vector["strict"], &vector["strict_reason"]), "{line}");
            if line["result"] == "invalid" {
                assert_eq!(keys(line), ["name", "reason", "result"]);
                continue;
            }
            let signer = if kind == "dero-addresses" { vector } else { &vector["signer"] };
            for field in ["address", "network", "public_key"] {
                assert_eq!(line[field], signer[field], "{line}");
            }
            if kind == "dero-signatures" && !vector["message_base64"].is_null() {
                assert_eq!(line["message_base64"], vector["message_base64"]);
            }
            assert_eq!(keys(line).contains(&"message_base64"), kind == "dero-signatures");
        }
    }
}

#[test]
fn lines_say_who_signed_what() {
    let (_, out, _) = run_on("dero-signatures", "lines-signatures.json", SIGNATURES.as_bytes());
    // `name` comes first, for readers
    let line = |name: &str| out.lines().find(|line| line.starts_with(&format!("{{\"name\":\"{name}\","))).unwrap();
    assert_eq!(
        line("ascii-hello"),
        "{\"name\":\"ascii-hello\",\"result\":\"valid\",\"reason\":null,\
         \"address\":\"dero1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgcsh0mx\",\"network\":\"mainnet\",\
         \"public_key\":\"097b27db76810a150b8edbd1f729958a73d28b495218f3dee0ce6eb311ff244501\",\
         \"message_base64\":\"aGVsbG8=\"}"
    );
    assert_eq!(
        line("s-minus-convention"),
        r#"{"name":"s-minus-convention","result":"invalid","reason":"signature-mismatch"}"#
    );
    let empty: Value = serde_json::from_str(line("empty-message")).unwrap();
    assert_eq!((&empty["result"], &empty["message_base64"]), (&json!("valid"), &json!("")));
    // made by its recipe: a message of 2^20 bytes
    let large: Value = serde_json::from_str(line("one-mebibyte")).unwrap();
    assert_eq!(large["message_base64"].as_str().unwrap().len(), (1usize << 20).div_ceil(3) * 4);
}

#[test]
fn a_file_that_says_something_else_fails() {
    type Change = fn(&mut Value);
    let cases: [(&str, &str, &str, Change, &str); 14] = [
        ("dero-addresses", ADDRESSES, "key1-mainnet", |v| v["strict"] = json!("invalid"), "result is \"valid\""),
        ("dero-addresses", ADDRESSES, "key1-mainnet", |v| v["network"] = json!("testnet"), "network is \"mainnet\""),
        ("dero-addresses", ADDRESSES, "key1-mainnet", |v| v["public_key"] = json!("00"), "public_key is"),
        ("dero-signatures", SIGNATURES, "ascii-hello", |v| v["strict"] = json!("invalid"), "result is \"valid\""),
        ("dero-signatures", SIGNATURES, "ascii-hello", |v| v["signer"]["address"] = json!("dero1"), "address is"),
        ("dero-signatures", SIGNATURES, "ascii-hello", |v| v["signer"]["network"] = json!("testnet"), "network is"),
        ("dero-signatures", SIGNATURES, "ascii-hello", |v| v["signer"]["public_key"] = json!("00"), "public_key is"),
        ("dero-signatures", SIGNATURES, "ascii-hello", |v| v["message_base64"] = json!("aGVsbG9v"), "the message is"),
        ("dero-signatures", SIGNATURES, "empty-message", |v| v["message_base64"] = json!("AA=="), "the message is"),
        ("dero-signatures", SIGNATURES, "one-mebibyte", |v| v["strict"] = json!("invalid"), "result is \"valid\""),
        ("dero-challenges", CHALLENGES, "server-made", |v| v["result"] = json!("expired"), "result is \"ok\""),
        ("dero-challenges", CHALLENGES, "server-made", |v| v["context"]["nonce"] = json!("x"), "nonce-mismatch"),
        ("dero-challenges", CHALLENGES, "server-made", |v| v["context"]["schemes"] = json!([]), "uri-mismatch"),
        ("dero-challenges", CHALLENGES, "server-made", |v| v["parsed"]["domain"] = json!("x"), "what was read"),
    ];
    for (i, (kind, file, name, change, difference)) in cases.into_iter().enumerate() {
        let count = ALL.iter().find(|all| all.0 == kind).unwrap().2;
        let (status, out, err) = run_on(kind, &format!("changed-{i}.json"), &changed(file, name, change));
        assert_eq!((status, lines(&out).1), (1, format!("{} passed, 1 failed", count - 1).as_str()), "{i}");
        assert!(err.starts_with(&format!("vectors: {name:?}: ")) && err.contains(difference), "{i}: {err}");
    }
    // what the file calls invalid and is: now called valid, with a signer
    let valid = |v: &mut Value| {
        v["strict"] = json!("valid");
        v["message_base64"] = json!("aGVsbG8=");
        v["signer"] = json!({ "address": "dero1", "network": "mainnet", "public_key": "00" });
    };
    let (status, out, err) =
        run_on("dero-signatures", "forged.json", &changed(SIGNATURES, "s-minus-convention", valid));
    assert_eq!((status, lines(&out).1, err.lines().count()), (1, "93 passed, 1 failed", 1), "{err}");

    // every verdict turned around
    let mut file: Value = serde_json::from_str(ADDRESSES).unwrap();
    for vector in file["vectors"].as_array_mut().unwrap() {
        let turned = if vector["strict"] == "valid" { "invalid" } else { "valid" };
        vector["strict"] = json!(turned);
        vector["network"] = json!("mainnet");
        vector["public_key"] = json!("00");
    }
    let (status, out, _) = run_on("dero-addresses", "turned.json", file.to_string().as_bytes());
    assert_eq!((status, lines(&out).1), (1, "0 passed, 53 failed"));
}

#[test]
fn reasons_are_hints_and_unknown_fields_are_none_of_our_business() {
    let other = |v: &mut Value| {
        v["strict_reason"] = json!("pem-layout");
        v["new"] = json!([1, 2]);
    };
    let (status, out, err) = run_on("dero-signatures", "hint.json", &changed(SIGNATURES, "s-minus-convention", other));
    assert_eq!((status, lines(&out).1), (0, "94 passed, 0 failed"));
    assert_eq!(
        err,
        "vectors: \"s-minus-convention\": not counted: reason is signature-mismatch, the file says pem-layout\n"
    );
}

#[test]
fn what_is_no_file_of_vectors_gives_status_2_and_a_way_out() {
    let take = |name: &'static str| move |v: &mut Value| drop(v.as_object_mut().unwrap().remove(name));
    let lacking = [
        (
            "dero-addresses",
            changed(ADDRESSES, "key1-mainnet", take("strict")),
            "vector \"key1-mainnet\": `strict` is miss",
        ),
        ("dero-addresses", changed(ADDRESSES, "key1-mainnet", take("network")), "`network` is missing"),
        ("dero-addresses", changed(ADDRESSES, "key1-mainnet", take("name")), "vector number 1: `name` is missing"),
        (
            "dero-addresses",
            changed(ADDRESSES, "mixed-case", take("address")),
            "vector \"mixed-case\": `address` is miss",
        ),
        ("dero-addresses", changed(ADDRESSES, "mixed-case", |v| v["strict"] = json!("Valid")), "`strict` is not"),
        ("dero-addresses", changed(ADDRESSES, "mixed-case", |v| *v = json!(["a", "b"])), "vector number"),
        ("dero-signatures", changed(SIGNATURES, "ascii-hello", take("signer")), "\"ascii-hello\": `signer` is missing"),
        ("dero-signatures", changed(SIGNATURES, "ascii-hello", take("pem_base64")), "`pem_base64` is missing"),
        ("dero-signatures", changed(SIGNATURES, "ascii-hello", take("message_base64")), "`message_base64` is missing"),
        ("dero-signatures", changed(SIGNATURES, "ascii-hello", |v| v["pem_base64"] = json!(null)), "`message_recipe`"),
        ("dero-signatures", changed(SIGNATURES, "ascii-hello", |v| v["pem_base64"] = json!("*")), "is not base64"),
        ("dero-signatures", changed(SIGNATURES, "one-mebibyte", take("message_recipe")), "`message_recipe` is missing"),
        (
            "dero-signatures",
            changed(SIGNATURES, "one-mebibyte", |v| v["message_recipe"]["mul"] = json!(168)),
            "`message_sha256` is not",
        ),
        (
            "dero-signatures",
            changed(SIGNATURES, "one-mebibyte", |v| v["message_recipe"]["length"] = json!(u64::MAX)),
            "`length` is not",
        ),
        ("dero-signatures", changed(SIGNATURES, "one-mebibyte", |v| v["s"] = json!("1")), "`pem_sha256` is not"),
        ("dero-challenges", changed(CHALLENGES, "server-made", take("context")), "\"server-made\": `context` is miss"),
        ("dero-challenges", changed(CHALLENGES, "server-made", take("result")), "`result` is missing"),
        (
            "dero-challenges",
            changed(CHALLENGES, "server-made", |v| v["context"]["now"] = json!(-1)),
            "vector \"server-made\", `context`: `now` is not a whole number",
        ),
        (
            "dero-challenges",
            changed(CHALLENGES, "server-made", |v| v["context"]["signer_address"] = json!("dero1")),
            "`signer_address` is not the address",
        ),
        (
            "dero-challenges",
            changed(CHALLENGES, "server-made", |v| v["context"]["schemes"] = json!(["ftp"])),
            "`schemes` is not",
        ),
        (
            "dero-challenges",
            changed(CHALLENGES, "server-made", |v| v["context"]["chain_id"] = json!("dero")),
            "`chain_id` is not",
        ),
        ("dero-challenges", SIGNATURES.as_bytes().to_vec(), "`text_base64` is missing"),
        ("dero-addresses", br#"{"vectors": []}"#.to_vec(), "it has no vectors"),
        ("dero-addresses", br#"{"vectors": 1}"#.to_vec(), "it has no list `vectors`"),
        ("dero-addresses", b"[]".to_vec(), "it has no list `vectors`"),
        ("dero-addresses", ADDRESSES.as_bytes()[..ADDRESSES.len() / 2].to_vec(), "it is not JSON"),
        ("dero-addresses", vec![0xff, 0xfe], "it is not JSON"),
        ("dero-addresses", Vec::new(), "it is not JSON"),
    ];
    for (i, (kind, file, reason)) in lacking.into_iter().enumerate() {
        let (status, out, err) = run_on(kind, &format!("lacking-{i}.json"), &file);
        assert_eq!((status, out.as_str(), err.lines().count()), (2, "", 1), "{i}: {err}");
        assert!(err.starts_with("vectors: cannot use ") && err.contains(reason), "{i}: {err}");
        assert!(err.ends_with(&format!("; see that it holds {kind} and is complete\n")), "{i}: {err}");
    }
    let cases: [(&[&str], &str); 7] = [
        (&[], "give the kind"),
        (&["dero-addresses"], "give the kind"),
        (&["dero"], "use dero-signatures"),
        (&["dero-addresses", "a", "b"], "\"b\""),
        (&["--what"], "--what"),
        (&["dero-addresses", "no such file"], "cannot use no such file: "),
        (&["dero-addresses", env!("CARGO_TARGET_TMPDIR")], "give the path of a file"),
    ];
    for (arguments, reason) in cases {
        let (status, out, err) = run(arguments);
        assert_eq!((status, out.as_str(), err.lines().count()), (2, "", 1), "{arguments:?}");
        assert!(err.starts_with("vectors: ") && err.contains(reason), "{err}");
    }
    assert_eq!(run(&["--help"]), (0, USAGE.into(), String::new()));
    let large = vec![b' '; (16 << 20) + 1];
    assert!(run_on("dero-addresses", "large-vectors.json", &large).2.contains("larger than 16 MiB"));
}
