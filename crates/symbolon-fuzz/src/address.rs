//! Addresses and keys: what is read prints as the same text, and nothing else is read.

use crate::{arguments, bytes::Bytes, memory::bounded};
use std::sync::LazyLock;
use symbolon_dero::{Address, AddressError, AnyAddress, Arguments, KeyError, Network, PublicKey, SecretKey};

const P: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d, 0x97, 0x81, 0x6a,
    0x91, 0x68, 0x71, 0xca, 0x8d, 0x3c, 0x20, 0x8c, 0x16, 0xd8, 0x7c, 0xfd, 0x47,
];
const PREFIXES: [&str; 10] =
    ["dero", "deto", "deroi", "detoi", "deroproof", "der", "deross", "dero1", "bc", "deroproofs"];

const CHARACTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
static KEY: LazyLock<PublicKey> = LazyLock::new(|| *SecretKey::from_bytes(&[7; 32]).expect("below the order").public());

/// The target. Gives whether some text was read as an address.
pub fn run(data: &[u8]) -> bool {
    key(data);
    key(&data[..data.len().min(33)]);
    let whole = std::str::from_utf8(data).is_ok_and(|text| read(text).is_ok() | any(text).is_ok());
    let mut input = Bytes(data);
    let built = match input.byte() {
        1 => payload(&mut input),
        2 => account(&mut input),
        3 => groups(&mut input),
        4 => damaged(&mut input),
        5 => cbor(&mut input),
        6 => with_arguments(&mut input),
        _ => false,
    };
    whole || built
}

/// A key that decodes has these bytes and no others.
fn key(bytes: &[u8]) -> Option<PublicKey> {
    match PublicKey::from_bytes(bytes) {
        Ok(key) => {
            assert_eq!(key.to_bytes(), bytes);
            // so it is not the identity either, which has no x below p
            assert!(bytes[..32] < P[..] && bytes[32] <= 1);
            // every x has two points, and they differ
            let mut other = key.to_bytes();
            other[32] ^= 1;
            assert!(PublicKey::from_bytes(&other).is_ok_and(|other| other != key));
            Some(key)
        }
        Err(KeyError::Length) => {
            assert_ne!(bytes.len(), 33);
            None
        }
        Err(KeyError::Flag) => {
            assert!(bytes[32] > 1);
            None
        }
        Err(KeyError::Range) => {
            assert!(bytes[..32] >= P[..]);
            None
        }
        Err(error) => {
            assert_eq!(error, KeyError::Curve);
            None
        }
    }
}

pub(crate) fn read(text: &str) -> Result<Address, AddressError> {
    let read = bounded(4, text.as_bytes(), || Address::parse(text));
    assert_eq!(read, judge(text), "{text:?}");
    if let Ok(address) = &read {
        assert_eq!(address.to_string(), text);
        assert_eq!(Address::parse(&address.to_string()).as_ref(), Ok(address));
        assert_eq!(text.parse().as_ref(), Ok(address));
        assert_eq!(key(&address.key().to_bytes()).as_ref(), Some(address.key()));
        assert_eq!(Address::new(address.network(), *address.key()), *address);
        assert_eq!(text.len(), 66);
    }
    read
}

/// Reads an address of any kind, in agreement with what the text is as an account.
fn any(text: &str) -> Result<AnyAddress, AddressError> {
    // an argument of four bytes, seven characters, may have a hundred in memory, in a list that doubles
    let read = bounded(48, text.as_bytes(), || AnyAddress::parse(text));
    if let Ok(address) = &read {
        assert_eq!(address.to_string(), text);
        assert_eq!(text.parse().as_ref(), Ok(address));
    }
    match (&read, Address::parse(text)) {
        (Ok(AnyAddress::Plain(address)), plain) => assert_eq!(plain.as_ref(), Ok(address)),
        (Ok(_), plain) => assert_eq!(plain, Err(AddressError::Kind)),
        (Err(AddressError::Kind), _) => panic!("every kind is read"),
        (Err(error), plain) => assert!(plain == Err(AddressError::Kind) || plain == Err(*error)),
    }
    read
}

/// An address with any bytes after its key.
fn cbor(input: &mut Bytes<'_>) -> bool {
    let prefix = PREFIXES[2 + usize::from(input.byte() % 3)];
    let payload = [&[1], &KEY.to_bytes()[..], input.rest()].concat();
    any(&encode(prefix, &regroup(&payload, 8, 5, true))).is_ok()
}

/// Arguments that have an encoding have this one.
fn with_arguments(input: &mut Bytes<'_>) -> bool {
    let choice = usize::from(input.byte() % 3);
    let list = arguments::any(input, &KEY);
    let cbor = arguments::encode(&list);
    let made = Arguments::new(list);
    assert_eq!(made.is_ok(), cbor.is_some());
    let (Ok(made), Some(cbor)) = (made, cbor) else { return false };
    let address = match choice {
        0 => AnyAddress::Integrated(Address::new(Network::Mainnet, *KEY), made),
        1 => AnyAddress::Integrated(Address::new(Network::Testnet, *KEY), made),
        _ => AnyAddress::Proof(*KEY, made),
    };
    let payload = [&[1], &KEY.to_bytes()[..], &cbor].concat();
    let text = encode(PREFIXES[2 + choice], &regroup(&payload, 8, 5, true));
    assert_eq!(address.to_string(), text);
    assert_eq!(any(&text), Ok(address));
    true
}

/// A prefix and any bytes.
fn payload(input: &mut Bytes<'_>) -> bool {
    let prefix = prefix(input);
    agree(prefix, &regroup(input.rest(), 8, 5, true))
}

/// The right version and length, so that the key decides.
fn account(input: &mut Bytes<'_>) -> bool {
    let network = PREFIXES[usize::from(input.byte() % 2)];
    let mut payload = vec![1];
    payload.extend(input.array::<33>());
    payload[33] &= 3;
    agree(network, &regroup(&payload, 8, 5, true))
}

/// A prefix and any groups of five bits, so that padding decides.
fn groups(input: &mut Bytes<'_>) -> bool {
    let prefix = prefix(input);
    let groups: Vec<u8> = input.rest().iter().map(|byte| byte & 31).collect();
    agree(prefix, &groups)
}

/// The checksum finds every change of up to four characters.
fn damaged(input: &mut Bytes<'_>) -> bool {
    let prefix = PREFIXES[usize::from(input.byte() % 2)];
    let mut payload = vec![1];
    payload.extend(input.array::<33>());
    payload[1] &= 0x1f;
    payload[33] &= 1;
    // half of all x have points
    while PublicKey::from_bytes(&payload[1..]).is_err() {
        payload[32] = payload[32].wrapping_add(1);
    }
    let text = encode(prefix, &regroup(&payload, 8, 5, true));
    let mut changed = text.clone().into_bytes();
    input.edit(&mut changed, prefix.len() + 1);
    let changed = String::from_utf8(changed).expect("edits leave ASCII alone");
    let read = read(&changed);
    assert_eq!(read.is_ok(), changed == text, "{text} {changed}");
    read.is_ok()
}

fn prefix(input: &mut Bytes<'_>) -> &'static str {
    PREFIXES[usize::from(input.byte()) % PREFIXES.len()]
}

/// The library says of a text with a right checksum what the rules say.
fn agree(prefix: &str, groups: &[u8]) -> bool {
    let text = encode(prefix, groups);
    assert_eq!(judge(&text), rules(prefix, groups), "{text}");
    let _ = any(&text);
    read(&text).is_ok()
}

/// All rules, in their order.
fn judge(text: &str) -> Result<Address, AddressError> {
    if text.chars().any(|character| !('!'..='~').contains(&character)) {
        return Err(AddressError::Charset);
    }
    if text != text.to_lowercase() {
        return Err(AddressError::Case);
    }
    let one = text.rfind('1').filter(|one| *one > 0 && text.len() - one > 6).ok_or(AddressError::Format)?;
    let (prefix, data) = (&text[..one], &text[one + 1..]);
    let groups = data.bytes().map(|byte| (0..32).find(|group| CHARACTERS[usize::from(*group)] == byte));
    let groups: Vec<u8> = groups.collect::<Option<_>>().ok_or(AddressError::Charset)?;
    // BIP 173
    if prefix.len() > 83 {
        return Err(AddressError::Format);
    }
    let groups = &groups[..groups.len() - 6];
    if encode(prefix, groups) == text { rules(prefix, groups) } else { Err(AddressError::Checksum) }
}

/// The rules that come after the checksum, in their order.
fn rules(prefix: &str, groups: &[u8]) -> Result<Address, AddressError> {
    let network = match prefix {
        "dero" => Network::Mainnet,
        "deto" => Network::Testnet,
        "deroi" | "detoi" | "deroproof" => return Err(AddressError::Kind),
        _ => return Err(AddressError::Hrp),
    };
    let bytes = regroup(groups, 5, 8, false);
    let back = regroup(&bytes, 8, 5, true);
    if back != groups {
        return Err(AddressError::Padding);
    }
    match bytes.first() {
        None => Err(AddressError::Length),
        Some(version) if *version != 1 => Err(AddressError::Version),
        Some(_) if bytes.len() != 34 => Err(AddressError::Length),
        Some(_) => Ok(Address::new(network, PublicKey::from_bytes(&bytes[1..])?)),
    }
}

/// Groups of `from` bits as groups of `to` bits; what is left over is filled with zeros or dropped.
fn regroup(groups: &[u8], from: usize, to: usize, fill: bool) -> Vec<u8> {
    let mut bits: Vec<u8> = groups.iter().flat_map(|group| (0..from).rev().map(move |i| group >> i & 1)).collect();
    if fill {
        bits.resize(bits.len().div_ceil(to) * to, 0);
    }
    bits.chunks_exact(to).map(|group| group.iter().fold(0, |sum, bit| sum << 1 | bit)).collect()
}

/// Bech32 as BIP 173 has it, apart from its limit of length; written here, so that the library's is compared with another.
fn encode(prefix: &str, groups: &[u8]) -> String {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let high = prefix.bytes().map(|byte| byte >> 5);
    let low = prefix.bytes().map(|byte| byte & 31);
    let values = high.chain([0]).chain(low).chain(groups.iter().copied()).chain([0; 6]);
    let checksum = 1 ^ values.fold(1u32, |sum, value| {
        let shifted = (sum & 0x01ff_ffff) << 5 ^ u32::from(value);
        (0..5).filter(|i| sum >> (25 + i) & 1 == 1).fold(shifted, |sum, i| sum ^ GENERATOR[i])
    });
    let checksum = (0..6).rev().map(|i| (checksum >> (5 * i) & 31) as u8);
    let data = groups.iter().copied().chain(checksum).map(|group| char::from(CHARACTERS[usize::from(group)]));
    format!("{prefix}1{}", data.collect::<String>())
}
