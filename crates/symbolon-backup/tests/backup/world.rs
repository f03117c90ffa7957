//! Shares to back up, and backups taken apart by their bytes.
#![allow(dead_code, missing_docs, reason = "each test takes what it needs")]

use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use sha2::{Digest, Sha256};
use symbolon_backup::Backup;
use symbolon_core::{Group, KeyId, PartyId, Role, Secp256k1, SecretScalar, SeedRng, SharingId, Threshold};
use symbolon_seal::{DevicePublicKey, seal_to_device};
use symbolon_session::Identity;
use symbolon_sharing::{KeyShare, Marks, Member, PairFactor, Parts, Scheme, split};

pub(crate) fn rng(seed: u8) -> ChaCha12Rng {
    ChaCha12Rng::from_seed([seed; 32])
}

/// Shares of one key for each `seed`, another sharing for each epoch.
pub(crate) fn deal<G: Group>(t: u16, n: u16, epoch: u32, seed: u8) -> Vec<KeyShare<G>> {
    let secret = SecretScalar::<G>::random(&mut SeedRng::new(&[seed; 32]));
    let indices: Vec<_> = (1..=n).map(|i| G::Scalar::from(u64::from(i))).collect();
    let threshold = Threshold::new(t, n.into()).unwrap();
    let of_epoch = [seed, u8::try_from(epoch).unwrap()].repeat(16).try_into().unwrap();
    let (shares, _) = split(&secret, threshold, &indices, &mut SeedRng::new(&of_epoch)).unwrap();
    let id = |i: u16| PartyId::new(i).unwrap();
    let members: Vec<Member<G>> = (1..=n)
        .map(|i| Member {
            id: id(i),
            identity: Identity::Key([u8::try_from(i).unwrap(); 32]),
            public_share: shares[usize::from(i) - 1].value.public(),
        })
        .collect();
    let share = |i: u16| {
        KeyShare::new(Parts {
            scheme: if G::ID == Secp256k1::ID { Scheme::Ecdsa } else { Scheme::Frost },
            key_id: KeyId::from_bytes([seed; 16]),
            sharing_id: SharingId::from_bytes([u8::try_from(epoch).unwrap(); 16]),
            epoch,
            members: members.clone(),
            threshold,
            me: id(i),
            x: SecretScalar::new(*shares[usize::from(i) - 1].value.expose()),
            public_key: secret.public(),
            chain_code: [4; 32],
            marks: Marks::default(),
        })
        .unwrap()
    };
    (1..=n).map(share).collect()
}

/// The same share under another name.
pub(crate) fn with_key_id(share: &KeyShare<Secp256k1>, key_id: KeyId) -> KeyShare<Secp256k1> {
    KeyShare::new(Parts {
        scheme: share.scheme(),
        key_id,
        sharing_id: share.sharing_id(),
        epoch: share.epoch(),
        members: share.members().to_vec(),
        threshold: share.threshold(),
        me: share.me(),
        x: SecretScalar::new(*share.secret().expose()),
        public_key: *share.public_key(),
        chain_code: *share.chain_code(),
        marks: share.marks(),
    })
    .unwrap()
}

/// Both sides of a two-party key.
pub(crate) fn factor(generation: u32) -> [PairFactor; 2] {
    let mut rng = SeedRng::new(&[8; 32]);
    let (a, b) = (SecretScalar::<Secp256k1>::random(&mut rng), SecretScalar::<Secp256k1>::random(&mut rng));
    let p = Secp256k1::mul(&b.public(), a.expose());
    let (to_server, to_client) = (b.public(), a.public());
    let side = |role: Role, secret, peer| {
        PairFactor::new(role.into(), KeyId::from_bytes([1; 16]), generation, secret, peer, p, [3; 32]).unwrap()
    };
    [side(Role::Server, a, to_server), side(Role::Client, b, to_client)]
}

/// A container whose last 32 bytes are made right again.
pub(crate) fn rehashed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len() - 32;
    let hash = Sha256::digest(&bytes[..end]);
    bytes[end..].copy_from_slice(&hash);
    bytes
}

/// Header and slots of one backup with the share of another.
pub(crate) fn with_slots_of(share: &Backup, slots: &Backup) -> Backup {
    let store = slots.clone().detach().0.to_bytes();
    let payload = payload(share);
    let front = &store[8..store.len() - 32];
    let whole = [b"SYMBKUP\x01", front, &payload[..], &[0; 32]].concat();
    Backup::from_bytes(&rehashed(whole)).unwrap()
}

/// Nonce, length, ciphertext.
pub(crate) fn payload(backup: &Backup) -> Vec<u8> {
    let bytes = backup.to_bytes();
    // of the whole all but the hash, less what the other half has of it
    let front = backup.clone().detach().0.to_bytes().len() - 32;
    bytes[front..bytes.len() - 32].to_vec()
}

/// A slot to be forged.
pub(crate) struct Forged<'a> {
    /// Type, and the body up to the public key.
    pub(crate) front: Vec<u8>,
    /// The public key, whose private key nobody needs.
    pub(crate) public: &'a DevicePublicKey,
    pub(crate) data_key: [u8; 32],
}

impl<'a> Forged<'a> {
    pub(crate) fn device(public: &'a DevicePublicKey, data_key: [u8; 32]) -> Self {
        Self { front: [&[3, 1, 32][..], public.as_bytes()].concat(), public, data_key }
    }
}

/// One of the keys of a data key.
pub(crate) fn derived(data_key: &[u8; 32], label: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(None, data_key).expand(label, &mut key).unwrap();
    key
}

/// A container with right MAC, under the data key of the first slot, and right hash, around any nonce and ciphertext.
pub(crate) fn assemble(
    clear: &[u8],
    slots: &[Forged<'_>],
    nonce: [u8; 12],
    ciphertext: &[u8],
    rng: &mut ChaCha12Rng,
) -> Vec<u8> {
    let info = [b"symbolon/backup/1", clear].concat();
    let mut file = [clear, &[u8::try_from(slots.len()).unwrap()]].concat();
    for slot in slots {
        let sealed = seal_to_device(slot.public, &info, &[], &slot.data_key, rng).unwrap();
        let parts: [&[u8]; 5] = [&slot.front[1..], &[0, 32], sealed.encapsulation(), &[0, 48], sealed.ciphertext()];
        let body = parts.concat();
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        file.extend_from_slice(&[&slot.front[..1], &length, &body].concat());
    }
    let key = derived(&slots[0].data_key, b"symbolon/backup/1/header");
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key).unwrap();
    mac.update(&file);
    file.extend_from_slice(&mac.finalize().into_bytes());
    let length = u32::try_from(ciphertext.len()).unwrap().to_be_bytes();
    rehashed([&file[..], &nonce, &length, ciphertext, &[0; 32]].concat())
}

/// Ciphertext and tag of a payload.
pub(crate) fn encrypted(data_key: &[u8; 32], nonce: [u8; 12], clear: &[u8], payload: &[u8]) -> Vec<u8> {
    let cipher = Aes256Gcm::new(&derived(data_key, b"symbolon/backup/1/payload").into());
    let mut buffer = payload.to_vec();
    let tag = cipher.encrypt_inout_detached(&nonce.into(), clear, buffer.as_mut_slice().into()).unwrap();
    buffer.extend_from_slice(&tag);
    buffer
}

/// A container around any payload with one slot, as somebody who knows its public key can make it.
pub(crate) fn forge(clear: &[u8], payload: &[u8], slot: Forged<'_>, rng: &mut ChaCha12Rng) -> Vec<u8> {
    let ciphertext = encrypted(&slot.data_key, [7; 12], clear, payload);
    assemble(clear, &[slot], [7; 12], &ciphertext, rng)
}

/// What a backup says in the clear, from the magic to the points.
pub(crate) fn clear_part(file: &[u8]) -> &[u8] {
    let at = 57 + 1 + usize::from(file[57]);
    &file[..at + 1 + usize::from(file[at])]
}
