//! Finding what is reachable.

use crate::{
    Kind, Shape, WORD,
    list::List,
    pending::Pending,
    segment::{self, At, Segment},
};
use allocator_api2::alloc::Allocator;
use core::{cell::Cell, mem::MaybeUninit, ptr::NonNull};

/// Where a segment lies.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) segment: NonNull<Segment>,
}

/// Bytes whose addresses share an entry of the memo, as a power of two.
const LINE: u32 = 13;

/// All segments, by address.
pub(crate) struct Table {
    places: List<Place>,
    /// For some addresses, by the hash of their line, where in the list their segment was: saves the search where it still is there.
    memo: List<Cell<u32>>,
}

impl Table {
    pub(crate) const fn new() -> Self {
        Self { places: List::new(), memo: List::new() }
    }

    pub(crate) fn as_slice(&self) -> &[Place] {
        self.places.as_slice()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.places.bytes() + self.memo.bytes()
    }

    /// Makes room for one more, with at most `most` bytes besides those that it has. False: there is no memory.
    pub(crate) fn reserve(&mut self, memory: &impl Allocator, most: usize) -> bool {
        let before = self.places.bytes();
        let room = self.places.reserve(memory, most);
        let entries = self.places.as_slice().len().next_power_of_two() * 2;
        if room && self.memo.as_slice().len() < entries {
            // Where there is no memory for it, it is done without.
            self.memo.fill(memory, entries, Cell::new(0), most - (self.places.bytes() - before));
        }
        room
    }

    /// Adds a segment. Room was reserved.
    pub(crate) fn insert(&mut self, place: Place) {
        self.places.insert(self.index(place.start), place);
    }

    /// Takes the segment at `start` away.
    pub(crate) fn remove(&mut self, start: usize) {
        self.places.remove(self.index(start));
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&Place) -> bool) {
        self.places.retain(keep);
    }

    /// Gives its memory back.
    ///
    /// # Safety
    ///
    /// To the allocator that it came from.
    pub(crate) unsafe fn end(&mut self, memory: &impl Allocator) {
        // SAFETY: the caller's promise.
        unsafe {
            self.places.end(memory);
            self.memo.end(memory);
        }
    }

    /// The object in use that an address lies in.
    pub(crate) fn find(&self, address: usize) -> Option<At> {
        // SAFETY: the segment is there as long as it is in the table.
        unsafe { segment::find(self.place(address)?.segment, address) }
    }

    /// The segment that an address lies in.
    #[inline(always)]
    fn place(&self, address: usize) -> Option<Place> {
        let places = self.as_slice();
        let memo = self.memo.as_slice();
        // Its length is a power of two.
        let entry = memo.get((address >> LINE) & memo.len().wrapping_sub(1));
        if let Some(entry) = entry
            && let Some(place) = places.get(entry.get() as usize)
            && (place.start..place.end).contains(&address)
        {
            return Some(*place);
        }
        self.search(address, entry)
    }

    #[inline(never)]
    fn search(&self, address: usize, entry: Option<&Cell<u32>>) -> Option<Place> {
        let index = self.as_slice().partition_point(|place| place.end <= address);
        if let Some(entry) = entry {
            entry.set(index as u32);
        }
        self.as_slice().get(index).filter(|place| address >= place.start).copied()
    }

    /// Where a segment at `start` belongs.
    fn index(&self, start: usize) -> usize {
        self.as_slice().partition_point(|place| place.start < start)
    }
}

/// Words of an object that are looked at before whatever they refer to: what waits in between is where to go on in an object,
/// not all that an array refers to.
const AT_ONCE: usize = 32;
/// Roots that wait before they are followed.
const ROOTS: usize = 64;
/// Objects whose memory was asked for and that are looked at once it may have come.
const AHEAD: usize = 8;

/// An object whose words are to be looked at, or what is left of it.
#[derive(Clone, Copy)]
struct Rest {
    start: NonNull<usize>,
    words: usize,
    /// The shape of a precise object, and how many of its words are in front of those.
    shape: Option<(Shape, usize)>,
}

/// What roots are told to: everything that the program may reach.
pub struct Marker<'a> {
    table: &'a Table,
    /// Addresses inside of objects, from where on their words have yet to be looked at.
    pending: &'a mut Pending,
    memory: &'a dyn Allocator,
    /// Bytes that the limit leaves for what is pending.
    most: usize,
    /// Where the first segment starts, and how far behind it the last one ends: most words are no addresses of ours at all.
    low: usize,
    span: usize,
    /// Where the last address lay that was one: the next is often near.
    recent: Option<Place>,
    /// What is looked at next, the longest waiting first, in a ring.
    ahead: [MaybeUninit<Rest>; AHEAD],
    first: usize,
    len: usize,
    /// There was no room for some of what was found: it is marked, and what it refers to is not.
    overflowed: bool,
}

impl<'a> Marker<'a> {
    /// A collection's. It may take `most` bytes more than it has for what is pending.
    pub(crate) fn new(table: &'a Table, pending: &'a mut Pending, memory: &'a dyn Allocator, most: usize) -> Self {
        let (first, last) = (table.as_slice().first(), table.as_slice().last());
        let (low, high) = first.zip(last).map_or((0, 0), |(first, last)| (first.start, last.end));
        Self {
            table,
            pending,
            memory,
            most,
            low,
            span: high - low,
            recent: None,
            ahead: [const { MaybeUninit::uninit() }; AHEAD],
            first: 0,
            len: 0,
            overflowed: false,
        }
    }

    /// A word that may be the address of an object or lie inside of one.
    #[inline]
    pub fn word(&mut self, word: usize) {
        if self.is_near(word) {
            self.root(word);
        }
    }

    fn root(&mut self, word: usize) {
        self.found(word);
        if self.pending.on_top() >= ROOTS {
            self.empty();
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

    /// Whether an address lies between the first segment's start and the last one's end.
    #[inline(always)]
    fn is_near(&self, address: usize) -> bool {
        address.wrapping_sub(self.low) < self.span
    }

    /// The segment that an address near them lies in.
    #[inline(always)]
    fn place(&mut self, address: usize) -> Option<Place> {
        if let Some(place) = self.recent
            && (place.start..place.end).contains(&address)
        {
            return Some(place);
        }
        let place = self.table.place(address)?;
        self.recent = Some(place);
        Some(place)
    }

    /// [`find`](Self::find), where it is not worth its code once more.
    #[inline(never)]
    fn found(&mut self, word: usize) {
        self.find(word);
    }

    /// Marks what a word refers to, if it does, and notes that it is to be looked at.
    #[inline(always)]
    fn find(&mut self, word: usize) {
        if !self.is_near(word) {
            return;
        }
        let Some(place) = self.place(word) else { return };
        // SAFETY: the segment is there as long as it is in the table.
        let Some(at) = (unsafe { segment::mark(place.segment, word) }) else { return };
        // SAFETY: as above.
        if unsafe { place.segment.as_ref() }.kind() == Kind::Leaf {
            return;
        }
        if self.len < AHEAD {
            self.ask(Self::rest(at, at.start().addr().get()));
        } else if !self.push(at.start().addr().get()) {
            self.overflowed = true;
        }
    }

    /// What of an object is to be looked at from an address on, the first of a word.
    #[inline(always)]
    fn rest(at: At, from: usize) -> Rest {
        // SAFETY: the segment is in the table, the object in use, and all of its words are in its cell.
        unsafe {
            let header = at.segment.as_ref();
            let start = at.start().cast::<usize>();
            let before = (from - start.addr().get()) / WORD;
            let shape = (header.kind() == Kind::Precise).then(|| (segment::shape(at).read(), before));
            Rest { start: start.add(before), words: header.cell() / WORD - before, shape }
        }
    }

    /// Puts one into the ring, where there is room, and asks for its memory.
    #[inline(always)]
    fn ask(&mut self, rest: Rest) {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: a hint; any address will do.
        unsafe {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(rest.start.as_ptr().cast());
        }
        self.ahead[(self.first + self.len) % AHEAD] = MaybeUninit::new(rest);
        self.len += 1;
    }

    /// False: there is no room.
    #[inline]
    fn push(&mut self, address: usize) -> bool {
        let before = self.pending.bytes();
        let room = self.pending.reserve(self.memory, self.most);
        if room {
            self.most -= self.pending.bytes() - before;
            self.pending.push(address);
        }
        room
    }

    /// Follows what an object refers to.
    #[inline(always)]
    fn scan(&mut self, rest: Rest) {
        let Rest { start, mut words, shape } = rest;
        if words > AT_ONCE {
            // Where there is no room to note where to go on, it goes on at once.
            // SAFETY: inside of the object.
            let next = unsafe { start.add(AT_ONCE) }.addr().get();
            if self.push(next) {
                words = AT_ONCE;
            }
        }
        // SAFETY: inside of the object. A value may be of any type, or none: it is compared, and nothing else.
        let read = |word| unsafe { start.add(word).read_volatile() };
        match shape {
            None => (0..words).for_each(|word| self.find(read(word))),
            Some((shape, before)) => {
                let len = shape.words();
                let mut bit = before % len;
                for word in 0..words {
                    if shape.bit(bit) {
                        self.found(read(word));
                    }
                    bit = if bit + 1 == len { 0 } else { bit + 1 };
                }
            }
        }
    }

    /// Follows all that is pending.
    fn empty(&mut self) {
        loop {
            while self.len < AHEAD
                && let Some(address) = self.pending.pop()
            {
                if let Some(place) = self.place(address)
                    // SAFETY: the segment is there as long as it is in the table.
                    && let Some(at) = unsafe { segment::cell_at(place.segment, address) }
                {
                    self.ask(Self::rest(at, address));
                }
            }
            if self.len == 0 {
                return;
            }
            // SAFETY: so many were written from there on.
            let rest = unsafe { self.ahead[self.first].assume_init() };
            self.first = (self.first + 1) % AHEAD;
            self.len -= 1;
            self.scan(rest);
        }
    }

    /// Follows everything that was found.
    pub(crate) fn drain(&mut self) {
        loop {
            self.empty();
            if !core::mem::take(&mut self.overflowed) {
                return;
            }
            // Without memory for what is pending, what is marked is looked for instead. Each turn marks more, so this ends.
            for place in self.table.as_slice() {
                // SAFETY: the segment is in the table.
                if unsafe { place.segment.as_ref() }.kind() == Kind::Leaf {
                    continue;
                }
                // SAFETY: as above. Nothing is in the ring.
                unsafe {
                    segment::each_marked(place.segment, |at| {
                        self.ask(Self::rest(at, at.start().addr().get()));
                        self.empty();
                    });
                }
            }
        }
    }
}
