//! Everything that can happen, in a group of 13 elements: rebuilding, Feldman's check, and what too few shares tell. What is
//! counted here is exact; on the curves the same code runs with another order.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

use rand_core::{TryCryptoRng, TryRng};
use std::{
    collections::BTreeMap,
    convert::Infallible,
    iter::Sum,
    ops::{Add, Mul, Neg, Sub},
};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use symbolon_core::{Group, SecretScalar, Threshold, wire::DecodeError};
use symbolon_proofs::FeldmanVector;
use symbolon_sharing::{ShamirError, Share, combine, lagrange, split};
use zeroize::Zeroize;

const Q: u64 = 13;

/// A number modulo 13: scalar and point, with generator 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Mod13(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Toy;

impl From<u64> for Mod13 {
    fn from(n: u64) -> Self {
        Self(n % Q)
    }
}

impl Neg for Mod13 {
    type Output = Self;
    fn neg(self) -> Self {
        Self::from(Q - self.0)
    }
}

impl Add for Mod13 {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::from(self.0 + other.0)
    }
}

impl Sub for Mod13 {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Mod13 {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        Self::from(self.0 * other.0)
    }
}

impl Sum for Mod13 {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self(0), Add::add)
    }
}

impl Zeroize for Mod13 {
    fn zeroize(&mut self) {
        self.0 = 0;
    }
}

impl ConstantTimeEq for Mod13 {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.ct_eq(&other.0)
    }
}

impl ConditionallySelectable for Mod13 {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        Self(u64::conditional_select(&a.0, &b.0, choice))
    }
}

impl Group for Toy {
    const ID: u8 = 255;
    const NAME: &'static str = "integers modulo 13";
    const POINT_LEN: usize = 1;
    type Scalar = Mod13;
    type Point = Mod13;
    type PointBytes = [u8; 1];
    const UNCOMPRESSED_LEN: usize = 1;
    type Uncompressed = [u8; 1];

    fn identity() -> Mod13 {
        Mod13(0)
    }
    fn generator() -> Mod13 {
        Mod13(1)
    }
    fn generator_bytes() -> [u8; 1] {
        [1]
    }
    fn mul_base(k: &Mod13) -> Mod13 {
        *k
    }
    fn mul(point: &Mod13, k: &Mod13) -> Mod13 {
        *point * *k
    }
    fn mul_base_add(a: &Mod13, point: &Mod13, b: &Mod13) -> Mod13 {
        *a + *point * *b
    }
    fn mul_base_add_vartime(a: &Mod13, point: &Mod13, b: &Mod13) -> Mod13 {
        Self::mul_base_add(a, point, b)
    }
    fn lincomb_vartime(terms: &[(Mod13, Mod13)]) -> Mod13 {
        terms.iter().map(|(point, k)| *point * *k).sum()
    }
    fn invert(k: &Mod13) -> Mod13 {
        (0..Q - 2).fold(Mod13(1), |power, _| power * *k)
    }
    fn scalar_from_wide(bytes: &[u8; 64]) -> Mod13 {
        Mod13::from(u64::from(bytes[0]))
    }
    fn scalar_to_bytes(k: &Mod13) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[31] = u8::try_from(k.0).unwrap();
        bytes
    }
    fn scalar_from_bytes(bytes: &[u8; 32]) -> Result<Mod13, DecodeError> {
        Ok(Mod13::from(u64::from(bytes[31])))
    }
    fn point_to_bytes(point: &Mod13) -> [u8; 1] {
        [u8::try_from(point.0).unwrap()]
    }
    fn points_to_bytes(points: &[Mod13]) -> Vec<[u8; 1]> {
        points.iter().map(Self::point_to_bytes).collect()
    }
    fn point_from_bytes(bytes: &[u8]) -> Result<Mod13, DecodeError> {
        Ok(Mod13::from(u64::from(bytes[0])))
    }
    fn points_to_uncompressed(points: &[Mod13]) -> Vec<[u8; 1]> {
        Self::points_to_bytes(points)
    }
    fn point_from_uncompressed(bytes: &[u8; 1]) -> Result<Mod13, DecodeError> {
        Self::point_from_bytes(bytes)
    }
    fn compress(bytes: &[u8; 1]) -> [u8; 1] {
        *bytes
    }
}

/// Draws these coefficients, one for each 64 bytes.
struct Drawn(Vec<u64>);

impl TryRng for Drawn {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("scalars are drawn as bytes")
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("scalars are drawn as bytes")
    }
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        to[0] = u8::try_from(self.0.remove(0)).unwrap();
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

fn dealt(secret: u64, coefficients: &[u64], indices: &[u64]) -> (Vec<Share<Toy>>, FeldmanVector<Toy>) {
    let t = Threshold::new(u16::try_from(coefficients.len() + 1).unwrap(), 12).unwrap();
    let indices: Vec<_> = indices.iter().copied().map(Mod13).collect();
    split(&SecretScalar::<Toy>::new(Mod13(secret)), t, &indices, &mut Drawn(coefficients.to_vec())).unwrap()
}

fn again(share: &Share<Toy>, add: u64) -> Share<Toy> {
    Share { index: share.index, value: SecretScalar::new(*share.value.expose() + Mod13(add)) }
}

/// Every polynomial of degree 1 and 2 that is dealt: no coefficient is zero.
fn polynomials(t: usize) -> Vec<(u64, Vec<u64>)> {
    let nonzero = 1..Q;
    match t {
        2 => nonzero.clone().flat_map(|s| (1..Q).map(move |a| (s, vec![a]))).collect(),
        _ => nonzero.flat_map(|s| (1..Q).flat_map(move |a| (1..Q).map(move |b| (s, vec![a, b])))).collect(),
    }
}

/// Every polynomial, every set of `t` of 12 indices, every wrong share.
#[test]
fn shares_of_every_polynomial_rebuild_its_secret() {
    let indices: Vec<u64> = (1..Q).collect();
    let (mut rebuilt, mut refused) = (0, 0);
    for t in [2, 3] {
        for (secret, coefficients) in polynomials(t) {
            let (shares, commitments) = dealt(secret, &coefficients, &indices);
            for mask in (0..1u32 << 12).filter(|mask| mask.count_ones() == u32::try_from(t).unwrap()) {
                let set: Vec<_> = (0..12).filter(|i| mask >> i & 1 == 1).map(|i| again(&shares[i], 0)).collect();
                assert_eq!(combine(&set, &commitments).ok().unwrap().expose().0, secret);
                rebuilt += 1;
            }
            for (at, share) in shares.iter().enumerate() {
                for error in 1..Q {
                    let mut set: Vec<_> = shares.iter().take(t + 1).map(|share| again(share, 0)).collect();
                    set[at % (t + 1)] = again(share, error);
                    let wrong = ShamirError::BadShares(vec![at % (t + 1)]);
                    assert_eq!(combine(&set, &commitments).err(), Some(wrong));
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((rebuilt, refused), (12 * 12 * 66 + 12 * 144 * 220, (144 + 1728) * 144));
}

/// With all coefficients allowed, `t - 1` shares leave each secret equally likely. Those that are dealt have none that is zero,
/// so that the threshold is what it says: each secret is left by exactly one draw, or, where the polynomial through it and the
/// shares has a zero, by none. That is all that the shares tell, and on the curves a zero has probability 2^-252.
#[test]
fn too_few_shares_leave_every_secret() {
    let mut counted = 0;
    for t in [2, 3] {
        for given in [[1, 2], [3, 11], [12, 5]] {
            let given = &given[..t - 1];
            let mut draws: BTreeMap<(Vec<u64>, u64), u32> = BTreeMap::new();
            for (secret, coefficients) in polynomials(t) {
                // as many indices as the threshold, the given ones first
                let indices: Vec<u64> = given.iter().copied().chain([7]).chain((t == 3).then_some(9)).take(t).collect();
                let (shares, _) = dealt(secret, &coefficients, &indices);
                let seen = shares[..t - 1].iter().map(|share| share.value.expose().0).collect();
                *draws.entry((seen, secret)).or_default() += 1;
            }
            // by the definition of a polynomial, with zeros
            let zeros = 0..Q;
            for seen in zeros.clone().flat_map(|a| (0..if t == 3 { Q } else { 1 }).map(move |b| vec![a, b])) {
                let seen = &seen[..t - 1];
                for secret in 1..Q {
                    let through: Vec<Vec<u64>> = (0..Q)
                        .flat_map(|a| (0..if t == 3 { Q } else { 1 }).map(move |b| vec![a, b]))
                        .filter(|c| {
                            let at = |x: u64| (secret + c[0] * x + c[1] * x * x) % Q;
                            given.iter().zip(seen).all(|(x, y)| at(*x) == *y)
                        })
                        .collect();
                    assert_eq!(through.len(), 1, "each secret is left by exactly one polynomial");
                    let is_dealt = through[0][..t - 1].iter().all(|c| *c != 0);
                    let count = draws.get(&(seen.to_vec(), secret)).copied().unwrap_or_default();
                    assert_eq!(count, u32::from(is_dealt));
                    counted += 1;
                }
            }
        }
    }
    assert_eq!(counted, 3 * 12 * (13 + 169));
}

// attacks.md row 35, bad input 9: the order is zero, and one more is one
#[test]
fn indices_are_taken_modulo_the_order() {
    let of =
        |indices: &[u64]| lagrange::<Toy>(&indices.iter().map(|i| Mod13::from(*i)).collect::<Vec<_>>()).map(|_| ());
    assert_eq!(of(&[1, Q]), Err(ShamirError::ZeroIndex));
    assert_eq!(of(&[1, Q + 1]), Err(ShamirError::DuplicateIndex));
    assert_eq!(of(&[2, 5, 2 + 4 * Q]), Err(ShamirError::DuplicateIndex));
    assert_eq!(of(&[1, 12, 6]), Ok(()));
}
