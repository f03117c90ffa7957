//! Every way of lying trips its own check, and names the liar or nobody.

use crate::dkg;
use crate::net::*;
use crate::reshare::*;
use symbolon_core::{
    Ed25519, Group, PartyId, Secp256k1, SecretScalar, Sid, Transcript,
    wire::{DecodeError, Writer},
};
use symbolon_proofs::{BatchProof, Commitment, Opening};
use symbolon_session::*;
use symbolon_sharing::*;

type G = Secp256k1;
type Scalar<G> = <G as Group>::Scalar;

/// As dealings have it.
pub fn uncompressed<G: Group>(point: G::Point) -> Vec<u8> {
    G::points_to_uncompressed(&[point])[0].as_ref().to_vec()
}

/// A dealer that commits to whatever it likes, consistently.
pub struct Forger<G: Group> {
    label: &'static str,
    me: PartyId,
    /// Written as commitments, whatever they are.
    points: Vec<Vec<u8>>,
    extra: Vec<u8>,
    secret: SecretScalar<G>,
    opening: Option<Opening>,
}

impl<G: Group> Forger<G> {
    pub fn new(label: &'static str, coefficients: &[Scalar<G>], extra: &[u8]) -> Self {
        let points = coefficients.iter().map(|c| uncompressed::<G>(G::mul_base(c))).collect();
        let secret = SecretScalar::new(coefficients[0]);
        Self { label, me: id(1), points, extra: extra.to_vec(), secret, opening: None }
    }

    /// Another dealer than party 1.
    pub fn of(self, me: PartyId) -> Self {
        Self { me, ..self }
    }

    /// With these bytes in the place of a commitment.
    pub fn with_point(mut self, at: usize, bytes: Vec<u8>) -> Self {
        self.points[at] = bytes;
        self
    }

    fn value(&self) -> Vec<u8> {
        [self.points.concat(), self.extra.clone()].concat()
    }

    fn commit(&mut self, run: &Run) -> Vec<u8> {
        let (commitment, opening) = Commitment::commit(self.label, &run.sid0(), self.me, &self.value(), &mut rng(60));
        self.opening = Some(opening);
        commitment.as_bytes().to_vec()
    }

    fn open(&self, sid: &Sid, context: &str) -> Vec<u8> {
        let value = self.value();
        let t = Transcript::new("sharing", context).part(sid).number(self.me.get()).part(&value);
        let proof = BatchProof::prove(&t, &[&self.secret], &[self.secret.public()], &mut rng(61)).unwrap();
        let mut w = Writer::new();
        w.bytes(&value).bytes(&self.opening.as_ref().unwrap().to_bytes());
        proof.encode(&mut w);
        w.finish()
    }

    /// As a [`Lie`]; shares lie on the polynomial of `coefficients`.
    pub fn lie(mut self, coefficients: Vec<Scalar<G>>, tail: Vec<u8>) -> Lie {
        Box::new(move |round, to, run, body| match (round, to) {
            (1, _) => *body = self.commit(run),
            (2, To::All) => *body = self.open(&run.sid(), "dealing"),
            (2, To::One(peer)) if !body.is_empty() => {
                let x = Scalar::<G>::from(u64::from(peer.get()));
                let share = coefficients.iter().rev().fold(Scalar::<G>::default(), |acc, c| acc * x + *c);
                *body = [&G::scalar_to_bytes(&share)[..], &tail].concat();
            }
            _ => (),
        })
    }
}

/// Runs with lies of some members; the failures of the others.
pub fn lied<P: Protocol<Input = ()> + 'static>(
    members: Vec<(P::Setup, P::LongTerm)>,
    liars: Vec<(PartyId, Lie)>,
) -> Net<P::Output>
where
    P::Output: 'static,
{
    let mut net = lying::<P>(members, liars);
    net.run();
    net
}

/// The same, before any frame is delivered.
pub fn lying<P: Protocol<Input = ()> + 'static>(
    members: Vec<(P::Setup, P::LongTerm)>,
    mut liars: Vec<(PartyId, Lie)>,
) -> Net<P::Output>
where
    P::Output: 'static,
{
    let mut net = Net::new();
    let mut first = Vec::new();
    for (setup, secrets) in members {
        let roster = setup.roster();
        let (me, auth, mut rng) = (roster.me(), auth_of(&roster), rng(70 + u64::from(roster.me().get())));
        let frames = match liars.iter().position(|liar| liar.0 == me) {
            Some(i) => {
                let lie = liars.remove(i).1;
                let (session, frames) =
                    Session::<Liar<P>>::start(setup, &secrets, ((), lie), label(), auth, &mut rng).unwrap();
                net.parties.insert(me, Box::new(session));
                frames
            }
            None => {
                let (session, frames) = Session::<P>::start(setup, &secrets, (), label(), auth, &mut rng).unwrap();
                net.parties.insert(me, Box::new(session));
                frames
            }
        };
        first.push((me, frames));
    }
    first.into_iter().for_each(|(me, frames)| net.post(me, frames));
    net
}

/// Nobody has a result; whoever is named is a liar; `victim` saw exactly this.
pub fn ends<O>(net: &Net<O>, liars: &[u16], victim: u16, fault: Fault, culprit: Option<u16>) {
    assert!(net.outputs.is_empty(), "nobody has a result");
    let (liars, culprit) = (ids(liars), culprit.map(id));
    for (at, failure) in net.failures.iter().filter(|(at, _)| !liars.contains(at)) {
        assert!(failure.culprit.is_none_or(|named| liars.contains(&named)), "{at} names {:?}", failure.culprit);
    }
    let seen = &net.failures.get(&id(victim)).unwrap_or_else(|| panic!("{victim} saw nothing: {:?}", net.rejected));
    assert_eq!((seen.fault, seen.culprit), (fault, culprit));
}

fn dkg_run<G: Group>(lie: Lie) -> Net<KeyShare<G>> {
    lied::<Dkg<G>>((1..=3).map(|me| (dkg::setup::<G>(me, 2, 3), ())).collect(), vec![(id(1), lie)])
}

fn coefficients<G: Group>(n: usize) -> Vec<Scalar<G>> {
    let mut rng = rng(80);
    (0..n).map(|_| G::random_scalar(&mut rng)).collect()
}

fn forged_dkg<G: Group>(shown: &[Scalar<G>], change: impl FnOnce(&mut Forger<G>)) -> Net<KeyShare<G>> {
    let mut forger = Forger::<G>::new("dkg dealing", shown, &[5; 32]);
    change(&mut forger);
    dkg_run::<G>(forger.lie(shown.to_vec(), Vec::new()))
}

fn flip(at: usize, of_round: u8, to: To) -> Lie {
    Box::new(move |round, receiver, _, body| {
        if round == of_round && receiver == to {
            let at = if at == usize::MAX { body.len() - 1 } else { at };
            body[at] ^= 1;
        }
    })
}

/// Every check of the dealing passed; the forger's own session has other values, and so another echo.
pub fn dealing_accepted<O>(net: &Net<O>) {
    assert!(net.outputs.is_empty() && net.failures.len() >= 3);
    assert!(net.failures.values().all(|failure| (failure.fault, failure.culprit) == (Fault::View, None)));
}

// the control of the tests below: a forger that deals well is found by nothing but the echo
#[test]
fn a_forger_that_deals_well_passes_every_check() {
    dealing_accepted(&forged_dkg::<G>(&coefficients::<G>(2), |_| ()));
}

fn dkg_lies<G: Group>() {
    let f = coefficients::<G>(8);
    // row 32: exactly t commitments, whether or not the shares fit them
    for n in [1, 0] {
        let net = forged_dkg::<G>(&f[..2], |forger| forger.points.truncate(n));
        let seen = &net.failures[&id(2)];
        assert!(matches!(seen.fault, Fault::Encoding(_) | Fault::Opening), "{:?}", seen.fault);
        assert_eq!(seen.culprit, Some(id(1)));
    }
    for n in [3, 7] {
        let net = forged_dkg::<G>(&f[..n], |_| ());
        assert!(net.outputs.is_empty() && net.failures.keys().all(|at| *at == id(1)));
        assert!(net.rejected.contains(&(id(1), id(2), Rejected::Size)), "{:?}", net.rejected);
    }
    // rows 32, 40: identity as leading or constant term
    for at in [0, 1] {
        let net = forged_dkg::<G>(&f[..2], |forger| {
            forger.points[at] = uncompressed::<G>(G::identity());
        });
        ends(&net, &[1], 2, Fault::Encoding(DecodeError::Identity), Some(1));
        assert_eq!(net.failures[&id(3)].culprit, Some(id(1)));
    }
    // a share off the polynomial, to one receiver only
    let low = if G::ID == Secp256k1::ID { usize::MAX } else { 0 };
    let net = dkg_run::<G>(flip(low, 2, To::One(id(3))));
    ends(&net, &[1], 3, Fault::Share, Some(1));
    assert!(!net.failures.contains_key(&id(2)), "it waits, and has nothing");
    // opening and proof
    let points = 2 * G::UNCOMPRESSED_LEN;
    ends(&dkg_run::<G>(flip(points, 2, To::All)), &[1], 2, Fault::Opening, Some(1));
    ends(&dkg_run::<G>(flip(points + 40, 2, To::All)), &[1], 2, Fault::Opening, Some(1));
    let z = points + 64 + G::UNCOMPRESSED_LEN + if G::ID == Secp256k1::ID { 31 } else { 0 };
    ends(&dkg_run::<G>(flip(z, 2, To::All)), &[1], 2, Fault::Proof, Some(1));
    // row 27: a constant term whose logarithm it does not know
    let net = forged_dkg::<G>(&f[..2], |forger| {
        forger.points[0] = uncompressed::<G>(G::mul_base(&f[3]) - G::mul_base(&f[4]));
    });
    ends(&net, &[1], 2, Fault::Proof, Some(1));
    // row 37: another echo names nobody
    ends(&dkg_run::<G>(flip(7, 3, To::All)), &[1], 2, Fault::View, None);
    // row 34: a share of zero is no special case
    let zero_at_3 = [-(f[0] * Scalar::<G>::from(3)), f[0]];
    dealing_accepted(&forged_dkg::<G>(&zero_at_3, |_| ()));
}

#[test]
fn rows_27_32_34_40_lies_in_key_generation() {
    dkg_lies::<Secp256k1>();
    dkg_lies::<Ed25519>();
}

/// A liar changes one byte of one body, or its length: whoever is named is the liar, nobody panics, nobody has a result.
#[test]
fn every_changed_byte_of_every_body_names_the_liar_or_nobody() {
    let old = old();
    let slots = [(1, To::All), (2, To::All), (2, To::One(id(3))), (3, To::All)];
    let check = |failures: &std::collections::BTreeMap<PartyId, Failure>, no_output: bool, what: &str| {
        assert!(no_output, "{what}");
        for (at, failure) in failures.iter().filter(|(at, _)| **at != id(1)) {
            assert!(failure.culprit.is_none_or(|named| named == id(1)), "{what}: {at} names {:?}", failure.culprit);
        }
    };
    let mut changes = 0;
    for (round, to) in slots {
        for at in (0..320).step_by(3) {
            let change = move || -> Lie {
                Box::new(move |r, receiver, _, body: &mut Vec<u8>| {
                    let at = if at >= body.len() { body.len().saturating_sub(1) } else { at };
                    if (r, receiver) == (round, to) {
                        body[at] ^= 1 << (at % 8);
                    }
                })
            };
            let net = dkg_run::<Ed25519>(change());
            check(&net.failures, net.outputs.is_empty(), &format!("dkg {round} {to:?} {at}"));
            let net = old.run(change());
            check(&net.failures, net.outputs.is_empty(), &format!("reshare {round} {to:?} {at}"));
            changes += 1;
        }
        for len in [0, 1, 31, 33, 100] {
            let resize = move || -> Lie {
                Box::new(move |r, receiver, _, body: &mut Vec<u8>| {
                    if (r, receiver) == (round, to) {
                        body.resize(len, 7);
                    }
                })
            };
            let net = dkg_run::<G>(resize());
            check(&net.failures, net.outputs.is_empty(), &format!("dkg {round} {to:?} len {len}"));
            let net = old.run(resize());
            check(&net.failures, net.outputs.is_empty(), &format!("reshare {round} {to:?} len {len}"));
        }
    }
    assert!(changes > 400);
}

// attacks.md row 28: commitment, opening and proof of another member, verbatim
#[test]
fn row_28_a_mirror_is_found() {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let (of_2, by_1) = (seen.clone(), seen);
    let spy: Lie = Box::new(move |round, to, _, body| {
        if to == To::All && round <= 2 {
            of_2.borrow_mut().push(body.clone());
        }
    });
    // party 1 speaks after party 2 in each round of this test's queue only if it waits: replay what was seen before
    let mirror: Lie = Box::new(move |round, to, _, body| {
        if let (true, Some(copy)) = (to == To::All, by_1.borrow().get(usize::from(round) - 1)) {
            body.clone_from(copy);
        }
    });
    let setups = [2, 3, 1].map(|me| (dkg::setup::<G>(me, 2, 3), ()));
    let net = lied::<Dkg<G>>(Vec::from(setups), vec![(id(2), spy), (id(1), mirror)]);
    assert!(net.outputs.is_empty());
    let seen = &net.failures[&id(3)];
    assert_eq!((seen.fault, seen.culprit), (Fault::Opening, Some(id(1))));
}

// attacks.md row 39: torsion in commitments that are opened as they were committed to; every other field is in torsion.rs
#[test]
fn row_39_torsion_is_refused() {
    type G = Ed25519;
    let f = coefficients::<G>(2);
    for torsion in &curve25519_dalek::constants::EIGHT_TORSION[1..] {
        for at in [0, 1] {
            let net = forged_dkg::<G>(&f, |forger| {
                forger.points[at] = (G::mul_base(&f[at]) + torsion).compress().to_bytes().to_vec();
            });
            for victim in [2, 3] {
                ends(&net, &[1], victim, Fault::Encoding(DecodeError::Point), Some(1));
            }
        }
    }
}

/// Two liars with one nonce show two dealings; both signed frames are evidence.
fn split_view<P: Protocol<Input = ()> + 'static>(
    members: impl Fn() -> Vec<(P::Setup, P::LongTerm)>,
    lie: impl Fn() -> Lie,
) where
    P::Output: 'static,
{
    let mut net = Net::<P::Output>::new();
    let mut first = Vec::new();
    let (mut twin, mut twin_frames) = (None, Vec::new());
    for (setup, secrets) in members() {
        let roster = setup.roster();
        let (me, mut seed) = (roster.me(), rng(90 + u64::from(roster.me().get())));
        let (session, frames) = Session::<P>::start(setup, &secrets, (), label(), auth_of(&roster), &mut seed).unwrap();
        net.parties.insert(me, Box::new(session));
        first.push((me, frames));
    }
    for (setup, secrets) in members().into_iter().filter(|(setup, _)| setup.roster().me() == id(1)) {
        let auth = auth_of(&setup.roster());
        let (session, frames) =
            Session::<Liar<P>>::start(setup, &secrets, ((), lie()), label(), auth, &mut rng(91)).unwrap();
        (twin, twin_frames) = (Some(session), frames);
    }
    let mut twin: Box<dyn Node<P::Output>> = Box::new(twin.unwrap());
    first.into_iter().for_each(|(me, frames)| net.post(me, frames));
    // party 3 hears the twin, everybody else party 1
    let mut to_3: Vec<Vec<u8>> = twin_frames.into_iter().map(|f| f.bytes).collect();
    while let Some((from, to, frame)) = net.queue.pop_front() {
        if to == id(1)
            && let Ok(turn) = twin.handle(from, &frame)
        {
            let for_3 = turn.frames.into_iter().filter(|f| matches!(f.to, To::All) || f.to == To::One(id(3)));
            to_3.extend(for_3.map(|f| f.bytes));
        }
        if (from, to) != (id(1), id(3)) {
            net.give(from, to, &frame);
        }
        for frame in to_3.drain(..) {
            net.give(id(1), id(3), &frame);
        }
    }
    assert!(net.outputs.is_empty(), "neither keeps a key");
    let (a, b) = (&net.failures[&id(2)], &net.failures[&id(3)]);
    assert_eq!((a.fault, a.culprit, b.fault, b.culprit), (Fault::View, None, Fault::View, None));
    let Identity::Key(public) = key(1).identity() else { panic!() };
    let convicted = a.view.iter().any(|x| b.view.iter().any(|y| convict(x, y, &public)));
    assert!(convicted, "the two views hold two frames for one slot");
    let honest = [2, 3].map(|i| key(i).identity());
    for identity in honest {
        let Identity::Key(public) = identity else { panic!() };
        assert!(!a.view.iter().any(|x| b.view.iter().any(|y| convict(x, y, &public))));
    }
}

/// Another, valid proof under the same commitment: what no receiver alone can see.
fn reproved<G: Group>(label: &'static str, f: Vec<Scalar<G>>, extra: Vec<u8>, tail: Vec<u8>) -> Lie {
    let forger = Forger::<G>::new(label, &f, &extra);
    forger.lie(f, tail)
}

// attacks.md row 37: other vectors to another party are seen in the openings (the commitments differ), the rest in the echo
#[test]
fn row_37_a_split_view_convicts_its_signer() {
    let members = || (1..=3).map(|me| (dkg::setup::<G>(me, 2, 3), ())).collect::<Vec<_>>();
    split_view::<Dkg<G>>(members, || reproved::<G>("dkg dealing", coefficients::<G>(2), vec![8; 32], Vec::new()));
}

struct Old {
    shares: Shares<G>,
    statement: Vec<u8>,
    weight: Scalar<G>,
}

/// 2 of 3 at epoch 0; dealers 1 and 2.
fn old() -> Old {
    let shares = dkg::keygen::<G>(2, 3, 30);
    let mut w = Writer::new();
    shares[&id(1)].members()[..2].iter().for_each(|m| {
        w.point::<G>(&m.public_share);
    });
    w.u8(0).bytes(&Transcript::new("reshare", "chain code").part(shares[&id(1)].chain_code()).finish());
    let weight = shares[&id(1)].lambdas(&ids(&[1, 2])).unwrap()[0];
    Old { shares, statement: w.finish(), weight }
}

impl Old {
    /// 2 of 3 to 2 of 4, dealers 1 and 2: party 4 is new.
    fn members(&self) -> Vec<Ready<G, HandOver>> {
        let plan = plan_to(&self.shares, &ids(&[1, 2]), &[(1, 1), (2, 2), (3, 3), (4, 4)], 2);
        ready_all(&plan, &self.shares)
    }

    /// The true polynomial's constant term, with another slope.
    fn dealt(&self) -> Vec<Scalar<G>> {
        vec![self.weight * *self.shares[&id(1)].secret().expose(), coefficients::<G>(1)[0]]
    }

    fn run(&self, lie: Lie) -> Net<Reshared<G>> {
        lied::<Reshare<G, HandOver>>(self.members(), vec![(id(1), lie)])
    }

    fn forged(&self, f: &[Scalar<G>], change: impl FnOnce(&mut Forger<G>)) -> Net<Reshared<G>> {
        let mut forger = Forger::<G>::new("reshare dealing", f, &self.statement);
        change(&mut forger);
        self.run(forger.lie(f.to_vec(), self.shares[&id(1)].chain_code().to_vec()))
    }
}

#[test]
fn rows_32_40_66_lies_in_a_resharing() {
    let old = old();
    let f = old.dealt();
    dealing_accepted(&old.forged(&f, |_| ()));

    // bad share to one receiver, the newcomer
    let net = old.run(flip(31, 2, To::One(id(4))));
    ends(&net, &[1], 4, Fault::Share, Some(1));
    // another chain code to one receiver
    let net = old.run(flip(50, 2, To::One(id(4))));
    ends(&net, &[1], 4, Fault::Inconsistent, Some(1));
    // number of commitments
    for n in [0, 1] {
        let net = old.forged(&f, |forger| forger.points.truncate(n));
        assert_eq!(net.failures[&id(4)].culprit, Some(id(1)));
        assert!(net.outputs.is_empty());
    }
    let long = [f.clone(), coefficients::<G>(1)].concat();
    let net = old.forged(&long, |_| ());
    assert!(net.outputs.is_empty() && net.rejected.contains(&(id(1), id(4), Rejected::Size)));
    // identity points
    for at in [0, 1] {
        let net = old.forged(&f, |forger| forger.points[at] = vec![0; 64]);
        ends(&net, &[1], 4, Fault::Encoding(DecodeError::Identity), Some(1));
    }
    // constant term: the whole sharing is consistent, and of another key
    let wrong = vec![f[0] + Scalar::<G>::from(1u64), f[1]];
    let net = old.forged(&wrong, |_| ());
    for victim in [2, 3, 4] {
        ends(&net, &[1], victim, Fault::ConstantTerm, Some(1));
    }
    // the statement about the old epoch: an old holder names the liar, a newcomer can't tell
    let mut statement = old.statement.clone();
    statement[67] ^= 1;
    let net = old.forged(&f, |forger| forger.extra = statement);
    ends(&net, &[1], 3, Fault::Inconsistent, Some(1));
    ends(&net, &[1], 4, Fault::Mismatch(Agreed::Sharing), None);
    // marks that do not exist; those that do are only ever added
    let mut marked = old.statement.clone();
    marked[66] = 8;
    let net = old.forged(&f, |forger| forger.extra = marked.clone());
    for victim in [2, 3, 4] {
        ends(&net, &[1], victim, Fault::Encoding(DecodeError::Value), Some(1));
    }
    marked[66] = 4;
    dealing_accepted(&old.forged(&f, |forger| forger.extra = marked));
    // opening, proof, echo
    ends(&old.run(flip(0, 1, To::All)), &[1], 4, Fault::Opening, Some(1));
    let z = 2 * 64 + old.statement.len() + 32 + 64 + 31;
    ends(&old.run(flip(z, 2, To::All)), &[1], 4, Fault::Proof, Some(1));
    ends(&old.run(flip(0, 3, To::All)), &[1], 4, Fault::View, None);
    // nothing of all that has touched the old epoch
    dkg::check_sharing(&old.shares);
}

// attacks.md row 66: two dealers whose errors cancel
#[test]
fn row_66_a_cancelling_pair_is_named() {
    let old = old();
    let weights = old.shares[&id(1)].lambdas(&ids(&[1, 2])).unwrap();
    let one = Scalar::<G>::from(1u64);
    let mut members = old.members();
    for (i, error) in [(0, one), (1, -one)] {
        let x = *old.shares[&id(u16::try_from(i).unwrap() + 1)].secret().expose();
        members[i].1 = Source::key(SecretScalar::new(x + error * G::invert(&weights[i])));
    }
    // an honest driver does not start with secrets that the setup does not name
    let driven = |party: u16| -> (PartyId, Lie) { (id(party), Box::new(|_, _, _, _| ())) };
    let net = lied::<Reshare<G, HandOver>>(members, vec![driven(1), driven(2)]);
    for victim in [3, 4] {
        ends(&net, &[1, 2], victim, Fault::ConstantTerm, Some(1));
    }
}

// attacks.md rows 69, 37
#[test]
fn row_69_a_split_view_of_a_resharing_convicts_its_signer() {
    let old = old();
    let (f, chain) = (old.dealt(), old.shares[&id(1)].chain_code().to_vec());
    let lie = || reproved::<G>("reshare dealing", f.clone(), old.statement.clone(), chain.clone());
    split_view::<Reshare<G, HandOver>>(|| old.members(), lie);
}

// attacks.md rows 59, 64, 67, 93: any difference in the arguments is a mismatch before any share leaves
#[test]
fn rows_64_67_93_different_arguments_are_a_mismatch() {
    let old = old();
    let fresh = refreshed(&old.shares, &ids(&[1, 2]), 31);
    let plan = |shares: &Shares<G>, new: &[(u16, u16)], t| plan_to(shares, &ids(&[1, 2]), new, t);
    let base = [(1, 1), (2, 2), (3, 3), (4, 4)];
    let mut epoch = plan(&old.shares, &base, 2);
    epoch.keys[0].new_epoch = 7;
    let mut factors = plan(&old.shares, &base, 2);
    factors.keys[0].factors = Factors::Kept;
    let others = [
        ("another identity", plan(&old.shares, &[(1, 1), (2, 2), (3, 3), (4, 9)], 2)),
        ("another member", plan(&old.shares, &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)], 2)),
        ("another threshold", plan(&old.shares, &base, 3)),
        ("another epoch to come", epoch),
        ("another decision on the factors", factors),
        ("another sharing", plan(&fresh, &base, 2)),
    ];
    for (name, other) in others {
        let shares = if name == "another sharing" { &fresh } else { &old.shares };
        let mut members = old.members();
        members[1] = ready_all(&other, shares).remove(1);
        let net = lied::<Reshare<G, HandOver>>(members, Vec::new());
        assert!(net.outputs.is_empty(), "{name}");
        assert!(!net.failures.is_empty(), "{name}");
        for failure in net.failures.values() {
            assert_eq!((failure.fault, failure.culprit), (Fault::Mismatch(Agreed::Sid), None), "{name}");
        }
    }
}

// attacks.md rows 28, 58, 64: frames of the run before, same label
#[test]
fn row_64_frames_of_another_epoch_are_rejected() {
    let old = old();
    let record = |shares: &Shares<G>, seed| {
        let ready = shares.values().map(|s| refresh(s, &ids(&[1, 2]), s.epoch() + 1, Factors::Gone).unwrap());
        Net::of(ready.map(|ready| started(ready, seed)))
    };
    let mut first = record(&old.shares, 1);
    let mut frames = Vec::new();
    while let Some(mail) = first.queue.front().cloned() {
        frames.push(mail);
        first.deliver();
    }
    let fresh = new_shares(first.outputs);
    let mut second = record(&fresh, 2);
    // everybody has heard everybody once
    for _ in 0..6 {
        second.deliver();
    }
    for (from, to, frame) in &frames {
        second.give(*from, *to, frame);
    }
    assert_eq!(second.rejected.len(), frames.len());
    assert!(second.rejected.iter().all(|r| r.2 == Rejected::Run), "{:?}", second.rejected);
    second.run();
    assert_eq!(second.outputs.len(), 3);
}
