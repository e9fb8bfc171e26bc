//! Memory as the converter lays it out. What it says is a constant in the merged module: each of these calls is replaced by
//! one instruction.

use heapbase::memory::{PageSource, Span};

#[link(wasm_import_module = "heapbase")]
unsafe extern "C" {
    /// Where the state lies.
    pub(crate) safe fn state() -> *mut u8;
    /// Where the near memory ends; it begins behind the state.
    safe fn near_end() -> usize;
    /// Where the far memory begins.
    safe fn far_start() -> usize;
    /// Where the far memory ends.
    safe fn far_end() -> usize;
    /// As the instruction `memory.grow`: pages of 64 KiB, and the number before, or the largest number for failure.
    safe fn grow(pages: usize) -> usize;
}

const WASM_PAGE: usize = 64 * 1024;
const ALIGN: usize = 8;
const PAGE: usize = 4096;

/// Pages by which the memory grows at least, where it can: what is not touched costs nothing, each growth costs the host a call to
/// its system.
const STEP: usize = 8;

fn grown(pages: usize) -> Option<Span> {
    let before = grow(pages);
    if before > usize::MAX / WASM_PAGE - pages {
        return None;
    }
    Some(Span { start: before * WASM_PAGE, len: pages * WASM_PAGE })
}

/// First the near memory, in the page that holds the state; then the far; then what growing gives.
#[derive(Debug)]
pub(crate) struct Converted {
    given: usize,
}

// SAFETY: S1, S4: the converter keeps these bytes for the module's allocator, and `grow` gives what nobody had; nothing is
// said to be zero. S2: the far memory may lie below the near; `offset` puts it behind. S3: memory that Rust never allocated,
// whose provenance counts as exposed. S5: the intrinsics call nothing.
unsafe impl PageSource for Converted {
    const ZEROED: bool = false;

    fn grow(&mut self, least: usize) -> Option<Span> {
        while self.given < 2 {
            let (start, end) =
                if self.given == 0 { (state().addr() + crate::state_size(), near_end()) } else { (far_start(), far_end()) };
            self.given += 1;
            let start = (start + ALIGN - 1) & !(ALIGN - 1);
            let len = (end & !(ALIGN - 1)).saturating_sub(start);
            if len >= least {
                return Some(Span { start, len });
            }
        }
        let pages = (least + WASM_PAGE - 1) / WASM_PAGE;
        grown(pages.max(STEP)).or_else(|| grown(pages))
    }

    #[inline(always)]
    fn offset(&self, _bottom: usize, address: usize) -> usize {
        // The near memory's pages first, then the far memory's; both bases are whole pages, so that what is aligned stays so.
        let near = (state().addr() + crate::state_size()) & !(PAGE - 1);
        let far = (far_start() & !(PAGE - 1)).wrapping_sub((near_end() - near + PAGE - 1) & !(PAGE - 1));
        let base = if address >= near && address < near_end() { near } else { far };
        address.wrapping_sub(base)
    }

    #[inline(always)]
    fn pointer(&self, address: usize) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(address)
    }
}
