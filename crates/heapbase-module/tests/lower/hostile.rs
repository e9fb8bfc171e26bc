//! Modules that nobody compiles: as large, deep or odd as the format allows. Each is lowered or refused, soon and without harm.

use super::edges::instance;
use super::{Options, lower};
use heapbase_module::{canonical::canonicalise, lower::LowerError, prune};
use std::fmt::Write;
use wasmparser::Validator;

fn parse(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

fn lowered(text: &str) -> Vec<u8> {
    lower(&parse(text), &Options::default()).unwrap_or_else(|error| panic!("{error}")).wasm
}

fn number(wasm: &[u8]) -> i32 {
    let (mut store, instance) = instance(wasm);
    instance.get_typed_func::<(), i32>(&store, "f").expect("exported").call(&mut store, ()).expect("no trap")
}

#[test]
fn a_function_with_all_the_locals_there_may_be() {
    let locals = "i32 ".repeat(49_999);
    // Copies and conversions are called where there is no variable for them.
    let text = format!(
        "(module (memory 1) (data (i32.const 0) \"0123456789\")
           (func (export \"f\") (result i32) (local {locals} i32)
             (memory.copy (i32.const 16) (i32.const 0) (i32.const 7))
             (i32.add (i32.load8_u (i32.const 22)) (i32.trunc_sat_f64_s (f64.const 1e6)))))"
    );
    // wasmi does not take as many, so this is only validated; with fewer of them it is executed.
    lowered(&text);
    let fewer = text.replace(&locals, &"i32 ".repeat(20_000));
    assert_eq!(number(&lowered(&fewer)), i32::from(b'6') + 1_000_000);
    let text = format!(
        "(module (func (export \"f\") (result i32) (local {locals} i32)
           i32.const 1 i32.const 2 (block (param i32 i32) (result i32 i32)) i32.add))"
    );
    let refused = lower(&parse(&text), &Options::default());
    assert!(matches!(refused, Err(LowerError::TooLarge { unit: "variables", .. })), "{refused:?}");
    let text = format!(
        "(module (func (export \"f\") (param f64) (result i64) (local {})
           (i64.reinterpret_f64 (f64.add (local.get 0) (local.get 0)))))",
        "i32 ".repeat(49_999)
    );
    let refused = canonicalise(&parse(&text));
    assert!(matches!(refused, Err(LowerError::TooLarge { unit: "variables", .. })), "{refused:?}");
}

#[test]
fn blocks_in_blocks() {
    const DEEP: usize = 50_000;
    let mut wasm = Vec::new();
    // As bytes, since a parser of text follows blocks by calling itself.
    for (ty, block) in [(0x40_u8, 0x02_u8), (0x00, 0x02), (0x00, 0x03)] {
        let mut body = vec![0, 0x41, 7];
        for _ in 0..DEEP {
            body.extend([block, ty]);
            if ty == 0x40 {
                body.extend([0x41, 1, 0x45, 0x0d, 0]);
            }
        }
        body.extend(vec![0x0b; DEEP]);
        body.extend([0xc0, 0x0b]);
        let mut module = wasm_encoder::Module::new();
        let mut types = wasm_encoder::TypeSection::new();
        types.ty().function([wasm_encoder::ValType::I32], [wasm_encoder::ValType::I32]);
        types.ty().function([], [wasm_encoder::ValType::I32]);
        module.section(&types);
        let mut functions = wasm_encoder::FunctionSection::new();
        functions.function(1);
        module.section(&functions);
        let mut exports = wasm_encoder::ExportSection::new();
        exports.export("f", wasm_encoder::ExportKind::Func, 0);
        module.section(&exports);
        let mut code = wasm_encoder::CodeSection::new();
        code.raw(&body);
        module.section(&code);
        wasm.push(module.finish());
    }
    for wasm in wasm {
        Validator::new().validate_all(&wasm).expect("valid");
        let lowered = lower(&wasm, &Options::default()).expect("it is lowered");
        assert!(!lowered.changes.is_empty());
        canonicalise(&wasm).expect("nothing to do");
        prune::prune(&wasm, &prune::Options::default()).expect("nothing to do");
    }
}

#[test]
fn values_by_the_thousand() {
    let many = "i32 ".repeat(1000);
    let zeros = "i32.const 0 ".repeat(1000);
    let drops = "drop ".repeat(999);
    let mut text = format!(
        "(module (type $many (func (result {many}))) (type $through (func (param {many}) (result {many})))
           (func $m (type $many) {zeros})
           (func (export \"f\") (result i32) call $m {drops})
           (func (result i32) call $m "
    );
    // Each of these few bytes moves a thousand values there and back.
    for _ in 0..20_000 {
        text += "(block (type $through)) ";
    }
    write!(text, "{drops}))").expect("text");
    let refused = lower(&parse(&text), &Options::default());
    assert!(matches!(refused, Err(LowerError::TooLarge { .. })), "{:?}", refused.map(|lowered| lowered.changes));
    let few = text.replace(&"(block (type $through)) ".repeat(20_000), &"(block (type $through)) ".repeat(20));
    assert_eq!(number(&lowered(&few)), 0);
}

#[test]
fn more_than_functions_may_grow_by() {
    // Each function stays below what a function may be; all together do not.
    let many = "i32 ".repeat(1000);
    let zeros = "i32.const 0 ".repeat(1000);
    let blocks = "(block (type 0)) ".repeat(500);
    let function = format!("(func {zeros} {blocks} {})", "drop ".repeat(1000));
    let text = format!("(module (type (func (param {many}) (result {many}))) {})", function.repeat(60));
    let refused = lower(&parse(&text), &Options::default());
    assert!(
        matches!(refused, Err(LowerError::TooLarge { unit: "bytes", .. })),
        "{:?}",
        refused.map(|lowered| lowered.wasm.len())
    );
}

#[test]
fn a_thousand_types_that_become_the_same() {
    // (param i32) (result i32 i32), (result i32 i64), … all become (param i32) (result i32), and have to differ.
    let mut text = String::from("(module (table 1 funcref)\n");
    let types = ["i32", "i64", "f32", "f64"];
    let mut all = Vec::new();
    for number in 0..400_usize {
        let results: Vec<&str> = (0..6).map(|place| types[number >> (2 * place) & 3]).collect();
        all.push(format!("(result i32 {})", results.join(" ")));
    }
    for results in &all {
        writeln!(text, "(type (func (param i32) {results}))").expect("text");
    }
    text += "(func $zero (type 0) i32.const 5 i32.const 0 i32.const 0 i32.const 0 i32.const 0 i32.const 0 i32.const 0)
        (elem (i32.const 0) func $zero)
        (func (export \"f\") (result i32)
          (call_indirect (type 0) (i32.const 1) (i32.const 0)) drop drop drop drop drop drop)
        (func (export \"g\") (result i32)
          (call_indirect (type 1) (i32.const 1) (i32.const 0)) drop drop drop drop drop drop))";
    let wasm = lowered(&text);
    assert_eq!(number(&wasm), 5);
    let (mut store, instance) = instance(&wasm);
    let error = instance.get_typed_func::<(), i32>(&store, "g").expect("exported").call(&mut store, ());
    let trap = error.expect_err("another type").as_trap_code();
    assert_eq!(trap, Some(wasmi::TrapCode::BadSignature));
}

#[test]
fn a_branch_table_of_everything() {
    let mut text = String::from(
        "(module (type $pair (func (result i32 i32)))
           (func $g (type $pair) (local $i i32) (local.set $i (i32.const 700))\n",
    );
    const BLOCKS: usize = 300;
    for number in 0..BLOCKS {
        text += if number % 3 == 0 {
            "i32.const 1 i32.const 2 (loop (param i32 i32) (result i32 i32)\n"
        } else {
            "(block (result i32 i32)\n"
        };
        if number % 3 == 0 {
            text += "(if (i32.eqz (local.get $i)) (then unreachable)) (local.set $i (i32.sub (local.get $i) (i32.const 1)))\n";
            text += "drop drop\n";
        }
    }
    text += "i32.const 3 i32.const 4 (local.get $i) br_table";
    for _ in 0..5 {
        for number in 0..=BLOCKS {
            write!(text, " {number}").expect("text");
        }
    }
    text += "\n";
    for number in (0..BLOCKS).rev() {
        text += ")";
        if number % 3 != 0 || number > 0 {
            text += "\n";
        }
    }
    text += ") (func (export \"f\") (result i32) call $g i32.sub))";
    let before = number(&parse(&text));
    assert_eq!(number(&lowered(&text)), before);
}

#[test]
fn a_function_that_is_nearly_too_large_already() {
    // More than a megabyte of square roots, each of which is seen.
    let mut text = String::from("(module (func (export \"f\") (param f64) (result f64) local.get 0 ");
    text += &"f64.sqrt i64.reinterpret_f64 f64.reinterpret_i64 ".repeat(400_000);
    text += "))";
    let refused = canonicalise(&parse(&text));
    assert!(
        matches!(refused, Err(LowerError::TooLarge { unit: "bytes", .. })),
        "{:?}",
        refused.map(|done| done.changes)
    );
}

#[test]
fn what_is_no_module() {
    let component = b"\0asm\x0d\0\x01\0";
    for bytes in [&component[..], b"", b"\0asm", b"\0asm\x01\0\0\0\xff"] {
        assert!(lower(bytes, &Options::default()).is_err(), "{bytes:?}");
        assert!(canonicalise(bytes).is_err(), "{bytes:?}");
        assert!(prune::prune(bytes, &prune::Options::default()).is_err(), "{bytes:?}");
    }
    let empty = b"\0asm\x01\0\0\0";
    assert_eq!(lower(empty, &Options::default()).expect("valid").wasm, empty);
    assert_eq!(prune::prune(empty, &prune::Options::default()).expect("valid").wasm, empty);
}
