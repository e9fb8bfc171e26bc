//! The interpreter in which a module's own code runs while it is adapted: bounded steps, bounded memory, no host.
//!
//! Of the host there are only the log, which is collected, and the panic handler. Every other host function ends what called it.

use super::error::AdaptError;
use super::memory::MEMORY;
use super::module::{ENV, Export, Module, Origin, WASM_PAGE};
use wasm_encoder::Instruction as I;
use wasmi::{
    Caller, CompilationMode, Config, Engine, ExternType, Instance, Linker, Memory, MemoryType, Store, StoreLimits,
    StoreLimitsBuilder, TrapCode, Val,
};
use wasmparser::{ExternalKind, FuncType};

/// Pages that a module may have here: 512 MiB.
pub(super) const MOST_PAGES: u64 = 8192;

/// Lines of the log that are kept, as many as somebody reads.
const MOST_LINES: usize = 100;

/// Steps that are enough to ask for every segment that a module can have.
const ASKING: u64 = 1 << 30;

/// The names by which the interpreter finds globals and functions.
const GLOBAL: &str = "heapbase:global:";
const FUNCTION: &str = "heapbase:function:";
const SEGMENT: &str = "heapbase:segment:";

/// A module for the interpreter.
pub(super) struct Sandbox {
    engine: Engine,
    parsed: wasmi::Module,
    pages: u32,
    steps: u64,
    mutable: Vec<u32>,
    /// Data segments that code copies from, where it can drop them.
    segments: Vec<u32>,
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

/// An instance of a module.
pub(super) struct Run {
    store: Store<State>,
    instance: Instance,
    memory: Memory,
}

/// How a function ended.
pub(super) enum Ended {
    /// It returned.
    Returned,
    /// It called a host function.
    Called(String),
    /// It used all its steps.
    Endless,
    /// It trapped, or handed a message to the panic handler.
    Failed {
        /// The message that it handed over.
        message: Option<String>,
        /// The trap.
        trap: String,
    },
}

fn refused(error: impl ToString) -> AdaptError {
    AdaptError::Result { message: format!("the interpreter refuses it: {}", error.to_string()), offset: 0 }
}

impl Sandbox {
    /// A module in which some functions, by their numbers, can be run, one instance after the other. `steps` bounds each instance.
    pub(super) fn new(module: &Module<'_>, functions: &[u32], steps: u64) -> Result<Self, AdaptError> {
        let pages = module.memory.map_or(0, |memory| memory.initial);
        if pages > MOST_PAGES {
            return Err(AdaptError::InitialiseMemory { pages, most: MOST_PAGES });
        }
        let mut probe = module.clone();
        probe.memory_import = Some((ENV, MEMORY));
        probe.start = None;
        probe.substitutes.plain_selects = true;
        probe.customs.clear();
        probe.exports.clear();
        for (place, function) in functions.iter().enumerate() {
            let name = format!("{FUNCTION}{place}").into();
            probe.exports.push(Export { name, kind: ExternalKind::Func, index: *function });
        }
        let globals = module.globals.iter().enumerate();
        let mutable: Vec<u32> =
            globals.filter(|(_, global)| global.ty.mutable).map(|(index, _)| index as u32).collect();
        for index in &mutable {
            let name = format!("{GLOBAL}{index}").into();
            probe.exports.push(Export { name, kind: ExternalKind::Global, index: *index });
        }
        let segments = ask_for_segments(&mut probe);
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
        Ok(Self { engine, parsed, pages: pages as u32, steps, mutable, segments })
    }

    /// A new instance.
    pub(super) fn start(&self) -> Result<Run, AdaptError> {
        let limits = StoreLimitsBuilder::new().memory_size((MOST_PAGES * WASM_PAGE) as usize).build();
        let state = State { limits, memory: None, said: Vec::new(), called: None, message: None };
        let mut store = Store::new(&self.engine, state);
        store.limiter(|state| &mut state.limits);
        store.set_fuel(self.steps).map_err(refused)?;
        let memory = Memory::new(&mut store, MemoryType::new(self.pages, Some(self.pages))).map_err(refused)?;
        store.data_mut().memory = Some(memory);
        let linker = link(&self.engine, &self.parsed, memory)?;
        let instance = linker.instantiate_and_start(&mut store, &self.parsed).map_err(|error| {
            // Only a segment that does not fit can go wrong here.
            AdaptError::Initialise {
                function: "instantiating the module".to_owned(),
                message: error.to_string(),
                said: Vec::new(),
            }
        })?;
        Ok(Run { store, instance, memory })
    }
}

/// Adds an exported function for each data segment that code copies from, which traps if the segment was dropped: it copies no
/// bytes from its end. Their indices.
fn ask_for_segments(probe: &mut Module<'_>) -> Vec<u32> {
    let mut segments = Vec::new();
    for index in 0..probe.data.len() {
        let data = &probe.data[index];
        if !probe.counts_data || data.start.is_some() || data.bytes.is_empty() {
            continue;
        }
        let (index, end) = (index as u32, data.bytes.len() as u32);
        let mut body = wasm_encoder::Function::new([]);
        for instruction in [
            I::I32Const(0),
            I::I32Const(end.cast_signed()),
            I::I32Const(0),
            I::MemoryInit { mem: 0, data_index: index },
            I::End,
        ] {
            body.instruction(&instruction);
        }
        let name = format!("{SEGMENT}{index}");
        let function = probe.add(name.clone(), &FuncType::new([], []), Origin::Made(body.into_raw_body()));
        probe.exports.push(Export { name: name.into(), kind: ExternalKind::Func, index: function });
        segments.push(index);
    }
    segments
}

impl Run {
    /// Calls the function at this place of the list, with as many of the parameters as it has.
    pub(super) fn call(&mut self, place: usize, params: &[i32]) -> Result<Ended, AdaptError> {
        let function = self.instance.get_func(&self.store, &format!("{FUNCTION}{place}"));
        let function = function.ok_or_else(|| refused("no function"))?;
        let params: Vec<Val> = params.iter().map(|param| Val::I32(*param)).collect();
        let mut results = vec![Val::I32(0); function.ty(&self.store).results().len()];
        let Err(error) = function.call(&mut self.store, &params, &mut results) else { return Ok(Ended::Returned) };
        let state = self.store.data_mut();
        Ok(match state.called.take() {
            Some(name) => Ended::Called(name),
            None if error.as_trap_code() == Some(TrapCode::OutOfFuel) => Ended::Endless,
            None => Ended::Failed { message: state.message.take(), trap: error.to_string() },
        })
    }

    /// The lines that were written to the log since they were last asked for.
    pub(super) fn said(&mut self) -> Vec<String> {
        std::mem::take(&mut self.store.data_mut().said)
    }

    /// The data segments that were dropped.
    pub(super) fn dropped(&mut self, sandbox: &Sandbox) -> Result<Vec<u32>, AdaptError> {
        self.store.set_fuel(sandbox.steps.max(ASKING)).map_err(refused)?;
        let mut dropped = Vec::new();
        for index in &sandbox.segments {
            let function = self.instance.get_func(&self.store, &format!("{SEGMENT}{index}"));
            let function = function.ok_or_else(|| refused("no function"))?;
            if function.call(&mut self.store, &[], &mut []).is_err() {
                dropped.push(*index);
            }
        }
        Ok(dropped)
    }

    pub(super) fn memory(&self) -> &[u8] {
        self.memory.data(&self.store)
    }

    /// The value of a mutable global.
    pub(super) fn global(&self, index: u32) -> Option<Val> {
        Some(self.instance.get_global(&self.store, &format!("{GLOBAL}{index}"))?.get(&self.store))
    }

    /// An instruction for the value of each mutable global.
    pub(super) fn globals(&self, sandbox: &Sandbox) -> Result<Vec<(u32, Vec<u8>)>, AdaptError> {
        let value = |index: &u32| {
            let instruction = match self.global(*index) {
                Some(Val::I32(value)) => I::I32Const(value),
                Some(Val::I64(value)) => I::I64Const(value),
                Some(Val::F32(value)) => I::F32Const(wasm_encoder::Ieee32::new(value.to_bits())),
                Some(Val::F64(value)) => I::F64Const(wasm_encoder::Ieee64::new(value.to_bits())),
                _ => return Err(refused(format!("global {index} has no value of a plain type"))),
            };
            Ok((*index, crate::splice::instructions(&[instruction])))
        };
        sandbox.mutable.iter().map(value).collect()
    }
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

/// A host function.
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
            if caller.data().said.len() < MOST_LINES {
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
