//! Memory for the driver, outside of WebAssembly.

#![allow(unreachable_pub, dead_code, reason = "shared by several test programs, none of which uses all")]

use super::driver::Memory;
use heapbase::memory::{PageSource, Span, TestMemory};

impl Memory for TestMemory {
    fn handed(&self) -> usize {
        self.pages() * 65_536
    }

    fn steal(&mut self, pages: usize) {
        Self::steal(self, pages);
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

    fn steal(&mut self, pages: usize) {
        self.0.steal(pages);
    }

    fn allow(&mut self, pages: Option<usize>) {
        Memory::allow(&mut self.0, pages);
    }
}
