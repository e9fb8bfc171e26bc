//! Pointers and lengths that a runtime passes: each must be checked against memory as it is at that moment.

use crate::{
    Case,
    Outcome::*,
    must,
    parts::{LEGACY, V1},
};
use heapbase_host::Cause;

const STORAGE: &str = r#"(import "env" "ext_storage_get_version_1" (func $get (param i64) (result i64)))
  (import "env" "ext_storage_set_version_1" (func $set (param i64 i64)))
  (import "env" "ext_storage_read_version_1" (func $read (param i64 i64 i32) (result i64)))
  (import "env" "ext_storage_root_version_2" (func $root (param i32) (result i64)))"#;

const HASH: &str = r#"(import "env" "ext_hashing_blake2_256_version_1" (func $hash (param i64) (result i32)))"#;

const VERIFY: &str =
    r#"(import "env" "ext_crypto_ed25519_verify_version_1" (func $verify (param i32 i64 i32) (result i32)))"#;

const LOG: &str = r#"(import "env" "ext_logging_log_version_1" (func $log (param i32 i64 i64)))"#;

/// A case in which a host function has to refuse what it was given.
const fn refused(name: &'static str, wat: crate::parts::Wat) -> Case {
    Case::new(
        name,
        wat,
        must!(Failed(error) if matches!(error.cause, Cause::HostFunction(_)) && error.host_function.is_some()),
    )
}

pub(crate) const OUTPUTS: &[Case] = &[
    Case::new(
        "a result one byte past the end",
        V1.entry("(call $pack (i32.sub (call $end) (i32.const 1)) (i32.const 2))"),
        must!(Failed(error) if matches!(error.cause, Cause::OutputOutOfBounds { ptr: 0x1ffff, len: 2, memory: 0x20000 })),
    ),
    Case::new(
        "a result that is the last byte",
        V1.entry("(call $pack (i32.sub (call $end) (i32.const 1)) (i32.const 1))"),
        must!(Returned(bytes) if bytes == &[0]),
    ),
    Case::new(
        "a result whose end wraps around to where memory is",
        V1.entry("(call $pack (i32.const -8) (i32.const 16))"),
        must!(Failed(error) if matches!(error.cause, Cause::OutputOutOfBounds { ptr: 0xffff_fff8, len: 16, .. })),
    ),
    Case::new(
        "a result of 4 GiB - 1",
        V1.entry("(call $pack (i32.const 0) (i32.const -1))"),
        must!(Failed(error) if matches!(error.cause, Cause::OutputOutOfBounds { ptr: 0, len: u32::MAX, .. })),
    ),
    Case::new(
        "a result of all bits set",
        V1.entry("(i64.const -1)"),
        must!(Failed(error) if matches!(error.cause, Cause::OutputOutOfBounds { ptr: u32::MAX, len: u32::MAX, .. })),
    ),
    Case::new("an empty result at address 0", V1.entry("(i64.const 0)"), must!(Returned(bytes) if bytes.is_empty())),
    Case::new(
        "an empty result at the end of memory",
        V1.entry("(call $pack (call $end) (i32.const 0))"),
        must!(Returned(bytes) if bytes.is_empty()),
    ),
    Case::new(
        "an empty result past the end of memory",
        V1.entry("(call $pack (i32.const -1) (i32.const 0))"),
        must!(Returned(bytes) if bytes.is_empty()),
    )
    .or(must!(Failed(error) if matches!(error.cause, Cause::OutputOutOfBounds { ptr: u32::MAX, len: 0, .. }))),
    Case::new(
        "a result past the end under legacy",
        LEGACY.entry("(call $pack (call $end) (i32.const 1))"),
        must!(Failed(error) if matches!(error.cause, Cause::OutputOutOfBounds { len: 1, .. })),
    ),
    Case::new(
        "a result in a page that the call has just grown",
        V1.entry("(call $pack (i32.shl (memory.grow (i32.const 1)) (i32.const 16)) (i32.const 3))"),
        must!(Returned(bytes) if bytes == &[0; 3]),
    ),
    Case::new(
        "a result at address 0, which is memory like any other",
        V1.rest(r#"(data (i32.const 0) "zero")"#).entry("(call $pack (i32.const 0) (i32.const 4))"),
        must!(Returned(bytes) if bytes == b"zero"),
    ),
];

pub(crate) const ARGUMENTS: &[Case] = &[
    refused(
        "a key one byte past the end",
        V1.imports(STORAGE).entry("(call $get (call $pack (i32.sub (call $end) (i32.const 3)) (i32.const 4)))"),
    ),
    Case::new(
        "a key that ends with memory",
        V1.imports(STORAGE).entry("(call $get (call $pack (i32.sub (call $end) (i32.const 4)) (i32.const 4)))"),
        // `None`, encoded.
        must!(Returned(bytes) if bytes == &[0]),
    ),
    refused("a key whose end wraps around", V1.imports(STORAGE).entry("(call $get (call $pack (i32.const -8) (i32.const 16)))")),
    refused("a key of 4 GiB - 1", V1.imports(STORAGE).entry("(call $get (call $pack (i32.const 0) (i32.const -1)))")),
    refused(
        "a value past the end",
        V1.imports(STORAGE)
            .entry("(call $set (i64.const 0x400000000) (call $pack (call $end) (i32.const 1))) (i64.const 0)"),
    ),
    refused(
        "a value past the end under legacy",
        LEGACY
            .imports(STORAGE)
            .entry("(call $set (i64.const 0x400000000) (call $pack (call $end) (i32.const 1))) (i64.const 0)"),
    ),
    refused(
        "a buffer to fill that is not inside of memory",
        V1.imports(STORAGE).entry(
            "(call $set (i64.const 0x400000000) (i64.const 0x800000000))
             (call $read (i64.const 0x400000000) (call $pack (i32.sub (call $end) (i32.const 4)) (i32.const 8)) (i32.const 0))",
        ),
    ),
    Case::new(
        "an offset past the end of the value: nothing is there",
        V1.imports(STORAGE).entry(
            "(call $set (i64.const 0x400000000) (i64.const 0x800000000))
             (call $read (i64.const 0x400000000) (call $pack (i32.const 64) (i32.const 8)) (i32.const -1))",
        ),
        // `Some(0)`, encoded.
        must!(Returned(bytes) if bytes == &[1, 0, 0, 0, 0]),
    ),
    refused("bytes to hash past the end", V1.imports(HASH).entry("(call $pack (call $hash (call $pack (call $end) (i32.const 1))) (i32.const 32))")),
    refused("4 GiB - 1 to hash", V1.imports(HASH).entry("(call $pack (call $hash (i64.const -4294967296)) (i32.const 32))")),
    refused(
        "a signature of which the last byte is missing",
        V1.imports(VERIFY).entry(
            "(drop (call $verify (i32.sub (call $end) (i32.const 63)) (i64.const 0x400000000) (i32.const 0))) (i64.const 0)",
        ),
    ),
    refused(
        "a signature at the last address of all",
        V1.imports(VERIFY).entry("(drop (call $verify (i32.const -1) (i64.const 0x400000000) (i32.const 0))) (i64.const 0)"),
    ),
    refused(
        "a public key past the end",
        V1.imports(VERIFY).entry("(drop (call $verify (i32.const 0) (i64.const 0x400000000) (call $end))) (i64.const 0)"),
    ),
    Case::new(
        "a signature, a message and a public key of zeros are wrong, not a failure",
        V1.imports(VERIFY).entry(
            "(i32.store (i32.const 16) (call $verify (i32.const 64) (i64.const 0x400000000) (i32.const 256))) (call $pack (i32.const 16) (i32.const 4))",
        ),
        must!(Returned(bytes) if bytes.len() == 4),
    ),
    refused(
        "a message to log past the end",
        V1.imports(LOG).entry("(call $log (i32.const 0) (i64.const 0) (call $pack (call $end) (i32.const 1))) (i64.const 0)"),
    ),
    refused(
        "a log target that is no text",
        V1.imports(LOG)
            .rest(r#"(data (i32.const 16) "\ff\fe")"#)
            .entry("(call $log (i32.const 0) (call $pack (i32.const 16) (i32.const 2)) (i64.const 0)) (i64.const 0)"),
    ),
    Case::new(
        "a log message that is no text",
        V1.imports(LOG)
            .rest(r#"(data (i32.const 16) "\ff\fe")"#)
            .entry(
                "(call $log (i32.const 0) (i64.const 0) (call $pack (i32.const 16) (i32.const 2)))
                 (call $pack (local.get $ptr) (local.get $len))",
            ),
        must!(Returned(bytes) if bytes == b"input"),
    ),
    Case::new(
        "a log level that does not exist",
        V1.imports(LOG).entry(
            "(call $log (i32.const 250) (i64.const 0) (i64.const 0)) (call $pack (local.get $ptr) (local.get $len))",
        ),
        must!(Failed(error) if error.host_function.is_some()),
    )
    .or(must!(Returned(bytes) if bytes == b"input")),
    refused("a state version that does not exist", V1.imports(STORAGE).entry("(call $root (i32.const 7))")),
    refused(
        "a list that promises four billion items",
        V1.imports(r#"(import "env" "ext_trie_blake2_256_ordered_root_version_2" (func $ordered (param i64 i32) (result i32)))"#)
            .rest(r#"(data (i32.const 16) "\03\ff\ff\ff\ff")"#)
            .entry("(call $pack (call $ordered (call $pack (i32.const 16) (i32.const 5)) (i32.const 1)) (i32.const 32))"),
    ),
    refused(
        "a list that ends in the middle of an item",
        V1.imports(r#"(import "env" "ext_trie_blake2_256_ordered_root_version_2" (func $ordered (param i64 i32) (result i32)))"#)
            .rest(r#"(data (i32.const 16) "\04\14one")"#)
            .entry("(call $pack (call $ordered (call $pack (i32.const 16) (i32.const 5)) (i32.const 1)) (i32.const 32))"),
    ),
    refused(
        "metadata of a span that do not decode",
        V1.imports(r#"(import "env" "ext_wasm_tracing_enter_span_version_1" (func $enter (param i64) (result i64)))"#)
            .entry("(drop (call $enter (call $pack (i32.const 0) (i32.const 3)))) (i64.const 0)"),
    ),
    Case::new(
        "a span that was never opened is closed",
        V1.imports(r#"(import "env" "ext_wasm_tracing_exit_version_1" (func $exit (param i64)))"#)
            .entry("(call $exit (i64.const 77)) (call $pack (local.get $ptr) (local.get $len))"),
        must!(Returned(bytes) if bytes == b"input"),
    )
    .or(must!(Failed(error) if error.host_function.is_some())),
    refused(
        "a panic message past the end",
        V1.imports(r#"(import "env" "ext_panic_handler_abort_on_panic_version_1" (func $abort (param i64)))"#)
            .entry("(call $abort (call $pack (call $end) (i32.const 1))) (i64.const 0)"),
    ),
    refused(
        "a panic message that is no text",
        V1.imports(r#"(import "env" "ext_panic_handler_abort_on_panic_version_1" (func $abort (param i64)))"#)
            .rest(r#"(data (i32.const 16) "\ff\fe")"#)
            .entry("(call $abort (call $pack (i32.const 16) (i32.const 2))) (i64.const 0)"),
    ),
    refused(
        "a transaction is rolled back that was never begun: the host function panics",
        V1.imports(r#"(import "env" "ext_storage_rollback_transaction_version_1" (func $rollback))"#)
            .entry("(call $rollback) (i64.const 0)"),
    ),
    refused(
        "a batch is finished that was never begun",
        V1.imports(r#"(import "env" "ext_crypto_finish_batch_verify_version_1" (func $finish (result i32)))"#)
            .entry("(drop (call $finish)) (i64.const 0)"),
    ),
    refused(
        "a batch is begun twice",
        V1.imports(r#"(import "env" "ext_crypto_start_batch_verify_version_1" (func $start))"#)
            .entry("(call $start) (call $start) (i64.const 0)"),
    ),
    refused(
        "a key of a keystore that is not there",
        V1.imports(r#"(import "env" "ext_crypto_ed25519_public_keys_version_1" (func $keys (param i32) (result i64)))"#)
            .entry("(call $keys (i32.const 0))"),
    ),
    refused(
        "the time, outside of an offchain worker",
        V1.imports(r#"(import "env" "ext_offchain_timestamp_version_1" (func $now (result i64)))"#)
            .entry("(drop (call $now)) (i64.const 0)"),
    ),
    refused(
        "a kind of offchain storage that does not exist",
        V1.imports(r#"(import "env" "ext_offchain_local_storage_get_version_1" (func $get (param i32 i64) (result i64)))"#)
            .entry("(call $get (i32.const 99) (i64.const 0))"),
    ),
];
