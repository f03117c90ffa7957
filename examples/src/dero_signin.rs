//! The command line of the `dero-signin` example.

mod file;
mod reply;
mod server;
mod state;

use crate::BadInput;
use std::{
    ffi::OsString,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use symbolon_dero::challenge::ChainId;

/// How to call it.
pub const USAGE: &str = "\
Sign in with a DERO wallet: a web server with a page that shows each check as it passes, and which one failed.

usage: dero-signin [--listen ADDRESS] [--domain DOMAIN] [--secure] [--chain CHAIN] [--statement TEXT]
                   [--lifetime SECONDS]
       dero-signin --verify FILE [--of DATA_FILE] [--limit BYTES] [--json]
       dero-signin --key FILE [--sign DATA_FILE] [--limit BYTES] [--chain CHAIN]

the server:
  --listen ADDRESS    where to listen (default 127.0.0.1:3002; port 0 takes a free one)
  --domain DOMAIN     what the browser's address bar shows, with the port where it is not the scheme's own; it goes
                      into the text that wallets sign (default localhost with the port of --listen)
  --secure            the page is reached by https, through a proxy that speaks TLS: cookies are Secure
  --chain CHAIN       mainnet (the default) or testnet
  --statement TEXT    one line for the user (default \"Sign in to DOMAIN\")
  --lifetime SECONDS  how long an attempt stays open, 1 to 3600 (default 300; HOLOGRAM's texts live for 300, so that a
                      shorter time refuses them)

a signature from a file, - for the standard input:
  --verify FILE       verify the signed message in FILE; print its signer and text, or what is wrong with it
  --of DATA_FILE      FILE is a detached signature of this file
  --limit BYTES       no file is larger (default 16777216)
  --json              print one JSON object

without a wallet, for tests:
  --key FILE          a secret key, 64 hexadecimal digits; alone, print its address
  --sign DATA_FILE    sign this file, byte for byte, and print the signed message: save the page's challenge there

Exit status: 0 all went well, 1 the signature is not valid or something failed, 2 the arguments or a file can't be used.
";

const DEFAULT_LIMIT: u64 = 16 << 20;

/// What to do.
enum Command {
    Help,
    Serve(server::Options),
    Verify { signature: PathBuf, of: Option<PathBuf>, limit: u64, json: bool },
    Sign { key: PathBuf, data: Option<PathBuf>, limit: u64, chain_id: ChainId },
}

/// Why the program ends without a result.
enum Failure {
    /// Exit status 2.
    Input(BadInput),
    /// Exit status 1.
    Io(io::Error),
}

impl From<BadInput> for Failure {
    fn from(bad: BadInput) -> Self {
        Self::Input(bad)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The program. Gives the exit status: 0 all went well, 1 not valid or failed, 2 bad input, with one line on `err`. The
/// server runs until the process ends; its first line on `out` ends with the URL to open.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString>>, out: &mut impl Write, err: &mut impl Write) -> u8 {
    let done = parse(arguments).map_err(Failure::Input).and_then(|command| obey(command, out, err));
    let (status, line) = match done {
        Ok(status) => return status,
        Err(Failure::Input(bad)) => (2, format!("{bad}; try --help")),
        Err(Failure::Io(error)) => (1, error.to_string()),
    };
    // with nowhere to say it, the exit status remains
    let _ = writeln!(err, "dero-signin: {line}");
    status
}

fn obey(command: Command, out: &mut impl Write, err: &mut impl Write) -> Result<u8, Failure> {
    match command {
        Command::Help => out.write_all(USAGE.as_bytes())?,
        Command::Serve(options) => server::serve(&options, out, err)?,
        Command::Verify { signature, of, limit, json } => {
            let verdict = file::verify(&signature, of.as_deref(), limit)?;
            let text = if json { verdict.json() } else { verdict.text() };
            out.write_all(text.as_bytes())?;
            return Ok(u8::from(!verdict.is_good()));
        }
        Command::Sign { key, data, limit, chain_id } => {
            let made = file::sign(&key, data.as_deref(), limit, chain_id.network())?;
            if data.is_some() {
                writeln!(err, "dero-signin: a key in a plain file is for tests only: let a wallet keep yours")?;
            }
            out.write_all(made.as_bytes())?;
        }
    }
    Ok(0)
}

/// The arguments as they come, before it is clear which of the three uses they are for.
#[derive(Default)]
struct Given {
    listen: Option<OsString>,
    domain: Option<OsString>,
    statement: Option<OsString>,
    lifetime: Option<OsString>,
    chain: Option<OsString>,
    verify: Option<OsString>,
    of: Option<OsString>,
    limit: Option<OsString>,
    key: Option<OsString>,
    sign: Option<OsString>,
    secure: bool,
    json: bool,
}

/// Reads the arguments, without the program's name.
fn parse(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Command, BadInput> {
    use lexopt::prelude::{Long, Short};
    let usage = |e: lexopt::Error| BadInput::new(e);
    let mut given = Given::default();
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(usage)? {
        let (name, field) = match argument {
            Long("listen") => ("listen", &mut given.listen),
            Long("domain") => ("domain", &mut given.domain),
            Long("statement") => ("statement", &mut given.statement),
            Long("lifetime") => ("lifetime", &mut given.lifetime),
            Long("chain") => ("chain", &mut given.chain),
            Long("verify") => ("verify", &mut given.verify),
            Long("of") => ("of", &mut given.of),
            Long("limit") => ("limit", &mut given.limit),
            Long("key") => ("key", &mut given.key),
            Long("sign") => ("sign", &mut given.sign),
            Long("secure") => {
                given.secure = true;
                continue;
            }
            Long("json") => {
                given.json = true;
                continue;
            }
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(usage(other.unexpected())),
        };
        if field.replace(parser.value().map_err(usage)?).is_some() {
            return Err(BadInput::new(format!("give --{name} once")));
        }
    }
    given.command()
}

impl Given {
    fn command(self) -> Result<Command, BadInput> {
        let Self { listen, domain, statement, lifetime, chain, verify, of, limit, key, sign, secure, json } = self;
        let serving = [
            (listen.is_some(), "--listen"),
            (domain.is_some(), "--domain"),
            (statement.is_some(), "--statement"),
            (lifetime.is_some(), "--lifetime"),
            (secure, "--secure"),
        ];
        let verifying = [(of.is_some(), "--of"), (json, "--json")];
        let none_of = |options: &[(bool, &str)], why: &str| match options.iter().find(|(given, _)| *given) {
            Some((_, name)) => Err(BadInput::new(format!("{name} {why}"))),
            None => Ok(()),
        };
        let chain_id = match text("chain", chain.clone())?.as_deref() {
            None | Some("mainnet") => ChainId::Mainnet,
            Some("testnet") => ChainId::Testnet,
            Some(other) => return Err(BadInput::new(format!("unknown chain {other:?}: use mainnet or testnet"))),
        };
        let most = number("limit", limit.clone(), 1, u64::from(u32::MAX))?.unwrap_or(DEFAULT_LIMIT);

        if let Some(signature) = verify {
            none_of(&serving, "is for the server, not for --verify")?;
            none_of(
                &[(key.is_some(), "--key"), (sign.is_some(), "--sign"), (chain.is_some(), "--chain")],
                "does not go with --verify",
            )?;
            return Ok(Command::Verify { signature: signature.into(), of: of.map(Into::into), limit: most, json });
        }
        none_of(&verifying, "goes with --verify FILE")?;
        if let Some(key) = key {
            none_of(&serving, "is for the server, not for --key")?;
            return Ok(Command::Sign { key: key.into(), data: sign.map(Into::into), limit: most, chain_id });
        }
        none_of(&[(sign.is_some(), "--sign")], "needs --key FILE")?;
        none_of(&[(limit.is_some(), "--limit")], "goes with --verify FILE or --key FILE")?;

        let listen = match text("listen", listen)? {
            None => SocketAddr::from((Ipv4Addr::LOCALHOST, 3002)),
            Some(text) => text.parse().map_err(|_| {
                BadInput::new(format!("--listen {text:?} is no address with a port: use for example 127.0.0.1:3002"))
            })?,
        };
        let lifetime = Duration::from_secs(number("lifetime", lifetime, 1, 3600)?.unwrap_or(300));
        let (domain, statement) = (text("domain", domain)?, text("statement", statement)?);
        if secure && domain.is_none() {
            return Err(BadInput::new("--secure needs --domain: the name by which browsers reach the proxy"));
        }
        Ok(Command::Serve(server::Options { listen, domain, statement, secure, chain_id, lifetime }))
    }
}

fn text(name: &str, value: Option<OsString>) -> Result<Option<String>, BadInput> {
    let text = value.map(OsString::into_string).transpose();
    text.map_err(|_| BadInput::new(format!("--{name} is not UTF-8")))
}

fn number(name: &str, value: Option<OsString>, least: u64, most: u64) -> Result<Option<u64>, BadInput> {
    let Some(text) = text(name, value)? else { return Ok(None) };
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => Err(BadInput::new(format!("--{name} {text:?} is no number from {least} to {most}"))),
    }
}
