//! The ledger in five languages: time of a block of 100 transfers, size of the module.

mod trusting;

use anyhow::{Context, Result, bail};
use bench_common::stats::{Clock, Summary, human, sample};
use bench_host::{
    machine,
    race::{Effort, Row, race},
    report::{markdown, multiple, said, write_section},
    runners::Runner,
};
use clap::Parser;
use heapbase_host::Engine;
use ledger_agreement::{
    interview,
    languages::{LANGUAGES, Language, SPECS, Subject},
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
}

/// Transfers of the block.
const TRANSFERS: usize = 100;

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let effort = if arguments.smoke { Effort::SMOKE } else { Effort::FULL };

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
         `Core_execute_block` and the root of the state after; all states agree. Median of {} rounds, in which all take turns; page \
         faults are those of one call. The ratio is the median of the rounds' ratios to Rust under the same spec. `Core_version` is what \
         a call costs that does next to nothing. Most of a block is the host verifying signatures: the same {TRANSFERS}, verified natively \
         and nothing else, take {}. So the block is raced once more with a host that takes every signature for right: there the language's \
         work and the state's are left.\n",
        machine(),
        effort.rounds,
        human(signatures(&draft, scene.genesis_hash, &effort)?),
    );
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
    }
    println!("{text}");
    if !arguments.smoke {
        let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../RESULTS.md"));
        write_section(arguments.results.as_deref().unwrap_or(&default), "languages", &text)?;
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
    let runners = subjects.iter().map(|subject| {
        let (of, question, expected) = (Rc::clone(subject), question.clone(), expected.clone());
        let run = move |calls| {
            let mut fault = None;
            let sample = sample(calls, Clock::Wall, || {
                fault = question.fault(&question.ask(&of), &expected);
                Ok::<(), String>(())
            })?;
            fault.map_or(Ok((sample, Vec::new())), Err)
        };
        Runner { name: subject.language.name.to_owned(), run: Box::new(run) }
    });
    let row = race(title, effort.rounds, Some(effort.target), runners.collect())?;
    for cell in &row.cells {
        if let Err(error) = &cell.outcome {
            bail!("{title}: {}: {error}", cell.name);
        }
    }
    Ok(row)
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
        let figures = |row: &Row| {
            let summary = row.cells[at].outcome.as_ref().map_err(|error| anyhow::Error::msg(error.clone()))?;
            let time = format!("{} ± {}", human(summary.median), human(summary.deviation));
            Ok::<_, anyhow::Error>((time, said(multiple(&row.cells[0], &row.cells[at]), 2), summary.faults))
        };
        let (time, ratio, faults) = figures(&rows.blocks)?;
        let (unverified, unverified_ratio, _) = figures(&rows.unverified)?;
        let compressed = compress_strongly(&subject.code, CODE_BLOB_BOMB_LIMIT);
        lines.push(vec![
            subject.language.name.to_owned(),
            time,
            ratio,
            unverified,
            unverified_ratio,
            format!("{faults:.0}"),
            figures(&rows.versions)?.0,
            kilobytes(subject.code.len()),
            kilobytes(compressed.context("the module is too large to be compressed")?.len()),
        ]);
    }
    Ok(markdown(header.map(str::to_owned).into(), lines))
}

fn kilobytes(bytes: usize) -> String {
    format!("{:.0} KB", bytes as f64 / 1e3)
}

/// Nanoseconds for the block's signatures alone, verified in this process.
fn signatures(draft: &Draft, genesis_hash: H256, effort: &Effort) -> Result<f64> {
    let mut samples = Vec::new();
    for _ in 0..effort.rounds.max(1) {
        let one =
            sample(1, Clock::Wall, || match draft.extrinsics.iter().all(|one| is_signed_right(one, genesis_hash)) {
                true => Ok(()),
                false => Err(anyhow::anyhow!("a signature of the block is wrong")),
            })?;
        samples.push(one);
    }
    Ok(Summary::of(&samples).context("nothing was measured")?.median)
}
