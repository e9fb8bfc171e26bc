//! A spin lock around an allocator.

use super::spin::{Flag, acquire, release};
use core::{
    cell::UnsafeCell,
    hint::spin_loop,
    sync::atomic::{AtomicBool, Ordering},
};

impl Flag for AtomicBool {
    #[inline(always)]
    fn take(&self, success: Ordering, failure: Ordering) -> bool {
        self.compare_exchange_weak(false, true, success, failure).is_ok()
    }

    #[inline(always)]
    fn is_taken(&self, order: Ordering) -> bool {
        self.load(order)
    }

    #[inline(always)]
    fn put(&self, order: Ordering) {
        self.store(false, order);
    }

    #[inline(always)]
    fn wait(&self) {
        spin_loop();
    }
}

/// Shares an allocator between threads behind a spin lock.
///
/// The critical sections are the allocator's calls, tens of instructions, so spinning beats sleeping; and a WebAssembly
/// main thread in a browser may not sleep. Where the target has no threads the compiler turns the atomics into plain
/// accesses.
#[derive(Debug, Default)]
pub struct LockedAllocator<A> {
    locked: AtomicBool,
    heap: UnsafeCell<A>,
}

// SAFETY: `with` gives one thread at a time access to the allocator, which may be used by any thread.
unsafe impl<A: Send> Sync for LockedAllocator<A> {}

/// Unlocks when it goes.
struct Guard<'a>(&'a AtomicBool);

impl Drop for Guard<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        release(self.0);
    }
}

impl<A> LockedAllocator<A> {
    /// Wraps `heap`.
    pub const fn new(heap: A) -> Self {
        Self { locked: AtomicBool::new(false), heap: UnsafeCell::new(heap) }
    }

    /// The wrapped allocator.
    pub const fn get_mut(&mut self) -> &mut A {
        self.heap.get_mut()
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut A) -> R) -> R {
        acquire(&self.locked);
        let _guard = Guard(&self.locked);
        // SAFETY: the lock is held until the guard drops, and no allocator calls back into its wrapper (S5).
        f(unsafe { &mut *self.heap.get() })
    }
}

super::global_alloc_through_with!(LockedAllocator);
