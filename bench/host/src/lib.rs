//! What the programs that race executors are made of: `bench-host` here, and `bench-convert` beside it.
//!
//! A program starts itself once for each contestant ([`runners::Peer`], [`serve`]) and lets them take turns ([`race`]).

pub mod contestants;
pub mod race;
pub mod report;
pub mod runners;
pub mod state;

use anyhow::Result;
use bench_common::{
    Hello, locked_version,
    material::{Runtime, corpus_files},
};
use runners::Peer;
use std::{
    cell::RefCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
    rc::Rc,
};

/// The runtimes of the corpus that are raced: ten sizes between the smallest and the largest, from chains of different years.
const CHOSEN: [&str; 10] = [
    "acala-",
    "asset-hub-kusama-",
    "collectives-",
    "node-template-06a513",
    "polkadot-21c460",
    "rococo-07e852",
    "statemint-",
    "substrate-runtime-",
    "tick-",
    "westend-16e371",
];

/// The runtimes that are raced, the smallest first, with their names and sizes as the titles of rows; two small ones for a
/// `smoke` test.
///
/// # Errors
/// The corpus cannot be read.
pub fn chosen(shared: &Path, smoke: bool) -> Result<Vec<(String, PathBuf)>> {
    let wanted: &[&str] = if smoke { &["node-template-06a513", "tick-"] } else { &CHOSEN };
    let mut chosen = Vec::new();
    for file in corpus_files(shared)? {
        let runtime = Runtime::read(&file)?;
        if wanted.iter().any(|prefix| runtime.name.starts_with(prefix)) {
            let megabytes = runtime.wasm_bytes()? as f64 / 1e6;
            chosen.push((megabytes, format!("{}, {megabytes:.1} MB", runtime.name), file));
        }
    }
    chosen.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(chosen.into_iter().map(|(_, title, file)| (title, file)).collect())
}

/// The packages of these programs that the figures depend on.
pub fn hello() -> Hello {
    let lock = include_str!("../Cargo.lock");
    let versions = ["sc-executor", "heapbase-host", "sp-io", "sp-state-machine", "wasmtime", "wasmi"]
        .map(|name| (name.to_owned(), locked_version(lock, name).unwrap_or_default()));
    Hello { versions: versions.into() }
}

/// Answers requests on standard input as the contestant of that name.
///
/// # Errors
/// There is none of that name; otherwise as [`bench_common::serve`].
pub fn serve(contestant: &str) -> Result<()> {
    contestants::by_name(contestant, None)?;
    bench_common::serve(&hello(), || contestants::by_name(contestant, None).expect("it was made once"))
}

/// Versions of everything that took part, by name.
pub fn versions(peers: &[Rc<RefCell<Peer>>]) -> BTreeMap<String, Vec<String>> {
    let mut versions: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for peer in peers {
        for (package, version) in &peer.borrow().hello.versions {
            let known = versions.entry(package.clone()).or_default();
            if !known.contains(version) {
                known.push(version.clone());
            }
        }
    }
    versions
}

/// Processor, cores and kernel.
pub fn machine() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let cpu = read("/proc/cpuinfo");
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("an unknown processor", |rest| rest.trim_start_matches(['\t', ' ', ':']).trim())
        .to_owned();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = read("/proc/sys/kernel/osrelease");
    let kernel = kernel.split('-').next().unwrap_or_default().trim().to_owned();
    format!("{model}, {cores} cores, {} {kernel} (shared machine)", std::env::consts::OS)
}
