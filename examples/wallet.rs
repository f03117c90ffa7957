//! Two parties make a wallet whose key neither of them ever holds, and sign with it.
//!
//! `cargo run --release --example wallet -- --help`

use std::process::ExitCode;
use symbolon_examples::cli;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    cli::run(arguments, &mut std::io::stdout().lock(), &mut std::io::stderr().lock()).into()
}
