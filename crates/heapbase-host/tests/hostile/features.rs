//! WebAssembly beyond what stock nodes take: refused, saying what and where; some of it accepted when that is asked for.

use crate::{
    Outcome, call, config,
    parts::{V1, Wat},
};
use heapbase_host::{Engine, Error, Features, Runtime};

/// Runs with [`Features::Extended`].
const EXTENDED: &[(&str, Wat)] = &[
    ("sign extension", V1.entry("(drop (i32.extend8_s (local.get $len))) (call $pack (local.get $ptr) (local.get $len))")),
    (
        "saturating conversions",
        V1.entry("(drop (i32.trunc_sat_f32_s (f32.const nan))) (call $pack (local.get $ptr) (local.get $len))"),
    ),
    (
        "bulk memory",
        V1.entry(
            "(memory.copy (i32.const 64) (local.get $ptr) (local.get $len)) (call $pack (i32.const 64) (local.get $len))",
        ),
    ),
    (
        "passive data",
        V1.rest(r#"(data $text "input")"#).entry(
            "(memory.init $text (i32.const 64) (i32.const 0) (i32.const 5)) (call $pack (i32.const 64) (i32.const 5))",
        ),
    ),
    (
        "several results",
        V1.rest("(func $two (result i32 i32) (i32.const 7) (i32.const 8))")
            .entry("(drop (drop (call $two))) (call $pack (local.get $ptr) (local.get $len))"),
    ),
];

/// Runs nowhere.
const NOWHERE: &[(&str, Wat)] = &[
    ("vectors", V1.entry("(drop (v128.const i64x2 1 2)) (i64.const 0)")),
    ("atomic access", V1.entry("(drop (i32.atomic.load (i32.const 16))) (i64.const 0)")),
    ("tail calls", V1.entry("(return_call $pack (local.get $ptr) (local.get $len))")),
    ("references", V1.entry("(drop (ref.is_null (ref.null func))) (i64.const 0)")),
    ("references to externals", V1.rest("(table 1 externref)")),
    (
        "a table that grows",
        V1.rest("(table 1 funcref)").entry("(drop (table.grow (ref.null func) (i32.const 1000000))) (i64.const 0)"),
    ),
    ("exceptions", V1.rest("(tag $oops) (func (throw $oops))")),
    ("structures", V1.rest("(type $s (struct (field i32)))")),
    ("constants that are computed", V1.rest("(global i32 (i32.add (i32.const 1) (i32.const 2)))")),
    ("wide arithmetic", V1.entry("(drop (i64.add128 (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)))")),
];

#[test]
fn what_newer_compilers_emit() {
    for (name, wat) in EXTENDED {
        for wasm in wat.binaries() {
            for engine in Engine::ALL {
                let error = Runtime::new(&wasm, &config(engine)).expect_err(name);
                assert!(matches!(error, Error::Invalid { offset: 9.., .. }), "{engine}: {name}: {error}");
                let extended = heapbase_host::Config { features: Features::Extended, ..config(engine) };
                let runtime =
                    Runtime::new(&wasm, &extended).unwrap_or_else(|error| panic!("{engine}: {name}: {error}"));
                let outcome = call(&runtime, b"input");
                assert!(
                    matches!(&outcome, Outcome::Returned(bytes) if bytes == b"input"),
                    "{engine}: {name}: {outcome:?}"
                );
            }
        }
    }
}

#[test]
fn what_no_runtime_may_use() {
    for (name, wat) in NOWHERE {
        for engine in Engine::ALL {
            for features in [Features::Node, Features::Extended] {
                let config = heapbase_host::Config { features, ..config(engine) };
                match Runtime::new(&wat.binaries()[0], &config) {
                    Err(Error::Invalid { offset: 9.., .. }) => {}
                    other => panic!("{engine}: {name}: {other:?}"),
                }
            }
        }
    }
}
