//! Sessions that wait for people: sealed, stored, brought back once (safety.md S8).

use crate::session::Phase;
use crate::{
    Auth, AuthError, Claimed, Header, Label, Ledger, LongTerm, OpenError, Outgoing, SealError, Session, StartError,
    Step, Storable, StorageKey, Stored, Suspend, Token, storage,
};
use alloc::vec::Vec;
use core::convert::Infallible;
use rand_core::TryCryptoRng;
use symbolon_core::{
    SecretBytes, SecretVec, Transcript, on_cleared_stack,
    wire::{DecodeError, Reader, Writer},
};
use zeroize::Zeroize;

const KIND: &[u8; 8] = b"session\0";

/// Why a session can't be suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SuspendError {
    /// The run is over.
    #[error("the run is over")]
    Finished,
    /// Resumed from a stored pending value, which is its suspended form.
    #[error("the stored pending value is the suspended form of this run")]
    Stored,
    /// The sealing failed.
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// Why a stored session did not come back. Except for [`ResumeError::Ledger`] nothing was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResumeError<E = Infallible> {
    /// The seal does not open.
    #[error(transparent)]
    Sealed(#[from] OpenError),
    /// The content does not decode: written by another version.
    #[error("malformed content: {0}")]
    Content(#[from] DecodeError),
    /// A session of another protocol.
    #[error("a session of another protocol")]
    Protocol,
    /// The authentication does not fit.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The long-term secrets are not those of the start.
    #[error("the long-term secrets are not those of the start")]
    Fingerprint,
    /// The log does not replay: written by another version of the protocol.
    #[error("the log does not replay")]
    Replay,
    /// This copy was resumed before.
    #[error("this copy was resumed before")]
    Claimed,
    /// The ledger failed.
    #[error("the ledger failed")]
    Ledger(E),
}

/// A hash of the long-term secrets' digest.
fn fingerprint(secret: &SecretBytes<32>) -> [u8; 32] {
    Transcript::new("session", "fingerprint").part(secret.expose()).finish()
}

impl<P: Suspend> Session<P> {
    /// The sealed form: seed, setup, label and the log of accepted frames; no long-term secret. The session is consumed.
    ///
    /// # Errors
    /// [`SuspendError`].
    ///
    /// # Security
    /// A server stores it in the transaction that claimed the copy it came from, and sends frames after that commits.
    pub fn suspend(self, key: &StorageKey, rng: &mut impl TryCryptoRng) -> Result<Vec<u8>, SuspendError> {
        const { assert!(P::LOG_FRAMES, "a `Suspend` protocol sets LOG_FRAMES") }
        on_cleared_stack(|| self.seal(key, rng))
    }

    fn seal(self, key: &StorageKey, rng: &mut impl TryCryptoRng) -> Result<Vec<u8>, SuspendError> {
        let play = match self.phase {
            Phase::Rounds(play, _) | Phase::Ending(Some(play), ..) => play,
            Phase::Ending(None, ..) => return Err(SuspendError::Stored),
            Phase::Finished => return Err(SuspendError::Finished),
        };
        let setup = play.setup.encoded();
        let log = play.log.iter().map(|entry| entry.len() + 4).sum::<usize>();
        let mut w = Writer::with_capacity(512 + P::NAME.len() + setup.len() + log);
        w.prefixed(P::NAME.as_bytes()).u8(P::ID).u8(self.line.auth.kind()).bytes(&fingerprint(&play.secret));
        w.bytes(play.seed.expose()).prefixed(play.label.as_bytes()).prefixed(&setup);
        w.u32(u32::try_from(play.log.len()).unwrap_or(u32::MAX));
        play.log.iter().for_each(|entry| {
            w.prefixed(entry);
        });
        Ok(key.seal(KIND, &SecretVec::new(w.finish()), rng)?)
    }

    /// Brings a suspended session back, once: the copy is claimed in the ledger. [`Session::resend`] then repeats this
    /// round's frames, byte for byte; a prepared session has its value in [`Session::pending`].
    ///
    /// # Errors
    /// [`ResumeError`]; [`ResumeError::Claimed`] for the second resume of the same bytes.
    pub fn resume<L: Ledger>(
        sealed: &[u8],
        key: &StorageKey,
        secrets: &P::LongTerm,
        auth: Auth,
        ledger: &mut L,
    ) -> Result<Self, ResumeError<L::Error>> {
        const { assert!(P::LOG_FRAMES, "a `Suspend` protocol sets LOG_FRAMES") }
        on_cleared_stack(|| Self::open(sealed, key, secrets, auth, ledger))
    }

    fn open<L: Ledger>(
        sealed: &[u8],
        key: &StorageKey,
        secrets: &P::LongTerm,
        auth: Auth,
        ledger: &mut L,
    ) -> Result<Self, ResumeError<L::Error>> {
        let content = key.open(KIND, sealed)?;
        let mut r = Reader::new(&content);
        if r.prefixed(P::NAME.len())? != P::NAME.as_bytes() || r.u8()? != P::ID {
            return Err(ResumeError::Protocol);
        }
        if r.u8()? != auth.kind() {
            return Err(AuthError::Kind.into());
        }
        if r.array()? != fingerprint(&secrets.digest()) {
            return Err(ResumeError::Fingerprint);
        }
        let seed = SecretBytes::new(r.array()?);
        let label = Label::new(r.prefixed(Label::MAX)?).map_err(|_| DecodeError::Value)?;
        let mut encoded = Reader::new(r.prefixed(content.len())?);
        let setup = P::Setup::decode(&mut encoded)?;
        encoded.finish()?;
        // nothing leaves before the claim: a replay that fails costs no copy
        let begun = Self::begin(setup, secrets, P::Input::default(), label, auth, seed);
        let (mut session, frames) = begun.map_err(|error| match error {
            StartError::Auth(error) => error.into(),
            _ => ResumeError::Replay,
        })?;
        wipe(frames);
        for _ in 0..r.u32()? {
            session.replay(r.prefixed(content.len())?).ok_or(ResumeError::Replay)?;
        }
        r.finish()?;
        match ledger.claim(&Token::Copy(storage::copy_of(KIND, sealed)?)).map_err(ResumeError::Ledger)? {
            Claimed::Fresh => Ok(session),
            Claimed::Again => Err(ResumeError::Claimed),
        }
    }

    /// One log entry again; `None` if it does not go as it went before.
    fn replay(&mut self, entry: &[u8]) -> Option<()> {
        let step = if entry.is_empty() {
            let Phase::Ending(_, ending, _) = &self.phase else { return None };
            let receipt = Stored(ending.receipt(&self.line));
            self.stored(receipt)
        } else {
            let from = Header::parse(entry).ok()?.sender;
            self.take(from, entry).ok()?
        };
        match step {
            Step::Continue(frames) => {
                wipe(frames);
                Some(())
            }
            Step::Prepared(..) => Some(()),
            Step::Done(..) => None,
        }
    }
}

/// Frames that do not leave: of a dealing, they have shares in them.
fn wipe(frames: Vec<Outgoing>) {
    frames.into_iter().for_each(|mut frame| frame.bytes.zeroize());
}
