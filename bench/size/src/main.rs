//! Measures what each allocator adds to a module that boxes and unboxes one value.

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// The flagship and its peers.
const LARGE: &[&str] = &["heapbase", "talc", "rlsf", "picoalloc", "wee_alloc", "dlmalloc"];
/// Each small allocator's counterpart in lol_alloc, and the most bytes that ours may have of it.
const PAIRS: &[(&str, &str)] = &[
    ("heapbase-fail", "lol-fail"),
    ("heapbase-leaking-page", "lol-leaking-page"),
    ("heapbase-leaking", "lol-leaking"),
    ("heapbase-free-list", "lol-free-list"),
];
/// The flagship may have so many bytes.
const MOST: u64 = 2_560;

/// Prints the table and writes it into `bench/RESULTS.md`; fails when ours is larger than it may be.
#[derive(Parser)]
struct Options {
    /// Builds and compares, but writes nothing.
    #[arg(long)]
    smoke: bool,
    /// Prints the bytes of each of ours and of its counterpart as one JSON object instead, and writes nothing.
    #[arg(long)]
    json: bool,
}

/// Bytes of a module after `wasm-opt -Oz` with names and other custom sections stripped.
fn optimised_size(module: &Path) -> Result<u64> {
    let out: PathBuf = module.with_extension("opt.wasm");
    let run = || {
        Command::new("wasm-opt")
            .args(["-Oz", "--strip-debug", "--strip-producers", "--strip-target-features", "--mvp-features"])
            .args(["--enable-bulk-memory", "--enable-mutable-globals"])
            .arg(module)
            .arg("-o")
            .arg(&out)
            .status()
    };
    let status = match run() {
        Ok(status) => status,
        Err(_) => {
            eprintln!("installing binaryen for wasm-opt");
            let installed = Command::new("apt-get").args(["install", "-y", "-q", "binaryen"]).status();
            ensure!(installed.is_ok_and(|status| status.success()), "no `wasm-opt` here: install binaryen");
            run().context("cannot run wasm-opt")?
        }
    };
    ensure!(status.success(), "wasm-opt refuses {}", module.display());
    Ok(std::fs::metadata(out)?.len())
}

fn main() -> Result<()> {
    let options = Options::parse();
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let size = |name: &str| {
        eprintln!("building {name}");
        let module = "heapbase_bench_size_guest.wasm";
        optimised_size(&heapbase_bench_common::build_guest(
            &home.join("guest"),
            name,
            module,
            &home.join("target/guests"),
        )?)
    };
    if options.json {
        let sizes = LARGE[..1].iter().chain(&LARGE[LARGE.len() - 1..]).chain(PAIRS.iter().flat_map(|(a, b)| [a, b]));
        let sizes = sizes.map(|name| Ok((*name, size(name)?))).collect::<Result<BTreeMap<_, _>>>()?;
        println!("{}", serde_json::to_string(&sizes)?);
        return Ok(());
    }
    let mut text = String::from(
        "## What an allocator adds to a module\n\nPrinted by `cargo run --release --manifest-path bench/size/Cargo.toml`.\n\nBytes of a module that boxes and unboxes one value:\n\n| allocator | bytes | of dlmalloc's |\n",
    );
    text.push_str("| --- | ---: | ---: |\n");
    let sizes = LARGE.iter().map(|name| Ok((name, size(name)?))).collect::<Result<Vec<_>>>()?;
    let dlmalloc = sizes.last().map_or(1, |(_, size)| *size);
    for (name, size) in &sizes {
        let _ = writeln!(text, "| {name} | {size} | {:.2} |", *size as f64 / dlmalloc as f64);
    }
    text.push_str("\n| small allocator | bytes | lol_alloc's counterpart | ratio |\n| --- | ---: | ---: | ---: |\n");
    let mut too_large = Vec::new();
    for (ours, theirs) in PAIRS {
        let (mine, other) = (size(ours)?, size(theirs)?);
        let _ = writeln!(text, "| {ours} | {mine} | {other} | {:.2} |", mine as f64 / other as f64);
        if mine > other {
            too_large.push(format!("{ours}: {mine} bytes, {theirs} has {other}"));
        }
    }
    println!("{text}");
    if sizes[0].1 > MOST {
        too_large.push(format!("heapbase: {} bytes, {MOST} are allowed", sizes[0].1));
    }
    if !options.smoke {
        heapbase_bench_common::replace_section(&home.join("../RESULTS.md"), "size", &text)?;
    }
    if !too_large.is_empty() {
        bail!("too large: {}", too_large.join("; "));
    }
    Ok(())
}
