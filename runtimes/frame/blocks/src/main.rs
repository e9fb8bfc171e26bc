//! Lets a chain live on heapbase-host: under every heap, on both engines.

use anyhow::Result;
use clap::Parser;
use frame_blocks::{Heap, Scenario, heapbase};
use heapbase_host::{Config, Engine, HeapPages};

/// Blocks of the template runtime under every heap.
#[derive(Parser)]
struct Arguments {
    /// Blocks on compiled code.
    #[arg(long, default_value_t = 1_000)]
    blocks: u32,
    /// Blocks that are interpreted too.
    #[arg(long, default_value_t = 30)]
    interpreted: u32,
    /// Transactions that a block is offered, at most.
    #[arg(long, default_value_t = 24)]
    transactions: usize,
    /// What everything is chosen by.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let Arguments { blocks, interpreted, transactions, seed } = Arguments::parse();
    let compiled = Config { engine: Engine::Wasmtime, ..Config::default() };
    // wasmi writes every zero of a new memory. A node's 2,048 pages would take each call 70 ms of the system's time, twenty times as
    // long as most calls take; these blocks need less.
    let interpreting = Config { engine: Engine::Wasmi, heap_pages: HeapPages::Fixed(256), ..Config::default() };
    // Each has a host of its own: one keeps few runtimes loaded.
    let on = |config: &Config| Heap::ALL.map(|heap| (heapbase(config.clone()), heap));
    let (compiled, interpreting) = (on(&compiled), on(&interpreting));
    let runs =
        [(blocks, compiled.iter().collect::<Vec<_>>()), (interpreted, compiled.iter().chain(&interpreting).collect())];
    for (blocks, who) in runs {
        let who: Vec<_> = who.into_iter().map(|(host, heap)| (host, *heap)).collect();
        let summary = Scenario { blocks, transactions, seed }.run(&who)?;
        println!(
            "{blocks} blocks: {} transactions, {} failed, {} refused; {} executions, {} spoiled blocks refused by all, upgrades in {:?}",
            summary.applied,
            summary.failed,
            summary.refused,
            summary.executed,
            summary.spoiled.values().sum::<usize>(),
            summary.upgrades,
        );
    }
    Ok(())
}
