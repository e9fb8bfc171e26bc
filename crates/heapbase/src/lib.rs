//! Allocators that live inside a WebAssembly module.
#![no_std]

#[cfg(any(test, feature = "std"))]
extern crate std;

mod address;
mod blocks;
pub mod memory;
mod raw;
mod size_class;
mod wrappers;

#[cfg(target_family = "wasm")]
mod global;
#[cfg(target_family = "wasm")]
pub use global::Global;

pub mod v1;

pub use raw::{RawAllocator, SizedByAddress};
pub use size_class::SizeClassAllocator;
pub use wrappers::*;

use raw::moved;
