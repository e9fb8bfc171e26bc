//! `heapbase stub`: a runtime becomes a module that imports nothing.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use heapbase_module::{
    Blob,
    stub::{Policy, StubError, StubOptions},
};

use crate::{
    exit::Exit,
    rewritten::{self, Output, Rewritten},
    source,
};

const EXAMPLES: &str = "Examples:
  heapbase stub runtime.compact.compressed.wasm -o pure.wasm
  heapbase stub runtime.wasm --policy zero -o - | wasm-tools print -

Exit status: 0 written; 1 an import has no stand-in, and why is said; 2 usage, or input that cannot be read. OUT is not touched
unless the exit status is 0.";

/// Make a module that any engine instantiates with nothing to import.
///
/// Imported functions trap, and a backtrace names them (`env.ext_storage_get_version_1`), or return zeros. Memory, tables and globals
/// become the module's own. No index changes, so everything else stays byte for byte.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Stub {
    /// Wasm, compressed Wasm, or JSON with `:code`; `-` reads standard input.
    #[arg(value_name = "RUNTIME")]
    runtime: PathBuf,
    /// What imported functions do.
    #[arg(long, value_enum, default_value = "trap")]
    policy: PolicyChoice,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// `--policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PolicyChoice {
    /// Trap.
    Trap,
    /// Return zeros and nulls.
    Zero,
}

impl Stub {
    pub(crate) fn run(self) -> Result<Exit> {
        let bytes = source::read(&self.runtime)?;
        let blob = Blob::read(&bytes).with_context(|| self.runtime.display().to_string())?;
        let policy = match self.policy {
            PolicyChoice::Trap => Policy::Trap,
            PolicyChoice::Zero => Policy::Zero,
        };
        let stubbed = match heapbase_module::stub::stub(blob.wasm(), &StubOptions::new(policy)) {
            Ok(stubbed) => stubbed,
            Err(error) => {
                let exit = if matches!(error, StubError::Read(_)) { Exit::Usage } else { Exit::Failed };
                crate::exit::report_as(
                    self.output.json,
                    &anyhow::Error::new(error).context(format!("{} is not stubbed", self.runtime.display())),
                );
                return Ok(exit);
            }
        };
        rewritten::finish(
            &Rewritten {
                from: None,
                to: "stub".to_owned(),
                allocator: None,
                wasm: &stubbed.wasm,
                changes: stubbed.changes,
                warnings: stubbed.warnings,
            },
            &blob,
            &self.output,
        )
    }
}
