//! What each thread does to the one heap: allocates, fills, hands blocks to others, frees what it gets from them.

#![no_std]

use core::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::{AtomicPtr, Ordering},
};

#[cfg(not(feature = "unlocked"))]
static HEAP: heapbase::Global = heapbase::Global::new();

// SAFETY: not at all: several threads use it.
#[cfg(feature = "unlocked")]
static HEAP: heapbase::AssumeSingleThreaded<heapbase::SizeClassAllocator<heapbase::memory::MemoryGrow>> =
    unsafe { heapbase::AssumeSingleThreaded::new(heapbase::SizeClassAllocator::new()) };

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Blocks on their way from one thread to another.
static MAIL: [AtomicPtr<u32>; 64] = [const { AtomicPtr::new(core::ptr::null_mut()) }; 64];

const fn layout(words: usize) -> Layout {
    match Layout::array::<u32>(words) {
        Ok(layout) => layout,
        Err(_) => panic!(),
    }
}

/// A block of `words` words, the first of which is their number and each other its own index mixed with the first.
fn make(words: usize) -> *mut u32 {
    // SAFETY: the size is not 0; the writes stay inside of the block.
    unsafe {
        let block = HEAP.alloc(layout(words)).cast::<u32>();
        if block.is_null() {
            core::arch::wasm32::unreachable();
        }
        block.write(words as u32);
        for at in 1..words {
            block.add(at).write((at * words) as u32);
        }
        block
    }
}

/// Frees such a block; whether its contents were as they were written.
fn unmake(block: *mut u32) -> bool {
    if block.is_null() {
        return true;
    }
    // SAFETY: the block came from `make`, and whoever took it out of the mail is the only one who has it.
    unsafe {
        let words = block.read() as usize;
        if words == 0 || words > 4096 {
            return false;
        }
        let whole = (1..words).all(|at| block.add(at).read() == (at * words) as u32);
        HEAP.dealloc(block.cast(), layout(words));
        whole
    }
}

/// Makes `count` blocks and unmakes as many; returns how many of them were damaged.
#[unsafe(no_mangle)]
extern "C" fn hammer(seed: u32, count: u32) -> u32 {
    let mut random = seed | 1;
    let mut damaged = 0;
    for _ in 0..count {
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        let words = if random & 0xf00 == 0 { 1 + (random >> 20) as usize } else { 1 + (random >> 26) as usize };
        let theirs = MAIL[random as usize % MAIL.len()].swap(make(words), Ordering::AcqRel);
        damaged += u32::from(!unmake(theirs));
    }
    damaged
}

/// Empties the mail after all threads have ended, and walks the heap; returns how many blocks were damaged.
#[unsafe(no_mangle)]
extern "C" fn finish() -> u32 {
    let damaged = MAIL.iter().map(|mail| u32::from(!unmake(mail.swap(core::ptr::null_mut(), Ordering::AcqRel)))).sum();
    // SAFETY: nobody else runs; the walk does not use the wrapper.
    unsafe { HEAP.exclusive(|heap| heap.check()) };
    damaged
}

/// A stack for another thread: its upper end.
#[unsafe(no_mangle)]
extern "C" fn stack(size: usize) -> usize {
    // SAFETY: the size is not 0; the block is never freed.
    unsafe { HEAP.alloc(Layout::from_size_align_unchecked(size, 16)).addr() + size }
}
