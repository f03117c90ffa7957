//! Round two: binding factors, signature shares, the signature (RFC 9591, sections 4.4 to 5.3).

use crate::{Ciphersuite, CommitmentList, Nonces, SignError, Signature, Signers, signers::Signer};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_core::{
    PartyId, SecretScalar, Transcript, on_cleared_stack,
    wire::{DecodeError, Reader},
};
use symbolon_sharing::{KeyShare, Scheme};

/// A message, its signers and their commitments, and everything public that follows from them. What is signed is exactly this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SigningPackage<C: Ciphersuite> {
    signers: Signers<C>,
    message: Vec<u8>,
    list: CommitmentList<C>,
    /// `rho_i`, in the order of the signers.
    binding_factors: Vec<C::Scalar>,
    /// The group commitment `R`.
    big_r: C::PointBytes,
    challenge: C::Scalar,
}

/// `z_i` of one signer. Not a secret once the signer has sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignatureShare<C: Ciphersuite>(pub(crate) C::Scalar);

impl<C: Ciphersuite> SignatureShare<C> {
    /// 32 bytes, in the byte order of the curve.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        C::scalar_to_bytes(&self.0)
    }

    /// # Errors
    /// [`DecodeError`] for another length, and unless below the group order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(bytes).whole(|r| Ok(Self(r.scalar::<C>()?)))
    }
}

impl<C: Ciphersuite> SigningPackage<C> {
    /// Sections 4.4 to 4.6: the binding factors, the group commitment and the challenge.
    ///
    /// # Errors
    /// [`SignError::Signers`] unless the list has the commitments of exactly these signers; [`SignError::Degenerate`] if the
    /// group commitment is the identity.
    // everything here is public, and takes variable time: a frame of its own lets the constant-time check tell it apart
    #[inline(never)]
    pub fn new(signers: Signers<C>, list: CommitmentList<C>, message: Vec<u8>) -> Result<Self, SignError> {
        if !signers.ids().eq(list.signers()) {
            return Err(SignError::Signers);
        }
        let public_key = signers.public_key().to_bytes();
        let (hashed_message, hashed_list) = (C::h4(&message), C::h5(&list.hash_input()));
        let binding_factor = |id: PartyId| {
            let id = C::scalar_to_bytes(&C::Scalar::from(u64::from(id.get())));
            C::h1(&[public_key.as_ref(), hashed_message.as_ref(), hashed_list.as_ref(), &id])
        };
        let binding_factors: Vec<_> = list.signers().map(binding_factor).collect();
        // R = sum D_i + sum rho_i*E_i
        let hiding: C::Point = list.iter().map(|(_, commitments)| commitments.points()[0]).sum();
        let binding = list.iter().map(|(_, commitments)| commitments.points()[1]);
        let terms: Vec<_> = binding.zip(binding_factors.iter().copied()).collect();
        let big_r = hiding + C::lincomb_vartime(&terms);
        if C::is_identity(&big_r) {
            return Err(SignError::Degenerate);
        }
        let big_r = C::point_to_bytes(&big_r);
        let challenge = C::h2(&[big_r.as_ref(), public_key.as_ref(), &message]);
        Ok(Self { signers, message, list, binding_factors, big_r, challenge })
    }

    /// The signers.
    #[must_use]
    pub const fn signers(&self) -> &Signers<C> {
        &self.signers
    }

    /// What is signed.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The commitments of all signers.
    #[must_use]
    pub const fn commitments(&self) -> &CommitmentList<C> {
        &self.list
    }

    /// A hash of the package: key, signers with their public shares, commitments, message. A signer that sends it beside its share,
    /// and a coordinator that compares it, tell a difference of arguments (which is nobody's lie) from a wrong share.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let start = Transcript::new("eddsa", "package").part([C::ID]).part(self.signers.public_key().to_bytes());
        let signers = self.signers.all().iter();
        let t = signers.fold(start, |t, signer| t.number(signer.id.get()).point::<C>(&signer.public_share));
        t.part(self.list.to_bytes()).part(&self.message).finish()
    }

    /// `sign` of section 5.2: `z_i = d_i + e_i*rho_i + lambda_i*x_i*c`. The nonces are used up.
    ///
    /// # Errors
    /// [`SignError::Scheme`] for a share of another scheme; [`SignError::OtherShare`] if it is of another key, sharing or epoch than
    /// the package is; [`SignError::Signers`] if its holder is not a signer; [`SignError::OwnCommitments`] if the list does not have
    /// the commitments of these nonces for it. The nonces are used up all the same.
    ///
    /// # Security
    /// Whoever has given away the share has signed, whatever becomes of the signature. Message and signers of the package MUST be
    /// those that the own user or policy has approved: take the signers from [`Signers::of`] the own share.
    pub fn sign(&self, share: &KeyShare<C>, nonces: Nonces<C>) -> Result<SignatureShare<C>, SignError> {
        on_cleared_stack(|| {
            if share.scheme() != Scheme::Frost {
                return Err(SignError::Scheme);
            }
            let (signer, _) = self.signer(share.me()).ok_or(SignError::Signers)?;
            let own = share.members().iter().find(|member| member.id == share.me()).map(|member| member.public_share);
            if share.public_key() != self.signers.public_key().point() || own != Some(signer.public_share) {
                return Err(SignError::OtherShare);
            }
            self.sign_as(share.me(), share.secret(), nonces)
        })
    }

    pub(crate) fn sign_as(
        &self,
        me: PartyId,
        share: &SecretScalar<C>,
        nonces: Nonces<C>,
    ) -> Result<SignatureShare<C>, SignError> {
        let (signer, rho) = self.signer(me).ok_or(SignError::Signers)?;
        if self.list.get(me).is_none_or(|listed| !listed.is_same(nonces.commitments())) {
            return Err(SignError::OwnCommitments);
        }
        let weighted = SecretScalar::<C>::new(signer.lambda * *share.expose());
        Ok(SignatureShare(
            *nonces.hiding.expose() + *nonces.binding.expose() * *rho + self.challenge * *weighted.expose(),
        ))
    }

    pub(crate) fn signer(&self, id: PartyId) -> Option<(&Signer<C>, &C::Scalar)> {
        self.signers.all().iter().zip(&self.binding_factors).find(|(signer, _)| signer.id == id)
    }

    /// `verify_signature_share` of section 5.4: `z_i*G = D_i + rho_i*E_i + (c*lambda_i)*X_i`.
    ///
    /// # Errors
    /// [`SignError::Signers`] if `from` is not a signer, [`SignError::Shares`] if the share is wrong.
    #[inline(never)]
    pub fn verify_share(&self, from: PartyId, share: &SignatureShare<C>) -> Result<(), SignError> {
        let (signer, rho) = self.signer(from).ok_or(SignError::Signers)?;
        let [hiding, binding] = *self.list.get(from).ok_or(SignError::Signers)?.points();
        let expected = hiding
            + C::lincomb_vartime(&[
                (binding, *rho),
                (signer.public_share, self.challenge * signer.lambda),
                (C::generator(), -share.0),
            ]);
        if C::is_identity(&expected) { Ok(()) } else { Err(SignError::Shares([from].into())) }
    }

    /// `aggregate` of section 5.3, and the verification of its result under the public key. If that fails every share is
    /// verified.
    ///
    /// # Errors
    /// [`SignError::Signers`] unless there is a share of exactly each signer; [`SignError::Shares`] with every signer whose share
    /// is wrong.
    #[inline(never)]
    pub fn aggregate(&self, shares: &BTreeMap<PartyId, SignatureShare<C>>) -> Result<Signature<C>, SignError> {
        if !self.signers.ids().eq(shares.keys().copied()) {
            return Err(SignError::Signers);
        }
        let signature = Signature::new(self.big_r, shares.values().map(|share| share.0).sum());
        if signature.verify(self.signers.public_key(), &self.message).is_ok() {
            return Ok(signature);
        }
        let wrong = shares.iter().filter(|(id, share)| self.verify_share(**id, share).is_err());
        Err(SignError::Shares(wrong.map(|(id, _)| *id).collect()))
    }
}
