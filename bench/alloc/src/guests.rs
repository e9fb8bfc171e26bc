//! Builds the guest module once for each allocator.

use anyhow::Result;
use std::path::{Path, PathBuf};

/// Ours first, then the peers, by the name of the guest's cargo feature.
pub const ALLOCATORS: &[&str] =
    &["heapbase", "dlmalloc", "talc", "rlsf", "picoalloc", "mimalloc", "wee_alloc", "lol_alloc"];
/// A guest whose allocator does nothing: what the loop around the calls costs.
pub const LOOP: &str = "none";

/// Ours as the feature `v1` installs it, whose heap starts in the rest of the page that the data end in.
pub const V1: &str = "heapbase-v1";
/// An allocator that only bumps a pointer: what touching pages is measured against.
pub const BUMP: &str = "heapbase-leaking";

/// Builds every guest; returns names and modules.
pub fn build(home: &Path) -> Result<Vec<(String, PathBuf)>> {
    ALLOCATORS.iter().chain([&LOOP]).map(|name| one(home, name)).collect()
}

/// Builds one guest.
pub fn one(home: &Path, name: &str) -> Result<(String, PathBuf)> {
    eprintln!("building the guest for {name}");
    let module = "heapbase_bench_guest.wasm";
    let path = heapbase_bench_common::build_guest(&home.join("guest"), name, module, &home.join("target/guests"))?;
    Ok((name.to_string(), path))
}
