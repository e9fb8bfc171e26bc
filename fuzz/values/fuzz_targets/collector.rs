//! Objects, edges, roots and collections in any order, against the oracle of what is reachable that the tests have.

#![no_main]

#[path = "../../../crates/heapbase-gc/tests/world/mod.rs"]
mod world;

use allocator_api2::alloc::{AllocError, Allocator, Global, Layout};
use core::{cell::Cell, ptr::NonNull};
use heapbase::{Local, SizeClassAllocator, memory::TestMemory, subsystem::Subsystem};
use heapbase_gc::Collector;
use libfuzzer_sys::fuzz_target;
use world::World;

/// The system's memory, which has none for each so-manyeth request.
struct Failing {
    every: usize,
    requests: Cell<usize>,
}

// SAFETY: every block is the system's.
unsafe impl Allocator for Failing {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.requests.set(self.requests.get() + 1);
        if self.every > 0 && self.requests.get().is_multiple_of(self.every) {
            return Err(AllocError);
        }
        Global.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { Global.deallocate(block, layout) }
    }
}

fn run<A: Allocator>(memory: A, limit: usize, script: &[u8]) {
    let mut world = World::new(Collector::new(memory), 1);
    world.heap.set_limit(limit);
    let (words, _) = script.as_chunks();
    world.script = words.iter().rev().map(|word| u16::from_le_bytes(*word)).collect();
    while !world.script.is_empty() {
        world.step();
    }
    world.end();
    assert!(world.heap.statistics().peak_bytes <= limit);
}

fuzz_target!(|data: &[u8]| {
    let [kind, limit, script @ ..] = data else { return };
    let limit = if limit % 2 == 0 { usize::MAX } else { 2_000 + usize::from(*limit) * 400 };
    if kind % 4 == 0 {
        // Segments as the flagship lays them, one behind the other.
        run(&Local::new(SizeClassAllocator::with_source(TestMemory::new(64))), limit, script);
        return;
    }
    let below = Failing { every: usize::from(kind / 4), requests: Cell::new(0) };
    let part = Subsystem::new("objects", &below);
    run(&part, limit, script);
    let (figures, _) = part.close().expect("all of it went back");
    assert!(figures.peak <= limit);
});
