//! Memory under `local`: an arena in the module's lower part, then what the host's allocator gives.
//!
//! The linker lays the module out as
//!
//! ```text
//! 0 ........... stack's end ........... __global_base ...... __heap_base ..........
//!   the stack      the arena              data                 the host's heap
//! ```
//!
//! by `--stack-first --global-base=N`: a stack that is too deep runs below address 0 and traps, the arena costs no byte of the
//! module (a `static` would be written out as zeros, since a module that imports its memory must not take it to be
//! zero), and `__heap_base` has its usual meaning.

use core::{alloc::Layout, ptr};
use heapbase::{
    RawAllocator, SizeClassAllocator, SizedByAddress,
    memory::{PageSource, Span},
};

unsafe extern "C" {
    /// The first byte behind the stack, which begins at address 0.
    static __stack_high: u8;
    /// The first byte of the program's data.
    static __global_base: u8;
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn ext_allocator_malloc_version_1(size: usize) -> *mut u8;
    fn ext_allocator_free_version_1(block: *mut u8);
}

/// Of spans, in bytes.
const ALIGN: usize = 16;
/// The first piece of the host's heap; each next one is twice as large. The host rounds to powers of two, and untouched pages
/// cost nothing.
///
/// Doubling is not for speed alone: the allocator asks for what it lacks beyond the free end of the piece before, since it cannot know that no
/// piece touches another (the host keeps a header in front of each). A piece that was always just as large as asked for would leave it as short
/// as before.
const PIECE: usize = 1 << 20;
/// The host's allocator traps above this.
const LARGEST: usize = 32 << 20;
/// The largest block: what a piece of the largest size holds for sure.
const LARGEST_BLOCK: usize = LARGEST - (64 << 10);

/// First the arena, then pieces of the host's heap.
#[derive(Debug)]
pub(crate) struct ArenaThenHost {
    /// Whether the arena was handed out.
    started: bool,
    /// Where the latest span ended: all later ones lie above.
    end: usize,
    /// How large the next piece is at least.
    next: usize,
}

/// What is aligned of `start .. end`.
fn aligned(start: usize, end: usize) -> Span {
    let start = start.next_multiple_of(ALIGN);
    Span { start, len: (end - start) & !(ALIGN - 1) }
}

impl ArenaThenHost {
    pub(crate) const fn new() -> Self {
        Self { started: false, end: 0, next: PIECE }
    }

    /// A piece of the host's heap that lies above all earlier spans. The host may first offer places below, where it has freed
    /// buffers of that size; they are held until a higher one comes, then go back.
    fn piece(&mut self, size: usize) -> *mut u8 {
        let mut held: *mut u8 = ptr::null_mut();
        // SAFETY: `size` is at most what the host serves; it traps when out of memory, and blocks are aligned to 8. A held
        // block is ours and large enough for the link in its first word.
        unsafe {
            let found = loop {
                let block = ext_allocator_malloc_version_1(size);
                if block.is_null() || block.addr() >= self.end {
                    break block;
                }
                block.cast::<*mut u8>().write(held);
                held = block;
            };
            while !held.is_null() {
                let next = held.cast::<*mut u8>().read();
                ext_allocator_free_version_1(held);
                held = next;
            }
            found
        }
    }
}

// SAFETY: S1: the arena is the linker's gap, which nothing else uses, and the pieces are given by the host for good. S2:
// the arena lies below the host's heap, `piece` returns rising addresses. S3: memory that Rust never allocated, whose
// provenance counts as exposed. S4: nothing is said to be zero. S5: the host's allocator does not call back.
unsafe impl PageSource for ArenaThenHost {
    const ZEROED: bool = false;

    fn grow(&mut self, least: usize) -> Option<Span> {
        // A span may begin where it is not aligned.
        let least = least.checked_add(ALIGN)?;
        if !core::mem::replace(&mut self.started, true) {
            let (start, end) = ((&raw const __stack_high).addr(), (&raw const __global_base).addr());
            self.end = end;
            if end.saturating_sub(start) >= least {
                return Some(aligned(start, end));
            }
        }
        if least > LARGEST {
            return None;
        }
        let size = least.max(self.next);
        self.next = (2 * size).min(LARGEST);
        let start = self.piece(size).addr();
        if start == 0 {
            return None;
        }
        self.end = start + size;
        Some(aligned(start, self.end))
    }

    #[inline(always)]
    fn pointer(&self, address: usize) -> *mut u8 {
        ptr::with_exposed_provenance_mut(address)
    }
}

/// The flagship on this memory, which refuses at once what no piece can hold: the host is not asked for pieces in vain.
#[derive(Debug)]
pub(crate) struct Heap(SizeClassAllocator<ArenaThenHost>);

impl Heap {
    pub(crate) const fn new() -> Self {
        Self(SizeClassAllocator::with_source(ArenaThenHost::new()))
    }
}

// SAFETY: the flagship's, or null. What it serves it also takes back.
unsafe impl RawAllocator for Heap {
    #[inline(always)]
    unsafe fn allocate(&mut self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST_BLOCK || layout.align() > LARGEST - LARGEST_BLOCK {
            return ptr::null_mut();
        }
        // SAFETY: the caller's promise.
        unsafe { self.0.allocate(layout) }
    }

    #[inline(always)]
    unsafe fn deallocate(&mut self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.0.deallocate(block, layout) }
    }
}

// SAFETY: the flagship's.
unsafe impl SizedByAddress for Heap {
    #[inline(always)]
    unsafe fn usable_size(&self, block: *mut u8) -> usize {
        // SAFETY: the caller's promise.
        unsafe { self.0.usable_size(block) }
    }

    #[inline(always)]
    unsafe fn free(&mut self, block: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { self.0.free(block) }
    }

    #[inline(always)]
    unsafe fn resize(&mut self, block: *mut u8, new_size: usize) -> bool {
        // SAFETY: the caller's promise.
        new_size <= LARGEST_BLOCK && unsafe { self.0.resize(block, new_size) }
    }
}
