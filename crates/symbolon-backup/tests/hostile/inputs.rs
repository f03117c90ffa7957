//! Inputs that ask for more than they are worth, and what refuses them. The fuzz crate counts the memory that it takes.

use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use sha2::{Digest, Sha256};
use std::time::Duration;
use symbolon_backup::{
    AnswerError, Backup, EncryptedShare, Expected, ExportError, ExportRequest, KeystoreError, Limits, OpenError,
    Password, ReadError, Receiver, SecretStore, Unlock, from_keystore,
};
use symbolon_core::{Group, Secp256k1, SecretBytes};
use symbolon_session::IdentityKey;
use symbolon_sharing::KeyShare;

/// Slots of a password, of a phrase, of a device.
const GOLDEN: &[u8] = include_bytes!("../../testdata/v1/share-secp256k1.bin");
/// Where its fields begin.
const P: usize = 57;
const X: usize = 91;
const SLOTS: usize = 125;
const SLOT: usize = 126;
const WORK: usize = SLOT + 4;
const SALT: usize = WORK + 9;
const KEY: usize = SALT + 32;
const ENC: usize = KEY + 33;
const SEALED: usize = ENC + 34;
const PHRASE: usize = SEALED + 50;
const DEVICE: usize = PHRASE + 153;
const MAC: usize = DEVICE + 121;
const LENGTH: usize = MAC + 32 + 12;

/// What reads an input.
enum Given {
    File(Vec<u8>),
    Text(String),
    Store(Vec<u8>),
    Share(Vec<u8>),
    Request(Vec<u8>),
    Answer(Vec<u8>),
    Keystore(String),
}

/// An input, and what is said of it.
pub(crate) struct Hostile {
    pub(crate) name: String,
    pub(crate) answer: &'static str,
    given: Given,
}

/// What a reader has beside the input.
pub(crate) struct World {
    password: Password,
    receiver: Receiver,
    public_key: <Secp256k1 as Group>::Point,
    public_share: <Secp256k1 as Group>::Point,
}

impl World {
    pub(crate) fn new() -> Self {
        let header = Backup::from_bytes(GOLDEN).unwrap().header().clone();
        Self {
            password: Password::entered("any").unwrap(),
            receiver: Receiver::new(&header, Duration::MAX, &mut ChaCha12Rng::from_seed([1; 32])).unwrap(),
            public_key: Secp256k1::point_from_bytes(header.public_key()).unwrap(),
            public_share: Secp256k1::point_from_bytes(header.public_share()).unwrap(),
        }
    }

    fn open(&self, backup: &Backup) -> &'static str {
        match backup.validate_password(&Unlock::Password(&self.password), &Limits::default()) {
            Err(OpenError::ExcessiveWork { .. }) => "excessive work",
            Err(OpenError::WeakWork) => "weak work",
            Err(OpenError::NoSlot) => "no slot",
            other => panic!("{other:?}"),
        }
    }
}

fn read(error: ReadError) -> &'static str {
    match error {
        ReadError::NotABackup => "not a backup",
        ReadError::Version(_) | ReadError::Unsupported => "unsupported",
        ReadError::Damaged => "damaged",
        ReadError::Malformed => "malformed",
        ReadError::NeverBackedUp => "never backed up",
        ReadError::Text => "not the text form",
        other => panic!("{other}"),
    }
}

impl Hostile {
    /// Its bytes.
    pub(crate) fn len(&self) -> usize {
        match &self.given {
            Given::File(bytes)
            | Given::Store(bytes)
            | Given::Share(bytes)
            | Given::Request(bytes)
            | Given::Answer(bytes) => bytes.len(),
            Given::Text(text) | Given::Keystore(text) => text.len(),
        }
    }

    /// Has it refused, by everything that would be called until something does.
    pub(crate) fn refused(&self, world: &World) -> &'static str {
        match &self.given {
            Given::File(bytes) => Backup::from_bytes(bytes).map_or_else(read, |backup| world.open(&backup)),
            Given::Text(text) => Backup::from_pem(text).map_or_else(read, |backup| world.open(&backup)),
            Given::Store(bytes) => SecretStore::from_bytes(bytes).map_or_else(read, |_| panic!("read")),
            Given::Share(bytes) => EncryptedShare::from_bytes(bytes).map_or_else(read, |_| panic!("read")),
            Given::Request(bytes) => match ExportRequest::read::<()>(bytes).err() {
                Some(ExportError::Malformed) => "malformed",
                other => panic!("{other:?}"),
            },
            Given::Answer(bytes) => {
                match world
                    .receiver
                    .open::<KeyShare<Secp256k1>>(
                        bytes,
                        &Expected::key(world.public_key).share(world.public_share),
                        Duration::ZERO,
                    )
                    .err()
                {
                    Some(AnswerError::Malformed) => "malformed",
                    Some(AnswerError::Refused) => "refused",
                    other => panic!("{other:?}"),
                }
            }
            Given::Keystore(text) => match from_keystore(text, "any", &Limits::default()).err() {
                Some(KeystoreError::ExcessiveWork { .. }) => "excessive work",
                Some(KeystoreError::Format) => "format",
                Some(KeystoreError::Unsupported) => "unsupported",
                other => panic!("{other:?}"),
            },
        }
    }
}

/// With the hash at the end made right.
fn hashed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 32;
    let hash = Sha256::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&hash);
    bytes
}

/// `with` in the place of `len` bytes.
fn spliced(bytes: &[u8], at: usize, len: usize, with: &[u8]) -> Vec<u8> {
    hashed([&bytes[..at], with, &bytes[at + len..]].concat())
}

fn put(bytes: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    spliced(bytes, at, with.len(), with)
}

fn work(log_n: u8, r: u32, p: u32) -> Vec<u8> {
    [&[log_n][..], &r.to_be_bytes(), &p.to_be_bytes()].concat()
}

/// Files whose header asks for too much work, or for lengths that are not there.
fn files() -> Vec<(String, &'static str, Vec<u8>)> {
    let mut files = Vec::new();
    for (log_n, r, p) in [
        (40, 8, 1),
        (21, 1, 1),
        (255, u32::MAX, u32::MAX),
        (17, 1 << 31, 1),
        (17, 8, 1 << 30),
        (14, 1 << 31, 1 << 30),
        (0, 1 << 31, 0),
        (19, 8, 1),
    ] {
        let file = put(GOLDEN, WORK, &work(log_n, r, p));
        files.push((format!("log N {log_n}, r {r}, p {p}"), "excessive work", file));
    }
    for (log_n, r, p) in [(1, 8, 1), (0, 8, 1), (13, 8, 1), (17, 0, 1), (17, 8, 0)] {
        files.push((format!("log N {log_n}, r {r}, p {p}"), "weak work", put(GOLDEN, WORK, &work(log_n, r, p))));
    }
    let costly = put(GOLDEN, WORK, &work(18, 8, 4));
    let slots = [&[3][..], &costly[SLOT..PHRASE].repeat(3)].concat();
    files.push((
        "three slots, each at the limit of one".into(),
        "excessive work",
        spliced(&costly, SLOTS, MAC - SLOTS, &slots),
    ));

    let mut malformed = |name: String, file: Vec<u8>| files.push((name, "malformed", file));
    for count in [0, 9, 255] {
        malformed(format!("{count} slots"), put(GOLDEN, SLOTS, &[count]));
    }
    for (name, at) in [("P", P), ("X", X), ("public key of a slot", KEY)] {
        for len in [0, 1, 31, 34, 255] {
            malformed(format!("{name} of {len} bytes"), put(GOLDEN, at, &[len]));
        }
    }
    // the salt has no length of its own: without it the rest is too short for its body, or its body for the rest
    malformed("no salt".into(), spliced(GOLDEN, SALT, 32, &[]));
    let length = u16::try_from(PHRASE - SLOT - 3 - 32).unwrap().to_be_bytes();
    malformed("no salt, and a body without it".into(), spliced(&put(GOLDEN, SLOT + 1, &length), SALT, 32, &[]));
    for (name, at) in [("slot", SLOT + 1), ("encapsulated key", ENC), ("sealed key", SEALED)] {
        for len in [1u16, 3, 31, 47, 1 << 15, u16::MAX] {
            malformed(format!("{name} of {len} bytes"), put(GOLDEN, at, &len.to_be_bytes()));
        }
    }
    let left = u32::try_from(GOLDEN.len() - LENGTH - 4 - 32).unwrap();
    for len in [0, 15, left - 1, left + 1, left + 32, 65_536, 65_537, 1 << 31, u32::MAX] {
        malformed(format!("ciphertext of {len} bytes"), put(GOLDEN, LENGTH, &len.to_be_bytes()));
    }
    let ending = |at: usize, len: usize| hashed([&GOLDEN[..at], &vec![0xff; len - at]].concat());
    malformed("as long as may be, without a header".into(), hashed([&GOLDEN[..P], &vec![0xff; 65_536 - P]].concat()));
    malformed("as long as may be, with eight slots".into(), put(&ending(MAC, 65_536), SLOTS, &[8]));
    files.push(("zeros".into(), "unsupported", hashed([&GOLDEN[..8], &vec![0; 65_528]].concat())));
    files.push(("a byte too long".into(), "not a backup", ending(MAC, 65_537)));
    files.push(("100 megabytes".into(), "not a backup", vec![0; 100 << 20]));
    files.push(("the magic alone".into(), "not a backup", GOLDEN[..7].to_vec()));
    files
}

fn texts() -> Vec<(String, &'static str, String)> {
    let pem = |bytes: &[u8]| {
        let text = pem_rfc7468::encode_string("SYMBOLON SHARE BACKUP", pem_rfc7468::LineEnding::LF, bytes);
        text.unwrap()
    };
    let begin = "-----BEGIN SYMBOLON SHARE BACKUP-----\n";
    let refused = "not the text form";
    let mut texts: Vec<_> = [
        ("nothing".into(), String::new()),
        ("the first line many times".into(), begin.repeat(2000)),
        ("no end".into(), format!("{begin}{}", "A".repeat(90_000))),
        ("only line ends".into(), "\r\n".repeat(49_000)),
        ("a long label".into(), format!("-----BEGIN {}-----\n", "A".repeat(98_000))),
        ("100 megabytes".into(), "A".repeat(100 << 20)),
    ]
    .map(|(name, text): (String, _)| (name, refused, text))
    .into();
    texts.push(("zeros".into(), "not a backup", pem(&[0; 65_536])));
    texts.push(("more than a file has".into(), "not a backup", pem(&[0; 72_000])));
    texts.extend(files().into_iter().filter(|(_, _, file)| file.len() < 1 << 20).map(|(name, answer, file)| {
        let answer = if file.len() > 72_000 { refused } else { answer };
        (name, answer, pem(&file))
    }));
    texts
}

/// The halves of a file, and the same with lengths that are not there.
fn halves() -> Vec<Hostile> {
    let (store, share) = Backup::from_bytes(GOLDEN).unwrap().detach();
    let (store, share) = (store.to_bytes(), share.to_bytes());
    let mut all = Vec::new();
    let mut malformed = |name: &str, given: Given| {
        all.push(Hostile { name: format!("half: {name}"), answer: "malformed", given });
    };
    for count in [0, 9, 255] {
        malformed("slots", Given::Store(put(&store, SLOTS, &[count])));
    }
    for len in [0, 1 << 15, u16::MAX] {
        malformed("slot", Given::Store(put(&store, SLOT + 1, &len.to_be_bytes())));
    }
    for at in [P, X] {
        malformed("point", Given::Store(put(&store, at, &[255])));
        malformed("point", Given::Share(put(&share, at, &[255])));
    }
    // after the points the hash of the other half, then the nonce
    let length = SLOTS + 32 + 12;
    for len in [0, 15, 65_536, 1 << 31, u32::MAX] {
        malformed("ciphertext", Given::Share(put(&share, length, &len.to_be_bytes())));
    }
    malformed("zeros", Given::Store(hashed([&store[..P], &vec![0; 65_536 - P]].concat())));
    malformed("zeros", Given::Share(hashed([&share[..P], &vec![0; 65_536 - P]].concat())));
    all
}

fn exports(world: &World) -> Vec<Hostile> {
    let mut all = Vec::new();
    let request = world.receiver.request(&IdentityKey::from_seed(SecretBytes::new([2; 32])));
    let mut with = |at: usize, bytes: &[u8]| {
        let mut changed = request.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        let (name, given) = (format!("request: {} bytes at {at}", bytes.len()), Given::Request(changed));
        all.push(Hostile { name, answer: "malformed", given });
    };
    // no receiver's key, one of low order; no kind of identity
    with(76, &[0; 32]);
    with(76, &[0xff; 32]);
    with(116, &[255]);
    with(0, b"SYMBEXQ\x02");
    for len in [0, 8, 9, 180, 182, 1 << 20] {
        let mut changed = request.clone();
        changed.resize(len, 0);
        let (name, given) = (format!("request: {len} bytes"), Given::Request(changed));
        all.push(Hostile { name, answer: "malformed", given });
    }
    // id, index of the share, kind of recipient, encapsulated key, ciphertext with its length
    let start = [b"SYMBEXA\x01", &request[8..40]].concat();
    let key = &request[76..108];
    let rest = |kind: u8, key: &[u8], length: u32, ciphertext: usize| {
        [&[0, 1, kind][..], key, &length.to_be_bytes(), &vec![0; ciphertext]].concat()
    };
    for (name, answer, rest) in [
        ("nothing", "malformed", vec![]),
        ("index 0", "malformed", vec![0, 0]),
        ("another recipient", "malformed", rest(255, key, 64, 64)),
        ("a key of low order", "malformed", rest(0, &[0; 32], 64, 64)),
        ("ciphertext of 2^32 - 1 bytes", "malformed", rest(0, key, u32::MAX, 64)),
        ("ciphertext of 2^31 bytes", "malformed", rest(0, key, 1 << 31, 64)),
        ("ciphertext without a tag", "malformed", rest(0, key, 15, 15)),
        ("something left over", "malformed", rest(0, key, 63, 64)),
        ("100 megabytes left over", "malformed", rest(0, key, 64, 100 << 20)),
        ("ciphertext of zeros", "refused", rest(0, key, 32_768, 32_768)),
    ] {
        let given = Given::Answer([&start[..], &rest].concat());
        all.push(Hostile { name: format!("answer: {name}"), answer, given });
    }
    all
}

fn keystores() -> Vec<(String, &'static str, String)> {
    let zeros = "00".repeat(32);
    let file = |kdf: &str, params: &str| {
        format!(
            concat!(
                r#"{{"crypto":{{"cipher":"aes-128-ctr","cipherparams":{{"iv":"{}"}},"ciphertext":"{}","#,
                r#""kdf":"{}","kdfparams":{{{}}},"mac":"{}"}},"version":3}}"#
            ),
            &zeros[..32],
            zeros,
            kdf,
            params,
            zeros
        )
    };
    let scrypt = |n: u64, r: u64, p: u64, dklen: u64| {
        file("scrypt", &format!(r#""n":{n},"r":{r},"p":{p},"dklen":{dklen},"salt":"{zeros}""#))
    };
    let pbkdf2 = |c: u64, dklen: u64| {
        file("pbkdf2", &format!(r#""c":{c},"dklen":{dklen},"prf":"hmac-sha256","salt":"{zeros}""#))
    };
    let mut all = Vec::new();
    let mut add = |name: &str, answer, text: String| all.push((name.to_owned(), answer, text));
    for (n, r, p) in [
        (1u64 << 40, 8u64, 1u64),
        (1 << 63, 8, 1),
        (1 << 18, 1 << 31, 1),
        (1 << 18, u64::MAX, 1),
        (2, 1, 1 << 30),
        (2, 1, 1 << 23),
        (2, u64::MAX, u64::MAX),
        (1 << 19, 8, 1),
    ] {
        add(&format!("n {n}, r {r}, p {p}"), "excessive work", scrypt(n, r, p, 32));
    }
    for c in [1 << 25, 1 << 32, 1 << 60, u64::MAX] {
        add(&format!("c {c}"), "excessive work", pbkdf2(c, 32));
    }
    for dklen in [0, 31, 33, 1 << 40, u64::MAX] {
        add(&format!("dklen {dklen}"), "unsupported", scrypt(1 << 18, 8, 1, dklen));
        add(&format!("dklen {dklen}"), "unsupported", pbkdf2(1000, dklen));
    }
    add("r 0", "unsupported", scrypt(1 << 14, 0, 1, 32));
    add("p 0", "unsupported", scrypt(1 << 14, 8, 0, 32));
    add("n 1", "unsupported", scrypt(1, 8, 1, 32));
    add("n 0", "format", scrypt(0, 8, 1, 32));
    add("n no power of two", "format", scrypt(3, 8, 1, 32));
    add("c 0", "format", pbkdf2(0, 32));
    let good = scrypt(2, 1, 1, 32);
    add("a number of 10000 digits", "format", good.replace(":3}", &format!(":3{}}}", "0".repeat(10_000))));
    add("an exponent", "format", good.replace(r#""n":2,"#, r#""n":2e0,"#));
    for (name, first) in [
        ("version", r#""version":3,"#),
        ("crypto", r#""crypto":{},"#),
        ("a name of no meaning", r#""x:\"{":1,"x:\"{":1,"#),
        ("kdfparams", r#""crypto":{"kdfparams":{}},"#),
    ] {
        add(&format!("twice {name}"), "format", good.replacen('{', &format!("{{{first}"), 1));
    }
    let inner = good.replace(r#""r":1,"#, r#""r":1,"r":1,"#);
    assert_ne!(inner, good);
    add("twice r", "format", inner);
    for (name, text) in [("[", "["), ("{\"a\":", "{\"a\":"), ("[[],", "[[],")] {
        add(&format!("deep {name}"), "format", text.repeat((16 << 10) / text.len()));
    }
    add("wide", "format", format!("[{}0]", "0,".repeat(8000)));
    add("wide objects", "format", format!("[{}0]", "{},".repeat(5000)));
    add("as long as may be", "format", " ".repeat(16 << 10));
    add("100 megabytes", "format", " ".repeat(100 << 20));
    all
}

/// All of them.
pub(crate) fn all(world: &World) -> Vec<Hostile> {
    let mut all = Vec::new();
    let of = |kind: &str, name: String| format!("{kind}: {name}");
    all.extend(files().into_iter().map(|(name, answer, file)| Hostile {
        name: of("file", name),
        answer,
        given: Given::File(file),
    }));
    all.extend(texts().into_iter().map(|(name, answer, text)| Hostile {
        name: of("text", name),
        answer,
        given: Given::Text(text),
    }));
    all.extend(halves());
    all.extend(exports(world));
    all.extend(keystores().into_iter().map(|(name, answer, text)| Hostile {
        name: of("keystore", name),
        answer,
        given: Given::Keystore(text),
    }));
    all
}
