//! Walks the whole heap and tests its invariants.

use super::{CLASSES, LISTS, PENDING, SLAB, STATE, SizeClassAllocator, State};
use crate::{
    address::{Addr, UNIT, WORD},
    memory::PageSource,
};

impl<S: PageSource> SizeClassAllocator<S> {
    /// # Safety
    ///
    /// `slab` is one.
    pub(super) unsafe fn read_state(&self, slab: Addr) -> State {
        // SAFETY: the caller's promise (C1).
        State(unsafe { self.blocks.load(slab.plus(STATE)) }.0)
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
            let class = self.class_at(payload);
            if class == 0 {
                return;
            }
            assert!(!free && payload.0 % SLAB == 0 && size >= SLAB - WORD, "C1");
            // SAFETY: a slab (C1).
            let state = unsafe { self.read_state(payload) };
            assert_eq!(state.class(), class, "C1: the byte map and the slab agree");
            let capacity = STATE / (class * UNIT);
            assert!(state.0 & State::COUNT <= capacity, "C3");
            free_in_slabs += capacity - (state.0 & State::COUNT);
            pending += usize::from(state.0 & State::PENDING != 0);
            slabs += 1;
        });
        let mut marked = 0;
        for entry in 0..self.map_len {
            // SAFETY: inside the map.
            marked += usize::from(unsafe { self.blocks.pointer(self.map.plus(entry)).read() } != 0);
        }
        assert_eq!(marked, slabs, "C1: the byte map marks slabs only");
        for place in 0..PENDING {
            let slab = self.pending[place];
            if slab.is_some() {
                // SAFETY: what stands in the ring is a slab.
                let state = unsafe { self.read_state(slab) };
                assert!(state.0 & State::PENDING != 0, "C3: who is in the ring knows");
                pending -= 1;
            }
        }
        assert_eq!(pending, 0, "C3: who knows is in the ring");
        let (mut listed, mut kept) = (0, 0);
        for list in 1..LISTS {
            let (mut previous, mut block) = (Addr::NONE, self.lists[list]);
            while block.is_some() {
                // SAFETY: a listed block is free (C2).
                let (next, back) = unsafe { (self.blocks.load(block), self.blocks.load(block.plus(WORD))) };
                if list < CLASSES {
                    assert!(previous.is_none() || back == previous, "C2: links");
                    assert_eq!(self.class_at(block), list, "C2: a list holds blocks of its class");
                    assert_eq!(
                        block.above(block.down_to(SLAB)) % (list * UNIT),
                        0,
                        "C2: a block starts where blocks do"
                    );
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
        assert!(kept < 256, "C4: and bounded");
    }
}
