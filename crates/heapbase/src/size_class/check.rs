//! Walks the whole heap, tests its invariants and counts what is in use.

use super::{CLASSES, Entry, LISTS, List, SLAB, SizeClassAllocator, Tail, units_of};
use crate::{
    address::{Addr, UNIT, WORD},
    memory::PageSource,
};

impl<S: PageSource> SizeClassAllocator<S> {
    /// Walks the whole heap and tests the invariants of its slabs, lists and tagged blocks. Returns how many blocks are in
    /// use: if the caller has fewer, the heap has lost some. For tests: it takes time proportional to the heap, and to its
    /// number of free blocks.
    ///
    /// # Panics
    ///
    /// When an invariant does not hold, naming it.
    pub fn check(&self) -> usize {
        self.blocks.check();
        let (mut entries, mut tagged, mut out, mut with_home) = (0, 0, 0, [0; CLASSES]);
        self.blocks.walk(|payload, size, free| {
            let entry = self.entry(payload);
            if entry.is_none() {
                tagged += usize::from(!free && payload != self.map);
                return;
            }
            assert!(!free && entry.slab(payload) == payload && size >= entry.size() - WORD, "C1");
            for part in (0..entry.size()).step_by(SLAB) {
                assert_eq!(self.entry(payload.plus(part)), entry, "C1: every entry of a slab says the same");
                entries += 1;
            }
            let home = self.check_slab(payload, entry);
            with_home[entry.class()] += usize::from(home != 0);
            // SAFETY: the tail of a slab.
            out += usize::from(unsafe { (*self.tail(entry.tail(payload))).out });
        });
        // SAFETY: inside the map.
        let is_marked = |at: &usize| unsafe { self.blocks.pointer(self.map.plus(*at)).read() } != 0;
        assert_eq!((0..self.map_len).filter(is_marked).count(), entries, "C1: the byte map marks slabs only");
        for (class, with_home) in with_home.into_iter().enumerate() {
            let (mut before, mut at, mut slabs) = (Addr::NONE, self.slabs[class], 0);
            while at.is_some() {
                assert_eq!(self.entry(at).class(), class, "C3: a class's slabs are of the class");
                // SAFETY: the tail of a slab.
                let Tail { previous, next, out, all, .. } = unsafe { self.tail(at).read() };
                assert!(before.is_none() || previous == before, "C3: links");
                assert!(out != 0 && out < all, "C3: some of its blocks are at home");
                (before, at, slabs) = (at, next, slabs + 1);
            }
            assert_eq!(slabs, with_home, "C3: all that have blocks at home are listed");
        }
        for list in 1..LISTS {
            let (of_slabs, others) = self.check_list(list);
            assert!(of_slabs <= out && others <= tagged, "C2: what waits is nobody's");
            (out, tagged) = (out - of_slabs, tagged - others);
        }
        out + tagged
    }

    /// Tests a slab's blocks at home; returns how many there are.
    fn check_slab(&self, slab: Addr, entry: Entry) -> usize {
        // SAFETY: the tail of a slab.
        let tail = unsafe { self.tail(entry.tail(slab)).read() };
        let step = entry.class() * UNIT;
        assert_eq!(usize::from(tail.all), (entry.size() - Tail::SIZE) / step, "C3: a slab knows what it holds");
        let home = usize::from(tail.all) - usize::from(tail.out);
        let mut block = if tail.first == 0 { Addr::NONE } else { entry.tail(slab).minus(tail.first.into()) };
        for _ in 0..home {
            assert!(block.is_some() && entry.slab(block) == slab, "C3: blocks at home are counted");
            assert_eq!(block.above(slab) % step, 0, "C3: a block starts where blocks do");
            // SAFETY: a block at home holds the address of the one after the next, and the next one's.
            let (skip, next) = unsafe { (self.blocks.load(block), self.blocks.load(block.plus(WORD))) };
            // SAFETY: as above.
            let after = if next.is_some() { unsafe { self.blocks.load(next.plus(WORD)) } } else { Addr::NONE };
            assert_eq!(skip, after, "C3: a block at home knows the one after the next");
            block = next;
        }
        assert!(block.is_none(), "C3: blocks at home are counted");
        home
    }

    /// Tests what waits in a list; returns how many blocks of slabs there are, and how many others.
    fn check_list(&self, list: usize) -> (usize, usize) {
        let (List { first: mut block, second: mut next }, mut of_slabs, mut others) = (self.lists[list], 0, 0);
        while block.is_some() {
            let entry = self.entry(block);
            if entry.is_none() {
                // SAFETY: what waits and lies in no slab is tagged.
                let size = unsafe { self.blocks.payload_size(block) } + WORD;
                let least = if list < CLASSES { list + 1 } else { units_of(list) };
                assert!(size >= least * UNIT, "C2: a list's blocks are large enough");
                others += 1;
            } else {
                assert_eq!(entry.class(), list, "C2: a list holds blocks of its class");
                assert_eq!(block.above(entry.slab(block)) % (list * UNIT), 0, "C2: a block starts where blocks do");
                of_slabs += 1;
            }
            // SAFETY: a block that waits holds the address of the one after the next.
            (block, next) = (next, unsafe { self.blocks.load(block) });
        }
        assert!(next.is_none(), "C2: no block is missing");
        (of_slabs, others)
    }
}
