//! The C functions as a library to link C programs with.

#![no_std]

// Named so that it is linked.
use heapbase as _;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
