//! Commitments that are no points of the group, and bodies of other lengths.

use crate::liars::*;
use crate::world::*;
use curve25519_dalek::{constants::EIGHT_TORSION, edwards::CompressedEdwardsY, traits::IsIdentity};
use symbolon_core::{Ed25519, Group, Secp256k1, wire::DecodeError};
use symbolon_eddsa::{CommitmentList, NonceCommitments, PublicKey};
use symbolon_session::Fault;

const ALL: [u16; 3] = [1, 2, 3];

/// The liar puts these bytes in the place of `D` and of `E`, of one run and of each item of a batch: 1 and 3 name it.
fn refused_everywhere<C: Curve>(shares: &Shares<C>, bad: &[u8], error: DecodeError) {
    let put = |at: usize| {
        let bad = bad.to_vec();
        move |body: &mut Vec<u8>| body[at..at + C::POINT_LEN].copy_from_slice(&bad)
    };
    for place in [0, C::POINT_LEN] {
        let ends = run(Mode::Sign, shares, &ALL, liar(2, at(COMMIT, put(place))));
        assert_failed(&ends, Fault::Encoding(error), Some(2));
        for n in 0..usize::from(COUNT) {
            let ends = prepare(shares, &ALL, liar(2, at(COMMIT, put(place + n * pair_len::<C>()))));
            assert_failed(&ends, Fault::Encoding(error), Some(2));
        }
    }
    assert_eq!(PublicKey::<C>::from_bytes(bad), Err(error));
}

// bad inputs 62
#[test]
fn row_83_identity_commitments_are_refused() {
    fn check<C: Curve>() {
        let identity = C::point_to_bytes(&C::identity());
        refused_everywhere(&shares::<C>(3), identity.as_ref(), DecodeError::Identity);
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// bad inputs 32, 33: what the liar would have said and a point of small order; a point of small order alone
#[test]
fn row_39_torsion_in_a_commitment_names_its_sender() {
    let shares = shares::<Ed25519>(3);
    let honest = commitments(&shares, &ALL)[&2].clone();
    for torsion in &EIGHT_TORSION[1..] {
        for place in [0, 32] {
            let point = CompressedEdwardsY(honest[place..place + 32].try_into().unwrap()).decompress().unwrap();
            let mixed = (point + torsion).compress().to_bytes();
            refused_everywhere(&shares, &mixed, DecodeError::Point);
            let mut bytes = honest.clone();
            bytes[place..place + 32].copy_from_slice(&mixed);
            let list = list_bytes(&[(2, bytes)].into());
            assert_eq!(CommitmentList::<Ed25519>::from_bytes(&list), Err(DecodeError::Point));
        }
        refused_everywhere(&shares, &torsion.compress().to_bytes(), DecodeError::Point);
    }
    assert!(EIGHT_TORSION[0].is_identity());
}

// bad inputs 31, 34: y of p and above, x = 0 with a sign
#[test]
fn row_39_points_have_one_encoding() {
    let shares = shares::<Ed25519>(3);
    let mut bad: Vec<[u8; 32]> = Vec::new();
    for sign in [0, 0x80] {
        for low in 0xed..=0xff {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (low, 0x7f | sign);
            bad.push(bytes);
        }
    }
    let (mut minus_zero, mut minus_zero_below) = ([0; 32], [0xff; 32]);
    (minus_zero[0], minus_zero[31]) = (1, 0x80);
    minus_zero_below[0] = 0xec;
    bad.extend([minus_zero, minus_zero_below]);
    // of these the decoder of the curve library takes some
    assert!(bad.iter().filter(|bytes| CompressedEdwardsY(**bytes).decompress().is_some()).count() > 10);
    for bytes in bad {
        refused_everywhere(&shares, &bytes, DecodeError::Point);
    }
}

#[test]
fn row_25_sec1_points_are_compressed_and_on_the_curve() {
    let shares = shares::<Secp256k1>(3);
    // x = 5 has no y; an unknown tag; x of p and above
    let mut bad = [[0; 33], [0; 33], [0xff; 33]];
    (bad[0][0], bad[0][32]) = (2, 5);
    bad[1].copy_from_slice(&Secp256k1::generator_bytes());
    bad[1][0] = 5;
    bad[2][0] = 2;
    for bytes in bad {
        refused_everywhere(&shares, &bytes, DecodeError::Point);
    }
}

// every body has one length. Longer than any body of its round: refused, and the run waits
#[test]
fn row_25_every_body_has_one_length() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let short = |body: &mut Vec<u8>| body.truncate(body.len() - 1);
        let empty = |body: &mut Vec<u8>| body.clear();
        let half = |body: &mut Vec<u8>| body.truncate(body.len() / 2);
        let changes: [fn(&mut Vec<u8>); 3] = [short, empty, half];
        let long = |body: &mut Vec<u8>| body.push(0);
        let truncated = Fault::Encoding(DecodeError::Truncated);
        for change in changes {
            assert_failed(&run(Mode::Sign, &shares, &ALL, liar(2, at(COMMIT, change))), truncated, Some(2));
            assert_failed(&run(Mode::Sign, &shares, &ALL, liar(2, at(SHARE, change))), truncated, Some(2));
            assert_failed(&run(Mode::Online, &shares, &ALL, liar(2, at(1, change))), truncated, Some(2));
            assert_failed(&prepare(&shares, &ALL, liar(2, at(COMMIT, change))), truncated, Some(2));
            assert_failed(&prepare(&shares, &ALL, liar(2, at(SHARE, change))), truncated, Some(2));
        }
        let waits = |ends: Ends| assert!(ends.values().all(|end| *end == End::Waiting), "{ends:?}");
        waits(run(Mode::Sign, &shares, &ALL, liar(2, at(COMMIT, long))));
        waits(run(Mode::Sign, &shares, &ALL, liar(2, at(SHARE, long))));
        waits(run(Mode::Online, &shares, &ALL, liar(2, at(1, long))));
        waits(prepare(&shares, &ALL, liar(2, at(COMMIT, long))));
        waits(prepare(&shares, &ALL, liar(2, at(SHARE, long))));
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// the whole body is read
#[test]
fn row_25_commitments_have_no_trailing_bytes() {
    fn check<C: Curve>() {
        let bytes = [C::generator_bytes().as_ref(), C::generator_bytes().as_ref()].concat();
        let read = |bytes: &[u8]| symbolon_core::wire::Reader::new(bytes).whole(NonceCommitments::<C>::decode);
        assert_eq!(read(&bytes).unwrap().to_bytes(), bytes);
        assert_eq!(read(&[&bytes[..], &[0]].concat()), Err(DecodeError::Trailing));
        for len in 0..bytes.len() {
            assert!(read(&bytes[..len]).is_err());
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}
