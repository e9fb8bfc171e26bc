//! Parents that are awkward: they fail or panic when they are told to. And what is asked of any.

#![allow(dead_code, reason = "shared by several test programs")]

use allocator_api2::alloc::{AllocError, Allocator, Global, Layout};
use core::{cell::Cell, ptr::NonNull};

/// The system's memory, until it has none.
pub(crate) struct Ending(pub(crate) Cell<bool>);

// SAFETY: every block is the system's.
unsafe impl Allocator for Ending {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if self.0.get() { Err(AllocError) } else { Global.allocate(layout) }
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { Global.deallocate(block, layout) }
    }
}

/// The system's memory, with a panic in place of an answer.
pub(crate) struct Panicking(pub(crate) Cell<bool>);

impl Panicking {
    fn answer(&self) {
        assert!(!self.0.get(), "as planned");
    }
}

// SAFETY: every block is the system's; a panic changes nothing.
unsafe impl Allocator for Panicking {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.answer();
        Global.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { Global.deallocate(block, layout) }
    }

    unsafe fn grow(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.answer();
        // SAFETY: the caller's promise.
        unsafe { Global.grow(block, old, new) }
    }
}

/// Memory that is not zero, and not fresh the second time.
pub(crate) fn zeroed_by(memory: impl Allocator) {
    for size in [1, 7, 24, 120, 121, 1_000, 5_000, 70_000] {
        let layout = Layout::from_size_align(size, 8).unwrap();
        for _ in 0..3 {
            let block = memory.allocate_zeroed(layout).unwrap().cast::<u8>();
            // SAFETY: a block of so many bytes, given back once.
            unsafe {
                assert!((0..size).all(|at| block.add(at).read() == 0), "{size} bytes");
                block.write_bytes(0xaa, size);
                memory.deallocate(block, layout);
            }
        }
    }
}
