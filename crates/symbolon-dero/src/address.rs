//! Addresses (spec section 3): of accounts, and the two kinds with arguments.

use crate::{Arguments, ArgumentsError, KeyError, PublicKey};
use alloc::{string::String, vec::Vec};
use bech32::{
    Bech32, Fe32, Hrp,
    primitives::{checksum::Checksum, decode::UncheckedHrpstring},
};
use core::{fmt, str::FromStr};

/// The network of an address. The signature scheme does not hash it: one signature verifies under both addresses of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the two networks")]
pub enum Network {
    /// Addresses begin with `dero`.
    Mainnet,
    /// Testnet and simulator: addresses begin with `deto`.
    Testnet,
}

/// A plain address, which stands for an account: one text for each network and key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address {
    network: Network,
    key: PublicKey,
}

/// Why a text is no account's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// A character that no address has.
    #[error("a character that no address has")]
    Charset,
    /// Not all lowercase.
    #[error("an address is all lowercase")]
    Case,
    /// No prefix, or too short.
    #[error("no prefix, or too short")]
    Format,
    /// The checksum does not fit.
    #[error("the checksum does not fit: the address was changed")]
    Checksum,
    /// Another prefix than DERO's.
    #[error("not an address of DERO")]
    Hrp,
    /// An integrated address or a payment proof, which is no account.
    #[error("an integrated address or a payment proof, not an account")]
    Kind,
    /// The last group has bits that nothing stands for.
    #[error("padding that is not zero, or too long")]
    Padding,
    /// Another version.
    #[error("unknown version of the address")]
    Version,
    /// Another length.
    #[error("not the length of an address")]
    Length,
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What follows the key of an address with arguments.
    #[error(transparent)]
    Arguments(#[from] ArgumentsError),
}

impl AddressError {
    /// The code of the specification.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Charset => "addr-charset",
            Self::Case => "addr-case",
            Self::Format => "addr-format",
            Self::Checksum => "addr-checksum",
            Self::Hrp => "addr-hrp",
            Self::Kind => "addr-kind",
            Self::Padding => "addr-padding",
            Self::Version => "addr-version",
            Self::Length => "addr-length",
            Self::Key(key) => key.code(),
            Self::Arguments(_) => "addr-arguments",
        }
    }
}

/// BIP 173's checksum, without its limit of length: integrated addresses have none.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unlimited {}

impl Checksum for Unlimited {
    type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
    type CorrectionField = <Bech32 as Checksum>::CorrectionField;
    const ROOT_GENERATOR: Self::CorrectionField = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: core::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = Bech32::TARGET_RESIDUE;
}

const VERSION: u8 = 1;
/// Bytes of a key.
const KEY: usize = 33;

impl Address {
    /// The address of a key.
    #[must_use]
    pub const fn new(network: Network, key: PublicKey) -> Self {
        Self { network, key }
    }

    /// Its network.
    #[must_use]
    pub const fn network(&self) -> Network {
        self.network
    }

    /// Its key.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Reads a plain address. What it reads prints as the same text, so that the text can be an account's name.
    ///
    /// # Errors
    /// [`AddressError`], the first rule that fails: the characters of the whole text, case, form, the characters of the data, and the
    /// others in the order of the variants.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (prefix, payload) = unarmour(text)?;
        match prefix {
            Prefix::Plain(network) => Ok(Self { network, key: plain_key(&payload?)? }),
            Prefix::Integrated(_) | Prefix::Proof => Err(AddressError::Kind),
        }
    }
}

/// An address of any kind. Only a plain one stands for an account: with arguments, one key has endlessly many.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "DERO has these three")]
pub enum AnyAddress {
    /// `dero`, `deto`.
    Plain(Address),
    /// `deroi`, `detoi`: an account, and what a transfer to it shall carry.
    Integrated(Address, Arguments),
    /// `deroproof`: proves a payment; the key is none of an account.
    Proof(PublicKey, Arguments),
}

impl AnyAddress {
    /// Reads an address of any kind. A text has no limit of its own: the caller's is the limit. What it reads prints as the same text;
    /// where the wallet would print another one (arguments that are none, or not in their deterministic encoding), and for a float that is
    /// no number or negative zero, the text is refused.
    ///
    /// # Errors
    /// [`AddressError`], but not [`AddressError::Kind`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (prefix, payload) = unarmour(text)?;
        let payload = payload?;
        Ok(match prefix {
            Prefix::Plain(network) => Self::Plain(Address { network, key: plain_key(&payload)? }),
            Prefix::Integrated(network) => {
                let (key, arguments) = with_arguments(&payload)?;
                Self::Integrated(Address { network, key }, arguments)
            }
            Prefix::Proof => {
                let (key, arguments) = with_arguments(&payload)?;
                Self::Proof(key, arguments)
            }
        })
    }
}

#[derive(Clone, Copy)]
enum Prefix {
    Plain(Network),
    Integrated(Network),
    Proof,
}

impl Prefix {
    const ALL: [Self; 5] = [
        Self::Plain(Network::Mainnet),
        Self::Plain(Network::Testnet),
        Self::Integrated(Network::Mainnet),
        Self::Integrated(Network::Testnet),
        Self::Proof,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Plain(Network::Mainnet) => "dero",
            Self::Plain(Network::Testnet) => "deto",
            Self::Integrated(Network::Mainnet) => "deroi",
            Self::Integrated(Network::Testnet) => "detoi",
            Self::Proof => "deroproof",
        }
    }
}

/// What follows the version byte, and why there is no such thing.
type Payload = Result<Vec<u8>, AddressError>;

/// Reads the text up to its prefix, then padding and version.
fn unarmour(text: &str) -> Result<(Prefix, Payload), AddressError> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(AddressError::Charset);
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(AddressError::Case);
    }
    let (prefix, data) = text.rsplit_once('1').ok_or(AddressError::Format)?;
    if prefix.is_empty() || data.len() < Unlimited::CHECKSUM_LENGTH {
        return Err(AddressError::Format);
    }
    if data.chars().any(|character| Fe32::from_char(character).is_err()) {
        return Err(AddressError::Charset);
    }
    let read = UncheckedHrpstring::new(text).map_err(|_| AddressError::Format)?;
    let read = read.validate_and_remove_checksum::<Unlimited>().map_err(|_| AddressError::Checksum)?;
    let prefix = Prefix::ALL.into_iter().find(|known| known.as_str() == prefix).ok_or(AddressError::Hrp)?;
    let groups = read.fe32_iter().count();
    let last = read.fe32_iter().last().map_or(0, Fe32::to_u8);
    let mut bytes = read.byte_iter();
    let padding = (5 * groups).saturating_sub(8 * bytes.len());
    let payload = if padding >= 5 || last & ((1 << padding) - 1) != 0 {
        Err(AddressError::Padding)
    } else {
        match bytes.next() {
            None => Err(AddressError::Length),
            Some(VERSION) => Ok(bytes.collect()),
            Some(_) => Err(AddressError::Version),
        }
    };
    Ok((prefix, payload))
}

fn plain_key(payload: &[u8]) -> Result<PublicKey, AddressError> {
    if payload.len() == KEY { Ok(PublicKey::from_bytes(payload)?) } else { Err(AddressError::Length) }
}

fn with_arguments(payload: &[u8]) -> Result<(PublicKey, Arguments), AddressError> {
    let (key, arguments) = payload.split_at_checked(KEY).ok_or(AddressError::Length)?;
    Ok((PublicKey::from_bytes(key)?, Arguments::from_cbor(arguments)?))
}

fn print(f: &mut fmt::Formatter<'_>, prefix: Prefix, key: &PublicKey, arguments: &[u8]) -> fmt::Result {
    let mut bytes = Vec::with_capacity(1 + KEY + arguments.len());
    bytes.push(VERSION);
    bytes.extend(key.to_bytes());
    bytes.extend(arguments);
    let hrp = Hrp::parse(prefix.as_str()).map_err(|_| fmt::Error)?;
    let text: String = bech32::encode_lower::<Unlimited>(hrp, &bytes).map_err(|_| fmt::Error)?;
    f.write_str(&text)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        print(f, Prefix::Plain(self.network), &self.key, &[])
    }
}

impl fmt::Display for AnyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(address) => address.fmt(f),
            Self::Integrated(address, arguments) => {
                print(f, Prefix::Integrated(address.network), &address.key, &arguments.to_cbor())
            }
            Self::Proof(key, arguments) => print(f, Prefix::Proof, key, &arguments.to_cbor()),
        }
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

impl FromStr for AnyAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}
