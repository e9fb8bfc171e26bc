//! Two runtime files, raced: for who works on the converter or on an allocator.

use anyhow::{Result, bail};
use bench_common::{Work, material::Case};
use bench_host::{
    race::{Cell, race},
    report,
    runners::{Peer, alternating},
    state::PreparedCase,
};
use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
    time::Duration,
};

#[derive(clap::Args)]
pub struct Options {
    /// The base of the ratios.
    a: PathBuf,
    /// The other.
    b: PathBuf,
    /// Entry points, called with no input on an empty state.
    #[arg(long, value_delimiter = ',', default_value = "Core_version")]
    entry: Vec<String>,
    /// Execute these cases' blocks instead.
    #[arg(long)]
    case: Vec<PathBuf>,
    /// Rounds.
    #[arg(long, default_value_t = 61)]
    rounds: u32,
    /// How long one sample lasts at least, in milliseconds of processor time.
    #[arg(long, default_value_t = 10)]
    sample: u64,
    /// Contestants: sc-executor, sc-executor-eager, heapbase.
    #[arg(long, value_delimiter = ',', default_value = "sc-executor,heapbase")]
    on: Vec<String>,
    /// Also race A against itself in another process: what that ratio is off from 1 is noise.
    #[arg(long)]
    control: bool,
}

/// Races the files and prints what came out.
///
/// # Errors
/// A contestant fails, or two answers differ.
pub fn run(options: &Options) -> Result<()> {
    let program = std::env::current_exe()?;
    let mut who = Vec::new();
    for contestant in &options.on {
        let mut files = vec![("A", &options.a), ("B", &options.b)];
        if options.control {
            files.push(("A again", &options.a));
        }
        for (name, file) in files {
            let name = format!("{contestant} {name}");
            let peer = Peer::start(&name, Command::new(&program).args(["serve", contestant]))?;
            who.push((Rc::new(RefCell::new(peer)), std::path::absolute(file)?));
        }
    }
    let calls = options.entry.iter().map(|entry| Call::Entry(entry.clone()));
    let calls = match options.case.as_slice() {
        [] => calls.collect(),
        cases => cases.iter().map(|case| Call::of_case(case)).collect::<Result<Vec<_>>>()?,
    };
    let each = if options.control { 3 } else { 2 };
    for call in calls {
        let runners = who.iter().map(|(peer, file)| alternating(peer, &call.by(file))).collect();
        let target = Some(Duration::from_millis(options.sample));
        let title = call.title();
        let row = race(title, options.rounds, target, runners)?;
        println!("{title}");
        for cells in row.cells.chunks(each) {
            for cell in cells {
                println!("  {}", say(&cells[0], cell));
                if let Err(error) = &cell.outcome {
                    bail!("{title}: {} fails: {error}", cell.name);
                }
            }
        }
    }
    Ok(())
}

/// What the files are raced at.
enum Call {
    /// An entry point, with no input on an empty state.
    Entry(String),
    /// The block of a case, by name and file, on a state with this root.
    Block(String, PathBuf, [u8; 32]),
}

impl Call {
    fn of_case(file: &Path) -> Result<Self> {
        let case = Case::read(file)?;
        let root = PreparedCase::new(&case)?.parent_state_root;
        Ok(Self::Block(case.name, std::path::absolute(file)?, root))
    }

    fn title(&self) -> &str {
        match self {
            Self::Entry(title) | Self::Block(title, ..) => title,
        }
    }

    fn by(&self, runtime: &Path) -> Work {
        let runtime = runtime.to_owned();
        match self {
            Self::Entry(entry) => Work::Call { runtime, entry: entry.clone(), input: Vec::new() },
            Self::Block(_, case, root) => Work::Block {
                case: case.clone(),
                runtime: Some(runtime),
                parent_state_root: *root,
                proof: PathBuf::new(),
            },
        }
    }
}

/// A contestant's figures, and its ratio.
fn say(base: &Cell, cell: &Cell) -> String {
    let ratio = match report::multiple(base, cell) {
        Some((median, deviation)) => format!("{median:.3} ± {deviation:.3}"),
        None => "–".to_owned(),
    };
    let faults = cell.outcome.as_ref().map_or(f64::NAN, |summary| summary.faults);
    format!("{:<24} {ratio}  {faults:.2} faults  {}", cell.name, report::cell(cell))
}
