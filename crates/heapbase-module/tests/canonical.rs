//! Which NaNs become canonical is said in `canonical/*.wat` (see `blessed`); that no other one can be seen is the matter of `passes`.

#[path = "blessed/mod.rs"]
mod blessed;

use heapbase_module::canonical::canonicalise;
use wasmi::{Engine, Linker, Module, Store};

#[test]
fn every_module_becomes_what_lies_beside_it() {
    blessed::check("canonical", 6, |_, wasm| canonicalise(wasm));
}

/// Every instruction whose NaN the machine chooses, and operands that make it.
#[test]
fn every_nan_of_arithmetic_is_the_same() {
    let two = ["add", "sub", "mul", "div", "min", "max"];
    let one = ["sqrt", "ceil", "floor", "trunc", "nearest"];
    let mut text = String::from("(module\n");
    for (float, integer) in [("f32", "i32"), ("f64", "i64")] {
        for name in two {
            text += &format!(
                "(func (export \"{float}.{name}\") (param i64 i64) (result i64) ({} ({integer}.reinterpret_{float}
                   ({float}.{name} ({}) ({})))))\n",
                if float == "f32" { "i64.extend_i32_u" } else { "i64.add (i64.const 0)" },
                operand(float, 0),
                operand(float, 1),
            );
        }
        for name in one {
            text += &format!(
                "(func (export \"{float}.{name}\") (param i64 i64) (result i64) ({} ({integer}.reinterpret_{float}
                   ({float}.{name} ({})))))\n",
                if float == "f32" { "i64.extend_i32_u" } else { "i64.add (i64.const 0)" },
                operand(float, 0),
            );
        }
    }
    text += "(func (export \"f64.promote_f32\") (param i64 i64) (result i64)
        (i64.reinterpret_f64 (f64.promote_f32 (f32.reinterpret_i32 (i32.wrap_i64 (local.get 0))))))
      (func (export \"f32.demote_f64\") (param i64 i64) (result i64)
        (i64.extend_i32_u (i32.reinterpret_f32 (f32.demote_f64 (f64.reinterpret_i64 (local.get 0)))))))";
    let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let done = canonicalise(&wasm).expect("valid");
    let engine = Engine::default();
    let module = Module::new(&engine, &done.wasm).expect("an engine takes it");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module).expect("it starts");
    let names: Vec<String> = module.exports().map(|export| export.name().to_owned()).collect();
    assert_eq!(names.len(), 24);
    let mut nans = 0;
    for name in names {
        let single = |bits: u32| i64::from(bits);
        let inputs: Vec<i64> = if name.starts_with("f32.") && name != "f32.demote_f64" || name == "f64.promote_f32" {
            [
                0x7fc0_0000,
                0xffc0_0000,
                0x7f80_0001,
                0xffff_ffff,
                0x7fa5_5555,
                0x7f80_0000,
                0xff80_0000,
                0,
                0x3fc0_0000,
                0xbf80_0000,
            ]
            .map(single)
            .to_vec()
        } else {
            let double: [u64; 9] = [
                0x7ff8 << 48,
                0xfff8 << 48,
                0x7ff0 << 48 | 1,
                u64::MAX,
                0x7ff0 << 48,
                0xfff0 << 48,
                0,
                0x3ff8 << 48,
                0xbff0 << 48,
            ];
            double.map(u64::cast_signed).to_vec()
        };
        let call = instance.get_typed_func::<(i64, i64), i64>(&store, &name).expect("exported");
        for a in &inputs {
            for b in &inputs {
                let bits = call.call(&mut store, (*a, *b)).expect("no trap").cast_unsigned();
                if name.starts_with("f32") && f32::from_bits(bits as u32).is_nan() {
                    assert_eq!(bits, 0x7fc0_0000, "{name} of {a:#x} and {b:#x}");
                    nans += 1;
                } else if name.starts_with("f64") && f64::from_bits(bits).is_nan() {
                    assert_eq!(bits, 0x7ff8 << 48, "{name} of {a:#x} and {b:#x}");
                    nans += 1;
                }
            }
        }
    }
    assert!(nans > 1000, "{nans}");
}

fn operand(float: &str, local: u32) -> String {
    match float {
        "f32" => format!("f32.reinterpret_i32 (i32.wrap_i64 (local.get {local}))"),
        _ => format!("f64.reinterpret_i64 (local.get {local})"),
    }
}
