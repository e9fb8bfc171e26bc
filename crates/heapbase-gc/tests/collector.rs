//! The collector on the system's malloc, on the flagship, and in a subsystem; limits, finalisers, roots, shapes.

mod world;

use allocator_api2::alloc::{AllocError, Allocator, Global, Layout};
use core::{
    cell::Cell,
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering},
};
use heapbase::{FreeListAllocator, Local, SizeClassAllocator, memory::TestMemory, subsystem::Subsystem};
use heapbase_gc::{Bitmap, Collector, Description, Marker, Shape};
use proptest::prelude::*;
use world::{World, walk};

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

/// The system's memory, without any from a chosen request on.
struct Failing(Cell<usize>);

// SAFETY: every block is the system's.
unsafe impl Allocator for Failing {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.0.set(self.0.get().checked_sub(1).ok_or(AllocError)?);
        Global.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { Global.deallocate(block, layout) }
    }
}

/// A long list, a tree and a cycle, from one root.
fn build<A: Allocator>(heap: &mut Collector<A>, count: usize) -> Result<usize, usize> {
    let mut root = 0;
    for number in 0..count {
        // SAFETY: the list is reachable from its first, which is the root.
        unsafe {
            let node = heap.allocate(4 * WORD, Description::Scanned, |marker: &mut Marker<'_>| marker.word(root));
            let Some(node) = node else { return Err(root) };
            let words = node.cast::<usize>();
            words.write(root);
            // The cycle: the one before knows the one after.
            if let Some(before) = heap.object_at(root) {
                before.cast::<usize>().add(1).write(node.addr().get() + 9);
            }
            words.add(2).write(number);
            root = node.addr().get();
        }
    }
    Ok(root)
}

#[test]
fn without_memory_for_the_list_marked_objects_are_looked_for() {
    let memory = Failing(Cell::new(usize::MAX));
    let mut heap = Collector::new(&memory);
    let root = build(&mut heap, 5_000).unwrap();
    memory.0.set(0);
    // SAFETY: nothing is used after.
    unsafe {
        heap.collect(|marker| marker.word(root));
        assert_eq!(heap.statistics().objects, 5_000, "all of them were found, without a word of memory");
        heap.collect(|_| {});
    }
    assert_eq!(heap.statistics().objects, 0);
}

#[test]
fn each_request_to_the_allocator_may_fail() {
    let needed = {
        let memory = Failing(Cell::new(1_000_000));
        build(&mut Collector::new(&memory), 2_000).unwrap();
        1_000_000 - memory.0.get()
    };
    assert!(needed > 5);
    for served in 0..needed {
        let memory = Failing(Cell::new(served));
        let mut heap = Collector::new(&memory);
        let root = build(&mut heap, 2_000).unwrap_err();
        let before = heap.statistics().objects;
        // SAFETY: nothing is used after.
        unsafe { heap.collect(|marker| marker.word(root)) };
        assert_eq!(heap.statistics().objects, before, "what was there is there");
        memory.0.set(usize::MAX);
        assert!(build(&mut heap, 2_000).is_ok(), "and it goes on");
    }
}

/// The system's memory, which counts what it gave, and holds the old block and the new one while one grows.
#[derive(Default)]
struct Counting {
    held: Cell<usize>,
    most: Cell<usize>,
}

// SAFETY: every block is the system's.
unsafe impl Allocator for Counting {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.held.set(self.held.get() + layout.size());
        self.most.set(self.most.get().max(self.held.get()));
        Global.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        self.held.set(self.held.get() - layout.size());
        // SAFETY: the caller's promise.
        unsafe { Global.deallocate(block, layout) }
    }
}

#[test]
fn no_more_is_taken_than_the_limit_even_while_lists_grow() {
    const LIMIT: usize = 3_000_000;
    let memory = Counting::default();
    let mut heap = Collector::new(&memory);
    heap.set_limit(LIMIT);
    let mut table = std::vec![0_usize; 0];
    loop {
        // SAFETY: each object is reachable from the table, which is told.
        let object = unsafe {
            heap.allocate(2 * WORD, Description::Scanned, |marker| table.iter().for_each(|object| marker.word(*object)))
        };
        let Some(object) = object else { break };
        table.push(object.addr().get());
    }
    assert!(table.len() > 50_000 && memory.most.get() <= LIMIT, "{} objects, {} bytes", table.len(), memory.most.get());
}

#[test]
fn what_is_freed_ahead_is_used_again_before_the_next_collection() {
    let mut heap = Collector::new(Global);
    let take = |heap: &mut Collector<Global>, count: usize| -> std::vec::Vec<NonNull<u8>> {
        // SAFETY: no collection comes before they are freed.
        (0..count).map(|_| unsafe { heap.allocate(100, Description::Leaf, |_| panic!("too early")).unwrap() }).collect()
    };
    let objects = take(&mut heap, 1_200);
    let held = heap.statistics().held_bytes;
    for round in 0..3 {
        // From the oldest segments, which allocating has left behind.
        for object in &objects[..300] {
            // SAFETY: in use, and nobody uses it after.
            unsafe { heap.free(*object) };
        }
        let again = take(&mut heap, 300);
        assert_eq!(heap.statistics().held_bytes, held, "round {round}");
        let sorted = |objects: &[NonNull<u8>]| {
            let mut sorted: std::vec::Vec<_> = objects.iter().map(|object| object.addr()).collect();
            sorted.sort();
            sorted
        };
        assert_eq!(sorted(&again), sorted(&objects[..300]), "round {round}");
    }
}

#[test]
fn a_limit_holds_and_garbage_makes_room() {
    let mut heap = Collector::new(Global);
    heap.set_limit(200_000);
    for _ in 0..50 {
        // SAFETY: never used.
        assert!(unsafe { heap.allocate(30_000, Description::Leaf, |_| {}) }.is_some());
    }
    assert!(heap.statistics().peak_bytes <= 200_000 && heap.statistics().collections > 5);
    let mut kept = std::vec::Vec::new();
    // SAFETY: never used.
    while let Some(more) = unsafe {
        heap.allocate(30_000, Description::Leaf, |marker| {
            kept.iter().for_each(|object: &NonNull<u8>| marker.pointer(object.as_ptr()))
        })
    } {
        kept.push(more);
    }
    assert!(kept.len() == 6, "{}", kept.len());
    // SAFETY: never used.
    assert!(unsafe { heap.allocate(usize::MAX - 10, Description::Leaf, |_| {}) }.is_none());
}

/// An object with so many fields, each of which refers to an object of its own; the object with all of them is the root.
fn wide<A: Allocator>(heap: &mut Collector<A>, fields: usize) -> Option<usize> {
    // SAFETY: the fields are reachable from the root.
    unsafe {
        let table = heap.allocate(fields * WORD, Description::Scanned, |_| {})?.cast::<usize>();
        let root = table.addr().get();
        for field in 0..fields {
            let leaf = heap.allocate(2 * WORD, Description::Scanned, |marker| marker.word(root))?;
            table.add(field).write(leaf.addr().get());
        }
        Some(root)
    }
}

#[test]
fn the_limit_counts_the_collectors_own_lists() {
    // All fields are found before the first of them is followed: the list of what is pending would be as large as they.
    for limit in [usize::MAX, 400_000, 260_000] {
        let part = Subsystem::new("objects", Global);
        let mut heap = Collector::new(&part);
        heap.set_limit(limit);
        let root = wide(&mut heap, 10_000).unwrap();
        // SAFETY: nothing is used after.
        unsafe { heap.collect(|marker| marker.word(root)) };
        assert_eq!(heap.statistics().objects, 10_001);
        assert_eq!(
            (heap.statistics().held_bytes, heap.statistics().peak_bytes),
            (part.figures().live, part.figures().peak)
        );
        assert!(part.figures().peak <= limit, "{} of {limit}", part.figures().peak);
        assert!(limit < usize::MAX || part.figures().peak > 450_000, "the lists of this program are large");
        drop(heap);
        part.close().unwrap();
    }
    // Where the lists have no room, nothing is noted.
    let mut heap = Collector::new(Global);
    heap.set_limit(100);
    // SAFETY: nothing is read.
    unsafe {
        assert!(!heap.add_roots([0usize].as_ptr().cast(), [0usize].as_ptr().cast()));
        assert!(heap.allocate(8, Description::Leaf, |_| {}).is_none());
    }
    assert_eq!(heap.statistics().held_bytes, 0);
}

#[test]
fn what_is_empty_serves_whatever_comes_next() {
    let memory = Failing(Cell::new(usize::MAX));
    let mut heap = Collector::new(&memory);
    let root = build(&mut heap, 30_000).unwrap();
    // SAFETY: nothing is used after it is unreachable, and each object within its size.
    unsafe {
        heap.collect(|marker| marker.word(root));
        assert!(heap.statistics().held_bytes > 900_000);
        heap.collect(|_| {});
        let held = heap.statistics().held_bytes;
        assert!(
            heap.statistics().live_bytes == 0 && held > 200_000 && held < 300_000,
            "{held}: until the next collection"
        );
        let requests = memory.0.get();
        let mut kept = std::vec::Vec::new();
        for number in 0..240usize {
            let (size, description) = match number % 3 {
                0 => (500, Description::Leaf),
                1 => (24, Description::Precise(Shape::new(3, 0b100))),
                _ => (1_700, Description::Scanned),
            };
            let object = heap.allocate(size, description, |_| panic!("not yet")).unwrap();
            object.write_bytes(number as u8, size);
            kept.push((object, size));
        }
        assert_eq!((memory.0.get(), heap.statistics().held_bytes), (requests, held), "nobody was asked");
        for (number, (object, size)) in kept.iter().enumerate() {
            assert!((0..*size).all(|at| object.add(at).read() == number as u8));
            assert_eq!(heap.object_at(object.addr().get() + size - 1), Some(*object));
        }
        // Where it is needed for something that does not fit into it, it goes back.
        heap.collect(|_| {});
        heap.set_limit(held);
        assert!(heap.allocate(200_000, Description::Leaf, |_| {}).is_some());
        assert!(heap.statistics().held_bytes <= held);
        heap.collect(|_| {});
        // Also where this very request has collected already.
        heap.set_limit(400_000);
        assert!(heap.allocate(390_000, Description::Leaf, |_| {}).is_some());
    }
}

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
fn any_growth_is_a_growth() {
    let mut heap = Collector::new(Global);
    heap.set_growth(usize::MAX);
    let root = build(&mut heap, 10_000).unwrap();
    // SAFETY: nothing is used after.
    unsafe { heap.collect(|marker| marker.word(root)) };
    let collections = heap.statistics().collections;
    build(&mut heap, 30_000).unwrap();
    assert_eq!(heap.statistics().collections, collections, "never again by itself");
}

static MANY: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn count(_: NonNull<u8>) {
    MANY.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn a_hundred_thousand_finalisers_at_once() {
    let mut heap = Collector::new(Global);
    let mut kept = std::vec![0usize; 100_000];
    let range = kept.as_mut_ptr_range();
    // SAFETY: the list stays, and is written to between collections only; objects are used while they are in it.
    unsafe {
        assert!(heap.add_roots(range.start.cast(), range.end.cast()));
        for slot in 0..100_000 {
            let object = heap.allocate(WORD, Description::Leaf, |_| {}).unwrap();
            range.start.add(slot).write(object.addr().get());
            assert!(slot % 2 == 1 || heap.set_finaliser(object, count));
        }
        heap.collect(|_| {});
        assert_eq!((heap.statistics().objects, MANY.load(Ordering::Relaxed)), (100_000, 0));
        heap.remove_roots(range.start.cast());
        heap.collect(|_| {});
        assert_eq!((heap.statistics().objects, MANY.load(Ordering::Relaxed)), (50_000, 50_000));
        heap.collect(|_| {});
        assert_eq!((heap.statistics().objects, MANY.load(Ordering::Relaxed)), (0, 50_000));
    }
}

static FINALISED: AtomicUsize = AtomicUsize::new(0);

/// Notes the order: each adds its number as a decimal digit.
unsafe extern "C" fn note(object: NonNull<u8>) {
    // SAFETY: the objects of the test are a word long at least.
    let digit = unsafe { object.cast::<usize>().read() };
    FINALISED.store(FINALISED.load(Ordering::Relaxed) * 10 + digit, Ordering::Relaxed);
}

#[test]
fn finalisers_run_once_in_order_with_all_they_need() {
    let mut heap = Collector::new(Global);
    // SAFETY: objects are used as long as the collections leave them.
    unsafe {
        let make = |heap: &mut Collector<Global>, number: usize, refers: usize| {
            let object = heap.allocate(2 * WORD, Description::Scanned, |_| {}).unwrap();
            object.cast::<usize>().write(number);
            object.cast::<usize>().add(1).write(refers);
            object
        };
        let inner = make(&mut heap, 7, 0);
        let first = make(&mut heap, 1, inner.addr().get());
        let kept = make(&mut heap, 2, 0);
        let second = make(&mut heap, 3, inner.addr().get());
        for object in [kept, second, first] {
            assert!(heap.set_finaliser(object, note));
        }
        assert!(!heap.set_finaliser(NonNull::dangling(), note));
        heap.collect(|marker| marker.pointer(kept.as_ptr()));
        assert_eq!((FINALISED.load(Ordering::Relaxed), heap.statistics().objects), (31, 4));
        assert_eq!(inner.cast::<usize>().read(), 7, "what they refer to is there");
        heap.collect(|marker| marker.pointer(kept.as_ptr()));
        assert_eq!((FINALISED.load(Ordering::Relaxed), heap.statistics().objects), (31, 1));
        heap.collect(|_| {});
        heap.collect(|_| {});
        assert_eq!((FINALISED.load(Ordering::Relaxed), heap.statistics().objects), (312, 0));
    }
}

#[test]
fn registered_ranges_are_roots() {
    let mut heap = Collector::new(Global);
    let mut stack = [0usize; 64];
    let range = stack.as_mut_ptr_range();
    // SAFETY: the array stays, and is written to between collections only.
    unsafe {
        assert!(heap.add_roots(range.start.cast(), range.end.cast()));
        for slot in 0..64 {
            let object = heap.allocate(100, Description::Leaf, |_| {}).unwrap();
            range.start.add(slot).write(object.addr().get() + 99);
        }
        heap.collect(|_| {});
        assert_eq!(heap.statistics().objects, 64);
        range.start.add(10).write(0);
        heap.collect(|_| {});
        assert_eq!(heap.statistics().objects, 63);
        heap.remove_roots(range.start.cast());
        heap.collect(|_| {});
        assert_eq!(heap.statistics().objects, 0);
    }
}

#[test]
fn what_it_holds_stays_within_twice_what_is_live() {
    // A list that is replaced, node by node, again and again.
    let mut heap = Collector::new(Global);
    let mut table = std::vec![0usize; 20_000];
    let mut most = 0;
    for round in 0..200_000usize {
        let size = 16 + round * 31 % 200;
        // SAFETY: the table is the roots.
        let object = unsafe {
            heap.allocate(size, Description::Leaf, |marker| table.iter().for_each(|word| marker.word(*word)))
        };
        let slot = round * 7_919 % table.len();
        table[slot] = object.unwrap().addr().get();
        most = most.max(heap.statistics().held_bytes);
    }
    // SAFETY: as above.
    unsafe { heap.collect(|marker| table.iter().for_each(|word| marker.word(*word))) };
    let live = heap.statistics().live_bytes;
    assert!(most <= 2 * live, "{most} bytes held at most, {live} live");
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

#[test]
fn shapes_repeat() {
    static WIDE: Bitmap<9> = Bitmap::new(65, [0, 0, 0, 0, 0, 0, 0, 0x80, 1]);
    let pointers: std::vec::Vec<_> = (0..200).filter(|word| Shape::of(&WIDE).is_pointer(*word)).collect();
    assert_eq!(pointers, [63, 64, 128, 129, 193, 194]);
    let most = usize::BITS as usize - 5 - WORD / 4;
    let shape = Shape::new(most, 1 << (most - 1));
    assert_eq!(
        (0..3 * most).filter(|word| shape.is_pointer(*word)).collect::<std::vec::Vec<_>>(),
        [most - 1, 2 * most - 1, 3 * most - 1]
    );
}

#[test]
fn layouts_of_a_compiler() {
    static BITMAP: Bitmap<1> = Bitmap::new(5, [0b10001]);
    // As TinyGo describes them for 64 bits: a size of six bits above the lowest one.
    let word = |bits: usize, words: usize| core::ptr::without_provenance::<()>(bits << (5 + WORD / 4) | words << 1 | 1);
    // SAFETY: words of the form that is asked for.
    unsafe {
        assert!(matches!(Description::of_layout(core::ptr::null()), Description::Scanned));
        assert!(matches!(Description::of_layout(word(0, 1)), Description::Leaf));
        let Description::Precise(string) = Description::of_layout(word(0b01, 2)) else {
            panic!("a pointer and a length")
        };
        assert!(string.is_pointer(0) && !string.is_pointer(1) && string.is_pointer(2));
        let Description::Precise(wide) = Description::of_layout((&raw const BITMAP).cast()) else {
            panic!("an address")
        };
        assert!(wide.is_pointer(0) && wide.is_pointer(4) && wide.is_pointer(5) && !wide.is_pointer(6));
    }
}
