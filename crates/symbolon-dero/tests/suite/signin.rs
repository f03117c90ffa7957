//! Signing in: the whole way, replays, other browsers, expiry, races.

use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use std::{
    collections::BTreeSet,
    sync::{Arc, Barrier, Mutex},
    thread,
    time::Duration,
};
use symbolon_dero::{
    Address, Network, SecretKey, SignatureError,
    challenge::{ChainId, CheckError, ReadError, Scheme},
    signin::{
        Attempt, Attempts, BeginError, BrowserSession, Check, IssueError, MemoryAttempts, SignIn, SignInError,
        SignedChallenge,
    },
};

const NOW: Duration = Duration::from_secs(1_771_070_400);
const ALICE: BrowserSession = BrowserSession::new([1; 32]);
const MALLORY: BrowserSession = BrowserSession::new([2; 32]);

fn rng(seed: u8) -> ChaCha12Rng {
    ChaCha12Rng::from_seed([seed; 32])
}

fn server() -> SignIn {
    SignIn {
        domain: "myapp.com".into(),
        uri: "https://myapp.com".into(),
        schemes: vec![Scheme::Https],
        chain_id: ChainId::Mainnet,
        statement: Some("Sign in to My App".into()),
        lifetime: Duration::from_secs(300),
        max_skew: Duration::from_secs(30),
    }
}

fn wallet() -> SecretKey {
    SecretKey::from_bytes(&[7; 32]).unwrap()
}

fn account(key: &SecretKey) -> Address {
    Address::new(Network::Mainnet, *key.public())
}

fn signed(key: &SecretKey, text: &str) -> Vec<u8> {
    key.sign(Network::Mainnet, text.as_bytes(), &mut rng(9)).unwrap().to_pem().into_bytes()
}

/// The text that a wallet writes for the redirect form: times without a fraction.
fn wallet_text(address: &Address, nonce: &str) -> String {
    format!(
        "myapp.com wants you to sign in with your DERO wallet:\n{address}\n\nURI: https://myapp.com\nVersion: 1\n\
         Chain ID: dero-mainnet\nNonce: {nonce}\nIssued At: 2026-02-14T12:00:10Z\nExpiration Time: 2026-02-14T12:05:00Z"
    )
}

#[test]
fn a_challenge_signs_in_once() {
    let (server, key, mut attempts) = (server(), wallet(), MemoryAttempts::new(10));
    let challenge = server.begin(account(&key), ALICE, NOW, &mut attempts, &mut rng(1)).unwrap();
    let other = server.begin(account(&key), ALICE, NOW, &mut attempts, &mut rng(2)).unwrap();
    assert!(challenge.nonce() != other.nonce() && challenge.nonce().len() == 32);
    let pem = signed(&key, &challenge.to_string());
    let later = NOW + Duration::from_secs(20);

    // nothing that fails ends the attempt
    assert_eq!(server.finish(&pem, MALLORY, later, &mut attempts), Err(SignInError::OtherSession));
    let mut forged = pem.clone();
    let c = forged.windows(4).position(|bytes| bytes == b"\nC: ").unwrap() + 5;
    forged[c] = if forged[c] == b'1' { b'2' } else { b'1' };
    let refused = server.finish(&forged, ALICE, later, &mut attempts);
    assert_eq!(refused, Err(SignInError::Signature(SignatureError::Mismatch)));
    assert_eq!(attempts.len(), 2);

    let claims = server.finish(&pem, ALICE, later, &mut attempts).unwrap();
    assert_eq!((claims.address(), claims.chain_id(), claims.signed_in_at()), (&account(&key), ChainId::Mainnet, later));
    assert_eq!(server.finish(&pem, ALICE, later, &mut attempts), Err(SignInError::NonceUnknown), "a replay");
    assert_eq!(attempts.len(), 1);
}

// attacks.md row 108: Mallory asks for a challenge and sends the link to Alice, whose wallet answers from her browser
#[test]
fn row_108_a_challenge_of_another_browser_signs_nobody_in() {
    let (server, key, mut attempts) = (server(), wallet(), MemoryAttempts::new(10));
    let nonce = server.begin_redirect(MALLORY, NOW, &mut attempts, &mut rng(1)).unwrap();
    let pem = signed(&key, &wallet_text(&account(&key), &nonce));
    // her own attempt under way does not help: each nonce has its browser
    let _own = server.begin_redirect(ALICE, NOW, &mut attempts, &mut rng(2)).unwrap();
    assert_eq!(server.finish(&pem, ALICE, NOW, &mut attempts), Err(SignInError::Misdirected));
    // the answer was in a URL: whoever has read it there does not bring it to his own browser
    assert_eq!(server.finish(&pem, MALLORY, NOW, &mut attempts), Err(SignInError::NonceUnknown));
    assert_eq!(attempts.len(), 1);

    // a text of the server's own comes in no URL, and the attempt is not his to end
    let challenge = server.begin(account(&key), MALLORY, NOW, &mut attempts, &mut rng(3)).unwrap();
    let pem = signed(&key, &challenge.to_string());
    assert_eq!(server.finish(&pem, ALICE, NOW, &mut attempts), Err(SignInError::OtherSession));
    // and it is refused before anything is verified, so that a browser learns nothing of another one's attempt
    let mut unsigned = pem.clone();
    let s = unsigned.windows(4).position(|bytes| bytes == b"\nS: ").unwrap() + 5;
    unsigned[s] = if unsigned[s] == b'1' { b'2' } else { b'1' };
    assert_eq!(server.finish(&unsigned, ALICE, NOW, &mut attempts), Err(SignInError::OtherSession));
    assert_eq!(attempts.len(), 2);
}

#[test]
fn only_what_was_issued_signs_in() {
    let (server, key, mut attempts) = (server(), wallet(), MemoryAttempts::new(10));
    let challenge = server.begin(account(&key), ALICE, NOW, &mut attempts, &mut rng(1)).unwrap();
    let text = challenge.to_string();
    let finish = |attempts: &mut MemoryAttempts, text: &str, now| {
        server.finish(&signed(&key, text), ALICE, now, attempts).map_err(|error| error.code())
    };
    for (from, to, code) in [
        ("Sign in to My App", "Give My App all your money", "not-issued"),
        ("myapp.com wants", "yourapp.com wants", "domain-mismatch"),
        ("https://myapp.com", "http://myapp.com", "uri-mismatch"),
        ("dero-mainnet", "dero-testnet", "chain-id-mismatch"),
        (challenge.nonce(), "k8j2m4n6p8q0", "nonce-unknown"),
        ("Version: 1", "Version: 2", "version"),
        ("Nonce: ", "nonce: ", "layout"),
    ] {
        assert!(text.contains(from));
        assert_eq!(finish(&mut attempts, &text.replacen(from, to, 1), NOW), Err(code), "{to}");
    }
    // another account signs the challenge of this one
    let other = SecretKey::from_bytes(&[8; 32]).unwrap();
    let refused = server.finish(&signed(&other, &text), ALICE, NOW, &mut attempts);
    assert_eq!(refused, Err(SignInError::Check(CheckError::AddressMismatch)));
    // the server's own time for the nonce, up to its last nanosecond
    let end = NOW + server.lifetime;
    assert_eq!(finish(&mut attempts, &text, end), Err("nonce-expired"));
    assert!(finish(&mut attempts, &text, end - Duration::from_nanos(1)).is_ok());
    assert!(attempts.is_empty());
    let huge = vec![b'-'; (16 << 10) + 1];
    let refused = server.finish(&huge, ALICE, NOW, &mut attempts);
    assert_eq!(refused, Err(SignInError::Signature(SignatureError::TooLong)));
}

#[test]
fn the_wallet_may_write_the_text() {
    let (server, key, mut attempts) = (server(), wallet(), MemoryAttempts::new(10));
    let nonce = server.begin_redirect(ALICE, NOW, &mut attempts, &mut rng(1)).unwrap();
    let pem = signed(&key, &wallet_text(&account(&key), &nonce));
    // its clock may be a little ahead
    let early = NOW - Duration::from_secs(30);
    assert_eq!(server.finish(&pem, ALICE, early, &mut attempts), Err(SignInError::Check(CheckError::IssuedInFuture)));
    assert_eq!(server.finish(&pem, ALICE, NOW, &mut attempts).unwrap().address(), &account(&key));
    assert_eq!(server.finish(&pem, ALICE, NOW, &mut attempts), Err(SignInError::NonceUnknown));
}

#[test]
fn attempts_are_bounded() {
    let (server, mut attempts) = (server(), MemoryAttempts::new(2));
    let begin = |now, attempts: &mut MemoryAttempts, seed| {
        server.begin_redirect(ALICE, now, attempts, &mut rng(seed)).map(|_| ())
    };
    assert_eq!(begin(NOW, &mut attempts, 1), Ok(()));
    assert_eq!(begin(NOW + Duration::from_secs(1), &mut attempts, 2), Ok(()));
    assert_eq!(begin(NOW, &mut attempts, 3), Err(BeginError::Store(IssueError::Full)));
    attempts.forget(NOW + server.lifetime);
    assert_eq!(attempts.len(), 1);
    assert_eq!(begin(NOW, &mut attempts, 3), Ok(()));
}

/// A store of which many requests have a handle, each call for itself.
struct Shared<'a>(&'a Mutex<MemoryAttempts>);

impl Attempts for Shared<'_> {
    type Error = IssueError;

    fn issue(&mut self, attempt: Attempt) -> Result<(), IssueError> {
        self.0.lock().unwrap().issue(attempt)
    }

    fn get(&mut self, nonce: &str) -> Result<Option<Attempt>, IssueError> {
        self.0.lock().unwrap().get(nonce)
    }

    fn consume(&mut self, nonce: &str) -> Result<bool, IssueError> {
        self.0.lock().unwrap().consume(nonce)
    }
}

#[test]
fn of_a_thousand_racing_requests_one_signs_in() {
    const REQUESTS: usize = 1000;
    let (server, key, store) = (server(), wallet(), Mutex::new(MemoryAttempts::new(10)));
    let challenge = server.begin(account(&key), ALICE, NOW, &mut Shared(&store), &mut rng(1)).unwrap();
    let pem = signed(&key, &challenge.to_string());
    // all have verified the signature before any goes on to the nonce
    let barrier = Barrier::new(REQUESTS);
    struct Late<'a>(Shared<'a>, &'a Barrier);
    impl Attempts for Late<'_> {
        type Error = IssueError;
        fn issue(&mut self, attempt: Attempt) -> Result<(), IssueError> {
            self.0.issue(attempt)
        }
        fn get(&mut self, nonce: &str) -> Result<Option<Attempt>, IssueError> {
            self.0.get(nonce)
        }
        fn consume(&mut self, nonce: &str) -> Result<bool, IssueError> {
            self.1.wait();
            self.0.consume(nonce)
        }
    }
    let outcomes: Vec<_> = thread::scope(|scope| {
        let request = |_| {
            let mut attempts = Late(Shared(&store), &barrier);
            let (server, pem) = (&server, &pem);
            let builder = thread::Builder::new().stack_size(256 << 10);
            builder.spawn_scoped(scope, move || server.finish(pem, ALICE, NOW, &mut attempts)).unwrap()
        };
        let threads: Vec<_> = (0..REQUESTS).map(request).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let refused = outcomes.iter().filter(|outcome| **outcome == Err(SignInError::NonceUsed));
    assert_eq!(refused.count(), REQUESTS - 1);
}

// the same with tasks, each of which waits for its store between the three calls
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_thousand_racing_tasks_one_signs_in() {
    const TASKS: usize = 1000;
    let store = Arc::new(tokio::sync::Mutex::new(MemoryAttempts::new(10)));
    let challenge = server().begin(account(&wallet()), ALICE, NOW, &mut *store.lock().await, &mut rng(1)).unwrap();
    let pem = signed(&wallet(), &challenge.to_string());
    let barrier = Arc::new(tokio::sync::Barrier::new(TASKS));
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (store, barrier, pem) = (store.clone(), barrier.clone(), pem.clone());
            tokio::spawn(async move {
                let read = SignedChallenge::read(&pem)?;
                let attempt = store.lock().await.get(read.nonce()).unwrap();
                let checked = server().check(read, attempt.as_ref(), ALICE, NOW)?;
                // all have verified the signature before any goes on to the nonce
                barrier.wait().await;
                let was_there = store.lock().await.consume(checked.nonce()).unwrap();
                checked.consumed(was_there)
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Err(SignInError::NonceUsed)).count(), TASKS - 1);
    assert!(store.lock().await.is_empty());
}

// whatever fails says which check it was, and that is the first that does not hold
#[test]
fn every_refusal_names_its_check() {
    let (server, key) = (server(), wallet());
    let mut seen = Vec::new();
    let mut refused = |check: Check, change: &dyn Fn(String) -> String, session, now| {
        let mut attempts = MemoryAttempts::new(10);
        // where the wallet writes the text, nothing but the checks holds it
        let nonce = server.begin_redirect(ALICE, NOW, &mut attempts, &mut rng(1)).unwrap();
        let text = change(wallet_text(&account(&key), &nonce));
        let error = server.finish(&signed(&key, &text), session, now, &mut attempts).unwrap_err();
        assert_eq!(error.check(), Some(check), "{error}");
        let lives_on = usize::from(check != Check::Browser);
        assert_eq!(attempts.len(), lives_on, "{error}: the attempt lives on, unless its nonce has leaked");
        seen.push(check);
    };
    let replace = |from: &'static str, to: &'static str| {
        move |text: String| {
            assert!(text.contains(from));
            text.replacen(from, to, 1)
        }
    };
    let same = |text| text;
    let issued_late = replace("12:00:10Z", "12:00:31Z");
    refused(Check::Challenge, &replace("URI: ", "URL: "), ALICE, NOW);
    refused(Check::Nonce, &replace("Nonce: ", "Nonce: another-"), ALICE, NOW);
    refused(Check::Browser, &same, MALLORY, NOW);
    refused(Check::Attempt, &same, ALICE, NOW + Duration::from_secs(300));
    refused(Check::Version, &replace("Version: 1", "Version: 2"), ALICE, NOW);
    refused(Check::Domain, &replace("myapp.com wants", "my-app.com wants"), ALICE, NOW);
    refused(Check::Uri, &replace("https://myapp.com", "https://myapp.com@evil.com"), ALICE, NOW);
    refused(Check::ChainId, &replace("dero-mainnet", "dero-testnet"), ALICE, NOW);
    let other = account(&SecretKey::from_bytes(&[8; 32]).unwrap()).to_string();
    refused(Check::Signer, &|text: String| text.replace(&account(&key).to_string(), &other), ALICE, NOW);
    refused(Check::Lifetime, &replace("12:05:00Z", "12:05:11Z"), ALICE, NOW);
    refused(Check::IssuedAt, &issued_late, ALICE, NOW);
    refused(Check::Expiration, &replace("12:05:00Z", "12:00:11Z"), ALICE, NOW + Duration::from_secs(41));

    // the wallet of a testnet account, which writes mainnet all the same
    let mut attempts = MemoryAttempts::new(10);
    let nonce = server.begin_redirect(ALICE, NOW, &mut attempts, &mut rng(1)).unwrap();
    let testnet = Address::new(Network::Testnet, *key.public());
    let pem = key.sign(Network::Testnet, wallet_text(&testnet, &nonce), &mut rng(2)).unwrap().to_pem();
    let error = server.finish(pem.as_bytes(), ALICE, NOW, &mut attempts).unwrap_err();
    assert_eq!(error, SignInError::Check(CheckError::NetworkMismatch));
    seen.push(error.check().unwrap());
    assert_eq!(server.finish(b"hello", ALICE, NOW, &mut attempts).unwrap_err().check(), Some(Check::Text));
    // tested above: a forgery, a text that was not issued, a race
    let elsewhere = [SignInError::Signature(SignatureError::Mismatch), SignInError::NotIssued, SignInError::NonceUsed];
    seen.extend(elsewhere.map(|error: SignInError| error.check().unwrap()));
    seen.push(Check::Text);
    seen.sort();
    assert_eq!(seen, Check::ALL);
    let texts: BTreeSet<String> = seen.iter().map(ToString::to_string).collect();
    assert!(texts.len() == seen.len() && texts.iter().all(|text| text.len() > 10), "each says what it checks");
    assert_eq!(SignInError::Store(IssueError::Full).check(), None);
}

// the three calls hold without a store that is exact
#[test]
fn an_attempt_is_for_its_nonce_alone() {
    let (server, key, mut attempts) = (server(), wallet(), MemoryAttempts::new(10));
    let nonce = server.begin_redirect(ALICE, NOW, &mut attempts, &mut rng(1)).unwrap();
    let attempt = attempts.get(&nonce).unwrap();
    assert_eq!(attempt.as_ref().unwrap().nonce, nonce);
    let read = SignedChallenge::read(&signed(&key, &wallet_text(&account(&key), &nonce))).unwrap();
    let astray = server.check(read, attempt.as_ref(), MALLORY, NOW);
    assert_eq!(astray.err(), Some(SignInError::Misdirected), "for the caller of the three calls to consume");
    for other in ["never-issued-by-anybody", &nonce.to_lowercase(), &nonce.to_uppercase()] {
        let read = SignedChallenge::read(&signed(&key, &wallet_text(&account(&key), other))).unwrap();
        assert_eq!(server.check(read, attempt.as_ref(), ALICE, NOW).err(), Some(SignInError::NonceUnknown));
    }
}

// of a cloned machine, whose generator repeats itself
#[test]
fn a_repeated_nonce_replaces_nothing() {
    let (server, mut attempts) = (server(), MemoryAttempts::new(10));
    let nonce = server.begin_redirect(ALICE, NOW, &mut attempts, &mut rng(1)).unwrap();
    let again = server.begin_redirect(MALLORY, NOW, &mut attempts, &mut rng(1));
    assert_eq!(again, Err(BeginError::Store(IssueError::Repeated)));
    assert!(attempts.get(&nonce).unwrap().unwrap().session == ALICE);
}

#[test]
fn what_nobody_could_finish_is_not_begun() {
    let key = wallet();
    let begin =
        |server: &SignIn| server.begin(account(&key), ALICE, NOW, &mut MemoryAttempts::new(1), &mut rng(1)).map(|_| ());
    let redirect =
        |server: &SignIn| server.begin_redirect(ALICE, NOW, &mut MemoryAttempts::new(1), &mut rng(1)).map(|_| ());
    let code = |outcome: Result<(), BeginError<IssueError>>| match outcome {
        Err(BeginError::Challenge(error)) => error.code(),
        other => panic!("{other:?}"),
    };
    assert_eq!((begin(&server()), redirect(&server())), (Ok(()), Ok(())));
    let plain = SignIn { uri: "http://myapp.com".into(), ..server() };
    assert_eq!(code(begin(&plain)), "uri-mismatch");
    let bad = SignIn { domain: "not a domain".into(), uri: "https://not a domain".into(), ..server() };
    assert_eq!((code(begin(&bad)), code(redirect(&bad))), ("domain-form", "domain-form"));
    assert_eq!(code(begin(&SignIn { uri: "ftp://myapp.com".into(), ..server() })), "uri-form");
    let none = SignIn { schemes: Vec::new(), ..server() };
    assert_eq!((code(begin(&none)), code(redirect(&none))), ("uri-mismatch", "uri-mismatch"));
    let testnet = SignIn { chain_id: ChainId::Testnet, ..server() };
    assert_eq!(code(redirect(&testnet)), "chain-id-mismatch");
    // every bit of a browser session counts
    for at in 0..32 {
        let mut other = [1; 32];
        other[at] ^= 0x80;
        assert!(BrowserSession::new(other) != ALICE && BrowserSession::new(other).to_bytes() == other);
    }
}

// the limit is on the signed text, up to its last byte
#[test]
fn sixteen_kibibytes_are_read() {
    let (server, mut attempts) = (server(), MemoryAttempts::new(1));
    let pem = String::from_utf8(signed(&wallet(), &"x".repeat(5000))).unwrap();
    let mut finish = |len: usize| {
        let pem = pem.clone() + &"\n".repeat(len - pem.len());
        server.finish(pem.as_bytes(), ALICE, NOW, &mut attempts).unwrap_err()
    };
    assert_eq!(finish(16 << 10), SignInError::Read(ReadError::TooLong), "a challenge is shorter");
    assert_eq!(finish((16 << 10) + 1), SignInError::Signature(SignatureError::TooLong));
}
