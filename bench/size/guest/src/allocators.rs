//! The allocators side by side; a cargo feature picks one.

#[cfg(feature = "heapbase")]
#[global_allocator]
static ALLOCATOR: heapbase::Global = heapbase::Global::new();

// SAFETY: the module has one thread.
#[cfg(feature = "heapbase-free-list")]
#[global_allocator]
static ALLOCATOR: heapbase::AssumeSingleThreaded<heapbase::FreeListAllocator<heapbase::memory::MemoryGrow>> =
    unsafe { heapbase::AssumeSingleThreaded::new(heapbase::FreeListAllocator::new()) };

// SAFETY: the module has one thread.
#[cfg(feature = "heapbase-leaking")]
#[global_allocator]
static ALLOCATOR: heapbase::AssumeSingleThreaded<heapbase::LeakingAllocator<heapbase::memory::MemoryGrow>> =
    unsafe { heapbase::AssumeSingleThreaded::new(heapbase::LeakingAllocator::new()) };

// SAFETY: the module has one thread.
#[cfg(feature = "heapbase-leaking-page")]
#[global_allocator]
static ALLOCATOR: heapbase::AssumeSingleThreaded<heapbase::LeakingPageAllocator<heapbase::memory::MemoryGrow>> =
    unsafe { heapbase::AssumeSingleThreaded::new(heapbase::LeakingPageAllocator::new()) };

#[cfg(feature = "heapbase-fail")]
#[global_allocator]
static ALLOCATOR: heapbase::FailAllocator = heapbase::FailAllocator;

// SAFETY: the module has one thread.
#[cfg(feature = "lol-free-list")]
#[global_allocator]
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };

// SAFETY: the module has one thread.
#[cfg(feature = "lol-leaking")]
#[global_allocator]
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::LeakingAllocator> =
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::LeakingAllocator::new()) };

#[cfg(feature = "lol-leaking-page")]
#[global_allocator]
static ALLOCATOR: lol_alloc::LeakingPageAllocator = lol_alloc::LeakingPageAllocator;

#[cfg(feature = "lol-fail")]
#[global_allocator]
static ALLOCATOR: lol_alloc::FailAllocator = lol_alloc::FailAllocator;

#[cfg(feature = "wee_alloc")]
#[global_allocator]
static ALLOCATOR: wee_alloc::WeeAlloc<'static> = wee_alloc::WeeAlloc::INIT;

#[cfg(feature = "dlmalloc")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[cfg(feature = "talc")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(feature = "rlsf")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

#[cfg(feature = "picoalloc")]
#[global_allocator]
static ALLOCATOR: picoalloc::Mutex<picoalloc::Allocator<picoalloc::UnsafeSystem<{ 1024 * 1024 * 1024 }>>> =
    picoalloc::Mutex::new(picoalloc::Allocator::new(picoalloc::UnsafeSystem));
