//! Allocators that live inside a WebAssembly module: from a hundred bytes to the fastest.
//!
//! One line gives a module the flagship, locked where the target has threads:
//!
//! ```
//! # #[cfg(target_family = "wasm")]
//! #[global_allocator]
//! static A: heapbase::Global = heapbase::Global::new();
//! ```
//!
//! A core needs `&mut` and a source of memory, so it also runs natively, in an arena, or on a bare machine:
//!
//! ```
//! use core::{alloc::{GlobalAlloc, Layout}, mem::MaybeUninit};
//! use heapbase::{Local, SizeClassAllocator, memory::Region};
//!
//! let mut arena = vec![MaybeUninit::uninit(); 64 * 1024];
//! let heap = Local::new(SizeClassAllocator::with_source(Region::new(&mut arena)));
//! let layout = Layout::new::<[u32; 10]>();
//! // SAFETY: the size is not 0, and the block is given back once with the same layout.
//! unsafe {
//!     let block = heap.alloc(layout);
//!     assert!(!block.is_null());
//!     heap.dealloc(block, layout);
//! }
//! ```
//!
//! # Which one
//!
//! | allocator | for | takes memory back | complexity of a call |
//! | --- | --- | --- | --- |
//! | `Global`, [`SizeClassAllocator`] | programs that do real work | yes | bounded, whatever the heap's size, for alignments to 8 and blocks to 7 MiB, until memory runs out |
//! | [`FreeListAllocator`] | small modules that allocate little | yes | the number of free pieces |
//! | [`LeakingAllocator`] | modules with a short life | no | constant |
//! | [`LeakingPageAllocator`] | modules that allocate once or twice | no | constant |
//! | [`FailAllocator`] | modules that must not allocate | – | constant |
//!
//! Wrappers make a core a `GlobalAlloc`: [`LockedAllocator`] for threads, [`AssumeSingleThreaded`] on a promise,
//! [`Local`] within one thread. [`memory`] has the sources.
//!
//! # Features
//!
//! | feature | gives |
//! | --- | --- |
//! | `v1` | the exports of RFC-0061, and `Global` as global allocator: see [`v1`] |
//! | `local` | the heap of a runtime on hosts that know nothing of it: see [`local`] |
//! | `malloc` | C's functions: see [`malloc`] |
//! | `mem` | `memcpy` and the like, quicker than the compiler's where the target has no bulk memory: see [`mem`] |
//! | `allocator-api2` | its `Allocator` for `Global`, `FailAllocator`, every core in `Local`, `LockedAllocator` or `AssumeSingleThreaded`, and references to them; `subsystem`: allocators as values; `error`: errors of two words |
//! | `statistics` | live bytes, peak, figures by class, a map of the heap |
//! | `std` | [`memory`]'s `TestMemory` for native tests |
//!
//! Why all this is sound is written in `docs/soundness.md` of the repository.
#![no_std]

#[cfg(any(test, feature = "std"))]
extern crate std;

#[cfg(all(feature = "malloc", feature = "v1", target_family = "wasm"))]
compile_error!("the features `malloc` and `v1` both export `realloc`, with different signatures: choose one");

#[cfg(all(feature = "local", any(feature = "v1", feature = "malloc"), target_family = "wasm"))]
compile_error!("the feature `local` installs another heap than `v1` and `malloc` do: choose one");

mod address;
#[cfg(feature = "allocator-api2")]
mod api2;
mod blocks;
#[cfg(feature = "allocator-api2")]
pub mod error;
mod fail;
mod free_list;
mod leaking;
pub mod local;
pub mod malloc;
pub mod mem;
pub mod memory;
mod raw;
mod size_class;
#[cfg(feature = "allocator-api2")]
pub mod subsystem;
mod wrappers;

#[cfg(target_family = "wasm")]
mod global;
#[cfg(target_family = "wasm")]
pub use global::Global;

pub mod v1;

pub use fail::FailAllocator;
pub use free_list::FreeListAllocator;
pub use leaking::{LeakingAllocator, LeakingPageAllocator};
pub use raw::{RawAllocator, SizedByAddress};
pub use size_class::SizeClassAllocator;
#[cfg(feature = "statistics")]
pub use size_class::statistics::{ClassStatistics, Kind, Statistics, Stretch};
pub use wrappers::*;

use raw::moved;
