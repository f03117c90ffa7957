//! The bad inputs of a decoder, by their numbers, each with the code that it gets.

use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use rand_core::{TryCryptoRng, TryRng};
use std::time::Duration;
use symbolon_dero::{
    Address, Network, PublicKey, SecretKey, SignatureError, SignedMessage,
    challenge::{ChainId, Challenge, Scheme},
    pem_from_base64,
    signin::{BeginError, BrowserSession, MemoryAttempts, SignIn},
};

const LIMIT: usize = 16 << 10;
const PEM: &str = "-----BEGIN DERO SIGNED MESSAGE-----
Address: dero1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgcsh0mx
C: 2b01641140faeb5b6fc74b84c1a1f926f32f1e66c4e1833ef7ed0d7762dcc5e7
S: 2d9dac438beb411d6d260101e475ccff90f1f908cd4541285fbd493ed222c175

aGVsbG8=
-----END DERO SIGNED MESSAGE-----
";
const N: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";

fn verify(pem: impl AsRef<[u8]>) -> &'static str {
    let outcome = SignedMessage::parse(pem.as_ref(), LIMIT).and_then(SignedMessage::verify);
    outcome.map_or_else(SignatureError::code, |_| "ok")
}

/// The code of `PEM` with one part replaced.
fn changed(from: &str, to: &str) -> &'static str {
    assert!(PEM.contains(from));
    verify(PEM.replacen(from, to, 1))
}

fn key(hex: &str) -> &'static str {
    PublicKey::from_bytes(&hex::decode(hex).unwrap()).map_or_else(symbolon_dero::KeyError::code, |_| "ok")
}

#[test]
fn bad_inputs_35_36_points() {
    let x = "097b27db76810a150b8edbd1f729958a73d28b495218f3dee0ce6eb311ff2445";
    assert_eq!((key(&format!("{x}00")), key(&format!("{x}01"))), ("ok", "ok"));
    // 35: not on the curve, x = p, x beyond, the identity in either printing
    let p = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";
    assert_eq!(key(&format!("{}00", "00".repeat(32))), "key-curve");
    assert_eq!(key(&format!("{}0400", "00".repeat(31))), "key-curve");
    assert_eq!(key(&format!("{p}00")), "key-range");
    assert_eq!(key(&format!("{}00", "ff".repeat(32))), "key-range");
    // 36
    for flag in ["02", "03", "04", "80", "ff"] {
        assert_eq!(key(&format!("{x}{flag}")), "key-flag");
    }
    for wrong in [String::new(), x.into(), format!("{x}0000"), format!("02{x}"), format!("{x}{x}")] {
        assert!(matches!(key(&wrong), "key-length" | "key-flag" | "key-range"), "{wrong}");
    }
}

#[test]
fn bad_inputs_37_38_signatures() {
    let c = "C: 2b01641140faeb5b6fc74b84c1a1f926f32f1e66c4e1833ef7ed0d7762dcc5e7";
    let s = "S: 2d9dac438beb411d6d260101e475ccff90f1f908cd4541285fbd493ed222c175";
    assert_eq!(verify(PEM), "ok");
    // 37
    for (from, name) in [(c, "C"), (s, "S")] {
        for (to, code) in [
            ("0", "scalar-range"),
            (N, "scalar-range"),
            (&"f".repeat(64), "scalar-range"),
            (&"1".repeat(65), "scalar-range"),
            ("", "scalar-form"),
            ("00", "scalar-form"),
            ("0x1", "scalar-form"),
            ("-1", "scalar-form"),
            ("1F", "scalar-form"),
            ("１", "pem-layout"),
        ] {
            assert_eq!(changed(from, &format!("{name}: {to}")), code, "{name}: {to}");
        }
    }
    // 38: of another message, of another key; the network is not signed
    assert_eq!(changed("aGVsbG8=", "aGVsbG8h"), "signature-mismatch");
    let address = "dero1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgcsh0mx";
    let other = "dero1qyhseyhtppnuxjj9grszt0rpugs4vcvzewqy5zkqyz3tf0dfuq8zjqqxpgg27";
    assert_eq!(changed(address, other), "signature-mismatch");
    assert_eq!(changed(address, "deto1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgzfth7w"), "ok");
}

#[test]
fn bad_inputs_90_91_pem_lines() {
    // 90
    assert_eq!(changed("-----END DERO SIGNED MESSAGE-----\n", ""), "pem-layout");
    assert_eq!(changed("BEGIN DERO SIGNED MESSAGE", "BEGIN PGP SIGNED MESSAGE"), "pem-type");
    assert_eq!(changed("END DERO SIGNED MESSAGE", "END DERO SIGNED MASSAGE"), "pem-layout");
    assert_eq!(verify(format!("{PEM}{PEM}")), "pem-trailing");
    assert_eq!(verify(format!("hello\n{PEM}")), "pem-layout");
    assert_eq!(verify(format!("{PEM}hello")), "pem-trailing");
    // 91: line ends may be CRLF, nothing else may differ
    assert_eq!(verify(PEM.replace('\n', "\r\n")), "ok");
    assert_eq!(changed("\n", "\r\n"), "ok");
    assert_eq!(verify(PEM.trim_end()), "ok");
    assert_eq!(verify(format!("{PEM}\n\r\n\n")), "ok");
    assert_eq!(verify(PEM.replace('\n', "\r")), "pem-layout");
    for (tail, code) in
        [(" ", "pem-trailing"), ("\t", "pem-trailing"), ("\n ", "pem-trailing"), ("\u{b}", "pem-trailing")]
    {
        assert_eq!(verify(format!("{PEM}{tail}")), code);
    }
    assert_eq!(verify(format!("{PEM}\r")), "pem-layout", "CR stands before LF alone");
    assert_eq!(changed("\n-----END", "\n\n-----END"), "pem-layout", "no blank line ends the body");
    assert_eq!(changed("C: 2b", "C:  2b"), "pem-header");
    // two faults: the body comes before the scalars
    assert_eq!(verify(PEM.replacen("aGVsbG8=", "aGVsbG9=", 1).replacen("C: 2b", "C: 02b", 1)), "pem-base64");
    // exactly the limit
    assert!(SignedMessage::parse(PEM.as_bytes(), PEM.len()).is_ok());
    assert_eq!(SignedMessage::parse(PEM.as_bytes(), PEM.len() - 1), Err(SignatureError::TooLong));
    assert_eq!(verify(format!("\u{feff}{PEM}")), "pem-layout");
    assert_eq!(changed("aGVsbG8=", "aGVsbG8= "), "pem-base64");
    assert_eq!(changed("aGVsbG8=", "aGVs\nbG8="), "pem-layout");
    assert_eq!(changed("\n\naGVsbG8=", "\naGVsbG8="), "pem-header");
    for (from, to) in [
        ("Address: ", "address: "),
        ("Address: ", "Address:"),
        ("C: ", "C : "),
        ("C: ", "X: "),
        ("\nC: ", "\nC: 1\nC: "),
        ("\n\naGV", "\nHash: none\n\naGV"),
        ("\nS: ", "\n\nS: "),
        ("C: ", " C: "),
    ] {
        assert_eq!(changed(from, to), "pem-header", "{to}");
    }
    let key = SecretKey::from_bytes(&[1; 32]).unwrap();
    let long = key.sign(Network::Mainnet, [7; 48], &mut ChaCha12Rng::from_seed([1; 32])).unwrap().to_pem();
    assert_eq!(verify(&long), "ok");
    let body = long.lines().nth(5).unwrap();
    assert_eq!(body.len(), 64);
    assert_eq!(verify(long.replace(body, &format!("{}\n{}", &body[..60], &body[60..]))), "pem-layout");
    let longer = key.sign(Network::Mainnet, [7; 51], &mut ChaCha12Rng::from_seed([1; 32])).unwrap().to_pem();
    assert_eq!(verify(&longer), "ok");
    assert_eq!(verify(longer.replacen("BwcH\nBwcH", "BwcHBwcH", 1)), "pem-layout");
}

#[test]
fn bad_inputs_92_93_94_bytes() {
    // 92
    for (body, what) in [
        ("aGVsbG8", "no padding"),
        ("aGVsbG8==", "too much"),
        ("aGVsbG9=", "bits that nothing stands for"),
        ("aGVs-_8=", "the alphabet of URLs"),
        ("aGVs*G8=", "no character of it"),
        ("=", "padding alone"),
        ("aGVsbG8=aGVs", "padding inside"),
    ] {
        assert_eq!(changed("aGVsbG8=", body), "pem-base64", "{what}");
        assert_eq!(pem_from_base64(body.as_bytes(), LIMIT), Err(SignatureError::Base64), "{what}");
    }
    assert_eq!(pem_from_base64(b"aGVsbG8=", 5).as_deref(), Ok(&b"hello"[..]));
    for limit in [0, 3, 4] {
        assert_eq!(pem_from_base64(b"aGVsbG8=", limit), Err(SignatureError::TooLong));
    }
    // 93: refused by its size, unread
    let huge = vec![b'A'; 100 << 20];
    assert_eq!(verify(&huge), "too-long");
    assert_eq!(pem_from_base64(&huge, LIMIT), Err(SignatureError::TooLong));
    assert_eq!(Challenge::parse(&huge).map_err(|error| error.code()), Err("too-long"));
    // 94
    for (from, to) in [
        (&b"aGVsbG8="[..], &b"aGVsb\xff8="[..]),
        (b"aGVsbG8=", b"aGVsb\x008="),
        (b"-----BEGIN", "‐‐‐‐‐BEGIN".as_bytes()),
        (b"Address", "Аddress".as_bytes()),
    ] {
        let at = PEM.as_bytes().windows(from.len()).position(|bytes| bytes == from).unwrap();
        let bytes = [&PEM.as_bytes()[..at], to, &PEM.as_bytes()[at + from.len()..]].concat();
        assert!(matches!(verify(bytes), "pem-layout" | "pem-base64"), "{}", String::from_utf8_lossy(to));
    }
}

// 97: of another network; 96 is in addresses.rs
#[test]
fn bad_inputs_97_the_other_network() {
    let testnet = "deto1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgzfth7w";
    let address: Address = testnet.parse().unwrap();
    let server = server();
    let mut attempts = MemoryAttempts::new(1);
    let session = BrowserSession::new([1; 32]);
    let refused = server.begin(address, session, Duration::ZERO, &mut attempts, &mut ChaCha12Rng::from_seed([1; 32]));
    let Err(BeginError::Challenge(error)) = refused else { panic!("refused") };
    assert_eq!((error.code(), attempts.len()), ("network-mismatch", 0));
}

fn server() -> SignIn {
    SignIn {
        domain: "myapp.com".into(),
        uri: "https://myapp.com".into(),
        schemes: vec![Scheme::Https],
        chain_id: ChainId::Mainnet,
        statement: None,
        lifetime: Duration::from_secs(300),
        max_skew: Duration::from_secs(30),
    }
}

/// Fails.
struct Broken;

impl TryRng for Broken {
    type Error = std::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, std::fmt::Error> {
        Err(std::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, std::fmt::Error> {
        Err(std::fmt::Error)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), std::fmt::Error> {
        Err(std::fmt::Error)
    }
}

impl TryCryptoRng for Broken {}

// 99: an error, and nothing begun
#[test]
fn bad_inputs_99_a_generator_that_fails() {
    let key = SecretKey::from_bytes(&[1; 32]).unwrap();
    assert_eq!(key.sign(Network::Mainnet, *b"hello", &mut Broken), Err(std::fmt::Error));
    let (server, session) = (server(), BrowserSession::new([1; 32]));
    let mut attempts = MemoryAttempts::new(1);
    let address = Address::new(Network::Mainnet, *key.public());
    assert_eq!(server.begin(address, session, Duration::ZERO, &mut attempts, &mut Broken), Err(BeginError::Rng));
    assert_eq!(server.begin_redirect(session, Duration::ZERO, &mut attempts, &mut Broken), Err(BeginError::Rng));
    assert!(attempts.is_empty());
}
