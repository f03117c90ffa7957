//! What the server remembers of its browsers. Everything has an end, and every table a size.

use super::reply::{self, Refusal};
use axum::http::StatusCode;
use rand_core::TryRng;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};
use symbolon::SysRng;

use symbolon_dero::{
    Address, SignatureError,
    challenge::Challenge,
    signin::{Attempt, Attempts, BeginError, BrowserSession, Claims, IssueError, MemoryAttempts, SignIn, SignInError},
};

/// Attempts under way.
const ATTEMPTS: usize = 4096;
/// Attempts under way of one browser. Whoever throws cookies away is not stopped by it: a site in the open also limits
/// by network address, in front of this.
const ATTEMPTS_OF_ONE: usize = 16;
/// Sessions, of all and of one account: when there are more, the oldest end.
const SESSIONS: usize = 10_000;
const SESSIONS_OF_ONE: usize = 8;
pub(super) const SESSION_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Ends of redirects that their pages have not fetched yet.
const ENDS: usize = 1024;
const END_LIFETIME: Duration = Duration::from_secs(60);

/// Names a browser: the hash of its cookie, which itself is not kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Browser([u8; 32]);

/// What a browser has to know to be itself: 32 random bytes.
pub(super) struct Secret([u8; 32]);

impl Secret {
    pub(super) fn fresh() -> Result<Self, Refusal> {
        let mut bytes = [0; 32];
        match SysRng.try_fill_bytes(&mut bytes) {
            Ok(()) => Ok(Self(bytes)),
            Err(_) => Err(Refusal::busy("unavailable", "the random number generator failed")),
        }
    }

    pub(super) const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub(super) fn browser(&self) -> Browser {
        Browser(Sha256::digest(self.0).into())
    }
}

/// Somebody who is signed in.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) claims: Claims,
    pub(super) ends: Duration,
}

#[derive(Default)]
struct Tables {
    /// When the attempts of each browser end, at most [`ATTEMPTS`] in all. Those of somebody who is signed in are gone from here and
    /// from the store; one that went astray is gone from the store alone.
    begun: BTreeMap<Browser, Vec<Duration>>,
    sessions: BTreeMap<Browser, Session>,
    /// How a redirect ended, for the page that asks next.
    ends: BTreeMap<Browser, (Duration, Value)>,
}

/// The server's memory.
pub(super) struct Memory {
    sign_in: SignIn,
    attempts: Mutex<MemoryAttempts>,
    tables: Mutex<Tables>,
}

/// Locked step by step, so that signatures are verified side by side: what must be atomic is each step alone.
struct Shared<'a>(&'a Mutex<MemoryAttempts>);

impl Attempts for Shared<'_> {
    type Error = IssueError;

    fn issue(&mut self, attempt: Attempt) -> Result<(), IssueError> {
        lock(self.0).issue(attempt)
    }

    fn get(&mut self, nonce: &str) -> Result<Option<Attempt>, IssueError> {
        lock(self.0).get(nonce)
    }

    fn consume(&mut self, nonce: &str) -> Result<bool, IssueError> {
        lock(self.0).consume(nonce)
    }
}

/// A thread that panicked has left each table whole: they change by single insertions and removals.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[allow(clippy::disallowed_methods, reason = "a program may look at the clock")]
pub(super) fn now() -> Duration {
    // a clock before 1970 stands still
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

impl Memory {
    pub(super) fn new(sign_in: SignIn) -> Self {
        Self { sign_in, attempts: Mutex::new(MemoryAttempts::new(ATTEMPTS)), tables: Mutex::default() }
    }

    pub(super) const fn sign_in(&self) -> &SignIn {
        &self.sign_in
    }

    /// A challenge for an account that the browser named.
    pub(super) fn begin(&self, address: Address, browser: Browser) -> Result<Challenge, Refusal> {
        self.begin_with(browser, |session, now, attempts| {
            self.sign_in.begin(address, session, now, attempts, &mut SysRng)
        })
    }

    /// A nonce for a text that the wallet writes.
    pub(super) fn begin_redirect(&self, browser: Browser) -> Result<String, Refusal> {
        self.begin_with(browser, |session, now, attempts| {
            self.sign_in.begin_redirect(session, now, attempts, &mut SysRng)
        })
    }

    fn begin_with<T>(
        &self,
        browser: Browser,
        begin: impl FnOnce(BrowserSession, Duration, &mut MemoryAttempts) -> Result<T, BeginError<IssueError>>,
    ) -> Result<T, Refusal> {
        let now = now();
        let mut tables = lock(&self.tables);
        tables.begun.retain(|_, ends| {
            ends.retain(|end| now < *end);
            !ends.is_empty()
        });
        if tables.begun.values().map(Vec::len).sum::<usize>() >= ATTEMPTS {
            return Err(Refusal::busy("full", &IssueError::Full.to_string()));
        }
        if tables.begun.get(&browser).is_some_and(|ends| ends.len() >= ATTEMPTS_OF_ONE) {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-many-attempts",
                format!("this browser has {ATTEMPTS_OF_ONE} attempts under way"),
                "Finish one of them, or wait until they end.",
            ));
        }
        let mut attempts = lock(&self.attempts);
        attempts.forget(now);
        let begun = begin(browser.into(), now, &mut attempts)?;
        tables.begun.entry(browser).or_default().push(now.saturating_add(self.sign_in.lifetime));
        Ok(begun)
    }

    /// Ends an attempt. Whoever is signed in gets a new secret, so that the old one, which somebody may have planted,
    /// is worth nothing.
    pub(super) fn finish(
        &self,
        pem: Result<Vec<u8>, SignatureError>,
        browser: Browser,
    ) -> Result<Result<(Secret, Session), SignInError<IssueError>>, Refusal> {
        let (now, secret) = (now(), Secret::fresh()?);
        let claims = pem
            .map_err(SignInError::Signature)
            .and_then(|pem| self.sign_in.finish(&pem, browser.into(), now, &mut Shared(&self.attempts)));
        Ok(claims.map(|claims| {
            let session = Session { claims, ends: now.saturating_add(SESSION_LIFETIME) };
            let mut tables = lock(&self.tables);
            tables.forget(browser);
            tables.make_room(session.claims.address(), now);
            tables.sessions.insert(secret.browser(), session.clone());
            (secret, session)
        }))
    }

    pub(super) fn session(&self, browser: Browser) -> Option<Session> {
        lock(&self.tables).sessions.get(&browser).cloned().filter(|session| now() < session.ends)
    }

    pub(super) fn sign_out(&self, browser: Browser) {
        lock(&self.tables).forget(browser);
    }

    /// Keeps how a redirect ended. With no room left, the page that waits longest says less.
    pub(super) fn keep_end(&self, browser: Browser, end: Value) {
        let now = now();
        let mut tables = lock(&self.tables);
        tables.ends.retain(|_, (until, _)| now < *until);
        tables.ends.remove(&browser);
        // cookies of one's own making cost nothing: they push out the oldest, and do not keep others out
        if tables.ends.len() >= ENDS
            && let Some(oldest) = tables.ends.iter().min_by_key(|(_, (until, _))| *until).map(|(browser, _)| *browser)
        {
            tables.ends.remove(&oldest);
        }
        tables.ends.insert(browser, (now.saturating_add(END_LIFETIME), end));
    }

    /// How the redirect ended, once.
    pub(super) fn take_end(&self, browser: Browser) -> Option<Value> {
        let end = lock(&self.tables).ends.remove(&browser);
        end.filter(|(until, _)| now() < *until).map(|(_, end)| end)
    }
}

impl Tables {
    /// For one more session of this account.
    fn make_room(&mut self, account: &Address, now: Duration) {
        self.sessions.retain(|_, session| now < session.ends);
        let of_account = |session: &Session| session.claims.address() == account;
        let oldest = |sessions: &BTreeMap<Browser, Session>, which: &dyn Fn(&Session) -> bool| {
            let chosen = sessions.iter().filter(|(_, session)| which(session));
            chosen.min_by_key(|(_, session)| session.ends).map(|(browser, _)| *browser)
        };
        let ends = if self.sessions.values().filter(|session| of_account(session)).count() >= SESSIONS_OF_ONE {
            oldest(&self.sessions, &of_account)
        } else if self.sessions.len() >= SESSIONS {
            oldest(&self.sessions, &|_| true)
        } else {
            None
        };
        if let Some(browser) = ends {
            self.sessions.remove(&browser);
        }
    }

    fn forget(&mut self, browser: Browser) {
        self.begun.remove(&browser);
        self.sessions.remove(&browser);
        self.ends.remove(&browser);
    }
}

impl Session {
    /// The answer to a sign-in that went well.
    pub(super) fn signed_in(&self) -> Value {
        let mut answer = self.who();
        answer["checks"] = reply::checks(None).into();
        answer
    }

    /// Who is signed in.
    pub(super) fn who(&self) -> Value {
        serde_json::json!({
            "signed_in": true,
            "address": self.claims.address().to_string(),
            "chain_id": self.claims.chain_id().to_string(),
            "signed_in_at": self.claims.signed_in_at().as_secs(),
            "ends": self.ends.as_secs(),
        })
    }
}

impl From<Browser> for BrowserSession {
    fn from(browser: Browser) -> Self {
        Self::new(browser.0)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use symbolon_dero::{
        Network, SecretKey,
        challenge::{ChainId, Scheme},
    };

    fn memory() -> Memory {
        Memory::new(SignIn {
            domain: "myapp.example".into(),
            uri: "https://myapp.example".into(),
            schemes: vec![Scheme::Https],
            chain_id: ChainId::Mainnet,
            statement: None,
            lifetime: Duration::from_secs(300),
            max_skew: Duration::ZERO,
        })
    }

    fn browser() -> Browser {
        Secret::fresh().unwrap().browser()
    }

    /// A signed challenge, and who asked for it.
    fn signed(memory: &Memory) -> (Vec<u8>, Browser) {
        let (key, browser) = (SecretKey::from_bytes(&[7; 32]).unwrap(), browser());
        let challenge = memory.begin(Address::new(Network::Mainnet, *key.public()), browser).unwrap();
        let signed = key.sign(Network::Mainnet, challenge.to_string(), &mut SysRng).unwrap();
        (signed.to_pem().into_bytes(), browser)
    }

    #[test]
    fn attempts_are_bounded() {
        let memory = memory();
        let (pem, first) = signed(&memory);
        for _ in 1..ATTEMPTS {
            memory.begin_redirect(browser()).unwrap();
        }
        assert_eq!(memory.begin_redirect(browser()).unwrap_err().code, "full");
        assert_eq!(lock(&memory.tables).begun.len(), ATTEMPTS);
        // whoever signs in makes room, in both tables
        assert!(memory.finish(Ok(pem), first).unwrap().is_ok());
        assert_eq!(lock(&memory.tables).begun.len(), ATTEMPTS - 1);
        memory.begin_redirect(browser()).unwrap();
        assert_eq!(memory.begin_redirect(browser()).unwrap_err().code, "full");
    }

    // whoever brings his own answers to other browsers makes no room with that
    #[test]
    fn attempts_that_go_astray_are_bounded_too() {
        let memory = memory();
        let key = SecretKey::from_bytes(&[7; 32]).unwrap();
        let address = Address::new(Network::Mainnet, *key.public());
        for _ in 0..ATTEMPTS {
            let nonce = memory.begin_redirect(browser()).unwrap();
            let text = format!(
                "myapp.example wants you to sign in with your DERO wallet:\n{address}\n\nURI: https://myapp.example\n\
                 Version: 1\nChain ID: dero-mainnet\nNonce: {nonce}\nIssued At: 2026-02-14T12:00:00Z\n\
                 Expiration Time: 2026-02-14T12:05:00Z"
            );
            let body = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text);
            let lines: Vec<_> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
            // the signature does not matter: the browser is looked at first
            let pem = format!(
                "-----BEGIN DERO SIGNED MESSAGE-----\nAddress: {address}\nC: 1\nS: 1\n\n{}\n-----END DERO SIGNED MESSAGE-----\n",
                lines.join("\n")
            );
            let end = memory.finish(Ok(pem.into_bytes()), browser()).unwrap();
            assert_eq!(end.err(), Some(SignInError::Misdirected));
        }
        assert!(lock(&memory.attempts).is_empty());
        assert_eq!(memory.begin_redirect(browser()).unwrap_err().code, "full");
        assert_eq!(lock(&memory.tables).begun.len(), ATTEMPTS);
    }

    fn sign_in(memory: &Memory) -> (Browser, Session) {
        let (pem, browser) = signed(memory);
        let Ok((secret, session)) = memory.finish(Ok(pem), browser).unwrap() else { panic!("not signed in") };
        assert!(memory.session(secret.browser()).is_some() && memory.session(browser).is_none());
        (secret.browser(), session)
    }

    #[test]
    fn sessions_end() {
        let memory = memory();
        let (browser, session) = sign_in(&memory);
        lock(&memory.tables).sessions.insert(browser, Session { ends: now(), ..session });
        assert!(memory.session(browser).is_none());
    }

    // one account that signs in again and again shuts nobody out
    #[test]
    fn the_oldest_sessions_of_an_account_end_first() {
        let memory = memory();
        let (stranger, session) = sign_in(&memory);
        let other = Address::new(Network::Mainnet, *SecretKey::from_bytes(&[8; 32]).unwrap().public());
        lock(&memory.tables).make_room(&other, now());
        assert!(memory.session(stranger).is_some());
        let mut own = vec![stranger];
        for _ in 0..SESSIONS_OF_ONE {
            own.push(sign_in(&memory).0);
        }
        assert_eq!(lock(&memory.tables).sessions.len(), SESSIONS_OF_ONE);
        assert!(memory.session(own[0]).is_none() && own[1..].iter().all(|browser| memory.session(*browser).is_some()));
        // with no room at all, the one that ends first makes it
        let mut tables = lock(&memory.tables);
        for i in 0..SESSIONS - SESSIONS_OF_ONE {
            let later = Duration::from_secs(1 + u64::try_from(i).unwrap());
            tables.sessions.insert(browser(), Session { ends: session.ends + later, ..session.clone() });
        }
        tables.make_room(&other, now());
        assert_eq!(tables.sessions.len(), SESSIONS - 1);
        assert!(!tables.sessions.contains_key(&own[1]) && tables.sessions.contains_key(&own[2]));
    }

    #[test]
    fn the_ends_of_redirects_are_bounded() {
        let memory = memory();
        let first = browser();
        memory.keep_end(first, Value::Null);
        for _ in 0..ENDS {
            memory.keep_end(browser(), Value::Null);
        }
        let late = browser();
        memory.keep_end(late, Value::Null);
        assert!(memory.take_end(first).is_none());
        assert_eq!(lock(&memory.tables).ends.len(), ENDS);
        assert!(memory.take_end(late).is_some());
    }
}
