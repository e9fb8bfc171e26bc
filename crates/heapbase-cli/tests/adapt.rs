//! `heapbase adapt` as a person and a program meet it.

mod common;

#[path = "adapt/toolchains.rs"]
mod toolchains;

use common::{heapbase, json};
use predicates::prelude::*;
use std::path::PathBuf;

/// A module of a toolchain, small.
const MODULE: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "\20\00\00\00\06\00\00\00")
    (data (i32.const 32) "hello\0a")
    (func (export "_initialize") (i32.store8 (i32.const 33) (i32.const 0x61)))
    (func $say (export "say") (param i32 i32) (result i64)
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 8)))
        (i64.const 0x0000000500000020)))"#;

fn files(name: &str) -> (PathBuf, PathBuf) {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("adapt");
    std::fs::create_dir_all(&folder).unwrap();
    let module = folder.join(format!("{name}.wasm"));
    std::fs::write(&module, wat::parse_str(MODULE).unwrap()).unwrap();
    (module, folder.join(format!("{name}.out.wasm")))
}

#[test]
fn a_person_reads_what_was_done() {
    let (module, out) = files("person");
    heapbase()
        .args(["adapt", module.to_str().unwrap(), "--to", "local", "-o", out.to_str().unwrap()])
        .assert()
        .success()
        .stdout(predicate::str::contains("answered 1 import of WASI preview 1"))
        .stdout(predicate::str::contains("ran `_initialize`"))
        .stdout(predicate::str::contains("exported the entry point `say`"));
    heapbase()
        .args(["inspect", out.to_str().unwrap()])
        .assert()
        .success()
        .stdout(predicate::str::contains("to local by heapbase"))
        .stdout(predicate::str::contains("initialised beforehand, random numbers from 0x"));
}

#[test]
fn a_program_reads_the_keys() {
    let (module, out) = files("program");
    let (path, out_path) = (module.to_str().unwrap(), out.to_str().unwrap());
    for to in ["v1", "local"] {
        let (exit, objects) = json(&["adapt", path, "--to", to, "-o", out_path], "");
        let report = &objects[0];
        assert_eq!((exit, &report["from"], report["to"].as_str()), (0, &serde_json::Value::Null, Some(to)));
        assert_eq!(report["allocator"].as_str(), (to == "v1").then_some("size-class"));
        assert_eq!(report["bytes_before"], std::fs::metadata(&module).unwrap().len());
        assert_eq!(report["bytes_after"], std::fs::metadata(&out).unwrap().len());
        assert!(report["changes"].as_array().unwrap().len() > 3);
        let (exit, objects) = json(&["call", out_path, "say"], "");
        assert_eq!((exit, objects[0]["output"].as_str()), (0, Some("0x68616c6c6f")));
    }
}

#[test]
fn all_options_reach_the_record() {
    let (module, out) = files("options");
    let (path, out_path) = (module.to_str().unwrap(), out.to_str().unwrap());
    let version = out.with_extension("json");
    std::fs::write(&version, r#"{"spec_name": "s", "impl_name": "i", "spec_version": 3, "apis": {"Core": 5}}"#)
        .unwrap();
    let options = [
        "--entry",
        "Core_version=say",
        "--arena",
        "1M",
        "--memory",
        "exported",
        "--init",
        "lazy",
        "--env",
        "A=b=c",
        "--seed",
        "0xff",
        "--with",
        "bulk-memory,sign-extension",
        "--no-canonical",
        "--version",
        version.to_str().unwrap(),
    ];
    let (exit, _) = json(&[&["adapt", path, "--to", "local", "-o", out_path], &options[..]].concat(), "");
    assert_eq!(exit, 0);
    let (_, objects) = json(&["inspect", out_path], "");
    let conversion = &objects[0]["conversion"];
    let adapted = &conversion["adapted"];
    assert_eq!(conversion["arena"], 1 << 20);
    assert_eq!((adapted["memory"].as_str(), adapted["init"].as_str()), (Some("exported"), Some("lazy")));
    assert_eq!(adapted["entries"], serde_json::json!([{"name": "Core_version", "export": "say"}]));
    assert_eq!(adapted["environment"], serde_json::json!([["A", "b=c"]]));
    assert_eq!((adapted["seed"].as_str(), adapted["canonical"].as_bool()), (Some("0xff"), Some(false)));
    assert_eq!(adapted["features"], serde_json::json!(["bulk-memory", "sign-extension"]));
    assert_eq!(objects[0]["runtime_version"]["spec_version"], 3);
    let (exit, verified) = json(&["verify", path, out_path], "");
    assert_eq!((exit, verified[0]["verified"].as_bool()), (0, Some(true)));
}

#[test]
fn refusals_name_what_is_wrong_and_leave_no_file() {
    let (module, out) = files("refused");
    let _ = std::fs::remove_file(&out);
    std::fs::write(&module, wat::parse_str(r#"(module (import "gojs" "runtime.wasmExit" (func)))"#).unwrap()).unwrap();
    let adapt = |more: &[&str]| {
        let mut command = heapbase();
        command.args(["adapt", module.to_str().unwrap(), "--to", "local", "-o", out.to_str().unwrap()]).args(more);
        command.assert()
    };
    adapt(&[])
        .code(1)
        .stderr(predicate::str::contains("`gojs.runtime.wasmExit`").and(predicate::str::contains("GOOS=wasip1")));
    std::fs::write(&module, wat::parse_str(MODULE).unwrap()).unwrap();
    adapt(&["--entry", "missing"]).code(2).stderr(predicate::str::contains("`missing`"));
    adapt(&["--env", "A"]).code(2).stderr(predicate::str::contains("NAME=VALUE"));
    adapt(&["--seed", "x"]).code(2).stderr(predicate::str::contains("hexadecimal"));
    adapt(&["--version", "/nonexistent"]).code(2);
    std::fs::write(&module, "no module").unwrap();
    adapt(&[]).code(2);
    assert!(!out.exists());
}

#[test]
fn adapts_from_and_to_a_pipe() {
    let wasm = wat::parse_str(MODULE).unwrap();
    let output = heapbase().args(["adapt", "-", "--to", "v1", "-o", "-"]).write_stdin(wasm).output().unwrap();
    assert!(output.status.success() && output.stdout.starts_with(b"\0asm"));
    assert!(String::from_utf8_lossy(&output.stderr).contains("exported `v1`"));
}
