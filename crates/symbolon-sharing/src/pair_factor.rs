//! A multiplicative share of a two-party key: `P = a*b*G` (keygen.md).

use crate::Marks;
use alloc::boxed::Box;
use symbolon_core::{
    Group, KeyId, Role, Secp256k1, SecretBytes, SecretScalar, Transcript, on_cleared_stack,
    wire::{DecodeError, Kind, Reader, Writer},
};
use symbolon_session::{LongTerm, Pair, Storable};

type Point = <Secp256k1 as Group>::Point;

/// One side's factor (`a` of the server, `b` of the client), with the public data of the pair. The secret is wiped on
/// drop.
///
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_sharing::PairFactor>();
/// ```
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_sharing::PairFactor>();
/// ```
pub struct PairFactor {
    pair: Pair,
    key_id: KeyId,
    generation: u32,
    secret: SecretScalar<Secp256k1>,
    peer_point: Point,
    public_key: Point,
    derived: Box<Derived>,
    chain_code: [u8; 32],
    marks: Marks,
}

/// What follows from the rest, kept because whatever is hashed of a factor has it: a multiplication, and an inversion for each encoding.
struct Derived {
    own_point: Point,
    /// Of `A`, `B`, `P`.
    encoded: [[u8; 33]; 3],
}

/// Why parts do not make a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("factor, peer point and public key are inconsistent")]
pub struct PairFactorError;

impl PairFactor {
    /// Puts a factor together and checks `secret * peer_point = P`, `P != O`, `secret*G != peer_point`.
    ///
    /// # Errors
    /// [`PairFactorError`].
    pub fn new(
        pair: Pair,
        key_id: KeyId,
        generation: u32,
        secret: SecretScalar<Secp256k1>,
        peer_point: Point,
        public_key: Point,
        chain_code: [u8; 32],
    ) -> Result<Self, PairFactorError> {
        on_cleared_stack(|| {
            let own_point = secret.public();
            let factor = Self::agree(pair, generation, secret, own_point, peer_point, chain_code, |_| key_id)?;
            if factor.public_key == public_key { Ok(factor) } else { Err(PairFactorError) }
        })
    }

    /// Puts a factor together as key generation does, with `P = secret * peer_point`; `name` makes the key's id of it. Checks
    /// `P != O`, `own_point != peer_point`. A step of a protocol: it clears no stack.
    ///
    /// # Errors
    /// [`PairFactorError`].
    ///
    /// # Security
    /// `own_point` MUST be `secret*G`.
    pub fn agree(
        pair: Pair,
        generation: u32,
        secret: SecretScalar<Secp256k1>,
        own_point: Point,
        peer_point: Point,
        chain_code: [u8; 32],
        name: impl FnOnce(&[u8; 33]) -> KeyId,
    ) -> Result<Self, PairFactorError> {
        let public_key = Secp256k1::mul(&peer_point, secret.expose());
        if Secp256k1::is_identity(&public_key) || own_point == peer_point {
            return Err(PairFactorError);
        }
        let (big_a, big_b) = ordered(pair.role(), own_point, peer_point);
        let mut encoded = [[0; 33]; 3];
        encoded.copy_from_slice(&Secp256k1::points_to_bytes(&[big_a, big_b, public_key]));
        let [_, _, key] = &encoded;
        let (key_id, marks) = (name(key), Marks::default());
        let derived = Box::new(Derived { own_point, encoded });
        Ok(Self { pair, key_id, generation, secret, peer_point, public_key, derived, chain_code, marks })
    }

    /// The local role and both identities.
    #[must_use]
    pub const fn pair(&self) -> &Pair {
        &self.pair
    }

    /// The key's name, fixed at creation.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// Counts the refreshes of the pair.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The secret factor.
    #[must_use]
    pub const fn secret(&self) -> &SecretScalar<Secp256k1> {
        &self.secret
    }

    /// `A` of the server and `B` of the client.
    #[must_use]
    pub fn points(&self) -> (Point, Point) {
        ordered(self.pair.role(), self.derived.own_point, self.peer_point)
    }

    /// The encodings of `A`, `B` and `P`.
    #[must_use]
    pub fn encoded_points(&self) -> &[[u8; 33]; 3] {
        &self.derived.encoded
    }

    /// The peer's point: `B` for the server, `A` for the client.
    #[must_use]
    pub const fn peer_point(&self) -> &Point {
        &self.peer_point
    }

    /// The public key `P = a*b*G`.
    #[must_use]
    pub const fn public_key(&self) -> &Point {
        &self.public_key
    }

    /// The BIP-32 chain code.
    #[must_use]
    pub const fn chain_code(&self) -> &[u8; 32] {
        &self.chain_code
    }

    /// What happened to the key.
    #[must_use]
    pub const fn marks(&self) -> Marks {
        self.marks
    }

    /// The same factor with these marks, for protocols that carry them on.
    #[must_use]
    pub const fn with_marks(mut self, marks: Marks) -> Self {
        self.marks = marks;
        self
    }
}

/// Server's and client's point.
const fn ordered(role: Role, own: Point, peer: Point) -> (Point, Point) {
    match role {
        Role::Server => (own, peer),
        Role::Client => (peer, own),
    }
}

impl LongTerm for PairFactor {
    fn digest(&self) -> SecretBytes<32> {
        let t = Transcript::new("sharing", "pair factor").part(self.key_id).number(self.generation);
        SecretBytes::new(t.part(self.secret.to_bytes().expose()).finish())
    }
}

impl Storable for PairFactor {
    /// Magic, curve, role and identities, key id, generation, marks, peer point, `P`, chain code, factor.
    fn encode(&self, w: &mut Writer) {
        w.object(Kind::PairFactor).u8(Secp256k1::ID);
        self.pair.encode(w);
        w.bytes(self.key_id.as_ref()).u32(self.generation).u8(self.marks.to_byte());
        let [big_a, big_b, public_key] = self.encoded_points();
        w.bytes(match self.pair.role() {
            Role::Server => big_b,
            Role::Client => big_a,
        });
        w.bytes(public_key);
        w.bytes(&self.chain_code).bytes(self.secret.to_bytes().expose());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        on_cleared_stack(|| {
            r.object(Kind::PairFactor)?;
            if r.u8()? != Secp256k1::ID {
                return Err(DecodeError::Unsupported);
            }
            let pair = Pair::decode(r)?;
            let (key_id, generation) = (KeyId::from_bytes(r.array()?), r.u32()?);
            let marks = Marks::from_byte(r.u8()?)?;
            let (peer_point, public_key) = (r.point::<Secp256k1>()?, r.point::<Secp256k1>()?);
            let chain_code = r.array()?;
            let secret = SecretScalar::new(r.scalar::<Secp256k1>()?);
            let factor = Self::new(pair, key_id, generation, secret, peer_point, public_key, chain_code)
                .map_err(|_| DecodeError::Value)?;
            Ok(Self { marks, ..factor })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_core::SeedRng;

    fn factor() -> PairFactor {
        let mut rng = SeedRng::new(&[1; 32]);
        let (a, b) = (SecretScalar::<Secp256k1>::random(&mut rng), SecretScalar::<Secp256k1>::random(&mut rng));
        let p = Secp256k1::mul(&b.public(), a.expose());
        PairFactor::new(Role::Server.into(), KeyId::from_bytes([1; 16]), 2, a, b.public(), p, [3; 32]).unwrap()
    }

    #[test]
    fn row_75_encoding_is_canonical_and_checked() {
        let marks = Marks { exported: true, ..Marks::default() };
        let bytes = factor().with_marks(marks).to_secret_bytes();
        let mut r = Reader::new(&bytes);
        let decoded = PairFactor::decode(&mut r).unwrap();
        assert!(decoded.marks() == marks);
        assert_eq!(*decoded.to_secret_bytes(), *bytes);
        r.finish().unwrap();
        for len in 0..bytes.len() {
            assert!(PairFactor::decode(&mut Reader::new(&bytes[..len])).is_err());
        }
        // the points and the secret: any change is seen
        for i in bytes.len() - 130..bytes.len() - 64 {
            let mut flipped = bytes.to_vec();
            flipped[i] ^= 1;
            assert!(PairFactor::decode(&mut Reader::new(&flipped)).is_err(), "point byte {i}");
        }
        for i in bytes.len() - 32..bytes.len() {
            let mut flipped = bytes.to_vec();
            flipped[i] ^= 1;
            assert!(PairFactor::decode(&mut Reader::new(&flipped)).is_err(), "secret byte {i}");
        }
    }

    #[test]
    fn row_40_degenerate_factors_are_refused() {
        let mut rng = SeedRng::new(&[2; 32]);
        let a = || SecretScalar::<Secp256k1>::new(7u64.into());
        let b = SecretScalar::<Secp256k1>::random(&mut rng);
        let p = Secp256k1::mul(&b.public(), a().expose());
        let new = |secret, peer, p| {
            PairFactor::new(Role::Client.into(), KeyId::from_bytes([1; 16]), 0, secret, peer, p, [0; 32])
        };
        assert!(new(a(), b.public(), p).is_ok());
        assert!(new(a(), b.public(), p + Secp256k1::generator()).is_err());
        assert!(new(a(), Secp256k1::identity(), Secp256k1::identity()).is_err());
        assert!(new(SecretScalar::new(0u64.into()), b.public(), Secp256k1::identity()).is_err());
        let square = Secp256k1::mul(&a().public(), a().expose());
        assert!(new(a(), a().public(), square).is_err(), "A = B");
    }
}
