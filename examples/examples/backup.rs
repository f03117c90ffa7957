//! Backups of a share: made, checked, opened, changed; and the way out with the whole key.
//!
//! `cargo run --release --example backup -- --help`

use std::process::ExitCode;
use symbolon_examples::backup::{self, Terminal};

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    // the standard error is not locked: a thread says there how long scrypt takes already
    backup::run(arguments, &mut Terminal, &mut std::io::stdout().lock(), &mut std::io::stderr()).into()
}
