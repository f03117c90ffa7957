//! What a signature does with secrets, in constant time: `k*G` and `k + c*x`. The curve's library branches in its field's additions,
//! so that this file has a field of its own, by `crypto-bigint`.

use super::{G, PublicKey, Scalar, affine, from_be, to_be};
use ark_bn254::Fq;
use ark_ff::PrimeField;
use crypto_bigint::{U256, const_monty_params, modular::ConstMontyForm};
use subtle::{Choice, ConditionallySelectable, ConstantTimeLess};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const_monty_params!(Prime, U256, "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47", "`p`");
const_monty_params!(Order, U256, "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001", "`n`");
type Field = ConstMontyForm<Prime, { U256::LIMBS }>;
type Secret = ConstMontyForm<Order, { U256::LIMBS }>;

/// A scalar that is secret. Wiped on drop.
pub(crate) struct SecretScalar(Secret);

impl SecretScalar {
    /// `None` unless `1 <= x < n`; that alone may be seen from the time.
    pub(crate) fn from_be_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let x = Zeroizing::new(U256::from_be_slice(bytes));
        let in_range = ConstantTimeLess::ct_lt(&*x, Secret::MODULUS.as_ref()) & Choice::from(x.is_nonzero());
        bool::from(in_range).then(|| Self(Secret::new(&x)))
    }

    /// 64 uniform bytes, reduced.
    pub(crate) fn from_wide(bytes: &[u8; 64]) -> Self {
        let (halves, _) = bytes.as_chunks::<32>();
        let two_256 = Secret::new(&U256::MAX) + Secret::ONE;
        halves.iter().fold(Self(Secret::ZERO), |sum, half| {
            let half = Zeroizing::new(U256::from_be_slice(half));
            Self(sum.0 * two_256 + Secret::new(&half))
        })
    }

    pub(crate) fn to_be_bytes(&self) -> Zeroizing<[u8; 32]> {
        let integer = Zeroizing::new(self.0.retrieve());
        Zeroizing::new(integer.to_be_bytes().into())
    }

    /// `k*G`, which is public; `None` for zero.
    pub(crate) fn public(&self) -> Option<PublicKey> {
        let bits = self.to_be_bytes();
        let base = Point::generator();
        let mut sum = Zeroizing::new(Point::IDENTITY);
        for byte in bits.iter() {
            for shift in (0..8).rev() {
                *sum = sum.add(&sum);
                let other = Zeroizing::new(sum.add(&base));
                sum.conditional_assign(&other, Choice::from(byte >> shift & 1));
            }
        }
        sum.to_affine()
    }

    /// `k + c*x`, which is published; `None` if it is zero.
    pub(crate) fn plus_product(&self, c: &Scalar, x: &Self) -> Option<Scalar> {
        let c = Secret::new(&U256::from_be_slice(&c.to_be_bytes()));
        let sum = Self(self.0 + c * x.0);
        Scalar::from_be_bytes(&sum.to_be_bytes()).filter(|sum| !sum.is_zero())
    }
}

impl Drop for SecretScalar {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl ZeroizeOnDrop for SecretScalar {}

/// Projective coordinates: `(X/Z, Y/Z)`.
#[derive(Clone, Copy, Default)]
struct Point([Field; 3]);

impl zeroize::DefaultIsZeroes for Point {}

impl ConditionallySelectable for Point {
    fn conditional_select(a: &Self, b: &Self, choice: Choice) -> Self {
        let ([x, y, z], [u, v, w]) = (&a.0, &b.0);
        Self([(x, u), (y, v), (z, w)].map(|(a, b)| Field::conditional_select(a, b, choice)))
    }
}

impl Point {
    const IDENTITY: Self = Self([Field::ZERO, Field::ONE, Field::ZERO]);

    fn generator() -> Self {
        let coordinate = |value: Fq| Field::new(&U256::from_be_slice(&to_be(&value.into_bigint())));
        Self([coordinate(G.x), coordinate(G.y), Field::ONE])
    }

    /// The complete addition of Renes, Costello, Batina (ePrint 2015/1060, algorithm 7) for `a = 0`, `3*b = 9`: no case is special,
    /// doubling and the identity neither.
    fn add(&self, other: &Self) -> Self {
        let ([x1, y1, z1], [x2, y2, z2]) = (self.0, other.0);
        let triple = |value: Field| value + value + value;
        let (xx, yy, zz) = (x1 * x2, y1 * y2, z1 * z2);
        let xy = (x1 + y1) * (x2 + y2) - (xx + yy);
        let yz = (y1 + z1) * (y2 + z2) - (yy + zz);
        let xz = (x1 + z1) * (x2 + z2) - (xx + zz);
        let (xx, zz, xz) = (triple(xx), triple(triple(zz)), triple(triple(xz)));
        let (sum, difference) = (yy + zz, yy - zz);
        Self([xy * difference - yz * xz, difference * sum + xz * xx, sum * yz + xx * xy])
    }

    /// `None` for the identity. The point is public from here on; the inversion still takes constant time, since `Z` tells of the
    /// way to it.
    fn to_affine(self) -> Option<PublicKey> {
        let point = Zeroizing::new(self);
        let [x, y, z] = &point.0;
        let inverse = Zeroizing::new(z.invert().into_option()?);
        let coordinate = |value: &Field| Fq::from_bigint(from_be(&(*value * *inverse).retrieve().to_be_bytes().into()));
        Some(PublicKey(affine(coordinate(x)?, coordinate(y)?)))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use alloc::boxed::Box;
    use symbolon_testkit::Patterns;

    // attacks.md row 77
    #[test]
    fn row_77_a_dropped_scalar_is_wiped() {
        let scalar = SecretScalar::from_wide(&[0xa7; 64]);
        let mut patterns = Patterns::default();
        patterns.add("x", U256::to_be_bytes(scalar.0.as_montgomery()).as_ref());
        // in the middle of a block, since the allocator writes over the first bytes of a freed one
        let boxed = Box::new(([0u8; 64], scalar, [0u8; 64]));
        assert_eq!(patterns.found(), ["x"], "the search does not work");
        drop(boxed);
        assert!(patterns.found().is_empty());
    }
}
