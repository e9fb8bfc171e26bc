//! What the tests of the command share.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

/// The command, with a cache that all tests of this build share.
pub(crate) fn heapbase() -> Command {
    let mut command = Command::cargo_bin("heapbase").expect("the command is built");
    command.env("HEAPBASE_CACHE", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"));
    command.env_remove("RUST_LOG").env_remove("RUST_BACKTRACE");
    command
}

/// `../shared/…`, where the real runtimes and blocks are. Skips loudly without them.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(path);
    if found.exists() {
        return Some(found);
    }
    println!("SKIPPED: needs ../shared/{path} beside the repository");
    assert!(
        std::env::var_os("HEAPBASE_REQUIRE_ALL").is_none(),
        "HEAPBASE_REQUIRE_ALL is set, ../shared/{path} is not there"
    );
    None
}

/// Runs the command with `--json`: exit status and the objects it printed.
pub(crate) fn json(arguments: &[&str], input: impl Into<Vec<u8>>) -> (i32, Vec<Value>) {
    let output = heapbase().args(arguments).arg("--json").write_stdin(input).output().expect("the command runs");
    let lines = String::from_utf8(output.stdout).expect("UTF-8");
    let objects = lines.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect();
    (output.status.code().expect("no signal ended it"), objects)
}

/// A runtime of the legacy spec with some entry points.
pub(crate) fn runtime() -> Vec<u8> {
    wat::parse_str(
        r#"(module
            (import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))
            (import "env" "ext_panic_handler_abort_on_panic_version_1" (func $panic (param i64)))
            (import "env" "ext_no_such_function_version_9" (func $unknown))
            (memory (export "memory") 2)
            (data (i32.const 16) "something is wrong")
            (global (export "__heap_base") i32 (i32.const 1024))
            (func $slice (param $ptr i32) (param $len i32) (result i64)
                (i64.or (i64.extend_i32_u (local.get $ptr))
                        (i64.shl (i64.extend_i32_u (local.get $len)) (i64.const 32))))
            (func (export "echo") (param i32 i32) (result i64) (call $slice (local.get 0) (local.get 1)))
            (func (export "store") (param i32 i32) (result i64)
                (call $set (call $slice (local.get 0) (local.get 1)) (call $slice (local.get 0) (local.get 1)))
                (i64.const 0))
            (func $inner (call $panic (call $slice (i32.const 16) (i32.const 18))) unreachable)
            (func (export "panic") (param i32 i32) (result i64) (call $inner) unreachable)
            (func (export "unknown") (param i32 i32) (result i64) (call $unknown) (i64.const 0))
            (func (export "outside") (param i32 i32) (result i64)
                (call $set (call $slice (i32.const 0xffffff00) (i32.const 100)) (i64.const 0))
                (i64.const 0))
            (func (export "spin") (param i32 i32) (result i64) (loop $again (br $again)) (i64.const 0))
            (func (export "number") (result i32) (i32.const 1)))"#,
    )
    .expect("the text is a module")
}
