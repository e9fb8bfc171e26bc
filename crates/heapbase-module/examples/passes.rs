//! Runs passes of an adaptation one by one over a module, and says what each did:
//!
//! ```text
//! cargo run --release -p heapbase-module --example passes -- IN OUT prune lower canonical
//! ```

use heapbase_module::{canonical::canonicalise, lower, prune};
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: passes IN OUT [prune|lower|canonical]...";
    let (input, output) = (arguments.next().ok_or(usage)?, arguments.next().ok_or(usage)?);
    let mut wasm = std::fs::read(input)?;
    for pass in arguments {
        let begin = Instant::now();
        let passed = match pass.as_str() {
            "prune" => prune::prune(&wasm, &prune::Options::default())?,
            "lower" => lower::lower(&wasm, &lower::Options::default())?,
            "canonical" => canonicalise(&wasm)?,
            _ => return Err(usage.into()),
        };
        let took = begin.elapsed().as_millis();
        println!("{pass}: {} -> {} bytes in {took} ms", wasm.len(), passed.wasm.len());
        passed.changes.iter().chain(&passed.warnings).for_each(|line| println!("  {line}"));
        wasm = passed.wasm;
    }
    std::fs::write(output, wasm)?;
    Ok(())
}
