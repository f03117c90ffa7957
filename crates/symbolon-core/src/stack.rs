//! Clears the stack that a computation with secrets has used.

use core::hint::black_box;

/// More than any public entry uses: `symbolon-residue` fails if one writes below what was cleared.
const CLEARED: usize = 128 * 1024;
/// More than the verification of a signature and the values around it use.
const CLEARED_AFTER_FILING: usize = 32 * 1024;
/// More than a hash and the values around it use.
const CLEARED_AFTER_HASH: usize = 4 * 1024;

/// Runs `work`, then overwrites the stack below it: values that were computed with, copies that moves left, spilled registers.
/// Whatever wipes itself on drop wipes only the place where it lay last. Also when `work` panics.
///
/// The entries of sessions, of stored values, backups, sealing and recovery do their work in here, at the outermost level. The blocks
/// that they are built of leave what they leave, and whoever calls them by themselves clears after them: the arithmetic
/// ([`crate::Group`], [`crate::SecretScalar`]), transcripts, proofs and commitments, steps of protocols, digests, encoders.
///
/// It takes 128 KiB of stack beside what `work` takes: threads that call these libraries need at least 256 KiB.
///
/// # Security
/// The result is moved into the caller's frame: what is secret in it MUST be on the heap, as in [`crate::SecretScalar`] and
/// [`crate::SecretBytes`].
#[inline(never)]
pub fn on_cleared_stack<T>(work: impl FnOnce() -> T) -> T {
    let _after = After::<{ CLEARED / 8 }>;
    call(work)
}

/// The same for work that only hashes or draws: it clears less. Inside of other work, where what follows may take along what lies on the
/// stack, in the gaps of a value that is moved.
#[inline(never)]
pub fn hash_on_cleared_stack<T>(work: impl FnOnce() -> T) -> T {
    let _after = After::<{ CLEARED_AFTER_HASH / 8 }>;
    call(work)
}

/// The same for work that checks a message and files it, at the outermost level: hashes, copies and the verification of a signature, or the
/// end of a run, which drops what is on the heap. Where many messages are awaited, most of them are only filed.
#[inline(never)]
pub fn file_on_cleared_stack<T>(work: impl FnOnce() -> T) -> T {
    let _after = After::<{ CLEARED_AFTER_FILING / 8 }>;
    call(work)
}

/// A frame of its own for `work`, below the one that outlives the clearing.
#[inline(never)]
fn call<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Clears when it is dropped.
struct After<const WORDS: usize>;

impl<const WORDS: usize> Drop for After<WORDS> {
    fn drop(&mut self) {
        clear::<WORDS>();
    }
}

#[inline(never)]
fn clear<const WORDS: usize>() {
    let mut below = [0u64; WORDS];
    black_box(&mut below);
}
