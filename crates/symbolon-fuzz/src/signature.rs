//! ECDSA signatures and Ethereum addresses: libsecp256k1 reads, verifies and recovers the same, apart from the rules that are stricter
//! here; an address has one text.

use crate::{bytes::Bytes, memory::bounded};
use k256::ProjectivePoint;
use secp256k1::{Message, ecdsa};
use sha3::{Digest as _, Keccak256};
use symbolon_core::{Group, Secp256k1};
use symbolon_ecdsa::{
    AddressError, Digest, EthereumAddress, Payload, RecoveryId, Signature, SignatureError, hazmat::prehash,
};

/// The target. Gives whether something was read.
pub fn run(data: &[u8]) -> bool {
    let text = std::str::from_utf8(data).is_ok_and(address);
    let mut input = Bytes(data);
    let built = match input.byte() {
        1 => compact(&input.array(), input.byte(), &mut input),
        2 => rsv(input.rest()),
        3 => der(input.byte(), input.rest()),
        4 => made(&mut input),
        5 => from_point(&mut input),
        6 => checksum(&mut input),
        7 => hashed(&mut input),
        _ => false,
    };
    text || built
}

/// Whether libsecp256k1 reads `r || s`, and both are in the range that is a signature here: not zero, `s` low.
fn theirs(rs: &[u8]) -> Result<ecdsa::Signature, SignatureError> {
    let read = ecdsa::Signature::from_compact(rs).map_err(|_| SignatureError::Range)?;
    let bytes = read.serialize_compact();
    if bytes[..32] == [0; 32] || bytes[32..] == [0; 32] {
        return Err(SignatureError::Range);
    }
    let mut low = read;
    low.normalize_s();
    if low == read { Ok(read) } else { Err(SignatureError::HighS) }
}

fn compact(rs: &[u8; 64], id: u8, input: &mut Bytes<'_>) -> bool {
    let Ok(recovery_id) = RecoveryId::new(id) else {
        assert!(id > 3);
        return false;
    };
    assert_eq!((recovery_id.to_byte(), recovery_id.is_y_odd(), recovery_id.is_x_reduced()), (id, id % 2 == 1, id > 1));
    let read = Signature::from_bytes(rs, recovery_id);
    match (&read, theirs(rs)) {
        (Ok(signature), Ok(theirs)) => agree(signature, &theirs, &input.array()),
        (Err(error), Err(reason)) => assert_eq!(*error, reason),
        (ours, theirs) => panic!("{ours:?} {theirs:?}"),
    }
    read.is_ok()
}

fn rsv(bytes: &[u8]) -> bool {
    let read = Signature::from_rsv(bytes);
    let expected = match bytes.split_last() {
        Some((v, rs)) if rs.len() == 64 => match v.checked_sub(27) {
            Some(id) if id < 4 => theirs(rs).map(drop),
            _ => Err(SignatureError::RecoveryId),
        },
        _ => Err(SignatureError::Encoding),
    };
    assert_eq!(read.map(drop), expected);
    read.is_ok_and(|signature| {
        assert_eq!(signature.to_rsv(), bytes);
        true
    })
}

fn der(id: u8, bytes: &[u8]) -> bool {
    let recovery_id = RecoveryId::new(id % 4).expect("below 4");
    let read = bounded(4, bytes, || Signature::from_der(bytes, recovery_id));
    // their parser reads numbers above the order as zero
    let theirs = ecdsa::Signature::from_der(bytes).ok().filter(|s| theirs(&s.serialize_compact()).is_ok());
    assert_eq!(read.is_ok(), theirs.is_some(), "{bytes:02x?} {read:?}");
    let (Ok(signature), Some(theirs)) = (read, theirs) else { return false };
    assert_eq!((signature.to_der().as_slice(), &*theirs.serialize_der()), (bytes, bytes));
    assert_eq!(signature.to_bytes(), theirs.serialize_compact());
    true
}

/// The same bytes in every form; the same key recovered; and the same verdict under it, and under another key.
fn agree(signature: &Signature, theirs: &ecdsa::Signature, digest: &[u8; 32]) {
    let bytes = theirs.serialize_compact();
    assert_eq!((signature.to_bytes(), [signature.r(), signature.s()].concat()), (bytes, bytes.to_vec()));
    assert_eq!(signature.to_der().as_slice(), &*theirs.serialize_der());
    let id = signature.recovery_id();
    assert_eq!(Signature::from_der(&signature.to_der(), id).as_ref(), Ok(signature));
    assert_eq!(Signature::from_rsv(&signature.to_rsv()).as_ref(), Ok(signature));
    let message = Message::from_digest(*digest);
    let their_id = ecdsa::RecoveryId::try_from(i32::from(id.to_byte())).expect("below 4");
    let recoverable = ecdsa::RecoverableSignature::from_compact(&bytes, their_id).expect("in range");
    let recovered = recoverable.recover_ecdsa(message).ok();
    let digest = of(digest);
    let ours = signature.recover(&digest).ok();
    let encoded = |point: &ProjectivePoint| Secp256k1::point_to_bytes(point);
    assert_eq!(ours.as_ref().map(encoded), recovered.map(|key| key.serialize()));
    let (Some(key), Some(their_key)) = (ours, recovered) else { return };
    assert!(signature.verify(&key, &digest).is_ok());
    assert!(theirs.verify(message, &their_key).is_ok());
    let other = key + ProjectivePoint::GENERATOR;
    assert!(signature.verify(&other, &digest).is_err());
    assert!(signature.verify(&ProjectivePoint::IDENTITY, &digest).is_err());
    let address = EthereumAddress::from_public_key(&key);
    assert!(self::address(&address.to_string()));
    assert_eq!(address.as_bytes()[..], Keccak256::digest(&their_key.serialize_uncompressed()[1..])[12..]);
}

fn of(digest: &[u8; 32]) -> Digest {
    prehash(digest).expect("32 bytes").digest()
}

/// A signature of libsecp256k1, with perhaps another message, key, id or bytes: whether it verifies is what both say.
fn made(input: &mut Bytes<'_>) -> bool {
    let mut secret = [0; 32];
    secret[28..].copy_from_slice(&input.array::<4>());
    secret[31] |= 1;
    let key = secp256k1::SecretKey::from_secret_bytes(secret).expect("small and not zero");
    let mut digest = input.array::<32>();
    let signed = ecdsa::RecoverableSignature::sign_ecdsa_recoverable(Message::from_digest(digest), &key);
    let (their_id, bytes) = signed.serialize_compact();
    let their_key = secp256k1::PublicKey::from_secret_key(&key);
    let public_key = Secp256k1::point_from_bytes(&their_key.serialize()).expect("a point");
    let id = their_id.to_u8();
    let mut rsv = [&bytes[..], &[27 + id]].concat();
    let changed = input.byte() % 2 == 1 && input.overwrite(&mut rsv);
    let other_digest = input.byte() % 4 == 1;
    if other_digest {
        digest[usize::from(input.byte() % 32)] ^= 1;
    }
    let Ok(signature) = Signature::from_rsv(&rsv) else {
        assert!(changed);
        return false;
    };
    let verified = signature.verify(&public_key, &of(&digest)).is_ok();
    let theirs = theirs(&rsv[..64]).expect("read here").verify(Message::from_digest(digest), &their_key).is_ok();
    // one of the four ids is right
    let same_id = rsv[64] == 27 + id;
    assert_eq!(verified, theirs && same_id);
    assert_eq!(verified, !changed && !other_digest);
    if verified {
        assert_eq!(signature.recover(&of(&digest)), Ok(public_key));
    }
    verified
}

/// From a nonce point and any `s`: a high one is negated, and the id with it.
fn from_point(input: &mut Bytes<'_>) -> bool {
    let Ok(big_r) = Secp256k1::point_from_bytes(&input.array::<33>()) else {
        assert!(Signature::new(&ProjectivePoint::IDENTITY, &1u64.into()).is_err());
        return false;
    };
    let Ok(s) = Secp256k1::scalar_from_bytes(&input.array()) else { return false };
    let (one, other) = (Signature::new(&big_r, &s), Signature::new(&-big_r, &-s));
    assert_eq!(one, other, "the two forms of one signature");
    let Ok(signature) = one else {
        assert_eq!((one, s == 0u64.into()), (Err(SignatureError::Range), true));
        return false;
    };
    let digest = input.array();
    agree(&signature, &theirs(&signature.to_bytes()).expect("low"), &digest);
    assert!(signature.recover(&of(&digest)).is_ok_and(|key| signature.verify(&key, &of(&digest)).is_ok()));
    true
}

/// Another way to the mixed case of EIP-55.
fn judge(text: &str) -> Result<[u8; 20], AddressError> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 40).ok_or(AddressError::Syntax)?;
    let mut address = [0; 20];
    for (i, digit) in digits.chars().enumerate() {
        let value = digit.to_digit(16).ok_or(AddressError::Syntax)?;
        address[i / 2] |= (value as u8) << (4 * (1 - i % 2));
    }
    let lower = digits.to_lowercase();
    let hash: String = Keccak256::digest(&lower).iter().map(|byte| format!("{byte:02x}")).collect();
    let cased = lower
        .chars()
        .zip(hash.chars())
        .map(|(digit, nibble)| if nibble.to_digit(16) >= Some(8) { digit.to_ascii_uppercase() } else { digit });
    if cased.eq(digits.chars()) { Ok(address) } else { Err(AddressError::Checksum) }
}

fn address(text: &str) -> bool {
    let read = bounded(0, text.as_bytes(), || text.parse::<EthereumAddress>());
    assert_eq!(read.map(|address| *address.as_bytes()), judge(text), "{text:?}");
    read.is_ok_and(|address| {
        assert_eq!(address.to_string(), text);
        assert_eq!(EthereumAddress::from_bytes(*address.as_bytes()), address);
        true
    })
}

/// An address of these bytes, with the case of some digits changed.
fn checksum(input: &mut Bytes<'_>) -> bool {
    let mut text = EthereumAddress::from_bytes(input.array()).to_string().into_bytes();
    for _ in 0..input.byte() % 4 {
        let place = 2 + usize::from(input.byte() % 40);
        text[place] ^= if input.byte().is_multiple_of(2) { 0x20 } else { input.byte() & 0x7f };
    }
    address(std::str::from_utf8(&text).expect("ASCII"))
}

/// What is hashed for each kind of payload, put together here.
fn hashed(input: &mut Bytes<'_>) -> bool {
    let (domain, strukt) = (input.array::<32>(), input.array::<32>());
    let bytes = input.rest();
    let keccak = |bytes: &[u8]| <[u8; 32]>::from(Keccak256::digest(bytes));
    let sha = |bytes: &[u8]| <[u8; 32]>::from(sha2::Sha256::digest(bytes));
    let prefix = format!("\x19Ethereum Signed Message:\n{}", bytes.len());
    let payloads = [
        (Payload::transaction(bytes), keccak(bytes)),
        (Payload::personal_message(bytes), keccak(&[prefix.as_bytes(), bytes].concat())),
        (Payload::typed_data(domain, strukt), keccak(&[&[0x19, 1], &domain[..], &strukt].concat())),
        (Payload::keccak256(bytes), keccak(bytes)),
        (Payload::sha256(bytes), sha(bytes)),
        (Payload::double_sha256(bytes), sha(&sha(bytes))),
    ];
    for (i, (payload, digest)) in payloads.iter().enumerate() {
        assert_eq!(payload.digest().as_bytes(), digest);
        // one number, one meaning
        assert!(payloads[..i].iter().all(|(other, _)| other.sid_digest() != payload.sid_digest()));
    }
    let read = prehash(bytes);
    assert_eq!(read.is_ok(), bytes.len() == 32);
    read.is_ok_and(|payload| payload.digest().as_bytes()[..] == *bytes)
}
