//! Holders that are not there: what is sealed to them, what they accept, and what the others wait for.

mod attacks;

use crate::dkg;
use crate::endings::suspended;
use crate::lies::lied;
use crate::net::*;
use crate::reshare::*;
use std::collections::BTreeMap;
use symbolon_core::{Ed25519, Group, KeyId, PartyId, Secp256k1, SecretBytes, SecretScalar, wire::Reader};
use symbolon_seal::DeviceKey;
use symbolon_session::*;
use symbolon_sharing::*;

type G = Secp256k1;
type Absent = Vec<(PartyId, SealTo)>;

fn device(number: u8) -> DeviceKey {
    DeviceKey::derive(&SecretBytes::new([number; 32]))
}

fn to_device(holder: u16, number: u8) -> (PartyId, SealTo) {
    (id(holder), SealTo::Device(*device(number).public()))
}

fn to_share(holder: u16) -> (PartyId, SealTo) {
    (id(holder), SealTo::OldShare)
}

fn with<G: Group, F: Flow>(ready: Ready<G, F>, absent: &Absent) -> Ready<G, F> {
    (ready.0.with_offline(absent).unwrap(), ready.1)
}

/// What an online member hands along: the confirmations of the others, and its own frames.
fn handed_along<O>(net: &Net<O>, by: u16) -> Vec<Vec<u8>> {
    let party = &net.parties[&id(by)];
    let own = party.resend().into_iter().map(|frame| frame.bytes);
    party.confirmations().into_iter().chain(own).collect()
}

/// An honest run to its end, and what member `by` hands along.
fn online<G: Group, F: Flow>(
    members: Vec<Ready<G, F>>,
    seed: u64,
    by: u16,
) -> (BTreeMap<PartyId, F::Output<G>>, Vec<Vec<u8>>) {
    let mut net = Net::of(members.into_iter().map(|ready| started(ready, seed)));
    net.run();
    assert!(net.failures.is_empty() && net.rejected.is_empty(), "{:?} {:?}", net.failures, net.rejected);
    assert_eq!(net.outputs.len(), net.parties.len());
    let frames = handed_along(&net, by);
    (net.outputs, frames)
}

fn through_bytes<T: Storable>(value: &T) -> T {
    let bytes = value.to_secret_bytes();
    let mut r = Reader::new(&bytes);
    let again = T::decode(&mut r).unwrap();
    r.finish().unwrap();
    assert_eq!(*again.to_secret_bytes(), *bytes);
    again
}

/// A refresh of 2 of 3 by 1 and 2, while 3 is offline.
struct Refresh<G: Group> {
    old: Shares<G>,
    absent: Absent,
}

impl<G: Group> Refresh<G> {
    fn new(to: (PartyId, SealTo), seed: u64) -> Self {
        Self { old: dkg::keygen(2, 3, seed), absent: vec![to] }
    }

    fn plan(&self, me: u16) -> Ready<G, Refreshes> {
        refresh(&self.old[&id(me)], &ids(&[1, 2]), 1, Factors::Gone).unwrap()
    }

    fn members(&self) -> Vec<Ready<G, Refreshes>> {
        [1, 2].map(|me| with(self.plan(me), &self.absent)).into()
    }

    fn run(&self, seed: u64) -> (BTreeMap<PartyId, Reshared<G>>, Vec<Vec<u8>>) {
        online(self.members(), seed, 1)
    }

    fn holder(&self) -> OfflineHolder<G, Refreshes> {
        self.plan(3).0.offline_holder(&self.absent).unwrap()
    }

    fn receive(&self, package: &Package, frames: &[Vec<u8>]) -> Result<Reshared<G>, OfflineError> {
        let old = &[&self.old[&id(3)]];
        let key = device(3);
        let with = match self.absent[0].1 {
            SealTo::Device(_) => OpenWith::Device(&key),
            SealTo::OldShare => OpenWith::OldShares(old),
        };
        self.holder().receive(&label(), package, frames, with, &mut rng(1))
    }
}

// two members are online, which a channel could serve: but nobody could show the holder what they confirm
#[test]
fn without_signatures_nothing_starts() {
    let case = Refresh::<G>::new(to_device(3, 3), 380);
    for (setup, source) in case.members() {
        let refused = Session::<Reshare<G, Refreshes>>::start(setup, &source, (), label(), Auth::Channel, &mut rng(1));
        assert_eq!(refused.err(), Some(StartError::Auth(AuthError::NeedsSignatures)));
    }
}

// what is confirmed to a holder who is not there is signed, so no plan with enough holders for that takes an opaque name
#[test]
fn holders_with_opaque_names_are_refused() {
    let old = dkg::keygen::<G>(2, 2, 385);
    let plan = plan_to(&old, &ids(&[1, 2]), &[(1, 1), (2, 2), (3, 3)], 2);
    let begin = |plan: &Plan<G>| {
        let consent = Consent::new(plan.changes());
        hand_over(id(1), Some(&old[&id(1)]), plan.clone(), &consent).map(|_| ())
    };
    assert_eq!(begin(&plan), Ok(()));
    let mut named = plan;
    named.new[2].1 = Identity::name("third");
    assert_eq!(begin(&named), Err(PlanError::Roster(RosterError::OpaqueName)));
}

fn unconfirmed(by: &[u16]) -> Option<OfflineError> {
    Some(OfflineError::Unconfirmed(by.iter().map(|i| id(*i)).collect()))
}

fn listed(of: impl Iterator<Item = PartyId>) -> Vec<PartyId> {
    of.collect()
}

fn refreshes<G: Group>(to: (PartyId, SealTo)) {
    let case = Refresh::<G>::new(to, 300);
    let (mut outputs, frames) = case.run(301);
    let health = outputs[&id(1)].health.clone();
    assert!(outputs.values().all(|out| out.health == health && out.package.is_some()));
    assert_eq!(listed(health.unconfirmed()), [id(3)]);
    assert_eq!(listed(health.confirmed()), [id(1), id(2)]);
    // whoever has the old share opens the new one in the package
    let by_old_share = matches!(case.absent[0].1, SealTo::OldShare);
    assert_eq!(listed(health.not_healed()), if by_old_share { vec![id(3)] } else { vec![] });

    let stored = through_bytes(&outputs[&id(1)]);
    let received = case.receive(&stored.package.unwrap(), &frames).unwrap();
    assert_eq!(received.health, health);
    assert_eq!(through_bytes(&received).package, outputs[&id(2)].package);
    let confirmation = health.confirmation(received.share.as_ref().unwrap(), &key(3)).unwrap();
    outputs.insert(id(3), received);
    for out in outputs.values_mut() {
        out.health.note_confirmed(id(3), &confirmation).unwrap();
        assert_eq!(out.health.unconfirmed().count() + out.health.given_up().count(), 0);
        assert_eq!(out.health.confirmed().count(), 3);
        let mut health = through_bytes(&out.health);
        for holder in ids(&[1, 2, 3]) {
            health.note_retired(holder);
            health.note_resealed(holder);
        }
        assert_eq!(health.old_sharing_is_dead(), !by_old_share);
    }
    let new = new_shares(outputs);
    assert_eq!(new.len(), 3);
    // every pair, with the offline holder too, makes the key; and the new sharing lives on
    dkg::check_sharing(&new);
    assert!(new[&id(3)].public_key() == case.old[&id(1)].public_key() && new[&id(3)].epoch() == 1);
    let again = refreshed(&new, &ids(&[2, 3]), 302);
    assert!(again[&id(1)].public_key() == new[&id(3)].public_key());
}

#[test]
fn an_offline_holder_is_refreshed() {
    refreshes::<Secp256k1>(to_device(3, 3));
    refreshes::<Ed25519>(to_device(3, 3));
}

#[test]
fn without_a_device_key_the_old_share_opens() {
    refreshes::<Secp256k1>(to_share(3));
    refreshes::<Ed25519>(to_share(3));
}

/// What everybody of a plan that is online starts with.
fn ready_online<G: Group>(plan: &Plan<G>, shares: &Shares<G>, absent: &Absent) -> Vec<Ready<G, HandOver>> {
    let there = |ready: &Ready<G, HandOver>| !absent.iter().any(|holder| holder.0 == ready.0.roster().me());
    ready_all(plan, shares).into_iter().filter(there).map(|ready| with(ready, absent)).collect()
}

fn hand_overs<G: Group>() {
    let old = dkg::keygen::<G>(2, 3, 310);
    let big = dkg::keygen::<G>(3, 5, 311);
    let one = |absent| vec![absent];
    let cases: [(&str, &Shares<G>, &[u16], &[(u16, u16)], u16, Absent); 6] = [
        ("a new device is in its box", &old, &[2, 3], &[(2, 2), (3, 3), (4, 4)], 2, one(to_device(4, 4))),
        ("the same id on a new device", &old, &[2, 3], &[(1, 9), (2, 2), (3, 3)], 2, one(to_device(1, 1))),
        ("the others add a node", &old, &[1, 2], &[(1, 1), (2, 2), (3, 3), (4, 4)], 2, one(to_share(3))),
        ("a dealer leaves", &old, &[1, 2], &[(2, 2), (3, 3), (4, 4)], 2, one(to_share(3))),
        (
            "two are away",
            &big,
            &[1, 2, 4],
            &[(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)],
            2,
            vec![to_share(5), to_device(3, 3)],
        ),
        ("a disjoint committee", &old, &[1, 2], &[(4, 4), (5, 5), (6, 6), (7, 7)], 3, one(to_device(5, 5))),
    ];
    for (name, shares, dealers, new, t, absent) in cases {
        let plan = plan_to(shares, &ids(dealers), new, t);
        let by = new.iter().find(|n| !absent.iter().any(|a| a.0 == id(n.0))).unwrap().0;
        let (mut outputs, frames) = online(ready_online(&plan, shares, &absent), 312, by);
        let consent = Consent::new(plan.changes());
        for (who, to) in &absent {
            let package = outputs.values().next().unwrap().package.clone().unwrap();
            let number = u8::try_from(who.get()).unwrap();
            let (key, mine) = (device(number), shares.get(who).into_iter().collect::<Vec<_>>());
            let (open, share) = match to {
                SealTo::Device(_) => (OpenWith::Device(&key), None),
                SealTo::OldShare => (OpenWith::OldShares(&mine), shares.get(who)),
            };
            let setup = hand_over(*who, share, plan.clone(), &consent).unwrap().0;
            let holder = setup.offline_holder(&absent).unwrap();
            let received = holder.receive(&label(), &package, &frames, open, &mut rng(2));
            outputs.insert(*who, received.unwrap_or_else(|error| panic!("{name}: {error}")));
        }
        let health = outputs.values().next().unwrap().health.clone();
        assert!(outputs.values().all(|out| out.health == health), "{name}");
        assert_eq!(health.unconfirmed().count(), absent.len(), "{name}");
        let fresh = new_shares(outputs);
        assert_eq!(fresh.len(), new.len(), "{name}");
        dkg::check_sharing(&fresh);
        let any = fresh.values().next().unwrap();
        assert!(any.public_key() == shares[&id(1)].public_key() && any.threshold() == th(t), "{name}");
    }
}

#[test]
fn offline_holders_in_every_hand_over() {
    hand_overs::<Secp256k1>();
    hand_overs::<Ed25519>();
}

#[test]
fn an_import_reaches_who_is_offline() {
    let secret = SecretScalar::<G>::random(&mut rng(320));
    let plan = Import::<G> {
        dealer: members([9])[0],
        new: members([1, 2, 3]),
        threshold: th(2),
        scheme: Scheme::Ecdsa,
        public_key: secret.public(),
    };
    let absent = vec![to_device(3, 3)];
    let ready = |me: u16| {
        let key = (me == 9).then(|| (SecretScalar::new(*secret.expose()), [6; 32]));
        import(id(me), key, plan.clone()).unwrap()
    };
    let (mut outputs, frames) = online([1, 2, 9].map(|me| with(ready(me), &absent)).into(), 321, 1);
    let package = through_bytes(outputs[&id(9)].package().unwrap());
    let holder = ready(3).0.offline_holder(&absent).unwrap();
    let key_of_3 = device(3);
    let failed = holder.receive(&label(), &package, &frames, OpenWith::Device(&key_of_3), &mut crate::audit::Broken);
    assert_eq!(failed.err(), Some(OfflineError::Rng));
    let received = holder.receive(&label(), &package, &frames, OpenWith::Device(&key_of_3), &mut rng(3)).unwrap();
    let confirmation = received.confirmation(&key(3)).unwrap();
    assert_eq!(outputs[&id(9)].confirmation(&key(9)), Err(HealthError::OtherShare), "it has no share");
    outputs.insert(id(3), received);
    for out in outputs.values_mut() {
        out.note_confirmed(id(3), &confirmation).unwrap();
        assert_eq!(out.health().confirmed().count(), 3);
    }
    let ready = [1, 2, 3].map(|me| outputs[&id(me)].refresh(&ids(&[1, 3]), 1).unwrap());
    let shares = new_shares(reshare(Vec::from(ready), 322));
    dkg::check_sharing(&shares);
    assert!(*shares[&id(3)].public_key() == secret.public());
}

/// Four keys of 2 of 4; 3 and 4 are away, one of them without a device key.
struct Keys {
    keys: Vec<Shares<G>>,
    absent: Absent,
}

impl Keys {
    fn new() -> Self {
        let keys = (0..4).map(|i| dkg::keygen::<G>(2, 4, 330 + i)).collect();
        Self { keys, absent: vec![to_device(4, 4), to_share(3)] }
    }

    fn ready(&self, me: u16) -> Ready<G, Batch<Refreshes>> {
        let shares: Vec<_> = self.keys.iter().map(|shares| (&shares[&id(me)], 1, Factors::Gone)).collect();
        refresh_batch(&shares, &ids(&[1, 2])).unwrap()
    }

    fn members(&self) -> Vec<Ready<G, Batch<Refreshes>>> {
        [1, 2].map(|me| with(self.ready(me), &self.absent)).into()
    }

    fn receive(&self, me: u16, package: &Package, frames: &[Vec<u8>]) -> Result<ResharedBatch<G>, OfflineError> {
        let old: Vec<_> = self.keys.iter().map(|shares| &shares[&id(me)]).collect();
        let key = device(4);
        let with = if me == 3 { OpenWith::OldShares(&old) } else { OpenWith::Device(&key) };
        let holder = self.ready(me).0.offline_holder(&self.absent).unwrap();
        holder.receive(&label(), package, frames, with, &mut rng(4))
    }

    /// One sharing of each key that went over, in order.
    fn check(outputs: &mut BTreeMap<PartyId, ResharedBatch<G>>, done: usize) {
        for k in 0..done {
            let of_key = |out: &mut ResharedBatch<G>| out.done[k].share.take().unwrap();
            let shares: Shares<G> = outputs.iter_mut().map(|(id, out)| (*id, of_key(out))).collect();
            assert_eq!(shares.len(), 4);
            dkg::check_sharing(&shares);
        }
    }
}

#[test]
fn a_batch_reaches_who_is_offline() {
    let keys = Keys::new();
    let (mut outputs, frames) = online(keys.members(), 340, 2);
    let package = through_bytes(&outputs[&id(1)]).package.unwrap();
    for me in [3, 4] {
        let received = keys.receive(me, &package, &frames).unwrap();
        assert!(received.kept.is_empty());
        for (mine, theirs) in received.done.iter().zip(&outputs[&id(1)].done) {
            assert_eq!(mine.health, theirs.health);
            assert!(theirs.package.is_none(), "one for all keys");
        }
        outputs.insert(id(me), received);
    }
    Keys::check(&mut outputs, 4);
}

/// A key that an online member refuses stays old at an offline holder too: the refused bits are confirmed.
#[test]
fn a_key_of_a_batch_that_somebody_refuses_stays_old_everywhere() {
    let keys = Keys::new();
    let lie: Lie = Box::new(|round, to, _, body| {
        if (round, to) == (2, To::One(id(2))) {
            body[64 + 31] ^= 1;
        }
    });
    let mut net = lied::<Reshare<G, Batch<Refreshes>>>(keys.members(), vec![(id(1), lie)]);
    assert_eq!(net.outputs.len(), 2, "{:?}", net.failures);
    let frames = handed_along(&net, 2);
    let package = net.outputs[&id(2)].package.clone().unwrap();
    for me in [3, 4] {
        let received = keys.receive(me, &package, &frames).unwrap();
        let kept: Vec<_> = received.kept.iter().map(|kept| kept.key_id).collect();
        assert_eq!(kept, [keys.keys[1][&id(1)].key_id()]);
        assert!(received.kept[0].refused_by.is_empty() && received.kept[0].culprit.is_none());
        net.outputs.insert(id(me), received);
    }
    Keys::check(&mut net.outputs, 3);
    // the storage can't say that another key was refused
    let mut bytes = package.to_secret_bytes();
    let len = bytes.len();
    bytes[len - 4..].copy_from_slice(&[0, 0, 0, 0]);
    let changed = Package::decode(&mut Reader::new(&bytes)).unwrap();
    assert_eq!(keys.receive(3, &changed, &frames).err(), unconfirmed(&[1, 2]));
}

#[test]
fn offline_holders_that_cannot_be_are_refused_before_any_message() {
    let old = dkg::keygen::<G>(2, 4, 385);
    let setup = |me: u16| refresh(&old[&id(me)], &ids(&[1, 2]), 1, Factors::Gone).unwrap().0;
    for (absent, expected) in [
        (vec![to_device(2, 2)], PlanError::Offline(id(2))),
        (vec![to_device(7, 2)], PlanError::Offline(id(7))),
        (vec![to_device(3, 3), to_share(3)], PlanError::Offline(id(3))),
        (vec![to_device(3, 3), to_device(4, 3)], PlanError::Offline(id(3))),
    ] {
        assert_eq!(setup(1).with_offline(&absent).err(), Some(expected));
        assert!(setup(3).offline_holder(&absent).is_err());
    }
    // who is offline does not take part, and who takes part is not offline
    assert!(matches!(setup(3).with_offline(&[to_share(3)]), Err(PlanError::Roster(RosterError::NotAMember(_)))));
    assert_eq!(setup(3).offline_holder(&[to_share(4)]).err(), Some(PlanError::Offline(id(3))));
    assert!(setup(1).with_offline(&[to_share(3), to_share(4)]).is_ok());
    assert!(setup(3).offline_holder(&[to_share(3), to_share(4)]).is_ok());
    // fewer online than the new threshold
    let plan = plan_to(&old, &ids(&[1, 2]), &[(1, 1), (2, 2), (3, 3), (4, 4)], 3);
    let consent = Consent::new(plan.changes());
    let setup = hand_over(id(1), Some(&old[&id(1)]), plan, &consent).unwrap().0;
    let few = setup.with_offline(&[to_share(3), to_share(4)]).err();
    assert_eq!(few, Some(PlanError::Online { got: 2, needed: 3 }));
}

/// Who is offline, and how it is reached, is part of what all agree on.
#[test]
fn another_list_of_offline_holders_is_a_mismatch() {
    let case = Refresh::<G>::new(to_device(3, 3), 390);
    for other in [vec![to_share(3)], vec![to_device(3, 4)]] {
        let members = vec![with(case.plan(1), &case.absent), with(case.plan(2), &other)];
        let net = lied::<Reshare<G, Refreshes>>(members, Vec::new());
        assert!(net.outputs.is_empty() && !net.failures.is_empty());
        for failure in net.failures.values() {
            assert_eq!((failure.fault, failure.culprit), (Fault::Mismatch(Agreed::Sid), None));
        }
    }
    // a different stored setup is a different encoding
    let (one, other) = (with(case.plan(1), &case.absent).0, case.plan(1).0);
    assert_ne!(*one.to_secret_bytes(), *other.to_secret_bytes());
    assert_eq!(through_bytes(&one).terms(), one.terms());
}

#[test]
fn only_the_holders_own_word_confirms() {
    let case = Refresh::<G>::new(to_device(3, 3), 395);
    let (mut outputs, frames) = case.run(396);
    let received = case.receive(outputs[&id(1)].package.as_ref().unwrap(), &frames).unwrap();
    let mut health = outputs.remove(&id(1)).unwrap().health;
    let share = received.share.as_ref().unwrap();
    let good = health.confirmation(share, &key(3)).unwrap();
    // the key of another member, the share of another member or sharing
    assert_eq!(health.confirmation(share, &key(1)), Err(HealthError::OtherShare));
    assert_eq!(health.confirmation(&case.old[&id(3)], &key(3)), Err(HealthError::OtherShare));
    // somebody else's word, a changed word, a word about another outcome, another holder's
    let of_2 = outputs.remove(&id(2)).unwrap();
    let forged = of_2.health.confirmation(of_2.share.as_ref().unwrap(), &key(2)).unwrap();
    assert_eq!(health.note_confirmed(id(3), &forged), Err(HealthError::Evidence(id(3))));
    for at in 0..64 {
        let mut changed = good;
        changed[at] ^= 1;
        assert_eq!(health.note_confirmed(id(3), &changed), Err(HealthError::Evidence(id(3))));
    }
    let (other, other_frames) = case.run(397);
    let later = case.receive(other[&id(1)].package.as_ref().unwrap(), &other_frames).unwrap();
    let stale = later.health.confirmation(later.share.as_ref().unwrap(), &key(3)).unwrap();
    assert_eq!(health.note_confirmed(id(3), &stale), Err(HealthError::Evidence(id(3))));
    // an online holder may give its word in the same way
    assert_eq!(listed(health.unfinished()), [id(1), id(2)]);
    assert_eq!(health.note_confirmed(id(2), &good), Err(HealthError::Evidence(id(2))));
    health.note_confirmed(id(2), &forged).unwrap();
    assert_eq!(listed(health.unfinished()), [id(1)]);
    assert_eq!(health.note_confirmed(id(2), &forged), Err(HealthError::NotWaiting(id(2))));
    assert_eq!(listed(health.unconfirmed()), [id(3)]);
    health.note_confirmed(id(3), &good).unwrap();
    assert_eq!(health.note_confirmed(id(3), &good), Err(HealthError::NotWaiting(id(3))));
}

#[test]
fn a_holder_that_never_comes_back_is_given_up_with_consent() {
    let case = Refresh::<G>::new(to_device(3, 3), 400);
    let (mut outputs, frames) = case.run(401);
    let received = case.receive(outputs[&id(1)].package.as_ref().unwrap(), &frames).unwrap();
    let Reshared { share, mut health, .. } = outputs.remove(&id(1)).unwrap();
    let mut old = case.old;
    let mine = old.remove(&id(1)).unwrap();
    let (backups, consent) = (Resealed::with(&share.unwrap()), Consent::new([Change::Retires(mine.key_id(), 0)]));
    let (mine, error) = retire(mine, &mut health, &backups, &consent).err().unwrap();
    assert_eq!(error, RetireError::Unconfirmed);
    let key_id = mine.key_id();
    let gives_up = |who| Consent::new([Change::GivesUp(key_id, 1, id(who))]);
    let of_another_key = Consent::new([Change::GivesUp(KeyId::from_bytes([0; 16]), 1, id(3))]);
    let of_another_epoch = Consent::new([Change::GivesUp(key_id, 2, id(3))]);
    assert_eq!(health.give_up(id(3), &of_another_epoch), Err(HealthError::Consent));
    assert_eq!(health.give_up(id(3), &of_another_key), Err(HealthError::Consent));
    assert_eq!(health.give_up(id(3), &gives_up(2)), Err(HealthError::Consent));
    assert_eq!(health.give_up(id(3), &consent), Err(HealthError::Consent));
    assert_eq!(health.give_up(id(9), &gives_up(9)), Err(HealthError::NotWaiting(id(9))));
    assert_eq!(health.give_up(id(3), &gives_up(3)), Ok(()));
    let mut health = through_bytes(&health);
    assert_eq!(listed(health.given_up()), [id(3)]);
    assert_eq!(listed(health.confirmed()), [id(1), id(2)], "it is not counted");
    assert!(health.unconfirmed().next().is_none());
    // 2 has not shown that it finished
    let (mine, error) = retire(mine, &mut health, &backups, &consent).err().unwrap();
    assert_eq!(error, RetireError::Unfinished);
    health.note_finished(id(3));
    assert_eq!(listed(health.given_up()), [id(3)], "an offline holder shows its signature");
    health.note_finished(id(2));
    assert!(retire(mine, &mut health, &backups, &consent).is_ok());
    assert!(!health.old_shares.contains(&id(1)) && health.old_shares.contains(&id(3)));
    // and comes back all the same
    let confirmation = health.confirmation(received.share.as_ref().unwrap(), &key(3)).unwrap();
    assert_eq!(health.give_up(id(3), &gives_up(3)), Err(HealthError::NotWaiting(id(3))));
    health.note_confirmed(id(3), &confirmation).unwrap();
    assert!(health.given_up().next().is_none() && health.confirmed().count() == 3);
}

/// The package is in what is durable before anybody confirms.
#[test]
fn the_package_survives_a_crash_and_suspension() {
    for to in [to_device(3, 3), to_share(3)] {
        let case = Refresh::<G>::new(to, 405);
        let mut net = Net::of(case.members().into_iter().map(|ready| started(ready, 406)));
        net.run();
        // of 1 nothing is left but what it stored; 2 sends its confirmation again
        let sealed = &net.sealed[&id(1)];
        let (mut session, step) =
            Session::<Reshare<G, Refreshes>>::resume_ending(sealed, &storage(), signed(1)).unwrap();
        let step = match step {
            Step::Continue(_) => {
                let mut again = net.parties[&id(2)].resend().into_iter();
                let confirms = again.find(|frame| Header::parse(&frame.bytes).unwrap().round == 4).unwrap();
                session.handle(id(2), &confirms.bytes).unwrap()
            }
            step => step,
        };
        let Step::Done(out, ..) = step else { panic!("all confirmations are in") };
        let package = out.package.unwrap();
        let own = session.resend().into_iter().map(|frame| frame.bytes);
        let frames: Vec<_> = session.confirmations().iter().cloned().chain(own).collect();
        assert!(case.receive(&package, &frames).is_ok());

        // suspended after every frame
        let sources = case.members().into_iter().map(|ready| ready.1);
        let sessions = case.members().into_iter().map(|ready| started(ready, 406));
        let members = sources.zip(sessions).map(|(source, (me, (session, frames)))| (me, source, session, frames));
        let outputs = suspended::<Reshare<G, Refreshes>>(members);
        assert!(outputs.values().all(|out| out.package.as_ref() == Some(&package)), "the same bytes");
    }
}

// what one dealer alone has noted reaches who is offline, and blames nobody; neither does a note of the offline holder's own
#[test]
fn row_103_a_factor_kept_on_one_side_is_shown_to_who_is_offline() {
    for noted in [1, 3] {
        let mut case = Refresh::<G>::new(to_device(3, 3), 410);
        let share = case.old.remove(&id(noted)).unwrap().with_factor_kept();
        case.old.insert(id(noted), share);
        let (outputs, frames) = case.run(411);
        let received = case.receive(outputs[&id(2)].package.as_ref().unwrap(), &frames).unwrap();
        assert!(received.share.unwrap().marks().factor_kept && received.health.marks.factor_kept);
        assert_eq!(outputs[&id(2)].health.marks.factor_kept, noted == 1);
    }
}
