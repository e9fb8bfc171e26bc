//! Pools: everything at once.

use crate::{
    allocator::{Allocator, Held, Operations},
    error::{Error, answer, give},
};
use core::{alloc::Layout, ffi::c_void, ptr::NonNull};
use heapbase::subsystem::FreeAtEnd;

/// An allocator that remembers what it gave out and frees at its end whatever was not given back. It lies in one block of the allocator below,
/// and takes four words of it in front of each block, or the block's alignment where that is more. It may be used from several threads, if the allocator below may.
#[derive(Debug)]
pub struct Pool {
    _private: (),
}

type All = FreeAtEnd<Held>;

/// # Safety
///
/// The pool is there.
unsafe fn there<'a>(pool: *mut c_void) -> &'a All {
    // SAFETY: the caller's promise; made in `heapbase_pool_make`.
    unsafe { &*pool.cast::<All>() }
}

/// Makes a pool that takes its memory from `parent`, and writes it to `*pool`. If the parent is the allocator of a subsystem, that stays as
/// long as the pool. What the parent cannot serve is answered with the parent's own error.
///
/// # Safety
///
/// The parent works until `let_go`, or as long as the pool where it has none. `pool` may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_pool_make(parent: Allocator, pool: *mut *mut Pool) -> Error {
    // SAFETY: the caller's promise, and a fresh block of that layout.
    unsafe {
        let held = Held::new(parent);
        match held.ask(Layout::new::<All>()) {
            Ok(block) => {
                block.cast::<All>().write(All::new(held));
                pool.write(block.as_ptr().cast());
                Error::OK
            }
            Err(error) => give(error),
        }
    }
}

/// The pool as an allocator. It works as long as the pool is there.
///
/// # Safety
///
/// The pool is there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_pool_allocator(pool: *mut Pool) -> Allocator {
    Allocator { operations: &raw const OPERATIONS, context: pool.cast() }
}

/// Frees all that was not given back, and the pool; NULL is none. What lay in it is used no more: blocks, subsystems over it, and the errors that those
/// keep.
///
/// # Safety
///
/// The pool is NULL or there, and is not used any more, nor is anything in it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_pool_end(pool: *mut Pool) {
    let Some(block) = NonNull::new(pool.cast::<All>()) else { return };
    // SAFETY: the caller's promise. The parent is held until its block is back.
    unsafe {
        let parent = block.read().into_parent();
        allocator_api2::alloc::Allocator::deallocate(&parent, block.cast(), Layout::new::<All>());
    }
}

static OPERATIONS: Operations =
    Operations { allocate, reallocate: Some(reallocate), free, usable_size: None, hold: None, let_go: None };

unsafe extern "C" fn allocate(context: *mut c_void, size: usize, align: usize, block: *mut *mut c_void) -> Error {
    // SAFETY: as `Operations` says; the context is a pool that is there.
    unsafe {
        let layout = Layout::from_size_align_unchecked(size, align);
        answer(there(context).try_allocate_by(layout, Held::ask), block)
    }
}

unsafe extern "C" fn reallocate(
    context: *mut c_void,
    block: *mut *mut c_void,
    size: usize,
    align: usize,
    new_size: usize,
) -> Error {
    // SAFETY: as `Operations` says; the context is a pool that is there. The alignment stays, so the parent is asked for a size only.
    unsafe {
        let at = NonNull::new_unchecked((*block).cast());
        let old = Layout::from_size_align_unchecked(size, align);
        let new = Layout::from_size_align_unchecked(new_size, align);
        let serve = |below: &Held, start, old, new: Layout| below.ask_for_size(start, old, new.size());
        answer(there(context).try_resize_by(at, old, new, serve), block)
    }
}

unsafe extern "C" fn free(context: *mut c_void, block: *mut c_void, size: usize, align: usize) {
    // SAFETY: as `Operations` says; the context is a pool that is there.
    unsafe {
        let layout = Layout::from_size_align_unchecked(size, align);
        allocator_api2::alloc::Allocator::deallocate(there(context), NonNull::new_unchecked(block.cast()), layout);
    }
}
