//! Backups made.

use super::{
    Failure,
    arguments::Given,
    files,
    person::{Person, ask_new, new_password, working},
    read::list_slots,
    store::{Kept, Store, is_store, name as kind_name},
    unlock::{File, device_public_key},
};
use crate::BadInput;
use alloy_primitives::hex;
use std::{io::Write, path::Path};
use symbolon::{
    SysRng,
    backup::{Backed, Backup, DeviceKey, DevicePublicKey, NewSlot, Password, Phrase, SecretKind},
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
    let new = New { store: &store, slots: &slots, to, force };
    let (backup, replaced) = match kept {
        Kept::Wallet(wallet) if given.flag("factor") => new.back_up_factor(*wallet, person)?,
        Kept::Wallet(wallet) => new.back_up(wallet.share(), person)?,
        Kept::Ed25519(share) => new.back_up(&*share, person)?,
        Kept::Factor(factor) => new.back_up(&*factor, person)?,
    };
    writeln!(out, "{}: made. It opens with any one of:", to.display(),)?;
    list_slots(&backup, out)?;
    let share = hex::encode(backup.header().public_share());
    writeln!(out, "Its public share is {share}: it tells this share from any other, note it where the file is not.")?;
    replaced.say(to, out)?;
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

/// A long computation is not thrown away because of a name, and no store because of `--force`.
pub(super) fn free(path: &Path, force: bool) -> Result<(), BadInput> {
    outside_of_stores(path)?;
    if force || path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(BadInput::new(format!("{} exists: choose another name, or overwrite it with --force", path.display())))
}

/// Refuses names in the directory of a store, and below it.
pub(super) fn outside_of_stores(path: &Path) -> Result<(), BadInput> {
    // without a directory nothing is written, and that says why
    let Ok(directory) = files::directory(path).canonicalize() else { return Ok(()) };
    directory.ancestors().find(|directory| is_store(directory)).map_or(Ok(()), |store| {
        let (path, store) = (path.display(), store.display());
        Err(BadInput::new(format!("{path} is in the store {store}, and would be lost with it: choose another place")))
    })
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

/// A backup that is made for a store.
struct New<'a> {
    store: &'a Store,
    slots: &'a [NewSlot<'a>],
    to: &'a Path,
    force: bool,
}

impl New<'_> {
    fn back_up<S: Backed>(&self, secret: &S, person: &impl Person) -> Result<(Backup, Replaced), Failure> {
        let backup = working(person, "making the backup", || Backup::create(secret, self.slots, &mut SysRng))?;
        let replaced = put(self.store, &backup, self.to, self.force, None)?;
        Ok((backup, replaced))
    }

    /// The factor leaves the store. At no moment is there a backup of it beside a share without the mark, or neither it nor a
    /// backup.
    fn back_up_factor(&self, wallet: Wallet, person: &impl Person) -> Result<(Backup, Replaced), Failure> {
        let none = || BadInput::new("the store has no factor");
        // the mark
        let (share, factor) = wallet.into_parts();
        let marked = Wallet::from_parts(share.with_factor_kept(), factor.ok_or_else(none)?)?;
        let marked = Kept::Wallet(Box::new(marked));
        self.store.put(&marked)?;
        let Kept::Wallet(marked) = marked else { return Err(none().into()) };
        // the backup
        let (wallet, factor) = marked.keep_factor();
        let made = self.back_up(&factor.ok_or_else(none)?, person)?;
        // the end of the factor here
        self.store.put(&Kept::Wallet(Box::new(wallet)))?;
        Ok(made)
    }
}

/// What was where a backup now is.
pub(super) enum Replaced {
    /// Nothing, or a file that was on record; it is not any more.
    Known,
    /// Something else, and as many backups that are still on record: it may have been one of them.
    Unknown(usize),
}

impl Replaced {
    pub(super) fn say(&self, to: &Path, out: &mut impl Write) -> Result<(), Failure> {
        let Self::Unknown(others) = self else { return Ok(()) };
        Ok(writeln!(
            out,
            "What was at {} before was no backup on record, and {others} other(s) still are. If it should have been one of them, its \
             slots could still receive the next share: backup forget, and make new backups.",
            to.display()
        )?)
    }
}

/// Writes a backup whose slots are on record whenever there is such a file. Then those of the files that it replaces are not any
/// more: the one that it was made from, and the one that it overwrites.
pub(super) fn put(
    store: &Store,
    backup: &Backup,
    to: &Path,
    force: bool,
    from: Option<&Backup>,
) -> Result<Replaced, Failure> {
    let record = |backup: &Backup| (backup.header().kind(), backup.slot_set());
    let existed = to.symlink_metadata().is_ok();
    let overwritten = File::read(to).ok();
    let old: Vec<_> = overwritten.iter().map(|file| &file.backup).chain(from).map(record).collect();
    let new = record(backup);
    let recorded = store.recorded()?;
    let known = !existed || overwritten.is_some_and(|file| recorded.contains(&record(&file.backup)));

    let added = store.record(new.0, new.1)?;
    if let Err(failure) = files::write(to, backup.to_pem().as_bytes(), force) {
        // it may be there all the same, if only the directory was not written
        let there = File::read(to).is_ok_and(|file| file.backup == *backup);
        if added && !there {
            store.forget(|kind, slots| (kind, slots) != new)?;
        }
        return Err(failure);
    }
    store.forget(|kind, slots| (kind, slots) == new || !old.contains(&(kind, slots)))?;
    let others = store.recorded()?.iter().filter(|one| one.0 == new.0 && **one != new).count();
    Ok(if known || others == 0 { Replaced::Known } else { Replaced::Unknown(others) })
}

/// Takes all records of one kind away: no file that was made before is changed or re-sealed any more.
pub(super) fn forget(given: &Given, out: &mut impl Write) -> Result<(), Failure> {
    let store = Store::open(given.needed("store")?)?;
    let factor = given.flag("factor") || matches!(store.kept()?, Kept::Factor(_));
    let forgotten = if factor { SecretKind::PairFactor } else { SecretKind::KeyShare };
    let count = store.forget(|kind, _| kind != forgotten)?;
    let name = kind_name(forgotten);
    Ok(writeln!(
        out,
        "{count} backup(s) of the {name} forgotten: make new backups with create. The old files still open."
    )?)
}

/// Makes the key of a device.
pub(super) fn device(given: &Given, out: &mut impl Write) -> Result<(), Failure> {
    let (to, force) = (given.needed("out")?, given.flag("force"));
    let mut public = to.as_os_str().to_owned();
    public.push(".pub");
    let public = Path::new(&public);
    free(to, force)?;
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
