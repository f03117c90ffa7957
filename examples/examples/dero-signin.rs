//! Signing in with a DERO wallet: a web server with a page that shows every check, and verification of signed files.
//!
//! `cargo run --release --example dero-signin`

use std::process::ExitCode;
use symbolon_examples::dero_signin;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    dero_signin::run(arguments, &mut std::io::stdout().lock(), &mut std::io::stderr().lock()).into()
}
