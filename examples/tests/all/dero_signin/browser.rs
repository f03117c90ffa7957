//! A server on a free port, browsers that keep a cookie, and keys.

use serde_json::{Value, json};
use std::{
    io::{self, Write},
    sync::mpsc,
    thread,
    time::Duration,
};
use symbolon::SysRng;
use symbolon_dero::{Address, Network, SecretKey};
use symbolon_examples::dero_signin::run;

/// What the program prints, line by line.
struct Lines(mpsc::Sender<String>, Vec<u8>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.extend_from_slice(bytes);
        while let Some(end) = self.1.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.1.drain(..=end).collect();
            let _ = self.0.send(String::from_utf8(line).unwrap());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts the program on a free port; it runs as long as the test. Gives the URL.
pub(super) fn server(options: &[&str]) -> String {
    server_at(options).1
}

/// Where it listens, and the URL.
pub(super) fn server_at(options: &[&str]) -> (String, String) {
    let (lines, printed) = mpsc::channel();
    let arguments: Vec<String> =
        ["--listen", "127.0.0.1:0"].iter().chain(options).map(|text| (*text).to_owned()).collect();
    thread::spawn(move || run(arguments, &mut Lines(lines.clone(), Vec::new()), &mut Lines(lines, Vec::new())));
    let line = printed.recv_timeout(Duration::from_secs(20)).unwrap();
    let (at, url) = line.trim_end().rsplit_once(": open ").unwrap_or_else(|| panic!("{line}"));
    (at.rsplit_once(' ').unwrap().1.to_owned(), url.to_owned())
}

pub(super) struct Reply {
    pub(super) status: u16,
    headers: ureq::http::HeaderMap,
    pub(super) text: String,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {}", self.status, self.text))
    }

    /// The code of what failed, with the status.
    pub(super) fn failed(&self) -> (u16, String) {
        (self.status, self.json()["failed"].as_str().unwrap_or_else(|| panic!("{}", self.text)).to_owned())
    }
}

/// A browser with one site's cookie.
#[derive(Clone)]
pub(super) struct Browser {
    agent: ureq::Agent,
    site: String,
    pub(super) cookie: Option<String>,
}

impl Browser {
    pub(super) fn new(site: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0);
        Self { agent: config.build().new_agent(), site: site.into(), cookie: None }
    }

    pub(super) fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.site));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", cookie);
        }
        let mut response = self.agent.run(request.body(body).unwrap()).unwrap();
        if let Some(set) = response.headers().get("set-cookie") {
            let set = set.to_str().unwrap();
            assert!(set.contains("; Path=/; HttpOnly; SameSite=Lax"), "{set}");
            let pair = set.split_once(';').unwrap().0;
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
        let text = response.body_mut().read_to_string().unwrap();
        Reply { status: response.status().as_u16(), headers: response.headers().clone(), text }
    }

    pub(super) fn get(&mut self, path: &str) -> Reply {
        let mut request = self.agent.get(format!("{}{path}", self.site));
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", cookie);
        }
        let mut response = request.call().unwrap();
        if let Some(set) = response.headers().get("set-cookie") {
            self.cookie = Some(set.to_str().unwrap().split_once(';').unwrap().0.to_owned());
        }
        let text = response.body_mut().read_to_string().unwrap();
        Reply { status: response.status().as_u16(), headers: response.headers().clone(), text }
    }

    pub(super) fn post(&mut self, path: &str, kind: &str, body: &str) -> Reply {
        // as browsers do
        let origin = self.site.clone();
        self.send("POST", path, &[("Content-Type", kind), ("Origin", &origin), ("Sec-Fetch-Site", "same-origin")], body)
    }

    pub(super) fn ask(&mut self, address: &Address) -> Reply {
        self.post("/challenge", "application/json", &json!({ "address": address.to_string() }).to_string())
    }

    pub(super) fn challenge(&mut self, key: &SecretKey) -> String {
        let reply = self.ask(&mainnet(key));
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["challenge"].as_str().unwrap().into()
    }

    pub(super) fn sign_in(&mut self, pem: &str) -> Reply {
        self.post("/signin", "text/plain", pem)
    }

    pub(super) fn signed_in_as(&mut self) -> Option<String> {
        let reply = self.get("/session");
        match (reply.status, &reply.json()["signed_in"]) {
            (200, Value::Bool(true)) => Some(reply.json()["address"].as_str().unwrap().into()),
            (401, Value::Bool(false)) => None,
            other => panic!("{other:?}"),
        }
    }
}

pub(super) fn key(seed: u8) -> SecretKey {
    SecretKey::from_bytes(&[seed; 32]).unwrap()
}

pub(super) fn mainnet(key: &SecretKey) -> Address {
    Address::new(Network::Mainnet, *key.public())
}

pub(super) fn sign(key: &SecretKey, text: &str) -> String {
    key.sign(Network::Mainnet, text, &mut SysRng).unwrap().to_pem()
}
