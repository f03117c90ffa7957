//! What can be backed up, and what a backup says of it in the clear.

use crate::ReadError;
use alloc::vec::Vec;
use symbolon_core::{
    Ed25519, Group, KeyId, PartyId, Role, Secp256k1, SharingId,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::Storable;
use symbolon_sharing::{KeyShare, PairFactor, Resealed, Scheme};

/// A kind of secret.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SecretKind {
    /// A multiplicative share of a two-party key: [`PairFactor`].
    PairFactor,
    /// A Shamir share: [`KeyShare`].
    KeyShare,
}

/// A secret that can be backed up.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is never backed up",
    note = "a pair setup, a bank item or a suspended session that comes back on two devices gives the key away (attacks.md row 12)",
    note = "back up the `KeyShare` or the `PairFactor`, and make new setups after it was restored"
)]
pub trait Backed: Storable + private::Backed {
    /// The curve of the key.
    type Group: Group;
    /// What says that the backups of the secret were made anew: [`Resealed`] for a share that can be retired.
    type Token;
    /// Its kind.
    const KIND: SecretKind;
    /// What a backup says in the clear.
    fn header(&self) -> Header;
    /// `P`, and the public point of the secret.
    fn points(&self) -> (<Self::Group as Group>::Point, <Self::Group as Group>::Point);
    /// The token.
    #[doc(hidden)]
    fn token(&self) -> Self::Token;
    /// The same secret, marked as one that has left.
    #[must_use]
    fn exported(self) -> Self;
}

mod private {
    #[allow(unnameable_types, reason = "sealed")]
    pub trait Backed {}
    impl<G: symbolon_core::Group> Backed for symbolon_sharing::KeyShare<G> {}
    impl Backed for symbolon_sharing::PairFactor {}
}

/// What a backup says in the clear: of which key, sharing and epoch its share is. Until the backup is opened these are claims.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    pub(crate) kind: SecretKind,
    pub(crate) curve: u8,
    pub(crate) scheme: Scheme,
    pub(crate) key_id: KeyId,
    pub(crate) sharing_id: SharingId,
    pub(crate) epoch: u32,
    pub(crate) generation: u32,
    pub(crate) index: PartyId,
    pub(crate) threshold: u16,
    pub(crate) parties: u16,
    pub(crate) public_key: Vec<u8>,
    pub(crate) public_share: Vec<u8>,
}

impl Header {
    /// The kind of secret.
    #[must_use]
    pub const fn kind(&self) -> SecretKind {
        self.kind
    }

    /// Whether the key is of this curve.
    #[must_use]
    pub const fn is_on<G: Group>(&self) -> bool {
        self.curve == G::ID
    }

    /// What the key signs with.
    #[must_use]
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The key's name.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The run that made the sharing; zeros for a factor.
    #[must_use]
    pub const fn sharing_id(&self) -> SharingId {
        self.sharing_id
    }

    /// Counts the resharings of a share, or the refreshes of a factor.
    #[must_use]
    pub const fn epoch(&self) -> u32 {
        match self.kind {
            SecretKind::KeyShare => self.epoch,
            SecretKind::PairFactor => self.generation,
        }
    }

    /// The holder.
    #[must_use]
    pub const fn index(&self) -> PartyId {
        self.index
    }

    /// How many shares are needed, of how many.
    #[must_use]
    pub const fn threshold(&self) -> (u16, u16) {
        (self.threshold, self.parties)
    }

    /// The public key `P`, encoded.
    #[must_use]
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// The public point of the share, encoded.
    #[must_use]
    pub fn public_share(&self) -> &[u8] {
        &self.public_share
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        let kind = match self.kind {
            SecretKind::PairFactor => FACTOR,
            SecretKind::KeyShare => SHARE,
        };
        w.u8(kind).u8(self.curve).u8(self.scheme.byte());
        w.bytes(self.key_id.as_ref()).bytes(self.sharing_id.as_ref()).u32(self.epoch).u32(self.generation);
        w.u16(self.index.get()).u16(self.threshold).u16(self.parties);
        for point in [&self.public_key, &self.public_share] {
            w.u8(u8::try_from(point.len()).unwrap_or(u8::MAX)).bytes(point);
        }
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, ReadError> {
        let kind = match r.u8()? {
            FACTOR => SecretKind::PairFactor,
            SHARE => SecretKind::KeyShare,
            // the kinds of stored objects (docs/wire.md): pair setups, pending values, suspended sessions
            3..=5 => return Err(ReadError::NeverBackedUp),
            _ => return Err(ReadError::Unsupported),
        };
        let curve = r.u8()?;
        let scheme = Scheme::from_byte(r.u8()?).map_err(|_| ReadError::Unsupported)?;
        let (key_id, sharing_id) = (KeyId::from_bytes(r.array()?), SharingId::from_bytes(r.array()?));
        let (epoch, generation) = (r.u32()?, r.u32()?);
        let (index, threshold, parties) = (r.party()?, r.u16()?, r.u16()?);
        let mut point = || -> Result<Vec<u8>, ReadError> {
            let len = usize::from(r.u8()?);
            let bytes = r.bytes(len)?;
            match curve {
                Secp256k1::ID => drop(Secp256k1::point_from_bytes(bytes)?),
                Ed25519::ID => drop(Ed25519::point_from_bytes(bytes)?),
                _ => return Err(ReadError::Unsupported),
            }
            Ok(bytes.to_vec())
        };
        let (public_key, public_share) = (point()?, point()?);
        if threshold < 2 || parties < threshold {
            return Err(DecodeError::Value.into());
        }
        Ok(Self {
            kind,
            curve,
            scheme,
            key_id,
            sharing_id,
            epoch,
            generation,
            index,
            threshold,
            parties,
            public_key,
            public_share,
        })
    }
}

const FACTOR: u8 = 1;
const SHARE: u8 = 2;

impl<G: Group> Backed for KeyShare<G> {
    type Group = G;
    type Token = Resealed;
    const KIND: SecretKind = SecretKind::KeyShare;

    fn header(&self) -> Header {
        let (_, own) = self.points();
        Header {
            kind: Self::KIND,
            curve: G::ID,
            scheme: self.scheme(),
            key_id: self.key_id(),
            sharing_id: self.sharing_id(),
            epoch: self.epoch(),
            generation: 0,
            index: self.me(),
            threshold: self.threshold().get(),
            parties: u16::try_from(self.members().len()).unwrap_or(u16::MAX),
            public_key: G::point_to_bytes(self.public_key()).as_ref().to_vec(),
            public_share: G::point_to_bytes(&own).as_ref().to_vec(),
        }
    }

    fn points(&self) -> (G::Point, G::Point) {
        // `x_i*G`, by the invariants of a share
        let own = self.members().iter().find(|member| member.id == self.me());
        (*self.public_key(), own.map_or_else(|| self.secret().public(), |own| own.public_share))
    }

    fn token(&self) -> Resealed {
        Resealed::with(self)
    }

    fn exported(self) -> Self {
        self.with_exported()
    }
}

impl Backed for PairFactor {
    type Group = Secp256k1;
    type Token = ();
    const KIND: SecretKind = SecretKind::PairFactor;

    fn header(&self) -> Header {
        let (_, own) = Backed::points(self);
        Header {
            kind: Self::KIND,
            curve: Secp256k1::ID,
            scheme: Scheme::Ecdsa,
            key_id: self.key_id(),
            sharing_id: SharingId::from_bytes([0; 16]),
            epoch: 0,
            generation: self.generation(),
            index: self.pair().me(),
            threshold: 2,
            parties: 2,
            public_key: Secp256k1::point_to_bytes(self.public_key()).to_vec(),
            public_share: Secp256k1::point_to_bytes(&own).to_vec(),
        }
    }

    fn points(&self) -> (<Secp256k1 as Group>::Point, <Secp256k1 as Group>::Point) {
        let (server, client) = Self::points(self);
        let own = match self.pair().role() {
            Role::Server => server,
            Role::Client => client,
        };
        (*self.public_key(), own)
    }

    fn token(&self) {}

    fn exported(self) -> Self {
        let mut marks = self.marks();
        marks.exported = true;
        self.with_marks(marks)
    }
}
