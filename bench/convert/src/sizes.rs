//! What a conversion adds to a runtime, and how long it takes.

use anyhow::{Context, Result};
use bench_common::{
    material::{Runtime, corpus_files},
    stats::{Clock, sample},
};
use bench_host::{
    chosen,
    race::{Row, race},
    runners::Runner,
};
use heapbase_module::{
    Blob, Spec,
    convert::{ConvertError, Options, convert},
};
use std::path::Path;

/// The specs that are converted to.
pub const TO: [Spec; 2] = [Spec::Local, Spec::V1];

/// The runtime of the corpus that is nearest to 6 MB.
const SIX_MEGABYTES: &str = "polkadot-21c460";

/// What one runtime of the corpus gained, raw.
pub struct Added {
    /// The runtime.
    pub name: String,
    /// Bytes, in the order of [`TO`].
    pub bytes: [i64; 2],
}

/// Converts the whole corpus, save what has no allocator to move.
///
/// # Errors
/// A file cannot be read, or the converter refuses one.
pub fn added(shared: &Path) -> Result<Vec<Added>> {
    let mut all = Vec::new();
    'files: for file in corpus_files(shared)? {
        let runtime = Runtime::read(&file)?;
        let blob = Blob::read(&runtime.code).with_context(|| runtime.name.clone())?;
        let mut bytes = [0; 2];
        for (to, bytes) in TO.into_iter().zip(&mut bytes) {
            match convert(blob.wasm(), &Options::new(to)) {
                Ok(done) => *bytes = done.wasm.len() as i64 - blob.wasm().len() as i64,
                Err(ConvertError::NoAllocator) => continue 'files,
                Err(error) => return Err(error).with_context(|| format!("{} to {to}", runtime.name)),
            }
        }
        all.push(Added { name: runtime.name, bytes });
    }
    Ok(all)
}

/// The time of a conversion, and of what it cannot do without: validating the module once.
///
/// # Errors
/// The runtime cannot be read, or the converter refuses it.
pub fn converting(shared: &Path, rounds: u32) -> Result<Row> {
    let (title, file) = chosen(shared, false)?
        .into_iter()
        .find(|(title, _)| title.starts_with(SIX_MEGABYTES))
        .with_context(|| format!("the corpus has no {SIX_MEGABYTES}"))?;
    let runtime = Runtime::read(&file)?;
    let blob = Blob::read(&runtime.code)?;
    let wasm = blob.wasm();
    let validate = || wasmparser::Validator::new().validate_all(wasm).map(drop).map_err(|error| error.to_string());
    let mut runners = vec![timed("wasmparser validates", validate)];
    for to in TO {
        let convert = move || convert(wasm, &Options::new(to)).map(drop).map_err(|error| error.to_string());
        runners.push(timed(&format!("to {to}"), convert));
    }
    race(&title, rounds, None, runners)
}

fn timed<'a>(name: &str, mut work: impl FnMut() -> Result<(), String> + 'a) -> Runner<'a> {
    let run = move |calls| sample(calls, Clock::Wall, &mut work).map(|sample| (sample, Vec::new()));
    Runner { name: name.to_owned(), run: Box::new(run) }
}
