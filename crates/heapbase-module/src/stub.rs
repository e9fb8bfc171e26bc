//! Makes a module pure: every import becomes the module's own, so that any engine instantiates it with nothing to import.
//!
//! [`stub`] is for whoever wants to look at a runtime's own code: to load it into an engine that knows nothing of Polkadot, to
//! time or fuzz what needs no host, to see how far an entry point gets. Before:
//!
//! ```wat
//! (module
//!   (import "env" "memory" (memory 17))
//!   (import "env" "ext_storage_get_version_1" (func $get (param i64) (result i64)))
//!   (func (export "Core_version") (param i32 i32) (result i64) (call $get (i64.const 0))))
//! ```
//!
//! After, under [`Policy::Trap`]:
//!
//! ```wat
//! (module
//!   (memory (export "memory") 17)
//!   (func $env.ext_storage_get_version_1 (param i64) (result i64) unreachable)
//!   (func (export "Core_version") (param i32 i32) (result i64) (call $env.ext_storage_get_version_1 (i64.const 0))))
//! ```
//!
//! Imports come first in every index space. What takes their place is put in front of the module's own functions, tables,
//! memories, tags and globals, so **no index changes**: code, element segments, exports and custom sections are copied as they
//! lie. Only constant expressions are touched, where they read an imported global: engines without the garbage collection
//! proposal allow that for imports alone, so its value, zero, takes the place of the read.
//!
//! - A function traps or returns zeros, as [`Policy`] says. Its name is `module.name` of the import, in the section `name`: that is
//!   what engines show in a backtrace.
//! - A memory keeps its limits, and is exported as `memory` unless that name is taken. A table keeps its limits and is empty. A
//!   global is zero or null. A tag is a new one.
//! - A memory or table that is too small for the module's own segments, because a host would have brought a larger one, is
//!   made large enough.
//! - Debugging information goes: it holds offsets into the code section, in which the new functions stand first.
//!
//! ```
//! use heapbase_module::stub::{StubOptions, stub};
//!
//! let runtime = wat::parse_str(
//!     r#"(module
//!          (import "env" "memory" (memory 17))
//!          (import "env" "ext_storage_get_version_1" (func $get (param i64) (result i64)))
//!          (func (export "Core_version") (param i32 i32) (result i64) (call $get (i64.const 0))))"#,
//! )?;
//! let stubbed = stub(&runtime, &StubOptions::default())?;
//! assert!(heapbase_module::inspect(&stubbed.wasm)?.imports.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod constant;
mod names;
mod source;
mod start;
mod write;

use source::Source;
use wasmparser::{BinaryReaderError, Validator, WasmFeatures};

/// What an imported function becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Policy {
    /// One that traps, `unreachable`.
    #[default]
    Trap,
    /// One that returns a zero or a null for each result.
    Zero,
}

/// How to stub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StubOptions {
    /// What imported functions become.
    pub policy: Policy,
}

impl StubOptions {
    /// With this policy.
    pub fn new(policy: Policy) -> Self {
        Self { policy }
    }
}

/// A module that imports nothing, and what was done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stubbed {
    /// The new module.
    pub wasm: Vec<u8>,
    /// What was done, a sentence each.
    pub changes: Vec<String>,
    /// What somebody should know before using the result.
    pub warnings: Vec<String>,
}

/// Why a module is not stubbed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StubError {
    /// The bytes are no module.
    #[error(transparent)]
    Read(#[from] crate::Error),

    /// The module breaks a rule of WebAssembly, so no engine would load it.
    #[error("the module is not valid WebAssembly: {message} (offset {offset:#x}); build it again")]
    Invalid {
        /// What is wrong, in the words of the validator.
        message: String,
        /// Byte offset into the decompressed module.
        offset: u64,
    },

    /// An import's type has no zero.
    #[error(
        "{what} `{name}` is of type `{ty}`, which has neither a zero nor a null that could take its place (import section, \
         offset {offset:#x}){}",
        if *function { "; the policy `trap` needs none" } else { "" }
    )]
    NoZero {
        /// What of the import.
        what: &'static str,
        /// Module and name of the import.
        name: String,
        /// The type.
        ty: String,
        /// Byte offset into the decompressed module.
        offset: u64,
        /// Whether it is a function, which may trap instead.
        function: bool,
    },

    /// What was written is not valid: a mistake of this function.
    #[error(
        "the result would not be valid WebAssembly: {message} (offset {offset:#x} of the result); nothing was written, \
         please report it with the module"
    )]
    Result {
        /// What is wrong, in the words of the validator.
        message: String,
        /// Byte offset into the result.
        offset: u64,
    },
}

/// Makes every import of a module its own; see [the module](self).
///
/// `wasm` is a raw module. The same bytes give the same result; a module without imports is its own result.
///
/// # Errors
///
/// [`StubError`] says what the module has that cannot be stubbed, and where. Never panics, whatever the bytes.
pub fn stub(wasm: &[u8], options: &StubOptions) -> Result<Stubbed, StubError> {
    crate::blob::expect_module(crate::blob::Layer::File, wasm)?;
    // The reading below relies on what a validator checks: counts that agree, indices that exist, sections in order.
    validate(wasm).map_err(|error| invalid(&error))?;
    let source = Source::read(wasm)?;
    if source.imports == 0 {
        let changes = vec!["nothing: the module imports nothing".to_owned()];
        return Ok(Stubbed { wasm: wasm.to_vec(), changes, warnings: Vec::new() });
    }
    let stubbed = write::write(&source, options.policy)?;
    validate(&stubbed.wasm)
        .map_err(|error| StubError::Result { message: error.message().to_owned(), offset: error.offset() })?;
    Ok(stubbed)
}

/// Checks a module against all of WebAssembly, proposals too: which of them an engine knows is not asked here.
fn validate(wasm: &[u8]) -> Result<(), BinaryReaderError> {
    Validator::new_with_features(WasmFeatures::all()).validate_all(wasm).map(drop)
}

fn invalid(error: &BinaryReaderError) -> StubError {
    StubError::Invalid { message: error.message().to_owned(), offset: error.offset() }
}
