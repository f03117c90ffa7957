//! An allocator that looks at every block before it is freed.

#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use crate::needles;
use core::{alloc::GlobalAlloc, slice};
use std::alloc::{Layout, System};

/// The system's allocator, which looks for [`crate::Needles`] in every block that is freed. Growing a block always moves it, so that
/// the old one is looked at too.
///
/// ```
/// #[global_allocator]
/// static HEAP: symbolon_residue::Scanning = symbolon_residue::Scanning;
/// ```
pub struct Scanning;

// SAFETY: every block is the system allocator's own, asked for with the caller's layout and given back with it. `realloc` is that of
// the trait: allocate, copy, free.
unsafe impl GlobalAlloc for Scanning {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's layout has a size, which is what `System` asks for too. Zeroed, because a block that the caller does
        // not fill would bring the bytes of the one before it.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is live, has `layout.size()` bytes, all of them initialised by `alloc`, and nobody else uses it.
        needles::look(unsafe { slice::from_raw_parts(block, layout.size()) });
        // SAFETY: it came from `System` with this layout.
        unsafe { System.dealloc(block, layout) }
    }
}
