//! Runs with liars, and how the honest signers end. Every run is checked for what holds whatever the lie: nobody names an
//! honest party, a burn destroys the setup with the named party and no other, the other setups come back, and a
//! signature is one that verifies.

use crate::world::*;
use std::collections::BTreeMap;
use symbolon_core::{Group, PartyId, Secp256k1, SetupId};
use symbolon_ecdsa::{
    QuorumFull, QuorumItem, QuorumOnline, QuorumPreprocess, QuorumPreprocessSetup, QuorumRequest, Setups, Signature,
    derive,
};
use symbolon_session::{Class, Error, Fault, Header, Outgoing, Protocol, To};
use symbolon_testkit::{
    Crowd, Ear, Hearing, Lie, Lying, Telling,
    crowd::{Ended, Started, body_of},
};

pub(crate) type Point = <Secp256k1 as Group>::Point;

/// The seed of every run of these tests: the honest signers say the same in each.
pub(crate) const SEED: u64 = 20;
/// The seed of the items.
pub(crate) const ITEMS: u64 = 21;

/// One message of a liar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Slot {
    /// Round 1: setup id and extension.
    Extend(u16),
    /// Round 2: the multiplications.
    Multiply(u16),
    /// Round 2: the commitments, to all.
    Commit,
    /// Round 3: the echo, to all, which begins the body of a run from scratch and is all of it in a run for the bank.
    Echo,
    /// Round 3: `R_i`, opening, `pk_i`, to all; behind the echo.
    Open,
    /// Round 3: `gamma_k, gamma_x, psi, Gamma_k, Gamma_x`.
    Give(u16),
    /// Round 4: `u, w`, view hash, to all.
    Release,
}

/// Bytes of the echo.
pub(crate) const ECHO: usize = 32;

/// Which message this is, of a run that begins with round 3 if `banked`.
fn slot(banked: bool, signers: usize, telling: &Telling<'_>) -> Slot {
    let peers = signers - 1;
    let message = telling.message + if banked { 2 * peers + 1 } else { 0 };
    match telling.to {
        To::All if message == 2 * peers + 1 => Slot::Commit,
        To::All if message == 2 * peers + 2 => Slot::Open,
        To::All => Slot::Release,
        To::One(to) if message <= peers => Slot::Extend(to.get()),
        To::One(to) if message <= 2 * peers => Slot::Multiply(to.get()),
        To::One(to) => Slot::Give(to.get()),
    }
}

/// Told where it is.
pub(crate) type Change = Box<dyn FnMut(Slot, &mut Telling<'_>)>;

/// Changes one message.
pub(crate) fn at(slot: Slot, change: impl Fn(&mut Vec<u8>) + 'static) -> Change {
    Box::new(move |now, telling| {
        if now == slot {
            change(telling.body);
        }
    })
}

/// A liar, and how its honest half is kept from noticing.
pub(crate) type LiarOf<P> = Started<Lying<Hearing<P>>>;

pub(crate) fn no_ear() -> Ear {
    Box::new(|_, _, _, _, _| ())
}

pub(crate) fn no_lie() -> Change {
    Box::new(|_, _| ())
}

/// Who lies, and how.
pub(crate) struct Liar {
    pub(crate) id: u16,
    pub(crate) lie: Change,
    pub(crate) ear: Ear,
    /// What only the others of this list are told.
    pub(crate) second: Option<(Change, Vec<u16>)>,
}

/// One session, one lie.
pub(crate) fn liar(id: u16, lie: Change) -> Vec<Liar> {
    vec![Liar { id, lie, ear: no_ear(), second: None }]
}

/// How an honest signer ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Signed(Signature),
    /// So many items.
    Items(usize),
    /// Fault, whom it names, what it burned, the peers whose setups came back.
    Failed(Fault, Option<u16>, Vec<SetupId>, Option<Vec<u16>>),
    /// The peers whose setups came back when it was cancelled.
    Waiting(Option<Vec<u16>>),
}

pub(crate) type Ends = BTreeMap<u16, End>;

/// The peers in what moves out.
pub(crate) trait Held {
    fn peers(&self) -> Vec<u16>;
}

impl Held for Setups {
    fn peers(&self) -> Vec<u16> {
        for (peer, setup) in self {
            assert_eq!(setup.pair().peer(), *peer, "filed under its peer");
        }
        self.keys().map(|peer| peer.get()).collect()
    }
}

impl Held for () {
    fn peers(&self) -> Vec<u16> {
        Vec::new()
    }
}

pub(crate) trait Output {
    fn end(self) -> End;
}

impl Output for Signature {
    fn end(self) -> End {
        let share = &shares(3, 0)[&id(1)];
        let child = derive(share.public_key(), share.chain_code(), &path()).unwrap();
        self.verify(&child.public_key, &payload().digest()).unwrap();
        End::Signed(self)
    }
}

impl Output for Vec<QuorumItem> {
    fn end(self) -> End {
        End::Items(self.len())
    }
}

/// Runs it, and checks what always holds. `liars` of the crowd are left out.
pub(crate) fn ends<P>(crowd: Crowd<P>, liars: &[u16]) -> Ends
where
    P: Protocol<Held: Held, Output: Output> + 'static,
{
    let crowd = crowd.run();
    let honest = |id: &PartyId| !liars.contains(&id.get());
    let mut ends = Ends::new();
    for (me, end) in crowd.ends {
        let peers = |held: Option<P::Held>| held.map(|held| held.peers());
        let end = match end {
            Ended::Done(output, _) => output.end(),
            Ended::Waiting => End::Waiting(crowd.cancelled.get(&me).map(Held::peers)),
            Ended::Failed(error) => {
                let (fault, culprit, burned) = (error.fault().unwrap(), error.culprit(), error.burned().to_vec());
                if honest(&me) {
                    assert!(culprit.is_none_or(|id| !honest(&id)), "{me} names {culprit:?}: {fault}");
                }
                assert_eq!(fault.class() == Class::Burn, matches!(error, Error::Burned(_)));
                let burns = culprit.filter(|_| fault.class() == Class::Burn);
                let only = burns.map(|peer| pair_setup(Batch::Usual, me, peer).id());
                assert!(burned.iter().eq(only.iter()), "{fault} burns {burned:?}");
                End::Failed(fault, culprit.map(PartyId::get), burned, peers(error.into_held()))
            }
        };
        if honest(&me) {
            ends.insert(me.get(), end);
        }
    }
    ends
}

/// Whether the run holds pair setups, or items from a bank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Full,
    Online,
}

pub(crate) const MODES: [Mode; 2] = [Mode::Full, Mode::Online];

fn lie(banked: bool, signers: usize, mut change: Change) -> Lie {
    Box::new(move |telling| {
        let slot = slot(banked, signers, telling);
        if banked || slot != Slot::Open {
            return change(slot, telling);
        }
        let (mut echo, mut rest) = (telling.body[..ECHO].to_vec(), telling.body[ECHO..].to_vec());
        for (slot, body) in [(Slot::Echo, &mut echo), (Slot::Open, &mut rest)] {
            // in a run for the bank there is no more than the echo
            if slot == Slot::Echo || telling.body.len() > ECHO {
                let Telling { message, to, run, heard, .. } = *telling;
                change(slot, &mut Telling { message, to, run, heard, body, outcome: None });
            }
        }
        *telling.body = [echo, rest].concat();
    })
}

pub(crate) fn full_liar(
    share: &Share,
    signers: &[PartyId],
    seed: u64,
    (change, ear): (Change, Ear),
) -> LiarOf<QuorumFull> {
    let mut setups = setups(share.me(), signers);
    let (setup, secret) = QuorumRequest::from_scratch(share, signers, &mut setups, payload(), path()).unwrap();
    start(share.me(), setup, &secret, ((setups, ear), lie(false, signers.len(), change)), seed)
}

pub(crate) fn online_liar(share: &Share, item: QuorumItem, seed: u64, change: Change) -> LiarOf<QuorumOnline> {
    let (setup, secret) = QuorumRequest::from_bank(share, &item, payload(), path()).unwrap();
    let signers = item.roster().members().len();
    start(share.me(), setup, &secret, ((item, no_ear()), lie(true, signers, change)), seed)
}

pub(crate) fn preprocess_liar(me: PartyId, signers: &[PartyId], change: Change) -> LiarOf<QuorumPreprocess> {
    let mut setups = setups(me, signers);
    let setup = QuorumPreprocessSetup::new(me, &holders(signers), &mut setups, 2).unwrap();
    start(me, setup, &(), ((setups, no_ear()), lie(false, signers.len(), change)), SEED)
}

fn crowd<P: Protocol + 'static>(
    signers: &[u16],
    liars: Vec<Liar>,
    mut honest: impl FnMut(PartyId) -> Started<P>,
    mut lying: impl FnMut(PartyId, (Change, Ear)) -> LiarOf<P>,
) -> Crowd<P> {
    let lies = |me: &u16| liars.iter().any(|liar| liar.id == *me);
    let mut crowd = Crowd::new(signers.iter().filter(|me| !lies(me)).map(|me| (id(*me), honest(id(*me)))));
    for Liar { id: me, lie, ear, second } in liars {
        let me = id(me);
        crowd = crowd.with_liar(me, lying(me, (lie, ear)));
        if let Some((lie, audience)) = second {
            crowd = crowd.with_second_face(me, lying(me, (lie, no_ear())), ids(&audience));
        }
    }
    crowd
}

pub(crate) fn full_crowd(signers: &[u16], liars: Vec<Liar>) -> Crowd<QuorumFull> {
    let (shares, all) = (shares(u16::try_from(signers.len()).unwrap(), 0), ids(signers));
    crowd(signers, liars, |me| full(&shares[&me], &all, SEED), |me, lie| full_liar(&shares[&me], &all, SEED, lie))
}

/// The first item of a signer; the same at every call.
pub(crate) fn item(me: PartyId, signers: &[PartyId]) -> QuorumItem {
    items(signers, ITEMS).remove(&me).unwrap().remove(0)
}

pub(crate) fn online_crowd(signers: &[u16], liars: Vec<Liar>) -> Crowd<QuorumOnline> {
    let (shares, all) = (shares(u16::try_from(signers.len()).unwrap(), 0), ids(signers));
    crowd(
        signers,
        liars,
        |me| online(&shares[&me], item(me, &all), SEED),
        |me, (lie, _)| online_liar(&shares[&me], item(me, &all), SEED, lie),
    )
}

/// A signature with liars among the signers.
pub(crate) fn sign(mode: Mode, signers: &[u16], liars: Vec<Liar>) -> Ends {
    let who: Vec<_> = liars.iter().map(|liar| liar.id).collect();
    match mode {
        Mode::Full => ends(full_crowd(signers, liars), &who),
        Mode::Online => ends(online_crowd(signers, liars), &who),
    }
}

/// Pre-processing of two items with liars among the signers.
pub(crate) fn prepare(signers: &[u16], liars: Vec<Liar>) -> Ends {
    let who: Vec<_> = liars.iter().map(|liar| liar.id).collect();
    ends(prepare_crowd(signers, liars), &who)
}

pub(crate) fn prepare_crowd(signers: &[u16], liars: Vec<Liar>) -> Crowd<QuorumPreprocess> {
    let all = ids(signers);
    crowd(signers, liars, |me| preprocess(me, &all, SEED), |me, (lie, _)| preprocess_liar(me, &all, lie))
}

/// The end of `me`, a signer of `signers`, with this fault of `culprit`, when all setups that are not burned come back:
/// from the bank there is none to come back.
pub(crate) fn failed(mode: Mode, me: u16, signers: &[u16], fault: Fault, culprit: Option<u16>) -> End {
    let burns = fault.class() == Class::Burn;
    let held = || signers.iter().copied().filter(|peer| *peer != me && !(burns && Some(*peer) == culprit)).collect();
    let burned = culprit.filter(|_| burns).map(|peer| pair_setup(Batch::Usual, id(me), id(peer)).id());
    End::Failed(fault, culprit, burned.into_iter().collect(), (mode == Mode::Full).then(held))
}

/// The end of `me` that waits for ever: all setups come back.
pub(crate) fn waiting(mode: Mode, me: u16, signers: &[u16]) -> End {
    End::Waiting((mode == Mode::Full).then(|| signers.iter().copied().filter(|peer| *peer != me).collect()))
}

/// Every honest signer has the signature, the same one.
pub(crate) fn assert_signed(ends: &Ends) {
    let first = ends.values().next().unwrap();
    assert!(matches!(first, End::Signed(_)), "{first:?}");
    assert!(ends.values().all(|end| end == first));
}

/// What one signer has said, by round and receiver.
pub(crate) type Bodies = BTreeMap<(u8, u16), Vec<u8>>;

/// Where [`bodies`] has the echo of round 3.
pub(crate) const THE_ECHO: (u8, u16) = (3, u16::MAX);

/// The bodies that `from` said in a run in which nobody lied, by round and receiver (0 is all), without what the driver
/// adds; the broadcast of round 3 without the echo.
pub(crate) fn bodies(sent: &[(PartyId, Outgoing)], from: u16) -> Bodies {
    let own = sent.iter().filter(|(sender, _)| sender.get() == from);
    let mut bodies = Bodies::new();
    for (_, frame) in own {
        let header = Header::parse(&frame.bytes).unwrap();
        // nonce and sid, then the sid; from the bank the sid alone
        let banked = header.protocol == QuorumOnline::ID;
        let added = match (banked, header.round) {
            (false, 1) => 64,
            (false, 2) | (true, 1) => 32,
            _ => 0,
        };
        let to = if let To::One(to) = header.to { to.get() } else { 0 };
        let round = header.round + if banked { 2 } else { 0 };
        let mut body = &body_of(&frame.bytes)[added..];
        if (round, to, banked) == (3, 0, false) {
            bodies.insert(THE_ECHO, body[..ECHO].to_vec());
            body = &body[ECHO..];
        }
        bodies.insert((round, to), body.to_vec());
    }
    bodies
}

/// What everybody says when nobody lies, with the seeds of these tests.
pub(crate) fn overheard(mode: Mode, signers: &[u16]) -> Vec<(PartyId, Outgoing)> {
    match mode {
        Mode::Full => full_crowd(signers, Vec::new()).run().sent,
        Mode::Online => online_crowd(signers, Vec::new()).run().sent,
    }
}

pub(crate) fn scalar_at(body: &[u8], at: usize) -> Scalar {
    Secp256k1::scalar_from_bytes(&body[at..at + 32].try_into().unwrap()).unwrap()
}

/// Adds to the scalar at `at`.
pub(crate) fn add_scalar(body: &mut [u8], at: usize, more: Scalar) {
    let sum = scalar_at(body, at) + more;
    body[at..at + 32].copy_from_slice(&Secp256k1::scalar_to_bytes(&sum));
}

/// Adds to the point at `at`.
pub(crate) fn add_point(body: &mut [u8], at: usize, more: &Point) {
    let sum = Secp256k1::point_from_bytes(&body[at..at + 33]).unwrap() + *more;
    body[at..at + 33].copy_from_slice(Secp256k1::point_to_bytes(&sum).as_ref());
}

/// `q`, `q + 1`, `2^256 - 1`.
pub(crate) fn bad_scalars() -> [[u8; 32]; 3] {
    let minus_one = Secp256k1::scalar_to_bytes(&-Scalar::from(1u64));
    let (mut q, mut q_plus_1) = (minus_one, minus_one);
    q[31] += 1;
    q_plus_1[31] += 2;
    [q, q_plus_1, [0xff; 32]]
}

/// The identity, off the curve, an unknown tag.
pub(crate) fn bad_points() -> [[u8; 33]; 3] {
    let (mut off_curve, mut tag_05) = ([0; 33], [0; 33]);
    // x = 5 has no y on secp256k1
    (off_curve[0], off_curve[32]) = (2, 5);
    tag_05.copy_from_slice(Secp256k1::point_to_bytes(&Secp256k1::generator()).as_ref());
    tag_05[0] = 5;
    [[0; 33], off_curve, tag_05]
}
