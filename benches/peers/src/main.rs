//! `cargo run --release --manifest-path benches/peers/Cargo.toml`: what symbolon costs beside published crates for threshold signatures,
//! in one run of some minutes. Two parties in one thread, CPU time of both; what a party encodes and decodes is inside, and every
//! signature is verified outside of the clock. Samples of all libraries are taken in turns, and a ratio is the median, over the turns, of
//! our time over theirs in one turn.
//!
//! `-- --markdown` for tables in that form, `-- --json` for one object a line, `-- --quick` for a tenth of the samples. `--features
//! cggmp21` brings one more peer, and minutes of looking for primes; `--no-default-features` takes tsslib as it is published (see
//! Cargo.toml).
//!
//! It ends with 1 if we are slower, beside the fastest peer, than the limits below allow; `--quick` takes too few samples to judge.

mod measure;
mod ours;
mod peers;
mod print;
mod run;

use measure::{Contender, Found};
use ours::Ours;
use print::Format;
use std::process::ExitCode;
use symbolon::Suite;
use symbolon_benches::{Committee, Cost, Zcash};
use symbolon_core::Ed25519;

/// What two parties are asked to do. Each is a run, or some one after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A signature from scratch, with the key and whatever setup of the pair lasts.
    Sign,
    /// A key, and what the pair needs to sign.
    Create,
    /// A key alone, where the library has that.
    Keygen,
    /// A new wallet's first signature, from nothing.
    First,
    /// A signature from a pre-signature, which is made outside of the clock.
    Online,
}

/// A library, and two parties that use it.
pub(crate) trait Library {
    /// Its name and version.
    fn name(&self) -> String;

    /// Its security parameters in words.
    fn parameters(&self) -> &'static str;

    /// What its numbers include, in words.
    fn counted(&self) -> &'static str;

    /// What an operation cost; nothing if the library does not have it. A signature is verified first.
    fn run(&mut self, operation: Operation) -> Option<Cost>;

    /// How many samples are enough, where an operation takes long.
    fn samples(&self, _: Operation) -> Option<usize> {
        None
    }
}

/// The most that our time may be of that of the fastest peer, for the library of ours whose name ends so.
type Limits = &'static [(&'static str, f64)];

/// Each operation with its name and the number of turns.
const OPERATIONS: [(Operation, &str, usize, Limits); 5] = [
    (Operation::Sign, "sign from scratch", 100, &[("aes", 0.22), ("blake3", 0.3)]),
    (Operation::Create, "create a wallet ready to sign", 50, &[("blake3", 0.5)]),
    (Operation::Keygen, "key generation alone", 50, &[]),
    (Operation::First, "create and sign once", 25, &[]),
    (Operation::Online, "sign from a pre-signature", 50, &[]),
];

/// Both rounds of FROST with Ed25519, two signers of three. The peer's driver is that of symbolon-benches.
fn frost(turns: usize) -> Found {
    let mut ours = Committee::<Ed25519>::new(8, 2, 3).with_keys(1);
    let mut zcash = Zcash::new(9, 2, 3);
    let ours = vec![Contender::new("symbolon, FROST".into(), None, || Some(ours.frost_sign()))];
    let theirs = vec![Contender::new(peers::version("frost-ed25519"), None, || Some(zcash.sign()))];
    measure::turns("FROST Ed25519, 2 of 3, both rounds", turns, &[("FROST", 0.75)], ours, theirs)
}

/// Name, parameters and what is counted, of the libraries of [`frost`].
fn frost_words() -> [[String; 3]; 2] {
    [
        [
            "symbolon, FROST".into(),
            "RFC 9591; a session id that the signers make and agreement on what is signed; authentication is left to the channel here, with \
             more than two signers frames are signed"
                .into(),
            "a frame for each message; every signer aggregates and verifies; ChaCha12, seeded".into(),
        ],
        [
            peers::version("frost-ed25519"),
            "RFC 9591; agreement on what is signed, authentication and framing are left to the caller".into(),
            "its own encoding of each message; every signer aggregates and verifies; ChaCha12, seeded".into(),
        ],
    ]
}

fn main() -> ExitCode {
    let (mut format, mut quick) = (Format::Plain, 1);
    for arg in std::env::args().skip(1) {
        match arg.as_str() {
            "--markdown" => format = Format::Markdown,
            "--json" => format = Format::Json,
            "--quick" => quick = 10,
            _ => {
                eprintln!("usage: symbolon-peers [--markdown | --json] [--quick]");
                return ExitCode::from(2);
            }
        }
    }
    eprintln!("keys of all libraries");
    let mut ours: Vec<Box<dyn Library>> =
        vec![Box::new(Ours::new(1, Suite::Blake3)), Box::new(Ours::new(2, Suite::Aes))];
    let mut theirs = peers::all();
    measure::warm(&mut ours);
    let mut found = Vec::new();
    for (operation, name, turns, limits) in OPERATIONS {
        let (ours, theirs) = (measure::contend(&mut ours, operation), measure::contend(&mut theirs, operation));
        found.push(measure::turns(name, turns / quick, limits, ours, theirs));
    }
    found.push(frost(200 / quick));
    let libraries = ours.iter().chain(&theirs);
    let words = libraries.map(|library| [library.name(), library.parameters().into(), library.counted().into()]);
    let words: Vec<_> = words.chain(frost_words()).collect();
    print::all(format, &found, &words);
    if quick > 1 || found.iter().all(Found::holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
