//! Backups made.

use super::{
    Failure,
    arguments::Given,
    files,
    person::{Person, ask_new, new_password, working},
    read::list_slots,
    store::{Kept, Store},
    unlock::device_public_key,
};
use crate::BadInput;
use alloy_primitives::hex;
use std::{io::Write, path::Path};
use symbolon::{
    SysRng,
    backup::{Backed, Backup, DeviceKey, DevicePublicKey, NewSlot, Password, Phrase},
    wallet::Wallet,
};
use zeroize::Zeroizing;

/// The secrets of new slots. What they cost is said where they are used.
pub(super) struct Fresh {
    pub(super) password: Option<Password>,
    pub(super) phrase: Option<Phrase>,
    pub(super) devices: Vec<DevicePublicKey>,
}

/// Backs up what a store has.
pub(super) fn create(given: &Given, person: &mut impl Person, out: &mut impl Write) -> Result<(), Failure> {
    let (directory, to) = (given.needed("store")?, given.needed("out")?);
    let (work, force) = (given.work()?, given.flag("force"));
    let store = Store::open(directory)?;
    let kept = store.kept()?;
    // before anything is asked
    let kept = if given.flag("factor") { with_factor(kept)? } else { kept };
    free(to, force)?;
    let fresh = Fresh {
        password: password(given, person)?,
        phrase: given.flag("phrase").then(|| Phrase::generate(&mut SysRng)).transpose()?,
        devices: given.paths("device").map(device_public_key).collect::<Result<_, _>>()?,
    };
    let password = fresh.password.iter().map(|password| NewSlot::Password(password, work));
    let slots: Vec<_> = password
        .chain(fresh.phrase.iter().map(NewSlot::Phrase))
        .chain(fresh.devices.iter().map(NewSlot::Device))
        .collect();
    if slots.is_empty() {
        return Err(BadInput::new("nothing would open it: give --phrase or --device, or a password").into());
    }
    let factor_stays = !given.flag("factor") && matches!(&kept, Kept::Wallet(wallet) if wallet.factor().is_some());
    // a phrase that nobody has read opens nothing: first it is shown, then there is a file for it
    fresh.phrase.as_ref().map_or(Ok(()), |phrase| show(phrase, to, person))?;
    let backup = match kept {
        Kept::Wallet(wallet) if given.flag("factor") => back_up_factor(*wallet, &store, &slots, to, force, person)?,
        Kept::Wallet(wallet) => back_up(wallet.share(), &slots, to, force, person)?,
        Kept::Ed25519(share) => back_up(&*share, &slots, to, force, person)?,
        Kept::Factor(factor) => back_up(&*factor, &slots, to, force, person)?,
    };
    store.record(backup.header().kind(), backup.slot_set(), None)?;
    writeln!(out, "{}: made. It opens with any one of:", to.display(),)?;
    list_slots(&backup, out)?;
    if factor_stays {
        writeln!(out, "The store still has the factor: back it up too (--factor), or let the application erase it.")?;
    }
    writeln!(out, "Check it now and then: backup check {} --store {}", to.display(), directory.display())?;
    Ok(())
}

/// Refuses a store that has no factor.
fn with_factor(kept: Kept) -> Result<Kept, BadInput> {
    match kept {
        Kept::Wallet(ref wallet) if wallet.factor().is_none() => Err(BadInput::new(
            "the store has no factor: it was backed up or erased before. Leave --factor out to back up the share",
        )),
        Kept::Ed25519(_) => Err(BadInput::new("an ed25519 key has no factors: leave --factor out")),
        kept => Ok(kept),
    }
}

fn password(given: &Given, person: &mut impl Person) -> Result<Option<Password>, Failure> {
    match (given.flag("no-password"), given.path("password-file")) {
        (true, None) => Ok(None),
        (true, Some(_)) => Err(BadInput::new("give --password-file or --no-password, not both").into()),
        (false, Some(path)) => Ok(Some(new_password(&files::first_line(path)?)?)),
        (false, None) => Ok(Some(ask_new(person, "the backup", "--password-file or --no-password")?.0)),
    }
}

/// A long computation is not thrown away because of a name.
pub(super) fn free(path: &Path, force: bool) -> Result<(), BadInput> {
    if force || path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(BadInput::new(format!("{} exists: choose another name, or overwrite it with --force", path.display())))
}

/// Shows words, as what they are.
pub(super) fn show(phrase: &Phrase, of: &Path, person: &mut impl Person) -> Result<(), BadInput> {
    let mut text = Zeroizing::new(String::with_capacity(1024));
    text.push_str(&format!(
        "\nThe words of the backup {}. They are shown once: write them down.\n\
         They are the key of this backup, and no wallet: a program that asks for a wallet's words makes nothing of them.\n\n",
        of.display()
    ));
    for (number, word) in (1..).zip(phrase.words().split(' ')) {
        text.push_str(if number % 6 == 1 { "  " } else { " " });
        text.push_str(word);
        if number % 6 == 0 {
            text.push('\n');
        }
    }
    text.push('\n');
    person.show(&text).map_err(|_| BadInput::new("the words are shown on a terminal only, and there is none"))
}

fn back_up<S: Backed>(
    secret: &S,
    slots: &[NewSlot<'_>],
    to: &Path,
    force: bool,
    person: &impl Person,
) -> Result<Backup, Failure> {
    let backup = working(person, "making the backup", || Backup::create(secret, slots, &mut SysRng))?;
    files::write(to, backup.to_pem().as_bytes(), force)?;
    Ok(backup)
}

/// The factor leaves the store. At no moment is there a backup of it beside a share without the mark, or neither it nor a backup.
fn back_up_factor(
    wallet: Wallet,
    store: &Store,
    slots: &[NewSlot<'_>],
    to: &Path,
    force: bool,
    person: &impl Person,
) -> Result<Backup, Failure> {
    let none = || BadInput::new("the store has no factor");
    // the mark
    let (share, factor) = wallet.into_parts();
    let marked = Wallet::from_parts(share.with_factor_kept(), factor.ok_or_else(none)?)?;
    let marked = Kept::Wallet(Box::new(marked));
    store.put(&marked)?;
    let Kept::Wallet(marked) = marked else { return Err(none().into()) };
    // the backup
    let (wallet, factor) = marked.keep_factor();
    let backup = back_up(&factor.ok_or_else(none)?, slots, to, force, person)?;
    // the end of the factor here
    store.put(&Kept::Wallet(Box::new(wallet)))?;
    Ok(backup)
}

/// Makes the key of a device.
pub(super) fn device(given: &Given, out: &mut impl Write) -> Result<(), Failure> {
    let (to, force) = (given.needed("out")?, given.flag("force"));
    let mut public = to.as_os_str().to_owned();
    public.push(".pub");
    let public = Path::new(&public);
    free(public, force)?;
    let key = DeviceKey::generate(&mut SysRng)?;
    let digits = Zeroizing::new(hex::encode(key.to_bytes().expose()));
    let mut text = Zeroizing::new(String::with_capacity(256));
    text.push_str("# The secret key of a device, for this example: a device keeps its own in its secure storage\n");
    text.push_str(&digits);
    text.push('\n');
    files::write(to, text.as_bytes(), force)?;
    let digits = hex::encode(key.public().as_bytes());
    files::write(public, format!("{digits}\n").as_bytes(), force)?;
    writeln!(out, "{}: the device's secret key\n{}: its public key, {digits}", to.display(), public.display())?;
    Ok(())
}
