//! The `backup` example: the whole story of shares, lost and restored, and everything that goes wrong on the way.

mod expected;
mod records;
mod refused;
mod slots;
mod story;

use serde_json::Value;
use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
};
use symbolon::backup::Backup;
use symbolon_examples::{
    backup::{self, Person, store::Store},
    cli,
};
use zeroize::Zeroizing;

const PASSWORD: &str = "correct horse battery staple";
const OTHER: &str = "another password altogether";

/// A person who has prepared what to type.
#[derive(Default)]
struct Script {
    typed: VecDeque<String>,
    asked: Vec<String>,
    shown: String,
}

impl Script {
    fn new(typed: &[&str]) -> Self {
        Self { typed: typed.iter().map(|text| (*text).to_owned()).collect(), ..Self::default() }
    }
}

impl Person for Script {
    fn secret(&mut self, prompt: &str) -> io::Result<Zeroizing<String>> {
        self.line(prompt).map(Zeroizing::new)
    }

    fn line(&mut self, prompt: &str) -> io::Result<String> {
        self.asked.push(prompt.to_owned());
        self.typed.pop_front().ok_or_else(|| io::Error::other("nothing to type"))
    }

    fn show(&mut self, text: &str) -> io::Result<()> {
        self.shown.push_str(text);
        Ok(())
    }

    fn watches(&self) -> bool {
        false
    }
}

fn backup_at(place: &Place, file: &str) -> Backup {
    Backup::from_pem(&fs::read_to_string(place.at(file)).unwrap()).unwrap()
}

/// A directory of one test, with the files of two passwords.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("backup-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("password"), format!("{PASSWORD}\r\nnot this line")).unwrap();
        fs::write(path.join("other"), OTHER).unwrap();
        Self(path)
    }

    fn at(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().into()
    }

    /// With both parties' stores.
    fn with_wallet(name: &str, curve: &str) -> Self {
        let place = Self::new(name);
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let arguments = ["--curve", curve, "--message", "hello", "--keep", &place.at("kept")];
        assert_eq!(cli::run(arguments, &mut out, &mut err), 0, "{}", String::from_utf8(err).unwrap());
        place
    }

    /// Exit status, standard output, standard error. Arguments that begin with @ are files here.
    fn ask(&self, person: &mut Script, arguments: &str) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let arguments = arguments.split_whitespace().map(|text| match text.strip_prefix('@') {
            Some(name) => self.at(name),
            None => text.to_owned(),
        });
        let status = backup::run(arguments, person, &mut out, &mut err);
        let [out, err] = [out, err].map(|text| String::from_utf8(text).unwrap());
        for secret in [PASSWORD, OTHER] {
            assert!(!out.contains(secret) && !err.contains(secret), "{out}{err}");
        }
        (status, out, err)
    }

    /// What must go well.
    fn run(&self, arguments: &str) -> String {
        let (status, out, err) = self.ask(&mut Script::default(), arguments);
        assert_eq!(status, 0, "{arguments}: {err}");
        out
    }

    /// What must not: the line that says why.
    fn fails(&self, status: u8, arguments: &str) -> String {
        let (found, out, err) = self.ask(&mut Script::default(), arguments);
        assert_eq!((found, err.lines().count()), (status, 1), "{arguments}: {err}");
        // `check` says first that the password is right
        assert!(out.is_empty() || out.ends_with(": it opens\n"), "{arguments}: {out}");
        assert!(err.starts_with("backup: "), "{err}");
        err
    }

    /// Standard output and standard error of what must go well.
    fn both(&self, arguments: &str) -> (String, String) {
        let (status, out, err) = self.ask(&mut Script::default(), arguments);
        assert_eq!(status, 0, "{arguments}: {err}");
        (out, err)
    }

    fn store(&self, name: &str) -> Store {
        Store::open(self.at(name).as_ref()).unwrap()
    }

    /// The slots of a file go on the client's record.
    fn record(&self, file: &str) {
        let backup = backup_at(self, file);
        self.store("kept/client").record(backup.header().kind(), backup.slot_set()).unwrap();
    }

    /// What one party has recorded of the client's share (or factor), or of its own.
    fn public_share(&self, store: &str, kind: &str, party: &str) -> String {
        self.json(&format!("{store}/wallet.json"))[kind][party].as_str().unwrap().into()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&fs::read(self.at(name)).unwrap()).unwrap()
    }

    /// Of the wallet.
    fn public(&self, name: &str) -> String {
        self.json("kept/client/wallet.json")[name].as_str().unwrap().into()
    }

    /// Backups of both shares, with PASSWORD.
    fn back_up_both(&self) {
        for side in ["client", "server"] {
            self.run(&format!("create --store @kept/{side} --out @{side}.pem --password-file @password --log-n 14"));
        }
    }
}
