//! A minimal node of the Polkadot SDK whose runtime is executed by heapbase-host.
//!
//! It is made of the published `sc-*` crates, with Aura and GRANDPA, and of nothing that a network on loopback can do without.
//! `--executor stock` takes the SDK's own executor instead; the two make one network.

mod config;
mod runtime_api;
mod service;

use clap::Parser;
use config::Arguments;
use sc_service::Error;
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("heapbase-node: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let arguments = Arguments::parse();
    let mut logger = sc_tracing::logging::LoggerBuilder::new(arguments.log.clone());
    logger.with_colors(false);
    logger.init().map_err(|error| Error::Other(error.to_string()))?;

    let tokio = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let executor = arguments.executor.executor();
    let config = arguments.configuration(tokio.handle().clone())?;
    let mut task_manager = tokio.block_on(async { service::start(config, executor) })?;
    let ended = tokio.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            ended = task_manager.future() => ended,
            _ = terminate.recv() => Ok(()),
            interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        }
    });
    // Before the runtime that its tasks run on.
    drop(task_manager);
    ended
}
