//! Both rounds in one run: every signer broadcasts its commitments, then its share, and ends with the signature.

use crate::{
    Ciphersuite, CommitmentList, FrostRequest, NonceCommitments, Nonces, SignError, Signature, SignatureShare,
    SigningPackage,
};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_core::{
    PartyId, SecretScalar, SeedRng, Sid, Transcript,
    wire::{DecodeError, Writer},
};
use symbolon_session::{Agreed, Draft, Failed, Fault, Inbox, Next, Protocol, Roster, Run, Sends, Suspend, To};
use symbolon_sharing::KeyShare;

/// A run of FROST. It ends with the signature, verified, at every signer.
///
/// # Security
/// Whoever has sent the frame of the second round has signed: it counts the message as signed, however the run ends. A suspended
/// run is claimed in the ledger when it is resumed; nonces of a copy that comes back more than once give away the share.
pub struct FrostSign<C: Ciphersuite>(State<C>);

#[allow(clippy::large_enum_variant, reason = "one value per run, moved a few times")]
enum State<C: Ciphersuite> {
    Committed(Committed<C>),
    Shared(Shared<C>),
}

/// Round 1 is out: nonces and share.
struct Committed<C: Ciphersuite> {
    nonces: Nonces<C>,
    // boxed, as the nonces are: the state is moved
    x: SecretScalar<C>,
}

/// Round 2 is out.
struct Shared<C: Ciphersuite> {
    package: SigningPackage<C>,
    own: SignatureShare<C>,
    /// The hash of all commitments as they were seen here.
    view: [u8; 32],
}

impl<C: Ciphersuite> Protocol for FrostSign<C> {
    const NAME: &'static str = "frost-sign";
    const ID: u8 = 24;
    const ROUNDS: u8 = 2;
    const LOG_FRAMES: bool = true;
    type Setup = FrostRequest<C>;
    type LongTerm = KeyShare<C>;
    type Input = ();
    type Held = ();
    type Output = Signature<C>;

    fn sends(_: &FrostRequest<C>, _: u8, _: PartyId) -> Sends {
        Sends::Broadcast
    }

    fn max_body(_: &FrostRequest<C>, round: u8) -> usize {
        if round == 1 { NonceCommitments::<C>::LEN } else { 32 + 32 }
    }

    fn fits(setup: &FrostRequest<C>, share: &KeyShare<C>, (): &()) -> Result<(), Agreed> {
        setup.quorum.fits(share)
    }

    /// Round 1: nonces and their commitments.
    fn start(_: &FrostRequest<C>, share: &KeyShare<C>, (): (), _: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        let nonces = Nonces::draw(share.secret(), rng);
        let draft = (To::All, nonces.commitments().to_bytes());
        let x = SecretScalar::new(*share.secret().expose());
        (Self(State::Committed(Committed { nonces, x })), [draft].into())
    }

    fn advance(
        self,
        setup: &FrostRequest<C>,
        run: &Run,
        inbox: &Inbox,
        _: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        match self.0 {
            State::Committed(committed) => committed.share(setup, run, inbox),
            State::Shared(shared) => shared.finish(&setup.quorum.roster, inbox),
        }
    }

    fn cancel(self) -> Option<()> {
        None
    }
}

impl<C: Ciphersuite> Suspend for FrostSign<C> {}

impl<C: Ciphersuite> Committed<C> {
    /// Round 2: the hash of what everybody committed to, and the share.
    fn share(self, setup: &FrostRequest<C>, run: &Run, inbox: &Inbox) -> Result<Next<FrostSign<C>>, Failed<()>> {
        let me = setup.quorum.roster.me();
        let read = |peer| inbox.broadcast(peer).whole(NonceCommitments::decode);
        let list = collect(me, *self.nonces.commitments(), &setup.quorum.roster, read)?;
        let view = view(&run.sid(), &list);
        let package = SigningPackage::new(setup.quorum.signers.clone(), list, setup.message().to_vec());
        let package = package.map_err(|error| unattributed(me, &error))?;
        let own = package.sign_as(me, &self.x, self.nonces).map_err(|error| unattributed(me, &error))?;
        let mut w = Writer::with_capacity(64);
        w.bytes(&view).bytes(&own.to_bytes());
        Ok(Next::Round(FrostSign(State::Shared(Shared { package, own, view })), [(To::All, w.finish())].into()))
    }
}

impl<C: Ciphersuite> Shared<C> {
    /// The end: everybody saw the same commitments, which is compared before any share is looked at; then the signature.
    fn finish(self, roster: &Roster, inbox: &Inbox) -> Result<Next<FrostSign<C>>, Failed<()>> {
        let read = |peer: PartyId| {
            let read = inbox.broadcast(peer).whole(|r| Ok::<_, DecodeError>((r.array::<32>()?, r.scalar::<C>()?)));
            read.map(|(view, z)| (peer, view, z)).map_err(|error| Failed::new(peer, error.into()))
        };
        let bodies = roster.peers().map(read).collect::<Result<Vec<_>, _>>()?;
        if let Some((peer, ..)) = bodies.iter().find(|(_, view, _)| *view != self.view) {
            return Err(Failed::new(*peer, Fault::View));
        }
        let mut shares: BTreeMap<_, _> = bodies.into_iter().map(|(peer, _, z)| (peer, SignatureShare(z))).collect();
        shares.insert(roster.me(), self.own);
        Ok(Next::Done(finish(&self.package, roster.me(), &shares)?, Vec::new(), ()))
    }
}

/// `T("view", sid, commitment list)`.
fn view<C: Ciphersuite>(sid: &Sid, list: &CommitmentList<C>) -> [u8; 32] {
    Transcript::new("eddsa", "view").part(sid).part(list.to_bytes()).finish()
}

/// The own commitments and those of all peers.
pub(crate) fn collect<C: Ciphersuite>(
    me: PartyId,
    own: NonceCommitments<C>,
    roster: &Roster,
    mut read: impl FnMut(PartyId) -> Result<NonceCommitments<C>, DecodeError>,
) -> Result<CommitmentList<C>, Failed<()>> {
    let mut list = BTreeMap::from([(me, own)]);
    for peer in roster.peers() {
        list.insert(peer, read(peer).map_err(|error| Failed::new(peer, error.into()))?);
    }
    Ok(CommitmentList::of(list))
}

/// The signature, or the first signer whose share is wrong.
pub(crate) fn finish<C: Ciphersuite>(
    package: &SigningPackage<C>,
    me: PartyId,
    shares: &BTreeMap<PartyId, SignatureShare<C>>,
) -> Result<Signature<C>, Failed<()>> {
    package.aggregate(shares).map_err(|error| match &error {
        // an own share that is wrong is a fault of this machine, and names nobody
        SignError::Shares(wrong) => {
            let culprit = wrong.iter().find(|signer| **signer != me);
            // a control: see docs/assurance.md
            #[cfg(symbolon_planted = "siege-blame")]
            let culprit = culprit.and(shares.keys().rev().find(|signer| **signer != me));
            match culprit {
                Some(culprit) => Failed::new(*culprit, Fault::SignatureShare),
                None => Failed::new(me, Fault::Signature),
            }
        }
        error => unattributed(me, error),
    })
}

/// What no peer can cause: the driver has checked roster and share.
pub(crate) fn unattributed(me: PartyId, error: &SignError) -> Failed<()> {
    let fault = match error {
        SignError::Degenerate => Fault::DegenerateNonce,
        _ => Fault::Signature,
    };
    Failed::new(me, fault)
}
