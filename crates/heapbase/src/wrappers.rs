//! What turns an allocator's core into a [`GlobalAlloc`]: a lock, or a promise that there is one thread.

mod local;
#[cfg(target_has_atomic = "8")]
mod locked;
mod or_trap;
#[cfg(target_has_atomic = "8")]
mod spin;

pub use local::{AssumeSingleThreaded, Local};
#[cfg(target_has_atomic = "8")]
pub use locked::LockedAllocator;
pub use or_trap::OrTrap;

/// Implements `GlobalAlloc` for a wrapper that has `fn with<R>(&self, FnOnce(&mut A) -> R) -> R`.
macro_rules! global_alloc_through_with {
    ($wrapper:ident) => {
        // SAFETY: a `RawAllocator` keeps the promises of `GlobalAlloc`, and `with` gives it exclusive access.
        unsafe impl<A: crate::RawAllocator> core::alloc::GlobalAlloc for $wrapper<A> {
            #[inline]
            unsafe fn alloc(&self, layout: core::alloc::Layout) -> *mut u8 {
                // SAFETY: the caller's promise.
                self.with(|heap| unsafe { heap.allocate(layout) })
            }

            #[inline]
            unsafe fn alloc_zeroed(&self, layout: core::alloc::Layout) -> *mut u8 {
                // SAFETY: the caller's promise.
                self.with(|heap| unsafe { heap.allocate_zeroed(layout) })
            }

            #[inline]
            unsafe fn dealloc(&self, block: *mut u8, layout: core::alloc::Layout) {
                // SAFETY: the caller's promise.
                self.with(|heap| unsafe { heap.deallocate(block, layout) })
            }

            #[inline]
            unsafe fn realloc(&self, block: *mut u8, layout: core::alloc::Layout, new_size: usize) -> *mut u8 {
                // SAFETY: the caller's promise.
                self.with(|heap| unsafe { heap.reallocate(block, layout, new_size) })
            }
        }

        impl<A> $wrapper<A> {
            /// Calls `f` with exclusive access to the allocator: for the exports.
            ///
            /// # Safety
            ///
            /// `f` does not use this wrapper.
            #[doc(hidden)]
            #[inline(always)]
            pub unsafe fn exclusive<R>(&self, f: impl FnOnce(&mut A) -> R) -> R {
                self.with(f)
            }
        }

        impl<A: crate::SizedByAddress> $wrapper<A> {
            /// Gives a block back by its address alone.
            ///
            /// # Safety
            ///
            /// `block` came from this allocator and is not used any more.
            #[inline]
            pub unsafe fn free(&self, block: *mut u8) {
                // SAFETY: the caller's promise.
                self.with(|heap| unsafe { heap.free(block) })
            }

            /// Bytes that a block can hold, at least as many as asked for.
            ///
            /// # Safety
            ///
            /// `block` came from this allocator and is in use.
            #[inline]
            pub unsafe fn usable_size(&self, block: *mut u8) -> usize {
                // SAFETY: the caller's promise.
                self.with(|heap| unsafe { heap.usable_size(block) })
            }
        }
    };
}
pub(crate) use global_alloc_through_with;
