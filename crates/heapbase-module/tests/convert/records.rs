//! What a record has to hold for the original to come back byte for byte, and records of earlier conversions.

use super::{
    BASE, ConvertError, ENTRY, FREE, MALLOC, MEMORY, Options, Record, SECTION, Spec, TO, convert, done, grow::COPY,
    module, section, there_and_back, verify,
};
use serde_json::Value;

/// A type that occurs twice is one of two that a function may have.
#[test]
fn a_type_that_occurs_twice() {
    let types =
        "(type $first (func (param i32 i32 i32) (result i32))) (type $second (func (param i32 i32 i32) (result i32)))";
    for ty in ["$first", "$second"] {
        let copy = COPY.replace("$memcpy (param", &format!("$memcpy (type {ty}) (param"));
        let wasm = module(&[types, MALLOC, FREE, MEMORY, BASE, ENTRY, &copy]);
        assert!(done(&wasm, Spec::Local).changes.iter().any(|change| change.contains("heapbase::memcpy")));
        assert!(there_and_back(&wasm), "{ty}");
    }
    // A function that moves away because a call in its place is shorter.
    let types = "(type $first (func (param i64))) (type $second (func (param i64)))";
    let calls = format!("(func {})", "(drop (call $malloc (i32.const 1)))".repeat(600));
    for ty in ["$first", "$second"] {
        let moved = format!("(func (type {ty}))").repeat(200);
        assert!(there_and_back(&module(&[types, MALLOC, FREE, MEMORY, BASE, &moved, ENTRY, &calls])), "{ty}");
    }
}

#[test]
fn names_of_the_parameters_of_imports() {
    let malloc = r#"(import "env" "ext_allocator_malloc_version_1" (func $malloc (param $wanted i32) (result i32)))"#;
    let free = r#"(import "env" "ext_allocator_free_version_1" (func $free (param $block i32)))"#;
    let other = r#"(import "env" "other" (func $other (param $number i64)))"#;
    let own = "(func $own (param $a i32) (local $b i32))";
    for parts in [
        &[malloc, free, MEMORY, BASE, ENTRY][..],
        &[malloc, FREE, MEMORY, BASE, ENTRY, own],
        &[MALLOC, free, MEMORY, BASE, ENTRY, own],
        &[free, other, malloc, MEMORY, BASE, ENTRY, own],
    ] {
        let wasm = module(parts);
        assert!(there_and_back(&wasm), "{parts:?}");
        let names = section(&done(&wasm, Spec::V1).wasm, "name").expect("it has names");
        assert!(!names.windows(5).any(|name| name == b"block") && !names.windows(6).any(|name| name == b"wanted"));
    }
}

/// What only passes on, in more bytes than it needs.
#[test]
fn a_shim_that_was_written_at_length() {
    let shim = "(func $malloc_shim (param i32) (result i32) local.get 0 call $malloc)";
    let wasm = module(&[MALLOC, FREE, MEMORY, BASE, shim, &ENTRY.replace("$malloc", "$malloc_shim")]);
    assert!(there_and_back(&wasm));
    let bodies = |wasm: &[u8]| {
        let record = done(wasm, Spec::Local).record.and_then(|record| record.undo).expect("it has one");
        record.slots.into_iter().map(|slot| slot.body).collect::<Vec<_>>()
    };
    assert_eq!(bodies(&wasm), [""]);
    let [short, long] = [&b"\x06\x00\x20\x00\x10\x00\x0b"[..], b"\x0a\x00\x20\x00\x10\x80\x80\x80\x80\x00\x0b"];
    let at = wasm.windows(short.len()).position(|window| window == short).expect("the shim");
    let code = wasm[..at].iter().rposition(|byte| *byte == 0x0a).expect("the code section");
    let mut padded = [&wasm[..at], long, &wasm[at + short.len()..]].concat();
    padded[code + 1] += 4;
    wasmparser::validate(&padded).expect("it is valid");
    assert!(there_and_back(&padded));
    assert_eq!(bodies(&padded), ["0020001080808080000b"]);
}

/// Puts another record in the place of a module's own, which is the last section.
fn with_section(wasm: &[u8], contents: &[u8]) -> Vec<u8> {
    let end = wasmparser::Parser::new(0)
        .parse_all(wasm)
        .map_while(Result::ok)
        .filter_map(|payload| match payload {
            wasmparser::Payload::CustomSection(section) if section.name() == "producers" => Some(section.range().end),
            _ => None,
        })
        .last()
        .expect("it says who made it");
    let mut module = wasm_encoder::Module::new();
    module.section(&wasm_encoder::CustomSection { name: SECTION.into(), data: contents.into() });
    [&wasm[..end as usize], &module.finish()[8..]].concat()
}

/// Before 0.1.0 was released, what takes a conversion back was an object, and a shim's body stood in it.
#[test]
fn a_record_that_is_spelled_out() {
    let shim = "(func $malloc_shim (param i32) (result i32) local.get 0 call $malloc)";
    let wasm = module(&[MALLOC, FREE, MEMORY, BASE, COPY, shim, &ENTRY.replace("$malloc", "$malloc_shim")]);
    for to in TO {
        let there = done(&wasm, to);
        let record = there.record.expect("it has one");
        let mut spelled = serde_json::to_value(&record).expect("JSON");
        spelled["undo"] = serde_json::to_value(&record.undo).expect("JSON");
        for slot in spelled["undo"]["slots"].as_array_mut().expect("a list") {
            let slot = slot.as_object_mut().expect("an object");
            if slot["moved_to"].is_null() {
                slot.remove("moved_to");
                slot.insert("body".to_owned(), "00200010000b".into());
            } else {
                slot.remove("body");
            }
        }
        for list in ["malloc_imports", "free_imports"] {
            for import in spelled["undo"][list].as_array_mut().expect("a list") {
                let import = import.as_object_mut().expect("an object");
                import.retain(|name, value| !value.is_null() && name != "locals");
            }
        }
        let old = with_section(&there.wasm, spelled.to_string().as_bytes());
        assert_eq!(done(&old, Spec::Legacy).wasm, wasm, "{to}");
        // It is not what this version writes, and that is said.
        let error = verify(&wasm, &old, None).expect_err("other bytes").to_string();
        assert!(error.contains("custom section `heapbase`"), "{error}");
    }
}

#[test]
fn a_record_that_was_cut_or_goes_on() {
    let there = done(&module(&[MALLOC, FREE, MEMORY, BASE, COPY, ENTRY]), Spec::Local);
    let record = serde_json::to_value(there.record.expect("it has one")).expect("JSON");
    let digits = record["undo"].as_str().expect("digits").to_owned();
    let refused = |undo: Value| {
        let mut record = record.clone();
        record["undo"] = undo;
        let forged = with_section(&there.wasm, record.to_string().as_bytes());
        match convert(&forged, &Options::new(Spec::Legacy)) {
            Err(ConvertError::Record(error)) => assert!(!error.is_empty()),
            other => panic!("{other:?}"),
        }
    };
    for length in 0..digits.len() {
        refused(digits[..length].into());
    }
    refused(format!("{digits}00").into());
    refused(format!("{}zz", &digits[2..]).into());
    refused(7.into());
    let kept: Record = serde_json::from_value(record.clone()).expect("a record");
    assert_eq!(serde_json::to_value(kept).expect("JSON"), record);
}
