//! The flagship: size classes in slabs over a coalescing structure, and lists of what was freed before both.
//!
//! ```text
//!  a slab, 1, 2 or 4 KiB, aligned to its size
//!  | block 0 | block 1 | · · · | block n-1 | · | slab before | slab behind | first · out · all | tag of what follows |
//!
//!  a block that waits    | the one after the next | · · · |              (4 bytes suffice)
//!  a block at home       | the one after the next | next one | · · · |
//! ```
//!
//! Requests up to 120 bytes come from *slabs*, all of whose blocks are of one *class* (the size rounded up to 8), with no header on
//! a block. Everything above is a tagged block ([`Blocks`]), and so is each slab itself.
//!
//! **Lists.** There is a list for each class, and for each of eight steps to a doubling of size up to 4 KiB. A freed block
//! *waits* in its list for the next request of its size; so allocating and freeing touch a list's two words and the block,
//! and nothing else, whether it lies in a slab or not. A list knows its first two blocks, and each block the one after the
//! next: two chains that take turns, so that a request need not wait for what the block before holds. From time to time all
//! that waits goes *home*: a block into the list of its slab, or to the tagged blocks, which merge it with its neighbours. When
//! a list is empty it gets all blocks that the first slab of its class has at home, in one step, or a new slab, or a tagged
//! block. A slab that has all its blocks at home becomes free memory.
//!
//! **Small heaps.** A class's first 24 blocks are tagged ones, which wait in the class's list like any other: a program that
//! allocates little has neither slabs nor byte map. Then come four slabs of 1 KiB, four of 2, and from then on those of 4,
//! where that is not more than 127 blocks.
//!
//! **Giving back.** When no free tagged block serves a request, what waits goes home before the top rises: up to 16,384 blocks, and one for each 16 bytes of the
//! request; the next such call goes on with the next list. Not each time, for
//! then a heap in use for long would sort out its lists over and over: each time that all of it went home, the top may rise a third further without, until it
//! stands at four times the most that was in use then. And all of it goes home before a request fails. So a young heap stays small, and what
//! waits lets no heap extend further than to some four times the blocks, tags included, and slabs that were in use. A program that fills the heap with blocks of
//! one size, frees them all and goes on to the next, of 55 sizes, holds 3 to 4 times what it uses, 5 with a vector that grows in between (without
//! the bound 56 and 48). Where some blocks of each size stay until the next is there, slabs are in use for one block each: 6 to 8 times. In
//! the worst case both multiply, as a slab counts for its whole size: a program that keeps a block in each slab of fifteen classes and then has its phases holds 26 times the most that it asked
//! for, one that frees at random while its sizes drift upwards 12 times.
//!
//! **By address alone.** A byte map with one byte for each KiB of the heap holds the class and the size of the slab there, or 0.
//! A block in no slab has a tag in front, even one that serves a class.
//!
//! **Worst cases**, on 32 bits. Making a slab writes at most 127 links twice. Sending a block home takes bounded time: natively 3 ns for one of 16 bytes and 25 for one of
//! 1,000 where they were freed in order, 40 to 170 in random order, the more the less of the heap is in the processor's caches. So a call takes up to 3 ms, and as
//! much again for each 256 KiB that it asks for and for an alignment above 8; it was a second after 160 MiB in blocks of 16 bytes were freed when one call sent all of them. Only one
//! that finds no more memory sends all. In a heap that is full, or that
//! extends further than it may because of blocks that were large and shrank, requests may take the last free block each and need the next one sent home: 150 ns
//! a call instead of 4, and 600 in V8 where the byte map cannot grow either and no slab is made any more. Requests of one size with different alignments above 8 share a list, and find
//! what waits there aligned by chance: blocks of 1,024 bytes aligned to 8 and to 64 in turn take 12 times as long as to 8, and half as much memory again. A request looks at one block in each bin between its size and its size plus its
//! alignment, a few bins for a slab; one above 7 MiB at all free blocks of such sizes. The byte map, a thousandth of what
//! lies between the heap's first byte and its last, others' memory included, is copied when it is outgrown, which doubles
//! it. Nothing else depends on the size of the heap.
//!
//! **Waste.** Of a block, rounding, tags and what a slab leaves over take at most 11.2 % once a request is rounded up to 8 bytes,
//! worst just past a multiple of an eighth of a power of two, or 16 % where a block with an alignment above 64 was freed by its
//! address alone and serves its list from then on; a class's first 24 blocks carry a tag, which takes 8 bytes
//! more. Of memory, each class may hold partly used slabs: in the worst case one block in use keeps a slab, so a program
//! that frees all but one block of each slab holds at most 128 times what it uses, once rounded up to 8, and those bytes serve the same class only. Tagged
//! blocks have no bound so small: a block of 16 bytes may keep the gap beside it from a request of any size (`blocks.rs` says more).
//!
//! **What was measured on the way.** One list for a class, whose slabs only count, as it was before, makes freeing touch the slab
//! too, and an empty slab's blocks must be unlinked one by one; one counter for all that waits makes each call wait for the
//! one before. Both were two thirds of what a first-in-first-out queue cost. A bound for what waits in a list, from 255 to 4,095,
//! sends home one by one what a program frees in bulk, and needs a counter for each list: without both, recorded metadata in a
//! used heap takes half as long, and 7 to 13 % less in a fresh one, in as much memory. Never to send anything home in a young heap takes a
//! tenth less again, and 17 % more memory; doing so twice as often, or only for tagged blocks, gains nothing. With a bound of three times what
//! is in use instead of four, or one for what was in use the last time instead of at most, metadata in a used heap take three to four times as long, and
//! the fragmentation workload six times, longer than with talc: their lists alone hold two to three times what is alive. To send no more
//! than 4,096 blocks of each list at a time, and to count what waits beyond that as in use, let memory grow to 6 times; to count so once each list had its turn, to
//! 13 times. So what is in use is known only when a call came to the end of all lists. A program whose phases free more than
//! 16,384 blocks may then never get its four times: blocks of 16 MiB in three sizes in turn stay below 2.4 times instead of 4.1, and allocating one takes 18 ns instead of
//! 11, freed in random order 113 instead of 79. Lists to
//! 16 KiB are no faster than to 4 KiB, and hold memory that large vectors need. Empty slabs held in reserve gained nothing.
//! A slab's state in the map instead of its tail gained nothing. Lists above the classes that count a request's tag fit a
//! quarter of all sizes one step better, in as much memory on every workload, but every call must tell apart whether there is
//! a tag: that took a third of the time in a used heap. One chain for a list, when it was freed in random order, is one miss of
//! the processor's cache after the other: 20,000 equal objects took twice as long, longer than with mimalloc, whose lists are
//! a page's. Two chains cost other programs in a used heap a quarter of a nanosecond a call, half of what the tag had cost. A
//! list's two words read and written as one gain nothing: then the next request waits for both. One chain at home, made two
//! when the list takes it, costs 4 % in a fresh heap. With 16 tagged blocks before a class's first slab instead of 24, fresh heaps of
//! a few hundred KiB have more slabs that are hardly used, and metadata take up to 9 % longer; with 32 small ones touch more.
//!
//! Invariants, which [`SizeClassAllocator::check`] tests beside those of the tagged blocks:
//!
//! - **C1** A slab is a tagged block whose payload is aligned to the slab's size; the byte map holds its class and size for each
//!   of its KiB, and 0 everywhere else.
//! - **C2** What waits in a list is nobody's, and large enough for the list's requests: a block of a slab of the list's class, or
//!   a tagged block, though its tag says that it is in use. The list holds the first and the second, each block's first word
//!   the one after the next.
//! - **C3** A block of a slab is in use, waits or is at home. The tail counts all, and those that are not at home, of
//!   which there is at least one; from `first` on those at home lead to each other, by their second words to the next one and
//!   by their first to the one after it. A slab that has any hangs in its class's list of slabs, linked both ways.
//! - **C4** Blocks of slabs are aligned to the largest power of two that divides their size, up to 64; a tagged block to 8.
//! - **C5** A request above 120 bytes, rounded up to its alignment, or with an alignment above 64 gets a tagged block. One that has a
//!   list gets a block that is large enough for all of the list, and keeps it so when it is resized.

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

/// Bytes of the smallest slab and its alignment.
pub(crate) const SLAB: usize = 256 * WORD;
/// One more than the largest class of slabs; there is no class 0.
const CLASSES: usize = 16;
/// Largest alignment that slabs serve: blocks start at multiples of their size.
const SLAB_ALIGN: usize = 8 * UNIT;
/// Blocks of a class that are tagged ones before it gets a slab.
const STARTERS: u8 = 24;
/// So many slabs of a class are of the same size, then they double.
const EACH: u32 = 4;
/// Where `made` stops: slabs double twice.
const MOST_MADE: u8 = STARTERS + 11;
/// While nothing is sent home, the heap extends to no more than so many times what was in use when it was.
const MOST_TIMES: usize = 4;
/// Nor to more than a third of itself and so much beyond what it might before: young heaps are to be small.
const AT_ONCE: usize = 128 * UNIT;
/// Blocks that a call sends home at most, and one more for every 16 bytes that it asks for.
const AT_MOST: usize = 16 << 10;
/// Extents are compared by their eighths: no multiple of them overflows.
const PARTS: usize = 2 * MOST_TIMES;
/// Lists to a doubling of size, as a power of two.
const STEPS: u32 = 3;
/// Requests up to so many bytes have a list.
const LISTED: usize = 512 * UNIT;
/// Lists; nothing hangs in the first.
const LISTS: usize = rounded_list(LISTED) + 1;
/// Entries of the first byte map.
const FIRST_MAP: usize = 128;

const _: () = {
    assert!(block_for(SLAB - WORD) == SLAB);
    let mut list = CLASSES;
    while list < LISTS {
        assert!(list_for_block(units_of(list)) == list && list_for_block(units_of(list) - 1) < list);
        list += 1;
    }
    // Blocks of a slab are counted in a byte.
    assert!((SLAB - Tail::SIZE) / UNIT <= u8::MAX as usize);
    assert!(rounded_list((CLASSES - 1) * UNIT) == CLASSES - 1 && rounded_list((CLASSES - 1) * UNIT + 1) == CLASSES);
    assert!(units_of(CLASSES) == CLASSES + 1 && units_of(LISTS - 1) * UNIT == LISTED + UNIT);
};

/// The list for a request. By its size alone: with the tag, which only some blocks have, this took twice as many instructions.
#[inline(always)]
const fn rounded_list(size: usize) -> usize {
    let units = (size - 1) / UNIT;
    let fine = (units | 1 << STEPS).ilog2() - STEPS;
    ((fine as usize) << STEPS) + (units >> fine) + 1
}

/// Units of the tagged blocks in a list: the largest request's, and the tag.
const fn units_of(list: usize) -> usize {
    let steps = 1 << STEPS;
    let fine = ((list - 1) >> STEPS) - 1;
    ((((list - 1) & (steps - 1) | steps) + 1) << fine) + 1
}

/// The list whose requests a tagged block of so many units serves.
const fn list_for_block(units: usize) -> usize {
    let fine = ((units - 1) | 1 << STEPS).ilog2() - STEPS;
    ((fine as usize) << STEPS) + ((units - 1) >> fine)
}

/// The list that serves a request, or `None` where only [`Blocks`] does (C5).
#[inline(always)]
const fn list_of(size: usize, align: usize) -> Option<usize> {
    let mut size = size;
    if align > UNIT {
        if align > SLAB_ALIGN {
            return None;
        }
        size = round_up(size, align);
    }
    let list = rounded_list(size);
    if list < LISTS { Some(list) } else { None }
}

/// Whether a class of slabs serves a request (C5).
#[inline(always)]
const fn is_small(size: usize, align: usize) -> bool {
    matches!(list_of(size, align), Some(list) if list < CLASSES)
}

/// Bytes of the tagged block for a request that gets one.
#[inline(always)]
const fn tagged_for(size: usize, align: usize) -> usize {
    match list_of(size, align) {
        Some(list) if list >= CLASSES => units_of(list) * UNIT,
        _ => block_for(size),
    }
}

/// The first two blocks of a list, in the order of a block's links at home.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct List {
    second: Addr,
    first: Addr,
}

impl List {
    const EMPTY: Self = Self { first: Addr::NONE, second: Addr::NONE };
}

/// What lies behind a slab's blocks. A block that is neither in use nor waiting is *at home*.
#[repr(C)]
struct Tail {
    /// The slabs before and behind in the list of those of the class that have blocks at home. The first has none before.
    previous: Addr,
    next: Addr,
    /// How far below the tail the first of the blocks at home lies; 0 if none is there.
    first: u16,
    /// Blocks that are not at home.
    out: u8,
    /// Blocks of the slab.
    all: u8,
}

impl Tail {
    /// Bytes of the tail and of the next block's tag.
    const SIZE: usize = size_of::<Self>() + WORD;
}

/// An entry of the byte map: a slab's class and size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry(u8);

impl Entry {
    const NONE: Self = Self(0);

    const fn new(class: usize, doublings: u32) -> Self {
        Self(class as u8 | (doublings << 4) as u8)
    }

    const fn is_none(self) -> bool {
        self.0 == 0
    }

    const fn class(self) -> usize {
        self.0 as usize & 0xf
    }

    /// Bytes of the slab.
    const fn size(self) -> usize {
        SLAB << (self.0 >> 4)
    }

    /// The slab that `at` lies in.
    const fn slab(self, at: Addr) -> Addr {
        at.down_to(self.size())
    }

    /// Its tail.
    const fn tail(self, at: Addr) -> Addr {
        self.slab(at).plus(self.size() - Tail::SIZE)
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
    /// Free blocks that wait for the next request of their size.
    lists: [List; LISTS],
    /// Tagged blocks that a class got before its first slab, and slabs since.
    made: [u8; CLASSES],
    /// First slab (its tail) of each class that has free blocks at home.
    slabs: [Addr; CLASSES],
    /// What the heap may extend to before what waits is sent home, in bytes, divided by [`PARTS`].
    enough: usize,
    /// The most that it may become: [`MOST_TIMES`] the most that was in use when what waits was sent home, divided by [`PARTS`].
    most: usize,
    /// The list that was sent home last: a call goes on with the next.
    next: usize,
    /// One byte for each KiB of the heap from its bottom on: the slab there.
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
            lists: [List::EMPTY; LISTS],
            made: [0; CLASSES],
            slabs: [Addr::NONE; CLASSES],
            enough: 0,
            most: 0,
            next: 0,
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

    /// The source of memory, to be told things: its limit, what others took of it.
    ///
    /// # Safety
    ///
    /// The source is neither replaced nor dropped, and takes nothing back of what it handed out: the heap holds addresses there.
    pub unsafe fn source_mut(&mut self) -> &mut S {
        self.blocks.source_mut()
    }
}

/// `array[index]` without the code of a panic.
#[inline(always)]
fn slot<T, const N: usize>(array: &mut [T; N], index: usize) -> &mut T {
    debug_assert!(index < N);
    // SAFETY: lists come from `list_of`, which compares, or from the byte map.
    unsafe { array.get_unchecked_mut(index) }
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
    /// A block from `list`.
    #[inline(always)]
    fn pop(&mut self, list: usize, align: usize) -> *mut u8 {
        let List { first: block, second } = *slot(&mut self.lists, list);
        // Slabs align their blocks, tagged blocks are as they happen to be.
        if block.is_none() || (align > UNIT && block.0 & (align - 1) != 0) {
            return self.refill(list, align);
        }
        // SAFETY: a listed block is free, and its first word is the one after the next (C2).
        *slot(&mut self.lists, list) = List { first: second, second: unsafe { self.blocks.load(block) } };
        self.blocks.pointer(block)
    }

    /// Gives a block back to `list`.
    ///
    /// # Safety
    ///
    /// A block from this list, in use until now.
    #[inline(always)]
    unsafe fn push(&mut self, list: usize, block: Addr) {
        let List { first, second } = *slot(&mut self.lists, list);
        *slot(&mut self.lists, list) = List { first: block, second: first };
        // SAFETY: every block holds a word, and nobody uses this one any more.
        unsafe { self.blocks.store(block, second) };
    }

    /// Sends blocks of a list home, `most` of them at most. Returns how many more it might have been.
    fn flush(&mut self, list: usize, mut most: usize) -> usize {
        loop {
            let List { first: block, second } = *slot(&mut self.lists, list);
            if block.is_none() || most == 0 {
                return most;
            }
            most -= 1;
            // SAFETY: a block that waits is nobody's; its first word is the one after the next (C2).
            unsafe {
                *slot(&mut self.lists, list) = List { first: second, second: self.blocks.load(block) };
                self.send_home(block);
            }
        }
    }

    /// Gives a block back to the tagged blocks or its slab, and the slab back if that was all it lacked.
    ///
    /// # Safety
    ///
    /// Nobody uses the block any more, and it is in no list.
    #[inline(always)]
    unsafe fn send_home(&mut self, block: Addr) {
        let entry = self.entry(block);
        let (slab, at) = (entry.slab(block), entry.tail(block));
        // SAFETY: a block of this heap that lies in no slab is tagged (C1); a slab's hold two words, and the list of slabs
        // leads from tail to tail (C3).
        unsafe {
            if entry.is_none() {
                return self.blocks.give(block);
            }
            let tail = self.tail(at);
            let first = core::mem::replace(&mut (*tail).first, at.above(block) as u16);
            (*tail).out -= 1;
            let (mut next, mut skip) = (Addr::NONE, Addr::NONE);
            if first == 0 {
                let other = core::mem::replace(slot(&mut self.slabs, entry.class()), at);
                (*tail).next = other;
                if other.is_some() {
                    (*self.tail(other)).previous = at;
                }
            } else {
                next = at.minus(first.into());
                skip = self.blocks.load(next.plus(WORD));
            }
            self.blocks.store(block, skip);
            self.blocks.store(block.plus(WORD), next);
            if (*tail).out == 0 {
                let Tail { next, previous, .. } = *tail;
                if *slot(&mut self.slabs, entry.class()) == at {
                    *slot(&mut self.slabs, entry.class()) = next;
                } else {
                    (*self.tail(previous)).next = next;
                }
                if next.is_some() {
                    (*self.tail(next)).previous = previous;
                }
                self.mark(slab, entry.size(), Entry::NONE);
                self.blocks.give(slab);
            }
        }
    }

    /// The tail at this address.
    #[inline(always)]
    fn tail(&self, at: Addr) -> *mut Tail {
        self.blocks.pointer(at).cast()
    }

    /// Serves a request whose list has nothing that fits: takes a tagged block, or all free blocks of a slab.
    #[cold]
    #[inline(never)]
    fn refill(&mut self, list: usize, align: usize) -> *mut u8 {
        if align > UNIT {
            // What waits is not aligned, at least not the first. Left there, it would become more with each request that asks for it.
            self.flush(list, AT_MOST);
        }
        let mut units = list + 1;
        if list >= CLASSES {
            units = units_of(list);
        } else if slot(&mut self.lists, list).first.is_none() {
            let mut at = *slot(&mut self.slabs, list);
            if at.is_none() {
                at = self.new_slab(list);
            }
            if at.is_some() {
                // SAFETY: the tail is a slab's that has blocks at home (C3).
                unsafe {
                    let tail = self.tail(at);
                    *slot(&mut self.slabs, list) = (*tail).next;
                    let block = at.minus((*tail).first.into());
                    (*tail).out = (*tail).all;
                    (*tail).first = 0;
                    *slot(&mut self.lists, list) =
                        List { first: self.blocks.load(block.plus(WORD)), second: self.blocks.load(block) };
                    return self.blocks.pointer(block);
                }
            }
        }
        self.allocate_tagged(units * UNIT, align.max(UNIT))
    }

    /// A new slab's tail, with all of its blocks at home: only to be taken by `refill`. None for one of the first blocks of a class, or
    /// where nothing is free that a slab fits in, or no memory for a larger map.
    #[inline(always)]
    fn new_slab(&mut self, list: usize) -> Addr {
        let made = *slot(&mut self.made, list);
        *slot(&mut self.made, list) = made + u8::from(made < MOST_MADE);
        if made < STARTERS {
            return Addr::NONE;
        }
        // Not `ilog2`: it has code for a list 0.
        let doublings = (u32::from(made - STARTERS) / EACH).min(list.leading_zeros() ^ (usize::BITS - 1));
        let entry = Entry::new(list, doublings);
        let slab = self.take(entry.size(), entry.size());
        if slab.is_none() {
            return slab;
        }
        if self.enter(slab, entry) {
            return self.carve(slab, entry);
        }
        // SAFETY: a tagged block that was just taken.
        unsafe { self.blocks.give(slab) };
        Addr::NONE
    }

    /// Makes a slab of a tagged block, with all of its blocks at home: only to be taken by `refill`.
    fn carve(&mut self, slab: Addr, entry: Entry) -> Addr {
        let (len, step) = (entry.size() - Tail::SIZE, entry.class() * UNIT);
        let (at, all) = (slab.plus(len), len / step);
        let mut block = slab.plus(all * step);
        let (mut next, mut skip) = (Addr::NONE, Addr::NONE);
        // SAFETY: the slab's payload is ours, and blocks of two words at least stay below its tail.
        unsafe {
            let next_slab = *slot(&mut self.slabs, entry.class());
            *self.tail(at) = Tail { previous: Addr::NONE, next: next_slab, first: len as u16, out: 0, all: all as u8 };
            while block != slab {
                block = block.minus(step);
                self.blocks.store(block, skip);
                self.blocks.store(block.plus(WORD), next);
                (next, skip) = (block, next);
            }
        }
        at
    }

    /// A tagged block of `size` bytes, tag included; grows memory if it must. None if there is no memory.
    fn take(&mut self, size: usize, align: usize) -> Addr {
        let (mut sent, mut all) = (false, false);
        loop {
            let block = self.blocks.take(size, align);
            if block.is_some() {
                return block;
            }
            let extent = self.blocks.extent();
            if sent || extent / PARTS + size / PARTS <= self.enough {
                let block = self.blocks.take_top(size, align);
                if all || block.is_some() {
                    return block;
                }
            }
            sent = true;
            let mut most = AT_MOST + size / 16;
            for _ in 0..LISTS {
                // Not from the same one on: a list that gets more each time must not keep the others from being sent.
                self.next = (self.next + 1) % LISTS;
                most = self.flush(self.next, most);
                if most == 0 {
                    break;
                }
            }
            // Only then is it known what is in use.
            all = most != 0;
            if all {
                let used = self.blocks.used() / (PARTS / MOST_TIMES);
                self.most = self.most.max(used);
                self.enough = self.most.min(self.enough + extent / 3 / PARTS + AT_ONCE / PARTS);
            }
        }
    }

    /// Changes the size of a tagged block, tag included, where it is. False: nothing was changed.
    ///
    /// # Safety
    ///
    /// `block` is a tagged block in use.
    unsafe fn resize_tagged(&mut self, block: *mut u8, size: usize) -> bool {
        let at = Addr(block.addr());
        #[cfg(feature = "statistics")]
        // SAFETY: the caller's promise.
        self.count_out(unsafe { self.blocks.payload_size(at) });
        // SAFETY: the caller's promise.
        let done = unsafe { self.blocks.resize(at, size) };
        #[cfg(feature = "statistics")]
        // SAFETY: the caller's promise.
        self.count_in(unsafe { self.blocks.payload_size(at) });
        done
    }

    #[inline(never)]
    fn allocate_tagged(&mut self, size: usize, align: usize) -> *mut u8 {
        let block = self.take(size, align);
        if block.is_none() { ptr::null_mut() } else { self.blocks.pointer(block) }
    }

    /// Enters a new slab into the byte map; false if that cannot grow.
    fn enter(&mut self, slab: Addr, entry: Entry) -> bool {
        let last = self.index_of(slab.plus(entry.size() - SLAB));
        if last >= self.map_len {
            let size = 2 * ((last | (FIRST_MAP / 2 - 1)) + 1);
            let (map, len) = (self.take(size, UNIT), size - WORD);
            if map.is_none() {
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
        self.mark(slab, entry.size(), entry);
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
        at.above(self.blocks.bottom().down_to(SLAB)) / SLAB
    }

    /// Writes a slab's entries of the byte map.
    fn mark(&mut self, slab: Addr, size: usize, entry: Entry) {
        let mut left = size;
        loop {
            left -= SLAB;
            let place = self.map.plus(self.index_of(slab.plus(left)));
            // SAFETY: `enter` made the map reach every slab.
            unsafe { self.blocks.pointer(place).write(entry.0) }
            if left == 0 {
                return;
            }
        }
    }

    /// The slab that `at` lies in.
    #[inline(always)]
    fn entry(&self, at: Addr) -> Entry {
        let index = self.index_of(at);
        if index >= self.map_len {
            return Entry::NONE;
        }
        // SAFETY: inside the map.
        Entry(unsafe { self.blocks.pointer(self.map.plus(index)).read() })
    }
}

// SAFETY: a slab's blocks and the tagged blocks' payloads are disjoint, inside spans of the source (S1), and aligned: to a
// unit, to more where size and alignment say so (SLAB_ALIGN), or as `Blocks::take` was asked.
unsafe impl<S: PageSource> RawAllocator for SizeClassAllocator<S> {
    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> *mut u8 {
        let block = match list_of(layout.size(), layout.align()) {
            Some(list) => self.pop(list, layout.align()),
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
                // Fresh memory at the top is zero and stays untouched. A slab's blocks carry links wherever they lie, and what once was
                // the top carries tags.
                let dirty = if is_small(layout.size(), layout.align()) || !self.blocks.is_last(Addr(block.addr())) {
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
        let was = list_of(layout.size(), layout.align());
        let is = list_of(new_size, layout.align());
        let small = is_small(layout.size(), layout.align()) || is_small(new_size, layout.align());
        // SAFETY: the caller's promise; a block above the classes is tagged (C5).
        unsafe {
            if was.is_some() && was == is {
                return block;
            }
            let size = tagged_for(new_size, layout.align());
            if !small && self.resize_tagged(block, size) {
                return block;
            }
            let new = self.moved(block, layout, new_size);
            // All that waited is home now, and some of it may have been behind the block.
            if new.is_null() && !small && self.resize_tagged(block, size) { block } else { new }
        }
    }
}

// SAFETY: the byte map tells slabs from tagged blocks (C1); a slab's state and a block's tag know the size.
unsafe impl<S: PageSource> SizedByAddress for SizeClassAllocator<S> {
    unsafe fn usable_size(&self, block: *mut u8) -> usize {
        let at = Addr(block.addr());
        let entry = self.entry(at);
        if entry.is_none() {
            // SAFETY: a block of this heap that lies in no slab is a tagged block (C1).
            unsafe { self.blocks.payload_size(at) }
        } else {
            entry.class() * UNIT
        }
    }

    unsafe fn free(&mut self, block: *mut u8) {
        let at = Addr(block.addr());
        #[cfg(feature = "statistics")]
        // SAFETY: the block is in use until now.
        self.count_out(unsafe { self.usable_size(block) });
        let entry = self.entry(at);
        let mut list = entry.class();
        // SAFETY: as above, and the caller gives the block up.
        unsafe {
            if entry.is_none() {
                list = list_for_block((self.blocks.payload_size(at) + WORD) / UNIT);
            }
            if list < LISTS { self.push(list, at) } else { self.blocks.give(at) }
        }
    }

    unsafe fn resize(&mut self, block: *mut u8, new_size: usize) -> bool {
        let entry = self.entry(Addr(block.addr()));
        if entry.is_none() {
            // SAFETY: the caller's promise; a block that lies in no slab is tagged (C1). An enormous size fits nowhere.
            new_size <= isize::MAX as usize && unsafe { self.resize_tagged(block, tagged_for(new_size, 1)) }
        } else {
            new_size <= entry.class() * UNIT
        }
    }
}
