//! Errors of two words that are made without allocating, and carry more where an allocator has room for it.
//!
//! An allocation can fail, which is an error; and an error wants a message, which is an allocation. The way out of that circle:
//! an [`Error`] is always made. Without an allocator it is a static [`Kind`] and a number, or a kind and the kind of its
//! cause. With one it may have a formatted message and a whole chain of causes, in one block of the subsystem that raised it.
//! Where that subsystem has no memory left, the error is what it would have been without.
//!
//! ```
//! use allocator_api2::alloc::Global;
//! use heapbase::{error::{Category, Error, Kind}, subsystem::{Shared, Subsystem}};
//!
//! static MACHINE: Category = Category::new("machine");
//! static STACK_FULL: Kind = Kind::new(&MACHINE, 1, "the stack is full");
//! static NOT_RUN: Kind = Kind::new(&MACHINE, 2, "the program was not run");
//!
//! fn run() -> Result<(), Error<'static>> {
//!     let part = Shared::new(Subsystem::new("machine", Global)).map_err(|_| Error::new(&NOT_RUN))?;
//!     let full = Error::with_number(&STACK_FULL, 64);
//!     Err(Error::build(&NOT_RUN).cause(full).message(&part, format_args!("program {:?}", "fib")))
//! }
//!
//! // The subsystem's handle is gone; its memory stays for as long as the error needs it.
//! let error = run().unwrap_err();
//! assert_eq!(error.kind(), &NOT_RUN);
//! assert_eq!(format!("{error:#}"), "the program was not run: program \"fib\": the stack is full (64)");
//! assert_eq!(size_of::<Result<(), Error>>(), 2 * size_of::<usize>());
//! ```
//!
//! # Who frees it
//!
//! Whoever drops it, into the right allocator: its block knows where it came from. From a [`Shared`] handle the error keeps the
//! subsystem alive. From a borrowed one it borrows, `Error<'a>`, and the compiler keeps it from outliving the subsystem:
//!
//! ```compile_fail,E0597
//! use allocator_api2::alloc::Global;
//! use heapbase::{error::{Category, Error, Kind}, subsystem::Subsystem};
//!
//! static PARTS: Category = Category::new("parts");
//! static BROKEN: Kind = Kind::new(&PARTS, 1, "broken");
//!
//! let error;
//! {
//!     let part = Subsystem::new("part", Global);
//!     error = Error::build(&BROKEN).message(&part, format_args!("at {}", 5));
//! }
//! println!("{error}");
//! ```
//!
//! An owning handle keeps its subsystem, and no longer than that is whatever the subsystem itself borrows:
//!
//! ```compile_fail,E0597
//! use heapbase::{error::{Category, Error, Kind}, Local, SizeClassAllocator, memory::TestMemory, subsystem::{Shared, Subsystem}};
//!
//! static PARTS: Category = Category::new("parts");
//! static BROKEN: Kind = Kind::new(&PARTS, 1, "broken");
//!
//! let error;
//! {
//!     let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(4)));
//!     let part = Shared::new(Subsystem::new("part", &heap)).unwrap();
//!     error = Error::build(&BROKEN).message(&part, format_args!("at {}", 5));
//! }
//! println!("{error}");
//! ```
//!
//! # Threads
//!
//! An `Error<'a>` stays on the thread that made it, for its subsystem may be of that thread only. `Error<'a, ManyThreads>` goes anywhere: it is
//! made by [`Error::for_threads`], kept by a subsystem for many threads whose parent is for many too, and its causes are such
//! errors. [`Error::to_plain`] makes one of any error, without what it carries: so what [`Subsystem::try_allocate`] returns, which carries
//! nothing, goes there whole. As a source, by the standard's trait, a cause is an `Error<'static>`.
//!
//! ```
//! use allocator_api2::alloc::Global;
//! use heapbase::{error::{Category, Error, Kind}, subsystem::{ManyThreads, Shared, Subsystem}};
//!
//! static WORKERS: Category = Category::new("workers");
//! static FAILED: Kind = Kind::new(&WORKERS, 1, "a job failed");
//!
//! let errors = Shared::new(Subsystem::for_threads("errors", Global)).unwrap();
//! let work = move || -> Result<(), Error<'static, ManyThreads>> {
//!     Err(Error::for_threads(&FAILED).number(7).message(&errors, format_args!("in {}", "parsing")))
//! };
//! let error = std::thread::spawn(work).join().unwrap().unwrap_err();
//! assert_eq!(error.to_string(), "a job failed: in parsing (7)");
//! let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(error);
//! # drop(boxed);
//! ```
//!
//! What is for one thread keeps no such error:
//!
//! ```compile_fail,E0277
//! use allocator_api2::alloc::Global;
//! use heapbase::{error::{Category, Error, Kind}, subsystem::Subsystem};
//!
//! static PARTS: Category = Category::new("parts");
//! static BROKEN: Kind = Kind::new(&PARTS, 1, "broken");
//!
//! let part = Subsystem::new("part", Global);
//! Error::for_threads(&BROKEN).message(&part, format_args!("at {}", 5));
//! ```
//!
//! nor does one whose parent is:
//!
//! ```compile_fail,E0277
//! use heapbase::{error::{Category, Error, Kind}, Local, SizeClassAllocator, memory::TestMemory, subsystem::Subsystem};
//!
//! static PARTS: Category = Category::new("parts");
//! static BROKEN: Kind = Kind::new(&PARTS, 1, "broken");
//!
//! let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(4)));
//! let part = Subsystem::for_threads("part", &heap);
//! Error::for_threads(&BROKEN).message(&part, format_args!("at {}", 5));
//! ```
//!
//! ```compile_fail,E0277
//! use heapbase::{error::{Category, Error, Kind}, Local, SizeClassAllocator, memory::TestMemory, subsystem::{Shared, Subsystem}};
//!
//! static PARTS: Category = Category::new("parts");
//! static BROKEN: Kind = Kind::new(&PARTS, 1, "broken");
//!
//! let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(4)));
//! let part = Shared::new(Subsystem::for_threads("part", &heap)).unwrap();
//! Error::for_threads(&BROKEN).message(&part, format_args!("at {}", 5));
//! ```
//!
//! One for one thread goes nowhere, neither itself nor a reference to it:
//!
//! ```compile_fail,E0277
//! use heapbase::error::{Error, OUT_OF_MEMORY};
//!
//! let error = Error::new(&OUT_OF_MEMORY);
//! std::thread::spawn(move || println!("{error}"));
//! ```
//!
//! ```compile_fail,E0277
//! use heapbase::error::{Error, OUT_OF_MEMORY};
//!
//! let error = Error::new(&OUT_OF_MEMORY);
//! std::thread::scope(|scope| {
//!     scope.spawn(|| println!("{error}"));
//! });
//! ```
//!
//! and is no cause of one that does:
//!
//! ```compile_fail,E0308
//! use allocator_api2::alloc::Global;
//! use heapbase::{error::{Category, Error, Kind}, subsystem::Subsystem};
//!
//! static PARTS: Category = Category::new("parts");
//! static BROKEN: Kind = Kind::new(&PARTS, 1, "broken");
//!
//! let part = Subsystem::new("part", Global);
//! let cause = Error::build(&BROKEN).message(&part, format_args!("at {}", 5));
//! Error::for_threads(&BROKEN).cause(cause);
//! ```

mod payload;

#[cfg(target_has_atomic = "ptr")]
use crate::subsystem::ManyThreads;
use crate::subsystem::{Books, OneThread, Shared, Subsystem};
use allocator_api2::alloc::{AllocError, Allocator};
use core::{
    alloc::Layout,
    fmt::{self, Write},
    marker::PhantomData,
    mem::ManuallyDrop,
    num::NonZero,
    ptr::NonNull,
};
use payload::Payload;

/// A family of kinds of errors, identified by its address: make it a `static`.
#[derive(Debug)]
#[repr(C)]
pub struct Category {
    name: Text,
}

/// A `&'static str` whose layout C knows.
#[derive(Clone, Copy)]
#[repr(C)]
struct Text {
    start: *const u8,
    len: usize,
}

// SAFETY: it stands for a `&'static str`.
unsafe impl Send for Text {}
// SAFETY: as above.
unsafe impl Sync for Text {}

impl Text {
    const fn new(text: &'static str) -> Self {
        Self { start: text.as_ptr(), len: text.len() }
    }

    fn get(&self) -> &'static str {
        // SAFETY: made of a `&'static str`; C's macros make it of a literal, which the header asks to be UTF-8.
        unsafe { core::str::from_utf8_unchecked(core::slice::from_raw_parts(self.start, self.len)) }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.get(), f)
    }
}

impl Category {
    /// The family called `name`.
    pub const fn new(name: &'static str) -> Self {
        Self { name: Text::new(name) }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.name.get()
    }
}

impl PartialEq for Category {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }
}

impl Eq for Category {}

/// One thing that can go wrong: a category, a code in it, a text. Make it a `static`; then it costs an error nothing.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct Kind {
    category: &'static Category,
    code: NonZero<i32>,
    text: Text,
}

impl Kind {
    /// # Panics
    ///
    /// When `code` is 0, which says success in C; for a `static`, when the program is compiled.
    pub const fn new(category: &'static Category, code: i32, text: &'static str) -> Self {
        let Some(code) = NonZero::new(code) else { panic!("0 is the code of success") };
        Self { category, code, text: Text::new(text) }
    }

    /// Its family.
    pub fn category(&self) -> &'static Category {
        self.category
    }

    /// Its number in the family, not 0.
    pub fn code(&self) -> i32 {
        self.code.get()
    }

    /// What it says.
    pub fn text(&self) -> &'static str {
        self.text.get()
    }
}

/// Two kinds are equal if they have one category and one code.
impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.category == other.category && self.code == other.code
    }
}

impl Eq for Kind {}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Kind {}

/// The errors of allocators.
pub static ALLOCATOR: Category = Category::new("allocator");
/// The parent of a subsystem has no memory. The number is the bytes asked for.
pub static OUT_OF_MEMORY: Kind = Kind::new(&ALLOCATOR, 1, "out of memory");
/// The budget of a subsystem does not allow a request. The number is the bytes asked for.
pub static OVER_BUDGET: Kind = Kind::new(&ALLOCATOR, 2, "the subsystem's budget is used up");

/// An error: see the [module](self). Two words, and so are `Option<Error>` and `Result<(), Error>`.
///
/// ```text
///  head                                 tail
///  | address of a kind        | · · 1 | number               |   made without allocating
///  | address of a kind        | · 1 1 | address of a kind    |   with its cause
///  | address of a payload     | · 0 0 | 0                    |   one block of whoever raised it
/// ```
///
/// The first of the three bits says that there was more to tell, and no memory for it.
///
/// The second parameter says which threads it may go to: see the [module](self#threads).
pub struct Error<'a, B = OneThread> {
    head: NonNull<()>,
    tail: *const (),
    /// What a payload's owner borrows, and who may use it.
    keeps: PhantomData<(&'a (), *const B)>,
}

// SAFETY: the kinds are statics; a payload lies in a subsystem that threads may share, as do the payloads of its causes
// (`Keeper<ManyThreads>`), and nothing of it changes but its count, which is atomic.
#[cfg(target_has_atomic = "ptr")]
unsafe impl Send for Error<'_, ManyThreads> {}
// SAFETY: as above.
#[cfg(target_has_atomic = "ptr")]
unsafe impl Sync for Error<'_, ManyThreads> {}

const IS_KIND: usize = 1;
const HAS_CAUSE: usize = 2;
const CUT: usize = 4;

const _: () = {
    assert!(align_of::<Kind>() > IS_KIND + HAS_CAUSE + CUT && align_of::<Payload>() > IS_KIND + HAS_CAUSE + CUT);
    assert!(size_of::<Option<Error<'_>>>() == 2 * size_of::<usize>());
    assert!(size_of::<Result<(), Error<'_>>>() == 2 * size_of::<usize>());
};

fn tagged(kind: &'static Kind, tag: usize) -> NonNull<()> {
    NonNull::from(kind).cast::<()>().map_addr(|address| address | tag)
}

impl Error<'static> {
    /// An error of this kind. Allocates nothing.
    pub fn new(kind: &'static Kind) -> Self {
        Self::with_number(kind, 0)
    }

    /// An error of this kind with a number: an offset, a size, an index; 0 is none. Allocates nothing.
    pub fn with_number(kind: &'static Kind, number: usize) -> Self {
        Self::of_kind(kind, number)
    }

    /// An error of this kind because of another. Allocates nothing.
    pub fn because_of(kind: &'static Kind, cause: &'static Kind) -> Self {
        Self::of_kinds(kind, cause)
    }

    /// Starts an error that carries more.
    pub fn build(kind: &'static Kind) -> Builder<'static> {
        Builder { kind, number: 0, cause: None }
    }
}

#[cfg(target_has_atomic = "ptr")]
impl Error<'static, ManyThreads> {
    /// Starts an error that may go to other threads.
    pub fn for_threads(kind: &'static Kind) -> Builder<'static, ManyThreads> {
        Builder { kind, number: 0, cause: None }
    }
}

#[cfg(target_has_atomic = "ptr")]
impl<'a> From<Error<'a, ManyThreads>> for Error<'a> {
    fn from(error: Error<'a, ManyThreads>) -> Self {
        // SAFETY: who may go anywhere may stay.
        unsafe { error.relabelled() }
    }
}

/// [`OUT_OF_MEMORY`]: what is asked of an `Allocator` says no more.
impl<B> From<AllocError> for Error<'_, B> {
    fn from(_: AllocError) -> Self {
        Error::of_kind(&OUT_OF_MEMORY, 0)
    }
}

/// Bytes for the start of a message, where there is no memory for all of it.
const PART: usize = 256;

/// What an error will tell.
#[derive(Debug)]
#[must_use = "an error is made by `message`, `keep` or `plain`"]
pub struct Builder<'a, B = OneThread> {
    kind: &'static Kind,
    number: usize,
    cause: Option<Error<'a, B>>,
}

impl<'a, B> Builder<'a, B> {
    /// A number: an offset, a size, an index; 0 is none.
    pub fn number(self, number: usize) -> Self {
        Self { number, ..self }
    }

    /// What led to it.
    pub fn cause<'b>(self, cause: Error<'b, B>) -> Builder<'b, B>
    where
        'a: 'b,
    {
        Builder { kind: self.kind, number: self.number, cause: Some(cause) }
    }

    /// The error, with all that was said and a message, in one block of `keeper`: a `&Subsystem`, which it then borrows, or a
    /// `&Shared`, which it keeps alive.
    ///
    /// Without memory for that it is [`plain`](Self::plain), and says so ([`Error::is_cut`]).
    ///
    /// # Panics
    ///
    /// When formatting does; nothing is leaked then.
    pub fn message<'b>(self, keeper: impl Keeper<'b, B>, message: fmt::Arguments<'_>) -> Error<'b, B>
    where
        'a: 'b,
    {
        let mut length = Length(0);
        // What a formatter wrote before it failed is still told.
        let _ = length.write_fmt(message);
        let Self { kind, number, cause } = self;
        match Payload::place(keeper, kind, number, cause, length.0) {
            Ok(mut error) => {
                let whole = Payload::write(&mut error, message);
                if whole { error } else { error.into_cut() }
            }
            Err(cause) => Builder { kind, number, cause }.cut(CUT),
        }
    }

    /// As [`message`](Self::message), for text that somebody else formats: `write` puts it into so many bytes, all of them 0, and says how
    /// many it wrote. What is not UTF-8 becomes `?`. Where there is no memory for all of it, `write` gets 256 bytes, and the error says that it
    /// is cut; where there is none for these, it is not called.
    ///
    /// ```
    /// use allocator_api2::alloc::Global;
    /// use heapbase::{error::{Category, Error, Kind}, subsystem::Subsystem};
    ///
    /// static PARTS: Category = Category::new("parts");
    /// static BROKEN: Kind = Kind::new(&PARTS, 1, "broken");
    ///
    /// let part = Subsystem::new("part", Global);
    /// let error = Error::build(&BROKEN).message_by(&part, 8, |text| {
    ///     text[..3].copy_from_slice(b"a\xffb");
    ///     3
    /// });
    /// assert_eq!(error.message(), "a?b");
    /// ```
    ///
    /// # Panics
    ///
    /// When `write` does; nothing is leaked then.
    pub fn message_by<'b>(
        self,
        keeper: impl Keeper<'b, B>,
        room: usize,
        write: impl FnOnce(&mut [u8]) -> usize,
    ) -> Error<'b, B>
    where
        'a: 'b,
    {
        let Self { kind, number, mut cause } = self;
        for size in [room, PART].into_iter().take(if room > PART { 2 } else { 1 }) {
            match Payload::place(keeper, kind, number, cause, size) {
                Ok(mut error) => {
                    Payload::write_by(&mut error, size != room, write);
                    return if size == room { error } else { error.into_cut() };
                }
                Err(back) => cause = back,
            }
        }
        Builder { kind, number, cause }.cut(CUT)
    }

    /// The error, with its number and its cause, in one block of `keeper`; as [`message`](Self::message) without one.
    ///
    /// Without a cause there is nothing to keep, and nothing is allocated.
    pub fn keep<'b>(self, keeper: impl Keeper<'b, B>) -> Error<'b, B>
    where
        'a: 'b,
    {
        if self.cause.is_none() { self.plain() } else { self.message(keeper, format_args!("")) }
    }

    /// The error without an allocation: of a cause the kind is told, or else the number.
    pub fn plain(self) -> Error<'static, B> {
        self.cut(0)
    }

    fn cut(self, cut: usize) -> Error<'static, B> {
        let error = match &self.cause {
            Some(cause) => Error::of_kinds(self.kind, cause.kind()),
            None => Error::of_kind(self.kind, self.number),
        };
        if cut == 0 { error } else { error.into_cut() }
    }
}

/// Counts what is written.
struct Length(usize);

impl fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

impl<B> Error<'static, B> {
    fn of_kind(kind: &'static Kind, number: usize) -> Self {
        Self { head: tagged(kind, IS_KIND), tail: core::ptr::without_provenance(number), keeps: PhantomData }
    }

    fn of_kinds(kind: &'static Kind, cause: &'static Kind) -> Self {
        let tail = core::ptr::from_ref(cause).cast();
        Self { head: tagged(kind, IS_KIND | HAS_CAUSE), tail, keeps: PhantomData }
    }
}

impl<'a, B> Error<'a, B> {
    /// The same error, of which the types say something else.
    ///
    /// # Safety
    ///
    /// It is not used after what it borrows, nor from other threads than it may go to.
    unsafe fn relabelled<'b, C>(self) -> Error<'b, C> {
        let error = ManuallyDrop::new(self);
        Error { head: error.head, tail: error.tail, keeps: PhantomData }
    }

    fn tag(&self) -> usize {
        self.head.addr().get() & (IS_KIND | HAS_CAUSE | CUT)
    }

    fn payload(&self) -> Option<NonNull<Payload>> {
        // SAFETY: a payload's address is not 0, and aligned to more than the tag.
        (self.tag() & IS_KIND == 0)
            .then(|| unsafe { NonNull::new_unchecked(self.head.as_ptr().map_addr(|address| address & !CUT).cast()) })
    }

    fn look(&self) -> Option<&Payload> {
        // SAFETY: a payload stays until the last error that refers to it goes, and only its count changes.
        self.payload().map(|payload| unsafe { payload.as_ref() })
    }

    /// What went wrong.
    pub fn kind(&self) -> &'static Kind {
        match self.look() {
            Some(payload) => payload.kind,
            None => {
                let kind = self.head.as_ptr().map_addr(|address| address & !(IS_KIND | HAS_CAUSE | CUT));
                // SAFETY: without a payload the head is a kind's address, with a tag.
                unsafe { &*kind.cast::<Kind>() }
            }
        }
    }

    /// Its number; 0 is none.
    pub fn number(&self) -> usize {
        match self.look() {
            Some(payload) => payload.number,
            None if self.tag() & HAS_CAUSE == 0 => self.tail.addr(),
            None => 0,
        }
    }

    /// Its message; empty is none.
    pub fn message(&self) -> &str {
        self.look().map_or("", Payload::message)
    }

    /// What led to it.
    pub fn cause(&self) -> Option<Error<'a, B>> {
        match self.look() {
            // SAFETY: a cause borrows what its error does, and is of its threads.
            Some(payload) => payload.cause.clone().map(|cause| unsafe { cause.relabelled() }),
            None => self.cause_kind().map(|kind| Error::of_kind(kind, 0)),
        }
    }

    /// The error without what it carries, for any thread and any time: its kind, and the kind of its cause or else its number. It says
    /// that it is cut ([`is_cut`](Self::is_cut)) where there was a block with more of it.
    ///
    /// ```
    /// use allocator_api2::alloc::Global;
    /// use heapbase::{error::OUT_OF_MEMORY, subsystem::Subsystem};
    ///
    /// let part = Subsystem::new("part", Global);
    /// part.set_budget(0);
    /// let error = part.try_allocate(core::alloc::Layout::new::<u8>()).unwrap_err().to_plain();
    /// std::thread::spawn(move || println!("{error}")).join().unwrap();
    /// ```
    #[cfg(target_has_atomic = "ptr")]
    pub fn to_plain(&self) -> Error<'static, ManyThreads> {
        let payload = self.look();
        let cause = payload.and_then(|payload| payload.cause.as_ref()).map(Error::kind).or(self.cause_kind());
        let plain = match cause {
            Some(cause) => Error::of_kinds(self.kind(), cause),
            None => Error::of_kind(self.kind(), self.number()),
        };
        if self.is_cut() || payload.is_some() { plain.into_cut() } else { plain }
    }

    /// The cause, where it is a kind.
    fn cause_kind(&self) -> Option<&'static Kind> {
        // SAFETY: with this tag the tail is a kind's address.
        (self.tag() & HAS_CAUSE != 0).then(|| unsafe { &*self.tail.cast::<Kind>() })
    }

    /// Whether there was more to tell, and no memory for it.
    pub fn is_cut(&self) -> bool {
        self.tag() & CUT != 0
    }

    /// The same error, which says that there was more to tell: for messages that somebody else formatted, and had no memory for.
    pub fn into_cut(mut self) -> Self {
        self.head = self.head.map_addr(|address| address | CUT);
        self
    }

    /// Whether it was made without allocating.
    pub fn is_plain(&self) -> bool {
        self.tag() & IS_KIND != 0
    }

    /// For other languages: the kind's code, and what else there is as an address. The number or the cause of an error that was
    /// made without allocating is lost.
    pub fn into_raw(self) -> (NonZero<i32>, NonNull<()>) {
        let error = ManuallyDrop::new(self);
        let head = match error.cause_kind() {
            Some(_) => tagged(error.kind(), error.tag() & !HAS_CAUSE),
            None => error.head,
        };
        (error.kind().code, head)
    }

    /// The error that [`into_raw`](Self::into_raw) took apart.
    ///
    /// # Safety
    ///
    /// The address came from `into_raw` of this very type, is taken back once for each, and `'a` is what the error borrowed; or it is that of a
    /// [`Kind`] that stays, plus 1.
    pub unsafe fn from_raw(raw: NonNull<()>) -> Self {
        Self { head: raw, tail: core::ptr::null(), keeps: PhantomData }
    }
}

impl<B> Clone for Error<'_, B> {
    /// Another reference to the same error. Allocates nothing.
    fn clone(&self) -> Self {
        if let Some(payload) = self.look() {
            payload.hold();
        }
        Self { head: self.head, tail: self.tail, keeps: PhantomData }
    }
}

impl<B> Drop for Error<'_, B> {
    fn drop(&mut self) {
        let mut payload = self.payload();
        // A loop: a chain of causes may be longer than the stack is deep.
        while let Some(last) = payload {
            // SAFETY: this error refers to it, or one did whose payload is gone, and refers to it no more.
            payload = unsafe { Payload::release(last) };
        }
    }
}

impl<B> fmt::Display for Error<'_, B> {
    /// The text, the message, the number; with `{:#}` the causes as well.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.tell(f)?;
        // A loop: a chain of causes may be longer than the stack is deep.
        let mut cause = self.look().and_then(|payload| payload.cause.as_ref());
        while let (true, Some(this)) = (f.alternate(), cause) {
            f.write_str(": ")?;
            this.tell(f)?;
            cause = this.look().and_then(|payload| payload.cause.as_ref());
        }
        Ok(())
    }
}

impl<B> Error<'_, B> {
    /// What there is to say of this one, and of its cause where that is a kind.
    fn tell(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().text())?;
        match self.message() {
            "" => {}
            message => write!(f, ": {message}")?,
        }
        match self.number() {
            0 => {}
            number => write!(f, " ({number})")?,
        }
        match self.cause_kind() {
            Some(kind) if f.alternate() => write!(f, ": {}", kind.text()),
            _ => Ok(()),
        }
    }
}

impl<B> fmt::Debug for Error<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind();
        write!(f, "{}/{}: {self:#}", kind.category().name(), kind.code())
    }
}

impl<B: 'static> core::error::Error for Error<'static, B> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        if let Some(kind) = self.cause_kind() {
            return Some(kind);
        }
        Some(self.look()?.cause.as_ref()?)
    }
}

/// A handle to a subsystem that can keep an error for `'a`: `&'a Subsystem`, or a reference to a [`Shared`]; for an error of
/// [`ManyThreads`], one that threads may share. Nobody else implements it.
pub trait Keeper<'a, B = OneThread>: payload::Place + Copy {}

impl<'a, P: Allocator + 'a, B: Books + 'a> Keeper<'a> for &'a Subsystem<P, B> {}
impl<'a, P: Allocator + 'a, B: Books + 'a> Keeper<'a> for &Shared<P, B> {}
#[cfg(target_has_atomic = "ptr")]
impl<'a, P: Allocator + Send + Sync + 'a> Keeper<'a, ManyThreads> for &'a Subsystem<P, ManyThreads> {}
#[cfg(target_has_atomic = "ptr")]
impl<'a, P: Allocator + Send + Sync + 'a> Keeper<'a, ManyThreads> for &Shared<P, ManyThreads> {}

impl<P: Allocator, B: Books> payload::Place for &Subsystem<P, B> {
    fn place(self, layout: Layout) -> Option<payload::Placed> {
        /// # Safety
        ///
        /// `owner` is a subsystem that gave out `block` for `layout`.
        unsafe fn give_back<P: Allocator, B: Books>(owner: NonNull<()>, block: NonNull<u8>, layout: Layout) {
            // SAFETY: the error borrowed the subsystem until now.
            unsafe { owner.cast::<Subsystem<P, B>>().as_ref().deallocate(block, layout) }
        }
        let block = self.allocate(layout).ok()?.cast();
        Some(payload::Placed { block, owner: NonNull::from(self).cast(), give_back: give_back::<P, B> })
    }
}

impl<P: Allocator, B: Books> payload::Place for &Shared<P, B> {
    fn place(self, layout: Layout) -> Option<payload::Placed> {
        let (block, owner) = Shared::place(self, layout)?;
        Some(payload::Placed { block, owner, give_back: Shared::<P, B>::return_block })
    }
}
