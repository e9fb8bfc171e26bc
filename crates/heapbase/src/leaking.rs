//! Allocators that never take anything back.

use crate::{RawAllocator, address::Addr, memory::PageSource};
use core::{alloc::Layout, ptr};

/// Bytes that spans are aligned to, on WebAssembly.
const PAGE: usize = 64 * 1024;

/// Makes a fresh block zero where its source does not promise that.
///
/// # Safety
///
/// The block is null or one for `layout` that nobody has used since it came from a source of this kind.
#[inline]
unsafe fn cleared<S: PageSource>(block: *mut u8, layout: Layout) -> *mut u8 {
    if !S::ZEROED && !block.is_null() {
        // SAFETY: the caller's promise.
        unsafe { block.write_bytes(0, layout.size()) };
    }
    block
}

/// Takes fresh pages for every allocation and never gives back: for modules that allocate once or twice. O(1).
///
/// Alignments above what the source's spans have (64 KiB from `memory.grow`) fail.
///
/// ```
/// use core::alloc::Layout;
/// use heapbase::{LeakingPageAllocator, RawAllocator, memory::TestMemory};
///
/// let mut heap = LeakingPageAllocator::with_source(TestMemory::new(4));
/// // SAFETY: the size is not 0.
/// assert_eq!(unsafe { heap.allocate(Layout::new::<u64>()) }.addr() % 65_536, 0);
/// ```
#[derive(Debug, Default)]
pub struct LeakingPageAllocator<S>(S);

#[cfg(target_family = "wasm")]
impl LeakingPageAllocator<crate::memory::MemoryGrow> {
    /// Over the module's own memory.
    pub const fn new() -> Self {
        Self::with_source(crate::memory::MemoryGrow::new())
    }
}

impl<S> LeakingPageAllocator<S> {
    /// Takes pages from `source`.
    pub const fn with_source(source: S) -> Self {
        Self(source)
    }

    /// The source of memory, to look at.
    pub const fn source(&self) -> &S {
        &self.0
    }

    /// The source of memory, to be told things: its limit, what others took of it.
    ///
    /// # Safety
    ///
    /// The source is neither replaced nor dropped, and takes nothing back of what it handed out: the heap holds addresses there.
    pub const unsafe fn source_mut(&mut self) -> &mut S {
        &mut self.0
    }
}

// SAFETY: every block is a span of its own (S1, S2), aligned as was compared.
unsafe impl<S: PageSource> RawAllocator for LeakingPageAllocator<S> {
    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> *mut u8 {
        match self.0.grow(layout.size()) {
            Some(span) if span.len >= layout.size() && span.start & (layout.align() - 1) == 0 => {
                self.0.pointer(span.start)
            }
            _ => ptr::null_mut(),
        }
    }

    #[inline]
    unsafe fn allocate_zeroed(&mut self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise; the block is fresh.
        unsafe { cleared::<S>(self.allocate(layout), layout) }
    }

    #[inline]
    unsafe fn deallocate(&mut self, _: *mut u8, _: Layout) {}
}

/// Bumps a pointer and never gives back: for modules whose life is short. O(1), no overhead but alignment. The youngest
/// block grows where it is as long as the pages that it lies in suffice; no block that shrinks gives anything back.
///
/// ```
/// use core::alloc::Layout;
/// use heapbase::{LeakingAllocator, RawAllocator, memory::TestMemory};
///
/// let mut heap = LeakingAllocator::with_source(TestMemory::new(4));
/// // SAFETY: the sizes are not 0.
/// let (first, second) = unsafe { (heap.allocate(Layout::new::<u8>()), heap.allocate(Layout::new::<u8>())) };
/// assert_eq!(second.addr() - first.addr(), 1);
/// ```
#[derive(Debug, Default)]
pub struct LeakingAllocator<S> {
    source: S,
    /// First byte not handed out.
    next: usize,
    /// End of the span that it lies in.
    end: usize,
}

#[cfg(target_family = "wasm")]
impl LeakingAllocator<crate::memory::MemoryGrow> {
    /// Over the module's own memory.
    pub const fn new() -> Self {
        Self::with_source(crate::memory::MemoryGrow::new())
    }
}

impl<S> LeakingAllocator<S> {
    /// Takes memory from `source`.
    pub const fn with_source(source: S) -> Self {
        Self { source, next: 0, end: 0 }
    }

    /// The source of memory, to look at.
    pub const fn source(&self) -> &S {
        &self.source
    }

    /// The source of memory, to be told things: its limit, what others took of it.
    ///
    /// # Safety
    ///
    /// The source is neither replaced nor dropped, and takes nothing back of what it handed out: the heap holds addresses there.
    pub const unsafe fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }
}

// SAFETY: blocks follow each other upwards inside spans (S1, S2), each aligned; the end of one is never passed.
unsafe impl<S: PageSource> RawAllocator for LeakingAllocator<S> {
    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> *mut u8 {
        let Self { mut next, mut end, .. } = *self;
        loop {
            let block = Addr(next).up_to(layout.align()).0;
            // Signed: alignment may lead past the end. More room than half the address space counts as none.
            if end.wrapping_sub(block) as isize >= layout.size() as isize {
                self.next = block + layout.size();
                self.end = end;
                return self.source.pointer(block);
            }
            // Pages are aligned to themselves; where more is wanted, it is asked for at once, or a request that cannot be served would take all there is. A span
            // that is too short nevertheless, as one of another source may be, is forgotten when growing fails now.
            let Some(span) = self.source.grow(layout.size() + (layout.align() & !(PAGE - 1))) else {
                return ptr::null_mut();
            };
            if span.start != end {
                next = span.start;
            }
            end = span.start + span.len;
        }
    }

    #[inline]
    unsafe fn allocate_zeroed(&mut self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise; the block is fresh.
        unsafe { cleared::<S>(self.allocate(layout), layout) }
    }

    #[inline]
    unsafe fn deallocate(&mut self, _: *mut u8, _: Layout) {}

    #[inline]
    unsafe fn reallocate(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let start = block.addr();
        if new_size <= layout.size() {
            return block;
        }
        if start + layout.size() == self.next && new_size <= self.end - start {
            self.next = start + new_size;
            return block;
        }
        // SAFETY: the caller's promise.
        unsafe { crate::moved(self, block, layout, new_size) }
    }
}
