//! Records that say what is not so. They are refused, or give a valid module; nothing panics.

use super::{
    BASE, ConvertError, ENTRY, FREE, MALLOC, MEMORY, Options, Record, SECTION, Spec, TO, convert, done, grow::COPY,
    module,
};
use serde_json::{Value, json};

/// A module with this record in place of its own.
fn with_record(wasm: &[u8], record: &Value) -> Vec<u8> {
    let record: Record = serde_json::from_value(record.clone()).expect("a record");
    let mut module = wasm_encoder::Module::new();
    let data = serde_json::to_vec(&record).expect("JSON");
    module.section(&wasm_encoder::CustomSection { name: SECTION.into(), data: data.into() });
    let mut forged = module.finish();
    forged.extend(&wasm[8..]);
    forged
}

fn try_all(wasm: &[u8], record: &Value) {
    let forged = with_record(wasm, record);
    for to in [Spec::Legacy, Spec::V1, Spec::Local] {
        match convert(&forged, &Options::new(to)) {
            Ok(done) => drop(wasmparser::validate(&done.wasm).expect("what comes out is valid")),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// A record in which what takes the conversion back can be read, and changed.
fn spelled(record: Option<Record>) -> Value {
    let record = record.expect("it has one");
    let mut value = serde_json::to_value(&record).expect("JSON");
    value["undo"] = serde_json::to_value(record.undo).expect("JSON");
    value
}

fn subjects() -> Vec<(Vec<u8>, Value)> {
    let grows = r#"(func $shim (param i32) local.get 0 call $free)
        (func $grows (param $size i32) (param $old i32) (local $new i32)
        block $null local.get $size call $malloc local.tee $new i32.eqz br_if $null
        local.get $new local.get $old local.get $size call $memcpy drop local.get $old call $free end)"#;
    let grows = format!("{COPY} {grows}");
    let moved = format!("{} (func {})", "(func)".repeat(200), "(drop (call $malloc (i32.const 1)))".repeat(600));
    let store = r#"(func (export "stores") (param i32 i32) (result i64) (i32.store (i32.const 0) (i32.const 1048570) (i32.const 1)) (i64.const 0))"#
        .replace("(i32.store (i32.const 0) (i32.const 1048570)", "(i32.store offset=1048568 (i32.const 0)");
    let mut all = Vec::new();
    for parts in [grows, moved, store, "(func $shim (param i32) local.get 0 call $free)".to_owned()] {
        let base = BASE.replace("1048576", "1048580");
        let wasm = module(&[MALLOC, FREE, MEMORY, &base, ENTRY, &parts]);
        for to in TO {
            let there = done(&wasm, to);
            all.push((there.wasm, spelled(there.record)));
        }
    }
    all
}

#[test]
fn hostile_numbers_everywhere() {
    let hostile = [
        json!(0),
        json!(1),
        json!(2),
        json!(5),
        json!(200),
        json!(i32::MAX),
        json!(u32::MAX),
        json!(u64::MAX),
        json!(null),
        json!(true),
    ];
    for (wasm, record) in subjects() {
        let fields: Vec<String> = record["undo"].as_object().expect("an object").keys().cloned().collect();
        for field in fields {
            for value in &hostile {
                let mut forged = record.clone();
                forged["undo"][&field] = value.clone();
                if serde_json::from_value::<Record>(forged.clone()).is_ok() {
                    try_all(&wasm, &forged);
                }
            }
        }
    }
}

#[test]
fn hostile_lists() {
    let numbers = [0_u32, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 210, u32::MAX];
    for (wasm, record) in subjects() {
        for number in numbers {
            let lists = [
                ("grows", json!([[number, null]])),
                ("grows", json!([[number, {"address": u32::MAX, "type": number}]])),
                ("releases", json!([[number, null]])),
                ("copies", json!([[number, number], [0, u32::MAX]])),
                ("slots", json!([{"function": number}, {"function": number, "body": "000b"}])),
                ("slots", json!([{"function": number, "moved_to": 3}, {"function": 3, "moved_to": number}])),
                ("slots", json!([{"function": 2, "body": "no hexadecimal"}])),
                ("touching", json!([number])),
                ("malloc_imports", json!([{"position": number, "function": number, "type": number}])),
                (
                    "free_imports",
                    json!([{"position": 0, "function": 0, "type": 0}, {"position": 0, "function": 0, "type": 0}]),
                ),
            ];
            for (field, value) in lists {
                let mut forged = record.clone();
                forged["undo"][field] = value;
                if field == "touching" {
                    forged["undo"]["touched"] = number.into();
                }
                try_all(&wasm, &forged);
            }
            for to in ["legacy", "v1", "local"] {
                let mut forged = record.clone();
                forged["to"] = to.into();
                try_all(&wasm, &forged);
            }
        }
    }
}

#[test]
fn the_same_bytes_restored_twice() {
    // Two calls in a row: the second would take the first away as the instruction in front of it.
    let twice = "(func (result i32) (call $malloc (call $malloc (i32.const 1))))";
    let there = done(&module(&[MALLOC, FREE, MEMORY, BASE, ENTRY, twice]), Spec::Local);
    let mut record = spelled(there.record);
    let malloc = record["undo"]["malloc"].clone();
    record["undo"]["grows"] = json!([[malloc, null]]);
    let error = convert(&with_record(&there.wasm, &record), &Options::new(Spec::Legacy)).expect_err("it is refused");
    assert!(matches!(error, ConvertError::Record(_)), "{error}");
}
