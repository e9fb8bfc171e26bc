//! Asks the ledgers of all languages the same questions, and says where they do not agree.
//!
//! Exits 1 where one of them is wrong, or where a way to spoil a block was never tried.

use anyhow::{Result, bail};
use clap::Parser;
use heapbase_host::Engine;
use ledger_agreement::{
    languages::{LANGUAGES, SPECS, Subject},
    question::Question,
    session::Session,
};
use std::{collections::BTreeMap, convert::Infallible, process::ExitCode, time::Instant};

/// Asks the ledgers of all languages the same questions, and says where they do not agree.
#[derive(Parser)]
struct Arguments {
    /// How many blocks.
    #[arg(long, default_value_t = 2_000)]
    blocks: u32,
    /// How many spoiled blocks for each of them.
    #[arg(long, default_value_t = 3)]
    spoiled: usize,
    /// What everything is chosen by.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only these languages, by folder.
    #[arg(long, value_delimiter = ',', value_name = "FOLDER")]
    only: Vec<String>,
    /// wasmi is asked every so manieth question; 0 leaves it out.
    #[arg(long, default_value_t = 10, value_name = "N")]
    wasmi_every: u64,
    /// Languages that were not built are left out, and named.
    #[arg(long)]
    allow_missing: bool,
}

/// After so many faults the rest is only counted.
const SHOWN: u64 = 30;

struct Interview {
    subjects: Vec<Subject>,
    wasmi_every: u64,
    asked: u64,
    faults: BTreeMap<String, u64>,
    shown: u64,
}

impl Interview {
    fn ask(&mut self, question: &Question) {
        let everyone = self.wasmi_every > 0 && self.asked.is_multiple_of(self.wasmi_every);
        self.asked += 1;
        let mut first = None;
        for subject in &self.subjects {
            if subject.engine == Engine::Wasmi && !everyone {
                continue;
            }
            let answer = question.ask(subject);
            let first = first.get_or_insert_with(|| answer.clone());
            if let Some(fault) = question.fault(&answer, first) {
                *self.faults.entry(subject.name()).or_default() += 1;
                self.shown += 1;
                if self.shown <= SHOWN {
                    println!("{}: {}: {}:\n  {fault}", subject.name(), question.entry, question.about);
                }
            }
        }
    }
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let begin = Instant::now();
    let mut interview = Interview {
        subjects: subjects(&arguments)?,
        wasmi_every: arguments.wasmi_every,
        asked: 0,
        faults: BTreeMap::new(),
        shown: 0,
    };
    println!("{} ledgers loaded in {:.1} s", interview.subjects.len(), begin.elapsed().as_secs_f64());

    let session =
        Session { blocks: arguments.blocks, spoiled: arguments.spoiled, seed: arguments.seed, around_every: 20 };
    let Ok(summary) = session.run(|question| {
        interview.ask(question);
        Ok::<(), Infallible>(())
    });

    println!(
        "{} blocks with {} transfers, {} spoiled in {} ways, {} questions in all, {:.1} s",
        arguments.blocks,
        summary.transfers,
        summary.tried.values().sum::<u32>(),
        summary.tried.len(),
        summary.questions,
        begin.elapsed().as_secs_f64()
    );
    for subject in &interview.subjects {
        let faults = interview.faults.get(&subject.name()).copied().unwrap_or(0);
        println!("{:28} {} faults", subject.name(), faults);
    }
    let missed = summary.missed();
    if !missed.is_empty() {
        println!("never tried, more blocks are needed: {missed:?}");
    }
    Ok(if interview.faults.is_empty() && missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn subjects(arguments: &Arguments) -> Result<Vec<Subject>> {
    if let Some(unknown) = arguments.only.iter().find(|name| LANGUAGES.iter().all(|language| language.folder != **name))
    {
        bail!("no language has the folder `{unknown}`: {}", LANGUAGES.map(|language| language.folder).join(", "));
    }
    let engines: &[Engine] =
        if arguments.wasmi_every > 0 { &[Engine::Wasmtime, Engine::Wasmi] } else { &[Engine::Wasmtime] };
    let mut subjects = Vec::new();
    for language in LANGUAGES {
        if !arguments.only.is_empty() && !arguments.only.iter().any(|name| name == language.folder) {
            continue;
        }
        for spec in SPECS {
            if arguments.allow_missing && !language.file(spec).is_file() {
                println!("SKIPPED: {} {spec}: it was not built", language.name);
                continue;
            }
            for engine in engines {
                subjects.push(Subject::load(language, spec, *engine).map_err(anyhow::Error::msg)?);
            }
        }
    }
    if subjects.is_empty() {
        bail!("no ledger to ask: build one with `runtimes/rust/build`");
    }
    Ok(subjects)
}
