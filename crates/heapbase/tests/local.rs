//! The heap of the `local` spec over a host that keeps books: the random walk of the other allocators, and who serves what.

mod driver;
#[path = "driver/random.rs"]
mod random;

use core::alloc::Layout;
use driver::{Driver, Subject};
use heapbase::{
    RawAllocator,
    local::{HOST_ALIGN, Host, HostedAllocator, NEAR},
};
use random::Random;
use std::collections::BTreeMap;

/// Blocks of the system's, and what was asked for.
struct Books {
    blocks: BTreeMap<usize, Layout>,
    room: usize,
    /// Whether memory can grow.
    grows: bool,
    /// Bytes that it serves yet.
    left: usize,
    /// Sizes of all requests.
    asked: Vec<usize>,
}

// SAFETY: the system's blocks.
unsafe impl Host for Books {
    fn malloc(&mut self, size: usize) -> *mut u8 {
        self.asked.push(size);
        if size > self.left {
            return core::ptr::null_mut();
        }
        self.left -= size;
        let layout = Layout::from_size_align(size, HOST_ALIGN).expect("a size that was served before");
        // SAFETY: nobody asks for nothing.
        let block = unsafe { std::alloc::alloc(layout) };
        self.blocks.insert(block.expose_provenance(), layout);
        block
    }

    unsafe fn free(&mut self, block: *mut u8) {
        let layout = self.blocks.remove(&block.addr()).expect("a block of the host's, not given back before");
        // SAFETY: as it was allocated.
        unsafe { std::alloc::dealloc(block, layout) }
    }

    fn room(&self) -> usize {
        self.room
    }

    fn grow(&mut self, bytes: usize) -> bool {
        self.room += if self.grows { bytes } else { 0 };
        self.grows
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        for (block, layout) in &self.blocks {
            // SAFETY: as it was allocated; the heap is gone.
            unsafe { std::alloc::dealloc(core::ptr::with_exposed_provenance_mut(*block), *layout) }
        }
    }
}

/// A heap with its near memory, which lives as long.
struct Hosted {
    heap: HostedAllocator<Books>,
    near: *mut [u64; NEAR / 8],
}

impl Hosted {
    fn new(room: usize) -> Self {
        Self::on(room, false)
    }

    fn on(room: usize, grows: bool) -> Self {
        let near = Box::into_raw(Box::new([0_u64; NEAR / 8]));
        // SAFETY: the box is this heap's, and freed after it.
        let heap = unsafe {
            HostedAllocator::new(
                Books { blocks: BTreeMap::new(), room, grows, left: usize::MAX, asked: Vec::new() },
                near.cast(),
            )
        };
        Self { heap, near }
    }

    fn allocate(&mut self, size: usize, align: usize) -> *mut u8 {
        // SAFETY: the size is not 0.
        unsafe { self.heap.allocate(Layout::from_size_align(size, align).expect("a valid layout")) }
    }

    fn is_near(&self, block: *mut u8) -> bool {
        block.addr().wrapping_sub(self.near.addr()) < NEAR
    }

    fn asked(&self) -> &[usize] {
        &self.heap.host().asked
    }
}

impl Drop for Hosted {
    fn drop(&mut self) {
        // SAFETY: made by `new`; no block of it is used any more.
        drop(unsafe { Box::from_raw(self.near) });
    }
}

impl Subject for Hosted {
    type Raw = HostedAllocator<Books>;

    fn raw(&mut self) -> &mut Self::Raw {
        &mut self.heap
    }

    fn walk(&self, _: usize, _: usize) {
        self.heap.check();
    }

    fn steal(&mut self, _: usize) -> *mut [u8] {
        core::ptr::slice_from_raw_parts_mut(core::ptr::null_mut(), 0)
    }

    fn allow(&mut self, pages: Option<usize>) {
        // SAFETY: it only counts what it may hand out.
        unsafe { self.heap.host_mut() }.left = pages.map_or(usize::MAX, |pages| pages * 65_536);
    }
}

const MIB: usize = 1024 * 1024;

#[test]
fn walk() {
    let total = match std::env::var("HEAPBASE_OPS") {
        Ok(text) => text.parse().expect("HEAPBASE_OPS is a number of operations"),
        Err(_) => 20_000,
    };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut done, mut arenas, mut nulls) = (0, 0, 0);
    while done < total {
        // From an arena that is always full to one that never is.
        let mut driver = Driver::new(Hosted::new(MIB << (random.next() % 5)));
        driver.most_blocks = 8 << (random.next() % 6);
        for _ in 0..2_000 {
            driver.step(random.op());
        }
        driver.clear();
        let arena = driver.subject.asked().iter().filter(|size| **size >= MIB / 4).count();
        arenas += u64::from(arena > 0);
        nulls += driver.nulls;
        // What is left with the host is the arena.
        assert!(driver.subject.heap.host().blocks.len() <= 1);
        done += 2_000;
    }
    assert!(arenas > 0 && nulls > 0, "{arenas} arenas, {nulls} requests without memory");
}

#[test]
fn a_short_call_asks_the_host_for_nothing() {
    let mut heap = Hosted::new(128 * MIB);
    for _ in 0..8 {
        let block = heap.allocate(100, 4);
        assert!(heap.is_near(block));
    }
    assert!(heap.asked().is_empty());
}

#[test]
fn the_arena_is_fetched_when_patience_ends() {
    let mut heap = Hosted::new(128 * MIB);
    while heap.asked().len() < 128 {
        heap.allocate(200, 8);
    }
    assert!(heap.asked().iter().all(|size| *size == 200));
    for _ in 0..1000 {
        heap.allocate(200, 8);
    }
    assert_eq!(heap.asked().len(), 129);
    assert_eq!(heap.asked()[128], 16 * MIB);
}

#[test]
fn a_large_request_fetches_the_arena_at_once() {
    let mut heap = Hosted::new(128 * MIB);
    heap.allocate(5_000, 1);
    assert_eq!(heap.asked(), [16 * MIB]);
}

#[test]
fn what_cannot_fit_leaves_the_arena_alone() {
    let mut heap = Hosted::new(128 * MIB);
    heap.allocate(20 * MIB, 1);
    assert_eq!(heap.asked(), [20 * MIB]);
}

#[test]
fn the_arena_is_a_quarter_of_what_a_fixed_heap_has() {
    for (room, arena) in [(MIB / 2, MIB / 8), (MIB, MIB / 4), (5 * MIB, MIB), (63 * MIB, 8 * MIB), (64 * MIB, 16 * MIB)]
    {
        let mut heap = Hosted::new(room);
        heap.allocate(5_000, 1);
        assert_eq!(heap.asked(), [arena], "{room}");
    }
}

#[test]
fn a_host_without_room_for_an_arena_serves_everything() {
    let mut heap = Hosted::new(MIB / 8);
    for _ in 0..300 {
        heap.allocate(500, 8);
    }
    heap.allocate(5_000, 1);
    assert!(heap.asked().iter().all(|size| [500, 5_000].contains(size)));
}

#[test]
fn memory_that_grows_has_room_for_the_whole_arena() {
    for room in [0, MIB / 8, MIB, 5 * MIB, 63 * MIB] {
        let mut heap = Hosted::on(room, true);
        heap.allocate(5_000, 1);
        assert_eq!(heap.asked(), [16 * MIB], "{room}");
        assert!(heap.heap.host().room > room + 16 * MIB);
    }
}

#[test]
fn what_the_host_allocated_goes_back_to_it() {
    let mut heap = Hosted::new(128 * MIB);
    heap.allocate(5_000, 1);
    // SAFETY: the host stays where it is.
    let buffer = unsafe { heap.heap.host_mut() }.malloc(77);
    // As Rust frees what a host function returned: with an alignment of 1.
    // SAFETY: the host's block, of that size.
    unsafe { heap.heap.deallocate(buffer, Layout::from_size_align(77, 1).expect("a valid layout")) };
    assert_eq!(heap.heap.host().blocks.len(), 1);
}

#[test]
fn the_hosts_block_moves_when_it_grows() {
    let mut heap = Hosted::new(128 * MIB);
    // SAFETY: the host stays where it is.
    let buffer = unsafe { heap.heap.host_mut() }.malloc(10);
    // SAFETY: the host's block of ten bytes.
    unsafe {
        buffer.write_bytes(7, 10);
        let grown = heap.heap.reallocate(buffer, Layout::from_size_align(10, 1).expect("a valid layout"), 300);
        assert!(heap.is_near(grown));
        assert_eq!(core::slice::from_raw_parts(grown, 10), [7; 10]);
    }
    assert!(heap.heap.host().blocks.is_empty());
}

#[test]
fn alignment_above_the_hosts_comes_from_the_arena_or_not_at_all() {
    let mut heap = Hosted::new(128 * MIB);
    heap.allocate(NEAR, 1);
    assert_eq!(heap.allocate(100, 64).addr() % 64, 0);
    assert_eq!(heap.asked(), [16 * MIB]);
    assert!(heap.allocate(17 * MIB, 64).is_null());
    assert_eq!(heap.asked(), [16 * MIB]);
}
