//! Guests that want too much: time, stack, memory.

use crate::{
    Case,
    Outcome::*,
    must,
    parts::{LEGACY, V1},
};
use heapbase_host::{Cause, HeapPages};

pub(crate) const CASES: &[Case] = &[
    Case::new(
        "an endless loop",
        V1.entry("(loop $again (br $again)) (i64.const 0)"),
        must!(Failed(error) if error.cause == Cause::OutOfFuel),
    )
    .fuel(1_000_000),
    Case::new(
        "an endless loop under legacy",
        LEGACY.entry("(loop $again (br $again)) (i64.const 0)"),
        must!(Failed(error) if error.cause == Cause::OutOfFuel),
    )
    .fuel(1_000_000),
    Case::new(
        "an endless loop of calls of a host function",
        V1.imports(r#"(import "env" "ext_misc_print_num_version_1" (func $print (param i64)))"#)
            .entry("(loop $again (call $print (i64.const 1)) (br $again)) (i64.const 0)"),
        must!(Failed(error) if error.cause == Cause::OutOfFuel),
    )
    .fuel(1_000_000),
    Case::new("enough fuel for what is done", V1, must!(Returned(bytes) if bytes == b"input")).fuel(1_000_000),
    Case::new("no fuel at all", V1, must!(Failed(error) if error.cause == Cause::OutOfFuel)).fuel(0),
    Case::new(
        "endless recursion",
        V1.entry("(i64.add (call $run (local.get $ptr) (local.get $len)) (i64.const 1))"),
        must!(Failed(error) if matches!(error.cause, Cause::Trap(_))),
    ),
    Case::new(
        "endless recursion of a function with many variables",
        V1.rest(
            "(func $wide (param i64) (result i64)
               (local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)
               (local.set 1 (call $wide (i64.add (local.get 0) (i64.const 1))))
               (i64.add (local.get 1) (call $wide (local.get 1))))",
        )
        .entry("(call $wide (i64.const 0))"),
        must!(Failed(error) if matches!(error.cause, Cause::Trap(_))),
    ),
    Case::new(
        "memory grown to the limit, page by page",
        V1.entry(
            "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
             (i32.store (i32.const 16) (memory.size)) (call $pack (i32.const 16) (i32.const 4))",
        ),
        must!(Returned(bytes) if *bytes == 18u32.to_le_bytes()),
    )
    .config(|config| config.heap_pages = HeapPages::Fixed(16)),
    Case::new(
        "memory grown past the limit at once",
        V1.entry("(i32.store (i32.const 16) (memory.grow (i32.const 17))) (call $pack (i32.const 16) (i32.const 4))"),
        must!(Returned(bytes) if bytes == &[0xff; 4]),
    )
    .config(|config| config.heap_pages = HeapPages::Fixed(16)),
    Case::new(
        "memory grown to the limit at once",
        V1.entry("(i32.store (i32.const 16) (memory.grow (i32.const 16))) (call $pack (i32.const 16) (i32.const 4))"),
        must!(Returned(bytes) if *bytes == 2u32.to_le_bytes()),
    )
    .config(|config| config.heap_pages = HeapPages::Fixed(16)),
    Case::new(
        "memory grown by four billion pages",
        V1.entry("(i32.store (i32.const 16) (memory.grow (i32.const -1))) (call $pack (i32.const 16) (i32.const 4))"),
        must!(Returned(bytes) if bytes == &[0xff; 4]),
    ),
    Case::new(
        "a declared maximum binds more tightly than the limit",
        V1.memory(r#"(memory (export "memory") 2 3)"#).entry(
            "(loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
             (i32.store (i32.const 16) (memory.size)) (call $pack (i32.const 16) (i32.const 4))",
        ),
        must!(Returned(bytes) if *bytes == 3u32.to_le_bytes()),
    )
    .config(|config| config.heap_pages = HeapPages::Fixed(16)),
    Case::new(
        "a division by zero",
        V1.entry("(i64.div_u (i64.const 1) (i64.const 0))"),
        must!(Failed(error) if matches!(error.cause, Cause::Trap(_))),
    ),
    Case::new(
        "a division that overflows",
        V1.entry("(i64.div_s (i64.const 0x8000000000000000) (i64.const -1))"),
        must!(Failed(error) if matches!(error.cause, Cause::Trap(_))),
    ),
    Case::new(
        "a conversion of what is not a number",
        V1.entry("(i64.trunc_f64_s (f64.const nan))"),
        must!(Failed(error) if matches!(error.cause, Cause::Trap(_))),
    ),
    Case::new(
        "a load past the end by its offset alone",
        V1.entry("(i64.load offset=0xffffffff (i32.const -1))"),
        must!(Failed(error) if matches!(error.cause, Cause::Trap(_))),
    ),
    Case::new(
        "a store across the end",
        V1.entry("(i64.store (i32.sub (call $end) (i32.const 7)) (i64.const -1)) (i64.const 0)"),
        must!(Failed(error) if matches!(error.cause, Cause::Trap(_))),
    ),
];
