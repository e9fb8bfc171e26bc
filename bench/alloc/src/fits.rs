//! Yardsticks for memory: first fit by address, and others, without a byte of bookkeeping.
//!
//! No program could run on them: they find their holes in a tree that costs nothing, blocks are rounded up to 8 bytes and have
//! neither headers nor classes, and every block grows and shrinks where it is if the room is there. What they need, an
//! allocator that cannot move blocks needs too, unless it places them more cleverly.

use crate::workloads::{Step, Workload};
use std::collections::BTreeMap;

/// Which of the holes that are large enough a block gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fit {
    /// The one at the lowest address.
    #[default]
    First,
    /// The smallest.
    Best,
    /// The largest.
    Worst,
    /// The next one behind where the last block was placed, and from the start again.
    Next,
}

impl Fit {
    /// All of them, and what they are called.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::First, "first fit"), (Self::Best, "best fit"), (Self::Worst, "worst fit"), (Self::Next, "next fit")];
}

#[derive(Default)]
struct Heap {
    fit: Fit,
    /// Free bytes below the top, by address.
    holes: BTreeMap<u64, u64>,
    top: u64,
    highest: u64,
    /// Where the last block that was placed ends.
    last: u64,
}

impl Heap {
    fn take(&mut self, size: u64) -> u64 {
        let mut holes = self.holes.iter().map(|(at, len)| (*at, *len)).filter(|(_, len)| *len >= size);
        let hole = match self.fit {
            Fit::First => holes.next(),
            Fit::Best => holes.min_by_key(|(_, len)| *len),
            Fit::Worst => holes.max_by_key(|(at, len)| (*len, u64::MAX - at)),
            Fit::Next => {
                let last = self.last;
                let first = holes.next();
                first.filter(|(at, _)| *at >= last).or_else(|| holes.find(|(at, _)| *at >= last)).or(first)
            }
        };
        let at = match hole {
            Some((at, len)) => {
                self.holes.remove(&at);
                if len > size {
                    self.holes.insert(at + size, len - size);
                }
                at
            }
            None => {
                let at = self.top;
                self.set_top(at + size);
                at
            }
        };
        self.last = at + size;
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
pub fn bytes(workload: &Workload, fit: Fit) -> u64 {
    let mut heap = Heap { fit, ..Heap::default() };
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

    #[test]
    fn each_fit_takes_another_hole() {
        for (fit, name) in Fit::ALL {
            let mut heap = Heap { fit, ..Heap::default() };
            // Holes of 24, 16, 40 and 32 bytes between blocks of 8; the last block was placed behind the second.
            let sizes = [24, 8, 16, 8, 40, 8, 32, 8];
            let blocks = sizes.map(|size| (heap.take(size), size));
            blocks.iter().step_by(2).for_each(|(at, size)| heap.give(*at, *size));
            heap.last = 56;
            let expected = match fit {
                Fit::First => 0,
                Fit::Best => 32,
                Fit::Worst => 56,
                Fit::Next => 56,
            };
            assert_eq!(heap.take(16), expected, "{name}");
            // Behind what was just placed, or from the start again.
            assert_eq!(heap.take(32), if fit == Fit::First || fit == Fit::Best { 56 } else { 104 }, "{name}");
        }
    }
}
