//! Feldman dealing, the one building block of key generation and resharing (docs/spec/sharing.md, step 5).
//!
//! A dealer commits in round 1 to everything that it opens in round 2: the commitments `C_i` of its polynomials and a few
//! public bytes. With the opening goes one proof of knowledge of all constant terms, bound to (sid, i, C_i).

use alloc::{vec, vec::Vec};
use rand_core::{CryptoRng, Rng};
use symbolon_core::{
    Group, PartyId, SecretScalar, SeedRng, Sid, Threshold, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_proofs::{BatchProof, Commitment, FeldmanVector, Opening};
use symbolon_session::Fault;

/// The index of a party's share, as a scalar.
pub(crate) fn index<G: Group>(id: PartyId) -> G::Scalar {
    G::Scalar::from(u64::from(id.get()))
}

/// A polynomial of one's own: `f(z) = s + a_1 z + .. + a_{t-1} z^{t-1}` and its commitments. Wiped on drop.
pub struct Dealing<G: Group> {
    coefficients: Vec<SecretScalar<G>>,
    commitments: FeldmanVector<G>,
}

impl<G: Group> Dealing<G> {
    /// Deals a fixed constant term. It is not zero: a zero one is refused by every receiver.
    pub fn of(constant: SecretScalar<G>, threshold: Threshold, rng: &mut impl CryptoRng) -> Self {
        // one inner coefficient zero has probability 2^-252 and is excluded by `random`
        let mut coefficients = Vec::with_capacity(usize::from(threshold.get()));
        coefficients.push(constant);
        coefficients.extend((1..threshold.get()).map(|_| SecretScalar::random(rng)));
        let commitments = FeldmanVector::commit(&coefficients);
        Self { coefficients, commitments }
    }

    /// Deals a random constant term.
    pub fn random(threshold: Threshold, rng: &mut impl CryptoRng) -> Self {
        Self::of(SecretScalar::random(rng), threshold, rng)
    }

    /// `C_i`.
    #[must_use]
    pub const fn commitments(&self) -> &FeldmanVector<G> {
        &self.commitments
    }

    /// `f(x)`: for the holder with this index, and for nobody else.
    #[must_use]
    pub fn share(&self, x: &G::Scalar) -> SecretScalar<G> {
        let horner = |acc: G::Scalar, a: &SecretScalar<G>| acc * *x + *a.expose();
        SecretScalar::new(self.coefficients.iter().rev().fold(G::Scalar::default(), horner))
    }

    fn constant(&self) -> Option<&SecretScalar<G>> {
        self.coefficients.first()
    }
}

/// `f(x)*G` at a small index, by Horner: 16 doublings for each commitment at most. Public values only.
pub(crate) fn evaluate_vartime<G: Group>(points: &[G::Point], at: PartyId) -> G::Point {
    let at = at.get();
    // from the second highest bit on: party ids are not zero
    let bits = u16::BITS - 1 - at.leading_zeros();
    let times = |point: G::Point| {
        (0..bits).rev().fold(point, |acc, bit| {
            let doubled = acc + acc;
            if at >> bit & 1 == 1 { doubled + point } else { doubled }
        })
    };
    let Some((last, rest)) = points.split_last() else { return G::identity() };
    rest.iter().rev().fold(*last, |acc, point| times(acc) + *point)
}

/// What the proof of knowledge is bound to, besides the statement.
fn proof_context(sid: &Sid, dealer: PartyId, value: &[u8]) -> Transcript {
    Transcript::new("sharing", "dealing").part(sid).number(dealer.get()).part(value)
}

/// `(C_i of every key) || extra`, with one inversion. The points are uncompressed: every receiver decodes all of them.
fn committed_value<G: Group>(dealings: &[Dealing<G>], extra: &[u8]) -> Vec<u8> {
    let points: Vec<_> = dealings.iter().flat_map(|dealing| dealing.commitments.points()).copied().collect();
    let mut w = Writer::with_capacity(points.len() * G::UNCOMPRESSED_LEN + extra.len());
    G::points_to_uncompressed(&points).iter().for_each(|point| {
        w.bytes(point.as_ref());
    });
    w.bytes(extra);
    w.finish()
}

/// A weight of 128 bits: a combination that should not be zero is with probability 2^-128.
fn weight<G: Group>(rng: &mut SeedRng) -> G::Scalar {
    let two_to_32 = G::Scalar::from(1 << 32);
    G::Scalar::from(rng.next_u64()) * two_to_32 * two_to_32 + G::Scalar::from(rng.next_u64())
}

/// A dealer between round 1 and round 2: its dealings, one for each key of the run, and what it committed to.
pub(crate) struct Dealer<G: Group> {
    pub(crate) dealings: Vec<Dealing<G>>,
    pub(crate) extra: Vec<u8>,
    value: Vec<u8>,
    pub(crate) commitment: Commitment,
    opening: Opening,
    /// The broadcast of round 2, once it is made.
    pub(crate) body: Vec<u8>,
}

impl<G: Group> Dealer<G> {
    /// Round 1. `label` names the protocol; `extra` is opened with the commitments.
    pub(crate) fn commit(
        label: &str,
        sid0: &Sid,
        me: PartyId,
        dealings: Vec<Dealing<G>>,
        extra: Vec<u8>,
        rng: &mut SeedRng,
    ) -> Self {
        let value = committed_value(&dealings, &extra);
        let (commitment, opening) = Commitment::commit(label, sid0, me, &value, rng);
        Self { dealings, extra, value, commitment, opening, body: Vec::new() }
    }

    /// Round 2: commitments, extra, opening, proof, and what is sealed to offline holders.
    pub(crate) fn open(&mut self, sid: &Sid, me: PartyId, sealed: &[u8], rng: &mut SeedRng) -> Vec<u8> {
        let secrets: Vec<_> = self.dealings.iter().filter_map(Dealing::constant).collect();
        let publics: Vec<_> = self.dealings.iter().map(|dealing| dealing.commitments.constant_term()).collect();
        let context = proof_context(sid, me, &self.value);
        let mut w = Writer::new();
        w.bytes(&self.value);
        self.opening.encode(&mut w);
        // there is at least one key, and one secret for each
        if let Ok(proof) = BatchProof::prove(&context, &secrets, &publics, rng) {
            proof.encode(&mut w);
        }
        w.bytes(sealed);
        self.body = w.finish();
        self.body.clone()
    }

    /// Bytes of [`Dealer::open`], without what is sealed.
    pub(crate) fn opened_len(keys: usize, threshold: Threshold, extra: usize) -> usize {
        keys * usize::from(threshold.get()) * G::UNCOMPRESSED_LEN + extra + 32 + BatchProof::<G>::LEN
    }
}

/// A dealer's round 2 as its receivers see it.
pub(crate) struct Opened<'f, G: Group> {
    pub(crate) dealer: PartyId,
    pub(crate) vectors: Vec<FeldmanVector<G>>,
    pub(crate) extra: &'f [u8],
    pub(crate) sealed: &'f [u8],
    /// The constant terms, compressed.
    constants: Vec<G::PointBytes>,
    proof: BatchProof<G>,
    context: Transcript,
}

impl<'f, G: Group> Opened<'f, G> {
    /// Decodes and checks the opening: exactly `t` commitments for each key, no identity among them.
    ///
    /// # Errors
    /// [`Fault::Encoding`], [`Fault::Opening`].
    pub(crate) fn read(
        label: &str,
        (sid, sid0): (&Sid, &Sid),
        dealer: PartyId,
        commitment: &Commitment,
        (keys, threshold, extra, sealed): (usize, Threshold, usize, usize),
        r: Reader<'f>,
    ) -> Result<Self, Fault> {
        let all = r.rest();
        r.whole(|r| {
            let vector = |_| FeldmanVector::decode_uncompressed(r, threshold);
            let vectors = (0..keys).map(vector).collect::<Result<Vec<_>, DecodeError>>()?;
            let extra = r.bytes(extra)?;
            let value = all.get(..all.len().saturating_sub(r.remaining())).unwrap_or_default();
            let opening = Opening::decode(r)?;
            let proof = BatchProof::decode(r)?;
            let sealed = r.bytes(sealed)?;
            commitment.verify(label, sid0, dealer, value, &opening).map_err(|_| Fault::Opening)?;
            let vector_len = usize::from(threshold.get()) * G::UNCOMPRESSED_LEN;
            let constant = |vector: &[u8]| Some(G::compress(&vector.get(..G::UNCOMPRESSED_LEN)?.try_into().ok()?));
            let constants: Vec<_> = value.chunks_exact(vector_len).take(keys).filter_map(constant).collect();
            Ok(Self { dealer, vectors, extra, sealed, constants, proof, context: proof_context(sid, dealer, value) })
        })
    }

    /// The proof of knowledge of all constant terms.
    ///
    /// # Errors
    /// [`Fault::Proof`].
    pub(crate) fn verify_proof(&self) -> Result<(), Fault> {
        let constants: Vec<_> = self.vectors.iter().map(FeldmanVector::constant_term).collect();
        self.proof.verify(&self.context, &constants).map_err(|_| Fault::Proof)
    }
}

/// One dealing at one receiver.
pub(crate) struct Received<'a, G: Group> {
    pub(crate) vector: &'a FeldmanVector<G>,
    /// What the protocol fixes: `(X, w)` with `w*C_{i,0} = X`.
    pub(crate) constant: Option<(G::Point, G::Scalar)>,
    /// `f_i(x_me)`, unless the receiver gets none.
    pub(crate) share: Option<&'a SecretScalar<G>>,
    /// The weight of the constant term in the combined proofs of knowledge.
    pub(crate) proven: G::Scalar,
}

/// The proofs of knowledge of many dealers, combined at random: `on_base*G = first + sum of terms + sum proven*C_{i,0}`.
pub(crate) struct Proofs<G: Group> {
    on_base: G::Scalar,
    /// `K` of the first dealer: of all weights one can be 1.
    first: G::Point,
    terms: Vec<(G::Point, G::Scalar)>,
    /// For each dealer, a weight for each key.
    pub(crate) proven: Vec<Vec<G::Scalar>>,
}

impl<G: Group> Proofs<G> {
    pub(crate) fn of<'o, 'f: 'o>(opened: impl Iterator<Item = &'o Opened<'f, G>>, rng: &mut SeedRng) -> Self {
        let (on_base, first) = (G::Scalar::default(), G::identity());
        let mut all = Self { on_base, first, terms: Vec::new(), proven: Vec::new() };
        for opened in opened {
            let (z, big_k, powers) = opened.proof.equation(&opened.context, &opened.constants);
            let random = if all.proven.is_empty() {
                all.first = big_k;
                G::Scalar::from(1)
            } else {
                let random = weight::<G>(rng);
                all.terms.push((big_k, random));
                random
            };
            all.on_base = all.on_base + random * z;
            all.proven.push(powers.into_iter().map(|power| random * power).collect());
        }
        all
    }
}

impl<G: Group> Received<'_, G> {
    /// The checks of one dealing.
    ///
    /// # Errors
    /// [`Fault::ConstantTerm`], [`Fault::Share`].
    pub(crate) fn verify(&self, me: PartyId) -> Result<(), Fault> {
        if self.constant.is_some_and(|(x, w)| G::lincomb_vartime(&[(self.vector.constant_term(), w)]) != x) {
            return Err(Fault::ConstantTerm);
        }
        let share = self.share.map(SecretScalar::public);
        let fits = share.is_none_or(|share| share == evaluate_vartime::<G>(self.vector.points(), me));
        if fits { Ok(()) } else { Err(Fault::Share) }
    }

    /// The checks of many dealings and of their proofs in one random combination; the weights are drawn after the
    /// dealings arrived. Equal to checking each: `false` means that one fails.
    pub(crate) fn verify_all(items: &[Self], proofs: Proofs<G>, me: PartyId, rng: &mut SeedRng) -> bool {
        let mut on_base = SecretScalar::<G>::new(proofs.on_base);
        let mut terms = proofs.terms;
        for item in items {
            if let Some(share) = item.share {
                // F_i(me) costs a few doublings, and then one short weight serves all points of the vector
                let weight = weight::<G>(rng);
                on_base = SecretScalar::new(*on_base.expose() + weight * *share.expose());
                terms.push((evaluate_vartime::<G>(item.vector.points(), me), weight));
            }
            let mut on_constant = item.proven;
            if let Some((x, w)) = item.constant {
                let random = weight::<G>(rng);
                on_constant = on_constant + random * w;
                terms.push((-x, random));
            }
            terms.push((item.vector.constant_term(), on_constant));
        }
        on_base.public() == proofs.first + weighted_sum_vartime::<G>(&terms)
    }
}

/// Points that were sent, with weights that this party draws after they arrived and uses once: nothing in it is secret. A
/// function of its own, for the constant-time check to know it by.
#[inline(never)]
fn weighted_sum_vartime<G: Group>(terms: &[(G::Point, G::Scalar)]) -> G::Point {
    terms.chunks(512).map(G::lincomb_vartime).sum()
}

/// The echo hash over all broadcasts of rounds 1 and 2; the sid in front has nonces and parameters.
pub(crate) fn echo<'a>(sid: &Sid, broadcasts: impl Iterator<Item = (PartyId, &'a [u8], &'a [u8])>) -> [u8; 32] {
    let start = Transcript::new("sharing", "echo").part(sid);
    broadcasts.fold(start, |t, (from, first, second)| t.number(from.get()).part(first).part(second)).finish()
}

/// Round 3: everybody has seen the same.
///
/// # Errors
/// [`Fault::Encoding`] with its sender; [`Fault::View`] names nobody.
pub(crate) fn same_view(echo: &[u8; 32], theirs: Result<[u8; 32], DecodeError>) -> Result<(), Fault> {
    if theirs? == *echo { Ok(()) } else { Err(Fault::View) }
}

/// `sum C_i`, term by term: the commitments of the sum of the polynomials. Every vector has `t` points.
pub(crate) fn sum_of<G: Group>(vectors: &[&FeldmanVector<G>], threshold: Threshold) -> Vec<G::Point> {
    let mut sum = vec![G::identity(); usize::from(threshold.get())];
    for vector in vectors {
        sum.iter_mut().zip(vector.points()).for_each(|(to, point)| *to = *to + *point);
    }
    sum
}
