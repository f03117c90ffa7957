//! Changed bytes, with and without a right hash.

use crate::{
    both::{Ask, Golden, Reader, clear_len},
    world::rehashed,
};
use pem_rfc7468::LineEnding;
use std::collections::BTreeSet;
use symbolon_backup::PEM_LABEL;

#[test]
fn every_changed_byte() {
    let (golden, mut reader) = (Golden::load(), Reader::new("changed"));
    let mut seen = BTreeSet::new();
    for (name, public_key, epoch, _) in &golden.files()[..3] {
        let file = Golden::file(&format!("{name}.bin"));
        let clear = clear_len(&file);
        // every byte up to the first slot's salt (its curve's points cost more on Ed25519), then some of each field
        let (all, step) = if name.contains("ed25519") { (11, 7) } else { (clear + 15, 3) };
        let ask = |slot: usize| Ask { secret: &golden.secrets[slot], public_key, epoch: *epoch };
        for at in (0..file.len() - 32).filter(|at| *at < all || at % step == 0) {
            let mut changed = file.clone();
            changed[at] ^= 1 << (at / step % 8);
            assert_eq!(reader.both(&changed, &ask(2)), "damaged");
            seen.insert(reader.both(&rehashed(changed), &ask(2)));
            let cut = rehashed([&file[..at], &[0; 32]].concat());
            seen.insert(reader.both(&cut, &ask(2)));
        }
        // magic, version, kind, curve, scheme: every value
        for at in 6..11 {
            for value in (0..=8).filter(|value| *value != file[at]) {
                let mut changed = file.clone();
                changed[at] = value;
                seen.insert(reader.both(&rehashed(changed), &ask(2)));
            }
        }
        for size in [0, 7, 31, 32, 38, 39, 40, 65504, 65505] {
            let other = [&file[..7], &vec![0; size]].concat();
            seen.insert(reader.both(&other, &ask(2)));
            if size >= 32 {
                seen.insert(reader.both(&rehashed(other), &ask(2)));
            }
        }
        // cost, salt and key of the slots that a password and the phrase open
        let phrase = clear + 1 + 3 + usize::from(u16::from_be_bytes([file[clear + 2], file[clear + 3]]));
        for (slot, range) in [(0, clear + 1..phrase), (1, phrase..phrase + 150)] {
            let begin = range.start;
            for at in range.filter(|at| at - begin < 14 || at % 7 == 0) {
                let mut changed = file.clone();
                changed[at] ^= 4;
                seen.insert(reader.both(&rehashed(changed), &ask(slot)));
            }
        }
    }
    for outcome in [
        "not a backup",
        "unsupported",
        "never backed up",
        "malformed",
        "another kind",
        "another key",
        "old epoch",
        "forged",
        "excessive work",
        "weak work",
        "wrong password",
        "wrong phrase",
        "wrong device",
    ] {
        assert!(seen.contains(outcome), "{outcome}: {seen:?}");
    }
    assert!(seen.iter().all(|outcome| !outcome.contains("key share")), "{seen:?}");
}

// attacks.md row 73
#[test]
fn row_73_hostile_costs() {
    let (golden, mut reader) = (Golden::load(), Reader::new("cost"));
    let (_, public_key, epoch, _) = &golden.files()[0];
    let file = Golden::file("share-secp256k1.bin");
    let at = clear_len(&file) + 5;
    for (log_n, r, p) in [
        (40u8, 8u32, 1u32),
        (64, 8, 1),
        (255, u32::MAX, u32::MAX),
        (14, 1 << 31, 1),
        (14, 8, 1 << 30),
        (20, 16, 4),
        (21, 1, 1),
        (19, 8, 1),
        (0, 8, 1),
        (13, 8, 1),
        (14, 0, 1),
        (14, 8, 0),
        (0, 17, 0),
        (13, 0, 5),
    ] {
        let mut changed = file.clone();
        changed[at..at + 9].copy_from_slice(&[&[log_n][..], &r.to_be_bytes(), &p.to_be_bytes()].concat());
        let changed = rehashed(changed);
        let ask = |slot: usize| Ask { secret: &golden.secrets[slot], public_key, epoch: *epoch };
        assert!(reader.both(&changed, &ask(0)).ends_with(" work"), "{log_n} {r} {p}");
        // who opens another slot does no work for this one
        assert_eq!(reader.both(&changed, &ask(2)), "forged");
    }
}

/// The text form of as many zeros.
fn pem(bytes: usize) -> String {
    pem_rfc7468::encode_string(PEM_LABEL, LineEnding::LF, &vec![0; bytes]).unwrap()
}

#[test]
fn every_changed_character() {
    let (golden, mut reader) = (Golden::load(), Reader::new("text"));
    let (_, public_key, epoch, _) = &golden.files()[0];
    let ask = Ask { secret: &golden.secrets[2], public_key, epoch: *epoch };
    let text = Golden::file("share-secp256k1.pem");
    let opened = reader.both(&text, &ask);
    for at in 0..text.len() {
        for change in [1, 0x20, 0x80] {
            let mut changed = text.clone();
            changed[at] ^= change;
            assert_ne!(reader.both(&changed, &ask), opened);
        }
        if at % 16 == 0 {
            assert_ne!(reader.both(&text[..at], &ask), opened);
            assert_ne!(reader.both(&[&text[..at], b"\n", &text[at..]].concat(), &ask), opened);
        }
    }
    let string = String::from_utf8(text).unwrap();
    for (other, opens) in [
        (string.replace('\n', "\r\n"), true),
        (string.replacen('\n', "\r\n", 3), true),
        (string.trim_end().to_owned(), true),
        (format!("{string}\n"), false),
        (format!("{string}\r\n"), false),
        (format!("{string}{string}"), false),
        (string.replace('\n', "\r"), false),
        (string.replace('\n', ""), false),
        (string.replacen("SHARE", "share", 2), false),
        (format!("{string}{}", "A".repeat(100_000)), false),
        (pem(60_000), false),
        (pem(66_000), false),
        (pem(80_000), false),
    ] {
        assert_eq!(reader.both(other.as_bytes(), &ask) == opened, opens, "{other}");
    }
}

/// Points and keys of X25519 that a reader refuses, in place of good ones.
#[test]
fn points_that_are_none() {
    let (golden, mut reader) = (Golden::load(), Reader::new("points"));
    let number = |hex: &str| hex::decode(hex).unwrap();
    let zeros = |first: u8, last: u8| [&[first][..], &[0; 30], &[last]].concat();
    // neutral, of order 2 and 4, of order 8, not reduced, minus zero; one with a part of small order is below
    let ed25519 = [
        zeros(1, 0),
        [&[0xec][..], &[0xff; 30], &[0x7f]].concat(),
        zeros(0, 0),
        zeros(0, 0x80),
        number("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        number("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        [&[0xee][..], &[0xff; 30], &[0x7f]].concat(),
        zeros(1, 0x80),
        zeros(2, 0),
    ];
    let secp256k1 = [vec![0; 33], vec![2; 33], [&[2][..], &[0xff; 32]].concat(), [&[4][..], &[1; 32]].concat()];
    let x25519 = [
        zeros(0, 0),
        zeros(1, 0),
        number("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        number("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        [&[0xec][..], &[0xff; 30], &[0x7f]].concat(),
        [&[0xed][..], &[0xff; 30], &[0x7f]].concat(),
        [&[0xf6][..], &[0xff; 30], &[0x7f]].concat(),
        zeros(9, 0x80),
    ];
    for (at, points) in [(0, &secp256k1[..]), (1, &ed25519[..])] {
        let (name, public_key, epoch, _) = &golden.files()[at];
        let ask = Ask { secret: &golden.secrets[2], public_key, epoch: *epoch };
        let file = Golden::file(&format!("{name}.bin"));
        let (n, clear) = (public_key.len(), clear_len(&file));
        // in the slot of the password: the other slots are read too
        let (of_slot, enc) = (clear + 1 + 3 + 1 + 9 + 32 + 1, clear + 1 + 3 + 1 + 9 + 32 + 33 + 2);
        let mut put = |at: usize, point: &[u8]| {
            let mut changed = file.clone();
            changed[at..at + point.len()].copy_from_slice(point);
            reader.both(&rehashed(changed), &ask)
        };
        for point in points {
            let outcomes = (put(58, point), put(58 + n + 1, point));
            // (2, 2, ..) is a point of secp256k1 or not; both say the same
            assert!(outcomes.0 == "malformed" || outcomes.0 == "another key", "{outcomes:?}");
            assert!(outcomes.1 == "malformed" || outcomes.1 == "forged", "{outcomes:?}");
        }
        for point in &x25519 {
            assert_eq!((put(of_slot, point), put(enc, point)), ("malformed".into(), "malformed".into()));
        }
    }
}
