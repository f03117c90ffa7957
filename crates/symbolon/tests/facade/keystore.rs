//! A key from another wallet's file: imported, unusable before its first refresh, then a key like any other, which stays marked, is
//! backed up, and leaves again as what it was.

use crate::crowd::*;
use symbolon::backup::{
    Backup, Expected, Limits, NewSlot, Password, PasswordPolicy, Phrase, Unlock, Work, from_keystore, to_keystore, xprv,
};
use symbolon::committee::{self, Change, Consent, Factors, Import, Imported, Plan, Refreshes, Reshare, exit};
use symbolon::{
    Auth, DerivationPath, Group, KeyShare, PartyId, Scheme, Secp256k1, SecretScalar, Storable, store, wire::Reader,
};
use symbolon_testkit::Crowd;

type G = Secp256k1;
type Share = KeyShare<G>;

// who signs or makes a backup asks for a share, and there is no way to one but the refresh
static_assertions::assert_not_impl_any!(Imported<G>: symbolon::backup::Backed, Into<Share>, AsRef<Share>, core::ops::Deref);

const PASSWORD: &str = "the password of another wallet";
const CHAIN_CODE: [u8; 32] = [7; 32];
const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };

/// A dealer with a key from a file, and three devices.
fn imported(secret: SecretScalar<G>, devices: &mut Devices<G>) -> Vec<(PartyId, Imported<G>)> {
    let public_key = secret.public();
    let (new, scheme) = (devices.holders(), Scheme::Ecdsa);
    let plan = Import { dealer: holder(9, 9), new, threshold: th(2), scheme, public_key };
    let mut key_of = Some((secret, CHAIN_CODE));
    let mut starts = Vec::new();
    for me in ids(&[9, 1, 2, 3]) {
        let auth = Auth::Signed(key(me.get()));
        starts.push((me, committee::import(me, key_of.take(), plan.clone(), auth, &mut devices.rng(me)).unwrap()));
    }
    Crowd::new(starts).outputs().into_iter().map(|(me, (imported, _))| (me, imported)).collect()
}

#[test]
fn a_key_from_a_file_signs_only_after_its_first_refresh() {
    // the other wallet's file, of a key that its owner has used for years
    let original = SecretScalar::<G>::random(&mut rng(60));
    let before = xprv(&original, &CHAIN_CODE);
    let file = to_keystore(&original, PASSWORD, &CHEAP, &mut rng(61)).unwrap();
    let secret = from_keystore(&file, PASSWORD, &Limits::default()).ok().unwrap();
    let public_key = original.public();

    let mut devices = Devices::<G>::create(2, 3, 62);
    let imported = imported(secret, &mut devices);
    for (me, share) in &imported {
        assert!(share.health().marks.imported && share.health().epoch == 0);
        // what is stored of it is no share
        let bytes = share.to_secret_bytes();
        assert!(Share::decode(&mut Reader::new(&bytes)).is_err());
        assert_eq!(share.public_key().is_some(), *me != id(9), "the dealer is no member");
    }
    let mut starts = Vec::new();
    for (me, share) in imported.iter().filter(|(me, _)| *me != id(9)) {
        let auth = devices.at(*me).auth();
        starts.push((*me, committee::first_refresh(share, &ids(&[1, 3]), 1, auth, &mut devices.rng(*me)).unwrap()));
    }
    for (me, (reshared, _)) in Crowd::<Reshare<G, Refreshes>>::new(starts).outputs() {
        let (share, health) = (reshared.share.unwrap(), reshared.health);
        assert!(health.marks.imported && share.marks().imported, "it stays so");
        assert!(*share.public_key() == public_key && share.chain_code() == &CHAIN_CODE);
        let plan = Plan::of(&share, &ids(&[1, 3]), share.epoch(), Factors::Gone);
        let device = devices.at(me);
        store::advance(&mut device.ledger, &mut device.bank, me, &plan, &health).unwrap();
        device.share = Some(share);
    }
    devices.pair_setups();
    devices.sign(&[1, 2]);
    devices.sign(&[2, 3]);

    // backups of the new shares, by password and phrase; the mark is inside
    let mut rng = rng(63);
    let password = Password::new("correct horse battery staple", &PasswordPolicy::default()).unwrap();
    let phrase = Phrase::generate(&mut rng).unwrap();
    let backups = [1, 3].map(|me| {
        let slots = [NewSlot::Password(&password, CHEAP), NewSlot::Phrase(&phrase)];
        Backup::create(devices.share(me), &slots, &mut rng).unwrap().to_pem()
    });
    let expected = Expected::key(public_key).epoch(1);
    let unlocks = [Unlock::Password(&password), Unlock::Phrase(&phrase)];
    let mut opened = Vec::new();
    for (pem, unlock) in backups.iter().zip(unlocks) {
        let share = Backup::from_pem(pem).unwrap().open::<Share>(&unlock, &expected, &Limits::default()).ok().unwrap();
        assert!(share.secret.marks().imported && share.secret.epoch() == 1);
        opened.push(share.secret);
    }

    // attacks.md row 91: from the opened backups alone the key of the file, with the chain code, so with every address
    let consent = Consent::new([Change::Exits(opened[0].key_id())]);
    let whole = exit(&opened, &consent).unwrap();
    assert_eq!(*xprv(whole.secret(), whole.chain_code()), *before);
    for path in ["m/0/5", "m/44/60/0/0/0"] {
        let path: DerivationPath = path.parse().unwrap();
        let derived = |key: &<G as Group>::Point, code: &[u8; 32]| symbolon_ecdsa::derive(key, code, &path).unwrap();
        let live = devices.share(2);
        let (one, other) =
            (derived(live.public_key(), live.chain_code()), derived(&whole.secret().public(), whole.chain_code()));
        assert!(one.public_key == other.public_key);
    }
    let again = to_keystore(whole.secret(), PASSWORD, &CHEAP, &mut rng).unwrap();
    let read = from_keystore(&again, PASSWORD, &Limits::default()).ok().unwrap();
    assert_eq!(read.to_bytes().expose(), original.to_bytes().expose());
}
