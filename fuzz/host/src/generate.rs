//! Arbitrary valid runtimes: wasm-smith's modules with the imports and exports of a runtime.

use arbitrary::{Result, Unstructured};
use wasm_encoder::{
    CodeSection, Function, Instruction, Module,
    reencode::{Reencode, RoundtripReencoder, utils},
};
use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// Imports that a module picks from: one host function of each way to pass arguments and results, the legacy allocator,
/// and one function that no host knows.
const IMPORTS: &str = r#"(module
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
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))
  (import "env" "ext_nobody_knows_version_1" (func (param i32 i64) (result i64))))"#;

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

/// What the exported `alloc` of a generated `v1` module does.
#[derive(Clone, Copy)]
enum Alloc {
    /// Whatever was generated.
    Arbitrary,
    /// Grows memory for each block: an allocator that keeps the rules.
    Growing,
}

/// A valid module under either spec.
///
/// # Errors
///
/// The bytes do not suffice.
pub fn module(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let v1: bool = u.arbitrary()?;
    let alloc = if v1 && u.ratio(3, 4)? { Alloc::Growing } else { Alloc::Arbitrary };
    let parse = |text| wat::parse_str(text).expect("the text of imports and exports is well-formed");
    let config = wasm_smith::Config {
        available_imports: Some(parse(IMPORTS)),
        exports: Some(parse(if v1 { V1_EXPORTS } else { LEGACY_EXPORTS })),
        allow_start_export: u.ratio(1, 16)?,
        bulk_memory_enabled: false,
        // Engines may choose the bits of a NaN; the two are compared.
        canonicalize_nans: true,
        compact_imports_enabled: false,
        exceptions_enabled: false,
        extended_const_enabled: false,
        gc_enabled: false,
        max_instructions: 300,
        max_memories: 1,
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
    let wasm = wasm_smith::Module::new(config, u)?.to_bytes();
    Ok(match alloc {
        Alloc::Arbitrary => wasm,
        Alloc::Growing => with_growing_alloc(&wasm),
    })
}

/// Replaces the body of the exported `alloc`, so that calls get past their input.
fn with_growing_alloc(wasm: &[u8]) -> Vec<u8> {
    let mut imported = 0;
    let mut alloc = None;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.expect("wasm-smith writes valid modules") {
            Payload::ImportSection(imports) => {
                let is_function = |import: &wasmparser::Import<'_>| matches!(import.ty, TypeRef::Func(_));
                imported = imports.into_imports().filter(|import| import.as_ref().is_ok_and(is_function)).count();
            }
            Payload::ExportSection(exports) => {
                alloc = exports
                    .into_iter()
                    .flatten()
                    .find(|export| export.name == "alloc" && export.kind == ExternalKind::Func)
                    .map(|export| export.index as usize);
            }
            _ => {}
        }
    }
    let Some(defined) = alloc.and_then(|index| index.checked_sub(imported)) else { return wasm.to_vec() };

    struct Bodies {
        at: usize,
        replaced: usize,
    }
    impl Reencode for Bodies {
        type Error = std::convert::Infallible;

        fn parse_function_body(
            &mut self,
            code: &mut CodeSection,
            body: wasmparser::FunctionBody<'_>,
        ) -> std::result::Result<(), wasm_encoder::reencode::Error<Self::Error>> {
            let at = self.at;
            self.at += 1;
            if at != self.replaced {
                return utils::parse_function_body(&mut RoundtripReencoder, code, body);
            }
            // memory.grow((size >> 16) + 1) << 16; a refusal becomes an address beyond memory.
            let mut grow = Function::new([]);
            grow.instruction(&Instruction::LocalGet(0))
                .instruction(&Instruction::I32Const(16))
                .instruction(&Instruction::I32ShrU)
                .instruction(&Instruction::I32Const(1))
                .instruction(&Instruction::I32Add)
                .instruction(&Instruction::MemoryGrow(0))
                .instruction(&Instruction::I32Const(16))
                .instruction(&Instruction::I32Shl)
                .instruction(&Instruction::End);
            code.function(&grow);
            Ok(())
        }
    }
    let mut module = Module::new();
    Bodies { at: 0, replaced: defined }
        .parse_core_module(&mut module, Parser::new(0), wasm)
        .expect("a valid module is written again");
    module.finish()
}
