//! Clears the stack that a computation with secrets has used.

use core::hint::black_box;

/// More than the deepest public entry uses: `symbolon-residue` measures it with a painted stack.
const CLEARED: usize = 128 * 1024;
/// More than a hash and the values around it use.
const CLEARED_AFTER_HASH: usize = 4 * 1024;

/// Runs `work`, then overwrites the stack below it: values that were computed with, copies that moves left, spilled registers.
/// Whatever wipes itself on drop wipes only the place where it lay last.
///
/// Every public function of these libraries that computes with secrets does its work in here, at the outermost level. It is no
/// part of the arithmetic: [`crate::Group`] and [`crate::SecretScalar`] leave what they leave.
///
/// # Security
/// The result is moved into the caller's frame: what is secret in it MUST be on the heap, as in [`crate::SecretScalar`] and
/// [`crate::SecretBytes`].
#[inline(never)]
pub fn on_cleared_stack<T>(work: impl FnOnce() -> T) -> T {
    let result = call(work);
    clear::<{ CLEARED / 8 }>();
    result
}

/// The same for work that only hashes or draws: it clears less. Inside of other work, where what follows may take along what lies on the
/// stack, in the gaps of a value that is moved.
#[inline(never)]
pub fn hash_on_cleared_stack<T>(work: impl FnOnce() -> T) -> T {
    let result = call(work);
    clear::<{ CLEARED_AFTER_HASH / 8 }>();
    result
}

/// A frame of its own for `work`, below the one that outlives the clearing.
#[inline(never)]
fn call<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn clear<const WORDS: usize>() {
    let mut below = [0u64; WORDS];
    black_box(&mut below);
}
