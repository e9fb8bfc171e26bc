//! What is measured: a round of frees and allocations through a handle. Needs `alloc` only, so that it also runs inside a module.

extern crate alloc;

use alloc::{vec, vec::Vec};
use allocator_api2::alloc::{Allocator, Layout};
use core::ptr::NonNull;

/// Live blocks.
const TABLE: usize = 1 << 10;
/// Frees and allocations of a round.
pub const TURNS: usize = 1 << 15;

/// A random walk over the table, the same for everyone: which place, and what size comes there.
pub fn turns() -> Vec<(u32, u32)> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d)
    };
    (0..TURNS)
        .map(|_| {
            let bits = next();
            // Most are small, as a program's are.
            let limit = 16 << (bits >> 8 & 7).min(bits >> 11 & 7);
            ((bits >> 32) as u32 % TABLE as u32, 1 + (bits >> 16) as u32 % limit)
        })
        .collect()
}

/// A handle with its table, measured round by round.
pub trait Round {
    fn round(&mut self, turns: &[(u32, u32)]);
}

/// A handle and what was allocated through it.
pub struct On<A: Allocator> {
    handle: A,
    table: Vec<Option<(NonNull<u8>, Layout)>>,
}

impl<A: Allocator> On<A> {
    pub fn new(handle: A) -> Self {
        Self { handle, table: vec![None; TABLE] }
    }
}

impl<A: Allocator> Round for On<A> {
    #[inline(never)]
    fn round(&mut self, turns: &[(u32, u32)]) {
        for (place, size) in turns {
            let slot = &mut self.table[*place as usize];
            let layout = Layout::from_size_align(*size as usize, 8).expect("small");
            if let Some((block, layout)) = slot.take() {
                // SAFETY: of this handle and layout, and given back once.
                unsafe { self.handle.deallocate(block, layout) };
            }
            let block = self.handle.allocate(layout).expect("memory").cast::<u8>();
            // SAFETY: at least one byte long.
            unsafe { block.write(1) };
            *slot = Some((block, layout));
        }
    }
}

impl<A: Allocator> Drop for On<A> {
    fn drop(&mut self) {
        for (block, layout) in self.table.drain(..).flatten() {
            // SAFETY: of this handle and layout, and given back once.
            unsafe { self.handle.deallocate(block, layout) };
        }
    }
}
