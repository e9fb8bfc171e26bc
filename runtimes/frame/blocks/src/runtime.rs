//! The runtimes that `../build` makes.

use anyhow::{Context, Result};
use sp_core::{Blake2Hasher, Hasher};
use std::{fmt, path::Path};

/// Whose heap it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heap {
    /// The host's.
    Legacy,
    /// The runtime's, by RFC-0061.
    V1,
    /// The runtime's, on a host that knows nothing of it.
    Local,
}

/// Which version of the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    /// The first.
    First,
    /// The one that the chain is upgraded to.
    Next,
}

impl Generation {
    /// `spec_version`, which transactions sign.
    pub fn spec_version(self) -> u32 {
        match self {
            Generation::First => 1,
            Generation::Next => 2,
        }
    }
}

impl fmt::Display for Heap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Heap::Legacy => "legacy",
            Heap::V1 => "v1",
            Heap::Local => "local",
        })
    }
}

/// A runtime's module.
pub struct Code {
    /// Raw Wasm.
    pub wasm: Vec<u8>,
    /// What executors know it by.
    pub hash: Vec<u8>,
}

impl Code {
    /// Reads the module from `../out`.
    ///
    /// # Errors
    ///
    /// It was not built.
    pub fn read(heap: Heap, generation: Generation) -> Result<Self> {
        let next = if generation == Generation::Next { "-next" } else { "" };
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../out/{heap}{next}.wasm"));
        let wasm = std::fs::read(&file)
            .with_context(|| format!("no runtime {heap}{next}: build it with runtimes/frame/build"))?;
        let hash = Blake2Hasher::hash(&wasm).0.to_vec();
        Ok(Code { wasm, hash })
    }
}
