//! The owning handle.

use super::{
    Books, Figures, OneThread, Subsystem,
    refs::{Word, hold, let_go},
};
use crate::error::Error;
use allocator_api2::alloc::{AllocError, Allocator};
use core::{alloc::Layout, fmt, marker::PhantomData, ptr::NonNull, sync::atomic::Ordering};

/// A handle that keeps its subsystem alive: cloning it counts one more, and so does each block. The subsystem goes with the
/// last of them, and its parent with it, so a chain of subsystems stands as long as anything in its last part.
///
/// For blocks that travel to where no borrow reaches. The subsystem itself lies in one block of its parent.
///
/// ```
/// use allocator_api2::{alloc::Global, vec::Vec};
/// use heapbase::subsystem::{Shared, Subsystem};
///
/// let lines = {
///     let part = Shared::new(Subsystem::new("part", Global))?;
///     let mut lines = Vec::new_in(part.clone());
///     lines.push("from a scope that is gone");
///     lines
/// };
/// assert_eq!(lines.allocator().figures().live, lines.capacity() * size_of::<&str>());
/// # Ok::<_, allocator_api2::alloc::AllocError>(())
/// ```
///
/// Handles and blocks of [`OneThread`] stay on theirs:
///
/// ```compile_fail,E0277
/// use allocator_api2::alloc::Global;
/// use heapbase::subsystem::{Shared, Subsystem};
///
/// let part = Shared::new(Subsystem::new("part", Global)).unwrap();
/// std::thread::spawn(move || part.figures());
/// ```
///
/// and so do those of a parent that does, whatever the books:
///
/// ```compile_fail,E0277
/// use heapbase::{Local, SizeClassAllocator, memory::TestMemory, subsystem::{Shared, Subsystem}};
///
/// let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(4)));
/// let part = Shared::new(Subsystem::for_threads("part", &heap)).unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(move || part.figures());
/// });
/// ```
///
/// ```compile_fail,E0277
/// use heapbase::{Local, SizeClassAllocator, memory::TestMemory, subsystem::{Shared, Subsystem}};
///
/// let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(4)));
/// let part = Shared::new(Subsystem::for_threads("part", &heap)).unwrap();
/// std::thread::scope(|scope| {
///     scope.spawn(|| part.figures());
/// });
/// ```
///
/// Unsafe code that gives blocks back by hand must do so through the handle that they came from or a clone of it.
pub struct Shared<P: Allocator, B: Books = OneThread> {
    inner: NonNull<Inner<P, B>>,
    owns: PhantomData<Inner<P, B>>,
}

/// What the handles share: it stays while there is a handle or a block.
///
/// Between threads `count` is the number of both, for the last of them to be told from all others. For one thread it is the number of
/// handles, and the books say whether there are blocks: they count each anyway.
struct Inner<P, B: Books> {
    count: B::Count,
    subsystem: Subsystem<P, B>,
}

impl<P, B: Books> Inner<P, B> {
    /// A block was given out.
    #[inline(always)]
    fn hold_block(&self) {
        if !B::ALONE {
            hold(&self.count);
        }
    }

    /// A block came back through a handle, so nothing ends.
    #[inline(always)]
    fn let_block_go(&self) {
        if !B::ALONE {
            self.count.subtract(1, Ordering::Release);
        }
    }
}

// SAFETY: with `ManyThreads` the count and the books are atomic; the parent is used, and dropped, by any of the threads.
#[cfg(target_has_atomic = "ptr")]
unsafe impl<P: Allocator + Send + Sync> Send for Shared<P, super::ManyThreads> {}
// SAFETY: as above.
#[cfg(target_has_atomic = "ptr")]
unsafe impl<P: Allocator + Send + Sync> Sync for Shared<P, super::ManyThreads> {}

impl<P: Allocator, B: Books> Shared<P, B> {
    /// Moves `subsystem` into a block of its own parent.
    ///
    /// # Errors
    ///
    /// When the parent has no memory for it. The subsystem, of which nothing can be in use any more, is dropped.
    pub fn new(subsystem: Subsystem<P, B>) -> Result<Self, AllocError> {
        // SAFETY: a block of the parent for that layout.
        unsafe { Self::new_by(subsystem, P::allocate) }
    }

    /// As [`new`](Self::new) for a parent that says by errors of its own what is missing: `serve` asks it for the block.
    ///
    /// # Errors
    ///
    /// What `serve` returned. The subsystem is dropped.
    ///
    /// # Safety
    ///
    /// `serve` returns a block that it asked this parent for, of that layout.
    pub unsafe fn new_by<E>(
        subsystem: Subsystem<P, B>,
        serve: impl FnOnce(&P, Layout) -> Result<NonNull<[u8]>, E>,
    ) -> Result<Self, E> {
        let inner = serve(&subsystem.parent, Layout::new::<Inner<P, B>>())?.cast::<Inner<P, B>>();
        // SAFETY: a fresh block of that layout.
        unsafe { inner.write(Inner { count: B::one(), subsystem }) };
        Ok(Self { inner, owns: PhantomData })
    }

    #[inline(always)]
    fn inner(&self) -> &Inner<P, B> {
        // SAFETY: this handle is counted, so the block is there; nothing makes an exclusive reference to it.
        unsafe { self.inner.as_ref() }
    }

    /// Sets the most bytes that may be live, `usize::MAX` for no limit. What is live already stays, even if it is more.
    pub fn set_budget(&self, bytes: usize) {
        self.inner().subsystem.set_budget(bytes);
    }

    /// What it has used. The block that the subsystem itself lies in is its parent's to count.
    pub fn figures(&self) -> Figures {
        self.inner().subsystem.figures()
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.inner().subsystem.name()
    }

    /// The parent.
    pub fn parent(&self) -> &P {
        self.inner().subsystem.parent()
    }

    /// A block for `layout`, as [`Allocator::allocate`], that says what is missing.
    ///
    /// # Errors
    ///
    /// As [`Subsystem::try_allocate`].
    pub fn try_allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, Error<'static>> {
        let inner = self.inner();
        let block = inner.subsystem.try_allocate(layout)?;
        if layout.size() != 0 {
            inner.hold_block();
        }
        Ok(block)
    }

    /// Grows a block, as [`Allocator::grow`], and says what is missing.
    ///
    /// # Errors
    ///
    /// As [`Subsystem::try_grow`].
    ///
    /// # Safety
    ///
    /// As for [`Allocator::grow`].
    pub unsafe fn try_grow(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, Error<'static>> {
        if old.size() == 0 {
            return self.try_allocate(new);
        }
        // SAFETY: the caller's promise.
        unsafe { self.inner().subsystem.try_grow(block, old, new) }
    }

    /// A block of `new` bytes, made out of one of `old` bytes where that is not 0, for a parent that says by errors of its own what
    /// is missing.
    ///
    /// # Errors
    ///
    /// As [`Subsystem::try_change`].
    ///
    /// # Safety
    ///
    /// As for [`Subsystem::try_change`].
    pub unsafe fn try_change<'e>(
        &self,
        old: usize,
        new: usize,
        serve: impl FnOnce(&P) -> Result<NonNull<[u8]>, Error<'e>>,
    ) -> Result<NonNull<[u8]>, Error<'e>> {
        let inner = self.inner();
        // SAFETY: the caller's promise.
        let block = unsafe { inner.subsystem.try_change(old, new, serve)? };
        if old == 0 {
            inner.hold_block();
        }
        Ok(block)
    }

    /// Whether both are handles of one subsystem.
    pub fn is_same(&self, other: &Self) -> bool {
        self.inner == other.inner
    }

    /// Ends the subsystem, and returns what it used and the parent.
    ///
    /// # Errors
    ///
    /// When there are other handles, or blocks that were not returned: the handle comes back.
    pub fn close(self) -> Result<(Figures, P), Self> {
        let count = &self.inner().count;
        if count.add(0, Ordering::Relaxed) != 1 {
            return Err(self);
        }
        // Nobody else has a handle, so nobody can make one now.
        count.settle();
        let figures = self.figures();
        if figures.live != 0 {
            return Err(self);
        }
        let inner = self.into_inner();
        // SAFETY: the only handle was given up, and no block is out.
        Ok((figures, unsafe { Self::end(inner) }))
    }

    /// The handle as an address, for other languages; it stays counted.
    ///
    /// Nothing is leaked if [`from_raw`](Self::from_raw) takes it back.
    pub fn into_raw(self) -> NonNull<()> {
        self.into_inner().cast()
    }

    /// The handle that [`into_raw`](Self::into_raw) made an address of.
    ///
    /// # Safety
    ///
    /// The address came from `into_raw` of this very type, and each is taken back once.
    pub unsafe fn from_raw(raw: NonNull<()>) -> Self {
        Self { inner: raw.cast(), owns: PhantomData }
    }

    fn into_inner(self) -> NonNull<Inner<P, B>> {
        core::mem::ManuallyDrop::new(self).inner
    }

    /// Gives the subsystem's block back to the parent, and returns that.
    ///
    /// # Safety
    ///
    /// Nothing is counted any more, and what others did is visible here.
    unsafe fn end(inner: NonNull<Inner<P, B>>) -> P {
        // SAFETY: the caller's promise: nobody else looks at the block, which came from this parent.
        unsafe {
            let parent = inner.read().subsystem.parent;
            parent.deallocate(inner.cast(), Layout::new::<Inner<P, B>>());
            parent
        }
    }

    /// Counts one less.
    ///
    /// # Safety
    ///
    /// One who was counted is so no more, and does not use `inner` after.
    #[inline]
    unsafe fn release(inner: NonNull<Inner<P, B>>) {
        // SAFETY: whoever is counted keeps the block; after the last one it is ours alone, or kept for the blocks by the books.
        unsafe {
            let last = let_go(&(*inner.as_ptr()).count);
            if last && (!B::ALONE || (*inner.as_ptr()).subsystem.books.is_empty()) {
                drop(Self::end(inner));
            }
        }
    }

    /// A block for an error, and the address to return it with.
    pub(crate) fn place(&self, layout: Layout) -> Option<(NonNull<u8>, NonNull<()>)> {
        Some((self.allocate(layout).ok()?.cast(), self.inner.cast()))
    }

    /// Gives a block back by the address that [`into_raw`](Self::into_raw) returned, even if no handle is left: then the
    /// subsystem ends with its last block.
    ///
    /// # Safety
    ///
    /// The address is that of a handle of this very type, through which the block came, by [`try_allocate`](Self::try_allocate) or
    /// as an `Allocator`, for `layout`, whose size is not 0. The block is used no more.
    pub unsafe fn return_block(raw: NonNull<()>, block: NonNull<u8>, layout: Layout) {
        let inner = raw.cast::<Inner<P, B>>();
        // SAFETY: the block is counted, or in the books, so the subsystem is there until it is so no more.
        unsafe {
            let subsystem = &raw const (*inner.as_ptr()).subsystem;
            // On the books until it is back: no handle keeps the subsystem while the parent works, who may drop the last one.
            (*subsystem).parent.deallocate(block, layout);
            (*subsystem).books.give_back(layout.size());
            if !B::ALONE {
                Self::release(inner);
            } else if (*inner.as_ptr()).count.add(0, Ordering::Relaxed) == 0 && (*subsystem).books.is_empty() {
                drop(Self::end(inner));
            }
        }
    }
}

impl<P: Allocator, B: Books> Clone for Shared<P, B> {
    #[inline]
    fn clone(&self) -> Self {
        hold(&self.inner().count);
        Self { inner: self.inner, owns: PhantomData }
    }
}

impl<P: Allocator, B: Books> Drop for Shared<P, B> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: this handle was counted.
        unsafe { Self::release(self.inner) }
    }
}

impl<P: Allocator, B: Books> fmt::Debug for Shared<P, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&self.figures()).finish()
    }
}

// SAFETY: each block is the subsystem's, and is counted: the subsystem stays until it is returned, even if every handle is
// dropped before. Clones are the same allocator.
unsafe impl<P: Allocator, B: Books> Allocator for Shared<P, B> {
    #[inline(always)]
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        let inner = self.inner();
        let block = inner.subsystem.allocate(layout)?;
        if layout.size() != 0 {
            inner.hold_block();
        }
        Ok(block)
    }

    #[inline]
    fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        let inner = self.inner();
        let block = inner.subsystem.allocate_zeroed(layout)?;
        if layout.size() != 0 {
            inner.hold_block();
        }
        Ok(block)
    }

    #[inline(always)]
    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        let inner = self.inner();
        // SAFETY: the caller's promise.
        unsafe { inner.subsystem.deallocate(block, layout) };
        if layout.size() != 0 {
            inner.let_block_go();
        }
    }

    #[inline]
    unsafe fn grow(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if old.size() == 0 {
            return self.allocate(new);
        }
        // SAFETY: the caller's promise.
        unsafe { self.inner().subsystem.grow(block, old, new) }
    }

    #[inline]
    unsafe fn grow_zeroed(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if old.size() == 0 {
            return self.allocate_zeroed(new);
        }
        // SAFETY: the caller's promise.
        unsafe { self.inner().subsystem.grow_zeroed(block, old, new) }
    }

    #[inline]
    unsafe fn shrink(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the caller's promise.
        let shrunk = unsafe { self.inner().subsystem.shrink(block, old, new)? };
        if new.size() == 0 && old.size() != 0 {
            self.inner().let_block_go();
        }
        Ok(shrunk)
    }
}
