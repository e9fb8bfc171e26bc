//! Runs a module's initialisation once, and keeps what came of it.
//!
//! Before:
//!
//! ```wat
//! (module
//!   (memory 310)
//!   (global $ready (mut i32) (i32.const 0))
//!   (data (i32.const 4096) "…")
//!   (func (export "_initialize")
//!     (i32.store (i32.const 1000000) (i32.const 7))
//!     (global.set $ready (i32.const 1))))
//! ```
//!
//! After:
//!
//! ```wat
//! (module
//!   (memory 310)
//!   (global $ready (mut i32) (i32.const 1))
//!   (data (i32.const 4096) "…")
//!   (data (i32.const 1000000) "\07"))
//! ```
//!
//! The start function runs first, then the first of [`INITIALISERS`] that is exported. They run in an interpreter that bounds steps
//! and memory, where every host function but the log ends it. Memory, mutable globals, and which data segments were dropped, are all there
//! is of a module's state: tables do not change without instructions that are refused. What is zero is left out, in memory and in
//! the file.
//!
//! Why not the library `wizer`: the versions that work with any engine (`wasmtime-wizer`) ask for a newer compiler than this project does
//! and for readers and writers of their own release, and take no module that imports its memory. The instrumented module it
//! makes is one export for each global here, and what it writes is the module that is written here anyway.

use super::error::AdaptError;
use super::module::{Data, Module};
use super::sandbox::{Ended, Run, Sandbox};
use std::borrow::Cow;
use wasm_encoder::Instruction as I;
use wasmi::Val;

/// The exports that initialise a module, by their toolchains' conventions.
pub(super) const INITIALISERS: [&str; 3] = ["_initialize", "_start", "__wasm_call_ctors"];

/// Runs of zeros up to this long stay in a segment: a new one takes as many bytes to begin.
const GAP: usize = 8;

/// More segments than this are made fewer by longer gaps: every one takes time when a module is instantiated.
const MOST_SEGMENTS: usize = 4096;

/// What is needed besides the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// The first address that is not the language's.
    pub(super) floor: u32,
    /// Where the host's heap begins.
    pub(super) heap_base: u32,
    /// The global with the status with which the module left, plus one.
    pub(super) exited: Option<u32>,
    /// Globals that are zero again afterwards.
    pub(super) cleared: Vec<u32>,
    /// How many instructions may be executed.
    pub(super) steps: u64,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub(super) struct Initialised {
    /// The functions that ran, by name.
    pub(super) ran: Vec<String>,
    /// What they wrote, by the line.
    pub(super) said: Vec<String>,
    /// Bytes of memory that are not zero, and in how many segments.
    pub(super) bytes: usize,
    pub(super) segments: usize,
}

/// The functions that initialise a module, in their order: the start function, and the first of [`INITIALISERS`] that is exported.
pub(super) fn initialisers(module: &Module<'_>) -> Result<Vec<(String, u32)>, AdaptError> {
    let start = module.start.map(|start| ("the start function".to_owned(), start));
    let exported = INITIALISERS.iter().find_map(|name| Some(((*name).to_owned(), module.exported_function(name)?)));
    let functions: Vec<_> = start.into_iter().chain(exported).collect();
    for (name, function) in &functions {
        let ty = module.function_type(*function);
        if let Some(ty) = ty.filter(|ty| !ty.params().is_empty() || !ty.results().is_empty()) {
            return Err(AdaptError::Initialise {
                function: name.clone(),
                message: format!(
                    "it is of the type `{ty}`, and nobody has its parameters or waits for its results; export it under another name, \
                     unless it takes and gives nothing"
                ),
                said: Vec::new(),
            });
        }
    }
    Ok(functions)
}

/// Initialises a module. Nothing is done to one that has nothing to run.
pub(super) fn initialise(module: &mut Module<'_>, settings: &Settings) -> Result<Initialised, AdaptError> {
    let mut initialised = Initialised::default();
    let functions = initialisers(module)?;
    initialised.ran = functions.iter().map(|(name, _)| name.clone()).collect();
    if functions.is_empty() {
        return Ok(initialised);
    }
    let numbers: Vec<u32> = functions.iter().map(|(_, function)| *function).collect();
    let sandbox = Sandbox::new(module, &numbers, settings.steps)?;
    let mut run = sandbox.start()?;
    for (place, (name, _)) in functions.iter().enumerate() {
        expect_done(&mut run, place, name, settings)?;
    }
    initialised.said = run.said();
    for (global, value) in run.globals(&sandbox)? {
        module.globals[global as usize].init = value;
    }
    for segment in run.dropped(&sandbox)? {
        module.data[segment as usize].bytes = Cow::Borrowed(&[]);
    }
    let memory = run.memory();
    for global in &settings.cleared {
        module.globals[*global as usize].init = crate::splice::instructions(&[I::I32Const(0)]);
    }
    let (low, high) = memory.split_at(memory.len().min(settings.heap_base as usize));
    if let Some(place) = high.iter().position(|byte| *byte != 0) {
        return Err(AdaptError::Initialise {
            function: initialised.ran.join("` and `"),
            message: format!("it wrote behind the end of its memory, at {:#x}", low.len() + place),
            said: initialised.said,
        });
    }
    // What lies above is the system's scratch memory.
    let own = &low[..low.len().min(settings.floor as usize)];
    let ranges = ranges(own);
    initialised.segments = ranges.len();
    initialised.bytes = ranges.iter().map(ExactSizeIterator::len).sum();
    let segments = ranges
        .into_iter()
        .map(|range| Data { start: Some(range.start as u32), bytes: Cow::Owned(own[range].to_vec()) });
    // Code may name the segments that it copies from by their places.
    if module.counts_data && module.data.iter().any(|data| data.start.is_none()) {
        module.data.iter_mut().filter(|data| data.start.is_some()).for_each(|data| {
            *data = Data { start: Some(0), bytes: Cow::Borrowed(&[]) };
        });
    } else {
        module.data.clear();
    }
    module.data.extend(segments);
    module.start = None;
    Ok(initialised)
}

/// Runs one function, and says what went wrong.
fn expect_done(run: &mut Run, place: usize, name: &str, settings: &Settings) -> Result<(), AdaptError> {
    let ended = run.call(place, &[])?;
    let exited = settings.exited.and_then(|global| match run.global(global) {
        Some(Val::I32(status)) if status != 0 => Some(status - 1),
        _ => None,
    });
    let function = name.to_owned();
    match ended {
        Ended::Returned => Ok(()),
        // A program that has run to its end leaves, and says so.
        _ if exited == Some(0) && name == "_start" => Ok(()),
        Ended::Called(name) => Err(AdaptError::InitialiseCalls { function, name }),
        Ended::Endless => Err(AdaptError::InitialiseEndless { function, steps: settings.steps }),
        Ended::Failed { message, trap } => {
            let said = run.said();
            let said = said[said.len().saturating_sub(8)..].to_vec();
            Err(AdaptError::Initialise { function, message: message.unwrap_or(trap), said })
        }
    }
}

/// The parts of a memory that are not zero, with short gaps between them closed.
fn ranges(memory: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut ranges: Vec<std::ops::Range<usize>> = Vec::new();
    for (place, page) in memory.chunks(4096).enumerate() {
        // Most pages are zero, and comparing slices is quick.
        if page.iter().all(|byte| *byte == 0) {
            continue;
        }
        for (at, _) in page.iter().enumerate().filter(|(_, byte)| **byte != 0) {
            let at = place * 4096 + at;
            match ranges.last_mut() {
                Some(last) if at - last.end <= GAP => last.end = at + 1,
                _ => ranges.push(at..at + 1),
            }
        }
    }
    let mut gap = GAP;
    while ranges.len() > MOST_SEGMENTS {
        gap *= 2;
        let mut fewer: Vec<std::ops::Range<usize>> = Vec::new();
        for range in ranges {
            match fewer.last_mut() {
                Some(last) if range.start - last.end <= gap => last.end = range.end,
                _ => fewer.push(range),
            }
        }
        ranges = fewer;
    }
    ranges
}
