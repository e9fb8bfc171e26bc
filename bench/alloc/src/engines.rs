//! Runs the guests: wasmtime in this process, V8 in a node process. Both take the same modules and streams and report the same.

use crate::workloads::Workload;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};
use wasmtime::{Engine, Instance, Memory, Module, Store, TypedFunc};

/// Bytes of a WebAssembly page.
pub const PAGE: u64 = 64 * 1024;

/// An allocator slower than this, in nanoseconds per operation, plays a workload twice only.
const SLOW: f64 = 500.0;

/// One allocator on one workload.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Figures {
    /// Nanoseconds per operation once the heap has been used, the best of all rounds.
    pub warm: f64,
    /// Nanoseconds per operation in a fresh instance, the best of all rounds.
    pub cold: f64,
    /// Pages that the heap added to the memory.
    pub pages: u64,
}

/// The time of an allocator that finds no memory for a workload.
pub const NEVER: f64 = 1e9;

/// How long to measure.
#[derive(Clone, Copy, Serialize)]
pub struct Effort {
    /// Fresh instances of each allocator, interleaved.
    pub instances: usize,
    /// Least number of operations played in each, by repeating a workload.
    pub least_ops: usize,
}

struct Guest {
    store: Store<()>,
    memory: Memory,
    play: TypedFunc<u32, i32>,
}

impl Guest {
    fn new(engine: &Engine, module: &Module, ops: &[u64]) -> Result<Self> {
        let mut store = Store::new(engine, ());
        let instance = Instance::new(&mut store, module, &[])?;
        let memory = instance.get_memory(&mut store, "memory").context("the guest exports no memory")?;
        let buffer = instance.get_typed_func::<(), u32>(&mut store, "ops")?.call(&mut store, ())?;
        let bytes: Vec<u8> = ops.iter().flat_map(|op| op.to_le_bytes()).collect();
        memory.write(&mut store, buffer as usize, &bytes)?;
        let play = instance.get_typed_func(&mut store, "play")?;
        Ok(Self { store, memory, play })
    }

    /// Nanoseconds per operation; none if the allocator found no memory.
    fn play(&mut self, count: usize) -> Result<Option<f64>> {
        let start = Instant::now();
        let failed = self.play.call(&mut self.store, count as u32)?;
        let time = start.elapsed().as_secs_f64() * 1e9 / count as f64;
        Ok((failed == -1).then_some(time))
    }
}

/// Figures by workload and allocator, on wasmtime with Cranelift.
pub fn wasmtime(guests: &[(String, PathBuf)], workloads: &[Workload], effort: Effort) -> Result<Vec<Vec<Figures>>> {
    let engine = Engine::default();
    let modules = guests.iter().map(|(_, path)| Module::from_file(&engine, path)).collect::<Result<Vec<_>>>()?;
    workloads
        .iter()
        .map(|workload| {
            let count = workload.ops.len();
            let mut all = vec![Figures { warm: NEVER, cold: NEVER, pages: 0 }; guests.len()];
            for _ in 0..effort.instances {
                for ((module, figures), (name, _)) in modules.iter().zip(&mut all).zip(guests) {
                    let mut guest = Guest::new(&engine, module, &workload.ops)?;
                    let before = guest.memory.size(&guest.store);
                    let context = || format!("{name} on {}", workload.name);
                    let Some(cold) = guest.play(count).with_context(context)? else {
                        continue;
                    };
                    figures.cold = figures.cold.min(cold);
                    figures.pages = guest.memory.size(&guest.store) - before;
                    let rounds = if cold > SLOW { 1 } else { effort.least_ops.div_ceil(count) };
                    // Each round by itself: on a shared machine only a short stretch goes undisturbed.
                    for _ in 0..rounds {
                        if let Some(warm) = guest.play(count).with_context(context)? {
                            figures.warm = figures.warm.min(warm);
                        }
                    }
                }
            }
            Ok(all)
        })
        .collect()
}

/// 4 KiB pages whose contents a workload changes in a fresh instance, by guest, on wasmtime.
pub fn touched_pages(guests: &[(String, PathBuf)], workload: &Workload) -> Result<Vec<usize>> {
    let engine = Engine::default();
    guests
        .iter()
        .map(|(name, path)| {
            let module = Module::from_file(&engine, path)?;
            let mut guest = Guest::new(&engine, &module, &workload.ops)?;
            let before = guest.memory.data(&guest.store).to_vec();
            guest.play(workload.ops.len())?.with_context(|| format!("{name} found no memory"))?;
            let after = guest.memory.data(&guest.store).chunks(4096);
            let same = |index: usize, page: &[u8]| match before.get(index * 4096..index * 4096 + 4096) {
                Some(old) => old == page,
                None => page.iter().all(|byte| *byte == 0),
            };
            Ok(after.enumerate().filter(|(index, page)| !same(*index, page)).count())
        })
        .collect()
}

/// What the script for node reads.
#[derive(Serialize)]
struct Job<'a> {
    guests: Vec<&'a Path>,
    streams: Vec<PathBuf>,
    effort: Effort,
    never: f64,
    slow: f64,
}

/// Figures by workload and allocator, on V8 with its optimising compiler.
pub fn v8(
    script: &Path,
    scratch: &Path,
    guests: &[(String, PathBuf)],
    workloads: &[Workload],
    effort: Effort,
) -> Result<Vec<Vec<Figures>>> {
    let mut streams = Vec::new();
    for (index, workload) in workloads.iter().enumerate() {
        let path = scratch.join(format!("stream-{index}.bin"));
        let bytes: Vec<u8> = workload.ops.iter().flat_map(|op| op.to_le_bytes()).collect();
        std::fs::write(&path, bytes)?;
        streams.push(path);
    }
    let job = scratch.join("job.json");
    let guests = guests.iter().map(|(_, path)| path.as_path()).collect();
    std::fs::write(&job, serde_json::to_vec(&Job { guests, streams, effort, never: NEVER, slow: SLOW })?)?;
    let output = Command::new("node")
        // Optimised code from the start: the baseline compiler's speed is not what a long-running program sees.
        .args(["--no-liftoff", "--no-wasm-tier-up", "--no-wasm-lazy-compilation"])
        .arg(script)
        .arg(&job)
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run `node`: install Node.js, or pass --engine wasmtime")?;
    if !output.status.success() {
        bail!("{} failed: {}", script.display(), output.status);
    }
    serde_json::from_slice(&output.stdout).context("the node script printed something else than figures")
}
