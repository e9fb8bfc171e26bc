//! Boxes and unboxes one value: the least that a program can ask of an allocator, so the module is the allocator.

#![no_std]

extern crate alloc;

use alloc::boxed::Box;

mod allocators;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Puts a value on the heap.
#[unsafe(no_mangle)]
extern "C" fn put(value: u32) -> *mut u32 {
    Box::into_raw(Box::new(value))
}

/// Takes it back.
#[unsafe(no_mangle)]
unsafe extern "C" fn take(value: *mut u32) -> u32 {
    // SAFETY: the host passes what `put` returned, once.
    unsafe { *Box::from_raw(value) }
}
