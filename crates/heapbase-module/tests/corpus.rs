//! The real runtimes of `../shared/corpus`, against what its manifest says of them.

use heapbase_module::inspect::{ExternKind, MemoryKind};
use heapbase_module::{Blob, Severity, Spec, inspect};
use std::fs;
use std::path::{Path, PathBuf};

/// The corpus beside the repository. Without it the test says so, and fails where skipping is forbidden.
fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus");
    if folder.join("manifest.tsv").is_file() {
        return Some(folder);
    }
    println!("SKIPPED: no corpus of runtimes at ../shared/corpus beside the repository");
    assert!(std::env::var_os("HEAPBASE_REQUIRE_ALL").is_none(), "HEAPBASE_REQUIRE_ALL forbids skipping");
    None
}

#[test]
fn every_runtime_is_what_the_manifest_says() {
    let Some(folder) = corpus() else { return };
    let manifest = fs::read_to_string(folder.join("manifest.tsv")).unwrap();
    let mut lines = manifest.lines();
    assert_eq!(lines.next(), Some("file\tsha256_16\twasm_bytes\truntime_version\timports\tmemory"));
    let mut count = 0;
    for line in lines {
        let [file, sha256, size, version, imports, memory] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("manifest: {line}");
        };
        count += 1;
        let bytes = fs::read(folder.join(file)).unwrap();
        let report = inspect(&bytes).unwrap_or_else(|error| panic!("{file}: {error}"));

        let blob = Blob::read(&bytes).unwrap();
        assert_eq!(&hex::encode(sp_crypto_hashing::sha2_256(blob.wasm()))[..16], sha256, "{file}");
        assert_eq!(report.size.to_string(), size, "{file}");
        // The manifest names a runtime by `spec_name/impl_name-spec_version`, where a section says so.
        let name = report.runtime_version.as_ref();
        let name = name.map(|v| format!("{}/{}-{}", v.spec_name, v.impl_name, v.spec_version));
        assert_eq!(name.as_deref().unwrap_or("-"), version, "{file}");
        let functions = report.imports.iter().filter(|import| import.kind == ExternKind::Function);
        assert_eq!(functions.count().to_string(), imports, "{file}");
        let kind = report.memory.map(|memory| memory.kind);
        let expected = if memory == "imported" { MemoryKind::Imported } else { MemoryKind::Exported };
        assert_eq!(kind, Some(expected), "{file}");

        assert_eq!((report.spec, report.conforms), (Spec::Legacy, true), "{file}: {:?}", report.problems);
        assert!(report.heap_base.is_some(), "{file}");
        let sections: u64 = report.sections.iter().map(|section| section.size).sum();
        assert_eq!(sections + 8, report.size, "{file}");
        // One of them was built with bulk memory, which no stock node runs.
        let bulk = file.starts_with("node-template-v15");
        let warnings = report.problems.iter().filter(|problem| problem.severity() == Severity::Warning);
        let codes: Vec<_> = warnings.map(|problem| problem.code()).collect();
        assert_eq!(codes, if bulk { vec!["refused-feature"] } else { vec![] }, "{file}");
    }
    assert_eq!(count, 40);
}
