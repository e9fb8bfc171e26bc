//! The runtimes that `../build` makes, and what `heapbase convert` makes of the legacy ones.

use anyhow::{Context, Result};
use heapbase_module::{
    Spec,
    convert::{Options, convert},
};
use sp_core::{Blake2Hasher, Hasher};
use std::{fmt, path::Path};

/// Whose heap it is, and how it came to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heap {
    /// The host's.
    Legacy,
    /// The runtime's, by RFC-0061: built with the feature `v1`.
    V1,
    /// The runtime's, on a host that knows nothing of it: built with the feature `local`.
    Local,
    /// The runtime's, by RFC-0061: the legacy module converted.
    ConvertedV1,
    /// The runtime's, on a host that knows nothing of it: the legacy module converted.
    ConvertedLocal,
}

impl Heap {
    /// All of them.
    pub const ALL: [Heap; 5] = [Heap::Legacy, Heap::V1, Heap::Local, Heap::ConvertedV1, Heap::ConvertedLocal];
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
            Heap::ConvertedV1 => "v1 by conversion",
            Heap::ConvertedLocal => "local by conversion",
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
    /// Reads the module from `../out`, and converts it where that is what is wanted.
    ///
    /// # Errors
    ///
    /// It was not built, or its conversion is refused.
    pub fn read(heap: Heap, generation: Generation) -> Result<Self> {
        let (file, spec) = match heap {
            Heap::Legacy => ("legacy", None),
            Heap::V1 => ("v1", None),
            Heap::Local => ("local", None),
            Heap::ConvertedV1 => ("legacy", Some(Spec::V1)),
            Heap::ConvertedLocal => ("legacy", Some(Spec::Local)),
        };
        let next = if generation == Generation::Next { "-next" } else { "" };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../out/{file}{next}.wasm"));
        let mut wasm = std::fs::read(&path)
            .with_context(|| format!("no runtime {file}{next}: build it with runtimes/frame/build"))?;
        if let Some(spec) = spec {
            let conversion = convert(&wasm, &Options::new(spec));
            wasm = conversion.with_context(|| format!("the conversion of {file}{next} to {spec}"))?.wasm;
        }
        let hash = Blake2Hasher::hash(&wasm).0.to_vec();
        Ok(Code { wasm, hash })
    }
}
