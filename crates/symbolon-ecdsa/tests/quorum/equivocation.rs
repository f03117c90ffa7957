//! Liars with two faces: one frame for some, another one for others. Every honest signer would also be told the rest of
//! what its face has said, so that nothing but the lie itself is there to be found.

use crate::liars::*;
use crate::world::*;
use std::collections::{BTreeMap, BTreeSet};
use symbolon_core::{Group, PartyId, Secp256k1, Transcript};
use symbolon_ecdsa::QuorumFull;
use symbolon_session::{Error, Fault, Header, Identity, Outgoing, Protocol, Run, To, convict};
use symbolon_testkit::{
    Crowd, Ear,
    crowd::{Ended, Started},
};

/// The echo hash of these commitments, by ascending party.
pub(crate) fn echo(run: &Run, commitments: &[(u16, Vec<u8>)]) -> [u8; 32] {
    let start = Transcript::new("ecdsa", "quorum echo").part(run.sid());
    commitments.iter().fold(start, |t, (id, com)| t.number(*id).part(com)).finish()
}

/// The liar's honest half hears the echo of what it would have said itself.
pub(crate) fn own_echo(signers: &[u16]) -> Ear {
    let sent = overheard(Mode::Full, signers);
    let coms: Vec<_> = signers.iter().map(|id| (*id, bodies(&sent, *id)[&(2, 0)].clone())).collect();
    Box::new(move |run, round, _, broadcast, body| {
        if round == 3 && broadcast {
            body[..ECHO].copy_from_slice(&echo(run, &coms));
        }
    })
}

/// Says another commitment, and the echo that fits it.
fn another_commitment(me: u16, signers: &[u16], change: impl Fn(&mut Vec<u8>) + Copy + 'static) -> Change {
    let sent = overheard(Mode::Full, signers);
    let coms = signers.iter().map(|id| (*id, bodies(&sent, *id)[&(2, 0)].clone()));
    let mut coms: Vec<_> = coms.collect();
    coms.iter_mut().filter(|(id, _)| *id == me).for_each(|(_, com)| change(com));
    Box::new(move |slot, telling| match slot {
        Slot::Commit => change(telling.body),
        Slot::Echo => telling.body.copy_from_slice(&echo(telling.run, &coms)),
        _ => (),
    })
}

// attacks.md row 19: before any partial, and with all setups back
#[test]
fn row_19_two_commitments_differ_in_the_echo() {
    let flip = |com: &mut Vec<u8>| com[7] ^= 1;
    for (signers, second) in [(vec![1, 2, 3], vec![3]), (vec![1, 2, 3], vec![1]), (vec![1, 2, 3, 4], vec![4])] {
        let two_faces = || {
            let second = (another_commitment(2, &signers, flip), second.clone());
            vec![Liar { id: 2, lie: no_lie(), ear: no_ear(), second: Some(second) }]
        };
        let ends = sign(Mode::Full, &signers, two_faces());
        for (me, end) in &ends {
            assert_eq!(*end, failed(Mode::Full, *me, &signers, Fault::View, None));
        }
        // the same commitment for everybody, and no way to open it: the echo agrees
        let lie = another_commitment(2, &signers, flip);
        let ends = sign(Mode::Full, &signers, vec![Liar { id: 2, lie, ear: own_echo(&signers), second: None }]);
        for (me, end) in &ends {
            assert_eq!(*end, failed(Mode::Full, *me, &signers, Fault::Opening, Some(2)));
        }
    }
    // for the bank: two items, of one of which there are two commitments
    let second = (at(Slot::Commit, |body| body[40] ^= 1), vec![3]);
    let ends = prepare(&[1, 2, 3], vec![Liar { id: 2, lie: no_lie(), ear: no_ear(), second: Some(second) }]);
    for (me, end) in &ends {
        assert_eq!(*end, failed(Mode::Full, *me, &[1, 2, 3], Fault::View, None));
    }
}

// attacks.md row 19: another R_i for one peer only is not what was committed
#[test]
fn row_19_two_openings() {
    for mode in MODES {
        let signers = [1, 2, 3, 4];
        let second = at(Slot::Open, |body| add_point(body, 0, &Secp256k1::generator()));
        let ends =
            sign(mode, &signers, vec![Liar { id: 2, lie: no_lie(), ear: no_ear(), second: Some((second, vec![4])) }]);
        assert_eq!(ends[&4], failed(mode, 4, &signers, Fault::Opening, Some(2)));
        for me in [1, 3] {
            assert_eq!(ends[&me], waiting(mode, me, &signers), "no partial of 4 comes");
        }
    }
}

/// Towards one peer, a share that is larger by `d`, in the broadcast and in the multiplication.
fn shifted_share(d: Scalar, view: Option<Vec<u8>>) -> Change {
    Box::new(move |slot, telling| match (slot, &view) {
        (Slot::Open, _) => add_point(telling.body, 65, &Secp256k1::mul_base(&d)),
        (Slot::Give(4), _) => add_scalar(telling.body, 32, d),
        (Slot::Release, Some(view)) => telling.body[64..].copy_from_slice(view),
        _ => (),
    })
}

// attacks.md row 18: two liars shift their public shares towards one peer so that the sum is right. Its view differs from
// that of the others, and no hash that the liars send makes up for it
#[test]
fn row_18_two_liars_whose_shifts_cancel_at_one_peer() {
    for mode in MODES {
        let signers = [1, 2, 3, 4];
        let d = Scalar::from(5u64);
        let liars = |view: &Option<Vec<u8>>| {
            let shifted = |d| Some((shifted_share(d, view.clone()), vec![4]));
            vec![
                Liar { id: 1, lie: no_lie(), ear: no_ear(), second: shifted(d) },
                Liar { id: 2, lie: no_lie(), ear: no_ear(), second: shifted(-d) },
            ]
        };
        // the victim's own view hash, from a first run
        let sent = match mode {
            Mode::Full => full_crowd(&signers, liars(&None)).run().sent,
            Mode::Online => online_crowd(&signers, liars(&None)).run().sent,
        };
        let view = |id| bodies(&sent, id)[&(4, 0)][64..].to_vec();
        assert_ne!(view(4), view(3), "both have released, and told each other");
        let ends = sign(mode, &signers, liars(&Some(view(4))));
        for me in [3, 4] {
            assert_eq!(ends[&me], failed(mode, me, &signers, Fault::View, None));
        }
    }
}

// a wrong partial for one: the others have the signature, and the one names nobody
#[test]
fn row_48_two_partials() {
    for mode in MODES {
        let signers = [1, 2, 3];
        let second = at(Slot::Release, |body| add_scalar(body, 0, Scalar::from(1u64)));
        let ends =
            sign(mode, &signers, vec![Liar { id: 2, lie: no_lie(), ear: no_ear(), second: Some((second, vec![3])) }]);
        assert!(matches!(ends[&1], End::Signed(_)));
        assert_eq!(ends[&3], failed(mode, 3, &signers, Fault::Signature, None));
    }
}

/// Whom two of these frames convict.
fn convicted_by(frames: &[impl AsRef<[u8]>]) -> Vec<u16> {
    let convicts = |party: &u16| {
        let Identity::Key(key) = identity(id(*party)).identity() else { unreachable!("members have keys") };
        frames.iter().any(|a| frames.iter().any(|b| convict(a.as_ref(), b.as_ref(), &key)))
    };
    (1..=N).filter(convicts).collect()
}

/// The broadcasts that these parties have kept, by party; they have all found out that their views differ.
fn views<P: Protocol + 'static>(crowd: Crowd<P>, honest: &[u16]) -> BTreeMap<u16, Vec<Vec<u8>>> {
    let mut ends = crowd.run().ends;
    let view = |me: &u16| match ends.remove(&id(*me)) {
        Some(Ended::Failed(Error::Aborted(aborted))) => {
            assert_eq!((aborted.fault, aborted.culprit), (Fault::View, None));
            (*me, aborted.view)
        }
        _ => panic!("no view at {me}"),
    };
    honest.iter().map(view).collect()
}

// attacks.md row 19: what the honest signers have kept convicts who has said two things, in every run that can end so
#[test]
fn row_19_two_commitments_convict_their_signer() {
    let two_faces = |slot, flip: fn(&mut Vec<u8>), audience: &[u16]| {
        vec![Liar { id: 2, lie: no_lie(), ear: no_ear(), second: Some((at(slot, flip), audience.to_vec())) }]
    };
    let flip = |body: &mut Vec<u8>| body[7] ^= 1;
    for (signers, honest) in [(&[1, 2, 3][..], &[1, 3][..]), (&[1, 2, 3, 4], &[1, 3, 4])] {
        let last = &honest[honest.len() - 1..];
        let lie = || two_faces(Slot::Commit, flip, last);
        for views in [views(full_crowd(signers, lie()), honest), views(prepare_crowd(signers, lie()), honest)] {
            let odd = &views[&last[0]];
            for (me, view) in &views {
                assert_eq!(view.len(), 2 * (signers.len() - 1), "commitments and echoes");
                assert!(view.iter().all(|frame| Header::parse(frame).unwrap().to == To::All));
                assert_eq!(convicted_by(view), [0; 0], "nobody alone can tell");
                let pooled = [&view[..], odd].concat();
                assert_eq!(convicted_by(&pooled), if *me == last[0] { vec![] } else { vec![2] });
            }
        }
    }
    // from the bank: the last hash of 2, wrong for 3 alone, is a lie that only 3 finds; it keeps what it has heard
    let crowd = online_crowd(&[1, 2, 3], two_faces(Slot::Release, |body| body[70] ^= 1, &[3]));
    let view = views(crowd, &[3]).remove(&3).unwrap();
    assert_eq!(view.len(), 4);
    let sent: Vec<_> =
        online_crowd(&[1, 2, 3], Vec::new()).run().sent.into_iter().map(|(_, frame)| frame.bytes).collect();
    assert_eq!(convicted_by(&[&view[..], &sent].concat()), [2]);
}

// attacks.md row 62: two frames for one slot convict their signer; the setups come back, that with the signer too
#[test]
fn row_62_two_frames_for_one_slot_name_their_signer() {
    let (signers, all) = ([1, 2, 3], ids(&[1, 2, 3]));
    let said = |sent: &[(PartyId, Outgoing)], round: u8, to: To| {
        let is = |(from, frame): &&(PartyId, Outgoing)| {
            let header = Header::parse(&frame.bytes).unwrap();
            *from == id(2) && header.round == round && header.to == to
        };
        sent.iter().find(is).unwrap().1.clone()
    };
    // the first frames
    let lie = at(Slot::Extend(1), |body| body[20] ^= 1);
    let [one, other] =
        [no_lie(), lie].map(|lie| said(&full_crowd(&signers, liar(2, lie)).run().sent, 1, To::One(id(1))));
    let (mut session, _) = full(&shares(3, 0)[&id(1)], &all, SEED);
    assert!(session.handle(id(2), &other.bytes).is_ok());
    let Err(Error::Aborted(aborted)) = session.handle(id(2), &one.bytes) else { panic!("two frames") };
    assert_eq!((aborted.fault, aborted.culprit), (Fault::Equivocation, Some(id(2))));
    assert_eq!(aborted.held.unwrap().into_keys().collect::<Vec<_>>(), ids(&[2, 3]));
    assert_eq!(convicted_by(&aborted.evidence.unwrap()[..]), [2]);
    // each in a slot that is still open when the other frame comes
    let lies = [
        (Slot::Multiply(1), 2, To::One(id(1)), at(Slot::Multiply(1), |body| body[20] ^= 1)),
        (Slot::Open, 3, To::All, at(Slot::Open, |body| body[40] ^= 1)),
    ];
    for (slot, round, to, lie) in lies {
        let sent = full_crowd(&signers, liar(2, lie)).run().sent;
        let other = said(&sent, round, to);
        let crowd = full_crowd(&signers, liar(2, no_lie())).with_replay(id(2), &other, 0).run();
        let Ended::Failed(Error::Aborted(aborted)) = &crowd.ends[&id(1)] else { panic!("two frames") };
        assert_eq!(convicted_by(&aborted.evidence.as_ref().unwrap()[..]), [2]);
        let ends = ends(crowd, &[2]);
        assert_eq!(ends[&1], failed(Mode::Full, 1, &signers, Fault::Equivocation, Some(2)));
        if slot == Slot::Open {
            assert_eq!(ends[&3], failed(Mode::Full, 3, &signers, Fault::Equivocation, Some(2)));
        } else {
            assert_eq!(ends[&3], waiting(Mode::Full, 3, &signers));
        }
    }
}

/// 2 against honest signers, by their seeds.
fn against(liar_seed: u64, honest_seed: u64) -> Vec<(PartyId, Outgoing)> {
    let (shares, all) = (shares(3, 0), ids(&[1, 2, 3]));
    let one = |me: u16, seed: u64| -> (PartyId, Started<QuorumFull>) { (id(me), full(&shares[&id(me)], &all, seed)) };
    Crowd::new([one(1, honest_seed), one(2, liar_seed), one(3, honest_seed)]).run().sent
}

// attacks.md row 12: nonces are drawn after the peers' nonces are in: honest signers that say the same first frames twice,
// as clones do, open other R_i when one peer's seed differs
#[test]
fn row_12_a_repeated_seed_gives_other_nonces() {
    let runs: Vec<_> = (0..4).map(|n| against(SEED + n, SEED)).collect();
    for me in [1, 3] {
        let distinct = |part: fn(&Bodies) -> &[u8]| {
            runs.iter().map(|sent| part(&bodies(sent, me)).to_vec()).collect::<BTreeSet<_>>().len()
        };
        assert_eq!(distinct(|said| &said[&(1, 2)]), 1, "a clone");
        assert_eq!(distinct(|said| &said[&(2, 0)]), runs.len(), "commitments");
        assert_eq!(distinct(|said| &said[&(3, 0)][..33]), runs.len(), "R_i");
    }
    // R_i of two items each, of batches of the same honest seeds
    let all = ids(&[1, 2, 3]);
    let mut opened = BTreeMap::<PartyId, BTreeSet<Vec<u8>>>::new();
    for n in 0..2 {
        let seed = |me: PartyId| SEED + if me == id(2) { n } else { 0 };
        let made = Crowd::new(all.iter().map(|me| (*me, preprocess(*me, &all, seed(*me))))).outputs();
        let mut made: BTreeMap<_, _> = made.into_iter().map(|(me, (items, _))| (me, items)).collect();
        for _ in 0..2 {
            let mut next = |me: &PartyId| online(&shares(3, 0)[me], made.get_mut(me).unwrap().remove(0), SEED);
            let started: Vec<_> = all.iter().map(|me| (*me, next(me))).collect();
            let sent = Crowd::new(started).run().sent;
            for me in &all {
                opened.entry(*me).or_default().insert(bodies(&sent, me.get())[&(3, 0)][..33].to_vec());
            }
        }
    }
    assert!(opened.values().all(|points| points.len() == 4));
}

/// Nothing in one multiplication message tells of the other one: no scalar appears in both, and no two rows differ alike.
fn assert_unrelated(one: &[u8], other: &[u8]) {
    let scalars = |body: &[u8]| -> Vec<Vec<u8>> { body.chunks(32).map(<[u8]>::to_vec).collect() };
    let (one, other) = (scalars(one), scalars(other));
    assert_eq!(one.len(), 768 * 3 + 2);
    let set: BTreeSet<_> = one.iter().collect();
    assert!(other.iter().all(|scalar| !set.contains(scalar)));
    // without mu, which is no scalar
    let differences = one
        .iter()
        .zip(&other)
        .take(768 * 3 + 1)
        .map(|(a, b)| Secp256k1::scalar_to_bytes(&(scalar_at(a, 0) - scalar_at(b, 0))));
    let differences: BTreeSet<_> = differences.collect();
    assert_eq!(differences.len(), 768 * 3 + 1);
}

// attacks.md rows 12, 96: a liar says nonce and extension of an earlier run again, and gets other pads
#[test]
fn row_96_a_repeated_extension_gets_other_pads() {
    let (first, second) = (against(SEED, SEED), against(SEED, SEED + 1));
    for to in [1, 3] {
        assert_eq!(bodies(&first, 2)[&(1, to)], bodies(&second, 2)[&(1, to)], "the same extension");
        assert_unrelated(&bodies(&first, to)[&(2, 2)], &bodies(&second, to)[&(2, 2)]);
    }
}

// attacks.md row 12: an honest signer whose generator repeats itself, against other randomness of the peer
#[test]
fn row_12_a_repeated_seed_gives_other_multiplications() {
    let (first, second) = (against(SEED, SEED), against(SEED + 1, SEED));
    for me in [1, 3] {
        for to in [1, 2, 3].into_iter().filter(|to| *to != me) {
            assert_unrelated(&bodies(&first, me)[&(2, to)], &bodies(&second, me)[&(2, to)]);
        }
    }
}
