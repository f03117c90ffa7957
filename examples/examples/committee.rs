//! The life of a wallet among n parties, any t of whom sign: made, used, a device lost and replaced, the committee changed.
//!
//! `cargo run --release --example committee -- --curve secp256k1 --threshold 2 --parties 3`

use std::process::ExitCode;
use symbolon_examples::committee;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    committee::run(arguments, &mut std::io::stdout().lock(), &mut std::io::stderr().lock()).into()
}
