//! The parties of a run and their identities (safety.md S5).

use crate::{FloorId, Sends};
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

/// The local role, ids and identities of a two-party run. `Role` alone converts into a pair with default names: enough for
/// runs over a channel that vouches for the peer, not for setups kept in a ledger (see [`Pair::is_named`]), nor for
/// [`crate::Auth::Signed`], which needs keys.
///
/// Of any two parties the one with the lower id is the server: it commits first, the client sends the first frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pair {
    role: Role,
    server: (PartyId, Identity),
    client: (PartyId, Identity),
}

impl Pair {
    /// The two parties of a two-party wallet: the server is 1, the client 2.
    ///
    /// # Errors
    /// [`RosterError::Duplicate`] if both have one identity.
    pub fn new(role: Role, server: Identity, client: Identity) -> Result<Self, RosterError> {
        Self::between(role.id(), (PartyId::SERVER, server), (PartyId::CLIENT, client))
    }

    /// Any two parties of a committee, in any order. The lower id is the server.
    ///
    /// # Errors
    /// [`RosterError::Duplicate`] if both have one id or identity; [`RosterError::NotAMember`] if `me` is neither.
    pub fn between(me: PartyId, one: (PartyId, Identity), other: (PartyId, Identity)) -> Result<Self, RosterError> {
        let (server, client) = if one.0 < other.0 { (one, other) } else { (other, one) };
        if server.0 == client.0 || server.1 == client.1 {
            return Err(RosterError::Duplicate(client.0));
        }
        let role = match me {
            me if me == server.0 => Role::Server,
            me if me == client.0 => Role::Client,
            _ => return Err(RosterError::NotAMember(me)),
        };
        Ok(Self { role, server, client })
    }

    /// Whether both sides were given identities. The default names of `Pair::from(role)` are the same for every pair in
    /// the world, so nothing that is filed by pair may be filed under them.
    #[must_use]
    pub fn is_named(&self) -> bool {
        let unnamed = Self::from(self.role);
        self.server.1 != unnamed.server.1 && self.client.1 != unnamed.client.1
    }

    /// The local role.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// The party id of one side.
    #[must_use]
    pub const fn id(&self, role: Role) -> PartyId {
        match role {
            Role::Server => self.server.0,
            Role::Client => self.client.0,
        }
    }

    /// The local party's id.
    #[must_use]
    pub const fn me(&self) -> PartyId {
        self.id(self.role)
    }

    /// The peer's party id.
    #[must_use]
    pub const fn peer(&self) -> PartyId {
        self.id(self.role.peer())
    }

    /// The identity of one side.
    #[must_use]
    pub const fn identity(&self, role: Role) -> &Identity {
        match role {
            Role::Server => &self.server.1,
            Role::Client => &self.client.1,
        }
    }

    /// The floor of setups and bank items of this pair, the same on both sides.
    #[must_use]
    pub fn floor(&self) -> FloorId {
        FloorId::pair(&self.server.1, &self.client.1)
    }

    /// The roster.
    #[must_use]
    pub fn roster(&self) -> Roster {
        Roster { me: self.me(), members: alloc::vec![self.server, self.client] }
    }

    /// What `from` sends in `round` when both take turns: `first` sends the odd rounds, its peer the even ones, privately.
    #[must_use]
    pub fn turns(&self, first: Role, round: u8, from: PartyId) -> Sends {
        let sender = if round % 2 == 1 { first } else { first.peer() };
        if self.id(sender) == from { Sends::Private } else { Sends::Nothing }
    }

    /// The local party, then id and identity of server and client.
    pub fn encode(&self, w: &mut Writer) {
        w.u16(self.me().get());
        for (id, identity) in [self.server, self.client] {
            w.u16(id.get());
            identity.encode(w);
        }
    }

    /// # Errors
    /// [`DecodeError::Value`] for parties that [`Pair::between`] refuses or that are not in order.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let me = r.party()?;
        let (server, client) = ((r.party()?, Identity::decode(r)?), (r.party()?, Identity::decode(r)?));
        if server.0 > client.0 {
            return Err(DecodeError::Value);
        }
        Self::between(me, server, client).map_err(|_| DecodeError::Value)
    }
}

impl From<Role> for Pair {
    fn from(role: Role) -> Self {
        let server = (PartyId::SERVER, Identity::name("server"));
        Self { role, server, client: (PartyId::CLIENT, Identity::name("client")) }
    }
}
