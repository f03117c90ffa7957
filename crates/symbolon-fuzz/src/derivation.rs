//! Paths, labels and phrases: one text for each value, and children that libsecp256k1 derives too.

use crate::{bytes::Bytes, memory::bounded};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use std::fmt::Write;
use symbolon_backup::{Phrase, PhraseError, xprv};
use symbolon_core::{Group, Secp256k1, SecretScalar};
use symbolon_ecdsa::{DerivationPath, PathError, derive};
use symbolon_session::Label;

/// The target. Gives whether some text was read.
pub fn run(data: &[u8]) -> bool {
    let whole = std::str::from_utf8(data).is_ok_and(|text| path(text).is_ok() | phrase(text).is_ok());
    let mut input = Bytes(data);
    let built = match input.byte() {
        1 => built(&mut input),
        2 => children(&mut input),
        3 => words(&mut input),
        4 => labelled(input.rest()),
        5 => exported(&mut input),
        _ => false,
    };
    whole || built
}

/// The rules for paths, in their order: of each component first its form, then whether it is hardened; then how many there are.
fn judge(text: &str) -> Result<Vec<u32>, PathError> {
    let mut parts = text.split('/');
    if parts.next() != Some("m") {
        return Err(PathError::Syntax);
    }
    let mut indices = Vec::new();
    // of what is beyond the 256th nothing is looked at
    for part in parts.take(256) {
        let marked = part.ends_with(['\'', 'h', 'H']);
        let digits = if marked { &part[..part.len() - 1] } else { part };
        let number = digits.chars().all(|c| c.is_ascii_digit()) && !digits.is_empty();
        if !number || (digits.len() > 1 && digits.starts_with('0')) {
            return Err(PathError::Syntax);
        }
        let index = if digits.len() > 10 { u64::MAX } else { digits.parse::<u64>().expect("ten digits") };
        match u32::try_from(index) {
            Ok(index) if index < 1 << 31 && !marked => indices.push(index),
            _ => return Err(PathError::Hardened),
        }
    }
    if indices.len() > 255 { Err(PathError::TooDeep) } else { Ok(indices) }
}

fn path(text: &str) -> Result<DerivationPath, PathError> {
    // an index of two characters has four bytes, in a list that doubles and is copied
    let read = bounded(8, text.as_bytes(), || text.parse::<DerivationPath>());
    assert_eq!(read.clone().map(|path| path.indices().to_vec()), judge(text), "{text:?}");
    if let Ok(path) = &read {
        assert_eq!(path.to_string(), text);
        assert_eq!(DerivationPath::new(path.indices()).as_ref(), Ok(path));
    }
    read
}

/// A path with some odd components.
fn built(input: &mut Bytes<'_>) -> bool {
    let mut text = String::from(if input.byte() % 8 == 7 { "M" } else { "m" });
    let (repeat, count) = (1 + usize::from(input.byte()), input.byte() % 6);
    for _ in 0..count {
        let mut part = String::from("/");
        let written = match input.byte() % 12 {
            0 => write!(part, "{}", input.u64()),
            1 => write!(part, "0{}", input.byte()),
            2 => write!(part, "{}'", input.u16()),
            3 => write!(part, "{}h", input.u16()),
            4 => write!(part, "+{}", input.u16()),
            5 => write!(part, "{}", (1u32 << 31).wrapping_sub(u32::from(input.byte()))),
            6 => part.write_str(&input.piece().unwrap_or_default()),
            _ => write!(part, "{}", input.u16()),
        };
        written.expect("a string takes everything");
        text.push_str(&part.repeat(if input.byte().is_multiple_of(4) { repeat } else { 1 }));
    }
    path(&text).is_ok()
}

/// CKDpub with another curve library and another HMAC key.
fn children(input: &mut Bytes<'_>) -> bool {
    let mut parent = input.array::<33>();
    let chain_code = input.array::<32>();
    let indices: Vec<u32> = (0..input.byte() % 5).map(|_| u32::from_be_bytes(input.array()) >> 1).collect();
    // half of all x have points
    while Secp256k1::point_from_bytes(&parent).is_err() {
        parent[0] = 2 | parent[0] & 1;
        parent[32] = parent[32].wrapping_add(1);
        parent[1] &= 0x7f;
    }
    let path = DerivationPath::new(&indices).expect("short and not hardened");
    assert!(self::path(&path.to_string()).is_ok());
    let public_key = Secp256k1::point_from_bytes(&parent).expect("a point");
    let child = derive(&public_key, &chain_code, &path).expect("nobody finds an index without a key");

    let (mut key, mut code) = (secp256k1::PublicKey::from_slice(&parent).expect("a point"), chain_code);
    for index in &indices {
        let mac = Hmac::<Sha512>::new_from_slice(&code).expect("any length");
        let i = mac.chain_update(key.serialize()).chain_update(index.to_be_bytes()).finalize().into_bytes();
        let tweak = secp256k1::Scalar::from_be_bytes(i[..32].try_into().expect("32")).expect("below the order");
        key = key.add_exp_tweak(&tweak).expect("not the identity");
        code = i[32..].try_into().expect("32");
    }
    assert_eq!((Secp256k1::point_to_bytes(&child.public_key), child.chain_code), (key.serialize(), code));
    assert!(public_key + Secp256k1::mul_base(&child.tweak) == child.public_key);
    true
}

fn phrase(text: &str) -> Result<Phrase, PhraseError> {
    // the words once more, and the list of 24
    let read = bounded(4, text.as_bytes(), || Phrase::parse(text));
    let words: Vec<String> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
    match &read {
        Ok(phrase) => {
            assert_eq!(*phrase.words(), words.join(" "));
            assert!(Phrase::parse(&phrase.words()).is_ok());
        }
        Err(PhraseError::Count) => assert_ne!(words.len(), 24),
        Err(PhraseError::Word(at)) => assert!((1..=24).contains(at) && words.len() == 24),
        Err(error) => assert!(*error == PhraseError::Checksum && words.len() == 24),
    }
    read
}

/// A phrase of these bytes with some words changed: the words that are read are those of a right checksum.
fn words(input: &mut Bytes<'_>) -> bool {
    let mut rng = symbolon_testkit::seeded(input.u64());
    let phrase = Phrase::generate(&mut rng).expect("it does not fail");
    let other = Phrase::generate(&mut rng).expect("it does not fail");
    let (words, other) = (phrase.words(), other.words());
    let mut list: Vec<&str> = words.split(' ').collect();
    let others: Vec<&str> = other.split(' ').collect();
    let mut changed = false;
    for _ in 0..input.byte() % 3 {
        let (place, from) = (usize::from(input.byte() % 24), usize::from(input.byte() % 24));
        changed |= list[place] != others[from];
        list[place] = others[from];
    }
    if input.byte() % 4 == 1 {
        list.swap(usize::from(input.byte() % 24), usize::from(input.byte() % 24));
    }
    let mut text = list.join(if input.byte().is_multiple_of(2) { " " } else { "\t \n" }).into_bytes();
    if input.byte() % 4 == 1 {
        input.edit(&mut text, 0);
    }
    let read = self::phrase(std::str::from_utf8(&text).expect("ASCII"));
    assert!(read.is_ok() || changed || list.join(" ") != *words || text != words.as_bytes());
    read.is_ok()
}

fn labelled(bytes: &[u8]) -> bool {
    let label = Label::new(bytes);
    assert_eq!(label.is_ok(), (1..=256).contains(&bytes.len()));
    label.is_ok_and(|label| {
        assert_eq!(label.as_bytes(), bytes);
        let longer = Label::new([bytes, b"x"].concat());
        longer.is_err() || longer.is_ok_and(|longer| longer.tag() != label.tag())
    })
}

/// The text of an extended key says the key and the chain code.
fn exported(input: &mut Bytes<'_>) -> bool {
    let (key, chain_code) = (input.array(), input.array());
    let Ok(scalar) = Secp256k1::scalar_from_bytes(&key) else { return false };
    let text = xprv(&SecretScalar::new(scalar), &chain_code);
    let bytes = unbased(&text);
    let (content, checksum) = bytes.split_at(78);
    assert_eq!(*checksum, Sha256::digest(Sha256::digest(content))[..4]);
    assert_eq!(content[13..], [&chain_code[..], &[0], &key].concat());
    assert!(text.starts_with("xprv") && content[..13] == [4, 0x88, 0xad, 0xe4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    true
}

/// Base 58, by long division.
fn unbased(text: &str) -> [u8; 82] {
    const DIGITS: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0; 82];
    for character in text.chars() {
        let mut carry = DIGITS.find(character).expect("a digit");
        for byte in bytes.iter_mut().rev() {
            carry += 58 * usize::from(*byte);
            (*byte, carry) = ((carry % 256) as u8, carry / 256);
        }
        assert_eq!(carry, 0, "it fits");
    }
    bytes
}
