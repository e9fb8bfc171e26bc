//! Times the allocators of heapbase against their peers on wasmtime and V8, in one run.

mod engines;
mod fits;
mod guests;
mod offline;
mod readme;
mod report;
mod workloads;

use anyhow::Result;
use clap::Parser;
use engines::Effort;
use std::path::Path;

/// Prints the tables; writes them into `bench/RESULTS.md`, with plots beside it, and the crate's README, unless `--smoke`.
#[derive(Parser)]
struct Options {
    /// A few rounds only, and nothing is written: shows that everything runs.
    #[arg(long)]
    smoke: bool,
    /// One engine only; then nothing is written either.
    #[arg(long, value_parser = ["wasmtime", "v8"])]
    engine: Option<String>,
    /// Only workloads whose name contains this; then nothing is written either.
    #[arg(long)]
    only: Option<String>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guests = guests::build(home)?;
    let names: Vec<String> = guests.iter().map(|(name, _)| name.clone()).collect();
    let mut workloads = workloads::all(&home.join("traces"))?;
    if let Some(only) = &options.only {
        workloads.retain(|workload| workload.name.contains(only));
    }
    let effort = if options.smoke {
        Effort { instances: 1, least_ops: 1 }
    } else {
        Effort { instances: 7, least_ops: 1_000_000 }
    };
    let mut measured = Vec::new();
    for engine in ["wasmtime", "v8"] {
        if options.engine.as_ref().is_some_and(|only| only != engine) {
            continue;
        }
        eprintln!("measuring on {engine}");
        let figures = match engine {
            "wasmtime" => engines::wasmtime(&guests, &workloads, effort)?,
            _ => engines::v8(&home.join("src/v8.mjs"), &home.join("target"), &guests, &workloads, effort)?,
        };
        measured.push(report::Measured { engine, names: &names, workloads: &workloads, figures });
    }
    let bench = home.join("..");
    let keep = !options.smoke && options.engine.is_none() && options.only.is_none();
    let mut section = report::section(&measured, keep.then_some(bench.as_path()))?;
    eprintln!("measuring memory");
    let peers = &guests[1..guests.len() - 1];
    let allocators = [&guests[..1], &[guests::one(home, guests::V1)?], peers].concat();
    let in_memory: Vec<String> = allocators.iter().map(|(name, _)| name.clone()).collect();
    let played: Vec<_> = workloads.iter().collect();
    let taken = engines::memory(&allocators, &played)?;
    let memory = report::Memory::new(&in_memory, &played, taken);
    memory.tables(&mut section);
    let touching = [&allocators[..], &[guests::one(home, guests::BUMP)?]].concat();
    report::touched_table(&mut section, &in_memory, &engines::memory(&touching, &[&workloads::short_call()])?[0]);
    println!("{section}");
    let readme = if options.only.is_none() {
        readme::section(home, &workloads, effort, &measured, &memory)?
    } else {
        String::new()
    };
    println!("{readme}");
    if keep {
        heapbase_bench_common::replace_section(&bench.join("RESULTS.md"), "alloc", &section)?;
        heapbase_bench_common::replace_section(&bench.join("../crates/heapbase/README.md"), "bench", &readme)?;
    }
    Ok(())
}
