//! The table, for the terminal and for `bench/RESULTS.md`.

use crate::race::{Cell, Row};
use anyhow::{Context, Result, anyhow, bail};
use bench_common::stats::{human, median_and_deviation};
use std::path::Path;

/// Renders rows that have the same columns as a Markdown table that is also readable as it is.
///
/// A cell says `median ± deviation, faults`; the ratio compares the second column with the first.
pub fn table(rows: &[Row]) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let mut header = vec![String::new()];
    header.extend(first.cells.iter().map(|cell| cell.name.clone()));
    if let [base, other, ..] = first.cells.as_slice() {
        header.insert(3, format!("{} ÷ {}", other.name, base.name));
    }
    let lines = rows.iter().map(|row| {
        let mut line = vec![row.title.clone()];
        line.extend(row.cells.iter().map(cell));
        if row.cells.len() > 1 {
            line.insert(3, said(ratio(row), 2));
        }
        line
    });
    markdown(header, lines)
}

/// A Markdown table.
pub fn markdown(header: Vec<String>, lines: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(header);
    table.add_rows(lines);
    table.to_string()
}

/// Renders one row with a line for each contestant: for contestants that are too many for columns.
pub fn list(row: &Row) -> String {
    let base = row.cells.first().map_or("", |cell| &cell.name);
    let header = vec![row.title.clone(), String::new(), format!("÷ {base}")];
    let lines = row.cells.iter().map(|one| {
        let ratio = row.cells.first().and_then(|base| multiple(base, one));
        vec![one.name.clone(), cell(one), said(ratio, 3)]
    });
    markdown(header, lines)
}

/// The second column as a multiple of the first: the median of the rounds' ratios, and its median absolute deviation.
///
/// Both run within a fraction of a second in each round, so what the machine does meanwhile cancels out.
pub fn ratio(row: &Row) -> Option<(f64, f64)> {
    let [base, other, ..] = row.cells.as_slice() else { return None };
    multiple(base, other)
}

/// `other` as a multiple of `base`: the median of the rounds' ratios, and its median absolute deviation.
pub fn multiple(base: &Cell, other: &Cell) -> Option<(f64, f64)> {
    let (base, other) = (base.outcome.as_ref().ok()?, other.outcome.as_ref().ok()?);
    median_and_deviation(base.rounds.iter().zip(&other.rounds).map(|(base, other)| other / base).collect())
}

/// A ratio as a cell says it.
pub fn said(ratio: Option<(f64, f64)>, decimals: usize) -> String {
    match ratio {
        Some((median, deviation)) => format!("**{median:.decimals$}** ± {deviation:.decimals$}"),
        None => "–".to_owned(),
    }
}

/// What a contestant took, the ratio to the first one's, and its page faults.
///
/// # Errors
/// It failed.
pub fn against_first(row: &Row, at: usize) -> Result<(String, String, f64)> {
    let summary = row.cells[at].outcome.as_ref().map_err(|error| anyhow!(error.clone()))?;
    let time = format!("{} ± {}", human(summary.median), human(summary.deviation));
    Ok((time, said(multiple(&row.cells[0], &row.cells[at]), 2), summary.faults))
}

/// A row on one line, for who waits.
pub fn line(row: &Row) -> String {
    let cells: Vec<String> = row.cells.iter().map(|one| format!("{} {}", one.name, cell(one))).collect();
    let ratio = ratio(row).map_or_else(String::new, |(ratio, _)| format!(" ({ratio:.2})"));
    format!("{}{ratio}: {}", row.title, cells.join(" | "))
}

/// Time and page faults, or why there are none.
pub fn cell(cell: &Cell) -> String {
    match &cell.outcome {
        Ok(summary) => {
            format!("{} ± {}, {:.0} faults", human(summary.median), human(summary.deviation), summary.faults)
        }
        Err(error) => {
            let line = error.lines().next().unwrap_or_default();
            format!("fails: {}", line.chars().take(60).collect::<String>().replace('|', "/"))
        }
    }
}

/// Puts `section` between the markers of the benchmark of that name in `file`; other benchmarks own the rest of it.
///
/// # Errors
/// The file cannot be read or written, or has one marker without the other.
pub fn write_section(file: &Path, name: &str, section: &str) -> Result<()> {
    let old = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("reading {}", file.display())),
    };
    let new = replace_section(&old, name, section).with_context(|| file.display().to_string())?;
    std::fs::write(file, new).with_context(|| format!("writing {}", file.display()))
}

fn replace_section(old: &str, name: &str, section: &str) -> Result<String> {
    let (begin_marker, end_marker) = (format!("<!-- begin {name} -->"), format!("<!-- end {name} -->"));
    let block = format!("{begin_marker}\n{}\n{end_marker}", section.trim());
    Ok(match (old.find(&begin_marker), old.find(&end_marker)) {
        (Some(begin), Some(end)) if begin < end => {
            format!("{}{block}{}", &old[..begin], &old[end + end_marker.len()..])
        }
        (None, None) if old.trim().is_empty() => format!("# Results\n\n{block}\n"),
        (None, None) => format!("{}\n\n{block}\n", old.trim_end()),
        _ => bail!("the markers {begin_marker} and {end_marker} are not a pair"),
    })
}

/// The geometric mean of `ratios`, and the largest; none where there are none.
pub fn mean_and_worst(ratios: &[f64]) -> Option<(f64, f64)> {
    let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
    (!ratios.is_empty()).then(|| (mean, ratios.iter().copied().fold(0.0, f64::max)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn section_replaces_only_its_own_part() {
        let others = "# Results\n\n<!-- begin module -->\nx\n<!-- end module -->\n";
        let once = replace_section(others, "host", "first").unwrap();
        assert!(once.starts_with(others.trim_end()) && once.contains("first"));
        let twice = replace_section(&once, "host", "second").unwrap();
        assert!(twice.contains("second") && !twice.contains("first"));
        assert_eq!(replace_section(&twice, "host", "second").unwrap(), twice);
    }

    #[test]
    fn a_lone_marker_is_refused() {
        assert!(replace_section("<!-- begin host -->", "host", "x").is_err());
    }
}
