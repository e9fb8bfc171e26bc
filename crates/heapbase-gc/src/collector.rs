//! The collector.

use crate::{
    Description, Kind, UNIT,
    list::List,
    marker::{Marker, Place, Table},
    pending::Pending,
    segment::{self, At, Segment},
};
use allocator_api2::alloc::Allocator;
use core::{fmt, ptr::NonNull};

/// Bytes of a segment, at most.
const SEGMENT: usize = 16 * 1024 - 64;
/// Largest object that shares a segment.
const LARGEST: usize = 128 * UNIT;
/// Sizes of cells: multiples of a unit up to 8, then four steps for each doubling.
const CLASSES: usize = 8 + 4 * 4;
/// The first collection, and none before so much was allocated, unless set.
const LEAST: usize = 64 * 1024;

/// The class of a size, at most [`LARGEST`].
const fn class_of(size: usize) -> usize {
    let units = size.div_ceil(UNIT);
    if units <= 8 {
        return units.saturating_sub(1);
    }
    // The doubling that the last unit lies in, and which quarter of it.
    let doubling = (units - 1).ilog2() as usize;
    8 + (doubling - 3) * 4 + ((units - 1) >> (doubling - 2)) - 4
}

/// Bytes of a class's cells.
const fn cell_of(class: usize) -> usize {
    if class < 8 {
        return (class + 1) * UNIT;
    }
    let (doubling, quarter) = ((class - 8) / 4, (class - 8) % 4);
    (5 + quarter) * (2 << doubling) * UNIT
}

const _: () = {
    let mut size = 1;
    while size <= LARGEST {
        let class = class_of(size);
        assert!(class < CLASSES && cell_of(class) >= size && (class == 0 || cell_of(class - 1) < size));
        size += 1;
    }
    assert!(cell_of(CLASSES - 1) == LARGEST);
    let mut class = 0;
    while class < CLASSES {
        // Dividing by the reciprocal is exact as long as offset times cell is below 2^32.
        assert!(SEGMENT < 1 << 16 && cell_of(class) < 1 << 16);
        class += 1;
    }
};

/// What a collector has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Objects that were allocated and not found unreachable.
    pub objects: usize,
    /// Their bytes, rounded up as they lie.
    pub live_bytes: usize,
    /// Bytes taken of the allocator, the collector's own lists included.
    pub held_bytes: usize,
    /// The most that `held_bytes` has been.
    pub peak_bytes: usize,
    /// Collections so far.
    pub collections: usize,
    /// Objects allocated so far.
    pub allocated: u64,
    /// Objects that collections or [`Collector::free`] freed so far.
    pub freed: u64,
}

/// What is called when an object was found unreachable.
pub type Finaliser = unsafe extern "C" fn(object: NonNull<u8>);

/// An object with a finaliser.
#[derive(Clone, Copy)]
struct Finalised {
    object: NonNull<u8>,
    finaliser: Finaliser,
    /// It was found unreachable.
    due: bool,
}

/// A heap that frees what nobody can reach: see the [crate's page](crate).
///
/// Dropping it frees everything, and runs no finaliser.
pub struct Collector<A: Allocator> {
    memory: A,
    table: Table,
    /// For each kind and class the segments in which there may be a cell not in use.
    current: [[Option<NonNull<Segment>>; CLASSES]; 3],
    /// Segments in which nothing is, to be cut for whatever comes next.
    empty: Option<NonNull<Segment>>,
    pending: Pending,
    roots: List<(*const u8, *const u8)>,
    finalisers: List<Finalised>,
    statistics: Statistics,
    /// Bytes allocated since the last collection, and how many may be before the next.
    since: usize,
    threshold: usize,
    /// What makes the threshold: a share of what was live after the last collection, and a bound below that.
    share: usize,
    least: usize,
    growth: usize,
    limit: usize,
    /// Bytes of segments.
    segments: usize,
    /// A collection is under way, or did not come to its end: objects may be marked, and some of them not followed.
    under_way: bool,
}

// SAFETY: whatever it points to is its own, by blocks of an allocator that may go to another thread, or was promised to be readable.
unsafe impl<A: Allocator + Send> Send for Collector<A> {}

impl<A: Allocator> fmt::Debug for Collector<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}

impl<A: Allocator> Collector<A> {
    /// An empty heap over `memory`. Allocates nothing.
    pub const fn new(memory: A) -> Self {
        Self {
            memory,
            table: Table::new(),
            current: [[None; CLASSES]; 3],
            empty: None,
            pending: Pending::new(),
            roots: List::new(),
            finalisers: List::new(),
            statistics: Statistics {
                objects: 0,
                live_bytes: 0,
                held_bytes: 0,
                peak_bytes: 0,
                collections: 0,
                allocated: 0,
                freed: 0,
            },
            since: 0,
            threshold: LEAST,
            share: 0,
            least: LEAST,
            growth: 75,
            limit: usize::MAX,
            segments: 0,
            under_way: false,
        }
    }

    /// After how much is to be collected: so many bytes in a hundred of those that were live after the last collection, [`set_least`](Self::set_least) at least. 75
    /// unless set, which holds from the next collection on.
    pub fn set_growth(&mut self, percent: usize) {
        self.growth = percent;
    }

    /// How many bytes are allocated at least before memory is collected for their number. 64 KiB unless set: less keeps a small heap smaller, more
    /// looks through its roots less often.
    pub fn set_least(&mut self, bytes: usize) {
        self.least = bytes;
        self.threshold = self.share.max(bytes);
    }

    /// The most bytes to take of the allocator, `usize::MAX` for no limit. Its own lists count: what a collection has yet to look at
    /// gets what is left, and where that is not enough the collection does without.
    pub fn set_limit(&mut self, bytes: usize) {
        self.limit = bytes;
    }

    /// The allocator.
    pub const fn memory(&self) -> &A {
        &self.memory
    }

    /// What it has done.
    pub fn statistics(&self) -> Statistics {
        Statistics { held_bytes: self.held(), ..self.statistics }
    }

    /// Frees everything, without finalisers, and returns the allocator.
    pub fn into_memory(mut self) -> A {
        self.clear();
        let collector = core::mem::ManuallyDrop::new(self);
        // SAFETY: nothing else of it needs a destructor, and it is not used any more.
        unsafe { core::ptr::read(&collector.memory) }
    }

    fn clear(&mut self) {
        // SAFETY: all of it came from this allocator; whoever uses objects keeps the collector.
        unsafe {
            for place in self.table.as_slice() {
                Segment::end(place.segment, &self.memory);
            }
            self.table.end(&self.memory);
            self.pending.end(&self.memory);
            self.roots.end(&self.memory);
            self.finalisers.end(&self.memory);
        }
    }

    fn held(&self) -> usize {
        self.segments + self.table.bytes() + self.pending.bytes() + self.roots.bytes() + self.finalisers.bytes()
    }

    /// Bytes that the limit still allows.
    fn room(&self) -> usize {
        self.limit.saturating_sub(self.held())
    }

    fn note_peak(&mut self) {
        self.statistics.peak_bytes = self.statistics.peak_bytes.max(self.held());
    }

    /// An object of `size` bytes, all of them 0, aligned to two words; `None` when there is no memory, or no more is allowed. May collect
    /// before: `roots` is asked then.
    ///
    /// # Safety
    ///
    /// Whoever uses the object keeps it reachable by what is told to a [`Marker`] at each collection, and uses no more of it than
    /// `size` bytes. Its words hold addresses of objects only where the description lets them.
    pub unsafe fn allocate(
        &mut self,
        size: usize,
        description: Description,
        roots: impl FnOnce(&mut Marker<'_>),
    ) -> Option<NonNull<u8>> {
        let kind = match description {
            Description::Leaf => Kind::Leaf,
            Description::Scanned => Kind::Scanned,
            Description::Precise(_) => Kind::Precise,
        };
        let size = size.max(1);
        let mut roots = Some(roots);
        if self.since.saturating_add(size) > self.threshold {
            // SAFETY: the caller's promise.
            unsafe { self.collect(roots.take()?) };
        }
        let at = match self.place(size, kind) {
            Some(at) => at,
            None => {
                if let Some(roots) = roots.take() {
                    // SAFETY: the caller's promise.
                    unsafe { self.collect(roots) };
                }
                self.give_back(0);
                self.place(size, kind)?
            }
        };
        // SAFETY: a cell of a segment, in use by nobody but us.
        unsafe {
            let (start, cell) = (at.start(), at.segment.as_ref().cell());
            start.write_bytes(0, cell);
            if let Description::Precise(shape) = description {
                segment::shape(at).write(shape);
            }
            self.since += cell;
            self.statistics.live_bytes += cell;
            self.statistics.objects += 1;
            self.statistics.allocated += 1;
            Some(start)
        }
    }

    /// A cell, from a segment that there is or a new one.
    fn place(&mut self, size: usize, kind: Kind) -> Option<At> {
        if size > LARGEST {
            let cell = size.checked_next_multiple_of(UNIT)?;
            // SAFETY: a segment of ours, all of which is free.
            return unsafe { segment::take(self.add(cell, kind, 0)?) };
        }
        let class = class_of(size);
        let mut next = self.current[kind as usize][class];
        while let Some(segment) = next {
            // SAFETY: segments in the lists are there.
            unsafe {
                if let Some(at) = segment::take(segment) {
                    return Some(at);
                }
                segment.as_ref().passed.set(true);
                next = segment.as_ref().next.get();
            }
            self.current[kind as usize][class] = next;
        }
        let cell = cell_of(class);
        let segment = match self.recut(cell, kind) {
            Some(segment) => segment,
            None => self.add(cell, kind, SEGMENT)?,
        };
        // Those before it are full: whoever frees a cell of theirs puts them back.
        // SAFETY: a segment of ours.
        unsafe { segment.as_ref() }.next.set(None);
        self.current[kind as usize][class] = Some(segment);
        // SAFETY: a segment of ours.
        unsafe { segment::take(segment) }
    }

    /// A segment in which nothing was.
    fn recut(&mut self, cell: usize, kind: Kind) -> Option<NonNull<Segment>> {
        let segment = self.empty?;
        // SAFETY: segments in the table are there, and no cell of this one is in use.
        unsafe {
            let next = segment.as_ref().next.get();
            Segment::recut(segment, cell, kind).then(|| self.empty = next)?;
        }
        Some(segment)
    }

    /// Gives segments back in which nothing is, all but `most` bytes of them.
    fn give_back(&mut self, most: usize) {
        if self.empty.is_none() {
            return;
        }
        let Self { table, memory, segments, empty, current, .. } = self;
        let mut kept = 0;
        *empty = None;
        *current = [[None; CLASSES]; 3];
        table.retain(|place| {
            // SAFETY: segments in the table are there, and once out of it are given back.
            unsafe {
                let len = place.segment.as_ref().len();
                if !segment::is_empty(place.segment) {
                    hang(current, place.segment);
                } else if kept + len <= most {
                    kept += len;
                    place.segment.as_ref().next.set(empty.replace(place.segment));
                } else {
                    *segments -= len;
                    Segment::end(place.segment, memory);
                    return false;
                }
                true
            }
        });
    }

    /// A new segment of about `len` bytes, or for one cell, in the table.
    fn add(&mut self, cell: usize, kind: Kind, len: usize) -> Option<NonNull<Segment>> {
        // With a few places for what is to be looked at, a collection is seldom without any.
        let pending = self.pending.bytes() > 0 || self.pending.reserve(&self.memory, self.room());
        let noted = pending && self.table.reserve(&self.memory, self.room());
        // Also where there is no memory for the segment.
        self.note_peak();
        if !noted {
            return None;
        }
        let segment = Segment::new(&self.memory, cell, kind, len, self.room())?;
        // SAFETY: just made.
        let bytes = unsafe { segment.as_ref() }.len();
        let start = segment.addr().get();
        self.table.insert(Place { start, end: start + bytes, segment });
        self.segments += bytes;
        self.note_peak();
        Some(segment)
    }

    /// Registers `start .. end` as roots: a data segment, a shadow stack. False: there is no memory to note it.
    ///
    /// # Safety
    ///
    /// These bytes may be read at each collection until [`remove_roots`](Self::remove_roots).
    pub unsafe fn add_roots(&mut self, start: *const u8, end: *const u8) -> bool {
        let room = self.roots.reserve(&self.memory, self.room());
        if room {
            self.roots.push((start, end));
            self.note_peak();
        }
        room
    }

    /// Forgets the roots that were registered with this start.
    pub fn remove_roots(&mut self, start: *const u8) {
        self.roots.retain(|(first, _)| *first != start);
    }

    /// Has `finaliser` called, once, after the collection that finds `object` unreachable. The object and what it refers to are still there
    /// then, and go with the next collection. Objects are finalised in the order in which this was called. False: there is no memory
    /// to note it, or no such object.
    ///
    /// # Safety
    ///
    /// `object` came from [`allocate`](Self::allocate) and is in use. The finaliser may be called with it, and does not use this
    /// collector.
    pub unsafe fn set_finaliser(&mut self, object: NonNull<u8>, finaliser: Finaliser) -> bool {
        let noted =
            self.table.find(object.addr().get()).is_some() && self.finalisers.reserve(&self.memory, self.room());
        if noted {
            self.finalisers.push(Finalised { object, finaliser, due: false });
            self.note_peak();
        }
        noted
    }

    /// The object that an address lies in; `None` if it is in none.
    pub fn object_at(&self, address: usize) -> Option<NonNull<u8>> {
        Some(self.table.find(address)?.start())
    }

    /// Frees an object that nobody refers to any more, ahead of the next collection. For a large one, which has a block of its own, that takes
    /// time in the number of blocks: 20 microseconds with 60,000.
    ///
    /// # Safety
    ///
    /// It came from [`allocate`](Self::allocate), is in use, and is not used any more. It has no finaliser.
    pub unsafe fn free(&mut self, object: NonNull<u8>) {
        let Some(at) = self.table.find(object.addr().get()) else { return };
        // SAFETY: the segment is in the table.
        let (cell, len) = unsafe { (at.segment.as_ref().cell(), at.segment.as_ref().len()) };
        at.give_up();
        self.statistics.live_bytes -= cell;
        self.statistics.objects -= 1;
        self.statistics.freed += 1;
        if cell > LARGEST {
            self.table.remove(at.segment.addr().get());
            self.segments -= len;
            // SAFETY: its only object was given up, and the table does not name it any more.
            unsafe { Segment::end(at.segment, &self.memory) };
            return;
        }
        // SAFETY: the segment is in the table.
        if unsafe { at.segment.as_ref() }.passed.get() {
            // SAFETY: as above, and no list leads to it.
            unsafe { hang(&mut self.current, at.segment) };
        }
    }

    /// Frees whatever `roots` and the registered ranges do not lead to.
    ///
    /// # Panics
    ///
    /// When `roots` does; nothing is freed then.
    ///
    /// # Safety
    ///
    /// Objects that are still used are reachable from there.
    pub unsafe fn collect(&mut self, roots: impl FnOnce(&mut Marker<'_>)) {
        if core::mem::replace(&mut self.under_way, true) {
            // What was marked the last time was not all followed, and would not be now.
            for place in self.table.as_slice() {
                // SAFETY: segments in the table are there.
                unsafe { segment::unmark(place.segment) };
            }
            self.pending.clear(&self.memory);
        }
        let most = self.room();
        let mut marker = Marker::new(&self.table, &mut self.pending, &self.memory, most);
        roots(&mut marker);
        for (start, end) in self.roots.as_slice() {
            // SAFETY: readable, as was promised with `add_roots`.
            unsafe { marker.range(*start, *end) };
        }
        marker.drain();
        // Those that nobody reaches stay for their finalisers, and what they refer to stays with them. Which they are is settled
        // before the first of them is followed: one may refer to another.
        let mut due = 0;
        for finalised in self.finalisers.as_mut_slice() {
            let found = self.table.find(finalised.object.addr().get());
            finalised.due = found.is_some_and(|at| !at.is_marked());
            due += usize::from(finalised.due);
        }
        for finalised in self.finalisers.as_slice().iter().filter(|finalised| finalised.due) {
            marker.word(finalised.object.addr().get());
        }
        marker.drain();
        self.note_peak();
        self.sweep();
        self.under_way = false;
        if due > 0 {
            for finalised in self.finalisers.as_slice().iter().filter(|finalised| finalised.due) {
                // SAFETY: the object is still there, as was promised with `set_finaliser`.
                unsafe { (finalised.finaliser)(finalised.object) };
            }
            self.finalisers.retain(|finalised| !finalised.due);
        }
    }

    /// Frees what is not marked, and gives segments back in which nothing is left: all but those that will be needed before the
    /// next collection.
    fn sweep(&mut self) {
        let Self { table, memory, statistics, segments, empty, current, .. } = self;
        let (mut kept, mut room) = (0, 0);
        *empty = None;
        *current = [[None; CLASSES]; 3];
        (statistics.objects, statistics.live_bytes) = (0, 0);
        table.retain(|place| {
            // SAFETY: segments in the table are there, and once out of it are given back.
            unsafe {
                let swept = segment::sweep(place.segment);
                let header = place.segment.as_ref();
                statistics.objects += swept.live;
                statistics.live_bytes += swept.live * header.cell();
                statistics.freed += swept.freed as u64;
                if swept.live > 0 {
                    room += header.room(swept.live);
                    hang(current, place.segment);
                } else if header.cell() <= LARGEST {
                    kept += header.len();
                    header.next.set(empty.replace(place.segment));
                } else {
                    *segments -= header.len();
                    Segment::end(place.segment, memory);
                    return false;
                }
                true
            }
        });
        statistics.collections += 1;
        self.since = 0;
        self.share = (statistics.live_bytes / 100).saturating_mul(self.growth);
        self.threshold = self.share.max(self.least);
        let needed = self.threshold.saturating_sub(room);
        if kept > needed {
            self.give_back(needed);
        }
        // What was needed once may be as large as the heap.
        self.pending.clear(&self.memory);
    }
}

/// Hangs a segment that is shared into the list of its class.
///
/// # Safety
///
/// The segment is there.
unsafe fn hang(lists: &mut [[Option<NonNull<Segment>>; CLASSES]; 3], segment: NonNull<Segment>) {
    // SAFETY: the caller's promise.
    let header = unsafe { segment.as_ref() };
    if header.cell() <= LARGEST {
        let list = &mut lists[header.kind() as usize][class_of(header.cell())];
        header.next.set(list.replace(segment));
        header.passed.set(false);
    }
}

impl<A: Allocator> Drop for Collector<A> {
    fn drop(&mut self) {
        self.clear();
    }
}
