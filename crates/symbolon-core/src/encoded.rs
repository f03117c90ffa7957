//! A public point beside its encoding.

use crate::{
    Group,
    wire::{DecodeError, Reader, Writer},
};
use alloc::vec::Vec;

/// A public point with its encoding, for what is computed with and hashed or sent: encoding a point costs an inversion, which is a
/// tenth of a multiplication.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoded<G: Group> {
    point: G::Point,
    bytes: G::PointBytes,
}

impl<G: Group> Encoded<G> {
    /// Encodes a point.
    #[must_use]
    pub fn new(point: G::Point) -> Self {
        Self { point, bytes: G::point_to_bytes(&point) }
    }

    /// Encodes points, with one inversion for all of them.
    #[must_use]
    pub fn all(points: &[G::Point]) -> Vec<Self> {
        points.iter().zip(G::points_to_bytes(points)).map(|(point, bytes)| Self { point: *point, bytes }).collect()
    }

    /// The same, each with its uncompressed encoding.
    #[must_use]
    pub fn all_uncompressed(points: &[G::Point]) -> Vec<(Self, G::Uncompressed)> {
        let of = |(point, long): (&G::Point, _)| (Self { point: *point, bytes: G::compress(&long) }, long);
        points.iter().zip(G::points_to_uncompressed(points)).map(of).collect()
    }

    /// The point.
    #[must_use]
    pub const fn point(&self) -> &G::Point {
        &self.point
    }

    /// Its encoding.
    #[must_use]
    pub const fn bytes(&self) -> &G::PointBytes {
        &self.bytes
    }

    /// Appends the encoding.
    pub fn encode(&self, w: &mut Writer) {
        w.bytes(self.bytes.as_ref());
    }

    /// Reads a point that is not the identity.
    ///
    /// # Errors
    /// [`DecodeError::Identity`], [`DecodeError::Point`], [`DecodeError::Truncated`].
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let encoded = r.bytes(G::POINT_LEN)?;
        // points have one encoding: these bytes are what the point encodes to
        let bytes = encoded.try_into().map_err(|_| DecodeError::Truncated)?;
        Ok(Self { point: G::point_from_bytes(encoded)?, bytes })
    }

    /// A point, and its compressed encoding, from the uncompressed one.
    ///
    /// # Errors
    /// As [`Encoded::decode`].
    pub fn from_uncompressed(bytes: &G::Uncompressed) -> Result<Self, DecodeError> {
        Ok(Self { point: G::point_from_uncompressed(bytes)?, bytes: G::compress(bytes) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Ed25519, Secp256k1, SeedRng};

    fn agrees<G: Group>() {
        let mut rng = SeedRng::new(&[1; 32]);
        let points = [0; 3].map(|_| G::mul_base(&G::random_scalar(&mut rng)));
        let doubled = points.map(|point| point + point);
        for (encoded, point) in Encoded::<G>::all(&doubled).iter().zip(doubled) {
            assert_eq!((encoded.point(), encoded.bytes()), (&point, &G::point_to_bytes(&point)));
            assert_eq!(Encoded::new(point), *encoded);
            let (again, long) = Encoded::<G>::all_uncompressed(&[point])[0];
            assert_eq!((again, Encoded::from_uncompressed(&long)), (*encoded, Ok(*encoded)));
            assert_eq!(Encoded::decode(&mut Reader::new(encoded.bytes().as_ref())), Ok(*encoded));
            assert_eq!(
                Encoded::<G>::decode(&mut Reader::new(&encoded.bytes().as_ref()[1..])),
                Err(DecodeError::Truncated)
            );
        }
        let (identity, long) = Encoded::<G>::all_uncompressed(&[G::identity()])[0];
        assert_eq!(identity, Encoded::new(G::identity()));
        assert_eq!(Encoded::<G>::from_uncompressed(&long), Err(DecodeError::Identity));
        let identity = G::point_to_bytes(&G::identity());
        assert_eq!(Encoded::<G>::decode(&mut Reader::new(identity.as_ref())), Err(DecodeError::Identity));
    }

    #[test]
    fn a_point_and_its_encoding_belong_together() {
        agrees::<Secp256k1>();
        agrees::<Ed25519>();
    }
}
