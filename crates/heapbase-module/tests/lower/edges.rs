//! Every instruction on numbers that is lowered, at every edge: the same bits and the same traps as the instruction itself.

use super::lower;
use heapbase_module::lower::Options;
use std::fmt::Write;
use wasmi::{Engine, Instance, Linker, Module, Store, Val};

const SIGNS: [(&str, &str); 5] = [
    ("i32.extend8_s", "i32"),
    ("i32.extend16_s", "i32"),
    ("i64.extend8_s", "i64"),
    ("i64.extend16_s", "i64"),
    ("i64.extend32_s", "i64"),
];

/// Instantiates a module that imports nothing.
pub(crate) fn instance(wasm: &[u8]) -> (Store<()>, Instance) {
    let engine = Engine::default();
    let module = Module::new(&engine, wasm).expect("an engine takes it");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).expect("it starts");
    (store, instance)
}

/// A module before and after.
pub(crate) fn both(text: &str) -> [(Store<()>, Instance); 2] {
    let wasm = wat::parse_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let lowered = lower(&wasm, &Options::default()).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert!(!lowered.changes.is_empty());
    [instance(&wasm), instance(&lowered.wasm)]
}

fn bits(value: &Val) -> u64 {
    match value {
        Val::I32(value) => u64::from(value.cast_unsigned()),
        Val::I64(value) => value.cast_unsigned(),
        other => panic!("no integer: {other:?}"),
    }
}

fn call(side: &mut (Store<()>, Instance), name: &str, argument: Val) -> u64 {
    let (store, instance) = side;
    let function = instance.get_func(&*store, name).expect("exported");
    let mut result = [Val::I32(0)];
    function.call(&mut *store, &[argument], &mut result).expect("it does not trap");
    bits(&result[0])
}

/// Numbers of all sizes: edges, and some in between.
fn integers() -> Vec<u64> {
    let mut all = vec![0, u64::MAX];
    for bit in 0..64 {
        let power = 1_u64 << bit;
        all.extend([
            power,
            power - 1,
            power.wrapping_add(1),
            power.wrapping_neg(),
            !power,
            power | 0x80,
            power | 0x8000,
        ]);
    }
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..500 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        all.push(random ^ random >> 29);
    }
    all
}

#[test]
fn signs_are_extended_as_before() {
    let mut text = String::from("(module (memory 1)\n");
    for (name, ty) in SIGNS {
        writeln!(text, "(func (export \"{name}\") (param {ty}) (result {ty}) local.get 0 {name})").expect("text");
        // The same behind a load of as many bits, and of fewer and more.
        for load in ["load8_u", "load16_u", "load32_u", "load8_s", "load"] {
            if ty == "i32" && load == "load32_u" {
                continue;
            }
            writeln!(
                text,
                "(func (export \"{name} {load}\") (param {ty}) (result {ty})
                   ({ty}.store offset=8 (i32.const 0) (local.get 0))
                   ({name} ({ty}.{load} offset=8 (i32.const 0))))"
            )
            .expect("text");
        }
    }
    text += ")";
    let [mut before, mut after] = both(&text);
    let names: Vec<String> =
        before.1.exports(&before.0).map(|export| export.name().to_owned()).filter(|name| name.contains('.')).collect();
    assert_eq!(names.len(), 28);
    for name in names {
        for number in integers() {
            let argument = if name.starts_with("i32") {
                Val::I32((number as u32).cast_signed())
            } else {
                Val::I64(number.cast_signed())
            };
            let expected = call(&mut before, &name, argument.clone());
            assert_eq!(call(&mut after, &name, argument), expected, "{name} of {number:#x}");
        }
    }
}

/// Numbers around every edge of every conversion, by their bits.
fn doubles() -> Vec<u64> {
    let mut all = vec![0.0, 0.5, 0.999_999_999, 1.0, 1.5, f64::INFINITY, f64::MIN_POSITIVE, f64::MAX, f64::EPSILON];
    for power in [7, 8, 15, 16, 23, 24, 31, 32, 52, 53, 62, 63, 64, 65, 127, 128] {
        let edge = f64::powi(2.0, power);
        all.extend([edge, edge - 1.0, edge + 1.0, edge - 0.5, edge + 0.5, edge.next_down(), edge.next_up()]);
        let single = f64::powi(2.0, power) as f32;
        all.extend([f64::from(single.next_down()), f64::from(single.next_up())]);
    }
    let mut bits: Vec<u64> = all.iter().flat_map(|value| [value.to_bits(), (-value).to_bits()]).collect();
    // NaNs of both signs, with and without a payload, quiet and signalling; the smallest number there is.
    bits.extend([0x7ff8 << 48, 0xfff8 << 48, 0x7ff0 << 48 | 1, 0xfff0 << 48 | 77, u64::MAX, 1, 1 << 63 | 1]);
    bits.extend(integers());
    bits
}

#[test]
fn conversions_saturate_as_before() {
    let mut text = String::from("(module\n");
    let mut names = Vec::new();
    for to in ["i32", "i64"] {
        for from in ["f32", "f64"] {
            for sign in ["s", "u"] {
                let name = format!("{to}.trunc_sat_{from}_{sign}");
                writeln!(text, "(func (export \"{name}\") (param {from}) (result {to}) local.get 0 {name})")
                    .expect("text");
                names.push(name);
            }
        }
    }
    text += ")";
    let [mut before, mut after] = both(&text);
    for name in names {
        for bits in doubles() {
            let arguments = if name.contains("f32") {
                let single = f64::from_bits(bits) as f32;
                vec![single, f32::from_bits(bits as u32), single.next_up(), single.next_down()]
                    .into_iter()
                    .map(|value| Val::F32(wasmi::F32::from_bits(value.to_bits())))
                    .collect()
            } else {
                vec![Val::F64(wasmi::F64::from_bits(bits))]
            };
            for argument in arguments {
                let expected = call(&mut before, &name, argument.clone());
                assert_eq!(call(&mut after, &name, argument.clone()), expected, "{name} of {argument:?}");
            }
        }
    }
}
