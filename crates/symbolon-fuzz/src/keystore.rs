//! Web3 secret storage: what is opened holds the key that a second implementation put in, at a cost that is bounded.

use crate::{bytes::Bytes, memory::peak};
use aes::Aes128;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};
use sha2::Sha256;
use sha3::{Digest, Keccak256};
use symbolon_backup::{KeystoreError, Limits, from_keystore};
use symbolon_core::{Group, Secp256k1, SecretScalar};

const PASSWORD: &str = "a password";
/// Room for an N of 64, or as many iterations.
const LIMITS: Limits = Limits { memory: 8 << 10, work: 8 << 10 };

/// The target. Gives whether a key was found.
pub fn run(data: &[u8]) -> bool {
    let whole = str::from_utf8(data).is_ok_and(|text| open(text).is_ok());
    let mut input = Bytes(data);
    let built = match input.byte() {
        1 => made(&mut input),
        2 => changed(&mut input),
        3 => fields(&mut input),
        _ => false,
    };
    whole || built
}

fn open(text: &str) -> Result<[u8; 32], KeystoreError> {
    let (secret, peak) = peak(|| from_keystore(text, PASSWORD, &LIMITS));
    // a value of JSON has 32 bytes for two of text, and lists grow by doubling; beside it the two buffers of scrypt
    let room = 2 * usize::try_from(LIMITS.memory).expect("a few KiB") + 4096;
    assert!(peak <= 64 * text.len() + room, "{peak} bytes of memory for {} bytes of input", text.len());
    Ok(*secret?.to_bytes().expose())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The numbers of one way to derive the key.
enum Kdf {
    Scrypt(u8, u32, u32),
    Pbkdf2(u32),
}

/// A file of a key, and the address in it.
fn file(key: &[u8; 32], kdf: &Kdf, iv: &[u8; 16], salt: &[u8], with_address: bool) -> (String, String) {
    let mut derived = [0; 32];
    let params = match *kdf {
        Kdf::Scrypt(log_n, r, p) => {
            let params = scrypt::Params::new(log_n, r, p).expect("small numbers");
            scrypt::scrypt(PASSWORD.as_bytes(), salt, &params, &mut derived).expect("32 bytes");
            format!(r#""n":{},"r":{r},"p":{p}"#, 1u64 << log_n)
        }
        Kdf::Pbkdf2(c) => {
            pbkdf2::pbkdf2_hmac::<Sha256>(PASSWORD.as_bytes(), salt, c, &mut derived);
            format!(r#""c":{c},"prf":"hmac-sha256""#)
        }
    };
    let name = if matches!(kdf, Kdf::Scrypt(..)) { "scrypt" } else { "pbkdf2" };
    let mut ciphertext = *key;
    Ctr128BE::<Aes128>::new(derived[..16].try_into().expect("16 bytes"), iv.into()).apply_keystream(&mut ciphertext);
    let mac = Keccak256::new().chain_update(&derived[16..]).chain_update(ciphertext).finalize();
    let address = Secp256k1::scalar_from_bytes(key).map_or([0; 20], |scalar| {
        let point = Secp256k1::secret_point_bytes(&SecretScalar::<Secp256k1>::new(scalar).public());
        Keccak256::digest(point)[12..].try_into().expect("20 of 32 bytes")
    });
    let address = if with_address { format!(r#""address":"{}","#, hex(&address)) } else { String::new() };
    let text = format!(
        concat!(
            r#"{{"version":3,{}"crypto":{{"cipher":"aes-128-ctr","cipherparams":{{"iv":"{}"}},"ciphertext":"{}","#,
            r#""kdf":"{}","kdfparams":{{"dklen":32,{},"salt":"{}"}},"mac":"{}"}}}}"#
        ),
        address,
        hex(iv),
        hex(&ciphertext),
        name,
        params,
        hex(salt),
        hex(&mac)
    );
    (text, address)
}

fn kdf(input: &mut Bytes<'_>) -> Kdf {
    let cost = input.byte();
    if cost & 1 == 0 {
        Kdf::Scrypt(1 + (cost >> 1) % 8, 1 + u32::from(input.byte() % 3), 1 + u32::from(input.byte() % 3))
    } else {
        Kdf::Pbkdf2(1 + u32::from(cost >> 1))
    }
}

/// Any key, salt and cost: it opens if the cost is allowed and the key is one.
fn made(input: &mut Bytes<'_>) -> bool {
    let (kdf, flags) = (kdf(input), input.byte());
    let (key, iv) = (input.array::<32>(), input.array::<16>());
    let salt = input.take(64);
    let (text, _) = file(&key, &kdf, &iv, salt, flags & 1 == 0);
    let opened = open(&text);
    let (memory, work) = match kdf {
        Kdf::Scrypt(log_n, r, p) => {
            let (n, r, p) = (1u64 << log_n, u64::from(r), u64::from(p));
            (128 * r * n.max(p), 128 * n * r * p)
        }
        Kdf::Pbkdf2(c) => (0, 128 * u64::from(c)),
    };
    let is_key = Secp256k1::scalar_from_bytes(&key).is_ok() && key != [0; 32];
    match opened {
        Ok(found) => assert!(found == key && is_key && memory <= LIMITS.memory && work <= LIMITS.work),
        Err(KeystoreError::ExcessiveWork { required, limit }) => {
            assert!(required > limit && (memory > LIMITS.memory || work > LIMITS.work));
        }
        Err(error) => assert!(error == KeystoreError::Key && !is_key, "{error}"),
    }
    opened.is_ok()
}

/// A file with some characters changed: as long as it has its address, it gives the same key or none.
fn changed(input: &mut Bytes<'_>) -> bool {
    let kdf = kdf(input);
    let key = [input.byte() | 1; 32];
    let (text, address) = file(&key, &kdf, &[7; 16], b"salt", true);
    let mut bytes = text.into_bytes();
    input.edit(&mut bytes, 0);
    let Ok(text) = String::from_utf8(bytes) else { return false };
    let opened = open(&text);
    if let Ok(found) = opened
        && text.contains(&address)
    {
        assert_eq!(found, key);
    }
    opened.is_ok()
}

/// The layout, with any text in its fields.
fn fields(input: &mut Bytes<'_>) -> bool {
    let mut piece = |default: &str| input.piece().unwrap_or_else(|| default.into());
    let zeros = "00".repeat(32);
    let text = format!(
        concat!(
            r#"{{"version":{},"crypto":{{"cipher":{},"cipherparams":{{"iv":{}}},"ciphertext":{},"#,
            r#""kdf":{},"kdfparams":{{"dklen":{},{}}},"mac":"{}"}}}}"#
        ),
        piece("3"),
        piece(r#""aes-128-ctr""#),
        piece(r#""00000000000000000000000000000000""#),
        piece(&format!(r#""{zeros}""#)),
        piece(r#""scrypt""#),
        piece("32"),
        piece(r#""n":2,"r":1,"p":1,"salt":"""#),
        zeros
    );
    open(&text).is_ok()
}
