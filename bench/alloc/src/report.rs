//! The table for `RESULTS.md` and the plot beside it.

use crate::{
    engines::{Figures, NEVER, PAGE, TOUCHED, Taken},
    fits::{self, Fit},
    offline,
    workloads::Workload,
};
use anyhow::Result;
use plotters::prelude::*;
use std::{fmt::Write, path::Path};

/// A fresh instance is timed once: fewer operations than this are over before the clock has moved enough.
const COLD_LEAST: usize = 4_000;

const HEADING: &str = "\
## The allocators beside their peers

Printed by `cargo run --release --manifest-path bench/alloc/Cargo.toml`. Best of 7 interleaved rounds, of up to 60 in fresh
instances for what is over in a millisecond, less what the empty loop costs. LIFO and FIFO run on a heap in use. Traces are recorded blocks and metadata of real runtimes: as an allocator inside of the
runtime is called (a growing vector calls `realloc`), and *(converted)* as the host's is. What is left of less than 0.05 ns counts as 0.05: in rows of 0.2 and less the calls
cost hardly more than the loop, and ratios are chance. A workload of fewer than 4,000 operations cannot be timed in a fresh instance, and is left out there.
";

const MEMORY: &str = "
Memory at the peak, when the program writes to every byte of every block. A host pays for the pages of 4 KiB that are *touched*;
*grown* is what `memory.grow` added, in pages of 64 KiB. *Bound*: the bytes alive, rounded up to pages, which no allocator can
beat. *Offline*: the best placement found by who knows beforehand what will be freed and when, of recorded traces. *First fit*:
by address, without a byte of bookkeeping, in a tree that costs nothing: a yardstick for what is possible without moving
blocks and without knowing what comes.
";

const MEMORY_READ: &str = "
So the traces leave room for 1.10, and an allocator that knows them finds it. No policy that was tried without comes near, for two reasons:

**A vector that is copied when it doubles**, as in the *(converted)* traces. Say its sizes are 1, 2, 4 and so on to *n*, so while the last is filled
*n* and *n/2* are alive. If each size lies above the one before, they reach to 1 + 2 + … + *n*, almost 2*n*: 4/3 of what is alive. If some size 2*m* lies
below *m*, then *m* starts at 2*m* or higher, and when it was placed the heap reached to 3*m*, with 1.5*m* alive: twice that. The allocator is not told which
size is the last, so nobody without moving blocks can *promise* less than 4/3 of *grown* memory for such a vector; that says nothing of one trace, whose other blocks may fill
the holes. (Places far apart that take turns keep the *touched* pages at what is alive, for twice the address space of the largest
vector that may come: two zones for blocks from 4 KiB on, by turns of their size, bring first fit from 1.46 to 1.35 on six of these traces.) At the peak of `metadata-polkadot`
(converted) 768 KiB of 1,052 alive are such a pair.

**What was alive before the peak.** Where a vector grows in place, as in the other traces, it lies at the top, and the rest are holes. At the peak of
`metadata-polkadot` 796 KiB are alive, 512 of them the vector that the answer is encoded into; below it 331 KiB in holes that
were in use while the description of the types was built, between blocks of it that live on; the largest are 65, 63 and 51 KiB. Who has
none must know of each block whether it is freed before the vector comes.

Four policies, each without a byte of bookkeeping, all recorded traces together:
";

/// What is said behind the fits' figures.
const MEMORY_OURS: &str = "
What bookkeeping, rounding and waiting blocks of ours take is the distance from there to *heapbase*.
";

/// One of an allocator's times.
type Time = fn(&Figures) -> f64;

/// A peer that takes 33 MiB before its first block: the means are also given without it.
const GREEDY: &str = "mimalloc";

/// Figures of one engine, by workload and allocator; the last allocator is the empty loop.
pub struct Measured<'a> {
    pub engine: &'static str,
    pub names: &'a [String],
    pub workloads: &'a [Workload],
    pub figures: Vec<Vec<Figures>>,
}

impl Measured<'_> {
    fn peers(&self) -> usize {
        self.names.len() - 1
    }

    /// Time per operation without what the loop itself costs.
    fn net(&self, workload: usize, allocator: usize, time: Time) -> f64 {
        let row = &self.figures[workload];
        (time(&row[allocator]) - time(&row[self.peers()])).max(0.05)
    }

    fn ratio(&self, workload: usize, time: Time) -> f64 {
        self.ratio_but(workload, time, "")
    }

    /// Our time over that of the best peer, of all but one.
    fn ratio_but(&self, workload: usize, time: Time, but: &str) -> f64 {
        let peers = (1..self.peers()).filter(|peer| self.names[*peer] != but);
        self.net(workload, 0, time) / peers.map(|peer| self.net(workload, peer, time)).fold(f64::MAX, f64::min)
    }

    /// Geometric mean of such ratios over the workloads that have at least `least` operations.
    fn mean_but(&self, least: usize, time: Time, but: &str) -> f64 {
        geometric_mean(self.shown(least).into_iter().map(|workload| self.ratio_but(workload, time, but)))
    }

    /// Workloads that have at least `least` operations.
    fn shown(&self, least: usize) -> Vec<usize> {
        (0..self.workloads.len()).filter(|at| self.workloads[*at].ops.len() >= least).collect()
    }

    /// A table of the workloads that have at least `least` operations.
    fn time_table(&self, out: &mut String, heap: &str, least: usize, time: Time) {
        let shown = self.shown(least);
        let _ = writeln!(out, "\nIn {heap} on {}, nanoseconds per operation:\n", self.engine);
        let _ = writeln!(out, "| workload | {} | ours / best peer |", self.names[..self.peers()].join(" | "));
        let _ = writeln!(out, "| --- |{}", " ---: |".repeat(self.peers() + 1));
        for &index in &shown {
            let _ = write!(out, "| {} |", self.workloads[index].name);
            for allocator in 0..self.peers() {
                match self.net(index, allocator, time) {
                    never if never > NEVER / 2.0 => out.push_str(" no memory |"),
                    time => drop(write!(out, " {time:.1} |")),
                }
            }
            let _ = writeln!(out, " {:.2} |", self.ratio(index, time));
        }
        let empty = " |".repeat(self.peers());
        let _ = writeln!(out, "| geometric mean |{empty} **{:.2}** |", self.mean_but(least, time, ""));
        let _ = writeln!(out, "| … without {GREEDY} |{empty} **{:.2}** |", self.mean_but(least, time, GREEDY));
    }

    fn plot(&self, path: &Path) -> Result<()> {
        let root = SVGBackend::new(path, (1_200, 560)).into_drawing_area();
        root.fill(&WHITE)?;
        let shown: Vec<usize> =
            (0..self.workloads.len()).filter(|index| !self.workloads[*index].name.ends_with(')')).collect();
        let groups = shown.len();
        let top = 4.0;
        let mut chart = ChartBuilder::on(&root)
            .caption(
                format!("Time per operation against heapbase's, {} (lower is better)", self.engine),
                ("sans-serif", 18),
            )
            .margin(10)
            .x_label_area_size(190)
            .y_label_area_size(40)
            .build_cartesian_2d(0.0..groups as f64, 0.0..top)?;
        let name = |x: &f64| match shown.get(*x as usize) {
            // Labels at the middle of a group only.
            Some(index) if (x.fract() - 0.5).abs() < 0.01 => self.workloads[*index].name.clone(),
            _ => String::new(),
        };
        let upright = ("sans-serif", 12).into_font().transform(FontTransform::Rotate90);
        chart
            .configure_mesh()
            .disable_x_mesh()
            .x_labels(groups * 2 + 1)
            .x_label_style(upright)
            .x_label_formatter(&name)
            .draw()?;
        let wide = 0.8 / self.peers() as f64;
        for (allocator, label) in self.names[..self.peers()].iter().enumerate() {
            let colour = Palette99::pick(allocator).mix(0.9);
            let bars = shown.iter().enumerate().map(|(place, workload)| {
                let times = self.net(*workload, allocator, |f| f.warm) / self.net(*workload, 0, |f| f.warm);
                let left = place as f64 + 0.1 + allocator as f64 * wide;
                Rectangle::new([(left, 0.0), (left + wide * 0.9, times.min(top))], colour.filled())
            });
            chart
                .draw_series(bars)?
                .label(label)
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 10, y + 5)], colour.filled()));
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK.mix(0.3)).draw()?;
        root.present()?;
        Ok(())
    }
}

/// What workloads take of memory, by workload and allocator.
pub struct Memory<'a> {
    names: &'a [String],
    workloads: &'a [&'a Workload],
    taken: Vec<Vec<Taken>>,
    /// Bytes that each takes in the best placement found, of those that are recorded; the others are too long to place.
    offline: Vec<Option<u64>>,
}

impl<'a> Memory<'a> {
    /// The measured figures and, of recorded workloads, what a placement needs that knows the future.
    pub fn new(names: &'a [String], workloads: &'a [&'a Workload], taken: Vec<Vec<Taken>>) -> Self {
        let offline = workloads.iter().map(|workload| workload.recorded.then(|| offline::bytes(workload))).collect();
        Self { names, workloads, taken, offline }
    }

    /// Both tables.
    pub fn tables(&self, out: &mut String) {
        out.push_str(MEMORY);
        self.table(out, "Touched, pages of 4 KiB", TOUCHED as u64, |taken| taken.touched);
        out.push_str(MEMORY_READ);
        let fits: Vec<String> = Fit::ALL
            .iter()
            .map(|(fit, name)| format!("{name} {:.2}", self.recorded_fit(*fit, TOUCHED as u64)))
            .collect();
        let _ = writeln!(out, "{}.", fits.join(", "));
        out.push_str(MEMORY_OURS);
        self.table(out, "Grown, pages of 64 KiB", PAGE, |taken| taken.grown);
    }

    /// Bytes of pages over the most bytes alive at any time.
    fn ratio(&self, workload: usize, pages: u64, page: u64) -> f64 {
        (pages * page) as f64 / self.workloads[workload].peak_live as f64
    }

    /// Bytes of pages over bytes alive, of all recorded workloads together.
    fn together(&self, page: u64, of: impl Fn(&[Taken]) -> u64) -> f64 {
        let recorded = self.workloads.iter().zip(&self.taken).filter(|(workload, _)| workload.recorded);
        let (pages, live) =
            recorded.fold((0, 0), |(pages, live), (workload, taken)| (pages + of(taken), live + workload.peak_live));
        (pages * page) as f64 / live as f64
    }

    /// Bytes in whole pages over bytes alive, of all recorded workloads together, where `of` says what each takes.
    fn yardstick(&self, page: u64, of: impl Fn(usize) -> u64) -> f64 {
        let recorded = (0..self.workloads.len()).filter(|index| self.workloads[*index].recorded);
        let (bytes, live) = recorded.fold((0, 0), |(bytes, live), index| {
            (bytes + of(index).next_multiple_of(page), live + self.workloads[index].peak_live)
        });
        bytes as f64 / live as f64
    }

    /// What a fit takes on all recorded workloads together.
    fn recorded_fit(&self, fit: Fit, page: u64) -> f64 {
        self.yardstick(page, |index| fits::bytes(self.workloads[index], fit))
    }

    /// What the best placement found takes on all recorded workloads together.
    fn recorded_offline(&self, page: u64) -> f64 {
        self.yardstick(page, |index| self.offline[index].unwrap_or(0))
    }

    fn table(&self, out: &mut String, title: &str, page: u64, of: fn(&Taken) -> u64) {
        let _ = writeln!(out, "\n{title}, over bytes alive:\n");
        let _ = writeln!(out, "| workload | live KiB | bound | offline | first fit | {} |", self.names.join(" | "));
        let _ = writeln!(out, "| --- |{}", " ---: |".repeat(self.names.len() + 4));
        for (index, (workload, taken)) in self.workloads.iter().zip(&self.taken).enumerate() {
            let live = workload.peak_live;
            let _ = write!(out, "| {} | {} |", workload.name, live / 1024);
            let yardsticks = [Some(live), self.offline[index], Some(fits::bytes(workload, Fit::First))];
            for bytes in yardsticks {
                match bytes {
                    Some(bytes) => drop(write!(out, " {:.2} |", self.ratio(index, bytes.div_ceil(page), page))),
                    None => out.push_str(" – |"),
                }
            }
            for pages in taken.iter().map(of) {
                let _ = write!(out, " {:.2} |", self.ratio(index, pages, page));
            }
            out.push('\n');
        }
        let (offline, fit) = (self.recorded_offline(page), self.recorded_fit(Fit::First, page));
        let _ = write!(out, "| all that are recorded, together | | | {offline:.2} | {fit:.2} |");
        for allocator in 0..self.names.len() {
            let _ = write!(out, " {:.2} |", self.together(page, |taken| of(&taken[allocator])));
        }
        out.push('\n');
    }
}

/// What is timed: the heap, the least number of operations, the time.
fn kinds() -> [(&'static str, usize, Time); 2] {
    [("a used heap", 0, |figures| figures.warm), ("a fresh instance", COLD_LEAST, |figures| figures.cold)]
}

fn geometric_mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0u32), |(sum, count), value| (sum + value.ln(), count + 1));
    (sum / f64::from(count.max(1))).exp()
}

/// The table of 4 KiB pages that a short call touches, less those of a bump allocator, which come last.
pub fn touched_table(out: &mut String, names: &[String], pages: &[Taken]) {
    let (bump, pages) = pages.split_last().expect("the bump allocator is measured");
    out.push_str("\n4 KiB pages touched by a fresh heap's first 100 allocations (20 sizes of 8 to 1,024 bytes, half");
    let _ =
        writeln!(out, " of them freed), less the {} of a bump allocator:\n\n| {} |", bump.touched, names.join(" | "));
    let _ = writeln!(out, "|{}", " ---: |".repeat(pages.len()));
    let differences: Vec<String> =
        pages.iter().map(|page| format!("{:+}", page.touched as i64 - bump.touched as i64)).collect();
    let _ = writeln!(out, "| {} |", differences.join(" | "));
}

/// The whole section, and a plot for each engine at `plots/alloc-ENGINE.svg`.
pub fn section(all: &[Measured<'_>], plots: Option<&Path>) -> Result<String> {
    let mut out = String::from(HEADING);
    for measured in all {
        for (heap, least, time) in kinds() {
            measured.time_table(&mut out, heap, least, time);
        }
        if let Some(plots) = plots {
            let file = format!("alloc-{}.svg", measured.engine);
            measured.plot(&plots.join(&file))?;
            let _ = writeln!(out, "\n![time per operation on {}]({file})", measured.engine);
        }
    }
    Ok(out)
}

/// What a run says in a few sentences: means, where ours falls behind, memory.
pub fn summary(all: &[Measured<'_>], memory: &Memory<'_>) -> String {
    let mut out = String::new();
    let Some(first) = all.first() else {
        return out;
    };
    let _ =
        write!(out, "Against {} in the same run, time per operation over", first.names[1..first.peers()].join(", "));
    out.push_str(" the best of them on each workload, as geometric mean:");
    let mut behind = Vec::new();
    for (heap, least, time) in kinds() {
        for measured in all {
            let (all, but) = (measured.mean_but(least, time, ""), measured.mean_but(least, time, GREEDY));
            let _ = write!(out, " {all:.2} on {} in {heap} ({but:.2} without {GREEDY});", measured.engine);
            for workload in measured.shown(least) {
                let ratio = measured.ratio(workload, time);
                if ratio > 1.05 {
                    behind.push(format!(
                        "{} on {} in {heap} ({ratio:.2})",
                        measured.workloads[workload].name, measured.engine
                    ));
                }
            }
        }
    }
    out.pop();
    let behind = if behind.is_empty() { "nowhere".into() } else { behind.join(", ") };
    let _ = writeln!(out, ". More than 5 % slower than the best: {behind}.\n");
    let of = |at: usize| memory.together(TOUCHED as u64, |taken| taken[at].touched);
    let best = (2..memory.names.len()).map(of).fold(f64::MAX, f64::min);
    let (fit, offline) = (memory.recorded_fit(Fit::First, TOUCHED as u64), memory.recorded_offline(TOUCHED as u64));
    let _ =
        write!(out, "Pages of 4 KiB touched over bytes alive at the peak, all recorded traces together: {:.2},", of(0));
    let _ = writeln!(
        out,
        " {:.2} as the feature `v1` installs it; the best peer {best:.2}; first fit by address without a byte of",
        of(1)
    );
    let _ = writeln!(
        out,
        "bookkeeping {fit:.2}; a placement by who knows the future {offline:.2}. `bench/RESULTS.md` has every figure and says why."
    );
    out
}
