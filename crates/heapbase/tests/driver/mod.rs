//! One enum of operations and an oracle: property tests, fuzzing, sanitizers, Wasm runs and trace replay all go through here.
//!
//! The oracle keeps every live block in a map by address. It tests that blocks never overlap, are aligned, keep their
//! contents until they are freed, and that bytes past the asked-for size that the allocator calls usable are usable too.
//! After each operation the allocator walks its own heap.
//!
//! Needs `alloc` only, so that it also runs inside a Wasm module.

#![allow(unreachable_pub, dead_code, reason = "shared by several test programs, none of which uses all")]

extern crate alloc;

use alloc::{collections::BTreeMap, vec::Vec};
use core::alloc::Layout;
use heapbase::RawAllocator;

/// One thing to ask of an allocator or to do to its memory. Any value makes sense: indices and sizes are reduced.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// Allocates.
    Allocate { size: u32, align_log2: u8, zeroed: bool },
    /// Frees a live block, with its size or by address alone.
    Free { index: u32, sized: bool },
    /// Changes a live block's size.
    Reallocate { index: u32, size: u32 },
    /// Somebody else grows the memory by so many pages.
    Steal { pages: u8 },
    /// From now on memory does not grow, or does again.
    Fail { fail: bool },
}

/// An allocator under test.
pub trait Subject {
    type Raw: RawAllocator;

    fn raw(&mut self) -> &mut Self::Raw;

    /// Walks the heap.
    fn check(&self);

    /// Somebody else grows the memory.
    fn steal(&mut self, pages: usize);

    /// Growing fails from now on, or works.
    fn fail(&mut self, fail: bool);

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
    unsafe fn free(&mut self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.raw().deallocate(block, layout) }
    }
}

/// What every [`Subject`] with a field `heap` says of its allocator; goes into the `impl`.
#[allow(unused_macros, reason = "shared by several test programs")]
macro_rules! core_of {
    (SizeClassAllocator<$source:ty>) => {
        core_of!(@raw SizeClassAllocator<$source>);

        fn check(&self) {
            self.heap.check();
        }

        unsafe fn usable(&mut self, block: *mut u8, _: Layout) -> usize {
            // SAFETY: the caller's promise.
            unsafe { self.heap.usable_size(block) }
        }

        unsafe fn free(&mut self, block: *mut u8, _: Layout) {
            // SAFETY: the caller's promise.
            unsafe { self.heap.free(block) }
        }
    };
    (FreeListAllocator<$source:ty>) => {
        core_of!(@raw FreeListAllocator<$source>);

        fn check(&self) {
            self.heap.check();
        }
    };
    ($other:ident<$source:ty>) => {
        core_of!(@raw $other<$source>);

        // Nothing to walk.
        fn check(&self) {}
    };
    (@raw $allocator:ident<$source:ty>) => {
        type Raw = $allocator<$source>;

        fn raw(&mut self) -> &mut Self::Raw {
            &mut self.heap
        }
    };
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
    usable: usize,
    fill: u8,
    /// Where the address stands in `order`.
    place: usize,
}

/// A run of operations on one allocator.
pub struct Driver<S, W = Unwatched> {
    pub subject: S,
    watch: W,
    live: BTreeMap<usize, Live>,
    /// Addresses of live blocks, for picking one by number.
    order: Vec<*mut u8>,
    fill: u8,
    /// Bytes asked for and not freed.
    pub live_bytes: usize,
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
            live_bytes: 0,
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
        self.subject.check();
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
                self.adopt(block, layout);
            }
            Op::Free { index, sized } => self.free(index as usize, sized),
            Op::Reallocate { index, size } => self.reallocate(index as usize, size as usize),
            Op::Steal { pages } => self.subject.steal(pages as usize),
            Op::Fail { fail } => self.subject.fail(fail),
        }
    }

    /// Frees everything.
    pub fn clear(&mut self) {
        while !self.order.is_empty() {
            self.free(0, true);
        }
    }

    fn adopt(&mut self, block: *mut u8, layout: Layout) {
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
        self.live.insert(start, Live { layout, usable, fill: self.fill, place: self.order.len() });
        self.order.push(block);
        self.live_bytes += size;
    }

    /// Takes a block out of the books after testing that its contents are untouched.
    fn disown(&mut self, index: usize) -> (*mut u8, Layout, u8, usize) {
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
        (block, live.layout, live.fill, live.usable)
    }

    fn free(&mut self, index: usize, sized: bool) {
        if self.order.is_empty() {
            return;
        }
        let (block, layout, _, usable) = self.disown(index);
        self.watch.freed(block, usable);
        // SAFETY: the block was live until now.
        unsafe { if sized { self.subject.raw().deallocate(block, layout) } else { self.subject.free(block, layout) } }
    }

    fn reallocate(&mut self, index: usize, size: usize) {
        if self.order.is_empty() {
            return;
        }
        let (block, layout, fill, usable) = self.disown(index);
        let size = size.clamp(1, self.most_bytes - self.live_bytes);
        self.watch.moving(block);
        // SAFETY: the block was live until now, and the size is not 0.
        let new = unsafe { self.subject.raw().reallocate(block, layout, size) };
        if new.is_null() {
            self.nulls += 1;
            self.watch.allocated(block, usable);
            self.watch.moved();
            self.adopt(block, layout);
            return;
        }
        self.watch.allocated(new, size);
        self.watch.moved();
        // SAFETY: the block is live, and so long.
        let bytes = unsafe { core::slice::from_raw_parts(new, size.min(layout.size())) };
        assert!(bytes.iter().all(|byte| *byte == fill), "{layout:?} to {size}: contents move along");
        self.adopt(new, Layout::from_size_align(size, layout.align()).expect("small"));
    }
}
