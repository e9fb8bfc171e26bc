//! Long random walks and property tests over every allocator, against the oracle in `driver`.
//!
//! `HEAPBASE_OPS` sets how many operations each walk does; by default few enough for every `cargo test`.

mod driver;
#[path = "driver/native.rs"]
mod native;
#[path = "driver/random.rs"]
mod random;

use driver::{Driver, Op, Subject};
use heapbase::{FreeListAllocator, LeakingAllocator, LeakingPageAllocator, SizeClassAllocator, memory::TestMemory};
use native::{Crumbs, Dirty};
use proptest::prelude::*;
use random::Random;

fn operations() -> u64 {
    match std::env::var("HEAPBASE_OPS") {
        Ok(text) => text.parse().expect("HEAPBASE_OPS is a number of operations"),
        Err(_) => 20_000,
    }
}

/// Walks in stretches, each on a fresh heap of other bounds, so that memory runs out in some.
fn walk<S: Subject>(name: &str, stretch: u64, total: u64, fresh: impl Fn(usize) -> S) {
    let (mut done, mut nulls) = (0, 0);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    while done < total {
        let mut driver = Driver::new(fresh(2 + random.next() as usize % 30));
        driver.most_blocks = 8 << (random.next() % 6);
        for _ in 0..stretch.min(total - done) {
            driver.step(random.op());
        }
        driver.regain();
        done += stretch;
        nulls += driver.nulls;
    }
    println!("{name}: {total} operations, {nulls} of them found no memory");
    assert!(total < 10_000 || nulls > 0, "out of memory was part of the walk");
}

/// The walk of an allocator on memory that is zero, and a quarter of it on memory that is not.
macro_rules! walks {
    ($($name:ident, $dirty:ident: $allocator:ident, $stretch:literal)*) => { $(
        #[test]
        fn $name() {
            walk(stringify!($allocator), $stretch, operations(), |pages| {
                $allocator::with_source(TestMemory::new(pages))
            });
        }

        #[test]
        fn $dirty() {
            walk(concat!(stringify!($allocator), ", used memory"), $stretch, operations() / 4, |pages| {
                $allocator::with_source(Dirty::new(pages))
            });
        }
    )* };
}

walks! {
    size_class_walk, size_class_walk_on_used_memory: SizeClassAllocator, 2_000
    free_list_walk, free_list_walk_on_used_memory: FreeListAllocator, 2_000
    leaking_walk, leaking_walk_on_used_memory: LeakingAllocator, 200
    leaking_page_walk, leaking_page_walk_on_used_memory: LeakingPageAllocator, 50
}

#[test]
fn size_class_walk_on_crumbs() {
    walk("SizeClassAllocator, pages of a KiB", 500, operations() / 4, |pages| {
        SizeClassAllocator::with_source(Crumbs::new(64 * pages))
    });
}

#[test]
fn free_list_walk_on_crumbs() {
    walk("FreeListAllocator, pages of a KiB", 500, operations() / 4, |pages| {
        FreeListAllocator::with_source(Crumbs::new(64 * pages))
    });
}

/// A heap whose memory grows elsewhere by a little and then no more, in the middle of a request: what waits goes home, to where the top was.
#[test]
fn size_class_walk_where_memory_ends() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..operations() / 20 {
        let mut any = |range: core::ops::Range<u32>| range.start + (random.next() >> 33) as u32 % range.len() as u32;
        let mut driver = Driver::new(SizeClassAllocator::with_source(Crumbs::new(256)));
        let allocate = |size, zeroed| Op::Allocate { size, align_log2: 3, zeroed };
        driver.step(allocate(any(20_000..100_000), false));
        let waiting = any(300..8_000);
        driver.step(allocate(waiting, false));
        driver.step(Op::Free { index: 1, sized: true });
        driver.step(Op::Last { pages: any(1..3) as u8 });
        driver.step(allocate(waiting + any(0..1_500), true));
        driver.step(allocate(any(300..8_000), true));
        driver.regain();
    }
}

fn op() -> impl Strategy<Value = Op> {
    let size = prop_oneof![1u32..200, 100u32..1_200, 1u32..140_000];
    prop_oneof![
        4 => (size.clone(), 0u8..14, any::<bool>())
            .prop_map(|(size, align_log2, zeroed)| Op::Allocate { size, align_log2, zeroed }),
        4 => (any::<u32>(), any::<bool>()).prop_map(|(index, sized)| Op::Free { index, sized }),
        2 => (any::<u32>(), size.clone()).prop_map(|(index, size)| Op::Reallocate { index, size }),
        1 => (any::<u32>(), size.clone()).prop_map(|(index, size)| Op::ReallocateByAddress { index, size }),
        1 => (any::<u32>(), size).prop_map(|(index, size)| Op::Resize { index, size }),
        1 => (0u8..3).prop_map(|pages| Op::Steal { pages }),
        1 => (0u8..4).prop_map(|pages| Op::Last { pages }),
        1 => any::<bool>().prop_map(|fail| Op::Fail { fail }),
    ]
}

fn run<S: Subject>(subject: S, ops: &[Op]) -> S {
    let mut driver = Driver::new(subject);
    ops.iter().for_each(|op| driver.step(*op));
    driver.regain();
    driver.subject
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 200 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn size_class_properties(ops in prop::collection::vec(op(), 1..if cfg!(miri) { 30 } else { 400 })) {
        let figures = run(SizeClassAllocator::with_source(TestMemory::new(24)), &ops).statistics();
        prop_assert!(figures.live_bytes == 0 && figures.classes.iter().all(|class| class.live == 0), "{figures:?}");
    }

    #[test]
    fn free_list_properties(ops in prop::collection::vec(op(), 1..if cfg!(miri) { 30 } else { 400 })) {
        run(FreeListAllocator::with_source(TestMemory::new(24)), &ops);
    }
}
