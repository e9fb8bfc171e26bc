//! Memory that lies between blocks: the bounds that the documentation states, and programs that come near them.

use core::alloc::Layout;
use heapbase::{Kind, RawAllocator, SizeClassAllocator, SizedByAddress, memory::TestMemory};

#[path = "driver/xorshift.rs"]
mod xorshift;

type Heap = SizeClassAllocator<TestMemory>;

const WORD: usize = size_of::<usize>();
const UNIT: usize = 2 * WORD;
const PAGE: usize = 65_536;

/// The worst case that the documentation states: one block in use keeps its slab, and no more than that.
#[test]
fn fragmentation_is_bounded_as_stated() {
    let mut heap = SizeClassAllocator::with_source(TestMemory::new(200));
    let layout = Layout::from_size_align(1, 1).unwrap();
    let slab = 256 * WORD;
    let mut kept = std::collections::BTreeSet::new();
    // SAFETY: the size is not 0, and blocks are given back once.
    unsafe {
        // A class's first blocks are tagged ones.
        (0..24).for_each(|_| assert!(!heap.allocate(layout).is_null()));
        let blocks: Vec<*mut u8> = (0..50_000).map(|_| heap.allocate(layout)).collect();
        for block in blocks {
            if !kept.insert(block.addr() / slab) {
                heap.deallocate(block, layout);
            }
        }
    }
    heap.check();
    let figures = heap.statistics();
    assert_eq!(figures.classes[1].live, kept.len());
    assert!(figures.slab_bytes <= kept.len() * slab, "a slab for each block that is left");
}

/// The tagged blocks of a heap of one segment.
#[derive(Default)]
struct Extent {
    bottom: usize,
    /// Where the top begins.
    top: usize,
    /// Blocks in use or waiting, slabs among them, and their bytes.
    blocks: usize,
    bytes: usize,
    largest_free: usize,
}

impl Extent {
    fn of(heap: &Heap) -> Self {
        let (mut extent, mut free) = (Self::default(), 0);
        heap.map(|stretch| {
            // What was taken for the top was a free block.
            extent.largest_free = extent.largest_free.max(free);
            free = 0;
            if extent.bottom == 0 {
                extent.bottom = stretch.start;
            }
            extent.top = stretch.start;
            if stretch.kind == Kind::Free {
                free = stretch.len + WORD;
            } else {
                extent.blocks += 1;
                extent.bytes += stretch.len + WORD;
            }
        });
        extent
    }

    fn len(&self) -> usize {
        self.top - self.bottom
    }

    /// The bound when the top has risen for a block of so many bytes.
    fn assert_bounded(&self, size: usize) {
        let free = (size * 5 / 4).max(20 * UNIT);
        assert!(self.largest_free < free, "{} bytes are free, the top rose for {size}", self.largest_free);
        assert!(self.len() <= self.bytes + (self.blocks + 1) * free);
    }
}

/// A block, its tag included, for which there is no list: of exactly so many bytes.
fn block(heap: &mut Heap, size: usize) -> *mut u8 {
    // SAFETY: the size is not 0.
    let block = unsafe { heap.allocate(Layout::from_size_align(size - WORD, 1).unwrap()) };
    assert!(!block.is_null());
    block
}

/// The program of Robson, 1974, that no policy serves with little: blocks of twice the size, again and again, where of the smaller ones those
/// stay that are in the way of most.
#[test]
fn what_no_policy_serves_well_stays_below_the_bound() {
    let (least, doublings, all) = (1_024 * UNIT, 8, 1 << 12);
    let mut heap = Heap::with_source(TestMemory::new(12_000));
    // Places and sizes, in blocks of the least size.
    let mut live: Vec<(*mut u8, usize)> = Vec::new();
    let (mut start, mut phase) = (0, 0);
    for doubling in 0..=doublings {
        let size = 1 << doubling;
        if doubling != 0 {
            // The rest, modulo the size, that most of what may stay lies on.
            let place = |block: *mut u8| (block.addr() - start) / least;
            let is_on =
                |phase: usize, (block, len): (*mut u8, usize)| (phase + size - place(block) % size) % size < len;
            let worth = |phase| live.iter().filter(|it| is_on(phase, **it)).map(|(_, len)| size - len).sum::<usize>();
            phase = [phase, phase + size / 2].into_iter().max_by_key(|phase| worth(*phase)).unwrap();
            let (stay, go): (Vec<_>, Vec<_>) = live.iter().partition(|it| is_on(phase, **it));
            live = stay;
            // SAFETY: blocks of this heap, given back once.
            go.into_iter().for_each(|(block, _)| unsafe { heap.free(block) });
        }
        let used: usize = live.iter().map(|(_, len)| len).sum();
        let mut top = Extent::of(&heap).top;
        for count in 0..(all - used) / size {
            let block = block(&mut heap, size * least);
            if start == 0 {
                start = block.addr();
            }
            live.push((block, size));
            if count % 50 == 0 || count == (all - used) / size - 1 {
                let extent = Extent::of(&heap);
                if extent.top > top && block.addr() > top {
                    extent.assert_bounded(size * least);
                }
                top = extent.top;
            }
        }
    }
    let times = Extent::of(&heap).len() as f64 / (all * least) as f64;
    println!("{times:.2} times what is in use");
    assert!((4.9..5.01).contains(&times), "{times:.2} times what is in use");
}

/// Blocks that shrink where they are, each when there is another one behind it, leave gaps in which the next one does not fit.
#[test]
fn blocks_that_shrink_stay_below_the_bound() {
    let mut heap = Heap::with_source(TestMemory::new(1_000));
    let (large, little, count) = (65_536, 20 * UNIT, 500);
    let layout = |size| Layout::from_size_align(size, 1).unwrap();
    let mut before = block(&mut heap, large);
    for _ in 0..count {
        let next = block(&mut heap, large);
        Extent::of(&heap).assert_bounded(large);
        // SAFETY: the block is in use, and of that size.
        assert_eq!(unsafe { heap.reallocate(before, layout(large - WORD), little) }, before);
        before = next;
    }
    let extent = Extent::of(&heap);
    let bound = extent.bytes + (extent.blocks + 1) * large * 5 / 4;
    println!("{:.2} of the bound", extent.len() as f64 / bound as f64);
    assert!(extent.len() * 4 > bound * 3, "the bound is near");
    assert_eq!(heap.check(), count + 1);
}

/// Whatever a program does: where the top has risen, no free block was so large as stated.
#[test]
fn free_blocks_are_small_when_the_top_rises() {
    let mut random = xorshift::Random(0x9e37_79b9_7f4a_7c15);
    let mut heap = Heap::with_source(TestMemory::new(1_000));
    let (mut live, mut rises, mut used, mut highest) = (Vec::new(), 0, 0, 0);
    for round in 0..20_000 {
        let bits = random.next();
        let size = 1 + (bits >> 32) as usize % (1 << (bits % 17));
        // Waves, so that much is free in between.
        let wave = 1 << 16 << (round / 2_000 % 4);
        if used + size > wave && !live.is_empty() {
            let (block, layout): (*mut u8, Layout) = live.swap_remove((bits >> 16) as usize % live.len());
            used -= layout.size();
            // SAFETY: a block of this heap, given back once.
            unsafe { heap.deallocate(block, layout) };
            continue;
        }
        let layout = Layout::from_size_align(size, 1).unwrap();
        // SAFETY: the size is not 0.
        let block = unsafe { heap.allocate(layout) };
        assert!(!block.is_null());
        used += size;
        live.push((block, layout));
        // A tagged block above all that ever was can only be from the top.
        if block.addr() > highest && size > 15 * UNIT {
            rises += 1;
            // SAFETY: the block is in use.
            Extent::of(&heap).assert_bounded(unsafe { heap.usable_size(block) } + WORD);
        }
        highest = highest.max(block.addr());
    }
    assert!(rises > 20, "{rises}");
}

/// A size for each list that there is.
fn sizes_of_lists() -> impl Iterator<Item = usize> + Clone {
    let eighths = |doubling: usize| (9..=16).map(move |eighth| (eighth * UNIT) << doubling);
    (1..=8).map(|units| units * UNIT).chain((0..6).flat_map(eighths))
}

/// Frees in this order: which of `left` blocks goes next.
type Order = fn(usize) -> usize;

const ORDERS: [Order; 3] =
    [|left| left - 1, |left| usize::from(left > 1), |left| (left.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % left];

/// Fills `most` bytes of the heap with blocks of one size, frees all of them, and goes on to the next size, three times through all. The pages
/// that it takes.
fn pages_of_phases(sizes: impl Iterator<Item = usize> + Clone, most: usize, order: Order) -> usize {
    let mut heap = Heap::with_source(TestMemory::new(60 * most / PAGE));
    let mut blocks = Vec::new();
    for size in sizes.clone().chain(sizes.clone()).chain(sizes) {
        let layout = Layout::from_size_align(size, 1).unwrap();
        // SAFETY: sizes are not 0, and each block is given back once.
        unsafe {
            blocks.extend((0..most / size).map(|_| heap.allocate(layout)));
            assert!(blocks.iter().all(|block| !block.is_null()));
            for left in (1..=blocks.len()).rev() {
                heap.deallocate(blocks.swap_remove(order(left)), layout);
            }
        }
    }
    heap.source().pages()
}

/// What waits in lists is memory for requests of other sizes: the heap takes no more than some four times what was in use.
#[test]
fn what_waits_in_lists_is_bounded() {
    for most in [2 * PAGE, 4 * PAGE, 16 * PAGE, 96 * PAGE] {
        for order in ORDERS {
            let all = pages_of_phases(sizes_of_lists(), most, order) * PAGE;
            let few = pages_of_phases([16, 48, 200, 1000].into_iter(), most, order) * PAGE;
            let times = |pages: usize| pages as f64 / most as f64;
            println!("{most} bytes at most: {:.2} times, four sizes {:.2} times", times(all), times(few));
            // What rounding takes counts as in use.
            assert!(2 * all.max(few) <= 9 * most);
        }
    }
}

/// The same with a vector that grows at the top before each size, and is freed or shrinks, or with somebody else who grows memory.
#[test]
fn neither_vectors_nor_others_undo_the_bound() {
    for (most, stolen, left) in [(16, 0, 0), (96, 0, 0), (16, 0, 600), (16, 5_000, 0)] {
        let (most, left) = (most * PAGE, left * UNIT);
        let mut heap = Heap::with_source(TestMemory::new(60 * most / PAGE + stolen));
        let layout = |size| Layout::from_size_align(size, 1).unwrap();
        // SAFETY: sizes are not 0, and each block is given back once, with its size.
        unsafe {
            let first = block(&mut heap, PAGE);
            heap.deallocate(first, layout(PAGE - WORD));
            heap.source_mut().steal(stolen);
            for size in sizes_of_lists() {
                // What is freed of it is enough for all blocks.
                let (mut len, mut vector) = (most / 64, heap.allocate(layout(most / 64)));
                while stolen == 0 && len < most {
                    vector = heap.reallocate(vector, layout(len), 2 * len);
                    len *= 2;
                }
                if left == 0 {
                    heap.deallocate(vector, layout(len));
                } else {
                    vector = heap.reallocate(vector, layout(len), left);
                }
                let blocks: Vec<*mut u8> = (0..most / size * 3 / 4).map(|_| heap.allocate(layout(size))).collect();
                blocks.into_iter().for_each(|block| heap.deallocate(block, layout(size)));
                if left != 0 {
                    heap.deallocate(vector, layout(left));
                }
            }
        }
        let times = (heap.source().pages() * PAGE) as f64 / most as f64;
        println!("{most} bytes at most, {stolen} pages stolen, {left} bytes left: {times:.2} times");
        // What rounding takes counts as in use.
        assert!(times < 4.5, "{times:.2} times what is in use");
    }
}

/// What waits is not sent home each time: where as much stays in use as each of three sizes takes in turn, each has its blocks waiting.
#[test]
fn sizes_that_recur_are_kept() {
    let (most, sizes) = (16 * PAGE, [48, 200, 1000]);
    let mut heap = Heap::with_source(TestMemory::new(100));
    block(&mut heap, most);
    for size in sizes.into_iter().cycle().take(60) {
        let layout = Layout::from_size_align(size, 1).unwrap();
        // SAFETY: sizes are not 0, and each block is given back once.
        unsafe {
            let blocks: Vec<*mut u8> = (0..most / size).map(|_| heap.allocate(layout)).collect();
            blocks.into_iter().for_each(|block| heap.deallocate(block, layout));
        }
    }
    let times = (heap.source().pages() * PAGE) as f64 / most as f64;
    println!("{times:.2} times what is in use waits");
    assert!(times > 3.8);
}

/// A call sends home 16,384 blocks and one for each 16 bytes that it asks for, at most, and the next calls go on.
#[test]
fn a_call_sends_home_so_many_blocks_at_most() {
    let layout = |size| Layout::from_size_align(size, 1).unwrap();
    let mut heap = Heap::with_source(TestMemory::new(400));
    // SAFETY: sizes are not 0, and each block is given back once.
    unsafe {
        let blocks: Vec<*mut u8> = (0..300_000).map(|_| heap.allocate(layout(2 * UNIT))).collect();
        blocks.into_iter().for_each(|block| heap.deallocate(block, layout(2 * UNIT)));
        let size = 20 * PAGE;
        let (mut slabs, mut calls) = (heap.statistics().classes[2].slabs, 0);
        // A slab of 4 KiB has 127 blocks, the first eight are smaller.
        while slabs > 0 {
            let most = (16_384 + size / 16) / 127 + 8;
            assert!(!heap.allocate(layout(size)).is_null());
            let left = heap.statistics().classes[2].slabs;
            assert!(slabs - left <= most, "{} slabs are given back by one call", slabs - left);
            (slabs, calls) = (left, calls + 1);
        }
        assert!(calls > 2);
    }
}

/// A size of which more blocks are freed between two calls than a call sends home does not keep those of others from being sent.
#[test]
fn every_list_is_sent_home_in_turn() {
    let layout = |size| Layout::from_size_align(size, 1).unwrap();
    let mut heap = Heap::with_source(TestMemory::new(400));
    // SAFETY: sizes are not 0, and each block is given back once.
    unsafe {
        let (few, many) = (layout(1_000), layout(UNIT));
        let others: Vec<*mut u8> = (0..3_000).map(|_| heap.allocate(few)).collect();
        // Every fiftieth stays, so no slab becomes free.
        let mut blocks: Vec<*mut u8> = (0..40_000).map(|_| heap.allocate(many)).collect();
        let stays = blocks.iter().step_by(50).copied().collect::<Vec<_>>();
        blocks.retain(|block| !stays.contains(block));
        others.into_iter().for_each(|block| heap.deallocate(block, few));
        let pages = heap.source().pages();
        for _ in 0..150 {
            blocks.iter().for_each(|block| heap.deallocate(*block, many));
            assert!(!heap.allocate(layout(20_000)).is_null());
            blocks.iter_mut().for_each(|block| *block = heap.allocate(many));
        }
        // A third may be taken before anything is sent home.
        assert!(heap.source().pages() < pages + pages / 3 + 3, "{} pages were {pages}", heap.source().pages());
    }
}

/// What was once in use counts: where little is left of it, sizes that recur keep what waits for them.
#[test]
fn what_was_in_use_counts() {
    let most = 16 * PAGE;
    // None of slabs, whose map would stay in the middle of what becomes free.
    let sizes = sizes_of_lists().filter(|size| *size > 16 * UNIT);
    let layout = |size| Layout::from_size_align(size, 1).unwrap();
    let mut heap = Heap::with_source(TestMemory::new(400));
    // SAFETY: sizes are not 0, and each block is given back once.
    unsafe {
        let phase = |heap: &mut Heap, size, most| {
            let blocks: Vec<*mut u8> = (0..most / size).map(|_| heap.allocate(layout(size))).collect();
            blocks.into_iter().for_each(|block| heap.deallocate(block, layout(size)));
        };
        let resident = heap.allocate(layout(most));
        sizes.clone().for_each(|size| phase(&mut heap, size, most));
        heap.deallocate(resident, layout(most));
        // All goes home, while nothing is in use.
        let all = 2 * heap.source().pages() * PAGE;
        let large = heap.allocate(layout(all));
        heap.deallocate(large, layout(all));
        // Together three times as much as was in use, and twelve times what is.
        sizes.step_by(4).for_each(|size| phase(&mut heap, size, most / 4));
    }
    let waiting = heap.source().pages() * PAGE - heap.statistics().free_bytes;
    assert!(waiting > 2 * most, "{waiting} bytes wait of {most}");
}

/// Where some blocks of each size stay until the next size is there, slabs are held by one block each: 6 to 8 times what is in use.
#[test]
fn slabs_are_held_by_what_stays() {
    let most = 16 * PAGE;
    let layout = |size| Layout::from_size_align(size, 1).unwrap();
    for each in [8, 32, 128] {
        let mut heap = Heap::with_source(TestMemory::new(60 * most / PAGE));
        let mut stay = Vec::new();
        for size in sizes_of_lists().chain(sizes_of_lists()) {
            let others = stay.iter().map(|(_, size)| size).sum::<usize>();
            // SAFETY: sizes are not 0, and each block is given back once.
            unsafe {
                let blocks: Vec<*mut u8> = (0..(most - others) / size).map(|_| heap.allocate(layout(size))).collect();
                assert!(blocks.iter().all(|block| !block.is_null()));
                stay.drain(..).for_each(|(block, size)| heap.deallocate(block, layout(size)));
                for (index, block) in blocks.into_iter().enumerate() {
                    if index % each == 0 {
                        stay.push((block, size));
                    } else {
                        heap.deallocate(block, layout(size));
                    }
                }
            }
        }
        let times = (heap.source().pages() * PAGE) as f64 / most as f64;
        println!("one of {each} stays: {times:.2} times");
        assert!(times < 8.5);
    }
}

/// Free memory in which no slab fits serves small requests too.
#[test]
fn pieces_too_small_for_a_slab_are_used() {
    let mut heap = Heap::with_source(TestMemory::new(20));
    let piece = Layout::from_size_align(100 * UNIT - WORD, 1).unwrap();
    let small = Layout::from_size_align(1, 1).unwrap();
    let mut pieces = Vec::new();
    // SAFETY: sizes are not 0, and each block is given back once.
    unsafe {
        loop {
            let block = heap.allocate(piece);
            if block.is_null() {
                break;
            }
            pieces.push(block);
        }
        pieces.iter().step_by(2).for_each(|block| heap.deallocate(*block, piece));
        let free = pieces.len() / 2 * piece.size();
        let served = (0..).take_while(|_| !heap.allocate(small).is_null()).count();
        // Each with a tag, in two units.
        assert!(served * 2 * UNIT > free * 9 / 10, "{served} blocks in {free} bytes");
        assert_eq!(heap.check(), served + pieces.len() / 2);
    }
}

/// And where a program uses little of what it once did.
#[test]
fn what_waited_serves_large_blocks() {
    for order in ORDERS {
        let mut heap = Heap::with_source(TestMemory::new(400));
        let layout = Layout::from_size_align(UNIT, 1).unwrap();
        // SAFETY: sizes are not 0, and each block is given back once.
        unsafe {
            let mut blocks: Vec<*mut u8> = (0..256 * PAGE / UNIT).map(|_| heap.allocate(layout)).collect();
            let pages = heap.source().pages();
            for left in (1..=blocks.len()).rev() {
                heap.deallocate(blocks.swap_remove(order(left)), layout);
            }
            let large = Layout::from_size_align(200 * PAGE, 1).unwrap();
            let block = heap.allocate(large);
            assert!(!block.is_null());
            assert_eq!(heap.source().pages(), pages, "memory grew with all of it free");
            heap.deallocate(block, large);
        }
        assert_eq!(heap.check(), 0);
    }
}
