//! What may be left: places that only a dependency can reach.

use crate::Hit;

/// The most stack that any entry may use, its clearing included: 128 KiB below its own frames (`symbolon_core::on_cleared_stack`),
/// and once more where one entry calls another. Where a frame is only filed 32 KiB are cleared (`symbolon_core::file_on_cleared_stack`), and
/// [`SPILLED`] finds what went below.
pub const DEEPEST: usize = 168 * 1024;
/// The same for `symbolon-dero`, which clears 32 KiB below its own frames.
pub const DEEPEST_DERO: usize = 40 * 1024;
/// What may lie below the cleared part: what the clearings themselves spill, two words for each of those that are inside of one another.
pub const SPILLED: usize = 96;

/// `PBKDF2-HMAC-SHA-256(password, salt, 1, ..)`, the first block of scrypt's memory.
pub const SCRYPT_BEGINS: &str = "what scrypt begins with";

struct Exception {
    what: &'static str,
    #[allow(dead_code, reason = "for the reader")]
    reason: &'static str,
}

const EXCEPTIONS: [Exception; 1] = [Exception {
    what: SCRYPT_BEGINS,
    reason: "the crate `scrypt` frees its memory as it is, has no function that works in memory of the caller's, and no feature that \
             wipes it. Whoever reads that block guesses passwords at the cost of one hash each: SECURITY.md says so. What it gives \
             in the end is no part of this exception",
}];

/// The exceptions, with what was used of them.
#[derive(Default)]
pub struct Reviewed([bool; EXCEPTIONS.len()]);

impl Reviewed {
    /// Whether a window in a freed block is excused. None on the stack ever is.
    pub fn excuses(&mut self, hit: &Hit) -> bool {
        let at = EXCEPTIONS.iter().position(|one| one.what == hit.what);
        at.and_then(|at| self.0.get_mut(at)).map(|used| *used = true).is_some()
    }

    /// Exceptions that nothing needs.
    #[must_use]
    pub fn unused(&self) -> Vec<&'static str> {
        EXCEPTIONS.iter().zip(self.0).filter(|(_, used)| !used).map(|(one, _)| one.what).collect()
    }
}
