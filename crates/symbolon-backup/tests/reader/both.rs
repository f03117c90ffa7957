//! The program and the library, asked the same.

use serde_json::{Value, json};
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};
use symbolon_backup::{
    AttachError, Backed, Backup, EncryptedShare, Expected, Limits, OpenError, Password, Phrase, ReadError, SecretKind,
    SecretStore, Unlock,
};
use symbolon_core::{Ed25519, Group, Secp256k1, SecretBytes};
use symbolon_seal::{DeviceKey, XWingKey};
use symbolon_sharing::{KeyShare, Marks, PairFactor, Scheme};

/// Runs the program's `main` for every line of arguments: a process for each would take longer than all the rest.
const DRIVER: &str = "
import contextlib, io, json, sys
sys.path.insert(0, sys.argv[1])
import read_backup
for line in sys.stdin:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = read_backup.main(json.loads(line))
    print(json.dumps([code, out.getvalue()]), flush=True)
";

pub(crate) fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Without `-B` it would write its cache into the repository.
pub(crate) fn python() -> Command {
    let program = env::var_os("SYMBOLON_PYTHON").unwrap_or_else(|| "python3".into());
    let found = Command::new(&program).args(["-c", "import cryptography, mnemonic"]).output();
    assert!(
        found.is_ok_and(|output| output.status.success()),
        "{} lacks what the reader needs. Make an environment and name it:\n\
         python3 -m venv target/python && target/python/bin/pip install -r docs/readers/requirements.txt\n\
         export SYMBOLON_PYTHON=$PWD/target/python/bin/python",
        program.display()
    );
    let mut command = Command::new(program);
    command.arg("-B");
    command
}

/// What opens a slot, as text for the program.
pub(crate) enum Secret {
    Password(String),
    Phrase(String),
    Device([u8; 32]),
    XWing([u8; 32]),
}

/// What opens, and what is expected.
pub(crate) struct Ask<'a> {
    pub(crate) secret: &'a Secret,
    pub(crate) public_key: &'a [u8],
    pub(crate) epoch: u32,
}

/// The program, waiting for arguments.
pub(crate) struct Reader {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    directory: PathBuf,
}

impl Reader {
    pub(crate) fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reader-{name}"));
        fs::create_dir_all(&directory).unwrap();
        let mut child = python()
            .args(["-c", DRIVER])
            .arg(repository().join("docs/readers"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output, directory }
    }

    fn store(&self, name: &str, content: &[u8]) -> String {
        let path = self.directory.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The same line that [`library`] gives.
    fn run(&mut self, mut arguments: Vec<String>, ask: &Ask<'_>) -> String {
        let (option, content) = match ask.secret {
            Secret::Password(text) => ("--password-file", text.clone()),
            Secret::Phrase(text) => ("--phrase-file", text.clone()),
            Secret::Device(key) => ("--device-key-file", hex::encode(key)),
            Secret::XWing(key) => ("--xwing-key-file", hex::encode(key)),
        };
        let secret = self.store("secret", content.as_bytes());
        let (key, epoch) = (hex::encode(ask.public_key), ask.epoch.to_string());
        let options = ["--secret", "--public-key", &key, "--epoch", &epoch, option, &secret];
        arguments.extend(options.map(str::to_owned));
        writeln!(self.input, "{}", json!(arguments)).unwrap();
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the program has ended: {arguments:?}");
        let answer: Value = serde_json::from_str(&line).unwrap();
        let said = answer[1].as_str().unwrap().trim();
        if answer[0] == 1 {
            return said.to_owned();
        }
        assert_eq!(answer[0], 0);
        let opened: Value = serde_json::from_str(said).unwrap();
        assert_eq!(opened["share_matches"], false, "nobody has said which share is the right one");
        let epoch = opened[if opened["kind"] == "pair factor" { "generation" } else { "epoch" }].as_u64().unwrap();
        let text = |name: &str| opened[name].as_str().unwrap().to_owned();
        let marks: Vec<_> = opened["marks"].as_array().unwrap().iter().map(|mark| mark.as_str().unwrap()).collect();
        let (secret, chain) = (text("secret"), text("chain_code_secret"));
        format!("{} {} {epoch} {} {} {secret} {chain}", text("kind"), text("scheme"), opened["index"], marks.join("+"))
    }

    /// What both say of two halves.
    pub(crate) fn halves(&mut self, store: &[u8], share: &[u8], ask: &Ask<'_>) -> String {
        let (one, two) = (self.store("store", store), self.store("share", share));
        let joined = SecretStore::from_bytes(store).map_err(outcome).and_then(|store| {
            let share = EncryptedShare::from_bytes(share).map_err(outcome)?;
            Backup::attach(store, share).map_err(|error| match error {
                AttachError::OtherKey => "another key",
                AttachError::OtherBackup => "another backup",
                error => panic!("{error}"),
            })
        });
        let found = self.run(["--store", &one, "--share", &two].map(str::to_owned).to_vec(), ask);
        assert_eq!(found, library(joined, ask), "the program, the library");
        found
    }

    /// What both say of one file.
    pub(crate) fn both(&mut self, file: &[u8], ask: &Ask<'_>) -> String {
        let path = self.store("backup", file);
        let (found, expected) = (self.run(vec![path], ask), library(read(file), ask));
        assert_eq!(found, expected, "the program, the library: {}", hex::encode(file));
        found
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the library says: the outcome's word of docs/backup.md, or what is inside.
fn library(backup: Result<Backup, &'static str>, ask: &Ask<'_>) -> String {
    let backup = match backup {
        Ok(backup) => backup,
        Err(outcome) => return outcome.to_owned(),
    };
    match backup.header().kind() {
        SecretKind::PairFactor => open::<PairFactor>(&backup, ask, |factor| {
            let secret = *factor.secret().to_bytes().expose();
            (factor.generation(), factor.marks(), secret, *factor.chain_code())
        }),
        _ if backup.header().is_on::<Secp256k1>() => open_share::<Secp256k1>(&backup, ask),
        _ => open_share::<Ed25519>(&backup, ask),
    }
}

fn open_share<G: Group>(backup: &Backup, ask: &Ask<'_>) -> String {
    open::<KeyShare<G>>(backup, ask, |share| {
        (share.epoch(), share.marks(), *share.secret().to_bytes().expose(), *share.chain_code())
    })
}

/// Epoch or generation, marks, scalar, chain code.
type Parts = (u32, Marks, [u8; 32], [u8; 32]);

fn open<S: Backed>(backup: &Backup, ask: &Ask<'_>, parts: fn(&S) -> Parts) -> String {
    // a key of the other curve is another key, and the library's types do not even let one ask
    let public_key = S::Group::point_from_bytes(ask.public_key).unwrap_or_else(|_| S::Group::generator());
    let expected = Expected::key(public_key).epoch(ask.epoch);
    let (password, phrase, device, hybrid);
    let unlock = match ask.secret {
        Secret::Password(text) => {
            password = Password::entered(text).unwrap();
            Unlock::Password(&password)
        }
        Secret::Phrase(words) => {
            phrase = Phrase::parse(words).unwrap();
            Unlock::Phrase(&phrase)
        }
        Secret::Device(key) => {
            device = DeviceKey::from_bytes(&SecretBytes::new(*key));
            Unlock::Device(&device)
        }
        Secret::XWing(key) => {
            hybrid = XWingKey::from_bytes(&SecretBytes::new(*key));
            Unlock::XWing(&hybrid)
        }
    };
    let outcome = match backup.open::<S>(&unlock, &expected, &Limits::default()) {
        Ok(opened) => {
            let (epoch, marks, secret, chain_code) = parts(&opened.secret);
            let header = opened.secret.header();
            let kind = if header.kind() == SecretKind::KeyShare { "key share" } else { "pair factor" };
            let scheme = if header.scheme() == Scheme::Ecdsa { "ecdsa" } else { "frost" };
            let names =
                [(marks.imported, "imported"), (marks.exported, "exported"), (marks.factor_kept, "factor kept")];
            let names: Vec<_> = names.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
            let (index, names) = (header.index().get(), names.join("+"));
            let (secret, chain_code) = (hex::encode(secret), hex::encode(chain_code));
            return format!("{kind} {scheme} {epoch} {index} {names} {secret} {chain_code}");
        }
        Err(OpenError::NoSlot) => "no slot",
        Err(OpenError::WrongPassword) => "wrong password",
        Err(OpenError::WrongPhrase) => "wrong phrase",
        Err(OpenError::WrongDevice) => "wrong device",
        Err(OpenError::Forged) => "forged",
        Err(OpenError::ExcessiveWork { .. }) => "excessive work",
        Err(OpenError::WeakWork) => "weak work",
        Err(OpenError::OtherKind) => "another kind",
        Err(OpenError::OtherKey) => "another key",
        Err(OpenError::OldEpoch { .. }) => "old epoch",
        Err(OpenError::Share) => "wrong share",
        Err(error) => panic!("{error}"),
    };
    outcome.to_owned()
}

fn read(file: &[u8]) -> Result<Backup, &'static str> {
    if file.starts_with(b"-----BEGIN") {
        let text = std::str::from_utf8(file).map_err(|_| "not the text form")?;
        return Backup::from_pem(text).map_err(outcome);
    }
    Backup::from_bytes(file).map_err(outcome)
}

fn outcome(error: ReadError) -> &'static str {
    match error {
        ReadError::NotABackup => "not a backup",
        ReadError::Damaged => "damaged",
        ReadError::Version(_) | ReadError::Unsupported => "unsupported",
        ReadError::Malformed => "malformed",
        ReadError::NeverBackedUp => "never backed up",
        ReadError::Text => "not the text form",
        error => panic!("{error}"),
    }
}

pub(crate) struct Golden {
    listing: Value,
    pub(crate) secrets: [Secret; 3],
}

impl Golden {
    pub(crate) fn load() -> Self {
        let listing: Value = serde_json::from_slice(&Self::file("golden.json")).unwrap();
        let text = |name: &str| listing[name].as_str().unwrap().to_owned();
        let device = hex::decode(text("device_key")).unwrap().try_into().unwrap();
        let secrets = [Secret::Password(text("password")), Secret::Phrase(text("phrase")), Secret::Device(device)];
        Self { listing, secrets }
    }

    pub(crate) fn file(name: &str) -> Vec<u8> {
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/v1").join(name)).unwrap()
    }

    /// Name, public key, epoch, secret.
    pub(crate) fn files(&self) -> Vec<(&str, Vec<u8>, u32, &str)> {
        self.listing["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| {
                let text = |name: &str| v[name].as_str().unwrap();
                let epoch = u32::try_from(v["epoch"].as_u64().unwrap()).unwrap();
                (text("name"), hex::decode(text("public_key")).unwrap(), epoch, text("secret"))
            })
            .collect()
    }
}

/// Bytes of the clear part.
pub(crate) fn clear_len(file: &[u8]) -> usize {
    57 + 2 * (1 + usize::from(file[57]))
}
