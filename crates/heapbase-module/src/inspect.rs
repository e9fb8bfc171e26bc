//! From a module to a [`Report`]: what it is, which allocator spec it follows, and where it breaks a rule.
//!
//! One pass over the bytes (`outline`) collects what the module declares; the rules are then questions to that
//! outline, one file per spec. The order of a report's problems is by severity, then in the order of the rules, so the
//! same bytes give the same report.

mod apis;
mod collector;
mod features;
mod flaw;
mod memory;
mod operators;
mod outline;
mod report;
mod rules;
mod types;
mod validity;
mod version;

pub use features::{Feature, FeatureUse, MOST_OFFSETS};
pub use flaw::{Flaw, Place, Problem, Severity};
pub(crate) use operators::{behind_first_number, proposal};
pub use report::{
    Conversion, Export, ExternKind, Import, Memory, MemoryKind, Report, RuntimeApi, RuntimeVersion, Section,
};

use crate::{Blob, Error};
use collector::Problems;
use outline::Outline;

/// Inspects a runtime in any of the forms that [`Blob::read`] accepts.
///
/// # Errors
///
/// Those of [`Blob::read`], and [`Error::Malformed`] where the module breaks the binary format. A module that can be
/// read but is invalid, or breaks a rule of its allocator spec, is no error: see [`Report::problems`].
pub fn inspect(bytes: &[u8]) -> Result<Report, Error> {
    inspect_blob(&Blob::read(bytes)?)
}

/// Inspects a runtime that has been read already.
///
/// # Errors
///
/// [`Error::Malformed`] where the module breaks the binary format.
pub fn inspect_blob(blob: &Blob<'_>) -> Result<Report, Error> {
    let wasm = blob.wasm();
    let outline = Outline::read(wasm)?;
    let mut problems = Problems::default();
    validity::check(wasm, &outline, &mut problems);
    let spec = rules::check(&outline, &mut problems);
    let (runtime_version, runtime_apis) = version::read(&outline, &mut problems);
    let problems = problems.finish();
    Ok(Report {
        spec,
        conforms: problems.iter().all(|problem| problem.severity() != Severity::Error),
        blake2_256: blob.blake2_256(),
        blake2_256_compressed: blob.blake2_256_compressed(),
        problems,
        conversion: report::conversion(&outline),
        imports: report::imports(&outline),
        exports: report::exports(&outline),
        memory: memory::of_report(&outline),
        heap_base: outline.heap_base(),
        data_end: outline.data_end(),
        runtime_version,
        runtime_apis,
        features: outline.features.uses(),
        size: wasm.len() as u64,
        size_compressed: blob.is_compressed().then(|| blob.stored().len() as u64),
        sections: outline.sections,
    })
}
