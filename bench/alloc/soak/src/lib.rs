//! The tests' random walk over every allocator, inside a Wasm module: 32 bits, release mode, the real `memory.grow`.
//!
//! The driver's own books live in an arena of their own, so that only the allocator under test grows the memory.

#![no_std]

extern crate alloc;

use heapbase::{
    AssumeSingleThreaded, FreeListAllocator, LeakingAllocator, LeakingPageAllocator, SizeClassAllocator,
    memory::{FromHeapBase, MemoryGrow, PageSource, Region, Span},
};

#[path = "../../../../crates/heapbase/tests/driver/mod.rs"]
mod driver;
#[path = "../../../../crates/heapbase/tests/driver/random.rs"]
mod random;

use driver::{Driver, Memory, Op, Subject};
use random::Random;

const ARENA: usize = 4 << 20;
static mut BOOKS: [u64; ARENA / 8] = [0; ARENA / 8];

// SAFETY: the module has one thread, and uses BOOKS for nothing else.
#[global_allocator]
static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator<Region<'static, true>>> = unsafe {
    let start = (&raw mut BOOKS).cast::<u8>();
    AssumeSingleThreaded::new(FreeListAllocator::with_source(Region::between(start, start.add(ARENA))))
};

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    /// The host prints this text; the trap that follows ends the run.
    fn complain(text: *const u8, len: usize);
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    let text = alloc::format!("{info}");
    // SAFETY: the text lives until the trap.
    unsafe { complain(text.as_ptr(), text.len()) };
    core::arch::wasm32::unreachable()
}

/// The module's memory, with failures and foreign growth on demand.
struct Limited {
    grow: MemoryGrow,
    /// Used instead where there is one.
    from_heap_base: Option<FromHeapBase>,
    /// Bytes that it may grow yet.
    left: usize,
    handed: usize,
}

impl Limited {
    fn new(from_heap_base: bool) -> Self {
        // SAFETY: an instance makes one heap only; the books lie below `__heap_base`.
        let from_heap_base = from_heap_base.then(|| unsafe { FromHeapBase::new() });
        Self { grow: MemoryGrow::new(), from_heap_base, left: usize::MAX, handed: 0 }
    }
}

// SAFETY: the promises are those of the two sources, of which one is used; failing keeps them all.
unsafe impl PageSource for Limited {
    const ZEROED: bool = MemoryGrow::ZEROED && FromHeapBase::ZEROED;

    fn grow(&mut self, least: usize) -> Option<Span> {
        if least > self.left {
            return None;
        }
        let span = match &mut self.from_heap_base {
            Some(source) => source.grow(least),
            None => self.grow.grow(least),
        }?;
        self.left = self.left.saturating_sub(span.len);
        self.handed += span.len;
        Some(span)
    }

    fn pointer(&self, address: usize) -> *mut u8 {
        self.grow.pointer(address)
    }
}

impl Memory for Limited {
    fn handed(&self) -> usize {
        self.handed
    }

    fn steal(&mut self, pages: usize) -> Span {
        let before = core::arch::wasm32::memory_grow::<0>(pages);
        // A failure, or the last page of all, whose end has no address.
        if before > 65_535 - pages {
            return Span { start: 0, len: 0 };
        }
        Span { start: before * 65_536, len: pages * 65_536 }
    }

    fn allow(&mut self, pages: Option<usize>) {
        self.left = pages.map_or(usize::MAX, |pages| pages * 65_536);
    }
}

fn walk<S: Subject>(subject: S, seed: u64, count: u32) -> u32 {
    let mut driver = Driver::new(subject);
    let mut random = Random(seed | 1);
    driver.most_blocks = 8 << (random.next() % 6);
    for _ in 0..count {
        driver.step(random.op());
    }
    driver.regain();
    driver.nulls as u32
}

/// Walks `count` operations on a fresh heap, which starts at `__heap_base` for half of the seeds; returns how many found no memory. 0 size classes, 1 free list, 2 leaking,
/// 3 leaking pages.
#[unsafe(no_mangle)]
extern "C" fn soak(allocator: u32, seed: u64, count: u32) -> u32 {
    let memory = Limited::new(seed & 2 == 0);
    match allocator {
        0 => walk(SizeClassAllocator::with_source(memory), seed, count),
        1 => walk(FreeListAllocator::with_source(memory), seed, count),
        2 => walk(LeakingAllocator::with_source(memory), seed, count),
        _ => walk(LeakingPageAllocator::with_source(memory), seed, count),
    }
}

/// Fills the address space to its last page; what was had stays usable to the last byte. Returns the number of blocks.
#[unsafe(no_mangle)]
extern "C" fn fill(size: u32) -> u32 {
    let mut driver = Driver::new(SizeClassAllocator::with_source(Limited::new(false)));
    driver.most_blocks = usize::MAX;
    driver.most_bytes = usize::MAX;
    // The greater part goes to somebody else, untouched.
    while core::arch::wasm32::memory_size::<0>() < 65_536 - 40 {
        driver.apply(Op::Steal { pages: 10 });
    }
    let mut blocks = 0;
    while driver.nulls == 0 {
        driver.apply(Op::Allocate { size, align_log2: 3, zeroed: blocks % 2 == 0 });
        blocks += 1;
    }
    driver.check();
    driver.clear();
    blocks
}
