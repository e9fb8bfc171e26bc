//! What the integration tests share: where things are, and what to do where they are not.

#![allow(dead_code, reason = "each test uses its part")]

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// Says loudly that something is not tested here. With `HEAPBASE_REQUIRE_ALL=1`, as on the build server, fails instead.
pub(crate) fn skipped(what: &str, why: &str) {
    if std::env::var("HEAPBASE_REQUIRE_ALL").is_ok_and(|value| value == "1") {
        panic!("{what} cannot be tested, and HEAPBASE_REQUIRE_ALL=1 says that it must be: {why}");
    }
    // Not `eprintln!`, which the test harness would keep to itself.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}: {why}");
}

/// The root of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder beside the repository that holds what is not part of it, where it is there.
pub(crate) fn shared(folder: &str) -> Option<PathBuf> {
    let path = repository().join("../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    skipped(folder, "it is not beside the repository");
    None
}

/// The files of a folder with an ending, by name.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(ending)))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "nothing that ends in {ending} in {}", folder.display());
    files
}

/// Builds the test guest, in which nothing is done when it is newer than its sources: name and module of each variant.
/// `None` where no toolchain can build it.
pub(crate) fn guests() -> Option<Vec<(&'static str, Vec<u8>)>> {
    let folder = repository().join("runtimes/test-guest");
    // The flags and the compiler that this test was built with mean nothing to the guest.
    let output = Command::new(folder.join("build"))
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC")
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CARGO_TARGET_DIR")
        .output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let lines: Vec<_> = said.lines().rev().take(20).collect();
            let last: Vec<_> = lines.into_iter().rev().collect();
            skipped("the test guest", &format!("its build script failed:\n{}", last.join("\n")));
            return None;
        }
        Err(error) => {
            skipped("the test guest", &format!("its build script does not start: {error}"));
            return None;
        }
    }
    let names = ["legacy", "legacy-memory-exported", "v1", "v1-memory-exported"];
    let read = |name| {
        let path = folder.join("out").join(format!("{name}.wasm"));
        (name, std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    Some(names.map(read).into())
}
