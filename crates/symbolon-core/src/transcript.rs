//! One injective hash for everything (foundations.md, Transcript).
//!
//! `T(label, parts..) = H(H(tag) || H(tag) || for each part: le64(len) || part)` with SHA-256 and
//! `tag = "symbolon/" protocol "/" version "/" label`. Longer outputs append a counter part; bulk expansion is a
//! BLAKE3 XOF keyed with an output.

use crate::Group;
use blake3::OutputReader;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

/// The protocol version that every tag, frame and sid carries.
const VERSION: &[u8] = b"1";

/// A hash under construction: the tag and the parts so far. Clone it to share a common beginning.
#[derive(Clone)]
pub struct Transcript(Sha256);

impl Transcript {
    /// Starts `T(label, ..)` of a protocol.
    #[must_use]
    pub fn new(protocol: &str, label: &str) -> Self {
        let tag = Sha256::new()
            .chain_update(b"symbolon/")
            .chain_update(protocol)
            .chain_update(b"/")
            .chain_update(VERSION)
            .chain_update(b"/")
            .chain_update(label)
            .finalize();
        Self(Sha256::new().chain_update(tag).chain_update(tag))
    }

    /// Appends one part, with its length before it.
    #[must_use]
    pub fn part(mut self, part: impl AsRef<[u8]>) -> Self {
        let part = part.as_ref();
        let len: u64 = part.len().try_into().unwrap_or(u64::MAX);
        self.0.update(len.to_le_bytes());
        self.0.update(part);
        self
    }

    /// Appends an integer as a part of eight bytes.
    #[must_use]
    pub fn number(self, number: impl Into<u64>) -> Self {
        self.part(number.into().to_be_bytes())
    }

    /// Appends the encoding of a point.
    #[must_use]
    pub fn point<G: Group>(self, point: &G::Point) -> Self {
        self.part(G::point_to_bytes(point))
    }

    /// Appends the BLAKE3 hash of bulk data (matrices), which stays injective up to collisions.
    #[must_use]
    pub fn bulk(self, data: &[u8]) -> Self {
        self.part(blake3::hash(data).as_bytes())
    }

    /// The 32-byte output.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    /// A scalar by wide reduction of `T(.., 0) || T(.., 1)`.
    #[must_use]
    pub fn scalar<G: Group>(self) -> G::Scalar {
        let mut wide = Zeroizing::new([0u8; 64]);
        let (low, high) = wide.split_at_mut(32);
        low.copy_from_slice(&self.clone().number(0u8).finish());
        high.copy_from_slice(&self.number(1u8).finish());
        G::scalar_from_wide(&wide)
    }

    /// The output as the key of a BLAKE3 XOF.
    #[must_use]
    pub fn xof(self) -> Xof {
        let key = Zeroizing::new(self.finish());
        Xof::new(&key, &[])
    }
}

/// A BLAKE3 XOF, wiped on drop.
pub struct Xof(OutputReader);

impl Xof {
    /// The keyed XOF of `input`.
    #[must_use]
    pub fn new(key: &[u8; 32], input: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(key);
        hasher.update(input);
        let xof = Self(hasher.finalize_xof());
        hasher.zeroize();
        xof
    }

    /// The next bytes.
    pub fn fill(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }
}

impl Drop for Xof {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};
    use proptest::prelude::*;

    fn hash(parts: &[Vec<u8>]) -> [u8; 32] {
        parts.iter().fold(Transcript::new("test", "x"), |t, p| t.part(p)).finish()
    }

    #[test]
    fn follows_its_formula() {
        let tag = Sha256::digest(b"symbolon/test/1/x");
        let mut h = Sha256::new();
        h.update(tag);
        h.update(tag);
        h.update([3, 0, 0, 0, 0, 0, 0, 0, b'a', b'b', b'c']);
        let expected: [u8; 32] = h.finalize().into();
        assert_eq!(hash(&[b"abc".to_vec()]), expected);
    }

    #[test]
    fn labels_and_protocols_separate() {
        let a = Transcript::new("a", "b").finish();
        assert_ne!(a, Transcript::new("a", "c").finish());
        assert_ne!(a, Transcript::new("b", "b").finish());
    }

    // attacks.md row 30, audit A23: distinct tuples of parts never collide, a byte moved between neighbours included
    proptest! {
        #[test]
        fn row_30_tuples_are_injective(a in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..4),
                                       b in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5), 0..4)) {
            prop_assert_eq!(a == b, hash(&a) == hash(&b));
        }

        #[test]
        fn row_30_shifted_byte(mut a in prop::collection::vec(any::<u8>(), 1..9), b in prop::collection::vec(any::<u8>(), 0..9)) {
            let before = hash(&[a.clone(), b.clone()]);
            let moved = a.pop().into_iter().chain(b.iter().copied()).collect::<Vec<u8>>();
            prop_assert_ne!(before, hash(&[a.clone(), moved]));
            prop_assert_ne!(hash(&[a.clone(), b.clone()]), hash(&[[a, b].concat()]));
        }
    }

    #[test]
    fn an_empty_part_is_a_part() {
        assert_ne!(hash(&[]), hash(&[vec![]]));
        assert_ne!(hash(&[vec![]]), hash(&[vec![], vec![]]));
    }
}
