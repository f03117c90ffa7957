//! The web server: routes, cookies, and what every request has to pass.

use super::{
    Failure,
    reply::{self, Refusal},
    state::{Browser, Memory, SESSION_LIFETIME, Secret, now},
};
use crate::{BadInput, is_object};
use axum::{
    Json, Router,
    body::{Bytes, to_bytes},
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{io::Write, net::SocketAddr, sync::Arc, time::Duration};
use symbolon::SysRng;
use symbolon_dero::{
    Address, SecretKey,
    challenge::{ChainId, Scheme},
    pem_from_base64,
    signin::{MAX_PEM, MemoryAttempts, SignIn},
};

/// A signed challenge in base64, inside JSON.
const MAX_BODY: usize = MAX_PEM.div_ceil(3) * 4 + 1024;
/// How far a wallet's clock may be from the server's.
const MAX_SKEW: Duration = Duration::from_secs(60);
/// Where HOLOGRAM waits for a browser that comes to sign in.
const WALLET_PAGE: &str = "http://localhost:44326/auth";

/// From the command line.
pub(super) struct Options {
    pub(super) listen: SocketAddr,
    pub(super) domain: Option<String>,
    pub(super) statement: Option<String>,
    pub(super) secure: bool,
    pub(super) chain_id: ChainId,
    pub(super) lifetime: Duration,
}

struct Site {
    memory: Memory,
    /// Scheme and domain, as browsers write an origin.
    origin: String,
    secure: bool,
}

type Shared = State<Arc<Site>>;

/// Serves until the process ends.
pub(super) fn serve(options: &Options, out: &mut impl Write, err: &mut impl Write) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listen = options.listen;
        let listener = tokio::net::TcpListener::bind(listen)
            .await
            .map_err(|e| BadInput::new(format!("cannot listen on {listen}: {e}: choose another --listen")))?;
        let at = listener.local_addr()?;
        let site = Site::new(options, at.port())?;
        if !options.secure && !at.ip().is_loopback() {
            writeln!(
                err,
                "dero-signin: plain HTTP beyond this machine: cookies can be read on the way, use a proxy and --secure"
            )?;
        }
        writeln!(out, "{} on {at}: open {}", options.chain_id, site.origin)?;
        out.flush()?;
        axum::serve(listener, site.router()).await?;
        Ok(())
    })
}

impl Site {
    fn new(options: &Options, port: u16) -> Result<Self, BadInput> {
        let Options { domain, statement, secure, chain_id, lifetime, .. } = options;
        let (scheme, name, default_port) =
            if *secure { (Scheme::Https, "https", ":443") } else { (Scheme::Http, "http", ":80") };
        let domain = match domain {
            Some(domain) if domain.ends_with(default_port) => {
                let without = domain.trim_end_matches(default_port);
                return Err(BadInput::new(format!(
                    "browsers leave {default_port} out of {name}: use --domain {without}"
                )));
            }
            Some(domain) => domain.clone(),
            None if port == 80 => "localhost".into(),
            None => format!("localhost:{port}"),
        };
        let origin = format!("{name}://{domain}");
        let sign_in = SignIn {
            statement: Some(statement.clone().unwrap_or_else(|| format!("Sign in to {domain}"))),
            uri: origin.clone(),
            domain,
            schemes: vec![scheme],
            chain_id: *chain_id,
            lifetime: *lifetime,
            max_skew: MAX_SKEW,
        };
        // before anybody asks for one: whether these make a challenge at all
        let key = SecretKey::from_bytes(&[1; 32]).ok_or_else(|| BadInput::new("no key to try a challenge with"))?;
        let anybody = Address::new(chain_id.network(), *key.public());
        let nobody = Secret::new([0; 32]).browser().into();
        sign_in.begin(anybody, nobody, now(), &mut MemoryAttempts::new(1), &mut SysRng).map_err(|e| {
            BadInput::new(format!(
                "{e}: --domain is like myapp.com or localhost:3002, --statement one line that is not empty"
            ))
        })?;
        Ok(Self { memory: Memory::new(sign_in), origin, secure: *secure })
    }

    fn router(self) -> Router {
        let site = Arc::new(self);
        let file = |kind: &'static str, text: &'static str| get(async move || ([(header::CONTENT_TYPE, kind)], text));
        Router::new()
            .route("/", get(page))
            .route("/page.js", file("text/javascript; charset=utf-8", include_str!("page.js")))
            .route("/page.css", file("text/css; charset=utf-8", include_str!("page.css")))
            .route("/about", get(about))
            .route("/challenge", post(challenge))
            .route("/signin", post(sign_in))
            .route("/redirect", post(redirect))
            // a GET that changes something: what only looks (HEAD) must not
            .route("/callback", get(callback).head(async || StatusCode::METHOD_NOT_ALLOWED))
            .route("/outcome", post(outcome))
            .route("/session", get(session))
            .route("/signout", post(sign_out))
            .layer(middleware::from_fn_with_state(Arc::clone(&site), guard))
            .with_state(site)
    }

    /// Whether a request is for this site, and from its own pages where it changes something.
    fn admit(&self, request: &Parts) -> Result<(), Refusal> {
        let header = |name: HeaderName| request.headers.get(name).map(HeaderValue::as_bytes);
        let domain = &self.memory.sign_in().domain;
        if header(header::HOST) != Some(domain.as_bytes()) {
            let text = format!("this server is {domain}, by no other name");
            let what_to_do = format!("Open {} instead.", self.origin);
            return Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, "host", text, what_to_do));
        }
        if matches!(request.method, Method::GET | Method::HEAD) {
            return Ok(());
        }
        // both are sent by browsers and can't be set by pages; a program that is no browser has neither
        let own_origin = header(header::ORIGIN).is_none_or(|origin| origin == self.origin.as_bytes());
        let own_page = header(HeaderName::from_static("sec-fetch-site")).is_none_or(|from| from == b"same-origin");
        if own_origin && own_page {
            return Ok(());
        }
        let what_to_do = format!("Use the page at {}.", self.origin);
        Err(Refusal::new(StatusCode::FORBIDDEN, "cross-site", "the request comes from another site's page", what_to_do))
    }

    /// With the prefix, no other site of the domain can set it, and none without TLS.
    const fn cookie_name(&self) -> &'static str {
        if self.secure { "__Host-dero-signin" } else { "dero-signin" }
    }

    /// `Lax`, since the browser comes back from the wallet's page with a navigation, for which `Strict` would hold the
    /// cookie back.
    fn set_cookie(&self, value: &str, age: Option<Duration>) -> Result<HeaderValue, Refusal> {
        let age = age.map(|age| format!("; Max-Age={}", age.as_secs())).unwrap_or_default();
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax{age}{secure}", self.cookie_name());
        HeaderValue::from_str(&cookie).map_err(|_| Refusal::busy("unavailable", "no cookie"))
    }

    fn give(&self, secret: &Secret, age: Option<Duration>) -> Result<HeaderValue, Refusal> {
        self.set_cookie(&BASE64_URL_SAFE_NO_PAD.encode(secret.as_bytes()), age)
    }

    /// Whom the cookie names. A value that this server can't have made, or two of them, is none.
    fn browser(&self, headers: &HeaderMap) -> Option<Browser> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == self.cookie_name()).map(|(_, value)| value);
        let (value, None) = (values.next()?, values.next()) else { return None };
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
        Some(Secret::new(bytes.try_into().ok()?).browser())
    }

    /// The same, or a new one with the cookie to set.
    fn browser_or_new(&self, headers: &HeaderMap) -> Result<(Browser, Option<HeaderValue>), Refusal> {
        if let Some(browser) = self.browser(headers) {
            return Ok((browser, None));
        }
        let secret = Secret::fresh()?;
        Ok((secret.browser(), Some(self.give(&secret, None)?)))
    }
}

/// The page's own files, and wallets on the visitor's machine.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self' ws://localhost:44326; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What every request passes, and every answer gets.
async fn guard(State(site): Shared, request: Request, next: Next) -> Response {
    // read whatever comes of it: an answer before the end of a body would leave the connection in between
    let (parts, body) = request.into_parts();
    let mut response = match to_bytes(body, MAX_BODY).await {
        Err(_) => {
            let what_to_do = format!("Send at most {MAX_BODY} bytes: a signed challenge is far shorter.");
            let refusal = Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "body", "the body is too long", what_to_do);
            ([(header::CONNECTION, "close")], refusal).into_response()
        }
        Ok(body) => match site.admit(&parts) {
            Ok(()) => next.run(Request::from_parts(parts, body.into())).await,
            Err(refusal) => refusal.into_response(),
        },
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// An answer, with a cookie where the browser needs one.
fn with_cookie(cookie: Option<HeaderValue>, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

async fn page(State(site): Shared, headers: HeaderMap) -> Result<Response, Refusal> {
    let (_, cookie) = site.browser_or_new(&headers)?;
    let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    Ok(with_cookie(cookie, (html, include_str!("page.html"))))
}

/// What the page shows before anything happens.
async fn about(State(site): Shared) -> Json<Value> {
    let SignIn { domain, chain_id, .. } = site.memory.sign_in();
    let app = Sha256::new().chain_update("dero-signin ").chain_update(&site.origin).finalize();
    Json(json!({
        "domain": domain,
        "chain_id": chain_id.to_string(),
        "redirect": *chain_id == ChainId::Mainnet,
        "xswd": {
            "id": alloy_primitives::hex::encode(app),
            "name": domain,
            "description": "Signs in with a message. Nothing is paid.",
            "url": site.origin,
        },
        "checks": symbolon_dero::signin::Check::ALL.iter().map(ToString::to_string).collect::<Vec<_>>(),
    }))
}

/// serde takes arrays for structs too.
fn object<'a, T: Deserialize<'a>>(body: &'a [u8], form: &str) -> Result<T, Refusal> {
    let refusal = |why: &str| Refusal::new(StatusCode::BAD_REQUEST, "json", why, format!("Send {form}."));
    let text = str::from_utf8(body).map_err(|_| refusal("the body is not UTF-8"))?;
    if !is_object(text) {
        return Err(refusal("the body is no JSON object"));
    }
    serde_json::from_str(text).map_err(|e| refusal(&e.to_string()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    address: String,
}

async fn challenge(State(site): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let ask: Ask = object(&body, r#"{"address": "dero1..."}"#)?;
    let (browser, cookie) = site.browser_or_new(&headers)?;
    let challenge = site.memory.begin(Address::parse(ask.address.trim())?, browser)?;
    let text = challenge.to_string();
    let answer = json!({
        "challenge": text,
        "challenge_base64": BASE64_STANDARD.encode(&text),
        "nonce": challenge.nonce(),
        "expires": challenge.expiration_time().to_string(),
    });
    Ok(with_cookie(cookie, Json(answer)))
}

/// What XSWD's `SignData` returns.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignData {
    signature: String,
}

async fn sign_in(State(site): Shared, headers: HeaderMap, body: Bytes) -> Result<Response, Refusal> {
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let pem = if kind.starts_with(b"application/json") {
        let result: SignData = object(&body, r#"{"signature": "base64 of the signed message"}"#)?;
        pem_from_base64(result.signature.as_bytes(), MAX_PEM)
    } else {
        Ok(body.to_vec())
    };
    let (browser, _) = site.browser_or_new(&headers)?;
    match site.memory.finish(pem, browser)? {
        Ok((secret, session)) => {
            Ok(with_cookie(Some(site.give(&secret, Some(SESSION_LIFETIME))?), Json(session.signed_in())))
        }
        Err(error) => Ok((StatusCode::UNAUTHORIZED, Json(reply::failed(&error))).into_response()),
    }
}

async fn redirect(State(site): Shared, headers: HeaderMap) -> Result<Response, Refusal> {
    if site.memory.sign_in().chain_id != ChainId::Mainnet {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "redirect-mainnet",
            "HOLOGRAM's own texts always name the mainnet",
            "Ask for a challenge instead.",
        ));
    }
    let (browser, cookie) = site.browser_or_new(&headers)?;
    let nonce = site.memory.begin_redirect(browser)?;
    let callback = format!("{}/callback", site.origin);
    let parameters = [("callback", &callback), ("nonce", &nonce), ("domain", &site.memory.sign_in().domain)];
    let parameters = parameters.map(|(name, value)| format!("{name}={}", percent_encoded(value)));
    let answer = json!({ "nonce": nonce, "url": format!("{WALLET_PAGE}?{}", parameters.join("&")) });
    Ok(with_cookie(cookie, Json(answer)))
}

fn percent_encoded(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    });
    encoded.collect()
}

/// What the wallet's page brings. The nonce that counts is the one that was signed.
#[derive(Deserialize)]
struct Callback {
    signature: String,
}

/// The way back from the wallet. It ends at a clean address, so that signature and nonce stay in no address bar and no
/// history.
async fn callback(
    State(site): Shared,
    headers: HeaderMap,
    query: Result<Query<Callback>, QueryRejection>,
) -> Result<Response, Refusal> {
    let known = site.browser(&headers);
    let end = match query {
        Ok(Query(Callback { signature })) => {
            let (browser, _) = site.browser_or_new(&headers)?;
            site.memory.finish(Ok(signature.into_bytes()), browser)?.map_err(|error| reply::failed(&error))
        }
        Err(_) => Err(json!({
            "failed": "callback",
            "text": "the wallet brought no signature",
            "what_to_do": "Approve the request in the wallet, or paste a signed challenge instead.",
            "checks": [],
        })),
    };
    let cookie = match end {
        Ok((secret, session)) => {
            site.memory.keep_end(secret.browser(), session.signed_in());
            Some(site.give(&secret, Some(SESSION_LIFETIME))?)
        }
        Err(failed) => {
            if let Some(browser) = known {
                site.memory.keep_end(browser, failed);
            }
            None
        }
    };
    Ok(with_cookie(cookie, Redirect::to("/")))
}

/// How the last redirect ended, told once.
async fn outcome(State(site): Shared, headers: HeaderMap) -> Response {
    match site.browser(&headers).and_then(|browser| site.memory.take_end(browser)) {
        Some(end) => Json(end).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn session(State(site): Shared, headers: HeaderMap) -> Response {
    match site.browser(&headers).and_then(|browser| site.memory.session(browser)) {
        Some(session) => Json(session.who()).into_response(),
        None => (StatusCode::UNAUTHORIZED, Json(json!({ "signed_in": false }))).into_response(),
    }
}

async fn sign_out(State(site): Shared, headers: HeaderMap) -> Result<Response, Refusal> {
    if let Some(browser) = site.browser(&headers) {
        site.memory.sign_out(browser);
    }
    let gone = site.set_cookie("", Some(Duration::ZERO))?;
    Ok(with_cookie(Some(gone), Json(json!({ "signed_in": false }))))
}
