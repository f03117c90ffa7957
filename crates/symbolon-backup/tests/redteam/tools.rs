//! Forgeries, and containers made by hand.

use crate::world::rng;
use aes_gcm::{Aes256Gcm, aead::Aead};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use symbolon_backup::{
    Backed, Backup, Expected, Header, Limits, NewSlot, Password, PasswordPolicy, ReadError, Unlock, Work, to_keystore,
};
use symbolon_core::{Group, PartyId, Role, Secp256k1, SecretScalar, Threshold};
use symbolon_seal::{DeviceKey, seal_to_device};
use symbolon_session::Identity;
use symbolon_sharing::{KeyShare, Marks, Member, PairFactor, Parts, lagrange_at};

pub(crate) const CHEAP: Work = Work { log_n: 14, r: 1, p: 1 };

pub(crate) type Share = KeyShare<Secp256k1>;

pub(crate) fn scalar(value: u64) -> SecretScalar<Secp256k1> {
    SecretScalar::new(value.into())
}

/// A share that passes every check against the public key, made of the clear part alone: `t - 1` public shares are chosen with
/// their secrets, the public key gives the others.
pub(crate) fn forged_share(header: &Header, epoch: u32) -> Share {
    let (threshold, parties) = header.threshold();
    let public_key = Secp256k1::point_from_bytes(header.public_key()).unwrap();
    let me = header.index();
    let others = (1..=parties).filter(|i| *i != me.get());
    let chosen: Vec<u16> = std::iter::once(me.get()).chain(others).take(usize::from(threshold) - 1).collect();
    // Lagrange does not mind where 0 is, and the library takes no index 0
    let moved = |i: u16| <Secp256k1 as Group>::Scalar::from(u64::from(i) + 1);
    let nodes: Vec<_> = std::iter::once(0).chain(chosen.iter().copied()).map(moved).collect();
    let points: Vec<_> =
        std::iter::once(public_key).chain(chosen.iter().map(|i| scalar(7 + u64::from(*i)).public())).collect();
    let at = |i: u16| {
        let weights = lagrange_at::<Secp256k1>(&nodes, &moved(i)).unwrap();
        let terms: Vec<_> = points.iter().copied().zip(weights).collect();
        Secp256k1::lincomb_vartime(&terms)
    };
    let id = |i: u16| PartyId::new(i).unwrap();
    let member =
        |i: u16| Member { id: id(i), identity: Identity::Key([u8::try_from(i).unwrap(); 32]), public_share: at(i) };
    KeyShare::new(Parts {
        scheme: header.scheme(),
        key_id: header.key_id(),
        sharing_id: header.sharing_id(),
        epoch,
        members: (1..=parties).map(member).collect(),
        threshold: Threshold::new(threshold, parties.into()).unwrap(),
        me,
        x: scalar(7 + u64::from(me.get())),
        public_key,
        chain_code: [0; 32],
        marks: Marks::default(),
    })
    .unwrap()
}

/// A factor that passes every check against the public key: any scalar `a`, and `P/a` for the peer's point.
pub(crate) fn forged_factor(
    public_key: &<Secp256k1 as Group>::Point,
    model: &PairFactor,
    generation: u32,
) -> PairFactor {
    let inverse = scalar(7).expose().invert().unwrap();
    let peer = Secp256k1::mul(public_key, &inverse);
    let role: Role = model.pair().role();
    PairFactor::new(role.into(), model.key_id(), generation, scalar(7), peer, *public_key, [0; 32]).unwrap()
}

/// What the storage has, with a slot of its own put in: no secret is needed, and neither MAC nor payload fit.
pub(crate) fn with_slot_of(stored: &Backup, eve: &DeviceKey, any: &impl Backed) -> Backup {
    let own = Backup::create(any, &[NewSlot::Device(eve.public())], &mut rng(99)).unwrap();
    let clear = 8 + 3 + 16 + 16 + 4 + 4 + 6 + 34 + 34;
    let slots = |backup: &Backup| {
        let store = backup.clone().detach().0.to_bytes();
        (store[clear], store[clear + 1..store.len() - 64].to_vec())
    };
    let ((count, theirs), (_, slot)) = (slots(stored), slots(&own));
    let bytes = stored.to_bytes();
    let rest = crate::world::payload(stored);
    let whole = [&bytes[..clear], &[count + 1], &theirs, &slot, &[0; 32], &rest, &[0; 32]].concat();
    Backup::from_bytes(&crate::world::rehashed(whole)).unwrap()
}

/// A backup of `forged` that opens with everything that `stored` opens with, and with Eve's device: made without any secret.
pub(crate) fn forge<S: Backed>(stored: &Backup, forged: &S, eve: &DeviceKey) -> Backup {
    let planted = with_slot_of(stored, eve, forged);
    planted.reseal(forged, &planted.slot_set(), &mut rng(98)).map_err(|error| error.to_string()).unwrap().0
}

pub(crate) fn password() -> Password {
    Password::new("correct horse battery", &PasswordPolicy::default()).unwrap()
}

/// Whether Eve, who has nothing but her own device, has the share of `backup`.
pub(crate) fn leaks<S: Backed>(backup: &Backup, eve: &DeviceKey, public_key: &<S::Group as Group>::Point) -> bool {
    backup.open::<S>(&Unlock::Device(eve), &Expected::key(*public_key), &Limits::default()).is_ok()
}

pub(crate) fn keystore(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let file = to_keystore(&scalar(9), "p", &CHEAP, &mut rng(1)).unwrap();
    let mut file = serde_json::from_str(&file).unwrap();
    change(&mut file);
    file.to_string()
}

/// The bytes up to the slots, count and slots, MAC, payload.
pub(crate) fn parts(backup: &Backup) -> [Vec<u8>; 4] {
    let (bytes, payload) = (backup.to_bytes(), crate::world::payload(backup));
    let clear = 8 + 3 + 16 + 16 + 4 + 4 + 6 + 34 + 34;
    let mac = bytes.len() - 32 - payload.len() - 32;
    [bytes[..clear].to_vec(), bytes[clear..mac].to_vec(), bytes[mac..mac + 32].to_vec(), payload]
}

pub(crate) fn read(parts: &[&[u8]]) -> Result<Backup, ReadError> {
    Backup::from_bytes(&crate::world::rehashed([&parts.concat()[..], &[0; 32]].concat()))
}

pub(crate) fn expand(data_key: &[u8; 32], label: &str) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, data_key).expand(label.as_bytes(), &mut key).unwrap();
    key
}

/// A container by the page, with any clear part and any content, for one device.
pub(crate) fn by_hand(clear: &[u8], content: &[u8], device: &DeviceKey) -> Backup {
    let data_key = [9; 32];
    let info = [b"symbolon/backup/1", clear].concat();
    let sealed = seal_to_device(device.public(), &info, &[], &data_key, &mut rng(7)).unwrap();
    let body =
        [&[1, 32][..], device.public().as_bytes(), &[0, 32], sealed.encapsulation(), &[0, 48], sealed.ciphertext()]
            .concat();
    let slots = [&[1, 3, 0, u8::try_from(body.len()).unwrap()][..], &body].concat();
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&expand(&data_key, "symbolon/backup/1/header")).unwrap();
    mac.update(&[clear, &slots].concat());
    let cipher = Aes256Gcm::new(&expand(&data_key, "symbolon/backup/1/payload").into());
    let message = aes_gcm::aead::Payload { msg: content, aad: clear };
    let ciphertext = cipher.encrypt(&[3; 12].into(), message).unwrap();
    let length = u32::try_from(ciphertext.len()).unwrap().to_be_bytes();
    let payload = [&[3; 12][..], &length, &ciphertext].concat();
    read(&[clear, &slots, &mac.finalize().into_bytes(), &payload]).unwrap()
}

/// The same share with another chain code.
pub(crate) fn with_chain_code(share: &Share, chain_code: [u8; 32]) -> Share {
    KeyShare::new(Parts {
        scheme: share.scheme(),
        key_id: share.key_id(),
        sharing_id: share.sharing_id(),
        epoch: share.epoch(),
        members: share.members().to_vec(),
        threshold: share.threshold(),
        me: share.me(),
        x: SecretScalar::new(*share.secret().expose()),
        public_key: *share.public_key(),
        chain_code,
        marks: share.marks(),
    })
    .unwrap()
}
