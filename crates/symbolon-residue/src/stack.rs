//! The stack below a call that has returned.

use crate::needles::{Hit, Needles};
use core::hint::black_box;
use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
};
use zeroize::Zeroize;

/// How much is looked at.
pub const DEPTH: usize = 256 * 1024;
/// The operation runs this much further down, so that neither its caller's epilogue nor the reader of the stack runs over what it left.
const GAP: usize = 8 * 1024;
const PAINT: u8 = 0xa7;

/// What an operation left on the stack.
pub struct Dead {
    /// Windows of needles.
    pub hits: Vec<Hit>,
    /// How far down it wrote, its own clearing included.
    pub deepest: usize,
    /// How many bytes it wrote below what it cleared, if it did clear.
    pub below: usize,
}

/// The least that any of the libraries clears. Nothing else leaves as many zeros.
const CLEARED: usize = 32 * 1024;

/// The bytes below the longest run of zeros that are neither zero nor [`PAINT`]. What the work itself wrote in the cleared part can't be
/// told any more, nor need it be.
fn below(stack: &[u8]) -> usize {
    let (mut start, mut longest) = (0, 0..0);
    for (at, byte) in stack.iter().enumerate() {
        if *byte != 0 {
            start = at + 1;
        } else if at + 1 - start > longest.len() {
            longest = start..at + 1;
        }
    }
    if longest.len() < CLEARED - 64 {
        return 0;
    }
    stack[..longest.start].iter().filter(|byte| ![0, PAINT].contains(byte)).count()
}

#[inline(never)]
fn call<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Runs an operation [`GAP`] bytes further down.
#[inline(never)]
fn deep<T>(work: impl FnOnce() -> T) -> T {
    let mut gap = [0u8; GAP];
    black_box(&mut gap);
    let result = call(work);
    black_box(&mut gap);
    result
}

/// Fills the stack below with a pattern.
#[inline(never)]
fn paint() {
    let mut below = [PAINT; DEPTH + 2 * GAP];
    black_box(&mut below);
}

fn here() -> u64 {
    let local = 0u8;
    u64::try_from(black_box(&raw const local).addr()).unwrap_or(0)
}

/// Runs an operation on a clean stack and reads what it left below the caller's frame. Its result lives in the caller's.
///
/// # Panics
/// If the memory of the own process can't be read.
#[inline(never)]
pub fn dead<T>(work: impl FnOnce() -> T) -> (T, Dead) {
    // all that needs memory first: the reader must not run over the stack, nor be in it
    let mut memory = File::open("/proc/self/mem").expect("Linux");
    let mut stack = vec![0; DEPTH];
    paint();
    let result = deep(work);
    let top = here() - u64::try_from(GAP / 2).unwrap_or(0);
    memory.seek(SeekFrom::Start(top - u64::try_from(DEPTH).unwrap_or(0))).expect("a file");
    memory.read_exact(&mut stack).expect("the painted stack is mapped");
    let untouched = stack.iter().take_while(|byte| **byte == PAINT).count();
    let mut hits = Needles::in_bytes(&stack);
    hits.iter_mut().for_each(|hit| hit.place = DEPTH - hit.place);
    let (deepest, below) = (DEPTH - untouched, below(&stack));
    stack.zeroize();
    (result, Dead { hits, deepest, below })
}
