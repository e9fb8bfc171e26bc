//! An allocator as a value: functions, and what they work on.

use crate::error::{Error, INVALID, give, take};
use allocator_api2::alloc::{self as api, AllocError};
use core::{alloc::Layout, ffi::c_void, ptr::NonNull};
use heapbase::error as rust;

/// An allocator. Copy it freely: it is two addresses, and owns nothing. How long it works is said where you got it from.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Allocator {
    /// The functions. They stay as long as anything that was allocated.
    pub operations: *const Operations,
    /// What they work on.
    pub context: *mut c_void,
}

/// The functions of an allocator of your own. Sizes are not 0; alignments are powers of two; the size and the alignment that a
/// block is given back with are those that it was asked for with. Use from several threads is for those who
/// pass it to several threads to allow.
#[derive(Debug)]
#[repr(C)]
pub struct Operations {
    /// Writes a block to `*block`, or returns an error and writes nothing.
    pub allocate:
        unsafe extern "C" fn(context: *mut c_void, size: usize, align: usize, block: *mut *mut c_void) -> Error,
    /// Gives `*block` another size, perhaps elsewhere, or returns an error and changes nothing. May be NULL: then a block is
    /// allocated, copied and freed.
    pub reallocate: Option<
        unsafe extern "C" fn(
            context: *mut c_void,
            block: *mut *mut c_void,
            size: usize,
            align: usize,
            new_size: usize,
        ) -> Error,
    >,
    /// Takes a block back.
    pub free: unsafe extern "C" fn(context: *mut c_void, block: *mut c_void, size: usize, align: usize),
    /// Bytes that may be used of a block that was asked for with `size`. It is given back with the size that it was asked for with.
    /// May be NULL: then it is that size.
    pub usable_size:
        Option<unsafe extern "C" fn(context: *mut c_void, block: *const c_void, size: usize, align: usize) -> usize>,
    /// A subsystem takes its memory from this allocator from now on: keep the context. May be NULL.
    pub hold: Option<unsafe extern "C" fn(context: *mut c_void)>,
    /// It does so no more. Called once for each `hold`. May be NULL.
    pub let_go: Option<unsafe extern "C" fn(context: *mut c_void)>,
}

impl Allocator {
    /// No allocator: to be overwritten.
    pub const NONE: Self = Self { operations: core::ptr::null(), context: core::ptr::null_mut() };
}

fn layout(size: usize, align: usize) -> Result<Layout, Error> {
    Layout::from_size_align(size, align).map_err(|_| give(rust::Error::with_number(&INVALID, size)))
}

/// Writes a block of `size` bytes to `*block`, NULL if the size is 0. With an error nothing is written.
///
/// # Safety
///
/// The allocator works; `block` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_allocate(
    allocator: Allocator,
    size: usize,
    align: usize,
    block: *mut *mut c_void,
) -> Error {
    if let Err(error) = layout(size, align) {
        return error;
    }
    // SAFETY: the caller's promise.
    unsafe {
        if size == 0 {
            block.write(core::ptr::null_mut());
            return Error::OK;
        }
        ((*allocator.operations).allocate)(allocator.context, size, align, block)
    }
}

/// As heapbase_allocate, and the block's bytes are 0.
///
/// # Safety
///
/// As for heapbase_allocate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_allocate_zeroed(
    allocator: Allocator,
    size: usize,
    align: usize,
    block: *mut *mut c_void,
) -> Error {
    // SAFETY: the caller's promise.
    unsafe {
        let error = heapbase_allocate(allocator, size, align, block);
        if error.code == 0 && size != 0 {
            (*block).cast::<u8>().write_bytes(0, size);
        }
        error
    }
}

/// Gives `*block` of `size` bytes another size. NULL is a block of 0 bytes. With an error nothing is changed.
///
/// # Safety
///
/// The allocator works; `*block` came from it with this size and alignment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_reallocate(
    allocator: Allocator,
    block: *mut *mut c_void,
    size: usize,
    align: usize,
    new_size: usize,
) -> Error {
    if let Err(error) = layout(new_size, align) {
        return error;
    }
    // SAFETY: the caller's promise.
    unsafe {
        if size == 0 {
            return heapbase_allocate(allocator, new_size, align, block);
        }
        if new_size == 0 {
            heapbase_free(allocator, *block, size, align);
            block.write(core::ptr::null_mut());
            return Error::OK;
        }
        resize(allocator, block, size, align, new_size)
    }
}

/// # Safety
///
/// As for heapbase_reallocate; neither size is 0.
unsafe fn resize(allocator: Allocator, block: *mut *mut c_void, size: usize, align: usize, new_size: usize) -> Error {
    // SAFETY: the caller's promise; the blocks are disjoint, and at least as long as is copied.
    unsafe {
        let operations = &*allocator.operations;
        if let Some(reallocate) = operations.reallocate {
            return reallocate(allocator.context, block, size, align, new_size);
        }
        let mut moved = core::ptr::null_mut();
        let error = (operations.allocate)(allocator.context, new_size, align, &mut moved);
        if error.code == 0 {
            moved.copy_from_nonoverlapping(*block, size.min(new_size));
            (operations.free)(allocator.context, block.replace(moved), size, align);
        }
        error
    }
}

/// Gives a block back; NULL is none.
///
/// # Safety
///
/// The block is NULL or came from the allocator with this size and alignment, and is not used any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_free(allocator: Allocator, block: *mut c_void, size: usize, align: usize) {
    if !block.is_null() && size != 0 {
        // SAFETY: the caller's promise.
        unsafe { ((*allocator.operations).free)(allocator.context, block, size, align) }
    }
}

/// Bytes of a block that may be used, at least `size`. It is still given back with `size`.
///
/// # Safety
///
/// The block is NULL or came from the allocator with this size and alignment, and is in use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_usable_size(
    allocator: Allocator,
    block: *const c_void,
    size: usize,
    align: usize,
) -> usize {
    // SAFETY: the caller's promise.
    unsafe {
        match (*allocator.operations).usable_size {
            Some(usable_size) if !block.is_null() => usable_size(allocator.context, block, size, align),
            _ => size,
        }
    }
}

/// An allocator from C, held.
#[derive(Debug)]
pub(crate) struct Held(Allocator);

// SAFETY: use from several threads is for those who pass it to several threads to allow.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

impl Held {
    /// # Safety
    ///
    /// The allocator works until `let_go`, or for good where it has none.
    pub(crate) unsafe fn new(allocator: Allocator) -> Self {
        // SAFETY: the caller's promise.
        unsafe {
            if let Some(hold) = (*allocator.operations).hold {
                hold(allocator.context);
            }
        }
        Self(allocator)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: held since `new`.
        unsafe {
            if let Some(let_go) = (*self.0.operations).let_go {
                let_go(self.0.context);
            }
        }
    }
}

/// What a call of C's returned, as a slice.
///
/// # Safety
///
/// The error's reference is given up; without one the block is so long.
unsafe fn checked(error: Error, block: *mut c_void, size: usize) -> Result<NonNull<[u8]>, rust::Error<'static>> {
    // SAFETY: the caller's promise.
    if let Some(error) = unsafe { take(error) } {
        return Err(error);
    }
    NonNull::new(block.cast())
        .map(|block| NonNull::slice_from_raw_parts(block, size))
        .ok_or_else(|| rust::Error::with_number(&rust::OUT_OF_MEMORY, size))
}

impl Held {
    /// A block, or C's own error. The size is not 0.
    pub(crate) fn ask(&self, layout: Layout) -> Result<NonNull<[u8]>, rust::Error<'static>> {
        let mut block = core::ptr::null_mut();
        // SAFETY: held.
        unsafe {
            let operations = &*self.0.operations;
            let error = (operations.allocate)(self.0.context, layout.size(), layout.align(), &mut block);
            checked(error, block, layout.size())
        }
    }

    /// Another size for a block, or C's own error, which changes nothing.
    ///
    /// # Safety
    ///
    /// The block came from here for this layout; neither size is 0.
    pub(crate) unsafe fn ask_for_size(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new_size: usize,
    ) -> Result<NonNull<[u8]>, rust::Error<'static>> {
        let mut block: *mut c_void = block.as_ptr().cast();
        // SAFETY: held, and the caller's promise.
        unsafe {
            let error = resize(self.0, &mut block, old.size(), old.align(), new_size);
            checked(error, block, new_size)
        }
    }
}

// SAFETY: C's allocator keeps the promises of `Operations`, held until this goes. A subsystem asks for no block of 0 bytes.
unsafe impl api::Allocator for Held {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        self.ask(layout).map_err(|_| AllocError)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: held, and the caller's promise.
        unsafe {
            ((*self.0.operations).free)(self.0.context, block.as_ptr().cast(), layout.size(), layout.align());
        }
    }

    unsafe fn grow(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the caller's promise; subsystems in C keep a block's alignment.
        unsafe { self.ask_for_size(block, old, new.size()) }.map_err(|_| AllocError)
    }

    unsafe fn shrink(&self, block: NonNull<u8>, old: Layout, new: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: as for growing.
        unsafe { self.grow(block, old, new) }
    }
}
