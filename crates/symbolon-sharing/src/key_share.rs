//! A Shamir share of a key, with everything that tells it from every other share.

use crate::{Marks, lagrange, lagrange_at};
use alloc::vec::Vec;
use symbolon_core::{
    Group, KeyId, PartyId, Secp256k1, SecretBytes, SecretScalar, SharingId, Threshold, Transcript, on_cleared_stack,
    wire::{DecodeError, Kind, Reader, Writer},
};
use symbolon_session::{Identity, LongTerm, Roster, Storable};

/// What a key signs with; part of the share and of every sid, so that one share is never used under two schemes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Scheme {
    /// Threshold ECDSA (ecdsa.md).
    Ecdsa,
    /// FROST (eddsa.md).
    Frost,
}

impl Scheme {
    /// The name in sids.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ecdsa => "ecdsa",
            Self::Frost => "frost",
        }
    }

    /// The byte in encodings.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ecdsa => 1,
            Self::Frost => 2,
        }
    }

    /// # Errors
    /// [`DecodeError::Value`] for an unknown scheme.
    pub const fn from_byte(byte: u8) -> Result<Self, DecodeError> {
        match byte {
            1 => Ok(Self::Ecdsa),
            2 => Ok(Self::Frost),
            _ => Err(DecodeError::Value),
        }
    }
}

/// A holder of a share: id, identity and public share `X_j = x_j*G`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a member is these three things")]
pub struct Member<G: Group> {
    /// Also the index of the share.
    pub id: PartyId,
    /// Who it is.
    pub identity: Identity,
    /// `X_j`.
    pub public_share: G::Point,
}

/// One holder's share `x_i` of a key, and the public data of its sharing. The secret is wiped on drop.
///
/// Two shares belong together only if key id, sharing id and epoch are equal; protocols put all three into the sid.
///
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_sharing::KeyShare<symbolon_core::Secp256k1>>();
/// ```
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_sharing::KeyShare<symbolon_core::Secp256k1>>();
/// ```
pub struct KeyShare<G: Group> {
    scheme: Scheme,
    key_id: KeyId,
    sharing_id: SharingId,
    epoch: u32,
    members: Vec<Member<G>>,
    threshold: Threshold,
    me: PartyId,
    x: SecretScalar<G>,
    public_key: G::Point,
    chain_code: [u8; 32],
    marks: Marks,
}

/// Why parts do not make a key share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyShareError {
    /// Members, identities, threshold or own id.
    #[error("members, threshold or own id are not valid")]
    Members,
    /// The public shares do not lie on one polynomial of degree `t - 1` through `P`.
    #[error("public shares and public key are inconsistent")]
    PublicShares,
    /// ECDSA on another curve than secp256k1.
    #[error("ECDSA keys are on secp256k1")]
    Scheme,
    /// `x_i*G` is not the public share of this member.
    #[error("the secret share does not match its public share")]
    SecretShare,
}

/// The parts of a [`KeyShare`], by name.
#[allow(missing_docs, reason = "the fields are those of KeyShare")]
#[allow(clippy::exhaustive_structs, reason = "made by the protocols that make shares")]
pub struct Parts<G: Group> {
    pub scheme: Scheme,
    pub key_id: KeyId,
    pub sharing_id: SharingId,
    pub epoch: u32,
    pub members: Vec<Member<G>>,
    pub threshold: Threshold,
    pub me: PartyId,
    pub x: SecretScalar<G>,
    pub public_key: G::Point,
    pub chain_code: [u8; 32],
    pub marks: Marks,
}

impl<G: Group> KeyShare<G> {
    /// Puts a share together and checks every invariant: a scheme of this curve, members valid and in order, the public shares on one
    /// polynomial of degree exactly `t - 1` whose value at 0 is `P`, no identity among them, and `x_i*G = X_i`.
    ///
    /// # Errors
    /// [`KeyShareError`].
    pub fn new(parts: Parts<G>) -> Result<Self, KeyShareError> {
        on_cleared_stack(|| {
            let own_point = parts.x.public();
            let share = Self::agree(parts)?;
            let own = share.members.iter().find(|member| member.id == share.me).ok_or(KeyShareError::Members)?;
            if own.public_share == own_point { Ok(share) } else { Err(KeyShareError::SecretShare) }
        })
    }

    /// Puts a share together as a protocol does that has computed `X_i = x_i*G` itself, and checks every other invariant. A step of a
    /// protocol: it clears no stack.
    ///
    /// # Errors
    /// [`KeyShareError`].
    ///
    /// # Security
    /// The public share of `me` MUST be `x*G`.
    pub fn agree(parts: Parts<G>) -> Result<Self, KeyShareError> {
        let Parts { scheme, me, members, threshold, public_key, .. } = &parts;
        if *scheme == Scheme::Ecdsa && G::ID != Secp256k1::ID {
            return Err(KeyShareError::Scheme);
        }
        let ids = members.iter().map(|m| (m.id, m.identity));
        let roster = Roster::new(*me, ids.clone()).map_err(|_| KeyShareError::Members)?;
        if !roster.members().iter().copied().eq(ids) || Threshold::new(threshold.get(), members.len()).is_err() {
            return Err(KeyShareError::Members);
        }
        let t = usize::from(threshold.get());
        let (first, others) = members.split_at_checked(t).ok_or(KeyShareError::PublicShares)?;
        let zero = G::Scalar::default();
        let mut consistent = !G::is_identity(public_key) && interpolate(first, &zero)? == *public_key;
        for member in others {
            consistent &= interpolate(first, &index::<G>(member.id))? == member.public_share;
        }
        // a lower degree would mean that fewer shares than t are enough
        let (fewer, _) = first.split_at_checked(t - 1).ok_or(KeyShareError::PublicShares)?;
        consistent &= interpolate(fewer, &zero)? != *public_key;
        if !consistent || members.iter().any(|m| G::is_identity(&m.public_share)) {
            return Err(KeyShareError::PublicShares);
        }
        Ok(Self::from_checked(parts))
    }

    /// The same without the checks, for protocols whose own checks imply every invariant.
    pub(crate) fn from_checked(parts: Parts<G>) -> Self {
        let Parts { scheme, key_id, sharing_id, epoch, members, threshold, me, x, public_key, chain_code, marks } =
            parts;
        Self { scheme, key_id, sharing_id, epoch, members, threshold, me, x, public_key, chain_code, marks }
    }

    /// What the key signs with.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The key's name, fixed at creation.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The run that made this sharing.
    #[must_use]
    pub const fn sharing_id(&self) -> SharingId {
        self.sharing_id
    }

    /// Counts the resharings of the key.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        self.epoch
    }

    /// All holders, by ascending id.
    #[must_use]
    pub fn members(&self) -> &[Member<G>] {
        &self.members
    }

    /// How many shares are needed.
    #[must_use]
    pub const fn threshold(&self) -> Threshold {
        self.threshold
    }

    /// The holder of this share.
    #[must_use]
    pub const fn me(&self) -> PartyId {
        self.me
    }

    /// The public key `P`.
    #[must_use]
    pub const fn public_key(&self) -> &G::Point {
        &self.public_key
    }

    /// The BIP-32 chain code; not secret to any holder.
    #[must_use]
    pub const fn chain_code(&self) -> &[u8; 32] {
        &self.chain_code
    }

    /// What happened to the key.
    #[must_use]
    pub const fn marks(&self) -> Marks {
        self.marks
    }

    /// Marks the key: its multiplicative factors were kept.
    #[must_use]
    pub const fn with_factor_kept(mut self) -> Self {
        self.marks.factor_kept = true;
        self
    }

    /// Marks the key: somebody has it whole, or part of it has left ([`crate::exit()`]).
    #[must_use]
    pub const fn with_exported(mut self) -> Self {
        self.marks.exported = true;
        self
    }

    /// The secret share `x_i`.
    #[must_use]
    pub fn secret(&self) -> &SecretScalar<G> {
        &self.x
    }

    /// The Lagrange coefficients at 0 of a signer set, in the order given.
    ///
    /// # Errors
    /// [`KeyShareError::Members`] unless `signers` are exactly `t` distinct members.
    pub fn lambdas(&self, signers: &[PartyId]) -> Result<Vec<G::Scalar>, KeyShareError> {
        let members = signers.iter().all(|id| self.members.iter().any(|m| m.id == *id));
        if !members || signers.len() != usize::from(self.threshold.get()) {
            return Err(KeyShareError::Members);
        }
        let indices: Vec<_> = signers.iter().map(|id| index::<G>(*id)).collect();
        lagrange::<G>(&indices).map_err(|_| KeyShareError::Members)
    }
}

/// The value at `x` of the polynomial in the exponent through the members' public shares.
fn interpolate<G: Group>(members: &[Member<G>], x: &G::Scalar) -> Result<G::Point, KeyShareError> {
    let indices: Vec<_> = members.iter().map(|m| index::<G>(m.id)).collect();
    let weights = lagrange_at::<G>(&indices, x).map_err(|_| KeyShareError::Members)?;
    let terms: Vec<_> = members.iter().zip(weights).map(|(m, w)| (m.public_share, w)).collect();
    Ok(G::lincomb_vartime(&terms))
}

fn index<G: Group>(id: PartyId) -> G::Scalar {
    G::Scalar::from(u64::from(id.get()))
}

impl<G: Group> LongTerm for KeyShare<G> {
    fn digest(&self) -> SecretBytes<32> {
        let t = Transcript::new("sharing", "key share").part(self.key_id).part(self.sharing_id).number(self.epoch);
        SecretBytes::new(t.part(self.x.to_bytes().expose()).finish())
    }
}

impl<G: Group> Storable for KeyShare<G> {
    /// Magic, curve, scheme, ids, epoch, marks, threshold, own id, member count, members `(id, identity, X_j)`, `P`,
    /// chain code, `x_i`.
    fn encode(&self, w: &mut Writer) {
        w.object(Kind::KeyShare).u8(G::ID).u8(self.scheme.byte());
        w.bytes(self.key_id.as_ref()).bytes(self.sharing_id.as_ref()).u32(self.epoch).u8(self.marks.to_byte());
        w.u16(self.threshold.get()).u16(self.me.get()).u16(u16::try_from(self.members.len()).unwrap_or(u16::MAX));
        // all points with one inversion
        let mut points: Vec<_> = self.members.iter().map(|member| member.public_share).collect();
        points.push(self.public_key);
        let points = G::points_to_bytes(&points);
        for (member, point) in self.members.iter().zip(&points) {
            w.u16(member.id.get());
            member.identity.encode(w);
            w.bytes(point.as_ref());
        }
        w.bytes(points.last().map_or(&[][..], AsRef::as_ref)).bytes(&self.chain_code).bytes(self.x.to_bytes().expose());
    }

    fn max_len(&self) -> usize {
        256 + self.members.len() * (2 + 33 + G::POINT_LEN)
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        on_cleared_stack(|| {
            r.object(Kind::KeyShare)?;
            if r.u8()? != G::ID {
                return Err(DecodeError::Unsupported);
            }
            let scheme = Scheme::from_byte(r.u8()?)?;
            let key_id = KeyId::from_bytes(r.array()?);
            let sharing_id = SharingId::from_bytes(r.array()?);
            let (epoch, marks) = (r.u32()?, Marks::from_byte(r.u8()?)?);
            let (threshold, me) = (r.u16()?, r.party()?);
            let count = r.count(255)?;
            let threshold = Threshold::new(threshold, usize::from(count)).map_err(|_| DecodeError::Value)?;
            let members = (0..count)
                .map(|_| Ok(Member { id: r.party()?, identity: Identity::decode(r)?, public_share: r.point::<G>()? }))
                .collect::<Result<Vec<_>, DecodeError>>()?;
            let public_key = r.point::<G>()?;
            let chain_code = r.array()?;
            let x = SecretScalar::new(r.scalar::<G>()?);
            let parts =
                Parts { scheme, key_id, sharing_id, epoch, members, threshold, me, x, public_key, chain_code, marks };
            Self::new(parts).map_err(|_| DecodeError::Value)
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::split;
    use symbolon_core::{Ed25519, SeedRng};

    pub(crate) fn deal<G: Group>(t: u16, n: u16, rng: &mut SeedRng) -> Vec<KeyShare<G>> {
        let secret = SecretScalar::<G>::random(rng);
        let indices: Vec<_> = (1..=n).map(|i| G::Scalar::from(u64::from(i))).collect();
        let threshold = Threshold::new(t, n.into()).unwrap();
        let (shares, _) = split(&secret, threshold, &indices, rng).unwrap();
        let member = |i: u16| Member {
            id: PartyId::new(i).unwrap(),
            identity: Identity::Key([u8::try_from(i).unwrap(); 32]),
            public_share: shares[usize::from(i) - 1].value.public(),
        };
        let members: Vec<Member<G>> = (1..=n).map(member).collect();
        let one = |i: u16| Parts {
            scheme: if G::ID == Secp256k1::ID { Scheme::Ecdsa } else { Scheme::Frost },
            key_id: KeyId::from_bytes([1; 16]),
            sharing_id: SharingId::from_bytes([2; 16]),
            epoch: 3,
            members: members.clone(),
            threshold,
            me: PartyId::new(i).unwrap(),
            x: SecretScalar::new(*shares[usize::from(i) - 1].value.expose()),
            public_key: secret.public(),
            chain_code: [4; 32],
            marks: Marks::default(),
        };
        (1..=n).map(|i| KeyShare::new(one(i)).unwrap()).collect()
    }

    fn round_trip<G: Group>() {
        let mut rng = SeedRng::new(&[5; 32]);
        for (t, n) in [(2, 2), (2, 3), (3, 5)] {
            for share in deal::<G>(t, n, &mut rng) {
                let bytes = share.to_secret_bytes();
                let mut r = Reader::new(&bytes);
                let again = KeyShare::<G>::decode(&mut r).unwrap();
                r.finish().unwrap();
                assert_eq!(*again.to_secret_bytes(), *bytes);
                for len in 0..bytes.len() {
                    assert!(KeyShare::<G>::decode(&mut Reader::new(&bytes[..len])).is_err());
                }
            }
        }
    }

    #[test]
    fn encodings_on_both_curves() {
        round_trip::<Secp256k1>();
        round_trip::<Ed25519>();
    }

    // attacks.md row 75: whatever decodes satisfies the invariants; another curve, a foreign P or X_j, a wrong x, do not
    #[test]
    fn row_75_every_flipped_byte_is_refused_or_is_a_free_field() {
        let mut rng = SeedRng::new(&[6; 32]);
        let share = &deal::<Secp256k1>(2, 3, &mut rng)[0];
        let bytes = share.to_secret_bytes();
        // ids, epoch, marks and the chain code are data; own id, identities and everything algebraic are checked
        let free = 12..(12 + 16 + 16 + 4 + 1);
        let mut accepted = Vec::new();
        for i in 0..bytes.len() {
            let mut flipped = bytes.to_vec();
            flipped[i] ^= 1;
            if KeyShare::<Secp256k1>::decode(&mut Reader::new(&flipped)).is_ok() {
                accepted.push(i);
            }
        }
        let chain_code = bytes.len() - 64..bytes.len() - 32;
        for i in accepted {
            let in_identity = (0..3).any(|m| {
                let start = 55 + m * 68 + 2;
                (start..start + 33).contains(&i)
            });
            assert!(free.contains(&i) || chain_code.contains(&i) || in_identity, "byte {i} of {}", bytes.len());
        }
        assert!(KeyShare::<Ed25519>::decode(&mut Reader::new(&bytes)).is_err());
    }

    // attacks.md row 36
    #[test]
    fn row_36_signer_sets_are_exact() {
        let mut rng = SeedRng::new(&[7; 32]);
        let share = &deal::<Secp256k1>(2, 3, &mut rng)[0];
        let id = |i| PartyId::new(i).unwrap();
        assert!(share.lambdas(&[id(1), id(3)]).is_ok());
        for set in [&[id(1)][..], &[id(1), id(2), id(3)], &[id(1), id(1)], &[id(1), id(4)], &[]] {
            assert_eq!(share.lambdas(set), Err(KeyShareError::Members));
        }
    }
}
