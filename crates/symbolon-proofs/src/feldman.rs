//! Feldman vectors: public commitments to the coefficients of a sharing polynomial (sharing.md, Feldman dealing).

use alloc::vec::Vec;
use rand_core::CryptoRng;
use symbolon_core::{
    Group, SecretScalar, Threshold, Transcript,
    wire::{DecodeError, Reader, Writer},
};

/// `C = (f_0*G, .., f_{t-1}*G)`: exactly `t` points, the first and the last never the identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeldmanVector<G: Group>(Vec<G::Point>);

/// Why commitments were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FeldmanError {
    /// More or fewer than `t` commitments: the threshold would be another one.
    #[error("a sharing of threshold t has exactly t commitments")]
    Length,
    /// The constant term is the identity: the secret would be zero.
    #[error("the constant term is the identity")]
    ConstantTerm,
    /// The leading coefficient is the identity: the threshold would be lower.
    #[error("the leading coefficient is the identity")]
    LeadingTerm,
    /// A share does not lie on the committed polynomial; its position in the list.
    #[error("share {0} does not match the commitments")]
    Share(usize),
}

impl<G: Group> FeldmanVector<G> {
    /// Checks the shape of received commitments.
    ///
    /// # Errors
    /// [`FeldmanError::Length`], [`FeldmanError::ConstantTerm`], [`FeldmanError::LeadingTerm`].
    pub fn new(points: Vec<G::Point>, threshold: Threshold) -> Result<Self, FeldmanError> {
        if points.len() != usize::from(threshold.get()) {
            return Err(FeldmanError::Length);
        }
        if points.first().is_none_or(G::is_identity) {
            return Err(FeldmanError::ConstantTerm);
        }
        if points.last().is_none_or(G::is_identity) {
            return Err(FeldmanError::LeadingTerm);
        }
        Ok(Self(points))
    }

    /// The commitments of a polynomial of one's own. Its coefficients are not zero, so that the shape is right.
    #[must_use]
    pub fn commit(coefficients: &[SecretScalar<G>]) -> Self {
        Self(coefficients.iter().map(SecretScalar::public).collect())
    }

    /// The committed secret, `f(0)*G`.
    #[must_use]
    pub fn constant_term(&self) -> G::Point {
        self.0.first().copied().unwrap_or_else(G::identity)
    }

    /// All commitments, constant term first.
    #[must_use]
    pub fn points(&self) -> &[G::Point] {
        &self.0
    }

    /// `f(x)*G = sum x^k*C_k`, by Horner. Public values only.
    #[must_use]
    pub fn evaluate_vartime(&self, x: &G::Scalar) -> G::Point {
        let mut power = G::Scalar::from(1);
        let terms: Vec<_> = self
            .0
            .iter()
            .map(|point| {
                let term = (*point, power);
                power = power * *x;
                term
            })
            .collect();
        G::lincomb_vartime(&terms)
    }

    /// Whether `share` is `f(x)`.
    #[must_use]
    pub fn verify(&self, x: &G::Scalar, share: &G::Scalar) -> bool {
        G::mul_base(share) == self.evaluate_vartime(x)
    }

    /// Verifies many shares `(dealing, x, share)` by one random combination, and finds the culprit if it fails. For points of the
    /// prime-order group, which is what decodes.
    ///
    /// # Errors
    /// [`FeldmanError::Share`] with the first bad position.
    pub fn verify_all(items: &[(&Self, G::Scalar, G::Scalar)], rng: &mut impl CryptoRng) -> Result<(), FeldmanError> {
        if Self::combined(items, rng) {
            return Ok(());
        }
        match items.iter().position(|(dealing, x, share)| !dealing.verify(x, share)) {
            Some(culprit) => Err(FeldmanError::Share(culprit)),
            None => Ok(()),
        }
    }

    /// One random combination of all equations. False only if one of them is; true for a false one with probability `1/q`.
    fn combined(items: &[(&Self, G::Scalar, G::Scalar)], rng: &mut impl CryptoRng) -> bool {
        let mut on_base = G::Scalar::default();
        let mut terms = Vec::new();
        for (dealing, x, share) in items {
            let mut weight = G::random_scalar(rng);
            on_base = on_base + weight * *share;
            for point in &dealing.0 {
                terms.push((*point, -weight));
                weight = weight * *x;
            }
        }
        G::is_identity(&(G::mul_base(&on_base) + G::lincomb_vartime(&terms)))
    }

    /// Appends the points; the count is the threshold, which both sides know.
    pub fn encode(&self, w: &mut Writer) {
        G::points_to_bytes(&self.0).iter().for_each(|point| {
            w.bytes(point.as_ref());
        });
    }

    /// Reads exactly `threshold` points, none of them the identity. (An honest polynomial has an inner coefficient zero
    /// with probability 2^-252; refusing it costs nothing and keeps one rule for points.)
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(r: &mut Reader<'_>, threshold: Threshold) -> Result<Self, DecodeError> {
        (0..threshold.get()).map(|_| r.point::<G>()).collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// The same from uncompressed points.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode_uncompressed(r: &mut Reader<'_>, threshold: Threshold) -> Result<Self, DecodeError> {
        let point = |_| G::point_from_uncompressed(&r.uncompressed::<G>()?);
        (0..threshold.get()).map(point).collect::<Result<Vec<_>, _>>().map(Self)
    }

    /// Appends the commitments to a hash, each as a part, with their count.
    #[must_use]
    pub fn absorb(&self, transcript: Transcript) -> Transcript {
        let start = transcript.number(u64::try_from(self.0.len()).unwrap_or(u64::MAX));
        G::points_to_bytes(&self.0).iter().fold(start, Transcript::part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use symbolon_core::{Ed25519, Secp256k1, SeedRng};

    fn polynomial<G: Group>(t: usize, rng: &mut SeedRng) -> (Vec<G::Scalar>, Vec<G::Point>) {
        let f: Vec<_> = (0..t).map(|_| G::random_scalar(rng)).collect();
        let points = f.iter().map(G::mul_base).collect();
        (f, points)
    }

    fn evaluate<G: Group>(f: &[G::Scalar], x: G::Scalar) -> G::Scalar {
        f.iter().rev().fold(G::Scalar::default(), |acc, c| acc * x + *c)
    }

    fn shares<G: Group>() {
        let mut rng = SeedRng::new(&[3; 32]);
        let t = Threshold::new(3, 5).unwrap();
        let (f, points) = polynomial::<G>(3, &mut rng);
        let dealing = FeldmanVector::<G>::new(points.clone(), t).unwrap();
        let mut items: Vec<_> =
            (1..=5u64).map(|x| (&dealing, x.into(), evaluate::<G>(&f, x.into()))).collect::<Vec<_>>();
        assert!(items.iter().all(|(d, x, s)| d.verify(x, s)));
        assert_eq!(FeldmanVector::verify_all(&items, &mut rng), Ok(()));
        assert!(FeldmanVector::combined(&items, &mut rng));
        for i in 0..5 {
            items[i].2 = items[i].2 + 1.into();
            assert!(!dealing.verify(&items[i].1, &items[i].2));
            assert!(!FeldmanVector::combined(&items, &mut rng));
            assert_eq!(FeldmanVector::verify_all(&items, &mut rng), Err(FeldmanError::Share(i)));
            items[i].2 = items[i].2 - 1.into();
        }
        // attacks.md row 32: a longer or shorter vector raises or lowers the threshold
        for n in [0, 1, 2, 4, 8] {
            let (_, points) = polynomial::<G>(n, &mut rng);
            assert_eq!(FeldmanVector::<G>::new(points, t), Err(FeldmanError::Length));
        }
        let o = G::identity();
        assert_eq!(FeldmanVector::<G>::new(vec![o, points[1], points[2]], t), Err(FeldmanError::ConstantTerm));
        assert_eq!(FeldmanVector::<G>::new(vec![points[0], points[1], o], t), Err(FeldmanError::LeadingTerm));
        let mut w = Writer::new();
        dealing.encode(&mut w);
        let bytes = w.finish();
        assert_eq!(FeldmanVector::<G>::decode(&mut Reader::new(&bytes), t), Ok(dealing));
    }

    #[test]
    fn row_32_shares_and_shapes_on_both_curves() {
        shares::<Secp256k1>();
        shares::<Ed25519>();
    }
}
