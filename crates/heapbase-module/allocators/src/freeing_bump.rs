//! The allocator of hosts, inside: the same sizes, and blocks are used again in the same order.
//!
//! ```text
//!             block
//!               ↓
//!  | order | 1 | …            |      in use: the order says how long it is, 8 << order bytes
//!  | next  | 0 | as it was    |      free: the free block of this order that was freed before
//! ```
//!
//! It is for runtimes that touch what they have freed. TinyGo's collector frees what is still used, where it overlooks a
//! pointer: with the host's allocator that does no harm until a block of the same order is asked for, because its
//! list lies in front of the blocks. An allocator that writes into free blocks, merges them, or has other sizes makes such a
//! runtime fail sooner, or later; this one as soon as the host's.
//!
//! Invariants:
//!
//! - **H1** Blocks lie inside of spans, each behind its header of 8 bytes, and do not overlap.
//! - **H2** `free[order]` and the headers of free blocks lead through free blocks of that order alone; 0 ends a list.

use heapbase::memory::PageSource;

/// Bytes in front of a block.
const HEADER: usize = 8;
/// Bytes of the smallest block.
const SMALLEST: usize = 8;
/// Blocks of 8 bytes to 64 MiB: the largest request is 32 MiB, and what the runtime keeps in front of its blocks comes on top.
const ORDERS: usize = 24;

/// What stands in front of a block.
#[derive(Clone, Copy)]
#[repr(C)]
struct Header {
    /// The order of a block in use, the next of a free one.
    word: usize,
    used: u32,
}

/// The heap; all zero is an empty one.
pub(crate) struct FreeingBump<S> {
    source: S,
    /// The first free block of each order.
    free: [usize; ORDERS],
    /// What no block has had yet.
    next: usize,
    end: usize,
}

impl<S: PageSource> FreeingBump<S> {
    fn header(&self, block: usize) -> *mut Header {
        self.source.pointer(block - HEADER).cast()
    }

    /// A block of at least `size` bytes, or 0.
    pub(crate) fn allocate(&mut self, size: usize) -> usize {
        let order = size.max(SMALLEST).next_power_of_two().trailing_zeros() as usize - SMALLEST.trailing_zeros() as usize;
        let Some(first) = self.free.get(order).copied() else { return 0 };
        let block = if first != 0 {
            // SAFETY: a free block (H2) lies behind its header (H1).
            self.free[order] = unsafe { (*self.header(first)).word };
            first
        } else {
            match self.bump(HEADER + (SMALLEST << order)) {
                0 => return 0,
                start => start + HEADER,
            }
        };
        // SAFETY: the header belongs to the block (H1).
        unsafe { self.header(block).write(Header { word: order, used: 1 }) };
        block
    }

    /// So many bytes that nobody has had, or 0.
    fn bump(&mut self, size: usize) -> usize {
        if self.end - self.next < size {
            let Some(span) = self.source.grow(size) else { return 0 };
            if span.start != self.end {
                self.next = span.start;
            }
            self.end = span.start + span.len;
        }
        let start = self.next;
        self.next += size;
        start
    }

    /// Gives a block back. Traps where it is none, as far as its header tells.
    ///
    /// # Safety
    ///
    /// The address of a block.
    pub(crate) unsafe fn free(&mut self, block: usize) {
        // SAFETY: the caller's promise, and H1.
        unsafe {
            let header = self.header(block);
            let Header { word, used } = *header;
            match self.free.get_mut(word) {
                Some(first) if used == 1 => {
                    header.write(Header { word: *first, used: 0 });
                    *first = block;
                }
                _ => core::arch::wasm32::unreachable(),
            }
        }
    }
}
