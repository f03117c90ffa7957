//! Scalars of secp256k1 as four 64-bit limbs, least significant first, for the inner loops of the multiplication: sums of
//! hundreds of products with one late reduction. Constant-time throughout; no allocation.
#![allow(clippy::indexing_slicing, reason = "every index is bounded by the array length in the loop beside it")]

use symbolon_core::{Group, Secp256k1};
use zeroize::{Zeroize, Zeroizing};

/// An integer below `2^256`; below `q` unless said otherwise.
pub(crate) type Limbs = [u64; 4];
type Scalar = <Secp256k1 as Group>::Scalar;

/// `2^256 - q`, 129 bits.
const C: Limbs = [0x402d_a173_2fc9_bebf, 0x4551_2319_50b7_5fc4, 1, 0];

const fn low(x: u128) -> u64 {
    #[allow(clippy::as_conversions, reason = "the low half is what is wanted")]
    {
        x as u64
    }
}

const fn high(x: u128) -> u64 {
    low(x >> 64)
}

/// All ones for 1, zero for 0, without telling the optimiser that there are two cases.
pub(crate) fn mask(bit: u64) -> u64 {
    use subtle::{Choice, ConditionallySelectable};
    u64::conditional_select(&0, &u64::MAX, Choice::from(bit.to_le_bytes()[0] & 1))
}

/// Big-endian bytes as an integer, not reduced.
pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Limbs {
    let mut limbs = [0; 4];
    let (words, _) = bytes.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        limbs[3 - i] = u64::from_be_bytes(*word);
    }
    limbs
}

/// Big-endian bytes.
pub(crate) fn to_bytes(limbs: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (words, _) = bytes.as_chunks_mut::<8>();
    for (i, word) in words.iter_mut().enumerate() {
        *word = limbs[3 - i].to_be_bytes();
    }
    bytes
}

/// `x + C mod 2^256` and its carry, which says whether `x >= q`.
const fn plus_c(x: &Limbs) -> (Limbs, u64) {
    let mut out = [0; 4];
    let mut carry = 0;
    let mut i = 0;
    while i < 4 {
        let (sum, c1) = x[i].overflowing_add(C[i]);
        let (sum, c2) = sum.overflowing_add(carry);
        out[i] = sum;
        #[allow(clippy::as_conversions, reason = "a carry bit")]
        {
            carry = (c1 | c2) as u64;
        }
        i += 1;
    }
    (out, carry)
}

/// `b` for `take_b = 1`, `a` for 0. Through [`mask`]: a carry shows the optimiser two cases, and it may branch.
fn select(a: &Limbs, b: &Limbs, take_b: u64) -> Limbs {
    let take_b = mask(take_b);
    [
        a[0] ^ (take_b & (a[0] ^ b[0])),
        a[1] ^ (take_b & (a[1] ^ b[1])),
        a[2] ^ (take_b & (a[2] ^ b[2])),
        a[3] ^ (take_b & (a[3] ^ b[3])),
    ]
}

/// Whether a received integer is below `q`.
pub(crate) const fn is_canonical(x: &Limbs) -> bool {
    plus_c(x).1 == 0
}

/// `x mod q` for any `x < 2^256`.
#[cfg(test)]
pub(crate) fn reduce_once(x: &Limbs) -> Limbs {
    let (reduced, over) = plus_c(x);
    select(x, &reduced, over)
}

/// Four columns to limbs, with what is left above them.
fn carry(column: impl Fn(usize) -> u128) -> (Limbs, u64) {
    let (mut limbs, mut carry) = ([0; 4], 0);
    for (i, limb) in limbs.iter_mut().enumerate() {
        let t = column(i) + u128::from(carry);
        *limb = low(t);
        carry = high(t);
    }
    (limbs, carry)
}

/// `a + b mod q`.
pub(crate) fn add(a: &Limbs, b: &Limbs) -> Limbs {
    let (sum, carry) = carry(|i| u128::from(a[i]) + u128::from(b[i]));
    // a, b < q, so the sum is below 2q: one subtraction is enough, also when the sum carried
    let (reduced, over) = plus_c(&sum);
    select(&sum, &reduced, over | carry)
}

/// `x + a mod q` as some integer below `2^256`, for any `x < 2^256` and `a < q`.
pub(crate) fn add_unreduced(x: &Limbs, a: &Limbs) -> Limbs {
    let (sum, over) = carry(|i| u128::from(x[i]) + u128::from(a[i]));
    // after a carry the sum is below q, so that C can be added
    let over = mask(over);
    carry(|i| u128::from(sum[i]) + u128::from(C[i] & over)).0
}

/// `x - y + a mod q` for any `x, y < 2^256`, with [`shifted`]`(a)` for `a`.
pub(crate) fn difference_plus(x: &Limbs, y: &Limbs, shifted: &Limbs) -> Limbs {
    // -y = !y + 1 - 2^256 = !y + 1 - C mod q
    let (sum, overs) = carry(|i| u128::from(x[i]) + u128::from(!y[i]) + u128::from(shifted[i]));
    // a carry of at most 2 stands for as many C, and leaves less than 2^256 + 2^131
    let (sum, carry) = carry(|i| u128::from(sum[i]) + u128::from(C[i]) * u128::from(overs));
    let (reduced, over) = plus_c(&sum);
    select(&sum, &reduced, over | carry)
}

/// `a + 1 - C mod q`: what [`difference_plus`] adds for `a`.
pub(crate) fn shifted(a: &Limbs) -> Limbs {
    sub(&add(a, &[1, 0, 0, 0]), &C)
}

/// `a - b mod q`.
pub(crate) fn sub(a: &Limbs, b: &Limbs) -> Limbs {
    let mut difference = [0; 4];
    let mut borrow = 0;
    for i in 0..4 {
        let t = u128::from(a[i]).wrapping_sub(u128::from(b[i])).wrapping_sub(u128::from(borrow));
        difference[i] = low(t);
        borrow = high(t) & 1;
    }
    // a borrow left 2^256 too much; taking C away leaves q too much less, which is the result
    let under = mask(borrow);
    let mut borrow = 0;
    for (i, c) in C.iter().enumerate() {
        let t = u128::from(difference[i]).wrapping_sub(u128::from(c & under)).wrapping_sub(u128::from(borrow));
        difference[i] = low(t);
        borrow = high(t) & 1;
    }
    difference
}

/// `x` where the mask is all ones, zero where it is zero.
pub(crate) fn masked(x: &Limbs, mask: u64) -> Limbs {
    x.map(|limb| limb & mask)
}

/// A sum of products, reduced once at the end. Columns of 64 bits are kept in 128, so that up to `2^60` products add
/// without carrying.
#[derive(Default)]
pub(crate) struct Sum([u128; 8]);

impl Sum {
    /// Adds `a*b`, for any integers below `2^256`.
    #[inline]
    pub(crate) fn product(&mut self, a: &Limbs, b: &Limbs) {
        for (i, a) in a.iter().enumerate() {
            for (j, b) in b.iter().enumerate() {
                let p = u128::from(*a) * u128::from(*b);
                self.0[i + j] += u128::from(low(p));
                self.0[i + j + 1] += u128::from(high(p));
            }
        }
    }

    /// Adds `a`.
    #[inline]
    pub(crate) fn integer(&mut self, a: &Limbs) {
        for (column, a) in self.0.iter_mut().zip(a) {
            *column += u128::from(*a);
        }
    }

    /// The sum modulo `q`.
    #[inline]
    pub(crate) fn reduce(mut self) -> Limbs {
        // 8 columns of 128 bits are below 2^576. 2^256 = C mod q folds what is above the fourth limb: below 2^450, 2^324,
        // then below 2^256 + 2^197
        let x: [u64; 9] = carried(&self.0);
        self.0.zeroize();
        let x: [u64; 8] = fold::<5, 7, 8>(&x);
        let x: [u64; 6] = fold::<4, 6, 6>(&x);
        let x: [u64; 5] = fold::<2, 4, 5>(&x);
        // the fifth limb is 0 or 1; if it is 1 the others are small, so that adding C does not carry
        let low = [x[0], x[1], x[2], x[3]];
        let (folded, over) = plus_c(&low);
        select(&low, &folded, over | x[4])
    }
}

/// Columns to limbs.
fn carried<const COLUMNS: usize, const LIMBS: usize>(columns: &[u128; COLUMNS]) -> [u64; LIMBS] {
    let mut limbs = [0; LIMBS];
    let mut carry = 0u128;
    for (i, limb) in limbs.iter_mut().enumerate() {
        let column = if i < COLUMNS { columns[i] } else { 0 };
        let t = carry + column;
        *limb = low(t);
        carry = t >> 64;
    }
    limbs
}

/// `low + high * C` for `HIGH` limbs above the fourth.
fn fold<const HIGH: usize, const COLUMNS: usize, const OUT: usize>(x: &[u64]) -> [u64; OUT] {
    let mut columns = [0u128; COLUMNS];
    for i in 0..4 {
        columns[i] = u128::from(x[i]);
    }
    for i in 0..HIGH {
        let limb = x[4 + i];
        for (j, c) in C.iter().take(2).enumerate() {
            let p = u128::from(limb) * u128::from(*c);
            columns[i + j] += u128::from(low(p));
            columns[i + j + 1] += u128::from(high(p));
        }
        // the third limb of C is one
        columns[i + 2] += u128::from(limb);
    }
    carried(&columns)
}

/// A scalar of the curve library.
pub(crate) fn from_scalar(scalar: &Scalar) -> Limbs {
    from_bytes(&Zeroizing::new(Secp256k1::scalar_to_bytes(scalar)))
}

/// A scalar of the curve library. By reduction, which changes nothing here: decoding would branch on the range.
pub(crate) fn to_scalar(limbs: &Limbs) -> Scalar {
    let mut wide = Zeroizing::new([0; 64]);
    let (_, low) = wide.split_at_mut(32);
    low.copy_from_slice(Zeroizing::new(to_bytes(limbs)).as_slice());
    Secp256k1::scalar_from_wide(&wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use k256::{U256, elliptic_curve::ops::Reduce};
    use proptest::prelude::*;

    fn reference(x: &Limbs) -> Scalar {
        Scalar::reduce(&U256::from_be_slice(&to_bytes(x)))
    }

    /// Any integer, with the edges of limbs and of the order.
    fn integer() -> impl Strategy<Value = Limbs> {
        let q = from_bytes(&to_bytes(&sub(&[0; 4], &[1, 0, 0, 0])));
        let limb = prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(u64::MAX - 1), any::<u64>()];
        prop_oneof![
            prop::array::uniform4(limb),
            any::<[u64; 4]>(),
            Just(q),
            Just([q[0] + 1, q[1], q[2], q[3]]),
            Just([q[0] + 2, q[1], q[2], q[3]]),
            Just([u64::MAX; 4]),
        ]
    }

    #[test]
    fn minus_one_is_the_library_s() {
        assert_eq!(sub(&[0; 4], &[1, 0, 0, 0]), from_scalar(&-Scalar::ONE));
        assert_eq!(add(&from_scalar(&-Scalar::ONE), &[1, 0, 0, 0]), [0; 4]);
        assert_eq!((mask(0), mask(1)), (0, u64::MAX));
        let q_minus_1 = from_scalar(&-Scalar::ONE);
        let q = [q_minus_1[0] + 1, q_minus_1[1], q_minus_1[2], q_minus_1[3]];
        assert!(is_canonical(&q_minus_1) && !is_canonical(&q) && !is_canonical(&[u64::MAX; 4]));
        assert_eq!(reduce_once(&q), [0; 4]);
    }

    #[test]
    fn the_largest_sum_reduces() {
        let largest = [u64::MAX; 4];
        let mut sum = Sum::default();
        (0..4096).for_each(|_| sum.product(&largest, &largest));
        sum.integer(&largest);
        let expected = reference(&largest) * reference(&largest) * Scalar::from(4096u64) + reference(&largest);
        assert_eq!(to_scalar(&sum.reduce()), expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_the_library(a in integer(), b in integer()) {
            let (ra, rb) = (reduce_once(&a), reduce_once(&b));
            prop_assert!(is_canonical(&ra));
            prop_assert_eq!(is_canonical(&a), ra == a);
            prop_assert_eq!(to_scalar(&ra), reference(&a));
            prop_assert_eq!(from_scalar(&reference(&a)), ra);
            prop_assert_eq!(to_scalar(&add(&ra, &rb)), reference(&a) + reference(&b));
            prop_assert_eq!(to_scalar(&sub(&ra, &rb)), reference(&a) - reference(&b));
            prop_assert_eq!(to_scalar(&add_unreduced(&a, &rb)), reference(&a) + reference(&b));
            prop_assert_eq!(from_bytes(&to_bytes(&a)), a);
            prop_assert_eq!(masked(&a, 0), [0; 4]);
            prop_assert_eq!(masked(&a, u64::MAX), a);
        }

        #[test]
        fn differences_agree_with_the_library(x in integer(), y in integer(), a in integer()) {
            let a = reduce_once(&a);
            let difference = difference_plus(&x, &y, &shifted(&a));
            prop_assert!(is_canonical(&difference));
            prop_assert_eq!(to_scalar(&difference), reference(&x) - reference(&y) + reference(&a));
        }

        #[test]
        fn sums_agree_with_the_library(terms in prop::collection::vec((integer(), integer()), 0..20), plus in integer()) {
            let mut sum = Sum::default();
            terms.iter().for_each(|(a, b)| sum.product(a, b));
            sum.integer(&plus);
            let products: Vec<Scalar> = terms.iter().map(|(a, b)| reference(a) * reference(b)).collect();
            let result = sum.reduce();
            prop_assert!(is_canonical(&result));
            prop_assert_eq!(to_scalar(&result), products.into_iter().sum::<Scalar>() + reference(&plus));
        }
    }
}
