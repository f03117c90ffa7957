//! Every byte changed, every length cut, with and without a right hash: what docs/backup.md says comes of it.

use crate::world::{clear_part, deal, factor, payload, rehashed, rng};
use std::collections::BTreeSet;
use symbolon_backup::{
    Backed, Backup, EncryptedShare, Expected, Limits, NewSlot, OpenError, Password, PasswordPolicy, Phrase, ReadError,
    SecretStore, Unlock, Work,
};
use symbolon_core::{Ed25519, Group, Secp256k1};
use symbolon_seal::DeviceKey;
use symbolon_sharing::KeyShare;

const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };
/// The slots of every backup here, by number.
const DEVICE: usize = 0;
const PASSWORD: usize = 1;
const PHRASE: usize = 2;

struct Secrets {
    password: Password,
    phrase: Phrase,
    device: DeviceKey,
}

impl Secrets {
    fn new() -> Self {
        let mut rng = rng(20);
        Self {
            password: Password::new("correct horse", &PasswordPolicy::default()).unwrap(),
            phrase: Phrase::generate(&mut rng).unwrap(),
            device: DeviceKey::generate(&mut rng).unwrap(),
        }
    }

    fn seal<S: Backed>(&self, secret: &S, seed: u8) -> Backup {
        let slots = [
            NewSlot::Device(self.device.public()),
            NewSlot::Password(&self.password, CHEAP),
            NewSlot::Phrase(&self.phrase),
        ];
        Backup::create(secret, &slots, &mut rng(seed)).unwrap()
    }

    fn unlock(&self, slot: usize) -> Unlock<'_> {
        match slot {
            DEVICE => Unlock::Device(&self.device),
            PASSWORD => Unlock::Password(&self.password),
            _ => Unlock::Phrase(&self.phrase),
        }
    }
}

/// A secret and its backup.
struct World<S: Backed> {
    secrets: Secrets,
    public_key: <S::Group as Group>::Point,
    epoch: u32,
    backup: Backup,
}

impl<S: Backed> World<S> {
    fn new(secret: &S, public_key: &<S::Group as Group>::Point) -> Self {
        let secrets = Secrets::new();
        let backup = secrets.seal(secret, 21);
        Self { secrets, public_key: *public_key, epoch: secret.header().epoch(), backup }
    }

    /// The words of docs/backup.md for what comes of some bytes.
    fn outcome(&self, bytes: &[u8], slot: usize) -> &'static str {
        let backup = match Backup::from_bytes(bytes) {
            Err(ReadError::NotABackup) => return "not a backup",
            Err(ReadError::Damaged) => return "damaged",
            Err(ReadError::Version(_) | ReadError::Unsupported) => return "unsupported",
            Err(ReadError::Malformed) => return "malformed",
            Err(ReadError::NeverBackedUp) => return "never backed up",
            Err(error) => panic!("{error}"),
            Ok(backup) => backup,
        };
        assert_eq!(backup.to_bytes(), bytes, "what is read prints the same");
        let expected = Expected::key(self.public_key).epoch(self.epoch);
        match backup.open::<S>(&self.secrets.unlock(slot), &expected, &Limits::default()).err() {
            None => "open",
            Some(OpenError::WrongPassword | OpenError::WrongPhrase | OpenError::WrongDevice) => "wrong secret",
            Some(OpenError::Forged) => "forged",
            Some(OpenError::ExcessiveWork { .. } | OpenError::WeakWork) => "work",
            Some(OpenError::OtherKind) => "another kind",
            Some(OpenError::OtherKey) => "another key",
            Some(OpenError::OldEpoch { .. }) => "old epoch",
            Some(error) => panic!("{error}"),
        }
    }
}

/// Name, slot, width, in the order of docs/backup.md, of a container with as many bytes.
fn fields(point: usize, len: usize) -> Vec<(&'static str, usize, usize)> {
    let clear = [
        ("magic", 7),
        ("version", 1),
        ("kind", 1),
        ("curve", 1),
        ("scheme", 1),
        ("ids", 32),
        ("epoch", 4),
        ("generation", 4),
        ("index", 2),
        ("threshold", 2),
        ("parties", 2),
        ("P", 1 + point),
        ("public point", 1 + point),
        ("slots", 1),
    ];
    let mut fields: Vec<_> = clear.map(|(name, width)| (name, 0, width)).into();
    for (slot, work, salt) in [(DEVICE, 0, 0), (PASSWORD, 9, 32), (PHRASE, 0, 32)] {
        let of =
            [("type", 1), ("slot length", 2), ("suite", 1), ("work", work), ("salt", salt), ("pk", 33), ("key", 84)];
        fields.extend(of.map(|(name, width)| (name, slot, width)));
    }
    fields.extend([("mac", 0, 32), ("nonce", 0, 12), ("length", 0, 4)]);
    let so_far: usize = fields.iter().map(|(_, _, width)| width).sum();
    fields.push(("ciphertext", 0, len - 32 - so_far));
    fields
}

/// The last table of docs/backup.md, where the slot `opened` is opened.
fn allowed(field: &str, slot: usize, opened: usize) -> &'static [&'static str] {
    match field {
        "magic" => &["not a backup"],
        // that of a device has another one beside it
        "suite" if slot == DEVICE => &["unsupported", "malformed"],
        "version" | "suite" => &["unsupported"],
        "kind" => &["unsupported", "never backed up", "another kind"],
        "curve" => &["unsupported", "malformed"],
        "scheme" => &["unsupported", "forged"],
        "ids" | "generation" | "epoch" => &["forged", "old epoch"],
        "index" | "threshold" | "parties" => &["forged", "malformed"],
        "P" => &["another key", "malformed"],
        "public point" => &["forged", "malformed"],
        "slots" | "type" | "slot length" => &["malformed", "unsupported"],
        "work" if slot == opened => &["wrong secret", "work"],
        "salt" if slot == opened => &["wrong secret"],
        "pk" if slot == opened => &["wrong secret", "malformed"],
        // a key that is none is malformed in any slot
        "pk" | "key" => &["forged", "malformed"],
        "work" | "salt" | "mac" | "nonce" | "ciphertext" => &["forged"],
        "length" => &["malformed"],
        other => panic!("{other}"),
    }
}

fn damage<S: Backed>(secret: &S, public_key: &<S::Group as Group>::Point) {
    let world = World::new(secret, public_key);
    let (bytes, pem) = (world.backup.to_bytes(), world.backup.to_pem().into_bytes());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        for change in 1..=255 {
            changed[at] = bytes[at] ^ change;
            assert_eq!(Backup::from_bytes(&changed), Err(ReadError::Damaged), "{at} ^ {change}");
        }
        let cut = if at < 39 { ReadError::NotABackup } else { ReadError::Damaged };
        assert_eq!(Backup::from_bytes(&bytes[..at]), Err(cut), "{at}");
        let longer = [&bytes[..at], &[0], &bytes[at..]].concat();
        assert!(Backup::from_bytes(&longer).is_err());
    }
    assert_eq!(Backup::from_bytes(&[&bytes[..], &[0]].concat()), Err(ReadError::Damaged));
    // another character: no text form any more, or that of damaged bytes. One character has bits of magic and version: with both
    // wrong it is no backup.
    let spans = "-----BEGIN SYMBOLON SHARE BACKUP-----\n".len() + 9;
    for at in 0..pem.len() {
        let mut changed = pem.clone();
        for change in [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x7f] {
            changed[at] = pem[at] ^ change;
            let read = Backup::from_pem(std::str::from_utf8(&changed).unwrap());
            let neither = at == spans && read == Err(ReadError::NotABackup);
            assert!(neither || matches!(read, Err(ReadError::Text | ReadError::Damaged)), "{at} ^ {change}: {read:?}");
        }
        let cut = Backup::from_pem(std::str::from_utf8(&pem[..at]).unwrap());
        if at + 1 == pem.len() {
            assert_eq!(cut.as_ref(), Ok(&world.backup), "the last line end may be missing");
        } else {
            assert_eq!(cut, Err(ReadError::Text), "{at}");
        }
    }
}

#[test]
fn every_changed_byte_is_damage() {
    let share = &deal::<Secp256k1>(2, 3, 3, 1)[0];
    damage(share, share.public_key());
    let share = &deal::<Ed25519>(2, 3, 3, 2)[0];
    damage(share, share.public_key());
    let [server, _] = factor(2);
    damage(&server, server.public_key());
}

#[test]
fn text_has_one_form() {
    let share = &deal::<Secp256k1>(2, 3, 3, 1)[0];
    let backup = Secrets::new().seal(share, 21);
    let text = backup.to_pem();
    for same in [text.replace('\n', "\r\n"), text.trim_end().to_owned(), text.replacen('\n', "\r\n", 3)] {
        assert_eq!(Backup::from_pem(&same).as_ref(), Ok(&backup));
    }
    for wrong in [
        text.replace("SHARE BACKUP", "SHARE BACKUQ"),
        text.replacen("END SYMBOLON SHARE BACKUP", "END SYMBOLON SHARE BACKDOWN", 1),
        format!("hello\n{text}"),
        format!("{text}hello"),
        format!("{text}\n"),
        format!("{text}{text}"),
        text.replace('\n', "\r"),
        text.replacen('\n', " \n", 1),
        text.replacen("BACKUP-----\n", "BACKUP-----\nProc-Type: 4\n\n", 1),
    ] {
        assert_eq!(Backup::from_pem(&wrong), Err(ReadError::Text));
    }
}

/// Every byte, changed in some ways for each slot that is opened, under a right hash. What was seen.
fn with_right_hash<S: Backed>(
    secret: &S,
    public_key: &<S::Group as Group>::Point,
    tries: &[(usize, &[u8])],
) -> BTreeSet<(&'static str, &'static str)> {
    let world = World::new(secret, public_key);
    let bytes = world.backup.to_bytes();
    let mut seen = BTreeSet::new();
    for (opened, changes) in tries {
        assert_eq!(world.outcome(&bytes, *opened), "open");
        let mut at = 0;
        for (field, slot, width) in fields(S::Group::POINT_LEN, bytes.len()) {
            for at in at..at + width {
                for change in *changes {
                    let mut changed = bytes.clone();
                    changed[at] ^= change;
                    let outcome = world.outcome(&rehashed(changed), *opened);
                    let allowed = allowed(field, slot, *opened);
                    assert!(allowed.contains(&outcome), "{field} of slot {slot} at {at} ^ {change}: {outcome}");
                    seen.insert((field, outcome));
                }
            }
            at += width;
        }
        assert_eq!(at + 32, bytes.len());
    }
    for cut in 0..bytes.len() - 32 {
        let cut = rehashed([&bytes[..cut], &[0; 32]].concat());
        assert!(matches!(world.outcome(&cut, DEVICE), "malformed" | "not a backup"));
    }
    let longer = rehashed([&bytes[..bytes.len() - 32], &[0; 33]].concat());
    assert_eq!(world.outcome(&longer, DEVICE), "malformed");
    seen
}

// attacks.md row 74: whoever can write the hash again still changes nothing
#[test]
fn row_74_every_field_with_a_right_hash() {
    let share = &deal::<Secp256k1>(2, 3, 3, 1)[0];
    let tries: [(_, &[u8]); 3] = [(DEVICE, &[1, 3, 0x80]), (PASSWORD, &[1]), (PHRASE, &[4])];
    let seen = with_right_hash(share, share.public_key(), &tries);
    // every outcome of the table does occur
    for pair in [
        ("kind", "unsupported"),
        ("kind", "never backed up"),
        ("kind", "another kind"),
        ("curve", "unsupported"),
        ("curve", "malformed"),
        ("scheme", "forged"),
        ("epoch", "old epoch"),
        ("epoch", "forged"),
        ("index", "forged"),
        ("threshold", "malformed"),
        ("P", "another key"),
        ("P", "malformed"),
        ("public point", "forged"),
        ("public point", "malformed"),
        ("slots", "malformed"),
        ("type", "unsupported"),
        ("work", "work"),
        ("work", "wrong secret"),
        ("work", "forged"),
        ("salt", "wrong secret"),
        ("salt", "forged"),
        ("pk", "wrong secret"),
        ("pk", "malformed"),
        ("pk", "forged"),
        ("key", "forged"),
        ("key", "malformed"),
    ] {
        assert!(seen.contains(&pair), "{pair:?}");
    }
    let tries: [(_, &[u8]); 2] = [(DEVICE, &[1, 0x80]), (PHRASE, &[2])];
    let share = &deal::<Ed25519>(2, 3, 3, 2)[0];
    with_right_hash(share, share.public_key(), &tries);
    for side in factor(2) {
        with_right_hash(&side, side.public_key(), &tries);
    }
}

#[test]
fn halves_with_a_right_hash_join_only_unchanged() {
    let share = &deal::<Secp256k1>(2, 3, 3, 1)[0];
    let world = World::<KeyShare<Secp256k1>>::new(share, share.public_key());
    let (store, encrypted) = world.backup.clone().detach();
    let (store_bytes, share_bytes) = (store.to_bytes(), encrypted.to_bytes());
    let mut joined = 0;
    for change in [1, 0x10, 0x80] {
        for at in 0..store_bytes.len() - 32 {
            let mut changed = store_bytes.clone();
            changed[at] ^= change;
            assert_eq!(SecretStore::from_bytes(&changed), Err(ReadError::Damaged));
            if let Ok(changed) = SecretStore::from_bytes(&rehashed(changed)) {
                assert!(Backup::attach(changed, encrypted.clone()).is_err(), "{at} ^ {change}");
            }
        }
        for at in 0..share_bytes.len() - 32 {
            let mut changed = share_bytes.clone();
            changed[at] ^= change;
            assert_eq!(EncryptedShare::from_bytes(&changed), Err(ReadError::Damaged));
            let Ok(changed) = EncryptedShare::from_bytes(&rehashed(changed)) else { continue };
            // what it has beside the header and the name of the other half is the payload
            if let Ok(backup) = Backup::attach(store.clone(), changed) {
                assert_eq!(world.outcome(&backup.to_bytes(), DEVICE), "forged", "{at} ^ {change}");
                joined += 1;
            }
        }
    }
    // nonce and ciphertext
    assert_eq!(joined, 3 * (payload(&world.backup).len() - 4));
    for half in [&store_bytes, &share_bytes] {
        for cut in 0..half.len() {
            assert!(
                SecretStore::from_bytes(&half[..cut]).is_err() && EncryptedShare::from_bytes(&half[..cut]).is_err()
            );
            let cut = rehashed([&half[..cut.min(half.len() - 33)], &[0; 32]].concat());
            assert!(SecretStore::from_bytes(&cut).is_err() && EncryptedShare::from_bytes(&cut).is_err());
        }
    }
}

/// Clear part, slots with their number, MAC, payload.
fn parts(backup: &Backup) -> [Vec<u8>; 4] {
    let bytes = backup.to_bytes();
    let (clear, payload) = (clear_part(&bytes).to_vec(), payload(backup));
    let mac = bytes.len() - 32 - payload.len() - 32;
    [clear.clone(), bytes[clear.len()..mac].to_vec(), bytes[mac..mac + 32].to_vec(), payload]
}

// attacks.md row 74: two backups of one owner, with the same password, phrase and device, in every mixture of their parts
#[test]
fn row_74_parts_of_two_backups_never_open_together() {
    fn mixed<S: Backed>(one: &S, other: &S, public_key: &<S::Group as Group>::Point, epoch: u32) {
        let mut world = World::new(one, public_key);
        world.epoch = epoch;
        let (a, b) = (&world.backup, world.secrets.seal(other, 22));
        let whole = [a.to_bytes(), b.to_bytes()];
        let both = [parts(a), parts(&b)];
        for mixture in 0..16usize {
            let from = |part: usize| &both[mixture >> part & 1][part];
            let bytes = [&from(0)[..], from(1), from(2), from(3), &[0; 32]].concat();
            let bytes = rehashed(bytes);
            let is_whole = whole.contains(&bytes);
            for slot in [DEVICE, PASSWORD, PHRASE] {
                let outcome = world.outcome(&bytes, slot);
                // a whole one may be of the other key or of the old epoch
                let refused = ["forged", "another key", "old epoch", "wrong secret"].contains(&outcome);
                assert!(refused || is_whole && outcome == "open", "{mixture:04b}: {outcome}");
                assert!(outcome != "wrong secret" || mixture >> 1 & 1 == 1, "the slots of the first");
            }
        }
        assert!(whole.iter().any(|bytes| world.outcome(bytes, DEVICE) == "open"));
    }
    let (old, new) = (deal::<Secp256k1>(2, 3, 3, 1), deal::<Secp256k1>(2, 3, 4, 1));
    let public_key = old[0].public_key();
    // one share sealed twice; an old share and a new one, whichever is expected; two shares of one key; two keys
    mixed(&old[0], &old[0], public_key, 3);
    mixed(&old[0], &new[0], public_key, 0);
    mixed(&old[0], &new[0], public_key, 4);
    mixed(&old[0], &old[1], public_key, 3);
    mixed(&old[0], &deal::<Secp256k1>(2, 3, 3, 9)[0], public_key, 3);
    let (one, other) = (deal::<Ed25519>(2, 3, 3, 2), deal::<Ed25519>(2, 3, 4, 2));
    mixed(&one[0], &other[0], one[0].public_key(), 3);
    let ([one, client], [other, _]) = (factor(2), factor(3));
    mixed(&one, &other, one.public_key(), 2);
    mixed(&one, &client, one.public_key(), 2);
}
