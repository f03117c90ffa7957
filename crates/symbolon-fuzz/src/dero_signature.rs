//! Signatures of any key, numbers and message, and keys of any bytes: `substrate-bn` says the same.

use crate::bytes::Bytes;
use bn::{AffineG1, Fq, Fr, G1};
use sha3::{Digest, Keccak256};
use std::sync::LazyLock;
use symbolon_dero::{Address, Network, PublicKey, SecretKey, SignatureError, SignedMessage};
use symbolon_testkit::seeded;

/// The order of the group.
const N: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d, 0x28, 0x33, 0xe8,
    0x48, 0x79, 0xb9, 0x70, 0x91, 0x43, 0xe1, 0xf5, 0x93, 0xf0, 0x00, 0x00, 0x01,
];
/// The field prime.
const P: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d, 0x97, 0x81, 0x6a,
    0x91, 0x68, 0x71, 0xca, 0x8d, 0x3c, 0x20, 0x8c, 0x16, 0xd8, 0x7c, 0xfd, 0x47,
];
/// The generator of the signatures.
static GENERATOR: LazyLock<G1> = LazyLock::new(|| {
    let one = SecretKey::from_bytes(&number(1)).expect("one is a key").public().to_bytes();
    theirs(&one).expect("a point")
});

fn number(small: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[31] = small;
    bytes
}

/// The target. Gives whether something verified, or was read as a key.
pub fn run(data: &[u8]) -> bool {
    let mut input = Bytes(data);
    match input.byte() {
        1 => key(&input.array()),
        2 => secret(&input.array(), &mut input),
        3 => any(&mut input),
        4 => changed(&mut input),
        5 => detached(&mut input),
        _ => false,
    }
}

/// The point of 33 bytes, by the other library: it takes a flag of any value and numbers that are not reduced, which is looked at here.
fn theirs(bytes: &[u8; 33]) -> Option<G1> {
    let x: &[u8; 32] = bytes[..32].try_into().expect("32");
    if *x >= P || bytes[32] > 1 {
        return None;
    }
    let x = Fq::from_slice(x).expect("below the prime");
    let y = (x * x * x + G1::b()).sqrt()?;
    let larger = y.into_u256() > (-y).into_u256();
    let y = if larger == (bytes[32] == 1) { y } else { -y };
    Some(AffineG1::new(x, y).expect("on the curve").into())
}

fn key(bytes: &[u8; 33]) -> bool {
    let read = PublicKey::from_bytes(bytes);
    assert_eq!(read.is_ok(), theirs(bytes).is_some(), "{bytes:02x?}");
    read.is_ok_and(|key| key.to_bytes() == *bytes)
}

/// A secret key and what it signs.
fn secret(bytes: &[u8; 32], input: &mut Bytes<'_>) -> bool {
    let key = SecretKey::from_bytes(bytes);
    assert_eq!(key.is_some(), *bytes < N && *bytes != [0; 32]);
    let Some(key) = key else { return false };
    let public = theirs(&key.public().to_bytes()).expect("a point");
    assert!(*GENERATOR * Fr::from_slice(bytes).expect("below the order") == public);
    let message = input.rest();
    let signed = key.sign(Network::Mainnet, message, &mut seeded(1)).expect("it does not fail");
    let pem = signed.to_pem();
    assert!(verifies(&pem, message));
    assert_eq!(signed.verify().is_ok(), !message.is_empty());
    true
}

/// The lines of the text, two multiplications, one hash.
fn verifies(pem: &str, message: &[u8]) -> bool {
    let field = |name: &str| pem.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
    let scalar = |name: &str| {
        let text = format!("{:0>64}", field(name));
        let bytes: Vec<u8> =
            (0..32).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("digits")).collect();
        Fr::from_slice(&bytes).expect("below the order")
    };
    let (c, s) = (scalar("C: "), scalar("S: "));
    let key = Address::parse(field("Address: ")).expect("an address").key().to_bytes();
    let p = theirs(&key).expect("a point");
    let r = *GENERATOR * s - p * c;
    let Some(nonce) = text(r) else { return false };
    let digits: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = Keccak256::digest(format!("{}{nonce}{digits}", text(p).expect("a key")));
    // into the numbers below the order: it is less than six times that
    Fr::from_slice(&reduced(hash.into())).expect("reduced") == c
}

fn reduced(mut bytes: [u8; 32]) -> [u8; 32] {
    while bytes >= N {
        let mut borrow = 0i16;
        for i in (0..32).rev() {
            let difference = i16::from(bytes[i]) - i16::from(N[i]) - borrow;
            borrow = i16::from(difference < 0);
            bytes[i] = (difference & 0xff) as u8;
        }
    }
    bytes
}

fn text(point: G1) -> Option<String> {
    let affine = AffineG1::from_jacobian(point)?;
    let hex = |coordinate: Fq| {
        let mut bytes = [0; 32];
        coordinate.to_big_endian(&mut bytes).expect("32 bytes");
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    Some(format!("bn256.G1({}, {})", hex(affine.x()), hex(affine.y())))
}

/// Any numbers and any key, put together as the text that is read.
fn any(input: &mut Bytes<'_>) -> bool {
    let mut key = input.array::<33>();
    key[0] &= 0x1f;
    key[32] &= 1;
    // half of all x have points
    while PublicKey::from_bytes(&key).is_err() {
        key[31] = key[31].wrapping_add(1);
    }
    let (mut c, mut s) = (input.array::<32>(), input.array::<32>());
    if input.byte().is_multiple_of(2) {
        // numbers in the range, and a nonce that is the identity: S*G = C*P with the key 1
        (c[0], s[0]) = (c[0] & 0x1f, s[0] & 0x1f);
        if input.byte().is_multiple_of(4) {
            key = SecretKey::from_bytes(&number(1)).expect("one").public().to_bytes();
            s = c;
        }
    }
    let address = Address::new(Network::Mainnet, PublicKey::from_bytes(&key).expect("found"));
    compared(&address, &c, &s, input.rest())
}

fn compared(address: &Address, c: &[u8; 32], s: &[u8; 32], message: &[u8]) -> bool {
    let line = |number: &[u8; 32]| {
        let text: String = number.iter().map(|byte| format!("{byte:02x}")).collect();
        text.trim_start_matches('0').to_owned()
    };
    let body = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, message);
    let body: String =
        body.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned() + "\n").collect();
    let (begin, end) = ("-----BEGIN DERO SIGNED MESSAGE-----", "-----END DERO SIGNED MESSAGE-----");
    let pem = format!("{begin}\nAddress: {address}\nC: {}\nS: {}\n\n{body}{end}\n", line(c), line(s));
    let in_range = |number: &[u8; 32]| *number < N && *number != [0; 32];
    let read = SignedMessage::parse(pem.as_bytes(), 1 << 20);
    match &read {
        Ok(read) => assert!(in_range(c) && in_range(s) && read.to_pem() == pem),
        Err(SignatureError::ScalarForm) => assert!(*c == [0; 32] || *s == [0; 32]),
        Err(error) => assert!(*error == SignatureError::ScalarRange && !(in_range(c) && in_range(s)), "{error}"),
    }
    let Ok(read) = read else { return false };
    let verdict = read.clone().verify_any();
    assert_eq!(verdict.is_ok(), verifies(&pem, message), "{pem}");
    assert_eq!(read.verify().is_ok(), verdict.is_ok() && !message.is_empty());
    verdict.is_ok()
}

/// A true signature with some numbers, the key or the message changed.
fn changed(input: &mut Bytes<'_>) -> bool {
    let key = SecretKey::from_bytes(&number(input.byte() | 1)).expect("small and not zero");
    let message = input.array::<4>();
    let signed = key.sign(Network::Testnet, message, &mut seeded(2)).expect("it does not fail");
    let pem = signed.to_pem();
    let field = |name: &str| {
        let text = pem.lines().find_map(|line| line.strip_prefix(name)).expect("a field");
        let text = format!("{text:0>64}");
        let mut bytes = [0; 32];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).expect("digits");
        }
        bytes
    };
    let mut all = [&key.public().to_bytes()[..], &field("C: "), &field("S: "), &message].concat();
    let before = all.clone();
    for _ in 0..input.byte() % 3 {
        let place = usize::from(input.byte()) % all.len();
        all[place] ^= input.byte();
    }
    let Ok(public) = PublicKey::from_bytes(&all[..33]) else { return false };
    let address = Address::new(Network::Testnet, public);
    let part = |from: usize| <[u8; 32]>::try_from(&all[from..from + 32]).expect("32");
    let verified = compared(&address, &part(33), &part(65), &all[97..]);
    assert_eq!(verified, all == before);
    verified
}

/// The signature of a file, which is not in the text.
fn detached(input: &mut Bytes<'_>) -> bool {
    let key = SecretKey::from_bytes(&number(7)).expect("seven");
    let (file, shown) = (input.array::<3>(), input.rest());
    let signed = key.sign(Network::Mainnet, file, &mut seeded(3)).expect("it does not fail");
    let pem = signed.to_pem();
    let (head, _) = pem.split_once("\n\n").expect("a head");
    let text = format!("{head}\n\n-----END DERO SIGNED MESSAGE-----\n");
    let read = SignedMessage::parse(text.as_bytes(), 4096).expect("an empty body");
    let verdict = read.verify_detached(shown);
    assert_eq!(verdict.is_ok(), shown == file);
    assert_eq!(signed.verify_detached(shown).err(), Some(SignatureError::Layout), "there is a body");
    verdict.is_ok()
}
