//! Distributed key generation, t of n (docs/spec/sharing.md, steps 6 to 10): Pedersen/Feldman with commitments first, an
//! echo of all broadcasts, and the three-step ending of safety.md S2. Any number of corrupted members short of all.

use crate::dealing::{Dealer, Dealing, Opened, Proofs, Received, echo, evaluate_vartime, index, same_view, sum_of};
use crate::{KeyShare, Marks, Member, Parts, Scheme};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::marker::PhantomData;
use rand_core::Rng;
use symbolon_core::{
    Group, KeyId, PartyId, Secp256k1, SecretScalar, SeedRng, SharingId, Sid, Threshold, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_proofs::Commitment;
use symbolon_session::{
    Draft, Failed, Fault, Identity, Inbox, Next, Protocol, Roster, Run, Sends, Setup, Storable, Suspend, Terms, To,
};

const COMMIT: &str = "dkg dealing";
/// A member's part of the chain code.
const CHAIN_LEN: usize = 32;

/// Who makes the key, and what for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DkgSetup<G: Group> {
    roster: Roster,
    threshold: Threshold,
    scheme: Scheme,
    of: PhantomData<G>,
}

/// Parameters that no key can have. Found before any message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DkgError {
    /// More shares would be needed than there are members.
    #[error("the threshold is larger than the number of members")]
    Threshold,
    /// ECDSA keys are secp256k1 keys.
    #[error("this curve does not have this signature scheme")]
    Scheme,
}

impl<G: Group> DkgSetup<G> {
    /// All members of `roster` hold a share; `threshold` of them are needed.
    ///
    /// # Errors
    /// [`DkgError`].
    pub fn new(roster: Roster, threshold: Threshold, scheme: Scheme) -> Result<Self, DkgError> {
        if usize::from(threshold.get()) > roster.members().len() {
            return Err(DkgError::Threshold);
        }
        if scheme == Scheme::Ecdsa && G::ID != Secp256k1::ID {
            return Err(DkgError::Scheme);
        }
        Ok(Self { roster, threshold, scheme, of: PhantomData })
    }

    fn opened_len(&self) -> usize {
        Dealer::<G>::opened_len(1, self.threshold, CHAIN_LEN)
    }
}

impl<G: Group> Setup for DkgSetup<G> {
    fn roster(&self) -> Roster {
        self.roster.clone()
    }

    fn terms(&self) -> Terms {
        Terms {
            curve: G::ID,
            scheme: self.scheme.name(),
            threshold: Some(self.threshold),
            epoch: Some(0),
            ..Terms::default()
        }
    }
}

impl<G: Group> Storable for DkgSetup<G> {
    fn encode(&self, w: &mut Writer) {
        w.u8(G::ID).u8(self.scheme.byte()).u16(self.threshold.get());
        self.roster.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if r.u8()? != G::ID {
            return Err(DecodeError::Unsupported);
        }
        let (scheme, threshold) = (Scheme::from_byte(r.u8()?)?, r.u16()?);
        let roster = Roster::decode(r)?;
        let threshold = Threshold::new(threshold, roster.members().len()).map_err(|_| DecodeError::Value)?;
        Self::new(roster, threshold, scheme).map_err(|_| DecodeError::Value)
    }

    fn max_len(&self) -> usize {
        16 + 35 * self.roster.members().len()
    }
}

/// A run of key generation.
#[allow(clippy::exhaustive_enums, reason = "one variant per round")]
pub enum Dkg<G: Group> {
    /// Committed to a dealing and to a part of the chain code.
    Committed(DkgDealer<G>),
    /// Opened; has the commitments of the others.
    Opened(DkgDealer<G>, BTreeMap<PartyId, Commitment>),
    /// Has a share and the hash of all broadcasts.
    Echoed(KeyShare<G>, [u8; 32]),
}

/// The own dealing of a run.
pub struct DkgDealer<G: Group>(Dealer<G>);

impl<G: Group> Protocol for Dkg<G> {
    const NAME: &'static str = "dkg";
    const ID: u8 = 16;
    const ROUNDS: u8 = 4;
    const KEY_MAKING: bool = true;
    const LOG_FRAMES: bool = true;
    type Setup = DkgSetup<G>;
    type LongTerm = ();
    type Input = ();
    type Held = ();
    type Output = KeyShare<G>;

    fn sends(_: &DkgSetup<G>, round: u8, _: PartyId) -> Sends {
        if round == 2 { Sends::Both } else { Sends::Broadcast }
    }

    fn max_body(setup: &DkgSetup<G>, round: u8) -> usize {
        match round {
            1 | 3 => 32,
            2 => setup.opened_len(),
            _ => 0,
        }
    }

    fn start(setup: &DkgSetup<G>, _: &(), _: (), run: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        let mut chain = vec![0; CHAIN_LEN];
        rng.fill_bytes(&mut chain);
        let dealings = vec![Dealing::random(setup.threshold, rng)];
        let dealer = Dealer::commit(COMMIT, &run.sid0(), setup.roster.me(), dealings, chain, rng);
        let mut w = Writer::new();
        dealer.commitment.encode(&mut w);
        (Self::Committed(DkgDealer(dealer)), vec![(To::All, w.finish())])
    }

    fn advance(
        self,
        setup: &DkgSetup<G>,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        match self {
            Self::Committed(own) => open(own, setup, run, inbox, rng),
            Self::Opened(own, commitments) => receive(&own.0, &commitments, setup, run, inbox, rng),
            Self::Echoed(share, echo) => confirm(share, &echo, setup, inbox),
        }
    }

    fn cancel(self) -> Option<()> {
        None
    }
}

impl<G: Group> Suspend for Dkg<G> {}

/// Round 2: everybody is committed; open, prove, and send the shares.
fn open<G: Group>(
    mut own: DkgDealer<G>,
    setup: &DkgSetup<G>,
    run: &Run,
    inbox: &Inbox,
    rng: &mut SeedRng,
) -> Result<Next<Dkg<G>>, Failed<()>> {
    let commitment = |peer: PartyId| {
        let read = inbox.broadcast(peer).whole(Commitment::decode);
        read.map(|commitment| (peer, commitment)).map_err(|error: DecodeError| Failed::new(peer, error.into()))
    };
    let commitments = setup.roster.peers().map(commitment).collect::<Result<BTreeMap<_, _>, _>>()?;
    let opened = own.0.open(&run.sid(), setup.roster.me(), &[], rng);
    let mut drafts = vec![(To::All, opened)];
    drafts.extend(setup.roster.peers().map(|peer| {
        let mut w = Writer::with_capacity(32);
        own.0.dealings.iter().for_each(|dealing| {
            w.bytes(dealing.share(&index::<G>(peer)).to_bytes().expose());
        });
        (To::One(peer), w.finish())
    }));
    Ok(Next::Round(Dkg::Opened(own, commitments), drafts))
}

/// Round 3: every dealing is checked, the share and all public shares are computed, and the echo goes out.
fn receive<G: Group>(
    own: &Dealer<G>,
    commitments: &BTreeMap<PartyId, Commitment>,
    setup: &DkgSetup<G>,
    run: &Run,
    inbox: &Inbox,
    rng: &mut SeedRng,
) -> Result<Next<Dkg<G>>, Failed<()>> {
    let (sid, me) = (run.sid(), setup.roster.me());
    let read = |(dealer, commitment): (&PartyId, &Commitment)| {
        let sids = (&sid, &run.sid0_of(*dealer));
        let shape = (1, setup.threshold, CHAIN_LEN, 0);
        let opened = Opened::<G>::read(COMMIT, sids, *dealer, commitment, shape, inbox.broadcast(*dealer));
        let share = inbox.private(*dealer).whole(Reader::scalar::<G>).map(SecretScalar::<G>::new);
        let both = opened.and_then(|opened| Ok((opened, share?)));
        both.map_err(|fault| Failed::new(*dealer, fault))
    };
    // with room for all: growing would cost a wiped copy
    let mut dealt = Vec::with_capacity(commitments.len());
    for commitment in commitments {
        dealt.push(read(commitment)?);
    }
    verify(&dealt, me, rng)?;

    let mut broadcasts: Vec<_> = dealt
        .iter()
        .zip(commitments)
        .map(|((opened, _), (id, commitment))| {
            (*id, commitment.as_bytes().as_slice(), inbox.broadcast(*id).rest(), opened.extra)
        })
        .collect();
    broadcasts.push((me, own.commitment.as_bytes(), &own.body, &own.extra));
    broadcasts.sort_unstable();
    let echo = echo(&sid, broadcasts.iter().map(|(id, first, second, _)| (*id, *first, *second)));
    let chain = broadcasts.iter().fold(Transcript::new("dkg", "chain").part(sid), |t, (.., chain)| t.part(chain));
    let chain_code = chain.finish();

    // F = sum of all polynomials in the exponent; x_me = sum f_i(me)
    let vectors = dealt.iter().filter_map(|(opened, _)| opened.vectors.first());
    let own_dealing = own.dealings.first();
    let vectors: Vec<_> = vectors.chain(own_dealing.map(Dealing::commitments)).collect();
    let sum = sum_of(&vectors, setup.threshold);
    let own_share = own_dealing.map(|dealing| dealing.share(&index::<G>(me)));
    let shares = dealt.iter().map(|(_, share)| share).chain(&own_share);
    let x = SecretScalar::<G>::new(shares.map(|share| *share.expose()).sum());
    let share = made(setup, &run.sid(), &echo, chain_code, &sum, x)?;
    Ok(Next::Round(Dkg::Echoed(share, echo), vec![(To::All, echo.to_vec())]))
}

/// Every proof and every share; the culprit is found if one fails.
fn verify<G: Group>(
    dealt: &[(Opened<'_, G>, SecretScalar<G>)],
    me: PartyId,
    rng: &mut SeedRng,
) -> Result<(), Failed<()>> {
    let proofs = Proofs::of(dealt.iter().map(|(opened, _)| opened), rng);
    let received = dealt.iter().zip(&proofs.proven).flat_map(|((opened, share), proven)| {
        let item = |(vector, proven)| Received { vector, constant: None, share: Some(share), proven };
        opened.vectors.iter().zip(proven.iter().copied()).map(item)
    });
    let items: Vec<_> = received.collect();
    if Received::verify_all(&items, proofs, me, rng) {
        return Ok(());
    }
    // one item for each dealer
    dealt.iter().zip(&items).try_for_each(|((opened, _), item)| {
        opened.verify_proof().and_then(|()| item.verify(me)).map_err(|fault| Failed::new(opened.dealer, fault))
    })
}

/// The key share. All public shares lie on one polynomial, and `x*G` is one of them, because every dealing was checked;
/// what is left is that the sums are not degenerate.
fn made<G: Group>(
    setup: &DkgSetup<G>,
    sid: &Sid,
    echo: &[u8; 32],
    chain_code: [u8; 32],
    sum: &[G::Point],
    x: SecretScalar<G>,
) -> Result<KeyShare<G>, Failed<()>> {
    let degenerate = || Failed { culprit: None, fault: Fault::Forbidden, held: None, burned: Vec::new() };
    let public_key = *sum.first().ok_or_else(degenerate)?;
    let member = |(id, identity): &(PartyId, Identity)| Member {
        id: *id,
        identity: *identity,
        public_share: evaluate_vartime::<G>(sum, *id),
    };
    let members: Vec<_> = setup.roster.members().iter().map(member).collect();
    let forbidden = |point: &G::Point| G::is_identity(point);
    // attacks.md rows 32, 34, 40: P, the leading coefficient, a public share
    if forbidden(&public_key) || sum.last().is_none_or(forbidden) || members.iter().any(|m| forbidden(&m.public_share))
    {
        return Err(degenerate());
    }
    let key_id = Transcript::new("dkg", "key id").point::<G>(&public_key).part(sid).finish();
    Ok(KeyShare::from_checked(Parts {
        scheme: setup.scheme,
        key_id: KeyId::truncate(&key_id),
        sharing_id: SharingId::truncate(&outcome(echo)),
        epoch: 0,
        members,
        threshold: setup.threshold,
        me: setup.roster.me(),
        x,
        public_key,
        chain_code,
        marks: Marks::default(),
    }))
}

/// What all confirm. The echo hash has everything that is public about the new key: nonces, parameters, all commitments and
/// all parts of the chain code.
fn outcome(echo: &[u8; 32]) -> [u8; 32] {
    Transcript::new("dkg", "outcome").part(echo).finish()
}

/// Round 4: all echoes agree.
fn confirm<G: Group>(
    share: KeyShare<G>,
    echo: &[u8; 32],
    setup: &DkgSetup<G>,
    inbox: &Inbox,
) -> Result<Next<Dkg<G>>, Failed<()>> {
    for peer in setup.roster.peers() {
        same_view(echo, inbox.broadcast(peer).whole(Reader::array)).map_err(|fault| Failed::new(peer, fault))?;
    }
    let encoded = share.encoded();
    Ok(Next::Prepared { output: share, encoded, outcome: outcome(echo), drafts: vec![(To::All, Vec::new())], held: () })
}
