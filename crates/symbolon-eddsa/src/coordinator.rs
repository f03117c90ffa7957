//! The coordinator of RFC 9591, section 5: it talks to each signer, holds nothing secret, and makes the signature.
//!
//! A signer of a coordinator calls [`crate::Nonces::generate`], [`SigningPackage::new`] with *its own* message and the
//! coordinator's list, and [`SigningPackage::sign`].

use crate::{
    Ciphersuite, CommitmentList, NonceCommitments, SignError, Signature, SignatureShare, Signers, SigningPackage,
};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_core::{PartyId, wire::DecodeError};

/// Why something of a signer was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RefusedError {
    /// It is not one of the signers.
    #[error("{0} is not one of the signers")]
    NotASigner(PartyId),
    /// It has sent another one before. The first one stands.
    #[error("{0} has sent another one before")]
    Twice(PartyId),
    /// It does not decode.
    #[error("{0} has sent something malformed: {1}")]
    Encoding(PartyId, DecodeError),
    /// The share is wrong.
    #[error("{0} has sent a wrong share")]
    Share(PartyId),
}

/// Round one: collects the commitments.
///
/// # Security
/// The caller vouches for `from`, and that a frame is of this run: the two calls of the RFC carry nothing that says so. What a
/// coordinator says of a signer means something only if both have the same package: let signers send [`SigningPackage::digest`]
/// beside their shares, and compare it first. A coordinator that lies gets no forgery and learns no share; it can only prevent
/// signatures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coordinator<C: Ciphersuite> {
    signers: Signers<C>,
    message: Vec<u8>,
    commitments: BTreeMap<PartyId, NonceCommitments<C>>,
}

impl<C: Ciphersuite> Coordinator<C> {
    /// One signature of these signers.
    #[must_use]
    pub fn new(signers: Signers<C>, message: impl Into<Vec<u8>>) -> Self {
        Self { signers, message: message.into(), commitments: BTreeMap::new() }
    }

    /// The signers whose commitments are missing.
    pub fn waiting_for(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.signers.ids().filter(|id| !self.commitments.contains_key(id))
    }

    /// Takes `D || E` of a signer. The same bytes again are no error.
    ///
    /// # Errors
    /// [`RefusedError`]; nothing has changed.
    pub fn commitments(&mut self, from: PartyId, bytes: &[u8]) -> Result<(), RefusedError> {
        if self.signers.get(from).is_none() {
            return Err(RefusedError::NotASigner(from));
        }
        let commitments = NonceCommitments::from_bytes(bytes).map_err(|error| RefusedError::Encoding(from, error))?;
        match self.commitments.get(&from) {
            Some(first) if *first != commitments => Err(RefusedError::Twice(from)),
            Some(_) => Ok(()),
            None => {
                self.commitments.insert(from, commitments);
                Ok(())
            }
        }
    }

    /// All commitments are in: round two, whose [`Aggregator::package`] has the list for the signers.
    ///
    /// # Errors
    /// [`SignError::Signers`] while somebody's are missing, with the coordinator as it was; [`SignError::Degenerate`], which only a
    /// new start cures.
    pub fn aggregator(self) -> Result<Aggregator<C>, (SignError, Self)> {
        if self.waiting_for().next().is_some() {
            return Err((SignError::Signers, self));
        }
        let list = CommitmentList::of(self.commitments.clone());
        match SigningPackage::new(self.signers.clone(), list, self.message.clone()) {
            Ok(package) => Ok(Aggregator { package, shares: BTreeMap::new() }),
            Err(error) => Err((error, self)),
        }
    }
}

/// Round two: collects the shares.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aggregator<C: Ciphersuite> {
    package: SigningPackage<C>,
    shares: BTreeMap<PartyId, SignatureShare<C>>,
}

impl<C: Ciphersuite> Aggregator<C> {
    /// What is signed; [`SigningPackage::commitments`] goes to the signers.
    #[must_use]
    pub const fn package(&self) -> &SigningPackage<C> {
        &self.package
    }

    /// The signers whose shares are missing.
    pub fn waiting_for(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.package.signers().ids().filter(|id| !self.shares.contains_key(id))
    }

    /// Takes the share of a signer without verifying it; [`Self::finish`] does that for all shares, if it has to. The same
    /// bytes again are no error; the first share stands, also a wrong one.
    ///
    /// # Errors
    /// [`RefusedError`]; nothing has changed.
    pub fn share(&mut self, from: PartyId, bytes: &[u8]) -> Result<(), RefusedError> {
        let share = self.read(from, bytes)?;
        self.file(from, share)
    }

    fn read(&self, from: PartyId, bytes: &[u8]) -> Result<SignatureShare<C>, RefusedError> {
        if self.package.signers().get(from).is_none() {
            return Err(RefusedError::NotASigner(from));
        }
        SignatureShare::from_bytes(bytes).map_err(|error| RefusedError::Encoding(from, error))
    }

    fn file(&mut self, from: PartyId, share: SignatureShare<C>) -> Result<(), RefusedError> {
        match self.shares.get(&from) {
            Some(first) if *first != share => Err(RefusedError::Twice(from)),
            Some(_) => Ok(()),
            None => {
                self.shares.insert(from, share);
                Ok(())
            }
        }
    }

    /// Takes the share of a signer if it is right: a cheater is known at once, for about the price of a verification each.
    ///
    /// # Errors
    /// [`RefusedError`]; nothing has changed.
    pub fn verified_share(&mut self, from: PartyId, bytes: &[u8]) -> Result<(), RefusedError> {
        let share = self.read(from, bytes)?;
        self.package.verify_share(from, &share).map_err(|_| RefusedError::Share(from))?;
        self.file(from, share)
    }

    /// The signature, verified.
    ///
    /// # Errors
    /// [`SignError::Signers`] while shares are missing; [`SignError::Shares`] with every signer whose share is wrong.
    pub fn finish(&self) -> Result<Signature<C>, SignError> {
        self.package.aggregate(&self.shares)
    }
}
