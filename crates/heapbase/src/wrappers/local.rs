//! Wrappers without a lock.

use core::cell::UnsafeCell;

/// Shares an allocator within one thread, which the compiler checks: it is not `Sync`, so it cannot be a `static`.
///
/// For collections that take an allocator, and for tests.
///
/// ```
/// use core::alloc::{GlobalAlloc, Layout};
/// use heapbase::{Local, SizeClassAllocator, memory::TestMemory};
///
/// let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(4)));
/// // SAFETY: the size is not 0, and the block is given back once with the same layout.
/// unsafe {
///     let block = heap.alloc(Layout::new::<u64>());
///     assert!(!block.is_null());
///     heap.dealloc(block, Layout::new::<u64>());
/// }
/// ```
#[derive(Debug, Default)]
pub struct Local<A>(UnsafeCell<A>);

impl<A> Local<A> {
    /// Wraps `heap`.
    pub const fn new(heap: A) -> Self {
        Self(UnsafeCell::new(heap))
    }

    /// The wrapped allocator.
    pub const fn get_mut(&mut self) -> &mut A {
        self.0.get_mut()
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut A) -> R) -> R {
        // SAFETY: the type is not `Sync`, and no allocator calls back into its wrapper (S5), so this is the only reference.
        f(unsafe { &mut *self.0.get() })
    }
}

/// Shares an allocator without a lock, on the promise that there is one thread.
///
/// ```
/// use heapbase::{AssumeSingleThreaded, SizeClassAllocator, memory::Region};
///
/// static mut ARENA: [u8; 65_536] = [0; 65_536];
/// // SAFETY: this program has one thread, and uses ARENA for nothing else.
/// static HEAP: AssumeSingleThreaded<SizeClassAllocator<Region<'static, true>>> = unsafe {
///     let start = &raw mut ARENA as *mut u8;
///     AssumeSingleThreaded::new(SizeClassAllocator::with_source(Region::between(start, start.add(65_536))))
/// };
/// # let _ = &HEAP;
/// ```
#[derive(Debug)]
pub struct AssumeSingleThreaded<A>(Local<A>);

// SAFETY: the constructor's contract says that only one thread uses it.
unsafe impl<A> Sync for AssumeSingleThreaded<A> {}

impl<A> AssumeSingleThreaded<A> {
    /// Wraps `heap`.
    ///
    /// # Safety
    ///
    /// The result is used by one thread only, and not by a signal or interrupt handler that may come in between.
    pub const unsafe fn new(heap: A) -> Self {
        Self(Local::new(heap))
    }

    /// The wrapped allocator.
    pub const fn get_mut(&mut self) -> &mut A {
        self.0.get_mut()
    }

    #[inline(always)]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut A) -> R) -> R {
        self.0.with(f)
    }
}

super::global_alloc_through_with!(Local);
super::global_alloc_through_with!(AssumeSingleThreaded);
