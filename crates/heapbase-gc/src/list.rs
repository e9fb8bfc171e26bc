//! A list in memory of the allocator that says when there is none.

use allocator_api2::alloc::{Allocator, Layout};
use core::ptr::NonNull;

/// Values for which there is room at first.
const LEAST: usize = 32;

/// Values in one block, whose destructors are never run.
pub(crate) struct List<T> {
    start: NonNull<T>,
    len: usize,
    room: usize,
}

impl<T> List<T> {
    pub(crate) const fn new() -> Self {
        Self { start: NonNull::dangling(), len: 0, room: 0 }
    }

    pub(crate) fn as_slice(&self) -> &[T] {
        // SAFETY: so many were written.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        // SAFETY: so many were written.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }

    /// Bytes that it takes of its allocator.
    pub(crate) fn bytes(&self) -> usize {
        self.room * size_of::<T>()
    }

    /// Makes room for one more, with at most `most` bytes besides those that it has: an allocator that cannot grow a block where it
    /// is holds both for a while. False: there is no memory.
    pub(crate) fn reserve(&mut self, memory: &impl Allocator, most: usize) -> bool {
        if self.len < self.room {
            return true;
        }
        // Where twice as much is not allowed, an eighth may be.
        let doubled = (self.room * 2).max(LEAST);
        let allowed = most / size_of::<T>();
        let room = doubled.min(allowed);
        if room < (self.room + self.room / 8).max(LEAST) {
            return false;
        }
        let Ok(new) = Layout::array::<T>(room) else { return false };
        let grown = match Layout::array::<T>(self.room) {
            Ok(old) if self.room > 0 => {
                // SAFETY: the block came from this allocator with this layout.
                unsafe { memory.grow(self.start.cast(), old, new) }
            }
            _ => memory.allocate(new),
        };
        let Ok(grown) = grown else { return false };
        self.start = grown.cast();
        self.room = room;
        true
    }

    /// Adds one at `at`. Room was reserved.
    pub(crate) fn insert(&mut self, at: usize, value: T) {
        assert!(self.len < self.room && at <= self.len);
        // SAFETY: inside of the block.
        unsafe {
            let place = self.start.add(at);
            place.add(1).copy_from(place, self.len - at);
            place.write(value);
        }
        self.len += 1;
    }

    /// Adds one at the end. Room was reserved.
    pub(crate) fn push(&mut self, value: T) {
        self.insert(self.len, value);
    }

    /// Makes it `count` times `value`, with at most `most` bytes. False, and it is empty, if there is no memory.
    pub(crate) fn fill(&mut self, memory: &impl Allocator, count: usize, value: T, most: usize) -> bool
    where
        T: Clone,
    {
        // SAFETY: the allocator that this list is told of each time.
        unsafe { self.end(memory) };
        let Some(layout) = Layout::array::<T>(count).ok().filter(|layout| layout.size() <= most) else { return false };
        let Ok(block) = memory.allocate(layout) else { return false };
        self.start = block.cast();
        self.room = count;
        while self.len < count {
            self.push(value.clone());
        }
        true
    }

    pub(crate) fn remove(&mut self, at: usize)
    where
        T: Copy,
    {
        self.as_mut_slice().copy_within(at + 1.., at);
        self.len -= 1;
    }

    /// Keeps those that `keep` says, in order.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool)
    where
        T: Copy,
    {
        let mut kept = 0;
        for at in 0..self.len {
            let value = self.as_slice()[at];
            if keep(&value) {
                self.as_mut_slice()[kept] = value;
                kept += 1;
            }
        }
        self.len = kept;
    }

    /// Gives its block back.
    ///
    /// # Safety
    ///
    /// It is the allocator that every room was reserved with.
    pub(crate) unsafe fn end(&mut self, memory: &impl Allocator) {
        if let (true, Ok(layout)) = (self.room > 0, Layout::array::<T>(self.room)) {
            // SAFETY: the caller's promise.
            unsafe { memory.deallocate(self.start.cast(), layout) };
        }
        *self = Self::new();
    }
}
