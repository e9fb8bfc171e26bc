//! The C interface of heapbase: allocators as values, subsystems with budgets, errors of two words.
//!
//! `include/heapbase.h` is this crate as C sees it, written by cbindgen and compared in a test. `include/heapbase_malloc.h` makes
//! the C library's allocator one of ours, for programs that say so, and `include/heapbase.hpp` is a
//! `std::pmr::memory_resource`. Build the library with `cargo build --release -p heapbase-c`.
//!
//! From Rust, use [`heapbase`] itself. What C does looks like this:
//!
//! ```
//! use core::ptr::null_mut;
//! use heapbase_c::{allocator::*, arena::*, subsystem::*};
//!
//! let mut bytes = vec![0u8; 64 * 1024];
//! // SAFETY: the bytes stay until all that came from them is gone.
//! unsafe {
//!     let mut arena = Allocator::NONE;
//!     assert_eq!(heapbase_arena_make(bytes.as_mut_ptr().cast(), bytes.len(), &mut arena).code, 0);
//!     let mut part = null_mut();
//!     assert_eq!(heapbase_subsystem_make(arena, c"part".as_ptr(), 1_000, &mut part).code, 0);
//!     let memory = heapbase_subsystem_allocator(part);
//!     let mut block = null_mut();
//!     assert_eq!(heapbase_allocate(memory, 100, 8, &mut block).code, 0);
//!     assert_eq!(heapbase_subsystem_figures(part).live, 100);
//!     heapbase_free(memory, block, 100, 8);
//!     assert_eq!(heapbase_subsystem_close(part).code, 0);
//! }
//! ```
#![cfg_attr(target_family = "wasm", no_std)]

pub mod allocator;
pub mod arena;
pub mod error;
pub mod gc;
pub mod pool;
pub mod subsystem;

/// A Rust panic has nowhere to go in a C program.
#[cfg(all(target_family = "wasm", not(test)))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
