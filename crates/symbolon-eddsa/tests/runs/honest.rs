//! Runs in which nobody lies.

use crate::world::*;
use rand_core::Rng;
use std::collections::BTreeMap;
use symbolon_core::{Ed25519, PartyId, Secp256k1, Threshold};
use symbolon_eddsa::{FrostItem, FrostOnline, FrostOnlineSetup, FrostPreprocess, FrostPreprocessSetup, FrostRequest};
use symbolon_eddsa::{FrostSign, PublicKey, Signature};
use symbolon_session::{Auth, Error, Protocol, Rejected, Roster, Session, Step, To};
use symbolon_sharing::{Dkg, DkgSetup, Factors, Refreshes, Reshare, Scheme, refresh};
use symbolon_testkit::{Crowd, crowd::Started, seeded};

/// How the frames of a run are authenticated.
#[derive(Clone, Copy)]
enum By {
    Signature,
    Channel,
}

fn started<P: Protocol>(by: By, me: PartyId, setup: P::Setup, secrets: &P::LongTerm, input: P::Input) -> Started<P> {
    let auth = match by {
        By::Signature => Auth::Signed(identity(me)),
        By::Channel => Auth::Channel,
    };
    Session::start(setup, secrets, input, label(), auth, &mut seeded(me.get().into())).unwrap()
}

/// Delivers in an order that the seed chooses, some frames twice. What comes too early is delivered again, as a transport
/// does.
fn shuffled<P: Protocol>(parties: Vec<(PartyId, Started<P>)>, seed: u64) -> BTreeMap<PartyId, P::Output> {
    let mut rng = seeded(seed);
    let (mut sessions, mut mail, mut outputs) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
    let all: Vec<_> = parties.iter().map(|(me, _)| *me).collect();
    let post = |mail: &mut Vec<_>, from: PartyId, frames: Vec<symbolon_session::Outgoing>| {
        for frame in frames {
            assert_eq!(frame.to, To::All);
            mail.extend(all.iter().filter(|to| **to != from).map(|to| (from, *to, frame.bytes.clone())));
        }
    };
    for (me, (session, frames)) in parties {
        sessions.insert(me, session);
        post(&mut mail, me, frames);
    }
    let mut steps = 0;
    while !mail.is_empty() {
        steps += 1;
        assert!(steps < 10_000);
        let at = usize::try_from(rng.next_u64() % u64::try_from(mail.len()).unwrap()).unwrap();
        let (from, to, frame) = mail.swap_remove(at);
        if rng.next_u32().is_multiple_of(5) {
            mail.push((from, to, frame.clone()));
        }
        match sessions.get_mut(&to).unwrap().handle(from, &frame) {
            Ok(Step::Continue(frames)) => post(&mut mail, to, frames),
            Ok(Step::Done(output, _, frames)) => {
                post(&mut mail, to, frames);
                outputs.insert(to, output);
            }
            Ok(Step::Prepared(..)) => panic!("no key is made"),
            Err(Error::Rejected(Rejected::Finished)) => (),
            Err(Error::Rejected(Rejected::Run | Rejected::Early)) => mail.push((from, to, frame)),
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(outputs.len(), all.len());
    outputs
}

/// All have the same signature, and it is one.
fn same<C: Curve>(made: BTreeMap<PartyId, Signature<C>>, key: &PublicKey<C>, message: &[u8]) -> Signature<C> {
    let first = *made.values().next().unwrap();
    assert!(made.values().all(|signature| *signature == first));
    assert_eq!(first.verify(key, message), Ok(()));
    assert!(C::strict(key, message, &first));
    first
}

/// Both ways to a signature.
fn both_ways<C: Curve>(shares: &Shares<C>, signers: &[u16], message: &[u8], by: By, seed: u64) {
    let all = ids(signers);
    let key = PublicKey::of(&shares[&all[0]]);
    let one = |me: &PartyId| {
        let request = FrostRequest::new(&shares[me], &all, message).unwrap();
        assert_eq!((request.public_key(), request.message()), (&key, message));
        (*me, started::<FrostSign<C>>(by, *me, request, &shares[me], ()))
    };
    let at_once = same(shuffled(all.iter().map(one).collect(), seed), &key, message);

    let one = |me: &PartyId| {
        let setup = FrostPreprocessSetup::new(&shares[me], &all, 1).unwrap();
        (*me, started::<FrostPreprocess<C>>(by, *me, setup, &shares[me], ()))
    };
    let items = shuffled(all.iter().map(one).collect(), seed + 1);
    let one = |(me, items): (PartyId, Vec<FrostItem<C>>)| {
        let [item] = <[_; 1]>::try_from(items).map_err(|_| ()).unwrap();
        let setup = FrostOnlineSetup::new(&shares[&me], &item, message).unwrap();
        (me, started::<FrostOnline<C>>(by, me, setup, &shares[&me], item))
    };
    let banked = same(shuffled(items.into_iter().map(one).collect(), seed + 2), &key, message);
    assert_ne!(at_once, banked);
}

#[test]
fn two_of_two_over_a_channel_and_signed() {
    fn check<C: Curve>() {
        let shares = shares::<C>(2);
        for seed in 0..8 {
            both_ways(&shares, &[1, 2], MESSAGE, By::Channel, seed);
            both_ways(&shares, &[2, 5], MESSAGE, By::Signature, seed);
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md row 62: any order, some frames twice; t, t + 1 and all signers
#[test]
fn row_62_any_signers_in_any_order() {
    fn check<C: Curve>() {
        for (t, sets) in [
            (2, [&[1, 3][..], &[1, 2, 4], &[1, 2, 3, 4, 5]]),
            (3, [&[5, 1, 3], &[2, 3, 4, 5], &[5, 4, 3, 2, 1]]),
            (5, [&[1, 2, 3, 4, 5], &[5, 4, 3, 2, 1], &[3, 1, 2, 5, 4]]),
        ] {
            let shares = shares::<C>(t);
            for (seed, signers) in (0..).zip(sets) {
                both_ways(&shares, signers, MESSAGE, By::Signature, 10 * seed);
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

#[test]
fn messages_of_any_length() {
    fn check<C: Curve>() {
        let shares = shares::<C>(2);
        for (seed, len) in [0, 1, 64, 1232, 100_000].into_iter().enumerate() {
            both_ways(&shares, &[1, 2, 3], &vec![0xa5; len], By::Signature, u64::try_from(seed).unwrap());
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

/// A key that its holders have made together.
fn keygen<C: Curve>(t: u16, n: u16) -> Shares<C> {
    let all: Vec<_> = (1..=n).map(id).collect();
    let one = |me: &PartyId| {
        let roster = Roster::new(*me, all.iter().map(|id| (*id, identity(*id).identity()))).unwrap();
        let setup = DkgSetup::new(roster, Threshold::new(t, n.into()).unwrap(), Scheme::Frost).unwrap();
        (*me, start::<Dkg<C>>(*me, setup, &(), (), 9))
    };
    Crowd::new(all.iter().map(one)).outputs().into_iter().map(|(me, (share, _))| (me, share)).collect()
}

fn refreshed<C: Curve>(shares: &Shares<C>) -> Shares<C> {
    let any = shares.values().next().unwrap();
    let dealers: Vec<_> = shares.keys().copied().take(any.threshold().get().into()).collect();
    let one = |(me, share): (&PartyId, &symbolon_sharing::KeyShare<C>)| {
        let (setup, source) = refresh(share, &dealers, share.epoch() + 1, Factors::Gone).unwrap();
        (*me, start::<Reshare<C, Refreshes>>(*me, setup, &source, (), 10))
    };
    let made = Crowd::new(shares.iter().map(one)).outputs();
    made.into_iter().map(|(me, (reshared, _))| (me, reshared.share.unwrap())).collect()
}

// attacks.md rows 66, 67: after a refresh the key is the same one, and the epochs do not mix
#[test]
fn row_67_a_generated_key_signs_before_and_after_a_refresh() {
    fn check<C: Curve>() {
        for (t, n, sets) in
            [(2, 2, [&[1, 2][..], &[1, 2]]), (2, 3, [&[1, 3], &[1, 2, 3]]), (3, 5, [&[2, 4, 5], &[1, 2, 3, 5]])]
        {
            let old = keygen::<C>(t, n);
            let new = refreshed(&old);
            let (was, is) = (&old[&id(1)], &new[&id(1)]);
            assert!(was.public_key() == is.public_key() && is.epoch() == 1 && was.scheme() == Scheme::Frost);
            assert_ne!(was.sharing_id(), is.sharing_id());
            for (seed, signers) in (0..).zip(sets) {
                both_ways(&old, signers, MESSAGE, By::Signature, seed);
                both_ways(&new, signers, MESSAGE, By::Signature, seed);
            }
            // one holder is left behind
            let mixed = ids(sets[0]).into_iter().map(|me| {
                let share = if me == id(sets[0][0]) { &old[&me] } else { &new[&me] };
                (me, sign(share, &ids(sets[0]), MESSAGE, 1))
            });
            for (me, end) in Crowd::new(mixed.collect::<Vec<_>>()).run().ends {
                let error = end.failed();
                let mismatch = symbolon_session::Fault::Mismatch(symbolon_session::Agreed::Sid);
                assert_eq!((error.fault(), error.culprit()), (Some(mismatch), None), "{me}");
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}
