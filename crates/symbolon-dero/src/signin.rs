//! From a challenge to a session: issued for one browser, signed by a wallet, verified, and used up once (spec section 7).
//!
//! 1. The browser asks for a challenge; it has a session cookie (HttpOnly, SameSite), also before anybody is signed in.
//!    [`SignIn::begin`] makes the text and remembers the attempt; with the redirect form, where the wallet writes the text,
//!    [`SignIn::begin_redirect`] gives the nonce alone.
//! 2. The wallet signs.
//! 3. [`SignIn::finish`] takes the signed text, from the same browser, and gives [`Claims`]. The server then gives the browser a new
//!    session identifier.
//!
//! Time and randomness come from the caller, attempts are kept behind [`Attempts`]. What waits for its store reads, checks and
//! consumes in three calls instead of [`SignIn::finish`]: [`SignedChallenge`], [`SignIn::check`], [`Checked`]; and it consumes on
//! [`SignInError::Misdirected`].

mod error;

pub use error::{BeginError, Check, SignInError};

use crate::{
    Address, SignedMessage,
    challenge::{ChainId, Challenge, CheckError, Expected, Fields, MakeError, ReadError, Scheme, is_domain, split_uri},
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use core::time::Duration;
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;

/// The most bytes of a signed challenge.
pub const MAX_PEM: usize = 16 << 10;

/// Names the browser session that asks: a hash of its cookie. Compared before any signature is verified; otherwise an attacker
/// starts a sign-in, has the victim's wallet finish it, and is signed in as the victim.
#[derive(Clone, Copy, Debug)]
pub struct BrowserSession([u8; 32]);

impl BrowserSession {
    /// From a hash of the cookie. A request without one has no session: it gets a fresh cookie first, never a constant in its place,
    /// which all such browsers would share.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// For a store.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

impl PartialEq for BrowserSession {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for BrowserSession {}

/// An attempt to sign in, as the server remembers it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a store writes and reads these things")]
pub struct Attempt {
    /// The nonce that was issued, by which the attempt is found.
    pub nonce: String,
    /// Who asked.
    pub session: BrowserSession,
    /// What was issued; `None` where the wallet writes the text.
    pub challenge: Option<Challenge>,
    /// When the nonce ends, by the server's clock, since 1970.
    pub expires: Duration,
}

/// The attempts under way, by nonce.
///
/// # Security
/// [`Attempts::consume`] MUST be atomic over all processes of the server: of two requests that race with one nonce exactly one gets
/// `true`.
pub trait Attempts {
    /// Why the store failed.
    type Error;
    /// Remembers a new attempt. One with the same nonce MUST NOT be replaced: it is an error.
    ///
    /// # Errors
    /// The store's.
    fn issue(&mut self, attempt: Attempt) -> Result<(), Self::Error>;
    /// The attempt with this nonce, if it was issued and not consumed.
    ///
    /// # Errors
    /// The store's.
    fn get(&mut self, nonce: &str) -> Result<Option<Attempt>, Self::Error>;
    /// Removes it; whether it was there.
    ///
    /// # Errors
    /// The store's.
    fn consume(&mut self, nonce: &str) -> Result<bool, Self::Error>;
}

/// Attempts in the memory of one process, of a bounded number.
pub struct MemoryAttempts {
    attempts: BTreeMap<String, Attempt>,
    capacity: usize,
}

/// Why [`MemoryAttempts`] does not take an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// As many are under way as there is room for: let some end ([`MemoryAttempts::forget`]), or slow down.
    #[error("too many attempts to sign in are under way")]
    Full,
    /// The nonce was issued before: the generator repeats itself, as that of a cloned machine does.
    #[error("the random number generator repeats itself")]
    Repeated,
}

impl MemoryAttempts {
    /// With room for this many.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self { attempts: BTreeMap::new(), capacity }
    }

    /// Forgets what has expired.
    pub fn forget(&mut self, now: Duration) {
        self.attempts.retain(|_, attempt| now < attempt.expires);
    }

    /// Attempts under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.attempts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attempts.is_empty()
    }
}

impl Attempts for MemoryAttempts {
    type Error = IssueError;

    fn issue(&mut self, attempt: Attempt) -> Result<(), IssueError> {
        if self.attempts.contains_key(&attempt.nonce) {
            return Err(IssueError::Repeated);
        }
        if self.attempts.len() >= self.capacity {
            return Err(IssueError::Full);
        }
        self.attempts.insert(attempt.nonce.clone(), attempt);
        Ok(())
    }

    fn get(&mut self, nonce: &str) -> Result<Option<Attempt>, IssueError> {
        Ok(self.attempts.get(nonce).cloned())
    }

    fn consume(&mut self, nonce: &str) -> Result<bool, IssueError> {
        Ok(self.attempts.remove(nonce).is_some())
    }
}

/// How a server lets people sign in.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a server's configuration")]
pub struct SignIn {
    /// The domain, with its port where that is not the scheme's own.
    pub domain: String,
    /// A URI of that domain.
    pub uri: String,
    /// The allowed schemes of the URI.
    pub schemes: Vec<Scheme>,
    /// The chain.
    pub chain_id: ChainId,
    /// One line for the user.
    pub statement: Option<String>,
    /// How long an attempt lives, and a challenge at most.
    pub lifetime: Duration,
    /// How far the clock that wrote the times may be from this one; for texts that the wallet writes.
    pub max_skew: Duration,
}

/// Who signed in, and when. Exists only after every check, or as what a token of this server says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claims {
    pub(crate) address: Address,
    pub(crate) chain_id: ChainId,
    pub(crate) signed_in_at: Duration,
    pub(crate) nonce: String,
}

impl Claims {
    /// The account.
    #[must_use]
    pub const fn address(&self) -> &Address {
        &self.address
    }

    /// The chain.
    #[must_use]
    pub const fn chain_id(&self) -> ChainId {
        self.chain_id
    }

    /// By the server's clock, since 1970.
    #[must_use]
    pub const fn signed_in_at(&self) -> Duration {
        self.signed_in_at
    }

    /// The nonce that was used up: a name that no other sign-in has, by which a server may end this session later.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.nonce
    }
}

impl SignIn {
    /// Makes the challenge for an account that the browser named, and remembers the attempt.
    ///
    /// # Errors
    /// [`BeginError`].
    pub fn begin<A: Attempts>(
        &self,
        address: Address,
        session: BrowserSession,
        now: Duration,
        attempts: &mut A,
        rng: &mut impl TryCryptoRng,
    ) -> Result<Challenge, BeginError<A::Error>> {
        let nonce = fresh_nonce(rng).ok_or(BeginError::Rng)?;
        let challenge = Challenge::new(&Fields {
            domain: &self.domain,
            address,
            statement: self.statement.as_deref(),
            uri: &self.uri,
            chain_id: self.chain_id,
            nonce: &nonce,
            issued_at: now,
            lifetime: self.lifetime,
        })?;
        if !split_uri(&self.uri).is_some_and(|(scheme, _)| self.schemes.contains(&scheme)) {
            return Err(MakeError::from(CheckError::UriMismatch).into());
        }
        let attempt = Attempt { nonce, session, challenge: Some(challenge.clone()), expires: self.expiry(now) };
        attempts.issue(attempt).map_err(BeginError::Store)?;
        Ok(challenge)
    }

    /// Gives the nonce for the wallet's redirect form, where the wallet writes the text and the account is learnt only then. That text
    /// always names the mainnet, and lives as long as the wallet likes (HOLOGRAM: 300 seconds, so that [`Self::lifetime`] is no less).
    ///
    /// # Errors
    /// [`BeginError`]: also for a domain that no text has, for no allowed scheme, and for the testnet.
    ///
    /// # Security
    /// The wallet sends its answer to a callback that the link names. A wallet that does not hold it against the domain which it shows
    /// sends the answer to whoever wrote the link.
    pub fn begin_redirect<A: Attempts>(
        &self,
        session: BrowserSession,
        now: Duration,
        attempts: &mut A,
        rng: &mut impl TryCryptoRng,
    ) -> Result<String, BeginError<A::Error>> {
        let nonce = fresh_nonce(rng).ok_or(BeginError::Rng)?;
        if !is_domain(&self.domain) {
            return Err(MakeError::from(ReadError::DomainForm).into());
        }
        if self.schemes.is_empty() {
            return Err(MakeError::from(CheckError::UriMismatch).into());
        }
        if self.chain_id != ChainId::Mainnet {
            return Err(MakeError::from(CheckError::ChainIdMismatch).into());
        }
        let attempt = Attempt { nonce: nonce.clone(), session, challenge: None, expires: self.expiry(now) };
        attempts.issue(attempt).map_err(BeginError::Store)?;
        Ok(nonce)
    }

    const fn expiry(&self, now: Duration) -> Duration {
        now.saturating_add(self.lifetime)
    }

    /// Reads, verifies and checks what the wallet signed, and uses the nonce up; that comes last, so that nothing which fails can
    /// end somebody's attempt, but for [`SignInError::Misdirected`]. For a store that answers at once; where it does not, call [`SignedChallenge::read`], [`Self::check`]
    /// and [`Checked::consumed`], with the store between them.
    ///
    /// # Errors
    /// [`SignInError`], the first of [`Check::ALL`] that fails.
    ///
    /// # Security
    /// `session` MUST be that of the request that brings `pem`. The browser gets a new session identifier with its sign-in.
    pub fn finish<A: Attempts>(
        &self,
        pem: &[u8],
        session: BrowserSession,
        now: Duration,
        attempts: &mut A,
    ) -> Result<Claims, SignInError<A::Error>> {
        let signed = SignedChallenge::read(pem).map_err(SignInError::refused)?;
        let attempt = attempts.get(signed.nonce()).map_err(SignInError::Store)?;
        let checked = match self.check(signed, attempt.as_ref(), session, now) {
            Ok(checked) => checked,
            Err(error) => {
                if let (SignInError::Misdirected, Some(attempt)) = (error, attempt) {
                    attempts.consume(&attempt.nonce).map_err(SignInError::Store)?;
                }
                return Err(error.refused());
            }
        };
        let was_there = attempts.consume(checked.nonce()).map_err(SignInError::Store)?;
        checked.consumed(was_there).map_err(SignInError::refused)
    }

    /// Everything but the use of the nonce: `attempt` is what the store has for [`SignedChallenge::nonce`].
    ///
    /// # Errors
    /// [`SignInError`], the first of [`Check::ALL`] that fails.
    ///
    /// # Security
    /// As [`Self::finish`]. On [`SignInError::Misdirected`] the caller MUST consume the nonce of `attempt`.
    pub fn check(
        &self,
        signed: SignedChallenge,
        attempt: Option<&Attempt>,
        session: BrowserSession,
        now: Duration,
    ) -> Result<Checked, SignInError> {
        let SignedChallenge { signed, challenge } = signed;
        // by whatever the store has found it
        let attempt = attempt.filter(|attempt| attempt.nonce == challenge.nonce()).ok_or(SignInError::NonceUnknown)?;
        if attempt.session != session {
            let is_text_known = attempt.challenge.is_some();
            return Err(if is_text_known { SignInError::OtherSession } else { SignInError::Misdirected });
        }
        if now >= attempt.expires {
            return Err(SignInError::NonceExpired);
        }
        let verified = signed.verify().map_err(SignInError::Signature)?;
        let expected = Expected {
            domain: &self.domain,
            schemes: &self.schemes,
            chain_id: self.chain_id,
            signer: *verified.address(),
            nonce: &attempt.nonce,
            now,
            max_skew: self.max_skew,
            max_lifetime: self.lifetime,
        };
        challenge.check(&expected).map_err(SignInError::Check)?;
        if attempt.challenge.as_ref().is_some_and(|issued| *issued != challenge) {
            return Err(SignInError::NotIssued);
        }
        Ok(Checked(Claims {
            address: *verified.address(),
            chain_id: self.chain_id,
            signed_in_at: now,
            nonce: challenge.nonce().into(),
        }))
    }
}

/// What a wallet signed, as read: nothing of it is verified.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedChallenge {
    signed: SignedMessage,
    challenge: Challenge,
}

impl SignedChallenge {
    /// Reads the signed text and the challenge in it.
    ///
    /// # Errors
    /// [`SignInError::Signature`], [`SignInError::Read`].
    pub fn read(pem: &[u8]) -> Result<Self, SignInError> {
        let signed = SignedMessage::parse(pem, MAX_PEM).map_err(SignInError::Signature)?;
        let challenge = Challenge::parse(signed.unverified_message()).map_err(SignInError::Read)?;
        Ok(Self { signed, challenge })
    }

    /// By which the store finds the attempt.
    #[must_use]
    pub fn nonce(&self) -> &str {
        self.challenge.nonce()
    }
}

/// A challenge that has passed every check but the last: that its nonce is used here for the first time.
#[derive(PartialEq, Eq, Debug)]
#[must_use = "nobody is signed in until the nonce is consumed"]
pub struct Checked(Claims);

impl Checked {
    /// What the store has to remove now, atomically.
    #[must_use]
    pub fn nonce(&self) -> &str {
        &self.0.nonce
    }

    /// Signs in, if the store has removed the nonce for this request.
    ///
    /// # Errors
    /// [`SignInError::NonceUsed`].
    ///
    /// # Security
    /// `was_there` MUST be the answer of an atomic removal (a `DELETE` that says how many rows it removed, `GETDEL`): of two
    /// requests that race with one nonce exactly one gets `true`.
    pub fn consumed(self, was_there: bool) -> Result<Claims, SignInError> {
        if was_there { Ok(self.0) } else { Err(SignInError::NonceUsed) }
    }
}

/// 24 random bytes, as 32 characters.
fn fresh_nonce(rng: &mut impl TryCryptoRng) -> Option<String> {
    let mut bytes = [0; 24];
    rng.try_fill_bytes(&mut bytes).ok()?;
    Some(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}
