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

mod peers;
use peers::ALLOCATOR;

const OPS: usize = 1 << 20;
const SLOTS: usize = 1 << 18;

#[derive(Clone, Copy)]
struct Slot {
    block: *mut u8,
    size: u32,
}

static mut BUFFER: [u64; OPS] = [0; OPS];
static mut BLOCKS: [Slot; SLOTS] = [Slot { block: core::ptr::null_mut(), size: 0 }; SLOTS];

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Where the operations go.
#[unsafe(no_mangle)]
extern "C" fn ops() -> *mut u64 {
    (&raw mut BUFFER).cast()
}

/// Plays the first `count` operations. Returns the number of the operation that failed, or -1.
#[unsafe(no_mangle)]
extern "C" fn play(count: usize) -> i32 {
    let ops = (&raw const BUFFER).cast::<u64>();
    let slots = (&raw mut BLOCKS).cast::<Slot>();
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
                    *slot = Slot { block, size };
                }
                kind => {
                    let layout = Layout::from_size_align_unchecked(size as usize, align);
                    let block = if kind == 0 { ALLOCATOR.alloc(layout) } else { ALLOCATOR.alloc_zeroed(layout) };
                    if block.is_null() {
                        return index as i32;
                    }
                    // A program writes to what it allocates: the block's first byte and its last.
                    block.write(1);
                    block.add(size as usize - 1).write(1);
                    *slot = Slot { block, size };
                }
            }
        }
    }
    -1
}
