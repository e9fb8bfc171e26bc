//! The allocators over test memory.

#![allow(unreachable_pub, reason = "shared by several test programs")]

use super::driver::Subject;
use core::alloc::Layout;
use heapbase::{
    FreeListAllocator, LeakingAllocator, LeakingPageAllocator, SizeClassAllocator, SizedByAddress, memory::TestMemory,
};

/// An allocator with its memory's limit in hand.
pub struct Native<A> {
    pub heap: A,
    /// Pages that the memory may have when growing works.
    pub pages: usize,
}

macro_rules! subject {
    ($allocator:ident, |$heap:ident| $check:expr) => {
        impl Native<$allocator<TestMemory>> {
            #[allow(dead_code, reason = "not every test uses every allocator")]
            pub fn new(pages: usize) -> Self {
                Self { heap: $allocator::with_source(TestMemory::new(pages)), pages }
            }
        }

        impl Subject for Native<$allocator<TestMemory>> {
            type Raw = $allocator<TestMemory>;

            fn raw(&mut self) -> &mut Self::Raw {
                &mut self.heap
            }

            fn check(&self) {
                let $heap = &self.heap;
                $check
            }

            fn steal(&mut self, pages: usize) {
                self.heap.source_mut().steal(pages);
            }

            fn fail(&mut self, fail: bool) {
                let pages = if fail { 0 } else { self.pages };
                self.heap.source_mut().limit(pages);
            }

            by_address!($allocator);
        }
    };
}

macro_rules! by_address {
    (SizeClassAllocator) => {
        unsafe fn usable(&mut self, block: *mut u8, _: Layout) -> usize {
            // SAFETY: the caller's promise.
            unsafe { self.heap.usable_size(block) }
        }

        unsafe fn free(&mut self, block: *mut u8, _: Layout) {
            // SAFETY: the caller's promise.
            unsafe { self.heap.free(block) }
        }
    };
    ($other:ident) => {};
}

subject!(SizeClassAllocator, |heap| heap.check());
subject!(FreeListAllocator, |heap| heap.check());
subject!(LeakingAllocator, |_heap| ());
subject!(LeakingPageAllocator, |_heap| ());
