//! `heapbase block`: real blocks on the states they were made for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use heapbase_host::{Case, Runtime, State};
use heapbase_module::{Blob, Spec, convert::Options};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    convert::HowToConvert,
    exit::{self, Exit},
    result::{self, CallResult},
    run::{self, HostOptions, MeasureOptions, Work},
    source,
    text::printable,
};

const EXAMPLES: &str = "Examples:
  heapbase block polkadot-1.json kusama-1.json
  heapbase block case.json --runtime candidate.compact.compressed.wasm
  heapbase block case.json --to local --arena 8M --repeat 20
  heapbase block block-without-state.json --state chain-raw.json --repeat 20 --json

--to converts in memory: nothing is written, and the state keeps the runtime that it has under `:code`. Under local, spec and
guest_allocator in the JSON are what the runtime's record says.

Memory is what the block wrote of it: data, stack and heap, whoever owns that, in pages of the system (touched_bytes in the
JSON). With ≤ it is what lies below the highest address in use, touched or not (peak_pages in the JSON, of 64 KiB): all that is
known where the module is interpreted, or the system cannot say. Under local that counts the whole arena.

Exit status: 0 every block gave the state root of its header; 1 one did not, or the runtime failed; 2 usage, or input that
cannot be read.";

/// Execute blocks and check their state roots.
///
/// A case is a block with the state it runs on; its own runtime, `:code` of that state, executes it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Block {
    /// The cases; `-` is standard input.
    #[arg(required = true, value_name = "CASE")]
    cases: Vec<PathBuf>,
    /// Execute this runtime on the cases' states instead of the one under `:code`.
    #[arg(long, value_name = "FILE")]
    runtime: Option<PathBuf>,
    /// The state for cases that come without one.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Convert the runtime first.
    #[arg(long, value_enum)]
    to: Option<Target>,
    #[command(flatten)]
    how: HowToConvert,
    #[command(flatten)]
    pub(crate) options: MeasureOptions,
}

/// `--to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// RFC-0061: the module exports its allocator.
    V1,
    /// An arena inside, on any host.
    Local,
}

/// A block that was executed, or could not be.
pub(crate) struct Executed {
    pub(crate) result: CallResult,
    pub(crate) exit: Exit,
    /// Version of the runtime, as it says itself.
    pub(crate) version: String,
    /// Calls of host functions, where they were counted.
    pub(crate) host_calls: Option<u64>,
}

impl Block {
    pub(crate) fn run(self) -> Result<Exit> {
        let runtime = self.runtime.as_deref().map(source::runtime).transpose()?;
        let to = self.to.map(|to| match to {
            Target::V1 => Spec::V1,
            Target::Local => Spec::Local,
        });
        let to = to.map(|to| self.how.options(to)).transpose()?;
        let state = self.state.as_deref().map(source::state).transpose()?;
        let bar = progress(self.cases.len() as u64 * u64::from(self.options.repeat), self.options.json);
        let mut worst = Exit::Success;
        let mut table = result::table(&["block", "spec", "engine", "time", "memory", "host allocations", "state root"]);
        let mut failures = Vec::new();
        for path in &self.cases {
            let executed = self.case(path, runtime.as_deref(), to.as_ref(), state.as_ref(), &bar);
            let executed = match executed {
                Ok(executed) => executed,
                // One case that cannot be read keeps none of the others from being executed.
                Err(error) => Executed {
                    result: CallResult::failed(&path.display().to_string(), "", format!("{error:#}")),
                    exit: Exit::Usage,
                    version: String::new(),
                    host_calls: None,
                },
            };
            worst = worst.max(executed.exit);
            if self.options.json {
                bar.suspend(|| executed.result.print_json())?;
                continue;
            }
            table.add_row(row(&executed.result));
            if let Some(error) = executed.result.error {
                failures.push(format!("{}: {error}", executed.result.name));
            }
        }
        bar.finish_and_clear();
        if !self.options.json {
            result::print(&table)?;
        }
        for failure in failures {
            exit::report(&anyhow::Error::msg(failure));
        }
        Ok(worst)
    }

    fn case(
        &self,
        path: &Path,
        runtime: Option<&[u8]>,
        to: Option<&Options<'_>>,
        state: Option<&State>,
        bar: &ProgressBar,
    ) -> Result<Executed> {
        let mut case = Case::from_json(&source::read(path)?)?;
        if case.state.is_none() {
            case.state = state.cloned();
        }
        if case.name.is_empty() {
            case.name = path.display().to_string();
        }
        bar.set_message(case.name.clone());
        execute(&case, runtime, to, &self.options.host, self.options.repeat, false, || bar.inc(1))
    }
}

/// Executes one case with its own runtime or the one given, converted or as it is; `counting` does so once more, which is not
/// measured, and counts the calls of host functions.
pub(crate) fn execute(
    case: &Case,
    runtime: Option<&[u8]>,
    to: Option<&Options<'_>>,
    host: &HostOptions,
    repeat: u32,
    counting: bool,
    after_each: impl FnMut(),
) -> Result<Executed> {
    let state = case.state.as_ref().context("the case has no state; --state names a file with one")?;
    let own = if runtime.is_some() { None } else { state.code() };
    let stored = runtime.or(own.as_deref()).context("the state has no runtime under `:code`; --runtime names one")?;
    // The case could be read; that its runtime cannot be converted or loaded is the runtime's failure.
    let failed = |error: String| {
        let result = CallResult::failed(&case.name, &case.entry, error);
        Ok(Executed { result, exit: Exit::Failed, version: String::new(), host_calls: None })
    };
    let converted = match to.map(|options| converted(stored, options)).transpose() {
        Ok(converted) => converted,
        Err(error) => return failed(format!("{error:#}")),
    };
    let runtime = match Runtime::new(converted.as_deref().unwrap_or(stored), &host.config(Work::Heavy)) {
        Ok(runtime) => runtime,
        Err(error) => return failed(error.to_string()),
    };
    run::warn_of_unknown_imports(&case.name, &runtime);
    let measured = run::measure(&runtime, &case.entry, &case.input, state, true, repeat, after_each);
    let mut result = CallResult::new(&case.name, &case.entry, &runtime, &measured);
    result.expected_state_root = case.expected_state_root.map(|root| format!("{root:?}"));

    let before = case.parent_state_root.filter(|root| *root != state.root());
    let before =
        before.map(|root| format!("the state before the block has root {:?}, the case says {root:?}", state.root()));
    let after = match (&measured.outcome, case.expected_state_root) {
        (Ok(outcome), Some(expected)) if outcome.state_root() != expected => {
            Some(format!("the block gives state root {:?}, expected {expected:?}", outcome.state_root()))
        }
        _ => None,
    };
    let problems: Vec<_> = [before, after, result.error.take()].into_iter().flatten().collect();
    result.ok = problems.is_empty();
    result.error = (!problems.is_empty()).then(|| problems.join("; "));
    let exit = if result.ok { Exit::Success } else { Exit::Failed };
    // A runtime without a version, as a test's may be, is executed all the same.
    let version =
        runtime.version(state).map(|version| printable(&format!("{}-{}", version.spec_name, version.spec_version)));
    let host_calls = counting.then(|| {
        let call = runtime.call(&case.entry, &case.input).importing().count_host_calls();
        Some(call.on(state).ok()?.statistics.host_calls.values().sum())
    });
    Ok(Executed { result, exit, version: version.unwrap_or_default(), host_calls: host_calls.flatten() })
}

/// The conversion of a runtime, raw or compressed.
fn converted(stored: &[u8], options: &Options<'_>) -> Result<Vec<u8>> {
    let blob = Blob::read(stored).context("the runtime")?;
    let conversion = heapbase_module::convert::convert(blob.wasm(), options);
    Ok(conversion.with_context(|| format!("cannot convert the runtime to {}", options.to))?.wasm)
}

/// One line of a table for a person.
pub(crate) fn row(result: &CallResult) -> Vec<String> {
    let text = |value: Option<&'static str>| value.unwrap_or_default().to_owned();
    let root = match (&result.state_root, &result.expected_state_root) {
        (Some(root), Some(_)) if result.ok => format!("{root} ✓"),
        (Some(root), None) if result.ok => root.clone(),
        _ => "✗".to_owned(),
    };
    vec![
        printable(&result.name),
        text(result.spec),
        text(result.engine),
        result.micros_median.map(result::time).unwrap_or_default(),
        result.peak_pages.map(|peak| result::memory(result.touched_bytes, peak)).unwrap_or_default(),
        result.host_allocations.map(|count| count.to_string()).unwrap_or_default(),
        root,
    ]
}

/// A bar on standard error, hidden where nobody watches.
pub(crate) fn progress(length: u64, hidden: bool) -> ProgressBar {
    if hidden {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {pos}/{len}");
    let bar = ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}
