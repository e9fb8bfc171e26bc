//! Runtimes that write in front of their blocks.

use super::{BASE, FREE, MALLOC, MEMORY, TO, done, module, there_and_back};

/// What a compiler that optimises writes somewhere.
const TEE: &str = "(func (param i32) (local i32) local.get 0 local.tee 1 drop)";

/// A runtime that frees a block by this code. Locals: 0 the block, 1 of no value.
fn runtime(free: &str, more: &str) -> Vec<u8> {
    let release = format!("(func $release (param i32) (local i32) {free} call $free)");
    let entry = r#"(func (export "Core_version") (param i32 i32) (result i64)
        (call $release (call $malloc (i32.const 8))) i64.const 0)"#;
    module(&[MALLOC, FREE, MEMORY, BASE, &release, entry, more])
}

/// Whether both conversions leave room in front of blocks.
fn leave_room(wasm: &[u8]) -> bool {
    let [v1, local] =
        TO.map(|to| done(wasm, to).changes.iter().any(|change| change.contains("8 bytes more in front of it")));
    assert_eq!(v1, local);
    v1
}

#[test]
fn every_shape_that_is_documented() {
    for free in [
        "local.get 0 local.get 0 i32.const -2 i32.add i32.load16_u align=1 i32.sub",
        "local.get 0 local.get 0 i32.const 2 i32.sub i32.load16_u align=1 i32.sub",
        "local.get 0 local.get 0 i32.const 2 i32.sub local.tee 1 i32.load16_u align=1 i32.sub",
        "local.get 0 local.get 0 i32.const -2 i32.add i32.load16_u align=1 local.tee 1 i32.sub",
    ] {
        let wasm = runtime(free, TEE);
        assert!(leave_room(&wasm), "{free}");
        assert!(there_and_back(&wasm), "{free}");
    }
}

#[test]
fn what_is_nearly_one() {
    for free in [
        "local.get 0",
        "local.get 0 local.get 0 i32.const 2 i32.add i32.load16_u align=1 i32.sub",
        "local.get 0 local.get 0 i32.const -2 i32.sub i32.load16_u align=1 i32.sub",
        "local.get 0 local.get 0 i32.const 2 i32.sub i32.load16_s align=1 i32.sub",
        "local.get 0 local.get 0 i32.const 2 i32.sub i32.load16_u offset=4 align=1 i32.sub",
        "local.get 0 local.get 0 i32.const 4 i32.sub i32.load i32.sub",
    ] {
        assert!(!leave_room(&runtime(free, TEE)), "{free}");
    }
}

#[test]
fn code_that_was_not_optimised() {
    // Over a local, and over the stack in memory.
    let local = "local.get 0 i32.const 2 i32.sub local.set 1 local.get 0 local.get 1 i32.load16_u align=1 i32.sub";
    let stack = "i32.const 64 local.get 0 i32.const -2 i32.add i32.load16_u align=1 i32.store16
        local.get 0 i32.const 64 i32.load16_u i32.sub";
    for free in [local, stack] {
        assert!(leave_room(&runtime(free, TEE)), "{free}");
        assert!(leave_room(&runtime(free, "")), "{free}");
    }
    // Through functions of a line each, of which none has all signs.
    let less = "(func $less (param i32 i32) (result i32) local.get 0 local.get 1 i32.sub)
        (func $load (param i32) (result i32) local.get 0 i32.load16_u align=1)";
    let free = "local.get 0 local.get 0 i32.const 2 call $less call $load call $less";
    assert!(leave_room(&runtime(free, less)));
    // In a long function they meet by chance.
    let long = format!("{} {stack} {}", "nop ".repeat(60), "nop ".repeat(60));
    assert!(!leave_room(&runtime(&long, TEE)));
    assert!(!leave_room(&runtime("local.get 0", "")));
}
