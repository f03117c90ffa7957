//! The two groups of the workspace behind one small trait.

mod ed25519;
mod lincomb;

use crate::wire::DecodeError;
use alloc::vec::Vec;
use core::{
    fmt::Debug,
    iter::Sum,
    ops::{Add, Mul, Neg, Sub},
};
use curve25519_dalek::{
    EdwardsPoint, Scalar as EdScalar,
    constants::{ED25519_BASEPOINT_COMPRESSED, ED25519_BASEPOINT_POINT},
    edwards::CompressedEdwardsY,
    traits::{Identity, VartimeMultiscalarMul},
};
use k256::{
    AffinePoint, FieldBytes, ProjectivePoint, Scalar as KScalar,
    elliptic_curve::{
        BatchNormalize, PrimeField,
        array::sizes::U65,
        bigint::U512,
        ops::Reduce,
        point::{AffineCoordinates, DecompressPoint},
    },
};
use primeorder::{LookupTable, Radix16Decomposition};
use rand_core::CryptoRng;
use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

/// A group of prime order with canonical encodings. Everything is constant-time in its scalar arguments unless the name
/// ends in `_vartime`.
pub trait Group: Copy + Debug + Eq + Send + Sync + 'static {
    /// Identifies the curve in hashes and stored objects.
    const ID: u8;
    /// The curve's name, for people.
    const NAME: &'static str;
    /// Bytes of a compressed point.
    const POINT_LEN: usize;
    /// A scalar modulo the group order.
    type Scalar: Copy
        + Default
        + Eq
        + Debug
        + Send
        + Sync
        + Zeroize
        + ConstantTimeEq
        + ConditionallySelectable
        + From<u64>
        + Neg<Output = Self::Scalar>
        + Add<Output = Self::Scalar>
        + Sub<Output = Self::Scalar>
        + Mul<Output = Self::Scalar>
        + Sum;
    /// A point of the prime-order group.
    type Point: Copy
        + Eq
        + Debug
        + Send
        + Sync
        + Zeroize
        + ConstantTimeEq
        + ConditionallySelectable
        + Neg<Output = Self::Point>
        + Add<Output = Self::Point>
        + Sub<Output = Self::Point>
        + Sum;
    /// A compressed point.
    type PointBytes: AsRef<[u8]> + for<'a> TryFrom<&'a [u8]> + Copy + Eq + Ord + Debug + Send + Sync + Zeroize;
    /// Bytes of an uncompressed point.
    const UNCOMPRESSED_LEN: usize;
    /// A point that is decoded without a square root, where the curve has such an encoding: `x || y` on secp256k1, 64 bytes without a
    /// tag; the compressed one on Ed25519. Dealings use it, where every receiver decodes many points.
    type Uncompressed: AsRef<[u8]> + for<'a> TryFrom<&'a [u8]> + Copy + Eq + Debug + Send + Sync;

    /// The neutral element.
    fn identity() -> Self::Point;
    /// The standard generator `G`.
    fn generator() -> Self::Point;
    /// The encoding of `G`.
    fn generator_bytes() -> Self::PointBytes;
    /// `k*G`.
    fn mul_base(k: &Self::Scalar) -> Self::Point;
    /// `k*P`.
    fn mul(point: &Self::Point, k: &Self::Scalar) -> Self::Point;
    /// `a*G + b*P`.
    fn mul_base_add(a: &Self::Scalar, point: &Self::Point, b: &Self::Scalar) -> Self::Point;
    /// `a*G + b*P` for public values.
    fn mul_base_add_vartime(a: &Self::Scalar, point: &Self::Point, b: &Self::Scalar) -> Self::Point;
    /// `sum k_i*P_i` for public values.
    fn lincomb_vartime(terms: &[(Self::Point, Self::Scalar)]) -> Self::Point;
    /// `1/k`; zero for zero.
    fn invert(k: &Self::Scalar) -> Self::Scalar;
    /// `1/k` of a public value; zero for zero.
    fn invert_vartime(k: &Self::Scalar) -> Self::Scalar {
        Self::invert(k)
    }
    /// Reduces 64 uniform bytes.
    fn scalar_from_wide(bytes: &[u8; 64]) -> Self::Scalar;
    /// 32 bytes: big-endian on secp256k1, little-endian on Ed25519, as their standards have it.
    fn scalar_to_bytes(k: &Self::Scalar) -> [u8; 32];
    /// # Errors
    /// [`DecodeError::ScalarRange`] unless canonical.
    fn scalar_from_bytes(bytes: &[u8; 32]) -> Result<Self::Scalar, DecodeError>;
    /// The compressed encoding, without a branch.
    fn point_to_bytes(point: &Self::Point) -> Self::PointBytes;
    /// Compressed encodings of many points with one inversion.
    fn points_to_bytes(points: &[Self::Point]) -> Vec<Self::PointBytes>;
    /// Decodes in variable time: encoded points are public. Every received point passes here before anything is computed
    /// with it. With a component of small order, a check of many equations at once would not have the result of its parts.
    ///
    /// # Errors
    /// [`DecodeError::Point`] unless canonical, on the curve and in the prime-order subgroup;
    /// [`DecodeError::Identity`] for the identity; [`DecodeError::Truncated`] for another length.
    fn point_from_bytes(bytes: &[u8]) -> Result<Self::Point, DecodeError>;
    /// Uncompressed encodings of many points with one inversion, without a branch; zeros for the identity.
    fn points_to_uncompressed(points: &[Self::Point]) -> Vec<Self::Uncompressed>;
    /// Decodes in variable time, with the checks of [`Group::point_from_bytes`].
    ///
    /// # Errors
    /// As there.
    fn point_from_uncompressed(bytes: &Self::Uncompressed) -> Result<Self::Point, DecodeError>;
    /// The compressed encoding of the point that this is the uncompressed one of, without a branch; meaningless for other bytes.
    fn compress(bytes: &Self::Uncompressed) -> Self::PointBytes;

    /// Whether a public point is the identity.
    fn is_identity(point: &Self::Point) -> bool {
        *point == Self::identity()
    }

    /// A uniform non-zero scalar from 64 bytes of the generator.
    fn random_scalar(rng: &mut impl CryptoRng) -> Self::Scalar {
        let mut wide = Zeroizing::new([0u8; 64]);
        loop {
            rng.fill_bytes(wide.as_mut());
            let k = Self::scalar_from_wide(&wide);
            if !bool::from(k.ct_eq(&Self::Scalar::default())) {
                return k;
            }
        }
    }
}

/// secp256k1 (SEC 2), cofactor 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Secp256k1;

impl Secp256k1 {
    /// Affine coordinates `x || y` of a **secret** point (an OT or ECDH shared point), without a branch: the SEC 1 encoder
    /// of the curve library branches on the tag. The identity, which no caller of ours reaches, gives zeros.
    #[must_use]
    pub fn secret_point_bytes(point: &ProjectivePoint) -> [u8; 64] {
        coordinates(&point.to_affine())
    }

    /// Affine forms of many points, with one inversion and without a branch: 88 bytes for each, where [`Group::Point`] has 120, and
    /// [`Self::affine_to_bytes`] is cheap.
    #[must_use]
    pub fn to_affine(points: &[ProjectivePoint]) -> Vec<AffinePoint> {
        ProjectivePoint::batch_normalize(points)
    }

    /// [`Group::point_to_bytes`] of an affine point.
    #[must_use]
    pub fn affine_to_bytes(point: &AffinePoint) -> [u8; 33] {
        compress(point)
    }

    /// [`Self::secret_point_bytes`] of many points with one inversion.
    #[must_use]
    pub fn secret_points_bytes(points: &[ProjectivePoint]) -> Vec<Zeroizing<[u8; 64]>> {
        let mut affine = ProjectivePoint::batch_normalize(points);
        let bytes = affine.iter().map(|p| Zeroizing::new(coordinates(p))).collect();
        affine.iter_mut().for_each(Zeroize::zeroize);
        bytes
    }
}

fn coordinates(point: &AffinePoint) -> [u8; 64] {
    let mut bytes = [0; 64];
    let (x, y) = bytes.split_at_mut(32);
    x.copy_from_slice(&point.x());
    y.copy_from_slice(&point.y());
    bytes
}

/// Tag and x; the identity is 33 zeros, and no branch: a fresh public point is computed from a secret.
fn compress(point: &AffinePoint) -> [u8; 33] {
    let mut bytes = [0; 33];
    let (tag, x) = bytes.split_at_mut(1);
    tag.fill(u8::conditional_select(&(2 | point.y_is_odd().unwrap_u8()), &0, point.ct_eq(&AffinePoint::IDENTITY)));
    x.copy_from_slice(&point.x());
    bytes
}

impl Group for Secp256k1 {
    const ID: u8 = 1;
    const NAME: &'static str = "secp256k1";
    const POINT_LEN: usize = 33;
    type Scalar = KScalar;
    type Point = ProjectivePoint;
    type PointBytes = [u8; 33];
    const UNCOMPRESSED_LEN: usize = 64;
    type Uncompressed = [u8; 64];

    fn identity() -> ProjectivePoint {
        ProjectivePoint::IDENTITY
    }

    fn generator() -> ProjectivePoint {
        ProjectivePoint::GENERATOR
    }

    fn generator_bytes() -> [u8; 33] {
        compress(&AffinePoint::GENERATOR)
    }

    fn mul_base(k: &KScalar) -> ProjectivePoint {
        ProjectivePoint::mul_by_generator(k)
    }

    fn mul(point: &ProjectivePoint, k: &KScalar) -> ProjectivePoint {
        point * k
    }

    fn mul_base_add(a: &KScalar, point: &ProjectivePoint, b: &KScalar) -> ProjectivePoint {
        ProjectivePoint::mul_by_generator(a) + point * b
    }

    fn mul_base_add_vartime(a: &KScalar, point: &ProjectivePoint, b: &KScalar) -> ProjectivePoint {
        lincomb::lincomb_vartime(&[(ProjectivePoint::GENERATOR, *a), (*point, *b)])
    }

    fn lincomb_vartime(terms: &[(ProjectivePoint, KScalar)]) -> ProjectivePoint {
        lincomb::lincomb_vartime(terms)
    }

    fn invert(k: &KScalar) -> KScalar {
        k.invert().unwrap_or(KScalar::ZERO)
    }

    fn invert_vartime(k: &KScalar) -> KScalar {
        k.invert_vartime().unwrap_or(KScalar::ZERO)
    }

    fn scalar_from_wide(bytes: &[u8; 64]) -> KScalar {
        KScalar::reduce(&U512::from_be_slice(bytes))
    }

    fn scalar_to_bytes(k: &KScalar) -> [u8; 32] {
        k.to_bytes().into()
    }

    fn scalar_from_bytes(bytes: &[u8; 32]) -> Result<KScalar, DecodeError> {
        KScalar::from_repr(FieldBytes::from(*bytes)).into_option().ok_or(DecodeError::ScalarRange)
    }

    fn point_to_bytes(point: &ProjectivePoint) -> [u8; 33] {
        compress(&point.to_affine())
    }

    fn points_to_bytes(points: &[ProjectivePoint]) -> Vec<[u8; 33]> {
        Self::to_affine(points).iter().map(compress).collect()
    }

    fn point_from_bytes(bytes: &[u8]) -> Result<ProjectivePoint, DecodeError> {
        let bytes: &[u8; 33] = bytes.try_into().map_err(|_| DecodeError::Truncated)?;
        let (tag, x) = bytes.split_first().ok_or(DecodeError::Truncated)?;
        // the library's own decoder also takes tag 05 and 33 zero bytes
        let odd = match tag {
            0 if x.iter().all(|b| *b == 0) => return Err(DecodeError::Identity),
            2 => 0,
            3 => 1,
            _ => return Err(DecodeError::Point),
        };
        let x: [u8; 32] = x.try_into().map_err(|_| DecodeError::Truncated)?;
        AffinePoint::decompress(&FieldBytes::from(x), odd.into())
            .into_option()
            .map(ProjectivePoint::from)
            .ok_or(DecodeError::Point)
    }

    fn points_to_uncompressed(points: &[ProjectivePoint]) -> Vec<[u8; 64]> {
        Self::to_affine(points).iter().map(coordinates).collect()
    }

    fn point_from_uncompressed(bytes: &[u8; 64]) -> Result<ProjectivePoint, DecodeError> {
        if bytes.iter().all(|b| *b == 0) {
            return Err(DecodeError::Identity);
        }
        let (x, y) = halves(bytes);
        // on the curve, and each coordinate below p
        AffinePoint::from_coordinates(&FieldBytes::from(x), &FieldBytes::from(y))
            .into_option()
            .map(ProjectivePoint::from)
            .ok_or(DecodeError::Point)
    }

    fn compress(bytes: &[u8; 64]) -> [u8; 33] {
        let (x, [.., last]) = halves(bytes);
        let mut compressed = [0; 33];
        let (tag, rest) = compressed.split_at_mut(1);
        tag.fill(u8::conditional_select(&(2 | last & 1), &0, bytes.ct_eq(&[0; 64])));
        rest.copy_from_slice(&x);
        compressed
    }
}

/// `x` and `y`.
fn halves(bytes: &[u8; 64]) -> ([u8; 32], [u8; 32]) {
    let mut halves = ([0; 32], [0; 32]);
    let (x, y) = bytes.split_at(32);
    halves.0.copy_from_slice(x);
    halves.1.copy_from_slice(y);
    halves
}

/// The prime-order subgroup of edwards25519 (RFC 8032).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ed25519;

impl Group for Ed25519 {
    const ID: u8 = 2;
    const NAME: &'static str = "ed25519";
    const POINT_LEN: usize = 32;
    type Scalar = EdScalar;
    type Point = EdwardsPoint;
    type PointBytes = [u8; 32];
    const UNCOMPRESSED_LEN: usize = 32;
    type Uncompressed = [u8; 32];

    fn identity() -> EdwardsPoint {
        EdwardsPoint::identity()
    }

    fn generator() -> EdwardsPoint {
        ED25519_BASEPOINT_POINT
    }

    fn generator_bytes() -> [u8; 32] {
        ED25519_BASEPOINT_COMPRESSED.to_bytes()
    }

    fn mul_base(k: &EdScalar) -> EdwardsPoint {
        EdwardsPoint::mul_base(k)
    }

    fn mul(point: &EdwardsPoint, k: &EdScalar) -> EdwardsPoint {
        point * k
    }

    fn mul_base_add(a: &EdScalar, point: &EdwardsPoint, b: &EdScalar) -> EdwardsPoint {
        EdwardsPoint::mul_base(a) + point * b
    }

    fn mul_base_add_vartime(a: &EdScalar, point: &EdwardsPoint, b: &EdScalar) -> EdwardsPoint {
        EdwardsPoint::vartime_double_scalar_mul_basepoint(b, point, a)
    }

    fn lincomb_vartime(terms: &[(EdwardsPoint, EdScalar)]) -> EdwardsPoint {
        EdwardsPoint::vartime_multiscalar_mul(terms.iter().map(|t| t.1), terms.iter().map(|t| t.0))
    }

    fn invert(k: &EdScalar) -> EdScalar {
        k.invert()
    }

    fn scalar_from_wide(bytes: &[u8; 64]) -> EdScalar {
        EdScalar::from_bytes_mod_order_wide(bytes)
    }

    fn scalar_to_bytes(k: &EdScalar) -> [u8; 32] {
        k.to_bytes()
    }

    fn scalar_from_bytes(bytes: &[u8; 32]) -> Result<EdScalar, DecodeError> {
        EdScalar::from_canonical_bytes(*bytes).into_option().ok_or(DecodeError::ScalarRange)
    }

    fn point_to_bytes(point: &EdwardsPoint) -> [u8; 32] {
        point.compress().to_bytes()
    }

    fn points_to_bytes(points: &[EdwardsPoint]) -> Vec<[u8; 32]> {
        EdwardsPoint::compress_batch_alloc(points).iter().map(CompressedEdwardsY::to_bytes).collect()
    }

    fn point_from_bytes(bytes: &[u8]) -> Result<EdwardsPoint, DecodeError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| DecodeError::Truncated)?;
        ed25519::decode(bytes)
    }

    fn points_to_uncompressed(points: &[EdwardsPoint]) -> Vec<[u8; 32]> {
        Self::points_to_bytes(points)
    }

    fn point_from_uncompressed(bytes: &[u8; 32]) -> Result<EdwardsPoint, DecodeError> {
        ed25519::decode(bytes)
    }

    fn compress(bytes: &[u8; 32]) -> [u8; 32] {
        *bytes
    }
}

/// A table of multiples of one secp256k1 point, for many constant-time multiplications of it: each costs about half of
/// a general one.
pub struct FixedBase(Vec<LookupTable<ProjectivePoint>>);

impl FixedBase {
    /// Tables of `256^i * P`, `i < 33`.
    #[must_use]
    pub fn new(point: &ProjectivePoint) -> Self {
        let mut power = *point;
        let tables = (0..33)
            .map(|_| {
                let table = LookupTable::new(power);
                (0..8).for_each(|_| power.double_in_place());
                table
            })
            .collect();
        Self(tables)
    }

    /// `k*P`.
    #[must_use]
    pub fn mul(&self, k: &KScalar) -> ProjectivePoint {
        let digits = Radix16Decomposition::<U65>::new(k);
        let (mut even, mut odd) = (ProjectivePoint::IDENTITY, ProjectivePoint::IDENTITY);
        for (i, table) in self.0.iter().enumerate() {
            even += &table.select(digits[2 * i]);
            if i < 32 {
                odd += &table.select(digits[2 * i + 1]);
            }
        }
        (0..4).for_each(|_| odd.double_in_place());
        even + odd
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeedRng;
    use alloc::vec;

    fn laws<G: Group>() {
        let mut rng = SeedRng::new(&[7; 32]);
        for _ in 0..20 {
            let (a, b) = (G::random_scalar(&mut rng), G::random_scalar(&mut rng));
            let p = G::mul_base(&b);
            assert_eq!(G::mul(&G::generator(), &a), G::mul_base(&a));
            assert_eq!(G::mul_base_add(&a, &p, &b), G::mul_base(&(a + b * b)));
            assert_eq!(G::mul_base_add_vartime(&a, &p, &b), G::mul_base(&(a + b * b)));
            assert_eq!(G::lincomb_vartime(&[(p, a), (G::generator(), b)]), G::mul_base(&(a * b + b)));
            assert_eq!(G::invert(&a) * a, G::Scalar::from(1));
            assert_eq!(G::invert_vartime(&a), G::invert(&a));
            assert_eq!(G::scalar_from_bytes(&G::scalar_to_bytes(&a)), Ok(a));
            let bytes = G::point_to_bytes(&p);
            assert_eq!(G::point_from_bytes(bytes.as_ref()), Ok(p));
            assert_eq!(G::points_to_bytes(&[p, G::generator()])[0], bytes);
            assert!(G::point_from_bytes(&bytes.as_ref()[1..]).is_err());
            let long = G::points_to_uncompressed(&[p, p + p])[0];
            assert_eq!(long.as_ref().len(), G::UNCOMPRESSED_LEN);
            assert_eq!((G::point_from_uncompressed(&long), G::compress(&long)), (Ok(p), bytes));
            assert_eq!(G::compress(&G::points_to_uncompressed(&[-p])[0]), G::point_to_bytes(&-p));
        }
        let identity = G::points_to_uncompressed(&[G::identity()])[0];
        assert_eq!(G::point_from_uncompressed(&identity), Err(DecodeError::Identity));
        assert_eq!(G::compress(&identity), G::point_to_bytes(&G::identity()));
        assert_eq!(G::generator_bytes(), G::point_to_bytes(&G::generator()));
        assert_eq!(G::invert(&G::Scalar::default()), G::Scalar::default());
        assert_eq!(G::invert_vartime(&G::Scalar::default()), G::Scalar::default());
        assert_eq!(G::point_from_bytes(G::point_to_bytes(&G::identity()).as_ref()), Err(DecodeError::Identity));
        assert_eq!(G::scalar_from_bytes(&[0xff; 32]), Err(DecodeError::ScalarRange));
    }

    #[test]
    fn secp256k1_laws() {
        laws::<Secp256k1>();
    }

    #[test]
    fn ed25519_laws() {
        laws::<Ed25519>();
    }

    #[test]
    fn fixed_base_agrees_with_the_library() {
        let mut rng = SeedRng::new(&[8; 32]);
        let p = Secp256k1::mul_base(&Secp256k1::random_scalar(&mut rng));
        let table = FixedBase::new(&p);
        let edge = [KScalar::ZERO, KScalar::ONE, -KScalar::ONE, KScalar::from(8u64), -KScalar::from(8u64)];
        for k in edge.into_iter().chain((0..50).map(|_| Secp256k1::random_scalar(&mut rng))) {
            assert_eq!(table.mul(&k), p * k);
        }
    }

    // attacks.md row 26, bad inputs 20 to 23
    #[test]
    fn row_26_scalars_at_and_above_the_order_are_refused() {
        let q_minus_1: [u8; 32] = (-KScalar::ONE).to_bytes().into();
        assert!(Secp256k1::scalar_from_bytes(&q_minus_1).is_ok());
        let mut q = q_minus_1;
        q[31] += 1;
        let mut q_plus_1 = q;
        q_plus_1[31] += 1;
        for bytes in [q, q_plus_1, [0xff; 32]] {
            assert_eq!(Secp256k1::scalar_from_bytes(&bytes), Err(DecodeError::ScalarRange));
        }
    }

    #[test]
    fn uncompressed_points_are_on_the_curve_and_reduced() {
        let good = Secp256k1::points_to_uncompressed(&[ProjectivePoint::GENERATOR])[0];
        // any bit of x or y: among them are points of other curves, which have small subgroups
        for bit in 0..512 {
            let mut bytes = good;
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Secp256k1::point_from_uncompressed(&bytes), Err(DecodeError::Point), "{bit}");
        }
        // points with a coordinate of 1, which p + 1 is not taken for
        let number = |hex| -> [u8; 32] { k256::elliptic_curve::bigint::U256::from_be_hex(hex).to_be_bytes().into() };
        let one = number("0000000000000000000000000000000000000000000000000000000000000001");
        let p_plus_1 = number("fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30");
        let y = number("4218f20ae6c646b363db68605822fb14264ca8d2587fdd6fbc750d587e76a7ee");
        let x = number("1fe1e5ef3fceb5c135ab7741333ce5a6e80d68167653f6b2b24bcbcfaaaff507");
        let decode = |x: [u8; 32], y: [u8; 32]| {
            Secp256k1::point_from_uncompressed(&[x, y].concat().try_into().unwrap()).map(drop)
        };
        for (good, reduced) in [((one, y), (p_plus_1, y)), ((x, one), (x, p_plus_1))] {
            assert_eq!(decode(good.0, good.1), Ok(()));
            assert_eq!(decode(reduced.0, reduced.1), Err(DecodeError::Point));
        }
    }

    // foundations.md, Encoding; bad inputs 24 to 30
    #[test]
    fn only_tags_02_and_03_are_points() {
        let good = Secp256k1::point_to_bytes(&ProjectivePoint::GENERATOR);
        for tag in (0..=255u8).filter(|tag| ![2, 3].contains(tag)) {
            let mut bytes = good;
            bytes[0] = tag;
            assert_eq!(Secp256k1::point_from_bytes(&bytes), Err(DecodeError::Point), "{tag}");
        }
        assert_eq!(Secp256k1::point_from_bytes(&[0; 33]), Err(DecodeError::Identity));
        for len in [0, 1, 32, 34, 64, 65, 66] {
            assert!(Secp256k1::point_from_bytes(&vec![2; len]).is_err());
        }
        let mut x_is_p = [0xff; 33];
        x_is_p[0] = 2;
        x_is_p[28] = 0xfe;
        x_is_p[31] = 0xfc;
        x_is_p[32] = 0x2f;
        assert_eq!(Secp256k1::point_from_bytes(&x_is_p), Err(DecodeError::Point));
        let mut off = [0; 33];
        (off[0], off[32]) = (2, 5);
        assert_eq!(Secp256k1::point_from_bytes(&off), Err(DecodeError::Point), "x = 5 is not on the curve");
    }

    // bad inputs 31 to 34
    #[test]
    fn small_and_mixed_order_points_are_refused() {
        use curve25519_dalek::constants::EIGHT_TORSION;
        for (i, torsion) in EIGHT_TORSION.iter().enumerate() {
            assert!(Ed25519::point_from_bytes(torsion.compress().as_bytes()).is_err());
            let mixed = ED25519_BASEPOINT_POINT + torsion;
            assert_eq!(Ed25519::point_from_bytes(mixed.compress().as_bytes()).is_ok(), i == 0);
        }
        let mut y_is_p_plus_1 = [0xff; 32];
        (y_is_p_plus_1[0], y_is_p_plus_1[31]) = (0xee, 0x7f);
        assert_eq!(Ed25519::point_from_bytes(&y_is_p_plus_1), Err(DecodeError::Point));
        let mut minus_zero = [0; 32];
        (minus_zero[0], minus_zero[31]) = (1, 0x80);
        assert_eq!(Ed25519::point_from_bytes(&minus_zero), Err(DecodeError::Point));
    }
}
