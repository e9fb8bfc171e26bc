//! Lowers a module to the first release of WebAssembly, the MVP, which is all that stock nodes read.
//!
//! ```text
//! memory.copy                          call $memory.copy                                          [`bulk`]
//! memory.init $d, data.drop $d         call $memory.init, global.set $left                     [`passive`]
//! i32.extend8_s                        i32.const 24  i32.shl  i32.const 24  i32.shr_s            [`body`]
//! i32.load8_u  i32.extend8_s           i32.load8_s
//! i64.trunc_sat_f64_s                  if it fits i64.trunc_f64_s else the largest or smallest   [`saturate`]
//! (func (result i32 i64))              (func (result i32)), and a global                       [`values`]
//! block (param i32) (result i32 i32)   block, and variables
//! (elem funcref (ref.func $f))         (elem func $f)                                        [`elements`]
//! (global i32 (i32.add … …))           (global i32 (i32.const …))                            [`constant`]
//! (export "g" (global $mutable))       nothing, or an immutable global
//! call_indirect with a padded table    call_indirect
//! ```
//!
//! What computes the same is written in place, where that is as short as a call; the rest is a call of a function that is added
//! behind the module's own, so that no index moves. Functions that use nothing of this are copied byte for byte.
//!
//! Results and traps are the same to the bit, and so is what memory holds when something traps. Two things differ: a function's
//! results but the first are in globals for a moment, and the stack is one call deeper in a copy.
//!
//! **What it costs** (`bench/passes`, wasmtime 36): Go's sha256 takes 0.98 of the time it took, maps and text 0.98, floating point 0.98, copies
//! of up to 300 bytes 0.97, and copies of 1 MiB 2.3, since nothing in the MVP stores more than 8 bytes at once. The module of 2.8 MB with 282
//! copies and fills, 350 sign extensions and 23 conversions becomes 2.9 KB larger, and lowering it takes 0.1 s.
//!
//! Why not an existing tool: `wasm-opt` lowers some of these features with passes of its own, each of which parses and prints the
//! whole module, moves indices, copies byte by byte and (for conversions) leaves the trap; it knows nothing of passive segments,
//! several results or the encodings. Why not compile without the features: Go and AssemblyScript have no option for it.
//!
//! What the MVP has nothing for is refused by name and offset: threads, vectors, exceptions, tail calls, garbage collection,
//! references beyond functions in one table, instructions that change a table, 64-bit or several memories.
//!
//! ```
//! use heapbase_module::lower::{Options, lower};
//! use wasmparser::{Validator, WasmFeatures};
//!
//! let wasm = wat::parse_str(
//!     r#"(module
//!          (memory 1)
//!          (func (export "f") (param i32 i32) (result i64)
//!            (memory.copy (local.get 0) (local.get 1) (i32.const 100))
//!            (i64.extend32_s (i64.trunc_sat_f64_s (f64.load (local.get 0))))))"#,
//! )?;
//! assert!(Validator::new_with_features(WasmFeatures::MVP).validate_all(&wasm).is_err());
//! let lowered = lower(&wasm, &Options::default())?;
//! assert!(Validator::new_with_features(WasmFeatures::MVP).validate_all(&lowered.wasm).is_ok());
//! assert!(lowered.changes[0].starts_with("lowered bulk-memory: 1 copy or fill"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod body;
mod bulk;
mod constant;
mod elements;
mod frames;
mod helpers;
mod passive;
mod refused;
mod saturate;
mod sections;
mod tally;
mod values;

pub use crate::pass::{PassError as LowerError, Passed as Lowered};

use crate::pass::{Parts, expect_result, expect_valid};
use body::Body;
use helpers::Helpers;
use passive::Left;
use refused::expect_number;
use std::collections::BTreeMap;
use tally::Tally;
use wasm_encoder::ValType;
use wasmparser::{DataKind, Operator, Validator, WasmFeatures};

/// What a host has beyond the MVP, and may stay. By default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Sign extension stays.
    pub sign_extension: bool,
    /// Bulk memory stays: copies, fills, passive segments, and the instructions on tables that came with them.
    pub bulk_memory: bool,
    /// Mutable globals may be imported and exported. All nodes take them, though the MVP did not.
    pub mutable_globals: bool,
}

impl Options {
    /// What the result is valid with.
    pub fn features(&self) -> WasmFeatures {
        let mut features = WasmFeatures::MVP;
        features.set(WasmFeatures::SIGN_EXTENSION, self.sign_extension);
        features.set(WasmFeatures::BULK_MEMORY, self.bulk_memory);
        features.set(WasmFeatures::MUTABLE_GLOBAL, self.mutable_globals);
        features
    }
}

/// Lowers a module; see [the module](self). One that needs nothing comes back byte for byte.
///
/// # Errors
///
/// [`LowerError`] says what the module has that cannot be lowered, and where. Never panics, whatever the bytes.
pub fn lower(wasm: &[u8], options: &Options) -> Result<Lowered, LowerError> {
    expect_valid(wasm)?;
    let parts = Parts::read(wasm)?;
    if Validator::new_with_features(options.features()).validate_all(wasm).is_ok()
        && (options.bulk_memory || sections::segments_are_plain(&parts))
    {
        return Ok(Lowered::untouched(wasm));
    }
    refused::check(&parts, options)?;
    let mut context = Context::new(&parts, options)?;
    let mut bodies = Vec::with_capacity(parts.bodies.len());
    let limit = crate::pass::limit(wasm);
    let mut size = 0;
    for (index, body) in (parts.imported_functions..).zip(&parts.bodies) {
        let rewritten = Body::rewrite(&mut context, index, body)?;
        size += rewritten.as_ref().map_or(0, |rewritten| rewritten.bytes.len());
        if size > limit {
            return Err(crate::pass::too_large(size, limit, wasm.len()));
        }
        bodies.push(rewritten);
    }
    let lowered = sections::write(context, &bodies)?;
    expect_result(&lowered.wasm, options.features())?;
    Ok(lowered)
}

/// Refuses what [`lower`] would refuse for what it uses, without lowering anything.
pub(crate) fn check(wasm: &[u8], options: &Options) -> Result<(), LowerError> {
    expect_valid(wasm)?;
    refused::check(&Parts::read(wasm)?, options)
}

/// What all functions of a module share while they are rewritten.
struct Context<'p, 'a> {
    parts: &'p Parts<'a>,
    options: Options,
    types: values::Types,
    helpers: Helpers,
    tally: Tally,
    /// Globals that come: type and first value.
    globals: Vec<(ValType, i32, String)>,
    /// Those that results travel in, by type and number.
    results: BTreeMap<(ValType, u32), u32>,
    /// Those that say what is left of a segment.
    lengths: BTreeMap<u32, u32>,
    /// Which globals the code sets.
    set: Vec<bool>,
    /// Whether the code names element segments.
    names_elements: bool,
    /// The size of a table that nobody can change.
    table_size: Option<u32>,
}

impl<'p, 'a> Context<'p, 'a> {
    fn new(parts: &'p Parts<'a>, options: &Options) -> Result<Self, LowerError> {
        let exported = parts.exports.iter().any(|(_, export)| export.kind == wasmparser::ExternalKind::Table);
        let table_size = match parts.table_types[..] {
            [table] if parts.imported_tables() == 0 && !exported => u32::try_from(table.initial).ok(),
            _ => None,
        };
        values::expect_private(parts)?;
        Ok(Self {
            parts,
            options: *options,
            types: values::types(parts)?,
            helpers: Helpers::new(parts.functions.len() as u32),
            tally: Tally::default(),
            globals: Vec::new(),
            results: BTreeMap::new(),
            lengths: BTreeMap::new(),
            set: vec![false; parts.global_types.len()],
            names_elements: false,
            table_size,
        })
    }

    /// Takes note of what other instructions are looked at for later.
    fn note(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::GlobalSet { global_index } => {
                if let Some(set) = self.set.get_mut(*global_index as usize) {
                    *set = true;
                }
            }
            Operator::TableInit { .. } | Operator::ElemDrop { .. } => self.names_elements = true,
            _ => {}
        }
    }

    fn add_global(&mut self, ty: ValType, value: i32, name: String) -> u32 {
        self.globals.push((ty, value, name));
        (self.parts.global_types.len() + self.globals.len() - 1) as u32
    }

    /// The global in which the result of a type and number travels.
    fn result_global(&mut self, ty: ValType, number: u32) -> u32 {
        if let Some(global) = self.results.get(&(ty, number)) {
            return *global;
        }
        let name = format!("result {ty:?} {number}").to_lowercase();
        let global = self.add_global(ty, 0, name);
        self.results.insert((ty, number), global);
        global
    }

    /// What is left of a data segment when the code runs.
    fn left(&mut self, segment: u32) -> Left {
        let Some(data) = self.parts.data.get(segment as usize) else { return Left::Nothing };
        if let DataKind::Active { .. } = data.kind {
            return Left::Nothing;
        }
        if let Some(global) = self.lengths.get(&segment) {
            return Left::Global(*global);
        }
        let length = data.data.len() as u32;
        let global = self.add_global(ValType::I32, length.cast_signed(), format!("left of data {segment}"));
        self.lengths.insert(segment, global);
        Left::Global(global)
    }
}
