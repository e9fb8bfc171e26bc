//! Named cases that other allocators got wrong, for each of ours.

mod driver;
#[path = "driver/native.rs"]
mod native;

use core::{alloc::Layout, mem::MaybeUninit};
use driver::{Driver, Op, Subject};
use heapbase::{
    FreeListAllocator, Kind, LeakingAllocator, RawAllocator, SizeClassAllocator, SizedByAddress, malloc,
    memory::{PageSource, Region, Span, TestMemory},
};

const PAGE: u32 = 65_536;

fn allocate(size: u32) -> Op {
    Op::Allocate { size, align_log2: 3, zeroed: false }
}

/// Runs a case on every allocator that has memory of its own.
fn on_each(case: impl Fn(&mut dyn FnMut(Op))) {
    fn run<S: Subject>(subject: S, case: impl Fn(&mut dyn FnMut(Op))) {
        let mut driver = Driver::new(subject);
        driver.most_bytes = 64 << 20;
        case(&mut |op| driver.step(op));
        assert_eq!(driver.nulls, 0, "there is memory enough");
        driver.regain();
    }
    run(SizeClassAllocator::with_source(TestMemory::new(1_000)), &case);
    run(FreeListAllocator::with_source(TestMemory::new(1_000)), &case);
    run(LeakingAllocator::with_source(TestMemory::new(1_000)), &case);
}

#[test]
fn exact_multiples_of_a_page() {
    on_each(|step| {
        for pages in 1..=8 {
            step(allocate(pages * PAGE));
            step(Op::Reallocate { index: pages, size: (pages + 1) * PAGE });
            step(Op::Free { index: pages / 2, sized: true });
        }
    });
}

#[test]
fn a_page_and_a_few_bytes_more_or_less() {
    on_each(|step| {
        for near in (PAGE - 40..=PAGE + 40).chain(4 * PAGE - 20..4 * PAGE + 20) {
            step(allocate(near));
            step(Op::Free { index: 0, sized: near % 2 == 0 });
        }
    });
}

#[test]
fn alignment_of_a_page_and_above() {
    on_each(|step| {
        for align_log2 in 10..=17 {
            for size in [1, 100, 5_000, 70_000] {
                step(Op::Allocate { size, align_log2, zeroed: false });
                step(allocate(24));
                step(Op::Reallocate { index: 0, size: size * 2 });
                step(Op::Free { index: 1, sized: false });
            }
        }
    });
}

#[test]
fn somebody_else_grows_the_memory_in_between() {
    on_each(|step| {
        for round in 0..40 {
            step(allocate(20 + round * 500));
            step(Op::Steal { pages: (round % 3) as u8 });
            step(allocate(PAGE + round));
            step(Op::Reallocate { index: round, size: PAGE * 2 });
        }
    });
}

#[test]
fn zeroed_memory_next_to_a_foreign_page() {
    on_each(|step| {
        for round in 0..20 {
            step(Op::Allocate { size: PAGE - 100 * round, align_log2: 3, zeroed: true });
            step(Op::Steal { pages: 1 });
            step(Op::Free { index: round / 2, sized: true });
            step(Op::Allocate { size: 9 * round + 1, align_log2: 12, zeroed: true });
        }
    });
}

/// Out of memory leaves the heap usable: what was live stays, what is freed can be had again.
fn goes_on_after_out_of_memory<S: Subject>(fresh: impl Fn(usize) -> S) {
    for size in [40, 1_000, 30_000] {
        let mut driver = Driver::new(fresh(64));
        driver.most_blocks = 1 << 20;
        driver.most_bytes = 64 << 20;
        driver.step(allocate(size));
        driver.step(Op::Fail { fail: true });
        while driver.nulls == 0 {
            driver.apply(allocate(size));
        }
        driver.step(Op::Reallocate { index: 0, size: 1 << 20 });
        assert_eq!(driver.nulls, 2, "there is no such block");
        driver.step(Op::Free { index: 0, sized: true });
        driver.step(Op::Free { index: 0, sized: false });
        driver.step(allocate(size));
        driver.step(allocate(size));
        assert_eq!(driver.nulls, 2, "what was freed can be had again");
        driver.step(Op::Fail { fail: false });
        driver.step(allocate(PAGE));
        assert_eq!(driver.nulls, 2, "memory grows again");
        driver.regain();
    }
}

#[test]
fn out_of_memory_and_then_on() {
    goes_on_after_out_of_memory(|pages| SizeClassAllocator::with_source(TestMemory::new(pages)));
    goes_on_after_out_of_memory(|pages| FreeListAllocator::with_source(TestMemory::new(pages)));
}

#[test]
fn enormous_requests_fail_and_change_nothing() {
    fn run<S: Subject>(mut subject: S) {
        for size in [isize::MAX as usize - 65_535, isize::MAX as usize / 2, 1 << 30] {
            for align in [1, 8, 4096] {
                let layout = Layout::from_size_align(size, align).unwrap();
                // SAFETY: the size is not 0.
                assert!(unsafe { subject.raw().allocate(layout) }.is_null());
                subject.walk(0, 0);
            }
        }
        let mut driver = Driver::new(subject);
        driver.step(allocate(100));
        driver.step(Op::Reallocate { index: 0, size: u32::MAX });
        driver.clear();
    }
    run(SizeClassAllocator::with_source(TestMemory::new(4)));
    run(FreeListAllocator::with_source(TestMemory::new(4)));
    run(LeakingAllocator::with_source(TestMemory::new(4)));
}

/// Everything freed is in two pieces again, below and above the byte map: blocks of nearly all of it fit without growing.
#[test]
fn all_memory_comes_back() {
    let mut heap = SizeClassAllocator::with_source(TestMemory::new(64));
    let layout = |size| Layout::from_size_align(size, 8).unwrap();
    let mut blocks = Vec::new();
    for index in 0..20_000usize {
        let size = 1 + index * 37 % 150;
        // SAFETY: the size is not 0.
        blocks.push((unsafe { heap.allocate(layout(size)) }, layout(size)));
    }
    assert!(blocks.iter().all(|(block, _)| !block.is_null()));
    let pages = heap.source().pages();
    for (block, layout) in blocks {
        // SAFETY: allocated above.
        unsafe { heap.deallocate(block, layout) };
    }
    assert_eq!(heap.check(), 0);
    assert!(heap.statistics().classes.iter().all(|class| class.live == 0));
    let fifth = pages * PAGE as usize / 5;
    for _ in 0..4 {
        // SAFETY: the size is not 0.
        assert!(!unsafe { heap.allocate(layout(fifth)) }.is_null());
    }
    assert_eq!(heap.source().pages(), pages, "memory did not grow");
    heap.check();
}

/// The figure that the documentation states: of a block, at most 11.2 % are not the size rounded up to 8 bytes. All sizes
/// that round up alike get the same block, so one of each is tried.
#[test]
fn rounding_wastes_as_little_as_stated() {
    let word = size_of::<usize>();
    for size in (1..=1_024 * word).step_by(2 * word) {
        let mut heap = SizeClassAllocator::with_source(TestMemory::new(64));
        let layout = Layout::from_size_align(size, 1).unwrap();
        let count = (2 << 20) / size.max(1_024);
        // SAFETY: the size is not 0.
        let blocks: Vec<usize> = (0..count).map(|_| unsafe { heap.allocate(layout) }.addr()).collect();
        assert!(!blocks.contains(&0), "there is memory enough");
        let span = blocks.iter().max().unwrap() - blocks.iter().min().unwrap();
        let each = span as f64 / (count - 1) as f64;
        let least = size.next_multiple_of(2 * word) as f64;
        // The byte map lies in between: a thousandth.
        assert!((each - least) / each <= 0.112, "{size}: {each} bytes a block");
    }
}

/// Memory of which somebody else takes a page after every growth, so that no two spans touch.
struct Scattered {
    memory: TestMemory,
    growths: usize,
}

// SAFETY: every promise is the test memory's.
unsafe impl PageSource for Scattered {
    const ZEROED: bool = TestMemory::ZEROED;

    fn grow(&mut self, least: usize) -> Option<Span> {
        self.growths += 1;
        let span = self.memory.grow(least);
        self.memory.steal(1);
        span
    }

    fn pointer(&self, address: usize) -> *mut u8 {
        self.memory.pointer(address)
    }
}

/// What the top lacks is asked for first; if that comes from elsewhere, the whole. Once this asked for the missing part again
/// and again.
#[test]
fn spans_that_never_touch_serve_what_is_larger_than_one() {
    let mut heap = SizeClassAllocator::with_source(Scattered { memory: TestMemory::new(200), growths: 0 });
    let layout = |size| Layout::from_size_align(size, 8).unwrap();
    for size in [40_000, 65_000, 200_000, 1_000_000] {
        let before = heap.source().growths;
        // SAFETY: the size is not 0; the block is given back for what it was grown to.
        unsafe {
            let block = heap.allocate(layout(size));
            assert!(!block.is_null(), "{size}");
            assert!(heap.source().growths - before <= 2, "{size}: asked more than twice");
            let grown = heap.reallocate(block, layout(size), size + 300_000);
            assert!(!grown.is_null(), "{size}");
            heap.check();
            heap.deallocate(grown, layout(size + 300_000));
        }
        heap.check();
    }
    let before = heap.source().growths;
    // SAFETY: the size is not 0.
    assert!(unsafe { heap.allocate(layout(20_000_000)) }.is_null(), "more than there is");
    assert!(heap.source().growths - before <= 2);
    heap.check();
}

/// What waits in lists goes back before a heap that cannot grow says that it is full.
#[test]
fn what_waits_serves_other_sizes() {
    let mut heap = SizeClassAllocator::with_source(TestMemory::new(4));
    let layout = |size| Layout::from_size_align(size, 8).unwrap();
    for size in [24, 120, 400, 3_000, 40, 100_000] {
        let mut blocks = Vec::new();
        // SAFETY: the size is not 0, and blocks are given back once.
        unsafe {
            loop {
                let block = heap.allocate(layout(size));
                if block.is_null() {
                    break;
                }
                blocks.push(block);
            }
            assert!(blocks.len() * size > 150_000, "{size}: only {} blocks", blocks.len());
            heap.check();
            blocks.into_iter().for_each(|block| heap.deallocate(block, layout(size)));
        }
        heap.check();
    }
}

/// Sending home takes so many blocks of a list at a time: more of them go home as well before a request fails.
#[test]
fn all_that_waits_serves_other_sizes() {
    for (size, count) in [(1, 40_000), (120, 20_000), (1_000, 13_000)] {
        let mut heap = SizeClassAllocator::with_source(TestMemory::new(1_000));
        let layout = |size| Layout::from_size_align(size, 8).unwrap();
        // SAFETY: the size is not 0, and blocks are given back once.
        unsafe {
            let blocks: Vec<_> = (0..count).map(|_| heap.allocate(layout(size))).collect();
            assert!(blocks.iter().all(|block| !block.is_null()));
            heap.source_mut().limit(0);
            blocks.into_iter().for_each(|block| heap.deallocate(block, layout(size)));
            assert_eq!(heap.check(), 0);
            // The byte map lies in between.
            let most = heap.source().pages() * PAGE as usize * 2 / 5;
            assert!(!heap.allocate(layout(most)).is_null(), "{size}");
        }
        assert_eq!(heap.check(), 1);
    }
}

/// The same for blocks that wait and are not aligned as a request wants: they go home before the list gets others.
#[test]
fn what_waits_unaligned_is_not_lost() {
    let mut heap = SizeClassAllocator::with_source(TestMemory::new(300));
    let unit = 2 * size_of::<usize>();
    let [large, class] = [100 * unit, 8 * unit].map(|size| Layout::from_size_align(size, 1).unwrap());
    let aligned = Layout::from_size_align(8 * unit, 64).unwrap();
    // SAFETY: the sizes are not 0; blocks are given back once, by address where their sizes changed.
    unsafe {
        // Tagged blocks that were made small wait where those of the class do.
        let blocks: Vec<_> = (0..6_000).map(|_| heap.allocate(large)).collect();
        let kept = blocks.iter().filter(|block| block.addr() % 64 == 0).count();
        assert!(kept < 6_000);
        for block in blocks {
            assert!(heap.resize(block, class.size()));
            if block.addr() % 64 != 0 {
                heap.free(block);
            }
        }
        assert_eq!(heap.check(), kept);
        for count in 1..100 {
            assert_eq!(heap.allocate(aligned).addr() % 64, 0);
            assert_eq!(heap.check(), kept + count, "nothing was lost");
        }
    }
}

/// There is room for a slab but none for the byte map: then it serves as many blocks as fit, each with a tag.
#[test]
fn without_memory_for_the_byte_map_no_slab_takes_any() {
    let mut driver = Driver::new(SizeClassAllocator::with_source(TestMemory::new(1)));
    driver.most_blocks = 1_000;
    let unit = 2 * size_of::<usize>() as u32;
    let (small, slab) = (5 * unit, 128 * unit);
    // A class's first blocks are tagged ones.
    (0..24).for_each(|_| driver.step(allocate(small)));
    driver.step(Op::Allocate { size: slab - unit / 2, align_log2: slab.ilog2() as u8, zeroed: false });
    driver.step(Op::Fail { fail: true });
    for size in [2_048, 512, 128, 64, 32, 16, 15, 7, 3, 1] {
        let nulls = driver.nulls;
        while driver.nulls == nulls {
            driver.step(allocate(size * unit));
        }
    }
    driver.step(Op::Free { index: 24, sized: true });
    let nulls = driver.nulls;
    // Each takes a tag and its five units.
    (0..slab / (6 * unit)).for_each(|_| driver.step(allocate(small)));
    assert_eq!(driver.nulls, nulls, "they share what a slab would take");
    assert_eq!(driver.subject.statistics().slab_bytes, 0);
    driver.regain();
}

/// Requests of two alignments that share a list: what waits for one must not pile up because the other cannot use it.
#[test]
fn two_alignments_share_a_list() {
    let unit = 2 * size_of::<usize>();
    for units in [3, 25, 125, 400] {
        let mut heap = SizeClassAllocator::with_source(TestMemory::new(400));
        let layout = |units, align| Layout::from_size_align(units * unit, align * unit).unwrap();
        let (one, other) = (layout(units, 1), layout(units + units % 2, 2));
        // SAFETY: sizes are not 0, and each block is given back once.
        unsafe {
            let stays = heap.allocate(layout(40 * PAGE as usize / unit, 1));
            let pages = heap.source().pages();
            let mut odd = heap.allocate(one);
            while odd.addr().is_multiple_of(2 * unit) {
                odd = heap.allocate(one);
            }
            heap.deallocate(odd, one);
            for _ in 0..20_000 {
                let [first, second] = [heap.allocate(other), heap.allocate(one)];
                heap.deallocate(first, other);
                heap.deallocate(second, one);
            }
            assert!(heap.source().pages() <= pages + 1, "{units} units: from {pages} to {}", heap.source().pages());
            assert!(!stays.is_null());
        }
        heap.check();
    }
}

/// A request that what waits is not aligned for sends some of it home, and the rest goes on waiting.
#[test]
fn an_aligned_request_leaves_what_it_does_not_send_home() {
    let unit = 2 * size_of::<usize>();
    let mut heap = SizeClassAllocator::with_source(TestMemory::new(100));
    let (one, aligned) =
        (Layout::from_size_align(4 * unit, 1).unwrap(), Layout::from_size_align(4 * unit, 4 * unit).unwrap());
    // SAFETY: sizes are not 0, and each block is given back once.
    unsafe {
        let blocks: Vec<*mut u8> = (0..40_000).map(|_| heap.allocate(one)).collect();
        // The first ones are of no slab, so they are as the tag in front of them leaves them.
        let odd = blocks.iter().position(|block| !block.addr().is_multiple_of(4 * unit)).expect("a tag is in front");
        for index in (0..blocks.len()).filter(|index| *index != odd).chain([odd]) {
            heap.deallocate(blocks[index], one);
        }
        let mut live = Vec::new();
        while live.len() < 50_000 {
            let block = heap.allocate(aligned);
            assert!(block.addr().is_multiple_of(4 * unit));
            live.push(block);
            if live.len() % 1_000 < 4 {
                assert_eq!(heap.check(), live.len());
            }
        }
        live.sort();
        assert!(live.windows(2).all(|pair| pair[1].addr() - pair[0].addr() >= 4 * unit));
    }
}

/// An alignment that cannot be served takes no memory, and one that can does so by one growth.
#[test]
fn the_leaking_allocator_keeps_what_an_alignment_cannot_use() {
    let page = PAGE as usize;
    let mut heap = LeakingAllocator::with_source(TestMemory::new(64));
    let layout = |size, align| Layout::from_size_align(size, align).unwrap();
    // SAFETY: the sizes are not 0.
    unsafe {
        assert!(heap.allocate(layout(1, 1024 * page)).is_null());
        assert_eq!(heap.source().pages(), 0);
        let aligned = heap.allocate(layout(1, 8 * page));
        assert!(!aligned.is_null() && aligned.addr().is_multiple_of(8 * page));
        let pages = heap.source().pages();
        assert!(pages <= 9);
        assert!(heap.allocate(layout(page, 1024 * page)).is_null());
        assert_eq!(heap.source().pages(), pages);
        assert!(!heap.allocate(layout((64 - pages) * page, 1)).is_null());
    }
}

/// What is behind a block may wait in a list: it is no room to grow into until it went home.
#[test]
fn a_block_grows_into_what_waits_behind_it() {
    let layout = |size: usize| Layout::from_size_align(size, 8).unwrap();
    let page = PAGE as usize;
    for by_address in [false, true] {
        let mut heap = SizeClassAllocator::with_source(TestMemory::new(1));
        // SAFETY: sizes are not 0, and each block is given back once.
        unsafe {
            let block = heap.allocate(layout(page / 2));
            block.write_bytes(0x5a, page / 2);
            let behind: Vec<*mut u8> = (0..5).map(|_| heap.allocate(layout(4_000))).collect();
            behind.into_iter().for_each(|block| heap.deallocate(block, layout(4_000)));
            let larger = 3 * page / 4;
            let grown = if by_address {
                malloc::realloc(&mut heap, block, larger)
            } else {
                heap.reallocate(block, layout(page / 2), larger)
            };
            assert_eq!(grown, block);
            assert!((0..page / 2).all(|at| grown.add(at).read() == 0x5a));
            assert_eq!(heap.check(), 1);
            // And what cannot be had leaves the block as it was.
            assert!(heap.reallocate(grown, layout(larger), 2 * page).is_null());
            heap.deallocate(grown, layout(larger));
        }
        assert_eq!(heap.check(), 0);
    }
}

/// Only what is lacking is asked for.
#[test]
fn memory_grows_by_what_the_top_lacks() {
    let mut heap = SizeClassAllocator::with_source(TestMemory::new(16));
    let layout = |size: usize| Layout::from_size_align(size, 8).unwrap();
    // SAFETY: sizes are not 0, and each block is given back once.
    unsafe {
        let first = heap.allocate(layout(100_000));
        assert_eq!(heap.source().pages(), 2);
        let second = heap.allocate(layout(150_000));
        assert_eq!(heap.source().pages(), 4);
        // To the byte.
        let end = second.addr() + heap.usable_size(second);
        let room = first.addr().next_multiple_of(PAGE as usize) + 3 * PAGE as usize - end;
        let third = heap.allocate(layout(room + PAGE as usize - 4 * size_of::<usize>()));
        assert_eq!(heap.source().pages(), 5);
        assert!(!third.is_null());
    }
    assert_eq!(heap.check(), 3);
}

/// A slab may reach past what the byte map knows, with its last part only.
#[test]
fn the_byte_map_reaches_whole_slabs() {
    let unit = 2 * size_of::<usize>();
    let slab = 128 * unit;
    // Where the heap begins decides which part of a slab the map ends in.
    for begin in 0..4 {
        let mut arena = vec![MaybeUninit::<u8>::uninit(); 1_100 * slab];
        let start = arena.as_ptr().addr().next_multiple_of(4 * slab) - arena.as_ptr().addr() + begin * slab;
        let mut heap = SizeClassAllocator::with_source(Region::<false>::new(&mut arena[start..][..1_090 * slab]));
        let layout = Layout::from_size_align(15 * unit, 1).unwrap();
        let mut blocks = Vec::new();
        loop {
            // SAFETY: the size is not 0.
            let block = unsafe { heap.allocate(layout) };
            if block.is_null() {
                break;
            }
            blocks.push(block);
            if blocks.len() % 128 == 0 {
                assert_eq!(heap.check(), blocks.len());
            }
        }
        assert!(blocks.len() > 8_000, "{}", blocks.len());
        // All slabs become free, each of which knows none before it at first.
        // SAFETY: each block is given back once.
        blocks.into_iter().for_each(|block| unsafe { heap.deallocate(block, layout) });
        let large = Layout::from_size_align(1_000 * slab, 1).unwrap();
        // SAFETY: the size is not 0.
        assert!(unsafe { !heap.allocate(large).is_null() });
        assert_eq!(heap.check(), 1);
    }
}

/// Blocks above 7 MiB share a bin, of which all are looked at.
#[test]
fn the_largest_free_blocks_are_all_looked_at() {
    let mut heap = SizeClassAllocator::with_source(TestMemory::new(1_200));
    let layout = |mib: usize| Layout::from_size_align(mib << 20, 8).unwrap();
    // SAFETY: the size is not 0, and blocks are given back once.
    unsafe {
        let [first, _, second, _, third, _] = [17, 1, 20, 1, 15, 1].map(|mib| heap.allocate(layout(mib)));
        heap.deallocate(first, layout(17));
        heap.deallocate(second, layout(20));
        heap.deallocate(third, layout(15));
        heap.source_mut().limit(0);
        assert_eq!(heap.allocate(layout(18)), second);
        assert_eq!(heap.allocate(layout(16)), first);
        assert!(heap.allocate(layout(16)).is_null(), "two are left, and neither is so large");
        assert_eq!(heap.allocate(layout(15)), third);
    }
    assert_eq!(heap.check(), 6);
}

/// Four slabs of a class are the smallest, four twice as large, and from then on they are of four times the size, where that is not
/// more than 127 blocks.
#[test]
fn slabs_grow_as_stated() {
    let unit = 2 * size_of::<usize>();
    let slab = 128 * unit;
    for class in 1..16 {
        let mut heap = SizeClassAllocator::with_source(TestMemory::new(64));
        let layout = Layout::from_size_align(class * unit, 1).unwrap();
        // What is in use with each slab, and that slab.
        let (mut sizes, mut before) = (Vec::new(), std::collections::BTreeSet::new());
        for _ in 0..24 {
            // SAFETY: the size is not 0.
            assert!(!unsafe { heap.allocate(layout) }.is_null());
        }
        while sizes.len() < 12 {
            // SAFETY: the size is not 0.
            assert!(!unsafe { heap.allocate(layout) }.is_null());
            heap.map(|stretch| {
                if let Kind::Slab { block_bytes, .. } = stretch.kind
                    && before.insert(stretch.start)
                {
                    assert_eq!(block_bytes, class * unit);
                    sizes.push((stretch.len + size_of::<usize>()) / slab);
                }
            });
        }
        let most = [4, 2, 1].into_iter().find(|times| times * slab / (class * unit) <= 128).unwrap();
        let expected: Vec<usize> = (0..12).map(|made| [1, 2, 4][made / 4].min(most)).collect();
        assert_eq!(sizes, expected, "{class}");
    }
}

/// What alignment leaves over on either side of a block serves others.
#[test]
fn alignment_gaps_of_the_free_list_are_reusable() {
    let mut heap = FreeListAllocator::with_source(TestMemory::new(1));
    let layout = |size, align| Layout::from_size_align(size, align).unwrap();
    let page = PAGE as usize;
    // SAFETY: the size is not 0.
    unsafe {
        let middle = heap.allocate(layout(64, page / 2));
        assert_eq!(middle.addr() % page, page / 2, "the highest place that is so aligned");
        let (below, above) = (page / 2, page / 2 - 64);
        assert_eq!(heap.check(), below + above);
        heap.source_mut().limit(0);
        assert!(!heap.allocate(layout(below, 1)).is_null() && !heap.allocate(layout(above, 1)).is_null());
        assert!(heap.allocate(layout(1, 1)).is_null());
    }
    assert_eq!(heap.check(), 0);
}

/// Memory comes from elsewhere once and then no more: what waits goes home, and merges with what was the top until then, where tags lie.
#[test]
fn zeroed_memory_is_zero_where_the_top_was() {
    let mut heap = SizeClassAllocator::with_source(TestMemory::new(64));
    let layout = |size: usize| Layout::from_size_align(size, 8).unwrap();
    let page = PAGE as usize;
    // SAFETY: blocks are given back once, with their layouts, and the source is told of its limit only.
    unsafe {
        let below = heap.allocate(layout(41 * page - 62 * 1024 - 8_208 - 56));
        let waiting = heap.allocate(layout(8_192));
        assert!(!below.is_null() && !waiting.is_null());
        heap.deallocate(waiting, layout(8_192));
        heap.source_mut().steal(1);
        heap.source_mut().limit(43);
        let size = 66 * 1024;
        let zeroed = heap.allocate_zeroed(layout(size));
        assert!(!zeroed.is_null());
        heap.check();
        assert!((0..size).all(|at| zeroed.add(at).read() == 0));
        heap.deallocate(zeroed, layout(size));
        heap.deallocate(below, layout(41 * page - 62 * 1024 - 8_208 - 56));
    }
}

/// A large block grows where it is, at the top or into a free neighbour, and shrinks where it is, to the unit.
#[test]
fn large_blocks_grow_and_shrink_where_they_are() {
    let mut heap = SizeClassAllocator::with_source(TestMemory::new(64));
    let layout = |size: usize| Layout::from_size_align(size, 8).unwrap();
    let unit = 2 * size_of::<usize>();
    let size = 10_000;
    // SAFETY: sizes are not 0, and blocks are given back once, with the size that they have.
    unsafe {
        // At the top.
        let block = heap.allocate(layout(size));
        assert_eq!(heap.reallocate(block, layout(size), 2 * size), block);
        assert_eq!(heap.reallocate(block, layout(2 * size), size), block);
        // Into what is free above, all of it and a part.
        let above = heap.allocate(layout(size));
        let last = heap.allocate(layout(size));
        heap.deallocate(above, layout(size));
        assert_eq!(heap.reallocate(block, layout(size), size + size / 2), block);
        assert_eq!(heap.reallocate(block, layout(size + size / 2), 2 * size), block);
        let moved = heap.reallocate(block, layout(2 * size), 3 * size);
        assert_ne!(moved, block, "there is a block in between");
        heap.check();
        // What a block gives up is free at once, each time, and comes back in one piece.
        let pages = heap.source().pages();
        let free = heap.statistics().free_bytes;
        let mut now = size;
        for _ in 0..8 {
            let next = now - 4 * unit;
            assert_eq!(heap.reallocate(last, layout(now), next), last);
            now = next;
            heap.check();
        }
        assert!(heap.statistics().free_bytes >= free + 8 * 3 * unit, "shrinking frees");
        assert_eq!(heap.reallocate(last, layout(now), size), last, "and what it freed is there to grow into");
        assert_eq!(heap.source().pages(), pages);
        heap.deallocate(last, layout(size));
        heap.deallocate(moved, layout(3 * size));
        assert_eq!(heap.check(), 0);
    }
}

/// What is left of a span when memory goes on elsewhere is not lost, however little.
#[test]
fn the_rest_of_a_span_is_free_where_the_next_lies_elsewhere() {
    let layout = |size: usize| Layout::from_size_align(size, 8).unwrap();
    for rest in [700, 1_500, 3_000] {
        let mut heap = SizeClassAllocator::with_source(TestMemory::new(64));
        // SAFETY: sizes are not 0; the source is told who takes the next page.
        unsafe {
            assert!(!heap.allocate(layout(PAGE as usize - rest)).is_null());
            heap.source_mut().steal(1);
            assert!(!heap.allocate(layout(PAGE as usize - 500)).is_null());
            let pages = heap.source().pages();
            assert_eq!(pages, 2);
            // For which there is no room behind the second.
            assert!(!heap.allocate(layout(rest - 400)).is_null());
            assert_eq!(heap.source().pages(), pages, "{rest}: it was there");
        }
        heap.check();
    }
}
