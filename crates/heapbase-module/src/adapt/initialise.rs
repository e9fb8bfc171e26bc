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
//! and memory, where every host function but the log ends it. Memory and mutable globals are all there is of a module's state:
//! tables do not change without instructions that are refused. What is zero is left out, in memory and in the file.
//!
//! Why not the library `wizer`: it writes modules by itself and keeps what this rewrites anyway (it renames exports, and wants
//! WASI from wasmtime at its own release), and it brings a second compiler for some milliseconds of work that an
//! interpreter does at once.

use super::error::AdaptError;
use super::module::{Data, ENV, Export, Module, WASM_PAGE};
use std::borrow::Cow;
use wasm_encoder::Instruction as I;
use wasmi::{
    Caller, CompilationMode, Config, Engine, ExternType, Linker, Memory, MemoryType, Store, StoreLimits,
    StoreLimitsBuilder, TrapCode, Val,
};
use wasmparser::ExternalKind;

/// The exports that initialise a module, by their toolchains' conventions.
pub(super) const INITIALISERS: [&str; 3] = ["_initialize", "_start", "__wasm_call_ctors"];

/// Pages that initialising may use: 512 MiB.
const MOST_PAGES: u64 = 8192;

/// Runs of zeros up to this long stay in a segment: a new one takes as many bytes to begin.
const GAP: usize = 8;

/// More segments than this are made fewer by longer gaps: every one takes time when a module is instantiated.
const MOST_SEGMENTS: usize = 4096;

/// The names by which the interpreter finds globals.
const PROBE: &str = "heapbase:global:";

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
    /// Bytes of memory that are not zero, in how many segments, and the first address behind them.
    pub(super) bytes: usize,
    pub(super) segments: usize,
    pub(super) end: u32,
}

/// What the interpreter's store carries.
struct State {
    limits: StoreLimits,
    memory: Option<Memory>,
    said: Vec<String>,
    /// The host function that was called.
    called: Option<String>,
    /// What was handed to the panic handler.
    message: Option<String>,
}

/// The function that an entry calls first where nothing is done beforehand, and the start function.
pub(super) fn initialisers(module: &Module<'_>) -> Vec<(String, u32)> {
    let start = module.start.map(|start| ("the start function".to_owned(), start));
    let exported = INITIALISERS.iter().find_map(|name| Some(((*name).to_owned(), module.exported_function(name)?)));
    start.into_iter().chain(exported).collect()
}

/// Initialises a module. Nothing is done to one that has nothing to run.
pub(super) fn initialise(module: &mut Module<'_>, settings: &Settings) -> Result<Initialised, AdaptError> {
    let mut initialised = Initialised::default();
    let functions = initialisers(module);
    let pages = module.memory.map_or(0, |memory| memory.initial);
    initialised.ran = functions.iter().map(|(name, _)| name.clone()).collect();
    if functions.is_empty() {
        return Ok(initialised);
    }
    if pages > MOST_PAGES {
        return Err(AdaptError::InitialiseMemory { pages, most: MOST_PAGES });
    }
    let mut run = Run::prepare(module, &functions, settings)?;
    for (place, (name, function)) in functions.iter().enumerate() {
        let ty = module.function_type(*function);
        if ty.is_some_and(|ty| !ty.params().is_empty() || !ty.results().is_empty()) {
            return Err(AdaptError::Entry(format!(
                "`{name}` takes parameters or gives results; it cannot be run first"
            )));
        }
        run.call(place, name, settings)?;
    }
    initialised.said = std::mem::take(&mut run.store.data_mut().said);
    let (memory, globals) = run.state(module)?;
    for (global, value) in globals {
        module.globals[global].init = value;
    }
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
    initialised.end = ranges.last().map_or(0, |range| range.end as u32);
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

/// A module in the interpreter.
struct Run {
    store: Store<State>,
    instance: wasmi::Instance,
    memory: Memory,
}

fn refused(error: impl ToString) -> AdaptError {
    AdaptError::Result { message: format!("the interpreter refuses it: {}", error.to_string()), offset: 0 }
}

impl Run {
    fn prepare(module: &Module<'_>, functions: &[(String, u32)], settings: &Settings) -> Result<Self, AdaptError> {
        let mut probe = module.clone();
        probe.memory_import = Some((ENV, super::memory::MEMORY));
        probe.start = None;
        probe.substitutes.plain_selects = true;
        probe.exports.clear();
        for (place, (_, function)) in functions.iter().enumerate() {
            let name = function_name(place);
            probe.exports.push(Export { name: name.into(), kind: ExternalKind::Func, index: *function });
        }
        for (index, global) in module.globals.iter().enumerate() {
            if global.ty.mutable {
                let name = format!("{PROBE}{index}").into();
                probe.exports.push(Export { name, kind: ExternalKind::Global, index: index as u32 });
            }
        }
        let wasm = probe.write()?;

        let mut config = Config::default();
        config
            .compilation_mode(CompilationMode::Lazy)
            .consume_fuel(true)
            .ignore_custom_sections(true)
            .set_min_stack_height(1 << 14)
            .wasm_reference_types(false)
            .wasm_tail_call(false)
            .wasm_multi_memory(false);
        config.set_max_stack_height(16 << 20).set_max_recursion_depth(1 << 14);
        let engine = Engine::new(&config);
        let parsed = wasmi::Module::new(&engine, &wasm).map_err(refused)?;
        let limits = StoreLimitsBuilder::new().memory_size((MOST_PAGES * WASM_PAGE) as usize).build();
        let state = State { limits, memory: None, said: Vec::new(), called: None, message: None };
        let mut store = Store::new(&engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_fuel(settings.steps).map_err(refused)?;
        let pages = module.memory.map_or(0, |memory| memory.initial) as u32;
        let memory = Memory::new(&mut store, MemoryType::new(pages, Some(pages))).map_err(refused)?;
        store.data_mut().memory = Some(memory);
        let linker = link(&engine, &parsed, memory)?;
        let instance = linker.instantiate_and_start(&mut store, &parsed).map_err(|error| {
            // Only a segment that does not fit can go wrong here.
            AdaptError::Initialise {
                function: "instantiating the module".to_owned(),
                message: error.to_string(),
                said: Vec::new(),
            }
        })?;
        Ok(Self { store, instance, memory })
    }

    fn call(&mut self, place: usize, name: &str, settings: &Settings) -> Result<(), AdaptError> {
        let function =
            self.instance.get_func(&self.store, &function_name(place)).ok_or_else(|| refused("no function"))?;
        let Err(error) = function.call(&mut self.store, &[], &mut []) else { return Ok(()) };
        let exited = settings.exited.and_then(|global| match self.global(global as usize) {
            Some(Val::I32(status)) if status != 0 => Some(status - 1),
            _ => None,
        });
        // A program that has run to its end leaves, and says so.
        if exited == Some(0) && name == "_start" {
            return Ok(());
        }
        let function = name.to_owned();
        let state = self.store.data_mut();
        if let Some(name) = state.called.take() {
            return Err(AdaptError::InitialiseCalls { function, name });
        }
        if error.as_trap_code() == Some(TrapCode::OutOfFuel) {
            return Err(AdaptError::InitialiseEndless { function, steps: settings.steps });
        }
        let message = state.message.take().or(exited.map(|status| format!("it left with status {status}")));
        let said = std::mem::take(&mut state.said);
        let said = said[said.len().saturating_sub(8)..].to_vec();
        Err(AdaptError::Initialise { function, message: message.unwrap_or_else(|| error.to_string()), said })
    }

    fn global(&self, index: usize) -> Option<Val> {
        Some(self.instance.get_global(&self.store, &format!("{PROBE}{index}"))?.get(&self.store))
    }

    /// The memory, and an instruction for the value of each mutable global.
    fn state(&self, module: &Module<'_>) -> Result<(&[u8], Vec<(usize, Vec<u8>)>), AdaptError> {
        let mut globals = Vec::new();
        for (index, global) in module.globals.iter().enumerate() {
            if !global.ty.mutable {
                continue;
            }
            let instruction = match self.global(index) {
                Some(Val::I32(value)) => I::I32Const(value),
                Some(Val::I64(value)) => I::I64Const(value),
                Some(Val::F32(value)) => I::F32Const(wasm_encoder::Ieee32::new(value.to_bits())),
                Some(Val::F64(value)) => I::F64Const(wasm_encoder::Ieee64::new(value.to_bits())),
                _ => return Err(refused(format!("global {index} has no value of a plain type"))),
            };
            globals.push((index, crate::splice::instructions(&[instruction])));
        }
        Ok((self.memory.data(&self.store), globals))
    }
}

fn function_name(place: usize) -> String {
    format!("heapbase:function:{place}")
}

/// Every import: the memory, the log, and functions that end the run.
fn link(engine: &Engine, module: &wasmi::Module, memory: Memory) -> Result<Linker<State>, AdaptError> {
    let mut linker = Linker::new(engine);
    for import in module.imports() {
        let (from, name) = (import.module(), import.name());
        let ExternType::Func(ty) = import.ty() else {
            linker.define(from, name, memory).map_err(refused)?;
            continue;
        };
        let called = format!("{from}.{name}");
        let function = move |caller: Caller<'_, State>, params: &[Val], _: &mut [Val]| host(caller, &called, params);
        linker.func_new(from, name, ty.clone(), function).map_err(refused)?;
    }
    Ok(linker)
}

/// A host function while a module initialises.
fn host(mut caller: Caller<'_, State>, name: &str, params: &[Val]) -> Result<(), wasmi::Error> {
    let text = |caller: &Caller<'_, State>, value: &Val| {
        let slice = value.i64().unwrap_or_default().cast_unsigned();
        let (start, length) = ((slice & u64::from(u32::MAX)) as usize, (slice >> 32) as usize);
        let memory = caller.data().memory?;
        let bytes = memory.data(caller).get(start..start.checked_add(length)?)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    };
    match (name, params) {
        ("env.ext_logging_log_version_1", [_, _, message]) => {
            let line = text(&caller, message);
            // As much as somebody reads.
            if caller.data().said.len() < 100 {
                caller.data_mut().said.extend(line);
            }
            Ok(())
        }
        ("env.ext_panic_handler_abort_on_panic_version_1", [message]) => {
            caller.data_mut().message = text(&caller, message);
            Err(wasmi::Error::new("the panic handler was called"))
        }
        _ => {
            caller.data_mut().called = Some(name.to_owned());
            Err(wasmi::Error::new(format!("called {name}")))
        }
    }
}
