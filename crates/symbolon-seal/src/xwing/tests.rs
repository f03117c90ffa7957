use super::*;
use crate::device::tests::Fixed;
use alloc::vec;
use symbolon_testkit::seeded;

// the second opinion on the KEM and on HPKE is the Python reader of backups, whose library is another one

// the first vector of draft-connolly-cfrg-xwing-kem, appendix C: of key and encapsulation it is enough to see how they begin
#[test]
fn the_key_and_the_encapsulation_of_published_seeds() {
    let seed = hex::decode("7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26").unwrap();
    let drawn = "3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2\
                 35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2";
    let key = XWingKey::from_bytes(&SecretBytes::new(seed.clone().try_into().unwrap()));
    let recipient = PublicKey::from_bytes(key.public().as_bytes()).unwrap();
    let rng = &mut Fixed::<64>(Some(hex::decode(drawn).unwrap().try_into().unwrap()));
    let (encapsulation, ciphertext) = seal_base::<XWing>(&recipient, b"", b"", b"text", rng).unwrap();
    assert_eq!(hex::encode(&encapsulation[..16]), "b83aa828d4d62b9a83ceffe1d3d3bb1e");
    let sealed = XWingSealed::from_parts(encapsulation, ciphertext).unwrap();
    assert_eq!(open_with_xwing(&key, b"", b"", &sealed).unwrap().as_slice(), b"text");
    let bytes = key.public().as_bytes();
    assert_eq!(bytes.len(), 1216);
    assert_eq!(hex::encode(&bytes[..16]), "e2236b35a8c24b39b10aa1323a96a919");
    assert_eq!(key.to_bytes().expose().as_slice(), seed);
    assert_eq!(XWingPublicKey::from_bytes(bytes).as_ref(), Ok(key.public()));
}

#[test]
fn what_is_sealed_opens_for_its_key_and_context_only() {
    let rng = &mut seeded(70);
    let [key, other] = [(), ()].map(|()| XWingKey::generate(rng).unwrap());
    let sealed = seal_to_xwing(key.public(), b"info", b"aad", b"a share", rng).unwrap();
    assert_eq!((sealed.encapsulation().len(), sealed.ciphertext().len()), (XWingSealed::ENCAPSULATION, 7 + TAG));
    let again = XWingSealed::from_parts(sealed.encapsulation().to_vec(), sealed.ciphertext().to_vec()).unwrap();
    assert_eq!(again, sealed);
    assert_eq!(open_with_xwing(&key, b"info", b"aad", &sealed).unwrap().as_slice(), b"a share");
    for (key, info, aad) in [(&other, "info", "aad"), (&key, "other", "aad"), (&key, "info", "other")] {
        assert_eq!(open_with_xwing(key, info.as_bytes(), aad.as_bytes(), &sealed).err(), Some(OpenError::Refused));
    }
    // every byte of both parts, the halves of the encapsulated key among them
    let enc = sealed.encapsulation();
    for at in 0..enc.len() + sealed.ciphertext().len() {
        let (mut encapsulation, mut ciphertext) = (enc.to_vec(), sealed.ciphertext().to_vec());
        *encapsulation.iter_mut().chain(&mut ciphertext).nth(at).unwrap() ^= 1;
        if let Ok(changed) = XWingSealed::from_parts(encapsulation, ciphertext) {
            assert_eq!(open_with_xwing(&key, b"info", b"aad", &changed).err(), Some(OpenError::Refused), "{at}");
        }
    }
}

#[test]
fn keys_and_encapsulations_have_one_form() {
    let rng = &mut seeded(71);
    let good = XWingKey::generate(rng).unwrap().public().as_bytes().to_vec();
    let with_tail = |tail: [u8; 32]| [&good[..ML_KEM_KEY], &tail].concat();
    let mut one = [0; 32];
    one[0] = 1;
    for low in [[0; 32], one, [0xff; 32]] {
        assert_eq!(XWingPublicKey::from_bytes(&with_tail(low)).err(), Some(DecodeError::Point));
        let encapsulation = [[7; ML_KEM_CIPHERTEXT].as_slice(), &low].concat();
        assert_eq!(XWingSealed::from_parts(encapsulation, vec![0; 48]).err(), Some(DecodeError::Point));
    }
    // a coefficient of 2^12 - 1 is not reduced
    let mut unreduced = good.clone();
    unreduced[..2].fill(0xff);
    assert_eq!(XWingPublicKey::from_bytes(&unreduced).err(), Some(DecodeError::Point));
    for len in [0, 32, 1184, 1215, 1217] {
        assert_eq!(XWingPublicKey::from_bytes(&vec![9; len]).err(), Some(DecodeError::Count), "{len}");
    }
    for (encapsulation, ciphertext) in [(1119, 48), (1121, 48), (0, 48), (1120, 15), (1120, MAX_PLAINTEXT + 17)] {
        let parts = XWingSealed::from_parts(vec![9; encapsulation], vec![0; ciphertext]);
        assert_eq!(parts.err(), Some(DecodeError::Count));
    }
}
