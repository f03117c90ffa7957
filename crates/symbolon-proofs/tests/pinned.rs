//! What is hashed, pinned: a change of it is a change of the protocol, also if prover and verifier agree on it.

#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc, reason = "a test")]

use symbolon_core::{
    Ed25519, Encoded, Group, PartyId, Secp256k1, SecretScalar, SeedRng, Sid, Transcript, wire::Writer,
};
use symbolon_proofs::{BatchProof, Commitment, DleqProof, SchnorrProof};

fn context() -> Transcript {
    Transcript::new("test", "pinned")
}

/// The hash of everything that a fixed generator leads to.
fn pinned<G: Group>() -> String {
    let mut rng = SeedRng::new(&[9; 32]);
    let (x, y) = (SecretScalar::<G>::random(&mut rng), SecretScalar::<G>::random(&mut rng));
    let (big_x, big_y) = (x.public(), y.public());
    let big_h = big_x + big_y;
    let mut w = Writer::new();
    SchnorrProof::prove(&context(), &x, &Encoded::new(big_x), &mut rng).encode(&mut w);
    BatchProof::prove(&context(), &[&x, &y], &[big_x, big_y], &mut rng).unwrap().encode(&mut w);
    DleqProof::prove(&context(), &x, &big_x, &big_h, &G::mul(&big_h, x.expose()), &mut rng).encode(&mut w);
    let (com, opening) = Commitment::commit("c", &Sid::from_bytes([8; 32]), PartyId::CLIENT, b"value", &mut rng);
    com.encode(&mut w);
    opening.encode(&mut w);
    context().part(w.finish()).finish().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn proofs_and_commitments_are_as_they_were() {
    assert_eq!(pinned::<Secp256k1>(), "3a39b511c5ae8fe318985942b2ebdc55acd97d413018660e9a8020d92a3e6540");
    assert_eq!(pinned::<Ed25519>(), "a0bcd8b1772c021c09350c1b1fc656aa32538951ad1eff47b680ef8f66df2405");
}

/// The parts of a batch's equation satisfy it.
#[test]
fn the_equation_of_a_batch_holds() {
    fn check<G: Group>() {
        let mut rng = SeedRng::new(&[7; 32]);
        let secrets: Vec<_> = (0..4).map(|_| SecretScalar::<G>::random(&mut rng)).collect();
        let publics: Vec<_> = secrets.iter().map(SecretScalar::public).collect();
        let proof = BatchProof::prove(&context(), &secrets.iter().collect::<Vec<_>>(), &publics, &mut rng).unwrap();
        let (z, big_k, powers) = proof.equation(&context(), &G::points_to_bytes(&publics));
        assert_eq!(powers.len(), 4);
        let sum = publics.iter().zip(&powers).fold(big_k, |sum, (public, power)| sum + G::mul(public, power));
        assert!(G::mul_base(&z) == sum);
    }
    check::<Secp256k1>();
    check::<Ed25519>();
}
