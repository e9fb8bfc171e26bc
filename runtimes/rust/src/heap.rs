//! The host's allocator as the global one: what runtimes do today, and what `heapbase convert` takes as its source.

use core::alloc::{GlobalAlloc, Layout};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn ext_allocator_malloc_version_1(size: usize) -> *mut u8;
    fn ext_allocator_free_version_1(block: *mut u8);
}

struct Host;

#[global_allocator]
static HEAP: Host = Host;

/// The alignment of what the host hands out.
const ALIGN: usize = 8;

// SAFETY: the host hands out blocks of at least the size asked for, aligned to 8, that do not overlap, and traps where it
// has none left. It takes a block back by its address. A block that has to be aligned to more (`u128` is, to 16) lies
// inside of a larger one, whose address stands before it.
unsafe impl GlobalAlloc for Host {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() <= ALIGN {
            // SAFETY: takes a number.
            return unsafe { ext_allocator_malloc_version_1(layout.size()) };
        }
        // SAFETY: takes a number; a sum that is too large traps in the host, which has a limit far below.
        let outer = unsafe { ext_allocator_malloc_version_1(layout.size().saturating_add(layout.align())) };
        // At least 8 bytes further, since it is a multiple of more than 8 and the outer block begins at one of 8.
        let inner = outer.wrapping_add(layout.align() - outer.addr() % layout.align());
        // SAFETY: the word before the inner block lies inside of the outer one, and is aligned.
        unsafe { inner.cast::<*mut u8>().sub(1).write(outer) };
        inner
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise: the block came from `alloc` with this layout, or, aligned to less, from a host
        // function.
        unsafe {
            let outer = if layout.align() <= ALIGN { block } else { block.cast::<*mut u8>().sub(1).read() };
            ext_allocator_free_version_1(outer);
        }
    }
}
