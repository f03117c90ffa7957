//! Session tokens (feature `jwt`): the claims of a sign-in as a JWT (RFC 7519), with HS256 where one server issues and reads, or
//! EdDSA where others read (RFC 8037). The key decides the algorithm, never the token; the format is `jwt-compact`'s.
//!
//! A token is good for whoever holds it: send it over TLS alone, keep it out of URLs and of what scripts can read, and keep its
//! lifetime short. To end a session before that, remember its [`Claims::nonce`].

use crate::stack::on_cleared_stack;
use crate::{
    Address,
    challenge::{ChainId, is_nonce},
    signin::Claims,
};
use alloc::{
    borrow::Cow,
    boxed::Box,
    string::{String, ToString},
};
use chrono::{DateTime, Utc};
use core::{num::NonZeroUsize, time::Duration};
use ed25519_dalek::Signer;
use jwt_compact::{
    Algorithm, AlgorithmExt, AlgorithmSignature, Claims as Body, Header, UntrustedToken, ValidationError, alg,
};
use serde::{Deserialize, Serialize};

/// The most bytes of a token.
pub const MAX_TOKEN: usize = 2048;

/// For whom tokens are, and for how long.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a server's configuration")]
pub struct Terms {
    /// `iss`: who issues, `https://myapp.com`.
    pub issuer: String,
    /// `aud`: who reads, `https://api.myapp.com`; may be the issuer.
    pub audience: String,
    /// The chain: of several servers with one key each has its own.
    pub chain_id: ChainId,
    /// From the sign-in on, in whole seconds.
    pub lifetime: Duration,
    /// How far the issuer's clock may be ahead of the reader's.
    pub max_skew: Duration,
}

/// Why a token was not made or is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Not a token of this form.
    #[error("not a session token")]
    Malformed,
    /// The key has not made it, or for another algorithm.
    #[error("the signature of the token does not verify")]
    Signature,
    /// Another issuer, audience or chain.
    #[error("the token is for somebody else")]
    Terms,
    /// It is too old, or from the future.
    #[error("the token has expired: sign in again")]
    Expired,
}

impl TokenError {
    /// `token-malformed`, `token-signature`, `token-terms`, `token-expired`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "token-malformed",
            Self::Signature => "token-signature",
            Self::Terms => "token-terms",
            Self::Expired => "token-expired",
        }
    }
}

/// A key for HS256 (RFC 7518 section 3.2): whoever can read tokens can make them. Wiped on drop.
pub struct Hs256Key(Box<alg::Hs256Key>);

impl Hs256Key {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        on_cleared_stack(|| Self(Box::new(alg::Hs256Key::new(key))))
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`TokenError::Terms`] for another chain; [`TokenError::Expired`] if its time is not one that a token can have;
    /// [`TokenError::Malformed`] for more than [`MAX_TOKEN`] bytes.
    pub fn issue(&self, claims: &Claims, terms: &Terms) -> Result<String, TokenError> {
        on_cleared_stack(|| issue(&alg::Hs256, &self.0, claims, terms))
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify(&self, token: &str, terms: &Terms, now: Duration) -> Result<Claims, TokenError> {
        on_cleared_stack(|| verify(&alg::Hs256, &self.0, token, terms, now))
    }
}

/// A key for EdDSA with Ed25519 (RFC 8037 section 3.1). Wiped on drop.
pub struct EdDsaKey(Box<ed25519_dalek::SigningKey>);

impl EdDsaKey {
    /// From a random seed.
    #[must_use]
    pub fn new(seed: &[u8; 32]) -> Self {
        on_cleared_stack(|| Self(Box::new(ed25519_dalek::SigningKey::from_bytes(seed))))
    }

    /// What others read tokens with.
    #[must_use]
    pub fn public(&self) -> EdDsaPublicKey {
        EdDsaPublicKey(self.0.verifying_key())
    }

    /// Makes a token.
    ///
    /// # Errors
    /// [`TokenError::Terms`] for another chain; [`TokenError::Expired`] if its time is not one that a token can have;
    /// [`TokenError::Malformed`] for more than [`MAX_TOKEN`] bytes.
    pub fn issue(&self, claims: &Claims, terms: &Terms) -> Result<String, TokenError> {
        on_cleared_stack(|| issue(&EdDsa, &self.0, claims, terms))
    }
}

/// The public half of an [`EdDsaKey`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EdDsaPublicKey(ed25519_dalek::VerifyingKey);

impl EdDsaPublicKey {
    /// From 32 bytes; `None` unless they are a point that is not of small order.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        ed25519_dalek::VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Reads a token.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn verify(&self, token: &str, terms: &Terms, now: Duration) -> Result<Claims, TokenError> {
        verify(&EdDsa, &self.0, token, terms, now)
    }
}

/// What a token says beside its times.
#[derive(Serialize, Deserialize)]
struct Custom {
    iss: String,
    aud: String,
    sub: String,
    chain_id: String,
    jti: String,
}

fn time(since_1970: Duration) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(since_1970.as_secs()).ok()?, 0)
}

fn header() -> Header {
    Header::empty().with_token_type("JWT")
}

fn issue<A: Algorithm>(
    algorithm: &A,
    key: &A::SigningKey,
    claims: &Claims,
    terms: &Terms,
) -> Result<String, TokenError> {
    if claims.chain_id != terms.chain_id {
        return Err(TokenError::Terms);
    }
    let mut body = Body::new(Custom {
        iss: terms.issuer.clone(),
        aud: terms.audience.clone(),
        sub: claims.address.to_string(),
        chain_id: claims.chain_id.to_string(),
        jti: claims.nonce.clone(),
    });
    body.issued_at = Some(time(claims.signed_in_at).ok_or(TokenError::Expired)?);
    body.expiration = Some(claims.signed_in_at.checked_add(terms.lifetime).and_then(time).ok_or(TokenError::Expired)?);
    let token = algorithm.token(&header(), &body, key);
    token.ok().filter(|token| token.len() <= MAX_TOKEN).ok_or(TokenError::Malformed)
}

fn verify<A: Algorithm>(
    algorithm: &A,
    key: &A::VerifyingKey,
    token: &str,
    terms: &Terms,
    now: Duration,
) -> Result<Claims, TokenError> {
    if token.len() > MAX_TOKEN {
        return Err(TokenError::Malformed);
    }
    let read = UntrustedToken::new(token).map_err(|_| TokenError::Malformed)?;
    let read = algorithm.validator::<Custom>(key).validate(&read).map_err(|error| match error {
        ValidationError::MalformedClaims(_) => TokenError::Malformed,
        _ => TokenError::Signature,
    })?;
    let body = read.into_parts().1;
    // read, print, compare: no other header (`crit`, another `typ`), no further claims, no second form of a number
    let printed = Printer(algorithm.name()).token(&header(), &body, &()).map_err(|_| TokenError::Malformed)?;
    let unsigned = |token: &str| token.rsplit_once('.').map(|(unsigned, _)| String::from(unsigned));
    if unsigned(&printed) != unsigned(token) {
        return Err(TokenError::Malformed);
    }
    let Body { expiration, issued_at, not_before: None, custom, .. } = body else { return Err(TokenError::Malformed) };
    let chain_id = ChainId::parse(&custom.chain_id).ok_or(TokenError::Malformed)?;
    if custom.iss != terms.issuer || custom.aud != terms.audience || chain_id != terms.chain_id {
        return Err(TokenError::Terms);
    }
    let seconds = |time: Option<DateTime<Utc>>| time.and_then(|time| u64::try_from(time.timestamp()).ok());
    let signed_in_at = Duration::from_secs(seconds(issued_at).ok_or(TokenError::Malformed)?);
    let expires = Duration::from_secs(seconds(expiration).ok_or(TokenError::Malformed)?);
    // and not by longer terms that this server had before
    if now >= expires
        || now >= signed_in_at.saturating_add(terms.lifetime)
        || now.saturating_add(terms.max_skew) < signed_in_at
    {
        return Err(TokenError::Expired);
    }
    let address = Address::parse(&custom.sub).map_err(|_| TokenError::Malformed)?;
    if address.network() != chain_id.network() || !is_nonce(&custom.jti) {
        return Err(TokenError::Malformed);
    }
    Ok(Claims { address, chain_id, signed_in_at, nonce: custom.jti })
}

/// Prints what an algorithm of this name would sign.
struct Printer(Cow<'static, str>);

struct NoSignature;

impl AlgorithmSignature for NoSignature {
    fn try_from_slice(_: &[u8]) -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&[])
    }
}

impl Algorithm for Printer {
    type SigningKey = ();
    type VerifyingKey = ();
    type Signature = NoSignature;

    fn name(&self) -> Cow<'static, str> {
        self.0.clone()
    }

    fn sign(&self, (): &(), _: &[u8]) -> NoSignature {
        NoSignature
    }

    fn verify_signature(&self, _: &NoSignature, (): &(), _: &[u8]) -> bool {
        false
    }
}

/// EdDSA by the Ed25519 that the rest of the workspace has.
struct EdDsa;

struct EdDsaSignature(ed25519_dalek::Signature);

impl AlgorithmSignature for EdDsaSignature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(64);

    fn try_from_slice(bytes: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(ed25519_dalek::Signature::from_slice(bytes).map_err(anyhow::Error::msg)?))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Owned(self.0.to_vec())
    }
}

impl Algorithm for EdDsa {
    type SigningKey = ed25519_dalek::SigningKey;
    type VerifyingKey = ed25519_dalek::VerifyingKey;
    type Signature = EdDsaSignature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("EdDSA")
    }

    fn sign(&self, key: &Self::SigningKey, message: &[u8]) -> EdDsaSignature {
        EdDsaSignature(key.sign(message))
    }

    fn verify_signature(&self, signature: &EdDsaSignature, key: &Self::VerifyingKey, message: &[u8]) -> bool {
        key.verify_strict(message, &signature.0).is_ok()
    }
}
