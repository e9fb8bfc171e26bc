//! The section of bench/RESULTS.md.

use crate::{
    memory::Memory,
    parts::{HEAP, NO_ROUTINES, NOT_IN_PLACE, ORIGINAL, Parts, WHOLE},
    races::{EAGER, Effort, NODE, OURS_LOCAL, OURS_V1, Pair, faults, ratio},
    sizes::{Added, TO},
};
use bench_common::stats::human;
use bench_host::{
    machine,
    race::Row,
    report::{cell, markdown, mean_and_worst, multiple, said},
};
use std::{collections::BTreeMap, fmt::Write};

/// Everything that was measured.
#[derive(Default)]
pub struct Found {
    /// Cases.
    pub blocks: Vec<Row>,
    /// `Core_version`.
    pub version: Vec<Row>,
    /// `Metadata_metadata`.
    pub metadata: Vec<Row>,
    /// Every other entry point, by runtime.
    pub others: Vec<(String, Vec<Row>)>,
    /// Every entry point of the runtimes of other languages.
    pub foreign: Vec<Row>,
    /// The heap of the cases.
    pub memory_of_blocks: Vec<Memory>,
    /// The heap of `Metadata_metadata`.
    pub memory_of_calls: Vec<Memory>,
    /// The cases, with each part of the conversion and without.
    pub parts_of_blocks: Vec<Parts>,
    /// The same for `Metadata_metadata`.
    pub parts_of_calls: Vec<Parts>,
    /// Bytes added.
    pub added: Vec<Added>,
    /// The time of conversions, validation first.
    pub converting: Option<Row>,
}

/// A line of the summary.
struct Figure {
    what: &'static str,
    value: Option<f64>,
    must: f64,
    aim: f64,
}

/// The section.
pub fn document(found: &Found, effort: &Effort, versions: &BTreeMap<String, Vec<String>>) -> String {
    let mut text = String::from("## Converted runtimes beside the originals\n\n");
    let versions: Vec<String> =
        versions.iter().map(|(package, versions)| format!("{package} {}", versions.join(" and "))).collect();
    let _ = writeln!(
        text,
        "Printed by `cargo run --release --manifest-path bench/convert/Cargo.toml` on {}.\n\
         Versions: {}.\n\
         sc-executor is unmodified and set up as in a node (pooling and copy-on-write); *eager* is sc-executor that makes each \
         instance anew (`RecreateInstance`). Processor time of one call, median ± median absolute deviation; ratios are the \
         median of {} rounds' ratios, in which all take turns on the same processor; below 1.00 the converted runtime is faster. \
         Page faults are minor faults of one call: pages of memory touched. All answers and roots are compared.\n\n{}",
        machine(),
        versions.join(", "),
        effort.rounds,
        summary(found),
    );
    for (title, about, rows) in [
        ("Blocks", "`Core_execute_block` on a fresh overlay, and the root of the state after.", &found.blocks),
        ("`Core_version`, converted", "The shortest call there is.", &found.version),
        ("`Metadata_metadata`, converted", "A call that allocates much.", &found.metadata),
    ] {
        if !rows.is_empty() {
            let _ = write!(text, "\n### {title}\n\n{about}\n\n{}\n{}\n", table(rows), means(rows));
        }
    }
    if !found.others.is_empty() {
        let _ = write!(
            text,
            "\n### Every other entry point\n\nThose that answer to no input on an empty state: their number, geometric mean, \
             and the worst of them.\n\n{}\n",
            others(&found.others)
        );
    }
    if !found.parts_of_blocks.is_empty() || !found.parts_of_calls.is_empty() {
        let _ = write!(
            text,
            "\n### What each part brings\n\nOn sc-executor, local. *The heap alone* is what `--no-in-place --no-routines` gives. The \
             last two are ratios of the whole conversion to one that leaves that part out: of the runtime's own growing of blocks, with \
             the number of places in its code, and of the compiler's routines.\n\n{}\n",
            parts(&found.parts_of_blocks, &found.parts_of_calls)
        );
    }
    if !found.foreign.is_empty() {
        let _ = write!(
            text,
            "\n### Runtimes of other languages\n\nEntry points that answer to no input on an empty state. `runtime-00d145` is \
             Go, compiled by a TinyGo that asks the host for its heap; it gets the host's allocator inside (`freeing-bump`). \
             `node-0a7b03` is of the same project, and Rust.\n\n{}\n{}\n",
            table(&found.foreign),
            means(&found.foreign)
        );
    }
    if !found.memory_of_blocks.is_empty() || !found.memory_of_calls.is_empty() {
        let _ = write!(
            text,
            "\n### The heap\n\nBlocks that the host's allocator handed out, and KiB between the ends of what was ever in use, in the \
             host's heap and in the runtime's own together.\n\n{}\n",
            heaps(found.memory_of_blocks.iter().chain(&found.memory_of_calls))
        );
    }
    if !found.added.is_empty() {
        let _ = write!(text, "\n### Bytes added\n\n{}\n", sizes(&found.added));
    }
    if let Some(row) = &found.converting {
        let _ = write!(
            text,
            "\n### Converting\n\nFrom a module in memory to a validated module in memory, beside one validation of the original.\n\n{}\n",
            bench_host::report::list(row)
        );
    }
    text
}

/// The figures that the project set itself.
fn summary(found: &Found) -> String {
    let mean = |rows: &[Row], pair| mean_of(rows, pair).map(|(mean, _)| mean);
    let worst = |rows: &[Row], pair| mean_of(rows, pair).map(|(_, worst)| worst);
    let others: Vec<&Row> = found.others.iter().flat_map(|(_, rows)| rows).collect();
    let slowest = |pair| {
        let ratios: Vec<f64> =
            others.iter().copied().chain(&found.blocks).chain(&found.metadata).map(|row| ratio(row, pair)).collect();
        mean_and_worst(&ratios).map(|(_, worst)| worst)
    };
    let touched = |rows: &[Row]| {
        let ratios: Vec<f64> = rows.iter().map(|row| faults(row, NODE.1) / faults(row, NODE.0)).collect();
        mean_and_worst(&ratios).map(|(mean, _)| mean)
    };
    let peak = |memories: &[&[Memory]], form: usize| {
        let ratios: Vec<f64> =
            memories.iter().copied().flatten().map(|one| one.peak[form] as f64 / one.peak[0] as f64).collect();
        mean_and_worst(&ratios).map(|(mean, _)| mean)
    };
    let (blocks, calls) = (&found.memory_of_blocks[..], &found.memory_of_calls[..]);
    let added = |to: usize| found.added.iter().map(|added| added.bytes[to] as f64 / 1024.0).reduce(f64::max);
    let converting = found.converting.as_ref().and_then(|row| {
        let summaries = row.cells.iter().skip(1).filter_map(|cell| cell.outcome.as_ref().ok());
        summaries.map(|summary| summary.median / 1e9).reduce(f64::max)
    });
    let figures = [
        ("blocks, local ÷ original, geometric mean", mean(&found.blocks, NODE), 0.92, 0.85),
        ("the same, eager", mean(&found.blocks, EAGER), 0.92, 0.85),
        ("`Metadata_metadata`, local ÷ original, geometric mean", mean(&found.metadata, NODE), 0.65, 0.45),
        ("the same, eager", mean(&found.metadata, EAGER), 0.65, 0.45),
        ("`Core_version`, local ÷ original, the worst", worst(&found.version, NODE), 1.10, 1.00),
        ("the same, eager", worst(&found.version, EAGER), 1.10, 1.00),
        ("any other entry point or block, local ÷ original, the worst", slowest(NODE), 1.03, 1.00),
        ("heap, local ÷ original, geometric mean", peak(&[blocks, calls], 1), 0.85, 0.75),
        ("of which blocks alone", peak(&[blocks], 1), 0.85, 0.75),
        ("of which `Metadata_metadata` alone", peak(&[calls], 1), 0.85, 0.75),
        ("pages touched by blocks, local ÷ original, geometric mean", touched(&found.blocks), 1.05, 1.00),
        ("pages touched by `Metadata_metadata`", touched(&found.metadata), 1.05, 1.00),
        ("pages touched by `Core_version`", touched(&found.version), 1.05, 1.00),
        ("our host: blocks, v1 ÷ legacy, geometric mean", mean(&found.blocks, OURS_V1), 0.90, 0.80),
        ("our host: `Metadata_metadata`, v1 ÷ legacy, geometric mean", mean(&found.metadata, OURS_V1), 0.60, 0.40),
        ("our host: `Core_version`, v1 ÷ legacy, the worst", worst(&found.version, OURS_V1), 1.10, 1.00),
        ("our host: any other entry point or block, v1 ÷ legacy, the worst", slowest(OURS_V1), 1.03, 1.00),
        ("our host: heap, v1 ÷ legacy, geometric mean", peak(&[blocks, calls], 2), 0.85, 0.75),
        ("of which blocks alone", peak(&[blocks], 2), 0.85, 0.75),
        ("of which `Metadata_metadata` alone", peak(&[calls], 2), 0.85, 0.75),
        ("KiB added to a runtime, local, the most", added(0), 8.0, 4.0),
        ("KiB added to a runtime, v1, the most", added(1), 8.0, 4.0),
        ("seconds to convert a runtime of 6.6 MB", converting, 1.0, 0.2),
    ];
    let lines = figures.into_iter().filter_map(|(what, value, must, aim)| {
        let figure = Figure { what, value, must, aim };
        let value = figure.value?;
        let verdict = match value {
            value if value <= figure.aim => "aim reached",
            value if value <= figure.must => "must reached",
            _ => "**missed**",
        };
        let said = format!("**{value:.2}**");
        Some(vec![
            figure.what.to_owned(),
            said,
            format!("≤ {:.2}", figure.must),
            format!("≤ {:.2}", figure.aim),
            verdict.to_owned(),
        ])
    });
    markdown(["figure", "measured", "must", "aim", ""].map(String::from).to_vec(), lines)
}

fn mean_of(rows: &[Row], pair: Pair) -> Option<(f64, f64)> {
    let ratios: Vec<f64> = rows.iter().map(|row| ratio(row, pair)).collect();
    mean_and_worst(&ratios)
}

/// Rows with all contestants.
fn table(rows: &[Row]) -> String {
    let header = [
        "",
        "sc-executor, original",
        "local ÷ original",
        "faults",
        "eager: local ÷ original",
        "faults",
        "our host, legacy",
        "v1 ÷ legacy",
        "local ÷ legacy",
    ];
    let lines = rows.iter().map(|row| {
        let pair = |(base, other): Pair| said(multiple(&row.cells[base], &row.cells[other]), 2);
        let pages = |(base, other): Pair| format!("{:.0} → {:.0}", faults(row, base), faults(row, other));
        vec![
            row.title.clone(),
            cell(&row.cells[NODE.0]),
            pair(NODE),
            pages(NODE),
            pair(EAGER),
            pages(EAGER),
            cell(&row.cells[OURS_V1.0]),
            pair(OURS_V1),
            pair(OURS_LOCAL),
        ]
    });
    markdown(header.map(String::from).to_vec(), lines)
}

fn means(rows: &[Row]) -> String {
    let say = |what: &str, pair| {
        let (mean, worst) = mean_of(rows, pair).unwrap_or((f64::NAN, f64::NAN));
        format!("{what} **{mean:.2}**, worst {worst:.2}")
    };
    format!(
        "\nGeometric means of the ratios: {}; {}; {}; {}.",
        say("sc-executor", NODE),
        say("eager", EAGER),
        say("our host v1", OURS_V1),
        say("our host local", OURS_LOCAL),
    )
}

fn others(runtimes: &[(String, Vec<Row>)]) -> String {
    let header = ["", "entry points", "local ÷ original", "the worst", "eager", "our host: v1 ÷ legacy", "the worst"];
    let lines = runtimes.iter().map(|(runtime, rows)| {
        let mean = |pair| mean_of(rows, pair).map_or_else(|| "–".to_owned(), |(mean, _)| format!("**{mean:.2}**"));
        let worst = |pair: Pair| {
            let row = rows.iter().max_by(|a, b| ratio(a, pair).total_cmp(&ratio(b, pair)));
            row.map_or_else(
                || "–".to_owned(),
                |row| {
                    let base = row.cells[pair.0].outcome.as_ref().map_or(f64::NAN, |summary| summary.median);
                    format!("{:.2} `{}` ({})", ratio(row, pair), row.title, human(base))
                },
            )
        };
        vec![
            runtime.clone(),
            rows.len().to_string(),
            mean(NODE),
            worst(NODE),
            mean(EAGER),
            mean(OURS_V1),
            worst(OURS_V1),
        ]
    });
    markdown(header.map(String::from).to_vec(), lines)
}

fn heaps<'a>(memories: impl Iterator<Item = &'a Memory>) -> String {
    let header = ["", "host allocations", "local", "v1", "heap, KiB", "local", "÷ original", "v1", "÷ original"];
    let lines = memories.map(|one| {
        let kib = |form: usize| format!("{:.1}", one.peak[form] as f64 / 1024.0);
        let ratio = |form: usize| format!("**{:.2}**", one.peak[form] as f64 / one.peak[0] as f64);
        let asked = one.host_allocations.map(|count| count.to_string());
        let [original, local, v1] = asked;
        vec![one.title.clone(), original, local, v1, kib(0), kib(1), ratio(1), kib(2), ratio(2)]
    });
    markdown(header.map(String::from).to_vec(), lines)
}

/// Rows of blocks and of metadata, each with its geometric means.
fn parts(blocks: &[Parts], calls: &[Parts]) -> String {
    const PAIRS: [Pair; 4] = [(ORIGINAL, HEAP), (ORIGINAL, WHOLE), (NOT_IN_PLACE, WHOLE), (NO_ROUTINES, WHOLE)];
    let header = ["", "the heap alone ÷ original", "the whole ÷ original", "growing in place", "places", "routines"];
    let line = |title: String, said: [String; 4], places: String| {
        let [heap, whole, in_place, routines] = said;
        vec![title, heap, whole, in_place, places, routines]
    };
    let rows = |all: &[Parts], what: &str| {
        let one = |parts: &Parts| {
            let row = &parts.row;
            let each = PAIRS.map(|(base, other)| said(multiple(&row.cells[base], &row.cells[other]), 2));
            line(format!("{}{what}", row.title), each, parts.places.to_string())
        };
        let means = PAIRS.map(|pair| {
            let ratios: Vec<f64> = all.iter().map(|parts| ratio(&parts.row, pair)).collect();
            mean_and_worst(&ratios).map_or_else(|| "–".to_owned(), |(mean, _)| format!("**{mean:.2}**"))
        });
        let mean = (!all.is_empty()).then(|| line("geometric mean".to_owned(), means, String::new()));
        all.iter().map(one).chain(mean).collect::<Vec<_>>()
    };
    let lines = [rows(blocks, ""), rows(calls, ", `Metadata_metadata`")].concat();
    markdown(header.map(String::from).to_vec(), lines.into_iter())
}

fn sizes(added: &[Added]) -> String {
    let header = ["", "least", "median", "most", "most in"].map(String::from).to_vec();
    let lines = TO.iter().enumerate().map(|(to, spec)| {
        let mut sorted: Vec<&Added> = added.iter().collect();
        sorted.sort_by_key(|one| one.bytes[to]);
        let at = |index: usize| sorted.get(index).map_or(0, |one| one.bytes[to]).to_string();
        let last = sorted.len().saturating_sub(1);
        vec![
            format!("{spec}, {} runtimes", sorted.len()),
            at(0),
            at(last / 2),
            at(last),
            sorted.last().map_or_else(String::new, |one| one.name.clone()),
        ]
    });
    markdown(header, lines)
}
