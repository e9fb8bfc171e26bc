//! Any operations on any allocator, over watched memory.

#![no_main]

#[path = "../../../crates/heapbase/tests/driver/mod.rs"]
mod driver;
#[path = "../src/watched.rs"]
mod watched;

use arbitrary::{Arbitrary, Unstructured};
use driver::{Driver, Op, Subject};
use heapbase::{FreeListAllocator, LeakingAllocator, SizeClassAllocator};
use libfuzzer_sys::fuzz_target;
use watched::{Book, Watched};

/// The operations as the fuzzer writes them: small sizes take few bytes.
#[derive(Arbitrary, Debug)]
enum Step {
    Small { size: u8, zeroed: bool },
    Medium { size: u16, align_log2: u8 },
    Large { size: u32, zeroed: bool },
    Free { index: u8, sized: bool },
    Reallocate { index: u8, size: u16 },
    ReallocateLarge { index: u8, size: u32 },
    ReallocateByAddress { index: u8, size: u16 },
    Resize { index: u8, size: u16 },
    Steal { pages: u8 },
    Fail { fail: bool },
    Last { pages: u8 },
}

impl From<Step> for Op {
    fn from(step: Step) -> Self {
        match step {
            Step::Small { size, zeroed } => Self::Allocate { size: size.into(), align_log2: 3, zeroed },
            Step::Medium { size, align_log2 } => Self::Allocate { size: size.into(), align_log2, zeroed: false },
            Step::Large { size, zeroed } => Self::Allocate { size: size % (1 << 20), align_log2: 0, zeroed },
            Step::Free { index, sized } => Self::Free { index: index.into(), sized },
            Step::Reallocate { index, size } => Self::Reallocate { index: index.into(), size: size.into() },
            Step::ReallocateLarge { index, size } => Self::Reallocate { index: index.into(), size: size % (1 << 20) },
            Step::ReallocateByAddress { index, size } => {
                Self::ReallocateByAddress { index: index.into(), size: size.into() }
            }
            Step::Resize { index, size } => Self::Resize { index: index.into(), size: size.into() },
            Step::Steal { pages } => Self::Steal { pages: pages % 3 },
            Step::Fail { fail } => Self::Fail { fail },
            Step::Last { pages } => Self::Last { pages: pages % 4 },
        }
    }
}

fn run<S: Subject>(subject: S, book: Book, steps: Vec<Step>) {
    let mut driver = Driver::watched(subject, book);
    driver.most_blocks = 256;
    for step in steps {
        driver.step(step.into());
    }
    driver.regain();
}

fuzz_target!(|bytes: &[u8]| {
    let mut input = Unstructured::new(bytes);
    let [allocator, pages] = input.arbitrary::<[u8; 2]>().unwrap_or_default();
    let (memory, book) = Watched::new(1 + usize::from(pages) % 8);
    // One step after the other to the last byte. A `Vec` of them would end at the first even byte in front of one, so that
    // most inputs would hold hardly any.
    let mut steps = Vec::new();
    while let (false, Ok(step)) = (input.is_empty(), input.arbitrary()) {
        steps.push(step);
    }
    match allocator % 8 {
        0 => run(FreeListAllocator::with_source(memory), book, steps),
        1 => run(LeakingAllocator::with_source(memory), book, steps),
        _ => run(SizeClassAllocator::with_source(memory), book, steps),
    }
});
