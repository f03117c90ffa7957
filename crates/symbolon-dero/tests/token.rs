//! Session tokens: made, read, and everything that is refused.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use serde_json::{Value, json};
use std::time::Duration;
use symbolon_dero::{
    Address, Network, SecretKey,
    challenge::{ChainId, Scheme},
    signin::{BrowserSession, Claims, MemoryAttempts, SignIn},
    token::{EdDsaKey, EdDsaPublicKey, Hs256Key, MAX_TOKEN, Terms, TokenError},
};

const NOW: Duration = Duration::from_millis(1_771_070_400_500);

fn claims(chain_id: ChainId) -> Claims {
    let server = SignIn {
        domain: "myapp.com".into(),
        uri: "https://myapp.com".into(),
        schemes: vec![Scheme::Https],
        chain_id,
        statement: None,
        lifetime: Duration::from_secs(300),
        max_skew: Duration::from_secs(30),
    };
    let (key, session) = (SecretKey::from_bytes(&[7; 32]).unwrap(), BrowserSession::new([1; 32]));
    let (mut attempts, mut rng) = (MemoryAttempts::new(1), ChaCha12Rng::from_seed([1; 32]));
    let network = chain_id.network();
    let challenge = server.begin(Address::new(network, *key.public()), session, NOW, &mut attempts, &mut rng).unwrap();
    let signed = key.sign(network, challenge.to_string(), &mut rng).unwrap();
    server.finish(signed.to_pem().as_bytes(), session, NOW, &mut attempts).unwrap()
}

fn terms() -> Terms {
    Terms {
        issuer: "https://myapp.com".into(),
        audience: "https://api.myapp.com".into(),
        lifetime: Duration::from_secs(3600),
    }
}

fn hs256() -> Hs256Key {
    Hs256Key::new(&[5; 32])
}

fn part(token: &str, at: usize) -> Value {
    serde_json::from_slice(&BASE64.decode(token.split('.').nth(at).unwrap()).unwrap()).unwrap()
}

#[test]
fn a_token_says_what_the_sign_in_said() {
    for chain_id in [ChainId::Mainnet, ChainId::Testnet] {
        let claims = claims(chain_id);
        let eddsa = EdDsaKey::new(&[6; 32]);
        let tokens = [hs256().issue(&claims, &terms()), eddsa.issue(&claims, &terms())].map(Result::unwrap);
        let public = EdDsaPublicKey::from_bytes(&eddsa.public().to_bytes()).unwrap();
        let read = [hs256().verify(&tokens[0], &terms(), NOW), public.verify(&tokens[1], &terms(), NOW)];
        for (read, (token, algorithm)) in read.into_iter().zip(tokens.iter().zip(["HS256", "EdDSA"])) {
            let read = read.unwrap();
            assert_eq!((read.address(), read.chain_id(), read.nonce()), (claims.address(), chain_id, claims.nonce()));
            assert_eq!(read.signed_in_at(), Duration::from_secs(NOW.as_secs()), "whole seconds");
            assert_eq!(part(token, 0), json!({ "alg": algorithm, "typ": "JWT" }));
            let body = json!({
                "iss": "https://myapp.com", "aud": "https://api.myapp.com", "sub": claims.address().to_string(),
                "chain_id": chain_id.to_string(), "jti": claims.nonce(), "iat": NOW.as_secs(), "exp": NOW.as_secs() + 3600,
            });
            assert_eq!(part(token, 1), body);
        }
    }
}

// made with Python's hmac and hashlib
#[test]
fn another_library_makes_the_same_signature() {
    let token = concat!(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL215YXBwLmNvbSIsImF1ZCI6Imh0dHBzOi8vYXBpLm1",
        "5YXBwLmNvbSIsInN1YiI6ImRlcm8xcXl5aGtmN213NnFzNTlndDNtZGFyYWVmams5ODg1NXRmOWZwM3U3N3VyOHhhdmMzbHVqeTJ",
        "xZ2NzaDBteCIsImNoYWluX2lkIjoiZGVyby1tYWlubmV0IiwianRpIjoiazhqMm00bjZwOHEwIiwiaWF0IjoxNzcxMDcwNDAwLCJ",
        "leHAiOjE3NzEwNzQwMDB9.VKjWlTqkrYTi7hYroyvGuIXBFA4vfyWHue2SH5SwcO4",
    );
    assert!(hs256().verify(token, &terms(), NOW).is_ok());
}

#[test]
fn nothing_changed_is_believed() {
    let token = hs256().issue(&claims(ChainId::Mainnet), &terms()).unwrap();
    for at in 0..token.len() {
        for other in ['A', 'B', '.', '-', '='] {
            let mut changed = token.clone();
            changed.replace_range(at..=at, &other.to_string());
            assert_eq!(hs256().verify(&changed, &terms(), NOW).is_ok(), changed == token, "{at}");
        }
        assert!(hs256().verify(&token[..at], &terms(), NOW).is_err());
    }
    let long = "a".repeat(MAX_TOKEN + 1);
    assert_eq!(hs256().verify(&long, &terms(), NOW), Err(TokenError::Malformed));
    assert_eq!(Hs256Key::new(&[4; 32]).verify(&token, &terms(), NOW), Err(TokenError::Signature));
}

// `none`, and the public key of one algorithm as the secret of another
#[test]
fn the_token_does_not_choose_its_algorithm() {
    let eddsa = EdDsaKey::new(&[6; 32]);
    let claims = claims(ChainId::Mainnet);
    let body = hs256().issue(&claims, &terms()).unwrap().split('.').nth(1).unwrap().to_string();
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"None","typ":"JWT"}"#, r#"{"typ":"JWT"}"#] {
        for signature in ["", "AAAA"] {
            let token = format!("{}.{body}.{signature}", BASE64.encode(header));
            assert!(hs256().verify(&token, &terms(), NOW).is_err());
            assert!(eddsa.public().verify(&token, &terms(), NOW).is_err());
        }
    }
    let confused = Hs256Key::new(&eddsa.public().to_bytes()).issue(&claims, &terms()).unwrap();
    assert_eq!(eddsa.public().verify(&confused, &terms(), NOW), Err(TokenError::Signature));
    let token = eddsa.issue(&claims, &terms()).unwrap();
    assert_eq!(hs256().verify(&token, &terms(), NOW), Err(TokenError::Signature));
    assert_eq!(EdDsaKey::new(&[7; 32]).public().verify(&token, &terms(), NOW), Err(TokenError::Signature));
    // the identity: everybody's key
    let mut identity = [0; 32];
    identity[0] = 1;
    assert_eq!(EdDsaPublicKey::from_bytes(&identity), None);
}

#[test]
fn terms_and_times_hold() {
    let claims = claims(ChainId::Mainnet);
    let token = hs256().issue(&claims, &terms()).unwrap();
    let verify = |terms: &Terms, now| hs256().verify(&token, terms, now).map(|_| ());
    assert_eq!(verify(&Terms { issuer: "https://other.com".into(), ..terms() }, NOW), Err(TokenError::Terms));
    assert_eq!(verify(&Terms { audience: "https://myapp.com".into(), ..terms() }, NOW), Err(TokenError::Terms));
    let end = Duration::from_secs(NOW.as_secs() + 3600);
    assert_eq!(verify(&terms(), end - Duration::from_nanos(1)), Ok(()));
    assert_eq!(verify(&terms(), end), Err(TokenError::Expired));
    assert_eq!(verify(&terms(), NOW - Duration::from_secs(2)), Err(TokenError::Expired), "from the future");
    // shorter terms end longer tokens
    let short = Terms { lifetime: Duration::from_secs(60), ..terms() };
    assert_eq!(verify(&short, NOW + Duration::from_secs(60)), Err(TokenError::Expired));
    let never = Terms { lifetime: Duration::MAX, ..terms() };
    assert_eq!(hs256().issue(&claims, &never), Err(TokenError::Expired));
    assert_eq!(verify(&never, end), Err(TokenError::Expired), "and longer ones do not prolong it");
    let huge = Terms { issuer: "x".repeat(MAX_TOKEN), ..terms() };
    assert_eq!(hs256().issue(&claims, &huge), Err(TokenError::Malformed));
}

// a body that this server would not write, with a good signature: other software with the same key
#[test]
fn other_bodies_of_the_same_key() {
    use hmac::{Hmac, KeyInit, Mac};
    let good = part(&hs256().issue(&claims(ChainId::Mainnet), &terms()).unwrap(), 1);
    let token = |body: &Value| {
        let text = format!("{}.{}", BASE64.encode(r#"{"alg":"HS256"}"#), BASE64.encode(body.to_string()));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&[5; 32]).unwrap();
        mac.update(text.as_bytes());
        format!("{text}.{}", BASE64.encode(mac.finalize().into_bytes()))
    };
    let verify = |body: &Value| hs256().verify(&token(body), &terms(), NOW).map(|_| ());
    assert_eq!(verify(&good), Ok(()));
    for (name, value) in [
        ("sub", json!("dero1")),
        ("sub", json!(Address::new(Network::Testnet, *SecretKey::from_bytes(&[7; 32]).unwrap().public()).to_string())),
        ("chain_id", json!("dero-testnet")),
        ("chain_id", json!("ethereum")),
        ("iat", json!(-1)),
        ("iat", json!("now")),
        ("exp", json!(null)),
        ("nbf", json!(1)),
        ("jti", json!(7)),
    ] {
        let mut body = good.clone();
        body[name] = value;
        assert_eq!(verify(&body), Err(TokenError::Malformed), "{name}");
    }
    for name in ["iss", "aud", "sub", "chain_id", "jti", "iat", "exp"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        assert_eq!(verify(&body), Err(TokenError::Malformed), "{name}");
    }
}
