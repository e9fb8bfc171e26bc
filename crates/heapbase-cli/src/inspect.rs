//! `heapbase inspect`: what is this module, and does it keep the rules of its allocator spec?

use crate::{exit::Exit, source, text::printable};
use anyhow::Context;
use comfy_table::{Cell, CellAlignment, Color, ContentArrangement, Table, presets};
use heapbase_module::inspect::{ExternKind, Memory, MemoryKind, Report, Severity};
use heapbase_module::{Blob, Problem, Spec, adapt::Init, inspect_blob};
use humansize::{BINARY, format_size};
use owo_colors::OwoColorize;
use std::io::{self, Write};
use std::path::PathBuf;

/// Shows what a runtime is, who owns its heap, and where it breaks a rule
///
/// Nothing is executed. Errors are breaches of the allocator spec, or things no host can run; warnings are what a stock
/// node refuses or would do otherwise; notes are worth knowing.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  heapbase inspect runtime.compact.compressed.wasm
  heapbase inspect chain-spec-raw.json --json | jq '.problems[] | select(.severity == \"error\")'
  heapbase inspect module.wasm --json | jq '.features[] | {name, offsets}'   # every use of what is newer than the first Wasm
  curl -sL URL | heapbase inspect -

Exit status:
  0  the module keeps the rules of its allocator spec
  1  it breaks one: there is a problem of severity `error`
  2  usage, or RUNTIME is not a runtime or cannot be read")]
pub(crate) struct Inspect {
    /// Wasm, compressed Wasm, or JSON with `:code` (raw chain specification, case); `-` reads standard input
    #[arg(value_name = "RUNTIME")]
    runtime: PathBuf,

    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,

    /// Refuse compressed runtimes that expand past this many MiB; nodes refuse at 50
    #[arg(long, value_name = "MIB", default_value_t = 50)]
    max_size: usize,
}

impl Inspect {
    /// Reads, inspects and prints.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let bytes = source::read(&self.runtime)?;
        let inspect = || inspect_blob(&Blob::read_bounded(&bytes, self.max_size.saturating_mul(1 << 20))?);
        let report = inspect().with_context(|| format!("cannot inspect {}", self.runtime.display()))?;
        let mut out = anstream::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, &report).map_err(io::Error::from)?;
            writeln!(out)?;
        } else {
            print(&mut out, &report)?;
        }
        out.flush()?;
        Ok(if report.conforms { Exit::Success } else { Exit::Failed })
    }
}

fn print(out: &mut impl Write, report: &Report) -> io::Result<()> {
    print_summary(out, report)?;
    if !report.problems.is_empty() {
        print_table(out, &["", "where", "what"], &[], report.problems.iter().map(problem_row))?;
    }
    if !report.features.is_empty() {
        let rows = report.features.iter().map(|used| {
            let stock_nodes = if used.stock_nodes { "accept it" } else { "refuse it" };
            let first = format!("{:#x}", used.first_offset);
            vec![used.name.to_string(), used.count.to_string(), first, stock_nodes.to_owned()]
        });
        print_table(out, &["beyond the first Wasm", "uses", "first at", "stock nodes"], &[1, 2], rows)?;
    }
    let rows = report.sections.iter().map(|section| {
        let name = match &section.name {
            Some(name) => format!("{} {}", section.kind, printable(name)),
            None => section.kind.to_string(),
        };
        let share = 100.0 * section.size as f64 / report.size as f64;
        let items = section.items.map(|items| items.to_string()).unwrap_or_default();
        let offset = format!("{:#x}", section.offset);
        vec![name, offset, format_size(section.size, BINARY), format!("{share:.1} %"), items]
    });
    print_table(out, &["section", "offset", "size", "share", "items"], &[1, 2, 3, 4], rows)
}

fn print_summary(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let mut line = |label: &str, text: String| writeln!(out, "{:<10}{text}", label.bold());
    match &report.runtime_version {
        Some(version) => line(
            "runtime",
            format!(
                "{} {} by {}, implementation {}, transactions {}, system {}",
                printable(&version.spec_name),
                version.spec_version,
                printable(&version.impl_name),
                version.impl_version,
                version.transaction_version,
                version.system_version
            ),
        )?,
        None => line("runtime", "no version section: a node has to call Core_version".to_owned())?,
    }
    line("heap", heap(report))?;
    if let Some(conversion) = &report.conversion {
        let or_unknown = |text: &str| if text.is_empty() { "unknown".to_owned() } else { printable(text) };
        let arena = if conversion.arena > 0 {
            format!(", an arena of {}", bytes(conversion.arena.into()))
        } else {
            String::new()
        };
        let done = if conversion.adapted.is_some() { "adapted" } else { "converted" };
        line(done, format!("to {} by heapbase {}{arena}", conversion.to, or_unknown(&conversion.converter)))?;
        if let Some(adapted) = &conversion.adapted {
            let when = match adapted.init {
                Init::Snapshot => "initialised beforehand",
                _ => "initialised in every call",
            };
            let sees = adapted.environment.iter().map(|(name, value)| format!("{name}={value}"));
            let sees: Vec<_> = sees.collect();
            let sees = if sees.is_empty() { String::new() } else { format!(", environment {}", sees.join(" ")) };
            line("", printable(&format!("{when}, random numbers from {:#x}{sees}", adapted.seed)))?;
        }
        if conversion.adapted.is_none() || !conversion.allocator.is_empty() {
            line(
                "allocator",
                format!("{} {}", or_unknown(&conversion.allocator), printable(&conversion.allocator_blake2_256)),
            )?;
        }
        line("original", format!("{} (BLAKE2-256 of the module)", or_unknown(&conversion.original_blake2_256)))?;
    }
    line("memory", report.memory.as_ref().map_or_else(|| "none".to_owned(), memory))?;
    if let Some(end) = report.data_end {
        line("data", format!("up to {end:#x}"))?;
    }
    match report.size_compressed {
        Some(compressed) => {
            line("size", format!("{}, {} compressed", bytes(report.size), bytes(compressed)))?;
        }
        None => line("size", bytes(report.size))?,
    }
    line("BLAKE2", format!("{} of the module", report.blake2_256))?;
    if let Some(hash) = &report.blake2_256_compressed {
        line("", format!("{hash} of the compressed form"))?;
    }
    let entries = report
        .exports
        .iter()
        .filter(|export| export.kind == ExternKind::Function && &*export.ty == "(i32, i32) -> i64");
    line("imports", report.imports.len().to_string())?;
    line("exports", format!("{}, {} of them entry points", report.exports.len(), entries.count()))?;
    if !report.runtime_apis.is_empty() {
        let api =
            |api: &heapbase_module::inspect::RuntimeApi| format!("{} {}", api.name.unwrap_or(&api.id), api.version);
        line("APIs", report.runtime_apis.iter().map(api).collect::<Vec<_>>().join(", "))?;
    }
    let count = |severity| report.problems.iter().filter(|problem| problem.severity() == severity).count();
    let problems = format!(
        "{}, {}, {}",
        plural(count(Severity::Error), "error"),
        plural(count(Severity::Warning), "warning"),
        plural(count(Severity::Note), "note")
    );
    let verdict = if report.conforms {
        format!("{} the rules of `{}` ({problems})", "keeps".green(), report.spec)
    } else {
        format!("{} the rules of `{}` ({problems})", "breaks".red(), report.spec)
    };
    line("verdict", verdict)
}

fn heap(report: &Report) -> String {
    let from = report.heap_base.map(|base| format!("{base:#x}")).unwrap_or_else(|| "an unknown address".to_owned());
    match report.spec {
        Spec::Legacy => format!("legacy: the host owns it, from {from} up"),
        Spec::V1 => "v1: the runtime owns it and exports its allocator".to_owned(),
        Spec::Local => {
            format!("local: an arena of the runtime's own; the host's part is from {from} up")
        }
        other => other.to_string(),
    }
}

fn memory(memory: &Memory) -> String {
    let kind = match memory.kind {
        MemoryKind::Imported => "imported",
        MemoryKind::Exported => "exported",
        MemoryKind::Both => "imported and exported",
        _ => "out of the host's reach",
    };
    match memory.max {
        Some(max) => format!("{kind}, {} to {max} pages of 64 KiB", memory.min),
        None => format!("{kind}, {} pages of 64 KiB or more", memory.min),
    }
}

fn problem_row(problem: &Problem) -> Vec<Cell> {
    let (severity, color) = match problem.severity() {
        Severity::Error => ("error", Color::Red),
        Severity::Warning => ("warning", Color::Yellow),
        Severity::Note => ("note", Color::DarkGrey),
    };
    let place = &problem.place;
    let words = [
        place.section.map(|section| section.to_string()),
        place.name.as_deref().map(printable),
        place.offset.map(|offset| format!("{offset:#x}")),
    ];
    let words: Vec<_> = words.into_iter().flatten().collect();
    vec![Cell::new(severity).fg(color), Cell::new(words.join(" ")), Cell::new(printable(&problem.flaw.to_string()))]
}

fn print_table(
    out: &mut impl Write,
    header: &[&str],
    right: &[usize],
    rows: impl Iterator<Item = Vec<impl Into<Cell>>>,
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    writeln!(out, "\n{}", table.trim_fmt())
}

fn bytes(count: u64) -> String {
    match count {
        0..1024 => format!("{count} bytes"),
        _ => format!("{} ({count} bytes)", format_size(count, BINARY)),
    }
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
