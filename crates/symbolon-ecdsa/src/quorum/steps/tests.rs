//! What needs all secrets, which no signer has: the shares of zero, and lies that reach the last checks. Everything that a
//! signer can do is in `tests/quorum`.

use super::*;
use crate::{
    Digest, Payload, QuorumPreprocess, QuorumPreprocessSetup, preprocess::MAX_BATCH, tests::statistics::accept_nonces,
};
use alloc::collections::BTreeSet;
use symbolon_mta::{CommitteeSetup, CommitteeTerms};
use symbolon_session::{Auth, Identity, IdentityKey, Label, Outgoing, Protocol, Session};
use symbolon_testkit::{Crowd, seeded};

fn id(id: u16) -> PartyId {
    PartyId::new(id).unwrap()
}

fn key(me: u16) -> IdentityKey {
    IdentityKey::from_seed(SecretBytes::new([u8::try_from(me).unwrap(); 32]))
}

fn holders(signers: &[u16]) -> Vec<(PartyId, Identity)> {
    signers.iter().map(|me| (id(*me), key(*me).identity())).collect()
}

fn start<P: Protocol<LongTerm = ()>>(
    me: u16,
    setup: P::Setup,
    input: P::Input,
    seed: u64,
) -> (PartyId, (Session<P>, Vec<Outgoing>)) {
    let (label, auth) = (Label::new("all secrets").unwrap(), Auth::Signed(key(me)));
    (id(me), Session::<P>::start(setup, &(), input, label, auth, &mut seeded(100 * seed + u64::from(me))).unwrap())
}

/// The setups of a committee.
fn committee(members: &[u16]) -> BTreeMap<u16, Setups> {
    let one = |me: &u16| {
        start::<CommitteeSetup>(*me, CommitteeTerms::new(id(*me), holders(members), Suite::Blake3, 0).unwrap(), (), 1)
    };
    let made = Crowd::new(members.iter().map(one)).outputs();
    made.into_iter().map(|(me, (setups, _))| (me.get(), setups)).collect()
}

/// Two items of each signer. The setups go back.
fn items(all: &mut BTreeMap<u16, Setups>, signers: &[u16], seed: u64) -> BTreeMap<PartyId, Vec<QuorumItem>> {
    batch(all, signers, seed, 2)
}

fn batch(
    all: &mut BTreeMap<u16, Setups>,
    signers: &[u16],
    seed: u64,
    count: u16,
) -> BTreeMap<PartyId, Vec<QuorumItem>> {
    let one = |me: &u16| {
        let own = all.get_mut(me).unwrap();
        let peers = signers.iter().filter(|peer| *peer != me);
        let mut setups: Setups = peers.map(|peer| (id(*peer), own.remove(&id(*peer)).unwrap())).collect();
        let setup = QuorumPreprocessSetup::new(id(*me), &holders(signers), &mut setups, count).unwrap();
        start::<QuorumPreprocess>(*me, setup, setups, seed)
    };
    let started: Vec<_> = signers.iter().map(one).collect();
    let mut items = BTreeMap::new();
    for (me, (made, setups)) in Crowd::new(started).outputs() {
        all.get_mut(&me.get()).unwrap().extend(setups.unwrap());
        items.insert(me, made);
    }
    items
}

// attacks.md row 52: the shares of zero of every set add up to zero; no two of them are related, whether the set, the item
// or the run differs
#[test]
fn row_52_shares_of_zero() {
    let mut all = committee(&[1, 2, 3, 4]);
    let (mut seen, mut seeds) = (Vec::new(), Vec::new());
    let sets: [&[u16]; 6] = [&[1, 2, 3], &[1, 2, 4], &[1, 3, 4], &[2, 3, 4], &[1, 2, 3, 4], &[1, 2, 3]];
    for (seed, signers) in (1..).zip(sets) {
        let items = items(&mut all, signers, seed);
        for n in 0..2 {
            for sid in [Sid::from_bytes([1; 32]), Sid::from_bytes([2; 32])] {
                let zetas: Vec<Scalar> =
                    items.iter().map(|(me, items)| *zero_share(*me, &items[n].links, &sid).expose()).collect();
                assert_eq!(zetas.iter().fold(Scalar::default(), |sum, zeta| sum + zeta), Scalar::default());
                seen.extend(zetas);
            }
            // each pair has one seed for this item, and no other pair has it
            for (me, own) in &items {
                for (peer, link) in own[n].links.range(*me..) {
                    assert_eq!(link.zero.expose(), items[peer][n].links[me].zero.expose());
                    seeds.push(*link.zero.expose());
                }
            }
        }
    }
    for all in [seen.iter().map(Secp256k1::scalar_to_bytes).collect::<Vec<_>>(), seeds] {
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}

/// Nonces, and the factors that hide them, as pre-processing leaves them in the banks of all signers.
#[test]
fn row_56_nonces_of_a_quorum() {
    let mut all = committee(&SIGNERS);
    let from = symbolon_testkit::chi_square::seed(8000);
    let mut own: Vec<OwnNonce> = Vec::new();
    for seed in [from, from + 1] {
        let made = batch(&mut all, &SIGNERS, seed, MAX_BATCH / 2);
        own.extend(made.into_values().flatten().map(|item| item.own));
    }
    accept_nonces("k", own.iter().map(|own| &own.k));
    accept_nonces("phi", own.iter().map(|own| &own.phi));
}

const SIGNERS: [u16; 3] = [1, 2, 3];
const SID: Sid = Sid::from_bytes([6; 32]);

fn first_items() -> BTreeMap<PartyId, QuorumItem> {
    let items = items(&mut committee(&SIGNERS), &SIGNERS, 1);
    items.into_iter().map(|(me, mut items)| (me, items.remove(0))).collect()
}

fn digest() -> Digest {
    Payload::personal_message("pay 1").digest()
}

fn target(me: PartyId) -> QuorumTarget {
    let x = |id: u16| Scalar::from(1_000_003 * u64::from(id));
    let sum = SIGNERS.iter().fold(Scalar::default(), |sum, id| sum + x(*id));
    QuorumTarget { x: SecretScalar::new(x(me.get())), public_key: Secp256k1::mul_base(&sum), digest: digest() }
}

/// Gives a signer another `k`, with the commitment and the opening that fit.
fn set_k(items: &mut BTreeMap<PartyId, QuorumItem>, me: PartyId, k: Scalar) {
    let k = SecretScalar::<Secp256k1>::new(k);
    let big_r = k.public();
    let encoded_r = Secp256k1::point_to_bytes(&big_r);
    let sid = items[&me].sid;
    let (com, opening) = Commitment::commit(COMMIT, &sid, me, &encoded_r, &mut seeded(9));
    items.values_mut().filter_map(|item| item.links.get_mut(&me)).for_each(|link| link.com = com);
    let own = &mut items.get_mut(&me).unwrap().own;
    let phi = SecretScalar::new(*own.phi.expose());
    *own = OwnNonce { k, big_r, encoded_r, opening, com, phi };
}

type Sent = BTreeMap<PartyId, Vec<Draft>>;

/// What `me` hears of it.
fn inbox(sent: &Sent, me: PartyId) -> Inbox {
    let mut inbox = Inbox::default();
    for (from, drafts) in sent.iter().filter(|(from, _)| **from != me) {
        for (to, body) in drafts.iter().filter(|(to, _)| *to == To::All || *to == To::One(me)) {
            inbox.insert(*from, *to == To::All, body.clone().into());
        }
    }
    inbox
}

/// Round 3 of all; `lie` may rewrite it.
fn opened(items: BTreeMap<PartyId, QuorumItem>, lie: impl FnOnce(&mut Sent)) -> (BTreeMap<PartyId, Opened>, Sent) {
    let (mut states, mut sent) = (BTreeMap::new(), Sent::new());
    for (me, item) in items {
        let (state, drafts) = open(item, None, &SID, &target(me));
        states.insert(me, state);
        sent.insert(me, drafts);
    }
    lie(&mut sent);
    (states, sent)
}

/// Round 4 of all, and the ends.
fn ends(states: BTreeMap<PartyId, Opened>, sent: &Sent) -> Vec<Result<Signature, (PartyId, Fault)>> {
    let (mut released, mut last) = (BTreeMap::new(), Sent::new());
    let mut ends = Vec::new();
    for (me, state) in states {
        match state.release(&SID, me, &target(me), &inbox(sent, me)) {
            Ok((state, drafts)) => {
                last.insert(me, drafts);
                released.insert(me, state);
            }
            Err(end) => ends.push(Err(end)),
        }
    }
    let peers = |me| SIGNERS.into_iter().map(id).filter(move |peer| *peer != me);
    ends.extend(released.into_iter().map(|(me, state)| state.finish(peers(me), &target(me), &inbox(&last, me))));
    ends
}

// what the lies here differ from in one thing each
#[test]
fn all_three_sign() {
    let (states, sent) = opened(first_items(), |_| ());
    let ends = ends(states, &sent);
    assert_eq!(ends.len(), 3);
    for signature in ends {
        signature.unwrap().verify(&target(id(1)).public_key, &digest()).unwrap();
    }
    // with a k that was set, so that `set_k` is no lie by itself
    let mut items = first_items();
    set_k(&mut items, id(2), Scalar::from(5u64));
    let (states, sent) = opened(items, |_| ());
    assert!(self::ends(states, &sent).iter().all(Result::is_ok));
}

// attacks.md row 53
#[test]
fn row_53_the_sum_of_the_nonces_is_zero() {
    let mut items = first_items();
    let sum = *items[&id(1)].own.k.expose() + *items[&id(2)].own.k.expose();
    set_k(&mut items, id(3), -sum);
    let (states, sent) = opened(items, |_| ());
    let ends = ends(states, &sent);
    assert_eq!(ends, [1, 2, 3].map(|me| Err((id(me), Fault::DegenerateNonce))));
    assert!(Failed::<()>::new(id(1), Fault::DegenerateNonce).culprit.is_none());
}

// attacks.md row 50: with its logarithm the own R would pass every other check
#[test]
fn row_50_the_own_nonce_comes_back() {
    let mut items = first_items();
    let k = *items[&id(1)].own.k.expose();
    set_k(&mut items, id(3), k);
    let (states, sent) = opened(items, |_| ());
    let ends = ends(states, &sent);
    assert_eq!(ends[..2], [Err((id(3), Fault::Forbidden)), Err((id(1), Fault::Forbidden))]);
}

// attacks.md row 18: who guessed `beta` could use another input. That is what the equations are worth: a guess of 256 bits,
// and a wrong one burns
#[test]
fn row_18_matching_wrong_gamma_for_the_true_beta() {
    let items = first_items();
    let beta = *items[&id(1)].links[&id(2)].receiver.beta().expose();
    for (guess, passes) in [(beta, true), (beta + Scalar::from(1u64), false)] {
        let (mut states, sent) = opened(first_items(), |sent| {
            let (_, body) = sent.get_mut(&id(2)).unwrap().iter_mut().find(|(to, _)| *to == To::One(id(1))).unwrap();
            let gamma_k = Secp256k1::scalar_from_bytes(body.first_chunk().unwrap()).unwrap() + Scalar::from(1u64);
            body[..32].copy_from_slice(&Secp256k1::scalar_to_bytes(&gamma_k));
            let big_gamma = Secp256k1::point_from_bytes(&body[96..129]).unwrap() - Secp256k1::mul_base(&guess);
            body[96..129].copy_from_slice(&Secp256k1::point_to_bytes(&big_gamma));
        });
        let one = states.remove(&id(1)).unwrap().release(&SID, id(1), &target(id(1)), &inbox(&sent, id(1)));
        assert_eq!(one.map(|_| ()), if passes { Ok(()) } else { Err((id(2), Fault::Exponent)) });
    }
}
