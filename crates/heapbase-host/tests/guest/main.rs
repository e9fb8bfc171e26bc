//! One guest, built for each allocator spec and with each way to have a memory, on each engine: all must behave alike.
//!
//! The expectations are computed natively, by the crates that nodes are made of.

#[path = "../common/mod.rs"]
mod common;

mod crypto;
mod executor;
mod failing;
mod logging;
mod memory;
mod offchain;
mod storage;
mod subjects;
mod tries;
