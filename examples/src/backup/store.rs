//! What one party keeps, as files in a directory:
//!
//! | file | |
//! |---|---|
//! | `storage.key` | the key that seals the others |
//! | `wallet.sealed` | the wallet, key share or factor |
//! | `wallet.json` | what of it is public |
//! | `backup.slots` | which slots its backups have, sealed |
//! | `pending.sealed` | only if the program stopped while the wallet was made |

use super::{
    Failure,
    files::{self, make_directory},
};
use crate::BadInput;
use alloy_primitives::hex;
use rand_core::TryRng;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use symbolon::{
    Ed25519, EthereumAddress, Group, KeyShare, OpenError, PairFactor, PartyId, Pending, Role, Secp256k1, SecretBytes,
    Storable, StorageKey, Stored, SysRng,
    backup::{Backed, SecretKind, SlotSet},
    frost::PublicKey,
    store,
    wallet::Wallet,
};
use zeroize::Zeroizing;

/// Domain of the record of slots among sealed objects.
const SLOTS: &[u8; 8] = b"slots\0\0\0";
const KEY_COMMENT: &str = "# The key that seals the files here, for this example. It is as secret as they are: an application keeps it in the\n\
     # system's key store or a KMS, never beside what it seals.\n";
const SEALED: &str = "wallet.sealed";
const PENDING: &str = "pending.sealed";

/// What a party keeps.
#[non_exhaustive]
pub enum Kept {
    /// A share of a secp256k1 key, possibly with its factor. Boxed: it is large.
    Wallet(Box<Wallet>),
    /// A share of an Ed25519 key.
    Ed25519(Box<KeyShare<Ed25519>>),
    /// A factor that was restored from its backup.
    Factor(Box<PairFactor>),
}

/// A directory with what one party keeps.
pub struct Store {
    directory: PathBuf,
    key: StorageKey,
}

impl Store {
    /// Makes one with a fresh key, in a directory that must not exist.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn create(directory: &Path) -> Result<Self, Failure> {
        make_directory(directory)?;
        let mut key = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(key.as_mut())?;
        let mut text = Zeroizing::new(String::with_capacity(KEY_COMMENT.len() + 80));
        text.push_str(KEY_COMMENT);
        text.push_str(&Zeroizing::new(hex::encode(key.as_slice())));
        text.push('\n');
        files::write(&directory.join("storage.key"), text.as_bytes(), false)?;
        Ok(Self { directory: directory.into(), key: StorageKey::new(SecretBytes::new(*key)) })
    }

    /// Opens one.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn open(directory: &Path) -> Result<Self, Failure> {
        let key = files::read_hex(&directory.join("storage.key"))?;
        Ok(Self { directory: directory.into(), key: StorageKey::new(SecretBytes::new(*key)) })
    }

    /// Seals a value of a run beside what is kept, before the peer may finish (safety.md S2).
    pub(crate) fn prepare<T>(&self, pending: &Pending<T>) -> Result<Stored, Failure> {
        let sealed = pending.seal(&self.key, &mut SysRng)?;
        files::write(&self.directory.join(PENDING), sealed.as_bytes(), true)?;
        Ok(sealed.stored())
    }

    /// Stores what the party keeps from now on.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn put(&self, kept: &Kept) -> Result<(), Failure> {
        match kept {
            Kept::Wallet(wallet) => self.put_wallet(wallet),
            Kept::Ed25519(share) => self.put_ed25519(share),
            Kept::Factor(factor) => self.put_value(&**factor, &public(&**factor, "factor")),
        }
    }

    pub(crate) fn put_wallet(&self, wallet: &Wallet) -> Result<(), Failure> {
        let mut object = public(wallet.share(), "wallet");
        if let Some(factor) = wallet.factor() {
            object["public_factors"] = public_shares(factor);
        }
        self.put_value(wallet, &object)
    }

    pub(crate) fn put_ed25519(&self, share: &KeyShare<Ed25519>) -> Result<(), Failure> {
        self.put_value(share, &public(share, "share"))
    }

    fn put_value(&self, value: &impl Storable, public: &Value) -> Result<(), Failure> {
        let sealed = store::seal(value, &self.key, &mut SysRng)?;
        files::write(&self.directory.join(SEALED), &sealed, true)?;
        files::write(&self.directory.join("wallet.json"), format!("{public:#}\n").as_bytes(), true)?;
        match std::fs::remove_file(self.directory.join(PENDING)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }

    /// What the party keeps.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn kept(&self) -> Result<Kept, Failure> {
        let path = self.directory.join(SEALED);
        let sealed = files::read(&path)?;
        // a value of another type does not open as this one
        let opened = match store::open(&sealed, &self.key) {
            Err(OpenError::Kind) => match store::open(&sealed, &self.key) {
                Err(OpenError::Kind) => store::open(&sealed, &self.key).map(|factor| Kept::Factor(Box::new(factor))),
                other => other.map(|share| Kept::Ed25519(Box::new(share))),
            },
            other => other.map(|wallet| Kept::Wallet(Box::new(wallet))),
        };
        opened.map_err(|e| format!("{}: {e}", path.display()).into())
    }

    /// Notes the slots of a backup that is made, for [`super::USAGE`]'s `rewrap`. Gives whether they are new here.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn record(&self, kind: SecretKind, slots: SlotSet) -> Result<bool, Failure> {
        let mut recorded = self.recorded()?;
        if recorded.contains(&(kind, slots)) {
            return Ok(false);
        }
        recorded.push((kind, slots));
        self.put_records(&recorded)?;
        Ok(true)
    }

    /// Takes the records away that are not kept. Gives how many they were.
    pub(super) fn forget(&self, keep: impl Fn(SecretKind, SlotSet) -> bool) -> Result<usize, Failure> {
        let mut recorded = self.recorded()?;
        let before = recorded.len();
        recorded.retain(|(kind, slots)| keep(*kind, *slots));
        let forgotten = before.saturating_sub(recorded.len());
        if forgotten > 0 {
            self.put_records(&recorded)?;
        }
        Ok(forgotten)
    }

    fn put_records(&self, recorded: &[(SecretKind, SlotSet)]) -> Result<(), Failure> {
        let lines = recorded.iter().map(|(kind, slots)| format!("{} {}\n", name(*kind), hex::encode(slots.to_bytes())));
        // sealed: whoever adds a line here could receive the next share
        let sealed = self.key.seal(SLOTS, lines.collect::<String>().as_bytes(), &mut SysRng)?;
        files::write(&self.directory.join("backup.slots"), &sealed, true)
    }

    /// The slots of all backups.
    ///
    /// # Errors
    /// [`Failure`].
    pub fn recorded(&self) -> Result<Vec<(SecretKind, SlotSet)>, Failure> {
        let path = self.directory.join("backup.slots");
        if !path.exists() {
            return Ok(Vec::new());
        }
        let bad = |why: &dyn std::fmt::Display| Failure::from(format!("{}: {why}", path.display()));
        let lines = self.key.open(SLOTS, &files::read(&path)?).map_err(|e| bad(&e))?;
        let lines = str::from_utf8(&lines).map_err(|e| bad(&e))?;
        let line = |line: &str| {
            let (of, slots) = line.split_once(' ')?;
            let kind = [SecretKind::KeyShare, SecretKind::PairFactor].into_iter().find(|kind| name(*kind) == of)?;
            Some((kind, SlotSet::from_bytes(hex::decode_to_array(slots).ok()?)))
        };
        lines.lines().map(line).collect::<Option<_>>().ok_or_else(|| bad(&"not a record of slots"))
    }
}

impl Kept {
    /// The public key, encoded.
    pub(super) fn public_key(&self) -> Vec<u8> {
        let header = match self {
            Self::Wallet(wallet) => wallet.share().header(),
            Self::Ed25519(share) => share.header(),
            Self::Factor(factor) => factor.header(),
        };
        header.public_key().to_vec()
    }
}

/// A secret that a store keeps.
pub(super) trait Keep: Backed {
    /// For a new store.
    fn keep(self) -> Kept;
    /// The one that a store has.
    fn live(kept: &Kept) -> Option<&Self>;
    /// The public points of all holders' secrets.
    fn public_shares(&self) -> Vec<(PartyId, <Self::Group as Group>::Point)>;

    /// The public point of one of them.
    fn public_share(&self, of: PartyId) -> Option<<Self::Group as Group>::Point> {
        self.public_shares().into_iter().find(|(id, _)| *id == of).map(|(_, point)| point)
    }
}

fn of_members<G: Group>(share: &KeyShare<G>) -> Vec<(PartyId, G::Point)> {
    share.members().iter().map(|member| (member.id, member.public_share)).collect()
}

impl Keep for KeyShare<Secp256k1> {
    fn keep(self) -> Kept {
        Kept::Wallet(Box::new(Wallet::from_share(self)))
    }

    fn live(kept: &Kept) -> Option<&Self> {
        if let Kept::Wallet(wallet) = kept { Some(wallet.share()) } else { None }
    }

    fn public_shares(&self) -> Vec<(PartyId, <Secp256k1 as Group>::Point)> {
        of_members(self)
    }
}

impl Keep for KeyShare<Ed25519> {
    fn keep(self) -> Kept {
        Kept::Ed25519(Box::new(self))
    }

    fn live(kept: &Kept) -> Option<&Self> {
        if let Kept::Ed25519(share) = kept { Some(share) } else { None }
    }

    fn public_shares(&self) -> Vec<(PartyId, <Ed25519 as Group>::Point)> {
        of_members(self)
    }
}

impl Keep for PairFactor {
    fn keep(self) -> Kept {
        Kept::Factor(Box::new(self))
    }

    fn live(kept: &Kept) -> Option<&Self> {
        match kept {
            Kept::Wallet(wallet) => wallet.factor(),
            Kept::Ed25519(_) => None,
            Kept::Factor(factor) => Some(factor),
        }
    }

    fn public_shares(&self) -> Vec<(PartyId, <Secp256k1 as Group>::Point)> {
        let (server, client) = Self::points(self);
        vec![(PartyId::SERVER, server), (PartyId::CLIENT, client)]
    }
}

/// Whether files here are those of a store.
pub(super) fn is_store(directory: &Path) -> bool {
    ["storage.key", SEALED].iter().all(|name| directory.join(name).symlink_metadata().is_ok())
}

/// For people.
pub(super) const fn name(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::PairFactor => "factor",
        _ => "share",
    }
}

/// The address of an encoded key, as its users write it.
pub(super) fn address(public_key: &[u8]) -> Result<String, BadInput> {
    if let Ok(point) = Secp256k1::point_from_bytes(public_key) {
        return Ok(EthereumAddress::from_public_key(&point).to_string());
    }
    let key = PublicKey::<Ed25519>::from_bytes(public_key).map_err(|_| BadInput::new("not a public key"))?;
    Ok(bs58::encode(key.to_bytes()).into_string())
}

fn public<S: Keep>(secret: &S, holds: &str) -> Value {
    let header = secret.header();
    let curve = if header.is_on::<Ed25519>() { "ed25519" } else { "secp256k1" };
    json!({
        "holds": holds,
        "curve": curve,
        "key_id": hex::encode(header.key_id()),
        "public_key": hex::encode(header.public_key()),
        "address": address(header.public_key()).unwrap_or_default(),
        "epoch": header.epoch(),
        "party": header.index().get(),
        format!("public_{}s", name(header.kind())): public_shares(secret),
    })
}

/// By party: what another holder of the key has to know once its own store is lost.
fn public_shares<S: Keep>(secret: &S) -> Value {
    let shares = secret.public_shares().into_iter();
    shares
        .map(|(id, point)| (id.get().to_string(), Value::from(hex::encode(S::Group::point_to_bytes(&point)))))
        .collect()
}

/// Both parties' stores, below one directory: only an example has them in one place.
pub(crate) struct Pair {
    client: Store,
    server: Store,
}

impl Pair {
    /// Makes both, below a directory that must not exist.
    pub(crate) fn create(directory: &Path) -> Result<Self, Failure> {
        make_directory(directory)?;
        let store = |name: &str| Store::create(&directory.join(name));
        Ok(Self { client: store("client")?, server: store("server")? })
    }

    pub(crate) const fn of(&self, role: Role) -> &Store {
        match role {
            Role::Client => &self.client,
            Role::Server => &self.server,
        }
    }
}
