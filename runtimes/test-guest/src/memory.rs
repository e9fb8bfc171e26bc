//! The heap and the memory under it.

use alloc::{
    alloc::{Layout, alloc, dealloc, realloc},
    collections::BTreeMap,
    string::String,
    vec::Vec,
};
use core::hint::black_box;

/// Bytes in a page of memory.
const PAGE: u32 = 65_536;

/// Pages that memory has now.
pub(crate) fn pages() -> u32 {
    core::arch::wasm32::memory_size(0) as u32
}

/// Grows memory; the size before in pages, or `u32::MAX` when the host refuses.
pub(crate) fn grow(by: u32) -> u32 {
    core::arch::wasm32::memory_grow(0, by as usize) as u32
}

/// Bytes that memory has now.
pub(crate) fn bytes() -> u32 {
    pages() * PAGE
}

/// The numbers of a test run: xorshift64*, so that the same seed gives the same run everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.next() % bound
    }
}

/// A block of the heap, filled with one byte.
struct Block {
    address: *mut u8,
    layout: Layout,
    fill: u8,
}

impl Block {
    fn new(size: usize, align: usize, fill: u8) -> Self {
        let layout = Layout::from_size_align(size, align).expect("sizes and alignments of the test are small");
        // SAFETY: the size is not zero.
        let address = unsafe { alloc(layout) };
        assert!(!address.is_null(), "no room for {size} bytes");
        assert_eq!(address as usize % align, 0, "a block of {size} bytes is not aligned to {align}");
        // SAFETY: the block was just allocated with this size.
        unsafe { address.write_bytes(fill, size) };
        Self { address, layout, fill }
    }

    fn intact(&self, length: usize) -> bool {
        // SAFETY: the block is ours and `length` at most its size; `new` and `resize` wrote every byte.
        let content = unsafe { core::slice::from_raw_parts(self.address, length) };
        content.iter().all(|byte| *byte == self.fill)
    }

    fn resize(&mut self, size: usize) {
        let kept = self.layout.size().min(size);
        // SAFETY: the block came from this allocator with this layout, and the new size is neither zero nor large.
        self.address = unsafe { realloc(self.address, self.layout, size) };
        assert!(!self.address.is_null(), "no room for {size} bytes");
        self.layout = Layout::from_size_align(size, self.layout.align()).expect("sizes of the test are small");
        assert_eq!(self.address as usize % self.layout.align(), 0, "moved to an address that is not aligned");
        assert!(self.intact(kept), "content lost when resized to {size}");
        // SAFETY: the block has `size` bytes now.
        unsafe { self.address.write_bytes(self.fill, size) };
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        assert!(self.intact(self.layout.size()), "a block of {} bytes was overwritten", self.layout.size());
        // SAFETY: the block came from this allocator with this layout and is not used again.
        unsafe { dealloc(self.address, self.layout) }
    }
}

entries! {
    /// Allocates, resizes and frees blocks of all sizes and alignments at random, each filled and checked: the count
    /// of operations done.
    fn churn(seed: u64, operations: u32) -> u32 {
        let mut numbers = Numbers(seed | 1);
        let mut blocks: Vec<Block> = Vec::new();
        for operation in 0..operations {
            let magnitude = numbers.below(14);
            let size = 1 + numbers.below(1 << magnitude) as usize;
            match numbers.below(4) {
                0 | 1 => {
                    // Above 8 the host's allocator promises nothing: its client makes up for it.
                    let align = 1usize << numbers.below(if operation % 16 == 0 { 13 } else { 4 });
                    blocks.push(Block::new(size, align, operation as u8));
                }
                2 if !blocks.is_empty() => {
                    let chosen = numbers.below(blocks.len() as u32) as usize;
                    blocks[chosen].resize(size);
                }
                _ if !blocks.is_empty() => {
                    let chosen = numbers.below(blocks.len() as u32) as usize;
                    drop(blocks.swap_remove(chosen));
                }
                _ => {}
            }
        }
        operations
    }

    /// Pushes `count` numbers one by one: their sum.
    fn vec_growth(count: u32) -> u64 {
        let mut grown: Vec<u32> = Vec::new();
        (0..count).for_each(|number| grown.push(number.wrapping_mul(2_654_435_761)));
        grown.iter().map(|number| u64::from(*number)).sum()
    }

    /// Fills a map from text to bytes, removes every third entry, and returns what is left in order.
    fn collections(count: u32) -> Vec<(String, Vec<u8>)> {
        let mut map: BTreeMap<String, Vec<u8>> =
            (0..count).map(|number| (alloc::format!("key {number}"), alloc::vec![number as u8; number as usize % 97])).collect();
        (0..count).step_by(3).for_each(|number| {
            map.remove(&alloc::format!("key {number}"));
        });
        map.into_iter().collect()
    }

    /// A result of `size` bytes, the low byte of each offset.
    fn large_output(size: u32) -> Vec<u8> {
        (0..size).map(|offset| offset as u8).collect()
    }

    /// Counts the bytes that are not zero in a new block of a fresh instance, then makes them all so: 0 as long as
    /// nothing leaks from one call into the next.
    fn dirty(size: u32) -> u32 {
        let layout = Layout::from_size_align(size as usize, 8).expect("the test asks for a possible size");
        // SAFETY: the size is not zero.
        let address = unsafe { alloc(layout) };
        assert!(!address.is_null(), "no room for {size} bytes");
        let mut found = 0;
        for offset in 0..size as usize {
            // SAFETY: inside the block just allocated. Memory of a module is always initialised; reading it through a
            // volatile access keeps the compiler from knowing that this program never wrote it.
            unsafe {
                found += u32::from(address.add(offset).read_volatile() != 0);
                address.add(offset).write_volatile(0xa5);
            }
        }
        found
    }

    /// Pages that memory has, before and after growing it by `by`, and what the instruction answered.
    fn grow_by(by: u32) -> (u32, u32, u32) {
        (pages(), grow(by), pages())
    }

    /// Grows memory behind the allocator's back between two rounds of allocations, and checks both.
    fn grow_between(by: u32) -> u32 {
        let before: Vec<Block> = (1..200usize).map(|size| Block::new(size * 37, 8, size as u8)).collect();
        let grown = grow(by);
        if grown != u32::MAX {
            // SAFETY: nobody else knows the pages that were just added.
            unsafe { ((grown * PAGE) as usize as *mut u8).write_bytes(0x77, (by * PAGE) as usize) };
        }
        let after: Vec<Block> = (1..200usize).map(|size| Block::new(size * 41, 8, size as u8)).collect();
        let hit = grown != u32::MAX
            && (grown * PAGE..(grown + by) * PAGE).any(|address| {
                // SAFETY: inside the pages added above.
                unsafe { (address as usize as *const u8).read_volatile() != 0x77 }
            });
        drop((before, after));
        u32::from(hit)
    }

    /// Sums and products of numbers given as bits, as bits: the same on every engine, also for what is not a number.
    fn floating_point(numbers: Vec<(u64, u64)>) -> Vec<[u64; 4]> {
        let compute = |(left, right): &(u64, u64)| {
            let (left, right) = (black_box(f64::from_bits(*left)), black_box(f64::from_bits(*right)));
            [left + right, left - right, left * right, left / right].map(f64::to_bits)
        };
        numbers.iter().map(compute).collect()
    }

    /// The same in single precision.
    fn floating_point_single(numbers: Vec<(u32, u32)>) -> Vec<[u32; 4]> {
        let compute = |(left, right): &(u32, u32)| {
            let (left, right) = (black_box(f32::from_bits(*left)), black_box(f32::from_bits(*right)));
            [left + right, left - right, left * right, left / right].map(f32::to_bits)
        };
        numbers.iter().map(compute).collect()
    }
}
