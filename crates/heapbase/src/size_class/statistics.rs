//! What a heap holds, and a map of it.

use super::{CLASSES, LISTS, SizeClassAllocator, State};
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
    /// Slabs of the class alone. Its first blocks lie in a quarter of a slab that classes share.
    pub slabs: usize,
    /// Blocks in use.
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
    Kept,
    /// Free.
    Free,
    /// A slab with blocks of `block_bytes`, `live` of them in use.
    Slab {
        /// Bytes of a block.
        block_bytes: usize,
        /// Blocks in use.
        live: usize,
    },
    /// A slab with the first blocks of up to four classes, `live` of them in use.
    Shared {
        /// Blocks in use.
        live: usize,
    },
}

impl<S: PageSource> SizeClassAllocator<S> {
    /// Visits every stretch of the heap in order of address, the top last. Takes time proportional to the heap.
    pub fn map(&self, mut visit: impl FnMut(Stretch)) {
        self.blocks.walk(|payload, len, free| {
            let kind = if let Some(slab) = self.slab_at(payload) {
                let live = slab.state.0 & State::COUNT;
                if slab.shared {
                    Kind::Shared { live: live - 1 }
                } else {
                    Kind::Slab { block_bytes: slab.state.class(0) * UNIT, live }
                }
            } else if free {
                Kind::Free
            } else if self.is_kept(payload) {
                Kind::Kept
            } else {
                Kind::Used
            };
            visit(Stretch { start: payload.0, len, kind });
        });
    }

    fn is_kept(&self, payload: Addr) -> bool {
        self.lists[CLASSES..LISTS].iter().any(|first| {
            let mut block = *first;
            while block.is_some() && block != payload {
                // SAFETY: a kept block's first word is the next one (C4).
                block = unsafe { self.blocks.load(block) };
            }
            block == payload
        })
    }

    /// The heap's figures. Takes time proportional to the heap.
    pub fn statistics(&self) -> Statistics {
        let mut all = Statistics { live_bytes: self.live_bytes, peak_bytes: self.peak_bytes, ..Statistics::default() };
        for (class, figures) in all.classes.iter_mut().enumerate() {
            figures.block_bytes = class * UNIT;
        }
        self.map(|stretch| {
            if let Some(slab) = self.slab_at(Addr(stretch.start)) {
                all.slab_bytes += stretch.len;
                for (class, bytes) in slab.areas() {
                    all.classes[class].slabs += usize::from(!slab.shared);
                    all.classes[class].live += bytes / (class * UNIT);
                }
            } else if stretch.kind == Kind::Free {
                all.free_bytes += stretch.len;
            }
        });
        // In use is what is not free.
        for (list, figures) in all.classes.iter_mut().enumerate() {
            let mut block = self.lists[list];
            while block.is_some() {
                figures.live -= 1;
                // SAFETY: a free block's first word is the next one (C2).
                block = unsafe { self.blocks.load(block) };
            }
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
