//! Backups looked at, checked, opened.

use super::{
    Failure,
    arguments::Given,
    make::outside_of_stores,
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
        ("public share", hex::encode(header.public_share())),
        ("address", address(header.public_key())?),
        ("key id", hex::encode(header.key_id())),
        ("epoch", header.epoch().to_string()),
    ] {
        writeln!(out, "  {name:<14}{value}")?;
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
    let task = Task { file: &file, secret, expect: &expect, slots: None, limits: keys.limits() };
    let shown = file.path.display();
    let epoch = file.header().epoch();
    if by_kind!(file.header(), checked(&task, person, out))? {
        // the caller sees whose it is: a file of the other party is no backup of one's own
        let index = file.header().index();
        let whose = match expect.own_index(file.header()) {
            Some(own) if own != index => format!("party {index}, NOT of party {own}, whose store this is"),
            _ => format!("party {index}"),
        };
        writeln!(out, "{shown}: it holds the right share, of epoch {epoch}, of {whose}")?;
    } else {
        writeln!(out, "{shown}: it holds a share of this key, of epoch {epoch}. NOT PROVEN: {}", unproven(&file))?;
    }
    Ok(())
}

/// Gives whether it was known which share is the right one.
fn checked<S: Keep>(task: &Task<'_>, person: &impl Person, out: &mut impl Write) -> Result<bool, Failure> {
    // two answers: a lost password is not a bad share
    task.with::<S, _>(person, |backup, unlock, _, limits| backup.validate_password(unlock, limits))?;
    writeln!(out, "{}: it opens", task.file.path.display())?;
    let known = task.knows_share::<S>();
    task.with::<S, _>(person, |backup, unlock, expected, limits| {
        if known {
            backup.validate_share::<S>(unlock, expected, limits)
        } else {
            backup.open::<S>(unlock, expected, limits).map(drop)
        }
    })?;
    Ok(known)
}

/// What the public key alone leaves open, and what to do.
fn unproven(file: &File) -> String {
    let header = file.header();
    let (index, share) = (header.index(), hex::encode(header.public_share()));
    format!(
        "that this is the share of {index}. Anybody who knows the public key can make a share that fits it. The public share in \
         the file is {share}: compare it with what the other party has of {index} (its wallet.json), or give that with --share"
    )
}

/// Restores the share into a new store.
pub(super) fn open(
    given: &Given,
    person: &mut impl Person,
    out: &mut impl Write,
    err: &mut impl Write,
) -> Result<(), Failure> {
    let (expect, keys, into) = (given.expect()?, given.keys()?, given.needed("into")?);
    if into.symlink_metadata().is_ok() {
        // before anything is asked
        return Err(BadInput::new(format!("{} exists: choose another directory", into.display())).into());
    }
    outside_of_stores(into)?;
    let file = File::read(given.file()?)?;
    let secret = keys.secret(0, &file, person)?;
    let task = Task { file: &file, secret, expect: &expect, slots: None, limits: keys.limits() };
    let (kept, known) = by_kind!(file.header(), opened(&task, person))?;
    // its slots are on no record: whoever kept the file may have put one of its own there
    Store::create(into)?.put(&kept)?;
    writeln!(
        out,
        "{}: restored, of epoch {}. If the old device was lost and not destroyed, refresh the key: its share is as good as this one. \
         Make a new backup (backup create): the slots of this one are on no record here",
        into.display(),
        file.header().epoch()
    )?;
    if !known {
        writeln!(err, "backup: WARNING: not proven is {}. Do not use the store before that", unproven(&file))?;
    }
    Ok(())
}

fn opened<S: Keep>(task: &Task<'_>, person: &impl Person) -> Result<(super::store::Kept, bool), Failure> {
    let opened =
        task.with::<S, _>(person, |backup, unlock, expected, limits| backup.open::<S>(unlock, expected, limits))?;
    Ok((opened.secret.keep(), task.knows_share::<S>()))
}
