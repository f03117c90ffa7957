//! How much memory a parser has at once, and how much it asks for: an allocator that counts, for each thread.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
    static ASKED: Cell<usize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

fn count(more: usize, less: usize) {
    ASKED.set(ASKED.get().wrapping_add(more));
    LARGEST.set(LARGEST.get().max(more));
    // a size fits: an allocation is at most `isize::MAX` bytes
    let most = LIVE.get() + more as isize;
    PEAK.set(PEAK.get().max(most));
    LIVE.set(most - less as isize);
}

// SAFETY: everything is the system allocator's; counting allocates nothing, since the cells have constant initial values and no
// destructors.
#[allow(unsafe_code, reason = "an allocator is unsafe by its trait; this one counts and asks the system")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promises are those of the system allocator
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // as if it always moved: both blocks live at once
        count(size, layout.size());
        // SAFETY: as above
        unsafe { System.realloc(block, layout, size) }
    }
}

/// The value of `f`, and how many bytes lived at once during it beyond those before.
pub(crate) fn peak<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let value = f();
    (value, usize::try_from(PEAK.get() - before).unwrap_or(0))
}

/// The value of `f`, how many bytes it has asked for in total, and in its largest request.
#[cfg(test)]
pub(crate) fn asked<T>(f: impl FnOnce() -> T) -> (T, usize, usize) {
    let before = ASKED.get();
    LARGEST.set(0);
    let value = f();
    (value, ASKED.get().wrapping_sub(before), LARGEST.get())
}

/// The value of `f`, which reads `input` and has at most `factor` bytes at once for each of its bytes, and 4096 bytes.
pub(crate) fn bounded<T>(factor: usize, input: &[u8], f: impl FnOnce() -> T) -> T {
    let (value, peak) = peak(f);
    let len = input.len();
    assert!(peak <= factor * len + 4096, "{peak} bytes of memory for {len} bytes of input");
    value
}
