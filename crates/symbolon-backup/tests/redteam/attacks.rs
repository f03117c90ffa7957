//! Attacks. Each asserts that it fails.

use crate::tools::{CHEAP, Share, forge, forged_factor, forged_share, keystore, leaks, password};
use crate::world::{deal, factor, rng};
use std::time::Duration;
use symbolon_backup::{
    Backed, Backup, Expected, KeystoreError, Limits, NewSlot, OpenError, Password, PasswordPolicy, Phrase, Receiver,
    ResealError, SecretKind, Unlock, export, from_keystore,
};
use symbolon_core::{Secp256k1, SecretBytes};
use symbolon_seal::DeviceKey;
use symbolon_session::{IdentityKey, MemoryLedger};
use symbolon_sharing::{Change, Consent, PairFactor};

// attacks.md rows 112, 113: nothing in a share ties it to the key but `P` itself, so that whoever reads the clear part makes one
// that fits. The share check proves nothing about who made the slots.
#[test]
fn row_113_slots_of_somebody_without_any_secret_never_receive_the_next_share() {
    for (t, n) in [(2, 2), (2, 3), (3, 5)] {
        let (live, next) = (deal::<Secp256k1>(t, n, 4, 1).swap_remove(0), deal::<Secp256k1>(t, n, 5, 1).swap_remove(0));
        let (password, eve) = (password(), DeviceKey::generate(&mut rng(2)).unwrap());
        let stored = Backup::create(&live, &[NewSlot::Password(&password, CHEAP)], &mut rng(1)).unwrap();
        // from here on Eve has the bytes of `stored`, and nothing else
        let from_storage = forge(&stored, &forged_share(stored.header(), 4), &eve);

        // the owner changes the password, with the slots that it has recorded: they are others
        let expected = Expected::live(&live).slots(stored.slot_set());
        let (limits, new) = (Limits::default(), Password::new("battery staple", &PasswordPolicy::default()).unwrap());
        let (slot, unlock) = (NewSlot::Password(&new, CHEAP), Unlock::Password(&password));
        let draws = &mut rng(3);
        let change = |from: &Backup, expected: &Expected<_>, draws: &mut _| {
            from.change_password::<Share>(&password, (&new, CHEAP), expected, &limits, draws)
        };
        assert_eq!(change(&from_storage, &expected, draws).err(), Some(ResealError::Open(OpenError::OtherShare)));
        // and where the share is the live one, since a thief of it made the file
        let stolen = forge(&stored, &live, &eve);
        assert_eq!(change(&stolen, &expected, draws).err(), Some(ResealError::Open(OpenError::SlotSet)));
        let more = stolen.add_slot::<Share>(&slot, &unlock, &expected, &limits, draws);
        assert_eq!(more.err(), Some(ResealError::Open(OpenError::SlotSet)));
        // the recorded slots, and a share out of thin air in the place of the live one: junk, which is not taken for a backup
        let (junk, _) = stored.reseal(&forged_share(stored.header(), 4), &stored.slot_set(), draws).ok().unwrap();
        assert_eq!(junk.slot_set(), stored.slot_set());
        assert_eq!(change(&junk, &expected, draws).err(), Some(ResealError::Open(OpenError::OtherShare)));
        assert_eq!(junk.validate_share::<Share>(&unlock, &expected, &limits), Err(OpenError::OtherShare));
        let recorded = [(from_storage, stored.slot_set()), (stolen, stored.slot_set())];
        // a refresh at night
        for (backup, slots) in recorded {
            let resealed = backup.reseal(&next, &slots, &mut rng(4));
            let leaked = resealed.is_ok_and(|(backup, _)| leaks::<Share>(&backup, &eve, next.public_key()));
            assert!(!leaked, "Eve has the live share");
        }
    }
}

#[test]
fn row_113_the_same_for_a_factor() {
    let ([live, _], [next, _]) = (factor(4), factor(5));
    let (password, eve) = (password(), DeviceKey::generate(&mut rng(2)).unwrap());
    let stored = Backup::create(&live, &[NewSlot::Password(&password, CHEAP)], &mut rng(1)).unwrap();
    assert_eq!(stored.header().kind(), SecretKind::PairFactor);
    let from_storage = forge(&stored, &forged_factor(live.public_key(), &live, 4), &eve);
    let expected = Expected::live(&live);
    let unlock = Unlock::Password(&password);
    let opened = from_storage.open::<PairFactor>(&unlock, &expected, &Limits::default());
    assert_eq!(opened.err(), Some(OpenError::OtherShare));
    let resealed = from_storage.reseal(&next, &stored.slot_set(), &mut rng(4));
    assert_eq!(resealed.err(), Some(ResealError::SlotSet));
}

// row 112: the owner who has the live share and looks after the backup is told that it "holds the right share"
#[test]
fn row_112_a_share_out_of_thin_air_is_not_the_right_share() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let (password, eve) = (password(), DeviceKey::generate(&mut rng(2)).unwrap());
    let stored = Backup::create(&live, &[NewSlot::Password(&password, CHEAP)], &mut rng(1)).unwrap();
    let forged = forged_share(stored.header(), 4);
    assert!(forged.secret().public() != live.secret().public());
    let from_storage = forge(&stored, &forged, &eve);
    let expected = Expected::live(&live);
    let unlock = Unlock::Password(&password);
    assert_eq!(stored.validate_share::<Share>(&unlock, &expected, &Limits::default()), Ok(()));
    assert!(from_storage.validate_share::<Share>(&unlock, &expected, &Limits::default()).is_err());
}

/// What works against it today, without any change: whoever re-seals compares the record that was made when the backup was made.
#[test]
fn row_113_the_record_of_the_making_holds() {
    let (live, next) = (deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0), deal::<Secp256k1>(2, 3, 5, 1).swap_remove(0));
    let (password, eve) = (password(), DeviceKey::generate(&mut rng(2)).unwrap());
    let stored = Backup::create(&live, &[NewSlot::Password(&password, CHEAP)], &mut rng(1)).unwrap();
    let from_storage = forge(&stored, &forged_share(stored.header(), 4), &eve);
    assert_eq!(from_storage.reseal(&next, &stored.slot_set(), &mut rng(4)).err(), Some(ResealError::SlotSet));
}

// the flow that the docs give after a suspected leak: change the slots, then refresh, then retire. Mallory had a slot and so has the
// share; the storage is his
#[test]
fn row_113_whoever_is_put_out_puts_nothing_in_on_the_way() {
    let (live, next) = (deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0), deal::<Secp256k1>(2, 3, 5, 1).swap_remove(0));
    let (password, known, unknown) =
        (password(), DeviceKey::generate(&mut rng(2)).unwrap(), DeviceKey::generate(&mut rng(3)).unwrap());
    let slots = [NewSlot::Password(&password, CHEAP), NewSlot::Device(known.public())];
    let stored = Backup::create(&live, &slots, &mut rng(1)).unwrap();
    let recorded = stored.slot_set();
    let expected = Expected::live(&live);
    let stolen = stored.open::<Share>(&Unlock::Device(&known), &expected, &Limits::default()).ok().unwrap().secret;
    let from_storage = forge(&stored, &stolen, &unknown);
    assert_ne!(from_storage.slot_set(), recorded, "the owner's record would tell");
    // Mallory's known slot goes, as the owner believes
    let unlock = Unlock::Password(&password);
    let changed =
        from_storage.remove_slot::<Share>(1, &unlock, &expected.slots(recorded), &Limits::default(), &mut rng(4));
    if let Ok(changed) = changed {
        let resealed = changed.reseal(&next, &changed.slot_set(), &mut rng(5));
        let leaked = resealed.is_ok_and(|(backup, _)| leaks::<Share>(&backup, &unknown, next.public_key()));
        assert!(!leaked, "the slots were changed, the key was refreshed, and Mallory has the new share");
    }
}

// whoever sees a request, which is no secret, answers it with a share out of thin air; the receiver takes it, and can say later only
// that something does not fit
#[test]
fn row_42_an_answer_of_somebody_who_holds_nothing_is_refused() {
    let (now, end) = (Duration::from_secs(10), Duration::from_secs(20));
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let device = IdentityKey::from_seed(SecretBytes::new([7; 32]));
    let receiver = Receiver::new(&live.header(), end, &mut rng(1)).unwrap();
    let request = receiver.request(&device);
    let consent = Consent::new([Change::Exports(live.key_id(), receiver.asks().fingerprint())]);
    let (owners, forged) = ([device.identity()], forged_share(&live.header(), live.epoch()));
    let answer = export(forged, &request, &owners, now, &consent, &mut MemoryLedger::default(), &mut rng(2));
    let (answer, _) = answer.map_err(|(_, error)| error).unwrap();
    assert!(receiver.open::<Share>(&answer, &Expected::live(&live), now).is_err());
}

// scrypt has two buffers: 128*N*r bytes, and 128*r*p. A file with N = 2 and a large p takes its memory with the second
#[test]
fn row_79_a_keystore_takes_no_more_memory_than_is_allowed() {
    let limits = Limits { memory: 1 << 20, work: 1 << 28 };
    let file = keystore(|file| {
        file["crypto"]["kdfparams"]["n"] = 2.into();
        file["crypto"]["kdfparams"]["r"] = 1.into();
        file["crypto"]["kdfparams"]["p"] = (1 << 18).into();
    });
    // 32 MiB, where 1 MiB is allowed; with the default limits it is 1 GiB for 256 MiB
    let refused = from_keystore(&file, "p", &limits).err();
    assert!(matches!(refused, Some(KeystoreError::ExcessiveWork { .. })), "{refused:?}");
}

#[test]
fn a_keystore_with_an_address_that_is_no_text_is_not_taken_as_one_without() {
    for address in [serde_json::json!(7), serde_json::json!(["00"]), serde_json::json!({})] {
        let file = keystore(|file| file["address"] = address);
        assert_eq!(from_keystore(&file, "p", &Limits::default()).err(), Some(KeystoreError::Format));
    }
}

// not even a forgery: the storage gives back the file of before the slot was removed, which is of the same epoch
#[test]
fn row_104_a_removed_slot_does_not_come_back_with_an_old_file() {
    let (live, next) = (deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0), deal::<Secp256k1>(2, 3, 5, 1).swap_remove(0));
    let (password, phrase) = (password(), Phrase::generate(&mut rng(6)).unwrap());
    let removed = DeviceKey::generate(&mut rng(2)).unwrap();
    let slots = [NewSlot::Password(&password, CHEAP), NewSlot::Device(removed.public())];
    let before = Backup::create(&live, &slots, &mut rng(1)).unwrap();
    let expected = Expected::live(&live);
    let (unlock, limits) = (Unlock::Password(&password), Limits::default());
    let without =
        before.remove_slot::<Share>(1, &unlock, &expected.slots(before.slot_set()), &limits, &mut rng(4)).unwrap();
    let recorded = without.slot_set();
    assert_ne!(before.slot_set(), recorded, "the owner's record would tell");
    let slot = NewSlot::Phrase(&phrase);
    let more = before.add_slot::<Share>(&slot, &unlock, &expected.slots(recorded), &limits, &mut rng(5));
    assert_eq!(more.as_ref().err(), Some(&ResealError::Open(OpenError::SlotSet)));
    if let Ok(more) = more {
        let resealed = more.reseal(&next, &more.slot_set(), &mut rng(5));
        let leaked = resealed.is_ok_and(|(backup, _)| leaks::<Share>(&backup, &removed, next.public_key()));
        assert!(!leaked, "the removed device has the next share");
    }
}

// safety.md S9: a machine that is put back to a snapshot draws the same bytes again. The seals to the slots are hedged against it,
// the share has to be, too: data key and nonce twice are the difference of two shares, and who has one has the other
#[test]
fn s9_two_shares_after_a_snapshot_have_two_key_streams() {
    let (old, new) = (deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0), deal::<Secp256k1>(2, 3, 5, 1).swap_remove(0));
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let stored = Backup::create(&old, &[NewSlot::Device(device.public())], &mut rng(1)).unwrap();
    let tail = |share: &Share| {
        let resealed = stored.reseal(share, &stored.slot_set(), &mut rng(9)).map_err(|error| error.to_string());
        // less the tag: the secret share stands last
        let payload = crate::world::payload(&resealed.unwrap().0);
        <[u8; 32]>::try_from(&payload[payload.len() - 48..payload.len() - 16]).unwrap()
    };
    let secret = |share: &Share| *share.secret().to_bytes().expose();
    let xor = |one: [u8; 32], other: [u8; 32]| std::array::from_fn::<u8, 32, _>(|i| one[i] ^ other[i]);
    assert_ne!(xor(tail(&old), tail(&new)), xor(secret(&old), secret(&new)), "x of one epoch gives x of the next");
}

// two shares of a holder, whose slots are the same devices: one must not take the other's place
#[test]
fn row_92_another_members_share_does_not_take_the_place() {
    let shares = deal::<Secp256k1>(2, 3, 4, 1);
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let stored = Backup::create(&shares[0], &[NewSlot::Device(device.public())], &mut rng(1)).unwrap();
    let other = Backup::create(&shares[1], &[NewSlot::Device(device.public())], &mut rng(2)).unwrap();
    assert_eq!(stored.slot_set(), other.slot_set());
    assert!(stored.reseal(&shares[1], &other.slot_set(), &mut rng(3)).is_err());
}

// whoever knows the share makes a file of the recorded slots with it, and with other things beside it; or the storage has one from
// before the key was exported
#[test]
fn row_103_what_stands_beside_the_share_is_that_of_the_live_one() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let device = DeviceKey::generate(&mut rng(2)).unwrap();
    let stored = Backup::create(&live, &[NewSlot::Device(device.public())], &mut rng(1)).unwrap();
    let (unlock, limits, phrase) = (Unlock::Device(&device), Limits::default(), Phrase::generate(&mut rng(6)).unwrap());
    let recorded = Expected::live(&live).slots(stored.slot_set());
    assert_eq!(stored.validate_share::<Share>(&unlock, &recorded, &limits), Ok(()));
    let others = crate::tools::with_chain_code(&live, [9; 32]);
    let (junk, _) = stored.reseal(&others, &stored.slot_set(), &mut rng(3)).ok().unwrap();
    let public_share = live.secret().public();
    let marked = Expected::live(&live.exported()).slots(stored.slot_set());
    for (backup, expected) in [(&junk, recorded), (&stored, marked)] {
        assert_eq!(backup.validate_share::<Share>(&unlock, &expected, &limits), Err(OpenError::NotLive));
        let more = backup.add_slot::<Share>(&NewSlot::Phrase(&phrase), &unlock, &expected, &limits, &mut rng(4));
        assert_eq!(more.err(), Some(ResealError::Open(OpenError::NotLive)));
        // who asks for the share alone gets it, whatever stands beside it
        let share = expected.share(public_share);
        assert_eq!(backup.validate_share::<Share>(&unlock, &share, &limits), Ok(()));
    }
}
