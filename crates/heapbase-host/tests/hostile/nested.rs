//! A runtime within a runtime: `ext_misc_runtime_version_version_1` loads and calls a module that the guest provides.

use crate::{
    Outcome, call, config,
    parts::{V1, Wat},
};
use heapbase_host::{Cause, Engine, Runtime};

/// Asks the host for the version of the module in its input.
const ASKS: Wat = V1
    .imports(r#"(import "env" "ext_misc_runtime_version_version_1" (func $version (param i64) (result i64)))"#)
    .entry("(call $version (call $pack (local.get $ptr) (local.get $len)))");

fn inner(body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
  (import "env" "ext_misc_runtime_version_version_1" (func $version (param i64) (result i64)))
  (import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))
  (memory (export "memory") 1)
  (global (export "__heap_base") i32 (i32.const 1024))
  (func $run (export "Core_version") (param i32 i32) (result i64) {body})
  (data (i32.const 16) "version"))"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// `Some` of seven bytes, encoded.
const ANSWER: &[u8] = b"\x01\x1cversion";

/// `None`, encoded.
const NONE: &[u8] = &[0];

#[test]
fn the_answer_of_another_module() {
    let asks = ASKS.binaries().remove(0);
    for engine in Engine::ALL {
        let runtime = Runtime::new(&asks, &config(engine)).expect("a module without flaw");
        for (body, expected, what) in [
            ("(i64.const 0x700000010)", ANSWER, "it returns"),
            ("(unreachable)", NONE, "it traps"),
            ("(i64.const -1)", NONE, "its result is outside of memory"),
            ("(call $run (local.get 0) (local.get 1))", NONE, "it uses up the stack"),
            ("(call $version (i64.const 0))", NONE, "it asks for a version itself"),
            (
                "(call $set (i64.const 0x400000000) (i64.const 0x400000000)) (i64.const 0x700000010)",
                ANSWER,
                "it writes storage that is not the caller's",
            ),
        ] {
            match call(&runtime, &inner(body)) {
                Outcome::Returned(bytes) => assert_eq!(bytes, expected, "{engine}: {what}"),
                other => panic!("{engine}: {what}: {other:?}"),
            }
        }
        for rubbish in [&b"no module"[..], b"\0asm\x01\0\0\0", &asks[..asks.len() / 2]] {
            assert!(
                matches!(call(&runtime, rubbish), Outcome::Returned(bytes) if bytes == NONE),
                "{engine}: {rubbish:02x?}"
            );
        }
    }
}

#[test]
fn fuel_bounds_the_inner_call_too() {
    let asks = ASKS.binaries().remove(0);
    for engine in Engine::ALL {
        let mut config = config(engine);
        config.limits.fuel = Some(10_000_000);
        let runtime = Runtime::new(&asks, &config).expect("a module without flaw");
        match call(&runtime, &inner("(loop $again (br $again)) (i64.const 0)")) {
            Outcome::Returned(bytes) => assert_eq!(bytes, NONE, "{engine}"),
            Outcome::Failed(error) => assert_eq!(error.cause, Cause::OutOfFuel, "{engine}"),
            other => panic!("{engine}: {other:?}"),
        }
    }
}
