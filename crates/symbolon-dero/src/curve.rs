//! The curve, and the only file that names its library (spec section 1, 2, 4). It is `ark-bn254`: two multiplications take half the
//! time that they take in `substrate-bn`. What is in this file takes variable time and sees public values only; [`SecretScalar`] is the
//! other half.
//!
//! Whoever puts `substrate-bn` here instead meets four traps, each of which gives wrong results without an error (`tests/bn.rs` shows
//! them): its `Fr::from_slice` reduces what is not below the order, so that a second text of a scalar is accepted; its
//! `Fr::to_big_endian` writes the Montgomery form, not the number; its `G1::one()` is (1, 2), not [`G`]; its `G1::from_compressed`
//! reads 02 or 03 and then `x`, by the parity of `y`, where DERO has a flag at the end, by the size of `y`.

mod secret;
mod table;

pub(crate) use secret::SecretScalar;

use alloc::vec::Vec;
use ark_bn254::{Fq, Fr, G1Affine, G1Projective, g1::Config};
use ark_ec::{AdditiveGroup, AffineRepr, CurveGroup, scalar_mul::glv::GLVConfig};
use ark_ff::{BigInt, BigInteger, Field, PrimeField, Zero};
use sha3::{Digest, Keccak256};

/// `G`, hashed from `DEROG`; not the curve's usual generator (1, 2).
const G: G1Affine = table::ODD_MULTIPLES[0];
/// Windows of the two tables: odd multiples below 2^7 of `G`, below 2^4 of a key.
const G_WINDOW: usize = 8;
const KEY_WINDOW: usize = 5;

const fn affine(x: Fq, y: Fq) -> G1Affine {
    G1Affine::new_unchecked(x, y)
}

/// Why 33 bytes are no public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Not 33 bytes.
    #[error("a key has 33 bytes")]
    Length,
    /// The last byte is neither 0 nor 1.
    #[error("the last byte of a key is 0 or 1")]
    Flag,
    /// The coordinate is not below the field prime.
    #[error("the coordinate is not below the field prime")]
    Range,
    /// No point of the curve has this coordinate.
    #[error("not a point of the curve")]
    Curve,
}

impl KeyError {
    /// The code of the specification.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Length => "key-length",
            Self::Flag => "key-flag",
            Self::Range => "key-range",
            Self::Curve => "key-curve",
        }
    }
}

/// A public key: a point of the curve that is not the identity. The curve has prime order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(G1Affine);

/// An integer below the group order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scalar(Fr);

fn from_be(bytes: &[u8; 32]) -> BigInt<4> {
    let mut limbs = [0; 4];
    let words = bytes.as_chunks::<8>().0.iter().rev();
    limbs.iter_mut().zip(words).for_each(|(limb, word)| *limb = u64::from_be_bytes(*word));
    BigInt::new(limbs)
}

fn to_be(number: &BigInt<4>) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (words, _) = bytes.as_chunks_mut::<8>();
    words.iter_mut().zip(number.0.iter().rev()).for_each(|(word, limb)| *word = limb.to_be_bytes());
    bytes
}

impl PublicKey {
    /// Decodes section 2: `x`, big-endian, then 0 for the smaller and 1 for the larger root.
    ///
    /// # Errors
    /// [`KeyError`]. The identity has no encoding.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: &[u8; 33] = bytes.try_into().map_err(|_| KeyError::Length)?;
        let (x, flag) = bytes.split_first_chunk::<32>().ok_or(KeyError::Length)?;
        let larger = match flag {
            [0] => false,
            [1] => true,
            _ => return Err(KeyError::Flag),
        };
        let x = Fq::from_bigint(from_be(x)).ok_or(KeyError::Range)?;
        let root = (x.square() * x + Fq::from(3)).sqrt().ok_or(KeyError::Curve)?;
        let y = if is_larger(&root) == larger { root } else { -root };
        Ok(Self(G1Affine::new_unchecked(x, y)))
    }

    /// The 33 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 33] {
        let mut bytes = [0; 33];
        let (x, flag) = bytes.split_at_mut(32);
        x.copy_from_slice(&to_be(&self.0.x.into_bigint()));
        flag.fill(u8::from(is_larger(&self.0.y)));
        bytes
    }
}

/// Whether `y > p - y`.
fn is_larger(y: &Fq) -> bool {
    y.into_bigint() > (-*y).into_bigint()
}

impl Scalar {
    /// `None` unless below the order.
    pub(crate) fn from_be_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Fr::from_bigint(from_be(bytes)).map(Self)
    }

    pub(crate) fn to_be_bytes(self) -> [u8; 32] {
        to_be(&self.0.into_bigint())
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_zero()
    }
}

/// The digits of one half of a scalar, and whether it is subtracted.
struct Half {
    digits: Vec<i64>,
    negative: bool,
}

impl Half {
    /// Place in a table of odd multiples, and whether that is subtracted.
    fn at(&self, position: usize) -> Option<(usize, bool)> {
        let digit = *self.digits.get(position).filter(|digit| **digit != 0)?;
        let place = usize::try_from(digit.unsigned_abs() / 2).ok()?;
        Some((place, (digit < 0) != self.negative))
    }
}

/// `k = k_1 + k_2*lambda`, both of half length: `k*P = k_1*P + k_2*phi(P)`.
fn halves(k: &Fr, window: usize) -> [Half; 2] {
    let (one, two) = Config::scalar_decomposition(*k);
    [one, two].map(|(positive, half)| Half {
        digits: half.into_bigint().find_wnaf(window).unwrap_or_default(),
        negative: !positive,
    })
}

/// `R = S*G - C*P` in one pass over all four halves; `None` for the identity.
pub(crate) fn nonce_point(s: &Scalar, c: &Scalar, key: &PublicKey) -> Option<PublicKey> {
    let (of_g, of_key) = (halves(&s.0, G_WINDOW), halves(&-c.0, KEY_WINDOW));
    let twice = key.0.into_group().double();
    let multiples = core::iter::successors(Some(key.0.into_group()), |point| Some(*point + twice));
    let multiples: Vec<G1Projective> = multiples.take(1 << (KEY_WINDOW - 2)).collect();
    let length = of_g.iter().chain(&of_key).map(|half| half.digits.len()).max().unwrap_or(0);
    let mut r = G1Projective::zero();
    for position in (0..length).rev() {
        r.double_in_place();
        for (half, is_phi) in of_g.iter().zip([false, true]) {
            if let Some((place, negative)) = half.at(position)
                && let Some(point) = table::ODD_MULTIPLES.get(place)
            {
                let point = if is_phi { Config::endomorphism_affine(point) } else { *point };
                r += if negative { -point } else { point };
            }
        }
        for (half, is_phi) in of_key.iter().zip([false, true]) {
            if let Some((place, negative)) = half.at(position)
                && let Some(point) = multiples.get(place)
            {
                let point = if is_phi { Config::endomorphism(point) } else { *point };
                r += if negative { -point } else { point };
            }
        }
    }
    let r = r.into_affine();
    (!r.is_zero()).then_some(PublicKey(r))
}

/// Absorbs lowercase hex, a piece at a time.
fn absorb_hex(hash: &mut Keccak256, bytes: &[u8]) {
    // from 10 on a letter: the subtraction borrows below
    let digit = |nibble: u8| b'0' + nibble + (9u8.wrapping_sub(nibble) >> 7) * (b'a' - b'9' - 1);
    for piece in bytes.chunks(64) {
        let mut hex = [0; 128];
        let pairs = hex.as_chunks_mut::<2>().0.iter_mut().zip(piece);
        pairs.for_each(|(pair, byte)| *pair = [digit(byte >> 4), digit(byte & 15)]);
        hash.update(hex.get(..2 * piece.len()).unwrap_or(&hex));
    }
}

/// `text(P)`: `bn256.G1(x, y)`.
fn absorb_point(hash: &mut Keccak256, point: &PublicKey) {
    hash.update("bn256.G1(");
    absorb_hex(hash, &to_be(&point.0.x.into_bigint()));
    hash.update(", ");
    absorb_hex(hash, &to_be(&point.0.y.into_bigint()));
    hash.update(")");
}

/// `H(P, R, m) = Keccak-256(text(P) || text(R) || hex(m)) mod n`.
pub(crate) fn challenge(key: &PublicKey, nonce: &PublicKey, message: &[u8]) -> Scalar {
    let mut hash = Keccak256::new();
    absorb_point(&mut hash, key);
    absorb_point(&mut hash, nonce);
    absorb_hex(&mut hash, message);
    Scalar(Fr::from_be_bytes_mod_order(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // section 1: Keccak-256 of DEROG modulo n, then upward to the first x on the curve
    #[test]
    fn the_generator_is_hashed_from_its_name() {
        let start = Fr::from_be_bytes_mod_order(&Keccak256::digest("DEROG")).into_bigint();
        let mut x = Fq::from_bigint(start).unwrap();
        let mut steps = 0;
        let y = loop {
            let square = x.square() * x + Fq::from(3);
            // the root (x^3 + 3)^((p+1)/4)
            let exponent = BigInt::<4>::new([
                0x4f08_2305_b61f_3f52,
                0x65e0_5aa4_5a1c_72a3,
                0x6e14_116d_a060_5617,
                0x0c19_139c_b84c_680a,
            ]);
            let root = square.pow(exponent);
            if root.square() == square {
                break root;
            }
            x += Fq::from(1);
            steps += 1;
        };
        assert_eq!((G.x, G.y, steps), (x, y, 5));
        assert!(G.is_on_curve());
        assert_ne!(G, G1Affine::generator());
        for (multiple, point) in (1u64..).step_by(2).zip(table::ODD_MULTIPLES) {
            assert_eq!((G * Fr::from(multiple)).into_affine(), point);
        }
    }

    #[test]
    fn the_joint_pass_is_two_multiplications() {
        let plain = |s: Fr, c: Fr, key: &PublicKey| {
            let r = (G * s - key.0 * c).into_affine();
            (!r.is_zero()).then_some(PublicKey(r))
        };
        let mut k = Fr::from(3);
        let edge = [Fr::from(0), Fr::from(1), -Fr::from(1), Config::LAMBDA, -Config::LAMBDA, Fr::from(2)];
        let mut scalars: Vec<Fr> = edge.into();
        scalars.extend((0..40).map(|i| {
            k = k.square() + Fr::from(i);
            k
        }));
        for key in [Fr::from(1), -Fr::from(1), Config::LAMBDA, Fr::from(77), k] {
            let key = PublicKey((G * key).into_affine());
            for (i, s) in scalars.iter().enumerate() {
                for c in &scalars[i..] {
                    assert_eq!(nonce_point(&Scalar(*s), &Scalar(*c), &key), plain(*s, *c, &key));
                }
            }
        }
    }

    #[test]
    fn secret_and_public_arithmetic_agree() {
        let mut k = Fr::from(3);
        let random = (0..60).map(|i| {
            k = k.square() + Fr::from(i);
            k
        });
        let scalars: Vec<Fr> =
            [Fr::from(1), -Fr::from(1), Fr::from(2), Config::LAMBDA].into_iter().chain(random).collect();
        let secret = |k: &Fr| SecretScalar::from_be_bytes(&to_be(&k.into_bigint())).unwrap();
        for (k, next) in scalars.iter().zip(scalars.iter().skip(1)) {
            assert_eq!(secret(k).public(), Some(PublicKey((G * k).into_affine())));
            let c = Scalar(k.square() + next);
            assert_eq!(secret(k).plus_product(&c, &secret(next)), Some(Scalar(*k + c.0 * next)));
        }
        assert_eq!(secret(&-Fr::from(1)).plus_product(&Scalar(Fr::from(1)), &secret(&Fr::from(1))), None);
        for byte in [0u8, 1, 0x7f, 0xff] {
            let wide: [u8; 64] = core::array::from_fn(|i| byte.wrapping_mul(i.to_le_bytes()[0] | 1));
            let reduced = to_be(&Fr::from_be_bytes_mod_order(&wide).into_bigint());
            assert_eq!(*SecretScalar::from_wide(&wide).to_be_bytes(), reduced);
        }
        assert_eq!(SecretScalar::from_wide(&[0; 64]).public(), None);
        let order = Fr::MODULUS;
        for bytes in [[0; 32], to_be(&order), [0xff; 32]] {
            assert!(SecretScalar::from_be_bytes(&bytes).is_none());
        }
    }
}
