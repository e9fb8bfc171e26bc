//! Records what real runtimes ask of their allocator: `heapbase-record SHARED OUT`.
//!
//! SHARED has `cases/` (blocks with their state) and `corpus/` (runtimes); OUT receives a trace for each case's block, and
//! for the metadata of each runtime named on the command line after OUT.

use anyhow::{Context, Result};
use heapbase_host::{AllocationEvent, Config, Runtime, State};
use heapbase_trace::Event;
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

/// Numbers blocks in the order of their allocation, in place of addresses.
fn events(recorded: &[AllocationEvent]) -> Vec<Event> {
    let mut numbers = HashMap::new();
    let mut count = 0;
    let mut events = Vec::new();
    for event in recorded {
        match *event {
            AllocationEvent::Allocated { size, address, .. } => {
                numbers.insert(address, count);
                count += 1;
                events.push(Event::Allocate { size, align: 8 });
            }
            AllocationEvent::Freed { address } => {
                events.extend(numbers.remove(&address).map(|block| Event::Free { block }));
            }
        }
    }
    events
}

fn record(out: &Path, name: &str, runtime: &[u8], entry: &str, input: &[u8], state: &State) -> Result<()> {
    let runtime = Runtime::new(runtime, &Config::default())?;
    let outcome = runtime.call(entry, input).record_allocations().on(state)?;
    let events = events(&outcome.allocations);
    let trace = heapbase_trace::write(&events);
    let path = out.join(format!("{name}.trace"));
    println!("{}: {} events, {} bytes", path.display(), events.len(), trace.len());
    Ok(fs::write(path, trace)?)
}

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let shared = arguments.next().context("the first argument is the shared directory")?;
    let out = arguments.next().context("the second argument is where traces go")?;
    let mut cases: Vec<_> =
        fs::read_dir(shared.join("cases"))?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    cases.sort();
    for path in cases {
        let case = heapbase_host::Case::from_json(&fs::read(&path)?).with_context(|| path.display().to_string())?;
        let (Some(state), Some(stem)) = (case.state, path.file_stem()) else { continue };
        let code = state.code().context("the state has no runtime")?;
        let name = format!("block-{}", stem.to_string_lossy());
        record(&out, &name, &code, &case.entry, &case.input, &state)
            .with_context(|| format!("recording {}", path.display()))?;
    }
    for name in arguments {
        let path = shared.join("corpus").join(&name);
        let stem = name.to_string_lossy().split('.').next().unwrap_or_default().to_owned();
        let code = fs::read(&path).with_context(|| path.display().to_string())?;
        record(&out, &format!("metadata-{stem}"), &code, "Metadata_metadata", &[], &State::default())
            .with_context(|| format!("recording {}", path.display()))?;
    }
    Ok(())
}
