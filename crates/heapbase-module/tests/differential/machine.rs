//! Runs a runtime, and says what can be seen of a call without looking at an address.

use super::generate::{Program, SLOT_COUNT, SLOTS};
use heapbase_module::Spec;
use std::collections::BTreeMap;
use wasmi::{
    AsContext, AsContextMut, Caller, Config, Engine, Error, Global, Linker, Memory, MemoryType, Module, Mutability,
    Store, TrapCode, TypedFunc, Val,
};

/// What a call did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The output; `None` if the call trapped.
    pub(crate) output: Option<Vec<u8>>,
    /// What the runtime said.
    pub(crate) log: Vec<u64>,
    /// Exported globals, save `__heap_base`.
    pub(crate) globals: Vec<(String, String)>,
    /// Memory below the heap, without the addresses that the runtime keeps there.
    pub(crate) below: Vec<u8>,
    /// The blocks in use: size, and contents as far as they were written.
    pub(crate) blocks: Vec<(u32, Vec<u8>)>,
    /// The largest block that the host was asked for: a whole arena, once one is fetched. Nothing that is compared.
    pub(crate) largest: u32,
}

/// What the host carries. Its allocator keeps its books outside, and notices what the legacy host may not: a block freed twice,
/// or never given.
#[derive(Default)]
struct Host {
    memory: Option<Memory>,
    alloc: Option<TypedFunc<u32, u32>>,
    next: u32,
    live: BTreeMap<u32, u32>,
    idle: BTreeMap<u32, Vec<u32>>,
    log: Vec<u64>,
    largest: u32,
}

const LARGEST: u32 = 32 << 20;
/// Instructions that a call may execute, about. Random runtimes need a thousandth of it.
const FUEL: u64 = 100_000_000;
/// How much of a block the host overwrites: whoever reads what it has not written shall notice.
const JUNK: usize = 4096;

fn memory(caller: &impl AsContext<Data = Host>) -> Result<Memory, Error> {
    caller.as_context().data().memory.ok_or_else(|| Error::new("no memory"))
}

fn malloc(mut caller: impl AsContextMut<Data = Host>, size: u32) -> Result<u32, Error> {
    let mut caller = caller.as_context_mut();
    if size > LARGEST {
        return Err(Error::new("more than the host serves"));
    }
    let largest = &mut caller.data_mut().largest;
    *largest = size.max(*largest);
    let memory = memory(&caller)?;
    let room = size.max(8).next_power_of_two();
    let idle = caller.data_mut().idle.get_mut(&room).and_then(Vec::pop);
    let block = match idle {
        Some(block) => block,
        None => {
            // A header stands in front of each block.
            let block = caller.data().next.checked_add(8).ok_or_else(|| Error::new("out of addresses"))?;
            let end = block.checked_add(room).ok_or_else(|| Error::new("out of addresses"))?;
            let pages = u64::from(end).div_ceil(65_536).saturating_sub(memory.size(&caller));
            if pages > 0 && memory.grow(&mut caller, pages).is_err() {
                return Err(Error::new("out of memory"));
            }
            caller.data_mut().next = end;
            block
        }
    };
    caller.data_mut().live.insert(block, room);
    let bytes = memory.data_mut(&mut caller);
    let start = block as usize;
    // Of its 8 bytes, the last 3 are 0, and runtimes write there.
    bytes[start - 8..start - 3].fill(0xee);
    bytes[start - 3..start].fill(0);
    bytes[start..][..JUNK.min(room as usize)].fill(0xaa);
    Ok(block)
}

fn free(caller: &mut Caller<'_, Host>, block: u32) -> Result<(), Error> {
    let Some(room) = caller.data_mut().live.remove(&block) else { return Err(Error::new("not a block in use")) };
    let memory = memory(caller)?;
    memory.data_mut(&mut *caller)[block as usize..][..JUNK.min(room as usize)].fill(0xdd);
    caller.data_mut().idle.entry(room).or_default().push(block);
    Ok(())
}

/// A buffer from whoever owns the heap.
fn buffer(caller: &mut Caller<'_, Host>, size: u32) -> Result<u32, Error> {
    match caller.data().alloc {
        Some(alloc) => alloc.call(&mut *caller, size),
        None => malloc(caller, size),
    }
}

fn linker(engine: &Engine) -> Linker<Host> {
    let mut linker = Linker::new(engine);
    linker
        .func_wrap("env", "ext_allocator_malloc_version_1", |mut caller: Caller<'_, Host>, size: u32| {
            malloc(&mut caller, size)
        })
        .expect("new");
    linker
        .func_wrap("env", "ext_allocator_free_version_1", |mut caller: Caller<'_, Host>, block: u32| {
            free(&mut caller, block)
        })
        .expect("new");
    linker
        .func_wrap("env", "observe", |mut caller: Caller<'_, Host>, seen: u64| caller.data_mut().log.push(seen))
        .expect("new");
    let give = |mut caller: Caller<'_, Host>, size: u32| -> Result<u32, Error> {
        let block = buffer(&mut caller, size)?;
        let memory = memory(&caller)?;
        let bytes = memory.data_mut(&mut caller);
        let bytes = bytes.get_mut(block as usize..).and_then(|bytes| bytes.get_mut(..size as usize));
        bytes.ok_or_else(|| Error::new("no room for the host's buffer"))?.iter_mut().enumerate().for_each(
            |(place, byte)| {
                *byte = (place as u8).wrapping_mul(3) ^ size as u8;
            },
        );
        Ok(block)
    };
    linker.func_wrap("env", "give", give).expect("new");
    let take = |mut caller: Caller<'_, Host>, block: u32, size: u32| -> Result<(), Error> {
        let memory = memory(&caller)?;
        let bytes = memory.data(&caller).get(block as usize..).and_then(|bytes| bytes.get(..size as usize));
        let bytes = bytes.ok_or_else(|| Error::new("outside memory"))?;
        let sum = bytes.iter().fold(u64::from(size), |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        caller.data_mut().log.push(sum);
        Ok(())
    };
    linker.func_wrap("env", "take", take).expect("new");
    linker
}

/// Calls each entry point on a fresh instance. `Err` says why the module does not even start.
pub(crate) fn run(wasm: &[u8], spec: Spec, program: &Program, inputs: &[&[u8]]) -> Result<Vec<Seen>, String> {
    let mut config = Config::default();
    config.consume_fuel(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, wasm).map_err(|error| error.to_string())?;
    let mut all = Vec::new();
    for entry in &program.entries {
        for input in inputs {
            all.push(call(&engine, &module, spec, program, entry, input)?);
        }
    }
    Ok(all)
}

fn call(
    engine: &Engine,
    module: &Module,
    spec: Spec,
    program: &Program,
    entry: &str,
    input: &[u8],
) -> Result<Seen, String> {
    let text = |error: Error| error.to_string();
    let mut store = Store::new(engine, Host::default());
    store.set_fuel(FUEL).map_err(text)?;
    let mut linker = linker(engine);
    for import in module.imports() {
        if let wasmi::ExternType::Memory(ty) = import.ty() {
            let ty = MemoryType::new(ty.minimum() as u32, ty.maximum().map(|pages| pages as u32));
            let memory = Memory::new(&mut store, ty).map_err(text)?;
            store.data_mut().memory = Some(memory);
            linker.define("env", "memory", memory).map_err(|error| error.to_string())?;
        }
    }
    let number = Global::new(&mut store, Val::I32(11), Mutability::Const);
    linker.define("env", "number", number).map_err(|error| error.to_string())?;
    let instance = linker.instantiate_and_start(&mut store, module).map_err(text)?;
    if let Some(memory) = instance.get_memory(&store, "memory") {
        store.data_mut().memory = Some(memory);
    }
    let memory = store.data().memory.ok_or("no memory")?;
    if spec == Spec::V1 {
        let alloc = instance.get_typed_func(&store, "alloc").map_err(text)?;
        store.data_mut().alloc = Some(alloc);
    } else {
        let base = instance.get_global(&store, "__heap_base").ok_or("no heap base")?.get(&store);
        let Val::I32(base) = base else { return Err("a heap base of another type".to_owned()) };
        let base = base.cast_unsigned();
        if u64::from(base) > memory.data_size(&store) as u64 + 65_536 {
            return Err("the heap begins behind the memory".to_owned());
        }
        store.data_mut().next = base.next_multiple_of(8);
    }
    let function = instance.get_typed_func::<(u32, u32), u64>(&store, entry).map_err(text)?;
    let length = input.len() as u32;
    let block = match store.data().alloc {
        Some(_) if length == 0 => 8,
        Some(alloc) => alloc.call(&mut store, length).map_err(text)?,
        None => malloc(&mut store, length).map_err(text)?,
    };
    memory.write(&mut store, block as usize, input).map_err(|error| error.to_string())?;

    let result = function.call(&mut store, (block, length));
    let read = |block: u32, size: u32| {
        let bytes = memory.data(&store).get(block as usize..).and_then(|bytes| bytes.get(..size as usize));
        bytes.map(<[u8]>::to_vec).ok_or_else(|| format!("{size} bytes at {block:#x} lie outside memory"))
    };
    let output = match result {
        Ok(packed) => Some(read(packed as u32, (packed >> 32) as u32)?),
        Err(error) if error.as_trap_code() == Some(TrapCode::OutOfFuel) => {
            return Err(format!("{entry} does not end"));
        }
        Err(_) => None,
    };
    let mut globals: Vec<_> = instance
        .exports(&store)
        .filter(|export| !export.name().starts_with("__heap_base"))
        .filter_map(|export| Some((export.name().to_owned(), export.into_extern().into_global()?)))
        .map(|(name, global)| (name, format!("{:?}", global.get(&store))))
        .collect();
    globals.sort();
    let mut below = read(0, program.heap_base)?;
    let slots = SLOTS as usize..(SLOTS + 8 * SLOT_COUNT) as usize;
    let mut blocks = Vec::new();
    for slot in below[slots.clone()].chunks_exact(8) {
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().expect("four bytes"));
        let (block, size) = (number(&slot[..4]), number(&slot[4..]));
        if block == 0 {
            blocks.push((u32::MAX, Vec::new()));
            continue;
        }
        let mut contents = read(block, size.min(512))?;
        if size > 512 {
            contents.extend(read(block.saturating_add(size - 16), 16)?);
        }
        blocks.push((size, contents));
    }
    below[slots].fill(0);
    let log = std::mem::take(&mut store.data_mut().log);
    let largest = store.data().largest;
    Ok(Seen { output, log, globals, below, blocks, largest })
}
