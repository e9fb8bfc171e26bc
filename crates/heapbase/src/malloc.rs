//! The C interface: `malloc`, `calloc`, `realloc`, `free`, `aligned_alloc`, `posix_memalign`, `malloc_usable_size`.
//!
//! With the cargo feature `malloc` they are exported on WebAssembly, for C and whatever else is linked into the module or
//! calls it from outside.
//!
//! **Alignment.** `malloc`, `calloc` and `realloc` align to 16 where the size is a multiple of 16, and to 8 otherwise. Every type that is
//! aligned to 16 (`long double`, `__int128`, `v128_t`), every struct of such and every array has a size that is a multiple of 16, so what is
//! asked for with `sizeof` is aligned as its type needs. The standard asks for more: `max_align_t` is aligned to 16 on wasm32,
//! so any block of 16 bytes or more should be (C23, after WG14's N2293, lets a smaller block be aligned to less, which C11's wording, as
//! defect report 75 reads it, did not). The difference is a struct with a flexible array member, or an arena of one's own, that is aligned to
//! 16 and has an odd size: ask `aligned_alloc` for it. It gets 8 here, and on WebAssembly runs all the same: loads and stores of any
//! width may be unaligned, only atomic ones trap, and those have 8 bytes at most. Others: wasi-libc and mimalloc align everything from
//! 16 bytes on to 16 (wasi-libc issue 249), Emscripten changed the type instead, whose `long double` and `max_align_t` are aligned to 8
//! (its issue 10072). Aligning
//! every block costs the common sizes that are no multiple of 16 up to a third of their memory.
//!
//! The heap is one of its own: a Rust `#[global_allocator]` beside it is no harm, since both tolerate that others grow the
//! memory. The feature excludes `v1`, whose `realloc` has another signature.
//!
//! [`export_malloc!`](crate::export_malloc) exports the same for an allocator of your own.

use crate::SizedByAddress;
use core::{alloc::Layout, ptr};

/// `EINVAL` and `ENOMEM` as WASI numbers them, what `posix_memalign` returns.
const INVALID: i32 = 28;
const NO_MEMORY: i32 = 48;
/// Bytes that are not worth a move.
const LITTLE: usize = 32;

fn layout(size: usize) -> Option<Layout> {
    let size = size.max(1);
    Layout::from_size_align(size, if size.is_multiple_of(16) { 16 } else { 8 }).ok()
}

/// `malloc(size)`: null when out of memory; a size of 0 gets a block.
pub fn malloc<A: SizedByAddress>(heap: &mut A, size: usize) -> *mut u8 {
    match layout(size) {
        // SAFETY: the size is not 0.
        Some(layout) => unsafe { heap.allocate(layout) },
        None => ptr::null_mut(),
    }
}

/// `calloc(count, size)`: null when out of memory or when the product overflows.
pub fn calloc<A: SizedByAddress>(heap: &mut A, count: usize, size: usize) -> *mut u8 {
    match count.checked_mul(size).and_then(layout) {
        // SAFETY: the size is not 0.
        Some(layout) => unsafe { heap.allocate_zeroed(layout) },
        None => ptr::null_mut(),
    }
}

/// `aligned_alloc(align, size)`: null when out of memory or `align` is not a power of two.
pub fn aligned_alloc<A: SizedByAddress>(heap: &mut A, align: usize, size: usize) -> *mut u8 {
    match Layout::from_size_align(size.max(1), align) {
        // SAFETY: the size is not 0.
        Ok(layout) => unsafe { heap.allocate(layout) },
        Err(_) => ptr::null_mut(),
    }
}

/// `realloc(block, size)`: null when out of memory, and the old block stays. A null block is allocated anew.
///
/// A block that is not aligned to 16 moves when its new size is a multiple of 16, also where it shrinks; so that may fail.
///
/// # Safety
///
/// `block` is null or came from this heap and is in use; after success it is not used any more.
pub unsafe fn realloc<A: SizedByAddress>(heap: &mut A, block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() {
        return malloc(heap, size);
    }
    // A block that was aligned to 8 may be no place for the new size.
    let stays = layout(size).is_some_and(|layout| block.addr().is_multiple_of(layout.align()));
    // SAFETY: the caller's promise; the blocks are disjoint and at least as long as is copied.
    unsafe {
        let usable = heap.usable_size(block);
        // Halving is worth a move, less is not; nor are a few bytes.
        let wasteful = |usable| usable / 2 > size && usable - size > LITTLE;
        let fits = |heap: &mut A| stays && heap.resize(block, size.max(1));
        if stays && size <= usable && !wasteful(usable) || fits(heap) && !wasteful(heap.usable_size(block)) {
            return block;
        }
        let new = malloc(heap, size);
        if new.is_null() {
            // Looking for memory may have freed what was behind the block; and shrinking where it is does not fail.
            return if fits(heap) { block } else { new };
        }
        ptr::copy_nonoverlapping(block, new, usable.min(size));
        heap.free(block);
        new
    }
}

/// `free(block)`: null is a no-op.
///
/// # Safety
///
/// `block` is null or came from this heap and is not used any more.
pub unsafe fn free<A: SizedByAddress>(heap: &mut A, block: *mut u8) {
    if !block.is_null() {
        // SAFETY: the caller's promise.
        unsafe { heap.free(block) }
    }
}

/// `posix_memalign(out, align, size)`: 0, or an error number with `out` untouched.
///
/// # Safety
///
/// `out` may be written to.
pub unsafe fn posix_memalign<A: SizedByAddress>(heap: &mut A, out: *mut *mut u8, align: usize, size: usize) -> i32 {
    if !align.is_power_of_two() || align < size_of::<usize>() {
        return INVALID;
    }
    let block = aligned_alloc(heap, align, size);
    if block.is_null() {
        return NO_MEMORY;
    }
    // SAFETY: the caller's promise.
    unsafe { out.write(block) };
    0
}

/// `malloc_usable_size(block)`: 0 for null.
///
/// # Safety
///
/// `block` is null or came from this heap and is in use.
pub unsafe fn malloc_usable_size<A: SizedByAddress>(heap: &mut A, block: *mut u8) -> usize {
    if block.is_null() {
        return 0;
    }
    // SAFETY: the caller's promise.
    unsafe { heap.usable_size(block) }
}

/// Exports `malloc`, `calloc`, `realloc`, `free`, `aligned_alloc`, `posix_memalign` and `malloc_usable_size` for the wrapper
/// in a static: [`LockedAllocator`](crate::LockedAllocator) or [`AssumeSingleThreaded`](crate::AssumeSingleThreaded).
///
/// They are exported where the target is WebAssembly; elsewhere they would replace the C library's.
///
/// ```
/// use heapbase::{AssumeSingleThreaded, SizeClassAllocator, memory::Region};
///
/// static mut ARENA: [u8; 65_536] = [0; 65_536];
/// // SAFETY: this program has one thread, and uses ARENA for nothing else.
/// static HEAP: AssumeSingleThreaded<SizeClassAllocator<Region<'static, true>>> = unsafe {
///     let start = &raw mut ARENA as *mut u8;
///     AssumeSingleThreaded::new(SizeClassAllocator::with_source(Region::between(start, start.add(65_536))))
/// };
/// heapbase::export_malloc!(HEAP);
/// # let _ = &HEAP;
/// ```
#[macro_export]
macro_rules! export_malloc {
    ($heap:expr) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[unsafe(no_mangle)]
            extern "C" fn malloc(size: usize) -> *mut u8 {
                // SAFETY: the function uses the core only.
                unsafe { $heap.exclusive(|heap| $crate::malloc::malloc(heap, size)) }
            }

            #[unsafe(no_mangle)]
            extern "C" fn calloc(count: usize, size: usize) -> *mut u8 {
                // SAFETY: the function uses the core only.
                unsafe { $heap.exclusive(|heap| $crate::malloc::calloc(heap, count, size)) }
            }

            #[unsafe(no_mangle)]
            extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut u8 {
                // SAFETY: the function uses the core only.
                unsafe { $heap.exclusive(|heap| $crate::malloc::aligned_alloc(heap, align, size)) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn realloc(block: *mut u8, size: usize) -> *mut u8 {
                // SAFETY: C's contract on the caller, and the function uses the core only.
                unsafe { $heap.exclusive(|heap| $crate::malloc::realloc(heap, block, size)) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn free(block: *mut u8) {
                // SAFETY: C's contract on the caller, and the function uses the core only.
                unsafe { $heap.exclusive(|heap| $crate::malloc::free(heap, block)) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn posix_memalign(out: *mut *mut u8, align: usize, size: usize) -> i32 {
                // SAFETY: C's contract on the caller, and the function uses the core only.
                unsafe { $heap.exclusive(|heap| $crate::malloc::posix_memalign(heap, out, align, size)) }
            }

            #[unsafe(no_mangle)]
            unsafe extern "C" fn malloc_usable_size(block: *mut u8) -> usize {
                // SAFETY: C's contract on the caller, and the function uses the core only.
                unsafe { $heap.exclusive(|heap| $crate::malloc::malloc_usable_size(heap, block)) }
            }
        };
    };
}

#[cfg(all(feature = "malloc", target_family = "wasm"))]
mod exported {
    static HEAP: crate::Global = crate::Global::new();
    crate::export_malloc!(HEAP);
}
