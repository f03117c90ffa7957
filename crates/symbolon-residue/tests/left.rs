//! What was left once, by itself.

use rand_core::Rng;
use std::sync::Mutex;
use symbolon::backup::Phrase;
use symbolon_core::{Secp256k1, SecretBytes, SecretScalar, SeedRng, wire::Writer};
use symbolon_residue::{Needles, Scanning};
use symbolon_seal::DeviceKey;
use zeroize::Zeroizing;

#[global_allocator]
static HEAP: Scanning = Scanning;

/// The needles are those of the process.
static ONE: Mutex<()> = Mutex::new(());

/// How many windows of a secret a piece of work leaves in freed memory. A plain copy of it must be seen.
fn left(secret: &[u8], work: impl FnOnce()) -> usize {
    let _one = ONE.lock().expect("nobody panics with it");
    Needles::forget();
    Needles::watch("a secret", secret);
    drop(core::hint::black_box(secret.to_vec()));
    assert!(!Needles::take_freed().is_empty());
    work();
    Needles::take_freed().len()
}

/// Moves a value out of a box, which frees what it was in.
fn moved<T>(value: T) {
    let boxed = core::hint::black_box(Box::new(value));
    drop(core::hint::black_box(*boxed));
}

fn secret() -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; 32]);
    SeedRng::new(&[9; 32]).fill_bytes(&mut bytes);
    bytes
}

// openings and dealt shares are written before they are sent, or never are
#[test]
fn a_writer_that_grows_or_is_not_finished_leaves_nothing() {
    let secret = secret();
    let grown = left(&secret, || {
        let mut w = Writer::new();
        w.bytes(&secret).bytes(&[0; 1000]);
        drop(Zeroizing::new(w.finish()));
    });
    assert_eq!(grown, 0);
    let dropped = left(&secret, || {
        let mut w = Writer::new();
        w.bytes(&secret);
    });
    assert_eq!(dropped, 0);
}

#[test]
fn a_generator_that_is_moved_leaves_no_key() {
    let secret = secret();
    let key: &[u8; 32] = secret.first_chunk().expect("32 bytes");
    assert_eq!(left(key, || moved(SeedRng::new(key))), 0);
}

#[test]
fn keys_that_are_moved_leave_nothing() {
    let device = DeviceKey::generate(&mut SeedRng::new(&[1; 32])).unwrap_or_else(|never| match never {});
    let bytes = device.to_bytes();
    assert_eq!(left(bytes.expose(), || moved(device)), 0);
    // its entropy is the next that the generator gives
    let phrase = Phrase::generate(&mut SeedRng::new(&[9; 32])).unwrap_or_else(|never| match never {});
    assert_eq!(left(&secret(), || moved(phrase)), 0);
}

#[test]
fn secrets_that_are_moved_leave_nothing() {
    let scalar = SecretScalar::<Secp256k1>::random(&mut SeedRng::new(&[2; 32]));
    let bytes = scalar.to_bytes();
    // the limbs lie in the other order, which is looked for too
    assert_eq!(left(bytes.expose(), || moved(scalar)), 0);
    let bytes = SecretBytes::<32>::random(&mut SeedRng::new(&[9; 32]));
    assert_eq!(left(&secret(), || moved(bytes)), 0);
}
