//! The command line of the `wallet` example.

use crate::{
    BadInput, Request, report, tx, typed_data,
    wallet::{Failure, create_and_sign},
};
use std::{
    ffi::OsString,
    fs::File,
    io::{Read, Write},
    path::Path,
};
use symbolon::DerivationPath;

/// How to call it.
pub const USAGE: &str = "\
Two parties make a wallet whose key neither of them ever holds, and sign with it.

usage: wallet [--tx FILE | --message TEXT | --typed-data FILE] [--path PATH] [--json]

  --tx FILE          sign the transaction in FILE: EIP-1559, EIP-2930, or legacy with EIP-155
                     (without any of the three: examples/data/transfer.json)
  --message TEXT     sign TEXT as personal_sign does (EIP-191)
  --typed-data FILE  sign the typed data in FILE (EIP-712)
  --path PATH        sign with the key at PATH below the wallet's own, for example m/0/5
  --json             print one JSON object

Exit status: 0 signed, 1 something failed, 2 the arguments or the file can't be used.
";

/// The transfer that is signed by default.
const TRANSFER: &str = include_str!("../data/transfer.json");
/// No request is larger; a file that never ends is refused.
const MAX_FILE: u64 = 1 << 20;

/// What to do.
#[non_exhaustive]
pub enum Command {
    /// Print [`USAGE`].
    Help,
    /// Make a wallet and sign.
    Sign(Box<Arguments>),
}

/// The arguments, files read and checked.
#[non_exhaustive]
pub struct Arguments {
    /// What to sign.
    pub request: Request,
    /// With which key.
    pub path: DerivationPath,
    /// Whether to print JSON.
    pub json: bool,
}

/// The program. Gives the exit status: 0 signed, 1 failed, 2 bad input, with one line on `err`.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString>>, out: &mut impl Write, err: &mut impl Write) -> u8 {
    let (status, line) = match parse(arguments) {
        Err(bad) => (2, bad.to_string()),
        Ok(command) => match obey(command).and_then(|text| Ok(out.write_all(text.as_bytes())?)) {
            Ok(()) => return 0,
            Err(failure) => (1, failure.to_string()),
        },
    };
    // with nowhere to say it, the exit status remains
    let _ = writeln!(err, "wallet: {line}");
    status
}

fn obey(command: Command) -> Result<String, Failure> {
    let Command::Sign(arguments) = command else { return Ok(USAGE.into()) };
    let Arguments { request, path, json } = *arguments;
    let outcome = create_and_sign(request.payload()?, &path)?;
    let signed = request.finish(&outcome.signature, &outcome.address)?;
    Ok(if json { report::json(&outcome, &signed, &path) } else { report::text(&outcome, &signed, &path) })
}

/// Reads the arguments (without the program's name) and the file that they name.
///
/// # Errors
/// [`BadInput`].
pub fn parse(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Command, BadInput> {
    use lexopt::prelude::{Long, Short, ValueExt};
    let usage = |e: lexopt::Error| BadInput::new(e);
    let (mut request, mut path, mut json) = (None, None, false);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Long(name @ ("tx" | "message" | "typed-data")) => {
                let name = name.to_owned();
                let value = parser.value().map_err(usage)?;
                if request.replace((name, value)).is_some() {
                    return Err(BadInput::new("give only one of --tx, --message and --typed-data, once"));
                }
            }
            Long("path") => {
                let text = parser.value().and_then(ValueExt::string).map_err(usage)?;
                let parsed = text.parse::<DerivationPath>().map_err(BadInput::new)?;
                if path.replace(parsed).is_some() {
                    return Err(BadInput::new("give --path once"));
                }
            }
            Long("json") => json = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(usage(other.unexpected())),
        }
    }
    let request = match request {
        None => Request::Transaction(Box::new(tx::parse(TRANSFER)?)),
        Some((name, value)) => match name.as_str() {
            "message" => Request::Message(value.string().map_err(usage)?),
            "tx" => Request::Transaction(Box::new(tx::parse(&read(Path::new(&value))?)?)),
            _ => Request::TypedData(Box::new(typed_data::parse(&read(Path::new(&value))?)?)),
        },
    };
    Ok(Command::Sign(Box::new(Arguments { request, path: path.unwrap_or_default(), json })))
}

fn read(path: &Path) -> Result<String, BadInput> {
    let shown = path.display();
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_string(&mut text));
    match read {
        Err(e) => Err(BadInput::new(format!("cannot read {shown}: {e}"))),
        Ok(_) if u64::try_from(text.len()).is_ok_and(|len| len > MAX_FILE) => {
            Err(BadInput::new(format!("{shown} is larger than 1 MiB")))
        }
        Ok(_) => Ok(text),
    }
}
