//! Epochs of an n-party key in the stores of its holders, and what is left of the ones before (safety.md S6).

use crate::crowd::*;
use std::collections::BTreeMap;
use symbolon::committee::{self, FromBank, FromScratch, Item, NotStarted, Plan, Setups};
use symbolon::store::{self, CurrentError, PutError, SerialError, TakeError};
use symbolon::{
    Agreed, Bank, Banked, Claimed, Failures, Fault, FloorId, KeyId, Ledger, MemoryLedger, Pair, PairSetup, PartyId,
    Sealed, Secp256k1, SetupId, Token,
};
use symbolon_testkit::Crowd;

type G = Secp256k1;

const MISMATCH: Fault = Fault::Mismatch(Agreed::Sid);

/// Whoever hears of the difference ends with a mismatch that names nobody and burns nothing. Between two that is the first to
/// read a frame; the other one waits, until its caller's deadline. What was moved in comes back.
fn all_mismatch<V: committee::Paths>(starts: Vec<Started<V>>) -> BTreeMap<PartyId, V::Held> {
    let parties = starts.len();
    let (ends, waiting) = joint_or_waiting(starts);
    assert_eq!(waiting.len(), usize::from(parties == 2));
    let mut held: BTreeMap<_, _> =
        waiting.into_iter().filter_map(|(me, session)| Some((me, session.cancel()?))).collect();
    for (me, end) in ends {
        let Err(error) = end else { panic!("{me} has a result") };
        let Some(Fault::Mismatch(_)) = error.fault() else { panic!("{me}: {error}") };
        assert!(error.culprit().is_none() && error.burned().is_empty(), "{me}: {error}");
        held.extend(error.into_held().map(|kept| (me, kept)));
    }
    held
}

/// Sealed copies, as in a backup that should not exist. The setups stay.
fn copies(setups: &mut Setups) -> Vec<Vec<u8>> {
    let seal = |setup: PairSetup| setup.seal(&storage(), &mut rng(1)).unwrap();
    let copies = std::mem::take(setups).into_values().map(seal).collect::<Vec<_>>();
    *setups = opened(&copies);
    copies
}

fn opened(copies: &[Vec<u8>]) -> Setups {
    let open = |copy: &Vec<u8>| PairSetup::open(copy, &storage()).unwrap();
    copies.iter().map(open).map(|setup| (setup.pair().peer(), setup)).collect()
}

// attacks.md row 95: pair setups, the seeds of zero shares in them, and bank items of before are refused after a refresh,
// each with its own error, wherever they come from; a thief's copy opens nothing new
#[test]
fn row_95_a_refresh_heals() {
    for (t, n, signers) in [(2, 3, vec![1, 2]), (3, 4, vec![1, 2, 4])] {
        let mut devices = Devices::<G>::create(t, n, 40);
        devices.pair_setups();
        devices.refill(&signers, 3);
        let me = id(1);
        let before = copies(&mut devices.at(me).setups);
        // a bank that nobody tells of the refresh, as in another process
        let mut forgotten = Bank::<Item>::default();
        let device = devices.at(me);
        let with_2 = device.setups[&id(2)].id();
        forgotten.put(device.bank.take_any(&with_2));
        // one setup is in the ledger, and stays in it
        let setup = opened(&before).remove(&id(2)).unwrap();
        let filed = store::put_setup(&mut device.ledger, &storage(), setup, &mut rng(2)).unwrap();
        assert_eq!(device.bank.left(&with_2), 2);

        let dealers: Vec<_> = (1..=t).collect();
        let plan = devices.plan(&dealers);
        devices.run(&plan, &[]);

        let device = devices.at(me);
        assert_eq!(device.bank.left(&with_2), 0, "destroyed at once");
        let taken = store::take_setup(&mut device.ledger, &storage(), &filed);
        assert!(matches!(taken, Err(TakeError::Stale)));
        let again = store::take_setup(&mut device.ledger, &storage(), &filed);
        assert!(matches!(again, Err(TakeError::Gone)), "and destroyed");
        let taken = store::take_setups(&mut device.ledger, &storage(), [&filed], &mut rng(3));
        assert!(matches!(taken, Err(TakeError::Gone)));
        let restored = opened(&before).remove(&id(2)).unwrap();
        let put = store::put_setup(&mut device.ledger, &storage(), restored, &mut rng(4));
        assert!(matches!(put, Err(PutError::Stale)));
        let item = forgotten.ids(&with_2).next().unwrap();
        let taken = store::take_item(&mut device.ledger, &mut forgotten, &item);
        assert!(matches!(taken, Err(TakeError::Stale)));
        // what was kept in memory
        let stale = store::drop_stale(&mut device.ledger, &mut device.setups).unwrap();
        assert_eq!(stale.len(), usize::from(n) - 1);
        let missing = {
            let Device { share, setups, .. } = devices.at(me);
            let auth = symbolon::Auth::Signed(key(1));
            let started =
                committee::sign(share.as_ref().unwrap(), &ids(&signers), setups, payload(), path(), auth, &mut rng(5));
            started.err()
        };
        assert_eq!(missing, Some(NotStarted::NoSetup(id(2))));

        // a thief that uses its copies at party 1 against honest others
        devices.pair_setups();
        let fresh = std::mem::replace(&mut devices.at(me).setups, opened(&before));
        let starts = devices.start_sign(&ids(&signers));
        let held = all_mismatch::<FromScratch>(starts);
        for (who, setups) in held {
            if who != me {
                devices.at(who).setups.extend(setups);
            }
        }
        devices.at(me).setups = fresh;
        // the mismatch burned nothing: the same setups serve the next run
        devices.sign(&signers);
    }
}

// attacks.md row 70: a restored copy of the storage. The ledger is in no copy and refuses the share; if the ledger went back
// too, the others' epoch ends the run, and no share, setup or item is lost at them
#[test]
fn row_70_a_restored_snapshot_signs_nothing() {
    for (t, n, signers) in [(2, 3, vec![1, 3]), (3, 4, vec![1, 2, 4])] {
        let mut devices = Devices::<G>::create(t, n, 50);
        devices.pair_setups();
        let me = id(1);
        let snapshot = (again(devices.share(1)), copies(&mut devices.at(me).setups));
        let dealers: Vec<_> = (1..=t).collect();
        let plan = devices.plan(&dealers);
        devices.run(&plan, &[]);
        devices.pair_setups();

        // storage restored, ledger not
        let device = devices.at(me);
        let refused = store::current(&mut device.ledger, &snapshot.0).err();
        assert_eq!(refused, Some(CurrentError::Superseded { share: 0, confirmed: 1 }));
        let mut old_setups = opened(&snapshot.1);
        assert_eq!(store::drop_stale(&mut device.ledger, &mut old_setups).unwrap().len(), usize::from(n) - 1);

        // everything restored
        let new = std::mem::replace(
            device,
            Device { share: Some(snapshot.0), setups: opened(&snapshot.1), ..Device::new(1) },
        );
        let Device { ledger, share, .. } = devices.at(me);
        assert!(store::current(ledger, share.as_ref().unwrap()).is_ok());
        let starts = devices.start_sign(&ids(&signers));
        let held = all_mismatch::<FromScratch>(starts);
        assert!(held.contains_key(&me));
        for (who, setups) in held {
            devices.at(who).setups.extend(setups);
        }
        // a refresh with the restored share is another plan than everybody else's
        let theirs = Plan::of(devices.share(2), &ids(&dealers), 2, committee::Factors::Gone);
        let mine = Plan::of(devices.share(1), &ids(&dealers), 2, committee::Factors::Gone);
        let members = devices.members().into_iter();
        let starts = members.map(|who| {
            let plan = if who == me { &mine } else { &theirs };
            let mut rng = devices.rng(who);
            let device = &devices.devices[&who];
            (who, committee::refresh(device.share(), plan, &[], device.auth(), &mut rng).unwrap())
        });
        let starts: Vec<_> = starts.collect();
        for (who, end) in Crowd::new(starts).run().ends {
            let error = end.failed();
            assert_eq!((error.fault(), error.culprit()), (Some(MISMATCH), None), "{who}");
        }
        // with its newest copy it goes on
        devices.devices.insert(me, new);
        devices.pair_setups();
        devices.sign(&signers);
    }
}

// attacks.md row 110, for n: a member that is, or claims to be, an epoch ahead ends this run only. Nobody's floor moves
#[test]
fn row_110_a_higher_epoch_claimed_ends_one_run() {
    for (t, n, signers) in [(2, 3, vec![2, 3]), (3, 4, vec![1, 2, 3])] {
        let mut ahead = Devices::<G>::create(t, n, 60);
        let dealers: Vec<_> = (1..=t).collect();
        let plan = ahead.plan(&dealers);
        ahead.run(&plan, &[]);
        // the same key, whose other holders have not heard of the refresh
        let mut devices = Devices::<G>::create(t, n, 60);
        assert!(devices.share(1).key_id() == ahead.share(1).key_id());
        devices.pair_setups();
        let liar = id(signers[0]);
        let own = devices.at(liar).share.replace(again(ahead.devices[&liar].share()));
        let starts = devices.start_sign(&ids(&signers));
        for (who, setups) in all_mismatch::<FromScratch>(starts) {
            devices.at(who).setups.extend(setups);
        }
        devices.at(liar).share = own;

        // the same for a plan that claims to replace the last epoch there is
        let honest = devices.plan(&dealers);
        let mut claimed = honest.clone();
        claimed.keys[0].new_epoch = u32::MAX;
        let members = devices.members().into_iter();
        let starts = members.map(|who| {
            let plan = if who == liar { &claimed } else { &honest };
            let mut rng = devices.rng(who);
            let device = &devices.devices[&who];
            (who, committee::refresh(device.share(), plan, &[], device.auth(), &mut rng).unwrap())
        });
        let starts: Vec<_> = starts.collect();
        for (who, end) in Crowd::new(starts).run().ends {
            assert_eq!(end.failed().fault(), Some(MISMATCH), "{who}");
        }

        for who in devices.members() {
            let Device { ledger, share, .. } = devices.at(who);
            assert!(store::current(ledger, share.as_ref().unwrap()).is_ok());
        }
        devices.sign(&signers);
        devices.run(&honest, &[]);
        devices.pair_setups();
        devices.sign(&signers);
    }
}

// attacks.md row 95, 110: serials of a committee whose pairs have different histories. A serial above a pair's own floor goes
// stale with the next epoch like any other, and a liar can't use serials up
#[test]
fn serials_of_pairs_with_different_histories() {
    let mut devices = Devices::<G>::create(2, 3, 70);
    for _ in 0..3 {
        let plan = devices.plan(&[1, 2]);
        devices.run(&plan, &[]);
    }
    let plan = devices.plan(&[1, 2]).add_device(holder(4, 4)).unwrap();
    devices.run(&plan, &[(4, 4)]);
    devices.pair_setups();
    let setup = &devices.at(id(4)).setups[&id(1)];
    assert_eq!(setup.serial(), 4, "that of the others, though 4 has seen one epoch");
    let plan = devices.plan(&[1, 2]);
    devices.run(&plan, &[]);
    for me in devices.members() {
        let Device { ledger, setups, .. } = devices.at(me);
        assert_eq!(store::drop_stale(ledger, setups).unwrap().len(), 3, "{me}");
    }
    let members = devices.holders();
    let ledger = &mut devices.at(id(4)).ledger;
    let claim = |ledger: &mut MemoryLedger, claim| store::committee_serial(ledger, id(4), &members, &[3, claim]);
    let own = claim(ledger, 0).unwrap();
    assert_eq!(own, 5);
    assert_eq!(claim(ledger, own + 65536), Ok(own + 65536));
    for high in [own + 65537, u32::MAX] {
        assert_eq!(claim(ledger, high), Err(SerialError::Claim(high)));
    }
}

/// Fails once, at one call.
struct Flaky {
    inner: MemoryLedger,
    calls: u32,
    fails_at: u32,
}

#[derive(Debug, PartialEq, Eq)]
struct Down;

impl Flaky {
    fn call(&mut self) -> Result<&mut MemoryLedger, Down> {
        self.calls += 1;
        if self.calls == self.fails_at { Err(Down) } else { Ok(&mut self.inner) }
    }
}

fn sure<T>(result: Result<T, std::convert::Infallible>) -> T {
    let Ok(value) = result;
    value
}

impl Ledger for Flaky {
    type Error = Down;

    fn claim(&mut self, token: &Token) -> Result<Claimed, Down> {
        self.call().map(|ledger| sure(ledger.claim(token)))
    }

    fn take(&mut self, setup: &SetupId) -> Result<Option<Sealed>, Down> {
        self.call().map(|ledger| sure(ledger.take(setup)))
    }

    fn put(&mut self, setup: SetupId, sealed: Sealed) -> Result<(), Down> {
        self.call().map(|ledger| sure(ledger.put(setup, sealed)))
    }

    fn burn(&mut self, setup: &SetupId) -> Result<(), Down> {
        self.call().map(|ledger| sure(ledger.burn(setup)))
    }

    fn floor(&mut self, of: &FloorId) -> Result<u64, Down> {
        self.call().map(|ledger| sure(ledger.floor(of)))
    }

    fn raise_floor(&mut self, of: &FloorId, to: u64) -> Result<(), Down> {
        self.call().map(|ledger| sure(ledger.raise_floor(of, to)))
    }

    fn failures(&mut self, of: &KeyId) -> Result<Failures, Down> {
        self.call().map(|ledger| sure(ledger.failures(of)))
    }

    fn count_failure(&mut self, of: &KeyId) -> Result<Failures, Down> {
        self.call().map(|ledger| sure(ledger.count_failure(of)))
    }

    fn lift(&mut self, of: &KeyId) -> Result<(), Down> {
        self.call().map(|ledger| sure(ledger.lift(of)))
    }
}

// attacks.md row 95: an epoch is entered once, wherever the store fails or the process dies in between
#[test]
fn row_95_entering_an_epoch_survives_a_crash_at_any_call() {
    let mut devices = Devices::<G>::create(2, 3, 80);
    let plan = devices.plan(&[1, 2]).recover(id(3), holder(3, 9)).unwrap();
    let (_, health) = devices.run(&plan, &[(3, 9)]);
    let pair = |number| Pair::between(id(1), holder(1, 1), holder(3, number)).unwrap();
    let pairs = [Pair::between(id(1), holder(1, 1), holder(2, 2)).unwrap(), pair(3), pair(9)];
    let mut failed = 0;
    for fails_at in 1..40 {
        let mut ledger = Flaky { inner: MemoryLedger::default(), calls: 0, fails_at };
        let mut bank = Bank::<Item>::default();
        let mut enter = |ledger: &mut Flaky| store::advance(ledger, &mut bank, id(1), &plan, &health);
        let mut entered = 0;
        while entered < 3 {
            match enter(&mut ledger) {
                Ok(()) => entered += 1,
                Err(error) => {
                    assert_eq!(error, store::AdvanceError::Ledger(Down));
                    failed += 1;
                }
            }
        }
        for pair in &pairs {
            ledger.fails_at = 0;
            assert_eq!(store::serial(&mut ledger, pair), Ok(1), "after a failure at call {fails_at}");
        }
        assert!(store::current(&mut ledger, devices.share(1)).is_ok());
    }
    assert!(failed > 30, "every call of three times has failed once");

    // another key's or epoch's outcome, and somebody without a part in it
    let (mut ledger, mut bank) = (MemoryLedger::default(), Bank::<Item>::default());
    let mut other = health.clone();
    other.epoch = 7;
    for (me, health) in [(1, &other), (8, &health)] {
        let refused = store::advance(&mut ledger, &mut bank, id(me), &plan, health);
        assert_eq!(refused, Err(store::AdvanceError::OtherPlan));
    }
    assert_eq!(store::serial(&mut ledger, &pairs[0]), Ok(0));
}

#[test]
fn the_banks_of_several_kinds_are_all_emptied() {
    let mut devices = Devices::<G>::create(3, 4, 90);
    devices.pair_setups();
    devices.refill(&[1, 2, 3], 2);
    let plan = devices.plan(&[1, 2, 3]).revoke(id(4)).unwrap();
    let mut quorums = Bank::default();
    let device = devices.at(id(1));
    let over = device.setups[&id(3)].id();
    quorums.put(device.bank.drain().into_iter().filter_map(|item| match item {
        Item::Quorum(item) => Some(item),
        Item::Pair(_) => None,
    }));
    assert!(quorums.left(&over) == 2 && quorums.ids(&over).all(|item| quorums.ids(&over).any(|other| other == item)));
    let (_, health) = devices.run(&plan, &[]);
    let device = devices.at(id(1));
    store::advance(&mut device.ledger, &mut quorums, id(1), &plan, &health).unwrap();
    assert_eq!(quorums.left(&over), 0);
    // who was revoked and did not take part knows nothing of it; who leaves as a dealer does
    assert!(devices.at(id(4)).share.is_some());
}

// attacks.md row 98, for n: an item is answered once
#[test]
fn row_98_an_item_is_taken_once_and_dies_with_any_of_its_setups() {
    let mut devices = Devices::<G>::create(3, 4, 100);
    devices.pair_setups();
    devices.refill(&[1, 2, 3], 2);
    let Device { ledger, bank, setups, .. } = devices.at(id(1));
    let mut of: Vec<_> = bank.drain();
    let (second, first) = (of.pop().unwrap(), of.pop().unwrap());
    let (first_id, second_id) = (first.id(), second.id());
    bank.put([first]);
    assert!(store::take_item(ledger, bank, &first_id).is_ok());
    assert!(matches!(store::take_item(ledger, bank, &first_id), Err(TakeError::Gone)));
    // burned elsewhere: the bank of this process does not know
    ledger.burn(&setups[&id(3)].id()).unwrap();
    bank.put([second]);
    assert!(matches!(store::take_item(ledger, bank, &second_id), Err(TakeError::Gone)));
}

#[test]
fn a_banked_item_meets_another_epoch() {
    let mut devices = Devices::<G>::create(3, 4, 110);
    devices.pair_setups();
    devices.refill(&[1, 2, 3], 1);
    let old = again(devices.share(2));
    let items: Vec<(PartyId, Item)> =
        ids(&[1, 2, 3]).into_iter().map(|me| (me, devices.at(me).bank.drain().pop().unwrap())).collect();
    let plan = devices.plan(&[1, 2, 3]);
    devices.run(&plan, &[]);
    let mut starts = Vec::new();
    for (me, item) in items {
        let share = if me == id(2) { &old } else { devices.devices[&me].share() };
        let auth = devices.devices[&me].auth();
        starts.push((me, committee::sign_banked(share, item, payload(), path(), auth, &mut rng(6)).unwrap()));
    }
    all_mismatch::<FromBank>(starts);
}

#[test]
fn a_cancelled_run_gives_the_setups_back() {
    for (t, signers) in [(2, vec![1, 2]), (3, vec![1, 2, 3])] {
        let mut devices = Devices::<G>::create(t, 3, 120);
        devices.pair_setups();
        for (me, (session, _)) in devices.start_sign(&ids(&signers)) {
            assert!(session.resend().len() <= 2 * signers.len());
            assert!(!session.waiting_for().is_empty() && !session.waiting_for().contains(&me));
            let back = session.cancel().unwrap();
            assert_eq!(back.len(), signers.len() - 1);
            devices.at(me).setups.extend(back);
        }
        let device = devices.at(id(1));
        let auth = device.auth();
        let Device { share, setups, .. } = device;
        let started = committee::preprocess(share.as_ref().unwrap(), &ids(&signers), setups, 1, auth, &mut rng(7));
        let back = started.unwrap().0.cancel().unwrap();
        device.setups.extend(back);
        devices.sign(&signers);
    }
}
