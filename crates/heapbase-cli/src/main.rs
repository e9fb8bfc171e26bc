//! The command.
#![forbid(unsafe_code)]

mod inspect;

use clap::Parser;
use std::process::ExitCode;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All went well.
    Success = 0,
    /// The runtime failed.
    RuntimeFailed = 1,
    /// Usage, or input that cannot be read.
    Usage = 2,
}

/// Gives a WebAssembly runtime its own heap.
#[derive(Parser)]
#[command(name = "heapbase", version)]
enum Command {
    Inspect(inspect::Inspect),
}

fn main() -> ExitCode {
    let Command::Inspect(inspect) = Command::parse();
    let exit = inspect.run().unwrap_or_else(|error| {
        anstream::eprintln!("error: {error:#}");
        Exit::Usage
    });
    ExitCode::from(exit as u8)
}
