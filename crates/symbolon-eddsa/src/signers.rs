//! The signers of one signature and what is public about them.

use crate::{Ciphersuite, PublicKey, SignError};
use alloc::vec::Vec;
use symbolon_core::{Group, PartyId, Threshold};
use symbolon_session::Roster;
use symbolon_sharing::{KeyShare, Scheme, lagrange};

/// At least `t` holders of a key that sign together: the public key, and of each signer its public share `X_i` and its
/// Lagrange coefficient `lambda_i` for this set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signers<C: Ciphersuite> {
    public_key: PublicKey<C>,
    /// By ascending identifier.
    signers: Vec<Signer<C>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Signer<C: Group> {
    pub(crate) id: PartyId,
    pub(crate) public_share: C::Point,
    pub(crate) lambda: C::Scalar,
}

impl<C: Ciphersuite> Signers<C> {
    /// Of a key, as one of its holders knows it. The order of `signers` does not matter.
    ///
    /// # Errors
    /// [`SignError::Scheme`] for a key of another scheme; [`SignError::Signers`] unless they are at least `t` distinct holders.
    pub fn of(share: &KeyShare<C>, signers: &[PartyId]) -> Result<Self, SignError> {
        if share.scheme() != Scheme::Frost {
            return Err(SignError::Scheme);
        }
        let holders: Vec<_> = share.members().iter().map(|member| (member.id, member.public_share)).collect();
        Self::chosen(PublicKey::of(share), share.threshold(), &holders, signers)
    }

    /// The same for a coordinator without a share, from what the holders have told it: the public key, the threshold and the
    /// public shares of all holders, as they decoded.
    ///
    /// Public shares that are false but add up to the key make honest signers look wrong: take them from holders that agree.
    ///
    /// # Errors
    /// [`SignError::Signers`], also for more than 255; [`SignError::PublicShares`] if the public shares of these signers are not of this key.
    pub fn new(
        public_key: PublicKey<C>,
        threshold: Threshold,
        holders: &[(PartyId, C::Point)],
        signers: &[PartyId],
    ) -> Result<Self, SignError> {
        let chosen = Self::chosen(public_key, threshold, holders, signers)?;
        let terms: Vec<_> = chosen.signers.iter().map(|signer| (signer.public_share, signer.lambda)).collect();
        if C::lincomb_vartime(&terms) == *public_key.point() { Ok(chosen) } else { Err(SignError::PublicShares) }
    }

    fn chosen(
        public_key: PublicKey<C>,
        threshold: Threshold,
        holders: &[(PartyId, C::Point)],
        signers: &[PartyId],
    ) -> Result<Self, SignError> {
        if signers.len() < usize::from(threshold.get()) || signers.len() > holders.len().min(Roster::MAX) {
            return Err(SignError::Signers);
        }
        let mut ids = signers.to_vec();
        ids.sort_unstable();
        let indices: Vec<_> = ids.iter().map(|id| C::Scalar::from(u64::from(id.get()))).collect();
        // refuses an identifier that appears twice
        let lambdas = lagrange::<C>(&indices).map_err(|_| SignError::Signers)?;
        let signer = |(id, lambda): (&PartyId, C::Scalar)| {
            let holder = holders.iter().find(|holder| holder.0 == *id).ok_or(SignError::Signers)?;
            Ok(Signer { id: *id, public_share: holder.1, lambda })
        };
        let signers = ids.iter().zip(lambdas).map(signer).collect::<Result<_, _>>()?;
        Ok(Self { public_key, signers })
    }

    /// The key that the signature will verify under.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey<C> {
        &self.public_key
    }

    /// The signers, by ascending identifier.
    pub fn ids(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.signers.iter().map(|signer| signer.id)
    }

    pub(crate) fn get(&self, id: PartyId) -> Option<&Signer<C>> {
        self.signers.iter().find(|signer| signer.id == id)
    }

    pub(crate) fn all(&self) -> &[Signer<C>] {
        &self.signers
    }
}
