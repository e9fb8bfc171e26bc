;; Everything v1 asks for, but for the announcement.
;;! legacy, conforms
;;! memory imported, 17 pages
;;! heap base 0x100000
;;! note allocator-without-marker: section export alloc 0xb1: an allocator is exported, but without a function `v1` hosts take the module as `legacy`
;;! note not-an-entry-point: section export alloc 0xb1: not callable as an entry point: its type is `(i32) -> i32`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export dealloc 0xb9: not callable as an entry point: its type is `(i32, i32)`, not `(i32, i32) -> i64`
;;! note not-an-entry-point: section export realloc 0xc3: not callable as an entry point: its type is `(i32, i32, i32) -> i32`, not `(i32, i32) -> i64`
(module
  (import "env" "memory" (memory 17))
  (import "env" "ext_allocator_malloc_version_1" (func (param i32) (result i32)))
  (import "env" "ext_allocator_free_version_1" (func (param i32)))
  (global (export "__heap_base") i32 (i32.const 0x100000))
  (func (export "Core_version") (param i32 i32) (result i64) (i64.const 0))
  (func (export "alloc") (param i32) (result i32) (i32.const 0))
  (func (export "dealloc") (param i32 i32))
  (func (export "realloc") (param i32 i32 i32) (result i32) (i32.const 0)))
