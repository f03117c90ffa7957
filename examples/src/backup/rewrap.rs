//! Backups with other slots, and of newer shares.

use super::{
    Failure,
    arguments::Given,
    files,
    make::{free, put, show},
    person::{Person, ask_new, new_password},
    read::list_slots,
    store::{Keep, Kept, Store},
    unlock::{File, Keys, Task, Whose, by_kind, device_public_key},
};
use crate::BadInput;
use std::io::Write;
use symbolon::{
    SysRng,
    backup::{
        Backup, CreateError, DevicePublicKey, Expected, Limits, NewSlot, Password, Phrase, ResealError, SecretKind,
        SlotKind, SlotSet, Unlock, Work,
    },
};

/// What changes.
struct Changes {
    /// And the slot that it replaces, from 0 on; `None` adds one.
    password: Option<(Password, Option<usize>)>,
    work: Work,
    phrase: Option<Phrase>,
    devices: Vec<DevicePublicKey>,
    /// From 0 on.
    remove: Option<usize>,
}

/// Makes a changed backup.
pub(super) fn rewrap(given: &Given, person: &mut impl Person, out: &mut impl Write) -> Result<(), Failure> {
    let (to, force) = (given.needed("out")?, given.flag("force"));
    // what the store has recorded is all that tells a slot of the owner from one that somebody else put in
    given.needed("store")?;
    let (expect, keys) = (given.expect()?, given.keys()?);
    let reseals = given.flag("reseal");
    if reseals {
        only_reseals(given, &keys)?;
    }
    let Whose::Store(known) = &expect.whose else { return Err(BadInput::new("rewrap needs --store").into()) };
    let (store, kept) = &**known;
    let file = File::read(given.file()?)?;
    free(to, force)?;
    let recorded = on_record(store, &file)?;
    let (backup, old_copies) = if reseals {
        let backup = reseal(kept, recorded, &file)?;
        (backup, "open with the same, and give the share of their epoch: destroy them")
    } else {
        let secret = keys.secret(0, &file, person)?;
        let changes = Changes::read(given, &file, person)?;
        if let Some(phrase) = &changes.phrase {
            show(phrase, to, person)?;
        }
        let task = Task { file: &file, secret, expect: &expect, slots: Some(recorded), limits: keys.limits() };
        let backup = by_kind!(file.header(), change(&task, &changes, person))?;
        (backup, "still open with what opened them: destroy them. If it may have leaked, refresh the key, too")
    };
    let replaced = put(store, &backup, to, force, Some(&file.backup))?;
    writeln!(out, "{}: made, of epoch {}. It opens with any one of:", to.display(), backup.header().epoch())?;
    list_slots(&backup, out)?;
    replaced.say(to, out)?;
    writeln!(out, "Copies of {} {old_copies}.", file.path.display())?;
    Ok(())
}

/// The slots of the file, if they are those of a backup of the store.
fn on_record(store: &Store, file: &File) -> Result<SlotSet, Failure> {
    let (kind, found) = (file.header().kind(), file.backup.slot_set());
    let recorded: Vec<_> = store.recorded()?.into_iter().filter(|(of, _)| *of == kind).collect();
    if recorded.contains(&(kind, found)) {
        return Ok(found);
    }
    let why = if recorded.is_empty() {
        "the store has recorded no slots"
    } else {
        "its slots are not those that the store has recorded: somebody changed them, or a newer file has replaced this one"
    };
    Err(format!("{}: {why}. Make a new backup: backup create", file.path.display()).into())
}

impl Changes {
    fn read(given: &Given, file: &File, person: &mut impl Person) -> Result<Self, Failure> {
        let slots: Vec<_> = file.backup.slots().collect();
        let slot = |name: &str| -> Result<Option<usize>, BadInput> {
            let Some(number) = given.number(name, 8)? else { return Ok(None) };
            let at =
                usize::try_from(number).ok().and_then(|number| number.checked_sub(1)).filter(|at| *at < slots.len());
            at.map(Some)
                .ok_or_else(|| BadInput::new(format!("--{name} {number}: the file has {} slot(s)", slots.len())))
        };
        let (remove, replaced) = (slot("remove")?, slot("slot")?);
        let devices = given.paths("add-device").map(device_public_key).collect::<Result<Vec<_>, _>>()?;
        let new_file = given.path("new-password-file");
        let phrase = given.flag("add-phrase");
        let new_password_wanted = new_file.is_some() || given.flag("new-password");
        if !new_password_wanted {
            if replaced.is_some() {
                return Err(BadInput::new("--slot goes with --new-password: to take a slot away use --remove").into());
            }
            if !phrase && devices.is_empty() && remove.is_none() {
                return Err(BadInput::new(
                    "say what changes: --new-password, --add-phrase, --add-device, --remove or --reseal",
                )
                .into());
            }
        }
        let password = if new_password_wanted {
            let at = the_password(&slots, replaced)?;
            if at.is_some() && at == remove {
                return Err(BadInput::new("--remove names the slot whose password changes: do one of the two").into());
            }
            let password = match new_file {
                Some(path) => new_password(&files::first_line(path)?)?,
                None => ask_new(person, "the backup", "--new-password-file")?.0,
            };
            Some((password, at))
        } else {
            None
        };
        let phrase = phrase.then(|| Phrase::generate(&mut SysRng)).transpose()?;
        Ok(Self { password, work: given.work()?, phrase, devices, remove })
    }
}

/// Which slot a new password replaces; none where there is no password.
fn the_password(slots: &[SlotKind], named: Option<usize>) -> Result<Option<usize>, BadInput> {
    let passwords: Vec<_> = (0..slots.len()).filter(|at| slots.get(*at) == Some(&SlotKind::Password)).collect();
    match (passwords.as_slice(), named) {
        (all, Some(at)) if all.contains(&at) => Ok(Some(at)),
        (_, Some(_)) => Err(BadInput::new("--slot does not name a password")),
        ([], None) => Ok(None),
        ([at], None) => Ok(Some(*at)),
        _ => Err(BadInput::new("the file has several passwords: say with --slot which of them changes")),
    }
}

fn change<S: Keep>(task: &Task<'_>, changes: &Changes, person: &impl Person) -> Result<Backup, Failure> {
    let changed = task.with::<S, _>(person, |backup, unlock, expected, limits| {
        match changed::<S>(backup, changes, unlock, expected, limits) {
            Err(ResealError::Open(error)) => Err(error),
            other => Ok(other),
        }
    })?;
    changed.map_err(|error| match error {
        ResealError::Create(CreateError::Slots) => {
            BadInput::new("a backup has 1 to 8 slots, no two of them alike: see `backup inspect`").into()
        }
        other => format!("{}: {other}", task.file.path.display()).into(),
    })
}

/// First what keeps the data key. A new password opens what it has changed, also when the secret of the old file does no longer.
fn changed<S: Keep>(
    backup: &Backup,
    changes: &Changes,
    unlock: &Unlock<'_>,
    expected: &Expected<S::Group>,
    limits: &Limits,
) -> Result<Backup, ResealError> {
    let rng = &mut SysRng;
    let (mut changed, mut expected, mut unlock, mut limits) = (backup.clone(), *expected, *unlock, *limits);
    let added = changes.phrase.iter().map(NewSlot::Phrase).chain(changes.devices.iter().map(NewSlot::Device));
    for slot in added {
        changed = changed.add_slot::<S>(&slot, &unlock, &expected, &limits, rng)?;
        // made here, of what was expected
        expected = expected.slots(changed.slot_set());
    }
    if let Some((password, at)) = &changes.password {
        let slot = NewSlot::Password(password, changes.work);
        changed = match at {
            Some(at) => changed.replace_slot::<S>(*at, &slot, &unlock, &expected, &limits, rng)?,
            None => changed.add_slot::<S>(&slot, &unlock, &expected, &limits, rng)?,
        };
        expected = expected.slots(changed.slot_set());
        (unlock, limits) = (Unlock::Password(password), with_own(&limits, &changes.work));
    }
    match changes.remove {
        Some(at) => changed.remove_slot::<S>(at, &unlock, &expected, &limits, rng),
        None => Ok(changed),
    }
}

/// What the caller allows for slots of the file, and the cost of a new one, which is the caller's own choice.
fn with_own(limits: &Limits, own: &Work) -> Limits {
    let n = 1u64.checked_shl(own.log_n.into()).unwrap_or(u64::MAX);
    let memory = n.saturating_mul(128).saturating_mul(own.r.into());
    let work = memory.saturating_mul(own.p.into());
    Limits { memory: limits.memory.max(memory), work: limits.work.saturating_add(work) }
}

fn only_reseals(given: &Given, keys: &Keys) -> Result<(), BadInput> {
    let other = ["new-password-file", "slot", "add-device", "remove", "log-n", "share"]
        .iter()
        .any(|name| given.path(name).is_some());
    if other || given.flag("new-password") || given.flag("add-phrase") || !keys.given.is_empty() {
        return Err(BadInput::new("--reseal changes no slot and opens none: leave the other options out"));
    }
    Ok(())
}

/// Seals the store's newer share to the same slots.
fn reseal(kept: &Kept, recorded: SlotSet, file: &File) -> Result<Backup, Failure> {
    let (kind, backup, recorded) = (file.header().kind(), &file.backup, &recorded);
    let rng = &mut SysRng;
    let resealed = match kept {
        Kept::Wallet(wallet) if kind == SecretKind::KeyShare => {
            backup.reseal(wallet.share(), recorded, rng).map(|r| r.0)
        }
        Kept::Wallet(wallet) => match wallet.factor() {
            Some(factor) => backup.reseal(factor, recorded, rng).map(|r| r.0),
            None => return Err(BadInput::new("the store has no factor, and the file is the backup of one").into()),
        },
        Kept::Ed25519(share) => backup.reseal(&**share, recorded, rng).map(|r| r.0),
        Kept::Factor(factor) => backup.reseal(&**factor, recorded, rng).map(|r| r.0),
    };
    resealed.map_err(|error| format!("{}: {error}", file.path.display()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_password_allows_its_own_cost_and_no_more() {
        let limits = Limits::default();
        let of = |log_n| with_own(&limits, &Work { log_n, r: 8, p: 1 });
        assert_eq!(of(14), Limits { memory: limits.memory, work: limits.work + (16 << 20) });
        assert_eq!(of(19), Limits { memory: 512 << 20, work: limits.work + (512 << 20) });
        assert_eq!(of(255), Limits { memory: u64::MAX, work: u64::MAX });
    }
}
