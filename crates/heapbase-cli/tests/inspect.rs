//! `heapbase inspect` as a person and a program meet it.

use assert_cmd::Command;
use predicates::prelude::*;

const SOUND: &str = r#"(module
    (memory (export "memory") 17)
    (global (export "__heap_base") i32 (i32.const 0x100000))
    (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))"#;

const BROKEN: &str = r#"(module
    (memory (export "memory") 17)
    (func (export "v1"))
    (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))"#;

fn inspect() -> Command {
    let mut command = Command::cargo_bin("heapbase").unwrap();
    command.arg("inspect");
    command
}

#[test]
fn a_sound_module_is_shown_and_ends_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sound.wasm");
    std::fs::write(&file, wat::parse_str(SOUND).unwrap()).unwrap();
    let shown = predicate::str::contains("legacy: the host owns it, from 0x100000 up")
        .and(predicate::str::contains("keeps the rules of `legacy` (0 errors, 0 warnings, 0 notes)"))
        .and(predicate::str::contains("\x1b").not());
    inspect().arg(&file).assert().code(0).stdout(shown).stderr("");
}

#[test]
fn a_broken_module_is_shown_and_ends_with_1() {
    let shown =
        predicate::str::contains("breaks the rules of `v1` (3 errors").and(predicate::str::contains("export alloc"));
    let wasm = wat::parse_str(BROKEN).unwrap();
    inspect().arg("-").write_stdin(wasm).assert().code(1).stdout(shown).stderr("");
}

#[test]
fn json_is_one_line() {
    let wasm = wat::parse_str(BROKEN).unwrap();
    let output = inspect().args(["-", "--json"]).write_stdin(wasm).assert().code(1).get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys = [
        "spec",
        "conforms",
        "blake2_256",
        "problems",
        "imports",
        "exports",
        "memory",
        "heap_base",
        "data_end",
        "runtime_version",
        "runtime_apis",
        "features",
        "size",
        "sections",
    ];
    for key in keys {
        assert!(report.get(key).is_some(), "{key}");
    }
    assert_eq!(report["spec"], "v1");
    assert_eq!(report["memory"], serde_json::json!({"kind": "exported", "min": 17, "max": null}));
}

#[test]
fn what_is_no_runtime_ends_with_2() {
    let cases = [
        (&b"\x7fELF"[..], "found a native program or library"),
        (&b"\0asm\x01\0\0\0\x01\x09"[..], "type section, offset 0xa"),
        (&b"{}"[..], "holds no runtime"),
    ];
    for (bytes, words) in cases {
        inspect().arg("-").write_stdin(bytes).assert().code(2).stdout("").stderr(predicate::str::contains(words));
    }
    inspect().arg("no/such/file").assert().code(2).stderr(predicate::str::contains("cannot read no/such/file"));
}

#[test]
fn text_from_the_module_does_not_reach_the_terminal_raw() {
    let wat = SOUND.replace("Core_version", "\\1b[31mred").replace("(param i32 i32)", "");
    let wasm = wat::parse_str(wat).unwrap();
    let shown = predicate::str::contains("\x1b").not().and(predicate::str::contains("\\u{1b}[31mred"));
    inspect().arg("-").write_stdin(wasm).assert().stdout(shown);
}
