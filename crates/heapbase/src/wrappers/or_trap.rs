//! Ends a program that has no memory left instead of letting it recurse.

use core::alloc::{GlobalAlloc, Layout};

/// Requests above this return null as usual: what is left may well serve a panic's message.
const LAST: usize = 64 * 1024;

/// Traps when a request of at most 64 KiB finds no memory; a larger one gets null.
///
/// Out of memory inside Rust code ends in a panic, whose handler usually formats a message, which allocates, which panics:
/// the program ends in a stack overflow far from the cause. Where even a small request finds nothing, this wrapper
/// executes `unreachable` (outside WebAssembly: panics, which aborts where the caller may not unwind), so the trap names
/// the right place. Larger requests still fail with null, so that `try_reserve` works on lengths that somebody else chose.
#[derive(Debug, Default)]
pub struct OrTrap<A>(pub A);

#[inline(always)]
fn or_trap(block: *mut u8, size: usize) -> *mut u8 {
    if block.is_null() && size <= LAST {
        trap();
    }
    block
}

#[cfg(target_arch = "wasm32")]
fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(not(target_arch = "wasm32"))]
fn trap() -> ! {
    panic!("out of memory")
}

// SAFETY: every call is the inner allocator's.
unsafe impl<A: GlobalAlloc> GlobalAlloc for OrTrap<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        or_trap(unsafe { self.0.alloc(layout) }, layout.size())
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        or_trap(unsafe { self.0.alloc_zeroed(layout) }, layout.size())
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.0.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        or_trap(unsafe { self.0.realloc(block, layout, new_size) }, new_size)
    }
}
