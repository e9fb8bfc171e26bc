//! `heapbase call`: one entry point of a runtime.

use std::{io::Write, path::PathBuf};

use anyhow::Result;
use clap::Args;
use heapbase_host::{Runtime, State};

use crate::{
    exit::{self, Exit},
    result::{self, CallResult},
    run::{self, MeasureOptions},
    source,
};

const EXAMPLES: &str = "Examples:
  heapbase call runtime.wasm Core_version
  heapbase call polkadot.json Metadata_metadata --json
  heapbase call runtime.compact.compressed.wasm AccountNonceApi_account_nonce --input 0x00… --state chain-raw.json
  heapbase call runtime.wasm Core_version --repeat 1000 --engine wasmtime

Exit status: 0 the call returned; 1 the runtime failed or was refused; 2 usage, or input that cannot be read.";

/// Call an entry point of a runtime.
///
/// Prints what it returns, the state's root after it, and what it used.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Call {
    /// The runtime: raw or compressed Wasm, or a chain specification or case with `:code`; `-` is standard input.
    runtime: PathBuf,
    /// The entry point, for example Core_version.
    entry: String,
    /// The SCALE-encoded input: hexadecimal, or @FILE.
    #[arg(long, value_name = "HEX|@FILE", default_value = "")]
    input: String,
    /// The state to call on: a raw chain specification, a case, or {"top":{},"childrenDefault":{}}. Empty without it.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    #[command(flatten)]
    options: MeasureOptions,
}

impl Call {
    pub(crate) fn run(self) -> Result<Exit> {
        match self.read_and_call() {
            // A program gets its object also where nothing could be called.
            Err(error) if self.options.json && !error.is::<std::io::Error>() => {
                let name = self.runtime.display().to_string();
                CallResult::failed(&name, &self.entry, format!("{error:#}")).print_json()?;
                Ok(error.downcast_ref().map_or(Exit::Usage, exit::of))
            }
            other => other,
        }
    }

    fn read_and_call(&self) -> Result<Exit> {
        let name = self.runtime.display().to_string();
        let input = source::input(&self.input)?;
        let code = source::runtime(&self.runtime)?;
        let state = self.state.as_deref().map(source::state).transpose()?.unwrap_or_default();
        let loaded = Runtime::new(&code, &self.options.host.config(run::work(&self.entry, self.options.repeat)));
        let runtime = loaded.map_err(|error| anyhow::Error::new(error).context(name.clone()))?;
        run::warn_of_unknown_imports(&name, &runtime);
        self.call(&name, &runtime, &input, &state)
    }

    fn call(&self, name: &str, runtime: &Runtime, input: &[u8], state: &State) -> Result<Exit> {
        let measured = run::measure(runtime, &self.entry, input, state, false, self.options.repeat, || {});
        let exit = measured.outcome.as_ref().err().map_or(Exit::Success, exit::of);
        let result = CallResult::new(name, &self.entry, runtime, &measured);
        if self.options.json {
            result.print_json()?;
            return Ok(exit);
        }
        if let Err(error) = measured.outcome {
            return Err(error.into());
        }
        let used = &measured.statistics;
        let mut table = result::table(&[]);
        table.add_row(["spec", result::spec(runtime)]);
        table.add_row([
            "engine",
            &format!("{}{}", runtime.engine(), if runtime.from_cache() { " (cached)" } else { "" }),
        ]);
        let median = measured.median().map(result::time).unwrap_or_default();
        let min = measured.min().map(result::time).unwrap_or_default();
        let calls = measured.micros.len();
        table.add_row(["time", &if calls > 1 { format!("{median} median, {min} at best of {calls}") } else { median }]);
        table.add_row(["memory", &result::memory(measured.touched_bytes, used.peak_pages)]);
        table.add_row([
            "host allocations",
            &format!(
                "{} ({} bytes asked, {} given)",
                used.host_allocations, used.host_bytes_asked, used.host_bytes_given
            ),
        ]);
        table.add_row(["state root", result.state_root.as_deref().unwrap_or_default()]);
        result::print(&table)?;
        writeln!(anstream::stdout().lock(), "{}", result.output.unwrap_or_default())?;
        Ok(exit)
    }
}
