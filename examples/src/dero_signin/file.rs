//! Signed messages in files: verified, and made with a test key.

use super::Failure;
use crate::BadInput;
use alloy_primitives::hex;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};
use symbolon::SysRng;
use symbolon_dero::{Address, Network, SecretKey, SignatureError, SignedMessage};

/// What there is to say of a signature.
pub(super) enum Verdict {
    Good {
        signer: Address,
        /// `None` for a detached signature: the message is the file.
        message: Option<Vec<u8>>,
    },
    Bad(SignatureError),
}

/// Verifies the signed message in a file, or a detached signature of another file.
pub(super) fn verify(signature: &Path, of: Option<&Path>, limit: u64) -> Result<Verdict, Failure> {
    if of.is_some_and(|of| is_standard_input(of) && is_standard_input(signature)) {
        return Err(BadInput::new("only one of --verify and --of can be the standard input").into());
    }
    let pem = read(signature, limit)?;
    let signed = SignedMessage::parse(&pem, pem.len());
    let verdict = match of {
        None => signed
            .and_then(SignedMessage::verify)
            .map(|verified| Verdict::Good { signer: *verified.address(), message: Some(verified.message().to_vec()) }),
        Some(of) => {
            let data = read(of, limit)?;
            let signer = signed.and_then(|signed| signed.verify_detached(&data));
            signer.map(|signer| Verdict::Good { signer, message: None })
        }
    };
    Ok(verdict.unwrap_or_else(Verdict::Bad))
}

/// The signed message of a file's bytes, or the key's address alone.
pub(super) fn sign(key: &Path, data: Option<&Path>, limit: u64, network: Network) -> Result<String, Failure> {
    let bad = || {
        BadInput::new(format!(
            "{} is no secret key: 64 hexadecimal digits, not zero, below the group order",
            key.display()
        ))
    };
    let digits = read(key, 1024)?;
    let bytes = hex::decode(digits.trim_ascii()).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(bad)?;
    let secret = SecretKey::from_bytes(&bytes).ok_or_else(bad)?;
    let Some(data) = data else { return Ok(format!("{}\n", Address::new(network, *secret.public()))) };
    let message = read(data, limit)?;
    if message.is_empty() {
        return Err(BadInput::new(format!("{} is empty: nothing to sign", data.display())).into());
    }
    let signed = secret.sign(network, message, &mut SysRng).map_err(io::Error::other)?;
    Ok(signed.to_pem())
}

impl Verdict {
    pub(super) const fn is_good(&self) -> bool {
        matches!(self, Self::Good { .. })
    }

    /// For people: nothing in it that a terminal would obey.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Good { signer, message } => {
                let facts = format!(
                    "valid\nsigner   {signer}\n\
                     network  {} (not signed: the key's other address has the same signature)\nkey      {}\n",
                    network(signer),
                    hex::encode(signer.key().to_bytes())
                );
                facts + &message.as_deref().map_or_else(|| "message  the file\n".into(), shown)
            }
            Self::Bad(error) => format!("not valid: {error} ({})\n{}", error.code(), self.hint()),
        }
    }

    const fn hint(&self) -> &'static str {
        match self {
            Self::Bad(SignatureError::EmptyMessage) => {
                "If it is a detached signature, say of which file: --of DATA_FILE.\n"
            }
            Self::Bad(SignatureError::Layout | SignatureError::Header | SignatureError::Trailing) => {
                "Give the file as the wallet wrote it, from BEGIN to END; with --of, one without a message.\n"
            }
            _ => "",
        }
    }

    /// One JSON object on one line, in ASCII.
    pub(super) fn json(&self) -> String {
        let object = match self {
            Self::Good { signer, message } => json!({
                "valid": true,
                "address": signer.to_string(),
                "network": network(signer),
                "public_key": hex::encode(signer.key().to_bytes()),
                "message": message.as_deref().and_then(|bytes| str::from_utf8(bytes).ok()),
                "message_base64": message.as_ref().map(|bytes| BASE64_STANDARD.encode(bytes)),
            }),
            Self::Bad(error) => json!({ "valid": false, "code": error.code(), "error": error.to_string() }),
        };
        ascii(&object) + "\n"
    }
}

/// JSON whose strings have no raw character that a terminal would obey.
fn ascii(value: &Value) -> String {
    let mut units = [0; 2];
    let mut text = String::new();
    for character in value.to_string().chars() {
        if character.is_ascii() && !character.is_ascii_control() {
            text.push(character);
        } else {
            // outside of strings JSON is ASCII, so this is inside of one
            text.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// A message for a terminal: lines of text with everything that is not plainly visible escaped, or base64.
fn shown(message: &[u8]) -> String {
    let Ok(text) = str::from_utf8(message) else {
        return format!(
            "message  {} bytes, not text; in base64:\n{}\n",
            message.len(),
            BASE64_STANDARD.encode(message)
        );
    };
    let mut shown = String::from("message\n");
    for line in text.split('\n') {
        shown.push_str("  | ");
        for character in line.chars() {
            // also what changes the direction of the text
            match character {
                '\'' | '"' => shown.push(character),
                other => shown.extend(other.escape_debug()),
            }
        }
        shown.push('\n');
    }
    shown
}

const fn network(address: &Address) -> &'static str {
    match address.network() {
        Network::Mainnet => "mainnet",
        Network::Testnet => "testnet",
    }
}

fn is_standard_input(path: &Path) -> bool {
    path == Path::new("-")
}

/// A file that never ends is refused.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, BadInput> {
    let shown = path.display();
    let mut bytes = Vec::new();
    let read = if is_standard_input(path) {
        io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
    };
    match read {
        Err(e) => Err(BadInput::new(format!("cannot read {shown}: {e}"))),
        Ok(_) if u64::try_from(bytes.len()).is_ok_and(|len| len > limit) => {
            Err(BadInput::new(format!("{shown} is larger than {limit} bytes")))
        }
        Ok(_) => Ok(bytes),
    }
}
