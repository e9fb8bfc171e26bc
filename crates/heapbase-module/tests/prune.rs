//! What is taken out of each module, and what stays, is said in `prune/*.wat` (see `blessed`).

#[path = "blessed/mod.rs"]
mod blessed;

use heapbase_module::prune::{Options, prune};
use wasmi::{Engine, Linker, Module, Store, TrapCode};

#[test]
fn every_module_becomes_what_lies_beside_it() {
    blessed::check("prune", 15, |text, wasm| {
        let mut options = Options::default();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix(";;@ export ") {
                options.exports.get_or_insert_default().insert(name.to_owned());
            }
        }
        let pruned = prune(wasm, &options)?;
        let again = prune(&pruned.wasm, &options)?;
        assert_eq!((&again.wasm, again.changes), (&pruned.wasm, Vec::new()), "twice is once: {text}");
        Ok(pruned)
    });
}

#[test]
fn a_shifted_table_calls_the_same_functions() {
    let text = include_str!("prune/go-table.wat");
    let wasm = wat::parse_str(text).expect("a module");
    let pruned = prune(&wasm, &Options::default()).expect("valid").wasm;
    let unshifted = {
        let mut options = Options::default();
        options.shift_table = false;
        prune(&wasm, &options).expect("valid").wasm
    };
    assert_ne!(pruned, unshifted);
    let mut sides = [&wasm, &pruned, &unshifted].map(|wasm| {
        let engine = Engine::default();
        let module = Module::new(&engine, wasm).expect("an engine takes it");
        let mut store = Store::new(&engine, ());
        let mut linker = Linker::new(&engine);
        linker.func_wrap("env", "used", |x: i32| x + 1000).expect("new");
        linker.func_wrap("env", "unused", |_: i64| ()).expect("new");
        let number = wasmi::Global::new(&mut store, wasmi::Val::I32(3), wasmi::Mutability::Const);
        linker.define("env", "number", number).expect("new");
        let instance = linker.instantiate_and_start(&mut store, &module).expect("it starts");
        (store, instance)
    });
    let pointers = [4096, 4097, 4098, 4097, 4098, 4099, 4095, 4100, 0, 1, 2, -1, i32::MIN, 8192, 4096 * 2 + 1];
    for (number, pointer) in pointers.into_iter().enumerate() {
        let [before, shifted, same] = sides.each_mut().map(|(store, instance)| {
            let call = instance.get_typed_func::<(i32, i32), i32>(&*store, "by_number").expect("exported");
            call.call(&mut *store, (number as i32 + 2, pointer)).map_err(|error| error.as_trap_code())
        });
        assert_eq!(before, same, "{pointer}");
        match (before, shifted) {
            // An empty place is now one outside.
            (Err(Some(TrapCode::IndirectCallToNull)), Err(Some(TrapCode::TableOutOfBounds))) => {}
            (before, shifted) => assert_eq!(before, shifted, "{pointer}"),
        }
    }
    for (store, instance) in &mut sides {
        let call = instance.get_typed_func::<i32, i32>(&*store, "constant").expect("exported");
        assert_eq!(call.call(&mut *store, 7).expect("no trap"), 35, "5 was written last");
    }
}
