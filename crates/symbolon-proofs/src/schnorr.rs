//! Schnorr proofs of knowledge, single and batched (keygen.md, Schnorr proof of knowledge).
//!
//! The *context* is a [`Transcript`] that the caller has filled with sid, prover id and role; a proof verifies under the
//! same context only.

use crate::ProofError;
use alloc::vec::Vec;
use rand_core::CryptoRng;
use symbolon_core::{
    Encoded, Group, SecretBytes, SecretScalar, Transcript,
    wire::{DecodeError, Reader, Writer},
};

/// `(K, z)` with `K = k*G`, `e = T("schnorr", context, G, X, K)`, `z = k + e*x`: the prover knows `x` of `X = x*G`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SchnorrProof<G: Group> {
    big_k: Encoded<G>,
    z: G::Scalar,
}

/// `e` over the encodings of the statements and of `K`.
fn challenge<'a, G: Group>(
    context: &Transcript,
    label: &str,
    statements: impl ExactSizeIterator<Item = &'a G::PointBytes>,
    big_k: &Encoded<G>,
) -> G::Scalar {
    let start = context.clone().part(label).part([G::ID]).part(G::generator_bytes()).number(count(statements.len()));
    statements.fold(start, Transcript::part).part(big_k.bytes()).scalar::<G>()
}

/// `X` and `K`, with one inversion.
fn encoded_pair<G: Group>(secret: &SecretScalar<G>, k: &SecretScalar<G>) -> (Encoded<G>, Encoded<G>) {
    let mut encoded = Encoded::all(&[secret.public(), k.public()]);
    let big_k = encoded.pop().expect("one for each point, and K is one");
    (encoded.pop().expect("one statement"), big_k)
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The hedged nonce: fresh randomness, secret and context through the hash.
pub(crate) fn nonce<G: Group>(
    context: &Transcript,
    secrets: &[&SecretScalar<G>],
    rng: &mut impl CryptoRng,
) -> SecretScalar<G> {
    let fresh = SecretBytes::<32>::random(rng);
    let start = context.clone().part("nonce").part(fresh.expose());
    SecretScalar::new(secrets.iter().fold(start, |t, x| t.part(x.to_bytes().expose())).scalar::<G>())
}

impl<G: Group> SchnorrProof<G> {
    /// Bytes of an encoded proof.
    pub const LEN: usize = G::POINT_LEN + 32;

    /// Proves knowledge of `secret` with `public = secret*G`.
    pub fn prove(
        context: &Transcript,
        secret: &SecretScalar<G>,
        public: &Encoded<G>,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let k = nonce(context, &[secret], rng);
        Self::answer(context, secret, public, &k, Encoded::new(k.public()))
    }

    /// `X = secret*G`, which is computed here, and the proof of it: both points are encoded with one inversion.
    pub fn publish(context: &Transcript, secret: &SecretScalar<G>, rng: &mut impl CryptoRng) -> (Encoded<G>, Self) {
        let k = nonce(context, &[secret], rng);
        let (public, big_k) = encoded_pair(secret, &k);
        (public, Self::answer(context, secret, &public, &k, big_k))
    }

    fn answer(
        context: &Transcript,
        secret: &SecretScalar<G>,
        public: &Encoded<G>,
        k: &SecretScalar<G>,
        big_k: Encoded<G>,
    ) -> Self {
        let e = challenge(context, "schnorr", [public.bytes()].into_iter(), &big_k);
        Self { big_k, z: *k.expose() + e * *secret.expose() }
    }

    /// Checks `z*G = K + e*X`.
    ///
    /// # Errors
    /// [`ProofError`].
    // everything here is public, and takes variable time: a frame of its own lets the constant-time check tell it apart
    #[inline(never)]
    pub fn verify(&self, context: &Transcript, public: &Encoded<G>) -> Result<(), ProofError> {
        let e = challenge(context, "schnorr", [public.bytes()].into_iter(), &self.big_k);
        let holds = G::mul_base_add_vartime(&self.z, public.point(), &-e) == *self.big_k.point();
        if holds { Ok(()) } else { Err(ProofError) }
    }

    /// Appends `K`, then `z`.
    pub fn encode(&self, w: &mut Writer) {
        self.big_k.encode(w);
        w.scalar::<G>(&self.z);
    }

    /// # Errors
    /// [`DecodeError`]: `K` not a point of the group, `z` not canonical.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { big_k: Encoded::decode(r)?, z: r.scalar::<G>()? })
    }
}

/// Verifies many proofs at once by a random linear combination; the result is that of checking each,
/// for points of the prime-order group, which is what decodes.
///
/// `rng` must be seeded by the proofs or drawn after they arrived, so that nobody can aim at the weights.
///
/// # Errors
/// The position of the first proof that fails.
pub fn verify_all<G: Group>(
    items: &[(&Transcript, &Encoded<G>, &SchnorrProof<G>)],
    rng: &mut impl CryptoRng,
) -> Result<(), usize> {
    // sum w_i*(z_i*G - e_i*X_i - K_i) = O, weights of full width
    let mut on_base = G::Scalar::default();
    let mut terms = Vec::with_capacity(2 * items.len() + 1);
    for (context, public, proof) in items {
        let weight = G::random_scalar(rng);
        let e = challenge(context, "schnorr", [public.bytes()].into_iter(), &proof.big_k);
        on_base = on_base + weight * proof.z;
        terms.push((*public.point(), -(weight * e)));
        terms.push((*proof.big_k.point(), -weight));
    }
    terms.push((G::generator(), on_base));
    if G::is_identity(&G::lincomb_vartime(&terms)) {
        return Ok(());
    }
    // the combination fails only if some proof does: name it
    match items.iter().position(|(context, public, proof)| proof.verify(context, public).is_err()) {
        Some(culprit) => Err(culprit),
        None => Ok(()),
    }
}

/// One proof for many statements `X_i = x_i*G` of one prover: `z = k + sum e^i*x_i`, `i = 1..=n`. `K` travels uncompressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchProof<G: Group> {
    big_k: Encoded<G>,
    uncompressed: G::Uncompressed,
    z: G::Scalar,
}

impl<G: Group> BatchProof<G> {
    /// Bytes of an encoded proof.
    pub const LEN: usize = G::UNCOMPRESSED_LEN + 32;

    /// Proves knowledge of all secrets.
    ///
    /// # Errors
    /// [`ProofError`] unless there are as many public points as secrets, and at least one.
    pub fn prove(
        context: &Transcript,
        secrets: &[&SecretScalar<G>],
        publics: &[G::Point],
        rng: &mut impl CryptoRng,
    ) -> Result<Self, ProofError> {
        if secrets.is_empty() || secrets.len() != publics.len() {
            return Err(ProofError);
        }
        let k = nonce(context, secrets, rng);
        // all with one inversion
        let points: Vec<_> = publics.iter().copied().chain([k.public()]).collect();
        let mut publics = Encoded::all_uncompressed(&points);
        let (big_k, uncompressed) = publics.pop().ok_or(ProofError)?;
        let e = challenge(context, "schnorr batch", publics.iter().map(|public| public.0.bytes()), &big_k);
        let (mut z, mut power) = (*k.expose(), G::Scalar::from(1));
        for x in secrets {
            power = power * e;
            z = z + power * *x.expose();
        }
        Ok(Self { big_k, uncompressed, z })
    }

    /// `(z, K, e^1, .., e^n)` of the equation `z*G = K + sum e^i*X_i`, for whoever checks many equations in one
    /// combination. Not a verification. `publics` are the encodings of the statements.
    #[must_use]
    pub fn equation(&self, context: &Transcript, publics: &[G::PointBytes]) -> (G::Scalar, G::Point, Vec<G::Scalar>) {
        let e = challenge(context, "schnorr batch", publics.iter(), &self.big_k);
        let powers = core::iter::successors(Some(e), |power| Some(*power * e)).take(publics.len()).collect();
        (self.z, *self.big_k.point(), powers)
    }

    /// Checks `z*G = K + sum e^i*X_i`; the count is part of the challenge.
    ///
    /// # Errors
    /// [`ProofError`], also for an empty list.
    pub fn verify(&self, context: &Transcript, publics: &[G::Point]) -> Result<(), ProofError> {
        if publics.is_empty() {
            return Err(ProofError);
        }
        let e = challenge(context, "schnorr batch", G::points_to_bytes(publics).iter(), &self.big_k);
        let mut power = G::Scalar::from(1);
        let mut terms = Vec::with_capacity(publics.len() + 1);
        for public in publics {
            power = power * e;
            terms.push((*public, -power));
        }
        terms.push((G::generator(), self.z));
        if G::lincomb_vartime(&terms) == *self.big_k.point() { Ok(()) } else { Err(ProofError) }
    }

    /// Appends `K`, then `z`.
    pub fn encode(&self, w: &mut Writer) {
        w.bytes(self.uncompressed.as_ref()).scalar::<G>(&self.z);
    }

    /// # Errors
    /// [`DecodeError`].
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let uncompressed = r.uncompressed::<G>()?;
        Ok(Self { big_k: Encoded::from_uncompressed(&uncompressed)?, uncompressed, z: r.scalar::<G>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use curve25519_dalek::{EdwardsPoint, constants::EIGHT_TORSION};
    use symbolon_core::{Ed25519, Secp256k1, SeedRng};

    fn context(text: &str) -> Transcript {
        Transcript::new("test", "proof").part(text)
    }

    fn single<G: Group>() {
        let mut rng = SeedRng::new(&[3; 32]);
        let x = SecretScalar::<G>::random(&mut rng);
        let big_x = Encoded::new(x.public());
        let proof = SchnorrProof::prove(&context("a"), &x, &big_x, &mut rng);
        let published = SchnorrProof::publish(&context("a"), &x, &mut rng);
        assert!(published.0 == big_x && published.1.verify(&context("a"), &big_x).is_ok());
        assert!(proof.verify(&context("a"), &big_x).is_ok());
        // another context, statement, first message or response
        assert!(proof.verify(&context("b"), &big_x).is_err());
        assert!(proof.verify(&context("a"), &Encoded::new(*big_x.point() + G::generator())).is_err());
        assert!(SchnorrProof { z: proof.z + G::Scalar::from(1), ..proof }.verify(&context("a"), &big_x).is_err());
        let big_k = Encoded::new(-*proof.big_k.point());
        assert!(SchnorrProof { big_k, ..proof }.verify(&context("a"), &big_x).is_err());
        let mut w = Writer::new();
        proof.encode(&mut w);
        let bytes = w.finish();
        assert_eq!(bytes.len(), SchnorrProof::<G>::LEN);
        assert_eq!(SchnorrProof::decode(&mut Reader::new(&bytes)), Ok(proof));
    }

    #[test]
    fn single_secp256k1() {
        single::<Secp256k1>();
    }

    #[test]
    fn single_ed25519() {
        single::<Ed25519>();
    }

    // attacks.md row 29: choose the proof first, solve for the statement; works only if X is not hashed
    #[test]
    fn row_29_statement_chosen_after_the_proof() {
        type G = Secp256k1;
        let mut rng = SeedRng::new(&[4; 32]);
        let (big_k, z) = (G::mul_base(&G::random_scalar(&mut rng)), G::random_scalar(&mut rng));
        let big_k = Encoded::<G>::new(big_k);
        for guess in [G::generator_bytes(), *big_k.bytes()] {
            let e = challenge(&context("a"), "schnorr", [&guess].into_iter(), &big_k);
            let forged = G::mul(&(G::mul_base(&z) - *big_k.point()), &G::invert(&e));
            assert!(SchnorrProof::<G> { big_k, z }.verify(&context("a"), &Encoded::new(forged)).is_err());
        }
    }

    // the hedged nonce: a repeated generator with another secret or context gives another nonce
    #[test]
    fn nonces_are_hedged() {
        let rng = || SeedRng::new(&[5; 32]);
        let x = SecretScalar::<Secp256k1>::new(7u64.into());
        let y = SecretScalar::<Secp256k1>::new(8u64.into());
        let k = |c: &str, s: &SecretScalar<Secp256k1>| *nonce(&context(c), &[s], &mut rng()).expose();
        assert_eq!(k("a", &x), k("a", &x));
        assert_ne!(k("a", &x), k("b", &x));
        assert_ne!(k("a", &x), k("a", &y));
    }

    #[test]
    fn many_proofs_at_once_name_the_culprit() {
        type G = Secp256k1;
        let mut rng = SeedRng::new(&[6; 32]);
        let contexts: Vec<_> = (0..7u8).map(|i| context("many").number(i)).collect();
        let secrets: Vec<_> = (0..7).map(|_| SecretScalar::<G>::random(&mut rng)).collect();
        let publics = Encoded::all(&secrets.iter().map(SecretScalar::public).collect::<Vec<_>>());
        let mut proofs: Vec<_> =
            (0..7).map(|i| SchnorrProof::prove(&contexts[i], &secrets[i], &publics[i], &mut rng)).collect();
        let check = |proofs: &[SchnorrProof<G>], rng: &mut SeedRng| {
            let items: Vec<_> = (0..7).map(|i| (&contexts[i], &publics[i], &proofs[i])).collect();
            verify_all(&items, rng)
        };
        assert_eq!(check(&proofs, &mut rng), Ok(()));
        for culprit in 0..7 {
            let good = proofs[culprit];
            proofs[culprit].z = good.z + k256_one();
            assert_eq!(check(&proofs, &mut rng), Err(culprit));
            proofs[culprit] = good;
        }
        // two errors that cancel in an unweighted sum
        proofs[1].z += k256_one();
        proofs[2].z -= k256_one();
        assert_eq!(check(&proofs, &mut rng), Err(1));
        assert_eq!(verify_all::<G>(&[], &mut rng), Ok(()));
    }

    fn k256_one() -> <Secp256k1 as Group>::Scalar {
        1u64.into()
    }

    // attacks.md rows 31, 33: empty, short and long lists, and proofs for other points
    #[test]
    fn row_33_batch_counts_are_exact() {
        type G = Secp256k1;
        let mut rng = SeedRng::new(&[9; 32]);
        let secrets: Vec<_> = (0..4).map(|_| SecretScalar::<G>::random(&mut rng)).collect();
        let refs: Vec<_> = secrets.iter().collect();
        let publics: Vec<_> = secrets.iter().map(SecretScalar::public).collect();
        let proof = BatchProof::prove(&context("b"), &refs, &publics, &mut rng).unwrap();
        assert!(proof.verify(&context("b"), &publics).is_ok());
        assert!(proof.verify(&context("c"), &publics).is_err());
        assert!(proof.verify(&context("b"), &publics[..3]).is_err());
        assert!(proof.verify(&context("b"), &[publics.clone(), vec![G::generator()]].concat()).is_err());
        assert!(proof.verify(&context("b"), &[]).is_err());
        let mut swapped = publics.clone();
        swapped.swap(0, 1);
        assert!(proof.verify(&context("b"), &swapped).is_err());
        assert!(BatchProof::<G>::prove(&context("b"), &[], &[], &mut rng).is_err());
        assert!(BatchProof::prove(&context("b"), &refs, &publics[..3], &mut rng).is_err());
    }

    /// A proof of somebody who knows `x` and `k`, for `X = x*G + t_x` and `K = k*G + t_k`.
    fn torsioned(seed: u8, on: [&EdwardsPoint; 2]) -> (Encoded<Ed25519>, SchnorrProof<Ed25519>) {
        let mut rng = SeedRng::new(&[seed; 32]);
        let [(x, public), (k, big_k)] = on.map(|torsion| {
            let secret = Ed25519::random_scalar(&mut rng);
            (secret, Ed25519::mul_base(&secret) + torsion)
        });
        let (public, big_k) = (Encoded::<Ed25519>::new(public), Encoded::new(big_k));
        let e = challenge(&context("t"), "schnorr", [public.bytes()].into_iter(), &big_k);
        (public, SchnorrProof { big_k, z: k + e * x })
    }

    // attacks.md row 39: on points that decode, a batch has the result of its proofs. Points that do not decode show why
    // nothing else may get here: with a component of small order, what a verification says depends on a challenge or weight
    #[test]
    fn row_39_single_and_batch_agree_on_what_decodes() {
        let context = context("t");
        let (mut alone, mut only_in_a_batch) = (0, 0);
        let mut rng = SeedRng::new(&[7; 32]);
        for (i, torsion) in EIGHT_TORSION.iter().enumerate() {
            let none = &EIGHT_TORSION[0];
            for (seed, on) in
                (0..40).flat_map(|seed| [[torsion, none], [none, torsion], [torsion, torsion]].map(|on| (seed, on)))
            {
                let (public, proof) = torsioned(seed, on);
                let (good_public, good) = torsioned(seed ^ 0x80, [none, none]);
                let items =
                    [(&context, &good_public, &good), (&context, &public, &proof), (&context, &good_public, &good)];
                let batch = verify_all(&items, &mut rng);
                let single = proof.verify(&context, &public);
                let mut w = Writer::new();
                public.encode(&mut w);
                proof.encode(&mut w);
                let bytes = w.finish();
                let decoded = Reader::new(&bytes).whole(|r| Ok((Encoded::decode(r)?, SchnorrProof::decode(r)?)));
                if i == 0 {
                    assert_eq!((decoded, single, batch), (Ok((public, proof)), Ok(()), Ok(())));
                } else {
                    assert_eq!(decoded, Err(DecodeError::Point));
                    // it names nobody else, and nobody whose proof is good
                    assert!(batch == Ok(()) || (batch, single) == (Err(1), Err(ProofError)));
                    alone += usize::from(single.is_ok());
                    only_in_a_batch += usize::from(batch.is_ok() && single.is_err());
                }
            }
        }
        assert!(alone > 0 && only_in_a_batch > 0, "{alone} {only_in_a_batch}");
    }

    // attacks.md row 31: the challenge has full width
    #[test]
    fn row_31_challenges_are_wide() {
        let g = Encoded::<Secp256k1>::new(Secp256k1::generator());
        let high = (0..64u8)
            .map(|i| challenge(&context("w").number(i), "schnorr", [].into_iter(), &g))
            .filter(|e| Secp256k1::scalar_to_bytes(e)[0] >= 0x80)
            .count();
        assert!((12..=52).contains(&high), "{high} of 64 challenges have the top bit set");
    }
}
