//! Plays a stream of allocations on one of several allocators, inside a Wasm module.
//!
//! The host writes operations to the buffer at `ops()` and calls `play(count)`. An operation is one little-endian `u64`:
//!
//! | bits | meaning |
//! | --- | --- |
//! | 0..32 | size in bytes |
//! | 32..56 | slot that holds the block |
//! | 56..60 | alignment as a power of two |
//! | 60..64 | 0 allocate, 1 free, 2 reallocate, 3 allocate zeroed |

#![no_std]

use core::alloc::{GlobalAlloc, Layout};

#[cfg(feature = "mimalloc")]
mod mimalloc;
mod peers;
use peers::ALLOCATOR;

const OPS: usize = 1 << 20;
const SLOTS: usize = 1 << 18;

#[derive(Clone, Copy)]
struct Slot {
    block: *mut u8,
    size: u32,
}

/// The player's own memory, in pages of its own, so that those which the allocator touches can be told.
#[repr(C, align(4096))]
struct Own {
    ops: [u64; OPS],
    slots: [Slot; SLOTS],
}

static mut OWN: Own = Own { ops: [0; OPS], slots: [Slot { block: core::ptr::null_mut(), size: 0 }; SLOTS] };

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Where the operations go.
#[unsafe(no_mangle)]
extern "C" fn ops() -> *mut u64 {
    (&raw mut OWN).cast()
}

/// Bytes of the player's own memory, from `ops()` on.
#[unsafe(no_mangle)]
extern "C" fn own() -> usize {
    size_of::<Own>()
}

/// Plays the first `count` operations. Returns the number of the operation that failed, or -1.
#[unsafe(no_mangle)]
extern "C" fn play(count: usize) -> i32 {
    run::<false>(count)
}

/// As `play`, and writes to every byte of every block.
#[unsafe(no_mangle)]
extern "C" fn fill(count: usize) -> i32 {
    run::<true>(count)
}

/// What a program does with a block: writes to its first byte and its last, or to all from `from` on.
unsafe fn write<const WHOLE: bool>(block: *mut u8, from: usize, size: usize) {
    // SAFETY: the block has just been allocated, with so many bytes.
    unsafe {
        if WHOLE {
            for at in from..size {
                block.add(at).write_volatile(1);
            }
        } else {
            block.write(1);
            block.add(size - 1).write(1);
        }
    }
}

#[inline(always)]
fn run<const WHOLE: bool>(count: usize) -> i32 {
    let ops = (&raw const OWN).cast::<u64>();
    // SAFETY: the field's address only.
    let slots = unsafe { (&raw mut OWN.slots).cast::<Slot>() };
    assert!(count <= OPS);
    for index in 0..count {
        // SAFETY: `index` is below `OPS`; the slot's 18 bits are below `SLOTS`; the host sends allocations and frees in
        // pairs with one alignment each, and sizes that are not 0.
        unsafe {
            let op = *ops.add(index);
            let size = op as u32;
            let slot = &mut *slots.add((op >> 32) as usize & (SLOTS - 1));
            let align = 1usize << ((op >> 56) & 15);
            match op >> 60 {
                1 => ALLOCATOR.dealloc(slot.block, Layout::from_size_align_unchecked(slot.size as usize, align)),
                2 => {
                    let layout = Layout::from_size_align_unchecked(slot.size as usize, align);
                    let block = ALLOCATOR.realloc(slot.block, layout, size as usize);
                    if block.is_null() {
                        return index as i32;
                    }
                    if WHOLE {
                        write::<WHOLE>(block, slot.size as usize, size as usize);
                    }
                    *slot = Slot { block, size };
                }
                kind => {
                    let layout = Layout::from_size_align_unchecked(size as usize, align);
                    let block = if kind == 0 { ALLOCATOR.alloc(layout) } else { ALLOCATOR.alloc_zeroed(layout) };
                    if block.is_null() {
                        return index as i32;
                    }
                    write::<WHOLE>(block, 0, size as usize);
                    *slot = Slot { block, size };
                }
            }
        }
    }
    -1
}
