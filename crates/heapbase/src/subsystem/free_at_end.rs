//! A parent that gives everything back when it goes.

use allocator_api2::alloc::{AllocError, Allocator};
use core::{alloc::Layout, fmt, ptr::NonNull};

#[cfg(not(target_has_atomic = "8"))]
use crate::Local as Lock;
#[cfg(target_has_atomic = "8")]
use crate::LockedAllocator as Lock;

/// An allocator that frees at its end whatever was not returned before.
///
/// ```text
///  | · · · | previous | next | size | alignment | the block |
/// ```
///
/// Four words in front of each block tie it into a list; the dots are what alignments above that of a word leave. Where the
/// parent is an arena that goes as well, none of this is needed: end the arena.
///
/// Destructors do not run for values that were forgotten; their memory goes back.
///
/// Threads may share it where they may share the parent: a lock guards the list, for the few instructions that tie a block in.
///
/// ```
/// use allocator_api2::boxed::Box;
/// use heapbase::{Local, SizeClassAllocator, memory::TestMemory, subsystem::{FreeAtEnd, Subsystem}};
///
/// let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(16)));
/// let request = Subsystem::new("request", &heap);
/// let all = FreeAtEnd::new(&request);
/// let leaked = Box::leak(Box::new_in([7u8; 100], &all));
/// assert_eq!(leaked[99], 7);
/// drop(all);
/// assert_eq!(request.figures().live, 0);
/// ```
///
/// ```compile_fail,E0277
/// use heapbase::{Local, SizeClassAllocator, memory::TestMemory, subsystem::FreeAtEnd};
/// use allocator_api2::boxed::Box;
///
/// let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(4)));
/// let all = FreeAtEnd::new(&heap);
/// std::thread::scope(|scope| {
///     scope.spawn(|| Box::new_in(1, &all));
/// });
/// ```
///
/// A leaked value is not there any more after the end, and not reachable either:
///
/// ```compile_fail,E0505
/// use allocator_api2::{alloc::Global, boxed::Box};
/// use heapbase::subsystem::FreeAtEnd;
///
/// let all = FreeAtEnd::new(Global);
/// let leaked = Box::leak(Box::new_in([7u8; 100], &all));
/// drop(all);
/// assert_eq!(leaked[99], 7);
/// ```
pub struct FreeAtEnd<P: Allocator> {
    parent: P,
    list: Lock<List>,
}

/// What lies in front of a block.
struct Header {
    previous: Option<NonNull<Header>>,
    next: Option<NonNull<Header>>,
    /// The block's own layout.
    layout: Layout,
}

/// The blocks that are out, the youngest first.
struct List(Option<NonNull<Header>>);

// SAFETY: headers lie in blocks that are this list's own to look at, from whichever thread.
unsafe impl Send for List {}

impl List {
    /// Writes a header and ties it in.
    ///
    /// # Safety
    ///
    /// It may be written to, and is in no list.
    unsafe fn tie(&mut self, header: NonNull<Header>, layout: Layout) {
        let next = self.0.replace(header);
        // SAFETY: the caller's promise; the list holds live headers only.
        unsafe {
            header.write(Header { previous: None, next, layout });
            if let Some(next) = next {
                (*next.as_ptr()).previous = Some(header);
            }
        }
    }

    /// Takes a header out.
    ///
    /// # Safety
    ///
    /// It is in this list.
    unsafe fn untie(&mut self, header: NonNull<Header>) {
        // SAFETY: the list holds live headers only.
        unsafe {
            let Header { previous, next, .. } = header.read();
            match previous {
                Some(previous) => (*previous.as_ptr()).next = next,
                None => self.0 = next,
            }
            if let Some(next) = next {
                (*next.as_ptr()).previous = previous;
            }
        }
    }
}

/// The layout of header and block together, and where in it the block starts.
fn around(layout: Layout) -> Result<(Layout, usize), AllocError> {
    Layout::new::<Header>().extend(layout).map_err(|_| AllocError)
}

/// The header of a block.
///
/// # Safety
///
/// `block` is one of [`FreeAtEnd`], with its provenance.
unsafe fn header_of(block: NonNull<u8>) -> NonNull<Header> {
    // SAFETY: the header ends where the block starts, and the block's alignment leaves no gap there: its offset is the
    // header's size, or a multiple of an alignment above that.
    unsafe { block.cast::<Header>().sub(1) }
}

impl<P: Allocator> FreeAtEnd<P> {
    /// Takes memory from `parent`. Allocates nothing.
    pub const fn new(parent: P) -> Self {
        Self { parent, list: Lock::new(List(None)) }
    }

    /// The parent.
    pub const fn parent(&self) -> &P {
        &self.parent
    }

    /// Frees all that was not returned, and gives the parent back.
    pub fn into_parent(mut self) -> P {
        self.free_all();
        let all = core::mem::ManuallyDrop::new(self);
        // SAFETY: the rest needs no destructor, and is used no more.
        unsafe { core::ptr::read(&all.parent) }
    }

    fn free_all(&mut self) {
        while let Some(header) = self.list.get_mut().0 {
            // SAFETY: the list holds live headers only; nobody holds the blocks in front of whose end this runs.
            unsafe {
                let layout = (*header.as_ptr()).layout;
                self.deallocate(header.add(1).cast(), layout);
            }
        }
    }

    /// Writes the header of a fresh block at `start` and ties it in.
    ///
    /// # Safety
    ///
    /// `start` is a block of the parent for what [`around`] says of `layout`, `offset` included.
    unsafe fn tie(&self, start: NonNull<[u8]>, offset: usize, layout: Layout) -> NonNull<[u8]> {
        // SAFETY: the header lies inside the block (`header_of`), which nobody knows yet.
        unsafe {
            let block = start.cast::<u8>().add(offset);
            self.list.with(|list| list.tie(header_of(block), layout));
            NonNull::slice_from_raw_parts(block, layout.size())
        }
    }

    /// A block for `layout`, for a parent that says by errors of its own what is missing: `serve` asks it for the block of the layout that
    /// it is told, and its error is passed on. [`AllocError`] stands for a layout that with what lies in front of it is too large.
    ///
    /// # Errors
    ///
    /// What `serve` returned.
    ///
    /// # Safety
    ///
    /// `serve` returns a block that it asked this parent for, of that layout.
    pub unsafe fn try_allocate_by<E: From<AllocError>>(
        &self,
        layout: Layout,
        serve: impl FnOnce(&P, Layout) -> Result<NonNull<[u8]>, E>,
    ) -> Result<NonNull<[u8]>, E> {
        let (whole, offset) = around(layout)?;
        let start = serve(&self.parent, whole)?;
        // SAFETY: a fresh block of that layout.
        Ok(unsafe { self.tie(start, offset, layout) })
    }

    /// Grows or shrinks a block, for a parent that says by errors of its own what is missing: `serve` asks it to resize the block that it is
    /// told, from one layout to another, and its error is passed on.
    ///
    /// # Errors
    ///
    /// What `serve` returned; nothing is changed then.
    ///
    /// # Safety
    ///
    /// As for [`Allocator::grow`] and [`Allocator::shrink`]. `serve` returns the block that this parent gave the other layout. With an error it
    /// changes nothing.
    pub unsafe fn try_resize_by<E: From<AllocError>>(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
        serve: impl FnOnce(&P, NonNull<u8>, Layout, Layout) -> Result<NonNull<[u8]>, E>,
    ) -> Result<NonNull<[u8]>, E> {
        let ((old_around, offset), (new_around, new_offset)) = (around(old)?, around(new)?);
        // SAFETY: the caller's promise; `start` is the parent's block. Out of the list while the parent may move it.
        unsafe {
            let start = block.sub(offset);
            if offset != new_offset {
                // The header's distance from the start changes with the alignment: nothing but a new block will do.
                let moved = self.allocate(new)?;
                moved.cast::<u8>().copy_from_nonoverlapping(block, old.size().min(new.size()));
                self.deallocate(block, old);
                return Ok(moved);
            }
            self.list.with(|list| list.untie(header_of(block)));
            let back =
                TieBack { all: self, start: NonNull::slice_from_raw_parts(start, old_around.size()), offset, old };
            let moved = serve(&self.parent, start, old_around, new_around)?;
            core::mem::forget(back);
            Ok(self.tie(moved, offset, new))
        }
    }
}

/// Ties in again what the parent did not resize, because it has no memory or because it panics.
struct TieBack<'a, P: Allocator> {
    all: &'a FreeAtEnd<P>,
    start: NonNull<[u8]>,
    offset: usize,
    old: Layout,
}

impl<P: Allocator> Drop for TieBack<'_, P> {
    fn drop(&mut self) {
        // SAFETY: the block was taken out of the list, and is as it was.
        unsafe { self.all.tie(self.start, self.offset, self.old) };
    }
}

// SAFETY: each block lies in one of the parent's, behind its header, and is returned at the end at the latest; moving this moves
// nothing of it, as no header points here.
unsafe impl<P: Allocator> Allocator for FreeAtEnd<P> {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: a block of the parent for that layout.
        unsafe { self.try_allocate_by(layout, P::allocate) }
    }

    fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: as above.
        unsafe { self.try_allocate_by(layout, P::allocate_zeroed) }
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        let Ok((whole, offset)) = around(layout) else { return };
        // SAFETY: the caller's promise: the block is in the list, and starts so far behind the parent's.
        unsafe {
            self.list.with(|list| list.untie(header_of(block)));
            self.parent.deallocate(block.sub(offset), whole);
        }
    }

    unsafe fn grow(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the caller's promise, handed on.
        unsafe { self.try_resize_by(block, old, new, |parent, start, old, new| parent.grow(start, old, new)) }
    }

    unsafe fn shrink(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the caller's promise, handed on.
        unsafe { self.try_resize_by(block, old, new, |parent, start, old, new| parent.shrink(start, old, new)) }
    }
}

impl<P: Allocator> Drop for FreeAtEnd<P> {
    fn drop(&mut self) {
        self.free_all();
    }
}

impl<P: Allocator> fmt::Debug for FreeAtEnd<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreeAtEnd").finish_non_exhaustive()
    }
}
