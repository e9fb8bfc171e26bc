//! Moves the heap of an existing, compiled runtime: from the host into the module, and back.
//!
//! [`convert`] takes a legacy runtime and gives one that follows [`Spec::V1`] or [`Spec::Local`]; [`Spec::Legacy`] takes a
//! conversion back. No source is needed. What a runtime computes stays the same to the byte; what changes is who gives it
//! memory:
//!
//! - an allocator module is merged into the runtime ([`allocator`]);
//! - what referred to `ext_allocator_malloc_version_1` and `ext_allocator_free_version_1` (calls, tables, exports) refers to it;
//! - under v1 the two imports go, and `v1`, `alloc`, `dealloc` and `realloc` are exported; the heap begins at the old
//!   `__heap_base`, whose export gets another name, so that a node that knows no v1 refuses the runtime;
//! - under local `__heap_base` moves up by about a KiB, and the memory's minimum by the arena's size; the imports stay, for the
//!   arena itself, for what it cannot hold, and for the buffers that host functions return.
//!
//! Under local the runtime's first blocks lie right behind its data, in the page in which the host's heap begins too: every
//! call touches it anyway. The arena is one large block of the host's, fetched when a call turns out to allocate
//! more, with the allocator's state at its start. So a short call touches not one page more than before, and what is not
//! touched of the arena costs nothing under copy-on-write. `docs/convert.md` says how this differs from `spec/local.md`.
//!
//! The same input gives the same bytes, and a record in the section `heapbase` says how ([`crate::record`]).
//!
//! ```
//! use heapbase_module::{Spec, convert::{Options, convert}};
//!
//! let legacy = wat::parse_str(
//!     r#"(module
//!          (import "env" "memory" (memory 17))
//!          (import "env" "ext_allocator_malloc_version_1" (func $malloc (param i32) (result i32)))
//!          (import "env" "ext_allocator_free_version_1" (func $free (param i32)))
//!          (global (export "__heap_base") i32 (i32.const 1048576))
//!          (func (export "Core_version") (param i32 i32) (result i64)
//!            (i64.extend_i32_u (call $malloc (i32.const 8)))))"#,
//! )?;
//! let local = convert(&legacy, &Options::new(Spec::Local))?;
//! assert_eq!(heapbase_module::inspect(&local.wasm)?.spec, Spec::Local);
//!
//! let back = convert(&local.wasm, &Options::new(Spec::Legacy))?;
//! assert_eq!(heapbase_module::inspect(&back.wasm)?.spec, Spec::Legacy);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod allocator;
mod code;
mod custom;
mod error;
mod forward;
mod front;
mod glue;
mod layout;
mod pattern;
mod realloc;
mod routine;
mod survey;
mod trial;
mod undo;
mod write;

pub use allocator::Family;
pub(crate) use custom::{holds_code_places, with_producer};
pub use error::ConvertError;
pub(crate) use survey::{HEAP_BASE, MALLOC, constant};

use crate::record::{Record, SECTION};
use crate::{Blake2_256, Spec};
use std::borrow::Cow;
use survey::Survey;
use wasmparser::{ExternalKind, Validator};

/// The arena of a local runtime unless another size is asked for: 16 MiB. Blocks of the corpus need less, larger ones brought
/// nothing, and hosts that bound a call's memory still have most of it.
pub const DEFAULT_ARENA: u32 = 16 * 1024 * 1024;

/// Requests past near memory that go to the host under local before the arena is fetched: so many cost about as much as fetching
/// it and touching its first pages.
pub const PATIENCE: u32 = 128;

/// A request for more bytes fetches the arena at once: touching its first page is little beside filling such a block.
pub const LARGE: u32 = 4096;

/// The pages that a relay chain grants a parachain's validation unless its configuration says otherwise: 32 for the module and
/// 2,048 of heap.
pub(crate) const VALIDATION_PAGES: u64 = 2_080;

/// What is put into the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Allocator<'a> {
    /// The flagship, or [`Family::FreeingBump`] where the module was compiled by TinyGo: its garbage collector frees blocks that are
    /// still used, which harms nobody until the host's allocator hands them out again. This one does so at the same time, the
    /// flagship writes into them.
    #[default]
    Fitting,
    /// One that heapbase brings.
    Family(Family),
    /// An allocator module of somebody else's, by a name for the record. [`allocator`] documents its interface.
    Module {
        /// How the record names it.
        name: String,
        /// The module.
        wasm: Cow<'a, [u8]>,
    },
}

impl<'a> Allocator<'a> {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Fitting => Family::default().name(),
            Self::Family(family) => family.name(),
            Self::Module { name, .. } => name,
        }
    }

    /// The allocator module.
    pub fn wasm(&self) -> &[u8] {
        match self {
            Self::Fitting => Family::default().wasm(),
            Self::Family(family) => family.wasm(),
            Self::Module { wasm, .. } => wasm,
        }
    }

    /// The one that is meant for a module.
    fn for_module(&self, survey: &Survey<'_>) -> Self {
        match self {
            Self::Fitting if custom::is_processed_by(survey, "TinyGo") => Self::Family(Family::FreeingBump),
            Self::Fitting => Self::Family(Family::default()),
            other => other.clone(),
        }
    }
}

/// How to convert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options<'a> {
    /// The spec that the result follows.
    pub to: Spec,
    /// The allocator inside.
    pub allocator: Allocator<'a>,
    /// Bytes of the arena under [`Spec::Local`], a power of two and at most 32 MiB: others are rounded up to the next, and a
    /// larger one is made that large, each with a warning.
    pub arena: u32,
    /// Whether to serve the runtime's own growing of blocks (allocate, copy, free) in place where its code is recognised.
    pub in_place: bool,
    /// Whether the compiler's routines in the runtime (`memcpy`, `memmove`, `memset`, `memcmp`, `bcmp`, `__multi3`) get quicker
    /// bodies where they are recognised.
    pub routines: bool,
    /// Whether the result carries a record of its conversion.
    recorded: bool,
}

impl Options<'_> {
    /// The flagship, an arena of [`DEFAULT_ARENA`], growing in place, quick routines.
    pub fn new(to: Spec) -> Self {
        Self {
            to,
            allocator: Allocator::default(),
            arena: DEFAULT_ARENA,
            in_place: true,
            routines: true,
            recorded: true,
        }
    }
}

/// A converted module, and what was done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Conversion {
    /// The new module.
    pub wasm: Vec<u8>,
    /// The spec that the module followed before.
    pub from: Spec,
    /// The spec that it follows now.
    pub to: Spec,
    /// What was done, a sentence each.
    pub changes: Vec<String>,
    /// What somebody should know before using the result.
    pub warnings: Vec<String>,
    /// The record that the module carries; none where a conversion was taken back.
    pub record: Option<Record>,
}

/// Converts a module; see [the module](self).
///
/// # Errors
///
/// [`ConvertError`] says what the module has that cannot be converted, and where. Never panics, whatever the bytes.
pub fn convert(wasm: &[u8], options: &Options<'_>) -> Result<Conversion, ConvertError> {
    crate::blob::expect_module(crate::blob::Layer::File, wasm)?;
    let survey = Survey::read(wasm)?;
    let record = survey.custom(SECTION).map(Record::read).transpose();
    let record = record.map_err(|error| ConvertError::Record(error.to_string()))?;
    let exports_v1 = survey.exports.iter().any(|(name, kind, _)| *name == "v1" && is_function(*kind));
    let from = match &record {
        Some(record) => record.to,
        None if exports_v1 => Spec::V1,
        None => Spec::Legacy,
    };
    if let (None, Spec::V1) = (&record, from) {
        return Err(ConvertError::OwnsItsHeap);
    }
    if record.as_ref().is_some_and(|record| record.adapted.is_some()) {
        return Err(ConvertError::Adapted(from));
    }
    if from == options.to {
        return Err(ConvertError::Already(from));
    }
    let mut conversion = match record {
        None => forward::forward(&survey, options)?,
        Some(record) => {
            let restored = undo::undo(&survey, &record)?;
            let is_same = record.original_blake2_256 == Blake2_256::of(&restored).to_string();
            let change = format!("took back the conversion to {from}");
            if options.to == Spec::Legacy {
                let compared = if is_same {
                    "what was converted, byte for byte: its hash is the one in the record"
                } else {
                    "not what was converted, byte for byte: its encoding or debugging sections could not be kept, or the module was \
                     changed after the conversion; `verify` tells"
                };
                let changes = vec![change, format!("the result is {compared}")];
                Conversion { wasm: restored, from, to: Spec::Legacy, changes, warnings: Vec::new(), record: None }
            } else {
                let survey = Survey::read(&restored)?;
                let mut conversion = forward::forward(&survey, options)?;
                conversion.changes.insert(0, change);
                if !is_same {
                    conversion.warnings.push(
                        "what was taken back is not, byte for byte, what the record said was converted: its encoding or debugging \
                         sections could not be kept, or the module was changed since; the new record names what was taken back"
                            .to_owned(),
                    );
                }
                conversion
            }
        }
    };
    conversion.from = from;
    validate(wasm, &conversion.wasm)?;
    Ok(conversion)
}

/// Puts an allocator into a module that is being adapted, which has no record yet and gets none here.
pub(crate) fn put_in(wasm: &[u8], options: &Options<'_>) -> Result<Conversion, ConvertError> {
    let survey = Survey::read(wasm)?;
    forward::forward(&survey, &Options { recorded: false, ..options.clone() })
}

fn is_function(kind: ExternalKind) -> bool {
    matches!(kind, ExternalKind::Func | ExternalKind::FuncExact)
}

/// The result is valid, or it is said whose fault that is.
fn validate(before: &[u8], after: &[u8]) -> Result<(), ConvertError> {
    let Err(error) = Validator::new().validate_all(after) else { return Ok(()) };
    Validator::new().validate_all(before).map_err(|error| error::invalid(&error))?;
    Err(ConvertError::Result { message: error.message().to_owned(), offset: error.offset() as usize })
}
