//! Slots for hybrid keys: opened, changed byte by byte, and never alone.

use crate::world::{deal, rehashed, rng};
use symbolon_backup::{
    Backup, CreateError, Expected, Limits, NewSlot, OpenError, Password, PasswordPolicy, ReadError, ResealError,
    SlotKind, Unlock, Work,
};
use symbolon_core::Secp256k1;
use symbolon_seal::{DeviceKey, XWingKey};
use symbolon_sharing::KeyShare;

const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };

#[test]
fn a_hybrid_slot_opens_beside_another() {
    let rng = &mut rng(90);
    let share = deal::<Secp256k1>(2, 3, 1, 90).remove(0);
    let newer = deal::<Secp256k1>(2, 3, 2, 90).remove(0);
    let password = Password::new("correct horse battery", &PasswordPolicy::default()).unwrap();
    let [key, other] = [(), ()].map(|()| XWingKey::generate(rng).unwrap());
    let device = DeviceKey::generate(rng).unwrap();
    let limits = Limits::default();
    let expected = Expected::key(*share.public_key()).share(share.secret().public());
    let open = |backup: &Backup, unlock: &Unlock<'_>| {
        let any = Expected::key(*share.public_key());
        backup.open::<KeyShare<Secp256k1>>(unlock, &any, &limits).err()
    };

    let slots = [NewSlot::XWing(key.public()), NewSlot::Password(&password, CHEAP)];
    let backup = Backup::create(&share, &slots, rng).unwrap();
    assert_eq!(backup.slots().collect::<Vec<_>>(), [SlotKind::XWing, SlotKind::Password]);
    assert_eq!(backup.costs().collect::<Vec<_>>(), [None, Some(CHEAP)]);
    let backup = Backup::from_bytes(&backup.to_bytes()).unwrap();
    let stored = XWingKey::from_bytes(&key.to_bytes());
    for unlock in [Unlock::XWing(&key), Unlock::XWing(&stored), Unlock::Password(&password)] {
        assert_eq!(open(&backup, &unlock), None);
    }
    assert_eq!(open(&backup, &Unlock::XWing(&other)), Some(OpenError::WrongDevice));
    assert_eq!(open(&backup, &Unlock::Device(&device)), Some(OpenError::NoSlot));

    // a new share for the same slots; another slot; the same key twice
    let (resealed, _) = backup.reseal(&newer, &backup.slot_set(), rng).unwrap();
    assert_eq!(open(&resealed, &Unlock::XWing(&key)), None);
    let device = NewSlot::Device(device.public());
    let three = backup
        .add_slot::<KeyShare<Secp256k1>>(
            &device,
            &Unlock::XWing(&key),
            &expected.slots(backup.slot_set()),
            &limits,
            rng,
        )
        .unwrap();
    assert_eq!(open(&three, &Unlock::XWing(&key)), None);
    let twice = backup.add_slot::<KeyShare<Secp256k1>>(
        &slots[0],
        &Unlock::XWing(&key),
        &expected.slots(backup.slot_set()),
        &limits,
        rng,
    );
    assert_eq!(twice.err(), Some(ResealError::Create(CreateError::Slots)));

    // never alone: neither made, nor left over, nor read
    let alone = Backup::create(&share, &[NewSlot::XWing(key.public()), NewSlot::XWing(other.public())], rng);
    assert_eq!(alone.err(), Some(CreateError::Slots));
    let rest = backup.remove_slot::<KeyShare<Secp256k1>>(
        1,
        &Unlock::XWing(&key),
        &expected.slots(backup.slot_set()),
        &limits,
        rng,
    );
    assert_eq!(rest.err(), Some(ResealError::Create(CreateError::Slots)));
    let bytes = backup.to_bytes();
    let at = hybrid_slot(&bytes);
    let mut alone = [&bytes[..at.end], &bytes[at.end + PASSWORD_SLOT..]].concat();
    alone[at.start - 1] = 1;
    assert_eq!(Backup::from_bytes(&rehashed(alone)).err(), Some(ReadError::Malformed));
}

// every byte of the slot, one bit and all of them: refused when read, or by the MAC, or as another key
#[test]
fn every_byte_of_a_hybrid_slot_counts() {
    let rng = &mut rng(91);
    let share = deal::<Secp256k1>(2, 3, 1, 91).remove(0);
    let (key, device) = (XWingKey::generate(rng).unwrap(), DeviceKey::generate(rng).unwrap());
    let slots = [NewSlot::XWing(key.public()), NewSlot::Device(device.public())];
    let bytes = Backup::create(&share, &slots, rng).unwrap().to_bytes();
    let expected = Expected::key(*share.public_key()).share(share.secret().public());
    let open = |backup: &Backup, unlock: &Unlock<'_>| {
        backup.open::<KeyShare<Secp256k1>>(unlock, &expected, &Limits::default()).err()
    };
    let (mut wrong, mut forged, mut refused) = (0, 0, 0);
    for at in hybrid_slot(&bytes) {
        for mask in [1, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= mask;
            assert_eq!(Backup::from_bytes(&changed).err(), Some(ReadError::Damaged), "{at}");
            match Backup::from_bytes(&rehashed(changed)) {
                Ok(backup) => {
                    assert_eq!(open(&backup, &Unlock::Device(&device)), Some(OpenError::Forged), "{at}");
                    match open(&backup, &Unlock::XWing(&key)) {
                        Some(OpenError::WrongDevice) => wrong += 1,
                        Some(OpenError::Forged) => forged += 1,
                        other => panic!("{at}: {other:?}"),
                    }
                }
                Err(ReadError::Malformed | ReadError::Unsupported) => refused += 1,
                Err(other) => panic!("{at}: {other:?}"),
            }
        }
    }
    // the key; enc and the sealed data key; types, lengths, suite, coefficients that are not reduced
    assert!(wrong > 1000 && forged > 2000 && refused > 16, "{wrong} {forged} {refused}");
}

/// Type, length, suite, log2 N, r, p, salt, key, encapsulated key, data key.
const PASSWORD_SLOT: usize = 1 + 2 + 1 + 9 + 32 + 33 + 34 + 50;

/// The first slot of a backup of a share on secp256k1.
fn hybrid_slot(bytes: &[u8]) -> std::ops::Range<usize> {
    let start = 8 + 3 + 16 + 16 + 4 + 4 + 6 + 34 + 34 + 1;
    assert_eq!(bytes[start..start + 4], [3, 9, 87, 2], "type, length, suite");
    start..start + 3 + 1 + 2 + 1216 + 2 + 1120 + 50
}
