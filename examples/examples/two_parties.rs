//! Two parties make a wallet over TCP and sign a message with it.
//!
//! `cargo run --release --example two_parties -- "text to sign"`

use std::process::ExitCode;
use symbolon_examples::two_parties;

fn main() -> ExitCode {
    let message = std::env::args().nth(1).unwrap_or_else(|| "hello from two parties".into());
    match two_parties::run(&message) {
        Ok((address, signature)) => {
            let hex: String = signature.to_rsv().iter().map(|b| format!("{b:02x}")).collect();
            println!("address   {address}\nmessage   {message}\nsignature 0x{hex}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("two_parties: {why}");
            ExitCode::FAILURE
        }
    }
}
