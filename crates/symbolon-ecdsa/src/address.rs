//! The Ethereum address of a public key.

use core::{fmt, str::FromStr};
use k256::ProjectivePoint;
use sha3::{Digest, Keccak256};
use symbolon_core::Secp256k1;

/// An Ethereum address: the last 20 bytes of the Keccak-256 of the public key. Written, and read, with the mixed-case
/// checksum of EIP-55.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EthereumAddress([u8; 20]);

/// Not an address as EIP-55 writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Not `0x` and 40 hexadecimal digits.
    #[error("an address is 0x and 40 hexadecimal digits")]
    Syntax,
    /// Upper and lower case are not those of EIP-55: a digit was mistyped, or the checksum was dropped.
    #[error("the address does not have its EIP-55 checksum in upper and lower case")]
    Checksum,
}

impl EthereumAddress {
    /// `Keccak-256(x || y)[12..]`. The identity is no public key: no decoder and no derivation gives one.
    #[must_use]
    pub fn from_public_key(public_key: &ProjectivePoint) -> Self {
        let hash: [u8; 32] = Keccak256::digest(Secp256k1::secret_point_bytes(public_key)).into();
        let mut address = [0; 20];
        let (_, tail) = hash.split_at(12);
        address.copy_from_slice(tail);
        Self(address)
    }

    /// Wraps an address that came as bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The 40 digits of EIP-55: a letter is upper case where the hash of the lower-case digits has a nibble above 7.
    fn digits(&self) -> [u8; 40] {
        let mut digits =
            nibbles::<40>(&self.0).map(|nibble| if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble });
        let hash: [u8; 32] = Keccak256::digest(digits).into();
        for (digit, hash) in digits.iter_mut().zip(nibbles::<64>(&hash)) {
            if hash > 7 {
                digit.make_ascii_uppercase();
            }
        }
        digits
    }
}

/// The nibbles of `bytes`, high one first; `N` is twice their number.
fn nibbles<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut nibbles = [0; N];
    for (nibble, byte) in nibbles.iter_mut().zip(bytes.iter().flat_map(|byte| [byte >> 4, byte & 15])) {
        *nibble = byte;
    }
    nibbles
}

impl fmt::Display for EthereumAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.digits().iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

impl fmt::Debug for EthereumAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EthereumAddress({self})")
    }
}

impl FromStr for EthereumAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let digits: &[u8; 40] =
            text.strip_prefix("0x").and_then(|t| t.as_bytes().try_into().ok()).ok_or(AddressError::Syntax)?;
        let mut address = [0; 20];
        for (byte, pair) in address.iter_mut().zip(digits.chunks_exact(2)) {
            *byte =
                pair.iter().try_fold(0, |byte, digit| Some(byte << 4 | value(*digit)?)).ok_or(AddressError::Syntax)?;
        }
        let address = Self(address);
        if address.digits() == *digits { Ok(address) } else { Err(AddressError::Checksum) }
    }
}

const fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const EIP_55: [&str; 4] = [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ];

    #[test]
    fn the_published_checksums_read_back() {
        for text in EIP_55 {
            let address: EthereumAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
            assert_eq!(alloc::format!("{address:?}"), alloc::format!("EthereumAddress({text})"));
        }
    }

    #[test]
    fn another_case_is_refused_at_every_letter() {
        for text in EIP_55 {
            let mut flips = 0;
            for at in (2..42).filter(|at| text.as_bytes()[*at].is_ascii_alphabetic()) {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] ^= 0x20;
                let flipped = core::str::from_utf8(&bytes).unwrap();
                assert_eq!(flipped.parse::<EthereumAddress>(), Err(AddressError::Checksum), "{flipped}");
                flips += 1;
            }
            assert!(flips > 5);
            assert_eq!(text.to_lowercase().parse::<EthereumAddress>(), Err(AddressError::Checksum));
        }
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        let good = EIP_55[0];
        for text in ["", "0x", &good[2..], &good[..41], "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"] {
            assert_eq!(text.parse::<EthereumAddress>(), Err(AddressError::Syntax), "{text}");
        }
        let bad = good.replace('5', "g");
        assert_eq!(bad.parse::<EthereumAddress>(), Err(AddressError::Syntax));
        assert_eq!((good.to_string() + "0").parse::<EthereumAddress>(), Err(AddressError::Syntax));
        let multibyte = "0x".to_string() + &"é".repeat(20);
        assert_eq!(multibyte.parse::<EthereumAddress>(), Err(AddressError::Syntax));
    }
}
