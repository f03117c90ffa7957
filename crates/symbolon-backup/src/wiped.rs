//! attacks.md row 77: after a backup was made, opened, changed and sealed again, and after every way to fail, the process holds no copy
//! of share, data key, password or phrase but on its stack.

use crate::{
    Backed, Backup, Expected, ExportError, Limits, NewSlot, Opened, Password, PasswordPolicy, Phrase, Receiver, Unlock,
    Work, export, from_keystore, to_keystore, xprv,
};
use alloc::{boxed::Box, string::String, vec::Vec};
use core::time::Duration;
use symbolon_core::{Group, KeyId, PartyId, Secp256k1, SecretBytes, SecretScalar, SharingId, Threshold};
use symbolon_seal::{DeviceKey, XWingKey};
use symbolon_session::{Identity, IdentityKey, MemoryLedger};
use symbolon_sharing::{Change, Consent, KeyShare, Marks, Member, Parts, Scheme, split};
use symbolon_testkit::{Patterns, alone, seeded};
use zeroize::{Zeroize, Zeroizing};

const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };
type Share = KeyShare<Secp256k1>;

pub(crate) fn shares(epoch: u32, seed: u64) -> Vec<Share> {
    let rng = &mut seeded(seed);
    let secret = SecretScalar::<Secp256k1>::random(&mut seeded(1));
    let indices = [1u64, 2].map(<Secp256k1 as Group>::Scalar::from);
    let (parts, _) = split(&secret, Threshold::TWO, &indices, rng).unwrap();
    let id = |i: u16| PartyId::new(i).unwrap();
    let identity = |i: u16| Identity::Key([u8::try_from(i).unwrap(); 32]);
    let members: Vec<_> = [1u16, 2]
        .iter()
        .zip(&parts)
        .map(|(i, part)| Member { id: id(*i), identity: identity(*i), public_share: part.value.public() })
        .collect();
    let share = |i: u16| {
        let parts = Parts {
            scheme: Scheme::Ecdsa,
            key_id: KeyId::from_bytes([1; 16]),
            sharing_id: SharingId::from_bytes([2; 16]),
            epoch,
            members: members.clone(),
            threshold: Threshold::TWO,
            me: id(i),
            x: SecretScalar::new(*parts[usize::from(i) - 1].value.expose()),
            public_key: secret.public(),
            chain_code: [4; 32],
            marks: Marks::default(),
        };
        KeyShare::new(parts).unwrap()
    };
    [1, 2].map(share).into()
}

/// The text of a password, which is nowhere in the program as itself.
fn text(mask: u8) -> String {
    (0..40u8).map(|i| char::from(b'a' + (i.wrapping_mul(7) ^ mask) % 26)).collect()
}

/// Runs alone in a process of its own, so that nothing else is in its memory.
#[test]
#[ignore = "started by row_77_nothing_is_left_in_memory"]
fn child() {
    let rng = &mut seeded(3);
    let mut patterns = Patterns::default();
    let (old, new) = (shares(3, 7), shares(4, 8));
    let mut typed = text(1);
    let password = Box::new(Password::new(&typed, &PasswordPolicy::default()).unwrap());
    let phrase = Box::new(Phrase::generate(rng).unwrap());
    let device = Box::new(DeviceKey::generate(rng).unwrap());
    let mut words = phrase.words();
    let hybrid = Box::new(XWingKey::generate(rng).unwrap());
    let slots = [
        NewSlot::Password(&password, CHEAP),
        NewSlot::Phrase(&phrase),
        NewSlot::Device(device.public()),
        NewSlot::XWing(hybrid.public()),
    ];
    let backup = Backup::create(&old[0], &slots, rng).unwrap();
    let (expected, limits) = (Expected::key(*old[0].public_key()), Limits::default());
    let data_key = Box::new(backup.unlock(&Unlock::Phrase(&phrase), &limits).unwrap());
    patterns.scalar("old share", old[0].secret());
    patterns.scalar("new share", new[0].secret());
    patterns.add("password", typed.as_bytes());
    patterns.add("words", words.as_bytes());
    patterns.add("phrase", phrase.entropy());
    patterns.add("data key", data_key.1.expose());
    patterns.add("device", device.to_bytes().expose());
    patterns.add("hybrid", hybrid.to_bytes().expose());
    assert_eq!(patterns.found(), patterns.names(), "alive, they are found");

    for unlock in
        [Unlock::Password(&password), Unlock::Phrase(&phrase), Unlock::Device(&device), Unlock::XWing(&hybrid)]
    {
        let Opened { secret, .. } = backup.open::<Share>(&unlock, &expected, &limits).unwrap();
        assert!(secret.secret().public() == old[0].secret().public());
        drop(secret);
        backup.validate_share::<Share>(&unlock, &Expected::live(&old[0]), &limits).unwrap();
    }
    let (resealed, _) = backup.reseal(&new[0], &backup.slot_set(), rng).unwrap();
    let unlock = Unlock::Password(&password);
    let live = Expected::live(&new[0]).slots(resealed.slot_set());
    let changed = resealed.remove_slot::<Share>(1, &unlock, &live, &limits, rng).unwrap();
    let halves = changed.clone().detach();
    let joined = Backup::attach(halves.0, halves.1).unwrap();
    assert!(Backup::from_pem(&joined.to_pem()).unwrap() == changed);
    let another = text(3);
    let another =
        Password::new(&another, &PasswordPolicy::default()).map(|made| (made, Zeroizing::new(another))).unwrap();
    let slot = NewSlot::Password(&another.0, CHEAP);
    let more = resealed.add_slot::<Share>(&slot, &unlock, &live, &limits, rng).unwrap();
    let live = live.slots(more.slot_set());
    let password_changed = more.change_password::<Share>(&another.0, (&another.0, CHEAP), &live, &limits, rng).unwrap();
    assert!(password_changed.validate_share::<Share>(&unlock, &Expected::live(&new[0]), &limits).is_ok());
    drop(another);
    // every way to fail
    let mut other = text(2);
    let wrong = Password::entered(&other).unwrap();
    assert!(joined.open::<Share>(&Unlock::Password(&wrong), &expected, &limits).is_err());
    let mut forged = joined.clone();
    forged.payload.nonce[0] ^= 1;
    assert!(forged.open::<Share>(&unlock, &expected, &limits).is_err());
    forged = joined.clone();
    forged.mac[0] ^= 1;
    assert!(forged.open::<Share>(&unlock, &expected, &limits).is_err());
    let mut changed_words = words.as_str().replacen(' ', " zoo ", 1);
    assert!(Phrase::parse(&changed_words).is_err() && Phrase::parse(&words).is_ok());
    changed_words.zeroize();
    typed.zeroize();
    other.zeroize();
    words.zeroize();
    drop((typed, other, words, wrong));
    drop((data_key, password, phrase, device, hybrid, old, new));
    assert_eq!(patterns.found(), Vec::<&str>::new());
}

/// The same for what leaves: one share to one receiver, and a whole key in the forms of other wallets.
#[test]
#[ignore = "started by row_77_nothing_is_left_in_memory"]
fn leaving() {
    let rng = &mut seeded(4);
    let mut patterns = Patterns::default();
    let share = shares(3, 9).swap_remove(0);
    let whole = Box::new(SecretScalar::<Secp256k1>::random(rng));
    let (public, scalar) = (*share.public_key(), share.secret().public());
    patterns.scalar("share", share.secret());
    patterns.scalar("whole", &whole);
    let mut hex: Vec<u8> = hex::encode(whole.to_bytes().expose()).into_bytes();
    patterns.add("whole in hex", &hex);
    let mut typed = text(4);
    patterns.add("password", typed.as_bytes());
    let extended = xprv(&whole, &[4; 32]);
    // the middle of it, where the key is
    patterns.add("extended key", &extended.as_bytes()[60..]);
    assert_eq!(patterns.found(), patterns.names(), "alive, they are found");
    hex.zeroize();
    drop((hex, extended));

    let file = to_keystore(&whole, &typed, &CHEAP, rng).unwrap();
    let back = from_keystore(&file, &typed, &Limits::default()).ok().unwrap();
    assert!(back.public() == whole.public());
    assert!(from_keystore(&file, "another", &Limits::default()).is_err());
    typed.zeroize();
    drop((back, whole, typed));

    let device = IdentityKey::from_seed(SecretBytes::new([7; 32]));
    let receiver = Receiver::new(&share.header(), Duration::from_secs(9), rng).unwrap();
    let request = receiver.request(&device);
    let consent = Consent::new([Change::Exports(share.key_id(), receiver.asks().fingerprint())]);
    let (owners, mut ledger) = ([device.identity()], MemoryLedger::default());
    let give = |share, ledger: &mut _, rng: &mut _| {
        export(share, &request, &owners, Duration::from_secs(8), &consent, ledger, rng)
    };
    let (answer, share) = give(share, &mut ledger, rng).ok().unwrap();
    let (share, replayed) = give(share, &mut ledger, rng).err().unwrap();
    assert!(replayed == ExportError::Replayed);
    let expected = Expected::key(public).share(scalar);
    let received = receiver.open::<Share>(&answer, &expected, Duration::from_secs(8)).unwrap();
    assert!(received.secret().public() == scalar);
    drop((share, received, receiver, ledger));
    assert_eq!(patterns.found(), Vec::<&str>::new());
}

#[test]
fn row_77_nothing_is_left_in_memory() {
    alone("wiped::child");
    alone("wiped::leaving");
}
