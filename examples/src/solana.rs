//! A Solana transfer: reads it from JSON, makes the message that a wallet signs, and the transaction that the network takes.
//!
//! It is a transaction of the legacy format with one instruction, the system program's transfer, and one signature: the
//! wallet sends, and pays the fee. The format: <https://solana.com/docs/core/transactions>.

use crate::{BadInput, is_object};
use alloy_primitives::hex;
use base64::{Engine, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Deserialize;
use serde_json::{Value, json};
use std::fmt;

/// Its address is `1` 32 times.
const SYSTEM_PROGRAM: [u8; 32] = [0; 32];
/// The number of the system program's instruction that moves lamports.
const TRANSFER: u32 = 2;

/// `from` may be left out: the key of the wallet is made while the example runs.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransferJson {
    from: Option<String>,
    to: String,
    lamports: Value,
    recent_blockhash: String,
}

/// Lamports for an address, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    from: Option<[u8; 32]>,
    to: [u8; 32],
    lamports: u64,
    recent_blockhash: [u8; 32],
}

/// A signed request, its signature verified. Addresses and signatures are in base58, as Solana writes them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signed {
    /// Who sends: the key of the wallet.
    pub address: String,
    /// What was signed.
    pub message: Vec<u8>,
    /// The signature, which is also the transaction's id.
    pub signature: String,
    /// The transaction in base64, for `sendTransaction` with `{"encoding": "base64"}`; none if it was only a text.
    pub transaction: Option<String>,
}

/// What the user wants signed, read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "what the command line takes")]
pub enum Request {
    /// A transfer.
    Transfer(Transfer),
    /// A text, as it is.
    Message(String),
}

impl Request {
    /// The bytes that both parties sign.
    ///
    /// # Errors
    /// [`BadInput`] for a transfer from another wallet.
    pub fn message(&self, key: &[u8; 32]) -> Result<Vec<u8>, BadInput> {
        match self {
            Self::Transfer(transfer) => transfer.message(key),
            Self::Message(text) => Ok(text.clone().into_bytes()),
        }
    }

    /// Verifies the signature and puts it into its final form.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn finish(&self, signature: &[u8; 64], key: &[u8; 32]) -> Result<Signed, NotSigned> {
        let message = self.message(key).map_err(NotSigned::Input)?;
        VerifyingKey::from_bytes(key)
            .and_then(|verifier| verifier.verify_strict(&message, &Signature::from_bytes(signature)))
            .map_err(|_| NotSigned::Signature)?;
        let transaction = match self {
            // one signature, then what it signs
            Self::Transfer(_) => Some(BASE64_STANDARD.encode([&[1], signature.as_slice(), &message].concat())),
            Self::Message(_) => None,
        };
        Ok(Signed { address: address(key), message, signature: bs58::encode(signature).into_string(), transaction })
    }
}

/// It isn't signed: nothing may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotSigned {
    /// The key can't make this transfer.
    Input(BadInput),
    /// ed25519-dalek refuses the signature.
    Signature,
}

impl fmt::Display for NotSigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(bad) => bad.fmt(f),
            Self::Signature => f.write_str("ed25519-dalek refuses the signature under the wallet's key"),
        }
    }
}

impl std::error::Error for NotSigned {}

/// Reads a transfer.
///
/// # Errors
/// [`BadInput`] says what is wrong in one line.
pub fn parse(json: &str) -> Result<Transfer, BadInput> {
    let bad = |why: &str| BadInput::new(format!("not a Solana transfer: {why}"));
    if !is_object(json) {
        return Err(bad("the file is one JSON object with to, lamports, recent_blockhash and, if you like, from"));
    }
    let TransferJson { from, to, lamports, recent_blockhash } =
        serde_json::from_str(json).map_err(|e| bad(&e.to_string()))?;
    let lamports = lamports.as_u64().ok_or_else(|| bad("lamports is an integer from 0 to 2^64 - 1, without quotes"))?;
    let from = from.map(|from| decode(&from).ok_or_else(|| bad("from is not an address: 32 bytes in base58")));
    let to = decode(&to).ok_or_else(|| bad("to is not an address: 32 bytes in base58"))?;
    if to == SYSTEM_PROGRAM {
        return Err(bad("to is the system program, which can't be paid: give the recipient's address"));
    }
    let recent_blockhash =
        decode(&recent_blockhash).ok_or_else(|| bad("recent_blockhash is not a block's hash: 32 bytes in base58"))?;
    Ok(Transfer { from: from.transpose()?, to, lamports, recent_blockhash })
}

/// The address of a key.
#[must_use]
pub fn address(key: &[u8; 32]) -> String {
    bs58::encode(key).into_string()
}

/// Exactly 32 bytes; stops at the 33rd, however long the text is.
fn decode(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    (bs58::decode(text).onto(&mut bytes) == Ok(32)).then_some(bytes)
}

impl Transfer {
    /// What the wallet signs, as it is: Ed25519 takes the message, not a hash of it.
    ///
    /// # Errors
    /// [`BadInput`] if the transfer is from another wallet than the one with this key.
    pub fn message(&self, key: &[u8; 32]) -> Result<Vec<u8>, BadInput> {
        if let Some(from) = self.from.filter(|from| from != key) {
            let (from, own) = (address(&from), address(key));
            return Err(BadInput::new(format!(
                "from is {from}, but this wallet is {own}: give that, or leave from out"
            )));
        }
        // no account is listed twice, also where the wallet pays itself
        let to_itself = self.to == *key;
        let (sender, recipient, program) = if to_itself { (0, 0, 1) } else { (0, 1, 2) };
        let accounts = program + 1;

        // one signature; no signer is read-only; of the others, which come last, one is: the program
        let mut message = vec![1, 0, 1];
        // a count is a compact-u16, which is one byte below 128
        message.push(accounts);
        message.extend(key);
        if !to_itself {
            message.extend(self.to);
        }
        message.extend(SYSTEM_PROGRAM);
        message.extend(self.recent_blockhash);
        // one instruction: its program, its two accounts, its twelve bytes
        message.extend([1, program, 2, sender, recipient, 12]);
        message.extend(TRANSFER.to_le_bytes());
        message.extend(self.lamports.to_le_bytes());
        Ok(message)
    }
}

impl Signed {
    /// For a report: one JSON object.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut object = json!({
            "address": self.address,
            "message": hex::encode(&self.message),
            "signature": self.signature,
        });
        if let Some(transaction) = &self.transaction {
            object["transaction"] = transaction.clone().into();
        }
        object
    }

    /// The same for people, a line for each.
    #[must_use]
    pub fn text(&self) -> String {
        let message = hex::encode(&self.message);
        let lines = [("address", &self.address), ("message", &message), ("signature", &self.signature)];
        let transaction = self.transaction.iter().map(|transaction| ("transaction", transaction));
        lines.into_iter().chain(transaction).map(|(key, value)| format!("{key:<15}  {value}\n")).collect()
    }
}
