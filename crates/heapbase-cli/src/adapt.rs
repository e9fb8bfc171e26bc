//! `heapbase adapt`: what a language's stock toolchain emits becomes a runtime.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use heapbase_module::{
    Blob, Spec,
    adapt::{AdaptError, DEFAULT_ARENA, Entry, Init, MemoryLink, Options, Version},
};

use crate::{
    convert::{Size, allocator, size},
    exit::Exit,
    rewritten::{self, Output, Rewritten},
    source,
};

const EXAMPLES: &str = "Examples:
  GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o ledger.wasm .
  heapbase adapt ledger.wasm --to local --version version.json -o runtime.wasm
  heapbase call runtime.wasm Core_version

  heapbase adapt module.wasm --to v1 --entry Core_version=core_version --entry echo -o - | heapbase inspect -

local runs on every node there is; v1 wants a host that knows RFC-0061. The same input gives the same bytes.

Exit status: 0 adapted; 1 the module cannot be adapted, and why is said; 2 usage, or input that cannot be read. OUT is not touched
unless the exit status is 0.";

/// Make a runtime of what a language's stock toolchain emits.
///
/// The system interface (WASI preview 1) is answered inside the module, the language's heap gets an arena, initialisation is done
/// beforehand, and only entry points are exported.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Adapt {
    /// Wasm, or compressed Wasm; `-` reads standard input.
    #[arg(value_name = "MODULE")]
    module: PathBuf,
    /// The allocator spec of the result.
    #[arg(long, value_enum)]
    to: Target,
    /// An entry point, by its name, or as the name for hosts and that of the export. All functions of the type `(i32, i32) -> i64`,
    /// if none is named.
    #[arg(long = "entry", value_name = "NAME[=EXPORT]")]
    entries: Vec<String>,
    /// An export that stays although hosts have no use for it.
    #[arg(long, value_name = "NAME")]
    keep: Vec<String>,
    /// Bytes of the arena for the language's heap: a number, with K or M for KiB or MiB.
    #[arg(long, value_name = "SIZE", value_parser = size, default_value_t = Size(DEFAULT_ARENA))]
    arena: Size,
    /// How host and runtime share the memory.
    #[arg(long, value_enum, default_value = "imported")]
    memory: MemoryChoice,
    /// When the module is initialised: beforehand, or in every call.
    #[arg(long, value_enum, default_value = "snapshot")]
    init: InitChoice,
    /// A JSON file with the runtime's version, for the sections from which nodes read it.
    #[arg(long, value_name = "FILE")]
    version: Option<PathBuf>,
    /// A variable of the environment that the program sees.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    environment: Vec<String>,
    /// Where the program's random numbers begin, as a hexadecimal number; from the module's hash if none is given.
    #[arg(long, value_name = "HEX", value_parser = seed)]
    seed: Option<u64>,
    /// The allocator that serves the host under v1, or takes the place of the host's where that is the language's heap: size-class,
    /// free-list, freeing-bump, leaking, leaking-page, the path of an allocator module, or fitting: freeing-bump for what TinyGo
    /// compiled, size-class for everything else.
    #[arg(long, value_name = "NAME|FILE", default_value = crate::convert::FITTING)]
    allocator: String,
    /// Leave the bits of a NaN to the machine that computes it. Where they reach the state, nodes may disagree.
    #[arg(long)]
    no_canonical: bool,
    /// What the hosts have beyond the first release of WebAssembly, so that it may stay in. Today's nodes have neither.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "FEATURE")]
    with: Vec<Feature>,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `--to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// RFC-0061: the module exports an allocator.
    V1,
    /// On any host.
    Local,
}

/// `--memory`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MemoryChoice {
    /// As `env.memory`.
    Imported,
    /// As `memory`.
    Exported,
}

/// `--init`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InitChoice {
    /// Here, once.
    Snapshot,
    /// In every call, before the entry point.
    Lazy,
}

/// `--with`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Feature {
    /// Copying and filling memory in one instruction.
    BulkMemory,
    /// Extending the sign of narrow numbers in one instruction.
    SignExtension,
}

fn seed(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16)
        .map_err(|_| "at most 16 hexadecimal digits".to_owned())
}

impl Adapt {
    pub(crate) fn run(self) -> Result<Exit> {
        let bytes = source::read(&self.module)?;
        let blob = Blob::read(&bytes).with_context(|| self.module.display().to_string())?;
        let options = self.options()?;
        let adaptation = match heapbase_module::adapt::adapt(blob.wasm(), &options) {
            Ok(adaptation) => adaptation,
            Err(error) => {
                let exit = match error {
                    AdaptError::Read(_) | AdaptError::Entry(_) | AdaptError::Environment(_) => Exit::Usage,
                    _ => Exit::Failed,
                };
                let error = anyhow::Error::new(error).context(format!("{} is not adapted", self.module.display()));
                crate::exit::report_as(self.output.json, &error);
                return Ok(exit);
            }
        };
        rewritten::finish(
            &Rewritten {
                from: None,
                to: adaptation.to.to_string(),
                allocator: Some(adaptation.record.allocator).filter(|name| !name.is_empty()),
                wasm: &adaptation.wasm,
                changes: adaptation.changes,
                warnings: adaptation.warnings,
            },
            &blob,
            &self.output,
        )
    }

    fn options(&self) -> Result<Options<'static>> {
        let mut options = Options::new(match self.to {
            Target::V1 => Spec::V1,
            Target::Local => Spec::Local,
        });
        options.arena = self.arena.0;
        options.memory = match self.memory {
            MemoryChoice::Imported => MemoryLink::Imported,
            MemoryChoice::Exported => MemoryLink::Exported,
        };
        options.init = match self.init {
            InitChoice::Snapshot => Init::Snapshot,
            InitChoice::Lazy => Init::Lazy,
        };
        options.entries = self
            .entries
            .iter()
            .map(|entry| match entry.split_once('=') {
                Some((name, export)) => Entry::renamed(name, export),
                None => Entry::new(entry),
            })
            .collect();
        options.keep = self.keep.clone();
        for variable in &self.environment {
            let (name, value) =
                variable.split_once('=').with_context(|| format!("--env {variable} is not of the form NAME=VALUE"))?;
            options.environment.push((name.to_owned(), value.to_owned()));
        }
        options.features.bulk_memory = self.with.contains(&Feature::BulkMemory);
        options.features.sign_extension = self.with.contains(&Feature::SignExtension);
        options.canonical = !self.no_canonical;
        options.seed = self.seed;
        options.allocator = allocator(&self.allocator)?;
        if let Some(path) = &self.version {
            let json = source::read(path)?;
            options.version = Some(Version::read(&json).with_context(|| path.display().to_string())?);
        }
        Ok(options)
    }
}
