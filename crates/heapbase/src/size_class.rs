//! The flagship: size classes in slabs over a coalescing structure.
//!
//! ```text
//!  a slab, 1 KiB, aligned to its size
//!  | free | next | previous | out·cap·class | block 0 | block 1 | … | block cap-1 | (tag of what follows) |
//!     │                                          ▲
//!     └── first free block of this slab ─────────┘   a free block's first word is the next one's address
//! ```
//!
//! Requests up to 120 bytes come from *slabs*: 1 KiB each, all blocks of one *class* (the size rounded up to 8), no header
//! on a block. Everything above is a tagged block ([`crate::blocks`]), and so is each slab itself.
//!
//! **Allocate** pops the class's *current* list. When that is empty, the whole free list of a slab that has one (a
//! *partial* slab) becomes the current list; without such a slab a new one is made. **Free** finds the slab by rounding
//! the address down to 1 KiB and pushes the block on the slab's own list; its counter `out` says how many blocks are not
//! on that list. At 0 the slab is empty and goes back to the tagged blocks, unless it is the class's only partial slab,
//! which is kept against alternating calls and goes back before memory grows.
//!
//! So the usual call reads and writes three or four words, and a slab's counter is touched by frees only. A byte map with
//! one byte for each KiB of the heap says where slabs are, for those who free by address alone.
//!
//! Figures, on 32 bits: a call moves at most 125 words (a new slab's list), looks at most at 17 bins (a slab's alignment)
//! and, before memory grows, returns at most 15 × 125 blocks to their slabs; it copies the byte map (a thousandth of the
//! heap) when it is outgrown, which doubles it. Blocks waste at most 12.5 % by rounding, slab headers and tags together
//! once the request is rounded up to 8 bytes.
//!
//! Invariants, which [`SizeClassAllocator::check`] tests beside those of the tagged blocks:
//!
//! - **C1** A slab is a tagged block of exactly 1 KiB whose payload is aligned to 1 KiB; the byte map holds its class there
//!   and 0 everywhere else.
//! - **C2** A slab hangs in its class's partial list exactly when its own free list is not empty.
//! - **C3** `out` plus the length of the slab's own list is `cap`.
//! - **C4** The blocks of a class's current list all belong to one slab of the class and count as out.
//! - **C5** A request's size and alignment alone decide between slab and tagged block, and a block never changes sides.

use crate::{
    RawAllocator, SizedByAddress,
    address::{Addr, UNIT, WORD, block_for, round_up},
    blocks::Blocks,
    memory::PageSource,
};
use core::{alloc::Layout, ptr};

/// Bytes of a slab and its alignment.
pub(crate) const SLAB: usize = 256 * WORD;
/// Words at a slab's start: free list, two links, three counters in one.
const HEADER: usize = 4 * WORD;
/// Largest request that comes from a slab, and one more than the largest class.
const CLASSES: usize = 16;
const LARGEST: usize = (CLASSES - 1) * UNIT;
/// Largest alignment that slabs serve: blocks start at a multiple of it, so sizes that are multiples keep it.
const SLAB_ALIGN: usize = 2 * UNIT;
/// Entries of the first byte map.
const FIRST_MAP: usize = 124;

const NEXT: usize = WORD;
const PREVIOUS: usize = 2 * WORD;
const COUNTS: usize = 3 * WORD;

/// Blocks of `class` in a slab.
const fn capacity(class: usize) -> usize {
    (SLAB - HEADER - WORD) / (class * UNIT)
}

const _: () = {
    assert!(HEADER.is_multiple_of(SLAB_ALIGN) && block_for(SLAB - WORD) == SLAB);
    assert!(capacity(1) <= u8::MAX as usize && capacity(CLASSES - 1) > 1);
};

/// The class of a request, or `None` where a tagged block serves it (C5).
///
/// The class may be 0, for an empty request: its list is always empty, and `refill` serves it from class 2, which has any slab alignment.
#[inline(always)]
const fn class_of(size: usize, align: usize) -> Option<usize> {
    let mask = (align - 1) | (UNIT - 1);
    let rounded = (size + mask) & !mask;
    if align <= SLAB_ALIGN && rounded <= LARGEST { Some(rounded / UNIT) } else { None }
}

/// A slab's three counters, packed into one word.
#[derive(Clone, Copy)]
struct Counts(usize);

impl Counts {
    const fn new(class: usize) -> Self {
        Self(class << 16 | capacity(class) << 8)
    }

    const fn out(self) -> usize {
        self.0 & 0xff
    }

    const fn cap(self) -> usize {
        self.0 >> 8 & 0xff
    }

    const fn class(self) -> usize {
        self.0 >> 16
    }

    /// All blocks out.
    const fn all_out(self) -> Self {
        Self(self.0 & !0xff | self.cap())
    }

    const fn one_back(self) -> Self {
        Self(self.0 - 1)
    }
}

/// The flagship allocator: fast, compact, for programs that do real work. See the [module's page](self) for how it works.
///
/// This is the core: it wants `&mut self` and a source of memory. [`Global`](crate::Global) wraps it for use as global
/// allocator; [`LockedAllocator`](crate::LockedAllocator), [`AssumeSingleThreaded`](crate::AssumeSingleThreaded) and
/// [`Local`](crate::Local) do so for a source of your choice.
///
/// ```
/// use core::alloc::Layout;
/// use heapbase::{RawAllocator, SizeClassAllocator, memory::TestMemory};
///
/// let mut heap = SizeClassAllocator::with_source(TestMemory::new(16));
/// let layout = Layout::new::<[u64; 4]>();
/// let block = heap.allocate(layout);
/// assert!(!block.is_null() && block.addr() % 8 == 0);
/// // SAFETY: allocated just above with this layout.
/// unsafe { heap.deallocate(block, layout) };
/// ```
#[derive(Debug)]
pub struct SizeClassAllocator<S> {
    /// First block of each class's current list.
    current: [Addr; CLASSES],
    /// First slab of each class that has free blocks of its own.
    partial: [Addr; CLASSES],
    /// One byte for each KiB of the heap from its bottom on: the class of the slab there, or 0.
    map: Addr,
    map_len: usize,
    blocks: Blocks<S>,
}

#[cfg(target_family = "wasm")]
impl SizeClassAllocator<crate::memory::MemoryGrow> {
    /// A heap in the module's own memory.
    pub const fn new() -> Self {
        Self::with_source(crate::memory::MemoryGrow::new())
    }
}

#[cfg(target_family = "wasm")]
impl Default for SizeClassAllocator<crate::memory::MemoryGrow> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S> SizeClassAllocator<S> {
    /// An empty heap; it asks `source` for memory when it is first used.
    pub const fn with_source(source: S) -> Self {
        Self {
            current: [Addr::NONE; CLASSES],
            partial: [Addr::NONE; CLASSES],
            map: Addr::NONE,
            map_len: 0,
            blocks: Blocks::new(source),
        }
    }

    /// The source of memory, to look at.
    pub const fn source(&self) -> &S {
        self.blocks.source()
    }

    /// The source of memory. Taking memory away from it is for tests of what happens then.
    pub fn source_mut(&mut self) -> &mut S {
        self.blocks.source_mut()
    }
}

/// `list[class]` without the code of a panic.
#[inline(always)]
fn list(lists: &mut [Addr; CLASSES], class: usize) -> &mut Addr {
    debug_assert!(class < CLASSES);
    // SAFETY: classes come from `class_of`, at most `LARGEST / UNIT`, or from a slab's counts, which do.
    unsafe { lists.get_unchecked_mut(class) }
}

impl<S: PageSource> SizeClassAllocator<S> {
    /// A block from a slab of `class`.
    #[inline(always)]
    fn pop(&mut self, class: usize) -> *mut u8 {
        let block = *list(&mut self.current, class);
        if block.is_none() {
            return self.refill(class);
        }
        // SAFETY: a free block's first word is the next one (C4).
        *list(&mut self.current, class) = unsafe { self.blocks.load(block) };
        self.blocks.pointer(block)
    }

    /// Makes a slab's own list the current one and pops it.
    #[cold]
    #[inline(never)]
    fn refill(&mut self, class: usize) -> *mut u8 {
        let class = if class == 0 { 2 } else { class };
        let mut slab = *list(&mut self.partial, class);
        if slab.is_none() {
            slab = self.new_slab(class);
            if slab.is_none() {
                return ptr::null_mut();
            }
        } else {
            // SAFETY: a slab of the list (C2).
            unsafe { self.unlink(slab, class) };
        }
        // SAFETY: a slab with free blocks (C2, or a new one).
        unsafe {
            let block = self.blocks.load(slab);
            self.blocks.store(slab, Addr::NONE);
            let counts = Counts(self.blocks.load(slab.plus(COUNTS)).0);
            self.blocks.store(slab.plus(COUNTS), Addr(counts.all_out().0));
            *list(&mut self.current, class) = self.blocks.load(block);
            self.blocks.pointer(block)
        }
    }

    /// A slab all of whose blocks are on its own list, not linked anywhere; or none.
    fn new_slab(&mut self, class: usize) -> Addr {
        let slab = self.take(SLAB, SLAB);
        if slab.is_none() || !self.enter(slab, class as u8) {
            return Addr::NONE;
        }
        let cap = capacity(class);
        let mut next = Addr::NONE;
        // SAFETY: the slab's payload is ours; `capacity` blocks fit behind the header.
        unsafe {
            for index in (0..cap).rev() {
                let block = slab.plus(HEADER + index * class * UNIT);
                self.blocks.store(block, next);
                next = block;
            }
            self.blocks.store(slab, next);
            self.blocks.store(slab.plus(COUNTS), Addr(Counts::new(class).0));
        }
        slab
    }

    /// Enters a new slab into the byte map; false, with the slab given back, if the map cannot grow.
    fn enter(&mut self, slab: Addr, class: u8) -> bool {
        let index = self.index_of(slab);
        if index >= self.map_len {
            let len = round_up(((index + 1) * 2).max(FIRST_MAP) + WORD, UNIT) - WORD;
            let map = self.take(block_for(len), UNIT);
            if map.is_none() {
                // SAFETY: taken by the caller, used by nobody.
                unsafe { self.blocks.give(slab) };
                return false;
            }
            // SAFETY: the new map is ours and `len` long, longer than the old one.
            unsafe {
                let to = self.blocks.pointer(map);
                to.write_bytes(0, len);
                if self.map.is_some() {
                    ptr::copy_nonoverlapping(self.blocks.pointer(self.map), to, self.map_len);
                    self.blocks.give(self.map);
                }
            }
            self.map = map;
            self.map_len = len;
        }
        self.mark(slab, class);
        true
    }

    /// The byte map's index for the KiB that `at` lies in.
    fn index_of(&self, at: Addr) -> usize {
        at.0 / SLAB - self.blocks.bottom().0 / SLAB
    }

    /// Writes a slab's entry of the byte map.
    fn mark(&mut self, slab: Addr, class: u8) {
        let entry = self.map.plus(self.index_of(slab));
        // SAFETY: `enter` made the map reach every slab.
        unsafe { self.blocks.pointer(entry).write(class) }
    }

    /// The class of the slab that `at` lies in, or 0 where there is none.
    fn class_at(&self, at: Addr) -> usize {
        let index = self.index_of(at);
        if index >= self.map_len {
            return 0;
        }
        // SAFETY: inside the map.
        unsafe { self.blocks.pointer(self.map.plus(index)).read().into() }
    }

    /// # Safety
    ///
    /// `slab` is a slab of `class` that is not linked, with a free block of its own.
    unsafe fn link(&mut self, slab: Addr, class: usize) {
        let head = list(&mut self.partial, class);
        let next = core::mem::replace(head, slab);
        // SAFETY: slabs of the partial list (C2).
        unsafe {
            self.blocks.store(slab.plus(NEXT), next);
            self.blocks.store(slab.plus(PREVIOUS), Addr::NONE);
            if next.is_some() {
                self.blocks.store(next.plus(PREVIOUS), slab);
            }
        }
    }

    /// # Safety
    ///
    /// `slab` is linked in the partial list of `class`.
    unsafe fn unlink(&mut self, slab: Addr, class: usize) {
        // SAFETY: slabs of the partial list (C2).
        unsafe {
            let next = self.blocks.load(slab.plus(NEXT));
            let previous = self.blocks.load(slab.plus(PREVIOUS));
            if next.is_some() {
                self.blocks.store(next.plus(PREVIOUS), previous);
            }
            if previous.is_some() {
                self.blocks.store(previous.plus(NEXT), next);
            } else {
                *list(&mut self.partial, class) = next;
            }
        }
    }

    /// Gives a block back to its slab.
    ///
    /// # Safety
    ///
    /// A block from a slab, in use until now.
    #[inline(always)]
    unsafe fn push(&mut self, block: Addr) {
        let slab = block.down_to(SLAB);
        // SAFETY: the block lies in a slab (C1), which has a header; nobody uses the block any more.
        unsafe {
            let next = self.blocks.load(slab);
            self.blocks.store(block, next);
            self.blocks.store(slab, block);
            let counts = Counts(self.blocks.load(slab.plus(COUNTS)).0).one_back();
            self.blocks.store(slab.plus(COUNTS), Addr(counts.0));
            if next.is_none() || counts.out() == 0 {
                self.settle(slab, next, counts);
            }
        }
    }

    /// What a free does beyond pushing: links a slab that had no free blocks, gives an empty one back.
    ///
    /// # Safety
    ///
    /// `counts` are the slab's, and `next` says whether it had free blocks before.
    #[cold]
    #[inline(never)]
    unsafe fn settle(&mut self, slab: Addr, next: Addr, counts: Counts) {
        let class = counts.class();
        // SAFETY: a slab, linked exactly if it had free blocks (C2).
        unsafe {
            if next.is_none() {
                self.link(slab, class);
            }
            if counts.out() == 0
                && (*list(&mut self.partial, class) != slab || self.blocks.load(slab.plus(NEXT)).is_some())
            {
                self.retire(slab, class);
            }
        }
    }

    /// Gives an empty slab back to the tagged blocks.
    ///
    /// # Safety
    ///
    /// The slab is linked and none of its blocks is out.
    unsafe fn retire(&mut self, slab: Addr, class: usize) {
        // SAFETY: the caller's promise; a slab is a tagged block (C1).
        unsafe {
            self.unlink(slab, class);
            self.mark(slab, 0);
            self.blocks.give(slab);
        }
    }

    /// Gives every empty slab back. True if there was one.
    fn reclaim(&mut self) -> bool {
        let mut found = false;
        for class in 1..CLASSES {
            let mut block = core::mem::replace(list(&mut self.current, class), Addr::NONE);
            // SAFETY: blocks of the current list are free, belong to one slab and count as out (C4).
            unsafe {
                while block.is_some() {
                    let next = self.blocks.load(block);
                    self.push(block);
                    block = next;
                }
                let slab = *list(&mut self.partial, class);
                if slab.is_some() && Counts(self.blocks.load(slab.plus(COUNTS)).0).out() == 0 {
                    self.retire(slab, class);
                    found = true;
                }
            }
        }
        found
    }

    /// A tagged block of `size` bytes, tag included; grows memory if it must.
    fn take(&mut self, size: usize, align: usize) -> Addr {
        let mut block = self.blocks.take(size, align);
        if block.is_none() {
            self.reclaim();
            loop {
                block = self.blocks.take(size, align);
                if block.is_some() || !self.blocks.grow(size, align) {
                    break;
                }
            }
        }
        block
    }

    #[inline(never)]
    fn allocate_large(&mut self, size: usize, align: usize) -> *mut u8 {
        match self.take(block_for(size), align.max(UNIT)) {
            Addr::NONE => ptr::null_mut(),
            block => self.blocks.pointer(block),
        }
    }
}

// SAFETY: a slab's blocks and the tagged blocks' payloads are disjoint, inside spans of the source (S1), and aligned: to a
// unit, to two where size and alignment say so (SLAB_ALIGN), or as `Blocks::take` was asked.
unsafe impl<S: PageSource> RawAllocator for SizeClassAllocator<S> {
    #[inline]
    fn allocate(&mut self, layout: Layout) -> *mut u8 {
        match class_of(layout.size(), layout.align()) {
            Some(class) => self.pop(class),
            None => self.allocate_large(layout.size(), layout.align()),
        }
    }

    #[inline]
    fn allocate_zeroed(&mut self, layout: Layout) -> *mut u8 {
        let zero_from = self.blocks.zero_from();
        let block = self.allocate(layout);
        if !block.is_null() {
            // Fresh memory is zero and stays untouched. A slab's blocks carry links wherever they lie.
            let dirty = match class_of(layout.size(), layout.align()) {
                Some(_) => layout.size(),
                None => zero_from.0.saturating_sub(block.addr()).min(layout.size()),
            };
            // SAFETY: the block is at least that long.
            unsafe { block.write_bytes(0, dirty) };
        }
        block
    }

    #[inline]
    unsafe fn deallocate(&mut self, block: *mut u8, layout: Layout) {
        let at = Addr(block.addr());
        // SAFETY: the caller's promise; size and alignment say which kind of block it is (C5).
        unsafe {
            match class_of(layout.size(), layout.align()) {
                Some(_) => self.push(at),
                None => self.blocks.give(at),
            }
        }
    }

    #[inline]
    unsafe fn reallocate(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let (old, new) = (class_of(layout.size(), layout.align()), class_of(new_size, layout.align()));
        // SAFETY: the caller's promise; a block stays on its side (C5), so only two tagged or two equal classes stay in place.
        unsafe {
            let fits = match (old, new) {
                (Some(old), Some(new)) => old == new,
                (None, None) => self.blocks.resize(Addr(block.addr()), block_for(new_size)),
                _ => false,
            };
            if fits { block } else { crate::moved(self, block, layout, new_size) }
        }
    }
}

// SAFETY: the byte map tells slabs from tagged blocks (C1); a slab's header and a block's tag know the size.
unsafe impl<S: PageSource> SizedByAddress for SizeClassAllocator<S> {
    unsafe fn usable_size(&self, block: *mut u8) -> usize {
        let at = Addr(block.addr());
        match self.class_at(at) {
            // SAFETY: a block of this heap that lies in no slab is a tagged block (C1).
            0 => unsafe { self.blocks.payload_size(at) },
            class => class * UNIT,
        }
    }

    unsafe fn free(&mut self, block: *mut u8) {
        let at = Addr(block.addr());
        // SAFETY: as above, and the caller gives the block up.
        unsafe { if self.class_at(at) == 0 { self.blocks.give(at) } else { self.push(at) } }
    }
}
