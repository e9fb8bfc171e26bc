//! Parents that are awkward: they fail or panic when they are told to.

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
