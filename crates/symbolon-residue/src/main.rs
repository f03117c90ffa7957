//! Runs everything and prints the table.

use std::process::ExitCode;
use symbolon_residue::{Scanning, check};

#[global_allocator]
static HEAP: Scanning = Scanning;

fn main() -> ExitCode {
    let only = std::env::args().nth(1);
    if check(only.as_deref()) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
