//! Where memory comes from: one trait, and the sources that implement it.
//!
//! | source | for |
//! | --- | --- |
//! | `MemoryGrow` | a WebAssembly module that grows its own memory |
//! | `FromHeapBase` | the same, and the rest of the page that the module's data end in: on a promise |
//! | [`Region`] | an arena of fixed bounds: a static array, or what a linker script leaves free |
//! | `Reserved` | a block that any `allocator_api2` allocator sets aside: a heap of its own for a part of a program (feature `allocator-api2`) |
//! | `TestMemory` | native tests: a reservation with foreign growth and failures on demand |

#[cfg(target_family = "wasm")]
pub(crate) mod grow;
mod region;
#[cfg(feature = "allocator-api2")]
mod reserved;
#[cfg(any(test, feature = "std"))]
mod test_memory;

#[cfg(target_family = "wasm")]
pub use grow::{FromHeapBase, MemoryGrow};
pub use region::Region;
#[cfg(feature = "allocator-api2")]
pub use reserved::Reserved;
#[cfg(any(test, feature = "std"))]
pub use test_memory::TestMemory;

/// The bytes `start .. start + len`, new to the heap that receives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Address of the first byte; a multiple of the pointer size times two.
    pub start: usize,
    /// Number of bytes. `start + len` does not overflow, so the very last bytes of an address space cannot be part of a span.
    pub len: usize,
}

/// Where a heap gets its memory.
///
/// # Safety
///
/// An implementation promises, and every allocator of this crate relies on it:
///
/// - **S1 (ours alone)**: the bytes of a span are readable and writable, belong to the caller alone, and stay so as long
///   as the source or any copy of its addresses is used.
/// - **S2 (upwards)**: a span lies above all earlier ones of the same source.
/// - **S3 (one allocation)**: [`pointer`](Self::pointer) turns any address inside any span into a pointer that may be
///   used for *all* spans of this source: they belong to one allocation in the sense of Rust's memory model, so two
///   spans that touch may be treated as one range of bytes. (How that can be true of successive `memory.grow`s is
///   explained in `docs/soundness.md`.)
/// - **S4 (zero)**: if [`ZEROED`](Self::ZEROED) is true, every byte of a span is zero when it is handed out.
/// - **S5 (quiet)**: none of the functions allocates through the allocator that it feeds.
pub unsafe trait PageSource {
    /// Whether fresh memory reads as zero, so that `alloc_zeroed` need not clear it.
    const ZEROED: bool;

    /// Adds at least `least` bytes, in whatever granularity the source has; `None` when it cannot.
    ///
    /// The span need not touch the previous one: somebody else may have grown the memory in between.
    fn grow(&mut self, least: usize) -> Option<Span>;

    /// The pointer for an address inside one of the spans. For any other address any pointer will do: it is not used, and
    /// computing it must be harmless.
    fn pointer(&self, address: usize) -> *mut u8;
}
