//! The allocators side by side; a cargo feature picks one.

#[cfg(feature = "heapbase")]
#[global_allocator]
pub(crate) static ALLOCATOR: heapbase::Global = heapbase::Global::new();

// SAFETY: nobody else uses the rest of the page that the module's data end in.
#[cfg(feature = "heapbase-v1")]
#[global_allocator]
pub(crate) static ALLOCATOR: heapbase::Global<heapbase::memory::FromHeapBase> =
    unsafe { heapbase::Global::from_heap_base() };

// SAFETY: the module has one thread.
#[cfg(feature = "heapbase-leaking")]
#[global_allocator]
pub(crate) static ALLOCATOR: heapbase::AssumeSingleThreaded<heapbase::LeakingAllocator<heapbase::memory::MemoryGrow>> =
    unsafe { heapbase::AssumeSingleThreaded::new(heapbase::LeakingAllocator::new()) };

// SAFETY: the module has one thread.
#[cfg(feature = "heapbase-leaking-page")]
#[global_allocator]
pub(crate) static ALLOCATOR: heapbase::AssumeSingleThreaded<
    heapbase::LeakingPageAllocator<heapbase::memory::MemoryGrow>,
> = unsafe { heapbase::AssumeSingleThreaded::new(heapbase::LeakingPageAllocator::new()) };

// SAFETY: the module has one thread.
#[cfg(feature = "heapbase-free-list")]
#[global_allocator]
pub(crate) static ALLOCATOR: heapbase::AssumeSingleThreaded<heapbase::FreeListAllocator<heapbase::memory::MemoryGrow>> =
    unsafe { heapbase::AssumeSingleThreaded::new(heapbase::FreeListAllocator::new()) };

#[cfg(feature = "dlmalloc")]
#[global_allocator]
pub(crate) static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[cfg(feature = "talc")]
#[global_allocator]
pub(crate) static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(feature = "rlsf")]
#[global_allocator]
pub(crate) static ALLOCATOR: rlsf::GlobalTlsf = rlsf::GlobalTlsf::new();

#[cfg(feature = "wee_alloc")]
#[global_allocator]
pub(crate) static ALLOCATOR: wee_alloc::WeeAlloc<'static> = wee_alloc::WeeAlloc::INIT;

// SAFETY: the module has one thread.
#[cfg(feature = "lol_alloc")]
#[global_allocator]
pub(crate) static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };

#[cfg(feature = "picoalloc")]
#[global_allocator]
pub(crate) static ALLOCATOR: picoalloc::Mutex<picoalloc::Allocator<picoalloc::UnsafeSystem<{ 1024 * 1024 * 1024 }>>> =
    picoalloc::Mutex::new(picoalloc::Allocator::new(picoalloc::UnsafeSystem));

#[cfg(feature = "mimalloc")]
#[global_allocator]
pub(crate) static ALLOCATOR: crate::mimalloc::Mimalloc = crate::mimalloc::Mimalloc;

/// Hands out addresses from a buffer without keeping track: what the loop and the touching cost by themselves.
#[cfg(feature = "none")]
pub(crate) struct Nothing(core::cell::UnsafeCell<usize>);

// SAFETY: the module has one thread.
#[cfg(feature = "none")]
unsafe impl Sync for Nothing {}

#[cfg(feature = "none")]
static mut BUFFER: [u64; 4 << 20] = [0; 4 << 20];

// SAFETY: not an allocator at all, blocks overlap; the player only writes to them.
#[cfg(feature = "none")]
unsafe impl core::alloc::GlobalAlloc for Nothing {
    unsafe fn alloc(&self, layout: core::alloc::Layout) -> *mut u8 {
        // SAFETY: one thread; the buffer is larger than the window and any workload's largest block together.
        unsafe {
            let next = self.0.get();
            *next = (*next + layout.size()) & 0xfff8;
            (&raw mut BUFFER).cast::<u8>().add(*next)
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: core::alloc::Layout) {}

    unsafe fn realloc(&self, block: *mut u8, _: core::alloc::Layout, _: usize) -> *mut u8 {
        block
    }
}

#[cfg(feature = "none")]
#[global_allocator]
pub(crate) static ALLOCATOR: Nothing = Nothing(core::cell::UnsafeCell::new(0));
