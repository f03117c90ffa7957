//! A backup in two halves, which different holders may keep: neither opens without the other.

use crate::{
    AttachError, Backup, Header, ReadError,
    container::{Framed, Payload, start, with_hash},
    slot::Slot,
};
use alloc::vec::Vec;
use sha2::{Digest, Sha256};
use symbolon_core::wire::Writer;

const STORE: &[u8; 7] = b"SYMBKUS";
const SHARE: &[u8; 7] = b"SYMBKUE";

/// Header and slots: what a password opens, without the share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SecretStore {
    header: Header,
    slots: Vec<Slot>,
    mac: [u8; 32],
}

/// The encrypted share, without the slots.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncryptedShare {
    header: Header,
    /// Of the other half.
    store: [u8; 32],
    payload: Payload,
}

impl SecretStore {
    fn authenticated(&self) -> Writer {
        let mut w = Writer::new();
        w.bytes(&Backup::authenticated_part(&self.header, &self.slots)).bytes(&self.mac);
        w
    }

    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        start(&mut w, STORE);
        // without the magic of the whole
        w.bytes(self.authenticated().finish().get(8..).unwrap_or_default());
        with_hash(w)
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut r = Framed::read(bytes, STORE)?.reader;
        let header = Header::read(&mut r)?;
        let slots = Backup::read_slots(&mut r)?;
        let mac = r.array()?;
        r.finish()?;
        Ok(Self { header, slots, mac })
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.authenticated().finish()).into()
    }
}

impl EncryptedShare {
    /// The bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        start(&mut w, SHARE);
        self.header.write(&mut w);
        w.bytes(&self.store);
        self.payload.write(&mut w);
        with_hash(w)
    }

    /// Reads bytes.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        let mut r = Framed::read(bytes, SHARE)?.reader;
        let header = Header::read(&mut r)?;
        let store = r.array()?;
        let payload = Payload::read(&mut r)?;
        r.finish()?;
        Ok(Self { header, store, payload })
    }
}

impl Backup {
    /// Splits it.
    #[must_use]
    pub fn detach(self) -> (SecretStore, EncryptedShare) {
        let Self { header, slots, mac, payload } = self;
        let store = SecretStore { header: header.clone(), slots, mac };
        let share = EncryptedShare { header, store: store.hash(), payload };
        (store, share)
    }

    /// Joins the halves of one backup.
    ///
    /// # Errors
    /// [`AttachError`].
    pub fn attach(store: SecretStore, share: EncryptedShare) -> Result<Self, AttachError> {
        if store.header.key_id != share.header.key_id || store.header.public_key != share.header.public_key {
            return Err(AttachError::OtherKey);
        }
        if store.hash() != share.store || store.header != share.header {
            return Err(AttachError::OtherBackup);
        }
        let SecretStore { header, slots, mac } = store;
        Ok(Self { header, slots, mac, payload: share.payload })
    }
}
