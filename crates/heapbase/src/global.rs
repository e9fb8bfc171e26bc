//! The one line that a user writes.

#[cfg(not(target_feature = "atomics"))]
use crate::AssumeSingleThreaded as Shared;
#[cfg(target_feature = "atomics")]
use crate::LockedAllocator as Shared;
use crate::{SizeClassAllocator, memory::MemoryGrow};
use core::alloc::{GlobalAlloc, Layout};

/// The flagship over the module's own memory, for WebAssembly: locked where the target has threads, without a lock
/// where it has none.
///
/// ```
/// # #[cfg(target_family = "wasm")]
/// #[global_allocator]
/// static A: heapbase::Global = heapbase::Global::new();
/// ```
#[derive(Debug)]
pub struct Global(Shared<SizeClassAllocator<MemoryGrow>>);

impl Global {
    /// A heap that grows the module's memory when it is first used.
    #[cfg(target_feature = "atomics")]
    pub const fn new() -> Self {
        Self(Shared::new(SizeClassAllocator::new()))
    }

    /// A heap that grows the module's memory when it is first used.
    #[cfg(not(target_feature = "atomics"))]
    pub const fn new() -> Self {
        // SAFETY: WebAssembly without the atomics feature has neither threads nor interrupts.
        Self(unsafe { Shared::new(SizeClassAllocator::new()) })
    }

    /// Calls `f` with exclusive access to the allocator: for the exports.
    ///
    /// # Safety
    ///
    /// `f` does not use this wrapper.
    #[doc(hidden)]
    #[inline(always)]
    pub unsafe fn exclusive<R>(&self, f: impl FnOnce(&mut SizeClassAllocator<MemoryGrow>) -> R) -> R {
        // SAFETY: the caller's promise.
        unsafe { self.0.exclusive(f) }
    }

    /// Gives a block back by its address alone.
    ///
    /// # Safety
    ///
    /// `block` came from this allocator and is not used any more.
    #[inline]
    pub unsafe fn free(&self, block: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { self.0.free(block) }
    }

    /// Bytes that a block can hold, at least as many as asked for.
    ///
    /// # Safety
    ///
    /// `block` came from this allocator and is in use.
    #[inline]
    pub unsafe fn usable_size(&self, block: *mut u8) -> usize {
        // SAFETY: the caller's promise.
        unsafe { self.0.usable_size(block) }
    }
}

impl Default for Global {
    fn default() -> Self {
        Self::new()
    }
}

// SAFETY: every call is the wrapper's.
unsafe impl GlobalAlloc for Global {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.0.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.0.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { self.0.realloc(block, layout, new_size) }
    }
}
