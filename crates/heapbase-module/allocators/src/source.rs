//! Memory as the converter lays it out: each of the imported functions becomes a few instructions in the merged module.

use heapbase::memory::{PageSource, Span};

#[link(wasm_import_module = "heapbase")]
unsafe extern "C" {
    /// Where the state lies; memory begins behind it.
    pub(crate) safe fn state() -> *mut u8;
    /// Where that memory ends.
    safe fn end() -> usize;
    /// As the instruction `memory.grow`: pages of 64 KiB, and the number before, or the largest number for failure.
    safe fn grow(pages: usize) -> usize;
}

const WASM_PAGE: usize = 64 * 1024;
const ALIGN: usize = 8;

/// Pages by which the memory grows at least, where it can: what is not touched costs nothing, each growth costs the host a call to
/// its system.
const STEP: usize = 16;

// Inlined, because what is returned through memory would want a stack there.
#[inline(always)]
fn grown(pages: usize) -> Option<Span> {
    let before = grow(pages);
    if before > usize::MAX / WASM_PAGE - pages {
        return None;
    }
    Some(Span { start: before * WASM_PAGE, len: pages * WASM_PAGE })
}

/// First the memory behind the state, then what growing gives.
#[derive(Debug)]
pub(crate) struct Converted {
    started: bool,
}

// SAFETY: S1, S4: the converter keeps these bytes for the module's allocator, and `grow` gives what nobody had; nothing is
// said to be zero. S2: what is grown lies above. S3: memory that Rust never allocated, whose provenance counts as exposed.
// S5: the intrinsics call nothing.
unsafe impl PageSource for Converted {
    const ZEROED: bool = false;

    #[inline(always)]
    fn grow(&mut self, least: usize) -> Option<Span> {
        if !core::mem::replace(&mut self.started, true) {
            let start = (state().addr() + crate::state_size() + ALIGN - 1) & !(ALIGN - 1);
            let len = (end() & !(ALIGN - 1)).saturating_sub(start);
            if len >= least {
                return Some(Span { start, len });
            }
        }
        let pages = (least + WASM_PAGE - 1) / WASM_PAGE;
        grown(pages.max(STEP)).or_else(|| grown(pages))
    }

    #[inline(always)]
    fn pointer(&self, address: usize) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(address)
    }
}
