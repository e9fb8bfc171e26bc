//! What `convert`, `adapt` and `stub` have in common: a module goes in, another comes out, and what was done is told.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use heapbase_module::{Blake2_256, Blob};
use humansize::{BINARY, format_size};
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::{exit::Exit, text::one_line};

/// Where the module goes, and how it is told.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Where to write the result; `-` is standard output.
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Write the compressed form of the Polkadot SDK.
    #[arg(long)]
    compressed: bool,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A module that was rewritten.
pub(crate) struct Rewritten<'a> {
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) allocator: Option<String>,
    pub(crate) wasm: &'a [u8],
    pub(crate) changes: Vec<String>,
    pub(crate) warnings: Vec<String>,
}

/// The keys that programs rely on.
#[derive(Serialize)]
struct Report<'a> {
    from: Option<&'a str>,
    to: &'a str,
    allocator: Option<&'a str>,
    bytes_before: usize,
    bytes_after: usize,
    original_blake2_256: String,
    original_blake2_256_compressed: Option<String>,
    blake2_256: String,
    blake2_256_compressed: Option<String>,
    changes: &'a [String],
    warnings: &'a [String],
}

/// Writes the module and reports. Nothing is written unless all of it is.
pub(crate) fn finish(rewritten: &Rewritten<'_>, before: &Blob<'_>, output: &Output) -> Result<Exit> {
    let Output { out, compressed, json } = output;
    let packed = if *compressed {
        Some(heapbase_module::blob::compress(rewritten.wasm).context("cannot compress the result")?)
    } else {
        None
    };
    write(out, packed.as_deref().unwrap_or(rewritten.wasm))?;
    let report = Report {
        from: rewritten.from.as_deref(),
        to: &rewritten.to,
        allocator: rewritten.allocator.as_deref(),
        bytes_before: before.wasm().len(),
        bytes_after: rewritten.wasm.len(),
        original_blake2_256: before.blake2_256().to_string(),
        original_blake2_256_compressed: before.blake2_256_compressed().map(|hash| hash.to_string()),
        blake2_256: Blake2_256::of(rewritten.wasm).to_string(),
        blake2_256_compressed: packed.as_deref().map(|packed| Blake2_256::of(packed).to_string()),
        changes: &rewritten.changes,
        warnings: &rewritten.warnings,
    };
    // A module on standard output leaves the report no other place.
    let mut to: Box<dyn Write> =
        if out == Path::new("-") { Box::new(anstream::stderr()) } else { Box::new(anstream::stdout()) };
    if *json {
        writeln!(to, "{}", serde_json::to_string(&report)?)?;
    } else {
        print(&mut to, &report)?;
    }
    to.flush()?;
    Ok(Exit::Success)
}

fn print(to: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let line = |to: &mut dyn Write, label: &str, text: &str| writeln!(to, "{:<11}{}", label.bold(), one_line(text));
    let from = report.from.map(|from| format!("{from} → ")).unwrap_or_default();
    line(to, "spec", &format!("{from}{}", report.to))?;
    if let Some(allocator) = report.allocator {
        line(to, "allocator", allocator)?;
    }
    let difference = report.bytes_after as i64 - report.bytes_before as i64;
    let sizes = format!("{} → {}", format_size(report.bytes_before, BINARY), format_size(report.bytes_after, BINARY));
    line(to, "size", &format!("{sizes} ({difference:+} bytes)"))?;
    for (label, raw, compressed) in [
        ("original", &report.original_blake2_256, &report.original_blake2_256_compressed),
        ("result", &report.blake2_256, &report.blake2_256_compressed),
    ] {
        line(to, label, &format!("{raw} BLAKE2-256 of the module"))?;
        if let Some(compressed) = compressed {
            line(to, "", &format!("{compressed} BLAKE2-256 of the compressed form"))?;
        }
    }
    for change in report.changes {
        line(to, "changed", change)?;
    }
    for warning in report.warnings {
        writeln!(to, "{} {}", "warning:".yellow().bold(), one_line(warning))?;
    }
    Ok(())
}

/// Writes a file whole or not at all: beside its place first, then renamed.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if path == Path::new("-") {
        let mut out = io::stdout().lock();
        return Ok(out.write_all(bytes).and_then(|()| out.flush())?);
    }
    let failed = || format!("cannot write {}", path.display());
    // A device or a pipe is written to as it is: renaming would put a file in its place.
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return std::fs::write(path, bytes).with_context(failed);
    }
    // What a link leads to is replaced, not the link.
    let linked = path.is_symlink().then(|| path.canonicalize()).transpose().with_context(failed)?;
    let path = linked.as_deref().unwrap_or(path);
    if path.metadata().is_ok_and(|metadata| metadata.permissions().readonly()) {
        anyhow::bail!("cannot write {}: the file is there and may only be read", path.display());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
    file.write_all(bytes).with_context(failed)?;
    set_mode(file.as_file(), path).with_context(failed)?;
    file.persist(path).with_context(failed)?;
    Ok(())
}

/// The mode of the file that is replaced, or of any new one: temporary files are for their owner alone.
#[cfg(unix)]
fn set_mode(file: &std::fs::File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = match path.metadata() {
        Ok(metadata) => metadata.permissions(),
        Err(_) => {
            let mask = rustix::process::umask(rustix::fs::Mode::empty());
            rustix::process::umask(mask);
            std::fs::Permissions::from_mode(0o666 & !mask.as_raw_mode())
        }
    };
    file.set_permissions(permissions)
}

#[cfg(not(unix))]
fn set_mode(_: &std::fs::File, _: &Path) -> io::Result<()> {
    Ok(())
}
