//! Memory for native tests.

use super::{PageSource, Span};
use core::ptr::NonNull;
use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};

/// Granularity of [`TestMemory`], as WebAssembly's.
const PAGE: usize = 64 * 1024;

/// A native stand-in for a WebAssembly memory: a reservation that is zero and grows page by page.
///
/// Somebody else can grow it ([`steal`](Self::steal)), and growing can fail ([`limit`](Self::limit)).
///
/// ```
/// use heapbase::memory::{PageSource, TestMemory};
///
/// let mut memory = TestMemory::new(4);
/// assert_eq!(memory.grow(1).unwrap().len, 65_536);
/// memory.steal(2);
/// memory.limit(0);
/// assert!(memory.grow(1).is_none());
/// ```
#[derive(Debug)]
pub struct TestMemory {
    base: NonNull<u8>,
    layout: Layout,
    /// Pages handed out or stolen.
    used: usize,
    /// Pages there may be at most.
    limit: usize,
    /// Pages handed out by `grow`.
    grown: usize,
}

impl TestMemory {
    /// Reserves `pages` pages of 64 KiB, none of them handed out.
    ///
    /// # Panics
    ///
    /// When so many pages are more than half of the address space.
    pub fn new(pages: usize) -> Self {
        let layout = pages.max(1).checked_mul(PAGE).and_then(|len| Layout::from_size_align(len, PAGE).ok());
        let layout = layout.expect("a reservation fits the address space");
        // SAFETY: the layout's size is not zero.
        let base = unsafe { alloc_zeroed(layout) };
        let Some(base) = NonNull::new(base) else { handle_alloc_error(layout) };
        Self { base, layout, used: 0, limit: pages, grown: 0 }
    }

    /// Takes `pages` pages as someone else's, as another user of `memory.grow` would, or those that are left of the reservation;
    /// returns what that one got.
    pub fn steal(&mut self, pages: usize) -> Span {
        let pages = pages.min(self.reserved() - self.used);
        self.next(pages)
    }

    /// Counts the next pages as used.
    fn next(&mut self, pages: usize) -> Span {
        let start = self.base.addr().get() + self.used * PAGE;
        self.used += pages;
        Span { start, len: pages * PAGE }
    }

    /// From now on growing past `pages` pages in all fails; never more than were reserved.
    pub fn limit(&mut self, pages: usize) {
        self.limit = pages.min(self.reserved());
    }

    /// From now on memory grows by so many pages more, then no more.
    pub fn allow(&mut self, pages: usize) {
        self.limit(self.used.saturating_add(pages));
    }

    /// Pages that [`grow`](PageSource::grow) has handed out.
    pub fn pages(&self) -> usize {
        self.grown
    }

    /// The whole reservation: its first byte and its length in bytes.
    pub fn whole(&self) -> (*mut u8, usize) {
        (self.base.as_ptr(), self.layout.size())
    }

    /// Pages reserved.
    pub fn reserved(&self) -> usize {
        self.layout.size() / PAGE
    }
}

impl Drop for TestMemory {
    fn drop(&mut self) {
        // SAFETY: allocated in `new` with this layout.
        unsafe { dealloc(self.base.as_ptr(), self.layout) }
    }
}

// SAFETY: the reservation is owned; only `&mut self` functions change the counters.
unsafe impl Send for TestMemory {}

// SAFETY: S1: the reservation is owned and no reference to it is ever made. S2: `used` only
// rises. S3: every pointer derives from the reservation's own. S4: zeroed in `new`. S5: nothing allocates after `new`.
unsafe impl PageSource for TestMemory {
    const ZEROED: bool = true;

    fn grow(&mut self, least: usize) -> Option<Span> {
        let pages = least.div_ceil(PAGE);
        if pages > self.limit.saturating_sub(self.used) {
            return None;
        }
        self.grown += pages;
        Some(self.next(pages))
    }

    #[inline]
    fn pointer(&self, address: usize) -> *mut u8 {
        self.base.as_ptr().with_addr(address)
    }
}
