//! Session tokens: made, read, and everything that is refused.

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
        chain_id: ChainId::Mainnet,
        lifetime: Duration::from_secs(3600),
        max_skew: Duration::from_secs(1),
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
        let terms = || Terms { chain_id, ..terms() };
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
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3NzEwNzQwMDAsImlhdCI6MTc3MTA3MDQwMCwiaXNzIjoiaHR0cHM",
        "6Ly9teWFwcC5jb20iLCJhdWQiOiJodHRwczovL2FwaS5teWFwcC5jb20iLCJzdWIiOiJkZXJvMXF5eWhrZjdtdzZxczU5Z3QzbWR",
        "hcmFlZmprOTg4NTV0ZjlmcDN1Nzd1cjh4YXZjM2x1ankycWdjc2gwbXgiLCJjaGFpbl9pZCI6ImRlcm8tbWFpbm5ldCIsImp0aSI",
        "6Ims4ajJtNG42cDhxMCJ9.SS0HxG-c2Lma6TkLiyMKyn7PpuXQ0VbHtzc1md87e2U",
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
    // the beginning of the right one, and more than it
    for audience in ["https://myapp.com", "https://api.myapp.co", "https://api.myapp.com.evil.com", ""] {
        assert_eq!(verify(&Terms { audience: audience.into(), ..terms() }, NOW), Err(TokenError::Terms));
    }
    let testnet = Terms { chain_id: ChainId::Testnet, ..terms() };
    assert_eq!(verify(&testnet, NOW), Err(TokenError::Terms));
    assert_eq!(hs256().issue(&claims, &testnet), Err(TokenError::Terms));
    let end = Duration::from_secs(NOW.as_secs() + 3600);
    assert_eq!(verify(&terms(), end - Duration::from_nanos(1)), Ok(()));
    assert_eq!(verify(&terms(), end), Err(TokenError::Expired));
    // the reader's clock may be behind, by a second here
    let issued = Duration::from_secs(NOW.as_secs());
    assert_eq!(verify(&terms(), issued - Duration::from_secs(1)), Ok(()));
    assert_eq!(verify(&terms(), issued - Duration::from_millis(1001)), Err(TokenError::Expired), "from the future");
    // shorter terms end longer tokens
    let short = Terms { lifetime: Duration::from_secs(60), ..terms() };
    assert_eq!(verify(&short, NOW + Duration::from_secs(60)), Err(TokenError::Expired));
    let never = Terms { lifetime: Duration::MAX, ..terms() };
    assert_eq!(hs256().issue(&claims, &never), Err(TokenError::Expired));
    assert_eq!(verify(&never, end), Err(TokenError::Expired), "and longer ones do not prolong it");
    let huge = Terms { issuer: "x".repeat(MAX_TOKEN), ..terms() };
    assert_eq!(hs256().issue(&claims, &huge), Err(TokenError::Malformed));
}

/// A token of HS256 with any header and body.
fn token(header: &str, body: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let text = format!("{}.{}", BASE64.encode(header), BASE64.encode(body));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&[5; 32]).unwrap();
    mac.update(text.as_bytes());
    format!("{text}.{}", BASE64.encode(mac.finalize().into_bytes()))
}

// what this library would not write, with a good signature: other software with the same key
#[test]
fn only_what_is_written_is_read() {
    const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
    let issued = hs256().issue(&claims(ChainId::Mainnet), &terms()).unwrap();
    let good = String::from_utf8(BASE64.decode(issued.split('.').nth(1).unwrap()).unwrap()).unwrap();
    let verify = |header: &str, body: &str| hs256().verify(&token(header, body), &terms(), NOW).map(|_| ());
    assert_eq!(verify(HEADER, &good), Ok(()));
    for header in [
        r#"{"alg":"HS256"}"#,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"reset-password"}"#,
        r#"{"alg":"HS256","typ":"JWT","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","typ":"JWT","kid":"1"}"#,
        r#"{"alg":"HS256", "typ":"JWT"}"#,
    ] {
        assert_eq!(verify(header, &good), Err(TokenError::Malformed), "{header}");
    }
    let testnet = Address::new(Network::Testnet, *SecretKey::from_bytes(&[7; 32]).unwrap().public()).to_string();
    let own = Address::new(Network::Mainnet, *SecretKey::from_bytes(&[7; 32]).unwrap().public()).to_string();
    let jti = part(&issued, 1)["jti"].as_str().unwrap().to_string();
    let (iat, exp) = (format!("\"iat\":{}", NOW.as_secs()), format!("\"exp\":{}", NOW.as_secs() + 3600));
    for (from, to) in [
        (own.as_str(), "dero1"),
        (&own, &testnet),
        ("dero-mainnet", "ethereum"),
        (&iat, "\"iat\":-1"),
        (&iat, "\"iat\":\"now\""),
        (&iat, &format!("{iat}.9")),
        (&iat, &format!("{iat}.0")),
        (&iat, "\"iat\":99999999999999999999"),
        (&iat, &format!("{iat},\"nbf\":1")),
        (&exp, "\"exp\":null"),
        (&exp, &format!("{exp}.5")),
        (&exp, &format!("{exp},{exp}")),
        (&jti, "a"),
        (&jti, "<script>alert(1)</script>"),
        (&jti, "12345678\\u0000"),
        ("{", "{ "),
        ("}", ",\"admin\":true}"),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(verify(HEADER, &good.replacen(from, to, 1)), Err(TokenError::Malformed), "{to}");
    }
    assert_eq!(verify(HEADER, &good.replacen("dero-mainnet", "dero-testnet", 1)), Err(TokenError::Terms));
    for name in ["iss", "aud", "sub", "chain_id", "jti", "iat", "exp"] {
        let mut body: Value = serde_json::from_str(&good).unwrap();
        body.as_object_mut().unwrap().remove(name);
        assert_eq!(verify(HEADER, &body.to_string()), Err(TokenError::Malformed), "{name}");
    }
    // too long, and otherwise right
    let long = Terms { issuer: "x".repeat(1500), ..terms() };
    let long = hs256().verify(&token(HEADER, &good.replacen("https://myapp.com", &long.issuer, 1)), &long, NOW);
    assert_eq!(long, Err(TokenError::Malformed));
}

// a point of small order as R verifies in the laxer of the two ways
#[test]
fn eddsa_is_strict() {
    use ed25519_dalek::{SigningKey, Verifier};
    use sha2::{Digest, Sha512};
    let eddsa = EdDsaKey::new(&[6; 32]);
    let issued = eddsa.issue(&claims(ChainId::Mainnet), &terms()).unwrap();
    let (text, _) = issued.rsplit_once('.').unwrap();
    let key = SigningKey::from_bytes(&[6; 32]);
    // R is the identity: S = H(R, A, M)*a
    let mut r = [0; 32];
    r[0] = 1;
    let hash = Sha512::new().chain_update(r).chain_update(key.verifying_key().as_bytes()).chain_update(text);
    let s = curve25519_dalek::Scalar::from_bytes_mod_order_wide(&hash.finalize().into()) * key.to_scalar();
    let signature: [u8; 64] = [r, s.to_bytes()].concat().try_into().unwrap();
    assert!(key.verifying_key().verify(text.as_bytes(), &signature.into()).is_ok(), "the laxer way takes it");
    let token = format!("{text}.{}", BASE64.encode(signature));
    assert_eq!(eddsa.public().verify(&token, &terms(), NOW), Err(TokenError::Signature));
    assert!(eddsa.public().verify(&issued, &terms(), NOW).is_ok());
}
