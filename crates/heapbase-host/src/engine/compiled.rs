//! wasmtime: the module as machine code.

use std::{
    collections::{HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use sp_wasm_interface::{
    FunctionContext, HostFunctionRegistry, HostFunctions, Value,
    wasmtime::{
        self, AsContextMut, Caller, Config as WasmtimeConfig, Extern, Func, Instance, InstanceAllocationStrategy,
        InstancePre, Linker, Memory, Module, ModuleExport, OptLevel, Store, Trap, TypedFunc, Val, WasmBacktrace,
    },
};

use super::{Answer, Request, cache, limit::Limits, slot};
use crate::{
    config::{Config, Features},
    context::{self, Context},
    error::{Cause, Error, Frame, Spec},
    heap::{self, Guest, Heap},
    prepare::{self, Image},
    session::{Origin, Session},
    surface::{FREE, HeapBase, MALLOC, Surface},
};

/// The handle of an exported `alloc`; cheap to clone while the store is borrowed.
type Alloc = Arc<TypedFunc<u32, u32>>;

/// What a store carries.
pub(crate) struct Data {
    session: Session<Alloc>,
    memory: Option<Memory>,
    limits: Limits,
    /// What the engine said of an `alloc` that trapped.
    alloc_error: Option<wasmtime::Error>,
}

/// A store or a caller: what gives access to a call's data.
trait Holder: AsContextMut<Data = Data> {
    fn data_mut(&mut self) -> &mut Data;
}

impl Holder for Caller<'_, Data> {
    fn data_mut(&mut self) -> &mut Data {
        Caller::data_mut(self)
    }
}

impl Holder for &mut Caller<'_, Data> {
    fn data_mut(&mut self) -> &mut Data {
        Caller::data_mut(self)
    }
}

impl Holder for &mut Store<Data> {
    fn data_mut(&mut self) -> &mut Data {
        Store::data_mut(self)
    }
}

/// A store or a caller, seen as a guest.
struct View<C>(C);

impl<C: Holder> Guest for View<C> {
    type Alloc = Alloc;

    fn split(&mut self) -> (&mut [u8], &mut Session<Alloc>) {
        match self.0.data_mut().memory {
            Some(memory) => {
                let (bytes, data) = memory.data_and_store_mut(&mut self.0);
                (bytes, &mut data.session)
            }
            // Before the instance is complete there is nothing to read: a start function that hands a buffer to a host
            // function gets an error.
            None => (&mut [], &mut self.0.data_mut().session),
        }
    }

    fn call_alloc(&mut self, alloc: &Alloc, size: u32) -> Result<u32, Cause> {
        alloc.call(&mut self.0, size).map_err(|error| {
            let cause = match error.downcast_ref() {
                Some(Trap::OutOfFuel) => Cause::OutOfFuel,
                _ => Cause::AllocatorTrapped(error.root_cause().to_string()),
            };
            self.0.data_mut().alloc_error = Some(error);
            cause
        })
    }
}

/// Why a call failed, and what the engine said of it.
type Failed = (Cause, Option<wasmtime::Error>);

/// A compiled module with its imports resolved.
pub(crate) struct Compiled {
    engine: wasmtime::Engine,
    linker: Linker<Data>,
    pre: InstancePre<Data>,
    pool: Arc<slot::Pool>,
    config: Config,
    wasm: Arc<[u8]>,
    code_shift: i64,
    memory: ModuleExport,
    alloc: Option<ModuleExport>,
    heap_base: Option<ModuleExport>,
    entries: HashMap<String, ModuleExport>,
}

fn engine_config(config: &Config) -> WasmtimeConfig {
    let mut engine = WasmtimeConfig::new();
    let extended = config.features == Features::Extended;
    engine
        .cranelift_opt_level(OptLevel::Speed)
        .max_wasm_stack(config.limits.stack_bytes)
        .allocation_strategy(InstanceAllocationStrategy::OnDemand)
        .with_host_memory(Arc::new(slot::Creator))
        .memory_init_cow(false)
        .memory_may_move(false)
        .consume_fuel(config.limits.fuel.is_some())
        .wasm_bulk_memory(extended)
        .wasm_multi_value(extended)
        .wasm_simd(false)
        .wasm_relaxed_simd(false)
        .wasm_multi_memory(false)
        .wasm_memory64(false)
        .wasm_tail_call(false)
        .wasm_extended_const(false);
    engine
}

fn refused(error: &wasmtime::Error) -> Error {
    Error::Engine { engine: crate::Engine::Wasmtime, reason: format!("{error:#}") }
}

impl Compiled {
    /// Takes the module from the cache, or else compiles it where `may_compile` says so; `None` where it does not. `H`
    /// answers its imports. Also says whether the code came from the cache.
    pub(crate) fn load<H: HostFunctions>(
        wasm: Arc<[u8]>,
        module_hash: impl FnOnce() -> [u8; 32],
        surface: &Surface,
        config: &Config,
        may_compile: bool,
    ) -> Result<Option<(Self, bool)>, Error> {
        let engine = wasmtime::Engine::new(&engine_config(config)).map_err(|error| refused(&error))?;
        let path = config.cache.folder().map(|folder| cache::file(&folder, &module_hash(), &engine, config));
        let cached = path.as_deref().and_then(cache::open).and_then(|entry| {
            // SAFETY: the file is what `store` wrote, by its checksum, and neither it nor its folder can have been written by
            // anybody but this user, who could make this process execute anything anyway. It was opened before that was
            // checked, and writers replace files by renaming and never change them. Code for another engine or version
            // is refused by the engine itself.
            let module = unsafe { Module::deserialize_open_file(&engine, entry.file) };
            module
                .inspect_err(|error| log::info!("cached code does not load and is compiled again: {error:#}"))
                .ok()
                .map(|module| (module, entry.code_shift))
        });
        let from_cache = cached.is_some();
        let (module, code_shift) = match cached {
            Some(found) => found,
            None if !may_compile => return Ok(None),
            None => {
                crate::surface::validate(&wasm, config.features, &config.limits)?;
                let prepared = prepare::prepare(&wasm, surface, surface.memory_min, prepare::For::Wasmtime)?;
                let module = Module::new(&engine, &prepared.wasm).map_err(|error| refused(&error))?;
                if let Some(path) = &path {
                    let stored = module.serialize().map_err(std::io::Error::other);
                    if let Err(error) = stored.and_then(|code| cache::store(path, &code, prepared.code_shift)) {
                        log::warn!("the compiled code cannot be kept in {}: {error}", path.display());
                    }
                }
                (module, prepared.code_shift)
            }
        };
        let linker = link::<H>(&engine, &module)?;
        let pre = linker.instantiate_pre(&module).map_err(|error| refused(&error))?;
        let image = Image::new(&wasm, surface);
        let pool = slot::Pool::new(image.as_ref(), config.keep_resident)
            .map_err(|error| Error::Engine { engine: crate::Engine::Wasmtime, reason: error.to_string() })?;
        let export = |name: &str| module.get_export_index(name);
        let memory = export("memory").ok_or(Error::Memory { found: "does not export its memory" })?;
        Ok(Some((
            Compiled {
                memory,
                alloc: export("alloc"),
                heap_base: export("__heap_base"),
                entries: surface
                    .functions
                    .iter()
                    .filter(|(_, ty)| *ty == crate::surface::ENTRY)
                    .filter_map(|(name, _)| Some((name.clone(), export(name)?)))
                    .collect(),
                engine,
                linker,
                pre,
                pool,
                config: config.clone(),
                wasm,
                code_shift,
            },
            from_cache,
        )))
    }

    /// Instantiates and calls.
    fn run(
        &self,
        store: &mut Store<Data>,
        surface: &Surface,
        request: &Request<'_>,
        heap_pages: u32,
    ) -> Result<(u64, Option<u32>), Failed> {
        let plain = |cause: Cause| (cause, None);
        let broken = |what: &str| (Cause::Instantiation(what.to_owned()), None);
        let unusable = |error: wasmtime::Error| (Cause::Instantiation(error.to_string()), Some(error));
        let instance =
            if request.count_host_calls { self.counting_instance(store) } else { self.pre.instantiate(&mut *store) }
                .map_err(|error| {
                    let cause = match (store.data_mut().session.fault.take(), error.downcast_ref()) {
                        (Some(fault), _) => fault,
                        (None, Some(Trap::OutOfFuel)) => Cause::OutOfFuel,
                        _ => Cause::Instantiation(error.root_cause().to_string()),
                    };
                    (cause, Some(error))
                })?;
        let memory = instance
            .get_module_export(&mut *store, &self.memory)
            .and_then(Extern::into_memory)
            .ok_or_else(|| broken("it has no memory"))?;
        store.data_mut().memory = Some(memory);
        let mut heap_base = None;
        let heap = match surface.spec {
            Spec::Legacy => {
                if heap_pages > 0 {
                    memory.grow(&mut *store, heap_pages.into()).map_err(unusable)?;
                }
                let base = match surface.heap_base {
                    Some(HeapBase::Constant(base)) => base,
                    _ => self
                        .heap_base
                        .as_ref()
                        .and_then(|export| instance.get_module_export(&mut *store, export))
                        .and_then(Extern::into_global)
                        .and_then(|global| global.get(&mut *store).i32())
                        .ok_or_else(|| broken("its `__heap_base` is not an i32"))? as u32,
                };
                heap_base = Some(base);
                heap::legacy(base).map_err(plain)?
            }
            Spec::V1 => {
                let alloc = self
                    .alloc
                    .as_ref()
                    .and_then(|export| instance.get_module_export(&mut *store, export))
                    .and_then(Extern::into_func)
                    .ok_or_else(|| broken("it has no `alloc`"))?;
                Heap::Guest(Arc::new(alloc.typed::<u32, u32>(&mut *store).map_err(unusable)?))
            }
        };
        store.data_mut().session.heap = heap;
        let entry = self
            .entries
            .get(request.entry)
            .and_then(|export| instance.get_module_export(&mut *store, export))
            .and_then(Extern::into_func)
            .ok_or_else(|| broken("it has no such entry point"))?
            .typed::<(u32, u32), u64>(&mut *store)
            .map_err(unusable)?;

        let (ptr, len) = super::write_input(&mut View(&mut *store), surface.spec, request.input)
            .map_err(|cause| (cause, store.data_mut().alloc_error.take()))?;
        let packed = entry.call(&mut *store, (ptr, len)).map_err(|error| {
            let cause = match (store.data_mut().session.fault.take(), error.downcast_ref::<Trap>()) {
                (Some(fault), _) => fault,
                (None, Some(Trap::OutOfFuel)) => Cause::OutOfFuel,
                (None, Some(trap)) => Cause::Trap(trap.to_string()),
                (None, None) => Cause::HostFunction(error.root_cause().to_string()),
            };
            (cause, Some(error))
        })?;
        Ok((packed, heap_base))
    }

    /// An instance whose every host function counts its calls and notes that it failed.
    fn counting_instance(&self, store: &mut Store<Data>) -> wasmtime::Result<Instance> {
        let module = self.pre.module();
        store.data_mut().session.host_calls = Some(vec![0; module.imports().len()]);
        let mut externs = Vec::new();
        for (index, import) in module.imports().enumerate() {
            let found = self.linker.get(&mut *store, import.module(), import.name());
            let Some(Extern::Func(inner)) = found else {
                let name = format!("`{}.{}` is not linked", import.module(), import.name());
                return Err(wasmtime::Error::msg(name));
            };
            let ty = inner.ty(&mut *store);
            let counting =
                Func::new(&mut *store, ty, move |mut caller: Caller<'_, Data>, params, results: &mut [Val]| {
                    if let Some(count) =
                        caller.data_mut().session.host_calls.as_mut().and_then(|calls| calls.get_mut(index))
                    {
                        *count += 1;
                    }
                    let result = inner.call(&mut caller, params, results);
                    if result.is_err() {
                        caller.data_mut().session.failed_import.get_or_insert(index);
                    }
                    result
                });
            externs.push(counting.into());
        }
        Instance::new(store, module, &externs)
    }

    /// The frames of a trap, and the host function that was being executed: the one that the innermost frame calls.
    fn trace(&self, surface: &Surface, cause: &Cause, error: Option<&wasmtime::Error>) -> (Vec<Frame>, Option<String>) {
        let Some(trace) = error.and_then(|error| error.downcast_ref::<WasmBacktrace>()) else {
            return (Vec::new(), None);
        };
        let original = |offset: usize| usize::try_from(offset as i64 + self.code_shift).ok();
        let frames: Vec<_> = trace
            .frames()
            .iter()
            .map(|frame| Frame {
                function: frame.func_index(),
                name: frame.func_name().map(|name| format!("{:#}", rustc_demangle::demangle(name))),
                offset: frame.module_offset().and_then(original),
            })
            .collect();
        let in_host = !matches!(cause, Cause::Trap(_) | Cause::OutOfFuel);
        let host_function = frames
            .first()
            .filter(|_| in_host)
            .and_then(|frame| called_import(&self.wasm, frame.offset?))
            .and_then(|index| surface.imports.get(index as usize))
            .map(|(_, name)| name.clone());
        (frames, host_function)
    }
}

/// The function that the `call` instruction at `offset` calls.
fn called_import(wasm: &[u8], offset: usize) -> Option<u32> {
    let mut reader = wasmparser::BinaryReader::new(wasm.get(offset..)?, offset as u64 as _);
    const CALL: u8 = 0x10;
    (reader.read_u8().ok()? == CALL).then(|| reader.read_var_u32().ok())?
}

impl super::Engine for Compiled {
    fn call(&self, surface: &Surface, request: Request<'_>) -> Answer {
        if let Err(error) = super::check_entry(surface, request.entry) {
            return Answer::refused(error);
        }
        let (most, first) = match super::memory_pages(surface, request.heap_pages, self.config.limits.memory_pages) {
            Ok(pages) => pages,
            Err(error) => return Answer::refused(error),
        };
        let bytes = |pages: u64| (pages * crate::WASM_PAGE) as usize;
        // A start function runs before the heap is there, on the memory that the module declares.
        let lease = self.pool.lease(bytes(if surface.start { surface.memory_min } else { first }));
        let limits = Limits::new(most, self.config.limits.table_elements);
        let mut session = Session::new(self.config.limits.exchange());
        session.events = request.record_allocations.then(Vec::new);
        let mut store = Store::new(&self.engine, Data { session, memory: None, limits, alloc_error: None });
        store.limiter(|data| &mut data.limits);
        if let Some(fuel) = self.config.limits.fuel {
            // Cannot fail: the engine was configured to count.
            let _ = store.set_fuel(fuel);
        }

        let result = self.run(&mut store, surface, &request, (first - surface.memory_min) as u32);
        let heap_base = result.as_ref().ok().and_then(|(_, base)| *base).or(match surface.heap_base {
            Some(HeapBase::Constant(base)) => Some(base),
            _ => None,
        });
        let refused_growth = store.data().limits.refused;
        let mut view = View(&mut store);
        let (memory, session) = view.split();
        let used = session.finish(heap_base, memory.len() as u64);
        lease.used_up_to(usize::try_from(used).unwrap_or(usize::MAX));
        let output = match result {
            Ok((packed, _)) => super::read_output(memory, packed).map_err(|cause| (cause, None)),
            Err(failed) => Err(failed),
        };
        let names = || surface.imports.iter().map(|(_, name)| name.clone());
        if let Some(counts) = session.host_calls.take() {
            session.statistics.host_calls = names().zip(counts).filter(|(_, count)| *count > 0).collect();
        }
        let output = output.map_err(|(cause, error)| {
            let (frames, host_function) = self.trace(surface, &cause, error.as_ref());
            let host_function = host_function.or_else(|| names().nth(session.failed_import?));
            super::call_error(request.entry, cause, host_function, frames, refused_growth, session)
        });
        let statistics = std::mem::take(&mut session.statistics);
        let events = session.events.take().unwrap_or_default();
        // What was written is counted when the memory is cleaned.
        drop(store);
        Answer { output, statistics, events, touched: lease.touched() }
    }
}

/// Registers the host functions that a module imports, and no others.
struct Registry<'a> {
    linker: &'a mut Linker<Data>,
    wanted: HashSet<String>,
}

impl<'a> HostFunctionRegistry for Registry<'a> {
    type State = Data;
    type Error = wasmtime::Error;
    type FunctionContext = Context<View<Caller<'a, Data>>>;

    fn with_function_context<R>(caller: Caller<'_, Data>, callback: impl FnOnce(&mut dyn FunctionContext) -> R) -> R {
        callback(&mut Context(View(caller)))
    }

    fn register_static<Params, Results>(
        &mut self,
        name: &str,
        func: impl wasmtime::IntoFunc<Data, Params, Results> + 'static,
    ) -> Result<(), wasmtime::Error> {
        if self.wanted.remove(name) {
            self.linker.func_wrap("env", name, func)?;
        }
        Ok(())
    }
}

/// Calls a host function that computes a root, on a deep stack.
fn root(
    function: &'static dyn sp_wasm_interface::Function,
    context: &mut dyn FunctionContext,
    params: &[Val],
    results: &mut [Val],
) -> wasmtime::Result<()> {
    let mut params = params.iter().map(|param| match param {
        Val::I64(value) => Value::I64(*value),
        // Roots take numbers of 32 and 64 bits only; their signatures were checked when the module was loaded.
        other => Value::I32(other.i32().unwrap_or_default()),
    });
    let answer = catch_unwind(AssertUnwindSafe(|| context::root(function, context, &mut params)));
    let answer = answer.unwrap_or_else(|panic| Err(super::panicked(panic.as_ref())));
    match (answer.map_err(wasmtime::Error::msg)?, results.first_mut()) {
        (Some(Value::I64(value)), Some(result)) => *result = Val::I64(value),
        (Some(Value::I32(value)), Some(result)) => *result = Val::I32(value),
        _ => {}
    }
    Ok(())
}

/// Ends a call with a cause that the error of the call will carry.
fn fail<T>(caller: &mut Caller<'_, Data>, cause: Cause) -> wasmtime::Result<T> {
    let error = wasmtime::Error::msg(cause.to_string());
    caller.data_mut().session.fault.get_or_insert(cause);
    Err(error)
}

fn link<H: HostFunctions>(engine: &wasmtime::Engine, module: &Module) -> Result<Linker<Data>, Error> {
    let mut linker = Linker::new(engine);
    let mut wanted: HashSet<String> = module
        .imports()
        .filter(|import| import.module() == "env" && import.ty().func().is_some())
        .map(|import| import.name().to_owned())
        .collect();
    let link = |error: wasmtime::Error| refused(&error);

    // What touches the heap or the call's log comes before the functions of `sp-io` with the same names.
    if wanted.remove(MALLOC) {
        linker
            .func_wrap("env", MALLOC, |mut caller: Caller<'_, Data>, size: u32| {
                heap::allocate(&mut View(&mut caller), size, Origin::Runtime).or_else(|cause| fail(&mut caller, cause))
            })
            .map_err(link)?;
    }
    if wanted.remove(FREE) {
        linker
            .func_wrap("env", FREE, |mut caller: Caller<'_, Data>, address: u32| {
                heap::free(&mut View(&mut caller), address).or_else(|cause| fail(&mut caller, cause))
            })
            .map_err(link)?;
    }
    if wanted.remove("ext_logging_log_version_1") {
        let log = |mut caller: Caller<'_, Data>, level: u32, target: u64, message: u64| {
            super::host_log(&mut View(&mut caller), level, target, message).or_else(|cause| fail(&mut caller, cause))
        };
        linker.func_wrap("env", "ext_logging_log_version_1", log).map_err(link)?;
    }
    if wanted.remove("ext_misc_print_utf8_version_1") {
        let print = |mut caller: Caller<'_, Data>, message: u64| {
            super::host_print(&mut View(&mut caller), message).or_else(|cause| fail(&mut caller, cause))
        };
        linker.func_wrap("env", "ext_misc_print_utf8_version_1", print).map_err(link)?;
    }
    // Roots are asked for once or twice a block: what their dynamic form takes longer does not count.
    for function in H::host_functions() {
        if super::ROOTS.contains(&function.name()) && wanted.remove(function.name()) {
            let ty = module.imports().find(|import| import.module() == "env" && import.name() == function.name());
            let Some(ty) = ty.and_then(|import| import.ty().func().cloned()) else { continue };
            let call = move |caller: Caller<'_, Data>, params: &[Val], results: &mut [Val]| {
                root(function, &mut Context(View(caller)), params, results)
            };
            linker.func_new("env", function.name(), ty, call).map_err(link)?;
        }
    }
    let mut registry = Registry { linker: &mut linker, wanted };
    H::register_static(&mut registry).map_err(link)?;
    let unknown = registry.wanted;

    for import in module.imports() {
        let Some(ty) = import.ty().func().cloned() else {
            continue;
        };
        if import.module() == "env" && !unknown.contains(import.name()) {
            continue;
        }
        let name = format!("{}.{}", import.module(), import.name());
        let trap = move |mut caller: Caller<'_, Data>, _: &[Val], _: &mut [Val]| {
            fail(&mut caller, Cause::UnknownImport(name.clone()))
        };
        // An import that is declared twice is defined already.
        let _ = linker.func_new(import.module(), import.name(), ty, trap);
    }
    Ok(linker)
}
