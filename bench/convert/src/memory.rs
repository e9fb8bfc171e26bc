//! What a call does with its heap: how often it asks the host, and how far the heap reaches.
//!
//! Both come from our host, which hands out the same addresses as sc-executor (`bench-host parity` compares them). What
//! happens inside of an arena no host can see. So the requests that the original makes, which the host records, are made
//! once more of the very module that the converter merged, in memory laid out like the converted runtime's; a block that the
//! converted runtime grows in place is moved here, as in the original, so that this is the most that it can reach.

use crate::{
    file,
    subject::{Form, Subject},
};
use anyhow::{Context, Result, anyhow, bail};
use heapbase_host::{AllocationEvent, Case, Config, Engine, Origin, Outcome, Runtime, State};
use heapbase_module::{
    convert::{DEFAULT_ARENA, Family, LARGE, PATIENCE},
    inspect,
};
use sp_wasm_interface::wasmtime;
use std::{collections::HashMap, ops::Range};

const WASM_PAGE: u64 = 64 * 1024;
/// Bytes that the host's allocator keeps in front of each block.
const HEADER: u32 = 8;

/// One call, in the order of [`Form`].
pub struct Memory {
    /// Runtime or case, and entry point.
    pub title: String,
    /// Blocks that the host's allocator handed out.
    pub host_allocations: [u64; 3],
    /// Bytes that lie between the ends of what was ever in use, in the host's heap and in the runtime's own, its state included.
    pub peak: [u64; 3],
}

/// An allocator's work: a block that is asked for, or given back by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Allocate(u32),
    Free(usize),
}

/// Runs `entry` with no input on an empty state, or the block of a case, in all forms.
///
/// # Errors
/// A call fails.
pub fn measure(subject: &Subject, entry: &str) -> Result<Memory> {
    let case = match &subject.case {
        Some((file, ..)) => Some(Case::from_json(&std::fs::read(file)?).context("the case")?),
        None => None,
    };
    let title = case.as_ref().map_or_else(|| format!("{}, `{entry}`", subject.title), |_| subject.title.clone());
    let outcome = |form: Form| run(subject, form, entry, case.as_ref()).with_context(|| format!("{title}, {form:?}"));
    let [original, local, v1] = [outcome(Form::Original)?, outcome(Form::Local)?, outcome(Form::V1)?];
    let own = |origin: Origin| origin == Origin::Runtime;
    let arena = reach_in(&local_layout(subject)?, &steps(&original.allocations, own)).context(title.clone())?;
    let heap = reach_in(&v1_layout(subject)?, &steps(&original.allocations, |_| true)).context(title.clone())?;
    Ok(Memory {
        title,
        host_allocations: [&original, &local, &v1].map(|outcome| outcome.statistics.host_allocations),
        peak: [host_reach(&original.allocations), host_reach(&local.allocations) + arena, heap],
    })
}

fn run(subject: &Subject, form: Form, entry: &str, case: Option<&Case>) -> Result<Outcome> {
    let config = Config { engine: Engine::Wasmi, ..Config::default() };
    let runtime = Runtime::new(&std::fs::read(file(subject, form))?, &config)?;
    Ok(match case {
        Some(case) => {
            let state = case.state.as_ref().context("the case has no state")?;
            runtime.call(&case.entry, &case.input).importing().record_allocations().on(state)?
        }
        None => runtime.call(entry, &[]).record_allocations().on(&State::default())?,
    })
}

/// Bytes between the ends of what the host's allocator ever handed out, headers and rounding included; the arena, which is
/// measured by itself, does not count; nor does the distance that it puts between the host's blocks.
fn host_reach(events: &[AllocationEvent]) -> u64 {
    let is_arena = |event: &AllocationEvent| match *event {
        AllocationEvent::Allocated { origin: Origin::Runtime, size: DEFAULT_ARENA, address } => Some(address),
        _ => None,
    };
    let arena = events.iter().find_map(is_arena);
    let blocks = events.iter().filter(|event| is_arena(event).is_none()).filter_map(|event| match *event {
        AllocationEvent::Allocated { size, address, .. } => {
            Some(address - HEADER..address + size.max(8).next_power_of_two())
        }
        AllocationEvent::Freed { .. } => None,
    });
    let (below, above): (Vec<_>, Vec<_>) = blocks.partition(|block| arena.is_none_or(|arena| block.start < arena));
    reach(below.into_iter()) + reach(above.into_iter())
}

/// Bytes between the lowest start and the highest end.
fn reach(blocks: impl Iterator<Item = Range<u32>>) -> u64 {
    let ends = blocks.map(|block| (block.start, block.end)).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)));
    ends.map_or(0, |(start, end)| u64::from(end - start))
}

/// The requests of those who count, in order. Blocks of others are left out, also where they are given back.
fn steps(events: &[AllocationEvent], counts: impl Fn(Origin) -> bool) -> Vec<Step> {
    let mut alive = HashMap::new();
    let mut blocks = 0;
    let step = |event: &AllocationEvent| match *event {
        AllocationEvent::Allocated { origin, size, address } if counts(origin) => {
            alive.insert(address, blocks);
            blocks += 1;
            Some(Step::Allocate(size))
        }
        AllocationEvent::Allocated { .. } => None,
        AllocationEvent::Freed { address } => alive.remove(&address).map(Step::Free),
    };
    events.iter().filter_map(step).collect()
}

/// Where an allocator module finds its memory, and what serves the first blocks instead of it.
#[derive(Clone, Debug)]
struct Layout {
    /// The state, and the memory behind it.
    memory: Range<u32>,
    /// Bytes that blocks are cut off one after the other before the allocator is asked, and the words that go with them.
    near: (u32, u32),
    /// Requests that then go to the host.
    patience: u32,
    pages: u32,
}

/// Near memory lies between the old heap base and the new one, behind some words; the arena's parts wherever the host puts them.
fn local_layout(subject: &Subject) -> Result<Layout> {
    const WORDS: u32 = 16;
    let before = inspect(&std::fs::read(file(subject, Form::Original))?)?;
    let after = inspect(&std::fs::read(file(subject, Form::Local))?)?;
    let (Some(low), Some(base)) = (before.heap_base, after.heap_base) else { bail!("no `__heap_base`") };
    let near = base.checked_sub(low.next_multiple_of(16) + WORDS).context("the heap base is low")?;
    let start = WASM_PAGE as u32;
    let pages = (start + DEFAULT_ARENA) / WASM_PAGE as u32;
    Ok(Layout { memory: start..start + DEFAULT_ARENA, near: (near, WORDS), patience: PATIENCE, pages })
}

/// State and memory from the old heap base to the end of the memory's minimum, and then what grows.
fn v1_layout(subject: &Subject) -> Result<Layout> {
    let before = inspect(&std::fs::read(file(subject, Form::Original))?)?;
    let after = inspect(&std::fs::read(file(subject, Form::V1))?)?;
    let state = before.heap_base.context("no `__heap_base`")?.next_multiple_of(16);
    let pages = u32::try_from(after.memory.context("no memory")?.min)?;
    Ok(Layout { memory: state..pages * WASM_PAGE as u32, near: (0, 0), patience: 0, pages })
}

/// The allocator that the converter merges, alone.
struct Allocator {
    store: wasmtime::Store<()>,
    instance: wasmtime::Instance,
}

impl Allocator {
    fn new(layout: &Layout) -> Result<Self> {
        let engine = wasmtime::Engine::default();
        let module = wasmtime::Module::new(&engine, Family::default().wasm()).map_err(|error| anyhow!("{error:#}"))?;
        let mut store = wasmtime::Store::new(&engine, ());
        let ty = wasmtime::MemoryType::new(layout.pages, None);
        let memory = wasmtime::Memory::new(&mut store, ty).map_err(|error| anyhow!("{error:#}"))?;
        let mut linker = wasmtime::Linker::new(&engine);
        let mut link = || -> wasmtime::Result<wasmtime::Instance> {
            linker.define(&store, "env", "memory", memory)?;
            for (name, value) in [("state", layout.memory.start), ("end", layout.memory.end)] {
                linker.func_wrap("heapbase", name, move || value)?;
            }
            linker.func_wrap("heapbase", "grow", move |mut caller: wasmtime::Caller<'_, ()>, pages: u32| {
                memory.grow(&mut caller, pages.into()).map_or(-1, |before| before as i32)
            })?;
            linker.instantiate(&mut store, &module)
        };
        let instance = link().map_err(|error| anyhow!("{error:#}"))?;
        Ok(Self { store, instance })
    }

    fn call<P: wasmtime::WasmParams, R: wasmtime::WasmResults>(&mut self, name: &str, input: P) -> Result<R> {
        let function = self.instance.get_typed_func(&mut self.store, name);
        let called = function.and_then(|function| function.call(&mut self.store, input));
        called.map_err(|error| anyhow!("{name} of the allocator: {error:#}"))
    }
}

/// How far the heap reaches that answers these requests: near memory with its words, and the allocator's with its state.
fn reach_in(layout: &Layout, steps: &[Step]) -> Result<u64> {
    /// Where a block lies.
    enum Place {
        Near(u32),
        Host,
        Own(Range<u32>),
    }
    let mut allocator = Allocator::new(layout)?;
    let (near, words) = layout.near;
    let (mut used, mut most) = (0, 0);
    let mut last = None;
    let mut patience = layout.patience;
    let mut blocks = Vec::new();
    for step in steps {
        match *step {
            Step::Allocate(size) => {
                let units = size.max(1).next_multiple_of(8);
                if units <= near - used {
                    last = Some(used);
                    blocks.push(Place::Near(used));
                    used += units;
                    most = most.max(used);
                    continue;
                }
                if patience > 0 && size <= LARGE {
                    // Among the host's blocks.
                    patience -= 1;
                    blocks.push(Place::Host);
                    continue;
                }
                patience = 0;
                let address: u32 = allocator.call("alloc", size)?;
                if address == 0 {
                    bail!("the arena is full, which this measurement does not follow");
                }
                blocks.push(Place::Own(address..address + size));
            }
            Step::Free(block) => match &blocks[block] {
                Place::Near(start) if last == Some(*start) => used = *start,
                Place::Near(_) | Place::Host => {}
                Place::Own(block) => allocator.call("free", block.start)?,
            },
        }
    }
    let mut own: Vec<_> =
        blocks.into_iter().filter_map(|place| if let Place::Own(block) = place { Some(block) } else { None }).collect();
    if !own.is_empty() {
        let state = layout.memory.start;
        own.push(state..state + allocator.call::<_, u32>("state_size", ())?);
    }
    Ok(u64::from(words + most) + reach(own.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_blocks_that_count_are_asked_for_and_given_back() {
        let allocated = |origin, address| AllocationEvent::Allocated { origin, size: 8, address };
        let events = [
            allocated(Origin::Input, 8),
            allocated(Origin::Runtime, 24),
            AllocationEvent::Freed { address: 8 },
            AllocationEvent::Freed { address: 24 },
        ];
        let own = steps(&events, |origin| origin == Origin::Runtime);
        assert_eq!(own, [Step::Allocate(8), Step::Free(0)]);
        assert_eq!(steps(&events, |_| true).len(), 4);
        assert_eq!(host_reach(&events), 32);
    }

    #[test]
    fn a_heap_reaches_from_its_state_to_its_last_byte() {
        let layout = &Layout { memory: 65_536..131_072, near: (0, 0), patience: 0, pages: 2 };
        assert_eq!(reach_in(layout, &[]).unwrap(), 0);
        let once = [Step::Allocate(50_000), Step::Free(0)];
        let twice: Vec<Step> = once.into_iter().chain([Step::Allocate(50_000), Step::Free(1)]).collect();
        let reached = reach_in(layout, &once).unwrap();
        assert!((50_000..55_000).contains(&reached), "{reached}");
        assert_eq!(reach_in(layout, &twice).unwrap(), reached);
    }

    #[test]
    fn first_blocks_lie_in_near_memory() {
        let layout = &Layout { memory: 65_536..131_072, near: (64, 16), patience: 0, pages: 2 };
        let back = [Step::Allocate(20), Step::Free(0), Step::Allocate(60), Step::Free(1)];
        assert_eq!(reach_in(layout, &back).unwrap(), 16 + 64);
        let full = [Step::Allocate(20), Step::Allocate(60)];
        assert!(reach_in(layout, &full).unwrap() > 16 + 24 + 60);
    }
}
