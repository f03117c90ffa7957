//! Resharing: one protocol for refresh, recovery, add, revoke, threshold change, hand-over and import (docs/spec/sharing.md,
//! steps 11 to 16), for one key or for many.
//!
//! The dealers `S`, exactly `t` old members, each deal `lambda_i(S)*x_i` among the new committee. Nobody's old share is
//! touched: the caller retires it, after `Done` ([`crate::retire()`]).

mod flow;
mod setup;

pub use flow::{Batch, Flow, HandOver, Imported, Imports, Kept, Refreshes, Reshared, ResharedBatch};
pub use setup::{Import, Ready, ReshareSetup, Source, hand_over, hand_over_batch, import, refresh, refresh_batch};

use crate::dealing::{Dealer, Dealing, Opened, Proofs, Received, echo, evaluate_vartime, index, same_view, sum_of};
use crate::{Factors, KeyHealth, KeyShare, Marks, Member, Parts};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec,
    vec::Vec,
};
use core::marker::PhantomData;
use setup::{Key, Known};
use symbolon_core::{
    Group, KeyId, PartyId, SecretScalar, SeedRng, SharingId, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_proofs::{Commitment, FeldmanVector};
use symbolon_session::{Agreed, Draft, Failed, Fault, Inbox, Next, Protocol, Run, Sends, Storable, Suspend, To};

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
    of: PhantomData<fn() -> F>,
}

/// A key of the new epoch before it has a sharing id.
struct NewKey<G: Group> {
    /// Empty and without a share at a dealer that leaves.
    members: Vec<Member<G>>,
    x: Option<SecretScalar<G>>,
    chain_code: [u8; 32],
    marks: Marks,
}

/// Why a key is refused: who is to blame, if the evidence tells.
#[derive(Clone, Copy)]
struct Refused(Option<PartyId>, Fault);

impl From<Refused> for Failed<()> {
    fn from(Refused(culprit, fault): Refused) -> Self {
        Self { culprit, fault, held: None, burned: Vec::new() }
    }
}

/// `X_i` of the dealers, marks, and a hash of the chain code, for each key: what all dealers must state alike.
fn statement_len<G: Group, F: Flow>(setup: &ReshareSetup<G, F>) -> usize {
    setup.dealers.len() * G::POINT_LEN + 1 + 32
}

fn chain_digest(chain_code: &[u8; 32]) -> [u8; 32] {
    Transcript::new("reshare", "chain code").part(chain_code).finish()
}

/// The statement about each key whose old sharing is known, with one inversion.
fn statements<G: Group, F: Flow>(setup: &ReshareSetup<G, F>) -> Vec<Option<Vec<u8>>> {
    let known = || setup.keys.iter().filter_map(|key| key.known.as_ref());
    let points: Vec<_> = known().flat_map(|known| &known.points).copied().collect();
    let bytes = G::points_to_bytes(&points);
    let mut points = bytes.chunks_exact(setup.dealers.len());
    let mut statement = |known: &Known<G>| {
        let mut w = Writer::with_capacity(statement_len(setup));
        points.next().unwrap_or_default().iter().for_each(|point| {
            w.bytes(point.as_ref());
        });
        w.u8(known.marks.to_byte()).bytes(&chain_digest(&known.chain_code));
        w.finish()
    };
    setup.keys.iter().map(|key| key.known.as_ref().map(&mut statement)).collect()
}

impl<G: Group, F: Flow> ReshareSetup<G, F> {
    fn opened_len(&self) -> usize {
        Dealer::<G>::opened_len(self.keys.len(), self.threshold, self.keys.len() * statement_len(self))
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

    fn max_body(setup: &Self::Setup, round: u8) -> usize {
        match round {
            1 => 32,
            2 => setup.opened_len(),
            3 => setup.vote_len(),
            _ => 0,
        }
    }

    fn start(setup: &Self::Setup, source: &Source<G>, _: (), run: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        let mut w = Writer::new();
        let position = setup.dealers.iter().position(|dealer| dealer.0 == setup.me);
        let weight = position.and_then(|i| setup.lambdas().get(i).copied());
        let dealer = weight.map(|weight| {
            let constant = |x: &SecretScalar<G>| SecretScalar::new(weight * *x.expose());
            let dealings = source.0.iter().map(|x| Dealing::of(constant(x), setup.threshold, rng)).collect();
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

/// Round 2: the dealers open, prove, and send the shares, each with the chain code.
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
        drafts.push((To::All, dealer.open(&run.sid(), setup.me, rng)));
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

/// A dealer's round 2.
struct Dealt<'f, G: Group> {
    opened: Opened<'f, G>,
    /// Share and chain code of each key; empty at a member that leaves.
    private: Vec<(SecretScalar<G>, [u8; 32])>,
}

impl<'f, G: Group> Dealt<'f, G> {
    fn read<F: Flow>(
        setup: &ReshareSetup<G, F>,
        run: &Run,
        dealer: PartyId,
        commitment: &Commitment,
        inbox: &'f Inbox,
    ) -> Result<Self, Fault> {
        let (keys, sids) = (setup.keys.len(), (&run.sid(), &run.sid0_of(dealer)));
        let shape = (keys, setup.threshold, keys * statement_len(setup));
        let opened = Opened::read(COMMIT, sids, dealer, commitment, shape, inbox.broadcast(dealer))?;
        let wanted = if setup.is_new(setup.me) { keys } else { 0 };
        // with room for all, so that it does not grow and leave copies behind
        let mut private = Vec::with_capacity(wanted);
        inbox.private(dealer).whole(|r| {
            for _ in 0..wanted {
                private.push((SecretScalar::new(r.scalar::<G>()?), r.array()?));
            }
            Ok::<_, DecodeError>(())
        })?;
        Ok(Self { opened, private })
    }

    const fn dealer(&self) -> PartyId {
        self.opened.dealer
    }

    fn statement(&self, key: usize, len: usize) -> &'f [u8] {
        self.opened.extra.chunks_exact(len).nth(key).unwrap_or_default()
    }
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
        Dealt::read(setup, run, *dealer, commitment, inbox).map_err(|fault| Failed::new(*dealer, fault))
    };
    let dealt = commitments.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    for other in setup.roster.peers().filter(|peer| !setup.is_dealer(*peer)) {
        inbox.broadcast(other).finish().map_err(|error| Failed::new(other, error.into()))?;
    }
    let mut known: Vec<Result<Known<G>, Refused>> =
        statements(setup).iter().zip(&setup.keys).enumerate().map(|(k, of)| agreed_old(setup, k, of, &dealt)).collect();
    verify(setup, &mut known, &dealt, rng)?;
    if let Some(Err(refused)) = known.iter().find(|known| known.is_err() && !F::LENIENT) {
        return Err((*refused).into());
    }

    let own = own.map(|own| &own.0);
    let keys: Vec<_> = known
        .into_iter()
        .enumerate()
        .map(|(k, known)| known.and_then(|known| new_key(setup, k, known, own, &dealt)))
        .collect();
    if let Some(Err(refused)) = keys.iter().find(|key| key.is_err() && !F::LENIENT) {
        return Err((*refused).into());
    }

    let peers = commitments.iter().map(|(id, com)| (*id, com.as_bytes().as_slice(), inbox.broadcast(*id).rest()));
    let mut broadcasts: Vec<_> = peers.collect();
    broadcasts.extend(own.map(|own| (setup.me, own.commitment.as_bytes().as_slice(), own.body.as_slice())));
    broadcasts.sort_unstable();
    let echo = echo(&run.sid(), broadcasts.into_iter());
    let mut vote = echo.to_vec();
    if F::LENIENT {
        vote.extend(
            keys.chunks(8)
                .map(|keys| keys.iter().enumerate().fold(0u8, |byte, (bit, key)| byte | u8::from(key.is_err()) << bit)),
        );
    }
    Ok(Made { echo, keys, vote, of: PhantomData })
}

/// The old public data: what a holder knows, compared with what every dealer states; a newcomer's, if all state the same.
fn agreed_old<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    k: usize,
    (truth, key): (&Option<Vec<u8>>, &Key<G>),
    dealt: &[Dealt<'_, G>],
) -> Result<Known<G>, Refused> {
    let len = statement_len(setup);
    let lies = |dealt: &&Dealt<'_, G>| truth.as_deref().is_some_and(|truth| dealt.statement(k, len) != truth);
    if let Some(liar) = dealt.iter().find(lies) {
        return Err(Refused(Some(liar.dealer()), Fault::Inconsistent));
    }
    let Some(first) = dealt.first() else {
        // the only dealer of an import
        return key.known.clone().ok_or(Refused(None, Fault::Inconsistent));
    };
    let stated = first.statement(k, len);
    if dealt.iter().any(|dealt| dealt.statement(k, len) != stated) {
        return Err(Refused(None, Fault::Mismatch(Agreed::Sharing)));
    }
    // chain codes as stated
    for dealt in dealt {
        if let Some((_, chain_code)) = dealt.private.get(k)
            && !stated.ends_with(&chain_digest(chain_code))
        {
            return Err(Refused(Some(dealt.dealer()), Fault::Inconsistent));
        }
    }
    if let Some(known) = &key.known {
        return Ok(known.clone());
    }
    let read = |r: &mut Reader<'_>| -> Result<_, DecodeError> {
        let points = setup.dealers.iter().map(|_| r.point::<G>()).collect::<Result<Vec<_>, _>>()?;
        Ok((points, Marks::from_byte(r.u8()?)?))
    };
    let (points, marks) =
        read(&mut Reader::new(stated)).map_err(|error| Refused(Some(first.dealer()), error.into()))?;
    let terms: Vec<_> = points.iter().copied().zip(setup.lambdas()).collect();
    if G::lincomb_vartime(&terms) != key.public_key {
        return Err(Refused(None, Fault::PublicKeySum));
    }
    let chain_code = first.private.get(k).map_or([0; 32], |(_, chain_code)| *chain_code);
    Ok(Known { points, chain_code, marks })
}

/// Proofs, constant terms and shares of all keys in one combination. If it fails, a bad proof ends the run, and the keys
/// that fail are marked.
fn verify<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    known: &mut [Result<Known<G>, Refused>],
    dealt: &[Dealt<'_, G>],
    rng: &mut SeedRng,
) -> Result<(), Failed<()>> {
    let proofs = Proofs::of(dealt.iter().map(|dealt| &dealt.opened), rng);
    let inverses: Vec<_> = setup.lambdas().iter().map(G::invert).collect();
    let mut items = Vec::with_capacity(known.len() * dealt.len());
    let mut of = Vec::with_capacity(items.capacity());
    for (k, known) in known.iter().enumerate() {
        // a key that is refused already still counts in its dealers' proofs
        let known = known.as_ref().ok();
        for (dealt, proven) in dealt.iter().zip(&proofs.proven) {
            let position = setup.dealers.iter().position(|dealer| dealer.0 == dealt.dealer());
            let fixed = |i: usize| Some((known?.points.get(i).copied()?, inverses.get(i).copied()?));
            let constant = position.and_then(fixed);
            let share = dealt.private.get(k).map(|(share, _)| share).filter(|_| known.is_some());
            let (Some(vector), Some(proven)) = (dealt.opened.vectors.get(k), proven.get(k)) else { continue };
            items.push(Received { vector, constant, share, proven: *proven });
            of.push((k, dealt.dealer()));
        }
    }
    if Received::verify_all(&items, proofs, setup.me, rng) {
        return Ok(());
    }
    for dealt in dealt {
        dealt.opened.verify_proof().map_err(|fault| Failed::new(dealt.dealer(), fault))?;
    }
    let failed: Vec<_> = of
        .iter()
        .zip(&items)
        .filter_map(|((k, dealer), item)| Some((*k, Refused(Some(*dealer), item.verify(setup.me).err()?))))
        .collect();
    for (k, refused) in failed {
        if let Some(known) = known.get_mut(k).filter(|known| known.is_ok()) {
            *known = Err(refused);
        }
    }
    Ok(())
}

/// `x'_j = sum f_i(j)` and all `X'_j`. Every dealing was checked, so that the public shares lie on one polynomial through the
/// sum of the constant terms.
fn new_key<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    k: usize,
    known: Known<G>,
    own: Option<&Dealer<G>>,
    dealt: &[Dealt<'_, G>],
) -> Result<NewKey<G>, Refused> {
    let key = setup.keys.get(k).ok_or(Refused(None, Fault::Inconsistent))?;
    let mut marks = known.marks;
    marks.factor_kept |= key.factors == Factors::Kept;
    marks.imported |= F::IMPORT;
    let mut new = NewKey { members: Vec::new(), x: None, chain_code: known.chain_code, marks };
    let own = own.and_then(|own| own.dealings.get(k));
    let vectors = dealt.iter().filter_map(|dealt| dealt.opened.vectors.get(k));
    let vectors: Vec<&FeldmanVector<G>> = vectors.chain(own.map(Dealing::commitments)).collect();
    let sum = sum_of(&vectors, setup.threshold);
    if sum.first() != Some(&key.public_key) {
        return Err(Refused(None, Fault::PublicKeySum));
    }
    if setup.is_new(setup.me) {
        let own_share = own.map(|dealing| dealing.share(&index::<G>(setup.me)));
        let shares = dealt.iter().filter_map(|dealt| dealt.private.get(k)).map(|(share, _)| share).chain(&own_share);
        new.x = Some(SecretScalar::new(shares.map(|share| *share.expose()).sum()));
        let public_share = |id: PartyId| evaluate_vartime::<G>(&sum, id);
        let member = |(id, identity): &_| Member { id: *id, identity: *identity, public_share: public_share(*id) };
        new.members = setup.new.iter().map(member).collect();
    }
    // attacks.md rows 32, 40: the threshold is not lower, no share is zero
    let degenerate = sum.last().is_none_or(G::is_identity);
    if degenerate || new.members.iter().any(|member| G::is_identity(&member.public_share)) {
        return Err(Refused(None, Fault::Forbidden));
    }
    Ok(new)
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
            Ok(votes)
        };
        count(peer, read().map_err(|fault| Failed::new(peer, fault))?);
    }
    count(setup.me, made.vote.get(32..).unwrap_or_default());

    let outcome_of = |k: usize| {
        let t = Transcript::new("reshare", "outcome").part(made.echo);
        t.number(u64::try_from(k).unwrap_or(u64::MAX)).finish()
    };
    let refused: Vec<bool> = refused_by.iter().map(|by| !by.is_empty()).collect();
    let mut outcome = Transcript::new("reshare", "outcomes").part(made.echo);
    for refused in &refused {
        outcome = outcome.number(u8::from(*refused));
    }
    let outcome = if F::LENIENT { outcome.finish() } else { outcome_of(0) };
    let mut done = Vec::new();
    let mut kept = Vec::new();
    for ((k, key), (new, by)) in setup.keys.iter().enumerate().zip(made.keys.into_iter().zip(refused_by)) {
        match new {
            Ok(new) if by.is_empty() => done.push(reshared(setup, key, new, outcome_of(k))),
            refusal => {
                let culprit = refusal.err().and_then(|refused| refused.0);
                kept.extend(key.old.map(|(key_id, ..)| Kept { key_id, refused_by: by, culprit }));
            }
        }
    }
    let output = F::output(ResharedBatch { done, kept }).ok_or(Failed {
        culprit: None,
        fault: Fault::Inconsistent,
        held: None,
        burned: Vec::new(),
    })?;
    let encoded = output.to_secret_bytes();
    let drafts = if setup.is_new(setup.me) { vec![(To::All, Vec::new())] } else { Vec::new() };
    Ok(Next::Prepared { output, encoded, outcome, drafts, held: () })
}

fn reshared<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    key: &Key<G>,
    new: NewKey<G>,
    outcome: [u8; 32],
) -> Reshared<G> {
    let imported = || Transcript::new("reshare", "key id").point::<G>(&key.public_key).part(outcome).finish();
    let key_id = key.old.map_or_else(|| KeyId::truncate(&imported()), |(key_id, ..)| key_id);
    let sharing_id = SharingId::truncate(&outcome);
    let old_holders: BTreeSet<PartyId> = setup.old.iter().map(|holder| holder.0).collect();
    let health = KeyHealth {
        key_id,
        sharing_id,
        epoch: key.new_epoch,
        outcome,
        members: setup.new.iter().map(|holder| holder.0).collect(),
        unconfirmed: BTreeSet::new(),
        old_threshold: setup.old_threshold,
        old_shares: old_holders.clone(),
        stale_backups: old_holders,
        marks: new.marks,
    };
    let NewKey { members, x, chain_code, marks } = new;
    let share = x.map(|x| {
        KeyShare::from_checked(Parts {
            scheme: key.scheme,
            key_id,
            sharing_id,
            epoch: key.new_epoch,
            members,
            threshold: setup.threshold,
            me: setup.me,
            x,
            public_key: key.public_key,
            chain_code,
            marks,
        })
    });
    Reshared { share, health }
}
