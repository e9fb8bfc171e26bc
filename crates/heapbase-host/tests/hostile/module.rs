//! Modules that are wrong in their imports, memory, tables, entry points or start function.

use crate::{
    Case,
    Outcome::*,
    must,
    parts::{LEGACY, V1},
};
use heapbase_host::{Cause, Error, UnknownImports};

/// A function that no host knows.
const UNKNOWN: &str = r#"(import "env" "ext_weather_forecast_version_9" (func $forecast (param i32) (result i64)))"#;

pub(crate) const IMPORTS: &[Case] = &[
    Case::new("an unknown import that is not called", V1.imports(UNKNOWN), must!(Returned(bytes) if bytes == b"input")),
    Case::new(
        "an unknown import that is called",
        V1.imports(UNKNOWN).entry("(call $forecast (i32.const 1))"),
        must!(Failed(error) if matches!(&error.cause, Cause::UnknownImport(name) if name.contains("ext_weather_forecast_version_9"))),
    ),
    Case::new(
        "an unknown import that is not called, in strict mode",
        V1.imports(UNKNOWN),
        must!(Refused(Error::UnknownImports(names)) if names.len() == 1 && names[0].contains("ext_weather_forecast_version_9")),
    )
    .config(|config| config.unknown_imports = UnknownImports::Refuse),
    Case::new(
        "two unknown imports of other modules, in strict mode: both are named",
        V1.imports(
            r#"(import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
               (import "env" "ext_storage_get_version_1" (func (param i64) (result i64)))
               (import "" "" (func))"#,
        ),
        must!(Refused(Error::UnknownImports(names)) if names.len() == 2 && names[1].contains("fd_write")),
    )
    .config(|config| config.unknown_imports = UnknownImports::Refuse),
    Case::new(
        "a known name of another module is unknown",
        V1.imports(r#"(import "host" "ext_storage_get_version_1" (func $get (param i64) (result i64)))"#)
            .entry("(call $get (i64.const 0))"),
        must!(Failed(error) if matches!(&error.cause, Cause::UnknownImport(name) if name.contains("host"))),
    ),
    Case::new(
        "a known host function with another signature",
        V1.imports(r#"(import "env" "ext_storage_get_version_1" (func (param i32) (result i64)))"#),
        must!(Refused(Error::ImportSignature { name, .. }) if name.contains("ext_storage_get_version_1")),
    ),
    Case::new(
        "a known host function without its result",
        V1.imports(r#"(import "env" "ext_hashing_twox_64_version_1" (func (param i64)))"#),
        must!(Refused(Error::ImportSignature { name, .. }) if name.contains("ext_hashing_twox_64_version_1")),
    ),
    Case::new(
        "malloc with another signature",
        LEGACY.imports(r#"(import "env" "ext_allocator_malloc_version_1" (func (param i64) (result i64)))"#),
        must!(Refused(Error::ImportSignature { name, .. }) if name.contains("ext_allocator_malloc_version_1")),
    ),
    Case::new(
        "one host function imported under two signatures, one of them right",
        V1.imports(
            r#"(import "env" "ext_misc_print_num_version_1" (func (param i64)))
               (import "env" "ext_misc_print_num_version_1" (func (param f32)))"#,
        ),
        must!(Refused(Error::ImportSignature { name, .. }) if name.contains("ext_misc_print_num_version_1")),
    ),
    Case::new(
        "one host function imported twice",
        V1.imports(
            r#"(import "env" "ext_misc_print_num_version_1" (func $one (param i64)))
               (import "env" "ext_misc_print_num_version_1" (func $two (param i64)))"#,
        )
        .entry("(call $one (i64.const 1)) (call $two (i64.const 2)) (call $pack (local.get $ptr) (local.get $len))"),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "one unknown import under two signatures",
        V1.imports(
            r#"(import "env" "ext_weather_forecast_version_9" (func (param i32) (result i64)))
               (import "env" "ext_weather_forecast_version_9" (func (result f32)))"#,
        ),
        must!(Refused(Error::ImportSignature { name, .. }) if name.contains("ext_weather_forecast_version_9")),
    ),
    Case::new(
        "an imported global",
        V1.imports(r#"(import "env" "__stack_pointer" (global (mut i32)))"#),
        must!(Refused(Error::UnsupportedImport { name, kind: "global" }) if name.contains("__stack_pointer")),
    ),
    Case::new(
        "an imported table",
        V1.imports(r#"(import "env" "__indirect_function_table" (table 1 funcref))"#),
        must!(Refused(Error::UnsupportedImport { name, kind: "table" }) if name.contains("__indirect_function_table")),
    ),
];

pub(crate) const MEMORIES: &[Case] = &[
    Case::new(
        "an imported memory",
        V1.imports(r#"(import "env" "memory" (memory 2))"#).memory(""),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "an imported memory that is exported too",
        V1.imports(r#"(import "env" "memory" (memory 2))"#).memory(r#"(export "memory" (memory 0))"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "an imported memory under another name",
        V1.imports(r#"(import "env" "heap" (memory 2))"#).memory(""),
        must!(Refused(Error::UnsupportedImport { name, kind: "memory" }) if name == "env.heap"),
    ),
    Case::new(
        "an imported memory of another module",
        V1.imports(r#"(import "host" "memory" (memory 2))"#).memory(""),
        must!(Refused(Error::UnsupportedImport { name, kind: "memory" }) if name == "host.memory"),
    ),
    Case::new("a memory that nobody else sees", V1.memory("(memory 2)"), must!(Refused(Error::Memory { .. }))),
    Case::new(
        "a memory exported under another name only",
        V1.memory(r#"(memory (export "mem") 2)"#),
        must!(Refused(Error::Memory { .. })),
    ),
    Case::new("no memory", V1.memory(""), must!(Refused(Error::Memory { .. } | Error::Invalid { .. }))),
    Case::new(
        "two memories",
        V1.memory(r#"(memory (export "memory") 2) (memory 1)"#),
        must!(Refused(Error::Memory { .. } | Error::Invalid { .. })),
    ),
    Case::new(
        "a memory imported and another exported",
        V1.imports(r#"(import "env" "memory" (memory 2))"#),
        must!(Refused(Error::Memory { .. } | Error::Invalid { .. })),
    ),
    Case::new(
        "a function exported as the memory",
        V1.imports(r#"(import "env" "memory" (memory 2))"#).memory(r#"(func (export "memory"))"#),
        must!(Refused(Error::Memory { .. })),
    ),
    Case::new(
        "a memory with 64-bit addresses",
        V1.imports(r#"(import "env" "memory" (memory i64 2))"#).memory(r#"(memory (export "memory") i64 2)"#),
        must!(Refused(Error::Memory { .. } | Error::Invalid { .. })),
    ),
    Case::new(
        "a shared memory",
        V1.memory(r#"(memory (export "memory") 2 4 shared)"#),
        must!(Refused(Error::Memory { .. } | Error::Invalid { .. })),
    ),
    Case::new(
        "a million pages",
        V1.memory(r#"(memory (export "memory") 1000000)"#),
        must!(Refused(Error::MemoryTooLarge { pages: 1_000_000.., .. } | Error::Invalid { .. })),
    ),
    Case::new(
        "65,536 pages and a heap on top, where 1,000 are allowed",
        V1.memory(r#"(memory (export "memory") 65536)"#),
        must!(Refused(Error::MemoryTooLarge { limit: 1_000, .. })),
    )
    .config(|config| config.limits.memory_pages = 1_000),
    Case::new(
        "a declared maximum below the declared minimum",
        V1.memory(r#"(memory (export "memory") 2 1)"#),
        must!(Refused(Error::Invalid { .. })),
    ),
    Case::new(
        "a declared maximum that leaves no room",
        V1.memory(r#"(memory (export "memory") 1 1)"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "a memory of no pages under v1: alloc cannot answer",
        V1.memory(r#"(memory (export "memory") 0)"#),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorFault { addr: 4096, .. })),
    ),
    Case::new(
        "a data segment past the end of memory",
        V1.rest(r#"(data (i32.const 0x1fffe) "past")"#),
        must!(Refused(Error::DataOutOfBounds { start: 0x1fffe, end: 0x20002, .. }) | Failed(_)),
    ),
    Case::new(
        "a data segment at the last address of all",
        V1.rest(r#"(data (i32.const -1) "past")"#),
        must!(Refused(Error::DataOutOfBounds { start: 0xffff_ffff, .. }) | Failed(_)),
    ),
    Case::new(
        "an empty data segment at the end of memory",
        V1.rest(r#"(data (i32.const 0x20000) "")"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "data segments that overlap: the later one wins",
        V1.rest(r#"(data (i32.const 16) "one") (data (i32.const 17) "two")"#)
            .entry("(call $pack (i32.const 16) (i32.const 4))"),
        must!(Returned(bytes) if bytes == b"otwo"),
    ),
    Case::new(
        "a data segment whose address only the instance knows",
        V1.rest(r#"(global $base i32 (i32.const 16)) (data (global.get $base) "late")"#)
            .entry("(call $pack (i32.const 16) (i32.const 4))"),
        must!(Returned(bytes) if bytes == b"late"),
    )
    .or(must!(Refused(Error::Invalid { .. }))),
];

pub(crate) const TABLES: &[Case] = &[
    Case::new("a table of four billion elements", V1.rest("(table 0xffffffff funcref)"), must!(Refused(_) | Failed(_))),
    Case::new(
        "an element segment past the end of the table",
        V1.rest("(table 2 funcref) (elem (i32.const 1) $run $run)"),
        must!(Refused(_) | Failed(_)),
    ),
    Case::new(
        "a call through an empty element",
        V1.rest("(table 2 funcref) (type $entry (func (param i32 i32) (result i64)))")
            .entry("(call_indirect (type $entry) (local.get $ptr) (local.get $len) (i32.const 1))"),
        must!(Failed(error) if matches!(error.cause, Cause::Trap(_))),
    ),
    Case::new(
        "a call past the end of the table",
        V1.rest("(table 2 funcref) (type $entry (func (param i32 i32) (result i64)))")
            .entry("(call_indirect (type $entry) (local.get $ptr) (local.get $len) (i32.const -1))"),
        must!(Failed(error) if matches!(error.cause, Cause::Trap(_))),
    ),
    Case::new(
        "a call through an element of another type",
        V1.rest("(table 2 funcref) (elem (i32.const 0) $end) (type $entry (func (param i32 i32) (result i64)))")
            .entry("(call_indirect (type $entry) (local.get $ptr) (local.get $len) (i32.const 0))"),
        must!(Failed(error) if matches!(error.cause, Cause::Trap(_))),
    ),
];

pub(crate) const ENTRIES: &[Case] = &[
    Case::new(
        "no entry point, but one of a similar name",
        V1.instead_of_entry(r#"(func (export "Run") (param i32 i32) (result i64) (i64.const 0))"#),
        must!(Refused(Error::NoEntry { name, .. }) if name == "run"),
    ),
    Case::new(
        "an entry point without a result",
        V1.instead_of_entry(r#"(func (export "run") (param i32 i32))"#),
        must!(Refused(Error::NotAnEntry { name, .. }) if name == "run"),
    ),
    Case::new(
        "an entry point with 64-bit parameters",
        V1.instead_of_entry(r#"(func (export "run") (param i64 i64) (result i64) (i64.const 0))"#),
        must!(Refused(Error::NotAnEntry { name, .. }) if name == "run"),
    ),
    Case::new(
        "an entry point that takes nothing",
        V1.instead_of_entry(r#"(func (export "run") (result i64) (i64.const 0))"#),
        must!(Refused(Error::NotAnEntry { .. })),
    ),
    Case::new(
        "an entry point that is a global",
        V1.instead_of_entry(r#"(global (export "run") i64 (i64.const 0))"#),
        must!(Refused(Error::NotAnEntry { .. } | Error::NoEntry { .. })),
    ),
    Case::new(
        "an entry point that is the memory",
        V1.instead_of_entry(r#"(export "run" (memory 0))"#),
        must!(Refused(Error::NotAnEntry { .. } | Error::NoEntry { .. })),
    ),
    Case::new(
        "an entry point that is an import the host does not know",
        V1.imports(r#"(import "env" "ext_weather_forecast_version_9" (func $forecast (param i32 i32) (result i64)))"#)
            .instead_of_entry(r#"(export "run" (func $forecast))"#),
        must!(Failed(error) if matches!(&error.cause, Cause::UnknownImport(name) if name.contains("ext_weather"))),
    ),
];

pub(crate) const STARTS: &[Case] = &[
    Case::new(
        "a start function that does nothing wrong",
        V1.rest("(func $init (global.set $top (i32.const 8192))) (start $init)"),
        must!(Returned(bytes) if bytes == b"input"),
    )
    .or(must!(Refused(_))),
    Case::new(
        "a start function that traps",
        V1.rest("(func $init (unreachable)) (start $init)"),
        must!(Refused(_) | Failed(_)),
    ),
    Case::new(
        "a start function that writes into memory, in every call anew",
        V1.rest("(func $init (i32.store8 (i32.const 16) (i32.add (i32.load8_u (i32.const 16)) (i32.const 1)))) (start $init)")
            .entry("(call $pack (i32.const 16) (i32.const 1))"),
        must!(Returned(bytes) if bytes == b"\x01"),
    )
    .or(must!(Refused(_))),
    Case::new(
        "a start function that calls a host function which allocates",
        V1.imports(r#"(import "env" "ext_hashing_twox_64_version_1" (func $hash (param i64) (result i32)))"#)
            .rest("(func $init (drop (call $hash (i64.const 0x400000000)))) (start $init)"),
        must!(Refused(_) | Failed(_) | Returned(_)),
    ),
    Case::new(
        "a start function that writes storage",
        V1.imports(r#"(import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))"#)
            .rest("(func $init (call $set (i64.const 0x400000000) (i64.const 0x400000000))) (start $init)"),
        must!(Refused(_) | Failed(_) | Returned(_)),
    ),
    Case::new(
        "a start function that never returns",
        V1.rest("(func $init (loop $again (br $again))) (start $init)"),
        must!(Failed(error) if error.cause == Cause::OutOfFuel),
    )
    .or(must!(Refused(_)))
    .fuel(1_000_000),
];
