//! Signed messages: PEM text, verification, signing (spec sections 4 and 5).

use crate::stack::on_cleared_stack;
use crate::{
    Address, AddressError, Network, PublicKey,
    curve::{Scalar, SecretScalar, challenge, nonce_point},
};
use alloc::{boxed::Box, string::String, vec::Vec};
use base64::{Engine, prelude::BASE64_STANDARD};
use core::fmt::Write;
use rand_core::TryCryptoRng;
use sha3::{Digest, Keccak512};
use zeroize::{ZeroizeOnDrop, Zeroizing};

const BEGIN: &str = "-----BEGIN DERO SIGNED MESSAGE-----";
const END: &str = "-----END DERO SIGNED MESSAGE-----";
/// Characters of a line of base64.
const WIDTH: usize = 64;

/// Why a signed message is refused. Nothing else is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// More bytes than the caller allows.
    #[error("longer than allowed")]
    TooLong,
    /// Not the lines of a signed message.
    #[error("not the lines of a signed message")]
    Layout,
    /// Another kind of PEM.
    #[error("another kind of PEM")]
    Type,
    /// The headers are not exactly Address, C and S.
    #[error("the headers are not exactly Address, C and S")]
    Header,
    /// Something after the end.
    #[error("something after the end")]
    Trailing,
    /// The body is not the base64 that the wallet prints.
    #[error("the body is not canonical base64")]
    Base64,
    /// C or S is not the hexadecimal that the wallet prints.
    #[error("C or S is not lowercase hexadecimal without leading zeros")]
    ScalarForm,
    /// C or S is zero, or not below the group order.
    #[error("C or S is out of range")]
    ScalarRange,
    /// The address.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The empty message, whose signature is public for every registered account.
    #[error("the empty message: every registered account has a public signature of it")]
    EmptyMessage,
    /// The nonce point is the identity.
    #[error("the nonce is the identity")]
    NonceIdentity,
    /// The signature is of something else.
    #[error("the signature does not verify")]
    Mismatch,
}

impl SignatureError {
    /// The code of the specification.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLong => "too-long",
            Self::Layout => "pem-layout",
            Self::Type => "pem-type",
            Self::Header => "pem-header",
            Self::Trailing => "pem-trailing",
            Self::Base64 => "pem-base64",
            Self::ScalarForm => "scalar-form",
            Self::ScalarRange => "scalar-range",
            Self::Address(address) => address.code(),
            Self::EmptyMessage => "empty-message",
            Self::NonceIdentity => "nonce-identity",
            Self::Mismatch => "signature-mismatch",
        }
    }
}

/// A signed message as it was read: not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedMessage {
    address: Address,
    c: Scalar,
    s: Scalar,
    message: Vec<u8>,
}

/// Who signed what. Exists only after verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    address: Address,
    message: Vec<u8>,
}

impl Verified {
    /// The signer. That the message is meant for this network nobody has signed.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The signed bytes.
    #[must_use]
    pub fn message(&self) -> &[u8] {
        &self.message
    }
}

impl SignedMessage {
    /// Reads exactly what the wallet prints, of at most `limit` bytes; each line end may be CRLF, and the last one may be missing or
    /// followed by more.
    ///
    /// # Errors
    /// [`SignatureError`]: size, characters, type, lines, headers, what follows, body, scalars, address, in this order.
    pub fn parse(pem: &[u8], limit: usize) -> Result<Self, SignatureError> {
        if pem.len() > limit {
            return Err(SignatureError::TooLong);
        }
        let text = core::str::from_utf8(pem).ok().filter(|text| text.is_ascii()).ok_or(SignatureError::Layout)?;
        let mut lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        // CR stands before LF alone
        if lines.clone().any(|line| line.contains('\r')) || text.ends_with('\r') {
            return Err(SignatureError::Layout);
        }
        let first = lines.next().unwrap_or_default();
        if first != BEGIN {
            let label = first.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"));
            return Err(if label.is_some() { SignatureError::Type } else { SignatureError::Layout });
        }
        let mut head = [""; 4];
        let mut body = Body::default();
        let mut count = 0usize;
        loop {
            match lines.next() {
                None => return Err(SignatureError::Layout),
                Some(END) => break,
                Some(line) => head.get_mut(count).map_or_else(|| body.push(line), |slot| *slot = line),
            }
            count += 1;
        }
        fn value<'a>(line: &'a str, name: &str) -> Result<&'a str, SignatureError> {
            let value = line.strip_prefix(name).and_then(|line| line.strip_prefix(": "));
            value.filter(|value| value.trim() == *value).ok_or(SignatureError::Header)
        }
        let [address, c, s, ""] = head else { return Err(SignatureError::Header) };
        let (address, c, s) = (value(address, "Address")?, value(c, "C")?, value(s, "S")?);
        if count < head.len() {
            return Err(SignatureError::Header);
        }
        if lines.any(|line| !line.is_empty()) {
            return Err(SignatureError::Trailing);
        }
        let message = body.decode()?;
        let (c, s) = (scalar(c)?, scalar(s)?);
        Ok(Self { address: Address::parse(address)?, c, s, message })
    }

    /// The wallet's own printing.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let mut pem = String::new();
        let body = BASE64_STANDARD.encode(&self.message);
        // writing to a string does not fail
        let _ = write!(pem, "{BEGIN}\nAddress: {}\nC: {}\nS: {}\n\n", self.address, digits(&self.c), digits(&self.s));
        let mut rest = body.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at_checked(WIDTH).unwrap_or((rest, ""));
            pem.push_str(line);
            pem.push('\n');
            rest = more;
        }
        pem.push_str(END);
        pem.push('\n');
        pem
    }

    /// The bytes that the signer claims to have signed.
    #[must_use]
    pub fn unverified_message(&self) -> &[u8] {
        &self.message
    }

    /// Verifies the signature of a message that is not empty.
    ///
    /// # Errors
    /// [`SignatureError::EmptyMessage`], [`SignatureError::NonceIdentity`], [`SignatureError::Mismatch`].
    pub fn verify(self) -> Result<Verified, SignatureError> {
        if self.message.is_empty() { Err(SignatureError::EmptyMessage) } else { self.verify_any() }
    }

    /// The same, with the empty message allowed: it proves nothing, since every registered account has published its signature.
    ///
    /// # Errors
    /// [`SignatureError::NonceIdentity`], [`SignatureError::Mismatch`].
    pub fn verify_any(self) -> Result<Verified, SignatureError> {
        check(&self.address, &self.c, &self.s, &self.message)?;
        Ok(Verified { address: self.address, message: self.message })
    }

    /// Verifies a detached signature of a file: the body is empty, and the signed bytes are given.
    ///
    /// # Errors
    /// [`SignatureError::Layout`] if the text has a body; [`SignatureError::EmptyMessage`] for an empty file; otherwise those of
    /// [`Self::verify_any`].
    pub fn verify_detached(self, file: &[u8]) -> Result<Address, SignatureError> {
        if !self.message.is_empty() {
            return Err(SignatureError::Layout);
        }
        if file.is_empty() {
            return Err(SignatureError::EmptyMessage);
        }
        check(&self.address, &self.c, &self.s, file)?;
        Ok(self.address)
    }
}

/// `H(P, S*G - C*P, m) = C`.
fn check(address: &Address, c: &Scalar, s: &Scalar, message: &[u8]) -> Result<(), SignatureError> {
    let nonce = nonce_point(s, c, address.key()).ok_or(SignatureError::NonceIdentity)?;
    if challenge(address.key(), &nonce, message) == *c { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// The PEM text inside the base64 in which the wallet's XSWD `SignData` returns it.
///
/// # Errors
/// [`SignatureError::TooLong`] where the text would have more than `limit` bytes, [`SignatureError::Base64`].
pub fn pem_from_base64(text: &[u8], limit: usize) -> Result<Vec<u8>, SignatureError> {
    if text.len() > limit.div_ceil(3).saturating_mul(4) {
        return Err(SignatureError::TooLong);
    }
    let pem = BASE64_STANDARD.decode(text).map_err(|_| SignatureError::Base64)?;
    if pem.len() > limit { Err(SignatureError::TooLong) } else { Ok(pem) }
}

/// The lines after the blank one, as they come.
#[derive(Default)]
struct Body {
    base64: String,
    /// Of the last line; 0 before the first.
    width: usize,
    /// Whether a line is blank.
    is_blank: bool,
    /// Whether a line other than the last is not full, or any is wider.
    is_ragged: bool,
}

impl Body {
    fn push(&mut self, line: &str) {
        self.is_blank |= line.is_empty();
        self.is_ragged |= line.len() > WIDTH || (!self.base64.is_empty() && self.width != WIDTH);
        self.width = line.len();
        self.base64.push_str(line);
    }

    fn decode(self) -> Result<Vec<u8>, SignatureError> {
        if self.is_blank {
            return Err(SignatureError::Layout);
        }
        let message = BASE64_STANDARD.decode(&self.base64).map_err(|_| SignatureError::Base64)?;
        if self.is_ragged { Err(SignatureError::Layout) } else { Ok(message) }
    }
}

/// Lowercase hexadecimal without leading zeros, `1 <= x < n`.
fn scalar(text: &str) -> Result<Scalar, SignatureError> {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.is_empty() || !text.bytes().all(digit) || (text.starts_with('0') && text.len() > 1) {
        return Err(SignatureError::ScalarForm);
    }
    let mut bytes = [0u8; 32];
    let pairs = text.len().div_ceil(2);
    let start = bytes.len().checked_sub(pairs).ok_or(SignatureError::ScalarRange)?;
    let value = |byte: u8| if byte.is_ascii_digit() { byte - b'0' } else { byte - b'a' + 10 };
    let padding = (text.len() % 2 == 1).then_some(b'0');
    let mut nibbles = padding.into_iter().chain(text.bytes()).map(value);
    for byte in bytes.iter_mut().skip(start) {
        let (high, low) = (nibbles.next().unwrap_or(0), nibbles.next().unwrap_or(0));
        *byte = high << 4 | low;
    }
    Scalar::from_be_bytes(&bytes).filter(|scalar| !scalar.is_zero()).ok_or(SignatureError::ScalarRange)
}

/// As the wallet prints it.
fn digits(scalar: &Scalar) -> String {
    let mut text = String::with_capacity(64);
    for byte in scalar.to_be_bytes() {
        // writing to a string does not fail
        let _ = write!(text, "{byte:02x}");
    }
    let digits = text.trim_start_matches('0');
    if digits.is_empty() { "0".into() } else { digits.into() }
}

/// A secret key, for tests and tools: wallets sign. Wiped on drop. Its arithmetic takes constant time.
pub struct SecretKey {
    x: Box<SecretScalar>,
    public: PublicKey,
}

impl SecretKey {
    /// From 32 bytes, big-endian; `None` unless `1 <= x < n`.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        on_cleared_stack(|| {
            let x = SecretScalar::from_be_bytes(bytes)?;
            let public = x.public()?;
            Some(Self { x: Box::new(x), public })
        })
    }

    /// `x*G`.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs. The nonce is `Keccak-512` over 32 fresh bytes, the key and the message, reduced: it stays secret when the generator
    /// fails.
    ///
    /// # Errors
    /// The generator's.
    pub fn sign<R: TryCryptoRng>(
        &self,
        network: Network,
        message: impl Into<Vec<u8>>,
        rng: &mut R,
    ) -> Result<SignedMessage, R::Error> {
        on_cleared_stack(|| {
            let message = message.into();
            loop {
                let mut fresh = Zeroizing::new([0; 32]);
                rng.try_fill_bytes(fresh.as_mut())?;
                let hash = Keccak512::new().chain_update("symbolon/dero/nonce").chain_update(fresh.as_slice());
                let hash = hash.chain_update(self.x.to_be_bytes().as_slice()).chain_update(&message);
                let mut wide = Zeroizing::new([0; 64]);
                hash.finalize_into((&mut *wide).into());
                let k = SecretScalar::from_wide(&wide);
                // zero nonces and zero scalars have probability 2^-253 each
                let Some(nonce) = k.public() else { continue };
                let c = challenge(&self.public, &nonce, &message);
                if let Some(s) = k.plus_product(&c, &self.x)
                    && !c.is_zero()
                {
                    return Ok(SignedMessage { address: Address::new(network, self.public), c, s, message });
                }
            }
        })
    }
}

impl ZeroizeOnDrop for SecretKey {}
