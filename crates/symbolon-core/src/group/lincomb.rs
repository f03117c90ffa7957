//! `sum k_i*P_i` on secp256k1 for public values: interleaved non-adjacent forms of width 5 (Straus), scalars halved by the
//! endomorphism (Guide to Elliptic Curve Cryptography, algorithms 3.36, 3.51 and 3.74).
//!
//! The curve library has the same sum, but builds two tables for each point from scratch. Here the second one is the image
//! of the first, and a short scalar (a random weight of 128 bits) needs only one: this is what batch checks consist of.

use alloc::vec::Vec;
use k256::{ProjectivePoint, Scalar, elliptic_curve::bigint::U256};

/// The short vectors `(a_1, b_1) = (A, -B)` and `(a_2, b_2) = (A + B, A)` of the lattice `a + b*lambda = 0 mod q`.
const A: u128 = 0x3086_d221_a7d4_6bcd_e86c_90e4_9284_eb15;
const B: u128 = 0xe443_7ed6_010e_8828_6f54_7fa9_0abf_e4c3;
/// `2^384*A/q` and `2^384*B/q`, rounded.
const G1: U256 = U256::from_be_hex("3086d221a7d46bcde86c90e49284eb153daa8a1471e8ca7fe893209a45dbb031");
const G2: U256 = U256::from_be_hex("e4437ed6010e88286f547fa90abfe4c4221208ac9df506c61571b4ae8ac47f71");

/// Digits of one half scalar, the least first, for one table: `P, 3P, ..` up to the largest digit, at most `15P`.
struct Stream {
    digits: Vec<i8>,
    table: Vec<ProjectivePoint>,
}

pub(super) fn lincomb_vartime(terms: &[(ProjectivePoint, Scalar)]) -> ProjectivePoint {
    let mut streams = Vec::with_capacity(2 * terms.len());
    for (point, k) in terms {
        if let Some(digits) = short(k) {
            let table = odd_multiples(point, &digits);
            streams.push(Stream { digits, table });
        } else {
            let [k_1, k_2] = halves(k).map(|half| digits(&half));
            let table = odd_multiples(point, &[15]);
            streams.push(Stream { digits: k_2, table: table.iter().map(ProjectivePoint::endomorphism).collect() });
            streams.push(Stream { digits: k_1, table });
        }
    }
    let len = streams.iter().map(|stream| stream.digits.len()).max().unwrap_or(0);
    let mut sum = ProjectivePoint::IDENTITY;
    for i in (0..len).rev() {
        sum.double_in_place();
        for Stream { digits, table } in &streams {
            let digit = digits.get(i).copied().unwrap_or(0);
            // an odd digit d stands for the entry (|d| - 1)/2
            if let Some(multiple) = table.get(usize::from(digit.unsigned_abs() / 2)).filter(|_| digit != 0) {
                if digit > 0 { sum += multiple } else { sum -= multiple }
            }
        }
    }
    sum
}

/// As far as these digits need them.
fn odd_multiples(point: &ProjectivePoint, digits: &[i8]) -> Vec<ProjectivePoint> {
    let largest = usize::from(digits.iter().map(|digit| digit.unsigned_abs()).max().unwrap_or(0));
    let mut multiples = Vec::with_capacity(8);
    multiples.push(*point);
    if largest > 1 {
        let double = point.double();
        let mut last = *point;
        for _ in 0..largest / 2 {
            last += &double;
            multiples.push(last);
        }
    }
    multiples
}

/// `(k_1, k_2)` with `k = k_1 + k_2*lambda`, both of about 128 bits up to the sign: `(k, 0)` less the closest vector of the
/// lattice.
fn halves(k: &Scalar) -> [Scalar; 2] {
    let number = U256::from_be_slice(&k.to_bytes());
    let quotient = |g: &U256| Scalar::from(high_half(&number.widening_mul(g).1.to_be_bytes().into()));
    let (c_1, c_2) = (quotient(&G1), quotient(&G2));
    let (a, b) = (Scalar::from(A), Scalar::from(B));
    [*k - c_1 * a - c_2 * (a + b), c_1 * b - c_2 * a]
}

fn high_half(bytes: &[u8; 32]) -> u128 {
    let (high, _) = split(bytes);
    high
}

fn split(bytes: &[u8; 32]) -> (u128, u128) {
    bytes.iter().fold((0, 0), |(high, low), byte| (high << 8 | low >> 120, low << 8 | u128::from(*byte)))
}

/// The digits of a scalar that is short up to the sign.
fn short(k: &Scalar) -> Option<Vec<i8>> {
    let is_short = |k: &Scalar| high_half(&k.to_bytes().into()) == 0;
    (is_short(k) || is_short(&-*k)).then(|| digits(k))
}

/// The non-adjacent form of width 5 of `k` or, if that is shorter, of `k - q`: odd digits between -15 and 15, each with
/// four zeros above it at least. Right for every scalar; short for short ones.
fn digits(k: &Scalar) -> Vec<i8> {
    let (mut high, mut low) = split(&k.to_bytes().into());
    let mut sign = 1;
    if high > u128::MAX / 2 {
        (high, low) = split(&(-*k).to_bytes().into());
        sign = -1;
    }
    let mut digits = Vec::with_capacity(260);
    let shift = |(high, low): (u128, u128), by: u32| (high >> by, low >> by | high << (128 - by));
    while (high, low) != (0, 0) {
        if low & 1 == 0 {
            (high, low) = shift((high, low), 1);
            digits.push(0);
            continue;
        }
        let mut digit = i8::try_from(low & 31).unwrap_or(0);
        (high, low) = shift((high, low), 5);
        if digit > 16 {
            digit -= 32;
            let carry;
            (low, carry) = low.overflowing_add(1);
            high += u128::from(carry);
        }
        digits.extend([sign * digit, 0, 0, 0, 0]);
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Group, Secp256k1, SeedRng};

    fn edges() -> Vec<Scalar> {
        let two_to_127 = Scalar::from(1u128 << 127);
        let small = [0u128, 1, 2, 15, 16, 17, 31, 32, A, B, u128::MAX].map(Scalar::from);
        let wide = [two_to_127 + two_to_127, (Scalar::ONE + Scalar::ONE).invert().unwrap(), two_to_127 * two_to_127];
        small.into_iter().chain(wide).flat_map(|k| [k, -k, k + Scalar::ONE, k - Scalar::ONE]).collect()
    }

    fn scalars() -> Vec<Scalar> {
        let mut rng = SeedRng::new(&[1; 32]);
        edges().into_iter().chain((0..200).map(|_| Secp256k1::random_scalar(&mut rng))).collect()
    }

    #[test]
    fn a_sum_is_the_sum_of_its_products() {
        let mut rng = SeedRng::new(&[2; 32]);
        let terms: Vec<_> =
            scalars().into_iter().map(|k| (Secp256k1::mul_base(&Secp256k1::random_scalar(&mut rng)), k)).collect();
        for (point, k) in &terms {
            assert_eq!(lincomb_vartime(&[(*point, *k)]), point * k, "{k:?}");
        }
        let sum: ProjectivePoint = terms.iter().map(|(point, k)| point * k).sum();
        assert_eq!(lincomb_vartime(&terms), sum);
        // one point in many terms, its negative, and the identity
        let p = terms[60].0;
        let same = [(p, Scalar::from(5u64)), (-p, Scalar::from(7u64)), (p, Scalar::from(2u64))];
        assert_eq!(lincomb_vartime(&same), ProjectivePoint::IDENTITY);
        assert_eq!(lincomb_vartime(&[(ProjectivePoint::IDENTITY, terms[60].1), (p, Scalar::ONE)]), p);
        assert_eq!(lincomb_vartime(&[]), ProjectivePoint::IDENTITY);
    }

    #[test]
    fn digits_are_a_non_adjacent_form() {
        for k in scalars() {
            let digits = digits(&k);
            let value = digits.iter().rev().fold(Scalar::ZERO, |sum, digit| {
                let digit = i64::from(*digit);
                let size = Scalar::from(digit.unsigned_abs());
                sum + sum + if digit < 0 { -size } else { size }
            });
            assert_eq!(value, k);
            for five in digits.windows(5) {
                assert!(five.iter().filter(|digit| **digit != 0).count() <= 1);
            }
            assert!(digits.iter().all(|digit| *digit == 0 || (digit % 2 != 0 && digit.unsigned_abs() < 16)));
        }
    }

    // only the speed rests on it
    #[test]
    fn halves_are_short() {
        for k in scalars() {
            for half in halves(&k) {
                assert!(digits(&half).len() <= 135, "{k:?}");
            }
        }
    }
}
