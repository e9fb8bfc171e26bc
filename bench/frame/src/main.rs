//! The FRAME runtime with each heap, built and converted: time of full blocks, memory, size; and its blocks on sc-executor.

use anyhow::{Result, anyhow, bail};
use bench_common::stats::{Clock, sample};
use bench_host::{
    contestants::peer,
    machine,
    race::{Effort, Row, race},
    report::{against_first, markdown, write_section},
    runners::Runner,
};
use clap::{Parser, Subcommand};
use frame_blocks::{
    Generation, Heap, Host, Scenario,
    chain::{Authored, Chain, Contestant},
    heapbase,
    runtime::Code,
    traffic::Traffic,
};
use heapbase_host::{Config, Engine, RawOutcome, Runtime};
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;
use sc_executor::error::Error;
use sp_runtime::transaction_validity::{InvalidTransaction, TransactionValidityError};
use std::{fmt::Write, path::PathBuf};

/// Races the runtimes of runtimes/frame, and writes the table into bench/RESULTS.md.
///
/// Builds nothing: `runtimes/frame/build` does.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Task>,
    /// Few repeats of small blocks: checks the answers and leaves the figures alone.
    #[arg(long)]
    smoke: bool,
    /// Where the table goes, instead of bench/RESULTS.md.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Task {
    /// Lets a chain live on sc-executor, under legacy and local, built and converted, and on heapbase under v1: the same blocks,
    /// roots, refusals.
    Agree {
        /// How many blocks.
        #[arg(long, default_value_t = 1_000)]
        blocks: u32,
        /// Transactions that a block is offered, at most.
        #[arg(long, default_value_t = 24)]
        transactions: usize,
        /// What everything is chosen by.
        #[arg(long, default_value_t = 2)]
        seed: u64,
    },
}

fn sc_executor() -> Host {
    Host::new("sc-executor", peer::sc_executor::<sp_io::SubstrateHostFunctions>(None), |error| match error {
        Error::AbortedDueToPanic(error) => error.message,
        // Where in the module it was differs from heap to heap.
        Error::AbortedDueToTrap(error) => error.message,
        error => error.to_string(),
    })
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Task::Agree { blocks, transactions, seed }) => {
            let ours = heapbase(Config::default());
            // A host for each, here too.
            let theirs = [Heap::Legacy, Heap::Local, Heap::ConvertedLocal].map(|heap| (sc_executor(), heap));
            let who: Vec<_> = theirs.iter().map(|(host, heap)| (host, *heap)).chain([(&ours, Heap::V1)]).collect();
            let summary = Scenario { blocks, transactions, seed }.run(&who)?;
            println!("{blocks} blocks on sc-executor and heapbase: {summary:?}");
            Ok(())
        }
        None => figures(&arguments),
    }
}

/// A runtime under one heap, on one host.
struct Subject<'a> {
    name: &'static str,
    contestant: Contestant<'a>,
}

fn subjects<'a>(of: &'a [(&'static str, Host, Heap)]) -> Result<Vec<Subject<'a>>> {
    of.iter()
        .map(|&(name, ref host, heap)| {
            Ok(Subject { name, contestant: Contestant { host, heap, code: Code::read(heap, Generation::First)? } })
        })
        .collect()
}

fn figures(arguments: &Arguments) -> Result<()> {
    let effort = if arguments.smoke { Effort::SMOKE } else { Effort::FULL };
    // A host for each: one keeps few runtimes loaded.
    let theirs = [
        ("legacy", sc_executor(), Heap::Legacy),
        ("local, by feature", sc_executor(), Heap::Local),
        ("local, converted", sc_executor(), Heap::ConvertedLocal),
    ];
    let ours = [
        ("legacy", heapbase(Config::default()), Heap::Legacy),
        ("v1, by feature", heapbase(Config::default()), Heap::V1),
        ("v1, converted", heapbase(Config::default()), Heap::ConvertedV1),
        ("local, by feature", heapbase(Config::default()), Heap::Local),
        ("local, converted", heapbase(Config::default()), Heap::ConvertedLocal),
    ];
    let hosts = [("sc-executor", subjects(&theirs)?), ("heapbase-host", subjects(&ours)?)];
    let author = &hosts[1].1[0].contestant;
    let (chain, transfers, notes) = blocks(author, arguments.smoke.then_some(10))?;

    let mut text = String::from("## A FRAME runtime with each heap\n\n");
    let _ = write!(
        text,
        "Printed by `cargo run --release --manifest-path bench/frame/Cargo.toml` on {}.\n\
         The template runtime of `runtimes/frame` built with each feature, and its legacy build converted by `heapbase convert`. \
         `Core_execute_block` and the root of the state after, of a block of {} transfers and one of {} calls that write five to \
         twenty notes each{}. Processor time, median of {} rounds, in which all take turns on the same processor; the ratio is the median of the rounds' ratios to legacy \
         on the same host. Host allocations, the memory that a call writes (data, stack \
         and heap, as heapbase-host counts it) and the page faults are those of the block of notes.\n",
        machine(),
        transfers.extrinsics.len() - 1,
        notes.extrinsics.len() - 1,
        if arguments.smoke { "" } else { ", as many as each has room for" },
        effort.rounds,
    );
    // Ours first: it says why a runtime ended.
    for (host, subjects) in hosts.iter().rev() {
        let transfers_row = measured("transfers", &chain, subjects, &transfers, &effort)?;
        let notes_row = measured("notes", &chain, subjects, &notes, &effort)?;
        let table = table(&chain, subjects, &transfers_row, &notes_row, &notes)?;
        let _ = write!(text, "\n### On {host}\n\n{table}\n");
    }
    println!("{text}");
    if !arguments.smoke {
        let default = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../RESULTS.md"));
        write_section(arguments.results.as_deref().unwrap_or(&default), "frame", &text)?;
    }
    Ok(())
}

/// More transactions than a block has room for.
const MORE_THAN_FIT: usize = 4_000;

/// A chain, and the two blocks that could be its next, of so many transactions, or as many as have room.
fn blocks(author: &Contestant<'_>, count: Option<usize>) -> Result<(Chain, Authored, Authored)> {
    let mut chain = Chain::development(author)?;
    let mut random = ChaCha20Rng::seed_from_u64(1);
    let mut traffic = Traffic::default();
    // Some blocks first, so that there are accounts and notes.
    for _ in 0..5 {
        let offered: Vec<_> = (0..20).map(|_| traffic.transfer(&chain, &mut random)).collect();
        let notes = (0..10).map(|_| traffic.many_notes(&chain, &mut random));
        let offered: Vec<_> = offered.into_iter().chain(notes.collect::<Vec<_>>()).collect();
        let block = chain.author(author, &offered)?;
        chain.import(author, &block)?;
    }
    let mut made = Vec::new();
    for notes in [false, true] {
        // Both are the same accounts' next transactions: only one of them can follow.
        let mut traffic = traffic.clone();
        let offered: Vec<_> = (0..count.unwrap_or(MORE_THAN_FIT))
            .map(
                |_| if notes { traffic.many_notes(&chain, &mut random) } else { traffic.transfer(&chain, &mut random) },
            )
            .collect();
        // What a block has no room for is refused, and then what the same account would have sent after it.
        let full: TransactionValidityError = InvalidTransaction::ExhaustsResources.into();
        let first = chain.author(author, &offered)?;
        let fit = first.results.iter().position(|result| *result == Err(full)).unwrap_or(first.results.len());
        if count.is_none() && fit == first.results.len() {
            bail!("{MORE_THAN_FIT} transactions do not fill a block");
        }
        // The inherents come first, and are no transactions.
        let inherents = first.results.len() - offered.len();
        let block = chain.author(author, &offered[..fit - inherents])?;
        if let Some(result) = block.results.iter().find(|result| !matches!(result, Ok(Ok(())))) {
            bail!("a transaction of a full block: {result:?}");
        }
        made.push(block);
    }
    let [transfers, notes] = <[Authored; 2]>::try_from(made).map_err(|_| anyhow!("two blocks"))?;
    Ok((chain, transfers, notes))
}

fn measured(title: &str, chain: &Chain, subjects: &[Subject<'_>], block: &Authored, effort: &Effort) -> Result<Row> {
    let bytes = block.encode();
    let expected = block.header.state_root;
    let runners = subjects.iter().map(|subject| {
        let bytes = &bytes;
        let run = move |calls| {
            let mut root = Ok(expected);
            let sample = sample(calls, Clock::Processor, || {
                root = chain.execute(&subject.contestant, bytes);
                Ok::<(), String>(())
            })?;
            Ok((sample, root?.0.to_vec()))
        };
        Runner { name: subject.name.to_owned(), run: Box::new(run) }
    });
    race(title, effort.rounds, Some(effort.target), runners.collect())?.complete()
}

fn table(chain: &Chain, subjects: &[Subject<'_>], transfers: &Row, notes: &Row, block: &Authored) -> Result<String> {
    let header = [
        "",
        "transfers",
        "÷ legacy",
        "notes",
        "÷ legacy",
        "page faults",
        "host allocations",
        "memory written",
        "module",
    ];
    let mut lines = Vec::new();
    for (at, subject) in subjects.iter().enumerate() {
        let (transfers, transfers_ratio, _) = against_first(transfers, at)?;
        let (notes, notes_ratio, faults) = against_first(notes, at)?;
        let used = used(chain, &subject.contestant.code, block)?;
        lines.push(vec![
            subject.name.to_owned(),
            transfers,
            transfers_ratio,
            notes,
            notes_ratio,
            format!("{faults:.0}"),
            used.statistics.host_allocations.to_string(),
            used.touched_bytes.map_or_else(|| "–".to_owned(), |bytes| format!("{:.2} MiB", bytes as f64 / 1_048_576.0)),
            format!("{:.0} KB", subject.contestant.code.wasm.len() as f64 / 1e3),
        ]);
    }
    Ok(markdown(header.map(str::to_owned).into(), lines))
}

/// What a block uses, as our host counts it: the first call of a runtime, so that every page that is written counts.
fn used(chain: &Chain, code: &Code, block: &Authored) -> Result<RawOutcome> {
    let runtime = Runtime::new(&code.wasm, &Config { engine: Engine::Wasmtime, ..Config::default() })?;
    let bytes = block.encode();
    let mut overlay = Default::default();
    let mut ext = sp_state_machine::Ext::new(&mut overlay, &chain.state, None);
    let outcome = runtime.call("Core_execute_block", &bytes).with(&mut ext);
    if let Err(error) = &outcome.output {
        bail!("the block that was raced: {error}");
    }
    Ok(outcome)
}
