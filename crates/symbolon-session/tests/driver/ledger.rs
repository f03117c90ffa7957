//! The ledger and the storage key (safety.md S1, S6, S8).

use crate::net::*;
use core::time::Duration;
use symbolon_core::{ItemId, KeyId, RunTag, SecretBytes, SetupId};
use symbolon_session::*;

const SETUP: SetupId = SetupId::from_bytes([1; 16]);

fn sealed(byte: u8) -> Sealed {
    Sealed::new(vec![byte])
}

#[test]
fn row_85_a_taken_setup_is_gone_until_it_is_put_back() {
    let mut ledger = MemoryLedger::default();
    assert_eq!(ledger.take(&SETUP), Ok(None));
    ledger.put(SETUP, sealed(1)).unwrap();
    assert_eq!(ledger.take(&SETUP), Ok(Some(sealed(1))));
    assert_eq!(ledger.take(&SETUP), Ok(None), "of two processes one wins");
    ledger.put(SETUP, sealed(2)).unwrap();
    assert_eq!(ledger.take(&SETUP), Ok(Some(sealed(2))));
}

#[test]
fn row_84_burn_beats_put() {
    let mut ledger = MemoryLedger::default();
    ledger.put(SETUP, sealed(1)).unwrap();
    ledger.burn(&SETUP).unwrap();
    assert_eq!(ledger.take(&SETUP), Ok(None));
    ledger.put(SETUP, sealed(1)).unwrap();
    assert_eq!(ledger.take(&SETUP), Ok(None), "a session that still held it puts it back in vain");
    let item = |setup| Token::Item { item: ItemId::from_bytes([4; 16]), setup };
    assert_eq!(ledger.claim(&item(SETUP)), Ok(Claimed::Again), "its items are refused too");
    assert_eq!(ledger.claim(&item(SetupId::from_bytes([2; 16]))), Ok(Claimed::Fresh));
}

#[test]
fn row_98_everything_is_claimed_once() {
    let tokens = [
        Token::Copy([1; 16]),
        Token::Copy([2; 16]),
        Token::Item { item: ItemId::from_bytes([1; 16]), setup: SETUP },
        Token::Nonce([1; 32]),
        Token::Export([1; 32]),
        Token::RunEnd { me: S, peer: RunTag::from_bytes([1; 16]) },
        Token::RunEnd { me: C, peer: RunTag::from_bytes([1; 16]) },
    ];
    let mut ledger = MemoryLedger::default();
    for token in &tokens {
        assert_eq!(ledger.claim(token), Ok(Claimed::Fresh));
        assert_eq!(ledger.claim(token), Ok(Claimed::Again));
    }
    let mut keys: Vec<_> = tokens.iter().map(Token::key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), tokens.len());
}

#[test]
fn floors_only_rise() {
    let mut ledger = MemoryLedger::default();
    let (a, b) = (Identity::name("a"), Identity::name("b"));
    let pair = FloorId::pair(&a, &b);
    assert_eq!(pair, FloorId::pair(&b, &a));
    assert_ne!(pair, FloorId::pair(&a, &a));
    assert_eq!(ledger.floor(&pair), Ok(0));
    ledger.raise_floor(&pair, 5).unwrap();
    ledger.raise_floor(&pair, 3).unwrap();
    assert_eq!(ledger.floor(&pair), Ok(5));
    assert_eq!(ledger.floor(&FloorId::key(&KeyId::from_bytes([0; 16]))), Ok(0));
}

#[test]
fn row_111_failures_slow_down_and_the_owner_lifts_them() {
    let mut ledger = MemoryLedger::default();
    let key = KeyId::from_bytes([1; 16]);
    let mut delays = vec![ledger.failures(&key).unwrap().delay()];
    for _ in 0..40 {
        delays.push(ledger.count_failure(&key).unwrap().delay());
    }
    assert!(delays[..4].iter().all(Duration::is_zero));
    assert_eq!(delays[4..7], [1, 2, 4].map(Duration::from_secs));
    assert!(delays.is_sorted());
    assert_eq!(delays[40], Duration::from_secs(3600), "never for good");
    assert_eq!(Failures::new(u32::MAX).delay(), Duration::from_secs(3600));
    assert_eq!(ledger.failures(&KeyId::from_bytes([2; 16])).unwrap().count(), 0);
    ledger.lift(&key).unwrap();
    assert_eq!(ledger.failures(&key).unwrap().count(), 0);
}

/// A cloned machine draws the same bytes: two different objects have two keys, and their pads nothing in common.
#[test]
fn a_cloned_generator_never_repeats_key_and_nonce() {
    let key = storage();
    let seal = |key: &StorageKey, kind: &[u8; 8], plain: &[u8]| key.seal(kind, plain, &mut rng(1)).unwrap();
    let (one, two) = (seal(&key, b"setup\0\0\0", &[1; 64]), seal(&key, b"setup\0\0\0", &[2; 64]));
    let (copy, nonce, text) = (13..29, 29..41, 41..105);
    assert_eq!(one[nonce.clone()], two[nonce.clone()], "the generator is a clone");
    assert_ne!(one[copy.clone()], two[copy.clone()], "the copy id tells the key");
    let pads = one[text.clone()].iter().zip(&two[text]).map(|(a, b)| a ^ b);
    assert!(pads.into_iter().any(|byte| byte != 1 ^ 2), "one pad for two objects");
    // another kind or storage key is another copy; the same object is the same copy
    let other = StorageKey::new(SecretBytes::new([0; 32]));
    assert_ne!(one[copy.clone()], seal(&key, b"pending\0", &[1; 64])[copy.clone()]);
    assert_ne!(one[copy.clone()], seal(&other, b"setup\0\0\0", &[1; 64])[copy.clone()]);
    assert_eq!(one, seal(&key, b"setup\0\0\0", &[1; 64]));
    // other bytes of the generator are another copy of the same object
    assert_ne!(one[copy.clone()], key.seal(b"setup\0\0\0", &[1; 64], &mut rng(2)).unwrap()[copy]);
}

#[test]
fn sealed_objects_open_with_their_key_and_kind_only() {
    let key = storage();
    for len in [0, 1, 1000] {
        let plain = vec![7; len];
        let sealed = key.seal(b"setup\0\0\0", &plain, &mut rng(1)).unwrap();
        assert_eq!(*key.open(b"setup\0\0\0", &sealed).unwrap(), plain);
        assert_eq!(sealed.len(), 41 + len + 16);
        assert_eq!(key.open(b"pending\0", &sealed).err(), Some(OpenError::Kind));
        assert_ne!(sealed, key.seal(b"setup\0\0\0", &plain, &mut rng(2)).unwrap());
        let other = StorageKey::new(SecretBytes::new([0; 32]));
        assert_eq!(other.open(b"setup\0\0\0", &sealed).err(), Some(OpenError::Key));
        for at in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 0x80;
            assert!(key.open(b"setup\0\0\0", &flipped).is_err());
            assert!(key.open(b"setup\0\0\0", &sealed[..at]).is_err());
        }
    }
}
