//! The command line: signatures in files.

use super::browser::{Browser, key, mainnet, server, sign};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{fs, path::PathBuf};
use symbolon::SysRng;
use symbolon_dero::Network;
use symbolon_examples::dero_signin::{USAGE, run};

/// A file in the test's own directory.
fn file(name: &str, contents: impl AsRef<[u8]>) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, contents).unwrap();
    path.to_str().unwrap().into()
}

fn program(arguments: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = run(arguments, &mut out, &mut err);
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[test]
fn files_are_verified() {
    let alice = key(7);
    let address = mainnet(&alice).to_string();
    let good = file("good.pem", sign(&alice, "hello\nyou"));
    let (status, out, err) = program(&["--verify", &good]);
    assert_eq!((status, err.as_str()), (0, ""));
    assert!(out.starts_with("valid\n") && out.contains(&address) && out.ends_with("  | hello\n  | you\n"), "{out}");

    let (status, out, _) = program(&["--verify", &good, "--json"]);
    let object: Value = serde_json::from_str(&out).unwrap();
    let public_key = hex::encode(alice.public().to_bytes());
    let expected = json!({
        "valid": true, "address": address, "network": "mainnet", "public_key": public_key,
        "message": "hello\nyou", "message_base64": BASE64_STANDARD.encode("hello\nyou"),
    });
    assert_eq!((status, object, out.lines().count()), (0, expected, 1));

    // what a terminal would obey is shown, not sent
    let nasty = "a\u{1b}[2J\u{7f}\u{202e}b\\\u{9b}\u{10000}é";
    let nasty_file = file("nasty.pem", sign(&alice, nasty));
    let (status, out, _) = program(&["--verify", &nasty_file]);
    assert!(out.contains(r"  | a\u{1b}[2J\u{7f}\u{202e}b\\\u{9b}"), "{out}");
    assert_eq!((status, out.chars().all(|c| c == '\n' || !c.is_control())), (0, true));
    let (_, out, _) = program(&["--verify", &nasty_file, "--json"]);
    assert!(out.trim_end().bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{out}");
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["message"], nasty);
    let binary = alice.sign(Network::Testnet, [0xff, 0], &mut SysRng).unwrap().to_pem();
    let (_, out, _) = program(&["--verify", &file("binary.pem", binary)]);
    assert!(out.contains("network  testnet") && out.ends_with("in base64:\n/wA=\n"), "{out}");

    let pem = sign(&alice, "hello");
    let changed = pem.replace(&BASE64_STANDARD.encode("hello"), &BASE64_STANDARD.encode("hallo"));
    for (name, text, code) in [
        ("changed.pem", changed, "signature-mismatch"),
        ("text.pem", "hello".into(), "pem-layout"),
        ("empty-message.pem", sign(&alice, ""), "empty-message"),
    ] {
        let name = file(name, text);
        let (status, out, err) = program(&["--verify", &name]);
        assert_eq!((status, err.as_str()), (1, ""));
        assert!(out.starts_with("not valid: ") && out.contains(&format!("({code})")), "{out}");
        let (status, out, _) = program(&["--verify", &name, "--json"]);
        let object: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((status, &object["valid"], &object["code"]), (1, &json!(false), &json!(code)));
    }
}

#[test]
fn detached_signatures_are_of_a_file() {
    let (alice, contents) = (key(7), [0xff, 1, 2, 3]);
    let data = file("data.bin", contents);
    let pem = alice.sign(Network::Mainnet, contents, &mut SysRng).unwrap().to_pem();
    // the same without its body
    let (headers, _) = pem.split_once("\n\n").unwrap();
    let signature = file("data.pem", format!("{headers}\n\n-----END DERO SIGNED MESSAGE-----\n"));
    let (status, out, _) = program(&["--verify", &signature, "--of", &data, "--json"]);
    let object: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((status, &object["address"]), (0, &json!(mainnet(&alice).to_string())));
    assert_eq!((&object["message"], &object["message_base64"]), (&Value::Null, &Value::Null));
    assert!(program(&["--verify", &signature, "--of", &data]).1.contains("message  the file"));

    let code = |signature: &str, of: &str| {
        let (status, out, _) = program(&["--json", "--verify", signature, "--of", of]);
        assert_eq!(status, 1, "{out}");
        serde_json::from_str::<Value>(&out).unwrap()["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(code(&signature, &file("other.bin", "other")), "signature-mismatch");
    assert_eq!(code(&signature, &file("empty.bin", "")), "empty-message");
    assert_eq!(code(&file("whole.pem", &pem), &data), "pem-layout");
    let (status, out, _) = program(&["--verify", &signature]);
    assert_eq!(status, 1);
    assert!(out.contains("--of DATA_FILE"), "{out}");
}

#[test]
fn a_test_key_signs_what_the_server_takes() {
    let key_file = file("key.hex", format!("{}\n", "07".repeat(32)));
    let (status, address, err) = program(&["--key", &key_file]);
    assert_eq!((status, address.trim_end(), err.as_str()), (0, mainnet(&key(7)).to_string().as_str(), ""));
    assert!(program(&["--key", &key_file, "--chain", "testnet"]).1.starts_with("deto1"));

    let mut browser = Browser::new(&server(&[]));
    let challenge = file("challenge.txt", browser.challenge(&key(7)));
    let (status, pem, err) = program(&["--key", &key_file, "--sign", &challenge]);
    assert_eq!((status, err.lines().count()), (0, 1));
    assert!(err.contains("for tests only"), "{err}");
    assert_eq!(browser.sign_in(&pem).status, 200);
}

#[test]
fn everything_else_is_refused_in_one_line() {
    assert_eq!(program(&["--help"]), (0, USAGE.into(), String::new()));
    let (good, key_file) = (file("any.pem", sign(&key(7), "hello")), file("any.hex", "07".repeat(32)));
    let (large, zeros) = (file("large.pem", " ".repeat(101)), file("zeros.hex", "00".repeat(32)));
    let cases: &[(&[&str], &str)] = &[
        (&["--what"], "--what"),
        (&["stray"], "stray"),
        (&["--verify"], "--verify"),
        (&["--verify", "no such file"], "cannot read no such file"),
        (&["--verify", &large, "--limit", "100"], "larger than 100 bytes"),
        (&["--verify", "/dev/zero", "--limit", "1000"], "larger than 1000 bytes"),
        (&["--verify", &good, "--of", "/dev/zero", "--limit", "1000"], "/dev/zero is larger"),
        (&["--verify", "-", "--of", "-"], "standard input"),
        (&["--verify", &good, "--verify", &good], "--verify once"),
        (&["--verify", &good, "--limit", "0"], "--limit"),
        (&["--verify", &good, "--secure"], "--secure"),
        (&["--verify", &good, "--key", &key_file], "--key"),
        (&["--of", &good], "--verify"),
        (&["--json"], "--verify"),
        (&["--limit", "5"], "--limit"),
        (&["--sign", &good], "--key"),
        (&["--key", &good], "64 hexadecimal"),
        (&["--key", &zeros], "64 hexadecimal"),
        (&["--key", "/dev/zero"], "larger than 1024 bytes"),
        (&["--key", &key_file, "--listen", "127.0.0.1:0"], "--listen"),
        (&["--key", &key_file, "--sign", "/dev/null"], "empty"),
        (&["--listen", "localhost"], "127.0.0.1:3002"),
        (&["--listen", "192.0.2.1:1"], "another --listen"),
        (&["--chain", "other"], "mainnet or testnet"),
        (&["--lifetime", "0"], "1 to 3600"),
        (&["--lifetime", "3601"], "1 to 3600"),
        (&["--listen", "127.0.0.1:0", "--domain", "My App"], "myapp.com"),
        (&["--listen", "127.0.0.1:0", "--statement", "two\nlines"], "one line"),
        (&["--listen", "127.0.0.1:0", "--statement", ""], "one line"),
        (&["--secure"], "--domain"),
        (&["--listen", "127.0.0.1:0", "--secure", "--domain", "a.example:443"], "use --domain a.example"),
        (&["--listen", "127.0.0.1:0", "--domain", "a.example:80"], "use --domain a.example"),
    ];
    for (arguments, why) in cases {
        let (status, out, err) = program(arguments);
        assert_eq!((status, out.as_str(), err.lines().count()), (2, "", 1), "{arguments:?} {err}");
        assert!(err.starts_with("dero-signin: ") && err.contains(why), "{arguments:?} {err}");
    }
}
