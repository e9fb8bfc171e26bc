//! Runtimes that keep something in front of their blocks.

use heapbase_module::{
    Spec,
    convert::{ConvertError, Options, convert},
};

fn runtime(address: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            (import "env" "ext_allocator_malloc_version_1" (func $malloc (param i32) (result i32)))
            (import "env" "ext_allocator_free_version_1" (func $free (param i32)))
            (import "env" "memory" (memory 20))
            (global (export "__heap_base") i32 (i32.const 1024))
            (func $dealloc (param i32)
                local.get 0
                local.get 0
                {address}
                i32.load16_u align=1
                i32.sub
                call $free)
            (func (export "run") (param i32 i32) (result i64)
                (call $dealloc (call $malloc (i32.const 8)))
                i64.const 0))"#
    );
    wat::parse_str(text).expect("the text is a module")
}

#[test]
fn a_runtime_that_reads_in_front_of_its_blocks_is_refused() {
    for address in ["i32.const -2 i32.add", "i32.const 2 i32.sub"] {
        for to in [Spec::V1, Spec::Local] {
            let error = convert(&runtime(address), &Options::new(to)).expect_err("another block may lie there");
            assert!(matches!(error, ConvertError::InFrontOfBlocks { offset } if offset > 100), "{error}");
        }
    }
}

#[test]
fn reading_behind_an_address_is_nothing_special() {
    for address in ["i32.const 2 i32.add", "i32.const -2 i32.sub"] {
        convert(&runtime(address), &Options::new(Spec::Local)).expect("any runtime may do that");
    }
}
