//! Signing in over HTTP, as browsers do it and as others try; and signatures in files.

mod browser;
mod files;

use base64::{Engine, prelude::BASE64_STANDARD};
use browser::{Browser, Reply, key, mainnet, server, server_at, sign};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Barrier},
    thread,
    time::{Duration, SystemTime},
};
use symbolon::SysRng;
use symbolon_dero::{
    Address, Network,
    challenge::{Challenge, Timestamp},
    signin::Check,
};

/// All passed up to `failed`, which has failed, and none of the rest was reached.
fn assert_failed_at(reply: &Reply, failed: Check) {
    let checks = reply.json()["checks"].as_array().unwrap().clone();
    assert_eq!(checks.len(), Check::ALL.len());
    for (shown, check) in checks.iter().zip(Check::ALL) {
        let passed = if check == failed {
            json!(false)
        } else if check < failed {
            json!(true)
        } else {
            Value::Null
        };
        assert_eq!(*shown, json!({ "check": check.to_string(), "passed": passed }), "{failed:?}");
    }
    assert!(!reply.json()["what_to_do"].as_str().unwrap().is_empty());
}

#[test]
fn the_page_is_served_with_its_headers() {
    let site = server(&[]);
    let mut browser = Browser::new(&site);
    let page = browser.get("/");
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    for path in ["/page.js", "/page.css"] {
        assert!(page.text.contains(&format!("\"{path}\"")));
        assert_eq!(browser.get(path).status, 200);
    }
    // nothing in the page that the policy would refuse
    assert!(!page.text.contains("style=") && !page.text.contains("<style") && !page.text.contains("onclick"));
    let script = browser.get("/page.js");
    assert!(script.header("content-type").starts_with("text/javascript"));
    assert!(!script.text.contains("innerHTML"));

    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("dero-signin=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    assert_eq!(cookie.split_once('=').unwrap().1.split_once(';').unwrap().0.len(), 43);
    // whoever has a cookie keeps it; what can't be one is replaced
    assert_eq!(browser.get("/").header("set-cookie"), "");
    for other in ["dero-signin=planted", "dero-signin=", "other=1"] {
        browser.cookie = Some(other.into());
        assert_ne!(browser.get("/").header("set-cookie"), "");
    }

    let missing = browser.get("/missing");
    let crossed = browser.send("POST", "/signout", &[("Origin", "https://evil.example")], "");
    assert_eq!((missing.status, crossed.status), (404, 403));
    for reply in [page, script, missing, crossed] {
        assert!(reply.header("content-security-policy").starts_with("default-src 'none'; script-src 'self';"));
        assert!(!reply.header("content-security-policy").contains("unsafe"));
        let headers = ["x-content-type-options", "referrer-policy", "cache-control", "x-frame-options"];
        assert_eq!(headers.map(|name| reply.header(name)), ["nosniff", "no-referrer", "no-store", "DENY"]);
    }

    let about = browser.get("/about").json();
    assert_eq!(about["chain_id"], "dero-mainnet");
    assert_eq!(about["checks"].as_array().unwrap().len(), Check::ALL.len());
    assert_eq!(about["xswd"]["url"], site.as_str());
    assert_eq!(hex::decode(about["xswd"]["id"].as_str().unwrap()).unwrap().len(), 32);
}

#[test]
fn a_wallet_signs_in_once_and_out() {
    let site = server(&["--statement", "Come in"]);
    let (mut browser, alice) = (Browser::new(&site), key(7));
    browser.get("/");
    let asked = browser.ask(&mainnet(&alice)).json();
    let text = asked["challenge"].as_str().unwrap();
    let challenge = Challenge::parse(text.as_bytes()).unwrap();
    assert_eq!(challenge.domain(), site.strip_prefix("http://").unwrap());
    assert_eq!((challenge.uri(), challenge.statement()), (site.as_str(), Some("Come in")));
    assert_eq!(asked["nonce"], challenge.nonce());
    assert_eq!(asked["expires"], challenge.expiration_time().to_string());
    assert_eq!(BASE64_STANDARD.decode(asked["challenge_base64"].as_str().unwrap()).unwrap(), text.as_bytes());
    assert_eq!(browser.signed_in_as(), None);

    let (pem, before) = (sign(&alice, text), browser.clone());
    let reply = browser.sign_in(&pem);
    let answer = reply.json();
    assert_eq!((reply.status, &answer["signed_in"]), (200, &json!(true)), "{answer}");
    assert_eq!(
        (&answer["address"], &answer["chain_id"]),
        (&json!(mainnet(&alice).to_string()), &json!("dero-mainnet"))
    );
    assert!(answer["checks"].as_array().unwrap().iter().all(|check| check["passed"] == true));
    assert!(reply.header("set-cookie").contains("Max-Age=86400"));
    assert_eq!(browser.signed_in_as(), Some(mainnet(&alice).to_string()));

    // the cookie from before is nobody
    let mut planted = before;
    assert_ne!(planted.cookie, browser.cookie);
    assert_eq!(planted.signed_in_as(), None);
    // and the text is used up, for everybody
    for one in [&mut browser, &mut planted, &mut Browser::new(&site)] {
        let replay = one.sign_in(&pem);
        assert_eq!(replay.failed(), (401, "nonce-unknown".into()));
        assert_failed_at(&replay, Check::Nonce);
        assert_eq!(replay.header("set-cookie"), "");
    }
    assert!(browser.signed_in_as().is_some());

    // once more, as somebody else: the first session is over
    let first = browser.clone();
    let text = browser.challenge(&key(8));
    assert_eq!(browser.sign_in(&sign(&key(8), &text)).status, 200);
    assert_eq!(browser.signed_in_as(), Some(mainnet(&key(8)).to_string()));
    assert_eq!({ first }.signed_in_as(), None);

    let last = browser.clone();
    let out = browser.post("/signout", "text/plain", "");
    assert_eq!((out.status, out.json()), (200, json!({ "signed_in": false })));
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!((browser.cookie.clone(), browser.signed_in_as()), (None, None));
    assert_eq!({ last }.signed_in_as(), None);
}

#[test]
fn each_failure_names_its_check_and_leaves_the_attempt_alive() {
    let site = server(&[]);
    let (mut browser, mut other, alice, mallory) = (Browser::new(&site), Browser::new(&site), key(7), key(9));
    let text = browser.challenge(&alice);
    let pem = sign(&alice, &text);
    other.get("/");

    let mut cases: Vec<(String, &str, Check)> = vec![
        ("no signature".into(), "pem-layout", Check::Text),
        (String::new(), "pem-layout", Check::Text),
        (pem.replace("DERO SIGNED MESSAGE", "SOMETHING"), "pem-type", Check::Text),
        (pem.replace("\nC: ", "\nC: 0"), "scalar-form", Check::Text),
        (format!("{pem}{pem}"), "pem-trailing", Check::Text),
        (pem.replace("Address: dero1", "Address: deto1"), "addr-checksum", Check::Text),
        (" ".repeat((16 << 10) + 1), "too-long", Check::Text),
        (sign(&alice, "hello"), "first-line", Check::Challenge),
        (sign(&alice, &format!("{text}\n")), "layout", Check::Challenge),
        (sign(&alice, ""), "empty", Check::Challenge),
    ];
    let nonce = Challenge::parse(text.as_bytes()).unwrap().nonce().to_owned();
    let uri = format!("URI: {site}");
    for (from, to, code, check) in [
        (nonce.as_str(), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "nonce-unknown", Check::Nonce),
        ("Version: 1", "Version: 2", "version", Check::Version),
        ("localhost", "evil.example", "domain-mismatch", Check::Domain),
        (&uri, "URI: https://evil.example", "uri-mismatch", Check::Uri),
        ("dero-mainnet", "dero-testnet", "chain-id-mismatch", Check::ChainId),
        (&mainnet(&alice).to_string(), &mainnet(&mallory).to_string(), "address-mismatch", Check::Signer),
        ("Issued At: 2", "Issued At: 1", "lifetime", Check::Lifetime),
        ("Sign in to", "Give all to", "not-issued", Check::Issued),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text);
        cases.push((sign(&alice, &changed), code, check));
    }
    // somebody else's signature of the very text
    cases.push((sign(&mallory, &text), "address-mismatch", Check::Signer));
    // under the key's other address, which the scheme does not tell apart
    let other_network = alice.sign(Network::Testnet, text.as_str(), &mut SysRng).unwrap().to_pem();
    cases.push((other_network, "address-mismatch", Check::Signer));
    // and with the address of another key over a right signature
    let of_other = pem.replace(&mainnet(&alice).to_string(), &mainnet(&mallory).to_string());
    cases.push((of_other, "signature-mismatch", Check::Signature));

    for (pem, code, check) in cases {
        let reply = browser.sign_in(&pem);
        assert_eq!(reply.failed(), (401, code.to_owned()), "{pem}");
        assert_failed_at(&reply, check);
    }
    // another browser, with a cookie and without
    for one in [&mut other, &mut Browser::new(&site)] {
        let reply = one.sign_in(&pem);
        assert_eq!(reply.failed(), (401, "other-session".into()));
        assert_failed_at(&reply, Check::Browser);
        assert_eq!(one.signed_in_as(), None);
    }
    // a cookie given twice is none
    let mut twice = browser.clone();
    twice.cookie = twice.cookie.map(|cookie| format!("{cookie}; {cookie}"));
    assert_eq!(twice.sign_in(&pem).failed(), (401, "other-session".into()));

    assert_eq!(browser.sign_in(&pem.replace('\n', "\r\n")).status, 200);
    assert_eq!(browser.signed_in_as(), Some(mainnet(&alice).to_string()));
}

#[test]
fn only_this_sites_pages_and_only_so_much() {
    let site = server(&[]);
    let (mut browser, alice) = (Browser::new(&site), key(7));
    let text = browser.challenge(&alice);
    let pem = sign(&alice, &text);

    let kind = ("Content-Type", "text/plain");
    let ip = site.replace("localhost", "127.0.0.1");
    for header in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", ip.as_str()),
        ("Origin", &site.replace("http:", "https:")),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        for path in ["/signin", "/challenge", "/redirect", "/outcome", "/signout"] {
            assert_eq!(
                browser.send("POST", path, &[kind, header], &pem).failed(),
                (403, "cross-site".into()),
                "{header:?}"
            );
        }
    }
    // by another name of the same machine
    let reply = Browser::new(&ip).get("/");
    assert_eq!(reply.failed(), (421, "host".into()));
    assert!(reply.json()["what_to_do"].as_str().unwrap().contains(&site));

    let large = " ".repeat(22_872 + 1);
    for path in ["/signin", "/challenge"] {
        assert_eq!(browser.post(path, "text/plain", &large).failed(), (413, "body".into()));
    }
    assert_eq!(browser.send("GET", "/signin", &[], "").status, 405);
    assert_eq!(browser.send("HEAD", "/callback", &[], "").status, 405);

    for (body, code) in [
        ("", "json"),
        ("[\"dero1\"]", "json"),
        ("{}", "json"),
        ("{\"address\": \"a\", \"more\": 1}", "json"),
        ("{\"address\": \"\"}", "addr-format"),
        ("{\"address\": \"dero1qyyhkf7mw6qs59gt3mdaraefjk98855tf9fp3u77ur8xavc3lujy2qgcsh0m0\"}", "addr-checksum"),
    ] {
        assert_eq!(browser.post("/challenge", "application/json", body).failed(), (400, code.into()), "{body}");
    }
    let testnet = browser.ask(&Address::new(Network::Testnet, *alice.public()));
    assert_eq!(testnet.failed(), (400, "network-mismatch".into()));

    // one attempt is under way; this many more are too many
    let begun: Vec<u16> = (0..16).map(|_| browser.ask(&mainnet(&alice)).status).collect();
    assert_eq!(begun, [vec![200; 15], vec![429]].concat());
    assert_eq!(Browser::new(&site).ask(&mainnet(&alice)).status, 200);
    assert_eq!(browser.sign_in(&pem).status, 200);
    assert_eq!(browser.ask(&mainnet(&alice)).status, 200);
}

#[test]
fn xswd_brings_base64() {
    let site = server(&[]);
    let (mut browser, alice) = (Browser::new(&site), key(7));
    let text = browser.challenge(&alice);
    let encoded = BASE64_STANDARD.encode(sign(&alice, &text));
    let body = |signature: &str| json!({ "signature": signature }).to_string();

    for wrong in [&encoded[1..], &format!("{encoded}\n"), "*"] {
        let reply = browser.post("/signin", "application/json", &body(wrong));
        assert_eq!(reply.failed(), (401, "pem-base64".into()));
        assert_failed_at(&reply, Check::Text);
    }
    for wrong in ["", "{}", "[]", "{\"signature\": 1}", "{\"signature\": \"\", \"signature\": \"\"}"] {
        assert_eq!(browser.post("/signin", "application/json", wrong).failed(), (400, "json".into()), "{wrong}");
    }
    // the longest text that may come, so that the limit of the body is not below it
    let longest = BASE64_STANDARD.encode(" ".repeat(16 << 10));
    assert_eq!(browser.post("/signin", "application/json", &body(&longest)).failed(), (401, "pem-layout".into()));
    assert_eq!(browser.post("/signin", "application/json", &body(&encoded)).status, 200);
    assert_eq!(browser.signed_in_as(), Some(mainnet(&alice).to_string()));
}

/// What HOLOGRAM writes, by the clock of its own machine.
#[allow(clippy::disallowed_methods, reason = "a wallet has a clock")]
fn wallet_text(site: &str, address: &Address, nonce: &str) -> String {
    let domain = site.strip_prefix("http://").unwrap();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let time = |seconds| Timestamp::from_unix(Duration::from_secs(seconds)).unwrap().to_string().replace(".000Z", "Z");
    format!(
        "{domain} wants you to sign in with your DERO wallet:\n{address}\n\nSign in to {domain}\n\n\
         URI: {site}/callback\nVersion: 1\nChain ID: dero-mainnet\nNonce: {nonce}\nIssued At: {}\nExpiration Time: {}",
        time(now),
        time(now + 300)
    )
}

fn query(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn the_redirect_ends_at_a_clean_address() {
    let site = server(&[]);
    let (mut browser, alice) = (Browser::new(&site), key(7));
    browser.get("/");
    let begun = browser.post("/redirect", "text/plain", "").json();
    let nonce = begun["nonce"].as_str().unwrap();
    let port = site.rsplit_once(':').unwrap().1;
    assert_eq!(
        begun["url"],
        format!(
            "http://localhost:44326/auth?callback=http%3A%2F%2Flocalhost%3A{port}%2Fcallback\
             &nonce={nonce}&domain=localhost%3A{port}"
        )
    );
    let pem = sign(&alice, &wallet_text(&site, &mainnet(&alice), nonce));
    let back = format!("/callback?signature={}&nonce={nonce}", query(&pem));

    // an attacker's link in another browser: it ends the attempt, since its nonce has leaked, and the page learns why
    let mut victim = Browser::new(&site);
    victim.get("/");
    let reply = victim.get(&back);
    assert_eq!((reply.status, reply.header("location"), reply.header("set-cookie")), (303, "/", ""));
    let told = victim.post("/outcome", "text/plain", "");
    assert_eq!(told.json()["failed"], "other-session");
    assert_failed_at(&told, Check::Browser);
    assert_eq!((victim.post("/outcome", "text/plain", "").status, victim.signed_in_as()), (204, None));
    assert_eq!(browser.get(&back).header("location"), "/");
    assert_eq!(browser.post("/outcome", "text/plain", "").json()["failed"], "nonce-unknown");

    // another attempt; an answer without anything does not end it
    let nonce = browser.post("/redirect", "text/plain", "").json()["nonce"].as_str().unwrap().to_string();
    let pem = sign(&alice, &wallet_text(&site, &mainnet(&alice), &nonce));
    let back = format!("/callback?signature={}&nonce={nonce}", query(&pem));
    assert_eq!(browser.get("/callback?nonce=a").header("location"), "/");
    assert_eq!(browser.post("/outcome", "text/plain", "").json()["failed"], "callback");

    let before = browser.clone();
    let reply = browser.get(&back);
    assert_eq!((reply.status, reply.header("location"), reply.text.as_str()), (303, "/", ""));
    assert!(reply.header("set-cookie").contains("SameSite=Lax"));
    assert_ne!(before.cookie, browser.cookie);
    assert_eq!(browser.signed_in_as(), Some(mainnet(&alice).to_string()));
    let told = browser.post("/outcome", "text/plain", "").json();
    assert_eq!((&told["signed_in"], told["checks"].as_array().unwrap().len()), (&json!(true), Check::ALL.len()));

    // the link from the history
    assert_eq!(browser.get(&back).status, 303);
    assert_eq!(browser.post("/outcome", "text/plain", "").json()["failed"], "nonce-unknown");
    assert!(browser.signed_in_as().is_some());

    // what the wallet writes names the mainnet, whatever it is on
    let mut testnet = Browser::new(&server(&["--chain", "testnet"]));
    assert_eq!(testnet.post("/redirect", "text/plain", "").failed(), (409, "redirect-mainnet".into()));
}

#[test]
fn of_many_at_once_one_wins() {
    const MANY: usize = 50;
    let site = server(&[]);
    let (mut browser, alice) = (Browser::new(&site), key(7));
    let text = browser.challenge(&alice);
    let (pem, cookie) = (sign(&alice, &text), browser.cookie.unwrap());
    let start = Arc::new(Barrier::new(MANY));
    let racers: Vec<_> = (0..MANY)
        .map(|_| {
            let (site, pem, cookie, start) = (site.clone(), pem.clone(), cookie.clone(), Arc::clone(&start));
            thread::spawn(move || {
                let mut browser = Browser::new(&site);
                browser.cookie = Some(cookie);
                start.wait();
                let reply = browser.sign_in(&pem);
                (reply.status, reply.json()["failed"].as_str().unwrap_or_default().to_owned(), browser)
            })
        })
        .collect();
    let ends: Vec<_> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
    let mut winners = Vec::new();
    for (status, failed, browser) in ends {
        match (status, failed.as_str()) {
            (200, "") => winners.push(browser),
            (401, "nonce-unknown" | "nonce-used") => assert_eq!({ browser }.signed_in_as(), None),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(winners[0].signed_in_as(), Some(mainnet(&alice).to_string()));
}

#[test]
fn attempts_end() {
    let site = server(&["--lifetime", "1"]);
    let (mut browser, alice) = (Browser::new(&site), key(7));
    let text = browser.challenge(&alice);
    let pem = sign(&alice, &text);
    thread::sleep(Duration::from_millis(1100));
    let late = browser.sign_in(&pem);
    assert_eq!(late.failed(), (401, "nonce-expired".into()));
    assert_failed_at(&late, Check::Attempt);
    // and make room
    for _ in 0..16 {
        browser.challenge(&alice);
    }
    assert_eq!(browser.ask(&mainnet(&alice)).status, 429);
    thread::sleep(Duration::from_millis(1100));
    browser.challenge(&alice);
    assert_eq!(browser.sign_in(&pem).failed(), (401, "nonce-unknown".into()));
}

#[test]
fn behind_a_proxy_with_tls_cookies_are_tied_to_the_host() {
    let (at, site) = server_at(&["--domain", "myapp.example", "--secure"]);
    assert_eq!(site, "https://myapp.example");
    // the proxy, which passes the name on
    let host = ("Host", "myapp.example");
    let (mut browser, alice) = (Browser::new(&format!("http://{at}")), key(7));
    let body = json!({ "address": mainnet(&alice).to_string() }).to_string();
    let asked = browser.send("POST", "/challenge", &[host, ("Origin", &site)], &body);
    let cookie = asked.header("set-cookie");
    assert!(cookie.starts_with("__Host-dero-signin=") && cookie.ends_with("; Secure"), "{cookie}");
    let text = asked.json()["challenge"].as_str().unwrap().to_owned();
    assert!(text.contains("\nURI: https://myapp.example\n"), "{text}");
    let reply = browser.send("POST", "/signin", &[host, ("Origin", &site)], &sign(&alice, &text));
    assert_eq!((reply.status, reply.header("set-cookie").ends_with("; Max-Age=86400; Secure")), (200, true));
    let plain = browser.send("POST", "/signout", &[host, ("Origin", "http://myapp.example")], "");
    assert_eq!(plain.failed(), (403, "cross-site".into()));
}
