//! The random walk over watched memory: `walk [OPERATIONS]`, for each allocator. Build it with `-Zsanitizer=address` and
//! the feature `asan`.

#[path = "../../../crates/heapbase/tests/driver/mod.rs"]
mod driver;
#[path = "../../../crates/heapbase/tests/driver/random.rs"]
mod random;
mod watched;

use driver::{Driver, Subject};
use heapbase::{FreeListAllocator, LeakingAllocator, SizeClassAllocator};
use random::Random;
use watched::Watched;

fn walk<S: Subject>(name: &str, stretch: u64, total: u64, on: impl Fn(Watched) -> S) {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut done = 0;
    while done < total {
        let (memory, book) = Watched::new(2 + random.next() as usize % 30);
        let mut driver = Driver::watched(on(memory), book);
        driver.most_blocks = 8 << (random.next() % 6);
        for _ in 0..stretch {
            driver.step(random.op());
        }
        driver.regain();
        done += stretch;
    }
    println!("{name}: {done} operations on watched memory");
}

fn main() {
    let total = std::env::args().nth(1).map_or(100_000, |text| text.parse().expect("a number of operations"));
    walk("SizeClassAllocator", 2_000, total, SizeClassAllocator::with_source);
    walk("FreeListAllocator", 2_000, total, FreeListAllocator::with_source);
    walk("LeakingAllocator", 200, total, LeakingAllocator::with_source);
    if std::env::args().nth(2).as_deref() == Some("--reach-outside") {
        // The tool itself is tested: this must be reported.
        let (memory, mut book) = Watched::new(4);
        let mut subject = SizeClassAllocator::with_source(memory);
        let layout = std::alloc::Layout::new::<[u64; 5]>();
        // SAFETY: not at all; a read past the end of the block, for the sanitizer to find.
        unsafe {
            let block = heapbase::RawAllocator::allocate(&mut subject, layout);
            driver::Watch::allocated(&mut book, block, layout.size());
            println!("{}", block.add(layout.size()).read_volatile());
        }
    }
}
