//! How frames are authenticated (safety.md S5).

use crate::{Header, Identity, Label, Protocol, Rejected, Roster, To, frame};
use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use rand_core::TryCryptoRng;
use symbolon_core::{PartyId, SecretBytes, SecretVec, Transcript, on_cleared_stack};
use zeroize::Zeroizing;

/// Length of the trailer of a frame that leaves alone: its position, and the signature.
const TRAILER: usize = 1 + 64;

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
        on_cleared_stack(|| Self(Arc::new(SigningKey::from_bytes(seed.expose()))))
    }

    /// A fresh key and nothing to store it by: keep the seed and use [`IdentityKey::from_seed`] for a member that lives
    /// longer than the process.
    ///
    /// # Errors
    /// The generator's.
    pub fn generate<R: TryCryptoRng>(rng: &mut R) -> Result<Self, R::Error> {
        on_cleared_stack(|| {
            let mut seed = Zeroizing::new([0; 32]);
            rng.try_fill_bytes(seed.as_mut_slice())?;
            Ok(Self(Arc::new(SigningKey::from_bytes(&seed))))
        })
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

    /// Signs a statement outside of any run, for [`Identity::attested`]. It is never taken for a frame, nor for a statement
    /// of another purpose.
    ///
    /// # Security
    /// `statement` MUST say everything that it is about; it can be shown to anybody for ever.
    #[must_use]
    pub fn attest(&self, purpose: &str, statement: &[u8]) -> [u8; 64] {
        on_cleared_stack(|| self.0.sign(&attestation(purpose, statement)).to_bytes())
    }
}

impl Identity {
    /// Whether the holder of this identity signed the statement with [`IdentityKey::attest`]. `false` for opaque names.
    #[must_use]
    pub fn attested(&self, purpose: &str, statement: &[u8], signature: &[u8; 64]) -> bool {
        let signature = Signature::from_bytes(signature);
        verifying(self).is_some_and(|key| key.verify_strict(&attestation(purpose, statement), &signature).is_ok())
    }
}

fn attestation(purpose: &str, statement: &[u8]) -> [u8; 32] {
    Transcript::new("session", "attestation").part(purpose).part(statement).finish()
}

/// The key of an identity that can sign.
fn verifying(identity: &Identity) -> Option<VerifyingKey> {
    let Identity::Key(bytes) = identity else { return None };
    VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak())
}

/// How the frames of a run are authenticated; named once, at the start.
#[non_exhaustive]
pub enum Auth {
    /// The caller's channel authenticates the peer, and the caller says in `handle` who it is. Two parties only.
    Channel,
    /// Every frame carries a signature; up to four frames that leave together share one, each with its way up the tree
    /// that is signed. Every identity of the roster is a key.
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
    /// What the members confirm is shown to somebody who takes no part.
    #[error("this run needs signed frames: its confirmations are shown to somebody who takes no part")]
    NeedsSignatures,
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

    /// Bytes of a frame behind header and body.
    ///
    /// # Errors
    /// [`Rejected::Length`], [`Rejected::Signature`]: no frame with a signature.
    pub(crate) fn trailer(&self, frame: &[u8]) -> Result<usize, Rejected> {
        match self {
            Self::Signed(_) => Signed::read(frame).map(|signed| frame.len() - signed.content.len()),
            Self::Channel | Self::Unauthenticated(_) => Ok(0),
        }
    }

    /// Room for the largest.
    pub(crate) const fn max_trailer(&self) -> usize {
        match self {
            Self::Signed(_) => TRAILER + 32 * 2,
            Self::Channel | Self::Unauthenticated(_) => 0,
        }
    }

    /// The verification keys of all peers; empty without signatures.
    pub(crate) fn keys(&self, roster: &Roster) -> Result<BTreeMap<PartyId, VerifyingKey>, AuthError> {
        let key = match self {
            Self::Channel if roster.members().len() > 2 => return Err(AuthError::ChannelIsForTwo),
            Self::Channel | Self::Unauthenticated(_) => return Ok(BTreeMap::new()),
            Self::Signed(key) => key,
        };
        if roster.identity(roster.me()) != Some(&key.identity()) {
            return Err(AuthError::WrongKey);
        }
        let usable =
            |(id, identity): &(PartyId, Identity)| Ok((*id, verifying(identity).ok_or(AuthError::NotAKey(*id))?));
        roster.members().iter().filter(|member| member.0 != roster.me()).map(usable).collect()
    }

    /// Appends their trailers to the frames (header and body) that leave together.
    pub(crate) fn sign(&self, frames: &mut [&mut SecretVec<u8>]) {
        let Self::Signed(key) = self else { return };
        for group in frames.chunks_mut(GROUP) {
            let mut level: Vec<[u8; 32]> = group.iter().map(|frame| frame::digest(frame)).collect();
            level.resize(level.len().next_power_of_two(), [0; 32]);
            // the nodes of each level, the leaves first
            let mut levels = Vec::new();
            while level.len() > 1 {
                let above = level.as_chunks::<2>().0.iter().map(|[left, right]| node(left, right)).collect();
                levels.push(core::mem::replace(&mut level, above));
            }
            let signature = key.0.sign(level.first().map_or(&[][..], <[u8; 32]>::as_slice)).to_bytes();
            for (at, frame) in group.iter_mut().enumerate() {
                let (mut position, mut index) = (1u8, at);
                for level in &levels {
                    frame.extend_from_slice(level.get(index ^ 1).map_or(&[][..], <[u8; 32]>::as_slice));
                    (position, index) = (position << 1, index >> 1);
                }
                frame.push(position | u8::try_from(at).unwrap_or_default());
                frame.extend_from_slice(&signature);
            }
        }
    }
}

/// The most frames that one signature covers. Each carries its way to what is signed, so that their size grows with this.
const GROUP: usize = 4;

/// An inner node over two frames, or over two nodes. It is never the digest of a frame: that has another label.
fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    Transcript::new("session", "frames").part(left).part(right).finish()
}

/// The parts of a signed frame.
struct Signed<'f> {
    /// Header and body.
    content: &'f [u8],
    /// The siblings on the way up.
    path: &'f [[u8; 32]],
    position: u8,
    signature: &'f [u8; 64],
}

impl<'f> Signed<'f> {
    /// # Errors
    /// [`Rejected::Length`]; [`Rejected::Signature`] for a position that no frame has.
    fn read(frame: &'f [u8]) -> Result<Self, Rejected> {
        let (frame, signature) = frame.split_last_chunk().ok_or(Rejected::Length)?;
        let (position, frame) = frame.split_last().ok_or(Rejected::Length)?;
        if usize::from(*position) >= 2 * GROUP {
            return Err(Rejected::Signature);
        }
        let depth =
            position.checked_ilog2().and_then(|depth| usize::try_from(depth).ok()).ok_or(Rejected::Signature)?;
        let at = frame.len().checked_sub(32 * depth).ok_or(Rejected::Length)?;
        let (content, path) = frame.split_at_checked(at).ok_or(Rejected::Length)?;
        Ok(Self { content, path: path.as_chunks().0, position: *position, signature })
    }

    /// Digest of the content, and what is signed.
    fn root(&self) -> ([u8; 32], [u8; 32]) {
        let digest = frame::digest(self.content);
        let up = |(below, position): ([u8; 32], u8), sibling: &[u8; 32]| {
            let above = if position & 1 == 0 { node(&below, sibling) } else { node(sibling, &below) };
            (above, position >> 1)
        };
        (digest, self.path.iter().fold((digest, self.position), up).0)
    }
}

/// What of one sender was verified last: frames that leave together share a signature.
pub(crate) type Verified = ([u8; 32], [u8; 64]);

/// The encodings of the points of small order, without the sign bit.
const SMALL_ORDER: [[u8; 32]; 5] = [
    // order 4, 1 and 2: y = 0, 1, -1
    [0; 32],
    [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    [
        0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ],
    // order 8: y and -y
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, //
        0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, //
        0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Header and body of a frame with a valid signature, and their digest. `key` is not weak.
///
/// It accepts what `VerifyingKey::verify_strict` accepts, without its square root: `verify` compares `R` with the canonical
/// encoding of `s*B - k*A`, so that an `R` that it takes is of small order exactly if it is one of eight strings.
pub(crate) fn verified<'f>(
    frame: &'f [u8],
    key: &VerifyingKey,
    known: Option<&Verified>,
) -> Result<(&'f [u8], [u8; 32], Verified), Rejected> {
    let signed = Signed::read(frame)?;
    let (digest, root) = signed.root();
    let verified = (root, *signed.signature);
    if known != Some(&verified) {
        let signature = Signature::from_bytes(signed.signature);
        let mut big_r = *signature.r_bytes();
        let [.., sign] = &mut big_r;
        *sign &= 0x7f;
        if key.verify(&root, &signature).is_err() || SMALL_ORDER.contains(&big_r) {
            return Err(Rejected::Signature);
        }
    }
    Ok((signed.content, digest, verified))
}

/// Whether two signed frames convict the holder of `key` of sending two different frames for one slot of one run: same
/// protocol, round, sender, recipient, label and run, both signatures valid, different contents. Everybody can check it.
///
/// A `closed` answer names the run of its receiver, so that an honest member has one for each. It is no evidence against a
/// confirmation of the same member, which stands under another tag: see [`crate::Session::closed_by`].
#[must_use]
pub fn convict(a: &[u8], b: &[u8], key: &[u8; 32]) -> bool {
    let Some(key) = verifying(&Identity::Key(*key)) else { return false };
    match (Header::parse(a), Header::parse(b), verified(a, &key, None), verified(b, &key, None)) {
        // `Header` is all of the slot
        (Ok(of_a), Ok(of_b), Ok((_, a, _)), Ok((_, b, _))) => of_a == of_b && a != b,
        _ => false,
    }
}

/// The outcome hash that a member confirmed in the last round of a run of `P`, by its signed frame: what somebody who was no
/// member of the run can check. Only for confirmations that are broadcasts with nothing else in them.
///
/// # Errors
/// [`Rejected`], as in a session; the frame then says nothing.
pub fn confirmed_by<P: Protocol>(
    (member, identity): &(PartyId, Identity),
    label: &Label,
    frame: &[u8],
) -> Result<[u8; 32], Rejected> {
    let header = Header::parse(frame)?;
    if header.protocol != P::ID {
        return Err(Rejected::Protocol(header.protocol));
    }
    if header.label != label.tag() {
        return Err(Rejected::Label);
    }
    if header.sender != *member {
        return Err(Rejected::Sender);
    }
    if !P::KEY_MAKING || header.round != P::ROUNDS || header.to != To::All {
        return Err(Rejected::Slot);
    }
    let (content, ..) = verified(frame, &verifying(identity).ok_or(Rejected::Signature)?, None)?;
    content.get(Header::LEN..).and_then(|body| body.try_into().ok()).ok_or(Rejected::Size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION, traits::IsIdentity};
    use sha2::{Digest, Sha512};

    fn without_sign(point: &EdwardsPoint) -> [u8; 32] {
        let mut bytes = point.compress().to_bytes();
        bytes[31] &= 0x7f;
        bytes
    }

    #[test]
    fn the_list_is_the_torsion_subgroup() {
        assert!(EIGHT_TORSION.iter().all(|point| SMALL_ORDER.contains(&without_sign(point))));
        assert!(SMALL_ORDER.iter().all(|y| EIGHT_TORSION.iter().any(|point| without_sign(point) == *y)));
    }

    /// `R` of small order with `s = k*a`: the holder of the key signs like this, and `verify` alone takes it for `R = O`.
    #[test]
    fn accepts_what_verify_strict_accepts() {
        let key = SigningKey::from_bytes(&[2; 32]);
        let a = key.to_scalar();
        let (mut strict, mut plain) = (0, 0);
        for (i, point) in EIGHT_TORSION.iter().enumerate() {
            let content = vec![u8::try_from(i).unwrap(); 50];
            let digest = frame::digest(&content);
            let big_r = point.compress();
            let hash = Sha512::new().chain_update(big_r.0).chain_update(key.verifying_key()).chain_update(digest);
            let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
            let forged = Signature::from_components(big_r.0, (k * a).to_bytes());
            for signature in [key.sign(&digest), forged] {
                let frame = [content.as_slice(), &[1], &signature.to_bytes()].concat();
                let verifying = key.verifying_key();
                let is_strict = verifying.verify_strict(&digest, &signature).is_ok();
                assert_eq!(verified(&frame, &verifying, None).is_ok(), is_strict);
                strict += usize::from(is_strict);
                plain += usize::from(verifying.verify(&digest, &signature).is_ok());
            }
            assert_eq!(point.is_identity(), i == 0);
        }
        assert_eq!((strict, plain), (8, 9), "the honest ones; and the forged one of the identity");
    }

    fn sign(auth: &Auth, frames: &mut [Vec<u8>]) {
        let mut secret: Vec<_> = frames.iter().map(|frame| SecretVec::new(frame.clone())).collect();
        auth.sign(&mut secret.iter_mut().collect::<Vec<_>>());
        frames.iter_mut().zip(secret).for_each(|(frame, signed)| *frame = signed.into_vec());
    }

    #[test]
    fn one_signature_covers_up_to_four_frames() {
        let key = IdentityKey::from_seed(SecretBytes::new([1; 32]));
        let verifying = key.0.verifying_key();
        let auth = Auth::Signed(key.handle());
        for count in 1..=9u8 {
            let contents: Vec<Vec<u8>> = (0..count).map(|i| vec![i; 40 + usize::from(i)]).collect();
            let mut frames = contents.clone();
            sign(&auth, &mut frames);
            let mut signatures: Vec<_> = frames.iter().map(|frame| frame[frame.len() - 64..].to_vec()).collect();
            signatures.dedup();
            assert_eq!(signatures.len(), contents.len().div_ceil(4));
            let mut known = None;
            for (i, (frame, content)) in frames.iter().zip(&contents).enumerate() {
                // alone in its group, one of two, one of three or four
                let depth = match contents.len() - i / 4 * 4 {
                    1 => 0,
                    2 => 1,
                    _ => 2,
                };
                assert_eq!(auth.trailer(frame), Ok(65 + 32 * depth));
                assert!(65 + 32 * depth <= auth.max_trailer());
                let (read, digest, verified_now) = verified(frame, &verifying, known.as_ref()).unwrap();
                assert_eq!((read, digest), (content.as_slice(), frame::digest(content)));
                // every byte counts, also where the signature is known
                for at in 0..frame.len() {
                    let mut changed = frame.clone();
                    changed[at] ^= 1;
                    assert!(verified(&changed, &verifying, None).is_err(), "{count} frames, {i}, byte {at}");
                    assert!(verified(&changed, &verifying, Some(&verified_now)).is_err());
                }
                for len in 0..frame.len() {
                    assert!(verified(&frame[..len], &verifying, Some(&verified_now)).is_err());
                }
                known = Some(verified_now);
            }
        }
        // what is signed over two frames is not the digest of any frame, and a node is no frame
        let mut frames = [vec![1; 40], vec![2; 40]];
        let digests = frames.each_ref().map(|frame| frame::digest(frame));
        sign(&auth, &mut frames);
        let signature = &frames[0][frames[0].len() - 64..];
        let forged = [digests.as_flattened(), &[1], signature].concat();
        assert!(verified(&forged, &verifying, None).is_err());
        // a known signature vouches for its own root and its own key only
        let (_, _, known) = verified(&frames[0], &verifying, None).unwrap();
        let other = SigningKey::from_bytes(&[9; 32]).verifying_key();
        assert!(verified(&frames[0], &other, None).is_err());
        let mut alone = [vec![3; 40]];
        sign(&auth, &mut alone);
        let stolen = [&alone[0][..40], &[1], signature].concat();
        assert!(verified(&stolen, &verifying, Some(&known)).is_err());
    }

    #[test]
    fn an_attestation_is_of_one_purpose_and_never_a_frame() {
        let key = IdentityKey::from_seed(SecretBytes::new([1; 32]));
        let other = IdentityKey::from_seed(SecretBytes::new([2; 32])).identity();
        let signature = key.attest("purpose", b"statement");
        assert!(key.identity().attested("purpose", b"statement", &signature));
        assert!(!key.identity().attested("another", b"statement", &signature));
        assert!(!key.identity().attested("purpose", b"Statement", &signature));
        // label and statement don't run into each other
        assert!(!key.identity().attested("purposes", b"tatement", &signature));
        assert!(!other.attested("purpose", b"statement", &signature));
        assert!(!Identity::name("somebody").attested("purpose", b"statement", &signature));
        // the key of order one verifies anything
        let mut weak = [0; 32];
        weak[0] = 1;
        assert!(!Identity::Key(weak).attested("purpose", b"statement", &signature));
        // what a frame's signature covers is another hash
        let mut frames = [b"statement".to_vec()];
        sign(&Auth::Signed(key.handle()), &mut frames);
        let [frame] = frames;
        let (content, trailer) = frame.split_last_chunk::<64>().unwrap();
        let content = &content[..content.len() - 1];
        assert!(!key.identity().attested("purpose", content, trailer));
        assert!(!key.identity().attested("frame", content, trailer));
    }
}
