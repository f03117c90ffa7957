//! Every byte matters: single-byte changes of all that a liar says, each in a run of its own: small fields byte by byte,
//! matrices with a stride that meets many rows and columns. Nobody has a signature, nobody names an honest party (as in
//! every run of these tests), and each field has its own faults.

use crate::liars::*;
use std::collections::BTreeSet;

const ALL: [u16; 3] = [1, 2, 3];

/// Name, bytes, how far apart the bytes are that are changed, and what 1 ends with.
type Field = (&'static str, usize, usize, &'static [&'static str]);

const MULTIPLICATION: usize = 768 * 3 * 32;
const POINT: &[&str] = &["Encoding(Point)", "Opening"];

fn layout(slot: Slot) -> Vec<Field> {
    match slot {
        Slot::Commit => vec![("commitment", 32, 1, &["View"])],
        Slot::Echo => vec![("echo", 32, 1, &["View"])],
        Slot::Extend(_) => vec![
            ("setup id", 16, 1, &["Mismatch(Setup)"]),
            ("U", 32 * 7 * 16, 89, &["Extension"]),
            ("x~", 16, 1, &["Extension"]),
            ("hash", 32, 1, &["Extension"]),
        ],
        Slot::Multiply(_) => vec![
            ("a~ matrix", MULTIPLICATION, 1801, &["Multiplication"]),
            ("eta", 32, 1, &["Multiplication"]),
            ("mu", 32, 1, &["Multiplication"]),
        ],
        Slot::Open => {
            vec![("R", 33, 1, POINT), ("opening", 32, 1, &["Opening"]), ("pk", 33, 1, &["Encoding(Point)", "Exponent"])]
        }
        Slot::Give(_) => vec![
            ("gamma_k", 32, 1, &["Exponent"]),
            ("gamma_x", 32, 1, &["Exponent"]),
            ("psi", 32, 1, &["Signature"]),
            ("Gamma_k", 33, 1, &["Exponent"]),
            ("Gamma_x", 33, 1, &["Exponent"]),
        ],
        Slot::Release => vec![("u", 32, 1, &["Signature"]), ("w", 32, 1, &["Signature"]), ("view", 32, 1, &["View"])],
    }
}

fn every_byte(slot: Slot) {
    let told = match slot {
        Slot::Extend(to) | Slot::Multiply(to) | Slot::Give(to) => vec![to],
        Slot::Commit | Slot::Echo | Slot::Open | Slot::Release => vec![1, 3],
    };
    let mut offset = 0;
    for (name, len, stride, faults) in layout(slot) {
        let mut seen = BTreeSet::new();
        for (n, byte) in (offset..offset + len).step_by(stride).enumerate() {
            let change = if n % 2 == 0 { 1 } else { 0x80 };
            let ends = sign(Mode::Full, &ALL, liar(2, at(slot, move |body| body[byte] ^= change)));
            for (me, end) in &ends {
                match end {
                    End::Failed(fault, culprit, ..) => {
                        seen.insert(format!("{fault:?}"));
                        assert_eq!(*end, failed(Mode::Full, *me, &ALL, *fault, *culprit), "{name} {byte}");
                    }
                    _ => {
                        assert!(!told.contains(me), "{name} {byte}: {me} has seen it");
                        assert_eq!(*end, waiting(Mode::Full, *me, &ALL), "{name} {byte}");
                    }
                }
            }
        }
        assert_eq!(seen, faults.iter().map(|fault| (*fault).to_owned()).collect(), "{name}");
        offset += len;
    }
    let body = bodies(&overheard(Mode::Full, &ALL), 2).remove(&place(slot)).unwrap();
    assert_eq!(offset, body.len(), "the layout is that of the body");
}

fn place(slot: Slot) -> (u8, u16) {
    match slot {
        Slot::Extend(to) => (1, to),
        Slot::Commit => (2, 0),
        Slot::Multiply(to) => (2, to),
        Slot::Echo => THE_ECHO,
        Slot::Open => (3, 0),
        Slot::Give(to) => (3, to),
        Slot::Release => (4, 0),
    }
}

#[test]
fn every_byte_of_round_1() {
    every_byte(Slot::Extend(1));
}

#[test]
fn every_byte_of_round_2() {
    every_byte(Slot::Commit);
    every_byte(Slot::Multiply(1));
}

#[test]
fn every_byte_of_round_3() {
    every_byte(Slot::Echo);
    every_byte(Slot::Open);
    every_byte(Slot::Give(1));
}

#[test]
fn every_byte_of_round_4() {
    every_byte(Slot::Release);
}
