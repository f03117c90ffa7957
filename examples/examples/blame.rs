//! What an application says when a run does not end well: who is to blame, and what to do.
//!
//! `cargo run --release --example blame`

use std::process::ExitCode;

fn main() -> ExitCode {
    match symbolon_examples::blame::run(&mut std::io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("blame: {why}");
            ExitCode::FAILURE
        }
    }
}
