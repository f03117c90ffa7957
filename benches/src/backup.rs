//! Opening a backup with a password, and what scrypt takes of it.

use crate::{Committee, Cost, cpu};
use std::hint::black_box;
use symbolon::{
    KeyShare, Secp256k1,
    backup::{Backup, Expected, Limits, NewSlot, Password, Unlock, Work},
};
use symbolon_testkit::seeded;

const PASSWORD: &str = "correct horse battery staple";

/// A backup at the default cost.
pub struct Backups {
    share: KeyShare<Secp256k1>,
    password: Password,
    backup: Backup,
}

impl Backups {
    /// Of a share of 2 of 3.
    ///
    /// # Panics
    /// Never: the password is a password.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let share = Committee::<Secp256k1>::new(seed, 2, 3).with_keys(1).shares.swap_remove(0).swap_remove(0);
        let password = Password::entered(PASSWORD).expect("a password");
        let slots = [NewSlot::Password(&password, Work::default())];
        let backup = Backup::create(&share, &slots, &mut seeded(40)).expect("the default cost");
        Self { share, password, backup }
    }

    /// From the bytes to the share.
    ///
    /// # Panics
    /// If it does not open.
    #[must_use]
    pub fn open(&self) -> Cost {
        let bytes = self.backup.to_bytes();
        let before = cpu();
        let backup = Backup::from_bytes(black_box(&bytes)).expect("just made");
        let expected = Expected::key(*self.share.public_key());
        let unlock = Unlock::Password(&self.password);
        let opened = backup.open::<KeyShare<Secp256k1>>(&unlock, &expected, &Limits::default());
        black_box(opened.expect("the right password"));
        Cost { cpu: vec![cpu() - before], bytes: vec![bytes.len()], messages: 0, ..Cost::default() }
    }

    /// scrypt alone, at the same cost.
    ///
    /// # Panics
    /// Never: the parameters are valid.
    #[must_use]
    pub fn scrypt() -> Cost {
        let Work { log_n, r, p } = Work::default();
        let params = scrypt::Params::new(log_n, r, p).expect("the default cost");
        let before = cpu();
        let mut out = [0; 32];
        scrypt::scrypt(black_box(PASSWORD.as_bytes()), &[7; 32], &params, &mut out).expect("32 bytes");
        black_box(out);
        Cost { cpu: vec![cpu() - before], bytes: vec![0], messages: 0, ..Cost::default() }
    }
}
