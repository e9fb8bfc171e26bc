//! heapbase-host beside sc-executor and smoldot: time, page faults, and the same answers.

mod ledger;
mod parity;
mod rows;

use anyhow::{Context, Result, bail};
use bench_host::{contestants, machine, race::Effort, report, runners::Peer, state, versions};
use clap::{Parser, Subcommand};
use rows::{Bench, Section};
use std::{
    cell::RefCell,
    fmt::Write,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    rc::Rc,
};

/// Races heapbase-host against sc-executor and smoldot, and writes the table into bench/RESULTS.md.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Task>,
    #[command(flatten)]
    race: RaceOptions,
    /// The folder with corpus/ and cases/, instead of ../shared beside the repository.
    #[arg(long, global = true, value_name = "FOLDER")]
    shared: Option<PathBuf>,
}

#[derive(clap::Args)]
struct RaceOptions {
    /// Few repeats of little work: checks the answers and leaves the figures alone. Without smoldot.
    #[arg(long)]
    smoke: bool,
    /// Leave smoldot out, and do not build it.
    #[arg(long)]
    without_smoldot: bool,
    /// Where the table goes, instead of bench/RESULTS.md.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Only these sections: compile, version, metadata, blocks, cold. Prints them, writes no file.
    #[arg(long, value_delimiter = ',', value_name = "SECTION")]
    only: Vec<String>,
}

#[derive(Subcommand)]
enum Task {
    /// Compares outputs, failures and every address that the legacy allocator hands out, on the whole corpus and all
    /// cases. Exits 1 on any difference.
    Parity {
        /// Only runtimes and cases whose name begins so.
        #[arg(long, default_value = "")]
        only: String,
        /// Leave smoldot out, and do not build it: it runs converted runtimes beside the originals.
        #[arg(long)]
        without_smoldot: bool,
        /// Convert only every so many runtimes of the corpus: compiling each again takes most of the time.
        #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
        converted_every: u32,
    },
    /// Runs the ledgers of runtimes/, in every language, on sc-executor and smoldot: the same states and refusals. Exits 1 on
    /// any difference.
    Ledger {
        /// How many blocks.
        #[arg(long, default_value_t = 100)]
        blocks: u32,
        /// What everything is chosen by.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Leave smoldot out, and do not build it.
        #[arg(long)]
        without_smoldot: bool,
    },
    /// Repeats one call for a profiler: prints the cost of one after every SECONDS-long round.
    Repeat {
        /// sc-executor, heapbase, heapbase-direct or heapbase-wasmi.
        contestant: String,
        /// A runtime's file, or a case's for an entry point called `block`.
        file: PathBuf,
        /// The entry point, or `block`.
        entry: String,
        /// How many rounds of about a second.
        #[arg(default_value_t = 10)]
        rounds: u32,
    },
    /// Answers requests on standard input: a contestant's process.
    #[command(hide = true)]
    Serve {
        /// The contestant.
        contestant: String,
    },
    /// Answers one `Core_version` and ends: a new process.
    #[command(hide = true)]
    Cold {
        /// The contestant.
        contestant: String,
        /// The runtime's file.
        runtime: PathBuf,
        /// A folder for compiled code.
        #[arg(long)]
        cache: Option<PathBuf>,
    },
    /// Ends: what a process costs that does nothing.
    #[command(hide = true)]
    Nothing,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let shared = || bench_common::material::folder(arguments.shared.as_deref());
    match arguments.command {
        None => race(&shared()?, &arguments.race)?,
        Some(Task::Parity { only, without_smoldot, converted_every }) => {
            let smoldot = match without_smoldot {
                true => None,
                false => Some(build_smoldot(&std::env::current_exe().context("finding this program")?)?),
            };
            return parity::run(&shared()?, &only, smoldot.as_deref(), converted_every);
        }
        Some(Task::Ledger { blocks, seed, without_smoldot }) => {
            let smoldot = match without_smoldot {
                true => None,
                false => Some(build_smoldot(&std::env::current_exe().context("finding this program")?)?),
            };
            let session = ledger_agreement::session::Session { blocks, spoiled: 3, seed, around_every: 50 };
            return ledger::run(session, smoldot.as_deref());
        }
        Some(Task::Repeat { contestant, file, entry, rounds }) => {
            repeat(&contestant, &file, &entry, rounds)?;
        }
        Some(Task::Serve { contestant }) => {
            bench_host::serve(&contestant)?;
        }
        Some(Task::Cold { contestant, runtime, cache }) => {
            let contestant = contestants::by_name(&contestant, cache.as_deref())?;
            bench_common::cold(Some(contestant), &runtime)?;
        }
        Some(Task::Nothing) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn race(shared: &Path, options: &RaceOptions) -> Result<()> {
    let program = std::env::current_exe().context("finding this program")?;
    let smoldot = match options.smoke || options.without_smoldot {
        true => None,
        false => Some(build_smoldot(&program)?),
    };
    let mut peers = Vec::new();
    for contestant in ["sc-executor", "heapbase"] {
        peers.push(Peer::start(contestant, Command::new(&program).args(["serve", contestant]))?);
    }
    if let Some(smoldot) = &smoldot {
        peers.push(Peer::start("smoldot", Command::new(smoldot).args(["serve", "wasmtime"]))?);
    }
    let peers: Vec<_> = peers.into_iter().map(|peer| Rc::new(RefCell::new(peer))).collect();

    let versions = versions(&peers);
    let wasmtime = versions.get("wasmtime").cloned().unwrap_or_default();
    match wasmtime.as_slice() {
        [one] => eprintln!("all contestants are built with wasmtime {one}"),
        several => bail!("the contestants are built with different wasmtimes: {several:?}"),
    }

    let scratch = tempfile::tempdir()?;
    let bench = Bench {
        shared,
        peers: &peers,
        smoldot: smoldot.as_deref(),
        scratch: scratch.path(),
        effort: if options.smoke { Effort::SMOKE } else { Effort::FULL },
        smoke: options.smoke,
    };
    let wanted = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let mut sections = Vec::new();
    if wanted("blocks") {
        sections.push(bench.blocks()?);
    }
    if wanted("version") {
        let about = "The runtime is compiled; every call has fresh memory.";
        sections.push(bench.calls("`Core_version`", "Core_version", about)?);
    }
    if wanted("metadata") {
        let about = "A call that allocates much and returns hundreds of kilobytes.";
        sections.push(bench.calls("`Metadata_metadata`", "Metadata_metadata", about)?);
    }
    if wanted("cold") {
        sections.push(bench.cold()?);
    }
    if wanted("compile") {
        sections.push(bench.compile()?);
    }
    let text = document(&sections, &bench.effort, &versions);
    println!("{text}");
    let failed: Vec<String> = sections.iter().flat_map(failures).collect();
    if options.only.is_empty() && !options.smoke {
        let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../RESULTS.md");
        report::write_section(options.results.as_deref().unwrap_or(&default), "host", &text)?;
    }
    if !failed.is_empty() {
        bail!("heapbase failed where sc-executor answered:\n{}", failed.join("\n"));
    }
    Ok(())
}

/// Rows in which the base has a figure and heapbase has none.
fn failures(section: &Section) -> Vec<String> {
    let mut failed = Vec::new();
    for row in &section.rows {
        let base = row.cells.iter().any(|cell| cell.name == "sc-executor" && cell.outcome.is_ok());
        for cell in row.cells.iter().filter(|cell| cell.name.starts_with("heapbase")) {
            if let (true, Err(error)) = (base, &cell.outcome) {
                failed.push(format!("{}, {}: {}: {error}", section.title, row.title, cell.name));
            }
        }
    }
    failed
}

/// Builds smoldot's program beside this one; see its Cargo.toml for why it is another.
fn build_smoldot(program: &Path) -> Result<PathBuf> {
    let profile = program.parent().context("this program has no folder")?;
    let target = profile.parent().context("this program's folder has no parent")?;
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("smoldot/Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "-j2", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(target)
        .status()
        .context("starting cargo")?;
    if !built.success() {
        bail!("smoldot does not build; --without-smoldot leaves it out");
    }
    Ok(target.join("release/bench-smoldot"))
}

/// The section for RESULTS.md.
fn document(
    sections: &[Section],
    effort: &Effort,
    versions: &std::collections::BTreeMap<String, Vec<String>>,
) -> String {
    let mut text = String::from("## The host beside other executors\n\n");
    let versions: Vec<String> =
        versions.iter().map(|(package, versions)| format!("{package} {}", versions.join(" and "))).collect();
    let _ = write!(
        text,
        "Printed by `cargo run --release --manifest-path bench/host/Cargo.toml` on {}.\n\
         Versions: {}.\n\
         Median ± median absolute deviation, and minor page faults of one call. Contestants take turns, {} rounds \
         ({} where something is compiled or started), each in a process of its own; a sample of a short call lasts at \
         least {} ms. All answers are compared, byte for byte. \
         The ratio is the median of the rounds' ratios; below 1.00 heapbase is faster than sc-executor, which \
         is set up as in a node: pooling and copy-on-write, 2048 heap pages, 8 instances.\n",
        machine(),
        versions.join(", "),
        effort.rounds,
        effort.cold_rounds,
        effort.target.as_millis(),
    );
    for section in sections {
        let table = match section.rows.as_slice() {
            [row] if section.contestants_as_lines => report::list(row),
            rows => report::table(rows),
        };
        let _ = write!(text, "\n### {}\n\n{}\n\n{table}\n", section.title, section.about);
        let ratios: Vec<f64> = section.rows.iter().filter_map(report::ratio).map(|(ratio, _)| ratio).collect();
        if let (2.., Some((mean, worst))) = (ratios.len(), report::mean_and_worst(&ratios)) {
            let _ = write!(text, "\nGeometric mean of the ratios **{mean:.2}**, worst {worst:.2}.\n");
        }
    }
    text
}

fn repeat(contestant: &str, file: &Path, entry: &str, rounds: u32) -> Result<()> {
    use bench_common::{Block, material, stats, stats::Clock};
    let mut contestant = contestants::by_name(contestant, None)?;
    let mut work: Box<dyn FnMut() -> Result<(), String>> = if entry == "block" {
        let case = material::Case::read(file)?;
        let block = Block {
            runtime: case.runtime()?,
            parent_state_root: state::PreparedCase::new(&case)?.parent_state_root,
            proof: PathBuf::new(),
            case,
        };
        Box::new(move || contestant.block(&block).map(drop))
    } else {
        let runtime = material::Runtime::read(file)?;
        let entry = entry.to_owned();
        Box::new(move || contestant.call(&runtime, &entry, &[]).map(drop))
    };
    let first = stats::sample(1, Clock::Wall, &mut work).map_err(anyhow::Error::msg)?;
    println!("the first: {}", stats::human(first.nanos));
    let one = stats::sample(1, Clock::Wall, &mut work).map_err(anyhow::Error::msg)?;
    let calls = (1e9 / one.nanos).max(1.0) as u32;
    for _ in 0..rounds {
        let sample = stats::sample(calls, Clock::Wall, &mut work).map_err(anyhow::Error::msg)?;
        println!("{}, {:.1} faults", stats::human(sample.nanos), sample.faults);
    }
    Ok(())
}
