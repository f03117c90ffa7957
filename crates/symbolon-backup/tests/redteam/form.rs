//! The form of containers, halves and keystores, where the hash (and the MAC) are right.

use crate::tools::{CHEAP, Share, by_hand, forged_factor, keystore, parts, password, read, scalar};
use crate::world::{deal, factor, rng};
use sha3::{Digest, Keccak256};
use symbolon_backup::{
    AttachError, Backed, Backup, CreateError, EncryptedShare, Expected, KeystoreError, Limits, NewSlot, OpenError,
    PEM_LABEL, Password, PasswordError, PasswordPolicy, Phrase, ReadError, ResealError, SecretStore, SlotKind, Unlock,
    Work, from_keystore, to_keystore,
};
use symbolon_core::{Group, KeyId, Secp256k1, SharingId};
use symbolon_seal::{DeviceKey, XWingKey};
use symbolon_session::Storable;
use symbolon_sharing::PairFactor;
use symbolon_testkit::FailingRng;

#[test]
fn row_79_limits_of_the_form_with_a_right_hash() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let stored = Backup::create(&live, &[NewSlot::Device(device.public())], &mut rng(1)).unwrap();
    let [clear, slots, mac, payload] = parts(&stored);
    assert_eq!(read(&[&clear, &slots, &mac, &payload]), Ok(stored.clone()));
    // none, nine
    let slot = &slots[1..];
    assert_eq!(read(&[&clear, &[0], &mac, &payload]), Err(ReadError::Malformed));
    assert!(read(&[&clear, &[8], &slot.repeat(8), &mac, &payload]).is_ok());
    assert_eq!(read(&[&clear, &[9], &slot.repeat(9), &mac, &payload]), Err(ReadError::Malformed));
    // a ciphertext that has no room for a tag
    for (len, outcome) in [(15u8, Some(ReadError::Malformed)), (16, None)] {
        let short = [&payload[..12], &[0, 0, 0, len], &payload[16..16 + usize::from(len)]].concat();
        assert_eq!(read(&[&clear, &slots, &mac, &short]).err(), outcome);
    }
    // the longest, and one byte more
    for (len, outcome) in [(65536usize, None), (65537, Some(ReadError::NotABackup))] {
        let ciphertext = vec![0; len - clear.len() - slots.len() - 32 - 16 - 32];
        let length = u32::try_from(ciphertext.len()).unwrap().to_be_bytes();
        let long = [&payload[..12], &length, &ciphertext[..]].concat();
        let found = read(&[&clear, &slots, &mac, &long]);
        assert_eq!(found.clone().err(), outcome);
        if let Ok(long) = found {
            let text = long.to_pem();
            assert!(text.len() <= 98304);
            assert_eq!(Backup::from_pem(&text), Ok(long));
        }
    }
    let body = format!("{}\n", "A".repeat(64)).repeat(98304 / 65 + 1);
    let text = format!("-----BEGIN {PEM_LABEL}-----\n{body}-----END {PEM_LABEL}-----\n");
    assert_eq!(Backup::from_pem(&text), Err(ReadError::Text), "not looked at");
}

#[test]
fn nothing_is_left_over_in_a_slot() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let (device, hybrid) = (DeviceKey::generate(&mut rng(2)).unwrap(), XWingKey::generate(&mut rng(2)).unwrap());
    for slot in [NewSlot::Device(DeviceKey::generate(&mut rng(3)).unwrap().public()), NewSlot::XWing(hybrid.public())] {
        // the last slot is one byte longer, and says so
        let stored = Backup::create(&live, &[NewSlot::Device(device.public()), slot], &mut rng(1)).unwrap();
        let [clear, mut slots, mac, payload] = parts(&stored);
        let first = 1 + 3 + usize::from(u16::from_be_bytes([slots[2], slots[3]]));
        let longer = u16::from_be_bytes([slots[first + 1], slots[first + 2]]) + 1;
        slots[first + 1..first + 3].copy_from_slice(&longer.to_be_bytes());
        assert_eq!(read(&[&clear, &slots, &[0], &mac, &payload]), Err(ReadError::Malformed));
    }
}

// what the record is of: every slot, its place, its kind, its cost, its salt, its key
#[test]
fn row_113_the_record_is_of_every_slot_and_its_place() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let (password, phrase) = (password(), Phrase::generate(&mut rng(6)).unwrap());
    let devices: Vec<_> = (10..16).map(|seed| DeviceKey::generate(&mut rng(seed)).unwrap()).collect();
    let mut slots: Vec<_> = devices.iter().map(|device| NewSlot::Device(device.public())).collect();
    slots.extend([NewSlot::Phrase(&phrase), NewSlot::Password(&password, CHEAP)]);
    let stored = Backup::create(&live, &slots, &mut rng(1)).unwrap();
    let recorded = stored.slot_set();
    let [clear, bytes, mac, payload] = parts(&stored);
    let mut starts = vec![1];
    for _ in 0..8 {
        let at = starts[starts.len() - 1];
        starts.push(at + 3 + usize::from(u16::from_be_bytes([bytes[at + 1], bytes[at + 2]])));
    }
    let refused = |slots: &[u8]| {
        let changed = read(&[&clear, slots, &mac, &payload]).unwrap();
        assert_ne!(changed.slot_set(), recorded);
        assert_eq!(changed.reseal(&live, &recorded, &mut rng(4)).err(), Some(ResealError::SlotSet));
    };
    for at in 0..8 {
        let slot = &bytes[starts[at]..starts[at + 1]];
        // without it
        let fewer = [&[7], &bytes[1..starts[at]], &bytes[starts[at + 1]..]].concat();
        refused(&fewer);
        // in another place
        let mut others = fewer;
        others[0] = 8;
        let moved = if at == 7 { [&[8], slot, &others[1..]].concat() } else { [&others[..], slot].concat() };
        refused(&moved);
        // every byte before the sealed key but type, length, suite; a changed point may be none
        for i in starts[at] + 4..starts[at + 1] - (2 + 32 + 2 + 48) {
            let mut changed = bytes.clone();
            changed[i] ^= 1;
            let Ok(backup) = read(&[&clear, &changed, &mac, &payload]) else { continue };
            assert_ne!(backup.slot_set(), recorded, "slot {at}, byte {i}");
        }
        // the sealed key is not part
        let mut changed = bytes.clone();
        changed[starts[at + 1] - 1] ^= 1;
        let changed = read(&[&clear, &changed, &mac, &payload]).unwrap();
        assert_eq!(changed.slot_set(), recorded);
    }
}

#[test]
fn row_92_a_share_goes_only_where_its_like_was() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let stored = Backup::create(&live, &[NewSlot::Device(device.public())], &mut rng(1)).unwrap();
    let reseal = |share: &Share| stored.reseal(share, &stored.slot_set(), &mut rng(3)).err();
    // of the same epoch: its marks may be new
    assert_eq!(reseal(&live), None);
    // another name, the same key; another key under the same name
    let renamed = crate::world::with_key_id(&live, KeyId::from_bytes([9; 16]));
    assert_eq!(reseal(&renamed), Some(ResealError::OtherKey));
    let other = crate::world::with_key_id(&deal::<Secp256k1>(2, 3, 4, 2)[0], live.key_id());
    assert_eq!(reseal(&other), Some(ResealError::OtherKey));
    // a factor of the same name and key in the place of a share
    let factor = forged_factor(live.public_key(), &factor(4)[0], 9);
    let share = crate::world::with_key_id(&live, factor.key_id());
    let stored = Backup::create(&share, &[NewSlot::Device(device.public())], &mut rng(1)).unwrap();
    assert_eq!(stored.reseal(&factor, &stored.slot_set(), &mut rng(3)).err(), Some(ResealError::OtherKey));
}

#[test]
fn row_57_a_failing_generator_makes_nothing() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let (password, phrase) = (password(), Phrase::generate(&mut rng(6)).unwrap());
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let slots = [NewSlot::Password(&password, CHEAP), NewSlot::Phrase(&phrase), NewSlot::Device(device.public())];
    // three salts, data key, nonce, three seals
    for draws in 0..8 {
        assert_eq!(Backup::create(&live, &slots, &mut FailingRng::after(draws)), Err(CreateError::Rng), "{draws}");
    }
    let stored = Backup::create(&live, &slots, &mut FailingRng::after(8)).unwrap();
    for draws in 0..5 {
        let failed = stored.reseal(&live, &stored.slot_set(), &mut FailingRng::after(draws)).err();
        assert_eq!(failed, Some(ResealError::Create(CreateError::Rng)), "{draws}");
    }
    assert_eq!(to_keystore(&scalar(9), "p", &CHEAP, &mut FailingRng::after(0)).err(), Some(CreateError::Rng));
}

// every slot of the kind is counted before the first is tried
#[test]
fn row_73_the_work_of_all_slots_is_counted_first() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let [one, other] =
        ["correct horse battery", "staple battery horse"].map(|text| Password::new(text, &PasswordPolicy::default()));
    let (one, other) = (one.unwrap(), other.unwrap());
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let slots = [NewSlot::Password(&one, CHEAP), NewSlot::Device(device.public()), NewSlot::Password(&other, CHEAP)];
    let stored = Backup::create(&live, &slots, &mut rng(1)).unwrap();
    let total = 2 * (128u64 << 14);
    let validate = |backup: &Backup, unlock: Unlock<'_>, work| {
        backup.validate_password(&unlock, &Limits { work, ..Limits::default() })
    };
    for password in [&one, &other] {
        assert_eq!(validate(&stored, Unlock::Password(password), total), Ok(()));
        let refused = validate(&stored, Unlock::Password(password), total - 1);
        assert_eq!(refused, Err(OpenError::ExcessiveWork { required: total, limit: total - 1 }));
    }
    assert_eq!(validate(&stored, Unlock::Device(&device), 0), Ok(()), "no password, no work");
    // the last slot asks for too much, and the first password is right
    let [clear, slots, mac, payload] = parts(&stored);
    let last = slots.len() - (2 + 32 + 2 + 48) - 33 - 32 - 9;
    assert_eq!(slots[last..last + 9], [14, 0, 0, 0, 1, 0, 0, 0, 1]);
    for (work, weak) in [([18, 0, 0, 0, 9, 0, 0, 0, 1], false), ([13, 0, 0, 0, 1, 0, 0, 0, 1], true)] {
        let mut slots = slots.clone();
        slots[last..last + 9].copy_from_slice(&work);
        let hostile = read(&[&clear, &slots, &mac, &payload]).unwrap();
        let refused = hostile.validate_password(&Unlock::Password(&one), &Limits::default());
        assert!(matches!(refused, Err(OpenError::ExcessiveWork { .. })) != weak, "{refused:?}");
        assert_eq!(refused == Err(OpenError::WeakWork), weak);
    }
}

// row 74: under a right MAC, whatever the clear part says and the share does not
#[test]
fn row_74_the_clear_part_is_that_of_the_share() {
    let shares = deal::<Secp256k1>(2, 3, 4, 1);
    let live = &shares[0];
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let [clear, ..] = parts(&Backup::create(live, &[NewSlot::Device(device.public())], &mut rng(1)).unwrap());
    let open = |clear: &[u8], content: &Share| {
        let made = by_hand(clear, &content.to_secret_bytes(), &device);
        let expected = Expected::key(*live.public_key());
        made.open::<Share>(&Unlock::Device(&device), &expected, &Limits::default()).err()
    };
    assert_eq!(open(&clear, live), None);
    // scheme, key id, sharing id, epoch, generation, index, threshold, parties
    for (at, to) in [(10, 2), (11, 0xee), (27, 0xee), (46, 9), (50, 9), (52, 2), (54, 3), (56, 9)] {
        let mut changed = clear.clone();
        assert_ne!(changed[at], to, "{at}");
        changed[at] = to;
        assert_eq!(open(&changed, live), Some(OpenError::Share), "{at}");
    }
    // the point of another member; the share of another one, another epoch, another key
    let other = Secp256k1::point_to_bytes(&live.members()[1].public_share);
    let crossed = [&clear[..clear.len() - 33], &other[..]].concat();
    assert_eq!(open(&crossed, live), Some(OpenError::Share));
    for content in [&shares[1], &deal::<Secp256k1>(2, 3, 5, 1)[0], &deal::<Secp256k1>(2, 3, 4, 2)[0]] {
        assert_eq!(open(&clear, content), Some(OpenError::Share));
    }
}

// whoever changes a backup says of which key it has to be, for every kind of change
#[test]
fn row_112_every_change_looks_at_the_key_first() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let stranger = *deal::<Secp256k1>(2, 3, 4, 2)[0].public_key();
    let (password, phrase) = (password(), Phrase::generate(&mut rng(6)).unwrap());
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let slots = [NewSlot::Password(&password, CHEAP), NewSlot::Device(device.public())];
    let stored = Backup::create(&live, &slots, &mut rng(1)).unwrap();
    let (unlock, limits, slot) = (Unlock::Device(&device), Limits::default(), NewSlot::Phrase(&phrase));
    for (public_key, epoch, error) in
        [(live.public_key(), 5, OpenError::OldEpoch { found: 4, expected: 5 }), (&stranger, 0, OpenError::OtherKey)]
    {
        let expected = Expected::key(*public_key).share(live.secret().public()).epoch(epoch);
        let rng = &mut rng(3);
        let changes = [
            stored.add_slot::<Share>(&slot, &unlock, &expected.slots(stored.slot_set()), &limits, rng),
            stored.remove_slot::<Share>(0, &unlock, &expected.slots(stored.slot_set()), &limits, rng),
            stored.replace_slot::<Share>(0, &slot, &unlock, &expected.slots(stored.slot_set()), &limits, rng),
            stored.change_password::<Share>(
                &password,
                (&password, CHEAP),
                &expected.slots(stored.slot_set()),
                &limits,
                rng,
            ),
        ];
        for changed in changes {
            assert_eq!(changed, Err(ResealError::Open(error)));
        }
        let expected = Expected::key(*public_key).share(live.secret().public());
        let other = stored.add_slot::<PairFactor>(&slot, &unlock, &expected.slots(stored.slot_set()), &limits, rng);
        assert_eq!(other, Err(ResealError::Open(OpenError::OtherKind)));
    }
}

// and which slots, and which share
#[test]
fn row_113_nothing_changes_without_a_record() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let (password, phrase) = (password(), Phrase::generate(&mut rng(6)).unwrap());
    let stored = Backup::create(&live, &[NewSlot::Password(&password, CHEAP)], &mut rng(1)).unwrap();
    let (unlock, limits, slot) = (Unlock::Password(&password), Limits::default(), NewSlot::Phrase(&phrase));
    for (expected, error) in [
        (Expected::live(&live), ResealError::NoRecord),
        (Expected::key(*live.public_key()).slots(stored.slot_set()), ResealError::Open(OpenError::ShareUnknown)),
    ] {
        let rng = &mut rng(3);
        let changes = [
            stored.add_slot::<Share>(&slot, &unlock, &expected, &limits, rng),
            stored.remove_slot::<Share>(0, &unlock, &expected, &limits, rng),
            stored.replace_slot::<Share>(0, &slot, &unlock, &expected, &limits, rng),
            stored.change_password::<Share>(&password, (&password, CHEAP), &expected, &limits, rng),
        ];
        for changed in changes {
            assert_eq!(changed, Err(error));
        }
    }
}

// no password is made that no reader would try: all of them together
#[test]
fn row_73_the_work_of_all_slots_is_what_a_reader_allows() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let (device, password) = (DeviceKey::generate(&mut rng(2)).unwrap(), password());
    // of 4 GiB each: LARGE allows four, and none of them is derived before they are counted
    let heavy = NewSlot::Password(&password, Work { log_n: 20, r: 8, p: 4 });
    let refused = Backup::create(&live, &[heavy; 5], &mut rng(1));
    assert_eq!(refused.err(), Some(CreateError::Work));
    let stored = Backup::create(&live, &[NewSlot::Device(device.public())], &mut rng(1)).unwrap();
    let (unlock, expected) = (Unlock::Device(&device), Expected::live(&live).slots(stored.slot_set()));
    let beyond = NewSlot::Password(&password, Work { log_n: 20, r: 16, p: 4 });
    let none = Limits { memory: 0, work: 0 };
    let more = stored.add_slot::<Share>(&beyond, &unlock, &expected, &none, &mut rng(1));
    assert_eq!(more.err(), Some(ResealError::Create(CreateError::Work)));
}

// a replaced slot stands where the other stood, so that the numbers that people were shown are right
#[test]
fn a_replaced_slot_keeps_its_place() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let (password, phrase) = (password(), Phrase::generate(&mut rng(6)).unwrap());
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let slots = [NewSlot::Password(&password, CHEAP), NewSlot::Device(device.public())];
    let stored = Backup::create(&live, &slots, &mut rng(1)).unwrap();
    let expected = Expected::live(&live);
    let (unlock, limits, slot) = (Unlock::Password(&password), Limits::default(), NewSlot::Phrase(&phrase));
    let changed = stored
        .replace_slot::<Share>(1, &slot, &unlock, &expected.slots(stored.slot_set()), &limits, &mut rng(3))
        .unwrap();
    assert_eq!(changed.slots().collect::<Vec<_>>(), [SlotKind::Password, SlotKind::Phrase]);
    // one behind the last
    let beyond =
        stored.replace_slot::<Share>(2, &slot, &unlock, &expected.slots(stored.slot_set()), &limits, &mut rng(3));
    assert_eq!(beyond, Err(ResealError::NoSlot));
}

#[test]
fn what_a_backup_of_a_factor_says() {
    for (factor, index) in factor(6).into_iter().zip([1, 2]) {
        let header = factor.header();
        assert_eq!((header.index().get(), header.epoch(), header.threshold()), (index, 6, (2, 2)));
        assert_eq!(header.sharing_id(), SharingId::from_bytes([0; 16]));
        assert_eq!(header.public_share(), &Secp256k1::point_to_bytes(&factor.secret().public())[..]);
        let device = DeviceKey::generate(&mut rng(2)).unwrap();
        let stored = Backup::create(&factor, &[NewSlot::Device(device.public())], &mut rng(1)).unwrap();
        let open = |epoch| {
            let expected = Expected::key(*factor.public_key()).epoch(epoch);
            stored.open::<PairFactor>(&Unlock::Device(&device), &expected, &Limits::default()).err()
        };
        assert_eq!((open(6), open(7)), (None, Some(OpenError::OldEpoch { found: 6, expected: 7 })));
        let backward = forged_factor(factor.public_key(), &factor, 5);
        assert_eq!(stored.reseal(&backward, &stored.slot_set(), &mut rng(3)).err(), Some(ResealError::Older));
    }
}

#[test]
fn row_79_impossible_thresholds_with_a_right_hash() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let [clear, slots, mac, payload] =
        parts(&Backup::create(&live, &[NewSlot::Device(device.public())], &mut rng(1)).unwrap());
    for (threshold, parties, fine) in [(0, 3, false), (1, 3, false), (2, 2, true), (3, 2, false), (2, 1, false)] {
        let mut changed = clear.clone();
        (changed[54], changed[56]) = (threshold, parties);
        assert_eq!(read(&[&changed, &slots, &mac, &payload]).is_ok(), fine, "{threshold} of {parties}");
    }
    for (kind, error) in [
        (0, ReadError::Unsupported),
        (3, ReadError::NeverBackedUp),
        (4, ReadError::NeverBackedUp),
        (5, ReadError::NeverBackedUp),
        (6, ReadError::Unsupported),
    ] {
        let mut changed = clear.clone();
        changed[8] = kind;
        assert_eq!(read(&[&changed, &slots, &mac, &payload]), Err(error));
    }
}

// row 74: halves that say they belong together, made by somebody who has the storage of one
#[test]
fn row_74_halves_with_a_right_hash() {
    let (live, other) = (deal::<Secp256k1>(2, 3, 4, 1), deal::<Secp256k1>(2, 3, 4, 2));
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let make = |share: &Share| Backup::create(share, &[NewSlot::Device(device.public())], &mut rng(1)).unwrap();
    let (store, half) = make(&live[0]).detach();
    let bytes = half.to_bytes();
    let with = |at: usize, to: u8| {
        let mut changed = bytes.clone();
        assert_ne!(changed[at], to);
        changed[at] = to;
        Backup::attach(store.clone(), EncryptedShare::from_bytes(&crate::world::rehashed(changed)).unwrap()).err()
    };
    // key id; epoch, index, parties; the hash of the other half
    assert_eq!(with(11, 0xee), Some(AttachError::OtherKey));
    for (at, to) in [(46, 9), (52, 2), (56, 9), (125, 0xee), (156, 0xee)] {
        assert_eq!(with(at, to), Some(AttachError::OtherBackup), "{at}");
    }
    let renamed = crate::world::with_key_id(&other[0], live[0].key_id());
    let (_, of_other) = make(&renamed).detach();
    assert_eq!(Backup::attach(store.clone(), of_other), Err(AttachError::OtherKey), "the same id, another key");
    // nothing behind
    for half in [store.to_bytes(), bytes.clone()] {
        let longer = crate::world::rehashed([&half[..half.len() - 32], &[0; 33]].concat());
        let refused = (SecretStore::from_bytes(&longer).err(), EncryptedShare::from_bytes(&longer).err());
        assert!(refused.0 == Some(ReadError::Malformed) || refused.1 == Some(ReadError::Malformed), "{refused:?}");
    }
}

#[test]
fn hostile_keystores() {
    let open = |file: &str| from_keystore(file, "p", &Limits::default());
    assert!(open(&keystore(|_| {})).is_ok());
    // go-ethereum's early files have a capital
    let capital = keystore(|file| {
        let crypto = file.as_object_mut().unwrap().remove("crypto").unwrap();
        file["Crypto"] = crypto;
    });
    assert!(open(&capital).is_ok());
    let padded = format!("{}{}", keystore(|_| {}), " ".repeat(16 << 10));
    assert_eq!(open(&padded).err(), Some(KeystoreError::Format), "too long");
    let pbkdf2 = |prf: &str, c: u64| {
        keystore(|file| {
            file["crypto"]["kdf"] = "pbkdf2".into();
            file["crypto"]["kdfparams"] = serde_json::json!({ "c": c, "dklen": 32, "prf": prf, "salt": "00" });
        })
    };
    assert_eq!(open(&pbkdf2("hmac-sha256", 1)).err(), Some(KeystoreError::WrongPassword));
    assert_eq!(open(&pbkdf2("hmac-sha512", 1)).err(), Some(KeystoreError::Unsupported));
    for c in [(1 << 24) + 1, u64::from(u32::MAX), u64::MAX] {
        let refused = open(&pbkdf2("hmac-sha256", c)).err();
        assert_eq!(refused, Some(KeystoreError::ExcessiveWork { required: c.saturating_mul(128), limit: 2 << 30 }));
    }
    let work = Limits { memory: 1 << 30, work: (128 << 14) - 1 };
    let refused = from_keystore(&keystore(|_| {}), "p", &work).err();
    assert_eq!(refused, Some(KeystoreError::ExcessiveWork { required: 128 << 14, limit: work.work }));
    let memory = Limits { memory: (128 << 14) - 1, work: 1 << 30 };
    let refused = from_keystore(&keystore(|_| {}), "p", &memory).err();
    assert_eq!(refused, Some(KeystoreError::ExcessiveWork { required: 128 << 14, limit: memory.memory }));
}

// under a right MAC: no key, and one that is not reduced. Whoever knows the password can write it
#[test]
fn a_keystore_with_no_key_in_it() {
    let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
    for (plain, fine) in [("00".repeat(32), false), (order.to_owned(), false), ("01".repeat(32), true)] {
        let plain = hex::decode(plain).unwrap();
        let file = keystore(|file| {
            file.as_object_mut().unwrap().remove("address");
            let crypto = &mut file["crypto"];
            let bytes = |value: &serde_json::Value| hex::decode(value.as_str().unwrap()).unwrap();
            let mut key = [0; 32];
            let params = scrypt::Params::new(CHEAP.log_n, CHEAP.r, CHEAP.p).unwrap();
            scrypt::scrypt(b"p", &bytes(&crypto["kdfparams"]["salt"]), &params, &mut key).unwrap();
            // what was in it was 9
            let mut ciphertext = bytes(&crypto["ciphertext"]);
            ciphertext[31] ^= 9;
            ciphertext.iter_mut().zip(&plain).for_each(|(byte, plain)| *byte ^= plain);
            crypto["mac"] = hex::encode(Keccak256::digest([&key[16..], &ciphertext].concat())).into();
            crypto["ciphertext"] = hex::encode(ciphertext).into();
        });
        let opened = from_keystore(&file, "p", &Limits::default());
        assert_eq!(opened.err(), if fine { None } else { Some(KeystoreError::Key) });
    }
}

// NFKC may make an unassigned character of none, and never the other way round: both forms are looked at
#[test]
fn the_longest_password_before_and_after() {
    let entered = |text: &str| Password::entered(text).err();
    assert_eq!(entered(&"x".repeat(1024)), None);
    assert_eq!(entered(&"x".repeat(1025)), Some(PasswordError::TooLong));
    // 3 bytes each that become 1: too long before, short after
    assert_eq!(entered(&"\u{ff41}".repeat(341)), None);
    assert_eq!(entered(&"\u{ff41}".repeat(342)), Some(PasswordError::TooLong));
    // 3 bytes that become 33: short before, too long after
    assert_eq!(entered(&"\u{fdfa}".repeat(31)), None);
    assert_eq!(entered(&"\u{fdfa}".repeat(32)), Some(PasswordError::TooLong));
}

// each bound alone: memory and work would let these pass
#[test]
fn row_73_each_bound_of_a_cost_alone() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let password = password();
    let stored = Backup::create(&live, &[NewSlot::Password(&password, CHEAP)], &mut rng(1)).unwrap();
    let [clear, slots, mac, payload] = parts(&stored);
    let open = |log_n: u8, r: u32, p: u32, limits: &Limits| {
        let mut slots = slots.clone();
        slots[5..14].copy_from_slice(&[&[log_n][..], &r.to_be_bytes(), &p.to_be_bytes()].concat());
        let hostile = read(&[&clear, &slots, &mac, &payload]).unwrap();
        hostile.validate_password(&Unlock::Password(&password), limits)
    };
    let limits = Limits::default();
    assert_eq!(open(14, 1, 1, &limits), Ok(()));
    for (log_n, r, p) in [(21, 1, 1), (14, 17, 1), (14, 1, 5)] {
        let refused = open(log_n, r, p, &limits);
        assert!(matches!(refused, Err(OpenError::ExcessiveWork { .. })), "{log_n} {r} {p}: {refused:?}");
    }
    let tight = Limits { memory: (128 << 14) - 1, ..limits };
    let limit = tight.memory;
    assert_eq!(open(14, 1, 1, &tight), Err(OpenError::ExcessiveWork { required: limit + 1, limit }));
    for (log_n, r, p) in [(13, 1, 1), (14, 0, 1), (14, 1, 0)] {
        assert_eq!(open(log_n, r, p, &limits), Err(OpenError::WeakWork), "{log_n} {r} {p}");
    }
}
