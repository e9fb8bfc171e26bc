//! Runtimes that write in front of their blocks.

use super::{BASE, FREE, MALLOC, MEMORY, TO, done, module, there_and_back};

/// A runtime that frees a block by this code. Locals: 0 the block, 1 of no value.
fn runtime(free: &str) -> Vec<u8> {
    let release = format!("(func $release (param i32) (local i32) {free} call $free)");
    let entry = r#"(func (export "Core_version") (param i32 i32) (result i64)
        (call $release (call $malloc (i32.const 8))) i64.const 0)"#;
    module(&[MALLOC, FREE, MEMORY, BASE, &release, entry])
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
        let wasm = runtime(free);
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
        "local.get 0 local.get 0 i32.const 2 i32.sub i32.load16_u align=1 i32.add",
        "local.get 0 local.get 0 i32.const 2 i32.sub i32.load16_s align=1 i32.sub",
        "local.get 0 local.get 0 i32.const 2 i32.sub i32.load16_u offset=4 align=1 i32.sub",
        "local.get 0 local.get 0 i32.const 4 i32.sub i32.load i32.sub",
    ] {
        assert!(!leave_room(&runtime(free)), "{free}");
    }
}
