//! What a heap holds, and a map of it.

use super::{CLASSES, LISTS, List, SizeClassAllocator};
use crate::{
    address::{Addr, UNIT},
    memory::PageSource,
};

/// Figures of a heap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Bytes in blocks that are in use, rounded up as the heap rounds them.
    pub live_bytes: usize,
    /// The most that `live_bytes` has ever been.
    pub peak_bytes: usize,
    /// Bytes in slabs, in use or not.
    pub slab_bytes: usize,
    /// Bytes in free tagged blocks and the top.
    pub free_bytes: usize,
    /// Each class of slabs, from 8 bytes to 120 (class 0 is never used).
    pub classes: [ClassStatistics; CLASSES],
}

/// Figures of one class of slabs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassStatistics {
    /// Bytes of a block.
    pub block_bytes: usize,
    /// Slabs. A class's first blocks are tagged ones outside of slabs.
    pub slabs: usize,
    /// Blocks of its slabs that are in use.
    pub live: usize,
}

/// A stretch of a heap, from [`SizeClassAllocator::map`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Address of the first byte.
    pub start: usize,
    /// Bytes, without the tag in front.
    pub len: usize,
    /// What lies there.
    pub kind: Kind,
}

/// What a stretch of a heap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A block in use, or the heap's own byte map.
    Used,
    /// A freed block that waits for a request of its size.
    Waiting,
    /// Free.
    Free,
    /// A slab with blocks of `block_bytes`, `live` of them in use.
    Slab {
        /// Bytes of a block.
        block_bytes: usize,
        /// Blocks in use.
        live: usize,
    },
}

impl<S: PageSource> SizeClassAllocator<S> {
    /// Visits every stretch of the heap in order of address, the top last.
    ///
    /// Whether a block waits is looked up in its list: that takes time proportional to the number of stretches, times that of the freed
    /// blocks that wait. [`statistics`](Self::statistics) does not.
    pub fn map(&self, mut visit: impl FnMut(Stretch)) {
        self.blocks.walk(|payload, len, free| {
            let entry = self.entry(payload);
            let kind = if !entry.is_none() {
                // SAFETY: the tail of a slab.
                let out = usize::from(unsafe { (*self.tail(entry.tail(payload))).out });
                let waiting = self.waiting_in(entry.class(), |block| self.entry(block).slab(block) == payload);
                Kind::Slab { block_bytes: entry.class() * UNIT, live: out - waiting }
            } else if free {
                Kind::Free
            } else if (1..LISTS).any(|list| self.waiting_in(list, |block| block == payload) != 0) {
                Kind::Waiting
            } else {
                Kind::Used
            };
            visit(Stretch { start: payload.0, len, kind });
        });
    }

    /// How many of the blocks that wait in a list are such.
    fn waiting_in(&self, list: usize, is_such: impl Fn(Addr) -> bool) -> usize {
        let (List { first: mut block, second: mut next }, mut count) = (self.lists[list], 0);
        while block.is_some() {
            count += usize::from(is_such(block));
            // SAFETY: the first word of a block that waits is the one after the next (C2).
            (block, next) = (next, unsafe { self.blocks.load(block) });
        }
        count
    }

    /// The heap's figures. Takes time proportional to the heap.
    pub fn statistics(&self) -> Statistics {
        let mut all = Statistics { live_bytes: self.live_bytes, peak_bytes: self.peak_bytes, ..Statistics::default() };
        for (class, figures) in all.classes.iter_mut().enumerate() {
            figures.block_bytes = class * UNIT;
        }
        self.blocks.walk(|payload, len, free| {
            let entry = self.entry(payload);
            if free {
                all.free_bytes += len;
            } else if !entry.is_none() {
                let class = &mut all.classes[entry.class()];
                all.slab_bytes += len;
                class.slabs += 1;
                // SAFETY: the tail of a slab.
                class.live += usize::from(unsafe { (*self.tail(entry.tail(payload))).out });
            }
        });
        for (class, figures) in all.classes.iter_mut().enumerate() {
            figures.live -= self.waiting_in(class, |block| !self.entry(block).is_none());
        }
        all
    }

    pub(super) fn count_in(&mut self, bytes: usize) {
        self.live_bytes += bytes;
        self.peak_bytes = self.peak_bytes.max(self.live_bytes);
    }

    pub(super) fn count_out(&mut self, bytes: usize) {
        self.live_bytes -= bytes;
    }
}
