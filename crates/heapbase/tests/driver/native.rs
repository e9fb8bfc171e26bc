//! Memory for the driver, outside of WebAssembly.

#![allow(unreachable_pub, dead_code, reason = "shared by several test programs, none of which uses all")]

use super::driver::Memory;
use heapbase::memory::{PageSource, Span, TestMemory};

impl Memory for TestMemory {
    fn handed(&self) -> usize {
        self.pages() * 65_536
    }

    fn steal(&mut self, pages: usize) -> Span {
        Self::steal(self, pages)
    }

    fn allow(&mut self, pages: Option<usize>) {
        match pages {
            Some(pages) => Self::allow(self, pages),
            None => self.limit(self.reserved()),
        }
    }
}

/// Memory that somebody has used before.
pub struct Dirty(TestMemory);

impl Dirty {
    pub fn new(pages: usize) -> Self {
        Self(TestMemory::new(pages))
    }
}

// SAFETY: every promise is the test memory's, but that it is zero.
unsafe impl PageSource for Dirty {
    const ZEROED: bool = false;

    fn grow(&mut self, least: usize) -> Option<Span> {
        let span = self.0.grow(least)?;
        // SAFETY: nobody has the bytes yet.
        unsafe { self.pointer(span.start).write_bytes(0xa5, span.len) };
        Some(span)
    }

    fn pointer(&self, address: usize) -> *mut u8 {
        self.0.pointer(address)
    }
}

impl Memory for Dirty {
    fn handed(&self) -> usize {
        self.0.handed()
    }

    fn steal(&mut self, pages: usize) -> Span {
        self.0.steal(pages)
    }

    fn allow(&mut self, pages: Option<usize>) {
        Memory::allow(&mut self.0, pages);
    }
}

/// Memory whose pages are of a KiB: what happens where a span ends happens often.
pub struct Crumbs {
    memory: TestMemory,
    next: usize,
    end: usize,
    handed: usize,
    /// Bytes that it may grow yet.
    left: usize,
}

/// Bytes of a page.
const CRUMB: usize = 1_024;

impl Crumbs {
    pub fn new(pages: usize) -> Self {
        let mut memory = TestMemory::new((pages * CRUMB).div_ceil(65_536));
        let span = memory.grow(memory.reserved() * 65_536).expect("it was reserved");
        Self { memory, next: span.start, end: span.start + pages * CRUMB, handed: 0, left: usize::MAX }
    }

    fn take(&mut self, len: usize) -> Span {
        let start = self.next;
        self.next += len;
        Span { start, len }
    }
}

// SAFETY: every promise is the test memory's, of whose only span each part is handed out once, upwards.
unsafe impl PageSource for Crumbs {
    const ZEROED: bool = true;

    fn grow(&mut self, least: usize) -> Option<Span> {
        let len = least.next_multiple_of(CRUMB);
        if len > self.left.min(self.end - self.next) {
            return None;
        }
        self.left -= len;
        self.handed += len;
        Some(self.take(len))
    }

    fn pointer(&self, address: usize) -> *mut u8 {
        self.memory.pointer(address)
    }
}

impl Memory for Crumbs {
    fn handed(&self) -> usize {
        self.handed
    }

    fn steal(&mut self, pages: usize) -> Span {
        let len = (pages * CRUMB).min(self.end - self.next);
        self.take(len)
    }

    fn allow(&mut self, pages: Option<usize>) {
        self.left = pages.map_or(usize::MAX, |pages| pages * CRUMB);
    }
}
