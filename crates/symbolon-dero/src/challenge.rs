//! Sign-in challenges (spec section 7): the text that a wallet signs to prove who is at the other end.
//!
//! A challenge is public text. Reading it says what it claims; [`Challenge::check`] says whether that is what this
//! server expects from the address that signed it. Both are strict: a text is read only if printing gives the same
//! bytes again.

mod error;
mod time;

pub use error::{CheckError, MakeError, ReadError};
pub use time::Timestamp;

use crate::{Address, Network};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str, time::Duration};
use time::nanos;

/// The longest challenge, in bytes.
pub const MAX_LEN: usize = 4096;

/// What follows the domain on the first line.
const WANTS: &str = " wants you to sign in with your DERO wallet:";
const VERSION: &str = "1";

/// A challenge as read, every field well formed. It is what a text says, not yet what may be believed of it.
///
/// Equal challenges have equal texts, and the other way round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    domain: String,
    address: Address,
    statement: Option<String>,
    uri: String,
    version: String,
    chain_id: ChainId,
    nonce: String,
    issued_at: Timestamp,
    expiration_time: Timestamp,
}

/// What a server puts into a challenge: the argument of [`Challenge::new`].
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    /// The domain, with its port where that is not the scheme's own: `myapp.com`, `localhost:3002`.
    pub domain: &'a str,
    /// The account that shall sign.
    pub address: Address,
    /// One line for the user, not empty.
    pub statement: Option<&'a str>,
    /// A URI of that domain.
    pub uri: &'a str,
    /// The chain, of the same network as the address.
    pub chain_id: ChainId,
    /// 8 to 128 of `A–Z a–z 0–9 _ -`, drawn at random for this attempt.
    pub nonce: &'a str,
    /// The server's clock, since 1970. Milliseconds are printed, the rest is cut off.
    pub issued_at: Duration,
    /// From the issue to the expiry, at least a millisecond.
    pub lifetime: Duration,
}

/// What a server expects of a challenge: its configuration, what it remembers of the attempt, its clock, and what the
/// verification of the signature gave. Nothing in it may come from the challenge.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The configured domain.
    pub domain: &'a str,
    /// The allowed schemes of the URI.
    pub schemes: &'a [Scheme],
    /// The configured chain.
    pub chain_id: ChainId,
    /// The address for which the signature was verified.
    pub signer: Address,
    /// The nonce issued for this attempt, in this browser session.
    pub nonce: &'a str,
    /// Now, since 1970.
    pub now: Duration,
    /// How far the clock that wrote the times may be from this one.
    pub max_skew: Duration,
    /// The longest time from the issue to the expiry.
    pub max_lifetime: Duration,
}

/// The chain that a challenge names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "DERO has these two")]
pub enum ChainId {
    /// `dero-mainnet`.
    Mainnet,
    /// `dero-testnet`.
    Testnet,
}

/// The scheme of a challenge's URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the format has these two")]
pub enum Scheme {
    /// `http://`, for a server on the developer's own machine.
    Http,
    /// `https://`.
    Https,
}

impl Challenge {
    /// The challenge that a server issues. Keep it: what comes back must be equal to it, not only pass
    /// [`check`](Self::check).
    ///
    /// # Errors
    /// What [`parse`](Self::parse) would refuse, and what could not pass a check: a URI of another domain, an address of
    /// another network, a lifetime of less than a millisecond. An argument with a line break is
    /// [`ReadError::Layout`] or the error of that field.
    pub fn new(fields: &Fields<'_>) -> Result<Self, MakeError> {
        let issued_at = Timestamp::from_unix(fields.issued_at).ok_or(ReadError::Timestamp)?;
        let made = Self {
            domain: fields.domain.into(),
            address: fields.address,
            statement: fields.statement.map(Into::into),
            uri: fields.uri.into(),
            version: VERSION.into(),
            chain_id: fields.chain_id,
            nonce: fields.nonce.into(),
            issued_at,
            expiration_time: issued_at.plus(fields.lifetime).ok_or(ReadError::Timestamp)?,
        };
        // one set of rules for both directions; a line break in an argument could only move text to another field
        if Self::parse(made.to_string().as_bytes())? != made {
            return Err(ReadError::Layout.into());
        }
        made.check(&Expected {
            domain: fields.domain,
            schemes: &[Scheme::Http, Scheme::Https],
            chain_id: fields.chain_id,
            signer: fields.address,
            nonce: fields.nonce,
            now: fields.issued_at,
            max_skew: Duration::ZERO,
            max_lifetime: fields.lifetime,
        })?;
        Ok(made)
    }

    /// Reads a challenge from the bytes that were signed.
    ///
    /// # Errors
    /// The first rule of spec section 7 that the bytes break, in the order of [`ReadError`]; the layout of the lines
    /// after the third comes after the address.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReadError> {
        if bytes.is_empty() {
            return Err(ReadError::Empty);
        }
        if bytes.len() > MAX_LEN {
            return Err(ReadError::TooLong);
        }
        let text = str::from_utf8(bytes).map_err(|_| ReadError::Encoding)?;
        if text.chars().any(|c| c != '\n' && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))) {
            return Err(ReadError::ControlCharacter);
        }

        let mut lines = text.split('\n');
        let domain = lines.next().and_then(|line| line.strip_suffix(WANTS)).ok_or(ReadError::FirstLine)?;
        let (address, blank) = (lines.next().unwrap_or_default(), lines.next());
        if blank != Some("") {
            return Err(ReadError::Layout);
        }
        let address = Address::parse(address).map_err(|_| ReadError::Address)?;
        // the position of a line says what it is, so that a statement may look like a field; of more than eight lines the ninth is
        // enough to refuse them
        let rest: Vec<&str> = lines.take(9).collect();
        let (statement, fields) = match rest.as_slice() {
            [statement, "", fields @ ..] if !statement.is_empty() => (Some(*statement), fields),
            fields => (None, fields),
        };
        let &[uri, version, chain_id, nonce, issued_at, expiration_time] = fields else {
            return Err(ReadError::Layout);
        };
        let value = |line: &str, name| line.strip_prefix(name).map(ToString::to_string).ok_or(ReadError::Layout);
        let uri = value(uri, "URI: ")?;
        let version = value(version, "Version: ")?;
        let chain_id = value(chain_id, "Chain ID: ")?;
        let nonce = value(nonce, "Nonce: ")?;
        let issued_at = value(issued_at, "Issued At: ")?;
        let expiration_time = value(expiration_time, "Expiration Time: ")?;

        if !is_domain(domain) {
            return Err(ReadError::DomainForm);
        }
        if !is_nonce(&nonce) {
            return Err(ReadError::NonceForm);
        }
        if split_uri(&uri).is_none() {
            return Err(ReadError::UriForm);
        }
        Ok(Self {
            domain: domain.into(),
            address,
            statement: statement.map(Into::into),
            uri,
            version,
            chain_id: ChainId::parse(&chain_id).ok_or(ReadError::ChainIdForm)?,
            nonce,
            issued_at: Timestamp::parse(&issued_at).ok_or(ReadError::Timestamp)?,
            expiration_time: Timestamp::parse(&expiration_time).ok_or(ReadError::Timestamp)?,
        })
    }

    /// Checks 1 to 10 of spec section 7.
    ///
    /// # Security
    /// The caller MUST have verified the signature over this challenge's text for `expected.signer`. Where the server
    /// made the text, it MUST also compare the whole challenge with the one it issued. The nonce MUST be bound to the
    /// browser session that asked for it, and MUST be consumed once, atomically, after everything else has passed.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), CheckError> {
        let require = |passed: bool, error| if passed { Ok(()) } else { Err(error) };
        // all that stands before the path is compared, so a user part or another port differs
        let of_domain = |(scheme, authority)| expected.schemes.contains(&scheme) && authority == expected.domain;
        let (issued, expires) = (self.issued_at.unix_nanos(), self.expiration_time.unix_nanos());
        let (now, skew, max) = (nanos(expected.now), nanos(expected.max_skew), nanos(expected.max_lifetime));

        require(self.version == VERSION, CheckError::Version)?; // 1
        require(self.domain == expected.domain, CheckError::DomainMismatch)?; // 2
        require(split_uri(&self.uri).is_some_and(of_domain), CheckError::UriMismatch)?; // 3
        require(self.chain_id == expected.chain_id, CheckError::ChainIdMismatch)?; // 4
        require(self.address == expected.signer, CheckError::AddressMismatch)?; // 5
        require(expected.signer.network() == self.chain_id.network(), CheckError::NetworkMismatch)?; // 6
        require(self.nonce == expected.nonce, CheckError::NonceMismatch)?; // 7
        require(expires > issued && expires - issued <= max, CheckError::Lifetime)?; // 8
        require(issued <= now + skew, CheckError::IssuedInFuture)?; // 9
        require(now < expires + skew, CheckError::Expired) // 10
    }

    /// The domain that asks, with its port if the text has one.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The account that is asked to sign.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The line for the user. It may hold any character but control characters, also ones that change the direction of
    /// the text.
    #[must_use]
    pub fn statement(&self) -> Option<&str> {
        self.statement.as_deref()
    }

    /// The URI.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// The version as written; only a check says that it is `1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The chain.
    #[must_use]
    pub const fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    /// The nonce.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// When it was issued, by the clock of whoever wrote the text.
    #[must_use]
    pub const fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// When it expires, by the same clock.
    #[must_use]
    pub const fn expiration_time(&self) -> Timestamp {
        self.expiration_time
    }
}

/// The text: the bytes that are signed.
impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{WANTS}\n{}\n\n", self.domain, self.address)?;
        if let Some(statement) = &self.statement {
            write!(f, "{statement}\n\n")?;
        }
        write!(f, "URI: {}\nVersion: {}\nChain ID: {}\n", self.uri, self.version, self.chain_id)?;
        write!(f, "Nonce: {}\nIssued At: {}\nExpiration Time: {}", self.nonce, self.issued_at, self.expiration_time)
    }
}

impl ChainId {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Mainnet => "dero-mainnet",
            Self::Testnet => "dero-testnet",
        }
    }

    /// `dero-mainnet` or `dero-testnet`, `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Mainnet, Self::Testnet].into_iter().find(|chain_id| chain_id.as_str() == text)
    }

    /// The network whose addresses belong to this chain: the one place where the two are converted.
    #[must_use]
    pub const fn network(self) -> Network {
        match self {
            Self::Mainnet => Network::Mainnet,
            Self::Testnet => Network::Testnet,
        }
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Lowercase letters, digits, `-` and `.`; begins and ends with a letter or digit; no two dots in a row. Then, if there
/// is a colon, a port from 1 to 65535 without leading zeros.
pub(crate) fn is_domain(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    host.bytes().all(|b| alphanumeric(b) || b == b'-' || b == b'.')
        && host.bytes().next().is_some_and(alphanumeric)
        && host.bytes().last().is_some_and(alphanumeric)
        && !host.contains("..")
        && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0') && text.parse::<u16>().is_ok()
}

pub(crate) fn is_nonce(text: &str) -> bool {
    (8..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

/// Scheme and authority of a URI; `None` unless it is `http://` or `https://` and printable ASCII without spaces.
pub(crate) fn split_uri(uri: &str) -> Option<(Scheme, &str)> {
    let (scheme, rest) = match uri.strip_prefix("https://") {
        Some(rest) => (Scheme::Https, rest),
        None => (Scheme::Http, uri.strip_prefix("http://")?),
    };
    if !rest.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    Some((scheme, rest.split(['/', '?', '#']).next().unwrap_or_default()))
}
