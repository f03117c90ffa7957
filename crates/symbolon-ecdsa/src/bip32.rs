//! BIP-32 public derivation (CKDpub) along non-hardened paths.
//!
//! A key that nobody holds has no hardened children: they need the private key as one piece. The sum of the steps is one
//! additive tweak, which one signer adds to its share (ecdsa.md, Always).

use alloc::vec::Vec;
use core::{fmt, str::FromStr};
use hmac::{Hmac, KeyInit, Mac};
use k256::{ProjectivePoint, Scalar};
use sha2::Sha512;
use symbolon_core::{Group, Secp256k1};

/// The first hardened index.
const HARDENED: u32 = 1 << 31;
/// BIP-32 counts the depth in one byte.
const MAX_DEPTH: usize = 255;

/// A path of non-hardened indices below the wallet's key: `m` is the key itself, `m/0/5` two levels below.
///
/// One path has one text: decimal indices without sign or leading zeros.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct DerivationPath(Vec<u32>);

/// Why a path was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Not `m` followed by `/index` any number of times.
    #[error("a derivation path is `m` or `m/0/5`: decimal indices, each after one slash")]
    Syntax,
    /// A hardened step: a marker `'`, `h`, `H`, or an index of 2^31 and above.
    #[error("hardened derivation needs the whole private key, which nobody holds: use indices below 2147483648 only")]
    Hardened,
    /// More levels than BIP-32 has.
    #[error("a derivation path has at most 255 levels")]
    TooDeep,
}

impl DerivationPath {
    /// The path of the key itself, `m`.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// # Errors
    /// [`PathError::Hardened`] for an index of 2^31 and above, [`PathError::TooDeep`] for more than 255 levels.
    pub fn new(indices: &[u32]) -> Result<Self, PathError> {
        if indices.len() > MAX_DEPTH {
            return Err(PathError::TooDeep);
        }
        if indices.iter().any(|index| *index >= HARDENED) {
            return Err(PathError::Hardened);
        }
        Ok(Self(indices.to_vec()))
    }

    /// The indices from the top: at most 255, each below 2^31.
    #[must_use]
    pub fn indices(&self) -> &[u32] {
        &self.0
    }
}

impl fmt::Display for DerivationPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("m")?;
        self.0.iter().try_for_each(|index| write!(f, "/{index}"))
    }
}

impl FromStr for DerivationPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let mut components = text.split('/');
        if components.next() != Some("m") {
            return Err(PathError::Syntax);
        }
        // one more than allowed is enough to know: a long text allocates nothing
        let indices = components.take(MAX_DEPTH + 1).map(index).collect::<Result<Vec<u32>, _>>()?;
        Self::new(&indices)
    }
}

/// One component: digits, no sign, no leading zero.
fn index(component: &str) -> Result<u32, PathError> {
    let digits = component.strip_suffix(['\'', 'h', 'H']).unwrap_or(component);
    let canonical = digits == "0" || !digits.starts_with('0');
    if digits.is_empty() || !canonical || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(PathError::Syntax);
    }
    // digits above u32 are above 2^31 all the more
    let index = digits.parse().map_err(|_| PathError::Hardened)?;
    if digits.len() < component.len() || index >= HARDENED { Err(PathError::Hardened) } else { Ok(index) }
}

/// A child key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Derived {
    /// The child's public key, `P + tweak*G`.
    pub public_key: ProjectivePoint,
    /// The child's chain code.
    pub chain_code: [u8; 32],
    /// The sum of `I_L` over the steps. Public: it follows from the public key and the chain code.
    pub tweak: Scalar,
}

/// A step whose child does not exist: `I_L` is zero or not below the group order, or the child is the identity. Happens
/// with probability 2^-127; BIP-32 says to go on with the next index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("level {level} of the path has no key: use another index there")]
pub struct DeriveError {
    level: u16,
}

impl DeriveError {
    /// The level, counted from 1.
    #[must_use]
    pub const fn level(&self) -> u16 {
        self.level
    }
}

/// The key at `path` below (`public_key`, `chain_code`): BIP-32's CKDpub for each index.
///
/// # Errors
/// [`DeriveError`] at the level that has no key.
pub fn derive(
    public_key: &ProjectivePoint,
    chain_code: &[u8; 32],
    path: &DerivationPath,
) -> Result<Derived, DeriveError> {
    let mut key = Derived { public_key: *public_key, chain_code: *chain_code, tweak: Scalar::ZERO };
    for (index, level) in path.0.iter().zip(1u16..) {
        // I = HMAC-SHA512(c_par, ser_P(K_par) || ser_32(i))
        let i = Hmac::<Sha512>::new(&hmac_key(&key.chain_code).into())
            .chain_update(Secp256k1::point_to_bytes(&key.public_key))
            .chain_update(index.to_be_bytes())
            .finalize()
            .into_bytes();
        let (i_l, i_r) = halves(&i.into());
        let (child, tweak) = child(&key.public_key, &i_l).ok_or(DeriveError { level })?;
        key = Derived { public_key: child, chain_code: i_r, tweak: key.tweak + tweak };
    }
    Ok(key)
}

/// HMAC pads a short key with zeros to the block of its hash; here, so that the length needs no check.
fn hmac_key(chain_code: &[u8; 32]) -> [u8; 128] {
    let mut block = [0; 128];
    let (key, _) = block.split_at_mut(32);
    key.copy_from_slice(chain_code);
    block
}

/// `I_L` and `I_R`.
fn halves(i: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let (mut left, mut right) = ([0; 32], [0; 32]);
    let (i_l, i_r) = i.split_at(32);
    left.copy_from_slice(i_l);
    right.copy_from_slice(i_r);
    (left, right)
}

/// `K = K_par + I_L*G` and `I_L`, unless `I_L` is zero or not below the order, or `K` is the identity.
fn child(parent: &ProjectivePoint, i_l: &[u8; 32]) -> Option<(ProjectivePoint, Scalar)> {
    let tweak = Secp256k1::scalar_from_bytes(i_l).ok()?;
    let child = *parent + Secp256k1::mul_base(&tweak);
    (tweak != Scalar::ZERO && !Secp256k1::is_identity(&child)).then_some((child, tweak))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};

    // bad inputs 61 and 98
    #[test]
    fn bad_paths_are_refused_with_their_reason() {
        let cases = [
            ("", PathError::Syntax),
            ("m/", PathError::Syntax),
            ("/0", PathError::Syntax),
            ("0/1", PathError::Syntax),
            ("M/0", PathError::Syntax),
            ("m//0", PathError::Syntax),
            ("m/0/", PathError::Syntax),
            ("m/-1", PathError::Syntax),
            ("m/+1", PathError::Syntax),
            ("m/00", PathError::Syntax),
            ("m/01", PathError::Syntax),
            ("m/ 1", PathError::Syntax),
            ("m/1 ", PathError::Syntax),
            ("m/0x1", PathError::Syntax),
            ("m/'", PathError::Syntax),
            ("m/0''", PathError::Syntax),
            ("m/\u{661}", PathError::Syntax),
            ("m/0'", PathError::Hardened),
            ("m/0h", PathError::Hardened),
            ("m/0H", PathError::Hardened),
            ("m/0h/0'", PathError::Hardened),
            ("m/44'/60'/0'/0/0", PathError::Hardened),
            ("m/2147483648", PathError::Hardened),
            ("m/4294967296", PathError::Hardened),
            ("m/99999999999999999999999999", PathError::Hardened),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<DerivationPath>(), Err(error), "{text}");
        }
        for levels in [256, 300, 100_000] {
            assert_eq!(format!("m{}", "/0".repeat(levels)).parse::<DerivationPath>(), Err(PathError::TooDeep));
        }
        assert_eq!(DerivationPath::new(&[0; 256]), Err(PathError::TooDeep));
        assert_eq!(DerivationPath::new(&[0, HARDENED]), Err(PathError::Hardened));
    }

    #[test]
    fn good_paths_read_back_as_written() {
        for text in ["m", "m/0", "m/0/5", "m/2147483647/1/10"] {
            assert_eq!(text.parse::<DerivationPath>().unwrap().to_string(), text);
        }
        assert_eq!("m".parse(), Ok(DerivationPath::root()));
        assert_eq!("m/0/5".parse(), DerivationPath::new(&[0, 5]));
        assert_eq!(format!("m{}", "/7".repeat(255)).parse(), DerivationPath::new(&[7; 255]));
    }

    // audit finding A24, bad input 61: SHA-512 can't be made to give these, so the step below it is tested
    #[test]
    fn a24_i_l_of_zero_or_above_the_order_and_a_child_at_infinity_are_refused() {
        let mut q: [u8; 32] = (-Scalar::ONE).to_bytes().into();
        q[31] += 1;
        let mut q_plus_1 = q;
        q_plus_1[31] += 1;
        let parent = Secp256k1::mul_base(&Scalar::from(5u64));
        for i_l in [[0; 32], q, q_plus_1, [0xff; 32]] {
            assert_eq!(child(&parent, &i_l), None);
        }
        let minus_5 = -Scalar::from(5u64);
        assert_eq!(child(&parent, &minus_5.to_bytes().into()), None, "the sum is the identity");
        let minus_4 = -Scalar::from(4u64);
        let found = child(&parent, &minus_4.to_bytes().into());
        assert_eq!(found, Some((Secp256k1::generator(), minus_4)));
    }

    #[test]
    fn the_deepest_path_derives_and_its_tweak_is_the_sum() {
        let parent = Secp256k1::mul_base(&Scalar::from(3u64));
        let path = DerivationPath::new(&[2_147_483_647; 255]).unwrap();
        let derived = derive(&parent, &[9; 32], &path).unwrap();
        assert_eq!(derived.public_key, parent + Secp256k1::mul_base(&derived.tweak));
        let root = derive(&parent, &[9; 32], &DerivationPath::root()).unwrap();
        assert_eq!(root, Derived { public_key: parent, chain_code: [9; 32], tweak: Scalar::ZERO });
    }
}
