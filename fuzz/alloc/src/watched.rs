//! Test memory that knows which bytes are the program's, and tells the address sanitizer.
//!
//! All of it is poisoned at first. Blocks are clean from their allocation until they are freed, to the byte. The
//! allocator's own accesses come through [`PageSource::pointer`], which cleans the three words they may be about to touch.

use crate::driver::{Subject, Watch};
use heapbase::memory::{PageSource, Span, TestMemory};
use heapbase::{FreeListAllocator, LeakingAllocator, SizeClassAllocator, SizedByAddress};
use std::{alloc::Layout, collections::BTreeMap};

#[cfg(feature = "asan")]
unsafe extern "C" {
    fn __asan_poison_memory_region(start: *const u8, len: usize);
    fn __asan_unpoison_memory_region(start: *const u8, len: usize);
}

fn poison(_start: *const u8, _len: usize) {
    // SAFETY: the sanitizer only marks the bytes.
    #[cfg(feature = "asan")]
    unsafe {
        __asan_poison_memory_region(_start, _len)
    }
}

fn clean(_start: *const u8, _len: usize) {
    // SAFETY: the sanitizer only marks the bytes.
    #[cfg(feature = "asan")]
    unsafe {
        __asan_unpoison_memory_region(_start, _len)
    }
}

/// Live blocks: first byte and length.
type Blocks = BTreeMap<usize, usize>;

/// The memory.
pub struct Watched(TestMemory);

// SAFETY: the promises are those of `TestMemory`.
unsafe impl PageSource for Watched {
    const ZEROED: bool = TestMemory::ZEROED;

    fn grow(&mut self, least: usize) -> Option<Span> {
        self.0.grow(least)
    }

    fn pointer(&self, address: usize) -> *mut u8 {
        let pointer = self.0.pointer(address);
        clean(pointer.with_addr(address & !7), 24);
        pointer
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // The reservation goes back to the system's allocator clean.
        let span = self.0.whole();
        clean(span.0, span.1);
    }
}

/// Keeps the book of live blocks.
pub struct Book {
    live: Blocks,
    /// All memory: first byte and length.
    whole: (*mut u8, usize),
}

impl Watch for Book {
    fn allocated(&mut self, block: *mut u8, size: usize) {
        self.live.insert(block.addr(), size);
        clean(block, size);
    }

    fn freed(&mut self, block: *mut u8, size: usize) {
        self.live.remove(&block.addr());
        poison(block, size);
    }

    fn moving(&mut self, block: *mut u8) {
        self.live.remove(&block.addr());
        clean(self.whole.0, self.whole.1);
    }

    fn moved(&mut self) {
        let mut at = self.whole.0.addr();
        for (start, len) in &self.live {
            poison(self.whole.0.with_addr(at), start - at);
            at = start + len;
        }
        poison(self.whole.0.with_addr(at), self.whole.0.addr() + self.whole.1 - at);
    }
}

/// An allocator over watched memory.
pub struct Inside<A> {
    heap: A,
    pages: usize,
}

macro_rules! subject {
    ($allocator:ident) => {
        impl Inside<$allocator<Watched>> {
            /// The allocator over `pages` pages, and the book to drive it with.
            pub fn new(pages: usize) -> (Self, Book) {
                let memory = TestMemory::new(pages);
                let mut book = Book { live: Blocks::new(), whole: memory.whole() };
                book.moved();
                (Self { heap: $allocator::with_source(Watched(memory)), pages }, book)
            }
        }

        impl Subject for Inside<$allocator<Watched>> {
            core_of!($allocator<Watched>);

            fn steal(&mut self, pages: usize) {
                // SAFETY: it only counts what is taken.
                unsafe { self.heap.source_mut() }.0.steal(pages);
            }

            fn fail(&mut self, fail: bool) {
                let pages = if fail { 0 } else { self.pages };
                // SAFETY: it hands out no more, and takes nothing back.
                unsafe { self.heap.source_mut() }.0.limit(pages);
            }
        }
    };
}

subject!(SizeClassAllocator);
subject!(FreeListAllocator);
subject!(LeakingAllocator);
