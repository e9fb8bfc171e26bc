//! Whose heap: the arena, and that nobody reaches into the other's part.

use super::{adapted, host::Node, local, v1};
use heapbase_module::adapt::{MemoryLink, Options};

/// Grows its memory by the number of pages in the input's first byte: gives the pages before, or -1, and those after.
const GROWS: &str = r#"(module
  (memory (export "memory") 2 {max})
  (func (export "grow") (param $at i32) (param i32) (result i64)
    (i32.store (i32.const 64) (memory.grow (i32.load8_u (local.get $at))))
    (i32.store (i32.const 68) (memory.size))
    ;; The last byte of what it has is its own.
    (i32.store8 (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1)) (i32.const 1))
    (i64.const 0x0000000800000040)))"#;

fn grow(node: &mut Node, pages: u8) -> (i32, i32) {
    let output = node.call("grow", &[pages]).unwrap();
    let number = |at: usize| i32::from_le_bytes(output[at..at + 4].try_into().unwrap());
    (number(0), number(4))
}

fn small(mut options: Options<'static>) -> Options<'static> {
    options.arena = 3 * 65536;
    options
}

#[test]
fn growing_is_answered_from_the_arena_and_ends_with_it() {
    for options in [small(local()), small(v1())] {
        let runtime = adapted(&GROWS.replace("{max}", ""), &options);
        let mut node = Node::new(&runtime.wasm);
        assert_eq!(node.heap_base(), 5 * 65536);
        assert_eq!(grow(&mut node, 0), (2, 2));
        assert_eq!(grow(&mut node, 4), (-1, 2));
        assert_eq!(grow(&mut node, 1), (2, 3));
        assert_eq!(grow(&mut node, 2), (3, 5));
        assert_eq!(grow(&mut node, 1), (-1, 5));
        assert_eq!(grow(&mut node, 0), (5, 5));
    }
}

/// Asks for as many pages as the input's first byte says, and gives up if it does not get them.
const TAKES: &str = r#"(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 16) "\20\00\00\00\0d\00\00\00")
  (data (i32.const 32) "nothing left\n")
  (func (export "silent") (param $at i32) (param i32) (result i64)
    (if (i32.lt_s (memory.grow (i32.load8_u (local.get $at))) (i32.const 0)) (then unreachable))
    (i64.const 0))
  (func (export "talking") (param $at i32) (param i32) (result i64)
    (if (i32.lt_s (memory.grow (i32.load8_u (local.get $at))) (i32.const 0)) (then
      (drop (call $write (i32.const 2) (i32.const 16) (i32.const 1) (i32.const 64)))
      unreachable))
    (i64.const 0))
  (func (export "else") (param i32 i32) (result i64) unreachable))"#;

#[test]
fn whoever_gives_up_for_want_of_memory_says_so() {
    let without = TAKES.replace("call $write", "call $none").replace(
        r#"(import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))"#,
        "(func $none (param i32 i32 i32 i32) (result i32) (i32.const 0))",
    );
    let said = "out of memory: the arena of 3 pages of 64 KiB cannot give 200 more";
    for (text, talking) in [(TAKES, "nothing left"), (without.as_str(), said)] {
        for options in [small(local()), small(v1())] {
            let runtime = adapted(text, &options).wasm;
            let call = |entry: &str, pages| Node::new(&runtime).call(entry, &[pages]);
            assert!(call("silent", 3).is_ok());
            assert_eq!(call("silent", 200).unwrap_err().panic.unwrap(), said);
            assert_eq!(call("talking", 200).unwrap_err().panic.unwrap(), talking);
            let failure = call("else", 1).unwrap_err();
            assert!(failure.panic.is_none() && failure.trap.contains("unreachable"), "{failure:?}");
        }
    }
}

#[test]
fn a_refusal_while_initialising_is_forgotten() {
    let text = r#"(module
      (memory (export "memory") 2)
      (func (export "_initialize") (drop (memory.grow (i32.const 300))))
      (func (export "fail") (param i32 i32) (result i64) unreachable))"#;
    let failure = Node::new(&adapted(text, &small(local())).wasm).call("fail", &[]).unwrap_err();
    assert!(failure.panic.is_none(), "{failure:?}");
}

#[test]
fn a_maximum_that_the_module_sets_stays_one() {
    let runtime = adapted(&GROWS.replace("{max}", "3"), &local());
    let mut node = Node::new(&runtime.wasm);
    assert_eq!(grow(&mut node, 2), (-1, 2));
    assert_eq!(grow(&mut node, 1), (2, 3));
    assert_eq!(node.heap_base(), 3 * 65536);
}

#[test]
fn the_embedded_allocator_serves_from_behind_the_language() {
    let mut options = small(v1());
    options.memory = MemoryLink::Exported;
    let runtime = adapted(&GROWS.replace("{max}", ""), &options);
    let mut node = Node::new(&runtime.wasm);
    let base = node.heap_base();
    let mut blocks = Vec::new();
    for size in [1_u32, 100, 60_000, 3 << 20] {
        let block = node.allocate(size);
        assert!(block >= base && block.is_multiple_of(8), "{block:#x}");
        for (other, length) in &blocks {
            assert!(block + size <= *other || other + length <= block, "{block:#x} overlaps {other:#x}");
        }
        blocks.push((block, size));
    }
    // The memory has really grown for the last one; the language sees nothing of that.
    assert_eq!(grow(&mut node, 0), (2, 2));
    assert_eq!(grow(&mut node, 3), (2, 5));
}

#[test]
fn a_module_that_never_grows_gets_no_arena() {
    let text = r#"(module
      (memory (export "memory") 2)
      (func (export "size") (param i32 i32) (result i64)
        (i32.store (i32.const 64) (memory.size))
        (i64.const 0x0000000400000040)))"#;
    let runtime = adapted(text, &local());
    let mut node = Node::new(&runtime.wasm);
    assert_eq!(node.heap_base(), 2 * 65536);
    assert_eq!(node.call("size", &[]).unwrap(), [2, 0, 0, 0]);
}

#[test]
fn a_heap_that_is_the_hosts_already_gets_the_arena_of_a_conversion() {
    let text = r#"(module
      (import "env" "memory" (memory 17))
      (import "env" "ext_allocator_malloc_version_1" (func $malloc (param i32) (result i32)))
      (import "env" "ext_allocator_free_version_1" (func $free (param i32)))
      (global (export "__heap_base") i32 (i32.const 1048576))
      (func (export "f") (param i32 i32) (result i64) (local $block i32)
        (local.set $block (call $malloc (i32.const 4)))
        (i32.store (local.get $block) (local.get $block))
        (call $free (call $malloc (i32.const 8)))
        (i64.or (i64.extend_i32_u (local.get $block)) (i64.const 0x400000000))))"#;
    for options in [local(), v1()] {
        let runtime = adapted(text, &options);
        assert_eq!(runtime.record.allocator, "size-class");
        let mut node = Node::new(&runtime.wasm);
        let block = node.call("f", &[]).unwrap();
        let block = u32::from_le_bytes(block.try_into().unwrap());
        assert!(block >= 1 << 20, "{block:#x}");
        let base = node.heap_base();
        if options.to == heapbase_module::Spec::Local {
            assert!(block < base && base > 1 << 20, "{block:#x} {base:#x}");
        }
    }
}

#[test]
fn the_scratch_memory_lies_between_language_and_host() {
    let text = r#"(module
      (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 100) "\70\00\00\00\05\00\00\00........hello")
      (func (export "say") (param i32 i32) (result i64)
        (drop (memory.grow (i32.const 1)))
        (drop (call $write (i32.const 1) (i32.const 100) (i32.const 1) (i32.const 96)))
        (i64.const 0)))"#;
    let text = text.replace("........", "\\00\\00\\00\\00");
    let mut options = local();
    options.arena = 65536;
    let runtime = adapted(&text, &options);
    let mut node = Node::new(&runtime.wasm);
    assert!(node.heap_base() > 2 * 65536);
    node.call("say", &[]).unwrap();
    assert!(node.is_untouched_from(node.heap_base()));
    assert_eq!(node.lines().len(), 0, "a line is written when it ends");
}
