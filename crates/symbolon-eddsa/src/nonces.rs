//! Round one: nonces and their commitments (RFC 9591, sections 4.1 and 5.1).

use crate::{Ciphersuite, SignError};
use alloc::{collections::BTreeMap, vec::Vec};
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use symbolon_core::{
    PartyId, SecretBytes, SecretScalar, SeedRng, Transcript, on_cleared_stack,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::{Roster, Token};
use symbolon_sharing::KeyShare;

/// The hiding and the binding nonce of one signer for one signature, `(d, e)`. Used once, by value; wiped on drop.
/// Shares of signatures with the same nonces are equations in three unknowns: the third one gives away the secret share.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_eddsa::Nonces<symbolon_core::Ed25519>>();
/// ```
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_eddsa::Nonces<symbolon_core::Ed25519>>();
/// ```
pub struct Nonces<C: Ciphersuite> {
    pub(crate) hiding: SecretScalar<C>,
    pub(crate) binding: SecretScalar<C>,
    commitments: NonceCommitments<C>,
}

impl<C: Ciphersuite> Nonces<C> {
    /// `commit` of section 5.1: fresh nonces, each hedged with the secret share (`nonce_generate`).
    ///
    /// # Errors
    /// The generator's.
    ///
    /// # Security
    /// A copy of the process or machine that runs on from here with the same nonces can give away the share. Nonces that are
    /// kept are claimed in the ledger before they are used: [`Self::token`].
    pub fn generate<R: TryCryptoRng>(share: &KeyShare<C>, rng: &mut R) -> Result<Self, R::Error> {
        on_cleared_stack(|| {
            let (hiding, binding) = (SecretBytes::try_random(rng)?, SecretBytes::try_random(rng)?);
            Ok(Self::from_randomness(share.secret(), &hiding, &binding))
        })
    }

    /// The same from the generator of a run.
    pub(crate) fn draw(share: &SecretScalar<C>, rng: &mut SeedRng) -> Self {
        let (hiding, binding) = (SecretBytes::random(rng), SecretBytes::random(rng));
        Self::from_randomness(share, &hiding, &binding)
    }

    /// `count` at once, with one inversion for all encodings.
    pub(crate) fn batch(share: &SecretScalar<C>, count: u16, rng: &mut SeedRng) -> Vec<Self> {
        let mut draw = |_| {
            let (hiding, binding) = (SecretBytes::random(rng), SecretBytes::random(rng));
            (nonce_generate(&hiding, share), nonce_generate(&binding, share))
        };
        let nonces: Vec<_> = (0..count).map(&mut draw).collect();
        let points: Vec<_> = nonces.iter().flat_map(|(d, e)| [d.public(), e.public()]).collect();
        let bytes = C::points_to_bytes(&points);
        let commitments = points.as_chunks::<2>().0.iter().zip(bytes.as_chunks::<2>().0);
        let commitments = commitments.map(|(points, bytes)| NonceCommitments { points: *points, bytes: *bytes });
        let nonces = nonces.into_iter().zip(commitments);
        nonces.map(|((hiding, binding), commitments)| Self { hiding, binding, commitments }).collect()
    }

    /// The same with given randomness, 32 bytes for each nonce: for test vectors.
    pub(crate) fn from_randomness(
        share: &SecretScalar<C>,
        hiding: &SecretBytes<32>,
        binding: &SecretBytes<32>,
    ) -> Self {
        let (hiding, binding) = (nonce_generate(hiding, share), nonce_generate(binding, share));
        let points = [hiding.public(), binding.public()];
        let bytes = C::points_to_bytes(&points).try_into().expect("an encoding for each point");
        Self { hiding, binding, commitments: NonceCommitments { points, bytes } }
    }

    /// What is sent in round one.
    #[must_use]
    pub const fn commitments(&self) -> &NonceCommitments<C> {
        &self.commitments
    }

    /// What MUST be claimed in the ledger before nonces that were kept are used (safety.md S8).
    #[must_use]
    pub fn token(&self) -> Token {
        let [d, e] = &self.commitments.bytes;
        Token::Nonce(Transcript::new("eddsa", "nonces").part(d).part(e).finish())
    }
}

/// Section 4.1: `H3(random_bytes || secret)`.
fn nonce_generate<C: Ciphersuite>(random: &SecretBytes<32>, secret: &SecretScalar<C>) -> SecretScalar<C> {
    SecretScalar::new(C::h3(&[random.expose(), secret.to_bytes().expose()]))
}

/// The commitments `D = d*G` and `E = e*G` of one signer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NonceCommitments<C: Ciphersuite> {
    points: [C::Point; 2],
    bytes: [C::PointBytes; 2],
}

impl<C: Ciphersuite> NonceCommitments<C> {
    /// Bytes of an encoding.
    pub const LEN: usize = 2 * C::POINT_LEN;

    pub(crate) const fn points(&self) -> &[C::Point; 2] {
        &self.points
    }

    /// One bit, whatever the points are.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let [[d, e], [other_d, other_e]] = [&self.points, &other.points];
        (d.ct_eq(other_d) & e.ct_eq(other_e)).into()
    }

    /// Appends `D`, then `E`.
    pub fn encode(&self, w: &mut Writer) {
        self.bytes.iter().for_each(|point| {
            w.bytes(point.as_ref());
        });
    }

    /// `D || E`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(Self::LEN);
        self.encode(&mut w);
        w.finish()
    }

    /// # Errors
    /// Those of [`Self::decode`], and for another length.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(bytes).whole(Self::decode)
    }

    /// # Errors
    /// [`DecodeError`]: not two canonical points of the prime-order group, or the identity.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut point = || -> Result<(C::Point, C::PointBytes), DecodeError> {
            let bytes = r.bytes(C::POINT_LEN)?;
            // points have one encoding: these bytes are what the point encodes to
            Ok((C::point_from_bytes(bytes)?, bytes.try_into().map_err(|_| DecodeError::Truncated)?))
        };
        let ((d, d_bytes), (e, e_bytes)) = (point()?, point()?);
        Ok(Self { points: [d, e], bytes: [d_bytes, e_bytes] })
    }
}

/// The commitments of all signers of one signature, by ascending identifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommitmentList<C: Ciphersuite>(BTreeMap<PartyId, NonceCommitments<C>>);

impl<C: Ciphersuite> CommitmentList<C> {
    /// Of signers in any order.
    ///
    /// # Errors
    /// [`SignError::Signers`] if one is there twice, or for more than 255.
    pub fn new(entries: impl IntoIterator<Item = (PartyId, NonceCommitments<C>)>) -> Result<Self, SignError> {
        let mut list = BTreeMap::new();
        for (id, commitments) in entries {
            if list.insert(id, commitments).is_some() || list.len() > Roster::MAX {
                return Err(SignError::Signers);
            }
        }
        Ok(Self(list))
    }

    pub(crate) const fn of(list: BTreeMap<PartyId, NonceCommitments<C>>) -> Self {
        Self(list)
    }

    /// The signers, by ascending identifier.
    pub fn signers(&self) -> impl Iterator<Item = PartyId> + '_ {
        self.0.keys().copied()
    }

    /// The commitments of a signer.
    #[must_use]
    pub fn get(&self, signer: PartyId) -> Option<&NonceCommitments<C>> {
        self.0.get(&signer)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (PartyId, &NonceCommitments<C>)> {
        self.0.iter().map(|(id, commitments)| (*id, commitments))
    }

    /// `encode_group_commitment_list` of section 4.3: for each signer its identifier as a scalar, `D`, `E`.
    pub(crate) fn hash_input(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(self.0.len() * (32 + NonceCommitments::<C>::LEN));
        for (id, commitments) in &self.0 {
            w.scalar::<C>(&C::Scalar::from(u64::from(id.get())));
            commitments.encode(&mut w);
        }
        w.finish()
    }

    /// What a coordinator sends to the signers: a count (2 bytes), then for each signer its identifier (2 bytes), `D`, `E`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(2 + self.0.len() * (2 + NonceCommitments::<C>::LEN));
        w.u16(u16::try_from(self.0.len()).unwrap_or(u16::MAX));
        for (id, commitments) in &self.0 {
            w.u16(id.get());
            commitments.encode(&mut w);
        }
        w.finish()
    }

    /// # Errors
    /// [`DecodeError`]; [`DecodeError::Value`] for identifiers that are not strictly ascending.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Reader::new(bytes).whole(|r| {
            let mut list = BTreeMap::new();
            for _ in 0..r.count(255)? {
                let id = r.party()?;
                if list.last_key_value().is_some_and(|(last, _)| *last >= id) {
                    return Err(DecodeError::Value);
                }
                list.insert(id, NonceCommitments::decode(r)?);
            }
            Ok(Self(list))
        })
    }
}
