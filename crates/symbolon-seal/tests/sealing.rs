//! Both ways of sealing: what opens, and everything that must not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use symbolon_core::{Ed25519, Group, Secp256k1, SecretBytes, SecretScalar, SeedRng, wire::DecodeError};
use symbolon_seal::{
    DeviceKey, DevicePublicKey, MAX_PLAINTEXT, OpenError, SealError, Sealed, open_with_device, open_with_point,
    seal_to_device, seal_to_point,
};
use symbolon_testkit::{FailingRng, seeded};

const INFO: &[u8] = b"the share of holder 3, epoch 2";
const AAD: &[u8] = b"sharing id";

type Opened = Result<Vec<u8>, OpenError>;

/// One recipient of either kind, so that every test runs for all three.
trait Recipient {
    fn fresh(seed: u64) -> Self;
    fn seal(&self, info: &[u8], aad: &[u8], plaintext: &[u8], seed: u64) -> Result<Sealed, SealError>;
    fn open(&self, info: &[u8], aad: &[u8], sealed: &Sealed) -> Opened;
    fn length(plaintext: usize) -> usize;
}

impl Recipient for DeviceKey {
    fn fresh(seed: u64) -> Self {
        Self::generate(&mut seeded(seed)).unwrap()
    }
    fn seal(&self, info: &[u8], aad: &[u8], plaintext: &[u8], seed: u64) -> Result<Sealed, SealError> {
        seal_to_device(self.public(), info, aad, plaintext, &mut seeded(seed))
    }
    fn open(&self, info: &[u8], aad: &[u8], sealed: &Sealed) -> Opened {
        open_with_device(self, info, aad, sealed).map(|p| p.to_vec())
    }
    fn length(plaintext: usize) -> usize {
        Sealed::device_length(plaintext)
    }
}

impl<G: Group> Recipient for SecretScalar<G> {
    fn fresh(seed: u64) -> Self {
        Self::random(&mut seeded(seed))
    }
    fn seal(&self, info: &[u8], aad: &[u8], plaintext: &[u8], seed: u64) -> Result<Sealed, SealError> {
        seal_to_point::<G>(&self.public(), info, aad, plaintext, &mut seeded(seed))
    }
    fn open(&self, info: &[u8], aad: &[u8], sealed: &Sealed) -> Opened {
        open_with_point::<G>(self, info, aad, sealed).map(|p| p.to_vec())
    }
    fn length(plaintext: usize) -> usize {
        Sealed::point_length::<G>(plaintext)
    }
}

macro_rules! for_all {
    ($($name:ident => $test:ident;)*) => {$(
        mod $name {
            use super::*;
            #[test]
            fn device() {
                $test::<DeviceKey>();
            }
            #[test]
            fn secp256k1() {
                $test::<SecretScalar<Secp256k1>>();
            }
            #[test]
            fn ed25519() {
                $test::<SecretScalar<Ed25519>>();
            }
        }
    )*};
}

for_all! {
    round_trip => opens_what_was_sealed;
    wrong_key_or_context => another_key_or_context_is_refused;
    changed_bytes => every_changed_bit_is_refused;
    cut_or_extended => every_other_length_is_refused;
    repeated_generator => a_repeated_generator_repeats_no_key;
    lengths => bounds_hold_on_both_sides;
}

fn opens_what_was_sealed<R: Recipient>() {
    let key = R::fresh(1);
    for (i, len) in (0u64..).zip([0, 1, 31, 32, 64, 1000, MAX_PLAINTEXT]) {
        let secret = vec![0xa5; len];
        let sealed = key.seal(INFO, AAD, &secret, i).unwrap();
        assert_eq!(sealed.open_length(), len);
        let bytes = sealed.to_bytes();
        assert_eq!(bytes.len(), R::length(len));
        let read = Sealed::from_bytes(&bytes, len).unwrap();
        assert_eq!(read, sealed);
        assert_eq!(key.open(INFO, AAD, &read).unwrap(), secret);
    }
}

fn another_key_or_context_is_refused<R: Recipient>() {
    let (key, other) = (R::fresh(1), R::fresh(2));
    let sealed = key.seal(INFO, AAD, b"secret", 3).unwrap();
    assert_eq!(other.open(INFO, AAD, &sealed), Err(OpenError::Refused));
    for (info, aad) in
        [(b"".as_slice(), AAD), (INFO, b"".as_slice()), (AAD, INFO), (&INFO[1..], AAD), (INFO, &AAD[1..])]
    {
        assert_eq!(key.open(info, aad, &sealed), Err(OpenError::Refused));
    }
    // a byte moved from the one to the other
    let (info, aad) = ([INFO, &AAD[..1]].concat(), &AAD[1..]);
    assert_eq!(key.open(&info, aad, &sealed), Err(OpenError::Refused));
    assert_eq!(key.open(INFO, AAD, &sealed).unwrap(), b"secret");
}

fn every_changed_bit_is_refused<R: Recipient>() {
    let key = R::fresh(1);
    let good = key.seal(INFO, AAD, b"secret", 3).unwrap().to_bytes();
    let mut decoded = 0;
    for i in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[i / 8] ^= 1 << (i % 8);
        if let Ok(sealed) = Sealed::from_bytes(&bytes, 64) {
            decoded += 1;
            assert_eq!(sealed.to_bytes(), bytes, "bit {i}");
            assert!(key.open(INFO, AAD, &sealed).is_err(), "bit {i}");
        }
    }
    assert!(decoded > (6 + 16) * 8, "the ciphertext, at least, decodes: {decoded}");
}

fn every_other_length_is_refused<R: Recipient>() {
    let key = R::fresh(1);
    let mut bytes = key.seal(INFO, AAD, b"secret", 3).unwrap().to_bytes();
    for len in 0..bytes.len() {
        assert_eq!(Sealed::from_bytes(&bytes[..len], 64), Err(DecodeError::Truncated), "{len}");
    }
    bytes.push(0);
    assert_eq!(Sealed::from_bytes(&bytes, 64), Err(DecodeError::Trailing));
    bytes.pop();
    // cut, with a length that says so: decodes down to a bare tag, opens never
    let at = bytes.len() - 6 - 16 - 1;
    for len in (0..6 + 16u8).rev() {
        bytes.pop();
        bytes[at] = len;
        let read = Sealed::from_bytes(&bytes, 64);
        if len < 16 {
            assert_eq!(read, Err(DecodeError::Count), "{len}: less than a tag");
        } else {
            assert_eq!(key.open(INFO, AAD, &read.unwrap()), Err(OpenError::Refused), "{len}");
        }
    }
}

// safety.md S9: a machine restored from a snapshot draws the same bytes again
fn a_repeated_generator_repeats_no_key<R: Recipient>() {
    let (key, other) = (R::fresh(1), R::fresh(2));
    let first = key.seal(INFO, AAD, b"secret one", 3).unwrap();
    assert_eq!(key.seal(INFO, AAD, b"secret one", 3).unwrap(), first);
    assert_ne!(key.seal(INFO, AAD, b"secret one", 4).unwrap().encapsulation(), first.encapsulation());
    for again in [
        key.seal(INFO, AAD, b"secret two", 3),
        key.seal(INFO, b"other", b"secret one", 3),
        key.seal(b"other", AAD, b"secret one", 3),
        other.seal(INFO, AAD, b"secret one", 3),
    ] {
        assert_ne!(again.unwrap().encapsulation(), first.encapsulation());
    }
}

fn bounds_hold_on_both_sides<R: Recipient>() {
    let key = R::fresh(1);
    assert_eq!(key.seal(INFO, AAD, &vec![0; MAX_PLAINTEXT + 1], 3), Err(SealError::TooLong));
    let bytes = key.seal(INFO, AAD, &[7; 33], 3).unwrap().to_bytes();
    assert_eq!(Sealed::from_bytes(&bytes, 32), Err(DecodeError::Count));
    assert!(Sealed::from_bytes(&bytes, usize::MAX).is_ok());
    // a declared length is compared before anything is allocated
    let mut huge = bytes.clone();
    let at = bytes.len() - 33 - 16 - 4;
    huge[at..at + 4].fill(0xff);
    assert_eq!(Sealed::from_bytes(&huge, usize::MAX), Err(DecodeError::Count));
}

// sealed by another program from the description alone: testdata/point.py
#[test]
fn what_another_program_sealed_to_a_point_opens() {
    fn check<G: Group>([key, info, aad, secret, sealed]: [&[u8]; 5]) {
        let key = SecretScalar::<G>::new(G::scalar_from_bytes(key.try_into().unwrap()).unwrap());
        let sealed = Sealed::from_bytes(sealed, secret.len()).unwrap();
        assert_eq!(key.open(info, aad, &sealed).unwrap(), secret);
        assert_eq!(key.open(info, b"another", &sealed), Err(OpenError::Refused));
    }
    let lines = include_str!("../testdata/point.txt").lines();
    assert_eq!(lines.clone().count(), 6);
    for line in lines {
        let (curve, fields) = line.split_once(' ').unwrap();
        let fields: Vec<_> = fields.split(' ').map(|f| hex::decode(f.trim_matches('-')).unwrap()).collect();
        let fields = core::array::from_fn(|i| fields[i].as_slice());
        match curve {
            Secp256k1::NAME => check::<Secp256k1>(fields),
            Ed25519::NAME => check::<Ed25519>(fields),
            _ => panic!("{curve}"),
        }
    }
}

#[test]
fn another_kind_of_recipient_is_refused() {
    let (device, secp) = (DeviceKey::fresh(1), SecretScalar::<Secp256k1>::fresh(1));
    let ed = SecretScalar::<Ed25519>::fresh(1);
    let sealed = [device.seal(INFO, AAD, b"x", 2), secp.seal(INFO, AAD, b"x", 2), ed.seal(INFO, AAD, b"x", 2)];
    for (i, sealed) in sealed.into_iter().map(Result::unwrap).enumerate() {
        let opened = [device.open(INFO, AAD, &sealed), secp.open(INFO, AAD, &sealed), ed.open(INFO, AAD, &sealed)];
        for (j, opened) in opened.into_iter().enumerate() {
            assert_eq!(opened, if i == j { Ok(b"x".to_vec()) } else { Err(OpenError::Kind) });
        }
        let mut bytes = sealed.to_bytes();
        for kind in 3..=u8::MAX {
            bytes[0] = kind;
            assert_eq!(Sealed::from_bytes(&bytes, 64), Err(DecodeError::Value));
        }
    }
    // the same 32 bytes under the other kind's name: half of them decode, none opens
    let renamed: Vec<_> = (0..16)
        .filter_map(|seed| {
            let mut bytes = ed.seal(INFO, AAD, b"x", seed).unwrap().to_bytes();
            bytes[0] = 0;
            Sealed::from_bytes(&bytes, 64).ok()
        })
        .collect();
    assert!(!renamed.is_empty());
    assert!(renamed.iter().all(|sealed| device.open(INFO, AAD, sealed) == Err(OpenError::Refused)));
}

fn array(hex: &str) -> [u8; 32] {
    hex::decode(hex).unwrap().try_into().unwrap()
}

/// Every coordinate of low order on Curve25519 and its twist, with the encodings that are not reduced.
fn low_order() -> Vec<[u8; 32]> {
    let (mut one, mut p_minus_1) = ([0; 32], [0xff; 32]);
    one[0] = 1;
    (p_minus_1[0], p_minus_1[31]) = (0xec, 0x7f);
    let (mut p, mut p_plus_1) = (p_minus_1, p_minus_1);
    p[0] = 0xed;
    p_plus_1[0] = 0xee;
    let mut all = vec![
        [0; 32],
        one,
        array("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        array("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        p_minus_1,
        p,
        p_plus_1,
    ];
    let masked: Vec<_> = all.iter().map(|u| core::array::from_fn(|i| u[i] | if i == 31 { 0x80 } else { 0 })).collect();
    all.extend(masked);
    all
}

// attacks.md row 42: a low-order key makes the shared secret known to everybody
#[test]
fn row_42_low_order_keys_and_encapsulations_are_refused() {
    let device = DeviceKey::fresh(1);
    let good = device.seal(INFO, AAD, b"secret", 2).unwrap();
    for u in low_order() {
        assert_eq!(DevicePublicKey::from_bytes(u), Err(DecodeError::Point), "{}", hex::encode(u));
        assert_eq!(Sealed::to_device_from_parts(u, good.ciphertext().to_vec()), Err(DecodeError::Point));
        let mut bytes = good.to_bytes();
        bytes[1..33].copy_from_slice(&u);
        assert_eq!(Sealed::from_bytes(&bytes, 64), Err(DecodeError::Point));
    }
    // all that is low order was refused, and nothing else: 2 is on the twist, 9 is the base point
    for u in [2, 3, 4, 5, 9] {
        let mut small = [0; 32];
        small[0] = u;
        assert!(DevicePublicKey::from_bytes(small).is_ok(), "{u}");
    }
}

#[test]
fn a_device_key_has_one_encoding() {
    let key = *DeviceKey::fresh(1).public();
    assert_eq!(DevicePublicKey::from_bytes(*key.as_bytes()), Ok(key));
    let mut masked = *key.as_bytes();
    masked[31] |= 0x80;
    assert_eq!(DevicePublicKey::from_bytes(masked), Err(DecodeError::Point));
    // p + 2 .. p + 18 are other names of 2 .. 18
    for low in 0xed..=0xff {
        let mut bytes = [0xff; 32];
        (bytes[0], bytes[31]) = (low, 0x7f);
        assert_eq!(DevicePublicKey::from_bytes(bytes), Err(DecodeError::Point));
    }
    let mut below = [0xff; 32];
    (below[0], below[31]) = (0xeb, 0x7f); // p - 2
    assert!(DevicePublicKey::from_bytes(below).is_ok());
}

fn identity_is_refused<G: Group>() {
    let mut rng = seeded(1);
    assert_eq!(seal_to_point::<G>(&G::identity(), INFO, AAD, b"x", &mut rng), Err(SealError::Recipient));
    let sealed = SecretScalar::<G>::fresh(1).seal(INFO, AAD, b"x", 2).unwrap();
    let mut bytes = sealed.to_bytes();
    bytes[1..1 + G::POINT_LEN].copy_from_slice(G::point_to_bytes(&G::identity()).as_ref());
    assert_eq!(Sealed::from_bytes(&bytes, 64), Err(DecodeError::Identity));
}

#[test]
fn identities_are_refused() {
    identity_is_refused::<Secp256k1>();
    identity_is_refused::<Ed25519>();
}

// attacks.md row 39: a component of small order would tell the recipient's key modulo 8, or make Z known
#[test]
fn points_outside_the_prime_order_group_are_refused() {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    let key = SecretScalar::<Ed25519>::fresh(1);
    let good = key.seal(INFO, AAD, b"x", 2).unwrap();
    let ephemeral = Ed25519::point_from_bytes(good.encapsulation()).unwrap();
    let good = good.to_bytes();
    let with = |point: &curve25519_dalek::EdwardsPoint| {
        let mut bytes = good.clone();
        bytes[1..33].copy_from_slice(point.compress().as_bytes());
        Sealed::from_bytes(&bytes, 64)
    };
    // the control: the first of the eight is the identity
    assert!(with(&(ephemeral + EIGHT_TORSION[0])).is_ok_and(|sealed| key.open(INFO, AAD, &sealed).is_ok()));
    for torsion in &EIGHT_TORSION[1..] {
        for point in [*torsion, ED25519_BASEPOINT_POINT + torsion, key.public() + torsion, ephemeral + torsion] {
            assert_eq!(seal_to_point::<Ed25519>(&point, INFO, AAD, b"x", &mut seeded(1)), Err(SealError::Recipient));
            assert_eq!(with(&point), Err(DecodeError::Point));
        }
    }
}

#[test]
fn a_failing_generator_is_an_error() {
    let key = DeviceKey::fresh(1);
    let point = SecretScalar::<Secp256k1>::fresh(1).public();
    let rng = || FailingRng::after(0);
    assert!(DeviceKey::generate(&mut rng()).is_err());
    assert_eq!(seal_to_device(key.public(), INFO, AAD, b"x", &mut rng()), Err(SealError::Rng));
    assert_eq!(seal_to_point::<Secp256k1>(&point, INFO, AAD, b"x", &mut rng()), Err(SealError::Rng));
}

#[test]
fn parts_put_together_are_what_was_sealed() {
    let key = DeviceKey::fresh(1);
    let sealed = key.seal(INFO, AAD, b"secret", 2).unwrap();
    let parts = (sealed.encapsulation().try_into().unwrap(), sealed.ciphertext().to_vec());
    assert_eq!(Sealed::to_device_from_parts(parts.0, parts.1), Ok(sealed.clone()));
    for len in [0, 15, MAX_PLAINTEXT + 17] {
        let cut = Sealed::to_device_from_parts(sealed.encapsulation().try_into().unwrap(), vec![0; len]);
        assert_eq!(cut, Err(DecodeError::Count), "{len}");
    }
    assert!(sealed.is_to_device() && !sealed.is_to_point::<Secp256k1>() && !sealed.is_to_point::<Ed25519>());
}

// nothing of a key or of a secret is in what an error prints, and errors are a byte
#[test]
fn errors_are_small_and_say_nothing_secret() {
    assert_eq!((size_of::<OpenError>(), size_of::<SealError>()), (1, 1));
    let key = DeviceKey::from_bytes(&SecretBytes::new([0x42; 32]));
    let sealed = key.seal(INFO, AAD, b"secret", 2).unwrap();
    let error = key.open(b"", AAD, &sealed).unwrap_err();
    assert_eq!(format!("{error:?} {error}"), "Refused wrong key or context, or the bytes were changed");
}

proptest! {
    // decoding is total, and what decodes re-encodes to the same bytes
    #[test]
    fn any_bytes_decode_or_do_not(kind in 0u8..4, body in prop::collection::vec(any::<u8>(), 0..120)) {
        let bytes = [&[kind][..], &body].concat();
        if let Ok(sealed) = Sealed::from_bytes(&bytes, 64) {
            prop_assert_eq!(sealed.to_bytes(), bytes);
        }
    }

    // also behind a header that is right, so that something does decode
    #[test]
    fn any_ciphertext_is_refused(seed in any::<[u8; 32]>(), body in prop::collection::vec(any::<u8>(), 16..80)) {
        let key = DeviceKey::generate(&mut SeedRng::new(&seed)).unwrap();
        let sealed = Sealed::to_device_from_parts(*key.public().as_bytes(), body).unwrap();
        prop_assert_eq!(Sealed::from_bytes(&sealed.to_bytes(), 64).unwrap(), sealed.clone());
        prop_assert!(key.open(INFO, AAD, &sealed).is_err());
    }
}
