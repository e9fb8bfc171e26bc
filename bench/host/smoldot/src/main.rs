//! smoldot as a contestant of `bench-host`, which starts this program; see `bench-common`.

mod contestant;

use anyhow::{Context, Result, bail};
use bench_common::{Contestant, Hello, locked_version};
use contestant::{Smoldot, SmoldotEngine};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["serve", engine] => {
            let engine = self::engine(engine)?;
            let lock = include_str!("../Cargo.lock");
            let versions = ["smoldot", "wasmtime", "wasmi"]
                .map(|name| (name.to_owned(), locked_version(lock, name).unwrap_or_default()));
            bench_common::serve(&Hello { versions: versions.into() }, || make(engine))
        }
        ["cold", engine, runtime] => bench_common::cold(Some(make(self::engine(engine)?)), runtime.as_ref()),
        _ => bail!("usage: bench-smoldot serve ENGINE | cold ENGINE RUNTIME, where ENGINE is wasmtime or wasmi"),
    }
}

fn make(engine: SmoldotEngine) -> Box<dyn Contestant> {
    Box::new(Smoldot::new(engine))
}

fn engine(name: &str) -> Result<SmoldotEngine> {
    match name {
        "wasmtime" => Some(SmoldotEngine::Wasmtime),
        "wasmi" => Some(SmoldotEngine::Wasmi),
        _ => None,
    }
    .with_context(|| format!("{name}: the engines are wasmtime and wasmi"))
}
