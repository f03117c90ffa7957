//! Slots for hybrid keys: ML-KEM and X25519 of the program come from another library.

use crate::{
    both::{Ask, Reader, Secret},
    world::{deal, rehashed, rng},
};
use std::collections::BTreeSet;
use symbolon_backup::{Backup, NewSlot};
use symbolon_core::{Group, Secp256k1, SecretBytes};
use symbolon_seal::{DeviceKey, XWingKey};

#[test]
fn hybrid_slots_and_their_changed_bytes() {
    let (mut reader, rng) = (Reader::new("xwing"), &mut rng(92));
    let share = deal::<Secp256k1>(2, 3, 1, 92).remove(0);
    let public_key = Secp256k1::point_to_bytes(share.public_key());
    let (key, device) = (XWingKey::generate(rng).unwrap(), DeviceKey::generate(rng).unwrap());
    let slots = [NewSlot::XWing(key.public()), NewSlot::Device(device.public())];
    let file = Backup::create(&share, &slots, rng).unwrap().to_bytes();
    let secret = Secret::XWing(*key.to_bytes().expose());
    let other = Secret::XWing([9; 32]);
    let as_device = Secret::Device(*SecretBytes::new([9; 32]).expose());
    fn ask<'a>(secret: &'a Secret, public_key: &'a [u8]) -> Ask<'a> {
        Ask { secret, public_key, epoch: 1 }
    }
    let opened = reader.both(&file, &ask(&secret, &public_key));
    assert!(opened.contains(&hex::encode(share.secret().to_bytes().expose())), "{opened}");
    assert_eq!(reader.both(&file, &ask(&other, &public_key)), "wrong device");
    assert_eq!(reader.both(&file, &ask(&as_device, &public_key)), "wrong device");
    let start = 8 + 3 + 16 + 16 + 4 + 4 + 6 + 34 + 34 + 1;
    let end = start + 3 + 1 + 2 + 1216 + 2 + 1120 + 50;
    let mut seen = BTreeSet::new();
    // types, lengths, both ends of every part, and some between
    for at in (start..end).filter(|at| at - start < 12 || end - at < 60 || at % 29 == 0 || (at - start) / 8 == 152) {
        for mask in [1, 0xff] {
            let mut changed = file.clone();
            changed[at] ^= mask;
            seen.insert(reader.both(&rehashed(changed), &ask(&secret, &public_key)));
        }
    }
    // never alone
    let mut alone = [&file[..end], &file[end + 3 + 1 + 33 + 34 + 50..]].concat();
    alone[start - 1] = 1;
    assert_eq!(reader.both(&rehashed(alone), &ask(&secret, &public_key)), "malformed");
    for outcome in ["forged", "malformed", "unsupported", "wrong device"] {
        assert!(seen.contains(outcome), "{outcome}: {seen:?}");
    }
}
