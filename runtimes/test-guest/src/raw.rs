//! Entry points that look at the pointers themselves, below the encoding.

use alloc::vec::Vec;
use codec::Encode;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use sp_runtime_interface::pack_ptr_and_len;

/// Defines an entry point that receives address and length as they are.
macro_rules! raw_entries {
    ($($(#[$attr:meta])* fn $name:ident($ptr:ident, $len:ident) $body:block)*) => {$(
        $(#[$attr])*
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($ptr: u32, $len: u32) -> u64 $body
    )*};
}

/// Lives in `.data`.
static IN_DATA: AtomicU64 = AtomicU64::new(32);
/// Lives in `.bss`, which a module with an imported memory writes out as zeros.
static IN_BSS: AtomicU64 = AtomicU64::new(0);
/// Room for a result that does not need the heap.
static IN_STATIC: AtomicU32 = AtomicU32::new(0);
/// What the address of a heap block of an earlier call would be found in, were memory not fresh.
static KEPT: AtomicU32 = AtomicU32::new(0);

raw_entries! {
    /// The address and the length the host passed, encoded as `(u32, u32)`.
    fn input_seen(ptr, len) {
        crate::returned((ptr, len).encode())
    }

    /// A result of length 0 at a non-null address.
    fn output_empty(_ptr, _len) {
        pack_ptr_and_len(8, 0)
    }

    /// A result of length 0 at address 0.
    fn output_null(_ptr, _len) {
        0
    }

    /// A result that is the input itself, in place.
    fn output_input(ptr, len) {
        pack_ptr_and_len(ptr, len)
    }

    /// A result that lies in the module's data, not on the heap: `heapbase`.
    fn output_static(_ptr, _len) {
        let text = "heapbase";
        pack_ptr_and_len(text.as_ptr() as u32, text.len() as u32)
    }

    /// The last byte of memory.
    fn output_last_byte(_ptr, _len) {
        pack_ptr_and_len(crate::memory::bytes() - 1, 1)
    }

    /// Two bytes, of which the second is past the end of memory.
    fn output_past_end(_ptr, _len) {
        pack_ptr_and_len(crate::memory::bytes() - 1, 2)
    }

    /// A pointer and a length whose sum wraps around 32 bits.
    fn output_wraps(_ptr, _len) {
        pack_ptr_and_len(u32::MAX - 7, 16)
    }

    /// Length 4 GiB - 1 from address 1.
    fn output_huge(_ptr, _len) {
        pack_ptr_and_len(1, u32::MAX)
    }

    /// Counts the calls of this instance in `.data` (from 32) and `.bss` (from 0), encoded as `(u64, u64)`.
    fn counters(_ptr, _len) {
        let counts = (IN_DATA.fetch_add(1, Ordering::Relaxed) + 1, IN_BSS.fetch_add(1, Ordering::Relaxed) + 1);
        crate::returned(counts.encode())
    }

    /// Grows memory page by page until the host refuses: the pages then, as `u32`. No heap is left for the result, which
    /// therefore lies in a static.
    fn grow_to_limit(_ptr, _len) {
        while crate::memory::grow(1) != u32::MAX {}
        IN_STATIC.store(crate::memory::pages(), Ordering::Relaxed);
        pack_ptr_and_len(IN_STATIC.as_ptr() as u32, 4)
    }

    /// Leaves a heap block for the next call: its address as found (0 in a fresh instance), encoded as `u32`.
    fn heap_kept(_ptr, _len) {
        let block: Vec<u8> = alloc::vec![0x5a; 1000];
        let found = KEPT.swap(core::mem::ManuallyDrop::new(block).as_ptr() as u32, Ordering::Relaxed);
        crate::returned(found.encode())
    }
}
