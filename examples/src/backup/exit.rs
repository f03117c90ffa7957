//! The way out: the whole key, offline, from the backups of as many shares as it takes.

use super::{
    Failure,
    arguments::Given,
    files,
    make::free,
    person::{Person, ask_new, new_password, working},
    store::{Keep, address},
    unlock::{Expect, File, Keys, Secret, Task},
};
use crate::BadInput;
use alloy_primitives::hex;
use std::{io::Write, path::Path};
use symbolon::{
    DerivationPath, Ed25519, EthereumAddress, KeyId, KeyShare, PairFactor, Secp256k1, SysRng,
    backup::{Change, Consent, Exit, ExitError, SecretKind, Work, exit as rebuild, exit_pair, to_keystore, xprv},
    derive,
    frost::sign_with_scalar,
};
use zeroize::Zeroizing;

const BIP32: &str = "\
backup: NEVER hand out the private key of a path: with the chain code, which every holder of a share has, one such key (they are \
not hardened) gives away the root, and with it all of them.\n";
const ALONE: &str = "\
backup: this machine has had the whole key, and the shares still are the key as well: move the funds to a fresh one.\n";

/// What the secret is written as.
enum Format {
    Xprv,
    Hex,
    Keystore(Zeroizing<String>, Work),
}

/// What is done with the key.
struct Wanted<'a> {
    paths: Vec<DerivationPath>,
    format: Format,
    to: Option<&'a Path>,
    sign: Option<(&'a Path, Zeroizing<Vec<u8>>)>,
    force: bool,
}

/// Rebuilds the key.
pub(super) fn exit(
    given: &Given,
    person: &mut impl Person,
    out: &mut impl Write,
    err: &mut impl Write,
) -> Result<(), Failure> {
    let (expect, keys) = (given.expect()?, given.keys()?);
    let files = given.files().iter().map(|path| File::read(path)).collect::<Result<Vec<_>, _>>()?;
    let first = files.first().ok_or_else(|| BadInput::new("which files?"))?;
    let (kind, on_ed25519) = (first.header().kind(), first.header().is_on::<Ed25519>());
    let like_first = |file: &File| file.header().kind() == kind && file.header().is_on::<Ed25519>() == on_ed25519;
    if let Some(other) = files.iter().find(|file| !like_first(file)) {
        let (one, other) = (first.path.display(), other.path.display());
        return Err(BadInput::new(format!(
            "{one} and {other} do not fit together: a factor and a share are no pair, take two of one kind"
        ))
        .into());
    }
    let wanted = Wanted::read(given, on_ed25519, person)?;
    consent(given, &expect, person)?;

    let mut secrets = Vec::new();
    for (at, file) in files.iter().enumerate() {
        secrets.push(keys.secret(at, file, person)?);
    }
    let opening = Opening { files: &files, expect: &expect, keys: &keys };
    match (kind, on_ed25519) {
        (SecretKind::PairFactor, false) => {
            let factors = opening.open::<PairFactor>(secrets, person)?;
            let [one, other] = factors.as_slice() else {
                return Err(BadInput::new("factors are two: give both backups").into());
            };
            let exit = exit_pair(one, other, &agreed(one.key_id())).map_err(|e| refused(e, &files))?;
            wanted.of_secp256k1(&exit, person, out, err)
        }
        (SecretKind::KeyShare, false) => {
            let exit = opening.rebuild::<Secp256k1>(secrets, person)?;
            wanted.of_secp256k1(&exit, person, out, err)
        }
        (SecretKind::KeyShare, true) => {
            let exit = opening.rebuild::<Ed25519>(secrets, person)?;
            wanted.of_ed25519(&exit, out, err)
        }
        _ => Err("the backups hold a kind of secret that this program does not know".into()),
    }
}

/// The address, typed by whoever wants the key of it in one place.
fn consent(given: &Given, expect: &Expect, person: &mut impl Person) -> Result<(), Failure> {
    let address = address(&expect.public_key())?;
    let typed = match given.text("consent")? {
        Some(typed) => typed.to_owned(),
        None => {
            let prompt = format!(
                "This rebuilds the WHOLE KEY of {address} on this machine. It should be offline, and trusted with all its funds.\n\
                 To go on, type the address: "
            );
            person.line(&prompt).map_err(|_| BadInput::new("there is no terminal to ask on: use --consent ADDRESS"))?
        }
    };
    if typed.trim() == address {
        return Ok(());
    }
    Err(BadInput::new(format!("not done: the consent has to be the address of the key, {address}, letter by letter"))
        .into())
}

fn agreed(key: KeyId) -> Consent {
    Consent::new([Change::Exits(key)])
}

fn refused(error: ExitError, files: &[File]) -> Failure {
    let names = files.iter().map(|file| file.path.display().to_string()).collect::<Vec<_>>().join(", ");
    let epochs: Vec<_> = files.iter().map(|file| file.header().epoch().to_string()).collect();
    match error {
        ExitError::Mixed => {
            format!("{names}: {error}. They are of epochs {}: look for backups of the same one", epochs.join(", "))
        }
        ExitError::Count => {
            let needed = files.first().map_or(2, |file| file.header().threshold().0);
            format!("{names}: {error}: it is {needed}, of different parties")
        }
        _ => format!("{names}: {error}"),
    }
    .into()
}

/// The backups that are opened together.
struct Opening<'a> {
    files: &'a [File],
    expect: &'a Expect,
    keys: &'a Keys,
}

impl Opening<'_> {
    fn open<S: Keep>(&self, secrets: Vec<Secret>, person: &impl Person) -> Result<Vec<S>, Failure> {
        let open = |(file, secret)| {
            let task = Task { file, secret, expect: self.expect, slots: None, limits: self.keys.limits() };
            task.with::<S, _>(person, |backup, unlock, expected, limits| backup.open::<S>(unlock, expected, limits))
        };
        // one secret for each file: they were made of the files
        self.files.iter().zip(secrets).map(open).map(|opened| opened.map(|opened| opened.secret)).collect()
    }

    fn rebuild<G: symbolon::Group>(&self, secrets: Vec<Secret>, person: &impl Person) -> Result<Exit<G>, Failure>
    where
        KeyShare<G>: Keep,
    {
        let shares = self.open::<KeyShare<G>>(secrets, person)?;
        let key = shares.first().map(KeyShare::key_id).ok_or_else(|| BadInput::new("which files?"))?;
        rebuild(&shares, &agreed(key)).map_err(|e| refused(e, self.files))
    }
}

impl<'a> Wanted<'a> {
    fn read(given: &'a Given, on_ed25519: bool, person: &mut impl Person) -> Result<Self, Failure> {
        let paths = given.texts("path")?.into_iter().map(|text| text.parse().map_err(BadInput::new));
        let paths = paths.collect::<Result<Vec<DerivationPath>, _>>()?;
        let (to, force) = (given.path("out"), given.flag("force"));
        let sign = given.path("sign").map(|path| Ok::<_, BadInput>((path, files::read(path)?))).transpose()?;
        let format = given.text("format")?.unwrap_or(if on_ed25519 { "hex" } else { "xprv" });
        match (on_ed25519, format) {
            (_, "xprv" | "hex" | "keystore") => {}
            _ => return Err(BadInput::new(format!("unknown format {format:?}: use xprv, hex or keystore")).into()),
        }
        if on_ed25519 && format != "hex" {
            return Err(BadInput::new(format!(
                "an ed25519 key has no {format}: its scalar (--format hex) is no seed, and no wallet imports it. Move the funds with --sign"
            ))
            .into());
        }
        if on_ed25519 && !paths.is_empty() {
            return Err(BadInput::new("--path is for secp256k1: an ed25519 key has no keys below it").into());
        }
        if !on_ed25519 && sign.is_some() {
            return Err(BadInput::new("--sign is for ed25519: any wallet imports a secp256k1 key (--format)").into());
        }
        if to.is_none() && given.text("format")?.is_some() {
            return Err(BadInput::new("--format goes with --out: a key is never printed unasked").into());
        }
        if let Some(to) = to.filter(|to| !is_standard_output(to)) {
            free(to, force)?;
        }
        let format = match format {
            "xprv" => Format::Xprv,
            "hex" => Format::Hex,
            _ => Format::Keystore(keystore_password(given, person)?, given.work()?),
        };
        Ok(Self { paths, format, to, sign, force })
    }

    fn of_secp256k1(
        &self,
        exit: &Exit<Secp256k1>,
        person: &impl Person,
        out: &mut impl Write,
        err: &mut impl Write,
    ) -> Result<(), Failure> {
        let root = EthereumAddress::from_public_key(exit.public_key());
        // the only line of a standard output that gets the key is the key
        let mut lines = vec![format!("the key of {root} is whole: it was rebuilt, and is that of the public key")];
        for path in &self.paths {
            let child = derive(exit.public_key(), exit.chain_code(), path)?;
            let address = EthereumAddress::from_public_key(&child.public_key);
            lines.push(format!("{:<12}  {address}", path.to_string()));
        }
        self.say(&lines, out, err)?;
        if self.to.is_some() {
            let secret = match &self.format {
                Format::Xprv => line(&xprv(exit.secret(), exit.chain_code())),
                Format::Hex => line(&Zeroizing::new(hex::encode(exit.secret().to_bytes().expose()))),
                Format::Keystore(password, work) => {
                    let made = working(person, "making the keystore", || {
                        to_keystore(exit.secret(), password, work, &mut SysRng)
                    })?;
                    line(&made)
                }
            };
            self.write(&secret, out)?;
        }
        err.write_all(BIP32.as_bytes())?;
        Ok(err.write_all(ALONE.as_bytes())?)
    }

    fn of_ed25519(&self, exit: &Exit<Ed25519>, out: &mut impl Write, err: &mut impl Write) -> Result<(), Failure> {
        use symbolon::Group;
        let public = Ed25519::point_to_bytes(exit.public_key());
        let root = address(&public)?;
        let mut lines = vec![
            format!("the key of {root} is whole: it was rebuilt, and is that of the public key"),
            format!("public key  {}", hex::encode(public)),
        ];
        if let Some((path, message)) = &self.sign {
            let signature = sign_with_scalar(exit.secret(), message, &mut SysRng)?;
            lines.push(format!("signature of {}  {}", path.display(), hex::encode(signature.to_bytes())));
        }
        self.say(&lines, out, err)?;
        if self.to.is_some() {
            let scalar = Zeroizing::new(hex::encode(exit.secret().to_bytes().expose()));
            self.write(&line(&scalar), out)?;
            err.write_all(
                b"backup: this is the scalar, little-endian, and not the seed that wallets import: sign with --sign, or with \
                  symbolon::frost::sign_with_scalar.\n",
            )?;
        }
        Ok(err.write_all(ALONE.as_bytes())?)
    }

    /// Public things go where the key does not.
    fn say(&self, lines: &[String], out: &mut impl Write, err: &mut impl Write) -> Result<(), Failure> {
        let key_on_out = self.to.is_some_and(is_standard_output);
        for line in lines {
            if key_on_out { writeln!(err, "backup: {line}")? } else { writeln!(out, "{line}")? }
        }
        Ok(())
    }

    fn write(&self, secret: &str, out: &mut impl Write) -> Result<(), Failure> {
        match self.to {
            Some(to) if is_standard_output(to) => Ok(out.write_all(secret.as_bytes())?),
            Some(to) => {
                files::write(to, secret.as_bytes(), self.force)?;
                Ok(writeln!(out, "{}: the key. Whoever reads this file has the funds", to.display())?)
            }
            None => Ok(()),
        }
    }
}

/// With its end.
fn line(text: &str) -> Zeroizing<String> {
    let mut line = Zeroizing::new(String::with_capacity(text.len() + 1));
    line.push_str(text);
    line.push('\n');
    line
}

fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-")
}

fn keystore_password(given: &Given, person: &mut impl Person) -> Result<Zeroizing<String>, Failure> {
    let password = match given.path("new-password-file") {
        Some(path) => {
            let text = files::first_line(path)?;
            new_password(&text)?;
            text
        }
        None => ask_new(person, "the keystore", "--new-password-file")?.1,
    };
    // wallets do not agree on how other characters are encoded
    if password.is_ascii() {
        Ok(password)
    } else {
        Err(BadInput::new("the password of a keystore has to be ASCII").into())
    }
}
