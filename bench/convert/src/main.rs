//! Converted runtimes beside the originals: time, page faults, memory, and the same answers.

mod compare;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Races converted runtimes against the originals, and writes the table into bench/RESULTS.md.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Task,
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
    match Arguments::parse().command {
        Task::Compare(options) => compare::run(&options),
        Task::Serve { contestant } => bench_host::serve(&contestant),
    }
}
