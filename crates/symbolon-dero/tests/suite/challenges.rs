//! Sign-in challenges: the vectors, every code by hand, reading and printing as inverses.

use base64::{Engine, prelude::BASE64_STANDARD};
use core::time::Duration;
use proptest::prelude::*;
use serde_json::Value;
use symbolon_dero::Address;
use symbolon_dero::challenge::{
    ChainId, Challenge, CheckError, Expected, Fields, MAX_LEN, MakeError, ReadError, Scheme, Timestamp,
};

const MAIN: &str = "dero1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgcsh0mx";
const TEST: &str = "deto1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgzfth7w";
const OTHER: &str = "dero1qyhseyhtppnuxjj9grszt0rpugs4vcvzewqy5zkqyz3tf0dfuq8zjqqxpgg27";
/// 2026-02-14T12:00:00Z.
const ISSUED: Duration = Duration::from_secs(1_771_070_400);

const TEXT: &str = "\
myapp.com wants you to sign in with your DERO wallet:
dero1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgcsh0mx

Sign in to My App

URI: https://myapp.com
Version: 1
Chain ID: dero-mainnet
Nonce: k8j2m4n6p8q0
Issued At: 2026-02-14T12:00:00.000Z
Expiration Time: 2026-02-14T12:05:00.000Z";

fn fields() -> Fields<'static> {
    Fields {
        domain: "myapp.com",
        address: address(MAIN),
        statement: Some("Sign in to My App"),
        uri: "https://myapp.com",
        chain_id: ChainId::Mainnet,
        nonce: "k8j2m4n6p8q0",
        issued_at: ISSUED,
        lifetime: Duration::from_secs(300),
    }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn expected() -> Expected<'static> {
    Expected {
        domain: "myapp.com",
        schemes: &[Scheme::Https],
        chain_id: ChainId::Mainnet,
        signer: address(MAIN),
        nonce: "k8j2m4n6p8q0",
        now: ISSUED + Duration::from_secs(60),
        max_skew: Duration::from_secs(30),
        max_lifetime: Duration::from_secs(600),
    }
}

/// The code of reading `TEXT` with one part replaced.
fn read(from: &str, to: &str) -> &'static str {
    assert!(TEXT.contains(from));
    Challenge::parse(TEXT.replacen(from, to, 1).as_bytes()).map_or_else(|error| error.code(), |_| "ok")
}

/// The code of checking `TEXT` with one part replaced.
fn check(from: &str, to: &str, expected: &Expected<'_>) -> &'static str {
    assert!(TEXT.contains(from));
    let challenge = Challenge::parse(TEXT.replacen(from, to, 1).as_bytes()).expect("it reads");
    challenge.check(expected).map_or_else(|error| error.code(), |()| "ok")
}

#[test]
fn vectors() {
    let file: Value = serde_json::from_str(include_str!("../../testdata/challenges.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 50);
    let mut accepted = 0;
    for vector in vectors {
        let name = vector["name"].as_str().unwrap();
        let bytes = BASE64_STANDARD.decode(vector["text_base64"].as_str().unwrap()).unwrap();
        let context = &vector["context"];
        let text = |name: &str| context[name].as_str().unwrap();
        let seconds = |name: &str| Duration::from_secs(context[name].as_u64().unwrap());
        let schemes: Vec<Scheme> = (context["schemes"].as_array().unwrap().iter())
            .map(|scheme| match scheme.as_str().unwrap() {
                "http" => Scheme::Http,
                "https" => Scheme::Https,
                other => panic!("{other}"),
            })
            .collect();
        let expected = Expected {
            domain: text("domain"),
            schemes: &schemes,
            chain_id: ChainId::parse(text("chain_id")).unwrap(),
            signer: address(text("signer_address")),
            nonce: text("nonce"),
            now: seconds("now"),
            max_skew: seconds("max_skew_s"),
            max_lifetime: seconds("max_lifetime_s"),
        };
        let read = Challenge::parse(&bytes);
        let code = match &read {
            Err(error) => error.code(),
            Ok(challenge) => challenge.check(&expected).map_or_else(|error| error.code(), |()| "ok"),
        };
        assert_eq!(code, vector["result"], "{name}");
        if code == "ok" {
            accepted += 1;
            let challenge = read.unwrap();
            let parsed = serde_json::json!({
                "domain": challenge.domain(),
                "address": challenge.address().to_string(),
                "statement": challenge.statement(),
                "uri": challenge.uri(),
                "version": challenge.version(),
                "chain_id": challenge.chain_id().to_string(),
                "nonce": challenge.nonce(),
                "issued_at": challenge.issued_at().to_string(),
                "expiration_time": challenge.expiration_time().to_string(),
            });
            assert_eq!(parsed, vector["parsed"], "{name}");
            assert_eq!(challenge.to_string().as_bytes(), bytes, "{name}");
        }
    }
    assert_eq!(accepted, 11);
}

#[test]
fn a_server_makes_the_text_of_the_specification() {
    let challenge = Challenge::new(&fields()).unwrap();
    assert_eq!(challenge.to_string(), TEXT);
    assert_eq!(Challenge::parse(TEXT.as_bytes()), Ok(challenge.clone()));
    assert_eq!(challenge.check(&expected()), Ok(()));

    let testnet =
        Challenge::new(&Fields { address: address(TEST), chain_id: ChainId::Testnet, statement: None, ..fields() });
    assert_eq!(testnet.unwrap().to_string().lines().count(), 9);
    // milliseconds are printed, and the text does not live longer than asked for
    let lifetime = Duration::from_micros(2_500);
    let cut =
        Challenge::new(&Fields { issued_at: ISSUED + Duration::from_micros(1_900), lifetime, ..fields() }).unwrap();
    assert_eq!(cut.issued_at().to_string(), "2026-02-14T12:00:00.001Z");
    assert_eq!(cut.expiration_time().to_string(), "2026-02-14T12:00:00.003Z");
}

#[test]
fn a_server_makes_nothing_that_would_be_refused() {
    let code = |fields: &Fields<'_>| Challenge::new(fields).map_or_else(|error| error.code(), |_| "ok");
    let f = fields();
    let long = "x".repeat(MAX_LEN);
    let year_10000 = Duration::from_secs(253_402_300_800);
    for (fields, refused) in [
        (Fields { statement: Some(&long), ..f }, "too-long"),
        (Fields { statement: Some(""), ..f }, "layout"),
        (Fields { statement: Some("two\nlines"), ..f }, "layout"),
        (Fields { statement: Some("a\r"), ..f }, "control-character"),
        (Fields { domain: "My.App", ..f }, "domain-form"),
        (Fields { domain: "", ..f }, "domain-form"),
        (Fields { domain: "a\nb", ..f }, "first-line"),
        (Fields { nonce: "short", ..f }, "nonce-form"),
        (Fields { nonce: "k8j2m4n6p8q0\nNonce: k8j2m4n6p8q0", ..f }, "layout"),
        (Fields { uri: "ftp://myapp.com", ..f }, "uri-form"),
        (Fields { issued_at: year_10000, ..f }, "timestamp"),
        (Fields { issued_at: Duration::MAX, ..f }, "timestamp"),
        (Fields { lifetime: year_10000, ..f }, "timestamp"),
        (Fields { lifetime: Duration::MAX, ..f }, "timestamp"),
        (Fields { uri: "https://other.com", ..f }, "uri-mismatch"),
        (Fields { address: address(TEST), ..f }, "network-mismatch"),
        (Fields { chain_id: ChainId::Testnet, ..f }, "network-mismatch"),
        (Fields { lifetime: Duration::ZERO, ..f }, "lifetime"),
        (Fields { lifetime: Duration::from_micros(999), ..f }, "lifetime"),
    ] {
        assert_eq!(code(&fields), refused, "{fields:?}");
    }
    // text that would be read, but as other fields: the URI becomes the statement, the nonce brings its own URI
    let injected = Fields { statement: None, uri: "https://myapp.com\n\nURI: https://myapp.com", ..f };
    assert_eq!(Challenge::new(&injected), Err(MakeError::Read(ReadError::Layout)));
}

#[test]
fn every_code_of_reading() {
    assert_eq!(Challenge::parse(b""), Err(ReadError::Empty));
    assert_eq!(Challenge::parse(&[0xff; MAX_LEN + 1]), Err(ReadError::TooLong));
    assert_eq!(Challenge::parse(&[0xff; MAX_LEN]), Err(ReadError::Encoding));
    for c in ["\0", "\t", "\r", "\u{1f}", "\u{7f}", "\u{85}", "\u{9f}", "\u{2028}", "\u{2029}"] {
        assert_eq!(read("My App", c), "control-character", "{c:?}");
    }
    for c in ["\u{a0}", "\u{feff}", "\u{202e}", " "] {
        assert_eq!(read("Sign in to My App", c), "ok", "{c:?}");
    }
    assert_eq!(read("DERO wallet:", "DERO wallet"), "first-line");
    assert_eq!(read("DERO wallet:", "DERO wallet: "), "first-line");
    assert_eq!(read("myapp.com", "\nmyapp.com"), "first-line");
    // the blank third line comes before the address, the other lines after it
    assert_eq!(read("dero1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgcsh0mx\n\n", "x\n"), "layout");
    assert_eq!(Challenge::parse(TEXT.lines().next().unwrap().as_bytes()), Err(ReadError::Layout));
    assert_eq!(read("0mx\n\nSign in to My App\n\nURI", "0m\n\nURL"), "address");
    for address in
        [OTHER.to_uppercase(), OTHER.replace('2', "b"), format!("{OTHER} "), OTHER.replacen("dero1", "deroi1", 1)]
    {
        assert_eq!(read(MAIN, &address), "address", "{address}");
    }
    for (from, to) in [
        ("Sign in to My App\n\n", "Sign in to My App\n"),
        ("Sign in to My App\n\n", "Sign in\n\nto My App\n\n"),
        ("Sign in to My App\n\n", "\n\n"),
        ("Sign in to My App\n\n", "\n"),
        ("URI: ", "URI:"),
        ("URI: ", "Uri: "),
        ("Version: 1\n", ""),
        ("Version: 1\n", "Version: 1\nVersion: 1\n"),
        ("Chain ID: ", "Chain Id: "),
        ("Nonce: k8j2m4n6p8q0\n", "Nonce\n"),
        ("Issued At: ", "Expiration Time: "),
        ("Expiration Time: ", "Not Before: "),
        ("05:00.000Z", "05:00.000Z\n"),
        ("05:00.000Z", "05:00.000Z\nRequest ID: 1"),
    ] {
        assert_eq!(read(from, to), "layout", "{to:?}");
    }
    for domain in [
        "", ".a", "a.", "-a", "a-", "a..b", "A", "a_b", "a b", "a:", "a:0", "a:080", "a:65536", "a:+8", "a:8:8", "a/b",
        "é",
    ] {
        assert_eq!(read("myapp.com", domain), "domain-form", "{domain:?}");
    }
    for domain in ["a", "1", "a-b.c--d", "127.0.0.1", "localhost:1", "a:65535"] {
        assert_eq!(read("myapp.com", domain), "ok", "{domain:?}");
    }
    for nonce in ["", "1234567", &"x".repeat(129), "1234 5678", "1234567=", "1234567é"] {
        assert_eq!(read("k8j2m4n6p8q0", nonce), "nonce-form", "{nonce:?}");
    }
    for nonce in ["12345678", &"x".repeat(128), "_-_-_-AZ"] {
        assert_eq!(read("k8j2m4n6p8q0", nonce), "ok", "{nonce:?}");
    }
    for uri in
        ["", "myapp.com", "HTTPS://myapp.com", "https:/myapp.com", "https://my app.com", "https://é.com", " https://a"]
    {
        assert_eq!(read("https://myapp.com", uri), "uri-form", "{uri:?}");
    }
    for chain in ["", "dero", "dero-Mainnet", "dero-mainnet ", "dero-simulator"] {
        assert_eq!(read("dero-mainnet", chain), "chain-id-form", "{chain:?}");
    }
    assert_eq!(read("2026-02-14T12:00:00.000Z", "now"), "timestamp");
    assert_eq!(read("2026-02-14T12:05:00.000Z", ""), "timestamp");
    // the order of the last five
    let mut text = TEXT.replace("12:05", "25:05");
    for (from, to, code) in [
        ("", "", "timestamp"),
        ("dero-mainnet", "dero", "chain-id-form"),
        ("https:", "ftp:", "uri-form"),
        ("k8j2", "k 8j2", "nonce-form"),
        ("myapp.com", "myapp.com.", "domain-form"),
        ("Expiration", "Expiry", "layout"),
        ("dero1qy", "dero1qx", "address"),
        ("wants", "want", "first-line"),
        ("Sign", "\u{1b}", "control-character"),
    ] {
        text = text.replacen(from, to, 1);
        assert_eq!(Challenge::parse(text.as_bytes()).unwrap_err().code(), code);
    }
}

#[test]
fn every_code_of_checking() {
    let e = expected();
    assert_eq!(check("Version: 1", "Version: 01", &e), "version");
    assert_eq!(check("Version: 1", "Version: ", &e), "version");
    assert_eq!(check("myapp.com", "myapp.com:443", &e), "domain-mismatch");
    for uri in [
        "http://myapp.com",
        "https://",
        "https://myapp.com:443",
        "https://user@myapp.com",
        "https://myapp.com@evil.example",
        "https://myapp.com\\@evil.example",
        "https://myapp.com.evil.example",
        "https://evil.example/https://myapp.com",
        "https://evil.example?myapp.com",
        "https://MyApp.com",
    ] {
        assert_eq!(check("https://myapp.com", uri, &e), "uri-mismatch", "{uri}");
    }
    for uri in ["https://myapp.com/", "https://myapp.com/a?b#c", "https://myapp.com?a", "https://myapp.com#a"] {
        assert_eq!(check("https://myapp.com", uri, &e), "ok", "{uri}");
    }
    assert_eq!(check("https:", "https:", &Expected { schemes: &[], ..e }), "uri-mismatch");
    assert_eq!(check("dero-mainnet", "dero-testnet", &e), "chain-id-mismatch");
    assert_eq!(check(MAIN, OTHER, &e), "address-mismatch");
    assert_eq!(check(MAIN, TEST, &Expected { signer: address(TEST), ..e }), "network-mismatch");
    assert_eq!(check("k8j2m4n6p8q0", "k8j2m4n6p8qO", &e), "nonce-mismatch");

    let (ms, minute) = (Duration::from_millis(1), Duration::from_secs(60));
    assert_eq!(check("12:05:00.000Z", "12:00:00Z", &e), "lifetime");
    assert_eq!(check("12:05:00.000Z", "11:59:59.999Z", &e), "lifetime");
    assert_eq!(check("", "", &Expected { max_lifetime: 5 * minute - ms, ..e }), "lifetime");
    assert_eq!(check("", "", &Expected { max_lifetime: 5 * minute, ..e }), "ok");

    let skew = e.max_skew;
    assert_eq!(check("", "", &Expected { now: ISSUED - skew - ms, ..e }), "issued-in-future");
    assert_eq!(check("", "", &Expected { now: ISSUED - skew, ..e }), "ok");
    assert_eq!(check("", "", &Expected { now: ISSUED + 5 * minute + skew - ms, ..e }), "ok");
    assert_eq!(check("", "", &Expected { now: ISSUED + 5 * minute + skew, ..e }), "expired");
    // no clock makes the sums overflow
    let max = Duration::MAX;
    assert_eq!(check("", "", &Expected { now: max, max_skew: max, max_lifetime: max, ..e }), "ok");
    assert_eq!(check("", "", &Expected { now: max, ..e }), "expired");
}

#[test]
fn checks_come_in_their_order() {
    // everything is wrong; mended one by one, the codes come in the order of the specification
    let text = TEXT.replace("Version: 1", "Version: 2").replace("12:05:00.000Z", "12:00:00.000Z");
    let mut e = Expected {
        domain: "b",
        schemes: &[],
        chain_id: ChainId::Testnet,
        signer: address(OTHER),
        nonce: "",
        now: Duration::ZERO,
        max_skew: Duration::ZERO,
        max_lifetime: Duration::ZERO,
    };
    let check = |text: &str, e: &Expected<'_>| Challenge::parse(text.as_bytes()).unwrap().check(e).unwrap_err();
    assert_eq!(check(&text, &e), CheckError::Version);
    let text = text.replace("Version: 2", "Version: 1");
    assert_eq!(check(&text, &e), CheckError::DomainMismatch);
    e.domain = "myapp.com";
    assert_eq!(check(&text, &e), CheckError::UriMismatch);
    e.schemes = &[Scheme::Http, Scheme::Https];
    assert_eq!(check(&text, &e), CheckError::ChainIdMismatch);
    e.chain_id = ChainId::Mainnet;
    assert_eq!(check(&text, &e), CheckError::AddressMismatch);
    // an address of the other network, in the text as well
    e.signer = address(TEST);
    assert_eq!(check(&text.replace(MAIN, TEST), &e), CheckError::NetworkMismatch);
    e.signer = address(MAIN);
    assert_eq!(check(&text, &e), CheckError::NonceMismatch);
    e.nonce = "k8j2m4n6p8q0";
    assert_eq!(check(&text, &e), CheckError::Lifetime);
    assert_eq!(check(TEXT, &e), CheckError::Lifetime);
    e.max_lifetime = Duration::from_secs(300);
    assert_eq!(check(TEXT, &e), CheckError::IssuedInFuture);
    e.now = ISSUED + Duration::from_secs(300);
    assert_eq!(check(TEXT, &e), CheckError::Expired);
    e.now -= Duration::from_nanos(1);
    assert_eq!(Challenge::parse(TEXT.as_bytes()).unwrap().check(&e), Ok(()));
}

#[test]
fn times() {
    let nanos = |text| Timestamp::parse(text).map(|time| time.unix_nanos());
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1969-12-31T23:59:59.9Z", -100_000_000),
        ("2000-02-29T00:00:00Z", 951_782_400_000_000_000),
        ("2026-02-14T12:00:00.000Z", 1_771_070_400_000_000_000),
        ("2024-02-29T23:59:59Z", 1_709_251_199_000_000_000),
        ("0000-01-01T00:00:00Z", -62_167_219_200_000_000_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799_000_000_000),
    ] {
        assert_eq!(nanos(text), Some(expected), "{text}");
        assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
    }
    for text in [
        "",
        "Z",
        "2026-02-14T12:00:00",
        "2026-02-14T12:00:00.Z",
        "2026-02-14T12:00:00.1234567890Z",
        "2026-02-14T12:00:00.1.1Z",
        "2026-02-14T12:00:00.+1Z",
        "2026-02-14T12:00:00.1ZZ",
        "2026-02-14T12:00:00z",
        "2026-02-14t12:00:00Z",
        "2026-02-14 12:00:00Z",
        " 2026-02-14T12:00:00Z",
        "2026-02-14T12:00:00+00:00",
        "2026-2-14T12:00:00Z",
        "+026-02-14T12:00:00Z",
        "12026-02-14T12:00:00Z",
        "2026/02/14T12:00:00Z",
        "2026-02-14T12:00Z",
        "2026-02-14T24:00:00Z",
        "2026-02-14T12:60:00Z",
        "2026-02-14T12:00:60Z",
        "2026-00-14T12:00:00Z",
        "2026-13-14T12:00:00Z",
        "2026-02-00T12:00:00Z",
        "2026-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2000-02-30T12:00:00Z",
        "2026-04-31T12:00:00Z",
        "2026-12-32T12:00:00Z",
        "２026-02-14T12:00:00Z",
        "2026-02-14T12:00:00,1Z",
    ] {
        assert_eq!(nanos(text), None, "{text}");
    }
    assert_eq!(Timestamp::from_unix(ISSUED).unwrap().to_string(), "2026-02-14T12:00:00.000Z");
    let last = Duration::new(253_402_300_799, 999_999_999);
    assert_eq!(Timestamp::from_unix(last).unwrap().to_string(), "9999-12-31T23:59:59.999Z");
    assert_eq!(Timestamp::from_unix(last + Duration::from_nanos(1)), None);
    assert_eq!(Timestamp::from_unix(Duration::MAX), None);
}

/// Counts days one by one: the slow calendar that the fast one must agree with.
#[test]
fn every_day_of_the_calendar() {
    let mut seconds = -62_167_219_200i128;
    for year in 0..10_000 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for month in 1..=12 {
            let length = match month {
                2 => 28 + i128::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            for day in 1..=length {
                let text = format!("{year:04}-{month:02}-{day:02}T01:02:03Z");
                let time = Timestamp::parse(&text).unwrap();
                assert_eq!(time.unix_nanos(), (seconds + 3723) * 1_000_000_000, "{text}");
                assert_eq!(time.to_string(), text);
                seconds += 86_400;
            }
            assert_eq!(Timestamp::parse(&format!("{year:04}-{month:02}-{:02}T01:02:03Z", length + 1)), None);
        }
    }
}

prop_compose! {
    fn any_fields()(
        host in "[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\\.[a-z0-9]{1,8}){0,3}",
        port in proptest::option::of(1..=u16::MAX),
        network in any::<bool>(),
        statement in proptest::option::of("\\PC{1,80}"),
        http in any::<bool>(),
        path in "(/[!-~]{0,40})?",
        nonce in "[A-Za-z0-9_-]{8,128}",
        issued_at in 0..253_000_000_000_000u64,
        lifetime in 1..1_000_000_000u64,
    ) -> (String, bool, Option<String>, String, String, Duration, Duration) {
        let domain = port.map_or(host.clone(), |port| format!("{host}:{port}"));
        let uri = format!("{}://{domain}{path}", if http { "http" } else { "https" });
        let statement = statement.filter(|text| !text.contains(['\u{2028}', '\u{2029}']));
        (domain, network, statement, uri, nonce, Duration::from_millis(issued_at), Duration::from_millis(lifetime))
    }
}

proptest! {
    #[test]
    fn what_is_made_is_read(made in any_fields()) {
        let (domain, mainnet, statement, uri, nonce, issued_at, lifetime) = made;
        let (address, chain_id) = if mainnet { (address(MAIN), ChainId::Mainnet) } else { (address(TEST), ChainId::Testnet) };
        let statement = statement.as_deref();
        let fields =
            Fields { domain: &domain, address, statement, uri: &uri, chain_id, nonce: &nonce, issued_at, lifetime };
        let challenge = Challenge::new(&fields).unwrap();
        prop_assert_eq!(Challenge::parse(challenge.to_string().as_bytes()), Ok(challenge.clone()));
        prop_assert_eq!(challenge.domain(), domain);
        prop_assert_eq!(*challenge.address(), address);
        prop_assert_eq!(challenge.statement(), statement);
        prop_assert_eq!(challenge.uri(), uri);
        prop_assert_eq!(challenge.chain_id(), chain_id);
        prop_assert_eq!(challenge.nonce(), nonce);
        prop_assert_eq!(u128::try_from(challenge.issued_at().unix_nanos()).unwrap(), issued_at.as_nanos());
        let expires = (issued_at + lifetime).as_nanos();
        prop_assert_eq!(u128::try_from(challenge.expiration_time().unix_nanos()).unwrap(), expires);
    }

    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
        prop_assert!(Challenge::parse(&bytes).is_err());
    }

    /// Near a challenge: what is read prints as the same bytes.
    #[test]
    fn what_is_read_prints_again(at in 0..TEXT.len(), cut in 0..3usize, with in "[ -~]{0,2}|[0-9]|\\n|\\PC|\\.[0-9]{1,10}") {
        let end = (at + cut).min(TEXT.len());
        let text = format!("{}{with}{}", &TEXT[..at], &TEXT[end..]);
        if let Ok(challenge) = Challenge::parse(text.as_bytes()) {
            prop_assert_eq!(challenge.to_string(), text);
        }
    }

    /// Lines of a challenge in any order and number: the order is the only one that is read.
    #[test]
    fn only_the_layout_is_read(picks in proptest::collection::vec(0..14usize, 0..14), keep in 0..12usize) {
        let lines: Vec<&str> = TEXT.lines().chain(["", "statement", "Nonce: 0000000000"]).collect();
        // the first lines are right, so that many cases get behind the first rules
        let text = (0..keep.min(11)).chain(picks).map(|at| lines[at]).collect::<Vec<_>>().join("\n");
        match Challenge::parse(text.as_bytes()) {
            Ok(challenge) => {
                prop_assert_eq!(&challenge.to_string(), &text);
                prop_assert!([9, 11].contains(&text.split('\n').count()));
            }
            Err(error) => prop_assert!(["empty", "first-line", "layout", "address"].contains(&error.code())),
        }
    }

    /// Any fraction and any date is printed as it was read.
    #[test]
    fn times_print_as_read(
        date in "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])",
        time in "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?",
    ) {
        let text = format!("{date}T{time}Z");
        prop_assert_eq!(Timestamp::parse(&text).unwrap().to_string(), text);
    }

    #[test]
    fn times_do_not_panic(text in "[0-9TZ:.-]{0,35}|\\PC{0,30}") {
        if let Some(time) = Timestamp::parse(&text) {
            prop_assert_eq!(time.to_string(), text);
        }
    }
}
