//! Modules that wasm-smith builds, and bytes that are none.

use crate::steady::numbers;
use arbitrary::{Arbitrary, Unstructured};
use heapbase_module::stub::{Policy, StubError, StubOptions, stub};
use proptest::prelude::{ProptestConfig, any, proptest};
use wasm_smith::Config;
use wasmparser::{Validator, WasmFeatures};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = stub(&bytes, &StubOptions::default());
        let module = [&b"\0asm\x01\0\0\0"[..], &bytes].concat();
        let _ = stub(&module, &StubOptions::new(Policy::Zero));
    }

    #[test]
    fn any_valid_module(seed in proptest::collection::vec(any::<u8>(), 512..4096), zero: bool) {
        let mut bytes = Unstructured::new(&seed);
        let Ok(mut config) = Config::arbitrary(&mut bytes) else { return Ok(()) };
        config.min_imports = 1;
        config.max_imports = config.max_imports.max(20);
        let Ok(module) = wasm_smith::Module::new(config, &mut bytes) else { return Ok(()) };
        let module = module.to_bytes();
        let policy = if zero { Policy::Zero } else { Policy::Trap };
        match stub(&module, &StubOptions::new(policy)) {
            Ok(result) => {
                let report = heapbase_module::inspect(&result.wasm).expect("readable");
                assert!(report.imports.is_empty());
                // It asks no more of an engine than the module did.
                for features in [WasmFeatures::MVP, WasmFeatures::WASM1, WasmFeatures::WASM2, WasmFeatures::default()] {
                    if Validator::new_with_features(features).validate_all(&module).is_ok() {
                        Validator::new_with_features(features).validate_all(&result.wasm).expect("valid as before");
                    }
                }
                assert_eq!(stub(&result.wasm, &StubOptions::new(policy)).expect("a stub").wasm, result.wasm);
            }
            Err(StubError::NoZero { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
}

/// A module linked to functions that trap or return zeros, and to zero globals, does what its stub does.
#[test]
fn a_stub_does_what_the_module_does_with_such_a_host() {
    let mut next = numbers(0x2545_f491_4f6c_dd1d);
    let (mut compared, mut calls, mut traps) = (0, 0, 0);
    for round in 0..1200 {
        let seed: Vec<u8> = (0..2048).map(|_| next()).collect();
        let config = Config {
            min_imports: 2,
            max_imports: 12,
            min_exports: 4,
            export_everything: true,
            allow_start_export: true,
            max_memory32_bytes: 1 << 20,
            gc_enabled: false,
            exceptions_enabled: false,
            simd_enabled: false,
            relaxed_simd_enabled: false,
            threads_enabled: false,
            memory64_enabled: false,
            custom_page_sizes_enabled: false,
            wide_arithmetic_enabled: false,
            ..Config::default()
        };
        let Ok(mut module) = wasm_smith::Module::new(config, &mut Unstructured::new(&seed)) else { continue };
        if module.ensure_termination(1000).is_err() {
            continue;
        }
        let module = module.to_bytes();
        let policy = if round % 2 == 0 { Policy::Trap } else { Policy::Zero };
        let result = stub(&module, &StubOptions::new(policy)).unwrap();
        let before = observe(&module, policy);
        let after = observe(&result.wasm, policy);
        let (Some(before), Some(mut after)) = (before, after) else { continue };
        // The stub exports its memory, whatever else the module does.
        after.retain(|(name, _)| before.iter().any(|(other, _)| other == name));
        assert_eq!(before, after, "{}", hex::encode(&module));
        compared += 1;
        calls += before.len();
        traps += before.iter().filter(|(_, seen)| seen.starts_with("trap")).count();
    }
    println!("{compared} modules, {calls} observations, {traps} traps");
    assert!(compared > 150 && calls > 600 && traps > 60, "{compared} {calls} {traps}");
}

/// Calls every exported function with zeros and looks at every exported global and memory. `None` if it does not instantiate.
fn observe(wasm: &[u8], policy: Policy) -> Option<Vec<(String, String)>> {
    use wasmi::{Engine, Extern, ExternType, Func, Global, Linker, Memory, Module, Store, Table, Val};
    let mut config = wasmi::Config::default();
    config.wasm_multi_memory(true).wasm_tail_call(true).wasm_extended_const(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, wasm).ok()?;
    // Hashing gigabytes that a module grew to would take the test's time.
    let limits = wasmi::StoreLimitsBuilder::new().memory_size(1 << 21).table_elements(10_000).build();
    let mut store = Store::new(&engine, limits);
    store.limiter(|limits| limits);
    let mut linker = Linker::new(&engine);
    for import in module.imports() {
        let item: Extern = match import.ty() {
            ExternType::Func(ty) => {
                let zeros: Vec<_> = ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
                Func::new(&mut store, ty.clone(), move |_, _, results| {
                    if policy == Policy::Trap {
                        return Err(wasmi::Error::from(wasmi::TrapCode::UnreachableCodeReached));
                    }
                    results.clone_from_slice(&zeros);
                    Ok(())
                })
                .into()
            }
            ExternType::Global(ty) => {
                Global::new(&mut store, Val::default_for_ty(ty.content()), ty.mutability()).into()
            }
            ExternType::Memory(ty) => Memory::new(&mut store, *ty).ok()?.into(),
            ExternType::Table(ty) => Table::new(&mut store, *ty, wasmi::Ref::default_for_ty(ty.element())).ok()?.into(),
        };
        // What is imported twice is one thing here and two in a stub.
        linker.define(import.module(), import.name(), item).ok()?;
    }
    let instance = linker.instantiate_and_start(&mut store, &module).ok()?;
    let mut seen = Vec::new();
    let exports: Vec<_> =
        instance.exports(&store).map(|export| (export.name().to_owned(), export.into_extern())).collect();
    for (name, export) in &exports {
        if let Extern::Func(function) = export {
            let ty = function.ty(&store);
            let zeros: Vec<_> = ty.params().iter().map(|ty| Val::default_for_ty(*ty)).collect();
            let mut results: Vec<_> = ty.results().iter().map(|ty| Val::default_for_ty(*ty)).collect();
            let outcome = match function.call(&mut store, &zeros, &mut results) {
                Ok(()) => results.iter().map(shown).collect::<Vec<_>>().join(" "),
                Err(error) => format!("trap: {:?}", error.as_trap_code()),
            };
            seen.push((format!("call {name}"), outcome));
        }
    }
    for (name, export) in &exports {
        match export {
            Extern::Global(global) => seen.push((format!("global {name}"), shown(&global.get(&store)))),
            Extern::Memory(memory) => {
                let hash = heapbase_module::Blake2_256::of(memory.data(&store));
                seen.push((format!("memory {name}"), format!("{} {hash}", memory.size(&store))));
            }
            _ => {}
        }
    }
    Some(seen)
}

/// A value; of a reference, whether it is null.
fn shown(value: &wasmi::Val) -> String {
    use wasmi::Val;
    match value {
        Val::I32(value) => value.to_string(),
        Val::I64(value) => value.to_string(),
        Val::F32(value) => format!("{:#x}", value.to_bits()),
        Val::F64(value) => format!("{:#x}", value.to_bits()),
        Val::FuncRef(value) => format!("null {}", value.is_null()),
        Val::ExternRef(value) => format!("null {}", value.is_null()),
        other => format!("{other:?}"),
    }
}
