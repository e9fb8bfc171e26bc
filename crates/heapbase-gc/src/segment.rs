//! A block of the allocator, cut into cells of one size.
//!
//! ```text
//!  | header | marks | in use | cell 0 | cell 1 | · · · |        marks and in use: a bit for each cell
//! ```
//!
//! Objects have no header of their own, so what the collector writes during a collection is the bits: a sweep makes the
//! marks the new "in use", and touches no cell.
//!
//! - **G1** A segment's bits say of each cell whether it is in use. What is not in use nobody refers to.
//! - **G2** Outside of a collection no cell is marked.

use crate::{Kind, UNIT, WORD};
use allocator_api2::alloc::{Allocator, Layout};
use core::{cell::Cell, ptr::NonNull};

const BITS: usize = usize::BITS as usize;

/// What lies at a segment's start. Cells, as the collector holds several pointers to it.
pub(crate) struct Segment {
    /// Bytes of a cell.
    cell: usize,
    /// 2^32 over that, rounded up: dividing takes as long as all the rest of finding a cell. 0 where there is one cell only.
    reciprocal: u64,
    /// Number of cells.
    count: usize,
    /// Bytes from here to the first cell.
    first: usize,
    /// Bytes in all, as asked for.
    len: usize,
    kind: Kind,
    /// Where the search for a cell that is not in use goes on: a word of the bits.
    cursor: Cell<usize>,
    /// Another segment with cells of the same size and kind.
    pub(crate) next: Cell<Option<NonNull<Segment>>>,
    /// Allocating has found no cell here and gone on, so no list leads here any more.
    pub(crate) passed: Cell<bool>,
}

/// A cell: its segment, and its number there.
#[derive(Clone, Copy)]
pub(crate) struct At {
    pub(crate) segment: NonNull<Segment>,
    pub(crate) number: usize,
}

/// The layout of a segment with `count` cells of `cell` bytes, and where the first is.
fn layout(cell: usize, count: usize) -> Option<(Layout, usize)> {
    let bits = count.div_ceil(BITS) * WORD * 2;
    let first = (size_of::<Segment>() + bits).checked_next_multiple_of(UNIT)?;
    let len = cell.checked_mul(count)?.checked_add(first)?;
    Some((Layout::from_size_align(len, UNIT).ok()?, first))
}

impl Segment {
    /// Bytes that a segment takes of its allocator.
    pub(crate) fn bytes(cell: usize, count: usize) -> Option<usize> {
        Some(layout(cell, count)?.0.size())
    }

    /// A segment, no cell of which is in use. `cell` is a multiple of a unit.
    pub(crate) fn new(memory: &impl Allocator, cell: usize, count: usize, kind: Kind) -> Option<NonNull<Self>> {
        let (layout, first) = layout(cell, count)?;
        let segment = memory.allocate(layout).ok()?.cast::<Self>();
        let reciprocal = if count == 1 { 0 } else { (1_u64 << 32).div_ceil(cell as u64) };
        let header = Self {
            cell,
            reciprocal,
            count,
            first,
            len: layout.size(),
            kind,
            cursor: Cell::new(0),
            next: Cell::new(None),
            passed: Cell::new(false),
        };
        // SAFETY: a fresh block of that layout; the bits follow the header.
        unsafe {
            segment.write(header);
            segment.add(1).cast::<u8>().write_bytes(0, first - size_of::<Self>());
        }
        Some(segment)
    }

    /// Cuts a segment, no cell of which is in use, into others, as many as fit. False: none does.
    ///
    /// # Safety
    ///
    /// The segment is there, and nobody refers to its cells. `cell` is a multiple of a unit that shares segments.
    pub(crate) unsafe fn recut(segment: NonNull<Self>, cell: usize, kind: Kind) -> bool {
        // SAFETY: the caller's promise: the header and the bits lie in the block, and nobody else looks at them.
        unsafe {
            let len = segment.as_ref().len;
            let mut count = len / cell;
            while layout(cell, count).is_none_or(|(layout, _)| layout.size() > len) {
                count -= 1;
            }
            let Some((_, first)) = layout(cell, count) else { return false };
            if count < 2 {
                return false;
            }
            let reciprocal = (1_u64 << 32).div_ceil(cell as u64);
            segment.write(Self {
                cell,
                reciprocal,
                count,
                first,
                len,
                kind,
                cursor: Cell::new(0),
                next: Cell::new(None),
                passed: Cell::new(false),
            });
            segment.add(1).cast::<u8>().write_bytes(0, first - size_of::<Self>());
            true
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
    unsafe { segment.add(1).cast::<usize>().add(word) }
}

/// A word of what is in use.
fn used(segment: NonNull<Segment>, word: usize) -> NonNull<usize> {
    // SAFETY: as above, behind the marks.
    unsafe { segment.add(1).cast::<usize>().add(segment.as_ref().words() + word) }
}

/// The cell that an address lies in, if it is one in use.
///
/// # Safety
///
/// The segment is there, and the address lies in it.
pub(crate) unsafe fn find(segment: NonNull<Segment>, address: usize) -> Option<At> {
    // SAFETY: the caller's promise.
    let header = unsafe { segment.as_ref() };
    let offset = (address - segment.addr().get()).checked_sub(header.first)?;
    let number = ((offset as u64 * header.reciprocal) >> 32) as usize;
    // SAFETY: the number is that of a cell.
    let in_use = number < header.count && unsafe { used(segment, number / BITS).read() } >> (number % BITS) & 1 != 0;
    in_use.then_some(At { segment, number })
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

    /// Marks it. False: it was marked.
    pub(crate) fn mark(self) -> bool {
        let (word, bit) = (marks(self.segment, self.number / BITS), 1 << (self.number % BITS));
        // SAFETY: a word of the bits.
        unsafe {
            let before = word.read();
            word.write(before | bit);
            before & bit == 0
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
