//! Decoding of points of the prime-order subgroup of edwards25519, in variable time: what is encoded is public.

use crate::wire::DecodeError;
use curve25519_dalek::{EdwardsPoint, Scalar, edwards::CompressedEdwardsY, traits::Identity};

/// `p - 1`, little-endian: the largest canonical `y`.
const MINUS_ONE: [u8; 32] = {
    let mut y = [0xff; 32];
    (y[0], y[31]) = (0xec, 0x7f);
    y
};

/// The point of the subgroup that these public bytes are the one encoding of.
///
/// # Errors
/// [`DecodeError::Identity`] for the encoding of the identity, [`DecodeError::Point`] for everything else.
pub(super) fn decode(bytes: &[u8; 32]) -> Result<EdwardsPoint, DecodeError> {
    let one = CompressedEdwardsY::identity().to_bytes();
    if *bytes == one {
        return Err(DecodeError::Identity);
    }
    // Bit 255 is the sign of x, the rest is y. The library reduces y modulo p and takes x = 0 with either sign; those are all
    // its encodings that we would not write, and the bytes show both without writing the point (an inversion). x = 0 means
    // y^2 = 1, because -x^2 + y^2 = 1 + d*x^2*y^2: modulo a prime, that is y = 1 or y = p - 1 and nothing else.
    let mut y = *bytes;
    y[31] &= 0x7f;
    let reduced = y.iter().rev().le(MINUS_ONE.iter().rev());
    let minus_zero = y != *bytes && (y == one || y == MINUS_ONE);
    if !reduced || minus_zero {
        return Err(DecodeError::Point);
    }
    let point = CompressedEdwardsY(*bytes).decompress().ok_or(DecodeError::Point)?;
    if is_torsion_free(&point) { Ok(point) } else { Err(DecodeError::Point) }
}

/// Whether `l*P = O`, as `(l - 1)*P = -P`. The library has no other function that multiplies by the group order in variable
/// time. The scalar -1 is stored as the integer `l - 1`, multiplication by it is exact for every point of the curve, and
/// the addition law is complete. `l` is prime: what has an order that divides it is in the subgroup.
fn is_torsion_free(point: &EdwardsPoint) -> bool {
    EdwardsPoint::vartime_double_scalar_mul_basepoint(&-Scalar::ONE, point, &Scalar::ZERO) == -point
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ed25519, Group, SeedRng};
    use alloc::vec::Vec;
    use curve25519_dalek::{constants::EIGHT_TORSION, traits::IsIdentity};
    use rand_core::Rng;

    /// The same rule in other words: what decompresses, is written as it was read, and is killed by `l`.
    fn rule(bytes: &[u8; 32]) -> Result<EdwardsPoint, DecodeError> {
        let point = CompressedEdwardsY(*bytes).decompress().ok_or(DecodeError::Point)?;
        if point.compress().as_bytes() != bytes {
            return Err(DecodeError::Point);
        }
        if point.is_identity() {
            return Err(DecodeError::Identity);
        }
        if point.is_torsion_free() { Ok(point) } else { Err(DecodeError::Point) }
    }

    /// Both signs of `p + i`; `i` from -256 to 18, which is below 2^255.
    fn near_p(i: i16) -> [[u8; 32]; 2] {
        let mut y = [0xff; 32];
        let low = (0x01ed + i).to_le_bytes();
        // p = 2^255 - 19 ends in 0xffed; below 0xff00 the second byte changes
        (y[0], y[1], y[31]) = (low[0], 0xfe + low[1], 0x7f);
        let mut negative = y;
        negative[31] = 0xff;
        [y, negative]
    }

    fn random_points(n: usize) -> impl Iterator<Item = EdwardsPoint> {
        let mut rng = SeedRng::new(&[11; 32]);
        (0..n).map(move |_| Ed25519::mul_base(&Ed25519::random_scalar(&mut rng)))
    }

    // attacks.md row 39
    #[test]
    fn row_39_every_torsion_component_is_refused() {
        assert!(EIGHT_TORSION[0].is_identity());
        let base = [EdwardsPoint::identity(), Ed25519::generator()];
        for point in base.into_iter().chain(random_points(50)) {
            for (i, torsion) in EIGHT_TORSION.iter().enumerate() {
                let sum = point + torsion;
                assert_eq!(is_torsion_free(&sum), i == 0);
                let expected = match (i, point.is_identity()) {
                    (0, true) => Err(DecodeError::Identity),
                    (0, false) => Ok(sum),
                    _ => Err(DecodeError::Point),
                };
                assert_eq!(Ed25519::point_from_bytes(sum.compress().as_bytes()), expected);
            }
        }
    }

    #[test]
    fn a_point_has_one_encoding() {
        let (mut decompressed, mut in_the_subgroup) = (0, 0);
        for bytes in (0..=18).flat_map(near_p) {
            assert_eq!(Ed25519::point_from_bytes(&bytes), Err(DecodeError::Point), "{bytes:02x?}");
            // those which no later check refuses
            if let Some(point) = CompressedEdwardsY(bytes).decompress() {
                decompressed += 1;
                in_the_subgroup += usize::from(point.is_torsion_free());
            }
        }
        // the identity, with both signs
        assert_eq!((decompressed, in_the_subgroup), (24, 2));
        // -0, of the identity and of the point of order two
        let one = CompressedEdwardsY::identity().to_bytes();
        assert_eq!(near_p(-1)[0], MINUS_ONE);
        assert_eq!(Ed25519::point_from_bytes(&one), Err(DecodeError::Identity));
        for y in [one, MINUS_ONE] {
            let mut bytes = y;
            bytes[31] |= 0x80;
            assert!(CompressedEdwardsY(bytes).decompress().unwrap().compress().to_bytes() == y, "it is taken for +0");
            assert_eq!(Ed25519::point_from_bytes(&bytes), Err(DecodeError::Point));
        }
        for len in [0, 1, 31, 33, 64] {
            assert_eq!(Ed25519::point_from_bytes(&[2; 64][..len]), Err(DecodeError::Truncated));
        }
    }

    #[test]
    fn decodes_exactly_what_the_rule_does() {
        let mut rng = SeedRng::new(&[12; 32]);
        let mut all: Vec<[u8; 32]> = (-256..=18).flat_map(near_p).collect();
        // small y, both signs
        for y in 0..=255 {
            let mut bytes = [0; 32];
            bytes[0] = y;
            all.push(bytes);
            bytes[31] = 0x80;
            all.push(bytes);
        }
        for _ in 0..4000 {
            let mut bytes = [0; 32];
            rng.fill_bytes(&mut bytes);
            all.push(bytes);
        }
        for point in random_points(100) {
            all.extend(EIGHT_TORSION.iter().map(|torsion| (point + torsion).compress().to_bytes()));
        }
        let (mut points, mut identities) = (0, 0);
        for bytes in &all {
            let expected = rule(bytes);
            assert_eq!(Ed25519::point_from_bytes(bytes), expected, "{bytes:02x?}");
            points += usize::from(expected.is_ok());
            identities += usize::from(expected == Err(DecodeError::Identity));
        }
        // 1/16 of what is random, 100 that were made, and one encoding of the identity
        assert!(points > 300 && points < all.len() / 4, "{points} of {}", all.len());
        assert_eq!(identities, 1);
    }

    // attacks.md rows 26, 39: s < l
    #[test]
    fn row_39_scalars_are_canonical() {
        let mut rng = SeedRng::new(&[13; 32]);
        // little-endian s + k*l; l - 1 is -1
        let plus = |s: &Scalar, k: u8| {
            let (mut sum, mut carry) = (s.to_bytes(), u16::from(k));
            for (to, l) in sum.iter_mut().zip((-Scalar::ONE).to_bytes()) {
                let limb = u16::from(*to) + u16::from(l) * u16::from(k) + carry;
                (*to, carry) = (limb.to_le_bytes()[0], limb >> 8);
            }
            sum
        };
        for s in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, Ed25519::random_scalar(&mut rng)] {
            assert_eq!(Ed25519::scalar_from_bytes(&s.to_bytes()), Ok(s));
            for k in [1, 2, 7, 8, 14] {
                let bytes = plus(&s, k);
                assert_eq!(Scalar::from_bytes_mod_order(bytes), s, "the same scalar");
                assert_eq!(Ed25519::scalar_from_bytes(&bytes), Err(DecodeError::ScalarRange), "{k}");
            }
        }
    }
}
