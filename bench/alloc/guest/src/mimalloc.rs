//! mimalloc, compiled by clang for WASI, with the few functions of a C library that it names.
//!
//! Memory comes from `sbrk` as mimalloc's port to WASI asks for it; there is no environment, no clock and no output.

use core::{
    alloc::{GlobalAlloc, Layout},
    ffi::{c_char, c_int, c_long, c_void},
    ptr,
};
use libmimalloc_sys::{mi_free, mi_malloc_aligned, mi_realloc_aligned, mi_zalloc_aligned};

/// mimalloc as Rust's global allocator, as the crate `mimalloc` calls it.
pub(crate) struct Mimalloc;

// SAFETY: every call is mimalloc's.
unsafe impl GlobalAlloc for Mimalloc {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { mi_malloc_aligned(layout.size(), layout.align()).cast() }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { mi_zalloc_aligned(layout.size(), layout.align()).cast() }
    }

    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the caller's promise.
        unsafe { mi_free(block.cast()) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { mi_realloc_aligned(block.cast(), new_size, layout.align()).cast() }
    }
}

/// An object of C that mimalloc only takes the address of, or reads as 0.
#[repr(transparent)]
struct Object(*const c_void);

// SAFETY: never written to by Rust; the module has one thread.
unsafe impl Sync for Object {}

#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "C's name")]
static stderr: Object = Object(ptr::null());
#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "C's name")]
static stdout: Object = Object(ptr::null());
#[unsafe(no_mangle)]
static _CLOCK_MONOTONIC: Object = Object(ptr::null());
#[unsafe(export_name = "errno")]
static mut ERROR: c_int = 0;

#[unsafe(no_mangle)]
extern "C" fn abort() -> ! {
    core::arch::wasm32::unreachable()
}

#[unsafe(no_mangle)]
extern "C" fn getenv(_: *const c_char) -> *const c_char {
    ptr::null()
}

#[unsafe(no_mangle)]
extern "C" fn fputs(_: *const c_char, _: *mut c_void) -> c_int {
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn clock_gettime(_: *const c_void, time: *mut [u8; 16]) -> c_int {
    // SAFETY: C's contract: room for a `timespec`.
    unsafe { time.write([0; 16]) };
    0
}

#[unsafe(no_mangle)]
extern "C" fn sched_yield() -> c_int {
    0
}

#[unsafe(no_mangle)]
extern "C" fn strtol(_: *const c_char, _: *mut *mut c_char, _: c_int) -> c_long {
    0
}

#[unsafe(no_mangle)]
extern "C" fn __cxa_atexit(_: *const c_void, _: *mut c_void, _: *mut c_void) -> c_int {
    0
}

#[unsafe(no_mangle)]
extern "C" fn free(_: *mut c_void) {}

#[unsafe(no_mangle)]
extern "C" fn sbrk(more: usize) -> *mut c_void {
    let before = core::arch::wasm32::memory_grow::<0>(more.div_ceil(65_536));
    if before == usize::MAX {
        return ptr::without_provenance_mut(usize::MAX);
    }
    ptr::with_exposed_provenance_mut(before * 65_536)
}
