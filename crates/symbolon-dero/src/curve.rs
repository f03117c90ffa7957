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
const G_WINDOW: u32 = 8;
const KEY_WINDOW: u32 = 5;

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

/// The short vectors `(A, -B)` and `(B, A + B)` of the lattice `a + b*lambda = 0 mod n`.
const A: u128 = 0x6f4d_8248_eeb8_59fc_8211_bbeb_7d4f_1128;
const B: u128 = 0x0000_0000_0000_0000_89d3_2568_94d2_13e3;
/// `2^256*(A + B)/n` and `2^256*B/n`, rounded.
const G1: BigInt<4> =
    BigInt::new([0x5398_fd03_00ff_6565, 0x4cce_f014_a773_d2d2, 0x0000_0000_0000_0002, 0x0000_0000_0000_0000]);
const G2: BigInt<4> =
    BigInt::new([0xd91d_232e_c7e0_b3d7, 0x0000_0000_0000_0002, 0x0000_0000_0000_0000, 0x0000_0000_0000_0000]);

/// One half of a scalar: digits in non-adjacent form, the least first, and whether it is subtracted.
struct Half {
    digits: Vec<i8>,
    negative: bool,
}

impl Half {
    /// Of a number below `2^128` up to the sign.
    fn new(k: Fr, window: u32) -> Self {
        let negative = k.into_bigint() > Fr::MODULUS_MINUS_ONE_DIV_TWO;
        let BigInt([low, high, ..]) = if negative { -k } else { k }.into_bigint();
        let mut rest = u128::from(high) << 64 | u128::from(low);
        let mut digits = Vec::with_capacity(136);
        while rest != 0 {
            let zeros = rest.trailing_zeros();
            rest >>= zeros;
            digits.extend((0..zeros).map(|_| 0));
            // odd, and followed by zeros
            let digit = rest & ((1 << window) - 1);
            rest >>= window;
            let above = u128::from(digit >> (window - 1) == 1);
            rest += above;
            digits.push(i8::try_from(digit.cast_signed() - (above << window).cast_signed()).unwrap_or_default());
            digits.extend((1..window).map(|_| 0));
        }
        Self { digits, negative }
    }

    /// Place in a table of odd multiples, and whether that is subtracted.
    fn at(&self, position: usize) -> Option<(usize, bool)> {
        let digit = *self.digits.get(position).filter(|digit| **digit != 0)?;
        Some((usize::from(digit.unsigned_abs() / 2), (digit < 0) != self.negative))
    }
}

/// `(k_1, k_2)` below `2^128` up to the sign with `k = k_1 + k_2*lambda`, so that `k*P = k_1*P + k_2*phi(P)`: `(k, 0)` less a near vector of the lattice
/// (Guide to Elliptic Curve Cryptography, algorithm 3.74).
fn halves(k: &Fr) -> [Fr; 2] {
    let number = k.into_bigint();
    let quotient = |g: &BigInt<4>| Fr::new(number.mul_high(g));
    let (c_1, c_2, a, b) = (quotient(&G1), quotient(&G2), Fr::from(A), Fr::from(B));
    [*k - c_1 * a - c_2 * b, c_1 * b - c_2 * (a + b)]
}

/// Odd multiples of a point, below `2^(KEY_WINDOW - 1)`, and `z`, such that each of them is `(x/z^2, y/z^3)` for its entry `(x, y)`.
///
/// Points with one `z` are affine points of another curve with the same formulas, as these don't use the constant 3. So twice the key
/// is affine from the start, and the last `z` is that of all (the idea is that of libsecp256k1's verification).
fn odd_multiples(key: &G1Affine) -> (Vec<G1Affine>, Fq) {
    const LEN: usize = 1 << (KEY_WINDOW - 2);
    let twice = key.into_group().double();
    let (mut x, mut y, mut z) = (key.x, key.y, twice.z);
    scale(&mut x, &mut y, &z);
    // each in its own coordinates, with the factor of its z over the one before
    let mut points = Vec::with_capacity(LEN);
    points.push((x, y, Fq::ONE));
    let mut z_1 = Fq::ONE;
    for _ in 1..LEN {
        // (x, y, z_1) + 2P, mixed (Explicit-Formulas Database, madd for a = 0); no sum is of a point and itself, as the order is a prime
        let z_squared = z_1.square();
        let (h, r) = (twice.x * z_squared - x, twice.y * z_squared * z_1 - y);
        let h_squared = h.square();
        let (h_cubed, v) = (h * h_squared, x * h_squared);
        let next = r.square() - h_cubed - v.double();
        (x, y) = (next, r * (v - next) - y * h_cubed);
        z_1 *= h;
        points.push((x, y, h));
    }
    z *= z_1;
    let mut factor = Fq::ONE;
    let mut multiples = Vec::with_capacity(LEN);
    for (mut x, mut y, h) in points.into_iter().rev() {
        scale(&mut x, &mut y, &factor);
        multiples.push(affine(x, y));
        factor *= h;
    }
    multiples.reverse();
    (multiples, z)
}

/// To the curve on which points with this `z` are affine.
fn scale(x: &mut Fq, y: &mut Fq, z: &Fq) {
    let squared = z.square();
    *x *= squared;
    *y *= squared * z;
}

/// `R = S*G - C*P` in one pass over all four halves; `None` for the identity.
pub(crate) fn nonce_point(s: &Scalar, c: &Scalar, key: &PublicKey) -> Option<PublicKey> {
    let of_g = halves(&s.0).map(|half| Half::new(half, G_WINDOW));
    let of_key = halves(&-c.0).map(|half| Half::new(half, KEY_WINDOW));
    let (multiples, z) = odd_multiples(&key.0);
    let (z_squared, z_cubed) = (z.square(), z.square() * z);
    let length = of_g.iter().chain(&of_key).map(|half| half.digits.len()).max().unwrap_or(0);
    let mut r = G1Projective::zero();
    let add = |r: &mut G1Projective, point: G1Affine, is_phi, negative| {
        let point = if is_phi { Config::endomorphism_affine(&point) } else { point };
        *r += if negative { -point } else { point };
    };
    for position in (0..length).rev() {
        r.double_in_place();
        for (half, is_phi) in of_g.iter().zip([false, true]) {
            if let Some((place, negative)) = half.at(position)
                && let Some(point) = table::ODD_MULTIPLES.get(place)
            {
                add(&mut r, affine(point.x * z_squared, point.y * z_cubed), is_phi, negative);
            }
        }
        for (half, is_phi) in of_key.iter().zip([false, true]) {
            if let Some((place, negative)) = half.at(position)
                && let Some(point) = multiples.get(place)
            {
                add(&mut r, *point, is_phi, negative);
            }
        }
    }
    // back to the curve
    r.z *= z;
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
    fn halves_are_short_and_make_the_scalar() {
        let mut k = Fr::from(3);
        let edge = [Fr::from(0), Fr::from(1), Config::LAMBDA, Config::LAMBDA.square(), Fr::from(A), Fr::from(B)];
        let middle = Fr::from_bigint(Fr::MODULUS_MINUS_ONE_DIV_TWO).unwrap();
        let random: Vec<Fr> = (0..2000)
            .map(|i| {
                k = k.square() + Fr::from(i);
                k
            })
            .collect();
        for k in edge.into_iter().chain([middle]).flat_map(|k| [k, -k, k + Fr::from(1)]).chain(random) {
            let [one, two] = halves(&k);
            assert_eq!(one + Config::LAMBDA * two, k);
            for half in [one, two] {
                for window in [KEY_WINDOW, G_WINDOW] {
                    let Half { digits, negative } = Half::new(half, window);
                    assert!(digits.len() <= 128 + 8);
                    let value = digits.iter().rev().fold(Fr::from(0), |sum, digit| sum.double() + Fr::from(*digit));
                    assert_eq!(if negative { -value } else { value }, half);
                    assert!(
                        digits
                            .iter()
                            .all(|digit| *digit == 0 || (digit % 2 != 0 && digit.unsigned_abs() < 1 << (window - 1)))
                    );
                    for several in digits.windows(usize::try_from(window).unwrap()) {
                        assert!(several.iter().filter(|digit| **digit != 0).count() <= 1);
                    }
                }
            }
        }
    }

    #[test]
    fn odd_multiples_share_a_coordinate() {
        for k in [1u64, 2, 3, 77, u64::MAX] {
            let key = (G * -Fr::from(k)).into_affine();
            let (multiples, z) = odd_multiples(&key);
            assert_eq!(multiples.len(), 8);
            for (multiple, point) in (1u64..).step_by(2).zip(multiples) {
                let expected = (key * Fr::from(multiple)).into_affine();
                assert_eq!((point.x, point.y), (expected.x * z.square(), expected.y * z.square() * z));
            }
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
