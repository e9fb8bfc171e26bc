//! `heapbase call` as a person and a program meet it.

mod common;

use common::{heapbase, json, runtime};
use predicates::{
    prelude::PredicateBooleanExt,
    str::{contains, is_empty},
};

const KEYS: [&str; 15] = [
    "name",
    "entry",
    "spec",
    "engine",
    "ok",
    "error",
    "output",
    "state_root",
    "expected_state_root",
    "micros_min",
    "micros_median",
    "peak_pages",
    "touched_bytes",
    "host_allocations",
    "guest_allocator",
];

#[test]
fn json_has_the_documented_keys_on_both_engines() {
    for engine in ["wasmtime", "wasmi"] {
        let (status, objects) = json(&["call", "-", "echo", "--input", "0x010203", "--engine", engine], runtime());
        assert_eq!((status, objects.len()), (0, 1));
        let keys: Vec<_> = objects[0].as_object().expect("an object").keys().collect();
        assert_eq!(keys, KEYS);
        assert_eq!(objects[0]["output"], "0x010203");
        assert_eq!(objects[0]["spec"], "legacy");
        assert_eq!(objects[0]["engine"], engine);
        assert_eq!(objects[0]["ok"], true);
        assert_eq!(objects[0]["host_allocations"], 1);
    }
}

#[test]
fn what_is_stored_changes_the_root_and_the_state_of_a_file_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().join("state.json");
    std::fs::write(&state, r#"{"top":{"0x01":"0x02"},"childrenDefault":{}}"#).expect("written");
    let state = state.to_str().expect("UTF-8");
    let root = |arguments: &[&str]| json(arguments, runtime()).1[0]["state_root"].as_str().expect("a root").to_owned();
    let empty = root(&["call", "-", "echo"]);
    let stored = root(&["call", "-", "store", "--input", "aa"]);
    let on_state = root(&["call", "-", "store", "--input", "aa", "--state", state]);
    assert!(empty != stored && stored != on_state && on_state != empty);
    // Repeated calls all begin on the state as it was.
    assert_eq!(root(&["call", "-", "store", "--input", "aa", "--state", state, "--repeat", "3"]), on_state);
}

#[test]
fn auto_interprets_a_single_call_until_compiled_code_is_cached() {
    let cache = tempfile::tempdir().expect("a folder");
    let engine = |arguments: &[&str]| {
        let output = heapbase()
            .env("HEAPBASE_CACHE", cache.path())
            .args(["call", "-", "echo", "--json"])
            .args(arguments)
            .write_stdin(runtime())
            .output()
            .expect("the command runs");
        let object: serde_json::Value = serde_json::from_slice(&output.stdout).expect("an object");
        object["engine"].as_str().expect("a name").to_owned()
    };
    assert_eq!(engine(&[]), "wasmi");
    assert_eq!(engine(&["--repeat", "2", "--no-cache"]), "wasmtime");
    assert_eq!(engine(&[]), "wasmi");
    assert_eq!(engine(&["--repeat", "2"]), "wasmtime");
    assert_eq!(engine(&[]), "wasmtime");
    // A damaged file of the cache is compiled again.
    for file in std::fs::read_dir(cache.path()).expect("the cache") {
        let path = file.expect("a file").path();
        let mut code = std::fs::read(&path).expect("readable");
        let middle = code.len() / 2;
        code[middle] ^= 0xff;
        std::fs::write(&path, code).expect("writable");
    }
    assert_eq!(engine(&["--engine", "wasmtime"]), "wasmtime");
}

#[test]
fn a_panic_is_told_in_the_runtimes_words_with_a_backtrace() {
    heapbase()
        .args(["call", "-", "panic", "--engine", "wasmtime"])
        .write_stdin(runtime())
        .assert()
        .code(1)
        .stdout(is_empty())
        .stderr(contains("something is wrong"))
        .stderr(contains("inner at 0x"));
    let (status, objects) = json(&["call", "-", "panic"], runtime());
    assert_eq!((status, &objects[0]["ok"]), (1, &false.into()));
    assert!(objects[0]["error"].as_str().expect("an error").contains("something is wrong"));
}

#[test]
fn a_failure_inside_of_a_host_function_names_it() {
    for engine in ["wasmtime", "wasmi"] {
        heapbase()
            .args(["call", "-", "outside", "--engine", engine])
            .write_stdin(runtime())
            .assert()
            .code(1)
            .stderr(contains("100 bytes at 0xffffff00").and(contains("`ext_storage_set_version_1`")));
    }
}

#[test]
fn unknown_imports_trap_with_their_name_or_are_refused() {
    for engine in ["wasmtime", "wasmi"] {
        heapbase()
            .args(["call", "-", "echo", "--engine", engine])
            .write_stdin(runtime())
            .assert()
            .code(0)
            .stderr(contains("warning").and(contains("env.ext_no_such_function_version_9")));
        heapbase()
            .args(["call", "-", "unknown", "--engine", engine])
            .write_stdin(runtime())
            .assert()
            .code(1)
            .stderr(contains("called `env.ext_no_such_function_version_9`"));
        heapbase()
            .args(["call", "-", "echo", "--strict", "--engine", engine])
            .write_stdin(runtime())
            .assert()
            .code(1)
            .stderr(contains("`env.ext_no_such_function_version_9`"));
    }
}

#[test]
fn fuel_ends_an_endless_loop() {
    for engine in ["wasmtime", "wasmi"] {
        heapbase()
            .args(["call", "-", "spin", "--fuel", "1000000", "--engine", engine])
            .write_stdin(runtime())
            .assert()
            .code(1)
            .stderr(contains("fuel"));
    }
}

#[test]
fn usage_and_unreadable_input_end_with_2_and_say_what_helps() {
    let ends = |arguments: &[&str], input: Vec<u8>, said: &str| {
        heapbase().args(arguments).write_stdin(input).assert().code(2).stdout(is_empty()).stderr(contains(said));
    };
    ends(&["call", "-", "ech"], runtime(), "similar: `echo`");
    ends(&["call", "-", "number"], runtime(), "(i32, i32) -> i64");
    ends(&["call", "-", "echo", "--input", "0xzz"], runtime(), "@FILE");
    ends(&["call", "-", "echo"], b"hello".to_vec(), "68656c6c6f");
    ends(&["call", "-", "echo"], Vec::new(), "no bytes at all");
    ends(&["call", "no-such-file.wasm", "echo"], Vec::new(), "no-such-file.wasm");
    ends(&["call", "-", "echo", "--state", "no-such-state.json"], runtime(), "no-such-state.json");
    ends(&["call", "-", "echo", "--heap-pages", "70000"], runtime(), "65536");
    ends(&["call", "-", "echo", "--repeat", "0"], runtime(), "--repeat");
}

#[test]
fn a_module_cut_short_is_refused_with_the_place() {
    let mut cut = runtime();
    cut.truncate(cut.len() / 2);
    for engine in ["wasmtime", "wasmi"] {
        heapbase()
            .args(["call", "-", "echo", "--engine", engine])
            .write_stdin(cut.clone())
            .assert()
            .code(2)
            .stderr(contains("offset 0x"));
    }
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    use std::process::{Command, Stdio};
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("runtime.wasm");
    std::fs::write(&file, runtime()).expect("written");
    for json in [&["--json"][..], &[]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = Command::new(env!("CARGO_BIN_EXE_heapbase"))
            .args(["call".as_ref(), file.as_os_str(), "echo".as_ref(), "--no-cache".as_ref()])
            .args(json)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .expect("the command runs");
        assert_eq!(output.status.code(), Some(0));
        assert!(!String::from_utf8_lossy(&output.stderr).contains("error"), "{output:?}");
    }
}
