//! An ECDSA signature in its one form: canonical, low `s`, with its recovery id (ecdsa.md, Always).

use crate::Digest;
use alloc::vec::Vec;
use k256::{
    AffinePoint, FieldBytes, ProjectivePoint, Scalar, U256, ecdsa,
    elliptic_curve::{
        Curve, PrimeField,
        bigint::{ArrayEncoding, CheckedAdd},
        ops::Reduce,
        point::{AffineCoordinates, DecompressPoint},
        scalar::IsHigh,
    },
};
use symbolon_core::{Group, Secp256k1};

/// Which of the up to four points with `x = r` modulo the order `R` is: `(y odd) | (x >= q) << 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecoveryId(u8);

impl RecoveryId {
    /// # Errors
    /// [`SignatureError::RecoveryId`] unless 0 to 3. The `v` of Ethereum and Bitcoin counts from 27: see
    /// [`Signature::from_rsv`].
    pub const fn new(id: u8) -> Result<Self, SignatureError> {
        if id < 4 { Ok(Self(id)) } else { Err(SignatureError::RecoveryId) }
    }

    /// The id of `R` from its coordinates.
    #[must_use]
    const fn of(y_is_odd: YIsOdd, x_is_reduced: XIsReduced) -> Self {
        match (y_is_odd, x_is_reduced) {
            (YIsOdd(false), XIsReduced(false)) => Self(0),
            (YIsOdd(true), XIsReduced(false)) => Self(1),
            (YIsOdd(false), XIsReduced(true)) => Self(2),
            (YIsOdd(true), XIsReduced(true)) => Self(3),
        }
    }

    /// The id of `-R`: what negating `s` makes of it.
    #[must_use]
    const fn negated(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// 0 to 3.
    #[must_use]
    pub const fn to_byte(self) -> u8 {
        self.0
    }

    /// Whether `y(R)` is odd: the "y parity" of typed Ethereum transactions.
    #[must_use]
    pub const fn is_y_odd(self) -> bool {
        self.0 & 1 == 1
    }

    /// Whether `x(R)` is at least the group order, so that `r` is smaller than it. One signature in 2^127; Ethereum does
    /// not accept it, and the caller signs again.
    #[must_use]
    pub const fn is_x_reduced(self) -> bool {
        self.0 & 2 == 2
    }
}

/// Whether `y(R)` is odd.
struct YIsOdd(bool);
/// Whether `x(R) >= q`.
struct XIsReduced(bool);

/// Why a signature was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// Another length, or not DER as it must be written.
    #[error("not the encoding of a signature")]
    Encoding,
    /// `r` or `s` is zero or not below the group order.
    #[error("r or s is zero or not below the group order")]
    Range,
    /// `s` is above half the group order; the other form of the same signature has the low one.
    #[error("s is above half the group order")]
    HighS,
    /// Not a recovery id.
    #[error("not a recovery id: 0 to 3, or 27 to 30 as v")]
    RecoveryId,
}

/// A signature is not valid for this key and digest, or its recovery id is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid")]
pub struct VerifyError;

/// An ECDSA signature on secp256k1. Public. `0 < r < q`, `0 < s <= q/2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature {
    inner: ecdsa::Signature,
    recovery_id: RecoveryId,
}

impl Signature {
    /// From the nonce point `R` and `s`: `r = x(R) mod q`; a high `s` is negated, and `R` with it.
    ///
    /// # Errors
    /// [`SignatureError::Range`] for `R = O`, `r = 0` or `s = 0`.
    pub fn new(big_r: &ProjectivePoint, s: &Scalar) -> Result<Self, SignatureError> {
        if Secp256k1::is_identity(big_r) {
            return Err(SignatureError::Range);
        }
        let big_r = big_r.to_affine();
        let x = big_r.x();
        let x_is_reduced = XIsReduced(Scalar::from_repr(x).is_none().into());
        let recovery_id = RecoveryId::of(YIsOdd(big_r.y_is_odd().into()), x_is_reduced);
        let r = Scalar::reduce(&x);
        // public from here on: a branch tells nothing that the signature does not
        let (s, recovery_id) = if s.is_high().into() { (-*s, recovery_id.negated()) } else { (*s, recovery_id) };
        Self::from_low(r.to_bytes(), s.to_bytes(), recovery_id)
    }

    /// From `r || s`, 64 bytes big-endian, and the recovery id.
    ///
    /// # Errors
    /// [`SignatureError::Encoding`] for another length, [`SignatureError::Range`], [`SignatureError::HighS`].
    pub fn from_bytes(bytes: &[u8], recovery_id: RecoveryId) -> Result<Self, SignatureError> {
        let bytes: &[u8; 64] = bytes.try_into().map_err(|_| SignatureError::Encoding)?;
        let (mut r, mut s) = (FieldBytes::default(), FieldBytes::default());
        let (left, right) = bytes.split_at(32);
        r.copy_from_slice(left);
        s.copy_from_slice(right);
        Self::from_low(r, s, recovery_id)
    }

    /// From `r || s || v`, 65 bytes, `v` = 27 + recovery id.
    ///
    /// # Errors
    /// As [`Self::from_bytes`], and [`SignatureError::RecoveryId`] unless `v` is 27 to 30.
    pub fn from_rsv(bytes: &[u8]) -> Result<Self, SignatureError> {
        let bytes: &[u8; 65] = bytes.try_into().map_err(|_| SignatureError::Encoding)?;
        let (v, rs) = bytes.split_last().ok_or(SignatureError::Encoding)?;
        let recovery_id = RecoveryId::new(v.checked_sub(27).ok_or(SignatureError::RecoveryId)?)?;
        Self::from_bytes(rs, recovery_id)
    }

    /// From DER (`SEQUENCE { r INTEGER, s INTEGER }`), which does not carry the recovery id.
    ///
    /// # Errors
    /// [`SignatureError::Encoding`] unless exactly the bytes that [`Self::to_der`] writes for these numbers,
    /// [`SignatureError::Range`], [`SignatureError::HighS`].
    pub fn from_der(bytes: &[u8], recovery_id: RecoveryId) -> Result<Self, SignatureError> {
        let der = ecdsa::DerSignature::try_from(bytes).map_err(|_| SignatureError::Encoding)?;
        let inner = ecdsa::Signature::try_from(der).map_err(|_| SignatureError::Range)?;
        let (r, s) = inner.split_bytes();
        let signature = Self::from_low(r, s, recovery_id)?;
        // one signature, one encoding, whatever the decoder below lets through
        if signature.to_der() == bytes { Ok(signature) } else { Err(SignatureError::Encoding) }
    }

    fn from_low(r: FieldBytes, s: FieldBytes, recovery_id: RecoveryId) -> Result<Self, SignatureError> {
        let inner = ecdsa::Signature::from_scalars(r, s).map_err(|_| SignatureError::Range)?;
        if inner.s().is_high().into() {
            return Err(SignatureError::HighS);
        }
        Ok(Self { inner, recovery_id })
    }

    /// `r`, 32 bytes big-endian.
    #[must_use]
    pub fn r(&self) -> [u8; 32] {
        self.inner.split_bytes().0.into()
    }

    /// `s`, 32 bytes big-endian.
    #[must_use]
    pub fn s(&self) -> [u8; 32] {
        self.inner.split_bytes().1.into()
    }

    /// The recovery id; its [`RecoveryId::is_y_odd`] is the y parity of typed Ethereum transactions.
    #[must_use]
    pub const fn recovery_id(&self) -> RecoveryId {
        self.recovery_id
    }

    /// `r || s`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 64] {
        self.inner.to_bytes().into()
    }

    /// `r || s || v` with `v` = 27 + recovery id: 27 or 28, as `personal_sign` and `ecrecover` have it. A recovery id of 2 or
    /// 3 gives 29 or 30, which Ethereum refuses ([`RecoveryId::is_x_reduced`]).
    #[must_use]
    pub fn to_rsv(&self) -> [u8; 65] {
        let mut bytes = [0; 65];
        let (rs, v) = bytes.split_at_mut(64);
        rs.copy_from_slice(&self.inner.to_bytes());
        v.fill(27 + self.recovery_id.0);
        bytes
    }

    /// DER, 8 to 71 bytes.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        self.inner.to_der().as_bytes().to_vec()
    }

    /// Whether this is a signature on `digest` under `public_key` and the recovery id is right: `s*R = h*G + r*P` with the
    /// one `R` that `r` and the id name. That is the verification equation without its inversion, and a check of the id.
    ///
    /// # Errors
    /// [`VerifyError`], without a reason.
    // everything here is public, and takes variable time: a frame of its own lets the constant-time check tell it apart
    #[inline(never)]
    pub fn verify(&self, public_key: &ProjectivePoint, digest: &Digest) -> Result<(), VerifyError> {
        let big_r = self.big_r().ok_or(VerifyError)?;
        let (r, s) = (*self.inner.r().as_ref(), *self.inner.s().as_ref());
        let terms = [(big_r, -s), (ProjectivePoint::GENERATOR, digest.to_scalar()), (*public_key, r)];
        let holds = Secp256k1::is_identity(&Secp256k1::lincomb_vartime(&terms));
        if holds && !Secp256k1::is_identity(public_key) { Ok(()) } else { Err(VerifyError) }
    }

    /// The nonce point: `x = r`, or `r + q` where that is below the field prime and the id says so.
    fn big_r(&self) -> Option<ProjectivePoint> {
        let r = U256::from_be_slice(&self.r());
        let x = match self.recovery_id.is_x_reduced() {
            true => r.checked_add(k256::Secp256k1::ORDER.as_ref()).into_option()?,
            false => r,
        };
        // refuses x not below the field prime
        let odd = u8::from(self.recovery_id.is_y_odd()).into();
        AffinePoint::decompress(&x.to_be_byte_array(), odd).into_option().map(ProjectivePoint::from)
    }

    /// The public key under which this is a signature on `digest`: `(s*R - h*G) / r`.
    ///
    /// # Errors
    /// [`VerifyError`] if `r` and the recovery id name no point, or the key would be the identity.
    ///
    /// # Security
    /// Every pair of a digest and well-formed numbers recovers *some* key: the result means nothing until it is compared.
    pub fn recover(&self, digest: &Digest) -> Result<ProjectivePoint, VerifyError> {
        let id = ecdsa::RecoveryId::from_byte(self.recovery_id.0).ok_or(VerifyError)?;
        let key = ecdsa::VerifyingKey::recover_from_prehash(digest.as_bytes(), &self.inner, id);
        key.map(|key| ProjectivePoint::from(*key.as_affine())).map_err(|_| VerifyError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Payload, hazmat};
    use alloc::{collections::BTreeMap, vec::Vec};
    use core::iter::successors;

    const IDS: [RecoveryId; 4] = [RecoveryId(0), RecoveryId(1), RecoveryId(2), RecoveryId(3)];

    /// Plain ECDSA with a known nonce: the oracle.
    fn sign(key: u64, nonce: u64, digest: &Digest) -> Signature {
        let (x, k) = (Scalar::from(key), Scalar::from(nonce));
        let big_r = Secp256k1::mul_base(&k);
        let r = Scalar::reduce(&big_r.to_affine().x());
        Signature::new(&big_r, &(Secp256k1::invert(&k) * (digest.to_scalar() + r * x))).unwrap()
    }

    fn some() -> (ProjectivePoint, Digest, Signature) {
        let digest = Payload::sha256(b"some").digest();
        (Secp256k1::mul_base(&Scalar::from(7u64)), digest, sign(7, 11, &digest))
    }

    /// The order, and half of it rounded down, as bytes.
    fn order() -> ([u8; 32], [u8; 32]) {
        let mut q: [u8; 32] = (-Scalar::ONE).to_bytes().into();
        let half: [u8; 32] = (-Scalar::ONE * Secp256k1::invert(&Scalar::from(2u64))).to_bytes().into();
        q[31] += 1;
        (q, half)
    }

    #[test]
    fn signatures_verify_recover_and_read_back() {
        let mut seen = [0; 2];
        for n in 1..200u64 {
            let digest = Payload::sha256(&n.to_be_bytes()).digest();
            let (public_key, signature) = (Secp256k1::mul_base(&Scalar::from(n)), sign(n, n + 1000, &digest));
            assert_eq!(signature.verify(&public_key, &digest), Ok(()));
            assert_eq!(signature.recover(&digest), Ok(public_key));
            let id = signature.recovery_id();
            seen[usize::from(id.to_byte())] += 1;
            assert_eq!(Signature::from_bytes(&signature.to_bytes(), id), Ok(signature));
            assert_eq!(Signature::from_rsv(&signature.to_rsv()), Ok(signature));
            assert_eq!(Signature::from_der(&signature.to_der(), id), Ok(signature));
            assert_eq!([signature.r(), signature.s()].concat(), signature.to_bytes());
            let wrong = IDS.into_iter().filter(|other| *other != id);
            for other in wrong {
                let other = Signature { recovery_id: other, ..signature };
                assert_eq!(other.verify(&public_key, &digest), Err(VerifyError));
            }
            assert_eq!(signature.verify(&-public_key, &digest), Err(VerifyError));
            assert_eq!(signature.verify(&public_key, &Payload::sha256(b"other").digest()), Err(VerifyError));
        }
        assert!(seen.iter().all(|n| *n > 50), "{seen:?}");
    }

    // attacks.md row 54, on the curve itself: a point R with x >= q is easy to find though nobody knows its logarithm, and
    // recovery then gives a key for which (R, s) is a signature
    #[test]
    fn row_54_all_four_recovery_ids_high_and_low_s() {
        let digest = Payload::sha256(b"row 54").digest();
        let (q, _) = order();
        let reduced = successors(Some(q), |x| {
            let mut x = *x;
            x[31] = x[31].checked_add(1)?;
            Some(x)
        });
        let small = (1..60u8).map(|n| {
            let mut x = [0; 32];
            x[31] = n;
            x
        });
        let mut seen = BTreeMap::new();
        for x in reduced.chain(small) {
            for tag in [2u8, 3] {
                let Ok(big_r) = Secp256k1::point_from_bytes(&[&[tag][..], &x].concat()) else { continue };
                for s in [Scalar::from(77u64), -Scalar::from(77u64)] {
                    let r = Scalar::reduce(&FieldBytes::from(x));
                    if r == Scalar::ZERO {
                        continue;
                    }
                    let r_inv = Secp256k1::invert(&r);
                    let public_key = big_r * (s * r_inv) - Secp256k1::mul_base(&(digest.to_scalar() * r_inv));
                    let signature = Signature::new(&big_r, &s).unwrap();
                    assert_eq!(signature.s()[..31], [0; 31], "the low one of the two");
                    assert_eq!(signature.recover(&digest), Ok(public_key));
                    assert_eq!(signature.verify(&public_key, &digest), Ok(()));
                    let id = signature.recovery_id();
                    assert_eq!(id.is_x_reduced(), x >= q);
                    let flipped = bool::from(s.is_high());
                    assert_eq!(id.is_y_odd(), (tag == 3) != flipped);
                    assert_eq!(signature.to_rsv()[64], 27 + id.to_byte());
                    assert_eq!(Signature::from_rsv(&signature.to_rsv()), Ok(signature));
                    *seen.entry((id, flipped)).or_insert(0) += 1;
                }
            }
        }
        assert_eq!(seen.len(), 8, "{seen:?}");
    }

    /// `y^2 = x^3 + a*x + b` modulo a small prime: everything by trial.
    struct Toy {
        p: i64,
        a: i64,
    }

    type ToyPoint = Option<(i64, i64)>;

    impl Toy {
        fn inverse(n: i64, modulus: i64) -> i64 {
            (1..modulus).find(|i| (n.rem_euclid(modulus) * i) % modulus == 1).unwrap()
        }

        fn add(&self, left: ToyPoint, right: ToyPoint) -> ToyPoint {
            let (Some((x1, y1)), Some((x2, y2))) = (left, right) else { return left.or(right) };
            let slope = match (x1 == x2, (y1 + y2) % self.p == 0) {
                (true, true) => return None,
                (true, false) => (3 * x1 * x1 + self.a) * Self::inverse(2 * y1, self.p),
                _ => (y2 - y1) * Self::inverse(x2 - x1, self.p),
            };
            let x = (slope * slope - x1 - x2).rem_euclid(self.p);
            Some((x, (slope * (x1 - x) - y1).rem_euclid(self.p)))
        }

        fn mul(&self, point: ToyPoint, k: i64) -> ToyPoint {
            (0..k).fold(None, |sum, _| self.add(sum, point))
        }
    }

    // attacks.md row 54: every key, nonce and digest of a curve with prime order q = 53 < p = 67
    #[test]
    fn row_54_recovery_id_on_a_toy_curve_exhaustively() {
        const Q: i64 = 53;
        let p = 67;
        let points = |a: i64, b: i64| -> Vec<(i64, i64)> {
            let on = |x: i64, y: i64| (y * y - x * x * x - a * x - b).rem_euclid(p) == 0;
            (0..p).flat_map(|x| (0..p).map(move |y| (x, y))).filter(|(x, y)| on(*x, *y)).collect()
        };
        let (a, b) = (1..p)
            .flat_map(|a| (1..p).map(move |b| (a, b)))
            .find(|(a, b)| points(*a, *b).len() + 1 == 53 && (4 * a * a * a + 27 * b * b) % p != 0)
            .unwrap();
        let (curve, points) = (Toy { p, a }, points(a, b));
        let multiples: Vec<ToyPoint> = (0..Q).map(|k| curve.mul(Some(points[0]), k)).collect();
        assert_eq!(curve.mul(Some(points[0]), Q), None, "the group has order q");
        let logarithm = |point: ToyPoint| (0i64..).zip(&multiples).find(|(_, m)| **m == point).unwrap().0;

        let mut seen = BTreeMap::new();
        for (key, nonce, h) in (1..Q).flat_map(|x| (1..Q).flat_map(move |k| [0, 1, 26, 52].map(|h| (x, k, h)))) {
            let (x, y) = multiples[usize::try_from(nonce).unwrap()].unwrap();
            let r = x % Q;
            let s = Toy::inverse(nonce, Q) * (h + r * key) % Q;
            if r == 0 || s == 0 {
                continue;
            }
            let id = RecoveryId::of(YIsOdd(y % 2 == 1), XIsReduced(x >= Q));
            let (s, id) = if s > Q / 2 { (Q - s, id.negated()) } else { (s, id) };

            // what a verifier does with (r, s, id) alone
            let x = r + if id.is_x_reduced() { Q } else { 0 };
            let big_r = points.iter().find(|point| point.0 == x && (point.1 % 2 == 1) == id.is_y_odd()).unwrap();
            let recovered = Toy::inverse(r, Q) * (s * logarithm(Some(*big_r)) - h).rem_euclid(Q) % Q;
            assert_eq!(recovered, key);
            *seen.entry(id).or_insert(0) += 1;
        }
        assert_eq!(seen.keys().copied().collect::<Vec<_>>(), IDS, "{seen:?}");
        assert!(seen.values().sum::<i32>() > 10_000);
    }

    // attacks.md row 53, bad input 59
    #[test]
    fn row_53_degenerate_nonce_points_and_zeros_are_refused() {
        let g = Secp256k1::generator();
        assert_eq!(Signature::new(&ProjectivePoint::IDENTITY, &Scalar::ONE), Err(SignatureError::Range));
        assert_eq!(Signature::new(&g, &Scalar::ZERO), Err(SignatureError::Range));
        // x = q is not on the curve, x = 0 neither: r = 0 only comes in by decoding
        let (q, half) = order();
        let one = {
            let mut one = [0; 32];
            one[31] = 1;
            one
        };
        for (r, s) in [([0; 32], one), (one, [0; 32]), (q, one), ([0xff; 32], one), (one, q), (one, [0xff; 32])] {
            assert_eq!(Signature::from_bytes(&[r, s].concat(), IDS[0]), Err(SignatureError::Range));
        }
        assert!(Signature::from_bytes(&[one, half].concat(), IDS[0]).is_ok());
    }

    // bad input 67
    #[test]
    fn high_s_is_refused_in_every_form() {
        let (_, _, signature) = some();
        let (r, s) = signature.inner.split_scalars();
        let high = ecdsa::Signature::from_scalars(r.to_bytes(), (-*s).to_bytes()).unwrap();
        let id = signature.recovery_id();
        assert_eq!(Signature::from_bytes(&high.to_bytes(), id), Err(SignatureError::HighS));
        assert_eq!(Signature::from_rsv(&[&high.to_bytes()[..], &[27]].concat()), Err(SignatureError::HighS));
        assert_eq!(Signature::from_der(high.to_der().as_bytes(), id), Err(SignatureError::HighS));
        let (_, mut above_half) = order();
        above_half[31] += 1;
        assert_eq!(Signature::from_bytes(&[signature.r(), above_half].concat(), id), Err(SignatureError::HighS));
    }

    // bad input 68
    #[test]
    fn recovery_ids_are_0_to_3_and_v_27_to_30() {
        assert!((0..4).all(|id| RecoveryId::new(id).map(RecoveryId::to_byte) == Ok(id)));
        assert!((4..=255).all(|id| RecoveryId::new(id) == Err(SignatureError::RecoveryId)));
        let (_, _, signature) = some();
        for v in (0..27).chain(31..=255) {
            let rsv = [&signature.to_bytes()[..], &[v]].concat();
            assert_eq!(Signature::from_rsv(&rsv), Err(SignatureError::RecoveryId));
        }
    }

    // bad input 66
    #[test]
    fn every_spoilt_encoding_is_refused() {
        let (_, _, signature) = some();
        let (id, der, rsv) = (signature.recovery_id(), signature.to_der(), signature.to_rsv());
        for cut in 0..der.len() {
            assert_eq!(Signature::from_der(&der[..cut], id), Err(SignatureError::Encoding));
        }
        for cut in 0..65 {
            assert_eq!(Signature::from_rsv(&rsv[..cut]), Err(SignatureError::Encoding));
            if cut != 64 {
                assert_eq!(Signature::from_bytes(&rsv[..cut], id), Err(SignatureError::Encoding));
            }
        }
        assert_eq!(Signature::from_bytes(&rsv, id), Err(SignatureError::Encoding));
        assert_eq!(Signature::from_rsv(&[&rsv[..], &[0]].concat()), Err(SignatureError::Encoding));
        let body = &der[2..];
        let length = der[1];
        for spoilt in [
            [&der[..], &[0]].concat(),                                   // trailing
            [&[0x30, length + 1], body, &[0]].concat(),                  // trailing inside
            [&[0x30, 0x81, length], body].concat(),                      // long length
            [&[0x30, 0x80], body, &[0, 0]].concat(),                     // indefinite length
            [&[0x31, length], body].concat(),                            // set
            [&[0x30, length + 1, 2, der[3] + 1, 0], &der[4..]].concat(), // padded integer
        ] {
            assert_eq!(Signature::from_der(&spoilt, id), Err(SignatureError::Encoding), "{spoilt:02x?}");
        }
        assert_eq!(Signature::from_der(&[0x30, 6, 2, 1, 0xff, 2, 1, 1], id), Err(SignatureError::Encoding), "negative");
        assert_eq!(Signature::from_der(&[0x30, 6, 2, 1, 0, 2, 1, 1], id), Err(SignatureError::Range), "zero");
        assert!(Signature::from_der(&[0x30, 6, 2, 1, 1, 2, 1, 1], id).is_ok(), "the shortest");
        for at in 0..der.len() {
            for bit in 0..8 {
                let mut flipped = der.clone();
                flipped[at] ^= 1 << bit;
                if let Ok(other) = Signature::from_der(&flipped, id) {
                    assert_eq!(other.to_der(), flipped);
                    assert_ne!(other, signature);
                }
            }
        }
    }

    // bad input 54
    #[test]
    fn extreme_digests_sign_and_verify() {
        let (q, half) = order();
        for digest in [[0; 32], q, [0xff; 32], half] {
            let digest = hazmat::prehash(&digest).unwrap().digest();
            let signature = sign(5, 6, &digest);
            assert_eq!(signature.verify(&Secp256k1::mul_base(&Scalar::from(5u64)), &digest), Ok(()));
        }
        assert_eq!(hazmat::prehash(&q).unwrap().digest().to_scalar(), Scalar::ZERO);
    }
}
