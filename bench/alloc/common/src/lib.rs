//! What the benchmarks share: building guests for Wasm, writing a section of `RESULTS.md`.

#![forbid(unsafe_code)]
#![warn(missing_docs)]

use anyhow::{Context, Result, ensure};
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Builds the crate in `guest` with one cargo feature (or none, if the name is empty), in release mode for `wasm32v1-none`; copies the module to `out`
/// under the feature's name, or its own.
///
/// # Errors
///
/// When it does not build, or the files cannot be written.
pub fn build_guest(guest: &Path, feature: &str, module: &str, out: &Path) -> Result<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wasm-cargo");
    let status = Command::new(script)
        .args(["build", "--release", "--quiet", "-j2", "--features", feature])
        .current_dir(guest)
        .status()
        .context("cannot run wasm-cargo")?;
    ensure!(status.success(), "the guest for {feature} does not build");
    std::fs::create_dir_all(out)?;
    let name = if feature.is_empty() { module.trim_end_matches(".wasm") } else { feature };
    let path = out.join(format!("{name}.wasm"));
    std::fs::copy(guest.join("target/wasm32v1-none/release").join(module), &path)?;
    Ok(path)
}

/// Replaces what stands between `<!-- begin NAME -->` and `<!-- end NAME -->` in a file, or appends such a section.
///
/// # Errors
///
/// When the file cannot be written.
pub fn replace_section(path: &Path, name: &str, text: &str) -> Result<()> {
    let old = std::fs::read_to_string(path).unwrap_or_default();
    let (begin, end) = (format!("<!-- begin {name} -->"), format!("<!-- end {name} -->"));
    let new = match (old.find(&begin), old.find(&end)) {
        (Some(from), Some(to)) if from < to => {
            format!("{}{begin}\n{text}{}", &old[..from], &old[to..])
        }
        _ => format!("{old}{begin}\n{text}{end}\n"),
    };
    std::fs::write(path, new).with_context(|| format!("cannot write {}", path.display()))
}
