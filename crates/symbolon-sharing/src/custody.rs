//! Split custody: the server's half of a two-party key over `N` nodes, of which any `T` sign together with the client, and
//! nobody ever puts the half together again (docs/custody.md).
//!
//! Of a 2-of-2 key `P = y_S*G + y_C*G`, `y_i = lambda_i*x_i`, the server's `y_S` becomes a key of its own with the public key
//! `Y_S = P - Y_C`, shared among the nodes by the protocols that every key is shared with: an import, with the server as the
//! one dealer, and the refresh that the type of an import forces. The client keeps `y_C`. A signature needs the client and
//! exactly `T` nodes.

use crate::{Change, Consent, Holder, Import, Imported, KeyHealth, KeyShare, Scheme, reshare::imported_key_id};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_core::{
    Group, KeyId, PartyId, Secp256k1, SecretBytes, SecretScalar, SharingId, Threshold, Transcript, on_cleared_stack,
    wire::{DecodeError, Kind, Reader, Writer},
};
use symbolon_session::{Identity, LongTerm, Storable};

/// The public side of split custody: the same at client, server and nodes. Each derives it from what it holds, or is shown
/// it by its own caller.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Custody<G: Group> {
    scheme: Scheme,
    key_id: KeyId,
    sharing_id: SharingId,
    epoch: u32,
    client: Holder,
    client_point: G::Point,
    public_key: G::Point,
    chain_code: [u8; 32],
}

/// Who the nodes are now. Every refresh and hand-over among them makes a new one.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "the arguments of every local caller")]
pub struct Nodes {
    /// The key id of the nodes' own key `Y_S`.
    pub key_id: KeyId,
    /// Its sharing.
    pub sharing_id: SharingId,
    /// Its epoch; 0 is the import, which does not sign.
    pub epoch: u32,
    /// All nodes.
    pub members: Vec<Holder>,
    /// `T`.
    pub threshold: Threshold,
}

impl Nodes {
    /// As a node knows them from its own share.
    #[must_use]
    pub fn of<G: Group>(share: &KeyShare<G>) -> Self {
        Self {
            key_id: share.key_id(),
            sharing_id: share.sharing_id(),
            epoch: share.epoch(),
            members: share.members().iter().map(|member| (member.id, member.identity)).collect(),
            threshold: share.threshold(),
        }
    }
}

/// Why a key or a set of parties is not one of split custody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustodyError {
    /// The key is not a 2-of-2 key, or the client is not one of the two.
    #[error("split custody starts from a 2-of-2 key of which the client is one holder")]
    NotTwoParty,
    /// The share is not the one that was asked for: the server's or the client's of this very sharing.
    #[error("the share is of another key, sharing or holder")]
    OtherShare,
    /// A node has the client's party id or identity.
    #[error("{0} is the client: a node needs an id and an identity of its own")]
    ClientIsNode(PartyId),
    /// The nodes' key is not the server's half: it does not add up to the key with the client's.
    #[error("the nodes' key and the client's share do not add up to the key")]
    OtherNodes,
    /// The nodes hold an import that was not refreshed: the server still knows every share.
    #[error("the nodes have not refreshed their import yet")]
    NotRefreshed,
    /// There is no signed word of every node that it is done with the refresh.
    #[error("not every node has confirmed, with its signature, that it is done")]
    Unconfirmed,
    /// The consent does not name this key and epoch.
    #[error("the consent does not name this key and epoch")]
    Consent,
}

impl<G: Group> Custody<G> {
    /// From either share of a 2-of-2 key; `client` is the holder that stays whole.
    ///
    /// # Errors
    /// [`CustodyError::NotTwoParty`].
    pub fn of(share: &KeyShare<G>, client: PartyId) -> Result<Self, CustodyError> {
        let ids: Vec<_> = share.members().iter().map(|member| member.id).collect();
        let lambdas = share.lambdas(&ids).map_err(|_| CustodyError::NotTwoParty)?;
        let mut members = share.members().iter().zip(lambdas);
        let (member, lambda) = members.find(|(member, _)| member.id == client).ok_or(CustodyError::NotTwoParty)?;
        if ids.len() != 2 {
            return Err(CustodyError::NotTwoParty);
        }
        Ok(Self {
            scheme: share.scheme(),
            key_id: share.key_id(),
            sharing_id: share.sharing_id(),
            epoch: share.epoch(),
            client: (client, member.identity),
            client_point: G::lincomb_vartime(&[(member.public_share, lambda)]),
            public_key: *share.public_key(),
            chain_code: *share.chain_code(),
        })
    }

    /// The wallet's key id.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// `P`.
    #[must_use]
    pub const fn public_key(&self) -> &G::Point {
        &self.public_key
    }

    /// The BIP-32 chain code.
    #[must_use]
    pub const fn chain_code(&self) -> &[u8; 32] {
        &self.chain_code
    }

    /// Id and identity of the client.
    #[must_use]
    pub const fn client(&self) -> Holder {
        self.client
    }

    /// The same with a signing key for a client that had an opaque name in the two-party wallet: with more than two
    /// signers every frame is signed.
    ///
    /// # Security
    /// `identity` MUST come from the local caller: it decides who the client is.
    #[must_use]
    pub const fn with_client_identity(mut self, identity: Identity) -> Self {
        self.client.1 = identity;
        self
    }

    /// `Y_S = P - Y_C`: the public key of the nodes' own key.
    #[must_use]
    pub fn server_point(&self) -> G::Point {
        self.public_key - self.client_point
    }

    /// The import that every party of it states: the server deals its half among the nodes. The dealer may be a node, and
    /// may come under another id and identity than in the wallet. Run it with [`crate::import()`], the server with
    /// [`Custody::server_half`] as the key; then the nodes refresh ([`crate::Imported::refresh`]), then the server retires
    /// its share ([`Custody::retire`]), for which it keeps its [`crate::Imported`].
    ///
    /// # Errors
    /// [`CustodyError::ClientIsNode`].
    pub fn plan(&self, dealer: Holder, nodes: Vec<Holder>, threshold: Threshold) -> Result<Import<G>, CustodyError> {
        self.apart(&nodes)?;
        Ok(Import { dealer, new: nodes, threshold, scheme: self.scheme, public_key: self.server_point() })
    }

    fn apart(&self, nodes: &[Holder]) -> Result<(), CustodyError> {
        match nodes.iter().find(|node| node.0 == self.client.0 || node.1 == self.client.1) {
            Some(node) => Err(CustodyError::ClientIsNode(node.0)),
            None => Ok(()),
        }
    }

    /// `y_S` with the chain code, for the dealer of the import.
    ///
    /// # Errors
    /// [`CustodyError::OtherShare`] unless `share` is the server's of this sharing.
    pub fn server_half(&self, share: &KeyShare<G>) -> Result<(SecretScalar<G>, [u8; 32]), CustodyError> {
        on_cleared_stack(|| {
            if share.me() == self.client.0 {
                return Err(CustodyError::OtherShare);
            }
            Ok((self.weighted(share)?, self.chain_code))
        })
    }

    /// What the client keeps.
    ///
    /// # Errors
    /// [`CustodyError::OtherShare`] unless `share` is the client's of this sharing.
    pub fn client_share(self, share: &KeyShare<G>) -> Result<ClientShare<G>, CustodyError> {
        on_cleared_stack(|| {
            if share.me() != self.client.0 {
                return Err(CustodyError::OtherShare);
            }
            Ok(ClientShare { y: self.weighted(share)?, custody: self })
        })
    }

    /// `lambda_i*x_i` of a share of the two-party sharing that this custody was made from.
    fn weighted(&self, share: &KeyShare<G>) -> Result<SecretScalar<G>, CustodyError> {
        let same = (share.key_id(), share.sharing_id(), share.epoch()) == (self.key_id, self.sharing_id, self.epoch);
        let ids: Vec<_> = share.members().iter().map(|member| member.id).collect();
        let lambdas = share.lambdas(&ids).map_err(|_| CustodyError::OtherShare)?;
        let own = ids.iter().zip(lambdas).find(|(id, _)| **id == share.me());
        match own {
            Some((_, lambda)) if same => Ok(SecretScalar::new(lambda * *share.secret().expose())),
            _ => Err(CustodyError::OtherShare),
        }
    }

    /// Whether these nodes can sign with the client: refreshed, and none of them the client. A node checks besides, with its
    /// share, that their key is the server's half.
    ///
    /// # Errors
    /// [`CustodyError::NotRefreshed`], [`CustodyError::ClientIsNode`], [`CustodyError::OtherNodes`].
    pub fn check(&self, nodes: &Nodes, share: Option<&KeyShare<G>>) -> Result<(), CustodyError> {
        self.apart(&nodes.members)?;
        if nodes.epoch == 0 {
            return Err(CustodyError::NotRefreshed);
        }
        match share {
            Some(share) if *share.public_key() != self.server_point() || Nodes::of(share) != *nodes => {
                Err(CustodyError::OtherNodes)
            }
            _ => Ok(()),
        }
    }

    /// Erases the server's share of the two-party key, after the nodes have refreshed: from here on nobody has the server's
    /// half. `imported` is what this server made of its own import, at the dealer. `nodes` is the health that the refresh of the
    /// nodes gave, from any of them, and `words` the [`KeyHealth::confirmation`] of **every** node: each has signed, under the
    /// identity that the import gave it, that it is done with exactly this epoch.
    ///
    /// # Security
    /// Backups of the share open what this erases. They MUST be destroyed before, and so MUST the server's multiplicative
    /// factor: with the client's it is the whole key.
    ///
    /// # Errors
    /// [`CustodyError`], with the share.
    pub fn retire(
        &self,
        share: KeyShare<G>,
        imported: &Imported<G>,
        nodes: &KeyHealth,
        words: &BTreeMap<PartyId, [u8; 64]>,
        consent: &Consent,
    ) -> Result<(), (KeyShare<G>, CustodyError)> {
        if let Err(error) = self.server_half(&share) {
            return Err((share, error));
        }
        // the import was of this half, and not of another key of the same server
        let import = imported.health();
        let of_half = imported_key_id::<G>(&self.server_point(), &import.outcome);
        if import.key_id != of_half || nodes.key_id != of_half || nodes.members != import.members {
            return Err((share, CustodyError::OtherNodes));
        }
        if nodes.epoch == 0 {
            return Err((share, CustodyError::NotRefreshed));
        }
        let said = |(node, identity): (&PartyId, &Identity)| {
            words.get(node).is_some_and(|word| nodes.said(*node, identity, word))
        };
        if import.members.is_empty() || !import.members.iter().all(said) {
            return Err((share, CustodyError::Unconfirmed));
        }
        if !consent.covers(&[Change::Retires(self.key_id, self.epoch)]) {
            return Err((share, CustodyError::Consent));
        }
        drop(share);
        Ok(())
    }

    /// What names the structure in a sid: the key, the client and its point, the two-party sharing it came from, the nodes' key.
    pub fn encode_terms(&self, nodes: &Nodes, w: &mut Writer) {
        w.prefixed(b"custody")
            .point::<G>(&self.public_key)
            .bytes(&self.chain_code)
            .bytes(self.sharing_id.as_ref())
            .u32(self.epoch)
            .u16(self.client.0.get());
        self.client.1.encode(w);
        w.point::<G>(&self.client_point).bytes(nodes.key_id.as_ref()).u16(nodes.threshold.get());
        w.u16(u16::try_from(nodes.members.len()).unwrap_or(u16::MAX));
        for (id, identity) in &nodes.members {
            w.u16(id.get());
            identity.encode(w);
        }
    }
}

/// The client's half `y_C` with the public side. Wiped on drop.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_sharing::ClientShare<symbolon_core::Secp256k1>>();
/// ```
pub struct ClientShare<G: Group> {
    custody: Custody<G>,
    y: SecretScalar<G>,
}

impl<G: Group> ClientShare<G> {
    /// The public side.
    #[must_use]
    pub const fn custody(&self) -> &Custody<G> {
        &self.custody
    }

    /// `y_C`.
    #[must_use]
    pub const fn secret(&self) -> &SecretScalar<G> {
        &self.y
    }
}

impl<G: Group> LongTerm for ClientShare<G> {
    fn digest(&self) -> SecretBytes<32> {
        let t = Transcript::new("sharing", "client share").part(self.custody.key_id).part(self.custody.sharing_id);
        SecretBytes::new(t.part(self.y.to_bytes().expose()).finish())
    }
}

impl<G: Group> Custody<G> {
    /// Curve, scheme, ids, epoch, client, `Y_C`, `P`, chain code.
    fn write(&self, w: &mut Writer) {
        let Self { scheme, key_id, sharing_id, epoch, client, client_point, public_key, chain_code } = self;
        w.u8(G::ID).u8(scheme.byte());
        w.bytes(key_id.as_ref()).bytes(sharing_id.as_ref()).u32(*epoch).u16(client.0.get());
        client.1.encode(w);
        w.point::<G>(client_point).point::<G>(public_key).bytes(chain_code);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if r.u8()? != G::ID {
            return Err(DecodeError::Unsupported);
        }
        let scheme = Scheme::from_byte(r.u8()?)?;
        let (key_id, sharing_id, epoch) = (KeyId::from_bytes(r.array()?), SharingId::from_bytes(r.array()?), r.u32()?);
        // a control: see docs/assurance.md
        #[cfg(symbolon_planted = "fuzz")]
        assert!(epoch != u32::MAX, "planted");
        let client = (r.party()?, Identity::decode(r)?);
        let (client_point, public_key) = (r.point::<G>()?, r.point::<G>()?);
        let chain_code = r.array()?;
        if [&client_point, &public_key].into_iter().any(G::is_identity) || client_point == public_key {
            return Err(DecodeError::Value);
        }
        if scheme == Scheme::Ecdsa && G::ID != Secp256k1::ID {
            return Err(DecodeError::Value);
        }
        Ok(Self { scheme, key_id, sharing_id, epoch, client, client_point, public_key, chain_code })
    }
}

/// A custody is public: the server or the client hands it to a node, whose own caller approves what is in it.
///
/// # Security
/// What is decoded is a proposal: key and client MUST be those that the node's user or policy knows. The server's half is then
/// checked by the import, and the sum by every signature.
impl<G: Group> Storable for Custody<G> {
    /// Magic, curve, scheme, ids, epoch, client, `Y_C`, `P`, chain code.
    fn encode(&self, w: &mut Writer) {
        self.write(w.object(Kind::Custody));
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.object(Kind::Custody)?;
        Self::read(r)
    }
}

impl<G: Group> Storable for ClientShare<G> {
    /// Magic, curve, scheme, ids, epoch, client, `Y_C`, `P`, chain code, `y_C`.
    fn encode(&self, w: &mut Writer) {
        self.custody.write(w.object(Kind::ClientShare));
        w.bytes(self.y.to_bytes().expose());
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        on_cleared_stack(|| {
            r.object(Kind::ClientShare)?;
            let custody = Custody::read(r)?;
            let y = SecretScalar::<G>::new(r.scalar::<G>()?);
            if y.public() == custody.client_point { Ok(Self { custody, y }) } else { Err(DecodeError::Value) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_share::tests::deal;
    use crate::{Marks, Member, Parts, split};
    use alloc::vec;
    use symbolon_core::{Ed25519, SeedRng};

    /// The nodes' key: `y_S` shared among three.
    fn nodes_of<G: Group>(y: &SecretScalar<G>, scheme: Scheme, epoch: u32) -> KeyShare<G> {
        let indices = [11u64, 12, 13].map(G::Scalar::from);
        let (dealt, _) = split(y, Threshold::TWO, &indices, &mut SeedRng::new(&[5; 32])).unwrap();
        let ids = [11, 12, 13].map(|id| PartyId::new(id).unwrap());
        let member = |(id, one): (PartyId, &crate::Share<G>)| Member {
            id,
            identity: Identity::Key([u8::try_from(id.get()).unwrap(); 32]),
            public_share: one.value.public(),
        };
        KeyShare::new(Parts {
            scheme,
            key_id: KeyId::from_bytes([9; 16]),
            sharing_id: SharingId::from_bytes([9; 16]),
            epoch,
            members: ids.into_iter().zip(&dealt).map(member).collect(),
            threshold: Threshold::TWO,
            me: ids[0],
            x: SecretScalar::new(*dealt[0].value.expose()),
            public_key: y.public(),
            chain_code: [0; 32],
            marks: Marks::default(),
        })
        .unwrap()
    }

    #[test]
    fn each_half_belongs_to_its_holder() {
        let [server, client] = <[_; 2]>::try_from(deal::<Ed25519>(2, 2, &mut SeedRng::new(&[1; 32]))).ok().unwrap();
        let custody = Custody::of(&server, client.me()).unwrap();
        assert_eq!(Custody::of(&client, client.me()).as_ref(), Ok(&custody));
        let (y_s, chain_code) = custody.server_half(&server).unwrap();
        assert_eq!((y_s.public(), chain_code), (custody.server_point(), *custody.chain_code()));
        assert_eq!(custody.server_half(&client).err(), Some(CustodyError::OtherShare));
        assert_eq!(custody.clone().client_share(&server).err(), Some(CustodyError::OtherShare));
        let y_c = custody.clone().client_share(&client).unwrap();
        assert_eq!(y_s.public() + y_c.secret().public(), *custody.public_key());
        // the same holders of another key
        let other = deal::<Ed25519>(2, 2, &mut SeedRng::new(&[2; 32]));
        let other = Custody::of(&other[0], client.me()).unwrap();
        assert_ne!(other.server_point(), custody.server_point());
        assert_eq!(
            Custody::of(&deal::<Ed25519>(2, 3, &mut SeedRng::new(&[1; 32]))[0], client.me()),
            Err(CustodyError::NotTwoParty)
        );
    }

    #[test]
    fn nodes_are_refreshed_and_hold_the_half_of_the_server() {
        let shares = deal::<Ed25519>(2, 2, &mut SeedRng::new(&[1; 32]));
        let custody = Custody::of(&shares[0], shares[1].me()).unwrap();
        let (y, _) = custody.server_half(&shares[0]).unwrap();
        let share = nodes_of(&y, Scheme::Frost, 1);
        let nodes = Nodes::of(&share);
        assert_eq!(custody.check(&nodes, None), Ok(()));
        assert_eq!(custody.check(&nodes, Some(&share)), Ok(()));
        let import = nodes_of(&y, Scheme::Frost, 0);
        assert_eq!(custody.check(&Nodes::of(&import), Some(&import)), Err(CustodyError::NotRefreshed));
        // other nodes than the share says, and nodes of another key
        let others = Nodes { epoch: 2, ..nodes.clone() };
        assert_eq!(custody.check(&others, Some(&share)), Err(CustodyError::OtherNodes));
        let of_another = nodes_of(&SecretScalar::random(&mut SeedRng::new(&[6; 32])), Scheme::Frost, 1);
        assert_eq!(custody.check(&Nodes::of(&of_another), Some(&of_another)), Err(CustodyError::OtherNodes));
        // the client is none of them, by id or by name
        let (id, identity) = custody.client();
        for holder in [(id, Identity::name("a node")), (nodes.members[0].0, identity)] {
            let nodes = Nodes { members: vec![holder, nodes.members[1]], ..nodes.clone() };
            assert_eq!(custody.check(&nodes, None), Err(CustodyError::ClientIsNode(holder.0)));
            assert_eq!(
                custody.plan(nodes.members[1], nodes.members, Threshold::TWO).err(),
                Some(CustodyError::ClientIsNode(holder.0))
            );
        }
    }

    #[test]
    fn a_custody_has_a_scheme_of_its_curve() {
        let share = deal::<Ed25519>(2, 2, &mut SeedRng::new(&[1; 32])).remove(0);
        let mut bytes = Custody::of(&share, PartyId::CLIENT).unwrap().to_secret_bytes().to_vec();
        let read = |bytes: &[u8]| Reader::new(bytes).whole(Custody::<Ed25519>::decode);
        assert!(read(&bytes).is_ok());
        // magic, version, kind, curve; the scheme
        bytes[11] = Scheme::Ecdsa.byte();
        assert_eq!(read(&bytes), Err(DecodeError::Value));
    }
}
