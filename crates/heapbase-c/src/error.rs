//! Errors: a code, and the address of what else there is to say.

use crate::subsystem::{Subsystem, part};
use core::{
    ffi::{c_char, c_void},
    fmt::{self, Write},
    mem::{ManuallyDrop, offset_of},
    ptr::NonNull,
};
use heapbase::error as rust;

/// An error, or success. Pass it by value; it owns one reference, which heapbase_error_release gives up. Several threads may hold
/// references to one error, if the allocator that keeps it may be used from several threads.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Error {
    /// 0 is success; else the code of the kind.
    pub code: i32,
    /// NULL for success. The address of a kind plus 1, or of what an allocator keeps: do not look inside.
    pub what: *const c_void,
}

/// A family of kinds, identified by its address: make it a static by HEAPBASE_CATEGORY, in one source file.
#[derive(Debug)]
#[repr(C)]
pub struct Category {
    /// UTF-8.
    pub name: *const c_char,
    /// Bytes of the name, without a terminating 0.
    pub name_len: usize,
}

/// One thing that can go wrong: make it a static by HEAPBASE_KIND, in the source file of its category. An error of it is
/// HEAPBASE_ERROR(kind), which allocates nothing.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct Kind {
    /// The family.
    pub category: *const Category,
    /// Its number in the family, not 0.
    pub code: i32,
    /// UTF-8.
    pub text: *const c_char,
    /// Bytes of the text, without a terminating 0.
    pub text_len: usize,
}

const _: () = {
    assert!(size_of::<Kind>() == size_of::<rust::Kind>() && align_of::<Kind>() == align_of::<rust::Kind>());
    assert!(size_of::<Category>() == size_of::<rust::Category>());
    assert!(offset_of!(Kind, text_len) - offset_of!(Kind, text) == offset_of!(Category, name_len));
    assert!(size_of::<Error>() == 2 * size_of::<usize>());
};

/// What was closed was not empty: there are other references to it, or blocks.
pub static NOT_EMPTY: rust::Kind = rust::Kind::new(&rust::ALLOCATOR, 3, "the subsystem is not empty");
/// An alignment is not a power of two, or a size with it is more than half of the address space.
pub static INVALID: rust::Kind = rust::Kind::new(&rust::ALLOCATOR, 4, "not a size and an alignment");
/// An allocator of the program's own returned a code without a kind.
pub static UNKNOWN: rust::Kind = rust::Kind::new(&rust::ALLOCATOR, 5, "an error without a kind");

/// A collector was called while it collects.
pub static BUSY: rust::Kind = rust::Kind::new(&rust::ALLOCATOR, 6, "the collector is in use");

impl Error {
    /// Success.
    pub const OK: Self = Self { code: 0, what: core::ptr::null() };
}

/// Hands an error over to C.
pub(crate) fn give(error: rust::Error<'static>) -> Error {
    let (code, what) = error.into_raw();
    Error { code: code.get(), what: what.as_ptr() as *const c_void }
}

/// Hands a block over to C, or an error.
///
/// # Safety
///
/// `block` may be written to.
pub(crate) unsafe fn answer(made: Result<NonNull<[u8]>, rust::Error<'static>>, block: *mut *mut c_void) -> Error {
    match made {
        Ok(made) => {
            // SAFETY: the caller's promise.
            unsafe { block.write(made.as_ptr().cast()) };
            Error::OK
        }
        Err(error) => give(error),
    }
}

/// Takes an error over from C; `None` is success.
///
/// # Safety
///
/// The error is one of ours, HEAPBASE_ERROR of a kind that stays, or a code alone, and its reference is given up.
pub(crate) unsafe fn take(error: Error) -> Option<rust::Error<'static>> {
    if error.code == 0 {
        return None;
    }
    let Some(what) = NonNull::new(error.what.cast_mut()) else { return Some(rust::Error::new(&UNKNOWN)) };
    // SAFETY: the caller's promise. What C keeps errors in are owned subsystems, which they keep alive.
    Some(unsafe { rust::Error::from_raw(what.cast()) })
}

/// Looks at an error without taking it.
///
/// # Safety
///
/// The error is one of ours or HEAPBASE_ERROR of a kind that stays, and is held while the result is used.
unsafe fn look(error: Error) -> Option<ManuallyDrop<rust::Error<'static>>> {
    // SAFETY: the caller's promise; the reference is not given up, as it is not dropped.
    unsafe { take(error).map(ManuallyDrop::new) }
}

fn as_c(kind: &'static rust::Kind) -> *const Kind {
    core::ptr::from_ref(kind).cast()
}

/// An allocator has no memory.
#[unsafe(no_mangle)]
pub extern "C" fn heapbase_out_of_memory() -> *const Kind {
    as_c(&rust::OUT_OF_MEMORY)
}

/// The budget of a subsystem does not allow a request.
#[unsafe(no_mangle)]
pub extern "C" fn heapbase_over_budget() -> *const Kind {
    as_c(&rust::OVER_BUDGET)
}

/// A subsystem that was closed was not empty.
#[unsafe(no_mangle)]
pub extern "C" fn heapbase_not_empty() -> *const Kind {
    as_c(&NOT_EMPTY)
}

/// An alignment is not a power of two, or a size is too large for any memory.
#[unsafe(no_mangle)]
pub extern "C" fn heapbase_invalid() -> *const Kind {
    as_c(&INVALID)
}

/// A collector was called while it is in use: by a finaliser, by who was asked for roots, or by its allocator.
#[unsafe(no_mangle)]
pub extern "C" fn heapbase_busy() -> *const Kind {
    as_c(&BUSY)
}

/// An error has a code and no kind: an allocator of the program's own made it of a number.
#[unsafe(no_mangle)]
pub extern "C" fn heapbase_unknown() -> *const Kind {
    as_c(&UNKNOWN)
}

/// Another reference to the same error, which is to be released as well. Allocates nothing.
///
/// # Safety
///
/// The error is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_acquire(error: Error) -> Error {
    // SAFETY: the caller's promise.
    let copy = unsafe { look(error) };
    core::mem::forget(copy.map(|copy| rust::Error::clone(&copy)));
    error
}

/// Gives up a reference. What the last one gave up goes back to the allocator that it came from, and so do its causes.
///
/// # Safety
///
/// The error is held, and not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_release(error: Error) {
    // SAFETY: the caller's promise.
    drop(unsafe { take(error) });
}

/// The kind; NULL for success.
///
/// # Safety
///
/// The error is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_kind(error: Error) -> *const Kind {
    // SAFETY: the caller's promise.
    unsafe { look(error) }.map_or(core::ptr::null(), |error| as_c(error.kind()))
}

/// Whether an error is of a kind: of its category, by address, and with its code.
///
/// # Safety
///
/// The error is held; the kind is one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_is(error: Error, kind: *const Kind) -> bool {
    // SAFETY: the caller's promise; the layouts are the same.
    unsafe { look(error).is_some_and(|error| *error.kind() == *kind.cast::<rust::Kind>()) }
}

/// Its number, an offset or a size; 0 is none. An error that was made without allocating has none: its two words hold the code
/// and the kind.
///
/// # Safety
///
/// The error is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_number(error: Error) -> usize {
    // SAFETY: the caller's promise.
    unsafe { look(error) }.map_or(0, |error| error.number())
}

/// Its message, of `*len` bytes of UTF-8 without a terminating 0; none is 0 bytes. It stays as long as the error is held.
///
/// # Safety
///
/// The error is held; `len` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_message(error: Error, len: *mut usize) -> *const c_char {
    // SAFETY: the caller's promise; the message lies where the error is kept.
    unsafe {
        let error = look(error);
        let message = error.as_ref().map_or("", |error| error.message());
        len.write(message.len());
        message.as_ptr().cast()
    }
}

/// What led to it, as a reference that is to be released; success is none.
///
/// # Safety
///
/// The error is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_cause(error: Error) -> Error {
    // SAFETY: the caller's promise.
    unsafe { look(error) }.and_then(|error| error.cause()).map_or(Error::OK, give)
}

/// Whether there was more to tell, and no memory for it.
///
/// # Safety
///
/// The error is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_is_cut(error: Error) -> bool {
    // SAFETY: the caller's promise.
    unsafe { look(error) }.is_some_and(|error| error.is_cut())
}

/// The same error, which says that there was more to tell.
///
/// # Safety
///
/// The error is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_into_cut(error: Error) -> Error {
    // SAFETY: the caller's promise.
    unsafe { take(error) }.map_or(Error::OK, |error| give(error.into_cut()))
}

/// Writes the error and its causes as text with a terminating 0, as much as fits into `size` bytes, and returns the bytes of all of it
/// without the 0, as snprintf does. Allocates nothing.
///
/// # Safety
///
/// The error is held; `size` bytes may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_write(error: Error, buffer: *mut c_char, size: usize) -> usize {
    struct Into {
        at: *mut u8,
        room: usize,
        len: usize,
    }
    impl fmt::Write for Into {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let fits = text.len().min(self.room);
            // SAFETY: there is room for so many.
            unsafe {
                self.at.copy_from_nonoverlapping(text.as_ptr(), fits);
                self.at = self.at.add(fits);
            }
            self.room -= fits;
            self.len += text.len();
            Ok(())
        }
    }
    let mut text = Into { at: buffer.cast(), room: size.saturating_sub(1), len: 0 };
    // SAFETY: the caller's promise; a byte is left for the 0.
    unsafe {
        if let Some(error) = look(error) {
            // The writer never fails.
            let _ = write!(text, "{:#}", *error);
        }
        if size > 0 {
            text.at.write(0);
        }
    }
    text.len
}

/// Bytes that are meant to be UTF-8.
struct Lossy<'a>(&'a [u8]);

impl fmt::Display for Lossy<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.utf8_chunks().try_for_each(|chunk| {
            f.write_str(chunk.valid())?;
            if chunk.invalid().is_empty() { Ok(()) } else { f.write_char(char::REPLACEMENT_CHARACTER) }
        })
    }
}

/// An error with a number (0 is none), a message of `len` bytes (0 is none) and a cause (success is none), in one block of
/// `keeper`, which it keeps alive. It is always made: without memory, or with a NULL keeper, it is the kind alone, and
/// heapbase_error_is_cut says so.
///
/// The reference to the cause is given up.
///
/// # Safety
///
/// `keeper` is NULL or held; `kind` stays for good; the cause is held; `len` bytes may be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_make(
    keeper: *const Subsystem,
    kind: *const Kind,
    number: usize,
    cause: Error,
    message: *const c_char,
    len: usize,
) -> Error {
    // SAFETY: the caller's promise.
    unsafe {
        let (builder, is_kind_alone) = build(kind, number, cause);
        let text = if len == 0 { &[] } else { core::slice::from_raw_parts(message.cast::<u8>(), len) };
        give(match part(keeper) {
            None if text.is_empty() && is_kind_alone => builder.plain(),
            None => builder.plain().into_cut(),
            Some(keeper) if text.is_empty() && number == 0 => builder.keep(&*keeper),
            Some(keeper) => builder.message(&*keeper, format_args!("{}", Lossy(text))),
        })
    }
}

/// As heapbase_error_make, with a message that `write` puts where it is kept: into `size` bytes, and returns how many it wrote. What is not
/// UTF-8 becomes a question mark. Where there is no memory for all of it, `write` gets 256 bytes, and heapbase_error_is_cut says so; where there is none
/// for these, or with a NULL keeper, it is not called.
///
/// # Safety
///
/// As for heapbase_error_make; `write` writes no more than `size` bytes, and neither uses nor keeps them afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_error_make_by(
    keeper: *const Subsystem,
    kind: *const Kind,
    number: usize,
    cause: Error,
    size: usize,
    write: unsafe extern "C" fn(context: *mut c_void, text: *mut c_char, size: usize) -> usize,
    context: *mut c_void,
) -> Error {
    // SAFETY: the caller's promise.
    unsafe {
        let (builder, _) = build(kind, number, cause);
        give(match part(keeper) {
            None => builder.plain().into_cut(),
            Some(keeper) => {
                builder.message_by(&*keeper, size, |text| write(context, text.as_mut_ptr().cast(), text.len()))
            }
        })
    }
}

/// Starts an error, and says whether its kind is all that it has to tell beside a message: there is room for that in an error of two words.
///
/// # Safety
///
/// The kind stays for good; the reference to the cause is given up.
unsafe fn build(kind: *const Kind, number: usize, cause: Error) -> (rust::Builder<'static>, bool) {
    // SAFETY: the caller's promise; the layouts are the same.
    unsafe {
        let builder = rust::Error::build(&*kind.cast::<rust::Kind>()).number(number);
        match take(cause) {
            Some(cause) => (builder.cause(cause), false),
            None => (builder, number == 0),
        }
    }
}
