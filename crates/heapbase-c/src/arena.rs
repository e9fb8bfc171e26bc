//! Heaps of our own: in bytes that the caller has, and on WebAssembly in the module's memory.

use crate::{
    allocator::{Allocator, Operations},
    error::{Error, give},
};
use core::{
    alloc::{GlobalAlloc, Layout},
    ffi::c_void,
    mem::MaybeUninit,
    ptr::NonNull,
};
use heapbase::{LockedAllocator, SizeClassAllocator, error as rust, memory::Region};

type Arena = LockedAllocator<SizeClassAllocator<Region<'static>>>;

/// Makes a heap of `len` bytes, whose first few hundred it keeps for itself, and writes an allocator to `*allocator`. It works as long as
/// the bytes are there, and goes with them, together with all that is in it. It may be used from several threads.
///
/// # Safety
///
/// The bytes are the caller's to give, and nobody else uses them as long as the allocator works. `allocator` may be
/// written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn heapbase_arena_make(bytes: *mut c_void, len: usize, allocator: *mut Allocator) -> Error {
    let bytes: *mut u8 = bytes.cast();
    let skip = bytes.align_offset(align_of::<Arena>());
    let own = skip.saturating_add(size_of::<Arena>());
    if len < own {
        return give(rust::Error::with_number(&rust::OUT_OF_MEMORY, own));
    }
    // SAFETY: the caller's promise; the heap lies in front of what it manages.
    unsafe {
        let rest = core::slice::from_raw_parts_mut(bytes.add(own).cast::<MaybeUninit<u8>>(), len - own);
        let arena = bytes.add(skip).cast::<Arena>();
        arena.write(LockedAllocator::new(SizeClassAllocator::with_source(Region::new(rest))));
        allocator.write(Allocator { operations: &raw const ARENA, context: arena.cast() });
    }
    Error::OK
}

/// The functions for a heap whose wrapper lies at the context.
macro_rules! operations {
    ($name:ident, $heap:ty) => {
        static $name: Operations = {
            unsafe extern "C" fn allocate(
                heap: *mut c_void,
                size: usize,
                align: usize,
                block: *mut *mut c_void,
            ) -> Error {
                // SAFETY: as `Operations` says; the context is the heap.
                unsafe {
                    let layout = Layout::from_size_align_unchecked(size, align);
                    let Some(new) = NonNull::new((*heap.cast::<$heap>()).alloc(layout)) else {
                        return give(rust::Error::with_number(&rust::OUT_OF_MEMORY, size));
                    };
                    block.write(new.as_ptr().cast());
                }
                Error::OK
            }

            unsafe extern "C" fn reallocate(
                heap: *mut c_void,
                block: *mut *mut c_void,
                size: usize,
                align: usize,
                new_size: usize,
            ) -> Error {
                // SAFETY: as `Operations` says; the context is the heap.
                unsafe {
                    let layout = Layout::from_size_align_unchecked(size, align);
                    let moved = (*heap.cast::<$heap>()).realloc((*block).cast(), layout, new_size);
                    let Some(moved) = NonNull::new(moved) else {
                        return give(rust::Error::with_number(&rust::OUT_OF_MEMORY, new_size));
                    };
                    block.write(moved.as_ptr().cast());
                }
                Error::OK
            }

            unsafe extern "C" fn free(heap: *mut c_void, block: *mut c_void, size: usize, align: usize) {
                // SAFETY: as `Operations` says; the context is the heap.
                unsafe {
                    let layout = Layout::from_size_align_unchecked(size, align);
                    (*heap.cast::<$heap>()).dealloc(block.cast(), layout);
                }
            }

            unsafe extern "C" fn usable_size(heap: *mut c_void, block: *const c_void, _: usize, _: usize) -> usize {
                // SAFETY: as `Operations` says; the context is the heap.
                unsafe { (*heap.cast::<$heap>()).usable_size(block.cast_mut().cast()) }
            }

            Operations {
                allocate,
                reallocate: Some(reallocate),
                free,
                usable_size: Some(usable_size),
                hold: None,
                let_go: None,
            }
        };
    };
}

operations!(ARENA, Arena);

/// The heap of a WebAssembly module: the flagship over `memory.grow`. It works for good.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
pub extern "C" fn heapbase_module_heap() -> Allocator {
    static HEAP: heapbase::Global = heapbase::Global::new();
    operations!(MODULE, heapbase::Global);
    Allocator { operations: &raw const MODULE, context: (&raw const HEAP).cast_mut().cast() }
}
