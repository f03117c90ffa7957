//! Points, scalars, proofs and commitments on both curves: what is read has one encoding, other libraries agree, and nothing
//! verifies that was changed.

use crate::{
    bytes::{Bytes, ORDER_ED25519, ORDER_SECP256K1},
    memory::bounded,
};
use curve25519_dalek::{edwards::CompressedEdwardsY, traits::IsIdentity};
use symbolon_core::{
    Ed25519, Encoded, Group, PartyId, Secp256k1, SecretScalar, Sid, Threshold, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_proofs::{
    BatchProof, Commitment, DleqProof, FeldmanError, FeldmanVector, Opening, SchnorrProof, verify_all,
};
use symbolon_testkit::seeded;

/// A group, and what other libraries say of its encodings.
trait Judged: Group {
    /// Whether these bytes are a point: in the group, not the identity, in its one encoding.
    fn is_point(bytes: &[u8]) -> bool;
    /// The same of an uncompressed point.
    fn is_uncompressed(bytes: &[u8]) -> bool {
        Self::is_point(bytes)
    }
    /// Whether these bytes are below the order.
    fn is_scalar(bytes: &[u8; 32]) -> bool;
}

impl Judged for Secp256k1 {
    fn is_point(bytes: &[u8]) -> bool {
        // libsecp256k1 also takes uncompressed and hybrid points, k256 also tag 05 and the identity
        let compressed = bytes.len() == 33 && matches!(bytes[0], 2 | 3);
        let theirs = secp256k1::PublicKey::from_slice(bytes).is_ok();
        assert_eq!(compressed && theirs, compressed && k256::PublicKey::from_sec1_bytes(bytes).is_ok());
        compressed && theirs
    }

    fn is_uncompressed(bytes: &[u8]) -> bool {
        let tagged = [&[4], bytes].concat();
        let theirs = secp256k1::PublicKey::from_slice(&tagged).is_ok();
        assert_eq!(theirs, k256::PublicKey::from_sec1_bytes(&tagged).is_ok());
        theirs
    }

    fn is_scalar(bytes: &[u8; 32]) -> bool {
        let below = *bytes < ORDER_SECP256K1;
        // zero is no key
        assert_eq!(below && *bytes != [0; 32], secp256k1::SecretKey::from_secret_bytes(*bytes).is_ok());
        below
    }
}

impl Judged for Ed25519 {
    fn is_point(bytes: &[u8]) -> bool {
        // dalek also takes y of the prime and above, a sign of x = 0, small and mixed order
        let Ok(compressed) = CompressedEdwardsY::from_slice(bytes) else { return false };
        let strict = |point: &curve25519_dalek::EdwardsPoint| {
            point.compress() == compressed && point.is_torsion_free() && !point.is_identity()
        };
        compressed.decompress().is_some_and(|point| strict(&point))
    }

    fn is_scalar(bytes: &[u8; 32]) -> bool {
        bytes.iter().rev().lt(ORDER_ED25519.iter().rev())
    }
}

/// The target. Gives whether something was read, or verified.
pub fn run(data: &[u8]) -> bool {
    let mut input = Bytes(data);
    let way = input.byte();
    if way & 0x80 == 0 { on::<Secp256k1>(way, &mut input) } else { on::<Ed25519>(way & 0x7f, &mut input) }
}

fn on<G: Judged>(way: u8, input: &mut Bytes<'_>) -> bool {
    match way % 8 {
        1 => point::<G>(input.rest()),
        2 => scalar::<G>(&input.array()),
        3 => decoded::<G>(input),
        4 => schnorr::<G>(input),
        5 => batch::<G>(input),
        6 => dleq::<G>(input),
        7 => feldman::<G>(input),
        _ => commitment(input),
    }
}

fn point<G: Judged>(bytes: &[u8]) -> bool {
    let read = bounded(0, bytes, || G::point_from_bytes(bytes));
    assert_eq!(read.is_ok(), G::is_point(bytes), "{bytes:02x?}");
    match read {
        Ok(point) => assert_eq!(G::point_to_bytes(&point).as_ref(), bytes),
        Err(DecodeError::Truncated) => assert_ne!(bytes.len(), G::POINT_LEN),
        Err(DecodeError::Identity) => assert_eq!(bytes, G::point_to_bytes(&G::identity()).as_ref()),
        Err(error) => assert_eq!(error, DecodeError::Point),
    }
    let Ok(uncompressed) = G::Uncompressed::try_from(bytes) else { return read.is_ok() };
    let read = Encoded::<G>::from_uncompressed(&uncompressed);
    assert_eq!(read.is_ok(), G::is_uncompressed(bytes), "{bytes:02x?}");
    if let Ok(point) = read {
        assert_eq!(G::points_to_uncompressed(&[*point.point()])[0].as_ref(), bytes);
        assert_eq!(*point.bytes(), G::point_to_bytes(point.point()));
    }
    read.is_ok()
}

fn scalar<G: Judged>(bytes: &[u8; 32]) -> bool {
    let read = G::scalar_from_bytes(bytes);
    assert_eq!(read.is_ok(), G::is_scalar(bytes), "{bytes:02x?}");
    match read {
        Ok(scalar) => {
            assert_eq!(G::scalar_to_bytes(&scalar), *bytes);
            if scalar == G::Scalar::default() {
                assert_eq!(*bytes, [0; 32]);
            } else {
                assert_eq!(G::invert(&scalar) * scalar, G::Scalar::from(1));
            }
        }
        Err(error) => assert_eq!(error, DecodeError::ScalarRange),
    }
    read.is_ok()
}

/// One encoding of everything; what is no field of it is no part of it.
fn decoded<G: Judged>(input: &mut Bytes<'_>) -> bool {
    let (kind, t) = (input.byte(), 2 + u16::from(input.byte() % 30));
    let bytes = input.rest();
    let len = match kind % 6 {
        0 => SchnorrProof::<G>::LEN,
        1 => BatchProof::<G>::LEN,
        2 => DleqProof::<G>::LEN,
        3 => usize::from(t) * G::POINT_LEN,
        4 => 32,
        _ => usize::from(t) * G::UNCOMPRESSED_LEN,
    };
    let again = bounded(32, bytes, || {
        Reader::new(bytes).whole(|r| {
            let mut w = Writer::with_capacity(len);
            match kind % 6 {
                0 => SchnorrProof::<G>::decode(r)?.encode(&mut w),
                1 => BatchProof::<G>::decode(r)?.encode(&mut w),
                2 => DleqProof::<G>::decode(r)?.encode(&mut w),
                3 => FeldmanVector::<G>::decode(r, threshold(t))?.encode(&mut w),
                4 => Opening::decode(r)?.encode(&mut w),
                _ => {
                    let vector = FeldmanVector::<G>::decode_uncompressed(r, threshold(t))?;
                    G::points_to_uncompressed(vector.points()).iter().for_each(|point| {
                        w.bytes(point.as_ref());
                    });
                }
            }
            Ok::<_, DecodeError>(w.finish())
        })
    });
    let Ok(again) = again else { return false };
    assert_eq!((again.len(), again.as_slice()), (len, bytes));
    true
}

fn threshold(t: u16) -> Threshold {
    Threshold::new(t, 255).expect("2 to 255")
}

fn context(input: &mut Bytes<'_>) -> Transcript {
    Transcript::new("fuzz", "proofs").part(input.array::<2>())
}

/// A secret of the input's choice, not zero: of the identity everybody knows the logarithm, so that any context proves it.
fn known<G: Group>(input: &mut Bytes<'_>) -> SecretScalar<G> {
    let x = secret::<G>(input);
    if *x.expose() == G::Scalar::default() { SecretScalar::new(G::Scalar::from(1)) } else { x }
}

/// A secret of the input's choice, zero included.
fn secret<G: Group>(input: &mut Bytes<'_>) -> SecretScalar<G> {
    let mut wide = [0; 64];
    wide[..4].copy_from_slice(&input.array::<4>());
    SecretScalar::new(G::scalar_from_wide(&wide))
}

fn encoded(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut w = Writer::new();
    write(&mut w);
    w.finish()
}

/// A true proof verifies, and no other bytes do for the same statement: there is one `K` for a `z`, and nobody finds a second pair.
fn schnorr<G: Judged>(input: &mut Bytes<'_>) -> bool {
    let (context, x) = (context(input), known::<G>(input));
    let mut bytes = encoded(|w| SchnorrProof::publish(&context, &x, &mut seeded(1)).1.encode(w));
    let mut other = x.public();
    let statement = input.byte();
    if statement % 4 == 1 {
        other = other + G::generator();
    }
    let context = if statement % 4 == 2 { context.part("more") } else { context };
    let changed = input.overwrite(&mut bytes) || matches!(statement % 4, 1 | 2);
    let Ok(proof) = Reader::new(&bytes).whole(SchnorrProof::<G>::decode) else { return false };
    let verified = proof.verify(&context, &Encoded::new(other)).is_ok();
    assert_eq!(verified, !changed);
    verified
}

/// Verifying many at once is verifying each, and names the first that is wrong; a batch proof as the single one.
fn batch<G: Judged>(input: &mut Bytes<'_>) -> bool {
    let (context, count) = (context(input), 1 + usize::from(input.byte() % 4));
    let secrets: Vec<_> = (0..count).map(|_| known::<G>(input)).collect();
    let publics: Vec<_> = secrets.iter().map(SecretScalar::public).collect();
    let statements = Encoded::all(&publics);
    let mut singles = Vec::new();
    for (x, big_x) in secrets.iter().zip(&statements) {
        let mut bytes = encoded(|w| SchnorrProof::prove(&context, x, big_x, &mut seeded(1)).encode(w));
        if input.byte() % 2 == 1 {
            let place = usize::from(input.byte()) % bytes.len();
            bytes[place] ^= input.byte();
        }
        let Ok(proof) = Reader::new(&bytes).whole(SchnorrProof::<G>::decode) else { return false };
        singles.push(proof);
    }
    let items: Vec<_> = statements.iter().zip(&singles).map(|(big_x, proof)| (&context, big_x, proof)).collect();
    let wrong = items.iter().position(|(context, big_x, proof)| proof.verify(context, big_x).is_err());
    assert_eq!(verify_all(&items, &mut seeded(2)).err(), wrong);

    let references: Vec<_> = secrets.iter().collect();
    let proof = BatchProof::prove(&context, &references, &publics, &mut seeded(3)).expect("one at least");
    let mut bytes = encoded(|w| proof.encode(w));
    let changed = input.overwrite(&mut bytes);
    let Ok(proof) = Reader::new(&bytes).whole(BatchProof::<G>::decode) else { return false };
    assert_eq!(proof.verify(&context, &publics).is_ok(), !changed);
    assert!(proof.verify(&context, &publics[1..]).is_err(), "the count is bound");
    !changed && wrong.is_none()
}

fn dleq<G: Judged>(input: &mut Bytes<'_>) -> bool {
    let (context, x, h) = (context(input), known::<G>(input), secret::<G>(input));
    let (big_x, big_h) = (x.public(), h.public());
    let big_y = G::mul(&big_h, x.expose());
    let mut bytes = encoded(|w| DleqProof::prove(&context, &x, &big_x, &big_h, &big_y, &mut seeded(1)).encode(w));
    let changed = input.overwrite(&mut bytes);
    let Ok(proof) = Reader::new(&bytes).whole(DleqProof::<G>::decode) else { return false };
    let verified = proof.verify(&context, &big_x, &big_h, &big_y).is_ok();
    assert_eq!(verified, !changed && !G::is_identity(&big_h));
    assert!(proof.verify(&context, &big_x, &big_h, &(big_y + G::generator())).is_err());
    verified
}

/// Shares of a committed polynomial, with some changed: they are found one by one and at once, and the first is named.
fn feldman<G: Judged>(input: &mut Bytes<'_>) -> bool {
    let t = 2 + u16::from(input.byte() % 4);
    let coefficients: Vec<_> = (0..t).map(|_| secret::<G>(input)).collect();
    let points: Vec<_> = coefficients.iter().map(SecretScalar::public).collect();
    let vector = FeldmanVector::<G>::new(points.clone(), threshold(t));
    let (first, last) = (G::is_identity(&points[0]), points.last().is_some_and(G::is_identity));
    match &vector {
        Ok(vector) => assert!(!first && !last && vector.constant_term() == points[0]),
        Err(FeldmanError::ConstantTerm) => assert!(first),
        Err(error) => assert!(*error == FeldmanError::LeadingTerm && last),
    }
    assert_eq!(FeldmanVector::<G>::new(points, threshold(t + 1)).err(), Some(FeldmanError::Length));
    let Ok(vector) = vector else { return false };
    let value = |x: G::Scalar| {
        coefficients.iter().rev().fold(G::Scalar::default(), |sum, coefficient| sum * x + *coefficient.expose())
    };
    let mut wrong = None;
    let mut items = Vec::new();
    for i in 0..4 {
        let x = G::Scalar::from(u64::from(input.u16()));
        let by = G::Scalar::from(u64::from(input.byte() % 3));
        let share = value(x) + by;
        assert_eq!(vector.verify(&x, &share), by == G::Scalar::default());
        assert!(vector.evaluate_vartime(&x) == G::mul_base(&value(x)));
        if by != G::Scalar::default() {
            wrong = wrong.or(Some(FeldmanError::Share(i)));
        }
        items.push((&vector, x, share));
    }
    assert_eq!(FeldmanVector::verify_all(&items, &mut seeded(1)).err(), wrong);
    let bytes = encoded(|w| vector.encode(w));
    // a coefficient between the first and the last may be the identity here, and has no encoding
    if let Ok(read) = Reader::new(&bytes).whole(|r| FeldmanVector::<G>::decode(r, threshold(t))) {
        assert_eq!(read, vector);
    }
    wrong.is_none()
}

fn commitment(input: &mut Bytes<'_>) -> bool {
    let (sid, value) = (Sid::from_bytes([1; 32]), input.array::<4>());
    let (commitment, opening) = Commitment::commit("x", &sid, PartyId::SERVER, &value, &mut seeded(1));
    let mut bytes = encoded(|w| {
        commitment.encode(w);
        opening.encode(w);
    });
    let changed = input.overwrite(&mut bytes);
    let read = Reader::new(&bytes).whole(|r| Ok::<_, DecodeError>((Commitment::decode(r)?, Opening::decode(r)?)));
    assert_eq!(read.is_ok(), bytes.len() == 64);
    let Ok((commitment, opening)) = read else { return false };
    assert_eq!([commitment.as_bytes(), opening.to_bytes().as_slice()].concat(), bytes);
    let opened = commitment.verify("x", &sid, PartyId::SERVER, &value, &opening).is_ok();
    assert_eq!(opened, !changed);
    assert!(commitment.verify("x", &sid, PartyId::CLIENT, &value, &opening).is_err());
    opened
}
