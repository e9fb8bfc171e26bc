//! `stub`: what every kind of import becomes, and that everything else stays as it was.

#[path = "stub/kinds.rs"]
mod kinds;
#[path = "stub/random.rs"]
mod random;
#[path = "stub/runtimes.rs"]
mod runtimes;
mod steady;

use heapbase_module::stub::{Policy, StubOptions, Stubbed, stub};
use wasmi::{Engine, Extern, Instance, Linker, Module, Store, Val};

fn stubbed(wat: &str, policy: Policy) -> Stubbed {
    let wasm = wat::parse_str(wat).expect("the text is a module");
    stub(&wasm, &StubOptions::new(policy)).unwrap_or_else(|error| panic!("{error}\n{wat}"))
}

/// Instantiates with nothing to import.
fn instance(wasm: &[u8]) -> Result<(Store<()>, Instance), String> {
    let mut config = wasmi::Config::default();
    config.wasm_multi_memory(true).wasm_tail_call(true).wasm_extended_const(true);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, wasm).map_err(|error| error.to_string())?;
    assert_eq!(module.imports().count(), 0);
    let mut store = Store::new(&engine, ());
    let instance =
        Linker::new(&engine).instantiate_and_start(&mut store, &module).map_err(|error| error.to_string())?;
    Ok((store, instance))
}

/// Calls an exported function without parameters: its results, or the trap.
fn call(store: &mut Store<()>, instance: &Instance, name: &str) -> Result<Vec<Val>, String> {
    let function = instance.get_func(&mut *store, name).expect("the function is exported");
    let mut results = vec![Val::I32(-1); function.ty(&*store).results().len()];
    function.call(&mut *store, &[], &mut results).map_err(|error| error.to_string())?;
    Ok(results)
}

/// The names of functions in the section `name`.
fn function_names(wasm: &[u8]) -> Vec<(u32, String)> {
    let mut names = Vec::new();
    for payload in wasmparser::Parser::new(0).parse_all(wasm) {
        let wasmparser::Payload::CustomSection(section) = payload.expect("readable") else { continue };
        let wasmparser::KnownCustom::Name(reader) = section.as_known() else { continue };
        for subsection in reader {
            let wasmparser::Name::Function(map) = subsection.expect("readable") else { continue };
            names.extend(map.into_iter().map(|naming| {
                let naming = naming.expect("readable");
                (naming.index, naming.name.to_owned())
            }));
        }
    }
    names
}

/// What a section of the module holds, by its identifier; of a custom one, with its name.
fn section(wasm: &[u8], id: u8, name: &str) -> Option<Vec<u8>> {
    wasmparser::Parser::new(0).parse_all(wasm).map_while(Result::ok).find_map(|payload| {
        let is_it = match &payload {
            wasmparser::Payload::CustomSection(custom) => id == 0 && custom.name() == name,
            _ => true,
        };
        let (found, range) = payload.as_section()?;
        (found == id && is_it).then(|| wasm[range.start as usize..range.end as usize].to_vec())
    })
}

fn memory_pages(store: &Store<()>, instance: &Instance, name: &str) -> Option<u64> {
    instance.get_export(store, name).and_then(Extern::into_memory).map(|memory| memory.size(store))
}
