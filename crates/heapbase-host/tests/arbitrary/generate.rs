//! Arbitrary valid runtimes: wasm-smith's modules with the imports and exports of a runtime.

use super::tame::{Tame, tamed};
use arbitrary::{Result, Unstructured};
use std::sync::LazyLock;

/// Imports that a module picks from: host functions of each way to pass arguments and results, and one that no host
/// knows.
const IMPORTS: &str = r#"
  (import "env" "ext_storage_get_version_1" (func (param i64) (result i64)))
  (import "env" "ext_storage_set_version_1" (func (param i64 i64)))
  (import "env" "ext_storage_read_version_1" (func (param i64 i64 i32) (result i64)))
  (import "env" "ext_storage_append_version_1" (func (param i64 i64)))
  (import "env" "ext_storage_clear_prefix_version_2" (func (param i64 i64) (result i64)))
  (import "env" "ext_storage_next_key_version_1" (func (param i64) (result i64)))
  (import "env" "ext_storage_root_version_2" (func (param i32) (result i64)))
  (import "env" "ext_storage_start_transaction_version_1" (func))
  (import "env" "ext_storage_rollback_transaction_version_1" (func))
  (import "env" "ext_storage_commit_transaction_version_1" (func))
  (import "env" "ext_default_child_storage_set_version_1" (func (param i64 i64 i64)))
  (import "env" "ext_default_child_storage_root_version_2" (func (param i64 i32) (result i64)))
  (import "env" "ext_default_child_storage_storage_kill_version_3" (func (param i64 i64) (result i64)))
  (import "env" "ext_hashing_twox_64_version_1" (func (param i64) (result i32)))
  (import "env" "ext_hashing_blake2_256_version_1" (func (param i64) (result i32)))
  (import "env" "ext_trie_blake2_256_ordered_root_version_2" (func (param i64 i32) (result i32)))
  (import "env" "ext_crypto_ed25519_verify_version_1" (func (param i32 i64 i32) (result i32)))
  (import "env" "ext_crypto_secp256k1_ecdsa_recover_version_2" (func (param i32 i32) (result i64)))
  (import "env" "ext_logging_log_version_1" (func (param i32 i64 i64)))
  (import "env" "ext_misc_print_hex_version_1" (func (param i64)))
  (import "env" "ext_misc_print_utf8_version_1" (func (param i64)))
  (import "env" "ext_wasm_tracing_enter_span_version_1" (func (param i64) (result i64)))
  (import "env" "ext_wasm_tracing_exit_version_1" (func (param i64)))
  (import "env" "ext_offchain_index_set_version_1" (func (param i64 i64)))
  (import "env" "ext_panic_handler_abort_on_panic_version_1" (func (param i64)))
  (import "env" "ext_nobody_knows_version_1" (func (param i32 i64) (result i64)))"#;

const ALLOCATOR: &str = r#"
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))"#;

const LEGACY_EXPORTS: &str = r#"(module
  (memory (export "memory") 1)
  (global (export "__heap_base") i32 (i32.const 0))
  (func (export "run") (param i32 i32) (result i64) (unreachable)))"#;

const V1_EXPORTS: &str = r#"(module
  (memory (export "memory") 1)
  (func (export "v1"))
  (func (export "alloc") (param i32) (result i32) (unreachable))
  (func (export "dealloc") (param i32 i32))
  (func (export "realloc") (param i32 i32 i32) (result i32) (unreachable))
  (func (export "run") (param i32 i32) (result i64) (unreachable)))"#;

/// What modules are made to the likeness of.
struct Shapes {
    imports: Vec<u8>,
    imports_with_allocator: Vec<u8>,
    legacy: Vec<u8>,
    v1: Vec<u8>,
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let parse = |text: &str| wat::parse_str(text).expect("the text of imports and exports is well-formed");
    Shapes {
        imports: parse(&format!("(module {IMPORTS})")),
        imports_with_allocator: parse(&format!("(module {IMPORTS} {ALLOCATOR})")),
        legacy: parse(LEGACY_EXPORTS),
        v1: parse(V1_EXPORTS),
    }
});

/// A valid module under either spec.
///
/// # Errors
///
/// The bytes do not suffice.
pub(crate) fn module(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let v1: bool = u.arbitrary()?;
    // Both allocators in one module are refused at once: seldom is enough.
    let allocator = if v1 { u.ratio(1, 32)? } else { true };
    let tame = Tame {
        alloc: u.ratio(7, 8)?,
        heap_base: if u.ratio(7, 8)? { Some(*u.choose(&[0, 8, 1_001, 65_536, 131_072])?) } else { None },
        pointers: u.ratio(3, 4)?,
    };
    let shapes = &*SHAPES;
    let config = wasm_smith::Config {
        available_imports: Some(if allocator { &shapes.imports_with_allocator } else { &shapes.imports }.clone()),
        exports: Some(if v1 { &shapes.v1 } else { &shapes.legacy }.clone()),
        allow_start_export: u.ratio(1, 16)?,
        bulk_memory_enabled: false,
        // Engines may choose the bits of a NaN; the two are compared.
        canonicalize_nans: true,
        compact_imports_enabled: false,
        exceptions_enabled: false,
        extended_const_enabled: false,
        gc_enabled: false,
        max_instructions: 300,
        // The exported one comes on top.
        max_memories: 0,
        max_memory32_bytes: 8 << 16,
        max_table_elements: 1_000,
        memory64_enabled: false,
        multi_value_enabled: false,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        saturating_float_to_int_enabled: false,
        sign_extension_ops_enabled: false,
        simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        wide_arithmetic_enabled: false,
        ..wasm_smith::Config::default()
    };
    Ok(tamed(&wasm_smith::Module::new(config, u)?.to_bytes(), tame))
}
