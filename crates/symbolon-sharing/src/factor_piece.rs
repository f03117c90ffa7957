//! A multiplicative factor in escrow: split over `N` nodes, of which `T` rebuild it (docs/custody.md). Signing needs no
//! rebuilding: see [`crate::Custody`].

use crate::{Marks, PairFactor, ShamirError, Share, combine, dealing::index, split};
use alloc::{vec, vec::Vec};
use rand_core::CryptoRng;
use symbolon_core::{
    Group, KeyId, PartyId, Secp256k1, SecretScalar, Threshold, on_cleared_stack,
    wire::{DecodeError, Kind, Reader, Writer},
};
use symbolon_proofs::FeldmanVector;
use symbolon_session::{Pair, Storable};

type Point = <Secp256k1 as Group>::Point;

/// What every piece of one factor says alike.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Common {
    pair: Pair,
    key_id: KeyId,
    generation: u32,
    marks: Marks,
    peer_point: Point,
    public_key: Point,
    chain_code: [u8; 32],
    threshold: Threshold,
    commitments: FeldmanVector<Secp256k1>,
}

/// Which factor: what whoever rebuilds one knows beforehand, and takes from no piece (safety.md S4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "the four things that tell a factor from every other")]
pub struct FactorName {
    /// The key.
    pub key_id: KeyId,
    /// Counts the refreshes of the pair.
    pub generation: u32,
    /// `P`.
    pub public_key: Point,
    /// The point of the other factor: `factor * peer_point = P`.
    pub peer_point: Point,
}

impl FactorName {
    /// Of this factor: for a record that is kept when it is split.
    #[must_use]
    pub const fn of(factor: &PairFactor) -> Self {
        Self {
            key_id: factor.key_id(),
            generation: factor.generation(),
            public_key: *factor.public_key(),
            peer_point: *factor.peer_point(),
        }
    }

    /// Of the other side's factor, from one's own.
    #[must_use]
    pub fn of_peer(own: &PairFactor) -> Self {
        on_cleared_stack(|| Self { peer_point: own.secret().public(), ..Self::of(own) })
    }
}

/// One node's piece of a factor. The secret is wiped on drop.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_sharing::FactorPiece>();
/// ```
pub struct FactorPiece {
    node: PartyId,
    value: SecretScalar<Secp256k1>,
    common: Common,
}

impl Common {
    const fn name(&self) -> FactorName {
        FactorName {
            key_id: self.key_id,
            generation: self.generation,
            public_key: self.public_key,
            peer_point: self.peer_point,
        }
    }
}

/// Why pieces do not make a factor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PieceError {
    /// Shamir: too few pieces, nodes listed twice.
    #[error(transparent)]
    Shamir(#[from] ShamirError),
    /// Pieces of another factor, key, generation or split than those that make the factor that was asked for; by node. All of
    /// them, where no split makes it.
    #[error("these nodes have pieces of another split: {0:?}")]
    Mixed(Vec<PartyId>),
    /// Pieces that are not on the committed polynomial; by node.
    #[error("these nodes have bad pieces: {0:?}")]
    Bad(Vec<PartyId>),
    /// The rebuilt factor does not make the key with the peer's point.
    #[error("the rebuilt factor does not make the key")]
    NotTheFactor,
}

impl FactorPiece {
    /// The node that keeps it.
    #[must_use]
    pub const fn node(&self) -> PartyId {
        self.node
    }

    /// How many pieces rebuild.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.common.threshold
    }

    /// Name and generation of the factor.
    #[must_use]
    pub const fn of(&self) -> (KeyId, u32) {
        (self.common.key_id, self.common.generation)
    }

    /// `P`.
    #[must_use]
    pub const fn public_key(&self) -> &Point {
        &self.common.public_key
    }

    /// Whether the piece lies on the committed polynomial: what a node checks when it receives one, and now and then.
    #[must_use]
    pub fn verify(&self) -> bool {
        on_cleared_stack(|| self.common.commitments.verify(&index::<Secp256k1>(self.node), self.value.expose()))
    }
}

/// Splits a factor: any `threshold` of the nodes rebuild it. The factor itself stays what it is; whoever wants it gone drops
/// it.
///
/// # Security
/// A refresh of the pair does not reach pieces: they then make an old generation, and are destroyed with the old factor.
///
/// # Errors
/// [`ShamirError`]: fewer nodes than the threshold, a node listed twice.
pub fn split_factor(
    factor: &PairFactor,
    threshold: Threshold,
    nodes: &[PartyId],
    rng: &mut impl CryptoRng,
) -> Result<Vec<FactorPiece>, ShamirError> {
    on_cleared_stack(|| {
        let indices: Vec<_> = nodes.iter().map(|node| index::<Secp256k1>(*node)).collect();
        let (shares, commitments) = split(factor.secret(), threshold, &indices, rng)?;
        let common = Common {
            pair: *factor.pair(),
            key_id: factor.key_id(),
            generation: factor.generation(),
            marks: factor.marks(),
            peer_point: *factor.peer_point(),
            public_key: *factor.public_key(),
            chain_code: *factor.chain_code(),
            threshold,
            commitments,
        };
        let piece = |(node, share): (&PartyId, Share<Secp256k1>)| FactorPiece {
            node: *node,
            value: share.value,
            common: common.clone(),
        };
        Ok(nodes.iter().zip(shares).map(piece).collect())
    })
}

/// Rebuilds the factor `of` this name. Pieces of another one are sorted out; the others are grouped by what they say alike,
/// whichever comes first, and every piece is verified against its commitments before anything is combined. The right ones are
/// those whose factor makes `P` with the peer's point: nobody makes another such factor.
///
/// # Security
/// `of` MUST NOT come from the pieces. The errors name the node that a piece says it is of: the caller MUST have compared
/// [`FactorPiece::node`] with whoever handed it in. The factor is then in one place again: whoever can, signs with
/// [`crate::Custody`] instead.
///
/// # Errors
/// [`PieceError`], with every node that is to blame. Call again without their pieces.
pub fn combine_factor(of: &FactorName, pieces: &[FactorPiece]) -> Result<PairFactor, PieceError> {
    on_cleared_stack(|| {
        let Some(first) = pieces.first() else { return Err(ShamirError::Count { got: 0, needed: 2 }.into()) };
        let named = |piece: &&FactorPiece| piece.common.name() != *of;
        let foreign: Vec<_> = pieces.iter().filter(named).map(|piece| piece.node).collect();
        if !foreign.is_empty() {
            return Err(PieceError::Mixed(foreign));
        }
        if pieces.iter().all(|piece| piece.common == first.common) {
            let (factor, bad) = combine_alike(&pieces.iter().collect::<Vec<_>>());
            return match factor {
                Ok(factor) if bad.is_empty() => Ok(factor),
                _ if !bad.is_empty() => Err(PieceError::Bad(bad)),
                other => other,
            };
        }
        let mut groups: Vec<Vec<&FactorPiece>> = Vec::new();
        for piece in pieces {
            match groups.iter_mut().find(|group| group.first().is_some_and(|one| one.common == piece.common)) {
                Some(group) => group.push(piece),
                None => groups.push(vec![piece]),
            }
        }
        let mut right = groups.iter().filter(|group| combine_alike(group).0.is_ok());
        let right = right.next().filter(|_| right.next().is_none()).and_then(|group| group.first());
        let others = pieces.iter().filter(|piece| right.is_none_or(|right| right.common != piece.common));
        Err(PieceError::Mixed(others.map(|piece| piece.node).collect()))
    })
}

/// The factor of pieces of one split, without those that are not on the polynomial, and the nodes of these.
fn combine_alike(pieces: &[&FactorPiece]) -> (Result<PairFactor, PieceError>, Vec<PartyId>) {
    let (good, bad): (Vec<&FactorPiece>, Vec<&FactorPiece>) = pieces.iter().partition(|piece| piece.verify());
    let share = |piece: &&FactorPiece| Share {
        index: index::<Secp256k1>(piece.node),
        value: SecretScalar::new(*piece.value.expose()),
    };
    let shares: Vec<_> = good.iter().map(share).collect();
    let factor = match good.first() {
        None => Err(ShamirError::Count { got: 0, needed: 2 }.into()),
        Some(FactorPiece { common, .. }) => {
            combine(&shares, &common.commitments).map_err(PieceError::Shamir).and_then(|secret| {
                let Common { pair, key_id, generation, marks, peer_point, public_key, chain_code, .. } = common;
                PairFactor::new(*pair, *key_id, *generation, secret, *peer_point, *public_key, *chain_code)
                    .map(|factor| factor.with_marks(*marks))
                    .map_err(|_| PieceError::NotTheFactor)
            })
        }
    };
    (factor, bad.iter().map(|piece| piece.node).collect())
}

impl Storable for FactorPiece {
    /// Magic, curve, node, pair, key id, generation, marks, peer point, `P`, chain code, threshold, commitments, value.
    fn encode(&self, w: &mut Writer) {
        let Common { pair, key_id, generation, marks, peer_point, public_key, chain_code, threshold, commitments } =
            &self.common;
        w.object(Kind::FactorPiece).u8(Secp256k1::ID).u16(self.node.get());
        pair.encode(w);
        w.bytes(key_id.as_ref()).u32(*generation).u8(marks.to_byte());
        w.point::<Secp256k1>(peer_point).point::<Secp256k1>(public_key).bytes(chain_code).u16(threshold.get());
        commitments.encode(w);
        w.bytes(self.value.to_bytes().expose());
    }

    fn max_len(&self) -> usize {
        512 + usize::from(self.common.threshold.get()) * Secp256k1::POINT_LEN
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        on_cleared_stack(|| {
            r.object(Kind::FactorPiece)?;
            if r.u8()? != Secp256k1::ID {
                return Err(DecodeError::Unsupported);
            }
            let node = r.party()?;
            let pair = Pair::decode(r)?;
            let (key_id, generation, marks) = (KeyId::from_bytes(r.array()?), r.u32()?, Marks::from_byte(r.u8()?)?);
            let (peer_point, public_key) = (r.point::<Secp256k1>()?, r.point::<Secp256k1>()?);
            let (chain_code, threshold) = (r.array()?, r.u16()?);
            let threshold = Threshold::new(threshold, 255).map_err(|_| DecodeError::Value)?;
            let commitments = FeldmanVector::decode(r, threshold)?;
            let value = SecretScalar::new(r.scalar::<Secp256k1>()?);
            let common =
                Common { pair, key_id, generation, marks, peer_point, public_key, chain_code, threshold, commitments };
            let piece = Self { node, value, common };
            if piece.verify() { Ok(piece) } else { Err(DecodeError::Value) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_core::{Role, SeedRng};

    fn factor(seed: u8, generation: u32) -> PairFactor {
        let mut rng = SeedRng::new(&[seed; 32]);
        let (a, b) = (SecretScalar::<Secp256k1>::random(&mut rng), SecretScalar::<Secp256k1>::random(&mut rng));
        let p = Secp256k1::mul(&b.public(), a.expose());
        let id = KeyId::from_bytes([1; 16]);
        PairFactor::new(Role::Server.into(), id, generation, a, b.public(), p, [3; 32]).unwrap()
    }

    fn nodes() -> Vec<PartyId> {
        [3, 7, 40, 65535].map(|id| PartyId::new(id).unwrap()).to_vec()
    }

    fn pieces(of: &PairFactor, seed: u8) -> Vec<FactorPiece> {
        split_factor(of, Threshold::new(3, 4).unwrap(), &nodes(), &mut SeedRng::new(&[seed; 32])).unwrap()
    }

    #[test]
    fn a_piece_fits_its_bound_at_every_threshold() {
        for t in [2, 16, 60] {
            let nodes: Vec<_> = (1..=t).map(|id| PartyId::new(id).unwrap()).collect();
            let threshold = Threshold::new(t, t.into()).unwrap();
            let piece = split_factor(&factor(1, 0), threshold, &nodes, &mut SeedRng::new(&[1; 32])).unwrap().remove(0);
            let mut w = Writer::new();
            piece.encode(&mut w);
            assert!((w.len()..w.len() + 512).contains(&piece.max_len()), "{t}: {} of {}", w.len(), piece.max_len());
        }
    }

    #[test]
    fn any_three_of_four_pieces_rebuild_the_factor() {
        let factor = factor(1, 2).with_marks(Marks { factor_kept: true, ..Marks::default() });
        for without in 0..4 {
            let mut pieces = pieces(&factor, 2);
            assert!(pieces.iter().all(FactorPiece::verify));
            pieces.remove(without);
            let again = combine_factor(&FactorName::of(&factor), &pieces).unwrap();
            assert_eq!(*again.to_secret_bytes(), *factor.to_secret_bytes());
            pieces.pop();
            let few = combine_factor(&FactorName::of(&factor), &pieces).err();
            assert_eq!(few, Some(PieceError::Shamir(ShamirError::Count { got: 2, needed: 3 })));
        }
        assert!(combine_factor(&FactorName::of(&factor), &[]).is_err());
    }

    #[test]
    fn bad_and_mixed_pieces_are_named() {
        let (now, later) = (factor(1, 2), factor(1, 3));
        let name = FactorName::of(&now);
        let mut all = pieces(&now, 2);
        all[1].value = SecretScalar::new(*all[1].value.expose() + <Secp256k1 as Group>::Scalar::from(1u64));
        all[3].value = SecretScalar::new(*all[2].value.expose());
        assert_eq!(combine_factor(&name, &all).err(), Some(PieceError::Bad(vec![nodes()[1], nodes()[3]])));
        // another generation, another split of the same factor
        for other in [pieces(&later, 2), pieces(&now, 3)] {
            let mut all = pieces(&now, 2);
            all[2] = { other }.remove(2);
            assert_eq!(combine_factor(&name, &all).err(), Some(PieceError::Mixed(vec![nodes()[2]])));
        }
        let mut all = pieces(&now, 2);
        all[2] = pieces(&now, 2).remove(1);
        assert_eq!(combine_factor(&name, &all).err(), Some(PieceError::Shamir(ShamirError::DuplicateIndex)));
        // whichever comes first: another split's piece does not turn the others into strangers, and bad ones are found beside it
        let mut all = pieces(&now, 2);
        all[0] = pieces(&now, 3).remove(0);
        assert_eq!(combine_factor(&name, &all).err(), Some(PieceError::Mixed(vec![nodes()[0]])));
        all[1].value = SecretScalar::new(*all[1].value.expose() + <Secp256k1 as Group>::Scalar::from(1u64));
        assert_eq!(combine_factor(&name, &all).err(), Some(PieceError::Mixed(nodes())), "two right pieces are left");
        // liars in agreement, with a factor and a key of their own and a low threshold, are strangers: the name is the caller's
        let foreign = factor(4, 2);
        let two =
            |of: &PairFactor| split_factor(of, Threshold::TWO, &nodes()[..2], &mut SeedRng::new(&[5; 32])).unwrap();
        assert!(combine_factor(&FactorName::of(&foreign), &two(&foreign)).is_ok(), "they do make theirs");
        let with_lies = |lies: Vec<FactorPiece>| lies.into_iter().chain(pieces(&now, 2)).collect::<Vec<_>>();
        let all = with_lies(two(&foreign));
        assert_eq!(combine_factor(&name, &all).err(), Some(PieceError::Mixed(nodes()[..2].to_vec())));
        // and with the true name their factor does not make the key
        let named = |piece: FactorPiece| {
            let (public_key, peer_point) = (*now.public_key(), *now.peer_point());
            FactorPiece { common: Common { public_key, peer_point, ..piece.common }, ..piece }
        };
        let all = with_lies(two(&foreign).into_iter().map(named).collect());
        assert_eq!(combine_factor(&name, &all).err(), Some(PieceError::Mixed(nodes()[..2].to_vec())));
        let alone: Vec<_> = two(&foreign).into_iter().map(named).collect();
        assert_eq!(combine_factor(&name, &alone).err(), Some(PieceError::NotTheFactor));
        // an old generation is another factor
        assert_eq!(combine_factor(&name, &pieces(&later, 2)).err(), Some(PieceError::Mixed(nodes())));
    }

    #[test]
    fn either_side_knows_the_name() {
        let mut rng = SeedRng::new(&[9; 32]);
        let (a, b) = (SecretScalar::<Secp256k1>::random(&mut rng), SecretScalar::<Secp256k1>::random(&mut rng));
        let (big_a, big_b) = (a.public(), b.public());
        let p = Secp256k1::mul(&big_b, a.expose());
        let new =
            |role: Role, own, peer| PairFactor::new(role.into(), KeyId::from_bytes([1; 16]), 0, own, peer, p, [3; 32]);
        let (server, client) = (new(Role::Server, a, big_b).unwrap(), new(Role::Client, b, big_a).unwrap());
        assert_eq!(FactorName::of(&server), FactorName::of_peer(&client));
        assert_ne!(FactorName::of(&server), FactorName::of(&client));
    }

    #[test]
    fn row_75_one_checked_encoding() {
        let piece = pieces(&factor(1, 2), 2).remove(0);
        let bytes = piece.to_secret_bytes();
        let mut r = Reader::new(&bytes);
        assert_eq!(*FactorPiece::decode(&mut r).unwrap().to_secret_bytes(), *bytes);
        r.finish().unwrap();
        for len in 0..bytes.len() {
            assert!(FactorPiece::decode(&mut Reader::new(&bytes[..len])).is_err());
        }
        // commitments and value
        for at in bytes.len() - 32 - 3 * 33..bytes.len() {
            let mut spoilt = bytes.to_vec();
            spoilt[at] ^= 1;
            assert!(FactorPiece::decode(&mut Reader::new(&spoilt)).is_err(), "byte {at}");
        }
    }
}
