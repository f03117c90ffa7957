//! Sign-in challenges: what is read prints as the same bytes, and is accepted only if every check passes.

use crate::{bytes::Bytes, memory::bounded};
use std::time::Duration;
use symbolon_dero::{
    Address,
    challenge::{ChainId, Challenge, CheckError, Expected, Fields, MAX_LEN, MakeError, ReadError, Scheme, Timestamp},
};

const MAIN: &str = "dero1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgcsh0mx";
const TEST: &str = "deto1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgzfth7w";
const OTHER: &str = "dero1qyhseyhtppnuxjj9grszt0rpugs4vcvzewqy5zkqyz3tf0dfuq8zjqqxpgg27";
const BOTH: &[Scheme] = &[Scheme::Http, Scheme::Https];
const CHAINS: [ChainId; 2] = [ChainId::Mainnet, ChainId::Testnet];
/// 2026-02-14T12:00:00Z.
const ISSUED: Duration = Duration::from_secs(1_771_070_400);
const YEAR_10000: Duration = Duration::from_secs(253_402_300_800);

/// The target. Gives whether some text was read as a challenge.
pub fn run(data: &[u8]) -> bool {
    let whole = read(data).is_ok();
    let mut input = Bytes(data);
    let built = match input.byte() {
        1 => expected(&mut input),
        2 => fields(&mut input),
        3 => made(&mut input),
        4 => time(&mut input),
        _ => false,
    };
    whole || built
}

fn read(data: &[u8]) -> Result<Challenge, ReadError> {
    let read = bounded(4, data, || Challenge::parse(data));
    assert_eq!(read.is_ok(), allowed(data), "{read:?}");
    if let Ok(challenge) = &read {
        assert_eq!(challenge.to_string().as_bytes(), data);
        assert_eq!(Challenge::parse(challenge.to_string().as_bytes()).as_ref(), Ok(challenge));
        for time in [challenge.issued_at(), challenge.expiration_time()] {
            assert_eq!(Timestamp::parse(&time.to_string()), Some(time));
        }
        extremes(challenge);
    }
    read
}

/// The rules of the text, without their order.
fn allowed(data: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(data) else { return false };
    let forbidden =
        |c: char| matches!(c, '\0'..='\x09' | '\x0b'..='\x1f' | '\x7f'..='\u{9f}' | '\u{2028}' | '\u{2029}');
    let mut lines: Vec<&str> = text.split('\n').collect();
    if lines.len() == 11 && !lines[3].is_empty() && lines[4].is_empty() {
        lines.drain(3..5);
    }
    let [first, address, "", uri, version, chain_id, nonce, issued_at, expires] = lines[..] else { return false };
    let field = |line: &'_ str, name: &str, rule: fn(&str) -> bool| line.strip_prefix(name).is_some_and(rule);
    data.len() <= MAX_LEN
        && !text.contains(forbidden)
        && first.strip_suffix(" wants you to sign in with your DERO wallet:").is_some_and(is_domain)
        && address.parse::<Address>().is_ok()
        && field(uri, "URI: ", is_uri)
        && field(version, "Version: ", |_| true)
        && field(chain_id, "Chain ID: ", |id| ["dero-mainnet", "dero-testnet"].contains(&id))
        && field(nonce, "Nonce: ", |nonce| {
            (8..=128).contains(&nonce.len())
                && nonce.chars().all(|c| matches!(c, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-'))
        })
        && field(issued_at, "Issued At: ", |time| Timestamp::parse(time).is_some())
        && field(expires, "Expiration Time: ", |time| Timestamp::parse(time).is_some())
}

fn is_domain(text: &str) -> bool {
    let mut parts = text.split(':');
    let (host, port, more) = (parts.next().unwrap_or(""), parts.next(), parts.next());
    let port = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == port));
    // between two dots, and at both ends, something that is not a dot
    let labels = host
        .split('.')
        .all(|label| !label.is_empty() && label.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-')));
    more.is_none() && port && labels && !host.starts_with('-') && !host.ends_with('-')
}

fn is_uri(text: &str) -> bool {
    let starts = text.starts_with("http://") || text.starts_with("https://");
    starts && text.chars().all(|c| ('!'..='~').contains(&c))
}

/// A server that expects what the challenge says, with clocks and limits of every size.
fn extremes(challenge: &Challenge) {
    let at = |time: Timestamp| {
        let (seconds, nanos) = (time.unix_nanos() / 1_000_000_000, time.unix_nanos() % 1_000_000_000);
        u64::try_from(seconds).and_then(|s| Ok(Duration::new(s, u32::try_from(nanos)?))).unwrap_or(Duration::ZERO)
    };
    for now in [Duration::ZERO, at(challenge.issued_at()), at(challenge.expiration_time()), Duration::MAX] {
        for max_skew in [Duration::ZERO, Duration::from_secs(30), Duration::MAX] {
            for max_lifetime in [Duration::ZERO, Duration::from_secs(300), Duration::MAX] {
                let expected = Expected {
                    domain: challenge.domain(),
                    schemes: BOTH,
                    chain_id: challenge.chain_id(),
                    signer: *challenge.address(),
                    nonce: challenge.nonce(),
                    now,
                    max_skew,
                    max_lifetime,
                };
                assert_eq!(challenge.check(&expected), checks(challenge, &expected));
            }
        }
    }
}

/// The ten checks, in their order.
fn checks(challenge: &Challenge, expected: &Expected<'_>) -> Result<(), CheckError> {
    let nanos = |time: Duration| i128::try_from(time.as_nanos()).expect("below 2^94");
    let (issued, expires) = (challenge.issued_at().unix_nanos(), challenge.expiration_time().unix_nanos());
    let (now, skew) = (nanos(expected.now), nanos(expected.max_skew));
    let of = |scheme: &Scheme| match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let uri = expected.schemes.iter().any(|scheme| {
        let start = format!("{}://{}", of(scheme), expected.domain);
        let rest = challenge.uri().strip_prefix(&start);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    });
    let passed = [
        (challenge.version() == "1", CheckError::Version),
        (challenge.domain() == expected.domain, CheckError::DomainMismatch),
        (uri, CheckError::UriMismatch),
        (challenge.chain_id() == expected.chain_id, CheckError::ChainIdMismatch),
        (challenge.address() == &expected.signer, CheckError::AddressMismatch),
        (challenge.address().network() == challenge.chain_id().network(), CheckError::NetworkMismatch),
        (challenge.nonce() == expected.nonce, CheckError::NonceMismatch),
        (issued < expires && expires - issued <= nanos(expected.max_lifetime), CheckError::Lifetime),
        (issued - skew <= now, CheckError::IssuedInFuture),
        (now - skew < expires, CheckError::Expired),
    ];
    passed.into_iter().find(|(passed, _)| !passed).map_or(Ok(()), |(_, error)| Err(error))
}

fn duration(input: &mut Bytes<'_>) -> Duration {
    match input.byte() % 6 {
        0 => Duration::ZERO,
        1 => Duration::MAX,
        2 => ISSUED,
        3 => Duration::from_secs(u64::from(input.byte())),
        4 => ISSUED + Duration::from_nanos(input.u64() % (1 << 44)),
        _ => Duration::new(input.u64(), u32::from_be_bytes(input.array()) % 1_000_000_000),
    }
}

fn address(input: &mut Bytes<'_>) -> Address {
    [MAIN, TEST, OTHER][usize::from(input.byte() % 3)].parse().expect("an address")
}

fn check(challenge: &Challenge, input: &mut Bytes<'_>) {
    let domain = input.piece().unwrap_or_else(|| challenge.domain().into());
    let nonce = input.piece().unwrap_or_else(|| challenge.nonce().into());
    let choice = input.byte();
    let expected = Expected {
        domain: &domain,
        schemes: [BOTH, &[Scheme::Http], &[Scheme::Https], &[]][usize::from(choice & 3)],
        chain_id: CHAINS[usize::from(choice >> 2 & 1)],
        signer: if choice & 8 == 0 { *challenge.address() } else { address(input) },
        nonce: &nonce,
        now: duration(input),
        max_skew: duration(input),
        max_lifetime: duration(input),
    };
    assert_eq!(challenge.check(&expected), checks(challenge, &expected));
}

/// Any text behind any expectation.
fn expected(input: &mut Bytes<'_>) -> bool {
    let expectation = input.take(96);
    let read = read(input.rest());
    if let Ok(challenge) = &read {
        check(challenge, &mut Bytes(expectation));
    }
    read.is_ok()
}

/// The layout, with any text in its fields and any expectation.
fn fields(input: &mut Bytes<'_>) -> bool {
    let mut or = |default: &str| input.piece().unwrap_or_else(|| default.into());
    let domain = or("myapp.com");
    let address = or(MAIN);
    let statement = or("");
    let statement = if statement.is_empty() { statement } else { statement + "\n\n" };
    let uri = or(&format!("https://{domain}/"));
    let version = or("1");
    let chain_id = or("dero-mainnet");
    let nonce = or("k8j2m4n6p8q0");
    let issued_at = or("2026-02-14T12:00:00.000Z");
    let expiration_time = or("2026-02-14T12:05:00.000Z");
    let text = format!(
        "{domain} wants you to sign in with your DERO wallet:\n{address}\n\n{statement}URI: {uri}\nVersion: {version}\n\
         Chain ID: {chain_id}\nNonce: {nonce}\nIssued At: {issued_at}\nExpiration Time: {expiration_time}"
    );
    let read = read(text.as_bytes());
    if let Ok(challenge) = &read {
        check(challenge, input);
    }
    read.is_ok()
}

/// What a server makes is read again, and accepted at once.
fn made(input: &mut Bytes<'_>) -> bool {
    let address = address(input);
    let chain_id = CHAINS[usize::from(input.byte() & 1)];
    let (issued_at, lifetime) = (duration(input), duration(input));
    let domain = input.piece().unwrap_or_else(|| "localhost:3002".into());
    let nonce = input.piece().unwrap_or_else(|| "k8j2m4n6p8q0".into());
    let statement = input.piece();
    let uri = format!("http://{domain}{}", String::from_utf8_lossy(input.rest()));
    let fields = Fields {
        domain: &domain,
        address,
        statement: statement.as_deref(),
        uri: &uri,
        chain_id,
        nonce: &nonce,
        issued_at,
        lifetime,
    };
    match Challenge::new(&fields) {
        Ok(challenge) => {
            assert_eq!(read(challenge.to_string().as_bytes()).as_ref(), Ok(&challenge));
            let said = (challenge.domain(), challenge.nonce(), challenge.uri(), challenge.statement());
            assert_eq!(said, (&*domain, &*nonce, &*uri, statement.as_deref()));
            assert_eq!((*challenge.address(), challenge.chain_id()), (address, chain_id));
            // milliseconds: what is printed is not later than what was asked for, and less than one earlier
            for (time, asked) in [
                (challenge.issued_at(), Some(issued_at)),
                (challenge.expiration_time(), issued_at.checked_add(lifetime)),
            ] {
                let asked = asked.expect("both are years below 10000").as_nanos();
                let printed = u128::try_from(time.unix_nanos()).expect("after 1970");
                assert!(printed <= asked && asked - printed < 2_000_000, "{printed} {asked}");
            }
            true
        }
        Err(error) => {
            // the rest is a text in a field that is not allowed there
            match error {
                MakeError::Check(CheckError::NetworkMismatch) => assert_ne!(address.network(), chain_id.network()),
                MakeError::Check(CheckError::Lifetime) => assert!(lifetime < Duration::from_millis(1)),
                MakeError::Check(error) => assert_eq!(error, CheckError::UriMismatch),
                MakeError::Read(ReadError::Timestamp) => {
                    assert!(issued_at.checked_add(lifetime).is_none_or(|expires| expires >= YEAR_10000));
                }
                _ => {}
            }
            false
        }
    }
}

/// Only real times are read, as the number that another calendar gives.
fn time(input: &mut Bytes<'_>) -> bool {
    let number = |input: &mut Bytes<'_>| u32::from(input.byte());
    let year = u32::from(u16::from_be_bytes(input.array())) % 10_100;
    let (month, day) = (number(input) % 16, number(input) % 34);
    let (hour, minute, second) = (number(input) % 28, number(input) % 64, number(input) % 64);
    let digits = usize::from(input.byte() % 12);
    let fraction: String = (0..digits).map(|_| char::from(b'0' + input.byte() % 10)).collect();
    let point = if digits > 0 { "." } else { "" };
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{point}{fraction}Z");

    let leap = year % 4 == 0 && year % 100 != 0 || year % 400 == 0;
    let days = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    let real = year < 10_000 && (1..=days).contains(&day) && hour < 24 && minute < 60 && second < 60 && digits < 10;
    let read = Timestamp::parse(&text);
    assert_eq!(read.is_some(), real, "{text}");
    if let Some(read) = read {
        assert_eq!(read.to_string(), text);
        let padded = format!("{fraction:0<9}").parse::<i128>().expect("nine digits");
        let seconds = i128::from(hour * 3600 + minute * 60 + second);
        let nanos = (since_1970(year, month, day) * 86_400 + seconds) * 1_000_000_000 + padded;
        assert_eq!(read.unix_nanos(), nanos, "{text}");
        if let Ok(nanos) = u64::try_from(nanos) {
            let rounded = Timestamp::from_unix(Duration::from_nanos(nanos)).expect("a year below 10000");
            assert_eq!(rounded.unix_nanos(), i128::from(nanos - nanos % 1_000_000));
        }
    }
    // nothing that differs reads as the same time
    let mut changed = std::mem::take(&mut text).into_bytes();
    input.edit(&mut changed, 0);
    let changed = String::from_utf8(changed).expect("edits leave ASCII alone");
    if let Some(time) = Timestamp::parse(&changed) {
        assert_eq!(time.to_string(), changed);
    }
    real
}

/// Days from 1970-01-01: years that begin in March, so that a leap day is the last of one.
fn since_1970(year: u32, month: u32, day: u32) -> i128 {
    let (y, m) = if month > 2 { (i128::from(year), month - 3) } else { (i128::from(year) - 1, month + 9) };
    let leaps = y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
    y * 365 + leaps + i128::from((153 * m + 2) / 5 + day - 1) - 719_468
}
