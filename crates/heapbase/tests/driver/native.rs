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
    ($allocator:ident) => {
        impl Native<$allocator<TestMemory>> {
            #[allow(dead_code, reason = "not every test uses every allocator")]
            pub fn new(pages: usize) -> Self {
                Self { heap: $allocator::with_source(TestMemory::new(pages)), pages }
            }
        }

        impl Subject for Native<$allocator<TestMemory>> {
            core_of!($allocator<TestMemory>);

            fn steal(&mut self, pages: usize) {
                // SAFETY: it only counts what is taken.
                unsafe { self.heap.source_mut() }.steal(pages);
            }

            fn fail(&mut self, fail: bool) {
                let pages = if fail { 0 } else { self.pages };
                // SAFETY: it hands out no more, and takes nothing back.
                unsafe { self.heap.source_mut() }.limit(pages);
            }
        }
    };
}

subject!(SizeClassAllocator);
subject!(FreeListAllocator);
subject!(LeakingAllocator);
subject!(LeakingPageAllocator);
