//! The ways into an allocator: C's functions, the v1 exports, wrappers, `allocator-api2`, statistics, the heap's map.

#[path = "interfaces/strict.rs"]
mod strict;

use allocator_api2::{alloc::Allocator, boxed::Box, vec::Vec};
use core::alloc::{GlobalAlloc, Layout};
use heapbase::{
    FailAllocator, FreeListAllocator, Kind, Local, LockedAllocator, OrTrap, RawAllocator, SizeClassAllocator,
    SizedByAddress, malloc, memory::TestMemory, v1,
};
use strict::{FREE, Strict};

fn heap(pages: usize) -> SizeClassAllocator<TestMemory> {
    SizeClassAllocator::with_source(TestMemory::new(pages))
}

#[test]
fn c_programs_get_what_the_standard_says() {
    let heap = &mut heap(64);
    // SAFETY: blocks are used within their size and given back once.
    unsafe {
        for size in [0, 1, 15, 16, 100, 1_000, 100_000] {
            let block = malloc::malloc(heap, size);
            assert_eq!(block.addr() % if size >= 16 { 16 } else { 8 }, 0);
            assert!(malloc::malloc_usable_size(heap, block) >= size);
            block.write_bytes(7, size);
            let larger = malloc::realloc(heap, block, size * 3 + 1);
            assert!((0..size).all(|at| larger.add(at).read() == 7), "contents move along");
            let smaller = malloc::realloc(heap, larger, size / 8 + 1);
            assert!((0..size / 8).all(|at| smaller.add(at).read() == 7));
            heap.check();
            malloc::free(heap, smaller);
        }
        let zeroed = malloc::calloc(heap, 100, 30);
        assert!((0..3_000).all(|at| zeroed.add(at).read() == 0));
        malloc::free(heap, zeroed);
        assert!(malloc::calloc(heap, usize::MAX / 2, 3).is_null(), "the product overflows");
        for align in [8, 64, 256, 4_096, 65_536] {
            // A small block of large alignment is no slab's: growing and freeing it by address must know that.
            let block = malloc::aligned_alloc(heap, align, 24);
            assert_eq!(block.addr() % align, 0);
            let block = malloc::realloc(heap, block, 40);
            heap.check();
            malloc::free(heap, block);
            let mut out = core::ptr::null_mut();
            assert_eq!(malloc::posix_memalign(heap, &mut out, align, 100), 0);
            assert_eq!(out.addr() % align, 0);
            malloc::free(heap, out);
        }
        let mut out = core::ptr::null_mut();
        for align in [0, 1, 2, 3, size_of::<usize>() / 2, 24, usize::MAX] {
            assert_eq!(malloc::posix_memalign(heap, &mut out, align, 8), 28, "EINVAL for {align}");
        }
        assert_eq!(malloc::posix_memalign(heap, &mut out, 8, 1 << 40), 48, "ENOMEM");
        assert!(out.is_null() && malloc::aligned_alloc(heap, 3, 8).is_null());
        malloc::free(heap, core::ptr::null_mut());
        assert!(!malloc::realloc(heap, core::ptr::null_mut(), 8).is_null());
    }
    heap.check();
}

/// What a C program shrinks serves other requests; less than a half is not worth it.
#[test]
fn realloc_gives_back_what_it_shrinks() {
    let heap = &mut heap(64);
    // SAFETY: blocks are used within their size and given back once.
    unsafe {
        let first = malloc::malloc(heap, 1_000_000);
        let behind = malloc::malloc(heap, 1_000);
        let pages = heap.source().pages();
        let half = malloc::realloc(heap, first, 600_000);
        assert!(half == first && malloc::malloc_usable_size(heap, half) >= 1_000_000, "not worth it");
        let little = malloc::realloc(heap, half, 20_000);
        assert_eq!(little, first, "where it was");
        assert!(malloc::malloc_usable_size(heap, little) < 20_000 + 100);
        let second = malloc::malloc(heap, 970_000);
        assert!(second > little && second < behind && heap.source().pages() == pages, "in what was the first one's");
        assert_eq!(heap.check(), 3);
        let listed = malloc::realloc(heap, little, 1_000);
        malloc::free(heap, listed);
        assert_eq!(malloc::malloc(heap, 1_000), listed, "it waited in the list of its size");
        // A block of a slab gives nothing back where it is.
        let of_slabs: Vec<*mut u8> = (0..100).map(|_| malloc::malloc(heap, 100)).collect();
        let shrunk = malloc::realloc(heap, of_slabs[99], 1);
        assert!(shrunk != of_slabs[99] && malloc::malloc_usable_size(heap, shrunk) < 40);
        of_slabs[..99].iter().for_each(|block| malloc::free(heap, *block));
        [little, behind, second, shrunk].into_iter().for_each(|block| malloc::free(heap, block));
    }
    assert_eq!(heap.check(), 0);
}

/// On a heap that aligns to 8 what it need not align to 16, as the flagship does on 32 bits.
#[test]
fn realloc_moves_what_16_does_not_divide() {
    let heap = &mut Strict::new();
    // SAFETY: blocks are used within their size and given back once.
    unsafe {
        for (size, larger_or_less) in [(40, 48), (40, 16), (24, 32), (24, 16), (24, 160)] {
            let block = malloc::malloc(heap, size);
            assert_eq!(block.addr() % 16, 8);
            block.write_bytes(7, size);
            let moved = malloc::realloc(heap, block, larger_or_less);
            assert!(moved != block && moved.addr() % 16 == 0, "{size} to {larger_or_less}");
            assert!((0..size.min(larger_or_less)).all(|at| moved.add(at).read() == 7), "contents move along");
            assert_eq!(moved.add(larger_or_less).read(), FREE, "nothing behind the block is written");
            heap.assert_freed(block);
            malloc::free(heap, moved);
        }
        let block = malloc::malloc(heap, 48);
        assert_eq!(malloc::realloc(heap, block, 40), block, "what stays aligned stays");
        let none = malloc::malloc(heap, 0);
        assert!(!malloc::realloc(heap, none, 0).is_null() && !malloc::calloc(heap, 0, 8).is_null());
        assert!(!malloc::aligned_alloc(heap, 64, 0).is_null());
    }
}

/// Sizes of 0 become blocks of a byte: the trait forbids to ask for nothing, the spec allows the host to.
#[test]
fn v1_never_asks_for_nothing() {
    let heap = &Local::new(Strict::new());
    // SAFETY: blocks are given back once.
    unsafe {
        let (first, second) = (v1::alloc(heap, 0), v1::alloc(heap, 0));
        assert!(!first.is_null() && first.addr() % v1::ALIGN == 0 && first != second);
        let grown = v1::realloc(heap, first, 0, 100);
        assert!(!grown.is_null());
        let none = v1::realloc(heap, grown, 100, 0);
        assert!(!none.is_null());
        v1::dealloc(heap, none, 0);
        v1::dealloc(heap, second, 0);
    }
}

#[test]
fn v1_serves_the_host() {
    let heap = Local::new(heap(8));
    // SAFETY: blocks are used within their size and given back once.
    unsafe {
        for size in [0, 1, 7, 8, 121, 5_000] {
            let block = v1::alloc(&heap, size);
            assert!(!block.is_null() && block.addr() % v1::ALIGN == 0);
            block.write_bytes(1, size);
            let block = v1::realloc(&heap, block, size, size + 900);
            assert!((0..size).all(|at| block.add(at).read() == 1));
            v1::dealloc(&heap, block, size + 900);
        }
        // What the host allocates with alignment 8 a Rust program frees as a vector of bytes, with alignment 1.
        for size in 1..2_000 {
            let block = v1::alloc(&heap, size);
            heap.dealloc(block, Layout::from_size_align_unchecked(size, 1));
        }
        v1::dealloc(&heap, core::ptr::null_mut(), 5);
        assert!(v1::alloc(&heap, usize::MAX).is_null());
        assert!(v1::alloc(&heap, 1 << 30).is_null(), "out of memory is null");
        assert!(!v1::realloc(&heap, core::ptr::null_mut(), 0, 5).is_null());
    }
}

#[test]
fn out_of_memory_ends_a_program_where_little_is_asked() {
    let heap = OrTrap(FailAllocator);
    // SAFETY: the sizes are not 0.
    assert!(unsafe { heap.alloc(Layout::from_size_align(70_000, 1).unwrap()) }.is_null());
    // SAFETY: as above.
    let end = std::panic::catch_unwind(|| unsafe { heap.alloc(Layout::new::<u64>()) });
    assert!(end.is_err());
    // SAFETY: as above.
    let end = std::panic::catch_unwind(|| unsafe { heap.alloc_zeroed(Layout::new::<u64>()) });
    assert!(end.is_err());
    let block = core::ptr::without_provenance_mut(8);
    // SAFETY: an allocator that has no blocks does not touch them, and the sizes are not 0.
    let end = std::panic::catch_unwind(|| unsafe { heap.realloc(block, Layout::new::<u64>(), 64 * 1024) });
    assert!(end.is_err());
    // SAFETY: as above.
    unsafe {
        assert!(heap.realloc(block, Layout::new::<u64>(), 64 * 1024 + 1).is_null());
        assert!(heap.alloc_zeroed(Layout::from_size_align(64 * 1024 + 1, 1).unwrap()).is_null());
    }
}

#[test]
fn threads_take_turns() {
    let heap = LockedAllocator::new(heap(256));
    std::thread::scope(|scope| {
        for thread in 0..4u8 {
            let heap = &heap;
            scope.spawn(move || {
                let mut blocks = std::vec::Vec::new();
                for round in 0..if cfg!(miri) { 50 } else { 5_000usize } {
                    let layout = Layout::from_size_align(1 + round * 31 % 700, 1).unwrap();
                    // SAFETY: used within its size and given back once.
                    unsafe {
                        let block = heap.alloc(layout);
                        block.write_bytes(thread, layout.size());
                        blocks.push((block, layout));
                        if round % 3 == 0 {
                            let (block, layout) = blocks.swap_remove(round % blocks.len());
                            assert!((0..layout.size()).all(|at| block.add(at).read() == thread));
                            heap.dealloc(block, layout);
                        }
                    }
                }
                for (block, layout) in blocks {
                    // SAFETY: given back once.
                    unsafe { heap.dealloc(block, layout) };
                }
            });
        }
    });
    let mut heap = heap;
    heap.get_mut().check();
    assert_eq!(heap.get_mut().statistics().live_bytes, 0);
}

#[test]
fn collections_live_on_any_allocator() {
    fn fill(on: impl Allocator + Copy) {
        let mut numbers = Vec::new_in(on);
        numbers.extend(0..3_000u32);
        numbers.shrink_to_fit();
        assert!(numbers.iter().copied().eq(0..3_000));
        assert_eq!(*Box::new_in(5u128, on), 5);
        assert!(Vec::<u64, _>::new_in(on).is_empty());
        let empty: Vec<(), _> = Vec::with_capacity_in(9, on);
        drop(empty);
    }
    fill(&Local::new(heap(64)));
    fill(&Local::new(FreeListAllocator::with_source(TestMemory::new(64))));
    fill(&LockedAllocator::new(heap(64)));
    assert!(FailAllocator.allocate(Layout::new::<u8>()).is_err());
    assert!(FailAllocator.allocate(Layout::new::<()>()).is_ok(), "no bytes need no memory");
}

#[test]
fn statistics_and_map_agree_with_what_was_asked() {
    let mut heap = heap(64);
    let unit = 2 * size_of::<usize>();
    let small = Layout::from_size_align(3 * unit, 1).unwrap();
    let large = Layout::from_size_align(5_000, 1).unwrap();
    // SAFETY: given back once.
    unsafe {
        let blocks: std::vec::Vec<_> = (0..100).map(|_| heap.allocate(small)).collect();
        let big = heap.allocate(large);
        let figures = heap.statistics();
        assert_eq!(figures.classes[3].live, 100 - 24, "a class's first blocks are tagged ones");
        assert_eq!(figures.classes[3].block_bytes, 3 * unit);
        let usable: usize = blocks.iter().map(|block| heap.usable_size(*block)).sum();
        assert!(usable >= 300 * unit);
        assert_eq!(figures.live_bytes, usable + heap.usable_size(big));
        for block in blocks {
            heap.deallocate(block, small);
        }
        heap.free(big);
        let after = heap.statistics();
        assert_eq!((after.live_bytes, after.peak_bytes, after.classes[3].live), (0, figures.live_bytes, 0));
        let kept = Layout::from_size_align(500, 1).unwrap();
        let block = heap.allocate(kept);
        heap.deallocate(block, kept);
        let (mut last, mut seen) = (0, 0);
        heap.map(|stretch| {
            assert!(stretch.start > last, "stretches rise");
            last = stretch.start;
            seen += usize::from(stretch.kind == Kind::Waiting && stretch.start == block.addr());
        });
        assert_eq!(seen, 1, "the map knows what waits for reuse");
    }
}
