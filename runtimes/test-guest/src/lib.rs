//! The runtime that the tests of `heapbase-host` execute.
//!
//! One source, built for each allocator spec: by default the host owns the heap (`legacy`), with the feature `v1`
//! the runtime does. Nothing else may depend on the spec, so a test that passes on one build and fails on the other
//! has found a difference between the two heaps.
//!
//! Every entry point takes its arguments as a SCALE-encoded tuple and returns its result SCALE-encoded; the exceptions
//! are in [`raw`]. Arguments must be consumed to the last byte, so an input cut short or written to the wrong place
//! is a panic, not a wrong answer.

#![no_std]

extern crate alloc;

// Naming the crate links it: its feature `v1` installs the allocator and exports it.
#[cfg(feature = "v1")]
use heapbase as _;

use alloc::vec::Vec;
use codec::DecodeAll;
use core::mem::ManuallyDrop;
use sp_runtime_interface::pack_ptr_and_len;

/// Exports functions as entry points `(ptr: i32, len: i32) -> i64` under their own names.
macro_rules! entries {
    ($($(#[$attr:meta])* fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $out:ty)? $body:block)*) => {$(
        $(#[$attr])*
        ///
        /// # Safety
        ///
        /// For the host only: `ptr` and `len` describe the block that holds the encoded arguments.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(ptr: *const u8, len: usize) -> u64 {
            fn body($($arg: $ty),*) $(-> $out)? $body
            // SAFETY: the host wrote `len` bytes at `ptr` before the call and leaves them alone until it returns.
            let input = unsafe { core::slice::from_raw_parts(ptr, len) };
            let ($($arg,)*) = $crate::arguments::<($($ty,)*)>(input);
            $crate::returned(codec::Encode::encode(&body($($arg),*)))
        }
    )*};
}

pub mod child;
pub mod crypto;
pub mod failing;
pub mod hashing;
pub mod logging;
pub mod memory;
pub mod offchain;
pub mod raw;
pub mod storage;
pub mod tries;

/// Decodes the arguments of an entry point, all of `input`.
fn arguments<T: DecodeAll>(mut input: &[u8]) -> T {
    T::decode_all(&mut input).expect("the input is the encoded arguments, no byte less or more")
}

/// Hands a buffer to the host: what an entry point returns. The block is never freed, the instance ends with the call.
fn returned(output: Vec<u8>) -> u64 {
    let output = ManuallyDrop::new(output);
    pack_ptr_and_len(output.as_ptr() as u32, output.len() as u32)
}

entries! {
    /// The runtime's version, in the encoding of `sp_version::RuntimeVersion`: names, versions, and the one
    /// interface `Core` in version 5.
    #[allow(non_snake_case)]
    fn Core_version() -> (&'static str, &'static str, u32, u32, u32, Vec<([u8; 8], u32)>, u32, u8) {
        let core = ([0xdf, 0x6a, 0xcb, 0x68, 0x99, 0x07, 0x60, 0x9b], 5);
        ("test-guest", "heapbase", 1, 7, 3, alloc::vec![core], 2, 1)
    }

    /// The bytes it was given.
    fn echo(data: Vec<u8>) -> Vec<u8> {
        data
    }

    /// Nothing in, nothing out.
    fn nothing() {}
}
