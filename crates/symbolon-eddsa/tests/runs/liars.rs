//! Runs with liars, and how the honest signers end. Every run is checked for what holds whatever the lie: nobody names an
//! honest party, and a signature is one that verifies.

use crate::world::*;
use std::collections::BTreeMap;
use symbolon_core::{ItemId, PartyId, Transcript};
use symbolon_eddsa::{CommitmentList, FrostItem, FrostOnline, FrostPreprocess, FrostSign, NonceCommitments, Signature};
use symbolon_session::{Fault, Header, Outgoing, Protocol, Run};
use symbolon_sharing::lagrange;
use symbolon_testkit::{
    Crowd, Lie, Lying, Telling,
    crowd::{Ended, Started, body_of},
};

/// The messages of a run with both rounds, and of one for the bank, which has an echo in place of view and share.
pub(crate) const COMMIT: usize = 1;
pub(crate) const SHARE: usize = 2;

/// Whether both rounds are run, or the second one with an item of the bank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Sign,
    Online,
}

pub(crate) const MODES: [Mode; 2] = [Mode::Sign, Mode::Online];

impl Mode {
    /// Changes the 32 bytes of the share.
    pub(crate) fn share(self, change: impl Fn(&mut [u8]) + 'static) -> Lie {
        let (message, offset) = if self == Self::Sign { (SHARE, 32) } else { (1, 0) };
        at(message, move |body| change(&mut body[offset..offset + 32]))
    }
}

pub(crate) fn no_lie() -> Lie {
    Box::new(|_| ())
}

/// Changes one message.
pub(crate) fn at(message: usize, change: impl Fn(&mut Vec<u8>) + 'static) -> Lie {
    Box::new(move |telling: &mut Telling<'_>| {
        if telling.message == message {
            change(telling.body);
        }
    })
}

/// Who lies, and how.
pub(crate) struct Liar {
    pub(crate) id: u16,
    pub(crate) lie: Lie,
    /// What only the others of this list are told.
    pub(crate) second: Option<(Lie, Vec<u16>)>,
}

pub(crate) fn liar(id: u16, lie: Lie) -> Vec<Liar> {
    vec![Liar { id, lie, second: None }]
}

/// One face for some, another one for the audience.
pub(crate) fn two_faces(id: u16, lie: Lie, second: Lie, audience: &[u16]) -> Vec<Liar> {
    vec![Liar { id, lie, second: Some((second, audience.to_vec())) }]
}

/// How an honest signer ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Signed(Vec<u8>),
    Items(Vec<ItemId>),
    /// Fault, and whom it names.
    Failed(Fault, Option<u16>),
    Waiting,
}

pub(crate) type Ends = BTreeMap<u16, End>;

pub(crate) trait Output {
    fn end(self) -> End;
}

impl<C: Curve> Output for Signature<C> {
    fn end(self) -> End {
        assert_eq!(self.verify(&public_key::<C>(), MESSAGE), Ok(()));
        assert!(C::strict(&public_key::<C>(), MESSAGE, &self));
        End::Signed(self.to_bytes())
    }
}

impl<C: Curve> Output for Vec<FrostItem<C>> {
    fn end(self) -> End {
        End::Items(self.iter().map(FrostItem::id).collect())
    }
}

/// Runs it, and checks what always holds. `liars` of the crowd are left out.
pub(crate) fn ends<P>(crowd: Crowd<P>, liars: &[u16]) -> Ends
where
    P: Protocol<Held = (), Output: Output> + 'static,
{
    let honest = |id: &PartyId| !liars.contains(&id.get());
    let mut ends = Ends::new();
    for (me, end) in crowd.run().ends.into_iter().filter(|(me, _)| honest(me)) {
        let end = match end {
            Ended::Done(output, _) => output.end(),
            Ended::Waiting => End::Waiting,
            Ended::Failed(error) => {
                let culprit = error.culprit();
                assert!(culprit.is_none_or(|id| !honest(&id)), "{me} names {culprit:?}: {error}");
                assert!(error.burned().is_empty());
                End::Failed(error.fault().unwrap(), culprit.map(PartyId::get))
            }
        };
        ends.insert(me.get(), end);
    }
    ends
}

fn crowd<P: Protocol<Held = ()> + 'static>(
    signers: &[u16],
    liars: Vec<Liar>,
    mut honest: impl FnMut(PartyId) -> Started<P>,
    mut lying: impl FnMut(PartyId, Lie) -> Started<Lying<P>>,
) -> Crowd<P> {
    let lies = |me: &u16| liars.iter().any(|liar| liar.id == *me);
    let mut crowd = Crowd::new(signers.iter().filter(|me| !lies(me)).map(|me| (id(*me), honest(id(*me)))));
    for Liar { id: me, lie, second } in liars {
        crowd = crowd.with_liar(id(me), lying(id(me), lie));
        if let Some((lie, audience)) = second {
            crowd = crowd.with_second_face(id(me), lying(id(me), lie), ids(&audience));
        }
    }
    crowd
}

pub(crate) fn sign_crowd<C: Curve>(shares: &Shares<C>, signers: &[u16], liars: Vec<Liar>) -> Crowd<FrostSign<C>> {
    let all = ids(signers);
    let honest = |me| sign(&shares[&me], &all, MESSAGE, SEED);
    crowd(signers, liars, honest, |me, lie| sign_liar(&shares[&me], &all, lie))
}

pub(crate) fn prepare_crowd<C: Curve>(
    shares: &Shares<C>,
    signers: &[u16],
    liars: Vec<Liar>,
) -> Crowd<FrostPreprocess<C>> {
    let all = ids(signers);
    let honest = |me| preprocess(&shares[&me], &all, COUNT, SEED);
    crowd(signers, liars, honest, |me, lie| preprocess_liar(&shares[&me], &all, lie))
}

pub(crate) fn online_crowd<C: Curve>(shares: &Shares<C>, signers: &[u16], liars: Vec<Liar>) -> Crowd<FrostOnline<C>> {
    let all = ids(signers);
    let mut batch = items(shares, &all);
    let honest = |me| online(&shares[&me], item(&mut batch, me), MESSAGE);
    // both faces have the same item
    crowd(signers, liars, honest, |me, lie| online_liar(&shares[&me], item(&mut items(shares, &all), me), lie))
}

fn who(liars: &[Liar]) -> Vec<u16> {
    liars.iter().map(|liar| liar.id).collect()
}

/// A signature with liars among the signers.
pub(crate) fn run<C: Curve>(mode: Mode, shares: &Shares<C>, signers: &[u16], liars: Vec<Liar>) -> Ends {
    let who = who(&liars);
    match mode {
        Mode::Sign => ends(sign_crowd(shares, signers, liars), &who),
        Mode::Online => ends(online_crowd(shares, signers, liars), &who),
    }
}

/// Pre-processing with liars among the signers.
pub(crate) fn prepare<C: Curve>(shares: &Shares<C>, signers: &[u16], liars: Vec<Liar>) -> Ends {
    let who = who(&liars);
    ends(prepare_crowd(shares, signers, liars), &who)
}

/// Every honest signer ends with this fault and this culprit.
pub(crate) fn assert_failed(ends: &Ends, fault: Fault, culprit: Option<u16>) {
    assert!(!ends.is_empty());
    for (me, end) in ends {
        assert_eq!(*end, End::Failed(fault, culprit), "{me}");
    }
}

/// Every honest signer has the signature, the same one.
pub(crate) fn assert_signed(ends: &Ends) -> Vec<u8> {
    let first = ends.values().next().unwrap();
    assert!(ends.values().all(|end| end == first), "{ends:?}");
    let End::Signed(signature) = first else { panic!("{ends:?}") };
    signature.clone()
}

/// What everybody says when nobody lies, with the seeds of these tests.
pub(crate) fn overheard<C: Curve>(mode: Mode, shares: &Shares<C>, signers: &[u16]) -> Vec<(PartyId, Outgoing)> {
    match mode {
        Mode::Sign => sign_crowd(shares, signers, Vec::new()).run().sent,
        Mode::Online => online_crowd(shares, signers, Vec::new()).run().sent,
    }
}

/// The body of a round without what the driver adds.
pub(crate) fn body(sent: &[(PartyId, Outgoing)], from: u16, round: u8) -> Vec<u8> {
    let is = |(sender, frame): &&(PartyId, Outgoing)| {
        *sender == id(from) && Header::parse(&frame.bytes).unwrap().round == round
    };
    let frame = &sent.iter().find(is).unwrap().1.bytes;
    // nonce and sid, then the sid; from the bank the sid alone
    let banked = Header::parse(frame).unwrap().protocol == FrostOnline::<symbolon_core::Ed25519>::ID;
    body_of(frame)[if round == 1 && !banked { 64 } else { 32 }..].to_vec()
}

/// The commitments of a run in which nobody lies.
pub(crate) type Commitments = BTreeMap<u16, Vec<u8>>;

pub(crate) fn commitments<C: Curve>(shares: &Shares<C>, signers: &[u16]) -> Commitments {
    let sent = overheard(Mode::Sign, shares, signers);
    signers.iter().map(|id| (*id, body(&sent, *id, 1))).collect()
}

/// The list of these commitments as it travels.
pub(crate) fn list_bytes(commitments: &Commitments) -> Vec<u8> {
    let count = u16::try_from(commitments.len()).unwrap().to_be_bytes().to_vec();
    let one = |(id, bytes): (&u16, &Vec<u8>)| [&id.to_be_bytes()[..], bytes].concat();
    commitments.iter().map(one).fold(count, |list, entry| [list, entry].concat())
}

pub(crate) fn list_of<C: Curve>(commitments: &Commitments) -> CommitmentList<C> {
    CommitmentList::from_bytes(&list_bytes(commitments)).unwrap()
}

/// The view of these commitments.
pub(crate) fn view(run: &Run, commitments: &Commitments) -> [u8; 32] {
    Transcript::new("eddsa", "view").part(run.sid()).part(list_bytes(commitments)).finish()
}

/// Adds to the scalar in these 32 bytes.
pub(crate) fn add_scalar<C: Curve>(bytes: &mut [u8], more: C::Scalar) {
    let sum = C::scalar_from_bytes(&bytes.try_into().unwrap()).unwrap() + more;
    bytes.copy_from_slice(&C::scalar_to_bytes(&sum));
}

/// Says other commitments, and the view that fits them.
pub(crate) fn other_commitments(me: u16, honest: &Commitments, other: Vec<u8>) -> Lie {
    let mut all = honest.clone();
    all.insert(me, other.clone());
    Box::new(move |telling| match telling.message {
        COMMIT => *telling.body = other.clone(),
        _ => telling.body[..32].copy_from_slice(&view(telling.run, &all)),
    })
}

/// Bytes of the commitments of one item.
pub(crate) const fn pair_len<C: Curve>() -> usize {
    NonceCommitments::<C>::LEN
}

/// The factors of `d, e, x` in the share of a signer: `1, rho, lambda*c`, by the formulas of RFC 9591.
pub(crate) fn factors<C: Curve>(commitments: &Commitments, message: &[u8], me: u16) -> [C::Scalar; 3] {
    let key = public_key::<C>().to_bytes();
    let scalar_bytes = |id: u16| C::scalar_to_bytes(&scalar::<C>(id.into()));
    let list: Vec<u8> = commitments.iter().flat_map(|(id, d_e)| [&scalar_bytes(*id)[..], d_e].concat()).collect();
    let rho = |id: u16| C::h1(&[key.as_ref(), C::h4(message).as_ref(), C::h5(&list).as_ref(), &scalar_bytes(id)]);
    let points = commitments.iter().map(|(id, d_e)| {
        let (d, e) = d_e.split_at(C::POINT_LEN);
        C::point_from_bytes(d).unwrap() + C::mul(&C::point_from_bytes(e).unwrap(), &rho(*id))
    });
    let big_r = C::point_to_bytes(&points.sum());
    let c = C::h2(&[big_r.as_ref(), key.as_ref(), message]);
    let indices: Vec<_> = commitments.keys().map(|id| scalar::<C>((*id).into())).collect();
    let at = commitments.keys().position(|id| *id == me).unwrap();
    [scalar::<C>(1), rho(me), lagrange::<C>(&indices).unwrap()[at] * c]
}
