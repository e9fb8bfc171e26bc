//! The section of the crate's README that says which allocator is for whom, with figures of this run.

use crate::{
    engines::{self, Effort},
    guests,
    report::{self, Measured, Memory},
    workloads::Workload,
};
use anyhow::{Context, Result, ensure};
use std::{collections::BTreeMap, fmt::Write, path::Path, process::Command};

/// The workload that stands for a program at work.
const WORKLOAD: &str = "metadata-polkadot-21c460";

struct Row {
    name: &'static str,
    purpose: &'static str,
    /// Its guest in `bench/size`, and what that is compared with.
    size: (&'static str, &'static str, &'static str),
    /// Its guest here; none has one that never allocates.
    guest: Option<&'static str>,
    takes_back: &'static str,
    threads: &'static str,
    complexity: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        name: "`Global` (`SizeClassAllocator`)",
        purpose: "programs that do real work",
        size: ("heapbase", "dlmalloc", "dlmalloc"),
        guest: Some("heapbase"),
        takes_back: "yes",
        threads: "with the target's",
        complexity: "bounded time, whatever the heap's size, for alignments to 8 and blocks to 7 MiB, until memory runs out",
    },
    Row {
        name: "`FreeListAllocator`",
        purpose: "small modules that allocate little",
        size: ("heapbase-free-list", "lol-free-list", "lol_alloc"),
        guest: Some("heapbase-free-list"),
        takes_back: "yes",
        threads: "in `LockedAllocator`",
        complexity: "as long as the list is",
    },
    Row {
        name: "`LeakingAllocator`",
        purpose: "modules with a short life",
        size: ("heapbase-leaking", "lol-leaking", "lol_alloc"),
        guest: Some("heapbase-leaking"),
        takes_back: "no",
        threads: "in `LockedAllocator`",
        complexity: "constant",
    },
    Row {
        name: "`LeakingPageAllocator`",
        purpose: "modules that allocate once or twice",
        size: ("heapbase-leaking-page", "lol-leaking-page", "lol_alloc"),
        guest: Some("heapbase-leaking-page"),
        takes_back: "no",
        threads: "in `LockedAllocator`",
        complexity: "constant",
    },
    Row {
        name: "`FailAllocator`",
        purpose: "modules that must not allocate",
        size: ("heapbase-fail", "lol-fail", "lol_alloc"),
        guest: None,
        takes_back: "–",
        threads: "yes",
        complexity: "constant",
    },
];

/// Bytes by guest, as `bench/size` measures them.
fn sizes(home: &Path) -> Result<BTreeMap<String, u64>> {
    let output = Command::new("cargo")
        .args(["run", "--quiet", "--release", "-j2", "--manifest-path"])
        .arg(home.join("../size/Cargo.toml"))
        .args(["--", "--json"])
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run bench/size")?;
    ensure!(output.status.success(), "bench/size failed");
    serde_json::from_slice(&output.stdout).context("bench/size printed something else than sizes")
}

/// The section: the table, and what the whole run says in a few sentences.
pub fn section(
    home: &Path,
    workloads: &[Workload],
    effort: Effort,
    measured: &[Measured<'_>],
    memory: &Memory<'_>,
) -> Result<String> {
    let workload = workloads.iter().find(|workload| workload.name == WORKLOAD);
    let workload = workload.with_context(|| format!("the trace {WORKLOAD} is missing"))?;
    let names = ROWS.iter().filter_map(|row| row.guest).chain([guests::LOOP]);
    let guests = names.map(|name| guests::one(home, name)).collect::<Result<Vec<_>>>()?;
    // One play an instance: what never gives back cannot play for long.
    let once = Effort { least_ops: 0, ..effort };
    let figures = engines::wasmtime(&guests, std::slice::from_ref(workload), once)?.remove(0);
    let taken = engines::memory(&guests[..guests.len() - 1], &[workload])?.remove(0);
    let sizes = sizes(home)?;
    let bytes = |name: &str| sizes.get(name).copied().with_context(|| format!("bench/size does not know {name}"));

    let mut out = String::from(
        "| allocator | for | bytes | of its peer | ns a call | peak | takes memory back | threads | a call takes |\n\
         | --- | --- | ---: | --- | ---: | ---: | --- | --- | --- |\n",
    );
    let mut guest = 0;
    for row in ROWS {
        let (ours, theirs, peer) = row.size;
        let (ours, theirs) = (bytes(ours)?, bytes(theirs)?);
        let _ = write!(out, "| {} | {} | {ours} | ", row.name, row.purpose);
        let _ = write!(out, "{:.2} × {peer} |", ours as f64 / theirs as f64);
        if row.guest.is_some() {
            let time = figures[guest].cold - figures[guests.len() - 1].cold;
            let peak = (taken[guest].touched * engines::TOUCHED as u64) as f64 / workload.peak_live as f64;
            let _ = write!(out, " {time:.1} | {peak:.2} |");
            guest += 1;
        } else {
            out.push_str(" – | – |");
        }
        let _ = writeln!(out, " {} | {} | {} |", row.takes_back, row.threads, row.complexity);
    }
    out.push_str(
        "\n*Bytes*: a module that boxes and unboxes one value, after `wasm-opt -Oz`; those of `FailAllocator` are the module without \
         any allocator. *ns a call* and *peak*: Polkadot's metadata in a fresh instance on wasmtime; the peak is pages of \
         4 KiB touched over bytes alive. Printed by `cargo run --release --manifest-path bench/alloc/Cargo.toml`.\n\n",
    );
    out.push_str(&report::summary(measured, memory));
    Ok(out)
}
