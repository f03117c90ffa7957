//! Sealed values and the keys that they are sealed to: one encoding, no key that everybody opens, and nothing opens that was changed.

use crate::{bytes::Bytes, memory::bounded};
use curve25519_dalek::montgomery::MontgomeryPoint;
use std::sync::LazyLock;
use symbolon_core::{Ed25519, Group, Secp256k1, SecretBytes, SecretScalar, wire::DecodeError};
use symbolon_seal::{
    DeviceKey, DevicePublicKey, MAX_PLAINTEXT, OpenError, Sealed, XWingKey, XWingPublicKey, XWingSealed,
    open_with_device, open_with_point, open_with_xwing, seal_to_device, seal_to_point, seal_to_xwing,
};
use symbolon_testkit::seeded;

const INFO: &[u8] = b"what it is for";
const AAD: &[u8] = b"beside it";
const SECRET: &[u8] = b"a secret of some length";

struct World {
    device: DeviceKey,
    point: SecretScalar<Secp256k1>,
    other: SecretScalar<Ed25519>,
    hybrid: XWingKey,
    sealed: [Vec<u8>; 3],
    to_hybrid: XWingSealed,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut rng = seeded(1);
    let device = DeviceKey::derive(&SecretBytes::new([1; 32]));
    let hybrid = XWingKey::from_bytes(&SecretBytes::new([2; 32]));
    let (point, other) = (SecretScalar::<Secp256k1>::random(&mut rng), SecretScalar::<Ed25519>::random(&mut rng));
    let sealed = [
        seal_to_device(device.public(), INFO, AAD, SECRET, &mut rng),
        seal_to_point::<Secp256k1>(&point.public(), INFO, AAD, SECRET, &mut rng),
        seal_to_point::<Ed25519>(&other.public(), INFO, AAD, SECRET, &mut rng),
    ];
    let sealed = sealed.map(|sealed| sealed.expect("sealed").to_bytes());
    let to_hybrid = seal_to_xwing(hybrid.public(), INFO, AAD, SECRET, &mut rng).expect("sealed");
    World { device, point, other, hybrid, sealed, to_hybrid }
});

/// The target. Gives whether something was read.
pub fn run(data: &[u8]) -> bool {
    let whole = sealed(data, MAX_PLAINTEXT);
    let mut input = Bytes(data);
    let built = match input.byte() {
        1 => limited(&mut input),
        2 => changed(&mut input),
        3 => device_key(input.array()),
        4 => parts(&mut input),
        5 => hybrid_key(&mut input),
        6 => to_hybrid(&mut input),
        7 => own(&mut input),
        _ => false,
    };
    whole || built
}

fn sealed(bytes: &[u8], most: usize) -> bool {
    let read = bounded(1, bytes, || Sealed::from_bytes(bytes, most));
    let Ok(sealed) = read else { return false };
    assert_eq!(sealed.to_bytes(), bytes);
    assert!(sealed.open_length() <= most && sealed.ciphertext().len() == sealed.open_length() + 16);
    let length = match bytes[0] {
        0 => Sealed::device_length(sealed.open_length()),
        1 => Sealed::point_length::<Secp256k1>(sealed.open_length()),
        _ => Sealed::point_length::<Ed25519>(sealed.open_length()),
    };
    assert_eq!(length, bytes.len());
    let kinds = [sealed.is_to_device(), sealed.is_to_point::<Secp256k1>(), sealed.is_to_point::<Ed25519>()];
    assert_eq!(kinds, [0, 1, 2].map(|kind| bytes[0] == kind));
    opened(&sealed, &WORLD.sealed.iter().any(|genuine| genuine == bytes));
    true
}

/// Each key opens what is of its kind, and only what was sealed to it.
fn opened(sealed: &Sealed, genuine: &bool) {
    let World { device, point, other, .. } = &*WORLD;
    let results = [
        open_with_device(device, INFO, AAD, sealed),
        open_with_point(point, INFO, AAD, sealed),
        open_with_point(other, INFO, AAD, sealed),
    ];
    let kinds = [sealed.is_to_device(), sealed.is_to_point::<Secp256k1>(), sealed.is_to_point::<Ed25519>()];
    for (result, is_of) in results.into_iter().zip(kinds) {
        match result {
            Ok(secret) => assert!(*genuine && is_of && *secret == SECRET),
            Err(OpenError::Kind) => assert!(!is_of),
            Err(error) => assert!(error == OpenError::Refused && is_of && !genuine),
        }
    }
}

fn limited(input: &mut Bytes<'_>) -> bool {
    let most = usize::from(input.u16());
    sealed(input.rest(), most)
}

fn changed(input: &mut Bytes<'_>) -> bool {
    let genuine = &WORLD.sealed[usize::from(input.byte() % 3)];
    let mut bytes = genuine.clone();
    let unchanged = !input.overwrite(&mut bytes);
    let read = sealed(&bytes, SECRET.len());
    assert!(read || !unchanged);
    if let Ok(sealed) = Sealed::from_bytes(&bytes, SECRET.len()) {
        // another context opens nothing
        assert!(open_with_device(&WORLD.device, AAD, INFO, &sealed).is_err());
        assert!(open_with_point(&WORLD.point, INFO, b"", &sealed).is_err());
    }
    read
}

/// What is below the prime, and by which something else than zero comes of a multiplication.
fn is_key(bytes: [u8; 32]) -> bool {
    let mut prime = [0xff; 32];
    (prime[0], prime[31]) = (0xed, 0x7f);
    let reduced = bytes.iter().rev().lt(prime.iter().rev());
    let shared = MontgomeryPoint(bytes).mul_clamped([5; 32]);
    reduced && shared.0 != [0; 32]
}

fn device_key(bytes: [u8; 32]) -> bool {
    let read = DevicePublicKey::from_bytes(bytes);
    assert_eq!(read.is_ok(), is_key(bytes), "{bytes:02x?}");
    let Ok(key) = read else {
        assert_eq!(read, Err(DecodeError::Point));
        return false;
    };
    assert_eq!(*key.as_bytes(), bytes);
    // so it can be sealed to
    let sealed = seal_to_device(&key, INFO, AAD, SECRET, &mut seeded(2)).expect("a key");
    assert!(self::sealed(&sealed.to_bytes(), SECRET.len()));
    let secret = DeviceKey::from_bytes(&SecretBytes::new(bytes));
    assert!(is_key(*secret.public().as_bytes()));
    assert_eq!(DeviceKey::from_bytes(&secret.to_bytes()).public(), secret.public());
    true
}

fn parts(input: &mut Bytes<'_>) -> bool {
    let (encapsulation, ciphertext) = (input.array(), input.rest());
    let read = Sealed::to_device_from_parts(encapsulation, ciphertext.to_vec());
    let fits = (16..=MAX_PLAINTEXT + 16).contains(&ciphertext.len());
    assert_eq!(read.is_ok(), is_key(encapsulation) && fits);
    read.is_ok_and(|sealed| self::sealed(&sealed.to_bytes(), MAX_PLAINTEXT))
}

/// A hybrid key: twelve bits for each coefficient, below 3329; then 32 bytes for a hash; then a key as above.
fn hybrid_key(input: &mut Bytes<'_>) -> bool {
    let mut bytes = WORLD.hybrid.public().as_bytes().to_vec();
    input.overwrite(&mut bytes);
    let read = bounded(8, &[&bytes[..], &[0; 4096]].concat(), || XWingPublicKey::from_bytes(&bytes));
    let judged = bytes.len() == 1216 && is_key(bytes[1184..].try_into().expect("32")) && {
        let numbers = bytes[..1152].chunks_exact(3).flat_map(|three| {
            let [a, b, c] = [0, 1, 2].map(|i| u16::from(three[i]));
            [a | (b & 15) << 8, b >> 4 | c << 4]
        });
        numbers.into_iter().all(|number| number < 3329)
    };
    assert_eq!(read.is_ok(), judged);
    let Ok(key) = read else { return false };
    assert_eq!(key.as_bytes(), bytes);
    let sealed = seal_to_xwing(&key, INFO, AAD, SECRET, &mut seeded(3)).expect("a key");
    let opened = open_with_xwing(&WORLD.hybrid, INFO, AAD, &sealed);
    assert_eq!(opened.is_ok(), key == *WORLD.hybrid.public());
    true
}

fn to_hybrid(input: &mut Bytes<'_>) -> bool {
    let genuine = &WORLD.to_hybrid;
    let (mut one, mut two) = (genuine.encapsulation().to_vec(), genuine.ciphertext().to_vec());
    let changed = if input.byte().is_multiple_of(2) { input.overwrite(&mut one) } else { input.overwrite(&mut two) };
    let (length, read) = ((one.len(), two.len()), XWingSealed::from_parts(one.clone(), two.clone()));
    let fits = length.0 == 1120 && (16..=MAX_PLAINTEXT + 16).contains(&length.1);
    assert_eq!(read.is_ok(), fits && is_key(one[1088..].try_into().expect("32")));
    let Ok(sealed) = read else { return false };
    assert_eq!((sealed.encapsulation(), sealed.ciphertext()), (&one[..], &two[..]));
    match open_with_xwing(&WORLD.hybrid, INFO, AAD, &sealed) {
        Ok(secret) => assert!(!changed && *secret == SECRET),
        Err(error) => assert!(changed && error == OpenError::Refused),
    }
    true
}

/// Whatever is sealed opens, with the same context.
fn own(input: &mut Bytes<'_>) -> bool {
    let (to, info, aad) = (input.byte(), input.array::<3>(), input.array::<3>());
    let secret = input.rest();
    fn to_point<G: Group>(key: &SecretScalar<G>, info: &[u8], aad: &[u8], secret: &[u8]) -> bool {
        let sealed = seal_to_point::<G>(&key.public(), info, aad, secret, &mut seeded(4)).expect("sealed");
        let read = Sealed::from_bytes(&sealed.to_bytes(), secret.len()).expect("sealed here");
        assert!(Sealed::from_bytes(&sealed.to_bytes(), secret.len().wrapping_sub(1)).is_err() || secret.is_empty());
        *open_with_point(key, info, aad, &read).expect("the key") == secret
    }
    assert!(match to % 4 {
        0 => to_point(&WORLD.point, &info, &aad, secret),
        1 => to_point(&WORLD.other, &info, &aad, secret),
        2 => {
            let sealed = seal_to_xwing(WORLD.hybrid.public(), &info, &aad, secret, &mut seeded(4)).expect("sealed");
            *open_with_xwing(&WORLD.hybrid, &info, &aad, &sealed).expect("the key") == secret
        }
        _ => {
            let sealed = seal_to_device(WORLD.device.public(), &info, &aad, secret, &mut seeded(4)).expect("sealed");
            *open_with_device(&WORLD.device, &info, &aad, &sealed).expect("the key") == secret
        }
    });
    true
}
