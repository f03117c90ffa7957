//! Generators for tests: reproducible from a printed seed, or failing on demand.

use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use rand_core::{TryCryptoRng, TryRng};

/// A reproducible generator. Tests only: the libraries draw all randomness from the caller's.
#[must_use]
pub fn seeded(seed: u64) -> ChaCha12Rng {
    ChaCha12Rng::seed_from_u64(seed)
}

/// Works for a number of draws, then fails for ever.
pub struct FailingRng {
    inner: ChaCha12Rng,
    left: u32,
}

/// The error of [`FailingRng`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRandomness;

impl core::fmt::Display for OutOfRandomness {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("out of randomness")
    }
}

impl core::error::Error for OutOfRandomness {}

impl FailingRng {
    /// Fails on draw number `draws` (counted from 0) and on every later one.
    #[must_use]
    pub fn after(draws: u32) -> Self {
        Self { inner: seeded(u64::from(draws)), left: draws }
    }

    fn draw(&mut self) -> Result<&mut ChaCha12Rng, OutOfRandomness> {
        self.left = self.left.checked_sub(1).ok_or(OutOfRandomness)?;
        Ok(&mut self.inner)
    }
}

impl TryRng for FailingRng {
    type Error = OutOfRandomness;

    fn try_next_u32(&mut self) -> Result<u32, OutOfRandomness> {
        Ok(rand_core::Rng::next_u32(self.draw()?))
    }

    fn try_next_u64(&mut self) -> Result<u64, OutOfRandomness> {
        Ok(rand_core::Rng::next_u64(self.draw()?))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), OutOfRandomness> {
        rand_core::Rng::fill_bytes(self.draw()?, dst);
        Ok(())
    }
}

impl TryCryptoRng for FailingRng {}
