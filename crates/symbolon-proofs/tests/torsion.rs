//! attacks.md row 39: no encoding of a proof or of commitments carries a component of small order or a scalar that is not
//! reduced.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION, edwards::CompressedEdwardsY};
use symbolon_core::{
    Ed25519, Group, SecretScalar, SeedRng, Threshold, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_proofs::{BatchProof, DleqProof, FeldmanVector, SchnorrProof};

type Decoder = fn(&mut Reader<'_>) -> Result<(), DecodeError>;

/// Changes the encoding of a point.
fn plus(bytes: &mut [u8], torsion: &EdwardsPoint) {
    let point = CompressedEdwardsY::from_slice(bytes).unwrap().decompress().unwrap();
    bytes.copy_from_slice((point + torsion).compress().as_bytes());
}

/// `s + l`, little-endian; `l - 1` is -1.
fn plus_order(bytes: &mut [u8]) {
    let mut carry = 1;
    for (to, l) in bytes.iter_mut().zip((-Scalar::ONE).to_bytes()) {
        let sum = u16::from(*to) + u16::from(l) + carry;
        (*to, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
}

#[test]
fn row_39_every_point_and_scalar_of_every_encoding() {
    type G = Ed25519;
    let mut rng = SeedRng::new(&[1; 32]);
    let secrets: Vec<_> = (0..4).map(|_| SecretScalar::<G>::random(&mut rng)).collect();
    let publics: Vec<_> = secrets.iter().map(SecretScalar::public).collect();
    let (x, context) = (&secrets[0], Transcript::new("test", "torsion"));
    let big_y = G::mul(&publics[1], x.expose());

    // points, then scalars
    let mut all: Vec<(&str, Writer, usize, usize, Decoder)> = Vec::new();
    let mut add = |name, points, scalars, encode: &dyn Fn(&mut Writer), decode| {
        let mut w = Writer::new();
        encode(&mut w);
        all.push((name, w, points, scalars, decode));
    };
    let proof = SchnorrProof::<G>::publish(&context, x, &mut rng).1;
    add("Schnorr", 1, 1, &|w| proof.encode(w), |r| SchnorrProof::<G>::decode(r).map(drop));
    let proof = BatchProof::<G>::prove(&context, &secrets.iter().collect::<Vec<_>>(), &publics, &mut rng).unwrap();
    add("batch", 1, 1, &|w| proof.encode(w), |r| BatchProof::<G>::decode(r).map(drop));
    let proof = DleqProof::<G>::prove(&context, x, &publics[0], &publics[1], &big_y, &mut rng);
    add("equal logarithms", 2, 1, &|w| proof.encode(w), |r| DleqProof::<G>::decode(r).map(drop));
    let vector = FeldmanVector::<G>::commit(&secrets);
    let threshold = |r: &mut Reader<'_>| FeldmanVector::<G>::decode(r, Threshold::new(4, 4).unwrap()).map(drop);
    add("Feldman", 4, 0, &|w| vector.encode(w), threshold);

    for (name, w, points, scalars, decode) in all {
        let bytes = w.finish();
        assert_eq!(bytes.len(), 32 * (points + scalars), "{name}: nothing else is in it");
        assert_eq!(Reader::new(&bytes).whole(decode), Ok(()), "{name}");
        for at in 0..points {
            for torsion in &EIGHT_TORSION[1..] {
                let mut changed = bytes.clone();
                plus(&mut changed[32 * at..][..32], torsion);
                assert_eq!(Reader::new(&changed).whole(decode), Err(DecodeError::Point), "{name} {at}");
            }
        }
        for at in points..points + scalars {
            let mut changed = bytes.clone();
            plus_order(&mut changed[32 * at..][..32]);
            assert_eq!(Reader::new(&changed).whole(decode), Err(DecodeError::ScalarRange), "{name} {at}");
        }
    }
}
