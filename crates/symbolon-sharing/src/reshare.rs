//! Resharing: one protocol for refresh, recovery, add, revoke, threshold change, hand-over and import (docs/spec/sharing.md,
//! steps 11 to 22), for one key or for many.
//!
//! The dealers `S`, exactly `t` old members, each deal `lambda_i(S)*x_i` among the new committee. Nobody's old share is
//! touched: the caller retires it, after `Done` ([`crate::retire()`]).

mod checks;
mod flow;
mod offline;
mod setup;

pub use flow::{Batch, Flow, HandOver, Imported, Imports, Kept, Refreshes, Reshared, ResharedBatch};
pub use offline::{OfflineError, OfflineHolder, OpenWith, Package, SealTo};
pub use setup::{Import, Ready, ReshareSetup, Source, hand_over, hand_over_batch, import, refresh, refresh_batch};

use crate::dealing::{Dealer, Dealing, echo, index, same_view};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};
use checks::{Dealt, NewKey, Refused, check_keys, finish, statement_len, statements};
use core::marker::PhantomData;
use symbolon_core::{
    Group, KeyId, PartyId, SecretScalar, SeedRng, Transcript,
    wire::{DecodeError, Writer},
};
use symbolon_proofs::Commitment;
use symbolon_session::{Agreed, Draft, Failed, Fault, Inbox, Next, Protocol, Run, Sends, Setup, Storable, Suspend, To};

const COMMIT: &str = "reshare dealing";

/// A run of resharing.
#[allow(clippy::exhaustive_enums, reason = "one variant per round")]
pub enum Reshare<G: Group, F: Flow> {
    /// Round 1 is out: a dealer is committed.
    Committed(Option<ReshareDealer<G>>),
    /// Dealers have opened.
    Opened(Option<ReshareDealer<G>>, BTreeMap<PartyId, Commitment>),
    /// Everything is checked.
    Echoed(Made<G, F>),
}

/// The own dealings of a run.
pub struct ReshareDealer<G: Group>(Dealer<G>);

/// What a run has made before everybody is known to have made the same.
pub struct Made<G: Group, F> {
    echo: [u8; 32],
    /// For each key, the own new share and its public data, or the reason why it is refused here.
    keys: Vec<Result<NewKey<G>, Refused>>,
    /// The own broadcast of round 3.
    vote: Vec<u8>,
    /// With offline holders.
    package: Option<Package>,
    of: PhantomData<fn() -> F>,
}

impl<G: Group, F: Flow> ReshareSetup<G, F> {
    /// Bytes of a dealer's round 2.
    fn opened_len(&self) -> usize {
        let statements = self.keys.len() * statement_len(self);
        Dealer::<G>::opened_len(self.keys.len(), self.threshold, statements) + self.sealed_len()
    }

    /// Echo hash, and in a batch a bit for each key that is refused.
    fn vote_len(&self) -> usize {
        32 + if F::LENIENT { self.keys.len().div_ceil(8) } else { 0 }
    }
}

impl<G: Group, F: Flow> Protocol for Reshare<G, F> {
    const NAME: &'static str = F::NAME;
    const ID: u8 = F::ID;
    const ROUNDS: u8 = 4;
    const KEY_MAKING: bool = true;
    const LOG_FRAMES: bool = true;
    type Setup = ReshareSetup<G, F>;
    type LongTerm = Source<G>;
    type Input = ();
    type Held = ();
    type Output = F::Output<G>;

    fn sends(setup: &Self::Setup, round: u8, from: PartyId) -> Sends {
        let (dealer, alone) = (setup.is_dealer(from), setup.dealers.len() == 1);
        match round {
            1 => Sends::Broadcast,
            2 if dealer => Sends::Both,
            // so that a dealer without another dealer has something to wait for
            2 if alone => Sends::Broadcast,
            3 => Sends::Broadcast,
            4 if setup.is_new(from) => Sends::Broadcast,
            _ => Sends::Nothing,
        }
    }

    fn confirms(setup: &Self::Setup, party: PartyId) -> bool {
        setup.is_new(party)
    }

    fn needs_signatures(setup: &Self::Setup) -> bool {
        !setup.offline.is_empty()
    }

    fn max_body(setup: &Self::Setup, round: u8) -> usize {
        match round {
            1 => 32,
            2 => setup.opened_len(),
            3 => setup.vote_len(),
            _ => 0,
        }
    }

    fn fits(setup: &Self::Setup, source: &Source<G>, (): &()) -> Result<(), Agreed> {
        if source.of == setup.source() { Ok(()) } else { Err(Agreed::Sharing) }
    }

    fn start(setup: &Self::Setup, source: &Source<G>, _: (), run: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        let mut w = Writer::new();
        let position = setup.dealers.iter().position(|dealer| dealer.0 == setup.me);
        let weight = position.and_then(|i| setup.lambdas().get(i).copied());
        let dealer = weight.map(|weight| {
            let constant = |x: &SecretScalar<G>| SecretScalar::new(weight * *x.expose());
            let dealings = source.secrets.iter().map(|x| Dealing::of(constant(x), setup.threshold, rng)).collect();
            let statements = statements(setup).into_iter().flatten().flatten().collect();
            let dealer = Dealer::commit(COMMIT, &run.sid0(), setup.me, dealings, statements, rng);
            dealer.commitment.encode(&mut w);
            ReshareDealer(dealer)
        });
        (Self::Committed(dealer), vec![(To::All, w.finish())])
    }

    fn advance(
        self,
        setup: &Self::Setup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        match self {
            Self::Committed(own) => open(own, setup, run, inbox, rng),
            Self::Opened(own, commitments) => {
                let made = receive(own.as_ref(), &commitments, setup, run, inbox, rng)?;
                let vote = made.vote.clone();
                Ok(Next::Round(Self::Echoed(made), vec![(To::All, vote)]))
            }
            Self::Echoed(made) => confirm(made, setup, inbox),
        }
    }

    fn cancel(self) -> Option<()> {
        None
    }
}

impl<G: Group, F: Flow> Suspend for Reshare<G, F> {}

/// Round 2: the dealers open, prove, seal to whoever is offline, and send the shares, each with the chain code.
fn open<G: Group, F: Flow>(
    mut own: Option<ReshareDealer<G>>,
    setup: &ReshareSetup<G, F>,
    run: &Run,
    inbox: &Inbox,
    rng: &mut SeedRng,
) -> Result<Next<Reshare<G, F>>, Failed<()>> {
    let mut commitments = BTreeMap::new();
    for peer in setup.roster.peers() {
        let mut r = inbox.broadcast(peer);
        let mut read = || {
            if setup.is_dealer(peer) {
                commitments.insert(peer, Commitment::decode(&mut r)?);
            }
            r.finish()
        };
        read().map_err(|error: DecodeError| Failed::new(peer, error.into()))?;
    }
    let mut drafts = Vec::new();
    if let Some(ReshareDealer(dealer)) = &mut own {
        // keys and points that nothing can be sealed to were refused before
        let nobody = |_| Failed { culprit: None, fault: Fault::Forbidden, held: None, burned: Vec::new() };
        let sealed = setup.seal(&run.sid(), &dealer.dealings, rng).map_err(nobody)?;
        drafts.push((To::All, dealer.open(&run.sid(), setup.me, &sealed, rng)));
        for peer in setup.roster.peers() {
            let mut w = Writer::with_capacity(64 * setup.keys.len());
            if setup.is_new(peer) {
                let known = setup.keys.iter().filter_map(|key| key.known.as_ref());
                dealer.dealings.iter().zip(known).for_each(|(dealing, known)| {
                    w.bytes(dealing.share(&index::<G>(peer)).to_bytes().expose()).bytes(&known.chain_code);
                });
            }
            drafts.push((To::One(peer), w.finish()));
        }
    } else if setup.dealers.len() == 1 {
        drafts.push((To::All, Vec::new()));
    }
    Ok(Next::Round(Reshare::Opened(own, commitments), drafts))
}

/// Round 3: every dealing of every key is checked; the new shares are computed, and the echo goes out.
fn receive<G: Group, F: Flow>(
    own: Option<&ReshareDealer<G>>,
    commitments: &BTreeMap<PartyId, Commitment>,
    setup: &ReshareSetup<G, F>,
    run: &Run,
    inbox: &Inbox,
    rng: &mut SeedRng,
) -> Result<Made<G, F>, Failed<()>> {
    let read = |(dealer, commitment): (&PartyId, &Commitment)| {
        let dealt = Dealt::read(setup, run, *dealer, commitment, inbox.broadcast(*dealer));
        let with_private = dealt.and_then(|dealt| dealt.with_private(setup, inbox.private(*dealer)));
        with_private.map_err(|fault| Failed::new(*dealer, fault))
    };
    let dealt = commitments.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    for other in setup.roster.peers().filter(|peer| !setup.is_dealer(*peer)) {
        inbox.broadcast(other).finish().map_err(|error| Failed::new(other, error.into()))?;
    }
    let own = own.map(|own| &own.0);
    let keys = check_keys(setup, own, &dealt, rng)?;

    let peers = commitments.iter().map(|(id, com)| (*id, com.as_bytes().as_slice(), inbox.broadcast(*id).rest()));
    let mut broadcasts: Vec<_> = peers.collect();
    broadcasts.extend(own.map(|own| (setup.me, own.commitment.as_bytes().as_slice(), own.body.as_slice())));
    broadcasts.sort_unstable();
    let echo = echo_of(setup, run, &broadcasts);
    let package = (!setup.offline.is_empty()).then(|| Package::new(run, &broadcasts));
    let mut vote = echo.to_vec();
    if F::LENIENT {
        vote.extend(
            keys.chunks(8)
                .map(|keys| keys.iter().enumerate().fold(0u8, |byte, (bit, key)| byte | u8::from(key.is_err()) << bit)),
        );
    }
    Ok(Made { echo, keys, vote, package, of: PhantomData })
}

/// The echo hash over the broadcasts of rounds 1 and 2, by dealer. What the sids absorb is in front once more, in the clear: an
/// offline holder knows all of it but the nonces.
fn echo_of<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    run: &Run,
    broadcasts: &[(PartyId, &[u8], &[u8])],
) -> [u8; 32] {
    let (mut terms, mut members) = (Writer::new(), Writer::new());
    setup.terms().encode(&mut terms);
    setup.roster.encode_members(&mut members);
    let start = Transcript::new("reshare", "echo").part(F::NAME).part(terms.finish()).part(members.finish());
    let sid0 = |t: Transcript, dealer: &(PartyId, _)| t.part(run.sid0_of(dealer.0));
    let all = echo(&run.sid(), broadcasts.iter().copied());
    setup.dealers.iter().fold(start, sid0).part(all).finish()
}

/// The outcome of one key.
fn key_outcome(echo: &[u8; 32], k: usize) -> [u8; 32] {
    Transcript::new("reshare", "outcome").part(echo).number(u64::try_from(k).unwrap_or(u64::MAX)).finish()
}

/// The name of an imported key.
pub(crate) fn imported_key_id<G: Group>(public_key: &G::Point, outcome: &[u8; 32]) -> KeyId {
    KeyId::truncate(&Transcript::new("reshare", "key id").point::<G>(public_key).part(outcome).finish())
}

/// What all confirm; `refused` counts in a batch only.
fn confirmed_outcome<F: Flow>(echo: &[u8; 32], refused: &[bool]) -> [u8; 32] {
    if !F::LENIENT {
        return key_outcome(echo, 0);
    }
    let start = Transcript::new("reshare", "outcomes").part(echo);
    refused.iter().fold(start, |t, refused| t.number(u8::from(*refused))).finish()
}

/// Round 4: all echoes agree; a key that anybody refuses stays in its old epoch.
fn confirm<G: Group, F: Flow>(
    made: Made<G, F>,
    setup: &ReshareSetup<G, F>,
    inbox: &Inbox,
) -> Result<Next<Reshare<G, F>>, Failed<()>> {
    let mut refused_by: Vec<BTreeSet<PartyId>> = vec![BTreeSet::new(); setup.keys.len()];
    let mut count = |from: PartyId, votes: &[u8]| {
        for (k, by) in refused_by.iter_mut().enumerate() {
            if votes.get(k / 8).is_some_and(|byte| byte >> (k % 8) & 1 == 1) {
                by.insert(from);
            }
        }
    };
    for peer in setup.roster.peers() {
        let mut r = inbox.broadcast(peer);
        let mut read = || {
            same_view(&made.echo, r.array())?;
            let votes = r.bytes(setup.vote_len().saturating_sub(32))?;
            r.finish()?;
            // one encoding: no bits of keys that the run does not have
            let last = setup.keys.len() % 8;
            if last > 0 && votes.last().is_some_and(|byte| byte >> last != 0) {
                return Err(DecodeError::Value.into());
            }
            Ok(votes)
        };
        count(peer, read().map_err(|fault| Failed::new(peer, fault))?);
    }
    count(setup.me, made.vote.get(32..).unwrap_or_default());

    let refused: Vec<bool> = refused_by.iter().map(|by| !by.is_empty()).collect();
    let outcome = confirmed_outcome::<F>(&made.echo, &refused);
    let package = made.package.map(|package| if F::LENIENT { package.with_refused(refused) } else { package });
    let refused_by = refused_by.into_iter().map(|by| Some(by).filter(|by| !by.is_empty())).collect();
    let output = finish(setup, &made.echo, made.keys, refused_by, package).ok_or(Failed {
        culprit: None,
        fault: Fault::Inconsistent,
        held: None,
        burned: Vec::new(),
    })?;
    let encoded = output.encoded();
    let drafts = if setup.is_new(setup.me) { vec![(To::All, Vec::new())] } else { Vec::new() };
    Ok(Next::Prepared { output, encoded, outcome, drafts, held: () })
}
