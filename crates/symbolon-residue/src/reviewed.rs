//! What may be left: places that only a dependency can reach.

use crate::Hit;

/// The most stack that any entry may use, its clearing included: 128 KiB below its own frames (`symbolon_core::on_cleared_stack`),
/// and once more where one entry calls another.
pub const DEEPEST: usize = 168 * 1024;

struct Exception {
    entry: &'static str,
    what: &'static str,
    #[allow(dead_code, reason = "for the reader")]
    reason: &'static str,
}

const EXCEPTIONS: [Exception; 0] = [];

/// The exceptions, with what was used of them.
#[derive(Default)]
pub struct Reviewed([bool; EXCEPTIONS.len()]);

impl Reviewed {
    /// Whether a window in a freed block is excused. None on the stack ever is.
    pub fn excuses(&mut self, entry: &str, hit: &Hit) -> bool {
        let at = EXCEPTIONS.iter().position(|one| one.entry == entry && one.what == hit.what);
        at.and_then(|at| self.0.get_mut(at)).map(|used| *used = true).is_some()
    }

    /// Exceptions that nothing needs.
    #[must_use]
    pub fn unused(&self) -> Vec<&'static str> {
        EXCEPTIONS.iter().zip(self.0).filter(|(_, used)| !used).map(|(one, _)| one.entry).collect()
    }
}
