//! What is raced: a runtime in the forms that the converter gives it.

use anyhow::{Context, Result};
use bench_common::material::{Case, Runtime, case_files, corpus_files};
use bench_host::state::PreparedCase;
use heapbase_module::{
    Blob, Spec,
    convert::{Options, convert},
};
use std::path::{Path, PathBuf};

/// Gosemble's runtimes: in Go, by a TinyGo that asks the host for its heap, and the one in Rust that it was measured by.
const FOREIGN: [&str; 2] = ["node-0a7b03", "runtime-00d145"];

/// A form of a runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it was found.
    Original,
    /// Converted to `local`.
    Local,
    /// Converted to `v1`.
    V1,
}

/// A runtime in its forms, and the block that it executes if it is that of a case.
pub struct Subject {
    /// Its name for a row.
    pub title: String,
    /// The raw modules, in the order of [`Form`].
    pub files: [PathBuf; 3],
    /// The case's file, the roots before and after.
    pub case: Option<(PathBuf, [u8; 32], [u8; 32])>,
}

impl Subject {
    /// Converts `code` and writes the forms into `folder`.
    fn new(title: String, code: &[u8], folder: &Path) -> Result<Self> {
        let blob = Blob::read(code).with_context(|| title.clone())?;
        let name = title.split(',').next().unwrap_or(&title);
        let write = |form: &str, wasm: &[u8]| -> Result<PathBuf> {
            let file = folder.join(format!("{name}.{form}.wasm"));
            std::fs::write(&file, wasm).with_context(|| format!("writing {}", file.display()))?;
            Ok(file)
        };
        let converted = |to| {
            let done = convert(blob.wasm(), &Options::new(to)).with_context(|| format!("{title} to {to}"))?;
            write(&to.to_string(), &done.wasm)
        };
        let files = [write("original", blob.wasm())?, converted(Spec::Local)?, converted(Spec::V1)?];
        Ok(Self { title, files, case: None })
    }

    /// The runtimes that are raced, of those that are `named`.
    ///
    /// # Errors
    /// The corpus cannot be read, or the converter refuses one.
    pub fn runtimes(shared: &Path, folder: &Path, smoke: bool, named: impl Fn(&str) -> bool) -> Result<Vec<Self>> {
        let chosen = bench_host::chosen(shared, smoke)?.into_iter().filter(|(title, _)| named(title));
        chosen.map(|(title, file)| Self::new(title, &Runtime::read(&file)?.code, folder)).collect()
    }

    /// The runtimes that other languages' compilers made, of those that are `named`; none for a `smoke` test.
    ///
    /// # Errors
    /// The corpus cannot be read, or the converter refuses one.
    pub fn foreign(shared: &Path, folder: &Path, smoke: bool, named: impl Fn(&str) -> bool) -> Result<Vec<Self>> {
        let mut subjects = Vec::new();
        for file in corpus_files(shared)? {
            let runtime = Runtime::read(&file)?;
            if !smoke && FOREIGN.iter().any(|prefix| runtime.name.starts_with(prefix)) && named(&runtime.name) {
                subjects.push(Self::new(runtime.name.clone(), &runtime.code, folder)?);
            }
        }
        Ok(subjects)
    }

    /// The cases that are `named`; one for a `smoke` test.
    ///
    /// # Errors
    /// A case cannot be read, or the converter refuses its runtime.
    pub fn cases(shared: &Path, folder: &Path, smoke: bool, named: impl Fn(&str) -> bool) -> Result<Vec<Self>> {
        let mut subjects = Vec::new();
        for file in case_files(shared)? {
            let case = Case::read(&file)?;
            if (smoke && !case.name.starts_with("kusama")) || !named(&case.name) {
                continue;
            }
            let state = PreparedCase::new(&case)?;
            let mut subject = Self::new(case.name.clone(), &case.runtime()?.code, folder)?;
            subject.case = Some((file, state.parent_state_root, state.expected_state_root));
            subjects.push(subject);
        }
        Ok(subjects)
    }
}
