//! A block of the allocator, cut into cells of one size.
//!
//! ```text
//!  | header | bits | shapes | cell 0 | cell 1 | · · · |
//! ```
//!
//! Bits are two for each cell, whether it is marked and whether it is in use: a word of the one, a word of the other, by turns.
//! Shapes are a word for each cell, where the objects are precise.
//!
//! Objects have no header of their own, so what the collector writes during a collection is the bits: a sweep makes the
//! marks the new "in use", and touches no cell.
//!
//! - **G1** A segment's bits say of each cell whether it is in use. What is not in use nobody refers to.
//! - **G2** Outside of a collection no cell is marked.

use crate::{Kind, Shape, UNIT, WORD};
use allocator_api2::alloc::{Allocator, Layout};
use core::{cell::Cell, ptr::NonNull};

const BITS: usize = usize::BITS as usize;

/// What lies at a segment's start, what marking reads first. Cells, as the collector holds several pointers to it.
#[repr(C)]
pub(crate) struct Segment {
    /// Bytes of a cell.
    cell: usize,
    /// 2^32 over that, rounded up: dividing takes as long as all the rest of finding a cell. 0 where there is one cell only.
    reciprocal: u64,
    /// Number of cells.
    count: usize,
    /// Bytes from here to the first cell.
    first: usize,
    kind: Kind,
    /// Allocating has found no cell here and gone on, so no list leads here any more.
    pub(crate) passed: Cell<bool>,
    /// Bytes in all, as asked for.
    len: usize,
    /// Where the search for a cell that is not in use goes on: a word of the bits.
    cursor: Cell<usize>,
    /// Another segment with cells of the same size and kind.
    pub(crate) next: Cell<Option<NonNull<Segment>>>,
}

/// A cell: its segment, and its number there.
#[derive(Clone, Copy)]
pub(crate) struct At {
    pub(crate) segment: NonNull<Segment>,
    pub(crate) number: usize,
}

/// The layout of a segment with `count` cells of `cell` bytes, and where the first is.
fn layout(cell: usize, count: usize, kind: Kind) -> Option<(Layout, usize)> {
    let shapes = if kind == Kind::Precise { count.checked_mul(WORD)? } else { 0 };
    let bits = count.div_ceil(BITS) * WORD * 2;
    let first = shapes.checked_add(size_of::<Segment>() + bits)?.checked_next_multiple_of(UNIT)?;
    let len = cell.checked_mul(count)?.checked_add(first)?;
    Some((Layout::from_size_align(len, UNIT).ok()?, first))
}

/// How many cells of `cell` bytes fit into `len` bytes, one at least.
fn most(len: usize, cell: usize, kind: Kind) -> usize {
    let mut count = len / cell;
    while count > 1 && layout(cell, count, kind).is_none_or(|(layout, _)| layout.size() > len) {
        count -= 1;
    }
    count.max(1)
}

impl Segment {
    /// A segment for one cell, or as many as fit into `len` bytes; no cell of it is in use. `cell` is a multiple of a unit. At most
    /// `room` bytes are taken.
    pub(crate) fn new(
        memory: &impl Allocator,
        cell: usize,
        kind: Kind,
        len: usize,
        room: usize,
    ) -> Option<NonNull<Self>> {
        let count = most(len, cell, kind);
        let (layout, _) = layout(cell, count, kind)?;
        if layout.size() > room {
            return None;
        }
        let segment = memory.allocate(layout).ok()?.cast::<Self>();
        // SAFETY: a fresh block of that length.
        unsafe { Self::cut(segment, cell, count, kind, layout.size()) };
        Some(segment)
    }

    /// Cuts a segment, no cell of which is in use, into others, as many as fit. False: fewer than two do.
    ///
    /// # Safety
    ///
    /// The segment is there, and nobody refers to its cells. `cell` is a multiple of a unit that shares segments.
    pub(crate) unsafe fn recut(segment: NonNull<Self>, cell: usize, kind: Kind) -> bool {
        // SAFETY: the caller's promise.
        let len = unsafe { segment.as_ref().len };
        let count = most(len, cell, kind);
        if count > 1 {
            // SAFETY: so many fit, and nobody else looks at it.
            unsafe { Self::cut(segment, cell, count, kind, len) };
        }
        count > 1
    }

    /// Writes the header and the bits.
    ///
    /// # Safety
    ///
    /// A block of `len` bytes that is nobody else's, into which so many cells fit.
    unsafe fn cut(segment: NonNull<Self>, cell: usize, count: usize, kind: Kind, len: usize) {
        let Some((_, first)) = layout(cell, count, kind) else { return };
        let header = Self {
            cell,
            reciprocal: if count == 1 { 0 } else { (1_u64 << 32).div_ceil(cell as u64) },
            count,
            first,
            len,
            kind,
            cursor: Cell::new(0),
            next: Cell::new(None),
            passed: Cell::new(false),
        };
        // SAFETY: the caller's promise; the bits follow the header.
        unsafe {
            segment.write(header);
            marks(segment, 0).write_bytes(0, 2 * segment.as_ref().words());
        }
    }

    /// Gives a segment back.
    ///
    /// # Safety
    ///
    /// It came from [`new`](Self::new) with this allocator, and nobody uses it any more.
    pub(crate) unsafe fn end(segment: NonNull<Self>, memory: &impl Allocator) {
        // SAFETY: the caller's promise.
        unsafe {
            let layout = Layout::from_size_align_unchecked(segment.as_ref().len, UNIT);
            memory.deallocate(segment.cast(), layout);
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn cell(&self) -> usize {
        self.cell
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Bytes of cells that are not in use where so many are.
    pub(crate) fn room(&self, live: usize) -> usize {
        (self.count - live) * self.cell
    }

    fn words(&self) -> usize {
        self.count.div_ceil(BITS)
    }
}

/// A word of marks.
fn marks(segment: NonNull<Segment>, word: usize) -> NonNull<usize> {
    // SAFETY: the bits follow the header; callers name words below `words()`.
    unsafe { segment.add(1).cast::<usize>().add(2 * word) }
}

/// A word of what is in use.
fn used(segment: NonNull<Segment>, word: usize) -> NonNull<usize> {
    // SAFETY: as above, behind the marks of the same cells.
    unsafe { marks(segment, word).add(1) }
}

/// The shape of an object, in a segment of those that have one. Written before it is read.
///
/// # Safety
///
/// The segment is there, and its kind is [`Kind::Precise`].
pub(crate) unsafe fn shape(at: At) -> NonNull<Shape> {
    // SAFETY: behind the bits, a word for each cell.
    unsafe { marks(at.segment, at.segment.as_ref().words()).cast::<Shape>().add(at.number) }
}

/// The cell that an address lies in, if it is one in use.
///
/// # Safety
///
/// The segment is there, and the address lies in it.
pub(crate) unsafe fn find(segment: NonNull<Segment>, address: usize) -> Option<At> {
    // SAFETY: the caller's promise.
    let at = unsafe { cell_at(segment, address) }?;
    let number = at.number;
    // SAFETY: the number is that of a cell.
    let in_use =
        unsafe { number < segment.as_ref().count && used(segment, number / BITS).read() >> (number % BITS) & 1 != 0 };
    in_use.then_some(at)
}

/// The cell that an address lies in, whether or not there is one; `None` in front of the first.
///
/// # Safety
///
/// The segment is there, and the address lies in it.
#[inline]
pub(crate) unsafe fn cell_at(segment: NonNull<Segment>, address: usize) -> Option<At> {
    // SAFETY: the caller's promise.
    let header = unsafe { segment.as_ref() };
    let offset = (address - segment.addr().get()).checked_sub(header.first)?;
    Some(At { segment, number: ((offset as u64 * header.reciprocal) >> 32) as usize })
}

/// Marks the object that an address lies in, and names it; `None` if there is none, or it was marked.
///
/// # Safety
///
/// The segment is there, and the address lies in it.
#[inline]
pub(crate) unsafe fn mark(segment: NonNull<Segment>, address: usize) -> Option<At> {
    // SAFETY: the caller's promise.
    let at = unsafe { cell_at(segment, address) }?;
    // SAFETY: as above.
    if at.number >= unsafe { segment.as_ref() }.count {
        return None;
    }
    let (marks, bit) = (marks(segment, at.number / BITS), 1 << (at.number % BITS));
    // SAFETY: the number is that of a cell, so these are words of the bits.
    unsafe {
        let marked = marks.read();
        if marks.add(1).read() & !marked & bit == 0 {
            return None;
        }
        marks.write(marked | bit);
    }
    Some(at)
}

/// A cell that was not in use and is now; its bytes are what they are.
///
/// # Safety
///
/// The segment is there.
pub(crate) unsafe fn take(segment: NonNull<Segment>) -> Option<At> {
    // SAFETY: the caller's promise.
    let header = unsafe { segment.as_ref() };
    for word in header.cursor.get()..header.words() {
        // SAFETY: a word of the bits.
        let bits = unsafe { used(segment, word).read() };
        let number = word * BITS + (!bits).trailing_zeros() as usize;
        if bits != usize::MAX && number < header.count {
            header.cursor.set(word);
            // SAFETY: a word of the bits.
            unsafe { used(segment, word).write(bits | bits.wrapping_add(1)) };
            return Some(At { segment, number });
        }
    }
    header.cursor.set(header.words());
    None
}

/// What a sweep found.
pub(crate) struct Swept {
    /// Cells in use.
    pub(crate) live: usize,
    /// Cells that were given up.
    pub(crate) freed: usize,
}

/// What is marked stays in use, and nothing else; nothing is marked any more.
///
/// # Safety
///
/// The segment is there.
pub(crate) unsafe fn sweep(segment: NonNull<Segment>) -> Swept {
    // SAFETY: the caller's promise; words of the bits.
    unsafe {
        let header = segment.as_ref();
        let mut swept = Swept { live: 0, freed: 0 };
        for word in 0..header.words() {
            let (before, after) = (used(segment, word).read(), marks(segment, word).replace(0));
            used(segment, word).write(after);
            swept.live += after.count_ones() as usize;
            swept.freed += (before & !after).count_ones() as usize;
        }
        header.cursor.set(0);
        swept
    }
}

impl At {
    /// The first byte.
    pub(crate) fn start(self) -> NonNull<u8> {
        // SAFETY: the cell lies in the segment.
        unsafe {
            let header = self.segment.as_ref();
            self.segment.cast::<u8>().add(header.first + self.number * header.cell)
        }
    }

    pub(crate) fn is_marked(self) -> bool {
        // SAFETY: a word of the bits.
        unsafe { marks(self.segment, self.number / BITS).read() >> (self.number % BITS) & 1 != 0 }
    }

    /// It is not in use any more.
    pub(crate) fn give_up(self) {
        let word = self.number / BITS;
        // SAFETY: a word of the bits, and the header is there.
        unsafe {
            used(self.segment, word).write(used(self.segment, word).read() & !(1 << (self.number % BITS)));
            let cursor = &self.segment.as_ref().cursor;
            cursor.set(cursor.get().min(word));
        }
    }
}

/// Whether no cell is in use.
///
/// # Safety
///
/// The segment is there.
pub(crate) unsafe fn is_empty(segment: NonNull<Segment>) -> bool {
    // SAFETY: the caller's promise; words of the bits.
    unsafe { (0..segment.as_ref().words()).all(|word| used(segment, word).read() == 0) }
}

/// Nothing is marked any more.
///
/// # Safety
///
/// The segment is there.
pub(crate) unsafe fn unmark(segment: NonNull<Segment>) {
    // SAFETY: the caller's promise; words of the bits.
    unsafe { (0..segment.as_ref().words()).for_each(|word| marks(segment, word).write(0)) }
}

/// Visits the marked cells.
///
/// # Safety
///
/// The segment is there.
pub(crate) unsafe fn each_marked(segment: NonNull<Segment>, mut visit: impl FnMut(At)) {
    // SAFETY: the caller's promise; words of the bits.
    unsafe {
        for word in 0..segment.as_ref().words() {
            let mut bits = marks(segment, word).read();
            while bits != 0 {
                visit(At { segment, number: word * BITS + bits.trailing_zeros() as usize });
                bits &= bits - 1;
            }
        }
    }
}
