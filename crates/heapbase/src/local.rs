//! The `local` spec: a runtime with a heap of its own on a host that knows nothing of it.
//!
//! Such a runtime imports the host's allocator and exports `__heap_base` like any other, and runs on every node there is. But
//! it asks the host's allocator for one large block, the *arena*, and serves itself from there; only what host functions return
//! still comes from the host, and goes back to it.
//!
//! With the cargo feature `local`, a runtime crate does nothing but depend on this crate and name it once, so that it is linked:
//!
//! ```
//! use heapbase as _;
//! ```
//!
//! # What a call touches
//!
//! Under copy-on-write a page that is touched for the first time costs as much as a hundred allocations, so a call that allocates
//! little must touch no page more than before. Its first blocks lie in 1 KiB beside the program's own data; then the host
//! serves some requests, as it always did; a call that goes on asking, or asks for more than 4 KiB at once, gets the
//! arena. `docs/convert.md` has the figures that decided this: converted runtimes are laid out alike.

use crate::{LeakingAllocator, RawAllocator, SizeClassAllocator, memory::Region, moved};
use core::{alloc::Layout, ptr};

/// Alignment of the host's blocks, in bytes.
pub const HOST_ALIGN: usize = 8;

/// Bytes of the first blocks that are kept beside the program's data.
pub const NEAR: usize = 1024;

/// Requests that the host serves before the arena is fetched.
const PATIENCE: u32 = 128;

/// A larger request fetches the arena at once, in bytes.
const LARGE: usize = 4096;

/// Bytes of the arena where the host has enough: half of the largest block that a legacy host gives.
const ARENA: usize = 16 * 1024 * 1024;

/// What a host of today offers a runtime.
///
/// # Safety
///
/// [`malloc`](Self::malloc) returns null or at least `size` bytes that are nobody else's until they go to [`free`](Self::free),
/// aligned to [`HOST_ALIGN`]. Neither unwinds.
pub unsafe trait Host {
    /// A block. Today's hosts trap instead of returning null.
    fn malloc(&mut self, size: usize) -> *mut u8;

    /// Gives a block back.
    ///
    /// # Safety
    ///
    /// `block` is one of the host's, from [`malloc`](Self::malloc) or from a host function, and is not used any more.
    unsafe fn free(&mut self, block: *mut u8);

    /// Bytes that the host has for its heap, as far as the runtime can see: the memory from `__heap_base` on.
    fn room(&self) -> usize;

    /// Makes room for so many bytes more; whether that could be done.
    fn grow(&mut self, bytes: usize) -> bool;
}

/// Bytes that a block of the host's of the arena's size may take besides.
const BESIDES: usize = 64 * 1024;

/// How large the arena is in a heap of a fixed size with so much room: a quarter is the arena's, so that enough is left for
/// what the host's functions return. None where it would be of no use.
const fn arena_in(room: usize) -> usize {
    if room >= 4 * ARENA {
        ARENA
    } else if room < 4 * BESIDES {
        0
    } else {
        1 << (room / 4).ilog2()
    }
}

/// An allocator whose memory is a block of the host's: first blocks near the program's data, then some of the host's own, then
/// an arena. What does not fit there goes to the host.
///
/// The address alone tells whose a block is, so blocks that host functions return are given back like any other.
///
/// A request that neither has memory for, or none at an alignment above 8, gets null.
#[derive(Debug)]
pub struct HostedAllocator<H> {
    host: H,
    near: LeakingAllocator<Region<'static, true>>,
    near_start: *mut u8,
    arena: SizeClassAllocator<Region<'static>>,
    arena_start: *mut u8,
    /// 0 until the arena is fetched.
    arena_len: usize,
    patience: u32,
    /// The host has no room for an arena.
    alone: bool,
}

// SAFETY: the pointers are to memory that this allocator owns, by the constructor's contract and `Host`'s.
unsafe impl<H: Send> Send for HostedAllocator<H> {}

/// Whose a block is.
enum Owner {
    Near,
    Arena,
    Host,
}

impl<H> HostedAllocator<H> {
    /// An empty heap that keeps its first blocks in `near` and has not asked the host for anything yet.
    ///
    /// # Safety
    ///
    /// The [`NEAR`] bytes at `near` are zero and belong to this allocator alone for as long as it or anything allocated from it is
    /// used.
    pub const unsafe fn new(host: H, near: *mut u8) -> Self {
        // SAFETY: the bytes that the caller promises; and no bytes at all.
        let (near_region, nowhere) =
            unsafe { (Region::between(near, near.add(NEAR)), Region::between(ptr::null_mut(), ptr::null_mut())) };
        Self {
            host,
            near: LeakingAllocator::with_source(near_region),
            near_start: near,
            arena: SizeClassAllocator::with_source(nowhere),
            arena_start: ptr::null_mut(),
            arena_len: 0,
            patience: PATIENCE,
            alone: false,
        }
    }

    /// The host, to look at.
    pub const fn host(&self) -> &H {
        &self.host
    }

    /// The host, to be told things: what it may hand out yet.
    ///
    /// # Safety
    ///
    /// The host is neither replaced nor dropped: it is asked to free what it handed out.
    pub const unsafe fn host_mut(&mut self) -> &mut H {
        &mut self.host
    }

    /// Walks the arena and tests every invariant of its allocator.
    ///
    /// # Panics
    ///
    /// When one does not hold.
    pub fn check(&self) {
        self.arena.check();
    }

    #[inline]
    fn owner(&self, block: *mut u8) -> Owner {
        if block.addr().wrapping_sub(self.arena_start.addr()) < self.arena_len {
            Owner::Arena
        } else if block.addr().wrapping_sub(self.near_start.addr()) < NEAR {
            Owner::Near
        } else {
            Owner::Host
        }
    }
}

impl<H: Host> HostedAllocator<H> {
    /// A block for which there is no room in the arena, or no arena yet.
    ///
    /// # Safety
    ///
    /// The size is not 0.
    #[cold]
    unsafe fn allocate_elsewhere(&mut self, layout: Layout) -> *mut u8 {
        if self.arena_len == 0 {
            // SAFETY: the caller's promise.
            let near = unsafe { self.near.allocate(layout) };
            if !near.is_null() {
                return near;
            }
            if self.patience > 0 && layout.size() <= LARGE && layout.align() <= HOST_ALIGN {
                self.patience -= 1;
            } else if self.fetch(layout.size()) {
                // SAFETY: the caller's promise.
                return unsafe { self.allocate(layout) };
            }
        }
        if layout.align() > HOST_ALIGN {
            return ptr::null_mut();
        }
        self.host.malloc(layout.size())
    }

    /// Asks the host for the arena, unless a request of this size would not fit into it anyway.
    ///
    /// A host whose memory can grow shows little room, or as much as the call's input needed, and traps where it has less
    /// than is asked for. So the memory is grown first: then the arena fits, or the room is all that there is.
    fn fetch(&mut self, size: usize) -> bool {
        if self.alone || size > ARENA / 2 {
            return false;
        }
        let mut len = arena_in(self.host.room());
        if len < ARENA && self.host.grow(ARENA + BESIDES) {
            len = ARENA;
        }
        if len == 0 {
            self.alone = true;
        }
        if size > len / 2 {
            return false;
        }
        let start = self.host.malloc(len);
        if start.is_null() {
            return false;
        }
        (self.arena_start, self.arena_len) = (start, len);
        // SAFETY: the host's block has `len` bytes, which are nobody else's, and is never given back.
        self.arena = SizeClassAllocator::with_source(unsafe { Region::between(start, start.add(len)) });
        true
    }
}

// SAFETY: a block is the near memory's, the arena's or the host's, each of which keeps the promise; which of them is asked to
// take it back, the address decides, and their ranges are disjoint.
unsafe impl<H: Host> RawAllocator for HostedAllocator<H> {
    #[inline]
    unsafe fn allocate(&mut self, layout: Layout) -> *mut u8 {
        if self.arena_len > 0 {
            // SAFETY: the caller's promise.
            let block = unsafe { self.arena.allocate(layout) };
            if !block.is_null() {
                return block;
            }
        }
        // SAFETY: the caller's promise.
        unsafe { self.allocate_elsewhere(layout) }
    }

    #[inline]
    unsafe fn deallocate(&mut self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise: the block came from the one that is asked.
        unsafe {
            match self.owner(block) {
                Owner::Arena => self.arena.deallocate(block, layout),
                Owner::Near => self.near.deallocate(block, layout),
                Owner::Host => self.host.free(block),
            }
        }
    }

    #[inline]
    unsafe fn reallocate(&mut self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise: the block came from the one that is asked. In place or not at all: whoever has no room for
        // the whole block leaves it to somebody else.
        unsafe {
            let grown = match self.owner(block) {
                Owner::Arena => self.arena.reallocate(block, layout, new_size),
                Owner::Near => self.near.reallocate(block, layout, new_size),
                Owner::Host => ptr::null_mut(),
            };
            if grown.is_null() { moved(self, block, layout, new_size) } else { grown }
        }
    }
}

#[cfg(all(feature = "local", target_arch = "wasm32", not(target_feature = "atomics")))]
mod installed {
    use super::{Host, HostedAllocator, NEAR};
    use crate::{
        AssumeSingleThreaded,
        memory::{MemoryGrow, PageSource, grow::WASM_PAGE},
    };
    use core::cell::UnsafeCell;

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        safe fn ext_allocator_malloc_version_1(size: usize) -> *mut u8;
        fn ext_allocator_free_version_1(block: *mut u8);
    }

    unsafe extern "C" {
        /// The first byte behind the program's data and stack, defined by the linker.
        static __heap_base: u8;
    }

    /// The two imports.
    struct Imports;

    // SAFETY: the host's allocator, which traps when it has no memory.
    unsafe impl Host for Imports {
        #[inline]
        fn malloc(&mut self, size: usize) -> *mut u8 {
            ext_allocator_malloc_version_1(size)
        }

        #[inline]
        unsafe fn free(&mut self, block: *mut u8) {
            // SAFETY: the caller's promise.
            unsafe { ext_allocator_free_version_1(block) }
        }

        fn room(&self) -> usize {
            // No more than fits into a number, even where there are as many pages as there can be.
            let bytes = core::arch::wasm32::memory_size(0).saturating_mul(WASM_PAGE);
            bytes.saturating_sub((&raw const __heap_base).addr())
        }

        fn grow(&mut self, bytes: usize) -> bool {
            MemoryGrow::new().grow(bytes).is_some()
        }
    }

    #[repr(align(8))]
    struct Near(UnsafeCell<[u8; NEAR]>);

    // SAFETY: there is one thread.
    unsafe impl Sync for Near {}

    static NEAR_MEMORY: Near = Near(UnsafeCell::new([0; NEAR]));

    // SAFETY: there is one thread, and nobody else uses the near memory.
    #[global_allocator]
    static HEAP: AssumeSingleThreaded<HostedAllocator<Imports>> =
        unsafe { AssumeSingleThreaded::new(HostedAllocator::new(Imports, NEAR_MEMORY.0.get().cast())) };
}
