//! The `v1` allocator spec of RFC-0061: a runtime that brings its own heap exports `v1`, `alloc`, `dealloc`, `realloc`.
//!
//! With the cargo feature `v1`, a runtime crate does nothing but depend on this crate and name it once, so that it is linked:
//!
//! ```
//! use heapbase as _;
//! ```
//!
//! `Global` becomes its global allocator, and the four functions are exported. The heap starts at `__heap_base`, in the rest of
//! the page that the module's data end in, so a short call grows no memory: a runtime has no second allocator, such as a
//! C library's, that starts there too. With an allocator of your own, leave the feature off, install the allocator and call [`export_v1!`](crate::export_v1) with its static.

use core::alloc::{GlobalAlloc, Layout};

/// Alignment of the blocks that the host gets, in bytes.
pub const ALIGN: usize = 8;

fn layout(size: usize) -> Option<Layout> {
    Layout::from_size_align(size.max(1), ALIGN).ok()
}

/// What the export `alloc` does: `size` writable bytes, aligned to 8, or null when out of memory.
#[inline]
pub fn alloc<A: GlobalAlloc>(heap: &A, size: usize) -> *mut u8 {
    match layout(size) {
        // SAFETY: the size is not 0.
        Some(layout) => unsafe { heap.alloc(layout) },
        None => core::ptr::null_mut(),
    }
}

/// What the export `dealloc` does: gives a block back; null is a no-op.
///
/// # Safety
///
/// `block` is null, or came from [`alloc`] or [`realloc`] with this size and is not used any more.
#[inline]
pub unsafe fn dealloc<A: GlobalAlloc>(heap: &A, block: *mut u8, size: usize) {
    if let (false, Some(layout)) = (block.is_null(), layout(size)) {
        // SAFETY: the caller's promise, and the layout is the one that the block was allocated with.
        unsafe { heap.dealloc(block, layout) }
    }
}

/// What the export `realloc` does: changes a block's size, keeping its contents; null leaves the old block as it is.
/// A null block is allocated anew.
///
/// # Safety
///
/// As for [`dealloc`].
#[inline]
pub unsafe fn realloc<A: GlobalAlloc>(heap: &A, block: *mut u8, size: usize, new_size: usize) -> *mut u8 {
    if block.is_null() {
        return alloc(heap, new_size);
    }
    match (layout(size), layout(new_size)) {
        // SAFETY: the caller's promise; both layouts are valid, so the new size does not overflow.
        (Some(old), Some(new)) => unsafe { heap.realloc(block, old, new.size()) },
        _ => core::ptr::null_mut(),
    }
}

/// Exports `v1`, `alloc`, `dealloc` and `realloc` for the allocator in a static.
///
/// A buffer that the host allocated this way ends up in Rust code as a `Vec<u8>`, which frees it with alignment 1. So the
/// allocator must serve alignments from 1 to 8 alike, as all of this crate do.
///
/// The functions are exported where the target is WebAssembly; elsewhere `realloc` would replace the C library's.
///
/// ```
/// use heapbase::{AssumeSingleThreaded, SizeClassAllocator, memory::Region};
///
/// static mut ARENA: [u8; 65_536] = [0; 65_536];
/// # #[cfg(target_family = "wasm")]
/// #[global_allocator]
/// // SAFETY: a runtime has one thread, and uses ARENA for nothing else.
/// static HEAP: AssumeSingleThreaded<SizeClassAllocator<Region<'static, true>>> = unsafe {
///     let start = &raw mut ARENA as *mut u8;
///     AssumeSingleThreaded::new(SizeClassAllocator::with_source(Region::between(start, start.add(65_536))))
/// };
/// heapbase::export_v1!(HEAP);
/// ```
#[macro_export]
macro_rules! export_v1 {
    ($heap:expr) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn v1() {}

            #[unsafe(no_mangle)]
            extern "C" fn alloc(size: usize) -> *mut u8 {
                $crate::v1::alloc(&$heap, size)
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn dealloc(block: *mut u8, size: usize) {
                // SAFETY: the spec's contract on the caller.
                unsafe { $crate::v1::dealloc(&$heap, block, size) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn realloc(block: *mut u8, size: usize, new_size: usize) -> *mut u8 {
                // SAFETY: the spec's contract on the caller.
                unsafe { $crate::v1::realloc(&$heap, block, size, new_size) }
            }
        };
    };
}

#[cfg(all(feature = "v1", target_family = "wasm"))]
mod installed {
    use crate::{Global, OrTrap, memory::FromHeapBase};

    /// Out of memory inside Rust code traps instead of recursing through the panic handler; the host's `alloc` gets null.
    // SAFETY: under the spec the module owns all of its memory, and the first page of this file asks programs to leave
    // that above `__heap_base` alone.
    #[global_allocator]
    static HEAP: OrTrap<Global<FromHeapBase>> = OrTrap(unsafe { Global::from_heap_base() });

    crate::export_v1!(HEAP.0);
}
