//! Converted runtimes beside the originals: time, page faults, memory, and the same answers.

mod compare;
mod document;
mod memory;
mod parts;
mod races;
mod sizes;
mod subject;

use anyhow::{Context, Result};
use bench_host::{race::Row, report, runners::Peer, versions};
use clap::{Parser, Subcommand};
use races::{Effort, Races};
use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};
use subject::{Form, Subject};

/// Races converted runtimes against the originals, and writes the table into bench/RESULTS.md.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Task>,
    #[command(flatten)]
    race: RaceOptions,
}

#[derive(clap::Args)]
struct RaceOptions {
    /// The folder with corpus/ and cases/, instead of ../shared beside the repository.
    #[arg(long, value_name = "FOLDER")]
    shared: Option<PathBuf>,
    /// Few repeats of little work: checks the answers and leaves the figures alone.
    #[arg(long)]
    smoke: bool,
    /// Where the tables go, instead of bench/RESULTS.md.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Only these sections: blocks, calls, languages, memory, parts, sizes. Prints them, writes no file.
    #[arg(long, value_delimiter = ',', value_name = "SECTION")]
    only: Vec<String>,
    /// Only runtimes and cases whose name begins so. Prints, writes no file.
    #[arg(long, default_value = "")]
    subject: String,
}

#[derive(Subcommand)]
enum Task {
    /// Races two runtime files that must give the same answers, on sc-executor (pooling, copy-on-write) and on heapbase-host.
    Compare(compare::Options),
    /// Answers requests on standard input: a contestant's process.
    #[command(hide = true)]
    Serve {
        /// The contestant.
        contestant: String,
    },
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        None => run(&arguments.race),
        Some(Task::Compare(options)) => compare::run(&options),
        Some(Task::Serve { contestant }) => bench_host::serve(&contestant),
    }
}

fn run(options: &RaceOptions) -> Result<()> {
    let shared = bench_common::material::folder(options.shared.as_deref())?;
    let scratch = tempfile::tempdir()?;
    let wanted = |section: &str| options.only.is_empty() || options.only.iter().any(|only| only == section);
    let program = std::env::current_exe().context("finding this program")?;
    let mut peers = Vec::new();
    for (contestant, form) in races::CONTESTANTS {
        let peer = Peer::start(&races::name(contestant, form), Command::new(&program).args(["serve", contestant]))?;
        peers.push((form, Rc::new(RefCell::new(peer))));
    }
    let (effort, brief) = if options.smoke { (Effort::SMOKE, Effort::SMOKE) } else { (Effort::FULL, Effort::BRIEF) };
    let races = Races { peers: &peers, effort, brief };

    let mut found = document::Found::default();
    if wanted("sizes") {
        found.added = sizes::added(&shared)?;
        found.converting = Some(sizes::converting(&shared, effort.rounds.min(15))?);
    }
    let named = |name: &str| name.starts_with(&options.subject);
    let cases = Subject::cases(&shared, scratch.path(), options.smoke, named)?;
    let runtimes = Subject::runtimes(&shared, scratch.path(), options.smoke, named)?;
    if wanted("memory") {
        found.memory_of_blocks =
            cases.iter().map(|case| memory::measure(case, "Core_execute_block")).collect::<Result<_>>()?;
        found.memory_of_calls =
            runtimes.iter().map(|runtime| memory::measure(runtime, "Metadata_metadata")).collect::<Result<_>>()?;
    }
    if wanted("blocks") {
        for subject in &cases {
            found.blocks.push(races.block(subject)?);
        }
    }
    if wanted("calls") {
        for subject in &runtimes {
            found.version.push(races.call(subject, "Core_version", effort)?);
            found.metadata.push(races.call(subject, "Metadata_metadata", effort)?);
            found.others.push(races.others(subject)?);
        }
    }
    if wanted("parts") {
        let contest = parts::Contest::new(&program, effort)?;
        let each = |subjects: &[Subject], entry: &str| -> Result<Vec<_>> {
            subjects.iter().map(|one| contest.measure(one, entry)).collect()
        };
        found.parts_of_blocks = each(&cases, "Core_execute_block")?;
        found.parts_of_calls = each(&runtimes, "Metadata_metadata")?;
    }
    if wanted("languages") {
        for subject in Subject::foreign(&shared, scratch.path(), options.smoke, named)? {
            for entry in ["Core_version", "Metadata_metadata"] {
                let row = races.call(&subject, entry, effort)?;
                found.foreign.push(Row { title: format!("{}, `{entry}`", subject.title), ..row });
            }
            let (_, others) = races.others(&subject)?;
            let titled = |row: Row| Row { title: format!("{}, `{}`", subject.title, row.title), ..row };
            found.foreign.extend(others.into_iter().map(titled));
        }
    }
    let peers: Vec<_> = peers.iter().map(|(_, peer)| Rc::clone(peer)).collect();
    let text = document::document(&found, &effort, &versions(&peers));
    println!("{text}");
    if options.only.is_empty() && options.subject.is_empty() && !options.smoke {
        let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../RESULTS.md");
        report::write_section(options.results.as_deref().unwrap_or(&default), "convert", &text)?;
    }
    Ok(())
}

/// The raw file of a form of a subject.
fn file(subject: &Subject, form: Form) -> &Path {
    &subject.files[form as usize]
}
