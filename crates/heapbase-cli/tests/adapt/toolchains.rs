//! What stock toolchains emit, adapted and called.

use super::common::{json, shared};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn skip(what: &str) {
    println!("SKIPPED: {what}");
    assert!(std::env::var_os("HEAPBASE_REQUIRE_ALL").is_none(), "HEAPBASE_REQUIRE_ALL forbids skipping: {what}");
}

/// The Go compiler: the one that `GO` names, the one that `runtimes/go/build` has installed, or any.
fn go() -> Option<PathBuf> {
    let named = std::env::var_os("GO").map(PathBuf::from);
    let installed = || {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtimes/go/toolchain");
        let versions = std::fs::read_dir(folder).ok()?;
        versions.flatten().map(|version| version.path().join("go/bin/go")).find(|go| go.is_file())
    };
    let found = named.or_else(installed).unwrap_or_else(|| "go".into());
    let works = Command::new(&found).arg("version").output().is_ok_and(|output| output.status.success());
    if !works {
        skip("no Go compiler: set GO, or run runtimes/go/build");
    }
    works.then_some(found)
}

/// A folder for what is built here.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adapt").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Adapts a module, and gives the runtime's path with the report.
fn adapt(module: &Path, to: &str, more: &[&str]) -> (PathBuf, Value) {
    let out = module.with_extension(format!("{to}.wasm"));
    let (module, out_text) = (module.to_str().unwrap(), out.to_str().unwrap());
    let (exit, mut objects) = json(&[&["adapt", module, "--to", to, "-o", out_text], more].concat(), "");
    assert_eq!((exit, objects.len()), (0, 1));
    let (exit, inspected) = json(&["inspect", out_text], "");
    assert_eq!(exit, 0, "{inspected:?}");
    assert_eq!(inspected[0]["spec"], to);
    for import in inspected[0]["imports"].as_array().unwrap() {
        let name = import["name"].as_str().unwrap();
        assert!(import["module"] == "env" && (name == "memory" || name.starts_with("ext_")), "{import}");
    }
    assert_eq!(inspected[0]["features"], serde_json::json!([]));
    let (exit, verified) = json(&["verify", module, out_text], "");
    assert_eq!((exit, &verified[0]["verified"]), (0, &Value::Bool(true)), "{verified:?}");
    (out, objects.remove(0))
}

/// Calls an entry point: the output, or the error.
fn call(runtime: &Path, entry: &str, input: &str) -> Result<String, String> {
    let input: String = input.bytes().map(|byte| format!("{byte:02x}")).collect();
    let input = format!("0x{input}");
    let (_, objects) = json(&["call", runtime.to_str().unwrap(), entry, "--input", &input], "");
    let result = &objects[0];
    match result["output"].as_str() {
        Some(output) => {
            let digits = output.trim_start_matches("0x");
            let bytes = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap());
            Ok(String::from_utf8(bytes.collect()).unwrap())
        }
        None => Err(result["error"].as_str().unwrap().to_owned()),
    }
}

fn build_go(go: &Path, name: &str, flags: &[&str]) -> PathBuf {
    let folder = folder(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/adapt/program.go");
    std::fs::copy(source, folder.join("main.go")).unwrap();
    std::fs::write(folder.join("go.mod"), "module program\n\ngo 1.24\n").unwrap();
    let output = Command::new(go)
        .args(["build", "-trimpath", "-buildmode=c-shared", "-o", "program.wasm"])
        .args(flags)
        .current_dir(&folder)
        .env("GOOS", "wasip1")
        .env("GOARCH", "wasm")
        .env("GOTOOLCHAIN", "local")
        .env("GOFLAGS", "-mod=mod")
        // What runtimes/go/build compiles of Go's library, too.
        .env("GOCACHE", Path::new(env!("CARGO_MANIFEST_DIR")).join("../../runtimes/go/toolchain/cache"))
        .env_remove("GOROOT")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.join("program.wasm")
}

#[test]
fn go_by_its_own_compiler() {
    let Some(go) = go() else { return };
    let module = build_go(&go, "go", &[]);
    for to in ["local", "v1"] {
        let (runtime, report) = adapt(&module, to, &[]);
        let changes = report["changes"].to_string();
        assert!(
            changes.contains("ran `_initialize`") && changes.contains("shifted the table by its 4096"),
            "{changes}"
        );
        assert_eq!(report["allocator"].is_null(), to == "local");
        assert_eq!(call(&runtime, "Core_version", "").unwrap(), "hello from Go");
        assert_eq!(call(&runtime, "empty", "").unwrap(), "");
        assert_eq!(call(&runtime, "words", "b a b c b").unwrap(), "a=1 b=3 c=1");
        assert_eq!(call(&runtime, "goroutines", "").unwrap(), "285");
        assert_eq!(call(&runtime, "sleep", "").unwrap(), "true");
        assert_eq!(call(&runtime, "garbage", "").unwrap(), "collected");
        assert_eq!(call(&runtime, "store", "some value").unwrap(), "");

        let error = call(&runtime, "fail", "abc").unwrap_err();
        assert!(error.contains("panic: runtime error: index out of range [3] with length 3"), "{error}");
        assert!(error.contains("main.go:66"), "{error}");
        let error = call(&runtime, "hoard", "").unwrap_err();
        assert!(error.contains("out of memory"), "{error}");
        let error = call(&runtime, "leave", "").unwrap_err();
        assert!(error.contains("exited with status 7") && error.contains("leaving"), "{error}");
        let error = call(&runtime, "deadlock", "").unwrap_err();
        assert!(error.contains("all goroutines are asleep - deadlock!"), "{error}");
    }
}

#[test]
fn go_without_names() {
    let Some(go) = go() else { return };
    let module = build_go(&go, "go-stripped", &["-ldflags=-s"]);
    let (runtime, _) = adapt(&module, "local", &[]);
    let error = call(&runtime, "fail", "").unwrap_err();
    assert!(error.contains("panic: runtime error: index out of range [0] with length 0"), "{error}");
    assert!(error.contains("main.go:66"), "{error}");
}

#[test]
fn ten_thousand_calls_of_go_do_not_grow() {
    let Some(go) = go() else { return };
    let module = build_go(&go, "go-repeated", &[]);
    for to in ["local", "v1"] {
        let (runtime, _) = adapt(&module, to, &[]);
        // What the last call had of memory, of the host's heap, and of fresh pages where the machine can tell.
        let measure = |repeat: &str| {
            let arguments = ["call", runtime.to_str().unwrap(), "words", "--input", "0x6120622061", "--repeat", repeat];
            let (exit, objects) = json(&[&arguments[..], &["--engine", "wasmtime"]].concat(), "");
            assert_eq!((exit, &objects[0]["output"]), (0, &Value::from("0x613d3220623d31")));
            ["peak_pages", "host_allocations", "touched_bytes"].map(|key| objects[0][key].clone())
        };
        assert_eq!(measure("1"), measure("10000"), "{to}");
    }
}

#[test]
fn c_by_clang_and_its_library() {
    let folder = folder("c");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/adapt/program.c");
    let module = folder.join("program.wasm");
    let output = Command::new("clang")
        .args(["--target=wasm32-wasi", "-O2", "-mexec-model=reactor", "-o"])
        .args([&module, &source])
        .output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) => return skip(&format!("clang cannot build: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => return skip(&format!("no clang: {error}")),
    }
    for to in ["local", "v1"] {
        for init in ["snapshot", "lazy"] {
            let (runtime, _) = adapt(&module, to, &["--init", init]);
            assert_eq!(call(&runtime, "shout", "hello").unwrap(), "HELLO");
            assert_eq!(call(&runtime, "check", "abc").unwrap(), "");
            let error = call(&runtime, "check", "ab").unwrap_err();
            assert!(error.contains("Assertion failed") && error.contains("program.c"), "{error}");
            assert_eq!(call(&runtime, "churn", "").unwrap(), "");
            let error = call(&runtime, "hoard", "").unwrap_err();
            assert!(error.contains("out of memory: the arena of 256 pages of 64 KiB cannot give"), "{error}");
        }
    }
}

#[test]
fn runtimes_of_other_languages_answer_converted() {
    for file in ["runtime-00d145", "node-0a7b03"] {
        let Some(original) = shared(&format!("corpus/{file}.compact.compressed.wasm")) else { return };
        let original = original.to_str().unwrap();
        let out = folder("corpus").join(format!("{file}.wasm"));
        let answer = |runtime: &str, entry: &str| {
            let (exit, mut objects) = json(&["call", runtime, entry, "--engine", "wasmtime"], "");
            assert_eq!(exit, 0, "{file} {entry}: {objects:?}");
            objects.remove(0)["output"].take()
        };
        for to in ["local", "v1"] {
            let (exit, reports) = json(&["convert", original, "--to", to, "-o", out.to_str().unwrap()], "");
            let fitting = if file.starts_with("runtime") { "freeing-bump" } else { "size-class" };
            assert_eq!((exit, &reports[0]["allocator"]), (0, &Value::from(fitting)));
            for entry in ["Core_version", "Metadata_metadata"] {
                assert!(answer(out.to_str().unwrap(), entry) == answer(original, entry), "{file} {to} {entry}");
            }
        }
    }
}

#[test]
fn a_runtime_of_the_corpus_that_nodes_refused() {
    let Some(module) = shared("corpus/node-template-v15-d9ad33.wasm") else { return };
    let copy = folder("corpus").join("node-template-v15.wasm");
    std::fs::copy(module, &copy).unwrap();
    for to in ["local", "v1"] {
        let (runtime, report) = adapt(&copy, to, &[]);
        // TinyGo compiled it, and uses blocks that it has freed.
        assert_eq!(report["allocator"], "freeing-bump");
        let (exit, objects) = json(&["call", runtime.to_str().unwrap(), "Core_version"], "");
        let output = objects[0]["output"].as_str().unwrap();
        assert!(exit == 0 && output.starts_with("0x346e6f64652d74656d706c617465"), "{output}");
    }
}
