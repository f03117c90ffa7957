//! Session tokens: of what the key has signed only the one form of a session token is believed, for the right reader, in time; and of
//! what it has not signed nothing.

use crate::{bytes::Bytes, memory::bounded};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ed25519_dalek::Signer;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use std::{sync::LazyLock, time::Duration};
use symbolon_dero::{
    Address, Network, SecretKey,
    challenge::{ChainId, Scheme},
    signin::{BrowserSession, Claims, MemoryAttempts, SignIn},
    token::{EdDsaKey, EdDsaPublicKey, Hs256Key, MAX_TOKEN, Terms, TokenError},
};
use symbolon_testkit::seeded;

const SIGNED_IN: u64 = 1_771_070_400;
const LIFETIME: u64 = 3600;
const HS256: [u8; 32] = [5; 32];
const EDDSA: [u8; 32] = [6; 32];

struct World {
    terms: Terms,
    address: String,
    nonce: String,
    tokens: [String; 2],
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let claims = claims();
    let terms = Terms {
        issuer: "https://myapp.com".into(),
        audience: "https://api.myapp.com".into(),
        chain_id: ChainId::Mainnet,
        lifetime: Duration::from_secs(LIFETIME),
        max_skew: Duration::from_secs(1),
    };
    let tokens = [Hs256Key::new(&HS256).issue(&claims, &terms), EdDsaKey::new(&EDDSA).issue(&claims, &terms)];
    let tokens = tokens.map(|token| token.expect("a token"));
    World { address: claims.address().to_string(), nonce: claims.nonce().to_owned(), terms, tokens }
});

fn claims() -> Claims {
    let server = SignIn {
        domain: "myapp.com".into(),
        uri: "https://myapp.com".into(),
        schemes: vec![Scheme::Https],
        chain_id: ChainId::Mainnet,
        statement: None,
        lifetime: Duration::from_secs(300),
        max_skew: Duration::from_secs(30),
    };
    let now = Duration::from_secs(SIGNED_IN);
    let (key, session) = (SecretKey::from_bytes(&[7; 32]).expect("a key"), BrowserSession::new([1; 32]));
    let (mut attempts, mut rng) = (MemoryAttempts::new(1), seeded(1));
    let address = Address::new(Network::Mainnet, *key.public());
    let challenge = server.begin(address, session, now, &mut attempts, &mut rng).expect("begun");
    let signed = key.sign(Network::Mainnet, challenge.to_string(), &mut rng).expect("signed");
    server.finish(signed.to_pem().as_bytes(), session, now, &mut attempts).expect("signed in")
}

/// The target. Gives whether a token is believed, or a key was read.
pub fn run(data: &[u8]) -> bool {
    let whole = std::str::from_utf8(data).is_ok_and(|text| both(text, SIGNED_IN).into_iter().any(|read| read.is_ok()));
    let mut input = Bytes(data);
    let built = match input.byte() {
        1 => changed(&mut input),
        2 => claimed(&mut input),
        3 => texts(&mut input),
        4 => public_key(&input.array()),
        _ => false,
    };
    whole || built
}

/// What either key says of a token.
fn both(token: &str, now: u64) -> [Result<Claims, TokenError>; 2] {
    let (terms, now) = (&WORLD.terms, Duration::from_secs(now));
    // three parts, their JSON and its values, and the printing that is compared
    let read = bounded(24, &[token.as_bytes(), &[0; 1024]].concat(), || {
        let one = Hs256Key::new(&HS256).verify(token, terms, now);
        [one, EdDsaKey::new(&EDDSA).public().verify(token, terms, now)]
    });
    assert!(read.iter().any(Result::is_err), "no token is of both keys");
    if token.len() > MAX_TOKEN {
        assert!(read.iter().all(|read| *read == Err(TokenError::Malformed)));
    }
    read
}

/// A token with some characters changed: only the whole one is believed.
fn changed(input: &mut Bytes<'_>) -> bool {
    let which = usize::from(input.byte() % 2);
    let genuine = &WORLD.tokens[which];
    let mut token = genuine.clone().into_bytes();
    input.edit(&mut token, 0);
    if input.byte() % 4 == 1 {
        token.extend_from_slice(input.rest());
    }
    let Ok(text) = String::from_utf8(token) else { return false };
    let read = both(&text, SIGNED_IN);
    assert_eq!(read[which].is_ok(), text == *genuine, "{text}");
    assert!(read[1 - which].is_err());
    read[which].is_ok()
}

/// The signature of one of the keys on any two parts.
fn signed(which: usize, unsigned: &str) -> String {
    let signature = if which == 0 {
        let mac = Hmac::<sha2::Sha256>::new_from_slice(&HS256).expect("any length");
        BASE64.encode(mac.chain_update(unsigned).finalize().into_bytes())
    } else {
        BASE64.encode(ed25519_dalek::SigningKey::from_bytes(&EDDSA).sign(unsigned.as_bytes()).to_bytes())
    };
    format!("{unsigned}.{signature}")
}

/// Claims of the input's choice in the one form, by the server's own key: who is believed, and why not, in the order of the rules.
fn claimed(input: &mut Bytes<'_>) -> bool {
    let World { terms, address, nonce, .. } = &*WORLD;
    let which = usize::from(input.byte() % 2);
    let mut choose = |genuine: &str| match input.byte() % 8 {
        0 => input.piece().unwrap_or_default(),
        1 => address.clone(),
        2 => String::from("dero-testnet"),
        _ => genuine.to_owned(),
    };
    let (iss, aud, sub) = (choose(&terms.issuer), choose(&terms.audience), choose(address));
    let (chain_id, jti) = (choose("dero-mainnet"), choose(nonce));
    let mut time = |genuine: u64| match input.byte() % 4 {
        0 => genuine.wrapping_add(u64::from(input.u16())).wrapping_sub(3600),
        1 => input.u64() >> (16 + input.byte() % 48),
        _ => genuine,
    };
    let (iat, exp, now) = (time(SIGNED_IN), time(SIGNED_IN + LIFETIME), time(SIGNED_IN));
    // the order of the fields is that of the printer
    let text = |text: &str| Value::from(text).to_string();
    let body = format!(
        "{{\"exp\":{exp},\"iat\":{iat},\"iss\":{},\"aud\":{},\"sub\":{},\"chain_id\":{},\"jti\":{}}}",
        text(&iss),
        text(&aud),
        text(&sub),
        text(&chain_id),
        text(&jti)
    );
    let header = format!("{{\"alg\":\"{}\",\"typ\":\"JWT\"}}", ["HS256", "EdDSA"][which]);
    let token = signed(which, &format!("{}.{}", BASE64.encode(header), BASE64.encode(body)));
    let read = both(&token, now)[which].clone();
    // chrono has no year above 262142
    let representable = [iat, exp].iter().all(|time| *time < 8_210_266_876_800);
    let right_chain = chain_id == "dero-mainnet";
    let fresh = now < exp && now < iat.saturating_add(LIFETIME) && now.saturating_add(1) >= iat;
    let named = Address::parse(&sub).is_ok_and(|address| address.network() == Network::Mainnet);
    let known = (8..=128).contains(&jti.len()) && jti.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let expected = if token.len() > MAX_TOKEN || !representable || ChainId::parse(&chain_id).is_none() {
        Err(TokenError::Malformed)
    } else if iss != terms.issuer || aud != terms.audience || !right_chain {
        Err(TokenError::Terms)
    } else if !fresh {
        Err(TokenError::Expired)
    } else if !named || !known {
        Err(TokenError::Malformed)
    } else {
        Ok(())
    };
    assert_eq!(read.as_ref().map(drop), expected.as_ref().map(drop), "{token}");
    read.is_ok_and(|claims| {
        assert_eq!((claims.address().to_string(), claims.nonce()), (sub, jti.as_str()));
        assert_eq!((claims.chain_id(), claims.signed_in_at().as_secs()), (ChainId::Mainnet, iat));
        // the same claims print as the same token, for the whole lifetime
        let again = match which {
            0 => Hs256Key::new(&HS256).issue(&claims, terms),
            _ => EdDsaKey::new(&EDDSA).issue(&claims, terms),
        };
        assert_eq!(again == Ok(token), exp == iat + LIFETIME);
        true
    })
}

/// Any texts as header and body, signed by the server's own key: read is what prints as the same text, and nothing else.
fn texts(input: &mut Bytes<'_>) -> bool {
    let which = usize::from(input.byte() % 2);
    let World { address, nonce, tokens, .. } = &*WORLD;
    let part = |at: usize| {
        let part = tokens[which].split('.').nth(at).expect("three parts");
        String::from_utf8(BASE64.decode(part).expect("base64")).expect("text")
    };
    let (mut header, mut body) = (part(0), part(1));
    let more = |input: &mut Bytes<'_>| {
        let name =
            ["crit", "kid", "nbf", "typ", "alg", "exp", "iat", "sub", "jti", "x"][usize::from(input.byte() % 10)];
        let value = match input.byte() % 6 {
            0 => json!([input.piece()]),
            1 => json!(input.piece()),
            2 => json!(input.u64()),
            3 => json!(f64::from_bits(input.u64())),
            4 => json!(address),
            _ => json!(nonce),
        };
        (String::from(name), value)
    };
    match input.byte() % 6 {
        // one field more, or another value
        0 => {
            let (name, value) = more(input);
            header = format!("{},\"{name}\":{value}}}", &header[..header.len() - 1]);
        }
        1 => {
            let (name, value) = more(input);
            body = format!("{},\"{name}\":{value}}}", &body[..body.len() - 1]);
        }
        2 => {
            let mut all: Map<String, Value> = serde_json::from_str(&body).expect("an object");
            let (name, value) = more(input);
            all.insert(name, value);
            body = Value::from(all).to_string();
        }
        3 => header = input.piece().unwrap_or_default(),
        4 => body = input.piece().unwrap_or_default(),
        _ => {
            let place = usize::from(input.u16()) % body.len();
            let piece = input.piece().unwrap_or_default();
            body.insert_str(place, &piece);
        }
    }
    let token = signed(which, &format!("{}.{}", BASE64.encode(&header), BASE64.encode(&body)));
    let read = both(&token, SIGNED_IN);
    let Ok(claims) = &read[which] else {
        assert!(header != part(0) || body != part(1) || token.len() > MAX_TOKEN);
        return false;
    };
    assert_eq!(header, part(0), "one header");
    // whatever else was read, all of it is claimed: there is nothing more in the text, and nothing in another form
    let all: Map<String, Value> = serde_json::from_str(&body).expect("an object");
    let names = ["exp", "iat", "iss", "aud", "sub", "chain_id", "jti"];
    assert!(all.len() == names.len() && names.iter().all(|name| all.contains_key(*name)), "{body}");
    assert_eq!(
        (all["jti"].as_str(), all["iat"].as_u64()),
        (Some(claims.nonce()), Some(claims.signed_in_at().as_secs()))
    );
    let printed = names.map(|name| format!("\"{name}\":{}", all[name])).join(",");
    assert_eq!(body, format!("{{{printed}}}"), "one form");
    true
}

fn public_key(bytes: &[u8; 32]) -> bool {
    let read = EdDsaPublicKey::from_bytes(bytes);
    let theirs = curve25519_dalek::edwards::CompressedEdwardsY(*bytes).decompress();
    assert_eq!(read.is_some(), theirs.is_some_and(|point| !point.is_small_order()));
    read.is_some_and(|key| {
        assert_eq!(key.to_bytes(), *bytes);
        let token = &WORLD.tokens[1];
        let believed = key.verify(token, &WORLD.terms, Duration::from_secs(SIGNED_IN)).is_ok();
        assert_eq!(believed, key == EdDsaKey::new(&EDDSA).public());
        true
    })
}
