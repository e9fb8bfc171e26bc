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

// SAFETY: the host hands out blocks of at least the size asked for, aligned to 8, that do not overlap, and traps where it
// has none left. It takes a block back by its address.
unsafe impl GlobalAlloc for Host {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.align() > 8 {
            return core::ptr::null_mut();
        }
        // SAFETY: takes a number.
        unsafe { ext_allocator_malloc_version_1(layout.size()) }
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller's promise: the block came from `alloc` or from a host function.
        unsafe { ext_allocator_free_version_1(block) }
    }
}
