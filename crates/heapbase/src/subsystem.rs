//! Allocators as values: one for each part of a program, with a budget, counters, and a lifetime that the compiler checks.
//!
//! A [`Subsystem`] names a part of a program and takes its memory from a parent, which is any
//! `allocator_api2::alloc::Allocator`: another subsystem, an arena, a heap of this crate, the system's allocator, a
//! `bumpalo::Bump`. It is such an allocator itself, so collections and boxes live in it.
//!
//! ```
//! use allocator_api2::{boxed::Box, vec::Vec};
//! use heapbase::{Local, SizeClassAllocator, memory::TestMemory, subsystem::Subsystem};
//!
//! let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(16)));
//! let machine = Subsystem::new("machine", &heap);
//! machine.set_budget(1 << 20);
//! let stack = Subsystem::new("stack", &machine);
//! {
//!     let mut values = Vec::new_in(&stack);
//!     values.extend(0..100u64);
//!     let top = Box::new_in(values.len(), &machine);
//!     assert_eq!(machine.figures().live, stack.figures().live + size_of_val(&*top));
//! }
//! stack.close().expect("nothing is left in it");
//! assert_eq!(machine.figures().live, 0);
//! ```
//!
//! # How many allocators
//!
//! | way | how | when |
//! | --- | --- | --- |
//! | one for the program | `#[global_allocator]` | a program that is one part |
//! | one for each subsystem | a `static` [`Subsystem`] whose users name it; with [`ManyThreads`] it is `Sync` | parts that are known when the program is written, and live as long as it |
//! | many | values: a subsystem for each request, each machine, each plugin | parts that come and go, with bounds of their own |
//!
//! They mix: the parent of the values can be the static, whose parent can be the program's.
//!
//! A part may also have a heap of its own, in memory that it reserves from a subsystem ([`Reserved`](crate::memory::Reserved)). Then the subsystem books the
//! reservation, each allocation costs what it costs on the heap alone, and the heap's end returns all of it at once, whatever was leaked. It is the choice
//! where a part allocates much and its most is known; books of each allocation are the choice where parts share what there is, or exact bytes are wanted.
//!
//! # Which handle
//!
//! A handle is what a collection keeps in order to give memory back.
//!
//! | handle | what guarantees that the allocator outlives its blocks | costs | when |
//! | --- | --- | --- | --- |
//! | `&Subsystem` | the borrow checker | no more than the books | the part's lifetime is a scope: take this one first |
//! | [`Shared`] | it counts its handles and blocks, and goes with the last of them | as a borrow; between threads a second word for each allocation | blocks travel to where no borrow reaches: into errors, queues, `'static` types, other languages |
//! | `&'static Subsystem` | it is a static | as a borrow | one for each subsystem |
//!
//! A mistake does not compile. A box may not outlive the subsystem that it lives in:
//!
//! ```compile_fail,E0597
//! use allocator_api2::{alloc::Global, boxed::Box};
//! use heapbase::subsystem::Subsystem;
//!
//! let outside;
//! {
//!     let part = Subsystem::new("part", Global);
//!     outside = Box::new_in(1, &part);
//! }
//! assert_eq!(*outside, 1);
//! ```
//!
//! nor leave the function that made it, nor lose it to [`close`](Subsystem::close), to a move or to another thread:
//!
//! ```compile_fail,E0515
//! use allocator_api2::{alloc::Global, boxed::Box};
//! use heapbase::subsystem::Subsystem;
//!
//! fn make() -> Box<i32, &'static Subsystem<Global>> {
//!     let part = Subsystem::new("part", Global);
//!     Box::new_in(1, &part)
//! }
//! # make();
//! ```
//!
//! ```compile_fail,E0505
//! use allocator_api2::{alloc::Global, boxed::Box};
//! use heapbase::subsystem::Subsystem;
//!
//! let part = Subsystem::new("part", Global);
//! let inside = Box::new_in(1, &part);
//! part.close().unwrap();
//! assert_eq!(*inside, 1);
//! ```
//!
//! ```compile_fail,E0277
//! use allocator_api2::{alloc::Global, boxed::Box};
//! use heapbase::subsystem::Subsystem;
//!
//! let part = Subsystem::new("part", Global);
//! let inside = Box::new_in(1, &part);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| assert_eq!(*inside, 1));
//! });
//! ```
//!
//! With the right handle each of them compiles and runs:
//!
//! ```
//! use allocator_api2::{alloc::Global, boxed::Box};
//! use heapbase::subsystem::{Shared, Subsystem};
//!
//! fn make() -> Box<i32, Shared<Global>> {
//!     let part = Shared::new(Subsystem::new("part", Global)).unwrap();
//!     Box::new_in(1, part)
//! }
//! let outside = make();
//! assert_eq!(*outside, 1);
//!
//! let part = Subsystem::for_threads("part", Global);
//! let inside = Box::new_in(1, &part);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| assert_eq!(*inside, 1));
//! });
//! drop(inside);
//! part.close().unwrap();
//! ```
//!
//! # The end
//!
//! When a subsystem ends, either nothing is left in it, which [`Subsystem::close`] proves by its books, or all that is left is
//! freed: by a parent that does so, as [`FreeAtEnd`] or an arena. A value that was forgotten or leaked is never
//! reachable after either: a reference to it lives no longer than the handle.
//!
//! Dropping one takes neither way, and hides nothing: what is left in it stays on the books of the subsystem above, whose own end frees it or
//! says that it is there.
//!
//! ```
//! use allocator_api2::{alloc::Global, boxed::Box};
//! use heapbase::subsystem::{FreeAtEnd, Subsystem};
//!
//! let server = Subsystem::new("server", Global);
//! let request = Subsystem::new("request", &server);
//! Box::leak(Box::new_in([0u8; 30], &request));
//! drop(request);
//! assert_eq!(server.close().unwrap_err().to_string(), "30 bytes of the subsystem `server` were not returned");
//!
//! let server = Subsystem::new("server", Global);
//! let request = Subsystem::new("request", FreeAtEnd::new(&server));
//! Box::leak(Box::new_in([0u8; 30], &request));
//! drop(request);
//! server.close().expect("all of it went back");
//! ```
//!
//! # Threads
//!
//! The second parameter says who keeps the books: [`OneThread`] in plain cells, or [`ManyThreads`] in atomics.

#[cfg(target_has_atomic = "ptr")]
mod account;
mod books;
mod free_at_end;
pub(crate) mod refs;
#[cfg(doctest)]
mod refused;
mod shared;

#[cfg(target_has_atomic = "ptr")]
pub use books::ManyThreads;
pub use books::{Books, OneThread};
pub use free_at_end::FreeAtEnd;
pub use shared::Shared;

#[cfg(target_has_atomic = "ptr")]
pub(crate) use books::AtomicCount;
#[cfg(not(target_has_atomic = "ptr"))]
pub(crate) use books::CellCount;

use crate::error::{self, Error};
use allocator_api2::alloc::{AllocError, Allocator};
use core::{alloc::Layout, fmt, ptr::NonNull};

/// What a subsystem has used, at one moment. Bytes are those of the layouts asked for, whatever the parent adds to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The subsystem's name.
    pub name: &'static str,
    /// The most bytes that may be live; `usize::MAX` is no limit.
    pub budget: usize,
    /// Bytes given out and not returned.
    pub live: usize,
    /// The most that `live` has been.
    pub peak: usize,
    /// Requests that the budget did not allow.
    pub refused: usize,
    /// Requests for more that the budget allowed and the parent could not serve. (One for less changes nothing where it fails, and is
    /// not counted.)
    pub failed: usize,
}

impl Figures {
    /// What stood in the way of requests since `before`, for collections whose errors do not say: [`OVER_BUDGET`](error::OVER_BUDGET) or
    /// [`OUT_OF_MEMORY`](error::OUT_OF_MEMORY), the latter where both did; `None` if all were served.
    ///
    /// ```
    /// use allocator_api2::{alloc::Global, vec::Vec};
    /// use heapbase::{error::OVER_BUDGET, subsystem::Subsystem};
    ///
    /// let part = Subsystem::new("part", Global);
    /// part.set_budget(100);
    /// let before = part.figures();
    /// assert!(Vec::<u64, _>::new_in(&part).try_reserve(100).is_err());
    /// assert_eq!(part.figures().denied_since(&before), Some(&OVER_BUDGET));
    /// ```
    pub fn denied_since(&self, before: &Self) -> Option<&'static error::Kind> {
        if self.failed != before.failed {
            Some(&error::OUT_OF_MEMORY)
        } else if self.refused != before.refused {
            Some(&error::OVER_BUDGET)
        } else {
            None
        }
    }
}

/// A part of a program that takes its memory from a parent: see the [module](self).
///
/// It is an `Allocator`, and so is each reference to it. It has no memory of its own: what it gives out is the
/// parent's, so it adds nothing to a block.
#[derive(Debug)]
pub struct Subsystem<P, B: Books = OneThread> {
    parent: P,
    books: B,
    name: &'static str,
}

impl<P> Subsystem<P> {
    /// A part named `name`, for one thread, with nothing in it and no limit. Allocates nothing.
    pub const fn new(name: &'static str, parent: P) -> Self {
        Self::keeping(name, parent)
    }
}

#[cfg(target_has_atomic = "ptr")]
impl<P> Subsystem<P, ManyThreads> {
    /// A part named `name`, for many threads, with nothing in it and no limit. Allocates nothing.
    ///
    /// ```
    /// use allocator_api2::{alloc::Global, boxed::Box};
    /// use heapbase::subsystem::{ManyThreads, Subsystem};
    ///
    /// static ERRORS: Subsystem<Global, ManyThreads> = Subsystem::for_threads("errors", Global);
    ///
    /// let line = std::thread::spawn(|| Box::new_in(7, &ERRORS)).join().unwrap();
    /// assert_eq!((*line, ERRORS.figures().live), (7, 4));
    /// ```
    pub const fn for_threads(name: &'static str, parent: P) -> Self {
        Self::keeping(name, parent)
    }
}

impl<P, B: Books> Subsystem<P, B> {
    /// A part with books of either kind: for code that is generic in them.
    pub const fn keeping(name: &'static str, parent: P) -> Self {
        Self { parent, books: B::EMPTY, name }
    }

    /// Sets the most bytes that may be live, `usize::MAX` for no limit. What is live already stays, even if it is more.
    pub fn set_budget(&self, bytes: usize) {
        self.books.set_budget(bytes);
    }

    /// What it has used.
    pub fn figures(&self) -> Figures {
        self.books.figures(self.name)
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The parent.
    pub const fn parent(&self) -> &P {
        &self.parent
    }

    /// Ends it, and returns what it used and the parent.
    ///
    /// ```
    /// use allocator_api2::{alloc::Global, boxed::Box};
    /// use heapbase::subsystem::Subsystem;
    ///
    /// let part = Subsystem::new("part", Global);
    /// Box::leak(Box::new_in([0u8; 30], &part));
    /// let left = part.close().unwrap_err();
    /// assert_eq!(left.to_string(), "30 bytes of the subsystem `part` were not returned");
    /// ```
    ///
    /// # Errors
    ///
    /// When something that it gave out was not returned. As no reference to it is left, that was forgotten or leaked.
    pub fn close(self) -> Result<(Figures, P), NotEmpty<Self>> {
        let figures = self.figures();
        match figures.live {
            0 => Ok((figures, self.parent)),
            _ => Err(NotEmpty { figures, subsystem: self }),
        }
    }
}

/// A subsystem that could not be closed, since something in it was not returned.
pub struct NotEmpty<S> {
    /// What it has used; `live` is what is left.
    pub figures: Figures,
    /// The subsystem, as it was.
    pub subsystem: S,
}

impl<S> fmt::Debug for NotEmpty<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotEmpty").field("figures", &self.figures).finish_non_exhaustive()
    }
}

impl<S> fmt::Display for NotEmpty<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Figures { live, name, .. } = self.figures;
        write!(f, "{live} bytes of the subsystem `{name}` were not returned")
    }
}

impl<S> core::error::Error for NotEmpty<S> {}

/// What stands for a block of no bytes.
fn empty(layout: Layout) -> NonNull<[u8]> {
    let start = core::ptr::without_provenance_mut(layout.align());
    // SAFETY: an alignment is not 0.
    NonNull::slice_from_raw_parts(unsafe { NonNull::new_unchecked(start) }, 0)
}

impl<P: Allocator, B: Books> Subsystem<P, B> {
    /// A block for `layout`, as [`Allocator::allocate`], that says what is missing.
    ///
    /// ```
    /// use core::alloc::Layout;
    /// use allocator_api2::alloc::Global;
    /// use heapbase::{error::OVER_BUDGET, subsystem::Subsystem};
    ///
    /// let part = Subsystem::new("part", Global);
    /// part.set_budget(100);
    /// let error = part.try_allocate(Layout::new::<[u8; 101]>()).unwrap_err();
    /// assert_eq!((error.kind(), error.number()), (&OVER_BUDGET, 101));
    /// ```
    ///
    /// # Errors
    ///
    /// [`OVER_BUDGET`](crate::error::OVER_BUDGET) or [`OUT_OF_MEMORY`](crate::error::OUT_OF_MEMORY), with the bytes asked
    /// for as number.
    pub fn try_allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, Error<'static>> {
        if layout.size() == 0 {
            return Ok(empty(layout));
        }
        self.request(layout.size(), layout.size(), Fresh(layout)).map_err(|denied| denied.asking_for(layout.size()))
    }

    /// Grows a block, as [`Allocator::grow`], and says what is missing.
    ///
    /// # Errors
    ///
    /// As [`try_allocate`](Self::try_allocate), with the bytes asked for in addition as number; the block stays as it is.
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
        let more = new.size() - old.size();
        self.request(more, new.size(), Grown(block, old, new)).map_err(|denied| denied.asking_for(more))
    }

    /// A block of `new` bytes, made out of one of `old` bytes where that is not 0, for a parent that says by errors of its own what
    /// is missing: `serve` asks it, and its error is passed on.
    ///
    /// ```
    /// use core::alloc::Layout;
    /// use allocator_api2::alloc::{Allocator, Global};
    /// use heapbase::{error::OVER_BUDGET, subsystem::Subsystem};
    ///
    /// let outer = Subsystem::new("outer", Global);
    /// let inner = Subsystem::new("inner", &outer);
    /// outer.set_budget(10);
    /// let layout = Layout::new::<[u8; 11]>();
    /// // SAFETY: a block for that layout.
    /// let error = unsafe { inner.try_change(0, 11, |outer| outer.try_allocate(layout)) }.unwrap_err();
    /// assert_eq!((error.kind(), inner.figures().failed, outer.figures().refused), (&OVER_BUDGET, 1, 1));
    /// ```
    ///
    /// # Errors
    ///
    /// [`OVER_BUDGET`](crate::error::OVER_BUDGET) with the bytes asked for in addition as number, or what `serve` returned. The block of
    /// `old` bytes stays as it is.
    ///
    /// # Safety
    ///
    /// `new` is not 0, and neither is above `isize::MAX`. `serve` returns a block that it asked this parent for, of `new` bytes, or one of `old` bytes from here that the
    /// parent gave `new` bytes. With an error it changes nothing.
    pub unsafe fn try_change<'e>(
        &self,
        old: usize,
        new: usize,
        serve: impl FnOnce(&P) -> Result<NonNull<[u8]>, Error<'e>>,
    ) -> Result<NonNull<[u8]>, Error<'e>> {
        if new < old {
            let shrunk = serve(&self.parent)?;
            self.books.give_back(old - new);
            return Ok(NonNull::slice_from_raw_parts(shrunk.cast(), new));
        }
        self.request(new - old, new, serve).map_err(|denied| match denied {
            Denied::Budget => Error::with_number(&error::OVER_BUDGET, new - old),
            Denied::Parent(error) => error,
        })
    }

    /// Books a request, and has the parent asked.
    #[inline(always)]
    fn request<A: Ask<P>>(&self, bytes: usize, size: usize, ask: A) -> Result<NonNull<[u8]>, Denied<A::Refusal>> {
        /// Takes a request off the books, also when the parent panics.
        struct Withdraw<'a, B: Books>(&'a B, usize);

        impl<B: Books> Drop for Withdraw<'_, B> {
            #[inline]
            fn drop(&mut self) {
                self.0.withdraw(self.1);
            }
        }

        let admitted = match self.books.admit(bytes) {
            Some(admitted) => admitted,
            // The peak or the budget stands in its way.
            None => self.books.consider(bytes).ok_or(Denied::Budget)?,
        };
        let withdraw = Withdraw(&self.books, bytes);
        let block = ask.ask(&self.parent).map_err(Denied::Parent)?;
        core::mem::forget(withdraw);
        self.books.confirm(admitted);
        // No longer than was booked: whoever was told of more may give back more.
        Ok(NonNull::slice_from_raw_parts(block.cast(), size))
    }
}

/// What the parent is asked for. No closures: being inlined in two places is more than the compiler does for one.
trait Ask<P> {
    /// What the parent says when it has nothing.
    type Refusal;

    fn ask(self, parent: &P) -> Result<NonNull<[u8]>, Self::Refusal>;
}

struct Fresh(Layout);

impl<P: Allocator> Ask<P> for Fresh {
    type Refusal = AllocError;

    #[inline(always)]
    fn ask(self, parent: &P) -> Result<NonNull<[u8]>, AllocError> {
        parent.allocate(self.0)
    }
}

struct Zeroed(Layout);

impl<P: Allocator> Ask<P> for Zeroed {
    type Refusal = AllocError;

    #[inline(always)]
    fn ask(self, parent: &P) -> Result<NonNull<[u8]>, AllocError> {
        parent.allocate_zeroed(self.0)
    }
}

/// A block of this parent, its layout, and the one that it shall have: as for [`Allocator::grow`].
struct Grown(NonNull<u8>, Layout, Layout);

impl<P: Allocator> Ask<P> for Grown {
    type Refusal = AllocError;

    #[inline(always)]
    fn ask(self, parent: &P) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: promised to whoever made this.
        unsafe { parent.grow(self.0, self.1, self.2) }
    }
}

/// As [`Grown`].
struct GrownZeroed(NonNull<u8>, Layout, Layout);

impl<P: Allocator> Ask<P> for GrownZeroed {
    type Refusal = AllocError;

    #[inline(always)]
    fn ask(self, parent: &P) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: promised to whoever made this.
        unsafe { parent.grow_zeroed(self.0, self.1, self.2) }
    }
}

impl<P, E, F: FnOnce(&P) -> Result<NonNull<[u8]>, E>> Ask<P> for F {
    type Refusal = E;

    fn ask(self, parent: &P) -> Result<NonNull<[u8]>, E> {
        self(parent)
    }
}

/// Why a request was not served.
enum Denied<E> {
    Budget,
    Parent(E),
}

impl Denied<AllocError> {
    fn asking_for(self, bytes: usize) -> Error<'static> {
        let kind = match self {
            Self::Budget => &error::OVER_BUDGET,
            Self::Parent(AllocError) => &error::OUT_OF_MEMORY,
        };
        Error::with_number(kind, bytes)
    }
}

impl From<Denied<AllocError>> for AllocError {
    #[inline(always)]
    fn from(_: Denied<AllocError>) -> Self {
        Self
    }
}

// SAFETY: each block is the parent's, which keeps the promises: it is owned or borrowed here for as long as this or any copy
// of its address may be used, moving this moves nothing of it, and layouts are passed on as they are. Blocks of no bytes never
// reach the parent.
unsafe impl<P: Allocator, B: Books> Allocator for Subsystem<P, B> {
    #[inline(always)]
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if layout.size() == 0 {
            return Ok(empty(layout));
        }
        Ok(self.request(layout.size(), layout.size(), Fresh(layout))?)
    }

    #[inline]
    fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if layout.size() == 0 {
            return Ok(empty(layout));
        }
        Ok(self.request(layout.size(), layout.size(), Zeroed(layout))?)
    }

    #[inline(always)]
    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            // First where that makes no difference to anybody: then the size need not be kept while the parent works.
            if B::ALONE {
                self.books.give_back(layout.size());
            }
            // SAFETY: the caller's promise, and the block is the parent's.
            unsafe { self.parent.deallocate(block, layout) };
            if !B::ALONE {
                self.books.give_back(layout.size());
            }
        }
    }

    #[inline]
    unsafe fn grow(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if old.size() == 0 {
            return self.allocate(new);
        }
        Ok(self.request(new.size() - old.size(), new.size(), Grown(block, old, new))?)
    }

    #[inline]
    unsafe fn grow_zeroed(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if old.size() == 0 {
            return self.allocate_zeroed(new);
        }
        Ok(self.request(new.size() - old.size(), new.size(), GrownZeroed(block, old, new))?)
    }

    #[inline]
    unsafe fn shrink(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        if new.size() == 0 {
            // SAFETY: the caller's promise.
            unsafe { self.deallocate(block, old) };
            return Ok(empty(new));
        }
        // SAFETY: the caller's promise, and the block is the parent's.
        let shrunk = unsafe { self.parent.shrink(block, old, new)? };
        self.books.give_back(old.size() - new.size());
        Ok(NonNull::slice_from_raw_parts(shrunk.cast(), new.size()))
    }
}
