//! Hash commitments (keygen.md, Commitment).

use crate::ProofError;
use alloc::vec::Vec;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use symbolon_core::{
    PartyId, SecretBytes, Sid, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use zeroize::Zeroizing;

/// `com = T("commit", label, sid, committer, value, opening)`: hides the value until it is opened and binds it to the
/// run and to the committer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Commitment([u8; 32]);

/// The 32 random bytes that open a commitment; secret until sent.
pub struct Opening(SecretBytes<32>);

fn hash(label: &str, sid: &Sid, committer: PartyId, value: &[u8], opening: &[u8; 32]) -> [u8; 32] {
    Transcript::new("proofs", "commit").part(label).part(sid).number(committer.get()).part(value).part(opening).finish()
}

impl Commitment {
    /// Width in bytes.
    pub const LEN: usize = 32;

    /// Commits to `value` under `sid` (the full sid, or the committer's `sid0` before all nonces are known).
    pub fn commit(
        label: &str,
        sid: &Sid,
        committer: PartyId,
        value: &[u8],
        rng: &mut impl CryptoRng,
    ) -> (Self, Opening) {
        let opening = SecretBytes::random(rng);
        (Self(hash(label, sid, committer, value, opening.expose())), Opening(opening))
    }

    /// Checks an opening, in constant time.
    ///
    /// # Errors
    /// [`ProofError`] when it does not match.
    pub fn verify(
        &self,
        label: &str,
        sid: &Sid,
        committer: PartyId,
        value: &[u8],
        opening: &Opening,
    ) -> Result<(), ProofError> {
        let expected = hash(label, sid, committer, value, opening.0.expose());
        if bool::from(expected.ct_eq(&self.0)) { Ok(()) } else { Err(ProofError) }
    }

    /// The commitment's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Appends the 32 bytes.
    pub fn encode(&self, w: &mut Writer) {
        w.bytes(&self.0);
    }

    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array().map(Self)
    }
}

impl Opening {
    /// Appends the 32 bytes: from here on the value is open.
    pub fn encode(&self, w: &mut Writer) {
        w.bytes(self.0.expose());
    }

    /// The 32 bytes, for a value that is kept and sent later.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.expose().to_vec())
    }

    /// # Errors
    /// [`DecodeError::Truncated`].
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.array().map(|bytes| Self(SecretBytes::new(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_core::SeedRng;

    // attacks.md rows 28, 51: everything that is hashed is bound
    #[test]
    fn row_51_bound_to_label_session_committer_value_and_opening() {
        let mut rng = SeedRng::new(&[1; 32]);
        let (a, b) = (Sid::from_bytes([1; 32]), Sid::from_bytes([2; 32]));
        let (com, opening) = Commitment::commit("x", &a, PartyId::SERVER, b"value", &mut rng);
        let (_, other) = Commitment::commit("x", &a, PartyId::SERVER, b"value", &mut rng);
        assert!(com.verify("x", &a, PartyId::SERVER, b"value", &opening).is_ok());
        assert!(com.verify("y", &a, PartyId::SERVER, b"value", &opening).is_err());
        assert!(com.verify("x", &b, PartyId::SERVER, b"value", &opening).is_err());
        assert!(com.verify("x", &a, PartyId::CLIENT, b"value", &opening).is_err());
        assert!(com.verify("x", &a, PartyId::SERVER, b"valuf", &opening).is_err());
        assert!(com.verify("x", &a, PartyId::SERVER, b"value", &other).is_err());
    }

    #[test]
    fn what_is_written_is_read() {
        let sid = Sid::from_bytes([1; 32]);
        let (com, opening) = Commitment::commit("x", &sid, PartyId::SERVER, b"value", &mut SeedRng::new(&[1; 32]));
        let mut w = Writer::new();
        com.encode(&mut w);
        opening.encode(&mut w);
        let bytes = w.finish();
        assert_eq!(bytes.split_at(Commitment::LEN), (com.as_bytes().as_slice(), opening.to_bytes().as_slice()));
        let mut r = Reader::new(&bytes);
        let (com, opening) = (Commitment::decode(&mut r).unwrap(), Opening::decode(&mut r).unwrap());
        assert!(com.verify("x", &sid, PartyId::SERVER, b"value", &opening).is_ok());
    }
}
