//! The fields of message bodies, and what a liar does to them.

use crate::seeded;
use curve25519_dalek::constants::EIGHT_TORSION;
use rand_chacha::ChaCha12Rng;
use rand_core::Rng;
use symbolon_core::{Ed25519, Group, Secp256k1};

/// Of which group a point or scalar is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// secp256k1.
    Secp256k1,
    /// The prime-order group of Ed25519.
    Ed25519,
}

impl Curve {
    /// The one of a type.
    pub fn of<G: Group>() -> Self {
        if G::ID == Secp256k1::ID { Self::Secp256k1 } else { Self::Ed25519 }
    }
}

/// What an element of a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A compressed point.
    Point(Curve),
    /// An uncompressed point of secp256k1, `x || y`.
    Uncompressed,
    /// A scalar of 32 bytes.
    Scalar(Curve),
    /// Anything else of this many bytes: a hash, a seed, a row of a matrix, a mark, a sealed value.
    Bytes(usize),
}

impl Kind {
    /// Bytes of one element.
    pub const fn len(self) -> usize {
        match self {
            Self::Point(Curve::Secp256k1) => 33,
            Self::Uncompressed => 64,
            Self::Point(Curve::Ed25519) | Self::Scalar(_) => 32,
            Self::Bytes(len) => len,
        }
    }

    /// Whether an element has no bytes.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// Elements of one kind that stand in a row in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// What the specification calls it.
    pub name: &'static str,
    /// Of each element.
    pub kind: Kind,
    /// How many.
    pub count: usize,
}

impl Field {
    /// One element.
    pub const fn one(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, count: 1 }
    }

    /// Several elements.
    pub const fn many(name: &'static str, kind: Kind, count: usize) -> Self {
        Self { name, kind, count }
    }

    /// Its bytes.
    pub const fn len(&self) -> usize {
        self.kind.len() * self.count
    }

    /// Whether it has no bytes.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What is done to an element, or to a whole body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the words say it")]
pub enum Move {
    Flip,
    Zero,
    Ones,
    One,
    PlusOne,
    Random,
    Order,
    OrderMinusOne,
    Identity,
    OffCurve,
    NonCanonical,
    /// A point of small order.
    SmallOrder,
    /// The point with one of small order added.
    Torsion,
    /// The same element of another party's message in this round.
    Others,
    /// The same element of an older run.
    Older,
    /// Another element of the same field.
    Sibling,
    Truncate,
    Extend,
    Empty,
    /// Another confirmation than of what was stored.
    Outcome,
}

/// What whole bodies suffer.
pub(super) const OF_BODIES: &[Move] =
    &[Move::Truncate, Move::Extend, Move::Empty, Move::Others, Move::Older, Move::Random];

/// What elements of a kind suffer.
pub const fn moves_of(kind: Kind) -> &'static [Move] {
    use Move as M;
    match kind {
        Kind::Scalar(_) => &[
            M::Flip,
            M::Zero,
            M::One,
            M::Order,
            M::OrderMinusOne,
            M::PlusOne,
            M::Random,
            M::Others,
            M::Older,
            M::Sibling,
        ],
        Kind::Point(Curve::Secp256k1) | Kind::Uncompressed => &[
            M::Flip,
            M::Identity,
            M::OffCurve,
            M::NonCanonical,
            M::PlusOne,
            M::Random,
            M::Others,
            M::Older,
            M::Sibling,
        ],
        Kind::Point(Curve::Ed25519) => &[
            M::Flip,
            M::Identity,
            M::OffCurve,
            M::NonCanonical,
            M::SmallOrder,
            M::Torsion,
            M::PlusOne,
            M::Random,
            M::Others,
            M::Older,
            M::Sibling,
        ],
        Kind::Bytes(_) => &[M::Flip, M::Zero, M::Ones, M::PlusOne, M::Random, M::Others, M::Older, M::Sibling],
    }
}

/// Where a liar takes elements from.
#[derive(Default)]
pub struct Sources<'s> {
    /// The same element in another party's message.
    pub others: Option<&'s [u8]>,
    /// The same element in an older run.
    pub older: Option<&'s [u8]>,
    /// Another element of the field.
    pub sibling: Option<&'s [u8]>,
}

/// Alters one element. What a source does not have is drawn at random.
pub fn alter(kind: Kind, how: Move, element: &mut [u8], sources: &Sources<'_>, salt: u64) {
    let mut rng = seeded(salt);
    let taken = match how {
        Move::Others => sources.others,
        Move::Older => sources.older,
        Move::Sibling => sources.sibling,
        _ => None,
    };
    if let Some(taken) = taken.filter(|taken| taken.len() == element.len()) {
        return element.copy_from_slice(taken);
    }
    match (kind, how) {
        (_, Move::Flip) => flip(element, &mut rng),
        (Kind::Scalar(Curve::Secp256k1), how) => scalar::<Secp256k1>(how, element, &mut rng),
        (Kind::Scalar(Curve::Ed25519), how) => scalar::<Ed25519>(how, element, &mut rng),
        (Kind::Point(Curve::Secp256k1), how) => point::<Secp256k1>(how, element, &mut rng),
        (Kind::Point(Curve::Ed25519), how) => point::<Ed25519>(how, element, &mut rng),
        (Kind::Uncompressed, how) => uncompressed(how, element, &mut rng),
        (Kind::Bytes(_), Move::Zero) => element.fill(0),
        (Kind::Bytes(_), Move::Ones) => element.fill(0xff),
        (Kind::Bytes(_), Move::PlusOne) => {
            if let Some(last) = element.last_mut() {
                *last = last.wrapping_add(1);
            }
        }
        (Kind::Bytes(_), _) => rng.fill_bytes(element),
    }
}

fn flip(element: &mut [u8], rng: &mut ChaCha12Rng) {
    let bits = u64::try_from(8 * element.len()).expect("small");
    if bits > 0 {
        let bit = usize::try_from(rng.next_u64() % bits).expect("small");
        element[bit / 8] ^= 1 << (bit % 8);
    }
}

fn scalar<G: Group>(how: Move, element: &mut [u8], rng: &mut ChaCha12Rng) {
    let mut bytes: [u8; 32] = (&*element).try_into().expect("a scalar has 32 bytes");
    let one = G::Scalar::from(1);
    match how {
        Move::Zero => bytes = [0; 32],
        Move::One => bytes = G::scalar_to_bytes(&one),
        Move::OrderMinusOne => bytes = G::scalar_to_bytes(&-one),
        Move::Order => {
            // the last byte of -1 is not 0xff in either group: no carry
            bytes = G::scalar_to_bytes(&-one);
            let lowest = if G::ID == Secp256k1::ID { 31 } else { 0 };
            bytes[lowest] += 1;
        }
        Move::PlusOne => {
            let k = G::scalar_from_bytes(&bytes).unwrap_or_default();
            bytes = G::scalar_to_bytes(&(k + one));
        }
        _ => bytes = G::scalar_to_bytes(&G::random_scalar(rng)),
    }
    element.copy_from_slice(&bytes);
}

fn point<G: Group>(how: Move, element: &mut [u8], rng: &mut ChaCha12Rng) {
    let secp = G::ID == Secp256k1::ID;
    let torsion = EIGHT_TORSION[1 + usize::try_from(rng.next_u64() % 7).expect("small")];
    match how {
        Move::Identity => element.copy_from_slice(G::point_to_bytes(&G::identity()).as_ref()),
        Move::OffCurve => loop {
            rng.fill_bytes(element);
            if secp {
                element[0] = 2 | element[0] & 1;
            }
            if G::point_from_bytes(element).is_err() {
                return;
            }
        },
        Move::NonCanonical if secp => match rng.next_u64() % 3 {
            // tag 05, which some decoders take
            0 => element[0] |= 4,
            1 => element[0] = 5,
            // x = p + 1
            _ => {
                element[1..].copy_from_slice(&above_p());
            }
        },
        Move::NonCanonical => {
            // y = p + 3
            element.fill(0xff);
            (element[0], element[31]) = (0xf0, 0x7f);
        }
        Move::SmallOrder => element.copy_from_slice(torsion.compress().as_bytes()),
        Move::Torsion => {
            let bytes: [u8; 32] = (&*element).try_into().expect("a point of this curve");
            let here = curve25519_dalek::edwards::CompressedEdwardsY(bytes).decompress().unwrap_or_default();
            element.copy_from_slice((here + torsion).compress().as_bytes());
        }
        Move::PlusOne => {
            let here = G::point_from_bytes(element).unwrap_or_else(|_| G::identity());
            element.copy_from_slice(G::point_to_bytes(&(here + G::generator())).as_ref());
        }
        _ => element.copy_from_slice(G::point_to_bytes(&G::mul_base(&G::random_scalar(rng))).as_ref()),
    }
}

/// The x of a point of secp256k1 whose y is 1.
const X_OF_ONE: [u8; 32] = [
    0x1f, 0xe1, 0xe5, 0xef, 0x3f, 0xce, 0xb5, 0xc1, 0x35, 0xab, 0x77, 0x41, 0x33, 0x3c, 0xe5, 0xa6, //
    0xe8, 0x0d, 0x68, 0x16, 0x76, 0x53, 0xf6, 0xb2, 0xb2, 0x4b, 0xcb, 0xcf, 0xaa, 0xaf, 0xf5, 0x07,
];

/// `p + 1` of secp256k1, which is the `x` of a point when it is reduced.
fn above_p() -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[27] = 0xfe;
    bytes[30..].copy_from_slice(&[0xfc, 0x30]);
    bytes
}

fn uncompressed(how: Move, element: &mut [u8], rng: &mut ChaCha12Rng) {
    let encoded = |point| Secp256k1::points_to_uncompressed(&[point])[0];
    match how {
        Move::Identity => element.fill(0),
        // another y, or nothing that is right
        Move::OffCurve if rng.next_u64().is_multiple_of(2) => rng.fill_bytes(&mut element[32..]),
        Move::OffCurve => rng.fill_bytes(element),
        // p + 1 for the x, or the y, of a point that has 1 there
        Move::NonCanonical if rng.next_u64().is_multiple_of(2) => {
            let one = Secp256k1::point_from_bytes(&[&[2][..], &[0; 31], &[1]].concat());
            element.copy_from_slice(&encoded(one.expect("1 is the x of a point")));
            element[..32].copy_from_slice(&above_p());
        }
        Move::NonCanonical => {
            element[..32].copy_from_slice(&X_OF_ONE);
            element[32..].copy_from_slice(&above_p());
        }
        Move::PlusOne => {
            let bytes: [u8; 64] = (&*element).try_into().expect("an uncompressed point");
            let here = Secp256k1::point_from_uncompressed(&bytes).unwrap_or_else(|_| Secp256k1::identity());
            element.copy_from_slice(&encoded(here + Secp256k1::generator()));
        }
        _ => element.copy_from_slice(&encoded(Secp256k1::mul_base(&Secp256k1::random_scalar(rng)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_move_does_what_it_says() {
        let valid = [Move::PlusOne, Move::Random, Move::Others];
        for salt in 0..50 {
            for kind in [Kind::Point(Curve::Secp256k1), Kind::Point(Curve::Ed25519), Kind::Uncompressed] {
                let decodes = |bytes: &[u8]| match kind {
                    Kind::Point(Curve::Ed25519) => Ed25519::point_from_bytes(bytes).is_ok(),
                    Kind::Uncompressed => Secp256k1::point_from_uncompressed(bytes.try_into().unwrap()).is_ok(),
                    _ => Secp256k1::point_from_bytes(bytes).is_ok(),
                };
                let mut start = vec![0; kind.len()];
                alter(kind, Move::Random, &mut start, &Sources::default(), 1000);
                for how in moves_of(kind).iter().filter(|how| !matches!(how, Move::Flip | Move::Older | Move::Sibling))
                {
                    let mut element = start.clone();
                    alter(kind, *how, &mut element, &Sources::default(), salt);
                    assert_ne!(element, start, "{how:?}");
                    assert_eq!(decodes(&element), valid.contains(how), "{kind:?} {how:?} {element:x?}");
                }
            }
            for curve in [Curve::Secp256k1, Curve::Ed25519] {
                let kind = Kind::Scalar(curve);
                let decodes = |bytes: &[u8]| match curve {
                    Curve::Secp256k1 => Secp256k1::scalar_from_bytes(bytes.try_into().unwrap()).is_ok(),
                    Curve::Ed25519 => Ed25519::scalar_from_bytes(bytes.try_into().unwrap()).is_ok(),
                };
                for how in moves_of(kind).iter().filter(|how| **how != Move::Flip) {
                    let mut element = [7; 32];
                    alter(kind, *how, &mut element, &Sources::default(), salt);
                    assert_ne!(element, [7; 32], "{how:?}");
                    assert_eq!(decodes(&element), *how != Move::Order, "{curve:?} {how:?}");
                }
            }
        }
    }
}
