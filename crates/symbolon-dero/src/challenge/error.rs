//! Why a challenge was not made, not read or not accepted.

/// A text is not a challenge. The first rule in the order of spec section 7 that it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// No bytes at all.
    #[error("the challenge is empty")]
    Empty,
    /// More than [`MAX_LEN`](super::MAX_LEN) bytes.
    #[error("the challenge is longer than 4096 bytes")]
    TooLong,
    /// Not UTF-8.
    #[error("the challenge is not UTF-8")]
    Encoding,
    /// A control character other than LF (CR too), or U+2028, U+2029.
    #[error("the challenge has a control character")]
    ControlCharacter,
    /// The first line is not `<domain> wants you to sign in with your DERO wallet:`.
    #[error("the first line is not that of a DERO sign-in")]
    FirstLine,
    /// The third line is not blank, or the lines after it are not the fields with or without a statement before them.
    #[error("the lines are not those of a challenge")]
    Layout,
    /// The second line is not an address that stands for an account.
    #[error("the address is malformed")]
    Address,
    /// The domain.
    #[error("the domain is malformed")]
    DomainForm,
    /// The nonce.
    #[error("the nonce is malformed")]
    NonceForm,
    /// The URI.
    #[error("the URI is malformed")]
    UriForm,
    /// The chain id is none of the two.
    #[error("the chain id is unknown")]
    ChainIdForm,
    /// One of the times.
    #[error("a time is malformed or not a real one")]
    Timestamp,
}

impl ReadError {
    /// The code of the specification and of the test vectors.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too-long",
            Self::Encoding => "encoding",
            Self::ControlCharacter => "control-character",
            Self::FirstLine => "first-line",
            Self::Layout => "layout",
            Self::Address => "address",
            Self::DomainForm => "domain-form",
            Self::NonceForm => "nonce-form",
            Self::UriForm => "uri-form",
            Self::ChainIdForm => "chain-id-form",
            Self::Timestamp => "timestamp",
        }
    }
}

/// A challenge is not the one expected. The first check in the order of spec section 7 that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The version is not `1`.
    #[error("the version is not 1")]
    Version,
    /// Another domain.
    #[error("the challenge is for another domain")]
    DomainMismatch,
    /// The URI has a scheme that is not allowed, or an authority other than the domain.
    #[error("the URI is not one of the domain")]
    UriMismatch,
    /// Another chain.
    #[error("the challenge is for another chain")]
    ChainIdMismatch,
    /// Another address than the one that signed.
    #[error("the challenge names another address than the one that signed")]
    AddressMismatch,
    /// The address is not of the chain's network.
    #[error("the address is of another network than the chain")]
    NetworkMismatch,
    /// Another nonce.
    #[error("the challenge has another nonce")]
    NonceMismatch,
    /// The expiry is not after the issue, or too long after it.
    #[error("the challenge has no allowed lifetime")]
    Lifetime,
    /// The issue is in the future.
    #[error("the challenge was issued in the future")]
    IssuedInFuture,
    /// The expiry has passed.
    #[error("the challenge has expired")]
    Expired,
}

impl CheckError {
    /// The code of the specification and of the test vectors.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::DomainMismatch => "domain-mismatch",
            Self::UriMismatch => "uri-mismatch",
            Self::ChainIdMismatch => "chain-id-mismatch",
            Self::AddressMismatch => "address-mismatch",
            Self::NetworkMismatch => "network-mismatch",
            Self::NonceMismatch => "nonce-mismatch",
            Self::Lifetime => "lifetime",
            Self::IssuedInFuture => "issued-in-future",
            Self::Expired => "expired",
        }
    }
}

/// A server asked for a challenge that nobody could answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// Its text would not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It would fail a check whatever is expected: a URI of another domain, an address of another network, no lifetime.
    #[error(transparent)]
    Check(#[from] CheckError),
}

impl MakeError {
    /// The code of the rule.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Read(error) => error.code(),
            Self::Check(error) => error.code(),
        }
    }
}
