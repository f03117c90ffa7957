//! Signed messages: what is read prints as the same bytes, apart from line ends, and nothing else is read.

use crate::{bytes::Bytes, memory::bounded};
use base64::{Engine, prelude::BASE64_STANDARD};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use std::sync::LazyLock;
use symbolon_dero::{Address, Network, SecretKey, SignatureError, SignedMessage, pem_from_base64};

const BEGIN: &str = "-----BEGIN DERO SIGNED MESSAGE-----";
const END: &str = "-----END DERO SIGNED MESSAGE-----";
/// The group order.
const N: [u8; 32] = [
    0x30, 0x64, 0x4e, 0x72, 0xe1, 0x31, 0xa0, 0x29, 0xb8, 0x50, 0x45, 0xb6, 0x81, 0x81, 0x58, 0x5d, 0x28, 0x33, 0xe8,
    0x48, 0x79, 0xb9, 0x70, 0x91, 0x43, 0xe1, 0xf5, 0x93, 0xf0, 0x00, 0x00, 0x01,
];
static KEYS: LazyLock<[SecretKey; 4]> =
    LazyLock::new(|| [1, 2, 3, 4].map(|i| SecretKey::from_bytes(&[i; 32]).expect("below the order")));

/// The target. Gives whether some text was read as a signed message.
pub fn run(data: &[u8]) -> bool {
    let whole = read(data).is_ok();
    base64(data);
    let mut input = Bytes(data);
    let built = match input.byte() {
        1 => printed(&mut input),
        2 => signed(&mut input),
        3 => fields(&mut input),
        4 => body(&mut input),
        5 => width(&mut input),
        _ => false,
    };
    whole || built
}

fn read(data: &[u8]) -> Result<SignedMessage, SignatureError> {
    // two copies of the body and its bytes, beside a text without CRs, which grows by doubling
    let read = bounded(4, data, || SignedMessage::parse(data, data.len()));
    if let Some(limit) = data.len().checked_sub(1) {
        assert_eq!(SignedMessage::parse(data, limit), Err(SignatureError::TooLong));
    }
    if let Ok(message) = &read {
        // the one allowance: line ends may be CRLF, and the last one may be missing or followed by more
        let text = String::from_utf8(data.to_vec()).expect("ASCII").replace("\r\n", "\n");
        assert_eq!(message.to_pem(), format!("{}\n", text.trim_end_matches('\n')));
        let pem = message.to_pem();
        assert_eq!(SignedMessage::parse(pem.as_bytes(), pem.len()).as_ref(), Ok(message));
        verify(message);
    }
    read
}

/// The form in which a wallet's XSWD returns a text: one base64 for each, and a limit that holds.
fn base64(data: &[u8]) {
    let text = BASE64_STANDARD.encode(data);
    assert_eq!(pem_from_base64(text.as_bytes(), data.len()).as_deref(), Ok(data));
    if let Some(limit) = data.len().checked_sub(1) {
        assert_eq!(pem_from_base64(text.as_bytes(), limit), Err(SignatureError::TooLong));
    }
    if let Ok(pem) = bounded(1, data, || pem_from_base64(data, data.len())) {
        assert_eq!(BASE64_STANDARD.encode(pem).as_bytes(), data);
    }
}

/// The three ways to verify agree with each other.
fn verify(message: &SignedMessage) {
    let bytes = message.unverified_message();
    let any = message.clone().verify_any();
    let plain = message.clone().verify();
    let detached = message.clone().verify_detached(b"a file");
    match &any {
        Ok(verified) => assert_eq!(verified.message(), bytes),
        Err(error) => assert!(matches!(error, SignatureError::NonceIdentity | SignatureError::Mismatch)),
    }
    if bytes.is_empty() {
        assert_eq!(plain, Err(SignatureError::EmptyMessage));
        assert_eq!(message.clone().verify_detached(b""), Err(SignatureError::EmptyMessage));
        // no text can be a signature of the empty message and of a file
        assert!(any.is_err() || detached.is_err());
    } else {
        assert_eq!(plain, any);
        assert_eq!(detached, Err(SignatureError::Layout));
    }
}

fn account(byte: u8) -> (Network, &'static SecretKey) {
    let network = if byte & 4 == 0 { Network::Mainnet } else { Network::Testnet };
    (network, &KEYS[usize::from(byte & 3)])
}

fn layout(address: &str, c: &str, s: &str, body: &str) -> String {
    format!("{BEGIN}\nAddress: {address}\nC: {c}\nS: {s}\n\n{body}{END}\n")
}

fn wrapped(message: &[u8]) -> String {
    // 48 bytes are the 64 characters of a line
    message.chunks(48).map(|line| BASE64_STANDARD.encode(line) + "\n").collect()
}

fn digits(number: &[u8; 32]) -> String {
    let text: String = number.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = text.trim_start_matches('0');
    if text.is_empty() { "0".into() } else { text.into() }
}

/// Any account, numbers and message in the wallet's layout: the numbers decide. Then other line ends, which change nothing.
fn printed(input: &mut Bytes<'_>) -> bool {
    let (network, key) = account(input.byte());
    let (ends, last) = (u16::from_be_bytes(input.array()), usize::from(input.byte() % 8));
    let (mut c, mut s) = (input.array::<32>(), input.array::<32>());
    // leading zeros: numbers of every length
    let (c_zeros, s_zeros) = (usize::from(input.byte() % 64), usize::from(input.byte() % 64));
    c.iter_mut().take(c_zeros).for_each(|byte| *byte = 0);
    s.iter_mut().take(s_zeros).for_each(|byte| *byte = 0);
    let message = input.rest();
    let address = Address::new(network, *key.public());
    let text = layout(&address.to_string(), &digits(&c), &digits(&s), &wrapped(message));
    let one = read(text.as_bytes());
    if [c, s].iter().any(|number| *number == [0; 32] || *number >= N) {
        assert_eq!(one, Err(SignatureError::ScalarRange));
    }
    if let Ok(one) = &one {
        assert_eq!((one.unverified_message(), one.to_pem()), (message, text.clone()));
    } else {
        assert_eq!(one, Err(SignatureError::ScalarRange));
        assert!([c, s].iter().any(|number| *number == [0; 32] || *number >= N));
    }
    let end = |i: usize| if ends >> (i % 16) & 1 == 1 { "\r\n" } else { "\n" };
    let mut other: String = text.lines().enumerate().map(|(i, line)| format!("{line}{}", end(i))).collect();
    other.truncate(other.trim_end_matches(['\r', '\n']).len());
    (0..last).for_each(|i| other.push_str(end(i)));
    assert_eq!(SignedMessage::parse(other.as_bytes(), other.len()), one);
    one.is_ok()
}

/// A signature verifies; changed, it verifies only if nothing but line ends was changed.
fn signed(input: &mut Bytes<'_>) -> bool {
    let (network, key) = account(input.byte());
    let message = [input.byte()].repeat(usize::from(input.byte()));
    let mut rng = ChaCha12Rng::seed_from_u64(input.u64());
    let Ok(signed) = key.sign(network, message.clone(), &mut rng);
    let verified = signed.clone().verify_any().expect("it was just signed");
    assert_eq!(verified.message(), message);
    assert_eq!((verified.address().network(), verified.address().key()), (network, key.public()));
    let mut text = signed.to_pem().into_bytes();
    assert_eq!(SignedMessage::parse(&text, text.len()).as_ref(), Ok(&signed));
    input.edit(&mut text, 0);
    if let Ok(changed) = read(&text)
        && changed.clone().verify_any().is_ok()
    {
        assert_eq!(changed, signed);
    }
    true
}

/// The layout, with any text in its fields.
fn fields(input: &mut Bytes<'_>) -> bool {
    let (network, key) = account(input.byte());
    let address = input.piece().unwrap_or_else(|| Address::new(network, *key.public()).to_string());
    let c = input.piece().unwrap_or_else(|| "1f".into());
    let s = input.piece().unwrap_or_else(|| "abc".into());
    let text = layout(&address, &c, &s, &wrapped(input.rest()));
    read(text.as_bytes()).is_ok()
}

/// Lines of another length are read only where they are the wallet's.
fn width(input: &mut Bytes<'_>) -> bool {
    let (network, key) = account(input.byte());
    let width = 1 + usize::from(input.byte() % 130);
    let message = input.rest();
    let body = BASE64_STANDARD.encode(message);
    let lines = body.as_bytes().chunks(width).map(|line| String::from_utf8_lossy(line) + "\n");
    let body = lines.collect::<String>();
    let address = Address::new(network, *key.public()).to_string();
    let read = read(layout(&address, "1f", "abc", &body).as_bytes());
    assert_eq!(read.is_ok(), body == wrapped(message));
    read.is_ok()
}

/// Right headers, and any lines for a body: only what the wallet prints is read.
fn body(input: &mut Bytes<'_>) -> bool {
    let (network, key) = account(input.byte());
    let body = String::from_utf8_lossy(input.rest());
    let text = layout(&Address::new(network, *key.public()).to_string(), "1f", "abc", &body);
    read(text.as_bytes()).is_ok()
}
