//! The parts of the example programs.

pub mod blame;
pub mod cli;
pub mod committee;
pub mod report;
mod request;
pub mod server;
pub mod solana;
pub mod two_parties;
pub mod tx;
pub mod typed_data;
pub mod wallet;

pub use request::{Mismatch, Request, Signed};

/// The user's input can't be used; the text says why, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadInput(String);

impl BadInput {
    /// One line, whatever the parser below had to say.
    pub fn new(why: impl ToString) -> Self {
        Self(why.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl std::fmt::Display for BadInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}
