//! Runs the tests' random walk inside wasmtime: 32 bits, release mode, the real `memory.grow`.
//!
//! `soak [OPERATIONS]`: so many for each allocator, 1,000,000 by default. Each allocator has a thread of its own.

use anyhow::{Context, Result};
use std::path::Path;
use wasmtime::{Caller, Config, Engine, Linker, Module, Store, StoreLimits, StoreLimitsBuilder};

const ALLOCATORS: &[(&str, u32)] = &[
    ("SizeClassAllocator", 4_000),
    ("FreeListAllocator", 4_000),
    ("LeakingAllocator", 400),
    ("LeakingPageAllocator", 100),
];

fn instance(engine: &Engine, module: &Module, bytes: usize) -> Result<(Store<StoreLimits>, wasmtime::Instance)> {
    let mut linker = Linker::<StoreLimits>::new(engine);
    linker.func_wrap("env", "complain", |mut caller: Caller<'_, StoreLimits>, text: u32, len: u32| {
        let memory = caller.get_export("memory").and_then(|memory| memory.into_memory());
        let text = memory.and_then(|memory| memory.data(&caller).get(text as usize..(text + len) as usize));
        eprintln!("{}", String::from_utf8_lossy(text.unwrap_or(b"(no text)")));
    })?;
    let mut store = Store::new(engine, StoreLimitsBuilder::new().memory_size(bytes).build());
    store.limiter(|limits| limits);
    let instance = linker.instantiate(&mut store, module)?;
    Ok((store, instance))
}

/// Walks in stretches, each in a fresh instance.
fn walk(engine: &Engine, module: &Module, number: usize, operations: u64) -> Result<()> {
    let (name, stretch) = ALLOCATORS[number];
    let (mut done, mut nulls) = (0, 0);
    for seed in 1.. {
        // Memories of 6 to 21 MiB, 5.1 of them the driver's: some runs find no memory.
        let (mut store, instance) = instance(engine, module, (6 + seed as usize % 16) << 20)?;
        let soak = instance.get_typed_func::<(u32, u64, u32), u32>(&mut store, "soak")?;
        let seed = 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(seed);
        nulls +=
            soak.call(&mut store, (number as u32, seed, stretch)).with_context(|| format!("{name}, seed {seed:#x}"))?;
        done += u64::from(stretch);
        if done >= operations {
            break;
        }
    }
    println!("{name} in wasmtime: {done} operations, {nulls} of them found no memory");
    Ok(())
}

fn main() -> Result<()> {
    let operations: u64 = match std::env::args().nth(1) {
        Some(text) => text.parse().context("the argument is a number of operations")?,
        None => 1_000_000,
    };
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let module =
        heapbase_bench_common::build_guest(&home.join("soak"), "", "heapbase_soak.wasm", &home.join("target/guests"))?;
    let engine = Engine::new(Config::new().memory_init_cow(true))?;
    let module = Module::from_file(&engine, module)?;
    let (engine, module) = (&engine, &module);
    std::thread::scope(|scope| {
        let walks: Vec<_> =
            (0..ALLOCATORS.len()).map(|number| scope.spawn(move || walk(engine, module, number, operations))).collect();
        walks.into_iter().try_for_each(|walk| walk.join().expect("a walk does not panic"))
    })?;
    for size in [100, 5_000, 100_000] {
        let (mut store, instance) = instance(engine, module, usize::MAX)?;
        let blocks = instance.get_typed_func::<u32, u32>(&mut store, "fill")?.call(&mut store, size)?;
        println!("the last pages of 4 GiB held {blocks} blocks of {size} bytes");
    }
    Ok(())
}
