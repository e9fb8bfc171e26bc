//! The table for `RESULTS.md` and the plot beside it.

use crate::{
    engines::{Figures, NEVER, PAGE},
    workloads::Workload,
};
use anyhow::Result;
use plotters::prelude::*;
use std::{fmt::Write, path::Path};

/// A fresh instance is timed once: fewer operations than this are over before the clock has moved enough.
const COLD_LEAST: usize = 4_000;

const HEADING: &str = "\
## The allocators beside their peers

Printed by `cargo run --release --manifest-path bench/alloc/Cargo.toml`. Best of 7 interleaved rounds, less what the empty loop
costs. LIFO and FIFO run on a heap in use. Traces are recorded blocks and metadata of real runtimes: as an allocator inside of the
runtime is called (a growing vector calls `realloc`), and *(converted)* as the host's is.
";

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
    fn net(&self, workload: usize, allocator: usize, time: fn(&Figures) -> f64) -> f64 {
        let row = &self.figures[workload];
        (time(&row[allocator]) - time(&row[self.peers()])).max(0.05)
    }

    fn ratio(&self, workload: usize, time: fn(&Figures) -> f64) -> f64 {
        let best = (1..self.peers()).map(|peer| self.net(workload, peer, time)).fold(f64::MAX, f64::min);
        self.net(workload, 0, time) / best
    }

    fn mean(&self, shown: &[usize], of: impl Fn(usize) -> f64) -> f64 {
        let logs: f64 = shown.iter().map(|workload| of(*workload).ln()).sum();
        (logs / shown.len() as f64).exp()
    }

    /// A table of the workloads that have at least `least` operations.
    fn time_table(&self, out: &mut String, title: &str, least: usize, time: fn(&Figures) -> f64) {
        let shown: Vec<usize> = (0..self.workloads.len()).filter(|at| self.workloads[*at].ops.len() >= least).collect();
        let _ = writeln!(out, "\n{title} on {}, nanoseconds per operation:\n", self.engine);
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
        let mean = self.mean(&shown, |workload| self.ratio(workload, time));
        let _ = writeln!(out, "| geometric mean |{} **{mean:.2}** |", " |".repeat(self.peers()));
    }

    fn pages_table(&self, out: &mut String) {
        let _ =
            writeln!(out, "\nMemory: pages of 64 KiB that the heap added, over the most bytes alive at any time:\n");
        let _ = writeln!(out, "| workload | live KiB | {} |", self.names[..self.peers()].join(" | "));
        let _ = writeln!(out, "| --- |{}", " ---: |".repeat(self.peers() + 1));
        for (index, workload) in self.workloads.iter().enumerate() {
            let _ = write!(out, "| {} | {} |", workload.name, workload.peak_live / 1024);
            for figures in &self.figures[index][..self.peers()] {
                let _ = write!(out, " {:.2} |", (figures.pages * PAGE) as f64 / workload.peak_live as f64);
            }
            out.push('\n');
        }
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

/// The table of 4 KiB pages that a short call touches, less those of a bump allocator, which come last.
pub fn touched_table(names: &[String], pages: &[usize]) -> String {
    let (bump, pages) = pages.split_last().expect("the bump allocator is measured");
    let mut out = String::from(
        "\n4 KiB pages touched by a fresh heap's first 100 allocations (20 sizes of 8 to 1,024 bytes, half",
    );
    let _ = writeln!(
        out,
        " of them freed), less the {bump} of a bump allocator:\n\n| {} |",
        names[..pages.len()].join(" | ")
    );
    let _ = writeln!(out, "|{}", " ---: |".repeat(pages.len()));
    let differences: Vec<String> = pages.iter().map(|page| format!("{:+}", *page as i64 - *bump as i64)).collect();
    let _ = writeln!(out, "| {} |", differences.join(" | "));
    out
}

/// The whole section, and a plot for each engine at `plots/alloc-ENGINE.svg`.
pub fn section(all: &[Measured<'_>], plots: Option<&Path>) -> Result<String> {
    let mut out = String::from(HEADING);
    for measured in all {
        measured.time_table(&mut out, "A used heap", 0, |figures| figures.warm);
        measured.time_table(&mut out, "A fresh instance", COLD_LEAST, |figures| figures.cold);
        if let Some(plots) = plots {
            let file = format!("alloc-{}.svg", measured.engine);
            measured.plot(&plots.join(&file))?;
            let _ = writeln!(out, "\n![time per operation on {}]({file})", measured.engine);
        }
    }
    if let Some(first) = all.first() {
        first.pages_table(&mut out);
    }
    Ok(out)
}
