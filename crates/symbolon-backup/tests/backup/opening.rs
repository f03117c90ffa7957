//! Making, opening, changing: every kind of secret, every slot, every way to fail.

use crate::world::{self, deal, factor, rng};
use rand_chacha::ChaCha12Rng;
use symbolon_backup::{
    AttachError, Backed, Backup, CreateError, EncryptedShare, Expected, Limits, NewSlot, OpenError, Password,
    PasswordPolicy, Phrase, ReadError, ResealError, SecretStore, SlotKind, SlotSet, Unlock, Work,
};
use symbolon_core::{Ed25519, Group, KeyId, Secp256k1};
use symbolon_seal::DeviceKey;
use symbolon_session::Storable;
use symbolon_sharing::{KeyShare, PairFactor};

/// The least that a reader takes: tests have many slots.
const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };

struct Secrets {
    password: Password,
    phrase: Phrase,
    device: DeviceKey,
}

impl Secrets {
    fn new(rng: &mut ChaCha12Rng) -> Self {
        Self {
            password: Password::new("correct horse", &PasswordPolicy::default()).unwrap(),
            phrase: Phrase::generate(rng).unwrap(),
            device: DeviceKey::generate(rng).unwrap(),
        }
    }

    fn slots(&self) -> [NewSlot<'_>; 3] {
        [NewSlot::Password(&self.password, CHEAP), NewSlot::Phrase(&self.phrase), NewSlot::Device(self.device.public())]
    }

    fn all(&self) -> [Unlock<'_>; 3] {
        [Unlock::Password(&self.password), Unlock::Phrase(&self.phrase), Unlock::Device(&self.device)]
    }
}

fn any<G: Group>(public_key: &G::Point) -> Expected<G> {
    Expected::key(*public_key)
}

fn limits() -> Limits {
    Limits::default()
}

fn round_trip<S: Backed>(secret: &S, public_key: &<S::Group as Group>::Point, seed: u8) {
    let mut rng = rng(seed);
    let secrets = Secrets::new(&mut rng);
    let all = secrets.slots();
    // every set of slots
    for set in 1..8usize {
        let chosen: Vec<_> = all.iter().enumerate().filter(|(i, _)| set >> i & 1 == 1).map(|(_, slot)| *slot).collect();
        let backup = Backup::create(secret, &chosen, &mut rng).unwrap();
        let read = Backup::from_bytes(&backup.to_bytes()).unwrap();
        assert_eq!(Backup::from_pem(&backup.to_pem()), Ok(read.clone()));
        assert_eq!((&read, read.to_bytes()), (&backup, backup.to_bytes()));
        assert_eq!(*read.header(), secret.header());
        assert_eq!(read.slots().count(), chosen.len());
        for (i, unlock) in secrets.all().iter().enumerate() {
            let opened = read.open::<S>(unlock, &any(public_key), &limits());
            if set >> i & 1 == 1 {
                let opened = opened.ok().unwrap();
                assert_eq!(*opened.secret.to_secret_bytes(), *secret.to_secret_bytes());
                assert_eq!(
                    read.slots().nth(opened.slot),
                    Some([SlotKind::Password, SlotKind::Phrase, SlotKind::Device][i])
                );
                assert_eq!(read.validate_password(unlock, &limits()), Ok(()));
                assert_eq!(
                    read.validate_share::<S>(unlock, &Expected::live(secret).slots(backup.slot_set()), &limits()),
                    Ok(())
                );
                let unknown = read.validate_share::<S>(unlock, &any(public_key), &limits());
                assert_eq!(unknown, Err(OpenError::ShareUnknown));
            } else {
                assert_eq!(opened.err(), Some(OpenError::NoSlot));
            }
        }
    }
    // two backups of one secret share no byte that could link their secrets
    let one = Backup::create(secret, &all, &mut rng).unwrap();
    assert_ne!(one.to_bytes(), Backup::create(secret, &all, &mut rng).unwrap().to_bytes());
}

#[test]
fn every_kind_and_every_slot() {
    for (t, n) in [(2, 2), (2, 3), (3, 5)] {
        for share in deal::<Secp256k1>(t, n, 3, 1).iter().take(1) {
            round_trip(share, share.public_key(), 1);
        }
        for share in deal::<Ed25519>(t, n, 3, 2).iter().take(1) {
            round_trip(share, share.public_key(), 2);
        }
    }
    for side in factor(2) {
        round_trip(&side, side.public_key(), 3);
    }
}

fn costs<S: Backed>(secret: &S, public_key: &<S::Group as Group>::Point, costs: &[Work]) {
    let secrets = Secrets::new(&mut rng(4));
    for work in costs {
        let slots = [NewSlot::Password(&secrets.password, *work)];
        let backup = Backup::create(secret, &slots, &mut rng(5)).unwrap();
        let read = Backup::from_pem(&backup.to_pem()).unwrap();
        let unlock = Unlock::Password(&secrets.password);
        let opened = read.open::<S>(&unlock, &any(public_key), &Limits::LARGE).ok().unwrap();
        assert_eq!(*opened.secret.to_secret_bytes(), *secret.to_secret_bytes());
        let memory = (128 << work.log_n) * u64::from(work.r);
        for tight in [Limits { memory: memory - 1, ..Limits::LARGE }, Limits { work: memory - 1, ..Limits::LARGE }] {
            let refused = read.open::<S>(&unlock, &any(public_key), &tight).err();
            assert!(matches!(refused, Some(OpenError::ExcessiveWork { required, limit }) if required > limit));
        }
    }
}

#[test]
fn every_cost_of_a_password() {
    // the least and the most of each parameter, with the least of the others
    let extremes = [
        CHEAP,
        Work { r: 16, ..CHEAP },
        Work { p: 4, ..CHEAP },
        Work { log_n: 14, r: 16, p: 4 },
        Work { log_n: 20, ..CHEAP },
    ];
    let share = &deal::<Secp256k1>(2, 3, 3, 1)[0];
    costs(share, share.public_key(), &extremes);
    costs(share, share.public_key(), &[Work::default()]);
    let ed25519 = &deal::<Ed25519>(2, 3, 3, 1)[0];
    costs(ed25519, ed25519.public_key(), &extremes);
    for side in factor(2) {
        costs(&side, side.public_key(), &extremes);
    }
    let secrets = Secrets::new(&mut rng(4));
    for work in [
        Work { log_n: 13, ..CHEAP },
        Work { log_n: 21, ..CHEAP },
        Work { r: 0, ..CHEAP },
        Work { r: 17, ..CHEAP },
        Work { p: 0, ..CHEAP },
        Work { p: 5, ..CHEAP },
        Work { log_n: 20, r: 9, p: 1 },
    ] {
        let slots = [NewSlot::Password(&secrets.password, work)];
        assert_eq!(Backup::create(share, &slots, &mut rng(5)), Err(CreateError::Work), "{work:?}");
    }
}

#[test]
fn each_outcome_has_its_own_words() {
    let rng = &mut rng(14);
    let (share, right) = (&deal::<Secp256k1>(2, 3, 3, 1)[0], Secrets::new(rng));
    let file = Backup::create(share, &right.slots(), rng).unwrap().to_bytes();
    let password = Unlock::Password(&right.password);
    let said = |bytes: &[u8], unlock: &Unlock<'_>, expected: &Expected<Secp256k1>| {
        let backup = match Backup::from_bytes(bytes) {
            Err(error) => return error.to_string(),
            Ok(backup) => backup,
        };
        let opened = backup.open::<KeyShare<Secp256k1>>(unlock, expected, &limits()).err();
        opened.map_or_else(|| "open".into(), |error| error.to_string())
    };
    let changed = |at: usize, to: u8| {
        let mut bytes = file.clone();
        bytes[at] = to;
        bytes
    };
    let (wrong, device) = (Secrets::new(rng), Unlock::Device(&right.device));
    let other = Password::entered("correct horsf").unwrap();
    let stranger = &deal::<Secp256k1>(2, 3, 3, 9)[0];
    let only_phrase = Backup::create(share, &right.slots()[1..2], rng).unwrap().to_bytes();
    let clear = world::clear_part(&file);
    let slot = world::Forged::device(right.device.public(), [9; 32]);
    let no_share = world::forge(clear, &stranger.to_secret_bytes(), slot, rng);
    let (expected, log_n) = (any(share.public_key()), clear.len() + 5);
    let outcomes = [
        said(&file, &password, &expected),
        said(b"no backup at all, but long enough to be one", &password, &expected),
        said(&changed(200, file[200] ^ 1), &password, &expected),
        said(&world::rehashed(changed(7, 2)), &password, &expected),
        said(&world::rehashed(changed(log_n - 1, 2)), &password, &expected),
        said(&world::rehashed(changed(8, 3)), &password, &expected),
        said(&world::rehashed(changed(clear.len(), 0)), &password, &expected),
        said(&only_phrase, &password, &expected),
        said(&file, &Unlock::Password(&other), &expected),
        said(&file, &Unlock::Phrase(&wrong.phrase), &expected),
        said(&file, &Unlock::Device(&wrong.device), &expected),
        said(&world::rehashed(changed(20, file[20] ^ 1)), &device, &expected),
        said(&world::rehashed(changed(log_n, 40)), &password, &expected),
        said(&world::rehashed(changed(log_n, 13)), &password, &expected),
        said(&no_share, &device, &expected),
        said(&file, &password, &any(stranger.public_key())),
        said(&file, &password, &expected.epoch(4)),
        said(&file, &password, &expected.share(*stranger.public_key())),
        said(&file, &password, &expected.slots(SlotSet::from_bytes([1; 32]))),
    ];
    let distinct: std::collections::BTreeSet<_> = outcomes.iter().collect();
    assert_eq!((outcomes[0].as_str(), distinct.len()), ("open", outcomes.len()), "{outcomes:#?}");
}

#[test]
fn wrong_secrets_say_which() {
    let share = &deal::<Ed25519>(2, 3, 3, 1)[0];
    let (right, wrong) = (Secrets::new(&mut rng(6)), Secrets::new(&mut rng(7)));
    let backup = Backup::create(share, &right.slots(), &mut rng(8)).unwrap();
    let open =
        |unlock: &Unlock<'_>| backup.open::<KeyShare<Ed25519>>(unlock, &any(share.public_key()), &limits()).err();
    let other = Password::entered("correct horsf").unwrap();
    assert_eq!(open(&Unlock::Password(&other)), Some(OpenError::WrongPassword));
    assert_eq!(open(&Unlock::Phrase(&wrong.phrase)), Some(OpenError::WrongPhrase));
    assert_eq!(open(&Unlock::Device(&wrong.device)), Some(OpenError::WrongDevice));
    // what the keyboard does to it does not matter
    let wide = Password::entered("ｃｏｒｒｅｃｔ horse").unwrap();
    assert_eq!(open(&Unlock::Password(&wide)), None);
    // the reader says which key it expects, of which epoch, and takes no other kind
    let stranger = &deal::<Ed25519>(2, 3, 3, 9)[0];
    let unlock = Unlock::Device(&right.device);
    let refused = |outcome: Option<OpenError>, error| assert_eq!(outcome, Some(error));
    refused(
        backup.open::<KeyShare<Ed25519>>(&unlock, &any(stranger.public_key()), &limits()).err(),
        OpenError::OtherKey,
    );
    let later = Expected::key(*share.public_key()).epoch(4);
    refused(
        backup.open::<KeyShare<Ed25519>>(&unlock, &later, &limits()).err(),
        OpenError::OldEpoch { found: 3, expected: 4 },
    );
    let secp = &deal::<Secp256k1>(2, 3, 3, 9)[0];
    refused(
        backup.open::<KeyShare<Secp256k1>>(&unlock, &any(secp.public_key()), &limits()).err(),
        OpenError::OtherKind,
    );
    refused(backup.open::<PairFactor>(&unlock, &any(secp.public_key()), &limits()).err(), OpenError::OtherKind);
}

#[test]
fn slots_are_one_to_eight_and_distinct() {
    let share = &deal::<Secp256k1>(2, 3, 3, 1)[0];
    let mut rng = rng(10);
    assert_eq!(Backup::create(share, &[], &mut rng), Err(CreateError::Slots));
    let devices: Vec<_> = (0..9).map(|_| DeviceKey::generate(&mut rng).unwrap()).collect();
    let slots: Vec<_> = devices.iter().map(|device| NewSlot::Device(device.public())).collect();
    assert_eq!(Backup::create(share, &slots, &mut rng), Err(CreateError::Slots));
    assert_eq!(Backup::create(share, &[slots[0], slots[0]], &mut rng), Err(CreateError::Slots));
    let backup = Backup::create(share, &slots[..8], &mut rng).unwrap();
    assert_eq!(backup.slots().collect::<Vec<_>>(), [SlotKind::Device; 8]);
    for device in &devices[..8] {
        let opened = backup.open::<KeyShare<Secp256k1>>(&Unlock::Device(device), &any(share.public_key()), &limits());
        assert!(opened.is_ok());
    }
    let unlock = Unlock::Device(&devices[0]);
    let expected = Expected::live(share);
    let ninth = backup.add_slot::<KeyShare<Secp256k1>>(
        &slots[8],
        &unlock,
        &expected.slots(backup.slot_set()),
        &limits(),
        &mut rng,
    );
    assert_eq!(ninth, Err(ResealError::Create(CreateError::Slots)));
}

// attacks.md row 104
#[test]
fn row_104_a_removed_slot_opens_nothing_made_later() {
    let shares = deal::<Secp256k1>(2, 3, 3, 1);
    let (share, mut rng) = (&shares[0], rng(11));
    let secrets = Secrets::new(&mut rng);
    let expected = Expected::live(share);
    let old = Backup::create(share, &secrets.slots(), &mut rng).unwrap();
    let unlock = Unlock::Phrase(&secrets.phrase);
    let changed = old
        .remove_slot::<KeyShare<Secp256k1>>(2, &unlock, &expected.slots(old.slot_set()), &limits(), &mut rng)
        .unwrap();
    assert_eq!(changed.slots().collect::<Vec<_>>(), [SlotKind::Password, SlotKind::Phrase]);
    let device = Unlock::Device(&secrets.device);
    assert_eq!(changed.validate_password(&device, &limits()), Err(OpenError::NoSlot));
    // not even with the old slot put back: the data key is another
    let spliced = world::with_slots_of(&changed, &old);
    assert_eq!(spliced.validate_password(&device, &limits()), Ok(()), "it opens the slot, and nothing more");
    assert_eq!(spliced.validate_share::<KeyShare<Secp256k1>>(&device, &expected, &limits()), Err(OpenError::Forged));
    // nor later, when a new share is sealed to what is left
    let later = &deal::<Secp256k1>(2, 3, 4, 1)[0];
    let (resealed, _) = changed.reseal(later, &changed.slot_set(), &mut rng).ok().unwrap();
    assert_eq!(resealed.validate_password(&device, &limits()), Err(OpenError::NoSlot));
    let spliced = world::with_slots_of(&resealed, &old);
    let opened = spliced.validate_share::<KeyShare<Secp256k1>>(&device, &expected, &limits());
    assert_eq!(opened, Err(OpenError::Forged));
    // the old copy still does, as the docs say
    assert_eq!(old.validate_share::<KeyShare<Secp256k1>>(&device, &expected, &limits()), Ok(()));

    // a changed password
    let new = Password::new("battery staple", &PasswordPolicy::default()).unwrap();
    let slot = NewSlot::Password(&new, CHEAP);
    let replaced = old
        .replace_slot::<KeyShare<Secp256k1>>(0, &slot, &unlock, &expected.slots(old.slot_set()), &limits(), &mut rng)
        .unwrap();
    let pair = (&new, CHEAP);
    let limit = limits();
    let changed = old.change_password::<KeyShare<Secp256k1>>(
        &secrets.password,
        pair,
        &expected.slots(old.slot_set()),
        &limit,
        &mut rng,
    );
    let changed = changed.unwrap();
    for changed in [&replaced, &changed] {
        let password = Unlock::Password(&secrets.password);
        assert_eq!(changed.validate_password(&password, &limits()), Err(OpenError::WrongPassword));
        for unlock in [Unlock::Password(&new), unlock, device] {
            assert_eq!(changed.validate_share::<KeyShare<Secp256k1>>(&unlock, &expected, &limits()), Ok(()));
        }
    }
    // of two passwords the one that was named changes, wherever it stands
    let other = Password::new("a third password", &PasswordPolicy::default()).unwrap();
    let slot = NewSlot::Password(&other, CHEAP);
    let two = old
        .add_slot::<KeyShare<Secp256k1>>(&slot, &unlock, &expected.slots(old.slot_set()), &limits(), &mut rng)
        .unwrap();
    let two = two
        .change_password::<KeyShare<Secp256k1>>(&other, pair, &expected.slots(two.slot_set()), &limits(), &mut rng)
        .unwrap();
    for (password, outcome) in [(&secrets.password, Ok(())), (&new, Ok(())), (&other, Err(OpenError::WrongPassword))] {
        assert_eq!(two.validate_password(&Unlock::Password(password), &limits()), outcome);
    }
    // the last slot stays, and what does not open changes nothing
    let single = Backup::create(share, &secrets.slots()[..1], &mut rng).unwrap();
    let password = Unlock::Password(&secrets.password);
    let none = single.remove_slot::<KeyShare<Secp256k1>>(
        0,
        &password,
        &expected.slots(single.slot_set()),
        &limits(),
        &mut rng,
    );
    assert_eq!(none, Err(ResealError::Create(CreateError::Slots)));
    let none = single.remove_slot::<KeyShare<Secp256k1>>(
        1,
        &password,
        &expected.slots(single.slot_set()),
        &limits(),
        &mut rng,
    );
    assert_eq!(none, Err(ResealError::NoSlot));
    let (wrong, recorded) = (Unlock::Password(&new), expected.slots(single.slot_set()));
    let slot = NewSlot::Phrase(&secrets.phrase);
    let none = single.replace_slot::<KeyShare<Secp256k1>>(0, &slot, &wrong, &recorded, &limits(), &mut rng);
    assert_eq!(none, Err(ResealError::Open(OpenError::WrongPassword)));
    // a further slot: old and new open alike, under a data key that nobody knew before
    let phrase = NewSlot::Phrase(&secrets.phrase);
    let more = single
        .add_slot::<KeyShare<Secp256k1>>(&phrase, &password, &expected.slots(single.slot_set()), &limits(), &mut rng)
        .unwrap();
    for unlock in [password, Unlock::Phrase(&secrets.phrase)] {
        assert_eq!(more.validate_share::<KeyShare<Secp256k1>>(&unlock, &expected, &limits()), Ok(()));
    }
    assert_ne!(world::payload(&more), world::payload(&single));
    assert_ne!(world::payload(&changed), world::payload(&old));
}

// attacks.md row 113; a refresh at night
#[test]
fn row_113_a_new_share_goes_to_the_recorded_slots_alone() {
    let (old, new) = (deal::<Secp256k1>(2, 3, 3, 1), deal::<Secp256k1>(2, 3, 4, 1));
    let mut rng = rng(12);
    let secrets = Secrets::new(&mut rng);
    let backup = Backup::create(&old[0], &secrets.slots(), &mut rng).unwrap();
    let recorded = backup.slot_set();
    // the storage puts in a slot of its own: it needs no secret for that
    let eve = DeviceKey::generate(&mut rng).unwrap();
    let with_eve =
        Backup::create(&old[0], &[&secrets.slots()[..], &[NewSlot::Device(eve.public())]].concat(), &mut rng).unwrap();
    let planted = world::with_slots_of(&backup, &with_eve);
    assert!(matches!(planted.reseal(&new[0], &recorded, &mut rng), Err(ResealError::SlotSet)));
    let fewer = Backup::create(&old[0], &secrets.slots()[1..], &mut rng).unwrap();
    let fewer = world::with_slots_of(&backup, &fewer);
    assert!(matches!(fewer.reseal(&new[0], &recorded, &mut rng), Err(ResealError::SlotSet)));

    let (resealed, token) = backup.reseal(&new[0], &recorded, &mut rng).ok().unwrap();
    let _: symbolon_sharing::Resealed = token;
    assert_eq!(resealed.slot_set(), recorded, "the record holds on");
    let expected = Expected::key(*new[0].public_key()).epoch(4);
    for unlock in secrets.all() {
        let opened = resealed.open::<KeyShare<Secp256k1>>(&unlock, &expected, &limits()).ok().unwrap();
        assert_eq!(*opened.secret.to_secret_bytes(), *new[0].to_secret_bytes());
        let stale = backup.open::<KeyShare<Secp256k1>>(&unlock, &expected, &limits()).err();
        assert_eq!(stale, Some(OpenError::OldEpoch { found: 3, expected: 4 }));
    }
    // backwards, or to another key
    assert!(matches!(resealed.reseal(&old[0], &recorded, &mut rng), Err(ResealError::Older)));
    let stranger = deal::<Secp256k1>(2, 3, 5, 9);
    assert!(matches!(resealed.reseal(&stranger[0], &recorded, &mut rng), Err(ResealError::OtherKey)));
}

#[test]
fn halves_of_one_backup_join() {
    let (shares, mut rng) = (deal::<Secp256k1>(2, 3, 3, 1), rng(13));
    let secrets = Secrets::new(&mut rng);
    let make =
        |share: &KeyShare<Secp256k1>, rng: &mut ChaCha12Rng| Backup::create(share, &secrets.slots(), rng).unwrap();
    let backup = make(&shares[0], &mut rng);
    let (store, share) = backup.clone().detach();
    assert_eq!(SecretStore::from_bytes(&store.to_bytes()), Ok(store.clone()));
    assert_eq!(EncryptedShare::from_bytes(&share.to_bytes()), Ok(share.clone()));
    assert_eq!(Backup::attach(store.clone(), share.clone()), Ok(backup.clone()));
    // of another key, of another backup of this one, of another holder's
    let stranger = make(&deal::<Secp256k1>(2, 3, 3, 9)[0], &mut rng).detach();
    let again = make(&shares[0], &mut rng).detach();
    let other = make(&shares[1], &mut rng).detach();
    let mut other_id = world::with_key_id(&shares[0], KeyId::from_bytes([9; 16]));
    let renamed = make(&mut other_id, &mut rng).detach();
    for ((store_2, share_2), error) in [
        (stranger, AttachError::OtherKey),
        (renamed, AttachError::OtherKey),
        (again, AttachError::OtherBackup),
        (other, AttachError::OtherBackup),
    ] {
        assert_eq!(Backup::attach(store_2, share.clone()), Err(error));
        assert_eq!(Backup::attach(store.clone(), share_2), Err(error));
    }
    // neither half is taken for the whole or for the other
    assert_eq!(Backup::from_bytes(&store.to_bytes()), Err(ReadError::NotABackup));
    assert_eq!(Backup::from_bytes(&share.to_bytes()), Err(ReadError::NotABackup));
    assert_eq!(SecretStore::from_bytes(&share.to_bytes()), Err(ReadError::NotABackup));
    for half in [store.to_bytes(), share.to_bytes()] {
        for at in 0..half.len() {
            let mut changed = half.clone();
            changed[at] ^= 1;
            let damaged = (SecretStore::from_bytes(&changed).err(), EncryptedShare::from_bytes(&changed).err());
            assert!(matches!(damaged, (Some(_), Some(_))), "{at}");
        }
    }
}
