//! The collector on the system's malloc, on the flagship, on the small allocator and in a subsystem. What runs in a module too is in
//! `world`.

mod world;

use allocator_api2::alloc::Global;
use heapbase::{FreeListAllocator, Local, SizeClassAllocator, memory::TestMemory, subsystem::Subsystem};
use heapbase_gc::{Collector, Description};
use proptest::prelude::*;
use world::{
    World,
    cases::{self, build},
    walk,
};

const WORD: usize = size_of::<usize>();

#[test]
fn on_the_systems_malloc() {
    assert!(walk(6_000, 6, || Global) > 6);
}

#[test]
fn on_the_flagship() {
    let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(512)));
    walk(6_000, 6, || &heap);
    let mut heap = heap;
    heap.get_mut().check();
}

#[test]
fn on_the_small_allocator() {
    let heap = Local::new(FreeListAllocator::with_source(TestMemory::new(512)));
    walk(6_000, 3, || &heap);
    let mut heap = heap;
    heap.get_mut().check();
}

#[test]
fn in_a_subsystem_nothing_is_left() {
    let part = Subsystem::new("objects", Global);
    part.set_budget(400_000);
    walk(6_000, 4, || &part);
    let (figures, _) = part.close().expect("all of it went back");
    assert!(figures.peak > 0 && figures.peak <= 400_000);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_seed(seed in any::<u64>(), steps in 1usize..2_000, limit in prop_oneof![Just(usize::MAX), 20_000usize..200_000]) {
        let mut world = World::new(Collector::new(Global), seed);
        world.heap.set_limit(limit);
        (0..steps).for_each(|_| world.step());
        world.end();
    }
}

macro_rules! on_two_memories {
    ($($name:ident)*) => {
        mod malloc {
            use super::*;
            $(#[test] fn $name() { cases::run(stringify!($name), Global) })*
        }

        mod flagship {
            use super::*;
            $(#[test] fn $name() {
                let mut heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(1_024)));
                cases::run(stringify!($name), &heap);
                heap.get_mut().check();
            })*
        }
    };
}
for_each_case!(on_two_memories);

#[test]
fn roots_that_panic_leave_the_heap_as_it_was() {
    for size in [WORD, 5_000] {
        let mut heap = Collector::new(Global);
        let root = build(&mut heap, 300).unwrap();
        // SAFETY: nothing is used after it was freed or unreachable.
        unsafe {
            let object = heap.allocate(size, Description::Scanned, |_| {}).unwrap();
            object.cast::<usize>().write(root);
            let panicked = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
                heap.collect(|marker| {
                    marker.word(root);
                    marker.pointer(object.as_ptr());
                    panic!("as planned");
                });
            }));
            assert!(panicked.is_err());
            assert_eq!(heap.statistics().objects, 301, "nothing was freed");
            // What was found then is not there any more.
            heap.free(object);
            heap.collect(|marker| marker.word(root));
            assert_eq!(heap.statistics().objects, 300);
            heap.collect(|_| {});
            assert_eq!(heap.statistics().objects, 0);
        }
    }
}

#[test]
fn the_same_program_does_the_same() {
    let run = || {
        let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(512)));
        let mut world = World::new(Collector::new(&heap), 5);
        (0..5_000).for_each(|_| world.step());
        world.heap.statistics()
    };
    assert_eq!(run(), run());
}
