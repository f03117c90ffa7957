//! Runs published test vectors through the library and says which of them it judges otherwise.
//!
//! `cargo run --release --example vectors -- dero-signatures crates/symbolon-dero/testdata/signatures.json`

use std::process::ExitCode;
use symbolon_examples::vectors;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    vectors::run(arguments, &mut std::io::stdout().lock(), &mut std::io::stderr().lock()).into()
}
