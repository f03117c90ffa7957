//! Where an adversary's decisions come from.

use crate::seeded;
use rand_chacha::ChaCha12Rng;
use rand_core::Rng;

/// All decisions of a run. The answer 0 is always the harmless one, so that whoever has nothing left to say lets the run end.
pub trait Choices {
    /// A number below `n`; 0 if `n` is 0 or 1.
    fn below(&mut self, n: usize) -> usize;

    /// Yes once in `of` times.
    fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == of - 1 && of > 0
    }

    /// Bits to seed something with.
    fn bits(&mut self) -> u64 {
        (0..4).fold(0, |bits, _| bits << 16 | u64::try_from(self.below(1 << 16)).unwrap_or(0))
    }
}

/// Decisions from one seed.
pub struct Seed(ChaCha12Rng);

impl Seed {
    /// The same seed gives the same decisions.
    pub fn new(seed: u64) -> Self {
        Self(seeded(seed))
    }
}

impl Choices for Seed {
    fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).expect("small").max(1);
        usize::try_from(self.0.next_u64() % n).expect("below a usize")
    }
}

/// Decisions from bytes, for a fuzzer. When they run out every answer is 0.
pub struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    /// One byte for each decision among at most 256, two among at most 65536, else four.
    pub const fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }
}

impl Choices for Bytes<'_> {
    fn below(&mut self, n: usize) -> usize {
        let width = match n {
            0 | 1 => return 0,
            2..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            _ => 4,
        };
        let (now, later) = self.0.split_at(width.min(self.0.len()));
        self.0 = later;
        now.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)) % n
    }
}
