//! What is refused: by name, offset, and with what to do.

use super::{local, refusal};
use heapbase_module::adapt::{AdaptError, adapt};

/// A callable module with something in it.
fn with(fields: &str) -> String {
    format!(
        r#"(module {fields}
             (func (export "f") (param i32 i32) (result i64) (i64.const 0)))"#
    )
}

#[test]
fn imports_that_no_node_has_are_refused_by_name_and_offset() {
    for (module, name, advice) in [
        ("gojs", "runtime.wasmExit", "GOOS=wasip1"),
        ("wasi_unstable", "fd_write", "preview 1"),
        ("wasi_snapshot_preview1", "fd_wriet", "no function of that name"),
        ("wasi:cli/stdout@0.2.0", "get-stdout", "wasip1"),
        ("wbg", "__wbindgen_throw", "wasm-bindgen"),
        ("env", "emscripten_notify_memory_growth", "no node provides that"),
        ("env", "ext_logging_log", "no node provides that"),
        ("env", "ext_logging_log_version_", "no node provides that"),
        ("host", "ext_logging_log_version_1", "no node provides that"),
    ] {
        let text = with(&format!(r#"(import "{module}" "{name}" (func))"#));
        let error = refusal(&text, &local());
        let AdaptError::ForeignImport { name: found, offset, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*found, format!("{module}.{name}"));
        let wasm = wat::parse_str(&text).unwrap();
        let place = wasm.windows(module.len()).position(|bytes| bytes == module.as_bytes()).unwrap() as u64;
        // The length of the name stands before it.
        assert_eq!(*offset, place - 1, "{error}");
        let message = error.to_string();
        assert!(message.contains(advice) && message.contains(&format!("{offset:#x}")), "{message}");
    }
}

#[test]
fn names_that_would_break_a_line_are_escaped() {
    for import in
        [r#"(import "env\0aerror: x" "\1b[31m" (func))"#, r#"(import "env\0aerror: x" "\1b[31m" (global i32))"#]
    {
        let message = refusal(&with(import), &local()).to_string();
        assert!(message.contains(r"`env\nerror: x.\u{1b}[31m`"), "{message}");
        assert!(!message.contains(['\n', '\u{1b}']), "{message}");
    }
    for fields in
        [r#"(import "env" "\0a" (func (result i32 i32)))"#, r#"(import "env" "\0a" (tag))"#, r#"(tag (export "\0a"))"#]
    {
        let message = refusal(&with(fields), &local()).to_string();
        assert!(!message.contains('\n'), "{message}");
    }
}

#[test]
fn data_behind_the_memory_that_a_host_may_bring_are_let_in() {
    super::adapted(&with(r#"(import "env" "memory" (memory 1 2)) (data (i32.const 131070) "ab")"#), &local());
    super::adapted(&with(r#"(import "env" "memory" (memory 0)) (data (i32.const 131070) "ab")"#), &local());
    super::adapted(&with(r#"(memory 1) (data (i32.const 65534) "ab")"#), &local());
}

#[test]
fn imported_tables_and_globals_are_refused() {
    for (import, kind) in [
        (r#"(import "env" "__indirect_function_table" (table 1 funcref))"#, "table"),
        (r#"(import "env" "__memory_base" (global i32))"#, "global"),
    ] {
        let error = refusal(&with(import), &local());
        let AdaptError::ForeignImport { kind: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*found, kind);
    }
}

#[test]
fn an_import_of_another_type_than_its_name_says_is_refused() {
    for name in ["fd_write", "path_open"] {
        let error =
            refusal(&with(&format!(r#"(import "wasi_snapshot_preview1" "{name}" (func (param i32)))"#)), &local());
        let AdaptError::WrongType { name: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*found, format!("wasi_snapshot_preview1.{name}"));
        assert!(error.to_string().contains("i32"), "{error}");
    }
}

#[test]
fn what_has_no_counterpart_is_refused_by_name_and_offset() {
    for (fields, says) in [
        ("(memory 1 2 shared)", "shared"),
        ("(memory i64 1)", "64-bit"),
        ("(memory 1) (memory 1)", "several memories"),
        (
            "(memory 1) (func (drop (i32.atomic.load (i32.const 0))))",
            "`i32atomicload` (code section, offset 0x2c) needs threads",
        ),
        ("(memory 1) (func (drop (v128.const i64x2 0 0)))", "`v128const` (code section, offset 0x2a) needs simd"),
        ("(func (local funcref))", "a variable of type funcref"),
        ("(table 1 externref)", "reference"),
        ("(table 1 funcref) (table 1 funcref)", "reference"),
        ("(func (param externref))", "reference"),
        ("(table 1 funcref) (func (drop (table.grow 0 (ref.null func) (i32.const 1))))", "reference"),
        ("(table 1 funcref) (func (drop (table.size 0)) (drop (table.get 0 (i32.const 0))))", "`tableget`"),
        ("(func $f) (func (return_call $f))", "`returncall`"),
        ("(tag)", "exception"),
        (
            "(table 1 funcref) (elem $e func) (func (table.init $e (i32.const 0) (i32.const 0) (i32.const 0)))",
            "table.init",
        ),
        ("(table 2 funcref) (func (table.copy (i32.const 0) (i32.const 1) (i32.const 1)))", "table.copy"),
        ("(table 1 funcref) (elem declare func $f) (func $f (table.set (i32.const 0) (ref.func $f)))", "reference"),
        ("(table 1 funcref) (func (table.fill (i32.const 0) (ref.null func) (i32.const 1)))", "reference"),
        ("(table 1 funcref) (elem (i32.const 1) $f) (func $f)", "beyond the table"),
        (r#"(memory 1) (data (i32.const 65535) "ab")"#, "beyond the memory"),
        (r#"(memory 1) (data (i32.const -1) "")"#, "beyond the memory"),
        (r#"(import "env" "memory" (memory 1 2)) (data (i32.const 131071) "ab")"#, "beyond the memory"),
    ] {
        let error = refusal(&with(fields), &local());
        let message = format!("{error:?} {error}").to_lowercase();
        assert!(message.contains(says), "{fields}: {message}");
        let offset = match &error {
            AdaptError::Unsupported { offset, .. } => *offset,
            AdaptError::Pass(heapbase_module::lower::LowerError::Unsupported { offset, .. }) => *offset,
            other => panic!("{fields}: {other:?}"),
        };
        assert!(offset >= 8 && message.contains(&format!("offset {offset:#x}")), "{fields}: {message}");
    }
}

#[test]
fn bytes_that_are_no_module_are_refused() {
    for bytes in [&b""[..], b"\0asm", b"hello", b"\0asm\x0d\0\x01\0"] {
        let error = adapt(bytes, &local()).expect_err("no module");
        assert!(matches!(error, AdaptError::Read(_) | AdaptError::Invalid { .. }), "{error:?}");
    }
    let mut cut = wat::parse_str(with("(memory 1)")).unwrap();
    cut.truncate(cut.len() - 3);
    let error = adapt(&cut, &local()).expect_err("cut off");
    assert!(matches!(error, AdaptError::Invalid { .. }), "{error:?}");
    assert!(error.to_string().contains("(code section, offset 0x"), "{error}");
}

#[test]
fn a_module_that_was_adapted_is_refused() {
    let text = with("(memory 1)");
    let once = super::adapted(&text, &local()).wasm;
    let error = adapt(&once, &local()).expect_err("adapted already");
    assert!(matches!(error, AdaptError::Already(heapbase_module::Spec::Local)), "{error:?}");
    let options = heapbase_module::convert::Options::new(heapbase_module::Spec::V1);
    let error = heapbase_module::convert::convert(&once, &options).expect_err("adapted already");
    assert!(matches!(error, heapbase_module::convert::ConvertError::Adapted(_)), "{error:?}");
}

#[test]
fn legacy_is_no_target() {
    let error = refusal(&with("(memory 1)"), &heapbase_module::adapt::Options::new(heapbase_module::Spec::Legacy));
    assert!(matches!(error, AdaptError::Target(_)), "{error:?}");
}

#[test]
fn arenas_that_do_not_fit_are_refused() {
    let text = with("(memory 1) (func (drop (memory.grow (i32.const 1))))");
    let mut options = local();
    options.arena = u32::MAX;
    let error = refusal(&text, &options);
    assert!(matches!(error, AdaptError::TooLarge { .. }), "{error:?}");
    // What fits, and a relay chain would not grant, is said.
    options.arena = 512 << 20;
    let warnings = super::adapted(&text, &options).warnings;
    assert!(warnings.iter().any(|warning| warning.contains("validating a parachain's block")), "{warnings:?}");
}

#[test]
fn position_independent_modules_are_refused() {
    let error = refusal(&with(r#"(@custom "dylink.0" "")"#), &local());
    assert!(matches!(&error, AdaptError::Unsupported { what, .. } if what.contains("shared library")), "{error:?}");
}
