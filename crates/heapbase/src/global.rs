//! The one line that a user writes.

#[cfg(not(target_feature = "atomics"))]
use crate::AssumeSingleThreaded as Shared;
#[cfg(target_feature = "atomics")]
use crate::LockedAllocator as Shared;
use crate::{
    SizeClassAllocator,
    memory::{FromHeapBase, MemoryGrow, PageSource},
};
use core::alloc::{GlobalAlloc, Layout};

/// The flagship over the module's own memory, for WebAssembly: locked where the target has threads, without a lock
/// where it has none.
///
/// ```
/// # #[cfg(target_family = "wasm")]
/// #[global_allocator]
/// static A: heapbase::Global = heapbase::Global::new();
/// ```
///
/// `Global<FromHeapBase>` is the same for a program that owns its memory from `__heap_base` on: what the feature `v1` installs.
#[derive(Debug)]
pub struct Global<S = MemoryGrow>(Shared<SizeClassAllocator<S>>);

impl Global<FromHeapBase> {
    /// A heap that starts at `__heap_base`, in the rest of the page that the program's data end in.
    ///
    /// # Safety
    ///
    /// As for [`FromHeapBase::new`].
    pub const unsafe fn from_heap_base() -> Self {
        // SAFETY: the caller's promise; without the atomics feature there are neither threads nor interrupts.
        #[allow(unused_unsafe, reason = "the locked wrapper is safe to make")]
        Self(unsafe { Shared::new(SizeClassAllocator::with_source(FromHeapBase::new())) })
    }
}

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
}

impl<S: PageSource> Global<S> {
    /// Calls `f` with exclusive access to the allocator: for the exports.
    ///
    /// # Safety
    ///
    /// `f` does not use this wrapper.
    #[doc(hidden)]
    #[inline(always)]
    pub unsafe fn exclusive<R>(&self, f: impl FnOnce(&mut SizeClassAllocator<S>) -> R) -> R {
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
unsafe impl<S: PageSource> GlobalAlloc for Global<S> {
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
