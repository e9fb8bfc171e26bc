//! What a call or a block gave, as JSON and for a person.

use std::io::{self, Write};

use heapbase_host::{Runtime, Spec, WASM_PAGE};
use humansize::{BINARY, format_size};
use serde::Serialize;

use crate::run::Measured;

/// One call or block, with the keys that programs rely on. Absent values are `null`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CallResult {
    /// The runtime's or case's name.
    pub(crate) name: String,
    pub(crate) entry: String,
    /// `legacy`, `v1`, or `local`: a runtime that the host sees as legacy, and whose record names an allocator inside.
    pub(crate) spec: Option<&'static str>,
    /// The engine that ran.
    pub(crate) engine: Option<&'static str>,
    pub(crate) ok: bool,
    pub(crate) error: Option<String>,
    /// What the entry point returned, in hexadecimal.
    pub(crate) output: Option<String>,
    /// Root of the state after the call.
    pub(crate) state_root: Option<String>,
    pub(crate) expected_state_root: Option<String>,
    pub(crate) micros_min: Option<f64>,
    pub(crate) micros_median: Option<f64>,
    /// Pages of 64 KiB up to the highest address in use, whether they were touched or not.
    pub(crate) peak_pages: Option<u32>,
    /// Bytes of the pages that were written, those of the system's size, where the system says.
    pub(crate) touched_bytes: Option<u64>,
    /// Blocks that the host's allocator handed out.
    pub(crate) host_allocations: Option<u64>,
    /// The allocator inside of the module, as the module's own record names it.
    pub(crate) guest_allocator: Option<String>,
}

impl CallResult {
    /// A result of which only the failure is known.
    pub(crate) fn failed(name: &str, entry: &str, error: String) -> Self {
        CallResult {
            name: name.to_owned(),
            entry: entry.to_owned(),
            spec: None,
            engine: None,
            ok: false,
            error: Some(error),
            output: None,
            state_root: None,
            expected_state_root: None,
            micros_min: None,
            micros_median: None,
            peak_pages: None,
            touched_bytes: None,
            host_allocations: None,
            guest_allocator: None,
        }
    }

    /// The result of calls that were made.
    pub(crate) fn new(name: &str, entry: &str, runtime: &Runtime, measured: &Measured) -> Self {
        let outcome = measured.outcome.as_ref();
        CallResult {
            spec: Some(spec(runtime)),
            engine: Some(runtime.engine().name()),
            ok: outcome.is_ok(),
            error: outcome.err().map(ToString::to_string),
            output: outcome.ok().map(|outcome| format!("0x{}", hex::encode(&outcome.output))),
            state_root: outcome.ok().map(|outcome| format!("{:?}", outcome.state_root())),
            micros_min: measured.min(),
            micros_median: measured.median(),
            peak_pages: Some(measured.statistics.peak_pages),
            touched_bytes: measured.touched_bytes,
            host_allocations: Some(measured.statistics.host_allocations),
            guest_allocator: match runtime.spec() {
                Spec::V1 => Some(runtime.allocator().unwrap_or("alloc").to_owned()),
                Spec::Legacy => runtime.allocator().map(str::to_owned),
            },
            ..CallResult::failed(name, entry, String::new())
        }
    }

    /// Writes the result as one line of JSON.
    pub(crate) fn print_json(&self) -> anyhow::Result<()> {
        let line = serde_json::to_string(self)?;
        Ok(writeln!(io::stdout().lock(), "{line}")?)
    }
}

/// The allocator spec of what was executed. A host cannot tell `local` from legacy, and need not; its record can.
pub(crate) fn spec(runtime: &Runtime) -> &'static str {
    match (runtime.spec(), runtime.allocator()) {
        (Spec::Legacy, Some(_)) => "local",
        (spec, _) => spec.name(),
    }
}

/// A time for a person.
pub(crate) fn time(micros: f64) -> String {
    match micros {
        micros if micros < 1_000.0 => format!("{micros:.1} µs"),
        micros if micros < 1_000_000.0 => format!("{:.2} ms", micros / 1_000.0),
        micros => format!("{:.2} s", micros / 1_000_000.0),
    }
}

/// The memory that was written, for a person; where nobody can say, what it was at most.
pub(crate) fn memory(touched_bytes: Option<u64>, peak_pages: u32) -> String {
    match touched_bytes {
        Some(bytes) => format_size(bytes, BINARY),
        None => format!("≤ {}", format_size(u64::from(peak_pages) * WASM_PAGE, BINARY)),
    }
}

/// A table without borders, which can be read and cut into columns alike.
pub(crate) fn table(header: &[&str]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header);
    table
}

/// Writes a table to standard output.
pub(crate) fn print(table: &comfy_table::Table) -> anyhow::Result<()> {
    Ok(writeln!(anstream::stdout().lock(), "{}", table.trim_fmt())?)
}
