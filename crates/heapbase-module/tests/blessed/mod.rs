//! Tests that are files: every `.wat` of a folder says in lines that begin with `;;!` what a pass changes, or why it refuses, and the
//! module that comes out lies beside it.
//!
//! With `HEAPBASE_BLESS=1` all of it is written anew.

use heapbase_module::pass::{PassError, Passed};
use std::fs;
use std::path::Path;
use wasmparser::{Validator, WasmFeatures};

/// Goes through a folder below `tests`, with at least so many modules. `pass` gets the text and the module.
pub(crate) fn check(folder: &str, least: usize, pass: impl Fn(&str, &[u8]) -> Result<Passed, PassError>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<_> = fs::read_dir(root)
        .expect("the folder")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .filter(|path| !path.to_string_lossy().ends_with(".after.wat"))
        .collect();
    paths.sort();
    assert!(paths.len() >= least, "found only {} modules", paths.len());
    let bless = std::env::var_os("HEAPBASE_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("readable");
        let (expected, rest): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with(";;!"));
        let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if let Err(error) = Validator::new_with_features(WasmFeatures::all()).validate_all(&wasm) {
            panic!("{}: {error}", path.display());
        }
        let (lines, output) = match pass(&text, &wasm) {
            Ok(passed) => {
                assert_eq!(passed.wasm == wasm, passed.changes.is_empty(), "{}", path.display());
                let warnings = passed.warnings.iter().map(|warning| format!("warning: {warning}"));
                let mut lines: Vec<_> = passed.changes.iter().cloned().chain(warnings).collect();
                if passed.changes.is_empty() {
                    lines.push("nothing to do".to_owned());
                }
                (lines, Some(wasmprinter::print_bytes(&passed.wasm).expect("it is valid")))
            }
            Err(error) => (vec![format!("refused: {error}")], None),
        };
        let lines: Vec<String> = lines.iter().map(|line| format!(";;! {line}")).collect();
        let beside = path.with_extension("after.wat");
        let output = output.map(|output| without_added(&output));
        if bless {
            let all = lines.iter().map(String::as_str).chain(rest);
            fs::write(&path, all.flat_map(|line| [line, "\n"]).collect::<String>()).expect("writable");
            match &output {
                Some(output) => fs::write(&beside, output).expect("writable"),
                None => drop(fs::remove_file(&beside)),
            }
            continue;
        }
        let found = fs::read_to_string(&beside).ok();
        if lines != expected || found != output {
            wrong.push(format!(
                "{}\nexpected\n{}\n{}\nfound\n{}\n{}",
                path.display(),
                expected.join("\n"),
                found.unwrap_or_default(),
                lines.join("\n"),
                output.unwrap_or_default()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} modules differ:\n\n{}", wrong.len(), wrong.join("\n"));
}

/// The text of a module, without the bodies of functions that heapbase added: these are looked at by what they do.
fn without_added(text: &str) -> String {
    let mut kept = String::new();
    let mut skipping = false;
    for line in text.lines() {
        if line.starts_with("  (func ") {
            skipping = line.contains("heapbase.");
            if skipping {
                kept += line;
                kept += " …)\n";
            }
        }
        if !skipping {
            kept += line;
            kept.push('\n');
        }
        skipping &= line != "  )";
    }
    kept
}
