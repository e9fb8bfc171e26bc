//! What lowering makes of each construct, and what it refuses: every `.wat` below `lower/` says in lines that begin with `;;!` what was
//! changed, or why not, and is followed by the module that came out. How lowered modules behave is the matter of `passes` and of the
//! files beside this one.
//!
//! `HEAPBASE_BLESS=1 cargo test -p heapbase-module --test lower` writes all of it anew.

#[path = "lower/edges.rs"]
mod edges;
#[path = "lower/hostile.rs"]
mod hostile;
#[path = "lower/memory.rs"]
mod memory;

use heapbase_module::lower::{LowerError, Lowered, Options, lower};
use std::fs;
use std::path::{Path, PathBuf};
use wasmparser::{Validator, WasmFeatures};

/// Lowers a module of some text by the options that its first lines ask for with `;;@`.
fn lowered(text: &str) -> Result<Lowered, LowerError> {
    let mut options = Options::default();
    for line in text.lines() {
        match line {
            ";;@ sign extension" => options.sign_extension = true,
            ";;@ bulk memory" => options.bulk_memory = true,
            ";;@ mutable globals" => options.mutable_globals = true,
            _ => assert!(!line.starts_with(";;@"), "no such option: {line}"),
        }
    }
    let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    if let Err(error) = Validator::new_with_features(WasmFeatures::all()).validate_all(&wasm) {
        panic!("{error}\n{text}");
    }
    let lowered = lower(&wasm, &options)?;
    if let Err(error) = Validator::new_with_features(options.features()).validate_all(&lowered.wasm) {
        panic!("{error}\n{text}");
    }
    assert_eq!(lowered.wasm == wasm, lowered.changes.is_empty(), "{text}");
    let again = lower(&lowered.wasm, &options).expect("what is lowered can be lowered");
    assert_eq!((again.wasm, again.changes), (lowered.wasm.clone(), Vec::new()), "twice is once: {text}");
    Ok(lowered)
}

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lower");
    let mut paths: Vec<_> = fs::read_dir(root)
        .expect("the folder")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .filter(|path| !path.to_string_lossy().ends_with(".lowered.wat"))
        .collect();
    paths.sort();
    paths
}

#[test]
fn every_module_becomes_what_lies_beside_it() {
    let paths = files();
    assert!(paths.len() >= 30, "found only {} modules", paths.len());
    let bless = std::env::var_os("HEAPBASE_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).expect("readable");
        let (expected, rest): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with(";;!"));
        let (lines, output) = match lowered(&text) {
            Ok(lowered) => {
                let warnings = lowered.warnings.iter().map(|warning| format!("warning: {warning}"));
                let mut lines: Vec<_> = lowered.changes.iter().cloned().chain(warnings).collect();
                if lines.is_empty() {
                    lines.push("nothing to do".to_owned());
                }
                (lines, Some(wasmprinter::print_bytes(&lowered.wasm).expect("it is valid")))
            }
            Err(error) => (vec![format!("refused: {error}")], None),
        };
        let lines: Vec<String> = lines.iter().map(|line| format!(";;! {line}")).collect();
        let beside = path.with_extension("lowered.wat");
        // Functions that are added are looked at by what they do.
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

/// The text of a module, without the bodies of functions that heapbase added.
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
