//! Test memory that knows which bytes are the program's, and tells the address sanitizer.
//!
//! All of it is poisoned at first. Blocks are clean from their allocation until they are freed, to the byte. The
//! allocator's own accesses come through [`PageSource::pointer`], which cleans the three words they may be about to touch.

use crate::driver::{Memory, Watch};
use heapbase::memory::{PageSource, Span, TestMemory};
use std::collections::BTreeMap;

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

impl Watched {
    /// `pages` pages, and the book to drive an allocator on them with.
    pub fn new(pages: usize) -> (Self, Book) {
        let memory = TestMemory::new(pages);
        let mut book = Book { live: Blocks::new(), whole: memory.whole() };
        book.moved();
        (Self(memory), book)
    }
}

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

impl Memory for Watched {
    fn handed(&self) -> usize {
        self.0.pages() * 65_536
    }

    fn steal(&mut self, pages: usize) -> Span {
        self.0.steal(pages)
    }

    fn allow(&mut self, pages: Option<usize>) {
        match pages {
            Some(pages) => self.0.allow(pages),
            None => self.0.limit(self.0.reserved()),
        }
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
