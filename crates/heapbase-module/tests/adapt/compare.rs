//! Random modules, before and after an adaptation. Shared by the test `adapt` and the fuzz target of that name.

use arbitrary::{Arbitrary, Result, Unstructured};
use heapbase_module::{
    Spec,
    adapt::{AdaptError, Adaptation, Entry, Init, MemoryLink, Options, adapt},
};
use wasm_smith::Config;
use wasmi_stack::core::TrapCode;
use wasmi_stack::{
    Engine, Error, ExternType, Instance, Linker, Memory, MemoryType, Module, Store, StoreLimits, StoreLimitsBuilder,
};
use wasmparser::{Validator, WasmFeatures};

/// How many calls were compared, and how they ended.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) values: usize,
    pub(crate) traps: usize,
}

/// What random modules may import: some of WASI, some host functions, and the memory.
const IMPORTS: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func (param i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "env" "abort" (func (param i32 i32 i32 i32)))
  (import "env" "ext_storage_root_version_1" (func (result i64)))
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))
  (import "env" "memory" (memory 0 65536)))"#;

/// What they export.
const EXPORTS: &str = r#"(module
  (func (export "_initialize") unreachable)
  (func (export "f") (param i32 i32) (result i64) unreachable))"#;

fn config(u: &mut Unstructured<'_>, imports: bool) -> Result<Config> {
    let mut config = Config::arbitrary(u)?;
    config.exports = Some(wat::parse_str(EXPORTS).expect("text"));
    config.available_imports = imports.then(|| wat::parse_str(IMPORTS).expect("text"));
    config.max_imports = if imports { 9 } else { 0 };
    config.min_imports = 0;
    config.max_memories = 1;
    config.max_tables = 1;
    config.gc_enabled = false;
    config.simd_enabled = false;
    config.relaxed_simd_enabled = false;
    config.threads_enabled = false;
    config.shared_everything_threads_enabled = false;
    config.exceptions_enabled = false;
    config.tail_call_enabled = false;
    config.memory64_enabled = false;
    config.reference_types_enabled = false;
    config.custom_page_sizes_enabled = false;
    config.wide_arithmetic_enabled = false;
    config.max_memory32_bytes = 4 << 20;
    config.memory_offset_choices = wasm_smith::MemoryOffsetChoices(90, 9, 1);
    Ok(config)
}

/// Any options.
fn options(u: &mut Unstructured<'_>) -> Result<Options<'static>> {
    let mut options = Options::new(if u.arbitrary()? { Spec::V1 } else { Spec::Local });
    options.init = if u.arbitrary()? { Init::Lazy } else { Init::Snapshot };
    options.memory = if u.arbitrary()? { MemoryLink::Exported } else { MemoryLink::Imported };
    options.canonical = u.arbitrary()?;
    options.arena = ARENA * 65536;
    options.steps = 100_000;
    Ok(options)
}

/// Names that mean something to hosts, and some that do not.
const NAMES: [&str; 9] =
    ["v1", "alloc", "dealloc", "realloc", "memory", "__heap_base", "__data_end", "__indirect_function_table", "g"];

/// Options that say more than how: names, and what may stay.
fn more_options(options: &mut Options<'_>, u: &mut Unstructured<'_>) -> Result<()> {
    if u.ratio(1, 4)? {
        options.entries.push(Entry::renamed(*u.choose(&NAMES)?, "f"));
    }
    if u.ratio(1, 8)? {
        options.keep.push(if u.arbitrary()? { "_initialize".to_owned() } else { "f".to_owned() });
    }
    options.features.bulk_memory = u.ratio(1, 4)?;
    options.features.sign_extension = u.ratio(1, 4)?;
    if u.ratio(1, 8)? {
        options.environment.push(("NAME".to_owned(), u.arbitrary()?));
    }
    Ok(())
}

/// What holds for every result.
pub(crate) fn expect_runtime(adaptation: &Adaptation) {
    expect_runtime_with(adaptation, WasmFeatures::MVP);
}

fn expect_runtime_with(adaptation: &Adaptation, features: WasmFeatures) {
    let valid = Validator::new_with_features(features).validate_all(&adaptation.wasm);
    valid.map(drop).unwrap_or_else(|error| panic!("{error}"));
    let report = heapbase_module::inspect(&adaptation.wasm).expect("readable");
    assert!(report.conforms, "{:?}", report.problems);
    assert_eq!(report.spec, adaptation.to);
    assert!(report.features.is_empty() || features != WasmFeatures::MVP, "{:?}", report.features);
    for import in &report.imports {
        let known = import.name == "memory" || import.name.starts_with("ext_");
        assert!(import.module == "env" && known, "{import:?}");
    }
    assert!(report.heap_base.is_some());
}

/// A module with imports is adapted to a runtime, or it is said why not.
pub(crate) fn becomes_a_runtime(u: &mut Unstructured<'_>) -> Result<()> {
    let config = config(u, true)?;
    let mut module = wasm_smith::Module::new(config, u)?.to_bytes();
    let mut options = options(u)?;
    more_options(&mut options, u)?;
    if u.ratio(1, 4)? {
        for _ in 0..u.int_in_range(1..=8)? {
            let place = u.choose_index(module.len())?;
            module[place] = u.arbitrary()?;
        }
    }
    match adapt(&module, &options) {
        Ok(adaptation) => {
            expect_runtime_with(&adaptation, options.features.features());
            heapbase_module::verify::verify(&module, &adaptation.wasm, None).expect("verified");
        }
        Err(AdaptError::Result { message, offset }) => panic!("{message} at {offset:#x}"),
        Err(_) => {}
    }
    Ok(())
}

/// Arena of the compared modules, in pages.
const ARENA: u32 = 4;

/// The engine that both run on: wasmi 2.0.0 gets some choices by comparisons wrong.
fn engine() -> Engine {
    let mut config = wasmi_stack::Config::default();
    config.consume_fuel(true).wasm_extended_const(true);
    Engine::new(&config)
}

/// A module, with a bound on steps and on its memory.
fn start(engine: &Engine, wasm: &[u8], pages: u32) -> Option<(Store<StoreLimits>, Instance)> {
    let module = Module::new(engine, wasm).unwrap();
    let limits = StoreLimitsBuilder::new().memory_size(pages as usize * 65536).build();
    let mut store = Store::new(engine, limits);
    store.limiter(|limits| limits);
    store.add_fuel(200_000).unwrap();
    let mut linker = Linker::new(engine);
    for import in module.imports() {
        let ExternType::Memory(ty) = import.ty() else {
            // Whoever finds no memory says so before the trap. There is nothing else that it may call.
            assert_eq!(import.name(), "ext_panic_handler_abort_on_panic_version_1");
            linker.func_wrap(import.module(), import.name(), |_: i64| {}).unwrap();
            continue;
        };
        let ty = MemoryType::new(ty.initial_pages().into(), None).unwrap();
        let memory = Memory::new(&mut store, ty).ok()?;
        linker.define(import.module(), import.name(), memory).unwrap();
    }
    let instance = linker.instantiate(&mut store, &module).ok()?.start(&mut store).ok()?;
    Some((store, instance))
}

/// The result of a call; `Err` for a trap, `None` where the two need not agree.
fn outcome(store: &mut Store<StoreLimits>, instance: &Instance, name: &str) -> Option<Result<i64, String>> {
    let result = if name == "f" {
        instance.get_typed_func::<(i32, i32), i64>(&*store, name).unwrap().call(&mut *store, (8, 0))
    } else {
        instance.get_typed_func::<(), ()>(&*store, name).unwrap().call(&mut *store, ()).map(|()| 0)
    };
    match result.map_err(Error::from) {
        Ok(value) => Some(Ok(value)),
        Err(Error::Trap(trap)) => match trap.trap_code() {
            // Memory that belongs to the host is there for whoever reaches beyond his own.
            Some(TrapCode::MemoryOutOfBounds | TrapCode::OutOfFuel | TrapCode::StackOverflow) | None => None,
            Some(code) => Some(Err(format!("{code:?}"))),
        },
        Err(_) => None,
    }
}

/// A module without imports does what its adaptation does, call after call.
pub(crate) fn does_the_same(u: &mut Unstructured<'_>, tally: &mut Tally) -> Result<()> {
    let mut config = config(u, false)?;
    config.min_memories = 1;
    let module = wasm_smith::Module::new(config, u)?.to_bytes();
    let options = options(u)?;
    let Ok(adaptation) = adapt(&module, &options) else { return Ok(()) };
    let memory = heapbase_module::inspect(&module).expect("readable").memory;
    let pages = memory.map_or(0, |memory| memory.min) as u32;
    let engine = engine();
    let Some((mut store, instance)) = start(&engine, &module, pages + ARENA) else { return Ok(()) };
    let Some((mut new_store, new_instance)) = start(&engine, &adaptation.wasm, 65536) else { return Ok(()) };
    if outcome(&mut store, &instance, "_initialize") != Some(Ok(0)) {
        return Ok(());
    }
    for _ in 0..3 {
        let Some(before) = outcome(&mut store, &instance, "f") else { break };
        let Some(after) = outcome(&mut new_store, &new_instance, "f") else { break };
        assert_eq!(before, after, "{}", kept(&module));
        match before {
            Ok(_) => tally.values += 1,
            Err(_) => tally.traps += 1,
        }
    }
    Ok(())
}

/// Where the module is that shows a difference.
fn kept(module: &[u8]) -> String {
    let path = std::env::temp_dir().join("heapbase-adapt-differs.wasm");
    match std::fs::write(&path, module) {
        Ok(()) => format!("the module is in {}", path.display()),
        Err(error) => format!("the module could not be kept: {error}"),
    }
}
