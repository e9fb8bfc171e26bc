//! Walks the tagged blocks and tests their invariants.

use super::{BINS, Blocks, bin_of, first_tag, slot};
use crate::{
    address::{Addr, MIN_BLOCK, UNIT, WORD},
    memory::PageSource,
};

impl<S: PageSource> Blocks<S> {
    /// Visits every block in order of address: its payload, the size of that, and whether it is free. The top comes last,
    /// as a free block.
    pub(crate) fn walk(&self, mut visit: impl FnMut(Addr, usize, bool)) {
        if self.top.is_none() {
            return;
        }
        let mut at = first_tag(self.bottom);
        while at != self.top {
            // SAFETY: a tag (B2).
            let tag = unsafe { self.tag(at) };
            if tag.size() == 0 {
                // SAFETY: a fence leads on (B2).
                at = unsafe { self.load(at.plus(WORD)) };
                continue;
            }
            visit(at.plus(WORD), tag.size() - WORD, tag.is_free());
            at = at.plus(tag.size());
        }
        visit(self.top.plus(WORD), self.limit.above(self.top), true);
    }

    /// Tests the invariants.
    ///
    /// # Panics
    ///
    /// When one does not hold.
    pub(crate) fn check(&self) {
        let (mut hung, mut free, mut used, mut segments) = (0, 0, 0, usize::from(self.top.is_some()));
        let mut at = if self.top.is_some() { first_tag(self.bottom) } else { self.top };
        let mut below_free = false;
        while at != self.top {
            assert!(at.plus(WORD).0 % UNIT == 0 && at < self.limit, "B1");
            // SAFETY: a tag (B2).
            let tag = unsafe { self.tag(at) };
            assert_eq!(tag.is_below_free(), below_free, "B4");
            if tag.size() == 0 {
                assert!(!tag.is_free(), "B2: a fence is used");
                // SAFETY: a fence leads on (B2).
                let next = unsafe { self.load(at.plus(WORD)) };
                assert!(next > at, "B2: segments rise");
                (at, below_free) = (next, false);
                segments += 1;
                continue;
            }
            assert!(!(below_free && tag.is_free()), "B3: free blocks touch");
            below_free = tag.is_free();
            if tag.is_free() {
                assert!(tag.size() >= MIN_BLOCK, "B1");
                // SAFETY: the word below the next tag (B4).
                let size = unsafe { self.load(at.plus(tag.size() - WORD)) };
                assert_eq!(size.0, tag.size(), "B4");
                hung += 1;
                free += tag.size();
            } else {
                used += tag.size();
            }
            at = at.plus(tag.size());
        }
        assert!(!below_free, "B3: a free block touches the top");
        assert_eq!(free, self.free, "B5: free bytes are counted");
        // A segment's first tag has a place, and what is left at its end may be no block.
        let most = used + segments * 2 * MIN_BLOCK;
        assert!((used..=most).contains(&self.used()), "B2: {} bytes of {used} to {most} in use", self.used());
        assert!(self.top <= self.limit, "B6");
        for bin in 0..BINS {
            let (mut previous, mut block) = (Addr::NONE, *slot(&self.bins, bin));
            assert_eq!(self.bits >> bin & 1 == 1, block.is_some(), "B5: a bin's bit");
            while block.is_some() {
                // SAFETY: a free block (B5).
                let (tag, next, back) =
                    unsafe { (self.tag(block), self.load(block.plus(WORD)), self.load(block.plus(2 * WORD))) };
                assert!(previous.is_none() || back == previous, "B5: links");
                assert!(tag.is_free() && bin_of(tag.size()) == bin, "B5");
                hung -= 1;
                (previous, block) = (block, next);
            }
        }
        assert_eq!(hung, 0, "B5: every free block hangs in one bin");
    }
}
