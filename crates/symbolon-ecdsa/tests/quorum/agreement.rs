//! Honest signers whose callers do not agree: every difference ends as a mismatch, or nobody hears the other at all.
//! Nothing is burned, nobody is named, no signature comes out.

use crate::liars::*;
use crate::world::*;
use symbolon_core::PartyId;
use symbolon_ecdsa::{
    DerivationPath, Payload, QuorumFull, QuorumOnline, QuorumPreprocess, QuorumPreprocessSetup, QuorumRequest,
};
use symbolon_session::{Agreed, Fault, Rejected};
use symbolon_testkit::{Crowd, crowd::Started};

const ALL: [u16; 3] = [1, 2, 3];
const SID: Fault = Fault::Mismatch(Agreed::Sid);

/// What one caller decides.
#[derive(Clone)]
struct Decision {
    payload: Payload,
    path: DerivationPath,
    /// Key, sharing, epoch.
    key: (u8, u8, u32),
    t: u16,
}

fn usual() -> Decision {
    Decision { payload: payload(), path: path(), key: (1, 0, 0), t: 3 }
}

fn share_of(me: PartyId, decision: &Decision) -> Share {
    let (key, sharing, epoch) = decision.key;
    shares_of(decision.t, key, sharing, epoch).remove(&me).unwrap()
}

fn decided_full(me: PartyId, signers: &[PartyId], decision: &Decision) -> Started<QuorumFull> {
    let (share, mut setups) = (share_of(me, decision), setups(me, signers));
    let Decision { payload, path, .. } = decision.clone();
    let (setup, secret) = QuorumRequest::from_scratch(&share, signers, &mut setups, payload, path).unwrap();
    start(me, setup, &secret, setups, SEED)
}

fn decided_online(me: PartyId, signers: &[PartyId], decision: &Decision) -> Started<QuorumOnline> {
    let (share, item) = (share_of(me, decision), item(me, signers));
    let Decision { payload, path, .. } = decision.clone();
    let (setup, secret) = QuorumRequest::from_bank(&share, &item, payload, path).unwrap();
    start(me, setup, &secret, item, SEED)
}

// attacks.md rows 45, 47, 67, 90, 106: message, path, epoch, sharing, key
#[test]
fn row_47_any_difference_of_the_request_is_a_mismatch_for_everybody() {
    let others = [
        Decision { payload: Payload::personal_message("pay 2"), ..usual() },
        Decision { path: "m/0/6".parse().unwrap(), ..usual() },
        Decision { path: DerivationPath::root(), ..usual() },
        Decision { key: (1, 0, 1), ..usual() },
        Decision { key: (1, 1, 0), ..usual() },
        Decision { key: (2, 0, 0), ..usual() },
    ];
    let all = ids(&ALL);
    for other in others {
        for odd in ALL {
            let decision = |me: PartyId| if me == id(odd) { other.clone() } else { usual() };
            let full = Crowd::new(all.iter().map(|me| (*me, decided_full(*me, &all, &decision(*me)))));
            let online = Crowd::new(all.iter().map(|me| (*me, decided_online(*me, &all, &decision(*me)))));
            for (mode, ends) in [(Mode::Full, ends(full, &[])), (Mode::Online, ends(online, &[]))] {
                for (me, end) in &ends {
                    assert_eq!(*end, failed(mode, *me, &ALL, SID, None));
                }
            }
        }
    }
}

// attacks.md row 94: the sets of signers differ
#[test]
fn row_94_other_signers_are_a_mismatch() {
    let one = |me: u16, signers: &[u16]| (id(me), decided_full(id(me), &ids(signers), &usual()));
    let sets: [&[u16]; 4] = [&ALL, &ALL, &[1, 3, 4], &[1, 3, 4]];
    let crowd = Crowd::new((1..).zip(sets).map(|(me, signers)| one(me, signers)));
    let ends = ends(crowd, &[]);
    // 1 and 3 mean each other, and other sets; 2 never hears 3, nor 4 hears 1
    for (me, signers) in (1..).zip(sets) {
        let mismatch = failed(Mode::Full, me, signers, SID, None);
        assert_eq!(ends[&me], if [1, 3].contains(&me) { mismatch } else { waiting(Mode::Full, me, signers) });
    }
}

// attacks.md row 94: 1 holds another setup with 3 than 3 with 1, made at another time
#[test]
fn row_94_other_setups_are_a_mismatch_of_this_pair() {
    let (all, shares) = (ids(&ALL), shares(3, 0));
    let wrong = || {
        let mut setups = setups(id(1), &all);
        setups.insert(id(3), pair_setup(Batch::Other, id(1), id(3)));
        setups
    };
    let signing = Crowd::new(all.iter().map(|me| {
        if me.get() != 1 {
            return (*me, full(&shares[me], &all, SEED));
        }
        let mut setups = wrong();
        let request = QuorumRequest::from_scratch(&shares[me], &all, &mut setups, payload(), path()).unwrap();
        (*me, start::<QuorumFull>(*me, request.0, &request.1, setups, SEED))
    }));
    let preparing = Crowd::new(all.iter().map(|me| {
        if me.get() != 1 {
            return (*me, preprocess(*me, &all, SEED));
        }
        let mut setups = wrong();
        let setup = QuorumPreprocessSetup::new(*me, &holders(&all), &mut setups, 2).unwrap();
        (*me, start::<QuorumPreprocess>(*me, setup, &(), setups, SEED))
    }));
    for ends in [ends(signing, &[]), ends(preparing, &[])] {
        for me in [1, 3] {
            assert_eq!(ends[&me], failed(Mode::Full, me, &ALL, Fault::Mismatch(Agreed::Setup), None));
        }
        assert_eq!(ends[&2], waiting(Mode::Full, 2, &ALL));
    }
}

// attacks.md row 94: suites, counts
#[test]
fn row_94_other_suites_and_counts_are_a_mismatch() {
    let all = ids(&ALL);
    for aes in [false, true] {
        let one = |me: &PartyId| {
            if me.get() != 2 {
                return (*me, preprocess(*me, &all, SEED));
            }
            let peers = all.iter().filter(|peer| *peer != me);
            let mut setups = match aes {
                true => peers.map(|peer| (*peer, pair_setup(Batch::Aes, *me, *peer))).collect(),
                false => setups(*me, &all),
            };
            let count = if aes { 2 } else { 3 };
            let setup = QuorumPreprocessSetup::new(*me, &holders(&all), &mut setups, count).unwrap();
            (*me, start::<QuorumPreprocess>(*me, setup, &(), setups, SEED))
        };
        for (me, end) in &ends(Crowd::new(all.iter().map(one)), &[]) {
            // a body of three items is longer than any of two: those that expect two refuse it, and wait
            let end_is = |expected| *end == expected;
            let mismatch = end_is(failed(Mode::Full, *me, &ALL, SID, None));
            assert!(mismatch || !aes && end_is(waiting(Mode::Full, *me, &ALL)), "{end:?}");
        }
    }
}

// attacks.md row 94: the items differ. Nobody hears anybody, and the items are gone
#[test]
fn row_94_other_items_are_other_runs() {
    let (all, shares) = (ids(&ALL), shares(3, 0));
    let mut items = items(&all, ITEMS);
    let one = |me: &PartyId| {
        let item = items.get_mut(me).unwrap().remove(usize::from(me.get() == 1));
        (*me, online(&shares[me], item, SEED))
    };
    let crowd = Crowd::new(all.iter().map(one).collect::<Vec<_>>()).run();
    assert!(crowd.rejected.iter().all(|rejected| rejected.2 == Rejected::Run));
    // 1 with 2 and 3, both ways, a broadcast and a private frame
    assert_eq!(crowd.rejected.len(), 8);
    for (me, end) in ends(crowd, &[]) {
        assert_eq!(end, waiting(Mode::Online, me, &ALL));
    }
}

// attacks.md row 59: one signer says two nonces. The honest ones do not name each other, and no setup burns
#[test]
fn row_59_two_nonces_of_a_third_are_a_mismatch() {
    let (all, shares) = (ids(&ALL), shares(3, 0));
    for odd in ALL {
        for audience in ALL.into_iter().filter(|id| *id != odd) {
            let liar = |seed| full_liar(&shares[&id(odd)], &all, seed, (no_lie(), no_ear()));
            let honest = all.iter().filter(|me| me.get() != odd);
            let crowd = Crowd::new(honest.map(|me| (*me, full(&shares[me], &all, SEED))))
                .with_liar(id(odd), liar(SEED))
                .with_second_face(id(odd), liar(SEED + 1), [id(audience)]);
            for (me, end) in ends(crowd, &[odd]) {
                assert_eq!(end, failed(Mode::Full, me, &ALL, SID, None));
            }
        }
    }
}
