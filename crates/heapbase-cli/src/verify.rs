//! `heapbase verify`: is this runtime exactly the conversion of that one?

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Args;
use heapbase_module::{
    Blob,
    record::Record,
    verify::{self, VerifyError},
};
use owo_colors::OwoColorize;
use serde::Serialize;

use crate::{
    convert,
    exit::{self, Exit},
    source,
    text::printable,
};

const EXAMPLES: &str = "Examples:
  heapbase verify runtime.compact.compressed.wasm runtime-local.compact.compressed.wasm
  heapbase verify original.wasm converted.wasm --allocator my-allocator.wasm --json

The hash of the compressed form is printed for a file in that form: a chain authorises it. JSON: verified, error, section,
section_name and offset (of the first difference, in the decompressed module), original and converted (each blake2_256 and
blake2_256_compressed), and what the record says: to, converter, allocator, allocator_blake2_256, arena, in_place,
routines.

Exit status: 0 CONVERTED is the conversion of ORIGINAL, byte for byte, in its compressed form too where it has that; 1 it is not, or cannot be told to be; 2 usage, or input that
cannot be read.";

/// Check that a runtime is exactly the conversion of a known one.
///
/// Repeats the conversion that CONVERTED records on ORIGINAL, and compares bytes.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// The runtime before: Wasm, compressed Wasm, or JSON with `:code`; `-` reads standard input.
    original: PathBuf,
    /// The runtime after, in any of these forms.
    converted: PathBuf,
    /// The allocator module, where the conversion used one that heapbase does not bring.
    #[arg(long, value_name = "NAME|FILE")]
    allocator: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The keys that programs rely on. Absent values are `null`.
#[derive(Serialize)]
struct Report<'a> {
    verified: bool,
    error: Option<String>,
    section: Option<String>,
    section_name: Option<&'a str>,
    offset: Option<u64>,
    original: Hashes,
    converted: Hashes,
    to: Option<String>,
    converter: Option<&'a str>,
    allocator: Option<&'a str>,
    allocator_blake2_256: Option<&'a str>,
    arena: Option<u32>,
    in_place: Option<bool>,
    routines: Option<bool>,
}

#[derive(Serialize)]
struct Hashes {
    blake2_256: String,
    blake2_256_compressed: Option<String>,
}

impl Hashes {
    fn of(blob: &Blob<'_>) -> Self {
        Self {
            blake2_256: blob.blake2_256().to_string(),
            blake2_256_compressed: blob.blake2_256_compressed().map(|hash| hash.to_string()),
        }
    }
}

impl Verify {
    pub(crate) fn run(self) -> Result<Exit> {
        if self.original == Path::new("-") && self.converted == Path::new("-") {
            anyhow::bail!("standard input is one runtime; name the file of the other");
        }
        let (original, converted) = (source::read(&self.original)?, source::read(&self.converted)?);
        let original = Blob::read(&original).with_context(|| self.original.display().to_string())?;
        let converted = Blob::read(&converted).with_context(|| self.converted.display().to_string())?;
        let allocator = self.allocator.as_deref().map(convert::allocator).transpose()?;
        let outcome = if converted.is_compressed() {
            verify::verify_compressed(original.wasm(), &converted, allocator.as_ref())
        } else {
            verify::verify(original.wasm(), converted.wasm(), allocator.as_ref())
        };
        let record = verify::recorded(converted.wasm()).ok();
        let exit = match &outcome {
            Ok(_) => Exit::Success,
            Err(VerifyError::Malformed { .. }) => Exit::Usage,
            Err(_) => Exit::Failed,
        };
        let error = outcome.err();
        let report = report(&original, &converted, record.as_ref(), error.as_ref());
        if self.json {
            writeln!(io::stdout().lock(), "{}", serde_json::to_string(&report)?)?;
        } else {
            print(&mut anstream::stdout().lock(), &report)?;
        }
        if let Some(error) = error {
            exit::report(&anyhow::Error::new(error));
        }
        Ok(exit)
    }
}

fn report<'a>(
    original: &Blob<'_>,
    converted: &Blob<'_>,
    record: Option<&'a Record>,
    error: Option<&'a VerifyError>,
) -> Report<'a> {
    let place = error.and_then(VerifyError::place);
    Report {
        verified: error.is_none(),
        error: error.map(|error| format!("{:#}", anyhow::anyhow!(chain(error)))),
        section: place.as_ref().map(|(section, ..)| section.to_string()),
        section_name: place.as_ref().and_then(|(_, name, _)| *name),
        offset: place.and_then(|(.., offset)| offset),
        original: Hashes::of(original),
        converted: Hashes::of(converted),
        to: record.map(|record| record.to.to_string()),
        converter: record.map(|record| record.converter.as_str()),
        allocator: record.map(|record| record.allocator.as_str()),
        allocator_blake2_256: record.map(|record| record.allocator_blake2_256.as_str()),
        arena: record.map(|record| record.arena),
        in_place: record.map(|record| record.in_place),
        routines: record.map(|record| record.routines),
    }
}

/// An error with its causes, in a line.
fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

fn print(to: &mut impl Write, report: &Report<'_>) -> io::Result<()> {
    let mut line = |label: &str, text: &str| writeln!(to, "{:<11}{}", label.bold(), printable(text));
    for (label, hashes) in [("original", &report.original), ("converted", &report.converted)] {
        line(label, &format!("{} BLAKE2-256 of the module", hashes.blake2_256))?;
        if let Some(hash) = &hashes.blake2_256_compressed {
            line("", &format!("{hash} BLAKE2-256 of the compressed form"))?;
        }
    }
    if let (Some(spec), Some(converter)) = (&report.to, report.converter) {
        let arena = report.arena.filter(|arena| *arena > 0).map(|arena| format!(", an arena of {arena} bytes"));
        let in_place = if report.in_place == Some(true) { "" } else { ", growing of blocks left as it was" };
        line("record", &format!("{spec}, by heapbase {converter}{}{in_place}", arena.unwrap_or_default()))?;
    }
    if let (Some(allocator), Some(hash)) = (report.allocator, report.allocator_blake2_256) {
        line("allocator", &format!("{allocator}, {hash}"))?;
    }
    let verdict = if report.verified {
        format!("{}: the converted runtime is the conversion of the original, byte for byte", "verified".green())
    } else {
        format!("{}", "not verified".red())
    };
    writeln!(to, "{:<11}{verdict}", "verdict".bold())
}
