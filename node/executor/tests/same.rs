//! Both executors make the same of a runtime, as far as a client asks them.

use codec::Encode;
use heapbase_executor::Executor;
use sc_executor::{RuntimeVersion, RuntimeVersionOf};
use sp_core::traits::{CallContext, CodeExecutor, ReadRuntimeVersion, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::BasicExternalities;

/// What the runtimes here say they are.
fn version() -> RuntimeVersion {
    RuntimeVersion {
        spec_name: "small".into(),
        impl_name: "small".into(),
        authoring_version: 1,
        spec_version: 7,
        impl_version: 1,
        // `Core`, whose version says which fields a version has.
        apis: vec![([0xdf, 0x6a, 0xcb, 0x68, 0x99, 0x07, 0x60, 0x9b], 5)].into(),
        transaction_version: 3,
        system_version: 1,
    }
}

/// A runtime that says its version and returns its input; `exports` say whose heap it has.
fn runtime(exports: &str) -> Vec<u8> {
    let bytes = version().encode();
    let escaped: String = bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
    let len = bytes.len();
    let text = format!(
        r#"(module
            (import "env" "memory" (memory 1))
            (data (i32.const 64) "{escaped}")
            {exports}
            (func (export "Core_version") (param i32 i32) (result i64)
                (i64.or (i64.const 64) (i64.shl (i64.const {len}) (i64.const 32))))
            (func (export "echo") (param i32 i32) (result i64)
                (i64.or (i64.extend_i32_u (local.get 0)) (i64.shl (i64.extend_i32_u (local.get 1)) (i64.const 32))))
            (func (export "trap") (param i32 i32) (result i64) unreachable))"#
    );
    wat::parse_str(text).expect("the text is a module")
}

const LEGACY: &str = r#"(global (export "__heap_base") i32 (i32.const 1024))"#;
const V1: &str = r#"
    (global $next (mut i32) (i32.const 1024))
    (func (export "v1"))
    (func (export "alloc") (param $size i32) (result i32)
        (global.get $next)
        (global.set $next (i32.and (i32.add (i32.add (global.get $next) (local.get $size)) (i32.const 7)) (i32.const -8))))
    (func (export "dealloc") (param i32 i32))
    (func (export "realloc") (param i32 i32 i32) (result i32) (i32.const 0))"#;

fn check(executor: &Executor, wasm: &[u8]) {
    let mut ext = BasicExternalities::default();
    let fetcher = WrappedRuntimeCode(wasm.into());
    let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: wasm.to_vec() };
    assert_eq!(executor.runtime_version(&mut ext, &code).expect("it has a version"), version());
    assert_eq!(executor.read_runtime_version(wasm, &mut ext), Ok(version().encode()));
    for context in [CallContext::Offchain, CallContext::Onchain { import: true }] {
        let (answer, native) = executor.call(&mut ext, &code, "echo", b"hello", context);
        assert_eq!(answer.expect("it returns"), b"hello");
        assert!(!native);
    }
    let (answer, _) = executor.call(&mut ext, &code, "trap", &[], CallContext::Offchain);
    let error = answer.expect_err("it ends in a trap").to_string();
    assert!(error.contains("unreachable"), "{error}");
}

#[test]
fn a_legacy_runtime_is_the_same_to_both() {
    for executor in [Executor::heapbase(), Executor::stock()] {
        check(&executor, &runtime(LEGACY));
    }
}

#[test]
fn a_v1_runtime_runs_on_ours() {
    check(&Executor::heapbase(), &runtime(V1));
}

#[test]
fn without_heap_base_the_stock_executor_refuses_a_v1_runtime() {
    let wasm = runtime(V1);
    let fetcher = WrappedRuntimeCode(wasm.as_slice().into());
    let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: vec![1] };
    let (answer, _) =
        Executor::stock().call(&mut BasicExternalities::default(), &code, "echo", b"hello", CallContext::Offchain);
    assert!(answer.is_err());
}
