//! A yardstick for memory: first fit by address, without a byte of bookkeeping.
//!
//! No program could run on it: it finds its holes in a tree that costs nothing, blocks are rounded up to 8 bytes and have
//! neither headers nor classes, and every block grows and shrinks where it is if the room is there. What it needs, an
//! allocator that cannot move blocks needs too, unless it places them more cleverly.

use crate::workloads::{Step, Workload};
use std::collections::BTreeMap;

#[derive(Default)]
struct Heap {
    /// Free bytes below the top, by address.
    holes: BTreeMap<u64, u64>,
    top: u64,
    highest: u64,
}

impl Heap {
    fn take(&mut self, size: u64) -> u64 {
        let hole = self.holes.iter().find(|(_, len)| **len >= size).map(|(at, len)| (*at, *len));
        if let Some((at, len)) = hole {
            self.holes.remove(&at);
            if len > size {
                self.holes.insert(at + size, len - size);
            }
            return at;
        }
        let at = self.top;
        self.set_top(at + size);
        at
    }

    fn set_top(&mut self, top: u64) {
        self.top = top;
        self.highest = self.highest.max(top);
    }

    fn give(&mut self, mut at: u64, mut size: u64) {
        if let Some((&below, &len)) = self.holes.range(..at).next_back()
            && below + len == at
        {
            self.holes.remove(&below);
            (at, size) = (below, size + len);
        }
        size += self.holes.remove(&(at + size)).unwrap_or(0);
        if at + size == self.top {
            self.top = at;
        } else {
            self.holes.insert(at, size);
        }
    }

    /// Where a block of `old` bytes has `new` from now on.
    fn resize(&mut self, at: u64, old: u64, new: u64) -> u64 {
        if at + old == self.top {
            self.set_top(at + new);
            return at;
        }
        let above = self.holes.get(&(at + old)).copied().unwrap_or(0);
        if old + above >= new {
            self.holes.remove(&(at + old));
            if old + above > new {
                self.holes.insert(at + new, old + above - new);
            }
            return at;
        }
        let to = self.take(new);
        self.give(at, old);
        to
    }
}

/// Bytes from the heap's start to the highest address that a workload uses.
pub fn bytes(workload: &Workload) -> u64 {
    let mut heap = Heap::default();
    let mut blocks: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    let rounded = |size: u32| u64::from(size).next_multiple_of(8);
    for step in workload.steps() {
        match step {
            Step::Allocate { slot, size } => {
                let size = rounded(size);
                blocks.insert(slot, (heap.take(size), size));
            }
            Step::Free { slot } => {
                let (at, size) = blocks.remove(&slot).expect("the block is alive");
                heap.give(at, size);
            }
            Step::Resize { slot, size } => {
                let block = blocks.get_mut(&slot).expect("the block is alive");
                let size = rounded(size);
                *block = (heap.resize(block.0, block.1, size), size);
            }
        }
    }
    heap.highest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_reused_and_merged() {
        let mut heap = Heap::default();
        let blocks: Vec<u64> = (0..4).map(|_| heap.take(16)).collect();
        heap.give(blocks[0], 16);
        heap.give(blocks[1], 16);
        assert_eq!(heap.take(24), 0);
        assert_eq!(heap.resize(0, 24, 32), 0);
        assert_eq!(heap.resize(0, 32, 40), 64, "the neighbour is in use, so the block moves to the top");
        assert_eq!((heap.take(8), heap.highest), (0, 104));
    }
}
