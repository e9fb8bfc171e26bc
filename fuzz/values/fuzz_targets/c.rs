//! The C interface: subsystems in subsystems, blocks, errors with causes, references, over an allocator of the program's own that fails on
//! demand. Whatever is done, at the end all references are given up and not a byte may be left.

#![no_main]

use core::{
    ffi::{c_char, c_void},
    ptr::null_mut,
};
use heapbase_c::{allocator::*, error::*, subsystem::*};
use libfuzzer_sys::fuzz_target;
use std::alloc::{Layout, alloc, dealloc, realloc};

/// What lies below all subsystems.
#[derive(Default)]
struct Ground {
    live: usize,
    held: usize,
    fails: bool,
    /// It makes its errors of numbers.
    numbers: bool,
}

impl Ground {
    fn refuse(&self) -> Error {
        if self.numbers {
            return Error { code: 12, what: core::ptr::null() };
        }
        let kind = heapbase_out_of_memory();
        Error { code: 1, what: kind.cast::<u8>().wrapping_add(1).cast() }
    }
}

unsafe extern "C" fn allocate(ground: *mut c_void, size: usize, align: usize, block: *mut *mut c_void) -> Error {
    // SAFETY: the context is the ground.
    unsafe {
        let ground = &mut *ground.cast::<Ground>();
        assert!(size > 0 && align.is_power_of_two());
        if ground.fails || size > 1 << 24 {
            return ground.refuse();
        }
        ground.live += size;
        block.write(alloc(Layout::from_size_align_unchecked(size, align)).cast());
        Error::OK
    }
}

unsafe extern "C" fn reallocate(
    ground: *mut c_void,
    block: *mut *mut c_void,
    size: usize,
    align: usize,
    new_size: usize,
) -> Error {
    // SAFETY: the context is the ground, the block is its own.
    unsafe {
        let ground = &mut *ground.cast::<Ground>();
        assert!(size > 0 && new_size > 0);
        if ground.fails || new_size > 1 << 24 {
            return ground.refuse();
        }
        ground.live = ground.live - size + new_size;
        let layout = Layout::from_size_align_unchecked(size, align);
        block.write(realloc((*block).cast(), layout, new_size).cast());
        Error::OK
    }
}

unsafe extern "C" fn free(ground: *mut c_void, block: *mut c_void, size: usize, align: usize) {
    // SAFETY: the context is the ground, the block is its own.
    unsafe {
        (*ground.cast::<Ground>()).live -= size;
        dealloc(block.cast(), Layout::from_size_align_unchecked(size, align));
    }
}

unsafe extern "C" fn hold(ground: *mut c_void) {
    // SAFETY: the context is the ground.
    unsafe { (*ground.cast::<Ground>()).held += 1 }
}

unsafe extern "C" fn let_go(ground: *mut c_void) {
    // SAFETY: the context is the ground.
    unsafe { (*ground.cast::<Ground>()).held -= 1 }
}

static MOVES: Operations = Operations {
    allocate,
    reallocate: Some(reallocate),
    free,
    usable_size: None,
    hold: Some(hold),
    let_go: Some(let_go),
};
static COPIES: Operations =
    Operations { allocate, reallocate: None, free, usable_size: None, hold: Some(hold), let_go: Some(let_go) };

/// A block, and through whom it came.
struct Block {
    memory: Allocator,
    at: *mut c_void,
    size: usize,
    align: usize,
    fill: u8,
}

impl Block {
    fn fill(&mut self, from: usize) {
        // SAFETY: so long.
        unsafe { self.at.cast::<u8>().add(from).write_bytes(self.fill, self.size - from) };
    }

    fn check(&self, len: usize) {
        if self.size > 0 {
            assert!(self.at.addr().is_multiple_of(self.align));
            // SAFETY: so long, and written.
            let bytes = unsafe { core::slice::from_raw_parts(self.at.cast::<u8>(), len) };
            assert!(bytes.iter().all(|byte| *byte == self.fill), "contents stay");
        }
    }
}

struct World {
    ground: *mut Ground,
    parts: Vec<*mut Subsystem>,
    blocks: Vec<Block>,
    errors: Vec<Error>,
    fill: u8,
}

impl World {
    /// An error that somebody may want to see later; success is none.
    fn note(&mut self, error: Error) -> bool {
        if error.code != 0 {
            self.errors.push(error);
        }
        error.code == 0
    }

    fn part(&self, index: u8) -> Option<*mut Subsystem> {
        (!self.parts.is_empty()).then(|| self.parts[usize::from(index) % self.parts.len()])
    }

    /// Does one thing.
    ///
    /// # Safety
    ///
    /// All in here is alive.
    unsafe fn step(&mut self, [what, index, low, high]: [u8; 4]) {
        let number = usize::from(low) | usize::from(high) << 8;
        let block = (!self.blocks.is_empty()).then(|| usize::from(index) % self.blocks.len().max(1));
        let error = (!self.errors.is_empty()).then(|| usize::from(index) % self.errors.len().max(1));
        // SAFETY: the caller's promise.
        unsafe {
            match what % 16 {
                0 | 1 => {
                    let below = match self.part(index) {
                        Some(part) if what % 16 == 1 => heapbase_subsystem_allocator(part),
                        _ => {
                            let operations = if low % 2 == 0 { &raw const MOVES } else { &raw const COPIES };
                            Allocator { operations, context: self.ground.cast() }
                        }
                    };
                    let budget = if high % 4 == 0 { number * 16 } else { usize::MAX };
                    let mut made = null_mut();
                    if self.note(heapbase_subsystem_make(below, c"part".as_ptr(), budget, &mut made)) {
                        assert_eq!(heapbase_subsystem_figures(made).live, 0);
                        self.parts.push(made);
                    }
                }
                2 => {
                    if let Some(part) = self.part(index) {
                        self.parts.push(heapbase_subsystem_acquire(part));
                    }
                }
                3 | 4 => {
                    if let Some(part) = self.part(index) {
                        self.parts.swap_remove(usize::from(index) % self.parts.len());
                        if what % 16 == 3 {
                            heapbase_subsystem_release(part);
                        } else {
                            let closed = heapbase_subsystem_close(part);
                            if !self.note(closed) {
                                assert!(heapbase_error_is(closed, heapbase_not_empty()));
                                self.parts.push(part);
                            }
                        }
                    }
                }
                5 | 6 => {
                    if let Some(part) = self.part(index) {
                        let memory = heapbase_subsystem_allocator(part);
                        let (align, size) =
                            (1 << (high & 7), if high >= 0xf8 { usize::MAX >> low % 4 } else { number % 3_000 });
                        let before = heapbase_subsystem_figures(part).live;
                        let mut at = null_mut();
                        let made = if what % 16 == 5 {
                            heapbase_allocate(memory, size, align, &mut at)
                        } else {
                            heapbase_allocate_zeroed(memory, size, align, &mut at)
                        };
                        let served = self.note(made);
                        let live = heapbase_subsystem_figures(part).live;
                        assert_eq!(live, if served { before + size } else { before });
                        if served {
                            self.fill = self.fill.wrapping_add(1);
                            let mut block = Block { memory, at, size, align, fill: 0 };
                            if what % 16 == 6 {
                                block.check(size);
                            }
                            block.fill = self.fill;
                            block.fill(0);
                            self.keep(block);
                        }
                    }
                }
                7 | 8 => {
                    if let Some(at) = block {
                        let mut block = self.blocks.swap_remove(at);
                        let new_size = if high >= 0xf8 { usize::MAX >> low % 4 } else { number % 3_000 };
                        let old = block.size;
                        if self.note(heapbase_reallocate(block.memory, &mut block.at, old, block.align, new_size)) {
                            block.size = new_size;
                            block.check(old.min(new_size));
                            block.fill(old.min(new_size));
                        } else {
                            block.check(old);
                        }
                        self.keep(block);
                    }
                }
                9 => {
                    if let Some(at) = block {
                        let block = self.blocks.swap_remove(at);
                        block.check(block.size);
                        heapbase_free(block.memory, block.at, block.size, block.align);
                    }
                }
                10 => {
                    if let Some(part) = self.part(index) {
                        heapbase_subsystem_set_budget(part, if low % 2 == 0 { usize::MAX } else { number });
                    }
                }
                11 => {
                    let cause = error.map_or(Error::OK, |at| self.errors.swap_remove(at));
                    let keeper = self.part(low).unwrap_or(null_mut());
                    let text = vec![b'a' + high % 26; usize::from(low) * usize::from(high % 8)];
                    let made = heapbase_error_make(
                        if low == 0 { null_mut() } else { keeper },
                        heapbase_invalid(),
                        usize::from(high),
                        cause,
                        text.as_ptr().cast(),
                        text.len(),
                    );
                    let mut len = 0;
                    let message = heapbase_error_message(made, &mut len);
                    assert!(len == 0 || core::slice::from_raw_parts(message.cast::<u8>(), len) == text);
                    assert!(heapbase_error_is(made, heapbase_invalid()));
                    self.note(if high % 16 == 0 { heapbase_error_into_cut(made) } else { made });
                }
                12 => {
                    if let Some(at) = error {
                        self.errors.push(heapbase_error_acquire(self.errors[at]));
                    }
                }
                13 => {
                    if let Some(at) = error {
                        heapbase_error_release(self.errors.swap_remove(at));
                    }
                }
                14 => {
                    if let Some(at) = error {
                        let error = self.errors[at];
                        let cause = heapbase_error_cause(error);
                        self.note(cause);
                        let mut text = [b'#'; 64];
                        let room = usize::from(low) % 64;
                        let len = heapbase_error_write(error, text.as_mut_ptr().cast::<c_char>(), room);
                        assert!(text[room..].iter().all(|byte| *byte == b'#'));
                        assert!(room == 0 || text[len.min(room - 1)] == 0);
                        assert!(!heapbase_error_kind(error).is_null());
                    }
                }
                _ => {
                    (*self.ground).fails = low % 4 == 0;
                    (*self.ground).numbers = low % 3 == 0;
                }
            }
        }
    }

    /// A block stays where its size is not 0: without bytes it does not keep its subsystem.
    fn keep(&mut self, block: Block) {
        if block.size > 0 {
            self.blocks.push(block);
        }
    }

    /// Gives up all of it, one after the other from each.
    ///
    /// # Safety
    ///
    /// As for [`step`](Self::step).
    unsafe fn end(mut self) {
        // SAFETY: the caller's promise.
        unsafe {
            while self.parts.len() + self.blocks.len() + self.errors.len() > 0 {
                self.parts.pop().into_iter().for_each(|part| heapbase_subsystem_release(part));
                self.errors.pop().into_iter().for_each(|error| heapbase_error_release(error));
                if let Some(block) = self.blocks.pop() {
                    block.check(block.size);
                    heapbase_free(block.memory, block.at, block.size, block.align);
                }
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut ground = Ground::default();
    let mut world =
        World { ground: &raw mut ground, parts: Vec::new(), blocks: Vec::new(), errors: Vec::new(), fill: 0 };
    let ground = world.ground;
    // SAFETY: what is in the world is held by it.
    unsafe {
        let (steps, _) = data.as_chunks();
        steps.iter().for_each(|step| world.step(*step));
        world.end();
        assert_eq!(((*ground).live, (*ground).held), (0, 0), "nothing is left");
    }
});
