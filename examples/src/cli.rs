//! The command line of the `wallet` example.

use crate::{
    BadInput, Curve, Request, report, solana, tx, typed_data,
    wallet::{Failure, create_and_sign, create_and_sign_ed25519},
};
use std::{
    ffi::OsString,
    fs::File,
    io::{Read, Write},
    path::{Path, PathBuf},
};
use symbolon::DerivationPath;

/// How to call it.
pub const USAGE: &str = "\
Two parties make a wallet whose key neither of them ever holds, and sign with it.

usage: wallet [--curve CURVE] [--tx FILE | --message TEXT | --typed-data FILE] [--path PATH] [--keep DIR] [--json]

  --curve CURVE      secp256k1 (threshold ECDSA, for Ethereum; the default) or ed25519 (FROST, for Solana)
  --tx FILE          sign the transaction in FILE
                       secp256k1: EIP-1559, EIP-2930, or legacy with EIP-155; by default examples/data/transfer.json
                       ed25519: a Solana transfer; by default examples/data/solana-transfer.json, whose block hash has
                       expired: put a recent one there before you send anything
  --message TEXT     sign TEXT: on secp256k1 as personal_sign does (EIP-191), on ed25519 as it is
  --typed-data FILE  sign the typed data in FILE (EIP-712); secp256k1 only
  --path PATH        sign with the key at PATH below the wallet's own, for example m/0/5; secp256k1 only
  --keep DIR         keep what the parties have, sealed, in the new directories DIR/client and DIR/server: for `backup`
  --json             print one JSON object

Exit status: 0 signed, 1 something failed, 2 the arguments or the file can't be used.
";

/// The transfer that is signed by default.
const TRANSFER: &str = include_str!("../data/transfer.json");
/// The same on Solana.
const SOLANA_TRANSFER: &str = include_str!("../data/solana-transfer.json");
/// No request is larger; a file that never ends is refused.
const MAX_FILE: u64 = 1 << 20;

/// What to do.
#[non_exhaustive]
pub enum Command {
    /// Print [`USAGE`].
    Help,
    /// Make a wallet and sign.
    Sign(Box<Arguments>),
    /// The same on Ed25519.
    SignEd25519 {
        /// What to sign.
        request: solana::Request,
        /// Where to keep what the parties have.
        keep: Option<PathBuf>,
        /// Whether to print JSON.
        json: bool,
    },
}

/// The arguments, files read and checked.
#[non_exhaustive]
pub struct Arguments {
    /// What to sign.
    pub request: Request,
    /// With which key.
    pub path: DerivationPath,
    /// Where to keep what the parties have.
    pub keep: Option<PathBuf>,
    /// Whether to print JSON.
    pub json: bool,
}

/// The program. Gives the exit status: 0 signed, 1 failed, 2 bad input, with one line on `err`.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString>>, out: &mut impl Write, err: &mut impl Write) -> u8 {
    let (status, line) = match parse(arguments) {
        Err(bad) => (2, bad.to_string()),
        Ok(command) => match obey(command).and_then(|text| Ok(out.write_all(text.as_bytes())?)) {
            Ok(()) => return 0,
            Err(failure) => (if failure.is::<BadInput>() { 2 } else { 1 }, failure.to_string()),
        },
    };
    // with nowhere to say it, the exit status remains
    let _ = writeln!(err, "wallet: {line}");
    status
}

fn obey(command: Command) -> Result<String, Failure> {
    match command {
        Command::Help => Ok(USAGE.into()),
        Command::Sign(arguments) => {
            let Arguments { request, path, keep, json } = *arguments;
            let outcome = create_and_sign(request.payload()?, &path, keep.as_deref())?;
            let signed = request.finish(&outcome.signature, &outcome.address)?;
            Ok(if json { report::json(&outcome, &signed, &path) } else { report::text(&outcome, &signed, &path) })
        }
        Command::SignEd25519 { request, keep, json } => {
            let outcome = create_and_sign_ed25519(|key| request.message(key), keep.as_deref())?;
            let signed = request.finish(&outcome.signature, &outcome.key)?;
            Ok(if json {
                report::json_ed25519(&outcome.phases, &signed)
            } else {
                report::text_ed25519(&outcome.phases, &signed)
            })
        }
    }
}

/// Reads the arguments (without the program's name) and the file that they name.
///
/// # Errors
/// [`BadInput`].
pub fn parse(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Command, BadInput> {
    use lexopt::prelude::{Long, Short, ValueExt};
    let usage = |e: lexopt::Error| BadInput::new(e);
    let (mut curve, mut request, mut path, mut keep, mut json) = (None, None, None, None, false);
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
            Long("curve") => {
                let read = Curve::read(&parser.value().and_then(ValueExt::string).map_err(usage)?)?;
                if curve.replace(read).is_some() {
                    return Err(BadInput::new("give --curve once"));
                }
            }
            Long("path") => {
                let text = parser.value().and_then(ValueExt::string).map_err(usage)?;
                let parsed = text.parse::<DerivationPath>().map_err(BadInput::new)?;
                if path.replace(parsed).is_some() {
                    return Err(BadInput::new("give --path once"));
                }
            }
            Long("keep") => {
                if keep.replace(PathBuf::from(parser.value().map_err(usage)?)).is_some() {
                    return Err(BadInput::new("give --keep once"));
                }
            }
            Long("json") => json = true,
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(usage(other.unexpected())),
        }
    }
    if curve == Some(Curve::Ed25519) {
        if path.is_some() {
            return Err(BadInput::new("--path is for secp256k1: an ed25519 key has no keys below it"));
        }
        let request = match request {
            None => solana::Request::Transfer(solana::parse(SOLANA_TRANSFER)?),
            Some((name, value)) => match name.as_str() {
                "message" => solana::Request::Message(value.string().map_err(usage)?),
                "tx" => solana::Request::Transfer(solana::parse(&read(Path::new(&value))?)?),
                _ => return Err(BadInput::new("--typed-data is for secp256k1: EIP-712 has no other signatures")),
            },
        };
        return Ok(Command::SignEd25519 { request, keep, json });
    }
    let request = match request {
        None => Request::Transaction(Box::new(tx::parse(TRANSFER)?)),
        Some((name, value)) => match name.as_str() {
            "message" => Request::Message(value.string().map_err(usage)?),
            "tx" => Request::Transaction(Box::new(tx::parse(&read(Path::new(&value))?)?)),
            _ => Request::TypedData(Box::new(typed_data::parse(&read(Path::new(&value))?)?)),
        },
    };
    Ok(Command::Sign(Box::new(Arguments { request, path: path.unwrap_or_default(), keep, json })))
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
