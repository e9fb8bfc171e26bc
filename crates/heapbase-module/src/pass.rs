//! What the passes of an adaptation share: [`lower`](mod@crate::lower), [`canonical`](crate::canonical), [`prune`](mod@crate::prune).
//!
//! A pass is a pure function from bytes to bytes. It takes a valid module and gives a valid one, says in sentences what it
//! changed, and copies through what it does not know. The time and the memory that it takes grow with the size of the module, and
//! of what comes out, which is bounded ([`MAX_GROWTH`]).

mod error;
mod names;
mod parts;

pub use error::PassError;
pub(crate) use names::{Renaming, with_names};
pub(crate) use parts::{Parts, Writer, limit, rank, too_large};

use wasmparser::{Validator, WasmFeatures};

/// How many times larger than what went in may come out, beside [`ROOM`]. Compiled modules grow by a tenth; what comes near was
/// written to fill somebody's memory.
pub const MAX_GROWTH: usize = 24;

/// What may be added to any module, in bytes.
pub const ROOM: usize = 1 << 20;

/// The most variables that engines take in a function.
pub(crate) const MAX_LOCALS: u32 = 50_000;

/// The largest function that engines take, in bytes.
pub(crate) const MAX_FUNCTION: usize = 7_654_321;

/// Refuses a function that became too large; `start` is where it stands.
pub(crate) fn expect_function_size(size: usize, start: u64) -> Result<(), PassError> {
    if size <= MAX_FUNCTION {
        return Ok(());
    }
    Err(PassError::TooLarge {
        what: "the function".to_owned(),
        size: size as u64,
        unit: "bytes",
        limit: MAX_FUNCTION as u64,
        offset: Some(start),
        remedy: "compile it in smaller functions",
    })
}

/// What a pass gives back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passed {
    /// The module. The bytes that went in where there was nothing to do.
    pub wasm: Vec<u8>,
    /// What was done, a sentence each; empty where there was nothing to do.
    pub changes: Vec<String>,
    /// What somebody should know before using the result.
    pub warnings: Vec<String>,
}

impl Passed {
    /// Nothing was to be done.
    pub(crate) fn untouched(wasm: &[u8]) -> Self {
        Self { wasm: wasm.to_vec(), changes: Vec::new(), warnings: Vec::new() }
    }
}

/// Refuses what is no valid module. Everything that a validator knows is switched on: what a pass cannot carry over it names
/// itself.
pub(crate) fn expect_valid(wasm: &[u8]) -> Result<(), PassError> {
    crate::blob::expect_module(crate::blob::Layer::File, wasm)?;
    match Validator::new_with_features(WasmFeatures::all()).validate_all(wasm) {
        Ok(_) => Ok(()),
        Err(error) => Err(PassError::invalid(&error)),
    }
}

/// Refuses to hand out what is not valid with `features`.
pub(crate) fn expect_result(wasm: &[u8], features: WasmFeatures) -> Result<(), PassError> {
    match Validator::new_with_features(features).validate_all(wasm) {
        Ok(_) => Ok(()),
        Err(error) => Err(PassError::Result { message: error.message().to_owned(), offset: error.offset() }),
    }
}

/// A count and what is counted.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}
