//! Lies about `R_i` that the commitment does not stop by itself: the liar commits to what it likes.

use crate::equivocation::{echo, own_echo};
use crate::liars::*;
use crate::world::*;
use std::{cell::RefCell, collections::BTreeSet, rc::Rc};
use symbolon_core::{Sid, wire::Writer};
use symbolon_proofs::Commitment;
use symbolon_session::Fault;
use symbolon_testkit::{Crowd, seeded};

const ALL: [u16; 3] = [1, 2, 3];

/// 2 lies, and its honest half does not notice.
fn unnoticed(lie: Change) -> Vec<Liar> {
    vec![Liar { id: 2, lie, ear: own_echo(&ALL), second: None }]
}

/// What 2 commits to and opens.
struct Committing {
    big_r: [u8; 33],
    /// In whose name.
    party: u16,
    /// Under which sid; that of the run if absent.
    sid: Option<Sid>,
}

/// 2 commits and opens; its echo is the one that fits.
fn committing(Committing { big_r, party, sid }: Committing) -> Change {
    let sent = overheard(Mode::Full, &ALL);
    let mut coms: Vec<_> = ALL.iter().map(|id| (*id, bodies(&sent, *id)[&(2, 0)].clone())).collect();
    let mut opened = Vec::new();
    Box::new(move |slot, telling| match slot {
        Slot::Commit => {
            let sid = sid.unwrap_or(telling.run.sid());
            let (com, opening) = Commitment::commit("ecdsa R", &sid, id(party), &big_r, &mut seeded(1));
            coms[1].1 = com.as_bytes().to_vec();
            telling.body.clone_from(&coms[1].1);
            let mut w = Writer::new();
            opening.encode(w.bytes(&big_r));
            opened = w.finish();
        }
        Slot::Echo => telling.body.copy_from_slice(&echo(telling.run, &coms)),
        Slot::Open => telling.body[..65].copy_from_slice(&opened),
        _ => (),
    })
}

fn r_of(id: u16) -> [u8; 33] {
    bodies(&overheard(Mode::Full, &ALL), id)[&(3, 0)][..33].try_into().unwrap()
}

// what the other tests here differ from in one thing each
#[test]
fn a_commitment_of_its_own_making_signs() {
    let ends = sign(Mode::Full, &ALL, unnoticed(committing(Committing { big_r: r_of(2), party: 2, sid: None })));
    assert_signed(&ends);
}

// attacks.md row 50: the R of another, known by some accident before the commitments
#[test]
fn row_50_the_own_r_comes_back() {
    let ends = sign(Mode::Full, &ALL, unnoticed(committing(Committing { big_r: r_of(1), party: 2, sid: None })));
    assert_eq!(ends[&1], failed(Mode::Full, 1, &ALL, Fault::Forbidden, Some(2)));
    assert_eq!(ends[&3], failed(Mode::Full, 3, &ALL, Fault::Exponent, Some(2)), "2 does not know its logarithm");
}

// attacks.md row 53: R = O would need the logarithm of -(R_1 + R_3)
#[test]
fn row_53_the_negated_sum_fails_in_the_exponent() {
    use symbolon_core::{Group, Secp256k1};
    let [r_1, r_3] = [1, 3].map(|id| Secp256k1::point_from_bytes(&r_of(id)).unwrap());
    let big_r = Secp256k1::point_to_bytes(&-(r_1 + r_3));
    let ends = sign(Mode::Full, &ALL, unnoticed(committing(Committing { big_r, party: 2, sid: None })));
    for me in [1, 3] {
        assert_eq!(ends[&me], failed(Mode::Full, me, &ALL, Fault::Exponent, Some(2)));
    }
}

// attacks.md rows 28, 50: another's commitment and opening, word for word, by a liar that speaks after it
#[test]
fn row_50_a_copied_commitment_and_opening() {
    let sent = overheard(Mode::Full, &ALL);
    let mut coms: Vec<_> = ALL.iter().map(|id| (*id, bodies(&sent, *id)[&(2, 0)].clone())).collect();
    coms[1].1 = coms[0].1.clone();
    let opened = bodies(&sent, 1)[&(3, 0)][..65].to_vec();
    let lie: Change = Box::new(move |slot, telling| match slot {
        Slot::Commit => telling.body.clone_from(&coms[0].1),
        Slot::Echo => telling.body.copy_from_slice(&echo(telling.run, &coms)),
        Slot::Open => telling.body[..65].copy_from_slice(&opened),
        _ => (),
    });
    let ends = sign(Mode::Full, &ALL, unnoticed(lie));
    for me in [1, 3] {
        assert_eq!(ends[&me], failed(Mode::Full, me, &ALL, Fault::Opening, Some(2)));
    }
}

// attacks.md row 51: a commitment is bound to its party and to its run
#[test]
fn row_51_a_commitment_of_another_party_or_session() {
    // the first-frame sids of 2 and 1, and the sid of another run
    let mut sids = Vec::new();
    for seed in [SEED, SEED + 1] {
        let heard = Rc::new(RefCell::new(Vec::new()));
        let listen: Change = {
            let heard = Rc::clone(&heard);
            Box::new(move |slot, telling| {
                if slot == Slot::Commit {
                    heard.borrow_mut().extend([telling.run.sid0(), telling.run.sid0_of(id(1)), telling.run.sid()]);
                }
            })
        };
        let (all, shares) = (ids(&ALL), shares(3, 0));
        let crowd = Crowd::new([1, 3].map(|me| (id(me), full(&shares[&id(me)], &all, seed))));
        assert_signed(&ends(crowd.with_liar(id(2), full_liar(&shares[&id(2)], &all, seed, (listen, no_ear()))), &[2]));
        sids.extend_from_slice(&heard.borrow());
    }
    let distinct: BTreeSet<_> = sids.iter().map(|sid| sid.as_bytes().to_vec()).collect();
    assert_eq!(distinct.len(), 6);
    // all but that of this run
    let this = sids.remove(2);
    let signs = sign(Mode::Full, &ALL, unnoticed(committing(Committing { big_r: r_of(2), party: 2, sid: Some(this) })));
    assert_signed(&signs);
    let wrong = [(1, None), (3, None)].into_iter().chain(sids.into_iter().map(|sid| (2, Some(sid))));
    for (party, sid) in wrong {
        let ends = sign(Mode::Full, &ALL, unnoticed(committing(Committing { big_r: r_of(2), party, sid })));
        for me in [1, 3] {
            assert_eq!(ends[&me], failed(Mode::Full, me, &ALL, Fault::Opening, Some(2)));
        }
    }
}

// attacks.md row 51: R and opening that the liar has shown in another run, and in another item of the bank
#[test]
fn row_51_an_opening_of_another_run_or_item() {
    let all = ids(&ALL);
    let shares = shares(3, 0);
    let other_run = {
        let crowd = Crowd::new(all.iter().map(|me| (*me, full(&shares[me], &all, SEED + 1))));
        bodies(&crowd.run().sent, 2)[&(3, 0)][..65].to_vec()
    };
    let other_item = {
        let mut items = items(&all, ITEMS);
        let second = |me: &_| (*me, online(&shares[me], items.get_mut(me).unwrap().remove(1), SEED));
        let second: Vec<_> = all.iter().map(second).collect();
        bodies(&Crowd::new(second).run().sent, 2)[&(3, 0)][..65].to_vec()
    };
    for (mode, opened) in [(Mode::Full, other_run), (Mode::Online, other_item)] {
        let ends = sign(mode, &ALL, liar(2, at(Slot::Open, move |body| body[..65].copy_from_slice(&opened))));
        for me in [1, 3] {
            assert_eq!(ends[&me], failed(mode, me, &ALL, Fault::Opening, Some(2)));
        }
    }
}
