//! Memory by `memory.grow`.

use super::{PageSource, Span};

#[cfg(target_arch = "wasm32")]
use core::arch::wasm32 as arch;
#[cfg(target_arch = "wasm64")]
use core::arch::wasm64 as arch;

/// Size of a WebAssembly page in bytes.
const WASM_PAGE: usize = 64 * 1024;
/// Number of the last page of the address space.
const LAST_PAGE: usize = usize::MAX / WASM_PAGE;

/// Grows the module's own memory (index 0) by `memory.grow`, no more than asked for, in pages of 64 KiB.
///
/// The very last page of the address space is not handed out; a growth that ends there fails for good.
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
        // No overflow: nobody asks for more than half the address space and a little.
        let pages = crate::address::round_up(least, WASM_PAGE) / WASM_PAGE;
        let before = arch::memory_grow::<0>(pages);
        // Failure reads as the largest number. The address space's last page is of no use either: its end has no address.
        if before > LAST_PAGE - pages {
            return None;
        }
        Some(Span { start: before * WASM_PAGE, len: pages * WASM_PAGE })
    }

    #[inline(always)]
    fn pointer(&self, address: usize) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(address)
    }
}
