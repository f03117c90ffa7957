//! Message, key, path and signers of one signature, fixed by every local caller (safety.md S4).

use crate::{DerivationPath, Digest, Payload, SignError, derive};
use alloc::vec::Vec;
use symbolon_core::{Group, PartyId, Secp256k1, SecretBytes, SecretScalar, Transcript, wire::Writer};
use symbolon_session::{Agreed, Identity, LongTerm, Roster, Terms};
use symbolon_sharing::{KeyShare, Scheme};

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
        Self::of(share.me(), members, (*share.public_key(), share.chain_code()), terms, payload, path)
    }

    /// For any structure in which every signer has an additive share of the key; `terms` names the key.
    pub(crate) fn of(
        me: PartyId,
        signers: Vec<(PartyId, Identity)>,
        (public_key, chain_code): (Point, &[u8; 32]),
        terms: Terms,
        payload: Payload,
        path: DerivationPath,
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
        Ok(Self { roster, payload, path, tweak: derived.tweak, public_key: derived.public_key, terms })
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
        let terms = &self.terms;
        let same = terms.key_id == Some(share.key_id())
            && terms.sharing_id == Some(share.sharing_id())
            && terms.epoch == Some(share.epoch())
            && share.me() == self.roster.me();
        let signers: Vec<_> = self.roster.members().iter().map(|member| member.0).collect();
        let lambdas = share.lambdas(&signers).map_err(|_| SignError::Signers)?;
        let own = signers.iter().zip(&lambdas).find(|(id, _)| **id == self.roster.me());
        match own {
            Some((_, lambda)) if same => Ok(self.additive(SecretScalar::new(*lambda * *share.secret().expose()))),
            _ => Err(SignError::Signers),
        }
    }

    /// `x` is an additive share of the key for this set of signers.
    pub(crate) fn additive(&self, x: SecretScalar<Secp256k1>) -> SignerShare {
        SignerShare { x, of: self.fingerprint() }
    }

    /// Key, sharing, epoch and signers.
    fn fingerprint(&self) -> [u8; 32] {
        let (mut terms, mut members) = (Writer::new(), Writer::new());
        Terms { path: Vec::new(), digest: None, item: None, parameters: "", ..self.terms.clone() }.encode(&mut terms);
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
