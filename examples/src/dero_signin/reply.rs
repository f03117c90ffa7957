//! What the server says: refusals, and the checks one by one.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use symbolon_dero::{
    AddressError, SignatureError,
    challenge::CheckError,
    signin::{BeginError, Check, IssueError, SignInError},
};

/// A request that got nowhere, with what to do about it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) text: String,
    pub(super) what_to_do: String,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        text: impl ToString,
        what_to_do: impl Into<String>,
    ) -> Self {
        Self { status, code, text: text.to_string(), what_to_do: what_to_do.into() }
    }

    /// There is no room for what was asked.
    pub(super) fn busy(code: &'static str, text: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, text, "Wait a few minutes and try again.")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, code, text, what_to_do } = self;
        (status, Json(json!({ "failed": code, "text": text, "what_to_do": what_to_do }))).into_response()
    }
}

impl From<AddressError> for Refusal {
    fn from(error: AddressError) -> Self {
        let what_to_do = match error {
            AddressError::Kind => "Use the wallet's plain address, which begins with dero1 or deto1.",
            AddressError::Checksum => "A character was lost or changed: copy the address again from the wallet.",
            _ => "Copy the whole address from the wallet; it begins with dero1 (deto1 on the testnet).",
        };
        Self::new(StatusCode::BAD_REQUEST, error.code(), error, what_to_do)
    }
}

impl From<BeginError<IssueError>> for Refusal {
    fn from(error: BeginError<IssueError>) -> Self {
        match error {
            BeginError::Challenge(error) => {
                let what_to_do = "Use an account of the network that this server is for.";
                Self::new(StatusCode::BAD_REQUEST, error.code(), error, what_to_do)
            }
            BeginError::Store(IssueError::Full) => Self::busy("full", &IssueError::Full.to_string()),
            _ => Self::busy("unavailable", &error.to_string()),
        }
    }
}

/// Every check in its order, with `null` for those that were not reached.
pub(super) fn checks(failed: Option<&SignInError<IssueError>>) -> Vec<Value> {
    let failed = failed.map(SignInError::check);
    let passed = |check: Check| match failed {
        None => Some(true),
        // the store failed: nothing is known of any check
        Some(None) => None,
        Some(Some(failed)) if check == failed => Some(false),
        Some(Some(failed)) => (check < failed).then_some(true),
    };
    Check::ALL.iter().map(|check| json!({ "check": check.to_string(), "passed": passed(*check) })).collect()
}

/// The answer to a sign-in that failed.
pub(super) fn failed(error: &SignInError<IssueError>) -> Value {
    json!({
        "failed": error.code(),
        "text": error.to_string(),
        "what_to_do": what_to_do(error),
        "checks": checks(Some(error)),
    })
}

const NEW_CHALLENGE: &str = "Ask for a new challenge, sign it, and bring it back before it ends.";

fn what_to_do(error: &SignInError<IssueError>) -> &'static str {
    match error {
        SignInError::Signature(SignatureError::Mismatch) => {
            "Text or signature were changed on the way: copy the wallet's output again, or sign the challenge again."
        }
        SignInError::Signature(SignatureError::EmptyMessage) => {
            "This is a signature of nothing or of a file. Have the wallet sign the challenge as a message."
        }
        SignInError::Signature(SignatureError::Address(_)) => {
            "The wallet's output was changed, or its address stands for no account: copy it again."
        }
        SignInError::Signature(SignatureError::TooLong) => "A signed challenge is far shorter: paste that alone.",
        SignInError::Signature(_) => {
            "Paste all that the wallet printed, from the line with BEGIN to the line with END, and nothing else."
        }
        SignInError::Read(_) => {
            "The wallet signed something else. Have it sign exactly the challenge, without a line break at the end."
        }
        SignInError::OtherSession | SignInError::Misdirected => {
            "Finish in the browser that asked for the challenge, and let it keep cookies. If you did not ask for this \
             yourself, somebody else wants to be signed in as you: stop."
        }
        SignInError::Check(CheckError::DomainMismatch | CheckError::UriMismatch) => {
            "The signed text is for another site. Sign only texts of sites that you see in the address bar."
        }
        SignInError::Check(CheckError::ChainIdMismatch | CheckError::NetworkMismatch) => {
            "Use a wallet of the network that this server is for."
        }
        SignInError::Check(CheckError::AddressMismatch) => {
            "Sign with the account whose address you entered, or ask for a challenge for the account that signs."
        }
        SignInError::Check(CheckError::Lifetime) => {
            "The wallet's text lives longer than this server allows: paste a challenge instead."
        }
        SignInError::Check(CheckError::IssuedInFuture) => {
            "Set the clock of the machine with the wallet, then try again."
        }
        SignInError::NotIssued => "Sign the challenge as it stands, without any change, or ask for a new one.",
        SignInError::Store(_) => "Wait a few minutes and try again.",
        _ => NEW_CHALLENGE,
    }
}
