//! `heapbase convert`: a runtime's heap moves from the host into the module, or back.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use heapbase_module::{
    Blob, Spec,
    convert::{Allocator, ConvertError, DEFAULT_ARENA, Family, Options},
};

use crate::{
    exit::Exit,
    rewritten::{self, Output, Rewritten},
    source,
};

const EXAMPLES: &str = "Examples:
  heapbase convert runtime.compact.compressed.wasm --to local -o runtime-local.wasm --compressed
  heapbase convert runtime.wasm --to v1 --allocator free-list -o - | heapbase inspect -
  heapbase convert runtime-local.wasm --to legacy -o back.wasm

local runs on every node there is; v1 wants a host that knows RFC-0061. The same input gives the same bytes: `heapbase
verify` repeats a conversion and compares.

Exit status: 0 converted; 1 the module cannot be converted, and why is said; 2 usage, or input that cannot be read. OUT is
not touched unless the exit status is 0.";

/// Move the heap of a compiled runtime from the host into the module.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Convert {
    /// Wasm, compressed Wasm, or JSON with `:code`; `-` reads standard input.
    #[arg(value_name = "RUNTIME")]
    runtime: PathBuf,
    /// The allocator spec of the result; `legacy` takes a conversion back.
    #[arg(long, value_enum)]
    to: Target,
    #[command(flatten)]
    how: HowToConvert,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `--to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    /// RFC-0061: the module exports its allocator.
    V1,
    /// An arena inside, on any host.
    Local,
    /// As it was.
    Legacy,
}

impl From<Target> for Spec {
    fn from(target: Target) -> Self {
        match target {
            Target::V1 => Self::V1,
            Target::Local => Self::Local,
            Target::Legacy => Self::Legacy,
        }
    }
}

/// Options of a conversion besides its target.
#[derive(Debug, Clone, Args)]
pub(crate) struct HowToConvert {
    /// The allocator inside: size-class, free-list, freeing-bump, leaking, leaking-page, the path of an allocator module, or fitting:
    /// freeing-bump for what TinyGo compiled, size-class for everything else.
    ///
    /// [default: fitting]
    #[arg(long, value_name = "NAME|FILE", requires = "to")]
    allocator: Option<String>,
    /// Bytes of the arena under local: a number, with K or M for KiB or MiB [default: 16M]
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "to")]
    arena: Option<Size>,
    /// Leave the runtime's own growing of blocks (allocate, copy, free) as it is.
    #[arg(long, requires = "to")]
    no_in_place: bool,
    /// Leave the compiler's routines in the runtime (memcpy, memcmp, __multi3, …) as they are.
    #[arg(long, requires = "to")]
    no_routines: bool,
}

/// Bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size(pub(crate) u32);

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            bytes if bytes % (1 << 20) == 0 => write!(f, "{}M", bytes >> 20),
            bytes if bytes % (1 << 10) == 0 => write!(f, "{}K", bytes >> 10),
            bytes => write!(f, "{bytes}"),
        }
    }
}

pub(crate) fn size(text: &str) -> Result<Size, String> {
    let upper = text.to_ascii_uppercase();
    let digits = upper.trim_end_matches("IB").trim_end_matches('B');
    let (digits, unit) = match digits.as_bytes().last() {
        Some(b'K') => (&digits[..digits.len() - 1], 1_u64 << 10),
        Some(b'M') => (&digits[..digits.len() - 1], 1 << 20),
        Some(b'G') => (&digits[..digits.len() - 1], 1 << 30),
        _ => (digits, 1),
    };
    let bytes = digits.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(unit));
    match bytes.and_then(|bytes| u32::try_from(bytes).ok()) {
        Some(bytes) => Ok(Size(bytes)),
        None => Err("a number of bytes below 4 GiB, such as 65536, 512K or 16M".to_owned()),
    }
}

impl HowToConvert {
    /// The conversion to `to`.
    pub(crate) fn options(&self, to: Spec) -> Result<Options<'static>> {
        let without = |given: bool, option: &str| match given {
            true => Err(anyhow::anyhow!("{option} means nothing for --to {to}; leave it out")),
            false => Ok(()),
        };
        without(self.arena.is_some() && to != Spec::Local, "--arena")?;
        let back = to == Spec::Legacy;
        without(self.allocator.is_some() && back, "--allocator")?;
        without(self.no_in_place && back, "--no-in-place")?;
        without(self.no_routines && back, "--no-routines")?;
        let mut options = Options::new(to);
        options.arena = self.arena.map_or(DEFAULT_ARENA, |arena| arena.0);
        options.in_place = !self.no_in_place;
        options.routines = !self.no_routines;
        options.allocator = self.allocator.as_deref().map_or(Ok(Allocator::Fitting), allocator)?;
        Ok(options)
    }
}

/// The name of the choice that depends on the module.
pub(crate) const FITTING: &str = "fitting";

/// One of the family, or a module in a file.
pub(crate) fn allocator(name: &str) -> Result<Allocator<'static>> {
    if name == FITTING {
        return Ok(Allocator::Fitting);
    }
    if let Some(family) = Family::from_name(name) {
        return Ok(Allocator::Family(family));
    }
    let family: Vec<_> = Family::ALL.iter().map(|family| family.name()).collect();
    let wasm = source::read(Path::new(name))
        .with_context(|| format!("--allocator is one of {}, or the path of an allocator module", family.join(", ")))?;
    let name = Path::new(name).file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned());
    Ok(Allocator::Module { name, wasm: wasm.into() })
}

impl Convert {
    pub(crate) fn run(self) -> Result<Exit> {
        let bytes = source::read(&self.runtime)?;
        let blob = Blob::read(&bytes).with_context(|| self.runtime.display().to_string())?;
        let options = self.how.options(self.to.into())?;
        let conversion = heapbase_module::convert::convert(blob.wasm(), &options)
            .with_context(|| format!("{} is not converted", self.runtime.display()));
        let conversion = match conversion {
            Ok(conversion) => conversion,
            Err(error) => {
                crate::exit::report_as(self.output.json, &error);
                return Ok(match error.downcast_ref::<ConvertError>() {
                    Some(ConvertError::Read(_) | ConvertError::Allocator { .. }) => Exit::Usage,
                    _ => Exit::Failed,
                });
            }
        };
        rewritten::finish(
            &Rewritten {
                from: Some(conversion.from.to_string()),
                to: conversion.to.to_string(),
                allocator: conversion.record.as_ref().map(|record| record.allocator.clone()),
                wasm: &conversion.wasm,
                changes: conversion.changes,
                warnings: conversion.warnings,
            },
            &blob,
            &self.output,
        )
    }
}
