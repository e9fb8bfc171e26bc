//! Every runtime of the corpus, in wasmi and in node's engine, with nothing to import.

use super::instance;
use heapbase_module::Blob;
use heapbase_module::stub::{Policy, StubOptions, stub};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn skip(what: &str) {
    println!("SKIPPED: {what}");
    assert!(std::env::var_os("HEAPBASE_REQUIRE_ALL").is_none(), "HEAPBASE_REQUIRE_ALL forbids skipping");
}

fn corpus() -> Option<Vec<PathBuf>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    let Ok(entries) = std::fs::read_dir(folder) else {
        skip("no corpus of runtimes at ../shared/corpus beside the repository");
        return None;
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wasm"));
    files.sort();
    assert_eq!(files.len(), 40);
    Some(files)
}

#[test]
fn every_runtime_instantiates_with_nothing_to_import() {
    let Some(files) = corpus() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut written = Vec::new();
    for file in &files {
        let name = file.file_name().unwrap().to_string_lossy();
        let wasm = Blob::read(&std::fs::read(file).unwrap()).unwrap().into_wasm();
        for policy in [Policy::Trap, Policy::Zero] {
            let result = stub(&wasm, &StubOptions::new(policy)).unwrap_or_else(|error| panic!("{name}: {error}"));
            wasmparser::Validator::new().validate_all(&result.wasm).unwrap();
            assert!(result.warnings.is_empty(), "{name}: {:?}", result.warnings);
            if let Err(error) = instance(&result.wasm) {
                panic!("{name}, {policy:?}: {error}");
            }
            let path = folder.path().join(format!("{policy:?}-{name}"));
            std::fs::write(&path, &result.wasm).unwrap();
            written.push(path);
        }
    }
    instantiate_in_node(&written);
}

/// Instantiates in node, calls an entry point that every runtime has, and asks that the trap names the import.
fn instantiate_in_node(files: &[PathBuf]) {
    const SCRIPT: &str = r#"
        const fs = require("fs");
        for (const file of process.argv.slice(1)) {
            const module = new WebAssembly.Module(fs.readFileSync(file));
            if (WebAssembly.Module.imports(module).length) throw new Error(file + " imports something");
            const exports = new WebAssembly.Instance(module, {}).exports;
            if (!(exports.memory instanceof WebAssembly.Memory)) throw new Error(file + " exports no memory");
            if (!file.includes("Trap-")) continue;
            // What an entry point needs first of its host is named by the backtrace.
            let named = 0;
            for (const name of ["Core_version", "Metadata_metadata"]) {
                if (!exports[name]) continue;
                try { exports[name](8, 0); } catch (error) {
                    if (/at \S*\benv\.ext_\w+_version_\d/.test(error.stack)) named++;
                }
            }
            console.log(named);
        }"#;
    let mut command = Command::new("node");
    command.arg("-e").arg(SCRIPT).arg("--").args(files);
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return skip("node is not installed"),
        Err(error) => panic!("node: {error}"),
    };
    std::io::stderr().write_all(&output.stderr).unwrap();
    assert!(output.status.success(), "node: {}", output.status);
    let counts: Vec<u32> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(counts.len(), files.len() / 2);
    assert!(counts.iter().all(|named| *named > 0), "{counts:?}");
}
