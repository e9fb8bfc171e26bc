//! One allocator of the family as an *allocator module*, chosen by a cargo feature: what `heapbase convert` merges into a
//! runtime. The interface is documented in `heapbase_module::convert::allocator`; a module of somebody else's follows
//! the same.
//!
//! The module has no memory, no data, no table and no stack of its own: its state lies where the converter says,
//! and is all zero when it is first used.
#![no_std]

#[cfg(feature = "freeing-bump")]
mod freeing_bump;
mod source;

#[cfg(not(feature = "freeing-bump"))]
use core::alloc::Layout;
use core::mem::MaybeUninit;
#[cfg(not(feature = "freeing-bump"))]
use heapbase::RawAllocator;
use source::Converted;

#[cfg(feature = "freeing-bump")]
type Heap = freeing_bump::FreeingBump<Converted>;
#[cfg(feature = "free-list")]
type Heap = heapbase::FreeListAllocator<Converted>;
#[cfg(feature = "leaking")]
type Heap = heapbase::LeakingAllocator<Converted>;
#[cfg(feature = "leaking-page")]
type Heap = heapbase::LeakingPageAllocator<Converted>;
#[cfg(feature = "size-class")]
type Heap = heapbase::SizeClassAllocator<Converted>;

/// Alignment of every block, as the host's allocator gives it.
#[cfg(not(feature = "freeing-bump"))]
const ALIGN: usize = 8;

/// The heap, whose initial value is all zero bytes.
fn heap() -> &'static mut Heap {
    // SAFETY: `state` is where the converter keeps `state_size` bytes for this module alone, aligned to 8; a module has one
    // thread and no function here calls another that takes the reference. Zero bytes are every heap's initial value.
    unsafe { &mut *source::state().cast::<Heap>() }
}

/// Bytes of state, zero at the start of each call.
#[unsafe(no_mangle)]
pub extern "C" fn state_size() -> usize {
    size_of::<MaybeUninit<Heap>>()
}

/// The layout of a block for `size` bytes.
#[cfg(not(feature = "freeing-bump"))]
fn layout(size: usize) -> Layout {
    // SAFETY: the alignment is a power of two; a converter passes no size more than 8 bytes above 32 MiB.
    unsafe { Layout::from_size_align_unchecked(size, ALIGN) }
}

#[cfg(feature = "size-class")]
mod by_address {
    use super::*;
    use heapbase::SizedByAddress;

    /// A block of at least `size` bytes, or 0.
    #[unsafe(no_mangle)]
    pub extern "C" fn alloc(size: usize) -> *mut u8 {
        // SAFETY: the size is not 0.
        unsafe { heap().allocate(layout(size.max(1))) }
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// A block of this heap that is in use.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn free(block: *mut u8) {
        // SAFETY: the caller's promise.
        unsafe { heap().free(block) }
    }

    /// Changes a block's size where it is; false if it cannot.
    ///
    /// # Safety
    ///
    /// A block of this heap that is in use.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn resize(block: *mut u8, size: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { heap().resize(block, size.max(1)) }
    }
}

#[cfg(feature = "freeing-bump")]
mod by_address {
    use super::*;

    /// A block of at least `size` bytes, or 0.
    #[unsafe(no_mangle)]
    pub extern "C" fn alloc(size: usize) -> usize {
        heap().allocate(size)
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// A block of this heap that is in use.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn free(block: usize) {
        // SAFETY: the caller's promise.
        unsafe { heap().free(block) }
    }
}

/// Those that do not know a block's size: it stands in front of the block.
#[cfg(not(any(feature = "size-class", feature = "freeing-bump")))]
mod with_header {
    use super::*;

    const HEADER: usize = ALIGN;

    /// A block of at least `size` bytes, or 0.
    #[unsafe(no_mangle)]
    pub extern "C" fn alloc(size: usize) -> *mut u8 {
        // An empty block at the end of the arena would begin where the host's heap does, and be taken for the host's.
        let size = size.max(1);
        // SAFETY: the size is not 0, and the header lies inside the block.
        unsafe {
            let block = heap().allocate(layout(size + HEADER));
            if block.is_null() {
                return block;
            }
            block.cast::<usize>().write(size);
            block.add(HEADER)
        }
    }

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// A block of this heap that is in use.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn free(block: *mut u8) {
        // SAFETY: the caller's promise; `alloc` wrote the header.
        unsafe {
            let block = block.sub(HEADER);
            let size = block.cast::<usize>().read();
            heap().deallocate(block, layout(size + HEADER));
        }
    }
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
