//! Allocators that live inside a WebAssembly module.
#![no_std]
