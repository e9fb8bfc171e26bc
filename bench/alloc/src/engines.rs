//! Runs the guests: wasmtime in this process, V8 in a node process. Both take the same modules and streams and report the same.

use crate::workloads::Workload;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use std::{
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};
use wasmtime::{Engine, Instance, Memory, Module, Store, TypedFunc};

/// Bytes of a WebAssembly page.
pub const PAGE: u64 = 64 * 1024;
/// Bytes of a page as the processor and the system count: what a host pays for when it is first written to.
pub const TOUCHED: usize = 4 * 1024;

/// An allocator slower than this, in nanoseconds per operation, plays a workload twice only.
const SLOW: f64 = 500.0;

/// One allocator on one workload.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Figures {
    /// Nanoseconds per operation once the heap has been used, the best of all rounds.
    pub warm: f64,
    /// Nanoseconds per operation in a fresh instance, the best of all rounds.
    pub cold: f64,
}

/// What a workload takes of memory in a fresh instance.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Pages of [`PAGE`] bytes that the allocator added to the memory.
    pub grown: u64,
    /// Pages of [`TOUCHED`] bytes that were written to.
    pub touched: u64,
}

/// The time of an allocator that finds no memory for a workload.
pub const NEVER: f64 = 1e9;

/// How long to measure.
#[derive(Clone, Copy, Serialize)]
pub struct Effort {
    /// Fresh instances of each allocator, interleaved.
    pub instances: usize,
    /// Least number of operations played in each, by repeating a workload; and in fresh instances of each allocator, by more of them.
    pub least_ops: usize,
}

/// Most fresh instances of an allocator.
const MOST_FRESH: usize = 60;

impl Effort {
    /// Fresh instances for a workload of so many operations: what is over in a millisecond is played in many.
    fn fresh(self, count: usize) -> usize {
        self.instances.max((self.least_ops / count).min(MOST_FRESH))
    }
}

struct Guest {
    store: Store<()>,
    memory: Memory,
    play: TypedFunc<u32, i32>,
    fill: TypedFunc<u32, i32>,
    /// Where the player's own memory lies.
    own: Range<usize>,
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
        let fill = instance.get_typed_func(&mut store, "fill")?;
        let own = instance.get_typed_func::<(), u32>(&mut store, "own")?.call(&mut store, ())?;
        let own = buffer as usize..(buffer + own) as usize;
        Ok(Self { store, memory, play, fill, own })
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
            let mut all = vec![Figures { warm: NEVER, cold: NEVER }; guests.len()];
            for round in 0..effort.fresh(count) {
                for ((module, figures), (name, _)) in modules.iter().zip(&mut all).zip(guests) {
                    if round >= effort.instances && figures.cold > SLOW {
                        continue;
                    }
                    let mut guest = Guest::new(&engine, module, &workload.ops)?;
                    let context = || format!("{name} on {}", workload.name);
                    let Some(cold) = guest.play(count).with_context(context)? else {
                        continue;
                    };
                    figures.cold = figures.cold.min(cold);
                    if round >= effort.instances {
                        continue;
                    }
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

/// What workloads take of memory, by workload and guest, on wasmtime, when the program writes to every byte of every block. The
/// player's own pages do not count, the allocator's statics do.
pub fn memory(guests: &[(String, PathBuf)], workloads: &[&Workload]) -> Result<Vec<Vec<Taken>>> {
    let engine = Engine::default();
    let modules = guests.iter().map(|(_, path)| Module::from_file(&engine, path)).collect::<Result<Vec<_>>>()?;
    let taken = |module: &Module, name: &str, workload: &Workload| {
        let mut guest = Guest::new(&engine, module, &workload.ops)?;
        let before = guest.memory.data(&guest.store).to_vec();
        let failed = guest.fill.call(&mut guest.store, workload.ops.len() as u32)?;
        ensure!(failed == -1, "{name} found no memory for {}", workload.name);
        let after = guest.memory.data(&guest.store);
        let changed = |index: usize, page: &[u8]| match before.get(index * TOUCHED..(index + 1) * TOUCHED) {
            Some(old) => old != page,
            None => page.iter().any(|byte| *byte != 0),
        };
        let pages = after.chunks(TOUCHED).enumerate();
        let touched = pages.filter(|(index, page)| !guest.own.contains(&(index * TOUCHED)) && changed(*index, page));
        Ok(Taken { grown: (after.len() - before.len()) as u64 / PAGE, touched: touched.count() as u64 })
    };
    let row = |workload: &&Workload| {
        guests.iter().zip(&modules).map(|((name, _), module)| taken(module, name, workload)).collect::<Result<_>>()
    };
    workloads.iter().map(row).collect()
}

/// What the script for node reads.
#[derive(Serialize)]
struct Job<'a> {
    guests: Vec<&'a Path>,
    streams: Vec<PathBuf>,
    effort: Effort,
    most_fresh: usize,
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
    std::fs::write(
        &job,
        serde_json::to_vec(&Job { guests, streams, effort, most_fresh: MOST_FRESH, never: NEVER, slow: SLOW })?,
    )?;
    let output = Command::new("node")
        // Optimised code from the start: the baseline compiler's speed is not what a long-running program sees.
        .args(["--no-liftoff", "--no-wasm-tier-up", "--no-wasm-lazy-compilation", "--expose-gc"])
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
