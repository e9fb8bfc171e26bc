//! Each kind of import, each place that refers to one.

use super::{call, function_names, instance, memory_pages, section, stubbed};
use heapbase_module::stub::{Policy, StubError, StubOptions, stub};
use wasmi::Val;

const BOTH: [Policy; 2] = [Policy::Trap, Policy::Zero];

#[test]
fn functions_trap_by_name_or_return_zeros() {
    let wat = r#"(module
        (import "env" "nothing" (func $nothing))
        (import "env" "all" (func $all (param i64) (result i32 i64 f32 f64 funcref externref)))
        (func $own (export "own") (result i32) (i32.const 7))
        (func (export "call_nothing") (call $nothing))
        (func (export "call_all") (result i32 i64 f32 f64 funcref externref) (call $all (i64.const 1))))"#;
    let trap = stubbed(wat, Policy::Trap);
    let (mut store, module) = instance(&trap.wasm).unwrap();
    assert!(call(&mut store, &module, "call_nothing").unwrap_err().contains("unreachable"));
    assert!(call(&mut store, &module, "call_all").unwrap_err().contains("unreachable"));
    assert!(matches!(call(&mut store, &module, "own").unwrap()[..], [Val::I32(7)]));
    let names = function_names(&trap.wasm);
    assert_eq!(names[..3], [(0, "env.nothing".into()), (1, "env.all".into()), (2, "own".into())]);

    let (mut store, module) = instance(&stubbed(wat, Policy::Zero).wasm).unwrap();
    assert!(call(&mut store, &module, "call_nothing").unwrap().is_empty());
    let results = call(&mut store, &module, "call_all").unwrap();
    let [Val::I32(0), Val::I64(0), Val::F32(f), Val::F64(d), Val::FuncRef(function), Val::ExternRef(value)] =
        &results[..]
    else {
        panic!("{results:?}");
    };
    assert_eq!((f.to_bits(), d.to_bits()), (0, 0));
    assert!(function.is_null() && value.is_null());
}

#[test]
fn a_module_of_imports_alone_gets_the_sections_it_lacks_in_their_places() {
    let wat = r#"(module
        (import "a" "f" (func (param i32) (result i64)))
        (import "a" "m" (memory 2 5))
        (import "b" "g" (global (mut i64)))
        (import "b" "t" (table 3 funcref))
        (import "b" "tag" (tag (param i32)))
        (@custom "last" (after import) "\01\02"))"#;
    let result = stubbed(wat, Policy::Trap).wasm;
    let ids: Vec<u8> = wasmparser::Parser::new(0)
        .parse_all(&result)
        .filter_map(|payload| payload.unwrap().as_section().map(|(id, _)| id))
        .collect();
    assert_eq!(ids, [1, 3, 4, 5, 13, 6, 7, 10, 0, 0]);
    assert_eq!(function_names(&result), [(0, "a.f".to_owned())]);
    assert_eq!(section(&result, 0, "last"), section(&wat::parse_str(wat).unwrap(), 0, "last"));
}

#[test]
fn interleaved_imports_keep_every_index() {
    let wat = r#"(module
        (import "e" "g0" (global $g0 i32))
        (import "e" "f0" (func $f0 (result i32)))
        (import "e" "m0" (memory $m0 1))
        (import "e" "t0" (table $t0 2 funcref))
        (import "e" "g1" (global $g1 (mut i64)))
        (import "e" "f1" (func $f1 (result i64)))
        (import "e" "m1" (memory $m1 1))
        (memory $own 1)
        (table $own 4 funcref)
        (global $own (mut i32) (i32.const 42))
        (global $copy i32 (global.get $g0))
        (elem (table $own) (i32.const 1) func $f $f1)
        (elem (table $t0) (global.get $g0) func $f1 $f)
        (data (memory $own) (i32.const 8) "\09")
        (data (memory $m1) (global.get $g0) "\05\06")
        (start $s)
        (func $f (result i64) (i64.const 11))
        (func $s (global.set $own (i32.const 43)))
        (export "f1" (func $f1))
        (export "m1" (memory $m1))
        (func (export "all") (result i32 i32 i64 i32 i32 i64 i64 i64)
            (global.get $own) (global.get $copy) (global.get $g1)
            (i32.load8_u $own (i32.const 8)) (i32.load8_u $m1 (i32.const 1))
            (call_indirect $own (result i64) (i32.const 1))
            (call_indirect $t0 (result i64) (i32.const 1))
            (call_indirect $own (result i64) (i32.const 2))))"#;
    let (mut store, module) = instance(&stubbed(wat, Policy::Zero).wasm).unwrap();
    let results = call(&mut store, &module, "all").unwrap();
    let numbers: Vec<i64> = results
        .iter()
        .map(|value| match value {
            Val::I32(value) => (*value).into(),
            Val::I64(value) => *value,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(numbers, [43, 0, 0, 9, 6, 11, 11, 0]);
    assert_eq!(memory_pages(&store, &module, "memory"), Some(1));
    assert_eq!(memory_pages(&store, &module, "m1"), Some(1));
}

#[test]
fn what_is_not_touched_stays_byte_for_byte() {
    let wat = r#"(module
        (import "env" "f" (func $f (param i32)))
        (import "env" "memory" (memory 1))
        (global $stack (mut i32) (i32.const 1024))
        (func $own (export "own") (local $x i32) (call $f (local.get $x)))
        (data (i32.const 0) "something")
        (@custom "runtime_version" (after data) "\00\01\02")
        (@custom ".debug_info" (after data) "\00\01\02")
        (@custom "metadata.code.branch_hint" (before code) "\00")
        (@custom "producers" (after data) "\00"))"#;
    let before = wat::parse_str(wat).unwrap();
    for policy in BOTH {
        let result = stub(&before, &StubOptions::new(policy)).unwrap();
        for (id, name) in
            [(1, ""), (6, ""), (11, ""), (0, "runtime_version"), (0, "metadata.code.branch_hint"), (0, "producers")]
        {
            assert_eq!(section(&before, id, name), section(&result.wasm, id, name), "{id} {name}");
        }
        assert_eq!(section(&result.wasm, 0, ".debug_info"), None);
        assert!(result.changes.iter().any(|change| change.contains("`.debug_info`")), "{:?}", result.changes);
        let code = section(&result.wasm, 10, "").unwrap();
        let own = section(&before, 10, "").unwrap();
        assert!(code.ends_with(&own[1..]), "bodies are copied");
        // Names of locals, globals and functions are still there.
        let names = section(&result.wasm, 0, "name").unwrap();
        for name in ["stack", "own", "x", "env.f"] {
            assert!(names.windows(name.len()).any(|window| window == name.as_bytes()), "{name}");
        }
        assert_eq!(stub(&before, &StubOptions::new(policy)).unwrap().wasm, result.wasm, "deterministic");
    }
}

#[test]
fn a_module_without_imports_is_its_own_stub() {
    let wasm = wat::parse_str(r#"(module (memory 1) (func (export "f")))"#).unwrap();
    assert_eq!(stub(&wasm, &StubOptions::default()).unwrap().wasm, wasm);
    // And so is a stub.
    let once = stubbed(r#"(module (import "a" "b" (func)))"#, Policy::Trap).wasm;
    assert_eq!(stub(&once, &StubOptions::default()).unwrap().wasm, once);
}

#[test]
fn memory_keeps_its_limits_and_an_export_that_has_the_name() {
    let taken = r#"(module (import "env" "memory" (memory 1 9)) (func (export "memory")))"#;
    let (store, module) = instance(&stubbed(taken, Policy::Trap).wasm).unwrap();
    assert_eq!(memory_pages(&store, &module, "memory"), None);
    let exported = r#"(module (import "env" "memory" (memory 3 9)) (export "memory" (memory 0)))"#;
    let (store, module) = instance(&stubbed(exported, Policy::Trap).wasm).unwrap();
    assert_eq!(memory_pages(&store, &module, "memory"), Some(3));
    let wide = r#"(module (import "env" "memory" (memory i64 3 9)) (data (i64.const 65536) "x"))"#;
    let wide = stubbed(wide, Policy::Trap).wasm;
    let memory = heapbase_module::inspect(&wide).unwrap().memory.unwrap();
    assert_eq!((memory.min, memory.max), (3, Some(9)));
}

#[test]
fn what_a_host_would_have_made_larger_is_large_enough() {
    let wat = r#"(module
        (import "env" "memory" (memory 0))
        (import "env" "table" (table 0 funcref))
        (import "env" "base" (global $base i32))
        (data (i32.const 131071) "ab")
        (elem (offset (i32.add (global.get $base) (i32.const 4))) func $f)
        (func $f))"#;
    let result = stubbed(wat, Policy::Trap);
    let (store, module) = instance(&result.wasm).unwrap();
    assert_eq!(memory_pages(&store, &module, "memory"), Some(3));
    assert!(result.changes.iter().any(|change| change.contains("3 pages instead of 0")), "{:?}", result.changes);
    assert!(result.changes.iter().any(|change| change.contains("5 elements instead of 0")), "{:?}", result.changes);
    // A limit is a limit.
    let limited = r#"(module (import "env" "memory" (memory 0 1)) (data (i32.const 131071) "ab"))"#;
    assert!(instance(&stubbed(limited, Policy::Trap).wasm).is_err());
}

#[test]
fn a_start_function_that_calls_imports_is_warned_of() {
    let start = |call: &str| {
        format!(
            r#"(module (import "env" "f" (func $f)) (table 1 funcref)
                (func $inner {call}) (func $start (call $inner)) (start $start))"#
        )
    };
    for (call, warned) in [("nop", false), ("(call $f)", true), ("(call_indirect (i32.const 0))", true)] {
        let result = stubbed(&start(call), Policy::Trap);
        assert_eq!(!result.warnings.is_empty(), warned, "{call}: {:?}", result.warnings);
        assert!(stubbed(&start(call), Policy::Zero).warnings.is_empty());
    }
    assert!(instance(&stubbed(&start("(call $f)"), Policy::Zero).wasm).is_ok());
    let imported = r#"(module (import "env" "f" (func $f)) (start $f))"#;
    assert_eq!(stubbed(imported, Policy::Trap).warnings.len(), 1);
}

#[test]
fn what_has_no_zero_is_refused_and_named() {
    let refused = |wat: &str, policy| match stub(&wat::parse_str(wat).unwrap(), &StubOptions::new(policy)) {
        Err(error @ StubError::NoZero { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let function = r#"(module (type $t (func)) (import "env" "f" (func (result (ref $t)))))"#;
    let error = refused(function, Policy::Zero);
    assert!(error.contains("`env.f`") && error.contains("(import section") && error.contains("`trap`"), "{error}");
    assert!(stub(&wat::parse_str(function).unwrap(), &StubOptions::new(Policy::Trap)).is_ok());
    for policy in BOTH {
        let global = r#"(module (import "env" "g" (global (ref func))))"#;
        assert!(refused(global, policy).starts_with("the global `env.g`"));
        let table = r#"(module (import "env" "t" (table 1 (ref func))))"#;
        assert!(refused(table, policy).starts_with("an element of the table `env.t`"));
    }
}

#[test]
fn null_stands_for_references_of_the_garbage_collection_proposal() {
    let wat = r#"(module
        (rec (type $s (struct (field i32))) (type $f (func (result (ref null $s)))))
        (import "env" "f" (func $f (type $f)))
        (import "env" "g" (global $g (ref null $s)))
        (import "env" "i" (global $i i31ref))
        (global (ref null $s) (global.get $g))
        (func (export "f") (result (ref null $s)) (call $f)))"#;
    for policy in BOTH {
        let result = stubbed(wat, policy);
        wasmparser::Validator::new_with_features(wasmparser::WasmFeatures::all()).validate_all(&result.wasm).unwrap();
    }
}

#[test]
fn an_unreadable_name_section_stays_and_is_told() {
    let wat = r#"(module (import "env" "f" (func)) (@custom "name" "\01\ff"))"#;
    let result = stubbed(wat, Policy::Trap);
    assert_eq!(section(&result.wasm, 0, "name"), section(&wat::parse_str(wat).unwrap(), 0, "name"));
    assert!(result.warnings[0].contains("`name` cannot be read"));
}

#[test]
fn damage_is_told_with_its_place() {
    let mut wasm = wat::parse_str(r#"(module (import "env" "f" (func)) (func (call 0)))"#).unwrap();
    let at = wasm.len() - 2;
    wasm[at] = 9;
    let error = stub(&wasm, &StubOptions::default()).unwrap_err();
    assert!(matches!(error, StubError::Invalid { .. }) && error.to_string().contains("offset 0x"), "{error}");
    let component = b"\0asm\x0d\0\x01\0";
    assert!(matches!(stub(component, &StubOptions::default()), Err(StubError::Read(_))));
}
