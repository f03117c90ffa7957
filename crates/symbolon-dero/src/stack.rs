//! `symbolon_core::on_cleared_stack` again: this crate stands alone.

use core::hint::black_box;

/// More than anything here uses: `symbolon-residue` fails if an entry writes below what was cleared.
const CLEARED: usize = 32 * 1024;

/// Runs `work`, then overwrites the stack below it. What is secret in the result is moved into the caller's frame.
#[inline(never)]
pub(crate) fn on_cleared_stack<T>(work: impl FnOnce() -> T) -> T {
    let result = call(work);
    clear();
    result
}

#[inline(never)]
fn call<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn clear() {
    let mut below = [0u64; CLEARED / 8];
    black_box(&mut below);
}
