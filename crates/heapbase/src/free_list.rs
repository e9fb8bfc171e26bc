//! One list of free memory, by address.
//!
//! ```text
//!  a free piece   | size | next piece | · · · |      any multiple of 8 bytes, at least 8; no header on blocks in use
//! ```
//!
//! Invariants, which [`FreeListAllocator::check`] tests:
//!
//! - **F1** Pieces are in rising order of address, do not overlap, and no two of them touch.
//! - **F2** Addresses and sizes are multiples of 8 (of two words), sizes not 0.
//! - **F3** A block in use covers its size rounded up to 8, and nothing else.

use crate::{
    RawAllocator,
    address::{Addr, UNIT, round_up},
    memory::PageSource,
};
use core::{alloc::Layout, ptr};

/// A free piece's first two words.
#[derive(Clone, Copy, Debug)]
struct Piece {
    size: usize,
    next: usize,
}

/// A list of free memory ordered by address, whose neighbours are merged: the smallest allocator that reuses memory.
///
/// Both calls take time proportional to the number of free pieces. Blocks have no header; what alignment leaves over
/// stays usable.
///
/// ```
/// use core::alloc::Layout;
/// use heapbase::{FreeListAllocator, RawAllocator, memory::TestMemory};
///
/// let mut heap = FreeListAllocator::with_source(TestMemory::new(4));
/// // SAFETY: the size is not 0, and the block is given back once with the same layout.
/// unsafe {
///     let block = heap.allocate(Layout::new::<[u64; 100]>());
///     assert!(!block.is_null());
///     heap.deallocate(block, Layout::new::<[u64; 100]>());
/// }
/// ```
#[derive(Debug)]
pub struct FreeListAllocator<S> {
    source: S,
    /// A piece of size 0 in front of all others, so that the list needs no special case.
    head: Piece,
}

#[cfg(target_family = "wasm")]
impl FreeListAllocator<crate::memory::MemoryGrow> {
    /// Over the module's own memory.
    pub const fn new() -> Self {
        Self::with_source(crate::memory::MemoryGrow::new())
    }
}

impl<S> FreeListAllocator<S> {
    /// Takes memory from `source`.
    pub const fn with_source(source: S) -> Self {
        Self { source, head: Piece { size: 0, next: 0 } }
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

impl<S: PageSource> FreeListAllocator<S> {
    fn piece(&self, at: usize) -> *mut Piece {
        self.source.pointer(at).cast()
    }

    /// Puts `size` bytes at `at` into the list, merging them with their neighbours.
    ///
    /// # Safety
    ///
    /// The bytes belong to this heap and to no one else (F3), both numbers are multiples of a unit, the size is not 0.
    unsafe fn insert(&mut self, at: usize, mut size: usize) {
        let mut before = &raw mut self.head;
        // SAFETY: pieces of the list (F1), and the bytes themselves.
        unsafe {
            let mut next = (*before).next;
            while next != 0 && next < at {
                before = self.piece(next);
                next = (*before).next;
            }
            if next == at + size {
                let above = *self.piece(next);
                size += above.size;
                next = above.next;
            }
            if before.addr() + (*before).size == at {
                size += (*before).size;
            } else {
                (*before).next = at;
                before = self.piece(at);
            }
            before.write(Piece { size, next });
        }
    }

    /// Walks the list and tests the invariants. Returns how many bytes are free: those that the source handed out and that
    /// are neither free nor in a block, its size rounded up to 8, are lost.
    ///
    /// # Panics
    ///
    /// When one does not hold.
    pub fn check(&self) -> usize {
        let (mut end, mut at, mut free) = (0, self.head.next, 0);
        while at != 0 {
            assert!(at > end, "F1: pieces rise and do not touch");
            // SAFETY: a piece of the list.
            let piece = unsafe { *self.piece(at) };
            assert!(at % UNIT == 0 && piece.size % UNIT == 0 && piece.size != 0, "F2");
            end = at + piece.size;
            free += piece.size;
            at = piece.next;
        }
        free
    }
}

/// What a request takes (F3).
const fn taken(size: usize) -> usize {
    round_up(size, UNIT)
}

// SAFETY: a block is cut out of a free piece (F1), aligned, and is in no piece until it is given back (F3).
unsafe impl<S: PageSource> RawAllocator for FreeListAllocator<S> {
    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> *mut u8 {
        let size = taken(layout.size());
        let align = layout.align().max(UNIT);
        loop {
            let mut before = &raw mut self.head;
            // SAFETY: pieces of the list (F1).
            unsafe {
                loop {
                    let at = (*before).next;
                    if at == 0 {
                        break;
                    }
                    let piece = self.piece(at);
                    let end = at + (*piece).size;
                    // Cut from the end: what stays below remains the same piece.
                    let block = Addr(end.wrapping_sub(size)).down_to(align).0;
                    if size <= (*piece).size && block >= at {
                        if block == at {
                            (*before).next = (*piece).next;
                        } else {
                            (*piece).size = block - at;
                        }
                        if end != block + size {
                            self.insert(block + size, end - block - size);
                        }
                        return self.source.pointer(block);
                    }
                    before = piece;
                }
            }
            let Some(span) = self.source.grow(size + (align - UNIT)) else {
                return ptr::null_mut();
            };
            // SAFETY: a span is ours alone (S1); its start is aligned, and its length is cut to a multiple.
            unsafe { self.insert(span.start, span.len & UNIT.wrapping_neg()) };
        }
    }

    #[inline]
    unsafe fn deallocate(&mut self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller gives up what `allocate` took (F3).
        unsafe { self.insert(block.addr(), taken(layout.size())) }
    }

    #[inline]
    unsafe fn reallocate(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if taken(layout.size()) == taken(new_size) {
            return block;
        }
        // SAFETY: the caller's promise.
        unsafe { crate::moved(self, block, layout, new_size) }
    }
}
