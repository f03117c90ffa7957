//! Web3 secret storage, version 3: the encrypted JSON of a single secp256k1 key that Ethereum wallets exchange.

use crate::{CreateError, Limits, OpenError, Work, primitives::pbkdf2};
use aes::Aes128;
use alloc::{format, string::String, vec, vec::Vec};
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};
use rand_core::{Rng, TryCryptoRng};
use serde_json::Value;
use sha3::{Digest, Keccak256};
use subtle::ConstantTimeEq;
use symbolon_core::{Group, Secp256k1, SecretScalar, SeedRng, Transcript, on_cleared_stack};
use zeroize::{Zeroize, Zeroizing};

/// The most bytes of a file.
const MAX_JSON: usize = 16 << 10;

/// Why a file gave no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeystoreError {
    /// Not JSON of this form.
    #[error("not a Web3 secret storage file")]
    Format,
    /// Another version, cipher or key derivation.
    #[error("a version, cipher or key derivation that is not supported")]
    Unsupported,
    /// Wrong password, or a changed file: the format cannot tell.
    #[error("wrong password, or the file was changed")]
    WrongPassword,
    /// What is inside is no key, or not that of the address.
    #[error("the file does not hold the key of its address")]
    Key,
    /// Opening would cost more than allowed.
    #[error("opening needs {required} bytes of work or memory, and {limit} are allowed")]
    ExcessiveWork {
        /// What the file asks for.
        required: u64,
        /// What the caller allows.
        limit: u64,
    },
}

/// The address of a key: the last 20 bytes of Keccak-256 of its uncompressed point.
fn address(secret: &SecretScalar<Secp256k1>) -> [u8; 20] {
    let hash: [u8; 32] = Keccak256::digest(Secp256k1::secret_point_bytes(&secret.public())).into();
    let mut address = [0; 20];
    address.iter_mut().zip(hash.iter().skip(12)).for_each(|(to, from)| *to = *from);
    address
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Result<[u8; N], KeystoreError> {
    let digits = text.as_bytes();
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return Err(KeystoreError::Format);
    }
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        let [high, low] = pair.map(digit);
        *byte = high.zip(low).map(|(high, low)| high << 4 | low).ok_or(KeystoreError::Format)?;
    }
    Ok(bytes)
}

/// `Keccak-256(key[16..] || ciphertext)`.
fn mac(key: &[u8; 32], ciphertext: &[u8; 32]) -> [u8; 32] {
    let (_, second) = key.split_at(16);
    Keccak256::new().chain_update(second).chain_update(ciphertext).finalize().into()
}

fn apply(key: &[u8; 32], iv: &[u8; 16], bytes: &mut [u8; 32]) {
    let mut short = Zeroizing::new([0; 16]);
    short.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    Ctr128BE::<Aes128>::new(&(*short).into(), iv.into()).apply_keystream(bytes);
}

/// Encrypts a key for other wallets, with AES-128-CTR under scrypt.
///
/// The password goes in as it is, byte for byte: other wallets do not agree on a normal form, so that one of ASCII is best.
///
/// # Errors
/// [`CreateError::Work`], [`CreateError::Rng`].
///
/// # Security
/// Whoever has the file and the password has the whole key. The format commits to no password: it is worth less than a
/// [`crate::Backup`], and is for leaving.
pub fn to_keystore(
    secret: &SecretScalar<Secp256k1>,
    password: &str,
    work: &Work,
    rng: &mut impl TryCryptoRng,
) -> Result<String, CreateError> {
    on_cleared_stack(|| {
        work.check()?;
        let (mut salt, mut iv, mut id) = ([0; 32], [0; 16], [0; 16]);
        let mut fresh = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(fresh.as_mut()).map_err(|_| CreateError::Rng)?;
        // with the key, so that a generator that repeats itself gives two keys no common key stream (safety.md S9)
        let t = Transcript::new("backup", "keystore").part(*fresh).part(secret.to_bytes().expose());
        let mut rng = SeedRng::new(&Zeroizing::new(t.finish()));
        for bytes in [&mut salt[..], &mut iv, &mut id] {
            rng.fill_bytes(bytes);
        }
        let key = work.derive(password.as_bytes(), &salt).ok_or(CreateError::Work)?;
        let mut ciphertext = *secret.to_bytes().expose();
        apply(key.expose(), &iv, &mut ciphertext);
        let mac = mac(key.expose(), &ciphertext);
        // a random UUID (RFC 9562, version 4)
        let id = u128::from_be_bytes(id) & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
        let id = hex(&id.to_be_bytes());
        let part = |from: usize, to: usize| id.get(from..to).unwrap_or_default();
        let id = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
        let Work { log_n, r, p } = *work;
        let n = 1u64 << log_n;
        Ok(format!(
            concat!(
                r#"{{"version":3,"id":"{id}","address":"{address}","crypto":{{"cipher":"aes-128-ctr","#,
                r#""cipherparams":{{"iv":"{iv}"}},"ciphertext":"{ciphertext}","kdf":"scrypt","#,
                r#""kdfparams":{{"dklen":32,"n":{n},"p":{p},"r":{r},"salt":"{salt}"}},"mac":"{mac}"}}}}"#
            ),
            id = id,
            address = hex(&address(secret)),
            iv = hex(&iv),
            ciphertext = hex(&ciphertext),
            n = n,
            p = p,
            r = r,
            salt = hex(&salt),
            mac = hex(&mac),
        ))
    })
}

/// Decrypts a file of another wallet (scrypt, or PBKDF2 with HMAC-SHA-256). The key is whole in one place: bring it in with
/// `symbolon_sharing::import`, which marks it and gives no usable share before a refresh.
///
/// # Errors
/// [`KeystoreError`].
pub fn from_keystore(json: &str, password: &str, limits: &Limits) -> Result<SecretScalar<Secp256k1>, KeystoreError> {
    on_cleared_stack(|| {
        if json.len() > MAX_JSON {
            return Err(KeystoreError::Format);
        }
        let file: Value = serde_json::from_str(json).map_err(|_| KeystoreError::Format)?;
        // of two values with one name, programs do not agree which one counts
        if written_names(json) != names(&file) {
            return Err(KeystoreError::Format);
        }
        let crypto = file.get("crypto").or_else(|| file.get("Crypto")).ok_or(KeystoreError::Format)?;
        let of = |value: &Value, name: &str| value.get(name).cloned().ok_or(KeystoreError::Format);
        let text = |value: &Value, name: &str| of(value, name)?.as_str().map(String::from).ok_or(KeystoreError::Format);
        let number = |value: &Value, name: &str| of(value, name)?.as_u64().ok_or(KeystoreError::Format);
        if number(&file, "version")? != 3 || text(crypto, "cipher")? != "aes-128-ctr" {
            return Err(KeystoreError::Unsupported);
        }
        let iv = unhex::<16>(&text(&of(crypto, "cipherparams")?, "iv")?)?;
        let ciphertext = unhex::<32>(&text(crypto, "ciphertext")?)?;
        let expected = unhex::<32>(&text(crypto, "mac")?)?;
        let params = of(crypto, "kdfparams")?;
        if number(&params, "dklen")? != 32 {
            return Err(KeystoreError::Unsupported);
        }
        let salt = text(&params, "salt")?;
        let salt = salt_bytes(&salt)?;
        let mut key = Zeroizing::new([0; 32]);
        match text(crypto, "kdf")?.as_str() {
            "scrypt" => {
                let (n, r, p) = (number(&params, "n")?, number(&params, "r")?, number(&params, "p")?);
                let word = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
                let log_n = u8::try_from(n.checked_ilog2().ok_or(KeystoreError::Format)?).unwrap_or(u8::MAX);
                if !n.is_power_of_two() {
                    return Err(KeystoreError::Format);
                }
                let work = Work { log_n, r: word(r), p: word(p) };
                limits.allow_foreign(&work).map_err(excess)?;
                work.scrypt(password.as_bytes(), &salt, key.as_mut()).ok_or(KeystoreError::Unsupported)?;
            }
            "pbkdf2" if text(&params, "prf")? == "hmac-sha256" => {
                let iterations = number(&params, "c")?;
                limits.allow_iterations(iterations).map_err(excess)?;
                let iterations = u32::try_from(iterations).map_err(|_| KeystoreError::Format)?;
                pbkdf2(password.as_bytes(), &salt, iterations, key.as_mut()).ok_or(KeystoreError::Format)?;
            }
            _ => return Err(KeystoreError::Unsupported),
        }
        if !bool::from(mac(&key, &ciphertext).ct_eq(&expected)) {
            return Err(KeystoreError::WrongPassword);
        }
        let mut bytes = Zeroizing::new(ciphertext);
        apply(&key, &iv, &mut bytes);
        let mut scalar = Secp256k1::scalar_from_bytes(&bytes).map_err(|_| KeystoreError::Key)?;
        let secret = SecretScalar::new(scalar);
        scalar.zeroize();
        let claimed = match file.get("address") {
            None | Some(Value::Null) => None,
            Some(address) => Some(address.as_str().ok_or(KeystoreError::Format)?),
        };
        let claimed = claimed.map(|text| text.strip_prefix("0x").unwrap_or(text));
        if Secp256k1::is_identity(&secret.public())
            || claimed.is_some_and(|claimed| !claimed.is_empty() && unhex::<20>(claimed) != Ok(address(&secret)))
        {
            return Err(KeystoreError::Key);
        }
        Ok(secret)
    })
}

fn excess(error: OpenError) -> KeystoreError {
    match error {
        OpenError::ExcessiveWork { required, limit } => KeystoreError::ExcessiveWork { required, limit },
        _ => KeystoreError::Unsupported,
    }
}

/// The names in all objects of a value.
fn names(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.len() + object.values().map(names).sum::<usize>(),
        Value::Array(array) => array.iter().map(names).sum(),
        _ => 0,
    }
}

/// The same as it was written, with those that stand twice: in valid JSON, the colons outside of strings.
fn written_names(json: &str) -> usize {
    let (mut colons, mut in_string, mut escaped) = (0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b':' if !in_string => colons += 1,
            _ => {}
        }
    }
    colons
}

/// Salts have any length up to 64 bytes.
fn salt_bytes(text: &str) -> Result<Vec<u8>, KeystoreError> {
    if text.len() > 128 || !text.len().is_multiple_of(2) {
        return Err(KeystoreError::Format);
    }
    let mut salt = vec![0; text.len() / 2];
    for (byte, pair) in salt.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
        let pair = core::str::from_utf8(pair).map_err(|_| KeystoreError::Format)?;
        [*byte] = unhex(pair)?;
    }
    Ok(salt)
}
