//! The allocator that has nothing.

use crate::RawAllocator;
use core::{
    alloc::{GlobalAlloc, Layout},
    ptr,
};

/// Fails every allocation: for modules that must not allocate and should prove it. O(1), safe with threads.
///
/// ```
/// use core::alloc::{GlobalAlloc, Layout};
///
/// // SAFETY: the size is not 0.
/// assert!(unsafe { heapbase::FailAllocator.alloc(Layout::new::<u64>()) }.is_null());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct FailAllocator;

// SAFETY: null is always allowed.
unsafe impl RawAllocator for FailAllocator {
    #[inline]
    unsafe fn allocate(&mut self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    #[inline]
    unsafe fn deallocate(&mut self, _: *mut u8, _: Layout) {}

    #[inline]
    unsafe fn reallocate(&mut self, _: *mut u8, _: Layout, _: usize) -> *mut u8 {
        ptr::null_mut()
    }
}

// SAFETY: null is always allowed.
unsafe impl GlobalAlloc for FailAllocator {
    #[inline]
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        ptr::null_mut()
    }

    #[inline]
    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}

    #[inline]
    unsafe fn realloc(&self, _: *mut u8, _: Layout, _: usize) -> *mut u8 {
        ptr::null_mut()
    }
}
