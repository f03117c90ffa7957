//! A generator that is a pure function of its key.

use crate::{Xof, hash_on_cleared_stack};
use alloc::boxed::Box;
use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng};

/// The BLAKE3 XOF of a 32-byte key as a generator. The driver makes one for every round (safety.md S9), `symbolon-seal` one
/// for every sealing, both keyed with a hash over fresh randomness and everything that the outcome depends on.
///
/// It has its key inside, so that it lies at one place of the heap, as the secrets do.
pub struct SeedRng(Box<Xof>);

impl SeedRng {
    /// A generator keyed with a transcript output.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        // cleared at once: a value that is moved later in the same call would take what lies there along in its gaps
        hash_on_cleared_stack(|| Self(Box::new(Xof::new(key, b"symbolon rng"))))
    }
}

impl TryRng for SeedRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(dst);
        Ok(())
    }
}

impl TryCryptoRng for SeedRng {}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::Rng;

    #[test]
    fn one_key_one_stream() {
        let (mut a, mut b) = ([0u8; 96], [0u8; 96]);
        SeedRng::new(&[1; 32]).fill_bytes(&mut a);
        let mut again = SeedRng::new(&[1; 32]);
        b.chunks_mut(32).for_each(|chunk| again.fill_bytes(chunk));
        assert_eq!(a, b);
        SeedRng::new(&[2; 32]).fill_bytes(&mut b);
        assert_ne!(a, b);
    }
}
