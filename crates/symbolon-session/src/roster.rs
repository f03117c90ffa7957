//! The parties of a run and their identities (safety.md S5).

use alloc::vec::Vec;
use symbolon_core::{
    PartyId, Role, Transcript,
    wire::{DecodeError, Reader, Writer},
};

/// Who a member is, beyond its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Identity {
    /// An Ed25519 verification key (32 bytes).
    Key([u8; 32]),
    /// A name that the caller's channel vouches for. Two parties only.
    Name([u8; 32]),
}

impl Identity {
    /// An opaque name from text of any length.
    #[must_use]
    pub fn name(text: impl AsRef<[u8]>) -> Self {
        Self::Name(Transcript::new("session", "identity name").part(text).finish())
    }

    /// 33 bytes: the kind, then the key or name.
    pub fn encode(&self, w: &mut Writer) {
        match self {
            Self::Key(bytes) => w.u8(1).bytes(bytes),
            Self::Name(bytes) => w.u8(2).bytes(bytes),
        };
    }

    /// # Errors
    /// [`DecodeError::Value`] for an unknown kind.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match r.u8()? {
            1 => r.array().map(Self::Key),
            2 => r.array().map(Self::Name),
            _ => Err(DecodeError::Value),
        }
    }
}

/// The ordered parties of a run, and which of them is local.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Roster {
    me: PartyId,
    members: Vec<(PartyId, Identity)>,
}

/// A list of parties that no run can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RosterError {
    /// Fewer than 2 or more than 255 members.
    #[error("a run has 2 to 255 members, not {0}")]
    Size(usize),
    /// One party twice, or one identity for two parties.
    #[error("{0} appears twice, or shares its identity with another member")]
    Duplicate(PartyId),
    /// The local party is not in the list.
    #[error("the local {0} is not a member")]
    NotAMember(PartyId),
    /// Opaque names exist between two parties only.
    #[error("more than two members need Ed25519 identities")]
    OpaqueName,
}

impl Roster {
    /// The most members of a run.
    pub const MAX: usize = 255;

    /// Sorts the members by id and checks them.
    ///
    /// # Errors
    /// [`RosterError`].
    pub fn new(me: PartyId, members: impl IntoIterator<Item = (PartyId, Identity)>) -> Result<Self, RosterError> {
        let mut members: Vec<_> = members.into_iter().take(Self::MAX + 1).collect();
        if !(2..=Self::MAX).contains(&members.len()) {
            return Err(RosterError::Size(members.len()));
        }
        members.sort_unstable();
        let mut rest = members.as_slice();
        while let Some(((id, identity), tail)) = rest.split_first() {
            if tail.iter().any(|other| other.0 == *id || other.1 == *identity) {
                return Err(RosterError::Duplicate(*id));
            }
            if members.len() > 2 && matches!(identity, Identity::Name(_)) {
                return Err(RosterError::OpaqueName);
            }
            rest = tail;
        }
        if !members.iter().any(|m| m.0 == me) {
            return Err(RosterError::NotAMember(me));
        }
        Ok(Self { me, members })
    }

    /// The local party.
    #[must_use]
    pub const fn me(&self) -> PartyId {
        self.me
    }

    /// All members, by ascending id.
    #[must_use]
    pub fn members(&self) -> &[(PartyId, Identity)] {
        &self.members
    }

    /// Everyone else, by ascending id.
    pub fn peers(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.members.iter().map(|m| m.0).filter(|id| *id != self.me)
    }

    /// A member's identity.
    #[must_use]
    pub fn identity(&self, id: PartyId) -> Option<&Identity> {
        self.members.iter().find(|m| m.0 == id).map(|m| &m.1)
    }

    /// Count, then id and identity of each member; the local party is not part of it.
    pub fn encode_members(&self, w: &mut Writer) {
        w.u16(u16::try_from(self.members.len()).unwrap_or(u16::MAX));
        for (id, identity) in &self.members {
            w.u16(id.get());
            identity.encode(w);
        }
    }

    /// The local party, then the members.
    pub fn encode(&self, w: &mut Writer) {
        w.u16(self.me.get());
        self.encode_members(w);
    }

    /// # Errors
    /// [`DecodeError`], also for a list that [`Roster::new`] refuses or that is not in order.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let me = r.party()?;
        let count = r.count(255)?;
        let members =
            (0..count).map(|_| Ok((r.party()?, Identity::decode(r)?))).collect::<Result<Vec<_>, DecodeError>>()?;
        let roster = Self::new(me, members.iter().copied()).map_err(|_| DecodeError::Value)?;
        if roster.members == members { Ok(roster) } else { Err(DecodeError::Value) }
    }
}

/// The local role and both identities of a two-party run. `Role` alone converts into a pair with default names: enough for
/// runs over a channel that vouches for the peer, not for setups kept in a ledger (see [`Pair::is_named`]), nor for
/// [`crate::Auth::Signed`], which needs keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    role: Role,
    server: Identity,
    client: Identity,
}

impl Pair {
    /// Names both sides.
    ///
    /// # Errors
    /// [`RosterError::Duplicate`] if both have one identity.
    pub fn new(role: Role, server: Identity, client: Identity) -> Result<Self, RosterError> {
        if server == client {
            return Err(RosterError::Duplicate(PartyId::CLIENT));
        }
        Ok(Self { role, server, client })
    }

    /// Whether both sides were given identities. The default names of `Pair::from(role)` are the same for every pair in
    /// the world, so nothing that is filed by pair may be filed under them.
    #[must_use]
    pub fn is_named(&self) -> bool {
        let unnamed = Self::from(self.role);
        self.server != unnamed.server && self.client != unnamed.client
    }

    /// The local role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The peer's party id.
    #[must_use]
    pub const fn peer(&self) -> PartyId {
        self.role.peer().id()
    }

    /// The identity of one side.
    #[must_use]
    pub const fn identity(&self, role: Role) -> &Identity {
        match role {
            Role::Server => &self.server,
            Role::Client => &self.client,
        }
    }

    /// The roster: server 1, client 2.
    #[must_use]
    pub fn roster(&self) -> Roster {
        Roster {
            me: self.role.id(),
            members: alloc::vec![(PartyId::SERVER, self.server), (PartyId::CLIENT, self.client)],
        }
    }

    /// The role, then both identities.
    pub fn encode(&self, w: &mut Writer) {
        w.u16(self.role.id().get());
        self.server.encode(w);
        self.client.encode(w);
    }

    /// # Errors
    /// [`DecodeError::Value`] for another party than 1 or 2 or for equal identities.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let role = match r.party()? {
            PartyId::SERVER => Role::Server,
            PartyId::CLIENT => Role::Client,
            _ => return Err(DecodeError::Value),
        };
        Self::new(role, Identity::decode(r)?, Identity::decode(r)?).map_err(|_| DecodeError::Value)
    }
}

impl From<Role> for Pair {
    fn from(role: Role) -> Self {
        Self { role, server: Identity::name("server"), client: Identity::name("client") }
    }
}
