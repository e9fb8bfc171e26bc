//! What sources of memory promise, and what allocators make of sources that promise less.

mod parents;

use allocator_api2::{
    alloc::{AllocError, Allocator, Global},
    boxed::Box as BoxIn,
    vec::Vec as VecIn,
};
use core::{alloc::Layout, cell::Cell, mem::MaybeUninit};
use heapbase::{
    LeakingAllocator, LeakingPageAllocator, Local, RawAllocator, SizeClassAllocator,
    error::OUT_OF_MEMORY,
    memory::{PageSource, Region, Reserved, TestMemory},
    subsystem::Subsystem,
};
use parents::{Ending, zeroed_by};

const WORDS: usize = 2 * size_of::<usize>();

/// An arena aligned to a page.
#[repr(align(4096))]
struct Arena([MaybeUninit<u8>; 16_384]);

impl Arena {
    fn used() -> Box<Self> {
        Box::new(Self([MaybeUninit::new(0xa5); 16_384]))
    }
}

#[test]
fn a_region_is_handed_out_once() {
    let mut arena = Arena::used();
    let start = arena.0.as_ptr().addr();
    let mut region = Region::new(&mut arena.0[3..10_003]);
    assert_eq!(region.grow(10_001), None, "more than it has");
    let span = region.grow(1).unwrap();
    assert!(span.start >= start + 3 && span.start < start + 3 + WORDS && span.start.is_multiple_of(WORDS));
    assert!(span.start + span.len <= start + 10_003 && span.len > 10_000 - 2 * WORDS && span.len.is_multiple_of(WORDS));
    assert_eq!(region.grow(1), None, "it was handed out");
    // SAFETY: nobody uses the bytes, of which there are none.
    let mut reversed = unsafe { Region::<true>::between(region.pointer(span.start + 100), region.pointer(span.start)) };
    assert_eq!(reversed.grow(1), None);
}

#[test]
fn a_region_serves_no_more_than_it_has() {
    let mut arena = Arena::used();
    let mut heap = SizeClassAllocator::with_source(Region::<false>::new(&mut arena.0));
    let layout = Layout::from_size_align(100, 8).unwrap();
    let mut blocks = Vec::new();
    loop {
        // SAFETY: the size is not 0.
        let block = unsafe { heap.allocate(layout) };
        if block.is_null() {
            break;
        }
        // SAFETY: the block is live, and so long.
        unsafe { block.write_bytes(blocks.len() as u8, 100) };
        blocks.push(block);
    }
    assert_eq!(heap.check(), blocks.len());
    assert!(blocks.len() * 100 > 8_000 && blocks.len() * 100 < 16_384, "{}", blocks.len());
    for (count, block) in blocks.iter().enumerate() {
        // SAFETY: the block is live, and so long.
        assert!((0..100).all(|at| unsafe { block.add(at).read() } == count as u8), "nobody wrote to the block");
    }
}

/// Memory that was used before is not zero: where a source does not promise it, `allocate_zeroed` clears.
#[test]
fn zeroed_blocks_are_cleared_on_used_memory() {
    fn case<'a, A: RawAllocator>(arena: &'a mut Arena, on: impl FnOnce(Region<'a>) -> A) {
        let mut heap = on(Region::new(&mut arena.0));
        for size in [1, 100, 1_000, 5_000] {
            // SAFETY: the size is not 0, and the block so long.
            unsafe {
                let block = heap.allocate_zeroed(Layout::from_size_align(size, 1).unwrap());
                assert!((0..size).all(|at| block.add(at).read() == 0), "{size}");
            }
        }
    }
    case(&mut Arena::used(), SizeClassAllocator::with_source);
    case(&mut Arena::used(), LeakingAllocator::with_source);
    // It has one block only.
    let mut arena = Arena::used();
    let mut heap = LeakingPageAllocator::with_source(Region::<false>::new(&mut arena.0));
    // SAFETY: the size is not 0, and the block so long.
    unsafe {
        let block = heap.allocate_zeroed(Layout::from_size_align(10_000, 1).unwrap());
        assert!((0..10_000).all(|at| block.add(at).read() == 0));
    }
}

#[test]
fn a_page_is_aligned_or_there_is_none() {
    let mut heap = LeakingPageAllocator::with_source(TestMemory::new(9));
    let layout = Layout::from_size_align(8, 2 * 65_536).unwrap();
    let (mut served, mut refused) = (0, 0);
    for _ in 0..8 {
        // SAFETY: the size is not 0.
        let block = unsafe { heap.allocate(layout) };
        assert_eq!(block.addr() % layout.align(), 0);
        *(if block.is_null() { &mut refused } else { &mut served }) += 1;
    }
    assert_eq!((served, refused), (4, 4), "every second page is aligned to two");
    let mut arena = Arena::used();
    let mut heap = LeakingPageAllocator::with_source(Region::<false>::new(&mut arena.0[WORDS..]));
    // SAFETY: the size is not 0.
    assert!(unsafe { heap.allocate(Layout::from_size_align(8, 4_096).unwrap()) }.is_null());
}

/// A heap in memory that it reserves.
fn own<P: Allocator>(parent: P, bytes: usize) -> Result<Local<SizeClassAllocator<Reserved<P>>>, AllocError> {
    Ok(Local::new(SizeClassAllocator::with_source(Reserved::new(parent, bytes)?)))
}

#[test]
fn a_part_reserves_a_heap_of_its_own() {
    let server = Subsystem::new("server", Global);
    let request = own(&server, 64 * 1024 + 5).unwrap();
    assert_eq!(server.figures().live, 64 * 1024);
    BoxIn::leak(BoxIn::new_in([1u8; 1_000], &request));
    // The bound holds, and the heap is whole afterwards.
    let mut blocks = Vec::new();
    while let Ok(block) = BoxIn::try_new_in([2u8; 1_000], &request) {
        blocks.push(block);
        assert!(blocks.len() < 100, "more than was reserved");
    }
    assert!((55..=64).contains(&blocks.len()), "{}", blocks.len());
    blocks.pop();
    blocks.push(BoxIn::new_in([3u8; 1_000], &request));
    assert!(blocks.iter().rev().skip(1).all(|block| **block == [2; 1_000]));
    drop(blocks);
    assert_eq!((server.figures().live, server.figures().refused), (64 * 1024, 0));
    // What was leaked goes back too.
    drop(request);
    assert_eq!(server.figures().live, 0);

    // What is in it moves with the heap.
    let mut numbers = VecIn::new_in(own(&server, 64 * 1024).unwrap());
    numbers.extend(0..100u32);
    let mut moved = vec![numbers];
    moved[0].extend(100..1_000);
    assert!(moved[0].iter().copied().eq(0..1_000));
    drop(moved);

    server.close().unwrap();
    // Its memory is others', used before.
    let outer = Local::new(SizeClassAllocator::with_source(TestMemory::new(16)));
    let mut bytes = VecIn::new_in(&outer);
    bytes.resize(256 * 1024, 0xaa_u8);
    drop(bytes);
    zeroed_by(own(&outer, 256 * 1024).unwrap());
}

#[test]
fn what_cannot_be_reserved_is_not_booked() {
    let server = Subsystem::new("server", Ending(Cell::new(false)));
    server.set_budget(64 * 1024);
    assert!(own(&server, 64 * 1024 + 16).is_err());
    let before = server.figures();
    assert_eq!((before.live, before.refused, before.failed), (0, 1, 0));
    server.parent().0.set(true);
    assert!(own(&server, 64 * 1024).is_err());
    assert_eq!(server.figures().denied_since(&before), Some(&OUT_OF_MEMORY));
    server.parent().0.set(false);
    let first = own(&server, 64 * 1024).unwrap();
    assert!(own(&server, 16).is_err(), "the first has all of it");
    server.parent().0.set(true);
    assert_eq!(*BoxIn::new_in(5, &first), 5, "it asks no more");
    drop(first);
    server.parent().0.set(false);
    assert!(own(&server, usize::MAX).is_err(), "no block is so large");
    // Too little to be a heap.
    for bytes in [0, 1, 15, 16, 100] {
        assert!(BoxIn::try_new_in(5, &own(&server, bytes).unwrap()).is_err(), "{bytes}");
    }
    assert_eq!(*BoxIn::try_new_in(5, &own(&server, 1_024).unwrap()).unwrap(), 5);
    server.close().unwrap();
}

#[test]
#[should_panic(expected = "a reservation fits the address space")]
fn a_reservation_that_wraps_is_refused() {
    TestMemory::new(usize::MAX / 65_536 + 2);
}

#[test]
fn nobody_takes_more_than_there_is() {
    let mut memory = TestMemory::new(3);
    let first = memory.grow(1).unwrap();
    let stolen = memory.steal(usize::MAX);
    assert_eq!((stolen.start, stolen.len), (first.start + first.len, 2 * 65_536));
    assert_eq!(memory.grow(1), None);
    assert_eq!(memory.steal(1).len, 0);
}
