//! What must hold on any memory: natively on malloc and on the flagship, in a module on its host's allocator and on its own.
//! Sizes are in words, so that 32 bits see the same.

use super::alloc;
use alloc::{vec, vec::Vec};
use allocator_api2::alloc::{AllocError, Allocator, Layout};
use core::{cell::Cell, ptr::NonNull};
use heapbase_gc::{Bitmap, Collector, Description, Marker, Shape};

const WORD: usize = size_of::<usize>();

/// The cases, for a macro that is told their names.
#[macro_export]
macro_rules! for_each_case {
    ($callback:ident) => {
        $callback! {
            without_memory_for_the_list_marked_objects_are_looked_for
            each_request_to_the_allocator_may_fail
            no_more_is_taken_than_the_limit_even_while_lists_grow
            what_is_freed_ahead_is_used_again_before_the_next_collection
            a_large_object_that_is_freed_goes_back_at_once
            a_limit_holds_and_garbage_makes_room
            the_limit_counts_the_collectors_own_lists
            what_is_empty_serves_whatever_comes_next
            any_growth_is_a_growth
            a_hundred_thousand_finalisers_at_once
            finalisers_run_once_in_order_with_all_they_need
            registered_ranges_are_roots
            what_it_holds_stays_within_twice_what_is_live
            a_small_heap_takes_little_more
            a_collection_of_any_shape_stays_within_twice_what_is_live
            roots_that_are_told_one_by_one_take_no_list_of_all
            a_word_that_was_an_address_keeps_nothing_alive
            without_memory_precise_objects_are_followed_too
            ranges_of_any_ends_are_their_whole_words
            no_limit_is_exceeded_by_a_byte
            room_in_used_blocks_outlives_a_request_that_nobody_could_serve
            shapes_repeat
            layouts_of_a_compiler
        }
    };
}

macro_rules! by_name {
    ($($name:ident)*) => {
        /// What the cases are called.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// Runs one. Panics when what must hold does not, and when there is no such case.
        pub fn run<A: Allocator + Copy>(name: &str, memory: A) {
            match name {
                $(stringify!($name) => $name(memory),)*
                _ => panic!("no such case"),
            }
        }
    };
}
for_each_case!(by_name);

/// Memory, without any from a chosen request on.
struct Failing<A>(A, Cell<usize>);

// SAFETY: every block is the other's.
unsafe impl<A: Allocator> Allocator for Failing<A> {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.1.set(self.1.get().checked_sub(1).ok_or(AllocError)?);
        self.0.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.0.deallocate(block, layout) }
    }
}

/// Memory that counts what it gave, and holds the old block and the new one while one grows.
struct Counting<A> {
    memory: A,
    held: Cell<usize>,
    most: Cell<usize>,
}

// SAFETY: every block is the other's.
unsafe impl<A: Allocator> Allocator for Counting<A> {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.held.set(self.held.get() + layout.size());
        self.most.set(self.most.get().max(self.held.get()));
        self.memory.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        self.held.set(self.held.get() - layout.size());
        // SAFETY: the caller's promise.
        unsafe { self.memory.deallocate(block, layout) }
    }
}

impl<A> Counting<A> {
    fn new(memory: A) -> Self {
        Self { memory, held: Cell::new(0), most: Cell::new(0) }
    }
}

/// A long list, a tree and a cycle, from one root.
pub fn build<A: Allocator>(heap: &mut Collector<A>, count: usize) -> Result<usize, usize> {
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

/// A chain of objects that refer to 31 small ones each, and behind those to the next: most of the small ones wait while the chain is
/// followed.
fn chain<A: Allocator>(heap: &mut Collector<A>, count: usize) -> Option<usize> {
    let mut root = 0;
    // SAFETY: all of it is reachable from the last one made.
    unsafe {
        for _ in 0..count {
            let node = heap.allocate(32 * WORD, Description::Scanned, |marker| marker.word(root))?.cast::<usize>();
            node.add(31).write(root);
            root = node.addr().get();
            for field in 0..31 {
                let leaf = heap.allocate(2 * WORD, Description::Scanned, |marker| marker.word(root))?;
                node.add(field).write(leaf.addr().get());
            }
        }
    }
    Some(root)
}

fn without_memory_for_the_list_marked_objects_are_looked_for<A: Allocator + Copy>(memory: A) {
    let memory = Failing(memory, Cell::new(usize::MAX));
    let mut heap = Collector::new(&memory);
    let root = build(&mut heap, 5_000).unwrap();
    memory.1.set(0);
    // SAFETY: nothing is used after.
    unsafe {
        heap.collect(|marker| marker.word(root));
        assert_eq!(heap.statistics().objects, 5_000, "all of them were found, without a word of memory");
        heap.collect(|_| {});
    }
    assert_eq!(heap.statistics().objects, 0);
}

fn each_request_to_the_allocator_may_fail<A: Allocator + Copy>(memory: A) {
    let needed = {
        let memory = Failing(memory, Cell::new(1_000_000));
        build(&mut Collector::new(&memory), 4_000).unwrap();
        1_000_000 - memory.1.get()
    };
    assert!(needed > 5);
    for served in 0..needed {
        let memory = Failing(memory, Cell::new(served));
        let mut heap = Collector::new(&memory);
        let root = build(&mut heap, 4_000).unwrap_err();
        let before = heap.statistics().objects;
        // SAFETY: nothing is used after.
        unsafe { heap.collect(|marker| marker.word(root)) };
        assert_eq!(heap.statistics().objects, before, "what was there is there");
        memory.1.set(usize::MAX);
        assert!(build(&mut heap, 4_000).is_ok(), "and it goes on");
    }
}

fn no_more_is_taken_than_the_limit_even_while_lists_grow<A: Allocator + Copy>(memory: A) {
    const LIMIT: usize = 400_000 * WORD;
    let memory = Counting::new(memory);
    let mut heap = Collector::new(&memory);
    heap.set_limit(LIMIT);
    let mut table = vec![0_usize; 0];
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

fn what_is_freed_ahead_is_used_again_before_the_next_collection<A: Allocator + Copy>(memory: A) {
    let mut heap = Collector::new(memory);
    heap.set_least(256 * 1024);
    let take = |heap: &mut Collector<A>, count: usize| -> Vec<NonNull<u8>> {
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
            let mut sorted: Vec<_> = objects.iter().map(|object| object.addr()).collect();
            sorted.sort();
            sorted
        };
        assert_eq!(sorted(&again), sorted(&objects[..300]), "round {round}");
    }
}

fn a_large_object_that_is_freed_goes_back_at_once<A: Allocator + Copy>(memory: A) {
    let memory = Counting::new(memory);
    let mut heap = Collector::new(&memory);
    heap.set_least(256 * 1024);
    // SAFETY: freed once, and not used after.
    unsafe {
        let small = heap.allocate(10, Description::Scanned, |_| {}).unwrap();
        let held = (heap.statistics().held_bytes, memory.held.get());
        let large = heap.allocate(100_000, Description::Precise(Shape::new(1, 1)), |_| {}).unwrap();
        assert!(memory.held.get() >= held.1 + 100_000);
        heap.free(large);
        assert_eq!((heap.statistics().held_bytes, memory.held.get()), held);
        assert_eq!(heap.object_at(large.addr().get()), None);
        assert_eq!(heap.object_at(small.addr().get()), Some(small));
        assert_eq!((heap.statistics().objects, heap.statistics().live_bytes), (1, 16));
    }
}

fn a_limit_holds_and_garbage_makes_room<A: Allocator + Copy>(memory: A) {
    let mut heap = Collector::new(memory);
    heap.set_limit(200_000);
    for _ in 0..50 {
        // SAFETY: never used.
        assert!(unsafe { heap.allocate(30_000, Description::Leaf, |_| {}) }.is_some());
    }
    assert!(heap.statistics().peak_bytes <= 200_000 && heap.statistics().collections > 5);
    let mut kept = Vec::new();
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

fn the_limit_counts_the_collectors_own_lists<A: Allocator + Copy>(memory: A) {
    for limit in [usize::MAX, 57_500 * WORD, 52_500 * WORD] {
        let memory = Counting::new(memory);
        let mut heap = Collector::new(&memory);
        heap.set_limit(limit);
        let root = chain(&mut heap, 500).unwrap();
        // SAFETY: nothing is used after.
        unsafe { heap.collect(|marker| marker.word(root)) };
        let statistics = heap.statistics();
        assert_eq!((statistics.objects, statistics.held_bytes), (16_000, memory.held.get()));
        // While a list grows there are two.
        assert!(statistics.peak_bytes <= memory.most.get() && memory.most.get() < statistics.peak_bytes + 1_000 * WORD);
        assert!(memory.most.get() <= limit, "{} of {limit}", memory.most.get());
        assert!(limit < usize::MAX || statistics.peak_bytes > 58_000 * WORD, "the lists of this program are large");
        assert!(limit < usize::MAX || statistics.held_bytes < 52_500 * WORD, "they go back");
        drop(heap);
        assert_eq!(memory.held.get(), 0);
    }
    // Where the lists have no room, nothing is noted.
    let mut heap = Collector::new(memory);
    heap.set_limit(100);
    // SAFETY: nothing is read.
    unsafe {
        assert!(!heap.add_roots([0usize].as_ptr().cast(), [0usize].as_ptr().cast()));
        assert!(heap.allocate(8, Description::Leaf, |_| {}).is_none());
    }
    assert_eq!(heap.statistics().held_bytes, 0);
}

fn what_is_empty_serves_whatever_comes_next<A: Allocator + Copy>(memory: A) {
    let memory = Failing(memory, Cell::new(usize::MAX));
    let mut heap = Collector::new(&memory);
    heap.set_least(256 * 1024);
    let root = build(&mut heap, 30_000).unwrap();
    // SAFETY: nothing is used after it is unreachable, and each object within its size.
    unsafe {
        heap.collect(|marker| marker.word(root));
        assert!(heap.statistics().held_bytes > 30_000 * 4 * WORD);
        heap.collect(|_| {});
        let held = heap.statistics().held_bytes;
        assert!(
            heap.statistics().live_bytes == 0 && held > 200_000 && held < 300_000,
            "{held}: until the next collection"
        );
        let requests = memory.1.get();
        let mut kept = Vec::new();
        for number in 0..240usize {
            let (size, description) = match number % 3 {
                0 => (62 * WORD, Description::Leaf),
                1 => (3 * WORD, Description::Precise(Shape::new(3, 0b100))),
                _ => (212 * WORD, Description::Scanned),
            };
            let object = heap.allocate(size, description, |_| panic!("not yet")).unwrap();
            object.write_bytes(number as u8, size);
            kept.push((object, size));
        }
        assert_eq!((memory.1.get(), heap.statistics().held_bytes), (requests, held), "nobody was asked");
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

fn any_growth_is_a_growth<A: Allocator + Copy>(memory: A) {
    let mut heap = Collector::new(memory);
    heap.set_growth(usize::MAX);
    let root = build(&mut heap, 10_000).unwrap();
    // SAFETY: nothing is used after.
    unsafe { heap.collect(|marker| marker.word(root)) };
    let collections = heap.statistics().collections;
    build(&mut heap, 30_000).unwrap();
    assert_eq!(heap.statistics().collections, collections, "never again by itself");
}

/// Adds one to the number whose address the object holds.
unsafe extern "C" fn count(object: NonNull<u8>) {
    // SAFETY: the objects of the test are a word long.
    let count = core::ptr::with_exposed_provenance::<Cell<usize>>(unsafe { object.cast().read() });
    // SAFETY: and the number stays as long as they do.
    let count = unsafe { &*count };
    count.set(count.get() + 1);
}

fn a_hundred_thousand_finalisers_at_once<A: Allocator + Copy>(memory: A) {
    let mut heap = Collector::new(memory);
    let many = Cell::new(0_usize);
    let address = (&raw const many).expose_provenance();
    let mut kept = vec![0usize; 100_000];
    let range = kept.as_mut_ptr_range();
    // SAFETY: the list stays, and is written to between collections only; objects are used while they are in it.
    unsafe {
        assert!(heap.add_roots(range.start.cast(), range.end.cast()));
        for slot in 0..100_000 {
            let object = heap.allocate(WORD, Description::Leaf, |_| {}).unwrap();
            object.cast().write(address);
            range.start.add(slot).write(object.addr().get());
            assert!(slot % 2 == 1 || heap.set_finaliser(object, count));
        }
        heap.collect(|_| {});
        assert_eq!((heap.statistics().objects, many.get()), (100_000, 0));
        heap.remove_roots(range.start.cast());
        heap.collect(|_| {});
        assert_eq!((heap.statistics().objects, many.get()), (50_000, 50_000));
        heap.collect(|_| {});
        assert_eq!((heap.statistics().objects, many.get()), (0, 50_000));
    }
}

/// Notes the order: adds the object's number as a decimal digit to the number whose address it holds.
unsafe extern "C" fn note(object: NonNull<u8>) {
    // SAFETY: the objects of the test have three words, and the number stays as long as they do.
    unsafe {
        let words = object.cast::<usize>();
        let noted = &*core::ptr::with_exposed_provenance::<Cell<usize>>(words.add(2).read());
        noted.set(noted.get() * 10 + words.read());
    }
}

fn finalisers_run_once_in_order_with_all_they_need<A: Allocator + Copy>(memory: A) {
    let mut heap = Collector::new(memory);
    let finalised = Cell::new(0_usize);
    let address = (&raw const finalised).expose_provenance();
    // SAFETY: objects are used as long as the collections leave them.
    unsafe {
        let make = |heap: &mut Collector<A>, number: usize, refers: usize| {
            let object = heap.allocate(3 * WORD, Description::Scanned, |_| {}).unwrap();
            object.cast::<usize>().add(2).write(address);
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
        assert_eq!((finalised.get(), heap.statistics().objects), (31, 4));
        assert_eq!(inner.cast::<usize>().read(), 7, "what they refer to is there");
        heap.collect(|marker| marker.pointer(kept.as_ptr()));
        assert_eq!((finalised.get(), heap.statistics().objects), (31, 1));
        heap.collect(|_| {});
        heap.collect(|_| {});
        assert_eq!((finalised.get(), heap.statistics().objects), (312, 0));
    }
}

fn registered_ranges_are_roots<A: Allocator + Copy>(memory: A) {
    let mut heap = Collector::new(memory);
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

fn what_it_holds_stays_within_twice_what_is_live<A: Allocator + Copy>(memory: A) {
    // A list that is replaced, node by node, again and again.
    let mut heap = Collector::new(memory);
    let mut table = vec![0usize; 20_000];
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

fn a_small_heap_takes_little_more<A: Allocator + Copy>(memory: A) {
    let most_held = |objects: usize, least: Option<usize>| {
        let mut heap = Collector::new(memory);
        if let Some(least) = least {
            heap.set_least(least);
        }
        let mut table = vec![0usize; objects];
        let mut most = 0;
        for round in 0..60_000 {
            // SAFETY: the table is the roots.
            let object = unsafe {
                heap.allocate(48, Description::Leaf, |marker| table.iter().for_each(|word| marker.word(*word)))
            };
            table[round % objects] = object.unwrap().addr().get();
            most = most.max(heap.statistics().held_bytes);
        }
        most
    };
    for objects in [1, 10, 100, 1_000, 10_000] {
        for (least, bound) in [(None, 64 * 1_024), (Some(0), 0), (Some(200_000), 200_000)] {
            let most = most_held(objects, least);
            assert!(most <= 2 * 48 * objects + bound + 32 * 1_024, "{most} bytes for {objects} objects, {least:?}");
            assert!(most >= bound.min(1_000_000), "{most} bytes for {objects} objects, {least:?}");
        }
    }
}

/// What a collection of a program's objects takes at most, its own lists included, over the bytes that are asked for.
fn most_over_asked<A: Allocator + Copy>(
    memory: A,
    asked: usize,
    build: impl FnOnce(&mut Collector<&Counting<A>>) -> usize,
) -> f64 {
    let memory = Counting::new(memory);
    let mut heap = Collector::new(&memory);
    let root = build(&mut heap);
    let allocated = heap.statistics().allocated;
    memory.most.set(0);
    // SAFETY: nothing is used after.
    unsafe { heap.collect(|marker| marker.word(root)) };
    assert_eq!(heap.statistics().objects as u64, allocated, "all of it is reachable");
    memory.most.get().max(heap.statistics().held_bytes) as f64 / asked as f64
}

fn a_collection_of_any_shape_stays_within_twice_what_is_live<A: Allocator + Copy>(memory: A) {
    // A million small objects in one array: where to go on in it waits, not all that it refers to.
    let array = most_over_asked(memory, 300_000 * 3 * WORD, |heap| wide(heap, 300_000).unwrap());
    assert!(array < 1.1, "{array}");
    // As many wait as can.
    let waiting = most_over_asked(memory, 20_000 * (32 + 31 * 2) * WORD, |heap| chain(heap, 20_000).unwrap());
    assert!(waiting > 1.2 && waiting < 1.6, "{waiting}");
    // Small precise objects: a word more for each.
    let precise = most_over_asked(memory, 300_000 * 2 * WORD, |heap| {
        (0..300_000).fold(0, |root, _| {
            let shape = Description::Precise(Shape::new(2, 0b10));
            // SAFETY: the others are reachable from the last.
            let node = unsafe { heap.allocate(2 * WORD, shape, |marker| marker.word(root)) };
            let node = node.unwrap().cast::<usize>();
            // SAFETY: two words.
            unsafe { node.add(1).write(root) };
            node.addr().get()
        })
    });
    assert!(precise < 1.55, "{precise}");
}

fn roots_that_are_told_one_by_one_take_no_list_of_all<A: Allocator + Copy>(memory: A) {
    let memory = Counting::new(memory);
    let mut heap = Collector::new(&memory);
    let mut roots = Vec::new();
    for _ in 0..100_000 {
        // SAFETY: all of them are told.
        let object = unsafe {
            heap.allocate(2 * WORD, Description::Scanned, |marker| roots.iter().for_each(|root| marker.word(*root)))
        };
        roots.push(object.unwrap().addr().get());
    }
    memory.most.set(memory.held.get());
    let held = memory.held.get();
    // SAFETY: as above.
    unsafe { heap.collect(|marker| roots.iter().for_each(|root| marker.word(*root))) };
    assert_eq!((heap.statistics().objects, memory.most.get()), (100_000, held));
}

fn a_word_that_was_an_address_keeps_nothing_alive<A: Allocator + Copy>(memory: A) {
    let mut heap = Collector::new(memory);
    for description in [Description::Leaf, Description::Scanned, Description::Precise(Shape::new(1, 1))] {
        // SAFETY: used while it is reachable, and freed once.
        unsafe {
            let gone = heap.allocate(4 * WORD, description, |_| {}).unwrap();
            let kept = heap.allocate(4 * WORD, Description::Scanned, |_| {}).unwrap();
            let other = heap.allocate(4 * WORD, description, |_| {}).unwrap();
            kept.cast::<usize>().write(gone.addr().get());
            kept.cast::<usize>().add(1).write(other.addr().get());
            heap.free(gone);
            heap.collect(|marker| {
                marker.pointer(kept.as_ptr());
                marker.pointer(gone.as_ptr());
            });
            assert_eq!((heap.statistics().objects, heap.object_at(gone.addr().get())), (2, None));
            heap.collect(|_| {});
            assert_eq!(heap.statistics().objects, 0);
        }
    }
}

fn without_memory_precise_objects_are_followed_too<A: Allocator + Copy>(memory: A) {
    let memory = Failing(memory, Cell::new(usize::MAX));
    let mut heap = Collector::new(&memory);
    let shape = Description::Precise(Shape::new(1, 1));
    let count = 300;
    // SAFETY: all of it is reachable from the root, which is told.
    unsafe {
        let root = heap.allocate(count * WORD, shape, |_| {}).unwrap().cast::<usize>();
        for field in 0..count {
            let told = |marker: &mut Marker<'_>| marker.word(root.addr().get());
            let branch = heap.allocate(count * WORD, shape, told).unwrap().cast::<usize>();
            root.add(field).write(branch.addr().get());
            for leaf in (0..count).step_by(7) {
                let made = heap.allocate(WORD, shape, told).unwrap();
                branch.add(leaf).write(made.addr().get());
            }
        }
        memory.1.set(0);
        heap.collect(|marker| marker.word(root.addr().get()));
        assert_eq!(heap.statistics().objects, 1 + count + count * count.div_ceil(7));
    }
}

fn ranges_of_any_ends_are_their_whole_words<A: Allocator + Copy>(memory: A) {
    let mut heap = Collector::new(memory);
    // SAFETY: the words are readable, and the objects are not used.
    unsafe {
        let words: Vec<usize> =
            (0..4).map(|_| heap.allocate(WORD, Description::Leaf, |_| {}).unwrap().addr().get()).collect();
        let start = words.as_ptr().cast::<u8>();
        for (from, to) in (0..=4 * WORD).flat_map(|from| (0..=4 * WORD).map(move |to| (from, to))).rev() {
            let whole = (to / WORD).saturating_sub(from.div_ceil(WORD));
            let mut again = Collector::new(memory);
            let copies: Vec<usize> =
                (0..4).map(|_| again.allocate(WORD, Description::Leaf, |_| {}).unwrap().addr().get()).collect();
            let copied = copies.as_ptr().cast::<u8>();
            again.collect(|marker| marker.range(copied.add(from), copied.add(to)));
            assert_eq!(again.statistics().objects, whole, "{from} to {to}");
        }
        heap.collect(|marker| marker.range(start, start.add(4 * WORD)));
        assert_eq!(heap.statistics().objects, 4);
    }
}

fn no_limit_is_exceeded_by_a_byte<A: Allocator + Copy>(memory: A) {
    for limit in (1_000..=200_000).step_by(1_237) {
        let memory = Counting::new(memory);
        let mut heap = Collector::new(&memory);
        heap.set_limit(limit);
        let mut kept = Vec::new();
        // SAFETY: all of them are told.
        while let Some(object) = unsafe {
            // Small ones, and blocks for one each: so many that what remembers them grows too.
            let size = if kept.len() % 4 == 0 { 16 } else { 130 * 2 * WORD };
            heap.allocate(size, Description::Leaf, |marker| kept.iter().for_each(|kept| marker.word(*kept)))
        } {
            kept.push(object.addr().get());
        }
        assert!(memory.most.get() <= limit, "{} of {limit}", memory.most.get());
        assert_eq!(heap.statistics().held_bytes, memory.held.get());
    }
}

fn room_in_used_blocks_outlives_a_request_that_nobody_could_serve<A: Allocator + Copy>(memory: A) {
    let mut heap = Collector::new(memory);
    heap.set_least(256 * 1024);
    let mut kept = vec![0usize; 2_000];
    let range = kept.as_mut_ptr_range();
    // SAFETY: the list stays, and is written to between collections only.
    unsafe {
        assert!(heap.add_roots(range.start.cast(), range.end.cast()));
        for slot in 0..2_000 {
            let object = heap.allocate(16 * WORD, Description::Leaf, |_| {}).unwrap();
            range.start.add(slot).write(object.addr().get());
        }
        // Every other one goes, and of the last few blocks all of it.
        (0..2_000).filter(|slot| slot % 2 == 0 || *slot > 1_500).for_each(|slot| range.start.add(slot).write(0));
        heap.collect(|_| {});
        let held = heap.statistics().held_bytes;
        heap.set_limit(held);
        assert!(heap.allocate(100_000_000, Description::Leaf, |_| {}).is_none());
        for slot in (0..1_400).filter(|slot| slot % 2 == 0) {
            let object = heap.allocate(16 * WORD, Description::Leaf, |_| panic!("there is room")).unwrap();
            range.start.add(slot).write(object.addr().get());
        }
        assert!(heap.statistics().held_bytes <= held);
    }
}

fn shapes_repeat<A: Allocator + Copy>(_: A) {
    static WIDE: Bitmap<9> = Bitmap::new(65, [0, 0, 0, 0, 0, 0, 0, 0x80, 1]);
    let pointers: Vec<_> = (0..200).filter(|word| Shape::of(&WIDE).is_pointer(*word)).collect();
    assert_eq!(pointers, [63, 64, 128, 129, 193, 194]);
    let most = usize::BITS as usize - 5 - WORD / 4;
    let shape = Shape::new(most, 1 << (most - 1));
    assert_eq!(
        (0..3 * most).filter(|word| shape.is_pointer(*word)).collect::<Vec<_>>(),
        [most - 1, 2 * most - 1, 3 * most - 1]
    );
}

fn layouts_of_a_compiler<A: Allocator + Copy>(_: A) {
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
