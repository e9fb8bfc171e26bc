//! Moves the heap of an existing, compiled runtime: from the host into the module, and back.
//!
//! [`convert`] takes a legacy runtime and gives one that follows [`Spec::V1`] or [`Spec::Local`]; [`Spec::Legacy`] takes a
//! conversion back. No source is needed. What a runtime computes stays the same to the byte; what changes is who gives it
//! memory:
//!
//! - an allocator module is merged into the runtime ([`allocator`]);
//! - what referred to `ext_allocator_malloc_version_1` and `ext_allocator_free_version_1` (calls, tables, exports) refers to it;
//! - under v1 the two imports go, and `v1`, `alloc`, `dealloc` and `realloc` are exported; the heap begins at the old
//!   `__heap_base`;
//! - under local `__heap_base` moves up by the arena, and the memory's minimum with it; the imports stay, for what the arena cannot
//!   hold, and for the buffers that host functions return.
//!
//! Under local the allocator's state and first blocks lie at the arena's end, in the page in which the host's heap begins:
//! it is touched by every call anyway, and first by the host, which writes the call's input there. The rest of the arena is not
//! touched before it is used, and under copy-on-write what is not touched costs nothing.
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
mod glue;
mod layout;
mod pattern;
mod survey;
mod touch;
mod undo;
mod write;

pub use allocator::Family;
pub(crate) use custom::holds_code_places;
pub use error::ConvertError;

use crate::record::{Import, Pointer, Record, SECTION, Slot, Undo};
use crate::splice::{self, Splice, call};
use crate::{Blake2_256, Spec};
use allocator::AllocatorModule;
use code::each_reference;
use glue::Glue;
use layout::Layout;
use pattern::{Known, Via};
use std::borrow::Cow;
use survey::{FREE, HEAP_BASE, MALLOC, Survey};
use wasmparser::{ExternalKind, Validator};
use write::{HeapBaseGlobal, Output, Producer};

/// The arena of a local runtime unless another size is asked for: 16 MiB. Blocks of the corpus need less, larger ones brought
/// nothing, and hosts that bound a call's memory still have most of it.
pub const DEFAULT_ARENA: u32 = 16 * 1024 * 1024;

/// The pages that a relay chain grants a parachain's validation unless its configuration says otherwise: 32 for the module and
/// 2,048 of heap.
const VALIDATION_PAGES: u64 = 2_080;

/// What is put into the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allocator<'a> {
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

impl Default for Allocator<'_> {
    fn default() -> Self {
        Self::Family(Family::default())
    }
}

impl Allocator<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Family(family) => family.name(),
            Self::Module { name, .. } => name,
        }
    }

    /// The allocator module.
    pub fn wasm(&self) -> &[u8] {
        match self {
            Self::Family(family) => family.wasm(),
            Self::Module { wasm, .. } => wasm,
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
    /// Bytes of the arena under [`Spec::Local`].
    pub arena: u32,
    /// Whether to serve the runtime's own growing of blocks (allocate, copy, free) in place where its code is recognised.
    pub in_place: bool,
}

impl Options<'_> {
    /// The flagship, an arena of [`DEFAULT_ARENA`], growing in place.
    pub fn new(to: Spec) -> Self {
        Self { to, allocator: Allocator::default(), arena: DEFAULT_ARENA, in_place: true }
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
    if from == options.to {
        return Err(ConvertError::Already(from));
    }
    let mut conversion = match record {
        None => forward(&survey, options)?,
        Some(record) => {
            let restored = undo::undo(&survey, &record)?;
            let change = format!("took back the conversion to {from}");
            if options.to == Spec::Legacy {
                let same = record.original_blake2_256 == Blake2_256::of(&restored).to_string();
                let compared =
                    if same { "the original, byte for byte" } else { "equal to the original but for its encoding" };
                let changes = vec![change, format!("the result is {compared}")];
                Conversion { wasm: restored, from, to: Spec::Legacy, changes, warnings: Vec::new(), record: None }
            } else {
                let survey = Survey::read(&restored)?;
                let mut conversion = forward(&survey, options)?;
                conversion.changes.insert(0, change);
                conversion
            }
        }
    };
    conversion.from = from;
    validate(wasm, &conversion.wasm)?;
    Ok(conversion)
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

/// Converts a legacy module.
fn forward(survey: &Survey<'_>, options: &Options<'_>) -> Result<Conversion, ConvertError> {
    use crate::SectionKind;
    let to = options.to;
    let is_v1 = to == Spec::V1;
    if survey.malloc.is_empty() && !is_v1 {
        return Err(ConvertError::NoAllocator);
    }
    for kind in [SectionKind::Type, SectionKind::Function, SectionKind::Code, SectionKind::Export] {
        if !survey.has(kind) {
            return Err(ConvertError::unsupported(
                format!("the module has no {kind} section"),
                kind,
                "it has no entry point, so it is no runtime",
            ));
        }
    }
    if survey.bodies.len() + survey.imported_functions as usize != survey.functions.len() {
        return Err(ConvertError::unsupported(
            "functions are declared without a body",
            SectionKind::Code,
            "the module is damaged; build it again",
        ));
    }
    if survey.sections.iter().any(|section| section.name == Some("dylink.0")) {
        return Err(ConvertError::unsupported(
            "the module is a dynamic library",
            SectionKind::Custom,
            "it has no memory layout of its own; link it first",
        ));
    }
    if is_v1 {
        let taken = survey.exports.iter().find(|(name, ..)| ["v1", "alloc", "dealloc", "realloc"].contains(name));
        if let Some((name, ..)) = taken {
            return Err(ConvertError::NameTaken((*name).to_owned()));
        }
    }
    let allocator = AllocatorModule::read(options.allocator.name(), options.allocator.wasm())?;
    let arena = if is_v1 { 0 } else { options.arena };
    let mut layout = Layout::new(survey, to, arena, allocator.state_size)?;
    let touching = if is_v1 { Vec::new() } else { touch::entries(survey, layout.low.into()) };
    let touched = if touching.is_empty() { None } else { Some(layout.take_word()) };
    let memory = survey.memories[0];

    // Where everything goes.
    let imports: Vec<Import> = {
        let import = |(position, function): &(u32, u32)| Import {
            position: *position,
            function: *function,
            ty: survey.functions[*function as usize],
        };
        survey.malloc.iter().chain(&survey.free).map(import).collect()
    };
    let (malloc_imports, free_imports) = imports.split_at(survey.malloc.len());
    let mut next = 0;
    let places: Vec<Option<u32>> = (0..survey.functions.len() as u32)
        .map(|function| {
            if is_v1 && imports.iter().any(|import| import.function == function) {
                return None;
            }
            next += 1;
            Some(next - 1)
        })
        .collect();
    // How often each function is referred to by code.
    let mut counts = vec![0_u32; survey.functions.len()];
    for body in &survey.bodies {
        each_reference(body, |_, _, reference| {
            if let Some(count) = counts.get_mut(reference.function() as usize) {
                *count += 1;
            }
            Ok(())
        })?;
    }
    let known = Known::new(survey);
    let mut glue = Glue::new(&allocator, layout, next);
    let mut functions = places.clone();
    let mut places = places;
    let mut slots = Vec::new();
    let mut moved = Vec::new();
    for (imports, shims, is_malloc) in
        [(malloc_imports, &known.malloc_shims, true), (free_imports, &known.free_shims, false)]
    {
        if imports.is_empty() {
            continue;
        }
        // What only passes on to the import gives its place away. Where calls go to the import itself, a function that is
        // seldom called does so if that makes the calls shorter.
        let count = imports.iter().map(|import| counts[import.function as usize]).sum();
        let slot = match (imports, &shims[..]) {
            ([_], [shim]) if count == 1 => Some((*shim, None)),
            _ => seldom_called(survey, &places, &functions, &counts, count).map(|function| {
                let ty = &survey.function_type(function);
                let (params, results) = ty.map_or((&[][..], &[][..]), |ty| (ty.params(), ty.results()));
                (function, Some(glue.reserve("", params, results)))
            }),
        };
        let host = imports.first().filter(|_| !is_v1).map(|import| import.function);
        let at = slot.and_then(|(function, _)| places[function as usize]);
        let now = if is_malloc { glue.add_malloc(host, at)? } else { glue.add_free(host, at)? };
        for import in imports {
            functions[import.function as usize] = Some(now);
        }
        if let (Some((function, to)), Some(at)) = (slot, at) {
            let body = match (to, survey.body(function)) {
                (None, Some(body)) => hex::encode(body.as_bytes()),
                _ => String::new(),
            };
            slots.push(Slot { function: at, moved_to: to, body });
            if to.is_some() {
                functions[function as usize] = to;
                places[function as usize] = to;
                moved.push(function);
            }
        }
    }
    let exports = if is_v1 { glue.add_exports()? } else { Vec::new() };

    // What referred to the host's allocator refers to the module's.
    let taken: Vec<u32> = slots.iter().filter(|slot| slot.moved_to.is_none()).map(|slot| slot.function).collect();
    let mut bodies = Vec::with_capacity(survey.bodies.len());
    let (mut sites, mut grown) = ([0_usize; 2], 0_usize);
    for (place, body) in survey.bodies.iter().enumerate() {
        let own = survey.imported_functions + place as u32;
        if places[own as usize].is_some_and(|place| taken.contains(&place)) {
            bodies.push(None);
            continue;
        }
        let mut edits: Vec<(std::ops::Range<usize>, Vec<u8>)> = Vec::new();
        let mut frees = false;
        each_reference(body, |_, range, reference| {
            let function = reference.function();
            let now = functions.get(function as usize).copied().flatten().unwrap_or(function);
            sites[0] += usize::from(known.is_malloc(function));
            sites[1] += usize::from(known.is_free(function));
            frees |= known.is_free(function);
            if now != function {
                let like = &survey.wasm[range.clone()];
                edits.push((range, reference.to(now, like)));
            }
            Ok(())
        })?;
        if options.in_place && allocator.resize.is_some() && (frees || known.free_place.is_some()) {
            grown += grow_in_place(body, &known, &mut glue, &functions, &mut edits)?;
        }
        if let Some(address) = touched.filter(|_| touching.contains(&own)) {
            let start = body.get_binary_reader_for_operators().map_err(|error| error::invalid(&error))?;
            let start = start.original_position() as usize;
            edits.insert(0, (start..start, touch::store(address)));
        }
        let moves_to = if moved.contains(&own) { places[own as usize] } else { None };
        if edits.is_empty() && moves_to.is_none() {
            bodies.push(None);
            continue;
        }
        let range = body.range();
        let mut splice = Splice::new(survey.wasm, range.start as usize..range.end as usize);
        for (range, with) in edits {
            splice.replace(range, &with);
        }
        match moves_to {
            Some(to) => {
                glue.fill_raw(to, splice.finish());
                bodies.push(None);
            }
            None => bodies.push(Some(splice.finish())),
        }
    }

    let heap_base_global = match survey.heap_base {
        _ if is_v1 => HeapBaseGlobal::InPlace,
        Some(base) if !is_shared(survey, base.global) => HeapBaseGlobal::InPlace,
        _ => HeapBaseGlobal::Added,
    };
    if heap_base_global == HeapBaseGlobal::Added && !survey.has(SectionKind::Global) {
        return Err(ConvertError::unsupported(
            "the module exports no `__heap_base` and has no globals",
            SectionKind::Global,
            "no node that runs legacy runtimes could load it",
        ));
    }
    let pointer = |via: &Via| match via {
        Via::Direct => None,
        Via::Pointer { pointer, ty } => Some(Pointer { address: *pointer, ty: *ty }),
    };
    let record = Record {
        to,
        converter: env!("CARGO_PKG_VERSION").to_owned(),
        allocator: options.allocator.name().to_owned(),
        allocator_blake2_256: Blake2_256::of(options.allocator.wasm()).to_string(),
        arena,
        in_place: options.in_place,
        original_blake2_256: Blake2_256::of(survey.wasm).to_string(),
        undo: Some(Undo {
            types: survey.types.len() as u32,
            functions: survey.bodies.len() as u32,
            malloc_imports: malloc_imports.to_vec(),
            free_imports: free_imports.to_vec(),
            malloc: glue.malloc,
            free: glue.free,
            slots,
            touched,
            touching: touching.iter().filter_map(|function| places[*function as usize]).collect(),
            grows: glue.grows.iter().map(|(via, _, function)| (*function, pointer(via))).collect(),
            releases: glue.releases.iter().map(|(via, function)| (*function, pointer(via))).collect(),
            copies: glue.copies.iter().map(|(original, function)| (*function, *original)).collect(),
            heap_base: survey.heap_base.filter(|_| !is_v1).map(|base| base.value),
            heap_base_added: heap_base_global == HeapBaseGlobal::Added,
            heap_base_export: survey.heap_base.map(|base| base.global),
            minimum: memory.initial,
            maximum: memory.maximum,
        }),
    };
    // What took a place of the module's own stands there now.
    let mut slot_names = Vec::new();
    for (place, body) in bodies.iter_mut().enumerate() {
        let index = next - survey.bodies.len() as u32 + place as u32;
        if let Some(placed) = glue.placed.remove(&index) {
            *body = Some(placed.body);
            if !taken.contains(&index) {
                slot_names.push((index, placed.name, placed.ty));
            }
        }
    }
    let added = std::mem::take(&mut glue.added);
    let output = Output {
        survey,
        functions,
        places,
        imported_names: Vec::new(),
        dropped_imports: if is_v1 { imports.iter().map(|import| import.position).collect() } else { Vec::new() },
        added_imports: Vec::new(),
        types: survey.types.len() as u32,
        own_functions: survey.bodies.len() as u32,
        minimum: layout.minimum,
        maximum: layout.maximum,
        heap_base: layout.heap_base,
        heap_base_global,
        exports,
        bodies,
        slot_names,
        added,
        producer: Producer::Add,
        record: Some(record.write()),
    };
    let wasm = output.write()?;
    let mut changes = describe(survey, options, &layout, sites, grown);
    if let Some(address) = touched {
        changes.push(format!(
            "let {} entry points write to the data's last page first, at {address:#x}: that spares a page fault",
            touching.len()
        ));
    }
    changes.extend(
        survey.sections.iter().filter_map(|section| section.name).filter(|name| custom::holds_code_places(name)).map(
            |name| format!("dropped the custom section `{name}`: the places in the code that it speaks of have moved"),
        ),
    );
    let mut warnings = Vec::new();
    if !is_v1 && layout.minimum > VALIDATION_PAGES {
        warnings.push(format!(
            "the memory now begins with {} pages of 64 KiB; a relay chain's usual limit for validating a parachain's block \
             is {VALIDATION_PAGES}: choose a smaller --arena",
            layout.minimum
        ));
    }
    if survey.heap_base.is_none() {
        warnings.push(format!(
            "the module exports no `{HEAP_BASE}`: the heap begins behind the memory's first {} pages",
            memory.initial
        ));
    }
    Ok(Conversion { wasm, from: Spec::Legacy, to, changes, warnings, record: Some(record) })
}

/// The function that is best moved away so that one with `calls` calls can have its place, which takes one byte to name: the
/// one with the fewest references, if that saves anything.
fn seldom_called(
    survey: &Survey<'_>,
    places: &[Option<u32>],
    functions: &[Option<u32>],
    counts: &[u32],
    calls: u32,
) -> Option<u32> {
    const ONE_BYTE: u32 = 0x80;
    (survey.imported_functions..)
        .take(survey.bodies.len())
        .filter(|function| {
            let place = places[*function as usize];
            place.is_some_and(|place| place < ONE_BYTE) && place == functions[*function as usize]
        })
        .min_by_key(|function| counts[*function as usize])
        .filter(|function| counts[*function as usize] + MOVING < calls)
}

/// Moving a function has to save at least so many bytes: the record says where it went.
const MOVING: u32 = 256;

/// Whether a global is exported under another name as well.
fn is_shared(survey: &Survey<'_>, global: u32) -> bool {
    survey.exports.iter().filter(|(_, kind, index)| *kind == ExternalKind::Global && *index == global).count() > 1
}

/// Leads the growths in a body to the allocator's resizing; how many there were. `edits` are in the order of the code.
fn grow_in_place(
    body: &wasmparser::FunctionBody<'_>,
    known: &Known<'_>,
    glue: &mut Glue<'_>,
    functions: &[Option<u32>],
    edits: &mut Vec<(std::ops::Range<usize>, Vec<u8>)>,
) -> Result<usize, ConvertError> {
    let operators = body.get_operators_reader().map_err(|error| error::invalid(&error))?;
    let mut code = Vec::new();
    for operator in operators.into_iter_with_offsets() {
        let (operator, offset) = operator.map_err(|error| error::invalid(&error))?;
        code.push((operator, offset as usize));
    }
    let mut found = 0;
    for last in 0..code.len() {
        let Some(growth) = known.growth(&code, last) else { continue };
        let Some(copy) = functions.get(growth.copy as usize).copied().flatten() else { continue };
        let Some([grow, copying, release]) = glue.growth(&growth, copy, (known.malloc_place, known.free_place))? else {
            continue;
        };
        let wasm = known.survey.wasm;
        let like = |range: &std::ops::Range<usize>, via: Via| match via {
            Via::Direct => &wasm[range.clone()],
            Via::Pointer { .. } => &[],
        };
        let with = |local: u32, range: &std::ops::Range<usize>, via: Via, function: u32| {
            let mut bytes = splice::instructions(&[wasm_encoder::Instruction::LocalGet(local)]);
            bytes.extend(call(function, like(range, via)));
            bytes
        };
        let new = [
            (growth.malloc_range.clone(), with(growth.old, &growth.malloc_range, growth.malloc, grow)),
            (growth.copy_range.clone(), call(copying, &wasm[growth.copy_range.clone()])),
            (growth.free_range.clone(), with(growth.new, &growth.free_range, growth.free, release)),
        ];
        edits.retain(|(range, _)| !new.iter().any(|(other, _)| other == range));
        edits.extend(new);
        found += 1;
    }
    edits.sort_by_key(|(range, _)| range.start);
    Ok(found)
}

fn describe(
    survey: &Survey<'_>,
    options: &Options<'_>,
    layout: &Layout,
    sites: [usize; 2],
    grown: usize,
) -> Vec<String> {
    let mut changes =
        vec![format!("merged the allocator `{}`, with its state at {:#x}", options.allocator.name(), layout.state)];
    for (name, count) in [(MALLOC, sites[0]), (FREE, sites[1])] {
        changes.push(format!("led {count} references to `{name}` to it"));
    }
    if grown > 0 {
        changes.push(format!("let blocks grow in place where the runtime allocates, copies and frees: {grown} places"));
    }
    match (layout.heap_base, survey.heap_base) {
        (Some(now), Some(before)) => changes.push(format!("moved `{HEAP_BASE}` from {:#x} to {now:#x}", before.value)),
        (Some(now), None) => changes.push(format!("added `{HEAP_BASE}`, {now:#x}")),
        (None, _) => changes
            .push(format!("dropped the imports `{MALLOC}` and `{FREE}`; exported `v1`, `alloc`, `dealloc`, `realloc`")),
    }
    let before = survey.memories.first().map_or(0, |memory| memory.initial);
    if layout.pages_added(before) > 0 {
        changes.push(format!("raised the memory's minimum from {before} to {} pages of 64 KiB", layout.minimum));
    }
    changes
}
