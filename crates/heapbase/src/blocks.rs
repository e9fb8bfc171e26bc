//! Blocks of any size with a tag in front: the coalescing structure under the slabs.
//!
//! ```text
//!          one word                                                     one word
//!  used   | size | · · B 0 | payload, as many bytes as asked for, rounded up so that the next tag's payload is aligned |
//!  free   | size | · · 0 1 | next in bin | previous in bin | · · · unused · · · | size |
//! ```
//!
//! The two lowest bits of a tag: *free*, and *B*, whether the block below is free; only then does the word below the tag
//! hold that block's size. So a used block costs one word and merging with both neighbours takes no search.
//!
//! Free blocks hang in *bins* by size: four to each doubling from 128 bytes to 7 MiB, on 32 bits, one for what is smaller, one
//! for what is larger. A word has a bit for each bin that has blocks. A request takes from the first bin all of whose
//! blocks are large enough; only where there is none, and from 16 KiB on, it looks at the first block of its own bin. So
//! nothing is walked but the last bin. Finer bins would fit better, but then most rests are scraps, and the next request
//! takes its block from some other place that is not in the processor's cache: with sixteen to a doubling, a heap of
//! drifting sizes took a third longer, for 2 % of its memory.
//! Behind the last block lies the *top*, memory that was never used or has come back; it hangs in no bin and is used last.
//!
//! **Worst case**, in one segment. The top rises for a new block only when every free one is smaller than 160 bytes, or than 5/4 of what the new one
//! takes, to which an alignment above 8 and a unit are added: all blocks of a higher bin would do. No two free blocks touch (B3).
//! So when it rises for R bytes, U bytes in B blocks that are in use or wait in lists, slabs among them, lie in no more than
//! U + (B + 1) · max(5/4 · R, 160) bytes; the last block, when it grows where it is, adds what it grows by. For M bytes at most, in
//! blocks of 16 bytes to n, that is about M · (1 + 5/64 · n): the order of best fit, whose worst case is about M · n in units of the
//! smallest block, where first fit by address needs about M · log₂ n (Robson, "Worst case fragmentation of first fit and best fit storage
//! allocation strategies", 1977), and nothing that leaves blocks where they are less than about M · (1 + ½ · log₂ n) (Robson, "Bounds for
//! some functions concerning dynamic storage allocation", 1974). We know of no better bound for bins like these.
//! Shrinking comes near it: blocks of 64 KiB that each shrink to 160 bytes once there is another behind take 0.79 of it, 64 KiB each.
//! The program of 1974 with sizes to 256 times the smallest takes 5.0 times what is in use, no more than it takes of any allocator.
//!
//! Invariants, which [`Blocks::check`] tests:
//!
//! - **B1** A tag lies at an address that is one word short of a multiple of a unit; sizes are multiples of a unit, at
//!   least [`MIN_BLOCK`] in free blocks.
//! - **B2** The blocks of a segment follow each other without gap from its start to its *fence* (a tag of size 0, and the
//!   address of the next segment's first tag) or, in the last segment, to the top. What lies below and between segments is counted.
//! - **B3** No two free blocks touch, and no free block touches the top.
//! - **B4** *B* is set in a tag exactly when the block below is free, and then the word below the tag is that block's size.
//! - **B5** A free block hangs in exactly one bin, the one of its size; a bin's bit is set exactly when it has a block; their bytes are
//!   counted. The second link of a bin's first block is none or a former neighbour.
//! - **B6** Past the top a reserve is left: a fence can always be written. Nothing of the last segment at or past `fresh` was ever
//!   written to by this heap; segments lie above each other (S2), so that a new one's start is past it.

mod check;

use crate::{
    address::{Addr, MIN_BLOCK, Tag, UNIT, WORD},
    memory::PageSource,
};

/// Bins to a doubling of size, as a power of two.
const STEPS: u32 = 2;
/// Blocks of fewer units share the first bin: only a merge makes use of them.
const LEAST_UNITS: usize = 16;
/// Bins: as many as a word has bits that tells which have blocks. The last one holds all that is larger.
const BINS: usize = 64;
/// Requests from so many bytes on look at their own bin first: what a block's place costs is little beside its contents,
/// and a better fit saves pages.
const BIG: usize = 2048 * UNIT;

/// Bytes behind the last segment's end: a fence, and what makes the next tag's place right.
const RESERVE: usize = UNIT + WORD;
/// What a span has besides one block, its gap included: the start, the reserve and roundings.
const SPAN_OVERHEAD: usize = 6 * UNIT;
/// No less is asked of a source, so that every span holds a block and a fence.
const LEAST_SPAN: usize = 8 * UNIT;

/// The first place for a tag in a span: one word short of a unit (B1).
const fn first_tag(start: Addr) -> Addr {
    start.plus(WORD).up_to(UNIT).plus(WORD)
}

/// The bin of a block of `size` bytes. Without a branch: whether a rest is small is anyone's guess.
const fn bin_of(size: usize) -> usize {
    let units = size / UNIT;
    let units = if units < LEAST_UNITS { LEAST_UNITS } else { units };
    let log = units.ilog2();
    let bin = (((log - LEAST_UNITS.ilog2()) as usize) << STEPS) + (units >> (log - STEPS)) - (1 << STEPS);
    if bin < BINS { bin } else { BINS - 1 }
}

/// The first words of a free block.
#[repr(C)]
struct FreeBlock {
    tag: Tag,
    next: Addr,
    previous: Addr,
}

/// The tagged blocks of one heap.
#[derive(Debug)]
pub(crate) struct Blocks<S> {
    source: S,
    /// Below all blocks; none before the first growth.
    bottom: Addr,
    /// Where the next block's tag would go, or none before the first growth.
    top: Addr,
    /// Where the top stops; the reserve behind it is kept for a fence.
    limit: Addr,
    /// Nothing of the last segment from here on has been written to.
    fresh: Addr,
    /// Which bins have blocks.
    bits: u64,
    /// Where the link back from no block goes.
    nowhere: Addr,
    /// Bytes that hang in bins.
    free: usize,
    /// Bytes below and between the segments, which are others', as if they lay below.
    others: Addr,
    bins: [Addr; BINS],
}

impl<S> Blocks<S> {
    pub(crate) const fn new(source: S) -> Self {
        Self {
            source,
            bottom: Addr::NONE,
            top: Addr::NONE,
            limit: Addr::NONE,
            fresh: Addr::NONE,
            bits: 0,
            nowhere: Addr::NONE,
            free: 0,
            others: Addr::NONE,
            bins: [Addr::NONE; BINS],
        }
    }

    pub(crate) const fn source(&self) -> &S {
        &self.source
    }

    /// An address below all blocks (S2), or none before the first growth.
    pub(crate) const fn bottom(&self) -> Addr {
        self.bottom
    }

    pub(crate) fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }
}

/// `array[index]` without the code of a panic, which would be a quarter of a small module.
#[inline(always)]
fn slot<T, const N: usize>(array: &[T; N], index: usize) -> &T {
    debug_assert!(index < N);
    // SAFETY: indices come from `bin_of`, whose largest value the constant block above compares, or from set bits (B5).
    unsafe { array.get_unchecked(index) }
}

/// As [`slot`], to write.
#[inline(always)]
fn slot_mut<T, const N: usize>(array: &mut [T; N], index: usize) -> &mut T {
    debug_assert!(index < N);
    // SAFETY: as in `slot`.
    unsafe { array.get_unchecked_mut(index) }
}

impl<S: PageSource> Blocks<S> {
    #[inline(always)]
    pub(crate) fn pointer(&self, at: Addr) -> *mut u8 {
        self.source.pointer(at.0)
    }

    /// Reads the word at `at`.
    ///
    /// # Safety
    ///
    /// `at` is a word of this heap, aligned, that holds bookkeeping: a tag, a link, a size, a slab's header.
    #[inline(always)]
    pub(crate) unsafe fn load(&self, at: Addr) -> Addr {
        // SAFETY: the caller's promise, S1 and S3.
        unsafe { Addr(self.pointer(at).cast::<usize>().read()) }
    }

    /// Writes the word at `at`.
    ///
    /// # Safety
    ///
    /// As for [`load`](Self::load), and no one else's data lie there.
    #[inline(always)]
    pub(crate) unsafe fn store(&mut self, at: Addr, value: Addr) {
        // SAFETY: the caller's promise, S1 and S3.
        unsafe { self.pointer(at).cast::<usize>().write(value.0) }
    }

    /// # Safety
    ///
    /// A tag lies at `at`.
    #[inline(always)]
    unsafe fn tag(&self, at: Addr) -> Tag {
        // SAFETY: the caller's promise.
        unsafe { Tag(self.load(at).0) }
    }

    /// # Safety
    ///
    /// A tag belongs at `at`.
    #[inline(always)]
    unsafe fn set_tag(&mut self, at: Addr, tag: Tag) {
        // SAFETY: the caller's promise.
        unsafe { self.store(at, Addr(tag.0)) }
    }

    /// The free block at this address.
    #[inline(always)]
    fn free_block(&self, at: Addr) -> *mut FreeBlock {
        self.pointer(at).cast()
    }

    /// The word that links back from `block`, or a word for nothing: a choice of address, not a branch, because whether
    /// a bin holds another block is anyone's guess.
    #[inline(always)]
    fn link_back(&mut self, block: Addr) -> *mut Addr {
        let link = self.pointer(block.plus(2 * WORD)).cast();
        if block.is_some() { link } else { &raw mut self.nowhere }
    }

    /// Hangs `size` bytes at `at` into their bin. The block above does not hear of it (B4).
    ///
    /// # Safety
    ///
    /// The bytes are no block's; neither neighbour is free; a tag lies behind them.
    #[inline]
    unsafe fn hang(&mut self, at: Addr, size: usize) {
        let bin = bin_of(size);
        self.free += size;
        let next = core::mem::replace(slot_mut(&mut self.bins, bin), at);
        self.bits |= 1 << bin;
        // SAFETY: the bytes are ours alone and hold four words (B1); what hung there first is a free block (B5).
        unsafe {
            *self.free_block(at) = FreeBlock { tag: Tag::free(size), next, previous: Addr::NONE };
            self.store(at.plus(size - WORD), Addr(size));
            self.link_back(next).write(at);
        }
    }

    /// Takes the free block at `at`, of `size` bytes, out of its bin. The tags stay as they are.
    ///
    /// # Safety
    ///
    /// It is a free block (B5).
    #[inline]
    unsafe fn unhang(&mut self, at: Addr, size: usize) {
        let bin = bin_of(size);
        self.free -= size;
        // SAFETY: a free block's links are blocks of the same bin (B5).
        unsafe {
            let FreeBlock { next, previous, .. } = *self.free_block(at);
            self.link_back(next).write(previous);
            let link = self.pointer(previous.plus(WORD)).cast();
            let link = if *slot(&self.bins, bin) == at { slot_mut(&mut self.bins, bin) } else { link };
            link.write(next);
        }
        let empty = slot(&self.bins, bin).is_none();
        self.bits ^= u64::from(empty) << bin;
    }

    /// Bytes to leave in front of a block at `at` so that its payload is aligned: none, or enough for a free block.
    fn gap(at: Addr, align: usize) -> usize {
        let gap = Addr::NONE.above(at.plus(WORD)) & (align - 1);
        // One unit cannot be a block of its own; only alignments past a unit get here, so the next one is further off.
        if gap == UNIT { gap + align } else { gap }
    }

    /// A block of `size` bytes, its tag included, whose payload is aligned; without growing memory.
    ///
    /// Takes from the first bin that has blocks, its own only if no larger one has any or if the block is big. Looks at one
    /// block in each bin, because what is large enough may not be so once it is aligned, and at all blocks of the last bin.
    pub(crate) fn take(&mut self, size: usize, align: usize) -> Addr {
        let own = bin_of(size);
        let mut bits = self.bits >> own;
        bits &= !u64::from(size < BIG && bits > 1);
        while bits != 0 {
            let bin = own + bits.trailing_zeros() as usize;
            let mut at = *slot(&self.bins, bin);
            while at.is_some() {
                let gap = Self::gap(at, align);
                // SAFETY: what hangs in a bin is a free block (B5), so its neighbours are used (B3).
                unsafe {
                    let found = self.tag(at).size();
                    if gap + size <= found {
                        self.unhang(at, found);
                        self.cut(at.plus(gap), found - gap, size);
                        return self.leave(at, gap);
                    }
                    at = if bin == BINS - 1 { (*self.free_block(at)).next } else { Addr::NONE };
                }
            }
            bits &= bits - 1;
        }
        Addr::NONE
    }

    /// Makes a used block of `size` bytes at `at`, and a free one of what remains of `found` bytes.
    ///
    /// # Safety
    ///
    /// So many bytes are nobody's and in no bin; the block above them says that they are free.
    unsafe fn cut(&mut self, at: Addr, found: usize, size: usize) {
        let rest = found - size;
        // SAFETY: the caller's promise.
        unsafe {
            if rest >= MIN_BLOCK {
                self.set_tag(at, Tag::used(size));
                self.hang(at.plus(size), rest);
            } else {
                self.set_tag(at, Tag::used(found));
                let above = at.plus(found);
                self.set_tag(above, self.tag(above).with_below_used());
            }
        }
    }

    /// Makes a free block of the `gap` bytes at `at`, below a used block; returns that one's payload.
    ///
    /// # Safety
    ///
    /// The bytes are nobody's and in no bin; what lies below is used.
    unsafe fn leave(&mut self, at: Addr, gap: usize) -> Addr {
        let used = at.plus(gap);
        if gap != 0 {
            // SAFETY: the caller's promise.
            unsafe {
                self.hang(at, gap);
                self.set_tag(used, self.tag(used).with_below_free());
            }
        }
        used.plus(WORD)
    }

    /// As [`take`](Self::take), from the top; grows memory if it must. None if memory does not grow.
    pub(crate) fn take_top(&mut self, size: usize, align: usize) -> Addr {
        if !self.grow(size, align) {
            return Addr::NONE;
        }
        let at = self.top;
        let gap = Self::gap(at, align);
        let used = at.plus(gap);
        self.set_top(used.plus(size));
        // SAFETY: the top was ours and nobody's block; what lies below it is used (B3).
        unsafe {
            self.set_tag(used, Tag::used(size));
            self.leave(at, gap)
        }
    }

    fn set_top(&mut self, top: Addr) {
        self.top = top;
        if self.fresh < top {
            self.fresh = top;
        }
    }

    /// Bytes of the segments up to the top, without what others have in between.
    pub(crate) fn extent(&self) -> usize {
        self.top.above(self.others)
    }

    /// Bytes of the blocks in use.
    pub(crate) fn used(&self) -> usize {
        self.extent() - self.free
    }

    /// Grows memory if the top lacks room for a block. False when memory does not grow.
    ///
    /// The source is asked for what the top lacks; if what it gives lies elsewhere and is too little, once more for all of it.
    pub(crate) fn grow(&mut self, size: usize, align: usize) -> bool {
        let mut first = true;
        loop {
            let mut wanted = size + align + SPAN_OVERHEAD;
            if self.top.is_some() {
                // No overflow: a layout's size and alignment together are at most half the address space.
                let (lacking, room) = (Self::gap(self.top, align) + size, self.limit.above(self.top));
                if lacking <= room {
                    return true;
                }
                if core::mem::take(&mut first) {
                    wanted = lacking - room;
                }
            }
            let Some(span) = self.source.grow(wanted.max(LEAST_SPAN)) else {
                return false;
            };
            let start = Addr(span.start);
            if self.top.is_none() || self.limit.plus(RESERVE) != start {
                let top = first_tag(start);
                if self.top.is_some() {
                    self.close_segment(top);
                } else {
                    self.bottom = start;
                }
                self.others = self.others.plus(start.above(self.limit));
                self.top = top;
            }
            self.limit = start.plus(span.len).down_to(UNIT).minus(RESERVE);
        }
    }

    /// Ends the current segment with a fence that leads to the next one, and hangs what is left of its top.
    fn close_segment(&mut self, next: Addr) {
        let rest = self.limit.above(self.top);
        // SAFETY: the top and the reserve behind it are ours (B6); what lies below the top is used (B3).
        unsafe {
            let mut fence = self.top;
            if rest >= MIN_BLOCK {
                fence = self.limit;
                self.set_tag(fence, Tag::used(0).with_below_free());
                self.hang(self.top, rest);
            } else {
                self.set_tag(fence, Tag::used(0));
            }
            self.store(fence.plus(WORD), next);
        }
    }

    /// Gives the block with this payload back, merging it with free neighbours or the top.
    ///
    /// # Safety
    ///
    /// A used block's payload, from [`take`](Self::take), not given back yet.
    pub(crate) unsafe fn give(&mut self, payload: Addr) {
        let mut at = payload.minus(WORD);
        // SAFETY: a used block (the caller's promise); its neighbours' tags and sizes are where B2 and B4 say.
        unsafe {
            let tag = self.tag(at);
            let mut size = tag.size();
            let above = at.plus(size);
            if tag.is_below_free() {
                let below = self.load(at.minus(WORD)).0;
                at = at.minus(below);
                size += below;
                self.unhang(at, below);
            }
            if above == self.top {
                self.top = at;
                return;
            }
            let next = self.tag(above);
            if next.is_free() {
                self.unhang(above, next.size());
                size += next.size();
            } else {
                self.set_tag(above, next.with_below_free());
            }
            self.hang(at, size);
        }
    }

    /// Whether a used block is the last one below the top.
    ///
    /// # Safety
    ///
    /// A tagged block in use.
    pub(crate) unsafe fn is_last(&self, payload: Addr) -> bool {
        // SAFETY: the caller's promise.
        payload.plus(unsafe { self.payload_size(payload) }) == self.top
    }

    /// Size in bytes of the payload of a used block.
    ///
    /// # Safety
    ///
    /// As for [`give`](Self::give).
    pub(crate) unsafe fn payload_size(&self, payload: Addr) -> usize {
        // SAFETY: the caller's promise.
        unsafe { self.tag(payload.minus(WORD)).size() - WORD }
    }

    /// Changes the size of a used block to `size` bytes, its tag included, where it is. False: nothing was changed.
    ///
    /// # Safety
    ///
    /// As for [`give`](Self::give); bytes past the new size are lost.
    pub(crate) unsafe fn resize(&mut self, payload: Addr, size: usize) -> bool {
        let at = payload.minus(WORD);
        // SAFETY: a used block (the caller's promise); the block above has a tag or is the top (B2).
        unsafe {
            let tag = self.tag(at);
            let old = tag.size();
            let mut have = old;
            let above = at.plus(old);
            if above == self.top {
                if size > old && !self.grow_top(size - old) {
                    return false;
                }
                self.set_tag(at, tag.resized(size));
                self.set_top(at.plus(size));
                return true;
            }
            let next = self.tag(above);
            if next.is_free() {
                have += next.size();
            }
            if have < size {
                return false;
            }
            let rest = have - size;
            if rest < MIN_BLOCK && have == old {
                return true;
            }
            if next.is_free() {
                self.unhang(above, next.size());
            }
            if rest >= MIN_BLOCK {
                self.set_tag(at, tag.resized(size));
                self.hang(at.plus(size), rest);
                let above = at.plus(have);
                self.set_tag(above, self.tag(above).with_below_free());
            } else {
                self.set_tag(at, tag.resized(have));
                let above = at.plus(have);
                self.set_tag(above, self.tag(above).with_below_used());
            }
            true
        }
    }

    /// Grows memory if the top lacks room for `more` bytes. False if it did not, or not where the top is.
    fn grow_top(&mut self, more: usize) -> bool {
        let top = self.top;
        self.grow(more, UNIT) && self.top == top
    }

    /// From this address on memory reads as zero, unless the source promises nothing.
    pub(crate) fn zero_from(&self) -> Addr {
        if S::ZEROED { self.fresh } else { Addr(usize::MAX) }
    }
}
