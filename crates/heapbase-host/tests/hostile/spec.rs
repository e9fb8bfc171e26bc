//! Who owns the heap: what a module exports and imports decides it, before anything else of it is checked.

use crate::{
    Case,
    Outcome::*,
    must,
    parts::{LEGACY, V1},
};
use heapbase_host::{Error, Spec};

pub(crate) const CASES: &[Case] = &[
    Case::new("v1 without flaw", V1, must!(Returned(bytes) if bytes == b"input")),
    Case::new("legacy without flaw", LEGACY, must!(Returned(bytes) if bytes == b"input")),
    // Another kind of export named `v1` does not count.
    Case::new(
        "v1 exported as a global: legacy, which requires __heap_base",
        V1.marker(r#"(global (export "v1") i32 (i32.const 1))"#),
        must!(Refused(Error::MissingExport { spec: Spec::Legacy, name: "__heap_base", .. })),
    ),
    Case::new(
        "v1 exported as a global beside __heap_base: legacy, and runs",
        LEGACY.marker(r#"(global (export "v1") i32 (i32.const 1))"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "v1 exported as a table: legacy, which requires __heap_base",
        V1.marker(r#"(table (export "v1") 1 funcref)"#),
        must!(Refused(Error::MissingExport { spec: Spec::Legacy, name: "__heap_base", .. })),
    ),
    Case::new(
        "v1 exported as the memory: legacy, which requires __heap_base",
        V1.marker(r#"(export "v1" (memory 0))"#),
        must!(Refused(Error::MissingExport { spec: Spec::Legacy, name: "__heap_base", .. })),
    ),
    Case::new(
        "V1 in capitals is not v1",
        V1.marker(r#"(func (export "V1"))"#),
        must!(Refused(Error::MissingExport { spec: Spec::Legacy, name: "__heap_base", .. })),
    ),
    Case::new(
        "v1 of another function type counts, and is never called",
        V1.marker(r#"(func (export "v1") (param i64 f32) (result f64) (unreachable))"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "v1 is an imported function that is exported again: counts",
        V1.imports(r#"(import "env" "ext_misc_print_num_version_1" (func $print (param i64)))"#)
            .marker(r#"(export "v1" (func $print))"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "v1 with a __heap_base that means nothing",
        V1.heap_base(r#"(global (export "__heap_base") f64 (f64.const nan))"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "alloc missing",
        V1.instead_of_alloc(""),
        must!(Refused(Error::MissingExport { spec: Spec::V1, name: "alloc", .. })),
    ),
    Case::new(
        "alloc is a global",
        V1.instead_of_alloc(r#"(global (export "alloc") i32 (i32.const 4096))"#),
        must!(Refused(Error::MissingExport { name: "alloc", .. } | Error::WrongSignature { name: "alloc", .. })),
    ),
    Case::new(
        "alloc takes 64 bits",
        V1.instead_of_alloc(r#"(func (export "alloc") (param i64) (result i32) (i32.const 4096))"#),
        must!(Refused(Error::WrongSignature { spec: Spec::V1, name: "alloc", .. })),
    ),
    Case::new(
        "alloc takes nothing",
        V1.instead_of_alloc(r#"(func (export "alloc") (result i32) (i32.const 4096))"#),
        must!(Refused(Error::WrongSignature { name: "alloc", .. })),
    ),
    Case::new(
        "alloc takes an alignment too",
        V1.instead_of_alloc(r#"(func (export "alloc") (param i32 i32) (result i32) (i32.const 4096))"#),
        must!(Refused(Error::WrongSignature { name: "alloc", .. })),
    ),
    Case::new(
        "alloc returns nothing",
        V1.instead_of_alloc(r#"(func (export "alloc") (param i32))"#),
        must!(Refused(Error::WrongSignature { name: "alloc", .. })),
    ),
    Case::new(
        "alloc returns 64 bits",
        V1.instead_of_alloc(r#"(func (export "alloc") (param i32) (result i64) (i64.const 4096))"#),
        must!(Refused(Error::WrongSignature { name: "alloc", .. })),
    ),
    Case::new(
        "dealloc takes no size",
        V1.dealloc(r#"(func (export "dealloc") (param i32))"#),
        must!(Refused(Error::WrongSignature { name: "dealloc", .. })),
    ),
    Case::new(
        "realloc returns nothing",
        V1.realloc(r#"(func (export "realloc") (param i32 i32 i32))"#),
        must!(Refused(Error::WrongSignature { name: "realloc", .. })),
    ),
    Case::new(
        "dealloc and realloc missing: the host never needs them",
        V1.dealloc("").realloc(""),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "imports malloc of the host",
        V1.imports(r#"(import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))"#),
        must!(Refused(Error::MixedAllocators { imports }) if imports.len() == 1 && imports[0].contains("malloc")),
    ),
    Case::new(
        "imports free of the host",
        V1.imports(r#"(import "env" "ext_allocator_free_version_1" (func (param i32)))"#),
        must!(Refused(Error::MixedAllocators { imports }) if imports.len() == 1 && imports[0].contains("free")),
    ),
    Case::new(
        "mixed allocators come before an unusable memory",
        V1.imports(r#"(import "env" "ext_allocator_free_version_1" (func (param i32)))"#).memory("(memory 1)"),
        must!(Refused(Error::MixedAllocators { .. })),
    ),
    Case::new(
        "legacy without __heap_base",
        LEGACY.heap_base(""),
        must!(Refused(Error::MissingExport { spec: Spec::Legacy, name: "__heap_base", .. })),
    ),
    Case::new(
        "__heap_base is a function",
        LEGACY.heap_base(r#"(func (export "__heap_base") (result i32) (i32.const 4096))"#),
        must!(Refused(
            Error::MissingExport { name: "__heap_base", .. } | Error::WrongSignature { name: "__heap_base", .. }
        )),
    ),
    Case::new(
        "__heap_base has 64 bits",
        LEGACY.heap_base(r#"(global (export "__heap_base") i64 (i64.const 4096))"#),
        must!(Refused(
            Error::MissingExport { name: "__heap_base", .. } | Error::WrongSignature { name: "__heap_base", .. }
        )),
    ),
    Case::new(
        "legacy may export alloc: it means nothing there",
        LEGACY.instead_of_alloc(r#"(func (export "alloc") (param i64) (unreachable))"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
];
