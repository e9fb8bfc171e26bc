//! The `heapbase` command: what is this runtime, what does it answer, does it execute this block.
//!
//! Results go to standard output, as a table for a person or, with `--json`, as one JSON object a line; everything else
//! goes to standard error. `RUST_LOG` shows what runtimes log.

mod adapt;
mod block;
mod call;
mod convert;
mod demo;
mod exit;
mod inspect;
mod result;
mod rewritten;
mod run;
mod source;
mod stub;
mod text;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs Polkadot SDK runtimes whichever side owns the heap.
#[derive(Parser)]
#[command(version, about, after_help = EXIT_STATUS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// Said under every `--help`.
pub(crate) const EXIT_STATUS: &str = "Exit status: 0 all went well; 1 the runtime failed (trap, wrong state root, \
refused module); 2 usage, or input that cannot be read.";

#[derive(Subcommand)]
enum Command {
    Inspect(inspect::Inspect),
    Call(call::Call),
    Block(block::Block),
    Convert(convert::Convert),
    Adapt(adapt::Adapt),
    Stub(stub::Stub),
    Verify(verify::Verify),
    Demo(demo::Demo),
}

impl Command {
    /// Whether standard output is for a program. `call` prints what failed itself, and `block` each case that did.
    fn prints_json(&self) -> bool {
        match self {
            Command::Inspect(inspect) => inspect.json,
            Command::Convert(convert) => convert.output.json,
            Command::Adapt(adapt) => adapt.output.json,
            Command::Stub(stub) => stub.output.json,
            Command::Verify(verify) => verify.json,
            Command::Block(block) => block.options.json,
            Command::Call(_) | Command::Demo(_) => false,
        }
    }
}

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off,heapbase=warn,heapbase_host=warn"))
        .init();
    exit::quiet_host_panics();
    let command = Arguments::parse().command;
    let json = command.prints_json();
    let result = match command {
        Command::Inspect(inspect) => inspect.run(),
        Command::Call(call) => call.run(),
        Command::Block(block) => block.run(),
        Command::Convert(convert) => convert.run(),
        Command::Adapt(adapt) => adapt.run(),
        Command::Stub(stub) => stub.run(),
        Command::Verify(verify) => verify.run(),
        Command::Demo(demo) => demo.run(),
    };
    match result {
        Ok(exit) => exit.into(),
        Err(error) => exit::report_as(json, &error).into(),
    }
}
