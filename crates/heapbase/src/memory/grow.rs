//! Memory by `memory.grow`, and what lies between a module's own data and the end of their last page.

use super::{PageSource, Span};

#[cfg(target_arch = "wasm32")]
use core::arch::wasm32 as arch;
#[cfg(target_arch = "wasm64")]
use core::arch::wasm64 as arch;

/// Size of a WebAssembly page in bytes.
pub(crate) const WASM_PAGE: usize = 64 * 1024;
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

unsafe extern "C" {
    /// The first byte behind the program's data and stack, defined by the linker.
    static __heap_base: u8;
}

/// First the rest of the page that the program's data and stack end in, from the linker's `__heap_base` on; then as
/// [`MemoryGrow`]. A program that allocates little never grows.
///
/// The rest is handed out at once or not at all: when the first request needs more than it has, it stays unused. So do whole
/// pages that the memory has beyond it from the start, by the linker's `--initial-memory`.
///
/// Where something lies at `__heap_base` already when the first memory is taken, another heap begins there: the program traps.
/// So does a runtime of the spec `v1` on a node that knows `legacy` only, which puts a header of eight bytes there before
/// it calls anything, instead of sharing its heap with the host's unnoticed. A backtrace names the function
/// `another_heap_begins_at_heap_base`, or where an optimiser has inlined it, the one of this type that takes memory.
#[derive(Debug)]
pub struct FromHeapBase {
    started: bool,
    grow: MemoryGrow,
}

impl FromHeapBase {
    /// A source that has handed out nothing yet.
    ///
    /// # Safety
    ///
    /// Nobody else uses the memory between `__heap_base` and the next multiple of 64 KiB: no second source of this kind, no
    /// other allocator that starts at `__heap_base` (as those of C libraries do), no tool that put data of its own there (as
    /// wasm-bindgen does for threads), and no host (as hosts of runtimes of the `legacy` spec do).
    pub const unsafe fn new() -> Self {
        Self { started: false, grow: MemoryGrow::new() }
    }
}

/// Traps where the memory from `start` on is not as the engine made it.
#[inline]
fn refuse_another_heap(grow: &MemoryGrow, start: usize) {
    // Without memory there, there is no other heap either.
    if start / WASM_PAGE < arch::memory_size::<0>() {
        let first: *const u64 = grow.pointer(start).cast();
        // SAFETY: eight bytes, aligned to eight, inside memory, and behind all that the Rust program allocated itself. Another
        // heap's may be anything; volatile, because the program never wrote them.
        if unsafe { first.read_volatile() } != 0 {
            another_heap_begins_at_heap_base();
        }
    }
}

/// Says what is wrong by its name: there is no heap to make a message in.
#[cold]
#[inline(never)]
fn another_heap_begins_at_heap_base() -> ! {
    arch::unreachable()
}

// SAFETY: S1: the constructor's contract for the rest of the page, `MemoryGrow` for all else. S2: the rest lies below
// whatever is grown. S3, S4, S5: as for `MemoryGrow`; a module's memory is zero where it has no data.
unsafe impl PageSource for FromHeapBase {
    const ZEROED: bool = true;

    #[inline]
    fn grow(&mut self, least: usize) -> Option<Span> {
        if !core::mem::replace(&mut self.started, true) {
            let start = crate::address::round_up((&raw const __heap_base).addr(), crate::address::UNIT);
            refuse_another_heap(&self.grow, start);
            let len = start.wrapping_neg() % WASM_PAGE;
            if len >= least {
                return Some(Span { start, len });
            }
        }
        self.grow.grow(least)
    }

    #[inline(always)]
    fn pointer(&self, address: usize) -> *mut u8 {
        self.grow.pointer(address)
    }
}
