//! The parts of the example programs.

pub mod backup;
pub mod blame;
pub mod cli;
pub mod committee;
pub mod dero_signin;
pub mod report;
mod request;
pub mod server;
pub mod solana;
pub mod two_parties;
pub mod tx;
pub mod typed_data;
pub mod vectors;
pub mod wallet;

pub use request::{Mismatch, Request, Signed};

/// Which group a key is of, and with it what it signs with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the curves of the workspace")]
pub enum Curve {
    /// ECDSA.
    Secp256k1,
    /// FROST.
    Ed25519,
}

impl Curve {
    /// From the command line.
    ///
    /// # Errors
    /// [`BadInput`].
    pub fn read(text: &str) -> Result<Self, BadInput> {
        match text {
            "secp256k1" => Ok(Self::Secp256k1),
            "ed25519" => Ok(Self::Ed25519),
            other => Err(BadInput::new(format!("unknown curve {other:?}: use secp256k1 or ed25519"))),
        }
    }
}

/// The user's input can't be used; the text says why, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadInput(String);

impl BadInput {
    /// One line, whatever the parser below had to say.
    pub fn new(why: impl ToString) -> Self {
        Self(why.to_string().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Text that begins as a JSON object does: serde also takes an array for a struct, its fields without their names.
fn is_object(json: &str) -> bool {
    json.trim_start().starts_with('{')
}

impl std::fmt::Display for BadInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadInput {}
