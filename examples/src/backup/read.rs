//! Backups looked at, checked, opened.

use super::{
    Failure,
    arguments::Given,
    person::Person,
    store::{Keep, Store, address, name as kind_name},
    unlock::{File, Task, by_kind, name as slot_name},
};
use crate::BadInput;
use alloy_primitives::hex;
use serde_json::{Value, json};
use std::io::Write;
use symbolon::{
    Ed25519,
    backup::{Backup, SecretKind, Work},
};

/// What a file says of itself.
pub(super) fn inspect(given: &Given, out: &mut impl Write) -> Result<(), Failure> {
    let file = File::read(given.file()?)?;
    if given.flag("json") {
        return Ok(writeln!(out, "{}", json(&file)?)?);
    }
    let header = file.header();
    let (needed, of) = header.threshold();
    let secret = match header.kind() {
        SecretKind::PairFactor => format!("the multiplicative factor of {}", header.index()),
        _ => format!("the share of {}, of which {needed} of {of} are needed", header.index()),
    };
    writeln!(
        out,
        "{}: a share backup. It says (nothing of this is verified before it is opened):",
        file.path.display()
    )?;
    for (name, value) in [
        ("secret", secret),
        ("signs", format!("{} on {}", header.scheme().name().to_uppercase(), curve(&file))),
        ("public key", hex::encode(header.public_key())),
        ("address", address(header.public_key())?),
        ("key id", hex::encode(header.key_id())),
        ("epoch", header.epoch().to_string()),
    ] {
        writeln!(out, "  {name:<12}{value}")?;
    }
    writeln!(out, "It opens with any one of:")?;
    list_slots(&file.backup, out)
}

/// Numbers, kinds, costs.
pub(super) fn list_slots(backup: &Backup, out: &mut impl Write) -> Result<(), Failure> {
    for (number, (kind, cost)) in (1..).zip(backup.slots().zip(backup.costs())) {
        let cost = cost.map_or_else(String::new, |Work { log_n, r, p }| {
            let memory =
                1u64.checked_shl(log_n.into()).unwrap_or(u64::MAX).saturating_mul(128).saturating_mul(r.into());
            format!("  scrypt N = 2^{log_n}, r = {r}, p = {p}: {} MiB for each try", memory >> 20)
        });
        let line = format!("  {number}  {:<12}{cost}", slot_name(kind));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn curve(file: &File) -> &'static str {
    if file.header().is_on::<Ed25519>() { "ed25519" } else { "secp256k1" }
}

fn json(file: &File) -> Result<Value, BadInput> {
    let header = file.header();
    let slots = file.backup.slots().zip(file.backup.costs()).map(|(kind, cost)| match cost {
        Some(Work { log_n, r, p }) => json!({ "kind": slot_name(kind), "log_n": log_n, "r": r, "p": p }),
        None => json!({ "kind": slot_name(kind) }),
    });
    let (threshold, parties) = header.threshold();
    Ok(json!({
        "verified": false,
        "secret": kind_name(header.kind()),
        "curve": curve(file),
        "scheme": header.scheme().name(),
        "public_key": hex::encode(header.public_key()),
        "address": address(header.public_key())?,
        "public_share": hex::encode(header.public_share()),
        "key_id": hex::encode(header.key_id()),
        "sharing_id": hex::encode(header.sharing_id()),
        "epoch": header.epoch(),
        "index": header.index().get(),
        "threshold": threshold,
        "parties": parties,
        "slots": slots.collect::<Vec<_>>(),
    }))
}

/// Whether it opens, and holds the right share.
pub(super) fn check(given: &Given, person: &mut impl Person, out: &mut impl Write) -> Result<(), Failure> {
    let (expect, keys) = (given.expect()?, given.keys()?);
    let file = File::read(given.file()?)?;
    let secret = keys.secret(0, &file, person)?;
    let task = Task { file: &file, secret, expect: &expect, limits: keys.limits() };
    let shown = file.path.display();
    by_kind!(file.header(), checked(&task, person, out))?;
    writeln!(out, "{shown}: it holds the right share, of epoch {}", file.header().epoch())?;
    Ok(())
}

fn checked<S: Keep>(task: &Task<'_>, person: &impl Person, out: &mut impl Write) -> Result<(), Failure> {
    // two answers: a lost password is not a bad share
    task.with::<S, _>(person, |backup, unlock, _, limits| backup.validate_password(unlock, limits))?;
    writeln!(out, "{}: it opens", task.file.path.display())?;
    task.with::<S, _>(person, |backup, unlock, expected, limits| backup.validate_share::<S>(unlock, expected, limits))
}

/// Restores the share into a new store.
pub(super) fn open(given: &Given, person: &mut impl Person, out: &mut impl Write) -> Result<(), Failure> {
    let (expect, keys, into) = (given.expect()?, given.keys()?, given.needed("into")?);
    if into.symlink_metadata().is_ok() {
        // before anything is asked
        return Err(BadInput::new(format!("{} exists: choose another directory", into.display())).into());
    }
    let file = File::read(given.file()?)?;
    let secret = keys.secret(0, &file, person)?;
    let task = Task { file: &file, secret, expect: &expect, limits: keys.limits() };
    let (kept, slots) = by_kind!(file.header(), opened(&task, person))?;
    let store = Store::create(into)?;
    store.put(&kept)?;
    store.record(file.header().kind(), slots, None)?;
    writeln!(
        out,
        "{}: restored, of epoch {}. If the old device was lost and not destroyed, refresh the key: its share is as good as this one",
        into.display(),
        file.header().epoch()
    )?;
    Ok(())
}

type Restored = (super::store::Kept, symbolon::backup::SlotSet);

fn opened<S: Keep>(task: &Task<'_>, person: &impl Person) -> Result<Restored, Failure> {
    let opened =
        task.with::<S, _>(person, |backup, unlock, expected, limits| backup.open::<S>(unlock, expected, limits))?;
    Ok((opened.secret.keep(), opened.slots))
}
