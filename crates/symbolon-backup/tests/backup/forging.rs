//! Containers that somebody makes who knows passwords, or the public keys of somebody's slots: MAC and hash are right.

use crate::world::{Forged, assemble, clear_part, deal, derived, encrypted, factor, forge, rng};
use aes::{
    Aes256,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use aes_gcm::{Aes256Gcm, aead::AeadInOut};
use symbolon_backup::{
    Backed, Backup, Expected, Limits, NewSlot, OpenError, Password, PasswordPolicy, Phrase, ReadError, Unlock, Work,
};
use symbolon_core::{Ed25519, Group, Secp256k1};
use symbolon_seal::{DeviceKey, DevicePublicKey};
use symbolon_session::Storable;
use symbolon_sharing::{KeyShare, PairFactor};

const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };
type Share = KeyShare<Secp256k1>;

fn opened<S: Backed>(
    file: &[u8],
    unlock: &Unlock<'_>,
    public_key: &<S::Group as Group>::Point,
) -> Result<S, OpenError> {
    let expected = Expected::key(*public_key);
    let backup = Backup::from_bytes(file).unwrap();
    backup.open::<S>(unlock, &expected, &Limits::default()).map(|opened| opened.secret)
}

// attacks.md row 112: a slot's public key, which stands in every stolen backup, is enough to make a container that opens with it
#[test]
fn row_112_a_container_made_for_a_public_slot() {
    let rng = &mut rng(30);
    let victims = &deal::<Secp256k1>(2, 3, 3, 1)[0];
    let attackers = &deal::<Secp256k1>(2, 3, 3, 9)[0];
    let password = Password::new("correct horse", &PasswordPolicy::default()).unwrap();
    let phrase = Phrase::generate(rng).unwrap();
    let device = DeviceKey::generate(rng).unwrap();
    let slots = [NewSlot::Password(&password, CHEAP), NewSlot::Phrase(&phrase), NewSlot::Device(device.public())];
    let stolen = Backup::create(victims, &slots, rng).unwrap().to_bytes();
    let clear_of =
        |share: &Share, rng: &mut _| clear_part(&Backup::create(share, &slots[2..], rng).unwrap().to_bytes()).to_vec();
    let (victims_clear, attackers_clear) = (clear_of(victims, rng), clear_of(attackers, rng));
    let (victims_share, attackers_share) = (victims.to_secret_bytes(), attackers.to_secret_bytes());
    // as the slots stand in the stolen file: type, then the body behind its length up to the public key
    let at = victims_clear.len() + 1;
    let fronts = [(0, 75), (162, 66), (162 + 153, 34)].map(|(from, len)| {
        let slot = &stolen[at + from..];
        let front = [&slot[..1], &slot[3..3 + len]].concat();
        let public: [u8; 32] = front[front.len() - 32..].try_into().unwrap();
        (front, DevicePublicKey::from_bytes(public).unwrap())
    });
    let unlocks = [Unlock::Password(&password), Unlock::Phrase(&phrase), Unlock::Device(&device)];
    for ((front, public), unlock) in fronts.iter().zip(unlocks) {
        let mut made = |clear: &[u8], payload: &[u8]| {
            forge(clear, payload, Forged { front: front.clone(), public, data_key: [9; 32] }, rng)
        };
        // it opens for whoever expects the attacker's key, and the victim does not
        let file = made(&attackers_clear, &attackers_share);
        assert!(opened::<Share>(&file, &unlock, attackers.public_key()).is_ok());
        assert_eq!(opened::<Share>(&file, &unlock, victims.public_key()).err(), Some(OpenError::OtherKey));
        // nor is anything else taken under the victim's name
        let file = made(&victims_clear, &attackers_share);
        assert_eq!(opened::<Share>(&file, &unlock, victims.public_key()).err(), Some(OpenError::Share));
        for (clear, payload) in
            [(&victims_clear, &b""[..]), (&victims_clear, &[0; 300]), (&victims_clear, &attackers_clear)]
        {
            let file = made(clear, payload);
            assert_eq!(opened::<Share>(&file, &unlock, victims.public_key()).err(), Some(OpenError::Share));
        }
        // the attacker's share and members, under the victim's public key
        let mut patched = attackers_share.to_vec();
        let key = Secp256k1::point_to_bytes(victims.public_key());
        let at = patched.len() - 64 - key.len();
        assert_eq!(patched[at..at + 33], Secp256k1::point_to_bytes(attackers.public_key())[..]);
        patched[at..at + 33].copy_from_slice(&key);
        let file = made(&victims_clear, &patched);
        assert_eq!(opened::<Share>(&file, &unlock, victims.public_key()).err(), Some(OpenError::Share));
        // the forger's tools are right: with the victim's share it would be a backup
        let file = made(&victims_clear, &victims_share);
        assert_eq!(opened::<Share>(&file, &unlock, victims.public_key()).map(drop), Ok(()));
    }
}

#[test]
fn every_changed_byte_of_a_share_is_refused() {
    fn check<S: Backed>(secret: &S, public_key: &<S::Group as Group>::Point, free: &[std::ops::Range<usize>]) {
        let rng = &mut rng(31);
        let device = DeviceKey::generate(rng).unwrap();
        let unlock = Unlock::Device(&device);
        let honest = Backup::create(secret, &[NewSlot::Device(device.public())], rng).unwrap().to_bytes();
        let (clear, payload) = (clear_part(&honest), secret.to_secret_bytes());
        let mut open = |clear: &[u8], payload: &[u8]| {
            let file = forge(clear, payload, Forged::device(device.public(), [9; 32]), rng);
            match Backup::from_bytes(&file) {
                Ok(_) => opened::<S>(&file, &unlock, public_key).map(drop).map_err(Ok),
                Err(error) => Err(Err(error)),
            }
        };
        assert_eq!(open(clear, &payload), Ok(()));
        for at in 0..payload.len() {
            let mut changed = payload.to_vec();
            changed[at] ^= 1;
            let outcome = open(clear, &changed);
            let is_free = free.iter().any(|range| range.contains(&at));
            assert_eq!(outcome, if is_free { Ok(()) } else { Err(Ok(OpenError::Share)) }, "byte {at} of the payload");
            assert_eq!(open(clear, &payload[..at]), Err(Ok(OpenError::Share)), "{at} bytes");
        }
        assert_eq!(open(clear, &[&payload[..], &[0]].concat()), Err(Ok(OpenError::Share)));
        // the clear part is that of the share
        for at in 8..clear.len() {
            let mut changed = clear.to_vec();
            changed[at] ^= 2;
            let outcome = open(&changed, &payload);
            assert!(
                matches!(
                    outcome,
                    Err(Ok(OpenError::Share | OpenError::OtherKey | OpenError::OtherKind)
                        | Err(ReadError::Malformed | ReadError::Unsupported | ReadError::NeverBackedUp))
                ),
                "byte {at} of the clear part: {outcome:?}"
            );
        }
    }
    // identities and chain code say nothing of the key; marks are a number below 8
    let share = &deal::<Secp256k1>(2, 3, 3, 1)[0];
    let (members, end) = (55, share.to_secret_bytes().len());
    let identity = |i: usize, point: usize| members + i * (35 + point) + 3..members + i * (35 + point) + 35;
    let marks = 48..49;
    check(
        share,
        share.public_key(),
        &[marks.clone(), identity(0, 33), identity(1, 33), identity(2, 33), end - 64..end - 32],
    );
    let share = &deal::<Ed25519>(2, 3, 3, 2)[0];
    let end = share.to_secret_bytes().len();
    check(share, share.public_key(), &[marks, identity(0, 32), identity(1, 32), identity(2, 32), end - 64..end - 32]);
    // the index of the peer, which has no place in the clear part; it stays the higher one
    for (side, peer) in factor(2).iter().zip([48..50, 0..0]) {
        let end = side.to_secret_bytes().len();
        check::<PairFactor>(side, side.public_key(), &[16..48, peer, 51..83, 103..104, end - 64..end - 32]);
    }
}

#[test]
fn a_share_signs_with_what_its_curve_can() {
    fn with_scheme<G: Group>(share: &KeyShare<G>, scheme: u8) -> Option<OpenError> {
        let rng = &mut rng(33);
        let device = DeviceKey::generate(rng).unwrap();
        let honest = Backup::create(share, &[NewSlot::Device(device.public())], rng).unwrap().to_bytes();
        let (mut clear, mut payload) = (clear_part(&honest).to_vec(), share.to_secret_bytes());
        (clear[10], payload[11]) = (scheme, scheme);
        let file = forge(&clear, &payload, Forged::device(device.public(), [9; 32]), rng);
        opened::<KeyShare<G>>(&file, &Unlock::Device(&device), share.public_key()).err()
    }
    let (ecdsa, frost) = (&deal::<Secp256k1>(2, 3, 3, 1)[0], &deal::<Ed25519>(2, 3, 3, 2)[0]);
    assert_eq!((with_scheme(ecdsa, 1), with_scheme(ecdsa, 2)), (None, None), "FROST is on both");
    assert_eq!((with_scheme(frost, 1), with_scheme(frost, 2)), (Some(OpenError::Share), None));
}

/// Multiplication in the field of GCM: the first bit is the lowest power, `x^128 = x^7 + x^2 + x + 1`.
fn times(x: u128, y: u128) -> u128 {
    let (mut product, mut power) = (0, y);
    for bit in (0..128).rev() {
        if x >> bit & 1 == 1 {
            product ^= power;
        }
        power = power >> 1 ^ if power & 1 == 1 { 0xe1 << 120 } else { 0 };
    }
    product
}

fn inverse(x: u128) -> u128 {
    // x^(2^128 - 2)
    (1..128)
        .fold((1 << 127, x), |(product, power), _| {
            let power = times(power, power);
            (times(product, power), power)
        })
        .0
}

/// What GCM multiplies with.
fn hash_key(key: &[u8; 32]) -> u128 {
    let mut block = [0; 16].into();
    Aes256::new(key.into()).encrypt_block(&mut block);
    u128::from_be_bytes(block.into())
}

// attacks.md row 72: AES-GCM commits to no key, so that one ciphertext is made to verify under the data keys of two passwords
#[test]
fn row_72_a_ciphertext_for_two_passwords_opens_under_one() {
    let rng = &mut rng(32);
    let share = &deal::<Secp256k1>(2, 3, 3, 1)[0];
    let passwords =
        ["the first password", "another password"].map(|text| Password::new(text, &PasswordPolicy::default()).unwrap());
    // the slots of two backups, of which the maker knows everything
    let slots = [0, 1].map(|i| {
        let file = Backup::create(share, &[NewSlot::Password(&passwords[i], CHEAP)], rng).unwrap().to_bytes();
        let clear = clear_part(&file).to_vec();
        let slot = &file[clear.len() + 1..];
        let front = [&slot[..1], &slot[3..3 + 75]].concat();
        let public: [u8; 32] = front[front.len() - 32..].try_into().unwrap();
        (clear, front, DevicePublicKey::from_bytes(public).unwrap(), [i.to_le_bytes()[0] + 1; 32])
    });
    let (clear, nonce) = (slots[0].0.clone(), [7; 12]);
    let keys = slots.each_ref().map(|slot| derived(&slot.3, b"symbolon/backup/1/payload"));
    let ciphers = keys.each_ref().map(|key| Aes256Gcm::new(key.into()));

    // the share under the first key in whole blocks, and one more block that makes the tags equal
    let payload = share.to_secret_bytes();
    let mut ciphertext = encrypted(&slots[0].3, nonce, &clear, &payload);
    ciphertext.truncate(payload.len() / 16 * 16);
    let last = ciphertext.len();
    ciphertext.extend_from_slice(&[0; 16]);
    let tag = |cipher: &Aes256Gcm, ciphertext: &[u8]| {
        // of a ciphertext: that of its plaintext, which the keystream gives
        let mut buffer = vec![0; ciphertext.len()];
        cipher.encrypt_inout_detached(&nonce.into(), &clear, buffer.as_mut_slice().into()).unwrap();
        buffer.iter_mut().zip(ciphertext).for_each(|(byte, other)| *byte ^= other);
        let tag = cipher.encrypt_inout_detached(&nonce.into(), &clear, buffer.as_mut_slice().into()).unwrap();
        assert_eq!(buffer, ciphertext);
        u128::from_be_bytes(tag.into())
    };
    let tags = ciphers.each_ref().map(|cipher| tag(cipher, &ciphertext));
    // a block before the lengths counts with the square
    let squares = keys.each_ref().map(|key| times(hash_key(key), hash_key(key)));
    let block = times(tags[0] ^ tags[1], inverse(squares[0] ^ squares[1]));
    ciphertext[last..].copy_from_slice(&block.to_be_bytes());
    let tag = tags[0] ^ times(block, squares[0]);
    for cipher in &ciphers {
        let mut buffer = ciphertext.clone();
        let verified = cipher.decrypt_inout_detached(
            &nonce.into(),
            &clear,
            buffer.as_mut_slice().into(),
            &tag.to_be_bytes().into(),
        );
        assert!(verified.is_ok(), "the attack works on the cipher alone");
    }
    ciphertext.extend_from_slice(&tag.to_be_bytes());

    // a slot for each password, whichever data key the MAC is under; one slot for both
    let forged = |front: usize, public: usize, data_key: usize| Forged {
        front: slots[front].1.clone(),
        public: &slots[public].2,
        data_key: slots[data_key].3,
    };
    let mut outcomes = |forged: &[Forged<'_>]| {
        let file = assemble(&clear, forged, nonce, &ciphertext, rng);
        let backup = Backup::from_bytes(&file).unwrap();
        passwords.each_ref().map(|password| {
            let unlock = Unlock::Password(password);
            let verified = backup.validate_password(&unlock, &Limits::default()).err();
            (verified, opened::<Share>(&file, &unlock, share.public_key()).err())
        })
    };
    let forged_at = |error| (Some(error), Some(error));
    // the MAC verifies, the ciphertext too, and what is inside has a block too much
    let verified = (None, Some(OpenError::Share));
    let not_the_second = [verified, forged_at(OpenError::Forged)];
    assert_eq!(outcomes(&[forged(0, 0, 0), forged(1, 1, 1)]), not_the_second);
    assert_eq!(outcomes(&[forged(1, 1, 1), forged(0, 0, 0)]).map(|outcome| outcome.0), [Some(OpenError::Forged), None]);
    assert_eq!(outcomes(&[forged(0, 0, 0)]), [verified, forged_at(OpenError::WrongPassword)]);
    assert_eq!(outcomes(&[forged(0, 1, 0)]), [forged_at(OpenError::Forged), forged_at(OpenError::WrongPassword)]);
    // one data key for both is no second secret: it is a backup with two passwords
    assert_eq!(outcomes(&[forged(0, 0, 0), forged(1, 1, 0)]), [verified, verified]);
}
