//! Findings of public audits of other libraries, on proofs and hashes (docs/audit-findings.md).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::std_instead_of_alloc, reason = "tests")]

use std::collections::BTreeSet;
use symbolon_core::{
    Ed25519, Encoded, Group, PartyId, Secp256k1, SecretScalar, SeedRng, Sid, Threshold, Transcript,
    wire::{Reader, Writer},
};
use symbolon_proofs::{BatchProof, Commitment, DleqProof, FeldmanVector, ProofError, SchnorrProof};

/// What each prover proves: knowledge of `x` and `y`, and that `X` and `Y` have one logarithm to `G` and `H`.
struct Prover<G: Group> {
    context: Transcript,
    secrets: [SecretScalar<G>; 2],
    big_h: G::Point,
}

impl<G: Group> Prover<G> {
    fn new(sid: u8, party: u16, seed: u8) -> Self {
        let rng = &mut SeedRng::new(&[seed; 32]);
        let context = Transcript::new("test", "audit").part([sid; 32]).number(party);
        Self {
            context,
            secrets: [(); 2].map(|()| SecretScalar::random(rng)),
            big_h: G::mul_base(&G::random_scalar(rng)),
        }
    }

    fn publics(&self) -> [G::Point; 2] {
        self.secrets.each_ref().map(SecretScalar::public)
    }

    fn big_y(&self) -> G::Point {
        G::mul(&self.big_h, self.secrets[0].expose())
    }

    /// Encoded: one proof of each kind.
    fn proofs(&self, seed: u8) -> [Vec<u8>; 3] {
        let (rng, [x, y], publics) = (&mut SeedRng::new(&[seed; 32]), &self.secrets, self.publics());
        let mut all = [(); 3].map(|()| Writer::new());
        SchnorrProof::<G>::publish(&self.context, x, rng).1.encode(&mut all[0]);
        BatchProof::<G>::prove(&self.context, &[x, y], &publics, rng).unwrap().encode(&mut all[1]);
        DleqProof::<G>::prove(&self.context, x, &publics[0], &self.big_h, &self.big_y(), rng).encode(&mut all[2]);
        all.map(Writer::finish)
    }

    /// What a verifier of this prover's statements says. `None` for what does not even decode.
    fn verify(&self, kind: usize, proof: &[u8]) -> Option<Result<(), ProofError>> {
        let (mut r, publics) = (Reader::new(proof), self.publics());
        Some(match kind {
            0 => SchnorrProof::<G>::decode(&mut r).ok()?.verify(&self.context, &Encoded::new(publics[0])),
            1 => BatchProof::<G>::decode(&mut r).ok()?.verify(&self.context, &publics),
            _ => {
                let proof = DleqProof::<G>::decode(&mut r).ok()?;
                proof.verify(&self.context, &publics[0], &self.big_h, &self.big_y())
            }
        })
    }
}

fn uncompressed<G: Group>(point: G::Point) -> Vec<u8> {
    G::points_to_uncompressed(&[point])[0].as_ref().to_vec()
}

/// SILA-2: every proof is looked at. In its place: zeros, points and scalars at random, that of somebody else, one of
/// another kind.
#[test]
fn a03_zero_random_and_foreign_proofs_are_refused() {
    fn check<G: Group>() {
        let (me, other) = (Prover::<G>::new(1, 1, 1), Prover::<G>::new(1, 2, 2));
        let (mine, theirs) = (me.proofs(3), other.proofs(4));
        let mut rng = SeedRng::new(&[5; 32]);
        for (kind, proof) in mine.iter().enumerate() {
            assert_eq!(me.verify(kind, proof), Some(Ok(())));
            assert_eq!(me.verify(kind, &vec![0; proof.len()]), None, "zeros are no point");
            assert_eq!(me.verify(kind, &theirs[kind]), Some(Err(ProofError)));
            for _ in 0..20 {
                let mut w = Writer::new();
                for _ in 0..if kind == 2 { 2 } else { 1 } {
                    let point = G::mul_base(&G::random_scalar(&mut rng));
                    if kind == 1 {
                        w.bytes(&uncompressed::<G>(point))
                    } else {
                        w.point::<G>(&point)
                    };
                }
                w.scalar::<G>(&G::random_scalar(&mut rng));
                assert_eq!(me.verify(kind, &w.finish()), Some(Err(ProofError)));
            }
            // a scalar of zero, and its sign
            let z = proof.len() - 32;
            for bad in [[0; 32], G::scalar_to_bytes(&-G::scalar_from_bytes(&proof[z..].try_into().unwrap()).unwrap())] {
                assert_eq!(me.verify(kind, &[&proof[..z], &bad].concat()), Some(Err(ProofError)));
            }
        }
        // a proof of one statement is none of two, nor the other way round
        let (single, z) = mine[0].split_at(G::POINT_LEN);
        let single = [&uncompressed::<G>(G::point_from_bytes(single).unwrap()), z].concat();
        assert_eq!(me.verify(1, &single), Some(Err(ProofError)));
        let (batch, z) = mine[1].split_at(G::UNCOMPRESSED_LEN);
        let batch = [G::compress(&batch.try_into().ok().unwrap()).as_ref(), z].concat();
        assert_eq!(me.verify(0, &batch), Some(Err(ProofError)));
    }
    check::<Secp256k1>();
    check::<Ed25519>();
}

/// BRON-9: the same statement, proved in the name of A, is none of B's, nor of A's in another session.
#[test]
fn a19_a_proof_of_a_is_not_one_of_b() {
    fn check<G: Group>() {
        let a = Prover::<G>::new(1, 1, 1);
        for (sid, party) in [(1, 2), (2, 1)] {
            // the same secrets, and so the same statement
            let b = Prover::<G>::new(sid, party, 1);
            assert!(a.publics() == b.publics());
            for (kind, proof) in a.proofs(3).iter().enumerate() {
                assert_eq!((a.verify(kind, proof), b.verify(kind, proof)), (Some(Ok(())), Some(Err(ProofError))));
            }
        }
    }
    check::<Secp256k1>();
    check::<Ed25519>();
}

/// KS-DF2-F-01: com(A, [B, C]), com(A, [B || C]), com([A, B], C) and what else the same bytes can be cut into.
#[test]
fn a23_lists_in_hashes_are_not_ambiguous() {
    let (a, b, c) = (b"A".as_slice(), b"BB".as_slice(), b"CCC".as_slice());
    let t = || Transcript::new("test", "lists");
    // a list in a hash is its count and its members: `FeldmanVector::absorb`, `Terms`
    let list = |t: Transcript, members: &[&[u8]]| {
        members.iter().fold(t.number(u64::try_from(members.len()).unwrap()), Transcript::part)
    };
    let joined = [b, c].concat();
    let all = [
        list(t().part(a), &[b, c]),
        list(t().part(a), &[&joined]),
        list(t(), &[a, b]).part(c),
        list(t(), &[a, b, c]),
        list(list(t().part(a), &[b]), &[c]),
        list(list(t(), &[a]), &[b, c]),
        list(list(t(), &[a, b]), &[c]),
        list(t().part(a), &[c, b]),
        list(t().part(a), &[b, c, &[]]),
        list(t().part(a), &[&[], b, c]),
        t().part(a).part(b).part(c),
        t().part(a).part(&joined),
        t().part([a, &joined].concat()),
    ];
    let hashes: BTreeSet<_> = all.into_iter().map(Transcript::finish).collect();
    assert_eq!(hashes.len(), 13);

    // commitments: a byte moved between label, value and opening
    let rng = &mut SeedRng::new(&[1; 32]);
    let (sid, party) = (Sid::from_bytes([1; 32]), PartyId::SERVER);
    let (com, opening) = Commitment::commit("label", &sid, party, b"value", rng);
    assert_eq!(com.verify("label", &sid, party, b"value", &opening), Ok(()));
    for (label, value) in [("labe", &b"lvalue"[..]), ("labelv", b"alue"), ("label", b"value\0"), ("label", b"valu")] {
        assert_eq!(com.verify(label, &sid, party, value, &opening), Err(ProofError));
    }
    // commitments to two polynomials, cut elsewhere: of 2 and 3 coefficients, of 3 and 2
    let points: Vec<_> = (0..5).map(|_| Secp256k1::mul_base(&Secp256k1::random_scalar(rng))).collect();
    let vector = |points: &[_]| {
        let threshold = Threshold::new(u16::try_from(points.len()).unwrap(), 9).unwrap();
        FeldmanVector::<Secp256k1>::new(points.to_vec(), threshold).unwrap()
    };
    let two = |cut: usize| vector(&points[cut..]).absorb(vector(&points[..cut]).absorb(t())).finish();
    assert_ne!(two(2), two(3));
}

/// attacks.md row 29: first message and response first, for a guess of the statement; then one point of it solved for. The
/// challenge is that of the guess, and the statement is another.
#[test]
fn row_29_statements_chosen_after_a_batch() {
    fn check<G: Group>() {
        let (rng, context) = (&mut SeedRng::new(&[7; 32]), Transcript::new("test", "chosen"));
        let mut w = Writer::new();
        let (big_k, z) = (G::mul_base(&G::random_scalar(rng)), G::random_scalar(rng));
        w.bytes(&uncompressed::<G>(big_k)).scalar::<G>(&z);
        let proof = BatchProof::<G>::decode(&mut Reader::new(&w.finish())).unwrap();
        let other = G::mul_base(&G::random_scalar(rng));
        for guess in [G::generator(), big_k, other] {
            let (_, _, powers) = proof.equation(&context, &G::points_to_bytes(&[guess, other]));
            // z*G = K + e*X_1 + e^2*X_2
            let rest = G::mul_base(&z) - big_k - G::mul(&other, &powers[1]);
            let solved = G::mul(&rest, &G::invert(&powers[0]));
            assert!(G::mul(&solved, &powers[0]) + G::mul(&other, &powers[1]) + big_k == G::mul_base(&z));
            assert_eq!(proof.verify(&context, &[solved, other]), Err(ProofError));
        }
    }
    check::<Secp256k1>();
    check::<Ed25519>();
}
