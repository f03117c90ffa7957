//! Message, key and signers of one signature, fixed by every local caller (safety.md S4).

use crate::{Ciphersuite, PublicKey, SignError, Signers};
use alloc::vec::Vec;
use symbolon_core::{
    KeyId, PartyId, SharingId, Threshold, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::{Agreed, Roster, Setup, Storable, Terms};
use symbolon_sharing::KeyShare;

/// Which sharing of which key signs, and who of its holders.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Quorum<C: Ciphersuite> {
    pub(crate) roster: Roster,
    pub(crate) signers: Signers<C>,
    threshold: Threshold,
    pub(crate) holding: Holding,
}

/// Whose share of which sharing of which key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Holding {
    pub(crate) key_id: KeyId,
    pub(crate) sharing_id: SharingId,
    pub(crate) epoch: u32,
    pub(crate) me: PartyId,
}

impl Holding {
    pub(crate) const fn of<C: Ciphersuite>(share: &KeyShare<C>) -> Self {
        Self { key_id: share.key_id(), sharing_id: share.sharing_id(), epoch: share.epoch(), me: share.me() }
    }
}

impl<C: Ciphersuite> Quorum<C> {
    pub(crate) fn of(share: &KeyShare<C>, signers: &[PartyId]) -> Result<Self, SignError> {
        let chosen = Signers::of(share, signers)?;
        let members = share.members().iter().filter(|member| signers.contains(&member.id));
        let roster = Roster::new(share.me(), members.map(|member| (member.id, member.identity)));
        Ok(Self {
            // refuses signers without this party
            roster: roster.map_err(|_| SignError::Signers)?,
            signers: chosen,
            threshold: share.threshold(),
            holding: Holding::of(share),
        })
    }

    pub(crate) fn fits(&self, share: &KeyShare<C>) -> Result<(), Agreed> {
        if self.holding == Holding::of(share) { Ok(()) } else { Err(Agreed::Sharing) }
    }

    pub(crate) fn terms(&self) -> Terms {
        Terms {
            curve: C::ID,
            scheme: "frost",
            threshold: Some(self.threshold),
            key_id: Some(self.holding.key_id),
            sharing_id: Some(self.holding.sharing_id),
            epoch: Some(self.holding.epoch),
            ..Terms::default()
        }
    }
}

/// Who signs what with which key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrostRequest<C: Ciphersuite> {
    pub(crate) quorum: Quorum<C>,
    message: Vec<u8>,
}

impl<C: Ciphersuite> FrostRequest<C> {
    /// Fixes message and signers: at least `t` distinct holders of the key, this one among them. The message is signed as it is:
    /// on Ed25519 that is the plain signature of RFC 8032 over these bytes.
    ///
    /// # Errors
    /// [`SignError::Scheme`], [`SignError::Signers`].
    pub fn new(share: &KeyShare<C>, signers: &[PartyId], message: impl Into<Vec<u8>>) -> Result<Self, SignError> {
        Ok(Self { quorum: Quorum::of(share, signers)?, message: message.into() })
    }

    /// The signers.
    #[must_use]
    pub const fn roster(&self) -> &Roster {
        &self.quorum.roster
    }

    /// What is signed.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The key that the signature will verify under.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey<C> {
        self.quorum.signers.public_key()
    }
}

impl<C: Ciphersuite> Setup for FrostRequest<C> {
    fn roster(&self) -> Roster {
        self.quorum.roster.clone()
    }

    fn terms(&self) -> Terms {
        let digest = Transcript::new("eddsa", "message").part(&self.message).finish();
        Terms { digest: Some(digest), ..self.quorum.terms() }
    }
}

impl<C: Ciphersuite> Storable for FrostRequest<C> {
    /// Curve, threshold, ids, epoch, roster, `P`, `X_i` of each signer, message.
    fn encode(&self, w: &mut Writer) {
        let Quorum { roster, signers, threshold, holding } = &self.quorum;
        let Holding { key_id, sharing_id, epoch, me: _ } = holding;
        w.u8(C::ID).u16(threshold.get()).bytes(key_id.as_ref()).bytes(sharing_id.as_ref()).u32(*epoch);
        roster.encode(w);
        let points: Vec<_> = signers.all().iter().map(|signer| signer.public_share).collect();
        w.bytes(signers.public_key().to_bytes().as_ref());
        C::points_to_bytes(&points).iter().for_each(|point| {
            w.bytes(point.as_ref());
        });
        w.prefixed(&self.message);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if r.u8()? != C::ID {
            return Err(DecodeError::Unsupported);
        }
        let threshold = r.u16()?;
        let (key_id, sharing_id) = (KeyId::from_bytes(r.array()?), SharingId::from_bytes(r.array()?));
        let epoch = r.u32()?;
        let roster = Roster::decode(r)?;
        let threshold = Threshold::new(threshold, roster.members().len()).map_err(|_| DecodeError::Value)?;
        let public_key = PublicKey::from_bytes(r.bytes(C::POINT_LEN)?)?;
        let holders = roster.members().iter().map(|member| Ok((member.0, r.point::<C>()?)));
        let holders = holders.collect::<Result<Vec<_>, DecodeError>>()?;
        let ids: Vec<_> = holders.iter().map(|holder| holder.0).collect();
        let signers = Signers::new(public_key, threshold, &holders, &ids).map_err(|_| DecodeError::Value)?;
        let message = r.prefixed(r.remaining())?.to_vec();
        let holding = Holding { key_id, sharing_id, epoch, me: roster.me() };
        Ok(Self { quorum: Quorum { roster, signers, threshold, holding }, message })
    }

    fn max_len(&self) -> usize {
        256 + self.message.len() + self.quorum.roster.members().len() * (2 + 33 + C::POINT_LEN)
    }
}
