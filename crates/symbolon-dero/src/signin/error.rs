//! The checks of a sign-in, in their order, and what goes wrong.

use crate::{
    SignatureError,
    challenge::{CheckError, MakeError, ReadError},
};
use core::{convert::Infallible, fmt};

/// Why no attempt began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BeginError<E> {
    /// The generator failed.
    #[error("the random number generator failed")]
    Rng,
    /// The configuration or the address does not make a challenge.
    #[error(transparent)]
    Challenge(#[from] MakeError),
    /// The store failed.
    #[error("the store failed")]
    Store(E),
}

/// The checks of [`SignIn::finish`](super::SignIn::finish), in their order: whatever fails at one has passed those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Check {
    /// The text is what a wallet prints.
    Text,
    /// The signed bytes are a challenge.
    Challenge,
    /// Its nonce was issued here.
    Nonce,
    /// This browser asked for it.
    Browser,
    /// The attempt is still open, by the server's clock.
    Attempt,
    /// The signature.
    Signature,
    /// The version of the challenge.
    Version,
    /// The domain.
    Domain,
    /// The URI.
    Uri,
    /// The chain.
    ChainId,
    /// The challenge names the account that signed.
    Signer,
    /// That account is of the chain's network.
    Network,
    /// The time from issue to expiry.
    Lifetime,
    /// The time of issue.
    IssuedAt,
    /// The time of expiry.
    Expiration,
    /// The whole text is the one that was issued.
    Issued,
    /// Nobody else has used the nonce.
    FirstUse,
}

impl Check {
    /// All of them, in order.
    pub const ALL: [Self; 17] = [
        Self::Text,
        Self::Challenge,
        Self::Nonce,
        Self::Browser,
        Self::Attempt,
        Self::Signature,
        Self::Version,
        Self::Domain,
        Self::Uri,
        Self::ChainId,
        Self::Signer,
        Self::Network,
        Self::Lifetime,
        Self::IssuedAt,
        Self::Expiration,
        Self::Issued,
        Self::FirstUse,
    ];
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "the text is a wallet's signed message",
            Self::Challenge => "the message is a sign-in challenge",
            Self::Nonce => "its nonce was issued here and is not used",
            Self::Browser => "this browser asked for it",
            Self::Attempt => "the attempt is still open",
            Self::Signature => "the signature verifies",
            Self::Version => "the version is 1",
            Self::Domain => "it is for this domain",
            Self::Uri => "its URI is one of this domain",
            Self::ChainId => "it is for this chain",
            Self::Signer => "it names the account that signed",
            Self::Network => "that account is of this chain's network",
            Self::Lifetime => "its lifetime is allowed",
            Self::IssuedAt => "it was not issued in the future",
            Self::Expiration => "it has not expired",
            Self::Issued => "it is the very text that was issued",
            Self::FirstUse => "nobody else used the nonce meanwhile",
        })
    }
}

/// Why nobody is signed in. The attempt lives on, unless its nonce is gone, expired or [misdirected](Self::Misdirected).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError<E = Infallible> {
    /// The signed text or its signature.
    #[error(transparent)]
    Signature(SignatureError),
    /// The signed bytes are no challenge.
    #[error(transparent)]
    Read(ReadError),
    /// The nonce was not issued here, or was used.
    #[error("the nonce was not issued here, or was used before: ask for a new challenge")]
    NonceUnknown,
    /// Another browser session asked for it.
    #[error("another browser session asked for this challenge")]
    OtherSession,
    /// The same, of a text that the wallet wrote and that came in a URL: the nonce is known where it must not be. It MUST be consumed
    /// ([`SignIn::finish`](super::SignIn::finish) does), so that nobody brings it to the right browser later.
    #[error("the wallet's answer came to another browser than the one that asked: ask for a new challenge")]
    Misdirected,
    /// The server's own time for it is over.
    #[error("the attempt has expired: ask for a new challenge")]
    NonceExpired,
    /// The challenge is not what this server expects.
    #[error(transparent)]
    Check(CheckError),
    /// The server made the text, and this is another one.
    #[error("not the challenge that was issued")]
    NotIssued,
    /// Another request used the nonce while this one was verified.
    #[error("another request used this challenge at the same time")]
    NonceUsed,
    /// The store failed.
    #[error("the store failed")]
    Store(E),
}

impl SignInError {
    /// The same, where a store might have failed.
    pub(super) fn refused<E>(self) -> SignInError<E> {
        match self {
            Self::Signature(error) => SignInError::Signature(error),
            Self::Read(error) => SignInError::Read(error),
            Self::NonceUnknown => SignInError::NonceUnknown,
            Self::OtherSession => SignInError::OtherSession,
            Self::Misdirected => SignInError::Misdirected,
            Self::NonceExpired => SignInError::NonceExpired,
            Self::Check(error) => SignInError::Check(error),
            Self::NotIssued => SignInError::NotIssued,
            Self::NonceUsed => SignInError::NonceUsed,
            Self::Store(never) => match never {},
        }
    }
}

impl<E> SignInError<E> {
    /// The check that failed; those before it in [`Check::ALL`] have passed. `None` if the store failed.
    #[must_use]
    pub const fn check(&self) -> Option<Check> {
        Some(match self {
            Self::Signature(
                SignatureError::EmptyMessage | SignatureError::NonceIdentity | SignatureError::Mismatch,
            ) => Check::Signature,
            Self::Signature(_) => Check::Text,
            Self::Read(_) => Check::Challenge,
            Self::NonceUnknown => Check::Nonce,
            Self::OtherSession | Self::Misdirected => Check::Browser,
            Self::NonceExpired => Check::Attempt,
            Self::Check(error) => match error {
                CheckError::Version => Check::Version,
                CheckError::DomainMismatch => Check::Domain,
                CheckError::UriMismatch => Check::Uri,
                CheckError::ChainIdMismatch => Check::ChainId,
                CheckError::AddressMismatch => Check::Signer,
                CheckError::NetworkMismatch => Check::Network,
                CheckError::NonceMismatch => Check::Nonce,
                CheckError::Lifetime => Check::Lifetime,
                CheckError::IssuedInFuture => Check::IssuedAt,
                CheckError::Expired => Check::Expiration,
            },
            Self::NotIssued => Check::Issued,
            Self::NonceUsed => Check::FirstUse,
            Self::Store(_) => return None,
        })
    }

    /// The code of the specification, or one of `nonce-unknown`, `other-session`, `nonce-expired`, `not-issued`, `nonce-used`,
    /// `store`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Signature(error) => error.code(),
            Self::Read(error) => error.code(),
            Self::NonceUnknown => "nonce-unknown",
            Self::OtherSession | Self::Misdirected => "other-session",
            Self::NonceExpired => "nonce-expired",
            Self::Check(error) => error.code(),
            Self::NotIssued => "not-issued",
            Self::NonceUsed => "nonce-used",
            Self::Store(_) => "store",
        }
    }
}
