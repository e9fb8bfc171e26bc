//! Walks the whole heap and tests its invariants.

use super::{CLASSES, LINK, LISTS, MOST_KEPT, PENDING, QUARTER, SHARED, SLAB, STATE, SizeClassAllocator, State};
use crate::{
    address::{Addr, UNIT, WORD},
    memory::PageSource,
};

/// A slab to look at.
#[derive(Clone, Copy)]
pub(super) struct Slab {
    pub(super) state: State,
    /// Classes share it.
    pub(super) shared: bool,
}

impl Slab {
    /// The classes that have blocks in it, and the bytes that each of them has.
    pub(super) fn areas(self) -> impl Iterator<Item = (usize, usize)> {
        let of = move |quarter| {
            let class = self.state.class(quarter);
            let bytes = match (self.shared, quarter) {
                (false, _) => LINK,
                (true, 3) => LINK - 3 * QUARTER,
                (true, _) => QUARTER,
            };
            (class != 0).then_some((class, bytes))
        };
        (0..4).filter_map(of)
    }
}

impl<S: PageSource> SizeClassAllocator<S> {
    /// The slab that `at` lies in.
    pub(super) fn slab_at(&self, at: Addr) -> Option<Slab> {
        let index = self.index_of(at);
        if index >= self.map_len {
            return None;
        }
        // SAFETY: inside the map, which marks slabs (C1).
        unsafe {
            let entry: usize = self.blocks.pointer(self.map.plus(index)).read().into();
            let state = || State(self.blocks.load(at.down_to(SLAB).plus(STATE)).0);
            let slab = (entry != 0).then(|| Slab { state: state(), shared: entry == SHARED })?;
            assert!(slab.shared || slab.state.class(0) == entry, "C1: the byte map and the slab agree");
            Some(slab)
        }
    }

    /// Walks the whole heap and tests the invariants of its slabs, lists and tagged blocks. For tests: it takes time
    /// proportional to the heap, and to its number of free blocks.
    ///
    /// # Panics
    ///
    /// When an invariant does not hold, naming it.
    pub fn check(&self) {
        self.blocks.check();
        let (mut slabs, mut free_in_slabs, mut pending) = (0, 0, 0);
        self.blocks.walk(|payload, size, free| {
            let Some(slab) = self.slab_at(payload) else {
                return;
            };
            assert!(!free && payload.0 % SLAB == 0 && size >= SLAB - WORD, "C1");
            let in_use = slab.state.0 & State::COUNT;
            let capacity: usize = slab.areas().map(|(class, bytes)| bytes / (class * UNIT)).sum();
            // A shared slab counts one block too many.
            assert!(in_use <= capacity + usize::from(slab.shared) && in_use >= usize::from(slab.shared), "C3");
            free_in_slabs += capacity + usize::from(slab.shared) - in_use;
            pending += usize::from(slab.state.0 & State::PENDING != 0);
            slabs += 1;
        });
        let mut marked = 0;
        for entry in 0..self.map_len {
            // SAFETY: inside the map.
            marked += usize::from(unsafe { self.blocks.pointer(self.map.plus(entry)).read() } != 0);
        }
        assert_eq!(marked, slabs, "C1: the byte map marks slabs only");
        assert!(self.pending < PENDING, "C3: pending slabs are bounded");
        let mut slab = self.newest;
        for _ in 0..self.pending {
            // SAFETY: what is pending is a slab.
            let (state, next) =
                unsafe { (State(self.blocks.load(slab.plus(STATE)).0), self.blocks.load(slab.plus(LINK))) };
            assert!(state.0 & State::PENDING != 0, "C3: who is pending knows");
            pending -= 1;
            slab = next;
        }
        assert!(slab.is_none(), "C3: pending slabs are counted");
        assert_eq!(pending, 0, "C3: who knows is pending");
        let (mut listed, mut kept) = (0, 0);
        for list in 1..LISTS {
            let (mut previous, mut block) = (Addr::NONE, self.lists[list]);
            while block.is_some() {
                // SAFETY: a listed block is free (C2).
                let (next, back) = unsafe { (self.blocks.load(block), self.blocks.load(block.plus(WORD))) };
                if list < CLASSES {
                    assert!(previous.is_none() || back == previous, "C2: links");
                    assert_eq!(self.class_at(block), list, "C2: a list holds blocks of its class");
                    let shared = self.slab_at(block).is_some_and(|slab| slab.shared);
                    let area = block.down_to(if shared { QUARTER } else { SLAB });
                    assert_eq!(block.above(area) % (list * UNIT), 0, "C2: a block starts where blocks do");
                    listed += 1;
                } else {
                    // SAFETY: a kept block is tagged (C4).
                    let size = unsafe { self.blocks.payload_size(block) };
                    assert!(self.class_at(block) == 0 && size + WORD >= list * UNIT, "C4");
                    kept += 1;
                }
                (previous, block) = (block, next);
            }
        }
        assert_eq!(listed, free_in_slabs, "C3: every block is in use or listed");
        assert_eq!(self.kept.0.wrapping_neg(), kept, "C4: kept blocks are counted");
        assert!(kept < MOST_KEPT, "C4: and bounded");
    }
}
