//! Message, key, path and signers of one signature, fixed by every local caller (safety.md S4).

use crate::{DerivationPath, Digest, Payload, SignError, derive};
use alloc::vec::Vec;
use symbolon_core::{
    Group, KeyId, PartyId, Secp256k1, SecretBytes, SecretScalar, SharingId, Transcript, on_cleared_stack, wire::Writer,
};
use symbolon_session::{Agreed, Identity, LongTerm, Roster, Terms};
use symbolon_sharing::{ClientShare, Custody, KeyShare, Nodes, Scheme};

type Point = <Secp256k1 as Group>::Point;
type Scalar = <Secp256k1 as Group>::Scalar;

/// Who signs what with which key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuorumRequest {
    roster: Roster,
    payload: Payload,
    path: DerivationPath,
    tweak: Scalar,
    public_key: Point,
    /// The signer that has its additive share as it is, in split custody; the others are weighted without it.
    custody: Option<Custody<Secp256k1>>,
    /// The key that the weighted shares are of.
    shared: (KeyId, SharingId, u32),
    pub(super) terms: Terms,
}

/// This signer's additive share `lambda_i*x_i` of the key, for one set of signers. Wiped on drop.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_ecdsa::SignerShare>();
/// ```
pub struct SignerShare {
    x: SecretScalar<Secp256k1>,
    /// Which key, sharing, epoch and signers it is for.
    of: [u8; 32],
}

impl LongTerm for SignerShare {
    fn digest(&self) -> SecretBytes<32> {
        let t = Transcript::new("ecdsa", "signer share").part(self.of);
        SecretBytes::new(t.part(self.x.to_bytes().expose()).finish())
    }
}

/// What is fixed once message, key and path are: the own additive share with its tweak, the derived key, the digest.
pub(super) struct QuorumTarget {
    pub(super) x: SecretScalar<Secp256k1>,
    pub(super) public_key: Point,
    pub(super) digest: Digest,
}

impl QuorumRequest {
    /// Fixes message, key, path and signers: exactly `t` distinct members of the key, this one among them, three or more.
    ///
    /// # Errors
    /// [`SignError::Signers`], [`SignError::TwoSigners`], [`SignError::Derive`].
    pub fn new(
        share: &KeyShare<Secp256k1>,
        signers: &[PartyId],
        payload: Payload,
        path: DerivationPath,
    ) -> Result<Self, SignError> {
        if share.scheme() != Scheme::Ecdsa || share.lambdas(signers).is_err() {
            return Err(SignError::Signers);
        }
        let members = share.members().iter().filter(|member| signers.contains(&member.id));
        let terms = Terms {
            threshold: Some(share.threshold()),
            key_id: Some(share.key_id()),
            sharing_id: Some(share.sharing_id()),
            epoch: Some(share.epoch()),
            ..Terms::default()
        };
        let members: Vec<_> = members.map(|member| (member.id, member.identity)).collect();
        let shared = (share.key_id(), share.sharing_id(), share.epoch());
        let key = (*share.public_key(), share.chain_code());
        Self::of((share.me(), members), key, (None, shared), terms, (payload, path))
    }

    /// The same for a key in split custody (docs/custody.md): the client, and exactly `T` nodes. `share` is the own share of
    /// a node; the client has none of this kind.
    ///
    /// # Errors
    /// [`SignError::Custody`] for nodes that do not belong to this custody; [`SignError::Signers`] unless `signers` are
    /// exactly `T` distinct nodes, and this party is one of them or the client; [`SignError::Derive`].
    pub fn custody(
        custody: &Custody<Secp256k1>,
        nodes: &Nodes,
        share: Option<&KeyShare<Secp256k1>>,
        signers: &[PartyId],
        payload: Payload,
        path: DerivationPath,
    ) -> Result<Self, SignError> {
        custody.check(nodes, share)?;
        let mut members: Vec<_> = nodes.members.iter().filter(|node| signers.contains(&node.0)).copied().collect();
        let distinct = members.len() == signers.len();
        if !distinct || members.len() != usize::from(nodes.threshold.get()) {
            return Err(SignError::Signers);
        }
        members.push(custody.client());
        let mut extra = Writer::new();
        custody.encode_terms(nodes, &mut extra);
        let terms = Terms {
            threshold: Some(nodes.threshold),
            key_id: Some(custody.key_id()),
            sharing_id: Some(nodes.sharing_id),
            epoch: Some(nodes.epoch),
            extra: extra.finish(),
            ..Terms::default()
        };
        let me = share.map_or(custody.client().0, KeyShare::me);
        let shared = (nodes.key_id, nodes.sharing_id, nodes.epoch);
        let key = (*custody.public_key(), custody.chain_code());
        Self::of((me, members), key, (Some(custody.clone()), shared), terms, (payload, path))
    }

    /// For any structure in which every signer has an additive share of the key; `terms` names the key.
    fn of(
        (me, signers): (PartyId, Vec<(PartyId, Identity)>),
        (public_key, chain_code): (Point, &[u8; 32]),
        (custody, shared): (Option<Custody<Secp256k1>>, (KeyId, SharingId, u32)),
        terms: Terms,
        (payload, path): (Payload, DerivationPath),
    ) -> Result<Self, SignError> {
        if signers.len() == 2 {
            return Err(SignError::TwoSigners);
        }
        let roster = Roster::new(me, signers).map_err(|_| SignError::Signers)?;
        let derived = derive(&public_key, chain_code, &path)?;
        let terms = Terms {
            curve: Secp256k1::ID,
            scheme: "ecdsa",
            path: path.indices().to_vec(),
            digest: Some(payload.sid_digest()),
            ..terms
        };
        let (tweak, public_key) = (derived.tweak, derived.public_key);
        Ok(Self { roster, payload, path, tweak, public_key, custody, shared, terms })
    }

    /// The signers.
    #[must_use]
    pub const fn roster(&self) -> &Roster {
        &self.roster
    }

    /// What is signed.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The derivation path.
    #[must_use]
    pub const fn path(&self) -> &DerivationPath {
        &self.path
    }

    /// The key that the signature will verify under.
    #[must_use]
    pub const fn public_key(&self) -> &Point {
        &self.public_key
    }

    /// The additive share of this signer.
    ///
    /// # Errors
    /// [`SignError::Signers`] if `share` is not the one that the request was made for.
    pub fn signer(&self, share: &KeyShare<Secp256k1>) -> Result<SignerShare, SignError> {
        on_cleared_stack(|| {
            let same =
                self.shared == (share.key_id(), share.sharing_id(), share.epoch()) && share.me() == self.roster.me();
            let client = self.custody.as_ref().map(|custody| custody.client().0);
            let signers = self.roster.members().iter().map(|member| member.0).filter(|id| Some(*id) != client);
            let signers: Vec<_> = signers.collect();
            let lambdas = share.lambdas(&signers).map_err(|_| SignError::Signers)?;
            let own = signers.iter().zip(&lambdas).find(|(id, _)| **id == self.roster.me());
            match own {
                Some((_, lambda)) if same => Ok(self.additive(SecretScalar::new(*lambda * *share.secret().expose()))),
                _ => Err(SignError::Signers),
            }
        })
    }

    /// The additive share of the client in split custody: its half, as it is.
    ///
    /// # Errors
    /// [`SignError::Signers`] if `share` is not of exactly the custody that the request was made for, or this is not the client.
    pub fn client(&self, share: &ClientShare<Secp256k1>) -> Result<SignerShare, SignError> {
        on_cleared_stack(|| {
            let same = share.custody().client().0 == self.roster.me() && self.custody.as_ref() == Some(share.custody());
            if same { Ok(self.additive(SecretScalar::new(*share.secret().expose()))) } else { Err(SignError::Signers) }
        })
    }

    /// `x` is an additive share of the key for this set of signers.
    fn additive(&self, x: SecretScalar<Secp256k1>) -> SignerShare {
        SignerShare { x, of: self.fingerprint() }
    }

    /// Key, sharing, epoch and signers.
    fn fingerprint(&self) -> [u8; 32] {
        let (mut terms, mut members) = (Writer::new(), Writer::new());
        Terms { path: Vec::new(), digest: None, ..self.terms.clone() }.encode(&mut terms);
        self.roster.encode(&mut members);
        Transcript::new("ecdsa", "signer share of").part(terms.finish()).part(members.finish()).finish()
    }

    pub(super) fn fits(&self, signer: &SignerShare) -> Result<(), Agreed> {
        if signer.of == self.fingerprint() { Ok(()) } else { Err(Agreed::Sharing) }
    }

    /// The tweak goes to the lowest party id.
    pub(super) fn target(&self, signer: &SignerShare) -> QuorumTarget {
        let lowest = self.roster.members().first().is_some_and(|member| member.0 == self.roster.me());
        let tweak = if lowest { self.tweak } else { Scalar::default() };
        QuorumTarget {
            x: SecretScalar::new(*signer.x.expose() + tweak),
            public_key: self.public_key,
            digest: self.payload.digest(),
        }
    }
}
