//! Calls that must not succeed, and calls that never end.

use alloc::{string::String, vec::Vec};
use core::hint::black_box;

/// Uses up the stack; the array keeps the compiler from turning the recursion into a loop.
#[inline(never)]
fn deeper(depth: u32) -> u32 {
    let frame = black_box([depth; 64]);
    if black_box(depth) == u32::MAX { 0 } else { deeper(depth + 1).wrapping_add(frame[depth as usize % 64]) }
}

/// A function of its own, so that a backtrace has a name to show.
#[inline(never)]
fn the_function_that_panics(message: &String) {
    panic!("{message}");
}

entries! {
    /// Panics with a message.
    fn panic_with(message: String) {
        the_function_that_panics(&message);
    }

    /// Panics only when asked.
    fn panic_if(panics: bool) -> u32 {
        assert!(!panics, "panicked as asked");
        42
    }

    /// Reads past the end of a slice: the language's own check.
    fn index_out_of_bounds(index: u32) -> u8 {
        let bytes: Vec<u8> = alloc::vec![1, 2, 3];
        bytes[index as usize]
    }

    /// Reads past the end of memory: the engine's check.
    fn load_out_of_bounds() -> u8 {
        let address = black_box(u32::MAX) as *const u8;
        // SAFETY: none is possible. The address is past the end of memory, so that the instruction traps; nothing is
        // read.
        unsafe { address.read_volatile() }
    }

    /// Ends the call through the host function made for it, with a message.
    fn abort_with(message: String) {
        sp_io::panic_handler::abort_on_panic(&message);
    }

    /// The `unreachable` instruction, without a message.
    fn unreachable_instruction() {
        sp_io::unreachable();
    }

    /// Recurses until the stack is used up.
    fn stack_overflow() -> u32 {
        deeper(0)
    }

    /// Never returns.
    fn endless() {
        let mut round = 0u64;
        loop {
            round = black_box(round.wrapping_add(1));
        }
    }

    /// Never returns, and calls a host function all the time.
    fn endless_calls() {
        loop {
            black_box(sp_io::hashing::twox_64(b"again"));
        }
    }

    /// Spins for a number of rounds.
    fn rounds(count: u64) -> u64 {
        (0..count).fold(0, |sum, round| black_box(sum + round))
    }

    /// Allocates and keeps 1 MiB after the other, touching every page, until there is no more.
    fn exhaust() -> u32 {
        let mut kept: Vec<Vec<u8>> = Vec::new();
        loop {
            kept.push(alloc::vec![black_box(1u8); 1 << 20]);
            black_box(&kept);
        }
    }

    /// Asks for one block of a size and writes its last byte.
    fn allocate(size: u32) -> u32 {
        let mut block: Vec<u8> = Vec::with_capacity(size as usize);
        block.spare_capacity_mut()[size as usize - 1].write(1);
        black_box(block.as_ptr()) as u32
    }
}
