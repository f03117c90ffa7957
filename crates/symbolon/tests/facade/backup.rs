//! Backups from the facade: the whole life of a key, through lost devices to the exit.

use crate::crowd::*;
use symbolon::backup::{
    self, Change, ChangeError, Consent, CreateError, Expected, Limits, Made, NewSlot, OpenError, Opened, Password,
    PasswordPolicy, Phrase, ReadError, ResealError, RestoreError, SlotSet, Unlock, Work, xprv,
};
use symbolon::committee::{self, retire};
use symbolon::{
    Auth, DerivationPath, Ed25519, EthereumAddress, Group, KeyShare, Label, Role, Secp256k1, SecretScalar,
    wallet::{self, Create, Wallet},
};
use symbolon_testkit::Duo;

const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };

fn password(text: &str) -> Password {
    Password::new(text, &PasswordPolicy::default()).unwrap()
}

fn limits() -> Limits {
    Limits::default()
}

/// What each holder keeps: its file anywhere, the record of its slots beside the share.
fn restored<G: Group>(made: &Made, unlock: &Unlock<'_>, key: &G::Point, epoch: u32) -> Opened<KeyShare<G>> {
    let expected = Expected::key(*key).epoch(epoch);
    backup::restore(made.file.as_bytes(), unlock, &expected, &limits()).ok().unwrap()
}

fn life<G: Group>(check: impl Fn(&mut Devices<G>)) {
    let mut devices = Devices::<G>::create(2, 3, 50);
    let key = *devices.share(1).public_key();
    let rng = &mut rng(51);
    let (old, new) = (password("correct horse battery"), password("staple horse battery"));
    let (phrase, other) = (Phrase::generate(rng).unwrap(), Phrase::generate(rng).unwrap());
    let slots = [NewSlot::Password(&old, CHEAP), NewSlot::Phrase(&phrase)];
    let mut made: Vec<Made> = (1..=3).map(|me| backup::backup(devices.share(me), &slots, rng).unwrap()).collect();
    let none = backup::backup(devices.share(1), &[], rng);
    assert_eq!(none.err(), Some(CreateError::Slots));

    // another password for the first, a further slot for the second; what is wrong changes nothing and says what it is
    let expected = |of: u16, made: &Made| Expected::live(devices.share(of)).slots(made.slots);
    let file = |made: &Made| made.file.clone().into_bytes();
    let changed = |old: &Password, rng: &mut _| {
        backup::change_password::<KeyShare<G>>(
            &file(&made[0]),
            old,
            (&new, CHEAP),
            &expected(1, &made[0]),
            &limits(),
            rng,
        )
    };
    let wrong = ChangeError::Reseal(ResealError::Open(OpenError::WrongPassword));
    assert_eq!(changed(&new, rng).err(), Some(wrong));
    let first = changed(&old, rng).unwrap();
    let (slot, unlock) = (NewSlot::Phrase(&other), Unlock::Password(&old));
    let second =
        backup::add_slot::<KeyShare<G>>(&file(&made[1]), &slot, &unlock, &expected(2, &made[1]), &limits(), rng)
            .unwrap();
    let garbage = backup::add_slot::<KeyShare<G>>(b"a file", &slot, &unlock, &expected(2, &made[1]), &limits(), rng);
    assert_eq!(garbage.err(), Some(ChangeError::Read(ReadError::NotABackup)));
    (made[0], made[1]) = (first, second);
    for (made, unlock) in [(&made[0], Unlock::Password(&new)), (&made[1], Unlock::Phrase(&other))] {
        let opened = restored::<G>(made, &unlock, &key, 0);
        assert!(opened.secret.public_key() == &key);
    }

    // a refresh at night: every holder seals its new share to the recorded slots, and then the old share may go
    let plan = devices.plan(&[1, 3]);
    let (before, mut health) = devices.run(&plan, &[]);
    ids(&[1, 2, 3]).into_iter().for_each(|holder| health.note_finished(holder));
    let stale = made.clone();
    for (me, share) in before {
        let at = usize::from(me.get()) - 1;
        let new_share = devices.share(me.get());
        let swapped = backup::reseal(&file(&made[at]), new_share, &SlotSet::from_bytes([1; 32]), rng);
        assert_eq!(swapped.err().unwrap(), ChangeError::Reseal(ResealError::SlotSet));
        let (resealed, token) = backup::reseal(&file(&made[at]), new_share, &made[at].slots, rng).unwrap();
        made[at] = resealed;
        let consent = Consent::new([Change::Retires(share.key_id(), share.epoch())]);
        retire(share, &mut health, &token, &consent).map_err(|(_, why)| why).unwrap();
    }
    assert!(health.old_sharing_is_dead());
    let epoch = devices.share(1).epoch();
    for (old_file, unlock) in
        [(&stale[0], Unlock::Password(&new)), (&stale[1], Unlock::Phrase(&other)), (&stale[2], Unlock::Phrase(&phrase))]
    {
        let expected = Expected::<G>::key(key).epoch(epoch);
        let outcome = backup::restore::<KeyShare<G>>(old_file.file.as_bytes(), &unlock, &expected, &limits());
        let old_epoch = OpenError::OldEpoch { found: epoch - 1, expected: epoch };
        assert_eq!(outcome.err(), Some(RestoreError::Open(old_epoch)));
    }

    // all devices are lost; their files and what each holder remembers make new ones
    let secrets = [Unlock::Password(&new), Unlock::Phrase(&other), Unlock::Phrase(&phrase)];
    let mut lost = Devices::<G> { devices: (1..=3).map(|i| (id(i), Device::new(i))).collect(), seed: 52 };
    for (me, unlock) in (1..=3).zip(&secrets) {
        let at = usize::from(me) - 1;
        let opened = restored::<G>(&made[at], unlock, &key, epoch);
        // what the other holders know of this one's share
        let known = devices.share(1 + me % 3).members()[at].public_share;
        assert!(opened.secret.secret().public() == known);
        lost.at(id(me)).share = Some(opened.secret);
    }
    check(&mut lost);

    // the way out, offline, from two files
    let shares: Vec<_> =
        [2, 0].map(|at: usize| restored::<G>(&made[at], &secrets[at], &key, epoch).secret).into_iter().collect();
    let exit = committee::exit(&shares, &Consent::new([Change::Exits(shares[0].key_id())])).unwrap();
    assert!(exit.secret().public() == key && *exit.public_key() == key);
    assert_eq!(exit.chain_code(), shares[0].chain_code());
}

#[test]
fn a_key_outlives_its_devices() {
    life::<Secp256k1>(|devices| {
        devices.pair_setups();
        devices.sign(&[3, 2]);
    });
    life::<Ed25519>(|devices| {
        let plan = devices.plan(&[1, 2]);
        devices.run(&plan, &[]);
    });
}

// a two-party wallet leaves by shares and by factors: one key, whose derived addresses are the wallet's
#[test]
fn an_exit_has_the_addresses_of_the_wallet() {
    let start = |role, seed| wallet::create(role, Label::new("w").unwrap(), Auth::Channel, &mut rng(seed)).unwrap();
    let (ends, _) = Duo::<Create>::new(start(Role::Server, 61), start(Role::Client, 62)).run();
    let (phrase, rng) = (Phrase::generate(&mut rng(63)).unwrap(), &mut rng(64));
    let unlock = Unlock::Phrase(&phrase);
    let paths: Vec<DerivationPath> = ["m", "m/0/5", "m/44/60/0/0/1"].iter().map(|path| path.parse().unwrap()).collect();
    let (mut addresses, mut shares, mut factors) = (Vec::new(), Vec::new(), Vec::new());
    for wallet in ends.map(|end| end.output) {
        addresses.push(paths.iter().map(|path| wallet.address_at(path).unwrap()).collect::<Vec<_>>());
        let (wallet, factor) = wallet.keep_factor();
        let (key, slots) = (*wallet.share().public_key(), [NewSlot::Phrase(&phrase)]);
        let made = backup::backup(wallet.share(), &slots, rng).unwrap();
        let of_factor = backup::backup(&factor.unwrap(), &slots, rng).unwrap();
        let expected = Expected::key(key);
        let share = backup::restore::<KeyShare<Secp256k1>>(made.file.as_bytes(), &unlock, &expected, &limits());
        let factor = backup::restore(of_factor.file.as_bytes(), &unlock, &expected, &limits());
        shares.push(share.ok().unwrap().secret);
        factors.push(factor.ok().unwrap().secret);
        // one is not taken for the other
        let confused = backup::restore::<KeyShare<Secp256k1>>(of_factor.file.as_bytes(), &unlock, &expected, &limits());
        assert_eq!(confused.err(), Some(RestoreError::Open(OpenError::OtherKind)));
    }
    assert_eq!(addresses[0], addresses[1]);
    assert!(shares.iter().all(|share| share.marks().factor_kept));
    let consent = Consent::new([Change::Exits(shares[0].key_id())]);
    let exits =
        [backup::exit(&shares, &consent).unwrap(), backup::exit_pair(&factors[0], &factors[1], &consent).unwrap()];
    for exit in &exits {
        let derived = paths.iter().map(|path| {
            let child = symbolon::derive(exit.public_key(), exit.chain_code(), path).unwrap();
            let secret = SecretScalar::<Secp256k1>::new(*exit.secret().expose() + child.tweak);
            assert!(secret.public() == child.public_key);
            EthereumAddress::from_public_key(&secret.public())
        });
        assert_eq!(derived.collect::<Vec<_>>(), addresses[0]);
    }
    assert_eq!(*xprv(exits[0].secret(), exits[0].chain_code()), *xprv(exits[1].secret(), exits[1].chain_code()));
    // a restored share is a wallet again
    let wallet = Wallet::from_share(shares.remove(0));
    assert_eq!(wallet.address_at(&paths[1]).unwrap(), addresses[0][1]);
}
