//! What `call`, `block` and `demo` share: options of the host, choice of the engine, repeated calls.

use std::time::Instant;

use anyhow::Result;
use clap::{Args, ValueEnum};
use heapbase_host::{
    Cache, Config, Engine, Error, HeapPages, Limits, Outcome, Runtime, State, Statistics, UnknownImports,
};

use crate::text::printable;

/// `--engine`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineChoice {
    /// Compiled code if it is cached, else interpreted for a single cheap call, else compiled.
    Auto,
    /// Compile to machine code, once: the result is cached.
    Wasmtime,
    /// Interpret: starts at once, runs slower.
    Wasmi,
}

/// Options of the host, the same for every command that executes.
#[derive(Debug, Clone, Args)]
pub(crate) struct HostOptions {
    /// What executes the module.
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) engine: EngineChoice,
    /// Pages of heap (64 KiB each): a number, or `state` for what `:heappages` says.
    #[arg(long, value_name = "PAGES", value_parser = heap_pages, default_value = "state")]
    heap_pages: HeapPages,
    /// Refuse a module with imports that this host does not know, instead of trapping when they are called.
    #[arg(long)]
    strict: bool,
    /// Bound the instructions that one call may execute.
    #[arg(long, value_name = "INSTRUCTIONS")]
    fuel: Option<u64>,
    /// Neither read nor write the cache of compiled code (its folder: HEAPBASE_CACHE, else the platform's convention).
    #[arg(long)]
    no_cache: bool,
}

/// Options of the commands that measure.
#[derive(Debug, Clone, Args)]
pub(crate) struct MeasureOptions {
    /// Execute this many times, each time on the state as it was, and measure.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) repeat: u32,
    #[command(flatten)]
    pub(crate) host: HostOptions,
    /// Print one JSON object for each call or block.
    #[arg(long)]
    pub(crate) json: bool,
}

fn heap_pages(text: &str) -> Result<HeapPages, String> {
    match (text, text.parse::<u32>()) {
        ("state", _) => Ok(HeapPages::FromState),
        (_, Ok(pages)) if pages <= 65_536 => Ok(HeapPages::Fixed(pages)),
        _ => Err("a number from 0 to 65536, or `state`".to_owned()),
    }
}

impl HostOptions {
    /// The configuration for a runtime that is called as `work` says.
    pub(crate) fn config(&self, work: Work) -> Config {
        let mut config = Config {
            heap_pages: self.heap_pages,
            limits: Limits { fuel: self.fuel, ..Limits::default() },
            unknown_imports: if self.strict { UnknownImports::Refuse } else { UnknownImports::Trap },
            cache: if self.no_cache { Cache::Off } else { Cache::Standard },
            ..Config::default()
        };
        config.engine = match (self.engine, work) {
            (EngineChoice::Wasmtime, _) | (EngineChoice::Auto, Work::Heavy) => Engine::Wasmtime,
            (EngineChoice::Wasmi, _) => Engine::Wasmi,
            (EngineChoice::Auto, Work::Cheap) => Engine::Auto,
        };
        config
    }
}

/// Whether it pays to compile a runtime that is not in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A single call that reads something.
    Cheap,
    /// Blocks, or repeated calls.
    Heavy,
}

/// Entry points that execute blocks or parts of them, or may run for long.
pub(crate) fn work(entry: &str, repeat: u32) -> Work {
    let heavy =
        ["Core_execute_block", "validate_block", "BlockBuilder_", "GenesisBuilder_", "TryRuntime_", "Benchmark_"];
    if repeat > 1 || heavy.iter().any(|prefix| entry.starts_with(prefix)) { Work::Heavy } else { Work::Cheap }
}

/// Warns of imports that will trap.
pub(crate) fn warn_of_unknown_imports(name: &str, runtime: &Runtime) {
    let unknown = runtime.unknown_imports();
    if !unknown.is_empty() {
        use owo_colors::OwoColorize;
        anstream::eprintln!(
            "{} {name}: this host does not know {}; calling them will trap (--strict refuses such a module)",
            "warning:".yellow().bold(),
            printable(&unknown.join(", "))
        );
    }
}

/// What repeated calls gave: the last outcome, how long each took in microseconds, and the most memory that one wrote.
pub(crate) struct Measured {
    pub(crate) outcome: Result<Outcome, Error>,
    pub(crate) statistics: Statistics,
    pub(crate) touched_bytes: Option<u64>,
    pub(crate) micros: Vec<f64>,
}

impl Measured {
    pub(crate) fn min(&self) -> Option<f64> {
        self.micros.iter().copied().reduce(f64::min)
    }

    pub(crate) fn median(&self) -> Option<f64> {
        let mut sorted = self.micros.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match sorted.len() {
            0 => None,
            odd if odd % 2 == 1 => Some(sorted[middle]),
            _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
        }
    }
}

/// Calls `repeat` times, each time on the state as it was. Stops at the first failure.
pub(crate) fn measure(
    runtime: &Runtime,
    entry: &str,
    input: &[u8],
    state: &State,
    importing: bool,
    repeat: u32,
    mut after_each: impl FnMut(),
) -> Measured {
    let mut micros = Vec::with_capacity(repeat as usize);
    let mut touched_bytes = None;
    loop {
        let mut call = runtime.call(entry, input);
        if importing {
            call = call.importing();
        }
        let start = Instant::now();
        let outcome = call.on(state);
        micros.push(start.elapsed().as_nanos() as f64 / 1_000.0);
        after_each();
        // The first call counts every page that it writes, later ones those that they change.
        touched_bytes = touched_bytes.max(outcome.as_ref().ok().and_then(|outcome| outcome.touched_bytes));
        if outcome.is_err() || micros.len() >= repeat as usize {
            let statistics = match &outcome {
                Ok(outcome) => outcome.statistics.clone(),
                Err(Error::Call(error)) => error.statistics.clone(),
                Err(_) => Statistics::default(),
            };
            return Measured { outcome, statistics, touched_bytes, micros };
        }
    }
}
