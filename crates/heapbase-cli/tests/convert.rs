//! `heapbase convert`, `stub`, `verify` and `block --to` as a person and a program meet them.

mod common;

#[path = "convert/block.rs"]
mod block;
#[path = "convert/files.rs"]
mod files;
#[path = "convert/verify.rs"]
mod verify;

use common::{heapbase, json, shared};
use std::path::{Path, PathBuf};

/// A legacy runtime that allocates, copies and frees.
const LEGACY: &str = r#"(module
    (import "env" "memory" (memory 17))
    (import "env" "ext_allocator_malloc_version_1" (func $ext_allocator_malloc_version_1 (param i32) (result i32)))
    (import "env" "ext_allocator_free_version_1" (func $ext_allocator_free_version_1 (param i32)))
    (global (export "__heap_base") i32 (i32.const 1048576))
    (data (i32.const 1024) "some data")
    (func (export "Core_version") (param i32 i32) (result i64)
        (local $block i32)
        (local.set $block (call $ext_allocator_malloc_version_1 (i32.const 8)))
        (i64.store (local.get $block) (i64.const 0x1122334455667788))
        (call $ext_allocator_free_version_1 (call $ext_allocator_malloc_version_1 (i32.const 100)))
        (i64.or (i64.extend_i32_u (local.get $block)) (i64.const 0x800000000)))
    (@custom "runtime_version" (after code) "\00"))"#;

/// A runtime that brings its own heap, so there is nothing to convert.
const REFUSED: &str = r#"(module (memory (export "memory") 17) (func (export "v1"))
    (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0)))"#;

/// The simplest allocator that the interface allows: addresses rise, nothing is given back. Its state is the next address.
const BUMP: &str = r#"(module
    (import "env" "memory" (memory 0))
    (import "heapbase" "state" (func $state (result i32)))
    (import "heapbase" "end" (func $end (result i32)))
    (func (export "state_size") (result i32) (i32.const 16))
    ;; State of zero: nothing was handed out yet, and memory begins behind the state.
    (func (export "alloc") (param $size i32) (result i32)
        (local $next i32)
        (local.set $size (i32.and (i32.add (local.get $size) (i32.const 15)) (i32.const -16)))
        (local.set $next (i32.load (call $state)))
        (if (i32.eqz (local.get $next)) (then (local.set $next (i32.add (call $state) (i32.const 16)))))
        (if (i32.lt_u (i32.sub (call $end) (local.get $next)) (local.get $size)) (then (return (i32.const 0))))
        (i32.store (call $state) (i32.add (local.get $next) (local.get $size)))
        (local.get $next))
    (func (export "free") (param $block i32)))"#;

/// A folder with files to work on.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Writes a module; the file's name.
    fn module(&self, name: &str, wat: &str) -> String {
        std::fs::write(self.path(name), wat::parse_str(wat).expect("the text is a module")).expect("written");
        self.text(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).expect("the file is there")
    }
}

/// A runtime of the corpus with everything in it: a start of names, elements, data, sections of its own.
fn real() -> Option<String> {
    Some(shared("corpus")?.join("gssmr-test-0652cd.compact.compressed.wasm").display().to_string())
}

fn spec_of(file: &Path) -> serde_json::Value {
    let (_, objects) = json(&["inspect", &file.display().to_string()], "");
    objects[0]["spec"].clone()
}
