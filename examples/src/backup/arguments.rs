//! Reading the arguments.

use super::{
    Failure,
    unlock::{Expect, How, Keys, Whose},
};
use crate::BadInput;
use alloy_primitives::hex;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};
use symbolon::{Ed25519, Group, Secp256k1, backup::Work};

/// Options with a value; those with `true` may be given several times.
const UNLOCK: [(&str, bool); 3] = [("password-file", true), ("phrase-file", true), ("device-key", true)];
const STORE: &[(&str, bool)] = &[("store", false)];
const KEY: &[(&str, bool)] = &[("expect", false), ("epoch", false), ("store", false)];
const SHARE: &[(&str, bool)] = &[("expect", false), ("epoch", false), ("store", false), ("share", false)];

/// What a command takes.
struct Command {
    name: &'static str,
    /// How many files, at least and at most.
    files: (usize, usize),
    values: &'static [(&'static str, bool)],
    flags: &'static [&'static str],
    /// What it takes to say what is expected of files that it opens; without any it opens none.
    expects: &'static [(&'static str, bool)],
}

const COMMANDS: [Command; 8] = [
    Command {
        name: "create",
        files: (0, 0),
        values: &[("store", false), ("out", false), ("device", true), ("password-file", false), ("log-n", false)],
        flags: &["factor", "no-password", "phrase", "force"],
        expects: &[],
    },
    Command { name: "device", files: (0, 0), values: &[("out", false)], flags: &["force"], expects: &[] },
    Command { name: "inspect", files: (1, 1), values: &[], flags: &["json"], expects: &[] },
    Command { name: "check", files: (1, 1), values: &[], flags: &[], expects: SHARE },
    Command { name: "open", files: (1, 1), values: &[("into", false)], flags: &[], expects: SHARE },
    Command {
        name: "rewrap",
        files: (1, 1),
        values: &[
            ("out", false),
            ("new-password-file", false),
            ("log-n", false),
            ("slot", false),
            ("add-device", true),
            ("remove", false),
        ],
        flags: &["new-password", "add-phrase", "reseal", "force"],
        expects: &[("store", false), ("share", false)],
    },
    Command {
        name: "exit",
        files: (2, 255),
        values: &[
            ("consent", false),
            ("path", true),
            ("format", false),
            ("out", false),
            ("sign", false),
            ("new-password-file", false),
            ("log-n", false),
        ],
        flags: &["force"],
        expects: KEY,
    },
    Command { name: "forget", files: (0, 0), values: STORE, flags: &["factor"], expects: &[] },
];

/// The arguments of one command, of which each option is one that the command has.
pub(super) struct Given {
    command: &'static str,
    files: Vec<PathBuf>,
    values: BTreeMap<String, Vec<OsString>>,
    flags: Vec<String>,
    /// What opens the files, in the order given.
    unlock: Vec<(String, OsString)>,
}

impl Given {
    /// Without the program's name; `None` asks for help.
    pub(super) fn parse(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Option<Self>, BadInput> {
        use lexopt::prelude::{Long, Short, Value};
        let usage = |e: lexopt::Error| BadInput::new(e);
        let names = || COMMANDS.map(|command| command.name).join(", ");
        let mut parser = lexopt::Parser::from_args(arguments);
        let command = match parser.next().map_err(usage)? {
            Some(Long("help") | Short('h')) => return Ok(None),
            Some(Value(name)) => COMMANDS
                .iter()
                .find(|command| name == command.name)
                .ok_or_else(|| BadInput::new(format!("unknown command {name:?}: use one of {}", names())))?,
            Some(other) => return Err(usage(other.unexpected())),
            None => return Err(BadInput::new(format!("say what to do: {}", names()))),
        };
        let mut given = Self {
            command: command.name,
            files: Vec::new(),
            values: BTreeMap::new(),
            flags: Vec::new(),
            unlock: Vec::new(),
        };
        while let Some(argument) = parser.next().map_err(usage)? {
            let name = match argument {
                Value(file) => {
                    given.files.push(file.into());
                    continue;
                }
                Long("help") | Short('h') => return Ok(None),
                Long(name) => name.to_owned(),
                other => return Err(usage(other.unexpected())),
            };
            if command.opens() && name == "ask-phrase" {
                given.unlock.push((name, OsString::new()));
            } else if command.opens() && UNLOCK.iter().any(|(other, _)| name == *other) {
                given.unlock.push((name, parser.value().map_err(usage)?));
            } else if command.flags.contains(&name.as_str()) || command.opens() && name == "large" {
                given.flags.push(name);
            } else if let Some((_, many)) = command.option(&name) {
                let values = given.values.entry(name.clone()).or_default();
                if !many && !values.is_empty() {
                    return Err(BadInput::new(format!("give --{name} once")));
                }
                values.push(parser.value().map_err(usage)?);
            } else {
                return Err(BadInput::new(format!("{} has no option --{name}", command.name)));
            }
        }
        let (least, most) = command.files;
        if !(least..=most).contains(&given.files.len()) {
            return Err(BadInput::new(match least {
                0 => format!("{} takes no file but those of its options", command.name),
                1 => format!("{} takes one file", command.name),
                _ => format!("{} takes as many files as the key needs shares, two or more", command.name),
            }));
        }
        Ok(Some(given))
    }

    pub(super) const fn command(&self) -> &'static str {
        self.command
    }

    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The only file of commands that take one.
    pub(super) fn file(&self) -> Result<&Path, BadInput> {
        self.files.first().map(PathBuf::as_path).ok_or_else(|| BadInput::new("which file?"))
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| flag == name)
    }

    pub(super) fn paths(&self, name: &str) -> impl Iterator<Item = &Path> {
        self.values.get(name).into_iter().flatten().map(Path::new)
    }

    pub(super) fn path(&self, name: &str) -> Option<&Path> {
        self.paths(name).next()
    }

    pub(super) fn needed(&self, name: &str) -> Result<&Path, BadInput> {
        self.path(name).ok_or_else(|| BadInput::new(format!("{} needs --{name}", self.command)))
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<&str>, BadInput> {
        let values = self.values.get(name).into_iter().flatten();
        let texts: Option<Vec<_>> = values.map(|value| value.to_str()).collect();
        texts.ok_or_else(|| BadInput::new(format!("--{name} is not UTF-8")))
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, BadInput> {
        Ok(self.texts(name)?.into_iter().next())
    }

    pub(super) fn number(&self, name: &str, most: u32) -> Result<Option<u32>, BadInput> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let number = text.parse().ok().filter(|number| *number <= most);
        number.map(Some).ok_or_else(|| BadInput::new(format!("--{name} {text:?} is no number from 0 to {most}")))
    }

    /// The cost of a new password.
    pub(super) fn work(&self) -> Result<Work, BadInput> {
        let log_n = self.number("log-n", 20)?.map_or(Some(Work::default().log_n), |n| u8::try_from(n).ok());
        match log_n {
            Some(log_n) if log_n >= 14 => Ok(Work { log_n, ..Work::default() }),
            _ => Err(BadInput::new("--log-n is from 14 to 20: below, the password is guessed too easily")),
        }
    }

    /// What opens the files.
    pub(super) fn keys(&self) -> Result<Keys, BadInput> {
        let how = |(name, value): &(String, OsString)| match name.as_str() {
            "password-file" => How::PasswordFile(value.into()),
            "phrase-file" => How::PhraseFile(value.into()),
            "ask-phrase" => How::AskPhrase,
            _ => How::DeviceKey(value.into()),
        };
        let keys = Keys { given: self.unlock.iter().map(how).collect(), large: self.flag("large") };
        keys.fit(self.files.len())?;
        Ok(keys)
    }

    /// What is expected of the files.
    pub(super) fn expect(&self) -> Result<Expect, Failure> {
        let share = self.text("share")?.map(|text| point("share", text)).transpose()?;
        match (self.text("expect")?, self.path("store")) {
            (Some(text), None) => {
                let (public_key, epoch) = (point("expect", text)?, self.number("epoch", u32::MAX)?.unwrap_or(0));
                Ok(Expect { whose: Whose::Key { public_key, epoch }, share })
            }
            (None, Some(_)) if self.values.contains_key("epoch") => {
                Err(BadInput::new("--epoch goes with --expect: a store knows its epoch").into())
            }
            (None, Some(directory)) => Expect::store(directory, share),
            _ => Err(BadInput::new(
                "say whose key it has to be, from your own records: --expect PUBLIC_KEY or --store DIR, one of them",
            )
            .into()),
        }
    }
}

impl Command {
    const fn opens(&self) -> bool {
        !self.expects.is_empty()
    }

    fn option(&self, name: &str) -> Option<&(&'static str, bool)> {
        self.values.iter().chain(self.expects).find(|(other, _)| name == *other)
    }
}

/// Hexadecimal digits, or base58 of an Ed25519 key.
fn point(option: &str, text: &str) -> Result<Vec<u8>, BadInput> {
    let bytes = hex::decode(text).or_else(|_| bs58::decode(text).into_vec()).unwrap_or_default();
    if Secp256k1::point_from_bytes(&bytes).is_ok() || Ed25519::point_from_bytes(&bytes).is_ok() {
        return Ok(bytes);
    }
    Err(BadInput::new(format!(
        "--{option} {text:?} is no public key: 66 hexadecimal digits, or 64 of an ed25519 key (`wallet.json` has it)"
    )))
}
