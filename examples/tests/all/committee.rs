//! The life of a committee's wallet, for small committees, and one clear line for everything that can't be.

use symbolon_examples::{
    Curve,
    committee::{self, Command, USAGE},
};

/// Exit status, standard output, standard error.
fn run(arguments: &[&str]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = committee::run(arguments.iter().copied(), &mut out, &mut err);
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

/// The lines with this word, each without what is before it.
fn after<'o>(out: &'o str, word: &str) -> Vec<&'o str> {
    out.lines().filter_map(|line| Some(&line[line.find(word)? + word.len()..])).collect()
}

/// What the story says of every life: the key stays, epochs rise, old sharings die.
fn check_life(out: &str, key: &str) {
    let keys = after(out, key);
    // six epochs and the summary
    assert_eq!(keys.len(), 7, "{out}");
    assert!(keys.iter().all(|other| *other == keys[0]) && keys[0].len() >= 40, "{out}");
    for epoch in 0..6 {
        assert_eq!(out.matches(&format!("   epoch {epoch}, ")).count(), 1, "{out}");
    }
    assert_eq!(out.matches("(dead: false)").count(), 2, "recover, revoke: {out}");
    assert_eq!(out.matches("that of the one who is gone among them").count(), 2, "{out}");
    assert_eq!(out.matches("(dead: true)").count(), 2, "{out}");
    assert!(out.contains("the lost share in a resharing: refused"), "{out}");
    for operation in ["key generation", "recover", "add a device", "revoke a device", "raise the threshold", "refresh"]
    {
        // announced while it works, and in the table
        assert_eq!(out.lines().filter(|line| line.contains(operation)).count(), 2, "{operation}: {out}");
    }
}

#[test]
fn two_of_three_and_three_of_five_on_secp256k1() {
    for (t, n, sign, signed) in [("2", "3", "sign, two-party path", 2), ("3", "5", "sign, quorum", 3)] {
        let (status, out, err) = run(&["--curve", "secp256k1", "--threshold", t, "--parties", n]);
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        check_life(&out, "address 0x");
        assert_eq!(out.matches("alloy finds the same address in the signature").count(), 3, "{out}");
        for refused in
            ["pair setup with the lost phone", "asked to sign with the lost phone", "takes its own old share"]
        {
            assert_eq!(out.matches(&format!("{refused}: refused, ")).count(), 1, "{out}");
        }
        assert!(out.contains("do not agree on Sid; nobody blamed, nothing burned"), "{out}");
        // the table: name, then seven numbers; a party sends no more than all do
        let (_, table) = out.split_once("operation ").unwrap();
        let rows: Vec<_> = table.lines().filter(|line| line.contains(" ms") || line.ends_with(" s")).collect();
        assert_eq!(rows.len(), 12, "{table}");
        for row in &rows {
            let numbers: Vec<u64> = row.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let [parties, messages, max, total] = numbers[..4] else { panic!("{row}") };
            assert!(parties >= 2 && messages >= parties && max < total && total <= parties * max, "{row}");
        }
        let with: Vec<_> = rows.iter().filter(|row| row.starts_with(sign)).collect();
        // the last signature is one of t + 1
        assert_eq!(with.len(), if t == "2" { 2 } else { 3 }, "{table}");
        assert!(with[0].split_whitespace().any(|word| word == signed.to_string()), "{table}");
    }
}

#[test]
fn two_of_three_and_three_of_five_on_ed25519() {
    for (t, n) in [("2", "3"), ("3", "5")] {
        let (status, out, err) = run(&["--curve=ed25519", "--threshold", t, "--parties", n]);
        assert_eq!((status, err.as_str()), (0, ""), "{out}");
        check_life(&out, "account ");
        assert_eq!(out.matches("ed25519-dalek accepts the Solana transaction").count(), 3, "{out}");
        for refused in ["asked to sign with the lost phone", "takes its own old share"] {
            assert_eq!(out.matches(&format!("{refused}: refused, ")).count(), 1, "{out}");
        }
        assert!(out.contains("do not agree on Sid; nobody blamed, nothing burned"), "{out}");
        assert!(!out.contains("pair setups"), "{out}");
    }
}

#[test]
fn arguments_that_can_not_be_give_status_2_and_a_way_out() {
    let cases: [(&[&str], &str); 14] = [
        (&["--threshold", "0"], "at least 2 sign"),
        (&["--threshold", "1"], "at least 2 sign"),
        (&["--threshold", "4"], "more than the 3 parties: lower it"),
        (&["--threshold", "3"], "more --parties"),
        (&["--threshold", "-1"], "no small number"),
        (&["--threshold", "two"], "no small number"),
        (&["--parties", "0"], "2 to 20"),
        (&["--parties", "1"], "2 to 20"),
        (&["--parties", "21"], "2 to 20"),
        (&["--parties", "70000"], "no small number"),
        (&["--parties"], "--parties"),
        (&["--curve", "p256"], "use secp256k1 or ed25519"),
        (&["--what"], "--what"),
        (&["stray"], "stray"),
    ];
    for (arguments, reason) in cases {
        let (status, out, err) = run(arguments);
        assert_eq!((status, out.as_str(), err.lines().count()), (2, "", 1), "{arguments:?}: {err}");
        assert!(err.starts_with("committee: ") && err.contains(reason) && err.contains("--help"), "{err}");
    }
    assert_eq!(run(&["--help"]), (0, USAGE.into(), String::new()));
    assert_eq!(run(&["-h"]).1, USAGE);
}

#[test]
fn defaults() {
    let Ok(Command::Live { curve, threshold, parties }) = committee::parse([] as [&str; 0]) else { panic!() };
    assert_eq!((curve, threshold.get(), parties), (Curve::Secp256k1, 2, 3));
}
