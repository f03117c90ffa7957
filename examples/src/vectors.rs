//! The `vectors` example: test vectors of DERO sign-in from a file, and what the library says of each.
//!
//! A file is read as a whole first: what it lacks is found before anything is printed.

use crate::BadInput;
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsString,
    fmt::Write as _,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use symbolon_dero::{
    Address, Network, SignedMessage,
    challenge::{ChainId, Challenge, Expected, Scheme},
};

/// How to call it.
pub const USAGE: &str = "\
Runs test vectors of DERO sign-in through the library: one JSON object a line for each vector, then a line of sums.

usage: vectors KIND FILE

  KIND  what FILE holds: dero-signatures, dero-addresses or dero-challenges
  FILE  JSON with a list `vectors`, as in crates/symbolon-dero/testdata

Exit status: 0 all as the file says, 1 some differ (named on standard error), 2 the arguments or the file can't be used.
";

/// No file of vectors is larger; one that never ends is refused.
const MAX_FILE: u64 = 16 << 20;
/// No message made by a recipe is longer.
const MAX_MESSAGE: u64 = 16 << 20;
/// And no text around one.
const MAX_PEM: usize = 32 << 20;

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the three files")]
pub enum Kind {
    /// Signed messages.
    Signatures,
    /// Addresses.
    Addresses,
    /// Sign-in challenges.
    Challenges,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Signatures, Self::Addresses, Self::Challenges];

    const fn name(self) -> &'static str {
        match self {
            Self::Signatures => "dero-signatures",
            Self::Addresses => "dero-addresses",
            Self::Challenges => "dero-challenges",
        }
    }

    fn judge(self, vector: &Fields<'_>) -> Result<Judged, BadInput> {
        match self {
            Self::Signatures => signature(vector),
            Self::Addresses => address(vector),
            Self::Challenges => challenge(vector),
        }
    }
}

/// What to do.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "a file, or help")]
pub enum Command {
    /// Print [`USAGE`].
    Help,
    /// Judge the vectors of a file.
    Judge(Kind, PathBuf),
}

/// The program. Gives the exit status: 0 all as the file says, 1 some differ, 2 bad input; what is wrong goes to `err`.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString>>, out: &mut impl Write, err: &mut impl Write) -> u8 {
    let judged = match parse(arguments) {
        Err(bad) => Err(format!("{bad}; try --help")),
        Ok(Command::Help) => return u8::from(out.write_all(USAGE.as_bytes()).is_err()),
        Ok(Command::Judge(kind, path)) => {
            judge(kind, &path).map_err(|bad| format!("cannot use {}: {bad}", path.display()))
        }
    };
    let judged = match judged {
        Ok(judged) => judged,
        Err(line) => {
            // with nowhere to say it, the exit status remains
            let _ = writeln!(err, "vectors: {line}");
            return 2;
        }
    };
    let failed = judged.iter().filter(|vector| vector.failed()).count();
    match report(&judged, failed, out, err) {
        Ok(()) => u8::from(failed > 0),
        Err(why) => {
            let _ = writeln!(err, "vectors: {why}");
            1
        }
    }
}

fn report(judged: &[Judged], failed: usize, out: &mut impl Write, err: &mut impl Write) -> io::Result<()> {
    for vector in judged {
        writeln!(out, "{}", serde_json::to_string(&vector.line)?)?;
        for difference in &vector.differences {
            writeln!(err, "vectors: {:?}: {difference}", vector.line.name)?;
        }
        if let Some(hint) = &vector.hint {
            writeln!(err, "vectors: {:?}: not counted: {hint}", vector.line.name)?;
        }
    }
    writeln!(out, "{} passed, {failed} failed", judged.len() - failed)
}

/// Reads the arguments, without the program's name.
///
/// # Errors
/// [`BadInput`].
pub fn parse(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Result<Command, BadInput> {
    use lexopt::prelude::{Long, Short, Value, ValueExt};
    let usage = |e: lexopt::Error| BadInput::new(e);
    let (mut kind, mut path) = (None, None);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(usage)? {
        match argument {
            Value(text) if kind.is_none() => {
                let text = text.string().map_err(usage)?;
                let known = Kind::ALL.into_iter().find(|kind| kind.name() == text);
                let unknown =
                    || format!("unknown kind {text:?}: use dero-signatures, dero-addresses or dero-challenges");
                kind = Some(known.ok_or_else(|| BadInput::new(unknown()))?);
            }
            Value(text) if path.is_none() => path = Some(PathBuf::from(text)),
            Long("help") | Short('h') => return Ok(Command::Help),
            other => return Err(usage(other.unexpected())),
        }
    }
    match (kind, path) {
        (Some(kind), Some(path)) => Ok(Command::Judge(kind, path)),
        _ => Err(BadInput::new("give the kind of the vectors and the file that holds them")),
    }
}

fn judge(kind: Kind, path: &Path) -> Result<Vec<Judged>, BadInput> {
    let file = read(path)?;
    let name = kind.name();
    let whole = |why: String| BadInput::new(format!("{why}; see that it holds {name} and is complete"));
    let file: Value = serde_json::from_slice(&file).map_err(|why| whole(format!("it is not JSON: {why}")))?;
    let vectors = file.get("vectors").and_then(Value::as_array);
    let vectors = vectors.ok_or_else(|| whole("it has no list `vectors`".into()))?;
    if vectors.is_empty() {
        return Err(whole("it has no vectors".into()));
    }
    let judged = vectors.iter().enumerate().map(|(i, vector)| Fields::new(i, vector).and_then(|v| kind.judge(&v)));
    judged.collect::<Result<_, _>>().map_err(|why: BadInput| whole(why.to_string()))
}

fn read(path: &Path) -> Result<Vec<u8>, BadInput> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut bytes));
    match read {
        Err(why) => Err(BadInput::new(format!("{why}; give the path of a file that can be read"))),
        Ok(_) if u64::try_from(bytes.len()).is_ok_and(|len| len > MAX_FILE) => {
            Err(BadInput::new("it is larger than 16 MiB, which no file of vectors is; give another one"))
        }
        Ok(_) => Ok(bytes),
    }
}

/// What the library says of a vector, and how that differs from what the file says.
struct Judged {
    line: Line,
    differences: Vec<String>,
    /// Another reason than the file's, which calls it a hint.
    hint: Option<String>,
}

impl Judged {
    fn new(vector: &Fields<'_>, result: &str, reason: Option<&'static str>) -> Result<Self, BadInput> {
        let line = Line {
            name: vector.text("name")?.into(),
            result: result.into(),
            reason,
            signer: None,
            message_base64: None,
        };
        Ok(Self { line, differences: Vec::new(), hint: None })
    }

    fn failed(&self) -> bool {
        !self.differences.is_empty()
    }

    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, ours: T, theirs: T) {
        if ours != theirs {
            self.differences.push(format!("{what} is {ours:?}, the file says {theirs:?}"));
        }
    }
}

/// As it is printed.
#[derive(Serialize)]
struct Line {
    name: String,
    result: String,
    reason: Option<&'static str>,
    #[serde(flatten)]
    signer: Option<Account>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_base64: Option<String>,
}

#[derive(Serialize, PartialEq, Debug)]
struct Account {
    address: String,
    network: String,
    public_key: String,
}

impl Account {
    fn of(address: &Address) -> Self {
        let network = match address.network() {
            Network::Mainnet => "mainnet",
            Network::Testnet => "testnet",
        };
        Self { address: address.to_string(), network: network.into(), public_key: hex(&address.key().to_bytes()) }
    }

    fn read(fields: &Fields<'_>) -> Result<Self, BadInput> {
        let text = |name| fields.text(name).map(Into::into);
        Ok(Self { address: text("address")?, network: text("network")?, public_key: text("public_key")? })
    }
}

/// `valid` or `invalid`, compared with the file's `strict`; a valid one's account is compared with that of `expected`.
fn account(
    vector: &Fields<'_>,
    outcome: Result<&Address, &'static str>,
    expected: impl FnOnce() -> Result<Account, BadInput>,
) -> Result<Judged, BadInput> {
    let result = if outcome.is_ok() { "valid" } else { "invalid" };
    let strict = vector.text("strict")?;
    if !["valid", "invalid"].contains(&strict) {
        return Err(vector.lacks("strict", "`valid` or `invalid`"));
    }
    // read also where we say otherwise: a vector that lacks it is no vector
    let expected = if strict == "valid" { Some(expected()?) } else { None };
    let mut judged = Judged::new(vector, result, outcome.err())?;
    judged.compare("result", result, strict);
    if let Ok(address) = outcome {
        let ours = Account::of(address);
        if let Some(expected) = expected {
            judged.compare("address", &ours.address, &expected.address);
            judged.compare("network", &ours.network, &expected.network);
            judged.compare("public_key", &ours.public_key, &expected.public_key);
        }
        judged.line.signer = Some(ours);
    }
    let theirs = vector.object.get("strict_reason").and_then(Value::as_str);
    if let (Err(ours), Some(theirs)) = (outcome, theirs)
        && ours != theirs
    {
        judged.hint = Some(format!("reason is {ours}, the file says {theirs}"));
    }
    Ok(judged)
}

fn address(vector: &Fields<'_>) -> Result<Judged, BadInput> {
    let read = Address::parse(vector.text("address")?);
    account(vector, read.as_ref().map_err(|why| why.code()), || Account::read(vector))
}

fn signature(vector: &Fields<'_>) -> Result<Judged, BadInput> {
    let pem =
        if vector.is_null("pem_base64") { layout(vector, &made(vector)?)? } else { vector.base64("pem_base64")? };
    let read = SignedMessage::parse(&pem, MAX_PEM).and_then(SignedMessage::verify_any);
    let outcome = read.as_ref().map(|verified| verified.address()).map_err(|why| why.code());
    let mut judged = account(vector, outcome, || Account::read(&vector.fields("signer")?))?;
    if vector.text("strict")? == "valid" {
        let theirs = if vector.is_null("message_base64") { made(vector)? } else { vector.base64("message_base64")? };
        if let Ok(verified) = &read
            && verified.message() != theirs
        {
            judged.differences.push("the message is another one than the file's".into());
        }
    }
    judged.line.message_base64 = read.ok().map(|verified| BASE64_STANDARD.encode(verified.message()));
    Ok(judged)
}

/// A message that is given by its recipe.
fn made(vector: &Fields<'_>) -> Result<Vec<u8>, BadInput> {
    let recipe = vector.fields("message_recipe")?;
    let (mul, add, length) = (recipe.number("mul")?, recipe.number("add")?, recipe.number("length")?);
    if recipe.text("kind")? != "affine-bytes" {
        return Err(recipe.lacks("kind", "`affine-bytes`"));
    }
    if length > MAX_MESSAGE {
        return Err(recipe.lacks("length", "a number up to 2^24"));
    }
    // 256 divides 2^64, so that wrapping changes nothing
    let byte = |i: u64| mul.wrapping_mul(i).wrapping_add(add).to_le_bytes()[0];
    let message: Vec<u8> = (0..length).map(byte).collect();
    vector.hash("message_sha256", &message)?;
    Ok(message)
}

/// The text of a signed message as the wallet prints it; independent of the library's own printing.
fn layout(vector: &Fields<'_>, message: &[u8]) -> Result<Vec<u8>, BadInput> {
    let mut pem = String::from("-----BEGIN DERO SIGNED MESSAGE-----\n");
    for (name, field) in [("Address", "address"), ("C", "c"), ("S", "s")] {
        let _ = writeln!(pem, "{name}: {}", vector.text(field)?);
    }
    pem.push('\n');
    // 48 bytes are the 64 characters of a line
    for line in message.chunks(48) {
        BASE64_STANDARD.encode_string(line, &mut pem);
        pem.push('\n');
    }
    pem.push_str("-----END DERO SIGNED MESSAGE-----\n");
    vector.hash("pem_sha256", pem.as_bytes())?;
    Ok(pem.into())
}

fn challenge(vector: &Fields<'_>) -> Result<Judged, BadInput> {
    let text = vector.base64("text_base64")?;
    let context = vector.fields("context")?;
    let seconds = |name| context.number(name).map(Duration::from_secs);
    let schemes = context.object.get("schemes").and_then(Value::as_array);
    let scheme = |value: &Value| match value.as_str() {
        Some("http") => Some(Scheme::Http),
        Some("https") => Some(Scheme::Https),
        _ => None,
    };
    let schemes: Option<Vec<Scheme>> = schemes.and_then(|schemes| schemes.iter().map(scheme).collect());
    let expected = Expected {
        domain: context.text("domain")?,
        schemes: &schemes.ok_or_else(|| context.lacks("schemes", "a list of `http` and `https`"))?,
        chain_id: ChainId::parse(context.text("chain_id")?).ok_or_else(|| context.lacks("chain_id", "a chain id"))?,
        signer: (context.text("signer_address")?.parse())
            .map_err(|_| context.lacks("signer_address", "the address of an account"))?,
        nonce: context.text("nonce")?,
        now: seconds("now")?,
        max_skew: seconds("max_skew_s")?,
        max_lifetime: seconds("max_lifetime_s")?,
    };
    let read = Challenge::parse(&text);
    let reason = match &read {
        Err(why) => Some(why.code()),
        Ok(read) => read.check(&expected).err().map(|why| why.code()),
    };
    let result = reason.unwrap_or("ok");
    let mut judged = Judged::new(vector, result, reason)?;
    judged.compare("result", result, vector.text("result")?);
    if let (Ok(read), None, Some(theirs)) = (&read, reason, vector.object.get("parsed")) {
        judged.compare("what was read", &fields(read), theirs);
    }
    Ok(judged)
}

/// As the file's `parsed`.
fn fields(challenge: &Challenge) -> Value {
    serde_json::json!({
        "domain": challenge.domain(),
        "address": challenge.address().to_string(),
        "statement": challenge.statement(),
        "uri": challenge.uri(),
        "version": challenge.version(),
        "chain_id": challenge.chain_id().to_string(),
        "nonce": challenge.nonce(),
        "issued_at": challenge.issued_at().to_string(),
        "expiration_time": challenge.expiration_time().to_string(),
    })
}

/// The fields of a vector, or of an object in one. Unknown ones are no error; missing ones are, with the vector's name.
struct Fields<'a> {
    place: String,
    object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    fn new(index: usize, vector: &'a Value) -> Result<Self, BadInput> {
        let place = match vector.get("name").and_then(Value::as_str) {
            Some(name) => format!("vector {name:?}"),
            None => format!("vector number {}", index + 1),
        };
        let object = vector.as_object().ok_or_else(|| BadInput::new(format!("{place} is no object")))?;
        Ok(Self { place, object })
    }

    fn lacks(&self, field: &str, what: &str) -> BadInput {
        let state = if self.object.contains_key(field) { "is not" } else { "is missing, which is" };
        BadInput::new(format!("{}: `{field}` {state} {what}", self.place))
    }

    fn is_null(&self, field: &str) -> bool {
        self.object.get(field).is_some_and(Value::is_null)
    }

    fn fields(&self, field: &str) -> Result<Fields<'a>, BadInput> {
        let object = self.object.get(field).and_then(Value::as_object);
        let object = object.ok_or_else(|| self.lacks(field, "an object"))?;
        Ok(Fields { place: format!("{}, `{field}`", self.place), object })
    }

    fn text(&self, field: &str) -> Result<&'a str, BadInput> {
        self.object.get(field).and_then(Value::as_str).ok_or_else(|| self.lacks(field, "a text"))
    }

    fn number(&self, field: &str) -> Result<u64, BadInput> {
        let number = self.object.get(field).and_then(Value::as_u64);
        number.ok_or_else(|| self.lacks(field, "a whole number that is not negative"))
    }

    fn base64(&self, field: &str) -> Result<Vec<u8>, BadInput> {
        BASE64_STANDARD.decode(self.text(field)?).map_err(|_| self.lacks(field, "base64"))
    }

    fn hash(&self, field: &str, bytes: &[u8]) -> Result<(), BadInput> {
        if hex(&Sha256::digest(bytes)) == self.text(field)? {
            Ok(())
        } else {
            Err(self.lacks(field, "the SHA-256 of what the recipe makes"))
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // writing to a string does not fail
        let _ = write!(text, "{byte:02x}");
        text
    })
}
