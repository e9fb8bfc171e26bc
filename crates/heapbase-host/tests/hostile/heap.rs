//! Allocators that misbehave: the runtime's own under `v1`, and attacks on the host's under `legacy`.

use crate::{
    Case,
    Outcome::*,
    must,
    parts::{LEGACY, V1},
};
use heapbase_host::Cause;

/// A host function that returns a buffer, so that the host has to allocate inside of it: 8 bytes.
const HASH: &str = r#"(import "env" "ext_hashing_twox_64_version_1" (func $hash (param i64) (result i32)))"#;

/// Calls it on the first 4 bytes of memory.
const CALL_HASH: &str = "(call $pack (call $hash (i64.const 0x400000000)) (i32.const 8))";

/// The legacy allocator.
const MALLOC_FREE: &str = r#"(import "env" "ext_allocator_malloc_version_1" (func $malloc (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func $free (param i32)))"#;

pub(crate) const V1_CASES: &[Case] = &[
    Case::new(
        "alloc returns 0",
        V1.alloc("(i32.const 0)"),
        must!(Failed(error) if error.cause == Cause::OutOfMemory { requested: 5 }),
    ),
    Case::new(
        "alloc returns 0 inside of a host function",
        V1.imports(HASH).alloc("(select (i32.const 0) (i32.const 4096) (i32.eq (local.get $size) (i32.const 8)))").entry(CALL_HASH),
        must!(Failed(error) if error.cause == Cause::OutOfMemory { requested: 8 }
            && error.host_function.as_deref().is_some_and(|name| name.contains("twox_64"))),
    ),
    Case::new(
        "alloc returns an address that is not aligned",
        V1.alloc("(i32.const 4097)"),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorFault { addr: 4097, size: 5, .. })),
    ),
    Case::new(
        "alloc returns the end of memory",
        V1.alloc("(call $end)"),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorFault { addr: 0x20000, size: 5, .. })),
    ),
    Case::new(
        "alloc returns the last 8 bytes of memory, which is enough",
        V1.alloc("(i32.sub (call $end) (i32.const 8))"),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "alloc returns the last 8 bytes of memory for 9",
        V1.alloc("(i32.sub (call $end) (i32.const 8))"),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorFault { addr: 0x1fff8, size: 9, .. })),
    )
    .input(b"nine byte"),
    Case::new(
        "alloc returns a block whose end wraps around",
        V1.alloc("(i32.const -8)"),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorFault { addr: 0xffff_fff8, size: 9, .. })),
    )
    .input(b"nine byte"),
    Case::new(
        "alloc returns a block beyond memory inside of a host function",
        V1.imports(HASH).alloc("(select (i32.const 0x7ffffff8) (i32.const 4096) (i32.eq (local.get $size) (i32.const 8)))").entry(CALL_HASH),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorFault { addr: 0x7fff_fff8, size: 8, .. })
            && error.host_function.as_deref().is_some_and(|name| name.contains("twox_64"))),
    ),
    Case::new(
        "alloc hands out the same block again and again: the runtime's own affair",
        V1.imports(HASH).alloc("(i32.const 4096)").entry(CALL_HASH),
        // twox_64 of four zero bytes.
        must!(Returned(bytes) if *bytes == sp_crypto_hashing::twox_64(&[0; 4])),
    ),
    Case::new(
        "alloc grows memory each time, and hands out the new page",
        V1.imports(HASH)
            .alloc("(i32.shl (memory.grow (i32.const 1)) (i32.const 16))")
            .entry(CALL_HASH),
        must!(Returned(bytes) if *bytes == sp_crypto_hashing::twox_64(&[0; 4])),
    ),
    Case::new(
        "alloc grows memory and hands out its end",
        V1.alloc("(drop (memory.grow (i32.const 1))) (call $end)"),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorFault { addr: 0x30000, .. })),
    ),
    Case::new(
        "alloc hands out the page it was refused",
        V1.alloc("(drop (memory.grow (i32.const 0xffff))) (i32.const 0x20000)"),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorFault { addr: 0x20000, .. })),
    ),
    Case::new(
        "alloc traps",
        V1.alloc("(unreachable)"),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorTrapped(_)) && error.to_string().contains("alloc")),
    ),
    Case::new(
        "alloc traps inside of a host function",
        V1.imports(HASH)
            .alloc("(if (i32.eq (local.get $size) (i32.const 8)) (then (unreachable))) (i32.const 4096)")
            .entry(CALL_HASH),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorTrapped(_))
            && error.host_function.as_deref().is_some_and(|name| name.contains("twox_64"))),
    ),
    Case::new(
        "alloc loads from beyond memory",
        V1.alloc("(i32.load (i32.const -4))"),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorTrapped(_))),
    ),
    Case::new(
        "alloc recurses until the stack is used up",
        V1.alloc("(i32.add (call $alloc (local.get $size)) (i32.const 8))"),
        must!(Failed(error) if matches!(error.cause, Cause::AllocatorTrapped(_))),
    ),
    Case::new(
        "alloc never returns",
        V1.alloc("(loop $again (br $again)) (i32.const 4096)"),
        must!(Failed(error) if error.cause == Cause::OutOfFuel),
    )
    .fuel(1_000_000),
    Case::new(
        "alloc calls a host function that allocates",
        V1.imports(HASH).alloc("(call $hash (i64.const 0x400000000))"),
        must!(Failed(error) if error.cause == Cause::AllocatorReentered),
    ),
    Case::new(
        "alloc calls a host function that allocates, from inside of a host function",
        V1.imports(HASH)
            .alloc("(if (result i32) (i32.eq (local.get $size) (i32.const 8)) (then (call $hash (i64.const 0x400000000))) (else (i32.const 4096)))")
            .entry(CALL_HASH),
        must!(Failed(error) if error.cause == Cause::AllocatorReentered),
    ),
    Case::new(
        "alloc calls the entry point, which calls a host function that allocates",
        V1.imports(HASH).alloc("(i32.wrap_i64 (call $run (i32.const 0) (i32.const 0)))").entry(CALL_HASH),
        must!(Failed(error) if error.cause == Cause::AllocatorReentered),
    ),
    Case::new(
        "alloc calls a host function that does not allocate",
        V1.imports(r#"(import "env" "ext_misc_print_num_version_1" (func $print (param i64)))"#)
            .alloc("(call $print (i64.const 7)) (i32.const 4096)"),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "alloc aborts with a message",
        V1.imports(r#"(import "env" "ext_panic_handler_abort_on_panic_version_1" (func $abort (param i64)))"#)
            .alloc("(call $abort (i64.const 0x1800000010)) (unreachable)")
            .rest(r#"(data (i32.const 16) "the heap is out of order")"#),
        must!(Failed(error) if error.panic_message.as_deref() == Some("the heap is out of order")),
    ),
    Case::new(
        "no input: alloc is not called, the pointer is not null and the length 0",
        V1.alloc("(unreachable)").entry(
            "(i64.store (i32.const 16) (call $pack (local.get $ptr) (local.get $len))) (call $pack (i32.const 16) (i32.const 8))",
        ),
        must!(Returned(bytes) if bytes == &[8, 0, 0, 0, 0, 0, 0, 0]),
    )
    .input(b""),
    Case::new(
        "the runtime asks for more than 4 GiB by an input that alloc cannot place",
        V1.alloc("(if (i32.gt_u (local.get $size) (i32.const 100)) (then (return (i32.const 0)))) (i32.const 4096)"),
        must!(Failed(error) if error.cause == Cause::OutOfMemory { requested: 1000 }),
    )
    .input(&[7; 1000]),
];

pub(crate) const LEGACY_CASES: &[Case] = &[
    Case::new(
        "no input: the pointer is not null and the length 0",
        LEGACY.entry(
            "(i64.store (i32.const 16) (call $pack (local.get $ptr) (local.get $len))) (call $pack (i32.const 16) (i32.const 8))",
        ),
        must!(Returned(bytes) if bytes[..4] != [0; 4] && bytes[4..] == [0; 4]),
    )
    .input(b""),
    Case::new(
        "__heap_base is the end of the declared memory",
        LEGACY.heap_base(r#"(global (export "__heap_base") i32 (i32.const 0x20000))"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "__heap_base lies beyond memory",
        LEGACY.heap_base(r#"(global (export "__heap_base") i32 (i32.const 0x7fff0000))"#),
        must!(Failed(error) if error.cause == Cause::OutOfMemory { requested: 5 }),
    ),
    Case::new(
        "__heap_base is the last address of all, which no multiple of 8 follows",
        LEGACY.heap_base(r#"(global (export "__heap_base") i32 (i32.const -1))"#),
        must!(Refused(_) | Failed(_)),
    ),
    Case::new(
        "__heap_base is 8 below the last address of all",
        LEGACY.heap_base(r#"(global (export "__heap_base") i32 (i32.const -8))"#),
        must!(Refused(_) | Failed(_)),
    ),
    Case::new(
        "__heap_base is 0: the first block's address is 8",
        LEGACY.heap_base(r#"(global (export "__heap_base") i32 (i32.const 0))"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "__heap_base is mutable",
        LEGACY.heap_base(r#"(global (export "__heap_base") (mut i32) (i32.const 4096))"#),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "malloc of 4 GiB - 1",
        LEGACY.imports(MALLOC_FREE).entry("(drop (call $malloc (i32.const -1))) (i64.const 0)"),
        must!(Failed(error) if error.cause == Cause::OutOfMemory { requested: u32::MAX }
            && error.host_function.as_deref().is_some_and(|name| name.contains("malloc"))),
    ),
    Case::new(
        "malloc of the 32 MiB that are allowed, in a memory that is smaller",
        LEGACY.imports(MALLOC_FREE).entry("(drop (call $malloc (i32.const 0x2000000))) (i64.const 0)"),
        must!(Failed(error) if error.cause == Cause::OutOfMemory { requested: 0x200_0000 }),
    ),
    Case::new(
        "malloc of 0 gives an address",
        LEGACY.imports(MALLOC_FREE).entry(
            "(i32.store (i32.const 16) (call $malloc (i32.const 0))) (call $pack (i32.const 16) (i32.const 4))",
        ),
        must!(Returned(bytes) if bytes != &[0; 4]),
    ),
    Case::new(
        "malloc until there is no more",
        LEGACY.imports(MALLOC_FREE).entry("(loop $again (drop (call $malloc (i32.const 1000))) (br $again)) (i64.const 0)"),
        must!(Failed(error) if error.cause == Cause::OutOfMemory { requested: 1000 }),
    ),
    Case::new(
        "free of address 0",
        LEGACY.imports(MALLOC_FREE).entry("(call $free (i32.const 0)) (i64.const 0)"),
        must!(Failed(error) if matches!(error.cause, Cause::LegacyAllocator(_))
            && error.host_function.as_deref().is_some_and(|name| name.contains("free"))),
    ),
    Case::new(
        "free of address 4, whose header would lie below 0",
        LEGACY.imports(MALLOC_FREE).entry("(call $free (i32.const 4)) (i64.const 0)"),
        must!(Failed(error) if matches!(error.cause, Cause::LegacyAllocator(_))),
    ),
    Case::new(
        "free of an address that was never handed out",
        LEGACY.imports(MALLOC_FREE).entry("(call $free (i32.const 0x10000)) (i64.const 0)"),
        must!(Failed(error) if matches!(error.cause, Cause::LegacyAllocator(_))),
    ),
    Case::new(
        "free beyond memory",
        LEGACY.imports(MALLOC_FREE).entry("(call $free (i32.add (call $end) (i32.const 4))) (i64.const 0)"),
        must!(Failed(error) if matches!(error.cause, Cause::LegacyAllocator(_))),
    ),
    Case::new(
        "free of the last address of all",
        LEGACY.imports(MALLOC_FREE).entry("(call $free (i32.const -1)) (i64.const 0)"),
        must!(Failed(error) if matches!(error.cause, Cause::LegacyAllocator(_))),
    ),
    Case::new(
        "free twice",
        LEGACY.imports(MALLOC_FREE).entry(
            "(local.set $at (call $malloc (i32.const 8))) (call $free (local.get $at)) (call $free (local.get $at)) (i64.const 0)",
        ),
        must!(Failed(error) if matches!(error.cause, Cause::LegacyAllocator(_))),
    ),
    Case::new(
        "the header of a block names an order that does not exist",
        LEGACY.imports(MALLOC_FREE).entry(
            "(local.set $at (call $malloc (i32.const 8)))
             (i32.store (i32.sub (local.get $at) (i32.const 8)) (i32.const 200))
             (call $free (local.get $at)) (i64.const 0)",
        ),
        must!(Failed(error) if matches!(error.cause, Cause::LegacyAllocator(_))),
    ),
    Case::new(
        "the header of a block names a larger order: more is freed than was allocated",
        LEGACY.imports(MALLOC_FREE).entry(
            "(local.set $at (call $malloc (i32.const 8)))
             (i32.store (i32.sub (local.get $at) (i32.const 8)) (i32.const 22))
             (call $free (local.get $at)) (i64.const 0)",
        ),
        must!(Failed(error) if matches!(error.cause, Cause::LegacyAllocator(_))),
    ),
    Case::new(
        "the free list leads beyond memory",
        LEGACY.imports(MALLOC_FREE).entry(
            "(local.set $at (call $malloc (i32.const 8)))
             (call $free (local.get $at))
             (i64.store (i32.sub (local.get $at) (i32.const 8)) (i64.const 0xfffffff0))
             (drop (call $malloc (i32.const 8)))
             (drop (call $malloc (i32.const 8)))
             (i64.const 0)",
        ),
        must!(Failed(error) if matches!(error.cause, Cause::LegacyAllocator(_))),
    ),
    Case::new(
        "the free list leads to itself: one block handed out until its sizes add up past 32 bits",
        LEGACY
            .imports(MALLOC_FREE)
            .entry(
                "(local.set $at (call $malloc (i32.const 0x8000)))
                 (call $free (local.get $at))
                 (loop $again
                   (i64.store (i32.sub (local.get $at) (i32.const 8))
                     (i64.extend_i32_u (i32.sub (local.get $at) (i32.const 8))))
                   (drop (call $malloc (i32.const 0x8000)))
                   (global.set $top (i32.add (global.get $top) (i32.const 1)))
                   (br_if $again (i32.lt_u (global.get $top) (i32.const 140000))))
                 (call $pack (local.get $ptr) (local.get $len))",
            ),
        // Optimised, the allocator's statistics wrap; with overflow checks it panics, which ends the call alone.
        must!(Returned(_) | Failed(_)),
    ),
    Case::new(
        "the input's own block freed under the host",
        LEGACY.imports(MALLOC_FREE).entry(
            "(call $free (local.get $ptr))
             (i64.store (call $malloc (i32.const 5)) (i64.const 0))
             (call $pack (local.get $ptr) (local.get $len))",
        ),
        must!(Returned(bytes) if *bytes == [0; 5]),
    ),
    Case::new(
        "the memory grows behind the allocator",
        LEGACY.imports(HASH).entry("(drop (memory.grow (i32.const 1))) (call $pack (call $hash (i64.const 0x400000000)) (i32.const 8))"),
        must!(Returned(bytes) if *bytes == sp_crypto_hashing::twox_64(&[0; 4])),
    ),
];
