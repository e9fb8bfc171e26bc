//! What a collection has yet to look at.

use crate::WORD;
use allocator_api2::alloc::{Allocator, Layout};
use core::{mem::MaybeUninit, ptr::NonNull};

/// Addresses in a chunk.
const COUNT: usize = 128 - 1;

/// A piece of the stack.
struct Chunk {
    below: Option<NonNull<Self>>,
    words: [MaybeUninit<usize>; COUNT],
}

const _: () = assert!(size_of::<Chunk>() == 128 * WORD);

/// A stack of addresses, in chunks: it grows without holding an old place beside a new one, and takes a word for each.
pub(crate) struct Pending {
    /// The chunk on top, and how many of its words are taken. The others are full.
    top: Option<NonNull<Chunk>>,
    len: usize,
    /// Those that were emptied: all are kept until the collection ends, which is when what it took is noted.
    spare: Option<NonNull<Chunk>>,
    chunks: usize,
}

impl Pending {
    pub(crate) const fn new() -> Self {
        Self { top: None, len: 0, spare: None, chunks: 0 }
    }

    /// Bytes that it takes of its allocator.
    pub(crate) fn bytes(&self) -> usize {
        self.chunks * size_of::<Chunk>()
    }

    /// Addresses in the chunk on top.
    pub(crate) fn on_top(&self) -> usize {
        self.len
    }

    /// Makes room for one more, with at most `most` bytes besides those that it has. False: there is no memory.
    #[inline]
    pub(crate) fn reserve(&mut self, memory: &dyn Allocator, most: usize) -> bool {
        (self.top.is_some() && self.len < COUNT) || self.add(memory, most)
    }

    #[cold]
    fn add(&mut self, memory: &dyn Allocator, most: usize) -> bool {
        let chunk = match self.spare {
            Some(chunk) => {
                // SAFETY: a chunk of ours.
                self.spare = unsafe { chunk.as_ref().below };
                chunk
            }
            None if most < size_of::<Chunk>() => return false,
            None => {
                let Ok(chunk) = memory.allocate(Layout::new::<Chunk>()) else { return false };
                self.chunks += 1;
                chunk.cast()
            }
        };
        Self::link(chunk, self.top);
        self.top = Some(chunk);
        self.len = 0;
        true
    }

    /// Lays a chunk of ours onto another.
    fn link(chunk: NonNull<Chunk>, below: Option<NonNull<Chunk>>) {
        // SAFETY: a chunk of ours, to which nothing else leads.
        unsafe { (&raw mut (*chunk.as_ptr()).below).write(below) };
    }

    /// Adds one. Room was reserved.
    #[inline]
    pub(crate) fn push(&mut self, address: usize) {
        let Some(chunk) = self.top else { return };
        debug_assert!(self.len < COUNT);
        // SAFETY: inside of the chunk, as there is room.
        unsafe { (&raw mut (*chunk.as_ptr()).words).cast::<usize>().add(self.len).write(address) };
        self.len += 1;
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<usize> {
        if self.len == 0 && !self.descend() {
            return None;
        }
        self.len -= 1;
        // SAFETY: one that was pushed.
        Some(unsafe { (&raw const (*self.top?.as_ptr()).words).cast::<usize>().add(self.len).read() })
    }

    /// Takes the chunk on top away, which is empty. False: it is the last.
    #[cold]
    fn descend(&mut self) -> bool {
        let Some(chunk) = self.top else { return false };
        // SAFETY: a chunk of ours.
        let below = unsafe { chunk.as_ref().below };
        if below.is_some() {
            Self::link(chunk, self.spare);
            self.spare = Some(chunk);
            self.top = below;
            self.len = COUNT;
        }
        below.is_some()
    }

    /// Forgets all of them, and keeps one chunk.
    pub(crate) fn clear(&mut self, memory: &dyn Allocator) {
        while self.descend() {}
        self.len = 0;
        while let Some(chunk) = self.spare {
            // SAFETY: a chunk of ours, which nobody knows any more once it is given back.
            unsafe {
                self.spare = chunk.as_ref().below;
                memory.deallocate(chunk.cast(), Layout::new::<Chunk>());
            }
            self.chunks -= 1;
        }
    }

    /// Gives all of them back to the allocator that they came from.
    pub(crate) fn end(&mut self, memory: &dyn Allocator) {
        while self.descend() {}
        if let Some(last) = self.top.take() {
            Self::link(last, self.spare);
            self.spare = Some(last);
        }
        self.clear(memory);
    }
}
