//! Allocators that live inside a WebAssembly module.
#![no_std]

#[cfg(any(test, feature = "std"))]
extern crate std;

#[cfg(all(feature = "malloc", feature = "v1"))]
compile_error!("the features `malloc` and `v1` both export `realloc`, with different signatures: choose one");

mod address;
#[cfg(feature = "allocator-api2")]
mod api2;
mod blocks;
mod fail;
mod free_list;
mod leaking;
pub mod malloc;
pub mod memory;
mod raw;
mod size_class;
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
