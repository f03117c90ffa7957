//! Export: a holder releases its share to one receiver, once, on the word of the owner's device (backup.md).
//!
//! 1. The receiver makes an ephemeral key and a request ([`Receiver::new`]); a registered device of the owner signs it
//!    ([`Receiver::request`]). A login alone never does.
//! 2. The holder shows the [`ExportRequest::fingerprint`] beside the receiver's, asks its user or policy (with a delay or a second
//!    approver, as it likes), and answers ([`export`]): signature, key, epoch, time and consent are checked, and the request is claimed in
//!    the ledger before the answer leaves.
//! 3. The receiver opens the answers ([`Receiver::open`]) and rebuilds the key: `symbolon_sharing::exit` or `exit_pair`, which check
//!    `x*G = P`.

use crate::{Backed, Expected, Header};
use alloc::{boxed::Box, vec::Vec};
use core::time::Duration;
use rand_core::TryCryptoRng;
use symbolon_core::{
    Group, KeyId, PartyId, SeedRng, SharingId, Transcript, on_cleared_stack,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_seal::{DeviceKey, DevicePublicKey, Sealed, open_with_device, seal_to_device};
use symbolon_session::{Claimed, Identity, IdentityKey, Ledger, Token};
use symbolon_sharing::{Change, Consent};
use zeroize::Zeroizing;

const REQUEST: &[u8; 8] = b"SYMBEXQ\x01";
const ANSWER: &[u8; 8] = b"SYMBEXA\x01";
const PURPOSE: &str = "export";
/// The most bytes of a share.
const MAX_SHARE: usize = 32 << 10;

/// What a receiver asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExportRequest {
    id: [u8; 32],
    key_id: KeyId,
    sharing_id: SharingId,
    epoch: u32,
    receiver: DevicePublicKey,
    not_after: u64,
}

/// Why nothing was exported. The share is handed back as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError<E> {
    /// Not a request.
    #[error("not an export request")]
    Malformed,
    /// Not signed by a registered device of the owner.
    #[error("the request is not signed by a registered device of the owner")]
    NotOwner,
    /// For another key, sharing or epoch.
    #[error("the request is for another key or epoch")]
    OtherKey,
    /// Its time is over.
    #[error("the request has expired: ask the owner's device for a new one")]
    Expired,
    /// The consent does not name this key and receiver.
    #[error("the consent does not name this key and receiver")]
    Consent,
    /// Answered before.
    #[error("the request was answered before")]
    Replayed,
    /// The random number generator failed.
    #[error("the random number generator failed")]
    Rng,
    /// The ledger failed.
    #[error("the ledger failed")]
    Ledger(E),
}

/// Why an answer was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// Not an answer.
    #[error("not an export answer")]
    Malformed,
    /// To another request, or changed.
    #[error("the answer is to another request, or was changed")]
    Refused,
    /// Its time is over.
    #[error("the request has expired")]
    Expired,
    /// The caller does not say which share is the right one.
    #[error("say which public share is expected: every holder of the key knows it")]
    ShareUnknown,
    /// What is inside is not the share that was asked for.
    #[error("the answer does not hold the share that was asked for")]
    Share,
}

impl ExportRequest {
    /// For people: both sides show it. 16 bytes of a hash of the receiver's key and everything asked for.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 16] {
        let hash = Transcript::new("backup", "export fingerprint").part(self.statement()).finish();
        *hash.first_chunk().unwrap_or(&[0; 16])
    }

    /// The key.
    #[must_use]
    pub const fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The last second at which it is answered, since 1970.
    #[must_use]
    pub const fn not_after(&self) -> Duration {
        Duration::from_secs(self.not_after)
    }

    /// What is signed.
    fn statement(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.bytes(REQUEST).bytes(&self.id).bytes(self.key_id.as_ref()).bytes(self.sharing_id.as_ref()).u32(self.epoch);
        w.bytes(self.receiver.as_bytes()).u64(self.not_after);
        w.finish()
    }

    /// Reads a signed request: the request, who claims to have signed it, and the signature. Nothing of it is verified.
    ///
    /// # Errors
    /// [`ExportError::Malformed`].
    pub fn read<E>(bytes: &[u8]) -> Result<(Self, Identity, [u8; 64]), ExportError<E>> {
        let read = Reader::new(bytes).whole(|r| {
            if r.array::<8>()? != *REQUEST {
                return Err(DecodeError::Unsupported);
            }
            let request = Self {
                id: r.array()?,
                key_id: KeyId::from_bytes(r.array()?),
                sharing_id: SharingId::from_bytes(r.array()?),
                epoch: r.u32()?,
                receiver: DevicePublicKey::from_bytes(r.array()?)?,
                not_after: r.u64()?,
            };
            Ok((request, Identity::decode(r)?, r.array()?))
        });
        read.map_err(|_: DecodeError| ExportError::Malformed)
    }

    /// What an answer is bound to.
    fn info(&self, index: PartyId) -> [u8; 32] {
        Transcript::new("backup", "export answer").part(self.statement()).number(index.get()).finish()
    }
}

/// The receiving side: an ephemeral key, wiped on drop, and its request.
pub struct Receiver {
    key: Box<DeviceKey>,
    request: ExportRequest,
}

impl Receiver {
    /// A fresh key, for the shares of one sharing (`epoch` is the generation for factors, whose sharing id is zero).
    ///
    /// # Errors
    /// The generator's.
    pub fn new<R: TryCryptoRng>(of: &Header, not_after: Duration, rng: &mut R) -> Result<Self, R::Error> {
        on_cleared_stack(|| {
            let key = Box::new(DeviceKey::generate(rng)?);
            let mut id = [0; 32];
            rng.try_fill_bytes(&mut id)?;
            let request = ExportRequest {
                id,
                key_id: of.key_id(),
                sharing_id: of.sharing_id(),
                epoch: of.epoch(),
                receiver: *key.public(),
                not_after: not_after.as_secs(),
            };
            Ok(Self { key, request })
        })
    }

    /// What is asked for.
    #[must_use]
    pub const fn asks(&self) -> &ExportRequest {
        &self.request
    }

    /// The request, signed by a registered device of the owner.
    #[must_use]
    pub fn request(&self, device: &IdentityKey) -> Vec<u8> {
        on_cleared_stack(|| {
            let statement = self.request.statement();
            let signature = device.attest(PURPOSE, &statement);
            let mut w = Writer::new();
            w.bytes(&statement);
            device.identity().encode(&mut w);
            w.bytes(&signature);
            w.finish()
        })
    }

    /// Opens an answer: the share that was asked for, of the expected key.
    ///
    /// # Errors
    /// [`AnswerError`].
    ///
    /// # Security
    /// Whoever knows the request could have made the answer, with a share that fits the public key: `expected` MUST name the holder's
    /// public share, which every member of the key knows; it authenticates the sender.
    pub fn open<S: Backed>(
        &self,
        answer: &[u8],
        expected: &Expected<S::Group>,
        now: Duration,
    ) -> Result<S, AnswerError> {
        on_cleared_stack(|| {
            let (public_key, public_share) = expected.points().ok_or(AnswerError::ShareUnknown)?;
            if now.as_secs() > self.request.not_after {
                return Err(AnswerError::Expired);
            }
            let read = Reader::new(answer).whole(|r| {
                if r.array::<8>()? != *ANSWER {
                    return Err(DecodeError::Unsupported);
                }
                Ok((r.array::<32>()?, r.party()?, Sealed::read(r, MAX_SHARE)?))
            });
            let (id, index, sealed) = read.map_err(|_: DecodeError| AnswerError::Malformed)?;
            if id != self.request.id {
                return Err(AnswerError::Refused);
            }
            let share = open_with_device(&self.key, &self.request.info(index), &[], &sealed);
            let share = share.map_err(|_| AnswerError::Refused)?;
            let secret = Reader::new(&share).whole(S::decode).map_err(|_| AnswerError::Share)?;
            let found = secret.header();
            let asked = (self.request.key_id, self.request.sharing_id, self.request.epoch, index);
            if (found.key_id(), found.sharing_id(), found.epoch(), found.index()) != asked
                || found.epoch() < expected.least()
                || found.public_key() != S::Group::point_to_bytes(public_key).as_ref()
                || found.public_share() != S::Group::point_to_bytes(public_share).as_ref()
            {
                return Err(AnswerError::Share);
            }
            Ok(secret)
        })
    }
}

/// Answers a request with a share, once. Gives the answer, and the share marked as exported: store it in the place of the other, and
/// re-seal its backup, before the answer leaves.
///
/// # Errors
/// [`ExportError`], with the share.
///
/// # Security
/// `registered` MUST be the devices of this wallet's owner, from the holder's own records; the caller authenticates whoever asks, too.
/// After an export the key may be whole somewhere: propose to move the funds.
#[allow(clippy::type_complexity, reason = "the share comes back in either case")]
pub fn export<S: Backed, L: Ledger>(
    secret: S,
    request: &[u8],
    registered: &[Identity],
    now: Duration,
    consent: &Consent,
    ledger: &mut L,
    rng: &mut impl TryCryptoRng,
) -> Result<(Vec<u8>, S), (S, ExportError<L::Error>)> {
    on_cleared_stack(|| {
        let request = match check(&secret, request, registered, now, consent) {
            Ok(request) => request,
            Err(error) => return Err((secret, error)),
        };
        let index = secret.header().index();
        // what may fail comes before the claim: a request that is used up was answered
        let mut seed = Zeroizing::new([0; 32]);
        if rng.try_fill_bytes(seed.as_mut()).is_err() {
            return Err((secret, ExportError::Rng));
        }
        let claim = Transcript::new("backup", "export request").part(request.statement()).number(index.get()).finish();
        match ledger.claim(&Token::Export(claim)) {
            Ok(Claimed::Fresh) => {}
            Ok(Claimed::Again) => return Err((secret, ExportError::Replayed)),
            Err(error) => return Err((secret, ExportError::Ledger(error))),
        }
        let secret = secret.exported();
        let rng = &mut SeedRng::new(&seed);
        match seal_to_device(&request.receiver, &request.info(index), &[], &secret.to_secret_bytes(), rng) {
            Ok(sealed) => {
                let mut w = Writer::new();
                w.bytes(ANSWER).bytes(&request.id).u16(index.get());
                sealed.write(&mut w);
                Ok((w.finish(), secret))
            }
            // the receiver's key was checked when it was read
            Err(_) => Err((secret, ExportError::Malformed)),
        }
    })
}

fn check<S: Backed, E>(
    secret: &S,
    request: &[u8],
    registered: &[Identity],
    now: Duration,
    consent: &Consent,
) -> Result<ExportRequest, ExportError<E>> {
    let (request, signer, signature) = ExportRequest::read(request)?;
    if !registered.contains(&signer) || !signer.attested(PURPOSE, &request.statement(), &signature) {
        return Err(ExportError::NotOwner);
    }
    let header = secret.header();
    if (request.key_id, request.sharing_id, request.epoch) != (header.key_id(), header.sharing_id(), header.epoch()) {
        return Err(ExportError::OtherKey);
    }
    if now.as_secs() > request.not_after {
        return Err(ExportError::Expired);
    }
    if !consent.covers(&[Change::Exports(request.key_id, request.fingerprint())]) {
        return Err(ExportError::Consent);
    }
    Ok(request)
}
