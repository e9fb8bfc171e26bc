//! Subsystems: figures, nesting, handles, ends, and others' collections in them.
//!
//! `HEAPBASE_OPS` sets how many operations each walk does; by default few enough for every `cargo test`.

mod forest;
mod parents;

use allocator_api2::{
    alloc::{AllocError, Allocator, Global, Layout},
    boxed::Box,
    vec::Vec,
};
use bumpalo::Bump;
use core::{cell::Cell, ptr::NonNull};
use forest::{Forest, Op};
use hashbrown::HashMap;
use heapbase::{
    FailAllocator, FreeListAllocator, Local, LockedAllocator, SizeClassAllocator,
    error::{OUT_OF_MEMORY, OVER_BUDGET},
    memory::{Region, Reserved, TestMemory},
    subsystem::{Books, Figures, FreeAtEnd, ManyThreads, OneThread, Shared, Subsystem},
};
use parents::{Ending, Panicking, zeroed_by};
use proptest::prelude::*;

#[test]
fn figures_are_exact() {
    let part = Subsystem::new("part", Global);
    part.set_budget(1_000);
    let layout = |bytes| Layout::from_size_align(bytes, 8).unwrap();
    let block = part.allocate(layout(600)).unwrap().cast();
    assert!(part.allocate(layout(401)).is_err());
    assert_eq!(part.allocate(layout(0)).unwrap().len(), 0, "no bytes need no budget");
    // SAFETY: the block is of this layout, then of that.
    unsafe {
        assert!(part.grow(block, layout(600), layout(1_001)).is_err());
        let block = part.grow(block, layout(600), layout(1_000)).unwrap().cast();
        let block = part.shrink(block, layout(1_000), layout(10)).unwrap().cast();
        part.deallocate(block, layout(10));
    }
    let expected = Figures { name: "part", budget: 1_000, live: 0, peak: 1_000, refused: 2, failed: 0 };
    assert_eq!(part.figures(), expected);
    assert_eq!(part.close().unwrap().0, expected);
}

#[test]
fn what_the_parent_has_not_is_not_booked() {
    let part = Subsystem::new("part", &FailAllocator);
    assert!(part.allocate(Layout::new::<u64>()).is_err());
    assert!(part.allocate_zeroed(Layout::new::<u64>()).is_err());
    let expected = Figures { name: "part", budget: usize::MAX, live: 0, peak: 0, refused: 0, failed: 2 };
    assert_eq!(part.figures(), expected);
}

#[test]
fn requests_as_large_as_a_layout_can_be() {
    // Beside what is live, more than any number of bytes that the books can hold.
    let huge = Layout::from_size_align(isize::MAX as usize, 1).unwrap();
    let part = Subsystem::new("part", &FailAllocator);
    let over = Subsystem::new("over", Global);
    let kept = Box::new_in([0u8; 100], &over);
    for (budget, refused, failed) in [(1_000, 1, 0), (usize::MAX, 1, 1), (isize::MAX as usize, 2, 1)] {
        over.set_budget(budget);
        // Nobody uses it, so the compiler might take it as granted.
        assert!(core::hint::black_box(over.allocate(huge)).is_err());
        assert_eq!(over.figures(), Figures { name: "over", budget, live: 100, peak: 100, refused, failed });
    }
    drop(kept);
    for failed in 1..3 {
        assert!(core::hint::black_box(part.allocate(huge)).is_err());
        assert_eq!((part.figures().live, part.figures().peak, part.figures().failed), (0, 0, failed));
    }
    let mut vector = Vec::<u8, _>::new_in(&over);
    assert!(core::hint::black_box(vector.try_reserve_exact(isize::MAX as usize)).is_err());
    drop(core::hint::black_box(vector));
    over.close().unwrap();
}

#[test]
fn a_peak_is_kept_through_refusals_failures_and_returns() {
    // Each step leads past the peak, the budget or what came back since.
    let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(4)));
    let part = Subsystem::new("part", &heap);
    let figures = |part: &Subsystem<_>| {
        let Figures { live, peak, refused, failed, .. } = part.figures();
        (live, peak, refused, failed)
    };
    let one = Box::new_in([0u8; 600], &part);
    assert!(part.allocate(Layout::new::<[u8; 1 << 20]>()).is_err());
    assert_eq!(figures(&part), (600, 600, 0, 1), "what failed was never live");
    let two = Box::new_in([0u8; 400], &part);
    drop(one);
    let three = Box::new_in([0u8; 599], &part);
    assert_eq!(figures(&part), (999, 1_000, 0, 1));
    let four = Box::new_in([0u8; 1], &part);
    assert_eq!(figures(&part), (1_000, 1_000, 0, 1));
    part.set_budget(1_000);
    assert!(part.allocate(Layout::new::<u8>()).is_err());
    drop(four);
    part.set_budget(500);
    assert!(part.allocate(Layout::new::<u8>()).is_err());
    drop(three);
    let five = Box::new_in([0u8; 100], &part);
    assert!(part.allocate(Layout::new::<u8>()).is_err());
    part.set_budget(usize::MAX);
    let six = Box::new_in([0u8; 501], &part);
    assert_eq!(figures(&part), (1_001, 1_001, 3, 1));
    drop((two, five, six));
    part.close().unwrap();
}

#[test]
fn a_peak_is_kept_through_failures_of_any_size() {
    let ending = Ending(Cell::new(false));
    let part = Subsystem::new("part", &ending);
    let layout = |size: usize| Layout::from_size_align(size, 8).unwrap();
    let figures = || (part.figures().live, part.figures().peak, part.figures().failed);
    let block = part.allocate(layout(100)).unwrap().cast::<u8>();
    ending.0.set(true);
    // SAFETY: the block is of this layout until it is given back.
    unsafe {
        for failed in 1..3 {
            assert!(part.grow(block, layout(100), layout(100)).is_err());
            assert_eq!(figures(), (100, 100, failed), "nothing more was asked for");
        }
        assert!(part.allocate(layout(100)).is_err());
        assert_eq!(figures(), (100, 100, 3), "what failed was never live");
        ending.0.set(false);
        let more = part.allocate(layout(100)).unwrap().cast::<u8>();
        part.deallocate(more, layout(100));
        ending.0.set(true);
        assert!(part.allocate(layout(100)).is_err());
        assert_eq!(figures(), (100, 200, 4), "what was, was");
        assert!(part.allocate(layout(101)).is_err());
        assert_eq!(figures(), (100, 200, 5));
        part.set_budget(150);
        assert!(part.allocate(layout(50)).is_err());
        assert_eq!(figures(), (100, 200, 6));
        ending.0.set(false);
        part.deallocate(block, layout(100));
    }
    assert_eq!(figures(), (0, 200, 6));
}

fn panics<R>(run: impl FnOnce() -> R) -> bool {
    std::panic::catch_unwind(core::panic::AssertUnwindSafe(run)).is_err()
}

#[test]
fn what_stood_in_the_way_is_told_afterwards() {
    let part = Subsystem::new("part", &FailAllocator);
    let before = part.figures();
    assert_eq!(part.figures().denied_since(&before), None);
    part.set_budget(5);
    assert!(part.allocate(Layout::new::<[u8; 6]>()).is_err());
    assert_eq!(part.figures().denied_since(&before), Some(&OVER_BUDGET));
    let between = part.figures();
    assert!(part.allocate(Layout::new::<[u8; 5]>()).is_err());
    assert_eq!(part.figures().denied_since(&before), Some(&OUT_OF_MEMORY), "both happened");
    assert_eq!(part.figures().denied_since(&between), Some(&OUT_OF_MEMORY));
}

#[test]
fn what_was_changed_by_a_parents_own_error_counts_as_a_block() {
    // The last handle goes, the block stays, and the subsystem with it.
    let outer = Subsystem::for_threads("outer", Global);
    let part = Shared::new(Subsystem::for_threads("part", &outer)).unwrap();
    let layout = Layout::new::<u64>();
    // SAFETY: a block for that layout.
    let block = unsafe { part.try_change(0, 8, |outer| outer.try_allocate(layout)) }.unwrap().cast();
    let raw = part.into_raw();
    // SAFETY: taken back once, and the block is given back once by the address.
    unsafe {
        drop(Shared::<&Subsystem<Global, ManyThreads>, ManyThreads>::from_raw(raw));
        assert!(outer.figures().live > 8, "the subsystem is there");
        Shared::<&Subsystem<Global, ManyThreads>, ManyThreads>::return_block(raw, block, layout);
    }
    assert_eq!(outer.figures().live, 0);
    outer.close().unwrap();
}

#[test]
fn what_is_asked_for_as_zero_is_zero() {
    zeroed_by(Local::new(SizeClassAllocator::with_source(TestMemory::new(16))));
    zeroed_by(LockedAllocator::new(SizeClassAllocator::with_source(TestMemory::new(16))));
    zeroed_by(Local::new(FreeListAllocator::with_source(TestMemory::new(16))));
    let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(16)));
    zeroed_by(&heap);
    zeroed_by(Subsystem::new("part", &heap));
    zeroed_by(Shared::new(Subsystem::new("part", &heap)).unwrap());
    zeroed_by(FreeAtEnd::new(&heap));
}

#[test]
fn what_frees_at_its_end_is_shared_between_threads() {
    let part = Subsystem::for_threads("part", Global);
    let all = FreeAtEnd::new(&part);
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let all = &all;
            scope.spawn(move || {
                let mut kept = std::vec::Vec::new();
                for round in 0..if cfg!(miri) { 10 } else { 2_000 } {
                    let mut bytes = Vec::new_in(all);
                    bytes.resize(1 + (round * 37 + thread) % 200, thread as u8);
                    if round % 3 == 0 {
                        kept.push(bytes);
                    } else if round % 3 == 1 {
                        bytes.reserve(300);
                        assert!(bytes.iter().all(|byte| *byte == thread as u8));
                    } else {
                        Box::leak(bytes.into_boxed_slice());
                    }
                }
                assert!(kept.iter().flatten().all(|byte| *byte == thread as u8));
            });
        }
    });
    assert!(part.figures().live > 0, "what was leaked is there");
    let outer = std::thread::scope(|scope| scope.spawn(move || all.into_parent()).join().unwrap());
    assert_eq!(outer.figures().live, 0);
    part.close().unwrap();
}

#[test]
fn what_is_dropped_without_an_end_stays_on_the_books_above() {
    let outer = Subsystem::new("outer", Global);
    let inner = Subsystem::new("inner", FreeAtEnd::new(&outer));
    let leaked = Box::leak(Box::new_in([1u8; 10], &inner));
    leaked[0] = 2;
    assert!(outer.figures().live > 10);
    drop(inner);
    assert_eq!(outer.figures().live, 0);
    let kept = {
        let inner = Subsystem::new("inner", &outer);
        NonNull::from(Box::leak(Box::new_in([1u8; 10], &inner)))
    };
    let Err(left) = outer.close() else { panic!("ten bytes are left") };
    assert_eq!(left.figures.live, 10);
    // SAFETY: it was the outer one's all along, and nobody else has it.
    unsafe { left.subsystem.deallocate(kept.cast(), Layout::new::<[u8; 10]>()) };
    left.subsystem.close().unwrap();
}

#[test]
fn a_parent_that_panics_takes_nothing_along() {
    let parent = Panicking(Cell::new(false));
    {
        let part = Subsystem::new("part", &parent);
        let mut kept = Vec::new_in(&part);
        kept.extend_from_slice(&[7u8; 64]);
        parent.0.set(true);
        assert!(panics(|| part.allocate(Layout::new::<u64>())));
        assert!(panics(|| kept.reserve(1_000)));
        parent.0.set(false);
        assert_eq!((part.figures().live, part.figures().peak, part.figures().failed), (64, 64, 2));
        assert!(kept.iter().all(|byte| *byte == 7));
        drop(kept);
        part.close().unwrap();
    }
}

#[test]
fn a_parent_that_panics_leaves_what_is_freed_at_the_end_in_order() {
    for forgotten in [false, true] {
        let parent = Panicking(Cell::new(false));
        let part = Subsystem::new("part", &parent);
        let all = FreeAtEnd::new(&part);
        let make = || {
            let mut bytes = Vec::new_in(&all);
            bytes.extend_from_slice(&[7u8; 64]);
            bytes
        };
        let (first, mut grown, last) = (make(), make(), make());
        parent.0.set(true);
        assert!(panics(|| grown.reserve(1_000)));
        parent.0.set(false);
        // Its neighbours go before it: none of them may know another any more.
        drop((last, first));
        assert!(grown.iter().all(|byte| *byte == 7));
        if forgotten {
            core::mem::forget(grown);
        } else {
            drop(grown);
        }
        drop(all);
        part.close().expect("all of it went back");
    }
}

#[test]
fn a_budget_below_what_is_live_refuses_until_it_fits() {
    let part = Subsystem::new("part", Global);
    let first = Box::new_in([0u8; 100], &part);
    let second = Box::new_in([0u8; 100], &part);
    part.set_budget(150);
    assert!(part.allocate(Layout::new::<u8>()).is_err());
    drop(first);
    assert_eq!(part.figures().live, 100);
    drop(Box::new_in([0u8; 50], &part));
    assert!(part.allocate(Layout::new::<[u8; 51]>()).is_err());
    part.set_budget(usize::MAX);
    drop(Box::new_in([0u8; 151], &part));
    drop(second);
    assert_eq!(part.figures(), Figures { name: "part", budget: usize::MAX, live: 0, peak: 251, refused: 2, failed: 0 });
}

#[test]
fn what_is_live_may_stay_as_large_as_it_is() {
    fn stays<B: Books>(part: &Subsystem<Global, B>) {
        let layout = Layout::new::<[u8; 100]>();
        let block = part.allocate(layout).unwrap().cast::<u8>();
        part.set_budget(10);
        // SAFETY: a block of this subsystem for that layout, each time.
        unsafe {
            let block = part.grow(block, layout, layout).unwrap().cast::<u8>();
            assert!(part.grow(block, layout, Layout::new::<[u8; 101]>()).is_err());
            let smaller = Layout::new::<[u8; 50]>();
            let block = part.shrink(block, layout, smaller).unwrap().cast::<u8>();
            assert_eq!((part.figures().live, part.figures().refused), (50, 1));
            part.deallocate(block, smaller);
        }
        assert_eq!(part.figures().live, 0);
    }
    stays(&Subsystem::new("part", Global));
    stays(&Subsystem::for_threads("part", Global));
}

#[test]
fn blocks_of_no_bytes_are_not_counted_until_they_have_some() {
    fn counts<B: Books>(part: Subsystem<Global, B>) {
        let part = Shared::new(part).unwrap();
        let (none, some) = (Layout::new::<()>(), Layout::new::<[u8; 8]>());
        // SAFETY: blocks of this handle for those layouts, each used once.
        unsafe {
            let zeroed = part.grow_zeroed(part.allocate(none).unwrap().cast(), none, some).unwrap();
            assert_eq!(zeroed.as_ref(), [0; 8]);
            let block = part.grow(part.allocate(none).unwrap().cast(), none, some).unwrap().cast::<u8>();
            assert_eq!(part.figures().live, 16);
            let none_again = part.shrink(block, some, none).unwrap().cast::<u8>();
            part.deallocate(none_again, none);
            assert_eq!(part.figures().live, 8);
            let last = Box::from_raw_in(zeroed.cast::<u64>().as_ptr().cast::<[u8; 8]>(), part.clone());
            // Nobody but the block keeps the subsystem now, and no count is left over.
            drop(part);
            let (pointer, part) = Box::into_raw_with_allocator(last);
            drop(Box::from_raw_in(pointer, part.clone()));
            assert_eq!(part.close().unwrap().0.live, 0);
        }
    }
    counts(Subsystem::new("part", Global));
    counts(Subsystem::for_threads("part", Global));
}

#[test]
fn parents_of_every_kind() {
    fn fill(parent: impl Allocator) {
        let part = Subsystem::new("part", parent);
        let within = Subsystem::new("within", &part);
        let mut numbers = Vec::new_in(&within);
        numbers.extend(0..1_000u32);
        let map: HashMap<u32, Box<u64, _>, _, _> = {
            let mut map = HashMap::new_in(&within);
            map.extend((0..100).map(|number| (number, Box::new_in(u64::from(number) * 7, &part))));
            map
        };
        assert!((0..100).all(|number| *map[&number] == u64::from(number) * 7));
        assert!(numbers.iter().copied().eq(0..1_000));
        assert_eq!(part.figures().live, within.figures().live + 100 * size_of::<u64>());
        drop((numbers, map));
        within.close().unwrap();
        part.close().unwrap();
    }
    let mut arena = std::vec![core::mem::MaybeUninit::uninit(); 256 * 1024];
    fill(Local::new(SizeClassAllocator::with_source(Region::new(&mut arena))));
    fill(Local::new(SizeClassAllocator::with_source(TestMemory::new(64))));
    fill(Local::new(FreeListAllocator::with_source(TestMemory::new(64))));
    fill(LockedAllocator::new(SizeClassAllocator::with_source(TestMemory::new(64))));
    fill(
        Shared::new(Subsystem::new("owned", Local::new(SizeClassAllocator::with_source(TestMemory::new(64))))).unwrap(),
    );
    let shared = Local::new(SizeClassAllocator::with_source(TestMemory::new(64)));
    fill(&shared);
    fill(&shared);
    fill(Global);
    fill(&Bump::new());
    fill(FreeAtEnd::new(Global));
    fill(Local::new(SizeClassAllocator::with_source(Reserved::new(Global, 64 * 1024).unwrap())));
    fill(LockedAllocator::new(FreeListAllocator::with_source(Reserved::new(&shared, 64 * 1024).unwrap())));
    fill(Shared::new(Subsystem::new("owned", Global)).unwrap());
    fill(Shared::new(Subsystem::for_threads("owned", Global)).unwrap());
    fill(&Global as &dyn Allocator);
}

#[test]
fn a_heap_may_be_moved_while_its_blocks_are_in_use() {
    let make = || {
        let mut numbers = Vec::new_in(Local::new(SizeClassAllocator::with_source(TestMemory::new(64))));
        numbers.extend(0..10u32);
        numbers
    };
    let mut kept = std::vec::Vec::new();
    for round in 0..100u32 {
        // Each push moves the heaps that came before.
        kept.push(make());
        for (age, numbers) in kept.iter_mut().enumerate() {
            numbers.extend(0..round * 7 % 50);
            if age % 3 == 0 {
                numbers.truncate(10);
                numbers.shrink_to_fit();
            }
            assert!(numbers.iter().take(10).copied().eq(0..10));
        }
    }
    for numbers in kept {
        let bytes = numbers.allocator().allocate(Layout::new::<[u64; 100]>()).unwrap();
        // SAFETY: of this heap, for that layout.
        unsafe { numbers.allocator().deallocate(bytes.cast(), Layout::new::<[u64; 100]>()) };
    }
}

#[test]
fn an_owned_subsystem_whose_last_block_ends_the_heap_that_it_lies_in() {
    let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(4)));
    let part = Shared::new(Subsystem::new("part", heap)).unwrap();
    let number = Box::new_in(7u64, part.clone());
    drop(part);
    assert_eq!(*number, 7);
    drop(number);
    let heap = LockedAllocator::new(SizeClassAllocator::with_source(TestMemory::new(4)));
    let part = Shared::new(Subsystem::for_threads("part", heap)).unwrap();
    let number = Box::new_in(7u64, part.clone());
    drop(part);
    std::thread::spawn(move || assert_eq!(*number, 7)).join().unwrap();
}

#[test]
fn an_arena_in_a_subsystem() {
    // The other way round: what a subsystem gives out is an arena, whose end gives all back.
    let part = Subsystem::new("part", Global);
    let mut bytes = Vec::new_in(&part);
    bytes.resize(64 * 1024, core::mem::MaybeUninit::uninit());
    {
        let arena = Local::new(SizeClassAllocator::with_source(Region::new(&mut bytes)));
        let within = Subsystem::new("within", &arena);
        Box::leak(Box::new_in([1u8; 1_000], &within));
    }
    drop(bytes);
    part.close().unwrap();
}

#[test]
fn the_end_frees_everything() {
    let part = Subsystem::new("part", Global);
    for align in [1, 8, 16, 64, 4_096] {
        let all = FreeAtEnd::new(&part);
        let layout = |size| Layout::from_size_align(size, align).unwrap();
        let mut blocks: std::vec::Vec<NonNull<u8>> = (0..50)
            .map(|size| {
                let block = all.allocate_zeroed(layout(size)).unwrap();
                assert_eq!((block.cast::<u8>().addr().get() % align, block.len()), (0, size));
                // SAFETY: so long.
                unsafe {
                    assert!((0..size).all(|at| block.cast::<u8>().add(at).read() == 0));
                    block.cast::<u8>().write_bytes(size as u8, size);
                }
                block.cast()
            })
            .collect();
        // SAFETY: each is of the layout that is said, and given back once at most.
        unsafe {
            for size in [0, 49, 7, 30] {
                all.deallocate(blocks[size], layout(size));
            }
            blocks[11] = all.grow(blocks[11], layout(11), layout(5_000)).unwrap().cast();
            blocks[12] = all.shrink(blocks[12], layout(12), layout(3)).unwrap().cast();
            assert!((0..11).all(|at| blocks[11].add(at).read() == 11) && blocks[12].add(2).read() == 12);
            let other = Layout::from_size_align(20, align * 2).unwrap();
            blocks[13] = all.grow(blocks[13], layout(13), other).unwrap().cast();
            assert!(blocks[13].addr().get().is_multiple_of(align * 2) && blocks[13].add(12).read() == 13);
            part.set_budget(0);
            assert!(all.grow(blocks[14], layout(14), layout(5_000)).is_err());
            part.set_budget(usize::MAX);
            all.deallocate(blocks[14], layout(14));
        }
        let moved = all;
        assert!(part.figures().live > 0);
        drop(moved);
        assert_eq!(part.figures().live, 0);
    }
}

#[test]
fn a_subsystem_that_is_not_empty_says_so_and_stays() {
    let part = Subsystem::new("part", Global);
    let kept: &mut [u8; 30] = Box::leak(Box::new_in([0u8; 30], &part));
    let kept = NonNull::from(kept);
    let left = part.close().unwrap_err();
    assert_eq!(left.figures.live, 30);
    let part = left.subsystem;
    // SAFETY: leaked above, from this subsystem.
    drop(unsafe { Box::from_raw_in(kept.as_ptr(), &part) });
    part.close().unwrap();
}

#[test]
fn the_last_block_ends_an_owned_subsystem() {
    let outer = Subsystem::new("outer", Global);
    let part = Shared::new(Subsystem::new("part", &outer)).unwrap();
    let block = part.allocate(Layout::new::<[u8; 100]>()).unwrap();
    let raw = part.clone().into_raw();
    let Err(part) = part.close() else { panic!("there is another handle, and a block") };
    drop(part);
    // SAFETY: taken back once.
    let part: Shared<&Subsystem<Global>> = unsafe { Shared::from_raw(raw) };
    let Err(part) = part.close() else { panic!("there is a block") };
    assert!(outer.figures().live > 100);
    // SAFETY: the block is of this subsystem and layout.
    unsafe { part.deallocate(block.cast(), Layout::new::<[u8; 100]>()) };
    assert_eq!(part.close().unwrap().0.peak, 100);
    outer.close().unwrap();
}

/// The system's memory; drops what it was given when a block comes back.
struct Dropping(core::cell::RefCell<Option<std::boxed::Box<dyn core::any::Any>>>);

// SAFETY: every block is the system's.
unsafe impl Allocator for &Dropping {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        Global.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        drop(self.0.take());
        // SAFETY: the caller's promise.
        unsafe { Global.deallocate(block, layout) }
    }
}

#[test]
fn a_parent_that_drops_the_last_handle_while_it_takes_a_block_back() {
    fn run<B: Books>() {
        let parent: &'static Dropping = std::boxed::Box::leak(std::boxed::Box::new(Dropping(None.into())));
        let part = Shared::new(Subsystem::<_, B>::keeping("part", parent)).unwrap();
        let layout = Layout::new::<[u8; 40]>();
        let block = part.allocate(layout).unwrap().cast();
        let raw = part.clone().into_raw();
        // SAFETY: taken back once.
        drop(unsafe { Shared::<&Dropping, B>::from_raw(raw) });
        *parent.0.borrow_mut() = Some(std::boxed::Box::new(part));
        // SAFETY: the block is of this subsystem and layout, and keeps it.
        unsafe { Shared::<&Dropping, B>::return_block(raw, block, layout) };
        assert!(parent.0.borrow().is_none());
    }
    run::<OneThread>();
    run::<ManyThreads>();
}

#[test]
fn what_was_forgotten_before_a_subsystem_was_shared_is_not_forgotten() {
    let arena = Bump::new();
    let part = Subsystem::new("part", &arena);
    Box::leak(Box::new_in([0u8; 30], &part));
    let part = Shared::new(part).unwrap();
    let Err(part) = part.close() else { panic!("30 bytes are in it") };
    assert_eq!(part.figures().live, 30);
}

#[test]
fn a_parents_own_error_is_passed_on() {
    let outer = Subsystem::new("outer", Global);
    let inner = Shared::new(Subsystem::new("inner", &outer)).unwrap();
    let before = outer.figures().live;
    outer.set_budget(before + 100);
    let layout = |bytes| Layout::from_size_align(bytes, 8).unwrap();
    // SAFETY: blocks of the layouts that are said, resized and given back as such.
    unsafe {
        let change = |block: Option<NonNull<u8>>, old, new| {
            inner.try_change(old, new, |outer| match block {
                None => outer.try_allocate(layout(new)),
                Some(block) if new < old => Ok(outer.shrink(block, layout(old), layout(new)).unwrap()),
                Some(block) => outer.try_grow(block, layout(old), layout(new)),
            })
        };
        let error = change(None, 0, 101).unwrap_err();
        assert_eq!((error.kind(), error.number()), (&OVER_BUDGET, 101), "of the outer one");
        let block = change(None, 0, 50).unwrap().cast();
        let error = change(Some(block), 50, 101).unwrap_err();
        assert_eq!((error.kind(), error.number()), (&OVER_BUDGET, 51));
        let block = change(Some(block), 50, 100).unwrap().cast();
        let block = change(Some(block), 100, 20).unwrap().cast();
        inner.set_budget(20);
        let error = change(Some(block), 20, 21).unwrap_err();
        assert_eq!((error.kind(), error.number()), (&OVER_BUDGET, 1), "its own");
        let expected = Figures { name: "inner", budget: 20, live: 20, peak: 100, refused: 1, failed: 2 };
        assert_eq!((inner.figures(), outer.figures().live), (expected, before + 20));
        let Err(inner) = inner.close() else { panic!("a block is out") };
        inner.deallocate(block, layout(20));
        inner.close().unwrap();
        let few = Few(Cell::new(0));
        let part = Subsystem::new("part", &few);
        let made = Shared::new_by(part, |few, layout| few.allocate(layout).map_err(|AllocError| "nothing"));
        assert_eq!(made.unwrap_err(), "nothing");
    }
    outer.close().unwrap();
}

#[test]
fn what_is_leaked_keeps_an_owned_subsystem() {
    // The handle in the box goes without the block being returned, as when a box is leaked.
    let outer = Subsystem::new("outer", Global);
    let part = Shared::new(Subsystem::new("part", FreeAtEnd::new(&outer))).unwrap();
    let (value, part) = Box::into_raw_with_allocator(Box::new_in(5u64, part));
    let raw = part.into_raw();
    // SAFETY: taken back once.
    drop(unsafe { Shared::<FreeAtEnd<&Subsystem<Global>>>::from_raw(raw) });
    // SAFETY: counted, so still there.
    assert_eq!(unsafe { *value }, 5);
    assert!(outer.figures().live > 0);
    // SAFETY: the block is of this subsystem and layout, and the last of what was counted.
    unsafe {
        let block = NonNull::new_unchecked(value.cast());
        Shared::<FreeAtEnd<&Subsystem<Global>>>::return_block(raw, block, Layout::new::<u64>());
    }
    outer.close().unwrap();
}

#[test]
fn threads_share_a_subsystem() {
    let ground = LockedAllocator::new(SizeClassAllocator::with_source(TestMemory::new(64)));
    let outer = Subsystem::for_threads("outer", &ground);
    outer.set_budget(100_000);
    let part = Shared::new(Subsystem::for_threads("part", &outer)).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4usize {
            let part = part.clone();
            let outer = &outer;
            scope.spawn(move || {
                let mut blocks = std::vec::Vec::new();
                for round in 0..if cfg!(miri) { 30 } else { 2_000usize } {
                    let mut block = Vec::new_in(part.clone());
                    if block.try_reserve_exact(1 + round * 31 % 700).is_ok() {
                        block.push(thread);
                        blocks.push(block);
                    }
                    assert!(outer.figures().live <= 100_000, "never more than the budget");
                    if round % 3 == 0 && !blocks.is_empty() {
                        assert_eq!(blocks.swap_remove(round % blocks.len())[0], thread);
                    }
                    let live = outer.figures();
                    assert!(live.live <= live.peak.max(live.budget));
                }
            });
        }
    });
    let (figures, _) = part.close().unwrap();
    assert_eq!(figures.live, 0);
    // The peak counts what the other threads were just asking for, and did not get.
    let asked = 3 * 700 * size_of::<usize>();
    assert!(figures.peak <= 100_000 + asked && figures.failed > 0, "{figures:?}");
    assert_eq!((outer.figures().live, outer.figures().failed), (0, 0));
    assert!(outer.figures().refused > 0);
}

/// Subsystems on the stack, each within the one before, that hold blocks of all above them.
fn nest(parent: &dyn Allocator, depth: usize, seed: &mut forest::Random) -> usize {
    let part = Subsystem::new("nested", parent);
    let mut numbers = Vec::new_in(&part);
    numbers.extend(0..seed.next() % 50);
    let beside = Box::new_in(depth, parent);
    let mut made = 1;
    while depth > 0 && !seed.next().is_multiple_of(5) {
        made += nest(&part, depth - 1, seed);
        numbers.push(made as u64);
    }
    assert_eq!(part.figures().live, numbers.capacity() * 8);
    assert_eq!(*beside, depth);
    drop(numbers);
    let (figures, _) = part.close().unwrap();
    assert!(figures.peak >= figures.live);
    made
}

#[test]
fn borrowed_subsystems_by_the_thousand() {
    let ground = Subsystem::new("ground", Global);
    let (mut seed, mut made) = (forest::Random(7), 0);
    while made < if cfg!(miri) { 20 } else { 5_000 } {
        made += nest(&ground, 6, &mut seed);
    }
    ground.close().unwrap();
}

fn operations() -> u64 {
    match std::env::var("HEAPBASE_OPS") {
        Ok(text) => text.parse().expect("HEAPBASE_OPS is a number of operations"),
        Err(_) => 20_000,
    }
}

#[test]
fn walk_of_one_thread() {
    forest::walk::<OneThread>(operations(), 500);
}

#[test]
fn walk_of_many_threads() {
    forest::walk::<ManyThreads>(operations(), 500);
}

fn op() -> impl Strategy<Value = Op> {
    let index = || any::<u32>();
    prop_oneof![
        1 => Just(Op::Plant),
        3 => index().prop_map(|within| Op::Nest { within }),
        2 => index().prop_map(|handle| Op::Clone { handle }),
        4 => index().prop_map(|handle| Op::Drop { handle }),
        1 => (index(), index()).prop_map(|(one, other)| Op::Move { one, other }),
        5 => (index(), 0u32..600).prop_map(|(handle, size)| Op::Allocate { handle, size }),
        3 => (index(), 0u32..900).prop_map(|(block, size)| Op::Resize { block, size }),
        4 => index().prop_map(|block| Op::Free { block }),
        3 => (index(), index(), prop::option::of(index())).prop_map(|(handle, message, cause)| Op::Raise { handle, message, cause }),
        1 => index().prop_map(|error| Op::Share { error }),
        3 => index().prop_map(|error| Op::Forgive { error }),
        1 => (index(), prop_oneof![0u32..4_000, Just(u32::MAX)]).prop_map(|(handle, bytes)| Op::Budget { handle, bytes }),
        1 => any::<bool>().prop_map(|fail| Op::Fail { fail }),
        1 => index().prop_map(|handle| Op::Close { handle }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 200 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order(ops in prop::collection::vec(op(), 1..if cfg!(miri) { 30 } else { 400 }), seed in any::<u64>()) {
        let mut forest = Forest::<OneThread>::new();
        ops.iter().for_each(|op| forest.step(*op));
        let mut random = forest::Random(seed | 1);
        forest.fell(|| (random.next() >> 32) as u32);
    }
}

/// An allocator that serves so many requests and then no more.
struct Few(Cell<usize>);

// SAFETY: every block is the system's.
unsafe impl Allocator for Few {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.0.set(self.0.get().checked_sub(1).ok_or(AllocError)?);
        Global.allocate(layout)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { Global.deallocate(block, layout) }
    }
}

#[test]
fn a_handle_that_finds_no_memory_is_not_made() {
    let few = Few(Cell::new(0));
    let part = Subsystem::new("part", &few);
    assert!(Shared::new(part).is_err());
    few.0.set(1);
    let part = Shared::new(Subsystem::new("part", &few)).unwrap();
    assert!(Vec::<u8, _>::new_in(part.clone()).try_reserve(1).is_err());
    assert_eq!(part.figures().failed, 1);
    assert!(part.close().is_ok(), "a request that failed counts as no block");
}
