//! Modules that wasm-smith builds, and bytes that are none: no panic, and the same behaviour before and after.

use super::{expect_runtime, local, v1};
use arbitrary::{Arbitrary, Unstructured};
use heapbase_module::adapt::{AdaptError, Init, Options, adapt};
use proptest::prelude::{ProptestConfig, any, proptest};
use wasm_smith::Config;
use wasmi_stack::core::TrapCode;
use wasmi_stack::{
    Engine, Error, ExternType, Instance, Linker, Memory, MemoryType, Module, Store, StoreLimits, StoreLimitsBuilder,
};

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

fn config(bytes: &mut Unstructured<'_>, imports: bool) -> Option<Config> {
    let mut config = Config::arbitrary(bytes).ok()?;
    config.exports = Some(wat::parse_str(EXPORTS).unwrap());
    config.available_imports = imports.then(|| wat::parse_str(IMPORTS).unwrap());
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
    Some(config)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = adapt(&bytes, &local());
        let module = [&b"\0asm\x01\0\0\0"[..], &bytes].concat();
        let _ = adapt(&module, &v1());
    }

    #[test]
    fn any_valid_module(seed in proptest::collection::vec(any::<u8>(), 512..4096), to_v1: bool, lazy: bool) {
        let mut bytes = Unstructured::new(&seed);
        let Some(config) = config(&mut bytes, true) else { return Ok(()) };
        let Ok(module) = wasm_smith::Module::new(config, &mut bytes) else { return Ok(()) };
        let mut options = if to_v1 { v1() } else { local() };
        options.init = if lazy { Init::Lazy } else { Init::Snapshot };
        options.steps = 100_000;
        match adapt(&module.to_bytes(), &options) {
            Ok(adaptation) => expect_runtime(&adaptation),
            Err(AdaptError::Result { message, offset }) => panic!("{message} at {offset:#x}"),
            Err(_) => {}
        }
    }
}

/// Numbers that look random and are the same every time (xorshift).
fn numbers(mut state: u64) -> impl FnMut() -> u8 {
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 24) as u8
    }
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
        let ExternType::Memory(ty) = import.ty() else { panic!("{}", import.name()) };
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
#[test]
fn an_adapted_module_does_what_the_module_did() {
    let mut next = numbers(0x2545_f491_4f6c_dd1d);
    let (mut compared, mut values, mut traps) = (0, 0, 0);
    let engine = engine();
    for _ in 0..4000 {
        let seed: Vec<u8> = (0..2048).map(|_| next()).collect();
        let mut bytes = Unstructured::new(&seed);
        let Some(mut config) = config(&mut bytes, false) else { continue };
        config.min_memories = 1;
        let Ok(module) = wasm_smith::Module::new(config, &mut bytes) else { continue };
        let module = module.to_bytes();
        let mut options: Options<'_> = if next() % 2 == 0 { local() } else { v1() };
        options.arena = ARENA * 65536;
        options.init = if next() % 2 == 0 { Init::Lazy } else { Init::Snapshot };
        options.steps = 100_000;
        let Ok(adaptation) = adapt(&module, &options) else { continue };
        let memory = heapbase_module::inspect(&module).unwrap().memory;
        let pages = memory.map_or(0, |memory| memory.min) as u32;
        let Some((mut store, instance)) = start(&engine, &module, pages + ARENA) else { continue };
        let Some((mut new_store, new_instance)) = start(&engine, &adaptation.wasm, 65536) else { continue };
        if outcome(&mut store, &instance, "_initialize") != Some(Ok(0)) {
            continue;
        }
        for _ in 0..3 {
            let Some(before) = outcome(&mut store, &instance, "f") else { break };
            let Some(after) = outcome(&mut new_store, &new_instance, "f") else { break };
            assert_eq!(before, after, "{}", wat_of(&module));
            compared += 1;
            if before.is_ok() { values += 1 } else { traps += 1 }
        }
    }
    println!("{compared} calls compared: {values} values, {traps} traps");
    assert!(values > 100 && traps > 20, "{values} values, {traps} traps");
}

/// Where the module is that shows a difference.
fn wat_of(module: &[u8]) -> String {
    let path = std::env::temp_dir().join("heapbase-adapt-differs.wasm");
    std::fs::write(&path, module).unwrap();
    format!("the module is in {}", path.display())
}
