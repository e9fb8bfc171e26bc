//! Files, standard input and hexadecimal arguments.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use anyhow::{Context, Result, bail};
use heapbase_host::State;
use heapbase_module::Blob;

/// Reads a file, or standard input where the name is `-`.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        return Ok(bytes);
    }
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Reads a runtime: raw, compressed, or the `:code` of a chain specification or case.
pub(crate) fn runtime(path: &Path) -> Result<Vec<u8>> {
    let bytes = read(path)?;
    let blob = Blob::read(&bytes).with_context(|| path.display().to_string())?;
    Ok(blob.into_wasm())
}

/// Reads a state: a raw chain specification, a case, or `{"top":{},"childrenDefault":{}}`.
pub(crate) fn state(path: &Path) -> Result<State> {
    State::from_json(&read(path)?).with_context(|| path.display().to_string())
}

/// The bytes of `--input`: hexadecimal, or `@` and the name of a file with them.
pub(crate) fn input(argument: &str) -> Result<Vec<u8>> {
    match argument.strip_prefix('@') {
        Some(path) => read(Path::new(path)),
        None => match hex::decode(argument.strip_prefix("0x").unwrap_or(argument)) {
            Ok(bytes) => Ok(bytes),
            Err(error) => bail!("--input is not hexadecimal: {error}; write 0x…, or @FILE for the bytes of a file"),
        },
    }
}
