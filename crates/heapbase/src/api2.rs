//! `allocator_api2::alloc::Allocator` for every allocator and, by that crate, for shared references to it, so that collections can live
//! on one or bring one along.

use crate::{AssumeSingleThreaded, FailAllocator, Local, RawAllocator};
use allocator_api2::alloc::{AllocError, Allocator};
use core::{
    alloc::{GlobalAlloc, Layout},
    ptr::NonNull,
};

fn block(block: *mut u8, size: usize) -> Result<NonNull<[u8]>, AllocError> {
    NonNull::new(block).map(|block| NonNull::slice_from_raw_parts(block, size)).ok_or(AllocError)
}

/// What stands for a block of no bytes.
fn empty(layout: Layout) -> *mut u8 {
    core::ptr::without_provenance_mut(layout.align())
}

#[inline(always)]
fn allocate<A: GlobalAlloc>(heap: &A, layout: Layout, zeroed: bool) -> Result<NonNull<[u8]>, AllocError> {
    let start = match (layout.size(), zeroed) {
        (0, _) => empty(layout),
        // SAFETY: the size is not 0.
        (_, false) => unsafe { heap.alloc(layout) },
        // SAFETY: the size is not 0.
        (_, true) => unsafe { heap.alloc_zeroed(layout) },
    };
    block(start, layout.size())
}

/// # Safety
///
/// As for [`Allocator::deallocate`].
#[inline(always)]
unsafe fn deallocate<A: GlobalAlloc>(heap: &A, start: NonNull<u8>, layout: Layout) {
    if layout.size() != 0 {
        // SAFETY: the caller's promise.
        unsafe { heap.dealloc(start.as_ptr(), layout) }
    }
}

/// # Safety
///
/// As for [`Allocator::grow`] and [`Allocator::shrink`].
unsafe fn resize<A: GlobalAlloc>(
    heap: &A,
    start: NonNull<u8>,
    old: Layout,
    new: Layout,
) -> Result<NonNull<[u8]>, AllocError> {
    if old.size() != 0 && new.size() != 0 && old.align() == new.align() {
        // SAFETY: the caller's promise; neither size is 0.
        return block(unsafe { heap.realloc(start.as_ptr(), old, new.size()) }, new.size());
    }
    let moved = allocate(heap, new, false)?;
    // SAFETY: the blocks are disjoint and at least as long as is copied; the old one is the caller's to give up.
    unsafe {
        moved.cast::<u8>().copy_from_nonoverlapping(start, old.size().min(new.size()));
        deallocate(heap, start, old);
    }
    Ok(moved)
}

macro_rules! allocator {
    ([$($heap:ident: $bound:path)?] $wrapper:ty) => {
        // SAFETY: an allocator's blocks stay valid wherever it is moved, until it is dropped (`RawAllocator`), and
        // `GlobalAlloc` keeps the other promises.
        unsafe impl$(<$heap: $bound>)? Allocator for $wrapper {
            #[inline(always)]
            fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                allocate(self, layout, false)
            }

            #[inline]
            fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
                allocate(self, layout, true)
            }

            #[inline(always)]
            unsafe fn deallocate(&self, start: NonNull<u8>, layout: Layout) {
                // SAFETY: the caller's promise.
                unsafe { deallocate(self, start, layout) }
            }

            #[inline]
            unsafe fn grow(&self, start: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's promise.
                unsafe { resize(self, start, old, new) }
            }

            #[inline]
            unsafe fn shrink(&self, start: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's promise.
                unsafe { resize(self, start, old, new) }
            }
        }
    };
}

allocator!([A: RawAllocator] Local<A>);
allocator!([A: RawAllocator] AssumeSingleThreaded<A>);
#[cfg(target_has_atomic = "8")]
allocator!([A: RawAllocator] crate::LockedAllocator<A>);
allocator!([] FailAllocator);
#[cfg(target_family = "wasm")]
allocator!([S: crate::memory::PageSource] crate::Global<S>);
