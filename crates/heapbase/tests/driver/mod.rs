//! One enum of operations and an oracle: property tests, fuzzing, sanitizers, Wasm runs and trace replay all go through here.
//!
//! The oracle keeps every live block in a map by address. It tests that blocks never overlap, are aligned, keep their
//! contents until they are freed, and that bytes past the asked-for size that the allocator calls usable are usable too.
//! After each operation the allocator walks its own heap, and what that finds in use is compared with the map: nothing is lost.
//!
//! Needs `alloc` only, so that it also runs inside a Wasm module.

#![allow(unreachable_pub, dead_code, reason = "shared by several test programs, none of which uses all")]

extern crate alloc;

use alloc::{collections::BTreeMap, vec::Vec};
use core::alloc::Layout;
use heapbase::{
    FreeListAllocator, LeakingAllocator, LeakingPageAllocator, RawAllocator, SizeClassAllocator, SizedByAddress,
    malloc,
    memory::{PageSource, Span},
};

/// One thing to ask of an allocator or to do to its memory. Any value makes sense: indices and sizes are reduced.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// Allocates.
    Allocate { size: u32, align_log2: u8, zeroed: bool },
    /// Frees a live block, with its size or by address alone.
    Free { index: u32, sized: bool },
    /// Changes a live block's size.
    Reallocate { index: u32, size: u32 },
    /// Changes a live block's size as C's `realloc` does, by its address alone; as above where an allocator cannot.
    ReallocateByAddress { index: u32, size: u32 },
    /// Changes a live block's size where it is, by its address alone, if that is possible; as above where an allocator cannot.
    Resize { index: u32, size: u32 },
    /// Somebody else grows the memory by so many pages.
    Steal { pages: u8 },
    /// From now on memory does not grow, or does again.
    Fail { fail: bool },
    /// Somebody else grows the memory by a page; then it grows by so many pages, which do not touch what there is, and no more.
    Last { pages: u8 },
}

/// Memory whose growth the driver rules.
pub trait Memory: PageSource {
    /// Bytes handed out.
    fn handed(&self) -> usize;

    /// Somebody else grows the memory, and gets what is returned.
    fn steal(&mut self, pages: usize) -> Span;

    /// From now on memory grows by so many pages and no more, or as far as it can.
    fn allow(&mut self, pages: Option<usize>);
}

/// An allocator under test.
pub trait Subject {
    type Raw: RawAllocator;

    /// Whether it finds a block's size by its address.
    const BY_ADDRESS: bool = false;

    fn raw(&mut self) -> &mut Self::Raw;

    /// Walks the heap, in which so many blocks are in use, and so many bytes: their sizes, each rounded up to two words.
    fn walk(&self, _blocks: usize, _bytes: usize) {}

    /// Bytes of memory that can be had again when no block is in use.
    fn returns(&self) -> usize {
        0
    }

    /// Somebody else grows the memory, and gets these bytes.
    fn steal(&mut self, pages: usize) -> *mut [u8];

    /// Memory grows by so many pages and no more, or as far as it can.
    fn allow(&mut self, pages: Option<usize>);

    /// Bytes of a block that may be used.
    ///
    /// # Safety
    ///
    /// The block is live and was allocated for the layout.
    unsafe fn usable(&mut self, _block: *mut u8, layout: Layout) -> usize {
        layout.size()
    }

    /// Frees by address alone, where the allocator can.
    ///
    /// # Safety
    ///
    /// The block is live and was allocated for the layout.
    unsafe fn release(&mut self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.raw().deallocate(block, layout) }
    }

    /// C's `realloc`, where the allocator finds sizes by address.
    ///
    /// # Safety
    ///
    /// The block is live, and the size not 0.
    unsafe fn c_realloc(&mut self, _block: *mut u8, _size: usize) -> *mut u8 {
        unreachable!("needs sizes by address")
    }

    /// Changes a block's size where it is, where the allocator finds sizes by address.
    ///
    /// # Safety
    ///
    /// The block is live, and the size not 0.
    unsafe fn resize_in_place(&mut self, _block: *mut u8, _size: usize) -> bool {
        unreachable!("needs sizes by address")
    }
}

/// What all say of their memory.
macro_rules! over_memory {
    () => {
        type Raw = Self;

        fn raw(&mut self) -> &mut Self {
            self
        }

        fn steal(&mut self, pages: usize) -> *mut [u8] {
            // SAFETY: it only counts what is taken.
            let Span { start, len } = unsafe { self.source_mut() }.steal(pages);
            core::ptr::slice_from_raw_parts_mut(self.source().pointer(start), len)
        }

        fn allow(&mut self, pages: Option<usize>) {
            // SAFETY: it hands out no more, and takes nothing back.
            unsafe { self.source_mut() }.allow(pages);
        }
    };
}

impl<M: Memory> Subject for SizeClassAllocator<M> {
    over_memory!();

    const BY_ADDRESS: bool = true;

    fn walk(&self, blocks: usize, _: usize) {
        assert_eq!(self.check(), blocks, "what the heap holds in use is what was asked for");
    }

    fn returns(&self) -> usize {
        self.source().handed()
    }

    unsafe fn usable(&mut self, block: *mut u8, _: Layout) -> usize {
        // SAFETY: the caller's promise.
        unsafe { malloc::malloc_usable_size(self, block) }
    }

    unsafe fn release(&mut self, block: *mut u8, _: Layout) {
        // SAFETY: the caller's promise.
        unsafe { malloc::free(self, block) }
    }

    unsafe fn c_realloc(&mut self, block: *mut u8, size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        unsafe { malloc::realloc(self, block, size) }
    }

    unsafe fn resize_in_place(&mut self, block: *mut u8, size: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { self.resize(block, size) }
    }
}

impl<M: Memory> Subject for FreeListAllocator<M> {
    over_memory!();

    fn walk(&self, _: usize, bytes: usize) {
        assert_eq!(self.check() + bytes, self.source().handed(), "every byte is free or in use");
    }

    fn returns(&self) -> usize {
        self.source().handed()
    }
}

impl<M: Memory> Subject for LeakingAllocator<M> {
    over_memory!();
}

impl<M: Memory> Subject for LeakingPageAllocator<M> {
    over_memory!();
}

/// Told of what becomes of memory, for tools that watch accesses.
pub trait Watch {
    /// These bytes are the program's from now on.
    fn allocated(&mut self, _block: *mut u8, _size: usize) {}
    /// These bytes are the program's no more.
    fn freed(&mut self, _block: *mut u8, _size: usize) {}
    /// The block, if not null, is being reallocated: until `moved` the allocator may write to memory not known to be
    /// allocated yet.
    fn moving(&mut self, _block: *mut u8) {}
    /// What is allocated is known again.
    fn moved(&mut self) {}
}

/// Watches nothing.
pub struct Unwatched;

impl Watch for Unwatched {}

struct Live {
    layout: Layout,
    /// Whether it may be given back by its layout: not after its size changed by address alone.
    by_layout: bool,
    usable: usize,
    fill: u8,
    /// Where the address stands in `order`.
    place: usize,
}

/// What others fill their memory with.
const OTHERS: u8 = 0x7e;

/// How a block's size changes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Layout,
    Address,
    InPlace,
}

const fn rounded(size: usize) -> usize {
    size.next_multiple_of(2 * size_of::<usize>())
}

/// A run of operations on one allocator.
pub struct Driver<S, W = Unwatched> {
    pub subject: S,
    watch: W,
    live: BTreeMap<usize, Live>,
    /// Addresses of live blocks, for picking one by number.
    order: Vec<*mut u8>,
    fill: u8,
    /// What others have, full of [`OTHERS`].
    others: Vec<*mut [u8]>,
    /// Bytes asked for and not freed.
    pub live_bytes: usize,
    /// The same, each size rounded up to two words.
    rounded_bytes: usize,
    /// Most live blocks and bytes allowed: above, allocations become frees, so that a run stays small enough to walk.
    pub most_blocks: usize,
    pub most_bytes: usize,
    /// Operations that returned null.
    pub nulls: u64,
}

impl<S: Subject> Driver<S> {
    pub fn new(subject: S) -> Self {
        Self::watched(subject, Unwatched)
    }
}

impl<S: Subject, W: Watch> Driver<S, W> {
    pub fn watched(subject: S, watch: W) -> Self {
        Self {
            subject,
            watch,
            live: BTreeMap::new(),
            order: Vec::new(),
            fill: 0,
            others: Vec::new(),
            live_bytes: 0,
            rounded_bytes: 0,
            most_blocks: 64,
            most_bytes: 1 << 20,
            nulls: 0,
        }
    }

    /// Does one operation and walks the heap.
    ///
    /// # Panics
    ///
    /// When the allocator breaks a promise.
    pub fn step(&mut self, op: Op) {
        self.apply(op);
        self.check();
    }

    /// Walks the heap.
    pub fn check(&self) {
        self.subject.walk(self.order.len(), self.rounded_bytes);
        // An allocator that writes past what it got does so beside it, and most likely to what others got last.
        for others in self.others.iter().rev().take(4) {
            self.assert_untouched(*others, 2 * size_of::<usize>());
        }
    }

    /// Tests so many bytes at both ends of what others have, or all of it.
    fn assert_untouched(&self, others: *mut [u8], edge: usize) {
        // SAFETY: memory that was grown for nobody else, and is never given back.
        let bytes = unsafe { &*others };
        let untouched = |bytes: &[u8]| bytes.iter().all(|byte| *byte == OTHERS);
        let edge = edge.min(bytes.len());
        assert!(untouched(&bytes[..edge]) && untouched(&bytes[bytes.len() - edge..]), "nobody wrote to others' memory");
    }

    /// Somebody else grows the memory, and writes to it.
    fn steal(&mut self, pages: usize) {
        let others = self.subject.steal(pages);
        if others.len() > 0 {
            self.watch.allocated(others.cast(), others.len());
            // SAFETY: it was grown for nobody else.
            unsafe { others.cast::<u8>().write_bytes(OTHERS, others.len()) };
            self.others.push(others);
        }
    }

    /// Does one operation.
    pub fn apply(&mut self, op: Op) {
        match op {
            Op::Allocate { size, align_log2, zeroed } => {
                if self.order.len() >= self.most_blocks || self.live_bytes + size as usize > self.most_bytes {
                    return self.free(size as usize, zeroed);
                }
                let size = (size as usize).max(1);
                let layout = Layout::from_size_align(size, 1 << (align_log2 % 18)).expect("small");
                if zeroed {
                    // The allocator writes to the block before it is known.
                    self.watch.moving(core::ptr::null_mut());
                }
                // SAFETY: the size is not 0.
                let block = unsafe {
                    if zeroed {
                        self.subject.raw().allocate_zeroed(layout)
                    } else {
                        self.subject.raw().allocate(layout)
                    }
                };
                if block.is_null() {
                    self.nulls += 1;
                    return if zeroed {
                        self.watch.moved()
                    };
                }
                self.watch.allocated(block, size);
                if zeroed {
                    self.watch.moved();
                    // SAFETY: the block is live and that long.
                    let bytes = unsafe { core::slice::from_raw_parts(block, size) };
                    assert!(bytes.iter().all(|byte| *byte == 0), "zeroed memory is zero");
                }
                self.adopt(block, layout, true);
            }
            Op::Free { index, sized } => self.free(index as usize, sized),
            Op::Reallocate { index, size } => self.reallocate(index as usize, size as usize, Way::Layout),
            Op::ReallocateByAddress { index, size } => self.reallocate(index as usize, size as usize, Way::Address),
            Op::Resize { index, size } => self.reallocate(index as usize, size as usize, Way::InPlace),
            Op::Steal { pages } => self.steal(pages as usize),
            Op::Fail { fail } => self.subject.allow(fail.then_some(0)),
            Op::Last { pages } => {
                self.steal(1);
                self.subject.allow(Some(pages as usize));
            }
        }
    }

    /// Frees everything, and walks the heap.
    pub fn clear(&mut self) {
        while !self.order.is_empty() {
            self.free(0, true);
        }
        self.check();
        for others in &self.others {
            self.assert_untouched(*others, usize::MAX);
        }
    }

    /// Frees everything; then nearly all memory can be had again without growth, in large pieces.
    pub fn regain(&mut self) {
        self.clear();
        self.subject.allow(Some(0));
        let all = self.subject.returns();
        let (mut size, mut blocks, mut had) = (all.next_power_of_two(), Vec::new(), 0);
        while size >= 1_024 {
            let layout = Layout::from_size_align(size, 8).expect("small");
            // SAFETY: the size is not 0.
            let block = unsafe { self.subject.raw().allocate(layout) };
            if block.is_null() {
                size /= 2;
            } else {
                blocks.push((block, layout));
                had += size;
            }
        }
        assert!(had + 4_096 >= all - all / 16, "{had} bytes of {all} can be had again");
        for (block, layout) in blocks {
            // SAFETY: allocated above.
            unsafe { self.subject.raw().deallocate(block, layout) };
        }
        self.check();
    }

    fn adopt(&mut self, block: *mut u8, layout: Layout, by_layout: bool) {
        let (start, size) = (block.addr(), layout.size());
        assert_eq!(start % layout.align(), 0, "{layout:?}: the block is aligned");
        // SAFETY: the block is live.
        let usable = unsafe { self.subject.usable(block, layout) };
        assert!(usable >= size, "{layout:?}: {usable} bytes are usable");
        self.watch.allocated(block, usable);
        if let Some((below, live)) = self.live.range(..=start).next_back() {
            assert!(below + live.usable <= start, "{layout:?} overlaps the block below");
        }
        if let Some((above, _)) = self.live.range(start..).next() {
            assert!(start + usable <= *above, "{layout:?} overlaps the block above");
        }
        self.fill = self.fill.wrapping_mul(5).wrapping_add(113);
        // SAFETY: the block is live, and so long.
        unsafe { block.write_bytes(self.fill, usable) };
        let place = self.order.len();
        self.live.insert(start, Live { layout, by_layout, usable, fill: self.fill, place });
        self.order.push(block);
        self.live_bytes += size;
        self.rounded_bytes += rounded(size);
    }

    /// Takes a block out of the books after testing that its contents are untouched.
    fn disown(&mut self, index: usize) -> (*mut u8, Live) {
        let index = index % self.order.len();
        let block = self.order.swap_remove(index);
        let live = self.live.remove(&block.addr()).expect("a live block is in the books");
        if let Some(moved) = self.order.get(index) {
            self.live.get_mut(&moved.addr()).expect("in the books").place = index;
        }
        assert_eq!(live.place, index);
        // SAFETY: the block is live, and so long.
        let bytes = unsafe { core::slice::from_raw_parts(block, live.usable) };
        assert!(bytes.iter().all(|byte| *byte == live.fill), "{:?}: nobody wrote to the block", live.layout);
        self.live_bytes -= live.layout.size();
        self.rounded_bytes -= rounded(live.layout.size());
        (block, live)
    }

    fn free(&mut self, index: usize, sized: bool) {
        if self.order.is_empty() {
            return;
        }
        let (block, Live { layout, by_layout, usable, .. }) = self.disown(index);
        self.watch.freed(block, usable);
        // SAFETY: the block was live until now.
        unsafe {
            if sized && by_layout {
                self.subject.raw().deallocate(block, layout)
            } else {
                self.subject.release(block, layout)
            }
        }
    }

    fn reallocate(&mut self, index: usize, size: usize, way: Way) {
        if self.order.is_empty() {
            return;
        }
        let (block, live) = self.disown(index);
        let size = size.clamp(1, self.most_bytes - self.live_bytes);
        let way = match way {
            _ if !S::BY_ADDRESS => Way::Layout,
            Way::Layout if !live.by_layout => Way::Address,
            way => way,
        };
        self.watch.moving(block);
        // SAFETY: the block was live until now, and the size is not 0.
        let new = unsafe {
            match way {
                Way::Layout => self.subject.raw().reallocate(block, live.layout, size),
                Way::Address => self.subject.c_realloc(block, size),
                Way::InPlace if self.subject.resize_in_place(block, size) => block,
                Way::InPlace => core::ptr::null_mut(),
            }
        };
        let has = if way == Way::Layout { live.layout.size() } else { live.usable };
        let (now, layout, by_layout, kept) = if new.is_null() {
            self.nulls += u64::from(way != Way::InPlace);
            (block, live.layout, live.by_layout, live.usable)
        } else {
            // C's blocks are aligned as their size needs.
            let as_size = if size.is_multiple_of(16) { 16 } else { 8 };
            let align = if way == Way::Address { as_size } else { live.layout.align() };
            let layout = Layout::from_size_align(size, align).expect("small");
            (new, layout, way == Way::Layout, size.min(has))
        };
        self.watch.allocated(now, kept.max(layout.size()));
        self.watch.moved();
        // SAFETY: the block is live, and so long.
        let bytes = unsafe { core::slice::from_raw_parts(now, kept) };
        assert!(bytes.iter().all(|byte| *byte == live.fill), "{:?} to {size}: contents move along", live.layout);
        self.adopt(now, layout, by_layout);
    }
}
