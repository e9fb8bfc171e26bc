//! Subsystems.

use crate::{
    allocator::{Allocator, Held, Operations},
    error::{Error, NOT_EMPTY, answer, give},
};
use core::{
    alloc::Layout,
    ffi::{CStr, c_char, c_void},
    mem::ManuallyDrop,
    ptr::NonNull,
};
use heapbase::{
    error as rust,
    subsystem::{ManyThreads, Shared, Subsystem as Part},
};

/// A part of a program that takes its memory from an allocator, with a budget and counters. It lies in one block of that
/// allocator, and stays until the last reference, block and error of it is given back: so a block may be freed, and an
/// error released, after whoever made the subsystem has released it.
///
/// Counters, budget and references may be used from several threads, if the allocator below may.
#[derive(Debug)]
pub struct Subsystem {
    _private: (),
}

/// What a subsystem has used.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Figures {
    /// The most bytes that may be live; SIZE_MAX is no limit.
    pub budget: usize,
    /// Bytes given out and not returned.
    pub live: usize,
    /// The most that `live` has been.
    pub peak: usize,
    /// Requests that the budget did not allow.
    pub refused: usize,
    /// Requests that the budget allowed and the allocator below could not serve.
    pub failed: usize,
}

type Handle = Shared<Held, ManyThreads>;

/// Looks at a subsystem without taking its reference; `None` is NULL.
///
/// # Safety
///
/// The subsystem is NULL or there.
pub(crate) unsafe fn part(subsystem: *const Subsystem) -> Option<ManuallyDrop<Handle>> {
    let raw = NonNull::new(subsystem.cast_mut())?.cast();
    // SAFETY: made in `heapbase_subsystem_make`; the reference is not given up, as it is not dropped.
    Some(ManuallyDrop::new(unsafe { Handle::from_raw(raw) }))
}

/// # Safety
///
/// As for [`part`], and not NULL.
unsafe fn there(subsystem: *const Subsystem) -> ManuallyDrop<Handle> {
    // SAFETY: the caller's promise.
    unsafe { part(subsystem).unwrap_unchecked() }
}

/// Makes a subsystem that takes its memory from `parent`, and writes a reference to `*subsystem`. `budget` is the most bytes that may
/// be live, SIZE_MAX for no limit.
///
/// If the parent is the allocator of a subsystem, that stays as long as this one. What the parent cannot serve is answered with the
/// parent's own error, here and for each block.
///
/// # Safety
///
/// The parent works until `let_go`, or as long as the subsystem where it has none. The name, UTF-8 or NULL for none, stays as long
/// as the subsystem. `subsystem` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_subsystem_make(
    parent: Allocator,
    name: *const c_char,
    budget: usize,
    subsystem: *mut *mut Subsystem,
) -> Error {
    // SAFETY: the caller's promise.
    unsafe {
        let name: &'static CStr = if name.is_null() { c"" } else { CStr::from_ptr(name) };
        let part = Part::for_threads(name.to_str().unwrap_or("?"), Held::new(parent));
        match Shared::new_by(part, Held::ask) {
            Ok(handle) => {
                handle.set_budget(budget);
                subsystem.write(handle.into_raw().as_ptr().cast());
                Error::OK
            }
            Err(error) => give(error),
        }
    }
}

/// Another reference, which is to be released as well.
///
/// # Safety
///
/// The subsystem is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_subsystem_acquire(subsystem: *mut Subsystem) -> *mut Subsystem {
    // SAFETY: the caller's promise.
    core::mem::forget(unsafe { Handle::clone(&there(subsystem)) });
    subsystem
}

/// Gives up a reference; NULL is none.
///
/// # Safety
///
/// The subsystem is NULL or the reference was held, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_subsystem_release(subsystem: *mut Subsystem) {
    // SAFETY: the caller's promise.
    if let Some(handle) = unsafe { part(subsystem) } {
        drop(ManuallyDrop::into_inner(handle));
    }
}

/// Ends a subsystem in which nothing is left. With an error, heapbase_not_empty, the reference stays: there are other references,
/// blocks or errors. heapbase_subsystem_figures says how many bytes are live.
///
/// # Safety
///
/// The reference is held.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_subsystem_close(subsystem: *mut Subsystem) -> Error {
    // SAFETY: the caller's promise.
    let handle = ManuallyDrop::into_inner(unsafe { there(subsystem) });
    match handle.close() {
        Ok(_) => Error::OK,
        Err(handle) => {
            core::mem::forget(handle);
            give(rust::Error::new(&NOT_EMPTY))
        }
    }
}

/// The subsystem as an allocator. It holds no reference: it works as long as the subsystem is there.
///
/// # Safety
///
/// The subsystem is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_subsystem_allocator(subsystem: *mut Subsystem) -> Allocator {
    Allocator { operations: &raw const OPERATIONS, context: subsystem.cast() }
}

/// Its name, of `*len` bytes of UTF-8 without a terminating 0. It is what heapbase_subsystem_make was given.
///
/// # Safety
///
/// The subsystem is there; `len` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_subsystem_name(subsystem: *const Subsystem, len: *mut usize) -> *const c_char {
    // SAFETY: the caller's promise.
    unsafe {
        let name = there(subsystem).name();
        len.write(name.len());
        name.as_ptr().cast()
    }
}

/// What it has used.
///
/// # Safety
///
/// The subsystem is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_subsystem_figures(subsystem: *const Subsystem) -> Figures {
    // SAFETY: the caller's promise.
    let figures = unsafe { there(subsystem) }.figures();
    Figures {
        budget: figures.budget,
        live: figures.live,
        peak: figures.peak,
        refused: figures.refused,
        failed: figures.failed,
    }
}

/// Sets the most bytes that may be live, SIZE_MAX for no limit. What is live already stays, even if it is more.
///
/// # Safety
///
/// The subsystem is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_subsystem_set_budget(subsystem: *mut Subsystem, budget: usize) {
    // SAFETY: the caller's promise.
    unsafe { there(subsystem) }.set_budget(budget);
}

static OPERATIONS: Operations = Operations {
    allocate,
    reallocate: Some(reallocate),
    free,
    usable_size: None,
    hold: Some(hold),
    let_go: Some(let_go),
};

/// # Safety
///
/// As `Operations` says, of a layout.
unsafe fn layout(size: usize, align: usize) -> Layout {
    // SAFETY: checked where C called, or once a layout.
    unsafe { Layout::from_size_align_unchecked(size, align) }
}

unsafe extern "C" fn allocate(context: *mut c_void, size: usize, align: usize, block: *mut *mut c_void) -> Error {
    // SAFETY: as `Operations` says; the context is a subsystem that is there.
    unsafe {
        let layout = layout(size, align);
        answer(there(context.cast()).try_change(0, size, |below| below.ask(layout)), block)
    }
}

unsafe extern "C" fn reallocate(
    context: *mut c_void,
    block: *mut *mut c_void,
    size: usize,
    align: usize,
    new_size: usize,
) -> Error {
    // SAFETY: as `Operations` says; the context is a subsystem that is there.
    unsafe {
        let (at, layout) = (NonNull::new_unchecked((*block).cast()), layout(size, align));
        let resized =
            there(context.cast()).try_change(size, new_size, |below| below.ask_for_size(at, layout, new_size));
        answer(resized, block)
    }
}

unsafe extern "C" fn free(context: *mut c_void, block: *mut c_void, size: usize, align: usize) {
    // SAFETY: as `Operations` says; the block keeps the subsystem there.
    unsafe {
        let (raw, block) = (NonNull::new_unchecked(context).cast(), NonNull::new_unchecked(block.cast()));
        Handle::return_block(raw, block, layout(size, align));
    }
}

unsafe extern "C" fn hold(context: *mut c_void) {
    // SAFETY: as `Operations` says.
    unsafe { heapbase_subsystem_acquire(context.cast()) };
}

unsafe extern "C" fn let_go(context: *mut c_void) {
    // SAFETY: as `Operations` says.
    unsafe { heapbase_subsystem_release(context.cast()) };
}
