//! How large the arena is, and what is asked of it.

use super::{BASE, FREE, MALLOC, MEMORY, Options, Spec, convert, inspect, module, verify};
use heapbase_module::convert::Conversion;
use wasmi::{Caller, Config, Engine, Extern, Linker, Module, Store};

const PAGE: u64 = 65_536;

fn with_arena(wasm: &[u8], arena: u32) -> Conversion {
    let mut options = Options::new(Spec::Local);
    options.arena = arena;
    let conversion = convert(wasm, &options).expect("it is converted");
    verify(wasm, &conversion.wasm, None).expect("it verifies");
    conversion
}

/// A runtime that allocates as many bytes as its input is long.
fn asking() -> Vec<u8> {
    let entry = r#"(func (export "asks") (param i32 i32) (result i64)
        (i64.extend_i32_u (call $malloc (local.get 1))))"#;
    module(&[MALLOC, FREE, MEMORY, BASE, entry])
}

#[test]
fn any_size_is_made_a_power_of_two_that_the_host_gives() {
    let plain = asking();
    let pages = |wasm: &[u8]| inspect(wasm).expect("it can be read").memory.expect("it has one").min;
    for (asked, given) in [
        (8192, 8192),
        (8193, 16_384),
        (10_000_000, 1 << 24),
        (1 << 24, 1 << 24),
        ((1 << 24) + 1, 1 << 25),
        (1 << 25, 1 << 25),
        (u32::MAX, 1 << 25),
    ] {
        let done = with_arena(&plain, asked);
        assert_eq!(done.record.expect("it has one").arena, given, "{asked} bytes");
        // Room for the arena, and less than a page for near memory and the host's header.
        let added = pages(&done.wasm) - pages(&plain);
        assert!(
            (u64::from(given).div_ceil(PAGE)..=u64::from(given).div_ceil(PAGE) + 1).contains(&added),
            "{asked}: {added}"
        );
        let told = done.warnings.iter().any(|warning| warning.contains(&format!("the arena has {given} bytes")));
        assert_eq!(told, asked != given, "{asked} bytes: {:?}", done.warnings);
    }
}

/// The sizes that a converted runtime asks its host for, called with these lengths one after the other.
fn asked_of_the_host(wasm: &[u8], lengths: &[i32]) -> Vec<i32> {
    let engine = Engine::new(&Config::default());
    let module = Module::new(&engine, wasm).expect("it is valid");
    let mut store = Store::new(&engine, (Vec::new(), 2 << 20));
    let mut linker = Linker::new(&engine);
    let memory = wasmi::Memory::new(&mut store, wasmi::MemoryType::new(2000, None)).expect("memory");
    linker.define("env", "memory", Extern::Memory(memory)).expect("defined");
    let malloc = |mut caller: Caller<'_, (Vec<i32>, i32)>, size: i32| {
        let (sizes, next) = caller.data_mut();
        sizes.push(size);
        *next += size.max(8);
        *next - size.max(8)
    };
    let free = |_: Caller<'_, (Vec<i32>, i32)>, _: i32| {};
    linker.func_wrap("env", "ext_allocator_malloc_version_1", malloc).expect("defined");
    linker.func_wrap("env", "ext_allocator_free_version_1", free).expect("defined");
    let instance = linker.instantiate_and_start(&mut store, &module).expect("it runs");
    let asks = instance.get_typed_func::<(i32, i32), i64>(&store, "asks").expect("it is exported");
    for length in lengths {
        assert_ne!(asks.call(&mut store, (0, *length)).expect("it returns"), 0);
    }
    store.into_data().0
}

#[test]
fn what_no_arena_can_hold_does_not_fetch_one() {
    const ARENA: i32 = 1 << 20;
    let local = with_arena(&asking(), ARENA as u32).wasm;
    for large in [ARENA, ARENA + 1, 2 * ARENA, 32 << 20] {
        assert_eq!(asked_of_the_host(&local, &[large, large]), [large, large]);
        // It does not keep others from fetching it, nor does it look for room there.
        assert_eq!(asked_of_the_host(&local, &[large, 5000, 100_000, large]), [large, ARENA, large]);
    }
    assert_eq!(asked_of_the_host(&local, &[ARENA / 2, 100]), [ARENA]);
    assert_eq!(asked_of_the_host(&local, &[100, 5000, ARENA - 100]), [ARENA, ARENA - 100]);
}
