//! How frames are authenticated (safety.md S5).

use crate::{Header, Identity, Rejected, Roster, frame};
use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use rand_core::TryCryptoRng;
use symbolon_core::{PartyId, SecretBytes};
use zeroize::Zeroizing;

/// Length of the signature behind header and body.
const TRAILER: usize = 64;

/// The Ed25519 key that a member signs its frames with. Wiped on drop.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_session::IdentityKey>();
/// ```
pub struct IdentityKey(Arc<SigningKey>);

impl IdentityKey {
    /// The key of a stored 32-byte seed.
    #[must_use]
    pub fn from_seed(seed: SecretBytes<32>) -> Self {
        Self(Arc::new(SigningKey::from_bytes(seed.expose())))
    }

    /// A fresh key and nothing to store it by: keep the seed and use [`IdentityKey::from_seed`] for a member that lives
    /// longer than the process.
    ///
    /// # Errors
    /// The generator's.
    pub fn generate<R: TryCryptoRng>(rng: &mut R) -> Result<Self, R::Error> {
        let mut seed = Zeroizing::new([0; 32]);
        rng.try_fill_bytes(seed.as_mut_slice())?;
        Ok(Self(Arc::new(SigningKey::from_bytes(&seed))))
    }

    /// Another handle to the same key, for a server with many sessions: the secret is not copied, and is wiped with the last
    /// handle.
    #[must_use]
    pub fn handle(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    /// The public half, for rosters.
    #[must_use]
    pub fn identity(&self) -> Identity {
        Identity::Key(self.0.verifying_key().to_bytes())
    }
}

/// How the frames of a run are authenticated; named once, at the start.
#[non_exhaustive]
pub enum Auth {
    /// The caller's channel authenticates the peer, and the caller says in `handle` who it is. Two parties only.
    Channel,
    /// Every frame carries a signature. Every identity of the roster is a key.
    Signed(IdentityKey),
    /// See [`Auth::danger_unauthenticated`].
    Unauthenticated(Unauthenticated),
}

/// Only made by [`Auth::danger_unauthenticated`].
pub struct Unauthenticated(());

/// An [`Auth`] that does not fit the roster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// More than two parties need signed frames.
    #[error("a channel authenticates two parties; more need signed frames")]
    ChannelIsForTwo,
    /// The identity of this member is not an Ed25519 key of the prime-order group.
    #[error("the identity of {0} is no usable Ed25519 key")]
    NotAKey(PartyId),
    /// The signing key is not the one of the local member.
    #[error("the identity key is not the local member's")]
    WrongKey,
    /// A resumed run was started with another kind of authentication.
    #[error("the run was started with another kind of authentication")]
    Kind,
}

impl Auth {
    /// Nobody vouches for anybody: whoever reaches the wire can end the run, or be the peer. Failures name nobody.
    ///
    /// # Security
    /// For tests, and for runs whose result is authenticated by other means before it is used.
    #[must_use]
    pub const fn danger_unauthenticated() -> Self {
        Self::Unauthenticated(Unauthenticated(()))
    }

    pub(crate) const fn kind(&self) -> u8 {
        match self {
            Self::Channel => 1,
            Self::Signed(_) => 2,
            Self::Unauthenticated(_) => 3,
        }
    }

    pub(crate) const fn names_culprits(&self) -> bool {
        !matches!(self, Self::Unauthenticated(_))
    }

    pub(crate) const fn trailer(&self) -> usize {
        match self {
            Self::Signed(_) => TRAILER,
            Self::Channel | Self::Unauthenticated(_) => 0,
        }
    }

    /// The verification keys of all members; empty without signatures.
    pub(crate) fn keys(&self, roster: &Roster) -> Result<BTreeMap<PartyId, VerifyingKey>, AuthError> {
        let key = match self {
            Self::Channel if roster.members().len() > 2 => return Err(AuthError::ChannelIsForTwo),
            Self::Channel | Self::Unauthenticated(_) => return Ok(BTreeMap::new()),
            Self::Signed(key) => key,
        };
        if roster.identity(roster.me()) != Some(&key.identity()) {
            return Err(AuthError::WrongKey);
        }
        let usable = |(id, identity): &(PartyId, Identity)| match identity {
            Identity::Key(bytes) => match VerifyingKey::from_bytes(bytes) {
                Ok(key) if !key.is_weak() => Ok((*id, key)),
                _ => Err(AuthError::NotAKey(*id)),
            },
            Identity::Name(_) => Err(AuthError::NotAKey(*id)),
        };
        roster.members().iter().map(usable).collect()
    }

    /// Appends the trailer to header and body.
    pub(crate) fn sign(&self, frame: &mut Vec<u8>) {
        if let Self::Signed(key) = self {
            let signature = key.0.sign(&frame::digest(frame));
            frame.extend_from_slice(&signature.to_bytes());
        }
    }
}

/// Header and body of a frame with a valid signature.
pub(crate) fn verified<'f>(frame: &'f [u8], key: &VerifyingKey) -> Result<&'f [u8], Rejected> {
    let (content, trailer) = frame.split_last_chunk::<TRAILER>().ok_or(Rejected::Length)?;
    match key.verify_strict(&frame::digest(content), &Signature::from_bytes(trailer)) {
        Ok(()) => Ok(content),
        Err(_) => Err(Rejected::Signature),
    }
}

/// Whether two signed frames convict the holder of `key` of sending two different frames for one slot of one run: same
/// protocol, round, sender, recipient, label and run, both signatures valid, different contents. Everybody can check it.
#[must_use]
pub fn convict(a: &[u8], b: &[u8], key: &[u8; 32]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(key) else { return false };
    match (Header::parse(a), Header::parse(b), verified(a, &key), verified(b, &key)) {
        // `Header` is all of the slot
        (Ok(of_a), Ok(of_b), Ok(a), Ok(b)) => of_a == of_b && a != b,
        _ => false,
    }
}
