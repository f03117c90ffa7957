//! Reading a backup, what it is opened with, and why it does not open.

use super::{
    Failure, files,
    person::{Person, ask, working},
    store::{Keep, Kept, Store},
};
use crate::BadInput;
use alloy_primitives::hex;
use std::path::{Path, PathBuf};
use symbolon::{
    Ed25519, Group, KeyShare, PairFactor, PartyId, Secp256k1, SecretBytes,
    backup::{
        Backed, Backup, DeviceKey, DevicePublicKey, Expected, Header, Limits, OpenError, Password, Phrase, SecretKind,
        SlotKind, SlotSet, Unlock,
    },
};

/// A way to say what opens a backup.
pub(super) enum How {
    PasswordFile(PathBuf),
    PhraseFile(PathBuf),
    AskPhrase,
    DeviceKey(PathBuf),
}

/// What opens the backups of this call.
pub(super) struct Keys {
    /// In the order of the files; one is for all of them.
    pub(super) given: Vec<How>,
    pub(super) large: bool,
}

/// What opens one backup.
pub(super) enum Secret {
    Password(Password),
    Phrase(Phrase),
    Device(DeviceKey),
}

impl Secret {
    pub(super) const fn unlock(&self) -> Unlock<'_> {
        match self {
            Self::Password(password) => Unlock::Password(password),
            Self::Phrase(phrase) => Unlock::Phrase(phrase),
            Self::Device(key) => Unlock::Device(key),
        }
    }
}

/// A backup, and the name of its file.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) backup: Backup,
}

impl File {
    /// Reads either form.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = files::read(path)?;
        let read = if bytes.starts_with(b"-----BEGIN") {
            str::from_utf8(&bytes).map_or(Err(symbolon::backup::ReadError::Text), Backup::from_pem)
        } else {
            Backup::from_bytes(&bytes)
        };
        let backup = read.map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self { path: path.into(), backup })
    }

    pub(super) const fn header(&self) -> &Header {
        self.backup.header()
    }

    /// Its slots, for people.
    pub(super) fn slots(&self) -> String {
        let names: Vec<_> = self.backup.slots().map(name).collect();
        names.join(", ")
    }

    /// Why it did not open, and what to do.
    pub(super) fn explain(&self, error: OpenError, limits: &Limits) -> Failure {
        let shown = self.path.display();
        let slots = self.slots();
        match error {
            OpenError::NoSlot => format!(
                "{shown} has no slot of this kind. It opens with: {slots}. Use --password-file, --phrase-file or --device-key"
            ),
            OpenError::WrongPassword => {
                format!("{shown}: wrong password: mind capitals and the keyboard's language. It opens with: {slots}")
            }
            OpenError::WrongPhrase => {
                format!("{shown}: wrong phrase: it is the one of another backup. It opens with: {slots}")
            }
            OpenError::WrongDevice => format!("{shown}: wrong device key. It opens with: {slots}"),
            OpenError::ExcessiveWork { .. } if *limits != Limits::LARGE => {
                format!("{shown}: {error}: if you trust where it comes from, --large allows 1 GiB of memory")
            }
            OpenError::OtherKey => {
                format!("{shown}: {error}: it says that it is of {}", hex::encode(self.header().public_key()))
            }
            OpenError::OldEpoch { .. } => {
                format!("{shown}: {error}: look for the backup that was made or re-sealed since the last refresh")
            }
            OpenError::OtherShare => format!(
                "{shown}: {error}: it says that it is of {}, with the public share {}. Do not use it unless another holder's \
                 records have this share",
                self.header().index(),
                hex::encode(self.header().public_share())
            ),
            OpenError::ShareUnknown => {
                format!("{shown}: {error}: the store does not have this secret any more, give its public point with --share")
            }
            OpenError::Forged | OpenError::Share => format!("{shown}: {error}: do not use it, look for another copy"),
            _ => format!("{shown}: {error}"),
        }
        .into()
    }
}

pub(super) const fn name(kind: SlotKind) -> &'static str {
    match kind {
        SlotKind::Password => "password",
        SlotKind::Phrase => "phrase",
        SlotKind::Device => "device key",
        _ => "another kind",
    }
}

impl Keys {
    pub(super) fn limits(&self) -> Limits {
        if self.large { Limits::LARGE } else { Limits::default() }
    }

    /// One for each file, or one for all. More of them than files would be a mistake.
    pub(super) fn fit(&self, files: usize) -> Result<(), BadInput> {
        match self.given.len() {
            0 | 1 => Ok(()),
            given if given == files => Ok(()),
            given => Err(BadInput::new(format!(
                "{given} options say what opens {files} file(s): give one for all, or one for each file in their order"
            ))),
        }
    }

    /// What opens the file with this number.
    pub(super) fn secret(&self, at: usize, file: &File, person: &mut impl Person) -> Result<Secret, Failure> {
        let how = if let [one] = self.given.as_slice() { Some(one) } else { self.given.get(at) };
        let shown = file.path.display();
        let entered = |text: &str| Ok::<_, BadInput>(Secret::Password(Password::entered(text).map_err(BadInput::new)?));
        let words = |text: &str| Ok::<_, BadInput>(Secret::Phrase(Phrase::parse(text).map_err(BadInput::new)?));
        Ok(match how {
            Some(How::PasswordFile(path)) => entered(&files::first_line(path)?)?,
            Some(How::PhraseFile(path)) => words(&files::read_text(path)?)?,
            Some(How::AskPhrase) => words(&ask(person, &format!("24 words of {shown}: "), "--phrase-file")?)?,
            Some(How::DeviceKey(path)) => Secret::Device(device_key(path)?),
            None if file.backup.slots().any(|kind| kind == SlotKind::Password) => {
                entered(&ask(person, &format!("Password of {shown}: "), "--password-file")?)?
            }
            None => {
                let slots = file.slots();
                let why = format!("{shown} has no password. It opens with: {slots}. Use --phrase-file or --device-key");
                return Err(why.into());
            }
        })
    }
}

pub(super) fn device_key(path: &Path) -> Result<DeviceKey, BadInput> {
    Ok(DeviceKey::from_bytes(&SecretBytes::new(*files::read_hex(path)?)))
}

pub(super) fn device_public_key(path: &Path) -> Result<DevicePublicKey, BadInput> {
    let bytes = files::read_hex(path)?;
    DevicePublicKey::from_bytes(*bytes)
        .map_err(|_| BadInput::new(format!("{} is no device's public key", path.display())))
}

/// What the caller expects, from its own records.
pub(super) struct Expect {
    pub(super) whose: Whose,
    /// `--share`, encoded.
    pub(super) share: Option<Vec<u8>>,
}

/// Which key.
pub(super) enum Whose {
    /// `--expect`, `--epoch`.
    Key { public_key: Vec<u8>, epoch: u32 },
    /// `--store`. Boxed: it is large.
    Store(Box<(Store, Kept)>),
}

impl Expect {
    pub(super) fn store(directory: &Path, share: Option<Vec<u8>>) -> Result<Self, Failure> {
        let store = Store::open(directory)?;
        let kept = store.kept()?;
        Ok(Self { whose: Whose::Store(Box::new((store, kept))), share })
    }

    /// The encoded key.
    pub(super) fn public_key(&self) -> Vec<u8> {
        match &self.whose {
            Whose::Key { public_key, .. } => public_key.clone(),
            Whose::Store(store) => store.1.public_key(),
        }
    }

    /// Whose store it is, if it has a secret of the kind that a file has.
    pub(super) fn own_index(&self, header: &Header) -> Option<PartyId> {
        let of = |live: Option<Header>| live.map(|live| live.index());
        match (header.kind(), header.is_on::<Ed25519>()) {
            (SecretKind::PairFactor, _) => of(self.live::<PairFactor>().map(Backed::header)),
            (_, false) => of(self.live::<KeyShare<Secp256k1>>().map(Backed::header)),
            (_, true) => of(self.live::<KeyShare<Ed25519>>().map(Backed::header)),
        }
    }

    /// The live secret of this type, if there is a store that has it.
    fn live<S: Keep>(&self) -> Option<&S> {
        match &self.whose {
            Whose::Key { .. } => None,
            Whose::Store(store) => S::live(&store.1),
        }
    }

    /// All that is known of the secret that a file says it has. The store of another party has its public share, too; what is
    /// changed has to be a backup of the store's `own`.
    fn of<S: Keep>(&self, header: &Header, own: bool) -> Result<Expected<S::Group>, OpenError> {
        let public_key = self.public_key();
        if header.public_key() != public_key {
            return Err(OpenError::OtherKey);
        }
        let key = Expected::key(S::Group::point_from_bytes(&public_key).map_err(|_| OpenError::OtherKey)?);
        let given = self.share.as_deref().map(S::Group::point_from_bytes).transpose();
        let given = given.map_err(|_| OpenError::OtherShare)?;
        let expected = match (&self.whose, self.live::<S>()) {
            (Whose::Key { epoch, .. }, _) => key.epoch(*epoch),
            (Whose::Store(_), None) => key,
            (Whose::Store(_), Some(live)) => {
                let me = live.header();
                let holder = if own { me.index() } else { header.index() };
                let known = live.public_share(holder).ok_or(OpenError::OtherShare)?;
                if given.is_some_and(|given| given != known) {
                    return Err(OpenError::OtherShare);
                }
                if holder == me.index() { Expected::live(live) } else { key.epoch(me.epoch()).share(known) }
            }
        };
        // where a live one is known it says more
        Ok(match given {
            Some(given) if self.live::<S>().is_none() => expected.share(given),
            _ => expected,
        })
    }
}

/// What a call does with a file whose kind of secret is known.
pub(super) struct Task<'a> {
    pub(super) file: &'a File,
    pub(super) secret: Secret,
    pub(super) expect: &'a Expect,
    /// As recorded, for a change.
    pub(super) slots: Option<SlotSet>,
    pub(super) limits: Limits,
}

impl Task<'_> {
    /// Whether the caller says which share is the right one.
    pub(super) fn knows_share<S: Keep>(&self) -> bool {
        self.expect.share.is_some() || self.expect.live::<S>().is_some()
    }

    /// Calls the library with what is expected, and explains its errors.
    pub(super) fn with<S: Keep, T>(
        &self,
        person: &impl Person,
        call: impl FnOnce(&Backup, &Unlock<'_>, &Expected<S::Group>, &Limits) -> Result<T, OpenError>,
    ) -> Result<T, Failure> {
        let limits = &self.limits;
        let called = self.expect.of::<S>(self.file.header(), self.slots.is_some()).and_then(|expected| {
            let expected = self.slots.map_or(expected, |slots| expected.slots(slots));
            let shown = format!("opening {}", self.file.path.display());
            working(person, &shown, || call(&self.file.backup, &self.secret.unlock(), &expected, limits))
        });
        called.map_err(|error| self.file.explain(error, limits))
    }
}

/// Calls a function for the type of a backup's secret.
macro_rules! by_kind {
    ($header:expr, $function:ident ( $($argument:expr),* )) => {{
        use symbolon::{Ed25519, KeyShare, PairFactor, Secp256k1, backup::SecretKind};
        match ($header.kind(), $header.is_on::<Ed25519>()) {
            (SecretKind::PairFactor, false) => $function::<PairFactor>($($argument),*),
            (SecretKind::KeyShare, false) => $function::<KeyShare<Secp256k1>>($($argument),*),
            (SecretKind::KeyShare, true) => $function::<KeyShare<Ed25519>>($($argument),*),
            _ => Err("the backup holds a kind of secret that this program does not know".into()),
        }
    }};
}
pub(super) use by_kind;
