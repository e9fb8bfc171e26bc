//! A parent that gives everything back when it goes.

use allocator_api2::alloc::{AllocError, Allocator};
use core::{alloc::Layout, cell::Cell, fmt, ptr::NonNull};

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
    youngest: Cell<Option<NonNull<Header>>>,
}

/// What lies in front of a block.
struct Header {
    previous: Cell<Option<NonNull<Header>>>,
    next: Cell<Option<NonNull<Header>>>,
    /// The block's own layout.
    layout: Layout,
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
        Self { parent, youngest: Cell::new(None) }
    }

    /// The parent.
    pub const fn parent(&self) -> &P {
        &self.parent
    }

    /// Writes the header of a fresh block at `start` and ties it in.
    ///
    /// # Safety
    ///
    /// `start` is a block of the parent for what [`around`] says of `layout`, `offset` included.
    unsafe fn tie(&self, start: NonNull<[u8]>, offset: usize, layout: Layout) -> NonNull<[u8]> {
        // SAFETY: the header lies inside the block (`header_of`), and the list holds live headers only.
        unsafe {
            let block = start.cast::<u8>().add(offset);
            let header = header_of(block);
            let next = self.youngest.replace(Some(header));
            header.write(Header { previous: Cell::new(None), next: Cell::new(next), layout });
            if let Some(next) = next {
                next.as_ref().previous.set(Some(header));
            }
            NonNull::slice_from_raw_parts(block, layout.size())
        }
    }

    /// Takes a block out of the list. Its neighbours are told; itself it still knows them.
    ///
    /// # Safety
    ///
    /// The header is in the list.
    unsafe fn untie(&self, header: NonNull<Header>) {
        // SAFETY: the list holds live headers only.
        unsafe {
            let (previous, next) = (header.as_ref().previous.get(), header.as_ref().next.get());
            match previous {
                Some(previous) => previous.as_ref().next.set(next),
                None => self.youngest.set(next),
            }
            if let Some(next) = next {
                next.as_ref().previous.set(previous);
            }
        }
    }

    /// Grows or shrinks a block through the parent.
    ///
    /// # Safety
    ///
    /// As for [`Allocator::grow`] and [`Allocator::shrink`].
    unsafe fn resize(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
        serve: impl FnOnce(&P, NonNull<u8>, Layout, Layout) -> Result<NonNull<[u8]>, AllocError>,
    ) -> Result<NonNull<[u8]>, AllocError> {
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
            self.untie(header_of(block));
            let back =
                TieBack { list: self, start: NonNull::slice_from_raw_parts(start, old_around.size()), offset, old };
            let moved = serve(&self.parent, start, old_around, new_around)?;
            core::mem::forget(back);
            Ok(self.tie(moved, offset, new))
        }
    }
}

/// Ties in again what the parent did not resize, because it has no memory or because it panics.
struct TieBack<'a, P: Allocator> {
    list: &'a FreeAtEnd<P>,
    start: NonNull<[u8]>,
    offset: usize,
    old: Layout,
}

impl<P: Allocator> Drop for TieBack<'_, P> {
    fn drop(&mut self) {
        // SAFETY: the block was taken out of the list, and is as it was.
        unsafe { self.list.tie(self.start, self.offset, self.old) };
    }
}

// SAFETY: each block lies in one of the parent's, behind its header, and is returned at the end at the latest; moving this moves
// nothing of it, as no header points here.
unsafe impl<P: Allocator> Allocator for FreeAtEnd<P> {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        let (whole, offset) = around(layout)?;
        let start = self.parent.allocate(whole)?;
        // SAFETY: a fresh block of that layout.
        Ok(unsafe { self.tie(start, offset, layout) })
    }

    fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        let (whole, offset) = around(layout)?;
        let start = self.parent.allocate_zeroed(whole)?;
        // SAFETY: a fresh block of that layout.
        Ok(unsafe { self.tie(start, offset, layout) })
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        let Ok((whole, offset)) = around(layout) else { return };
        // SAFETY: the caller's promise: the block is in the list, and starts so far behind the parent's.
        unsafe {
            self.untie(header_of(block));
            self.parent.deallocate(block.sub(offset), whole);
        }
    }

    unsafe fn grow(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the caller's promise, handed on.
        unsafe { self.resize(block, old, new, |parent, start, old, new| parent.grow(start, old, new)) }
    }

    unsafe fn shrink(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the caller's promise, handed on.
        unsafe { self.resize(block, old, new, |parent, start, old, new| parent.shrink(start, old, new)) }
    }
}

impl<P: Allocator> Drop for FreeAtEnd<P> {
    fn drop(&mut self) {
        while let Some(header) = self.youngest.get() {
            // SAFETY: the list holds live headers only; nobody holds the block in front of whose end this runs.
            unsafe {
                let layout = header.as_ref().layout;
                self.deallocate(header.add(1).cast(), layout);
            }
        }
    }
}

impl<P: Allocator> fmt::Debug for FreeAtEnd<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreeAtEnd").finish_non_exhaustive()
    }
}
