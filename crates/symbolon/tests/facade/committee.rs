//! An n-party key from the facade: every verb end to end, with signatures of the same key before and after.

use crate::crowd::*;
use symbolon::committee::{
    self, Change, Consent, DeviceKey, Factors, FromBank, HandOver, Import, Imported, NotStarted, Plan, PlanError,
    Refreshes, Resealed, Reshare, RetireError, SealTo, item_of, retire,
};
use symbolon::{
    Auth, Banked, Group, KeyShare, Label, PartyId, Role, Scheme, Secp256k1, SecretScalar, SignError, Storable, store,
    wallet::{self, Create},
    wire::Reader,
};
use symbolon_core::Ed25519;
use symbolon_testkit::{Crowd, Duo};

type G = Secp256k1;

#[test]
fn a_key_signs_with_any_threshold_of_its_holders() {
    for (t, n, sets) in [(2, 3, vec![vec![1, 2], vec![3, 1], vec![2, 3]]), (3, 4, vec![vec![1, 2, 3], vec![4, 2, 1]])] {
        let mut devices = Devices::<G>::create(t, n, 10);
        devices.pair_setups();
        for signers in &sets {
            devices.sign(signers);
            let left: Vec<_> = devices.at(id(signers[0])).setups.keys().copied().collect();
            assert_eq!(left.len(), usize::from(n) - 1, "all setups are back");
        }
        // from the bank, the item named by the first frame
        let signers = &sets[0];
        devices.refill(signers, 2);
        let mut item = None;
        let mut starts = Vec::new();
        for me in ids(signers).into_iter().rev() {
            let mut rng = devices.rng(me);
            let auth = devices.at(me).auth();
            let Device { share, ledger, bank, setups, .. } = devices.at(me);
            let wanted = item.unwrap_or_else(|| bank.ids(&setups.values().next().unwrap().id()).next().unwrap());
            let taken = store::take_item(ledger, bank, &wanted).unwrap();
            assert_eq!(taken.signers().into_iter().collect::<Vec<_>>(), ids(signers));
            assert!(taken.id() == wanted && taken.setups().len() == signers.len() - 1);
            let share = share.as_ref().unwrap();
            let (session, frames) = committee::sign_banked(share, taken, payload(), path(), auth, &mut rng).unwrap();
            item = item.or_else(|| item_of(&frames[0].bytes));
            assert_eq!(item, Some(wanted));
            starts.push((me, (session, frames)));
        }
        let (signed, _) = signature::<FromBank>(joint(starts));
        devices.check(&signed);
    }
}

#[test]
fn two_phones_sign_with_nothing_kept() {
    let mut devices = Devices::<G>::create(2, 3, 11);
    let mut starts = Vec::new();
    for (me, peer) in [(1, 3), (3, 1)] {
        let mut rng = devices.rng(id(me));
        let device = devices.at(id(me));
        let auth = device.auth();
        let share = device.share();
        starts.push(committee::sign_stateless(share, id(peer), payload(), path(), auth, &mut rng).unwrap());
    }
    let client = starts.pop().unwrap();
    let mut sent = Crowd::new([(id(1), starts.pop().unwrap()), (id(3), client)]).outputs();
    let symbolon::Signed::Signature(signature) = sent.remove(&id(3)).unwrap().0 else { panic!("the client has it") };
    devices.check(&signature);
}

#[test]
fn what_does_not_start_says_why_and_takes_nothing() {
    let mut devices = Devices::<G>::create(2, 3, 12);
    devices.pair_setups();
    let Device { share, setups, .. } = devices.devices.get_mut(&id(1)).unwrap();
    let share = share.as_ref().unwrap();
    let sign = |signers: &[u16], setups: &mut committee::Setups| {
        let auth = Auth::Signed(key(1));
        committee::sign(share, &ids(signers), setups, payload(), path(), auth, &mut rng(1)).err()
    };
    for signers in [&[1][..], &[1, 2, 3], &[2, 3], &[1, 1], &[1, 9], &[]] {
        assert_eq!(sign(signers, setups), Some(NotStarted::Sign(SignError::Signers)), "{signers:?}");
    }
    let kept = setups.remove(&id(2)).unwrap();
    assert_eq!(sign(&[1, 2], setups), Some(NotStarted::NoSetup(id(2))));
    // the setup with somebody else under this name
    let other = setups.remove(&id(3)).unwrap();
    setups.insert(id(2), other);
    assert_eq!(sign(&[1, 2], setups), Some(NotStarted::Sign(SignError::Pair)));
    assert_eq!(setups.len(), 1, "it is still there");
    setups.insert(id(2), kept);
    let refill = |count, setups: &mut committee::Setups| {
        let auth = Auth::Signed(key(1));
        committee::preprocess(share, &ids(&[1, 2]), setups, count, auth, &mut rng(1)).err()
    };
    assert!(matches!(refill(0, setups), Some(NotStarted::Preprocess(_))));
    assert_eq!(sign(&[2, 1], setups), None);
    // members and thresholds that no key has
    let create = |members: &[u16], t| {
        let members: Vec<_> = members.iter().map(|i| holder(*i, *i)).collect();
        let label = Label::new("x").unwrap();
        let what = (th(t), Scheme::Ecdsa);
        committee::create::<G>(id(1), members, what, label, Auth::Signed(key(1)), &mut rng(2)).err()
    };
    assert!(matches!(create(&[1], 2), Some(NotStarted::Roster(_))));
    assert!(matches!(create(&[2, 3], 2), Some(NotStarted::Roster(_))));
    assert!(matches!(create(&[1, 2], 3), Some(NotStarted::Dkg(_))));
    // three members over a channel
    let label = Label::new("x").unwrap();
    let three: Vec<_> = (1..4).map(|i| holder(i, i)).collect();
    let what = (th(2), Scheme::Ecdsa);
    let over = committee::create::<G>(id(1), three, what, label, Auth::Channel, &mut rng(3)).err();
    assert!(matches!(over, Some(NotStarted::Start(_))));
}

/// Name, dealers, plan, newcomers as (id, number of the identity key), what changes, signers afterwards.
type Case<G> =
    (&'static str, [u16; 2], fn(Plan<G>) -> Result<Plan<G>, PlanError>, Vec<(u16, u16)>, &'static str, Vec<u16>);

fn cases<G: Group>() -> Vec<Case<G>> {
    vec![
        ("refresh", [1, 3], Ok, vec![], "", vec![2, 3]),
        ("recover", [2, 3], |plan| plan.recover(id(1), holder(4, 4)), vec![(4, 4)], "adds removes", vec![4, 2]),
        ("recover, same id", [2, 3], |plan| plan.recover(id(1), holder(1, 9)), vec![(1, 9)], "replaces", vec![1, 3]),
        ("add a device", [1, 3], |plan| plan.add_device(holder(4, 4)), vec![(4, 4)], "adds", vec![4, 3]),
        ("revoke", [1, 3], |plan| plan.revoke(id(2)), vec![], "removes", vec![1, 3]),
        ("revoke a dealer", [1, 3], |plan| plan.revoke(id(3)), vec![], "removes", vec![1, 2]),
        ("threshold", [1, 2], |plan| plan.change_threshold(th(3)), vec![], "threshold", vec![1, 2, 3]),
        (
            "hand over",
            [1, 2],
            |plan| plan.hand_over([5, 6, 7, 8].map(|i| holder(i, i)).to_vec(), th(3)),
            vec![(5, 5), (6, 6), (7, 7), (8, 8)],
            "adds adds adds adds removes removes removes threshold",
            vec![5, 7, 8],
        ),
        (
            "recover, and raise the threshold",
            [2, 3],
            |plan| plan.recover(id(1), holder(4, 4))?.change_threshold(th(3)),
            vec![(4, 4)],
            "adds removes threshold",
            vec![2, 3, 4],
        ),
    ]
}

/// Every old share is refused with its own error, at its holder's ledger and by whoever plans with the new epoch.
fn old_shares_are_refused<G: Group>(devices: &mut Devices<G>, old: Vec<(PartyId, KeyShare<G>)>, name: &str) {
    let member = devices.members()[0];
    let dealers: Vec<_> =
        devices.members().into_iter().take(devices.at(member).share().threshold().get().into()).collect();
    let share = devices.at(member).share();
    let next = Plan::of(share, &dealers, share.epoch() + 1, Factors::Gone).add_device(holder(99, 99)).unwrap();
    for (me, share) in old {
        let device = devices.at(me);
        let auth = device.auth();
        // the store of a lost device has heard of nothing
        if device.share.as_ref().is_some_and(|share| share.epoch() == 1) {
            let refused = store::current(&mut device.ledger, &share).err();
            let expected = store::CurrentError::Superseded { share: 0, confirmed: 1 };
            assert_eq!(refused, Some(expected), "{name} at {me}");
            assert!(store::current(&mut device.ledger, device.share.as_ref().unwrap()).is_ok());
        }
        let consent = Consent::new(next.changes());
        let refused = committee::reshare(me, Some(&share), &next, &consent, &[], auth, &mut rng(4)).err();
        assert_eq!(refused, Some(NotStarted::Plan(PlanError::OtherEpoch)), "{name} at {me}");
        let plan = Plan::of(devices.at(member).share(), &dealers, 2, Factors::Gone);
        let refused = committee::refresh(&share, &plan, &[], devices.at(me).auth(), &mut rng(4)).err();
        assert_eq!(refused, Some(NotStarted::Plan(PlanError::OtherEpoch)), "{name} at {me}");
    }
}

#[test]
fn every_flow_keeps_the_key_and_refuses_the_old_epoch() {
    for (name, dealers, change, newcomers, kinds_of, signers) in cases::<G>() {
        let mut devices = Devices::<G>::create(2, 3, 20);
        devices.pair_setups();
        devices.sign(&[1, 2]);
        let public_key = *devices.share(1).public_key();
        let lost = again(devices.share(1));
        let plan = change(devices.plan(&dealers)).unwrap();
        assert_eq!(kinds(&plan.changes()).join(" "), kinds_of, "{name}");
        let (mut old, health) = devices.run(&plan, &newcomers);
        assert!(!health.old_sharing_is_dead(), "{name}: nobody has erased anything yet");
        let any = devices.devices[&id(signers[0])].share();
        assert!(*any.public_key() == public_key && any.epoch() == 1, "{name}");
        devices.pair_setups();
        devices.sign(&signers);
        if name.starts_with("recover") {
            old.insert(id(1), lost);
        }
        old_shares_are_refused(&mut devices, old.into_iter().collect(), name);
    }
}

#[test]
fn the_flows_are_the_same_on_the_other_curve() {
    for (name, dealers, change, newcomers, _, signers) in cases::<Ed25519>() {
        let mut devices = Devices::<Ed25519>::create(2, 3, 21);
        let public_key = *devices.share(1).public_key();
        let plan = change(devices.plan(&dealers)).unwrap();
        let (old, _) = devices.run(&plan, &newcomers);
        let shares: Vec<_> = signers.iter().map(|me| devices.share(*me)).collect();
        let indices: Vec<_> = signers.iter().map(|me| <Ed25519 as Group>::Scalar::from(u64::from(*me))).collect();
        let weights = symbolon_sharing::lagrange::<Ed25519>(&indices).unwrap();
        let sum: <Ed25519 as Group>::Scalar = weights.iter().zip(&shares).map(|(w, s)| *w * *s.secret().expose()).sum();
        assert!(Ed25519::mul_base(&sum) == public_key, "{name}: the new shares make the same key");
        old_shares_are_refused(&mut devices, old.into_iter().collect(), name);
    }
}

#[test]
fn old_shares_die_when_enough_holders_retire_theirs() {
    let mut devices = Devices::<G>::create(2, 3, 22);
    let plan = devices.plan(&[2, 3]).recover(id(1), holder(4, 4)).unwrap();
    let (old, mut health) = devices.run(&plan, &[(4, 4)]);
    assert!(!health.old_sharing_is_dead());
    // 3 and 4 tell 2 that they are done, and so on
    let (mine, backups) = (again(&old[&id(2)]), Resealed::with(devices.share(2)));
    let consent = Consent::new([Change::Retires(mine.key_id(), mine.epoch())]);
    let early = retire(mine, &mut health, &backups, &consent).err().unwrap().1;
    assert_eq!(early, RetireError::Unfinished);
    for holder in ids(&[2, 3, 4]) {
        health.note_finished(holder);
    }
    for (me, share) in old {
        let consent = Consent::new([Change::Retires(share.key_id(), share.epoch())]);
        let no = Consent::new([Change::Retires(share.key_id(), 1)]);
        let backups = Resealed::with(devices.at(me).share());
        let (share, why) = retire(share, &mut health, &backups, &no).err().unwrap();
        assert_eq!(why, RetireError::Consent);
        retire(share, &mut health, &backups, &consent).map_err(|(_, why)| why).unwrap();
    }
    // the lost device's share and its backups are one place of the two that would be needed
    assert_eq!(health.old_shares.iter().copied().collect::<Vec<_>>(), ids(&[1]));
    assert!(health.old_sharing_is_dead());
}

#[test]
fn plans_that_make_no_sense_are_refused_in_words() {
    let devices = Devices::<G>::create(2, 3, 23);
    let plan = || devices.plan(&[2, 3]);
    let refused = |plan: Result<Plan<G>, PlanError>| plan.err().unwrap();
    assert_eq!(refused(plan().recover(id(7), holder(4, 4))), PlanError::NotAHolder(id(7)));
    assert_eq!(refused(plan().recover(id(2), holder(4, 4))), PlanError::LostDealer(id(2)));
    assert_eq!(refused(plan().recover(id(1), holder(3, 9))), PlanError::Duplicate(id(3)));
    assert_eq!(refused(plan().recover(id(1), holder(4, 1))), PlanError::Duplicate(id(4)), "the lost identity");
    assert_eq!(refused(plan().add_device(holder(1, 4))), PlanError::Duplicate(id(1)));
    assert_eq!(refused(plan().add_device(holder(4, 1))), PlanError::Duplicate(id(4)));
    assert_eq!(refused(plan().revoke(id(4))), PlanError::NotAHolder(id(4)));
    assert_eq!(refused(plan().revoke(id(1)).unwrap().revoke(id(2))), PlanError::Threshold);
    assert_eq!(refused(plan().change_threshold(th(2))), PlanError::NothingChanges);
    assert_eq!(refused(plan().change_threshold(th(4))), PlanError::Threshold);
    assert_eq!(refused(plan().hand_over(vec![holder(5, 5)], th(2))), PlanError::Threshold);
    assert_eq!(refused(plan().identify(holder(1, 9))), PlanError::NotAHolder(id(1)));
    // refresh takes no change, reshare takes no refresh, and neither another key
    let share = devices.share(2);
    let auth = || Auth::Signed(key(2));
    let changed = plan().change_threshold(th(3)).unwrap();
    let refresh = |plan: &Plan<G>| committee::refresh(share, plan, &[], auth(), &mut rng(1)).err();
    assert_eq!(refresh(&changed), Some(NotStarted::Plan(PlanError::Consent)));
    let nothing = Consent::new([]);
    let reshare =
        |plan: &Plan<G>| committee::reshare(id(2), Some(share), plan, &nothing, &[], auth(), &mut rng(1)).err();
    assert_eq!(reshare(&plan()), Some(NotStarted::Plan(PlanError::NothingChanges)));
    assert_eq!(reshare(&changed), Some(NotStarted::Plan(PlanError::Consent)));
    let foreign = Devices::<G>::create(2, 3, 24);
    assert_eq!(refresh(&foreign.plan(&[2, 3])), Some(NotStarted::Plan(PlanError::OtherKey)));
    let mut other = plan();
    other.keys[0].factors = Factors::Kept;
    assert_eq!(refresh(&other), None, "the decision on the factors is the caller's");
    other.old_threshold = th(3);
    assert_eq!(refresh(&other), Some(NotStarted::Plan(PlanError::Consent)), "2 to 3 is a change");
    other.keys.clear();
    assert_eq!(refresh(&other), Some(NotStarted::Plan(PlanError::Keys)));
    assert_eq!(reshare(&other), Some(NotStarted::Plan(PlanError::Keys)));
}

#[test]
fn an_invitation_is_what_was_planned() {
    fn round_trip<G: Group>() {
        let devices = Devices::<G>::create(2, 3, 25);
        for (_, dealers, change, ..) in cases::<G>() {
            let plan = change(devices.plan(&dealers)).unwrap();
            let bytes = plan.to_secret_bytes();
            let read = |bytes: &[u8]| Reader::new(bytes).whole(Plan::<G>::decode);
            assert!(read(&bytes).unwrap() == plan);
            for len in 0..bytes.len() {
                assert!(read(&bytes[..len]).is_err());
            }
            assert!(read(&[&bytes[..], &[0]].concat()).is_err());
            for i in 0..bytes.len() {
                let mut flipped = bytes.to_vec();
                flipped[i] ^= 1;
                // another plan, never the same one
                assert!(!read(&flipped).is_ok_and(|other| other == plan), "byte {i}");
            }
        }
    }
    round_trip::<G>();
    round_trip::<Ed25519>();
    let bytes = Devices::<G>::create(2, 3, 25).plan(&[1, 2]).to_secret_bytes();
    assert!(Plan::<Ed25519>::decode(&mut Reader::new(&bytes)).is_err(), "of the other curve");
}

// attacks.md row 93: an invitation that was changed on the way starts a run of its own, which the others end
#[test]
fn row_93_a_changed_invitation_ends_as_a_mismatch() {
    let mut devices = Devices::<G>::create(2, 3, 26);
    let plan = devices.plan(&[2, 3]).recover(id(1), holder(4, 4)).unwrap();
    let forged = plan.clone().change_threshold(th(3)).unwrap();
    devices.devices.insert(id(4), Device::new(4));
    let mut starts = Vec::new();
    for me in plan.participants() {
        let mut rng = devices.rng(me);
        let plan = if me == id(4) { &forged } else { &plan };
        let device = &devices.devices[&me];
        let consent = Consent::new(plan.changes());
        let share = device.share.as_ref();
        starts.push((me, committee::reshare(me, share, plan, &consent, &[], device.auth(), &mut rng).unwrap()));
    }
    for (me, end) in Crowd::new(starts).run().ends {
        let error = end.failed();
        let mismatch = symbolon::Fault::Mismatch(symbolon::Agreed::Sid);
        assert_eq!((error.fault(), error.culprit()), (Some(mismatch), None), "{me}");
    }
    assert!(!devices.run(&plan, &[(4, 4)]).1.members.contains_key(&id(1)));
}

#[test]
fn an_imported_key_signs_after_its_first_refresh() {
    let mut devices = Devices::<G>::create(2, 3, 27);
    let secret = SecretScalar::<G>::random(&mut rng(28));
    let plan = Import {
        dealer: holder(9, 9),
        new: devices.holders(),
        threshold: th(2),
        scheme: Scheme::Ecdsa,
        public_key: secret.public(),
    };
    let mut starts = Vec::new();
    for me in ids(&[1, 2, 3, 9]) {
        let key_at = (me == id(9)).then(|| (SecretScalar::new(*secret.expose()), [7; 32]));
        let auth = Auth::Signed(key(me.get()));
        starts.push((me, committee::import(me, key_at, plan.clone(), auth, &mut devices.rng(me)).unwrap()));
    }
    let imported = Crowd::new(starts).outputs();
    let mut starts = Vec::new();
    for me in ids(&[1, 2, 3]) {
        let mine: &Imported<G> = &imported[&me].0;
        let auth = devices.at(me).auth();
        let dealers = ids(&[1, 3]);
        starts.push((me, committee::first_refresh(mine, &dealers, 1, auth, &mut devices.rng(me)).unwrap()));
    }
    for (me, (reshared, _)) in Crowd::<Reshare<G, Refreshes>>::new(starts).outputs() {
        let (share, health) = (reshared.share.unwrap(), reshared.health);
        assert!(health.marks.imported && *share.public_key() == secret.public());
        let plan = Plan::of(&share, &ids(&[1, 3]), share.epoch(), Factors::Gone);
        let device = devices.at(me);
        store::advance(&mut device.ledger, &mut device.bank, me, &plan, &health).unwrap();
        device.share = Some(share);
    }
    devices.pair_setups();
    devices.sign(&[3, 2]);
}

#[test]
fn a_two_party_wallet_grows() {
    let start = |role, seed| wallet::create(role, Label::new("w").unwrap(), Auth::Channel, &mut rng(seed)).unwrap();
    let (ends, _) = Duo::<Create>::new(start(Role::Server, 1), start(Role::Client, 2)).run();
    let mut devices = Devices::<G> { devices: (1..4).map(|i| (id(i), Device::new(i))).collect(), seed: 30 };
    for end in ends {
        let mut wallet = end.output;
        wallet.erase_factor();
        let share = wallet.into_share();
        let me = share.me();
        devices.at(me).share = Some(share);
    }
    let public_key = *devices.share(1).public_key();
    let plan = || devices.plan(&[1, 2]);
    let only_two = plan().add_device(holder(3, 3)).unwrap();
    let consent = Consent::new(only_two.changes());
    let (share, auth) = (Some(devices.share(1)), Auth::Signed(key(1)));
    let refused = committee::reshare(id(1), share, &only_two, &consent, &[], auth, &mut rng(3)).err();
    assert!(matches!(refused, Some(NotStarted::Plan(PlanError::Roster(_)))), "names are for two");
    let plan = plan().identify(holder(1, 1)).unwrap().identify(holder(2, 2)).unwrap();
    let plan = plan.add_device(holder(3, 3)).unwrap();
    assert_eq!(kinds(&plan.changes()), ["identifies", "identifies", "adds"]);
    devices.run(&plan, &[]);
    assert!(*devices.share(3).public_key() == public_key);
    devices.pair_setups();
    devices.sign(&[3, 1]);
}

/// Runs sessions to their end; what each made, and every signed confirmation.
fn with_confirmations<P: symbolon::Protocol + 'static>(
    starts: Vec<(PartyId, committee::Started<P>)>,
) -> (std::collections::BTreeMap<PartyId, P::Output>, Vec<Vec<u8>>) {
    let crowd = Crowd::new(starts).run();
    let last = |frame: &&Vec<u8>| symbolon::Header::parse(frame).is_ok_and(|header| header.round == P::ROUNDS);
    let confirmations = crowd.sent.iter().map(|(_, frame)| &frame.bytes).filter(last).cloned().collect();
    (crowd.ends.into_iter().map(|(id, end)| (id, end.done().0)).collect(), confirmations)
}

// holder 3 is away during a refresh, takes its share later, and signs with it; until then the others keep their old shares
#[test]
fn an_offline_holder_takes_its_share_later_and_signs() {
    let mut devices = Devices::<G>::create(2, 3, 40);
    let plan = devices.plan(&[1, 2]);
    let device_key = DeviceKey::generate(&mut rng(41)).unwrap();
    let offline = [(id(3), SealTo::Device(*device_key.public()))];
    let mut starts = Vec::new();
    for me in ids(&[1, 2]) {
        let mut rng = devices.rng(me);
        let device = &devices.devices[&me];
        starts.push((me, committee::refresh(device.share(), &plan, &offline, device.auth(), &mut rng).unwrap()));
    }
    let (mut made, confirmations) = with_confirmations::<Reshare<G, Refreshes>>(starts);
    let package = made[&id(1)].package.as_ref().unwrap();
    let holder = committee::offline_refresh(devices.share(3), &plan, &offline).unwrap();
    let label = committee::reshare_label(&devices.share(3).key_id()).unwrap();
    let with = committee::OpenWith::Device(&device_key);
    let mine = holder.receive(&label, package, &confirmations, with, &mut rng(42)).unwrap();
    let one_less = &confirmations[1..];
    let with = committee::OpenWith::Device(&device_key);
    assert!(holder.receive(&label, package, one_less, with, &mut rng(42)).is_err(), "everybody must have confirmed");

    // the others keep their old shares until it has confirmed
    let word = mine.health.confirmation(mine.share.as_ref().unwrap(), &key(3)).unwrap();
    let mut health = made[&id(1)].health.clone();
    assert_eq!(health.unconfirmed().collect::<Vec<_>>(), [id(3)]);
    let old = again(devices.share(1));
    let consent = Consent::new([Change::Retires(old.key_id(), 0)]);
    let backups = Resealed::with(made[&id(1)].share.as_ref().unwrap());
    let (old, refused) = retire(old, &mut health, &backups, &consent).err().unwrap();
    assert_eq!(refused, RetireError::Unconfirmed);
    health.note_confirmed(id(3), &word).unwrap();
    // nor before 2 has shown that its run is done too
    let (old, refused) = retire(old, &mut health, &backups, &consent).err().unwrap();
    assert_eq!(refused, RetireError::Unfinished);
    let of_2 = &made[&id(2)];
    let word = of_2.health.confirmation(of_2.share.as_ref().unwrap(), &key(2)).unwrap();
    health.note_confirmed(id(2), &word).unwrap();
    assert!(retire(old, &mut health, &backups, &consent).is_ok());

    for me in ids(&[1, 2]) {
        let reshared = made.remove(&me).unwrap();
        let Device { share, ledger, bank, .. } = devices.at(me);
        *share = reshared.share;
        store::advance(ledger, bank, me, &plan, &reshared.health).unwrap();
    }
    let Device { share, ledger, bank, .. } = devices.at(id(3));
    *share = mine.share;
    store::advance(ledger, bank, id(3), &plan, &mine.health).unwrap();
    devices.pair_setups();
    devices.sign(&[1, 3]);
    devices.sign(&[2, 3]);
}

// a newcomer that is away while it is made a holder
#[test]
fn an_offline_newcomer_recovers_a_lost_device() {
    let mut devices = Devices::<G>::create(2, 3, 43);
    let plan = devices.plan(&[2, 3]).recover(id(1), holder(4, 4)).unwrap();
    let consent = Consent::new(plan.changes());
    let device_key = DeviceKey::generate(&mut rng(44)).unwrap();
    let offline = [(id(4), SealTo::Device(*device_key.public()))];
    let mut starts = Vec::new();
    for me in ids(&[2, 3]) {
        let mut rng = devices.rng(me);
        let device = &devices.devices[&me];
        let started = committee::reshare(me, Some(device.share()), &plan, &consent, &offline, device.auth(), &mut rng);
        starts.push((me, started.unwrap()));
    }
    let (made, confirmations) = with_confirmations::<Reshare<G, HandOver>>(starts);
    let newcomer = committee::offline_reshare::<G>(id(4), None, &plan, &consent, &offline).unwrap();
    let label = committee::reshare_label(&plan.keys[0].key_id).unwrap();
    let with = committee::OpenWith::Device(&device_key);
    let package = made[&id(2)].package.as_ref().unwrap();
    let mine = newcomer.receive(&label, package, &confirmations, with, &mut rng(45)).unwrap();
    devices.devices.insert(id(4), Device::new(4));
    let all = made.into_iter().chain([(id(4), mine)]);
    for (me, reshared) in all {
        let Device { share, ledger, bank, .. } = devices.at(me);
        *share = reshared.share;
        store::advance(ledger, bank, me, &plan, &reshared.health).unwrap();
    }
    devices.pair_setups();
    devices.sign(&[4, 2]);
    devices.sign(&[3, 4]);
}
