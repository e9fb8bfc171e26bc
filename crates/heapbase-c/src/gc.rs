//! The collector of heapbase-gc, over any allocator.

use crate::{
    allocator::{Allocator, Held},
    error::{BUSY, Error, give},
};
use allocator_api2::alloc::{AllocError, Allocator as _};
use core::{
    alloc::Layout,
    cell::Cell,
    ffi::c_void,
    fmt,
    ptr::{NonNull, null_mut},
};
use heapbase::error as rust;
use heapbase_gc::{Collector, Description, Marker};

/// A heap that frees what nobody can reach. For one thread at a time.
#[derive(Debug)]
pub struct Gc {
    collector: Collector<Heard>,
    roots: Roots,
    /// While roots are asked for: where they are told to.
    marker: Cell<*mut Marker<'static>>,
    /// It may be collecting: nobody else may use the collector, neither who is asked for roots nor a finaliser.
    busy: Cell<bool>,
}

/// Bytes of the collector's own block, which count as held.
const OWN: usize = size_of::<Gc>();

/// The use of a collector, one at a time.
struct Use(*mut Gc);

impl Use {
    /// `None` where it is in use.
    ///
    /// # Safety
    ///
    /// The collector is there, until this goes.
    unsafe fn of(gc: *mut Gc) -> Option<Self> {
        // SAFETY: the caller's promise; this field is looked at through the address alone.
        (!unsafe { (*gc).busy.replace(true) }).then(|| Self(gc))
    }

    fn collector(&mut self) -> &mut Collector<Heard> {
        // SAFETY: it is there (`of`), and nobody else uses it.
        unsafe { &mut (*self.0).collector }
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        // What the allocator said to a request that was done without is of no interest, and may be kept somewhere.
        self.collector().memory().said.set(None);
        // SAFETY: it is there.
        unsafe { (*self.0).busy.set(false) };
    }
}

/// An allocator from C, and what it said last.
struct Heard {
    memory: Held,
    said: Cell<Option<rust::Error<'static>>>,
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.memory.fmt(f)
    }
}

impl Heard {
    fn note<T>(&self, answer: Result<T, rust::Error<'static>>) -> Result<T, AllocError> {
        answer.map_err(|error| {
            self.said.set(Some(error));
            AllocError
        })
    }
}

// SAFETY: as `Held`.
unsafe impl allocator_api2::alloc::Allocator for Heard {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.note(self.memory.ask(layout))
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.memory.deallocate(block, layout) }
    }

    unsafe fn grow(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the caller's promise; a collector keeps a block's alignment.
        self.note(unsafe { self.memory.ask_for_size(block, old, new.size()) })
    }
}

#[derive(Clone, Copy, Debug)]
struct Roots {
    tell: Option<unsafe extern "C" fn(gc: *mut Gc, context: *mut c_void)>,
    context: *mut c_void,
}

/// What a collector has done.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct GcFigures {
    /// Objects that were allocated and not found unreachable.
    pub objects: usize,
    /// Their bytes, rounded up as they lie.
    pub live_bytes: usize,
    /// Bytes taken of the allocator, the collector's own lists included: the size of the heap.
    pub held_bytes: usize,
    /// The most that `held_bytes` has been.
    pub peak_bytes: usize,
    /// Collections so far.
    pub collections: usize,
    /// Objects allocated so far.
    pub allocated: u64,
    /// Objects freed so far.
    pub freed: u64,
}

/// Makes a collector over `memory` that takes at most `limit` bytes of it, itself included (SIZE_MAX: no limit), and writes it to `*gc`.
/// Whenever it collects, it calls `roots` with itself and `context`, which tells it what the program may reach by heapbase_gc_mark_roots and
/// heapbase_gc_mark_word, and calls nothing else of it: other calls are refused meanwhile, and do nothing. `roots` may be NULL, where heapbase_gc_add_roots says all.
///
/// # Safety
///
/// The allocator works until `let_go`, or as long as the collector where it has none. `gc` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_make(
    memory: Allocator,
    limit: usize,
    roots: Option<unsafe extern "C" fn(gc: *mut Gc, context: *mut c_void)>,
    context: *mut c_void,
    gc: *mut *mut Gc,
) -> Error {
    // SAFETY: the caller's promise.
    unsafe {
        if limit < OWN {
            return give(rust::Error::with_number(&rust::OUT_OF_MEMORY, OWN));
        }
        let memory = Held::new(memory);
        let block = match memory.ask(Layout::new::<Gc>()) {
            Ok(block) => block,
            Err(error) => return give(error),
        };
        let mut collector = Collector::new(Heard { memory, said: Cell::new(None) });
        collector.set_limit(if limit == usize::MAX { limit } else { limit - OWN });
        let made = block.cast::<Gc>();
        made.write(Gc {
            collector,
            roots: Roots { tell: roots, context },
            marker: Cell::new(null_mut()),
            busy: Cell::new(false),
        });
        gc.write(made.as_ptr());
    }
    Error::OK
}

/// Ends a collector and frees all of its objects, without finalisers. NULL is none. While it collects this does nothing, as any other call.
///
/// # Safety
///
/// The collector is NULL or there; neither it nor its objects are used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_end(gc: *mut Gc) {
    if let Some(gc) = NonNull::new(gc) {
        // SAFETY: the caller's promise. The block came from the allocator that is held until all else is gone.
        unsafe {
            let Some(used) = Use::of(gc.as_ptr()) else { return };
            // There is nothing to go back to.
            core::mem::forget(used);
            let Gc { collector, .. } = gc.read();
            let memory = collector.into_memory();
            memory.deallocate(gc.cast(), Layout::new::<Gc>());
        }
    }
}

/// Asks the program for its roots.
///
/// # Safety
///
/// The collector is there; of it only the cell of the marker is used here and by whoever is asked.
unsafe fn ask(gc: *mut Gc, roots: Roots, marker: &mut Marker<'_>) {
    // SAFETY: the caller's promise. The marker is taken back before it goes.
    unsafe {
        let cell = &(*gc).marker;
        cell.set(core::ptr::from_mut(marker).cast());
        if let Some(tell) = roots.tell {
            tell(gc, roots.context);
        }
        cell.set(null_mut());
    }
}

/// Tells the marker of a collector that asks for roots. It is not there for others meanwhile: it may ask the allocator for memory, which may call this.
///
/// # Safety
///
/// The collector is there.
unsafe fn tell(gc: *mut Gc, what: impl FnOnce(&mut Marker<'static>)) {
    // SAFETY: the caller's promise; a marker is there as long as the cell names it, and nobody else has it.
    unsafe {
        let cell = &(*gc).marker;
        let marker = cell.replace(null_mut());
        if let Some(there) = marker.as_mut() {
            what(there);
            cell.set(marker);
        }
    }
}

/// Writes an object of `size` bytes, all of them 0, aligned to two words, to `*object`. May collect before.
///
/// `layout` says where it may hold addresses of objects: NULL anywhere; else as TinyGo's compiler does: a word whose lowest bit is 1, then the number
/// of words in a pattern that repeats (5 bits; on 64 bits 6), then a bit for each of them; or the address of such a number and
/// of bytes with the bits. 3 is an object that holds none.
///
/// Without memory, after collecting, the error is the allocator's own, where it refused anything meanwhile; else, where the limit allows no more,
/// heapbase_out_of_memory.
///
/// # Safety
///
/// The collector is there. The layout is one of these, and stays. The object is used while the roots lead to it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_allocate(
    gc: *mut Gc,
    size: usize,
    layout: *const c_void,
    object: *mut *mut c_void,
) -> Error {
    // SAFETY: the caller's promise; while roots are asked for, the collector itself is not used.
    unsafe {
        let description = Description::of_layout(layout.cast());
        let roots = (*gc).roots;
        let Some(mut used) = Use::of(gc) else { return give(rust::Error::new(&BUSY)) };
        let collector = used.collector();
        collector.memory().said.set(None);
        let made = collector.allocate(size, description, |marker| ask(gc, roots, marker));
        // What the allocator said to a request that was served after all is of no interest.
        let said = collector.memory().said.take();
        match made {
            Some(made) => {
                object.write(made.as_ptr().cast());
                Error::OK
            }
            None => give(said.unwrap_or_else(|| rust::Error::with_number(&rust::OUT_OF_MEMORY, size))),
        }
    }
}

/// Frees what nobody can reach.
///
/// # Safety
///
/// The collector is there; objects that are still used are reachable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_collect(gc: *mut Gc) {
    // SAFETY: as for allocating.
    unsafe {
        let roots = (*gc).roots;
        if let Some(mut used) = Use::of(gc) {
            used.collector().collect(|marker| ask(gc, roots, marker));
        }
    }
}

/// Tells a collector that asks for roots of the words from `start` up to `end`: a stack, a data segment. It does nothing outside of that, nor
/// where the collector's allocator calls it.
///
/// # Safety
///
/// The collector is there; the bytes may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_mark_roots(gc: *mut Gc, start: *const c_void, end: *const c_void) {
    // SAFETY: the caller's promise.
    unsafe { tell(gc, |marker| marker.range(start.cast(), end.cast())) }
}

/// Tells a collector that asks for roots of a word that may be the address of an object or lie inside of one. Else as heapbase_gc_mark_roots.
///
/// # Safety
///
/// The collector is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_mark_word(gc: *mut Gc, word: usize) {
    // SAFETY: the caller's promise.
    unsafe { tell(gc, |marker| marker.word(word)) }
}

/// Registers the words from `start` up to `end` as roots of each collection. False: there is no memory to note it.
///
/// # Safety
///
/// The collector is there; the bytes may be read until heapbase_gc_remove_roots.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_add_roots(gc: *mut Gc, start: *const c_void, end: *const c_void) -> bool {
    // SAFETY: the caller's promise.
    unsafe { Use::of(gc).is_some_and(|mut used| used.collector().add_roots(start.cast(), end.cast())) }
}

/// Forgets the roots that were registered with this start.
///
/// # Safety
///
/// The collector is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_remove_roots(gc: *mut Gc, start: *const c_void) {
    // SAFETY: the caller's promise.
    if let Some(mut used) = unsafe { Use::of(gc) } {
        used.collector().remove_roots(start.cast());
    }
}

/// Frees an object ahead of the next collection; NULL is none.
///
/// # Safety
///
/// The object is NULL or came from this collector, is not used any more, and has no finaliser.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_free(gc: *mut Gc, object: *mut c_void) {
    if let Some(object) = NonNull::new(object) {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(mut used) = Use::of(gc) {
                used.collector().free(object.cast());
            }
        }
    }
}

/// Has `finaliser` called once after the collection that finds an object unreachable; it calls nothing of the collector, which would do
/// nothing then. False: there is no memory to note it, or no such object.
///
/// # Safety
///
/// The object came from this collector and is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_set_finaliser(
    gc: *mut Gc,
    object: *mut c_void,
    finaliser: unsafe extern "C" fn(object: *mut c_void),
) -> bool {
    let Some(object) = NonNull::new(object) else { return false };
    // SAFETY: the caller's promise; a pointer that is not null is a pointer.
    unsafe {
        let finaliser: heapbase_gc::Finaliser = core::mem::transmute(finaliser);
        Use::of(gc).is_some_and(|mut used| used.collector().set_finaliser(object.cast(), finaliser))
    }
}

/// The object that an address lies in; NULL if it is in none, or while the collector collects.
///
/// # Safety
///
/// The collector is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_object_at(gc: *const Gc, address: usize) -> *mut c_void {
    // SAFETY: the caller's promise.
    let used = unsafe { Use::of(gc.cast_mut()) };
    used.and_then(|mut used| used.collector().object_at(address)).map_or(null_mut(), |object| object.as_ptr().cast())
}

/// What it has done; nothing but zeros while it collects.
///
/// # Safety
///
/// The collector is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_gc_statistics(gc: *const Gc) -> GcFigures {
    // SAFETY: the caller's promise.
    let used = unsafe { Use::of(gc.cast_mut()) };
    let own = if used.is_some() { OWN } else { 0 };
    let figures = used.map(|mut used| used.collector().statistics()).unwrap_or_default();
    GcFigures {
        objects: figures.objects,
        live_bytes: figures.live_bytes,
        held_bytes: figures.held_bytes + own,
        peak_bytes: figures.peak_bytes + own,
        collections: figures.collections,
        allocated: figures.allocated,
        freed: figures.freed,
    }
}
