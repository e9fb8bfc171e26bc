//! What the allocators are asked to do: streams of operations, the same for all, that leave nothing allocated.

use anyhow::{Context, Result};
use heapbase_trace::Event;
use std::path::Path;

/// Operations that the guest's buffer holds.
const MOST: usize = 1 << 20;

/// A stream of operations in the guest's encoding, and what any allocator needs at least to serve it.
pub struct Workload {
    pub name: String,
    pub ops: Vec<u64>,
    /// Most bytes alive at any time.
    pub peak_live: u64,
    /// Whether a real runtime did this.
    pub recorded: bool,
}

/// One operation, decoded.
pub enum Step {
    Allocate { slot: u32, size: u32 },
    Free { slot: u32 },
    Resize { slot: u32, size: u32 },
}

impl Workload {
    /// The operations, decoded.
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        self.ops.iter().map(|op| {
            let (slot, size) = ((op >> 32) as u32 & 0xff_ffff, *op as u32);
            match op >> 60 {
                1 => Step::Free { slot },
                2 => Step::Resize { slot, size },
                _ => Step::Allocate { slot, size },
            }
        })
    }
}

/// Builds a workload while it keeps track of what is alive.
struct Builder {
    ops: Vec<u64>,
    alive: Vec<Option<(u32, u32)>>,
    free_slots: Vec<u32>,
    live: u64,
    peak: u64,
}

impl Builder {
    fn new() -> Self {
        Self { ops: Vec::new(), alive: Vec::new(), free_slots: Vec::new(), live: 0, peak: 0 }
    }

    fn push(&mut self, kind: u64, slot: u32, size: u32, align: u32) {
        let align = u64::from(align.trailing_zeros());
        self.ops.push(kind << 60 | align << 56 | u64::from(slot) << 32 | u64::from(size));
    }

    fn count(&mut self, more: u32, less: u32) {
        self.live = self.live + u64::from(more) - u64::from(less);
        self.peak = self.peak.max(self.live);
    }

    fn allocate(&mut self, size: u32) -> u32 {
        self.allocate_aligned(size, 8)
    }

    fn allocate_aligned(&mut self, size: u32, align: u32) -> u32 {
        let slot = self.free_slots.pop().unwrap_or_else(|| {
            self.alive.push(None);
            self.alive.len() as u32 - 1
        });
        let size = size.max(1);
        self.alive[slot as usize] = Some((size, align));
        self.push(0, slot, size, align);
        self.count(size, 0);
        slot
    }

    fn free(&mut self, slot: u32) {
        let (size, align) = self.alive[slot as usize].take().expect("the block is alive");
        self.push(1, slot, size, align);
        self.free_slots.push(slot);
        self.count(0, size);
    }

    fn resize(&mut self, slot: u32, new: u32) {
        let (size, align) = self.alive[slot as usize].expect("the block is alive");
        let new = new.max(1);
        self.alive[slot as usize] = Some((new, align));
        self.push(2, slot, new, align);
        self.count(new, size);
    }

    fn finish(mut self, name: impl Into<String>) -> Workload {
        for slot in (0..self.alive.len() as u32).rev() {
            if self.alive[slot as usize].is_some() {
                self.free(slot);
            }
        }
        assert!(self.ops.len() <= MOST && self.alive.len() <= 1 << 18, "the guest's buffers hold the workload");
        Workload { name: name.into(), ops: self.ops, peak_live: self.peak, recorded: false }
    }
}

/// Spread evenly over the doublings between `low` and `high`.
fn log_uniform(rng: &mut fastrand::Rng, low: u32, high: u32) -> u32 {
    let (low, high) = (f64::from(low).log2(), f64::from(high).log2());
    (low + rng.f64() * (high - low)).exp2() as u32
}

/// Replaces random members of a set of `alive` blocks.
fn random_mix(name: &str, alive: usize, steps: usize, mut size: impl FnMut(&mut fastrand::Rng) -> u32) -> Workload {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut build = Builder::new();
    let mut blocks: Vec<u32> = (0..alive).map(|_| build.allocate(size(&mut rng))).collect();
    for _ in 0..steps {
        let victim = rng.usize(..blocks.len());
        build.free(blocks.swap_remove(victim));
        blocks.push(build.allocate(size(&mut rng)));
    }
    build.finish(name)
}

/// A heap in use: long-lived blocks, with the holes of as many that are gone.
fn residents(build: &mut Builder, rng: &mut fastrand::Rng) {
    let blocks: Vec<u32> = (0..1_000).map(|_| build.allocate(log_uniform(rng, 8, 1_024))).collect();
    blocks.into_iter().step_by(2).for_each(|block| build.free(block));
}

fn lifo() -> Workload {
    let mut rng = fastrand::Rng::with_seed(2);
    let mut build = Builder::new();
    residents(&mut build, &mut rng);
    for _ in 0..400 {
        let depth = rng.usize(1..400);
        let blocks: Vec<u32> = (0..depth).map(|_| build.allocate(rng.u32(8..=256))).collect();
        blocks.into_iter().rev().for_each(|block| build.free(block));
    }
    build.finish("LIFO")
}

fn fifo() -> Workload {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut build = Builder::new();
    residents(&mut build, &mut rng);
    let mut queue = std::collections::VecDeque::new();
    for _ in 0..80_000 {
        queue.push_back(build.allocate(rng.u32(8..=512)));
        if queue.len() > 1_000 {
            build.free(queue.pop_front().expect("not empty"));
        }
    }
    build.finish("FIFO")
}

fn growing_vectors() -> Workload {
    let mut rng = fastrand::Rng::with_seed(4);
    let mut build = Builder::new();
    let mut vectors: Vec<(u32, u32, u32)> = Vec::new();
    for _ in 0..60_000 {
        if vectors.len() < 64 {
            let capacity = 32;
            vectors.push((build.allocate(capacity), capacity, log_uniform(&mut rng, 64, 128 * 1024)));
            continue;
        }
        let index = rng.usize(..vectors.len());
        let (slot, capacity, goal) = &mut vectors[index];
        if *capacity >= *goal {
            build.free(*slot);
            vectors.swap_remove(index);
        } else {
            *capacity *= 2;
            build.resize(*slot, *capacity);
        }
    }
    build.finish("growing vectors")
}

fn equal_objects() -> Workload {
    let mut rng = fastrand::Rng::with_seed(5);
    let mut build = Builder::new();
    for _ in 0..5 {
        let mut blocks: Vec<u32> = (0..20_000).map(|_| build.allocate(48)).collect();
        rng.shuffle(&mut blocks);
        blocks.into_iter().for_each(|block| build.free(block));
    }
    build.finish("equal objects")
}

/// Fills memory with pairs, frees one of each, then asks for more than the holes are wide; sizes drift.
fn fragmentation() -> Workload {
    let mut rng = fastrand::Rng::with_seed(6);
    let mut build = Builder::new();
    let mut kept: Vec<u32> = Vec::new();
    for round in 0..30u32 {
        let size = 24 + round * 40;
        let blocks: Vec<u32> = (0..1_500).map(|_| build.allocate(rng.u32(size..size * 2))).collect();
        for (index, block) in blocks.into_iter().enumerate() {
            if index % 2 == 0 { build.free(block) } else { kept.push(block) }
        }
        rng.shuffle(&mut kept);
        for block in kept.drain(kept.len() * 2 / 3..) {
            build.free(block);
        }
    }
    build.finish("fragmentation")
}

/// What a short call does on a fresh heap: 100 allocations of 20 sizes from 8 to 1,024 bytes, half of them freed.
pub fn short_call() -> Workload {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut build = Builder::new();
    let mut sizes: Vec<u32> =
        (0..100).map(|index| (8.0 * 128f64.powf(f64::from(index % 20) / 19.0)).round() as u32).collect();
    rng.shuffle(&mut sizes);
    let mut blocks = Vec::new();
    for (index, size) in sizes.into_iter().enumerate() {
        blocks.push(build.allocate(size));
        if index % 2 == 1 {
            let victim = rng.usize(..blocks.len());
            build.free(blocks.swap_remove(victim));
        }
    }
    // Not `finish`: what is left stays, as at the end of a call.
    Workload { name: "short call".into(), ops: build.ops, peak_live: build.peak, recorded: false }
}

/// What the same program asks of an allocator of its own: there a growing vector calls `realloc`. Through the host's
/// allocator, which has no such call, it was recorded as an allocation followed by the free of a smaller block.
fn with_reallocations(events: Vec<Event>) -> Vec<Event> {
    let mut sizes: Vec<u32> = Vec::new();
    // The number that a block has now, by the number that it was recorded with.
    let mut now: Vec<u32> = Vec::new();
    let (mut out, mut count) = (Vec::new(), 0);
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        match event {
            Event::Allocate { size, align } => match events.peek() {
                Some(&Event::Free { block }) if now.len() > block as usize && sizes[block as usize] < size => {
                    events.next();
                    now.push(now[block as usize]);
                    out.push(Event::Resize { block: now[block as usize], size });
                    sizes.push(size);
                }
                _ => {
                    now.push(count);
                    count += 1;
                    out.push(Event::Allocate { size, align });
                    sizes.push(size);
                }
            },
            Event::Free { block } => out.push(Event::Free { block: now[block as usize] }),
            Event::Resize { block, size } => {
                sizes[block as usize] = size;
                out.push(Event::Resize { block: now[block as usize], size });
            }
        }
    }
    out
}

/// A recorded trace, as an allocator inside of the program sees it or (`as_recorded`) as the host's does, which is also how
/// a converted runtime calls. Operations past what the guest's buffer holds are left out.
fn recorded(path: &Path, as_recorded: bool) -> Result<Workload> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut events = heapbase_trace::parse(&bytes).with_context(|| path.display().to_string())?;
    let mut name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if as_recorded {
        name += " (converted)";
    } else {
        events = with_reallocations(events);
    }
    let mut build = Builder::new();
    let mut slots = Vec::new();
    for event in events {
        if build.ops.len() + build.alive.len() + 2 >= MOST {
            break;
        }
        match event {
            Event::Allocate { size, align } => slots.push(build.allocate_aligned(size, align)),
            Event::Free { block } => build.free(slots[block as usize]),
            Event::Resize { block, size } => build.resize(slots[block as usize], size),
        }
    }
    Ok(Workload { recorded: true, ..build.finish(name) })
}

/// All workloads: the synthetic ones, and two recorded ones for each file in `traces`.
pub fn all(traces: &Path) -> Result<Vec<Workload>> {
    let mut all = vec![
        random_mix("random small", 4_000, 80_000, |rng| rng.u32(1..=128)),
        random_mix("random mixed", 1_000, 80_000, |rng| log_uniform(rng, 8, 16 * 1024)),
        lifo(),
        fifo(),
        growing_vectors(),
        equal_objects(),
        fragmentation(),
    ];
    let mut files: Vec<_> = std::fs::read_dir(traces)
        .with_context(|| format!("cannot list {}", traces.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "trace"));
    files.sort();
    for file in files {
        all.push(recorded(&file, false)?);
        all.push(recorded(&file, true)?);
    }
    Ok(all)
}
