//! Keys that are made, read and written, and what they sign: of members, of devices, of sessions.

use crate::{
    Needles,
    report::{Pass, Report},
    secrets::{Recording, watch_identity, watch_rfc8032_nonce},
};
use core::time::Duration;
use rand_core::Rng;
use symbolon::IdentityKey;
use symbolon_core::{SecretBytes, Transcript};
use symbolon_dero::{
    Address, Network, SecretKey,
    challenge::{ChainId, Scheme},
    signin::{BrowserSession, Claims, MemoryAttempts, SignIn},
    token::{EdDsaKey, Hs256Key, Terms},
};
use symbolon_seal::{DeviceKey, XWingKey};
use zeroize::Zeroizing;

/// Runs them all.
pub fn all(reports: &mut Vec<Report>, only: Option<&str>) {
    Report::add(reports, only, "keys of members", members);
    Report::add(reports, only, "keys of devices", devices);
    Report::add(reports, only, "DERO: tokens", tokens);
}

fn members(r: &mut Report) {
    let mut rng = Recording::new(93);
    let key = r.entry("IdentityKey::generate", || IdentityKey::generate(&mut rng));
    let key = key.unwrap_or_else(|never| match never {});
    if r.pass == Pass::Learn {
        let seed = rng.log[0].first_chunk().expect("32 bytes");
        watch_identity(seed);
        let signed = Transcript::new("session", "attestation").part("a purpose").part("a statement").finish();
        watch_rfc8032_nonce(seed, &signed);
    }
    r.entry("IdentityKey::attest", || key.attest("a purpose", b"a statement"));
    r.entry("drop", || drop(key));
}

fn devices(r: &mut Report) {
    let seed = SecretBytes::<32>::random(&mut Recording::new(94));
    let derived = r.entry("DeviceKey::derive", || DeviceKey::derive(&seed));
    let bytes = r.entry("DeviceKey::to_bytes", || derived.to_bytes());
    if r.pass == Pass::Learn {
        Needles::watch("a device key", bytes.expose());
    }
    let read = r.entry("DeviceKey::from_bytes", || DeviceKey::from_bytes(&bytes));
    r.entry("drop", || drop((derived, read, bytes)));
    let hybrid = r.entry("XWingKey::from_bytes", || XWingKey::from_bytes(&seed));
    let bytes = r.entry("XWingKey::to_bytes", || hybrid.to_bytes());
    r.entry("drop", || drop((hybrid, bytes)));
}

const NOW: Duration = Duration::from_secs(1_771_070_400);

/// What a sign-in says.
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
    let (wallet, browser) = (SecretKey::from_bytes(&[7; 32]).expect("in range"), BrowserSession::new([1; 32]));
    let (mut attempts, mut rng) = (MemoryAttempts::new(1), symbolon_testkit::seeded(95));
    let address = Address::new(Network::Mainnet, *wallet.public());
    let challenge = server.begin(address, browser, NOW, &mut attempts, &mut rng).expect("a challenge");
    let Ok(signed) = wallet.sign(Network::Mainnet, challenge.to_string(), &mut rng);
    server.finish(signed.to_pem().as_bytes(), browser, NOW, &mut attempts).expect("it signs in")
}

fn tokens(r: &mut Report) {
    let mut seed = Zeroizing::new([0; 32]);
    Recording::new(96).fill_bytes(seed.as_mut());
    let claims = claims();
    let terms = Terms {
        issuer: "https://myapp.com".into(),
        audience: "https://api.myapp.com".into(),
        chain_id: ChainId::Mainnet,
        lifetime: Duration::from_secs(3600),
        max_skew: Duration::from_secs(1),
    };
    let hmac = r.entry("dero: Hs256Key::new", || Hs256Key::new(&seed));
    let ed = r.entry("dero: EdDsaKey::new", || EdDsaKey::new(&seed));
    if r.pass == Pass::Learn {
        watch_identity(&seed);
        // what HMAC begins its two hashes with
        for pad in [0x36, 0x5c] {
            Needles::watch("a key of HS256, padded", &Zeroizing::new(seed.map(|byte| byte ^ pad))[..]);
        }
    }
    let token = r.entry("dero: Hs256Key::issue", || hmac.issue(&claims, &terms)).expect("a token");
    r.entry("dero: Hs256Key::verify", || hmac.verify(&token, &terms, NOW)).expect("its own");
    let forged = token.replace('a', "b");
    r.entry("dero: Hs256Key::verify", || hmac.verify(&forged, &terms, NOW).is_err());
    let token = r.entry("dero: EdDsaKey::issue", || ed.issue(&claims, &terms)).expect("a token");
    if r.pass == Pass::Learn {
        let (signed, _) = token.rsplit_once('.').expect("three parts");
        watch_rfc8032_nonce(&seed, signed.as_bytes());
    }
    r.entry("drop", || drop((hmac, ed)));
}
