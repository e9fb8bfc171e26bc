//! Memory by `memory.grow`.

use super::{PageSource, Span};

#[cfg(target_arch = "wasm32")]
use core::arch::wasm32 as arch;
#[cfg(target_arch = "wasm64")]
use core::arch::wasm64 as arch;

/// Size of a WebAssembly page in bytes.
const WASM_PAGE: usize = 64 * 1024;

/// Grows the module's own memory (index 0) by `memory.grow`, no more than asked for, in pages of 64 KiB.
///
/// Others may grow the same memory: each span starts where the engine says.
#[derive(Debug, Default)]
pub struct MemoryGrow(());

impl MemoryGrow {
    /// A source that has grown nothing yet. Two of them in one module get along: the engine tells them apart.
    pub const fn new() -> Self {
        Self(())
    }
}

// SAFETY: S1, S2: `memory.grow` gives bytes that no one had before, above all others. S3: memory past the module's
// static data is one region that the Rust program never allocated itself and whose provenance counts as exposed
// (docs/soundness.md). S4: the specification says new pages are zero. S5: `memory.grow` calls nothing.
unsafe impl PageSource for MemoryGrow {
    const ZEROED: bool = true;

    #[inline]
    fn grow(&mut self, least: usize) -> Option<Span> {
        let pages = least.div_ceil(WASM_PAGE);
        let before = arch::memory_grow::<0>(pages);
        if before == usize::MAX {
            return None;
        }
        let start = before * WASM_PAGE;
        // The last page ends at 2^32 (or 2^64), an address that does not exist: give up its last 16 bytes.
        let len = (pages * WASM_PAGE).min(0usize.wrapping_sub(start).wrapping_sub(16));
        Some(Span { start, len })
    }

    #[inline(always)]
    fn pointer(&self, address: usize) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(address)
    }
}
