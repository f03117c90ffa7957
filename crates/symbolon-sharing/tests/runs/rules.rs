//! Bad arguments, before any message; batches; what a value of the outcome says; vectors of others.

use crate::dkg;
use crate::lies::{Forger, ends, lied};
use crate::net::*;
use crate::reshare::*;
use symbolon_core::{Ed25519, Group, PartyId, Secp256k1, SecretScalar, Threshold, Transcript, wire::DecodeError};
use symbolon_proofs::FeldmanVector;
use symbolon_session::*;
use symbolon_sharing::*;

type G = Secp256k1;

fn error<G: Group>(me: u16, share: Option<&KeyShare<G>>, plan: Plan<G>) -> Option<PlanError> {
    let consent = Consent::new(plan.changes());
    hand_over(id(me), share, plan, &consent).err()
}

// attacks.md rows 35, 36, 68, 103 and the bad inputs of the issue
#[test]
fn rows_35_36_68_bad_plans_are_refused_before_any_message() {
    let shares = dkg::keygen::<G>(2, 3, 20);
    let share = &shares[&id(1)];
    let base = || plan_to(&shares, &ids(&[1, 2]), &[(1, 1), (2, 2), (3, 3), (4, 4)], 2);
    assert_eq!(error(1, Some(share), base()), None);
    // thresholds 0 and 1, t > n, n = 0
    for (t, n) in [(0, 3), (1, 3), (4, 3), (2, 0), (2, 1)] {
        assert!(Threshold::new(t, n).is_err());
    }
    assert_eq!(error(1, Some(share), Plan { threshold: th(5), ..base() }), Some(PlanError::Threshold));
    assert_eq!(error::<G>(4, None, Plan { old_threshold: th(4), ..base() }), Some(PlanError::Threshold));
    assert_eq!(error(1, Some(share), Plan { new: vec![], ..base() }), Some(PlanError::Threshold));
    assert!(PartyId::new(0).is_err());
    // n above the bound
    let many: Vec<_> = (1..=256u16).map(|i| (id(i), Identity::Key([u8::try_from(i % 251).unwrap(); 32]))).collect();
    assert!(matches!(
        error(1, Some(share), Plan { new: many, ..base() }),
        Some(PlanError::Duplicate(_) | PlanError::Roster(_))
    ));
    // signer sets of t - 1 and t + 1, a foreign signer, one twice
    for (dealers, expected) in [
        (&[1][..], PlanError::Dealers { got: 1, needed: 2 }),
        (&[1, 2, 3], PlanError::Dealers { got: 3, needed: 2 }),
        (&[], PlanError::Dealers { got: 0, needed: 2 }),
        (&[1, 7], PlanError::ForeignDealer(id(7))),
        (&[1, 1], PlanError::Duplicate(id(1))),
    ] {
        assert_eq!(refresh(share, &ids(dealers), 1, Factors::Gone).err(), Some(expected));
    }
    // duplicates in the new committee, by id and by identity
    let twice = [base().new, members([4])].concat();
    assert_eq!(error(1, Some(share), Plan { new: twice, ..base() }), Some(PlanError::Duplicate(id(4))));
    let clone = [base().new, vec![(id(5), key(4).identity())]].concat();
    assert!(matches!(
        error(1, Some(share), Plan { new: clone, ..base() }),
        Some(PlanError::Roster(RosterError::Duplicate(_)))
    ));
    // a dealer that is somebody else in the new committee
    let stolen = Plan { new: vec![(id(1), key(9).identity()), (id(3), key(3).identity())], ..base() };
    assert_eq!(error(1, Some(share), stolen), Some(PlanError::Duplicate(id(1))));
    let other = Plan { dealers: vec![(id(1), key(8).identity()), (id(2), key(2).identity())], ..base() };
    assert_eq!(error(1, Some(share), other), Some(PlanError::ForeignDealer(id(1))));
    // self missing
    assert!(matches!(error::<G>(9, None, base()), Some(PlanError::Roster(RosterError::NotAMember(_)))));
    // a dealer without its share, with another member's, with another key's, of another epoch
    assert_eq!(error::<G>(1, None, base()), Some(PlanError::NoShare));
    assert_eq!(error(1, Some(&shares[&id(2)]), base()), Some(PlanError::OtherKey));
    let foreign = dkg::keygen::<G>(2, 3, 21);
    assert_eq!(error(1, Some(&foreign[&id(1)]), base()), Some(PlanError::OtherKey));
    let fresh = refreshed(&shares, &ids(&[1, 2]), 22);
    assert_eq!(error(1, Some(&fresh[&id(1)]), base()), Some(PlanError::OtherEpoch));
    assert_eq!(
        error(1, Some(share), plan_to(&fresh, &ids(&[1, 2]), &[(1, 1), (4, 4)], 2)),
        Some(PlanError::OtherEpoch)
    );
    // epochs that do not rise
    assert_eq!(refresh(&fresh[&id(1)], &ids(&[1, 2]), 1, Factors::Gone).err(), Some(PlanError::Epoch));
    // keys: none, one twice
    assert_eq!(refresh_batch::<G>(&[], &ids(&[1, 2])).err(), Some(PlanError::Keys));
    let same = [(share, 1, Factors::Gone), (share, 2, Factors::Gone)];
    assert_eq!(refresh_batch(&same, &ids(&[1, 2])).err(), Some(PlanError::Keys));
    let mixed = [(share, 1, Factors::Gone), (&shares[&id(2)], 1, Factors::Gone)];
    assert!(refresh_batch(&mixed, &ids(&[1, 2])).is_err());
    // an ECDSA key on the other curve, and a threshold above the roster
    let roster = || Roster::new(id(1), members(1..=3)).unwrap();
    assert_eq!(DkgSetup::<Ed25519>::new(roster(), th(2), Scheme::Ecdsa), Err(DkgError::Scheme));
    assert_eq!(DkgSetup::<G>::new(roster(), th(4), Scheme::Ecdsa), Err(DkgError::Threshold));
}

// attacks.md row 93: consent names exactly what changes
#[test]
fn row_93_consent_names_what_changes() {
    let shares = dkg::keygen::<G>(2, 3, 23);
    let plan = plan_to(&shares, &ids(&[1, 2]), &[(1, 1), (2, 2), (4, 4)], 3);
    let changes = plan.changes();
    let expected =
        [Change::Adds(id(4), key(4).identity()), Change::Removes(id(3)), Change::Threshold { from: 2, to: 3 }];
    assert_eq!(Consent::new(expected), Consent::new(changes.clone()));
    let share = Some(&shares[&id(1)]);
    assert!(hand_over(id(1), share, plan.clone(), &Consent::new(expected)).is_ok());
    for left_out in 0..3 {
        let mut fewer = changes.clone();
        fewer.remove(left_out);
        assert_eq!(hand_over(id(1), share, plan.clone(), &Consent::new(fewer)).err(), Some(PlanError::Consent));
    }
    let more = [changes, vec![Change::Removes(id(2))]].concat();
    assert_eq!(hand_over(id(1), share, plan, &Consent::new(more)).err(), Some(PlanError::Consent));
    let nothing = Plan::of(&shares[&id(1)], &ids(&[1, 2]), 1, Factors::Gone);
    assert_eq!(error(1, share, nothing), Some(PlanError::NothingChanges));
    // the same id with another identity is a replacement, not nothing
    let replaced = plan_to(&shares, &ids(&[1, 2]), &[(1, 1), (2, 2), (3, 9)], 2);
    assert_eq!(replaced.changes(), [Change::Replaces(id(3), key(9).identity())]);
}

// attacks.md row 41
#[test]
fn row_41_an_import_that_does_not_fit_is_refused() {
    let secret = SecretScalar::<G>::random(&mut rng(50));
    let plan = |public_key| Import::<G> {
        dealer: members([9])[0],
        new: members([1, 2, 3]),
        threshold: th(2),
        scheme: Scheme::Ecdsa,
        public_key,
    };
    let own = || Some((SecretScalar::new(*secret.expose()), [0; 32]));
    assert!(import(id(9), own(), plan(secret.public())).is_ok());
    assert_eq!(import(id(9), own(), plan(G::generator())).err(), Some(PlanError::OtherKey));
    assert_eq!(import(id(9), own(), plan(G::identity())).err(), Some(PlanError::ZeroKey));
    assert_eq!(import(id(9), None, plan(secret.public())).err(), Some(PlanError::NoShare));
    assert_eq!(import(id(1), own(), plan(secret.public())).err(), Some(PlanError::NoShare));

    // the dealer deals another key than all expect: shares, commitments and key are consistent among themselves
    let plan = Import { dealer: members([1])[0], new: members([2, 3, 4]), ..plan(secret.public()) };
    let ready = [1, 2, 3, 4].map(|me| import(id(me), own().filter(|_| me == 1), plan.clone()).unwrap());
    let mut statement = G::point_to_bytes(&secret.public()).to_vec();
    statement.push(1);
    statement.extend(Transcript::new("reshare", "chain code").part([0; 32]).finish());
    let f = [G::random_scalar(&mut rng(51)), G::random_scalar(&mut rng(52))];
    let lie = Forger::<G>::new("reshare dealing", &f, &statement).lie(f.to_vec(), vec![0; 32]);
    let net = lied::<Reshare<G, Imports>>(Vec::from(ready), vec![(id(1), lie)]);
    for victim in [2, 3, 4] {
        ends(&net, &[1], victim, Fault::ConstantTerm, Some(1));
    }
}

/// An imported share is no key share, not even as bytes.
#[test]
fn row_41_an_imported_share_is_another_object() {
    let secret = SecretScalar::<G>::random(&mut rng(53));
    let plan = Import::<G> {
        dealer: members([1])[0],
        new: members([1, 2]),
        threshold: th(2),
        scheme: Scheme::Ecdsa,
        public_key: secret.public(),
    };
    let ready = [1, 2].map(|me| {
        let key = (me == 1).then(|| (SecretScalar::new(*secret.expose()), [0; 32]));
        import(id(me), key, plan.clone()).unwrap()
    });
    let outputs = reshare(Vec::from(ready), 54);
    let bytes = outputs[&id(1)].to_secret_bytes();
    assert!(KeyShare::<G>::decode(&mut symbolon_core::wire::Reader::new(&bytes)).is_err());
    let again = Imported::<G>::decode(&mut symbolon_core::wire::Reader::new(&bytes)).unwrap();
    assert_eq!(*again.to_secret_bytes(), *bytes);
}

// attacks.md rows 92, 103
#[test]
fn rows_92_103_health_and_retire() {
    let shares = dkg::keygen::<G>(2, 3, 24);
    let ready = shares.values().map(|s| refresh(s, &ids(&[1, 2]), 1, Factors::Gone).unwrap()).collect();
    let mut outputs = reshare(ready, 25);
    let mut reshared = outputs.remove(&id(1)).unwrap();
    let (mut health, new) = (reshared.health, reshared.share.take().unwrap());
    assert!(!health.old_sharing_is_dead() && health.old_shares.len() == 3 && health.stale_backups.len() == 3);
    let mut old = shares;
    let mine = old.remove(&id(1)).unwrap();
    let consent = Consent::new([Change::Retires(mine.key_id(), 0)]);
    let resealed = Resealed::with(&new);
    // before the others have finished, without consent, with a token of the old epoch, with another key's outcome: the share
    // comes back
    let (mine, error) = retire(mine, &mut health, &resealed, &consent).err().unwrap();
    assert_eq!(error, RetireError::Unfinished);
    ids(&[2, 3]).into_iter().for_each(|holder| health.note_finished(holder));
    let (mine, error) = retire(mine, &mut health, &resealed, &Consent::new([])).err().unwrap();
    assert_eq!(error, RetireError::Consent);
    let stale = Resealed::with(&mine);
    let (mine, error) = retire(mine, &mut health, &stale, &consent).err().unwrap();
    assert_eq!(error, RetireError::NotResealed);
    let (new, error) = retire(new, &mut health, &resealed, &consent).err().unwrap();
    assert_eq!(error, RetireError::NotReplaced);
    assert_eq!(health.old_shares.len(), 3);
    assert!(retire(mine, &mut health, &resealed, &consent).is_ok());
    assert_eq!(health.old_shares, [id(2), id(3)].into());
    // two of three are needed: one left is harmless, a backup of another one is not
    health.note_retired(id(2));
    assert!(!health.old_sharing_is_dead(), "the backups of 2 and 3 are the key");
    health.note_resealed(id(2));
    assert!(health.old_sharing_is_dead());
    // a kept factor, an import
    let ready = old_with_factor(&new).map(|s| refresh(&s, &ids(&[1, 2]), 2, Factors::Kept)).collect::<Vec<_>>();
    assert!(ready.iter().all(Result::is_ok));
    health.marks.factor_kept = true;
    assert!(!health.old_sharing_is_dead());
}

fn old_with_factor(share: &KeyShare<G>) -> impl Iterator<Item = KeyShare<G>> {
    let bytes = share.to_secret_bytes();
    std::iter::once(KeyShare::decode(&mut symbolon_core::wire::Reader::new(&bytes)).unwrap())
}

/// The decision on the factors is in every outcome.
#[test]
fn row_103_a_kept_factor_is_shown_in_every_outcome() {
    let shares = dkg::keygen::<G>(2, 2, 26);
    let ready = shares.values().map(|s| refresh(s, &ids(&[1, 2]), 1, Factors::Kept).unwrap()).collect();
    let kept = new_shares(reshare(ready, 27));
    assert!(kept.values().all(|s| s.marks().factor_kept));
    let again = refreshed(&kept, &ids(&[1, 2]), 28);
    assert!(again.values().all(|s| s.marks().factor_kept), "marks only get added");
}

/// 2-of-2 with opaque names to 2-of-3 with keys.
#[test]
fn a_two_party_wallet_becomes_two_of_three() {
    let dealt = dkg::keygen::<G>(2, 2, 29);
    let names = [(id(1), Identity::name("server")), (id(2), Identity::name("client"))];
    let renamed = |share: &KeyShare<G>| {
        let members = share.members().iter().zip(names).map(|(m, (_, identity))| Member { identity, ..*m }).collect();
        KeyShare::new(Parts {
            scheme: share.scheme(),
            key_id: share.key_id(),
            sharing_id: share.sharing_id(),
            epoch: 0,
            members,
            threshold: share.threshold(),
            me: share.me(),
            x: SecretScalar::new(*share.secret().expose()),
            public_key: *share.public_key(),
            chain_code: *share.chain_code(),
            marks: share.marks(),
        })
        .unwrap()
    };
    let shares: Shares<G> = dealt.values().map(|s| (s.me(), renamed(s))).collect();
    let plan = Plan { dealers: members([1, 2]), ..plan_to(&shares, &ids(&[1, 2]), &[(1, 1), (2, 2), (3, 3)], 2) };
    assert!(plan.changes().contains(&Change::Identifies(id(1), key(1).identity())));
    let new = new_shares(reshare(ready_all(&plan, &shares), 30));
    dkg::check_sharing(&new);
    assert!(new.len() == 3 && new[&id(3)].public_key() == shares[&id(1)].public_key());
}

#[test]
fn a_batch_keeps_what_fails_and_goes_on_with_the_rest() {
    let keys: Vec<Shares<G>> = (0..11).map(|i| dkg::keygen::<G>(2, 3, 100 + i)).collect();
    let ready = |me: u16| {
        let shares: Vec<_> = keys.iter().map(|shares| (&shares[&id(me)], 1, Factors::Gone)).collect();
        refresh_batch(&shares, &ids(&[1, 2])).unwrap()
    };
    // dealer 1 sends party 3 a bad share of key 9; private bodies hold share and chain code of each key
    let mut net = Net::new();
    let mut first = Vec::new();
    for me in [1, 2, 3] {
        let (setup, source) = ready(me);
        let frames = if me == 1 {
            let lie: Lie = Box::new(|round, to, _, body| {
                if (round, to) == (2, To::One(id(3))) {
                    body[9 * 64 + 31] ^= 1;
                }
            });
            let started = Session::<Liar<Reshare<G, Batch<Refreshes>>>>::start(
                setup,
                &source,
                ((), lie),
                label(),
                signed(1),
                &mut rng(7),
            );
            let (session, frames) = started.unwrap();
            net.parties.insert(id(me), Box::new(session) as Box<dyn Node<ResharedBatch<G>>>);
            frames
        } else {
            let (_, (session, frames)) = started((setup, source), 8);
            net.parties.insert(id(me), Box::new(session));
            frames
        };
        first.push((id(me), frames));
    }
    first.into_iter().for_each(|(me, frames)| net.post(me, frames));
    net.run();
    assert_eq!(net.outputs.len(), 3, "{:?}", net.failures);
    for (me, out) in &net.outputs {
        assert_eq!((out.done.len(), out.kept.len()), (10, 1));
        let kept = &out.kept[0];
        assert_eq!(kept.key_id, keys[9][&id(1)].key_id());
        assert_eq!(kept.refused_by, [id(3)].into());
        assert_eq!(kept.culprit, (*me == id(3)).then_some(id(1)), "only who saw it names the liar");
        let bytes = out.to_secret_bytes();
        let again = ResharedBatch::<G>::decode(&mut symbolon_core::wire::Reader::new(&bytes)).unwrap();
        assert_eq!(*again.to_secret_bytes(), *bytes);
    }
    for k in 0..10 {
        let of_key = |out: &mut ResharedBatch<G>| out.done[k].share.take().unwrap();
        let shares: Shares<G> = net.outputs.iter_mut().map(|(id, out)| (*id, of_key(out))).collect();
        dkg::check_sharing(&shares);
    }
}

// such bits were ignored, so that one vote had many encodings
#[test]
fn a_refused_bit_of_a_key_that_the_run_does_not_have_is_malformed() {
    let keys: Vec<Shares<G>> = (0..2).map(|i| dkg::keygen::<G>(2, 3, 100 + i)).collect();
    for bit in 2..8 {
        let ready = |me: u16| {
            let shares: Vec<_> = keys.iter().map(|shares| (&shares[&id(me)], 1, Factors::Gone)).collect();
            refresh_batch(&shares, &ids(&[1, 2])).unwrap()
        };
        let lie: Lie = Box::new(move |round, to, _, body| {
            if (round, to) == (3, To::All) {
                body[32] |= 1 << bit;
            }
        });
        let net = lied::<Reshare<G, Batch<Refreshes>>>((1..=3).map(ready).collect(), vec![(id(1), lie)]);
        ends(&net, &[1], 2, Fault::Encoding(DecodeError::Value), Some(1));
    }
}

#[test]
fn a_batch_changes_hands() {
    let keys: Vec<Shares<Ed25519>> = (0..3).map(|i| dkg::keygen(2, 3, 120 + i)).collect();
    let plans: Vec<_> = keys.iter().map(|s| plan_to(s, &ids(&[1, 3]), &[(4, 4), (5, 5), (6, 6)], 3)).collect();
    let plan = Plan { keys: plans.iter().flat_map(|plan| plan.keys.clone()).collect(), ..plans[0].clone() };
    let consent = Consent::new(plan.changes());
    let ready = [1, 3, 4, 5, 6].map(|me| {
        let shares: Vec<_> = keys.iter().filter_map(|shares| shares.get(&id(me))).collect();
        hand_over_batch(id(me), &shares, plan.clone(), &consent).unwrap()
    });
    let mut outputs = reshare(Vec::from(ready), 121);
    assert!(outputs[&id(1)].done.iter().all(|one| one.share.is_none()));
    for (k, old) in keys.iter().enumerate() {
        let new = [4, 5, 6].map(|me| (id(me), outputs.get_mut(&id(me)).unwrap().done[k].share.take().unwrap()));
        let new: Shares<Ed25519> = new.into();
        dkg::check_sharing(&new);
        assert!(new[&id(4)].public_key() == old[&id(1)].public_key());
    }
}

/// What `t - 1` holders see of a known key is spread evenly: chi-square over the top four bits of their shares.
#[test]
fn fewer_shares_than_needed_tell_nothing() {
    fn spread<G: Group>(byte: usize, shift: u32) {
        let keys = [G::Scalar::from(1), G::random_scalar(&mut rng(60))];
        for key in keys {
            let mut counts = [[0u32; 16]; 2];
            for run in 0..1600 {
                let mut rng = rng(5000 + run);
                let dealing = Dealing::<G>::of(SecretScalar::new(key), th(3), &mut rng);
                for (counts, x) in counts.iter_mut().zip([1, 2]) {
                    let share = dealing.share(&G::Scalar::from(x)).to_bytes();
                    counts[usize::from(share.expose()[byte] >> shift & 15)] += 1;
                }
            }
            for counts in counts {
                let chi: f64 = counts.iter().map(|c| (f64::from(*c) - 100.0).powi(2) / 100.0).sum();
                assert!(chi < 44.0, "15 degrees of freedom, one in ten thousand: {chi}");
            }
        }
    }
    spread::<Secp256k1>(0, 4);
    // Ed25519 scalars are little-endian and stay below 2^252
    spread::<Ed25519>(31, 0);
}

// bytes of each party are linear in the number of parties: exactly so where the frames of a step fill their groups of four,
// and no frame has more than two siblings elsewhere
#[test]
fn bytes_grow_linearly() {
    let most = |n: u16| {
        let mut net = Net::of((1..=n).map(|me| dkg::start::<G>(me, 2, n, 9)));
        net.run();
        assert_eq!(net.outputs.len(), usize::from(n));
        *net.bytes.values().max().unwrap()
    };
    let sizes = [2, 3, 5, 9, 21].map(most);
    println!("bytes per party of a key generation, n = 2, 3, 5, 9, 21: {sizes:?}");
    let full = [4, 8, 12, 20].map(most);
    let slope = (full[1] - full[0]) / 4;
    assert_eq!((slope, 8 * slope), ((full[2] - full[1]) / 4, full[3] - full[2]));
    for (n, size) in [2, 3, 5, 9, 21].into_iter().zip(sizes) {
        let line = full[0] + slope * n - 4 * slope;
        assert!(size <= line && line < size + 3 * 2 * 64, "{n}: {size} bytes, {line} on the line");
    }
}

fn hexed(value: &serde_json::Value) -> [u8; 32] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn scalar<G: Group>(value: &serde_json::Value) -> G::Scalar {
    G::scalar_from_bytes(&hexed(value)).unwrap()
}

// testdata/zf_dkg_*.json: two-round key generation of another implementation, as shares and commitments
fn foreign_dkg<G: Group>(file: &str) {
    let vectors: serde_json::Value = serde_json::from_str(file).unwrap();
    let inputs = &vectors["inputs"];
    let member = |i: u16| &inputs[i.to_string()];
    let point =
        |value: &serde_json::Value| G::point_from_bytes(&hex::decode(value.as_str().unwrap()).unwrap()).unwrap();
    let mut all = Vec::new();
    for i in 1..=3 {
        let points: Vec<_> = member(i)["vss_commitments"].as_array().unwrap().iter().map(point).collect();
        let vector = FeldmanVector::<G>::new(points, th(2)).unwrap();
        let f = [scalar::<G>(&member(i)["signing_key"]), scalar::<G>(&member(i)["coefficient"])];
        assert!(vector.points() == [G::mul_base(&f[0]), G::mul_base(&f[1])]);
        all.push((vector, f));
    }
    for j in 1..=3u16 {
        let x = G::Scalar::from(u64::from(j));
        let mut sum = G::Scalar::default();
        for (i, (vector, f)) in (1..).zip(&all) {
            let share = f[0] + f[1] * x;
            assert!(vector.verify(&x, &share));
            if i != j {
                // what i sent j stands at the receiver
                assert!(scalar::<G>(&member(j)["signing_shares"][i.to_string()]) == share, "{i} to {j}");
            }
            sum = sum + share;
        }
        assert!(sum == scalar::<G>(&member(j)["signing_share"]));
        assert!(G::mul_base(&sum) == point(&member(j)["verifying_share"]));
    }
    let public_key: G::Point = all.iter().map(|(vector, _)| vector.constant_term()).sum();
    assert!(public_key == point(&inputs["verifying_key"]));
}

#[test]
fn key_generation_vectors_of_frost() {
    foreign_dkg::<Secp256k1>(include_str!("../../testdata/zf_dkg_secp256k1.json"));
    foreign_dkg::<Ed25519>(include_str!("../../testdata/zf_dkg_ed25519.json"));
}

// testdata/shamir_lagrange.json
#[test]
fn shamir_vectors_of_torus() {
    fn one<G: Group>(case: &serde_json::Value, big_endian: bool) {
        let read = |value: &serde_json::Value| {
            let mut bytes = hexed(value);
            if !big_endian {
                bytes.reverse();
            }
            G::scalar_from_bytes(&bytes).unwrap()
        };
        // an index may be wider than the order
        let index = |value: &serde_json::Value| {
            let byte = |acc: G::Scalar, byte: &u8| acc * G::Scalar::from(256) + G::Scalar::from(u64::from(*byte));
            hexed(value).iter().fold(G::Scalar::default(), byte)
        };
        let t = usize::try_from(case["threshold"].as_u64().unwrap()).unwrap();
        let f: Vec<_> = case["coefficients"].as_array().unwrap().iter().map(read).collect();
        let shares: Vec<_> =
            case["shares"].as_array().unwrap().iter().map(|s| (index(&s["shareIndex"]), read(&s["share"]))).collect();
        for (x, share) in &shares {
            assert!(f.iter().rev().fold(G::Scalar::default(), |acc, c| acc * *x + *c) == *share);
        }
        let combined = |shares: &[(G::Scalar, G::Scalar)]| -> G::Scalar {
            let weights = lagrange::<G>(&shares.iter().map(|s| s.0).collect::<Vec<_>>()).unwrap();
            weights.iter().zip(shares).map(|(w, s)| *w * s.1).sum()
        };
        let last = &shares[shares.len() - t..];
        assert!(combined(last) == read(&case["reconstruct_with_last_t"]));
        // and what a wrong share would give without commitments
        let mut wrong = shares[..t].to_vec();
        wrong[0].1 = wrong[0].1 + G::Scalar::from(1);
        assert!(combined(&wrong) == read(&case["with_first_share_plus_one"]));
        let points = f.iter().map(G::mul_base).collect();
        let vector = FeldmanVector::<G>::new(points, th(u16::try_from(t).unwrap())).unwrap();
        let as_shares = |list: &[(G::Scalar, G::Scalar)]| {
            list.iter().map(|s| Share::<G> { index: s.0, value: SecretScalar::new(s.1) }).collect::<Vec<_>>()
        };
        assert!(combine(&as_shares(last), &vector).unwrap().expose() == &f[0]);
        assert_eq!(combine(&as_shares(&wrong), &vector).err(), Some(ShamirError::BadShares(vec![0])));
    }
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../testdata/shamir_lagrange.json")).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    for case in cases {
        match case["key_type"].as_str().unwrap() {
            "secp256k1" => one::<Secp256k1>(case, true),
            "ed25519" => one::<Ed25519>(case, false),
            other => panic!("{other}"),
        }
    }
    assert!(cases.len() > 2);
}

// a wallet notes a kept factor on the side that keeps it: nobody is to blame, and all know of it from then on
#[test]
fn row_103_a_factor_kept_on_one_side_is_shown_to_all() {
    let mut shares = dkg::keygen::<G>(2, 3, 61);
    let mine = shares.remove(&id(1)).unwrap().with_factor_kept();
    shares.insert(id(1), mine);
    for (dealers, seed) in [([1, 2], 62), ([1, 3], 63)] {
        let ready = shares.values().map(|s| refresh(s, &ids(&dealers), 1, Factors::Gone).unwrap()).collect();
        let outputs = reshare(ready, seed);
        assert!(outputs.values().all(|out| out.health.marks.factor_kept && !out.health.old_sharing_is_dead()));
        assert!(new_shares(outputs).values().all(|share| share.marks().factor_kept));
    }
    // a newcomer learns it from the one dealer that knows
    let plan = plan_to(&shares, &ids(&[1, 2]), &[(1, 1), (2, 2), (4, 4)], 2);
    let new = new_shares(reshare(ready_all(&plan, &shares), 64));
    assert!(new.len() == 3 && new.values().all(|share| share.marks().factor_kept));
    // one that does not deal keeps its own note
    let ready = shares.values().map(|s| refresh(s, &ids(&[2, 3]), 1, Factors::Gone).unwrap()).collect();
    let new = new_shares(reshare(ready, 65));
    assert!(new[&id(1)].marks().factor_kept && !new[&id(2)].marks().factor_kept);
}

#[test]
fn row_103_retiring_an_older_share_is_not_retiring_the_replaced_one() {
    let e0 = dkg::keygen::<G>(2, 3, 63);
    let mut e1 = refreshed(&e0, &ids(&[1, 2]), 64);
    let ready = e1.values().map(|s| refresh(s, &ids(&[1, 2]), 2, Factors::Gone).unwrap()).collect();
    let out = reshare(ready, 65).remove(&id(1)).unwrap();
    let (mut health, new) = (out.health, out.share.unwrap());
    assert_eq!(health.replaced, Some((e1[&id(1)].sharing_id(), 1)));
    ids(&[1, 2, 3]).into_iter().for_each(|holder| health.note_finished(holder));
    for old in e0.into_values() {
        let consent = Consent::new([Change::Retires(old.key_id(), 0)]);
        assert!(retire(old, &mut health, &Resealed::with(&new), &consent).is_ok());
    }
    assert_eq!((health.old_shares.len(), health.stale_backups.len()), (3, 3));
    assert!(!health.old_sharing_is_dead(), "all of epoch 1 lives");
    for holder in ids(&[1, 2]) {
        let old = e1.remove(&holder).unwrap();
        let consent = Consent::new([Change::Retires(old.key_id(), 1)]);
        assert!(retire(old, &mut health, &Resealed::with(&new), &consent).is_ok());
    }
    assert!(health.old_sharing_is_dead());
}

// secrets of another key, sharing or holder are the caller's mistake, found before any frame
#[test]
fn row_94_a_source_that_the_setup_does_not_name_starts_nothing() {
    let (a, b) = (dkg::keygen::<G>(2, 3, 66), dkg::keygen::<G>(2, 3, 67));
    let later = refreshed(&a, &ids(&[1, 2]), 69);
    let ready = |shares: &Shares<G>, me: u16| {
        let share = &shares[&id(me)];
        refresh(share, &ids(&[1, 2]), share.epoch() + 1, Factors::Gone).unwrap()
    };
    let start = |source: &Source<G>, me: u16| {
        Session::<Reshare<G, Refreshes>>::start(ready(&a, me).0, source, (), label(), signed(me), &mut rng(1)).err()
    };
    assert_eq!(start(&ready(&a, 1).1, 1), None);
    assert_eq!(start(&Source::shares(&[&a[&id(1)]]), 1), None);
    assert_eq!(start(&Source::nothing(), 3), None);
    let refused = Some(StartError::Mismatch(Agreed::Sharing));
    for source in [ready(&b, 1).1, ready(&later, 1).1, ready(&a, 2).1, Source::nothing()] {
        assert_eq!(start(&source, 1), refused);
    }
    assert_eq!(start(&Source::shares(&[&a[&id(1)], &b[&id(1)]]), 1), refused, "one secret for each key");
    assert_eq!(start(&Source::key(SecretScalar::new(*a[&id(1)].secret().expose())), 1), refused);
    assert_eq!(start(&Source::shares(&[&a[&id(3)]]), 3), refused, "it does not deal");
}
