//! wasmi: the module interpreted, each function translated when it is first called.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use sp_wasm_interface::{Function, HostFunctions, Value, ValueType};
use wasmi::{
    AsContextMut, Caller, CompilationMode, CustomFuelCosts, FuncType, Linker, Memory, Module, Store, StoreContextMut,
    TrapCode, TypedFunc, Val, ValType,
};

use super::{Answer, Request, limit::Limits};
use crate::{
    config::{Config, Features},
    context::{self, Context},
    error::{Cause, Error, Spec},
    guard,
    heap::{self, Guest, Heap},
    prepare,
    session::{Origin, Session},
    surface::{FREE, HeapBase, MALLOC, Surface, Valid},
};

type Alloc = TypedFunc<u32, u32>;

/// Frames of Wasm calls that may be active at one time. The stack itself is bounded by
/// [`Limits::stack_bytes`](crate::Limits::stack_bytes), which is what ends a recursion first.
const RECURSION: usize = 1 << 16;

/// Pages of heap that are enough for most single calls. See [`super::Engine::small_heap`].
const SMALL_HEAP: u32 = 64;

/// What is counted beside instructions. Translating a function costs nothing: it happens once, so that a first call would
/// need more fuel than the next one.
const FUEL: CustomFuelCosts =
    CustomFuelCosts { bytes_copied_per_fuel: 64, fuel_per_bytes_translated: 0, fuel_per_bytes_validated: 0 };

/// What a store carries.
pub(crate) struct Data {
    session: Session<Alloc>,
    memory: Option<Memory>,
    limits: Limits,
}

struct View<'a>(StoreContextMut<'a, Data>);

impl Guest for View<'_> {
    type Alloc = Alloc;

    fn split(&mut self) -> (&mut [u8], &mut Session<Alloc>) {
        match self.0.data().memory {
            Some(memory) => {
                let (bytes, data) = memory.data_and_store_mut(&mut self.0);
                (bytes, &mut data.session)
            }
            None => (&mut [], &mut self.0.data_mut().session),
        }
    }

    fn call_alloc(&mut self, alloc: &Alloc, size: u32) -> Result<u32, Cause> {
        alloc.call(&mut self.0, size).map_err(|error| match error.as_trap_code() {
            Some(TrapCode::OutOfFuel) => Cause::OutOfFuel,
            _ => Cause::AllocatorTrapped(error.to_string()),
        })
    }
}

/// A module that wasmi has parsed.
pub(crate) struct Interpreted {
    engine: wasmi::Engine,
    linker: Linker<Data>,
    wasm: Arc<[u8]>,
    config: Config,
    /// The module for each size of memory that a call begins with: it declares as much, and no maximum, which wasmi would
    /// enforce without asking the call's limits.
    modules: Mutex<HashMap<u64, Module>>,
    valid: Valid,
}

fn refused(reason: impl ToString) -> Error {
    Error::Engine { engine: crate::Engine::Wasmi, reason: reason.to_string() }
}

impl Interpreted {
    /// Validates the module and resolves its imports by the functions of `H`.
    pub(crate) fn load<H: HostFunctions>(wasm: Arc<[u8]>, surface: &Surface, config: &Config) -> Result<Self, Error> {
        let valid = crate::surface::validate(&wasm, config.features, &config.limits)?;
        let extended = config.features == Features::Extended;
        let mut engine = wasmi::Config::default();
        engine
            // The whole module has just been validated, so laziness decides nothing.
            .compilation_mode(CompilationMode::Lazy)
            .consume_fuel(config.limits.fuel.is_some())
            .operator_cost(wasmi::OperatorCost { select: guard::FUEL, ..Default::default() })
            .fuel_cost(FUEL)
            .ignore_custom_sections(true)
            .set_min_stack_height(config.limits.stack_bytes.min(1 << 14));
        engine
            .set_max_stack_height(config.limits.stack_bytes)
            .set_max_recursion_depth(RECURSION)
            .wasm_bulk_memory(extended)
            .wasm_sign_extension(extended)
            .wasm_saturating_float_to_int(extended)
            .wasm_multi_value(extended)
            .wasm_reference_types(false)
            .wasm_tail_call(false)
            .wasm_extended_const(false)
            .wasm_multi_memory(false);
        let engine = wasmi::Engine::new(&engine);
        let linker = link::<H>(&engine, surface)?;
        let loaded = Interpreted { engine, linker, wasm, config: config.clone(), modules: Mutex::default(), valid };
        // Whatever the engine refuses is refused now, not at the first call, and on the memory that a call tries first.
        let (_, first) = super::memory_pages(surface, SMALL_HEAP, config.limits.memory_pages)?;
        loaded.module(surface, first)?;
        Ok(loaded)
    }

    fn module(&self, surface: &Surface, pages: u64) -> Result<Module, Error> {
        let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = modules.get(&pages) {
            return Ok(module.clone());
        }
        let prepared = prepare::prepare(&self.wasm, surface, pages, prepare::For::Wasmi(&self.valid.selects))?;
        let module = Module::new(&self.engine, &prepared.wasm).map_err(refused)?;
        // Runtimes are called with one size of memory, two where imports double it.
        if modules.len() >= 4 {
            modules.clear();
        }
        modules.insert(pages, module.clone());
        Ok(module)
    }

    fn run(
        &self,
        store: &mut Store<Data>,
        surface: &Surface,
        module: &Module,
        request: &Request<'_>,
    ) -> Result<(u64, Option<u32>), Cause> {
        let unusable = |error: wasmi::Error| match error.as_trap_code() {
            Some(TrapCode::OutOfFuel) => Cause::OutOfFuel,
            _ => Cause::Instantiation(error.to_string()),
        };
        let broken = |what: &str| Cause::Instantiation(what.to_owned());
        let instance = self
            .linker
            .instantiate_and_start(&mut *store, module)
            .map_err(|error| store.data_mut().session.fault.take().unwrap_or_else(|| unusable(error)))?;
        let memory = instance.get_memory(&*store, "memory").ok_or_else(|| broken("it has no memory"))?;
        store.data_mut().memory = Some(memory);
        let mut heap_base = None;
        let heap = match surface.spec {
            Spec::Legacy => {
                let base = match surface.heap_base {
                    Some(HeapBase::Constant(base)) => base,
                    _ => instance
                        .get_global(&*store, "__heap_base")
                        .and_then(|global| global.get(&*store).i32())
                        .ok_or_else(|| broken("its `__heap_base` is not an i32"))? as u32,
                };
                heap_base = Some(base);
                heap::legacy(base)?
            }
            Spec::V1 => Heap::Guest(instance.get_typed_func(&*store, "alloc").map_err(unusable)?),
        };
        store.data_mut().session.heap = heap;
        let entry = instance.get_typed_func::<(u32, u32), u64>(&*store, request.entry).map_err(unusable)?;
        let (ptr, len) = super::write_input(&mut View(store.as_context_mut()), surface.spec, request.input)?;
        let packed = entry.call(&mut *store, (ptr, len)).map_err(|error| {
            match (store.data_mut().session.fault.take(), error.as_trap_code()) {
                (Some(fault), _) => fault,
                (None, Some(TrapCode::OutOfFuel)) => Cause::OutOfFuel,
                (None, Some(code)) => Cause::Trap(format!("wasm trap: {}", code)),
                (None, None) => Cause::HostFunction(error.to_string()),
            }
        })?;
        Ok((packed, heap_base))
    }
}

impl super::Engine for Interpreted {
    fn small_heap(&self) -> Option<u32> {
        (!self.valid.asks_memory_size).then_some(SMALL_HEAP)
    }

    fn call(&self, surface: &Surface, request: Request<'_>) -> Answer {
        if let Err(error) = super::check_entry(surface, request.entry) {
            return Answer::refused(error);
        }
        let pages = super::memory_pages(surface, request.heap_pages, self.config.limits.memory_pages);
        let (most, first) = match pages {
            Ok(pages) => pages,
            Err(error) => return Answer::refused(error),
        };
        let module = match self.module(surface, first) {
            Ok(module) => module,
            Err(error) => return Answer::refused(error),
        };
        let limits = Limits::new(most, self.config.limits.table_elements);
        let mut session = Session::new(self.config.limits.exchange());
        session.events = request.record_allocations.then(Vec::new);
        session.host_calls = request.count_host_calls.then(|| vec![0; surface.imports.len()]);
        let mut store = Store::new(&self.engine, Data { session, memory: None, limits });
        store.limiter(|data| &mut data.limits);
        if let Some(fuel) = self.config.limits.fuel {
            // Cannot fail: the engine was configured to count.
            let _ = store.set_fuel(fuel);
        }
        let result = self.run(&mut store, surface, &module, &request);
        let heap_base = result.as_ref().ok().and_then(|(_, base)| *base).or(match surface.heap_base {
            Some(HeapBase::Constant(base)) => Some(base),
            _ => None,
        });
        let refused_growth = store.data().limits.refused;
        let mut view = View(store.as_context_mut());
        let (memory, session) = view.split();
        session.finish(heap_base, memory.len() as u64);
        let names = || surface.imports.iter().map(|(_, name)| name.clone());
        if let Some(counts) = session.host_calls.take() {
            session.statistics.host_calls = names().zip(counts).filter(|(_, count)| *count > 0).collect();
        }
        let output = result.and_then(|(packed, _)| super::read_output(memory, packed));
        let output = output.map_err(|cause| {
            let host_function = session.failed_import.and_then(|index| names().nth(index));
            super::call_error(request.entry, cause, host_function, Vec::new(), refused_growth, session)
        });
        Answer {
            output,
            statistics: std::mem::take(&mut session.statistics),
            events: session.events.take().unwrap_or_default(),
            touched: None,
        }
    }
}

/// Ends a call with a cause that the error of the call will carry.
fn fail(caller: &mut Caller<'_, Data>, cause: Cause) -> wasmi::Error {
    let error = wasmi::Error::new(cause.to_string());
    caller.data_mut().session.fault.get_or_insert(cause);
    error
}

/// What answers an import.
enum Answerer {
    Malloc,
    Free,
    Log,
    Print,
    Io(&'static dyn Function),
    Unknown(String),
}

impl Answerer {
    fn signature(&self) -> Option<(Vec<ValType>, Option<ValType>)> {
        use ValType::{I32, I64};
        Some(match self {
            Answerer::Malloc => (vec![I32], Some(I32)),
            Answerer::Free => (vec![I32], None),
            Answerer::Log => (vec![I32, I64, I64], None),
            Answerer::Print => (vec![I64], None),
            Answerer::Io(function) => {
                let signature = function.signature();
                (signature.args.iter().map(value_type).collect(), signature.return_value.as_ref().map(value_type))
            }
            Answerer::Unknown(_) => return None,
        })
    }

    fn call(&self, caller: &mut Caller<'_, Data>, params: &[Val], results: &mut [Val]) -> Result<(), wasmi::Error> {
        let i32 = |at: usize| params.get(at).and_then(Val::i32).unwrap_or_default() as u32;
        let i64 = |at: usize| params.get(at).and_then(Val::i64).unwrap_or_default() as u64;
        let mut view = View(caller.as_context_mut());
        match self {
            Answerer::Malloc => match heap::allocate(&mut view, i32(0), Origin::Runtime) {
                Ok(address) => {
                    results[0] = Val::I32(address as i32);
                    Ok(())
                }
                Err(cause) => Err(fail(caller, cause)),
            },
            Answerer::Free => heap::free(&mut view, i32(0)).map_err(|cause| fail(caller, cause)),
            Answerer::Log => super::host_log(&mut view, i32(0), i64(1), i64(2)).map_err(|cause| fail(caller, cause)),
            Answerer::Print => super::host_print(&mut view, i64(0)).map_err(|cause| fail(caller, cause)),
            Answerer::Unknown(name) => Err(fail(caller, Cause::UnknownImport(name.clone()))),
            Answerer::Io(function) => {
                let mut context = Context(view);
                let mut args = params.iter().map(|param| match param {
                    Val::I32(value) => Value::I32(*value),
                    Val::I64(value) => Value::I64(*value),
                    Val::F32(value) => Value::F32(value.to_bits()),
                    Val::F64(value) => Value::F64(value.to_bits()),
                    // No host function has parameters of other types, and types were checked when linking.
                    _ => Value::I32(0),
                });
                let answer = if super::ROOTS.contains(&function.name()) {
                    context::root(*function, &mut context, &mut args)
                } else {
                    function.execute(&mut context, &mut args)
                };
                match (answer.map_err(wasmi::Error::new)?, results.first_mut()) {
                    (Some(value), Some(result)) => {
                        *result = match value {
                            Value::I32(value) => Val::I32(value),
                            Value::I64(value) => Val::I64(value),
                            Value::F32(bits) => Val::F32(wasmi::F32::from_bits(bits)),
                            Value::F64(bits) => Val::F64(wasmi::F64::from_bits(bits)),
                        };
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
        }
    }
}

fn value_type(ty: &ValueType) -> ValType {
    match ty {
        ValueType::I32 => ValType::I32,
        ValueType::I64 => ValType::I64,
        ValueType::F32 => ValType::F32,
        ValueType::F64 => ValType::F64,
    }
}

fn link<H: HostFunctions>(engine: &wasmi::Engine, surface: &Surface) -> Result<Linker<Data>, Error> {
    let mut linker = Linker::new(engine);
    let known: HashMap<_, _> = H::host_functions().into_iter().map(|function| (function.name(), function)).collect();
    for (index, (module, name)) in surface.imports.iter().enumerate() {
        let answerer = match (module.as_str(), name.as_str()) {
            ("env", MALLOC) => Answerer::Malloc,
            ("env", FREE) => Answerer::Free,
            ("env", "ext_logging_log_version_1") => Answerer::Log,
            ("env", "ext_misc_print_utf8_version_1") => Answerer::Print,
            ("env", name) if known.contains_key(name) => Answerer::Io(known[name]),
            _ => Answerer::Unknown(format!("{module}.{name}")),
        };
        let ty = match answerer.signature() {
            Some((params, results)) => FuncType::new(params, results),
            None => surface
                .import_types
                .get(index)
                .and_then(|ty| {
                    let types = |types: &[wasmparser::ValType]| types.iter().map(wasm_type).collect::<Option<Vec<_>>>();
                    Some(FuncType::new(types(ty.params())?, types(ty.results())?))
                })
                .ok_or_else(|| refused(format!("`{module}.{name}` has a type that cannot be imported")))?,
        };
        let call = move |mut caller: Caller<'_, Data>, params: &[Val], results: &mut [Val]| {
            if let Some(count) = caller.data_mut().session.host_calls.as_mut().and_then(|calls| calls.get_mut(index)) {
                *count += 1;
            }
            // wasmi cannot unwind: whatever panics here would abort the process.
            let result = catch_unwind(AssertUnwindSafe(|| answerer.call(&mut caller, params, results)));
            let result = result.unwrap_or_else(|panic| Err(wasmi::Error::new(super::panicked(panic.as_ref()))));
            if result.is_err() {
                caller.data_mut().session.failed_import.get_or_insert(index);
            }
            result
        };
        // An import that is declared twice is defined already.
        let _ = linker.func_new(module, name, ty, call);
    }
    Ok(linker)
}

fn wasm_type(ty: &wasmparser::ValType) -> Option<ValType> {
    Some(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 | wasmparser::ValType::Ref(_) => return None,
    })
}
