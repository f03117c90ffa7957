//! One holder: everything that it keeps between two runs.

use crate::wallet::Failure;
use rand_core::TryRng;
use std::collections::BTreeMap;
use symbolon::{
    Auth, Bank, Group, IdentityKey, KeyShare, MemoryLedger, PartyId, SecretBytes, SetupId, StorageKey, SysRng,
    committee::{Change, Consent, Holder, Item, KeyHealth, Plan, Resealed, Setups, retire},
    store,
};

/// A party and its stores. Nothing of it is ever shared with another party.
pub(super) struct Party {
    pub(super) id: PartyId,
    pub(super) name: String,
    identity: IdentityKey,
    storage: StorageKey,
    /// The disk: what is on it is sealed.
    disk: BTreeMap<&'static str, Vec<u8>>,
    /// What must not be in any backup.
    pub(super) ledger: MemoryLedger,
    bank: Bank<Item>,
    setups: BTreeMap<PartyId, SetupId>,
}

impl Party {
    pub(super) fn new(id: PartyId, name: impl Into<String>) -> Result<Self, Failure> {
        let mut key = [0; 32];
        SysRng.try_fill_bytes(&mut key)?;
        Ok(Self {
            id,
            name: name.into(),
            identity: IdentityKey::generate(&mut SysRng)?,
            storage: StorageKey::new(SecretBytes::new(key)),
            disk: BTreeMap::new(),
            ledger: MemoryLedger::default(),
            bank: Bank::default(),
            setups: BTreeMap::new(),
        })
    }

    pub(super) fn holder(&self) -> Holder {
        (self.id, self.identity.identity())
    }

    pub(super) fn auth(&self) -> Auth {
        Auth::Signed(self.identity.handle())
    }

    pub(super) const fn storage(&self) -> &StorageKey {
        &self.storage
    }

    pub(super) fn write(&mut self, name: &'static str, sealed: Vec<u8>) {
        self.disk.insert(name, sealed);
    }

    /// The share in use: of the latest confirmed epoch, or it is refused.
    pub(super) fn share<G: Group>(&mut self) -> Result<KeyShare<G>, Failure> {
        let share = self.open::<G>("share")?;
        store::current(&mut self.ledger, &share)?;
        Ok(share)
    }

    pub(super) fn open<G: Group>(&self, name: &str) -> Result<KeyShare<G>, Failure> {
        let sealed = self.disk.get(name).ok_or_else(|| format!("{} has no {name}", self.name))?;
        Ok(store::open(sealed, &self.storage)?)
    }

    pub(super) fn has_share(&self) -> bool {
        self.disk.contains_key("share")
    }

    /// Of a new key, or of a new epoch: the share before it stays as "old share" until it is retired.
    pub(super) fn keep<G: Group>(&mut self, share: Option<&KeyShare<G>>) -> Result<(), Failure> {
        if let Some(old) = self.disk.remove("share") {
            self.disk.insert("old share", old);
        }
        if let Some(share) = share {
            let sealed = store::seal(share, &self.storage, &mut SysRng)?;
            self.write("share", sealed);
        }
        self.disk.remove("pending");
        Ok(())
    }

    /// Enters a confirmed epoch: setups, seeds, bank items and the share of before are stale.
    pub(super) fn advance<G: Group>(&mut self, plan: &Plan<G>, health: &KeyHealth) -> Result<(), Failure> {
        Ok(store::advance(&mut self.ledger, &mut self.bank, self.id, plan, health)?)
    }

    /// What this holder signs once its run is `Done`.
    pub(super) fn word<G: Group>(&mut self, health: &KeyHealth) -> Result<[u8; 64], Failure> {
        Ok(health.confirmation(&self.share::<G>()?, &self.identity)?)
    }

    /// Erases the old share. Nobody here has a backup.
    pub(super) fn retire<G: Group>(&mut self, health: &mut KeyHealth) -> Result<(), Failure> {
        let old = self.open::<G>("old share")?;
        let consent = Consent::new([Change::Retires(old.key_id(), old.epoch())]);
        let backups = Resealed::without_backup(health);
        retire(old, health, &backups, &consent).map_err(|(_, why)| why)?;
        self.disk.remove("old share");
        Ok(())
    }

    pub(super) fn put_setups(&mut self, setups: Setups) -> Result<(), Failure> {
        self.setups.extend(store::put_setups(&mut self.ledger, &self.storage, setups, &mut SysRng)?);
        Ok(())
    }

    pub(super) fn take_setups(
        &mut self,
        with: &[PartyId],
    ) -> Result<Setups, store::TakeError<std::convert::Infallible>> {
        let ids: Vec<_> = with.iter().filter_map(|peer| self.setups.remove(peer)).collect();
        store::take_setups(&mut self.ledger, &self.storage, &ids, &mut SysRng)
    }
}
