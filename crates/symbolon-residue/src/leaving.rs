//! What one holder does with its share alone: backups, exports, sealing, other wallets' files.

use crate::{
    Needles,
    report::{Pass, Report},
    reviewed::SCRYPT_BEGINS,
    run::storage,
    secrets::{Recording, Secrets},
};
use core::time::Duration;
use crypto_bigint::{U256, const_monty_params, modular::ConstMontyForm};
use rand_core::Rng;
use sha3::{Digest, Keccak512};
use symbolon::{
    Identity, IdentityKey, KeyId, KeyShare, MemoryLedger, PartyId, SharingId, Storable, Threshold,
    backup::{
        self, Change, Consent, Expected, Limits, NewSlot, Password, PasswordPolicy, Phrase, Receiver, Unlock, Work,
        export, from_keystore, to_keystore, xprv,
    },
    wire::Reader,
};
use symbolon_backup::{Backed, Backup};
use symbolon_core::{Ed25519, Group, Secp256k1, SecretBytes, SecretScalar, Transcript};
use symbolon_seal::{
    DeviceKey, XWingKey, open_with_device, open_with_point, open_with_xwing, seal_to_device, seal_to_point,
    seal_to_xwing,
};
use symbolon_sharing::{Marks, Member, Parts, Scheme, combine, combine_factor, split, split_factor};
use zeroize::Zeroizing;

const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };
type Share = KeyShare<Secp256k1>;

fn id(i: u16) -> PartyId {
    PartyId::new(i).expect("not zero")
}

/// Both shares of a key.
pub fn shares(r: &mut Report, epoch: u32) -> Vec<Share> {
    let secret = SecretScalar::<Secp256k1>::random(&mut Recording::new(50));
    let indices = [1u64, 2].map(<Secp256k1 as Group>::Scalar::from);
    let rng = &mut Recording::new(51 + u64::from(epoch));
    let made = r.entry("split", || split(&secret, Threshold::TWO, &indices, rng));
    let (parts, commitments) = made.expect("two of two");
    let again = r.entry("combine", || combine(&parts, &commitments)).expect("both");
    r.entry("drop", || drop(again));
    let member = |i: u16| Member {
        id: id(i),
        identity: Identity::Key([u8::try_from(i).unwrap_or(0); 32]),
        public_share: parts[usize::from(i) - 1].value.public(),
    };
    let share = |i: u16| {
        let parts = Parts {
            scheme: Scheme::Ecdsa,
            key_id: KeyId::from_bytes([1; 16]),
            sharing_id: SharingId::from_bytes([2; 16]),
            epoch,
            members: vec![member(1), member(2)],
            threshold: Threshold::TWO,
            me: id(i),
            x: SecretScalar::new(*parts[usize::from(i) - 1].value.expose()),
            public_key: secret.public(),
            chain_code: [4; 32],
            marks: Marks::default(),
        };
        r.entry("KeyShare::new", || KeyShare::new(parts)).expect("a share")
    };
    let shares: Vec<_> = [1, 2].map(share).into();
    drop(parts);
    if r.pass == Pass::Learn {
        secret.watch();
        shares.watch();
    }
    shares
}

/// A password that is nowhere in the program as itself.
fn text(number: u64) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0; 40]);
    Recording::new(number).fill_bytes(bytes.as_mut());
    Zeroizing::new(bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect())
}

/// All that may be the data key of this file: a hash over a draw, the header of a length that only the crate knows, and the share.
fn watch_data_keys(file: &str, share: &Share, rng: &Recording) {
    let backup = Backup::from_pem(file).expect("a backup");
    let (bytes, plaintext) = (backup.to_bytes(), share.to_secret_bytes());
    for draw in rng.log.iter().filter(|draw| draw.len() == 32) {
        for len in 32..bytes.len().min(240) {
            let t = Transcript::new("backup", "data key").part(draw.as_slice()).part(&bytes[..len]);
            Needles::watch("a data key", &t.part(&plaintext).finish());
        }
    }
}

/// What scrypt begins with and what it gives, for a slot or a file with this salt.
fn watch_scrypt(typed: &str, salt: &[u8]) {
    let mut begins = Zeroizing::new([0; 128]);
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(typed.as_bytes(), salt, 1, begins.as_mut());
    Needles::watch(SCRYPT_BEGINS, begins.as_ref());
    // the crate keeps the words of each block of Salsa20 in the order of its diagonals
    for block in begins.chunks_exact_mut(64) {
        let words = Zeroizing::new(block.to_vec());
        for (i, word) in block.chunks_exact_mut(4).enumerate() {
            let from = (i / 4 * 4 + i % 4 * 5) % 16 * 4;
            word.copy_from_slice(&words[from..from + 4]);
        }
    }
    Needles::watch(SCRYPT_BEGINS, begins.as_ref());
    let mut gives = Zeroizing::new([0; 32]);
    let params = scrypt::Params::new(CHEAP.log_n, CHEAP.r, CHEAP.p).expect("cheap");
    scrypt::scrypt(typed.as_bytes(), salt, &params, gives.as_mut()).expect("32 bytes");
    Needles::watch("what scrypt gives", gives.as_ref());
}

/// Salts, nonces and ciphertexts of a file are for everybody.
pub fn publish(r: &Report, made: &backup::Made) {
    r.publish(&Backup::from_pem(&made.file).expect("a backup").to_bytes());
}

/// Runs them all.
pub fn all(reports: &mut Vec<Report>, only: Option<&str>) {
    Report::add(reports, only, "backup", backups);
    Report::add(reports, only, "export and exit", exports);
    Report::add(reports, only, "keys of other wallets", foreign);
    Report::add(reports, only, "sealing", sealing);
    Report::add(reports, only, "DERO: sign-in", dero);
}

fn backups(r: &mut Report) {
    let (old, new) = (shares(r, 3), shares(r, 4));
    let typed = text(60);
    let rng = &mut Recording::new(61);
    let password = r.entry("Password::new", || Password::new(&typed, &PasswordPolicy::default())).expect("long");
    let phrase = r.entry("Phrase::generate", || Phrase::generate(rng)).unwrap_or_else(|never| match never {});
    let device = r.entry("DeviceKey::generate", || DeviceKey::generate(rng)).unwrap_or_else(|never| match never {});
    let words = r.entry("Phrase::words", || phrase.words());
    if r.pass == Pass::Learn {
        Needles::watch("a password", typed.as_bytes());
        Needles::watch("the words of a phrase", words.as_bytes());
        Needles::watch("a device key", device.to_bytes().expose());
    }
    let parsed = r.entry("Phrase::parse", || Phrase::parse(&words)).expect("its words");
    r.entry("drop", || drop(parsed));
    let mut spoilt = Zeroizing::new(words.as_bytes().to_vec());
    spoilt.rotate_left(words.find(' ').unwrap_or(0) + 1);
    let spoilt = Zeroizing::new(String::from_utf8_lossy(&spoilt).into_owned());
    r.entry("Phrase::parse", || Phrase::parse(&spoilt).is_err());
    drop(spoilt);

    let slots = [NewSlot::Password(&password, CHEAP), NewSlot::Phrase(&phrase), NewSlot::Device(device.public())];
    let mut rng = Recording::new(62);
    let made = r.entry("backup", || backup::backup(&old[0], &slots, &mut rng)).expect("a backup");
    if r.pass == Pass::Learn {
        watch_data_keys(&made.file, &old[0], &rng);
        // the salt of the first slot is drawn first
        watch_scrypt(&typed, &rng.log[0]);
    }
    publish(r, &made);
    let (expected, limits) = (r.entry("Expected::live", || Expected::live(&old[0])), Limits::default());
    for unlock in [Unlock::Password(&password), Unlock::Phrase(&phrase), Unlock::Device(&device)] {
        let opened = r
            .entry("restore", || backup::restore::<Share>(made.file.as_bytes(), &unlock, &expected, &limits).ok())
            .expect("it opens");
        r.entry("drop", || drop(opened));
        let file = Backup::from_pem(&made.file).expect("a backup");
        r.entry("Backup::validate_password", || file.validate_password(&unlock, &limits).is_ok());
        r.entry("Backup::validate_share", || file.validate_share::<Share>(&unlock, &expected, &limits).is_ok());
    }
    let wrong = text(63);
    let wrong = r.entry("Password::entered", || Password::entered(&wrong)).expect("short");
    r.entry("restore: wrong password", || {
        backup::restore::<Share>(made.file.as_bytes(), &Unlock::Password(&wrong), &expected, &limits).is_err()
    });
    let other = r.entry("Expected::live", || Expected::live(&new[0]));
    r.entry("restore: another share", || {
        backup::restore::<Share>(made.file.as_bytes(), &Unlock::Password(&password), &other, &limits).is_err()
    });
    // the payload is damaged, the slots are not
    let mut bytes = Backup::from_pem(&made.file).expect("a backup").to_bytes();
    if let Some(byte) = bytes.last_mut() {
        *byte ^= 1;
    }
    let forged = Backup::from_bytes(&bytes);
    r.entry("restore: a damaged file", || {
        forged.is_ok_and(|file| file.open::<Share>(&Unlock::Phrase(&phrase), &expected, &limits).is_ok())
    });
    let live = expected.slots(made.slots);
    let changed = r.entry("change_password", || {
        backup::change_password::<Share>(made.file.as_bytes(), &password, (&wrong, CHEAP), &live, &limits, &mut rng)
    });
    publish(r, &changed.expect("it is changed"));
    let slot = NewSlot::Password(&wrong, CHEAP);
    let more = r.entry("add_slot", || {
        let unlock = Unlock::Phrase(&phrase);
        backup::add_slot::<Share>(made.file.as_bytes(), &slot, &unlock, &live, &limits, &mut rng)
    });
    publish(r, &more.expect("one more"));
    let file = Backup::from_pem(&made.file).expect("a backup");
    let unlock = Unlock::Phrase(&phrase);
    let fewer = r.entry("Backup::remove_slot", || file.remove_slot::<Share>(0, &unlock, &live, &limits, &mut rng));
    r.publish(&fewer.expect("two are left").to_bytes());
    let other =
        r.entry("Backup::replace_slot", || file.replace_slot::<Share>(0, &slot, &unlock, &live, &limits, &mut rng));
    r.publish(&other.expect("as many").to_bytes());
    r.entry("reseal", || backup::reseal(made.file.as_bytes(), &new[0], &made.slots, &mut rng).is_ok());
    r.entry("drop", || drop((password, wrong, phrase, device, words, old, new)));
}

fn exports(r: &mut Report) {
    let mut both = shares(r, 3);
    let rng = &mut Recording::new(64);
    let seed = SecretBytes::<32>::random(rng);
    let device = r.entry("IdentityKey::from_seed", || IdentityKey::from_seed(seed));
    let share = both.swap_remove(0);
    let expected = Expected::key(*share.public_key()).share(share.secret().public());
    let header = r.entry("header", || share.header());
    let receiver = r.entry("Receiver::new", || Receiver::new(&header, Duration::from_secs(9), rng));
    let receiver = receiver.unwrap_or_else(|never| match never {});
    let request = r.entry("Receiver::request", || receiver.request(&device));
    r.publish(&request);
    let consent = Consent::new([Change::Exports(share.key_id(), receiver.asks().fingerprint())]);
    let (owners, mut ledger) = ([device.identity()], MemoryLedger::default());
    let now = Duration::from_secs(8);
    let given = r.entry("export", || export(share, &request, &owners, now, &consent, &mut ledger, rng));
    let (answer, share) = given.ok().expect("it is released");
    let again = r.entry("export", || export(share, &request, &owners, now, &consent, &mut ledger, rng));
    let (share, _) = again.err().expect("once");
    let got = r.entry("Receiver::open", || receiver.open::<Share>(&answer, &expected, now)).expect("it opens");
    let mut spoilt = answer;
    if let Some(byte) = spoilt.last_mut() {
        *byte ^= 1;
    }
    r.entry("Receiver::open", || receiver.open::<Share>(&spoilt, &expected, now).is_err());
    both.push(share);
    let consent = Consent::new([Change::Exits(both[0].key_id())]);
    let exit = r.entry("exit", || backup::exit(&both, &consent)).expect("both shares");
    r.entry("exit: too few", || backup::exit(&both[..1], &consent).is_err());
    r.entry("drop", || drop((exit, both, got, receiver, device)));
}

fn foreign(r: &mut Report) {
    let whole = SecretScalar::<Secp256k1>::random(&mut Recording::new(65));
    let typed = text(66);
    let mut extended = r.entry("xprv", || xprv(&whole, &[4; 32]));
    if r.pass == Pass::Learn {
        whole.watch();
        Needles::watch("a password", typed.as_bytes());
        // the middle of it, where the key is
        Needles::watch("an extended key", &extended.as_bytes()[60..100]);
        let hex: String = whole.to_bytes().expose().iter().map(|byte| format!("{byte:02x}")).collect();
        Needles::watch("a key in hexadecimal", hex.as_bytes());
    }
    extended.clear();
    let rng = &mut Recording::new(67);
    let file = r.entry("to_keystore", || to_keystore(&whole, &typed, &CHEAP, rng)).expect("a file");
    if r.pass == Pass::Learn {
        watch_scrypt(&typed, &salt_of(&file));
    }
    let back = r.entry("from_keystore", || from_keystore(&file, &typed, &Limits::default()).ok()).expect("it opens");
    r.entry("from_keystore: wrong password", || from_keystore(&file, "another", &Limits::default()).is_err());
    r.entry("drop", || drop((back, whole, typed)));
}

/// The salt that a keystore file names.
fn salt_of(file: &str) -> Vec<u8> {
    let hex = file.split("\"salt\":\"").nth(1).and_then(|rest| rest.get(..64)).expect("a salt of 32 bytes");
    let byte = |pair: &[u8]| u8::from_str_radix(core::str::from_utf8(pair).expect("digits"), 16).expect("digits");
    hex.as_bytes().chunks_exact(2).map(byte).collect()
}

fn sealing(r: &mut Report) {
    let rng = &mut Recording::new(68);
    let mut secret = Zeroizing::new([0; 64]);
    rng.fill_bytes(secret.as_mut());
    let device = r.entry("DeviceKey::generate", || DeviceKey::generate(rng)).unwrap_or_else(|never| match never {});
    if r.pass == Pass::Learn {
        Needles::watch("a device key", device.to_bytes().expose());
    }
    let sealed = r.entry("seal_to_device", || seal_to_device(device.public(), b"info", b"", secret.as_ref(), rng));
    let sealed = sealed.expect("it seals");
    let opened = r.entry("open_with_device", || open_with_device(&device, b"info", b"", &sealed)).expect("it opens");
    r.entry("open_with_device", || open_with_device(&device, b"other", b"", &sealed).is_err());
    r.entry("drop", || drop((opened, device)));
    fn point<G: Group>(r: &mut Report, secret: &[u8], rng: &mut Recording) {
        let key = SecretScalar::<G>::random(rng);
        if r.pass == Pass::Learn {
            key.watch();
        }
        let public = key.public();
        let sealed = r.entry("seal_to_point", || seal_to_point::<G>(&public, b"info", b"", secret, rng));
        let sealed = sealed.expect("it seals");
        let opened = r.entry("open_with_point", || open_with_point::<G>(&key, b"info", b"", &sealed)).expect("opens");
        r.entry("open_with_point", || open_with_point::<G>(&key, b"other", b"", &sealed).is_err());
        r.entry("drop", || drop((opened, key)));
    }
    point::<Secp256k1>(r, secret.as_ref(), rng);
    point::<Ed25519>(r, secret.as_ref(), rng);
    let hybrid = r.entry("XWingKey::generate", || XWingKey::generate(rng)).unwrap_or_else(|never| match never {});
    let sealed = r.entry("seal_to_xwing", || seal_to_xwing(hybrid.public(), b"info", b"", secret.as_ref(), rng));
    let sealed = sealed.expect("it seals");
    let opened = r.entry("open_with_xwing", || open_with_xwing(&hybrid, b"info", b"", &sealed)).expect("it opens");
    r.entry("drop", || drop((opened, hybrid)));

    // a factor in escrow
    let (a, b) = (SecretScalar::<Secp256k1>::random(rng), SecretScalar::<Secp256k1>::random(rng));
    if r.pass == Pass::Learn {
        a.watch();
        b.watch();
    }
    let public_key = Secp256k1::mul(&b.public(), a.expose());
    let pair = symbolon::Pair::from(symbolon::Role::Server);
    let factor = symbolon::PairFactor::new(pair, KeyId::from_bytes([3; 16]), 0, a, b.public(), public_key, [5; 32]);
    let factor = factor.expect("a factor");
    let nodes = [id(5), id(6), id(7)];
    let pieces = r.entry("split_factor", || split_factor(&factor, Threshold::TWO, &nodes, rng)).expect("two of three");
    let encoded = pieces[0].to_secret_bytes();
    let piece = r.entry("FactorPiece::decode", || {
        Reader::new(&encoded).whole(<symbolon_sharing::FactorPiece as Storable>::decode)
    });
    r.entry("drop", || drop((piece, encoded)));
    let name = symbolon_sharing::FactorName::of(&factor);
    let again = r.entry("combine_factor", || combine_factor(&name, &pieces[..2]).ok()).expect("two pieces");
    r.entry("drop", || drop((again, pieces, factor, b)));
    let key = r.entry("StorageKey::generate", || symbolon::StorageKey::generate(rng));
    let key = key.unwrap_or_else(|never| match never {});
    let sealed = r.entry("StorageKey::seal", || key.seal(b"residue\0", secret.as_ref(), rng)).expect("it seals");
    r.entry("StorageKey::open", || key.open(b"residue\0", &sealed).is_ok());
    r.entry("StorageKey::open: another key", || storage().open(b"residue\0", &sealed).is_err());
    r.entry("drop", || drop(key));
}

const_monty_params!(
    Order,
    U256,
    "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001",
    "The order of BN254."
);

/// `halves[0]*2^256 + halves[1]` modulo the order: its encoding, and the limbs of its Montgomery form.
fn watch_dero(what: &'static str, halves: &[[u8; 32]; 2]) {
    type Scalar = ConstMontyForm<Order, { U256::LIMBS }>;
    let [high, low] = halves.map(|half| Scalar::new(&U256::from_be_slice(&half)));
    let scalar = high * (Scalar::new(&U256::MAX) + Scalar::ONE) + low;
    for integer in [&scalar.retrieve(), scalar.as_montgomery()] {
        let bytes = Zeroizing::new(<[u8; 32]>::from(integer.to_be_bytes()));
        Needles::watch(what, bytes.as_slice());
    }
}

fn dero(r: &mut Report) {
    let rng = &mut Recording::new(69);
    let mut bytes = Zeroizing::new([0; 32]);
    rng.fill_bytes(bytes.as_mut());
    // below the order
    bytes[0] &= 0x1f;
    let key =
        r.entry("dero: SecretKey::from_bytes", || symbolon_dero::SecretKey::from_bytes(&bytes)).expect("in range");
    let mut rng = Recording::new(72);
    r.entry("dero: SecretKey::sign", || key.sign(symbolon_dero::Network::Mainnet, *b"a message", &mut rng).is_ok());
    if r.pass == Pass::Learn {
        watch_dero("a key of DERO", &[[0; 32], *bytes]);
        let hash = Keccak512::new().chain_update("symbolon/dero/nonce").chain_update(rng.log[0].as_slice());
        let wide = Zeroizing::new(<[u8; 64]>::from(hash.chain_update(*bytes).chain_update(b"a message").finalize()));
        let (halves, _) = wide.as_chunks::<32>();
        watch_dero("a nonce of DERO", &[halves[0], halves[1]]);
    }
    r.entry("drop", || drop(key));
    let mut seed = Zeroizing::new([0; 32]);
    rng.fill_bytes(seed.as_mut());
    let hmac = r.entry("dero: Hs256Key::new", || symbolon_dero::token::Hs256Key::new(&seed));
    let ed = r.entry("dero: EdDsaKey::new", || symbolon_dero::token::EdDsaKey::new(&seed));
    r.entry("drop", || drop((hmac, ed)));
}
