//! Round two with a banked item: one message of each signer.

use crate::{
    Ciphersuite, FrostItem, FrostRequest, SignError, Signature, SignatureShare, SigningPackage,
    sign::{finish, unattributed},
};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_core::{ItemId, PartyId, SeedRng};
use symbolon_session::{Agreed, Draft, Failed, Header, Inbox, Next, Protocol, Roster, Run, Sends, Setup, Terms, To};
use symbolon_sharing::KeyShare;

/// The bank item that a first frame of [`FrostOnline`] asks for. Nothing of the frame is authenticated here: a signer takes the item
/// only for a request that its own user or policy has approved, since its own first frame is its signature.
#[must_use]
pub fn item_of(frame: &[u8]) -> Option<ItemId> {
    let header = Header::parse(frame).ok()?;
    // the same for every ciphersuite
    let online = header.protocol == <FrostOnline<symbolon_core::Ed25519> as Protocol>::ID;
    online.then(|| ItemId::from_bytes(*header.run.as_bytes()))
}

/// Signing from a bank: message, key, signers, and the id of the item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrostOnlineSetup<C: Ciphersuite> {
    request: FrostRequest<C>,
    item: ItemId,
}

impl<C: Ciphersuite> FrostOnlineSetup<C> {
    /// One signature with `item`, which then moves into the session. The signers are those of the item.
    ///
    /// # Errors
    /// [`SignError::OtherItem`] if the item was made for another key, epoch or holder than `share`.
    pub fn new(share: &KeyShare<C>, item: &FrostItem<C>, message: impl Into<Vec<u8>>) -> Result<Self, SignError> {
        let signers: Vec<_> = item.signers().collect();
        let request = FrostRequest::new(share, &signers, message).map_err(|_| SignError::OtherItem)?;
        if request.quorum.holding == item.holding {
            Ok(Self { request, item: item.id() })
        } else {
            Err(SignError::OtherItem)
        }
    }

    /// Message, key and signers.
    #[must_use]
    pub const fn request(&self) -> &FrostRequest<C> {
        &self.request
    }
}

impl<C: Ciphersuite> Setup for FrostOnlineSetup<C> {
    fn roster(&self) -> Roster {
        self.request.roster().clone()
    }

    fn terms(&self) -> Terms {
        Terms { item: Some(self.item), ..self.request.terms() }
    }
}

/// One signature from a banked item. The item moves in and is gone, however the run ends; it ends with the signature at every
/// signer. The name of the item binds all commitments, so that nothing is left to compare.
///
/// # Security
/// Whoever has started has signed: its first frame has its share. It counts the message as signed, however the run ends.
pub struct FrostOnline<C: Ciphersuite>(Result<(SigningPackage<C>, SignatureShare<C>), SignError>);

impl<C: Ciphersuite> Protocol for FrostOnline<C> {
    const NAME: &'static str = "frost-sign-online";
    const ID: u8 = 26;
    const ROUNDS: u8 = 1;
    const NONCES: bool = false;
    type Setup = FrostOnlineSetup<C>;
    type LongTerm = KeyShare<C>;
    type Input = FrostItem<C>;
    type Held = ();
    type Output = Signature<C>;

    fn sends(_: &FrostOnlineSetup<C>, _: u8, _: PartyId) -> Sends {
        Sends::Broadcast
    }

    fn max_body(_: &FrostOnlineSetup<C>, _: u8) -> usize {
        32
    }

    fn fits(setup: &FrostOnlineSetup<C>, share: &KeyShare<C>, item: &FrostItem<C>) -> Result<(), Agreed> {
        let signers = setup.request.quorum.signers.ids();
        if setup.item != item.id() || setup.request.quorum.holding != item.holding || !signers.eq(item.signers()) {
            return Err(Agreed::Item);
        }
        setup.request.quorum.fits(share)
    }

    fn start(
        setup: &FrostOnlineSetup<C>,
        share: &KeyShare<C>,
        item: FrostItem<C>,
        _: &Run,
        _: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let FrostItem { nonces, list, .. } = item;
        let quorum = &setup.request.quorum;
        let package = SigningPackage::new(quorum.signers.clone(), list, setup.request.message().to_vec());
        let signed = package.and_then(|package| {
            let own = package.sign_as(quorum.roster.me(), share.secret(), nonces)?;
            Ok((package, own))
        });
        // a group commitment that is the identity fails at every signer alike, in `advance`
        let body = signed.as_ref().map_or_else(|_| [0; 32], |(_, own)| own.to_bytes());
        (Self(signed), [(To::All, body.to_vec())].into())
    }

    fn advance(
        self,
        setup: &FrostOnlineSetup<C>,
        _: &Run,
        inbox: &Inbox,
        _: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        let roster = setup.request.roster();
        let (package, own) = self.0.map_err(|error| unattributed(roster.me(), &error))?;
        let mut shares = BTreeMap::from([(roster.me(), own)]);
        for peer in roster.peers() {
            let share = SignatureShare::from_bytes(inbox.broadcast(peer).rest());
            shares.insert(peer, share.map_err(|error| Failed::new(peer, error.into()))?);
        }
        Ok(Next::Done(finish(&package, roster.me(), &shares)?, Vec::new(), ()))
    }

    fn cancel(self) -> Option<()> {
        None
    }
}
