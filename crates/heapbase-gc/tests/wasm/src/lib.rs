//! The collector's walk inside of a runtime: over the host's allocator, two functions that are imported, or with the feature `v1` over the
//! module's own heap. The oracle is that of the native tests.

#![no_std]

extern crate alloc;

#[cfg(feature = "v1")]
use heapbase as _;

#[path = "../../world/mod.rs"]
mod world;

use allocator_api2::alloc::Global;

#[cfg(not(feature = "v1"))]
mod host {
    use core::alloc::{GlobalAlloc, Layout};

    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        fn ext_allocator_malloc_version_1(size: usize) -> *mut u8;
        fn ext_allocator_free_version_1(block: *mut u8);
    }

    struct Host;

    // SAFETY: the host's blocks are aligned to 8, and nothing here asks for more.
    unsafe impl GlobalAlloc for Host {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            assert!(layout.align() <= 8);
            // SAFETY: any size will do.
            unsafe { ext_allocator_malloc_version_1(layout.size()) }
        }

        unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
            // SAFETY: the caller's promise.
            unsafe { ext_allocator_free_version_1(block) }
        }
    }

    #[global_allocator]
    static HOST: Host = Host;
}

/// Walks so many worlds of 4,000 steps each as the first byte of the input says; answers with how often was collected.
///
/// # Safety
///
/// For the host only: `ptr` and `len` describe the block that holds the input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn walk(ptr: *const u8, len: usize) -> u64 {
    // SAFETY: the host wrote `len` bytes at `ptr` before the call and leaves them alone until it returns.
    let input = unsafe { core::slice::from_raw_parts(ptr, len) };
    let collections = world::walk(4_000, input.first().copied().unwrap_or(1).into(), || Global);
    let answer = alloc::format!("{collections} collections").leak();
    answer.as_ptr().addr() as u64 | (answer.len() as u64) << 32
}

/// Runs one of the cases that must hold on any memory, by its number; answers with its name, or with nothing where there is none.
///
/// # Safety
///
/// For the host only: `ptr` and `len` describe the block that holds the input.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn case(ptr: *const u8, len: usize) -> u64 {
    // SAFETY: as for `walk`.
    let input = unsafe { core::slice::from_raw_parts(ptr, len) };
    let Some(name) = input.first().and_then(|number| world::cases::NAMES.get(usize::from(*number))) else { return 0 };
    world::cases::run(name, Global);
    name.as_ptr().addr() as u64 | (name.len() as u64) << 32
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
