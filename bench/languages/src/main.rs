//! The ledger in five languages: time of a block of 100 transfers, size of the module.

mod trusting;

use anyhow::{Context, Result, bail};
use bench_common::stats::{Clock, Summary, human, sample, stay_on};
use bench_host::{
    machine,
    race::{Effort, Row, race},
    report::{against_first, markdown, multiple, said, write_section},
    runners::Runner,
};
use clap::Parser;
use heapbase_host::Engine;
use heapbase_module::{
    Spec,
    adapt::{Options, adapt},
};
use ledger_agreement::{
    interview,
    languages::{self, LANGUAGES, Language, SPECS, Subject},
    model::is_signed_right,
    question::{Expected, Question},
    scene::{Draft, Scene},
};
use sp_core::H256;
use sp_maybe_compressed_blob::{CODE_BLOB_BOMB_LIMIT, compress_strongly};
use std::{fmt::Write, path::PathBuf, rc::Rc};
use trusting::TrustingHostFunctions;

/// Races the ledgers of runtimes/ against the one in Rust, and writes the table into bench/RESULTS.md.
///
/// Builds nothing: `runtimes/LANGUAGE/build` does.
#[derive(Parser)]
struct Arguments {
    /// Few repeats: checks the answers and leaves the figures alone.
    #[arg(long)]
    smoke: bool,
    /// Where the table goes, instead of bench/RESULTS.md.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Where a shorter table goes, between the markers `<!-- begin languages -->` and `<!-- end languages -->`: the README.
    #[arg(long, value_name = "FILE")]
    readme: Option<PathBuf>,
}

/// Twice as many rounds as elsewhere: most of a block is the same host functions, and the differences are small.
const FULL: Effort = Effort { rounds: 81, ..Effort::FULL };

/// Transfers of the block.
const TRANSFERS: usize = 100;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let effort = if arguments.smoke { Effort::SMOKE } else { FULL };

    // Some blocks first, so that the transfers are between accounts that are there.
    let mut scene = Scene::new(1);
    for _ in 0..20 {
        let draft = scene.draft(20);
        scene.follow(&draft);
    }
    let draft = scene.draft(TRANSFERS);
    if draft.extrinsics.len() != TRANSFERS + 1 {
        bail!("the block has {} extrinsics", draft.extrinsics.len());
    }
    let block = interview::valid(&scene, &draft);
    let version = interview::once().into_iter().find(|question| question.entry == "Core_version");
    let version = version.context("nobody asks for the version")?;

    let mut text = String::from("## The ledger in five languages\n\n");
    let _ = write!(
        text,
        "Printed by `cargo run --release --manifest-path bench/languages/Cargo.toml` on {}.\n\
         `runtimes/LEDGER.md`, written once in each language, on heapbase-host with wasmtime. A block of {TRANSFERS} transfers: \
         `Core_execute_block` and the root of the state after; all states agree. Processor time, median of {} rounds, in which all take \
         turns on the same processor; page faults are those of one call. The ratio is the median of the rounds' ratios to Rust under the same spec. `Core_version` is what \
         a call costs that does next to nothing. Most of a block is the host verifying signatures: the same {TRANSFERS}, verified natively \
         and nothing else, take {}. So the block is raced once more with a host that takes every signature for right: there the language's \
         work and the state's are left.\n",
        machine(),
        effort.rounds,
        human(signatures(&draft, scene.genesis_hash, &effort)?),
    );
    let _ = write!(text, "\n{}\n", adapting(&effort)?);
    let (mut short, mut files) = (Vec::new(), Vec::new());
    for spec in SPECS {
        let subjects = loaded(|language| Subject::load(language, spec, Engine::Wasmtime))?;
        let trusting =
            loaded(|language| Subject::load_with::<TrustingHostFunctions>(language, spec, Engine::Wasmtime))?;
        let rows = Rows {
            blocks: measured("a block", &subjects, &block, &effort)?,
            unverified: measured("a block, unverified", &trusting, &block, &effort)?,
            versions: measured("Core_version", &subjects, &version, &effort)?,
        };
        let _ = write!(text, "\n### {spec}\n\n{}\n", table(&subjects, &rows)?);
        short.push(rows);
        files.push(subjects);
    }
    println!("{text}");
    if !arguments.smoke {
        let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../RESULTS.md"));
        write_section(arguments.results.as_deref().unwrap_or(&default), "languages", &text)?;
        if let Some(readme) = &arguments.readme {
            write_section(readme, "languages", &summary(&files, &short)?)?;
        }
    }
    Ok(())
}

fn loaded(load: impl Fn(Language) -> Result<Subject, String>) -> Result<Vec<Rc<Subject>>> {
    LANGUAGES.into_iter().map(|language| load(language).map(Rc::new).map_err(anyhow::Error::msg)).collect()
}

/// What was measured under one allocator spec.
struct Rows {
    blocks: Row,
    unverified: Row,
    versions: Row,
}

/// Races all languages with one question.
fn measured(title: &str, subjects: &[Rc<Subject>], question: &Question, effort: &Effort) -> Result<Row> {
    // The state is made before anything is timed.
    question.state.state();
    let Expected::Exactly(expected) = &question.expected else { bail!("{title}: nobody knows the answer") };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let runners = subjects.iter().map(|subject| {
        let (of, question, expected) = (Rc::clone(subject), question.clone(), expected.clone());
        let mut runs = 0;
        let run = move |calls| {
            // In one round on one processor, in the next on another; the first two runs, which may compile, on all.
            runs += 1;
            stay_on((runs > 2).then_some(runs % processors)).map_err(|error| error.to_string())?;
            let mut fault = None;
            let sample = sample(calls, Clock::Processor, || {
                fault = question.fault(&question.ask(&of), &expected);
                Ok::<(), String>(())
            })?;
            fault.map_or(Ok((sample, Vec::new())), Err)
        };
        Runner { name: subject.language.name.to_owned(), run: Box::new(run) }
    });
    race(title, effort.rounds, Some(effort.target), runners.collect())?.complete()
}

/// A line for each language.
fn table(subjects: &[Rc<Subject>], rows: &Rows) -> Result<String> {
    let header = [
        "",
        "block of 100 transfers",
        "÷ Rust",
        "signatures not verified",
        "÷ Rust",
        "faults",
        "`Core_version`",
        "module",
        "compressed",
    ];
    let mut lines = Vec::new();
    for (at, subject) in subjects.iter().enumerate() {
        let (time, ratio, faults) = against_first(&rows.blocks, at)?;
        let (unverified, unverified_ratio, _) = against_first(&rows.unverified, at)?;
        let compressed = compress_strongly(&subject.code, CODE_BLOB_BOMB_LIMIT);
        lines.push(vec![
            subject.language.name.to_owned(),
            time,
            ratio,
            unverified,
            unverified_ratio,
            format!("{faults:.0}"),
            against_first(&rows.versions, at)?.0,
            kilobytes(subject.code.len()),
            kilobytes(compressed.context("the module is too large to be compressed")?.len()),
        ]);
    }
    Ok(markdown(header.map(str::to_owned).into(), lines))
}

/// The table of the README: under v1 and under local, a line for each language.
fn summary(files: &[Vec<Rc<Subject>>], rows: &[Rows]) -> Result<String> {
    let mut header = vec![String::new()];
    for spec in SPECS {
        header.extend([
            format!("{spec}: block of {TRANSFERS} transfers"),
            "÷ Rust".to_owned(),
            "module, compressed".to_owned(),
        ]);
    }
    let mut lines = Vec::new();
    for (at, language) in LANGUAGES.iter().enumerate() {
        let mut line = vec![language.name.to_owned()];
        for (subjects, rows) in files.iter().zip(rows) {
            let summary = rows.blocks.cells[at].outcome.as_ref().map_err(|error| anyhow::Error::msg(error.clone()))?;
            let code = &subjects[at].code;
            let compressed =
                compress_strongly(code, CODE_BLOB_BOMB_LIMIT).context("the module is too large to be compressed")?;
            line.push(human(summary.median));
            line.push(said(multiple(&rows.blocks.cells[0], &rows.blocks.cells[at]), 2));
            line.push(format!("{}, {}", kilobytes(code.len()), kilobytes(compressed.len())));
        }
        lines.push(line);
    }
    Ok(markdown(header, lines))
}

fn kilobytes(bytes: usize) -> String {
    format!("{:.0} KB", bytes as f64 / 1e3)
}

/// What adapting takes, of the largest module that a compiler emits here.
fn adapting(effort: &Effort) -> Result<String> {
    let file = languages::folder().join("go/out/module.wasm");
    let module = std::fs::read(&file).with_context(|| format!("{}: run runtimes/go/build", file.display()))?;
    let mut samples = Vec::new();
    let mut first: Option<Vec<u8>> = None;
    for _ in 0..effort.cold_rounds.max(2) {
        samples.push(sample(1, Clock::Processor, || {
            let runtime = adapt(&module, &Options::new(Spec::Local))?.wasm;
            match first.get_or_insert_with(|| runtime.clone()) == &runtime {
                true => Ok(()),
                false => Err(anyhow::anyhow!("adapting the same module again gives other bytes")),
            }
        })?);
    }
    let summary = Summary::of(&samples).context("nothing was measured")?;
    Ok(format!(
        "Adapting what Go's compiler emits, {} before and {} after, takes {} ± {}; the same bytes come out each time.",
        kilobytes(module.len()),
        kilobytes(first.map_or(0, |runtime| runtime.len())),
        human(summary.median),
        human(summary.deviation)
    ))
}

/// Nanoseconds for the block's signatures alone, verified in this process.
fn signatures(draft: &Draft, genesis_hash: H256, effort: &Effort) -> Result<f64> {
    let mut samples = Vec::new();
    for _ in 0..effort.rounds.max(1) {
        let one = sample(1, Clock::Processor, || {
            match draft.extrinsics.iter().all(|one| is_signed_right(one, genesis_hash)) {
                true => Ok(()),
                false => Err(anyhow::anyhow!("a signature of the block is wrong")),
            }
        })?;
        samples.push(one);
    }
    Ok(Summary::of(&samples).context("nothing was measured")?.median)
}
