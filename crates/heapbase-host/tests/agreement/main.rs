//! Two engines, one answer: on programs that wasmi gets wrong by itself, and on programs made by chance.
//!
//! What is guarded against, and how, is in `src/guard.rs`.

mod generate;

use heapbase_host::{Cause, Config, Engine, Error, Features, Limits, Runtime, State};

/// Programs that wasmi 2.0.0 gets wrong, `$x` being 0 and `$y` 7: what each adds to the other after a `select`. The accumulator
/// holds something else than `$x` when the condition is looked at.
const WRONG: [(&str, &str); 8] = [
    ("i32.eqz of a variable", "i32.const 1 i32.const 2 local.get $x i32.eqz select"),
    ("i32.eq with 0", "i32.const 1 i32.const 2 local.get $x i32.const 0 i32.eq select"),
    ("i32.eq of 0", "i32.const 1 i32.const 2 i32.const 0 local.get $x i32.eq select"),
    ("i32.ne with 0", "i32.const 1 i32.const 2 local.get $y i32.const 0 i32.ne select"),
    ("a nop between", "i32.const 1 i32.const 2 local.get $x i32.eqz nop select"),
    ("the end of a loop between", "i32.const 1 i32.const 2 loop (result i32) local.get $x i32.eqz end select"),
    ("i64.eqz of a comparison", "i32.const 1 i32.const 2 local.get $y i32.eqz i64.extend_i32_u i64.eqz select"),
    ("another type", "f64.const 1 f64.const 2 local.get $x i32.eqz select i32.trunc_f64_s"),
];

/// A module whose entry point `run` answers the four bytes that `body` leaves, after `before`.
fn program(before: &str, body: &str) -> Vec<u8> {
    let text = format!(
        "(module (memory (export \"memory\") 1) (global (export \"__heap_base\") i32 (i32.const 1024))
         (func $f (param $x i32) (param $y i32) (result i32) {before} {body})
         (func (export \"run\") (param i32 i32) (result i64)
            (i32.store (i32.const 0) (call $f (i32.const 0) (i32.const 7))) (i64.const 0x4_0000_0000)))"
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn on(engine: Engine, wasm: &[u8], limits: Limits) -> Result<Vec<u8>, Error> {
    let config = Config { engine, limits, features: Features::Extended, ..Config::default() };
    let runtime = Runtime::new(wasm, &config)?;
    Ok(runtime.call("run", &[]).on(&State::default())?.output)
}

/// What wasmi makes of a module as it is, and the fuel that it takes where that is counted as we count it.
fn plain(wasm: &[u8]) -> (Vec<u8>, u64) {
    let mut config = wasmi::Config::default();
    config.consume_fuel(true);
    let engine = wasmi::Engine::new(&config);
    let module = wasmi::Module::new(&engine, wasm).expect("wasmi takes the module");
    let mut store = wasmi::Store::new(&engine, ());
    store.set_fuel(u64::MAX).expect("fuel is counted");
    let instance =
        wasmi::Linker::new(&engine).instantiate_and_start(&mut store, &module).expect("it can be instantiated");
    let run = instance.get_typed_func::<(u32, u32), u64>(&store, "run").expect("there is an entry point");
    // The first call translates, which costs fuel of its own.
    let packed = run.call(&mut store, (0, 0)).expect("the call returns");
    let memory = instance.get_memory(&store, "memory").expect("there is a memory");
    let output = memory.data(&store)[packed as u32 as usize..][..(packed >> 32) as usize].to_vec();
    let before = store.get_fuel().expect("fuel is counted");
    run.call(&mut store, (0, 0)).expect("the call returns");
    (output, before - store.get_fuel().expect("fuel is counted"))
}

/// What leaves 0 or something else in wasmi's accumulator.
const BEFORE: [&str; 2] = ["local.get $y i32.const 7 i32.sub drop", "local.get $y i32.const 1 i32.add drop"];

const RIGHT: [u8; 4] = 1_u32.to_le_bytes();

#[test]
fn what_wasmi_gets_wrong_by_itself_is_right_on_both_engines() {
    for (what, body) in WRONG {
        for before in BEFORE {
            for engine in Engine::ALL {
                let output = on(engine, &program(before, body), Limits::default()).expect("the call returns");
                assert_eq!(output, RIGHT, "{what}, {before}, {engine}");
            }
        }
    }
}

/// When this fails, wasmi has been mended: then `src/guard.rs`, its use in `src/prepare.rs` and `Valid::selects` can go, and
/// so can `plain_selects` of heapbase-module's `adapt`.
#[test]
fn wasmi_still_gets_them_wrong_by_itself() {
    let mended: Vec<_> = WRONG
        .iter()
        .filter(|(_, body)| BEFORE.iter().all(|before| plain(&program(before, body)).0 == RIGHT))
        .map(|(what, _)| *what)
        .collect();
    assert!(mended.is_empty(), "wasmi no longer needs a guard for: {mended:?}");
}

/// Each of these is decided by a comparison too, and wasmi gets it right. If one fails, the guard has to grow.
#[test]
fn wasmi_gets_branches_right() {
    for body in [
        "block (result i32) i32.const 1 local.get $x i32.eqz br_if 0 drop i32.const 2 end",
        "block (result i32) i32.const 1 local.get $y i32.const 0 i32.ne br_if 0 drop i32.const 2 end",
        "local.get $x i32.eqz if (result i32) i32.const 1 else i32.const 2 end",
        "local.get $y i32.eqz i64.extend_i32_u i64.eqz if (result i32) i32.const 1 else i32.const 2 end",
    ] {
        for before in BEFORE {
            assert_eq!(plain(&program(before, body)).0, RIGHT, "{body}");
        }
    }
}

#[test]
fn the_guard_costs_no_fuel() {
    for (what, body) in WRONG {
        let wasm = program(BEFORE[0], &format!("{body} {body} i32.and {body} i32.and"));
        let (_, fuel) = plain(&wasm);
        let limits = |fuel| Limits { fuel: Some(fuel), ..Limits::default() };
        assert_eq!(on(Engine::Wasmi, &wasm, limits(fuel)).expect(what), RIGHT, "{what}");
        match on(Engine::Wasmi, &wasm, limits(fuel - 1)) {
            Err(Error::Call(error)) => assert!(matches!(error.cause, Cause::OutOfFuel), "{what}: {error}"),
            other => panic!("{what} with {} units: {other:?}", fuel - 1),
        }
    }
}

#[test]
fn a_call_takes_the_same_fuel_the_first_time_and_the_next() {
    let wasm = program("", WRONG[0].1);
    let (_, fuel) = plain(&wasm);
    let enough =
        Config { engine: Engine::Wasmi, limits: Limits { fuel: Some(fuel), ..Limits::default() }, ..Config::default() };
    let short = Config { limits: Limits { fuel: Some(fuel - 1), ..Limits::default() }, ..enough.clone() };
    for (config, returns) in [(enough, true), (short, false)] {
        let runtime = Runtime::new(&wasm, &config).expect("the module can be loaded");
        for turn in 0..3 {
            assert_eq!(runtime.call("run", &[]).on(&State::default()).is_ok(), returns, "call {turn}");
        }
    }
}

/// 64 modules of 24 functions, each function called five times. `HEAPBASE_AGREEMENT=20000` takes as many modules,
/// beginning where the others end.
#[test]
fn engines_agree_on_programs_made_by_chance() {
    let more =
        std::env::var("HEAPBASE_AGREEMENT").ok().map(|text| text.parse().expect("HEAPBASE_AGREEMENT is a number"));
    let seeds = more.map_or(0..64, |more: u64| 64..64 + more);
    let mut wrong_by_itself = 0;
    for seed in seeds.clone() {
        let text = generate::module(seed);
        let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("seed {seed}: {error}\n{text}"));
        let [compiled, interpreted] = [Engine::Wasmtime, Engine::Wasmi]
            .map(|engine| on(engine, &wasm, Limits::default()).unwrap_or_else(|error| panic!("seed {seed}: {error}")));
        let differ = compiled.chunks(8).zip(interpreted.chunks(8)).position(|(left, right)| left != right);
        assert_eq!(
            differ,
            None,
            "seed {seed}, result {differ:?} of functions called {} times each:\n{text}",
            generate::CALLS
        );
        wrong_by_itself += u64::from(plain(&wasm).0 != compiled);
    }
    // Otherwise the programs would say nothing about the guard.
    assert!(2 * wrong_by_itself > seeds.end - seeds.start, "only {wrong_by_itself} programs need the guard");
}
