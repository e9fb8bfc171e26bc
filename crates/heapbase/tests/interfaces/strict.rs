//! An allocator that aligns no better than it must and takes nothing amiss that the traits forbid.

use core::alloc::Layout;
use heapbase::{RawAllocator, SizedByAddress};
use std::collections::BTreeMap;

/// What every byte holds that is in no block.
pub(crate) const FREE: u8 = 0xee;

/// Its blocks are never used again, and lie at odd multiples of their alignment, at least of 8.
pub(crate) struct Strict {
    memory: *mut [u128],
    next: usize,
    blocks: BTreeMap<usize, Layout>,
}

impl Strict {
    pub(crate) fn new() -> Self {
        let memory = Box::into_raw(vec![u128::from_ne_bytes([FREE; 16]); 1_024].into_boxed_slice());
        Self { memory, next: 0, blocks: BTreeMap::new() }
    }

    pub(crate) fn assert_freed(&self, block: *mut u8) {
        assert!(!self.blocks.contains_key(&block.addr()));
    }
}

impl Drop for Strict {
    fn drop(&mut self) {
        // SAFETY: made by `new`; no block of it is used any more.
        drop(unsafe { Box::from_raw(self.memory) });
    }
}

// SAFETY: blocks lie one after the other in memory of its own.
unsafe impl RawAllocator for Strict {
    unsafe fn allocate(&mut self, layout: Layout) -> *mut u8 {
        assert_ne!(layout.size(), 0, "nobody asks for nothing");
        let start = self.memory.cast::<u8>();
        let align = layout.align().max(8);
        let mut at = (start.addr() + self.next).next_multiple_of(align);
        if at.is_multiple_of(2 * align) {
            at += align;
        }
        let offset = at - start.addr();
        // A byte at least stays between blocks.
        self.next = offset + layout.size() + 1;
        assert!(self.next <= self.memory.len() * 16);
        self.blocks.insert(at, layout);
        // SAFETY: inside the memory.
        unsafe { start.add(offset) }
    }

    unsafe fn deallocate(&mut self, block: *mut u8, layout: Layout) {
        let was = self.blocks.remove(&block.addr());
        assert_eq!(was, Some(layout), "blocks are given back as they were asked for");
        // SAFETY: it was a block of that size.
        unsafe { block.write_bytes(FREE, layout.size()) }
    }
}

// SAFETY: the sizes are those that were asked for.
unsafe impl SizedByAddress for Strict {
    unsafe fn usable_size(&self, block: *mut u8) -> usize {
        self.blocks[&block.addr()].size()
    }

    unsafe fn free(&mut self, block: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { self.deallocate(block, self.blocks[&block.addr()]) }
    }
}
