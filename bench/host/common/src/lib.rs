//! What the contestants of `bench-host` share.
//!
//! Every contestant runs in a process of its own, so that none of them lives with another's address space, allocator
//! or page tables, and so that two of them may be built with different features of the same crate (see
//! `smoldot/Cargo.toml`). The process under test reads [`Request`]s from standard input, one JSON object a line, and
//! answers each with a [`Reply`]; it times the work itself, so the way of the lines is in no figure.
//!
//! - [`material`]: the corpus and the cases
//! - [`stats`]: a sample and what is said about many of them
//! - [`serve`](fn@serve), [`cold`]: the two things a contestant's program does

pub mod material;
pub mod stats;

use anyhow::{Context, Result};
use material::{Case, Runtime};
use serde::{Deserialize, Serialize};
use stats::{Clock, Sample, sample};
use std::{
    collections::HashMap,
    io::{BufRead, Write},
    path::{Path, PathBuf},
};

/// An executor in the comparison.
pub trait Contestant {
    /// Calls `entry` of `runtime` with `input` on an empty state. The first call of a runtime compiles it.
    ///
    /// # Errors
    /// What the executor says about the failure, in its words.
    fn call(&mut self, runtime: &Runtime, entry: &str, input: &[u8]) -> Result<Vec<u8>, String>;

    /// Executes a block on its state and returns the root after.
    ///
    /// # Errors
    /// What the executor says about the failure, in its words.
    fn block(&mut self, block: &Block) -> Result<[u8; 32], String>;
}

/// A block, read once and executed often.
pub struct Block {
    /// The case, read from its file.
    pub case: Case,
    /// The runtime that executes it: the one in its state, or another.
    pub runtime: Runtime,
    /// The root of the state before.
    pub parent_state_root: [u8; 32],
    /// A file that holds every node of the state's tries, for who reads its state from a proof.
    pub proof: PathBuf,
}

/// What a contestant is asked to do, and how often.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Request {
    /// The work.
    pub work: Work,
    /// How often; the reply gives the mean cost of one.
    pub calls: u32,
    /// Begin with a new executor, so that the work includes compiling.
    pub fresh: bool,
    /// What a sample's time is.
    pub clock: Clock,
    /// Do it on this processor and no other.
    pub processor: Option<usize>,
}

/// One unit of work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Work {
    /// A call on an empty state.
    Call {
        /// The file of the runtime.
        runtime: PathBuf,
        /// The entry point.
        entry: String,
        /// Its input.
        input: Vec<u8>,
    },
    /// A block on its state.
    Block {
        /// The file of the case.
        case: PathBuf,
        /// The file of a runtime to execute instead of the one in the state, which keeps its own.
        runtime: Option<PathBuf>,
        /// The root of the state before.
        parent_state_root: [u8; 32],
        /// See [`Block::proof`].
        proof: PathBuf,
    },
}

/// The answer to a [`Request`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// It was done.
    Done {
        /// What one of the calls cost.
        sample: Sample,
        /// The output, or the root of a block.
        output: Vec<u8>,
    },
    /// It failed, and this is what the executor says.
    Failed(String),
}

/// What a contestant's program says first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// Packages and their versions.
    pub versions: Vec<(String, String)>,
}

/// The version of `package` in the text of a `Cargo.lock`.
pub fn locked_version(lock: &str, package: &str) -> Option<String> {
    let entry = lock
        .split("[[package]]")
        .find(|entry| entry.lines().any(|line| line.trim() == format!("name = \"{package}\"")))?;
    let line = entry.lines().find_map(|line| line.strip_prefix("version = "))?;
    Some(line.trim_matches('"').to_owned())
}

/// Does a unit of work once, and returns its answer.
type Run<'a> = dyn FnMut(&mut dyn Contestant) -> Result<Vec<u8>, String> + 'a;

/// Serves requests from standard input until it ends.
///
/// # Errors
/// A line is not a request, or a file that it names cannot be read.
pub fn serve(hello: &Hello, make: impl Fn() -> Box<dyn Contestant>) -> Result<()> {
    let mut runtimes = HashMap::new();
    let mut blocks = HashMap::new();
    let mut contestant = Some(make());
    answer(hello)?;
    for line in std::io::stdin().lock().lines() {
        let request: Request = serde_json::from_str(&line?).context("a request")?;
        let run: &mut Run<'_> = match &request.work {
            Work::Call { runtime, entry, input } => {
                if !runtimes.contains_key(runtime) {
                    runtimes.insert(runtime.clone(), Runtime::read(runtime)?);
                }
                let runtime = &runtimes[runtime];
                &mut move |contestant| contestant.call(runtime, entry, input)
            }
            Work::Block { case, runtime, parent_state_root, proof } => {
                let key = (case.clone(), runtime.clone());
                if !blocks.contains_key(&key) {
                    let case = Case::read(case)?;
                    let block = Block {
                        runtime: runtime.as_deref().map_or_else(|| case.runtime(), Runtime::read)?,
                        case,
                        parent_state_root: *parent_state_root,
                        proof: proof.clone(),
                    };
                    blocks.insert(key.clone(), block);
                }
                let block = &blocks[&key];
                &mut move |contestant| contestant.block(block).map(Vec::from)
            }
        };
        if request.fresh {
            // The old one goes first: giving its memory back is in nobody's figure.
            contestant = None;
        }
        let contestant = contestant.get_or_insert_with(&make);
        let mut output = Vec::new();
        stats::stay_on(request.processor)?;
        let done = sample(request.calls, request.clock, || {
            output = run(&mut **contestant)?;
            Ok::<(), String>(())
        });
        answer(&match done {
            Ok(sample) => Reply::Done { sample, output },
            Err(error) => Reply::Failed(error),
        })?;
    }
    Ok(())
}

fn answer(what: &impl Serialize) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, what)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

/// One call of `Core_version` in a process that has done nothing else; prints the answer as hex.
/// Without a contestant, only starts and ends.
///
/// # Errors
/// The runtime cannot be read, or the call fails.
pub fn cold(contestant: Option<Box<dyn Contestant>>, runtime: &Path) -> Result<()> {
    if let Some(mut contestant) = contestant {
        let runtime = Runtime::read(runtime)?;
        let output = contestant.call(&runtime, "Core_version", &[]).map_err(anyhow::Error::msg)?;
        println!("{}", hex::encode(output));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locked_version_takes_the_named_package_only() {
        let lock = "[[package]]\nname = \"wasmtime-environ\"\nversion = \"1.0.0\"\n\n\
                    [[package]]\nname = \"wasmtime\"\nversion = \"36.0.20\"\ndependencies = [\n \"wasmtime-environ\",\n]\n";
        assert_eq!(locked_version(lock, "wasmtime").as_deref(), Some("36.0.20"));
        assert_eq!(locked_version(lock, "wasmi"), None);
    }

    #[test]
    fn a_request_survives_its_line() {
        let work = Work::Call { runtime: "a b.wasm".into(), entry: "Core_version".into(), input: vec![1] };
        let line =
            serde_json::to_string(&Request { work, calls: 3, fresh: true, clock: Clock::Wall, processor: Some(1) })
                .unwrap();
        let back: Request = serde_json::from_str(&line).unwrap();
        assert!(back.fresh && back.calls == 3 && !line.contains('\n'));
    }
}
