//! The flagship: size classes in slabs over a coalescing structure.
//!
//! ```text
//!  a slab, 1 KiB, aligned to its size
//!  | block 0 | block 1 | · · · | block n-1 | · | next pending | state | tag of what follows |
//!                                                              class · pending · blocks in use
//!  a free block   | next in the class's list | previous | · · · |      (8 bytes suffice)
//! ```
//!
//! Requests up to 120 bytes come from *slabs*: 1 KiB each, all blocks of one *class* (the size rounded up to 8), no header
//! on a block. Everything above is a tagged block ([`Blocks`]), and so is each slab itself. A class's first blocks lie in a
//! quarter of a slab that it *shares* with three others: a program that allocates little touches few pages.
//!
//! **Lists.** There is one list of free blocks for each class, and one for each size of tagged blocks up to 512 bytes: freed
//! ones are *kept* there, fewer than 1,024 in all, without being merged. Allocating pops a list, freeing pushes, each three or
//! four words read and written. Whether a block is of a slab is a choice of address, not a branch: in a mix of sizes a
//! branch is guessed wrong half the time, and that took longer than the rest of the call.
//!
//! **Giving back.** A slab's state counts its blocks in use; a slab that becomes empty is *pending*. The 256th pending slab makes
//! all of them settle: what is still empty has its blocks unlinked and becomes free memory. The 1,024th kept block makes all of
//! those go back: they may be of sizes that nobody asks for any more. Pending slabs and kept blocks all go back before memory
//! grows, so nothing empty is ever a reason to grow.
//!
//! The four shared slabs at most stay.
//!
//! **By address alone.** A byte map with one byte for each KiB of the heap holds the class of the slab there, or 0. Of a shared
//! slab the state holds the class of each quarter.
//!
//! **Worst cases**, on 32 bits. A slab's making or giving back moves at most 126 blocks. Before memory grows, at most 256
//! slabs and 1,023 kept blocks are given back. A request looks at one block in each bin between its size and its size plus its
//! alignment, six bins for a slab; one above 7 MiB at all free blocks of such sizes. The byte map, a thousandth of what
//! lies between the heap's first byte and its last, others' memory included, is copied when it is outgrown, which doubles
//! it. Nothing else depends on the size of the heap.
//!
//! **Waste.** Once a request is rounded up to 8 bytes, rounding, slab states and tags together take at most 8.8 % of its
//! block, worst at 104 bytes; in a shared slab, of which there are four at most, a quarter may lose a fifth. Of memory, each class may hold partly used slabs: in the worst case one block in use
//! keeps a slab, so a program that frees all but one block of each slab holds at most 126 times what it uses, and those
//! bytes serve the same class only.
//!
//! Invariants, which [`SizeClassAllocator::check`] tests beside those of the tagged blocks:
//!
//! - **C1** A slab is a tagged block of 1 KiB (or a unit more) whose payload is aligned to 1 KiB; the byte map holds its
//!   class there, [`SHARED`] where classes share it, and 0 everywhere else.
//! - **C2** A class's list holds exactly the free blocks of its slabs. Each block's first word is the next one; the second
//!   word of each but the first is the one before.
//! - **C3** A slab's state counts its blocks in use, one more in a shared slab, and says whether the slab is pending.
//!   It holds its class, or those of its quarters.
//! - **C4** The list of a size holds tagged blocks of at least that size, which nobody uses though their tags say so; there
//!   are fewer than 1,024, and `kept` counts them.
//! - **C5** A request's size and alignment alone decide between slab and tagged block, and a block never changes sides.

mod check;
#[cfg(feature = "statistics")]
pub(crate) mod statistics;

use crate::{
    RawAllocator, SizedByAddress,
    address::{Addr, UNIT, WORD, block_for, round_up},
    blocks::Blocks,
    memory::PageSource,
};
use core::{alloc::Layout, mem::MaybeUninit, ptr};

/// Bytes of a slab and its alignment.
pub(crate) const SLAB: usize = 256 * WORD;
/// Where a slab's state lies, behind its blocks: so blocks start at the slab's own alignment.
const STATE: usize = SLAB - 2 * WORD;
/// Where the link to the next pending slab lies. That costs each slab a word, and a heap that frees little nothing: an array of
/// pending slabs would be more than half of the heap's state.
const LINK: usize = STATE - WORD;
/// One more than the largest class of slabs; there is no class 0.
const CLASSES: usize = 16;
/// Largest request that comes from a slab.
const LARGEST: usize = (CLASSES - 1) * UNIT;
/// Largest alignment that slabs serve: blocks start at multiples of their size.
const SLAB_ALIGN: usize = 8 * UNIT;
/// Slabs found empty that are not given back at once. A program that fills and empties its heap in turns, as the encoding
/// of metadata does, takes half as long again with 64.
const PENDING: usize = 256;
/// Freed blocks of fewer units are kept for requests of the same size: up to 512 bytes. Keeping larger ones, which are
/// asked for less often, gains nothing and cuts memory up.
const LISTS: usize = 65;
/// Fewer freed blocks are kept, a multiple of 256: the counter asks for care at those.
const MOST_KEPT: usize = 1024;
/// Entries of the first byte map.
const FIRST_MAP: usize = 124;

/// What a class gets of a slab for its first blocks, in bytes; of the last quarter the state takes some.
const QUARTER: usize = SLAB / 4;
/// The byte map's entry for a slab that classes share.
const SHARED: usize = CLASSES;

const _: () = {
    assert!(block_for(SLAB - WORD) == SLAB && STATE + WORD == SLAB - WORD);
    // At least two blocks of each class fit, and all that are in use can be counted, in a shared slab with one more.
    assert!(LINK - 3 * QUARTER >= 2 * LARGEST && QUARTER.is_multiple_of(SLAB_ALIGN));
    assert!(LINK / UNIT <= State::COUNT && CLASSES <= 16);
};

/// The list that serves a request, or `None` where only [`Blocks`] does (C5).
///
/// Lists below `CLASSES` are those of slabs, by class; from there on those of tagged blocks, by block size in units. List 0
/// would be for empty requests, which nobody makes. The distinction costs an addition instead of a branch, because in a mix of
/// sizes a branch is guessed wrong half the time, which takes as long as three calls.
#[inline(always)]
const fn list_of(size: usize, align: usize) -> Option<usize> {
    let size = if align <= UNIT {
        size
    } else {
        let rounded = round_up(size, align);
        if align > SLAB_ALIGN || rounded > LARGEST {
            return None;
        }
        rounded
    };
    let tag = if size > LARGEST { WORD } else { 0 };
    let list = round_up(size + tag, UNIT) / UNIT;
    if list < LISTS { Some(list) } else { None }
}

/// Whether slabs serve a request (C5).
#[inline(always)]
const fn is_small(size: usize, align: usize) -> bool {
    matches!(list_of(size, align), Some(list) if list < CLASSES)
}

/// A slab's bookkeeping: blocks in use, class or classes, and whether it is pending. For tagged blocks a
/// single one counts down how many are kept.
#[derive(Clone, Copy, Debug)]
struct State(usize);

impl State {
    const COUNT: usize = 0x7f;
    const PENDING: usize = 0x80;

    /// The class of the blocks in a quarter; in the first one, that of a whole slab.
    const fn with_class(self, class: usize, quarter: usize) -> Self {
        Self(self.0 | class << (8 + 4 * quarter))
    }

    const fn one_out(self) -> Self {
        Self(self.0.wrapping_add(1))
    }

    const fn one_back(self) -> Self {
        Self(self.0.wrapping_sub(1))
    }

    /// A slab that is empty and not pending, or a multiple of 256 blocks kept.
    const fn wants_care(self) -> bool {
        self.0 & (Self::COUNT | Self::PENDING) == 0
    }

    /// No block is in use.
    const fn is_empty(self) -> bool {
        self.0 & Self::COUNT == 0
    }

    /// The class of the blocks in a quarter, 0 if none has been made there; of a whole slab it is that of the first.
    const fn class(self, quarter: usize) -> usize {
        self.0 >> (8 + 4 * quarter) & 0xf
    }
}

/// The flagship allocator: fast, compact, for programs that do real work. The source file's first page says how it works.
///
/// This is the core: it wants `&mut self` and a source of memory. `Global` wraps it for use as global
/// allocator; [`LockedAllocator`](crate::LockedAllocator), [`AssumeSingleThreaded`](crate::AssumeSingleThreaded) and
/// [`Local`](crate::Local) do so for a source of your choice.
///
/// ```
/// use core::alloc::Layout;
/// use heapbase::{RawAllocator, SizeClassAllocator, memory::TestMemory};
///
/// let mut heap = SizeClassAllocator::with_source(TestMemory::new(16));
/// let layout = Layout::new::<[u64; 4]>();
/// // SAFETY: the size is not 0, and the block is given back once with the same layout.
/// unsafe {
///     let block = heap.allocate(layout);
///     assert!(!block.is_null() && block.addr() % 8 == 0);
///     heap.deallocate(block, layout);
/// }
/// ```
#[derive(Debug)]
pub struct SizeClassAllocator<S> {
    /// First block of each list: free blocks in slabs, then freed tagged blocks that were kept.
    lists: [Addr; LISTS],
    /// Minus the number of tagged blocks kept; stands in for a slab's state.
    kept: State,
    /// Where the link back from no block goes.
    nowhere: Addr,
    /// Where the next class finds a quarter of a slab for its first blocks: none is left at the end of a slab.
    quarter: Addr,
    /// A bit for each class that has had its quarter.
    started: usize,
    /// The last slab that was found empty; its link leads to the one before. They may have been used again since.
    newest: Addr,
    /// How many there are.
    pending: usize,
    /// One byte for each KiB of the heap from its bottom on: the class of the slab there, or 0.
    map: Addr,
    map_len: usize,
    blocks: Blocks<S>,
    #[cfg(feature = "statistics")]
    live_bytes: usize,
    #[cfg(feature = "statistics")]
    peak_bytes: usize,
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
            lists: [Addr::NONE; LISTS],
            kept: State(0),
            nowhere: Addr::NONE,
            quarter: Addr::NONE,
            started: 0,
            newest: Addr::NONE,
            pending: 0,
            map: Addr::NONE,
            map_len: 0,
            blocks: Blocks::new(source),
            #[cfg(feature = "statistics")]
            live_bytes: 0,
            #[cfg(feature = "statistics")]
            peak_bytes: 0,
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

/// `addresses[index]` without the code of a panic.
#[inline(always)]
fn slot<const N: usize>(addresses: &mut [Addr; N], index: usize) -> &mut Addr {
    debug_assert!(index < N);
    // SAFETY: lists come from `list_of`, which compares, or from a slab's state.
    unsafe { addresses.get_unchecked_mut(index) }
}

/// Copies `len` bytes, rounded up to words.
///
/// Where WebAssembly has no instruction for it, the library's copy moves one word a step, and its speed halves when the
/// engine happens to lay that short loop across two lines of code; this one moves 32 bytes a step.
///
/// # Safety
///
/// Both are blocks of a heap, disjoint, and at least so long.
unsafe fn copy_words(from: *const u8, to: *mut u8, len: usize) {
    if cfg!(not(target_family = "wasm")) || cfg!(target_feature = "bulk-memory") {
        // SAFETY: the caller's promise.
        return unsafe { ptr::copy_nonoverlapping(from, to, len) };
    }
    let mut at = 0;
    // SAFETY: below the length, and blocks are aligned to a unit.
    unsafe {
        while at + 32 <= len {
            let piece = from.add(at).cast::<[MaybeUninit<u64>; 4]>().read();
            to.add(at).cast::<[MaybeUninit<u64>; 4]>().write(piece);
            at += 32;
        }
        while at < len {
            to.add(at).cast::<MaybeUninit<usize>>().write(from.add(at).cast::<MaybeUninit<usize>>().read());
            at += WORD;
        }
    }
}

impl<S: PageSource> SizeClassAllocator<S> {
    /// The counter that a block of `list` moves: its slab's state, or `kept`. A choice of address, not a branch.
    #[inline(always)]
    fn state_of(&mut self, list: usize, block: Addr) -> *mut State {
        let in_slab = self.blocks.pointer(block.down_to(SLAB).plus(STATE)).cast();
        if list < CLASSES { in_slab } else { &raw mut self.kept }
    }

    /// A block from `list`.
    #[inline(always)]
    fn pop(&mut self, list: usize) -> *mut u8 {
        let block = *slot(&mut self.lists, list);
        if block.is_none() {
            return self.refill(list);
        }
        // SAFETY: a listed block is free, and its first word is the next one (C2); the state is as `state_of` says.
        unsafe {
            *slot(&mut self.lists, list) = self.blocks.load(block);
            let state = self.state_of(list, block);
            state.write(state.read().one_out());
        }
        self.blocks.pointer(block)
    }

    /// Gives a block back to `list`.
    ///
    /// # Safety
    ///
    /// A block from this list, in use until now.
    #[inline(always)]
    unsafe fn push(&mut self, list: usize, block: Addr) {
        let state = self.state_of(list, block);
        // SAFETY: the state is as `state_of` says.
        unsafe {
            let now = state.read().one_back();
            if now.wants_care() {
                return self.care(list, block);
            }
            state.write(now);
            self.hang(list, block);
        }
    }

    /// Hangs a block into `list`.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any more.
    #[inline(always)]
    unsafe fn hang(&mut self, list: usize, block: Addr) {
        let next = core::mem::replace(slot(&mut self.lists, list), block);
        // SAFETY: every block holds two words.
        unsafe {
            self.blocks.store(block, next);
            // Again a choice of address: whether a list is empty is anyone's guess.
            let back = self.blocks.pointer(next.plus(WORD)).cast();
            let back = if next.is_some() { back } else { &raw mut self.nowhere };
            back.write(block);
        }
    }

    /// Serves a request whose list is empty: takes a tagged block of that size, or makes a slab or a quarter of one.
    #[cold]
    #[inline(never)]
    fn refill(&mut self, list: usize) -> *mut u8 {
        if list >= CLASSES {
            return self.allocate_tagged(list * UNIT, UNIT);
        }
        let first = self.started >> list & 1 == 0;
        let mut area = self.quarter;
        if !first || area.0.is_multiple_of(SLAB) {
            area = self.take(SLAB, SLAB);
            let class = if first { SHARED } else { list };
            if area.is_none() || !self.enter(area, class as u8) {
                return ptr::null_mut();
            }
            // SAFETY: the slab's payload is ours. A shared one counts a block too many, so that it is never empty.
            unsafe { self.blocks.pointer(area.plus(STATE)).cast::<State>().write(State(usize::from(first))) };
        }
        let slab = area.down_to(SLAB);
        let mut end = slab.plus(LINK);
        if first {
            self.started |= 1 << list;
            self.quarter = area.plus(QUARTER);
            end = if self.quarter < end { self.quarter } else { end };
        }
        // SAFETY: the area's bytes are ours, and blocks stay below its end.
        unsafe {
            // The first block goes out, so the second is the first of the list.
            let step = list * UNIT;
            *slot(&mut self.lists, list) = area.plus(step);
            let mut block = area.plus(step);
            while block.plus(2 * step) <= end {
                self.blocks.store(block, block.plus(step));
                self.blocks.store(block.plus(step + WORD), block);
                block = block.plus(step);
            }
            self.blocks.store(block, Addr::NONE);
            let state = self.state_of(0, slab);
            state.write(state.read().with_class(list, area.above(slab) / QUARTER).one_out());
        }
        self.blocks.pointer(area)
    }

    /// Takes the place of pushing when a slab becomes empty, which is pending from then on, and all settle if they are too many;
    /// and when a multiple of 256 tagged blocks is kept: if that is as many as may be, all of them are given back.
    ///
    /// # Safety
    ///
    /// As for [`push`](Self::push).
    #[cold]
    #[inline(never)]
    unsafe fn care(&mut self, list: usize, block: Addr) {
        // SAFETY: the caller's promise; the list says whether the block lies in a slab.
        unsafe {
            if list >= CLASSES {
                let kept = self.kept.one_back();
                if kept.0 != MOST_KEPT.wrapping_neg() {
                    self.kept = kept;
                    return self.hang(list, block);
                }
                self.forget();
                return self.blocks.give(block);
            }
            let slab = block.down_to(SLAB);
            let state = self.state_of(list, block);
            state.write(State(state.read().one_back().0 | State::PENDING));
            self.hang(list, block);
            self.blocks.store(slab.plus(LINK), self.newest);
            self.newest = slab;
            self.pending += 1;
            if self.pending == PENDING {
                self.settle();
            }
        }
    }

    /// Lets no slab be pending any more, and gives those back that are still empty.
    fn settle(&mut self) {
        self.pending = 0;
        // SAFETY: what is pending is a slab; the blocks of an empty one are all in its class's list (C2, C3).
        unsafe {
            while self.newest.is_some() {
                let slab = self.newest;
                self.newest = self.blocks.load(slab.plus(LINK));
                let state = self.state_of(0, slab);
                let was = state.read();
                state.write(State(was.0 & !State::PENDING));
                if !was.is_empty() {
                    continue;
                }
                let step = was.class(0) * UNIT;
                let mut block = slab;
                while block.plus(step) <= slab.plus(LINK) {
                    let next = self.blocks.load(block);
                    let head = slot(&mut self.lists, was.class(0));
                    if *head == block {
                        *head = next;
                    } else {
                        let previous = self.blocks.load(block.plus(WORD));
                        self.blocks.store(previous, next);
                        if next.is_some() {
                            self.blocks.store(next.plus(WORD), previous);
                        }
                    }
                    block = block.plus(step);
                }
                self.mark(slab, 0);
                self.blocks.give(slab);
            }
        }
    }

    /// Gives all tagged blocks that were kept back.
    fn forget(&mut self) {
        for list in CLASSES..LISTS {
            let mut block = core::mem::replace(slot(&mut self.lists, list), Addr::NONE);
            // SAFETY: what hangs in these lists is a tagged block that nobody uses (C4).
            unsafe {
                while block.is_some() {
                    let next = self.blocks.load(block);
                    self.blocks.give(block);
                    block = next;
                }
            }
        }
        self.kept = State(0);
    }

    /// A tagged block of `size` bytes, tag included; grows memory if it must.
    fn take(&mut self, size: usize, align: usize) -> Addr {
        let mut block = self.blocks.take_aligned(size, align);
        if block.is_none() {
            self.settle();
            self.forget();
            loop {
                block = self.blocks.take_aligned(size, align);
                if block.is_some() || !self.blocks.grow(size, align) {
                    break;
                }
            }
        }
        block
    }

    /// Changes the size of a tagged block where it is. False: nothing was changed.
    ///
    /// # Safety
    ///
    /// `block` is a tagged block in use.
    unsafe fn resize_tagged(&mut self, block: *mut u8, new_size: usize) -> bool {
        let at = Addr(block.addr());
        #[cfg(feature = "statistics")]
        // SAFETY: the caller's promise.
        self.count_out(unsafe { self.blocks.payload_size(at) });
        // SAFETY: the caller's promise.
        let done = unsafe { self.blocks.resize(at, block_for(new_size)) };
        #[cfg(feature = "statistics")]
        // SAFETY: the caller's promise.
        self.count_in(unsafe { self.blocks.payload_size(at) });
        done
    }

    #[inline(never)]
    fn allocate_tagged(&mut self, size: usize, align: usize) -> *mut u8 {
        let mut block = if align <= UNIT { self.blocks.take(size) } else { Addr::NONE };
        if block.is_none() {
            block = self.take(size, align);
        }
        if block.is_none() { ptr::null_mut() } else { self.blocks.pointer(block) }
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
            // Word by word: the library's copy and fill would be a tenth of a small module.
            // SAFETY: both maps are ours, and their lengths are whole words.
            unsafe {
                let mut at = 0;
                while at < len {
                    let word = if at < self.map_len { self.blocks.load(self.map.plus(at)) } else { Addr::NONE };
                    self.blocks.store(map.plus(at), word);
                    at += WORD;
                }
                if self.map.is_some() {
                    self.blocks.give(self.map);
                }
            }
            self.map = map;
            self.map_len = len;
        }
        self.mark(slab, class);
        true
    }

    /// Moves a block: `reallocate` where it does not fit.
    ///
    /// # Safety
    ///
    /// As for `reallocate`.
    #[inline(never)]
    unsafe fn moved(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise on `new_size`; two blocks in use are disjoint, and both hold as many whole words as
        // the smaller size takes: of a slab's block every word counts, of a tagged one all but the next tag.
        unsafe {
            let new = self.allocate(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new.is_null() {
                copy_words(block, new, layout.size().min(new_size));
                self.deallocate(block, layout);
            }
            new
        }
    }

    /// The byte map's index for the KiB that `at` lies in.
    fn index_of(&self, at: Addr) -> usize {
        self.blocks.source().offset(self.blocks.bottom().down_to(SLAB).0, at.0) / SLAB
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
        // SAFETY: inside the map; a shared slab's state knows more.
        unsafe {
            match self.blocks.pointer(self.map.plus(index)).read().into() {
                SHARED => {
                    let slab = at.down_to(SLAB);
                    let state = State(self.blocks.load(slab.plus(STATE)).0);
                    state.class(at.above(slab) / QUARTER)
                }
                class => class,
            }
        }
    }
}

// SAFETY: a slab's blocks and the tagged blocks' payloads are disjoint, inside spans of the source (S1), and aligned: to a
// unit, to more where size and alignment say so (SLAB_ALIGN), or as `Blocks::take` was asked.
unsafe impl<S: PageSource> RawAllocator for SizeClassAllocator<S> {
    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> *mut u8 {
        let block = match list_of(layout.size(), layout.align()) {
            Some(list) => self.pop(list),
            None => self.allocate_tagged(block_for(layout.size()), layout.align().max(UNIT)),
        };
        #[cfg(feature = "statistics")]
        if !block.is_null() {
            // SAFETY: the block is in use.
            self.count_in(unsafe { self.usable_size(block) });
        }
        block
    }

    #[inline]
    unsafe fn allocate_zeroed(&mut self, layout: Layout) -> *mut u8 {
        let zero_from = self.blocks.zero_from();
        // SAFETY: the caller's promise; the block is at least as long as the layout.
        unsafe {
            let block = self.allocate(layout);
            if !block.is_null() {
                // Fresh memory is zero and stays untouched. A slab's blocks carry links wherever they lie.
                let dirty = if is_small(layout.size(), layout.align()) {
                    layout.size()
                } else {
                    zero_from.0.saturating_sub(block.addr()).min(layout.size())
                };
                block.write_bytes(0, dirty);
            }
            block
        }
    }

    #[inline]
    unsafe fn deallocate(&mut self, block: *mut u8, layout: Layout) {
        let at = Addr(block.addr());
        #[cfg(feature = "statistics")]
        // SAFETY: the block is in use until now.
        self.count_out(unsafe { self.usable_size(block) });
        // SAFETY: the caller's promise; size and alignment say which kind of block it is (C5).
        unsafe {
            match list_of(layout.size(), layout.align()) {
                Some(list) => self.push(list, at),
                None => self.blocks.give(at),
            }
        }
    }

    #[inline]
    unsafe fn reallocate(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let was = is_small(layout.size(), layout.align());
        let is = is_small(new_size, layout.align());
        // SAFETY: the caller's promise; a block stays on its side (C5).
        unsafe {
            let fits = if was || is {
                was && is && list_of(layout.size(), layout.align()) == list_of(new_size, layout.align())
            } else {
                self.resize_tagged(block, new_size)
            };
            if fits { block } else { self.moved(block, layout, new_size) }
        }
    }
}

// SAFETY: the byte map tells slabs from tagged blocks (C1); a slab's state and a block's tag know the size.
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
        #[cfg(feature = "statistics")]
        // SAFETY: the block is in use until now.
        self.count_out(unsafe { self.usable_size(block) });
        // SAFETY: as above, and the caller gives the block up.
        unsafe {
            let mut list = self.class_at(at);
            if list == 0 {
                list = (self.blocks.payload_size(at) + WORD) / UNIT;
                if list >= LISTS {
                    return self.blocks.give(at);
                }
            }
            // A small tagged block, taken for its alignment, is too short for any list of tagged blocks.
            if list < CLASSES && self.class_at(at) == 0 { self.blocks.give(at) } else { self.push(list, at) }
        }
    }

    unsafe fn resize(&mut self, block: *mut u8, new_size: usize) -> bool {
        match self.class_at(Addr(block.addr())) {
            // SAFETY: the caller's promise; a block that lies in no slab is tagged (C1). An enormous size fits nowhere.
            0 => new_size <= isize::MAX as usize && unsafe { self.resize_tagged(block, new_size) },
            class => new_size <= class * UNIT,
        }
    }
}
