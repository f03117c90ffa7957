//! The command line: what it reads, and one clear line for everything else.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use alloy_eips::Typed2718;
use std::{fs, path::PathBuf};
use symbolon_examples::{
    Request,
    cli::{self, Command},
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
    assert!(matches!(default.request, Request::Transaction(tx) if tx.is_eip1559()));
    assert_eq!((default.path.to_string().as_str(), default.json), ("m", false));

    let message = arguments(&["--json", "--message", "--not an option", "--path=m/0/5"]);
    assert!(matches!(message.request, Request::Message(text) if text == "--not an option"));
    assert_eq!((message.path.to_string().as_str(), message.json), ("m/0/5", true));

    let permit = file("permit.json", include_bytes!("../data/permit.json"));
    assert!(matches!(arguments(&["--typed-data", &permit]).request, Request::TypedData(_)));
    let transfer = file("transfer.json", include_bytes!("../data/transfer.json"));
    assert!(matches!(arguments(&["--tx", &transfer]).request, Request::Transaction(_)));
    assert!(matches!(cli::parse(["--help"]), Ok(Command::Help)));
}

#[test]
fn everything_else_is_refused_in_one_line() {
    let large = file("large.json", &vec![b' '; (1 << 20) + 1]);
    let binary = file("binary.json", &[0xff, 0xfe]);
    let lines = file("lines.json", b"{\n\"chainId\": 1,\n\n\"what\nis this\": 1}");
    let cases: [(&[&str], &str); 14] = [
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
    ];
    for (arguments, reason) in cases {
        let Err(error) = cli::parse(arguments.iter().copied()) else { panic!("{arguments:?} was taken") };
        let error = error.to_string();
        assert!(error.contains(reason), "{arguments:?}: {error}");
        assert!(!error.contains('\n'));
    }
}
