use super::*;
use crate::{PasswordPolicy, wiped::shares};
use alloc::vec;
use symbolon_core::Secp256k1;
use symbolon_sharing::KeyShare;
use symbolon_testkit::seeded;

const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };

fn password(text: &str) -> Password {
    Password::new(text, &PasswordPolicy::default()).unwrap()
}

// attacks.md row 72: whoever knows both passwords and chooses every byte makes no container that opens under two of them to
// two shares, and none whose ciphertext serves two keys
#[test]
fn row_72_no_container_opens_under_two_passwords() {
    let rng = &mut seeded(30);
    let passwords = [password("the first password"), password("another password")];
    let [one, other] = [shares(3, 7), shares(3, 8)].map(|mut shares| shares.swap_remove(0));
    let make = |secret: &KeyShare<Secp256k1>, password: &Password, rng: &mut _| {
        Backup::create(secret, &[NewSlot::Password(password, CHEAP)], rng).unwrap()
    };
    let expected = Expected::<Secp256k1>::key(*one.public_key());
    let open = |backup: &Backup, password: &Password| {
        backup.open::<KeyShare<Secp256k1>>(&Unlock::Password(password), &expected, &Limits::default()).err()
    };
    let (first, second) = (make(&one, &passwords[0], rng), make(&other, &passwords[1], rng));

    // both slots in one container, each with its own data key: the MAC and the ciphertext have one
    let both: Vec<_> = first.slots.iter().chain(&second.slots).cloned().collect();
    let info = info(&Backup::clear_part(&first.header));
    let keys = [&first, &second].map(|backup| {
        let unlock = Unlock::Password(if backup == &first { &passwords[0] } else { &passwords[1] });
        backup.unlock(&unlock, &Limits::default()).unwrap().1
    });
    let resealed: Vec<_> =
        both.iter().zip(&keys).map(|(slot, key)| slot.recipient.clone().seal(&info, key, rng).unwrap()).collect();
    for (i, key) in keys.iter().enumerate() {
        let mac = mac(key, &Backup::authenticated_part(&first.header, &resealed)).finalize().into_bytes().into();
        for payload in [&first.payload, &second.payload] {
            let made = Backup { header: first.header.clone(), slots: resealed.clone(), mac, payload: payload.clone() };
            let opened = [open(&made, &passwords[0]), open(&made, &passwords[1])];
            // the other one opens its slot, and then the MAC is of another data key
            assert_eq!(opened[1 - i], Some(OpenError::Forged));
            assert_eq!(opened[0].is_none(), i == 0 && *payload == first.payload);
            assert!(opened[1].is_some());
        }
    }
    // one slot, with the public key of one password and the data key sealed to the other's
    let mut crossed = first.clone();
    let sealed = second.slots[0].recipient.clone().seal(&info, &keys[0], rng).unwrap();
    crossed.slots = [first.slots[0].with_sealed_key_of(&sealed)].into();
    crossed.mac =
        mac(&keys[0], &Backup::authenticated_part(&crossed.header, &crossed.slots)).finalize().into_bytes().into();
    assert_eq!(open(&crossed, &passwords[0]), Some(OpenError::Forged));
    assert_eq!(open(&crossed, &passwords[1]), Some(OpenError::WrongPassword));
    assert_eq!(open(&first, &passwords[0]), None);
}

// whoever controls the storage puts a slot of its own beside the owner's, under a data key of its own: the password opens it,
// and nothing that records the slots takes it, for the share is not in it
#[test]
fn slots_of_somebody_without_the_share_are_never_recorded() {
    let rng = &mut seeded(31);
    let (password, share) = (password("the first password"), shares(3, 7).swap_remove(0));
    // here even the record is the attacker's
    let expected = Expected::live(&share);
    let honest = Backup::create(&share, &[NewSlot::Password(&password, CHEAP)], rng).unwrap();
    let thief = DeviceKey::generate(rng).unwrap();
    let mut recipients = vec![honest.slots[0].recipient.clone()];
    recipients.push(Recipient::new(&NewSlot::Device(thief.public()), rng).unwrap());
    let data_key = SecretBytes::new([9; 32]);
    let slots = Backup::seal_slots(recipients, &Backup::clear_part(&honest.header), &data_key, rng).unwrap();
    let mac = mac(&data_key, &Backup::authenticated_part(&honest.header, &slots)).finalize().into_bytes().into();
    let Backup { header, payload, .. } = honest;
    let planted = Backup { header, slots, mac, payload };
    let expected = expected.slots(planted.slot_set());

    let (unlock, limits) = (Unlock::Password(&password), Limits::default());
    assert_eq!(planted.validate_password(&unlock, &limits), Ok(()));
    assert_eq!(planted.open::<KeyShare<Secp256k1>>(&unlock, &expected, &limits).err(), Some(OpenError::Forged));
    let phrase = Phrase::generate(rng).unwrap();
    let slot = NewSlot::Phrase(&phrase);
    let more = planted.add_slot::<KeyShare<Secp256k1>>(&slot, &unlock, &expected, &limits, rng);
    assert_eq!(more.err(), Some(ResealError::Open(OpenError::Forged)));
    let changed =
        planted.change_password::<KeyShare<Secp256k1>>(&password, (&password, CHEAP), &expected, &limits, rng);
    assert_eq!(changed.err(), Some(ResealError::Open(OpenError::Forged)));
}
