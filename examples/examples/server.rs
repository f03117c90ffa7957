//! A server that crashes while wallets are made, comes back, and then signs a thousand messages at once.
//!
//! `cargo run --release --example server -- [signatures] [wallets]`

use std::process::ExitCode;
use symbolon_examples::server;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let (Ok(signatures), Ok(wallets)) = (numbers.next().unwrap_or(Ok(1000)), numbers.next().unwrap_or(Ok(2))) else {
        eprintln!("usage: server [signatures] [wallets]");
        return ExitCode::from(2);
    };
    match server::run(wallets, signatures, &mut std::io::stdout().lock()) {
        Ok(done) => {
            let seconds = done.time.as_secs_f64();
            println!(
                "{} signatures in {seconds:.2} s, {} sessions open at once, {} repeated frames ignored",
                done.signatures, done.open, done.ignored
            );
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("server: {why}");
            ExitCode::FAILURE
        }
    }
}
