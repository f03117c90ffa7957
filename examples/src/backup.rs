//! The command line of the `backup` example.

mod arguments;
mod exit;
mod files;
mod make;
mod person;
mod read;
mod rewrap;
pub mod store;
mod unlock;

pub use crate::wallet::Failure;
pub use person::{Person, Terminal};

use crate::BadInput;
use arguments::Given;
use std::{ffi::OsString, io::Write};

/// How to call it.
pub const USAGE: &str = "\
Backups of one party's share of a key: made, looked at, checked, opened, changed; and the way out with the whole key.

usage: backup create --store DIR --out FILE [--factor] [--no-password] [--phrase] [--device PUBLIC_KEY_FILE]...
       backup device --out FILE
       backup inspect FILE [--json]
       backup check FILE (--expect PUBLIC_KEY [--epoch N] | --store DIR) [--share PUBLIC_POINT]
       backup open FILE --into DIR (--expect PUBLIC_KEY [--epoch N] | --store DIR) [--share PUBLIC_POINT]
       backup rewrap FILE --out FILE --store DIR [--share PUBLIC_POINT] [--new-password] [--slot N]
                     [--add-phrase] [--add-device PUBLIC_KEY_FILE]... [--remove N]
       backup rewrap FILE --out FILE --reseal --store DIR
       backup forget --store DIR [--factor]
       backup exit FILE FILE... (--expect PUBLIC_KEY [--epoch N] | --store DIR) [--consent ADDRESS]
                   [--path PATH]... [--format xprv|hex|keystore] [--out FILE] [--sign FILE]

  create   backs up what `wallet --keep` keeps in DIR: the key share, or with --factor the multiplicative factor of a
           wallet of two, which leaves the store (do that first: the share is marked by it). It opens with any one of a
           password (unless --no-password), 24 words that are shown once (--phrase), a device's key (--device)
  device   makes the key of a device: its secret in FILE, its public key in FILE.pub
  inspect  says what the file says of itself. Nothing of that is verified, and no secret is needed
  check    says whether the file opens, and with --store or --share whether it holds the right share
  open     restores the share into a new store, DIR
  rewrap   makes a new file: with another password (--new-password, of slot N where there are several), with more
           slots, or with one less. --reseal seals the share that DIR has after a refresh to the slots of FILE, and asks
           for no password. DIR has to have recorded the slots of FILE: from then on it has those of the new file
  forget   takes all records of slots away: no file of before is changed or re-sealed any more. Then make new ones
  exit     REBUILDS THE WHOLE KEY of backups of all shares that it takes, offline. From then on one machine has it.
           Without --out it is a rehearsal: the key is checked and forgotten, and addresses are printed

what opens a file; by default its password is asked for. Where there are several files, one for all or one for each:
  --password-file FILE  the first line of FILE (for create: the new password)
  --phrase-file FILE    24 words
  --ask-phrase          24 words, asked for
  --device-key FILE     the secret that `device` has made
  --large               take a file that needs up to 1 GiB of memory

other options:
  --expect PUBLIC_KEY   hexadecimal, from your own records and never from the file: anybody can make a file for a
                        password slot. Of an ed25519 key its address (base58) does as well
  --epoch N             refuse shares of older epochs
  --share PUBLIC_POINT  the public share of the party whose backup it is, from another party's records (public_shares
                        in its wallet.json): the key alone does not tell this share from one that somebody made up
  --new-password-file FILE  the new password, instead of asking; for exit that of the keystore
  --log-n N             the cost of a new password: scrypt's log2 N, 14 to 20 (default 17: 128 MiB)
  --consent ADDRESS     exit: the address of the key, which is asked for otherwise
  --path PATH           exit: print the address at PATH below the key, for example m/0/5; secp256k1 only
  --format FORMAT       exit: xprv (BIP-32, with all derived keys; the default), hex, keystore (version 3 JSON). An
                        ed25519 key has only hex: its scalar, which no wallet imports
  --out FILE            - for the standard output; exit only
  --sign FILE           exit, ed25519: sign FILE with the key, and print the signature in hexadecimal digits
  --force               overwrite what exists; the slots of a backup that is overwritten are forgotten

Nothing is written into the directory of a store.

Exit status: 0 all went well, 1 the file does not open or something failed, 2 the arguments or a file can't be used,
130 Ctrl-C.
";

/// The program. Gives the exit status: 0 all went well, 1 refused or failed, 2 bad input, with one line on `err`.
pub fn run(
    arguments: impl IntoIterator<Item = impl Into<OsString>>,
    person: &mut impl Person,
    out: &mut impl Write,
    err: &mut impl Write,
) -> u8 {
    let done = Given::parse(arguments).map_err(Failure::from).and_then(|given| match given {
        None => Ok(out.write_all(USAGE.as_bytes())?),
        Some(given) => obey(&given, person, out, err),
    });
    let Err(failure) = done else { return 0 };
    let bad = failure.is::<BadInput>();
    // with nowhere to say it, the exit status remains
    let _ = writeln!(err, "backup: {failure}{}", if bad { "; try --help" } else { "" });
    if bad { 2 } else { 1 }
}

fn obey(given: &Given, person: &mut impl Person, out: &mut impl Write, err: &mut impl Write) -> Result<(), Failure> {
    match given.command() {
        "create" => make::create(given, person, out),
        "device" => make::device(given, out),
        "inspect" => read::inspect(given, out),
        "check" => read::check(given, person, out),
        "open" => read::open(given, person, out, err),
        "rewrap" => rewrap::rewrap(given, person, out),
        "forget" => make::forget(given, out),
        _ => exit::exit(given, person, out, err),
    }
}
