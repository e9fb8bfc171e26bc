//! Finding what is reachable.

use crate::{
    Kind, UNIT, WORD,
    list::List,
    segment::{self, At, Segment},
};
use allocator_api2::alloc::Allocator;
use core::ptr::NonNull;

/// Where a segment lies.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) segment: NonNull<Segment>,
}

/// All segments, by address.
pub(crate) struct Table(pub(crate) List<Place>);

impl Table {
    /// The object in use that an address lies in.
    pub(crate) fn find(&self, address: usize) -> Option<At> {
        // SAFETY: the segment is there as long as it is in the table.
        unsafe { segment::find(self.place(address)?.segment, address) }
    }

    /// The segment that an address lies in.
    fn place(&self, address: usize) -> Option<Place> {
        let places = self.0.as_slice();
        // Most words are no addresses of ours at all.
        let (first, last) = (places.first()?, places.last()?);
        if address < first.start || address >= last.end {
            return None;
        }
        let place = places[places.partition_point(|place| place.end <= address)];
        (address >= place.start).then_some(place)
    }

    /// Where a segment at `start` belongs.
    pub(crate) fn index(&self, start: usize) -> usize {
        self.0.as_slice().partition_point(|place| place.start < start)
    }
}

/// What roots are told to: everything that the program may reach.
pub struct Marker<'a> {
    pub(crate) table: &'a Table,
    pub(crate) pending: &'a mut List<At>,
    pub(crate) memory: &'a dyn Allocator,
    /// Bytes that the limit leaves for the list of what is pending.
    pub(crate) most: usize,
    /// Where the last address lay that was one: the next is often near.
    pub(crate) recent: Option<Place>,
    /// There was no room for some of what was found: it is marked, and what it refers to is not.
    pub(crate) overflowed: bool,
}

impl Marker<'_> {
    /// A word that may be the address of an object or lie inside of one.
    #[inline]
    pub fn word(&mut self, word: usize) {
        let near = self.recent.filter(|place| (place.start..place.end).contains(&word));
        let Some(place) = near.or_else(|| self.table.place(word)) else { return };
        self.recent = Some(place);
        // SAFETY: the segment is there as long as it is in the table.
        if let Some(at) = unsafe { segment::find(place.segment, word) }
            && at.mark()
        {
            self.push(at);
        }
    }

    /// An object or a pointer into one.
    pub fn pointer<T: ?Sized>(&mut self, pointer: *const T) {
        self.word(pointer.cast::<u8>().addr());
    }

    /// Looks at each aligned word from `start` up to, not including, `end`: a stack, a data segment.
    ///
    /// # Safety
    ///
    /// These bytes may be read, and nobody writes to them meanwhile.
    pub unsafe fn range(&mut self, start: *const u8, end: *const u8) {
        let skip = start.align_offset(WORD);
        let words = end.addr().saturating_sub(start.addr()).saturating_sub(skip) / WORD;
        for word in 0..words {
            // SAFETY: the caller's promise. The value may be of any type, or none: it is compared, and nothing else.
            let value = unsafe { start.add(skip).cast::<usize>().add(word).read_volatile() };
            self.word(value);
        }
    }

    fn push(&mut self, at: At) {
        // SAFETY: the segment is in the table.
        if unsafe { at.segment.as_ref() }.kind() == Kind::Leaf {
            return;
        }
        let before = self.pending.bytes();
        if self.pending.reserve(&self.memory, self.most) {
            self.most -= self.pending.bytes() - before;
            self.pending.push(at);
        } else {
            self.overflowed = true;
        }
    }

    /// Follows what an object refers to.
    pub(crate) fn scan(&mut self, at: At) {
        // SAFETY: the segment is in the table, and the object in use.
        unsafe {
            let header = at.segment.as_ref();
            let start = at.start();
            match header.kind() {
                Kind::Leaf => {}
                Kind::Scanned => self.range(start.as_ptr(), start.add(header.cell()).as_ptr()),
                Kind::Precise => {
                    let shape = start.cast::<crate::Shape>().read();
                    let fields = start.add(UNIT).cast::<usize>();
                    let count = (header.cell() - UNIT) / WORD;
                    for word in (0..count).filter(|word| shape.is_pointer(*word)) {
                        self.word(fields.add(word).read_volatile());
                    }
                }
            }
        }
    }

    /// Follows everything that was found.
    pub(crate) fn drain(&mut self) {
        loop {
            while let Some(at) = self.pending.pop() {
                self.scan(at);
            }
            if !core::mem::take(&mut self.overflowed) {
                return;
            }
            // Without memory for the list, what is marked is looked for instead. Each turn marks more, so this ends.
            let table = self.table;
            for place in table.0.as_slice() {
                // SAFETY: the segment is in the table.
                unsafe { segment::each_marked(place.segment, |at| self.scan(at)) };
                while let Some(at) = self.pending.pop() {
                    self.scan(at);
                }
            }
        }
    }
}
