//! Round one as a run of its own, for a batch: commitments, and an echo of all of them.

use crate::{
    Ciphersuite, CommitmentList, FrostItem, NonceCommitments, Nonces, SignError, request::Quorum, sign::collect,
};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_core::{
    PartyId, SeedRng, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::{Agreed, Draft, Failed, Fault, Inbox, Next, Protocol, Roster, Run, Sends, Setup, Terms, To};
use symbolon_sharing::KeyShare;

/// The most commitments that a run may have, all signers together.
const MAX_COMMITMENTS: usize = 8192;

/// Which signers of which key, and how many items.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrostPreprocessSetup<C: Ciphersuite> {
    quorum: Quorum<C>,
    count: u16,
}

impl<C: Ciphersuite> FrostPreprocessSetup<C> {
    /// `count` items for these signers: at least `t` distinct holders, this one among them.
    ///
    /// # Errors
    /// [`SignError::Scheme`], [`SignError::Signers`]; [`SignError::Count`] unless `1 <= count` and `count` times the number of
    /// signers is at most 8192.
    pub fn new(share: &KeyShare<C>, signers: &[PartyId], count: u16) -> Result<Self, SignError> {
        let quorum = Quorum::of(share, signers)?;
        if count == 0 || usize::from(count).saturating_mul(signers.len()) > MAX_COMMITMENTS {
            return Err(SignError::Count(count));
        }
        Ok(Self { quorum, count })
    }
}

impl<C: Ciphersuite> Setup for FrostPreprocessSetup<C> {
    fn roster(&self) -> Roster {
        self.quorum.roster.clone()
    }

    fn terms(&self) -> Terms {
        Terms {
            digest: Some(*b"preprocess, without any message "),
            extra: self.count.to_be_bytes().to_vec(),
            ..self.quorum.terms()
        }
    }
}

/// A run that makes items for the bank. No item is on whose commitments not all agree.
pub struct FrostPreprocess<C: Ciphersuite>(State<C>);

enum State<C: Ciphersuite> {
    Committed(Batch<C>),
    Echoed(Made<C>),
}

/// Round 1 is out: the nonces.
struct Batch<C: Ciphersuite>(Vec<Nonces<C>>);

/// Round 2 is out: the items, and the hash over all commitments that all must have seen alike.
struct Made<C: Ciphersuite> {
    items: Vec<FrostItem<C>>,
    echo: [u8; 32],
}

impl<C: Ciphersuite> Protocol for FrostPreprocess<C> {
    const NAME: &'static str = "frost-preprocess";
    const ID: u8 = 25;
    const ROUNDS: u8 = 2;
    type Setup = FrostPreprocessSetup<C>;
    type LongTerm = KeyShare<C>;
    type Input = ();
    type Held = ();
    type Output = Vec<FrostItem<C>>;

    fn sends(_: &FrostPreprocessSetup<C>, _: u8, _: PartyId) -> Sends {
        Sends::Broadcast
    }

    fn max_body(setup: &FrostPreprocessSetup<C>, round: u8) -> usize {
        if round == 1 { usize::from(setup.count) * NonceCommitments::<C>::LEN } else { 32 }
    }

    fn fits(setup: &FrostPreprocessSetup<C>, share: &KeyShare<C>, (): &()) -> Result<(), Agreed> {
        setup.quorum.fits(share)
    }

    /// Round 1: the commitments of all items.
    fn start(
        setup: &FrostPreprocessSetup<C>,
        share: &KeyShare<C>,
        (): (),
        _: &Run,
        rng: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let nonces = Nonces::batch(share.secret(), setup.count, rng);
        let mut w = Writer::with_capacity(nonces.len() * NonceCommitments::<C>::LEN);
        nonces.iter().for_each(|nonces| nonces.commitments().encode(&mut w));
        (Self(State::Committed(Batch(nonces))), [(To::All, w.finish())].into())
    }

    fn advance(
        self,
        setup: &FrostPreprocessSetup<C>,
        run: &Run,
        inbox: &Inbox,
        _: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        match self.0 {
            State::Committed(batch) => batch.receive(setup, run, inbox),
            State::Echoed(made) => made.agreed(&setup.quorum.roster, inbox),
        }
    }

    fn cancel(self) -> Option<()> {
        None
    }
}

impl<C: Ciphersuite> Batch<C> {
    /// Round 2: the echo.
    fn receive(
        self,
        setup: &FrostPreprocessSetup<C>,
        run: &Run,
        inbox: &Inbox,
    ) -> Result<Next<FrostPreprocess<C>>, Failed<()>> {
        let (sid, roster) = (run.sid(), &setup.quorum.roster);
        let mut bodies: BTreeMap<PartyId, Reader<'_>> =
            roster.peers().map(|peer| (peer, inbox.broadcast(peer))).collect();
        let mut items = Vec::with_capacity(self.0.len());
        let mut echo = Transcript::new("eddsa", "echo").part(sid);
        for (counter, nonces) in (0..).zip(self.0) {
            let read =
                |peer: PartyId| bodies.get_mut(&peer).map_or(Err(DecodeError::Truncated), NonceCommitments::decode);
            let list: CommitmentList<C> = collect(roster.me(), *nonces.commitments(), roster, read)?;
            echo = echo.part(list.to_bytes());
            items.push(FrostItem::new(&sid, counter, setup.quorum.holding, nonces, list));
        }
        bodies
            .into_iter()
            .try_for_each(|(peer, body)| body.finish().map_err(|error| Failed::new(peer, error.into())))?;
        let echo = echo.finish();
        Ok(Next::Round(FrostPreprocess(State::Echoed(Made { items, echo })), [(To::All, echo.to_vec())].into()))
    }
}

impl<C: Ciphersuite> Made<C> {
    /// The end: all echoes agree.
    fn agreed(self, roster: &Roster, inbox: &Inbox) -> Result<Next<FrostPreprocess<C>>, Failed<()>> {
        for peer in roster.peers() {
            match inbox.broadcast(peer).whole(Reader::array::<32>) {
                Ok(echo) if echo == self.echo => (),
                Ok(_) => return Err(Failed::new(peer, Fault::View)),
                Err(error) => return Err(Failed::new(peer, error.into())),
            }
        }
        Ok(Next::Done(self.items, Vec::new(), ()))
    }
}
