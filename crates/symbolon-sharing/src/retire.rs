//! The end of an old share (safety.md S2, S10): an explicit step of the caller, after the new epoch is confirmed.

use crate::{Change, Consent, KeyHealth, KeyShare};
use symbolon_core::{Group, KeyId, PartyId};

/// Says that the backups of a share are of the new epoch, or that there are none: what [`retire`] takes.
pub struct Resealed {
    key_id: KeyId,
    epoch: u32,
}

impl Resealed {
    /// The backups of this holder were made anew with its new share.
    ///
    /// # Security
    /// MUST be called only by what has durably re-sealed every backup of the old share.
    #[must_use]
    pub const fn with<G: Group>(share: &KeyShare<G>) -> Self {
        Self { key_id: share.key_id(), epoch: share.epoch() }
    }

    /// The old share was never backed up, or the holder leaves and its backups are destroyed.
    #[must_use]
    pub const fn without_backup(health: &KeyHealth) -> Self {
        Self { key_id: health.key_id, epoch: health.epoch }
    }
}

/// Why a share was not erased. It is handed back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RetireError {
    /// The outcome is of another key, or not of a later epoch.
    #[error("no later epoch of this key was confirmed")]
    NotReplaced,
    /// An offline holder has not confirmed, and nobody has given it up: until then old shares are kept.
    #[error("an offline holder has not confirmed")]
    Unconfirmed,
    /// Another online holder has not shown that its run is `Done`, and nobody has given it up: it may be in doubt, with nothing
    /// but its old share ([`KeyHealth::unfinished`]).
    #[error("another holder has not shown that it finished")]
    Unfinished,
    /// The backups are not of the confirmed epoch.
    #[error("the backups are not of the new epoch")]
    NotResealed,
    /// The consent does not name this key and epoch.
    #[error("the consent does not name this key and epoch")]
    Consent,
}

/// Erases an old share. It counts as erased in `health` if it is of the sharing that was replaced; an older one is erased too,
/// and nothing is noted.
///
/// ```compile_fail
/// # use symbolon_sharing::*;
/// fn without_a_token(old: KeyShare<symbolon_core::Secp256k1>, health: &mut KeyHealth, consent: &Consent) {
///     let _ = retire(old, health, consent);
/// }
/// ```
///
/// # Security
/// `health` MUST be that of a `Done` step.
///
/// # Errors
/// [`RetireError`], with the share.
pub fn retire<G: Group>(
    old: KeyShare<G>,
    health: &mut KeyHealth,
    backups: &Resealed,
    consent: &Consent,
) -> Result<(), (KeyShare<G>, RetireError)> {
    if health.key_id != old.key_id() || health.epoch <= old.epoch() {
        return Err((old, RetireError::NotReplaced));
    }
    if health.unconfirmed().next().is_some() {
        return Err((old, RetireError::Unconfirmed));
    }
    // attacks.md rows 63, 69: whoever is in doubt may need this share
    let own = old.members().iter().find(|member| member.id == old.me()).map(|member| &member.identity);
    // an id that came back under another identity is somebody else
    let is_me = |holder: PartyId| holder == old.me() && health.members.get(&holder) == own;
    if health.unfinished().any(|holder| !is_me(holder)) {
        return Err((old, RetireError::Unfinished));
    }
    if backups.key_id != health.key_id || backups.epoch != health.epoch {
        return Err((old, RetireError::NotResealed));
    }
    if !consent.covers(&[Change::Retires(old.key_id(), old.epoch())]) {
        return Err((old, RetireError::Consent));
    }
    if health.replaced == Some((old.sharing_id(), old.epoch())) {
        health.note_retired(old.me());
        health.note_resealed(old.me());
    }
    drop(old);
    Ok(())
}
