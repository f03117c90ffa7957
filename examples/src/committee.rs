//! The command line of the `committee` example.

mod ed25519;
mod life;
mod net;
mod party;

use crate::{BadInput, Curve};
use std::{ffi::OsString, io::Write};
use symbolon::{Ed25519, Secp256k1, Threshold};

/// How to call it.
pub const USAGE: &str = "\
The life of a wallet among n parties, any t of whom sign: it is made and used, a device is lost and replaced, one is added,
one revoked, the threshold is raised, all shares are refreshed; key and address stay.

usage: committee [--curve CURVE] [--threshold T] [--parties N]

  --curve CURVE    secp256k1 (signs with ECDSA; the default) or ed25519 (signs with FROST: a Solana transfer)
  --threshold T    how many parties sign, from 2 up to one less than N, since one device is going to be lost (default 2)
  --parties N      how many parties hold a share, up to 20 (default 3)

Exit status: 0 all went well, 1 something failed, 2 the arguments can't be used.
";

/// More would run, and take long: a pair setup for every two parties.
const MAX_PARTIES: u16 = 20;

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "one story, or help")]
pub enum Command {
    /// Print [`USAGE`].
    Help,
    /// Live the life.
    Live {
        /// Of which curve the key is.
        curve: Curve,
        /// How many sign.
        threshold: Threshold,
        /// How many hold a share.
        parties: u16,
    },
}

/// The program. Gives the exit status: 0 all went well, 1 failed, 2 bad input, with one line on `err`.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString>>, out: &mut impl Write, err: &mut impl Write) -> u8 {
    let done = match parse(arguments) {
        Err(bad) => Err((2, format!("{bad}; try --help"))),
        Ok(Command::Help) => out.write_all(USAGE.as_bytes()).map_err(|why| (1, why.to_string())),
        Ok(Command::Live { curve, threshold, parties }) => match curve {
            Curve::Secp256k1 => life::live::<Secp256k1>(threshold, parties, out),
            Curve::Ed25519 => life::live::<Ed25519>(threshold, parties, out),
        }
        .map_err(|why| (1, why.to_string())),
    };
    let Err((status, line)) = done else { return 0 };
    // with nowhere to say it, the exit status remains
    let _ = writeln!(err, "committee: {line}");
    status
}

/// Reads the arguments, without the program's name.
///
/// # Errors
/// [`BadInput`], which says what would be right.
pub fn parse(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Command, BadInput> {
    use lexopt::prelude::{Long, Short, ValueExt};
    let usage = |e: lexopt::Error| BadInput::new(e);
    let (mut curve, mut threshold, mut parties) = (Curve::Secp256k1, 2, 3);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Long("curve") => curve = Curve::read(&parser.value().and_then(ValueExt::string).map_err(usage)?)?,
            Long(name @ ("threshold" | "parties")) => {
                let name = name.to_owned();
                let text = parser.value().and_then(ValueExt::string).map_err(usage)?;
                let number =
                    text.parse().map_err(|_| BadInput::new(format!("--{name} {text:?} is no small number")))?;
                *(if name == "threshold" { &mut threshold } else { &mut parties }) = number;
            }
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(usage(other.unexpected())),
        }
    }
    if !(2..=MAX_PARTIES).contains(&parties) {
        return Err(BadInput::new(format!("--parties {parties} can't be: a committee has 2 to {MAX_PARTIES} here")));
    }
    if threshold < 2 {
        return Err(BadInput::new(format!(
            "--threshold {threshold} can't be: at least 2 sign, or one share is the key"
        )));
    }
    if threshold > parties {
        return Err(BadInput::new(format!("--threshold {threshold} is more than the {parties} parties: lower it")));
    }
    if threshold == parties {
        return Err(BadInput::new(format!(
            "with all {parties} of {parties} needed a lost device can't be recovered, and one will be lost: use more \
             --parties or a lower --threshold"
        )));
    }
    let threshold = Threshold::new(threshold, parties.into()).map_err(BadInput::new)?;
    Ok(Command::Live { curve, threshold, parties })
}
