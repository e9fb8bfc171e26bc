//! The traits that every allocator core of this crate implements.

use core::{alloc::Layout, ptr};

/// An allocator's core: like [`GlobalAlloc`](core::alloc::GlobalAlloc), but it wants exclusive access.
///
/// Wrappers turn a core into a `GlobalAlloc`: [`LockedAllocator`](crate::LockedAllocator),
/// [`AssumeSingleThreaded`](crate::AssumeSingleThreaded), [`Local`](crate::Local).
///
/// # Safety
///
/// A pointer that [`allocate`](Self::allocate), [`allocate_zeroed`](Self::allocate_zeroed) or
/// [`reallocate`](Self::reallocate) returns is null or points to at least as many bytes as asked for, aligned as asked for,
/// that are nobody else's until they are given back or the allocator is dropped, wherever it is moved meanwhile. No function unwinds.
pub unsafe trait RawAllocator {
    /// A block for `layout`, or null when there is no memory.
    ///
    /// # Safety
    ///
    /// The size is not 0.
    unsafe fn allocate(&mut self, layout: Layout) -> *mut u8;

    /// As [`allocate`](Self::allocate), and the first `layout.size()` bytes are zero.
    ///
    /// # Safety
    ///
    /// The size is not 0.
    unsafe fn allocate_zeroed(&mut self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise; the block is at least as long as the layout.
        unsafe {
            let block = self.allocate(layout);
            if !block.is_null() {
                block.write_bytes(0, layout.size());
            }
            block
        }
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// `block` came from this allocator for `layout` (after a [`reallocate`](Self::reallocate): with the new size) and
    /// is not used any more.
    unsafe fn deallocate(&mut self, block: *mut u8, layout: Layout);

    /// Changes a block's size, where it is or by moving it. Null: nothing was changed, and the old block stays valid.
    /// Shrinking may need another block too, and fail without memory for it.
    ///
    /// # Safety
    ///
    /// As for [`deallocate`](Self::deallocate); `new_size` is not 0, and rounded up to `layout.align()` at most
    /// `isize::MAX`.
    unsafe fn reallocate(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the same contract.
        unsafe { moved(self, block, layout, new_size) }
    }
}

/// An allocator that finds a block's size from its address, so that blocks can be given back without it.
///
/// # Safety
///
/// [`usable_size`](Self::usable_size) is at most the number of bytes that are the block's own.
pub unsafe trait SizedByAddress: RawAllocator {
    /// Bytes that a block can hold, at least as many as asked for.
    ///
    /// # Safety
    ///
    /// `block` came from this allocator and is in use.
    unsafe fn usable_size(&self, block: *mut u8) -> usize;

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// `block` came from this allocator, for whatever size and alignment, and is not used any more.
    unsafe fn free(&mut self, block: *mut u8);

    /// Changes a block's size where it is, if that is possible. False: nothing was changed.
    ///
    /// From then on the block must be given back by its address, not by size.
    ///
    /// # Safety
    ///
    /// `block` came from this allocator and is in use; `new_size` is not 0. Bytes past the new size are lost.
    unsafe fn resize(&mut self, block: *mut u8, new_size: usize) -> bool {
        // SAFETY: the caller's promise.
        new_size <= unsafe { self.usable_size(block) }
    }
}

/// Reallocates by allocating, copying and freeing.
///
/// # Safety
///
/// As for [`RawAllocator::reallocate`].
pub(crate) unsafe fn moved<A: RawAllocator + ?Sized>(
    heap: &mut A,
    block: *mut u8,
    layout: Layout,
    new_size: usize,
) -> *mut u8 {
    // SAFETY: the caller's promise on `new_size`; the two blocks are disjoint and at least as long as is copied.
    unsafe {
        let new = heap.allocate(Layout::from_size_align_unchecked(new_size, layout.align()));
        if !new.is_null() {
            ptr::copy_nonoverlapping(block, new, layout.size().min(new_size));
            heap.deallocate(block, layout);
        }
        new
    }
}
