//! The executors of this program, behind one trait.
//!
//! [`Node`] drives anything that is a [`CodeExecutor`](sp_core::traits::CodeExecutor) the way a node does, so sc-executor
//! and heapbase-host differ in nothing but the executor itself. smoldot is in a program of its own.

pub mod node;
pub mod ours;
pub mod peer;

use anyhow::{Result, bail};
use bench_common::Contestant;
use node::Node;
use std::path::Path;

/// A contestant by its name on the command line; `cache` is a folder for compiled code.
///
/// # Errors
/// There is none of that name.
pub fn by_name(name: &str, cache: Option<&Path>) -> Result<Box<dyn Contestant>> {
    Ok(match name {
        "sc-executor" => Box::new(Node::new(peer::sc_executor::<sp_io::SubstrateHostFunctions>(cache))),
        "sc-executor-eager" => Box::new(Node::new(peer::sc_executor_eager::<sp_io::SubstrateHostFunctions>(cache))),
        "heapbase" => Box::new(Node::new(ours::executor(heapbase_host::Engine::Wasmtime, cache))),
        "heapbase-wasmi" => Box::new(ours::Direct::new(heapbase_host::Engine::Wasmi, cache)),
        "heapbase-direct" => Box::new(ours::Direct::new(heapbase_host::Engine::Wasmtime, cache)),
        _ => bail!(
            "{name}: the contestants are sc-executor, sc-executor-eager, heapbase, heapbase-direct and heapbase-wasmi"
        ),
    })
}
