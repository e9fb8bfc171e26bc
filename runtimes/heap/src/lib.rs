//! heapbase's flagship as a static library: what runtimes in C and Zig link as their heap.
//!
//! Two cargo features decide. Where the heap lies:
//!
//! | feature | memory |
//! | --- | --- |
//! | `v1` | from `__heap_base` up, grown by `memory.grow` |
//! | `local` | an arena between the stack and the data; when it is full, the host's allocator is asked for more |
//!
//! What the functions are called:
//!
//! | feature | functions |
//! | --- | --- |
//! | `malloc` | C's: `malloc`, `calloc`, `realloc`, `free`, `aligned_alloc`, `posix_memalign`, `malloc_usable_size` |
//! | `aligned` | `heapbase_alloc(size, align)`, `heapbase_resize(block, size)`, `heapbase_free(block)` |
//!
//! The second set is for languages whose interface of allocators passes an alignment and asks for growth in place. It also
//! leaves the name `realloc` free, which `v1` wants for an export of another signature.
//!
//! Every function finds a block's size from its address, so the buffers that a host got from `v1`'s `alloc` are freed as any
//! other. Out of memory is null; under
//! `local` so is every request above 32 MiB less 64 KiB, which no host would serve.
#![no_std]

#[cfg(not(target_arch = "wasm32"))]
compile_error!("this library is for wasm32: build it with its script `build`");
#[cfg(all(feature = "v1", feature = "local"))]
compile_error!("`v1` and `local` say different things of the same memory: choose one");

#[cfg(feature = "local")]
mod arena;

#[cfg(feature = "v1")]
// SAFETY: under v1 the module owns its memory, and these kits put nothing else above `__heap_base`.
static HEAP: heapbase::Global<heapbase::memory::FromHeapBase> = unsafe { heapbase::Global::from_heap_base() };

#[cfg(feature = "local")]
// SAFETY: a runtime has one thread and no interrupts.
static HEAP: heapbase::AssumeSingleThreaded<arena::Heap> =
    unsafe { heapbase::AssumeSingleThreaded::new(arena::Heap::new()) };

#[cfg(feature = "malloc")]
heapbase::export_malloc!(HEAP);

/// The interface with alignments.
#[cfg(feature = "aligned")]
mod aligned {
    use super::HEAP;
    use core::{alloc::Layout, ptr};
    use heapbase::{RawAllocator, SizedByAddress};

    /// `size` bytes aligned to `align`; null when out of memory or when `align` is not a power of two.
    #[unsafe(no_mangle)]
    extern "C" fn heapbase_alloc(size: usize, align: usize) -> *mut u8 {
        match Layout::from_size_align(size.max(1), align) {
            // SAFETY: the function uses the core only; the size is not 0.
            Ok(layout) => unsafe { HEAP.exclusive(|heap| heap.allocate(layout)) },
            Err(_) => ptr::null_mut(),
        }
    }

    /// Makes a block hold `size` bytes where it is; false, and nothing changed, where that cannot be.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn heapbase_resize(block: *mut u8, size: usize) -> bool {
        // SAFETY: the function uses the core only; the block is the caller's, as C's contract has it.
        unsafe { HEAP.exclusive(|heap| heap.resize(block, size.max(1))) }
    }

    /// Gives a block back.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn heapbase_free(block: *mut u8) {
        // SAFETY: the function uses the core only; the block is the caller's, as C's contract has it.
        unsafe { HEAP.exclusive(|heap| heap.free(block)) }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
