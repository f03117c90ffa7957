//! Shamir sharing and Lagrange interpolation over arbitrary non-zero indices (sharing.md, Shamir).

use alloc::vec::Vec;
use rand_core::CryptoRng;
use symbolon_core::{Group, SecretScalar, Threshold, on_cleared_stack};
use symbolon_proofs::FeldmanVector;

/// One share `f(x)` at index `x`. The value is secret.
pub struct Share<G: Group> {
    /// The index, public and never zero.
    pub index: G::Scalar,
    /// `f(index)`.
    pub value: SecretScalar<G>,
}

/// Why shares were refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShamirError {
    /// Another number of shares than the threshold asks for.
    #[error("{got} shares given, {needed} needed")]
    Count {
        /// Shares given.
        got: usize,
        /// Shares needed.
        needed: usize,
    },
    /// Index zero: its share would be the secret.
    #[error("index 0 is not allowed")]
    ZeroIndex,
    /// One index twice, modulo the group order.
    #[error("an index appears twice")]
    DuplicateIndex,
    /// The secret or a coefficient cannot be shared.
    #[error("the secret is zero")]
    ZeroSecret,
    /// Shares that do not match the commitments, by position.
    #[error("shares at positions {0:?} do not match the commitments")]
    BadShares(Vec<usize>),
}

fn check_indices<G: Group>(indices: &[G::Scalar]) -> Result<(), ShamirError> {
    let mut rest = indices;
    while let Some((x, tail)) = rest.split_first() {
        if *x == G::Scalar::default() {
            return Err(ShamirError::ZeroIndex);
        }
        if tail.contains(x) {
            return Err(ShamirError::DuplicateIndex);
        }
        rest = tail;
    }
    Ok(())
}

/// Lagrange coefficients at 0 over public `indices`: `f(0) = sum lambda_i * f(x_i)`. One inversion.
///
/// # Errors
/// [`ShamirError::ZeroIndex`], [`ShamirError::DuplicateIndex`].
pub fn lagrange<G: Group>(indices: &[G::Scalar]) -> Result<Vec<G::Scalar>, ShamirError> {
    lagrange_at::<G>(indices, &G::Scalar::default())
}

/// Lagrange coefficients at any public point. One inversion.
///
/// # Errors
/// [`ShamirError::ZeroIndex`], [`ShamirError::DuplicateIndex`].
pub fn lagrange_at<G: Group>(indices: &[G::Scalar], at: &G::Scalar) -> Result<Vec<G::Scalar>, ShamirError> {
    let (zero, one) = (G::Scalar::default(), G::Scalar::from(1));
    if indices.contains(&zero) {
        return Err(ShamirError::ZeroIndex);
    }
    // prod (x_i - x_j), j != i
    let denominator = |(i, x_i): (usize, &G::Scalar)| {
        let others = indices.iter().enumerate().filter(|(j, _)| *j != i);
        others.fold(one, |acc, (_, x_j)| acc * (*x_i - *x_j))
    };
    let denominators: Vec<_> = indices.iter().enumerate().map(denominator).collect();
    // Montgomery's trick: prefix products, one inversion, back again
    let mut prefix = Vec::with_capacity(indices.len());
    let mut all = one;
    for d in &denominators {
        prefix.push(all);
        all = all * *d;
    }
    if all == zero {
        return Err(ShamirError::DuplicateIndex);
    }
    // numerators prod (at - x_j), j != i: what is left of i times what is right of it
    let mut left = Vec::with_capacity(indices.len());
    indices.iter().fold(one, |product, x| {
        left.push(product);
        product * (*at - *x)
    });
    let (mut inverse, mut right) = (G::invert_vartime(&all), one);
    let mut weights = Vec::with_capacity(indices.len());
    for (((d, before), left), x) in denominators.iter().zip(&prefix).zip(&left).zip(indices).rev() {
        weights.push(inverse * *before * *left * right);
        inverse = inverse * *d;
        right = right * (*at - *x);
    }
    weights.reverse();
    Ok(weights)
}

/// Shares `secret` with threshold `t` at the given indices, with Feldman commitments.
///
/// # Errors
/// Fewer indices than the threshold, zero or duplicate indices, a zero secret.
pub fn split<G: Group>(
    secret: &SecretScalar<G>,
    threshold: Threshold,
    indices: &[G::Scalar],
    rng: &mut impl CryptoRng,
) -> Result<(Vec<Share<G>>, FeldmanVector<G>), ShamirError> {
    on_cleared_stack(|| {
        let needed = usize::from(threshold.get());
        if indices.len() < needed {
            return Err(ShamirError::Count { got: indices.len(), needed });
        }
        check_indices::<G>(indices)?;
        // f(z) = s + a_1 z + .. + a_{t-1} z^{t-1}; random_scalar never gives zero
        let mut coefficients = Vec::with_capacity(needed);
        coefficients.push(SecretScalar::<G>::new(*secret.expose()));
        coefficients.extend((1..needed).map(|_| SecretScalar::random(rng)));
        let commitments = coefficients.iter().map(SecretScalar::public).collect();
        let commitments = FeldmanVector::new(commitments, threshold).map_err(|_| ShamirError::ZeroSecret)?;
        let shares = indices
            .iter()
            .map(|x| {
                let horner = |acc: G::Scalar, a: &SecretScalar<G>| acc * *x + *a.expose();
                Share {
                    index: *x,
                    value: SecretScalar::new(coefficients.iter().rev().fold(G::Scalar::default(), horner)),
                }
            })
            .collect();
        Ok((shares, commitments))
    })
}

/// Rebuilds the secret from at least `t` shares. Every share is verified against the commitments first.
///
/// # Errors
/// Too few shares, zero or duplicate indices, [`ShamirError::BadShares`] with every bad position.
pub fn combine<G: Group>(shares: &[Share<G>], commitments: &FeldmanVector<G>) -> Result<SecretScalar<G>, ShamirError> {
    on_cleared_stack(|| {
        let needed = commitments.points().len();
        if shares.len() < needed {
            return Err(ShamirError::Count { got: shares.len(), needed });
        }
        let indices: Vec<_> = shares.iter().map(|s| s.index).collect();
        check_indices::<G>(&indices)?;
        let bad: Vec<_> = shares
            .iter()
            .enumerate()
            .filter(|(_, s)| !commitments.verify(&s.index, s.value.expose()))
            .map(|(i, _)| i)
            .collect();
        if !bad.is_empty() {
            return Err(ShamirError::BadShares(bad));
        }
        let used = indices.get(..needed).unwrap_or(&indices);
        let weights = lagrange::<G>(used)?;
        let terms = weights.iter().zip(shares).map(|(lambda, share)| *lambda * *share.value.expose());
        Ok(SecretScalar::new(terms.sum()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use symbolon_core::{Ed25519, Secp256k1, SeedRng};

    fn any_t_of_n<G: Group>() {
        let mut rng = SeedRng::new(&[1; 32]);
        let t = Threshold::new(3, 5).unwrap();
        let secret = SecretScalar::<G>::random(&mut rng);
        // arbitrary indices, wide ones included
        let indices: Vec<_> =
            [1u64, 2, 7].map(G::Scalar::from).into_iter().chain((0..2).map(|_| G::random_scalar(&mut rng))).collect();
        let (mut shares, commitments) = split(&secret, t, &indices, &mut rng).unwrap();
        assert!(commitments.constant_term() == secret.public());
        for skip in 0..5 {
            let subset: Vec<_> = (0..5)
                .filter(|i| *i != skip && *i != (skip + 2) % 5)
                .map(|i| Share::<G> { index: shares[i].index, value: SecretScalar::new(*shares[i].value.expose()) })
                .collect();
            assert!(combine(&subset, &commitments).unwrap().expose() == secret.expose());
            assert_eq!(combine(&subset[..2], &commitments).err(), Some(ShamirError::Count { got: 2, needed: 3 }));
        }
        // in the exponent, at another point
        let at = G::Scalar::from(9);
        let weights = lagrange_at::<G>(&indices[..3], &at).unwrap();
        let points: Vec<_> = shares[..3].iter().zip(weights).map(|(s, w)| (s.value.public(), w)).collect();
        assert!(G::lincomb_vartime(&points) == commitments.evaluate_vartime(&at));
        // bad input 18: the wrong shares are named
        for i in [4, 1] {
            shares[i].value = SecretScalar::new(*shares[i].value.expose() + 1.into());
        }
        assert_eq!(combine(&shares, &commitments).err(), Some(ShamirError::BadShares(vec![1, 4])));
    }

    #[test]
    fn any_t_of_n_on_both_curves() {
        any_t_of_n::<Secp256k1>();
        any_t_of_n::<Ed25519>();
    }

    // attacks.md row 35, bad inputs 8, 9, 13 to 15
    #[test]
    fn row_35_indices_are_non_zero_and_distinct_modulo_the_order() {
        type G = Secp256k1;
        let mut rng = SeedRng::new(&[2; 32]);
        let secret = SecretScalar::<G>::random(&mut rng);
        let one = <G as Group>::Scalar::from(1u64);
        let order_is_zero = one + -one;
        for (indices, error) in [
            (vec![one, order_is_zero], ShamirError::ZeroIndex),
            (vec![one, order_is_zero + one], ShamirError::DuplicateIndex),
        ] {
            assert_eq!(split(&secret, Threshold::TWO, &indices, &mut rng).err(), Some(error.clone()));
            assert_eq!(lagrange::<G>(&indices), Err(error));
        }
        assert!(matches!(split(&secret, Threshold::TWO, &[one], &mut rng), Err(ShamirError::Count { .. })));
        let zero = SecretScalar::<G>::new(order_is_zero);
        assert_eq!(split(&zero, Threshold::TWO, &[one, one + one], &mut rng).err(), Some(ShamirError::ZeroSecret));
        let (shares, commitments) = split(&secret, Threshold::TWO, &[one, one + one], &mut rng).unwrap();
        let twice: Vec<_> = [0, 0]
            .map(|i: usize| Share::<G> { index: shares[i].index, value: SecretScalar::new(*shares[i].value.expose()) })
            .into_iter()
            .collect();
        assert_eq!(combine(&twice, &commitments).err(), Some(ShamirError::DuplicateIndex));
        assert!(matches!(combine::<G>(&[], &commitments), Err(ShamirError::Count { got: 0, needed: 2 })));
    }
}
