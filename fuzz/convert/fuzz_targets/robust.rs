//! Modules that nobody compiled: any bytes, modules of wasm-smith, and converted ones that were tampered with. No conversion may
//! panic; what is valid stays valid, whatever can be converted can be taken back, and verifies.

#![no_main]

use arbitrary::{Arbitrary, Result, Unstructured};
use heapbase_module::{
    Spec,
    convert::{Allocator, ConvertError, Family, Options, convert},
    record::{Record, SECTION},
    verify::verify,
};
use libfuzzer_sys::{Corpus, fuzz_target};
use wasm_smith::{Config, Module};
use wasmparser::Validator;

fuzz_target!(|data: &[u8]| -> Corpus {
    match check(&mut Unstructured::new(data)) {
        Ok(()) => Corpus::Keep,
        Err(_) => Corpus::Reject,
    }
});

fn check(u: &mut Unstructured<'_>) -> Result<()> {
    match u.int_in_range(0..=3)? {
        0 => {
            let bytes = u.bytes(u.len())?;
            each(bytes, Spec::V1);
            each(&[b"\0asm\x01\0\0\0", bytes].concat(), Spec::Local);
        }
        kind => {
            let module = built(u)?;
            let to = if u.arbitrary()? { Spec::V1 } else { Spec::Local };
            each(&module, to);
            if kind == 3 {
                tampered(&module, to, u)?;
            }
        }
    }
    Ok(())
}

/// What a runtime imports and exports, for wasm-smith to choose from.
const IMPORTS: &str = r#"(module
    (import "env" "ext_allocator_free_version_1" (func (param i32)))
    (import "env" "memory" (memory 17))
    (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
    (import "env" "ext_misc_print_num_version_1" (func (param i64)))
    (import "env" "a_number" (global i32))
    (import "env" "a_table" (table 4 funcref)))"#;
const EXPORTS: &str = r#"(module
    (func (export "Core_version") (param i32 i32) (result i64) unreachable)
    (global (export "__heap_base") i32 (i32.const 1000000)))"#;

fn built(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let mut config = Config::arbitrary(u)?;
    config.memory64_enabled = false;
    if u.ratio(7, 8)? {
        config.available_imports = Some(wat::parse_str(IMPORTS).expect("text"));
        config.max_memories = 1;
    }
    if u.arbitrary()? {
        config.exports = Some(wat::parse_str(EXPORTS).expect("text"));
    }
    Ok(Module::new(config, u)?.to_bytes())
}

/// Converts, checks what came out, and takes it back. `None` if it is refused.
fn each(module: &[u8], to: Spec) -> Option<Vec<u8>> {
    let mut options = Options::new(to);
    options.allocator = Allocator::Family(Family::ALL[module.len() % Family::ALL.len()]);
    let converted = match convert(module, &options) {
        Ok(converted) => converted.wasm,
        Err(error @ ConvertError::Result { .. }) => panic!("{to}: {error}"),
        Err(_) => return None,
    };
    Validator::new_with_features(wasmparser::WasmFeatures::all()).validate_all(&converted).expect("it stays valid");
    if Validator::new_with_features(wasmparser::WasmFeatures::all()).validate_all(module).is_err() {
        return None;
    }
    verify(module, &converted, None).expect("it verifies");
    let back = convert(&converted, &Options::new(Spec::Legacy)).expect("it is taken back").wasm;
    let again = convert(&back, &options).expect("it is converted again").wasm;
    let once_more = convert(&again, &Options::new(Spec::Legacy)).expect("it is taken back again").wasm;
    assert_eq!(back, once_more, "taking back is stable");
    Some(converted)
}

/// A converted module whose record says other numbers.
fn tampered(module: &[u8], to: Spec, u: &mut Unstructured<'_>) -> Result<()> {
    let Ok(converted) = convert(module, &Options::new(to)) else { return Ok(()) };
    let Some(record) = converted.record else { return Ok(()) };
    let undo = serde_json::to_value(&record.undo).expect("it is JSON, too");
    let mut record = serde_json::to_value(record).expect("a record is JSON");
    record["undo"] = undo;
    for _ in 0..u.int_in_range(1..=4)? {
        tamper(&mut record["undo"], u)?;
    }
    let Ok(record) = serde_json::from_value::<Record>(record) else { return Ok(()) };
    let contents = serde_json::to_vec(&record).expect("a record is JSON");
    // The record is the last section: another one in front of it counts.
    let mut forged = converted.wasm[..8].to_vec();
    let mut data = vec![SECTION.len() as u8];
    data.extend(SECTION.as_bytes());
    data.extend(contents);
    forged.push(0);
    let mut size = data.len();
    while size >= 0x80 {
        forged.push(size as u8 | 0x80);
        size >>= 7;
    }
    forged.push(size as u8);
    forged.extend(data);
    forged.extend(&converted.wasm[8..]);
    for to in [Spec::Legacy, Spec::V1, Spec::Local] {
        if let Ok(back) = convert(&forged, &Options::new(to)) {
            Validator::new_with_features(wasmparser::WasmFeatures::all()).validate_all(&back.wasm).expect("it is valid");
        }
    }
    Ok(())
}

/// Changes one number, list or text somewhere below a value.
fn tamper(value: &mut serde_json::Value, u: &mut Unstructured<'_>) -> Result<()> {
    use serde_json::Value;
    match value {
        Value::Object(map) if !map.is_empty() => {
            let place = u.choose_index(map.len())?;
            let inner = map.values_mut().nth(place).expect("chosen among them");
            if inner.is_null() {
                *inner = u32::arbitrary(u)?.into();
            } else {
                tamper(inner, u)?;
            }
        }
        Value::Array(list) => match u.int_in_range(0..=3)? {
            0 if !list.is_empty() => drop(list.remove(0)),
            1 if !list.is_empty() => {
                let first = list[0].clone();
                list.push(first);
            }
            2 if list.is_empty() => {
                let number = |u: &mut Unstructured<'_>| u.int_in_range(0..=30_u32);
                list.push(match u.int_in_range(0..=3)? {
                    0 => serde_json::json!([number(u)?, null]),
                    1 => serde_json::json!([number(u)?, number(u)?]),
                    2 => serde_json::json!({"function": number(u)?, "moved_to": number(u)?}),
                    _ => serde_json::json!({"position": number(u)?, "function": number(u)?, "type": number(u)?}),
                });
            }
            _ if !list.is_empty() => {
                let place = u.choose_index(list.len())?;
                tamper(&mut list[place], u)?;
            }
            _ => {}
        },
        Value::Number(number) => {
            let now = number.as_u64().unwrap_or_default();
            let with = match u.int_in_range(0..=3)? {
                0 => now.wrapping_add(1),
                1 => now.saturating_sub(1),
                2 => u64::from(u8::arbitrary(u)?),
                _ => u64::from(u32::arbitrary(u)?),
            };
            *value = with.into();
        }
        Value::Bool(flag) => *flag = !*flag,
        Value::String(text) => text.push_str("0b"),
        _ => {}
    }
    Ok(())
}
