//! The runs: pre-processing for the bank, signing from the bank, signing from scratch.

use super::{
    QuorumItem, QuorumRequest, Setups, SignerShare, failed,
    request::QuorumTarget,
    steps::{
        ECHO_LEN, Extended, Made, Multiplied, Opened, ROUND_3_LEN, ROUND_4_LEN, Released, extend, open, round_1_len,
        round_2_len,
    },
};
use crate::{
    DerivationPath, Payload, SignError, Signature,
    preprocess::{MAX_BATCH, PreprocessError},
};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_core::{Group, ItemId, PartyId, Secp256k1, SeedRng, SetupId};
use symbolon_mta::PairSetup;
use symbolon_session::{
    Agreed, Class, Draft, Failed, Fault, Header, Identity, Inbox, Next, Pair, Protocol, Roster, Run, Sends, Setup,
    Terms,
};
use symbolon_sharing::KeyShare;

/// The pair setups of a run, as its setup value names them. Every pair has its own id, which only the two know: it is no
/// part of the sid, but the first thing in the frames of round 1.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Names {
    setups: BTreeMap<PartyId, SetupId>,
    parameters: &'static str,
}

impl Names {
    /// Exactly one setup for each peer, between the same identities, all with one suite. Counts a run on each.
    fn begin(roster: &Roster, setups: &mut Setups) -> Result<Self, SignError> {
        let me = roster.me();
        let own = roster.identity(me).copied().ok_or(SignError::Signers)?;
        if !roster.peers().eq(setups.keys().copied()) {
            return Err(SignError::Pair);
        }
        let suite = setups.values().next().map(PairSetup::suite).ok_or(SignError::Pair)?;
        for (peer, setup) in setups.iter() {
            let identity: Identity = roster.identity(*peer).copied().ok_or(SignError::Signers)?;
            let pair = Pair::between(me, (me, own), (*peer, identity)).map_err(|_| SignError::Signers)?;
            if *setup.pair() != pair || setup.suite() != suite {
                return Err(SignError::Pair);
            }
        }
        // all or none
        if setups.values().any(|setup| setup.runs_left() == 0) {
            return Err(SignError::Exhausted(symbolon_mta::Exhausted));
        }
        setups.values_mut().try_for_each(PairSetup::begin_run)?;
        let names = setups.iter().map(|(peer, setup)| (*peer, setup.id())).collect();
        Ok(Self { setups: names, parameters: suite.parameters() })
    }

    fn fits(&self, setups: &Setups) -> Result<(), Agreed> {
        // the peer's half has the same id
        let ids = setups.iter().map(|(peer, setup)| (*peer, setup.pair().peer(), setup.id()));
        if ids.eq(self.setups.iter().map(|(peer, id)| (*peer, *peer, *id))) { Ok(()) } else { Err(Agreed::Setup) }
    }
}

/// Which signers, how many items.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuorumPreprocessSetup {
    roster: Roster,
    names: Names,
    count: u16,
}

impl QuorumPreprocessSetup {
    /// `count` items for these signers, each with its identity, over the setups with all of them; a run is counted on each.
    ///
    /// # Errors
    /// [`PreprocessError::Count`]; [`PreprocessError::Multiplications`] for more items than a round of this many signers has
    /// room for; [`PreprocessError::Signers`] for signers that are fewer than three, listed twice or
    /// without this party; [`PreprocessError::Pair`] unless there is exactly one setup for each other signer, between the
    /// same identities; [`PreprocessError::Exhausted`].
    pub fn new(
        me: PartyId,
        signers: &[(PartyId, Identity)],
        setups: &mut Setups,
        count: u16,
    ) -> Result<Self, PreprocessError> {
        if !(1..=MAX_BATCH).contains(&count) {
            return Err(PreprocessError::Count(count));
        }
        let roster = Roster::new(me, signers.iter().copied()).map_err(|_| PreprocessError::Signers)?;
        if roster.members().len() < 3 {
            return Err(PreprocessError::Signers);
        }
        let peers = roster.peers().count();
        if usize::from(count).saturating_mul(peers) > usize::from(MAX_BATCH) {
            return Err(PreprocessError::Multiplications { count, peers });
        }
        let names = Names::begin(&roster, setups).map_err(|error| match error {
            SignError::Exhausted(exhausted) => PreprocessError::Exhausted(exhausted),
            _ => PreprocessError::Pair,
        })?;
        Ok(Self { roster, names, count })
    }
}

impl Setup for QuorumPreprocessSetup {
    fn roster(&self) -> Roster {
        self.roster.clone()
    }

    fn terms(&self) -> Terms {
        Terms {
            curve: Secp256k1::ID,
            scheme: "ecdsa",
            parameters: self.names.parameters,
            digest: Some(*b"preprocess, without any message "),
            extra: self.count.to_be_bytes().to_vec(),
            ..Terms::default()
        }
    }
}

/// Rounds 1 and 2 as a run of their own, and a third one in which all echo the commitments. The pair setups move in and out;
/// the items are the output, and no item is on whose commitments not all agree.
pub struct QuorumPreprocess(Setups, Preparing);

enum Preparing {
    Extended(Extended),
    Multiplied(Multiplied),
    Made(Made),
}

impl Protocol for QuorumPreprocess {
    const NAME: &'static str = "quorum-preprocess";
    const ID: u8 = 12;
    const ROUNDS: u8 = 3;
    type Setup = QuorumPreprocessSetup;
    type LongTerm = ();
    type Input = Setups;
    type Held = Setups;
    type Output = Vec<QuorumItem>;

    fn sends(_: &QuorumPreprocessSetup, round: u8, _: PartyId) -> Sends {
        match round {
            1 => Sends::Private,
            2 => Sends::Both,
            _ => Sends::Broadcast,
        }
    }

    fn max_body(setup: &QuorumPreprocessSetup, round: u8) -> usize {
        match round {
            1 => round_1_len(setup.count),
            2 => round_2_len(setup.count),
            _ => ECHO_LEN,
        }
    }

    fn fits(setup: &QuorumPreprocessSetup, _: &(), setups: &Setups) -> Result<(), Agreed> {
        setup.names.fits(setups)
    }

    fn start(
        setup: &QuorumPreprocessSetup,
        _: &(),
        setups: Setups,
        run: &Run,
        rng: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let (state, drafts) = extend(&setups, run, setup.count, rng);
        (Self(setups, Preparing::Extended(state)), drafts)
    }

    fn advance(
        self,
        setup: &QuorumPreprocessSetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<Setups>> {
        let Self(setups, state) = self;
        match state {
            Preparing::Extended(state) => {
                let (state, setups, drafts) = state.multiply(setups, run, setup.roster.me(), inbox, rng)?;
                Ok(Next::Round(Self(setups, Preparing::Multiplied(state)), drafts))
            }
            Preparing::Multiplied(state) => {
                let (made, setups) = state.finish(setups, run, &setup.roster, inbox)?;
                let drafts = alloc::vec![made.echo.draft()];
                Ok(Next::Round(Self(setups, Preparing::Made(made)), drafts))
            }
            Preparing::Made(made) => match made.agreed(&setup.roster, inbox) {
                Ok(items) => Ok(Next::Done(items, Vec::new(), setups)),
                Err((peer, fault)) => Err(failed(peer, fault, setups)),
            },
        }
    }

    fn cancel(self) -> Option<Setups> {
        Some(self.0)
    }
}

/// The bank item that a first frame of [`QuorumOnline`] asks for.
#[must_use]
pub fn quorum_item_of(frame: &[u8]) -> Option<ItemId> {
    let header = Header::parse(frame).ok()?;
    (header.protocol == QuorumOnline::ID).then(|| ItemId::from_bytes(*header.run.as_bytes()))
}

/// Signing from a bank: message, key, path, signers, and the id of the item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuorumOnlineSetup {
    request: QuorumRequest,
    terms: Terms,
}

impl QuorumOnlineSetup {
    /// One signature with `item`, which then moves into the session.
    ///
    /// # Errors
    /// [`SignError::Pair`] if the item was made for other signers than the request names.
    pub fn new(request: QuorumRequest, item: &QuorumItem) -> Result<Self, SignError> {
        if request.roster() != &item.roster {
            return Err(SignError::Pair);
        }
        let terms = Terms { parameters: item.suite.parameters(), item: Some(item.id), ..request.terms.clone() };
        Ok(Self { request, terms })
    }

    /// Message, key, path and signers.
    #[must_use]
    pub const fn request(&self) -> &QuorumRequest {
        &self.request
    }
}

impl Setup for QuorumOnlineSetup {
    fn roster(&self) -> Roster {
        self.request.roster().clone()
    }

    fn terms(&self) -> Terms {
        self.terms.clone()
    }
}

/// One signature from a banked item: rounds 3 and 4. The item moves in and is gone, however the run ends.
///
/// # Security
/// Whoever has sent the frame of the second round has signed: it counts the message as signed, however the run ends.
pub struct QuorumOnline {
    names: BTreeMap<PartyId, SetupId>,
    target: QuorumTarget,
    state: Signing,
}

#[allow(clippy::large_enum_variant, reason = "one value per session, moved a few times")]
enum Signing {
    Opened(Opened),
    Released(Released),
}

impl QuorumOnline {
    fn step(
        state: Signing,
        target: &QuorumTarget,
        setup: &QuorumRequest,
        run: &Run,
        inbox: &Inbox,
    ) -> Result<Step, (PartyId, Fault)> {
        let roster = setup.roster();
        match state {
            Signing::Opened(state) => {
                let (state, drafts) = state.release(&run.sid(), roster.me(), target, inbox)?;
                Ok(Step::Round(Signing::Released(state), drafts))
            }
            Signing::Released(state) => state.finish(roster.peers(), target, inbox).map(Step::Done),
        }
    }
}

#[allow(clippy::large_enum_variant, reason = "taken apart at once")]
enum Step {
    Round(Signing, Vec<Draft>),
    Done(Signature),
}

impl Protocol for QuorumOnline {
    const NAME: &'static str = "quorum-sign-online";
    const ID: u8 = 13;
    const ROUNDS: u8 = 2;
    const NONCES: bool = false;
    type Setup = QuorumOnlineSetup;
    type LongTerm = SignerShare;
    type Input = QuorumItem;
    type Held = ();
    type Output = Signature;

    fn sends(_: &QuorumOnlineSetup, round: u8, _: PartyId) -> Sends {
        if round == 1 { Sends::Both } else { Sends::Broadcast }
    }

    fn max_body(_: &QuorumOnlineSetup, round: u8) -> usize {
        if round == 1 { ROUND_3_LEN } else { ROUND_4_LEN }
    }

    fn fits(setup: &QuorumOnlineSetup, signer: &SignerShare, item: &QuorumItem) -> Result<(), Agreed> {
        if setup.terms.item != Some(item.id) || setup.request.roster() != &item.roster {
            return Err(Agreed::Item);
        }
        setup.request.fits(signer)
    }

    fn start(
        setup: &QuorumOnlineSetup,
        signer: &SignerShare,
        item: QuorumItem,
        run: &Run,
        _: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let target = setup.request.target(signer);
        let names = item.links.iter().map(|(peer, link)| (*peer, link.setup)).collect();
        let (state, drafts) = open(item, None, &run.sid(), &target);
        (Self { names, target, state: Signing::Opened(state) }, drafts)
    }

    fn advance(
        self,
        setup: &QuorumOnlineSetup,
        run: &Run,
        inbox: &Inbox,
        _: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        let Self { names, target, state } = self;
        match Self::step(state, &target, &setup.request, run, inbox) {
            Ok(Step::Round(state, drafts)) => Ok(Next::Round(Self { names, target, state }, drafts)),
            Ok(Step::Done(signature)) => Ok(Next::Done(signature, Vec::new(), ())),
            // the item is dead in any case; a failed check in the exponent burns its setup with that peer
            Err((peer, fault)) => {
                let burned = names.get(&peer).filter(|_| fault.class() == Class::Burn);
                Err(Failed { burned: burned.copied().into_iter().collect(), ..Failed::new(peer, fault) })
            }
        }
    }

    fn cancel(self) -> Option<()> {
        None
    }
}

/// Signing from scratch: message, key, path and signers, over pair setups.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QuorumFullSetup {
    request: QuorumRequest,
    names: Names,
}

impl QuorumFullSetup {
    /// One signature over the setups with the other signers, of which it counts one run each; they then move into the
    /// session.
    ///
    /// # Errors
    /// [`SignError::Pair`] unless there is exactly one setup for each other signer, between the same identities, all with
    /// one suite; [`SignError::Exhausted`].
    pub fn new(request: QuorumRequest, setups: &mut Setups) -> Result<Self, SignError> {
        let names = Names::begin(request.roster(), setups)?;
        Ok(Self { request, names })
    }

    /// Message, key, path and signers.
    #[must_use]
    pub const fn request(&self) -> &QuorumRequest {
        &self.request
    }
}

impl Setup for QuorumFullSetup {
    fn roster(&self) -> Roster {
        self.request.roster().clone()
    }

    fn terms(&self) -> Terms {
        Terms { parameters: self.names.parameters, ..self.request.terms.clone() }
    }
}

/// One signature from scratch in four rounds. The pair setups move in and out.
///
/// # Security
/// Whoever has sent the frame of the fourth round has signed: it counts the message as signed, however the run ends.
pub struct QuorumFull {
    setups: Setups,
    target: QuorumTarget,
    state: Full,
}

#[allow(clippy::large_enum_variant, reason = "one value per session, moved a few times")]
enum Full {
    Extended(Extended),
    Multiplied(Multiplied),
    Signing(Signing),
}

impl Protocol for QuorumFull {
    const NAME: &'static str = "quorum-sign";
    const ID: u8 = 14;
    const ROUNDS: u8 = 4;
    type Setup = QuorumFullSetup;
    type LongTerm = SignerShare;
    type Input = Setups;
    type Held = Setups;
    type Output = Signature;

    fn sends(_: &QuorumFullSetup, round: u8, _: PartyId) -> Sends {
        match round {
            1 => Sends::Private,
            2 | 3 => Sends::Both,
            _ => Sends::Broadcast,
        }
    }

    fn max_body(_: &QuorumFullSetup, round: u8) -> usize {
        match round {
            1 => round_1_len(1),
            2 => round_2_len(1),
            3 => ROUND_3_LEN,
            _ => ROUND_4_LEN,
        }
    }

    fn fits(setup: &QuorumFullSetup, signer: &SignerShare, setups: &Setups) -> Result<(), Agreed> {
        setup.names.fits(setups)?;
        setup.request.fits(signer)
    }

    fn start(
        setup: &QuorumFullSetup,
        signer: &SignerShare,
        setups: Setups,
        run: &Run,
        rng: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let target = setup.request.target(signer);
        let (state, drafts) = extend(&setups, run, 1, rng);
        (Self { setups, target, state: Full::Extended(state) }, drafts)
    }

    fn advance(
        self,
        setup: &QuorumFullSetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<Setups>> {
        let Self { setups, target, state } = self;
        let roster = setup.request.roster();
        let signing = match state {
            Full::Extended(state) => {
                let (state, setups, drafts) = state.multiply(setups, run, roster.me(), inbox, rng)?;
                return Ok(Next::Round(Self { setups, target, state: Full::Multiplied(state) }, drafts));
            }
            Full::Multiplied(state) => {
                let (Made { mut items, echo }, setups) = state.finish(setups, run, roster, inbox)?;
                let Some(item) = items.pop() else {
                    return Err(failed(roster.me(), Fault::Mismatch(Agreed::Item), setups));
                };
                let (state, drafts) = open(item, Some(echo), &run.sid(), &target);
                let state = Full::Signing(Signing::Opened(state));
                return Ok(Next::Round(Self { setups, target, state }, drafts));
            }
            Full::Signing(state) => state,
        };
        match QuorumOnline::step(signing, &target, &setup.request, run, inbox) {
            Ok(Step::Round(state, drafts)) => {
                Ok(Next::Round(Self { setups, target, state: Full::Signing(state) }, drafts))
            }
            Ok(Step::Done(signature)) => Ok(Next::Done(signature, Vec::new(), setups)),
            Err((peer, fault)) => Err(failed(peer, fault, setups)),
        }
    }

    fn cancel(self) -> Option<Setups> {
        Some(self.setups)
    }
}

impl QuorumRequest {
    /// The setup value and the secret of this signer, for `Session::start` of a [`QuorumFull`]; the setups then move in.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn from_scratch(
        share: &KeyShare<Secp256k1>,
        signers: &[PartyId],
        setups: &mut Setups,
        payload: Payload,
        path: DerivationPath,
    ) -> Result<(QuorumFullSetup, SignerShare), SignError> {
        let request = Self::new(share, signers, payload, path)?;
        let signer = request.signer(share)?;
        Ok((QuorumFullSetup::new(request, setups)?, signer))
    }

    /// The same for a [`QuorumOnline`]; the signers are those of the item.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn from_bank(
        share: &KeyShare<Secp256k1>,
        item: &QuorumItem,
        payload: Payload,
        path: DerivationPath,
    ) -> Result<(QuorumOnlineSetup, SignerShare), SignError> {
        let signers: Vec<_> = item.roster.members().iter().map(|member| member.0).collect();
        let request = Self::new(share, &signers, payload, path)?;
        let signer = request.signer(share)?;
        Ok((QuorumOnlineSetup::new(request, item)?, signer))
    }
}
