//! Account addresses (spec section 3).

use crate::{KeyError, PublicKey};
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

impl Network {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Mainnet => "dero",
            Self::Testnet => "deto",
        }
    }
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
/// Version and key.
const LEN: usize = 34;

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
    /// [`AddressError`], the first of the rules in the order of its variants.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
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
        let network = match prefix {
            "dero" => Network::Mainnet,
            "deto" => Network::Testnet,
            "deroi" | "detoi" | "deroproof" => return Err(AddressError::Kind),
            _ => return Err(AddressError::Hrp),
        };
        let groups: Vec<u8> = read.fe32_iter().map(Fe32::to_u8).collect();
        let bytes: Vec<u8> = read.byte_iter().collect();
        let padding = (5 * groups.len()).saturating_sub(8 * bytes.len());
        let last = groups.last().copied().unwrap_or(0);
        if padding >= 5 || last & ((1 << padding) - 1) != 0 {
            return Err(AddressError::Padding);
        }
        match bytes.split_first() {
            None => Err(AddressError::Length),
            Some((version, _)) if *version != VERSION => Err(AddressError::Version),
            Some(_) if bytes.len() != LEN => Err(AddressError::Length),
            Some((_, key)) => Ok(Self { network, key: PublicKey::from_bytes(key)? }),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [VERSION; LEN];
        let (_, key) = bytes.split_at_mut(1);
        key.copy_from_slice(&self.key.to_bytes());
        let hrp = Hrp::parse(self.network.prefix()).map_err(|_| fmt::Error)?;
        let text: String = bech32::encode_lower::<Unlimited>(hrp, &bytes).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}
